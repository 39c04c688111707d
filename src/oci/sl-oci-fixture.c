/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-oci-fixture.h"

#include <archive.h>
#include <archive_entry.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sl-oci-path.h"

#define MTIME 1000000000

char *
oci_fixture_folder(void)
{
    return g_dir_make_tmp("sl-oci-XXXXXX", NULL);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

void
oci_fixture_remove(char *folder)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    g_free(folder);
}

/* --- archives ----------------------------------------------------------------------------------
 */

static la_ssize_t
on_bytes(struct archive *archive, void *data, const void *bytes, size_t n)
{
    g_byte_array_append(data, bytes, (guint)n);
    return (la_ssize_t)n;
}

static GBytes *
finish(struct archive *archive, GByteArray *out)
{
    g_assert_cmpint(archive_write_close(archive), ==, ARCHIVE_OK);
    archive_write_free(archive);
    return g_byte_array_free_to_bytes(out);
}

static mode_t
type_of(char kind)
{
    switch (kind) {
    case 'd':
        return AE_IFDIR;
    case 'l':
        return AE_IFLNK;
    case 'c':
        return AE_IFCHR;
    case 'b':
        return AE_IFBLK;
    case 'p':
        return AE_IFIFO;
    default:
        return AE_IFREG;
    }
}

GBytes *
oci_fixture_tar(const OciEntry *entries)
{
    GByteArray *out = g_byte_array_new();
    struct archive *archive = archive_write_new();
    archive_write_set_format_gnutar(archive);
    archive_write_set_bytes_in_last_block(archive, 1);
    g_assert_cmpint(archive_write_open(archive, out, NULL, on_bytes, NULL), ==, ARCHIVE_OK);
    for (; entries->path != NULL; entries++) {
        struct archive_entry *entry = archive_entry_new();
        gboolean is_file = entries->kind == 'f' && entries->text != NULL;
        gsize len = is_file ? strlen(entries->text) : 0;
        archive_entry_set_pathname(entry, entries->path);
        archive_entry_set_filetype(entry, type_of(entries->kind));
        archive_entry_set_perm(entry, entries->mode != 0     ? entries->mode
                                      : entries->kind == 'd' ? 0755
                                                             : 0644);
        archive_entry_set_mtime(entry, MTIME, 0);
        archive_entry_set_uid(entry, 1000);
        archive_entry_set_gid(entry, 1000);
        archive_entry_set_size(entry, (la_int64_t)len);
        if (entries->kind == 'l')
            archive_entry_set_symlink(entry, entries->text);
        if (entries->kind == 'h')
            archive_entry_set_hardlink(entry, entries->text);
        g_assert_cmpint(archive_write_header(archive, entry), ==, ARCHIVE_OK);
        if (len > 0)
            g_assert_cmpint(archive_write_data(archive, entries->text, len), ==, (int)len);
        archive_entry_free(entry);
    }
    return finish(archive, out);
}

GBytes *
oci_fixture_pack(GBytes *tar, OciPacking packing)
{
    if (packing == OCI_PLAIN)
        return g_bytes_ref(tar);
    GByteArray *out = g_byte_array_new();
    struct archive *archive = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    gsize len;
    gconstpointer data = g_bytes_get_data(tar, &len);
    archive_write_set_format_raw(archive);
    if (packing == OCI_GZIP)
        archive_write_add_filter_gzip(archive);
    else
        archive_write_add_filter_zstd(archive);
    archive_write_set_bytes_per_block(archive, 0);
    g_assert_cmpint(archive_write_open(archive, out, NULL, on_bytes, NULL), ==, ARCHIVE_OK);
    archive_entry_set_filetype(entry, AE_IFREG);
    g_assert_cmpint(archive_write_header(archive, entry), ==, ARCHIVE_OK);
    g_assert_cmpint(archive_write_data(archive, data, len), ==, (int)len);
    archive_entry_free(entry);
    return finish(archive, out);
}

/* --- layouts -----------------------------------------------------------------------------------
 */

char *
oci_fixture_digest(GBytes *bytes)
{
    g_autofree char *sum = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, bytes);
    return g_strconcat("sha256:", sum, NULL);
}

char *
oci_fixture_add_blob(const char *layout, GBytes *bytes)
{
    char *digest = oci_fixture_digest(bytes);
    g_autofree char *folder = g_build_filename(layout, "blobs", "sha256", NULL);
    g_autofree char *path = g_build_filename(folder, digest + strlen("sha256:"), NULL);
    g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
    g_assert_true(g_file_set_contents(path, g_bytes_get_data(bytes, NULL),
                                      (gssize)g_bytes_get_size(bytes), NULL));
    return digest;
}

static char *
add_text(const char *layout, const char *text)
{
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
    return oci_fixture_add_blob(layout, bytes);
}

static void
add_layer(const char *layout, const OciEntry *entries, OciPacking packing, GString *layers,
          GString *diff_ids)
{
    g_autoptr(GBytes) tar = oci_fixture_tar(entries);
    g_autoptr(GBytes) packed = oci_fixture_pack(tar, packing);
    g_autofree char *diff_id = oci_fixture_digest(tar);
    g_autofree char *digest = oci_fixture_add_blob(layout, packed);
    static const char *const suffixes[] = {"", "+gzip", "+zstd"};
    const char *comma = layers->len > 0 ? "," : "";
    g_string_append_printf(layers,
                           "%s{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar%s\","
                           "\"digest\":\"%s\",\"size\":%" G_GSIZE_FORMAT "}",
                           comma, suffixes[packing], digest, g_bytes_get_size(packed));
    g_string_append_printf(diff_ids, "%s\"%s\"", comma, diff_id);
}

char *
oci_fixture_image(const char *layout, const OciEntry *const *layers, OciPacking packing,
                  const char *config)
{
    g_autoptr(GString) list = g_string_new(NULL), diff_ids = g_string_new(NULL);
    for (; *layers != NULL; layers++)
        add_layer(layout, *layers, packing, list, diff_ids);
    g_autofree char *text =
        g_strdup_printf("{\"architecture\":\"%s\",\"os\":\"linux\",\"config\":%s,"
                        "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[%s]}}",
                        sl_oci_architecture(), config, diff_ids->str);
    g_autofree char *config_digest = add_text(layout, text);
    g_autofree char *manifest =
        g_strdup_printf("{\"schemaVersion\":2,\"config\":{\"mediaType\":"
                        "\"application/vnd.oci.image.config.v1+json\",\"digest\":\"%s\","
                        "\"size\":%" G_GSIZE_FORMAT "},\"layers\":[%s]}",
                        config_digest, strlen(text), list->str);
    char *digest = add_text(layout, manifest);
    g_autofree char *index =
        g_strdup_printf("{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":"
                        "\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"%s\","
                        "\"size\":%" G_GSIZE_FORMAT "}]}",
                        digest, strlen(manifest));
    g_autofree char *path = g_build_filename(layout, "index.json", NULL);
    g_autofree char *mark = g_build_filename(layout, "oci-layout", NULL);
    g_assert_true(g_file_set_contents(path, index, -1, NULL));
    g_assert_true(g_file_set_contents(mark, "{\"imageLayoutVersion\":\"1.0.0\"}", -1, NULL));
    return digest;
}

/* --- what came of it ---------------------------------------------------------------------------
 */

static void
describe(const char *folder, const char *below, GPtrArray *lines)
{
    g_autofree char *here = g_build_filename(folder, below, NULL);
    g_autoptr(GDir) dir = g_dir_open(here, 0, NULL);
    const char *name;
    g_assert_nonnull(dir);
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path =
            *below != '\0' ? g_build_filename(below, name, NULL) : g_strdup(name);
        g_autofree char *full = g_build_filename(folder, path, NULL);
        g_autofree char *content = NULL;
        struct stat st;
        g_assert_cmpint(lstat(full, &st), ==, 0);
        if (sl_oci_is_whiteout(&st)) {
            g_ptr_array_add(lines, g_strconcat(path, " w", NULL));
        } else if (S_ISDIR(st.st_mode)) {
            g_ptr_array_add(lines, g_strconcat(path, " d", NULL));
            g_assert_cmpuint(st.st_mode & 07777, ==, 0755);
            describe(folder, path, lines);
        } else if (S_ISLNK(st.st_mode)) {
            content = g_file_read_link(full, NULL);
            g_ptr_array_add(lines, g_strconcat(path, " l=", content, NULL));
        } else {
            g_assert_true(g_file_get_contents(full, &content, NULL, NULL));
            g_assert_true((st.st_mode & 07777) == 0755 || (st.st_mode & 07777) == 0644);
            g_assert_cmpint(st.st_mtime, ==, MTIME);
            g_ptr_array_add(lines, g_strdup_printf("%s %c=%s", path,
                                                   (st.st_mode & 0100) != 0 ? 'x' : 'f', content));
        }
    }
}

static int
compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *
oci_fixture_list(const char *folder)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    describe(folder, "", lines);
    g_ptr_array_sort(lines, compare);
    g_ptr_array_add(lines, NULL);
    return g_strjoinv("|", (char **)lines->pdata);
}
