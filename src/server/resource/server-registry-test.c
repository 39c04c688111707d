/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-fixture.h"

#include <string.h>

#define REGISTRY "/api/v1/sluice/registry"
#define ID(n) "0000000" #n "-0000-4000-8000-000000000000"

/* Four entries; two are installed: one in an older version, one as a connector of ours. */
static void
fill(Fixture *fix)
{
    queue_fixture_script(
        fix->server.db,
        "insert into registry (source, digest, entries, changed_at, checked_at) values"
        " ('/etc/sluice/registry.json', 'x', 4, '2026-08-01', '2026-08-02');"
        "insert into registry_entry (definition_id, actor_type, name, docker_repository, "
        "docker_image_tag,"
        " documentation_url, icon, support_level, release_stage, language, pypi_package, "
        "allowed_hosts,"
        " resource_requirements, breaking_changes, spec, digest, removed_at, updated_at)"
        " select ('0000000' || n || '-0000-4000-8000-000000000000')::uuid, kind, name, 'x/' || "
        "lower(name), '2.0.0', '', '', 'community', '', '',"
        " pypi, '[\"a.example\"]', '{}', '{\"2.0.0\":{\"message\":\"new ids\"}}', "
        "'{\"connectionSpecification\":{}}', 'd',"
        " gone::timestamptz, '2026-08-01'"
        " from (values (1, 'source', 'Faker', 'airbyte-source-faker', null), (2, 'source', "
        "'Files', null, null),"
        " (3, 'destination', 'Nowhere', null, null), (4, 'source', 'Gone', null, '2026-08-02')) v "
        "(n, kind, name, pypi, gone);"
        "insert into actor_definition (definition_id, name, actor_type, runtime, command, "
        "docker_repository, docker_image_tag,"
        " aliases, spec, custom, created_at, updated_at) values"
        " (gen_random_uuid(), 'my faker', 'source', 'pypi', '[\"x\"]', 'x/faker', '1.9.0', '{}', "
        "'{}', true, now(), now()),"
        " (gen_random_uuid(), 'our files', 'source', 'native', '[\"x\"]', 'sluice/files', '0.1.0', "
        "'{" ID(2) "}', '{}', false, now(), now())");
}

static void
test_list(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *query, *total, *names; /* in order */
    } cases[] = {
        {"", "3", "Faker Files Nowhere"},        {"?actorType=destination", "1", "Nowhere"},
        {"?search=FA%20x", "1", "Faker"},        {"?search=nothing", "0", ""},
        {"?installed=true", "2", "Faker Files"}, {"?outdated=true", "1", "Faker"},
        {"?outdated=true&offset=1", "1", ""},    {"?limit=1&offset=1", "3", "Files"},
    };
    assert_has(call(fix, "GET", REGISTRY, NULL, 200), "\"data\":[],\"total\":0");
    fill(fix);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *text = call(fix, "GET", format(fix, REGISTRY "%s", cases[i].query), NULL, 200);
        g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, NULL);
        g_autoptr(GString) names = g_string_new(NULL);
        SL_JSON_FOREACH (doc, sl_json_get(doc, sl_json_root(doc), "data"), item) {
            g_autofree char *name = sl_json_dup_string(sl_json_get(doc, item, "name"));
            g_string_append_printf(names, "%s%s", names->len > 0 ? " " : "", name);
        }
        g_test_message("%s", cases[i].query);
        g_assert_cmpstr(names->str, ==, cases[i].names);
        /* a page behind the last one does not know the total, but says what it can */
        if (names->len > 0)
            g_assert_cmpstr(member(fix, text, "total"), ==, cases[i].total);
        assert_has(text, "\"source\":\"/etc/sluice/registry.json\"");
    }
    call(fix, "GET", REGISTRY "?limit=0", NULL, 400);
    call(fix, "GET", REGISTRY "?actorType=cat", NULL, 400);
}

static void
test_items(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *id, *wanted[6];
    } cases[] = {
        {ID(1),
         {"\"runtimes\":[\"pypi\",\"docker\"]", "\"runtime\":\"pypi\",\"version\":\"1.9.0\"",
          "\"outdated\":true", "\"breakingVersions\":[\"2.0.0\"]", "\"breakingChanges\":{\"2.0.0\"",
          "\"spec\":{\"connectionSpecification\":{}}"}},
        {ID(2),
         {"\"runtimes\":[\"native\",\"docker\"]", "\"outdated\":false", "\"breakingVersions\":[]",
          "\"name\":\"our files\"", "\"allowedHosts\":[\"a.example\"]", "\"version\":\"2.0.0\""}},
        {ID(3), {"\"runtimes\":[\"docker\"]", "\"outdated\":false"}},
        {ID(4), {"\"removedAt\":\"2026-08-02"}},
    };
    fill(fix);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *text = call(fix, "GET", format(fix, REGISTRY "/%s", cases[i].id), NULL, 200);
        for (guint j = 0; j < G_N_ELEMENTS(cases[i].wanted) && cases[i].wanted[j] != NULL; j++)
            assert_has(text, cases[i].wanted[j]);
    }
    assert_has(call(fix, "GET", REGISTRY "/" ID(9), NULL, 404), ID(9));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
#define CASE(name, func) g_test_add("/server/registry/" name, Fixture, NULL, setup, func, teardown)
    CASE("list", test_list);
    CASE("items", test_items);
    return g_test_run();
}
