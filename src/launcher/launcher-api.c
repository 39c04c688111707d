/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "launcher-api.h"

#include "sl-error.h"
#include "sl-http-unix.h"
#include "sl-json-read.h"
#include "sl-json-write.h"

#define BASE "/api/v1/workload"
#define DEADLINE_USEC (30 * G_USEC_PER_SEC)

static SlErrorCode
code_from_status(guint status)
{
    static const struct {
        guint status;
        SlErrorCode code;
    } codes[] = {
        {400, SL_ERROR_INVALID},     {401, SL_ERROR_UNAUTHENTICATED}, {403, SL_ERROR_FORBIDDEN},
        {404, SL_ERROR_NOT_FOUND},   {408, SL_ERROR_TIMED_OUT},       {409, SL_ERROR_CONFLICT},
        {410, SL_ERROR_GONE},        {413, SL_ERROR_TOO_LARGE},       {422, SL_ERROR_INVALID},
        {429, SL_ERROR_BUSY},        {500, SL_ERROR_UNAVAILABLE},     {502, SL_ERROR_UNAVAILABLE},
        {503, SL_ERROR_UNAVAILABLE}, {504, SL_ERROR_TIMED_OUT},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(codes); i++)
        if (codes[i].status == status)
            return codes[i].code;
    return SL_ERROR_PROTOCOL;
}

/* RFC 9457: `detail` says it, `title` if there is nothing else. */
static void
set_problem(GError **error, const char *call, const SlHttpUnixReply *reply)
{
    gsize len;
    const char *body = g_bytes_get_data(reply->body, &len);
    g_autoptr(SlJsonDoc) doc = len > 0 ? sl_json_read(body, len, NULL, NULL) : NULL;
    g_autofree char *text = NULL;

    for (const char *const *key = (const char *const[]){"detail", "message", "title", NULL};
         doc != NULL && text == NULL && *key != NULL; key++) {
        const SlJsonNode *node = sl_json_get(doc, sl_json_root(doc), *key);
        if (node != NULL)
            text = sl_json_dup_string(node);
    }
    sl_error_set(error, code_from_status(reply->status), "workload API, %s: %s (HTTP %u)", call,
                 text != NULL ? text : "no explanation", reply->status);
}

/* One call; *ret_doc (if asked for) is the answer's JSON, with its own copy of the text. */
static gboolean
call(const LauncherApi *api, const char *method, const char *path, const GString *body,
     SlJsonDoc **ret_doc, GCancellable *cancellable, GError **error)
{
    static const char *const headers[] = {"Content-Type", "application/json", NULL};
    g_autoptr(SlHttpUnix) http = sl_http_unix_new(api->socket);
    g_autoptr(SlHttpUnixReply) reply = NULL;
    g_autoptr(GBytes) bytes = g_bytes_new(body->str, body->len);
    g_autofree char *url = g_strconcat(BASE, path, NULL);

    if (!sl_http_unix_request(http, method, url, headers, bytes,
                              g_get_monotonic_time() + DEADLINE_USEC, cancellable, &reply, error)) {
        g_prefix_error(error, "workload API, %s: ", path);
        return FALSE;
    }
    if (reply->status / 100 != 2) {
        set_problem(error, path, reply);
        return FALSE;
    }
    if (ret_doc == NULL)
        return TRUE;
    gsize len;
    const char *text = g_bytes_get_data(reply->body, &len);
    *ret_doc = sl_json_read_copy(text, len, NULL, error);
    if (*ret_doc == NULL)
        g_prefix_error(error, "workload API, answer of %s: ", path);
    return *ret_doc != NULL;
}

static gboolean
call_about(const LauncherApi *api, const char *path, const char *id, const char *token,
           const char *reason, GError **error)
{
    g_autoptr(GString) body = g_string_new(NULL);
    SlJsonWriter writer = SL_JSON_WRITER_INIT(body);
    sl_json_begin_object(&writer);
    sl_json_member_string(&writer, "workloadId", id);
    sl_json_member_string(&writer, "token", token);
    if (reason != NULL) {
        sl_json_member_string(&writer, "source", "launcher");
        sl_json_member_string(&writer, "reason", reason);
    }
    sl_json_end_object(&writer);
    return call(api, "PUT", path, body, NULL, NULL, error);
}

gboolean
launcher_api_launched(const LauncherApi *api, const char *id, const char *token, GError **error)
{
    return call_about(api, "/launched", id, token, NULL, error);
}

gboolean
launcher_api_release(const LauncherApi *api, const char *id, const char *token, GError **error)
{
    return call_about(api, "/release", id, token, NULL, error);
}

gboolean
launcher_api_fail(const LauncherApi *api, const char *id, const char *token, const char *reason,
                  GError **error)
{
    return call_about(api, "/failure", id, token, reason, error);
}

/* --- claiming ----------------------------------------------------------------------------------
 */

/* Sets the workload's token, or leaves it NULL when another host was faster. */
static gboolean
claim(const LauncherApi *api, LauncherWorkload *workload, GError **error)
{
    g_autoptr(GString) body = g_string_new(NULL);
    g_autoptr(SlJsonDoc) doc = NULL;
    SlJsonWriter writer = SL_JSON_WRITER_INIT(body);
    gboolean claimed = FALSE;

    sl_json_begin_object(&writer);
    sl_json_member_string(&writer, "workloadId", workload->id);
    sl_json_member_string(&writer, "dataplaneId", api->data_plane);
    sl_json_end_object(&writer);
    /* Not cancellable: an answer that is not read is a claim that nobody knows of. */
    if (!call(api, "PUT", "/claim", body, &doc, NULL, error))
        return FALSE;
    const SlJsonNode *token = sl_json_get(doc, sl_json_root(doc), "token");
    const SlJsonNode *node = sl_json_get(doc, sl_json_root(doc), "claimed");
    if (node == NULL || !sl_json_get_boolean(node, &claimed))
        return sl_error_set(error, SL_ERROR_PROTOCOL, "workload API, /claim: no 'claimed'");
    if (!claimed)
        return TRUE;
    workload->token = token != NULL ? sl_json_dup_string(token) : NULL;
    workload->claimed_at = g_get_real_time();
    if (workload->token == NULL || *workload->token == '\0')
        return sl_error_set(error, SL_ERROR_PROTOCOL, "workload API, /claim: no 'token'");
    return TRUE;
}

/* One element of /queue/poll; adds to `taken` what can be started. */
static gboolean
take_one(const LauncherApi *api, const SlJsonDoc *doc, const SlJsonNode *node, GPtrArray *taken,
         GError **error)
{
    g_autoptr(GError) fault = NULL;
    g_autoptr(LauncherWorkload) workload = launcher_workload_parse(doc, node, &fault, error);
    if (workload == NULL || !claim(api, workload, error))
        return FALSE;
    if (workload->token == NULL)
        return TRUE;
    if (fault != NULL)
        return launcher_api_fail(api, workload->id, workload->token, fault->message, error);
    g_ptr_array_add(taken, g_steal_pointer(&workload));
    return TRUE;
}

static const SlJsonNode *
workloads_of(const SlJsonDoc *doc, const char *path, GError **error)
{
    const SlJsonNode *list = sl_json_get(doc, sl_json_root(doc), "workloads");
    if (list != NULL && list->type == SL_JSON_ARRAY)
        return list;
    sl_error_set(error, SL_ERROR_PROTOCOL, "workload API, %s: no list 'workloads'", path);
    return NULL;
}

gboolean
launcher_api_take(const LauncherApi *api, guint quantity, GPtrArray **ret_workloads,
                  GCancellable *cancellable, GError **error)
{
    g_autoptr(GString) body = g_string_new(NULL);
    g_autoptr(SlJsonDoc) doc = NULL;
    SlJsonWriter writer = SL_JSON_WRITER_INIT(body);

    *ret_workloads = g_ptr_array_new_with_free_func((GDestroyNotify)launcher_workload_free);
    sl_json_begin_object(&writer);
    sl_json_member_string(&writer, "dataplaneGroup", api->group);
    sl_json_member_string(&writer, "dataplaneId", api->data_plane);
    sl_json_member_int(&writer, "quantity", quantity);
    sl_json_end_object(&writer);
    if (!call(api, "POST", "/queue/poll", body, &doc, cancellable, error))
        return FALSE;
    const SlJsonNode *list = workloads_of(doc, "/queue/poll", error);
    if (list == NULL)
        return FALSE;
    SL_JSON_FOREACH (doc, list, node) {
        if (g_cancellable_is_cancelled(cancellable))
            return TRUE;
        if (!take_one(api, doc, node, *ret_workloads, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
launcher_api_list(const LauncherApi *api, GPtrArray **ret_workloads, GCancellable *cancellable,
                  GError **error)
{
    static const char *const states[] = {"claimed", "launched", "running", NULL};
    g_autoptr(GPtrArray) held =
        g_ptr_array_new_with_free_func((GDestroyNotify)launcher_workload_free);
    g_autoptr(GString) body = g_string_new(NULL);
    g_autoptr(SlJsonDoc) doc = NULL;
    SlJsonWriter writer = SL_JSON_WRITER_INIT(body);

    sl_json_begin_object(&writer);
    sl_json_member_string(&writer, "dataplaneId", api->data_plane);
    sl_json_key(&writer, "status");
    sl_json_strings(&writer, states);
    sl_json_end_object(&writer);
    if (!call(api, "POST", "/list", body, &doc, cancellable, error))
        return FALSE;
    const SlJsonNode *list = workloads_of(doc, "/list", error);
    if (list == NULL)
        return FALSE;
    SL_JSON_FOREACH (doc, list, node) {
        /* A faulty launch keeps it from starting connectors, not from being watched. */
        LauncherWorkload *workload = launcher_workload_parse(doc, node, NULL, error);
        if (workload == NULL)
            return FALSE;
        g_ptr_array_add(held, workload);
    }
    *ret_workloads = g_steal_pointer(&held);
    return TRUE;
}
