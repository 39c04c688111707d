/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator-output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sl-fd.h"

#define WIDE (1024 * 1024)

/* A small pump: lines beginning with 'p' pass, with 'r' they are rewritten, all others go nowhere.
 * What it gives is held against what a program that only copies would give. */
typedef struct {
    int in[2], out[2];
    OrchestratorLines lines;
    OrchestratorOutput output;
    GString *wanted, *seen;
    OrchestratorOutputResult last;
    guint looks, fills;
} Fixture;

static void
make_pipe(int fds[2], int size)
{
    g_assert_cmpint(pipe2(fds, O_CLOEXEC | O_NONBLOCK), ==, 0);
    g_assert_cmpint(fcntl(fds[1], F_SETPIPE_SZ, size), >=, size);
}

static void
set_up(Fixture *f, gconstpointer data)
{
    make_pipe(f->in, WIDE);
    make_pipe(f->out, data != NULL ? GPOINTER_TO_INT(data) : WIDE);
    orchestrator_lines_init(&f->lines, f->in[0], 4 * WIDE);
    orchestrator_output_init(&f->output);
    f->wanted = g_string_new(NULL);
    f->seen = g_string_new(NULL);
    g_assert_true(orchestrator_lines_enable_look(&f->lines));
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    orchestrator_lines_clear(&f->lines);
    orchestrator_output_clear(&f->output);
    for (guint i = 0; i < 2; i++) {
        sl_fd_clear(&f->in[i]);
        sl_fd_clear(&f->out[i]);
    }
    g_string_free(f->wanted, TRUE);
    g_string_free(f->seen, TRUE);
}

static void
drain(Fixture *f, gsize most)
{
    while (most > 0) {
        char bytes[8192];
        ssize_t n = read(f->out[0], bytes, MIN(most, sizeof bytes));
        if (n <= 0)
            return;
        g_string_append_len(f->seen, bytes, n);
        most -= (gsize)n;
    }
}

static void
take_line(Fixture *f, const char *line, gsize len)
{
    if (line[0] == 'p' && line[len - 1] == '\n') {
        orchestrator_output_add(&f->output, FALSE, (gsize)(line - f->lines.data), len);
    } else if (line[0] == 'p' || line[0] == 'r') {
        gsize from = f->output.ours->len;
        g_string_append_c(f->output.ours, line[0] == 'p' ? 'p' : 'R');
        g_string_append_len(f->output.ours, line + 1, (gssize)len - 1);
        if (line[len - 1] != '\n')
            g_string_append_c(f->output.ours, '\n');
        orchestrator_output_add(&f->output, TRUE, from, f->output.ours->len - from);
    }
}

/* Writes what goes; FALSE: it did not all go. */
static gboolean
flush(Fixture *f)
{
    while (orchestrator_output_waits(&f->output)) {
        gsize n;
        f->last = orchestrator_output_write(&f->output, &f->lines, f->out[1], &n);
        if (f->last != ORCHESTRATOR_OUTPUT_SOME)
            return FALSE;
    }
    orchestrator_output_drop(&f->output);
    return TRUE;
}

/* Reads once, in one way or the other, and takes the lines. */
static OrchestratorLinesResult
turn(Fixture *f, gboolean look)
{
    const char *line;
    gsize n, len;
    OrchestratorLinesResult result =
        look ? orchestrator_lines_look(&f->lines, &n) : orchestrator_lines_fill(&f->lines, &n);
    *(look ? &f->looks : &f->fills) += 1;
    g_assert_cmpuint(f->lines.unread, ==, look ? n : 0);
    while (orchestrator_lines_next(&f->lines, &line, &len))
        take_line(f, line, len);
    return result;
}

/* Puts text into the source's pipe and writes down what must come of it. */
static void
put(Fixture *f, const char *text, gsize len)
{
    g_assert_cmpint(write(f->in[1], text, len), ==, (gssize)len);
}

static void
want(Fixture *f, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        if (lines[i][0] != 'p' && lines[i][0] != 'r')
            continue;
        gsize at = f->wanted->len;
        g_string_append_printf(f->wanted, "%s\n", lines[i]);
        if (lines[i][0] == 'r')
            f->wanted->str[at] = 'R';
    }
}

static void
check(Fixture *f)
{
    drain(f, G_MAXSIZE);
    g_assert_cmpuint(f->seen->len, ==, f->wanted->len);
    g_assert_true(g_string_equal(f->seen, f->wanted));
}

/* Each is fed in two writes, cut at every place, and looked at after each. */
static const char *const shapes[] = {
    "pass\n",
    "pass one\npass two\npass three\n",
    "pass\ndrop\npass\n",
    "drop\npass\n",
    "pass\ndrop\n",
    "rewrite\npass\n",
    "pass\nrewrite\npass\n",
    "drop\nrewrite\ndrop\n",
    "pass without an end",
    "pass\nrewrite without an end",
    "drop\ndrop without an end",
    "\n\npass\n\n",
    "p\nr\nd\np\np\nr\nr\nd\nd\np\n",
};

static void
test_cut_everywhere(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(shapes); i++) {
        gsize len = strlen(shapes[i]);
        for (gsize cut = 0; cut <= len; cut++) {
            for (guint ways = 0; ways < 8; ways++) {
                Fixture f = {.wanted = NULL};
                set_up(&f, NULL);
                want(&f, shapes[i]);
                if (cut > 0)
                    put(&f, shapes[i], cut);
                turn(&f, (ways & 1) != 0);
                g_assert_true(flush(&f));
                if (cut < len)
                    put(&f, shapes[i] + cut, len - cut);
                turn(&f, (ways & 2) != 0);
                g_assert_true(flush(&f));
                sl_fd_clear(&f.in[1]);
                g_assert_cmpint(turn(&f, (ways & 4) != 0), ==, ORCHESTRATOR_LINES_EOF);
                g_assert_true(flush(&f));
                check(&f);
                tear_down(&f, NULL);
            }
        }
    }
}

/* The destination's pipe holds a page or some: most splices are partial, in the middle of lines. */
static void
test_narrow_sink(Fixture *f, gconstpointer data)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < 4000; i++)
        g_string_append_printf(text, "%c line %u of some length: %0*u\n", "ppppdppr"[i % 8], i,
                               (int)(i % 300), i);
    g_assert_cmpuint(text->len, <, WIDE);
    want(f, text->str);
    put(f, text->str, text->len);
    sl_fd_clear(&f->in[1]);
    guint full = 0;
    OrchestratorLinesResult result = ORCHESTRATOR_LINES_MORE;
    while (result != ORCHESTRATOR_LINES_EOF) {
        result = turn(f, TRUE);
        while (!flush(f)) {
            g_assert_cmpint(f->last, ==, ORCHESTRATOR_OUTPUT_FULL);
            drain(f, 1 + full++ % 7000);
        }
    }
    g_assert_cmpuint(full, >, 10);
    check(f);
}

/* Random lines, writes, reads of both kinds, and a destination that takes what it likes. */
static void
test_random(Fixture *f, gconstpointer data)
{
    g_autoptr(GString) text = g_string_new(NULL);
    GRand *rand = g_rand_new_with_seed((guint32)g_test_rand_int());
    for (guint i = 0; text->len < 6 * WIDE; i++) {
        guint kind = g_rand_int(rand) % 100;
        gsize len = kind == 99 ? g_rand_int(rand) % (WIDE * 2) : g_rand_int(rand) % 400;
        g_string_append_c(text, kind < 90 ? 'p' : kind < 95 ? 'r' : 'd');
        g_string_append_printf(text, "%u", i);
        for (gsize j = 0; j < len; j++)
            g_string_append_c(text, (char)('a' + (i + j) % 26));
        g_string_append_c(text, '\n');
    }
    want(f, text->str);
    gsize done = 0;
    OrchestratorLinesResult result = ORCHESTRATOR_LINES_MORE;
    while (result != ORCHESTRATOR_LINES_EOF) {
        gsize most = 1 + g_rand_int(rand) % (WIDE / 2), part = MIN(most, text->len - done);
        ssize_t n = part > 0 ? write(f->in[1], text->str + done, part) : 0;
        done += n > 0 ? (gsize)n : 0;
        if (done == text->len)
            sl_fd_clear(&f->in[1]);
        drain(f, g_rand_int(rand) % WIDE);
        if (!flush(f)) {
            g_assert_cmpint(f->last, ==, ORCHESTRATOR_OUTPUT_FULL);
            continue;
        }
        result = turn(f, g_rand_int(rand) % 4 != 0);
        g_assert_cmpint(result, !=, ORCHESTRATOR_LINES_ERROR);
        if (g_rand_int(rand) % 8 == 0) /* the pump does that when looking was not worth it */
            g_assert_true(orchestrator_lines_take(&f->lines, f->lines.unread));
        if (!flush(f))
            g_assert_cmpint(f->last, ==, ORCHESTRATOR_OUTPUT_FULL);
    }
    while (!flush(f))
        drain(f, WIDE);
    g_assert_cmpuint(f->looks, >, 5);
    g_rand_free(rand);
    check(f);
}

/* Until it is spliced or taken, nothing has left the pipe. */
static void
test_stays_in_the_pipe(Fixture *f, gconstpointer data)
{
    int held = 0;
    put(f, "pass\ndrop\npa", 12);
    turn(f, TRUE);
    g_assert_cmpint(ioctl(f->in[0], FIONREAD, &held), ==, 0);
    g_assert_cmpint(held, ==, 12);
    g_assert_true(flush(f));
    g_assert_cmpint(ioctl(f->in[0], FIONREAD, &held), ==, 0);
    g_assert_cmpint(held, ==, 7);
    g_assert_true(orchestrator_lines_take(&f->lines, f->lines.unread));
    struct pollfd wait = {f->in[0], POLLIN, 0};
    g_assert_cmpint(poll(&wait, 1, 0), ==, 0); /* or the loop would spin */
    g_assert_cmpint(turn(f, TRUE), ==, ORCHESTRATOR_LINES_EMPTY);
}

static void
test_closed_sink(Fixture *f, gconstpointer data)
{
    put(f, "pass\n", 5);
    turn(f, TRUE);
    sl_fd_clear(&f->out[0]);
    g_assert_false(flush(f));
    g_assert_cmpint(f->last, ==, ORCHESTRATOR_OUTPUT_CLOSED);
}

/* A source may open its own output for reading: that must neither hang nor pass anything unseen. */
static void
test_stolen(Fixture *f, gconstpointer data)
{
    char bytes[64];
    gboolean splice = GPOINTER_TO_INT(data) == WIDE / 2;
    put(f, splice ? "pass\n" : "drop\npass\n", splice ? 5 : 10);
    turn(f, TRUE);
    g_assert_cmpint(read(f->in[0], bytes, sizeof bytes), >, 0);
    g_assert_false(flush(f));
    g_assert_cmpint(f->last, ==, ORCHESTRATOR_OUTPUT_GONE);
    g_assert_false(orchestrator_lines_take(&f->lines, f->lines.unread));
    gsize n;
    g_assert_cmpint(orchestrator_lines_fill(&f->lines, &n), ==, ORCHESTRATOR_LINES_ERROR);
    g_assert_cmpint(errno, ==, EIO);
}

/* What splice() does not take is copied: a file that is only appended to. */
static void
test_no_pipe_behind(Fixture *f, gconstpointer data)
{
    g_autofree char *path = NULL, *text = NULL;
    sl_fd_clear(&f->out[1]);
    int fd = g_file_open_tmp(NULL, &path, NULL);
    close(fd);
    f->out[1] = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    put(f, "drop\npass one\nrewrite\npass two\n", 31);
    turn(f, TRUE);
    g_assert_true(flush(f));
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "pass one\nRewrite\npass two\n");
    g_assert_cmpuint(f->lines.unread, ==, 0);
    unlink(path);
}

static void
test_no_look(void)
{
    int ends[2];
    OrchestratorLines lines;
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
    orchestrator_lines_init(&lines, ends[0], WIDE);
    g_assert_false(orchestrator_lines_enable_look(&lines)); /* no pipe */
    close(ends[0]);
    close(ends[1]);
    make_pipe(ends, 4096);
    lines.fd = ends[0];
    g_assert_false(orchestrator_lines_enable_look(&lines)); /* a narrow one: nothing to gain */
    g_assert_cmpint(lines.look[0], ==, -1);
    orchestrator_lines_clear(&lines);
    close(ends[0]);
    close(ends[1]);
}

static void
test_plain(void)
{
    OrchestratorOutput output;
    orchestrator_output_init(&output);
    for (guint i = 0; i < 16; i++)
        orchestrator_output_add(&output, i % 2 == 1, i * 100, 10);
    g_assert_true(orchestrator_output_is_plain(&output, 1000));
    g_assert_false(orchestrator_output_is_plain(&output, 300)); /* 80 bytes of ours */
    orchestrator_output_add(&output, FALSE, 5000, 10);
    g_assert_false(orchestrator_output_is_plain(&output, 1000));
    orchestrator_output_drop(&output);
    orchestrator_output_add(&output, FALSE, 0, 10);
    orchestrator_output_add(&output, FALSE, 10, 10); /* one with the piece before */
    g_assert_cmpuint(output.pieces->len, ==, 1);
    g_assert_true(orchestrator_output_is_plain(&output, 20));
    orchestrator_output_clear(&output);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*run)(Fixture *f, gconstpointer data);
        int sink; /* bytes of the destination's pipe; 0: wide */
    } cases[] = {
        {"narrow-sink", test_narrow_sink, 4096},  {"random", test_random, 0},
        {"random-narrow", test_random, 65536},    {"stays-in-the-pipe", test_stays_in_the_pipe, 0},
        {"closed-sink", test_closed_sink, 0},     {"stolen/dropped", test_stolen, 0},
        {"stolen/passed", test_stolen, WIDE / 2}, {"no-pipe-behind", test_no_pipe_behind, 0},
    };
    g_test_init(&argc, &argv, NULL);
    signal(SIGPIPE, SIG_IGN);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat("/orchestrator/output/", cases[i].path, NULL);
        gconstpointer data = cases[i].sink != 0 ? GINT_TO_POINTER(cases[i].sink) : NULL;
        g_test_add(path, Fixture, data, set_up, cases[i].run, tear_down);
    }
    g_test_add_func("/orchestrator/output/cut-everywhere", test_cut_everywhere);
    g_test_add_func("/orchestrator/output/no-look", test_no_look);
    g_test_add_func("/orchestrator/output/plain", test_plain);
    return g_test_run();
}
