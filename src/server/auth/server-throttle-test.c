/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-throttle.h"

#define SEC ((gint64)G_USEC_PER_SEC)

static ServerThrottle *throttle;
static gint64 now;

static guint
begin(const char *name)
{
    return server_throttle_begin(throttle, name, now);
}

static void
start(void)
{
    throttle = server_throttle_new();
    now = 1000 * SEC;
}

/* After five failures each wait is longer, up to a minute; nothing counts while one waits. */
static void
test_waits(void)
{
    static const guint waits[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    start();
    for (guint i = 0; i < SERVER_THROTTLE_FREE; i++)
        g_assert_cmpuint(begin("a"), ==, 0);
    for (guint i = 0; i < G_N_ELEMENTS(waits); i++) {
        g_assert_cmpuint(begin("a"), ==, waits[i]);
        g_assert_cmpuint(begin("A"), ==, waits[i]); /* as e-mail addresses are compared */
        now += waits[i] * SEC - 1;
        g_assert_cmpuint(begin("a"), ==, 1);
        now += 1;
        g_assert_cmpuint(begin("a"), ==, 0);
    }
    server_throttle_free(throttle);
}

static void
test_success(void)
{
    start();
    for (guint i = 0; i < SERVER_THROTTLE_FREE; i++)
        g_assert_cmpuint(begin("a"), ==, 0);
    g_assert_cmpuint(begin("a"), >, 0);
    server_throttle_success(throttle, "a", FALSE); /* one less */
    g_assert_cmpuint(begin("a"), ==, 0);
    g_assert_cmpuint(begin("a"), >, 0);
    server_throttle_success(throttle, "a", TRUE); /* all of them */
    for (guint i = 0; i < SERVER_THROTTLE_FREE; i++)
        g_assert_cmpuint(begin("a"), ==, 0);
    g_assert_cmpuint(begin("a"), >, 0);
    server_throttle_free(throttle);
}

static void
test_time_forgives(void)
{
    start();
    for (guint i = 0; i < SERVER_THROTTLE_FREE; i++)
        begin("a");
    now += 24 * 3600 * SEC;
    for (guint i = 0; i < SERVER_THROTTLE_FREE; i++)
        g_assert_cmpuint(begin("a"), ==, 0);
    g_assert_cmpuint(begin("a"), ==, 1);
    server_throttle_free(throttle);
}

/* One name's failures are not another's, but for those that share a counter: not many. */
static void
test_names(void)
{
    guint slowed = 0;
    start();
    for (guint i = 0; i < 100; i++)
        begin("attacked");
    for (guint i = 0; i < 1000; i++) {
        g_autofree char *name = g_strdup_printf("u%u@example.org", i);
        slowed += begin(name) > 0;
    }
    g_assert_cmpuint(slowed, <, 20);
    server_throttle_free(throttle);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/server/throttle/waits", test_waits);
    g_test_add_func("/server/throttle/success", test_success);
    g_test_add_func("/server/throttle/time-forgives", test_time_forgives);
    g_test_add_func("/server/throttle/names", test_names);
    return g_test_run();
}
