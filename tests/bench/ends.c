/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Ends that do next to nothing, for measuring what lies between them.
 *   bench-ends source FILE BYTES [STATES]   the file's lines over and over, until about so many
 * bytes are out; after every STATES lines a state of stream "users" bench-ends long BYTES a record
 * of so many bytes, and a state bench-ends sink                         counts lines, echoes states
 *   bench-ends hold                         a source that sends one state and then nothing
 * More arguments (a connector's command line) are passed over. */

#define PIECE (64 * 1024)
#define PIPE (1024 * 1024)

static gboolean
put(const char *p, gsize n)
{
    while (n > 0) {
        ssize_t done = write(STDOUT_FILENO, p, MIN(n, PIECE)); /* as programs do */
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return FALSE;
        p += done;
        n -= (gsize)done;
    }
    return TRUE;
}

static gboolean
put_state(guint64 n)
{
    char text[256];
    int len = g_snprintf(
        text, sizeof text,
        "{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\",\"stream\":{"
        "\"stream_descriptor\":{\"name\":\"users\"},\"stream_state\":{\"cursor\":%" G_GUINT64_FORMAT
        "}}}}\n",
        n);
    return put(text, (gsize)len);
}

/* Whole lines in pieces, as a program with a buffer writes them. */
static gboolean
put_lines(const char *text, gsize len, guint64 states, guint64 *seen)
{
    const char *from = text, *end = text + len;
    for (const char *p = text; p < end;) {
        const char *next = (const char *)memchr(p, '\n', (gsize)(end - p)) + 1;
        gboolean due = ++*seen % states == 0;
        if (next - from >= PIECE || due || next == end) {
            if (!put(from, (gsize)(next - from)) || (due && !put_state(*seen)))
                return FALSE;
            from = next;
        }
        p = next;
    }
    return TRUE;
}

static gboolean
run_source(const char *path, guint64 bytes, guint64 states)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) < 0 || info.st_size == 0)
        return FALSE;
    gsize size = (gsize)info.st_size;
    const char *text = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (text == MAP_FAILED || text[size - 1] != '\n')
        return FALSE;
    guint64 seen = 0;
    for (guint64 done = 0; done < bytes; done += size) {
        gsize part = MIN(size, bytes - done);
        const char *end = memrchr(text, '\n', part);
        gsize len = end != NULL ? (gsize)(end + 1 - text) : 0;
        if (states != 0 ? !put_lines(text, len, states, &seen) : !put(text, len))
            return FALSE;
    }
    return TRUE;
}

static gboolean
run_long(guint64 bytes)
{
    static const char head[] =
        "{\"type\":\"RECORD\",\"record\":{\"stream\":\"users\",\"data\":{\"t\":\"";
    static const char tail[] = "\"},\"emitted_at\":1700000000000}}\n";
    char piece[PIECE];
    memset(piece, 'x', sizeof piece);
    gboolean ok = put(head, sizeof head - 1);
    for (guint64 left = bytes; ok && left > 0; left -= MIN(left, PIECE))
        ok = put(piece, MIN(left, PIECE));
    return ok && put(tail, sizeof tail - 1) && put_state(1);
}

/* A state is a line whose type says so at the place where connectors put it. */
static gboolean
run_sink(void)
{
    static const char state[] = "{\"type\":\"STATE\"";
    static char buffer[4 * PIECE];
    gsize kept = 0, length = 0;
    guint64 lines = 0;
    for (;;) {
        ssize_t n = read(STDIN_FILENO, buffer + kept, sizeof buffer - kept);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        char *p = buffer, *end = buffer + kept + n, *newline;
        while ((newline = memchr(p, '\n', (gsize)(end - p))) != NULL) {
            gsize len = (gsize)(newline + 1 - p);
            if (length == 0 && len > sizeof state && memcmp(p, state, sizeof state - 1) == 0 &&
                !put(p, len))
                return FALSE;
            length = 0;
            lines++;
            p = newline + 1;
        }
        kept = (gsize)(end - p);
        if (kept == sizeof buffer) { /* a long line: only its length counts */
            length += kept;
            kept = 0;
        }
        memmove(buffer, p, kept);
    }
    fprintf(stderr, "%" G_GUINT64_FORMAT " lines\n", lines);
    return TRUE;
}

static gboolean
run_hold(void)
{
    gboolean ok = put_state(1);
    pause();
    return ok;
}

static guint64
number(int argc, char **argv, int i)
{
    return argc > i ? g_ascii_strtoull(argv[i], NULL, 10) : 0;
}

int
main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    gboolean ok = FALSE;
    fcntl(STDIN_FILENO, F_SETPIPE_SZ, PIPE); /* a bare pipe is to be as wide as ours */
    fcntl(STDOUT_FILENO, F_SETPIPE_SZ, PIPE);
    if (g_str_equal(mode, "source") && argc > 3)
        ok = run_source(argv[2], number(argc, argv, 3), number(argc, argv, 4));
    else if (g_str_equal(mode, "long") && argc > 2)
        ok = run_long(number(argc, argv, 2));
    else if (g_str_equal(mode, "sink"))
        ok = run_sink();
    else if (g_str_equal(mode, "hold"))
        ok = run_hold();
    else
        fprintf(stderr, "usage: bench-ends source|long|sink|hold …\n");
    return ok ? 0 : 1;
}
