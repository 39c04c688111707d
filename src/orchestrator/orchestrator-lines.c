/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator-lines.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sl-fd.h"
#include "sl-json-scan.h"

#define SIZE (512 * 1024) /* what is scanned is still in the cache when it is written */

static void
resize(OrchestratorLines *lines, gsize size)
{
    lines->data = g_realloc(lines->data, size + SL_JSON_PADDING);
    lines->size = size;
}

void
orchestrator_lines_init(OrchestratorLines *lines, int fd, gsize max_line)
{
    *lines = (OrchestratorLines){.fd = fd, .max_line = max_line, .look = {-1, -1}};
}

void
orchestrator_lines_clear(OrchestratorLines *lines)
{
    g_clear_pointer(&lines->data, g_free);
    lines->size = lines->start = lines->end = lines->searched = lines->unread = 0;
    sl_fd_clear(&lines->look[0]);
    sl_fd_clear(&lines->look[1]);
}

/* The unfinished line goes to the front; memory that a long line needed is given back. */
static void
make_room(OrchestratorLines *lines)
{
    gsize rest = lines->end - lines->start;
    if (lines->start > 0) {
        memmove(lines->data, lines->data + lines->start, rest);
        lines->searched -= lines->start;
        lines->start = 0;
        lines->end = rest;
    }
    if (lines->size == 0 || (lines->size > SIZE && rest < SIZE / 2))
        resize(lines, SIZE);
    else if (lines->end == lines->size)
        resize(lines, lines->size * 2);
}

OrchestratorLinesResult
orchestrator_lines_fill_more(OrchestratorLines *lines, gsize *ret_bytes)
{
    ssize_t n;
    *ret_bytes = 0;
    if (!orchestrator_lines_take(lines, lines->unread))
        return ORCHESTRATOR_LINES_ERROR;
    if (lines->eof)
        return ORCHESTRATOR_LINES_EOF;
    if (lines->end == lines->size)
        return ORCHESTRATOR_LINES_MORE;
    do
        n = read(lines->fd, lines->data + lines->end, lines->size - lines->end);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? ORCHESTRATOR_LINES_EMPTY : ORCHESTRATOR_LINES_ERROR;
    if (n == 0) {
        lines->eof = TRUE;
        return ORCHESTRATOR_LINES_EOF;
    }
    lines->end += (gsize)n;
    *ret_bytes = (gsize)n;
    return ORCHESTRATOR_LINES_MORE;
}

OrchestratorLinesResult
orchestrator_lines_fill(OrchestratorLines *lines, gsize *ret_bytes)
{
    *ret_bytes = 0;
    if (lines->end - lines->start > lines->max_line)
        return ORCHESTRATOR_LINES_TOO_LONG;
    if (!orchestrator_lines_take(lines, lines->unread))
        return ORCHESTRATOR_LINES_ERROR;
    make_room(lines);
    return orchestrator_lines_fill_more(lines, ret_bytes);
}

/* --- looking at bytes that stay in their pipe --------------------------------------------------
 */

gboolean
orchestrator_lines_enable_look(OrchestratorLines *lines)
{
    if (lines->look[0] >= 0)
        return TRUE;
    if (fcntl(lines->fd, F_GETPIPE_SZ) < SIZE || pipe2(lines->look, O_CLOEXEC | O_NONBLOCK) < 0)
        return FALSE;
    if (fcntl(lines->look[1], F_SETPIPE_SZ, SIZE) >= SIZE)
        return TRUE;
    sl_fd_clear(&lines->look[0]); /* the user's share of pipes is used up */
    sl_fd_clear(&lines->look[1]);
    return FALSE;
}

/* Exactly the n bytes that a pipe is known to hold. */
static gboolean
read_whole(int fd, char *p, gsize n)
{
    while (n > 0) {
        ssize_t done = read(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            errno = EIO;
            return FALSE;
        }
        p += done;
        n -= (gsize)done;
    }
    return TRUE;
}

gboolean
orchestrator_lines_take(OrchestratorLines *lines, gsize n)
{
    if (n == 0)
        return TRUE;
    /* They go where they are already: to the same place. */
    if (!read_whole(lines->fd, lines->data + orchestrator_lines_head(lines), n))
        return FALSE;
    lines->unread -= n;
    return TRUE;
}

OrchestratorLinesResult
orchestrator_lines_look(OrchestratorLines *lines, gsize *ret_bytes)
{
    ssize_t n;
    *ret_bytes = 0;
    if (lines->end - lines->start > lines->max_line)
        return ORCHESTRATOR_LINES_TOO_LONG;
    if (!orchestrator_lines_take(lines, lines->unread))
        return ORCHESTRATOR_LINES_ERROR;
    make_room(lines);
    if (lines->eof)
        return ORCHESTRATOR_LINES_EOF;
    do
        n = tee(lines->fd, lines->look[1], lines->size - lines->end, SPLICE_F_NONBLOCK);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? ORCHESTRATOR_LINES_EMPTY : ORCHESTRATOR_LINES_ERROR;
    if (n == 0) {
        lines->eof = TRUE;
        return ORCHESTRATOR_LINES_EOF;
    }
    if (!read_whole(lines->look[0], lines->data + lines->end, (gsize)n))
        return ORCHESTRATOR_LINES_ERROR;
    lines->end += (gsize)n;
    lines->unread = (gsize)n;
    *ret_bytes = (gsize)n;
    return ORCHESTRATOR_LINES_MORE;
}

gboolean
orchestrator_lines_next(OrchestratorLines *lines, const char **ret_line, gsize *ret_len)
{
    const char *end = lines->data + lines->end;
    if (lines->start == lines->end)
        return FALSE;
    const char *newline = sl_json_find_newline(lines->data + lines->searched, end);
    if (newline == end && !lines->eof) {
        lines->searched = lines->end;
        return FALSE;
    }
    *ret_line = lines->data + lines->start;
    *ret_len = (gsize)(newline - *ret_line) + (newline < end ? 1 : 0);
    lines->start += *ret_len;
    lines->searched = lines->start;
    return TRUE;
}

gboolean
orchestrator_lines_scan(OrchestratorLines *lines, SlJsonScanner *scanner, const char **ret_line,
                        gsize *ret_len, SlMessage *ret)
{
    const char *from = lines->data + lines->start, *to = lines->data + lines->end;
    gsize searched = lines->searched - lines->start;
    if (lines->start == lines->end)
        return FALSE;
    const char *next = sl_json_scan_next(scanner, from, to, &searched, ret);
    if (next == NULL && !lines->eof) {
        lines->searched = lines->start + searched;
        return FALSE;
    }
    if (next == NULL) { /* the last one, without a newline */
        next = to;
        sl_json_scan(scanner, from, (gsize)(to - from), ret);
    }
    *ret_line = from;
    *ret_len = (gsize)(next - from);
    lines->start += *ret_len;
    lines->searched = lines->start;
    return TRUE;
}
