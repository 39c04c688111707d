/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-seal.h"

#include <string.h>

#include "sl-error.h"

static SlSealKey *
make_key(guint8 fill)
{
    guint8 raw[SL_SEAL_KEY_BYTES];
    memset(raw, fill, sizeof raw);
    g_autoptr(GBytes) bytes = g_bytes_new(raw, sizeof raw);
    return sl_seal_key_new(bytes, NULL);
}

static void
test_round_trip(void)
{
    static const char *const texts[] = {"", "x", "pass wörd", "-----BEGIN KEY-----\n…"};
    g_autoptr(SlSealKey) key = make_key(7);
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *one = sl_seal(key, "c", texts[i], NULL);
        g_autofree char *two = sl_seal(key, "c", texts[i], NULL);
        g_assert_cmpstr(one, !=, two); /* a fresh nonce each time */
        g_autofree char *plain = sl_unseal(key, "c", one, NULL);
        g_assert_cmpstr(plain, ==, texts[i]);
    }
}

static void
expect_broken(const SlSealKey *key, const char *context, const char *sealed)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(sl_unseal(key, context, sealed, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_FAILED);
}

static void
test_tampered(void)
{
    g_autoptr(SlSealKey) key = make_key(7), other = make_key(8);
    g_assert_cmpstr(sl_seal_key_id(key), !=, sl_seal_key_id(other));
    g_autofree char *sealed = sl_seal(key, "row 1", "secret", NULL);
    expect_broken(other, "row 1", sealed);
    expect_broken(key, "row 2", sealed);
    expect_broken(key, "row 1", "");
    expect_broken(key, "row 1", "AAAA");
    gsize len;
    g_autofree guint8 *raw = g_base64_decode(sealed, &len);
    for (gsize i = 0; i < len; i++) {
        raw[i] ^= 1;
        g_autofree char *changed = g_base64_encode(raw, len);
        expect_broken(key, "row 1", changed);
        raw[i] ^= 1;
    }
}

static void
test_key_length(void)
{
    g_autoptr(GBytes) bytes = g_bytes_new_static("short", 5);
    g_autoptr(GError) error = NULL;
    g_assert_null(sl_seal_key_new(bytes, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_CONFIG);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/secret/seal/round-trip", test_round_trip);
    g_test_add_func("/secret/seal/tampered", test_tampered);
    g_test_add_func("/secret/seal/key-length", test_key_length);
    return g_test_run();
}
