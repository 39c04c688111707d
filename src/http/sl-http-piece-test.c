/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-test-http.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sl-fd.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static guint
count(const char *text, const char *what)
{
    guint n = 0;
    for (const char *p = text; (p = strstr(p, what)) != NULL; p += strlen(what))
        n++;
    return n;
}

/* Each piece is a chunk, the connection lives on, and lengths and HTTP/1.0 are honoured. */
static void
client_pieces(Fixture *fix)
{
    sl_autofd int fd = tcp_connect(fix);
    say(fd, GET("/stream?300"));
    g_autofree char *all = hear_until(fd, "0\r\n\r\n");
    g_assert_nonnull(strstr(all, "Transfer-Encoding: chunked\r\n"));
    g_assert_nonnull(strstr(all, "Content-Type: text/event-stream\r\n"));
    g_assert_null(strstr(all, "Content-Length"));
    g_assert_cmpuint(count(all, "6\r\n<"), ==, 300);
    g_assert_nonnull(strstr(all, "<0299>"));
    say(fd, GET("/sized?50"));
    assert_hears(fd, 1, "*Content-Length: 300\r\n*<0000><0001>*<0049>");
    say(fd, GET("/sized?0"));
    assert_hears(fd, 1, "*Content-Length: 0\r\n*");
    say(fd, GET("/stream?0"));
    g_autofree char *empty = hear_until(fd, "\r\n\r\n0\r\n\r\n");
    say(fd, "HEAD /sized?50 HTTP/1.1\r\nHost: x\r\n\r\n");
    g_autofree char *head = hear_until(fd, "\r\n\r\n");
    g_assert_nonnull(strstr(head, "Content-Length: 300"));
    say(fd, "GET /1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_hears(fd, 1, "HTTP/1.1 200 *GET /1*");

    sl_autofd int old = tcp_connect(fix);
    say(old, "GET /stream?3 HTTP/1.0\r\nHost: x\r\n\r\n");
    assert_hears(old, G_MAXUINT, "HTTP/1.* 200 *\r\n\r\n<0000><0001><0002>");
}

static void
test_pieces(void)
{
    const SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    run_case(&limits, client_pieces, &c);
    g_assert_cmpuint(c.streams, ==, 0);
    g_assert_cmpuint(c.served, ==, 7);
}

static void
name_it(Fixture *fix)
{
    g_atomic_int_inc(&fix->namings);
    sl_http_server_wake(fix->server, "key");
}

/* 200 streams on two threads: none holds one, requests are answered beside them, each hears of
 * each naming, and of the time. */
static void
client_waiting(Fixture *fix)
{
    int fds[200];
    for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
        fds[i] = tcp_connect(fix);
        say(fds[i], GET("/wait?60000"));
        g_free(hear_until(fds[i], "[first 0]"));
    }
    sl_autofd int fd = tcp_connect(fix), timed = tcp_connect(fix);
    say(timed, GET("/wait?20"));
    g_free(hear_until(timed, "[timed out 0]\r\nd\r\n[timed out 0]"));
    for (guint n = 1; n <= 5; n++) {
        g_autofree char *text = g_strdup_printf("[woken %u]", n);
        name_it(fix);
        for (guint i = 0; i < G_N_ELEMENTS(fds); i++)
            g_free(hear_until(fds[i], text));
        say(fd, GET("/1"));
        assert_hears(fd, 1, "*GET /1*");
    }
    for (guint i = 0; i < G_N_ELEMENTS(fds); i++)
        close(fds[i]);
}

static void
test_waiting(void)
{
    SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    limits.threads = 1;
    run_case(&limits, client_waiting, &c);
    g_assert_cmpuint(c.streams, ==, 0);
}

/* Namings from another thread, as fast as it can: the last one is always told. */
static gpointer
name_often(gpointer data)
{
    for (guint i = 0; i < 20000; i++)
        name_it(data);
    return NULL;
}

static void
client_race(Fixture *fix)
{
    sl_autofd int fd = tcp_connect(fix);
    say(fd, GET("/wait?600000"));
    g_free(hear_until(fd, "[first 0]"));
    GThread *thread = g_thread_new("names", name_often, fix);
    g_free(hear_until(fd, " 20000]"));
    g_thread_join(thread);
}

static void
test_race(void)
{
    const SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    run_case(&limits, client_race, &c);
}

/* Somebody who reads nothing is asked for no more than sockets hold, and is dropped. */
static void
client_deaf(Fixture *fix)
{
    sl_autofd int fd = tcp_connect(fix);
    say(fd, GET("/flood"));
    struct pollfd p = {.fd = fd, .events = 0};
    g_assert_cmpint(poll(&p, 1, 30000), ==, 1); /* POLLHUP or POLLERR, without reading */
    g_assert_cmpint(g_atomic_int_get(&fix->pieces), <, 1000);
}

static void
test_deaf(void)
{
    SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    limits.write_usec = 200 * 1000;
    run_case(&limits, client_deaf, &c);
    g_assert_cmpuint(c.refused, ==, 1);
}

/* One who does read gets all the time more, and leaves in the middle. */
static void
client_reader(Fixture *fix)
{
    sl_autofd int fd = tcp_connect(fix);
    gsize got = 0;
    say(fd, GET("/flood"));
    while (got < 64 << 20) {
        static char buffer[1 << 16];
        gssize n = read(fd, buffer, sizeof buffer);
        g_assert_cmpint(n, >, 0);
        got += (gsize)n;
    }
}

static void
test_reader(void)
{
    const SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    run_case(&limits, client_reader, &c);
}

/* Clients that go while their stream waits: noticed without a word to them, and all is freed. */
static void
client_leaves(Fixture *fix)
{
    for (guint i = 0; i < 30; i++) {
        const struct linger reset = {1, 0};
        int fd = tcp_connect(fix);
        say(fd, GET("/wait?600000"));
        if (i % 3 != 2)
            g_free(hear_until(fd, "[first 0]"));
        if (i % 3 == 1)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fd);
    }
}

static void
test_leaves(void)
{
    Fixture fix = {.limits = SL_HTTP_LIMITS_DEFAULT};
    fixture_start(&fix);
    run_client(&fix, client_leaves);
    SPIN_UNTIL(counters(&fix).connections == 0);
    g_assert_cmpuint(counters(&fix).streams, ==, 0);
    g_assert_cmpuint(counters(&fix).parked, ==, 0);
    fixture_stop(&fix);
    g_assert_cmpint(fix.makers_freed, <=, 30);
    g_assert_cmpint(fix.makers_freed, >=, 20);
}

/* A failure in the middle must not look like an end. */
static void
client_cut(Fixture *fix)
{
    sl_autofd int fd = tcp_connect(fix);
    say(fd, GET("/cut"));
    g_autofree char *text = hear(fd, G_MAXUINT);
    g_assert_nonnull(strstr(text, "4\r\nhalf\r\n"));
    g_assert_null(strstr(text, "\r\n0\r\n"));
}

static void
test_cut(void)
{
    const SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    run_case(&limits, client_cut, &c);
}

static void
client_many(Fixture *fix)
{
    sl_autofd int first = tcp_connect(fix), second = tcp_connect(fix), third = tcp_connect(fix);
    say(first, GET("/wait?60000"));
    g_free(hear_until(first, "[first 0]"));
    say(second, GET("/wait?60000"));
    g_free(hear_until(second, "[first 0]"));
    say(third, GET("/wait?60000"));
    assert_hears(third, 1, "HTTP/1.1 503 *Retry-After: *too many streams are open*");
    say(third, "GET /1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_hears(third, 1, "HTTP/1.1 200 *");
}

static void
test_many(void)
{
    SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    limits.max_streams = 2;
    run_case(&limits, client_many, &c);
    g_assert_cmpuint(c.rejected, ==, 1);
}

/* An open stream keeps the server from being idle; a stop lets it say goodbye. */
static int stream_fd;

static void
client_opens(Fixture *fix)
{
    stream_fd = tcp_connect(fix);
    say(stream_fd, GET("/wait?600000"));
    g_free(hear_until(stream_fd, "[first 0]"));
}

static void
client_hears_end(Fixture *fix)
{
    assert_hears(stream_fd, G_MAXUINT, "*?stopping 0]\r\n0\r\n\r\n");
    close(stream_fd);
}

static void
test_stop(void)
{
    Fixture fix = {.limits = SL_HTTP_LIMITS_DEFAULT};
    fix.limits.idle_usec = 50 * 1000;
    fixture_start(&fix);
    run_client(&fix, client_opens);
    guint idle = fix.idle;
    gint64 end = g_get_monotonic_time() + 300 * 1000;
    SPIN_UNTIL(g_get_monotonic_time() > end);
    g_assert_cmpuint(fix.idle, ==, idle);
    g_assert_cmpuint(counters(&fix).streams, ==, 1);
    sl_http_server_stop(fix.server, g_get_monotonic_time() + 30 * G_USEC_PER_SEC,
                        fixture_on_stopped, &fix);
    run_client(&fix, client_hears_end);
    SPIN_UNTIL(fix.stopped == 1);
    g_assert_cmpuint(counters(&fix).connections, ==, 0);
    fixture_stop(&fix);
    g_assert_cmpint(fix.makers_freed, ==, 1);
}

/* The end of the server with streams in every state. */
static void
client_open_some(Fixture *fix)
{
    say(tcp_connect(fix), GET("/flood")); /* stay open */
    say(tcp_connect(fix), GET("/wait?600000"));
    stream_fd = tcp_connect(fix);
    say(stream_fd, GET("/wait?1"));
    g_free(hear_until(stream_fd, "[timed out 0]"));
}

static void
test_free(void)
{
    Fixture fix = {.limits = SL_HTTP_LIMITS_DEFAULT};
    fixture_start(&fix);
    run_client(&fix, client_open_some);
    SPIN_UNTIL(counters(&fix).streams == 3);
    fixture_stop(&fix);
    g_assert_cmpint(fix.makers_freed, ==, 3);
    close(stream_fd);
}

int
main(int argc, char **argv)
{
    /* With this in the environment libsoup may speak HTTP/2, in which streams stand still; it must
     * make no difference here. */
    g_setenv("SOUP_SERVER_HTTP2", "1", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http/piece/pieces", test_pieces);
    g_test_add_func("/http/piece/waiting", test_waiting);
    g_test_add_func("/http/piece/race", test_race);
    g_test_add_func("/http/piece/deaf", test_deaf);
    g_test_add_func("/http/piece/reader", test_reader);
    g_test_add_func("/http/piece/leaves", test_leaves);
    g_test_add_func("/http/piece/cut", test_cut);
    g_test_add_func("/http/piece/many", test_many);
    g_test_add_func("/http/piece/stop", test_stop);
    g_test_add_func("/http/piece/free", test_free);
    return g_test_run();
}
