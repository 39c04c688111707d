/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-test.h"

#include <string.h>

#include "sl-queue.h"
#include "sl-sql.h"

#define GOOD "{\"host\":\"h\",\"password\":\"hunter2\"}"
#define CATALOG                                                                                    \
    "{\"streams\":[{\"name\":\"users\",\"json_schema\":{\"properties\":{\"id\":{}}},"              \
    "\"supported_sync_modes\":[\"full_refresh\"]},{\"name\":\"logs\",\"json_schema\":{},"          \
    "\"supported_sync_modes\":[\"full_refresh\"]}]}"
#define SOURCE "{\"sourceId\":\"" FIXTURE_SOURCE "\"}"

static const struct {
    const char *kind, *id;
} sides[] = {{"source", FIXTURE_SOURCE}, {"destination", FIXTURE_DESTINATION}};

static const char *const said_yes = "{\"check\":{\"status\":\"SUCCEEDED\"}}";
static const char *const said_no = "{\"check\":{\"status\":\"FAILED\",\"message\":\"no route\"}}";

/* --- check -------------------------------------------------------------------------------------
 */

static void
test_check(Fixture *fix, gconstpointer data)
{
    for (guint i = 0; i < G_N_ELEMENTS(sides); i++) {
        const char *verb = format(fix, "%ss/check_connection", sides[i].kind);
        const char *body = format(fix, "{\"%sId\":\"%s\"}", sides[i].kind, sides[i].id);
        fix->job_output = said_yes;
        const char *answer = config_call(fix, verb, body, 200);
        g_assert_cmpstr(member(fix, answer, "status"), ==, "succeeded");
        g_assert_cmpstr(config_at(fix, answer, "jobInfo", "succeeded", NULL), ==, "true");
        g_assert_cmpstr(config_at(fix, answer, "jobInfo", "configId", NULL), ==, sides[i].id);
        g_assert_cmpstr(config_at(fix, answer, "jobInfo", "configType", NULL), ==,
                        format(fix, "check_connection_%s", sides[i].kind));
        g_assert_cmpstr(config_at(fix, answer, "jobInfo", "connectorConfigurationUpdated", NULL),
                        ==, "false");
        /* the connector gives itself a new configuration each time from now on */
        queue_fixture_script(fix->server.db, "alter table attempt alter column "
                                             "configuration_updated set default true");
        answer = config_call(fix, verb, body, 200);
        g_assert_cmpstr(config_at(fix, answer, "jobInfo", "connectorConfigurationUpdated", NULL),
                        ==, "true");
        queue_fixture_script(fix->server.db, "alter table attempt alter column "
                                             "configuration_updated set default false");
        fix->job_output = said_no;
        answer = config_call(fix, verb, body, 200);
        g_assert_cmpstr(member(fix, answer, "status"), ==, "failed");
        g_assert_cmpstr(member(fix, answer, "message"), ==, "no route");
        g_assert_cmpstr(config_at(fix, answer, "jobInfo", "succeeded", NULL), ==, "true");
        /* the check could not be done: no status, and the reason */
        fix->job_output = NULL;
        answer = config_call(fix, verb, body, 200);
        assert_lacks(answer, "\"status\"");
        g_assert_cmpstr(config_at(fix, answer, "jobInfo", "succeeded", NULL), ==, "false");
        g_assert_cmpstr(config_at(fix, answer, "jobInfo", "failureReason", "externalMessage", NULL),
                        ==, "it broke");
        g_assert_cmpuint(
            strlen(config_at(fix, answer, "jobInfo", "failureReason", "timestamp", NULL)), ==,
            13); /* milliseconds */
        config_refused(fix, verb, format(fix, "{\"%sId\":\"" NO_ID "\"}", sides[i].kind), 404,
                       NO_ID);
        config_refused(fix, verb, "{}", 400, "Id");
        /* one of the other kind is none */
        const char *other = format(fix, "{\"%sId\":\"%s\"}", sides[i].kind, sides[1 - i].id);
        config_refused(fix, verb, other, 404, sides[1 - i].id);
    }
}

/* No secret of an unsaved configuration stays: in the job they are references, and with its end
 * nothing is behind them. */
static void
assert_no_traces(Fixture *fix)
{
    SlDb *db = fix->server.db;
    g_assert_cmpint(queue_fixture_count(db, "select count(*) from job where input::text like"
                                            " '%hunter2%'"),
                    ==, 0);
    g_assert_cmpint(queue_fixture_count(db, "select count(*) from secret where job_id is not null"),
                    ==, 0);
}

static void
test_draft(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *configuration;
        guint status;
        const char *message;
    } bad[] = {
        {"{\"host\":\"h\"}", 422, "password"},
        {"{\"host\":1,\"password\":\"p\"}", 422, "configuration.host: expected string"},
        {"{\"host\":\"h\",\"password\":\"p\",\"port\":0}", 422, "configuration.port"},
        {"{\"host\":\"h\",\"password\":\"**********\"}", 400, "password"},
        {"{\"host\":\"h\",\"password\":{\"_secret\":\"" NO_ID "\"}}", 400, "_secret"},
        {"[]", 422, "configuration: expected object"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(sides); i++) {
        const char *verb = format(fix, "scheduler/%ss/check_connection", sides[i].kind);
        const char *pattern =
            format(fix,
                   "{\"%sDefinitionId\":\"%s\",\"workspaceId\":\"" FIXTURE_WORKSPACE
                   "\",\"connectionConfiguration\":",
                   sides[i].kind, sides[i].id);
        fix->job_output = said_yes;
        const char *answer = config_call(fix, verb, format(fix, "%s" GOOD "}", pattern), 200);
        g_assert_cmpstr(member(fix, answer, "status"), ==, "succeeded");
        g_assert_cmpint(queue_fixture_count(fix->server.db,
                                            "select count(*) from job where input::text like"
                                            " '%\"_secret\"%'"),
                        ==, i + 1);
        assert_no_traces(fix);
        for (guint j = 0; j < G_N_ELEMENTS(bad); j++)
            config_refused(fix, verb, format(fix, "%s%s}", pattern, bad[j].configuration),
                           bad[j].status, bad[j].message);
        config_refused(fix, verb, "{}", 400, "DefinitionId");
    }
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from job"), ==, 2);
    config_refused(fix, "scheduler/sources/check_connection",
                   "{\"sourceDefinitionId\":\"" NO_ID "\",\"workspaceId\":\"" FIXTURE_WORKSPACE
                   "\",\"connectionConfiguration\":{}}",
                   404, NO_ID);
}

static const char *
saved_source(Fixture *fix)
{
    return member(fix,
                  call(fix, "POST", "/api/public/v1/sources",
                       "{\"name\":\"n\",\"workspaceId\":\"" FIXTURE_WORKSPACE
                       "\",\"definitionId\":\"" FIXTURE_SOURCE "\",\"configuration\":" GOOD "}",
                       200),
                  "sourceId");
}

/* The mask stands for what is saved, and trying does not change that. */
static void
test_for_update(Fixture *fix, gconstpointer data)
{
    const char *id = saved_source(fix);
    const char *masked = "{\"host\":\"other\",\"password\":\"**********\"}";
    const char *body = format(
        fix, "{\"sourceId\":\"%s\",\"name\":\"n\",\"connectionConfiguration\":%s}", id, masked);
    const char *saved = format(fix, "select count(*) from secret where actor_id = '%s'", id);
    fix->job_output = said_yes;
    const char *answer = config_call(fix, "sources/check_connection_for_update", body, 200);
    g_assert_cmpstr(member(fix, answer, "status"), ==, "succeeded");
    g_assert_cmpint(queue_fixture_count(fix->server.db, saved), ==, 1);
    g_assert_cmpint(
        queue_fixture_count(
            fix->server.db,
            format(fix,
                   "select count(*) from job where input->'configuration'->>'host' = 'other' and "
                   "input->'configuration'->'password'->>'_secret' = (select secret_id::text from "
                   "secret where actor_id = '%s')",
                   id)),
        ==, 1);
    /* a new one goes with the job */
    config_call(fix, "sources/check_connection_for_update",
                format(fix,
                       "{\"sourceId\":\"%s\",\"name\":\"n\",\"connectionConfiguration\":" GOOD "}",
                       id),
                200);
    assert_no_traces(fix);
    g_assert_cmpint(queue_fixture_count(fix->server.db, saved), ==, 1);
    /* the same by the scheduler; but not with somebody else's secrets */
    const char *core =
        format(fix,
               "{\"sourceId\":\"%s\",\"sourceDefinitionId\":\"" FIXTURE_SOURCE
               "\",\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"connectionConfiguration\":%s}",
               id, masked);
    config_call(fix, "scheduler/sources/check_connection", core, 200);
    queue_fixture_script(fix->server.db,
                         "insert into workspace (workspace_id, organization_id, name, created_at)"
                         " select '" NO_ID "', organization_id, 'w', now() from organization");
    queue_fixture_script(
        fix->server.db,
        format(fix, "update actor set workspace_id = '" NO_ID "' where actor_id = '%s'", id));
    config_refused(fix, "scheduler/sources/check_connection", core, 400, "of another workspace");
    config_refused(fix, "sources/check_connection_for_update", "{}", 400, "sourceId");
    config_refused(fix, "destinations/check_connection_for_update",
                   "{\"destinationId\":\"" NO_ID
                   "\",\"name\":\"n\",\"connectionConfiguration\":{}}",
                   404, NO_ID);
}

/* --- discover ----------------------------------------------------------------------------------
 */

static void
test_discover(Fixture *fix, gconstpointer data)
{
    static const char verb[] = "sources/discover_schema";
    fix->job_output = "{\"catalog\":" CATALOG "}";
    const char *answer = config_call(fix, verb, SOURCE, 200);
    g_assert_cmpstr(config_at(fix, answer, "catalog", "streams", "0", "stream", "name", NULL), ==,
                    "users");
    g_assert_cmpstr(
        config_at(fix, answer, "catalog", "streams", "0", "config", "destinationSyncMode", NULL),
        ==, "overwrite");
    g_assert_cmpstr(config_at(fix, answer, "jobInfo", "configType", NULL), ==, "discover_schema");
    assert_lacks(answer, "catalogDiff");
    fix->job_output = NULL;
    answer = config_call(fix, verb, SOURCE, 200);
    assert_lacks(answer, "\"catalog\"");
    g_assert_cmpstr(config_at(fix, answer, "jobInfo", "succeeded", NULL), ==, "false");
    config_refused(fix, verb, "{\"sourceId\":\"" NO_ID "\"}", 404, NO_ID);
    config_refused(fix, verb, "{\"sourceId\":\"" FIXTURE_DESTINATION "\"}", 404,
                   FIXTURE_DESTINATION);
    config_refused(fix, verb, "{}", 400, "sourceId");
    config_refused(fix, verb, "{\"sourceId\":\"" FIXTURE_SOURCE "\",\"disable_cache\":7}", 400,
                   "disable_cache: ");
}

/* Keeps a catalog as a worker does. */
static void
know(Fixture *fix, const char *catalog)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(fix->server.db, FALSE, &error);
    g_autoptr(SlActor) actor = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    sl_sql_actor_get(tx, FIXTURE_SOURCE, &actor, &error);
    g_assert_no_error(error);
    sl_sql_definition_get(tx, actor->definition_id, &definition, &error);
    g_assert_no_error(error);
    g_autofree char *key = sl_queue_catalog_key(definition, actor);
    g_autofree char *kept = NULL;
    sl_sql_catalog_keep(tx, NO_ID, FIXTURE_SOURCE, key, catalog, "", FIXTURE_NOW, &kept, &error);
    g_assert_no_error(error);
    g_assert_true(sl_tx_commit(tx, &error));
}

static void
test_known(Fixture *fix, gconstpointer data)
{
    const char *none = config_call(fix, "sources/most_recent_source_actor_catalog", SOURCE, 200);
    g_assert_cmpstr(none, ==, "{}");
    know(fix, CATALOG);
    /* nothing runs for what is known */
    const char *answer = config_call(fix, "sources/discover_schema", SOURCE, 200);
    g_assert_cmpstr(member(fix, answer, "catalogId"), ==, NO_ID);
    g_assert_cmpstr(config_at(fix, answer, "jobInfo", "configId", NULL), ==, "NoConfiguration");
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from job"), ==, 0);
    fix->job_output = "{\"catalog\":{\"streams\":[]}}";
    answer = config_call(fix, "sources/discover_schema",
                         "{\"sourceId\":\"" FIXTURE_SOURCE "\",\"disable_cache\":true}", 200);
    g_assert_cmpstr(config_at(fix, answer, "catalog", "streams", NULL), ==, "[]");
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from job"), ==, 1);
    answer = config_call(fix, "sources/most_recent_source_actor_catalog", SOURCE, 200);
    g_assert_cmpstr(member(fix, answer, "catalog"), ==, CATALOG);
    g_assert_cmpstr(member(fix, answer, "updatedAt"), ==, "1785585600");
    config_refused(fix, "sources/most_recent_source_actor_catalog", "{\"sourceId\":\"" NO_ID "\"}",
                   404, NO_ID);
    config_refused(fix, "sources/most_recent_source_actor_catalog", "{}", 400, "sourceId");
}

static void
test_diff(Fixture *fix, gconstpointer data)
{
    static const char body[] =
        "{\"sourceId\":\"" FIXTURE_SOURCE "\",\"connectionId\":\"" FIXTURE_CONNECTION "\"}";
    queue_fixture_script(
        fix->server.db,
        "update connection set catalog = '{\"streams\":[{\"stream\":{\"name\":\"users\","
        "\"json_schema\":{\"properties\":{\"id\":{},\"at\":{}}}},\"sync_mode\":\"incremental\","
        "\"destination_sync_mode\":\"append\",\"cursor_field\":[\"at\"]}]}'");
    fix->job_output = "{\"catalog\":" CATALOG "}";
    const char *answer = config_call(fix, "sources/discover_schema", body, 200);
    g_assert_cmpstr(member(fix, answer, "breakingChange"), ==, "true");
    g_assert_cmpstr(member(fix, answer, "connectionStatus"), ==, "active");
    g_assert_cmpstr(config_at(fix, answer, "catalogDiff", "transforms", "0", "updateStream",
                              "fieldTransforms", "0", "fieldName", NULL),
                    ==, "[\"at\"]");
    g_assert_cmpstr(config_at(fix, answer, "catalogDiff", "transforms", "1", "transformType", NULL),
                    ==, "add_stream");
    config_refused(fix, "sources/discover_schema",
                   "{\"sourceId\":\"" FIXTURE_SOURCE "\",\"connectionId\":\"" NO_ID "\"}", 400,
                   "is no connection of source");
}

static void
test_discover_draft(Fixture *fix, gconstpointer data)
{
    static const char verb[] = "scheduler/sources/discover_schema";
    const char *body =
        "{\"sourceDefinitionId\":\"" FIXTURE_SOURCE "\",\"workspaceId\":\"" FIXTURE_WORKSPACE
        "\",\"connectionConfiguration\":" GOOD "}";
    fix->job_output = "{\"catalog\":" CATALOG "}";
    const char *answer = config_call(fix, verb, body, 200);
    g_assert_cmpstr(config_at(fix, answer, "catalog", "streams", "1", "stream", "name", NULL), ==,
                    "logs");
    assert_no_traces(fix);
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from catalog"), ==, 0);
    fix->job_output = NULL;
    assert_lacks(config_call(fix, verb, body, 200), "\"catalog\"");
    config_refused(fix, verb, "{}", 400, "sourceDefinitionId");
}

void
config_add_check_cases(void)
{
    CONFIG_CASE("check/check", test_check);
    CONFIG_CASE("check/draft", test_draft);
    CONFIG_CASE("check/for-update", test_for_update);
    CONFIG_CASE("check/discover", test_discover);
    CONFIG_CASE("check/known", test_known);
    CONFIG_CASE("check/diff", test_diff);
    CONFIG_CASE("check/discover-draft", test_discover_draft);
}
