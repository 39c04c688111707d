/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "server-routes.h"
#include "sl-error.h"
#include "sl-secret.h"
#include "sl-sql.h"

gboolean
server_health_get(ServerCtx *ctx, gconstpointer in, char **ret, GError **error)
{
    if (!sl_db_ping(ctx->server->db, error))
        return FALSE;
    *ret = g_strdup("Successful operation"); /* not JSON; clients expect exactly this */
    return TRUE;
}

gboolean
server_health_status(ServerCtx *ctx, gconstpointer in, SlHealthResponse **ret, GError **error)
{
    *ret = sl_health_response_new();
    sl_health_response_set_available(*ret, sl_db_ping(ctx->server->db, NULL));
    return TRUE;
}

gboolean
server_openapi_get(ServerCtx *ctx, gconstpointer in, char **ret, GError **error)
{
    if (ctx->server->openapi == NULL)
        return sl_error_set(error, SL_ERROR_NOT_FOUND, "the description is not installed");
    *ret = g_strdup(ctx->server->openapi);
    return TRUE;
}

gboolean
server_status_get(ServerCtx *ctx, gconstpointer in, SlStatusResponse **ret, GError **error)
{
    if (!sl_sql_status_get(ctx->tx, ctx->now, ret, error))
        return FALSE;
    (*ret)->version = g_strdup(PACKAGE_VERSION);
    return TRUE;
}

gboolean
server_secret_keys(ServerCtx *ctx, gconstpointer in, SlSecretKeys **ret, GError **error)
{
    SlSecretCount secrets, applications;
    const SlSealKey *key = ctx->server->seal_key;
    if (key == NULL)
        return sl_error_set(error, SL_ERROR_CONFIG,
                            "this host has no master key (credential 'sluice-master-key')");
    if (!sl_secret_count(ctx->tx, key, &secrets, &applications, error))
        return FALSE;
    SlSecretKeys *keys = *ret = sl_secret_keys_new();
    keys->key_ids = g_strdupv((char **)sl_seal_key_ids(key));
    sl_secret_keys_set_secrets_current(keys, secrets.current);
    sl_secret_keys_set_secrets_older(keys, secrets.older);
    sl_secret_keys_set_secrets_lost(keys, secrets.lost);
    sl_secret_keys_set_applications_current(keys, applications.current);
    sl_secret_keys_set_applications_older(keys, applications.older);
    sl_secret_keys_set_applications_lost(keys, applications.lost);
    return TRUE;
}
