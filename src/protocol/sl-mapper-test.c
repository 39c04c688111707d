/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-mapper.h"

#include <string.h>

#include "sl-error.h"

#define PROPERTIES                                                                                 \
    "\"properties\":{\"a\":{},\"b\":{},\"c\":{},\"gr\xc3\xbc\xc3\x9f\x65\":{},\"q\\\"t\":{}}"
#define STREAM(rest) "{\"stream\":{\"json_schema\":{" PROPERTIES "}}," rest "}"
#define MAPPERS(list) STREAM("\"mappers\":[" list "]")
#define MAPPER(type, config) "{\"type\":\"" type "\",\"mapperConfiguration\":{" config "}}"
#define HASH(field, suffix)                                                                        \
    MAPPER("hashing", "\"targetField\":\"" field "\",\"method\":\"MD5\",\"fieldNameSuffix\":"      \
                      "\"" suffix "\"")
#define RENAME(from, to)                                                                           \
    MAPPER("field-renaming", "\"originalFieldName\":\"" from "\",\"newFieldName\":\"" to "\"")
#define DROP(field) MAPPER("field-filtering", "\"targetField\":\"" field "\"")
#define ROWS(condition) MAPPER("row-filtering", "\"conditions\":" condition)
#define EQUAL(field, value)                                                                        \
    "{\"type\":\"EQUAL\",\"fieldName\":\"" field "\",\"comparisonValue\":\"" value "\"}"
#define OF(type, list) "{\"type\":\"" type "\",\"conditions\":[" list "]}"
#define ECB(field, suffix, padding)                                                                \
    MAPPER("encryption", "\"algorithm\":\"AES\",\"targetField\":\"" field                          \
                         "\",\"fieldNameSuffix\":\"" suffix "\",\"mode\":\"ECB\",\"padding\":"     \
                         "\"" padding "\",\"key\":\"000102030405060708090a0b0c0d0e0f\"")

#define FILTERED ((const char *)-1)
#define SAME NULL

#define MD5_X "9dd4e461268c8034f5c8564e155c67a6"
#define MD5_NULL "37a6259cc0c1dae299a7866489dff0bd"
#define MD5_EMPTY "d41d8cd98f00b204e9800998ecf8427e"
#define MD5_TRUE "b326b5062b2f0e69046810717534cb09"
#define MD5_1 "c4ca4238a0b923820dcc509a6f75849b"
#define MD5_1_0 "e4c2e8edac362acab7123654b9e73432"
#define MD5_SHARP_S "e11ce22edb052b40813b1e145b704775"

static SlMapper *
make(const char *stream)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlJsonDoc) doc = sl_json_read(stream, strlen(stream), NULL, &error);
    g_assert_no_error(error);
    SlMapper *mapper = sl_mapper_new(doc, sl_json_root(doc), "s", &error);
    g_assert_no_error(error);
    return mapper;
}

/* Twice: nothing may be left over from the record before. */
static void
check(SlMapper *mapper, const char *data, const char *expected, gssize selected)
{
    for (guint again = 0; again < 2; again++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GString) out = g_string_new(NULL);
        gsize size = 0;
        SlMapped mapped = sl_mapper_apply(mapper, (SlSpan){data, strlen(data)}, out, &size, &error);
        g_assert_no_error(error);
        g_assert_cmpint(mapped, ==,
                        expected == FILTERED ? SL_MAPPED_FILTERED
                        : expected == SAME   ? SL_MAPPED_SAME
                                             : SL_MAPPED_CHANGED);
        if (mapped == SL_MAPPED_CHANGED)
            g_assert_cmpstr(out->str, ==, expected);
        else
            g_assert_cmpuint(out->len, ==, 0);
        g_assert_cmpuint(size, ==, selected < 0 ? strlen(data) : (gsize)selected);
    }
}

typedef struct {
    const char *stream, *data, *expected;
    gssize selected; /* 0: all of it */
} Row;

static const Row rows[] = {
    /* Mappers: each with null, missing, object, array, unicode */
    {MAPPERS(HASH("a", "_h")), "{\"a\":\"x\"}", "{\"a_h\":\"" MD5_X "\"}", 0},
    {MAPPERS(HASH("a", "_h")), "{\"a\":null}", "{\"a_h\":\"" MD5_NULL "\"}", 0},
    {MAPPERS(HASH("a", "_h")), "{\"b\":1}", SAME, 0},
    {MAPPERS(HASH("a", "_h")), "{}", SAME, 0},
    {MAPPERS(HASH("a", "_h")), "{\"a\":{\"x\":1}}", "{\"a_h\":\"" MD5_EMPTY "\"}", 0},
    {MAPPERS(HASH("a", "_h")), "{\"a\":[1]}", "{\"a_h\":\"" MD5_EMPTY "\"}", 0},
    {MAPPERS(HASH("a", "_h")), "{\"a\":true}", "{\"a_h\":\"" MD5_TRUE "\"}", 0},
    {MAPPERS(HASH("a", "_h")), "{\"a\":1}", "{\"a_h\":\"" MD5_1 "\"}", 0},
    {MAPPERS(HASH("a", "_h")), "{\"a\":\"1\"}", "{\"a_h\":\"" MD5_1 "\"}", 0},
    {MAPPERS(HASH("a", "_h")), "{\"a\":1.0}", "{\"a_h\":\"" MD5_1_0 "\"}", 0},
    {MAPPERS(HASH("gr\xc3\xbc\xc3\x9f\x65", "\xc3\x9f")), "{\"gr\\u00fc\\u00DFe\":\"\xc3\x9f\"}",
     "{\"gr\xc3\xbc\xc3\x9f\x65\xc3\x9f\":\"" MD5_SHARP_S "\"}", 0},
    {MAPPERS(HASH("a", "")), "{\"a\":\"\\u00df\"}", "{\"a\":\"" MD5_SHARP_S "\"}", 0},
    /* hashing with "" suffix: in place, never lost */
    {MAPPERS(HASH("a", "")), "{ \"b\" : 1 , \"a\":\"x\", \"c\":[ ] }",
     "{\"b\" : 1,\"a\":\"" MD5_X "\",\"c\":[ ]}", 0},
    {MAPPERS(RENAME("a", "z")), "{\"a\":null,\"b\":2}", "{\"z\":null,\"b\":2}", 0},
    {MAPPERS(RENAME("a", "z")), "{\"b\":1.50}", SAME, 0},
    {MAPPERS(RENAME("a", "z")), "{\"a\":{\"a\": {\"a\":1e400}}}", "{\"z\":{\"a\": {\"a\":1e400}}}",
     0},
    {MAPPERS(RENAME("a", "z")), "{\"a\":[ 1 ,2]}", "{\"z\":[ 1 ,2]}", 0},
    {MAPPERS(RENAME("a", "\xf0\x9f\x98\x80")), "{\"\\u0061\":\"\\ud83d\\ude00\"}",
     "{\"\xf0\x9f\x98\x80\":\"\\ud83d\\ude00\"}", 0},
    {MAPPERS(RENAME("q\\\"t", "a\\\\b")), "{\"q\\\"t\":1}", "{\"a\\\\b\":1}", 0},
    {MAPPERS(DROP("a")), "{\"a\":null}", "{}", 0},
    {MAPPERS(DROP("a")), "{\"b\":1}", SAME, 0},
    {MAPPERS(DROP("a")), "{\"a\":{\"x\":\"}\"},\"b\":\"\\\"\"}", "{\"b\":\"\\\"\"}", 0},
    {MAPPERS(DROP("a")), "{\"b\":1,\"a\":[[]],\"c\":3}", "{\"b\":1,\"c\":3}", 0},
    {MAPPERS(DROP("gr\xc3\xbc\xc3\x9f\x65")), "{\"x\":1, \"gr\xc3\xbc\xc3\x9f\x65\":2, \"y\" :3}",
     "{\"x\":1,\"y\" :3}", 0},
    {MAPPERS(ECB("a", "_e", "PKCS5Padding")), "{\"a\":\"hello\"}",
     "{\"a_e\":\"5d8749e2af7531b2bf6661e9e5daf012\"}", 0},
    {MAPPERS(ECB("a", "_e", "PKCS5Padding")), "{\"b\":1}", SAME, 0},
    /* repeated keys: the last one counts, and none of the others is left in clear */
    {MAPPERS(HASH("a", "")), "{\"a\":\"secret\",\"b\":1,\"a\":\"x\"}",
     "{\"b\":1,\"a\":\"" MD5_X "\"}", 15},
    {MAPPERS(DROP("a")), "{\"a\":1,\"\\u0061\":2,\"b\":3}", "{\"b\":3}", 18},
    {MAPPERS(RENAME("a", "z")), "{\"a\":1,\"a\":2}", "{\"z\":2}", 7},
    /* what only looks like a mapper's result does not pass */
    {MAPPERS(HASH("a", "_h")), "{\"a_h\":\"plain\",\"b\":1}", "{\"b\":1}", 7},
    {MAPPERS(RENAME("a", "z")), "{\"a\":1,\"z\":2}", "{\"z\":1}", 7},
    /* one behind the other */
    {MAPPERS(RENAME("a", "t") "," RENAME("b", "a") "," RENAME("t", "b")), "{\"a\":1,\"b\":2}",
     "{\"b\":1,\"a\":2}", 0},
    {MAPPERS(HASH("a", "") "," HASH("a", "") "," RENAME("a", "z")), "{\"a\":\"x\"}",
     "{\"z\":\"64eb18f6a8f793689ad1eb1136f43ccf\"}", 0},
    {MAPPERS(DROP("b") "," RENAME("a", "b")), "{\"a\":1,\"b\":2,\"c\":3}", "{\"b\":1,\"c\":3}", 0},
    /* row-filter on missing field and on number/boolean text */
    {MAPPERS(ROWS(EQUAL("a", "x"))), "{\"a\":\"x\"}", SAME, 0},
    {MAPPERS(ROWS(EQUAL("a", "x"))), "{\"a\":\"\\u0078\"}", SAME, 0},
    {MAPPERS(ROWS(EQUAL("a", "x"))), "{\"a\":\"y\"}", FILTERED, 0},
    {MAPPERS(ROWS(EQUAL("a", "x"))), "{\"b\":\"x\"}", FILTERED, 0},
    {MAPPERS(ROWS(EQUAL("a", "1"))), "{\"a\":1}", SAME, 0},
    {MAPPERS(ROWS(EQUAL("a", "1"))), "{\"a\":1.0}", FILTERED, 0},
    {MAPPERS(ROWS(EQUAL("a", "true"))), "{\"a\":true}", SAME, 0},
    {MAPPERS(ROWS(EQUAL("a", "null"))), "{\"a\":null}", SAME, 0},
    {MAPPERS(ROWS(EQUAL("a", ""))), "{\"a\":{}}", SAME, 0},
    {MAPPERS(ROWS(EQUAL("a", "x"))), "{\"a\":[\"x\"]}", FILTERED, 0},
    {MAPPERS(ROWS(OF("NOT", EQUAL("a", "x")))), "{}", SAME, 0},
    {MAPPERS(ROWS(OF("NOT", EQUAL("a", "x") "," EQUAL("b", "y")))), "{\"a\":1,\"b\":\"y\"}",
     FILTERED, 0},
    {MAPPERS(ROWS(OF("AND", EQUAL("a", "x") "," EQUAL("b", "y")))), "{\"a\":\"x\",\"b\":\"y\"}",
     SAME, 0},
    {MAPPERS(ROWS(OF("AND", EQUAL("a", "x") "," EQUAL("b", "y")))), "{\"a\":\"x\"}", FILTERED, 0},
    {MAPPERS(ROWS(OF("OR", EQUAL("a", "x") "," EQUAL("b", "y")))), "{\"b\":\"y\"}", SAME, 0},
    {MAPPERS(ROWS(OF("OR", EQUAL("a", "x") "," EQUAL("b", "y")))), "{\"b\":\"x\"}", FILTERED, 0},
    {MAPPERS(ROWS(OF("OR", OF("NOT", EQUAL("a", "x")) "," OF("AND", EQUAL("b", "y"))))),
     "{\"a\":\"x\",\"b\":\"y\"}", SAME, 0},
    {MAPPERS(HASH("a", "") "," ROWS(EQUAL("a", MD5_X))), "{\"a\":\"x\",\"c\":0}",
     "{\"a\":\"" MD5_X "\",\"c\":0}", 0},
    {MAPPERS(RENAME("a", "z") "," ROWS(EQUAL("z", "1"))), "{\"a\":2}", FILTERED, 0},
    /* selection: whole members, every other byte as it came */
    {STREAM("\"selectedFields\":[{\"fieldPath\":[\"a\"]},{\"fieldPath\":[\"c\"]}]"),
     "{\"a\": 1 , \"b\":2,\"c\":{\"b\":3}, \"d\":4}", "{\"a\": 1,\"c\":{\"b\":3}}", 19},
    {STREAM("\"selectedFields\":[{\"fieldPath\":[\"a\"]}]"), "{\"\\u0061\":1, \"a\":2}",
     "{\"a\":2}", 7},
    {STREAM("\"selectedFields\":[{\"fieldPath\":[\"a\"]}]"), "{ \"a\" : 1 }", SAME, 0},
    {STREAM("\"selectedFields\":[{\"fieldPath\":[\"a\"]}]"), "{\"d\":1}", "{}", 2},
    {STREAM("\"selectedFields\":[]"), "{\"a\":1,\"e\":2}", "{}", 2},
    {STREAM("\"selectedFields\":[{\"fieldPath\":[\"a\"]}],\"mappers\":[" HASH("a", "_h") "]"),
     "{\"a\":\"x\",\"b\":2}", "{\"a_h\":\"" MD5_X "\"}", 9},
};

static void
test_rows(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(SlMapper) mapper = make(rows[i].stream);
        g_test_message("row %u: %s", i, rows[i].data);
        check(mapper, rows[i].data, rows[i].expected, rows[i].selected > 0 ? rows[i].selected : -1);
    }
}

/* Objects and arrays can be encrypted, and come out as their JSON. */
static void
test_encryption_of_containers(void)
{
    static const char *const pairs[][2] = {{"{\"x\": [1]}", "{\\\"x\\\": [1]}"},
                                           {"[\"\xc3\xbc\"]", "[\\\"\xc3\xbc\\\"]"}};
    for (guint i = 0; i < G_N_ELEMENTS(pairs); i++) {
        g_autoptr(SlMapper) mapper = make(MAPPERS(ECB("a", "", "PKCS5Padding")));
        g_autoptr(GString) direct = g_string_new(NULL), quoted = g_string_new(NULL);
        g_autofree char *first = g_strdup_printf("{\"a\":%s}", pairs[i][0]);
        g_autofree char *second = g_strdup_printf("{\"a\":\"%s\"}", pairs[i][1]);
        gsize size;
        g_assert_cmpint(
            sl_mapper_apply(mapper, (SlSpan){first, strlen(first)}, direct, &size, NULL), ==,
            SL_MAPPED_CHANGED);
        g_assert_cmpint(
            sl_mapper_apply(mapper, (SlSpan){second, strlen(second)}, quoted, &size, NULL), ==,
            SL_MAPPED_CHANGED);
        g_assert_cmpstr(direct->str, ==, quoted->str);
        g_assert_null(strstr(direct->str, "x"));
    }
}

/* A value that cannot be done fails the sync, names the place and not the value. */
static void
test_failures(void)
{
    static const struct {
        const char *stream, *data, *message;
        int code;
    } cases[] = {
        {MAPPERS(ECB("a", "", "NoPadding")), "{\"a\":\"topsecret\"}",
         "stream 's': mapper 1 (encryption) on field 'a': a value of 9 bytes cannot be encrypted "
         "in mode ECB without padding: it is no multiple of 16",
         SL_ERROR_INVALID},
        {MAPPERS(DROP("a")), "{\"a\":01}", "the source sent a broken record of stream 's'",
         SL_ERROR_PROTOCOL},
        {MAPPERS(DROP("a")), "{\"a\":1,}", "the source sent a broken record of stream 's'",
         SL_ERROR_PROTOCOL},
        {MAPPERS(DROP("a")), "{\"b\":\"\xff\"}", "the source sent a broken record of stream 's'",
         SL_ERROR_PROTOCOL},
        {MAPPERS(DROP("a")), "{\"\\ud800\":1}", "the source sent a broken record of stream 's'",
         SL_ERROR_PROTOCOL},
        {MAPPERS(DROP("a")), "[1]", "the source sent a broken record of stream 's'",
         SL_ERROR_PROTOCOL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GString) out = g_string_new(NULL);
        g_autoptr(SlMapper) mapper = make(cases[i].stream);
        gsize size;
        g_assert_cmpint(sl_mapper_apply(mapper, (SlSpan){cases[i].data, strlen(cases[i].data)}, out,
                                        &size, &error),
                        ==, SL_MAPPED_FAILED);
        g_assert_error(error, SL_ERROR, cases[i].code);
        g_assert_cmpstr(error->message, ==, cases[i].message);
        g_assert_cmpuint(out->len, ==, 0);
        check(mapper, "{\"b\":0}", SAME, -1); /* it can go on */
    }
}

/* unknown mapper (fail closed); a key that nobody resolved; none at all */
static void
test_not_made(void)
{
    static const struct {
        const char *stream, *message;
    } cases[] = {
        {MAPPERS("{\"type\":\"shuffle\"}"),
         "stream 's': mapper 1: there is no mapper of type \"shuffle\""},
        {MAPPERS(DROP("a") "," HASH("a", "")),
         "stream 's': mapper 2 (hashing): field 'a' is not in the stream's schema"},
        {MAPPERS(MAPPER("encryption", "\"algorithm\":\"AES\",\"targetField\":\"a\",\"mode\":"
                                      "\"CTR\",\"padding\":\"NoPadding\",\"key\":{\"_secret\":"
                                      "\"5\"}")),
         "stream 's': mapper 1 (encryption): the key is a reference that was not resolved"},
        {STREAM("\"mappers\":7"), "stream 's': mappers: expected an array"},
        {STREAM("\"mappers\":[]"), NULL},
        {STREAM("\"mappers\":null,\"selectedFields\":null"), NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SlJsonDoc) doc =
            sl_json_read(cases[i].stream, strlen(cases[i].stream), NULL, NULL);
        g_assert_null(sl_mapper_new(doc, sl_json_root(doc), "s", &error));
        g_assert_cmpstr(error != NULL ? error->message : NULL, ==, cases[i].message);
    }
}

/* Hundreds of fields, of which every third is selected: names meet in the table. */
static void
test_many_fields(void)
{
    g_autoptr(GString) stream =
        g_string_new("{\"stream\":{\"json_schema\":{\"properties\":{\"x\":{}");
    g_autoptr(GString) data = g_string_new("{"), expected = g_string_new("{");
    for (guint i = 0; i < 700; i++)
        g_string_append_printf(stream, ",\"field_%u\":{}", i);
    g_string_append(stream, "}}},\"selectedFields\":[{\"fieldPath\":[\"x\"]}");
    for (guint i = 0; i < 700; i++) {
        const char *comma = i > 0 ? "," : "";
        g_string_append_printf(data, "%s\"field_%u\":%u", comma, i, i);
        if (i % 3 != 0)
            continue;
        g_string_append_printf(stream, ",{\"fieldPath\":[\"field_%u\"]}", i);
        g_string_append_printf(expected, "%s\"field_%u\":%u", comma, i, i);
    }
    g_string_append(stream, "]}");
    g_string_append_c(data, '}');
    g_string_append_c(expected, '}');
    g_autoptr(SlMapper) mapper = make(stream->str);
    check(mapper, data->str, expected->str, (gssize)expected->len);
}

/* An object of some members, some of them twice, that mappers know or not. */
static char *
random_object(GRand *rand)
{
    static const char *const keys[] = {
        "a", "b", "c", "z", "c_h", "unknown_to_all", "q\\\"t", "\\u0061", "gr\xc3\xbc\xc3\x9f\x65",
        "",  "d"};
    static const char *const values[] = {"1",    "-0.5e7",  "\"x,y:{}\"",          "\"\\\"\\\\\"",
                                         "null", "[1,[2]]", "{\"a\":{\"b\":[]}}",  "\"\"",
                                         "true", "0",       "\"\xf0\x9f\x98\x80\""};
    GString *text = g_string_new("{");
    for (guint i = 0, n = (guint)g_rand_int_range(rand, 0, 9); i < n; i++)
        g_string_append_printf(text, "%s\"%s\":%s", i > 0 ? "," : "",
                               keys[g_rand_int_range(rand, 0, (gint)G_N_ELEMENTS(keys))],
                               values[g_rand_int_range(rand, 0, (gint)G_N_ELEMENTS(values))]);
    g_string_append_c(text, '}');
    return g_string_free(text, FALSE);
}

/* Text without white space is read in part only: what comes of it must be what comes of the same
 * text with a blank in it. */
static void
test_sparse(void)
{
    static const char *const streams[] = {
        MAPPERS(DROP("a")),
        MAPPERS(DROP("a") "," DROP("b") "," DROP("c")),
        MAPPERS(RENAME("a", "z")),
        MAPPERS(RENAME("b", "z") "," HASH("c", "_h") "," DROP("a")),
        MAPPERS(HASH("q\\\"t", "")),
        MAPPERS(HASH("gr\xc3\xbc\xc3\x9f\x65", "_h") "," ROWS(OF("NOT", EQUAL("a", "1")))),
    };
    GRand *rand = g_rand_new_with_seed((guint32)g_test_rand_int());
    guint changed = 0;
    for (guint i = 0; i < G_N_ELEMENTS(streams); i++) {
        g_autoptr(SlMapper) mapper = make(streams[i]);
        for (guint j = 0; j < 3000; j++) {
            g_autofree char *text = random_object(rand);
            g_autofree char *blank = g_strdup_printf("{ %s", text + 1);
            g_autoptr(GString) one = g_string_new(NULL), other = g_string_new(NULL);
            gsize one_size, other_size;
            SlMapped a =
                sl_mapper_apply(mapper, (SlSpan){text, strlen(text)}, one, &one_size, NULL);
            SlMapped b =
                sl_mapper_apply(mapper, (SlSpan){blank, strlen(blank)}, other, &other_size, NULL);
            g_test_message("%s", text);
            g_assert_cmpint(a, ==, b);
            if (a != SL_MAPPED_CHANGED)
                continue;
            changed++;
            g_assert_cmpstr(one->str, ==, other->str);
            g_assert_true(one_size == other_size || one_size + 1 == other_size);
        }
    }
    g_assert_cmpuint(changed, >, 1000);
    g_rand_free(rand);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mapper/rows", test_rows);
    g_test_add_func("/mapper/encryption-of-containers", test_encryption_of_containers);
    g_test_add_func("/mapper/failures", test_failures);
    g_test_add_func("/mapper/not-made", test_not_made);
    g_test_add_func("/mapper/many-fields", test_many_fields);
    g_test_add_func("/mapper/sparse", test_sparse);
    return g_test_run();
}
