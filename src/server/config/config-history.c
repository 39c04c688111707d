/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "server-connection.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-sql.h"

/* What runs of a connection have brought: volume, uptime, streams by day. */

static gboolean
check_connection(ServerCtx *ctx, const char *connection_id, GError **error)
{
    g_autoptr(SlConnection) connection = NULL;
    return server_connection_load(ctx, connection_id, FALSE, &connection, error);
}

static SlConfigHistoryRun *
make_run(const SlConfigHistoryRow *row)
{
    SlConfigHistoryRun *run = sl_config_history_run_new();
    sl_config_history_run_set_job_id(run, row->job_id);
    sl_config_history_run_set_config_type(run, row->config_type);
    sl_config_history_run_set_job_created_at(run, row->created_at / G_USEC_PER_SEC);
    sl_config_history_run_set_job_updated_at(run, row->updated_at / G_USEC_PER_SEC);
    sl_config_history_run_set_records_emitted(run, row->records_emitted);
    sl_config_history_run_set_records_committed(run, row->records_committed);
    sl_config_history_run_set_records_rejected(run, row->records_rejected);
    sl_config_history_run_set_bytes_emitted(run, row->bytes_emitted);
    sl_config_history_run_set_bytes_committed(run, row->bytes_committed);
    run->stream_statuses = g_ptr_array_new();
    return run;
}

static SlConfigHistoryStream *
make_stream(const SlConfigHistoryStreamRow *row)
{
    SlConfigHistoryStream *stream = sl_config_history_stream_new();
    sl_config_history_stream_set_status(stream, row->status);
    stream->stream_name = g_strdup(row->stream);
    stream->stream_namespace = g_strdup(row->namespace != NULL ? row->namespace : "");
    return stream;
}

/* Both lists are in the order of jobs. */
static gboolean
add_streams(ServerCtx *ctx, GPtrArray *runs, GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free), rows = NULL;
    for (guint i = 0; i < runs->len; i++)
        g_ptr_array_add(ids, g_strdup_printf("%" G_GINT64_FORMAT,
                                             ((const SlConfigHistoryRun *)runs->pdata[i])->job_id));
    g_ptr_array_add(ids, NULL);
    if (!sl_sql_history_list_streams(ctx->tx, (const char *const *)ids->pdata, &rows, error))
        return FALSE;
    for (guint i = 0, at = 0; i < runs->len; i++) {
        SlConfigHistoryRun *run = runs->pdata[i];
        for (; at < rows->len; at++) {
            const SlConfigHistoryStreamRow *row = rows->pdata[at];
            if (row->job_id != run->job_id)
                break;
            g_ptr_array_add(run->stream_statuses, make_stream(row));
        }
    }
    return TRUE;
}

static gboolean
load_runs(ServerCtx *ctx, const SlConfigHistoryRequest *in, GPtrArray **ret, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    if (!check_connection(ctx, in->connection_id, error) ||
        !sl_sql_history_list_runs(ctx->tx, in->connection_id, in->number_of_jobs, &rows, error))
        return FALSE;
    *ret = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++)
        g_ptr_array_add(*ret, make_run(rows->pdata[i]));
    return TRUE;
}

gboolean
server_config_history_uptime(ServerCtx *ctx, const SlConfigHistoryRequest *in, GPtrArray **ret,
                             GError **error)
{
    return load_runs(ctx, in, ret, error) && add_streams(ctx, *ret, error);
}

/* The contract gives both one shape; volumes need no streams. */
gboolean
server_config_history_data(ServerCtx *ctx, const SlConfigHistoryRequest *in, GPtrArray **ret,
                           GError **error)
{
    return load_runs(ctx, in, ret, error);
}

gboolean
server_config_history_streams(ServerCtx *ctx, const SlConfigStreamHistoryRequest *in,
                              GPtrArray **ret, GError **error)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(in->timezone);
    if (zone == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "timezone: there is no '%s'", in->timezone);
    if (!check_connection(ctx, in->connection_id, error) ||
        !sl_sql_history_list_days(ctx->tx, in->connection_id, in->timezone, ctx->now, ret, error))
        return FALSE;
    g_ptr_array_set_free_func(*ret, NULL); /* the dispatcher frees them */
    return TRUE;
}

gboolean
server_config_history_last_jobs(ServerCtx *ctx, const SlConnectionIdRequest *in, GPtrArray **ret,
                                GError **error)
{
    if (!check_connection(ctx, in->connection_id, error) ||
        !sl_sql_history_list_last_jobs(ctx->tx, in->connection_id, ret, error))
        return FALSE;
    g_ptr_array_set_free_func(*ret, NULL);
    return TRUE;
}
