/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-mapper-crypt.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "sl-error.h"

#define BLOCK 16
#define TAG 16

/* Algorithms are fetched once: libcrypto would look for them again at every record. */
struct SlDigest {
    EVP_MD *md; /* NULL: MD2 */
    EVP_MD_CTX *ctx;
};

typedef struct {
    const char *name;
    guint iv;
    gboolean paddable, whole_blocks;
} Mode;

static const Mode modes[] = {
    {"CBC", 16, TRUE, TRUE},   {"CFB", 16, TRUE, FALSE},  {"OFB", 16, TRUE, FALSE},
    {"CTR", 16, FALSE, FALSE}, {"GCM", 12, FALSE, FALSE}, {"ECB", 0, TRUE, TRUE},
};

struct SlCipher {
    const Mode *mode; /* NULL: RSA */
    gboolean pad;
    EVP_CIPHER_CTX *ctx;    /* has the key */
    guint8 ivs[64 * BLOCK]; /* random, each used once; asked for in one go: they are no secrets */
    guint ivs_left;         /* bytes of them */
    gboolean has_key;
    EVP_PKEY *public_key;
    EVP_PKEY_CTX *rsa;
    GByteArray *buffer;
};

static gboolean
fail_crypto(GError **error, const char *what)
{
    char text[256] = "unknown error";
    unsigned long code = ERR_get_error();
    if (code != 0)
        ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error();
    return sl_error_set(error, SL_ERROR_FAILED, "%s: %s", what, text);
}

static void
append_hex(GString *out, const guint8 *bytes, gsize n)
{
    static const char digits[] = "0123456789abcdef";
    gsize at = out->len;
    g_string_set_size(out, at + 2 * n);
    for (gsize i = 0; i < n; i++) {
        out->str[at + 2 * i] = digits[bytes[i] >> 4];
        out->str[at + 2 * i + 1] = digits[bytes[i] & 15];
    }
}

static GByteArray *
read_hex(const char *text, GError **error)
{
    gsize len = strlen(text);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    if (len == 0 || len % 2 != 0) {
        sl_error_set(error, SL_ERROR_INVALID, "expected an even number of hexadecimal digits");
        return NULL;
    }
    for (gsize i = 0; i < len; i += 2) {
        int high = g_ascii_xdigit_value(text[i]), low = g_ascii_xdigit_value(text[i + 1]);
        if (high < 0 || low < 0) {
            sl_error_set(error, SL_ERROR_INVALID, "expected hexadecimal digits only");
            return NULL;
        }
        guint8 byte = (guint8)(high << 4 | low);
        g_byte_array_append(bytes, &byte, 1);
    }
    return g_steal_pointer(&bytes);
}

/* --- digests --------------------------------------------------------------- */

SlDigest *
sl_digest_new(const char *method, GError **error)
{
    static const struct {
        const char *name, *evp;
    } methods[] = {{"MD2", NULL},         {"MD5", "MD5"},        {"SHA-1", "SHA1"},
                   {"SHA-224", "SHA224"}, {"SHA-256", "SHA256"}, {"SHA-384", "SHA384"},
                   {"SHA-512", "SHA512"}};

    for (guint i = 0; i < G_N_ELEMENTS(methods); i++) {
        if (strcmp(methods[i].name, method) != 0)
            continue;
        g_autoptr(SlDigest) digest = g_new0(SlDigest, 1);
        digest->ctx = EVP_MD_CTX_new();
        if (methods[i].evp == NULL)
            return g_steal_pointer(&digest);
        digest->md = EVP_MD_fetch(NULL, methods[i].evp, NULL);
        if (digest->md != NULL && EVP_DigestInit_ex(digest->ctx, digest->md, NULL) == 1)
            return g_steal_pointer(&digest);
        ERR_clear_error();
        sl_error_set(error, SL_ERROR_INVALID, "this host's libcrypto does not allow %s", method);
        return NULL;
    }
    sl_error_set(error, SL_ERROR_INVALID, "unknown method '%s'", method);
    return NULL;
}

void
sl_digest_free(SlDigest *digest)
{
    if (digest == NULL)
        return;
    EVP_MD_CTX_free(digest->ctx);
    EVP_MD_free(digest->md);
    g_free(digest);
}

gboolean
sl_digest_append_hex(SlDigest *digest, SlSpan text, GString *out, GError **error)
{
    guint8 bytes[EVP_MAX_MD_SIZE];
    unsigned int n = 16;
    if (digest->md == NULL)
        sl_md2(text.p, text.n, bytes);
    else if (EVP_DigestInit_ex(digest->ctx, digest->md, NULL) != 1 ||
             EVP_DigestUpdate(digest->ctx, text.p, text.n) != 1 ||
             EVP_DigestFinal_ex(digest->ctx, bytes, &n) != 1)
        return fail_crypto(error, "hashing");
    append_hex(out, bytes, n);
    return TRUE;
}

/* --- ciphers --------------------------------------------------------------- */

static gboolean
set_key(SlCipher *cipher, const char *key_hex, GError **error)
{
    g_autoptr(GByteArray) key = read_hex(key_hex, error);
    if (key == NULL) {
        g_prefix_error(error, "key: ");
        return FALSE;
    }
    gboolean good = key->len == 16 || key->len == 24 || key->len == 32;
    guint bits = key->len * 8;
    if (good) {
        g_autofree char *name = g_strdup_printf("AES-%u-%s", bits, cipher->mode->name);
        EVP_CIPHER *evp = EVP_CIPHER_fetch(NULL, name, NULL);
        cipher->has_key = evp != NULL &&
                          EVP_EncryptInit_ex(cipher->ctx, evp, NULL, key->data, NULL) == 1 &&
                          EVP_CIPHER_CTX_set_padding(cipher->ctx, 0) == 1;
        EVP_CIPHER_free(evp);
        ERR_clear_error();
    }
    OPENSSL_cleanse(key->data, key->len);
    if (!good)
        return sl_error_set(error, SL_ERROR_INVALID, "key: expected 128, 192 or 256 bits, not %u",
                            bits);
    if (!cipher->has_key)
        return sl_error_set(error, SL_ERROR_INVALID, "this host's libcrypto has no AES-%u-%s", bits,
                            cipher->mode->name);
    return TRUE;
}

SlCipher *
sl_cipher_new_aes(const char *key_hex, const char *mode, const char *padding, GError **error)
{
    g_autoptr(SlCipher) cipher = g_new0(SlCipher, 1);
    cipher->pad = strcmp(padding, "PKCS5Padding") == 0;
    for (guint i = 0; i < G_N_ELEMENTS(modes); i++) {
        if (strcmp(modes[i].name, mode) == 0)
            cipher->mode = &modes[i];
    }
    if (cipher->mode == NULL) {
        sl_error_set(error, SL_ERROR_INVALID, "mode: unknown value '%s'", mode);
        return NULL;
    }
    if (!cipher->pad && strcmp(padding, "NoPadding") != 0) {
        sl_error_set(error, SL_ERROR_INVALID, "padding: unknown value '%s'", padding);
        return NULL;
    }
    if (cipher->pad && !cipher->mode->paddable) {
        sl_error_set(error, SL_ERROR_INVALID, "padding: mode %s takes NoPadding only", mode);
        return NULL;
    }
    cipher->ctx = EVP_CIPHER_CTX_new();
    cipher->buffer = g_byte_array_new();
    if (key_hex != NULL && !set_key(cipher, key_hex, error))
        return NULL;
    return g_steal_pointer(&cipher);
}

SlCipher *
sl_cipher_new_rsa(const char *key_hex, GError **error)
{
    g_autoptr(SlCipher) cipher = g_new0(SlCipher, 1);
    g_autoptr(GByteArray) der = read_hex(key_hex, error);
    if (der == NULL) {
        g_prefix_error(error, "publicKey: ");
        return NULL;
    }
    const guint8 *p = der->data;
    cipher->buffer = g_byte_array_new();
    cipher->public_key = d2i_PUBKEY(NULL, &p, (long)der->len);
    if (cipher->public_key != NULL && EVP_PKEY_get_base_id(cipher->public_key) == EVP_PKEY_RSA)
        cipher->rsa = EVP_PKEY_CTX_new(cipher->public_key, NULL);
    if (cipher->rsa == NULL || EVP_PKEY_encrypt_init(cipher->rsa) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(cipher->rsa, RSA_PKCS1_PADDING) != 1) {
        ERR_clear_error();
        sl_error_set(error, SL_ERROR_INVALID,
                     "publicKey: it is no RSA key (X.509 SubjectPublicKeyInfo in hexadecimal)");
        return NULL;
    }
    cipher->has_key = TRUE;
    return g_steal_pointer(&cipher);
}

void
sl_cipher_free(SlCipher *cipher)
{
    if (cipher == NULL)
        return;
    EVP_CIPHER_CTX_free(cipher->ctx);
    EVP_PKEY_CTX_free(cipher->rsa);
    EVP_PKEY_free(cipher->public_key);
    if (cipher->buffer != NULL)
        g_byte_array_unref(cipher->buffer);
    g_free(cipher);
}

gboolean
sl_cipher_has_key(const SlCipher *cipher)
{
    return cipher->has_key;
}

gboolean
sl_cipher_is_random(const SlCipher *cipher)
{
    return cipher->mode == NULL || cipher->mode->iv > 0;
}

static gboolean
encrypt_rsa(SlCipher *cipher, SlSpan text, GString *out, GError **error)
{
    size_t n = (size_t)EVP_PKEY_get_size(cipher->public_key), max = n - 11;
    if (text.n > max)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "a value of %" G_GSIZE_FORMAT
                            " bytes is too long for this RSA key, which takes %" G_GSIZE_FORMAT,
                            text.n, (gsize)max);
    g_byte_array_set_size(cipher->buffer, (guint)n);
    if (EVP_PKEY_encrypt(cipher->rsa, cipher->buffer->data, &n, (const guint8 *)text.p, text.n) !=
        1)
        return fail_crypto(error, "encrypting");
    append_hex(out, cipher->buffer->data, n);
    return TRUE;
}

/* PKCS #7 padding by hand: libcrypto pads in CBC and ECB only. */
static int
final_block(const SlCipher *cipher, SlSpan text, guint8 block[BLOCK])
{
    gsize rest = text.n % BLOCK;
    if (!cipher->pad)
        return 0;
    memset(block, (int)(BLOCK - rest), BLOCK);
    return (int)(BLOCK - rest);
}

static gboolean
take_iv(SlCipher *cipher, guint8 *to, GError **error)
{
    guint n = cipher->mode->iv;
    if (cipher->ivs_left < n) {
        if (RAND_bytes(cipher->ivs, sizeof cipher->ivs) != 1)
            return fail_crypto(error, "making an initialization vector");
        cipher->ivs_left = sizeof cipher->ivs;
    }
    cipher->ivs_left -= n;
    memcpy(to, cipher->ivs + cipher->ivs_left, n);
    return TRUE;
}

static gboolean
encrypt_aes(SlCipher *cipher, SlSpan text, GString *out, GError **error)
{
    guint8 padding[BLOCK];
    int n, more = 0, last = 0, padded = final_block(cipher, text, padding);
    guint iv = cipher->mode->iv;
    gboolean tagged = strcmp(cipher->mode->name, "GCM") == 0;
    if (text.n > G_MAXINT / 4)
        return sl_error_set(error, SL_ERROR_TOO_LARGE, "the value is too long to be encrypted");
    if (cipher->mode->whole_blocks && !cipher->pad && text.n % BLOCK != 0)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "a value of %" G_GSIZE_FORMAT
                            " bytes cannot be encrypted in mode %s without padding: it is no "
                            "multiple of 16",
                            text.n, cipher->mode->name);
    g_byte_array_set_size(cipher->buffer, (guint)(iv + text.n + 2 * BLOCK + TAG));
    guint8 *to = cipher->buffer->data;
    if (!take_iv(cipher, to, error))
        return FALSE;
    if (EVP_EncryptInit_ex(cipher->ctx, NULL, NULL, NULL, iv > 0 ? to : NULL) != 1 ||
        EVP_EncryptUpdate(cipher->ctx, to + iv, &n, (const guint8 *)text.p, (int)text.n) != 1 ||
        (padded > 0 && EVP_EncryptUpdate(cipher->ctx, to + iv + n, &more, padding, padded) != 1) ||
        EVP_EncryptFinal_ex(cipher->ctx, to + iv + n + more, &last) != 1)
        return fail_crypto(error, "encrypting");
    gsize len = iv + (gsize)(n + more + last);
    if (tagged && EVP_CIPHER_CTX_ctrl(cipher->ctx, EVP_CTRL_AEAD_GET_TAG, TAG, to + len) != 1)
        return fail_crypto(error, "encrypting");
    append_hex(out, to, len + (tagged ? TAG : 0));
    return TRUE;
}

gboolean
sl_cipher_append_hex(SlCipher *cipher, SlSpan text, GString *out, GError **error)
{
    if (!cipher->has_key)
        return sl_error_set(error, SL_ERROR_FAILED, "the key is not known");
    return cipher->mode == NULL ? encrypt_rsa(cipher, text, out, error)
                                : encrypt_aes(cipher, text, out, error);
}
