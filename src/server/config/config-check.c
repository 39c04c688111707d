/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-check.h"

#include <string.h>

#include "config-catalog.h"
#include "config-connection.h"
#include "config-definition.h"
#include "config-job.h"
#include "server-actor.h"
#include "server-draft.h"
#include "server-job.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-queue.h"
#include "sl-sql.h"

static int
kind_of(const ServerCtx *ctx)
{
    return ctx->operation->kind == SERVER_KIND_SOURCE ? SL_ACTOR_TYPE_SOURCE
                                                      : SL_ACTOR_TYPE_DESTINATION;
}

static gboolean
await_of_actor(ServerCtx *ctx, const SlActor *actor, SlConfigType type, SlJob **ret, GError **error)
{
    g_autofree char *input = g_strdup_printf("{\"actorId\":\"%s\"}", actor->actor_id);
    const SlJobRequest request = {.config_type = type,
                                  .scope = actor->actor_id,
                                  .workspace_id = actor->workspace_id,
                                  .input = input};
    return server_job_await(ctx, &request, actor->updated_at, ret, error);
}

/* --- check -------------------------------------------------------------------------------------
 */

const char *
config_check_type(int actor_type)
{
    return actor_type == SL_ACTOR_TYPE_SOURCE ? "check_connection_source"
                                              : "check_connection_destination";
}

void
config_check_read(const SlJob *job, const char **ret_status, char **ret_message)
{
    g_autofree char *text = server_job_output(job, "check");
    g_autoptr(SlJsonDoc) doc = text != NULL ? sl_json_read(text, strlen(text), NULL, NULL) : NULL;
    const SlJsonNode *root = doc != NULL ? sl_json_root(doc) : NULL;
    const SlJsonNode *status = doc != NULL ? sl_json_get(doc, root, "status") : NULL;
    const SlJsonNode *message = doc != NULL ? sl_json_get(doc, root, "message") : NULL;
    g_autofree char *word = status != NULL ? sl_json_dup_string(status) : NULL;
    gboolean ok = word != NULL && g_ascii_strcasecmp(word, "succeeded") == 0;
    *ret_status = word == NULL ? NULL : ok ? "succeeded" : "failed";
    *ret_message = message != NULL ? sl_json_dup_string(message) : NULL;
    if (*ret_message == NULL && !ok)
        *ret_message = server_job_failure(job);
}

/* A check that says no is an answer; so is a connector that cannot even be asked. */
static gboolean
give_check(ServerCtx *ctx, const SlJob *job, int actor_type, const char *config_id, gpointer *ret)
{
    const char *status;
    SlConfigCheckRead *read = sl_config_check_read_new();
    config_check_read(job, &status, &read->message);
    if (status != NULL)
        sl_config_check_read_set_status(read, strcmp(status, "succeeded") == 0
                                                  ? SL_CONFIG_CHECK_READ_STATUS_SUCCEEDED
                                                  : SL_CONFIG_CHECK_READ_STATUS_FAILED);
    read->job_info = config_job_info(ctx, job, config_check_type(actor_type), config_id);
    *ret = read;
    return TRUE;
}

gboolean
server_config_check(ServerCtx *ctx, const SlConfigSourceIdRequest *in, gpointer *ret,
                    GError **error)
{
    g_autoptr(SlActor) actor = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    g_autoptr(SlJob) job = NULL;
    return server_actor_load(ctx, in->actor_id, kind_of(ctx), &actor, &definition, error) &&
           await_of_actor(ctx, actor, SL_CONFIG_TYPE_CHECK_CONNECTION, &job, error) &&
           (job == NULL || give_check(ctx, job, kind_of(ctx), actor->actor_id, ret));
}

gboolean
server_config_check_for_update(ServerCtx *ctx, const SlConfigSourceUpdate *in, gpointer *ret,
                               GError **error)
{
    g_autoptr(SlActor) actor = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    g_autoptr(SlJob) job = NULL;
    if (!server_actor_load(ctx, in->actor_id, kind_of(ctx), &actor, &definition, error))
        return FALSE;
    const ServerDraft draft = {definition, actor->workspace_id, actor, in->configuration};
    return server_draft_await(ctx, &draft, SL_CONFIG_TYPE_CHECK_CONNECTION, &job, error) &&
           (job == NULL || give_check(ctx, job, kind_of(ctx), actor->actor_id, ret));
}

/* Masks stand for the secrets of an actor of the same workspace and connector only. */
static gboolean
await_draft(ServerCtx *ctx, const SlConfigSourceCore *in, SlConfigType type, SlJob **ret,
            char **ret_definition_id, GError **error)
{
    g_autoptr(SlActor) actor = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    if (!config_definition_load(ctx, in->workspace_id, in->definition_id, kind_of(ctx), &definition,
                                error) ||
        (in->actor_id != NULL &&
         !server_actor_load(ctx, in->actor_id, kind_of(ctx), &actor, NULL, error)))
        return FALSE;
    if (actor != NULL && (strcmp(actor->workspace_id, in->workspace_id) != 0 ||
                          strcmp(actor->definition_id, definition->definition_id) != 0))
        return sl_error_set(error, SL_ERROR_INVALID,
                            "%sId: '%s' is of another workspace or connector",
                            sl_enum_name(&sl_actor_type_enum, kind_of(ctx)), in->actor_id);
    const ServerDraft draft = {definition, in->workspace_id, actor, in->configuration};
    *ret_definition_id = g_strdup(definition->definition_id);
    return server_draft_await(ctx, &draft, type, ret, error);
}

gboolean
server_config_check_draft(ServerCtx *ctx, const SlConfigSourceCore *in, gpointer *ret,
                          GError **error)
{
    g_autoptr(SlJob) job = NULL;
    g_autofree char *id = NULL;
    return await_draft(ctx, in, SL_CONFIG_TYPE_CHECK_CONNECTION, &job, &id, error) &&
           (job == NULL || give_check(ctx, job, kind_of(ctx), id, ret));
}

/* --- discover ----------------------------------------------------------------------------------
 */

static gboolean
fill_diff(ServerCtx *ctx, const char *source_id, const char *discovered, const char *connection_id,
          SlConfigDiscoverRead *read, GError **error)
{
    g_autoptr(SlConnection) connection = NULL;
    gboolean breaking = FALSE;
    if (!sl_sql_connection_get(ctx->tx, connection_id, &connection, error))
        return FALSE;
    if (connection == NULL || strcmp(connection->source_id, source_id) != 0)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "connectionId: '%s' is no connection of source '%s'", connection_id,
                            source_id);
    if (!config_connection_diff(ctx, connection, discovered, &read->catalog_diff, &breaking, error))
        return FALSE;
    sl_config_discover_read_set_breaking_change(read, breaking);
    read->connection_status =
        g_strdup(sl_enum_name(&sl_connection_status_enum, connection->status));
    return read->catalog_diff != NULL;
}

gboolean
config_discover_fill(ServerCtx *ctx, const char *source_id, const char *discovered,
                     const char *catalog_id, const char *connection_id, SlConfigDiscoverRead *read,
                     GError **error)
{
    read->catalog = config_catalog_from_discovered(discovered, NULL, error);
    read->catalog_id = g_strdup(catalog_id);
    return read->catalog != NULL &&
           (connection_id == NULL ||
            fill_diff(ctx, source_id, discovered, connection_id, read, error));
}

/* `job` is NULL for what was known already. */
static gboolean
give_known(ServerCtx *ctx, const SlConfigDiscoverRequest *in, const SlCatalogRow *row,
           SlConfigDiscoverRead **ret, GError **error)
{
    *ret = sl_config_discover_read_new();
    (*ret)->job_info = config_job_none(ctx, "discover_schema");
    return config_discover_fill(ctx, in->source_id, row->catalog, row->catalog_id,
                                in->connection_id, *ret, error);
}

/* A connector that cannot be asked is an answer without a catalog. */
static gboolean
give_discovered(ServerCtx *ctx, const SlConfigDiscoverRequest *in, const SlJob *job,
                const char *key, SlConfigDiscoverRead **ret, GError **error)
{
    g_autofree char *discovered = server_job_output(job, "catalog");
    g_autoptr(SlCatalogRow) row = NULL;
    *ret = sl_config_discover_read_new();
    (*ret)->job_info = config_job_info(ctx, job, "discover_schema", in->source_id);
    if (discovered == NULL)
        return TRUE;
    return sl_sql_catalog_find(ctx->tx, in->source_id, key, NULL, &row, error) &&
           config_discover_fill(ctx, in->source_id, discovered,
                                row != NULL ? row->catalog_id : NULL, in->connection_id, *ret,
                                error);
}

gboolean
server_config_source_discover(ServerCtx *ctx, const SlConfigDiscoverRequest *in,
                              SlConfigDiscoverRead **ret, GError **error)
{
    g_autoptr(SlActor) actor = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    g_autoptr(SlCatalogRow) row = NULL;
    g_autoptr(SlJob) job = NULL;
    if (!server_actor_load(ctx, in->source_id, SL_ACTOR_TYPE_SOURCE, &actor, &definition, error))
        return FALSE;
    g_autofree char *key = sl_queue_catalog_key(definition, actor);
    if (!in->disable_cache && ctx->job_id == 0 &&
        !sl_sql_catalog_find(ctx->tx, actor->actor_id, key, NULL, &row, error))
        return FALSE;
    if (row != NULL)
        return give_known(ctx, in, row, ret, error);
    return await_of_actor(ctx, actor, SL_CONFIG_TYPE_DISCOVER_SCHEMA, &job, error) &&
           (job == NULL || give_discovered(ctx, in, job, key, ret, error));
}

gboolean
server_config_scheduler_source_discover(ServerCtx *ctx, const SlConfigSourceCore *in,
                                        SlConfigDiscoverRead **ret, GError **error)
{
    g_autoptr(SlJob) job = NULL;
    g_autofree char *id = NULL;
    if (!await_draft(ctx, in, SL_CONFIG_TYPE_DISCOVER_SCHEMA, &job, &id, error))
        return FALSE;
    if (job == NULL)
        return TRUE;
    g_autofree char *discovered = server_job_output(job, "catalog");
    *ret = sl_config_discover_read_new();
    (*ret)->job_info = config_job_info(ctx, job, "discover_schema", id);
    return discovered == NULL ||
           config_discover_fill(ctx, NULL, discovered, NULL, NULL, *ret, error);
}

/* As it was discovered, in the protocol's own shape. */
gboolean
server_config_source_latest_catalog(ServerCtx *ctx, const SlConfigSourceIdRequest *in,
                                    SlConfigLatestCatalog **ret, GError **error)
{
    g_autoptr(SlCatalogRow) row = NULL;
    if (!server_actor_load(ctx, in->actor_id, SL_ACTOR_TYPE_SOURCE, NULL, NULL, error) ||
        !sl_sql_catalog_find(ctx->tx, in->actor_id, NULL, NULL, &row, error))
        return FALSE;
    *ret = sl_config_latest_catalog_new();
    if (row != NULL) {
        sl_config_latest_catalog_set_updated_at(*ret, row->created_at / G_USEC_PER_SEC);
        (*ret)->catalog = g_strdup(row->catalog);
    }
    return TRUE;
}
