/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-events.h"

#include <string.h>

#include "server-pieces.h"

static char *
read_piece(ServerEventReader *reader, SlHttpRun run, SlHttpPieceNext *ret_next)
{
    SlHttpPiece piece = {.run = run, .out = g_string_new(NULL)};
    SlHttpPieceNext next = server_event_reader_make(&piece, reader);
    if (next == SL_HTTP_PIECE_WAIT)
        g_assert_cmpstr(piece.key, ==, "events");
    if (ret_next != NULL)
        *ret_next = next;
    return g_string_free(piece.out, FALSE);
}

static ServerEventReader *
open_reader(ServerEvents *events, const gint64 *last, const char *topics, const char *workspace)
{
    g_auto(GStrv) list = topics != NULL ? g_strsplit(topics, ",", -1) : NULL;
    ServerEventRequest request = {
        .last_id = last, .topics = (const char *const *)list, .ends = G_MAXINT64};
    if (workspace != NULL) {
        request.workspaces = g_hash_table_new(g_str_hash, g_str_equal);
        g_hash_table_add(request.workspaces, (gpointer)workspace);
    }
    return server_event_reader_new(events, &request);
}

/* The ids of a text, which must grow one by one when `dense`. */
static guint
count_ids(const char *text, gint64 *ret_last, gboolean dense)
{
    guint n = 0;
    gint64 before = 0;
    for (const char *p = text; (p = strstr(p, "id: ")) != NULL; p += 4) {
        gint64 id = g_ascii_strtoll(p + 4, NULL, 10);
        g_assert_cmpint(id, >, before);
        if (dense && before != 0)
            g_assert_cmpint(id, ==, before + 1);
        before = id;
        n++;
    }
    *ret_last = before;
    return n;
}

static void
test_resume(void)
{
    ServerEvents *events = server_events_new();
    ServerEventReader *reader = open_reader(events, NULL, NULL, NULL);
    gint64 hello, last;
    SlHttpPieceNext next;
    g_assert_true(server_events_have_readers(events));
    g_autofree char *first = read_piece(reader, SL_HTTP_FIRST_RUN, &next);
    g_assert_true(g_str_has_prefix(first, "retry: 2000\n\nid: "));
    g_assert_nonnull(strstr(first, "\nevent: hello\ndata: {\"id\":"));
    g_assert_cmpuint(count_ids(first, &hello, TRUE), ==, 1);
    g_assert_cmpint(next, ==, SL_HTTP_PIECE_WAIT);
    g_autofree char *nothing = read_piece(reader, SL_HTTP_WOKEN, &next);
    g_assert_cmpstr(nothing, ==, "");

    server_events_add(events, "job.state", NULL, NULL, "{\"a\":1}");
    server_events_add(events, "job.state", NULL, NULL, "{\"a\":2}");
    g_autofree char *two = read_piece(reader, SL_HTTP_WOKEN, NULL);
    g_assert_cmpuint(count_ids(two, &last, TRUE), ==, 2);
    g_assert_cmpint(last, ==, hello + 2);
    g_assert_nonnull(strstr(two, "event: job.state\ndata: {\"id\":"));
    g_assert_nonnull(strstr(two, ",\"data\":{\"a\":2}}\n\n"));
    server_event_reader_free(reader);
    g_assert_false(server_events_have_readers(events));

    /* it comes back to where it was, without the first of the two */
    gint64 id = hello + 1;
    reader = open_reader(events, &id, NULL, NULL);
    g_autofree char *rest = read_piece(reader, SL_HTTP_FIRST_RUN, NULL);
    g_assert_cmpuint(count_ids(rest, &last, TRUE), ==, 1);
    g_assert_cmpint(last, ==, hello + 2);
    g_assert_null(strstr(rest, "event: hello"));
    server_event_reader_free(reader);

    /* up to date: nothing but the greeting */
    reader = open_reader(events, &last, NULL, NULL);
    g_autofree char *same = read_piece(reader, SL_HTTP_FIRST_RUN, NULL);
    g_assert_cmpstr(same, ==, "retry: 2000\n\n: going on\n\n");
    server_event_reader_free(reader);
    server_events_free(events);
}

/* Ids that this process never gave: of an earlier one, and of nobody. */
static void
test_reset(void)
{
    ServerEvents *events = server_events_new();
    const gint64 ids[] = {0, 17, g_get_real_time() - G_USEC_PER_SEC, G_MAXINT64 - 1};
    gint64 last;
    for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
        ServerEventReader *reader = open_reader(events, &ids[i], NULL, NULL);
        g_autofree char *text = read_piece(reader, SL_HTTP_FIRST_RUN, NULL);
        g_assert_nonnull(strstr(text, "event: reset\ndata: "));
        g_assert_cmpuint(count_ids(text, &last, TRUE), ==, 1);
        server_events_add(events, "x", NULL, NULL, "{}");
        g_autofree char *more = read_piece(reader, SL_HTTP_WOKEN, NULL);
        gint64 next;
        g_assert_cmpuint(count_ids(more, &next, TRUE), ==, 1);
        g_assert_cmpint(next, ==, last + 1);
        server_event_reader_free(reader);
    }
    /* one that is told to all */
    ServerEventReader *reader = open_reader(events, NULL, "jobs:7", "w1");
    g_free(read_piece(reader, SL_HTTP_FIRST_RUN, NULL));
    server_events_reset(events, "a \"reason\"");
    g_autofree char *text = read_piece(reader, SL_HTTP_WOKEN, NULL);
    g_assert_nonnull(strstr(text, "\"type\":\"reset\""));
    g_assert_nonnull(strstr(text, "{\"reason\":\"a \\\"reason\\\"\"}"));
    server_event_reader_free(reader);
    server_events_free(events);
}

/* A slow reader gets all of it in pieces of bounded size; one that fell behind the ring is reset.
 */
static void
test_overflow(void)
{
    ServerEvents *events = server_events_new();
    ServerEventReader *slow = open_reader(events, NULL, NULL, NULL);
    ServerEventReader *lost = open_reader(events, NULL, NULL, NULL);
    gint64 last;
    SlHttpPieceNext next;
    g_free(read_piece(slow, SL_HTTP_FIRST_RUN, NULL));
    g_free(read_piece(lost, SL_HTTP_FIRST_RUN, NULL));
    for (guint i = 0; i < SERVER_EVENTS_KEPT; i++)
        server_events_add(events, "x", NULL, NULL, "{\"n\":12345}");
    guint n = 0;
    do {
        g_autofree char *text = read_piece(slow, SL_HTTP_WOKEN, &next);
        g_assert_cmpuint(strlen(text), <, 65 * 1024);
        n += count_ids(text, &last, TRUE);
    } while (next == SL_HTTP_PIECE_MORE);
    g_assert_cmpuint(n, ==, SERVER_EVENTS_KEPT);
    server_events_add(events, "x", NULL, NULL, "{}");
    g_autofree char *text = read_piece(lost, SL_HTTP_WOKEN, NULL);
    g_assert_cmpuint(count_ids(text, &last, TRUE), ==, 1);
    g_assert_nonnull(strstr(text, "event: reset"));
    server_event_reader_free(slow);
    server_event_reader_free(lost);
    server_events_free(events);
}

static void
test_filter(void)
{
    static const struct {
        const char *topics, *workspace, *heard;
    } readers[] = {
        {NULL, NULL, "abcde"},        {"jobs", NULL, "ab"},
        {"jobs:1", NULL, "a"},        {"jobs:2,definitions", NULL, "bd"},
        {"connections", NULL, "ce"},  {"jobs:3", NULL, ""},
        {NULL, "w1", "acd"},          {NULL, "w2", "bde"},
        {"jobs", "w2", "b"},          {"definitions", "w3", "d"},
        {"connections:9", "w2", "e"}, {NULL, "w3", "d"},
    };
    static const struct {
        const char *name, *workspace, *topics;
    } sent[] = {
        {"a", "w1", "jobs,jobs:1"},
        {"b", "w2", "jobs,jobs:2"},
        {"c", "w1", "connections"},
        {"d", NULL, "definitions"},
        {"e", "w2", "connections,connections:9"},
    };
    ServerEvents *events = server_events_new();
    ServerEventReader *open[G_N_ELEMENTS(readers)];
    for (guint i = 0; i < G_N_ELEMENTS(readers); i++) {
        open[i] = open_reader(events, NULL, readers[i].topics, readers[i].workspace);
        g_free(read_piece(open[i], SL_HTTP_FIRST_RUN, NULL));
    }
    for (guint i = 0; i < G_N_ELEMENTS(sent); i++) {
        g_auto(GStrv) topics = g_strsplit(sent[i].topics, ",", -1);
        g_autofree char *data = g_strdup_printf("{\"name\":\"%s\"}", sent[i].name);
        server_events_add(events, "x", sent[i].workspace, (const char *const *)topics, data);
    }
    for (guint i = 0; i < G_N_ELEMENTS(readers); i++) {
        g_autofree char *text = read_piece(open[i], SL_HTTP_WOKEN, NULL);
        g_autoptr(GString) heard = g_string_new(NULL);
        for (const char *p = text; (p = strstr(p, "\"name\":\"")) != NULL; p += 8)
            g_string_append_c(heard, p[8]);
        g_assert_cmpstr(heard->str, ==, readers[i].heard);
        server_event_reader_free(open[i]);
    }
    server_events_free(events);
}

/* Heartbeats, the end of its time, and the end of the server. */
static void
test_life(void)
{
    ServerEvents *events = server_events_new();
    ServerEventReader *reader = open_reader(events, NULL, NULL, NULL);
    SlHttpPieceNext next;
    SlHttpPiece piece = {.run = SL_HTTP_FIRST_RUN, .out = g_string_new(NULL)};
    gint64 now = g_get_monotonic_time();
    g_assert_cmpint(server_event_reader_make(&piece, reader), ==, SL_HTTP_PIECE_WAIT);
    g_assert_cmpint(piece.until, >=, now + 15 * G_USEC_PER_SEC);
    g_string_free(piece.out, TRUE);
    server_events_add(events, "last.words", NULL, NULL, "{}");
    g_autofree char *end = read_piece(reader, SL_HTTP_STOPPING, &next);
    g_assert_cmpint(next, ==, SL_HTTP_PIECE_LAST);
    g_assert_nonnull(strstr(end, "event: last.words"));
    g_assert_true(g_str_has_suffix(end, "event: server.shutdown\ndata: "
                                        "{\"type\":\"server.shutdown\",\"data\":{}}\n\n"));
    server_event_reader_free(reader);

    ServerEventRequest brief = {.ends = g_get_monotonic_time()};
    reader = server_event_reader_new(events, &brief);
    g_autofree char *hello = read_piece(reader, SL_HTTP_FIRST_RUN, &next);
    g_assert_nonnull(strstr(hello, "event: hello"));
    g_assert_cmpint(next, ==, SL_HTTP_PIECE_LAST);
    server_event_reader_free(reader);
    server_events_free(events);
}

/* One writes, readers read at their own pace: none misses or repeats one. */
#define RACE 5000

static gpointer
read_all(gpointer data)
{
    ServerEventReader *reader = data;
    guint n = 0;
    gint64 last = 0, at;
    SlHttpRun run = SL_HTTP_FIRST_RUN;
    while (n < RACE) {
        g_autofree char *text = read_piece(reader, run, NULL);
        guint got = count_ids(text, &at, TRUE);
        if (got > 0 && last != 0)
            g_assert_cmpint(at - (gint64)got, ==, last);
        last = got > 0 ? at : last;
        n += got;
        run = SL_HTTP_WOKEN;
    }
    server_event_reader_free(reader);
    return NULL;
}

static void
test_race(void)
{
    ServerEvents *events = server_events_new();
    GThread *threads[4];
    ServerEventReader *before = open_reader(events, NULL, NULL, NULL);
    gint64 last;
    g_autofree char *hello = read_piece(before, SL_HTTP_FIRST_RUN, NULL);
    count_ids(hello, &last, TRUE);
    server_event_reader_free(before);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("reader", read_all, open_reader(events, &last, NULL, NULL));
    for (guint i = 0; i < RACE; i++)
        server_events_add(events, "x", NULL, NULL, "{}");
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    server_events_free(events);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/server/events/resume", test_resume);
    g_test_add_func("/server/events/reset", test_reset);
    g_test_add_func("/server/events/overflow", test_overflow);
    g_test_add_func("/server/events/filter", test_filter);
    g_test_add_func("/server/events/life", test_life);
    g_test_add_func("/server/events/race", test_race);
    return g_test_run();
}
