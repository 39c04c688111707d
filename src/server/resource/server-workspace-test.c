/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "server-fixture.h"

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

#define DEFINITIONS "/api/v1/sluice/definitions"
#define FACE "11111111-2222-4333-8444-555555555555"

/* Another version in the place of one: what it stands in for and may have is kept, and so is the
 * pin; when the new one gives no specification nothing changes. */
static void
test_versions(Fixture *fix, gconstpointer data)
{
    fix->job_output = "{\"spec\":" SPEC "}";
    const char *made =
        call(fix, "POST", DEFINITIONS,
             "{\"name\":\"P\",\"actorType\":\"source\",\"runtime\":\"pypi\",\"command\":[\"m\"],"
             "\"tree\":\"/t/1\",\"dockerImageTag\":\"1.0\",\"aliases\":[\"" FACE "\"],"
             "\"documentationUrl\":\"http://d\"}",
             200);
    const char *id = member(fix, made, "definitionId");
    const char *path = format(fix, DEFINITIONS "/%s", id);
    const char *pin = format(fix, DEFINITIONS "/%s/pin", id);
    assert_has(made, "\"pinned\":false");
    assert_has(call(fix, "POST", pin, "{\"pinned\":true}", 200), "\"pinned\":true");
    call(fix, "POST", pin, "{\"pinned\":\"yes\"}", 400);
    call(fix, "POST", DEFINITIONS "/" FIXTURE_SOURCE "/pin", "{\"pinned\":true}", 409);
    call(fix, "POST", DEFINITIONS "/" FACE "/pin", "{\"pinned\":true}", 200);
    call(fix, "POST", DEFINITIONS "/99999999-2222-4333-8444-555555555555/pin", "{\"pinned\":true}",
         404);

    const char *next = format(fix,
                              "{\"definitionId\":\"%s\",\"name\":\"P\",\"actorType\":\"source\","
                              "\"runtime\":\"pypi\",\"command\":[\"m\"],\"tree\":\"/t/2\","
                              "\"dockerImageTag\":\"2.0\"}",
                              id);
    fix->job_output = NULL;
    call(fix, "POST", DEFINITIONS, next, 422);
    assert_has(call(fix, "GET", path, NULL, 200), "\"tree\":\"/t/1\"");
    fix->job_output = "{\"spec\":" SPEC "}";
    const char *now = call(fix, "POST", DEFINITIONS, next, 200);
    assert_has(now, "\"tree\":\"/t/2\"");
    assert_has(now, "\"dockerImageTag\":\"2.0\"");
    assert_has(now, "\"documentationUrl\":\"http://d\"");
    assert_has(now, "\"pinned\":true");
    /* by the id that it stands in for */
    assert_has(call(fix, "GET", DEFINITIONS "/" FACE, NULL, 200), id);
    call(fix, "DELETE", path, NULL, 204);
}

/* What stands in for a public connector answers to its id, its image and its short name; what is
 * installed under them goes first. */
static void
test_stand_ins(Fixture *fix, gconstpointer data)
{
    queue_fixture_script(
        fix->server.db,
        "insert into actor_definition (definition_id, name, actor_type, runtime, command, "
        "docker_repository, docker_image_tag, aliases, alias_repositories, spec, custom, "
        "created_at, "
        "updated_at) values ('33333333-2222-4333-8444-555555555555', 'Ours', 'source', 'native', "
        "'[\"x\"]', 'sluice/source-ours', '0.1.0', '{" FACE "}', "
        "'{airbyte/source-public,airbyte/source-public-strict}', "
        "'{\"connectionSpecification\":{}}', false, now(), now())");
    static const char *const faces[] = {
        "\"definitionId\":\"" FACE "\",\"configuration\":{}",
        "\"configuration\":{\"sourceType\":\"public\"}",
        "\"configuration\":{\"sourceType\":\"public-strict\"}",
        "\"configuration\":{\"sourceType\":\"ours\"}",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(faces); i++) {
        const char *body =
            format(fix, "{\"name\":\"n%d\",\"workspaceId\":\"" FIXTURE_WORKSPACE "\",%s}", (int)i,
                   faces[i]);
        const char *made = call(fix, "POST", "/api/public/v1/sources", body, 200);
        g_assert_cmpstr(member(fix, made, "definitionId"), ==,
                        "33333333-2222-4333-8444-555555555555");
    }
    const char *one = call(fix, "GET", DEFINITIONS "/" FACE, NULL, 200);
    assert_has(one, "\"aliases\":[\"" FACE "\"]");
    assert_has(
        call(fix, "GET", DEFINITIONS "?actorType=source", NULL, 200),
        "\"aliasRepositories\":[\"airbyte/source-public\",\"airbyte/source-public-strict\"]");
    /* a definition by its image, in whatever version, but not of the other type */
    static const char image[] = "{\"name\":\"x\",\"dockerRepository\":\"airbyte/source-public\","
                                "\"dockerImageTag\":\"6.2.0\"}";
    assert_has(call(fix, "POST", WS "/definitions/sources", image, 200),
               "\"dockerImageTag\":\"0.1.0\"");
    call(fix, "POST", WS "/definitions/destinations", image, 501);

    /* the real one is installed */
    fix->job_output = "{\"spec\":" SPEC "}";
    const char *real = call(fix, "POST", DEFINITIONS,
                            "{\"name\":\"P\",\"actorType\":\"source\",\"runtime\":\"pypi\","
                            "\"command\":[\"m\"],\"dockerRepository\":\"airbyte/source-public\","
                            "\"dockerImageTag\":\"6.2.0\",\"aliases\":[\"" FACE "\"]}",
                            200);
    const char *id = member(fix, real, "definitionId");
    for (gsize i = 0; i < 2; i++) {
        const char *body =
            format(fix, "{\"name\":\"r%d\",\"workspaceId\":\"" FIXTURE_WORKSPACE "\",%s}", (int)i,
                   i == 0 ? "\"definitionId\":\"" FACE
                            "\",\"configuration\":{\"host\":\"h\",\"password\":\"k\"}"
                          : "\"configuration\":{\"sourceType\":\"public\",\"host\":\"h\","
                            "\"password\":\"k\"}");
        const char *made = call(fix, "POST", "/api/public/v1/sources", body, 200);
        g_assert_cmpstr(member(fix, made, "definitionId"), ==, id);
    }
    assert_has(call(fix, "POST", WS "/definitions/sources", image, 200),
               "\"dockerImageTag\":\"6.2.0\"");

    /* what it may reach: as the registry says, until its administrator does, who need not say it
     * again */
    assert_lacks(call(fix, "GET", DEFINITIONS "/" FACE, NULL, 200), "allowedHosts");
    queue_fixture_script(
        fix->server.db,
        "insert into registry_entry (definition_id, actor_type, name, docker_repository, "
        "docker_image_tag, documentation_url, icon, support_level, release_stage, language, "
        "allowed_hosts, resource_requirements, breaking_changes, spec, digest, updated_at) values "
        "('" FACE "', 'source', 'p', 'x/p', '1', '', '', '', '', '', '[\"${host}\"]', '{}', '{}', "
        "'{}', 'd', now())");
    assert_has(call(fix, "GET", DEFINITIONS "/" FACE, NULL, 200), "\"allowedHosts\":[\"${host}\"]");
    static const char *const said[] = {",\"allowedHosts\":[\"10.0.0.0/8\"]", ""};
    for (gsize i = 0; i < G_N_ELEMENTS(said); i++) {
        const char *body =
            format(fix,
                   "{\"definitionId\":\"%s\",\"name\":\"P\",\"actorType\":\"source\","
                   "\"runtime\":\"pypi\",\"command\":[\"m\"]%s}",
                   id, said[i]);
        assert_has(call(fix, "POST", DEFINITIONS, body, 200), "\"allowedHosts\":[\"10.0.0.0/8\"]");
        assert_has(call(fix, "GET", DEFINITIONS "?actorType=source", NULL, 200),
                   "\"allowedHosts\":[\"10.0.0.0/8\"]");
    }
}

#define LOW_HEAD                                                                                   \
    "{\"name\":\"Low\",\"actorType\":\"source\",\"runtime\":\"manifest\",\"command\":["            \
    "\"sluice_connector\"],\"dockerRepository\":\"manifest/source-low\",\"dockerImageTag\":\"1\"," \
    "\"tree\":\"/t/6\",\"kitVersion\":\"6.61.6\""
#define LOW_MANIFEST(key, more)                                                                    \
    "{\"version\":\"6.1.0\",\"type\":\"DeclarativeSource\",\"check\":{},\"streams\":[{"            \
    "\"retriever\":{}" more "}],\"spec\":{\"connection_specification\":{\"properties\":{\"" key    \
    "\":{\"type\":\"string\"}}}}}"
#define SUM_OF_X "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"

/* A manifest of the host: judged, its specification told without running anything; another one is
 * its next version, another environment keeps it. */
static void
test_manifests(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *more; /* behind LOW_HEAD */
        const char *error;
    } bad[] = {
        {"", "manifest: is required of the runtime 'manifest'"},
        {",\"manifest\":[]", "manifest"},
        {",\"manifest\":{\"version\":\"6.1.0\"}", "manifest.type: is required"},
        {",\"manifest\":" LOW_MANIFEST("a", ",\"x\":\"#/no\""),
         "manifest.streams[0].x: '#/no' is not in the manifest"},
        {",\"manifest\":" LOW_MANIFEST("a", ",\"t\":{\"type\":\"CustomRetriever\"}"),
         "components: is required, for 'manifest.streams[0].t' is made by code"},
        {",\"components\":\"x\",\"manifest\":" LOW_MANIFEST("a", ""), "componentsSha256: is not"},
        {",\"components\":\"x\",\"componentsSha256\":\"00\",\"manifest\":" LOW_MANIFEST("a", ""),
         "componentsSha256: is not that of components"},
    };
    fix->job_output = NULL; /* no job is made */
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_has(call(fix, "POST", DEFINITIONS, format(fix, LOW_HEAD "%s}", bad[i].more), 400),
                   bad[i].error);
    assert_has(call(fix, "POST", DEFINITIONS,
                    "{\"name\":\"x\",\"actorType\":\"destination\",\"runtime\":\"manifest\","
                    "\"command\":[\"c\"],\"manifest\":{}}",
                    400),
               "a manifest is a source");
    assert_has(call(fix, "POST", DEFINITIONS,
                    "{\"name\":\"x\",\"actorType\":\"source\",\"runtime\":\"exec\",\"command\":["
                    "\"/c\"],\"manifest\":{}}",
                    400),
               "manifest: is of the runtime 'manifest', not of 'exec'");

    const char *made =
        call(fix, "POST", DEFINITIONS, LOW_HEAD ",\"manifest\":" LOW_MANIFEST("one", "") "}", 200);
    const char *id = member(fix, made, "definitionId"), *path = format(fix, DEFINITIONS "/%s", id);
    assert_has(member(fix, made, "spec"), "\"connectionSpecification\":{\"properties\":{\"one\"");
    g_assert_cmpstr(member(fix, made, "kitVersion"), ==, "6.61.6");
    /* it is a connector like others, and no workspace's */
    assert_has(call(fix, "GET", WS "/definitions/sources", NULL, 200), id);
    assert_lacks(call(fix, "GET", WS "/definitions/declarative_sources", NULL, 200), id);
    const char *actor = format(fix, "{\"name\":\"n\",\"workspaceId\":\"" FIXTURE_WORKSPACE
                                    "\",\"configuration\":{\"sourceType\":\"low\",\"one\":%%s}}");
    g_auto(GStrv) halves = g_strsplit(actor, "%s", 2);
    call(fix, "POST", "/api/public/v1/sources", format(fix, "%s5%s", halves[0], halves[1]), 422);
    const char *source = call(fix, "POST", "/api/public/v1/sources",
                              format(fix, "%s\"k\"%s", halves[0], halves[1]), 200);
    g_assert_cmpstr(member(fix, source, "definitionId"), ==, id);

    /* another environment, then another manifest, with code that somebody has read */
    const char *again = format(fix, LOW_HEAD ",\"definitionId\":\"%s\"%%s}", id);
    g_auto(GStrv) parts = g_strsplit(again, "%s", 2);
    assert_has(call(fix, "POST", DEFINITIONS, format(fix, "%s%s", parts[0], parts[1]), 200),
               "\"one\"");
    const char *coded = format(
        fix, "%s,\"components\":\"x\",\"componentsSha256\":\"" SUM_OF_X "\",\"manifest\":%s%s",
        parts[0], LOW_MANIFEST("two", ",\"t\":{\"type\":\"CustomRetriever\"}"), parts[1]);
    assert_has(call(fix, "POST", DEFINITIONS, coded, 200), "\"two\"");
    g_assert_cmpstr(member(fix, call(fix, "GET", path, NULL, 200), "componentsSha256"), ==,
                    SUM_OF_X);
    g_assert_cmpint(
        queue_fixture_count(fix->server.db, "select count(*) from declarative_manifest"), ==, 2);
    /* the code goes with its version */
    call(fix, "POST", DEFINITIONS,
         format(fix, "%s,\"manifest\":%s%s", parts[0], LOW_MANIFEST("three", ""), parts[1]), 200);
    assert_lacks(call(fix, "GET", path, NULL, 200), "componentsSha256");
    call(fix, "DELETE", path, NULL, 409);
    call(fix, "DELETE", format(fix, "/api/public/v1/sources/%s", member(fix, source, "sourceId")),
         NULL, 204);
    call(fix, "DELETE", path, NULL, 204);
}

/* Mail for all but success; a change goes item by item and channel by channel. */
static void
test_notifications(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *patch;
        guint status;
        const char *part;
    } cases[] = {
        {"{\"failure\":{\"email\":{\"enabled\":false}}}", 200,
         "\"failure\":{\"email\":{\"enabled\":false},\"webhook\":{\"enabled\":false}}"},
        {"{\"failure\":{\"webhook\":{\"enabled\":true,\"url\":\"http://x/\"}}}", 200,
         "\"failure\":{\"email\":{\"enabled\":false},\"webhook\":{\"enabled\":true,\"url\":\"http:/"
         "/x/\"}}"},
        {"{\"success\":{\"webhook\":{\"enabled\":true}}}", 400,
         "\"type\":\"error:notification/config/missing-url\",\"title\":\"Notification missing "
         "URL\""},
        {"{\"success\":{\"webhook\":{\"enabled\":true,\"url\":\"\"}}}", 400,
         "notifications.success"},
        {"{\"success\":{\"webhook\":{\"enabled\":\"yes\"}}}", 400,
         "notifications.success.webhook.enabled"},
        {"{}", 200, "\"failure\":{\"email\":{\"enabled\":false},\"webhook\":{\"enabled\":true,"},
        {"{\"syncDisabled\":{\"email\":{\"enabled\":false}},\"unknown\":{\"x\":1}}", 200,
         "\"syncDisabled\":{\"email\":{\"enabled\":false}"},
    };
    const char *path = "/api/public/v1/workspaces/" FIXTURE_WORKSPACE;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_has(call(fix, "PATCH", path, format(fix, "{\"notifications\":%s}", cases[i].patch),
                        cases[i].status),
                   cases[i].part);
    assert_lacks(call(fix, "GET", path, NULL, 200), "unknown");
    call(fix, "POST", "/api/public/v1/workspaces",
         "{\"name\":\"x\",\"notifications\":{\"failure\":{\"webhook\":{\"enabled\":true}}}}", 400);
}

/* Regions are ignored: there is one. What is in a workspace goes with it. */
static void
test_workspace_life(Fixture *fix, gconstpointer data)
{
    const char *made = call(fix, "POST", "/api/public/v1/workspaces",
                            "{\"name\":\"x\",\"regionId\":\"" FIXTURE_SOURCE "\"}", 200);
    g_assert_cmpstr(member(fix, made, "dataResidency"), ==, "auto");
    g_autoptr(SlJob) job = queue_fixture_job(fix->server.db);
    call(fix, "POST", "/api/public/v1/tags",
         "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"name\":\"t\",\"color\":\"00ff00\"}", 200);
    call(fix, "DELETE", "/api/public/v1/workspaces/" FIXTURE_WORKSPACE, NULL, 204);
    call(fix, "GET", "/api/public/v1/sources/" FIXTURE_SOURCE, NULL, 404);
    call(fix, "GET", "/api/public/v1/destinations/" FIXTURE_DESTINATION, NULL, 404);
    assert_has(call(fix, "GET", "/api/public/v1/connections/" FIXTURE_CONNECTION, NULL, 200),
               "\"status\":\"deprecated\"");
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from job where status = "
                                                        "'cancelled'"),
                    ==, 1);
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from tag"), ==, 0);
    call(fix, "GET", WS "/definitions/sources", NULL, 404);
    assert_lacks(call(fix, "GET", "/api/public/v1/workspaces", NULL, 200), FIXTURE_WORKSPACE);
    assert_has(call(fix, "GET", "/api/public/v1/workspaces?includeDeleted=true", NULL, 200),
               FIXTURE_WORKSPACE);
}

/* A workspace's own definition runs what is installed of the image; the host's refuse changes. */
static void
test_own_definitions(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *body;
        guint status;
        const char *part;
    } bad[] = {
        {"{\"name\":\"x\",\"dockerRepository\":\"a/b\",\"dockerImageTag\":\"1\"}", 501, "'a/b:1'"},
        {"{\"name\":\"x\",\"dockerRepository\":\"s\",\"dockerImageTag\":\"2\"}", 501,
         "sluicectl connector install"},
        {"{\"name\":\"x\",\"dockerRepository\":\"d\",\"dockerImageTag\":\"1\"}", 501, "'d:1'"},
        {"{\"name\":\"x\",\"dockerImageTag\":\"1\"}", 400, "dockerRepository"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_has(call(fix, "POST", WS "/definitions/sources", bad[i].body, bad[i].status),
                   bad[i].part);
    const char *made =
        call(fix, "POST", WS "/definitions/sources",
             "{\"name\":\"mine\",\"dockerRepository\":\"s\",\"dockerImageTag\":\"1\","
             "\"documentationUrl\":\"http://d/\"}",
             200);
    const char *id = member(fix, made, "id");
    const char *path = format(fix, WS "/definitions/sources/%s", id);
    g_assert_cmpstr(member(fix, made, "documentationUrl"), ==, "http://d/");
    g_assert_cmpstr(call(fix, "GET", path, NULL, 200), ==, made);
    assert_has(call(fix, "GET", WS "/definitions/sources", NULL, 200), id);
    assert_has(call(fix, "PUT", path, "{\"name\":\"new\",\"dockerImageTag\":\"1\"}", 200),
               "\"name\":\"new\"");
    assert_has(call(fix, "PUT", path, "{\"name\":\"new\",\"dockerImageTag\":\"7\"}", 501), "s:7");
    /* nobody else sees it, and its name means the host's */
    const char *other =
        member(fix, call(fix, "POST", "/api/public/v1/workspaces", "{\"name\":\"o\"}", 200),
               "workspaceId");
    const char *elsewhere = format(fix, "/api/public/v1/workspaces/%s/definitions/sources", other);
    assert_lacks(call(fix, "GET", elsewhere, NULL, 200), id);
    call(fix, "GET", format(fix, "%s/%s", elsewhere, id), NULL, 404);
    call(fix, "DELETE", format(fix, "%s/%s", elsewhere, id), NULL, 404);
    const char *source = call(fix, "POST", "/api/public/v1/sources",
                              "{\"name\":\"n\",\"workspaceId\":\"" FIXTURE_WORKSPACE
                              "\",\"configuration\":{\"sourceType\":\"s\",\"host\":\"h\","
                              "\"password\":\"p\"}}",
                              200);
    g_assert_cmpstr(member(fix, source, "definitionId"), ==, FIXTURE_SOURCE);
    g_assert_cmpstr(member(fix, call(fix, "DELETE", path, NULL, 200), "name"), ==, "new");
    call(fix, "GET", path, NULL, 404);

    const char *theirs = WS "/definitions/sources/" FIXTURE_SOURCE;
    assert_has(call(fix, "DELETE", theirs, NULL, 400), "#bad-request");
    call(fix, "PUT", theirs, "{\"name\":\"n\",\"dockerImageTag\":\"1\"}", 400);
    call(fix, "DELETE", WS "/definitions/destinations/" FIXTURE_SOURCE, NULL, 404);
    const char *all =
        call(fix, "GET",
             "/api/public/v1/connector_definitions?type=destination&workspaceId=" FIXTURE_WORKSPACE,
             NULL, 200);
    g_assert_cmpstr(all, ==,
                    "{\"data\":[{\"id\":\"" FIXTURE_DESTINATION
                    "\",\"name\":\"d\",\"connectorDefinitionType\":\"destination\",\"version\":"
                    "\"1\"}]}");
    call(fix, "GET", "/api/public/v1/connector_definitions", NULL, 400);
}

static void
test_oauth(Fixture *fix, gconstpointer data)
{
    call(fix, "POST", "/api/public/v1/sources/initiateOAuth",
         "{\"redirectUrl\":\"http://x/\",\"workspaceId\":\"" FIXTURE_WORKSPACE "\"}", 501);
    call(fix, "POST", "/api/public/v1/sources/initiateOAuth", "{}", 400);
    call(fix, "PUT", WS "/oauthCredentials",
         "{\"actorType\":\"source\",\"name\":\"x\",\"configuration\":{}}", 501);
    call(fix, "DELETE", WS "/oauthCredentials/source/x", NULL, 501);
    const char *license = call(
        fix, "DELETE",
        "/api/public/v1/organizations/" FIXTURE_WORKSPACE "/oauthCredentials/source/x", NULL, 403);
    assert_has(license, "\"type\":\"error:license/entitlement\"");
    assert_has(license, "\"resourceId\":\"" FIXTURE_WORKSPACE "\"");
    call(fix, "DELETE", WS "/oauthCredentials/pump/x", NULL, 400);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL); /* failing jobs warn */
#define CASE(name, func) g_test_add("/server/" name, Fixture, NULL, setup, func, teardown)
    CASE("workspaces", test_workspaces);
    CASE("notifications", test_notifications);
    CASE("workspace-life", test_workspace_life);
    CASE("definitions", test_definitions);
    CASE("versions", test_versions);
    CASE("manifests", test_manifests);
    CASE("stand-ins", test_stand_ins);
    CASE("own-definitions", test_own_definitions);
    CASE("oauth", test_oauth);
    return g_test_run();
}
