/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "config-connection.h"
#include "config-run.h"
#include "server-actor.h"
#include "server-job.h"
#include "server-page.h"
#include "server-request.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-sql.h"

#define ALL G_MAXINT32

/* --- read ----------------------------------------------------------------------------------------
 */

gboolean
server_config_connection_get(ServerCtx *ctx, const SlConnectionIdRequest *in,
                             SlConfigConnectionRead **ret, GError **error)
{
    g_autoptr(SlConnection) row = NULL;
    return server_connection_load(ctx, in->connection_id, FALSE, &row, error) &&
           config_connection_read(ctx, row, ret, error);
}

static gboolean
give_list(ServerCtx *ctx, const GPtrArray *rows, SlConfigConnectionList **ret, GError **error)
{
    SlConfigConnectionList *list = *ret = sl_config_connection_list_new();
    list->connections = g_ptr_array_new();
    return config_connection_read_all(ctx, rows, list->connections, error);
}

static gboolean
list_workspace(ServerCtx *ctx, const char *workspace_id, gboolean deleted,
               SlConfigConnectionList **ret, GError **error)
{
    static const char *const any[] = {NULL};
    const char *const ids[] = {workspace_id, NULL};
    g_autoptr(GPtrArray) rows = NULL;
    return sl_sql_connection_list(ctx->tx, ids, any, deleted, ALL, 0, &rows, error) &&
           give_list(ctx, rows, ret, error);
}

gboolean
server_config_connection_list(ServerCtx *ctx, const SlConfigWorkspaceIdRequest *in,
                              SlConfigConnectionList **ret, GError **error)
{
    return list_workspace(ctx, in->workspace_id, FALSE, ret, error);
}

gboolean
server_config_connection_list_all(ServerCtx *ctx, const SlConfigWorkspaceIdRequest *in,
                                  SlConfigConnectionList **ret, GError **error)
{
    return list_workspace(ctx, in->workspace_id, TRUE, ret, error);
}

gboolean
server_config_connection_list_paginated(ServerCtx *ctx, const SlConfigConnectionPageRequest *in,
                                        SlConfigConnectionList **ret, GError **error)
{
    static const char *const any[] = {NULL};
    const SlConfigPagination *page = in->pagination;
    const char *const *workspaces = NULL;
    const char *const *tags = in->tag_ids != NULL ? (const char *const *)in->tag_ids : any;
    g_autoptr(GPtrArray) rows = NULL;
    for (guint i = 0; tags[i] != NULL; i++)
        if (!g_uuid_string_is_valid(tags[i]))
            return sl_error_set(error, SL_ERROR_INVALID, "tagIds: '%s' is no UUID", tags[i]);
    return server_page_check(in->workspace_ids, 0, error) &&
           server_ctx_workspaces(ctx, in->workspace_ids, &workspaces, error) &&
           sl_sql_connection_list(ctx->tx, workspaces, tags, in->include_deleted,
                                  page != NULL ? page->page_size : 20,
                                  page != NULL ? page->row_offset : 0, &rows, error) &&
           give_list(ctx, rows, ret, error);
}

gboolean
server_config_connection_search(ServerCtx *ctx, const SlConfigConnectionSearch *in,
                                SlConfigConnectionList **ret, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    return config_connection_search(ctx, in, &rows, error) && give_list(ctx, rows, ret, error);
}

/* --- create, change, delete ----------------------------------------------------------------------
 */

gboolean
server_config_connection_create(ServerCtx *ctx, const SlConfigConnectionCreate *in,
                                SlConfigConnectionRead **ret, GError **error)
{
    g_autoptr(SlConnection) row = NULL;
    return config_connection_make(ctx, in, &row, error) &&
           (row == NULL || config_connection_read(ctx, row, ret, error));
}

gboolean
server_config_connection_update(ServerCtx *ctx, const SlConfigConnectionUpdate *in,
                                SlConfigConnectionRead **ret, GError **error)
{
    g_autoptr(SlConnection) row = NULL;
    return config_connection_change(ctx, in, FALSE, &row, error) &&
           (row == NULL || config_connection_read(ctx, row, ret, error));
}

gboolean
server_config_connection_delete(ServerCtx *ctx, const SlConnectionIdRequest *in, gpointer *ret,
                                GError **error)
{
    return server_connection_remove(ctx, in->connection_id, error);
}

/* --- runs ----------------------------------------------------------------------------------------
 */

/* The job is made with its first attempt: clients look at the last attempt at once. */
static gboolean
start(ServerCtx *ctx, const char *connection_id, SlConfigType type, SlConfigJobInfo **ret,
      GError **error)
{
    g_autoptr(SlConnection) connection = NULL;
    gint64 job_id = 0;
    return server_connection_load(ctx, connection_id, FALSE, &connection, error) &&
           server_job_start(ctx, connection, type, &job_id, error) &&
           (job_id == 0 || config_run_give(ctx, job_id, TRUE, ret, error));
}

static gboolean
ask(ServerCtx *ctx, const char *connection_id, SlRequestKind kind, const GPtrArray *streams,
    SlConfigJobInfo **ret, GError **error)
{
    g_autoptr(SlConnection) connection = NULL;
    gint64 job_id = 0;
    if (!server_connection_load(ctx, connection_id, FALSE, &connection, error))
        return FALSE;
    if (connection->status == SL_CONNECTION_STATUS_DEPRECATED)
        return sl_error_set(error, SL_ERROR_CONFLICT, "connection '%s' is not active, but %s",
                            connection_id,
                            sl_enum_name(&sl_connection_status_enum, connection->status));
    return server_request_run(ctx, connection, kind, streams, &job_id, error) &&
           (job_id == 0 || config_run_give(ctx, job_id, TRUE, ret, error));
}

gboolean
server_config_connection_sync(ServerCtx *ctx, const SlConnectionIdRequest *in,
                              SlConfigJobInfo **ret, GError **error)
{
    return start(ctx, in->connection_id, SL_CONFIG_TYPE_SYNC, ret, error);
}

gboolean
server_config_connection_reset(ServerCtx *ctx, const SlConnectionIdRequest *in,
                               SlConfigJobInfo **ret, GError **error)
{
    return ask(ctx, in->connection_id, SL_REQUEST_RESET, NULL, ret, error);
}

gboolean
server_config_connection_clear(ServerCtx *ctx, const SlConnectionIdRequest *in,
                               SlConfigJobInfo **ret, GError **error)
{
    return ask(ctx, in->connection_id, SL_REQUEST_CLEAR, NULL, ret, error);
}

gboolean
server_config_connection_reset_stream(ServerCtx *ctx, const SlConfigConnectionStreams *in,
                                      SlConfigJobInfo **ret, GError **error)
{
    return ask(ctx, in->connection_id, SL_REQUEST_RESET, in->streams, ret, error);
}

gboolean
server_config_connection_clear_stream(ServerCtx *ctx, const SlConfigConnectionStreams *in,
                                      SlConfigJobInfo **ret, GError **error)
{
    return ask(ctx, in->connection_id, SL_REQUEST_CLEAR, in->streams, ret, error);
}

/* A destination that knows nothing of generations cannot tell what was read anew: no job. */
gboolean
server_config_connection_refresh(ServerCtx *ctx, const SlConfigConnectionRefresh *in,
                                 SlConfigJobOptional **ret, GError **error)
{
    g_autoptr(SlConnection) connection = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    g_autoptr(SlConfigJobInfo) info = NULL;
    SlRequestKind kind = in->refresh_mode == SL_CONFIG_CONNECTION_REFRESH_REFRESH_MODE_TRUNCATE
                             ? SL_REQUEST_TRUNCATE
                             : SL_REQUEST_MERGE;
    if (!server_connection_load(ctx, in->connection_id, FALSE, &connection, error) ||
        !server_actor_load(ctx, connection->destination_id, SL_ACTOR_TYPE_DESTINATION, NULL,
                           &definition, error))
        return FALSE;
    if (definition->supports_refreshes &&
        !ask(ctx, in->connection_id, kind, in->streams, &info, error))
        return FALSE;
    if (ctx->waiting)
        return TRUE;
    *ret = sl_config_job_optional_new();
    if (info != NULL)
        (*ret)->job = g_steal_pointer(&info->job);
    return TRUE;
}
