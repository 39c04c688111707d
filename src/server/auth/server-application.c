/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "server-auth.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-id.h"
#include "sl-sql.h"

gboolean
server_token_create(ServerCtx *ctx, const SlTokenRequest *in, gpointer *ret, GError **error)
{
    g_autoptr(SlApplicationRow) row = NULL;
    const char *grant = in->grant_type != NULL ? in->grant_type : in->grant_type_hyphen;
    if (grant != NULL && strcmp(grant, "client_credentials") != 0)
        return sl_error_set(error, SL_ERROR_INVALID, "grant_type: only client_credentials");
    if (!sl_sql_application_get_by_client(ctx->tx, in->client_id, &row, error))
        return FALSE;
    if (row == NULL || !server_secret_matches(in->client_secret, row->client_secret_hash))
        return sl_error_set(error, SL_ERROR_UNAUTHENTICATED, "client_id or client_secret is wrong");
    SlTokenResponse *token = *ret = sl_token_response_new();
    token->access_token = server_token_make(ctx->server, row->user_id, row->application_id, NULL,
                                            ctx->now, ctx->server->token_usec);
    token->token_type = g_strdup("Bearer");
    sl_token_response_set_expires_in(token, ctx->server->token_usec / G_USEC_PER_SEC);
    return TRUE;
}

/* A secret that cannot be opened (another master key) is masked: the application goes on working,
 * because its hash is what counts. */
static SlApplicationResponse *
make_response(const ServerCtx *ctx, const SlApplicationRow *row)
{
    SlApplicationResponse *application = sl_application_response_new();
    if (row->client_secret_sealed != NULL && ctx->server->seal_key != NULL)
        application->client_secret =
            sl_unseal(ctx->server->seal_key, row->application_id, row->client_secret_sealed, NULL);
    if (application->client_secret == NULL)
        application->client_secret = g_strdup(SL_MASK);
    application->id = g_strdup(row->application_id);
    application->name = g_strdup(row->name);
    application->client_id = g_strdup(row->client_id);
    sl_application_response_set_created_at(application, row->created_at / G_USEC_PER_SEC);
    return application;
}

gboolean
server_application_list(ServerCtx *ctx, gconstpointer in, gpointer *ret, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    if (!sl_sql_application_list(ctx->tx, ctx->caller.user_id, &rows, error))
        return FALSE;
    SlApplicationPage *page = *ret = sl_application_page_new();
    page->applications = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++)
        g_ptr_array_add(page->applications, make_response(ctx, rows->pdata[i]));
    return TRUE;
}

gboolean
server_application_create(ServerCtx *ctx, const SlApplicationCreateRequest *in, gpointer *ret,
                          GError **error)
{
    g_autoptr(SlApplicationRow) row = NULL;
    g_autofree char *id = sl_id_new(), *client = sl_id_new(), *sealed = NULL;
    g_autofree char *secret = sl_id_new_secret(error);
    if (secret == NULL)
        return FALSE;
    g_autofree char *hash = server_secret_hash(secret);
    if (ctx->server->seal_key != NULL) {
        sealed = sl_seal(ctx->server->seal_key, id, secret, error);
        if (sealed == NULL)
            return FALSE;
    }
    if (!sl_sql_application_add(ctx->tx, id, ctx->caller.user_id, in->name, client, hash, sealed,
                                ctx->now, &row, error))
        return FALSE;
    SlApplicationResponse *made = *ret = make_response(ctx, row);
    g_free(made->client_secret);
    made->client_secret = g_steal_pointer(&secret);
    return TRUE;
}

static gboolean
give(const ServerCtx *ctx, const SlApplicationRow *row, const char *application_id, gpointer *ret,
     GError **error)
{
    if (row == NULL)
        return sl_error_set(error, SL_ERROR_NOT_FOUND, "application '%s' does not exist",
                            application_id);
    *ret = make_response(ctx, row);
    return TRUE;
}

gboolean
server_application_get(ServerCtx *ctx, const SlApplicationIdRequest *in,
                       SlApplicationResponse **ret, GError **error)
{
    g_autoptr(SlApplicationRow) row = NULL;
    gpointer made = NULL;
    gboolean ok =
        sl_sql_application_get(ctx->tx, in->application_id, ctx->caller.user_id, &row, error) &&
        give(ctx, row, in->application_id, &made, error);
    *ret = made;
    return ok;
}

/* Its tokens end with it. */
gboolean
server_application_delete(ServerCtx *ctx, const SlApplicationIdRequest *in, gpointer *ret,
                          GError **error)
{
    g_autoptr(SlApplicationRow) row = NULL;
    return sl_sql_application_delete(ctx->tx, in->application_id, ctx->caller.user_id, &row,
                                     error) &&
           give(ctx, row, in->application_id, ret, error);
}
