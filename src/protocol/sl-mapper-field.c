/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "sl-mapper.h"

/* The type of a field, as the API names it. */

static const SlJsonNode *
get_string(const SlJsonDoc *doc, const SlJsonNode *schema, const char *key)
{
    const SlJsonNode *value = sl_json_get(doc, schema, key);
    return value != NULL && value->type == SL_JSON_STRING ? value : NULL;
}

/* The one type besides null; NULL: none or several, *ret_many tells. */
static const SlJsonNode *
get_type(const SlJsonDoc *doc, const SlJsonNode *schema, gboolean *ret_many)
{
    const SlJsonNode *type = sl_json_get(doc, schema, "type"), *only = NULL;
    *ret_many = FALSE;
    if (type == NULL || type->type != SL_JSON_ARRAY)
        return type != NULL && type->type == SL_JSON_STRING ? type : NULL;
    SL_JSON_FOREACH (doc, type, item) {
        if (sl_json_string_is(item, "null"))
            continue;
        *ret_many |= only != NULL;
        only = item;
    }
    return *ret_many ? NULL : only;
}

static const char *
string_type(const SlJsonDoc *doc, const SlJsonNode *schema)
{
    static const struct {
        const char *key, *value, *type;
    } rules[] = {
        {"airbyte_type", "timestamp_with_timezone", "TIMESTAMP_WITH_TIMEZONE"},
        {"airbyte_type", "timestamp_without_timezone", "TIMESTAMP_WITHOUT_TIMEZONE"},
        {"airbyte_type", "time_with_timezone", "TIME_WITH_TIMEZONE"},
        {"airbyte_type", "time_without_timezone", "TIME_WITHOUT_TIMEZONE"},
        {"airbyte_type", "integer", "INTEGER"},
        {"airbyte_type", "big_integer", "INTEGER"},
        {"airbyte_type", "big_number", "NUMBER"},
        {"format", "date", "DATE"},
        {"format", "date-time", "TIMESTAMP_WITH_TIMEZONE"},
        {"format", "time", "TIME_WITH_TIMEZONE"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rules); i++) {
        const SlJsonNode *value = get_string(doc, schema, rules[i].key);
        if (value != NULL && sl_json_string_is(value, rules[i].value))
            return rules[i].type;
    }
    return "STRING";
}

const char *
sl_mapper_field_type(const SlMapperField *field)
{
    static const struct {
        const char *name, *type;
    } names[] = {{"string", NULL},     {"boolean", "BOOLEAN"}, {"integer", "INTEGER"},
                 {"number", "NUMBER"}, {"array", "ARRAY"},     {"object", "OBJECT"},
                 {"null", "UNKNOWN"}};
    gboolean many;
    g_autoptr(SlJsonDoc) doc = sl_json_read(field->schema, strlen(field->schema), NULL, NULL);
    if (doc == NULL)
        return "UNKNOWN";
    const SlJsonNode *schema = sl_json_root(doc), *type = get_type(doc, schema, &many);
    if (many || sl_json_get(doc, schema, "oneOf") != NULL ||
        sl_json_get(doc, schema, "anyOf") != NULL)
        return "MULTI";
    if (type == NULL)
        return "UNKNOWN";
    const SlJsonNode *ours = get_string(doc, schema, "airbyte_type");
    if (sl_json_string_is(type, "number") && ours != NULL && sl_json_string_is(ours, "integer"))
        return "INTEGER";
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        if (sl_json_string_is(type, names[i].name))
            return names[i].type != NULL ? names[i].type : string_type(doc, schema);
    }
    return "UNKNOWN";
}
