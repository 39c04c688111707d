/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "workload-api-http.h"

#include <string.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-http-router.h"
#include "sl-log.h"
#include "sl-problem.h"

#define BASE "/api/v1/workload"
#define TRIES 5 /* of a transaction that lost a race */

struct WorkloadApi {
    const SlConfig *config;
    SlDb *db;
    SlSealKey *key;
    uid_t holder_uid;
    SlHttpRouter *router;
    GPtrArray *paths; /* of the routes */
    GArray *routes;   /* SlHttpRoute */
};

WorkloadApi *
workload_api_new(const SlConfig *config, SlDb *db, SlSealKey *key, uid_t holder_uid, GError **error)
{
    g_autoptr(WorkloadApi) api = g_new0(WorkloadApi, 1);
    api->config = config;
    api->db = sl_db_ref(db);
    api->key = key;
    api->holder_uid = holder_uid;
    api->router = sl_http_router_new();
    api->paths = g_ptr_array_new_with_free_func(g_free);
    api->routes = g_array_new(FALSE, FALSE, sizeof(SlHttpRoute));
    for (guint i = 0; i < workload_api_n_ops; i++) {
        const WorkloadApiOp *op = &workload_api_ops[i];
        char *path = g_strconcat(BASE, op->path, NULL);
        SlHttpRoute route = {op->method, path, op};
        g_ptr_array_add(api->paths, path);
        g_array_append_val(api->routes, route);
    }
    if (!sl_http_router_add(api->router, (const SlHttpRoute *)(gpointer)api->routes->data,
                            api->routes->len, error))
        return NULL;
    return g_steal_pointer(&api);
}

void
workload_api_free(WorkloadApi *api)
{
    if (api == NULL)
        return;
    sl_http_router_free(api->router);
    g_ptr_array_unref(api->paths);
    g_array_unref(api->routes);
    sl_seal_key_free(api->key);
    sl_db_unref(api->db);
    g_free(api);
}

/* --- one request ----------------------------------------------------------------------------- */

static gboolean
check_peer(const WorkloadApi *api, const WorkloadApiOp *op, const SlHttpPeer *peer, GError **error)
{
    if (!peer->local)
        return sl_error_set(error, SL_ERROR_FORBIDDEN,
                            "the workload API answers on its unix socket only");
    if (peer->uid == 0 || peer->uid == geteuid())
        return TRUE;
    if ((op->flags & WORKLOAD_API_HOLDER) != 0 && peer->uid == api->holder_uid)
        return TRUE;
    return sl_error_set(error, SL_ERROR_FORBIDDEN, "user %u may not call %s %s%s", (guint)peer->uid,
                        op->method, BASE, op->path);
}

static const char *
bearer_token(const SlHttpRequest *request)
{
    const char *header = sl_http_request_get_header(request, "authorization");
    if (header == NULL || g_ascii_strncasecmp(header, "Bearer ", 7) != 0)
        return NULL;
    return header + 7 + strspn(header + 7, " ");
}

static SlWorkloadCall *
parse_body(const SlHttpRequest *request, GError **error)
{
    gsize len;
    const char *text = g_bytes_get_data(request->body, &len);
    if (len == 0)
        return sl_workload_call_new();
    return sl_record_parse_text(&sl_workload_call_record, text, len, error);
}

static gboolean
check_needs(const WorkloadApiOp *op, const WorkloadApiCall *call, GError **error)
{
    if ((op->flags & WORKLOAD_API_NEEDS_ID) != 0 && call->workload_id == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "workloadId: is required");
    if ((op->flags & WORKLOAD_API_NEEDS_TOKEN) != 0 && call->token == NULL)
        return sl_error_set(error, SL_ERROR_UNAUTHENTICATED,
                            "a token is required: 'Authorization: Bearer TOKEN'");
    return TRUE;
}

/* The call in its transaction; again when it lost a race. */
static gboolean
run_op(const WorkloadApi *api, const WorkloadApiOp *op, WorkloadApiCall *call, GString *out,
       GError **error)
{
    for (int try = 1;; try++) {
        g_autoptr(GError) reason = NULL;
        g_autoptr(SlTx) tx = sl_db_begin(api->db, FALSE, &reason);
        g_string_truncate(out, 0);
        call->tx = tx;
        call->now = g_get_real_time();
        if (tx != NULL && op->run(call, out, &reason) && sl_tx_commit(tx, &reason))
            return TRUE;
        if (try >= TRIES || !g_error_matches(reason, SL_ERROR, SL_ERROR_SERIALIZATION)) {
            g_propagate_error(error, g_steal_pointer(&reason));
            return FALSE;
        }
    }
}

static gboolean
handle_op(const WorkloadApi *api, const WorkloadApiOp *op, const SlHttpRequest *request,
          const SlHttpMatch *match, GString *out, GError **error)
{
    const char *path_id = sl_http_match_get(match, "workloadId");
    const char *token = bearer_token(request);
    if (!check_peer(api, op, &request->peer, error))
        return FALSE;
    g_autoptr(SlWorkloadCall) body = parse_body(request, error);
    if (body == NULL)
        return FALSE;
    WorkloadApiCall call = {
        .config = api->config,
        .key = api->key,
        .workload_id = path_id != NULL ? path_id : body->workload_id,
        .token = token != NULL ? token : body->token,
        .body = body,
    };
    g_auto(SlLogScope) scope = sl_log_scope(SL_LOG_WORKLOAD_ID, call.workload_id);
    return check_needs(op, &call, error) && run_op(api, op, &call, out, error);
}

static void
reply_no_route(SlHttpReply *reply, SlHttpMatchResult result, const char *allow)
{
    if (result == SL_HTTP_MATCH_NO_METHOD) {
        sl_http_reply_set_text(
            reply, 405, SL_PROBLEM_CONTENT_TYPE,
            sl_problem_print_status(405, "method-not-allowed", "this call has another method"));
        sl_http_reply_add_header(reply, "Allow", allow);
        return;
    }
    g_autoptr(GError) error = g_error_new(
        SL_ERROR, result == SL_HTTP_MATCH_BAD_PATH ? SL_ERROR_INVALID : SL_ERROR_NOT_FOUND, "%s",
        result == SL_HTTP_MATCH_BAD_PATH ? "the path cannot be read" : "there is no such call");
    sl_http_reply_set_error(reply, error);
}

/* A failure of ours is logged here, at the top; a caller's mistake is the caller's to log. */
static void
log_failure(const SlHttpRequest *request, const GError *error)
{
    if (sl_error_info_for(error)->http_status >= 500)
        g_warning("%s %s: %s", request->method, request->path, error->message);
    else
        g_debug("%s %s: %s", request->method, request->path, error->message);
}

void
workload_api_handle(SlHttpRequest *request, SlHttpReply *reply, gpointer data)
{
    const WorkloadApi *api = data;
    g_auto(SlHttpMatch) match = {0};
    g_autofree char *allow = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    SlHttpMatchResult found =
        sl_http_router_match(api->router, request->method, request->path, &match, &allow);
    if (found != SL_HTTP_MATCH_OK) {
        reply_no_route(reply, found, allow);
        return;
    }
    if (!handle_op(api, match.route->target, request, &match, out, &error)) {
        log_failure(request, error);
        sl_http_reply_set_error(reply, error);
        return;
    }
    gboolean empty = out->len == 0;
    g_autoptr(GBytes) bytes = g_string_free_to_bytes(g_steal_pointer(&out));
    sl_http_reply_set(reply, empty ? 204 : 200, empty ? NULL : "application/json", bytes);
}
