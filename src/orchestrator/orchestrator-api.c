/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator-api.h"

#include "sl-error.h"
#include "sl-http-unix.h"

#define BASE "/api/v1/workload/"

struct OrchestratorApi {
    SlHttpUnix *client;
    char *workload_id;
    char *path_id; /* percent-encoded */
};

OrchestratorApi *
orchestrator_api_new(const char *socket_path, const char *workload_id, const char *token)
{
    OrchestratorApi *api = g_new0(OrchestratorApi, 1);
    g_autofree char *authorization = g_strconcat("Bearer ", token, NULL);
    api->client = sl_http_unix_new(socket_path);
    sl_http_unix_set_header(api->client, "Authorization", authorization);
    sl_http_unix_set_max_body(api->client, 512 * 1024 * 1024); /* inputs hold catalogs and states */
    api->workload_id = g_strdup(workload_id);
    api->path_id = g_uri_escape_string(workload_id, NULL, FALSE);
    return api;
}

void
orchestrator_api_free(OrchestratorApi *api)
{
    if (api == NULL)
        return;
    sl_http_unix_free(api->client);
    g_free(api->workload_id);
    g_free(api->path_id);
    g_free(api);
}

void
orchestrator_api_begin_body(const OrchestratorApi *api, SlJsonWriter *w)
{
    sl_json_begin_object(w);
    sl_json_member_string(w, "workloadId", api->workload_id);
}

/* What a problem says of itself. */
static char *
problem_text(const SlHttpUnixReply *reply)
{
    gsize len;
    const char *text = g_bytes_get_data(reply->body, &len);
    g_autoptr(SlJsonDoc) doc = len > 0 ? sl_json_read(text, len, NULL, NULL) : NULL;
    const char *const keys[] = {"detail", "title", "message"};
    for (guint i = 0; doc != NULL && i < G_N_ELEMENTS(keys); i++) {
        const SlJsonNode *node = sl_json_get(doc, sl_json_root(doc), keys[i]);
        char *found = node != NULL ? sl_json_dup_string(node) : NULL;
        if (found != NULL)
            return found;
    }
    return g_strdup("no reason given");
}

static SlErrorCode
code_of_status(guint status)
{
    if (status == 410 || status == 404)
        return SL_ERROR_GONE;
    if (status == 401 || status == 403)
        return SL_ERROR_FORBIDDEN;
    if (status == 408 || status == 429 || status >= 500)
        return SL_ERROR_UNAVAILABLE;
    return SL_ERROR_INVALID;
}

static gboolean
call_api(OrchestratorApi *api, const char *method, const char *path, GBytes *body, gint64 deadline,
         GCancellable *cancellable, SlHttpUnixReply **ret, GError **error)
{
    static const char *const headers[] = {"Content-Type", "application/json", NULL};
    g_autoptr(SlHttpUnixReply) reply = NULL;
    if (!sl_http_unix_request(api->client, method, path, body != NULL ? headers : NULL, body,
                              deadline, cancellable, &reply, error)) {
        g_prefix_error(error, "workload API, %s %s: ", method, path);
        return FALSE;
    }
    if (reply->status < 200 || reply->status > 299) {
        g_autofree char *text = problem_text(reply);
        return sl_error_set(error, code_of_status(reply->status),
                            "workload API, %s %s: status %u: %s", method, path, reply->status,
                            text);
    }
    if (ret != NULL)
        *ret = g_steal_pointer(&reply);
    return TRUE;
}

GBytes *
orchestrator_api_get_input(OrchestratorApi *api, gint64 deadline, GError **error)
{
    g_autofree char *path = g_strconcat(BASE, api->path_id, "/input", NULL);
    g_autoptr(SlHttpUnixReply) reply = NULL;
    if (!call_api(api, "GET", path, NULL, deadline, NULL, &reply, error))
        return NULL;
    return g_bytes_ref(reply->body);
}

gboolean
orchestrator_api_beat(OrchestratorApi *api, const char *call, gint64 deadline,
                      GCancellable *cancellable, gboolean *ret_cancel, GError **error)
{
    g_autofree char *path = g_strconcat(BASE, call, NULL);
    g_autoptr(SlHttpUnixReply) reply = NULL;
    GString *text = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(text);
    gsize len;

    orchestrator_api_begin_body(api, &w);
    sl_json_end_object(&w);
    g_autoptr(GBytes) body = g_string_free_to_bytes(text);
    if (!call_api(api, "PUT", path, body, deadline, cancellable, &reply, error))
        return FALSE;
    *ret_cancel = FALSE;
    const char *answer = g_bytes_get_data(reply->body, &len);
    g_autoptr(SlJsonDoc) doc = len > 0 ? sl_json_read(answer, len, NULL, NULL) : NULL;
    const SlJsonNode *cancel =
        doc != NULL ? sl_json_get(doc, sl_json_root(doc), "cancelRequested") : NULL;
    if (cancel != NULL)
        sl_json_get_boolean(cancel, ret_cancel);
    return TRUE;
}

gboolean
orchestrator_api_commit(OrchestratorApi *api, GBytes *body, gint64 deadline,
                        GCancellable *cancellable, GError **error)
{
    g_autofree char *path = g_strconcat(BASE, api->path_id, "/commit", NULL);
    return call_api(api, "POST", path, body, deadline, cancellable, NULL, error);
}

gboolean
orchestrator_api_finish(OrchestratorApi *api, const char *call, GBytes *body, gint64 deadline,
                        GCancellable *cancellable, GError **error)
{
    g_autofree char *path = g_strconcat(BASE, call, NULL);
    return call_api(api, "PUT", path, body, deadline, cancellable, NULL, error);
}
