/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-dispatch.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "server-auth.h"
#include "server-fixture.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-http-unix.h"
#include "sl-queue-fixture.h"
#include "sl-queue.h"
#include "sl-sql.h"

/* --- cases: frame
 * --------------------------------------------------------------------------------- */

static void
test_frame(Fixture *fix, gconstpointer data)
{
    assert_has(call(fix, "GET", "/api/public/v1/health", NULL, 200), "Successful operation");
    assert_has(call(fix, "GET", "/api/v1/health/", NULL, 200), "{\"available\":true}");
    assert_has(call(fix, "GET", "/openapi.json", NULL, 200), "{}");
    assert_has(call(fix, "GET", "/nothing", NULL, 404), "#resource-not-found");
    call(fix, "PUT", "/api/public/v1/sources", "{}", 405);
    assert_has(call(fix, "GET", "/api/public/v1/sources/no-uuid", NULL, 400), "actorId");
    assert_has(call(fix, "GET", "/api/public/v1/sources?limit=x", NULL, 400), "limit");
    assert_has(call(fix, "GET", "/api/public/v1/sources?limit=101", NULL, 400), "limit");
    assert_has(call(fix, "GET", "/api/public/v1/sources?offset=-1", NULL, 400), "offset");
    assert_has(call(fix, "POST", "/api/public/v1/sources", "{\"name\":", 400), "body: ");
    assert_has(call(fix, "POST", "/api/public/v1/sources", "[]", 400), "body: expected object");
    assert_has(call(fix, "POST", "/api/public/v1/sources", "{\"name\":\"x\"}", 400), "workspaceId");
    /* a body cannot break out of the object that is built around it */
    call(fix, "POST", "/api/public/v1/sources", "{\"name\":\"x\"},{", 400);
    assert_has(call(fix, "GET", "/api/v1/sluice/status", NULL, 200), "\"connections\":1");
}

/* A token goes before the socket's word, so that this holds for root too. */
static void
test_every_operation_is_guarded(Fixture *fix, gconstpointer data)
{
    const char *bad[] = {"Authorization", "Bearer a.b.c", NULL};
    guint n_open = 0;
    for (guint i = 0; i < server_n_operations; i++) {
        const ServerOperation *operation = &server_operations[i];
        if (operation->intent == SERVER_INTENT_ANONYMOUS)
            n_open++;
        else
            call_with(fix, bad, operation->method, operation->path, NULL, 401);
    }
    /* health twice, the description, four addresses for tokens, login, refresh, logout, setup */
    g_assert_cmpuint(n_open, ==, 11);
}

static void
test_tokens(Fixture *fix, gconstpointer data)
{
    const char *app = call(fix, "POST", "/api/public/v1/applications", "{\"name\":\"ci\"}", 200);
    const char *id = member(fix, app, "clientId"), *secret = member(fix, app, "clientSecret");
    const char *form[] = {"Content-Type", "application/x-www-form-urlencoded", NULL};
    const char *body =
        format(fix, "client_id=%s&client_secret=%s&grant_type=client_credentials", id, secret);
    const char *answer = call_with(fix, form, "POST", "/applications/token", body, 200);
    g_assert_cmpstr(member(fix, answer, "token_type"), ==, "Bearer");
    g_assert_cmpstr(member(fix, answer, "expires_in"), ==, "900");
    const char *token = member(fix, answer, "access_token");
    body = format(fix, "{\"client_id\":\"%s\",\"client_secret\":\"%s\"}", id, secret);
    call(fix, "POST", "/api/public/v1/applications/token", body, 200);
    body = format(fix, "{\"client_id\":\"%s\",\"client_secret\":\"wrong\"}", id);
    call(fix, "POST", "/v1/applications/token", body, 401);
    assert_has(call(fix, "POST", "/v1/applications/token", "{}", 400), "client_id");

    const char *good[] = {"Authorization", format(fix, "Bearer %s", token), NULL};
    const char *bad[] = {"Authorization", format(fix, "Bearer %sx", token), NULL};
    const char *basic[] = {"Authorization", "Basic eDp5", NULL};
    call_with(fix, good, "GET", "/api/public/v1/workspaces", NULL, 200);
    call_with(fix, bad, "GET", "/api/public/v1/workspaces", NULL, 401);
    call_with(fix, basic, "GET", "/api/public/v1/workspaces", NULL, 401);

    const char *list = call(fix, "GET", "/api/public/v1/applications", NULL, 200);
    assert_has(list, id);
    assert_has(list, secret);
    const char *path = format(fix, "/api/public/v1/applications/%s", member(fix, app, "id"));
    call(fix, "DELETE", path, NULL, 200);
    call(fix, "GET", path, NULL, 404);
    call_with(fix, good, "GET", "/api/public/v1/workspaces", NULL, 401);
}

static gboolean
accepts(const Server *server, const char *token, gint64 now)
{
    ServerCaller caller = {0};
    gboolean ok = server_token_check(server, token, now, &caller, NULL);
    g_assert_cmpint(ok, ==, caller.user_id != NULL);
    server_caller_clear(&caller);
    return ok;
}

static void
test_token_time(void)
{
    Server server = {.token_key = g_bytes_new_static("key", 3), .public_url = (char *)"http://x"};
    Server other = {.token_key = g_bytes_new_static("yek", 3), .public_url = (char *)"http://x"};
    gint64 now = FIXTURE_NOW, end = now + 900 * (gint64)G_USEC_PER_SEC;
    g_autofree char *token =
        server_token_make(&server, SERVER_DEFAULT_USER, NULL, NULL, now, end - now);
    g_assert_true(accepts(&server, token, now));
    g_assert_true(accepts(&server, token, end - 1));
    g_assert_false(accepts(&server, token, end));
    g_assert_false(accepts(&other, token, now));
    for (gsize i = 0; i < strlen(token); i++) { /* any other byte, any shorter text */
        g_autofree char *changed = g_strdup(token);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        g_assert_false(accepts(&server, changed, now));
        changed[i] = '\0';
        g_assert_false(accepts(&server, changed, now));
    }
    /* "alg": "none" */
    g_assert_false(accepts(&server, "eyJhbGciOiJub25lIn0.eyJleHAiOjk5OTk5OTk5OTl9.", now));
    g_bytes_unref(server.token_key);
    g_bytes_unref(other.token_key);
}

/* --- cases: resources
 * ------------------------------------------------------------------------------ */

static void
test_workspaces(Fixture *fix, gconstpointer data)
{
    const char *made =
        call(fix, "POST", "/api/public/v1/workspaces", "{\"name\":\"second\",\"x\":1}", 200);
    const char *id = member(fix, made, "workspaceId");
    const char *path = format(fix, "/api/public/v1/workspaces/%s", id);
    g_assert_cmpstr(member(fix, made, "dataResidency"), ==, "auto");
    assert_has(made, "\"success\":{\"email\":{\"enabled\":false},\"webhook\":{\"enabled\":false}}");
    g_assert_cmpstr(call(fix, "GET", path, NULL, 200), ==, made);
    assert_has(call(fix, "PATCH", path, "{\"name\":\"2nd\"}", 200), "\"name\":\"2nd\"");
    assert_has(call(fix, "POST", "/api/public/v1/workspaces", "{}", 400), "name");

    const char *page = call(fix, "GET", "/api/public/v1/workspaces?limit=1", NULL, 200);
    assert_has(page, "\"previous\":\"\"");
    assert_has(page, "\"next\":\"http://localhost:8000/api/public/v1/"
                     "workspaces?includeDeleted=false&limit=1&offset=1\"");
    page = call(fix, "GET", "/api/public/v1/workspaces?limit=1&offset=2", NULL, 200);
    assert_has(page, "\"data\":[],");
    assert_has(page, "\"next\":\"\"");
    const char *both =
        format(fix, "/api/public/v1/workspaces?workspaceIds=%s,%s", id, FIXTURE_WORKSPACE);
    assert_has(call(fix, "GET", both, NULL, 200), FIXTURE_WORKSPACE);
    const char *one = format(fix, "/api/public/v1/workspaces?workspaceIds=%s&x=y", id);
    assert_lacks(call(fix, "GET", one, NULL, 200), FIXTURE_WORKSPACE);
    call(fix, "GET", "/api/public/v1/workspaces?workspaceIds=abc", NULL, 400);
    call(fix, "DELETE", path, NULL, 204);
    call(fix, "GET", path, NULL, 404);
    call(fix, "DELETE", path, NULL, 404);
}

static void
test_definitions(Fixture *fix, gconstpointer data)
{
    assert_has(call(fix, "GET", WS "/definitions/sources", NULL, 200),
               "{\"data\":[{\"id\":\"" FIXTURE_SOURCE "\",\"name\":\"s\",");
    call(fix, "GET", WS "/definitions/destinations/" FIXTURE_SOURCE, NULL, 404);
    call(fix, "POST", WS "/definitions/sources",
         "{\"name\":\"x\",\"dockerRepository\":\"a/b\",\"dockerImageTag\":\"1\"}", 501);

    /* ours: with a specification, then one that is asked for */
    fix->job_output = "{\"spec\":" SPEC "}";
    const char *body = "{\"name\":\"Mine\",\"actorType\":\"source\",\"runtime\":\"exec\","
                       "\"command\":[\"/opt/source-mine\",\"-v\"]}";
    const char *made = call(fix, "POST", "/api/v1/sluice/definitions", body, 200);
    g_assert_cmpstr(member(fix, made, "dockerRepository"), ==, "source-mine");
    assert_has(made, "\"command\":[\"/opt/source-mine\",\"-v\"]");
    assert_has(member(fix, made, "spec"), "airbyte_secret");
    const char *path =
        format(fix, "/api/v1/sluice/definitions/%s", member(fix, made, "definitionId"));
    call(fix, "GET", path, NULL, 200);
    assert_has(call(fix, "GET", "/api/v1/sluice/definitions?actorType=source", NULL, 200), "Mine");
    assert_lacks(call(fix, "GET", "/api/v1/sluice/definitions?actorType=destination", NULL, 200),
                 "Mine");
    call(fix, "DELETE", path, NULL, 204);
    call(fix, "GET", path, NULL, 404);
    call(fix, "DELETE", "/api/v1/sluice/definitions/" FIXTURE_SOURCE, NULL, 409);

    fix->job_output = NULL;
    assert_has(call(fix, "POST", "/api/v1/sluice/definitions", body, 422), "it broke");
    assert_has(call(fix, "POST", "/api/v1/sluice/definitions",
                    "{\"name\":\"x\",\"actorType\":\"source\",\"runtime\":\"exec\",\"command\":[]}",
                    400),
               "command");
    assert_has(
        call(fix, "POST", "/api/v1/sluice/definitions",
             "{\"name\":\"x\",\"actorType\":\"other\",\"runtime\":\"exec\",\"command\":[\"a\"]}",
             400),
        "actorType");
}

#define NEW_SOURCE                                                                                 \
    "{\"name\":\"db\",\"workspaceId\":\"" FIXTURE_WORKSPACE                                        \
    "\",\"definitionId\":\"" FIXTURE_SOURCE                                                        \
    "\",\"configuration\":{\"sourceType\":\"s\",\"host\":\"h\",\"port\":5432,\"password\":"        \
    "\"pw-1\",\"options\":{\"a\":\"1\"}}}"

static void
test_sources(Fixture *fix, gconstpointer data)
{
    const char *made = call(fix, "POST", "/api/public/v1/sources", NEW_SOURCE, 200);
    const char *path = format(fix, "/api/public/v1/sources/%s", member(fix, made, "sourceId"));
    g_assert_cmpstr(member(fix, made, "sourceType"), ==, "s");
    g_assert_cmpstr(member(fix, made, "configuration"), ==,
                    "{\"host\":\"h\",\"port\":5432,\"password\":\"**********\","
                    "\"options\":{\"a\":\"1\"}}");
    /* the secret is nowhere in the clear */
    g_assert_cmpint(queue_fixture_count(fix->server.db,
                                        "select count(*) from actor where configuration like "
                                        "'%pw-1%'"),
                    ==, 0);
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from secret"), ==, 1);
    g_assert_cmpstr(call(fix, "GET", path, NULL, 200), ==, made);

    /* by the short name */
    call(fix, "POST", "/api/public/v1/sources",
         "{\"name\":\"db2\",\"workspaceId\":\"" FIXTURE_WORKSPACE
         "\",\"configuration\":{\"sourceType\":\"s\",\"host\":\"h\",\"password\":\"x\"}}",
         200);
    assert_has(call(fix, "POST", "/api/public/v1/sources",
                    "{\"name\":\"x\",\"workspaceId\":\"" FIXTURE_WORKSPACE
                    "\",\"configuration\":{\"sourceType\":\"nobody\"}}",
                    400),
               "nobody");

    /* PATCH merges and keeps the secret; PUT replaces, and the mask keeps it */
    const char *changed =
        call(fix, "PATCH", path, "{\"configuration\":{\"port\":1,\"options\":{\"b\":\"2\"}}}", 200);
    assert_has(changed,
               "\"port\":1,\"password\":\"**********\",\"options\":{\"a\":\"1\",\"b\":\"2\"}");
    changed = call(
        fix, "PUT", path,
        "{\"name\":\"n\",\"configuration\":{\"host\":\"i\",\"password\":\"**********\"}}", 200);
    assert_has(changed, "{\"host\":\"i\",\"password\":\"**********\"}");
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from secret"), ==, 2);
    call(fix, "PUT", path,
         "{\"name\":\"n\",\"configuration\":{\"host\":\"i\",\"password\":\"new\"}}", 200);
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from secret"), ==, 2);

    const char *list = call(fix, "GET", "/api/public/v1/sources", NULL, 200);
    assert_has(list, "\"name\":\"db2\"");
    assert_lacks(list, "\"destinationId\"");
    call(fix, "DELETE", path, NULL, 204);
    call(fix, "GET", path, NULL, 404);
    call(fix, "PATCH", path, "{\"name\":\"z\"}", 404);
    assert_lacks(call(fix, "GET", "/api/public/v1/sources", NULL, 200), "\"name\":\"n\"");
    assert_has(call(fix, "GET", "/api/public/v1/sources?includeDeleted=true", NULL, 200),
               "\"name\":\"n\"");
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from secret"), ==, 1);
}

/* Wrong configurations, each with the property's name. */
static void
test_bad_configurations(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *configuration;
        guint status;
        const char *part;
    } cases[] = {
        {"{\"password\":\"p\"}", 422, "configuration: 'host' is required"},
        {"{\"host\":1,\"password\":\"p\"}", 422, "configuration.host: expected string"},
        {"{\"host\":\"h\",\"password\":\"p\",\"port\":1.5}", 422,
         "configuration.port: expected integer"},
        {"{\"host\":\"h\",\"password\":\"p\",\"port\":0}", 422,
         "configuration.port: must be at least"},
        {"{\"host\":\"h\",\"password\":\"p\",\"options\":{\"a\":[]}}", 422,
         "configuration.options.a"},
        {"{\"host\":\"h\",\"password\":\"**********\"}", 400, "password"},
        {"{\"host\":\"h\",\"password\":{\"_secret\":\"" FIXTURE_SOURCE "\"}}", 400, "_secret"},
        {"[]", 400, "configuration"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *body =
            format(fix,
                   "{\"name\":\"x\",\"workspaceId\":\"" FIXTURE_WORKSPACE
                   "\",\"definitionId\":\"" FIXTURE_DESTINATION "\",\"configuration\":%s}",
                   cases[i].configuration);
        assert_has(call(fix, "POST", "/api/public/v1/destinations", body, cases[i].status),
                   cases[i].part);
    }
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from actor"), ==, 2);
}

static void
test_check(Fixture *fix, gconstpointer data)
{
    const char *path = "/api/v1/sluice/sources/" FIXTURE_SOURCE "/check";
    fix->job_output = "{\"check\":{\"status\":\"SUCCEEDED\"}}";
    assert_has(call(fix, "POST", path, NULL, 200), "\"status\":\"succeeded\"");
    fix->job_output = "{\"check\":{\"status\":\"FAILED\",\"message\":\"no route\"}}";
    assert_has(call(fix, "POST", path, NULL, 200),
               "\"status\":\"failed\",\"message\":\"no route\"");
    fix->job_output = NULL;
    assert_has(call(fix, "POST", path, NULL, 200),
               "\"status\":\"failed\",\"message\":\"it broke\"");
    call(fix, "POST", "/api/v1/sluice/destinations/" FIXTURE_SOURCE "/check", NULL, 404);
}

typedef struct {
    Fixture *fix;
    const char *path;
} Asker;

static gpointer
ask(gpointer data)
{
    const Asker *asker = data;
    g_autoptr(SlHttpUnix) client = sl_http_unix_new(asker->fix->path);
    g_autoptr(SlHttpUnixReply) reply = NULL;
    g_autoptr(GError) error = NULL;
    sl_http_unix_request(client, "POST", asker->path, NULL, NULL,
                         g_get_monotonic_time() + 20 * G_USEC_PER_SEC, NULL, &reply, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(reply->status, ==, 200);
    return NULL;
}

/* Many who ask the same share one job. */
static void
test_shared_job(Fixture *fix, gconstpointer data)
{
    Asker asker = {fix, "/api/v1/sluice/sources/" FIXTURE_SOURCE "/check"};
    GThread *threads[8];
    fix->job_output = "{\"check\":{\"status\":\"SUCCEEDED\"}}";
    g_atomic_int_set(&fix->pause_worker, 1);
    /* the first one's job is there before the others come */
    threads[0] = g_thread_new("ask", ask, &asker);
    while (queue_fixture_count(fix->server.db, "select count(*) from job") == 0)
        g_poll(NULL, 0, 10);
    for (guint i = 1; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("ask", ask, &asker);
    g_poll(NULL, 0, 200);
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from job"), ==, 1);
    g_atomic_int_set(&fix->pause_worker, 0);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
}

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

static void
test_jobs(Fixture *fix, gconstpointer data)
{
    const char *body = "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"jobType\":\"sync\"}";
    const char *job = call(fix, "POST", "/api/public/v1/jobs", body, 200);
    const char *id = member(fix, job, "jobId");
    const char *path = format(fix, "/api/public/v1/jobs/%s", id);
    g_assert_cmpstr(member(fix, job, "status"), ==, "pending");
    g_assert_cmpstr(member(fix, job, "jobType"), ==, "sync");
    assert_lacks(job, "duration");
    assert_lacks(job, "lastUpdatedAt");
    g_assert_cmpstr(member(fix, call(fix, "POST", "/api/public/v1/jobs", body, 200), "jobId"), ==,
                    id);

    queue_fixture_script(
        fix->server.db,
        format(fix,
               "update job set status = 'running' where job_id = %s;"
               "insert into attempt_stats (job_id, attempt_number, records_committed,"
               " bytes_committed, updated_at) values (%s, 0, 7, 99, now())",
               id, id));
    assert_has(call(fix, "POST", "/api/public/v1/jobs", body, 409),
               "A sync is already running for: " FIXTURE_CONNECTION);
    job = call(fix, "GET", path, NULL, 200);
    assert_has(job, "\"bytesSynced\":99,\"rowsSynced\":7");
    assert_has(job, "\"duration\":\"PT0S\"");

    assert_has(
        call(fix, "GET", "/api/public/v1/jobs?orderBy=createdAt%7CDESC&status=running", NULL, 200),
        format(fix, "\"jobId\":%s", id));
    assert_has(call(fix, "GET", "/api/public/v1/jobs?jobType=reset", NULL, 200), "\"data\":[]");
    assert_has(
        call(fix, "GET", "/api/public/v1/jobs?createdAtStart=2999-01-01T00:00:00Z", NULL, 200),
        "\"data\":[]");
    call(fix, "GET", "/api/public/v1/jobs?orderBy=name%7CASC", NULL, 400);

    const char *attempts =
        call(fix, "GET", format(fix, "/api/v1/sluice/jobs/%s/attempts", id), NULL, 200);
    assert_has(attempts, "\"attempts\":[{\"attemptNumber\":0,\"status\":\"running\"");
    assert_has(attempts, "\"recordsCommitted\":7");

    /* cancelling: what runs is asked, and asked again it is no error */
    call(fix, "DELETE", path, NULL, 200);
    call(fix, "DELETE", path, NULL, 200);
    call(fix, "DELETE", "/api/public/v1/jobs/999999", NULL, 404);
    call(fix, "GET", "/api/public/v1/jobs/999999", NULL, 404);
    call(fix, "GET", "/api/public/v1/jobs/x", NULL, 400);
    call(fix, "POST", "/api/public/v1/jobs",
         "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"jobType\":\"refresh\"}", 422);
    call(fix, "POST", "/api/public/v1/jobs",
         "{\"connectionId\":\"" FIXTURE_SOURCE "\",\"jobType\":\"sync\"}", 404);
}

static void
test_log(Fixture *fix, gconstpointer data)
{
    g_autoptr(SlJob) job = queue_fixture_job(fix->server.db);
    const char *base =
        format(fix, "/api/v1/sluice/jobs/%" G_GINT64_FORMAT "/attempts/0/log", job->job_id);
    const char *folder = format(fix, "%s/%" G_GINT64_FORMAT, fix->folder, job->job_id);
    const char *file = format(fix, "%s/0.ndjson", folder);
    assert_has(call(fix, "GET", base, NULL, 200),
               "\"nextOffset\":0,\"size\":0,\"ended\":false,\"text\":\"\"");
    g_assert_no_errno(g_mkdir(folder, 0700));
    g_assert_true(g_file_set_contents(file, "{\"a\":1}\n{\"b\":2}\n{\"half", -1, NULL));
    const char *log = call(fix, "GET", base, NULL, 200);
    g_assert_cmpstr(member(fix, log, "text"), ==, "{\"a\":1}\n{\"b\":2}\n");
    g_assert_cmpstr(member(fix, log, "nextOffset"), ==, "16");
    g_assert_cmpstr(member(fix, log, "size"), ==, "22");
    log = call(fix, "GET", format(fix, "%s?offset=8&limit=9", base), NULL, 200);
    g_assert_cmpstr(member(fix, log, "text"), ==, "{\"b\":2}\n");
    log = call(fix, "GET", format(fix, "%s?tail=16", base), NULL, 200);
    g_assert_cmpstr(member(fix, log, "text"), ==, "{\"b\":2}\n");
    g_assert_cmpstr(member(fix, log, "offset"), ==, "8");
    log = call(fix, "GET", format(fix, "%s?offset=999", base), NULL, 200);
    g_assert_cmpstr(member(fix, log, "text"), ==, "");
    /* a line longer than the limit does not hold the reader up */
    log = call(fix, "GET", format(fix, "%s?limit=3", base), NULL, 200);
    g_assert_cmpstr(member(fix, log, "nextOffset"), ==, "3");
    call(fix, "GET", format(fix, "%s?offset=-1", base), NULL, 400);
    call(fix, "GET",
         format(fix, "/api/v1/sluice/jobs/%" G_GINT64_FORMAT "/attempts/7/log", job->job_id), NULL,
         404);
    g_unlink(file);
    g_rmdir(folder);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL); /* failing jobs warn */
    g_test_add_func("/server/token-time", test_token_time);
#define CASE(name, func) g_test_add("/server/" name, Fixture, NULL, setup, func, teardown)
    CASE("frame", test_frame);
    CASE("every-operation-is-guarded", test_every_operation_is_guarded);
    CASE("tokens", test_tokens);
    CASE("workspaces", test_workspaces);
    CASE("definitions", test_definitions);
    CASE("sources", test_sources);
    CASE("bad-configurations", test_bad_configurations);
    CASE("check", test_check);
    CASE("shared-job", test_shared_job);
    CASE("streams", test_streams);
    CASE("connections", test_connections);
    CASE("bad-connections", test_bad_connections);
    CASE("jobs", test_jobs);
    CASE("log", test_log);
    return g_test_run();
}
