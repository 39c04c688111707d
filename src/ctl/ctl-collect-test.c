/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-collect.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <utime.h>

#include "ctl-sandbox.h"

#define HOURS(n) ((n)*60 * 60)

typedef struct {
    char *folder;
    GPtrArray *connectors;
} Fixture;

static void
set_up(Fixture *fix, gconstpointer data)
{
    fix->folder = g_dir_make_tmp("sluice-collect-XXXXXX", NULL);
    g_assert_nonnull(fix->folder);
    fix->connectors = g_ptr_array_new_with_free_func((GDestroyNotify)ctl_object_free);
}

static void
tear_down(Fixture *fix, gconstpointer data)
{
    g_assert_true(ctl_tree_remove(fix->folder, NULL));
    g_ptr_array_unref(fix->connectors);
    g_free(fix->folder);
}

/* A folder with something in it, retired `age` seconds ago; below 0: not retired. */
static char *
add_tree(const Fixture *fix, const char *name, gint64 age)
{
    char *tree = g_build_filename(fix->folder, name, NULL);
    g_autofree char *bin = g_build_filename(tree, "bin", NULL);
    g_autofree char *file = g_build_filename(bin, "python", NULL);
    g_autofree char *stamp = g_strconcat(tree, ".retired", NULL);
    g_assert_cmpint(g_mkdir_with_parents(bin, 0755), ==, 0);
    g_assert_true(g_file_set_contents(file, "x", -1, NULL));
    if (age < 0)
        return tree;
    time_t then = (time_t)(g_get_real_time() / G_USEC_PER_SEC - age);
    struct utimbuf times = {then, then};
    g_assert_true(g_file_set_contents(stamp, "", 0, NULL));
    g_assert_cmpint(utime(stamp, &times), ==, 0);
    return tree;
}

static char *
hash_name(char digit)
{
    return g_strnfill(64, digit);
}

static void
add_connector(const Fixture *fix, const char *tree)
{
    CtlObject *object = g_new0(CtlObject, 1);
    g_autofree char *text = g_strdup_printf("{\"tree\":\"%s\"}", tree);
    object->doc = sl_json_read_copy(text, strlen(text), NULL, NULL);
    g_assert_nonnull(object->doc);
    g_ptr_array_add(fix->connectors, object);
}

static gboolean
has_stamp(const char *tree)
{
    g_autofree char *stamp = g_strconcat(tree, ".retired", NULL);
    return g_file_test(stamp, G_FILE_TEST_EXISTS);
}

static void
collect(const Fixture *fix)
{
    g_autoptr(GError) error = NULL;
    ctl_collect_in(fix->folder, fix->connectors, &error);
    g_assert_no_error(error);
}

static void
test_ages(Fixture *fix, gconstpointer data)
{
    static const struct {
        char digit;
        gint64 age;
        gboolean stays;
    } cases[] = {
        {'a', HOURS(2), FALSE},    {'b', HOURS(1) + 5, FALSE},
        {'c', HOURS(1) / 2, TRUE}, {'d', -HOURS(1), TRUE}, /* never retired */
        {'z', HOURS(9), TRUE},                             /* no hash: none of ours */
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = hash_name(cases[i].digit);
        g_free(add_tree(fix, name, cases[i].age));
    }
    collect(fix);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = hash_name(cases[i].digit);
        g_autofree char *tree = g_build_filename(fix->folder, name, NULL);
        g_test_message("%c", cases[i].digit);
        g_assert_cmpint(g_file_test(tree, G_FILE_TEST_IS_DIR), ==, cases[i].stays);
        g_assert_cmpint(has_stamp(tree), ==, cases[i].stays && cases[i].age >= 0);
    }
}

/* Installed again, it is no longer retired: the next upgrade begins a new hour. */
static void
test_registered(Fixture *fix, gconstpointer data)
{
    g_autofree char *name = hash_name('1');
    g_autofree char *tree = add_tree(fix, name, HOURS(5));
    add_connector(fix, "/elsewhere");
    add_connector(fix, tree);
    collect(fix);
    g_assert_true(g_file_test(tree, G_FILE_TEST_IS_DIR));
    g_assert_false(has_stamp(tree));
}

static void
test_running(Fixture *fix, gconstpointer data)
{
    g_autofree char *name = hash_name('2');
    g_autofree char *tree = add_tree(fix, name, HOURS(5));
    g_autofree char *program = g_build_filename(tree, "bin", "python", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GSubprocess) child =
        g_subprocess_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error,
                         "sh", "-c", "echo; read line", program, NULL);
    char byte;
    g_assert_no_error(error);
    /* it is that shell by now, with its own words */
    g_assert_cmpint(g_input_stream_read(g_subprocess_get_stdout_pipe(child), &byte, 1, NULL, NULL),
                    ==, 1);
    collect(fix);
    g_assert_true(g_file_test(program, G_FILE_TEST_EXISTS));
    g_assert_true(has_stamp(tree));
    g_subprocess_force_exit(child);
    g_assert_true(g_subprocess_wait(child, NULL, NULL));
    collect(fix);
    g_assert_false(g_file_test(tree, G_FILE_TEST_EXISTS));
    g_assert_false(has_stamp(tree));
}

static void
test_nothing_there(Fixture *fix, gconstpointer data)
{
    g_autofree char *missing = g_build_filename(fix->folder, "missing", NULL);
    g_assert_true(ctl_collect_in(missing, fix->connectors, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/ctl-collect/ages", Fixture, NULL, set_up, test_ages, tear_down);
    g_test_add("/ctl-collect/registered", Fixture, NULL, set_up, test_registered, tear_down);
    g_test_add("/ctl-collect/running", Fixture, NULL, set_up, test_running, tear_down);
    g_test_add("/ctl-collect/nothing-there", Fixture, NULL, set_up, test_nothing_there, tear_down);
    return g_test_run();
}
