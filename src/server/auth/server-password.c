/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-password.h"

#include <sodium.h>
#include <string.h>

#include "sl-error.h"

/* https://cheatsheetseries.owasp.org: argon2id with 19 MiB, two passes, one lane. */
#define MEMORY ((gsize)19 << 20)
#define PASSES 2
#define MAX_QUEUE 32
#define PATIENCE_USEC (60 * (gint64)G_USEC_PER_SEC)
/* Clients with Basic authentication send the password with each request: what was right stays
 * known for a while, as a keyed digest of password and hash. */
#define MAX_KNOWN 256
#define KNOWN_USEC (5 * 60 * (gint64)G_USEC_PER_SEC)

struct ServerHasher {
    GThreadPool *pool;
    void (*done)(const char *key, gpointer data);
    gpointer data;
    gsize memory;
    guint8 key[32]; /* of the digests; this process's only */
    gint next_id, queued;
    GMutex mutex;
    GHashTable *known; /* digest → gint64 *: until when (monotonic) */
};

typedef struct {
    gatomicrefcount refs;
    ServerHasher *hasher;
    char *password, *hash; /* hash NULL: make one */
    char *key;
    gint64 since;
    gint ended; /* atomic; what follows is the thread's until then */
    gboolean matches;
    char *made;
} Hash;

static void
hash_unref(gpointer data)
{
    Hash *hash = data;
    if (!g_atomic_ref_count_dec(&hash->refs))
        return;
    sodium_memzero(hash->password, strlen(hash->password));
    g_free(hash->password);
    g_free(hash->hash);
    g_free(hash->key);
    g_free(hash->made);
    g_free(hash);
}

/* --- what is known ---------------------------------------------------------------------------- */

static char *
digest_of(const ServerHasher *hasher, const char *password, const char *hash)
{
    g_autoptr(GHmac) hmac = g_hmac_new(G_CHECKSUM_SHA256, hasher->key, sizeof(hasher->key));
    g_hmac_update(hmac, (const guchar *)hash, (gssize)strlen(hash) + 1);
    g_hmac_update(hmac, (const guchar *)password, (gssize)strlen(password));
    return g_strdup(g_hmac_get_string(hmac));
}

static gboolean
is_known(ServerHasher *hasher, const char *password, const char *hash)
{
    g_autofree char *digest = digest_of(hasher, password, hash);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&hasher->mutex);
    const gint64 *until = g_hash_table_lookup(hasher->known, digest);
    return until != NULL && g_get_monotonic_time() < *until;
}

static void
remember(ServerHasher *hasher, const char *password, const char *hash)
{
    gint64 until = g_get_monotonic_time() + KNOWN_USEC;
    char *digest = digest_of(hasher, password, hash);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&hasher->mutex);
    if (g_hash_table_size(hasher->known) >= MAX_KNOWN)
        g_hash_table_remove_all(hasher->known);
    g_hash_table_replace(hasher->known, digest, g_memdup2(&until, sizeof(until)));
}

/* --- the thread ------------------------------------------------------------------------------- */

static void
work(gpointer data, gpointer user_data)
{
    Hash *hash = data;
    ServerHasher *hasher = hash->hasher;
    char made[crypto_pwhash_STRBYTES];
    gsize len = strlen(hash->password);
    if (hash->hash != NULL)
        hash->matches = crypto_pwhash_str_verify(hash->hash, hash->password, len) == 0;
    else if (crypto_pwhash_str_alg(made, hash->password, len, PASSES, hasher->memory,
                                   crypto_pwhash_ALG_ARGON2ID13) == 0)
        hash->made = g_strdup(made);
    if (hash->matches)
        remember(hasher, hash->password, hash->hash);
    g_atomic_int_set(&hash->ended, 1);
    g_atomic_int_add(&hasher->queued, -1);
    hasher->done(hash->key, hasher->data);
    hash_unref(hash);
}

ServerHasher *
server_hasher_new(gsize memory, void (*done)(const char *key, gpointer data), gpointer data,
                  GError **error)
{
    if (sodium_init() < 0) {
        sl_error_set(error, SL_ERROR_FAILED, "libsodium does not start");
        return NULL;
    }
    ServerHasher *hasher = g_new0(ServerHasher, 1);
    hasher->done = done;
    hasher->data = data;
    hasher->memory = memory > 0 ? memory : MEMORY;
    randombytes_buf(hasher->key, sizeof(hasher->key));
    g_mutex_init(&hasher->mutex);
    hasher->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    hasher->pool = g_thread_pool_new(work, NULL, 1, FALSE, NULL);
    return hasher;
}

void
server_hasher_free(ServerHasher *hasher)
{
    if (hasher == NULL)
        return;
    g_thread_pool_free(hasher->pool, FALSE, TRUE);
    g_hash_table_unref(hasher->known);
    g_mutex_clear(&hasher->mutex);
    g_free(hasher);
}

/* --- requests --------------------------------------------------------------------------------- */

static Hash *
find(const ServerCtx *ctx, const char *password, const char *hash)
{
    for (guint i = 0; ctx->hashes != NULL && i < ctx->hashes->len; i++) {
        Hash *one = ctx->hashes->pdata[i];
        if (strcmp(one->password, password) == 0 && g_strcmp0(one->hash, hash) == 0)
            return one;
    }
    return NULL;
}

static Hash *
submit(ServerCtx *ctx, const char *password, const char *hash, GError **error)
{
    ServerHasher *hasher = ctx->server->hasher;
    if (g_atomic_int_add(&hasher->queued, 1) >= MAX_QUEUE) {
        g_atomic_int_add(&hasher->queued, -1);
        sl_error_set(error, SL_ERROR_BUSY, "too many logins at once");
        return NULL;
    }
    Hash *one = g_new0(Hash, 1);
    g_atomic_ref_count_init(&one->refs);
    one->hasher = hasher;
    one->password = g_strdup(password);
    one->hash = g_strdup(hash);
    one->key = g_strdup_printf("hash:%d", g_atomic_int_add(&hasher->next_id, 1));
    one->since = g_get_monotonic_time();
    if (ctx->hashes == NULL)
        ctx->hashes = g_ptr_array_new_with_free_func(hash_unref);
    g_ptr_array_add(ctx->hashes, one);
    g_atomic_ref_count_inc(&one->refs);
    g_thread_pool_push(hasher->pool, one, NULL);
    return one;
}

/* *ret NULL: not yet. */
static gboolean
await(ServerCtx *ctx, const char *password, const char *hash, Hash **ret, GError **error)
{
    Hash *one = find(ctx, password, hash);
    if (one == NULL)
        one = submit(ctx, password, hash, error);
    if (one == NULL)
        return FALSE;
    if (g_atomic_int_get(&one->ended)) {
        *ret = one;
        return TRUE;
    }
    if (g_get_monotonic_time() - one->since > PATIENCE_USEC)
        return sl_error_set(error, SL_ERROR_BUSY, "the password could not be looked at in time");
    server_ctx_wait_for(ctx, one->key);
    return TRUE;
}

gboolean
server_password_hash(ServerCtx *ctx, const char *password, char **ret, GError **error)
{
    Hash *one = NULL;
    if (!await(ctx, password, NULL, &one, error))
        return FALSE;
    if (one == NULL)
        return TRUE;
    *ret = g_strdup(one->made);
    return *ret != NULL ||
           sl_error_set(error, SL_ERROR_BUSY, "there is no memory to hash the password");
}

gboolean
server_password_verify(ServerCtx *ctx, const char *password, const char *hash, gboolean *ret,
                       GError **error)
{
    Hash *one = NULL;
    *ret = is_known(ctx->server->hasher, password, hash);
    if (*ret)
        return TRUE;
    if (!await(ctx, password, hash, &one, error))
        return FALSE;
    *ret = one != NULL && one->matches;
    return TRUE;
}

gboolean
server_password_is_known(const ServerCtx *ctx, const char *password, const char *hash)
{
    return find(ctx, password, hash) != NULL ||
           (hash != NULL && is_known(ctx->server->hasher, password, hash));
}

gboolean
server_password_is_old(const ServerCtx *ctx, const char *hash)
{
    return crypto_pwhash_str_needs_rehash(hash, PASSES, ctx->server->hasher->memory) != 0;
}
