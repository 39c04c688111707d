/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-job-log.h"
#include "sl-log-file.h"

/* Searching a job's log: lines of JSON that only grow at the end. One call reads a bounded piece of
 * it, whatever is asked for. */

#define SERVER_LOG_SCAN_BYTES ((gint64)16 << 20) /* read by one call at most */
#define SERVER_LOG_LINE_BYTES ((gint64)1 << 20)  /* a longer line is passed over */

typedef struct {
    int max_level; /* SlJobLogLevel: this one or worse; -1: all */
    int source;    /* SlJobLogSource; -1: all */
    char *grep;    /* what the texts must hold, as it stands in JSON; NULL: anything */
    gboolean ignore_case;
    gint64 since, until; /* milliseconds, inclusive; 0: none */
} ServerLogFilter;

#define SERVER_LOG_FILTER_INIT                                                                     \
    {                                                                                              \
        .max_level = -1, .source = -1                                                              \
    }

void server_log_filter_set_grep(ServerLogFilter *filter, const char *text, gboolean ignore_case);
void server_log_filter_clear(ServerLogFilter *filter);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ServerLogFilter, server_log_filter_clear)

/* `line` without its newline. */
gboolean server_log_filter_matches(const ServerLogFilter *filter, const char *line, gsize len);

typedef struct {
    gint64 offset, next; /* of the line, and behind it */
    char *text;
} ServerLogLine;

typedef struct {
    const ServerLogFilter *filter;
    gint64 from;        /* a line begins here; going back: ends here */
    gboolean backwards; /* the newest lines first are found; `lines` are in the file's order */
    guint max_lines;
    gint64 max_text; /* bytes of all lines; one is always given */

    GPtrArray *lines; /* of ServerLogLine; made by the scan */
    gint64 next;      /* where to go on */
    gboolean done;    /* there is nothing more in that direction by now */
} ServerLogScan;

/* `size`: of the file; what comes later is not looked at. */
gboolean server_log_scan(SlLogFile *file, gint64 size, ServerLogScan *scan, GError **error);
void server_log_scan_clear(ServerLogScan *scan);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ServerLogScan, server_log_scan_clear)

/* Where the first line begins that is not older than `timestamp`, or one some lines before it:
 * found by halving, since lines are written in the order of time. */
gboolean server_log_find_time(SlLogFile *file, gint64 size, gint64 timestamp, gint64 *ret_offset,
                              GError **error);
