/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "server-fixture.h"

#define CATALOG                                                                                    \
    "{\"catalog\":{\"streams\":[{\"name\":\"users\",\"namespace\":\"public\",\"json_schema\":{"    \
    "\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer\"},\"at\":{\"type\":"          \
    "\"string\"},\"home\":{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}}}}}" \
    ","                                                                                            \
    "\"supported_sync_modes\":[\"full_refresh\",\"incremental\"],\"source_defined_primary_key\":"  \
    "[[\"id\"]]},{\"name\":\"logs\",\"json_schema\":{\"properties\":{\"line\":{}}}}]}}"

static void
test_streams(Fixture *fix, gconstpointer data)
{
    fix->job_output = CATALOG;
    const char *list = call(fix, "GET",
                            "/api/public/v1/streams?sourceId=" FIXTURE_SOURCE
                            "&destinationId=" FIXTURE_DESTINATION,
                            NULL, 200);
    assert_has(list, "[{\"streamName\":\"users\",\"streamnamespace\":\"public\",\"syncModes\":["
                     "\"full_refresh_overwrite\",\"full_refresh_append\",\"incremental_append\","
                     "\"incremental_deduped_history\"]");
    assert_has(list, "\"propertyFields\":[[\"id\"],[\"at\"],[\"home\"],[\"home\",\"city\"]]");
    assert_has(list, "\"sourceDefinedPrimaryKey\":[[\"id\"]]");
    assert_has(list, "{\"streamName\":\"logs\",\"syncModes\":[\"full_refresh_overwrite\","
                     "\"full_refresh_append\"]");
    list = call(fix, "GET", "/api/public/v1/streams?sourceId=" FIXTURE_SOURCE, NULL, 200);
    assert_lacks(list, "syncModes");
    fix->job_output = NULL;
    assert_has(call(fix, "GET", "/api/public/v1/streams?ignoreCache=true&sourceId=" FIXTURE_SOURCE,
                    NULL, 500),
               "it broke");
    call(fix, "GET", "/api/public/v1/streams", NULL, 400);
}

#define ENDS "\"sourceId\":\"" FIXTURE_SOURCE "\",\"destinationId\":\"" FIXTURE_DESTINATION "\""

static void
test_connections(Fixture *fix, gconstpointer data)
{
    fix->job_output = CATALOG;
    const char *all = call(fix, "POST", "/api/public/v1/connections", "{" ENDS "}", 200);
    g_assert_cmpstr(member(fix, all, "name"), ==, "s <> d");
    g_assert_cmpstr(member(fix, all, "schedule"), ==, "{\"scheduleType\":\"manual\"}");
    g_assert_cmpstr(member(fix, all, "tags"), ==, "[]");
    assert_has(
        all,
        "{\"name\":\"users\",\"namespace\":\"public\",\"syncMode\":\"full_refresh_overwrite\"");
    assert_has(all, "{\"name\":\"logs\",\"syncMode\":\"full_refresh_overwrite\"}");

    const char *made = call(
        fix, "POST", "/api/public/v1/connections",
        "{" ENDS ",\"name\":\"c\",\"prefix\":\"p_\",\"namespaceDefinition\":\"custom_format\","
        "\"namespaceFormat\":\"x_${SOURCE_NAMESPACE}\",\"schedule\":{\"scheduleType\":\"cron\","
        "\"cronExpression\":\"0 0 * * * ? UTC\"},\"configurations\":{\"streams\":[{\"name\":"
        "\"users\",\"syncMode\":\"incremental_deduped_history\",\"cursorField\":[\"at\"]}]},"
        "\"nonBreakingSchemaUpdatesBehavior\":\"disable_connection\"}",
        200);
    assert_has(made,
               "\"configurations\":{\"streams\":[{\"name\":\"users\",\"namespace\":\"public\","
               "\"syncMode\":\"incremental_deduped_history\",\"cursorField\":[\"at\"],"
               "\"primaryKey\":[[\"id\"]]}]}");
    assert_has(made,
               "\"schedule\":{\"scheduleType\":\"cron\",\"cronExpression\":\"0 0 * * * ? UTC\"}");
    assert_has(made, "\"namespaceDefinition\":\"custom_format\"");
    assert_has(made, "\"nonBreakingSchemaUpdatesBehavior\":\"disable_connection\"");
    const char *id = member(fix, made, "connectionId");
    const char *path = format(fix, "/api/public/v1/connections/%s", id);

    /* another source mode forgets the stream's state, an empty list changes nothing */
    queue_fixture_script(
        fix->server.db,
        format(fix,
               "insert into state (connection_id, namespace, stream, type, state, "
               "updated_at) values ('%s', 'public', 'users', 'STREAM', '{}', now())",
               id));
    const char *count = format(fix, "select count(*) from state where connection_id = '%s'", id);
    call(fix, "PATCH", path, "{\"configurations\":{\"streams\":[]},\"status\":\"inactive\"}", 200);
    g_assert_cmpint(queue_fixture_count(fix->server.db, count), ==, 1);
    const char *patched =
        call(fix, "PATCH", path,
             "{\"configurations\":{\"streams\":[{\"name\":\"logs\"},{\"name\":\"users\"}]},"
             "\"sluiceScheduleSeconds\":7200}",
             200);
    assert_has(patched, "\"status\":\"inactive\"");
    assert_has(patched, "\"scheduleType\":\"basic\",\"basicTiming\":\"Every 2 HOURS\"");
    assert_has(patched, "{\"name\":\"logs\",\"syncMode\":\"full_refresh_overwrite\"}");
    assert_has(patched, "\"namespaceFormat\":\"x_${SOURCE_NAMESPACE}\"");
    g_assert_cmpint(queue_fixture_count(fix->server.db, count), ==, 0);

    call(fix, "DELETE", path, NULL, 204);
    call(fix, "DELETE", path, NULL, 204);
    assert_has(call(fix, "GET", path, NULL, 200), "\"status\":\"deprecated\"");
    assert_lacks(call(fix, "GET", "/api/public/v1/connections", NULL, 200), id);
}

static void
test_bad_connections(Fixture *fix, gconstpointer data)
{
#define STREAM(text) ",\"configurations\":{\"streams\":[" text "]}"
    static const struct {
        const char *rest;
        guint status;
        const char *part;
    } cases[] = {
        {STREAM("{\"name\":\"nobody\"}"), 400, "stream 'nobody': the source has no such stream"},
        {STREAM("{\"name\":\"logs\"},{\"name\":\"logs\"}"), 400, "listed twice"},
        {STREAM("{\"name\":\"logs\",\"syncMode\":\"incremental_append\"}"), 400,
         "stream 'logs': syncMode: the source cannot do"},
        {STREAM("{\"name\":\"users\",\"syncMode\":\"incremental_append\"}"), 400,
         "cursorField: is required"},
        {STREAM(
             "{\"name\":\"users\",\"syncMode\":\"incremental_append\",\"cursorField\":[\"zz\"]}"),
         400, "cursorField: there is no field 'zz'"},
        {STREAM("{\"name\":\"logs\",\"syncMode\":\"full_refresh_overwrite_deduped\"}"), 400,
         "primaryKey"},
        {STREAM("{\"name\":\"logs\",\"syncMode\":\"full_refresh_overwrite_deduped\",\"primaryKey\":"
                "[[\"a\"]]}"),
         400, "there is no field 'a'"},
        {STREAM("{\"name\":\"logs\",\"syncMode\":\"sideways\"}"), 400, "syncMode"},
        {STREAM("{\"name\":\"logs\",\"mappers\":[{\"type\":\"hashing\"}]}"), 400,
         "mapperConfiguration"},
        {",\"schedule\":{\"scheduleType\":\"cron\"}", 400, "cronExpression: is required"},
        {",\"schedule\":{\"scheduleType\":\"cron\",\"cronExpression\":\"* * *\"}", 400,
         "this one has 3"},
        {",\"schedule\":{\"scheduleType\":\"cron\",\"cronExpression\":\"* 0 * * * ?\"}", 400,
         "the second '*'"},
        {",\"schedule\":{\"scheduleType\":\"cron\",\"cronExpression\":\"0 0 * * * *\"}", 400,
         "must be '?'"},
        {",\"schedule\":{\"scheduleType\":\"cron\",\"cronExpression\":\"0 0 25 * * ?\"}", 400,
         "hours field '25': out of range"},
        {",\"schedule\":{\"scheduleType\":\"manual\",\"cronExpression\":\"0 0 * * * ?\"}", 400,
         "manual"},
        {",\"namespaceDefinition\":\"custom_format\"", 400, "namespaceFormat"},
        {",\"status\":\"asleep\"", 400, "status"},
    };
    fix->job_output = CATALOG;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_has(call(fix, "POST", "/api/public/v1/connections",
                        format(fix, "{" ENDS "%s}", cases[i].rest), cases[i].status),
                   cases[i].part);
    call(fix, "POST", "/api/public/v1/connections",
         "{\"sourceId\":\"" FIXTURE_DESTINATION "\",\"destinationId\":\"" FIXTURE_DESTINATION "\"}",
         404);
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from connection"), ==, 1);
}

/* One stream that is wrong in one way, each. Of stream "own" cursor and key are the source's. */
#define OWN_CATALOG                                                                                \
    "{\"catalog\":{\"streams\":[{\"name\":\"users\",\"json_schema\":{\"type\":\"object\","         \
    "\"properties\":{\"id\":{\"type\":\"integer\"},\"at\":{\"type\":\"string\"},\"o\":{\"type\":"  \
    "\"object\",\"properties\":{\"k\":{}}}}},\"supported_sync_modes\":[\"full_refresh\","          \
    "\"incremental\"]},{\"name\":\"own\",\"json_schema\":{\"properties\":{\"id\":{},\"b\":{},"     \
    "\"at\":{}}},\"supported_sync_modes\":[\"full_refresh\",\"incremental\"],"                     \
    "\"source_defined_cursor\":true,\"default_cursor_field\":[\"at\"],"                            \
    "\"source_defined_primary_key\":[[\"id\"],[\"b\"]]},{\"name\":\"twice\",\"namespace\":\"a\","  \
    "\"json_schema\":{}},{\"name\":\"twice\",\"namespace\":\"b\",\"json_schema\":{}},"             \
    "{\"name\":\"files\",\"json_schema\":{},\"is_file_based\":true}]}}"

static void
test_stream_validation(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *stream;
        const char *part; /* of the problem; NULL: it is good */
    } cases[] = {
        {"\"name\":\"users\",\"selectedFields\":[]", "selectedFields"},
        {"\"name\":\"users\",\"selectedFields\":[{\"fieldPath\":[]}]", "selectedFields"},
        {"\"name\":\"users\",\"selectedFields\":[{\"fieldPath\":[\"o\",\"k\"]}]", "selectedFields"},
        {"\"name\":\"users\",\"selectedFields\":[{\"fieldPath\":[\"id\"]},{\"fieldPath\":[\"id\"]}"
         "]",
         "selectedFields"},
        {"\"name\":\"users\",\"selectedFields\":[{\"fieldPath\":[\"zz\"]}]", "zz"},
        {"\"name\":\"users\",\"syncMode\":\"full_refresh_overwrite_deduped\",\"primaryKey\":[["
         "\"id\"]],"
         "\"selectedFields\":[{\"fieldPath\":[\"at\"]}]",
         "primary key"},
        {"\"name\":\"users\",\"syncMode\":\"incremental_append\",\"cursorField\":[\"at\"],"
         "\"selectedFields\":[{\"fieldPath\":[\"id\"]}]",
         "cursor"},
        {"\"name\":\"users\",\"syncMode\":\"incremental_append\",\"cursorField\":[\"at\"],"
         "\"selectedFields\":[{\"fieldPath\":[\"at\"]}]",
         NULL},
        {"\"name\":\"users\",\"syncMode\":\"full_refresh_update\"", "destination cannot do"},
        {"\"name\":\"users\",\"syncMode\":\"incremental_soft_delete\"", "destination cannot do"},
        {"\"name\":\"files\",\"syncMode\":\"incremental_append\"", "source cannot do"},
        {"\"name\":\"users\",\"syncMode\":\"incremental_append\"", "cursorField: is required"},
        {"\"name\":\"users\",\"syncMode\":\"incremental_append\",\"cursorField\":[\"zz\"]",
         "no field 'zz'"},
        {"\"name\":\"own\",\"syncMode\":\"incremental_append\",\"cursorField\":[\"b\"]",
         "the source itself defines the cursor"},
        {"\"name\":\"own\",\"syncMode\":\"incremental_append\",\"cursorField\":[\"at\"]", NULL},
        {"\"name\":\"own\",\"syncMode\":\"incremental_append\"", NULL},
        {"\"name\":\"own\",\"syncMode\":\"incremental_deduped_history\",\"primaryKey\":[[\"b\"],"
         "[\"id\"]]",
         NULL},
        {"\"name\":\"own\",\"syncMode\":\"incremental_deduped_history\",\"primaryKey\":[[\"id\"]]",
         "defines another one"},
        {"\"name\":\"users\",\"syncMode\":\"incremental_deduped_history\",\"cursorField\":[\"at\"]",
         "primaryKey: is required"},
        {"\"name\":\"users\",\"syncMode\":\"full_refresh_overwrite_deduped\",\"primaryKey\":[["
         "\"id\"],"
         "[\"id\"]]",
         "repeated field 'id'"},
        {"\"name\":\"users\",\"syncMode\":\"full_refresh_overwrite_deduped\",\"primaryKey\":[["
         "\"zz\"]]",
         "no field 'zz'"},
        {"\"name\":\"users\",\"syncMode\":\"full_refresh_overwrite_deduped\",\"primaryKey\":["
         "\"id\"]",
         "lists of field names"},
        {"\"name\":\"twice\"", "namespace: is required"},
        {"\"name\":\"twice\",\"namespace\":\"b\"", NULL},
        {"\"name\":\"twice\",\"namespace\":\"c\"", "no such stream"},
        {"\"name\":\"users\",\"includeFiles\":true",
         "error:connection-validation/file-transfer/connection-unsupported"},
        {"\"name\":\"users\",\"includeFiles\":false,\"destinationObjectName\":\"Contact\"", NULL},
    };
    fix->job_output = OWN_CATALOG;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *answer =
            call(fix, "POST", "/api/public/v1/connections",
                 format(fix, "{" ENDS ",\"configurations\":{\"streams\":[{%s}]}}", cases[i].stream),
                 cases[i].part == NULL ? 200 : 400);
        if (cases[i].part != NULL)
            assert_has(answer, cases[i].part);
    }
}

/* Two streams that would both be the same one at the destination: refused when they are saved. */
static void
test_collisions(Fixture *fix, gconstpointer data)
{
#define BOTH                                                                                       \
    ",\"configurations\":{\"streams\":[{\"name\":\"twice\",\"namespace\":\"a\"},{\"name\":"        \
    "\"twice\",\"namespace\":\"b\"}]}}"
#define CLASH "streams 'a.twice' and 'b.twice' would both be 'twice' at the destination"
    static const struct {
        const char *edit;
        const char *part; /* of the problem; NULL: it is good */
    } edits[] = {
        {"{\"namespaceDefinition\":\"destination\"}", CLASH},
        {"{\"namespaceDefinition\":\"custom_format\",\"namespaceFormat\":\"x\"}", CLASH},
        {"{\"namespaceDefinition\":\"custom_format\",\"namespaceFormat\":\"x_${SOURCE_NAMESPACE}"
         "\"}",
         NULL},
        {"{\"namespaceFormat\":\"same\"}", CLASH},
        {"{\"name\":\"renamed\",\"status\":\"inactive\"}", NULL},
    };
    fix->job_output = OWN_CATALOG;
    assert_has(call(fix, "POST", "/api/public/v1/connections", "{" ENDS BOTH, 400), CLASH);
    assert_has(call(fix, "POST", "/api/public/v1/connections",
                    "{" ENDS ",\"prefix\":\"p_\",\"namespaceDefinition\":\"destination\"" BOTH,
                    400),
               "would both be 'p_twice' at the destination");
    const char *made = call(fix, "POST", "/api/public/v1/connections",
                            "{" ENDS ",\"namespaceDefinition\":\"source\"" BOTH, 200);
    const char *id = member(fix, made, "connectionId");
    g_autofree char *path = g_strconcat("/api/public/v1/connections/", id, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(edits); i++) {
        const char *answer =
            call(fix, "PATCH", path, edits[i].edit, edits[i].part == NULL ? 200 : 400);
        if (edits[i].part != NULL)
            assert_has(answer, edits[i].part);
    }
#undef BOTH
#undef CLASH
}

static void
test_files(Fixture *fix, gconstpointer data)
{
    static const char with_files[] = ",\"configurations\":{\"streams\":[{\"name\":\"%s\","
                                     "\"includeFiles\":true,\"destinationObjectName\":\"O\"}]}";
    fix->job_output = OWN_CATALOG;
    queue_fixture_script(fix->server.db,
                         "update actor_definition set spec = '{\"supportsFileTransfer\":true}'");
    g_auto(GStrv) halves = g_strsplit(with_files, "%s", 2);
    assert_has(call(fix, "POST", "/api/public/v1/connections",
                    format(fix, "{" ENDS "%susers%s}", halves[0], halves[1]), 400),
               "\"data\":{\"streams\":[{\"streamName\":\"users\"}]}");
    const char *made = call(fix, "POST", "/api/public/v1/connections",
                            format(fix, "{" ENDS "%sfiles%s}", halves[0], halves[1]), 200);
    assert_has(made, "\"includeFiles\":true,\"destinationObjectName\":\"O\"");
}

/* The modes that a source and a destination have together, as GET /streams lists them. */
static void
test_sync_modes(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *destination, *modes;
    } cases[] = {
        {"\"append\"", "\"full_refresh_append\",\"incremental_append\""},
        {"\"overwrite\"", "\"full_refresh_overwrite\""},
        {"\"overwrite\",\"append\",\"append_dedup\"",
         "\"full_refresh_overwrite\",\"full_refresh_append\",\"incremental_append\","
         "\"incremental_deduped_history\""},
        {"\"update\",\"soft_delete\"", "\"full_refresh_update\",\"full_refresh_soft_delete\","
                                       "\"incremental_update\",\"incremental_soft_delete\""},
    };
    fix->job_output = OWN_CATALOG;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        queue_fixture_script(fix->server.db, format(fix,
                                                    "update actor_definition set spec = "
                                                    "'{\"supported_destination_sync_modes\":[%s]}'",
                                                    cases[i].destination));
        assert_has(call(fix, "GET",
                        "/api/public/v1/streams?ignoreCache=true&sourceId=" FIXTURE_SOURCE
                        "&destinationId=" FIXTURE_DESTINATION,
                        NULL, 200),
                   format(fix, "\"streamName\":\"users\",\"syncModes\":[%s]", cases[i].modes));
    }
}

static void
test_mapper_problems(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *mapper, *error;
    } cases[] = {
        {"\"type\":\"shouting\",\"mapperConfiguration\":{}", "MISSING_MAPPER"},
        {"\"type\":\"hashing\",\"mapperConfiguration\":{\"method\":\"MD5\"}",
         "INVALID_MAPPER_CONFIG"},
        {"\"type\":\"field-filtering\",\"mapperConfiguration\":{\"targetField\":\"zz\"}",
         "FIELD_NOT_FOUND"},
        {"\"type\":\"field-renaming\",\"mapperConfiguration\":{\"originalFieldName\":\"id\","
         "\"newFieldName\":\"at\"}",
         "FIELD_ALREADY_EXISTS"},
    };
    fix->job_output = OWN_CATALOG;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *problem = call(
            fix, "POST", "/api/public/v1/connections",
            format(fix,
                   "{" ENDS ",\"configurations\":{\"streams\":[{\"name\":\"users\",\"mappers\":"
                   "[{%s}]}]}}",
                   cases[i].mapper),
            400);
        assert_has(problem,
                   "\"type\":\"error:mapper-validation\",\"title\":\"Mapper validation failed\"");
        assert_has(problem, "\"data\":{\"errors\":[{\"stream\":\"users\",");
        assert_has(problem, format(fix, "\"error\":\"%s\"", cases[i].error));
    }
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from connection"), ==, 1);
    assert_has(
        call(fix, "POST", "/api/public/v1/connections",
             "{" ENDS ",\"configurations\":{\"streams\":[{\"name\":\"users\",\"mappers\":[{"
             "\"type\":\"encryption\",\"mapperConfiguration\":{\"key\":{\"_secret\":\"x\"}}}]}]}}",
             400),
        "400");
}

/* --- tags ----------------------------------------------------------------------------------------
 */

#define TAGS "/api/public/v1/tags"

static const char *
tag_body(Fixture *fix, const char *name, const char *color)
{
    return format(fix,
                  "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"name\":\"%s\",\"color\":\"%s\"}",
                  name, color);
}

static void
test_tags(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *name, *color;
        guint status;
        const char *problem;
    } bad[] = {
        {"0123456789012345678901234567890", "00ff00", 400, "error:tag-name-too-long"},
        {"x", "#00ff0", 400, "error:tag-invalid-hex-color"},
        {"x", "00ff0g", 400, "error:tag-invalid-hex-color"},
        {"x", "00ff001", 400, "error:tag-invalid-hex-color"},
        {"", "00ff00", 400, "#bad-request"},
        {"first", "00ff00", 409, "error:tag-already-exists"},
    };
    const char *made = call(fix, "POST", TAGS, tag_body(fix, "first", "00fF00"), 200);
    const char *path = format(fix, TAGS "/%s", member(fix, made, "tagId"));
    g_assert_cmpstr(member(fix, made, "color"), ==, "00fF00");
    g_assert_cmpstr(call(fix, "GET", path, NULL, 200), ==, made);
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_has(call(fix, "POST", TAGS, tag_body(fix, bad[i].name, bad[i].color), bad[i].status),
                   bad[i].problem);
    /* 30 characters are not 30 bytes */
    call(fix, "POST", TAGS, tag_body(fix, "ääääääääääääääääääääääääääääää", "000000"), 200);
    assert_has(call(fix, "PATCH", path, "{\"name\":\"first\",\"color\":\"123456\"}", 200),
               "123456");
    call(fix, "POST", TAGS, tag_body(fix, "second", "000000"), 200);
    assert_has(call(fix, "PATCH", path, "{\"name\":\"second\",\"color\":\"123456\"}", 409),
               "error:tag-already-exists");
    const char *list = call(fix, "GET", TAGS "?workspaceIds=" FIXTURE_WORKSPACE, NULL, 200);
    assert_has(list, "{\"data\":[{\"tagId\":");
    assert_has(list, "\"name\":\"second\"");
    queue_fixture_script(fix->server.db,
                         "insert into tag select gen_random_uuid(), '" FIXTURE_WORKSPACE
                         "', 'tag ' || i, '000000', now() from generate_series(1, 97) i");
    assert_has(call(fix, "POST", TAGS, tag_body(fix, "one too many", "000000"), 400),
               "error:tag-limit-for-workspace-reached");
    call(fix, "DELETE", path, NULL, 204);
    call(fix, "GET", path, NULL, 404);
    call(fix, "DELETE", path, NULL, 404);
}

static void
test_connection_tags(Fixture *fix, gconstpointer data)
{
    const char *path = "/api/public/v1/connections/" FIXTURE_CONNECTION;
    const char *one = call(fix, "POST", TAGS, tag_body(fix, "one", "000001"), 200);
    const char *two = call(fix, "POST", TAGS, tag_body(fix, "two", "000002"), 200);
    const char *id = member(fix, one, "tagId"), *id2 = member(fix, two, "tagId");
    const char *changed =
        call(fix, "PATCH", path, format(fix, "{\"tags\":[%s,%s]}", two, one), 200);
    g_assert_cmpstr(member(fix, changed, "tags"), ==, format(fix, "[%s,%s]", one, two));
    changed = call(fix, "PATCH", path, "{\"name\":\"n\"}", 200); /* tags stay */
    g_assert_cmpstr(member(fix, changed, "tags"), ==, format(fix, "[%s,%s]", one, two));
    changed = call(fix, "PATCH", path, format(fix, "{\"tags\":[%s]}", two), 200);
    g_assert_cmpstr(member(fix, changed, "tags"), ==, format(fix, "[%s]", two));

    const char *list = "/api/public/v1/connections?tagIds=";
    assert_has(call(fix, "GET", format(fix, "%s%s,%s", list, id, id2), NULL, 200),
               FIXTURE_CONNECTION);
    const char *none = call(fix, "GET", format(fix, "%s%s", list, id), NULL, 200);
    g_assert_cmpstr(member(fix, none, "data"), ==, "[]");
    const char *page = call(fix, "GET", format(fix, "%s%s", list, id2), NULL, 200);
    assert_has(page, FIXTURE_CONNECTION);
    assert_has(member(fix, page, "next"), format(fix, "tagIds=%s", id2));
    assert_has(call(fix, "GET", "/api/public/v1/connections?tagIds=x", NULL, 400), "tagIds");

    assert_has(call(fix, "PATCH", path, "{\"tags\":[{\"tagId\":\"" FIXTURE_SOURCE "\"}]}", 400),
               "tags: the workspace has no tag");
    assert_has(call(fix, "PATCH", path, "{\"tags\":[{}]}", 400), "tags[0].tagId");
    call(fix, "DELETE", format(fix, TAGS "/%s", id2), NULL, 204);
    g_assert_cmpstr(member(fix, call(fix, "GET", path, NULL, 200), "tags"), ==, "[]");
    fix->job_output = CATALOG;
    const char *made = call(fix, "POST", "/api/public/v1/connections",
                            format(fix, "{" ENDS ",\"tags\":[%s]}", one), 200);
    g_assert_cmpstr(member(fix, made, "tags"), ==, format(fix, "[%s]", one));
}

/* A status that clients may set, and one that they may not. */
static void
test_status(Fixture *fix, gconstpointer data)
{
    const char *path = "/api/public/v1/connections/" FIXTURE_CONNECTION;
    g_autoptr(SlJob) job = queue_fixture_job(fix->server.db);
    assert_has(call(fix, "PATCH", path, "{\"status\":\"locked\"}", 400), "locked");
    assert_has(call(fix, "PATCH", path, "{\"status\":\"Inactive\"}", 200), "\"inactive\"");
    assert_has(call(fix, "PATCH", path, "{\"status\":\"deprecated\"}", 200), "\"deprecated\"");
    g_assert_cmpint(
        queue_fixture_count(fix->server.db, "select count(*) from job where status = 'cancelled'"),
        ==, 1);
    const char *list = call(fix, "GET", "/api/public/v1/connections", NULL, 200);
    g_assert_cmpstr(member(fix, list, "data"), ==, "[]");
    call(fix, "PATCH", "/api/public/v1/connections/" FIXTURE_SOURCE, "{}", 404);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL); /* failing jobs warn */
#define CASE(name, func) g_test_add("/server/" name, Fixture, NULL, setup, func, teardown)
    CASE("streams", test_streams);
    CASE("connections", test_connections);
    CASE("bad-connections", test_bad_connections);
    CASE("stream-validation", test_stream_validation);
    CASE("collisions", test_collisions);
    CASE("files", test_files);
    CASE("sync-modes", test_sync_modes);
    CASE("mapper-problems", test_mapper_problems);
    CASE("tags", test_tags);
    CASE("connection-tags", test_connection_tags);
    CASE("connection-status", test_status);
    return g_test_run();
}
