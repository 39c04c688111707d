/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-mapper-crypt.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "sl-error.h"

#define KEY_128 "000102030405060708090a0b0c0d0e0f"
#define KEY_192 KEY_128 "1011121314151617"
#define KEY_256 KEY_128 "101112131415161718191a1b1c1d1e1f"

static SlSpan
span(const char *text)
{
    return (SlSpan){text, strlen(text)};
}

/* Digests: vectors of RFC 1319, RFC 1321 and FIPS 180-4. */
static void
test_digests(void)
{
    static const struct {
        const char *method, *text, *hex;
    } rows[] = {
        {"MD2", "", "8350e5a3e24c153df2275c9f80692773"},
        {"MD2", "a", "32ec01ec4a6dac72c0ab96fb34c0b5d1"},
        {"MD2", "abc", "da853b0d3f88d99b30283a69e6ded6bb"},
        {"MD2", "message digest", "ab4f496bfb2a530b219ff33031fe06b0"},
        {"MD2", "abcdefghijklmnopqrstuvwxyz", "4e8ddff3650292ab5a4108c3aa47940b"},
        {"MD2", "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
         "d5976f79d83d3a0dc9806c3c66f3efd8"},
        {"MD5", "abc", "900150983cd24fb0d6963f7d28e17f72"},
        {"SHA-1", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {"SHA-224", "abc", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"},
        {"SHA-256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"SHA-384", "abc",
         "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
         "8086072ba1e7cc2358baeca134c825a7"},
        {"SHA-512", "abc",
         "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
         "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SlDigest) digest = sl_digest_new(rows[i].method, &error);
        g_assert_no_error(error);
        for (guint again = 0; again < 2; again++) { /* it is used for every record */
            g_autoptr(GString) out = g_string_new(NULL);
            g_assert_true(sl_digest_append_hex(digest, span(rows[i].text), out, &error));
            g_assert_cmpstr(out->str, ==, rows[i].hex);
        }
    }
    g_autoptr(GError) error = NULL;
    g_assert_null(sl_digest_new("SHA-3", &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
}

static GByteArray *
unhex(const char *text)
{
    GByteArray *bytes = g_byte_array_new();
    for (; *text != '\0'; text += 2) {
        guint8 byte = (guint8)(g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]));
        g_byte_array_append(bytes, &byte, 1);
    }
    return bytes;
}

/* Decrypts with libcrypto by itself: IV, ciphertext, tag. */
static char *
decrypt(const char *hex, const char *key_hex, const char *mode, gboolean padded)
{
    g_autoptr(GByteArray) bytes = unhex(hex), key = unhex(key_hex);
    g_autofree char *name = g_strdup_printf("AES-%u-%s", key->len * 8, mode);
    gboolean gcm = strcmp(mode, "GCM") == 0;
    guint iv = gcm ? 12 : strcmp(mode, "ECB") == 0 ? 0 : 16;
    guint n = bytes->len - iv - (gcm ? 16 : 0);
    int got = 0, last = 0;
    guint8 *plain = g_malloc0(n + 33);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    g_assert_cmpint(
        EVP_DecryptInit_ex(ctx, EVP_get_cipherbyname(name), NULL, key->data, bytes->data), ==, 1);
    EVP_CIPHER_CTX_set_padding(ctx, 0);
    g_assert_cmpint(EVP_DecryptUpdate(ctx, plain, &got, bytes->data + iv, (int)n), ==, 1);
    if (gcm)
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, 16, bytes->data + iv + n);
    g_assert_cmpint(EVP_DecryptFinal_ex(ctx, plain + got, &last), ==, 1);
    EVP_CIPHER_CTX_free(ctx);
    guint size = (guint)(got + last);
    if (padded) {
        g_assert_cmpuint(size % 16, ==, 0);
        size -= plain[size - 1];
    }
    plain[size] = '\0';
    return (char *)plain;
}

static void
test_aes_round_trip(void)
{
    static const char *const keys[] = {KEY_128, KEY_192, KEY_256};
    static const struct {
        const char *mode, *padding;
    } rows[] = {{"CBC", "PKCS5Padding"}, {"CFB", "PKCS5Padding"}, {"OFB", "PKCS5Padding"},
                {"ECB", "PKCS5Padding"}, {"CFB", "NoPadding"},    {"OFB", "NoPadding"},
                {"CTR", "NoPadding"},    {"GCM", "NoPadding"}};
    static const char *const texts[] = {"", "a", "exactly 16 bytes", "seventeen bytes !",
                                        "Gr\xc3\xbc\xc3\x9f\x65 \xf0\x9f\x98\x80"};
    for (guint i = 0; i < G_N_ELEMENTS(rows) * G_N_ELEMENTS(keys) * G_N_ELEMENTS(texts); i++) {
        const char *text = texts[i % G_N_ELEMENTS(texts)];
        const char *key = keys[i / G_N_ELEMENTS(texts) % G_N_ELEMENTS(keys)];
        guint row = i / G_N_ELEMENTS(texts) / G_N_ELEMENTS(keys);
        g_autoptr(GError) error = NULL;
        g_autoptr(GString) first = g_string_new(NULL), second = g_string_new(NULL);
        g_autoptr(SlCipher) cipher =
            sl_cipher_new_aes(key, rows[row].mode, rows[row].padding, &error);
        g_assert_no_error(error);
        g_assert_true(sl_cipher_append_hex(cipher, span(text), first, &error));
        g_assert_true(sl_cipher_append_hex(cipher, span(text), second, &error));
        gboolean padded = rows[row].padding[0] == 'P';
        g_autofree char *plain = decrypt(second->str, key, rows[row].mode, padded);
        g_assert_cmpstr(plain, ==, text);
        /* no IV is used twice */
        g_assert_cmpint(g_str_equal(first->str, second->str), ==, !sl_cipher_is_random(cipher));
    }
}

/* Thousands of equal values: no initialization vector comes twice, none is zero. */
static void
test_aes_vectors_are_fresh(void)
{
    static const struct {
        const char *mode;
        guint digits;
    } rows[] = {{"CBC", 32}, {"CTR", 32}, {"GCM", 24}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        g_autoptr(SlCipher) cipher = sl_cipher_new_aes(KEY_128, rows[i].mode, "NoPadding", NULL);
        for (guint n = 0; n < 5000; n++) {
            g_autoptr(GString) out = g_string_new(NULL);
            g_assert_true(sl_cipher_append_hex(cipher, span("exactly 16 bytes"), out, NULL));
            g_string_truncate(out, rows[i].digits);
            g_assert_cmpuint(strspn(out->str, "0"), <, rows[i].digits);
            g_assert_true(g_hash_table_add(seen, g_strdup(out->str)));
        }
    }
}

/* A whole number of blocks needs no padding; anything else is an error, never cut or clear. */
static void
test_aes_without_padding(void)
{
    static const char *const names[] = {"CBC", "ECB"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GString) out = g_string_new(NULL);
        g_autoptr(SlCipher) cipher = sl_cipher_new_aes(KEY_256, names[i], "NoPadding", NULL);
        g_assert_true(sl_cipher_append_hex(cipher, span("exactly 16 bytes"), out, &error));
        g_autofree char *plain = decrypt(out->str, KEY_256, names[i], FALSE);
        g_assert_cmpstr(plain, ==, "exactly 16 bytes");
        g_string_truncate(out, 0);
        g_assert_false(sl_cipher_append_hex(cipher, span("seventeen bytes !"), out, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        g_assert_nonnull(strstr(error->message, "17 bytes"));
        g_assert_null(strstr(error->message, "seventeen"));
        g_assert_cmpuint(out->len, ==, 0);
    }
}

/* AES-256 in ECB mode: vector of FIPS 197, appendix C.3. */
static void
test_aes_vector(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(SlCipher) cipher = sl_cipher_new_aes(KEY_256, "ECB", "NoPadding", NULL);
    static const char plain[] = "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff";
    g_assert_true(sl_cipher_append_hex(cipher, (SlSpan){plain, 16}, out, NULL));
    g_assert_cmpstr(out->str, ==, "8ea2b7ca516745bfeafc49904b496089");
}

static void
test_aes_refused(void)
{
    static const struct {
        const char *key, *mode, *padding, *message;
    } rows[] = {
        {"00", "CBC", "NoPadding", "key: expected 128, 192 or 256 bits, not 8"},
        {"0", "CBC", "NoPadding", "key: expected an even number of hexadecimal digits"},
        {"", "CBC", "NoPadding", "key: expected an even number of hexadecimal digits"},
        {"zz", "CBC", "NoPadding", "key: expected hexadecimal digits only"},
        {KEY_128, "XTS", "NoPadding", "mode: unknown value 'XTS'"},
        {KEY_128, "cbc", "NoPadding", "mode: unknown value 'cbc'"},
        {KEY_128, "CBC", "PKCS7", "padding: unknown value 'PKCS7'"},
        {KEY_128, "CTR", "PKCS5Padding", "padding: mode CTR takes NoPadding only"},
        {KEY_128, "GCM", "PKCS5Padding", "padding: mode GCM takes NoPadding only"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(sl_cipher_new_aes(rows[i].key, rows[i].mode, rows[i].padding, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        g_assert_cmpstr(error->message, ==, rows[i].message);
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(SlCipher) unknown = sl_cipher_new_aes(NULL, "CBC", "NoPadding", &error);
    g_assert_no_error(error);
    g_assert_false(sl_cipher_has_key(unknown));
    g_assert_false(sl_cipher_append_hex(unknown, span("exactly 16 bytes"), out, &error));
    g_assert_cmpuint(out->len, ==, 0);
}

static char *
public_hex(EVP_PKEY *key)
{
    guint8 *der = NULL;
    int n = i2d_PUBKEY(key, &der);
    GString *hex = g_string_new(NULL);
    for (int i = 0; i < n; i++)
        g_string_append_printf(hex, "%02x", der[i]);
    OPENSSL_free(der);
    return g_string_free(hex, FALSE);
}

static void
test_rsa(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    EVP_PKEY *key = EVP_RSA_gen(1024);
    g_autofree char *hex = public_hex(key), *too_long = g_strnfill(128 - 10, 'x');
    g_autoptr(SlCipher) cipher = sl_cipher_new_rsa(hex, &error);
    g_assert_no_error(error);
    g_assert_true(sl_cipher_is_random(cipher));
    g_assert_true(sl_cipher_append_hex(cipher, span("hello"), out, &error));
    g_autoptr(GByteArray) bytes = unhex(out->str);
    guint8 plain[128];
    size_t n = sizeof plain;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    g_assert_cmpint(EVP_PKEY_decrypt_init(ctx), ==, 1);
    g_assert_cmpint(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING), ==, 1);
    g_assert_cmpint(EVP_PKEY_decrypt(ctx, plain, &n, bytes->data, bytes->len), ==, 1);
    g_assert_cmpmem(plain, n, "hello", 5);
    g_string_truncate(out, 0);
    g_assert_false(sl_cipher_append_hex(cipher, span(too_long), out, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "118 bytes is too long for this RSA key, which takes "
                                            "117"));
    g_assert_cmpuint(out->len, ==, 0);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
}

static void
test_rsa_refused(void)
{
    EVP_PKEY *curve = EVP_EC_gen("P-256");
    g_autofree char *other = public_hex(curve);
    EVP_PKEY_free(curve);
    const char *const keys[] = {"00ff", "xyz", "", other};
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(sl_cipher_new_rsa(keys[i], &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        g_assert_true(g_str_has_prefix(error->message, "publicKey: "));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mapper-crypt/digests", test_digests);
    g_test_add_func("/mapper-crypt/aes-round-trip", test_aes_round_trip);
    g_test_add_func("/mapper-crypt/aes-vectors-are-fresh", test_aes_vectors_are_fresh);
    g_test_add_func("/mapper-crypt/aes-without-padding", test_aes_without_padding);
    g_test_add_func("/mapper-crypt/aes-vector", test_aes_vector);
    g_test_add_func("/mapper-crypt/aes-refused", test_aes_refused);
    g_test_add_func("/mapper-crypt/rsa", test_rsa);
    g_test_add_func("/mapper-crypt/rsa-refused", test_rsa_refused);
    return g_test_run();
}
