/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-json-read.h"

#include <string.h>

static SlJsonDoc *
read_text(const char *text)
{
    g_autoptr(GError) error = NULL;
    SlJsonDoc *doc = sl_json_read(text, strlen(text), NULL, &error);
    g_assert_no_error(error);
    return doc;
}

static void
test_int64(void)
{
    static const struct {
        const char *text;
        gboolean ok;
        gint64 value;
    } cases[] = {
        {"0", TRUE, 0},
        {"-0", TRUE, 0},
        {"0.000", TRUE, 0},
        {"0e99999999999999999999", TRUE, 0},
        {"5.0", TRUE, 5},
        {"-5.00", TRUE, -5},
        {"1e3", TRUE, 1000},
        {"1.5e1", TRUE, 15},
        {"1.5e0", FALSE, 0},
        {"1.25e1", FALSE, 0},
        {"100e-2", TRUE, 1},
        {"100e-3", FALSE, 0},
        {"0.001e3", TRUE, 1},
        {"10.010e2", TRUE, 1001},
        {"10.010e1", FALSE, 0},
        {"9223372036854775807", TRUE, G_MAXINT64},
        {"9223372036854775807.0", TRUE, G_MAXINT64},
        {"9223372036854775808", FALSE, 0},
        {"-9223372036854775808", TRUE, G_MININT64},
        {"-9223372036854775809", FALSE, 0},
        {"922337203685477580.7e1", TRUE, G_MAXINT64},
        {"18446744073709551616", FALSE, 0},
        {"99999999999999999999", FALSE, 0},
        {"1000000000000000000000e-3", TRUE, 1000000000000000000},
        {"1e18", TRUE, 1000000000000000000},
        {"1e19", FALSE, 0},
        {"1e400", FALSE, 0},
        {"1e-400", FALSE, 0},
        {"1e18446744073709551616", FALSE, 0}, /* an exponent that wraps to 0 */
        {"1e-18446744073709551616", FALSE, 0},
        {"0.5", FALSE, 0},
        {"\"5\"", FALSE, 0},
        {"true", FALSE, 0},
        {"null", FALSE, 0},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SlJsonDoc) doc = read_text(cases[i].text);
        gint64 value = 0;
        g_test_message("%s", cases[i].text);
        g_assert_cmpint(sl_json_get_int64(sl_json_root(doc), &value), ==, cases[i].ok);
        g_assert_cmpint(value, ==, cases[i].value);
    }
    gint64 value;
    g_assert_false(sl_json_get_int64(NULL, &value));
    g_assert_false(sl_json_span_get_int64((SlSpan){NULL, 0}, &value));
    g_assert_false(sl_json_span_get_int64((SlSpan){"12x", 3}, &value));
    g_assert_true(sl_json_span_get_int64((SlSpan){"12x", 2}, &value));
    g_assert_cmpint(value, ==, 12);
}

static void
test_double(void)
{
    static const struct {
        const char *text;
        gboolean ok;
        double value;
    } cases[] = {
        {"1.5", TRUE, 1.5},
        {"-0.1", TRUE, -0.1},
        {"5e-324", TRUE, 5e-324},
        {"1e-400", TRUE, 0},
        {"1.7976931348623157e308", TRUE, 1.7976931348623157e308},
        {"1e400", FALSE, 0},
        {"-1e400", FALSE, 0},
        {"12345678901234567890", TRUE, 12345678901234567890.0},
        {"0.1000000000000000000000000000000000000000000000000000000000000000000001", TRUE, 0.1},
        {"\"1\"", FALSE, 0},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SlJsonDoc) doc = read_text(cases[i].text);
        double value = 0;
        g_test_message("%s", cases[i].text);
        g_assert_cmpint(sl_json_get_double(sl_json_root(doc), &value), ==, cases[i].ok);
        g_assert_true(value == cases[i].value);
    }
}

static void
test_strings(void)
{
    static const struct {
        const char *json;
        const char *text;
    } cases[] = {
        {"\"\"", ""},
        {"\"plain\"", "plain"},
        {"\"a\\\"b\\\\c\\/d\"", "a\"b\\c/d"},
        {"\"\\b\\f\\n\\r\\t\"", "\b\f\n\r\t"},
        {"\"\\u0041\\u00e9\\u20ac\"", "A\xc3\xa9\xe2\x82\xac"},
        {"\"x\\ud83d\\ude00y\"", "x\xf0\x9f\x98\x80y"},
        {"\"\\uD83D\\uDE00\"", "\xf0\x9f\x98\x80"},
        {"\"\xc3\xa9\"", "\xc3\xa9"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SlJsonDoc) doc = read_text(cases[i].json);
        const SlJsonNode *node = sl_json_root(doc);
        g_autofree char *text = sl_json_dup_string(node);
        g_assert_cmpstr(text, ==, cases[i].text);
        g_assert_true(sl_json_string_is(node, cases[i].text));
        g_autofree char *longer = g_strconcat(cases[i].text, "x", NULL);
        g_assert_false(sl_json_string_is(node, longer));
        if (text[0] != '\0') {
            text[strlen(text) - 1] = '\0';
            g_assert_false(sl_json_string_is(node, text));
        }
    }
}

static void
test_nul(void)
{
    g_autoptr(SlJsonDoc) doc = read_text("\"a\\u0000b\"");
    g_autoptr(GString) out = g_string_new(NULL);
    g_assert_null(sl_json_dup_string(sl_json_root(doc)));
    g_assert_true(sl_json_append_string(sl_json_root(doc), out));
    g_assert_cmpmem(out->str, out->len, "a\0b", 3);
    g_assert_false(sl_json_string_is(sl_json_root(doc), "a"));
    g_assert_false(sl_json_append_unescaped((SlSpan){"\\ud800", 6}, out));
}

static void
test_members(void)
{
    g_autoptr(SlJsonDoc) doc =
        read_text("{\"a\":1,\"\\u0062\":{\"c\":{\"d\":true}},\"a\":2,\"\":3,\"e\":null}");
    const SlJsonNode *root = sl_json_root(doc);
    gint64 value = 0;
    g_assert_true(sl_json_get_int64(sl_json_get(doc, root, "a"), &value));
    g_assert_cmpint(value, ==, 2); /* the last one wins */
    g_assert_true(sl_json_get_int64(sl_json_get(doc, root, ""), &value));
    g_assert_cmpint(value, ==, 3);
    gboolean yes = FALSE;
    g_assert_true(sl_json_get_boolean(sl_json_get_path(doc, root, "b", "c", "d", NULL), &yes));
    g_assert_true(yes);
    g_assert_null(sl_json_get_path(doc, root, "b", "x", "d", NULL));
    g_assert_null(sl_json_get(doc, root, "c"));
    g_assert_null(sl_json_get(doc, NULL, "c"));
    g_assert_cmpint(sl_json_get(doc, root, "e")->type, ==, SL_JSON_NULL);
    g_autofree char *span = sl_json_dup_span(sl_json_get(doc, root, "b"));
    g_assert_cmpstr(span, ==, "{\"c\":{\"d\":true}}");
    guint n = 0;
    SL_JSON_FOREACH (doc, root, key) {
        g_assert_cmpint(key->type, ==, SL_JSON_STRING);
        n++;
    }
    g_assert_cmpuint(n, ==, 5);
    SL_JSON_FOREACH (doc, sl_json_get(doc, root, "a"), child)
        g_assert_null(child);
    g_assert_cmpstr(sl_json_type_name(SL_JSON_TRUE), ==, "boolean");
}

static void
test_repeated(void)
{
    static const struct {
        const char *text, *key;
        gsize at;
    } cases[] = {
        {"{}", NULL, 0},
        {"5", NULL, 0},
        {"{\"a\":1,\"b\":{\"a\":1}}", NULL, 0},
        {"{\"a\":1,\"a\":1}", "\"a\"", 7},
        {"[{\"a\":{\"x\":1,\"y\":2,\"x\":3}}]", "\"x\"", 19},
        {"{\"a\":1,\"\\u0061\":1}", "\"\\u0061\"", 7},
        {"{\"\\u0000\":1,\"\\u0000a\":1}", NULL, 0},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SlJsonDoc) doc = sl_json_read(cases[i].text, strlen(cases[i].text), NULL, NULL);
        const SlJsonNode *key = sl_json_find_repeated(doc);
        g_autofree char *text = key != NULL ? sl_json_dup_span(key) : NULL;
        g_assert_cmpstr(text, ==, cases[i].key);
        if (key != NULL)
            g_assert_cmpuint((gsize)(key->p - cases[i].text), ==, cases[i].at);
    }
    /* Many members, the last one as the first. */
    g_autoptr(GString) many = g_string_new("{\"m0\":0");
    for (guint i = 1; i < 50000; i++)
        g_string_append_printf(many, ",\"m%u\":%u", i, i);
    g_string_append_c(many, '}');
    g_autoptr(SlJsonDoc) good = sl_json_read(many->str, many->len, NULL, NULL);
    g_assert_null(sl_json_find_repeated(good));
    g_string_truncate(many, many->len - 1);
    g_string_append(many, ",\"m\\u0030\":1}");
    g_autoptr(SlJsonDoc) bad = sl_json_read(many->str, many->len, NULL, NULL);
    g_assert_true(sl_json_find_repeated(bad) != NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/value/int64", test_int64);
    g_test_add_func("/json/value/double", test_double);
    g_test_add_func("/json/value/strings", test_strings);
    g_test_add_func("/json/value/nul", test_nul);
    g_test_add_func("/json/value/members", test_members);
    g_test_add_func("/json/value/repeated", test_repeated);
    return g_test_run();
}
