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

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/secret/db/life", test_life);
    return g_test_run();
}
