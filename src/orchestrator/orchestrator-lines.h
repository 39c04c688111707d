/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-scan.h"

/* Lines out of a non-blocking descriptor, in one growing piece of memory. A line is searched for
 * its end once, and moved at most once. */
typedef struct {
    int fd;     /* borrowed */
    char *data; /* with SL_JSON_PADDING bytes behind `size` */
    gsize size, start, end;
    gsize searched; /* no newline in [start, searched) */
    gsize max_line;
    gboolean eof;
    /* Bytes at the end of `data` that are in the pipe still: they were only looked at. */
    gsize unread;
    int look[2]; /* the pipe that looking needs; -1: there is none */
} OrchestratorLines;

typedef enum {
    ORCHESTRATOR_LINES_MORE,  /* bytes came */
    ORCHESTRATOR_LINES_EMPTY, /* none now */
    ORCHESTRATOR_LINES_EOF,
    ORCHESTRATOR_LINES_TOO_LONG, /* the unfinished line is longer than max_line */
    ORCHESTRATOR_LINES_ERROR,    /* errno */
} OrchestratorLinesResult;

void orchestrator_lines_init(OrchestratorLines *lines, int fd, gsize max_line);
void orchestrator_lines_clear(OrchestratorLines *lines);

/* Reads once. Lines taken before are gone from memory after that. */
OrchestratorLinesResult orchestrator_lines_fill(OrchestratorLines *lines, gsize *ret_bytes);

/* Reads behind what is there already, without moving anything: for a second helping. */
OrchestratorLinesResult orchestrator_lines_fill_more(OrchestratorLines *lines, gsize *ret_bytes);

/* From now on _look() may be called. FALSE: it cannot be had here (no pipe, or none wide enough).
 */
gboolean orchestrator_lines_enable_look(OrchestratorLines *lines);

/* As _fill(), but what comes stays in the pipe, for splice(): `unread` says how much. What was not
 * spliced or taken until the next fill is taken by that. */
OrchestratorLinesResult orchestrator_lines_look(OrchestratorLines *lines, gsize *ret_bytes);

/* The first n unread bytes leave the pipe; they are in memory already. FALSE: they are not there
 * any more, which only a source that reads its own output can do. */
gboolean orchestrator_lines_take(OrchestratorLines *lines, gsize n);

/* Where in `data` the unread bytes begin; without any its end. */
static inline gsize
orchestrator_lines_head(const OrchestratorLines *lines)
{
    return lines->end - lines->unread;
}

/* The next whole line, with its newline; at the end of the file also the last one without. The
 * bytes stay where they are until the next fill. */
gboolean orchestrator_lines_next(OrchestratorLines *lines, const char **ret_line, gsize *ret_len);

/* The same, and what the scanner says of it: one pass less over the bytes than to look for its end
 * first. */
gboolean orchestrator_lines_scan(OrchestratorLines *lines, SlJsonScanner *scanner,
                                 const char **ret_line, gsize *ret_len, SlMessage *ret);

/* What there is of an unfinished line. */
static inline gsize
orchestrator_lines_rest(const OrchestratorLines *lines)
{
    return lines->end - lines->start;
}
