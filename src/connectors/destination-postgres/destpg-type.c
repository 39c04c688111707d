/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "destpg-type.h"

#include <string.h>

static const char *const sql_types[] = {
    [DESTPG_BOOLEAN] = "boolean",
    [DESTPG_BIGINT] = "bigint",
    [DESTPG_NUMERIC] = "numeric",
    [DESTPG_VARCHAR] = "character varying",
    [DESTPG_DATE] = "date",
    [DESTPG_TIMESTAMPTZ] = "timestamp with time zone",
    [DESTPG_TIMESTAMP] = "timestamp without time zone",
    [DESTPG_TIMETZ] = "time with time zone",
    [DESTPG_TIME] = "time without time zone",
    [DESTPG_OBJECT] = "jsonb",
    [DESTPG_ARRAY] = "jsonb",
    [DESTPG_ANY] = "jsonb",
};
G_STATIC_ASSERT(G_N_ELEMENTS(sql_types) == DESTPG_N_KINDS);

/* What a (type, format, airbyte_type) triple means; NULL matches anything. First match wins. */
static const struct {
    const char *type, *format, *airbyte_type;
    DestpgKind kind;
} rules[] = {
    {"string", "date", NULL, DESTPG_DATE},
    {"string", "date-time", "timestamp_without_timezone", DESTPG_TIMESTAMP},
    {"string", "date-time", NULL, DESTPG_TIMESTAMPTZ},
    {"string", "time", "time_without_timezone", DESTPG_TIME},
    {"string", "time", NULL, DESTPG_TIMETZ},
    {"string", NULL, NULL, DESTPG_VARCHAR},
    {"boolean", NULL, NULL, DESTPG_BOOLEAN},
    {"integer", NULL, NULL, DESTPG_BIGINT},
    {"int", NULL, NULL, DESTPG_BIGINT},
    {"number", NULL, "integer", DESTPG_BIGINT},
    {"number", NULL, NULL, DESTPG_NUMERIC},
    {"object", NULL, NULL, DESTPG_OBJECT},
    {"array", NULL, NULL, DESTPG_ARRAY},
};

static const struct {
    const char *name;
    DestpgKind kind;
} well_known[] = {
    {"String", DESTPG_VARCHAR},
    {"BinaryData", DESTPG_VARCHAR},
    {"Date", DESTPG_DATE},
    {"TimestampWithTimezone", DESTPG_TIMESTAMPTZ},
    {"TimestampWithoutTimezone", DESTPG_TIMESTAMP},
    {"TimeWithTimezone", DESTPG_TIMETZ},
    {"TimeWithoutTimezone", DESTPG_TIME},
    {"Number", DESTPG_NUMERIC},
    {"Integer", DESTPG_BIGINT},
    {"Boolean", DESTPG_BOOLEAN},
};

static DestpgKind
of_reference(const SlJsonNode *reference)
{
    g_autofree char *text = sl_json_dup_string(reference);
    const char *name = text != NULL ? strrchr(text, '/') : NULL;
    for (guint i = 0; name != NULL && i < G_N_ELEMENTS(well_known); i++)
        if (strcmp(name + 1, well_known[i].name) == 0)
            return well_known[i].kind;
    return DESTPG_ANY;
}

static gboolean
same_string(const SlJsonNode *a, const SlJsonNode *b)
{
    return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

/* The one type besides "null"; NULL when there are none or several. */
static const SlJsonNode *
single_type(const SlJsonDoc *doc, const SlJsonNode *type)
{
    if (type->type == SL_JSON_STRING)
        return type;
    const SlJsonNode *found = NULL;
    if (type->type != SL_JSON_ARRAY)
        return NULL;
    SL_JSON_FOREACH (doc, type, item) {
        if (item->type != SL_JSON_STRING)
            return NULL;
        if (sl_json_string_is(item, "null"))
            continue;
        if (found != NULL && !same_string(found, item))
            return NULL;
        found = item;
    }
    return found;
}

static gboolean
matches(const SlJsonNode *node, const char *text)
{
    return text == NULL || (node != NULL && sl_json_string_is(node, text));
}

DestpgKind
destpg_type_of_schema(const SlJsonDoc *doc, const SlJsonNode *schema)
{
    const SlJsonNode *reference = sl_json_get(doc, schema, "$ref");
    if (reference != NULL)
        return of_reference(reference);
    const SlJsonNode *type = sl_json_get(doc, schema, "type");
    if (type == NULL)
        return sl_json_get(doc, schema, "properties") != NULL ? DESTPG_OBJECT : DESTPG_ANY;
    const SlJsonNode *single = single_type(doc, type);
    if (single == NULL)
        return DESTPG_ANY;
    const SlJsonNode *format = sl_json_get(doc, schema, "format");
    const SlJsonNode *airbyte_type = sl_json_get(doc, schema, "airbyte_type");
    for (guint i = 0; i < G_N_ELEMENTS(rules); i++)
        if (matches(single, rules[i].type) && matches(format, rules[i].format) &&
            matches(airbyte_type, rules[i].airbyte_type))
            return rules[i].kind;
    return DESTPG_ANY;
}

const char *
destpg_type_sql(DestpgKind kind)
{
    return sql_types[kind];
}

char *
destpg_type_cast(const char *quoted, const char *from, DestpgKind kind)
{
    const char *to = sql_types[kind];
    gboolean from_json = strcmp(from, "jsonb") == 0, to_json = strcmp(to, "jsonb") == 0;
    if (to_json)
        return from_json ? g_strdup(quoted) : g_strdup_printf("to_jsonb(%s)", quoted);
    /* jsonb has no cast to most types, its text has; and a JSON string loses its quotes. */
    if (from_json)
        return g_strdup_printf("(%s #>> '{}')::%s", quoted, to);
    return g_strdup_printf("%s::%s", quoted, to);
}
