/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-secret.h"

#include <string.h>

#include "sl-error.h"
#include "sl-queue-fixture.h"

#define SPEC "{\"properties\":{\"p\":{\"airbyte_secret\":true},\"q\":{\"airbyte_secret\":true}}}"

static SlSealKey *
make_key(void)
{
    g_autoptr(GBytes) bytes = g_bytes_new_static("01234567890123456789012345678901", 32);
    return sl_seal_key_new(bytes, NULL);
}

/* Stored, read back, edited: no plain text rests, and no row without a reference. */
static void
test_life(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(SlSealKey) key = make_key();
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
    g_autofree char *first =
        sl_secret_store(tx, key, FIXTURE_WORKSPACE, FIXTURE_SOURCE,
                        "{\"p\":\"hunter2\",\"q\":\"swordfish\"}", SPEC, NULL, 1, &error);
    g_assert_no_error(error);
    g_assert_null(strstr(first, "hunter2"));
    g_autofree char *plain = sl_secret_resolve(tx, key, first, &error);
    g_assert_cmpstr(plain, ==, "{\"p\":\"hunter2\",\"q\":\"swordfish\"}");
    g_autofree char *second = sl_secret_store(tx, key, FIXTURE_WORKSPACE, FIXTURE_SOURCE,
                                              "{\"p\":\"**********\"}", SPEC, first, 2, &error);
    g_assert_no_error(error);
    g_autofree char *after = sl_secret_resolve(tx, key, second, &error);
    g_assert_cmpstr(after, ==, "{\"p\":\"hunter2\"}");
    g_assert_null(sl_secret_resolve(tx, key, first, &error)); /* q is gone */
    g_assert_error(error, SL_ERROR, SL_ERROR_NOT_FOUND);
    g_assert_true(sl_tx_commit(tx, NULL));
    g_assert_cmpint(queue_fixture_count(db, "select count(*) from secret"), ==, 1);
    g_assert_cmpint(
        queue_fixture_count(db, "select count(*) from secret where sealed like '%hunter2%'"), ==,
        0);
}

static SlSealKey *
make_ring(const char *bytes)
{
    g_autoptr(GBytes) content = g_bytes_new(bytes, strlen(bytes));
    return sl_seal_key_new(content, NULL);
}

#define OLD "01234567890123456789012345678901"
#define NEW "abcdefghijabcdefghijabcdefghijab"

/* One batch; what is not committed is as if the process had been killed there. */
static guint
reseal(SlDb *db, const SlSealKey *key, gboolean commit)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
    guint done = 0;
    g_assert_true(sl_secret_reseal(tx, key, 2, &done, &error));
    g_assert_no_error(error);
    if (commit)
        g_assert_true(sl_tx_commit(tx, NULL));
    return done;
}

/* Five secrets from an old key to a new one, in batches, some of which are lost. At each moment the
 * ring opens all of them; at the end the new key alone does, and the old one none. */
static void
test_rotate(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(SlSealKey) old = make_ring(OLD), ring = make_ring(NEW OLD), new = make_ring(NEW);
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) first = sl_db_begin(db, FALSE, &error);
    g_autoptr(GString) config = g_string_new("{");
    for (guint i = 0; i < 5; i++) {
        g_autofree char *plain = g_strdup_printf("plain%u", i);
        g_autofree char *id =
            sl_secret_put(first, old, FIXTURE_WORKSPACE, FIXTURE_SOURCE, NULL, plain, 1, &error);
        g_string_append_printf(config, "%s\"s%u\":{\"_secret\":\"%s\"}", i > 0 ? "," : "", i, id);
    }
    g_string_append_c(config, '}');
    g_assert_true(sl_tx_commit(first, NULL));

    guint total = 0;
    for (guint round = 0, done = 1; done > 0; round++) {
        gboolean commit = round % 2 == 1;
        done = reseal(db, ring, commit);
        total += commit ? done : 0;
        g_autoptr(SlTx) tx = sl_db_begin(db, TRUE, &error);
        g_autofree char *plain = sl_secret_resolve(tx, ring, config->str, &error);
        g_assert_no_error(error);
        g_assert_nonnull(strstr(plain, "\"s4\":\"plain4\""));
    }
    g_assert_cmpuint(total, ==, 5);
    g_autoptr(SlTx) last = sl_db_begin(db, TRUE, &error);
    g_autofree char *by_new = sl_secret_resolve(last, new, config->str, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(by_new, "\"s0\":\"plain0\""));
    g_assert_null(sl_secret_resolve(last, old, config->str, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_FAILED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/secret/db/life", test_life);
    g_test_add_func("/secret/db/rotate", test_rotate);
    return g_test_run();
}
