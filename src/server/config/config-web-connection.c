/* SPDX-License-Identifier: Apache-2.0 */
/* A connection as a page shows it: with both ends and everything that was discovered. */
#include "config.h"

#include <string.h>

#include "config-actor.h"
#include "config-catalog.h"
#include "config-connection.h"
#include "config-definition.h"
#include "server-actor.h"
#include "server-routes.h"
#include "sl-queue.h"
#include "sl-sql.h"

/* What both reads have is moved, not copied. */
static SlConfigWebConnectionRead *
take(SlConfigConnectionRead *from)
{
    SlConfigWebConnectionRead *web = sl_config_web_connection_read_new();
    web->connection_id = g_steal_pointer(&from->connection_id);
    web->name = g_steal_pointer(&from->name);
    web->source_id = g_steal_pointer(&from->source_id);
    web->destination_id = g_steal_pointer(&from->destination_id);
    web->sync_catalog = g_steal_pointer(&from->sync_catalog);
    sl_config_web_connection_read_set_status(web, from->status);
    sl_config_web_connection_read_set_created_at(web, from->created_at);
    sl_config_web_connection_read_set_namespace_definition(web, from->namespace_definition);
    web->namespace_format = g_steal_pointer(&from->namespace_format);
    web->prefix = g_steal_pointer(&from->prefix);
    web->operation_ids = g_steal_pointer(&from->operation_ids);
    web->schedule = g_steal_pointer(&from->schedule);
    sl_config_web_connection_read_set_schedule_type(web, from->schedule_type);
    web->schedule_data = g_steal_pointer(&from->schedule_data);
    sl_config_web_connection_read_set_non_breaking_changes_preference(
        web, from->non_breaking_changes_preference);
    sl_config_web_connection_read_set_notify_schema_changes(web, from->notify_schema_changes);
    sl_config_web_connection_read_set_notify_schema_changes_by_email(
        web, from->notify_schema_changes_by_email);
    web->resource_requirements = g_steal_pointer(&from->resource_requirements);
    web->status_reason = g_steal_pointer(&from->status_reason);
    sl_config_web_connection_read_set_backfill_preference(web, from->backfill_preference);
    sl_config_web_connection_read_set_on_demand_enabled(web, FALSE);
    web->tags = g_steal_pointer(&from->tags);
    return web;
}

static gboolean
fill_ends(ServerCtx *ctx, const SlConnection *row, SlConfigWebConnectionRead *web, GError **error)
{
    web->source = config_actor_read(ctx, SL_ACTOR_TYPE_SOURCE, row->source_id,
                                    &sl_config_source_read_record, error);
    web->destination = web->source != NULL
                           ? config_actor_read(ctx, SL_ACTOR_TYPE_DESTINATION, row->destination_id,
                                               &sl_config_destination_read_record, error)
                           : NULL;
    if (web->destination == NULL)
        return FALSE;
    g_autoptr(SlDefinition) source = NULL;
    g_autoptr(SlDefinition) destination = NULL;
    if (!sl_sql_definition_get(ctx->tx, web->source->definition_id, &source, error) ||
        !sl_sql_definition_get(ctx->tx, web->destination->definition_id, &destination, error))
        return FALSE;
    web->source_actor_definition_version = config_definition_version(source);
    web->destination_actor_definition_version = config_definition_version(destination);
    return TRUE;
}

static gboolean
fill_job(ServerCtx *ctx, const SlConnection *row, SlConfigWebConnectionRead *web, GError **error)
{
    g_autoptr(SlConfigJobRow) job = NULL;
    if (!sl_sql_run_get_last(ctx->tx, row->connection_id, &job, error))
        return FALSE;
    if (job != NULL) {
        sl_config_web_connection_read_set_latest_sync_job_created_at(web, job->created_at /
                                                                              G_USEC_PER_SEC);
        sl_config_web_connection_read_set_latest_sync_job_status(web, job->status);
    }
    sl_config_web_connection_read_set_is_syncing(
        web, job != NULL && !sl_job_status_is_final((SlJobStatus)job->status));
    return TRUE;
}

static gboolean
is_empty(const char *diff)
{
    return diff != NULL && strcmp(diff, "{\"transforms\":[]}") == 0;
}

/* Everything discovered; what the connection does not have is not selected. */
static gboolean
fill_catalog(ServerCtx *ctx, const SlConnection *row, const char *discovered, gboolean fresh,
             SlConfigWebConnectionRead *web, GError **error)
{
    g_autoptr(SlCatalogRow) newest = NULL;
    gboolean breaking = FALSE;
    if (!sl_sql_catalog_find(ctx->tx, row->source_id, NULL, NULL, &newest, error))
        return FALSE;
    if (discovered == NULL && newest != NULL)
        discovered = newest->catalog;
    web->catalog_id = newest != NULL ? g_strdup(newest->catalog_id) : NULL;
    if (discovered != NULL) {
        g_autofree char *merged = config_catalog_merge(discovered, row->catalog, TRUE, error);
        if (merged == NULL)
            return FALSE;
        g_free(web->sync_catalog);
        web->sync_catalog = g_steal_pointer(&merged);
    }
    if (discovered != NULL && (fresh || row->has_news || row->breaking_change) &&
        !config_connection_diff(ctx, row, discovered, &web->catalog_diff, &breaking, error))
        return FALSE;
    gboolean news = web->catalog_diff != NULL ? !is_empty(web->catalog_diff) : row->has_news;
    sl_config_web_connection_read_set_schema_change(
        web, config_connection_schema_change(row->breaking_change || breaking, news));
    return TRUE;
}

static gboolean
give(ServerCtx *ctx, const SlConnection *row, const char *discovered,
     SlConfigWebConnectionRead **ret, GError **error)
{
    g_autoptr(SlConfigConnectionRead) read = NULL;
    if (!config_connection_read(ctx, row, &read, error))
        return FALSE;
    *ret = take(read);
    return fill_ends(ctx, row, *ret, error) && fill_job(ctx, row, *ret, error) &&
           fill_catalog(ctx, row, discovered, discovered != NULL, *ret, error);
}

gboolean
server_config_web_connection_get(ServerCtx *ctx, const SlConfigWebConnectionRequest *in,
                                 SlConfigWebConnectionRead **ret, GError **error)
{
    g_autoptr(SlConnection) row = NULL;
    g_autoptr(SlActor) source = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    g_autofree char *discovered = NULL;
    if (!server_connection_load(ctx, in->connection_id, FALSE, &row, error))
        return FALSE;
    if (!in->with_refreshed_catalog)
        return give(ctx, row, NULL, ret, error);
    if (!server_actor_load(ctx, row->source_id, SL_ACTOR_TYPE_SOURCE, &source, &definition,
                           error) ||
        !server_actor_catalog(ctx, source, definition, TRUE, &discovered, error))
        return FALSE;
    return discovered == NULL || give(ctx, row, discovered, ret, error);
}

gboolean
server_config_web_connection_create(ServerCtx *ctx, const SlConfigConnectionCreate *in,
                                    SlConfigWebConnectionRead **ret, GError **error)
{
    g_autoptr(SlConnection) row = NULL;
    return config_connection_make(ctx, in, &row, error) &&
           (row == NULL || give(ctx, row, NULL, ret, error));
}

gboolean
server_config_web_connection_update(ServerCtx *ctx, const SlConfigConnectionUpdate *in,
                                    SlConfigWebConnectionRead **ret, GError **error)
{
    g_autoptr(SlConnection) row = NULL;
    return config_connection_change(ctx, in, !in->skip_reset, &row, error) &&
           (row == NULL || give(ctx, row, NULL, ret, error));
}
