/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-test.h"

/* The definitions of the fixture have the ids of its source and its destination. */
static const struct {
    const char *kind, *id, *other, *name;
} sides[] = {
    {"source", FIXTURE_SOURCE, FIXTURE_DESTINATION, "s"},
    {"destination", FIXTURE_DESTINATION, FIXTURE_SOURCE, "d"},
};

static const char *
side_call(Fixture *fix, guint i, const char *verb, const char *rest, guint status)
{
    const char *path = format(fix, "%s_%s", sides[i].kind, verb);
    const char *body =
        format(fix, "{\"%sDefinitionId\":\"%s\"%s}", sides[i].kind, sides[i].id, rest);
    return config_call(fix, path, body, status);
}

static void
add_custom(Fixture *fix)
{
    queue_fixture_script(
        fix->server.db,
        "insert into actor_definition (definition_id, name, actor_type, runtime, command,"
        " docker_repository, docker_image_tag, spec, custom, aliases, created_at, updated_at)"
        " values ('" NO_ID "', 'mine', 'source', 'exec', '[\"/x\"]', 'mine', '7', '{}', true,"
        " array['99999999-9999-4999-8999-999999999999']::uuid[], now(), now())");
}

static void
test_list(Fixture *fix, gconstpointer data)
{
    static const char *const verbs[] = {"definitions/list", "definitions/list_latest"};
    for (guint i = 0; i < G_N_ELEMENTS(sides); i++) {
        const char *list = format(fix, "%sDefinitions", sides[i].kind);
        const char *id = format(fix, "%sDefinitionId", sides[i].kind);
        for (guint j = 0; j < G_N_ELEMENTS(verbs); j++) {
            const char *path = format(fix, "%s_%s", sides[i].kind, verbs[j]);
            const char *answer = config_call(fix, path, NULL, 200); /* no body is {} */
            g_assert_cmpstr(config_at(fix, answer, list, "0", id, NULL), ==, sides[i].id);
            assert_lacks(answer, sides[i].other);
            g_assert_cmpstr(config_call(fix, path, "{}", 200), ==, answer);
        }
    }
}

static void
test_list_for_workspace(Fixture *fix, gconstpointer data)
{
    static const char verb[] = "source_definitions/list_for_workspace";
    add_custom(fix);
    assert_has(config_call(fix, verb, "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\"}", 200), NO_ID);
    const char *used = config_call(
        fix, verb, "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"filterByUsed\":true}", 200);
    assert_lacks(used, NO_ID);
    assert_has(used, FIXTURE_SOURCE);
    queue_fixture_script(fix->server.db,
                         "update actor_definition set tombstone = true where custom");
    assert_lacks(config_call(fix, verb, "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\"}", 200), NO_ID);
    assert_has(config_call(fix, verb,
                           "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"includeTombstone\":true}",
                           200),
               NO_ID);
    config_refused(fix, verb, "{}", 400, "workspaceId");
}

static void
test_get(Fixture *fix, gconstpointer data)
{
    const char *workspace = ",\"workspaceId\":\"" FIXTURE_WORKSPACE "\"";
    for (guint i = 0; i < G_N_ELEMENTS(sides); i++) {
        const char *answer = side_call(fix, i, "definitions/get", "", 200);
        g_assert_cmpstr(member(fix, answer, "name"), ==, sides[i].name);
        g_assert_cmpstr(member(fix, answer, "custom"), ==, "false");
        g_assert_cmpstr(member(fix, answer, "enterprise"), ==, "false");
        /* a destination's is required, and this one has none of its own */
        g_assert_cmpstr(member(fix, answer, "documentationUrl"), ==, "http://localhost:8000");
        g_assert_cmpstr(side_call(fix, i, "definitions/get_for_workspace", workspace, 200), ==,
                        answer);
        const char *path = format(fix, "%s_definitions/get", sides[i].kind);
        /* one of the other kind is none */
        const char *other =
            format(fix, "{\"%sDefinitionId\":\"%s\"}", sides[i].kind, sides[i].other);
        config_refused(fix, path, other, 404, sides[i].other);
        config_refused(fix, path, "{}", 400, "DefinitionId");
        config_refused(fix, path, "{\"sourceDefinitionId\":1,\"destinationDefinitionId\":1}", 400,
                       "DefinitionId: ");
    }
    add_custom(fix);
    /* public ids lead to what stands in for them; ids are compared without case */
    const char *alias =
        config_call(fix, "source_definitions/get",
                    "{\"sourceDefinitionId\":\"99999999-9999-4999-8999-999999999999\"}", 200);
    g_assert_cmpstr(member(fix, alias, "sourceDefinitionId"), ==, NO_ID);
    g_assert_cmpstr(member(fix, alias, "releaseStage"), ==, "custom");
}

static void
test_change(Fixture *fix, gconstpointer data)
{
    static const char *const custom =
        "{\"sourceDefinitionId\":\"" NO_ID "\",\"workspaceId\":\"" FIXTURE_WORKSPACE
        "\",\"dockerImageTag\":\"7\",\"name\":\"other\"}";
    add_custom(fix);
    g_assert_cmpstr(member(fix, config_call(fix, "source_definitions/update", custom, 200), "name"),
                    ==, "other");
    config_refused(fix, "source_definitions/update",
                   "{\"sourceDefinitionId\":\"" NO_ID "\",\"dockerImageTag\":\"8\"}", 400,
                   "version '8' of 'other' is not installed, '7' is");
    config_refused(fix, "source_definitions/update", "{\"sourceDefinitionId\":\"" NO_ID "\"}", 400,
                   "dockerImageTag");
    for (guint i = 0; i < G_N_ELEMENTS(sides); i++) {
        const char *tag =
            member(fix, side_call(fix, i, "definitions/get", "", 200), "dockerImageTag");
        side_call(fix, i, "definitions/update", format(fix, ",\"dockerImageTag\":\"%s\"", tag),
                  200);
        side_call(fix, i, "definitions/update",
                  format(fix, ",\"dockerImageTag\":\"%s\",\"name\":\"z\"", tag), 409);
        side_call(fix, i, "definitions/delete", "", 409);
        const char *path = format(fix, "%s_definitions/create_custom", sides[i].kind);
        const char *body = format(fix,
                                  "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"%sDefinition\":{"
                                  "\"name\":\"x\",\"dockerRepository\":\"a/b\",\"dockerImageTag\":"
                                  "\"1\",\"documentationUrl\":\"http://x\"}}",
                                  sides[i].kind);
        config_refused(fix, path, body, 501, "no connector 'a/b:1' is installed");
        config_refused(fix, path, "{}", 400, format(fix, "%sDefinition", sides[i].kind));
    }
    config_call(fix, "source_definitions/delete", "{\"sourceDefinitionId\":\"" NO_ID "\"}", 204);
    config_refused(fix, "source_definitions/delete", "{\"sourceDefinitionId\":\"" NO_ID "\"}", 404,
                   NO_ID);
}

/* A workspace's own definition stands for what is installed; nobody else sees it. */
static void
test_own(Fixture *fix, gconstpointer data)
{
    for (guint i = 0; i < G_N_ELEMENTS(sides); i++) {
        const char *id_name = format(fix, "%sDefinitionId", sides[i].kind);
        const char *made = config_call(
            fix, format(fix, "%s_definitions/create_custom", sides[i].kind),
            format(fix,
                   "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"%sDefinition\":{\"name\":\"own\","
                   "\"dockerRepository\":\"%s\",\"dockerImageTag\":\"1\",\"documentationUrl\":"
                   "\"http://x\"}}",
                   sides[i].kind, sides[i].name),
            200);
        g_assert_cmpstr(member(fix, made, "custom"), ==, "true");
        const char *id = member(fix, made, id_name);
        const char *body = format(fix, "{\"%s\":\"%s\"}", id_name, id);
        const char *get = format(fix, "%s_definitions/get", sides[i].kind);
        g_assert_cmpstr(config_call(fix, get, body, 200), ==, made);
        const char *workspace =
            format(fix, "{\"%s\":\"%s\",\"workspaceId\":\"" NO_ID "\"}", id_name, id);
        config_refused(fix, format(fix, "%s_definitions/get_for_workspace", sides[i].kind),
                       workspace, 404, id);
        config_refused(fix, format(fix, "%s_definition_specifications/get", sides[i].kind),
                       workspace, 404, id);
        assert_lacks(config_call(fix, format(fix, "%s_definitions/list", sides[i].kind), "", 200),
                     id);
        assert_has(config_call(fix, format(fix, "%s_definitions/list_for_workspace", sides[i].kind),
                               "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\"}", 200),
                   id);
        const char *update = format(fix, "%s_definitions/update", sides[i].kind);
        const char *pattern =
            format(fix, "{\"%s\":\"%s\",\"workspaceId\":\"" FIXTURE_WORKSPACE "\"", id_name, id);
        const char *renamed =
            config_call(fix, update,
                        format(fix, "%s,\"dockerImageTag\":\"1\",\"name\":\"new\"}", pattern), 200);
        g_assert_cmpstr(member(fix, renamed, "name"), ==, "new");
        config_call(fix, update, format(fix, "%s,\"dockerImageTag\":\"2\"}", pattern), 501);
        config_call(fix, format(fix, "%s_definitions/delete", sides[i].kind), body, 204);
        config_refused(fix, get, body, 404, id);
    }
}

/* A jobInfo must be there, though nothing ran. */
static void
test_specifications(Fixture *fix, gconstpointer data)
{
    const char *workspace = ",\"workspaceId\":\"" FIXTURE_WORKSPACE "\"";
    for (guint i = 0; i < G_N_ELEMENTS(sides); i++) {
        const char *answer = side_call(fix, i, "definition_specifications/get", workspace, 200);
        assert_has(member(fix, answer, "connectionSpecification"), "\"airbyte_secret\":true");
        g_assert_cmpstr(config_at(fix, answer, "jobInfo", "succeeded", NULL), ==, "true");
        g_assert_cmpstr(config_at(fix, answer, "jobInfo", "configType", NULL), ==, "get_spec");
        g_assert_cmpstr(config_at(fix, answer, "jobInfo", "configId", NULL), ==, "NoConfiguration");
        const char *path =
            format(fix, "%s_definition_specifications/get_for_%s", sides[i].kind, sides[i].kind);
        const char *same = config_call(
            fix, path, format(fix, "{\"%sId\":\"%s\"}", sides[i].kind, sides[i].id), 200);
        g_assert_cmpstr(member(fix, same, "connectionSpecification"), ==,
                        member(fix, answer, "connectionSpecification"));
        config_refused(fix, path, format(fix, "{\"%sId\":\"" NO_ID "\"}", sides[i].kind), 404,
                       NO_ID);
        config_refused(fix, path, "{}", 400, format(fix, "%sId", sides[i].kind));
        side_call(fix, i, "definition_specifications/get", "", 400);
        if (i == 0)
            assert_lacks(answer, "supportedDestinationSyncModes");
        else
            g_assert_cmpstr(member(fix, answer, "supportedDestinationSyncModes"), ==,
                            "[\"overwrite\",\"append\",\"append_dedup\"]");
    }
}

static void
test_versions(Fixture *fix, gconstpointer data)
{
    for (guint i = 0; i < G_N_ELEMENTS(sides); i++) {
        const char *path = format(fix, "actor_definition_versions/get_for_%s", sides[i].kind);
        const char *answer = config_call(
            fix, path, format(fix, "{\"%sId\":\"%s\"}", sides[i].kind, sides[i].id), 200);
        g_assert_cmpstr(member(fix, answer, "supportState"), ==, "supported");
        g_assert_cmpstr(member(fix, answer, "isVersionOverrideApplied"), ==, "false");
        config_refused(fix, path, format(fix, "{\"%sId\":\"" NO_ID "\"}", sides[i].kind), 404,
                       NO_ID);
        config_refused(fix, path, "{}", 400, "Id");
        const char *body = format(fix, "{\"actorDefinitionId\":\"%s\"}", sides[i].id);
        g_assert_cmpstr(config_call(fix, "actor_definition_versions/get_default", body, 200), ==,
                        answer);
        static const char resolve[] = "actor_definition_versions/resolve";
        const char *tag = member(fix, answer, "dockerImageTag");
        body = format(
            fix, "{\"actorDefinitionId\":\"%s\",\"actorType\":\"%s\",\"dockerImageTag\":\"%s\"}",
            sides[i].id, sides[i].kind, tag);
        const char *found = config_call(fix, resolve, body, 200);
        g_assert_cmpstr(config_call(fix, resolve, body, 200), ==, found); /* the id stays */
        const char *wrong =
            format(fix,
                   "{\"actorDefinitionId\":\"%s\",\"actorType\":\"%s\",\"dockerImageTag\":"
                   "\"0.0.99\"}",
                   sides[i].id, sides[i].kind);
        config_refused(fix, resolve, wrong, 404, "0.0.99");
    }
    config_refused(fix, "actor_definition_versions/get_default",
                   "{\"actorDefinitionId\":\"" NO_ID "\"}", 404, NO_ID);
    config_refused(fix, "actor_definition_versions/resolve",
                   "{\"actorDefinitionId\":\"" NO_ID
                   "\",\"actorType\":\"thing\",\"dockerImageTag\":"
                   "\"1\"}",
                   400, "actorType");
}

void
config_add_definition_cases(void)
{
    CONFIG_CASE("definition/list", test_list);
    CONFIG_CASE("definition/list-for-workspace", test_list_for_workspace);
    CONFIG_CASE("definition/get", test_get);
    CONFIG_CASE("definition/change", test_change);
    CONFIG_CASE("definition/own", test_own);
    CONFIG_CASE("definition/specifications", test_specifications);
    CONFIG_CASE("definition/versions", test_versions);
}
