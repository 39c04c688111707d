/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "scheduler-next.h"

#include "sl-error.h"

#define SEC ((gint64)G_USEC_PER_SEC)
#define NOW (1785585600 * SEC) /* 2026-08-01T12:00:00Z */

static const SchedulerRules once = {.catch_up = TRUE}, none = {0};

static void
test_table(void)
{
    static const struct {
        int status, type;
        const char *cron;
        gint64 interval, last; /* seconds before now; -1: it never ran */
        gint64 next;           /* seconds after now; -1: never */
    } cases[] = {
        {SL_CONNECTION_STATUS_ACTIVE, SL_CONNECTION_SCHEDULE_TYPE_MANUAL, NULL, 0, 10, -1},
        {SL_CONNECTION_STATUS_ACTIVE, SL_CONNECTION_SCHEDULE_TYPE_BASIC, NULL, 60, -1, 0},
        {SL_CONNECTION_STATUS_ACTIVE, SL_CONNECTION_SCHEDULE_TYPE_BASIC, NULL, 60, 20, 40},
        {SL_CONNECTION_STATUS_ACTIVE, SL_CONNECTION_SCHEDULE_TYPE_BASIC, NULL, 60, 200, 0},
        {SL_CONNECTION_STATUS_ACTIVE, SL_CONNECTION_SCHEDULE_TYPE_BASIC, NULL, G_MAXINT64, 5, -1},
        {SL_CONNECTION_STATUS_INACTIVE, SL_CONNECTION_SCHEDULE_TYPE_BASIC, NULL, 60, 200, -1},
        {SL_CONNECTION_STATUS_ACTIVE, SL_CONNECTION_SCHEDULE_TYPE_CRON, "0 * * * * ?", 0, -1, 60},
        {SL_CONNECTION_STATUS_ACTIVE, SL_CONNECTION_SCHEDULE_TYPE_CRON, "30 * * * * ?", 0, 0, 90},
        {SL_CONNECTION_STATUS_ACTIVE, SL_CONNECTION_SCHEDULE_TYPE_CRON, "30 * * * * ?", 0, 99, 0},
        {SL_CONNECTION_STATUS_ACTIVE, SL_CONNECTION_SCHEDULE_TYPE_CRON, "0 0 0 1 1 ? 2020", 0, -1,
         -1},
        {SL_CONNECTION_STATUS_LOCKED, SL_CONNECTION_SCHEDULE_TYPE_CRON, "0 * * * * ?", 0, -1, -1},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SlConnection) connection = sl_connection_new();
        gint64 next = -1;
        g_autoptr(GError) error = NULL;
        connection->status = cases[i].status;
        connection->schedule_type = cases[i].type;
        connection->cron_expression = g_strdup(cases[i].cron);
        connection->basic_interval_sec = cases[i].interval;
        if (cases[i].last >= 0)
            sl_connection_set_last_run_at(connection, NOW - cases[i].last * SEC);
        g_assert_true(scheduler_next_run(connection, &once, NOW, &next, &error));
        g_test_message("case %d", (int)i);
        g_assert_cmpint(next, ==, cases[i].next < 0 ? 0 : NOW + cases[i].next * SEC);
    }
}

#define BASIC SL_CONNECTION_SCHEDULE_TYPE_BASIC
#define CRON SL_CONNECTION_SCHEDULE_TYPE_CRON

/* What was missed: by one run, or not at all. Times are minutes relative to now. */
static void
test_missed(void)
{
    static const struct {
        int type;
        const char *cron;
        gint64 interval, last, edited, once, none;
    } cases[] = {
        {BASIC, NULL, 60, -90, -500, 0, 30},  /* half an interval late */
        {BASIC, NULL, 60, -60, -500, 0, 60},  /* due right now */
        {BASIC, NULL, 60, -240, -500, 0, 60}, /* three intervals of downtime */
        {BASIC, NULL, 60, -245, -500, 0, 55},
        {BASIC, NULL, 60, -10, -500, 50, 50},       /* not late at all */
        {CRON, "0 0 * * * ?", 0, -90, -500, 0, 60}, /* 12:00, the last run at 10:30 */
        {CRON, "0 30 * * * ?", 0, -300, -500, 0, 30},
        {CRON, "0 30 * * * ?", 0, -300, -20, 30, 30}, /* edited since: nothing was missed */
        {CRON, "0 30 * * * ?", 0, -10, -500, 30, 30},
        {CRON, "0 0 0 1 1 ? 2020", 0, -9999999, -9999999, 0, -1}, /* the last tick is long over */
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SlConnection) connection = sl_connection_new();
        gint64 with = -1, without = -1;
        connection->status = SL_CONNECTION_STATUS_ACTIVE;
        connection->schedule_type = cases[i].type;
        connection->cron_expression = g_strdup(cases[i].cron);
        connection->basic_interval_sec = cases[i].interval * 60;
        sl_connection_set_last_run_at(connection, NOW + cases[i].last * 60 * SEC);
        sl_connection_set_updated_at(connection, NOW + cases[i].edited * 60 * SEC);
        g_assert_true(scheduler_next_run(connection, &once, NOW, &with, NULL));
        g_assert_true(scheduler_next_run(connection, &none, NOW, &without, NULL));
        g_test_message("case %d", (int)i);
        g_assert_cmpint(with, ==, NOW + cases[i].once * 60 * SEC);
        g_assert_cmpint(without, ==, cases[i].none < 0 ? 0 : NOW + cases[i].none * 60 * SEC);
    }
    g_assert_true(scheduler_is_missed(&none, NOW - 3 * 60 * SEC, NOW));
    g_assert_false(scheduler_is_missed(&none, NOW - 60 * SEC, NOW));
    g_assert_false(scheduler_is_missed(&once, NOW - 86400 * SEC, NOW));
}

/* Bounds for many connections; the same connection is always moved by the same. */
static void
test_jitter(void)
{
    static const struct {
        int type;
        gint64 wait, least, most; /* minutes */
    } cases[] = {
        {BASIC, 4, 0, 0},    {BASIC, 60, -1, 1},     {BASIC, 120, -3, 3},
        {BASIC, 300, -8, 8}, {BASIC, 1440, -13, 13}, {CRON, 1440, 0, 25},
    };
    const SchedulerRules rules = {.catch_up = TRUE, .jitter = TRUE};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 least = G_MAXINT64, most = G_MININT64;
        for (guint n = 0; n < 500; n++) {
            g_autoptr(SlConnection) connection = sl_connection_new();
            gint64 next = 0, again = 0;
            connection->connection_id =
                g_strdup_printf("%08x-0000-4000-8000-000000000000", n * 7919);
            connection->status = SL_CONNECTION_STATUS_ACTIVE;
            connection->schedule_type = cases[i].type;
            connection->cron_expression = g_strdup("0 0 12 * * ?");
            connection->basic_interval_sec = cases[i].wait * 60;
            sl_connection_set_last_run_at(connection, NOW);
            g_assert_true(scheduler_next_run(connection, &rules, NOW, &next, NULL));
            g_assert_true(scheduler_next_run(connection, &rules, NOW, &again, NULL));
            g_assert_cmpint(next, ==, again);
            gint64 moved = next - NOW - cases[i].wait * 60 * SEC;
            least = MIN(least, moved);
            most = MAX(most, moved);
        }
        g_test_message("case %d: %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT " s", (int)i,
                       least / SEC, most / SEC);
        g_assert_cmpint(least, >=, cases[i].least * 60 * SEC);
        g_assert_cmpint(most, <=, cases[i].most * 60 * SEC);
        if (cases[i].most > 0) /* and they are spread */
            g_assert_cmpint(most - least, >=, (cases[i].most - cases[i].least) * 60 * SEC / 2);
    }
}

static void
test_bad_expression(void)
{
    g_autoptr(SlConnection) connection = sl_connection_new();
    g_autoptr(GError) error = NULL;
    gint64 next;
    connection->schedule_type = SL_CONNECTION_SCHEDULE_TYPE_CRON;
    connection->cron_expression = g_strdup("every day");
    g_assert_false(scheduler_next_run(connection, &once, NOW, &next, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scheduler/next/table", test_table);
    g_test_add_func("/scheduler/next/missed", test_missed);
    g_test_add_func("/scheduler/next/jitter", test_jitter);
    g_test_add_func("/scheduler/next/bad-expression", test_bad_expression);
    return g_test_run();
}
