/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "worker-disable.h"

#define DAY (86400 * (gint64)G_USEC_PER_SEC)
#define NOW (1785585600 * (gint64)G_USEC_PER_SEC)

/* Days back from now; previous -1: there was no failure before. */
static const struct {
    gint64 failures, since, previous;
    WorkerLimit limit;
} cases[] = {
    {1, 0, -1, WORKER_LET_RUN},     {19, 30, 1, WORKER_LET_RUN},
    {20, 3, 0, WORKER_LET_RUN},                                 /* many, but not for long */
    {20, 4, 1, WORKER_WARN},        {21, 5, 1, WORKER_LET_RUN}, /* warned the day before */
    {25, 4, 1, WORKER_WARN},                                    /* the days were what was missing */
    {29, 8, 1, WORKER_LET_RUN},     {30, 6, 1, WORKER_LET_RUN},
    {30, 7, 1, WORKER_DISABLE},     {31, 7, 1, WORKER_DISABLE},
    {30, 400, 399, WORKER_DISABLE}, /* one a year is not many, but nothing else ever worked */
};

static void
test_table(void)
{
    g_autoptr(SlConfig) limits = sl_config_new();
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SlFailureRow) row = sl_failure_row_new();
        sl_failure_row_set_failures(row, cases[i].failures);
        sl_failure_row_set_since(row, NOW - cases[i].since * DAY);
        if (cases[i].previous >= 0)
            sl_failure_row_set_previous(row, NOW - cases[i].previous * DAY);
        g_test_message("case %d", (int)i);
        g_assert_cmpint(worker_disable_decide(limits, row, NOW), ==, cases[i].limit);
    }
}

/* However the failures are spread: one warning, then disabled. */
static void
test_a_life(void)
{
    g_autoptr(SlConfig) limits = sl_config_new();
    for (int per_day = 1; per_day <= 48; per_day++) {
        guint warnings = 0, n = 0;
        WorkerLimit limit = WORKER_LET_RUN;
        while (limit != WORKER_DISABLE && n < 10000) {
            g_autoptr(SlFailureRow) row = sl_failure_row_new();
            sl_failure_row_set_failures(row, ++n);
            sl_failure_row_set_since(row, NOW);
            if (n > 1)
                sl_failure_row_set_previous(row, NOW + (n - 1) * DAY / per_day);
            limit = worker_disable_decide(limits, row, NOW + n * DAY / per_day);
            warnings += limit == WORKER_WARN;
        }
        g_test_message("%d a day: %u warnings, disabled after %u", per_day, warnings, n);
        g_assert_cmpuint(warnings, ==, 1);
        g_assert_cmpuint(n, ==, MAX(30, 7 * per_day));
    }
}

static void
test_never(void)
{
    g_autoptr(SlConfig) limits = sl_config_new();
    g_autoptr(SlFailureRow) row = sl_failure_row_new();
    limits->warn_after_failures = limits->disable_after_failures = 0;
    sl_failure_row_set_failures(row, 100000);
    sl_failure_row_set_since(row, NOW - 3000 * DAY);
    g_assert_cmpint(worker_disable_decide(limits, row, NOW), ==, WORKER_LET_RUN);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/worker/disable/table", test_table);
    g_test_add_func("/worker/disable/a-life", test_a_life);
    g_test_add_func("/worker/disable/never", test_never);
    return g_test_run();
}
