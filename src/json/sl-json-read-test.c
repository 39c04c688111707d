/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-json-read.h"

#include <string.h>

#include "sl-error.h"

/* The grammar of RFC 8259 as a table: texts that must be read, and texts that must be refused with
 * the offset of the first wrong byte. Lengths are taken from the literal, for texts with NUL. */
#define TEXT(s) s, sizeof(s) - 1

static const struct {
    const char *text;
    gsize len;
} valid[] = {
    {TEXT("null")},
    {TEXT(" true ")},
    {TEXT("\t\r\nfalse\n")},
    {TEXT("\"\"")},
    {TEXT("0")},
    {TEXT("-0")},
    {TEXT("-0.0e-0")},
    {TEXT("1e400")},
    {TEXT("1E+2")},
    {TEXT("12345678901234567890")},
    {TEXT("0.00000000000000000000000000000000000000000000000000001")},
    {TEXT("[]")},
    {TEXT("[ ]")},
    {TEXT("{}")},
    {TEXT("{ }")},
    {TEXT("[[],{},[{}],{\"\":[]}]")},
    {TEXT("[1,2 , 3]")},
    {TEXT("{\"a\":1,\"a\":2}")},
    {TEXT("{\"a\" : [ null , true,false ] }")},
    {TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uFFFF\\uabcd\"")},
    {TEXT("\"\\uD834\\uDD1E\"")},
    {TEXT("\"\x7f\"")},
    {TEXT("\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\"")},
    {TEXT("\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"")},
    {TEXT("\"1234567\xc3\xa9"
          "89abcdef\\n0123456789\"")},
};

static const struct {
    const char *text;
    gsize len;
    gsize at;
} invalid[] = {
    {TEXT(""), 0},
    {TEXT("   "), 3},
    {TEXT("\0"), 0},
    {TEXT("1\0"), 1},
    {TEXT("[\0]"), 1},
    {TEXT("\"\0\""), 1},
    {TEXT("\"a\nb\""), 2},
    {TEXT("\"a\tb\""), 2},
    {TEXT("\"\x1f\""), 1},
    {TEXT("\xef\xbb\xbf{}"), 0}, /* byte order mark */
    {TEXT("nul"), 0},
    {TEXT("nulll"), 4},
    {TEXT("True"), 0},
    {TEXT("NaN"), 0},
    {TEXT("Infinity"), 0},
    {TEXT("-Infinity"), 1},
    {TEXT("'a'"), 0},
    {TEXT("01"), 0},
    {TEXT("-01"), 1},
    {TEXT("+1"), 0},
    {TEXT(".5"), 0},
    {TEXT("1."), 2},
    {TEXT("1.e1"), 2},
    {TEXT("1e"), 2},
    {TEXT("1e+"), 3},
    {TEXT("-"), 1},
    {TEXT("--1"), 1},
    {TEXT("0x10"), 1},
    {TEXT("1_000"), 1},
    {TEXT("1 2"), 2},
    {TEXT("[1,]"), 3},
    {TEXT("[,1]"), 1},
    {TEXT("[1 2]"), 3},
    {TEXT("[1"), 2},
    {TEXT("[1}"), 2},
    {TEXT("]"), 0},
    {TEXT("[]]"), 2},
    {TEXT("{"), 1},
    {TEXT("{]"), 1},
    {TEXT("{\"a\"}"), 4},
    {TEXT("{\"a\":}"), 5},
    {TEXT("{\"a\":1,}"), 7},
    {TEXT("{\"a\":1"), 6},
    {TEXT("{\"a\" 1}"), 5},
    {TEXT("{a:1}"), 1},
    {TEXT("{1:1}"), 1},
    {TEXT("{\"a\":1 \"b\":2}"), 7},
    {TEXT("{}{}"), 2},
    {TEXT("{} x"), 3},
    {TEXT("/* c */ 1"), 0},
    {TEXT("\""), 1},
    {TEXT("\"a"), 2},
    {TEXT("\"\\\""), 3},
    {TEXT("\"\\"), 1},
    {TEXT("\"\\x41\""), 1},
    {TEXT("\"\\\0\""), 1},
    {TEXT("\"\\u12\""), 1},
    {TEXT("\"\\u12g4\""), 1},
    {TEXT("\"\\uD800\""), 1},              /* lone high surrogate */
    {TEXT("\"\\uDC00\""), 1},              /* lone low surrogate */
    {TEXT("\"\\uD800\\uD800\""), 1},       /* two high ones */
    {TEXT("\"\\uD800\\n\""), 1},           /* high one, then another escape */
    {TEXT("\"\\uDC00\\uD800\""), 1},       /* wrong order */
    {TEXT("\"\x80\""), 1},                 /* continuation byte alone */
    {TEXT("\"\xc0\xaf\""), 1},             /* overlong */
    {TEXT("\"\xe0\x80\xaf\""), 1},         /* overlong */
    {TEXT("\"\xf0\x80\x80\xaf\""), 1},     /* overlong */
    {TEXT("\"\xed\xa0\x80\""), 1},         /* surrogate as UTF-8 */
    {TEXT("\"\xf4\x90\x80\x80\""), 1},     /* above U+10FFFF */
    {TEXT("\"\xf5\x80\x80\x80\""), 1},     /* no lead byte */
    {TEXT("\"\xff\""), 1},                 /* never in UTF-8 */
    {TEXT("\"abc\xe2\x82\""), 4},          /* cut off by the quote */
    {TEXT("\"abc\xe2\x82"), 4},            /* cut off by the end */
    {TEXT("{\"k\xff\":1}"), 3},            /* in a key */
    {TEXT("\"0123456789abcdef\x01\""), 17} /* behind a run of plain bytes */
};

/* A copy without anything behind it, so that the sanitizer sees every read past the end. */
static char *
exact_copy(const char *text, gsize len)
{
    char *copy = g_malloc(MAX(len, 1));
    memcpy(copy, text, len);
    return copy;
}

static void
test_valid(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(valid); i++) {
        g_autofree char *text = exact_copy(valid[i].text, valid[i].len);
        g_autoptr(GError) error = NULL;
        g_autoptr(SlJsonDoc) doc = sl_json_read(text, valid[i].len, NULL, &error);
        g_assert_no_error(error);
        g_assert_nonnull(doc);
        g_assert_cmpuint(sl_json_root(doc)->end, ==, doc->n_nodes);
    }
}

static void
test_invalid(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(invalid); i++) {
        g_autofree char *text = exact_copy(invalid[i].text, invalid[i].len);
        g_autofree char *at = g_strdup_printf("JSON at byte %" G_GSIZE_FORMAT ": ", invalid[i].at);
        g_autoptr(GError) error = NULL;
        g_autofree char *shown = g_strescape(invalid[i].text, NULL);
        g_test_message("%s", shown);
        g_assert_null(sl_json_read(text, invalid[i].len, NULL, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        g_assert_true(g_str_has_prefix(error->message, at));
    }
}

/* Every prefix of a valid text but the whole is invalid, and none is read past its end. */
static void
test_prefixes(void)
{
    static const char text[] = "{\"k\\u0041\":[-1.5e+3,\"\xf0\x9f\x98\x80\\ud83d\\ude00\",true],"
                               "\"b\":{\"c\":null,\"d\":[[]]}}";
    for (gsize n = 0; n < sizeof text; n++) {
        g_autofree char *copy = exact_copy(text, n);
        g_autoptr(SlJsonDoc) doc = sl_json_read(copy, n, NULL, NULL);
        g_assert_true((doc != NULL) == (n == sizeof text - 1));
    }
}

static void
test_depth(void)
{
    const gsize million = 1000000;
    g_autofree char *text = g_malloc(2 * million);
    memset(text, '[', million);
    memset(text + million, ']', million);
    g_autoptr(GError) error = NULL;
    g_assert_null(sl_json_read(text, 2 * million, NULL, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_TOO_LARGE);
    g_assert_nonnull(strstr(error->message, "byte 512:"));

    /* Whoever allows it gets it, still without a stack. */
    const SlJsonLimits deep = {.max_depth = (guint)million};
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, 2 * million, &deep, NULL);
    g_assert_nonnull(doc);
    g_assert_cmpuint(doc->n_nodes, ==, million);
    const SlJsonLimits less = {.max_depth = (guint)million - 1};
    g_assert_null(sl_json_read(text, 2 * million, &less, NULL));

    /* Exactly the default. */
    g_autoptr(SlJsonDoc) exact =
        sl_json_read(text + million - SL_JSON_MAX_DEPTH, 2 * SL_JSON_MAX_DEPTH, NULL, NULL);
    g_assert_nonnull(exact);
}

static void
test_size(void)
{
    const SlJsonLimits limits = {.max_bytes = 4};
    g_autoptr(GError) error = NULL;
    g_autoptr(SlJsonDoc) doc = sl_json_read("true", 4, &limits, &error);
    g_assert_nonnull(doc);
    g_assert_null(sl_json_read("false", 5, &limits, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_TOO_LARGE);
    g_clear_error(&error);
    g_assert_null(sl_json_read_copy("false", 5, &limits, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_TOO_LARGE);
}

static void
test_tape(void)
{
    static const char text[] = " {\"a\": [1, {\"b\":2}, \"x\\ny\"], \"c\":{} } ";
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, NULL);
    const SlJsonNode *root = sl_json_root(doc);
    g_assert_cmpuint(root->count, ==, 2);
    g_assert_cmpmem(root->p, root->n, text + 1, strlen(text) - 2);
    const SlJsonNode *a = sl_json_get(doc, root, "a");
    g_assert_cmpuint(a->count, ==, 3);
    g_assert_cmpmem(a->p, a->n, "[1, {\"b\":2}, \"x\\ny\"]", 20);
    g_assert_cmpmem(sl_json_at(doc, a, 1)->p, sl_json_at(doc, a, 1)->n, "{\"b\":2}", 7);
    g_assert_true(sl_json_at(doc, a, 2)->escaped);
    g_assert_null(sl_json_at(doc, a, 3));
    g_assert_null(sl_json_at(doc, root, 0));
    g_assert_cmpmem(sl_json_get(doc, root, "c")->p, 2, "{}", 2);
}

/* A document read into again holds only the new text, and nothing after a failure. */
static void
test_reuse(void)
{
    g_auto(SlJsonDoc) doc = {0};
    g_assert_true(
        sl_json_read_into(&doc, "[1,2,3,[4,5],6,7,8,9,10,11,12,13,14,15,16,17]", 45, NULL, NULL));
    g_assert_cmpuint(doc.n_nodes, ==, 19);
    SlJsonNode *nodes = doc.nodes;
    g_assert_false(sl_json_read_into(&doc, "[1,2,", 5, NULL, NULL));
    g_assert_cmpuint(doc.n_nodes, ==, 0);
    g_assert_false(sl_json_read_into(&doc, "[] 1", 4, NULL, NULL));
    g_assert_cmpuint(doc.n_nodes, ==, 0);
    g_assert_true(sl_json_read_into(&doc, "{}", 2, NULL, NULL));
    g_assert_cmpuint(doc.n_nodes, ==, 1);
    g_assert_true(doc.nodes == nodes);
}

static void
test_copy(void)
{
    char text[] = "[\"abc\"]";
    g_autoptr(SlJsonDoc) doc = sl_json_read_copy(text, strlen(text), NULL, NULL);
    memset(text, 'x', sizeof text - 1);
    g_autofree char *value = sl_json_dup_string(sl_json_at(doc, sl_json_root(doc), 0));
    g_assert_cmpstr(value, ==, "abc");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/read/valid", test_valid);
    g_test_add_func("/json/read/invalid", test_invalid);
    g_test_add_func("/json/read/prefixes", test_prefixes);
    g_test_add_func("/json/read/depth", test_depth);
    g_test_add_func("/json/read/size", test_size);
    g_test_add_func("/json/read/tape", test_tape);
    g_test_add_func("/json/read/reuse", test_reuse);
    g_test_add_func("/json/read/copy", test_copy);
    return g_test_run();
}
