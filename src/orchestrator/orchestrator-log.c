/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator-log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sl-fd.h"
#include "sl-job-log-index.h"
#include "sl-trace.h"

#define BUFFER (64 * 1024)
#define FLUSH_MS 250

struct OrchestratorLog {
    int fd; /* -1: not written any more */
    GString *buffer;
    guint flush_source;
    gint64 size, max;
    gboolean full; /* the size is reached: only warnings and errors */
    guint64 lost;
    guint64 lines;     /* so far */
    int index_fd;      /* -1: there is none; only reading takes longer then */
    GByteArray *marks; /* of lines in the buffer */
    gboolean had_error;
    SlMask *mask;
    char *name;
};

static gboolean
is_plain_path(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    for (guint i = 0; parts[i] != NULL; i++) {
        if (*parts[i] == '\0' || strcmp(parts[i], ".") == 0 || strcmp(parts[i], "..") == 0)
            return FALSE;
    }
    return parts[0] != NULL;
}

static int
open_file(const char *name)
{
    g_autofree char *folder = g_path_get_dirname(name);
    /* The group, which the folder above hands down, compresses and deletes logs. It cannot be given
     * its right afterwards: chmod(2) by who is not of the group takes setgid away. */
    mode_t before = umask(007);
    int made = g_mkdir_with_parents(folder, 0770);
    umask(before);
    if (made < 0)
        return -1;
    return open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
}

/* A file that another process began has lines that we did not count: it goes on without marks. */
static void
open_index(OrchestratorLog *log)
{
    g_autofree char *name = g_strconcat(log->name, SL_JOB_LOG_INDEX_SUFFIX, NULL);
    log->size = MAX(lseek(log->fd, 0, SEEK_END), 0);
    if (log->size == 0)
        log->index_fd =
            open(name, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
}

OrchestratorLog *
orchestrator_log_new(const char *folder, const char *path, gint64 max_bytes, SlMask *take_mask)
{
    OrchestratorLog *log = g_new0(OrchestratorLog, 1);
    log->buffer = g_string_new(NULL);
    log->max = max_bytes;
    log->mask = take_mask;
    log->fd = log->index_fd = -1;
    log->marks = g_byte_array_new();
    if (path == NULL || !is_plain_path(path)) {
        g_warning("the log path '%s' of the workload is not valid, not logging",
                  path != NULL ? path : "");
        return log;
    }
    log->name = g_build_filename(folder, path, NULL);
    log->fd = open_file(log->name);
    if (log->fd < 0)
        g_warning("opening the log %s: %s, not logging", log->name, g_strerror(errno));
    else
        open_index(log);
    return log;
}

void
orchestrator_log_free(OrchestratorLog *log)
{
    if (log == NULL)
        return;
    orchestrator_log_flush(log);
    if (log->lost > 0)
        g_warning("%" G_GUINT64_FORMAT " lines are missing in the log %s", log->lost,
                  log->name != NULL ? log->name : "");
    sl_fd_clear(&log->fd);
    sl_fd_clear(&log->index_fd);
    g_byte_array_unref(log->marks);
    g_string_free(log->buffer, TRUE);
    sl_mask_free(log->mask);
    g_free(log->name);
    g_free(log);
}

/* The file keeps the whole lines of the `written` bytes; the rest of the buffer is lost. */
static void
give_up(OrchestratorLog *log, gsize written, int errnum)
{
    const char *newline = memrchr(log->buffer->str, '\n', written);
    gsize kept = newline != NULL ? (gsize)(newline + 1 - log->buffer->str) : 0;
    g_warning("writing the log %s: %s, not logging any more", log->name, g_strerror(errnum));
    if (ftruncate(log->fd, log->size + (gint64)kept) < 0)
        g_debug("truncating %s: %s", log->name, g_strerror(errno));
    sl_fd_clear(&log->fd);
    for (gsize i = kept; i < log->buffer->len; i++)
        log->lost += log->buffer->str[i] == '\n';
}

/* After the lines that they are about. A full disk leaves a piece of one: no more are written. */
static void
write_marks(OrchestratorLog *log)
{
    guint len = log->marks->len;
    if (len > 0 && log->index_fd >= 0 && log->fd >= 0 &&
        write(log->index_fd, log->marks->data, len) != (ssize_t)len)
        sl_fd_clear(&log->index_fd);
    g_byte_array_set_size(log->marks, 0);
}

void
orchestrator_log_flush(OrchestratorLog *log)
{
    gsize written = 0;
    if (log->flush_source != 0)
        g_source_remove(log->flush_source);
    log->flush_source = 0;
    while (log->fd >= 0 && written < log->buffer->len) {
        ssize_t n = write(log->fd, log->buffer->str + written, log->buffer->len - written);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            give_up(log, written, errno);
        else
            written += (gsize)n;
    }
    if (log->fd >= 0)
        log->size += (gint64)written;
    write_marks(log);
    g_string_truncate(log->buffer, 0);
}

static gboolean
on_flush(gpointer data)
{
    OrchestratorLog *log = data;
    log->flush_source = 0;
    orchestrator_log_flush(log);
    return G_SOURCE_REMOVE;
}

static void
append(OrchestratorLog *log, SlJobLogLevel level, SlJobLogSource source, const char *text,
       gsize len, const char *stack)
{
    SlJobLogMark mark = {.line = log->lines++,
                         .offset = (guint64)log->size + log->buffer->len,
                         .timestamp = g_get_real_time() / G_TIME_SPAN_MILLISECOND};
    if (mark.line % SL_JOB_LOG_INDEX_LINES == 0)
        sl_job_log_mark_append(log->marks, &mark);
    mark.is_error = level <= SL_JOB_LOG_ERROR && !log->had_error;
    if (mark.is_error)
        sl_job_log_mark_append(log->marks, &mark);
    log->had_error |= mark.is_error;
    sl_job_log_append(log->buffer, mark.timestamp, level, source, text, len, stack, log->mask);
}

/* Past the size only warnings and errors, past the size and an eighth nothing: a connector that
 * only complains must not fill the disk either. */
static gboolean
has_room(OrchestratorLog *log, SlJobLogLevel level)
{
    static const char notice[] = "the log has reached its size (MaxLog= in sluice.conf); from here "
                                 "on it holds warnings and errors only";
    gint64 size = log->size + (gint64)log->buffer->len;
    if (log->fd < 0)
        return FALSE;
    if (size < log->max)
        return TRUE;
    if (!log->full) {
        log->full = TRUE;
        append(log, SL_JOB_LOG_WARN, SL_JOB_LOG_ORCHESTRATOR, notice, sizeof notice - 1, NULL);
    }
    return level <= SL_JOB_LOG_WARN && size < log->max + log->max / 8;
}

void
orchestrator_log_line(OrchestratorLog *log, SlJobLogLevel level, SlJobLogSource source,
                      const char *text, gsize len, const char *stack)
{
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    if (!has_room(log, level)) {
        log->lost++;
        return;
    }
    append(log, level, source, text, len, stack);
    if (log->buffer->len >= BUFFER)
        orchestrator_log_flush(log);
    else if (log->flush_source == 0)
        log->flush_source = g_timeout_add(FLUSH_MS, on_flush, log);
}

void
orchestrator_log_say(OrchestratorLog *log, SlJobLogLevel level, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    orchestrator_log_line(log, level, SL_JOB_LOG_ORCHESTRATOR, text, strlen(text), NULL);
}

char *
orchestrator_log_mask(const OrchestratorLog *log, const char *text)
{
    char *masked = text != NULL ? sl_mask_apply(log->mask, text, strlen(text)) : NULL;
    return masked != NULL ? masked : g_strdup(text);
}

void
orchestrator_log_message(OrchestratorLog *log, SlJobLogSource source, SlSpan payload)
{
    g_auto(SlLogMessage) message = {0};
    if (payload.n > 0 && sl_log_message_parse(payload, &message, NULL))
        orchestrator_log_line(log, sl_job_log_level(message.level), source, message.message,
                              strlen(message.message), message.stack_trace);
    else
        orchestrator_log_line(log, SL_JOB_LOG_WARN, source, payload.p != NULL ? payload.p : "",
                              payload.n, NULL);
}

guint64
orchestrator_log_get_lost(const OrchestratorLog *log)
{
    return log->lost;
}
