/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "server-auth.h"
#include "server-password.h"
#include "server-routes.h"
#include "server-session.h"
#include "server-user.h"
#include "sl-error.h"
#include "sl-id.h"
#include "sl-sql.h"

/* The token is behind '#', so that it does not get into logs of proxies. */
gboolean
server_setup_link_make(ServerCtx *ctx, const char *user_id, SlSetupLink **ret, GError **error)
{
    gint64 expires = ctx->now + ctx->server->setup_link_usec;
    g_autofree char *token = sl_id_new_secret(error);
    if (token == NULL)
        return FALSE;
    g_autofree char *hash = server_secret_hash(token);
    if (!sl_sql_setup_token_add(ctx->tx, hash, user_id, ctx->now, expires, NULL, error))
        return FALSE;
    *ret = sl_setup_link_new();
    (*ret)->user_id = g_strdup(user_id);
    (*ret)->url = g_strconcat(ctx->server->public_url, "/setup#token=", token, NULL);
    sl_setup_link_set_expires_at(*ret, expires);
    return TRUE;
}

/* For who has lost the first link, or the administrator's password: root on the host. */
gboolean
server_setup_link(ServerCtx *ctx, gconstpointer in, SlSetupLink **ret, GError **error)
{
    if (!ctx->caller.local_root)
        return sl_error_set(error, SL_ERROR_FORBIDDEN,
                            "only root on the host makes a setup link (sluicectl setup-link)");
    return server_setup_link_make(ctx, SERVER_DEFAULT_USER, ret, error);
}

gboolean
server_setup_is_complete(ServerCtx *ctx, gboolean *ret, GError **error)
{
    gint64 n = 0;
    if (!sl_sql_account_count_with_password(ctx->tx, &n, error))
        return FALSE;
    *ret = n > 0;
    return TRUE;
}

/* The organization's address is the one that clients of the reference log in with. */
static gboolean
name_organization(ServerCtx *ctx, const SlAccount *account, GError **error)
{
    return strcmp(account->user_id, SERVER_DEFAULT_USER) != 0 ||
           sl_sql_organization_set_default_email(ctx->tx, account->email, NULL, error);
}

gboolean
server_setup_finish(ServerCtx *ctx, const char *token, const char *email, const char *name,
                    const char *password, SlAccount **ret, GError **error)
{
    g_autoptr(SlAccount) account = NULL;
    g_autofree char *hash = server_secret_hash(token), *made = NULL;
    if (!sl_sql_setup_token_lock(ctx->tx, hash, ctx->now, &account, error))
        return FALSE;
    if (account == NULL)
        return sl_error_set(error, SL_ERROR_FORBIDDEN,
                            "the link was used before, has expired, or is none of ours");
    if (email == NULL && account->email[0] == '\0')
        return sl_error_set(error, SL_ERROR_INVALID, "email: is required");
    if ((email != NULL && !server_user_check_email(email, error)) ||
        !server_password_hash(ctx, password, &made, error))
        return FALSE;
    return ctx->waiting || (sl_sql_account_set_login(ctx->tx, account->user_id, email, name, made,
                                                     ctx->now, ret, error) &&
                            sl_sql_setup_token_use(ctx->tx, hash, ctx->now, NULL, error) &&
                            name_organization(ctx, *ret, error));
}

gboolean
server_setup_complete(ServerCtx *ctx, const SlSetupRequest *in, SlSetupResponse **ret,
                      GError **error)
{
    g_autoptr(SlAccount) account = NULL;
    if (!server_setup_finish(ctx, in->token, in->email, in->name, in->password, &account, error))
        return FALSE;
    if (account == NULL)
        return TRUE; /* waiting */
    *ret = sl_setup_response_new();
    (*ret)->user_id = g_strdup(account->user_id);
    (*ret)->email = g_strdup(account->email);
    return TRUE;
}
