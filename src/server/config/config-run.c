/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-run.h"

#include "config-log.h"
#include "server-catalog.h"
#include "server-problem.h"
#include "sl-error.h"
#include "sl-sql.h"

void
config_runs_clear(ConfigRuns *runs)
{
    g_clear_pointer(&runs->attempts, g_ptr_array_unref);
    g_clear_pointer(&runs->stats, g_ptr_array_unref);
}

gboolean
config_runs_load(ServerCtx *ctx, const GPtrArray *rows, ConfigRuns *ret, GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < rows->len; i++)
        g_ptr_array_add(ids, g_strdup_printf("%" G_GINT64_FORMAT,
                                             ((const SlConfigJobRow *)rows->pdata[i])->job_id));
    g_ptr_array_add(ids, NULL);
    const char *const *list = (const char *const *)ids->pdata;
    return sl_sql_run_list_attempts(ctx->tx, list, &ret->attempts, error) &&
           sl_sql_run_list_stats(ctx->tx, list, &ret->stats, error);
}

/* --- attempts ------------------------------------------------------------------------------------
 */

/* Namespace and name of a stream are one key; nobody has this byte in a name. */
static char *
stream_key(const SlConfigStatsRow *row)
{
    return g_strconcat(row->namespace != NULL ? row->namespace : "", "\x1f", row->stream, NULL);
}

static gboolean
is_total(const SlConfigStatsRow *row)
{
    return row->stream == NULL || row->stream[0] == '\0';
}

static char *
dup_namespace(const SlConfigStatsRow *row)
{
    return row->namespace != NULL && row->namespace[0] != '\0' ? g_strdup(row->namespace) : NULL;
}

static SlConfigAttemptStats *
make_stats(const SlConfigStatsRow *row)
{
    SlConfigAttemptStats *stats = sl_config_attempt_stats_new();
    sl_config_attempt_stats_set_records_emitted(stats, row->records_emitted);
    sl_config_attempt_stats_set_bytes_emitted(stats, row->bytes_emitted);
    sl_config_attempt_stats_set_state_messages_emitted(stats, row->states);
    sl_config_attempt_stats_set_records_committed(stats, row->records_committed);
    sl_config_attempt_stats_set_bytes_committed(stats, row->bytes_committed);
    sl_config_attempt_stats_set_records_rejected(stats, row->records_rejected);
    sl_config_attempt_stats_set_estimated_records(stats, row->estimated_records);
    sl_config_attempt_stats_set_estimated_bytes(stats, row->estimated_bytes);
    stats->additional_stats = g_strdup(row->additional_stats);
    return stats;
}

static void
add_stats(SlConfigAttemptRead *read, const SlConfigStatsRow *row)
{
    if (is_total(row)) {
        sl_config_attempt_read_set_bytes_synced(read, row->bytes_committed);
        sl_config_attempt_read_set_records_synced(read, row->records_committed);
        g_clear_pointer(&read->total_stats, sl_config_attempt_stats_free);
        read->total_stats = make_stats(row);
        return;
    }
    SlConfigAttemptStreamStats *stream = sl_config_attempt_stream_stats_new();
    stream->stream_name = g_strdup(row->stream);
    stream->stream_namespace = dup_namespace(row);
    stream->stats = make_stats(row);
    g_ptr_array_add(read->stream_stats, stream);
}

/* An attempt that has counted nothing yet has counted zero: clients add these up. */
static SlConfigAttemptRead *
make_attempt(const ConfigRuns *runs, const SlAttempt *row)
{
    SlConfigAttemptRead *read = sl_config_attempt_read_new();
    sl_config_attempt_read_set_id(read, row->attempt_number);
    sl_config_attempt_read_set_status(read, row->status);
    sl_config_attempt_read_set_created_at(read, row->created_at / G_USEC_PER_SEC);
    sl_config_attempt_read_set_updated_at(read, row->updated_at / G_USEC_PER_SEC);
    if (sl_record_has(&sl_attempt_record, row, SL_ATTEMPT_ENDED_AT))
        sl_config_attempt_read_set_ended_at(read, row->ended_at / G_USEC_PER_SEC);
    sl_config_attempt_read_set_bytes_synced(read, 0);
    sl_config_attempt_read_set_records_synced(read, 0);
    read->stream_stats = g_ptr_array_new();
    read->failure_summary = g_strdup(row->failure_summary);
    for (guint i = 0; i < runs->stats->len; i++) {
        const SlConfigStatsRow *stats = runs->stats->pdata[i];
        if (stats->job_id == row->job_id && stats->attempt_number == row->attempt_number)
            add_stats(read, stats);
    }
    return read;
}

GPtrArray *
config_run_attempts(const ConfigRuns *runs, gint64 job_id)
{
    GPtrArray *list = g_ptr_array_new();
    for (guint i = 0; i < runs->attempts->len; i++) {
        const SlAttempt *row = runs->attempts->pdata[i];
        if (row->job_id == job_id)
            g_ptr_array_add(list, make_attempt(runs, row));
    }
    return list;
}

/* --- jobs ----------------------------------------------------------------------------------------
 */

static void
add_to_total(SlConfigJobAggregatedStats *total, const SlConfigStatsRow *row)
{
    sl_config_job_aggregated_stats_set_records_emitted(total, total->records_emitted +
                                                                  row->records_emitted);
    sl_config_job_aggregated_stats_set_bytes_emitted(total,
                                                     total->bytes_emitted + row->bytes_emitted);
    sl_config_job_aggregated_stats_set_records_committed(total, total->records_committed +
                                                                    row->records_committed);
    sl_config_job_aggregated_stats_set_bytes_committed(total, total->bytes_committed +
                                                                  row->bytes_committed);
    sl_config_job_aggregated_stats_set_records_rejected(total, total->records_rejected +
                                                                   row->records_rejected);
}

static void
add_to_stream(SlConfigJobStreamStats *stream, const SlConfigStatsRow *row)
{
    sl_config_job_stream_stats_set_records_emitted(stream,
                                                   stream->records_emitted + row->records_emitted);
    sl_config_job_stream_stats_set_bytes_emitted(stream,
                                                 stream->bytes_emitted + row->bytes_emitted);
    sl_config_job_stream_stats_set_records_committed(stream, stream->records_committed +
                                                                 row->records_committed);
    sl_config_job_stream_stats_set_bytes_committed(stream,
                                                   stream->bytes_committed + row->bytes_committed);
    sl_config_job_stream_stats_set_records_rejected(stream, stream->records_rejected +
                                                                row->records_rejected);
}

/* What the job did is what its attempts did: each begins where the one before had come to. */
static void
aggregate(const ConfigRuns *runs, SlConfigJobRead *job)
{
    static const SlConfigStatsRow none = {.stream = (char *)""};
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    job->aggregated_stats = sl_config_job_aggregated_stats_new();
    job->stream_aggregated_stats = g_ptr_array_new();
    add_to_total(job->aggregated_stats, &none);
    for (guint i = 0; i < runs->stats->len; i++) {
        const SlConfigStatsRow *row = runs->stats->pdata[i];
        if (row->job_id != job->id)
            continue;
        if (is_total(row)) {
            add_to_total(job->aggregated_stats, row);
            continue;
        }
        g_autofree char *key = stream_key(row);
        SlConfigJobStreamStats *stream = g_hash_table_lookup(known, key);
        if (stream == NULL) {
            stream = sl_config_job_stream_stats_new();
            stream->stream_name = g_strdup(row->stream);
            stream->stream_namespace = dup_namespace(row);
            g_ptr_array_add(job->stream_aggregated_stats, stream);
            g_hash_table_insert(known, g_steal_pointer(&key), stream);
        }
        add_to_stream(stream, row);
    }
}

SlConfigJobRead *
config_run_job(const ConfigRuns *runs, const SlConfigJobRow *row)
{
    SlConfigJobRead *job = sl_config_job_read_new();
    sl_config_job_read_set_id(job, row->job_id);
    sl_config_job_read_set_config_type(job, row->config_type);
    job->config_id = g_strdup(row->scope);
    sl_config_job_read_set_created_at(job, row->created_at / G_USEC_PER_SEC);
    sl_config_job_read_set_updated_at(job, row->updated_at / G_USEC_PER_SEC);
    if (sl_record_has(&sl_config_job_row_record, row, SL_CONFIG_JOB_ROW_STARTED_AT))
        sl_config_job_read_set_started_at(job, row->started_at / G_USEC_PER_SEC);
    sl_config_job_read_set_status(job, row->status);
    aggregate(runs, job);
    return job;
}

gboolean
config_run_load(ServerCtx *ctx, gint64 job_id, SlConfigJobRow **ret, GError **error)
{
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, job_id);
    return sl_sql_run_get(ctx->tx, job_id, ret, error) &&
           (*ret != NULL || server_not_found(error, "job", id));
}

/* --- one job with everything
 * -----------------------------------------------------------------------
 */

static GPtrArray *
list_streams(const char *catalog, GError **error)
{
    g_autoptr(SlStreamConfigurations) all = server_catalog_list(catalog, error);
    if (all == NULL)
        return NULL;
    GPtrArray *streams = g_ptr_array_new();
    for (guint i = 0; all->streams != NULL && i < all->streams->len; i++) {
        const SlStreamConfiguration *one = all->streams->pdata[i];
        SlConfigStreamDescriptor *stream = sl_config_stream_descriptor_new();
        stream->name = g_strdup(one->name);
        stream->namespace = g_strdup(one->namespace);
        g_ptr_array_add(streams, stream);
    }
    return streams;
}

static GPtrArray *
list_requested(const GPtrArray *requests)
{
    GPtrArray *streams = g_ptr_array_new();
    for (guint i = 0; i < requests->len; i++) {
        const SlStreamRequest *row = requests->pdata[i];
        SlConfigStreamDescriptor *stream = sl_config_stream_descriptor_new();
        stream->name = g_strdup(row->stream);
        stream->namespace = *row->namespace != '\0' ? g_strdup(row->namespace) : NULL;
        g_ptr_array_add(streams, stream);
    }
    return streams;
}

/* Those that the job was asked for; all of the connection, when it was not for single ones. */
static gboolean
add_streams(ServerCtx *ctx, SlConfigJobRead *job, GError **error)
{
    g_autoptr(SlConnection) connection = NULL;
    g_autoptr(GPtrArray) requests = NULL;
    if (!sl_sql_connection_get(ctx->tx, job->config_id, &connection, error) ||
        !sl_sql_request_list(ctx->tx, job->id, &requests, error))
        return FALSE;
    if (connection == NULL)
        return TRUE;
    GPtrArray *streams = requests->len > 0 && job->config_type != SL_CONFIG_TYPE_SYNC
                             ? list_requested(requests)
                             : list_streams(connection->catalog, error);
    if (streams == NULL)
        return FALSE;
    switch (job->config_type) {
    case SL_CONFIG_TYPE_SYNC:
        job->enabled_streams = streams;
        return TRUE;
    case SL_CONFIG_TYPE_REFRESH:
        job->refresh_config = sl_config_refresh_config_new();
        job->refresh_config->streams_to_refresh = streams;
        return TRUE;
    default:
        job->reset_config = sl_config_reset_config_new();
        job->reset_config->streams_to_reset = streams;
        return TRUE;
    }
}

gboolean
config_run_give(ServerCtx *ctx, gint64 job_id, gboolean logs, SlConfigJobInfo **ret, GError **error)
{
    g_autoptr(SlConfigJobRow) row = NULL;
    g_autoptr(GPtrArray) rows = g_ptr_array_new();
    g_auto(ConfigRuns) runs = {0};
    if (!config_run_load(ctx, job_id, &row, error))
        return FALSE;
    g_ptr_array_add(rows, row);
    if (!config_runs_load(ctx, rows, &runs, error))
        return FALSE;
    g_autoptr(GPtrArray) attempts = config_run_attempts(&runs, job_id);
    SlConfigJobInfo *info = *ret = sl_config_job_info_new();
    info->job = config_run_job(&runs, row);
    info->attempts = g_ptr_array_new();
    for (guint i = 0; i < attempts->len; i++) {
        SlConfigAttemptInfo *one = sl_config_attempt_info_new();
        one->attempt = attempts->pdata[i];
        g_ptr_array_add(info->attempts, one);
        if (logs)
            config_log_fill(ctx, job_id, one);
    }
    return add_streams(ctx, info->job, error);
}
