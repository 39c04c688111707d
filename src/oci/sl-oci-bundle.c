/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-oci-bundle.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"
#include "sl-json-write.h"
#include "sl-oci-image.h"
#include "sl-oci-path.h"

#define BLOCK (128 * 1024)
#define WHITEOUT ".wh."
#define ZSTD_LEVEL "3"
#define TYPE_INDEX "application/vnd.oci.image.index.v1+json"
#define TYPE_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define TYPE_CONFIG "application/vnd.oci.image.config.v1+json"
#define TYPE_LAYER "application/vnd.oci.image.layer.v1.tar"

/* --- one layer as a tar archive ----------------------------------------------------------------
 */

/* A layer is written twice: once for its digest, which its name in the bundle is, and once into
 * it. The same folder gives the same bytes, and nobody changes an unpacked one. */
typedef struct {
    struct archive *tar;
    struct archive *into; /* NULL: only the digest */
    GChecksum *sum;
    gint64 bytes;
    GHashTable *links; /* "DEVICE:INODE" of files with several names → the first one */
    guint8 *buffer;
    GError *error;
} LayerWriter;

static la_ssize_t
on_bytes(struct archive *archive, void *data, const void *bytes, size_t n)
{
    LayerWriter *w = data;
    g_checksum_update(w->sum, bytes, (gssize)n);
    w->bytes += (gint64)n;
    if (w->into != NULL && archive_write_data(w->into, bytes, n) != (la_ssize_t)n) {
        archive_set_error(archive, archive_errno(w->into), "the bundle");
        return -1;
    }
    return (la_ssize_t)n;
}

static gboolean
tar_failed(struct archive *archive, const char *path, GError **error)
{
    const char *text = archive_error_string(archive);
    /* Positive numbers are errno's: the text is "Write error" then. */
    if (archive_errno(archive) > 0)
        return sl_error_set_errno(error, archive_errno(archive), "'%s': %s", path, text);
    return sl_error_set(error, SL_ERROR_FAILED, "'%s': %s", path,
                        text != NULL ? text : "cannot be written");
}

/* The name that a file was written under before; NULL: this is the first time. */
static const char *
first_name(LayerWriter *w, const struct stat *st, const char *path)
{
    if (!S_ISREG(st->st_mode) || st->st_nlink < 2)
        return NULL;
    char *key = g_strdup_printf("%ju:%ju", (uintmax_t)st->st_dev, (uintmax_t)st->st_ino);
    const char *first = g_hash_table_lookup(w->links, key);
    if (first == NULL)
        g_hash_table_insert(w->links, key, g_strdup(path));
    else
        g_free(key);
    return first;
}

static gboolean
write_content(LayerWriter *w, int folder, const char *name, const char *path, GError **error)
{
    sl_autofd int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = -1;
    if (fd < 0)
        return sl_error_set_errno(error, errno, "'%s'", path);
    while ((n = read(fd, w->buffer, BLOCK)) > 0)
        if (archive_write_data(w->tar, w->buffer, (size_t)n) != n)
            return tar_failed(w->tar, path, error);
    return n == 0 || sl_error_set_errno(error, errno, "'%s'", path);
}

static gboolean write_folder(LayerWriter *w, int folder, const char *path, GError **error);

static gboolean
write_entry(LayerWriter *w, int folder, const char *name, const char *path, GError **error)
{
    struct stat st;
    char target[PATH_MAX];
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return sl_error_set_errno(error, errno, "'%s'", path);
    struct archive_entry *entry = archive_entry_new();
    const char *first = first_name(w, &st, path);
    gboolean is_file = FALSE, ok = TRUE;
    archive_entry_set_pathname(entry, path);
    /* Those of all else are when it was unpacked: the same image is to be the same bundle. */
    archive_entry_set_mtime(entry, S_ISREG(st.st_mode) ? st.st_mtime : 0, 0);
    archive_entry_set_perm(entry, st.st_mode & 0755);
    if (sl_oci_is_whiteout(&st)) {
        g_autofree char *parent = g_path_get_dirname(path);
        g_autofree char *mark =
            g_strconcat(strcmp(parent, ".") == 0 ? "" : parent, strcmp(parent, ".") == 0 ? "" : "/",
                        WHITEOUT, name, NULL);
        archive_entry_set_pathname(entry, mark);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_size(entry, 0);
    } else if (S_ISDIR(st.st_mode)) {
        archive_entry_set_filetype(entry, AE_IFDIR);
    } else if (S_ISLNK(st.st_mode)) {
        ssize_t n = readlinkat(folder, name, target, sizeof target - 1);
        ok = n > 0 || sl_error_set_errno(error, errno, "'%s'", path);
        target[MAX(n, 0)] = '\0';
        archive_entry_set_filetype(entry, AE_IFLNK);
        archive_entry_set_symlink(entry, target);
    } else if (first != NULL) {
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_hardlink(entry, first);
    } else {
        is_file = TRUE;
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_size(entry, st.st_size);
    }
    /* A warning is about a name that is no UTF-8; it is written as it is. */
    ok = ok &&
         (archive_write_header(w->tar, entry) >= ARCHIVE_WARN || tar_failed(w->tar, path, error));
    archive_entry_free(entry);
    if (!ok || !(is_file || S_ISDIR(st.st_mode)))
        return ok;
    if (is_file)
        return write_content(w, folder, name, path, error);
    sl_autofd int inner = openat(folder, name, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (inner < 0)
        return sl_error_set_errno(error, errno, "'%s'", path);
    return write_folder(w, inner, path, error);
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static gboolean
write_folder(LayerWriter *w, int folder, const char *path, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    DIR *dir = fdopendir(fcntl(folder, F_DUPFD_CLOEXEC, 3));
    if (dir == NULL)
        return sl_error_set_errno(error, errno, "'%s'", path);
    for (const struct dirent *one = readdir(dir); one != NULL; one = readdir(dir))
        if (strcmp(one->d_name, ".") != 0 && strcmp(one->d_name, "..") != 0)
            g_ptr_array_add(names, g_strdup(one->d_name));
    closedir(dir);
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *inner =
            *path != '\0' ? g_strconcat(path, "/", name, NULL) : g_strdup(name);
        if (!write_entry(w, folder, name, inner, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
write_layer(const char *layer, struct archive *into, char **ret_digest, gint64 *ret_bytes,
            GError **error)
{
    sl_autofd int folder = open(layer, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (folder < 0)
        return sl_error_set_errno(error, errno, "layer '%s'", layer);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autoptr(GHashTable) links = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autofree guint8 *buffer = g_malloc(BLOCK);
    LayerWriter w = {.tar = archive_write_new(), .into = into, .sum = sum, .links = links};
    w.buffer = buffer;
    archive_write_set_format_pax_restricted(w.tar);
    archive_write_set_bytes_in_last_block(w.tar, 1);
    gboolean ok = (archive_write_open(w.tar, &w, NULL, on_bytes, NULL) == ARCHIVE_OK ||
                   tar_failed(w.tar, layer, error)) &&
                  write_folder(&w, folder, "", error) &&
                  (archive_write_close(w.tar) == ARCHIVE_OK || tar_failed(w.tar, layer, error));
    archive_write_free(w.tar);
    if (ok && ret_digest != NULL)
        *ret_digest = g_strconcat("sha256:", g_checksum_get_string(sum), NULL);
    if (ok && ret_bytes != NULL)
        *ret_bytes = w.bytes;
    return ok;
}

/* --- texts -------------------------------------------------------------------------------------
 */

typedef struct {
    const SlOciRecord *record;
    char *layers; /* STORE/layers */
    GPtrArray *digests;
    GArray *sizes; /* gint64 */
    struct archive *out;
} Bundle;

static void
begin_member(SlJsonWriter *w, const char *name)
{
    sl_json_key(w, name);
    sl_json_begin_object(w);
}

static char *
config_text(const Bundle *bundle, const char *const *labels)
{
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "architecture", sl_oci_architecture());
    sl_json_member_string(&w, "os", "linux");
    begin_member(&w, "config");
    sl_json_key(&w, "Env");
    sl_json_strings(&w, (const char *const *)bundle->record->environment);
    sl_json_key(&w, "Entrypoint");
    sl_json_strings(&w, (const char *const *)bundle->record->command);
    sl_json_member_string(&w, "WorkingDir", bundle->record->directory);
    begin_member(&w, "Labels");
    for (; *labels != NULL; labels++) {
        g_autofree char *name = g_strndup(*labels, strcspn(*labels, "="));
        const char *equals = strchr(*labels, '=');
        sl_json_member_string(&w, name, equals != NULL ? equals + 1 : "");
    }
    sl_json_end_object(&w);
    sl_json_end_object(&w);
    begin_member(&w, "rootfs");
    sl_json_member_string(&w, "type", "layers");
    sl_json_key(&w, "diff_ids");
    sl_json_begin_array(&w);
    for (guint i = 0; i < bundle->digests->len; i++)
        sl_json_string(&w, bundle->digests->pdata[i]);
    sl_json_end_array(&w);
    sl_json_end_object(&w);
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

static void
add_descriptor(SlJsonWriter *w, const char *type, const char *digest, gint64 size)
{
    sl_json_begin_object(w);
    sl_json_member_string(w, "mediaType", type);
    sl_json_member_string(w, "digest", digest);
    sl_json_member_int(w, "size", size);
    sl_json_end_object(w);
}

static char *
manifest_text(const Bundle *bundle, const char *config_digest, gsize config_size)
{
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_member_int(&w, "schemaVersion", 2);
    sl_json_member_string(&w, "mediaType", TYPE_MANIFEST);
    sl_json_key(&w, "config");
    add_descriptor(&w, TYPE_CONFIG, config_digest, (gint64)config_size);
    sl_json_key(&w, "layers");
    sl_json_begin_array(&w);
    for (guint i = 0; i < bundle->digests->len; i++)
        add_descriptor(&w, TYPE_LAYER, bundle->digests->pdata[i],
                       g_array_index(bundle->sizes, gint64, i));
    sl_json_end_array(&w);
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

static char *
index_text(const char *manifest_digest, gsize manifest_size)
{
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_member_int(&w, "schemaVersion", 2);
    sl_json_member_string(&w, "mediaType", TYPE_INDEX);
    sl_json_key(&w, "manifests");
    sl_json_begin_array(&w);
    add_descriptor(&w, TYPE_MANIFEST, manifest_digest, (gint64)manifest_size);
    sl_json_end_array(&w);
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

/* --- the whole ---------------------------------------------------------------------------------
 */

static gboolean
begin_file(Bundle *bundle, const char *name, gint64 size, GError **error)
{
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, size);
    gboolean ok = archive_write_header(bundle->out, entry) == ARCHIVE_OK;
    archive_entry_free(entry);
    return ok || tar_failed(bundle->out, name, error);
}

static gboolean
add_text(Bundle *bundle, const char *name, const char *text, GError **error)
{
    gsize len = strlen(text);
    return begin_file(bundle, name, (gint64)len, error) &&
           (archive_write_data(bundle->out, text, len) == (la_ssize_t)len ||
            tar_failed(bundle->out, name, error));
}

static char *
digest_of(const char *text)
{
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
    return g_strconcat("sha256:", sum, NULL);
}

static char *
blob_name(const char *digest)
{
    return g_strconcat("blobs/sha256/", strchr(digest, ':') + 1, NULL);
}

static gboolean
digest_layers(Bundle *bundle, GError **error)
{
    for (guint i = 0; bundle->record->layers[i] != NULL; i++) {
        g_autofree char *layer = g_build_filename(bundle->layers, bundle->record->layers[i], NULL);
        char *digest = NULL;
        gint64 bytes = 0;
        if (!write_layer(layer, NULL, &digest, &bytes, error))
            return FALSE;
        g_ptr_array_add(bundle->digests, digest);
        g_array_append_val(bundle->sizes, bytes);
    }
    return TRUE;
}

/* One blob for each content: layers may be the same. */
static gboolean
add_layers(Bundle *bundle, GError **error)
{
    g_autoptr(GHashTable) written = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < bundle->digests->len; i++) {
        g_autofree char *layer = g_build_filename(bundle->layers, bundle->record->layers[i], NULL);
        g_autofree char *name = blob_name(bundle->digests->pdata[i]);
        if (!g_hash_table_add(written, bundle->digests->pdata[i]))
            continue;
        if (!begin_file(bundle, name, g_array_index(bundle->sizes, gint64, i), error) ||
            !write_layer(layer, bundle->out, NULL, NULL, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
add_all(Bundle *bundle, const char *const *labels, GError **error)
{
    g_autofree char *config = config_text(bundle, labels);
    g_autofree char *config_digest = digest_of(config), *config_name = blob_name(config_digest);
    g_autofree char *manifest = manifest_text(bundle, config_digest, strlen(config));
    g_autofree char *manifest_digest = digest_of(manifest);
    g_autofree char *manifest_name = blob_name(manifest_digest);
    g_autofree char *index = index_text(manifest_digest, strlen(manifest));
    return add_text(bundle, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", error) &&
           add_text(bundle, "index.json", index, error) &&
           add_text(bundle, manifest_name, manifest, error) &&
           add_text(bundle, config_name, config, error) && add_layers(bundle, error);
}

static gboolean
write_bundle(Bundle *bundle, const char *const *labels, int fd, GError **error)
{
    archive_write_set_format_pax_restricted(bundle->out);
    archive_write_add_filter_zstd(bundle->out);
    archive_write_set_bytes_in_last_block(bundle->out, 1); /* zeros after it are no zstd */
    archive_write_set_filter_option(bundle->out, "zstd", "compression-level", ZSTD_LEVEL);
    return (archive_write_open_fd(bundle->out, fd) == ARCHIVE_OK ||
            tar_failed(bundle->out, "the bundle", error)) &&
           add_all(bundle, labels, error) &&
           (archive_write_close(bundle->out) == ARCHIVE_OK ||
            tar_failed(bundle->out, "the bundle", error));
}

gboolean
sl_oci_bundle_write(const char *root, const char *const *labels, int fd, GError **error)
{
    g_autoptr(SlOciRecord) record = sl_oci_record_load(root, error);
    if (record == NULL)
        return FALSE;
    g_autoptr(GPtrArray) digests = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) sizes = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autofree char *layers = g_build_filename(root, "..", "..", "layers", NULL);
    Bundle bundle = {record, layers, digests, sizes, NULL};
    if (!digest_layers(&bundle, error))
        return FALSE;
    bundle.out = archive_write_new();
    gboolean ok = write_bundle(&bundle, labels, fd, error);
    archive_write_free(bundle.out);
    return ok;
}
