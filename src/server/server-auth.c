/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-auth.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "sl-error.h"
#include "sl-json-write.h"

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
server_token_make(const Server *server, const char *subject, gint64 now)
{
    g_autoptr(GString) claims = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(claims);
    gint64 second = now / G_USEC_PER_SEC;

    sl_json_begin_object(&w);
    sl_json_member_string(&w, "iss", server->public_url);
    sl_json_member_string(&w, "aud", AUDIENCE);
    sl_json_member_string(&w, "sub", subject);
    sl_json_member_int(&w, "iat", second);
    sl_json_member_int(&w, "exp", second + SERVER_TOKEN_SECONDS);
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

static gboolean
claims_are_good(const Server *server, const char *text, gsize len, gint64 now)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, len, NULL, NULL);
    gint64 expires = 0;
    if (doc == NULL)
        return FALSE;
    const SlJsonNode *root = sl_json_root(doc);
    const SlJsonNode *issuer = sl_json_get(doc, root, "iss");
    const SlJsonNode *audience = sl_json_get(doc, root, "aud");
    const SlJsonNode *exp = sl_json_get(doc, root, "exp");
    return issuer != NULL && sl_json_string_is(issuer, server->public_url) && audience != NULL &&
           sl_json_string_is(audience, AUDIENCE) && exp != NULL &&
           sl_json_get_int64(exp, &expires) && now / G_USEC_PER_SEC < expires;
}

/* The algorithm is ours, whatever the head says: it is compared as text. */
gboolean
server_token_check(const Server *server, const char *token, gint64 now, GError **error)
{
    g_autofree char *head = encode(HEADER, strlen(HEADER));
    const char *body = strchr(token, '.');
    const char *signature = strrchr(token, '.');
    gsize len = 0;

    if (body == NULL || body == signature)
        return sl_error_set(error, SL_ERROR_UNAUTHENTICATED, "the token is not one of ours");
    g_autofree char *expected = sign(server, token, (gsize)(signature - token));
    g_autofree char *claims = decode(body + 1, (gsize)(signature - body - 1), &len);
    if (strncmp(token, head, strlen(head)) != 0 || token[strlen(head)] != '.' ||
        !equals(signature + 1, expected))
        return sl_error_set(error, SL_ERROR_UNAUTHENTICATED, "the token is not one of ours");
    if (!claims_are_good(server, claims, len, now))
        return sl_error_set(error, SL_ERROR_UNAUTHENTICATED, "the token has expired");
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
    return equals(mine, hash);
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

gboolean
server_auth_role(const Server *server, const SlHttpRequest *request, gint64 now, ServerRole *ret,
                 GError **error)
{
    const char *header = sl_http_request_get_header(request, "Authorization");
    *ret = SERVER_ROLE_ANONYMOUS;
    if (header != NULL) {
        if (g_ascii_strncasecmp(header, "Bearer ", 7) != 0)
            return sl_error_set(error, SL_ERROR_UNAUTHENTICATED,
                                "only bearer tokens are understood");
        if (!server_token_check(server, header + 7, now, error))
            return FALSE;
        *ret = SERVER_ROLE_ADMIN; /* applications have no lesser roles yet */
    } else if (is_local_admin(server, &request->peer)) {
        *ret = SERVER_ROLE_ADMIN;
    }
    return TRUE;
}
