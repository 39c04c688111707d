/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-id.h"

#include <string.h>

static void
test_round_trip(void)
{
    for (int i = 0; i < 100; i++) {
        g_autofree char *id = sl_id_new();
        g_assert_true(sl_id_is_valid(id));
        g_autofree char *compact = sl_id_compact(id);
        g_assert_null(strchr(compact, '-'));
        g_autofree char *back = sl_id_expand(compact);
        g_assert_cmpstr(back, ==, id);
    }
}

static void
test_refused(void)
{
    static const char *const bad[] = {
        "",
        "550e8400",
        "550E8400-e29b-41d4-a716-446655440000",
        "550e8400-e29b-41d4-a716-44665544000g",
        "550e8400ee29b-41d4-a716-446655440000",
        "550e8400-e29b-41d4-a716-4466554400000",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(sl_id_is_valid(bad[i]));
        g_assert_null(sl_id_compact(bad[i]));
    }
    g_assert_false(sl_id_is_valid(NULL));
    g_assert_null(sl_id_expand("550e8400-e29b-41d4-a716-446655440000"));
    g_assert_null(sl_id_expand("zz0e8400e29b41d4a716446655440000"));
}

static void
test_secrets(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < 1000; i++) {
        g_autoptr(GError) error = NULL;
        char *secret = sl_id_new_secret(&error);
        g_assert_no_error(error);
        g_assert_cmpuint(strlen(secret), ==, 64);
        g_assert_cmpuint(strspn(secret, "0123456789abcdef"), ==, 64);
        g_assert_true(g_hash_table_add(seen, secret));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/basic/id/round-trip", test_round_trip);
    g_test_add_func("/basic/id/refused", test_refused);
    g_test_add_func("/basic/id/secrets", test_secrets);
    return g_test_run();
}
