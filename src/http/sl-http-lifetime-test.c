/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-test-http.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"

/* Many parked requests on one thread: none of them holds it. */
static void
client_park(Fixture *fix)
{
    int fds[20];
    for (guint i = 0; i < 20; i++) {
        fds[i] = tcp_connect(fix);
        say(fds[i], "GET /park?10000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    }
    sl_autofd int fd = tcp_connect(fix);
    say(fd, "GET /park?50 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_hears(fd, 1, "*/park timed out");
    sl_http_server_wake(fix->server, "other");
    sl_http_server_wake(fix->server, "key");
    for (guint i = 0; i < 20; i++) {
        assert_hears(fds[i], 1, "*/park woken");
        close(fds[i]);
    }
    say(fd, "GET /early?10000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_hears(fd, 1, "*/early woken"); /* named between looking and parking */
}

static void
test_park(void)
{
    SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    limits.threads = 1;
    run_case(&limits, client_park, &c);
    g_assert_cmpuint(c.served, ==, 22);
}

/* Gone while the handler runs, while parked, and while the queue holds the request. */
static void
client_leaves(Fixture *fix)
{
    for (guint i = 0; i < 20; i++) {
        int fd = tcp_connect(fix);
        say(fd, i % 2 == 0 ? "GET /gate HTTP/1.1\r\nHost: x\r\n\r\n"
                           : "GET /park?100 HTTP/1.1\r\nHost: x\r\n\r\n");
        const struct linger reset = {1, 0};
        if (i % 3 == 0)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        poll(NULL, 0, i < 4 ? 20 : 0);
        close(fd);
    }
    g_mutex_lock(&fix->mutex);
    fix->gate = TRUE;
    g_cond_broadcast(&fix->cond);
    g_mutex_unlock(&fix->mutex);
}

static void
test_client_leaves(void)
{
    SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    limits.threads = 2;
    run_case(&limits, client_leaves, &c);
}

static void
client_one(Fixture *fix)
{
    sl_autofd int fd = tcp_connect(fix);
    say(fd, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_hears(fd, 1, "*GET /1*");
}

static void
test_idle_func(void)
{
    Fixture fix = {.limits = SL_HTTP_LIMITS_DEFAULT};
    fix.limits.idle_usec = 100 * 1000;
    gint64 start = g_get_monotonic_time();
    fixture_start(&fix);
    SPIN_UNTIL(fix.idle == 1); /* never a request */
    g_assert_cmpint(g_get_monotonic_time() - start, >=, 100 * 1000);
    start = g_get_monotonic_time();
    run_client(&fix, client_one);
    SPIN_UNTIL(fix.idle == 2);
    g_assert_cmpint(g_get_monotonic_time() - start, >=, 100 * 1000);
    fixture_stop(&fix);
}

/* Stopping: parked → 503, running → its answer, idle → closed, new → not taken, but one that was
 * taken and has not said anything yet → its answer. */
static void
client_stop(Fixture *fix)
{
    sl_autofd int idle = tcp_connect(fix), running = tcp_connect(fix), parked = tcp_connect(fix);
    sl_autofd int fresh = tcp_connect(fix);
    say(idle, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_hears(idle, 1, "*GET /1*");
    say(parked, "GET /park?10000 HTTP/1.1\r\nHost: x\r\n\r\n");
    say(running, "GET /gate HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_hears(idle, G_MAXUINT, "");
    sl_autofd int late = tcp_connect(fix);
    say(fresh, "GET /fresh HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_hears(fresh, G_MAXUINT, "HTTP/1.1 200 *GET /fresh*");
    assert_hears(parked, G_MAXUINT, "HTTP/1.1 503 *Connection: close*");
    g_mutex_lock(&fix->mutex);
    fix->gate = TRUE;
    g_cond_broadcast(&fix->cond);
    g_mutex_unlock(&fix->mutex);
    assert_hears(running, G_MAXUINT, "HTTP/1.1 200 *Connection: close*through");
}

static gboolean
stop_when_ready(gpointer data)
{
    Fixture *fix = data;
    SlHttpCounters c = counters(fix);
    g_mutex_lock(&fix->mutex);
    gboolean ready = c.parked == 1 && fix->waiting == 1 && c.accepted == 4;
    g_mutex_unlock(&fix->mutex);
    if (!ready)
        return G_SOURCE_CONTINUE;
    sl_http_server_stop(fix->server, g_get_monotonic_time() + 10 * G_USEC_PER_SEC,
                        fixture_on_stopped, fix);
    return G_SOURCE_REMOVE;
}

static void
test_stop(void)
{
    Fixture fix = {.limits = SL_HTTP_LIMITS_DEFAULT};
    fix.limits.grace_usec = 30 * G_USEC_PER_SEC;
    fixture_start(&fix);
    g_timeout_add(5, stop_when_ready, &fix);
    run_client(&fix, client_stop);
    SPIN_UNTIL(fix.stopped == 1);
    g_assert_cmpuint(counters(&fix).connections, ==, 0);
    g_assert_cmpuint(counters(&fix).accepted, ==, 4);
    fixture_stop(&fix);
}

static void
client_hang(Fixture *fix)
{
    int fd = tcp_connect(fix);
    say(fd, "GET /gate HTTP/1.1\r\nHost: x\r\n\r\n");
    say(tcp_connect(fix), "GET /park?10000 HTTP/1.1\r\nHost: x\r\n\r\n"); /* stays open */
    say(tcp_connect(fix), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
    g_mutex_lock(&fix->mutex);
    while (fix->waiting < 1)
        g_cond_wait(&fix->cond, &fix->mutex);
    g_mutex_unlock(&fix->mutex);
}

/* The deadline of a stop, then the end with a handler, a parked request and half a body open. */
static void
test_free_busy(void)
{
    Fixture fix = {.limits = SL_HTTP_LIMITS_DEFAULT};
    fixture_start(&fix);
    run_client(&fix, client_hang);
    SPIN_UNTIL(counters(&fix).parked == 1 && counters(&fix).requests == 3);
    sl_http_server_stop(fix.server, g_get_monotonic_time() + 50 * 1000, fixture_on_stopped, &fix);
    SPIN_UNTIL(fix.stopped == 1);
    g_assert_false(fix.cancelled);
    fixture_stop(&fix);
    g_assert_true(fix.cancelled);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http/lifetime/park", test_park);
    g_test_add_func("/http/lifetime/client-leaves", test_client_leaves);
    g_test_add_func("/http/lifetime/idle-func", test_idle_func);
    g_test_add_func("/http/lifetime/stop", test_stop);
    g_test_add_func("/http/lifetime/free-busy", test_free_busy);
    return g_test_run();
}
