/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-test.h"

#define CONNECTION "{\"connectionId\":\"" FIXTURE_CONNECTION "\"}"
#define WORKSPACE "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\"}"
#define SIDES "\"sourceId\":\"" FIXTURE_SOURCE "\",\"destinationId\":\"" FIXTURE_DESTINATION "\""
#define STREAM(name, mode, to, more)                                                               \
    "{\"stream\":{\"name\":\"" name "\",\"jsonSchema\":{\"properties\":{\"id\":{}}},"              \
    "\"supportedSyncModes\":[\"full_refresh\",\"incremental\"]},\"config\":{\"syncMode\":\"" mode  \
    "\",\"destinationSyncMode\":\"" to "\",\"selected\":true,\"cursorField\":[\"id\"]" more "}}"
#define CATALOG(streams) "\"syncCatalog\":{\"streams\":[" streams "]}"
#define USERS STREAM("users", "full_refresh", "overwrite", "")

static const char *
created(Fixture *fix, const char *members)
{
    return config_call(fix, "connections/create",
                       format(fix, "{" SIDES ",\"status\":\"active\"%s}", members), 200);
}

/* --- create and read
 * -------------------------------------------------------------------------------
 */

static void
test_create(Fixture *fix, gconstpointer data)
{
    const char *answer = created(fix, "," CATALOG(USERS) ",\"prefix\":\"p_\"");
    g_assert_cmpstr(member(fix, answer, "name"), ==, "s <> d");
    /* the public API's default is destination */
    g_assert_cmpstr(member(fix, answer, "namespaceDefinition"), ==, "source");
    g_assert_cmpstr(member(fix, answer, "scheduleType"), ==, "manual");
    g_assert_cmpstr(member(fix, answer, "prefix"), ==, "p_");
    assert_has(answer, "\"created_at\":");
    assert_lacks(answer, "\"schedule\"");
    g_assert_cmpstr(config_at(fix, answer, "syncCatalog", "streams", "0", "stream", "name", NULL),
                    ==, "users");
    g_assert_cmpstr(
        config_at(fix, answer, "syncCatalog", "streams", "0", "config", "selected", NULL), ==,
        "true");
    const char *again = config_call(
        fix, "connections/get",
        format(fix, "{\"connectionId\":\"%s\"}", member(fix, answer, "connectionId")), 200);
    g_assert_cmpstr(again, ==, answer);
    /* without streams: none, and nothing is discovered */
    answer = created(fix, "");
    g_assert_cmpstr(config_at(fix, answer, "syncCatalog", "streams", NULL), ==, "[]");
}

static void
test_schedules(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *members, *type, *unit, *units;
    } good[] = {
        {",\"schedule\":{\"timeUnit\":\"minutes\",\"units\":120}", "basic", "hours", "2"},
        {",\"scheduleType\":\"basic\",\"scheduleData\":{\"basicSchedule\":{\"timeUnit\":\"weeks\","
         "\"units\":1}}",
         "basic", "days", "7"},
        {",\"scheduleType\":\"basic\",\"scheduleData\":{\"basicSchedule\":{\"timeUnit\":"
         "\"minutes\","
         "\"units\":90}}",
         "basic", "minutes", "90"},
        {",\"scheduleType\":\"manual\",\"scheduleData\":null", "manual", NULL, NULL},
        {",\"scheduleType\":\"cron\",\"scheduleData\":{\"cron\":{\"cronExpression\":\"0 0 6 * * "
         "?\","
         "\"cronTimeZone\":\"Europe/Berlin\"}}",
         "cron", NULL, NULL},
    };
    static const struct {
        const char *members, *message;
        guint status;
    } bad[] = {
        {",\"schedule\":{\"timeUnit\":\"hours\",\"units\":1},\"scheduleType\":\"manual\"",
         "schedule: not together", 422},
        {",\"scheduleType\":\"manual\",\"scheduleData\":{\"basicSchedule\":{\"timeUnit\":\"hours\","
         "\"units\":1}}",
         "not with scheduleType manual", 400},
        {",\"scheduleType\":\"basic\"", "basicSchedule: is required", 400},
        {",\"scheduleType\":\"cron\"", "cron: is required", 400},
        {",\"scheduleData\":{}", "not without scheduleType", 400},
        {",\"scheduleType\":\"cron\",\"scheduleData\":{\"cron\":{\"cronExpression\":\"* * * * *\","
         "\"cronTimeZone\":\"UTC\"}}",
         "cronExpression", 400},
        {",\"schedule\":{\"timeUnit\":\"hours\",\"units\":0}", "units", 400},
    };
    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        const char *answer = created(fix, good[i].members);
        g_assert_cmpstr(member(fix, answer, "scheduleType"), ==, good[i].type);
        if (good[i].unit == NULL) {
            assert_lacks(answer, "\"schedule\"");
            continue;
        }
        g_assert_cmpstr(config_at(fix, answer, "schedule", "timeUnit", NULL), ==, good[i].unit);
        g_assert_cmpstr(config_at(fix, answer, "scheduleData", "basicSchedule", "units", NULL), ==,
                        good[i].units);
    }
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        config_refused(fix, "connections/create",
                       format(fix, "{" SIDES ",\"status\":\"active\"%s}", bad[i].members),
                       bad[i].status, bad[i].message);
}

static void
test_refused(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *members, *message;
        guint status;
    } bad[] = {
        {SIDES, "status", 400},
        {SIDES ",\"status\":\"queued\"", "status", 400},
        {SIDES ",\"status\":\"locked\"", "locked", 400},
        {"\"sourceId\":\"" NO_ID "\",\"destinationId\":\"" FIXTURE_DESTINATION
         "\",\"status\":\"active\"",
         NO_ID, 404},
        {SIDES ",\"status\":\"active\",\"namespaceDefinition\":\"custom_format\"",
         "namespaceDefinition", 400},
        {SIDES ",\"status\":\"active\",\"namespaceDefinition\":\"customformat\"", "namespaceFormat",
         400},
        {SIDES ",\"status\":\"active\",\"operationIds\":[\"x\"]", "operationIds", 501},
        {SIDES ",\"status\":\"active\",\"tags\":[{\"tagId\":\"" NO_ID "\",\"name\":\"x\",\"color\":"
               "\"000000\",\"workspaceId\":\"" FIXTURE_WORKSPACE "\"}]",
         NO_ID, 400},
        {SIDES ",\"status\":\"active\"," CATALOG(STREAM("u", "full_refresh", "nowhere", "")),
         "destinationSyncMode", 400},
        {SIDES ",\"status\":\"active\"," CATALOG(STREAM("u", "full_refresh", "update", "")),
         "cannot do", 400},
        {SIDES ",\"status\":\"active\"," CATALOG(STREAM("u", "incremental", "overwrite", "")), "u",
         400},
    };
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        config_refused(fix, "connections/create", format(fix, "{%s}", bad[i].members),
                       bad[i].status, bad[i].message);
}

static void
test_lists(Fixture *fix, gconstpointer data)
{
    const char *other = member(fix, created(fix, ""), "connectionId");
    assert_has(config_call(fix, "connections/list", WORKSPACE, 200), other);
    config_call(fix, "connections/delete", format(fix, "{\"connectionId\":\"%s\"}", other), 204);
    assert_lacks(config_call(fix, "connections/list", WORKSPACE, 200), other);
    assert_has(config_call(fix, "connections/list_all", WORKSPACE, 200), other);
    static const char pages[] = "{\"workspaceIds\":[\"" FIXTURE_WORKSPACE "\"],\"pagination\":{"
                                "\"pageSize\":1},\"includeDeleted\":%s}";
    const char *answer =
        config_call(fix, "connections/list_paginated", format(fix, pages, "true"), 200);
    assert_has(answer, FIXTURE_CONNECTION);
    assert_lacks(answer, other);
    config_refused(fix, "connections/list_paginated", "{\"workspaceIds\":[],\"tagIds\":[\"x\"]}",
                   400, "tagIds");
    config_refused(fix, "connections/list", "{}", 400, "workspaceId");
    /* it is there, and says what became of it; again is no error */
    answer =
        config_call(fix, "connections/get", format(fix, "{\"connectionId\":\"%s\"}", other), 200);
    g_assert_cmpstr(member(fix, answer, "status"), ==, "deprecated");
    config_call(fix, "connections/delete", format(fix, "{\"connectionId\":\"%s\"}", other), 204);
    config_refused(fix, "connections/get", "{\"connectionId\":\"" NO_ID "\"}", 404, NO_ID);
}

/* --- change --------------------------------------------------------------------------------------
 */

static void
test_update(Fixture *fix, gconstpointer data)
{
    const char *id = member(fix, created(fix, "," CATALOG(USERS)), "connectionId");
    const char *answer = config_call(
        fix, "connections/update",
        format(fix, "{\"connectionId\":\"%s\",\"name\":\"n\",\"status\":\"inactive\"}", id), 200);
    g_assert_cmpstr(member(fix, answer, "name"), ==, "n");
    g_assert_cmpstr(member(fix, answer, "status"), ==, "inactive");
    /* absent: as it is */
    assert_has(answer, "\"users\"");
    queue_fixture_script(
        fix->server.db,
        format(fix,
               "insert into state (connection_id, stream, type, state, updated_at) values"
               " ('%s', 'users', 'STREAM', '{}', now())",
               id));
    /* the state of a mode that it has no more is worthless */
    config_call(fix, "connections/update",
                format(fix,
                       "{\"connectionId\":\"%s\"," CATALOG(
                           STREAM("users", "incremental", "append", "")) "}",
                       id),
                200);
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from state"), ==, 0);
    static const struct {
        const char *members, *message;
        guint status;
    } bad[] = {
        {"\"schedule\":{\"timeUnit\":\"hours\",\"units\":1}", "read only", 400},
        {"\"scheduleData\":{}", "not without scheduleType", 400},
        {"\"syncCatalog\":{\"streams\":3}", "streams", 400},
        {"\"operationIds\":[\"x\"]", "operationIds", 501},
    };
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        config_refused(fix, "connections/update",
                       format(fix, "{\"connectionId\":\"%s\",%s}", id, bad[i].members),
                       bad[i].status, bad[i].message);
    queue_fixture_script(fix->server.db, "update connection set status = 'locked'");
    config_refused(fix, "connections/update", CONNECTION, 409, "locked");
    config_refused(fix, "connections/update", "{\"connectionId\":\"" NO_ID "\"}", 404, NO_ID);
}

/* --- runs ----------------------------------------------------------------------------------------
 */

static void
test_sync(Fixture *fix, gconstpointer data)
{
    const char *answer = config_call(fix, "connections/sync", CONNECTION, 200);
    g_assert_cmpstr(config_at(fix, answer, "job", "configId", NULL), ==, FIXTURE_CONNECTION);
    g_assert_cmpstr(config_at(fix, answer, "job", "configType", NULL), ==, "sync");
    /* never queued, and clients look at the last attempt at once */
    g_assert_cmpstr(config_at(fix, answer, "job", "status", NULL), ==, "pending");
    g_assert_cmpstr(config_at(fix, answer, "attempts", "0", "attempt", "recordsSynced", NULL), ==,
                    "0");
    g_assert_cmpstr(config_at(fix, answer, "attempts", "0", "logs", "logLines", NULL), ==, "[]");
    queue_fixture_script(fix->server.db, "update job set status = 'running'");
    config_refused(fix, "connections/sync", CONNECTION, 409, "already running");
    queue_fixture_script(fix->server.db, "update job set status = 'succeeded', finished_at = now();"
                                         "update connection set status = 'inactive'");
    config_refused(fix, "connections/sync", CONNECTION, 409, "not active");
    config_refused(fix, "connections/sync", "{\"connectionId\":\"" NO_ID "\"}", 404, NO_ID);
    config_refused(fix, "connections/sync", "{}", 400, "connectionId");
}

static void
test_wipe(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *verb, *type;
    } cases[] = {{"reset", "reset_connection"}, {"clear", "clear"}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *verb = format(fix, "connections/%s", cases[i].verb);
        const char *answer = config_call(fix, verb, CONNECTION, 200);
        g_assert_cmpstr(config_at(fix, answer, "job", "configType", NULL), ==, cases[i].type);
        const char *streams = format(fix, "connections/%s/stream", cases[i].verb);
        /* none: all */
        answer = config_call(fix, streams,
                             "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"streams\":[]}", 200);
        g_assert_cmpstr(config_at(fix, answer, "job", "configType", NULL), ==, cases[i].type);
        config_refused(fix, streams,
                       "{\"connectionId\":\"" FIXTURE_CONNECTION
                       "\",\"streams\":[{\"streamName\":\"a\"}]}",
                       501, "single streams");
        config_refused(fix, streams, CONNECTION, 400, "streams");
        config_refused(fix, verb, "{\"connectionId\":\"" NO_ID "\"}", 404, NO_ID);
    }
}

static void
test_refresh(Fixture *fix, gconstpointer data)
{
#define REFRESH(mode) "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"refreshMode\":\"" mode "\"}"
    /* the destination knows nothing of generations: no job */
    g_assert_cmpstr(config_call(fix, "connections/refresh", REFRESH("Merge"), 200), ==, "{}");
    queue_fixture_script(fix->server.db, "update actor_definition set supports_refreshes = true");
    const char *answer = config_call(fix, "connections/refresh", REFRESH("Merge"), 200);
    g_assert_cmpstr(config_at(fix, answer, "job", "configType", NULL), ==, "refresh");
    config_refused(fix, "connections/refresh", REFRESH("Truncate"), 501, "Truncate");
    config_refused(fix, "connections/refresh", REFRESH("Reset"), 400, "refreshMode");
    config_refused(fix, "connections/refresh", CONNECTION, 400, "refreshMode");
}

/* --- for pages -----------------------------------------------------------------------------------
 */

static void
test_web(Fixture *fix, gconstpointer data)
{
    const char *id = member(fix, created(fix, "," CATALOG(USERS)), "connectionId");
    const char *one = format(fix, "{\"connectionId\":\"%s\"}", id);
    queue_fixture_script(
        fix->server.db,
        "insert into catalog (catalog_id, actor_id, cache_key, catalog, created_at) values"
        " ('" NO_ID "', '" FIXTURE_SOURCE "', 'k', '{\"streams\":[{\"name\":\"users\","
        "\"json_schema\":{},\"supported_sync_modes\":[\"full_refresh\"]},{\"name\":\"logs\","
        "\"json_schema\":{},\"supported_sync_modes\":[\"full_refresh\"]}]}', now())");
    const char *answer = config_call(fix, "web_backend/connections/get", one, 200);
    /* camel case here, and everything that was discovered */
    assert_has(answer, "\"createdAt\":");
    g_assert_cmpstr(member(fix, answer, "catalogId"), ==, NO_ID);
    assert_has(answer, "\"logs\"");
    assert_lacks(config_call(fix, "connections/get", one, 200), "\"logs\"");
    g_assert_cmpstr(config_at(fix, answer, "source", "sourceId", NULL), ==, FIXTURE_SOURCE);
    g_assert_cmpstr(config_at(fix, answer, "destination", "destinationName", NULL), ==, "d");
    g_assert_cmpstr(member(fix, answer, "isSyncing"), ==, "false");
    g_assert_cmpstr(member(fix, answer, "schemaChange"), ==, "no_change");
    config_call(fix, "connections/sync", one, 200);
    answer = config_call(fix, "web_backend/connections/get", one, 200);
    g_assert_cmpstr(member(fix, answer, "isSyncing"), ==, "true");
    g_assert_cmpstr(member(fix, answer, "latestSyncJobStatus"), ==, "pending");
    /* what PyAirbyte sends: the catalog back, with members that nobody knows */
    const char *catalog = member(fix, answer, "syncCatalog");
    answer = config_call(fix, "web_backend/connections/update",
                         format(fix,
                                "{\"connectionId\":\"%s\",\"skipReset\":true,\"unknown\":1,"
                                "\"syncCatalog\":%s}",
                                id, catalog),
                         200);
    g_assert_cmpstr(member(fix, answer, "syncCatalog"), ==, catalog);
    answer = config_call(fix, "web_backend/connections/create",
                         "{" SIDES ",\"status\":\"inactive\"," CATALOG(USERS) "}", 200);
    g_assert_cmpstr(member(fix, answer, "status"), ==, "inactive");
    config_refused(fix, "web_backend/connections/get", "{\"connectionId\":\"" NO_ID "\"}", 404,
                   NO_ID);
    config_refused(fix, "web_backend/connections/update", "{}", 400, "connectionId");
    config_refused(fix, "web_backend/connections/create", "{}", 400, "sourceId");
}

static void
test_web_refreshed(Fixture *fix, gconstpointer data)
{
    const char *id = member(fix, created(fix, "," CATALOG(USERS)), "connectionId");
    fix->job_output = "{\"catalog\":{\"streams\":[{\"name\":\"news\",\"json_schema\":{},"
                      "\"supported_sync_modes\":[\"full_refresh\"]}]}}";
    const char *answer = config_call(
        fix, "web_backend/connections/get",
        format(fix, "{\"connectionId\":\"%s\",\"withRefreshedCatalog\":true}", id), 200);
    assert_has(member(fix, answer, "syncCatalog"), "\"news\"");
    assert_has(member(fix, answer, "catalogDiff"), "add_stream");
    g_assert_cmpstr(member(fix, answer, "schemaChange"), ==, "non_breaking");
}

void
config_add_connection_cases(void)
{
    CONFIG_CASE("connections/create", test_create);
    CONFIG_CASE("connections/schedules", test_schedules);
    CONFIG_CASE("connections/refused", test_refused);
    CONFIG_CASE("connections/lists", test_lists);
    CONFIG_CASE("connections/update", test_update);
    CONFIG_CASE("connections/sync", test_sync);
    CONFIG_CASE("connections/wipe", test_wipe);
    CONFIG_CASE("connections/refresh", test_refresh);
    CONFIG_CASE("connections/web", test_web);
    CONFIG_CASE("connections/web/refreshed", test_web_refreshed);
}
