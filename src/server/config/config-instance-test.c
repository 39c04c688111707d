/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-test.h"

#include <string.h>

#define WORKSPACE "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\"}"

static void
test_instance(Fixture *fix, gconstpointer data)
{
    const char *answer = call(fix, "GET", "/api/v1/instance_configuration", NULL, 200);
    g_assert_cmpstr(member(fix, answer, "edition"), ==, "community");
    g_assert_cmpstr(member(fix, answer, "airbyteUrl"), ==, "http://localhost:8000");
    g_assert_cmpstr(member(fix, answer, "initialSetupComplete"), ==, "false");
    g_assert_cmpstr(member(fix, answer, "defaultUserId"), ==, SERVER_DEFAULT_USER);
    g_assert_cmpstr(member(fix, answer, "defaultWorkspaceId"), ==, FIXTURE_WORKSPACE);
    g_assert_cmpstr(config_at(fix, answer, "auth", "mode", NULL), ==, "simple");
    answer = config_call(fix, "instance_configuration/setup",
                         "{\"email\":\"me@example.org\",\"anonymousDataCollection\":false,"
                         "\"initialSetupComplete\":true,\"displaySetupWizard\":false,"
                         "\"organizationName\":\"Mine\",\"userName\":\"I\"}",
                         200);
    g_assert_cmpstr(member(fix, answer, "defaultOrganizationEmail"), ==, "me@example.org");
    /* nobody can log in yet, whatever the caller says */
    g_assert_cmpstr(member(fix, answer, "initialSetupComplete"), ==, "false");
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from account where email ="
                                                        " 'me@example.org' and name = 'I'"),
                    ==, 1);
    config_refused(fix, "instance_configuration/setup",
                   "{\"email\":\"nobody\",\"anonymousDataCollection\":false,"
                   "\"initialSetupComplete\":true,\"displaySetupWizard\":false}",
                   400, "email");
    config_refused(fix, "instance_configuration/setup", "{}", 400, "email");
}

static void
test_small(Fixture *fix, gconstpointer data)
{
    const char *answer = config_call(fix, "deployment/metadata", "{}", 200);
    g_assert_cmpuint(strlen(member(fix, answer, "id")), ==, 36);
    g_assert_cmpstr(member(fix, answer, "version"), ==, PACKAGE_VERSION);
    g_assert_cmpstr(config_call(fix, "deployment/metadata", NULL, 200), ==, answer);
    answer = config_call(fix, "web_backend/check_updates", NULL, 200);
    g_assert_cmpstr(member(fix, answer, "sourceDefinitions"), ==, "0");
    answer = call(fix, "GET", "/api/v1/health/", NULL, 200);
    g_assert_cmpstr(member(fix, answer, "available"), ==, "true");
    answer = config_call(fix, "web_backend/workspace/state", WORKSPACE, 200);
    g_assert_cmpstr(member(fix, answer, "hasConnections"), ==, "true");
    queue_fixture_script(fix->server.db, "update connection set status = 'deprecated';"
                                         "update actor set tombstone = true where actor_type ="
                                         " 'source'");
    answer = config_call(fix, "web_backend/workspace/state", WORKSPACE, 200);
    g_assert_cmpstr(member(fix, answer, "hasConnections"), ==, "false");
    g_assert_cmpstr(member(fix, answer, "hasSources"), ==, "false");
    g_assert_cmpstr(member(fix, answer, "hasDestinations"), ==, "true");
    config_refused(fix, "web_backend/workspace/state", "{}", 400, "workspaceId");
}

static void
test_cron(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *expression, *description;
    } good[] = {
        {"0 30 6 * * ?", "At 06:30, every day"},
        {"0 0 6 ? * MON-FRI", "At 06:00, on MON-FRI"},
        {"0 0 6 1 1 ?", "At 06:00, on day 1 of the month, in month 1"},
        {"0 * * * * ?", "Every minute, every day"},
        {"0 0/15 * * * ?", "Every 15 minutes, every day"},
        {"0 5 * * * ?", "At minute 5 of every hour, every day"},
        {"0 5 */2 * * ?", "At minute 5, every 2 hours, every day"},
        {"7 1,2 3-5 * * ?", "At minutes 1,2, hours 3-5, second 7, every day"},
        {"0 0 6 * * ? 2090", "At 06:00, every day, in 2090"},
    };
    static const char *const bad[] = {"", "* * * * *", "0 0 25 * * ?", "* * * * * ?"};
    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        const char *answer =
            config_call(fix, "web_backend/describe_cron_expression",
                        format(fix, "{\"cronExpression\":\"%s\"}", good[i].expression), 200);
        g_assert_cmpstr(member(fix, answer, "description"), ==, good[i].description);
        g_assert_cmpstr(member(fix, answer, "cronExpression"), ==, good[i].expression);
        gint64 now = g_get_real_time() / G_USEC_PER_SEC, last = now - 60;
        for (guint j = 0; j < 3; j++) {
            const char *time = config_at(fix, answer, "nextExecutions", format(fix, "%u", j), NULL);
            g_assert_cmpint(g_ascii_strtoll(time, NULL, 10), >, last);
            last = g_ascii_strtoll(time, NULL, 10);
        }
    }
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        config_refused(fix, "web_backend/describe_cron_expression",
                       format(fix, "{\"cronExpression\":\"%s\"}", bad[i]), 400, "cronExpression");
    config_refused(fix, "web_backend/describe_cron_expression", "{}", 400, "cronExpression");
}

/* Noon in a place that has no summer time is another second of the day than noon in UTC. */
static void
test_cron_zone(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *zone;
        gint64 hour;
    } zones[] = {{"UTC", 12}, {"Asia/Tokyo", 3}, {"America/Bogota", 17}};
    for (guint i = 0; i < G_N_ELEMENTS(zones); i++) {
        const char *answer =
            config_call(fix, "web_backend/describe_cron_expression",
                        format(fix, "{\"cronExpression\":\"0 0 12 * * ?\",\"cronTimeZone\":\"%s\"}",
                               zones[i].zone),
                        200);
        const char *time = config_at(fix, answer, "nextExecutions", "0", NULL);
        g_assert_cmpint(g_ascii_strtoll(time, NULL, 10) % 86400, ==, zones[i].hour * 3600);
    }
    config_refused(fix, "web_backend/describe_cron_expression",
                   "{\"cronExpression\":\"0 0 12 * * ?\",\"cronTimeZone\":\"Middle/Earth\"}", 400,
                   "Middle/Earth");
}

void
config_add_instance_cases(void)
{
    CONFIG_CASE("instance", test_instance);
    CONFIG_CASE("instance/small", test_small);
    CONFIG_CASE("cron", test_cron);
    CONFIG_CASE("cron/zone", test_cron_zone);
}
