/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-request.h"

#include <string.h>

#include "server-catalog.h"
#include "server-problem.h"
#include "sl-error.h"
#include "sl-queue.h"
#include "sl-sql.h"

/* --- which streams -----------------------------------------------------------------------------
 */

typedef struct {
    GPtrArray *namespaces, *names; /* NULL-terminated; "" = no namespace */
    guint n;
    gboolean all;
} Names;

static void
names_clear(Names *names)
{
    g_clear_pointer(&names->namespaces, g_ptr_array_unref);
    g_clear_pointer(&names->names, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Names, names_clear)

static void
names_add(Names *names, const char *ns, const char *name)
{
    g_ptr_array_add(names->namespaces, g_strdup(ns != NULL ? ns : ""));
    g_ptr_array_add(names->names, g_strdup(name));
    names->n++;
}

static gboolean
is_configured(const GPtrArray *configured, const SlConfigConnectionStream *stream)
{
    const char *ns = stream->stream_namespace != NULL ? stream->stream_namespace : "";
    for (guint i = 0; i < configured->len; i++) {
        const SlStreamConfiguration *one = configured->pdata[i];
        if (strcmp(one->name, stream->stream_name) == 0 &&
            strcmp(one->namespace != NULL ? one->namespace : "", ns) == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean
refuse_unknown(const SlConfigConnectionStream *stream, GError **error)
{
    const char *ns = stream->stream_namespace;
    return sl_error_set(error, SL_ERROR_INVALID,
                        "streams: the connection has no stream '%s%s%s', or it is not selected",
                        ns != NULL ? ns : "", ns != NULL ? "." : "", stream->stream_name);
}

static gboolean
find_names(const SlConnection *connection, const GPtrArray *streams, Names *ret, GError **error)
{
    g_autoptr(SlStreamConfigurations) list = server_catalog_list(connection->catalog, error);
    if (list == NULL)
        return FALSE;
    const GPtrArray *configured = list->streams;
    ret->namespaces = g_ptr_array_new_with_free_func(g_free);
    ret->names = g_ptr_array_new_with_free_func(g_free);
    ret->all = streams == NULL || streams->len == 0;
    for (guint i = 0; ret->all && i < configured->len; i++) {
        const SlStreamConfiguration *one = configured->pdata[i];
        names_add(ret, one->namespace, one->name);
    }
    for (guint i = 0; !ret->all && i < streams->len; i++) {
        const SlConfigConnectionStream *one = streams->pdata[i];
        if (!is_configured(configured, one))
            return refuse_unknown(one, error);
        names_add(ret, one->stream_namespace, one->stream_name);
    }
    ret->all = ret->all || ret->n >= configured->len;
    g_ptr_array_add(ret->namespaces, NULL);
    g_ptr_array_add(ret->names, NULL);
    return TRUE;
}

/* One state for all streams cannot be forgotten for some of them. */
static gboolean
check_states(ServerCtx *ctx, const SlConnection *connection, const Names *names, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    if (names->all)
        return TRUE;
    if (!sl_sql_state_list(ctx->tx, connection->connection_id, &rows, error))
        return FALSE;
    return rows->len == 0 || strcmp(((const SlStateRow *)rows->pdata[0])->type, "LEGACY") != 0 ||
           sl_error_set(error, SL_ERROR_CONFLICT,
                        "streams: the source keeps one state for all its streams: they can only "
                        "start over together");
}

static gboolean
add(ServerCtx *ctx, const SlConnection *connection, SlRequestKind kind, const Names *names,
    GError **error)
{
    return names->n == 0 ||
           sl_queue_request_add(ctx->tx, connection->connection_id, kind, TRUE,
                                (const char *const *)names->namespaces->pdata,
                                (const char *const *)names->names->pdata, ctx->now, error);
}

/* --- what runs ---------------------------------------------------------------------------------
 */

gboolean
server_request_hold(ServerCtx *ctx, const char *connection_id, SlJob **ret, GError **error)
{
    g_autoptr(SlJob) active = NULL, held = NULL;
    *ret = NULL;
    if (!sl_sql_job_get_active(ctx->tx, connection_id, &active, error))
        return FALSE;
    if (active == NULL)
        return TRUE;
    if (!sl_queue_job_hold(ctx->tx, active->job_id, &held, error))
        return FALSE;
    if (held != NULL && !sl_job_status_is_final((SlJobStatus)held->status))
        *ret = g_steal_pointer(&held);
    return TRUE;
}

static gboolean
empties(const SlJob *job)
{
    return job->config_type == SL_CONFIG_TYPE_RESET_CONNECTION ||
           job->config_type == SL_CONFIG_TYPE_CLEAR;
}

/* One that has not begun and does the same sort of thing does this too. */
static gboolean
can_join(const SlJob *job, SlRequestKind kind)
{
    return job->status == SL_JOB_STATUS_PENDING && job->config_type != SL_CONFIG_TYPE_SYNC &&
           empties(job) == sl_request_empties(kind) &&
           !sl_record_has(&sl_job_record, job, SL_JOB_CANCEL_REQUESTED_AT);
}

/* What it was to do for single streams is not forgotten. */
static gboolean
make_way(ServerCtx *ctx, const SlJob *running, gboolean *ret_ended, GError **error)
{
    g_autoptr(SlJob) job = NULL;
    if (!sl_sql_request_give_back(ctx->tx, running->job_id, ctx->now, NULL, error) ||
        !sl_queue_job_cancel(ctx->tx, running->job_id, ctx->now, &job, error))
        return FALSE;
    *ret_ended = sl_job_status_is_final((SlJobStatus)job->status);
    return TRUE;
}

/* --- the job -----------------------------------------------------------------------------------
 */

/* The end of what ran has made the job, unless the connection has no streams to ask for. */
static gboolean
find_job(ServerCtx *ctx, const SlConnection *connection, SlRequestKind kind, gint64 *ret_job_id,
         GError **error)
{
    const SlJobRequest request = {.config_type = sl_request_job_type(kind),
                                  .scope = connection->connection_id,
                                  .workspace_id = connection->workspace_id};
    g_autoptr(SlConfigJobRow) last = NULL;
    g_autoptr(SlJob) active = NULL, job = NULL;
    if (!sl_sql_job_get_active(ctx->tx, connection->connection_id, &active, error) ||
        !sl_sql_run_get_last(ctx->tx, connection->connection_id, &last, error))
        return FALSE;
    if (active == NULL && (last == NULL || ctx->job_id == 0 || last->job_id <= ctx->job_id)) {
        if (!sl_queue_job_create(ctx->tx, &request, ctx->now, &job, error))
            return FALSE;
        *ret_job_id = job->job_id;
        return TRUE;
    }
    *ret_job_id = active != NULL ? active->job_id : last->job_id;
    return TRUE;
}

static gboolean
resume(ServerCtx *ctx, const SlConnection *connection, SlRequestKind kind, gint64 *ret_job_id,
       GError **error)
{
    g_autoptr(SlJob) job = NULL;
    if (!sl_sql_job_get(ctx->tx, ctx->job_id, &job, error))
        return FALSE;
    if (job == NULL || sl_job_status_is_final((SlJobStatus)job->status))
        return find_job(ctx, connection, kind, ret_job_id, error);
    if (g_get_monotonic_time() < ctx->deadline)
        return server_ctx_wait(ctx, ctx->job_id, ctx->server->await_usec);
    return server_problem(error, SERVER_PROBLEM_TRY_AGAIN, NULL,
                          "job %" G_GINT64_FORMAT " is cancelled and has not ended yet; what was "
                          "asked for begins when it has",
                          ctx->job_id);
}

gboolean
server_request_run(ServerCtx *ctx, const SlConnection *connection, SlRequestKind kind,
                   const GPtrArray *streams, gint64 *ret_job_id, GError **error)
{
    g_auto(Names) names = {0};
    g_autoptr(SlJob) running = NULL, started = NULL;
    gboolean ended = TRUE;
    *ret_job_id = 0;
    if (ctx->job_id != 0)
        return resume(ctx, connection, kind, ret_job_id, error);
    if (!find_names(connection, streams, &names, error) ||
        !server_request_hold(ctx, connection->connection_id, &running, error) ||
        !check_states(ctx, connection, &names, error) || !add(ctx, connection, kind, &names, error))
        return FALSE;
    if (running != NULL && can_join(running, kind)) {
        *ret_job_id = running->job_id;
        return sl_queue_request_join(ctx->tx, running, error);
    }
    if (running != NULL && !make_way(ctx, running, &ended, error))
        return FALSE;
    if (!ended)
        return server_ctx_wait(ctx, running->job_id, ctx->server->await_usec);
    if (running == NULL &&
        !sl_queue_request_start(ctx->tx, connection->connection_id, connection->workspace_id,
                                ctx->now, &started, error))
        return FALSE;
    return find_job(ctx, connection, kind, ret_job_id, error);
}

gboolean
server_request_leave(ServerCtx *ctx, const SlConnection *connection, SlRequestKind kind,
                     const char *const *namespaces, const char *const *names, GError **error)
{
    g_autoptr(SlJob) running = NULL, started = NULL;
    gboolean ended = FALSE;
    if (!server_request_hold(ctx, connection->connection_id, &running, error) ||
        !sl_queue_request_add(ctx->tx, connection->connection_id, kind, TRUE, namespaces, names,
                              ctx->now, error))
        return FALSE;
    if (running != NULL && can_join(running, kind))
        return sl_queue_request_join(ctx->tx, running, error);
    if (running != NULL)
        return make_way(ctx, running, &ended, error);
    return sl_queue_request_start(ctx->tx, connection->connection_id, connection->workspace_id,
                                  ctx->now, &started, error);
}
