/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-test.h"

#include <string.h>

/* When a connection runs next: the scheduler's own time, and the schedule's after it. */

#define PATH "/api/v1/sluice/connections/" FIXTURE_CONNECTION "/next-runs"

static void
set(Fixture *fix, const char *columns)
{
    queue_fixture_script(
        fix->server.db,
        format(fix,
               "update connection set status = 'active', schedule_type = 'manual', cron_expression "
               "= null, cron_timezone = null, basic_interval_sec = null, next_run_at = null; "
               "update connection set %s",
               columns));
}

static void
test_times(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *columns, *count, *times;
    } cases[] = {
        {"schedule_type = 'manual'", "", "[]"},
        {"schedule_type = 'basic', basic_interval_sec = 3600, next_run_at = "
         "'2026-08-01T12:30:00Z'",
         "?count=3",
         "[\"2026-08-01T12:30:00Z\",\"2026-08-01T13:30:00Z\",\"2026-08-01T14:30:00Z\"]"},
        /* disabled: nothing, whatever is left in the row */
        {"status = 'inactive', schedule_type = 'basic', basic_interval_sec = 3600, next_run_at = "
         "'2026-08-01T12:30:00Z'",
         "", "[]"},
        /* the scheduler has not looked yet */
        {"schedule_type = 'basic', basic_interval_sec = 3600", "", "[]"},
        /* spread by two minutes; the ticks are where they are. Clocks go back on 25 October. */
        {"schedule_type = 'cron', cron_expression = '0 30 2 * * ?', cron_timezone = "
         "'Europe/Berlin', next_run_at = '2026-10-24T00:32:00Z'",
         "?count=3",
         "[\"2026-10-24T00:32:00Z\",\"2026-10-25T01:30:00Z\",\"2026-10-26T01:30:00Z\"]"},
        /* the last ticks of its years */
        {"schedule_type = 'cron', cron_expression = '0 0 0 1 1 ? 2027-2028', cron_timezone = "
         "'UTC', next_run_at = '2027-01-01T00:00:00Z'",
         "", "[\"2027-01-01T00:00:00Z\",\"2028-01-01T00:00:00Z\"]"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("case %u", i);
        set(fix, cases[i].columns);
        const char *answer = call(fix, "GET", format(fix, PATH "%s", cases[i].count), NULL, 200);
        g_assert_cmpstr(member(fix, answer, "nextRuns"), ==, cases[i].times);
        g_assert_cmpstr(member(fix, answer, "connectionId"), ==, FIXTURE_CONNECTION);
    }
    set(fix, "schedule_type = 'basic', basic_interval_sec = 60, next_run_at = "
             "'2026-08-01T12:30:00Z'");
    const char *answer = call(fix, "GET", PATH, NULL, 200);
    g_assert_cmpstr(config_at(fix, answer, "nextRuns", "9", NULL), ==, "2026-08-01T12:39:00Z");
    g_assert_cmpstr(member(fix, answer, "intervalSeconds"), ==, "60");
    assert_lacks(answer, "cronExpression");
    assert_lacks(answer, "12:40");
}

static void
test_refused(Fixture *fix, gconstpointer data)
{
    assert_has(call(fix, "GET", PATH "?count=0", NULL, 400), "count");
    assert_has(call(fix, "GET", PATH "?count=1001", NULL, 400), "count");
    call(fix, "GET", "/api/v1/sluice/connections/" NO_ID "/next-runs", NULL, 404);
}

void
config_add_next_run_cases(void)
{
    CONFIG_CASE("next-run/times", test_times);
    CONFIG_CASE("next-run/refused", test_refused);
}
