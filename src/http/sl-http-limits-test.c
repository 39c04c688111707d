/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-test-http.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <stdlib.h>
#include <sys/resource.h>
#include "sl-error.h"
#include "sl-fd.h"

/* A client that sends a byte now and then, at every stage of a request. */
static void
client_slow(Fixture *fix)
{
    static const struct {
        const char *begin, *pattern;
    } stages[] = {
        {"G", "HTTP/1.1 408 *"},
        {"GET / HTTP/1.1\r\nHost: ", "HTTP/1.1 408 *"},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n", "HTTP/1.1 408 *"},
        {"", ""}, /* never a byte: no answer */
    };
    for (guint i = 0; i < G_N_ELEMENTS(stages); i++) {
        gint64 start = g_get_monotonic_time();
        sl_autofd int fd = tcp_connect(fix);
        say(fd, stages[i].begin);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        while (poll(&p, 1, 20) == 0) {
            g_assert_cmpint(g_get_monotonic_time() - start, <, 60 * G_USEC_PER_SEC);
            if (stages[i].begin[0] != '\0')
                say(fd, "a");
        }
        g_assert_cmpint(g_get_monotonic_time() - start, >=, 150 * 1000);
        g_autofree char *heard = hear(fd, G_MAXUINT);
        g_assert_true(g_pattern_match_simple(stages[i].pattern, heard));
    }
}

static void
test_slow(void)
{
    SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    limits.header_usec = limits.body_usec = 150 * 1000;
    run_case(&limits, client_slow, &c);
    g_assert_cmpuint(c.refused, ==, 3);
    g_assert_cmpuint(c.served, ==, 0);
}

/* Idle for longer than the header deadline, shorter than the keep-alive one, then for longer. */
static void
client_idle(Fixture *fix)
{
    sl_autofd int fd = tcp_connect(fix);
    say(fd, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_hears(fd, 1, "*GET /1*");
    poll(NULL, 0, 150);
    gint64 start = g_get_monotonic_time();
    say(fd, "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_hears(fd, 1, "*GET /2*");
    assert_hears(fd, 1, "");
    g_assert_cmpint(g_get_monotonic_time() - start, >=, 290 * 1000);
}

static void
test_idle_connection(void)
{
    SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    limits.header_usec = 100 * 1000;
    limits.keep_alive_usec = 300 * 1000;
    run_case(&limits, client_idle, &c);
    g_assert_cmpuint(c.served, ==, 2);
}

static void
client_deaf(Fixture *fix)
{
    sl_autofd int fd = tcp_connect(fix);
    say(fd, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    poll(NULL, 0, 400); /* reads nothing of the 32 MiB */
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

#define N_CROWD 1000

/* A thousand silent connections, and then one with a request: it gets its answer. */
static void
client_crowd(Fixture *fix)
{
    int *fds = g_new(int, N_CROWD);
    for (guint i = 0; i < N_CROWD; i++)
        fds[i] = tcp_connect(fix);
    sl_autofd int fd = tcp_connect(fix);
    say(fd, "GET /me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_hears(fd, 1, "HTTP/1.1 200*GET /me*");
    for (guint i = 0; i < N_CROWD; i++)
        close(fds[i]);
    g_free(fds);
}

static void
test_crowd(void)
{
    SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_max < 2 * N_CROWD) {
        g_test_skip("RLIMIT_NOFILE is too low");
        return;
    }
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    limits.max_connections = 32;
    Fixture fix = {.limits = limits};
    fixture_start(&fix);
    run_client(&fix, client_crowd);
    c = counters(&fix);
    g_assert_cmpuint(c.connections, <=, 33);
    SPIN_UNTIL(counters(&fix).connections == 0 && counters(&fix).accepted > N_CROWD);
    g_assert_cmpuint(counters(&fix).served, ==, 1);
    fixture_stop(&fix);
}

/* Busy connections are not closed for newcomers: those wait. */
static void
client_cap(Fixture *fix)
{
    sl_autofd int one = tcp_connect(fix), two = tcp_connect(fix);
    say(one, "GET /gate HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    say(two, "GET /gate HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    g_mutex_lock(&fix->mutex);
    while (fix->waiting < 2)
        g_cond_wait(&fix->cond, &fix->mutex);
    g_mutex_unlock(&fix->mutex);
    sl_autofd int three = tcp_connect(fix);
    say(three, "GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    struct pollfd p = {.fd = three, .events = POLLIN};
    g_assert_cmpint(poll(&p, 1, 100), ==, 0);
    g_mutex_lock(&fix->mutex);
    fix->gate = TRUE;
    g_cond_broadcast(&fix->cond);
    g_mutex_unlock(&fix->mutex);
    assert_hears(one, 1, "*through");
    assert_hears(three, 1, "*GET /3*");
}

static void
test_cap(void)
{
    SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    limits.max_connections = 2;
    run_case(&limits, client_cap, &c);
    g_assert_cmpuint(c.served, ==, 3);
}

/* Kept connections that are closed for new ones just when their next request comes: each of them
 * ends, or the places would be lost one by one. */
static void
client_squeeze(Fixture *fix)
{
    int fds[64];
    for (guint round = 0; round < 60; round++) {
        for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
            fds[i] = tcp_connect(fix);
            say(fds[i], "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
            if (i % 4 == 3) /* to one that may be on its way out */
                say(fds[i - 3], "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
        }
        for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
            say(fds[i], "GET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
            close(fds[i]);
        }
    }
}

static void
test_squeeze(void)
{
    SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    limits.max_connections = 4;
    run_case(&limits, client_squeeze, &c);
}

/* Two threads, two places in the queue, six requests: two get 503 at once. */
static void
client_full(Fixture *fix)
{
    int fds[6];
    guint rejected = 0, served = 0;
    for (guint i = 0; i < 6; i++) {
        fds[i] = tcp_connect(fix);
        say(fds[i], "GET /gate HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        g_mutex_lock(&fix->mutex); /* the first two are in the handler before the rest comes */
        while (i < 2 && fix->waiting < i + 1)
            g_cond_wait(&fix->cond, &fix->mutex);
        g_mutex_unlock(&fix->mutex);
    }
    struct pollfd polls[6];
    for (guint i = 0; i < 6; i++)
        polls[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    while (rejected < 2) {
        g_assert_cmpint(poll(polls, 6, 5000), >, 0);
        for (guint i = 0; i < 6; i++) {
            if (!(polls[i].revents & POLLIN))
                continue;
            assert_hears(fds[i], 1, "HTTP/1.1 503 *Retry-After: *\"message\":\"too many*");
            polls[i].fd = -1;
            rejected++;
        }
    }
    g_mutex_lock(&fix->mutex);
    fix->gate = TRUE;
    g_cond_broadcast(&fix->cond);
    g_mutex_unlock(&fix->mutex);
    for (guint i = 0; i < 6; i++) {
        if (polls[i].fd >= 0) {
            assert_hears(fds[i], 1, "HTTP/1.1 200 *through");
            served++;
        }
        close(fds[i]);
    }
    g_assert_cmpuint(rejected, ==, 2);
    g_assert_cmpuint(served, ==, 4);
}

static void
test_full(void)
{
    SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    limits.threads = 2;
    limits.max_queue = 2;
    run_case(&limits, client_full, &c);
    g_assert_cmpuint(c.rejected, ==, 2);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http/limits/slow", test_slow);
    g_test_add_func("/http/limits/idle-connection", test_idle_connection);
    g_test_add_func("/http/limits/deaf", test_deaf);
    g_test_add_func("/http/limits/crowd", test_crowd);
    g_test_add_func("/http/limits/cap", test_cap);
    g_test_add_func("/http/limits/squeeze", test_squeeze);
    g_test_add_func("/http/limits/full", test_full);
    return g_test_run();
}
