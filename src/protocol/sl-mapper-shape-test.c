/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "sl-error.h"
#include "sl-mapper.h"

#define SCHEMA                                                                                     \
    "{\"type\":\"object\",\"required\":[\"id\",\"mail\"],\"properties\":{"                         \
    "\"id\":{\"type\":\"integer\"},\"mail\":{\"type\":[\"null\",\"string\"]},"                     \
    "\"at\":{\"type\":\"string\",\"format\":\"date-time\"},"                                       \
    "\"deep\":{\"type\":\"object\",\"properties\":{\"id\":{}}}},\"additionalProperties\":true}"
#define STREAM(inner, rest) "{\"stream\":{\"name\":\"s\",\"json_schema\":" SCHEMA inner "}" rest "}"
#define INCREMENTAL ",\"sync_mode\":\"incremental\",\"cursor_field\":[\"at\"]"
#define DEDUP ",\"destination_sync_mode\":\"append_dedup\",\"primary_key\":[[\"id\"]]"
#define SELECT(list) ",\"selectedFields\":[" list "]"
#define PATH(name) "{\"fieldPath\":[\"" name "\"]}"
#define MAPPERS(list) ",\"mappers\":[" list "]"
#define MAPPER(type, config) "{\"type\":\"" type "\",\"mapperConfiguration\":{" config "}}"
#define HASH(field, suffix)                                                                        \
    MAPPER("hashing", "\"targetField\":\"" field "\",\"method\":\"MD5\",\"fieldNameSuffix\":"      \
                      "\"" suffix "\"")
#define RENAME(from, to)                                                                           \
    MAPPER("field-renaming", "\"originalFieldName\":\"" from "\",\"newFieldName\":\"" to "\"")
#define DROP(field) MAPPER("field-filtering", "\"targetField\":\"" field "\"")
#define AES(field, suffix, key)                                                                    \
    MAPPER("encryption", "\"algorithm\":\"AES\",\"targetField\":\"" field                          \
                         "\",\"fieldNameSuffix\":\"" suffix "\",\"mode\":\"CBC\","                 \
                         "\"padding\":\"PKCS5Padding\",\"key\":" key)
#define KEY "\"000102030405060708090a0b0c0d0e0f\""
#define ROWS(condition) MAPPER("row-filtering", "\"conditions\":" condition)
#define EQUAL(field, value)                                                                        \
    "{\"type\":\"EQUAL\",\"fieldName\":\"" field "\",\"comparisonValue\":\"" value "\"}"

static SlMapperShape *
shape_of(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, &error);
    g_assert_no_error(error);
    SlMapperShape *shape = sl_mapper_shape(doc, sl_json_root(doc), &error);
    g_assert_no_error(error);
    return shape;
}

/* "id:INTEGER mail:STRING …" of one step. */
static char *
fields_of(const SlMapperShape *shape, guint step)
{
    const GPtrArray *fields = shape->steps->pdata[step];
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < fields->len; i++) {
        const SlMapperField *field = fields->pdata[i];
        g_string_append_printf(out, "%s%s:%s", i > 0 ? " " : "", field->name,
                               sl_mapper_field_type(field));
    }
    return g_string_free(out, FALSE);
}

static void
assert_fields(const SlMapperShape *shape, guint step, const char *expected)
{
    g_autofree char *fields = fields_of(shape, step);
    g_assert_cmpstr(fields, ==, expected);
}

static void
test_untouched(void)
{
    g_autoptr(SlMapperShape) shape = shape_of(STREAM("", INCREMENTAL DEDUP));
    g_assert_false(shape->changed);
    g_assert_null(shape->json_schema);
    g_assert_cmpuint(shape->faults->len, ==, 0);
    g_assert_cmpuint(shape->steps->len, ==, 1);
    assert_fields(shape, 0, "id:INTEGER mail:STRING at:TIMESTAMP_WITH_TIMEZONE deep:OBJECT");
    g_autoptr(SlMapperShape) null =
        shape_of(STREAM("", ",\"mappers\":null,\"selectedFields\":null"));
    g_assert_false(null->changed);
    g_autoptr(SlMapperShape) empty = shape_of(STREAM("", MAPPERS("")));
    g_assert_false(empty->changed);
}

static void
test_selection(void)
{
    g_autoptr(SlMapperShape) shape =
        shape_of(STREAM("", INCREMENTAL DEDUP SELECT(PATH("mail") "," PATH("gone"))));
    g_assert_true(shape->changed);
    assert_fields(shape, 0, "id:INTEGER mail:STRING at:TIMESTAMP_WITH_TIMEZONE");
    g_assert_cmpstr(shape->source_schema, ==,
                    "{\"type\":\"object\",\"required\":[\"id\",\"mail\"],\"properties\":{"
                    "\"id\":{\"type\":\"integer\"},\"mail\":{\"type\":[\"null\",\"string\"]},"
                    "\"at\":{\"type\":\"string\",\"format\":\"date-time\"}},"
                    "\"additionalProperties\":true}");
    g_assert_cmpstr(shape->json_schema, ==, shape->source_schema);
    g_assert_cmpstr(shape->cursor_field, ==, "[\"at\"]");
    g_assert_cmpstr(shape->primary_key, ==, "[[\"id\"]]");
    g_assert_null(shape->source_defined_primary_key);
}

/* What no mode needs goes, with the keys that name it. */
static void
test_selection_without_need(void)
{
    g_autoptr(SlMapperShape) shape = shape_of(
        STREAM(",\"source_defined_primary_key\":[[\"id\"],[\"mail\"]]",
               ",\"sync_mode\":\"full_refresh\",\"destination_sync_mode\":\"append\","
               "\"cursor_field\":[\"at\"],\"primary_key\":[[\"id\"]]" SELECT(PATH("mail"))));
    assert_fields(shape, 0, "mail:STRING");
    g_assert_cmpstr(shape->cursor_field, ==, "[]");
    g_assert_cmpstr(shape->primary_key, ==, "[]");
    g_assert_cmpstr(shape->source_defined_primary_key, ==, "[[\"mail\"]]");
}

static void
test_keys_follow(void)
{
    g_autoptr(SlMapperShape) shape =
        shape_of(STREAM(",\"source_defined_primary_key\":[[\"id\"],[\"deep\",\"id\"]],"
                        "\"default_cursor_field\":[\"at\"]",
                        INCREMENTAL DEDUP MAPPERS(RENAME("id", "key") "," RENAME(
                            "at", "when") "," HASH("key", "_h") "," RENAME("deep", "d"))));
    g_assert_cmpuint(shape->faults->len, ==, 0);
    assert_fields(shape, 1, "key:INTEGER mail:STRING at:TIMESTAMP_WITH_TIMEZONE deep:OBJECT");
    assert_fields(shape, 4, "key_h:STRING mail:STRING when:TIMESTAMP_WITH_TIMEZONE d:OBJECT");
    g_assert_cmpstr(shape->cursor_field, ==, "[\"when\"]");
    g_assert_cmpstr(shape->default_cursor_field, ==, "[\"when\"]");
    g_assert_cmpstr(shape->primary_key, ==, "[[\"key_h\"]]");
    g_assert_cmpstr(shape->source_defined_primary_key, ==, "[[\"key_h\"],[\"d\",\"id\"]]");
    g_assert_null(shape->source_schema);
    g_assert_nonnull(strstr(shape->json_schema, "\"required\":[\"key_h\",\"mail\"]"));
    g_assert_nonnull(strstr(shape->json_schema, "\"key_h\":{\"type\":\"string\"}"));
}

static void
test_chain(void)
{
    g_autoptr(SlMapperShape) shape = shape_of(
        STREAM("", MAPPERS(DROP("deep") "," RENAME("mail", "deep") "," HASH("deep", "") "," ROWS(
                       EQUAL("deep", "x")) "," AES("at", "_e", "{\"_secret\":\"7\"}"))));
    g_assert_cmpuint(shape->faults->len, ==, 0);
    g_assert_cmpuint(shape->steps->len, ==, 6);
    assert_fields(shape, 5, "id:INTEGER deep:STRING at_e:STRING");
    g_assert_nonnull(strstr(shape->json_schema, "\"required\":[\"id\",\"deep\"]"));
}

static const struct {
    const char *stream;
    const char *fault;
    const char *message;
} faults[] = {
    {STREAM("", MAPPERS("{\"type\":\"shuffle\",\"mapperConfiguration\":{}}")), "MISSING_MAPPER",
     "mapper 1: there is no mapper of type \"shuffle\""},
    {STREAM("", MAPPERS("5")), "MISSING_MAPPER", "mapper 1: there is no mapper of type null"},
    {STREAM("", MAPPERS("{\"type\":\"hashing\"}")), "INVALID_MAPPER_CONFIG",
     "mapper 1 (hashing): mapperConfiguration is missing or no object"},
    {STREAM("", MAPPERS(MAPPER("hashing", "\"method\":\"MD5\""))), "INVALID_MAPPER_CONFIG",
     "mapper 1 (hashing): targetField is missing"},
    {STREAM("", MAPPERS(MAPPER("hashing", "\"targetField\":1"))), "INVALID_MAPPER_CONFIG",
     "mapper 1 (hashing): targetField: expected a string"},
    {STREAM("", MAPPERS(MAPPER("hashing", "\"targetField\":\"\""))), "INVALID_MAPPER_CONFIG",
     "mapper 1 (hashing): targetField is empty"},
    {STREAM("", MAPPERS(MAPPER("hashing", "\"targetField\":\"id\",\"method\":\"CRC\""))),
     "INVALID_MAPPER_CONFIG", "mapper 1 (hashing): unknown method 'CRC'"},
    {STREAM("", MAPPERS(HASH("nobody", "_h"))), "FIELD_NOT_FOUND",
     "mapper 1 (hashing): field 'nobody' is not in the stream's schema"},
    {STREAM("", SELECT(PATH("id")) MAPPERS(HASH("mail", "_h"))), "FIELD_NOT_FOUND",
     "mapper 1 (hashing): field 'mail' is not in the stream's schema"},
    {STREAM("", MAPPERS(RENAME("id", "mail"))), "FIELD_ALREADY_EXISTS",
     "mapper 1 (field-renaming): the stream has a field 'mail' already"},
    {STREAM("", MAPPERS(RENAME("id", "mail_h") "," HASH("mail", "_h"))), "FIELD_ALREADY_EXISTS",
     "mapper 2 (hashing): the stream has a field 'mail_h' already"},
    {STREAM("", MAPPERS(MAPPER("field-renaming", "\"originalFieldName\":\"id\""))),
     "INVALID_MAPPER_CONFIG", "mapper 1 (field-renaming): newFieldName is missing"},
    {STREAM("", INCREMENTAL MAPPERS(DROP("at"))), "INVALID_MAPPER_CONFIG",
     "mapper 1 (field-filtering): field 'at' belongs to the cursor or the primary key and cannot "
     "be removed"},
    {STREAM("", DEDUP MAPPERS(AES("id", "_e", KEY))), "INVALID_MAPPER_CONFIG",
     "mapper 1 (encryption): field 'id' belongs to the primary key, and equal values would not be "
     "equal any more"},
    {STREAM(
         "",
         ",\"destination_sync_mode\":\"append_dedup\",\"primary_key\":[[\"deep\",\"id\"]]" MAPPERS(
             HASH("deep", ""))),
     "INVALID_MAPPER_CONFIG",
     "mapper 1 (hashing): the cursor or the primary key is inside field 'deep', of which a text "
     "would be made"},
    {STREAM("", MAPPERS(AES("id", "", "\"0011\""))), "INVALID_MAPPER_CONFIG",
     "mapper 1 (encryption): key: expected 128, 192 or 256 bits, not 16"},
    {STREAM("", MAPPERS(AES("id", "", "null"))), "INVALID_MAPPER_CONFIG",
     "mapper 1 (encryption): key is missing"},
    {STREAM("", MAPPERS(MAPPER("encryption", "\"algorithm\":\"DES\",\"targetField\":\"id\""))),
     "INVALID_MAPPER_CONFIG", "mapper 1 (encryption): algorithm: unknown value 'DES'"},
    {STREAM("", MAPPERS(ROWS("{}"))), "INVALID_MAPPER_CONFIG",
     "mapper 1 (row-filtering): conditions: type is missing, or none of EQUAL, NOT, AND and OR"},
    {STREAM("", MAPPERS(ROWS("{\"type\":\"NOT\",\"conditions\":[]}"))), "INVALID_MAPPER_CONFIG",
     "mapper 1 (row-filtering): conditions: NOT needs a list of at least one condition"},
    {STREAM("", MAPPERS(ROWS("{\"type\":\"EQUAL\",\"fieldName\":\"id\"}"))),
     "INVALID_MAPPER_CONFIG",
     "mapper 1 (row-filtering): conditions: comparisonValue of an EQUAL is missing or no string"},
    {STREAM("", MAPPERS(ROWS("{\"type\":\"OR\",\"conditions\":[" EQUAL("id", "1") "," EQUAL(
                    "nobody", "1") "]}"))),
     "FIELD_NOT_FOUND", "mapper 1 (row-filtering): field 'nobody' is not in the stream's schema"},
    {STREAM("", MAPPERS(MAPPER("row-filtering", ""))), "INVALID_MAPPER_CONFIG",
     "mapper 1 (row-filtering): conditions is missing"},
};

static void
test_faults(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(faults); i++) {
        g_autoptr(SlMapperShape) shape = shape_of(faults[i].stream);
        g_assert_cmpuint(shape->faults->len, ==, 1);
        const SlMapperFault *fault = shape->faults->pdata[0];
        g_assert_cmpstr(fault->message, ==, faults[i].message);
        g_assert_cmpstr(sl_mapper_fault_name(fault->code), ==, faults[i].fault);
        g_assert_cmpuint(fault->mapper, ==, shape->steps->len - 2);
    }
}

/* One that cannot work is left out, the others go on: every fault is told at once. */
static void
test_several_faults(void)
{
    g_autoptr(SlMapperShape) shape = shape_of(
        STREAM("", MAPPERS(HASH("x", "") "," RENAME("mail", "m") "," HASH("y", "") "," DROP("m"))));
    g_assert_cmpuint(shape->faults->len, ==, 2);
    g_assert_cmpuint(((SlMapperFault *)shape->faults->pdata[1])->mapper, ==, 2);
    assert_fields(shape, 4, "id:INTEGER at:TIMESTAMP_WITH_TIMEZONE deep:OBJECT");
}

/* A key that is hidden is taken for a good one. */
static void
test_hidden_key(void)
{
    static const char *const streams[] = {
        STREAM("", MAPPERS(AES("mail", "", "\"**********\""))),
        STREAM("", MAPPERS(AES("mail", "", "{\"_secret\":\"x\"}"))),
    };
    for (guint i = 0; i < G_N_ELEMENTS(streams); i++) {
        g_autoptr(SlMapperShape) shape = shape_of(streams[i]);
        g_assert_cmpuint(shape->faults->len, ==, 0);
    }
}

static void
test_deep_conditions(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < 33; i++)
        g_string_append(text, "{\"type\":\"NOT\",\"conditions\":[");
    g_string_append(text, EQUAL("id", "1"));
    for (guint i = 0; i < 33; i++)
        g_string_append(text, "]}");
    g_autofree char *stream = g_strdup_printf(STREAM("", MAPPERS(ROWS("%s"))), text->str);
    g_autoptr(SlMapperShape) shape = shape_of(stream);
    g_assert_cmpuint(shape->faults->len, ==, 1);
    g_assert_nonnull(strstr(((SlMapperFault *)shape->faults->pdata[0])->message, "nested deeper"));
}

static void
test_no_shape_at_all(void)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"{}", "stream: expected an object"},
        {"[]", "stream: expected an object"},
        {STREAM("", ",\"mappers\":{}"), "mappers: expected an array"},
        {STREAM("", ",\"selectedFields\":5"), "selectedFields: expected an array"},
        {STREAM("", ",\"selectedFields\":[\"id\"]"),
         "selectedFields[0].fieldPath: expected the name of a field"},
        {STREAM("", ",\"selectedFields\":[{\"fieldPath\":[\"deep\",\"id\"]}]"),
         "selectedFields[0].fieldPath: 'deep' and what is in it cannot be selected apart; only "
         "whole top-level fields can"},
        {STREAM("", ",\"primary_key\":[\"id\"]"), "primary_key: expected an array of paths"},
        {STREAM("", ",\"cursor_field\":[[\"id\"]]"), "cursor_field: expected a path of strings"},
        {STREAM("", ",\"cursor_field\":\"id\""), "cursor_field: expected an array"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SlJsonDoc) doc = sl_json_read(rows[i].text, strlen(rows[i].text), NULL, NULL);
        g_assert_null(sl_mapper_shape(doc, sl_json_root(doc), &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        g_assert_cmpstr(error->message, ==, rows[i].message);
    }
}

static void
test_selection_check(void)
{
    static const struct {
        const char *text, *message; /* NULL: good */
    } rows[] = {
        {STREAM("", INCREMENTAL DEDUP), NULL},
        {STREAM("", INCREMENTAL DEDUP SELECT(PATH("id") "," PATH("at"))), NULL},
        {STREAM("", SELECT(PATH("mail"))), NULL},
        {STREAM("", SELECT("")), "selectedFields: it is empty"},
        {STREAM("", SELECT("{\"fieldPath\":[]}")),
         "selectedFields[0].fieldPath: expected the name of a field"},
        {STREAM("", SELECT(PATH("id") "," PATH("gone"))),
         "selectedFields[1].fieldPath: the stream has no field 'gone'"},
        {STREAM("", SELECT(PATH("id") "," PATH("id"))),
         "selectedFields[1].fieldPath: the field is there twice"},
        {STREAM("", INCREMENTAL SELECT(PATH("id"))),
         "selectedFields: field 'at' belongs to the cursor and must be selected"},
        {STREAM("", DEDUP SELECT(PATH("mail"))),
         "selectedFields: field 'id' belongs to the primary key and must be selected"},
        {STREAM(",\"source_defined_primary_key\":[[\"mail\"]]",
                ",\"destination_sync_mode\":\"append_dedup\"" SELECT(PATH("id"))),
         "selectedFields: field 'mail' belongs to the primary key and must be selected"},
        {STREAM(",\"source_defined_cursor\":true,\"default_cursor_field\":[\"at\"]",
                ",\"sync_mode\":\"incremental\"" SELECT(PATH("id"))),
         "selectedFields: field 'at' belongs to the cursor and must be selected"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SlJsonDoc) doc = sl_json_read(rows[i].text, strlen(rows[i].text), NULL, NULL);
        gboolean good = sl_selection_check(doc, sl_json_root(doc), &error);
        g_assert_cmpint(good, ==, rows[i].message == NULL);
        g_assert_cmpstr(error != NULL ? error->message : NULL, ==, rows[i].message);
    }
}

static void
test_field_types(void)
{
    static const struct {
        const char *schema, *type;
    } rows[] = {
        {"{\"type\":\"string\"}", "STRING"},
        {"{\"type\":[\"string\",\"null\"]}", "STRING"},
        {"{\"type\":\"string\",\"format\":\"date\"}", "DATE"},
        {"{\"type\":\"string\",\"format\":\"date-time\"}", "TIMESTAMP_WITH_TIMEZONE"},
        {"{\"type\":\"string\",\"format\":\"date-time\",\"airbyte_type\":"
         "\"timestamp_without_timezone\"}",
         "TIMESTAMP_WITHOUT_TIMEZONE"},
        {"{\"type\":\"string\",\"airbyte_type\":\"time_with_timezone\"}", "TIME_WITH_TIMEZONE"},
        {"{\"type\":\"number\"}", "NUMBER"},
        {"{\"type\":\"number\",\"airbyte_type\":\"integer\"}", "INTEGER"},
        {"{\"type\":[\"null\",\"integer\"]}", "INTEGER"},
        {"{\"type\":\"boolean\"}", "BOOLEAN"},
        {"{\"type\":\"array\"}", "ARRAY"},
        {"{\"type\":\"object\"}", "OBJECT"},
        {"{\"type\":[\"string\",\"integer\"]}", "MULTI"},
        {"{\"oneOf\":[]}", "MULTI"},
        {"{\"type\":\"null\"}", "UNKNOWN"},
        {"{\"type\":7}", "UNKNOWN"},
        {"true", "UNKNOWN"},
        {"{}", "UNKNOWN"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *schema = g_strdup(rows[i].schema);
        const SlMapperField field = {NULL, schema, NULL};
        g_assert_cmpstr(sl_mapper_field_type(&field), ==, rows[i].type);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mapper-shape/untouched", test_untouched);
    g_test_add_func("/mapper-shape/selection", test_selection);
    g_test_add_func("/mapper-shape/selection-without-need", test_selection_without_need);
    g_test_add_func("/mapper-shape/keys-follow", test_keys_follow);
    g_test_add_func("/mapper-shape/chain", test_chain);
    g_test_add_func("/mapper-shape/faults", test_faults);
    g_test_add_func("/mapper-shape/several-faults", test_several_faults);
    g_test_add_func("/mapper-shape/hidden-key", test_hidden_key);
    g_test_add_func("/mapper-shape/deep-conditions", test_deep_conditions);
    g_test_add_func("/mapper-shape/no-shape-at-all", test_no_shape_at_all);
    g_test_add_func("/mapper-shape/selection-check", test_selection_check);
    g_test_add_func("/mapper-shape/field-types", test_field_types);
    return g_test_run();
}
