/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-schema.h"

#include <stdio.h>
#include <string.h>

#include "sl-error.h"

/* sl-schema-suite [FOLDER]: the official suite of JSON Schema (Debian's json-schema-test-suite),
 * draft 7 without what it calls optional; a TAP line per file. Skips where there is none. */

#define SUITE "/usr/share/json-schema-test-suite"
#define REMOTES "http://localhost:1234/"

/* draft-07's own schema, which some of the tests refer to, as python3-jsonschema has it. */
static const char *const meta_places[] = {
    "/usr/lib/python3/dist-packages/jsonschema/schemas/draft7.json",
    "/usr/lib/python3/dist-packages/jsonschema_specifications/schemas/draft7/metaschema.json",
};

typedef struct {
    GArray *remotes; /* SlSchemaRemote, whose strings are owned */
    gboolean meta;
    guint passed, failed, skipped;
} Suite;

static void
remote_clear(gpointer data)
{
    SlSchemaRemote *remote = data;
    g_free((gpointer)remote->uri);
    g_free((gpointer)remote->text);
}

static gboolean
add_remote(Suite *suite, const char *file, char *uri)
{
    SlSchemaRemote remote = {uri, NULL};
    char *text = NULL;
    if (!g_file_get_contents(file, &text, NULL, NULL)) {
        g_free(uri);
        return FALSE;
    }
    remote.text = text;
    g_array_append_val(suite->remotes, remote);
    return TRUE;
}

static void
add_remotes(Suite *suite, const char *folder, const char *address)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *file = g_build_filename(folder, name, NULL);
        g_autofree char *inner = g_strconcat(address, name, "/", NULL);
        if (g_file_test(file, G_FILE_TEST_IS_DIR))
            add_remotes(suite, file, inner);
        else
            add_remote(suite, file, g_strconcat(address, name, NULL));
    }
}

static void
run_case(Suite *suite, const SlJsonDoc *doc, const SlJsonNode *group)
{
    const SlJsonNode *text = sl_json_get(doc, group, "schema");
    g_autofree char *title = sl_json_dup_string(sl_json_get(doc, group, "description"));
    SlSchemaSource source = {(const SlSchemaRemote *)(gpointer)suite->remotes->data,
                             suite->remotes->len, FALSE};
    g_autoptr(GError) error = NULL;
    if (!suite->meta && g_strstr_len(text->p, (gssize)text->n, "json-schema.org/draft-07/schema")) {
        suite->skipped++;
        return;
    }
    g_autoptr(SlSchema) schema = sl_schema_compile(text->p, text->n, &source, &error);
    const SlJsonNode *tests = sl_json_get(doc, group, "tests");
    SL_JSON_FOREACH (doc, tests, test) {
        g_autoptr(GError) local = NULL;
        g_autoptr(GPtrArray) faults = NULL;
        gboolean wanted = sl_json_get(doc, test, "valid")->type == SL_JSON_TRUE;
        gboolean got =
            schema != NULL &&
            sl_schema_validate(schema, doc, sl_json_get(doc, test, "data"), NULL, &faults, &local);
        g_autofree char *name = sl_json_dup_string(sl_json_get(doc, test, "description"));
        /* Without an answer, or without a reason, "invalid" is no success either. */
        if (schema != NULL && local == NULL && got == wanted && got == (faults == NULL)) {
            suite->passed++;
            continue;
        }
        suite->failed++;
        printf("# %s: %s: %s\n", title, name,
               error != NULL   ? error->message
               : local != NULL ? local->message
                               : "wrong answer");
    }
}

static gboolean
run_file(Suite *suite, const char *path)
{
    g_autofree char *text = NULL;
    gsize len;
    guint failed = suite->failed;
    if (!g_file_get_contents(path, &text, &len, NULL))
        return FALSE;
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, len, NULL, NULL);
    if (doc == NULL)
        return FALSE;
    SL_JSON_FOREACH (doc, sl_json_root(doc), group)
        run_case(suite, doc, group);
    return suite->failed == failed;
}

int
main(int argc, char **argv)
{
    const char *root = argc > 1 ? argv[1] : SUITE;
    g_autofree char *folder = g_build_filename(root, "tests", "draft7", NULL);
    g_autofree char *remotes = g_build_filename(root, "remotes", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autoptr(GArray) table = g_array_new(FALSE, FALSE, sizeof(SlSchemaRemote));
    Suite suite = {.remotes = table};
    guint n = 0;

    if (dir == NULL) {
        printf("1..0 # SKIP %s is not there (json-schema-test-suite)\n", folder);
        return 0;
    }
    g_array_set_clear_func(table, remote_clear);
    add_remotes(&suite, remotes, REMOTES);
    for (gsize i = 0; i < G_N_ELEMENTS(meta_places) && !suite.meta; i++)
        suite.meta =
            add_remote(&suite, meta_places[i], g_strdup("http://json-schema.org/draft-07/schema"));
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (!g_str_has_suffix(name, ".json"))
            continue;
        gboolean ok = run_file(&suite, path);
        printf("%sok %u - %s\n", ok ? "" : "not ", ++n, name);
    }
    printf("# %u answers right, %u wrong, %u groups skipped for want of the metaschema\n",
           suite.passed, suite.failed, suite.skipped);
    printf("ok %u - the suite has something to say\n", n + 1);
    printf("1..%u\n", n + 1);
    return suite.failed > 0 || suite.passed < 100;
}
