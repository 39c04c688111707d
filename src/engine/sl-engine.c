/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-engine-private.h"

#include <string.h>

#include "sl-error.h"
#include "sl-http-unix.h"

#define OUR_MAJOR 1
#define OUR_MINOR 41    /* what the measurements were made with; newer engines offer it too */
#define OLDEST_MINOR 40 /* before it: no Mounts of ours by Podman, no cgroup v2 */
#define MAX_LINE (1024 * 1024)

struct _SlEngine {
    char *path;
    SlHttpUnix *http;
    const char *name;
    char *version; /* NULL: not agreed upon yet */
    guint timeout_msec;
    GCancellable *cancellable;
    GString *line; /* what has come of a stream's next line */
    const SlEngineCall *stream;
};

SlEngine *
sl_engine_new(const char *socket_path)
{
    SlEngine *engine = g_new0(SlEngine, 1);
    engine->path = g_strdup(socket_path);
    engine->http = sl_http_unix_new(socket_path);
    engine->name = "engine";
    engine->timeout_msec = 60 * 1000;
    engine->line = g_string_new(NULL);
    return engine;
}

void
sl_engine_free(SlEngine *engine)
{
    if (engine == NULL)
        return;
    sl_http_unix_free(engine->http);
    g_string_free(engine->line, TRUE);
    g_free(engine->version);
    g_free(engine->path);
    g_free(engine);
}

void
sl_engine_set_timeout(SlEngine *engine, guint msec)
{
    engine->timeout_msec = msec;
}

void
sl_engine_set_cancellable(SlEngine *engine, GCancellable *cancellable)
{
    engine->cancellable = cancellable;
}

const char *
sl_engine_get_name(SlEngine *engine)
{
    return engine->name;
}

const char *
sl_engine_get_version(SlEngine *engine)
{
    return engine->version;
}

gboolean
sl_engine_set_error(SlEngine *engine, GError **error, int code, const char *what,
                    const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    return sl_error_set(error, code, "%s at %s: %s: %s", engine->name, engine->path, what,
                        g_strchomp(text));
}

char *
sl_engine_dup_member(const SlJsonDoc *doc, const SlJsonNode *node, const char *key)
{
    char *text = sl_json_dup_string(sl_json_get(doc, node, key));
    return text != NULL ? text : g_strdup("");
}

/* --- answers ------------------------------------------------------------------------------- */

static int
code_of_status(guint status)
{
    static const struct {
        guint status;
        SlErrorCode code;
    } rows[] = {
        {400, SL_ERROR_INVALID},   {401, SL_ERROR_FORBIDDEN}, {403, SL_ERROR_FORBIDDEN},
        {404, SL_ERROR_NOT_FOUND}, {409, SL_ERROR_CONFLICT},  {503, SL_ERROR_UNAVAILABLE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].status == status)
            return rows[i].code;
    return SL_ERROR_FAILED;
}

static gboolean
fail_status(SlEngine *engine, const SlEngineCall *call, const SlHttpUnixReply *reply,
            GError **error)
{
    gsize len = 0;
    const char *text = g_bytes_get_data(reply->body, &len);
    g_autoptr(SlJsonDoc) doc = len > 0 ? sl_json_read(text, len, NULL, NULL) : NULL;
    g_autofree char *message =
        doc != NULL ? sl_engine_dup_member(doc, sl_json_root(doc), "message") : g_strdup("");
    return sl_engine_set_error(engine, error, code_of_status(reply->status), call->what, "%s (%u)",
                               *message != '\0' ? message : "no reason given", reply->status);
}

static gboolean
take_line(SlEngine *engine, const char *line, gsize len, GError **error)
{
    const SlEngineCall *call = engine->stream;
    while (len > 0 && g_ascii_isspace(line[len - 1]))
        len--;
    return len == 0 || call->line(engine, line, len, call->line_data, error);
}

/* SlHttpUnixPieceFunc */
static gboolean
take_piece(const guint8 *data, gsize len, gpointer user_data, GError **error)
{
    SlEngine *engine = user_data;
    while (len > 0) {
        const guint8 *end = memchr(data, '\n', len);
        gsize n = end != NULL ? (gsize)(end - data) + 1 : len;
        if (engine->line->len + n > MAX_LINE)
            return sl_error_set(error, SL_ERROR_TOO_LARGE, "a line of more than %d bytes",
                                MAX_LINE);
        g_string_append_len(engine->line, (const char *)data, (gssize)n);
        data += n;
        len -= n;
        if (end == NULL)
            break;
        gboolean ok = take_line(engine, engine->line->str, engine->line->len, error);
        g_string_truncate(engine->line, 0);
        if (!ok)
            return FALSE;
    }
    return TRUE;
}

static gboolean
is_accepted(const SlEngineCall *call, guint status)
{
    for (const guint *a = call->accept; a != NULL && *a != 0; a++)
        if (*a == status)
            return TRUE;
    return status >= 200 && status < 300;
}

static gboolean
read_document(SlEngine *engine, const SlEngineCall *call, const SlHttpUnixReply *reply,
              SlJsonDoc **ret, GError **error)
{
    gsize len = 0;
    const char *text = g_bytes_get_data(reply->body, &len);
    g_autoptr(GError) local = NULL;
    *ret = sl_json_read_copy(text != NULL ? text : "", len, NULL, &local);
    if (*ret == NULL)
        return sl_engine_set_error(engine, error, SL_ERROR_PROTOCOL, call->what,
                                   "the answer is no JSON: %s", local->message);
    return TRUE;
}

/* `path` with its version. */
static gboolean
exchange(SlEngine *engine, const SlEngineCall *call, const char *path, SlJsonDoc **ret,
         GError **error)
{
    g_autoptr(SlHttpUnixReply) reply = NULL;
    g_autoptr(GError) local = NULL;
    g_autoptr(GBytes) body = call->body != NULL      ? g_bytes_new(call->body, strlen(call->body))
                             : call->archive != NULL ? g_bytes_ref(call->archive)
                                                     : NULL;
    g_autoptr(GPtrArray) headers = g_ptr_array_new();
    gint64 deadline = call->deadline;

    if (!call->own_deadline && engine->timeout_msec > 0)
        deadline = g_get_monotonic_time() + (gint64)engine->timeout_msec * 1000;
    for (const char *const *h = call->headers; h != NULL && *h != NULL; h++)
        g_ptr_array_add(headers, (gpointer)*h);
    if (body != NULL) {
        g_ptr_array_add(headers, (gpointer) "Content-Type");
        g_ptr_array_add(headers,
                        (gpointer)(call->body != NULL ? "application/json" : "application/x-tar"));
    }
    g_ptr_array_add(headers, NULL);
    engine->stream = call;
    g_string_truncate(engine->line, 0);
    sl_http_unix_set_piece_func(engine->http, call->line != NULL ? take_piece : NULL, engine);
    gboolean ok =
        sl_http_unix_request(engine->http, call->method, path, (const char *const *)headers->pdata,
                             body, deadline, engine->cancellable, &reply, &local);
    /* A last line need not have an end. */
    ok = ok && take_line(engine, engine->line->str, engine->line->len, &local);
    engine->stream = NULL;
    if (!ok)
        return sl_engine_set_error(engine, error, sl_error_code(local), call->what, "%s",
                                   local->message);
    if (!is_accepted(call, reply->status))
        return fail_status(engine, call, reply, error);
    return ret == NULL || read_document(engine, call, reply, ret, error);
}

/* --- version ------------------------------------------------------------------------------- */

/* The minor number of "1.41". */
static gboolean
parse_version(const SlJsonDoc *doc, const char *key, guint64 *ret)
{
    g_autofree char *text = sl_engine_dup_member(doc, sl_json_root(doc), key);
    return g_str_has_prefix(text, "1.") &&
           g_ascii_string_to_unsigned(text + 2, 10, 0, 10000, ret, NULL);
}

static const char *
name_of(const SlJsonDoc *doc)
{
    const SlJsonNode *parts = sl_json_get(doc, sl_json_root(doc), "Components");
    SL_JSON_FOREACH (doc, parts, part) {
        g_autofree char *name = sl_engine_dup_member(doc, part, "Name");
        if (g_str_has_prefix(name, "Podman"))
            return "Podman";
    }
    return "Docker";
}

gboolean
sl_engine_connect(SlEngine *engine, GError **error)
{
    const SlEngineCall call = {.method = "GET", .what = "asking for its version"};
    g_autoptr(SlJsonDoc) doc = NULL;
    guint64 newest = 0, oldest = 0;

    if (engine->version != NULL)
        return TRUE;
    if (!exchange(engine, &call, "/version", &doc, error))
        return FALSE;
    engine->name = name_of(doc);
    if (!parse_version(doc, "ApiVersion", &newest) || !parse_version(doc, "MinAPIVersion", &oldest))
        return sl_engine_set_error(engine, error, SL_ERROR_PROTOCOL, call.what,
                                   "the answer has no versions of the API");
    /* Newer engines drop old versions: then theirs, which the calls used here still are in. */
    guint64 minor = MAX(MIN(newest, OUR_MINOR), oldest);
    if (minor < OLDEST_MINOR)
        return sl_engine_set_error(engine, error, SL_ERROR_UNAVAILABLE, call.what,
                                   "it speaks up to version 1.%" G_GUINT64_FORMAT
                                   " of the API; 1.%d is needed",
                                   newest, OLDEST_MINOR);
    engine->version = g_strdup_printf("%d.%" G_GUINT64_FORMAT, OUR_MAJOR, minor);
    return TRUE;
}

gboolean
sl_engine_call(SlEngine *engine, const SlEngineCall *call, SlJsonDoc **ret, GError **error)
{
    g_autoptr(GError) local = NULL;
    if (!sl_engine_connect(engine, &local)) {
        g_propagate_prefixed_error(error, g_steal_pointer(&local), "%s: ", call->what);
        return FALSE;
    }
    g_autofree char *path = g_strconcat("/v", engine->version, call->path, NULL);
    if (exchange(engine, call, path, ret, &local))
        return TRUE;
    /* It may come back as another version. */
    if (g_error_matches(local, SL_ERROR, SL_ERROR_UNAVAILABLE))
        g_clear_pointer(&engine->version, g_free);
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

char *
sl_engine_dup_cgroup_driver(SlEngine *engine, GError **error)
{
    const SlEngineCall call = {.method = "GET", .path = "/info", .what = "asking what it is"};
    g_autoptr(SlJsonDoc) doc = NULL;
    if (!sl_engine_call(engine, &call, &doc, error))
        return NULL;
    return sl_engine_dup_member(doc, sl_json_root(doc), "CgroupDriver");
}
