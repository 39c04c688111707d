/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "scheduler-next.h"

#include "sl-error.h"

#define SEC ((gint64)G_USEC_PER_SEC)
#define NOW (1785585600 * SEC) /* 2026-08-01T12:00:00Z */

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
        {SL_CONNECTION_STATUS_ACTIVE, SL_CONNECTION_SCHEDULE_TYPE_CRON, "30 * * * * ?", 0, 99, 30},
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
        g_assert_true(scheduler_next_run(connection, NOW, &next, &error));
        g_test_message("case %d", (int)i);
        g_assert_cmpint(next, ==, cases[i].next < 0 ? 0 : NOW + cases[i].next * SEC);
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
    g_assert_false(scheduler_next_run(connection, NOW, &next, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scheduler/next/table", test_table);
    g_test_add_func("/scheduler/next/bad-expression", test_bad_expression);
    return g_test_run();
}
