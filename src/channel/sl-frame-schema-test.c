/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "sl-frame-schema.h"

#include <string.h>

#include "sl-error.h"
#include "sl-frame-time.h"

static SlFrameSchema *
schema_of(const char *properties)
{
    g_autofree char *text = g_strdup_printf("{\"properties\":%s}", properties);
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, NULL);
    g_assert_nonnull(doc);
    return sl_frame_schema_new(doc, sl_json_root(doc));
}

static SlSpan
span(const char *text)
{
    return (SlSpan){text, strlen(text)};
}

static char *
hex_of(const SlBytes *bytes)
{
    GString *text = g_string_new(NULL);
    for (gsize i = 0; i < bytes->len; i++)
        g_string_append_printf(text, i == 0 ? "%02x" : " %02x", (guint)(guint8)bytes->p[i]);
    return g_string_free(text, FALSE);
}

static SlBytes
bytes_of(const char *hex)
{
    SlBytes bytes = {0};
    for (; *hex != '\0'; hex += *hex == ' ' ? 1 : 2) {
        if (*hex == ' ')
            continue;
        char byte = (char)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
        sl_bytes_append(&bytes, &byte, 1);
    }
    return bytes;
}

/* Values alone, as if they were a record. */
static char *
decode(SlFrameSchema *schema, const SlBytes *values, GError **error)
{
    g_auto(SlBytes) message = {0}, out = {0};
    SlFrame frame;
    char *p = sl_bytes_reserve(&message, SL_VARINT_MAX + 1);
    *p = 0x0a;
    message.len = (gsize)(sl_varint_put(p + 1, values->len) - p);
    sl_bytes_append(&message, values->p, values->len);
    if (!sl_frame_parse((SlSpan){message.p, message.len}, &frame, error) ||
        !sl_frame_schema_decode(schema, &frame, &out, error))
        return NULL;
    return g_strndup(out.p, out.len);
}

/* --- columns ------------------------------------------------------------------------------- */

static void
test_order(void)
{
    /* U+10000 (F0 90 80 80) is D800 DC00 in UTF-16: before U+E000 and U+FF5E, behind U+D7FF. */
    g_autoptr(SlFrameSchema) schema =
        schema_of("{\"b\":{},\"\\uff5e\":{},\"a\":{},\"\\ud7ff\":{},\"\\ud800\\udc00\":{},\"\\ue000"
                  "\":{},\"B\":{},\"ab\":{},\"\":{},\"\\u00e9\":{},\"a\":{\"type\":\"integer\"}}");
    static const char *const expected[] = {"",
                                           "B",
                                           "a",
                                           "ab",
                                           "b",
                                           "\xc3\xa9",
                                           "\xed\x9f\xbf",
                                           "\xf0\x90\x80\x80",
                                           "\xee\x80\x80",
                                           "\xef\xbd\x9e"};
    g_assert_cmpuint(sl_frame_schema_n_columns(schema), ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++)
        g_assert_cmpstr(sl_frame_schema_column(schema, i)->name, ==, expected[i]);
    g_assert_null(sl_frame_schema_column(schema, G_N_ELEMENTS(expected)));
    g_assert_cmpint(sl_frame_schema_column(schema, 2)->type, ==, SL_COLUMN_INTEGER);
}

static void
test_types(void)
{
    static const struct {
        const char *property;
        SlColumnType type;
    } cases[] = {
        {"{\"type\":\"boolean\"}", SL_COLUMN_BOOLEAN},
        {"{\"type\":[\"null\",\"boolean\"]}", SL_COLUMN_BOOLEAN},
        {"{\"type\":\"integer\"}", SL_COLUMN_INTEGER},
        {"{\"type\":\"number\"}", SL_COLUMN_NUMBER},
        {"{\"type\":\"number\",\"airbyte_type\":\"integer\"}", SL_COLUMN_INTEGER},
        {"{\"type\":\"string\"}", SL_COLUMN_STRING},
        {"{\"type\":\"string\",\"contentEncoding\":\"base64\"}", SL_COLUMN_STRING},
        {"{\"type\":\"string\",\"format\":\"email\"}", SL_COLUMN_STRING},
        {"{\"type\":\"string\",\"format\":\"date\"}", SL_COLUMN_DATE},
        {"{\"type\":\"string\",\"format\":\"date-time\"}", SL_COLUMN_TIMESTAMP_WITH_TIMEZONE},
        {"{\"type\":\"string\",\"format\":\"date-time\",\"airbyte_type\":"
         "\"timestamp_without_timezone\"}",
         SL_COLUMN_TIMESTAMP_WITHOUT_TIMEZONE},
        {"{\"type\":\"string\",\"airbyte_type\":\"timestamp_with_timezone\"}",
         SL_COLUMN_TIMESTAMP_WITH_TIMEZONE},
        {"{\"type\":\"string\",\"format\":\"time\"}", SL_COLUMN_TIME_WITH_TIMEZONE},
        {"{\"type\":\"string\",\"format\":\"time\",\"airbyte_type\":\"time_without_timezone\"}",
         SL_COLUMN_TIME_WITHOUT_TIMEZONE},
        {"{\"type\":[\"string\",\"integer\"]}", SL_COLUMN_JSON},
        {"{\"type\":\"object\"}", SL_COLUMN_JSON},
        {"{\"type\":\"array\"}", SL_COLUMN_JSON},
        {"{\"type\":[\"null\"]}", SL_COLUMN_JSON},
        {"{\"type\":[1]}", SL_COLUMN_JSON},
        {"{\"oneOf\":[{\"type\":\"string\"}]}", SL_COLUMN_JSON},
        {"{}", SL_COLUMN_JSON},
        {"true", SL_COLUMN_JSON},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup_printf("{\"x\":%s}", cases[i].property);
        g_autoptr(SlFrameSchema) schema = schema_of(text);
        g_test_message("%s", text);
        g_assert_cmpint(sl_frame_schema_column(schema, 0)->type, ==, cases[i].type);
    }
    g_autoptr(SlFrameSchema) none = schema_of("[]");
    g_assert_cmpuint(sl_frame_schema_n_columns(none), ==, 0);
}

static void
test_equal(void)
{
    g_autoptr(SlFrameSchema) a = schema_of("{\"x\":{\"type\":\"string\"},\"y\":{}}");
    g_autoptr(SlFrameSchema) b = schema_of("{\"y\":{},\"x\":{}}");
    g_autoptr(SlFrameSchema) c = schema_of("{\"y\":{}}");
    g_autoptr(SlFrameSchema) d = schema_of("{\"y\":{},\"z\":{}}");
    g_assert_true(sl_frame_schema_equal(a, b));
    g_assert_false(sl_frame_schema_equal(a, c));
    g_assert_false(sl_frame_schema_equal(b, d));
}

/* --- values: JSON, the bytes that are to be made of it, and the JSON that comes back --------- */

#define TSTZ "{\"type\":\"string\",\"format\":\"date-time\"}"
#define TS "{\"type\":\"string\",\"airbyte_type\":\"timestamp_without_timezone\"}"
#define TIMETZ "{\"type\":\"string\",\"airbyte_type\":\"time_with_timezone\"}"
#define TIME "{\"type\":\"string\",\"airbyte_type\":\"time_without_timezone\"}"
#define DATE "{\"type\":\"string\",\"format\":\"date\"}"
#define INT "{\"type\":\"integer\"}"
#define NUM "{\"type\":\"number\"}"
#define STR "{\"type\":\"string\"}"
#define BOOL "{\"type\":\"boolean\"}"
#define OBJ "{\"type\":\"object\"}"

static const struct {
    const char *property, *json, *hex;
    const char *back; /* NULL: the same */
} values[] = {
    {BOOL, "true", "2a 02 08 01", NULL},
    {BOOL, "false", "2a 02 08 00", NULL},
    {BOOL, "null", "2a 02 68 01", NULL},
    {STR, "\"\"", "2a 02 12 00", NULL},
    {STR, "\"a\"", "2a 03 12 01 61", NULL},
    {STR, "\"\\u00e9\\n\"", "2a 05 12 03 c3 a9 0a", "\"\xc3\xa9\\u000a\""},
    {STR, "\"\\\"\\\\\"", "2a 04 12 02 22 5c", NULL},
    {INT, "0", "2a 02 18 00", NULL},
    {INT, "-1", "2a 02 18 01", NULL},
    {INT, "7", "2a 02 18 0e", NULL},
    {INT, "5.0", "2a 02 18 0a", "5"},
    {INT, "9223372036854775807", "2a 0b 18 fe ff ff ff ff ff ff ff ff 01", NULL},
    {INT, "-9223372036854775808", "2a 0b 18 ff ff ff ff ff ff ff ff ff 01", NULL},
    {INT, "9223372036854775808",
     "2a 15 22 13 39 32 32 33 33 37 32 30 33 36 38 35 34 37 37 35 38 30 38", NULL},
    {INT, "1.5", "2a 05 32 03 31 2e 35", NULL},
    {NUM, "0.1000", "2a 08 32 06 30 2e 31 30 30 30", NULL},
    {NUM, "-0", "2a 04 32 02 2d 30", NULL},
    {NUM, "1e400", "2a 07 32 05 31 65 34 30 30", NULL},
    {DATE, "\"1970-01-01\"", "2a 02 38 00", NULL},
    {DATE, "\"1969-12-31\"", "2a 02 38 01", NULL},
    {DATE, "\"2024-02-29\"", "2a 04 38 8c b5 02", NULL},
    {DATE, "\"2023-02-29\"", "2a 0c 12 0a 32 30 32 33 2d 30 32 2d 32 39", NULL},
    {TIME, "\"00:00:01.5\"", "2a 06 48 80 de a0 cb 05", NULL},
    {TIMETZ, "\"00:00:00+01:00\"", "2a 05 42 03 10 a0 38", NULL},
    {TIMETZ, "\"00:00:00Z\"", "2a 02 42 00", NULL},
    {TS, "\"1970-01-02T00:00:00\"", "2a 04 5a 02 08 02", NULL},
    {TS, "\"1970-01-02 00:00:00.25\"", "2a 09 5a 07 08 02 10 80 e5 9a 77",
     "\"1970-01-02T00:00:00.25\""},
    {TSTZ, "\"1970-01-01T00:00:01Z\"", "2a 04 52 02 08 02", NULL},
    {TSTZ, "\"1970-01-01T01:00:00.000000001+01:00\"", "2a 07 52 05 10 01 18 a0 38", NULL},
    {TSTZ, "\"1969-12-31T23:59:59.9-00:30\"", NULL, NULL},
    {TSTZ, "\"1970-01-01T00:00:01.000Z\"", "2a 04 52 02 08 02", "\"1970-01-01T00:00:01Z\""},
    {TSTZ, "\"yesterday\"", "2a 0b 12 09 79 65 73 74 65 72 64 61 79", NULL},
    {TSTZ, "\"1970-01-01T00:00:01\"", NULL, NULL}, /* no offset: as it is */
    {TS, "\"1970-01-01T00:00:01Z\"", NULL, NULL},
    {TSTZ, "\"2016-12-31T23:59:60Z\"", NULL, NULL},
    {OBJ, "{\"a\": [1, 2]}", "2a 0f 62 0d 7b 22 61 22 3a 20 5b 31 2c 20 32 5d 7d", NULL},
    {OBJ, "\"text\"", "2a 08 62 06 22 74 65 78 74 22", NULL},
    /* what does not fit its column */
    {STR, "5", "2a 03 62 01 35", NULL},
    {STR, "true", "2a 06 62 04 74 72 75 65", NULL},
    {INT, "\"5\"", "2a 03 12 01 35", NULL},
    {DATE, "20240101", "2a 0a 62 08 32 30 32 34 30 31 30 31", NULL},
    {NUM, "[]", "2a 04 62 02 5b 5d", NULL},
};

static void
test_values(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autofree char *properties = g_strdup_printf("{\"x\":%s}", values[i].property);
        g_autofree char *object = g_strdup_printf("{\"x\":%s}", values[i].json);
        g_autofree char *expected =
            g_strdup_printf("{\"x\":%s}", values[i].back != NULL ? values[i].back : values[i].json);
        g_autoptr(SlFrameSchema) schema = schema_of(properties);
        g_autoptr(GError) error = NULL;
        g_auto(SlBytes) out = {0};
        guint strangers;
        g_test_message("%s", object);
        g_assert_true(sl_frame_schema_encode(schema, span(object), &out, &strangers, &error));
        g_assert_no_error(error);
        g_assert_cmpuint(strangers, ==, 0);
        g_autofree char *hex = hex_of(&out);
        if (values[i].hex != NULL)
            g_assert_cmpstr(hex, ==, values[i].hex);
        g_autofree char *back = decode(schema, &out, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(back, ==, expected);
    }
}

/* What others write and we never do. */
static void
test_foreign_values(void)
{
    static const struct {
        const char *hex, *json; /* NULL: broken */
    } cases[] = {
        {"2a 00", "null"},                            /* no case is set */
        {"2a 02 68 00", "null"},                      /* … */
        {"2a 04 18 02 68 01", "null"},                /* is_null wins */
        {"2a 09 29 00 00 00 00 00 00 f8 3f", "1.5"},  /* a double */
        {"2a 09 29 00 00 00 00 00 00 f8 7f", "null"}, /* NaN */
        {"2a 09 29 9a 99 99 99 99 99 b9 3f", "0.1"},
        {"2a 04 18 02 18 04", "2"}, /* the last case counts */
        {"2a 04 12 01 61 00", NULL},
        {"2a 0b 18 ff ff ff ff ff ff ff ff ff 02", "-4611686018427387904"}, /* 65 bits: cut */
        {"2a 03 62 01 7b", NULL},                                           /* broken JSON */
        {"2a 02 62 00", NULL},
        {"2a 07 62 05 5b 31 0a 32 5d", NULL},
        {"2a 08 62 06 5b 31 2c 0a 32 5d", "[1, 2]"}, /* a line of ours stays one line */
        {"2a 03 22 01 78", NULL},                    /* no integer */
        {"2a 04 32 02 30 31", NULL},                 /* 01 */
        {"2a 04 32 02 2e 35", NULL},
        {"2a 02 18", NULL},
        {"2a 03 1a 01 00", NULL}, /* integer with another wire type */
        {"2a 08 48 80 80 bc 8a c9 d2 13", NULL},
        {"2a 0b 38 ff ff ff ff ff ff ff ff ff 01", NULL}, /* a date far away */
        {"2a 0d 52 0b 08 ff ff ff ff ff ff ff ff ff 01", NULL},
        {"2a 08 52 06 10 80 94 eb dc 03", NULL}, /* a second has fewer nanoseconds */
        {"2a 04 38 d1 ea 57", "\"-0001-12-31\""},
        {"2a 06 38 84 d5 8b dc 02", NULL},
    };
    g_autoptr(SlFrameSchema) schema = schema_of("{\"x\":{}}");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(SlBytes) in = bytes_of(cases[i].hex);
        g_autoptr(GError) error = NULL;
        g_autofree char *json = decode(schema, &in, &error);
        g_test_message("%s", cases[i].hex);
        if (cases[i].json == NULL) {
            g_assert_error(error, SL_ERROR, SL_ERROR_PROTOCOL);
            continue;
        }
        g_autofree char *expected = g_strdup_printf("{\"x\":%s}", cases[i].json);
        SlSpan value = {in.p + 2, in.len - 2};
        if (!g_str_has_prefix(cases[i].hex, "2a 09 29")) /* NaN is null in JSON only */
            g_assert_cmpint(sl_frame_value_is_null(value), ==, g_str_equal(cases[i].json, "null"));
        g_assert_no_error(error);
        g_assert_cmpstr(json, ==, expected);
    }
}

/* --- records ------------------------------------------------------------------------------- */

static void
test_positions(void)
{
    g_autoptr(SlFrameSchema) schema = schema_of("{\"c\":" INT ",\"a\":" INT ",\"b\":" STR "}");
    static const struct {
        const char *in, *out;
        guint strangers;
    } cases[] = {
        {"{\"a\":1,\"b\":\"x\",\"c\":3}", "{\"a\":1,\"b\":\"x\",\"c\":3}", 0},
        {"{\"c\":3,\"a\":1,\"b\":\"x\"}", "{\"a\":1,\"b\":\"x\",\"c\":3}", 0},
        {"{\"c\":3,\"a\":1,\"b\":\"x\"}", "{\"a\":1,\"b\":\"x\",\"c\":3}", 0}, /* as guessed */
        {"{\"b\":\"x\"}", "{\"a\":null,\"b\":\"x\",\"c\":null}", 0},
        {"{}", "{\"a\":null,\"b\":null,\"c\":null}", 0},
        {"{\"a\":1,\"a\":2}", "{\"a\":2,\"b\":null,\"c\":null}", 0},
        {"{\"z\":1,\"\\u0061\":2,\"y\":{}}", "{\"a\":2,\"b\":null,\"c\":null}", 2},
        {"{\"a\\u0000\":2}", "{\"a\":null,\"b\":null,\"c\":null}", 1},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(SlBytes) out = {0};
        guint strangers;
        g_assert_true(sl_frame_schema_encode(schema, span(cases[i].in), &out, &strangers, NULL));
        g_assert_cmpuint(strangers, ==, cases[i].strangers);
        g_autofree char *back = decode(schema, &out, NULL);
        g_assert_cmpstr(back, ==, cases[i].out);
    }
}

static void
test_number_of_values(void)
{
    g_autoptr(SlFrameSchema) two = schema_of("{\"a\":" INT ",\"b\":" INT "}");
    g_autoptr(SlFrameSchema) none = schema_of("{}");
    g_auto(SlBytes) one = bytes_of("2a 02 18 02"), three = bytes_of("2a 00 2a 00 2a 00");
    g_autoptr(GError) error = NULL;
    g_autofree char *json = decode(two, &one, NULL);
    g_assert_cmpstr(json, ==, "{\"a\":1,\"b\":null}");
    g_assert_null(decode(two, &three, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_PROTOCOL);
    g_auto(SlBytes) nothing = {0};
    g_autofree char *empty = decode(none, &nothing, NULL);
    g_assert_cmpstr(empty, ==, "{}");
}

static void
test_broken_json(void)
{
    static const char *const texts[] = {"{\"a\":}", "{\"a\" 1}", "{\"a\":\"\\x\"}",
                                        "{\"a\":\"\\u12\"}"};
    g_autoptr(SlFrameSchema) schema = schema_of("{\"a\":" STR "}");
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(SlBytes) out = {0};
        g_test_message("%s", texts[i]);
        g_assert_false(sl_frame_schema_encode(schema, span(texts[i]), &out, NULL, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_PROTOCOL);
    }
}

/* --- time ---------------------------------------------------------------------------------- */

/* Every day of four thousand years goes to its number and back, and the numbers are in line. */
static void
test_days(void)
{
    SlStamp stamp = {.date = TRUE}, again;
    char text[SL_STAMP_TEXT];
    for (stamp.days = -719162; stamp.days < 741000; stamp.days++) {
        char *end = sl_stamp_put(&stamp, text);
        if (!sl_stamp_parse((SlSpan){text, (gsize)(end - text)}, &again) ||
            again.days != stamp.days)
            g_error("day %" G_GINT64_FORMAT " is %.*s", stamp.days, (int)(end - text), text);
    }
}

static void
test_stamps(void)
{
    static const char *const bad[] = {
        "",
        "2024",
        "2024-1-01",
        "2024-01-1",
        "2024-13-01",
        "2024-00-01",
        "2024-01-32",
        "0000-01-01",
        "2024-04-31",
        "1900-02-29",
        "2024-01-01T",
        "2024-01-01T1:00:00",
        "2024-01-01T24:00:00",
        "2024-01-01T00:60:00",
        "2024-01-01T00:00",
        "2024-01-01T00:00:00.",
        "2024-01-01T00:00:00.1234567890",
        "2024-01-01T00:00:00+",
        "2024-01-01T00:00:00+1",
        "2024-01-01T00:00:00+19:00",
        "2024-01-01T00:00:00+18:01",
        "2024-01-01T00:00:00ZZ",
        "2024-01-01x00:00:00",
        "00:00:00x",
        " 2024-01-01",
    };
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        SlStamp stamp;
        g_autofree char *copy = g_memdup2(bad[i], strlen(bad[i])); /* no NUL behind it */
        g_test_message("%s", bad[i]);
        g_assert_false(sl_stamp_parse((SlSpan){copy, strlen(bad[i])}, &stamp));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/channel/schema/order", test_order);
    g_test_add_func("/channel/schema/types", test_types);
    g_test_add_func("/channel/schema/equal", test_equal);
    g_test_add_func("/channel/schema/values", test_values);
    g_test_add_func("/channel/schema/foreign-values", test_foreign_values);
    g_test_add_func("/channel/schema/positions", test_positions);
    g_test_add_func("/channel/schema/number-of-values", test_number_of_values);
    g_test_add_func("/channel/schema/broken-json", test_broken_json);
    g_test_add_func("/channel/time/days", test_days);
    g_test_add_func("/channel/time/stamps", test_stamps);
    return g_test_run();
}
