/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "sl-migrate.h"

#include <glib/gstdio.h>

#include "sl-error.h"
#include "sl-log.h"
#include "sl-test-db.h"

typedef struct {
    SlDb *db;
    char *folder;
} Fixture;

static void
setup(Fixture *f, gconstpointer data)
{
    f->db = sl_test_db_new_empty(NULL);
    f->folder = g_dir_make_tmp("sl-migrate-XXXXXX", NULL);
}

static void
teardown(Fixture *f, gconstpointer data)
{
    g_autoptr(GDir) dir = g_dir_open(f->folder, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(f->folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(f->folder);
    g_free(f->folder);
    sl_db_unref(f->db);
}

static void
put(Fixture *f, const char *name, const char *sql)
{
    g_autofree char *path = g_build_filename(f->folder, name, NULL);
    g_assert_true(g_file_set_contents(path, sql, -1, NULL));
}

static void
expect(Fixture *f, guint applied, guint version)
{
    SlMigrateResult result;
    g_autoptr(GError) error = NULL;
    sl_migrate(f->db, f->folder, &result, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(result.applied, ==, applied);
    g_assert_cmpuint(result.version, ==, version);
}

static void
expect_failure(Fixture *f, int code, const char *text)
{
    SlMigrateResult result;
    g_autoptr(GError) error = NULL;
    g_assert_false(sl_migrate(f->db, f->folder, &result, &error));
    g_assert_error(error, SL_ERROR, code);
    g_assert_nonnull(strstr(error->message, text));
}

static void
test_forward(Fixture *f, gconstpointer data)
{
    put(f, "README", "not a migration");
    expect(f, 0, 0);
    put(f, "0001_create_a.sql", "create table a (x int)");
    put(f, "0002_create_b.sql", "create table b (x int); insert into a values (1)");
    expect(f, 2, 2);
    expect(f, 0, 2);
    put(f, "0003_drop_b.sql", "drop table b");
    expect(f, 1, 3);
}

static void
expect_look(Fixture *f, guint version, guint missing)
{
    g_autoptr(GError) error = NULL;
    guint found_version, found_missing;
    sl_migrate_look(f->db, f->folder, &found_version, &found_missing, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(found_version, ==, version);
    g_assert_cmpuint(found_missing, ==, missing);
}

/* An upgrade that fails half way leaves nothing of itself, not even of the files before the bad
 * one, and a mended file goes on from there. */
static void
test_half_way(Fixture *f, gconstpointer data)
{
    put(f, "0001_create_a.sql", "create table a (x int)");
    expect_look(f, 0, 1);
    expect(f, 1, 1);
    put(f, "0002_fill_a.sql", "insert into a values (1)");
    put(f, "0003_break.sql", "create table b (x int); select nonsense; create table c (x int)");
    expect_look(f, 1, 2);
    expect_failure(f, SL_ERROR_DATABASE, "migration 0003_break.sql: ");
    expect_look(f, 1, 2);
    put(f, "0003_break.sql", "create table b as select 1 / (2 - count(*)) as one_row from a");
    expect(f, 2, 3);
    expect_look(f, 3, 0);
}

static void
test_changed(Fixture *f, gconstpointer data)
{
    put(f, "0001_create_a.sql", "create table a (x int)");
    expect(f, 1, 1);
    put(f, "0001_create_a.sql", "create table a (y int)");
    expect_failure(f, SL_ERROR_CONFIG, "0001_create_a.sql was applied with other content");
}

static void
test_newer_database(Fixture *f, gconstpointer data)
{
    put(f, "0001_create_a.sql", "create table a (x int)");
    put(f, "0002_create_b.sql", "create table b (x int)");
    expect(f, 2, 2);
    g_autofree char *path = g_build_filename(f->folder, "0002_create_b.sql", NULL);
    g_unlink(path);
    expect_failure(f, SL_ERROR_CONFIG, "0002_create_b.sql, which this version");
    guint version, missing;
    g_assert_false(sl_migrate_look(f->db, f->folder, &version, &missing, NULL));
}

static void
test_gap(Fixture *f, gconstpointer data)
{
    put(f, "0002_create_b.sql", "create table b (x int)");
    expect_failure(f, SL_ERROR_CONFIG, "migration 0001 is missing");
}

static gpointer
migrate_thread(gpointer data)
{
    Fixture *f = data;
    SlMigrateResult result;
    g_autoptr(GError) error = NULL;
    sl_migrate(f->db, f->folder, &result, &error);
    g_assert_no_error(error);
    return GUINT_TO_POINTER(result.applied);
}

static void
test_two_at_once(Fixture *f, gconstpointer data)
{
    put(f, "0001_create_a.sql", "create table a (x int); select pg_sleep(0.1)");
    put(f, "0002_create_b.sql", "create table b (x int)");
    GThread *threads[3];
    guint applied = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("migrate", migrate_thread, f);
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        applied += GPOINTER_TO_UINT(g_thread_join(threads[i]));
    g_assert_cmpuint(applied, ==, 2);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    sl_log_init("sl-migrate-test");
#define ADD(name, func) g_test_add("/db/migrate/" name, Fixture, NULL, setup, func, teardown)
    ADD("forward", test_forward);
    ADD("half-way", test_half_way);
    ADD("changed", test_changed);
    ADD("newer-database", test_newer_database);
    ADD("gap", test_gap);
    ADD("two-at-once", test_two_at_once);
    return g_test_run();
}
