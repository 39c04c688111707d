/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of a source's streams, applied when somebody asks for it; by themselves they are when a
 * sync begins. */
#include "config.h"

#include <string.h>

#include "config-connection.h"
#include "server-actor.h"
#include "server-problem.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-queue-schema.h"
#include "sl-sql.h"

static gboolean
load_catalog(ServerCtx *ctx, const char *source_id, const char *catalog_id, SlCatalogRow **ret,
             GError **error)
{
    return sl_sql_catalog_get(ctx->tx, catalog_id, source_id, ret, error) &&
           (*ret != NULL || server_not_found(error, "catalog", catalog_id));
}

static gboolean
check_workspace(const char *of, const char *given, GError **error)
{
    return given == NULL || g_ascii_strcasecmp(of, given) == 0 ||
           sl_error_set(error, SL_ERROR_INVALID, "workspaceId: '%s' is another workspace", given);
}

static char *
empty_diff(void)
{
    return g_strdup("{\"transforms\":[]}");
}

/* What somebody asks for goes over what the connection does by itself, this time. */
static const int as_asked[] = {
    [SL_CONFIG_SCHEMA_APPLY_SLUICE_APPLY_FIELDS] =
        SL_CONNECTION_NON_BREAKING_CHANGES_PROPAGATE_COLUMNS,
    [SL_CONFIG_SCHEMA_APPLY_SLUICE_APPLY_ALL] = SL_CONNECTION_NON_BREAKING_CHANGES_PROPAGATE_FULLY,
};

/* *ret_diff: what has been applied, which may be nothing. `asked`: of as_asked[]; -1: as the
 * connection wants it. */
static gboolean
apply(ServerCtx *ctx, const char *connection_id, const char *workspace_id, const char *catalog_id,
      int asked, char **ret_diff, GError **error)
{
    g_autoptr(SlConnection) connection = NULL;
    g_autoptr(SlCatalogRow) catalog = NULL;
    g_auto(SlSchemaResult) result = {0};
    if (!server_connection_load(ctx, connection_id, TRUE, &connection, error) ||
        !check_workspace(connection->workspace_id, workspace_id, error))
        return FALSE;
    if (connection->status == SL_CONNECTION_STATUS_DEPRECATED)
        return sl_error_set(error, SL_ERROR_CONFLICT, "connection '%s' is deleted", connection_id);
    if (asked >= 0)
        connection->non_breaking_changes = as_asked[asked];
    if (!load_catalog(ctx, connection->source_id, catalog_id, &catalog, error) ||
        !sl_queue_schema_look(ctx->tx, connection, catalog, TRUE, ctx->now, &result, error))
        return FALSE;
    *ret_diff =
        result.outcome == SL_SCHEMA_PROPAGATED ? g_steal_pointer(&result.diff) : empty_diff();
    return TRUE;
}

gboolean
server_config_connection_apply_schema(ServerCtx *ctx, const SlConfigSchemaApply *in,
                                      SlConfigSchemaApplied **ret, GError **error)
{
    int asked =
        sl_record_has(&sl_config_schema_apply_record, in, SL_CONFIG_SCHEMA_APPLY_SLUICE_APPLY)
            ? (int)in->sluice_apply
            : -1;
    *ret = sl_config_schema_applied_new();
    return apply(ctx, in->connection_id, in->workspace_id, in->catalog_id, asked,
                 &(*ret)->propagated_diff, error);
}

gboolean
server_config_connection_postprocess(ServerCtx *ctx, const SlConfigSchemaPostprocess *in,
                                     SlConfigSchemaPostprocessed **ret, GError **error)
{
    *ret = sl_config_schema_postprocessed_new();
    return apply(ctx, in->connection_id, NULL, in->catalog_id, -1, &(*ret)->applied_diff, error);
}

/* To every connection of the source, as each wants it. */
gboolean
server_config_source_apply_schema(ServerCtx *ctx, const SlConfigSourceSchemaApply *in,
                                  gpointer *ret, GError **error)
{
    g_autoptr(SlActor) source = NULL;
    g_autoptr(SlCatalogRow) catalog = NULL;
    g_autoptr(GPtrArray) ids = NULL;
    if (!server_actor_load(ctx, in->actor_id, SL_ACTOR_TYPE_SOURCE, &source, NULL, error) ||
        !check_workspace(source->workspace_id, in->workspace_id, error) ||
        !load_catalog(ctx, source->actor_id, in->catalog_id, &catalog, error) ||
        !sl_sql_connection_list_of_source(ctx->tx, source->actor_id, &ids, error))
        return FALSE;
    for (guint i = 0; i < ids->len; i++) {
        g_autofree char *diff = NULL;
        if (!apply(ctx, ((const SlConnectionId *)ids->pdata[i])->connection_id, NULL,
                   in->catalog_id, -1, &diff, error))
            return FALSE;
    }
    return TRUE;
}
