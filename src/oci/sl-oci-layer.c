/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-oci-layer.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"
#include "sl-oci-path.h"

#define BLOCK (128 * 1024)
#define STREAM_PER_ENTRY 4096
#define WHITEOUT ".wh."
#define WHITEOUT_META ".wh..wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"

/* Two readers: `plain` decompresses the blob, `tar` reads what comes out. So both digests are
 * computed over the very bytes that are unpacked. */
typedef struct {
    const SlOciLayer *layer;
    const SlOciStack *below;
    SlOciLimits *left; /* of the whole image */
    gint64 max_stream;
    int blob, root;
    GChecksum *blob_sum, *diff_sum;
    gint64 blob_bytes;
    struct archive *plain, *tar;
    guint8 raw[BLOCK], decompressed[BLOCK];
    gint64 stream_bytes;
    GHashTable *opaque; /* folders of this layer that hide what is below them */
} Unpack;

/* --- streams -----------------------------------------------------------------------------------
 */

static la_ssize_t
read_blob(struct archive *archive, void *data, const void **ret)
{
    Unpack *u = data;
    ssize_t n;
    do
        n = read(u->blob, u->raw, sizeof u->raw);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        archive_set_error(archive, errno, "reading the blob: %s", g_strerror(errno));
        return -1;
    }
    g_checksum_update(u->blob_sum, u->raw, n);
    u->blob_bytes += n;
    *ret = u->raw;
    return n;
}

static la_ssize_t
read_plain(struct archive *archive, void *data, const void **ret)
{
    Unpack *u = data;
    la_ssize_t n = archive_read_data(u->plain, u->decompressed, sizeof u->decompressed);
    if (n < 0) {
        archive_set_error(archive, archive_errno(u->plain), "%s", archive_error_string(u->plain));
        return -1;
    }
    u->stream_bytes += n;
    if (u->stream_bytes > u->max_stream) {
        archive_set_error(archive, EFBIG, "it is larger than all that may be in it");
        return -1;
    }
    g_checksum_update(u->diff_sum, u->decompressed, n);
    *ret = u->decompressed;
    return n;
}

static gboolean
bad_archive(struct archive *archive, GError **error)
{
    const char *text = archive_error_string(archive);
    return sl_error_set(error, SL_ERROR_INVALID, "damaged archive: %s",
                        text != NULL ? text : "it ends too early");
}

static gboolean
open_streams(Unpack *u, GError **error)
{
    struct archive_entry *entry;
    u->plain = archive_read_new();
    archive_read_support_filter_gzip(u->plain);
    archive_read_support_filter_zstd(u->plain);
    archive_read_support_format_raw(u->plain);
    archive_read_support_format_empty(u->plain);
    if (archive_read_open(u->plain, u, NULL, read_blob, NULL) != ARCHIVE_OK ||
        archive_read_next_header(u->plain, &entry) != ARCHIVE_OK)
        return bad_archive(u->plain, error);
    u->tar = archive_read_new();
    archive_read_support_format_tar(u->tar);
    if (archive_read_open(u->tar, u, NULL, read_plain, NULL) != ARCHIVE_OK)
        return bad_archive(u->tar, error);
    return TRUE;
}

/* A tar archive ends before its file does; the digests are of the whole of both. */
static gboolean
finish_streams(Unpack *u, GError **error)
{
    const void *ignored;
    la_ssize_t n;
    while ((n = read_plain(u->tar, u, &ignored)) > 0)
        ;
    if (n < 0)
        return bad_archive(u->tar, error);
    while ((n = read_blob(u->plain, u, &ignored)) > 0)
        ;
    if (n < 0)
        return bad_archive(u->plain, error);
    return TRUE;
}

static gboolean
check_sum(GChecksum *sum, const char *expected, const char *what, GError **error)
{
    const char *found = g_checksum_get_string(sum);
    return strcmp(found, strchr(expected, ':') + 1) == 0 ||
           sl_error_set(error, SL_ERROR_INVALID, "wrong digest: %s is 'sha256:%s'", what, found);
}

/* --- entries -----------------------------------------------------------------------------------
 */

static gboolean
host_error(const char *path, GError **error)
{
    if (errno == ELOOP || errno == ENOTDIR)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "'%s': a symbolic link or a file stands on the way to it", path);
    return sl_error_set_errno(error, errno, "'%s'", path);
}

/* The folder that an entry goes into, and its name there. */
static int
open_parent(Unpack *u, const char *path, const char **ret_name, GError **error)
{
    const char *slash = strrchr(path, '/');
    g_autofree char *folder = slash != NULL ? g_strndup(path, (gsize)(slash - path)) : g_strdup("");
    *ret_name = slash != NULL ? slash + 1 : path;
    int fd = sl_oci_path_open(u->root, folder, TRUE);
    if (fd < 0)
        host_error(path, error);
    return fd;
}

/* Removes what an earlier entry of this layer left there. *ret_hidden: it was a whiteout. */
static gboolean
make_room(int parent, const char *name, const char *path, gboolean *ret_hidden, GError **error)
{
    struct stat st;
    *ret_hidden = FALSE;
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT || host_error(path, error);
    *ret_hidden = sl_oci_is_whiteout(&st);
    if (unlinkat(parent, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) == 0)
        return TRUE;
    if (errno == ENOTEMPTY || errno == EEXIST)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "'%s': a folder with files in it, and then "
                            "something else of that name",
                            path);
    return host_error(path, error);
}

static gboolean
hide(int parent, const char *name, const char *path, GError **error)
{
    if (mknodat(parent, name, S_IFCHR, makedev(0, 0)) == 0 || errno == EEXIST)
        return TRUE;
    if (errno == EPERM)
        /* An overlay, for one, takes none: they are how it hides files itself. */
        return sl_error_set(error, SL_ERROR_CONFIG,
                            "'%s': the file system takes no whiteouts (character devices 0/0); "
                            "images need one that is no overlay itself",
                            path);
    return host_error(path, error);
}

static gboolean
make_folder(Unpack *u, int parent, const char *name, const char *path, GError **error)
{
    struct stat st;
    gboolean hidden;
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
        return TRUE;
    if (!make_room(parent, name, path, &hidden, error))
        return FALSE;
    if (mkdirat(parent, name, 0755) != 0)
        return host_error(path, error);
    if (hidden)
        g_hash_table_add(u->opaque, g_strdup(path));
    return TRUE;
}

static gboolean
write_block(int fd, const void *data, gsize len, gint64 offset, const char *path, GError **error)
{
    const guint8 *p = data;
    while (len > 0) {
        ssize_t n = pwrite(fd, p, len, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return host_error(path, error);
        p += n;
        offset += n;
        len -= (gsize)n;
    }
    return TRUE;
}

static gboolean
write_content(Unpack *u, int fd, gint64 size, const char *path, GError **error)
{
    const void *data;
    size_t len;
    la_int64_t offset;
    int status;
    while ((status = archive_read_data_block(u->tar, &data, &len, &offset)) == ARCHIVE_OK) {
        /* What the header has announced was counted; a sparse map might say otherwise. */
        if (offset < 0 || offset > size || (gint64)len > size - offset)
            return sl_error_set(error, SL_ERROR_INVALID, "'%s': more content than announced", path);
        if (!write_block(fd, data, len, offset, path, error))
            return FALSE;
    }
    if (status != ARCHIVE_EOF)
        return bad_archive(u->tar, error);
    return ftruncate(fd, size) == 0 || host_error(path, error);
}

static gboolean
make_file(Unpack *u, struct archive_entry *entry, int parent, const char *name, const char *path,
          GError **error)
{
    gint64 size = archive_entry_size(entry);
    gboolean hidden;
    if (size < 0 || size > u->left->max_bytes)
        return sl_error_set(error, SL_ERROR_TOO_LARGE,
                            "'%s' has %" G_GINT64_FORMAT " bytes; the image would have too many",
                            path, size);
    u->left->max_bytes -= size;
    if (!make_room(parent, name, path, &hidden, error))
        return FALSE;
    sl_autofd int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                              (archive_entry_perm(entry) & 0111) != 0 ? 0755 : 0644);
    if (fd < 0)
        return host_error(path, error);
    if (!write_content(u, fd, size, path, error))
        return FALSE;
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                      {.tv_sec = archive_entry_mtime(entry)}};
    if (futimens(fd, times) != 0)
        return host_error(path, error);
    return TRUE;
}

static gboolean
make_symlink(struct archive_entry *entry, int parent, const char *name, const char *path,
             GError **error)
{
    /* Wherever it points to: it is followed inside the connector's own root only. */
    const char *target = archive_entry_symlink(entry);
    gboolean hidden;
    if (target == NULL || *target == '\0' || strlen(target) >= PATH_MAX)
        return sl_error_set(error, SL_ERROR_INVALID, "'%s': a symbolic link to nothing", path);
    return make_room(parent, name, path, &hidden, error) &&
           (symlinkat(target, parent, name) == 0 || host_error(path, error));
}

static gboolean
make_hardlink(Unpack *u, struct archive_entry *entry, int parent, const char *name,
              const char *path, GError **error)
{
    const char *target = archive_entry_hardlink(entry);
    g_autofree char *clean = sl_oci_path_clean(target);
    gboolean hidden;
    struct stat st;
    if (clean == NULL || *clean == '\0')
        return sl_error_set(error, SL_ERROR_INVALID, "'%s': a hard link out of the layer, to '%s'",
                            path, target);
    if (strcmp(clean, path) == 0)
        return TRUE;
    const char *slash = strrchr(clean, '/');
    g_autofree char *folder = slash != NULL ? g_strndup(clean, (gsize)(slash - clean)) : NULL;
    sl_autofd int from = sl_oci_path_open(u->root, folder != NULL ? folder : "", FALSE);
    const char *from_name = slash != NULL ? slash + 1 : clean;
    if (from < 0 || fstatat(from, from_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)))
        return sl_error_set(error, SL_ERROR_INVALID,
                            "'%s': a hard link to '%s', which is no file of this layer", path,
                            target);
    return make_room(parent, name, path, &hidden, error) &&
           (linkat(from, from_name, parent, name, 0) == 0 || host_error(path, error));
}

static gboolean
make_whiteout(Unpack *u, int parent, const char *name, const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    const char *here = strcmp(folder, ".") == 0 ? "" : folder;
    const char *hidden = name + strlen(WHITEOUT);
    struct stat st;
    if (strcmp(name, WHITEOUT_OPAQUE) == 0) {
        g_hash_table_add(u->opaque, g_strdup(here));
        return TRUE;
    }
    if (g_str_has_prefix(name, WHITEOUT_META))
        return TRUE; /* aufs kept its own notes in such files */
    if (*hidden == '\0' || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
        return sl_error_set(error, SL_ERROR_INVALID, "'%s': a whiteout of no file", path);
    /* A whiteout is about lower layers: what this one has itself stays. */
    if (fstatat(parent, hidden, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        if (S_ISDIR(st.st_mode))
            g_hash_table_add(u->opaque, g_build_filename(here, hidden, NULL));
        return TRUE;
    }
    return hide(parent, hidden, path, error);
}

static const char *
refused_kind(mode_t type)
{
    switch (type) {
    case AE_IFCHR:
        return "character device";
    case AE_IFBLK:
        return "block device";
    case AE_IFIFO:
        return "FIFO";
    case AE_IFSOCK:
        return "socket";
    default:
        return "thing of an unknown kind";
    }
}

static gboolean
unpack_entry(Unpack *u, struct archive_entry *entry, GError **error)
{
    const char *told = archive_entry_pathname(entry), *name;
    g_autofree char *path = sl_oci_path_clean(told);
    if (u->left->max_entries == 0)
        return sl_error_set(error, SL_ERROR_TOO_LARGE, "the image has too many files");
    u->left->max_entries--;
    if (path == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "'%.200s' is no name inside the layer",
                            told != NULL ? told : "");
    if (*path == '\0')
        return archive_entry_filetype(entry) == AE_IFDIR ||
               sl_error_set(error, SL_ERROR_INVALID, "the root is no folder");
    sl_autofd int parent = open_parent(u, path, &name, error);
    if (parent < 0)
        return FALSE;
    if (g_str_has_prefix(name, WHITEOUT))
        return make_whiteout(u, parent, name, path, error);
    if (archive_entry_hardlink(entry) != NULL)
        return make_hardlink(u, entry, parent, name, path, error);
    switch (archive_entry_filetype(entry)) {
    case AE_IFDIR:
        return make_folder(u, parent, name, path, error);
    case AE_IFREG:
        return make_file(u, entry, parent, name, path, error);
    case AE_IFLNK:
        return make_symlink(entry, parent, name, path, error);
    default:
        /* What the sandbox has a /dev of its own instead of. */
        return g_str_has_prefix(path, "dev/") ||
               sl_error_set(error, SL_ERROR_INVALID, "'%s': a %s, which no connector gets", path,
                            refused_kind(archive_entry_filetype(entry)));
    }
}

/* --- hiding whole folders ----------------------------------------------------------------------
 */

/* Hides in `path` of this layer all that the layers below have there. */
static gboolean
cover_folder(Unpack *u, const char *path, GError **error)
{
    sl_autofd int folder = sl_oci_path_open(u->root, path, FALSE);
    if (folder < 0)
        return errno == ENOENT || host_error(path, error);
    if (sl_oci_stack_look(u->below, path) != SL_OCI_FOLDER)
        return TRUE;
    g_autoptr(GPtrArray) names = sl_oci_stack_list(u->below, path);
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        struct stat st;
        g_autofree char *inner =
            *path != '\0' ? g_build_filename(path, name, NULL) : g_strdup(name);
        if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
            if (!hide(folder, name, inner, error))
                return FALSE;
        } else if (S_ISDIR(st.st_mode) && !cover_folder(u, inner, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
cover_folders(Unpack *u, GError **error)
{
    GHashTableIter iter;
    gpointer path;
    g_hash_table_iter_init(&iter, u->opaque);
    while (g_hash_table_iter_next(&iter, &path, NULL))
        if (!cover_folder(u, path, error))
            return FALSE;
    return TRUE;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

static gboolean
unpack_entries(Unpack *u, GError **error)
{
    struct archive_entry *entry;
    int status;
    if (!open_streams(u, error))
        return FALSE;
    while ((status = archive_read_next_header(u->tar, &entry)) == ARCHIVE_OK ||
           status == ARCHIVE_WARN)
        if (!unpack_entry(u, entry, error))
            return FALSE;
    return status == ARCHIVE_EOF || bad_archive(u->tar, error);
}

static gboolean
check_blob(const Unpack *u, const char *name, GError **error)
{
    struct stat st;
    if (u->blob < 0 || fstat(u->blob, &st) != 0)
        return sl_error_set_errno(error, errno, "%s", name);
    if (!S_ISREG(st.st_mode))
        return sl_error_set(error, SL_ERROR_INVALID, "%s: not a file", name);
    if (st.st_size != u->layer->size)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "%s: has %" G_GINT64_FORMAT " bytes, and should have %" G_GINT64_FORMAT,
                            name, (gint64)st.st_size, u->layer->size);
    return TRUE;
}

gboolean
sl_oci_layer_unpack(const char *layout, const SlOciLayer *layer, const SlOciStack *below,
                    const char *folder, SlOciLimits *left, GError **error)
{
    g_autofree Unpack *u = g_new0(Unpack, 1);
    g_autofree char *name = g_strconcat("blobs/sha256/", strchr(layer->digest, ':') + 1, NULL);
    g_autofree char *path = g_build_filename(layout, name, NULL);
    sl_autofd int blob = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    sl_autofd int root = open(folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    g_autoptr(GHashTable) opaque = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GChecksum) blob_sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autoptr(GChecksum) diff_sum = g_checksum_new(G_CHECKSUM_SHA256);
    *u = (Unpack){.layer = layer, .below = below, .left = left, .blob = blob, .root = root};
    /* Each entry has a header or three, and what it has is padded. */
    u->max_stream = left->max_bytes + (gint64)left->max_entries * STREAM_PER_ENTRY;
    u->opaque = opaque;
    u->blob_sum = blob_sum;
    u->diff_sum = diff_sum;

    if (!check_blob(u, name, error))
        return FALSE;
    if (root < 0)
        return sl_error_set_errno(error, errno, "'%s'", folder);
    gboolean ok = unpack_entries(u, error) && finish_streams(u, error) &&
                  check_sum(blob_sum, layer->digest, "the blob", error) &&
                  check_sum(diff_sum, layer->diff_id, "its content", error) &&
                  cover_folders(u, error);
    archive_read_free(u->tar);
    archive_read_free(u->plain);
    if (!ok)
        g_prefix_error(error, "layer %s: ", layer->digest);
    return ok;
}
