/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-definition.h"

#include <string.h>

#include "server-definition.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-sql.h"

#define PROTOCOL_VERSION "0.2.0"

static int
kind_of(const ServerCtx *ctx)
{
    return ctx->operation->kind == SERVER_KIND_SOURCE ? SL_ACTOR_TYPE_SOURCE
                                                      : SL_ACTOR_TYPE_DESTINATION;
}

const char *
config_definition_support_level(const SlDefinition *definition)
{
    return definition->custom ? "none" : "community";
}

gboolean
config_definition_load(ServerCtx *ctx, const char *workspace_id, const char *definition_id,
                       int actor_type, SlDefinition **ret, GError **error)
{
    return server_definition_load(ctx, workspace_id, definition_id, actor_type, ret, error);
}

/* --- answers -----------------------------------------------------------------------------------
 */

/* `record` is that of sources or of destinations: one layout. A page needs some address of a
 * documentation, and a destination's is required. */
gpointer
config_definition_read(const ServerCtx *ctx, const SlRecord *record, const SlDefinition *row)
{
    SlConfigSourceDefinitionRead *read = sl_record_new(record);
    gboolean documented = row->documentation_url != NULL && row->documentation_url[0] != '\0';
    read->definition_id = g_strdup(row->definition_id);
    read->name = g_strdup(row->name);
    read->docker_repository = g_strdup(row->docker_repository);
    read->docker_image_tag = g_strdup(row->docker_image_tag);
    read->documentation_url =
        g_strdup(documented ? row->documentation_url : ctx->server->public_url);
    read->protocol_version = g_strdup(PROTOCOL_VERSION);
    sl_config_source_definition_read_set_custom(read, row->custom);
    sl_config_source_definition_read_set_enterprise(read, FALSE);
    read->support_level = g_strdup(config_definition_support_level(row));
    read->release_stage = g_strdup(row->custom ? "custom" : "generally_available");
    return read;
}

static gboolean
give(ServerCtx *ctx, const SlDefinition *row, gpointer *ret)
{
    *ret = config_definition_read(ctx, ctx->operation->out_record, row);
    return TRUE;
}

static gboolean
give_list(ServerCtx *ctx, const GPtrArray *rows, gpointer *ret)
{
    const SlRecord *record = sl_record_find(ctx->operation->out_record, "definitions")->record;
    SlConfigSourceDefinitionList *list = *ret = sl_record_new(ctx->operation->out_record);
    list->definitions = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++)
        g_ptr_array_add(list->definitions, config_definition_read(ctx, record, rows->pdata[i]));
    return TRUE;
}

/* --- operations --------------------------------------------------------------------------------
 */

gboolean
server_config_definition_list(ServerCtx *ctx, gconstpointer in, gpointer *ret, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    return sl_sql_definition_list(ctx->tx, sl_enum_name(&sl_actor_type_enum, kind_of(ctx)), NULL,
                                  FALSE, &rows, error) &&
           give_list(ctx, rows, ret);
}

gboolean
server_config_definition_list_for_workspace(ServerCtx *ctx, const SlConfigDefinitionListRequest *in,
                                            gpointer *ret, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    return sl_sql_definition_list_for_workspace(
               ctx->tx, sl_enum_name(&sl_actor_type_enum, kind_of(ctx)), in->workspace_id,
               in->include_tombstone, in->filter_by_used, &rows, error) &&
           give_list(ctx, rows, ret);
}

gboolean
server_config_definition_get(ServerCtx *ctx, const SlConfigSourceDefinitionIdRequest *in,
                             gpointer *ret, GError **error)
{
    g_autoptr(SlDefinition) row = NULL;
    return config_definition_load(ctx, NULL, in->definition_id, kind_of(ctx), &row, error) &&
           give(ctx, row, ret);
}

gboolean
server_config_definition_get_for_workspace(ServerCtx *ctx,
                                           const SlConfigSourceDefinitionRequest *in, gpointer *ret,
                                           GError **error)
{
    g_autoptr(SlDefinition) row = NULL;
    return config_definition_load(ctx, in->workspace_id, in->definition_id, kind_of(ctx), &row,
                                  error) &&
           give(ctx, row, ret);
}

/* --- create, change, delete ----------------------------------------------------------------------
 */

/* A workspace's own; connectors of the whole host are installed with sluicectl. */
gboolean
server_config_definition_create(ServerCtx *ctx, const SlConfigSourceDefinitionCreate *in,
                                gpointer *ret, GError **error)
{
    g_autoptr(SlDefinition) row = NULL;
    const SlConfigNewDefinition *new = in->definition;
    if (in->workspace_id == NULL)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "workspaceId: is required; a connector of the whole host is installed "
                            "with 'sluicectl connector install'");
    return server_definition_make(ctx, in->workspace_id, kind_of(ctx), new->name,
                                  new->docker_repository, new->docker_image_tag,
                                  new->documentation_url, &row, error) &&
           give(ctx, row, ret);
}

/* The installed version is the one that there is; clients send its tag back with a new name. */
static gboolean
rename_host(ServerCtx *ctx, const SlConfigSourceDefinitionUpdate *in, const SlDefinition *old,
            gpointer *ret, GError **error)
{
    g_autoptr(SlDefinition) row = NULL;
    if (!server_ctx_require(ctx, SERVER_INTENT_INSTANCE_ADMIN, error))
        return FALSE;
    if (strcmp(in->docker_image_tag, old->docker_image_tag) != 0)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "dockerImageTag: version '%s' of '%s' is not installed, '%s' is",
                            in->docker_image_tag, old->name, old->docker_image_tag);
    if (in->name == NULL || strcmp(in->name, old->name) == 0)
        return give(ctx, old, ret);
    if (!sl_sql_definition_rename(ctx->tx, old->definition_id, in->name, ctx->now, &row, error))
        return FALSE;
    if (row == NULL)
        return sl_error_set(error, SL_ERROR_CONFLICT,
                            "connector '%s' comes with Sluice and keeps its name", old->name);
    return give(ctx, row, ret);
}

gboolean
server_config_definition_update(ServerCtx *ctx, const SlConfigSourceDefinitionUpdate *in,
                                gpointer *ret, GError **error)
{
    g_autoptr(SlDefinition) old = NULL;
    g_autoptr(SlDefinition) row = NULL;
    if (!config_definition_load(ctx, in->workspace_id, in->definition_id, kind_of(ctx), &old,
                                error))
        return FALSE;
    if (old->workspace_id == NULL)
        return rename_host(ctx, in, old, ret, error);
    return server_definition_change(ctx, old->workspace_id, old->definition_id, kind_of(ctx),
                                    in->name, in->docker_image_tag, &row, error) &&
           give(ctx, row, ret);
}

gboolean
server_config_definition_delete(ServerCtx *ctx, const SlConfigSourceDefinitionIdRequest *in,
                                gpointer *ret, GError **error)
{
    g_autoptr(SlDefinition) row = NULL;
    gint64 n = 0;
    if (!config_definition_load(ctx, NULL, in->definition_id, kind_of(ctx), &row, error) ||
        !sl_sql_definition_delete(ctx->tx, row->definition_id, ctx->now, &n, error))
        return FALSE;
    return n > 0 || sl_error_set(error, SL_ERROR_CONFLICT,
                                 row->custom ? "connector '%s' is in use"
                                             : "connector '%s' comes with Sluice and stays",
                                 row->name);
}
