/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-permission.h"

#include <string.h>

#include "server-routes.h"
#include "server-user.h"
#include "sl-error.h"
#include "sl-id.h"
#include "sl-sql.h"

#define NO_SCOPE "00000000-0000-0000-0000-000000000000"

/* --- lists ------------------------------------------------------------------------------------ */

static SlPermissionListItem *
make_item(const SlPermissionResponse *row)
{
    SlPermissionListItem *item = sl_permission_list_item_new();
    item->permission_id = g_strdup(row->permission_id);
    item->user_id = g_strdup(row->user_id);
    sl_permission_list_item_set_permission_type(item, row->permission_type);
    sl_permission_list_item_set_scope(
        item, row->workspace_id != NULL      ? SL_PERMISSION_SCOPE_WORKSPACE
              : row->organization_id != NULL ? SL_PERMISSION_SCOPE_ORGANIZATION
                                             : SL_PERMISSION_SCOPE_NONE);
    item->scope_id = g_strdup(row->workspace_id != NULL      ? row->workspace_id
                              : row->organization_id != NULL ? row->organization_id
                                                             : NO_SCOPE);
    return item;
}

/* One's own, or another's as far as an organization goes that one administrates. */
gboolean
server_permission_list(ServerCtx *ctx, const SlPermissionListRequest *in, SlPermissionList **ret,
                       GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    const char *user_id = in->user_id != NULL ? in->user_id : ctx->caller.user_id;
    gboolean own = strcmp(user_id, ctx->caller.user_id) == 0;
    if (!own && in->organization_id == NULL && !ctx->caller.admin)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "organizationId: is required for permissions of somebody else");
    if ((!own && !server_ctx_require(ctx, SERVER_INTENT_UPDATE_ORGANIZATION_PERMISSIONS, error)) ||
        !sl_sql_permission_list(ctx->tx, user_id, in->organization_id, &rows, error))
        return FALSE;
    *ret = sl_permission_list_new();
    (*ret)->data = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++)
        g_ptr_array_add((*ret)->data, make_item(rows->pdata[i]));
    return TRUE;
}

/* --- one -------------------------------------------------------------------------------------- */

static gboolean
load(ServerCtx *ctx, const char *permission_id, SlPermissionResponse **ret, GError **error)
{
    return sl_sql_permission_get(ctx->tx, permission_id, ret, error) &&
           (*ret != NULL || sl_error_set(error, SL_ERROR_NOT_FOUND,
                                         "permission '%s' does not exist", permission_id));
}

gboolean
server_permission_get(ServerCtx *ctx, const SlPermissionIdRequest *in, gpointer *ret,
                      GError **error)
{
    SlPermissionResponse *row = NULL;
    gboolean ok = load(ctx, in->permission_id, &row, error);
    *ret = row;
    return ok;
}

/* A role is of an instance, an organization or a workspace, and says which. */
static gboolean
check_level(const SlPermissionCreateRequest *in, GError **error)
{
    static const struct {
        gboolean workspace, organization;
        const char *message;
    } levels[] = {
        [SERVER_LEVEL_INSTANCE] = {FALSE, FALSE,
                                   "permissionType: instance_admin takes neither workspaceId nor "
                                   "organizationId"},
        [SERVER_LEVEL_ORGANIZATION] = {FALSE, TRUE,
                                       "organizationId: is required, without workspaceId, for a "
                                       "role in an organization"},
        [SERVER_LEVEL_WORKSPACE] = {TRUE, FALSE,
                                    "workspaceId: is required, without organizationId, for a role "
                                    "in a workspace"},
    };
    ServerLevel level = server_permission_level(in->permission_type);
    return ((in->workspace_id != NULL) == levels[level].workspace &&
            (in->organization_id != NULL) == levels[level].organization) ||
           sl_error_set(error, SL_ERROR_INVALID, "%s", levels[level].message);
}

gboolean
server_permission_create(ServerCtx *ctx, const SlPermissionCreateRequest *in, gpointer *ret,
                         GError **error)
{
    g_autoptr(SlAccount) user = NULL;
    g_autofree char *id = sl_id_new();
    SlPermissionResponse *row = NULL;
    gboolean ok =
        check_level(in, error) && server_user_load(ctx, in->user_id, &user, error) &&
        sl_sql_permission_add(ctx->tx, id, in->user_id,
                              sl_enum_name(&sl_permission_type_enum, in->permission_type),
                              in->workspace_id, in->organization_id, ctx->now, &row, error);
    *ret = row;
    return ok;
}

gboolean
server_permission_change(ServerCtx *ctx, const char *permission_id, int permission_type,
                         SlPermissionResponse **ret, GError **error)
{
    g_autoptr(SlPermissionResponse) old = NULL;
    if (!load(ctx, permission_id, &old, error))
        return FALSE;
    /* whoever may change a role in a workspace must not make one of the organization out of it */
    if (server_permission_level(old->permission_type) != server_permission_level(permission_type))
        return sl_error_set(error, SL_ERROR_INVALID,
                            "permissionType: '%s' is not a role of the same kind as '%s'",
                            sl_enum_name(&sl_permission_type_enum, permission_type),
                            sl_enum_name(&sl_permission_type_enum, old->permission_type));
    return sl_sql_permission_update(ctx->tx, permission_id,
                                    sl_enum_name(&sl_permission_type_enum, permission_type), ret,
                                    error);
}

gboolean
server_permission_update(ServerCtx *ctx, const SlPermissionUpdateRequest *in,
                         SlPermissionResponse **ret, GError **error)
{
    return server_permission_change(ctx, in->permission_id, in->permission_type, ret, error);
}

gboolean
server_permission_keep_admin(ServerCtx *ctx, const char *user_id, GError **error)
{
    gint64 others = 0;
    return sl_sql_account_count_other_admins(ctx->tx, user_id, &others, error) &&
           (others > 0 || sl_error_set(error, SL_ERROR_CONFLICT,
                                       "this is the last administrator of the instance"));
}

gboolean
server_permission_delete(ServerCtx *ctx, const SlPermissionIdRequest *in, gpointer *ret,
                         GError **error)
{
    g_autoptr(SlPermissionResponse) old = NULL;
    g_autoptr(SlPermissionResponse) gone = NULL;
    return load(ctx, in->permission_id, &old, error) &&
           (old->permission_type != SL_PERMISSION_TYPE_INSTANCE_ADMIN ||
            server_permission_keep_admin(ctx, old->user_id, error)) &&
           sl_sql_permission_delete(ctx->tx, in->permission_id, &gone, error);
}
