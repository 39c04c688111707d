/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-test.h"

#include <string.h>

#define GOOD "{\"host\":\"h\",\"password\":\"hunter2\",\"options\":{\"a\":\"1\"}}"
#define MASKED "{\"host\":\"h\",\"password\":\"**********\",\"options\":{\"a\":\"1\"}}"

static const struct {
    const char *kind, *id;
} sides[] = {{"source", FIXTURE_SOURCE}, {"destination", FIXTURE_DESTINATION}};

static const char *
verb_of(Fixture *fix, guint i, const char *verb)
{
    return format(fix, "%ss/%s", sides[i].kind, verb);
}

/* {"sourceId": "…" REST} */
static const char *
of_id(Fixture *fix, guint i, const char *id, const char *rest)
{
    return format(fix, "{\"%sId\":\"%s\"%s}", sides[i].kind, id, rest);
}

static const char *
make(Fixture *fix, guint i, const char *name, const char *configuration, guint status)
{
    const char *body = format(fix,
                              "{\"%sDefinitionId\":\"%s\",\"workspaceId\":\"" FIXTURE_WORKSPACE
                              "\",\"name\":\"%s\",\"connectionConfiguration\":%s}",
                              sides[i].kind, sides[i].id, name, configuration);
    return config_call(fix, verb_of(fix, i, "create"), body, status);
}

static const char *
id_of(Fixture *fix, guint i, const char *answer)
{
    return member(fix, answer, format(fix, "%sId", sides[i].kind));
}

static void
test_create(Fixture *fix, gconstpointer data)
{
    for (guint i = 0; i < G_N_ELEMENTS(sides); i++) {
        const char *made = make(fix, i, "n", GOOD, 200);
        g_assert_cmpstr(member(fix, made, "connectionConfiguration"), ==, MASKED);
        g_assert_cmpstr(member(fix, made, format(fix, "%sName", sides[i].kind)), ==,
                        i == 0 ? "s" : "d");
        g_assert_cmpstr(member(fix, made, "status"), ==, "inactive");
        g_assert_cmpstr(member(fix, made, "numConnections"), ==, "0");
        g_assert_cmpstr(member(fix, made, "supportState"), ==, "supported");
        g_assert_cmpuint(strlen(member(fix, made, "createdAt")), ==, 10); /* seconds */
        assert_lacks(made, "hunter2");
        assert_lacks(made, "Type\"");
        const char *id = id_of(fix, i, made);
        g_assert_cmpstr(config_call(fix, verb_of(fix, i, "get"), of_id(fix, i, id, ""), 200), ==,
                        made);
        /* names need not differ */
        g_assert_cmpstr(id_of(fix, i, make(fix, i, "n", GOOD, 200)), !=, id);
    }
}

static void
test_bad(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *configuration;
        guint status;
        const char *message;
    } cases[] = {
        {"{\"host\":\"h\"}", 422, "password"},
        {"{\"host\":1,\"password\":\"p\"}", 422, "configuration.host: expected string"},
        {"{\"host\":\"h\",\"password\":\"p\",\"port\":70000}", 422, "configuration.port"},
        {"{\"host\":\"h\",\"password\":\"p\",\"options\":{\"a\":1}}", 422,
         "configuration.options.a: expected string"},
        {"{\"host\":\"h\",\"password\":{\"_secret\":\"" NO_ID "\"}}", 400, "_secret"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(sides); i++) {
        for (guint j = 0; j < G_N_ELEMENTS(cases); j++)
            assert_has(
                member(fix, make(fix, i, "n", cases[j].configuration, cases[j].status), "message"),
                cases[j].message);
        config_refused(fix, verb_of(fix, i, "create"), "{}", 400, "DefinitionId");
        const char *body =
            format(fix,
                   "{\"%sDefinitionId\":\"" NO_ID "\",\"workspaceId\":\"%s\",\"name\":"
                   "\"n\",\"connectionConfiguration\":{}}",
                   sides[i].kind, FIXTURE_WORKSPACE);
        config_refused(fix, verb_of(fix, i, "create"), body, 404, NO_ID);
        body = format(fix,
                      "{\"%sDefinitionId\":\"%s\",\"workspaceId\":\"" NO_ID "\",\"name\":\"n\","
                      "\"connectionConfiguration\":" GOOD "}",
                      sides[i].kind, sides[i].id);
        config_call(fix, verb_of(fix, i, "create"), body, 404);
        body = format(fix,
                      "{\"%sDefinitionId\":\"%s\",\"workspaceId\":\"" FIXTURE_WORKSPACE
                      "\",\"name\":\"n\",\"connectionConfiguration\":" GOOD ",\"secretId\":\"x\"}",
                      sides[i].kind, sides[i].id);
        config_refused(fix, verb_of(fix, i, "create"), body, 501, "OAuth");
    }
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from actor"), ==, 2);
}

/* The mask keeps, both ways; what is left out of a full update is gone. */
static void
test_update(Fixture *fix, gconstpointer data)
{
    for (guint i = 0; i < G_N_ELEMENTS(sides); i++) {
        const char *id = id_of(fix, i, make(fix, i, "n", GOOD, 200));
        const char *secret = format(fix, "select count(*) from secret where actor_id = '%s'", id);
        const char *update = verb_of(fix, i, "update"), *patch = verb_of(fix, i, "partial_update");
        const char *answer = config_call(
            fix, update,
            of_id(fix, i, id,
                  ",\"name\":\"m\",\"connectionConfiguration\":{\"host\":\"g\",\"password\":"
                  "\"**********\"}"),
            200);
        g_assert_cmpstr(member(fix, answer, "name"), ==, "m");
        g_assert_cmpstr(member(fix, answer, "connectionConfiguration"), ==,
                        "{\"host\":\"g\",\"password\":\"**********\"}");
        answer = config_call(
            fix, patch,
            of_id(fix, i, id,
                  ",\"connectionConfiguration\":{\"options\":{\"b\":\"2\"},\"password\":"
                  "\"**********\"}"),
            200);
        g_assert_cmpstr(member(fix, answer, "name"), ==, "m");
        g_assert_cmpstr(member(fix, answer, "connectionConfiguration"), ==,
                        "{\"host\":\"g\",\"password\":\"**********\",\"options\":{\"b\":\"2\"}}");
        g_assert_cmpint(queue_fixture_count(fix->server.db, secret), ==, 1);
        answer = config_call(fix, patch, of_id(fix, i, id, ",\"name\":\"k\""), 200);
        g_assert_cmpstr(member(fix, answer, "name"), ==, "k");
        config_refused(
            fix, update,
            of_id(fix, i, id, ",\"name\":\"m\",\"connectionConfiguration\":{\"host\":\"g\"}"), 422,
            "password");
        config_refused(fix, patch,
                       of_id(fix, i, id, ",\"connectionConfiguration\":{\"port\":\"x\"}"), 422,
                       "configuration.port: expected integer");
        config_refused(fix, update, of_id(fix, i, id, ""), 400, "name");
        config_refused(fix, patch, "{}", 400, "Id");
        config_refused(fix, patch, of_id(fix, i, NO_ID, ""), 404, NO_ID);
        config_refused(fix, update,
                       of_id(fix, i, NO_ID, ",\"name\":\"m\",\"connectionConfiguration\":{}"), 404,
                       NO_ID);
        config_refused(fix, patch, of_id(fix, i, id, ",\"secretId\":\"x\""), 501, "OAuth");
    }
}

static void
test_delete(Fixture *fix, gconstpointer data)
{
    static const char *const verbs[] = {"get", "delete", "upgrade_version"};
    for (guint i = 0; i < G_N_ELEMENTS(sides); i++) {
        const char *id = id_of(fix, i, make(fix, i, "n", GOOD, 200));
        const char *body = of_id(fix, i, id, "");
        config_call(fix, verb_of(fix, i, "upgrade_version"), body, 204);
        config_call(fix, verb_of(fix, i, "delete"), body, 204);
        for (guint j = 0; j < G_N_ELEMENTS(verbs); j++) {
            config_refused(fix, verb_of(fix, i, verbs[j]), body, 404, id);
            config_refused(fix, verb_of(fix, i, verbs[j]), "{}", 400, "Id");
            config_refused(fix, verb_of(fix, i, verbs[j]), of_id(fix, i, "x", ""), 400, "Id: ");
            /* one of the other kind is none */
            config_refused(fix, verb_of(fix, i, verbs[j]), of_id(fix, i, sides[1 - i].id, ""), 404,
                           sides[1 - i].id);
        }
        g_assert_cmpint(queue_fixture_count(
                            fix->server.db,
                            format(fix, "select count(*) from secret where actor_id = '%s'", id)),
                        ==, 0);
    }
}

/* What is easily got wrong. */
static void
test_surprises(Fixture *fix, gconstpointer data)
{
    for (guint i = 0; i < G_N_ELEMENTS(sides); i++) {
        /* keys are the connector's: never re-cased, never sorted; numbers keep their digits */
        const char *odd = "{\"z_y\":1.10,\"host\":\"h\",\"aB\":[1,2],\"password\":\"p\","
                          "\"A-b\":{\"k\":1e3}}";
        const char *kept = "{\"z_y\":1.10,\"host\":\"h\",\"aB\":[1,2],\"password\":"
                           "\"**********\",\"A-b\":{\"k\":1e3}}";
        const char *made = make(fix, i, "n", odd, 200);
        const char *id = id_of(fix, i, made), *patch = verb_of(fix, i, "partial_update");
        g_assert_cmpstr(member(fix, made, "connectionConfiguration"), ==, kept);
        /* a merge replaces arrays whole and cannot delete */
        const char *answer = config_call(
            fix, patch,
            of_id(fix, i, id, ",\"connectionConfiguration\":{\"aB\":[3],\"A-b\":{\"l\":2}}"), 200);
        g_assert_cmpstr(member(fix, answer, "connectionConfiguration"), ==,
                        "{\"z_y\":1.10,\"host\":\"h\",\"aB\":[3],\"password\":\"**********\","
                        "\"A-b\":{\"k\":1e3,\"l\":2}}");
        /* ids are compared without case, and given in lower case */
        g_autofree char *upper = g_ascii_strup(id, -1);
        answer = config_call(fix, verb_of(fix, i, "get"), of_id(fix, i, upper, ""), 200);
        g_assert_cmpstr(id_of(fix, i, answer), ==, id);
        /* another value replaces a secret: one secret, and another one */
        const char *secret = format(fix, "select secret_id from secret where actor_id = '%s'", id);
        const char *count = format(fix, "select count(*) from (%s) s", secret);
        const char *same = format(fix, "create table kept as %s", secret);
        queue_fixture_script(fix->server.db, "drop table if exists kept");
        queue_fixture_script(fix->server.db, same);
        config_call(fix, patch,
                    of_id(fix, i, id, ",\"connectionConfiguration\":{\"password\":\"q\"}"), 200);
        g_assert_cmpint(queue_fixture_count(fix->server.db, count), ==, 1);
        g_assert_cmpint(
            queue_fixture_count(fix->server.db, format(fix,
                                                       "select count(*) from kept join (%s) s "
                                                       "using (secret_id)",
                                                       secret)),
            ==, 0);
        /* unknown members of a request do no harm */
        config_call(fix, verb_of(fix, i, "get"), of_id(fix, i, id, ",\"new\":{\"x\":[]}"), 200);
    }
}

static void
make_some(Fixture *fix)
{
    queue_fixture_script(fix->server.db,
                         "insert into job (config_type, scope, workspace_id, status, created_at,"
                         " updated_at, finished_at) values ('sync', '" FIXTURE_CONNECTION
                         "', '" FIXTURE_WORKSPACE "', 'succeeded', to_timestamp(1000),"
                         " to_timestamp(1001), to_timestamp(1001))");
    for (guint i = 0; i < G_N_ELEMENTS(sides); i++) {
        make(fix, i, "beta", GOOD, 200);
        make(fix, i, "Alpha", "{\"host\":\"h2\",\"password\":\"p\"}", 200);
    }
}

static void
test_list(Fixture *fix, gconstpointer data)
{
    make_some(fix);
    for (guint i = 0; i < G_N_ELEMENTS(sides); i++) {
        const char *verb = verb_of(fix, i, "list"), *list = format(fix, "%ss", sides[i].kind);
        const char *first = "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"pageSize\":2,\"sortKey\":"
                            "\"actorName_asc\"}";
        const char *page = config_call(fix, verb, first, 200);
        g_assert_cmpstr(config_at(fix, page, list, "0", "name", NULL), ==, "Alpha");
        g_assert_cmpstr(config_at(fix, page, list, "1", "name", NULL), ==, "beta");
        g_assert_cmpstr(member(fix, page, "page_size"), ==, "2");
        g_assert_cmpstr(member(fix, page, "num_connections"), ==, "3");
        assert_lacks(page, "hunter2");
        const char *id = config_at(fix, page, list, "1", format(fix, "%sId", sides[i].kind), NULL);
        page = config_call(fix, verb,
                           format(fix,
                                  "{\"workspaceId\":\"" FIXTURE_WORKSPACE
                                  "\",\"pageSize\":2,\"sortKey\":\"actorName_asc\",\"cursor\":"
                                  "\"%s\"}",
                                  id),
                           200);
        /* the fixture's own, the only one that is used */
        g_assert_cmpstr(config_at(fix, page, list, "0", "status", NULL), ==, "active");
        g_assert_cmpstr(config_at(fix, page, list, "0", "numConnections", NULL), ==, "1");
        g_assert_cmpstr(config_at(fix, page, list, "0", "lastSync", NULL), ==, "1000");
        g_assert_cmpstr(config_at(fix, page, list, "0", "connectionJobStatuses", "succeeded", NULL),
                        ==, "1");
        g_assert_cmpstr(member(fix, page, "num_connections"), ==, "3");
        static const struct {
            const char *rest, *count;
        } filters[] = {
            {"", "3"},
            {",\"filters\":{\"states\":[\"active\"]}", "1"},
            {",\"filters\":{\"states\":[\"inactive\"]}", "2"},
            {",\"filters\":{\"states\":[\"inactive\",\"active\"]}", "3"},
            {",\"filters\":{\"searchTerm\":\"ALPH\"}", "1"},
            {",\"filters\":{\"searchTerm\":\"%\"}", "0"},
            {",\"sortKey\":\"lastSync_desc\"", "3"},
            {",\"sortKey\":\"actorDefinitionName_desc\"", "3"},
        };
        for (guint j = 0; j < G_N_ELEMENTS(filters); j++)
            g_assert_cmpstr(
                member(fix,
                       config_call(fix, verb,
                                   format(fix, "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\"%s}",
                                          filters[j].rest),
                                   200),
                       "num_connections"),
                ==, filters[j].count);
        config_refused(fix, verb, "{}", 400, "workspaceId");
        config_refused(fix, verb,
                       "{\"workspaceId\":\"" FIXTURE_WORKSPACE
                       "\",\"filters\":{\"states\":[\"asleep\"]}}",
                       400, "'asleep' is no state");
        config_refused(fix, verb,
                       "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"sortKey\":\"size_asc\"}", 400,
                       "sortKey");
    }
}

static void
test_pages(Fixture *fix, gconstpointer data)
{
    make_some(fix);
    for (guint i = 0; i < G_N_ELEMENTS(sides); i++) {
        const char *verb = verb_of(fix, i, "list_paginated");
        const char *list = format(fix, "%ss", sides[i].kind);
        const char *page = config_call(fix, verb,
                                       "{\"workspaceIds\":[\"" FIXTURE_WORKSPACE
                                       "\"],\"pagination\":{\"pageSize\":1,\"rowOffset\":1}}",
                                       200);
        g_assert_cmpstr(config_at(fix, page, list, "0", "name", NULL), ==, "beta");
        assert_lacks(page, "Alpha");
        page = config_call(fix, verb,
                           "{\"workspaceIds\":[\"" FIXTURE_WORKSPACE
                           "\"],\"pagination\":{},\"nameContains\":\"alp\"}",
                           200);
        g_assert_cmpstr(config_at(fix, page, list, "0", "name", NULL), ==, "Alpha");
        page = config_call(fix, verb, "{\"workspaceIds\":[\"" NO_ID "\"],\"pagination\":{}}", 200);
        g_assert_cmpstr(member(fix, page, list), ==, "[]");
        config_refused(fix, verb, "{\"workspaceIds\":[\"x\"],\"pagination\":{}}", 400,
                       "workspaceIds");
        config_refused(fix, verb,
                       "{\"workspaceIds\":[\"" FIXTURE_WORKSPACE
                       "\"],\"pagination\":{\"rowOffset\":-1}}",
                       400, "rowOffset");
        config_refused(fix, verb, "{}", 400, "workspaceIds");
    }
}

static void
test_search(Fixture *fix, gconstpointer data)
{
    make_some(fix);
    for (guint i = 0; i < G_N_ELEMENTS(sides); i++) {
        const struct {
            const char *body;
            gboolean alpha, beta;
        } cases[] = {
            {"{}", TRUE, TRUE},
            {"{\"name\":\"Alpha\"}", TRUE, FALSE},
            {"{\"connectionConfiguration\":{\"host\":\"h2\"}}", TRUE, FALSE},
            {"{\"connectionConfiguration\":{\"options\":{\"a\":\"1\"}}}", FALSE, TRUE},
            {"{\"workspaceId\":\"" NO_ID "\"}", FALSE, FALSE},
            {of_id(fix, i, sides[i].id, ""), FALSE, FALSE},
            {format(fix, "{\"%sName\":\"nobody\"}", sides[i].kind), FALSE, FALSE},
            {format(fix, "{\"%sDefinitionId\":\"%s\"}", sides[i].kind, sides[i].id), TRUE, TRUE},
        };
        for (guint j = 0; j < G_N_ELEMENTS(cases); j++) {
            const char *found = config_call(fix, verb_of(fix, i, "search"), cases[j].body, 200);
            g_assert_cmpint(strstr(found, "\"Alpha\"") != NULL, ==, cases[j].alpha);
            g_assert_cmpint(strstr(found, "\"beta\"") != NULL, ==, cases[j].beta);
        }
        config_refused(fix, verb_of(fix, i, "search"), "{\"workspaceId\":7}", 400, "workspaceId");
    }
}

void
config_add_actor_cases(void)
{
    CONFIG_CASE("actor/create", test_create);
    CONFIG_CASE("actor/bad", test_bad);
    CONFIG_CASE("actor/update", test_update);
    CONFIG_CASE("actor/delete", test_delete);
    CONFIG_CASE("actor/surprises", test_surprises);
    CONFIG_CASE("actor/list", test_list);
    CONFIG_CASE("actor/pages", test_pages);
    CONFIG_CASE("actor/search", test_search);
}
