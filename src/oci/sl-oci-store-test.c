/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-oci-store.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "sl-error.h"
#include "sl-fd.h"
#include "sl-oci-fixture.h"

#define NOW 2000000000

typedef struct {
    char *store, *roots, *layers, *mountinfo;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    f->store = oci_fixture_folder();
    f->roots = g_build_filename(f->store, "roots", NULL);
    f->layers = g_build_filename(f->store, "layers", NULL);
    f->mountinfo = g_build_filename(f->store, "mountinfo", NULL);
    g_assert_cmpint(g_mkdir(f->roots, 0755), ==, 0);
    g_assert_cmpint(g_mkdir(f->layers, 0755), ==, 0);
    g_assert_true(g_file_set_contents(f->mountinfo, "", 0, NULL));
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    g_free(f->roots);
    g_free(f->layers);
    g_free(f->mountinfo);
    oci_fixture_remove(f->store);
}

static char *
digits(char letter, gsize n)
{
    return g_strnfill(n, letter);
}

static char *
add_layer(Fixture *f, char letter)
{
    char *id = digits(letter, 32);
    g_autofree char *path = g_build_filename(f->layers, id, "usr", NULL);
    g_autofree char *file = g_build_filename(path, "file", NULL);
    g_assert_cmpint(g_mkdir_with_parents(path, 0755), ==, 0);
    g_assert_true(g_file_set_contents(file, "x", 1, NULL));
    return id;
}

/* An image `letter` of the layers of `letters`. */
static char *
add_image(Fixture *f, char letter, const char *letters)
{
    g_autofree char *name = digits(letter, 64);
    char *root = g_build_filename(f->roots, name, NULL);
    g_autofree char *mounts = g_build_filename(root, SL_OCI_MOUNTS, NULL);
    g_autofree char *path = g_build_filename(root, SL_OCI_RECORD, NULL);
    g_autofree char *image = g_strconcat("sha256:", name, NULL);
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    char *command[] = {(char *)"/run", NULL}, *none[] = {NULL};
    for (; *letters != '\0'; letters++)
        g_ptr_array_add(ids, add_layer(f, *letters));
    g_ptr_array_add(ids, NULL);
    const SlOciRecord record = {.image = image,
                                .layers = (char **)ids->pdata,
                                .command = command,
                                .environment = none,
                                .directory = (char *)"/"};
    g_autofree char *text = sl_oci_record_print(&record);
    g_assert_cmpint(g_mkdir_with_parents(mounts, 0755), ==, 0);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    return root;
}

static int
compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The images that are there, by the letters of their names: '.' before one that was put aside, '~'
 * before the stamp of one, '?' before anything else. */
static char *
left(Fixture *f)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(f->roots, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir)) != NULL) {
        const char *mark = *name == '.'                         ? "."
                           : g_str_has_suffix(name, ".retired") ? "~"
                           : strlen(name) != 64                 ? "?"
                                                                : "";
        char *letter = g_ascii_strup(name + (*name == '.'), 1);
        g_ptr_array_add(words, g_strconcat(letter, mark, NULL));
        g_free(letter);
    }
    g_ptr_array_sort(words, compare);
    g_ptr_array_add(words, NULL);
    return g_strjoinv(" ", (char **)words->pdata);
}

static SlOciCollected
collect(Fixture *f, const char *const *used, gint64 now)
{
    g_autoptr(GError) error = NULL;
    const SlOciCollect how = {used, f->mountinfo, now};
    SlOciCollected collected;
    g_assert_true(sl_oci_store_collect(f->store, &how, &collected, &error));
    g_assert_no_error(error);
    return collected;
}

static void
assert_left(Fixture *f, const char *expected)
{
    g_autofree char *found = left(f);
    g_assert_cmpstr(found, ==, expected);
}

/* --- images that nobody has --------------------------------------------------------------------
 */

static void
test_unused(Fixture *f, gconstpointer data)
{
    g_autofree char *a = add_image(f, 'a', "12");
    g_autofree char *b = add_image(f, 'b', "13");
    const char *const both[] = {a, "", "/elsewhere", b, NULL}, *const one[] = {a, NULL};
    g_autofree char *stamp = g_strconcat(b, ".retired", NULL);
    assert_left(f, "A B");
    collect(f, both, NOW);
    assert_left(f, "A B");
    /* First seen, then given its time, then gone with what only it had. */
    collect(f, one, NOW);
    assert_left(f, "A B B~");
    g_assert_cmpint(utime(stamp, &(struct utimbuf){NOW, NOW}), ==, 0);
    collect(f, one, NOW + SL_OCI_GRACE_SEC - 1);
    assert_left(f, "A B B~");
    /* Whoever installs it again has it again. */
    collect(f, both, NOW + SL_OCI_GRACE_SEC);
    assert_left(f, "A B");
    collect(f, one, NOW);
    g_assert_cmpint(utime(stamp, &(struct utimbuf){NOW, NOW}), ==, 0);
    SlOciCollected collected = collect(f, one, NOW + SL_OCI_GRACE_SEC);
    assert_left(f, "A");
    g_assert_cmpuint(collected.images, ==, 1);
    g_assert_cmpuint(collected.layers, ==, 1);
    g_autofree char *layer = g_strconcat(f->layers, "/33333333333333333333333333333333", NULL);
    g_assert_false(g_file_test(layer, G_FILE_TEST_EXISTS));
}

static void
test_removed(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *a = add_image(f, 'a', "12");
    g_autofree char *b = add_image(f, 'b', "13");
    const char *const one[] = {a, NULL};
    g_assert_true(sl_oci_store_remove(f->store, b, &error));
    assert_left(f, "A B.");
    g_assert_true(sl_oci_store_remove(f->store, b, &error)); /* is not there any more */
    collect(f, one, NOW);
    assert_left(f, "A");

    const char *const bad[] = {"/etc", f->store, f->roots, "", "relative"};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(sl_oci_store_remove(f->store, bad[i], &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        g_clear_error(&error);
    }
    assert_left(f, "A");
}

/* What is mounted stays, whatever its name is now, and so do its layers. */
static void
test_mounted(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *a = add_image(f, 'a', "12");
    g_autofree char *layer = digits('2', 32);
    g_autofree char *line =
        g_strdup_printf("36 35 0:9 / /run/x ro - overlay overlay ro,lowerdir=%s/mounts:%s/%s\n", a,
                        f->layers, layer);
    const char *const none[] = {NULL};
    g_assert_true(g_file_set_contents(f->mountinfo, line, -1, NULL));
    g_assert_true(sl_oci_store_remove(f->store, a, &error));
    SlOciCollected collected = collect(f, none, NOW);
    assert_left(f, "A.");
    g_assert_cmpuint(collected.kept, ==, 1);
    g_assert_cmpuint(collected.layers, ==, 1); /* "1" was not told of */

    /* The same image anew, and out of use again. */
    g_autofree char *again = add_image(f, 'a', "12");
    g_assert_true(sl_oci_store_remove(f->store, again, &error));
    g_assert_no_error(error);
    assert_left(f, "A. A.");
    g_assert_true(g_file_set_contents(f->mountinfo, "", 0, NULL));
    collected = collect(f, none, NOW);
    assert_left(f, "");
    g_assert_cmpuint(collected.images, ==, 2);
    g_assert_cmpuint(collected.layers, ==, 2);
}

/* What runs left that were killed: half a copy, layers without an image, stamps of nothing. */
static void
test_rest(Fixture *f, gconstpointer data)
{
    static const char *const names[] = {"roots/x.new", "roots/odd", "layers/odd",
                                        "layers/44444444444444444444444444444444.new"};
    g_autofree char *a = add_image(f, 'a', "1"), *loose = add_layer(f, '7');
    g_autofree char *b = digits('b', 64);
    g_autofree char *stamp = g_strdup_printf("%s/%s.retired", f->roots, b);
    const char *const one[] = {a, NULL};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(f->store, names[i], "inner", NULL);
        g_assert_cmpint(g_mkdir_with_parents(path, 0755), ==, 0);
    }
    g_assert_cmpint(g_mkdir(stamp, 0700), ==, 0);
    collect(f, one, NOW);
    g_autoptr(GDir) layers = g_dir_open(f->layers, 0, NULL);
    g_assert_cmpstr(g_dir_read_name(layers), ==, "11111111111111111111111111111111");
    g_assert_null(g_dir_read_name(layers));
    assert_left(f, "A");
}

/* One that cannot be read keeps all layers. */
static void
test_unreadable(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *a = add_image(f, 'a', "12");
    g_autofree char *path = g_build_filename(a, SL_OCI_RECORD, NULL);
    const char *const one[] = {a, NULL};
    const SlOciCollect how = {one, f->mountinfo, NOW};
    SlOciCollected collected;
    g_assert_true(g_file_set_contents(path, "{", -1, NULL));
    g_assert_false(sl_oci_store_collect(f->store, &how, &collected, &error));
    g_assert_nonnull(strstr(error->message, path));
    g_autoptr(GDir) dir = g_dir_open(f->layers, 0, NULL);
    g_assert_nonnull(g_dir_read_name(dir));
    g_assert_nonnull(g_dir_read_name(dir));
}

static void
test_lock(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    sl_autofd int first = sl_oci_store_lock(f->store, &error);
    g_assert_cmpint(first, >=, 0);
    g_assert_cmpint(sl_oci_store_lock(f->store, &error), ==, -1);
    g_assert_error(error, SL_ERROR, SL_ERROR_BUSY);
    g_clear_error(&error);
    sl_fd_clear(&first);
    sl_autofd int second = sl_oci_store_lock(f->store, &error);
    g_assert_no_error(error);
    g_assert_cmpint(second, >=, 0);
    g_assert_cmpint(sl_oci_store_lock("/none/such", &error), ==, -1);
    g_assert_error(error, SL_ERROR, SL_ERROR_NOT_FOUND);
}

/* --- records -----------------------------------------------------------------------------------
 */

#define ID "0123456789abcdef0123456789abcdef"
#define RECORD(layers, command, directory)                                                         \
    "{\"image\":\"sha256:x\",\"layers\":[" layers "],\"command\":[" command                        \
    "],\"environment\":[\"A=b\"],\"directory\":\"" directory "\"}"

static void
test_record(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *text, *expected; /* NULL: good */
    } cases[] = {
        {RECORD("\"" ID "\"", "\"/run\",\"x\"", "/"), NULL},
        {RECORD("", "\"/run\"", "/"), "layers: none"},
        {RECORD("\"../../etc\"", "\"/run\"", "/"), "layers: '../../etc' is no id of a layer"},
        {RECORD("\"" ID ":/etc\"", "\"/run\"", "/"), "is no id of a layer"},
        {RECORD("\"" ID "\"", "", "/"), "command: expected an absolute path first"},
        {RECORD("\"" ID "\"", "\"run\"", "/"), "command: expected an absolute path first"},
        {RECORD("\"" ID "\"", "\"/run\"", "tmp"), "directory: expected an absolute path"},
        {RECORD("1", "\"/run\"", "/"), "layers: expected a list of strings"},
        {"{}", "image: expected a string"},
        {"[]", "image: expected a string"},
        {"", ""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SlOciRecord) record =
            sl_oci_record_parse(cases[i].text, strlen(cases[i].text), &error);
        if (cases[i].expected == NULL) {
            g_assert_no_error(error);
            g_autofree char *text = sl_oci_record_print(record);
            g_assert_cmpstr(text, ==, cases[i].text);
            g_autofree char *options = sl_oci_record_lowerdir(record, "/s/roots/d", &error);
            g_assert_cmpstr(options, ==, "lowerdir=/s/roots/d/mounts:/s/layers/" ID);
        } else {
            g_assert_null(record);
            g_assert_nonnull(strstr(error->message, cases[i].expected));
        }
    }
}

/* Options of a mount are one page. */
static void
test_many_layers(Fixture *f, gconstpointer data)
{
    for (guint n = 50; n <= 70; n += 20) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GString) ids = g_string_new(NULL);
        for (guint i = 0; i < n; i++)
            g_string_append_printf(ids, "%s\"%032u\"", i > 0 ? "," : "", i);
        g_autofree char *text = g_strdup_printf(RECORD("%s", "\"/run\"", "/"), ids->str);
        g_autoptr(SlOciRecord) record = sl_oci_record_parse(text, strlen(text), &error);
        g_assert_no_error(error);
        g_autofree char *options =
            sl_oci_record_lowerdir(record, SL_OCI_STORE "/roots/" ID ID, &error);
        g_assert_cmpint(options != NULL, ==, n == 50);
        if (options != NULL) {
            g_assert_nonnull(strstr(options, "mounts:" SL_OCI_STORE "/layers/000000000000000000"
                                             "00000000000049:"));
        } else {
            g_assert_error(error, SL_ERROR, SL_ERROR_TOO_LARGE);
            g_assert_nonnull(strstr(error->message, "70 layers"));
        }
    }
}

static void
test_roots(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *path;
        gboolean is_root;
    } cases[] = {
        {"/s/roots/" ID ID, TRUE},      {"/s/roots/" ID ID "/", FALSE},
        {"/s/roots/" ID, FALSE},        {"/s/roots/." ID ID, FALSE},
        {"/s/roots/../" ID ID, FALSE},  {"/t/roots/" ID ID, FALSE},
        {"/s/layers/" ID ID, FALSE},    {"", FALSE},
        {"/s/roots/" ID ID "0", FALSE}, {"/s/roots/G123456789abcdef0123456789abcdef" ID, FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(sl_oci_is_root("/s", cases[i].path), ==, cases[i].is_root);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*run)(Fixture *f, gconstpointer data);
    } tests[] = {
        {"/oci/store/unused", test_unused},         {"/oci/store/removed", test_removed},
        {"/oci/store/mounted", test_mounted},       {"/oci/store/rest", test_rest},
        {"/oci/store/unreadable", test_unreadable}, {"/oci/store/lock", test_lock},
        {"/oci/record/parse", test_record},         {"/oci/record/many-layers", test_many_layers},
        {"/oci/record/roots", test_roots},
    };
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].run, tear_down);
    return g_test_run();
}
