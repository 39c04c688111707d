/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator-lines.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sl-fd.h"

#define RECORD "{\"type\":\"RECORD\",\"record\":{\"stream\":\"s\",\"data\":%s,\"emitted_at\":1}}"

typedef struct {
    int fds[2];
    OrchestratorLines lines;
    SlJsonScanner *scanner; /* NULL: lines are only looked for */
    GString *seen;
    guint n_lines, n_records;
    guint64 searched; /* bytes in which a newline was looked for, all searches together */
    guint64 moved;    /* bytes of unfinished lines that went to the front */
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(pipe2(f->fds, O_CLOEXEC | O_NONBLOCK), ==, 0);
    orchestrator_lines_init(&f->lines, f->fds[0], data != NULL ? GPOINTER_TO_SIZE(data) : 1 << 30);
    f->scanner = sl_json_scanner_new();
    f->seen = g_string_new(NULL);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    orchestrator_lines_clear(&f->lines);
    g_clear_pointer(&f->scanner, sl_json_scanner_free);
    g_string_free(f->seen, TRUE);
    close(f->fds[0]);
    sl_fd_clear(&f->fds[1]);
}

static gboolean
next_line(Fixture *f, const char **line, gsize *len)
{
    SlMessage m = {.type = SL_MESSAGE_NONE};
    if (f->scanner == NULL)
        return orchestrator_lines_next(&f->lines, line, len);
    if (!orchestrator_lines_scan(&f->lines, f->scanner, line, len, &m))
        return FALSE;
    f->n_records += m.type == SL_MESSAGE_RECORD;
    return TRUE;
}

/* Reads what is there and takes its lines, counting what is done twice. */
static OrchestratorLinesResult
take(Fixture *f)
{
    gsize n, len, start = f->lines.start, rest = f->lines.end - f->lines.start;
    const char *line;
    OrchestratorLinesResult result = orchestrator_lines_fill(&f->lines, &n);
    f->moved += start > 0 ? rest : 0;
    if (result == ORCHESTRATOR_LINES_TOO_LONG)
        return result;
    gsize before = f->lines.searched;
    while (next_line(f, &line, &len)) {
        g_string_append_len(f->seen, line, (gssize)len);
        f->n_lines++;
    }
    g_assert_cmpuint(f->lines.searched, ==,
                     f->lines.end); /* nothing is left to be searched again */
    f->searched += f->lines.end - before;
    return result;
}

static void
feed(Fixture *f, const char *p, gsize n, gsize piece)
{
    while (n > 0) {
        gsize part = MIN(piece, n);
        g_assert_cmpint(write(f->fds[1], p, part), ==, (gssize)part);
        p += part;
        n -= part;
        g_assert_cmpint(take(f), ==, ORCHESTRATOR_LINES_MORE);
    }
}

static void
end_input(Fixture *f)
{
    sl_fd_clear(&f->fds[1]);
    g_assert_cmpint(take(f), ==, ORCHESTRATOR_LINES_EOF);
}

static char *
make_text(guint n, gboolean last_newline)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < n; i++) {
        g_autofree char *data = g_strnfill(i * 37 % 500, 'x');
        g_autofree char *object = g_strdup_printf("{\"n\":%u,\"t\":\"%s\"}", i, data);
        g_string_append_printf(text, RECORD "\n", object);
        if (i % 7 == 0)
            g_string_append(text, "not a message\r\n\n");
    }
    if (!last_newline)
        g_string_truncate(text, text->len - 1);
    return g_string_free(text, FALSE);
}

static void
test_pieces(Fixture *f, gconstpointer data)
{
    static const gsize pieces[] = {1, 2, 63, 64, 65, 1000, 4096, 60000};
    for (guint i = 0; i < 4 * G_N_ELEMENTS(pieces); i++) {
        g_autofree char *text = make_text(121, i % 2 == 0);
        tear_down(f, data);
        *f = (Fixture){.n_lines = 0};
        set_up(f, data);
        if (i / G_N_ELEMENTS(pieces) % 2 == 1)
            g_clear_pointer(&f->scanner, sl_json_scanner_free);
        feed(f, text, strlen(text), pieces[i % G_N_ELEMENTS(pieces)]);
        end_input(f);
        g_assert_cmpstr(f->seen->str, ==, text);
        g_assert_cmpuint(f->n_lines, ==, 121 + 2 * 18);
        g_assert_cmpuint(f->n_records, ==, f->scanner != NULL ? 121 : 0);
    }
}

/* Counts, not times: each byte of a line that comes in a thousand pieces is searched once, and the
 * line is moved at most once. */
static void
test_nothing_quadratic(Fixture *f, gconstpointer data)
{
    gsize size = 8 * 1000 * 1000;
    g_autofree char *filler = g_strnfill(size, 'x');
    g_autofree char *object = g_strdup_printf("{\"t\":\"%s\"}", filler);
    g_autofree char *line = g_strdup_printf("short\n" RECORD "\n", object);
    gsize len = strlen(line);
    feed(f, line, len, 8000);
    g_assert_cmpuint(f->n_lines, ==, 2);
    g_assert_cmpuint(f->n_records, ==, 1);
    g_assert_cmpuint(f->searched, <=, len + 1024);
    g_assert_cmpuint(f->moved, <=, len);
    g_assert_cmpuint(f->lines.size, <, 2 * len + 1024 * 1024);
    /* Its memory is given back. */
    feed(f, "short\n", 6, 6);
    g_assert_cmpuint(f->lines.size, <=, 1024 * 1024);
}

static void
test_too_long(Fixture *f, gconstpointer data)
{
    g_autofree char *filler = g_strnfill(60000, 'x');
    OrchestratorLinesResult result = ORCHESTRATOR_LINES_MORE;
    feed(f, "fine\n", 5, 5);
    for (guint i = 0; i < 4 && result == ORCHESTRATOR_LINES_MORE; i++) {
        g_assert_cmpint(write(f->fds[1], filler, 60000), ==, 60000);
        result = take(f);
    }
    g_assert_cmpint(result, ==, ORCHESTRATOR_LINES_TOO_LONG);
    g_assert_cmpuint(orchestrator_lines_rest(&f->lines), >, 100000);
    g_assert_cmpuint(f->n_lines, ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/orchestrator/lines/pieces", Fixture, NULL, set_up, test_pieces, tear_down);
    g_test_add("/orchestrator/lines/nothing-quadratic", Fixture, NULL, set_up,
               test_nothing_quadratic, tear_down);
    g_test_add("/orchestrator/lines/too-long", Fixture, GSIZE_TO_POINTER(100000), set_up,
               test_too_long, tear_down);
    return g_test_run();
}
