/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-log-scan.h"

#include <string.h>

#include "sl-error.h"
#include "sl-json-write.h"

#define WINDOW ((gint64)256 << 10)
#define HALVING_ENDS ((gint64)64 << 10)

/* --- the filter --------------------------------------------------------------------------------
 */

void
server_log_filter_set_grep(ServerLogFilter *filter, const char *text, gboolean ignore_case)
{
    GString *quoted = g_string_new(NULL);
    sl_json_append_quoted(quoted, text, strlen(text));
    g_string_truncate(quoted, quoted->len - 1);
    g_string_erase(quoted, 0, 1);
    g_free(filter->grep);
    filter->grep = g_string_free(quoted, FALSE);
    filter->ignore_case = ignore_case;
    for (char *p = filter->grep; ignore_case && *p != '\0'; p++)
        *p = g_ascii_tolower(*p);
}

void
server_log_filter_clear(ServerLogFilter *filter)
{
    g_clear_pointer(&filter->grep, g_free);
}

/* The `n` of a line feed, "\n", is no letter. */
static gboolean
is_within_escape(const char *begin, const char *at)
{
    gsize n = 0;
    while (at - n > begin && at[-1 - (gssize)n] == '\\')
        n++;
    return n % 2 == 1;
}

static gboolean
holds(const char *text, gsize len, const char *what)
{
    gsize n = strlen(what);
    const char *end = text + len;
    for (const char *p = text; (p = memmem(p, (gsize)(end - p), what, n)) != NULL; p++)
        if (!is_within_escape(text, p))
            return TRUE;
    return FALSE;
}

gboolean
server_log_filter_matches(const ServerLogFilter *filter, const char *line, gsize len)
{
    SlJobLogHead head;
    if (!sl_job_log_head_parse(line, len, &head))
        head = (SlJobLogHead){0, SL_JOB_LOG_INFO, SL_JOB_LOG_PLATFORM, line};
    if ((filter->max_level >= 0 && (int)head.level > filter->max_level) ||
        (filter->source >= 0 && (int)head.source != filter->source) ||
        (filter->since != 0 && head.timestamp < filter->since) ||
        (filter->until != 0 && head.timestamp > filter->until))
        return FALSE;
    gsize rest = len - (gsize)(head.message - line);
    if (filter->grep == NULL)
        return TRUE;
    if (!filter->ignore_case)
        return holds(head.message, rest, filter->grep);
    g_autofree char *lower = g_ascii_strdown(head.message, (gssize)rest);
    return holds(lower, rest, filter->grep);
}

/* --- scanning ----------------------------------------------------------------------------------
 */

static void
line_free(gpointer data)
{
    ServerLogLine *line = data;
    g_free(line->text);
    g_free(line);
}

void
server_log_scan_clear(ServerLogScan *scan)
{
    g_clear_pointer(&scan->lines, g_ptr_array_unref);
}

/* Reads [at, at + len) as far as it is there; a file that was cut meanwhile gives less. */
static gboolean
read_at(SlLogFile *file, char *buffer, gint64 len, gint64 at, gint64 *ret_len, GError **error)
{
    *ret_len = sl_log_file_read(file, buffer, (gsize)MAX(len, 0), at, error);
    return *ret_len >= 0;
}

/* FALSE: enough lines. `len` without the newline. */
static gboolean
take(ServerLogScan *scan, gint64 *text_bytes, const char *text, gsize len, gint64 offset)
{
    if (!server_log_filter_matches(scan->filter, text, len))
        return TRUE;
    if (scan->lines->len > 0 && *text_bytes + (gint64)len > scan->max_text)
        return FALSE;
    ServerLogLine *line = g_new(ServerLogLine, 1);
    *line = (ServerLogLine){offset, offset + (gint64)len + 1, g_utf8_make_valid(text, (gssize)len)};
    g_ptr_array_add(scan->lines, line);
    *text_bytes += (gint64)len;
    return TRUE;
}

static gboolean
is_full(const ServerLogScan *scan)
{
    return scan->lines->len >= scan->max_lines;
}

static gboolean
scan_forwards(SlLogFile *file, gint64 size, ServerLogScan *scan, char *buffer, GError **error)
{
    gint64 at = scan->from, end = MIN(size, scan->from + SERVER_LOG_SCAN_BYTES), len, bytes = 0;
    gint64 window = WINDOW;
    while (at < end) {
        if (!read_at(file, buffer, MIN(window, size - at), at, &len, error))
            return FALSE;
        gint64 used = 0;
        const char *newline;
        while ((newline = memchr(buffer + used, '\n', (gsize)(len - used))) != NULL) {
            gint64 n = newline - (buffer + used);
            if (is_full(scan) || !take(scan, &bytes, buffer + used, (gsize)n, at + used)) {
                scan->next = at + used;
                return TRUE;
            }
            used += n + 1;
        }
        at += used;
        if (len == 0 || (used == 0 && at + len >= size))
            break; /* the last line is still being written, or the file was cut */
        if (used == 0 && window >= SERVER_LOG_LINE_BYTES)
            at += len;
        window = used == 0 ? SERVER_LOG_LINE_BYTES : WINDOW;
    }
    scan->next = at;
    scan->done = at >= end ? at >= size : TRUE;
    return TRUE;
}

/* The lines of buffer[0, len) that begin in it, from the last one on. */
static gboolean
take_backwards(ServerLogScan *scan, gint64 *bytes, const char *buffer, gint64 len, gint64 at)
{
    for (gint64 end = len - 1; end > 0;) { /* buffer[end] is a newline */
        const char *before = memrchr(buffer, '\n', (gsize)end);
        gint64 begin = before != NULL ? before - buffer + 1 : 0;
        if (before == NULL && at > 0)
            break;
        if (is_full(scan) || !take(scan, bytes, buffer + begin, (gsize)(end - begin), at + begin)) {
            scan->next = at + end + 1;
            return FALSE;
        }
        end = begin - 1;
    }
    return TRUE;
}

/* `to` is always behind a newline, or the end of what is not a whole line. */
static gboolean
scan_backwards(SlLogFile *file, ServerLogScan *scan, char *buffer, GError **error)
{
    gint64 to = scan->from, window = WINDOW, stop = scan->from - SERVER_LOG_SCAN_BYTES;
    gint64 len, bytes = 0;
    while (to > 0 && to > stop) {
        gint64 at = MAX(to - window, 0);
        if (!read_at(file, buffer, to - at, at, &len, error))
            return FALSE;
        if (len == 0)
            break; /* it has become shorter */
        const char *last = memrchr(buffer, '\n', (gsize)len);
        if (last != NULL && !take_backwards(scan, &bytes, buffer, last - buffer + 1, at))
            return TRUE;
        const char *first = memchr(buffer, '\n', (gsize)len);
        gint64 next = at == 0 ? 0 : first != NULL ? at + (first - buffer) + 1 : to;
        if (next == to && window >= SERVER_LOG_LINE_BYTES)
            next = at; /* a line that is longer than any: passed over */
        window = next == to ? SERVER_LOG_LINE_BYTES : WINDOW;
        to = next;
    }
    scan->next = to;
    scan->done = to <= 0;
    return TRUE;
}

static void
reverse(GPtrArray *lines)
{
    for (guint i = 0; i < lines->len / 2; i++) {
        gpointer line = lines->pdata[i];
        lines->pdata[i] = lines->pdata[lines->len - 1 - i];
        lines->pdata[lines->len - 1 - i] = line;
    }
}

gboolean
server_log_scan(SlLogFile *file, gint64 size, ServerLogScan *scan, GError **error)
{
    g_autofree char *buffer = g_malloc((gsize)SERVER_LOG_LINE_BYTES);
    scan->from = CLAMP(scan->from, 0, size);
    scan->lines = g_ptr_array_new_with_free_func(line_free);
    scan->done = FALSE;
    if (!scan->backwards)
        return scan_forwards(file, size, scan, buffer, error);
    gboolean ok = scan_backwards(file, scan, buffer, error);
    reverse(scan->lines);
    return ok;
}

/* --- time --------------------------------------------------------------------------------------
 */

/* The first line that begins at or after `at`. FALSE in *ret_found: none within the window. */
static gboolean
line_after(SlLogFile *file, gint64 at, char *buffer, gint64 *ret_offset, gint64 *ret_time,
           gboolean *ret_found, GError **error)
{
    gint64 len;
    SlJobLogHead head;
    *ret_found = FALSE;
    if (!read_at(file, buffer, SERVER_LOG_LINE_BYTES, at, &len, error))
        return FALSE;
    const char *end = buffer + len;
    for (const char *p = memchr(buffer, '\n', (gsize)len); p != NULL;
         p = memchr(p + 1, '\n', (gsize)(end - p - 1))) {
        const char *newline = memchr(p + 1, '\n', (gsize)(end - p - 1));
        if (newline == NULL)
            break;
        if (!sl_job_log_head_parse(p + 1, (gsize)(newline - p - 1), &head))
            continue;
        *ret_offset = at + (p + 1 - buffer);
        *ret_time = head.timestamp;
        *ret_found = TRUE;
        break;
    }
    return TRUE;
}

gboolean
server_log_find_time(SlLogFile *file, gint64 size, gint64 timestamp, gint64 *ret_offset,
                     GError **error)
{
    g_autofree char *buffer = g_malloc((gsize)SERVER_LOG_LINE_BYTES);
    gint64 low = 0, high = size; /* a line begins at low, and is older; at high they are not */
    while (high - low > HALVING_ENDS) {
        gint64 middle = low + (high - low) / 2, offset, time;
        gboolean found;
        if (!line_after(file, middle, buffer, &offset, &time, &found, error))
            return FALSE;
        if (!found || time >= timestamp || offset >= high)
            high = middle;
        else
            low = offset;
    }
    *ret_offset = low;
    return TRUE;
}
