/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "destpg-type.h"

#include <string.h>

static void
test_schemas(void)
{
    static const struct {
        const char *schema, *sql;
        DestpgKind kind;
    } cases[] = {
        {"{\"type\":\"string\"}", "character varying", DESTPG_VARCHAR},
        {"{\"type\":\"string\",\"format\":\"email\"}", "character varying", DESTPG_VARCHAR},
        {"{\"type\":[\"null\",\"string\"]}", "character varying", DESTPG_VARCHAR},
        {"{\"type\":[\"string\",\"string\"]}", "character varying", DESTPG_VARCHAR},
        {"{\"type\":\"boolean\"}", "boolean", DESTPG_BOOLEAN},
        {"{\"type\":\"integer\"}", "bigint", DESTPG_BIGINT},
        {"{\"type\":\"int\"}", "bigint", DESTPG_BIGINT},
        {"{\"type\":\"number\",\"airbyte_type\":\"integer\"}", "bigint", DESTPG_BIGINT},
        {"{\"type\":[\"number\",\"null\"]}", "numeric", DESTPG_NUMERIC},
        {"{\"type\":\"string\",\"format\":\"date\"}", "date", DESTPG_DATE},
        {"{\"type\":\"string\",\"format\":\"date-time\"}", "timestamp with time zone",
         DESTPG_TIMESTAMPTZ},
        {"{\"type\":\"string\",\"format\":\"date-time\",\"airbyte_type\":"
         "\"timestamp_with_timezone\"}",
         "timestamp with time zone", DESTPG_TIMESTAMPTZ},
        {"{\"type\":\"string\",\"format\":\"date-time\",\"airbyte_type\":"
         "\"timestamp_without_timezone\"}",
         "timestamp without time zone", DESTPG_TIMESTAMP},
        {"{\"type\":\"string\",\"format\":\"time\"}", "time with time zone", DESTPG_TIMETZ},
        {"{\"type\":\"string\",\"format\":\"time\",\"airbyte_type\":\"time_without_timezone\"}",
         "time without time zone", DESTPG_TIME},
        {"{\"type\":\"object\"}", "jsonb", DESTPG_OBJECT},
        {"{\"type\":[\"null\",\"object\"],\"properties\":{}}", "jsonb", DESTPG_OBJECT},
        {"{\"properties\":{\"a\":{}}}", "jsonb", DESTPG_OBJECT},
        {"{\"type\":\"array\",\"items\":{\"type\":\"string\"}}", "jsonb", DESTPG_ARRAY},
        {"{\"type\":[\"string\",\"integer\"]}", "jsonb", DESTPG_ANY},
        {"{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}", "jsonb", DESTPG_ANY},
        {"{\"anyOf\":[{\"type\":\"string\"}]}", "jsonb", DESTPG_ANY},
        {"{\"type\":\"null\"}", "jsonb", DESTPG_ANY},
        {"{\"type\":[]}", "jsonb", DESTPG_ANY},
        {"{\"type\":7}", "jsonb", DESTPG_ANY},
        {"{\"type\":\"weird\"}", "jsonb", DESTPG_ANY},
        {"{}", "jsonb", DESTPG_ANY},
        {"true", "jsonb", DESTPG_ANY},
        {"{\"$ref\":\"WellKnownTypes.json#/definitions/Integer\"}", "bigint", DESTPG_BIGINT},
        {"{\"$ref\":\"WellKnownTypes.json#/definitions/BinaryData\"}", "character varying",
         DESTPG_VARCHAR},
        {"{\"$ref\":\"WellKnownTypes.json#/definitions/TimeWithTimezone\"}", "time with time zone",
         DESTPG_TIMETZ},
        {"{\"$ref\":\"WellKnownTypes.json#/definitions/Nothing\"}", "jsonb", DESTPG_ANY},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SlJsonDoc) doc =
            sl_json_read(cases[i].schema, strlen(cases[i].schema), NULL, &error);
        g_assert_no_error(error);
        DestpgKind kind = destpg_type_of_schema(doc, sl_json_root(doc));
        g_test_message("%s", cases[i].schema);
        g_assert_cmpint(kind, ==, cases[i].kind);
        g_assert_cmpstr(destpg_type_sql(kind), ==, cases[i].sql);
    }
}

static void
test_casts(void)
{
    static const struct {
        const char *from;
        DestpgKind to;
        const char *sql;
    } cases[] = {
        {"bigint", DESTPG_VARCHAR, "\"c\"::character varying"},
        {"bigint", DESTPG_ANY, "to_jsonb(\"c\")"},
        {"jsonb", DESTPG_VARCHAR, "(\"c\" #>> '{}')::character varying"},
        {"jsonb", DESTPG_BIGINT, "(\"c\" #>> '{}')::bigint"},
        {"jsonb", DESTPG_ARRAY, "\"c\""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *sql = destpg_type_cast("\"c\"", cases[i].from, cases[i].to);
        g_assert_cmpstr(sql, ==, cases[i].sql);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/destination-postgres/type/schemas", test_schemas);
    g_test_add_func("/destination-postgres/type/casts", test_casts);
    return g_test_run();
}
