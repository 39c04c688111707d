/* SPDX-License-Identifier: Apache-2.0 */
/* Whole images: a layout unpacked beside a store, as a bundle, and unpacked again. */
#include "config.h"
#include "sl-oci-build.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "sl-error.h"
#include "sl-fd.h"
#include "sl-oci-archive.h"
#include "sl-oci-bundle.h"
#include "sl-oci-fixture.h"

static const SlOciLimits limits = {1 << 20, 1000};

static const OciEntry base[] = {
    {'d', "bin", NULL, 0},
    {'f', "bin/sh", "SH", 0755},
    {'f', "usr/bin/python", "PY", 0755},
    {'d', "airbyte", NULL, 0700},
    {'f', "etc/passwd", "root:x:0:0::/:/bin/sh", 0},
    {'f', "etc/resolv.conf", "nameserver 1.2.3.4\n", 0},
    {'l', "var/run", "/run", 0},
    {0},
};
static const OciEntry middle[] = {
    {'f', "airbyte/main.py", "M", 0},
    {'h', "airbyte/again.py", "airbyte/main.py", 0},
    {'f', "etc/.wh.resolv.conf", NULL, 0},
    {0},
};
static const OciEntry top[] = {{'f', "bin/.wh.sh", NULL, 0}, {'l', "bin/dash", "../x", 0}, {0}};
static const OciEntry other[] = {{'f', "other", "O", 0}, {0}};
static const OciEntry nothing[] = {{0}};

static const OciEntry *const three[] = {base, middle, top, NULL};

#define CONFIG                                                                                     \
    "{\"Env\":[\"PATH=/usr/bin:/bin\",\"AIRBYTE_ENTRYPOINT=python /airbyte/main.py\"],\"User\":"   \
    "\"airbyte\",\"WorkingDir\":\"/airbyte\",\"Labels\":{\"io.airbyte.name\":\"airbyte/"           \
    "source-x\","                                                                                  \
    "\"io.airbyte.version\":\"1.2\"}}"

typedef struct {
    char *folder, *store;
    guint works;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    f->folder = oci_fixture_folder();
    f->store = g_build_filename(f->folder, "store", NULL);
    g_autofree char *roots = g_build_filename(f->store, "roots", NULL);
    g_autofree char *layers = g_build_filename(f->store, "layers", NULL);
    g_assert_cmpint(g_mkdir_with_parents(roots, 0755), ==, 0);
    g_assert_cmpint(g_mkdir_with_parents(layers, 0755), ==, 0);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    g_free(f->store);
    oci_fixture_remove(f->folder);
}

static char *
new_work(Fixture *f)
{
    return g_strdup_printf("%s/work%u", f->folder, f->works++);
}

static SlOciRecord *
build(Fixture *f, const OciEntry *const *layers, const char *config, const char *work,
      GError **error)
{
    g_autofree char *layout = g_build_filename(work, "layout", NULL);
    g_autofree char *digest = oci_fixture_image(layout, layers, OCI_GZIP, config);
    SlOciRecord *record = sl_oci_build(layout, f->store, work, "a/b:1", &limits, error);
    if (record != NULL)
        g_assert_cmpstr(record->image, ==, digest);
    return record;
}

/* What sluicectl does with it: layers that are new, and the root. */
static char *
store(Fixture *f, const char *work, const SlOciRecord *record, guint *ret_new)
{
    g_autofree char *made_root = g_build_filename(work, "root", NULL);
    char *root = g_build_filename(f->store, "roots", record->image + strlen("sha256:"), NULL);
    *ret_new = 0;
    for (guint i = 0; record->layers[i] != NULL; i++) {
        g_autofree char *made = g_build_filename(work, "layers", record->layers[i], NULL);
        g_autofree char *kept = g_build_filename(f->store, "layers", record->layers[i], NULL);
        if (g_rename(made, kept) == 0)
            ++*ret_new;
        else
            g_assert_true(g_file_test(kept, G_FILE_TEST_IS_DIR));
    }
    g_assert_cmpint(g_rename(made_root, root), ==, 0);
    return root;
}

static SlOciStack *
stack_of(Fixture *f, const SlOciRecord *record)
{
    SlOciStack *stack = sl_oci_stack_new();
    for (guint i = 0; record->layers[i] != NULL; i++) {
        g_autofree char *path = g_build_filename(f->store, "layers", record->layers[i], NULL);
        g_assert_true(sl_oci_stack_push(stack, path, NULL));
    }
    return stack;
}

static void
test_record(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *work = new_work(f);
    g_autoptr(SlOciRecord) record = build(f, three, CONFIG, work, &error);
    g_assert_no_error(error);
    g_autofree char *command = g_strjoinv(" ", record->command);
    g_assert_cmpstr(command, ==, "/usr/bin/python /airbyte/main.py");
    g_assert_cmpstr(record->directory, ==, "/airbyte");
    g_assert_cmpstr(record->name, ==, "airbyte/source-x");
    g_assert_cmpstr(record->version, ==, "1.2");
    g_assert_cmpstr(record->reference, ==, "a/b:1");
    g_assert_null(record->type);
    g_assert_cmpuint(g_strv_length(record->layers), ==, 3);
    g_assert_cmpuint(g_strv_length(record->environment), ==, 2);

    guint n_new;
    g_autofree char *root = store(f, work, record, &n_new);
    g_assert_cmpuint(n_new, ==, 3);
    g_autoptr(SlOciRecord) loaded = sl_oci_record_load(root, &error);
    g_assert_no_error(error);
    g_autofree char *first = sl_oci_record_print(record), *second = sl_oci_record_print(loaded);
    g_assert_cmpstr(first, ==, second);
}

/* What must be there for something to be mounted on it; nothing over a link of the image. */
static void
test_mounts(Fixture *f, gconstpointer data)
{
    static const char *const there[] = {
        "proc",     "sys", "dev", "run", "tmp", "var/tmp", "var/lib/sluice", "etc/resolv.conf",
        "etc/hosts"};
    static const OciEntry linked[] = {{'l', "tmp", "var/tmp", 0}, {'l', "run", "var/run", 0}, {0}};
    const OciEntry *const layers[] = {base, linked, NULL};
    for (int i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *work = new_work(f), *text = NULL;
        g_autoptr(SlOciRecord) record = build(f, i == 0 ? three : layers, CONFIG, work, &error);
        g_assert_no_error(error);
        for (gsize j = 0; j < G_N_ELEMENTS(there); j++) {
            gboolean link =
                i == 1 && (strcmp(there[j], "tmp") == 0 || strcmp(there[j], "run") == 0);
            g_autofree char *path = g_build_filename(work, "root/mounts", there[j], NULL);
            if (g_file_test(path, G_FILE_TEST_EXISTS) == link)
                g_error("case %d: '%s'", i, there[j]);
        }
        g_autofree char *passwd = g_build_filename(work, "root/mounts/etc/passwd", NULL);
        g_assert_true(g_file_get_contents(passwd, &text, NULL, NULL));
        g_assert_true(g_str_has_prefix(text, "root:x:0:0::/:/bin/sh\nconnector61184:x:61184:"));
        g_assert_nonnull(strstr(text, "\nconnector65519:x:65519:65519::/tmp:"));
    }
}

/* Layers that are there are not unpacked again, and are the same ones. */
static void
test_shared(Fixture *f, gconstpointer data)
{
    const OciEntry *const second[] = {base, middle, other, NULL};
    const OciEntry *const swapped[] = {middle, base, NULL};
    const OciEntry *const twice[] = {base, nothing, nothing, NULL};
    const struct {
        const OciEntry *const *layers;
        guint n_new;
    } cases[] = {{three, 3}, {second, 1}, {swapped, 2}, {twice, 2}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *work = new_work(f);
        g_autoptr(SlOciRecord) record = build(f, cases[i].layers, CONFIG, work, &error);
        guint n_new;
        g_assert_no_error(error);
        g_autofree char *root = store(f, work, record, &n_new);
        g_assert_cmpuint(n_new, ==, cases[i].n_new);
    }
}

static void
test_refused(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *config, *expected;
    } cases[] = {
        {"{\"Entrypoint\":[\"/none\"]}", "'/none', which the image wants to be started by"},
        {"{\"Entrypoint\":[\"none\"],\"Env\":[\"PATH=/bin\"]}", "'none', which the image wants"},
        {"{\"Entrypoint\":[\"/bin/sh\"]}", "'/bin/sh', which"}, /* a whiteout hides it */
        {"{\"Env\":[\"AIRBYTE_ENTRYPOINT=$X\"]}", "'/bin/sh', which"},
        {"{\"Entrypoint\":[\"/airbyte\"]}", "'/airbyte', which"},
        {"{}", "it is no connector"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *work = new_work(f);
        g_assert_null(build(f, three, cases[i].config, work, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        if (strstr(error->message, cases[i].expected) == NULL)
            g_error("case %zu: got: %s", i, error->message);
    }
}

/* The limits are the image's, not each layer's. */
static void
test_limits(Fixture *f, gconstpointer data)
{
    const OciEntry *const layers[] = {other, other, other, NULL};
    for (int i = 2; i <= 3; i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *work = new_work(f), *layout = g_build_filename(work, "layout", NULL);
        const SlOciLimits few = {i, 100};
        g_autofree char *digest =
            oci_fixture_image(layout, layers, OCI_ZSTD, "{\"Entrypoint\":[\"/other\"]}");
        g_autoptr(SlOciRecord) record = sl_oci_build(layout, f->store, work, "x", &few, &error);
        g_assert_cmpint(record != NULL, ==, i == 3);
        if (record == NULL)
            g_assert_error(error, SL_ERROR, SL_ERROR_TOO_LARGE);
    }
}

static void
test_directory(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *config, *directory;
    } cases[] = {
        {"\"/airbyte\"", "/airbyte"}, {"\"/none\"", "/tmp"},
        {"\"/etc/passwd\"", "/tmp"},  {"\"\"", "/"},
        {"\"/usr/../bin\"", "/bin"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *work = new_work(f);
        g_autofree char *config = g_strdup_printf(
            "{\"Entrypoint\":[\"/usr/bin/python\"],\"WorkingDir\":%s}", cases[i].config);
        g_autoptr(SlOciRecord) record = build(f, three, config, work, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(record->directory, ==, cases[i].directory);
    }
}

/* --- bundles -----------------------------------------------------------------------------------
 */

static void
write_bundle(const char *root, const char *path, const char *const *labels)
{
    g_autoptr(GError) error = NULL;
    sl_autofd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    g_assert_true(sl_oci_bundle_write(root, labels, fd, &error));
    g_assert_no_error(error);
}

/* Out of a bundle comes the same tree, and the same bundle again. */
static void
test_bundle(Fixture *f, gconstpointer data)
{
    const char *const labels[] = {SL_OCI_LABEL_NAME "=team/source-y", SL_OCI_LABEL_VERSION "=3",
                                  SL_OCI_LABEL_TYPE "=source", SL_OCI_LABEL_TITLE "=Why = not",
                                  NULL};
    const OciEntry *const layers[] = {base, middle, nothing, top, nothing, NULL};
    g_autoptr(GError) error = NULL;
    g_autofree char *work = new_work(f), *path = g_build_filename(f->folder, "bundle", NULL);
    g_autoptr(SlOciRecord) first = build(f, layers, CONFIG, work, &error);
    g_assert_no_error(error);
    guint n_new;
    g_autofree char *root = store(f, work, first, &n_new);
    write_bundle(root, path, labels);

    SlOciArchiveKind kind;
    g_autofree char *second_work = new_work(f);
    g_autofree char *layout = g_build_filename(second_work, "layout", NULL);
    g_assert_true(sl_oci_archive_detect(path, &kind, &error));
    g_assert_cmpint(kind, ==, SL_OCI_ARCHIVE_LAYOUT);
    g_assert_true(sl_oci_archive_unpack(path, layout, &error));
    g_assert_no_error(error);
    g_autoptr(SlOciRecord) second =
        sl_oci_build(layout, f->store, second_work, "bundle", &limits, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(second->name, ==, "team/source-y");
    g_assert_cmpstr(second->version, ==, "3");
    g_assert_cmpstr(second->type, ==, "source");
    g_assert_cmpstr(second->title, ==, "Why = not");
    g_assert_cmpstr(second->directory, ==, first->directory);
    g_assert_true(
        g_strv_equal((const char *const *)second->command, (const char *const *)first->command));
    g_assert_true(g_strv_equal((const char *const *)second->environment,
                               (const char *const *)first->environment));
    for (guint i = 0; first->layers[i] != NULL; i++) {
        g_autofree char *old = g_build_filename(f->store, "layers", first->layers[i], NULL);
        g_autofree char *new = g_build_filename(second_work, "layers", second->layers[i], NULL);
        g_autofree char *old_list = oci_fixture_list(old), *new_list = oci_fixture_list(new);
        g_assert_cmpstr(new_list, ==, old_list);
    }

    g_autofree char *second_root = store(f, second_work, second, &n_new);
    /* When folders were made is no part of it. */
    g_autofree char *folder = g_build_filename(f->store, "layers", second->layers[0], "bin", NULL);
    g_assert_cmpint(utime(folder, &(struct utimbuf){5, 5}), ==, 0);
    g_autofree char *second_path = g_build_filename(f->folder, "again", NULL);
    g_autofree char *text = NULL, *second_text = NULL;
    gsize len, second_len;
    write_bundle(second_root, second_path, labels);
    g_assert_true(g_file_get_contents(path, &text, &len, NULL));
    g_assert_true(g_file_get_contents(second_path, &second_text, &second_len, NULL));
    g_assert_cmpmem(text, len, second_text, second_len);

    /* Hard links stay one file. */
    g_autoptr(SlOciStack) stack = stack_of(f, second);
    g_autofree char *main_py = sl_oci_stack_read(stack, "airbyte/again.py", 100);
    g_assert_cmpstr(main_py, ==, "M");
    struct stat st;
    g_autofree char *linked =
        g_build_filename(f->store, "layers", second->layers[1], "airbyte/main.py", NULL);
    g_assert_cmpint(stat(linked, &st), ==, 0);
    g_assert_cmpuint(st.st_nlink, ==, 2);
}

static void
test_bundle_errors(Fixture *f, gconstpointer data)
{
    const char *const labels[] = {NULL};
    g_autoptr(GError) error = NULL;
    g_autofree char *work = new_work(f);
    g_autoptr(SlOciRecord) record = build(f, three, CONFIG, work, &error);
    guint n_new;
    g_autofree char *root = store(f, work, record, &n_new);
    sl_autofd int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    g_assert_false(sl_oci_bundle_write(root, labels, full, &error));
    g_assert_nonnull(strstr(error->message, "No space left on device"));
    g_clear_error(&error);
    g_assert_false(sl_oci_bundle_write(f->folder, labels, full, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_NOT_FOUND);
}

/* --- archives ----------------------------------------------------------------------------------
 */

#define BLOB "blobs/sha256/0000000000000000000000000000000000000000000000000000000000000000"

static void
test_archives(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *what;
        OciEntry entries[6];
        int kind; /* -1: none */
        const char *expected;
    } cases[] = {
        {"a layout",
         {{'f', "oci-layout", "{}", 0}, {'f', "./index.json", "I", 0}, {'f', BLOB, "B", 0}},
         SL_OCI_ARCHIVE_LAYOUT,
         "blobs d|blobs/sha256 d|" BLOB " f=B|index.json f=I|oci-layout f={}"},
        {"one of Docker", {{'f', "manifest.json", "[]", 0}}, SL_OCI_ARCHIVE_DOCKER, NULL},
        {"one of a newer Docker, which is both; what is strange stays out",
         {{'f', "manifest.json", "[]", 0},
          {'f', "oci-layout", "{}", 0},
          {'f', "index.json", "I", 0},
          {'f', "../../out", "x", 0},
          {'l', "blobs/sha256/link", "/etc", 0}},
         SL_OCI_ARCHIVE_LAYOUT,
         "blobs d|blobs/sha256 d|index.json f=I|oci-layout f={}"},
        {"anything", {{'f', "a", "A", 0}}, -1, "not an image: it has neither"},
        {"nothing", {{0}}, -1, "not an image|damaged or cut off"},
        {"a link for a blob",
         {{'f', "oci-layout", "{}", 0}, {'f', "index.json", "I", 0}, {'l', BLOB, "/etc/passwd", 0}},
         SL_OCI_ARCHIVE_LAYOUT,
         "!'" BLOB "' is no file"},
        {"a hard link for a text",
         {{'f', "oci-layout", "{}", 0}, {'h', "index.json", "/etc/passwd", 0}},
         SL_OCI_ARCHIVE_LAYOUT,
         "!'index.json' is no file"},
    };
    static const OciPacking packings[] = {OCI_PLAIN, OCI_GZIP, OCI_ZSTD};
    g_autofree char *path = g_build_filename(f->folder, "archive", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases) * G_N_ELEMENTS(packings); i++) {
        gsize n = i / G_N_ELEMENTS(packings);
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) tar = oci_fixture_tar(cases[n].entries);
        g_autoptr(GBytes) packed = oci_fixture_pack(tar, packings[i % G_N_ELEMENTS(packings)]);
        g_autofree char *layout = new_work(f);
        SlOciArchiveKind kind;
        g_assert_true(g_file_set_contents(path, g_bytes_get_data(packed, NULL),
                                          (gssize)g_bytes_get_size(packed), NULL));
        gboolean ok = sl_oci_archive_detect(path, &kind, &error);
        if (ok != (cases[n].kind >= 0) || (ok && (int)kind != cases[n].kind))
            g_error("%s: %s", cases[n].what, error != NULL ? error->message : "the other kind");
        if (!ok) {
            g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
            continue;
        }
        if (cases[n].expected == NULL)
            continue;
        ok = sl_oci_archive_unpack(path, layout, &error);
        if (*cases[n].expected == '!') {
            g_assert_false(ok);
            g_assert_nonnull(strstr(error->message, cases[n].expected + 1));
            continue;
        }
        g_assert_no_error(error);
        g_autoptr(GPtrArray) names = g_ptr_array_new();
        g_auto(GStrv) lines = g_strsplit(cases[n].expected, "|", -1);
        for (guint j = 0; lines[j] != NULL; j++) {
            g_autofree char *name = g_strndup(lines[j], strcspn(lines[j], " "));
            g_autofree char *full = g_build_filename(layout, name, NULL), *text = NULL;
            const char *equals = strchr(lines[j], '=');
            g_assert_true(g_file_test(full, G_FILE_TEST_EXISTS));
            if (equals != NULL && g_file_get_contents(full, &text, NULL, NULL))
                g_assert_cmpstr(text, ==, equals + 1);
        }
    }
    g_autofree char *out = g_build_filename(f->folder, "out", NULL);
    g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
}

/* Cut off anywhere: never taken for a whole one. */
static void
test_cut_archive(Fixture *f, gconstpointer data)
{
    static const OciEntry entries[] = {{'f', "oci-layout", "{}", 0},
                                       {'f', "index.json", "I", 0},
                                       {'f', BLOB, "a blob of some length", 0},
                                       {0}};
    g_autoptr(GBytes) tar = oci_fixture_tar(entries);
    g_autoptr(GBytes) packed = oci_fixture_pack(tar, OCI_GZIP);
    g_autofree char *path = g_build_filename(f->folder, "archive", NULL);
    gsize len = g_bytes_get_size(packed);
    for (gsize cut = 0; cut < len; cut += 16) {
        g_autoptr(GError) error = NULL;
        SlOciArchiveKind kind;
        g_assert_true(g_file_set_contents(path, g_bytes_get_data(packed, NULL), (gssize)cut, NULL));
        gboolean ok = sl_oci_archive_detect(path, &kind, &error);
        if (ok)
            g_error("cut to %zu of %zu bytes", cut, len);
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    }
    g_autoptr(GError) error = NULL;
    SlOciArchiveKind kind;
    g_assert_false(sl_oci_archive_detect("/none/such", &kind, &error));
    g_assert_nonnull(strstr(error->message, "not an archive"));
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*run)(Fixture *f, gconstpointer data);
    } tests[] = {
        {"/oci/build/record", test_record},      {"/oci/build/mounts", test_mounts},
        {"/oci/build/shared", test_shared},      {"/oci/build/refused", test_refused},
        {"/oci/build/limits", test_limits},      {"/oci/build/directory", test_directory},
        {"/oci/bundle/round-trip", test_bundle}, {"/oci/bundle/errors", test_bundle_errors},
        {"/oci/archive/kinds", test_archives},   {"/oci/archive/cut-off", test_cut_archive},
    };
    setlocale(LC_ALL, "C.UTF-8");
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].run, tear_down);
    return g_test_run();
}
