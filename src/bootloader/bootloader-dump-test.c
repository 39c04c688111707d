/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "bootloader-dump.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#include "sl-error.h"
#include "sl-test-db.h"

#define NOW (1790000000 * (gint64)G_USEC_PER_SEC) /* 2026-09-21T14:13:20Z */

typedef struct {
    SlDb *db;
    char *conninfo, *folder;
} Fixture;

static void
setup(Fixture *f, gconstpointer data)
{
    f->db = sl_test_db_new_empty(&f->conninfo);
    f->folder = g_dir_make_tmp("bootloader-dump-XXXXXX", NULL);
}

static void
teardown(Fixture *f, gconstpointer data)
{
    g_autoptr(GSubprocess) rm =
        g_subprocess_new(G_SUBPROCESS_FLAGS_NONE, NULL, "rm", "-rf", f->folder, NULL);
    g_assert_true(g_subprocess_wait_check(rm, NULL, NULL));
    g_free(f->folder);
    g_free(f->conninfo);
    sl_db_unref(f->db);
}

static guint
count_files(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    guint n = 0;
    while (g_dir_read_name(dir) != NULL)
        n++;
    return n;
}

/* A program of ours in place of pg_dump. */
static void
put_program(Fixture *f, const char *script)
{
    g_autofree char *path = g_build_filename(f->folder, "pg_dump", NULL);
    g_assert_true(g_file_set_contents(path, script, -1, NULL));
    g_assert_cmpint(g_chmod(path, 0755), ==, 0);
}

static char *
take(Fixture *f, const char *conninfo, const char *programs, guint version, GError **error)
{
    const BootloaderDump dump = {.conninfo = conninfo,
                                 .folder = f->folder,
                                 .programs = programs,
                                 .version = version,
                                 .now = NOW + version * (gint64)G_USEC_PER_SEC};
    char *path = NULL;
    g_assert_true(bootloader_dump(&dump, &path, error) == (path != NULL));
    return path;
}

/* The real program on the real database; what came out is a dump that holds the table. */
static void
test_real(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
    g_assert_true(sl_tx_run_script(tx, "create table kept as select 7 as n", NULL));
    g_assert_true(sl_tx_commit(tx, NULL));
    g_autofree char *path = take(f, f->conninfo, NULL, 23, &error);
    g_assert_no_error(error);
    g_assert_true(g_str_has_suffix(path, "/sluice-0023-20260921T141343Z.dump"));
    g_autofree char *text = NULL;
    gsize size = 0;
    g_assert_true(g_file_get_contents(path, &text, &size, NULL));
    g_assert_cmpint(memcmp(text, "PGDMP", 5), ==, 0);
    g_assert_nonnull(memmem(text, size, "CREATE TABLE public.kept", 24));
    g_assert_cmpuint(count_files(f->folder), ==, 1);
    g_autofree char *last = bootloader_dump_find_last(f->folder);
    g_assert_cmpstr(last, ==, path);
}

static const struct {
    const char *name, *script, *error;
} failures[] = {
    {"says-why", "#!/bin/sh\necho warming up >&2\necho 'pg_dump: error: no space' >&2\nexit 1\n",
     "saving the database to */sluice-0007-*.dump before it is migrated: pg_dump: error: no space; "
     "mend that, or set Dumps=0 *"},
    {"killed",
     "#!/bin/sh\nwhile [ \"$1\" != --file ]; do shift; done\necho half >\"$2\"\nkill -9 $$\n",
     "saving the database to *"},
    {"not-a-program", "not a program", "saving the database to *"},
};

/* Nothing that looks like a dump is left. */
static void
test_failures(Fixture *f, gconstpointer data)
{
    for (guint i = 0; i < G_N_ELEMENTS(failures); i++) {
        g_autoptr(GError) error = NULL;
        put_program(f, failures[i].script);
        g_autofree char *path = take(f, f->conninfo, f->folder, 7, &error);
        g_assert_null(path);
        g_assert_error(error, SL_ERROR, SL_ERROR_FAILED);
        if (!g_pattern_match_simple(failures[i].error, error->message))
            g_error("%s: %s", failures[i].name, error->message);
        g_assert_cmpuint(count_files(f->folder), ==, 1);
        g_autofree char *last = bootloader_dump_find_last(f->folder);
        g_assert_null(last);
    }
}

/* What a full disk says is what pg_dump says of /dev/full. */
static void
test_disk_full(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    put_program(
        f, "#!/bin/sh\nexec $(ls -d /usr/lib/postgresql/*/bin /usr/bin | head -n 1)/pg_dump -Fp "
           "--file /dev/full\n");
    g_autofree char *path = take(f, f->conninfo, f->folder, 7, &error);
    g_assert_null(path);
    g_assert_nonnull(strstr(error->message, "No space left on device"));
}

/* A password is in no command line, and a bad Url= is named. */
static void
test_conninfo(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    put_program(f, "#!/bin/sh\necho \"$PGHOST $PGUSER $PGPASSWORD $PGDATABASE; $*\" >&2\nexit 1\n");
    g_autofree char *path =
        take(f, "postgresql://me:s3cret@db.example/things", f->folder, 1, &error);
    g_assert_null(path);
    g_assert_nonnull(strstr(error->message, "db.example me s3cret things; --format=custom"));
    g_assert_null(strstr(strchr(error->message, ';'), "s3cret"));
    g_clear_error(&error);
    g_autofree char *none = take(f, "host", f->folder, 1, &error);
    g_assert_null(none);
    g_assert_nonnull(strstr(error->message, "[Database] Url=: "));
}

/* The oldest go, by time and not by name; what is not ours stays. */
static void
test_sweep(Fixture *f, gconstpointer data)
{
    static const char *const names[] = {
        "sluice-0009-20260101T000000Z.dump",      "sluice-0010-20260102T000000Z.dump",
        "sluice-0008-20260103T000000Z.dump",      "sluice-0011-20260104T000000Z.dump",
        "sluice-0011-20260104T000000Z.dump.part", "mine.dump"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(f->folder, names[i], NULL);
        g_assert_true(g_file_set_contents(path, "", 0, NULL));
    }
    bootloader_dump_sweep(f->folder, 2);
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(f->folder, names[i], NULL);
        g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS) == (i >= 2));
    }
    g_autofree char *last = bootloader_dump_find_last(f->folder);
    g_assert_true(g_str_has_suffix(last, names[3]));
    bootloader_dump_sweep("/nonexistent", 2);
    g_assert_null(bootloader_dump_find_last("/nonexistent"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, func) g_test_add("/bootloader/dump/" name, Fixture, NULL, setup, func, teardown)
    ADD("real", test_real);
    ADD("failures", test_failures);
    ADD("disk-full", test_disk_full);
    ADD("conninfo", test_conninfo);
    ADD("sweep", test_sweep);
    return g_test_run();
}
