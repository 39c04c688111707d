/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-catalog-diff.h"

#include <string.h>

#include "sl-catalog-walk.h"

/* --- golden files ------------------------------------------------------------------------------
 * golden/NAME.json: {configured, known, discovered, spec} and what comes of it: {diff, breaking,
 * grown, configuredChanges, columns, fully}; columns and fully are null when nothing is to be
 * propagated. UPDATE_GOLDEN=1 writes the second half anew: look at what git says then. */

static char *
dup_member(const SlJsonDoc *doc, const char *name)
{
    const SlJsonNode *node = sl_json_get(doc, sl_json_root(doc), name);
    return node != NULL && node->type != SL_JSON_NULL ? sl_json_dup_span(node) : NULL;
}

static void
append(GString *out, const char *name, const char *value)
{
    g_string_append_printf(out, "%s\n \"%s\": %s", out->len > 1 ? "," : "", name,
                           value != NULL ? value : "null");
}

static char *
list_grown(const GPtrArray *grown)
{
    g_autoptr(GString) text = g_string_new("[");
    for (guint i = 0; i < grown->len; i++) {
        const SlCatalogGrown *one = grown->pdata[i];
        g_string_append_printf(text, "%s\"%s.%s\"", i > 0 ? ", " : "", one->ns, one->name);
    }
    g_string_append_c(text, ']');
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static char *
list_texts(const GPtrArray *texts)
{
    g_autoptr(GString) text = g_string_new("[");
    for (guint i = 0; i < texts->len; i++)
        g_string_append_printf(text, "%s\n  \"%s\"", i > 0 ? "," : "",
                               (const char *)texts->pdata[i]);
    g_string_append_c(text, ']');
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static char *
make_golden(const SlJsonDoc *doc)
{
    static const char *const inputs[] = {"configured", "known", "discovered", "spec"};
    g_autofree char *in[G_N_ELEMENTS(inputs)] = {NULL};
    g_autofree char *configured = in[0] = dup_member(doc, "configured");
    g_autofree char *known = in[1] = dup_member(doc, "known");
    g_autofree char *discovered = in[2] = dup_member(doc, "discovered");
    g_autofree char *spec = in[3] = dup_member(doc, "spec");
    g_auto(SlCatalogDiff) diff = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) out = g_string_new("{");
    for (gsize i = 0; i < G_N_ELEMENTS(inputs); i++) {
        append(out, inputs[i], in[i]);
        in[i] = NULL;
    }
    sl_catalog_diff_make(configured, known, discovered, &diff, &error);
    g_assert_no_error(error);
    g_autofree char *grown = list_grown(diff.grown);
    g_autofree char *changes = g_strdup_printf("[%u, %u]", diff.n_configured, diff.n);
    append(out, "diff", diff.text);
    g_autofree char *texts = list_texts(diff.texts);
    append(out, "texts", texts);
    append(out, "breaking", diff.breaking ? "true" : "false");
    append(out, "grown", grown);
    append(out, "configuredChanges", changes);
    for (int fully = 0; fully <= 1; fully++) {
        g_autofree char *catalog =
            sl_catalog_propagate(configured, known, discovered, fully, spec, &error);
        g_assert_no_error(error);
        append(out, fully ? "fully" : "columns", catalog);
    }
    g_string_append(out, "\n}\n");
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static void
test_golden(gconstpointer data)
{
    const char *path = data;
    g_autofree char *text = NULL;
    gsize len = 0;
    g_assert_true(g_file_get_contents(path, &text, &len, NULL));
    g_autoptr(GError) error = NULL;
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, len, NULL, &error);
    g_assert_no_error(error);
    g_autofree char *made = make_golden(doc);
    if (g_getenv("UPDATE_GOLDEN") != NULL)
        g_assert_true(g_file_set_contents(path, made, -1, NULL));
    else
        g_assert_cmpstr(made, ==, text);
}

static void
add_golden(void)
{
    g_autoptr(GDir) dir = g_dir_open(SL_GOLDEN, 0, NULL);
    const char *name;
    guint n = 0;
    g_assert_nonnull(dir);
    while ((name = g_dir_read_name(dir)) != NULL) {
        if (!g_str_has_suffix(name, ".json"))
            continue;
        g_autofree char *test = g_strdup_printf("/protocol/catalog-diff/golden/%s", name);
        g_test_add_data_func_full(test, g_build_filename(SL_GOLDEN, name, NULL), test_golden,
                                  g_free);
        n++;
    }
    g_assert_cmpint(n, >=, 15);
}

/* --- what breaks -------------------------------------------------------------------------------
 */

static void
test_breaking(void)
{
    static const struct {
        const char *config, *gone;
        gboolean breaking;
    } cases[] = {
        {"\"sync_mode\":\"incremental\",\"cursor_field\":[\"c\"]", "c", TRUE},
        {"\"sync_mode\":\"incremental\",\"cursor_field\":[\"c\"]", "k", FALSE},
        {"\"sync_mode\":\"full_refresh\",\"cursor_field\":[\"c\"]", "c", FALSE},
        {"\"destination_sync_mode\":\"append_dedup\",\"primary_key\":[[\"x\"],[\"k\"]]", "k", TRUE},
        {"\"destination_sync_mode\":\"overwrite_dedup\",\"primary_key\":[[\"k\"]]", "k", TRUE},
        {"\"destination_sync_mode\":\"append\",\"primary_key\":[[\"k\"]]", "k", FALSE},
        {"\"destination_sync_mode\":\"overwrite\",\"primary_key\":[[\"k\"]]", "k", FALSE},
        /* a field inside, with the object around it or alone */
        {"\"sync_mode\":\"incremental\",\"cursor_field\":[\"o\",\"in\"]", "o", TRUE},
        {"\"sync_mode\":\"incremental\",\"cursor_field\":[\"o\"]", "c", FALSE},
        /* names that begin alike are not alike */
        {"\"sync_mode\":\"incremental\",\"cursor_field\":[\"ck\"]", "c", FALSE},
    };
    static const char *const names[] = {"c", "k", "ck", "x"};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) after = g_string_new(NULL);
        g_auto(SlCatalogDiff) diff = {0};
        for (gsize k = 0; k < G_N_ELEMENTS(names); k++)
            if (strcmp(names[k], cases[i].gone) != 0)
                g_string_append_printf(after, "%s\"%s\":{}", after->len > 0 ? "," : "", names[k]);
        if (strcmp(cases[i].gone, "o") != 0)
            g_string_append(after, ",\"o\":{\"properties\":{\"in\":{}}}");
        g_autofree char *old = g_strdup_printf(
            "{\"streams\":[{\"stream\":{\"name\":\"a\",\"json_schema\":{\"properties\":{\"c\":{},"
            "\"k\":{},\"ck\":{},\"x\":{},\"o\":{\"properties\":{\"in\":{}}}}}},%s}]}",
            cases[i].config);
        g_autofree char *new = g_strdup_printf(
            "{\"streams\":[{\"name\":\"a\",\"json_schema\":{\"properties\":{%s}}}]}", after->str);
        g_assert_true(sl_catalog_diff_make(old, NULL, new, &diff, NULL));
        g_test_message("case %d: %s", (int)i, diff.text);
        g_assert_cmpint(diff.breaking, ==, cases[i].breaking);
        g_assert_cmpint(diff.n, ==, 1);
    }
}

static void
test_keys(void)
{
    static const struct {
        const char *before, *mode, *after;
        gboolean changed, breaking;
    } keys[] = {
        {"[[\"id\"]]", "append_dedup", "[[\"id\"]]", FALSE, FALSE},
        {"[[\"id\"],[\"x\"]]", "append_dedup", "[[\"x\"],[\"id\"]]", FALSE, FALSE},
        {"[[\"id\"]]", "append_dedup", "[[\"x\"]]", TRUE, TRUE},
        {"[[\"id\"]]", "overwrite_dedup", "[[\"id\"],[\"x\"]]", TRUE, TRUE},
        {"[[\"id\"]]", "append_dedup", "[]", TRUE, FALSE},
        {"[[\"id\"]]", "append", "[[\"x\"]]", TRUE, FALSE},
        {"[]", "append_dedup", "[[\"x\"]]", TRUE, FALSE},
        {"null", "append_dedup", "[]", FALSE, FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_auto(SlCatalogDiff) diff = {0};
        g_autofree char *old = g_strdup_printf(
            "{\"streams\":[{\"stream\":{\"name\":\"a\","
            "\"source_defined_primary_key\":%s},\"destination_sync_mode\":\"%s\"}]}",
            keys[i].before, keys[i].mode);
        g_autofree char *new = g_strdup_printf(
            "{\"streams\":[{\"name\":\"a\",\"source_defined_primary_key\":%s}]}", keys[i].after);
        g_assert_true(sl_catalog_diff_make(old, NULL, new, &diff, NULL));
        g_test_message("case %d: %s", (int)i, diff.text);
        g_assert_cmpint(strstr(diff.text, "update_primary_key") != NULL, ==, keys[i].changed);
        g_assert_cmpint(diff.breaking, ==, keys[i].breaking);
    }
}

static void
test_bad(void)
{
    static const struct {
        const char *configured, *known, *discovered;
    } cases[] = {{"{", NULL, "{}"}, {"{}", "{", "{}"}, {"{}", NULL, "{"}, {"", "", ""}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(SlCatalogDiff) diff = {0};
        g_autoptr(GError) error = NULL, other = NULL;
        g_assert_false(sl_catalog_diff_make(cases[i].configured, cases[i].known,
                                            cases[i].discovered, &diff, &error));
        g_assert_nonnull(error);
        g_assert_null(sl_catalog_propagate(cases[i].configured, cases[i].known, cases[i].discovered,
                                           TRUE, "{}", &other));
        g_assert_nonnull(other);
    }
    g_auto(SlCatalogDiff) diff = {0};
    g_assert_true(sl_catalog_diff_make("{}", "[]", "{\"streams\":7}", &diff, NULL));
    g_assert_cmpstr(diff.text, ==, "{\"transforms\":[]}");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_golden();
    g_test_add_func("/protocol/catalog-diff/breaking", test_breaking);
    g_test_add_func("/protocol/catalog-diff/keys", test_keys);
    g_test_add_func("/protocol/catalog-diff/bad", test_bad);
    return g_test_run();
}
