/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-test.h"

#include <string.h>

#include "sl-queue.h"
#include "sl-sql.h"

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

/* --- what is only kept; search -------------------------------------------------------------------
 */

#define REQUIREMENTS "{\"cpu_limit\":\"2\",\"memory_limit\":\"1Gi\"}"

/* Given back as it came, by both operations that read it, and untouched by other updates. */
static void
test_settings(Fixture *fix, gconstpointer data)
{
    static const char *const names[] = {"notifySchemaChanges", "notifySchemaChangesByEmail",
                                        "resourceRequirements"};
    static const char *const verbs[] = {"connections/get", "web_backend/connections/get"};
    const struct {
        const char *members, *values[3];
    } steps[] = {
        {"\"name\":\"a\"", {"true", "true", NULL}},
        {"\"notifySchemaChanges\":false", {"false", "true", NULL}},
        {"\"resourceRequirements\":" REQUIREMENTS, {"false", "true", REQUIREMENTS}},
        {"\"notifySchemaChangesByEmail\":false,\"notifySchemaChanges\":true",
         {"true", "false", REQUIREMENTS}},
        {"\"name\":\"b\"", {"true", "false", REQUIREMENTS}},
        {"\"resourceRequirements\":{}", {"true", "false", "{}"}},
    };
    const char *id = member(fix, created(fix, ""), "connectionId");
    const char *it = format(fix, "{\"connectionId\":\"%s\"}", id);
    for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
        config_call(fix, i % 2 == 0 ? "connections/update" : "web_backend/connections/update",
                    format(fix, "{\"connectionId\":\"%s\",%s}", id, steps[i].members), 200);
        for (guint v = 0; v < G_N_ELEMENTS(verbs); v++) {
            const char *read = config_call(fix, verbs[v], it, 200);
            for (guint n = 0; n < G_N_ELEMENTS(names); n++)
                if (steps[i].values[n] != NULL)
                    g_assert_cmpstr(member(fix, read, names[n]), ==, steps[i].values[n]);
                else
                    assert_lacks(read, names[n]);
        }
    }
    const char *made =
        created(fix, ",\"notifySchemaChanges\":true,\"resourceRequirements\":" REQUIREMENTS);
    g_assert_cmpstr(member(fix, made, "notifySchemaChanges"), ==, "true");
    g_assert_cmpstr(member(fix, made, "resourceRequirements"), ==, REQUIREMENTS);
    config_refused(
        fix, "connections/update",
        format(fix, "{\"connectionId\":\"%s\",\"resourceRequirements\":{\"cpu_limit\":2}}", id),
        400, "resourceRequirements.cpu_limit");
    /* why the platform has disabled it, until somebody enables it again */
    queue_fixture_script(fix->server.db,
                         "update connection set status = 'inactive', status_reason = 'TOO_MANY'");
    for (guint v = 0; v < G_N_ELEMENTS(verbs); v++)
        g_assert_cmpstr(member(fix, config_call(fix, verbs[v], it, 200), "statusReason"), ==,
                        "TOO_MANY");
    assert_lacks(config_call(fix, "connections/update",
                             format(fix, "{\"connectionId\":\"%s\",\"status\":\"active\"}", id),
                             200),
                 "statusReason");
}

/* find-A is manual, find-B inactive and every two hours, find-C has a cron, find-D is deleted. */
static void
make_some(Fixture *fix)
{
    queue_fixture_script(fix->server.db, "delete from connection");
    created(fix, ",\"name\":\"find-A\"");
    const char *b = created(fix, ",\"name\":\"find-B\",\"prefix\":\"b_\",\"schedule\":"
                                 "{\"timeUnit\":\"hours\",\"units\":2}");
    config_call(fix, "connections/update",
                format(fix, "{\"connectionId\":\"%s\",\"status\":\"inactive\"}",
                       member(fix, b, "connectionId")),
                200);
    created(fix, ",\"name\":\"find-C\",\"namespaceDefinition\":\"customformat\","
                 "\"namespaceFormat\":\"f_${SOURCE_NAMESPACE}\",\"scheduleType\":\"cron\","
                 "\"scheduleData\":{\"cron\":{\"cronExpression\":\"0 0 1 * * ?\","
                 "\"cronTimeZone\":\"UTC\"}}");
    const char *d = created(fix, ",\"name\":\"find-D\"");
    config_call(fix, "connections/delete",
                format(fix, "{\"connectionId\":\"%s\"}", member(fix, d, "connectionId")), 204);
}

static void
test_search(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *body;
        const char *found; /* letters of the names of those that match */
    } cases[] = {
        {"{}", "ABC"},
        {"{\"name\":\"find-a\"}", "A"},
        {"{\"name\":\"FIND-\"}", "ABC"},
        {"{\"name\":\"%\"}", ""},
        {"{\"prefix\":\"b_\"}", "B"},
        {"{\"prefix\":\"b\"}", ""},
        {"{\"status\":\"inactive\"}", "B"},
        {"{\"status\":\"deprecated\"}", "D"},
        {"{\"scheduleType\":\"manual\"}", "A"},
        {"{\"scheduleType\":\"cron\"}", "C"},
        {"{\"schedule\":{\"timeUnit\":\"minutes\",\"units\":120}}", "B"},
        {"{\"scheduleData\":{\"basicSchedule\":{\"timeUnit\":\"hours\",\"units\":2}}}", "B"},
        {"{\"scheduleData\":{\"cron\":{\"cronExpression\":\"0 0 1 * * ?\",\"cronTimeZone\":"
         "\"UTC\"}}}",
         "C"},
        {"{\"namespaceDefinition\":\"customformat\"}", "C"},
        {"{\"namespaceFormat\":\"f_${SOURCE_NAMESPACE}\"}", "C"},
        {"{\"sourceId\":\"" FIXTURE_SOURCE "\"}", "ABC"},
        {"{\"sourceId\":\"" FIXTURE_DESTINATION "\"}", ""},
        {"{\"destinationId\":\"" FIXTURE_DESTINATION "\",\"name\":\"find-c\"}", "C"},
        {"{\"source\":{\"name\":\"s\"}}", "ABC"},
        {"{\"source\":{\"name\":\"nobody\"}}", ""},
        {"{\"source\":{\"workspaceId\":\"" NO_ID "\"}}", ""},
        {"{\"destination\":{\"destinationId\":\"" FIXTURE_DESTINATION "\"},\"prefix\":\"b_\"}",
         "B"},
        {"{\"destination\":{\"destinationId\":\"" FIXTURE_SOURCE "\"}}", ""},
        {"{\"connectionId\":\"" NO_ID "\"}", ""},
    };
    static const struct {
        const char *body, *word;
    } bad[] = {
        {"{\"status\":\"gone\"}", "active"},
        {"{\"source\":{\"sourceId\":\"x\"}}", "source.sourceId"},
        {"{\"schedule\":{\"timeUnit\":\"years\",\"units\":1}}", "schedule.timeUnit"},
        {"{\"schedule\":{\"timeUnit\":\"days\",\"units\":1},\"scheduleData\":{\"cron\":"
         "{\"cronExpression\":\"\",\"cronTimeZone\":\"\"}}}",
         "not together"},
        {"[]", "object"},
    };
    make_some(fix);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *answer = config_call(fix, "connections/search", cases[i].body, 200);
        for (const char *letter = "ABCD"; *letter != '\0'; letter++) {
            const char *name = format(fix, "\"find-%c\"", *letter);
            gboolean found = strstr(answer, name) != NULL;
            if (found != (strchr(cases[i].found, *letter) != NULL))
                g_error("%s: %s", cases[i].body, answer);
        }
    }
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        config_refused(fix, "connections/search", bad[i].body, 400, bad[i].word);
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

#define ONE(name) "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"streams\":[" name "]}"
/* All jobs have ended, and nothing was asked for. */
#define OVER                                                                                       \
    "update job set status = 'failed', finished_at = now() where finished_at is null;"             \
    "delete from stream_request"
#define TWO_STREAMS                                                                                \
    "update connection set catalog = '{\"streams\":[{\"stream\":{\"name\":\"a\"},\"sync_mode\":"   \
    "\"incremental\",\"destination_sync_mode\":\"append\"},{\"stream\":{\"name\":\"a\","           \
    "\"namespace\":\"n\"},\"sync_mode\":\"incremental\",\"destination_sync_mode\":\"append\"}]}'"

static gint64
count_requests(Fixture *fix, const char *where)
{
    const char *query = format(fix, "select count(*) from stream_request where %s", where);
    return queue_fixture_count(fix->server.db, query);
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
        answer = config_call(fix, streams, ONE(""), 200);
        g_assert_cmpstr(config_at(fix, answer, "job", "configType", NULL), ==, cases[i].type);
        config_refused(fix, streams, ONE("{\"streamName\":\"a\"}"), 400, "no stream 'a'");
        config_refused(fix, streams, CONNECTION, 400, "streams");
        config_refused(fix, verb, "{\"connectionId\":\"" NO_ID "\"}", 404, NO_ID);
        queue_fixture_script(fix->server.db,
                             "update job set status = 'cancelled', finished_at = now()");
    }
}

/* The job is about what was asked for; a job that has not begun takes more of the same. */
static void
test_wipe_streams(Fixture *fix, gconstpointer data)
{
    queue_fixture_script(fix->server.db, TWO_STREAMS);
    config_refused(fix, "connections/clear/stream",
                   ONE("{\"streamName\":\"a\",\"streamNamespace\":\"m\"}"), 400, "'m.a'");
    const char *answer = config_call(fix, "connections/clear/stream",
                                     ONE("{\"streamName\":\"a\",\"streamNamespace\":\"n\"}"), 200);
    const char *job = config_at(fix, answer, "job", "id", NULL);
    g_assert_cmpstr(config_at(fix, answer, "job", "resetConfig", "streamsToReset", NULL), ==,
                    "[{\"name\":\"a\",\"namespace\":\"n\"}]");
    answer = config_call(fix, "connections/clear/stream", ONE("{\"streamName\":\"a\"}"), 200);
    g_assert_cmpstr(config_at(fix, answer, "job", "id", NULL), ==, job);
    g_assert_cmpstr(config_at(fix, answer, "job", "resetConfig", "streamsToReset", NULL), ==,
                    "[{\"name\":\"a\"},{\"name\":\"a\",\"namespace\":\"n\"}]");
    g_assert_cmpint(count_requests(fix, "job_id is null"), ==, 0);
    /* a refresh is another job: this one makes way, and what it was to do goes first */
    queue_fixture_script(fix->server.db, "update actor_definition set supports_refreshes = true");
    answer =
        config_call(fix, "connections/refresh",
                    "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"refreshMode\":\"Merge\"}", 200);
    g_assert_cmpstr(config_at(fix, answer, "job", "configType", NULL), ==, "clear");
    g_assert_cmpint(count_requests(fix, "job_id is null and kind = 'merge'"), ==, 2);
}

static void
test_refresh(Fixture *fix, gconstpointer data)
{
#define REFRESH(mode, more)                                                                        \
    "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"refreshMode\":\"" mode "\"" more "}"
    static const struct {
        const char *body, *where;
        gint64 n;
    } cases[] = {
        {REFRESH("Merge", ""), "kind = 'merge'", 2},
        {REFRESH("Truncate", ""), "kind = 'truncate'", 2},
        {REFRESH("Truncate", ",\"streams\":[{\"streamName\":\"a\",\"streamNamespace\":\"n\"}]"),
         "kind = 'truncate' and namespace = 'n'", 1},
        {REFRESH("Merge", ",\"streams\":[{\"streamName\":\"a\"},{\"streamName\":\"a\"}]"),
         "kind = 'merge' and namespace = ''", 1},
    };
    queue_fixture_script(fix->server.db, TWO_STREAMS);
    /* the destination knows nothing of generations: no job */
    g_assert_cmpstr(config_call(fix, "connections/refresh", REFRESH("Merge", ""), 200), ==, "{}");
    g_assert_cmpint(count_requests(fix, "true"), ==, 0);
    queue_fixture_script(fix->server.db, "update actor_definition set supports_refreshes = true");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        queue_fixture_script(fix->server.db, OVER);
        const char *answer = config_call(fix, "connections/refresh", cases[i].body, 200);
        g_assert_cmpstr(config_at(fix, answer, "job", "configType", NULL), ==, "refresh");
        g_assert_cmpint(count_requests(fix, cases[i].where), ==, cases[i].n);
        g_assert_cmpint(count_requests(fix, "job_id is not null"), ==, cases[i].n);
    }
    config_refused(fix, "connections/refresh", REFRESH("Reset", ""), 400, "refreshMode");
    config_refused(fix, "connections/refresh", CONNECTION, 400, "refreshMode");
    config_refused(fix, "connections/refresh",
                   REFRESH("Merge", ",\"streams\":[{\"streamName\":\"z\"}]"), 400, "'z'");
    /* one state for all streams: only together */
    queue_fixture_script(fix->server.db,
                         OVER ";"
                              "insert into state (connection_id, type, state, updated_at) values"
                              " ('" FIXTURE_CONNECTION "', 'LEGACY', '{}', now())");
    config_refused(fix, "connections/refresh", cases[2].body, 409, "one state");
    config_call(fix, "connections/refresh", cases[0].body, 200);
}

/* What runs is told to end, and the request outlives the caller: the end makes the job. */
static void
test_wipe_running(Fixture *fix, gconstpointer data)
{
    queue_fixture_script(fix->server.db, TWO_STREAMS);
    g_autoptr(SlJob) job = queue_fixture_job(fix->server.db), next = NULL;
    g_autofree char *token = NULL;
    g_autofree char *workload = queue_fixture_claimed(fix->server.db, job, &token);
    queue_fixture_script(fix->server.db, "update job set status = 'running'");
    fix->server.await_usec = 0;
    config_refused(fix, "connections/clear/stream", ONE("{\"streamName\":\"a\"}"), 409,
                   "begins when");
    g_assert_cmpint(count_requests(fix, "job_id is null and at_once"), ==, 1);
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from workload where "
                                                        "cancel_requested_at is not null"),
                    ==, 1);
    {
        g_autoptr(SlTx) tx = sl_db_begin(fix->server.db, FALSE, NULL);
        const SlAttemptEnd end = {.job_id = job->job_id, .job_status = SL_JOB_STATUS_CANCELLED};
        g_assert_true(sl_queue_attempt_finish(tx, &end, FIXTURE_NOW, NULL));
        g_assert_true(sl_sql_job_get_active(tx, FIXTURE_CONNECTION, &next, NULL));
        g_assert_true(sl_tx_commit(tx, NULL));
    }
    g_assert_cmpint(next->config_type, ==, SL_CONFIG_TYPE_CLEAR);
    g_assert_cmpint(count_requests(fix, "job_id is null"), ==, 0);
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
    CONFIG_CASE("connections/settings", test_settings);
    CONFIG_CASE("connections/search", test_search);
    CONFIG_CASE("connections/sync", test_sync);
    CONFIG_CASE("connections/wipe", test_wipe);
    CONFIG_CASE("connections/wipe-streams", test_wipe_streams);
    CONFIG_CASE("connections/wipe-running", test_wipe_running);
    CONFIG_CASE("connections/refresh", test_refresh);
    CONFIG_CASE("connections/web", test_web);
    CONFIG_CASE("connections/web/refreshed", test_web_refreshed);
}
