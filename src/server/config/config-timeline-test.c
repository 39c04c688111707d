/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-test.h"

#include <string.h>

#include "sl-queue.h"

#define ME "\"connectionId\":\"" FIXTURE_CONNECTION "\""
#define ANY_TIME                                                                                   \
    "\"createdAtStart\":\"2000-01-01T00:00:00Z\",\"createdAtEnd\":\"2100-01-01T00:00:00Z\""

/* Job 1 succeeded and job 2 was cancelled before there was a timeline, 3 ended on another day. */
static void
make_jobs(Fixture *fix)
{
    queue_fixture_script(
        fix->server.db,
        "insert into job (config_type, scope, workspace_id, status, created_at, started_at,"
        " updated_at, finished_at) select kind, '" FIXTURE_CONNECTION "', '" FIXTURE_WORKSPACE
        "', status, at::timestamptz, at::timestamptz, at::timestamptz, at::timestamptz from"
        " (values ('sync', 'succeeded', '2026-08-01T10:00:00Z'),"
        " ('clear', 'cancelled', '2026-08-01T11:00:00Z'),"
        " ('refresh', 'failed', '2026-08-02T11:00:00Z')) v (kind, status, at);"
        "insert into attempt (job_id, attempt_number, status, log_path, created_at, updated_at,"
        " ended_at) values (1, 0, 'succeeded', '1/0.ndjson', now(), now(), now());"
        "insert into attempt_stats (job_id, attempt_number, namespace, stream, records_committed,"
        " bytes_committed, updated_at) values (1, 0, '', '', 7, 70, now()),"
        " (1, 0, 'n', 'users', 5, 50, now()), (1, 0, '', 'orders', 2, 20, now())");
}

static guint
count(Fixture *fix, const char *verb, const char *body)
{
    const char *answer = config_call(fix, verb, body, 200);
    g_autoptr(SlJsonDoc) doc = sl_json_read(answer, strlen(answer), NULL, NULL);
    return sl_json_get(doc, sl_json_root(doc), "events")->count;
}

static void
test_backfill_and_list(Fixture *fix, gconstpointer data)
{
    make_jobs(fix);
    g_assert_cmpuint(count(fix, "connections/events/list", "{" ME "}"), ==, 0);
    for (int i = 0; i < 2; i++) /* twice is once */
        config_call(fix, "connections/events/backfill",
                    "{" ME ",\"createdAtStart\":\"2026-08-01T00:00:00Z\","
                    "\"createdAtEnd\":\"2026-08-01T23:00:00Z\"}",
                    200);
    const char *answer = config_call(fix, "connections/events/list", "{" ME "}", 200);
    g_assert_cmpstr(config_at(fix, answer, "events", "0", "eventType", NULL), ==,
                    "CLEAR_CANCELLED");
    g_assert_cmpstr(config_at(fix, answer, "events", "1", "eventType", NULL), ==, "SYNC_SUCCEEDED");
    g_assert_cmpstr(config_at(fix, answer, "events", "1", "createdAt", NULL), ==, "1785578400");
    g_assert_cmpstr(config_at(fix, answer, "events", "1", "summary", "bytesLoaded", NULL), ==,
                    "70");
    g_assert_cmpuint(count(fix, "connections/events/list", "{" ME "}"), ==, 2);

    /* types, times and pages */
    static const struct {
        const char *members;
        guint expected;
    } cases[] = {
        {"\"eventTypes\":[\"SYNC_SUCCEEDED\",\"SYNC_FAILED\"]", 1},
        {"\"eventTypes\":[]", 2},
        {"\"eventTypes\":[\"CONNECTION_ENABLED\"]", 0},
        {"\"createdAtStart\":\"2026-08-01T10:30:00Z\"", 1},
        {"\"createdAtEnd\":\"2026-08-01T10:00:00Z\"", 1},
        {"\"pagination\":{\"pageSize\":1}", 1},
        {"\"pagination\":{\"pageSize\":5,\"rowOffset\":2}", 0},
        {ANY_TIME, 2},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *body = format(fix, "{" ME ",%s}", cases[i].members);
        g_test_message("%s", body);
        g_assert_cmpuint(count(fix, "connections/events/list", body), ==, cases[i].expected);
    }
    answer = config_call(fix, "connections/events/list",
                         "{" ME ",\"pagination\":{\"pageSize\":1,\"rowOffset\":1}}", 200);
    g_assert_cmpstr(config_at(fix, answer, "events", "0", "eventType", NULL), ==, "SYNC_SUCCEEDED");
    g_assert_cmpuint(count(fix, "connections/events/list_for_job", "{\"id\":1}"), ==, 1);

    const char *id = config_at(fix, answer, "events", "0", "id", NULL);
    answer = config_call(fix, "connections/events/get",
                         format(fix, "{" ME ",\"connectionEventId\":\"%s\"}", id), 200);
    g_assert_cmpstr(config_at(fix, answer, "details", "streams", "1", "streamName", NULL), ==,
                    "users");
    g_assert_cmpstr(config_at(fix, answer, "details", "streams", "1", "recordsCommitted", NULL), ==,
                    "5");
}

/* Who does something stands beside it; an account that is gone leaves its id. */
static void
test_users(Fixture *fix, gconstpointer data)
{
    config_call(fix, "connections/sync", "{" ME "}", 200);
    const char *answer = config_call(fix, "connections/events/list", "{" ME "}", 200);
    g_assert_cmpstr(config_at(fix, answer, "events", "0", "eventType", NULL), ==, "SYNC_STARTED");
    g_assert_cmpstr(config_at(fix, answer, "events", "0", "user", "id", NULL), ==,
                    SERVER_DEFAULT_USER);
    g_assert_cmpstr(config_at(fix, answer, "events", "0", "user", "isDeleted", NULL), ==, "false");
    queue_fixture_script(fix->server.db, "update connection_event set user_id = '" NO_ID "'");
    answer = config_call(fix, "connections/events/list", "{" ME "}", 200);
    g_assert_cmpstr(config_at(fix, answer, "events", "0", "user", "id", NULL), ==, NO_ID);
    g_assert_cmpstr(config_at(fix, answer, "events", "0", "user", "isDeleted", NULL), ==, "true");
    queue_fixture_script(fix->server.db, "update connection_event set user_id = null");
    assert_lacks(config_call(fix, "connections/events/list", "{" ME "}", 200), "\"user\"");
}

static void
test_edits(Fixture *fix, gconstpointer data)
{
    call(fix, "PATCH", "/api/public/v1/connections/" FIXTURE_CONNECTION,
         "{\"name\":\"new\",\"status\":\"inactive\"}", 200);
    call(fix, "PATCH", "/api/public/v1/connections/" FIXTURE_CONNECTION, "{\"name\":\"new\"}", 200);
    const char *answer = config_call(fix, "connections/events/list", "{" ME "}", 200);
    g_assert_cmpuint(count(fix, "connections/events/list", "{" ME "}"), ==, 2);
    g_assert_cmpstr(config_at(fix, answer, "events", "0", "eventType", NULL), ==,
                    "CONNECTION_DISABLED");
    g_assert_cmpstr(config_at(fix, answer, "events", "1", "summary", "patches", "name", "to", NULL),
                    ==, "new");
}

static void
test_minimal(Fixture *fix, gconstpointer data)
{
    static const char workspace[] = "\"workspaceId\":\"" FIXTURE_WORKSPACE "\"," ANY_TIME;
    make_jobs(fix);
    config_call(fix, "connections/events/backfill", "{" ME "," ANY_TIME "}", 200);
    const char *answer =
        config_call(fix, "connections/events/list_minimal",
                    format(fix, "{%s,\"eventTypes\":[\"REFRESH_FAILED\"]}", workspace), 200);
    g_assert_cmpstr(config_at(fix, answer, "events", "0", "connectionName", NULL), ==, "c");
    g_assert_cmpstr(config_at(fix, answer, "events", "0", "eventType", NULL), ==, "REFRESH_FAILED");
    g_assert_cmpuint(count(fix, "connections/events/list_minimal",
                           format(fix, "{%s,\"eventTypes\":[]}", workspace)),
                     ==, 3);
}

static void
test_refused(Fixture *fix, gconstpointer data)
{
    config_refused(fix, "connections/events/list", "{" ME ",\"eventTypes\":[\"SYNC\"]}", 400,
                   "eventTypes: there is no 'SYNC'");
    config_refused(fix, "connections/events/list", "{\"connectionId\":\"" NO_ID "\"}", 404, NO_ID);
    config_refused(fix, "connections/events/list", "{" ME ",\"pagination\":{\"pageSize\":0}}", 400,
                   "pageSize");
    config_refused(fix, "connections/events/get", "{" ME ",\"connectionEventId\":\"" NO_ID "\"}",
                   404, NO_ID);
    config_refused(fix, "connections/events/list_for_job", "{\"id\":99}", 404, "99");
    config_refused(fix, "connections/events/backfill", "{" ME "}", 400, "createdAtStart");
}

void
config_add_timeline_cases(void)
{
    CONFIG_CASE("timeline/list", test_backfill_and_list);
    CONFIG_CASE("timeline/users", test_users);
    CONFIG_CASE("timeline/edits", test_edits);
    CONFIG_CASE("timeline/minimal", test_minimal);
    CONFIG_CASE("timeline/refused", test_refused);
}
