/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-test.h"

#include "sl-config.h"

/* What a connection has of its own of [Scheduler]. */

#define POLICY "/api/v1/sluice/connections/" FIXTURE_CONNECTION "/policy"

static void
test_change(Fixture *fix, gconstpointer data)
{
    const char *answer = call(fix, "GET", POLICY, NULL, 200);
    g_assert_cmpstr(member(fix, answer, "properties"), ==, "{}");
    g_assert_cmpstr(config_at(fix, answer, "host", "RetryCompleteTotal", NULL), ==, "10");
    g_assert_cmpstr(config_at(fix, answer, "host", "CatchUp", NULL), ==, "yes");
    queue_fixture_script(fix->server.db, "update connection set schedule_changed = false");
    answer = call(fix, "PATCH", POLICY,
                  "{\"properties\":{\"RetryCompleteTotal\":4,\"WarnAfterSec\":\"36h\"}}", 200);
    g_assert_cmpstr(member(fix, answer, "properties"), ==,
                    "{\"RetryCompleteTotal\":\"4\",\"WarnAfterSec\":\"36h\"}");
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from connection where "
                                                        "schedule_changed"),
                    ==, 0);
    /* what is made up for changes the next run */
    call(fix, "PATCH", POLICY, "{\"properties\":{\"CatchUp\":false,\"RetryCompleteTotal\":null}}",
         200);
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from connection where "
                                                        "schedule_changed"),
                    ==, 1);
    answer = call(fix, "GET", POLICY, NULL, 200);
    g_assert_cmpstr(config_at(fix, answer, "properties", "CatchUp", NULL), ==, "no");
    g_assert_cmpstr(config_at(fix, answer, "properties", "WarnAfterSec", NULL), ==, "36h");
    assert_lacks(member(fix, answer, "properties"), "RetryCompleteTotal");
    /* the timeline says who, once for each change */
    call(fix, "PATCH", POLICY, "{\"properties\":{\"CatchUp\":\"no\"}}", 200);
    answer = config_call(fix, "connections/events/list",
                         "{\"connectionId\":\"" FIXTURE_CONNECTION "\"}", 200);
    g_assert_cmpstr(config_at(fix, answer, "events", "0", "summary", "patches",
                              "RetryCompleteTotal", "from", NULL),
                    ==, "4");
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from connection_event"),
                    ==, 2);
}

/* The host's settings are those of its sluice.conf. */
static void
test_host(Fixture *fix, gconstpointer data)
{
    g_autoptr(SlConfig) config = sl_config_new();
    config->retry_complete_total = 77;
    config->retry_backoff_max_usec = 5 * (gint64)G_USEC_PER_SEC;
    fix->server.config = config;
    const char *answer = call(fix, "GET", POLICY, NULL, 200);
    g_assert_cmpstr(config_at(fix, answer, "host", "RetryCompleteTotal", NULL), ==, "77");
    assert_has(call(fix, "PATCH", POLICY, "{\"properties\":{\"RetryBackoffMinSec\":\"9s\"}}", 400),
               "RetryBackoffMinSec= is above");
    fix->server.config = NULL;
}

static void
test_refused(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *body, *message;
    } cases[] = {
        {"{}", "properties"},
        {"{\"properties\":7}", "properties"},
        {"{\"properties\":{\"RetryTotal\":1}}", "properties.RetryTotal: no property"},
        {"{\"properties\":{\"LeaseSec\":1}}", "properties.LeaseSec: no property"},
        {"{\"properties\":{\"RetryCompleteTotal\":\"-1\"}}", "out of range"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_has(call(fix, "PATCH", POLICY, cases[i].body, 400), cases[i].message);
    call(fix, "GET", "/api/v1/sluice/connections/" NO_ID "/policy", NULL, 404);
    call(fix, "PATCH", "/api/v1/sluice/connections/" NO_ID "/policy", "{\"properties\":{}}", 404);
}

void
config_add_policy_cases(void)
{
    CONFIG_CASE("policy/change", test_change);
    CONFIG_CASE("policy/host", test_host);
    CONFIG_CASE("policy/refused", test_refused);
}
