/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-log-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "sl-error.h"
#include "sl-fd.h"

#define LEVEL 3
#define SKIPPABLE_MAGIC 0x184D2A5EU
#define SEEKABLE_MAGIC 0x8F92EAB1U
#define TABLE_HEAD 8 /* magic, length */
#define TABLE_FOOT 9 /* number of frames, descriptor, magic */
#define ENTRY 8      /* compressed, plain */
#define MAX_FRAMES (16 * 1024 * 1024)

/* Where a frame begins, in the file and in the plain text; a last one stands for the end. */
typedef struct {
    gint64 at, plain;
} Frame;

struct SlLogFile {
    char *path;
    int fd;
    Frame *frames; /* NULL: plain */
    guint n_frames;
    char *cache; /* the frame that was decompressed last */
    guint cached;
    gsize cache_len;
    ZSTD_DCtx *context;
};

static guint32
get_u32(const guint8 *p)
{
    guint32 value;
    memcpy(&value, p, sizeof value);
    return GUINT32_FROM_LE(value);
}

static void
append_u32(GByteArray *out, guint32 value)
{
    guint32 little = GUINT32_TO_LE(value);
    g_byte_array_append(out, (const guint8 *)&little, sizeof little);
}

/* --- reading ---------------------------------------------------------------------------------- */

static gssize
read_at(int fd, gpointer buffer, gsize len, gint64 offset)
{
    gsize done = 0;
    while (done < len) {
        gssize n = pread(fd, (char *)buffer + done, len - done, offset + (gint64)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (gsize)n;
    }
    return (gssize)done;
}

static gboolean
broken(const SlLogFile *file, const char *why, GError **error)
{
    return sl_error_set(error, SL_ERROR_INVALID, "%s: %s; 'zstd -d' may still read it", file->path,
                        why);
}

static gboolean
read_part(const SlLogFile *file, gpointer buffer, gsize len, gint64 offset, GError **error)
{
    gssize n = offset >= 0 ? read_at(file->fd, buffer, len, offset) : 0;
    if (n < 0)
        return sl_error_set_errno(error, errno, "%s", file->path);
    return n == (gssize)len || broken(file, "it is cut off", error);
}

/* The sizes must add up to the file: a wrong table would show the wrong lines. */
static gboolean
read_entries(SlLogFile *file, const guint8 *table, gint64 end, GError **error)
{
    Frame at = {0};
    file->frames = g_new0(Frame, file->n_frames + 1);
    for (guint i = 0; i < file->n_frames; i++) {
        guint32 packed = get_u32(table + (gsize)i * ENTRY);
        guint32 plain = get_u32(table + (gsize)i * ENTRY + 4);
        if (plain == 0 || plain > SL_LOG_FILE_FRAME)
            return broken(file, "its table of frames is wrong", error);
        file->frames[i] = at;
        at.at += packed;
        at.plain += plain;
    }
    file->frames[file->n_frames] = at;
    return at.at == end || broken(file, "its table of frames is wrong", error);
}

static gboolean
read_table(SlLogFile *file, GError **error)
{
    struct stat info;
    guint8 foot[TABLE_FOOT], head[TABLE_HEAD];
    if (fstat(file->fd, &info) < 0)
        return sl_error_set_errno(error, errno, "%s", file->path);
    if (!read_part(file, foot, sizeof foot, info.st_size - TABLE_FOOT, error))
        return FALSE;
    file->n_frames = get_u32(foot);
    if (get_u32(foot + 5) != SEEKABLE_MAGIC || foot[4] != 0 || file->n_frames > MAX_FRAMES)
        return broken(file, "it has no table of its frames", error);
    gsize len = (gsize)file->n_frames * ENTRY;
    gint64 begin = info.st_size - TABLE_FOOT - (gint64)len - TABLE_HEAD;
    g_autofree guint8 *table = g_malloc(len + 1);
    if (!read_part(file, head, sizeof head, begin, error) ||
        !read_part(file, table, len, begin + TABLE_HEAD, error))
        return FALSE;
    if (get_u32(head) != SKIPPABLE_MAGIC || get_u32(head + 4) != len + TABLE_FOOT)
        return broken(file, "its table of frames is wrong", error);
    file->context = ZSTD_createDCtx();
    file->cache = g_malloc(SL_LOG_FILE_FRAME);
    file->cached = G_MAXUINT;
    return read_entries(file, table, begin, error);
}

SlLogFile *
sl_log_file_new(int fd)
{
    SlLogFile *file = g_new0(SlLogFile, 1);
    file->path = g_strdup("the log");
    file->fd = fd;
    return file;
}

SlLogFile *
sl_log_file_open(const char *path, GError **error)
{
    g_autoptr(SlLogFile) file = g_new0(SlLogFile, 1);
    file->path = g_strdup(path);
    file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file->fd >= 0)
        return g_steal_pointer(&file);
    if (errno == ENOENT) {
        g_free(file->path);
        file->path = g_strconcat(path, SL_LOG_FILE_SUFFIX, NULL);
        file->fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    }
    if (file->fd < 0 && errno == ENOENT) {
        sl_error_set(error, SL_ERROR_NOT_FOUND, "there is no %s", path);
        return NULL;
    }
    if (file->fd < 0) {
        sl_error_set_errno(error, errno, "%s", file->path);
        return NULL;
    }
    return read_table(file, error) ? g_steal_pointer(&file) : NULL;
}

void
sl_log_file_free(SlLogFile *file)
{
    if (file == NULL)
        return;
    sl_fd_clear(&file->fd);
    ZSTD_freeDCtx(file->context);
    g_free(file->cache);
    g_free(file->frames);
    g_free(file->path);
    g_free(file);
}

gint64
sl_log_file_size(SlLogFile *file, GError **error)
{
    struct stat info;
    if (file->frames != NULL)
        return file->frames[file->n_frames].plain;
    if (fstat(file->fd, &info) == 0)
        return info.st_size;
    sl_error_set_errno(error, errno, "%s", file->path);
    return -1;
}

gboolean
sl_log_file_is_gone(SlLogFile *file)
{
    struct stat info;
    return fstat(file->fd, &info) < 0 || info.st_nlink == 0;
}

static guint
find_frame(const SlLogFile *file, gint64 offset)
{
    guint low = 0, high = file->n_frames - 1;
    while (low < high) {
        guint middle = low + (high - low + 1) / 2;
        if (file->frames[middle].plain <= offset)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

static gboolean
load_frame(SlLogFile *file, guint i, GError **error)
{
    const Frame *frame = &file->frames[i];
    gsize len = (gsize)(frame[1].at - frame[0].at);
    g_autofree char *packed = g_malloc(len + 1);
    if (file->cached == i)
        return TRUE;
    if (!read_part(file, packed, len, frame->at, error))
        return FALSE;
    file->cached = G_MAXUINT;
    gsize n = ZSTD_decompressDCtx(file->context, file->cache, SL_LOG_FILE_FRAME, packed, len);
    if (ZSTD_isError(n))
        return broken(file, ZSTD_getErrorName(n), error);
    if ((gint64)n != frame[1].plain - frame[0].plain)
        return broken(file, "a frame has another size than its table says", error);
    file->cache_len = n;
    file->cached = i;
    return TRUE;
}

static gssize
read_frames(SlLogFile *file, char *buffer, gsize len, gint64 offset, GError **error)
{
    gint64 size = file->frames[file->n_frames].plain;
    gsize done = 0;
    while (done < len && offset + (gint64)done < size) {
        gint64 at = offset + (gint64)done;
        guint i = find_frame(file, at);
        if (!load_frame(file, i, error))
            return -1;
        gsize skip = (gsize)(at - file->frames[i].plain);
        gsize n = MIN(len - done, file->cache_len - skip);
        memcpy(buffer + done, file->cache + skip, n);
        done += n;
    }
    return (gssize)done;
}

gssize
sl_log_file_read(SlLogFile *file, gpointer buffer, gsize len, gint64 offset, GError **error)
{
    if (file->frames != NULL)
        return read_frames(file, buffer, len, offset, error);
    gssize n = read_at(file->fd, buffer, len, offset);
    if (n < 0)
        sl_error_set_errno(error, errno, "%s", file->path);
    return n;
}

/* --- compressing ------------------------------------------------------------------------------ */

static gboolean
write_all(int fd, gconstpointer data, gsize len, const char *path, GError **error)
{
    for (gsize done = 0; done < len;) {
        gssize n = write(fd, (const char *)data + done, len - done);
        if (n < 0 && errno != EINTR)
            return sl_error_set_errno(error, errno, "%s", path);
        done += n > 0 ? (gsize)n : 0;
    }
    return TRUE;
}

static gboolean
write_table(int out, const GByteArray *entries, const char *path, GError **error)
{
    g_autoptr(GByteArray) table = g_byte_array_new();
    static const guint8 descriptor = 0; /* no checksums: the frames have their own */
    append_u32(table, SKIPPABLE_MAGIC);
    append_u32(table, entries->len + TABLE_FOOT);
    g_byte_array_append(table, entries->data, entries->len);
    append_u32(table, entries->len / ENTRY);
    g_byte_array_append(table, &descriptor, 1);
    append_u32(table, SEEKABLE_MAGIC);
    return write_all(out, table->data, table->len, path, error);
}

/* Of each piece a frame. */
static gboolean
write_frames(int in, int out, const char *path, GByteArray *entries, GError **error)
{
    gsize room = ZSTD_compressBound(SL_LOG_FILE_FRAME);
    g_autofree char *plain = g_malloc(SL_LOG_FILE_FRAME), *packed = g_malloc(room);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    gint64 at = 0;
    gssize n;
    gboolean ok = TRUE;
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    while (ok && (n = read_at(in, plain, SL_LOG_FILE_FRAME, at)) > 0) {
        gsize len = ZSTD_compress2(context, packed, room, plain, (gsize)n);
        ok = !ZSTD_isError(len)
                 ? write_all(out, packed, len, path, error)
                 : sl_error_set(error, SL_ERROR_FAILED, "%s: %s", path, ZSTD_getErrorName(len));
        append_u32(entries, (guint32)len);
        append_u32(entries, (guint32)n);
        at += n;
    }
    ZSTD_freeCCtx(context);
    return ok && (n == 0 || sl_error_set_errno(error, errno, "%s", path));
}

static gboolean
sync_folder_of(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    sl_autofd int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return (fd >= 0 && fsync(fd) == 0) || sl_error_set_errno(error, errno, "%s", folder);
}

static gboolean
write_file(int in, const char *temporary, const struct stat *info, GError **error)
{
    const struct timespec times[] = {info->st_atim, info->st_mtim};
    g_autoptr(GByteArray) entries = g_byte_array_new();
    sl_autofd int out =
        open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (out < 0)
        return sl_error_set_errno(error, errno, "%s", temporary);
    if (!write_frames(in, out, temporary, entries, error) ||
        !write_table(out, entries, temporary, error))
        return FALSE;
    return (futimens(out, times) == 0 && fsync(out) == 0) ||
           sl_error_set_errno(error, errno, "%s", temporary);
}

gboolean
sl_log_file_compress(const char *path, gint64 *ret_saved, GError **error)
{
    g_autofree char *compressed = g_strconcat(path, SL_LOG_FILE_SUFFIX, NULL);
    g_autofree char *temporary = g_strconcat(compressed, ".tmp", NULL);
    struct stat before, after;
    sl_autofd int in = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (in < 0 || fstat(in, &before) < 0)
        return sl_error_set_errno(error, errno, "%s", path);
    if (!write_file(in, temporary, &before, error)) {
        unlink(temporary);
        return FALSE;
    }
    if (stat(temporary, &after) < 0 || rename(temporary, compressed) < 0)
        return sl_error_set_errno(error, errno, "%s", temporary);
    if (!sync_folder_of(path, error))
        return FALSE;
    if (unlink(path) < 0 && errno != ENOENT)
        return sl_error_set_errno(error, errno, "%s", path);
    if (ret_saved != NULL)
        *ret_saved = before.st_size - after.st_size;
    return TRUE;
}
