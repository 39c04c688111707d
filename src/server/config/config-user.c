/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "server-permission.h"
#include "server-routes.h"
#include "server-user.h"
#include "sl-error.h"
#include "sl-sql.h"

static SlConfigUserRead *
make_read(const SlAccount *row)
{
    SlConfigUserRead *user = sl_config_user_read_new();
    user->user_id = g_strdup(row->user_id);
    user->email = g_strdup(row->email);
    user->name = g_strdup(row->name);
    user->default_workspace_id = g_strdup(row->default_workspace_id);
    user->company_name = g_strdup(row->company_name);
    user->metadata = g_strdup(row->metadata);
    sl_config_user_read_set_status(user, row->status);
    sl_config_user_read_set_news(user, row->news);
    return user;
}

static gboolean
give(ServerCtx *ctx, const char *user_id, SlConfigUserRead **ret, GError **error)
{
    g_autoptr(SlAccount) row = NULL;
    if (!server_user_load(ctx, user_id, &row, error))
        return FALSE;
    *ret = make_read(row);
    return TRUE;
}

gboolean
server_config_user_get(ServerCtx *ctx, const SlConfigUserIdRequest *in, SlConfigUserRead **ret,
                       GError **error)
{
    return give(ctx, in->user_id, ret, error);
}

gboolean
server_config_user_get_by_auth_id(ServerCtx *ctx, const SlConfigUserAuthIdRequest *in,
                                  SlConfigUserRead **ret, GError **error)
{
    return give(ctx, in->auth_user_id, ret, error);
}

/* Nobody is created: who can ask has an account. */
gboolean
server_config_user_get_or_create_by_auth_id(ServerCtx *ctx, const SlConfigUserAuthIdRequest *in,
                                            SlConfigUserGetOrCreate **ret, GError **error)
{
    SlConfigUserRead *user = NULL;
    if (!give(ctx, in->auth_user_id, &user, error))
        return FALSE;
    *ret = sl_config_user_get_or_create_new();
    (*ret)->user_read = user;
    (*ret)->auth_user_id = g_strdup(in->auth_user_id);
    (*ret)->auth_provider = g_strdup("airbyte");
    sl_config_user_get_or_create_set_new_user_created(*ret, FALSE);
    return TRUE;
}

gboolean
server_config_user_get_by_email(ServerCtx *ctx, const SlConfigUserEmailRequest *in,
                                SlConfigUserRead **ret, GError **error)
{
    g_autoptr(SlAccount) row = NULL;
    if (!sl_sql_account_get_by_email(ctx->tx, in->email, &row, error))
        return FALSE;
    if (row == NULL)
        return sl_error_set(error, SL_ERROR_NOT_FOUND, "nobody has the e-mail '%s'", in->email);
    *ret = make_read(row);
    return TRUE;
}

/* --- lists ------------------------------------------------------------------------------------ */

gboolean
server_config_user_list_instance_admin(ServerCtx *ctx, gconstpointer in,
                                       SlConfigAdminUserList **ret, GError **error)
{
    GPtrArray *rows = NULL;
    if (!sl_sql_account_list_admins(ctx->tx, &rows, error))
        return FALSE;
    *ret = sl_config_admin_user_list_new();
    g_ptr_array_set_free_func(rows, NULL);
    (*ret)->users = rows;
    return TRUE;
}

gboolean
server_config_user_list_by_organization_id(ServerCtx *ctx, const SlConfigOrganizationIdRequest *in,
                                           SlConfigOrganizationUserList **ret, GError **error)
{
    GPtrArray *rows = NULL;
    if (!sl_sql_account_list_of_organization(ctx->tx, in->organization_id, &rows, error))
        return FALSE;
    *ret = sl_config_organization_user_list_new();
    g_ptr_array_set_free_func(rows, NULL);
    (*ret)->users = rows;
    return TRUE;
}

static SlPermissionResponse *
make_permission(const SlAccessRow *row)
{
    SlPermissionResponse *permission = sl_permission_response_new();
    permission->permission_id = g_strdup(row->permission_id);
    permission->user_id = g_strdup(row->user_id);
    sl_permission_response_set_permission_type(permission, row->permission_type);
    permission->organization_id = g_strdup(row->organization_id);
    if (row->organization_id == NULL)
        permission->workspace_id = g_strdup(row->workspace_id);
    return permission;
}

/* Rows of one person follow each other; of several permissions of a kind the first is told. */
gboolean
server_config_user_list_access(ServerCtx *ctx, const SlConfigWorkspaceIdRequest *in,
                               SlConfigAccessInfoList **ret, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    SlConfigAccessInfo *last = NULL;
    if (!sl_sql_account_list_access(ctx->tx, in->workspace_id, &rows, error))
        return FALSE;
    *ret = sl_config_access_info_list_new();
    (*ret)->users_with_access = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++) {
        const SlAccessRow *row = rows->pdata[i];
        if (last == NULL || strcmp(last->user_id, row->user_id) != 0) {
            last = sl_config_access_info_new();
            last->user_id = g_strdup(row->user_id);
            last->user_email = g_strdup(row->email);
            last->user_name = g_strdup(row->name);
            last->workspace_id = g_strdup(row->workspace_id);
            g_ptr_array_add((*ret)->users_with_access, last);
        }
        SlPermissionResponse **place = row->organization_id != NULL ? &last->organization_permission
                                                                    : &last->workspace_permission;
        if (*place == NULL)
            *place = make_permission(row);
    }
    return TRUE;
}

/* --- changes ---------------------------------------------------------------------------------- */

gboolean
server_config_user_update(ServerCtx *ctx, const SlConfigUserUpdate *in, SlConfigUserRead **ret,
                          GError **error)
{
    const SlRecord *record = &sl_config_user_update_record;
    g_autoptr(SlAccount) row = NULL;
    gboolean has_status = sl_record_has(record, in, SL_CONFIG_USER_UPDATE_STATUS);
    const char *news = !sl_record_has(record, in, SL_CONFIG_USER_UPDATE_NEWS) ? NULL
                       : in->news                                             ? "true"
                                                                              : "false";
    if (has_status && !ctx->caller.admin)
        return sl_error_set(error, SL_ERROR_FORBIDDEN,
                            "status: only an administrator of the instance changes it");
    if (has_status && in->status == SL_ACCOUNT_STATUS_DISABLED &&
        !server_permission_keep_admin(ctx, in->user_id, error))
        return FALSE;
    if (!sl_sql_account_update(
            ctx->tx, in->user_id, in->name, in->company_name, news, in->default_workspace_id,
            in->metadata, has_status ? sl_enum_name(&sl_account_status_enum, in->status) : NULL,
            ctx->now, &row, error))
        return FALSE;
    if (row == NULL)
        return sl_error_set(error, SL_ERROR_NOT_FOUND, "user '%s' does not exist", in->user_id);
    *ret = make_read(row);
    return TRUE;
}

gboolean
server_config_user_delete(ServerCtx *ctx, const SlConfigUserIdRequest *in, gpointer *ret,
                          GError **error)
{
    gint64 n = 0;
    return server_permission_keep_admin(ctx, in->user_id, error) &&
           sl_sql_account_disable(ctx->tx, in->user_id, ctx->now, &n, error) &&
           (n > 0 ||
            sl_error_set(error, SL_ERROR_NOT_FOUND, "user '%s' does not exist", in->user_id));
}
