/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "local-file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "local-path.h"
#include "sl-error.h"
#include "sl-fd.h"

#define DRAIN_SIZE (256 * 1024)
#define TAIL_CHUNK (64 * 1024)

struct LocalFile {
    int dir; /* borrowed */
    int fd;
    char *name;    /* the stream's file */
    char *temp;    /* what fd is instead; NULL: it is the file itself */
    gboolean keep; /* temp belongs to a generation and survives a failure */
    GString *buffer;
    off_t written, durable; /* bytes in the file; of them synced */
};

/* Opens for appending, with a lock: two writers would tear each other's lines. */
static int
open_locked(int dir, const char *name, int flags, GError **error)
{
    sl_autofd int fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0664);
    if (fd < 0) {
        sl_error_set_errno(error, errno, "opening '%s'", name);
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        sl_error_set(error, SL_ERROR_BUSY, "'%s' is being written by another sync", name);
        return -1;
    }
    return sl_fd_steal(&fd);
}

/* A crash can leave half a line at the end: never synced, so never acknowledged. */
static gboolean
cut_half_line(LocalFile *file, GError **error)
{
    g_autofree char *chunk = g_malloc(TAIL_CHUNK);
    off_t end = lseek(file->fd, 0, SEEK_END), cut = end;
    while (cut > 0) {
        off_t from = MAX(cut - TAIL_CHUNK, 0);
        gssize n = pread(file->fd, chunk, (gsize)(cut - from), from);
        if (n <= 0)
            return sl_error_set_errno(error, n < 0 ? errno : EIO, "reading '%s'", file->name);
        char *newline = memrchr(chunk, '\n', (gsize)n);
        if (newline != NULL) {
            cut = from + (newline - chunk) + 1;
            break;
        }
        cut = from;
    }
    if (cut < end && ftruncate(file->fd, cut) < 0)
        return sl_error_set_errno(error, errno, "cutting '%s'", file->name);
    if (lseek(file->fd, cut, SEEK_SET) < 0)
        return sl_error_set_errno(error, errno, "seeking in '%s'", file->name);
    file->written = file->durable = cut;
    return TRUE;
}

/* The generation of the file's first line; -1: no file, empty, or not written with generations. */
static gint64
generation_of(int dir, const char *name)
{
    static const char mark[] = ",\"_airbyte_generation_id\":";
    char head[256];
    sl_autofd int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    gssize n = fd < 0 ? -1 : read(fd, head, sizeof head - 1);
    if (n <= 0)
        return -1;
    head[n] = '\0';
    char *data = strstr(head, ",\"_airbyte_data\":");
    char *found = strstr(head, mark);
    if (found == NULL || (data != NULL && data < found))
        return -1;
    return g_ascii_strtoll(found + strlen(mark), NULL, 10);
}

static char *
temp_name(const char *name, const KitStream *stream)
{
    if (!stream->generations)
        return g_strdup_printf("%s.new.tmp", name);
    return g_strdup_printf("%s.gen-%" G_GINT64_FORMAT ".tmp", name, stream->generation_id);
}

static gboolean
sync_dir(int dir, GError **error)
{
    return fsync(dir) == 0 || sl_error_set_errno(error, errno, "syncing the folder");
}

/* The rows of a generation that was never finished were acknowledged all the same. A sync that does
 * not truncate keeps them: they go to the end of the file. */
static gboolean
adopt_temp(LocalFile *file, const char *temp, GError **error)
{
    sl_autofd int from = open_locked(file->dir, temp, 0, error);
    if (from < 0)
        return FALSE;
    for (;;) {
        gssize n = sendfile(file->fd, from, NULL, 1 << 30);
        if (n < 0)
            return sl_error_set_errno(error, errno, "copying '%s'", temp);
        if (n == 0)
            break;
        file->written += n;
    }
    if (fsync(file->fd) < 0)
        return sl_error_set_errno(error, errno, "syncing '%s'", file->name);
    if (!cut_half_line(file, error))
        return FALSE;
    if (unlinkat(file->dir, temp, 0) < 0)
        return sl_error_set_errno(error, errno, "removing '%s'", temp);
    return TRUE;
}

/* Files of generations that the stream has not finished, its own left out. */
static GPtrArray *
find_strays(LocalFile *file, GError **error)
{
    g_autoptr(GPtrArray) strays = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *prefix = g_strdup_printf("%s.gen-", file->name);
    sl_autofd int fd = openat(file->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    if (entries == NULL) {
        sl_error_set_errno(error, errno, "listing the folder");
        return NULL;
    }
    fd = -1; /* is closedir()'s now */
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
        if (g_str_has_prefix(entry->d_name, prefix) && g_str_has_suffix(entry->d_name, ".tmp") &&
            g_strcmp0(entry->d_name, file->temp) != 0)
            g_ptr_array_add(strays, g_strdup(entry->d_name));
    closedir(entries);
    return g_steal_pointer(&strays);
}

static gboolean
settle_strays(LocalFile *file, const KitStream *stream, GError **error)
{
    g_autoptr(GPtrArray) strays = find_strays(file, error);
    if (strays == NULL)
        return FALSE;
    for (guint i = 0; i < strays->len; i++) {
        const char *stray = g_ptr_array_index(strays, i);
        if (!stream->truncate) {
            if (!adopt_temp(file, stray, error))
                return FALSE;
        } else if (unlinkat(file->dir, stray, 0) < 0 && errno != ENOENT) {
            return sl_error_set_errno(error, errno, "removing '%s'", stray);
        }
    }
    return TRUE;
}

LocalFile *
local_file_open(int dir, const KitStream *stream, GError **error)
{
    LocalFile *file = g_new0(LocalFile, 1);
    file->dir = dir;
    file->name = local_path_file(stream->ns, stream->name);
    file->buffer = g_string_new(NULL);
    gboolean in_place =
        stream->generations && generation_of(dir, file->name) >= stream->minimum_generation_id;
    if (stream->truncate && !in_place) {
        file->temp = temp_name(file->name, stream);
        file->keep = stream->generations;
    }
    const char *name = file->temp != NULL ? file->temp : file->name;
    file->fd = open_locked(dir, name, O_CREAT, error);
    if (file->fd >= 0 && file->temp != NULL && !file->keep && ftruncate(file->fd, 0) < 0)
        sl_error_set_errno(error, errno, "emptying '%s'", name);
    else if (file->fd >= 0 && cut_half_line(file, error) && settle_strays(file, stream, error) &&
             sync_dir(dir, error))
        return file;
    local_file_close(file, FALSE);
    return NULL;
}

GString *
local_file_buffer(LocalFile *file)
{
    return file->buffer;
}

static gboolean
file_write(LocalFile *file, GError **error)
{
    if (!sl_fd_write_all(file->fd, file->buffer->str, file->buffer->len, error)) {
        g_prefix_error(error, "writing '%s': ", file->name);
        return FALSE;
    }
    file->written += (off_t)file->buffer->len;
    g_string_truncate(file->buffer, 0);
    return TRUE;
}

gboolean
local_file_drain(LocalFile *file, GError **error)
{
    return file->buffer->len < DRAIN_SIZE || file_write(file, error);
}

gboolean
local_file_sync(LocalFile *file, GError **error)
{
    if (file->buffer->len > 0 && !file_write(file, error))
        return FALSE;
    if (file->durable == file->written)
        return TRUE;
    if (fdatasync(file->fd) < 0)
        return sl_error_set_errno(error, errno, "syncing '%s'", file->name);
    file->durable = file->written;
    return TRUE;
}

gboolean
local_file_finish(LocalFile *file, GError **error)
{
    if (!local_file_sync(file, error))
        return FALSE;
    if (file->temp == NULL)
        return TRUE;
    if (renameat(file->dir, file->temp, file->dir, file->name) < 0)
        return sl_error_set_errno(error, errno, "putting '%s' in place", file->name);
    g_clear_pointer(&file->temp, g_free);
    return sync_dir(file->dir, error);
}

void
local_file_close(LocalFile *file, gboolean success)
{
    if (file == NULL)
        return;
    /* What was not acknowledged will be sent again. If cutting fails, it is there twice: no loss.
     */
    if (file->fd >= 0 && !success && file->written > file->durable &&
        ftruncate(file->fd, file->durable) < 0)
        g_warning("cutting '%s': %s, ignoring", file->name, g_strerror(errno));
    if (file->fd >= 0 && file->temp != NULL && !file->keep)
        unlinkat(file->dir, file->temp, 0);
    sl_fd_clear(&file->fd);
    g_string_free(file->buffer, TRUE);
    g_free(file->name);
    g_free(file->temp);
    g_free(file);
}
