/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "sl-error.h"

#define NONCE_BYTES 12
#define TAG_BYTES 16

struct SlSealKey {
    guint8 bytes[SL_SEAL_MAX_KEYS][SL_SEAL_KEY_BYTES]; /* the current one first */
    guint n;
    char *ids[SL_SEAL_MAX_KEYS + 1]; /* in the same order, NULL behind them */
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)

SlSealKey *
sl_seal_key_new(GBytes *bytes, GError **error)
{
    gsize len;
    const guint8 *data = g_bytes_get_data(bytes, &len);
    if (len == 0 || len % SL_SEAL_KEY_BYTES != 0 || len > sizeof(((SlSealKey *)0)->bytes)) {
        sl_error_set(error, SL_ERROR_CONFIG,
                     "the master key has %" G_GSIZE_FORMAT " bytes instead of %d, or of %d for "
                     "each of up to %d keys",
                     len, SL_SEAL_KEY_BYTES, SL_SEAL_KEY_BYTES, SL_SEAL_MAX_KEYS);
        return NULL;
    }
    SlSealKey *key = g_new0(SlSealKey, 1);
    memcpy(key->bytes, data, len);
    key->n = (guint)(len / SL_SEAL_KEY_BYTES);
    for (guint i = 0; i < key->n; i++) {
        g_autofree char *sum =
            g_compute_checksum_for_data(G_CHECKSUM_SHA256, key->bytes[i], SL_SEAL_KEY_BYTES);
        key->ids[i] = g_strndup(sum, 16);
    }
    return key;
}

void
sl_seal_key_free(SlSealKey *key)
{
    if (key == NULL)
        return;
    OPENSSL_cleanse(key->bytes, sizeof key->bytes);
    for (guint i = 0; i < key->n; i++)
        g_free(key->ids[i]);
    g_free(key);
}

const char *
sl_seal_key_id(const SlSealKey *key)
{
    return key->ids[0];
}

const char *const *
sl_seal_key_ids(const SlSealKey *key)
{
    return (const char *const *)key->ids;
}

static gboolean
broken(GError **error)
{
    return sl_error_set(error, SL_ERROR_FAILED,
                        "a secret cannot be opened: it was sealed with another key, or changed");
}

/* `out` has room for len bytes and, when sealing, the tag behind them. */
static gboolean
gcm(const guint8 *key, gboolean seal, const guint8 *nonce, const char *context, const guint8 *in,
    gsize len, guint8 *out, guint8 *tag)
{
    g_autoptr(EVP_CIPHER_CTX) ctx = EVP_CIPHER_CTX_new();
    int n = 0;
    return ctx != NULL && EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce, seal) == 1 &&
           EVP_CipherUpdate(ctx, NULL, &n, (const guint8 *)context, (int)strlen(context)) == 1 &&
           EVP_CipherUpdate(ctx, out, &n, in, (int)len) == 1 &&
           (seal || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1) &&
           EVP_CipherFinal_ex(ctx, out + n, &n) == 1 &&
           (!seal || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, tag) == 1);
}

char *
sl_seal(const SlSealKey *key, const char *context, const char *plain, GError **error)
{
    gsize len = strlen(plain);
    g_autofree guint8 *out = g_malloc(NONCE_BYTES + len + TAG_BYTES);
    if (len > G_MAXINT / 2) {
        sl_error_set(error, SL_ERROR_TOO_LARGE, "a secret of %" G_GSIZE_FORMAT " bytes", len);
        return NULL;
    }
    if (RAND_bytes(out, NONCE_BYTES) != 1 ||
        !gcm(key->bytes[0], TRUE, out, context, (const guint8 *)plain, len, out + NONCE_BYTES,
             out + NONCE_BYTES + len)) {
        sl_error_set(error, SL_ERROR_FAILED, "sealing a secret failed");
        return NULL;
    }
    return g_base64_encode(out, NONCE_BYTES + len + TAG_BYTES);
}

/* With the first `n` keys of the ring. */
static char *
open_with(const SlSealKey *key, guint n, const char *context, const char *sealed, GError **error)
{
    gsize len = 0;
    g_autofree guint8 *in = g_base64_decode(sealed, &len);
    if (len < NONCE_BYTES + TAG_BYTES) {
        broken(error);
        return NULL;
    }
    gsize plain_len = len - NONCE_BYTES - TAG_BYTES;
    g_autofree char *plain = g_malloc0(plain_len + 1);
    for (guint i = 0; i < n; i++)
        if (gcm(key->bytes[i], FALSE, in, context, in + NONCE_BYTES, plain_len, (guint8 *)plain,
                in + len - TAG_BYTES))
            return g_steal_pointer(&plain);
    broken(error);
    return NULL;
}

char *
sl_unseal(const SlSealKey *key, const char *context, const char *sealed, GError **error)
{
    return open_with(key, key->n, context, sealed, error);
}

gboolean
sl_seal_is_current(const SlSealKey *key, const char *context, const char *sealed)
{
    g_autofree char *plain = open_with(key, 1, context, sealed, NULL);
    return plain != NULL;
}
