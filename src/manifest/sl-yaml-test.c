/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-yaml.h"

#include <string.h>

#include "sl-error.h"

static const struct {
    const char *yaml, *json;
} good[] = {
    /* block and flow, quotes */
    {"a: 1\nb:\n  - x\n  - {y: z}\n", "{\"a\":1,\"b\":[\"x\",{\"y\":\"z\"}]}"},
    {"{\"a\": [1, \"1\", '1', null]}", "{\"a\":[1,\"1\",\"1\",null]}"},
    {"a: |\n  one\n  two\nb: >\n  one\n  two\n", "{\"a\":\"one\\ntwo\\n\",\"b\":\"one two\\n\"}"},
    {"a: \"\\u00e9\\n\"\nb: é", "{\"a\":\"é\\n\",\"b\":\"é\"}"},
    {"a: # nothing\nb: ''\n", "{\"a\":null,\"b\":\"\"}"},
    {"a: \"{{ config['x'] }}\"", "{\"a\":\"{{ config['x'] }}\"}"},
    {"--- \na: 1\n...\n", "{\"a\":1}"},
    {"text", "\"text\""},
    /* words */
    {"[~, null, Null, NULL, nUll]", "[null,null,null,null,\"nUll\"]"},
    {"[true, True, TRUE, yes, On, off, No, y, n]",
     "[true,true,true,true,true,false,false,\"y\",\"n\"]"},
    {"['true', \"no\", 'null']", "[\"true\",\"no\",\"null\"]"},
    {"on: x\nyes: y\n1: z", "{\"on\":\"x\",\"yes\":\"y\",\"1\":\"z\"}"},
    /* numbers */
    {"[0, -1, +7, 1_000, 12345678901234567890123]", "[0,-1,7,1000,12345678901234567890123]"},
    {"[0x1F, 0b101, 017, -0x10, 0o17, 09]", "[31,5,15,-16,\"0o17\",\"09\"]"},
    {"[1.5, -0.25, .5, 1., 1.0e+3, 1.5e-2, 00.5, +1.5, 1_0.5]",
     "[1.5,-0.25,0.5,1.0,1.0e+3,1.5e-2,0.5,1.5,10.5]"},
    {"[1e3, 1.0e3, 1.2.3, 0x, -x]", "[\"1e3\",\"1.0e3\",\"1.2.3\",\"0x\",\"-x\"]"},
    /* dates stay texts */
    {"[2024-01-01, 12:30:00, 2024-01-01T00:00:00Z]",
     "[\"2024-01-01\",\"12:30:00\",\"2024-01-01T00:00:00Z\"]"},
    /* anchors and merges */
    {"a: &x {p: 1, q: 2}\nb: *x\n", "{\"a\":{\"p\":1,\"q\":2},\"b\":{\"p\":1,\"q\":2}}"},
    {"a: &x {p: 1, q: 2}\nb:\n  q: 3\n  <<: *x\n",
     "{\"a\":{\"p\":1,\"q\":2},\"b\":{\"q\":3,\"p\":1}}"},
    {"a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc:\n  <<: [*x, *y]\n",
     "{\"a\":{\"p\":1},\"b\":{\"p\":2,\"q\":2},\"c\":{\"p\":1,\"q\":2}}"},
    {"a: {'<<': 1}", "{\"a\":{\"<<\":1}}"},
};

static void
test_good(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *json = sl_yaml_to_json(good[i].yaml, strlen(good[i].yaml), &error);
        g_test_message("%s", good[i].yaml);
        g_assert_no_error(error);
        g_assert_cmpstr(json, ==, good[i].json);
    }
}

static const struct {
    const char *yaml, *error;
} bad[] = {
    {"", "there is nothing in it"},
    {"# only a remark\n", "there is nothing in it"},
    {"a: 1\nb: [1, 2\nc: 3\n", "line 3, column "},
    {"a: 1\n\tb: 2\n", "line 2, column 1: found a tab character"},
    {"a: 1\n  b: 2\n", "line 2, column 4: mapping values are not allowed in this context"},
    {"a: 1\nb: 2\na: 3\n", "line 3, column 1: the key 'a' is there twice"},
    {"a: .inf\n", "line 1, column 4: '.inf' is no number that JSON could hold"},
    {"a: !!binary aGk=\n", "line 1, column 4: the tag 'tag:yaml.org,2002:binary' is not"},
    {"a: !python/object:os.system x\n", "line 1, column 4: the tag '!python/object:os.system'"},
    {"a: *nobody\n", "line 1, column 4: found undefined alias"},
    {"a: 1\n---\nb: 2\n", "line 3, column 1: a second document begins"},
    {"a: {<<: 1}\n", "line 1, column 9: '<<' merges mappings"},
    {"a: {<<: [1]}\n", "line 1, column 10: '<<' merges mappings"},
    {"? [a]\n: b\n", "line 1, column 3: a key must be a text"},
    {"a: \"\xff\"", "byte 4: "},
};

static void
test_bad(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *json = sl_yaml_to_json(bad[i].yaml, strlen(bad[i].yaml), &error);
        g_autofree char *shown = g_strescape(bad[i].yaml, NULL);
        g_test_message("%s", shown);
        g_assert_null(json);
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        if (strstr(error->message, bad[i].error) == NULL)
            g_assert_cmpstr(error->message, ==, bad[i].error);
    }
}

static void
assert_too_large(const char *yaml)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(sl_yaml_to_json(yaml, strlen(yaml), &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_TOO_LARGE);
    g_assert_true(g_str_has_prefix(error->message, "line "));
}

static void
test_bounds(void)
{
    g_autoptr(GString) laughs = g_string_new("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    g_autoptr(GString) deep = g_string_new(NULL);
    for (guint i = 1; i < 12; i++)
        g_string_append_printf(laughs,
                               "a%u: &a%u [*a%u, *a%u, *a%u, *a%u, *a%u, *a%u, *a%u, *a%u]\n", i, i,
                               i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    for (guint i = 0; i < 200; i++)
        g_string_append_c(deep, '[');
    for (guint i = 0; i < 200; i++)
        g_string_append_c(deep, ']');
    assert_too_large(laughs->str);
    assert_too_large(deep->str);
    assert_too_large("a: &a [*a]\n"); /* it stands in itself */
    assert_too_large("a: &a {<<: *a}\n");
}

/* Half of a text, or one with a byte changed, is an answer or an error. */
static void
test_damaged(void)
{
    static const char text[] = "version: \"6.1.0\"\nx: &x\n  <<: {a: [1, 2.5, yes]}\ny: *x\nz: |\n"
                               "  text\n# end\nq: {\"k\": 'v'}\n";
    for (gsize i = 0; i < sizeof text - 1; i++) {
        g_autofree char *half = sl_yaml_to_json(text, i, NULL);
        for (guint c = 0; c < 8; c++) {
            g_autofree char *copy = g_strdup(text);
            g_autoptr(GError) error = NULL;
            copy[i] = "\t\n\0[{&*\xfe"[c];
            g_autofree char *json = sl_yaml_to_json(copy, sizeof text - 1, &error);
            g_assert_true((json == NULL) == (error != NULL));
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/manifest/yaml/good", test_good);
    g_test_add_func("/manifest/yaml/bad", test_bad);
    g_test_add_func("/manifest/yaml/bounds", test_bounds);
    g_test_add_func("/manifest/yaml/damaged", test_damaged);
    return g_test_run();
}
