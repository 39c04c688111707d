/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-definition.h"

#include <string.h>

#include "server-job.h"
#include "server-problem.h"
#include "server-routes.h"
#include "server-workspace.h"
#include "sl-error.h"
#include "sl-id.h"
#include "sl-sql.h"

static int
kind_of(const ServerCtx *ctx)
{
    return ctx->operation->kind == SERVER_KIND_SOURCE ? SL_ACTOR_TYPE_SOURCE
                                                      : SL_ACTOR_TYPE_DESTINATION;
}

static gboolean
not_found(const char *definition_id, GError **error)
{
    return server_not_found(error, "connector definition", definition_id);
}

/* --- domain --------------------------------------------------------------------------------------
 */

static gboolean
find_visible(ServerCtx *ctx, const SlDefinition *row, const char *workspace_id, gboolean *ret,
             GError **error)
{
    *ret = row->workspace_id == NULL;
    if (*ret || workspace_id == NULL)
        return *ret || server_ctx_sees(ctx, row->workspace_id, ret, error);
    *ret = strcmp(row->workspace_id, workspace_id) == 0;
    return TRUE;
}

gboolean
server_definition_load(ServerCtx *ctx, const char *workspace_id, const char *definition_id,
                       int actor_type, SlDefinition **ret, GError **error)
{
    g_autoptr(SlDefinition) row = NULL;
    if (!sl_sql_definition_resolve(ctx->tx, definition_id, &row, error))
        return FALSE;
    gboolean visible = FALSE;
    if (row == NULL || (actor_type != -1 && row->actor_type != actor_type))
        return not_found(definition_id, error);
    if (!find_visible(ctx, row, workspace_id, &visible, error))
        return FALSE;
    if (!visible)
        return not_found(definition_id, error);
    *ret = g_steal_pointer(&row);
    return TRUE;
}

/* What is installed here of an image. */
static gboolean
find_installed(ServerCtx *ctx, int actor_type, const char *image, const char *tag,
               SlDefinition **ret, GError **error)
{
    return sl_sql_definition_find_image(ctx->tx, sl_enum_name(&sl_actor_type_enum, actor_type),
                                        image, tag, ret, error) &&
           (*ret != NULL ||
            sl_error_set(error, SL_ERROR_NOT_IMPLEMENTED,
                         "container images are not run by this version, and no connector '%s:%s' "
                         "is installed on this host; install it with 'sluicectl connector install'",
                         image, tag));
}

gboolean
server_definition_make(ServerCtx *ctx, const char *workspace_id, int actor_type, const char *name,
                       const char *image, const char *tag, const char *documentation_url,
                       SlDefinition **ret, GError **error)
{
    g_autoptr(SlDefinition) installed = NULL;
    g_autofree char *id = sl_id_new();
    return server_workspace_load(ctx, workspace_id, NULL, error) &&
           find_installed(ctx, actor_type, image, tag, &installed, error) &&
           sl_sql_definition_add_like(ctx->tx, id, workspace_id, name,
                                      documentation_url != NULL ? documentation_url
                                                                : installed->documentation_url,
                                      installed->definition_id, ctx->now, ret, error);
}

/* A workspace changes its own definitions only. */
static gboolean
load_own(ServerCtx *ctx, const char *workspace_id, const char *definition_id, int actor_type,
         SlDefinition **ret, GError **error)
{
    return server_definition_load(ctx, workspace_id, definition_id, actor_type, ret, error) &&
           ((*ret)->workspace_id != NULL ||
            sl_error_set(error, SL_ERROR_INVALID,
                         "definitionId: connector '%s' is the host's; a workspace changes its own "
                         "only",
                         (*ret)->name));
}

gboolean
server_definition_change(ServerCtx *ctx, const char *workspace_id, const char *definition_id,
                         int actor_type, const char *name, const char *tag, SlDefinition **ret,
                         GError **error)
{
    g_autoptr(SlDefinition) old = NULL;
    g_autoptr(SlDefinition) installed = NULL;
    if (!load_own(ctx, workspace_id, definition_id, actor_type, &old, error))
        return FALSE;
    gboolean same = tag == NULL || strcmp(tag, old->docker_image_tag) == 0;
    if (!same && !find_installed(ctx, actor_type, old->docker_repository, tag, &installed, error))
        return FALSE;
    return sl_sql_definition_change_like(
        ctx->tx, old->definition_id, name != NULL ? name : old->name,
        same ? old->definition_id : installed->definition_id, ctx->now, ret, error);
}

gboolean
server_definition_remove(ServerCtx *ctx, const char *workspace_id, const char *definition_id,
                         int actor_type, SlDefinition **ret, GError **error)
{
    gint64 n = 0;
    return load_own(ctx, workspace_id, definition_id, actor_type, ret, error) &&
           sl_sql_definition_delete(ctx->tx, (*ret)->definition_id, ctx->now, &n, error) &&
           (n > 0 ||
            sl_error_set(error, SL_ERROR_CONFLICT, "connector '%s' is in use", (*ret)->name));
}

/* --- the public API ------------------------------------------------------------------------------
 */

/* A workspace's own manifest. One of the host is a connector like others. */
static gboolean
is_declarative(const SlDefinition *row)
{
    return row->workspace_id != NULL && strcmp(row->runtime, SERVER_MANIFEST_RUNTIME) == 0;
}

static SlDefinitionResponse *
make_response(const SlDefinition *row)
{
    SlDefinitionResponse *definition = sl_definition_response_new();
    definition->id = g_strdup(row->definition_id);
    definition->name = g_strdup(row->name);
    definition->docker_repository = g_strdup(row->docker_repository);
    definition->docker_image_tag = g_strdup(row->docker_image_tag);
    if (row->documentation_url != NULL && row->documentation_url[0] != '\0')
        definition->documentation_url = g_strdup(row->documentation_url);
    return definition;
}

gboolean
server_definition_list(ServerCtx *ctx, const SlWorkspaceIdRequest *in, gpointer *ret,
                       GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    if (!server_workspace_load(ctx, in->workspace_id, NULL, error) ||
        !sl_sql_definition_list(ctx->tx, sl_enum_name(&sl_actor_type_enum, kind_of(ctx)),
                                in->workspace_id, FALSE, &rows, error))
        return FALSE;
    SlDefinitionPage *page = *ret = sl_definition_page_new();
    page->data = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++)
        if (!is_declarative(rows->pdata[i])) /* they have a list of their own */
            g_ptr_array_add(page->data, make_response(rows->pdata[i]));
    page->previous = g_strdup("");
    page->next = g_strdup("");
    return TRUE;
}

static gboolean
refuse_declarative(const SlDefinition *row, GError **error)
{
    return !is_declarative(row) || not_found(row->definition_id, error);
}

gboolean
server_definition_get(ServerCtx *ctx, const SlDefinitionIdRequest *in, gpointer *ret,
                      GError **error)
{
    g_autoptr(SlDefinition) row = NULL;
    if (!server_definition_load(ctx, in->workspace_id, in->definition_id, kind_of(ctx), &row,
                                error) ||
        !refuse_declarative(row, error))
        return FALSE;
    *ret = make_response(row);
    return TRUE;
}

gboolean
server_definition_create(ServerCtx *ctx, const SlDefinitionCreateRequest *in, gpointer *ret,
                         GError **error)
{
    g_autoptr(SlDefinition) row = NULL;
    if (!server_definition_make(ctx, in->workspace_id, kind_of(ctx), in->name,
                                in->docker_repository, in->docker_image_tag, in->documentation_url,
                                &row, error))
        return FALSE;
    *ret = make_response(row);
    return TRUE;
}

gboolean
server_definition_update(ServerCtx *ctx, const SlDefinitionUpdateRequest *in, gpointer *ret,
                         GError **error)
{
    g_autoptr(SlDefinition) old = NULL;
    g_autoptr(SlDefinition) row = NULL;
    if (!server_definition_load(ctx, in->workspace_id, in->definition_id, kind_of(ctx), &old,
                                error) ||
        !refuse_declarative(old, error) ||
        !server_definition_change(ctx, in->workspace_id, in->definition_id, kind_of(ctx), in->name,
                                  in->docker_image_tag, &row, error))
        return FALSE;
    *ret = make_response(row);
    return TRUE;
}

gboolean
server_definition_delete(ServerCtx *ctx, const SlDefinitionIdRequest *in, gpointer *ret,
                         GError **error)
{
    g_autoptr(SlDefinition) old = NULL;
    g_autoptr(SlDefinition) row = NULL;
    if (!server_definition_load(ctx, in->workspace_id, in->definition_id, kind_of(ctx), &old,
                                error) ||
        !refuse_declarative(old, error) ||
        !server_definition_remove(ctx, in->workspace_id, in->definition_id, kind_of(ctx), &row,
                                  error))
        return FALSE;
    *ret = make_response(row);
    return TRUE;
}

gboolean
server_connector_definition_list(ServerCtx *ctx, const SlConnectorDefinitionListRequest *in,
                                 SlConnectorDefinitionPage **ret, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    if (!sl_sql_definition_list(ctx->tx, sl_enum_name(&sl_actor_type_enum, in->type),
                                in->workspace_id, in->workspace_id == NULL && ctx->caller.admin,
                                &rows, error))
        return FALSE;
    SlConnectorDefinitionPage *page = *ret = sl_connector_definition_page_new();
    page->data = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++) {
        const SlDefinition *row = rows->pdata[i];
        SlConnectorDefinition *one = sl_connector_definition_new();
        one->id = g_strdup(row->definition_id);
        one->name = g_strdup(row->name);
        sl_connector_definition_set_connector_definition_type(one, row->actor_type);
        one->version = g_strdup(row->docker_image_tag);
        g_ptr_array_add(page->data, one);
    }
    return TRUE;
}
