/* SPDX-License-Identifier: Apache-2.0 */
/* What a re-implementer of the public API gets wrong: one case for each line of that list which
 * concerns it, under the line's number. */
#include "config.h"

#include <string.h>

#include "server-fixture.h"

#define API "/api/public/v1"
#define SOURCES API "/sources"
#define CONNECTIONS API "/connections"
#define JOBS API "/jobs"
#define ENDS "\"sourceId\":\"" FIXTURE_SOURCE "\",\"destinationId\":\"" FIXTURE_DESTINATION "\""
#define SYNC "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"jobType\":\"sync\"}"

static const char catalog[] =
    "{\"catalog\":{\"streams\":[{\"name\":\"users\",\"namespace\":\"public\",\"json_schema\":{"
    "\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer\"},\"at\":{\"type\":\"string\"}"
    ",\"name\":{\"type\":\"string\"}}},\"supported_sync_modes\":[\"full_refresh\",\"incremental\"],"
    "\"source_defined_primary_key\":[[\"id\"]]},{\"name\":\"logs\",\"json_schema\":{\"properties\":"
    "{\"line\":{},\"n\":{}}}}]}}";
static const char tunnel_spec[] =
    "{\"connectionSpecification\":{\"type\":\"object\",\"required\":[\"host\"],\"properties\":{"
    "\"host\":{\"type\":\"string\"},\"password\":{\"type\":\"string\",\"airbyte_secret\":true},"
    "\"maxRetries\":{\"type\":\"integer\"},\"list\":{\"type\":\"array\",\"items\":{\"type\":"
    "\"string\"}},\"tunnel\":{\"type\":\"object\",\"oneOf\":[{\"required\":[\"m\"],"
    "\"additionalProperties\":false,\"properties\":{\"m\":{\"const\":\"NO\"}}},{\"required\":["
    "\"m\",\"key\"],\"additionalProperties\":false,\"properties\":{\"m\":{\"const\":\"SSH\"},"
    "\"key\":{\"type\":\"string\",\"airbyte_secret\":true}}}]}}}}";

/* --- shorthands ----------------------------------------------------------------------------------
 */

static void
use_tunnel(Fixture *fix)
{
    queue_fixture_script(fix->server.db,
                         format(fix, "update actor_definition set spec = '%s'", tunnel_spec));
}

static const char *
source_body(Fixture *fix, const char *configuration)
{
    return format(fix,
                  "{\"name\":\"n\",\"workspaceId\":\"" FIXTURE_WORKSPACE
                  "\",\"definitionId\":\"" FIXTURE_SOURCE "\",\"configuration\":%s}",
                  configuration);
}

/* Its address. */
static const char *
add_source(Fixture *fix, const char *configuration)
{
    const char *made = call(fix, "POST", SOURCES, source_body(fix, configuration), 200);
    return format(fix, SOURCES "/%s", member(fix, made, "sourceId"));
}

static const char *
configuration_of(Fixture *fix, const char *path)
{
    return member(fix, call(fix, "GET", path, NULL, 200), "configuration");
}

static const char *
add_connection(Fixture *fix, const char *rest)
{
    fix->job_output = catalog;
    return call(fix, "POST", CONNECTIONS, format(fix, "{" ENDS "%s}", rest), 200);
}

static const char *
path_of(Fixture *fix, const char *connection)
{
    return format(fix, CONNECTIONS "/%s", member(fix, connection, "connectionId"));
}

static gint64
count(Fixture *fix, const char *sql)
{
    return queue_fixture_count(fix->server.db, sql);
}

/* --- naming and casing ---------------------------------------------------------------------------
 */

static void
test_01(Fixture *fix, gconstpointer data)
{
    use_tunnel(fix);
    const char *path = add_source(
        fix, "{\"host\":\"h\",\"maxRetries\":3,\"snake_key\":1.10,\"UPPER\":{\"mixedCase_x\":[]}}");
    g_assert_cmpstr(
        configuration_of(fix, path), ==,
        "{\"host\":\"h\",\"maxRetries\":3,\"snake_key\":1.10,\"UPPER\":{\"mixedCase_x\":[]}}");
    const char *limits =
        "{\"default\":{\"cpu_request\":\"0.5\",\"memory_limit\":\"1Gi\"},\"jobSpecific\":[{"
        "\"jobType\":\"sync\",\"resourceRequirements\":{\"ephemeral_storage_limit\":\"2Gi\"}}]}";
    const char *changed =
        call(fix, "PATCH", path, format(fix, "{\"resourceAllocation\":%s}", limits), 200);
    g_assert_cmpstr(member(fix, changed, "resourceAllocation"), ==, limits);
    changed = call(fix, "PATCH", path, "{\"name\":\"other\"}", 200);
    g_assert_cmpstr(member(fix, changed, "resourceAllocation"), ==, limits);
    assert_has(call(fix, "PATCH", path,
                    "{\"resourceAllocation\":{\"jobSpecific\":[{\"jobType\":\"nap\","
                    "\"resourceRequirements\":{}}]}}",
                    400),
               "resourceAllocation.jobSpecific[0].jobType");
}

static void
test_02(Fixture *fix, gconstpointer data)
{
    const char *made =
        add_connection(fix, ",\"namespaceDefinition\":\"CUSTOM_FORMAT\",\"namespaceFormat\":\"x\","
                            "\"nonBreakingSchemaUpdatesBehavior\":\"disable_connection\"");
    assert_has(made, "\"namespaceDefinition\":\"custom_format\"");
    assert_has(made, "\"nonBreakingSchemaUpdatesBehavior\":\"disable_connection\"");
    g_assert_cmpint(count(fix, "select count(*) from connection where namespace_definition = "
                               "'customformat' and non_breaking_changes = 'disable'"),
                    ==, 1);
    assert_has(call(fix, "GET", API "/streams?sourceId=" FIXTURE_SOURCE, NULL, 200),
               "\"streamnamespace\":\"public\"");
}

static void
test_03(Fixture *fix, gconstpointer data)
{
    const char *id = member(fix, call(fix, "POST", JOBS, SYNC, 200), "jobId");
    queue_fixture_script(
        fix->server.db,
        format(fix,
               "insert into attempt_stats (job_id, attempt_number, records_emitted, bytes_emitted,"
               " records_committed, bytes_committed, updated_at)"
               " values (%s, 0, 70, 990, 7, 99, now());",
               id));
    assert_has(call(fix, "GET", format(fix, JOBS "/%s", id), NULL, 200),
               "\"bytesSynced\":99,\"rowsSynced\":7");
}

/* The protocol's catalog is flat and snake_case, the config API's is nested and camelCase; so with
 * states. */
static void
test_04(Fixture *fix, gconstpointer data)
{
    const char *made =
        add_connection(fix, ",\"configurations\":{\"streams\":[{\"name\":\"users\",\"syncMode\":"
                            "\"incremental_deduped_history\",\"cursorField\":[\"at\"]}]}");
    const char *id = member(fix, made, "connectionId");
    const char *of_id = format(fix, "{\"connectionId\":\"%s\"}", id);
    const char *shown =
        member(fix, call(fix, "POST", "/api/v1/connections/get", of_id, 200), "syncCatalog");
    assert_has(shown, "\"jsonSchema\":{");
    assert_has(shown, "\"sourceDefinedPrimaryKey\":[[\"id\"]]");
    assert_has(shown,
               "\"config\":{\"syncMode\":\"incremental\",\"destinationSyncMode\":\"append_dedup\"");
    assert_lacks(shown, "json_schema");
    assert_lacks(shown, "sync_mode");
    g_assert_cmpint(count(fix, format(fix,
                                      "select count(*) from connection where connection_id = '%s'"
                                      " and catalog::jsonb #>> '{streams,0,destination_sync_mode}' "
                                      "= 'append_dedup' and catalog::jsonb #> "
                                      "'{streams,0,stream,json_schema}' is not null",
                                      id)),
                    ==, 1);
    queue_fixture_script(fix->server.db,
                         format(fix,
                                "insert into state (connection_id, namespace, stream, type, state,"
                                " updated_at) values ('%s', 'public', 'users', 'STREAM',"
                                " '{\"at\":1}', now())",
                                id));
    const char *state = call(fix, "POST", "/api/v1/state/get", of_id, 200);
    g_assert_cmpstr(member(fix, state, "stateType"), ==, "stream");
    g_assert_cmpstr(member(fix, state, "streamState"), ==,
                    "[{\"streamDescriptor\":{\"name\":\"users\",\"namespace\":\"public\"},"
                    "\"streamState\":{\"at\":1}}]");
}

/* --- secrets -------------------------------------------------------------------------------------
 */

static void
test_05(Fixture *fix, gconstpointer data)
{
    use_tunnel(fix);
    const char *path =
        add_source(fix, "{\"host\":\"h\",\"tunnel\":{\"m\":\"SSH\",\"key\":\"k1\"}}");
    g_assert_cmpstr(configuration_of(fix, path), ==,
                    "{\"host\":\"h\",\"tunnel\":{\"m\":\"SSH\",\"key\":\"**********\"}}");
    path = add_source(fix, "{\"host\":\"h\",\"tunnel\":{\"m\":\"NO\"}}");
    g_assert_cmpstr(configuration_of(fix, path), ==, "{\"host\":\"h\",\"tunnel\":{\"m\":\"NO\"}}");
    queue_fixture_script(fix->server.db, "update actor_definition set spec = '{}'");
    path = add_source(fix, "{\"password\":\"seen\"}");
    g_assert_cmpstr(configuration_of(fix, path), ==, "{\"password\":\"seen\"}");
}

static void
test_06(Fixture *fix, gconstpointer data)
{
    static const char secrets[] = "select count(*) from secret";
    use_tunnel(fix);
    const char *path = add_source(fix, "{\"host\":\"h\",\"password\":\"p\",\"tunnel\":{\"m\":"
                                       "\"SSH\",\"key\":\"k1\"}}");
    const char *stored = "select count(*) from actor where configuration like "
                         "'%\"key\":{\"_secret\"%'";
    g_assert_cmpint(count(fix, secrets), ==, 2);
    /* the mask keeps, in the branch of a oneOf too; what is absent goes */
    call(fix, "PUT", path,
         "{\"name\":\"n\",\"configuration\":{\"host\":\"i\",\"tunnel\":{\"m\":\"SSH\",\"key\":"
         "\"**********\"}}}",
         200);
    g_assert_cmpint(count(fix, secrets), ==, 1);
    g_assert_cmpint(count(fix, stored), ==, 1);
    g_assert_cmpstr(configuration_of(fix, path), ==,
                    "{\"host\":\"i\",\"tunnel\":{\"m\":\"SSH\",\"key\":\"**********\"}}");
    /* another value replaces */
    gint64 before = count(fix, "select hashtext(string_agg(secret_id::text, '')) from secret");
    call(fix, "PUT", path,
         "{\"name\":\"n\",\"configuration\":{\"host\":\"i\",\"tunnel\":{\"m\":\"SSH\",\"key\":"
         "\"k2\"}}}",
         200);
    g_assert_cmpint(count(fix, secrets), ==, 1);
    g_assert_cmpint(count(fix, "select hashtext(string_agg(secret_id::text, '')) from secret"), !=,
                    before);
    call(fix, "PUT", path, "{\"name\":\"n\",\"configuration\":{\"host\":\"i\"}}", 200);
    g_assert_cmpint(count(fix, secrets), ==, 0);
    call(fix, "PUT", path, "{\"name\":\"n\"}", 400);
}

static void
test_07(Fixture *fix, gconstpointer data)
{
    use_tunnel(fix);
    const char *path = add_source(fix, "{\"host\":\"h\",\"password\":\"p\"}");
    gint64 before = count(fix, "select hashtext(secret_id::text) from secret");
    call(fix, "PATCH", path, "{\"configuration\":{\"password\":\"**********\",\"maxRetries\":2}}",
         200);
    g_assert_cmpint(count(fix, "select hashtext(secret_id::text) from secret"), ==, before);
    call(fix, "PATCH", path, "{\"configuration\":{\"password\":\"q\"}}", 200);
    g_assert_cmpint(count(fix, "select count(*) from secret"), ==, 1);
    g_assert_cmpint(count(fix, "select hashtext(secret_id::text) from secret"), !=, before);
}

static void
test_08(Fixture *fix, gconstpointer data)
{
    use_tunnel(fix);
    const char *path = add_source(fix, "{\"host\":\"h\",\"list\":[\"a\",\"b\"],\"tunnel\":{\"m\":"
                                       "\"SSH\",\"key\":\"k\"}}");
    call(fix, "PATCH", path, "{\"configuration\":{\"list\":[\"c\"]}}", 200);
    assert_has(configuration_of(fix, path), "\"host\":\"h\",\"list\":[\"c\"]");
    /* the key of the branch that was left stays, and does not fit */
    call(fix, "PATCH", path, "{\"configuration\":{\"tunnel\":{\"m\":\"NO\"}}}", 422);
    assert_has(configuration_of(fix, path), "\"m\":\"SSH\"");
}

static void
test_09(Fixture *fix, gconstpointer data)
{
    use_tunnel(fix);
    const char *path = add_source(fix, "{\"host\":\"h\",\"password\":\"p\"}");
    call(fix, "PATCH", path, "{\"configuration\":{}}", 200); /* host is there */
    assert_has(call(fix, "PATCH", path, "{\"configuration\":{\"host\":7}}", 422),
               "#unprocessable-entity");
    assert_has(call(fix, "POST", SOURCES, source_body(fix, "{\"password\":\"p\"}"), 422), "host");
}

static void
test_10(Fixture *fix, gconstpointer data)
{
    use_tunnel(fix);
    const char *path = add_source(fix, "{\"host\":\"h\",\"password\":\"p\"}");
    const char *other = add_source(fix, "{\"host\":\"h\",\"password\":\"o\"}");
    const char *shown =
        call(fix, "GET", format(fix, "%s?includeSecretCoordinates=true", path), NULL, 200);
    const char *configuration = member(fix, shown, "configuration");
    assert_has(configuration, "\"password\":\"secret_coordinate::");
    assert_lacks(configuration_of(fix, path), "secret_coordinate::");
    gint64 before = count(fix, "select count(*) from secret");
    const char *body = format(fix, "{\"name\":\"n\",\"configuration\":%s}", configuration);
    call(fix, "PUT", path, body, 200); /* as good as the mask */
    g_assert_cmpint(count(fix, "select count(*) from secret"), ==, before);
    assert_has(call(fix, "PUT", other, body, 400), "secret coordinate");
    assert_has(call(fix, "PUT", other,
                    "{\"name\":\"n\",\"configuration\":{\"host\":\"h\",\"password\":{\"_secret\":"
                    "\"x\"}}}",
                    400),
               "_secret");
}

/* --- behaviour -----------------------------------------------------------------------------------
 */

static void
test_11(Fixture *fix, gconstpointer data)
{
    const char *made = add_connection(fix, "");
    const char *path = path_of(fix, made);
    g_autoptr(SlJob) job = queue_fixture_job(fix->server.db);
    call(fix, "DELETE", path, NULL, 204);
    call(fix, "DELETE", path, NULL, 204);
    assert_has(call(fix, "GET", path, NULL, 200), "\"status\":\"deprecated\"");
    const char *id = member(fix, made, "connectionId");
    assert_lacks(call(fix, "GET", CONNECTIONS, NULL, 200), id);
    assert_has(call(fix, "GET", CONNECTIONS "?includeDeleted=true", NULL, 200), id);
    /* an actor takes its connections and their jobs along; itself it is gone (ours) */
    call(fix, "DELETE", SOURCES "/" FIXTURE_SOURCE, NULL, 204);
    call(fix, "GET", SOURCES "/" FIXTURE_SOURCE, NULL, 404);
    call(fix, "DELETE", SOURCES "/" FIXTURE_SOURCE, NULL, 404);
    assert_has(call(fix, "GET", CONNECTIONS "/" FIXTURE_CONNECTION, NULL, 200), "deprecated");
    g_assert_cmpint(count(fix, "select count(*) from job where status = 'pending' and config_type "
                               "= 'sync' and cancel_requested_at is null"),
                    ==, 0);
    assert_lacks(call(fix, "GET", SOURCES, NULL, 200), FIXTURE_SOURCE);
    assert_has(call(fix, "GET", SOURCES "?includeDeleted=true", NULL, 200), FIXTURE_SOURCE);
}

static void
test_12(Fixture *fix, gconstpointer data)
{
    use_tunnel(fix);
    add_source(fix, "{\"host\":\"h\"}");
    add_source(fix, "{\"host\":\"h\"}");
    add_connection(fix, ",\"name\":\"same\"");
    add_connection(fix, ",\"name\":\"same\"");
    const char *tag =
        "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"name\":\"t\",\"color\":\"00ff00\"}";
    call(fix, "POST", API "/tags", tag, 200);
    assert_has(call(fix, "POST", API "/tags", tag, 409), "error:tag-already-exists");
}

static void
test_13(Fixture *fix, gconstpointer data)
{
    static const char jobs[] = "select count(*) from job where config_type = 'discover_schema'";
    add_connection(fix, "");
    g_assert_cmpint(count(fix, jobs), ==, 1);
    /* the worker keeps what a discover gave, under what it was made with */
    queue_fixture_script(
        fix->server.db,
        "insert into catalog (catalog_id, actor_id, cache_key, catalog, created_at) select "
        "gen_random_uuid(), actor_id, encode(sha256((definition_id "
        "|| chr(31) || '1' || chr(31) || configuration)::bytea), 'hex'), "
        "(select output::json ->> 'catalog' from job limit 1), now() "
        "from actor where actor_type = 'source'");
    add_connection(fix, "");
    call(fix, "GET", API "/streams?sourceId=" FIXTURE_SOURCE, NULL, 200);
    g_assert_cmpint(count(fix, jobs), ==, 1);
    call(fix, "GET", API "/streams?ignoreCache=true&sourceId=" FIXTURE_SOURCE, NULL, 200);
    g_assert_cmpint(count(fix, jobs), ==, 2);
}

static void
test_14(Fixture *fix, gconstpointer data)
{
    const char *made = add_connection(fix, "");
    assert_has(made, "\"name\":\"users\"");
    assert_has(made, "\"name\":\"logs\"");
    const char *before = member(fix, made, "configurations");
    const char *after = call(fix, "PATCH", path_of(fix, made),
                             "{\"configurations\":{\"streams\":[]},\"prefix\":\"p\"}", 200);
    g_assert_cmpstr(member(fix, after, "configurations"), ==, before);
    g_assert_cmpstr(member(fix, after, "prefix"), ==, "p");
    after = call(fix, "PATCH", path_of(fix, made),
                 "{\"configurations\":{\"streams\":[{\"name\":\"logs\"}]}}", 200);
    assert_lacks(after, "\"users\"");
}

static void
test_15(Fixture *fix, gconstpointer data)
{
    static const char *const types[] = {"reset", "clear"};
    for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
        const char *job =
            call(fix, "POST", JOBS,
                 format(fix, "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"jobType\":\"%s\"}",
                        types[i]),
                 200);
        g_assert_cmpstr(member(fix, job, "jobType"), ==, "reset");
    }
    g_assert_cmpint(count(fix, "select count(*) from job"), ==, 1); /* pending, and wanted again */
    assert_has(call(fix, "GET", JOBS "?jobType=clear", NULL, 200), "\"data\":[]");
    assert_has(call(fix, "GET", JOBS "?jobType=reset", NULL, 200), "\"jobId\":");
    assert_has(call(fix, "POST", JOBS,
                    "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"jobType\":\"refresh\"}", 422),
               "not supported in the public API");
    /* a reset makes way for itself: what has not begun ends at once */
    call(fix, "DELETE", format(fix, JOBS "/%s", "1"), NULL, 200);
    const char *sync = member(fix, call(fix, "POST", JOBS, SYNC, 200), "jobId");
    call(fix, "POST", JOBS, "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"jobType\":\"reset\"}",
         200);
    assert_has(call(fix, "GET", format(fix, JOBS "/%s", sync), NULL, 200),
               "\"status\":\"cancelled\"");
}

static void
test_16(Fixture *fix, gconstpointer data)
{
    const char *job = call(fix, "POST", JOBS, SYNC, 200);
    g_assert_cmpstr(member(fix, job, "status"), ==, "pending");
    g_assert_cmpint(count(fix, "select count(*) from attempt"), ==, 1);
    g_assert_cmpstr(member(fix, call(fix, "POST", JOBS, SYNC, 200), "jobId"), ==,
                    member(fix, job, "jobId"));
    queue_fixture_script(fix->server.db, "update job set status = 'running'");
    const char *busy = call(fix, "POST", JOBS, SYNC, 409);
    assert_has(busy, "errors#try-again-later\",\"title\":\"try-again-later\"");
    assert_has(busy, "\"data\":{\"message\":\"A sync is already running for: " FIXTURE_CONNECTION);
}

static void
test_17(Fixture *fix, gconstpointer data)
{
    static const char *const states[] = {"inactive", "deprecated", "locked"};
    call(fix, "GET", JOBS "/99999", NULL, 404);
    call(fix, "DELETE", JOBS "/99999", NULL, 404);
    for (guint i = 0; i < G_N_ELEMENTS(states); i++) {
        queue_fixture_script(fix->server.db,
                             format(fix, "update connection set status = '%s'", states[i]));
        assert_has(call(fix, "POST", JOBS, SYNC, 409),
                   "errors#409-state-conflict\",\"title\":\"state-conflict\"");
    }
    assert_has(call(fix, "PATCH", CONNECTIONS "/" FIXTURE_CONNECTION, "{\"name\":\"x\"}", 409),
               "\"type\":\"error:connection/locked\",\"title\":\"Connection is locked\"");
}

static void
test_18(Fixture *fix, gconstpointer data)
{
    queue_fixture_script(
        fix->server.db,
        "insert into job (config_type, scope, workspace_id, status, created_at, updated_at, "
        "finished_at) select 'sync', '" FIXTURE_CONNECTION "', '" FIXTURE_WORKSPACE
        "', 'succeeded', now() - make_interval(hours => 5 - i), now(), now() "
        "from generate_series(1, 3) i;"
        "insert into job (config_type, scope, workspace_id, status, created_at, updated_at, "
        "finished_at) values ('check_connection', '" FIXTURE_SOURCE "', '" FIXTURE_WORKSPACE
        "', 'succeeded', now(), now(), now())");
    const char *page = call(fix, "GET", JOBS "?limit=1", NULL, 200);
    assert_has(page, "\"jobId\":1,");
    page = call(fix, "GET", JOBS "?limit=1&orderBy=createdAt%7CDESC", NULL, 200);
    assert_has(page, "\"jobId\":3,"); /* and the check is none */
    assert_has(page, "orderBy=createdAt%7CDESC");
    assert_has(call(fix, "GET", JOBS "?orderBy=createdAt", NULL, 400), "orderBy");
    call(fix, "GET", JOBS "/4", NULL, 404);
}

static void
test_19(Fixture *fix, gconstpointer data)
{
    static const char *const lists[] = {"sources", "destinations", "connections", "workspaces"};
    for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
        const char *page = call(fix, "GET", format(fix, API "/%s?limit=5", lists[i]), NULL, 200);
        g_assert_cmpstr(member(fix, page, "previous"), ==, "");
        const char *next = member(fix, page, "next");
        const char *begin = format(fix, "http://localhost:8000" API "/%s?", lists[i]);
        g_assert_true(g_str_has_prefix(next, begin));
        assert_has(next, "limit=5");
        assert_has(next, "offset=5");
        page = call(fix, "GET", next + strlen("http://localhost:8000"), NULL, 200);
        g_assert_cmpstr(member(fix, page, "data"), ==, "[]");
        g_assert_cmpstr(member(fix, page, "next"), ==, "");
        assert_has(member(fix, page, "previous"), "offset=0");
    }
    const char *page = call(
        fix, "GET", SOURCES "?workspaceIds=" FIXTURE_WORKSPACE "&workspaceIds=" FIXTURE_WORKSPACE,
        NULL, 200);
    assert_has(page, "workspaceIds=" FIXTURE_WORKSPACE "," FIXTURE_WORKSPACE);
}

static void
test_20(Fixture *fix, gconstpointer data)
{
    fix->job_output = catalog;
    const char *list = call(fix, "GET", API "/streams?sourceId=" FIXTURE_SOURCE, NULL, 200);
    g_assert_cmpint(list[0], ==, '[');
    g_assert_cmpstr(call(fix, "GET", API "/tags", NULL, 200), ==, "{\"data\":[]}");
}

static void
test_21(Fixture *fix, gconstpointer data)
{
    const char *id = member(fix, call(fix, "POST", JOBS, SYNC, 200), "jobId");
    const char *gone = call(fix, "DELETE", format(fix, JOBS "/%s", id), NULL, 200);
    g_assert_cmpstr(member(fix, gone, "status"), ==, "cancelled");
    g_assert_cmpstr(call(fix, "DELETE", format(fix, JOBS "/%s", id), NULL, 200), ==, gone);
    call(fix, "DELETE", CONNECTIONS "/" FIXTURE_CONNECTION, NULL, 204);
    call(fix, "DELETE", SOURCES "/" FIXTURE_SOURCE, NULL, 204);
    call(fix, "DELETE", API "/destinations/" FIXTURE_DESTINATION, NULL, 204);
    call(fix, "DELETE", API "/workspaces/" FIXTURE_WORKSPACE, NULL, 204);
}

static void
test_22(Fixture *fix, gconstpointer data)
{
    const char *problem = call(fix, "GET", SOURCES "/" FIXTURE_CONNECTION, NULL, 404);
    g_assert_cmpstr(problem, ==,
                    "{\"status\":404,\"type\":\"https://reference.airbyte.com/reference/errors#"
                    "resource-not-found\",\"title\":\"resource-not-found\",\"detail\":\"source "
                    "'" FIXTURE_CONNECTION
                    "' does not exist\",\"data\":{\"resourceType\":\"source\","
                    "\"resourceId\":\"" FIXTURE_CONNECTION "\"}}");
    const char *value = call(fix, "POST", SOURCES,
                             "{\"name\":\"x\",\"workspaceId\":\"" FIXTURE_WORKSPACE
                             "\",\"configuration\":{\"sourceType\":\"nobody\"}}",
                             400);
    assert_has(value, "\"title\":\"value-not-found\"");
    assert_has(value, "\"data\":{\"value\":\"nobody\"}");
    call(fix, "POST", SOURCES,
         "{\"name\":\"x\",\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"configuration\":{}}", 422);
}

/* Also where no job was made for the answer. */
static void
test_23(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *path, *body;
    } cases[] = {
        {"sources/check_connection", "{\"sourceId\":\"" FIXTURE_SOURCE "\"}"},
        {"sources/discover_schema", "{\"sourceId\":\"" FIXTURE_SOURCE "\"}"},
        {"source_definition_specifications/get", "{\"sourceDefinitionId\":\"" FIXTURE_SOURCE
                                                 "\",\"workspaceId\":\"" FIXTURE_WORKSPACE "\"}"},
        {"source_definition_specifications/get_for_source",
         "{\"sourceId\":\"" FIXTURE_SOURCE "\"}"},
    };
    fix->job_output = NULL; /* what runs fails */
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *answer =
            call(fix, "POST", format(fix, "/api/v1/%s", cases[i].path), cases[i].body, 200);
        const char *info = member(fix, answer, "jobInfo");
        assert_has(info, "\"configType\":");
        assert_has(info, "\"succeeded\":");
        assert_has(info, "\"createdAt\":");
    }
}

static void
test_24(Fixture *fix, gconstpointer data)
{
    assert_lacks(call(fix, "GET", CONNECTIONS "/" FIXTURE_CONNECTION, NULL, 200), "statusReason");
}

static void
test_25(Fixture *fix, gconstpointer data)
{
    static const struct {
        int seconds;
        const char *timing;
    } cases[] = {{86400, "Every 24 HOURS"}, {5400, "Every 90 MINUTES"}, {61, "Every 61 SECONDS"}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        queue_fixture_script(fix->server.db,
                             format(fix,
                                    "update connection set schedule_type = 'basic', "
                                    "basic_interval_sec = %d",
                                    cases[i].seconds));
        const char *one = call(fix, "GET", CONNECTIONS "/" FIXTURE_CONNECTION, NULL, 200);
        g_assert_cmpstr(
            member(fix, one, "schedule"), ==,
            format(fix, "{\"scheduleType\":\"basic\",\"basicTiming\":\"%s\"}", cases[i].timing));
    }
    assert_has(call(fix, "PATCH", CONNECTIONS "/" FIXTURE_CONNECTION,
                    "{\"schedule\":{\"scheduleType\":\"basic\"}}", 400),
               "schedule.scheduleType");
}

static void
test_26(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *schedule, *problem;
    } cases[] = {
        {"\"scheduleType\":\"cron\"", "missing-cron-data"},
        {"\"scheduleType\":\"cron\",\"cronExpression\":\" UTC\"", "missing-component"},
        {"\"scheduleType\":\"cron\",\"cronExpression\":\"0 12 * * *\"", "invalid-expression"},
        {"\"scheduleType\":\"cron\",\"cronExpression\":\"0 0 25 * * ?\"", "invalid-expression"},
        {"\"scheduleType\":\"cron\",\"cronExpression\":\"0 0 12 * * ? Europe/Berlin\"",
         "invalid-timezone"},
        {"\"scheduleType\":\"cron\",\"cronExpression\":\"* 0 12 * * ?\"",
         "under-one-hour-not-allowed"},
        {"\"scheduleType\":\"cron\",\"cronExpression\":\"0/10 0 12 * * ?\"",
         "under-one-hour-not-allowed"},
    };
    const char *path = CONNECTIONS "/" FIXTURE_CONNECTION;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *problem =
            call(fix, "PATCH", path, format(fix, "{\"schedule\":{%s}}", cases[i].schedule), 400);
        assert_has(problem, format(fix, "\"type\":\"error:cron-validation/%s\"", cases[i].problem));
        assert_has(problem, "\"connectionId\":\"" FIXTURE_CONNECTION "\"");
        assert_has(problem, "\"validationErrorMessage\":\"");
    }
    static const char *const good[] = {"0 0 12 * * ?", "0 0 12 * * ? UTC",
                                       "0 0 12 ? * MON-FRI 2030"};
    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        const char *changed =
            call(fix, "PATCH", path,
                 format(fix, "{\"schedule\":{\"scheduleType\":\"cron\",\"cronExpression\":\"%s\"}}",
                        good[i]),
                 200);
        const char *suffix = g_str_has_suffix(good[i], "UTC") ? "" : " UTC";
        assert_has(changed, format(fix, "\"cronExpression\":\"%s%s\"", good[i], suffix));
    }
}

static void
test_27(Fixture *fix, gconstpointer data)
{
    const char *made = add_connection(fix, "");
    g_assert_cmpstr(member(fix, made, "namespaceDefinition"), ==, "destination");
    g_assert_cmpstr(member(fix, made, "nonBreakingSchemaUpdatesBehavior"), ==, "ignore");
    g_assert_cmpstr(member(fix, made, "prefix"), ==, "");
    g_assert_cmpstr(member(fix, made, "status"), ==, "active");
    g_assert_cmpstr(member(fix, made, "name"), ==, "s <> d");
    assert_has(
        call(fix, "PATCH", path_of(fix, made), "{\"namespaceDefinition\":\"custom_format\"}", 400),
        "namespaceFormat");
}

static void
test_29(Fixture *fix, gconstpointer data)
{
    queue_fixture_script(fix->server.db,
                         "update actor set created_at = '2026-08-01T12:00:00.75Z';"
                         "insert into job (config_type, scope, workspace_id, status, created_at, "
                         "updated_at, finished_at) values ('sync', '" FIXTURE_CONNECTION
                         "', '" FIXTURE_WORKSPACE "', 'succeeded', '2026-08-01T12:00:00Z', "
                         "'2026-08-01T12:01:30Z', '2026-08-01T12:01:30Z')");
    g_assert_cmpstr(
        member(fix, call(fix, "GET", SOURCES "/" FIXTURE_SOURCE, NULL, 200), "createdAt"), ==,
        "1785585600");
    const char *job = call(fix, "GET", JOBS "/1", NULL, 200);
    g_assert_true(g_str_has_prefix(member(fix, job, "startTime"), "2026-08-01T12:00:00"));
    g_assert_true(g_str_has_prefix(member(fix, job, "lastUpdatedAt"), "2026-08-01T12:01:30"));
    g_assert_cmpstr(member(fix, job, "duration"), ==, "PT1M30S");
}

static void
test_31(Fixture *fix, gconstpointer data)
{
    const char *one = call(fix, "GET", API "/destinations/" FIXTURE_DESTINATION, NULL, 200);
    g_assert_cmpstr(member(fix, one, "configuration"), ==, "{\"destinationType\":\"d\"}");
    g_assert_cmpstr(member(fix, one, "destinationType"), ==, "d");
    one = call(fix, "GET", SOURCES "/" FIXTURE_SOURCE, NULL, 200);
    g_assert_cmpstr(member(fix, one, "configuration"), ==, "{}");
    one = call(fix, "GET", CONNECTIONS "/" FIXTURE_CONNECTION, NULL, 200);
    g_assert_cmpstr(member(fix, one, "tags"), ==, "[]");
    g_assert_cmpstr(member(fix, one, "schedule"), ==, "{\"scheduleType\":\"manual\"}");
    g_assert_cmpstr(member(fix, one, "configurations"), ==, "{\"streams\":[]}");
    assert_has(call(fix, "GET", API "/workspaces/" FIXTURE_WORKSPACE, NULL, 200),
               "\"notifications\":{\"failure\":{\"email\":{\"enabled\":true}");
}

static void
test_32(Fixture *fix, gconstpointer data)
{
    g_assert_cmpstr(member(fix, call(fix, "POST", JOBS, SYNC, 200), "status"), ==, "pending");
    const char *queued = call(fix, "GET", JOBS "?status=queued", NULL, 200);
    assert_has(queued, "\"status\":\"pending\"");
    assert_lacks(member(fix, queued, "data"), "queued");
}

static void
test_33(Fixture *fix, gconstpointer data)
{
    const char *made =
        add_connection(fix, ",\"configurations\":{\"streams\":[{\"name\":\"logs\"}]}");
    g_assert_cmpstr(member(fix, made, "configurations"), ==,
                    "{\"streams\":[{\"name\":\"logs\",\"syncMode\":\"full_refresh_overwrite\"}]}");
}

/* Our page comes from the server that it asks, and no client of the list is a page of others:
 * nobody is allowed to read answers across origins. README.md of src/server says why. */
static void
test_34(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *method, *path, *body;
        guint status;
    } cases[] = {
        {"GET", SOURCES, NULL, 200},
        {"GET", "/api/v1/health", NULL, 200},
        {"POST", "/api/v1/workspaces/list", "{}", 200},
        {"GET", SOURCES "/x", NULL, 400},
        {"OPTIONS", SOURCES, NULL, 405},
        {"OPTIONS", "/api/v1/workspaces/list", NULL, 405},
        {"OPTIONS", "/api/login", NULL, 405},
    };
    const char *headers[] = {"Origin",
                             "https://page.example",
                             "Access-Control-Request-Method",
                             "POST",
                             "Access-Control-Request-Headers",
                             "authorization, content-type, x-airbyte-analytic-source",
                             "X-Airbyte-Analytic-Source",
                             "webapp",
                             NULL};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GBytes) body =
            cases[i].body != NULL ? g_bytes_new_static(cases[i].body, strlen(cases[i].body)) : NULL;
        g_autoptr(SlHttpUnixReply) reply = NULL;
        g_autoptr(GError) error = NULL;
        GHashTableIter iter;
        gpointer name;
        sl_http_unix_request(fix->client, cases[i].method, cases[i].path, headers, body,
                             g_get_monotonic_time() + 20 * G_USEC_PER_SEC, NULL, &reply, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(reply->status, ==, cases[i].status);
        g_hash_table_iter_init(&iter, reply->headers);
        while (g_hash_table_iter_next(&iter, &name, NULL))
            g_assert_false(g_str_has_prefix(name, "access-control-"));
    }
}

#define MANIFESTS WS "/definitions/declarative_sources"
#define MANIFEST(extra)                                                                            \
    "{\"version\":\"6.1.0\",\"type\":\"DeclarativeSource\",\"spec\":{\"type\":\"Spec\","           \
    "\"connection_specification\":{\"type\":\"object\",\"required\":[\"api_key\"],"                \
    "\"properties\":{\"api_key\":{\"type\":\"string\",\"airbyte_secret\":true}}}}" extra "}"

static void
test_35(Fixture *fix, gconstpointer data)
{
    const char *made = call(fix, "POST", MANIFESTS,
                            "{\"name\":\"low\",\"manifest\":" MANIFEST(",\"x\":1.10") "}", 200);
    g_assert_cmpstr(member(fix, made, "version"), ==, "1");
    g_assert_cmpstr(member(fix, made, "manifest"), ==, MANIFEST(",\"x\":1.10"));
    const char *id = member(fix, made, "id"), *path = format(fix, MANIFESTS "/%s", id);
    assert_lacks(call(fix, "GET", WS "/definitions/sources", NULL, 200), id);
    call(fix, "GET", format(fix, WS "/definitions/sources/%s", id), NULL, 404);
    assert_has(call(fix, "GET", MANIFESTS, NULL, 200), id);
    assert_has(call(fix, "GET", API "/connector_definitions?type=source", NULL, 200), "\"6.1.0\"");

    /* the next version becomes the active one; sources are judged by its specification */
    const char *changed = call(fix, "PUT", path, "{\"manifest\":" MANIFEST(",\"y\":2") "}", 200);
    g_assert_cmpstr(member(fix, changed, "version"), ==, "2");
    g_assert_cmpstr(call(fix, "GET", path, NULL, 200), ==, changed);
    const char *body = format(fix,
                              "{\"name\":\"n\",\"workspaceId\":\"" FIXTURE_WORKSPACE
                              "\",\"definitionId\":\"%s\",\"configuration\":{%%s}}",
                              id);
    g_auto(GStrv) halves = g_strsplit(body, "%s", 2);
    call(fix, "POST", SOURCES, format(fix, "%s%s", halves[0], halves[1]), 422);
    const char *source =
        call(fix, "POST", SOURCES, format(fix, "%s\"api_key\":\"k\"%s", halves[0], halves[1]), 200);
    g_assert_cmpstr(member(fix, source, "configuration"), ==, "{\"api_key\":\"**********\"}");

    call(fix, "DELETE", path, NULL, 409); /* in use */
    call(fix, "DELETE", format(fix, SOURCES "/%s", member(fix, source, "sourceId")), NULL, 204);
    g_assert_cmpstr(call(fix, "DELETE", path, NULL, 200), ==, changed);
    call(fix, "GET", path, NULL, 404);
    assert_has(call(fix, "POST", MANIFESTS, "{\"name\":\"x\",\"manifest\":{\"spec\":{}}}", 400),
               "manifest.spec.connection_specification");
    call(fix, "GET", MANIFESTS "/" FIXTURE_SOURCE, NULL, 404);
}

static void
test_36(Fixture *fix, gconstpointer data)
{
    const char *path = SOURCES "/ABCDEFAB-0000-4000-8000-00000000000A";
    queue_fixture_script(
        fix->server.db,
        "insert into actor (actor_id, workspace_id, definition_id, actor_type, name, "
        "configuration, created_at, updated_at) values ('abcdefab-0000-4000-8000-00000000000a', "
        "'" FIXTURE_WORKSPACE "', '" FIXTURE_SOURCE "', 'source', 'n', '{}', now(), now())");
    g_assert_cmpstr(member(fix, call(fix, "GET", path, NULL, 200), "sourceId"), ==,
                    "abcdefab-0000-4000-8000-00000000000a");
    assert_has(call(fix, "GET", SOURCES "/not-a-uuid", NULL, 400), "#bad-request");
}

static void
test_38(Fixture *fix, gconstpointer data)
{
    const char *made = add_connection(
        fix, ",\"configurations\":{\"streams\":[{\"name\":\"users\",\"syncMode\":"
             "\"incremental_append\",\"cursorField\":[\"at\"]},{\"name\":\"logs\"}]}");
    const char *id = member(fix, made, "connectionId");
    const char *left = format(fix, "select count(*) from state where connection_id = '%s'", id);
    queue_fixture_script(
        fix->server.db,
        format(fix,
               "insert into state (connection_id, namespace, stream, type, state, updated_at) "
               "values ('%s', 'public', 'users', 'STREAM', '{}', now()), "
               "('%s', '', 'logs', 'STREAM', '{}', now())",
               id, id));
    /* another destination mode does not matter */
    call(fix, "PATCH", path_of(fix, made),
         "{\"configurations\":{\"streams\":[{\"name\":\"users\",\"syncMode\":"
         "\"incremental_deduped_history\",\"cursorField\":[\"at\"]},{\"name\":\"logs\"}]}}",
         200);
    g_assert_cmpint(count(fix, left), ==, 2);
    call(fix, "PATCH", path_of(fix, made),
         "{\"configurations\":{\"streams\":[{\"name\":\"users\"},{\"name\":\"logs\"}]}}", 200);
    g_assert_cmpint(count(fix, left), ==, 1);
}

#define AES(key)                                                                                   \
    "\"type\":\"encryption\",\"mapperConfiguration\":{\"algorithm\":\"AES\",\"targetField\":"      \
    "\"name\",\"fieldNameSuffix\":\"_e\",\"mode\":\"CBC\",\"padding\":\"PKCS5Padding\",\"key\":"   \
    "\"" key "\"}"
#define USERS(mappers)                                                                             \
    "\"configurations\":{\"streams\":[{\"name\":\"users\",\"mappers\":[" mappers "]}]}"

static void
test_39(Fixture *fix, gconstpointer data)
{
    static const char keys[] = "select count(*) from secret where connection_id is not null";
    const char *made = add_connection(
        fix,
        "," USERS("{" AES(
            "00112233445566778899aabbccddeeff") "},{\"type\":\"field-renaming\","
                                                "\"mapperConfiguration\":{\"originalFieldName\":"
                                                "\"at\",\"newFieldName\":"
                                                "\"t\"}}"));
    assert_has(made, "\"key\":\"**********\"");
    assert_lacks(made, "00112233");
    g_assert_cmpint(count(fix, keys), ==, 1);
    g_assert_cmpint(count(fix, "select count(*) from connection where catalog like '%00112233%'"),
                    ==, 0);
    /* ids were made; the mask comes back under one of them, and keeps */
    const char *id = strstr(made, "\"mappers\":[{\"id\":\"") + strlen("\"mappers\":[{\"id\":\"");
    id = format(fix, "%.36s", id);
    g_assert_true(g_uuid_string_is_valid(id));
    gint64 before = count(fix, "select hashtext(secret_id::text) from secret");
    const char *body = format(fix, "{" USERS("{\"id\":\"%s\"," AES("**********") "}") "}", id);
    assert_has(call(fix, "PATCH", path_of(fix, made), body, 200), id);
    g_assert_cmpint(count(fix, "select hashtext(secret_id::text) from secret"), ==, before);
    /* without it the mask stands for nothing */
    call(fix, "PATCH", path_of(fix, made), "{" USERS("{" AES("**********") "}") "}", 400);
    call(fix, "PATCH", path_of(fix, made), "{" USERS("") "}", 200);
    g_assert_cmpint(count(fix, keys), ==, 0);
}

static void
test_40(Fixture *fix, gconstpointer data)
{
    const char *body =
        "{\"schedule\":{\"scheduleType\":\"manual\",\"cronExpression\":\"0 0 * * * ?\"}}";
    assert_has(call(fix, "PATCH", CONNECTIONS "/" FIXTURE_CONNECTION, body, 400), "manual");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
#define CASE(name, func) g_test_add("/server/surprise-" name, Fixture, NULL, setup, func, teardown)
    CASE("01-keys-are-never-recased", test_01);
    CASE("02-one-off-spellings", test_02);
    CASE("03-synced-is-committed", test_03);
    CASE("04-two-catalogs", test_04);
    CASE("05-mask-where-a-value-is", test_05);
    CASE("06-put-keeps-by-the-mask", test_06);
    CASE("07-patch-keeps-by-the-mask", test_07);
    CASE("08-merge-cannot-delete", test_08);
    CASE("09-judged-after-the-merge", test_09);
    CASE("10-secret-coordinates", test_10);
    CASE("11-soft-delete", test_11);
    CASE("12-names-are-not-unique", test_12);
    CASE("13-discover-inline", test_13);
    CASE("14-no-configurations", test_14);
    CASE("15-reset-and-clear", test_15);
    CASE("16-post-jobs-returns-at-once", test_16);
    CASE("17-unknown-and-inactive", test_17);
    CASE("18-jobs-oldest-first", test_18);
    CASE("19-next-never-null", test_19);
    CASE("20-bare-arrays", test_20);
    CASE("21-delete-codes", test_21);
    CASE("22-problems", test_22);
    CASE("23-job-info-always", test_23);
    CASE("24-no-status-reason", test_24);
    CASE("25-basic-schedules-are-read-only", test_25);
    CASE("26-quartz", test_26);
    CASE("27-namespace-default", test_27);
    CASE("29-seconds", test_29);
    CASE("31-never-null", test_31);
    CASE("32-never-queued", test_32);
    CASE("33-selected-streams-only", test_33);
    CASE("34-no-cors", test_34);
    CASE("35-declarative-apart", test_35);
    CASE("36-uuids", test_36);
    CASE("38-mode-change-wipes-state", test_38);
    CASE("39-mappers-and-keys", test_39);
    CASE("40-manual-without-data", test_40);
    return g_test_run();
}
