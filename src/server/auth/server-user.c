/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-user.h"

#include <string.h>

#include "server-routes.h"
#include "server-scope.h"
#include "sl-error.h"
#include "sl-id.h"
#include "sl-sql.h"

gboolean
server_user_load(ServerCtx *ctx, const char *user_id, SlAccount **ret, GError **error)
{
    return sl_sql_account_get(ctx->tx, user_id, ret, error) &&
           (*ret != NULL ||
            sl_error_set(error, SL_ERROR_NOT_FOUND, "user '%s' does not exist", user_id));
}

static const char *const *
or_none(char **list)
{
    static const char *const none[] = {NULL};
    return list != NULL ? (const char *const *)list : none;
}

gboolean
server_user_list(ServerCtx *ctx, const SlUserListRequest *in, SlUserList **ret, GError **error)
{
    const char *const *ids = or_none(in->ids), *const *emails = or_none(in->emails);
    GPtrArray *rows = NULL;
    if (ids[0] != NULL && emails[0] != NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "emails: not together with ids");
    for (guint i = 0; ids[i] != NULL; i++)
        if (!g_uuid_string_is_valid(ids[i]))
            return sl_error_set(error, SL_ERROR_INVALID, "ids: '%s' is no UUID", ids[i]);
    if (!sl_sql_account_find(ctx->tx, in->organization_id, ids, emails, &rows, error))
        return FALSE;
    *ret = sl_user_list_new();
    g_ptr_array_set_free_func(rows, NULL);
    (*ret)->data = rows;
    return TRUE;
}

/* --- invitations ------------------------------------------------------------------------------ */

/* Not who may have which address: only that a slip of the keyboard is told. */
gboolean
server_user_check_email(const char *email, GError **error)
{
    const char *at = strchr(email, '@');
    return (at != NULL && at != email && at[1] != '\0' && strpbrk(email, " \t\r\n") == NULL) ||
           sl_error_set(error, SL_ERROR_INVALID, "email: '%s' is no e-mail address", email);
}

gboolean
server_user_invite(ServerCtx *ctx, const SlUserInviteRequest *in, SlSetupLink **ret, GError **error)
{
    g_autoptr(SlAccount) row = NULL;
    g_autofree char *id = sl_id_new();
    return server_user_check_email(in->email, error) &&
           sl_sql_account_add(ctx->tx, id, in->email, in->name != NULL ? in->name : "", ctx->now,
                              &row, error) &&
           server_setup_link_make(ctx, id, ret, error);
}

/* Who administrates the instance must not be able to take another administrator's account: that is
 * root's on the host (setup_link). */
gboolean
server_user_link(ServerCtx *ctx, const SlConfigUserIdRequest *in, SlSetupLink **ret, GError **error)
{
    static const char *const nowhere[] = {NULL};
    g_autoptr(SlAccount) user = NULL;
    ServerRoles roles = SERVER_ROLES_NONE;
    if (!server_user_load(ctx, in->user_id, &user, error) ||
        !server_scope_roles_of(ctx, in->user_id, nowhere, NULL, &roles, error))
        return FALSE;
    if (user->status == SL_ACCOUNT_STATUS_DISABLED)
        return sl_error_set(error, SL_ERROR_CONFLICT, "user '%s' is disabled", in->user_id);
    if ((roles & SERVER_ROLE_INSTANCE_ADMIN) != 0 && !ctx->caller.local_root)
        return sl_error_set(error, SL_ERROR_FORBIDDEN,
                            "a link for an administrator is made by root on the host only");
    return server_setup_link_make(ctx, in->user_id, ret, error);
}
