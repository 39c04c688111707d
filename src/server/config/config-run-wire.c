/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "config-definition.h"
#include "config-log.h"
#include "config-run.h"
#include "server-actor.h"
#include "server-connection.h"
#include "server-job.h"
#include "server-page.h"
#include "server-problem.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-queue.h"
#include "sl-sql.h"

/* --- one job -------------------------------------------------------------------------------------
 */

gboolean
server_config_job_get(ServerCtx *ctx, const SlConfigJobIdRequest *in, SlConfigJobInfo **ret,
                      GError **error)
{
    return config_run_give(ctx, in->id, TRUE, ret, error);
}

gboolean
server_config_job_get_without_logs(ServerCtx *ctx, const SlConfigJobIdRequest *in,
                                   SlConfigJobInfo **ret, GError **error)
{
    return config_run_give(ctx, in->id, FALSE, ret, error);
}

gboolean
server_config_job_get_light(ServerCtx *ctx, const SlConfigJobIdRequest *in, SlConfigJobLight **ret,
                            GError **error)
{
    g_autoptr(SlConfigJobInfo) info = NULL;
    if (!config_run_give(ctx, in->id, FALSE, &info, error))
        return FALSE;
    *ret = sl_config_job_light_new();
    (*ret)->job = g_steal_pointer(&info->job);
    return TRUE;
}

gboolean
server_config_job_cancel(ServerCtx *ctx, const SlConfigJobIdRequest *in, SlConfigJobInfo **ret,
                         GError **error)
{
    gboolean done = FALSE;
    return server_job_stop(ctx, in->id, &done, error) &&
           (!done || config_run_give(ctx, in->id, TRUE, ret, error));
}

gboolean
server_config_job_get_last(ServerCtx *ctx, const SlConnectionIdRequest *in,
                           SlConfigJobOptional **ret, GError **error)
{
    g_autoptr(SlConnection) connection = NULL;
    g_autoptr(SlConfigJobRow) row = NULL;
    g_autoptr(SlConfigJobInfo) info = NULL;
    if (!server_connection_load(ctx, in->connection_id, FALSE, &connection, error) ||
        !sl_sql_run_get_last(ctx->tx, in->connection_id, &row, error) ||
        (row != NULL && !config_run_give(ctx, row->job_id, FALSE, &info, error)))
        return FALSE;
    *ret = sl_config_job_optional_new();
    if (info != NULL)
        (*ret)->job = g_steal_pointer(&info->job);
    return TRUE;
}

/* --- for people who look for a cause
 * ---------------------------------------------------------------
 */

static gpointer
read_definition(ServerCtx *ctx, const char *actor_id, const SlRecord *record, GError **error)
{
    g_autoptr(SlActor) actor = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    if (!sl_sql_actor_get(ctx->tx, actor_id, &actor, error) ||
        !sl_sql_definition_get(ctx->tx, actor->definition_id, &definition, error))
        return NULL;
    return config_definition_read(ctx, record, definition);
}

gboolean
server_config_job_get_debug_info(ServerCtx *ctx, const SlConfigJobIdRequest *in,
                                 SlConfigJobDebugInfo **ret, GError **error)
{
    g_autoptr(SlConfigJobInfo) info = NULL;
    g_autoptr(SlConnection) connection = NULL;
    if (!config_run_give(ctx, in->id, TRUE, &info, error) ||
        !server_connection_load(ctx, info->job->config_id, FALSE, &connection, error))
        return FALSE;
    SlConfigJobDebugInfo *debug = *ret = sl_config_job_debug_info_new();
    SlConfigJobDebug *job = debug->job = sl_config_job_debug_new();
    sl_config_job_debug_set_id(job, info->job->id);
    sl_config_job_debug_set_config_type(job, info->job->config_type);
    sl_config_job_debug_set_status(job, info->job->status);
    job->config_id = g_strdup(info->job->config_id);
    job->airbyte_version = g_strdup(PACKAGE_VERSION);
    job->source_definition = read_definition(ctx, connection->source_id,
                                             &sl_config_source_definition_read_record, error);
    job->destination_definition =
        job->source_definition != NULL
            ? read_definition(ctx, connection->destination_id,
                              &sl_config_destination_definition_read_record, error)
            : NULL;
    debug->attempts = g_steal_pointer(&info->attempts);
    debug->workflow_state = sl_config_workflow_state_new();
    sl_config_workflow_state_set_running(debug->workflow_state,
                                         !sl_job_status_is_final((SlJobStatus)info->job->status));
    return job->destination_definition != NULL;
}

/* --- lists ---------------------------------------------------------------------------------------
 */

static gboolean
check_words(char *const *words, const SlEnum *known, const char *name, GError **error)
{
    for (; words != NULL && *words != NULL; words++)
        if (sl_enum_value(known, *words) < 0)
            return sl_error_set(error, SL_ERROR_INVALID, "%s: '%s' is not known", name, *words);
    return TRUE;
}

/* Checks have a kind of their own on this wire; they are no jobs that a list would show. */
static gboolean
check_types(char *const *types, GError **error)
{
    static const char *const names[] = {"check_connection_source",
                                        "check_connection_destination",
                                        "discover_schema",
                                        "get_spec",
                                        "sync",
                                        "reset_connection",
                                        "refresh",
                                        "clear"};
    static const SlEnum known = {"JobConfigType", names, G_N_ELEMENTS(names)};
    if (types == NULL || types[0] == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "configTypes: at least one is needed");
    return check_words(types, &known, "configTypes", error);
}

static const gint64 *
given(const SlConfigJobListRequest *in, guint field, const gint64 *value)
{
    return sl_record_has(&sl_config_job_list_request_record, in, field) ? value : NULL;
}

static gboolean
find(ServerCtx *ctx, const SlConfigJobListRequest *in, gint64 size, gint64 offset,
     const gint64 *including, GPtrArray **ret, GError **error)
{
    static const char *const any[] = {NULL};
    const char *const *workspaces = NULL;
    const char *const *statuses = in->statuses != NULL ? (const char *const *)in->statuses : any;
    gboolean by_update = in->order_by_field == SL_CONFIG_JOB_LIST_REQUEST_ORDER_BY_FIELD_UPDATED_AT;
    gboolean ascending = sl_record_has(&sl_config_job_list_request_record, in,
                                       SL_CONFIG_JOB_LIST_REQUEST_ORDER_BY_METHOD) &&
                         in->order_by_method == SL_CONFIG_JOB_LIST_REQUEST_ORDER_BY_METHOD_ASC;
    return server_page_check(in->workspace_ids, offset, error) &&
           server_ctx_workspaces(ctx, in->workspace_ids, &workspaces, error) &&
           sl_sql_run_find(
               ctx->tx, (const char *const *)in->config_types, workspaces, in->config_id, statuses,
               given(in, SL_CONFIG_JOB_LIST_REQUEST_CREATED_AT_START, &in->created_at_start),
               given(in, SL_CONFIG_JOB_LIST_REQUEST_CREATED_AT_END, &in->created_at_end),
               given(in, SL_CONFIG_JOB_LIST_REQUEST_UPDATED_AT_START, &in->updated_at_start),
               given(in, SL_CONFIG_JOB_LIST_REQUEST_UPDATED_AT_END, &in->updated_at_end), by_update,
               !ascending, size, offset, including, ret, error);
}

/* Also of a page behind the last one. */
static gboolean
count(ServerCtx *ctx, const SlConfigJobListRequest *in, const GPtrArray *page, gint64 *ret,
      GError **error)
{
    g_autoptr(GPtrArray) first = NULL;
    if (page->len == 0 && !find(ctx, in, 1, 0, NULL, &first, error))
        return FALSE;
    const GPtrArray *rows = first != NULL ? first : page;
    *ret = rows->len > 0 ? ((const SlConfigJobRow *)rows->pdata[0])->total : 0;
    return TRUE;
}

gboolean
server_config_job_list(ServerCtx *ctx, const SlConfigJobListRequest *in, gpointer *ret,
                       GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    g_auto(ConfigRuns) runs = {0};
    gint64 total = 0;
    const SlConfigJobPagination *page = in->pagination;
    const gint64 *including =
        given(in, SL_CONFIG_JOB_LIST_REQUEST_INCLUDING_JOB_ID, &in->including_job_id);
    if (!check_types(in->config_types, error) ||
        !check_words(in->statuses, &sl_job_status_enum, "statuses", error) ||
        !find(ctx, in, page != NULL ? page->page_size : 200, page != NULL ? page->row_offset : 0,
              including, &rows, error) ||
        !count(ctx, in, rows, &total, error) || !config_runs_load(ctx, rows, &runs, error))
        return FALSE;
    SlConfigJobList *list = *ret = sl_config_job_list_new();
    sl_config_job_list_set_total_job_count(list, total);
    list->jobs = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++) {
        const SlConfigJobRow *row = rows->pdata[i];
        SlConfigJobWithAttempts *one = sl_config_job_with_attempts_new();
        one->job = config_run_job(&runs, row);
        one->attempts = config_run_attempts(&runs, row->job_id);
        g_ptr_array_add(list->jobs, one);
    }
    return TRUE;
}

/* --- attempts ------------------------------------------------------------------------------------
 */

static gboolean
find_attempt(ServerCtx *ctx, const SlConfigAttemptRequest *in, gboolean logs,
             SlConfigAttemptInfo **ret, GError **error)
{
    g_autoptr(SlConfigJobInfo) info = NULL;
    if (!config_run_give(ctx, in->job_id, FALSE, &info, error))
        return FALSE;
    for (guint i = 0; i < info->attempts->len; i++) {
        SlConfigAttemptInfo *one = info->attempts->pdata[i];
        if (one->attempt->id != in->attempt_number)
            continue;
        if (logs)
            config_log_fill(ctx, in->job_id, one);
        *ret = g_ptr_array_steal_index(info->attempts, i);
        return TRUE;
    }
    g_autofree char *id =
        g_strdup_printf("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, in->job_id, in->attempt_number);
    return server_not_found(error, "attempt", id);
}

gboolean
server_config_attempt_get(ServerCtx *ctx, const SlConfigAttemptRequest *in,
                          SlConfigAttemptInfo **ret, GError **error)
{
    return find_attempt(ctx, in, TRUE, ret, error);
}

gboolean
server_config_attempt_get_stats(ServerCtx *ctx, const SlConfigAttemptRequest *in,
                                SlConfigAttemptStats **ret, GError **error)
{
    g_autoptr(SlConfigAttemptInfo) info = NULL;
    if (!find_attempt(ctx, in, FALSE, &info, error))
        return FALSE;
    *ret = g_steal_pointer(&info->attempt->total_stats);
    return *ret != NULL || sl_error_set(error, SL_ERROR_NOT_FOUND,
                                        "attempt %" G_GINT64_FORMAT " of job %" G_GINT64_FORMAT
                                        " has no statistics yet",
                                        in->attempt_number, in->job_id);
}
