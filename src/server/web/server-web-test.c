/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-web.h"

#include <glib/gstdio.h>
#include <string.h>

#include "server-fixture.h"
#include "sl-http-unix.h"

#define PAGE "<!doctype html>page"
#define CODE "console.log(1)"

static const struct {
    const char *name, *text;
} files[] = {
    {"index.html", PAGE},
    {"index.html.gz", "PAGE-GZ"},
    {"index.html.br", "PAGE-BR"},
    {"favicon.svg", "<svg/>"},
    {"private.key", "secret"},
    {"assets/main-ABC.js", CODE},
    {"assets/main-ABC.js.gz", "CODE-GZ"},
    {"assets/de-XYZ.json", "{}"},
};

static char *
make_folder(void)
{
    g_autoptr(GError) error = NULL;
    char *folder = g_dir_make_tmp("web-XXXXXX", &error);
    g_assert_no_error(error);
    g_autofree char *assets = g_build_filename(folder, "assets", NULL);
    g_assert_no_errno(g_mkdir(assets, 0700));
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(folder, files[i].name, NULL);
        g_file_set_contents(path, files[i].text, -1, &error);
        g_assert_no_error(error);
    }
    return folder;
}

static void
remove_folder(char *folder)
{
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(folder, files[i].name, NULL);
        g_unlink(path);
    }
    g_autofree char *assets = g_build_filename(folder, "assets", NULL);
    g_assert_no_errno(g_rmdir(assets));
    g_assert_no_errno(g_rmdir(folder));
    g_free(folder);
}

static void
setup_page(Fixture *fix, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    setup(fix, data);
    g_autofree char *folder = make_folder();
    fix->server.web = server_web_new(folder, &error);
    g_assert_no_error(error);
    g_assert_nonnull(fix->server.web);
    remove_folder(g_steal_pointer(&folder)); /* nothing is looked for later */
}

static SlHttpUnixReply *
ask(Fixture *fix, const char *const *headers, const char *method, const char *path)
{
    SlHttpUnixReply *reply = NULL;
    g_autoptr(GError) error = NULL;
    sl_http_unix_request(fix->client, method, path, headers, NULL,
                         g_get_monotonic_time() + 20 * G_USEC_PER_SEC, NULL, &reply, &error);
    g_assert_no_error(error);
    return reply;
}

static const char *
header(const SlHttpUnixReply *reply, const char *name)
{
    return g_hash_table_lookup(reply->headers, name);
}

static gboolean
is_body(const SlHttpUnixReply *reply, const char *text)
{
    gsize size;
    const char *bytes = g_bytes_get_data(reply->body, &size);
    return size == strlen(text) && (size == 0 || memcmp(bytes, text, size) == 0);
}

/* --- what is answered ------------------------------------------------------------------------- */

static const struct {
    const char *method, *path, *accept, *encoding;
    guint status;
    const char *body; /* NULL: a problem */
    const char *type, *coding, *cache;
} cases[] = {
#define HTML "text/html; charset=utf-8"
#define SCRIPT "text/javascript; charset=utf-8"
#define FOREVER "public, max-age=31536000, immutable"
    {"GET", "/", NULL, NULL, 200, PAGE, HTML, NULL, "no-cache"},
    {"GET", "/", "*/*", "gzip", 200, "PAGE-GZ", HTML, "gzip", "no-cache"},
    {"GET", "/", "*/*", "gzip, deflate, br", 200, "PAGE-BR", HTML, "br", "no-cache"},
    {"GET", "/", "*/*", "br;q=0, GZIP;q=0.5", 200, "PAGE-GZ", HTML, "gzip", "no-cache"},
    {"GET", "/", "*/*", "identity, zstd", 200, PAGE, HTML, NULL, "no-cache"},
    {"HEAD", "/", NULL, NULL, 200, "", HTML, NULL, "no-cache"},
    {"GET", "/index.html", NULL, NULL, 200, PAGE, HTML, NULL, "no-cache"},
    {"GET", "/favicon.svg", NULL, "br, gzip", 200, "<svg/>", "image/svg+xml", NULL, "no-cache"},
    {"GET", "/assets/main-ABC.js", "*/*", NULL, 200, CODE, SCRIPT, NULL, FOREVER},
    {"GET", "/assets/main-ABC.js", "*/*", "br, gzip", 200, "CODE-GZ", SCRIPT, "gzip", FOREVER},
    {"GET", "/assets/de-XYZ.json", "*/*", NULL, 200, "{}", "application/json", NULL, FOREVER},
    /* what a browser navigates to is the page's */
    {"GET", "/connections/17", "text/html,*/*", NULL, 200, PAGE, HTML, NULL, "no-cache"},
    {"GET", "/setup", "application/xml, text/html", NULL, 200, PAGE, HTML, NULL, "no-cache"},
    {"GET", "/connections/17", "application/json", NULL, 404, NULL, NULL, NULL, NULL},
    {"GET", "/connections/17", NULL, NULL, 404, NULL, NULL, NULL, NULL},
    {"GET", "/nothing.js", "text/html", NULL, 404, NULL, NULL, NULL, NULL},
    {"GET", "/assets/nothing", "text/html", NULL, 404, NULL, NULL, NULL, NULL},
    {"GET", "/assets/main-OLD.js", "text/html", NULL, 404, NULL, NULL, NULL, NULL},
    {"GET", "/assets/", "text/html", NULL, 404, NULL, NULL, NULL, NULL},
    /* the APIs speak JSON to everybody */
    {"GET", "/api/v1/nothing", "text/html", NULL, 404, NULL, NULL, NULL, NULL},
    {"GET", "/v1/nothing", "text/html", NULL, 404, NULL, NULL, NULL, NULL},
    /* no name from outside is a file's */
    {"GET", "/private.key", "text/html", NULL, 404, NULL, NULL, NULL, NULL},
    {"GET", "/index.html.gz", "*/*", NULL, 404, NULL, NULL, NULL, NULL},
    {"GET", "/assets/../index.html", "*/*", NULL, 200, PAGE, HTML, NULL, "no-cache"},
    {"GET", "/../private.key", "*/*", NULL, 404, NULL, NULL, NULL, NULL},
    {"GET", "/assets/%2e%2e/index.html", "*/*", NULL, 200, PAGE, HTML, NULL, "no-cache"},
    {"POST", "/", "text/html", NULL, 405, NULL, NULL, NULL, NULL},
    {"DELETE", "/assets/main-ABC.js", NULL, NULL, 405, NULL, NULL, NULL, NULL},
};

static void
test_answers(Fixture *fix, gconstpointer data)
{
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *headers[5] = {NULL};
        guint n = 0;
        if (cases[i].accept != NULL)
            headers[n++] = "Accept", headers[n++] = cases[i].accept;
        if (cases[i].encoding != NULL)
            headers[n++] = "Accept-Encoding", headers[n++] = cases[i].encoding;
        g_autoptr(SlHttpUnixReply) reply = ask(fix, headers, cases[i].method, cases[i].path);
        g_test_message("%s %s", cases[i].method, cases[i].path);
        g_assert_cmpuint(reply->status, ==, cases[i].status);
        if (reply->status == 405)
            g_assert_cmpstr(header(reply, "allow"), ==, "GET, HEAD");
        if (cases[i].body == NULL) {
            g_assert_cmpstr(header(reply, "content-type"), ==, "application/json");
            g_assert_null(header(reply, "content-security-policy"));
            continue;
        }
        g_assert_true(is_body(reply, cases[i].body));
        g_assert_cmpstr(header(reply, "content-type"), ==, cases[i].type);
        g_assert_cmpstr(header(reply, "content-encoding"), ==, cases[i].coding);
        g_assert_cmpstr(header(reply, "cache-control"), ==, cases[i].cache);
        g_assert_cmpstr(header(reply, "vary"), ==, "Accept-Encoding");
        g_assert_cmpstr(header(reply, "x-content-type-options"), ==, "nosniff");
    }
}

static void
test_policy(Fixture *fix, gconstpointer data)
{
    static const char *const must[] = {"default-src 'none'", "script-src 'self'",
                                       "frame-ancestors 'none'", "base-uri 'none'",
                                       "trusted-types sluice"};
    static const char *const never[] = {"unsafe", "http:", "https:", "*", "wasm"};
    g_autoptr(SlHttpUnixReply) reply = ask(fix, NULL, "GET", "/");
    const char *policy = header(reply, "content-security-policy");
    for (guint i = 0; i < G_N_ELEMENTS(must); i++)
        assert_has(policy, must[i]);
    for (guint i = 0; i < G_N_ELEMENTS(never); i++)
        assert_lacks(policy, never[i]);
}

/* A tag is good for one coding only, and weak comparison is enough. */
static void
test_tags(Fixture *fix, gconstpointer data)
{
    const char *gzip[] = {"Accept-Encoding", "gzip", NULL};
    g_autoptr(SlHttpUnixReply) plain = ask(fix, NULL, "GET", "/");
    g_autoptr(SlHttpUnixReply) coded = ask(fix, gzip, "GET", "/");
    const char *tag = header(plain, "etag");
    g_assert_cmpstr(tag, !=, header(coded, "etag"));
    g_assert_true(tag[0] == '"' && g_str_has_suffix(tag, "\""));
    const struct {
        const char *encoding, *tag;
        guint status;
    } tries[] = {
        {"identity", tag, 304},
        {"identity", format(fix, "W/%s", tag), 304},
        {"identity", format(fix, "\"x\", %s", tag), 304},
        {"identity", "*", 304},
        {"identity", "\"x\"", 200},
        {"identity", header(coded, "etag"), 200},
        {"gzip", header(coded, "etag"), 304},
        {"gzip", tag, 200},
    };
    for (guint i = 0; i < G_N_ELEMENTS(tries); i++) {
        const char *headers[] = {"Accept-Encoding", tries[i].encoding, "If-None-Match",
                                 tries[i].tag, NULL};
        g_autoptr(SlHttpUnixReply) reply = ask(fix, headers, "GET", "/");
        g_assert_cmpuint(reply->status, ==, tries[i].status);
        g_assert_nonnull(header(reply, "etag"));
        g_assert_cmpuint(g_bytes_get_size(reply->body) > 0, ==, reply->status == 200);
    }
}

/* The API is not in the page's way, nor it in the API's. */
static void
test_beside_the_api(Fixture *fix, gconstpointer data)
{
    const char *browser[] = {"Accept", "text/html", NULL};
    call_with(fix, browser, "GET", "/api/public/v1/health", NULL, 200);
    call_with(fix, browser, "GET", "/openapi.json", NULL, 200);
    call_with(fix, browser, "PUT", "/api/public/v1/sources", "{}", 405);
    for (guint i = 0; i < 50; i++) { /* on one connection */
        g_autoptr(SlHttpUnixReply) reply = ask(fix, browser, "GET", "/connections");
        g_assert_true(is_body(reply, PAGE));
    }
}

static void
test_folders(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(server_web_new("/nonexistent", &error));
    g_assert_no_error(error);
    char *folder = make_folder();
    g_autofree char *index = g_build_filename(folder, "index.html", NULL);
    g_unlink(index);
    g_assert_null(server_web_new(folder, &error));
    g_assert_no_error(error);
    remove_folder(folder);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
    g_test_add_func("/server/web/folders", test_folders);
#define CASE(name, func) g_test_add("/server/web/" name, Fixture, NULL, setup_page, func, teardown)
    CASE("answers", test_answers);
    CASE("policy", test_policy);
    CASE("tags", test_tags);
    CASE("beside-the-api", test_beside_the_api);
    return g_test_run();
}
