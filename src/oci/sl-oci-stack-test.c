/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-oci-stack.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-oci-fixture.h"
#include "sl-oci-path.h"

typedef struct {
    char *folder;
    SlOciStack *stack;
    guint layers;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    f->folder = oci_fixture_folder();
    f->stack = sl_oci_stack_new();
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    sl_oci_stack_free(f->stack);
    oci_fixture_remove(f->folder);
}

/* "d etc", "f etc/a=A", "l x=/etc", "w gone": a layer on those that are there. */
static void
push(Fixture *f, const char *const *entries)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *layer = g_strdup_printf("%s/%u", f->folder, f->layers++);
    g_assert_cmpint(g_mkdir(layer, 0755), ==, 0);
    for (; *entries != NULL; entries++) {
        g_auto(GStrv) words = g_strsplit(*entries + 2, "=", 2);
        g_autofree char *path = g_build_filename(layer, words[0], NULL);
        g_autofree char *parent = g_path_get_dirname(path);
        g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
        switch (**entries) {
        case 'd':
            g_assert_cmpint(g_mkdir_with_parents(path, 0755), ==, 0);
            break;
        case 'f':
            g_assert_true(g_file_set_contents(path, words[1], -1, NULL));
            break;
        case 'l':
            g_assert_cmpint(symlink(words[1], path), ==, 0);
            break;
        default:
            g_assert_cmpint(mknod(path, S_IFCHR, makedev(0, 0)), ==, 0);
        }
    }
    g_assert_true(sl_oci_stack_push(f->stack, layer, &error));
    g_assert_no_error(error);
}

static void
push_all(Fixture *f)
{
    static const char *const layers[][9] = {
        {"f etc/passwd=old", "f usr/bin/python3.11=P", "l bin=usr/bin", "f opt/a=1", "f opt/b=2",
         "f srv/x=X", "l loop=loop", "l var/run=/run"},
        {"l usr/bin/python3=python3.11", "w opt/a", "w srv", "d run", "l usr/local/bin=../bin",
         "l up=../../../../usr", "f etc/passwd=new"},
        {"f srv=file", "f opt/c=3", "l dangling=/none", "l bin/x=y"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(layers); i++)
        push(f, layers[i]);
}

static void
test_look(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *path;
        SlOciKind kind;
    } cases[] = {
        {"", SL_OCI_FOLDER},
        {"etc", SL_OCI_FOLDER},
        {"etc/passwd", SL_OCI_FILE},
        {"opt/a", SL_OCI_MISSING},
        {"opt/b", SL_OCI_FILE},
        {"opt/c", SL_OCI_FILE},
        {"srv", SL_OCI_FILE},
        {"srv/x", SL_OCI_MISSING},
        {"usr/bin/python3", SL_OCI_LINK},
        {"none", SL_OCI_MISSING},
        {"etc/passwd/x", SL_OCI_MISSING},
        /* A folder of the top layer stands before a link of a lower one. */
        {"bin", SL_OCI_FOLDER},
        {"bin/x", SL_OCI_LINK},
        {"loop", SL_OCI_LINK},
    };
    push_all(f);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        if (sl_oci_stack_look(f->stack, cases[i].path) != cases[i].kind)
            g_error("'%s' is %d", cases[i].path, sl_oci_stack_look(f->stack, cases[i].path));
}

static void
test_resolve(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *path;
        SlOciKind kind;
        const char *found;
    } cases[] = {
        {"/", SL_OCI_FOLDER, ""},
        {"/usr/bin/python3", SL_OCI_FILE, "usr/bin/python3.11"},
        {"/usr/local/bin/python3", SL_OCI_FILE, "usr/bin/python3.11"},
        {"/up/bin", SL_OCI_FOLDER, "usr/bin"},
        {"/../../etc/./passwd", SL_OCI_FILE, "etc/passwd"},
        {"/opt/../etc", SL_OCI_FOLDER, "etc"},
        {"/var/run", SL_OCI_FOLDER, "run"},
        {"/loop", SL_OCI_MISSING, NULL},
        {"/dangling", SL_OCI_MISSING, NULL},
        {"/etc/passwd/..", SL_OCI_FOLDER, "etc"},
        {"/etc/passwd/x", SL_OCI_MISSING, NULL},
        {"/opt/a", SL_OCI_MISSING, NULL},
    };
    push_all(f);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = NULL;
        SlOciKind kind = sl_oci_stack_resolve(f->stack, cases[i].path, &found);
        if (kind != cases[i].kind || g_strcmp0(found, cases[i].found) != 0)
            g_error("'%s' is %d '%s'", cases[i].path, kind, found);
    }
}

static void
test_list(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *path, *names;
    } cases[] = {
        {"opt", "b c"}, {"srv", ""},
        {"bin", "x"},   {"usr/bin", "python3 python3.11"},
        {"none", ""},   {"", "bin dangling etc loop opt run srv up usr var"},
    };
    push_all(f);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) names = sl_oci_stack_list(f->stack, cases[i].path);
        g_ptr_array_add(names, NULL);
        g_autofree char *joined = g_strjoinv(" ", (char **)names->pdata);
        g_assert_cmpstr(joined, ==, cases[i].names);
    }
}

static void
test_read(Fixture *f, gconstpointer data)
{
    push_all(f);
    g_autofree char *text = sl_oci_stack_read(f->stack, "etc/passwd", 100);
    g_assert_cmpstr(text, ==, "new");
    g_assert_null(sl_oci_stack_read(f->stack, "opt/a", 100));
    g_assert_null(sl_oci_stack_read(f->stack, "opt", 100));
    g_assert_null(sl_oci_stack_read(f->stack, "etc/passwd", 2));
}

static void
test_program(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *word, *search, *found;
    } cases[] = {
        {"python3", "/none:/usr/bin", "/usr/bin/python3"},
        {"python3", "/usr/local/bin:/usr/bin", "/usr/local/bin/python3"},
        {"python3", "", NULL},
        {"python3", "usr/bin", NULL}, /* a folder of nowhere in particular */
        {"/usr/bin/python3", "", "/usr/bin/python3"},
        {"/opt", "", NULL},
        {"/opt/a", "", NULL},
        {"bin/python3", "/usr", NULL},
        {"../etc/passwd", "/usr", NULL},
    };
    push_all(f);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found =
            sl_oci_stack_find_program(f->stack, cases[i].word, cases[i].search);
        g_assert_cmpstr(found, ==, cases[i].found);
    }
}

/* A layer itself must be a folder, not a link to one. */
static void
test_push(Fixture *f, gconstpointer data)
{
    g_autofree char *link = g_build_filename(f->folder, "link", NULL);
    g_autofree char *none = g_build_filename(f->folder, "none", NULL);
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(symlink("/etc", link), ==, 0);
    g_assert_false(sl_oci_stack_push(f->stack, link, &error));
    g_clear_error(&error);
    g_assert_false(sl_oci_stack_push(f->stack, none, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_NOT_FOUND);
}

static void
test_clean(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *path, *clean;
    } cases[] = {
        {"a", "a"},     {"./a//b/", "a/b"}, {"/a/./b", "a/b"}, {"/", ""},      {".", ""},
        {"..", NULL},   {"a/..", NULL},     {"a/../b", NULL},  {"", NULL},     {NULL, NULL},
        {"...", "..."}, {"a..b", "a..b"},   {"/../a", NULL},   {"..a", "..a"},
    };
    g_autofree char *name = g_strnfill(256, 'x');
    g_autofree char *path = g_strnfill(5000, '/');
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *clean = sl_oci_path_clean(cases[i].path);
        g_assert_cmpstr(clean, ==, cases[i].clean);
    }
    g_assert_null(sl_oci_path_clean(name));
    g_assert_null(sl_oci_path_clean(path));
    name[255] = '\0';
    g_autofree char *longest = sl_oci_path_clean(name);
    g_assert_cmpstr(longest, ==, name);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*run)(Fixture *f, gconstpointer data);
    } tests[] = {
        {"/oci/stack/look", test_look},       {"/oci/stack/resolve", test_resolve},
        {"/oci/stack/list", test_list},       {"/oci/stack/read", test_read},
        {"/oci/stack/program", test_program}, {"/oci/stack/push", test_push},
        {"/oci/path/clean", test_clean},
    };
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].run, tear_down);
    return g_test_run();
}
