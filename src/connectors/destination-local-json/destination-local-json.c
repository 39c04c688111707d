/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kit.h"
#include "local-file.h"
#include "local-path.h"
#include "sl-error.h"
#include "sl-fd.h"

#include KIT_SPEC_H

#define UUID_LENGTH 36
#define RANDOM_BYTES (16 * 256)

typedef struct {
    KitWrite *write;
    int dir;
    LocalFile **files; /* per stream */
    guint n_files;
    guchar random[RANDOM_BYTES]; /* for ids; one call of the kernel for many */
    gsize n_random;              /* bytes left */
} LocalJson;

/* A random UUID (RFC 9562, version 4). */
static void
local_append_id(LocalJson *self, GString *out)
{
    static const char digits[] = "0123456789abcdef";
    if (self->n_random == 0) {
        /* Calls of up to 256 bytes are never short and cannot fail (getrandom(2)). */
        for (gsize done = 0; done < RANDOM_BYTES; done += 256) {
            gssize n = getrandom(self->random + done, 256, 0);
            g_assert(n == 256);
        }
        self->n_random = RANDOM_BYTES;
    }
    self->n_random -= 16;
    guchar *id = self->random + self->n_random;
    id[6] = (guchar)((id[6] & 0x0f) | 0x40);
    id[8] = (guchar)((id[8] & 0x3f) | 0x80);
    char text[UUID_LENGTH], *p = text;
    for (guint i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = digits[id[i] >> 4];
        *p++ = digits[id[i] & 15];
    }
    g_string_append_len(out, text, UUID_LENGTH);
}

/* One file stays open per stream. */
static void
raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int
open_configured(const KitConfig *config, GError **error)
{
    g_autofree char *path = kit_config_dup_string(config, "destination_path", NULL);
    return local_path_open(path, error);
}

static gboolean
local_check(const KitConfig *config, GError **error)
{
    sl_autofd int dir = open_configured(config, error);
    if (dir < 0)
        return FALSE;
    g_autofree char *name = g_strdup_printf("_airbyte_check_%d.tmp", getpid());
    sl_autofd int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return sl_error_set_errno(error, errno, "making a file in %s", local_path_root());
    gboolean ok = sl_fd_write_all(fd, "\n", 1, error);
    unlinkat(dir, name, 0);
    return ok;
}

static gpointer
local_open(KitWrite *write, GError **error)
{
    /* The sandbox's user changes from sync to sync, its group does not: the next one must be able
     * to go on with these files. */
    umask(S_IWOTH);
    int dir = open_configured(kit_write_config(write), error);
    if (dir < 0)
        return NULL;
    raise_file_limit();
    LocalJson *self = g_new0(LocalJson, 1);
    self->write = write;
    self->dir = dir;
    self->n_files = kit_write_catalog(write)->n_streams;
    self->files = g_new0(LocalFile *, self->n_files + 1);
    return self;
}

static gboolean
local_begin_stream(gpointer data, const KitStream *stream, GError **error)
{
    LocalJson *self = data;
    if (stream->destination_mode != KIT_DESTINATION_APPEND &&
        stream->destination_mode != KIT_DESTINATION_OVERWRITE)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "files can be appended to or overwritten, nothing else "
                            "(destination_sync_mode)");
    self->files[stream->index] = local_file_open(self->dir, stream, error);
    return self->files[stream->index] != NULL;
}

static void
local_append_line(LocalJson *self, const KitStream *stream, const KitRecord *record, GString *out)
{
    g_string_append(out, "{\"_airbyte_ab_id\":\"");
    local_append_id(self, out);
    g_string_append(out, "\",\"_airbyte_emitted_at\":");
    if (record->emitted_at.n > 0)
        g_string_append_len(out, record->emitted_at.p, (gssize)record->emitted_at.n);
    else
        g_string_append_printf(out, "%" G_GINT64_FORMAT, g_get_real_time() / 1000);
    if (stream->generations)
        g_string_append_printf(out, ",\"_airbyte_generation_id\":%" G_GINT64_FORMAT,
                               stream->generation_id);
    g_string_append(out, ",\"_airbyte_data\":");
    g_string_append_len(out, record->data.p, (gssize)record->data.n);
    if (record->meta.n > 0) {
        g_string_append(out, ",\"_airbyte_meta\":");
        g_string_append_len(out, record->meta.p, (gssize)record->meta.n);
    }
    g_string_append(out, "}\n");
}

static gboolean
local_records(gpointer data, const KitRecord *records, guint n, GError **error)
{
    LocalJson *self = data;
    const KitStream *streams = kit_write_catalog(self->write)->streams;
    for (guint i = 0; i < n; i++) {
        LocalFile *file = self->files[records[i].stream];
        local_append_line(self, &streams[records[i].stream], &records[i], local_file_buffer(file));
        if (!local_file_drain(file, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
local_flush(gpointer data, GError **error)
{
    LocalJson *self = data;
    for (guint i = 0; i < self->n_files; i++)
        if (!local_file_sync(self->files[i], error))
            return FALSE;
    return TRUE;
}

static gboolean
local_end_stream(gpointer data, const KitStream *stream, KitStatus status, GError **error)
{
    LocalJson *self = data;
    return status != KIT_STATUS_COMPLETE || local_file_finish(self->files[stream->index], error);
}

static gboolean
local_close(gpointer data, gboolean success, GError **error)
{
    LocalJson *self = data;
    for (guint i = 0; i < self->n_files; i++)
        local_file_close(self->files[i], success);
    g_free(self->files);
    sl_fd_clear(&self->dir);
    g_free(self);
    return TRUE;
}

static const KitDestination destination = {
    .open = local_open,
    .begin_stream = local_begin_stream,
    .records = local_records,
    .flush = local_flush,
    .end_stream = local_end_stream,
    .close = local_close,
    .flush_idle_usec = G_USEC_PER_SEC / 5,
    .flush_age_usec = 5 * G_USEC_PER_SEC,
};

static const KitConnector connector = {
    .name = "destination-local-json",
    .spec = kit_spec,
    .check = local_check,
    .destination = &destination,
};

int
main(int argc, char **argv)
{
    return kit_main(&connector, argc, argv);
}
