/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-oci-layer.h"

#include <glib/gstdio.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-oci-fixture.h"

#define ROOM                                                                                       \
    {                                                                                              \
        1 << 20, 1000                                                                              \
    }

typedef struct {
    char *folder; /* of the test */
    char *layout;
    SlOciStack *below;
    guint layers;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    f->folder = oci_fixture_folder();
    f->layout = g_build_filename(f->folder, "layout", NULL);
    f->below = sl_oci_stack_new();
    g_assert_cmpint(g_mkdir(f->layout, 0755), ==, 0);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    sl_oci_stack_free(f->below);
    g_free(f->layout);
    oci_fixture_remove(f->folder);
}

static char *
new_folder(Fixture *f)
{
    char *folder = g_strdup_printf("%s/layer%u", f->folder, f->layers++);
    g_assert_cmpint(g_mkdir(folder, 0755), ==, 0);
    return folder;
}

static SlOciLayer
describe(Fixture *f, GBytes *tar, GBytes *blob)
{
    return (SlOciLayer){oci_fixture_add_blob(f->layout, blob), oci_fixture_digest(tar),
                        (gint64)g_bytes_get_size(blob)};
}

static void
layer_clear(SlOciLayer *layer)
{
    g_free(layer->digest);
    g_free(layer->diff_id);
}

/* Unpacks on what is below; the folder, or NULL and the error. */
static char *
unpack_as(Fixture *f, const OciEntry *entries, OciPacking packing, SlOciLimits *left,
          GError **error)
{
    g_autoptr(GBytes) tar = oci_fixture_tar(entries);
    g_autoptr(GBytes) blob = oci_fixture_pack(tar, packing);
    SlOciLayer layer = describe(f, tar, blob);
    g_autofree char *folder = new_folder(f);
    gboolean ok = sl_oci_layer_unpack(f->layout, &layer, f->below, folder, left, error);
    layer_clear(&layer);
    return ok ? g_steal_pointer(&folder) : NULL;
}

static char *
unpack(Fixture *f, const OciEntry *entries, GError **error)
{
    SlOciLimits left = ROOM;
    return unpack_as(f, entries, OCI_GZIP, &left, error);
}

/* Lays a layer over what is there. */
static void
push(Fixture *f, const OciEntry *entries)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = unpack(f, entries, &error);
    g_assert_no_error(error);
    g_assert_true(sl_oci_stack_push(f->below, folder, &error));
    g_assert_no_error(error);
}

/* --- what comes of an archive ------------------------------------------------------------------
 */

static const OciEntry base[] = {
    {'d', "etc", NULL, 0},        {'f', "etc/a", "A", 0},
    {'d', "opt/deep", NULL, 0},   {'f', "opt/deep/x", "X", 0},
    {'f', "opt/y", "Y", 0},       {'l', "lib", "usr/lib", 0},
    {'f', "usr/lib/so", "SO", 0}, {0},
};

static const struct {
    const char *what;
    OciEntry entries[8];
    const char *expected;
} shapes[] = {
    {"kinds and modes",
     {{'d', "./bin/", NULL, 0700},
      {'f', "./bin/run", "R", 04750},
      {'f', "bin/text", "T", 0600},
      {'l', "bin/link", "/etc/passwd", 0}},
     "bin d|bin/link l=/etc/passwd|bin/run x=R|bin/text f=T"},
    {"setgid and sticky", {{'d', "d", NULL, 03777}, {'f', "d/f", "", 02711}}, "d d|d/f x="},
    {"absolute names are below the root",
     {{'f', "/etc/b", "B", 0}, {'f', "//c", "C", 0}},
     "c f=C|etc d|etc/b f=B"},
    {"parents that were not told of", {{'f', "a/b/c", "C", 0}}, "a d|a/b d|a/b/c f=C"},
    {"the root itself", {{'d', "./", NULL, 0700}, {'f', "a", "A", 0}}, "a f=A"},
    {"links anywhere",
     {{'l', "up", "../../../etc", 0}, {'l', "abs", "/proc/1/root", 0}},
     "abs l=/proc/1/root|up l=../../../etc"},
    {"hard links",
     {{'f', "a", "A", 0}, {'h', "b", "a", 0}, {'h', "d/c", "/a", 0}},
     "a f=A|b f=A|d d|d/c f=A"},
    {"a hard link to itself", {{'f', "a", "A", 0}, {'h', "a", "./a", 0}}, "a f=A"},
    {"a hard link to a symbolic link, not to where it points",
     {{'l', "l", "/etc/shadow", 0}, {'h', "m", "l", 0}},
     "l l=/etc/shadow|m l=/etc/shadow"},
    {"the last of a name counts",
     {{'f', "a", "1", 0}, {'l', "a", "x", 0}, {'f', "a", "2", 0}},
     "a f=2"},
    {"a file after an empty folder", {{'d', "a", NULL, 0}, {'f', "a", "A", 0}}, "a f=A"},
    {"a folder after a file", {{'f', "a", "A", 0}, {'d', "a", NULL, 0}}, "a d"},
    {"devices of /dev are passed over",
     {{'d', "dev", NULL, 0}, {'c', "dev/null", NULL, 0}, {'p', "dev/initctl", NULL, 0}},
     "dev d"},
    {"a whiteout", {{'f', "etc/.wh.a", NULL, 0}}, "etc d|etc/a w"},
    {"a whiteout of a folder", {{'f', ".wh.opt", NULL, 0}}, "opt w"},
    {"a whiteout of nothing", {{'f', ".wh.none", NULL, 0}}, "none w"},
    {"a whiteout and then the same file",
     {{'f', "etc/.wh.a", NULL, 0}, {'f', "etc/a", "new", 0}},
     "etc d|etc/a f=new"},
    {"a file and then its whiteout, which is about lower ones",
     {{'f', "etc/a", "new", 0}, {'f', "etc/.wh.a", NULL, 0}},
     "etc d|etc/a f=new"},
    {"a whiteout and then a folder: it hides all below",
     {{'f', ".wh.opt", NULL, 0}, {'d', "opt", NULL, 0}, {'f', "opt/z", "Z", 0}},
     "opt d|opt/deep w|opt/y w|opt/z f=Z"},
    {"a folder and then its whiteout",
     {{'d', "opt", NULL, 0}, {'f', "opt/z", "Z", 0}, {'f', ".wh.opt", NULL, 0}},
     "opt d|opt/deep w|opt/y w|opt/z f=Z"},
    {"an opaque folder",
     {{'d', "opt", NULL, 0}, {'f', "opt/.wh..wh..opq", NULL, 0}, {'f', "opt/y", "2", 0}},
     "opt d|opt/deep w|opt/y f=2"},
    {"an opaque folder with a folder of its own in it",
     {{'f', "opt/.wh..wh..opq", NULL, 0}, {'f', "opt/deep/n", "N", 0}},
     "opt d|opt/deep d|opt/deep/n f=N|opt/deep/x w|opt/y w"},
    {"opaque where there is nothing below", {{'f', "new/.wh..wh..opq", NULL, 0}}, "new d"},
    {"an opaque root", {{'f', ".wh..wh..opq", NULL, 0}}, "etc w|lib w|opt w|usr w"},
    {"notes of aufs",
     {{'f', ".wh..wh.plnk", NULL, 0}, {'f', ".wh..wh.aufs", "x", 0}, {'f', "a", "A", 0}},
     "a f=A"},
    {"a folder where a lower layer has a link: the link is hidden, not followed",
     {{'f', "lib/new", "N", 0}},
     "lib d|lib/new f=N"},
    {"nothing", {{0}}, ""},
    {"names that are no English", {{'f', "é/ü", "ö", 0}}, "é d|é/ü f=ö"},
};

static void
test_shapes(Fixture *f, gconstpointer data)
{
    push(f, base);
    for (gsize i = 0; i < G_N_ELEMENTS(shapes); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *folder = unpack(f, shapes[i].entries, &error);
        if (error != NULL)
            g_error("%s: %s", shapes[i].what, error->message);
        g_autofree char *found = oci_fixture_list(folder);
        if (strcmp(found, shapes[i].expected) != 0)
            g_error("%s: got %s, expected %s", shapes[i].what, found, shapes[i].expected);
    }
}

/* A hidden folder that comes again in a third layer shows only what is new. */
static void
test_three_layers(Fixture *f, gconstpointer data)
{
    static const OciEntry second[] = {{'f', ".wh.opt", NULL, 0}, {0}};
    static const OciEntry third[] = {{'f', "opt/n", "N", 0}, {0}};
    push(f, base);
    push(f, second);
    g_assert_cmpint(sl_oci_stack_look(f->below, "opt"), ==, SL_OCI_MISSING);
    g_assert_cmpint(sl_oci_stack_look(f->below, "opt/y"), ==, SL_OCI_MISSING);
    push(f, third);
    g_assert_cmpint(sl_oci_stack_look(f->below, "opt"), ==, SL_OCI_FOLDER);
    g_assert_cmpint(sl_oci_stack_look(f->below, "opt/n"), ==, SL_OCI_FILE);
}

static void
test_packings(Fixture *f, gconstpointer data)
{
    static const OciEntry entries[] = {{'f', "a/b", "text", 0}, {0}};
    static const OciPacking packings[] = {OCI_PLAIN, OCI_GZIP, OCI_ZSTD};
    for (gsize i = 0; i < G_N_ELEMENTS(packings); i++) {
        g_autoptr(GError) error = NULL;
        SlOciLimits left = ROOM;
        g_autofree char *folder = unpack_as(f, entries, packings[i], &left, &error);
        g_assert_no_error(error);
        g_autofree char *found = oci_fixture_list(folder);
        g_assert_cmpstr(found, ==, "a d|a/b f=text");
        g_assert_cmpint(left.max_bytes, ==, (1 << 20) - 4);
        g_assert_cmpuint(left.max_entries, ==, 999);
    }
}

/* A second name of a file is the same file: it takes no room. */
static void
test_hard_link(Fixture *f, gconstpointer data)
{
    static const OciEntry entries[] = {{'f', "a", "A", 0}, {'h', "b", "a", 0}, {0}};
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = unpack(f, entries, &error);
    g_assert_no_error(error);
    g_autofree char *a = g_build_filename(folder, "a", NULL);
    g_autofree char *b = g_build_filename(folder, "b", NULL);
    struct stat first, second;
    g_assert_cmpint(stat(a, &first), ==, 0);
    g_assert_cmpint(stat(b, &second), ==, 0);
    g_assert_cmpuint(first.st_ino, ==, second.st_ino);
    g_assert_cmpuint(first.st_uid, ==, getuid());
}

/* --- what is refused ---------------------------------------------------------------------------
 */

static const struct {
    OciEntry entries[6];
    const char *expected;
} refused[] = {
    {{{'f', "../out", "x", 0}}, "'../out' is no name inside the layer"},
    {{{'f', "a/../../out", "x", 0}}, "is no name inside the layer"},
    {{{'f', "a/..", "x", 0}}, "is no name inside the layer"},
    {{{'d', "../", NULL, 0}}, "is no name inside the layer"},
    {{{'l', "e", "/etc", 0}, {'f', "e/passwd", "x", 0}}, "'e/passwd': a symbolic link or a file"},
    {{{'l', "e", "..", 0}, {'f', "e/out", "x", 0}}, "'e/out': a symbolic link or a file"},
    {{{'l', "e", "/tmp", 0}, {'d', "e/new", NULL, 0}}, "'e/new': a symbolic link or a file"},
    {{{'l', "e", "/etc", 0}, {'f', "e/.wh.passwd", NULL, 0}}, "a symbolic link or a file"},
    {{{'l', "e", "/etc", 0}, {'h', "x", "e/passwd", 0}}, "which is no file of this layer"},
    {{{'f', "a", "A", 0}, {'f', "a/b", "B", 0}}, "'a/b': a symbolic link or a file"},
    {{{'h', "x", "../../etc/shadow", 0}}, "'x': a hard link out of the layer"},
    {{{'h', "x", "etc/a", 0}}, "'x': a hard link to 'etc/a', which is no file of this layer"},
    {{{'d', "d", NULL, 0}, {'h', "x", "d", 0}}, "which is no file of this layer"},
    {{{'c', "null", NULL, 0}}, "'null': a character device, which no connector gets"},
    {{{'b', "x/sda", NULL, 0}}, "'x/sda': a block device"},
    {{{'p', "fifo", NULL, 0}}, "'fifo': a FIFO"},
    {{{'f', "a/.wh.", NULL, 0}}, "a whiteout of no file"},
    {{{'f', "a/.wh...", NULL, 0}}, "a whiteout of no file"},
    {{{'f', "d/f", "x", 0}, {'f', "d", "y", 0}}, "'d': a folder with files in it"},
    {{{'f', "./", "x", 0}}, "the root is no folder|damaged archive"},
};

static gboolean
says(const char *message, const char *expected)
{
    g_auto(GStrv) words = g_strsplit(expected, "|", -1);
    for (guint i = 0; words[i] != NULL; i++)
        if (strstr(message, words[i]) != NULL)
            return TRUE;
    return FALSE;
}

static void
test_refused(Fixture *f, gconstpointer data)
{
    push(f, base); /* a hard link into a lower layer is refused as well */
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *folder = unpack(f, refused[i].entries, &error);
        g_assert_null(folder);
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        if (!says(error->message, refused[i].expected))
            g_error("case %zu: got: %s", i, error->message);
        g_assert_true(g_str_has_prefix(error->message, "layer sha256:"));
    }
    /* Nothing was written beside the layers. */
    g_autofree char *out = g_build_filename(f->folder, "out", NULL);
    g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
}

static void
test_limits(Fixture *f, gconstpointer data)
{
    static const OciEntry entries[] = {
        {'f', "a", "0123456789", 0}, {'f', "b", "0123456789", 0}, {'d', "c", NULL, 0}, {0}};
    static const struct {
        SlOciLimits left;
        const char *expected; /* NULL: fits */
    } cases[] = {
        {{20, 3}, NULL},
        {{19, 3}, "'b' has 10 bytes; the image would have too many"},
        {{9, 3}, "'a' has 10 bytes"},
        {{20, 2}, "the image has too many files"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        SlOciLimits left = cases[i].left;
        g_autofree char *folder = unpack_as(f, entries, OCI_PLAIN, &left, &error);
        g_assert_true((folder == NULL) == (cases[i].expected != NULL));
        if (folder != NULL)
            continue;
        g_assert_error(error, SL_ERROR, SL_ERROR_TOO_LARGE);
        g_assert_nonnull(strstr(error->message, cases[i].expected));
    }
}

/* What follows a tar archive counts for its digest, and may not be without end. */
static void
test_bomb(Fixture *f, gconstpointer data)
{
    static const OciEntry entries[] = {{'f', "a", "A", 0}, {0}};
    const gsize size = 4 << 20;
    g_autoptr(GBytes) tar = oci_fixture_tar(entries);
    g_autofree guint8 *long_tar = g_malloc0(size);
    memcpy(long_tar, g_bytes_get_data(tar, NULL), g_bytes_get_size(tar));
    g_autoptr(GBytes) bomb = g_bytes_new(long_tar, size);
    g_autoptr(GBytes) blob = oci_fixture_pack(bomb, OCI_GZIP);
    SlOciLayer layer = describe(f, bomb, blob);
    for (int i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *folder = new_folder(f);
        SlOciLimits left = {i == 0 ? 100 : 1 << 20, i == 0 ? 10 : 1000};
        gboolean ok = sl_oci_layer_unpack(f->layout, &layer, f->below, folder, &left, &error);
        g_assert_cmpint(ok, ==, i == 1);
        if (!ok)
            g_assert_nonnull(strstr(error->message, "larger than all that may be in it"));
    }
    layer_clear(&layer);
}

/* --- damaged blobs -----------------------------------------------------------------------------
 */

typedef enum { WRONG_SIZE, MISSING, CUT_OFF, FLIPPED, OTHER_DIFF, TRAILING, NO_TAR } Damage;

static GBytes *
damaged(GBytes *blob, Damage damage)
{
    gsize len = g_bytes_get_size(blob);
    g_autofree guint8 *copy = g_malloc0(len + 16);
    memcpy(copy, g_bytes_get_data(blob, NULL), len);
    if (damage == CUT_OFF)
        return g_bytes_new(copy, len / 2);
    if (damage == TRAILING)
        return g_bytes_new(copy, len + 16);
    if (damage == FLIPPED)
        copy[len / 2] ^= 0x55;
    if (damage == NO_TAR)
        memset(copy, 'x', len);
    return g_bytes_new(copy, len);
}

/* The blob's digest is that of the damaged one where it is the archive in it that is damaged. */
static void
test_damaged(Fixture *f, gconstpointer data)
{
    static const OciEntry entries[] = {
        {'f', "a", "some text that is long enough to be cut in two", 0}, {0}};
    static const struct {
        Damage damage;
        OciPacking packing;
        gboolean told; /* digest and size are those of what lies there */
        const char *expected;
    } cases[] = {
        {WRONG_SIZE, OCI_GZIP, TRUE, "bytes, and should have"},
        {MISSING, OCI_GZIP, TRUE, "blobs/sha256/"},
        {CUT_OFF, OCI_GZIP, TRUE, "damaged archive"},
        {CUT_OFF, OCI_ZSTD, TRUE, "damaged archive|wrong digest: its content"},
        {CUT_OFF, OCI_PLAIN, TRUE, "damaged archive|wrong digest: its content"},
        {CUT_OFF, OCI_GZIP, FALSE, "bytes, and should have"},
        {FLIPPED, OCI_GZIP, FALSE, "damaged archive|wrong digest: the blob"},
        {FLIPPED, OCI_PLAIN, FALSE, "damaged archive|wrong digest: the blob"},
        {FLIPPED, OCI_PLAIN, TRUE, "damaged archive|wrong digest: its content"},
        {OTHER_DIFF, OCI_GZIP, TRUE, "wrong digest: its content is 'sha256:"},
        {TRAILING, OCI_PLAIN, TRUE, "wrong digest: its content"},
        {NO_TAR, OCI_GZIP, TRUE, "damaged archive|wrong digest"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) tar = oci_fixture_tar(entries);
        g_autoptr(GBytes) good = oci_fixture_pack(tar, cases[i].packing);
        g_autoptr(GBytes) bad = damaged(good, cases[i].damage);
        SlOciLayer layer = describe(f, tar, cases[i].told ? bad : good);
        g_autofree char *folder = new_folder(f);
        g_autofree char *path =
            g_build_filename(f->layout, "blobs/sha256", layer.digest + strlen("sha256:"), NULL);
        SlOciLimits left = ROOM;
        g_assert_true(g_file_set_contents(path, g_bytes_get_data(bad, NULL),
                                          (gssize)g_bytes_get_size(bad), NULL));
        layer.size += cases[i].damage == WRONG_SIZE;
        if (cases[i].damage == MISSING)
            g_assert_cmpint(g_unlink(path), ==, 0);
        if (cases[i].damage == OTHER_DIFF)
            layer.diff_id[strlen("sha256:")] ^= 1;
        g_assert_false(sl_oci_layer_unpack(f->layout, &layer, f->below, folder, &left, &error));
        if (!says(error->message, cases[i].expected))
            g_error("case %zu: got: %s", i, error->message);
        layer_clear(&layer);
    }
}

/* A blob that is a link or a folder is not followed. */
static void
test_blob_kinds(Fixture *f, gconstpointer data)
{
    static const OciEntry entries[] = {{'f', "a", "A", 0}, {0}};
    g_autoptr(GBytes) tar = oci_fixture_tar(entries);
    SlOciLayer layer = describe(f, tar, tar);
    g_autofree char *path =
        g_build_filename(f->layout, "blobs/sha256", layer.digest + strlen("sha256:"), NULL);
    g_autofree char *aside = g_build_filename(f->folder, "aside", NULL);
    g_assert_cmpint(g_rename(path, aside), ==, 0);
    for (int i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *folder = new_folder(f);
        SlOciLimits left = ROOM;
        if (i == 0) {
            g_assert_cmpint(symlink(aside, path), ==, 0);
        } else {
            g_assert_cmpint(g_unlink(path), ==, 0);
            g_assert_cmpint(g_mkdir(path, 0755), ==, 0);
        }
        g_assert_false(sl_oci_layer_unpack(f->layout, &layer, f->below, folder, &left, &error));
        g_assert_nonnull(strstr(error->message, "blobs/sha256/"));
    }
    layer_clear(&layer);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*run)(Fixture *f, gconstpointer data);
    } tests[] = {
        {"/oci/layer/shapes", test_shapes},
        {"/oci/layer/three-layers", test_three_layers},
        {"/oci/layer/packings", test_packings},
        {"/oci/layer/hard-link", test_hard_link},
        {"/oci/layer/refused", test_refused},
        {"/oci/layer/limits", test_limits},
        {"/oci/layer/bomb", test_bomb},
        {"/oci/layer/damaged", test_damaged},
        {"/oci/layer/blob-kinds", test_blob_kinds},
    };
    setlocale(LC_ALL, "C.UTF-8");
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].run, tear_down);
    return g_test_run();
}
