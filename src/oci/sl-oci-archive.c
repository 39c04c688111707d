/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-oci-archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"
#include "sl-oci-path.h"

#define BLOCK (128 * 1024)
#define MAX_FILES 4096 /* of an image's, at most 128 layers and some texts */
#define BLOBS "blobs/sha256/"
#define DIGITS 64

typedef gboolean (*OnFile)(struct archive *archive, struct archive_entry *entry, const char *name,
                           gpointer data, GError **error);

/* Every file is read to its end, so that an archive that was cut off is named as one. */
static gboolean
walk(struct archive *archive, OnFile on_file, gpointer data, GError **error)
{
    struct archive_entry *entry;
    guint files = 0;
    int status;
    while ((status = archive_read_next_header(archive, &entry)) == ARCHIVE_OK ||
           status == ARCHIVE_WARN) {
        g_autofree char *name = sl_oci_path_clean(archive_entry_pathname(entry));
        if (++files > MAX_FILES)
            return sl_error_set(error, SL_ERROR_TOO_LARGE, "more than %d files", MAX_FILES);
        if (name != NULL && !on_file(archive, entry, name, data, error))
            return FALSE;
        if ((status = archive_read_data_skip(archive)) < ARCHIVE_WARN)
            break;
    }
    if (status == ARCHIVE_EOF)
        return TRUE;
    const char *text = archive_error_string(archive);
    return sl_error_set(error, SL_ERROR_INVALID, "damaged or cut off: %s",
                        text != NULL ? text : "it ends too early");
}

static gboolean
read_archive(const char *path, OnFile on_file, gpointer data, GError **error)
{
    struct archive *archive = archive_read_new();
    gboolean ok;
    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_zstd(archive);
    archive_read_support_format_tar(archive);
    if (archive_read_open_filename(archive, path, BLOCK) != ARCHIVE_OK)
        ok = sl_error_set(error, SL_ERROR_INVALID, "not an archive: %s",
                          archive_error_string(archive));
    else
        ok = walk(archive, on_file, data, error);
    archive_read_free(archive);
    return ok;
}

/* --- what it is --------------------------------------------------------------------------------
 */

typedef struct {
    gboolean has_manifest, has_layout, has_index;
} Found;

static gboolean
look_at(struct archive *archive, struct archive_entry *entry, const char *name, gpointer data,
        GError **error)
{
    Found *found = data;
    found->has_manifest |= strcmp(name, "manifest.json") == 0;
    found->has_layout |= strcmp(name, "oci-layout") == 0;
    found->has_index |= strcmp(name, "index.json") == 0;
    return TRUE;
}

gboolean
sl_oci_archive_detect(const char *path, SlOciArchiveKind *ret, GError **error)
{
    Found found = {0};
    if (!read_archive(path, look_at, &found, error))
        return FALSE;
    if (found.has_layout && found.has_index)
        *ret = SL_OCI_ARCHIVE_LAYOUT;
    else if (found.has_manifest)
        *ret = SL_OCI_ARCHIVE_DOCKER;
    else
        return sl_error_set(error, SL_ERROR_INVALID,
                            "not an image: it has neither manifest.json nor oci-layout and "
                            "index.json");
    return TRUE;
}

/* --- its layout --------------------------------------------------------------------------------
 */

static gboolean
is_of_layout(const char *name)
{
    gsize prefix = strlen(BLOBS);
    if (strcmp(name, "oci-layout") == 0 || strcmp(name, "index.json") == 0)
        return TRUE;
    return g_str_has_prefix(name, BLOBS) && strlen(name) == prefix + DIGITS &&
           strspn(name + prefix, "0123456789abcdef") == DIGITS;
}

static gboolean
copy_data(struct archive *archive, int fd, GError **error)
{
    g_autofree guint8 *buffer = g_malloc(BLOCK);
    la_ssize_t n;
    while ((n = archive_read_data(archive, buffer, BLOCK)) > 0)
        if (!sl_fd_write_all(fd, buffer, (gsize)n, error))
            return FALSE;
    return n == 0 || sl_error_set(error, SL_ERROR_INVALID, "damaged or cut off: %s",
                                  archive_error_string(archive));
}

/* What else is in it is not looked at; what is there twice counts once, as with any archive. */
static gboolean
keep_file(struct archive *archive, struct archive_entry *entry, const char *name, gpointer data,
          GError **error)
{
    const int *layout = data;
    if (!is_of_layout(name))
        return TRUE;
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "'%s' is no file", name);
    sl_autofd int fd =
        openat(*layout, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return sl_error_set_errno(error, errno, "'%s'", name);
    if (copy_data(archive, fd, error))
        return TRUE;
    g_prefix_error(error, "'%s': ", name);
    return FALSE;
}

gboolean
sl_oci_archive_unpack(const char *path, const char *layout, GError **error)
{
    g_autofree char *blobs = g_build_filename(layout, BLOBS, NULL);
    if (g_mkdir_with_parents(blobs, 0755) != 0)
        return sl_error_set_errno(error, errno, "'%s'", blobs);
    sl_autofd int fd = open(layout, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return sl_error_set_errno(error, errno, "'%s'", layout);
    return read_archive(path, keep_file, &fd, error);
}
