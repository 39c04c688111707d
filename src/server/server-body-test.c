/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a body is said with its path, in the words of both APIs: a case for each kind
 * of field and for each place it may stand in. */
#include "config.h"

#include <string.h>

#include "server-fixture.h"

#define PUBLIC "/api/public/v1/"
#define CONFIG "/api/v1/"
#define ENDS "\"sourceId\":\"" FIXTURE_SOURCE "\",\"destinationId\":\"" FIXTURE_DESTINATION "\""
#define STREAMS(streams) "{" ENDS ",\"configurations\":{\"streams\":" streams "}}"
#define IN_WORKSPACE "\"workspaceId\":\"" FIXTURE_WORKSPACE "\""
#define CONFIG_NEW(rest) "{" ENDS ",\"status\":\"active\"" rest "}"
#define PAGE(rest) "{\"workspaceIds\":[],\"pagination\":{" rest "}}"

typedef struct {
    const char *path, *body;
    const char *message; /* its beginning */
} Row;

/* In the order of the kinds: record, string, uuid, enum, integer, boolean, lists. */
static const Row rows[] = {
    {PUBLIC "connections", "[]", "body: expected object"},
    {PUBLIC "connections", "3", "body: expected object"},
    {PUBLIC "connections", "{}", "sourceId: is required"},
    {PUBLIC "connections", "{\"sourceId\":null}", "sourceId: is required"},
    {PUBLIC "connections", "{\"sourceId\":7}", "sourceId: expected string"},
    {PUBLIC "connections", "{\"sourceId\":\"7\"}", "sourceId: '7' is not a UUID"},
    {PUBLIC "connections", "{\"sourceId\":\"" FIXTURE_SOURCE "x\"}", "sourceId: "},
    {PUBLIC "connections", "{\"sourceId\":\"" FIXTURE_SOURCE "\"}", "destinationId: is required"},
    {PUBLIC "connections", "{" ENDS ",\"name\":{}}", "name: expected string"},
    {PUBLIC "connections", "{" ENDS ",\"status\":\"on\"}", "status: expected one of active, "},
    {PUBLIC "connections", "{" ENDS ",\"status\":true}", "status: expected string"},
    {PUBLIC "connections", "{" ENDS ",\"schedule\":\"daily\"}", "schedule: expected object"},
    {PUBLIC "connections", "{" ENDS ",\"schedule\":{}}", "schedule.scheduleType: is required"},
    {PUBLIC "connections", "{" ENDS ",\"schedule\":{\"scheduleType\":\"weekly\"}}",
     "schedule.scheduleType: expected one of manual, cron"},
    {PUBLIC "connections", "{" ENDS ",\"configurations\":[]}", "configurations: expected object"},
    {PUBLIC "connections", STREAMS("{}"), "configurations.streams: expected array"},
    {PUBLIC "connections", STREAMS("[7]"), "configurations.streams[0]: expected object"},
    {PUBLIC "connections", STREAMS("[{\"name\":\"a\"},{}]"),
     "configurations.streams[1].name: is required"},
    {PUBLIC "connections",
     STREAMS("[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\",\"syncMode\":\"all\"}]"),
     "configurations.streams[2].syncMode: expected one of full_refresh_overwrite, "},
    {PUBLIC "connections", STREAMS("[{\"name\":\"a\",\"cursorField\":\"id\"}]"),
     "configurations.streams[0].cursorField: expected array of strings"},
    {PUBLIC "connections", STREAMS("[{\"name\":\"a\",\"cursorField\":[\"id\",7]}]"),
     "configurations.streams[0].cursorField[1]: expected string"},
    {PUBLIC "jobs", "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"jobType\":\"run\"}",
     "jobType: expected one of sync, "},
    {PUBLIC "jobs", "{\"connectionId\":\"" FIXTURE_CONNECTION "\"}", "jobType: is required"},
    {PUBLIC "sources", "{\"name\":\"\"," IN_WORKSPACE ",\"configuration\":{}}",
     "name: must have 1 "},
    {PUBLIC "tags", "{\"name\":\"t\"," IN_WORKSPACE "}", "color: is required"},

    {CONFIG "connections/create", "[]", "body: expected object"},
    {CONFIG "connections/create", "{}", "sourceId: is required"},
    {CONFIG "connections/create", "{\"sourceId\":[]}", "sourceId: expected string"},
    {CONFIG "connections/create", "{\"sourceId\":\"x\"}", "sourceId: 'x' is not a UUID"},
    {CONFIG "connections/create", "{" ENDS "}", "status: is required"},
    {CONFIG "connections/create", "{" ENDS ",\"status\":\"running\"}",
     "status: expected one of active, inactive, deprecated, locked, not 'running'"},
    {CONFIG "connections/create", CONFIG_NEW(",\"scheduleType\":\"hourly\""),
     "scheduleType: expected one of manual, basic, cron, not 'hourly'"},
    {CONFIG "connections/create",
     CONFIG_NEW(",\"scheduleType\":\"basic\",\"scheduleData\":{\"basicSchedule\":{\"units\":1}}"),
     "scheduleData.basicSchedule.timeUnit: is required"},
    {CONFIG "connections/create", CONFIG_NEW(",\"schedule\":{\"timeUnit\":\"hours\",\"units\":0}"),
     "schedule.units: must lie between 1 and 1000000"},
    {CONFIG "connections/create",
     CONFIG_NEW(",\"schedule\":{\"timeUnit\":\"hours\",\"units\":1000001}"),
     "schedule.units: must lie between 1 and 1000000"},
    {CONFIG "connections/create",
     CONFIG_NEW(",\"schedule\":{\"timeUnit\":\"hours\",\"units\":1.5}"),
     "schedule.units: expected integer"},
    {CONFIG "connections/create",
     CONFIG_NEW(",\"schedule\":{\"timeUnit\":\"hours\",\"units\":1e400}"),
     "schedule.units: expected integer"},
    {CONFIG "connections/create",
     CONFIG_NEW(",\"schedule\":{\"timeUnit\":\"hours\",\"units\":99999999999999999999}"),
     "schedule.units: expected integer"},
    {CONFIG "connections/create",
     CONFIG_NEW(",\"schedule\":{\"timeUnit\":\"hours\",\"units\":\"1\"}"),
     "schedule.units: expected integer"},
    {CONFIG "connections/create", CONFIG_NEW(",\"notifySchemaChanges\":\"yes\""),
     "notifySchemaChanges: expected boolean"},
    {CONFIG "connections/create", CONFIG_NEW(",\"notifySchemaChanges\":1"),
     "notifySchemaChanges: expected boolean"},
    {CONFIG "connections/create", CONFIG_NEW(",\"tags\":[{\"tagId\":\"x\"}]"), "tags[0].tagId: "},
    {CONFIG "connections/create", CONFIG_NEW(",\"operationIds\":[1]"),
     "operationIds[0]: expected string"},
    {CONFIG "connections/list_paginated", "{}", "workspaceIds: is required"},
    {CONFIG "connections/list_paginated", "{\"workspaceIds\":\"x\"}",
     "workspaceIds: expected array of strings"},
    {CONFIG "connections/list_paginated", "{\"workspaceIds\":[\"a\",null]}",
     "workspaceIds[1]: expected string"},
    {CONFIG "connections/list_paginated", PAGE("\"pageSize\":\"x\""),
     "pagination.pageSize: expected integer"},
    {CONFIG "connections/list_paginated", PAGE("\"rowOffset\":-1"),
     "pagination.rowOffset: must lie between 0"},
};

/* The path stands at the beginning of the words that each API has for them. */
static void
test_refused(Fixture *fix, gconstpointer data)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gboolean public = g_str_has_prefix(rows[i].path, PUBLIC);
        g_test_message("%s %s", rows[i].path, rows[i].body);
        const char *answer = call(fix, "POST", rows[i].path, rows[i].body, 400);
        const char *words = member(fix, answer, public ? "detail" : "message");
        if (!g_str_has_prefix(words, rows[i].message))
            g_error("%s %s: '%s' does not begin with '%s'", rows[i].path, rows[i].body, words,
                    rows[i].message);
        g_assert_true(g_utf8_validate(answer, -1, NULL));
    }
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from connection"), ==, 1);
}

/* A member that nobody knows changes nothing: clients are newer and older than we are. */
static void
test_unknown(Fixture *fix, gconstpointer data)
{
    call(fix, "PATCH", PUBLIC "connections/" FIXTURE_CONNECTION,
         "{\"name\":\"n\",\"colour\":{\"deep\":[1,{}]},\"\":null}", 200);
    call(fix, "POST", CONFIG "connections/update",
         "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"name\":\"m\",\"colour\":[[]]}", 200);
}

/* What is too long to be shown is not. */
static void
test_long(Fixture *fix, gconstpointer data)
{
    g_autofree char *word = g_strnfill(5000, 'x');
    const char *answer = call(fix, "POST", CONFIG "connections/create",
                              format(fix, "{" ENDS ",\"status\":\"%s\"}", word), 400);
    assert_has(answer, "status: expected one of active, inactive, deprecated, locked\"");
    assert_lacks(answer, "xxxxx");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
    g_test_add("/server/body/refused", Fixture, NULL, setup, test_refused, teardown);
    g_test_add("/server/body/unknown", Fixture, NULL, setup, test_unknown, teardown);
    g_test_add("/server/body/long", Fixture, NULL, setup, test_long, teardown);
    return g_test_run();
}
