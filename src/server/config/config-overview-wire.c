/* SPDX-License-Identifier: Apache-2.0 */
/* How connections stand, many at once: a few statements however many there are. */
#include "config.h"

#include <string.h>

#include "config-connection.h"
#include "config-definition.h"
#include "config-overview.h"
#include "config-run.h"
#include "server-actor.h"
#include "server-problem.h"
#include "server-routes.h"
#include "server-tag.h"
#include "sl-error.h"
#include "sl-queue.h"
#include "sl-sql.h"

static const char *const no_ids[] = {NULL};

static gboolean
has(const SlConfigOverviewRow *row, guint field)
{
    return sl_record_has(&sl_config_overview_row_record, row, field);
}

static gboolean
is_at_work(const SlConfigOverviewRow *row)
{
    return has(row, SL_CONFIG_OVERVIEW_ROW_JOB_ID) &&
           !sl_job_status_is_final((SlJobStatus)row->job_status);
}

static SlConfigScheduleData *
make_schedule(const SlConfigOverviewRow *row)
{
    return config_connection_schedule((int)row->schedule_type, row->basic_interval_sec,
                                      row->cron_expression, row->cron_timezone);
}

/* --- statuses ------------------------------------------------------------------------------------
 */

static SlConfigJobRow *
make_job_row(const SlConfigOverviewRow *row)
{
    SlConfigJobRow *job = sl_config_job_row_new();
    sl_config_job_row_set_job_id(job, row->job_id);
    sl_config_job_row_set_config_type(job, row->config_type);
    sl_config_job_row_set_status(job, row->job_status);
    sl_config_job_row_set_created_at(job, row->job_created_at);
    sl_config_job_row_set_updated_at(job, row->job_updated_at);
    if (has(row, SL_CONFIG_OVERVIEW_ROW_JOB_STARTED_AT))
        sl_config_job_row_set_started_at(job, row->job_started_at);
    job->scope = g_strdup(row->connection_id);
    return job;
}

static SlConfigConnectionStatusRead *
make_status(const SlConfigOverviewRow *row)
{
    ConfigStanding standing = config_standing_of(row);
    SlConfigConnectionStatusRead *read = sl_config_connection_status_read_new();
    read->connection_id = g_strdup(row->connection_id);
    sl_config_connection_status_read_set_connection_sync_status(read,
                                                                config_standing_status(&standing));
    read->schedule_data = make_schedule(row);
    if (has(row, SL_CONFIG_OVERVIEW_ROW_SUCCEEDED_AT))
        sl_config_connection_status_read_set_last_successful_sync(read, row->succeeded_at /
                                                                            G_USEC_PER_SEC);
    if (!has(row, SL_CONFIG_OVERVIEW_ROW_JOB_ID))
        return read;
    sl_config_connection_status_read_set_last_sync_job_id(read, row->job_id);
    sl_config_connection_status_read_set_last_sync_job_created_at(read, row->job_created_at /
                                                                            G_USEC_PER_SEC);
    if (has(row, SL_CONFIG_OVERVIEW_ROW_ATTEMPT_NUMBER))
        sl_config_connection_status_read_set_last_sync_attempt_number(read, row->attempt_number);
    read->failure_reason = g_strdup(row->failure);
    return read;
}

/* Their jobs' statistics are read at once. */
static gboolean
add_active_jobs(ServerCtx *ctx, const GPtrArray *rows, const GPtrArray *reads, GError **error)
{
    g_autoptr(GPtrArray) jobs =
        g_ptr_array_new_with_free_func((GDestroyNotify)sl_config_job_row_free);
    g_auto(ConfigRuns) runs = {0};
    for (guint i = 0; i < rows->len; i++)
        if (is_at_work(rows->pdata[i]))
            g_ptr_array_add(jobs, make_job_row(rows->pdata[i]));
    if (!config_runs_load(ctx, jobs, &runs, error))
        return FALSE;
    for (guint i = 0, next = 0; i < rows->len; i++)
        if (is_at_work(rows->pdata[i])) {
            SlConfigConnectionStatusRead *read = reads->pdata[i];
            read->active_job = config_run_job(&runs, jobs->pdata[next++]);
        }
    return TRUE;
}

static gboolean
check_ids(const char *const *ids, GError **error)
{
    for (; *ids != NULL; ids++)
        if (!g_uuid_string_is_valid(*ids))
            return sl_error_set(error, SL_ERROR_INVALID, "connectionIds: '%s' is no UUID", *ids);
    return TRUE;
}

static gboolean
all_found(const char *const *ids, const GPtrArray *rows, GError **error)
{
    g_autoptr(GHashTable) found = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < rows->len; i++)
        g_hash_table_add(found, ((const SlConfigOverviewRow *)rows->pdata[i])->connection_id);
    for (; *ids != NULL; ids++) {
        g_autofree char *lower = g_ascii_strdown(*ids, -1);
        if (!g_hash_table_contains(found, lower))
            return server_not_found(error, "connection", *ids);
    }
    return TRUE;
}

gboolean
server_config_overview_status(ServerCtx *ctx, const SlConfigConnectionIds *in, GPtrArray **ret,
                              GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    const char *const *ids =
        in->connection_ids != NULL ? (const char *const *)in->connection_ids : no_ids;
    if (!check_ids(ids, error) || !sl_sql_run_list_overview(ctx->tx, NULL, ids, &rows, error) ||
        !all_found(ids, rows, error))
        return FALSE;
    *ret = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++)
        g_ptr_array_add(*ret, make_status(rows->pdata[i]));
    return add_active_jobs(ctx, rows, *ret, error);
}

gboolean
server_config_overview_count(ServerCtx *ctx, const SlConfigWorkspaceIdRequest *in,
                             SlConfigStatusCounts **ret, GError **error)
{
    gint64 counts[CONFIG_N_GROUPS] = {0};
    g_autoptr(GPtrArray) rows = NULL;
    if (!sl_sql_run_list_overview(ctx->tx, in->workspace_id, no_ids, &rows, error))
        return FALSE;
    for (guint i = 0; i < rows->len; i++) {
        ConfigStanding standing = config_standing_of(rows->pdata[i]);
        counts[config_standing_group(config_standing_status(&standing))]++;
    }
    SlConfigStatusCounts *read = *ret = sl_config_status_counts_new();
    sl_config_status_counts_set_running(read, counts[CONFIG_GROUP_RUNNING]);
    sl_config_status_counts_set_queued(read, counts[CONFIG_GROUP_QUEUED]);
    sl_config_status_counts_set_healthy(read, counts[CONFIG_GROUP_HEALTHY]);
    sl_config_status_counts_set_failed(read, counts[CONFIG_GROUP_FAILED]);
    sl_config_status_counts_set_paused(read, counts[CONFIG_GROUP_PAUSED]);
    sl_config_status_counts_set_not_synced(read, counts[CONFIG_GROUP_NOT_SYNCED]);
    return TRUE;
}

/* --- progress ------------------------------------------------------------------------------------
 */

static void
add_progress(SlConfigSyncProgress *read, const SlConfigJobRead *job)
{
    const SlConfigJobAggregatedStats *total = job->aggregated_stats;
    sl_config_sync_progress_set_records_emitted(read, total->records_emitted);
    sl_config_sync_progress_set_bytes_emitted(read, total->bytes_emitted);
    sl_config_sync_progress_set_records_committed(read, total->records_committed);
    sl_config_sync_progress_set_bytes_committed(read, total->bytes_committed);
    sl_config_sync_progress_set_records_rejected(read, total->records_rejected);
    for (guint i = 0; i < job->stream_aggregated_stats->len; i++) {
        const SlConfigJobStreamStats *stats = job->stream_aggregated_stats->pdata[i];
        SlConfigStreamProgress *stream = sl_config_stream_progress_new();
        stream->stream_name = g_strdup(stats->stream_name);
        stream->stream_namespace = g_strdup(stats->stream_namespace);
        sl_config_stream_progress_set_config_type(stream, job->config_type);
        sl_config_stream_progress_set_records_emitted(stream, stats->records_emitted);
        sl_config_stream_progress_set_bytes_emitted(stream, stats->bytes_emitted);
        sl_config_stream_progress_set_records_committed(stream, stats->records_committed);
        sl_config_stream_progress_set_bytes_committed(stream, stats->bytes_committed);
        sl_config_stream_progress_set_records_rejected(stream, stats->records_rejected);
        g_ptr_array_add(read->streams, stream);
    }
}

/* Of the job that is at work; without one there is no progress, and nothing has counted. */
gboolean
server_config_overview_progress(ServerCtx *ctx, const SlConnectionIdRequest *in,
                                SlConfigSyncProgress **ret, GError **error)
{
    g_autoptr(SlConnection) connection = NULL;
    g_autoptr(SlConfigJobRow) row = NULL;
    g_autoptr(SlConfigJobInfo) info = NULL;
    if (!server_connection_load(ctx, in->connection_id, FALSE, &connection, error) ||
        !sl_sql_run_get_last(ctx->tx, in->connection_id, &row, error))
        return FALSE;
    gboolean works = row != NULL && !sl_job_status_is_final((SlJobStatus)row->status);
    if (works && !config_run_give(ctx, row->job_id, FALSE, &info, error))
        return FALSE;
    SlConfigSyncProgress *read = *ret = sl_config_sync_progress_new();
    read->connection_id = g_strdup(in->connection_id);
    read->streams = g_ptr_array_new();
    sl_config_sync_progress_set_config_type(read, works ? row->config_type : SL_CONFIG_TYPE_SYNC);
    if (!works)
        return TRUE;
    gboolean started = sl_record_has(&sl_config_job_row_record, row, SL_CONFIG_JOB_ROW_STARTED_AT);
    sl_config_sync_progress_set_job_id(read, row->job_id);
    sl_config_sync_progress_set_sync_started_at(
        read, (started ? row->started_at : row->created_at) / G_USEC_PER_SEC);
    add_progress(read, info->job);
    return TRUE;
}

/* --- the list of a page --------------------------------------------------------------------------
 */

static gboolean
load_tags(ServerCtx *ctx, const GPtrArray *rows, GHashTable **ret, GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++)
        g_ptr_array_add(ids, ((const SlConfigOverviewRow *)rows->pdata[i])->connection_id);
    return server_tags_load(ctx, ids, ret, error);
}

/* A page has many connections and few connectors. */
static gboolean
load_definitions(ServerCtx *ctx, const SlConfigOverviewRow *const *page, guint n, GHashTable **ret,
                 GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    for (guint i = 0; i < n; i++) {
        g_ptr_array_add(ids, page[i]->source_definition_id);
        g_ptr_array_add(ids, page[i]->destination_definition_id);
    }
    return server_definitions_load(ctx, ids, ret, error);
}

static void
fill_ends(SlConfigOverviewItem *item, const SlConfigOverviewRow *row)
{
    SlConfigSourceSnippet *source = item->source = sl_config_source_snippet_new();
    source->source_id = g_strdup(row->source_id);
    source->name = g_strdup(row->source_name);
    source->source_definition_id = g_strdup(row->source_definition_id);
    source->source_name = g_strdup(row->source_definition_name);
    SlConfigDestinationSnippet *destination = item->destination =
        sl_config_destination_snippet_new();
    destination->destination_id = g_strdup(row->destination_id);
    destination->name = g_strdup(row->destination_name);
    destination->destination_definition_id = g_strdup(row->destination_definition_id);
    destination->destination_name = g_strdup(row->destination_definition_name);
}

static SlConfigOverviewItem *
make_item(const SlConfigOverviewRow *row, GHashTable *tags, GHashTable *definitions)
{
    ConfigStanding standing = config_standing_of(row);
    SlConfigOverviewItem *item = sl_config_overview_item_new();
    item->connection_id = g_strdup(row->connection_id);
    item->name = g_strdup(row->name);
    sl_config_overview_item_set_status(item, row->status);
    sl_config_overview_item_set_schedule_type(item, row->schedule_type);
    sl_config_overview_item_set_connection_sync_status(item, config_standing_status(&standing));
    item->schedule_data = make_schedule(row);
    fill_ends(item, row);
    if (has(row, SL_CONFIG_OVERVIEW_ROW_JOB_ID)) {
        sl_config_overview_item_set_latest_sync_job_created_at(item, row->job_created_at /
                                                                         G_USEC_PER_SEC);
        sl_config_overview_item_set_latest_sync_job_status(item, row->job_status);
        sl_config_overview_item_set_latest_sync_job_id(item, row->job_id);
    }
    if (has(row, SL_CONFIG_OVERVIEW_ROW_SUCCEEDED_AT))
        sl_config_overview_item_set_last_successful_sync(item, row->succeeded_at / G_USEC_PER_SEC);
    sl_config_overview_item_set_is_syncing(item, is_at_work(row));
    sl_config_overview_item_set_schema_change(
        item, config_connection_schema_change(row->breaking_change, row->has_news));
    item->tags = server_tags_of(tags, row->connection_id);
    sl_config_overview_item_set_on_demand_enabled(item, FALSE);
    item->source_actor_definition_version =
        config_definition_version(g_hash_table_lookup(definitions, row->source_definition_id));
    item->destination_actor_definition_version =
        config_definition_version(g_hash_table_lookup(definitions, row->destination_definition_id));
    return item;
}

static gboolean
find_start(const GPtrArray *rows, const char *cursor, guint *ret, GError **error)
{
    *ret = 0;
    for (guint i = 0; cursor != NULL && i < rows->len && *ret == 0; i++)
        if (g_ascii_strcasecmp(((const SlConfigOverviewRow *)rows->pdata[i])->connection_id,
                               cursor) == 0)
            *ret = i + 1;
    return cursor == NULL || *ret > 0 ||
           sl_error_set(error, SL_ERROR_INVALID, "cursor: '%s' is not in this list", cursor);
}

gboolean
server_config_overview_list(ServerCtx *ctx, const SlConfigOverviewRequest *in,
                            SlConfigOverviewList **ret, GError **error)
{
    guint start = 0;
    g_autoptr(GPtrArray) rows = NULL;
    g_autoptr(GHashTable) tags = NULL;
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    g_autoptr(GHashTable) definitions = NULL;
    if (!config_overview_check(in, error) ||
        !sl_sql_run_list_overview(ctx->tx, in->workspace_id, no_ids, &rows, error) ||
        !load_tags(ctx, rows, &tags, error))
        return FALSE;
    for (guint i = 0; i < rows->len; i++)
        if (config_overview_matches(in, rows->pdata[i], tags))
            g_ptr_array_add(found, rows->pdata[i]);
    config_overview_sort(in, found);
    if (!find_start(found, in->cursor, &start, error))
        return FALSE;
    guint n = (guint)MIN((gint64)(found->len - start), in->page_size);
    const SlConfigOverviewRow *const *page = (const SlConfigOverviewRow *const *)found->pdata;
    if (!load_definitions(ctx, page + start, n, &definitions, error))
        return FALSE;
    SlConfigOverviewList *list = *ret = sl_config_overview_list_new();
    list->connections = g_ptr_array_new();
    sl_config_overview_list_set_page_size(list, in->page_size);
    sl_config_overview_list_set_num_connections(list, found->len);
    for (guint i = start; i < start + n; i++)
        g_ptr_array_add(list->connections, make_item(found->pdata[i], tags, definitions));
    return TRUE;
}
