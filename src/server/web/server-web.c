/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-web.h"

#include <string.h>

#include "server-reply.h"
#include "sl-error.h"
#include "sl-http-coding.h"

#define INDEX "/index.html"
#define ASSETS "/assets/"

/* Everything comes from us, nothing is inline, and no text becomes markup. */
#define POLICY                                                                                     \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "              \
    "connect-src 'self'; font-src 'self'; worker-src 'self'; manifest-src 'self'; "                \
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "                                \
    "require-trusted-types-for 'script'; trusted-types sluice"

/* In the order in which they are taken when a client takes several. */
static const struct {
    const char *suffix;
    const char *name; /* of the content coding; NULL: as it is */
} encodings[] = {{".br", "br"}, {".gz", "gzip"}, {"", NULL}};
#define N_ENCODINGS G_N_ELEMENTS(encodings)
#define PLAIN (N_ENCODINGS - 1)

static const struct {
    const char *suffix, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".txt", "text/plain; charset=utf-8"},
    {".webmanifest", "application/manifest+json"},
};

typedef struct {
    const char *type;
    char *hash;                /* of the plain bytes */
    GBytes *body[N_ENCODINGS]; /* NULL: not there in this coding */
} File;

struct ServerWeb {
    GHashTable *files; /* path of the address → File */
};

static void
file_free(gpointer data)
{
    File *file = data;
    for (guint i = 0; i < N_ENCODINGS; i++)
        g_clear_pointer(&file->body[i], g_bytes_unref);
    g_free(file->hash);
    g_free(file);
}

/* --- reading ---------------------------------------------------------------------------------- */

static const char *
find_type(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(types); i++)
        if (g_str_has_suffix(name, types[i].suffix))
            return types[i].type;
    return NULL;
}

/* Mapped: what nobody asks for costs no memory. */
static GBytes *
map_file(const char *path, GError **error)
{
    g_autoptr(GMappedFile) map = g_mapped_file_new(path, FALSE, error);
    return map != NULL ? g_mapped_file_get_bytes(map) : NULL;
}

static gboolean
add_file(ServerWeb *web, const char *path, const char *address, const char *type, GError **error)
{
    File *file = g_new0(File, 1);
    g_hash_table_insert(web->files, g_strdup(address), file);
    file->type = type;
    for (guint i = 0; i < N_ENCODINGS; i++) {
        g_autofree char *coded = g_strconcat(path, encodings[i].suffix, NULL);
        if (i != PLAIN && !g_file_test(coded, G_FILE_TEST_IS_REGULAR))
            continue;
        file->body[i] = map_file(coded, error);
        if (file->body[i] == NULL)
            return FALSE;
    }
    g_autofree char *hash = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, file->body[PLAIN]);
    file->hash = g_strndup(hash, 20);
    return TRUE;
}

static gboolean
read_folder(ServerWeb *web, const char *folder, const char *address, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, error);
    if (dir == NULL)
        return FALSE;
    for (const char *name = g_dir_read_name(dir); name != NULL; name = g_dir_read_name(dir)) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *at = g_strconcat(address, "/", name, NULL);
        const char *type = find_type(name);
        gboolean is_folder = g_file_test(path, G_FILE_TEST_IS_DIR);
        if (is_folder ? !read_folder(web, path, at, error)
                      : type != NULL && !add_file(web, path, at, type, error))
            return FALSE;
    }
    return TRUE;
}

ServerWeb *
server_web_new(const char *folder, GError **error)
{
    g_autofree char *index = g_strconcat(folder, INDEX, NULL);
    if (!g_file_test(index, G_FILE_TEST_IS_REGULAR))
        return NULL;
    g_autoptr(ServerWeb) web = g_new0(ServerWeb, 1);
    web->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, file_free);
    if (!read_folder(web, folder, "", error)) {
        g_prefix_error(error, "the page in '%s': ", folder);
        return NULL;
    }
    return g_steal_pointer(&web);
}

void
server_web_free(ServerWeb *web)
{
    if (web == NULL)
        return;
    g_hash_table_unref(web->files);
    g_free(web);
}

/* --- answering -------------------------------------------------------------------------------- */

static guint
choose_encoding(const File *file, const SlHttpRequest *request)
{
    const char *header = sl_http_request_get_header(request, "Accept-Encoding");
    guint i = 0;
    while (i < PLAIN &&
           (file->body[i] == NULL || !sl_http_coding_is_taken(header, encodings[i].name)))
        i++;
    return i;
}

/* If-None-Match compares weakly: W/ does not matter. */
static gboolean
is_known(const SlHttpRequest *request, const char *tag)
{
    const char *header = sl_http_request_get_header(request, "If-None-Match");
    g_auto(GStrv) items = g_strsplit(header != NULL ? header : "", ",", -1);
    for (char **item = items; *item != NULL; item++) {
        const char *text = g_strstrip(*item);
        if (strcmp(text, "*") == 0 ||
            strcmp(g_str_has_prefix(text, "W/") ? text + 2 : text, tag) == 0)
            return TRUE;
    }
    return FALSE;
}

static void
answer(const File *file, gboolean is_asset, const SlHttpRequest *request, SlHttpReply *reply)
{
    guint i = choose_encoding(file, request);
    const char *coding = encodings[i].name;
    g_autofree char *tag = g_strdup_printf("\"%s%s%s\"", file->hash, coding != NULL ? "-" : "",
                                           coding != NULL ? coding : "");
    if (is_known(request, tag))
        sl_http_reply_set(reply, 304, NULL, NULL);
    else {
        sl_http_reply_set(reply, 200, file->type, file->body[i]);
        if (coding != NULL)
            sl_http_reply_add_header(reply, "Content-Encoding", coding);
    }
    sl_http_reply_add_header(reply, "ETag", tag);
    sl_http_reply_add_header(reply, "Vary", "Accept-Encoding");
    sl_http_reply_add_header(reply, "Cache-Control",
                             is_asset ? "public, max-age=31536000, immutable" : "no-cache");
    sl_http_reply_add_header(reply, "Content-Security-Policy", POLICY);
    sl_http_reply_add_header(reply, "X-Content-Type-Options", "nosniff");
    sl_http_reply_add_header(reply, "Referrer-Policy", "same-origin");
    sl_http_reply_add_header(reply, "Cross-Origin-Opener-Policy", "same-origin");
    sl_http_reply_add_header(reply, "Cross-Origin-Resource-Policy", "same-origin");
}

/* An address that a person went to and that the page's own router knows: no name of a file, and
 * nothing below the APIs, whose clients want to hear that there is no such thing. */
static gboolean
is_navigation(const SlHttpRequest *request)
{
    static const char *const ours[] = {"/api/", "/v1/", ASSETS};
    const char *accept = sl_http_request_get_header(request, "Accept");
    const char *last = strrchr(request->path, '/');
    for (guint i = 0; i < G_N_ELEMENTS(ours); i++)
        if (g_str_has_prefix(request->path, ours[i]))
            return FALSE;
    return accept != NULL && strstr(accept, "text/html") != NULL && last != NULL &&
           strchr(last, '.') == NULL;
}

gboolean
server_web_handle(const ServerWeb *web, const SlHttpRequest *request, SlHttpReply *reply)
{
    const File *file = g_hash_table_lookup(web->files, request->path);
    gboolean reads = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    if (file == NULL && (strcmp(request->path, "/") == 0 || is_navigation(request)))
        file = g_hash_table_lookup(web->files, INDEX);
    if (file == NULL)
        return FALSE;
    if (reads) {
        answer(file, g_str_has_prefix(request->path, ASSETS), request, reply);
        return TRUE;
    }
    server_reply_status(request, reply, 405, "method-not-allowed",
                        "this address does not know the method");
    sl_http_reply_add_header(reply, "Allow", "GET, HEAD");
    return TRUE;
}
