/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-dispatch.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "server-auth.h"
#include "server-fixture.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-http-unix.h"
#include "sl-queue-fixture.h"
#include "sl-queue.h"
#include "sl-sql.h"

/* --- cases: frame
 * --------------------------------------------------------------------------------- */

static void
test_frame(Fixture *fix, gconstpointer data)
{
    assert_has(call(fix, "GET", "/api/public/v1/health", NULL, 200), "Successful operation");
    assert_has(call(fix, "GET", "/api/v1/health/", NULL, 200), "{\"available\":true}");
    call(fix, "GET", "/api/public/v1/sources/?limit=1", NULL, 200);
    assert_has(call(fix, "GET", "/openapi.json", NULL, 200), "{}");
    assert_has(call(fix, "GET", "/nothing", NULL, 404), "#resource-not-found");
    call(fix, "PUT", "/api/public/v1/sources", "{}", 405);
    assert_has(call(fix, "GET", "/api/public/v1/sources/no-uuid", NULL, 400), "actorId");
    assert_has(call(fix, "GET", "/api/public/v1/sources?limit=x", NULL, 400), "limit");
    assert_has(call(fix, "GET", "/api/public/v1/sources?limit=101", NULL, 400), "limit");
    assert_has(call(fix, "GET", "/api/public/v1/sources?offset=-1", NULL, 400), "offset");
    assert_has(call(fix, "POST", "/api/public/v1/sources", "{\"name\":", 400), "body: ");
    assert_has(call(fix, "POST", "/api/public/v1/sources", "[]", 400), "body: expected object");
    assert_has(call(fix, "POST", "/api/public/v1/sources", "{\"name\":\"x\"}", 400), "workspaceId");
    /* a body cannot break out of the object that is built around it */
    call(fix, "POST", "/api/public/v1/sources", "{\"name\":\"x\"},{", 400);
    /* U+0000 comes no further, wherever it is; a backslash that looks like it does */
    static const char *const nul[] = {"{\"a\\u0000\":1}", "{\"name\":\"\\u0000\"}",
                                      "{\"x\":[{\"y\":{\"z\\u0000\":[]}}]}",
                                      "{\"x\":[\"\\\\\\u0000\"]}"};
    for (guint i = 0; i < G_N_ELEMENTS(nul); i++)
        assert_has(call(fix, "POST", "/api/public/v1/sources", nul[i], 400), "U+0000");
    assert_has(call(fix, "POST", "/api/public/v1/sources", "{\"x\":\"\\\\u0000\"}", 400), "name");
    assert_has(call(fix, "GET", "/api/v1/sluice/status", NULL, 200), "\"connections\":1");
}

/* A token goes before the socket's word, so that this holds for root too. */
static void
test_every_operation_is_guarded(Fixture *fix, gconstpointer data)
{
    const char *bad[] = {"Authorization", "Bearer a.b.c", NULL};
    guint n_open = 0;
    for (guint i = 0; i < server_n_operations; i++) {
        const ServerOperation *operation = &server_operations[i];
        if (operation->intent == SERVER_INTENT_ANONYMOUS)
            n_open++;
        else
            call_with(fix, bad, operation->method, operation->path, NULL, 401);
    }
    /* health twice, the description, what the instance is, four addresses for tokens, login,
     * refresh, logout, setup */
    g_assert_cmpuint(n_open, ==, 12);
}

static void
test_tokens(Fixture *fix, gconstpointer data)
{
    const char *app = call(fix, "POST", "/api/public/v1/applications", "{\"name\":\"ci\"}", 200);
    const char *id = member(fix, app, "clientId"), *secret = member(fix, app, "clientSecret");
    const char *form[] = {"Content-Type", "application/x-www-form-urlencoded", NULL};
    const char *body =
        format(fix, "client_id=%s&client_secret=%s&grant_type=client_credentials", id, secret);
    const char *answer = call_with(fix, form, "POST", "/applications/token", body, 200);
    g_assert_cmpstr(member(fix, answer, "token_type"), ==, "Bearer");
    g_assert_cmpstr(member(fix, answer, "expires_in"), ==, "900");
    const char *token = member(fix, answer, "access_token");
    body = format(fix, "{\"client_id\":\"%s\",\"client_secret\":\"%s\"}", id, secret);
    call(fix, "POST", "/api/public/v1/applications/token", body, 200);
    body = format(fix, "{\"client_id\":\"%s\",\"client_secret\":\"wrong\"}", id);
    call(fix, "POST", "/v1/applications/token", body, 401);
    assert_has(call(fix, "POST", "/v1/applications/token", "{}", 400), "client_id");

    const char *good[] = {"Authorization", format(fix, "Bearer %s", token), NULL};
    const char *bad[] = {"Authorization", format(fix, "Bearer %sx", token), NULL};
    const char *basic[] = {"Authorization", "Basic eDp5", NULL};
    call_with(fix, good, "GET", "/api/public/v1/workspaces", NULL, 200);
    call_with(fix, bad, "GET", "/api/public/v1/workspaces", NULL, 401);
    call_with(fix, basic, "GET", "/api/public/v1/workspaces", NULL, 401);

    const char *list = call(fix, "GET", "/api/public/v1/applications", NULL, 200);
    assert_has(list, id);
    assert_has(list, secret);
    const char *path = format(fix, "/api/public/v1/applications/%s", member(fix, app, "id"));
    call(fix, "DELETE", path, NULL, 200);
    call(fix, "GET", path, NULL, 404);
    call_with(fix, good, "GET", "/api/public/v1/workspaces", NULL, 401);
}

static gboolean
accepts(const Server *server, const char *token, gint64 now)
{
    ServerCaller caller = {0};
    gboolean ok = server_token_check(server, token, now, &caller, NULL);
    g_assert_cmpint(ok, ==, caller.user_id != NULL);
    server_caller_clear(&caller);
    return ok;
}

static void
test_token_time(void)
{
    Server server = {.token_key = g_bytes_new_static("key", 3), .public_url = (char *)"http://x"};
    Server other = {.token_key = g_bytes_new_static("yek", 3), .public_url = (char *)"http://x"};
    gint64 now = FIXTURE_NOW, end = now + 900 * (gint64)G_USEC_PER_SEC;
    g_autofree char *token =
        server_token_make(&server, SERVER_DEFAULT_USER, NULL, NULL, now, end - now);
    g_assert_true(accepts(&server, token, now));
    g_assert_true(accepts(&server, token, end - 1));
    g_assert_false(accepts(&server, token, end));
    g_assert_false(accepts(&other, token, now));
    for (gsize i = 0; i < strlen(token); i++) { /* any other byte, any shorter text */
        g_autofree char *changed = g_strdup(token);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        g_assert_false(accepts(&server, changed, now));
        changed[i] = '\0';
        g_assert_false(accepts(&server, changed, now));
    }
    /* "alg": "none" */
    g_assert_false(accepts(&server, "eyJhbGciOiJub25lIn0.eyJleHAiOjk5OTk5OTk5OTl9.", now));
    g_bytes_unref(server.token_key);
    g_bytes_unref(other.token_key);
}

/* Long answers are compressed for who says that he takes it, and are the same. */
static void
test_compressed(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *accept, *path;
        gboolean coded, varies;
    } cases[] = {
        {"gzip, deflate, br", "/api/public/v1/workspaces?limit=100", TRUE, TRUE},
        {"br", "/api/public/v1/workspaces?limit=100", FALSE, TRUE},
        {"gzip;q=0", "/api/public/v1/workspaces?limit=100", FALSE, TRUE},
        {"gzip", "/api/v1/health", FALSE, FALSE},
        {"gzip", "/nothing", FALSE, FALSE},
    };
    queue_fixture_script(fix->server.db,
                         "insert into workspace (workspace_id, organization_id, name, created_at)"
                         " select gen_random_uuid(), organization_id, 'n' || i, now()"
                         " from organization, generate_series(1, 50) i");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *headers[] = {"Accept-Encoding", cases[i].accept, NULL};
        g_autoptr(SlHttpUnixReply) plain = NULL;
        g_autoptr(SlHttpUnixReply) coded = NULL;
        g_autoptr(GError) error = NULL;
        gint64 deadline = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
        g_test_message("%s, %s", cases[i].accept, cases[i].path);
        sl_http_unix_request(fix->client, "GET", cases[i].path, NULL, NULL, deadline, NULL, &plain,
                             &error);
        g_assert_no_error(error);
        sl_http_unix_request(fix->client, "GET", cases[i].path, headers, NULL, deadline, NULL,
                             &coded, &error);
        g_assert_no_error(error);
        g_assert_null(g_hash_table_lookup(plain->headers, "content-encoding"));
        g_assert_cmpstr(g_hash_table_lookup(plain->headers, "vary"), ==,
                        cases[i].varies ? "Accept-Encoding" : NULL);
        g_assert_cmpstr(g_hash_table_lookup(coded->headers, "content-encoding"), ==,
                        cases[i].coded ? "gzip" : NULL);
        g_assert_cmpstr(g_hash_table_lookup(coded->headers, "content-type"), ==,
                        "application/json");
        if (!cases[i].coded)
            continue;
        g_assert_cmpuint(g_bytes_get_size(coded->body), <, g_bytes_get_size(plain->body) / 2);
        g_autoptr(GConverter) zlib =
            G_CONVERTER(g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP));
        gsize read, written, room = g_bytes_get_size(plain->body) + 1;
        g_autofree char *text = g_malloc(room);
        GConverterResult result = g_converter_convert(
            zlib, g_bytes_get_data(coded->body, NULL), g_bytes_get_size(coded->body), text, room,
            G_CONVERTER_INPUT_AT_END, &read, &written, &error);
        g_assert_cmpint(result, ==, G_CONVERTER_FINISHED);
        g_assert_cmpmem(text, written, g_bytes_get_data(plain->body, NULL),
                        g_bytes_get_size(plain->body));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL); /* failing jobs warn */
    g_test_add_func("/server/token-time", test_token_time);
#define CASE(name, func) g_test_add("/server/" name, Fixture, NULL, setup, func, teardown)
    CASE("compressed", test_compressed);
    CASE("frame", test_frame);
    CASE("every-operation-is-guarded", test_every_operation_is_guarded);
    CASE("tokens", test_tokens);
    return g_test_run();
}
