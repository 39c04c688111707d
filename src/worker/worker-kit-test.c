/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "worker-kit.h"

#include <string.h>

#include "sl-error.h"
#include "sl-queue-fixture.h"
#include "sl-sql.h"

#define LOW "00000000-0000-4000-8000-0000000000b1"
#define HOST "00000000-0000-4000-8000-0000000000b2"

#define DEFINITION(id, runtime, tag, tree, kit, workspace)                                         \
    "insert into actor_definition (definition_id, name, actor_type, runtime, command, tree, "      \
    "docker_repository, docker_image_tag, spec, custom, kit_version, workspace_id, created_at, "   \
    "updated_at) values ('" id "', 'low', 'source', '" runtime                                     \
    "', '[\"sluice_connector\"]', '" tree "', 'x/low', '" tag "', '{}', true, '" kit               \
    "', " workspace ", now(), now());"
#define MANIFEST(id)                                                                               \
    "insert into declarative_manifest (definition_id, version, manifest, spec, created_at) "       \
    "values "                                                                                      \
    "('" id "', 1, '{}', '{}', now()); update actor_definition set manifest_version = 1 where "    \
    "definition_id = '" id "';"
#define KIT(n, version, tree)                                                                      \
    DEFINITION("00000000-0000-4000-8000-0000000000c" n, "pypi", "1", tree, version, "null")

static void
setup(SlDb **db, gconstpointer data)
{
    *db = queue_fixture_new();
    queue_fixture_script(
        *db, DEFINITION(LOW, "manifest", "6.5.0", "", "", "'" FIXTURE_WORKSPACE "'") MANIFEST(LOW));
}

static void
teardown(SlDb **db, gconstpointer data)
{
    sl_db_unref(*db);
}

static gboolean
ensure(SlDb *db, const char *id, char **ret_tree, GError **error)
{
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, NULL);
    g_autoptr(SlDefinition) definition = NULL;
    g_assert_true(sl_sql_definition_get(tx, id, &definition, NULL));
    gboolean ok = worker_kit_ensure(tx, definition, FIXTURE_NOW, error);
    *ret_tree = g_strdup(definition->tree);
    g_assert_true(!ok || sl_tx_commit(tx, NULL));
    return ok;
}

static void
test_choice(SlDb **db, gconstpointer data)
{
    static const struct {
        const char *kits, *tree; /* NULL: none fits */
    } cases[] = {
        {"select;", NULL},
        {KIT("1", "7.39.1", "/t/7"), NULL},
        {KIT("1", "6.4.9", "/t/old"), NULL},
        {KIT("1", "6.5.0", ""), NULL}, /* no environment */
        {KIT("1", "6.5.0", "/t/a"), "/t/a"},
        {KIT("1", "6.5.0", "/t/a") KIT("2", "6.61.6", "/t/b") KIT("3", "6.9.1", "/t/c")
             KIT("4", "7.0.0", "/t/d"),
         "/t/b"},
        /* one that another manifest of the host has */
        {DEFINITION(HOST, "manifest", "abc", "/t/h", "6.7.0", "null") MANIFEST(HOST), "/t/h"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *tree = NULL;
        queue_fixture_script(*db, "update actor_definition set tree = '', kit_version = '' where "
                                  "definition_id = '" LOW "'; delete from actor_definition where "
                                  "kit_version <> ''");
        queue_fixture_script(*db, cases[i].kits);
        gboolean ok = ensure(*db, LOW, &tree, &error);
        g_test_message("case %zu", i);
        if (cases[i].tree == NULL) {
            g_assert_false(ok);
            g_assert_error(error, SL_ERROR, SL_ERROR_NOT_FOUND);
            g_assert_nonnull(strstr(error->message, "'low', which needs airbyte-cdk>=6.5.0,<7"));
            continue;
        }
        g_assert_no_error(error);
        g_assert_cmpstr(tree, ==, cases[i].tree);
    }
}

/* What it got it keeps, though newer ones come; a new manifest chooses anew. */
static void
test_kept(SlDb **db, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *first = NULL, *second = NULL, *third = NULL;
    queue_fixture_script(*db, KIT("1", "6.5.0", "/t/a"));
    g_assert_true(ensure(*db, LOW, &first, &error));
    queue_fixture_script(*db, KIT("2", "6.6.0", "/t/b"));
    g_assert_true(ensure(*db, LOW, &second, &error));
    g_assert_cmpstr(first, ==, "/t/a");
    g_assert_cmpstr(second, ==, "/t/a");
    {
        g_autoptr(SlTx) tx = sl_db_begin(*db, FALSE, NULL);
        g_assert_true(
            sl_sql_definition_set_manifest(tx, LOW, 1, "6.6.0", "{}", FIXTURE_NOW, NULL, &error));
        g_assert_true(sl_tx_commit(tx, NULL));
    }
    g_assert_true(ensure(*db, LOW, &third, &error));
    g_assert_cmpstr(third, ==, "/t/b");
}

static void
test_others(SlDb **db, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *tree = NULL, *own = NULL;
    queue_fixture_script(*db, DEFINITION(HOST, "exec", "1", "", "", "null"));
    g_assert_true(ensure(*db, HOST, &tree, &error));
    g_assert_cmpstr(tree, ==, "");
    /* one of the host has an environment of its own, whatever else there is */
    queue_fixture_script(*db, "update actor_definition set runtime = 'manifest', tree = '/t/own', "
                              "kit_version = '6.1.0' where definition_id = '" HOST
                              "';" MANIFEST(HOST) KIT("1", "6.61.6", "/t/b"));
    g_assert_true(ensure(*db, HOST, &own, &error));
    g_assert_cmpstr(own, ==, "/t/own");
}

#define CASE(name, func) g_test_add("/worker/kit/" name, SlDb *, NULL, setup, func, teardown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    CASE("choice", test_choice);
    CASE("kept", test_kept);
    CASE("others", test_others);
    return g_test_run();
}
