/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-catalog-walk.h"

#include <string.h>

/* Catalogs that mean the same have one hash, others have not. */
static void
test_hash(void)
{
    static const struct {
        const char *a, *b;
        gboolean same;
    } cases[] = {
        {"{\"streams\":[]}", " { \"streams\" : [ ] } ", TRUE},
        {"{\"streams\":[{\"name\":\"a\"},{\"name\":\"b\"}]}",
         "{\"streams\":[{\"name\":\"b\"},{\"name\":\"\\u0061\"}]}", TRUE},
        {"{\"streams\":[{\"name\":\"a\",\"json_schema\":{\"x\":1,\"y\":[1,2]}}]}",
         "{\"streams\":[{\"json_schema\":{\"y\":[1,2],\"x\":1},\"name\":\"a\"}]}", TRUE},
        {"{\"streams\":[{\"y\":[1,2]}]}", "{\"streams\":[{\"y\":[2,1]}]}", FALSE},
        {"{\"streams\":[{\"y\":[1,2]}]}", "{\"streams\":[{\"y\":[12]}]}", FALSE},
        {"{\"streams\":[{\"y\":\"1\"}]}", "{\"streams\":[{\"y\":1}]}", FALSE},
        {"{\"streams\":[{\"y\":{}}]}", "{\"streams\":[{\"y\":[]}]}", FALSE},
        {"{\"streams\":[{\"a\":\"b,c\"}]}", "{\"streams\":[{\"a\":\"b\",\"c\":\"\"}]}", FALSE},
        {"{\"streams\":[{},{}]}", "{\"streams\":[{}]}", FALSE},
        {"{\"streams\":[{\"y\":null}]}", "{\"streams\":[{}]}", FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *a = sl_catalog_hash(cases[i].a, NULL);
        g_autofree char *b = sl_catalog_hash(cases[i].b, NULL);
        g_test_message("case %d", (int)i);
        g_assert_cmpint(strlen(a), ==, 64);
        g_assert_cmpint(strcmp(a, b) == 0, ==, cases[i].same);
    }
    g_autoptr(GError) error = NULL;
    g_assert_null(sl_catalog_hash("{", &error));
    g_assert_nonnull(error);
}

static void
test_find(void)
{
    static const char text[] = "{\"streams\":[{\"stream\":{\"name\":\"a\",\"namespace\":\"n\"}},"
                               "{\"stream\":{\"name\":\"a\"}},{\"name\":\"b\",\"namespace\":\"\"},"
                               "{\"x\":1}]}";
    static const struct {
        const char *wanted;
        int index;
    } cases[] = {
        {"{\"name\":\"a\",\"namespace\":\"n\"}", 0},
        {"{\"name\":\"a\",\"namespace\":null}", 1},
        {"{\"name\":\"a\",\"namespace\":\"\"}", 1},
        {"{\"name\":\"a\"}", 1},
        {"{\"name\":\"b\"}", 2},
        {"{\"name\":\"b\",\"namespace\":\"n\"}", -1},
        {"{\"name\":\"ab\"}", -1},
        {"{}", -1},
    };
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SlJsonDoc) other =
            sl_json_read(cases[i].wanted, strlen(cases[i].wanted), NULL, NULL);
        const SlJsonNode *found = sl_catalog_walk_find(doc, other, sl_json_root(other));
        const SlJsonNode *expected =
            cases[i].index >= 0
                ? sl_json_at(doc, sl_catalog_walk_streams(doc), (guint)cases[i].index)
                : NULL;
        g_test_message("case %d", (int)i);
        g_assert_true(found == expected);
        g_assert_null(sl_catalog_walk_find(NULL, other, sl_json_root(other)));
    }
}

static void
test_equal(void)
{
    static const struct {
        const char *a, *b;
        gboolean equal;
    } cases[] = {
        {"{\"a\":1,\"b\":[true]}", "{\"b\":[true],\"a\":1}", TRUE},
        {"\"\\u00e4\"", "\"\303\244\"", TRUE},
        {"{\"a\":1}", "{\"b\":1}", FALSE},
        {"{\"a\":1}", "{\"a\":1,\"b\":1}", FALSE},
        {"[1,2]", "[2,1]", FALSE},
        {"1", "1.0", FALSE},
        {"null", "false", FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SlJsonDoc) a = sl_json_read(cases[i].a, strlen(cases[i].a), NULL, NULL);
        g_autoptr(SlJsonDoc) b = sl_json_read(cases[i].b, strlen(cases[i].b), NULL, NULL);
        g_test_message("case %d", (int)i);
        g_assert_cmpint(sl_catalog_walk_equal(a, sl_json_root(a), b, sl_json_root(b)), ==,
                        cases[i].equal);
        g_assert_false(sl_catalog_walk_equal(a, sl_json_root(a), b, NULL));
    }
    g_assert_true(sl_catalog_walk_equal(NULL, NULL, NULL, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/protocol/catalog-walk/hash", test_hash);
    g_test_add_func("/protocol/catalog-walk/find", test_find);
    g_test_add_func("/protocol/catalog-walk/equal", test_equal);
    return g_test_run();
}
