/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "bootloader-seed.h"

#include <glib/gstdio.h>
#include <string.h>

#include "bootloader-setup.h"
#include "sl-error.h"
#include "sl-sql.h"
#include "sl-test-db.h"

#define ID "11111111-0000-4000-8000-000000000001"
#define FILE_TEXT(tag)                                                                             \
    "{\"definitionId\":\"" ID "\",\"name\":\"Sample\",\"actorType\":\"source\","                   \
    "\"aliases\":[\"22222222-0000-4000-8000-000000000002\"],\"aliasRepositories\":[\"x/faker\"],"  \
    "\"runtime\":\"native\","                                                                      \
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

/* --- the first link --- */

static char *
make_link(Fixture *f, const char *url)
{
    char *link = NULL;
    g_autoptr(GError) error = NULL;
    bootloader_setup_link(f->db, url, 1, G_USEC_PER_SEC, &link, &error);
    g_assert_no_error(error);
    return link;
}

static void
run_script(Fixture *f, const char *sql)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, &error);
    sl_tx_run_script(tx, sql, &error);
    sl_tx_commit(tx, &error);
    g_assert_no_error(error);
}

/* Once, and only as long as nobody can log in; the database does not know the token. */
static void
test_setup_link(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    run_script(f, "update account set password_hash = 'x'");
    g_assert_null(make_link(f, "http://h"));
    run_script(f, "update account set password_hash = null");
    g_autofree char *link = make_link(f, "https://h//");
    g_assert_true(g_str_has_prefix(link, "https://h/setup#token="));
    g_assert_null(make_link(f, "https://h"));
    const char *token = strchr(link, '=') + 1;
    g_assert_cmpuint(strlen(token), ==, 64);
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, token, -1);
    g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
    g_autoptr(SlAccount) account = NULL;
    g_autoptr(SlAccount) late = NULL;
    g_autoptr(SlAccount) plain = NULL;
    g_assert_true(sl_sql_setup_token_lock(tx, hash, 2, &account, &error));
    g_assert_cmpstr(account->user_id, ==, "00000000-0000-0000-0000-000000000000");
    g_assert_true(sl_sql_setup_token_lock(tx, hash, G_USEC_PER_SEC, &late, &error));
    g_assert_null(late);
    g_assert_true(sl_sql_setup_token_lock(tx, token, 2, &plain, &error));
    g_assert_null(plain);
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
    g_test_add("/bootloader/setup-link", Fixture, NULL, setup, test_setup_link, teardown);
    return g_test_run();
}
