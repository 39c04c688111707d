/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-api.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

#include "ctl-remote.h"
#include "ctl-text.h"
#include "sl-error.h"
#include "sl-time.h"

struct CtlApi {
    char *place;      /* path of the socket, or URL */
    SlHttpUnix *http; /* one of the two */
    CtlRemote *remote;
};

CtlApi *
ctl_api_new(const char *socket_path)
{
    CtlApi *api = g_new0(CtlApi, 1);
    const char *given = socket_path != NULL ? socket_path : g_getenv("SLUICE_API_SOCKET");
    api->place = g_strdup(given != NULL && *given != '\0' ? given : CTL_SOCKET);
    api->http = sl_http_unix_new(api->place);
    sl_http_unix_set_header(api->http, "Accept", "application/json");
    sl_http_unix_set_header(api->http, "User-Agent", "sluicectl/" PACKAGE_VERSION);
    return api;
}

CtlApi *
ctl_api_new_remote(const char *url)
{
    CtlApi *api = g_new0(CtlApi, 1);
    api->place = g_strdup(url);
    api->remote = ctl_remote_new(url);
    return api;
}

void
ctl_api_free(CtlApi *api)
{
    if (api == NULL)
        return;
    sl_http_unix_free(api->http);
    ctl_remote_free(api->remote);
    g_free(api->place);
    g_free(api);
}

const char *
ctl_api_get_place(const CtlApi *api)
{
    return api->place;
}

/* Says what to do about a socket that nobody answers on. */
static void
explain_unreachable(const CtlApi *api, GError **error)
{
    g_autoptr(GError) cause = g_steal_pointer(error);
    if (access(api->place, W_OK) != 0 && errno == EACCES)
        sl_error_set(error, SL_ERROR_FORBIDDEN, _("you may not use the API's socket '%s'"),
                     api->place);
    else
        sl_error_set(error, SL_ERROR_UNAVAILABLE,
                     _("cannot reach Sluice at '%s': %s\n"
                       "Is it running? 'systemctl status sluice.target' says so; "
                       "'sluicectl doctor' looks further."),
                     api->place, cause->message);
}

SlHttpUnixReply *
ctl_api_request(CtlApi *api, const char *method, const char *path, const char *body, gint64 timeout,
                GError **error)
{
    static const char *const headers[] = {"Content-Type", "application/json", NULL};
    if (api->remote != NULL)
        return ctl_remote_request(api->remote, method, path, body, timeout, error);
    g_autoptr(GBytes) bytes = body != NULL ? g_bytes_new(body, strlen(body)) : NULL;
    SlHttpUnixReply *reply = NULL;
    if (!sl_http_unix_request(api->http, method, path, body != NULL ? headers : NULL, bytes,
                              g_get_monotonic_time() + timeout, NULL, &reply, error) &&
        g_error_matches(error != NULL ? *error : NULL, SL_ERROR, SL_ERROR_UNAVAILABLE))
        explain_unreachable(api, error);
    return reply;
}

static SlErrorCode
code_for_status(guint status)
{
    static const struct {
        guint status;
        SlErrorCode code;
    } rows[] = {
        {400, SL_ERROR_INVALID},     {401, SL_ERROR_UNAUTHENTICATED},
        {403, SL_ERROR_FORBIDDEN},   {404, SL_ERROR_NOT_FOUND},
        {408, SL_ERROR_TIMED_OUT},   {409, SL_ERROR_CONFLICT},
        {413, SL_ERROR_TOO_LARGE},   {422, SL_ERROR_UNPROCESSABLE},
        {429, SL_ERROR_BUSY},        {501, SL_ERROR_NOT_IMPLEMENTED},
        {502, SL_ERROR_UNAVAILABLE}, {503, SL_ERROR_UNAVAILABLE},
        {504, SL_ERROR_TIMED_OUT},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].status == status)
            return rows[i].code;
    return SL_ERROR_FAILED;
}

/* The words of a problem (RFC 9457, Airbyte's data.message) or of the Config API's {message}. */
static char *
reply_message(const SlHttpUnixReply *reply)
{
    static const char *const members[] = {"detail", "message", "title", NULL};
    gsize len;
    const char *text = g_bytes_get_data(reply->body, &len);
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, len, NULL, NULL);
    if (doc == NULL)
        return NULL;
    const SlJsonNode *root = sl_json_root(doc);
    g_autofree char *inner = ctl_json_string(doc, sl_json_get(doc, root, "data"), "message");
    if (*inner != '\0')
        return ctl_text_clean(inner, -1);
    for (guint i = 0; members[i] != NULL; i++) {
        g_autofree char *message = ctl_json_string(doc, root, members[i]);
        if (*message != '\0')
            return ctl_text_clean(message, -1);
    }
    return root->type == SL_JSON_STRING ? sl_json_dup_string(root) : NULL;
}

gboolean
ctl_api_check_reply(const SlHttpUnixReply *reply, GError **error)
{
    if (reply->status >= 200 && reply->status < 300)
        return TRUE;
    g_autofree char *message = reply_message(reply);
    if (message != NULL)
        return sl_error_set(error, code_for_status(reply->status), "%s", message);
    return sl_error_set(error, code_for_status(reply->status), _("the server answered with %u"),
                        reply->status);
}

SlJsonDoc *
ctl_api_call(CtlApi *api, const char *method, const char *path, const char *body, gint64 timeout,
             GError **error)
{
    GError *failure = NULL;
    g_autoptr(SlHttpUnixReply) reply = ctl_api_request(api, method, path, body, timeout, &failure);
    if (reply == NULL) {
        g_propagate_error(error, failure);
        return NULL;
    }
    if (!ctl_api_check_reply(reply, error))
        return NULL;
    gsize len;
    const char *text = g_bytes_get_data(reply->body, &len);
    if (len == 0)
        return sl_json_read_copy("null", 4, NULL, error);
    SlJsonDoc *doc = sl_json_read_copy(text, len, NULL, error);
    if (doc == NULL)
        g_prefix_error(error, _("%s %s: the answer is no JSON: "), method, path);
    return doc;
}

char *
ctl_json_string(const SlJsonDoc *doc, const SlJsonNode *object, const char *key)
{
    const SlJsonNode *node = sl_json_get(doc, object, key);
    char *text = node != NULL ? sl_json_dup_string(node) : NULL;
    return text != NULL ? text : g_strdup("");
}

gint64
ctl_json_int(const SlJsonDoc *doc, const SlJsonNode *object, const char *key)
{
    gint64 value;
    const SlJsonNode *node = sl_json_get(doc, object, key);
    return node != NULL && sl_json_get_int64(node, &value) ? value : -1;
}

gboolean
ctl_json_bool(const SlJsonDoc *doc, const SlJsonNode *object, const char *key)
{
    const SlJsonNode *node = sl_json_get(doc, object, key);
    return node != NULL && node->type == SL_JSON_TRUE;
}

gint64
ctl_json_time(const SlJsonDoc *doc, const SlJsonNode *object, const char *key)
{
    gint64 value = ctl_json_int(doc, object, key);
    if (value >= 0)
        return value < G_MAXINT64 / G_USEC_PER_SEC ? value * G_USEC_PER_SEC : -1;
    g_autofree char *text = ctl_json_string(doc, object, key);
    return *text != '\0' && sl_time_parse(text, &value, NULL) ? value : -1;
}

SlJsonDoc *
ctl_json_copy(const SlJsonNode *node)
{
    return sl_json_read_copy(node->p, node->n, NULL, NULL);
}

static void
append_indent(GString *out, guint depth)
{
    g_string_append_c(out, '\n');
    for (guint i = 0; i < depth; i++)
        g_string_append(out, "  ");
}

/* Recursion is bounded by the reader's depth limit. */
static void
append_value(GString *out, const SlJsonDoc *doc, const SlJsonNode *node, guint depth)
{
    if ((node->type != SL_JSON_OBJECT && node->type != SL_JSON_ARRAY) || node->count == 0) {
        if (node->type == SL_JSON_OBJECT || node->type == SL_JSON_ARRAY)
            g_string_append(out, node->type == SL_JSON_OBJECT ? "{}" : "[]");
        else
            g_string_append_len(out, node->p, (gssize)node->n);
        return;
    }
    gboolean object = node->type == SL_JSON_OBJECT;
    gboolean first = TRUE;
    g_string_append_c(out, object ? '{' : '[');
    SL_JSON_FOREACH (doc, node, child) {
        if (!first)
            g_string_append_c(out, ',');
        first = FALSE;
        append_indent(out, depth + 1);
        if (object) {
            g_string_append_len(out, child->p, (gssize)child->n);
            g_string_append(out, ": ");
        }
        append_value(out, doc, object ? child + 1 : child, depth + 1);
    }
    append_indent(out, depth);
    g_string_append_c(out, object ? '}' : ']');
}

void
ctl_json_append_pretty(GString *out, const SlJsonDoc *doc, const SlJsonNode *node)
{
    append_value(out, doc, node, 0);
}
