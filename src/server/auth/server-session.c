/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-session.h"

#include <string.h>

#include "server-auth.h"
#include "server-password.h"
#include "server-routes.h"
#include "server-throttle.h"
#include "sl-error.h"
#include "sl-id.h"
#include "sl-sql.h"

/* --- cookies ---------------------------------------------------------------------------------- */

char *
server_session_dup_cookie(const SlHttpRequest *request, const char *name)
{
    const char *header = sl_http_request_get_header(request, "Cookie");
    gsize n = strlen(name);
    g_auto(GStrv) pairs = g_strsplit_set(header != NULL ? header : "", ";,", -1);
    for (char **pair = pairs; *pair != NULL; pair++) {
        const char *text = g_strstrip(*pair);
        if (strncmp(text, name, n) == 0 && text[n] == '=')
            return g_strdup(text + n + 1);
    }
    return NULL;
}

static void
set_cookie(ServerCtx *ctx, const char *name, const char *value, gint64 usec)
{
    gboolean secure = g_ascii_strncasecmp(ctx->server->public_url, "https:", 6) == 0;
    g_autofree char *text = g_strdup_printf(
        "%s=%s; Path=/api; Max-Age=%" G_GINT64_FORMAT "; HttpOnly; SameSite=Strict%s", name, value,
        usec / G_USEC_PER_SEC, secure ? "; Secure" : "");
    server_ctx_add_header(ctx, "Set-Cookie", text);
}

static void
clear_cookies(ServerCtx *ctx)
{
    set_cookie(ctx, SERVER_COOKIE_ACCESS, "", 0);
    set_cookie(ctx, SERVER_COOKIE_REFRESH, "", 0);
}

/* "https://host:port" of a URL. */
static char *
origin_of(const char *url)
{
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
    if (uri == NULL || g_uri_get_host(uri) == NULL)
        return NULL;
    return g_uri_join(G_URI_FLAGS_NONE, g_uri_get_scheme(uri), NULL, g_uri_get_host(uri),
                      g_uri_get_port(uri), "", NULL, NULL);
}

/* Is the page that asks served by the host that is asked? */
static gboolean
is_own_host(const SlHttpRequest *request, const char *origin)
{
    const char *host = sl_http_request_get_header(request, "Host");
    const char *after = strstr(origin, "://");
    return host != NULL && after != NULL && g_ascii_strcasecmp(after + 3, host) == 0;
}

gboolean
server_session_check_origin(const Server *server, const SlHttpRequest *request, GError **error)
{
    const char *site = sl_http_request_get_header(request, "Sec-Fetch-Site");
    const char *origin = sl_http_request_get_header(request, "Origin");
    g_autofree char *ours = origin_of(server->public_url);
    gboolean ok = FALSE;
    if (site != NULL)
        ok = strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
    else if (origin != NULL)
        ok = g_strcmp0(origin, ours) == 0 || is_own_host(request, origin);
    return ok || sl_error_set(error, SL_ERROR_FORBIDDEN,
                              "a cookie counts only for requests of our own pages: send "
                              "Sec-Fetch-Site or Origin, or use a token");
}

/* --- passwords -------------------------------------------------------------------------------- */

/* Counts by account and by peer: many accounts from one place are as suspicious as many places for
 * one account. */
static gboolean
throttle(ServerCtx *ctx, const char *email, GError **error)
{
    g_autofree char *peer = g_strconcat("peer ", ctx->request->peer.address, NULL);
    gint64 now = g_get_monotonic_time();
    guint wait = server_throttle_begin(ctx->server->throttle, peer, now);
    if (wait == 0)
        wait = server_throttle_begin(ctx->server->throttle, email, now);
    if (wait == 0)
        return TRUE;
    g_autofree char *seconds = g_strdup_printf("%u", wait);
    server_ctx_add_header(ctx, "Retry-After", seconds);
    return sl_error_set(error, SL_ERROR_THROTTLED, "too many failed logins: wait %u s", wait);
}

static void
forgive(ServerCtx *ctx, const char *email)
{
    g_autofree char *peer = g_strconcat("peer ", ctx->request->peer.address, NULL);
    server_throttle_success(ctx->server->throttle, email, TRUE);
    server_throttle_success(ctx->server->throttle, peer, FALSE);
}

/* A password of somebody who is not there takes as long as a wrong one. */
static gboolean
verify(ServerCtx *ctx, const char *password, const char *hash, gboolean *ret, GError **error)
{
    g_autofree char *made = NULL;
    if (hash != NULL)
        return server_password_verify(ctx, password, hash, ret, error);
    *ret = FALSE;
    return server_password_hash(ctx, password, &made, error);
}

gboolean
server_session_login_check(ServerCtx *ctx, const char *email, const char *password, SlAccount **ret,
                           GError **error)
{
    g_autoptr(SlAccount) account = NULL;
    gboolean matches = FALSE, asked;
    if (!sl_sql_account_get_by_email(ctx->tx, email, &account, error))
        return FALSE;
    const char *hash = account != NULL && account->status != SL_ACCOUNT_STATUS_DISABLED
                           ? account->password_hash
                           : NULL;
    asked = server_password_is_known(ctx, password, hash);
    if ((!asked && !throttle(ctx, email, error)) || !verify(ctx, password, hash, &matches, error))
        return FALSE;
    if (ctx->waiting)
        return TRUE;
    if (!matches)
        return sl_error_set(error, SL_ERROR_UNAUTHENTICATED, "e-mail or password is wrong");
    if (ctx->hashes != NULL)
        forgive(ctx, email);
    *ret = g_steal_pointer(&account);
    return TRUE;
}

/* --- sessions --------------------------------------------------------------------------------- */

static gboolean
list_roles(ServerCtx *ctx, const char *user_id, char ***ret, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    g_autoptr(GStrvBuilder) roles = g_strv_builder_new();
    guint64 seen = 0;
    if (!sl_sql_permission_list(ctx->tx, user_id, NULL, &rows, error))
        return FALSE;
    for (guint i = 0; i < rows->len; i++) {
        int type = ((SlPermissionResponse *)rows->pdata[i])->permission_type;
        if ((seen & G_GUINT64_CONSTANT(1) << type) == 0)
            g_strv_builder_add(roles, sl_enum_name(&sl_permission_type_enum, type));
        seen |= G_GUINT64_CONSTANT(1) << type;
    }
    *ret = g_strv_builder_end(roles);
    return TRUE;
}

/* The access token, in a cookie and in the answer. */
static gboolean
give_access(ServerCtx *ctx, const SlAccount *account, const char *session_id, SlLoginResponse **ret,
            GError **error)
{
    gint64 usec = ctx->server->session_token_usec;
    SlLoginResponse *login = *ret = sl_login_response_new();
    login->username = g_strdup(account->email);
    login->user_id = g_strdup(account->user_id);
    login->access_token =
        server_token_make(ctx->server, account->user_id, NULL, session_id, ctx->now, usec);
    login->token_type = g_strdup("Bearer");
    sl_login_response_set_expires_in(login, usec / G_USEC_PER_SEC);
    set_cookie(ctx, SERVER_COOKIE_ACCESS, login->access_token, usec);
    return list_roles(ctx, account->user_id, &login->roles, error);
}

/* "SESSION.SECRET"; only the hash of the secret rests with us. */
static char *
give_refresh(ServerCtx *ctx, const char *session_id, const char *secret, gint64 usec)
{
    g_autofree char *token = g_strconcat(session_id, ".", secret, NULL);
    set_cookie(ctx, SERVER_COOKIE_REFRESH, token, usec);
    return server_secret_hash(secret);
}

/* The same password under today's cost. */
static gboolean
rehash(ServerCtx *ctx, const SlAccount *account, const char *password, GError **error)
{
    g_autofree char *made = NULL;
    if (!server_password_is_old(ctx, account->password_hash))
        return TRUE;
    return server_password_hash(ctx, password, &made, error) &&
           (ctx->waiting || sl_sql_account_rehash(ctx->tx, account->user_id, account->password_hash,
                                                  made, NULL, error));
}

gboolean
server_session_login(ServerCtx *ctx, const SlLoginRequest *in, SlLoginResponse **ret,
                     GError **error)
{
    g_autoptr(SlAccount) account = NULL;
    g_autofree char *id = sl_id_new(), *hash = NULL, *secret = NULL;
    gint64 usec = ctx->server->session_usec;
    /* nobody logs a browser in from a foreign page; who is no browser sends neither header */
    gboolean browser = sl_http_request_get_header(ctx->request, "Sec-Fetch-Site") != NULL ||
                       sl_http_request_get_header(ctx->request, "Origin") != NULL;
    if ((browser && !server_session_check_origin(ctx->server, ctx->request, error)) ||
        !server_session_login_check(ctx, in->username, in->password, &account, error))
        return FALSE;
    if (ctx->waiting)
        return TRUE;
    if (!rehash(ctx, account, in->password, error))
        return FALSE;
    if (ctx->waiting)
        return TRUE;
    secret = sl_id_new_secret(error);
    if (secret == NULL)
        return FALSE;
    hash = give_refresh(ctx, id, secret, usec);
    return sl_sql_session_add(ctx->tx, id, account->user_id, hash, ctx->now, ctx->now + usec, NULL,
                              error) &&
           give_access(ctx, account, id, ret, error);
}

/* The session of the refresh cookie, locked; *ret_secret is what the cookie says. */
static gboolean
load_session(ServerCtx *ctx, SlSession **ret, char **ret_secret, GError **error)
{
    g_autofree char *cookie = server_session_dup_cookie(ctx->request, SERVER_COOKIE_REFRESH);
    char *dot = cookie != NULL ? strchr(cookie, '.') : NULL;
    if (dot == NULL)
        return TRUE;
    *dot = '\0';
    if (!g_uuid_string_is_valid(cookie))
        return TRUE;
    *ret_secret = g_strdup(dot + 1);
    return sl_sql_session_lock(ctx->tx, cookie, ctx->now, ret, error);
}

ServerRefresh
server_session_judge(const SlSession *session, const char *secret, gint64 now)
{
    if (server_secret_matches(secret, session->refresh_hash))
        return SERVER_REFRESH_CURRENT;
    return now - session->rotated_at < SERVER_SESSION_GRACE_USEC &&
                   server_secret_matches(secret, session->previous_hash)
               ? SERVER_REFRESH_GRACE
               : SERVER_REFRESH_USED;
}

/* Nothing that is signed with the key begins with these words. */
char *
server_session_next_secret(const Server *server, const SlSession *session, const char *secret)
{
    gsize size;
    const guint8 *key = g_bytes_get_data(server->token_key, &size);
    g_autofree char *text =
        g_strconcat("the refresh token after ", session->session_id, ".", secret, NULL);
    return g_compute_hmac_for_string(G_CHECKSUM_SHA256, key, size, text, -1);
}

gboolean
server_session_refresh(ServerCtx *ctx, gconstpointer in, SlLoginResponse **ret, GError **error)
{
    g_autoptr(SlSession) session = NULL;
    g_autoptr(SlAccount) account = NULL;
    g_autofree char *secret = NULL, *next = NULL, *hash = NULL;
    if (!server_session_check_origin(ctx->server, ctx->request, error) ||
        !load_session(ctx, &session, &secret, error))
        return FALSE;
    if (session == NULL) {
        clear_cookies(ctx);
        return sl_error_set(error, SL_ERROR_UNAUTHENTICATED, "there is no session: log in");
    }
    ServerRefresh kind = server_session_judge(session, secret, ctx->now);
    if (kind == SERVER_REFRESH_USED) {
        clear_cookies(ctx);
        server_ctx_refuse(ctx, SL_ERROR_UNAUTHENTICATED,
                          "this refresh token was used before: the session has ended");
        return sl_sql_session_delete(ctx->tx, session->session_id, NULL, error);
    }
    next = server_session_next_secret(ctx->server, session, secret);
    /* the key has been changed meanwhile: then what was given is not known, and stays good */
    if (kind == SERVER_REFRESH_CURRENT || server_secret_matches(next, session->refresh_hash))
        hash = give_refresh(ctx, session->session_id, next, session->expires_at - ctx->now);
    return sl_sql_account_get(ctx->tx, session->user_id, &account, error) &&
           (kind != SERVER_REFRESH_CURRENT ||
            sl_sql_session_rotate(ctx->tx, session->session_id, hash, ctx->now, NULL, error)) &&
           give_access(ctx, account, session->session_id, ret, error);
}

gboolean
server_session_logout(ServerCtx *ctx, gconstpointer in, gpointer *ret, GError **error)
{
    g_autoptr(SlSession) session = NULL;
    g_autofree char *secret = NULL;
    if (!server_session_check_origin(ctx->server, ctx->request, error) ||
        !load_session(ctx, &session, &secret, error))
        return FALSE;
    clear_cookies(ctx);
    /* only who has a token of the session ends it */
    gboolean held = session != NULL && (server_secret_matches(secret, session->refresh_hash) ||
                                        server_secret_matches(secret, session->previous_hash));
    return !held || sl_sql_session_delete(ctx->tx, session->session_id, NULL, error);
}

gboolean
server_password_change(ServerCtx *ctx, const SlPasswordRequest *in, gpointer *ret, GError **error)
{
    g_autoptr(SlAccount) account = NULL;
    g_autoptr(SlAccount) checked = NULL;
    g_autoptr(SlAccount) changed = NULL;
    g_autofree char *made = NULL;
    if (!sl_sql_account_get(ctx->tx, ctx->caller.user_id, &account, error))
        return FALSE;
    if (account == NULL || account->password_hash == NULL)
        return sl_error_set(error, SL_ERROR_CONFLICT,
                            "this account has no password: a setup link sets one");
    if (!server_session_login_check(ctx, account->email, in->old_password, &checked, error))
        return FALSE;
    if (ctx->waiting)
        return TRUE;
    if (!server_password_hash(ctx, in->new_password, &made, error))
        return FALSE;
    return ctx->waiting || sl_sql_account_set_login(ctx->tx, account->user_id, NULL, NULL, made,
                                                    ctx->now, &changed, error);
}
