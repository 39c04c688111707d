/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-job.h"

#include <string.h>

#include "server-page.h"
#include "server-problem.h"
#include "server-request.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-sql.h"
#include "sl-time.h"

static const char *const all_types[] = {"sync", "reset_connection", "refresh", "clear", NULL};

/* --- jobs that a request waits for ------------------------------------------------------------ */

static gboolean
join_or_create(ServerCtx *ctx, const SlJobRequest *request, gint64 since, SlJob **ret,
               GError **error)
{
    const char *type = sl_enum_name(&sl_config_type_enum, (int)request->config_type);
    return sl_sql_job_get_unfinished(ctx->tx, type, request->scope, since, ret, error) &&
           (*ret != NULL || sl_queue_job_create(ctx->tx, request, ctx->now, ret, error));
}

gboolean
server_job_await(ServerCtx *ctx, const SlJobRequest *request, gint64 since, SlJob **ret_job,
                 GError **error)
{
    g_autoptr(SlJob) job = NULL;
    *ret_job = NULL;
    if (ctx->job_id == 0)
        return join_or_create(ctx, request, since, &job, error) &&
               server_ctx_wait(ctx, job->job_id, ctx->server->await_usec);
    if (!sl_sql_job_get(ctx->tx, ctx->job_id, &job, error))
        return FALSE;
    if (job == NULL)
        return sl_error_set(error, SL_ERROR_NOT_FOUND, "job %" G_GINT64_FORMAT " was deleted",
                            ctx->job_id);
    if (sl_job_status_is_final(job->status)) {
        *ret_job = g_steal_pointer(&job);
        return TRUE;
    }
    if (g_get_monotonic_time() >= ctx->deadline)
        return sl_error_set(error, SL_ERROR_TIMED_OUT,
                            "job %" G_GINT64_FORMAT " has not ended in %d s, and goes on",
                            ctx->job_id, (int)(ctx->server->await_usec / G_USEC_PER_SEC));
    return server_ctx_wait(ctx, ctx->job_id, ctx->server->await_usec);
}

char *
server_job_output(const SlJob *job, const char *name)
{
    const char *text = job->output != NULL ? job->output : "{}";
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, NULL);
    const SlJsonNode *node = doc != NULL ? sl_json_get(doc, sl_json_root(doc), name) : NULL;
    return node != NULL && node->type != SL_JSON_NULL ? sl_json_dup_span(node) : NULL;
}

char *
server_job_failure(const SlJob *job)
{
    const char *text = job->failure != NULL ? job->failure : "{}";
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, NULL);
    static const char *const members[] = {"externalMessage", "internalMessage"};
    const SlJsonNode *failures =
        doc != NULL ? sl_json_get(doc, sl_json_root(doc), "failures") : NULL;
    const SlJsonNode *first = failures != NULL ? sl_json_at(doc, failures, 0) : NULL;
    for (guint i = 0; i < G_N_ELEMENTS(members); i++) {
        const SlJsonNode *message = sl_json_get(doc, first, members[i]);
        char *result = message != NULL ? sl_json_dup_string(message) : NULL;
        if (result != NULL)
            return result;
    }
    return g_strdup_printf("job %" G_GINT64_FORMAT " is %s", job->job_id,
                           sl_enum_name(&sl_job_status_enum, (int)job->status));
}

/* --- the public face of a job ------------------------------------------------------------------
 */

/* "reset_connection" is "reset" outside. */
static const char *
public_type(SlConfigType type)
{
    return type == SL_CONFIG_TYPE_RESET_CONNECTION ? "reset"
                                                   : sl_enum_name(&sl_config_type_enum, (int)type);
}

static SlJobResponse *
make_response(const SlJobRow *row)
{
    SlJobResponse *job = sl_job_response_new();
    sl_job_response_set_job_id(job, row->job_id);
    sl_job_response_set_status(job, row->status);
    job->job_type = g_strdup(public_type((SlConfigType)row->config_type));
    sl_job_response_set_start_time(job, row->created_at);
    job->connection_id = g_strdup(row->scope);
    if (sl_job_status_is_final((SlJobStatus)row->status))
        sl_job_response_set_last_updated_at(job, row->updated_at);
    if (row->status != SL_JOB_STATUS_PENDING)
        job->duration = sl_time_format_duration(row->updated_at - row->created_at);
    sl_job_response_set_bytes_synced(job, row->bytes_committed);
    sl_job_response_set_rows_synced(job, row->records_committed);
    return job;
}

static gboolean
no_job(gint64 job_id, GError **error)
{
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, job_id);
    return server_not_found(error, "job", id);
}

static gboolean
load_row(ServerCtx *ctx, gint64 job_id, SlJobRow **ret, GError **error)
{
    return sl_sql_job_get_row(ctx->tx, job_id, ret, error) &&
           (*ret != NULL || no_job(job_id, error));
}

static gboolean
load_response(ServerCtx *ctx, gint64 job_id, SlJobResponse **ret, GError **error)
{
    g_autoptr(SlJobRow) row = NULL;
    if (!load_row(ctx, job_id, &row, error))
        return FALSE;
    *ret = make_response(row);
    return TRUE;
}

gboolean
server_job_get(ServerCtx *ctx, const SlJobIdRequest *in, SlJobResponse **ret, GError **error)
{
    return load_response(ctx, in->job_id, ret, error);
}

static gboolean
parse_order(const char *text, gboolean *ret_by_update, gboolean *ret_descending, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text != NULL ? text : "createdAt|ASC", "|", -1);
    guint n = g_strv_length(parts);
    gboolean known =
        n == 2 && (strcmp(parts[0], "createdAt") == 0 || strcmp(parts[0], "updatedAt") == 0);
    if (!known || (strcmp(parts[1], "ASC") != 0 && strcmp(parts[1], "DESC") != 0))
        return sl_error_set(error, SL_ERROR_INVALID,
                            "orderBy: '%s' is not createdAt|ASC, createdAt|DESC, updatedAt|ASC or "
                            "updatedAt|DESC",
                            text);
    *ret_by_update = parts[0][0] == 'u';
    *ret_descending = parts[1][0] == 'D';
    return TRUE;
}

static const gint64 *
given(const SlJobListRequest *in, guint field, const gint64 *value)
{
    return sl_record_has(&sl_job_list_request_record, in, field) ? value : NULL;
}

gboolean
server_job_list(ServerCtx *ctx, const SlJobListRequest *in, SlJobPage **ret, GError **error)
{
    const SlRecord *record = &sl_job_list_request_record;
    const char *one_type[] = {NULL, NULL};
    const char *status = NULL;
    gboolean by_update = FALSE, descending = FALSE;
    const char *const *workspaces = NULL;
    g_autoptr(GPtrArray) rows = NULL;

    if (sl_record_has(record, in, SL_JOB_LIST_REQUEST_JOB_TYPE))
        one_type[0] = in->job_type == SL_JOB_LIST_REQUEST_JOB_TYPE_RESET
                          ? "reset_connection"
                          : sl_enum_name(&sl_job_list_request_job_type_enum, in->job_type);
    if (sl_record_has(record, in, SL_JOB_LIST_REQUEST_STATUS))
        status = in->status == SL_JOB_LIST_REQUEST_STATUS_QUEUED
                     ? "pending"
                     : sl_enum_name(&sl_job_list_request_status_enum, in->status);
    if (!parse_order(in->order_by, &by_update, &descending, error) ||
        !server_page_check(in->workspace_ids, in->offset, error) ||
        !server_ctx_workspaces(ctx, in->workspace_ids, &workspaces, error) ||
        !sl_sql_job_list(ctx->tx, in->connection_id, workspaces,
                         one_type[0] != NULL ? one_type : all_types, status,
                         given(in, SL_JOB_LIST_REQUEST_CREATED_AT_START, &in->created_at_start),
                         given(in, SL_JOB_LIST_REQUEST_CREATED_AT_END, &in->created_at_end),
                         given(in, SL_JOB_LIST_REQUEST_UPDATED_AT_START, &in->updated_at_start),
                         given(in, SL_JOB_LIST_REQUEST_UPDATED_AT_END, &in->updated_at_end),
                         by_update, descending, in->limit, in->offset, &rows, error))
        return FALSE;
    SlJobPage *page = *ret = sl_job_page_new();
    page->data = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++)
        g_ptr_array_add(page->data, make_response(rows->pdata[i]));
    server_page_links(ctx, record, in, rows->len, &page->previous, &page->next);
    return TRUE;
}

/* --- begin, cancel -----------------------------------------------------------------------------
 */

static gboolean
has_ended(const SlJob *job)
{
    return sl_job_status_is_final((SlJobStatus)job->status);
}

static gboolean
is_wanted(const SlJob *active)
{
    return active->config_type == SL_CONFIG_TYPE_SYNC && active->status == SL_JOB_STATUS_PENDING &&
           !sl_record_has(&sl_job_record, active, SL_JOB_CANCEL_REQUESTED_AT);
}

static gboolean
start_sync(ServerCtx *ctx, const SlConnection *connection, gint64 *ret_job_id, GError **error)
{
    g_autoptr(SlJob) active = NULL;
    g_autoptr(SlJob) job = NULL;
    const SlJobRequest request = {.config_type = SL_CONFIG_TYPE_SYNC,
                                  .scope = connection->connection_id,
                                  .workspace_id = connection->workspace_id};
    if (!sl_sql_job_get_active(ctx->tx, connection->connection_id, &active, error))
        return FALSE;
    if (active != NULL && is_wanted(active)) {
        *ret_job_id = active->job_id;
        return TRUE;
    }
    /* One that has failed and waits to be tried again: who wants a sync need not wait with it. */
    gboolean hastened = FALSE;
    if (active != NULL && active->config_type == SL_CONFIG_TYPE_SYNC &&
        !sl_queue_retry_hasten(ctx->tx, active->job_id, ctx->now, &hastened, error))
        return FALSE;
    if (hastened) {
        *ret_job_id = active->job_id;
        return TRUE;
    }
    if (active != NULL)
        return server_problem(error, SERVER_PROBLEM_TRY_AGAIN, NULL,
                              "A sync is already running for: %s", connection->connection_id);
    if (!sl_queue_job_create(ctx->tx, &request, ctx->now, &job, error))
        return FALSE;
    *ret_job_id = job->job_id;
    return TRUE;
}

gboolean
server_job_start(ServerCtx *ctx, const SlConnection *connection, SlConfigType type,
                 gint64 *ret_job_id, GError **error)
{
    gboolean sync = type == SL_CONFIG_TYPE_SYNC;
    *ret_job_id = 0;
    if (connection->status == SL_CONNECTION_STATUS_DEPRECATED ||
        (sync && connection->status != SL_CONNECTION_STATUS_ACTIVE))
        return sl_error_set(error, SL_ERROR_CONFLICT, "connection '%s' is not active, but %s",
                            connection->connection_id,
                            sl_enum_name(&sl_connection_status_enum, connection->status));
    if (sync)
        return start_sync(ctx, connection, ret_job_id, error);
    return server_request_run(ctx, connection,
                              type == SL_CONFIG_TYPE_CLEAR ? SL_REQUEST_CLEAR : SL_REQUEST_RESET,
                              NULL, ret_job_id, error);
}

gboolean
server_job_stop(ServerCtx *ctx, gint64 job_id, gboolean *ret_done, GError **error)
{
    g_autoptr(SlJobRow) row = NULL;
    g_autoptr(SlJob) job = NULL;
    *ret_done = FALSE;
    if (!load_row(ctx, job_id, &row, error) ||
        !sl_queue_job_cancel(ctx->tx, job_id, ctx->now, &job, error))
        return FALSE;
    gboolean patient = ctx->job_id == 0 || g_get_monotonic_time() < ctx->deadline;
    if (!has_ended(job) && patient)
        return server_ctx_wait(ctx, job_id, ctx->server->stop_usec);
    *ret_done = TRUE;
    return TRUE;
}

gboolean
server_job_stop_all(ServerCtx *ctx, const char *id, GError **error)
{
    g_autoptr(GPtrArray) jobs = NULL;
    if (!sl_sql_job_list_active_of(ctx->tx, id, &jobs, error))
        return FALSE;
    for (guint i = 0; i < jobs->len; i++) {
        const SlJob *active = jobs->pdata[i];
        g_autoptr(SlJob) job = NULL;
        if (!sl_queue_job_cancel(ctx->tx, active->job_id, ctx->now, &job, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
server_job_create(ServerCtx *ctx, const SlJobCreateRequest *in, SlJobResponse **ret, GError **error)
{
    g_autoptr(SlConnection) connection = NULL;
    gint64 job_id = 0;
    SlConfigType type = in->job_type == SL_JOB_CREATE_REQUEST_JOB_TYPE_SYNC
                            ? SL_CONFIG_TYPE_SYNC
                            : SL_CONFIG_TYPE_RESET_CONNECTION;

    if (in->job_type == SL_JOB_CREATE_REQUEST_JOB_TYPE_REFRESH)
        return sl_error_set(error, SL_ERROR_UNPROCESSABLE,
                            "jobType: refresh is not supported in the public API");
    if (type != SL_CONFIG_TYPE_SYNC &&
        !server_ctx_require(ctx, SERVER_INTENT_CREATE_OR_EDIT_CONNECTION, error))
        return FALSE; /* who may run may not wipe */
    if (!sl_sql_connection_get(ctx->tx, in->connection_id, &connection, error))
        return FALSE;
    if (connection == NULL)
        return server_not_found(error, "connection", in->connection_id);
    return server_job_start(ctx, connection, type, &job_id, error) &&
           (job_id == 0 || load_response(ctx, job_id, ret, error));
}

gboolean
server_job_cancel(ServerCtx *ctx, const SlJobIdRequest *in, SlJobResponse **ret, GError **error)
{
    gboolean done = FALSE;
    return server_job_stop(ctx, in->job_id, &done, error) &&
           (!done || load_response(ctx, in->job_id, ret, error));
}

/* --- attempts and logs -------------------------------------------------------------------------
 */

static gboolean
load_job(ServerCtx *ctx, gint64 job_id, SlJob **ret, GError **error)
{
    return sl_sql_job_get(ctx->tx, job_id, ret, error) && (*ret != NULL || no_job(job_id, error));
}

static void
copy_stats(SlSyncStats *stats, const SlStatsRow *row)
{
    sl_sync_stats_set_records_emitted(stats, row->records_emitted);
    sl_sync_stats_set_bytes_emitted(stats, row->bytes_emitted);
    sl_sync_stats_set_records_committed(stats, row->records_committed);
    sl_sync_stats_set_bytes_committed(stats, row->bytes_committed);
    sl_sync_stats_set_records_rejected(stats, row->records_rejected);
    if (row->records_filtered_out > 0) {
        sl_sync_stats_set_records_filtered_out(stats, row->records_filtered_out);
        sl_sync_stats_set_bytes_filtered_out(stats, row->bytes_filtered_out);
    }
    sl_sync_stats_set_estimated_records(stats, row->estimated_records);
    sl_sync_stats_set_estimated_bytes(stats, row->estimated_bytes);
}

/* The row of the whole attempt has no stream name. */
static SlAttemptStats *
make_stats(const GPtrArray *rows)
{
    SlAttemptStats *stats = sl_attempt_stats_new();
    stats->streams = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++) {
        const SlStatsRow *row = rows->pdata[i];
        SlSyncStats *counters = sl_sync_stats_new();
        copy_stats(counters, row);
        if (row->stream == NULL || row->stream[0] == '\0') {
            g_clear_pointer(&stats->total, sl_sync_stats_free);
            stats->total = counters;
            continue;
        }
        SlStreamStats *stream = sl_stream_stats_new();
        stream->stream_name = g_strdup(row->stream);
        if (row->namespace != NULL && row->namespace[0] != '\0')
            stream->stream_namespace = g_strdup(row->namespace);
        stream->stats = counters;
        g_ptr_array_add(stats->streams, stream);
    }
    return stats;
}

static SlAttemptResponse *
make_attempt(const SlAttempt *row, const GPtrArray *stats)
{
    SlAttemptResponse *attempt = sl_attempt_response_new();
    sl_attempt_response_set_attempt_number(attempt, row->attempt_number);
    sl_attempt_response_set_status(attempt, row->status);
    sl_attempt_response_set_created_at(attempt, row->created_at);
    sl_attempt_response_set_updated_at(attempt, row->updated_at);
    if (sl_record_has(&sl_attempt_record, row, SL_ATTEMPT_ENDED_AT))
        sl_attempt_response_set_ended_at(attempt, row->ended_at);
    attempt->failure_summary = g_strdup(row->failure_summary);
    attempt->stats = make_stats(stats);
    return attempt;
}

static void
copy_job(SlAttemptPage *page, const SlJob *job)
{
    sl_attempt_page_set_job_id(page, job->job_id);
    sl_attempt_page_set_status(page, job->status);
    sl_attempt_page_set_config_type(page, job->config_type);
    page->scope = g_strdup(job->scope);
    page->failure = g_strdup(job->failure);
    sl_attempt_page_set_created_at(page, job->created_at);
    if (sl_record_has(&sl_job_record, job, SL_JOB_FINISHED_AT))
        sl_attempt_page_set_finished_at(page, job->finished_at);
    if (sl_record_has(&sl_job_record, job, SL_JOB_RETRY_AT))
        sl_attempt_page_set_retry_at(page, job->retry_at);
    if (sl_record_has(&sl_job_record, job, SL_JOB_CANCEL_REQUESTED_AT))
        sl_attempt_page_set_cancel_requested_at(page, job->cancel_requested_at);
}

gboolean
server_attempt_list(ServerCtx *ctx, const SlJobIdRequest *in, SlAttemptPage **ret, GError **error)
{
    g_autoptr(SlJob) job = NULL;
    g_autoptr(GPtrArray) rows = NULL;
    if (!load_job(ctx, in->job_id, &job, error) ||
        !sl_sql_attempt_list(ctx->tx, in->job_id, &rows, error))
        return FALSE;
    SlAttemptPage *page = *ret = sl_attempt_page_new();
    page->attempts = g_ptr_array_new();
    copy_job(page, job);
    for (guint i = 0; i < rows->len; i++) {
        const SlAttempt *row = rows->pdata[i];
        g_autoptr(GPtrArray) stats = NULL;
        if (!sl_sql_attempt_stats_list(ctx->tx, in->job_id, row->attempt_number, &stats, error))
            return FALSE;
        g_ptr_array_add(page->attempts, make_attempt(row, stats));
    }
    return TRUE;
}
