/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "server-dispatch.h"

#include <string.h>

#include "server-auth.h"
#include "server-decode.h"
#include "server-events.h"
#include "server-password.h"
#include "server-reply.h"
#include "server-routes.h"
#include "server-scope.h"
#include "server-throttle.h"
#include "server-web.h"
#include "sl-error.h"
#include "sl-event.h"

#define MAX_RUNS 5
/* A notification is a hint and can be lost: who waits for a job also looks by itself. */
#define LOOK_USEC (2 * (gint64)G_USEC_PER_SEC)

/* What a request that waits carries from one run to the next. */
typedef struct {
    gint64 job_id;
    gint64 deadline;
    GPtrArray *hashes;
} Wait;

static void
wait_free(gpointer data)
{
    Wait *wait = data;
    g_clear_pointer(&wait->hashes, g_ptr_array_unref);
    g_free(wait);
}

/* --- the table -------------------------------------------------------------------------------- */

static void
wake(const char *key, gpointer data)
{
    const Server *server = data;
    if (server->wake != NULL)
        server->wake(key, server->wake_data);
}

gboolean
server_init(Server *server, GError **error)
{
    server->events = server_events_new();
    server->throttle = server_throttle_new();
    server->hasher = server_hasher_new(server->hash_memory, wake, server, error);
    if (server->hasher == NULL)
        return FALSE;
    server->router = sl_http_router_new();
    server->routes = g_new0(SlHttpRoute, server_n_operations);
    for (guint i = 0; i < server_n_operations; i++) {
        const ServerOperation *operation = &server_operations[i];
        server->routes[i] = (SlHttpRoute){operation->method, operation->path, operation};
        if (!server_scope_is_known(operation))
            return sl_error_set(error, SL_ERROR_FAILED,
                                "%s: nothing in its input says where it takes effect",
                                operation->name);
    }
    return sl_http_router_add(server->router, server->routes, server_n_operations, error) &&
           sl_http_router_add(server->router, server_unbuilt, server_n_unbuilt, error);
}

void
server_clear(Server *server)
{
    g_clear_pointer(&server->hasher, server_hasher_free);
    g_clear_pointer(&server->throttle, server_throttle_free);
    g_clear_pointer(&server->router, sl_http_router_free);
    g_clear_pointer(&server->routes, g_free);
    g_clear_pointer(&server->events, server_events_free);
    g_clear_pointer(&server->web, server_web_free);
    g_clear_pointer(&server->db, sl_db_unref);
    g_clear_pointer(&server->seal_key, sl_seal_key_free);
    g_clear_pointer(&server->token_key, g_bytes_unref);
    g_clear_pointer(&server->public_url, g_free);
    g_clear_pointer(&server->log_folder, g_free);
    g_clear_pointer(&server->openapi, g_free);
    g_clear_pointer(&server->registry_runtimes, g_free);
}

char *
server_job_key(const char *job_id)
{
    return g_strconcat("job:", job_id, NULL);
}

gboolean
server_ctx_wait(ServerCtx *ctx, gint64 job_id, gint64 usec)
{
    if (ctx->job_id == 0)
        ctx->deadline = g_get_monotonic_time() + usec;
    ctx->job_id = job_id;
    ctx->waiting = TRUE;
    return TRUE;
}

void
server_ctx_wait_for(ServerCtx *ctx, const char *key)
{
    g_free(ctx->wait_key);
    ctx->wait_key = g_strdup(key);
    ctx->waiting = TRUE;
}

void
server_ctx_add_header(ServerCtx *ctx, const char *name, const char *value)
{
    if (ctx->headers == NULL)
        ctx->headers = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(ctx->headers, g_strdup(name));
    g_ptr_array_add(ctx->headers, g_strdup(value));
}

void
server_ctx_refuse(ServerCtx *ctx, int code, const char *message)
{
    g_clear_error(&ctx->refusal);
    sl_error_set(&ctx->refusal, (SlErrorCode)code, "%s", message);
}

/* --- one run -----------------------------------------------------------------------------------
 */

/* May the caller do this, here and now? In the handler's own transaction, so that it cannot become
 * untrue in between. */
static gboolean
authorize(ServerCtx *ctx, gconstpointer in, GError **error)
{
    return ctx->operation->intent == SERVER_INTENT_ANONYMOUS ||
           (server_auth_load(ctx, error) &&
            (ctx->waiting || server_scope_authorize(ctx, in, error)));
}

static gboolean
run_in_tx(ServerCtx *ctx, gconstpointer in, gpointer *ret, GError **error)
{
    if (!authorize(ctx, in, error))
        return FALSE;
    if (ctx->waiting)
        return TRUE;
    if (ctx->operation->tx == SERVER_TX_NONE)
        return TRUE; /* its handler runs behind the transaction */
    if (ctx->operation->tx == SERVER_TX_WRITE && ctx->caller.user_id != NULL &&
        !sl_event_set_user(ctx->tx, ctx->caller.user_id, error))
        return FALSE;
    if (!ctx->operation->run(ctx, in, ret, error))
        return FALSE;
    return ctx->waiting || !ctx->must_ask ||
           sl_error_set(error, SL_ERROR_FAILED, "%s lists without asking what its caller may see",
                        ctx->operation->name);
}

static gboolean
run_once(ServerCtx *ctx, gconstpointer in, gpointer *ret, GError **error)
{
    const ServerOperation *operation = ctx->operation;
    if (operation->tx == SERVER_TX_NONE && operation->intent == SERVER_INTENT_ANONYMOUS)
        return operation->run(ctx, in, ret, error);
    g_autoptr(SlTx) tx = sl_db_begin(ctx->server->db, operation->tx != SERVER_TX_WRITE, error);
    if (tx == NULL)
        return FALSE;
    ctx->tx = tx;
    gboolean ok = run_in_tx(ctx, in, ret, error) && sl_tx_commit(tx, error);
    ctx->tx = NULL;
    if (ok && operation->tx == SERVER_TX_NONE && !ctx->waiting) {
        g_clear_pointer(&tx, sl_tx_free); /* gives its connection back */
        ok = operation->run(ctx, in, ret, error);
    }
    if (ok && ctx->refusal != NULL) {
        g_propagate_error(error, g_steal_pointer(&ctx->refusal));
        return FALSE;
    }
    return ok;
}

/* A handler that lost a race runs again; its result of the lost run is forgotten. */
static gboolean
run(ServerCtx *ctx, gconstpointer in, gpointer *ret, GError **error)
{
    const gint64 job_id = ctx->job_id, deadline = ctx->deadline;
    for (guint i = 1;; i++) {
        g_autoptr(GError) local = NULL;
        ctx->waiting = FALSE;
        g_clear_pointer(&ctx->wait_key, g_free);
        g_clear_pointer(&ctx->headers, g_ptr_array_unref);
        g_clear_error(&ctx->refusal);
        ctx->job_id = job_id;
        ctx->deadline = deadline;
        if (run_once(ctx, in, ret, &local))
            return TRUE;
        server_result_free(ctx->operation, g_steal_pointer(ret));
        if (!g_error_matches(local, SL_ERROR, SL_ERROR_SERIALIZATION) || i == MAX_RUNS) {
            g_propagate_error(error, g_steal_pointer(&local));
            return FALSE;
        }
    }
}

/* --- one request -------------------------------------------------------------------------------
 */

static gboolean
find_operation(const Server *server, const SlHttpRequest *request, SlHttpMatch *match,
               SlHttpReply *reply)
{
    g_autofree char *allow = NULL;
    switch (sl_http_router_match(server->router, request->method, request->path, match, &allow)) {
    case SL_HTTP_MATCH_OK:
        if (match->route->target != NULL)
            return TRUE;
        server_reply_status(request, reply, 501, "not-implemented",
                            "this version does not have the operation");
        return FALSE;
    case SL_HTTP_MATCH_NO_METHOD:
        server_reply_status(request, reply, 405, "method-not-allowed",
                            "this address does not know the method");
        sl_http_reply_add_header(reply, "Allow", allow);
        return FALSE;
    case SL_HTTP_MATCH_BAD_PATH:
        server_reply_status(request, reply, 400, "bad-request", "the path is not well encoded");
        return FALSE;
    case SL_HTTP_MATCH_NO_PATH:
        break;
    }
    if (server->web != NULL && server_web_handle(server->web, request, reply))
        return FALSE;
    server_reply_status(request, reply, 404, "resource-not-found", "Object not found.");
    return FALSE;
}

/* Who is it? Without the database: whether that is still true is looked at in the transaction. */
static gboolean
identify(const SlHttpRequest *request, ServerCtx *ctx, GError **error)
{
    if (ctx->operation->intent == SERVER_INTENT_ANONYMOUS)
        return TRUE; /* a bad token does not keep anybody from asking for a good one */
    if (!server_auth_identify(ctx->server, request, ctx->now, &ctx->caller, error))
        return FALSE;
    return ctx->caller.user_id != NULL || ctx->caller.basic_name != NULL ||
           sl_error_set(error, SL_ERROR_UNAUTHENTICATED,
                        request->peer.local
                            ? "a token is needed: you are neither root nor in group 'sluice'"
                            : "a token is needed");
}

static void
ctx_clear(ServerCtx *ctx)
{
    g_clear_pointer(&ctx->visible, g_strfreev);
    g_clear_pointer(&ctx->headers, g_ptr_array_unref);
    g_clear_pointer(&ctx->hashes, g_ptr_array_unref);
    g_clear_pointer(&ctx->wait_key, g_free);
    g_clear_error(&ctx->refusal);
    server_caller_clear(&ctx->caller);
}

/* Keeps what the next run needs, and parks. */
static void
park(const ServerCtx *ctx, SlHttpRequest *request, SlHttpReply *reply)
{
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, ctx->job_id);
    g_autofree char *key = server_job_key(id);
    Wait *wait = request->state;
    if (wait == NULL)
        request->state = wait = g_new0(Wait, 1);
    request->free_state = wait_free;
    wait->job_id = ctx->job_id;
    wait->deadline = ctx->deadline;
    if (wait->hashes == NULL && ctx->hashes != NULL)
        wait->hashes = g_ptr_array_ref(ctx->hashes);
    if (ctx->wait_key != NULL) {
        sl_http_reply_park(reply, ctx->wait_key, g_get_monotonic_time() + LOOK_USEC);
        return;
    }
    sl_http_reply_park(reply, key, MIN(ctx->deadline, g_get_monotonic_time() + LOOK_USEC));
}

void
server_handle(SlHttpRequest *request, SlHttpReply *reply, gpointer data)
{
    const Server *server = data;
    g_auto(SlHttpMatch) match = {0};
    g_autoptr(GError) error = NULL;
    gpointer in = NULL, result = NULL;

    if (!find_operation(server, request, &match, reply))
        return;
    const Wait *wait = request->state;
    ServerCtx ctx = {.server = server,
                     .operation = match.route->target,
                     .request = request,
                     .now = g_get_real_time(),
                     .hashes = wait != NULL && wait->hashes != NULL ? g_ptr_array_ref(wait->hashes)
                                                                    : NULL,
                     .job_id = wait != NULL ? wait->job_id : 0,
                     .deadline = wait != NULL ? wait->deadline : 0};
    const SlRecord *record = ctx.operation->in_record;
    gboolean ok = identify(request, &ctx, &error);
    if (ok && record != NULL) {
        in = server_decode(record, request, &match, &error);
        ok = in != NULL;
    }
    ok = ok && run(&ctx, in, &result, &error);
    if (!ok)
        server_reply_error(request, reply, error);
    else if (ctx.waiting)
        park(&ctx, request, reply);
    else
        server_reply_result(ctx.operation, result, request, reply);
    for (guint i = 0; ctx.headers != NULL && !(ok && ctx.waiting) && i < ctx.headers->len; i += 2)
        sl_http_reply_add_header(reply, ctx.headers->pdata[i], ctx.headers->pdata[i + 1]);
    server_result_free(ctx.operation, result);
    if (record != NULL)
        sl_record_free(record, in);
    ctx_clear(&ctx);
}
