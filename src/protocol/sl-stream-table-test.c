/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-stream-table.h"

#include <string.h>

static SlCatalog *
make_catalog(guint n, const char *const *names, const SlCatalogNames *rule)
{
    g_autoptr(GString) text = g_string_new("{\"streams\":[");
    for (guint i = 0; i < n; i++)
        g_string_append_printf(text,
                               "%s{\"stream\":%s,\"sync_mode\":\"full_refresh\","
                               "\"destination_sync_mode\":\"append\"}",
                               i > 0 ? "," : "", names[i]);
    g_string_append(text, "]}");
    g_autoptr(GError) error = NULL;
    SlCatalog *catalog = sl_catalog_parse(text->str, text->len, rule, &error);
    g_assert_no_error(error);
    return catalog;
}

/* Looks up raw text as a message would hold it. */
static gint
find(SlStreamTable *table, const char *ns, const char *name)
{
    SlSpan ns_span = {ns, ns != NULL ? strlen(ns) : 0}, name_span = {name, strlen(name)};
    return sl_stream_table_find(table, ns_span, ns != NULL && strchr(ns, '\\') != NULL, name_span,
                                strchr(name, '\\') != NULL);
}

static void
test_spellings(void)
{
    static const char *const names[] = {
        "{\"name\":\"users\"}",
        "{\"name\":\"users\",\"namespace\":\"a\"}",
        "{\"name\":\"sersa\",\"namespace\":\"u\"}",
        "{\"name\":\"caf\\u00e9\"}",
        "{\"name\":\"back\\\\u0062\"}", /* the name holds a backslash */
    };
    g_autoptr(SlCatalog) catalog = make_catalog(G_N_ELEMENTS(names), names, NULL);
    g_autoptr(SlStreamTable) table = sl_stream_table_new(catalog, SL_NAMES_OF_SOURCE);
    for (guint round = 0; round < 2; round++) { /* the second time from the remembered spellings */
        g_assert_cmpint(find(table, NULL, "users"), ==, 0);
        g_assert_cmpint(find(table, "", "users"), ==, 0);
        g_assert_cmpint(find(table, NULL, "u\\u0073ers"), ==, 0);
        g_assert_cmpint(find(table, "a", "users"), ==, 1);
        g_assert_cmpint(find(table, "\\u0061", "users"), ==, 1);
        g_assert_cmpint(find(table, "u", "sersa"), ==, 2);
        g_assert_cmpint(find(table, NULL, "café"), ==, 3);
        g_assert_cmpint(find(table, NULL, "caf\\u00E9"), ==, 3);
        g_assert_cmpint(find(table, NULL, "back\\\\u0062"), ==, 4);
        g_assert_cmpint(find(table, NULL, "back\\u0062"), ==, -1); /* "backb" */
        g_assert_cmpint(find(table, NULL, "Users"), ==, -1);
        g_assert_cmpint(find(table, "b", "users"), ==, -1);
        g_assert_cmpint(find(table, NULL, "usersa"), ==, -1);
    }
}

static void
test_many(void)
{
    enum { N = 5000 };
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < N; i++)
        g_ptr_array_add(
            names, g_strdup_printf("{\"name\":\"stream_%u\",\"namespace\":\"n%u\"}", i, i % 7));
    g_autoptr(SlCatalog) catalog = make_catalog(N, (const char *const *)names->pdata, NULL);
    g_autoptr(SlStreamTable) table = sl_stream_table_new(catalog, SL_NAMES_OF_SOURCE);
    for (guint i = 0; i < N; i++) {
        g_autofree char *name = g_strdup_printf("stream_%u", i);
        g_autofree char *ns = g_strdup_printf("n%u", i % 7);
        /* as many ways to spell it as an attacker likes: found, and memory stays bounded */
        g_autofree char *spelled = g_strdup_printf("\\u0073tream_%u", i);
        g_assert_cmpint(find(table, ns, name), ==, (gint)i);
        g_assert_cmpint(find(table, ns, spelled), ==, (gint)i);
        g_assert_cmpint(find(table, "n8", name), ==, -1);
    }
}

static void
test_descriptor(void)
{
    static const char *const names[] = {"{\"name\":\"s\",\"namespace\":\"n\"}"};
    g_autoptr(SlCatalog) catalog =
        make_catalog(1, names, &(SlCatalogNames){"destination", NULL, "p_"});
    g_autoptr(SlStreamTable) from = sl_stream_table_new(catalog, SL_NAMES_OF_SOURCE);
    g_autoptr(SlStreamTable) to = sl_stream_table_new(catalog, SL_NAMES_OF_DESTINATION);
    static const struct {
        const char *text;
        gint from, to;
    } cases[] = {
        {"{\"name\":\"s\",\"namespace\":\"n\"}", 0, -1},
        {"{\"name\":\"p_s\",\"namespace\":null}", -1, 0},
        {"{\"name\":\"p_s\"}", -1, 0},
        {"{\"name\":\"\\u0070_s\",\"namespace\":\"\"}", -1, 0},
        {"{\"name\":1}", -1, -1},
        {"{\"name\":\"s\",\"namespace\":1}", -1, -1},
        {"{}", -1, -1},
        {"[]", -1, -1},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SlJsonDoc) doc = sl_json_read(cases[i].text, strlen(cases[i].text), NULL, NULL);
        g_assert_cmpint(sl_stream_table_find_descriptor(from, doc, sl_json_root(doc)), ==,
                        cases[i].from);
        g_assert_cmpint(sl_stream_table_find_descriptor(to, doc, sl_json_root(doc)), ==,
                        cases[i].to);
    }
    g_autoptr(SlJsonDoc) doc = sl_json_read("1", 1, NULL, NULL);
    g_assert_cmpint(sl_stream_table_find_descriptor(to, doc, NULL), ==, -1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/protocol/stream-table/spellings", test_spellings);
    g_test_add_func("/protocol/stream-table/many", test_many);
    g_test_add_func("/protocol/stream-table/descriptor", test_descriptor);
    return g_test_run();
}
