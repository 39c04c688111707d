/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-session.h"

#include <sodium.h>
#include <string.h>

#include "server-auth.h"
#include "server-fixture.h"
#include "server-routes.h"

#define EMAIL "ada@example.org"
#define PASSWORD "correct horse"
#define OURS "http://localhost:8000"
#define ADMIN_LIST "/api/public/v1/workspaces"
#define SECOND ((gint64)G_USEC_PER_SEC)

/* --- talking ---------------------------------------------------------------------------------- */

typedef struct {
    guint status;
    const char *body, *cookies, *retry;
} Answer;

static Answer
ask(Fixture *fix, const char *const *headers, const char *method, const char *path,
    const char *body)
{
    g_autoptr(SlHttpUnixReply) reply = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = body != NULL ? g_bytes_new(body, strlen(body)) : NULL;
    sl_http_unix_request(fix->client, method, path, headers, bytes,
                         g_get_monotonic_time() + 120 * SECOND, NULL, &reply, &error);
    g_assert_no_error(error);
    const char *cookies = g_hash_table_lookup(reply->headers, "set-cookie");
    const char *retry = g_hash_table_lookup(reply->headers, "retry-after");
    return (Answer){
        .status = reply->status,
        .body = format(fix, "%.*s", (int)g_bytes_get_size(reply->body),
                       (const char *)g_bytes_get_data(reply->body, NULL)),
        .cookies = format(fix, "%s", cookies != NULL ? cookies : ""),
        .retry = retry != NULL ? format(fix, "%s", retry) : NULL,
    };
}

/* The value that a cookie was set to; "" when it was cleared, NULL when it was not named. */
static const char *
cookie(Fixture *fix, const Answer *answer, const char *name)
{
    g_autofree char *start = g_strconcat(name, "=", NULL);
    const char *at = strstr(answer->cookies, start);
    if (at == NULL)
        return NULL;
    at += strlen(start);
    return format(fix, "%.*s", (int)strcspn(at, ";"), at);
}

static Answer
ask_cookies(Fixture *fix, const char *access, const char *refresh, const char *method,
            const char *path, const char *body)
{
    const char *line = format(fix, "x=1; JWT=%s; JWT_REFRESH_TOKEN=%s",
                              access != NULL ? access : "", refresh != NULL ? refresh : "");
    const char *headers[] = {"Cookie", line, "Origin", OURS, NULL};
    return ask(fix, headers, method, path, body);
}

/* --- accounts --------------------------------------------------------------------------------- */

static const char *
token_of(Fixture *fix, const char *answer)
{
    const char *url = member(fix, answer, "url");
    g_assert_true(g_str_has_prefix(url, OURS "/setup#token="));
    return strchr(url, '=') + 1;
}

static const char *
setup_body(Fixture *fix, const char *token, const char *email, const char *password)
{
    return format(fix, "{\"token\":\"%s\",\"email\":\"%s\",\"password\":\"%s\"}", token, email,
                  password);
}

/* The first administrator gets e-mail and password. */
static void
set_up(Fixture *fix)
{
    const char *token = token_of(fix, call(fix, "POST", "/api/v1/sluice/setup/link", NULL, 200));
    call(fix, "POST", "/api/v1/sluice/setup", setup_body(fix, token, EMAIL, PASSWORD), 200);
}

/* Somebody else, with a password; the id. */
static const char *
invite(Fixture *fix, const char *email)
{
    const char *body = format(fix, "{\"email\":\"%s\",\"name\":\"n\"}", email);
    const char *link = call(fix, "POST", "/api/v1/sluice/users", body, 201);
    call(fix, "POST", "/api/v1/sluice/setup",
         format(fix, "{\"token\":\"%s\",\"password\":\"" PASSWORD "\"}", token_of(fix, link)), 200);
    return member(fix, link, "userId");
}

static Answer
login(Fixture *fix, const char *email, const char *password)
{
    return ask(fix, NULL, "POST", "/api/login",
               format(fix, "{\"username\":\"%s\",\"password\":\"%s\"}", email, password));
}

static const char *
basic(Fixture *fix, const char *name, const char *password)
{
    g_autofree char *pair = g_strconcat(name, ":", password, NULL);
    g_autofree char *code = g_base64_encode((const guchar *)pair, strlen(pair));
    return format(fix, "Basic %s", code);
}

static guint
status_with(Fixture *fix, const char *authorization, const char *path)
{
    const char *headers[] = {"Authorization", authorization, NULL};
    return ask(fix, headers, "GET", path, NULL).status;
}

/* --- the link --------------------------------------------------------------------------------- */

static void
test_setup(Fixture *fix, gconstpointer data)
{
    const char *path = "/api/v1/sluice/setup";
    const char *first = token_of(fix, call(fix, "POST", "/api/v1/sluice/setup/link", NULL, 200));
    const char *second = token_of(fix, call(fix, "POST", "/api/v1/sluice/setup/link", NULL, 200));
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from setup_token"), ==, 1);
    /* the new one made the old one worthless; the hash is not the token */
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, second, -1);
    call(fix, "POST", path, setup_body(fix, first, EMAIL, PASSWORD), 403);
    call(fix, "POST", path, setup_body(fix, hash, EMAIL, PASSWORD), 403);
    call(fix, "POST", path, setup_body(fix, "", EMAIL, PASSWORD), 400);
    /* what is wrong does not use it up */
    assert_has(call(fix, "POST", path, setup_body(fix, second, "nobody", PASSWORD), 400), "email");
    assert_has(call(fix, "POST", path, setup_body(fix, second, EMAIL, "short"), 400), "password");
    assert_has(call(fix, "POST", path,
                    format(fix, "{\"token\":\"%s\",\"password\":\"" PASSWORD "\"}", second), 400),
               "email: is required");
    const char *made = call(fix, "POST", path, setup_body(fix, second, EMAIL, PASSWORD), 200);
    g_assert_cmpstr(member(fix, made, "email"), ==, EMAIL);
    g_assert_cmpstr(member(fix, made, "userId"), ==, SERVER_DEFAULT_USER);
    assert_lacks(made, PASSWORD);
    assert_has(call(fix, "POST", path, setup_body(fix, second, EMAIL, PASSWORD), 403),
               "used before");
    g_assert_cmpuint(login(fix, EMAIL, PASSWORD).status, ==, 200);
    g_assert_cmpint(queue_fixture_count(fix->server.db,
                                        "select count(*) from account where password_hash like "
                                        "'$argon2id$%' and status = 'registered'"),
                    ==, 1);
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from organization where "
                                                        "email = '" EMAIL "'"),
                    ==, 1);
    /* a late one */
    first = token_of(fix, call(fix, "POST", "/api/v1/sluice/setup/link", NULL, 200));
    queue_fixture_script(fix->server.db,
                         "update setup_token set expires_at = now() - interval '1 s'");
    call(fix, "POST", path, setup_body(fix, first, EMAIL, PASSWORD), 403);
}

/* Only root on the socket makes one for an administrator: an administrator's token does not. */
static void
test_link_is_roots(Fixture *fix, gconstpointer data)
{
    set_up(fix);
    Answer answer = login(fix, EMAIL, PASSWORD);
    const char *headers[] = {
        "Authorization", format(fix, "Bearer %s", member(fix, answer.body, "access_token")), NULL};
    const char *user = invite(fix, "b@example.org");
    const char *path = format(fix, "/api/v1/sluice/users/%s/link", user);
    call_with(fix, headers, "POST", "/api/v1/sluice/setup/link", NULL, 403);
    call_with(fix, headers, "POST", path, NULL, 200);
    call_with(fix, headers, "POST", "/api/public/v1/permissions",
              format(fix, "{\"permissionType\":\"instance_admin\",\"userId\":\"%s\"}", user), 200);
    assert_has(call_with(fix, headers, "POST", path, NULL, 403), "root on the host");
    call(fix, "POST", path, NULL, 200);
    call(fix, "POST", "/api/v1/sluice/users/" FIXTURE_WORKSPACE "/link", NULL, 404);
    call(fix, "POST", "/api/v1/sluice/users", "{\"email\":\"B@example.org\"}", 409);
}

/* --- logins ----------------------------------------------------------------------------------- */

static void
test_login(Fixture *fix, gconstpointer data)
{
    set_up(fix);
    Answer wrong = login(fix, EMAIL, "wrong horse");
    Answer nobody = login(fix, "nobody@example.org", PASSWORD);
    g_assert_cmpuint(wrong.status, ==, 401);
    g_assert_cmpuint(nobody.status, ==, 401);
    g_assert_cmpstr(wrong.body, ==, nobody.body);
    g_assert_cmpstr(wrong.cookies, ==, "");
    g_assert_cmpuint(login(fix, "", "").status, ==, 400);

    Answer answer = login(fix, "Ada@Example.ORG", PASSWORD);
    g_assert_cmpuint(answer.status, ==, 200);
    g_assert_cmpstr(member(fix, answer.body, "username"), ==, EMAIL);
    g_assert_cmpstr(member(fix, answer.body, "roles"), ==, "[\"instance_admin\"]");
    g_assert_cmpstr(member(fix, answer.body, "token_type"), ==, "Bearer");
    g_assert_cmpstr(member(fix, answer.body, "expires_in"), ==, "180");
    const char *access = cookie(fix, &answer, "JWT"),
               *refresh = cookie(fix, &answer, "JWT_REFRESH_TOKEN");
    g_assert_cmpstr(member(fix, answer.body, "access_token"), ==, access);
    assert_has(answer.cookies, "; HttpOnly; SameSite=Strict");
    assert_has(answer.cookies, "Max-Age=180;");
    assert_has(answer.cookies, "Max-Age=86400;");
    assert_lacks(answer.cookies, "Secure");
    assert_lacks(answer.body, refresh);
    /* the database does not know it */
    g_assert_cmpint(queue_fixture_count(fix->server.db,
                                        format(fix,
                                               "select count(*) from session where refresh_hash "
                                               "= '%s'",
                                               strchr(refresh, '.') + 1)),
                    ==, 0);
    g_assert_cmpuint(ask_cookies(fix, access, refresh, "GET", ADMIN_LIST, NULL).status, ==, 200);
    g_assert_cmpuint(status_with(fix, format(fix, "Bearer %s", access), ADMIN_LIST), ==, 200);
    /* a token of an application is no cookie */
    g_autofree char *token = server_token_make(&fix->server, SERVER_DEFAULT_USER, NULL, NULL,
                                               g_get_real_time(), 60 * SECOND);
    g_assert_cmpuint(ask_cookies(fix, token, NULL, "GET", ADMIN_LIST, NULL).status, ==, 401);
}

static void
test_secure_cookies(Fixture *fix, gconstpointer data)
{
    set_up(fix);
    g_free(fix->server.public_url);
    fix->server.public_url = g_strdup("https://sluice.example.org");
    Answer answer = login(fix, EMAIL, PASSWORD);
    g_assert_cmpuint(answer.status, ==, 200);
    g_auto(GStrv) parts = g_strsplit(answer.cookies, "; Secure", -1);
    g_assert_cmpuint(g_strv_length(parts), ==, 3); /* both */
}

/* What a foreign page makes a browser send counts for nothing. */
static void
test_foreign_pages(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *name, *value;
        gboolean ours;
    } cases[] = {
        {"Origin", OURS, TRUE},
        {"Origin", "http://localhost", TRUE}, /* the host that is asked */
        {"Origin", "https://evil.example", FALSE},
        {"Origin", "http://localhost:8001", FALSE},
        {"Origin", "http://localhost:8000.evil.example", FALSE},
        {"Origin", "null", FALSE},
        {"Sec-Fetch-Site", "same-origin", TRUE},
        {"Sec-Fetch-Site", "none", TRUE},
        {"Sec-Fetch-Site", "same-site", FALSE},
        {"Sec-Fetch-Site", "cross-site", FALSE},
        {"X-Nothing", "1", FALSE},
    };
    set_up(fix);
    Answer answer = login(fix, EMAIL, PASSWORD);
    const char *line = format(fix, "JWT=%s; JWT_REFRESH_TOKEN=%s", cookie(fix, &answer, "JWT"),
                              cookie(fix, &answer, "JWT_REFRESH_TOKEN"));
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *headers[] = {"Cookie", line, cases[i].name, cases[i].value, NULL};
        g_test_message("%s: %s", cases[i].name, cases[i].value);
        g_assert_cmpuint(ask(fix, headers, "POST", ADMIN_LIST, "{\"name\":\"x\"}").status, ==,
                         cases[i].ours ? 200 : 403);
        g_assert_cmpuint(ask(fix, headers, "GET", ADMIN_LIST, NULL).status, ==, 200);
        if (!cases[i].ours) {
            g_assert_cmpuint(ask(fix, headers, "POST", "/api/oauth/access_token", NULL).status, ==,
                             403);
            g_assert_cmpuint(ask(fix, headers, "POST", "/api/logout", NULL).status, ==, 403);
        }
    }
    const char *evil[] = {"Origin", "https://evil.example", NULL};
    g_assert_cmpuint(ask(fix, evil, "POST", "/api/login",
                         "{\"username\":\"" EMAIL "\",\"password\":\"" PASSWORD "\"}")
                         .status,
                     ==, 403);
    /* none of them ended the session */
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from session"), ==, 1);
}

static void
test_refresh(Fixture *fix, gconstpointer data)
{
    const char *path = "/api/oauth/access_token";
    set_up(fix);
    Answer first = login(fix, EMAIL, PASSWORD);
    const char *access = cookie(fix, &first, "JWT");
    const char *one = cookie(fix, &first, "JWT_REFRESH_TOKEN");
    g_assert_cmpuint(ask_cookies(fix, NULL, NULL, "POST", path, NULL).status, ==, 401);
    g_assert_cmpuint(ask_cookies(fix, NULL, "x.y", "POST", path, NULL).status, ==, 401);
    g_assert_cmpuint(ask_cookies(fix, NULL,
                                 format(fix, FIXTURE_WORKSPACE ".%s", strchr(one, '.') + 1), "POST",
                                 path, NULL)
                         .status,
                     ==, 401);

    Answer second = ask_cookies(fix, NULL, one, "POST", path, NULL);
    g_assert_cmpuint(second.status, ==, 200);
    const char *two = cookie(fix, &second, "JWT_REFRESH_TOKEN");
    g_assert_cmpstr(one, !=, two);
    g_assert_cmpstr(member(fix, second.body, "username"), ==, EMAIL);
    /* the other tab of the same browser at the same time, or the page after a reload that has
     * thrown the answer away: the same token, so that it does not matter whose answer came last */
    Answer tab = ask_cookies(fix, NULL, one, "POST", path, NULL);
    g_assert_cmpuint(tab.status, ==, 200);
    g_assert_cmpstr(cookie(fix, &tab, "JWT_REFRESH_TOKEN"), ==, two);
    g_assert_cmpuint(
        status_with(fix, format(fix, "Bearer %s", cookie(fix, &tab, "JWT")), ADMIN_LIST), ==, 200);
    Answer third = ask_cookies(fix, NULL, two, "POST", path, NULL);
    g_assert_cmpuint(third.status, ==, 200);
    const char *three = cookie(fix, &third, "JWT_REFRESH_TOKEN");

    /* an older one was stolen: that is the end, for the thief and for the owner */
    Answer stolen = ask_cookies(fix, NULL, one, "POST", path, NULL);
    g_assert_cmpuint(stolen.status, ==, 401);
    g_assert_cmpstr(cookie(fix, &stolen, "JWT"), ==, "");
    g_assert_cmpstr(cookie(fix, &stolen, "JWT_REFRESH_TOKEN"), ==, "");
    g_assert_cmpuint(ask_cookies(fix, NULL, three, "POST", path, NULL).status, ==, 401);
    g_assert_cmpuint(status_with(fix, format(fix, "Bearer %s", access), ADMIN_LIST), ==, 401);
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from session"), ==, 0);
}

static void
test_judge(void)
{
    static const struct {
        const char *secret;
        gint64 later; /* than the rotation, microseconds */
        ServerRefresh kind;
    } cases[] = {
        {"current", 0, SERVER_REFRESH_CURRENT},
        {"current", G_MAXINT32 * SECOND, SERVER_REFRESH_CURRENT},
        {"before", 0, SERVER_REFRESH_GRACE},
        {"before", SERVER_SESSION_GRACE_USEC - 1, SERVER_REFRESH_GRACE},
        {"before", SERVER_SESSION_GRACE_USEC, SERVER_REFRESH_USED},
        {"before that", 0, SERVER_REFRESH_USED},
        {"", 0, SERVER_REFRESH_USED},
    };
    g_autoptr(SlSession) session = sl_session_new();
    session->refresh_hash = server_secret_hash("current");
    session->previous_hash = server_secret_hash("before");
    sl_session_set_rotated_at(session, 1000 * SECOND);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(
            server_session_judge(session, cases[i].secret, 1000 * SECOND + cases[i].later), ==,
            cases[i].kind);
    /* of a session that was never refreshed there is none before */
    g_clear_pointer(&session->previous_hash, g_free);
    g_assert_cmpint(server_session_judge(session, "before", 1000 * SECOND), ==,
                    SERVER_REFRESH_USED);
    g_assert_cmpint(server_session_judge(session, "", 1000 * SECOND), ==, SERVER_REFRESH_USED);
}

/* Both answers of a race in either order, and each of them goes on; with another key in between the
 * second one gets an access token, and what the first one got stays good. */
static void
test_refresh_races(Fixture *fix, gconstpointer data)
{
    const char *path = "/api/oauth/access_token";
    set_up(fix);
    for (guint swapped = 0; swapped < 2; swapped++) {
        Answer first = login(fix, EMAIL, PASSWORD);
        const char *token = cookie(fix, &first, "JWT_REFRESH_TOKEN");
        for (guint round = 0; round < 4; round++) {
            Answer one = ask_cookies(fix, NULL, token, "POST", path, NULL);
            Answer two = ask_cookies(fix, NULL, token, "POST", path, NULL);
            g_assert_cmpuint(one.status, ==, 200);
            g_assert_cmpuint(two.status, ==, 200);
            const char *next = cookie(fix, swapped ? &one : &two, "JWT_REFRESH_TOKEN");
            g_assert_cmpstr(next, !=, token);
            token = next;
        }
    }
    Answer first = login(fix, EMAIL, PASSWORD);
    const char *token = cookie(fix, &first, "JWT_REFRESH_TOKEN");
    Answer one = ask_cookies(fix, NULL, token, "POST", path, NULL);
    g_bytes_unref(fix->server.token_key);
    fix->server.token_key = g_bytes_new_static("another key of thirty-two bytes.", 32);
    Answer two = ask_cookies(fix, NULL, token, "POST", path, NULL);
    g_assert_cmpuint(two.status, ==, 200);
    g_assert_null(cookie(fix, &two, "JWT_REFRESH_TOKEN"));
    g_assert_cmpuint(
        ask_cookies(fix, NULL, cookie(fix, &one, "JWT_REFRESH_TOKEN"), "POST", path, NULL).status,
        ==, 200);
}

/* The one before counts for a moment only, and no session lasts for ever. */
static void
test_refresh_times(Fixture *fix, gconstpointer data)
{
    const char *path = "/api/oauth/access_token";
    set_up(fix);
    Answer first = login(fix, EMAIL, PASSWORD);
    const char *one = cookie(fix, &first, "JWT_REFRESH_TOKEN");
    Answer second = ask_cookies(fix, NULL, one, "POST", path, NULL);
    g_assert_cmpuint(second.status, ==, 200);
    queue_fixture_script(fix->server.db,
                         "update session set rotated_at = now() - interval '1 min'");
    g_assert_cmpuint(ask_cookies(fix, NULL, one, "POST", path, NULL).status, ==, 401);
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from session"), ==, 0);

    Answer other = login(fix, EMAIL, PASSWORD);
    const char *access = format(fix, "Bearer %s", cookie(fix, &other, "JWT"));
    g_assert_cmpuint(status_with(fix, access, ADMIN_LIST), ==, 200);
    queue_fixture_script(fix->server.db, "update session set expires_at = now() - interval '1 s'");
    g_assert_cmpuint(status_with(fix, access, ADMIN_LIST), ==, 401);
    g_assert_cmpuint(
        ask_cookies(fix, NULL, cookie(fix, &other, "JWT_REFRESH_TOKEN"), "POST", path, NULL).status,
        ==, 401);
    login(fix, EMAIL, PASSWORD); /* sweeps */
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from session"), ==, 1);
}

static void
test_logout(Fixture *fix, gconstpointer data)
{
    set_up(fix);
    Answer mine = login(fix, EMAIL, PASSWORD), other = login(fix, EMAIL, PASSWORD);
    const char *access = cookie(fix, &mine, "JWT"),
               *refresh = cookie(fix, &mine, "JWT_REFRESH_TOKEN");
    Answer out = ask_cookies(fix, access, refresh, "POST", "/api/logout", NULL);
    g_assert_cmpuint(out.status, ==, 204);
    g_assert_cmpstr(cookie(fix, &out, "JWT"), ==, "");
    g_assert_cmpuint(status_with(fix, format(fix, "Bearer %s", access), ADMIN_LIST), ==, 401);
    g_assert_cmpuint(
        ask_cookies(fix, NULL, refresh, "POST", "/api/oauth/access_token", NULL).status, ==, 401);
    g_assert_cmpuint(ask_cookies(fix, NULL, NULL, "POST", "/api/logout", NULL).status, ==, 204);
    g_assert_cmpuint(
        status_with(fix, format(fix, "Bearer %s", cookie(fix, &other, "JWT")), ADMIN_LIST), ==,
        200);
    /* knowing a session's id is not enough to end it */
    const char *guess = format(fix, "%.36s.wrong", cookie(fix, &other, "JWT_REFRESH_TOKEN"));
    ask_cookies(fix, NULL, guess, "POST", "/api/logout", NULL);
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from session"), ==, 1);
}

static void
test_guessing(Fixture *fix, gconstpointer data)
{
    guint refused = 0;
    set_up(fix);
    invite(fix, "b@example.org");
    for (guint i = 0; i < 8; i++) {
        Answer answer = login(fix, EMAIL, format(fix, "guess %u", i));
        refused += answer.status == 429;
        g_assert_true(answer.status == 401 || answer.status == 429);
        g_assert_cmpint(answer.status == 429, ==, answer.retry != NULL);
    }
    g_assert_cmpuint(refused, >=, 1);
    /* the right one has to wait too, or guessing would be free */
    assert_has(login(fix, EMAIL, PASSWORD).body, "too many failed logins");
}

static void
test_password_change(Fixture *fix, gconstpointer data)
{
    const char *path = "/api/v1/sluice/password";
    const char *next = "{\"oldPassword\":\"" PASSWORD "\",\"newPassword\":\"battery staple\"}";
    set_up(fix);
    Answer mine = login(fix, EMAIL, PASSWORD);
    const char *headers[] = {"Authorization", format(fix, "Bearer %s", cookie(fix, &mine, "JWT")),
                             NULL};
    call_with(fix, headers, "POST", path,
              "{\"oldPassword\":\"wrong horse\",\"newPassword\":\"battery staple\"}", 401);
    call_with(fix, headers, "POST", path,
              "{\"oldPassword\":\"" PASSWORD "\",\"newPassword\":\"short\"}", 400);
    call_with(fix, headers, "POST", path, next, 204);
    call_with(fix, headers, "GET", ADMIN_LIST, NULL, 401); /* no session survives it */
    g_assert_cmpuint(login(fix, EMAIL, PASSWORD).status, ==, 401);
    g_assert_cmpuint(login(fix, EMAIL, "battery staple").status, ==, 200);
}

/* A hash of another cost is made anew by the next login, which works all the same. */
static void
test_old_hash(Fixture *fix, gconstpointer data)
{
    char old[crypto_pwhash_STRBYTES];
    set_up(fix);
    g_assert_cmpint(crypto_pwhash_str_alg(old, PASSWORD, strlen(PASSWORD), 1, 16384,
                                          crypto_pwhash_ALG_ARGON2ID13),
                    ==, 0);
    queue_fixture_script(fix->server.db,
                         format(fix, "update account set password_hash = '%s'", old));
    g_assert_cmpuint(login(fix, EMAIL, PASSWORD).status, ==, 200);
    const char *same = format(fix, "select count(*) from account where password_hash = '%s'", old);
    g_assert_cmpint(queue_fixture_count(fix->server.db, same), ==, 0);
    g_assert_cmpuint(login(fix, EMAIL, PASSWORD).status, ==, 200);
    g_assert_cmpuint(login(fix, EMAIL, "wrong horse").status, ==, 401);
}

/* --- what clients send ------------------------------------------------------------------------ */

static void
test_basic(Fixture *fix, gconstpointer data)
{
    set_up(fix);
    const char *user = invite(fix, "b:c@example.org");
    const char *app = call(fix, "POST", "/api/public/v1/applications", "{\"name\":\"old\"}", 200);
    const char *id = member(fix, app, "clientId"), *secret = member(fix, app, "clientSecret");
    for (guint i = 0; i < 3; i++) /* the second time it is known */
        g_assert_cmpuint(status_with(fix, basic(fix, EMAIL, PASSWORD), ADMIN_LIST), ==, 200);
    g_assert_cmpuint(status_with(fix, basic(fix, id, secret), ADMIN_LIST), ==, 200);
    g_assert_cmpuint(status_with(fix, basic(fix, id, PASSWORD), ADMIN_LIST), ==, 401);
    g_assert_cmpuint(status_with(fix, basic(fix, EMAIL, secret), ADMIN_LIST), ==, 401);
    g_assert_cmpuint(status_with(fix, basic(fix, "", ""), ADMIN_LIST), ==, 401);
    g_assert_cmpuint(status_with(fix, "Basic", ADMIN_LIST), ==, 401);
    g_assert_cmpuint(status_with(fix, "Basic !!", ADMIN_LIST), ==, 401);
    g_assert_cmpuint(status_with(fix, "Basic bm9jb2xvbg==", ADMIN_LIST), ==, 401);
    g_assert_cmpuint(status_with(fix, "Digest x", ADMIN_LIST), ==, 401);
    /* an address with a colon cannot be said in Basic: it is somebody else's */
    g_assert_cmpuint(status_with(fix, basic(fix, "b:c@example.org", PASSWORD), ADMIN_LIST), ==,
                     401);
    /* what is known is not known any longer when the password has changed, or the account is gone
     */
    call(fix, "POST", "/api/v1/users/delete", format(fix, "{\"userId\":\"%s\"}", user), 204);
    queue_fixture_script(fix->server.db,
                         "update account set password_hash = '$argon2id$v=19$m=8,t=1,"
                         "p=1$c29tZXNhbHRzb21lc2FsdA$AAAA'");
    g_assert_cmpuint(status_with(fix, basic(fix, EMAIL, PASSWORD), ADMIN_LIST), ==, 401);
}

static char *
url64(const char *text)
{
    char *code = g_base64_encode((const guchar *)text, strlen(text));
    g_strdelimit(code, "+", '-');
    g_strdelimit(code, "/", '_');
    code[strcspn(code, "=")] = '\0';
    return code;
}

/* A token of `head` and `claims`, signed as the server would. */
static const char *
forge(Fixture *fix, const char *head, const char *claims)
{
    g_autofree char *a = url64(head), *b = url64(claims);
    g_autofree char *text = g_strconcat(a, ".", b, NULL);
    guint8 digest[32];
    gsize size = sizeof(digest), key_size;
    const guint8 *key = g_bytes_get_data(fix->server.token_key, &key_size);
    g_autoptr(GHmac) hmac = g_hmac_new(G_CHECKSUM_SHA256, key, key_size);
    g_hmac_update(hmac, (const guchar *)text, -1);
    g_hmac_get_digest(hmac, digest, &size);
    g_autofree char *code = g_base64_encode(digest, size);
    g_strdelimit(code, "+", '-');
    g_strdelimit(code, "/", '_');
    code[strcspn(code, "=")] = '\0';
    return format(fix, "Bearer %s.%s", text, code);
}

#define HEAD "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define CLAIMS(iss, aud, sub, exp)                                                                 \
    "{\"iss\":" iss ",\"aud\":" aud ",\"sub\":" sub ",\"iat\":1,\"exp\":" exp "}"
#define ISS "\"" OURS "\""
#define AUD "\"airbyte-server\""
#define SUB "\"" SERVER_DEFAULT_USER "\""
#define EXP "9999999999"

static void
test_forged_tokens(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *head, *claims;
    } bad[] = {
        {"{\"alg\":\"none\",\"typ\":\"JWT\"}", CLAIMS(ISS, AUD, SUB, EXP)},
        {"{\"alg\":\"HS384\",\"typ\":\"JWT\"}", CLAIMS(ISS, AUD, SUB, EXP)},
        {"{\"typ\":\"JWT\",\"alg\":\"HS256\"}", CLAIMS(ISS, AUD, SUB, EXP)},
        {HEAD " ", CLAIMS(ISS, AUD, SUB, EXP)},
        {HEAD, CLAIMS("\"http://evil\"", AUD, SUB, EXP)},
        {HEAD, CLAIMS(ISS, "\"other\"", SUB, EXP)},
        {HEAD, CLAIMS(ISS, AUD, "\"admin\"", EXP)},
        {HEAD, CLAIMS(ISS, AUD, "null", EXP)},
        {HEAD, CLAIMS(ISS, AUD, SUB, "1")},
        {HEAD, CLAIMS(ISS, AUD, SUB, "\"" EXP "\"")},
        {HEAD, CLAIMS(ISS, AUD, SUB, "1e300")},
        {HEAD, CLAIMS(ISS, AUD, "\"" FIXTURE_WORKSPACE "\"", EXP)}, /* nobody has this id */
        {HEAD, "{\"iss\":" ISS ",\"aud\":" AUD ",\"sub\":" SUB "}"},
        {HEAD, "[]"},
        {HEAD, ""},
        {HEAD, "{\"iss\":" ISS ",\"aud\":" AUD ",\"sub\":" SUB ",\"exp\":" EXP ",\"sid\":\"x\"}"},
        {HEAD, "{\"iss\":" ISS ",\"aud\":" AUD ",\"sub\":" SUB ",\"exp\":" EXP
               ",\"sid\":\"" FIXTURE_WORKSPACE "\"}"},
        {HEAD, "{\"iss\":" ISS ",\"aud\":" AUD ",\"sub\":" SUB ",\"exp\":" EXP
               ",\"client_id\":\"" FIXTURE_WORKSPACE "\"}"},
    };
    static const char *const texts[] = {"Bearer ", "Bearer .", "Bearer ..",     "Bearer a.b.c",
                                        "Bearer",  "Token x",  "bearer  x.y.z", ""};
    const char *good = forge(fix, HEAD, CLAIMS(ISS, AUD, SUB, EXP));
    g_assert_cmpuint(status_with(fix, good, ADMIN_LIST), ==,
                     200); /* so that the rest means something */
    g_assert_cmpuint(status_with(fix, format(fix, "bearer %s", good + 7), ADMIN_LIST), ==, 200);
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_test_message("%s %s", bad[i].head, bad[i].claims);
        g_assert_cmpuint(status_with(fix, forge(fix, bad[i].head, bad[i].claims), ADMIN_LIST), ==,
                         401);
    }
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        g_assert_cmpuint(status_with(fix, texts[i], ADMIN_LIST), ==, 401);
    static const char *const changes[] = {"%s.", "%sA", "%s=", "%s.x", "%s\t"};
    for (guint i = 0; i + 1 < G_N_ELEMENTS(changes); i++) {
        g_auto(GStrv) halves = g_strsplit(changes[i], "%s", 2);
        g_assert_cmpuint(status_with(fix, format(fix, "%s%s", good, halves[1]), ADMIN_LIST), ==,
                         401);
    }
}

/* A token is worth what its owner is now. */
static void
test_owners(Fixture *fix, gconstpointer data)
{
    set_up(fix);
    const char *user = invite(fix, "b@example.org");
    Answer theirs = login(fix, "b@example.org", PASSWORD);
    const char *session = format(fix, "Bearer %s", cookie(fix, &theirs, "JWT"));
    const char *headers[] = {"Authorization", session, NULL};
    const char *app =
        call_with(fix, headers, "POST", "/api/public/v1/applications", "{\"name\":\"ci\"}", 200);
    const char *body = format(fix, "{\"client_id\":\"%s\",\"client_secret\":\"%s\"}",
                              member(fix, app, "clientId"), member(fix, app, "clientSecret"));
    const char *got = call(fix, "POST", "/applications/token", body, 200);
    const char *token = format(fix, "Bearer %s", member(fix, got, "access_token"));
    const char *source = "/api/public/v1/sources/" FIXTURE_SOURCE;
    /* others see neither it nor its secret */
    assert_lacks(call(fix, "GET", "/api/public/v1/applications", NULL, 200),
                 member(fix, app, "id"));
    call(fix, "DELETE", format(fix, "/api/public/v1/applications/%s", member(fix, app, "id")), NULL,
         404);
    g_assert_cmpuint(status_with(fix, token, source), ==, 403);
    const char *given = call(fix, "POST", "/api/public/v1/permissions",
                             format(fix,
                                    "{\"permissionType\":\"workspace_reader\",\"userId\":\"%s\","
                                    "\"workspaceId\":\"" FIXTURE_WORKSPACE "\"}",
                                    user),
                             200);
    g_assert_cmpuint(status_with(fix, token, source), ==, 200);
    g_assert_cmpuint(status_with(fix, session, source), ==, 200);
    call(fix, "DELETE",
         format(fix, "/api/public/v1/permissions/%s", member(fix, given, "permissionId")), NULL,
         204);
    g_assert_cmpuint(status_with(fix, token, source), ==, 403);
    call(fix, "POST", "/api/v1/users/update",
         format(fix, "{\"userId\":\"%s\",\"status\":\"disabled\"}", user), 200);
    g_assert_cmpuint(status_with(fix, token, source), ==, 401);
    g_assert_cmpuint(status_with(fix, session, source), ==, 401);
    g_assert_cmpuint(login(fix, "b@example.org", PASSWORD).status, ==, 401);
    call(fix, "POST", "/applications/token", body, 401);
    call(fix, "POST", "/api/v1/users/update",
         format(fix, "{\"userId\":\"%s\",\"status\":\"registered\"}", user), 200);
    g_assert_cmpuint(status_with(fix, token, source), ==, 403);
    call_with(fix, headers, "DELETE",
              format(fix, "/api/public/v1/applications/%s", member(fix, app, "id")), NULL, 200);
    g_assert_cmpuint(status_with(fix, token, source), ==, 401);
}

static void
test_token_requests(Fixture *fix, gconstpointer data)
{
    static const char *const paths[] = {"/api/public/v1/applications/token", "/applications/token",
                                        "/v1/applications/token", "/api/v1/applications/token"};
    static const char *const grants[] = {"", "&grant_type=client_credentials",
                                         "&grant-type=client_credentials"};
    const char *form[] = {"Content-Type", "application/x-www-form-urlencoded", NULL};
    const char *app = call(fix, "POST", "/api/public/v1/applications", "{\"name\":\"ci\"}", 200);
    const char *id = member(fix, app, "clientId"), *secret = member(fix, app, "clientSecret");
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
        for (guint k = 0; k < G_N_ELEMENTS(grants); k++)
            call_with(fix, form, "POST", paths[i],
                      format(fix, "client_id=%s&client_secret=%s%s", id, secret, grants[k]), 200);
        call(fix, "POST", paths[i],
             format(fix,
                    "{\"client_id\":\"%s\",\"client_secret\":\"%s\","
                    "\"grant-type\":\"client_credentials\"}",
                    id, secret),
             200);
        call(fix, "POST", paths[i],
             format(fix,
                    "{\"client_id\":\"%s\",\"client_secret\":\"%s\",\"grant_type\":\"password\"}",
                    id, secret),
             400);
        call(fix, "POST", paths[i],
             format(fix, "{\"client_id\":\"%s\",\"client_secret\":\"x\"}", id), 401);
        call(fix, "POST", paths[i],
             format(fix, "{\"client_id\":\"x\",\"client_secret\":\"%s\"}", secret), 401);
        /* a bad token of before does not keep anybody from a new one */
        const char *stale[] = {"Authorization", "Bearer a.b.c", NULL};
        call_with(fix, stale, "POST", paths[i],
                  format(fix, "{\"client_id\":\"%s\",\"client_secret\":\"%s\"}", id, secret), 200);
    }
    /* it is sealed where it rests */
    g_assert_cmpint(
        queue_fixture_count(fix->server.db, format(fix,
                                                   "select count(*) from application where "
                                                   "client_secret_hash = '%s' or "
                                                   "client_secret_sealed like '%%%s%%'",
                                                   secret, secret)),
        ==, 0);
    const char *path = format(fix, "/api/public/v1/applications/%s", member(fix, app, "id"));
    g_assert_cmpstr(member(fix, call(fix, "GET", path, NULL, 200), "clientSecret"), ==, secret);
    queue_fixture_script(fix->server.db, "update application set client_secret_sealed = null");
    g_assert_cmpstr(member(fix, call(fix, "GET", path, NULL, 200), "clientSecret"), ==,
                    "**********");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(name, function)                                                                       \
    g_test_add("/server/session/" name, Fixture, NULL, setup, function, teardown)
    CASE("setup", test_setup);
    CASE("link-is-roots", test_link_is_roots);
    CASE("login", test_login);
    CASE("secure-cookies", test_secure_cookies);
    CASE("foreign-pages", test_foreign_pages);
    CASE("refresh", test_refresh);
    CASE("refresh-times", test_refresh_times);
    CASE("refresh-races", test_refresh_races);
    g_test_add_func("/server/session/judge", test_judge);
    CASE("logout", test_logout);
    CASE("guessing", test_guessing);
    CASE("password-change", test_password_change);
    CASE("old-hash", test_old_hash);
    CASE("basic", test_basic);
    CASE("forged-tokens", test_forged_tokens);
    CASE("owners", test_owners);
    CASE("token-requests", test_token_requests);
    return g_test_run();
}
