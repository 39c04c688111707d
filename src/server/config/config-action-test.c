/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-test.h"

#include <string.h>

#define ACTIONS "/api/v1/sluice/connections/" FIXTURE_CONNECTION "/actions"

/* Each member for itself; the timeline says who did it, and nothing when nothing changes. */
static void
test_change(Fixture *fix, gconstpointer data)
{
    const char *answer = call(fix, "GET", ACTIONS, NULL, 200);
    g_assert_cmpstr(member(fix, answer, "onSyncSuccess"), ==, "");
    call(fix, "PATCH", ACTIONS, "{\"onSyncSuccess\":\"http://dbt/run\"}", 200);
    answer = call(fix, "PATCH", ACTIONS, "{\"onSyncFailure\":\"https://host/x?y=1\"}", 200);
    g_assert_cmpstr(member(fix, answer, "onSyncSuccess"), ==, "http://dbt/run");
    g_assert_cmpstr(member(fix, answer, "onSyncFailure"), ==, "https://host/x?y=1");
    call(fix, "PATCH", ACTIONS, "{\"onSyncFailure\":\"https://host/x?y=1\"}", 200);
    call(fix, "PATCH", ACTIONS, "{\"onSyncFailure\":\"\"}", 200);
    answer = config_call(fix, "connections/events/list",
                         "{\"connectionId\":\"" FIXTURE_CONNECTION "\"}", 200);
    g_assert_cmpstr(
        config_at(fix, answer, "events", "0", "summary", "patches", "onSyncFailure", "to", NULL),
        ==, "");
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from connection_event"),
                    ==, 3);
}

static void
test_refused(Fixture *fix, gconstpointer data)
{
    static const char *const bad[] = {"dbt",      "../x.service", "a b.service",
                                      "ftp://x/", "http://",      "x.socket",
                                      ".service", "@.service",    "x;y.service"};
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        const char *body = format(fix, "{\"onSyncFailure\":\"%s\"}", bad[i]);
        assert_has(call(fix, "PATCH", ACTIONS, body, 400), "onSyncFailure");
    }
    assert_has(call(fix, "PATCH", ACTIONS, "{\"onSyncFailure\":\"dbt@.service\"}", 400),
               "not among [PostSync] Units= of this host's sluice.conf, which is empty");
    fix->server.post_sync_units = "dbt@.service report.target";
    assert_has(call(fix, "PATCH", ACTIONS, "{\"onSyncSuccess\":\"dbt@root.service\"}", 400),
               "onSyncSuccess: unit 'dbt@root.service' is not among");
    call(fix, "GET", "/api/v1/sluice/connections/" NO_ID "/actions", NULL, 404);
    call(fix, "PATCH", "/api/v1/sluice/connections/" NO_ID "/actions", "{}", 404);
}

/* Of the units that the administrator has listed. */
static void
test_units(Fixture *fix, gconstpointer data)
{
    fix->server.post_sync_units = "dbt@.service report.target";
    call(fix, "PATCH", ACTIONS,
         "{\"onSyncSuccess\":\"dbt@.service\",\"onSyncFailure\":\"report.target\"}", 200);
    const char *answer = call(fix, "GET", ACTIONS, NULL, 200);
    g_assert_cmpstr(member(fix, answer, "onSyncSuccess"), ==, "dbt@.service");
    g_assert_cmpstr(member(fix, answer, "onSyncFailure"), ==, "report.target");
}

void
config_add_action_cases(void)
{
    CONFIG_CASE("action/change", test_change);
    CONFIG_CASE("action/refused", test_refused);
    CONFIG_CASE("action/units", test_units);
}
