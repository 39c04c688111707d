/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server-routes.h"
#include "sl-error.h"
#include "sl-fd.h"
#include "sl-job-log-index.h"
#include "sl-sql.h"

#define MAX_TEXT ((gint64)1 << 20)
#define MAX_MARKS 1000
#define INDEX_BYTES ((gint64)24 << 20) /* of an index that are read: a million marks */

void
server_log_clear(ServerLog *log)
{
    g_clear_pointer(&log->file, sl_log_file_free);
    g_clear_pointer(&log->path, g_free);
}

static gboolean
is_compressed(const char *path)
{
    static const char *const suffixes[] = {".gz", ".xz"};
    for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *name = g_strconcat(path, suffixes[i], NULL);
        if (access(name, F_OK) == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean
no_file(const ServerLog *log, GError **error)
{
    if (is_compressed(log->path))
        return sl_error_set(error, SL_ERROR_CONFLICT,
                            "the log of job %" G_GINT64_FORMAT ", attempt %" G_GINT64_FORMAT
                            " was compressed; it must be decompressed to be read here",
                            log->job_id, log->attempt_number);
    return !log->ended || sl_error_set(error, SL_ERROR_GONE,
                                       "job %" G_GINT64_FORMAT ", attempt %" G_GINT64_FORMAT
                                       " has no log: it was deleted (Logs= of [Retention]), or the "
                                       "attempt ended before it wrote one",
                                       log->job_id, log->attempt_number);
}

static gboolean
load_attempt(ServerCtx *ctx, gint64 job_id, gint64 attempt_number, ServerLog *ret, GError **error)
{
    g_autoptr(SlAttempt) attempt = NULL;
    if (!sl_sql_attempt_get(ctx->tx, job_id, attempt_number, &attempt, error))
        return FALSE;
    if (attempt == NULL)
        return sl_error_set(error, SL_ERROR_NOT_FOUND,
                            "job %" G_GINT64_FORMAT " has no attempt %" G_GINT64_FORMAT, job_id,
                            attempt_number);
    ret->job_id = job_id;
    ret->attempt_number = attempt_number;
    ret->status = sl_enum_name(&sl_attempt_status_enum, (int)attempt->status);
    ret->ended = attempt->status != SL_ATTEMPT_STATUS_RUNNING;
    ret->path = g_build_filename(ctx->server->log_folder, attempt->log_path, NULL);
    return TRUE;
}

/* Without a log there is nothing to open, and nothing wrong. */
static gboolean
open_if_there(ServerLog *log, GError **error)
{
    g_autoptr(GError) cause = NULL;
    log->file = sl_log_file_open(log->path, &cause);
    if (log->file != NULL)
        log->size = sl_log_file_size(log->file, &cause);
    if (cause == NULL || g_error_matches(cause, SL_ERROR, SL_ERROR_NOT_FOUND))
        return TRUE;
    if (g_error_matches(cause, SL_ERROR, SL_ERROR_INVALID)) /* not the caller's fault */
        return sl_error_set(error, SL_ERROR_CONFLICT, "%s", cause->message);
    g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

gboolean
server_log_open(ServerCtx *ctx, gint64 job_id, gint64 attempt_number, ServerLog *ret,
                GError **error)
{
    return load_attempt(ctx, job_id, attempt_number, ret, error) && open_if_there(ret, error) &&
           (ret->file != NULL || no_file(ret, error));
}

/* --- ranges of whole lines -------------------------------------------------------------------- */

/* Whole lines of [offset, offset + limit). A line that is longer than `limit` is cut: the reader
 * would never get past it. */
static char *
read_lines(SlLogFile *file, gint64 offset, gint64 limit, gboolean skip_partial, gint64 *ret_from,
           gint64 *ret_to, GError **error)
{
    g_autofree char *buffer = g_malloc((gsize)limit + 1);
    gssize n = sl_log_file_read(file, buffer, (gsize)limit, offset, error);
    if (n < 0)
        return NULL;
    const char *begin = buffer, *end = buffer + n;
    const char *first = skip_partial ? memchr(buffer, '\n', (gsize)n) : NULL;
    if (first != NULL)
        begin = first + 1;
    const char *last = memrchr(begin, '\n', (gsize)(end - begin));
    if (last != NULL)
        end = last + 1;
    else if (n < limit)
        end = begin; /* the last line is still being written */
    *ret_from = offset + (begin - buffer);
    *ret_to = offset + (end - buffer);
    return g_utf8_make_valid(begin, end - begin);
}

static gboolean
read_log(const ServerLog *file, const SlLogRequest *in, SlLogResponse *log, GError **error)
{
    gint64 from = 0, to = 0, offset = in->offset;
    gint64 size = file->size; /* 0: not begun yet, or deleted by age */
    gboolean tail = sl_record_has(&sl_log_request_record, in, SL_LOG_REQUEST_TAIL);
    if (tail)
        offset = MAX(size - in->tail, 0);
    if (file->file != NULL && offset < size)
        log->text = read_lines(file->file, offset, tail ? MAX(in->tail, 1) : in->limit,
                               tail && offset > 0, &from, &to, error);
    else
        log->text = g_strdup("");
    if (log->text == NULL)
        return FALSE;
    sl_log_response_set_offset(log, offset < size ? from : MIN(offset, size));
    sl_log_response_set_next_offset(log, offset < size ? to : MIN(offset, size));
    sl_log_response_set_size(log, size);
    return TRUE;
}

gboolean
server_attempt_log(ServerCtx *ctx, const SlLogRequest *in, SlLogResponse **ret, GError **error)
{
    g_auto(ServerLog) file = SERVER_LOG_INIT;
    if (in->offset < 0)
        return sl_error_set(error, SL_ERROR_INVALID, "offset: must not be negative");
    if (!load_attempt(ctx, in->job_id, in->attempt_number, &file, error) ||
        !open_if_there(&file, error))
        return FALSE;
    SlLogResponse *log = *ret = sl_log_response_new();
    sl_log_response_set_ended(log, file.ended);
    if (file.ended)
        sl_log_response_set_deleted(log, file.file == NULL);
    return read_log(&file, in, log, error);
}

/* --- search ----------------------------------------------------------------------------------- */

gboolean
server_log_filter_read(const SlLogSearchRequest *in, ServerLogFilter *ret, GError **error)
{
    const SlRecord *record = &sl_log_search_request_record;
    if (in->level != NULL && (ret->max_level = sl_job_log_level_value(in->level)) < 0)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "level: '%s' is not fatal, error, warn, info, debug or trace",
                            in->level);
    if (in->source != NULL && (ret->source = sl_job_log_source_value(in->source)) < 0)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "source: '%s' is not source, destination, replication-orchestrator or "
                            "platform",
                            in->source);
    if (in->grep != NULL && in->grep[0] != '\0')
        server_log_filter_set_grep(ret, in->grep, in->ignore_case);
    if (sl_record_has(record, in, SL_LOG_SEARCH_REQUEST_SINCE))
        ret->since = in->since / 1000;
    if (sl_record_has(record, in, SL_LOG_SEARCH_REQUEST_UNTIL))
        ret->until = in->until / 1000;
    return TRUE;
}

/* Times are no reason to read everything before them. */
static gboolean
narrow(const ServerLog *log, ServerLogScan *scan, GError **error)
{
    gint64 offset;
    const ServerLogFilter *filter = scan->filter;
    if (!scan->backwards && filter->since != 0) {
        if (!server_log_find_time(log->file, log->size, filter->since, &offset, error))
            return FALSE;
        scan->from = MAX(scan->from, offset);
    }
    if (scan->backwards && filter->until != 0) {
        if (!server_log_find_time(log->file, log->size, filter->until + 1, &offset, error))
            return FALSE;
        /* the line may lie behind what the halving gave, by less than a megabyte */
        scan->from = MIN(scan->from, MIN(log->size, offset + 2 * SERVER_LOG_LINE_BYTES));
    }
    return TRUE;
}

static void
fill_response(const ServerLog *log, const ServerLogScan *scan, SlLogSearchResponse *response)
{
    response->lines = g_ptr_array_new();
    for (guint i = 0; scan->lines != NULL && i < scan->lines->len; i++) {
        ServerLogLine *line = scan->lines->pdata[i];
        SlLogLine *out = sl_log_line_new();
        sl_log_line_set_offset(out, line->offset);
        sl_log_line_set_next_offset(out, line->next);
        out->text = g_steal_pointer(&line->text);
        g_ptr_array_add(response->lines, out);
    }
    sl_log_search_response_set_next_offset(response, scan->next);
    sl_log_search_response_set_done(response, scan->done);
    sl_log_search_response_set_size(response, log->size);
    sl_log_search_response_set_ended(response, log->ended);
}

/* Beyond the times there is nothing more, though the file goes on. */
static gboolean
is_past(const ServerLog *log, const ServerLogScan *scan, GError **error)
{
    gint64 offset = 0;
    const ServerLogFilter *filter = scan->filter;
    if (scan->backwards)
        return filter->since != 0 &&
               server_log_find_time(log->file, log->size, filter->since, &offset, error) &&
               scan->next <= offset;
    return filter->until != 0 &&
           server_log_find_time(log->file, log->size, filter->until + 1, &offset, error) &&
           scan->next > offset + 2 * SERVER_LOG_LINE_BYTES;
}

static gboolean
search(const ServerLog *log, ServerLogScan *scan, SlLogSearchResponse **ret, GError **error)
{
    g_autoptr(GError) reason = NULL;
    scan->done = TRUE;
    if (log->file != NULL &&
        (!narrow(log, scan, error) || !server_log_scan(log->file, log->size, scan, error)))
        return FALSE;
    if (log->file != NULL && !scan->done)
        scan->done = is_past(log, scan, &reason);
    *ret = sl_log_search_response_new();
    fill_response(log, scan, *ret);
    return TRUE;
}

gboolean
server_attempt_log_search(ServerCtx *ctx, const SlLogSearchRequest *in, SlLogSearchResponse **ret,
                          GError **error)
{
    g_auto(ServerLog) log = SERVER_LOG_INIT;
    g_auto(ServerLogFilter) filter = SERVER_LOG_FILTER_INIT;
    g_auto(ServerLogScan) scan = {
        .filter = &filter,
        .max_lines = (guint)in->limit,
        .max_text = MAX_TEXT,
        .backwards = sl_record_has(&sl_log_search_request_record, in, SL_LOG_SEARCH_REQUEST_BEFORE),
    };
    if (!server_log_filter_read(in, &filter, error) ||
        !server_log_open(ctx, in->job_id, in->attempt_number, &log, error))
        return FALSE;
    if (scan.backwards)
        scan.from = in->before < 0 ? log.size : in->before;
    else
        scan.from = in->offset < 0 ? MAX(log.size + in->offset, 0) : in->offset;
    return search(&log, &scan, ret, error);
}

/* --- the index -------------------------------------------------------------------------------- */

/* Marks that are about the file as it is now: in order, and not behind its end. */
static GArray *
load_marks(const ServerLog *log, gboolean *ret_whole)
{
    g_autofree char *name = g_strconcat(log->path, SL_JOB_LOG_INDEX_SUFFIX, NULL);
    sl_autofd int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    GArray *marks = g_array_new(FALSE, FALSE, sizeof(SlJobLogMark));
    struct stat info;
    *ret_whole = FALSE;
    if (fd < 0 || fstat(fd, &info) < 0)
        return marks;
    gsize size = (gsize)MIN(info.st_size, INDEX_BYTES);
    g_autofree guint8 *bytes = g_malloc(size + 1);
    gssize n = pread(fd, bytes, size, 0);
    guint64 last = 0;
    SlJobLogMark mark;
    for (gssize at = 0; at + SL_JOB_LOG_INDEX_BYTES <= n; at += SL_JOB_LOG_INDEX_BYTES) {
        if (!sl_job_log_mark_parse(bytes + at, &mark) || mark.offset < last ||
            mark.offset >= (guint64)log->size)
            return marks;
        last = mark.offset;
        g_array_append_val(marks, mark);
    }
    *ret_whole = n == info.st_size && marks->len > 0;
    return marks;
}

static SlLogMark *
make_mark(const SlJobLogMark *mark)
{
    SlLogMark *out = sl_log_mark_new();
    sl_log_mark_set_line(out, (gint64)mark->line);
    sl_log_mark_set_offset(out, (gint64)mark->offset);
    sl_log_mark_set_timestamp(out, mark->timestamp);
    return out;
}

gboolean
server_attempt_log_index(ServerCtx *ctx, const SlLogIdRequest *in, SlLogIndexResponse **ret,
                         GError **error)
{
    g_auto(ServerLog) log = SERVER_LOG_INIT;
    gboolean whole;
    if (!server_log_open(ctx, in->job_id, in->attempt_number, &log, error))
        return FALSE;
    g_autoptr(GArray) marks = load_marks(&log, &whole);
    SlLogIndexResponse *index = *ret = sl_log_index_response_new();
    guint step = marks->len / MAX_MARKS + 1;
    index->marks = g_ptr_array_new();
    sl_log_index_response_set_size(index, log.size);
    sl_log_index_response_set_ended(index, log.ended);
    for (guint i = 0, n = 0; i < marks->len; i++) {
        const SlJobLogMark *mark = &g_array_index(marks, SlJobLogMark, i);
        if (mark->is_error && index->first_error == NULL)
            index->first_error = make_mark(mark);
        if (!mark->is_error && n++ % step == 0)
            g_ptr_array_add(index->marks, make_mark(mark));
    }
    return TRUE;
}

/* Where the first error is, or -1 when the index does not know. Of a running attempt it knows what
 * is there, not what is not yet written to it. */
static gint64
find_first_error(const ServerLog *log)
{
    gboolean whole;
    g_autoptr(GArray) marks = load_marks(log, &whole);
    for (guint i = 0; i < marks->len; i++) {
        const SlJobLogMark *mark = &g_array_index(marks, SlJobLogMark, i);
        if (mark->is_error)
            return (gint64)mark->offset;
    }
    return whole && log->ended ? log->size : -1;
}

gboolean
server_attempt_log_first_error(ServerCtx *ctx, const SlLogSearchRequest *in,
                               SlLogSearchResponse **ret, GError **error)
{
    g_auto(ServerLog) log = SERVER_LOG_INIT;
    ServerLogFilter filter = {.max_level = SL_JOB_LOG_ERROR, .source = -1};
    g_auto(ServerLogScan) scan = {
        .filter = &filter, .max_lines = 1, .max_text = MAX_TEXT, .from = MAX(in->offset, 0)};
    if (!server_log_open(ctx, in->job_id, in->attempt_number, &log, error))
        return FALSE;
    if (log.file != NULL)
        scan.from = MAX(scan.from, find_first_error(&log));
    return search(&log, &scan, ret, error);
}
