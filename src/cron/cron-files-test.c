/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "cron-files.h"

#include <glib/gstdio.h>
#include <sys/time.h>
#include <unistd.h>

#include "sl-error.h"

#define SEC ((gint64)G_USEC_PER_SEC)

static void
put(const char *folder, const char *name, gint64 age_sec)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    gint64 when = g_get_real_time() / SEC - age_sec;
    struct timeval times[2] = {{when, 0}, {when, 0}};
    g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
    g_assert_true(g_file_set_contents(path, "12345", 5, NULL));
    g_assert_cmpint(utimes(path, times), ==, 0);
}

static gboolean
is_there(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    return g_file_test(path, G_FILE_TEST_EXISTS) || g_file_test(path, G_FILE_TEST_IS_SYMLINK);
}

static void
test_old_files(void)
{
    g_autofree char *folder = g_dir_make_tmp("cron-files-XXXXXX", NULL);
    g_autofree char *outside = g_dir_make_tmp("cron-files-XXXXXX", NULL);
    g_autofree char *link = g_build_filename(folder, "3", NULL);
    CronFileRule rule = {.older_than = g_get_real_time() - 100 * SEC};
    CronFileCount count = {0};
    g_autoptr(GError) error = NULL;
    put(folder, "1/0.ndjson", 200);
    put(folder, "2/0.ndjson", 200);
    put(folder, "2/1.ndjson", 10);
    put(outside, "precious", 200);
    g_assert_cmpint(symlink(outside, link), ==, 0);

    g_assert_true(cron_files_delete(folder, &rule, &count, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(count.files, ==, 2);
    g_assert_cmpuint(count.bytes, ==, 10);
    g_assert_false(is_there(folder, "1"));
    g_assert_false(is_there(folder, "2/0.ndjson"));
    g_assert_true(is_there(folder, "2/1.ndjson"));
    g_assert_true(is_there(outside, "precious"));

    put(folder, "2/x.tmp", 200);
    put(folder, "2/y.ndjson", 200);
    rule.suffix = ".tmp";
    g_assert_true(cron_files_delete(folder, &rule, &count, &error));
    g_assert_false(is_there(folder, "2/x.tmp"));
    g_assert_true(is_there(folder, "2/y.ndjson"));

    rule = (CronFileRule){.older_than = G_MAXINT64};
    g_unlink(link);
    g_assert_true(cron_files_delete(folder, &rule, &count, &error));
    g_assert_true(cron_files_delete(outside, &rule, &count, &error));
    g_assert_cmpint(g_rmdir(folder), ==, 0);
    g_assert_cmpint(g_rmdir(outside), ==, 0);
}

static void
test_no_folder(void)
{
    CronFileRule rule = {.older_than = 1};
    CronFileCount count = {0};
    g_autoptr(GError) error = NULL;
    g_assert_true(cron_files_delete("/nonexistent", &rule, &count, &error));
    g_assert_false(cron_files_delete("/proc/version", &rule, &count, &error));
    g_assert_nonnull(error);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cron/files/old-files", test_old_files);
    g_test_add_func("/cron/files/no-folder", test_no_folder);
    return g_test_run();
}
