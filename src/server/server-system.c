/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "server-auth.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-id.h"
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

/* --- tokens and applications ------------------------------------------------------------------ */

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
    token->access_token =
        server_token_make(ctx->server, row->user_id, row->application_id, NULL, ctx->now);
    token->token_type = g_strdup("Bearer");
    sl_token_response_set_expires_in(token, SERVER_TOKEN_SECONDS);
    return TRUE;
}

static SlApplicationResponse *
make_application(const SlApplicationRow *row, const char *secret)
{
    SlApplicationResponse *application = sl_application_response_new();
    application->id = g_strdup(row->application_id);
    application->name = g_strdup(row->name);
    application->client_id = g_strdup(row->client_id);
    application->client_secret = g_strdup(secret != NULL ? secret : SL_MASK);
    sl_application_response_set_created_at(application, row->created_at / G_USEC_PER_SEC);
    return application;
}

gboolean
server_application_list(ServerCtx *ctx, gconstpointer in, SlApplicationPage **ret, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    if (!sl_sql_application_list(ctx->tx, &rows, error))
        return FALSE;
    *ret = sl_application_page_new();
    (*ret)->applications = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++)
        g_ptr_array_add((*ret)->applications, make_application(rows->pdata[i], NULL));
    return TRUE;
}

/* 256 bits from the kernel: GLib's random numbers are not made for secrets. */
static char *
new_secret(GError **error)
{
    guint8 bytes[32];
    GString *hex = g_string_new(NULL);
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes)) {
        sl_error_set_errno(error, errno, "getrandom");
        g_string_free(hex, TRUE);
        return NULL;
    }
    for (gsize i = 0; i < sizeof(bytes); i++)
        g_string_append_printf(hex, "%02x", bytes[i]);
    return g_string_free(hex, FALSE);
}

gboolean
server_application_create(ServerCtx *ctx, const SlApplicationCreateRequest *in,
                          SlApplicationResponse **ret, GError **error)
{
    g_autoptr(SlApplicationRow) row = NULL;
    g_autofree char *id = sl_id_new(), *client = sl_id_new(), *secret = new_secret(error);
    if (secret == NULL)
        return FALSE;
    g_autofree char *hash = server_secret_hash(secret);
    if (!sl_sql_application_add(ctx->tx, id, ctx->caller.user_id, in->name, client, hash, ctx->now,
                                &row, error))
        return FALSE;
    *ret = make_application(row, secret);
    return TRUE;
}

static gboolean
give_application(const SlApplicationRow *row, const SlApplicationIdRequest *in,
                 SlApplicationResponse **ret, GError **error)
{
    if (row == NULL)
        return sl_error_set(error, SL_ERROR_NOT_FOUND, "application '%s' does not exist",
                            in->application_id);
    *ret = make_application(row, NULL);
    return TRUE;
}

gboolean
server_application_get(ServerCtx *ctx, const SlApplicationIdRequest *in,
                       SlApplicationResponse **ret, GError **error)
{
    g_autoptr(SlApplicationRow) row = NULL;
    return sl_sql_application_get(ctx->tx, in->application_id, &row, error) &&
           give_application(row, in, ret, error);
}

gboolean
server_application_delete(ServerCtx *ctx, const SlApplicationIdRequest *in,
                          SlApplicationResponse **ret, GError **error)
{
    g_autoptr(SlApplicationRow) row = NULL;
    return sl_sql_application_delete(ctx->tx, in->application_id, &row, error) &&
           give_application(row, in, ret, error);
}
