/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-auth.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "server-session.h"
#include "sl-error.h"
#include "sl-json-write.h"
#include "sl-records.h"
#include "sl-sql.h"

#define AUDIENCE "airbyte-server"
#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"

/* --- tokens ---------------------------------------------------------------------------------- */

/* base64url without padding (RFC 7515). */
static char *
encode(const void *data, gsize len)
{
    char *text = g_base64_encode(data, len);
    g_strdelimit(text, "+", '-');
    g_strdelimit(text, "/", '_');
    text[strcspn(text, "=")] = '\0';
    return text;
}

static char *
decode(const char *text, gsize len, gsize *ret_len)
{
    g_autoptr(GString) copy = g_string_new_len(text, (gssize)len);
    g_strdelimit(copy->str, "-", '+');
    g_strdelimit(copy->str, "_", '/');
    while (copy->len % 4 != 0)
        g_string_append_c(copy, '=');
    return (char *)g_base64_decode(copy->str, ret_len);
}

static char *
sign(const Server *server, const char *text, gsize len)
{
    guint8 digest[32];
    gsize size = sizeof(digest), key_size;
    const guint8 *key = g_bytes_get_data(server->token_key, &key_size);
    g_autoptr(GHmac) hmac = g_hmac_new(G_CHECKSUM_SHA256, key, key_size);
    g_hmac_update(hmac, (const guchar *)text, (gssize)len);
    g_hmac_get_digest(hmac, digest, &size);
    return encode(digest, size);
}

char *
server_token_make(const Server *server, const char *user_id, const char *application_id,
                  const char *session_id, gint64 now, gint64 usec)
{
    g_autoptr(GString) claims = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(claims);
    gint64 second = now / G_USEC_PER_SEC;

    sl_json_begin_object(&w);
    sl_json_member_string(&w, "iss", server->public_url);
    sl_json_member_string(&w, "aud", AUDIENCE);
    sl_json_member_string(&w, "sub", user_id);
    if (application_id != NULL)
        sl_json_member_string(&w, "client_id", application_id);
    if (session_id != NULL)
        sl_json_member_string(&w, "sid", session_id);
    sl_json_member_int(&w, "iat", second);
    sl_json_member_int(&w, "exp", second + usec / G_USEC_PER_SEC);
    sl_json_end_object(&w);

    g_autofree char *head = encode(HEADER, strlen(HEADER));
    g_autofree char *body = encode(claims->str, claims->len);
    g_autofree char *text = g_strconcat(head, ".", body, NULL);
    g_autofree char *signature = sign(server, text, strlen(text));
    return g_strconcat(text, ".", signature, NULL);
}

/* Equal, in a time that tells nothing about where they differ. */
static gboolean
equals(const char *a, const char *b)
{
    gsize n = strlen(a);
    guint8 difference = 0;
    if (n != strlen(b))
        return FALSE;
    for (gsize i = 0; i < n; i++)
        difference |= (guint8)(a[i] ^ b[i]);
    return difference == 0;
}

/* A claim that is an id of ours; *ret stays NULL when it is not there. */
static gboolean
read_id(const SlJsonDoc *doc, const char *name, char **ret)
{
    const SlJsonNode *node = sl_json_get(doc, sl_json_root(doc), name);
    if (node == NULL)
        return TRUE;
    *ret = sl_json_dup_string(node);
    return *ret != NULL && g_uuid_string_is_valid(*ret);
}

static gboolean
claims_are_good(const Server *server, const SlJsonDoc *doc, gint64 now, ServerCaller *ret)
{
    gint64 expires = 0;
    const SlJsonNode *root = sl_json_root(doc);
    const SlJsonNode *issuer = sl_json_get(doc, root, "iss");
    const SlJsonNode *audience = sl_json_get(doc, root, "aud");
    const SlJsonNode *exp = sl_json_get(doc, root, "exp");
    return issuer != NULL && sl_json_string_is(issuer, server->public_url) && audience != NULL &&
           sl_json_string_is(audience, AUDIENCE) && exp != NULL &&
           sl_json_get_int64(exp, &expires) && now / G_USEC_PER_SEC < expires &&
           read_id(doc, "sub", &ret->user_id) && ret->user_id != NULL &&
           read_id(doc, "client_id", &ret->application_id) && read_id(doc, "sid", &ret->session_id);
}

/* The algorithm is ours, whatever the head says: it is compared as text. */
gboolean
server_token_check(const Server *server, const char *token, gint64 now, ServerCaller *ret,
                   GError **error)
{
    g_autofree char *head = encode(HEADER, strlen(HEADER));
    const char *body = strchr(token, '.');
    const char *signature = strrchr(token, '.');
    gsize len = 0;

    if (body == NULL || body == signature)
        return sl_error_set(error, SL_ERROR_UNAUTHENTICATED, "the token is not one of ours");
    g_autofree char *expected = sign(server, token, (gsize)(signature - token));
    if (strncmp(token, head, strlen(head)) != 0 || token[strlen(head)] != '.' ||
        !equals(signature + 1, expected))
        return sl_error_set(error, SL_ERROR_UNAUTHENTICATED, "the token is not one of ours");
    g_autofree char *claims = decode(body + 1, (gsize)(signature - body - 1), &len);
    g_autoptr(SlJsonDoc) doc = sl_json_read(claims, len, NULL, NULL);
    if (doc == NULL || !claims_are_good(server, doc, now, ret)) {
        server_caller_clear(ret);
        return sl_error_set(error, SL_ERROR_UNAUTHENTICATED, "the token has expired");
    }
    return TRUE;
}

char *
server_secret_hash(const char *secret)
{
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, secret, -1);
}

gboolean
server_secret_matches(const char *secret, const char *hash)
{
    g_autofree char *mine = server_secret_hash(secret);
    return hash != NULL && equals(mine, hash);
}

/* --- callers ---------------------------------------------------------------------------------- */

static gboolean
is_member(uid_t uid, gid_t gid, gid_t wanted)
{
    struct passwd user, *found = NULL;
    char buffer[4096];
    gid_t groups[256];
    int n = G_N_ELEMENTS(groups);
    if (gid == wanted)
        return TRUE;
    if (getpwuid_r(uid, &user, buffer, sizeof(buffer), &found) != 0 || found == NULL)
        return FALSE;
    if (getgrouplist(user.pw_name, user.pw_gid, groups, &n) < 0)
        n = G_N_ELEMENTS(groups);
    for (int i = 0; i < n; i++)
        if (groups[i] == wanted)
            return TRUE;
    return FALSE;
}

static gboolean
is_local_admin(const Server *server, const SlHttpPeer *peer)
{
    if (!peer->local)
        return FALSE;
    return peer->uid == 0 || (server->admin_uid != (uid_t)-1 && peer->uid == server->admin_uid) ||
           (server->admin_gid != (gid_t)-1 && is_member(peer->uid, peer->gid, server->admin_gid));
}

void
server_caller_clear(ServerCaller *caller)
{
    g_clear_pointer(&caller->user_id, g_free);
    g_clear_pointer(&caller->application_id, g_free);
    g_clear_pointer(&caller->session_id, g_free);
    g_clear_pointer(&caller->basic_name, g_free);
    g_clear_pointer(&caller->basic_password, g_free);
    g_clear_pointer(&caller->permissions, g_ptr_array_unref);
}

/* "Basic base64(name:password)" (RFC 7617); whose they are is found in the transaction. */
static gboolean
parse_basic(const char *text, ServerCaller *ret, GError **error)
{
    gsize len = 0;
    g_autofree char *plain = (char *)g_base64_decode(text, &len);
    g_autofree char *copy = g_strndup(plain, len);
    char *colon = strchr(copy, ':');
    if (colon == NULL || strlen(copy) != len || !g_utf8_validate(copy, -1, NULL))
        return sl_error_set(error, SL_ERROR_UNAUTHENTICATED, "Basic: expected name:password");
    ret->basic_name = g_strndup(copy, (gsize)(colon - copy));
    ret->basic_password = g_strdup(colon + 1);
    return TRUE;
}

static gboolean
parse_header(const Server *server, const char *header, gint64 now, ServerCaller *ret,
             GError **error)
{
    if (g_ascii_strncasecmp(header, "Bearer ", 7) == 0)
        return server_token_check(server, header + 7, now, ret, error);
    if (g_ascii_strncasecmp(header, "Basic ", 6) == 0)
        return parse_basic(header + 6, ret, error);
    return sl_error_set(error, SL_ERROR_UNAUTHENTICATED,
                        "only Bearer and Basic authorization are understood");
}

/* A browser sends its cookies wherever a request comes from: what changes something must come from
 * a page of ours. */
static gboolean
check_cookie(const Server *server, const SlHttpRequest *request, const char *cookie, gint64 now,
             ServerCaller *ret, GError **error)
{
    gboolean reads = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    if (!server_token_check(server, cookie, now, ret, error))
        return FALSE;
    if (ret->session_id == NULL)
        return sl_error_set(error, SL_ERROR_UNAUTHENTICATED, "the cookie is none of a session");
    return reads || server_session_check_origin(server, request, error);
}

gboolean
server_auth_identify(const Server *server, const SlHttpRequest *request, gint64 now,
                     ServerCaller *ret, GError **error)
{
    const char *header = sl_http_request_get_header(request, "Authorization");
    if (header != NULL)
        return parse_header(server, header, now, ret, error);
    g_autofree char *cookie = server_session_dup_cookie(request, SERVER_COOKIE_ACCESS);
    if (cookie != NULL)
        return check_cookie(server, request, cookie, now, ret, error);
    if (is_local_admin(server, &request->peer)) {
        ret->user_id = g_strdup(SERVER_DEFAULT_USER);
        ret->admin = TRUE;
        ret->local_root = request->peer.uid == 0;
    }
    return TRUE;
}

void
server_permissions_tidy(GPtrArray *permissions)
{
    for (guint i = permissions->len; i-- > 0;)
        if (((SlPermission *)permissions->pdata[i])->permission_id == NULL)
            g_ptr_array_remove_index(permissions, i);
}

/* An application's id and secret, or a person's e-mail and password. */
static gboolean
resolve_basic(ServerCtx *ctx, GError **error)
{
    ServerCaller *caller = &ctx->caller;
    g_autoptr(SlApplicationRow) application = NULL;
    g_autoptr(SlAccount) account = NULL;
    if (!sl_sql_application_get_by_client(ctx->tx, caller->basic_name, &application, error))
        return FALSE;
    if (application != NULL) {
        if (!server_secret_matches(caller->basic_password, application->client_secret_hash))
            return sl_error_set(error, SL_ERROR_UNAUTHENTICATED, "the client's secret is wrong");
        caller->user_id = g_strdup(application->user_id);
        caller->application_id = g_strdup(application->application_id);
        return TRUE;
    }
    if (!server_session_login_check(ctx, caller->basic_name, caller->basic_password, &account,
                                    error))
        return FALSE;
    if (account != NULL)
        caller->user_id = g_strdup(account->user_id);
    return TRUE;
}

gboolean
server_auth_load(ServerCtx *ctx, GError **error)
{
    ServerCaller *caller = &ctx->caller;
    gboolean by_socket = caller->admin && caller->permissions == NULL;
    if (by_socket)
        return TRUE;
    if (caller->user_id == NULL && !resolve_basic(ctx, error))
        return FALSE;
    if (ctx->waiting)
        return TRUE;
    g_clear_pointer(&caller->permissions, g_ptr_array_unref);
    if (!sl_sql_caller_load(ctx->tx, caller->user_id, caller->application_id, caller->session_id,
                            ctx->now, &caller->permissions, error))
        return FALSE;
    if (caller->permissions->len == 0)
        return sl_error_set(error, SL_ERROR_UNAUTHENTICATED,
                            "what this token was made for is gone: log in again");
    server_permissions_tidy(caller->permissions);
    caller->admin = FALSE;
    for (guint i = 0; i < caller->permissions->len; i++) {
        const SlPermission *one = caller->permissions->pdata[i];
        caller->admin = caller->admin || one->permission_type == SL_PERMISSION_TYPE_INSTANCE_ADMIN;
    }
    return TRUE;
}
