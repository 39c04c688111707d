/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "bootloader-seed.h"

#include <glib/gstdio.h>

#include "sl-error.h"
#include "sl-sql.h"
#include "sl-test-db.h"

#define ID "11111111-0000-4000-8000-000000000001"
#define FILE_TEXT(tag)                                                                             \
    "{\"definitionId\":\"" ID "\",\"name\":\"Sample\",\"actorType\":\"source\","                   \
    "\"aliases\":[\"22222222-0000-4000-8000-000000000002\"],\"runtime\":\"native\","               \
    "\"command\":[\"source-sample\"],\"dockerRepository\":\"sluice/source-sample\","               \
    "\"dockerImageTag\":\"" tag "\",\"spec\":{\"connectionSpecification\":{\"x\":1.10}}}"

typedef struct {
    SlDb *db;
    char *folder;
    char *path;
} Fixture;

static void
setup(Fixture *f, gconstpointer data)
{
    f->db = sl_test_db_new(NULL);
    f->folder = g_dir_make_tmp("bootloader-XXXXXX", NULL);
    f->path = g_build_filename(f->folder, "sample.json", NULL);
}

static void
teardown(Fixture *f, gconstpointer data)
{
    g_unlink(f->path);
    g_rmdir(f->folder);
    g_free(f->path);
    g_free(f->folder);
    sl_db_unref(f->db);
}

static void
seed(Fixture *f, const char *text)
{
    guint count = 0;
    g_autoptr(GError) error = NULL;
    g_assert_true(g_file_set_contents(f->path, text, -1, NULL));
    bootloader_seed(f->db, f->folder, 1, &count, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(count, ==, 1);
}

static SlDefinition *
load(Fixture *f)
{
    g_autoptr(SlTx) tx = sl_db_begin(f->db, TRUE, NULL);
    SlDefinition *definition = NULL;
    g_assert_true(sl_sql_definition_get(tx, ID, &definition, NULL));
    return definition;
}

/* Twice in a row is fine; a newer package's file replaces the older; the spec keeps its bytes. */
static void
test_again(Fixture *f, gconstpointer data)
{
    seed(f, FILE_TEXT("1"));
    seed(f, FILE_TEXT("1"));
    seed(f, FILE_TEXT("2"));
    g_autoptr(SlDefinition) definition = load(f);
    g_assert_cmpstr(definition->docker_image_tag, ==, "2");
    g_assert_cmpstr(definition->spec, ==, "{\"connectionSpecification\":{\"x\":1.10}}");
    g_assert_cmpstr(definition->aliases[0], ==, "22222222-0000-4000-8000-000000000002");
    g_autoptr(SlTx) tx = sl_db_begin(f->db, TRUE, NULL);
    g_autoptr(SlWorkspace) workspace = NULL;
    g_assert_true(sl_sql_workspace_get(tx, BOOTLOADER_WORKSPACE, &workspace, NULL));
    g_assert_cmpstr(workspace->name, ==, "Default Workspace");
}

/* An administrator's own definition of the same id is left alone. */
static void
test_custom_stays(Fixture *f, gconstpointer data)
{
    seed(f, FILE_TEXT("1"));
    g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
    g_assert_true(sl_tx_run_script(
        tx, "update actor_definition set custom = true, docker_image_tag = 'mine'", NULL));
    g_assert_true(sl_tx_commit(tx, NULL));
    seed(f, FILE_TEXT("2"));
    g_autoptr(SlDefinition) definition = load(f);
    g_assert_cmpstr(definition->docker_image_tag, ==, "mine");
}

static void
test_bad_file(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{", "sample.json: "},
        {"{\"definitionId\":\"7\"}", "sample.json: definitionId: '7' is not a UUID"},
        {"{\"definitionId\":\"" ID "\"}", "sample.json: 'name' is missing"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint count;
        g_autoptr(GError) error = NULL;
        g_assert_true(g_file_set_contents(f->path, cases[i].text, -1, NULL));
        g_assert_false(bootloader_seed(f->db, f->folder, 1, &count, &error));
        g_assert_nonnull(strstr(error->message, cases[i].message));
    }
    g_autoptr(SlDefinition) none = load(f);
    g_assert_null(none);
}

static void
test_no_folder(Fixture *f, gconstpointer data)
{
    guint count = 9;
    g_assert_true(bootloader_seed(f->db, "/nonexistent", 1, &count, NULL));
    g_assert_cmpuint(count, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, func) g_test_add("/bootloader/seed/" name, Fixture, NULL, setup, func, teardown)
    ADD("again", test_again);
    ADD("custom-stays", test_custom_stays);
    ADD("bad-file", test_bad_file);
    ADD("no-folder", test_no_folder);
    return g_test_run();
}
