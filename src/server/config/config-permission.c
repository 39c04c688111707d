/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "server-page.h"
#include "server-permission.h"
#include "server-routes.h"
#include "server-scope.h"
#include "sl-error.h"
#include "sl-sql.h"

static const char *const nowhere[] = {NULL};

gboolean
server_config_permission_update(ServerCtx *ctx, const SlConfigPermissionUpdate *in, gpointer *ret,
                                GError **error)
{
    g_autoptr(SlPermissionResponse) row = NULL;
    if (!sl_record_has(&sl_config_permission_update_record, in,
                       SL_CONFIG_PERMISSION_UPDATE_PERMISSION_TYPE))
        return sl_error_set(error, SL_ERROR_INVALID, "permissionType: is required");
    return server_permission_change(ctx, in->permission_id, in->permission_type, &row, error);
}

gboolean
server_config_permission_list_by_user(ServerCtx *ctx, const SlConfigUserIdRequest *in,
                                      SlConfigPermissionList **ret, GError **error)
{
    GPtrArray *rows = NULL;
    if (!sl_sql_permission_list(ctx->tx, in->user_id, NULL, &rows, error))
        return FALSE;
    *ret = sl_config_permission_list_new();
    g_ptr_array_set_free_func(rows, NULL);
    (*ret)->permissions = rows;
    return TRUE;
}

static gboolean
check(ServerCtx *ctx, const char *user_id, const char *const *workspaces,
      const char *organization_id, int permission_type, SlConfigPermissionCheckRead **ret,
      GError **error)
{
    ServerRoles roles = SERVER_ROLES_NONE;
    if (!server_scope_roles_of(ctx, user_id, workspaces, organization_id, &roles, error))
        return FALSE;
    gboolean held = server_permission_is_held(permission_type, roles);
    *ret = sl_config_permission_check_read_new();
    sl_config_permission_check_read_set_status(
        *ret, held ? SL_CONFIG_PERMISSION_CHECK_READ_STATUS_SUCCEEDED
                   : SL_CONFIG_PERMISSION_CHECK_READ_STATUS_FAILED);
    if (!held)
        (*ret)->message = g_strdup_printf("User does not have the permission '%s' here.",
                                          sl_enum_name(&sl_permission_type_enum, permission_type));
    return TRUE;
}

gboolean
server_config_permission_check(ServerCtx *ctx, const SlConfigPermissionCheck *in,
                               SlConfigPermissionCheckRead **ret, GError **error)
{
    const char *one[] = {in->workspace_id, NULL};
    if (in->workspace_id != NULL && in->organization_id != NULL)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "organizationId: not together with workspaceId");
    return check(ctx, in->user_id, one, in->organization_id, in->permission_type, ret, error);
}

gboolean
server_config_permission_check_multiple(ServerCtx *ctx, const SlConfigPermissionCheckMultiple *in,
                                        SlConfigPermissionCheckRead **ret, GError **error)
{
    const char *const *ids =
        in->workspace_ids != NULL ? (const char *const *)in->workspace_ids : nowhere;
    return server_page_check(in->workspace_ids, 0, error) &&
           check(ctx, in->user_id, ids, NULL, in->permission_type, ret, error);
}

gboolean
server_config_permission_delete_user(ServerCtx *ctx, const SlConfigPermissionDeleteUser *in,
                                     gpointer *ret, GError **error)
{
    return sl_sql_permission_delete_in_workspace(ctx->tx, in->user_id, in->workspace_id, NULL,
                                                 error);
}
