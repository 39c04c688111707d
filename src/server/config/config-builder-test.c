/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-test.h"

#define MANIFEST                                                                                   \
    "{\"version\":\"6.0.0\",\"spec\":{\"connection_specification\":{\"type\":\"object\"}}}"
#define SPEC_OF "{\"connectionSpecification\":{\"properties\":{\"n\":{}}}}"
#define IN_WORKSPACE "\"workspaceId\":\"" FIXTURE_WORKSPACE "\""

static const char *
make(Fixture *fix)
{
    return member(fix,
                  call(fix, "POST", WS "/definitions/declarative_sources",
                       "{\"name\":\"low\",\"manifest\":" MANIFEST "}", 200),
                  "id");
}

static const char *
version(Fixture *fix, const char *id, const char *number, const char *active)
{
    return format(fix,
                  "{" IN_WORKSPACE ",\"sourceDefinitionId\":\"%s\",\"setAsActiveManifest\":%s,"
                  "\"declarativeManifest\":{\"description\":\"d%s\",\"manifest\":" MANIFEST
                  ",\"spec\":" SPEC_OF ",\"version\":%s}}",
                  id, active, number, number);
}

static void
test_manifests(Fixture *fix, gconstpointer data)
{
    static const char create[] = "declarative_source_definitions/create_manifest";
    static const char list[] = "declarative_source_definitions/list_manifests";
    static const char use[] = "declarative_source_definitions/update_active_manifest";
    const char *id = make(fix);
    const char *it = format(fix, "{" IN_WORKSPACE ",\"sourceDefinitionId\":\"%s\"}", id);
    config_call(fix, create, version(fix, id, "2", "false"), 201);
    const char *answer = config_call(fix, list, it, 200);
    g_assert_cmpstr(config_at(fix, answer, "manifestVersions", "0", "version", NULL), ==, "2");
    g_assert_cmpstr(config_at(fix, answer, "manifestVersions", "0", "isActive", NULL), ==, "false");
    g_assert_cmpstr(config_at(fix, answer, "manifestVersions", "0", "description", NULL), ==, "d2");
    g_assert_cmpstr(config_at(fix, answer, "manifestVersions", "1", "isActive", NULL), ==, "true");
    config_call(fix, use,
                format(fix, "{" IN_WORKSPACE ",\"sourceDefinitionId\":\"%s\",\"version\":2}", id),
                204);
    answer = config_call(fix, list, it, 200);
    g_assert_cmpstr(config_at(fix, answer, "manifestVersions", "0", "isActive", NULL), ==, "true");
    assert_has(config_call(fix, "source_definition_specifications/get", it, 200), "\"n\":{}");
    config_call(fix, create, version(fix, id, "5", "true"), 201);
    answer = config_call(fix, list, it, 200);
    g_assert_cmpstr(config_at(fix, answer, "manifestVersions", "0", "isActive", NULL), ==, "true");

    config_refused(fix, create, version(fix, id, "5", "true"), 409, "5 is there already");
    config_refused(fix, create, version(fix, NO_ID, "2", "true"), 404, NO_ID);
    config_refused(fix, create, version(fix, FIXTURE_SOURCE, "2", "true"), 404, FIXTURE_SOURCE);
    config_refused(fix, create, version(fix, id, "0", "true"), 400, "version");
    config_refused(fix, create, "{}", 400, "workspaceId");
    config_refused(fix, create,
                   format(fix,
                          "{" IN_WORKSPACE ",\"sourceDefinitionId\":\"%s\",\"setAsActiveManifest\":"
                          "true,\"declarativeManifest\":{\"description\":\"\",\"manifest\":{},"
                          "\"spec\":{},\"version\":9}}",
                          id),
                   400, "connectionSpecification");
    config_refused(fix, create,
                   format(fix,
                          "{" IN_WORKSPACE ",\"sourceDefinitionId\":\"%s\",\"setAsActiveManifest\":"
                          "true,\"componentsFileContent\":\"x\",\"declarativeManifest\":{"
                          "\"description\":\"\",\"manifest\":{},\"spec\":" SPEC_OF
                          ",\"version\":9}}",
                          id),
                   501, "componentsFileContent");
    config_refused(
        fix, use, format(fix, "{" IN_WORKSPACE ",\"sourceDefinitionId\":\"%s\",\"version\":8}", id),
        404, "has no version 8");
    config_refused(fix, use, "{}", 400, "workspaceId");
    config_refused(fix, list, "{" IN_WORKSPACE ",\"sourceDefinitionId\":\"" NO_ID "\"}", 404,
                   NO_ID);
    config_refused(fix, list, "{}", 400, "sourceDefinitionId");
}

static void
test_projects(Fixture *fix, gconstpointer data)
{
    static const char of[] = "connector_builder_projects/get_for_definition_id";
    static const char get[] = "connector_builder_projects/get_with_manifest";
    const char *id = make(fix);
    const char *it = format(fix, "{" IN_WORKSPACE ",\"builderProjectId\":\"%s\"}", id);
    const char *answer = config_call(
        fix, of, format(fix, "{" IN_WORKSPACE ",\"actorDefinitionId\":\"%s\"}", id), 200);
    g_assert_cmpstr(member(fix, answer, "builderProjectId"), ==, id);
    g_assert_cmpstr(config_call(fix, of,
                                "{" IN_WORKSPACE ",\"actorDefinitionId\":\"" FIXTURE_SOURCE "\"}",
                                200),
                    ==, "{\"builderProjectId\":null,\"workspaceId\":null}");
    config_refused(fix, of, "{}", 400, "workspaceId");
    answer = config_call(fix, get, it, 200);
    g_assert_cmpstr(config_at(fix, answer, "builderProject", "sourceDefinitionId", NULL), ==, id);
    g_assert_cmpstr(config_at(fix, answer, "builderProject", "name", NULL), ==, "low");
    g_assert_cmpstr(config_at(fix, answer, "declarativeManifest", "manifest", NULL), ==, MANIFEST);
    assert_lacks(answer, "testingValues");
    config_refused(fix, get,
                   format(fix, "{" IN_WORKSPACE ",\"builderProjectId\":\"%s\",\"version\":7}", id),
                   404, "has no version 7");
    config_refused(fix, get, "{" IN_WORKSPACE ",\"builderProjectId\":\"" NO_ID "\"}", 404, NO_ID);
    config_refused(fix, get, "{}", 400, "workspaceId");
}

/* Replaced whole, secrets sealed and masked; the mask keeps. */
static void
test_testing_values(Fixture *fix, gconstpointer data)
{
    static const char verb[] = "connector_builder_projects/update_testing_values";
    static const char spec[] = "\"spec\":{\"properties\":{\"token\":{\"airbyte_secret\":true}}}";
    const char *id = make(fix);
    SlDb *db = fix->server.db;
    const char *pattern = format(
        fix, "{" IN_WORKSPACE ",\"builderProjectId\":\"%s\",%s,\"testingValues\":", id, spec);
    g_assert_cmpstr(
        config_call(fix, verb, format(fix, "%s{\"token\":\"hunter2\",\"a\":1}}", pattern), 200), ==,
        "{\"token\":\"**********\",\"a\":1}");
    g_assert_cmpint(queue_fixture_count(db, "select count(*) from secret"), ==, 1);
    g_assert_cmpint(queue_fixture_count(db, "select count(*) from declarative_testing where "
                                            "testing_values like '%hunter2%'"),
                    ==, 0);
    g_assert_cmpstr(
        config_call(fix, verb, format(fix, "%s{\"token\":\"**********\"}}", pattern), 200), ==,
        "{\"token\":\"**********\"}");
    g_assert_cmpint(queue_fixture_count(db, "select count(*) from secret"), ==, 1);
    const char *it = format(fix, "{" IN_WORKSPACE ",\"builderProjectId\":\"%s\"}", id);
    g_assert_cmpstr(
        member(fix, config_call(fix, "connector_builder_projects/get_with_manifest", it, 200),
               "testingValues"),
        ==, "{\"token\":\"**********\"}");
    config_call(fix, verb, format(fix, "%s{}}", pattern), 200);
    g_assert_cmpint(queue_fixture_count(db, "select count(*) from secret"), ==, 0);
    config_refused(fix, verb, format(fix, "%s{\"token\":{\"_secret\":\"" NO_ID "\"}}}", pattern),
                   400, "_secret");
    config_refused(
        fix, verb,
        format(fix, "{" IN_WORKSPACE ",\"builderProjectId\":\"" NO_ID "\",%s,\"testingValues\":{}}",
               spec),
        404, NO_ID);
    config_refused(fix, verb, "{}", 400, "workspaceId");
}

void
config_add_builder_cases(void)
{
    CONFIG_CASE("builder/manifests", test_manifests);
    CONFIG_CASE("builder/projects", test_projects);
    CONFIG_CASE("builder/testing-values", test_testing_values);
}
