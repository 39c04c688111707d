/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-json-write.h"

#include <string.h>

static void
test_document(void)
{
    g_autoptr(GString) out = g_string_new("x");
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "name", "a\"b");
    sl_json_member_string(&w, "absent", NULL);
    sl_json_member_int(&w, "min", G_MININT64);
    sl_json_member_bool(&w, "yes", TRUE);
    sl_json_member_raw(&w, "raw", "[1.10]");
    sl_json_member_raw(&w, "absent", NULL);
    sl_json_key(&w, "list");
    sl_json_begin_array(&w);
    sl_json_uint(&w, G_MAXUINT64);
    sl_json_null(&w);
    sl_json_string(&w, NULL);
    sl_json_begin_object(&w);
    sl_json_end_object(&w);
    sl_json_begin_array(&w);
    sl_json_end_array(&w);
    sl_json_bool(&w, FALSE);
    sl_json_end_array(&w);
    sl_json_key(&w, "k\n");
    sl_json_string_len(&w, "a\0b", 3);
    sl_json_end_object(&w);
    g_assert_false(w.failed);
    g_assert_cmpstr(
        out->str, ==,
        "x{\"name\":\"a\\\"b\",\"min\":-9223372036854775808,\"yes\":true,\"raw\":[1.10],"
        "\"list\":[18446744073709551615,null,null,{},[],false],\"k\\n\":\"a\\u0000b\"}");
    g_autoptr(SlJsonDoc) doc = sl_json_read(out->str + 1, out->len - 1, NULL, NULL);
    g_assert_nonnull(doc);
    g_string_truncate(out, 0);
    SlJsonWriter copy = SL_JSON_WRITER_INIT(out);
    sl_json_node(&copy, sl_json_get(doc, sl_json_root(doc), "raw"));
    g_assert_cmpstr(out->str, ==, "[1.10]");
}

static void
test_quoted(void)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"", "\"\""},
        {"\b\f\n\r\t\x01\x1f\x7f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\""},
        {"/\\\"", "\"/\\\\\\\"\""},
        {"0123456789\xc3\xa9\xf0\x9f\x98\x80z", "\"0123456789\xc3\xa9\xf0\x9f\x98\x80z\""},
        {"a\xff\xfe", "\"a\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xc3\xa9\xc3x", "\"\xc3\xa9\xef\xbf\xbdx\""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        sl_json_append_quoted(out, cases[i].text, strlen(cases[i].text));
        g_assert_cmpstr(out->str, ==, cases[i].json);
        g_autoptr(GError) error = NULL;
        g_autoptr(SlJsonDoc) doc = sl_json_read(out->str, out->len, NULL, &error);
        g_assert_no_error(error);
        g_assert_nonnull(doc);
    }
}

static void
test_double(void)
{
    static const struct {
        double value;
        const char *json;
    } cases[] = {
        {0.0, "0"},
        {-0.0, "-0"},
        {5.0, "5"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {5e-324, "4.94065645841247e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {1e21, "1e+21"},
        {__builtin_nan(""), "null"},
        {__builtin_inf(), "null"},
        {-__builtin_inf(), "null"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        SlJsonWriter w = SL_JSON_WRITER_INIT(out);
        sl_json_double(&w, cases[i].value);
        g_assert_cmpstr(out->str, ==, cases[i].json);
    }
}

static guint n_criticals;

static GLogWriterOutput
count_criticals(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
    if ((level & G_LOG_LEVEL_CRITICAL) != 0) {
        n_criticals++;
        return G_LOG_WRITER_HANDLED;
    }
    return g_log_writer_default(level, fields, n_fields, data);
}

/* The misuse to provoke, as a letter each. */
static void
misuse(const char *calls, GString *out)
{
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    for (const char *p = calls; *p != '\0'; p++) {
        switch (*p) {
        case '{':
            sl_json_begin_object(&w);
            break;
        case '}':
            sl_json_end_object(&w);
            break;
        case '[':
            sl_json_begin_array(&w);
            break;
        case ']':
            sl_json_end_array(&w);
            break;
        case 'k':
            sl_json_key(&w, "k");
            break;
        default:
            sl_json_int(&w, 1);
            break;
        }
    }
    g_assert_true(w.failed);
}

static void
test_misuse(void)
{
    /* Never anything that reads as JSON. */
    static const char *const cases[] = {"{1}", "{k}", "{kk1}", "{]", "[}", "[k1]", "]", "k1", "11"};
    for (gsize i = 0; i < G_N_ELEMENTS(cases) + 1; i++) {
        g_autofree char *deep = g_strnfill(64, '[');
        const char *calls = i < G_N_ELEMENTS(cases) ? cases[i] : deep;
        g_autoptr(GString) out = g_string_new(NULL);
        n_criticals = 0;
        misuse(calls, out);
        g_assert_cmpuint(n_criticals, ==, 1);
        g_test_message("%s -> %s", calls, out->str);
        g_autoptr(SlJsonDoc) doc = sl_json_read(out->str, out->len, NULL, NULL);
        g_assert_true(doc == NULL || g_str_equal(calls, "11"));
    }
}

/* 63 levels are fine. */
static void
test_strings(void)
{
    static const struct {
        const char *texts[4];
        const char *expected;
    } cases[] = {
        {{NULL}, "[]"},
        {{"a", NULL}, "[\"a\"]"},
        {{"", "\"", "\xc3\xa4", NULL}, "[\"\",\"\\\"\",\"\xc3\xa4\"]"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = sl_json_print_strings(cases[i].texts);
        g_assert_cmpstr(text, ==, cases[i].expected);
    }
    g_autofree char *none = sl_json_print_strings(NULL);
    g_assert_cmpstr(none, ==, "[]");
}

static void
test_depth(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    for (guint i = 0; i < 63; i++)
        sl_json_begin_array(&w);
    for (guint i = 0; i < 63; i++)
        sl_json_end_array(&w);
    g_assert_cmpuint(out->len, ==, 126);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_LEVEL_ERROR);
    g_log_set_writer_func(count_criticals, NULL, NULL);
    g_test_add_func("/json/write/document", test_document);
    g_test_add_func("/json/write/quoted", test_quoted);
    g_test_add_func("/json/write/double", test_double);
    g_test_add_func("/json/write/misuse", test_misuse);
    g_test_add_func("/json/write/strings", test_strings);
    g_test_add_func("/json/write/depth", test_depth);
    return g_test_run();
}
