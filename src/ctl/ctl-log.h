/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Lines of a job log, {timestamp, level, logSource, message, stackTrace?}, for people. No I/O. */

typedef enum {
    CTL_LOG_SHORT, /* time, level, source, message */
    CTL_LOG_CAT,   /* the message */
    CTL_LOG_JSON,  /* the line as it is */
} CtlLogFormat;

typedef struct {
    CtlLogFormat format;
    int worst; /* levels behind this rank are left out: ctl_log_rank() */
    gboolean utc;
    gboolean color;
    gint64 since, until; /* microseconds; 0: from the beginning, to the end. Both count */
    GRegex *grep;        /* of the message; NULL: all. Not owned */
} CtlLogStyle;

/* For --grep, as journalctl takes it: a pattern without capitals matches in any case. A usage error
 * when it is none. */
GRegex *ctl_log_compile(const char *pattern, GError **error);

/* "err", "warning", "info", "debug" (and the log's own FATAL … TRACE) → 0 worst … 5; -1: none. */
int ctl_log_rank(const char *name);

/* Appends the line for people, with its newline; nothing when the style leaves it out. */
void ctl_log_append(const CtlLogStyle *style, const char *line, gsize len, GString *out);

/* The last `n` lines of what is added; n < 0: all. */
typedef struct CtlTail CtlTail;
CtlTail *ctl_tail_new(gint64 n);
void ctl_tail_free(CtlTail *tail);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CtlTail, ctl_tail_free)
void ctl_tail_add(CtlTail *tail, const char *text);
gint64 ctl_tail_get_n_seen(const CtlTail *tail);
void ctl_tail_print(CtlTail *tail, GString *out); /* and forgets them */
