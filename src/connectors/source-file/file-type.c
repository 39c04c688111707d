/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "file-type.h"

#include <string.h>

#define MAX_SAFE_DIGITS 18 /* every number of so many digits fits 64 bits */
#define MAX_TIMESTAMP 48   /* longer is not one */

static const struct {
    const char *name, *schema;
} types[FILE_N_TYPES] = {
    [FILE_TYPE_NULL] = {"null", "{\"type\":[\"null\",\"string\"]}"},
    [FILE_TYPE_BOOLEAN] = {"a boolean", "{\"type\":[\"null\",\"boolean\"]}"},
    [FILE_TYPE_INTEGER] = {"an integer", "{\"type\":[\"null\",\"integer\"]}"},
    [FILE_TYPE_NUMBER] = {"a number", "{\"type\":[\"null\",\"number\"]}"},
    [FILE_TYPE_DATE] = {"a date", "{\"type\":[\"null\",\"string\"],\"format\":\"date\"}"},
    [FILE_TYPE_TIMESTAMP] = {"a timestamp",
                             "{\"type\":[\"null\",\"string\"],\"format\":\"date-time\","
                             "\"airbyte_type\":\"timestamp_without_timezone\"}"},
    [FILE_TYPE_TIMESTAMP_TZ] = {"a timestamp with offset",
                                "{\"type\":[\"null\",\"string\"],\"format\":\"date-time\","
                                "\"airbyte_type\":\"timestamp_with_timezone\"}"},
    [FILE_TYPE_STRING] = {"text", "{\"type\":[\"null\",\"string\"]}"},
    [FILE_TYPE_OBJECT] = {"an object",
                          "{\"type\":[\"null\",\"object\"],\"additionalProperties\":true}"},
    [FILE_TYPE_ARRAY] = {"an array", "{\"type\":[\"null\",\"array\"],\"items\":{}}"},
};

static gsize
count_digits(const char *p, const char *end)
{
    const char *from = p;
    while (p < end && g_ascii_isdigit(*p))
        p++;
    return (gsize)(p - from);
}

/* -?digits[.digits][e[+-]digits], also ".5" and "5." */
static FileType
type_of_number(const char *text, gsize n)
{
    const char *p = text, *end = text + n;
    if (*p == '-')
        p++;
    gsize whole = count_digits(p, end);
    if (whole > 1 && *p == '0')
        return FILE_TYPE_STRING;
    p += whole;
    if (p == end && whole > 0) {
        gint64 ignored;
        SlJsonNode node = {text, n, .type = SL_JSON_NUMBER};
        return whole <= MAX_SAFE_DIGITS || sl_json_get_int64(&node, &ignored) ? FILE_TYPE_INTEGER
                                                                              : FILE_TYPE_NUMBER;
    }
    gsize fraction = 0;
    if (p < end && *p == '.') {
        p++;
        fraction = count_digits(p, end);
        p += fraction;
    }
    if (whole + fraction == 0)
        return FILE_TYPE_STRING;
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        gsize exponent = count_digits(p, end);
        /* Beyond this no destination holds it. */
        if (exponent == 0 || exponent > 3)
            return FILE_TYPE_STRING;
        p += exponent;
    }
    return p == end ? FILE_TYPE_NUMBER : FILE_TYPE_STRING;
}

/* Exactly `count` digits at *p, of at most `max`. */
static gboolean
take_number(const char **p, const char *end, guint count, int min, int max, int *ret)
{
    int value = 0;
    if (end - *p < (gssize)count)
        return FALSE;
    for (guint i = 0; i < count; i++, (*p)++) {
        if (!g_ascii_isdigit(**p))
            return FALSE;
        value = value * 10 + (**p - '0');
    }
    *ret = value;
    return value >= min && value <= max;
}

static gboolean
take_char(const char **p, const char *end, const char *any_of)
{
    if (*p == end || strchr(any_of, **p) == NULL || **p == '\0')
        return FALSE;
    (*p)++;
    return TRUE;
}

static gboolean
take_date(const char **p, const char *end)
{
    int year, month, day;
    return take_number(p, end, 4, 1, 9999, &year) && take_char(p, end, "-") &&
           take_number(p, end, 2, 1, 12, &month) && take_char(p, end, "-") &&
           take_number(p, end, 2, 1, 31, &day) &&
           g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year);
}

/* hh:mm[:ss[.fraction]] */
static gboolean
take_time(const char **p, const char *end)
{
    int ignored;
    if (!take_number(p, end, 2, 0, 23, &ignored) || !take_char(p, end, ":") ||
        !take_number(p, end, 2, 0, 59, &ignored))
        return FALSE;
    if (!take_char(p, end, ":"))
        return TRUE;
    if (!take_number(p, end, 2, 0, 59, &ignored))
        return FALSE;
    if (!take_char(p, end, "."))
        return TRUE;
    gsize digits = count_digits(*p, end);
    *p += digits;
    return digits > 0;
}

static FileType
type_of_moment(const char *text, gsize n)
{
    const char *p = text, *end = text + n;
    int ignored;
    if (n > MAX_TIMESTAMP || !take_date(&p, end))
        return FILE_TYPE_STRING;
    if (p == end)
        return FILE_TYPE_DATE;
    if (!take_char(&p, end, "T ") || !take_time(&p, end))
        return FILE_TYPE_STRING;
    if (p == end)
        return FILE_TYPE_TIMESTAMP;
    if (take_char(&p, end, "Z"))
        return p == end ? FILE_TYPE_TIMESTAMP_TZ : FILE_TYPE_STRING;
    if (!take_char(&p, end, "+-") || !take_number(&p, end, 2, 0, 15, &ignored))
        return FILE_TYPE_STRING;
    if (p != end) {
        take_char(&p, end, ":");
        if (!take_number(&p, end, 2, 0, 59, &ignored))
            return FILE_TYPE_STRING;
    }
    return p == end ? FILE_TYPE_TIMESTAMP_TZ : FILE_TYPE_STRING;
}

static gboolean
is_boolean(const char *text, gsize n)
{
    static const char *const words[] = {"true", "false", "True", "False", "TRUE", "FALSE"};
    for (guint i = 0; i < G_N_ELEMENTS(words); i++)
        if (strlen(words[i]) == n && memcmp(words[i], text, n) == 0)
            return TRUE;
    return FALSE;
}

FileType
file_type_of_text(const char *text, gsize n)
{
    if (n == 0)
        return FILE_TYPE_STRING;
    char first = *text;
    if (first == '-' || first == '.')
        return type_of_number(text, n);
    if (g_ascii_isdigit(first)) {
        /* "2024-01-02" has its first dash here, and a number never has one. */
        return n >= 10 && text[4] == '-' ? type_of_moment(text, n) : type_of_number(text, n);
    }
    if ((n == 4 || n == 5) && is_boolean(text, n))
        return FILE_TYPE_BOOLEAN;
    return FILE_TYPE_STRING;
}

FileType
file_type_of_node(const SlJsonNode *node)
{
    gint64 ignored;
    switch (node->type) {
    case SL_JSON_NULL:
        return FILE_TYPE_NULL;
    case SL_JSON_FALSE:
    case SL_JSON_TRUE:
        return FILE_TYPE_BOOLEAN;
    case SL_JSON_NUMBER:
        return sl_json_get_int64(node, &ignored) ? FILE_TYPE_INTEGER : FILE_TYPE_NUMBER;
    case SL_JSON_ARRAY:
        return FILE_TYPE_ARRAY;
    case SL_JSON_OBJECT:
        return FILE_TYPE_OBJECT;
    default: {
        FileType type = node->n < 12 ? FILE_TYPE_STRING : type_of_moment(node->p + 1, node->n - 2);
        return type;
    }
    }
}

FileType
file_type_widen(FileType a, FileType b)
{
    if (a == b || b == FILE_TYPE_NULL)
        return a;
    if (a == FILE_TYPE_NULL)
        return b;
    if (MIN(a, b) == FILE_TYPE_INTEGER && MAX(a, b) == FILE_TYPE_NUMBER)
        return FILE_TYPE_NUMBER;
    return FILE_TYPE_STRING;
}

const char *
file_type_schema(FileType type)
{
    return types[type].schema;
}

const char *
file_type_name(FileType type)
{
    return types[type].name;
}

static gboolean
schema_says(const SlJsonDoc *doc, const SlJsonNode *type, const char *word)
{
    if (type == NULL)
        return FALSE;
    if (type->type == SL_JSON_STRING)
        return sl_json_string_is(type, word);
    if (type->type != SL_JSON_ARRAY)
        return FALSE;
    SL_JSON_FOREACH (doc, type, child) {
        if (sl_json_string_is(child, word))
            return TRUE;
    }
    return FALSE;
}

FileType
file_type_from_schema(const SlJsonDoc *doc, const SlJsonNode *property)
{
    static const struct {
        const char *word;
        FileType type;
    } words[] = {
        {"string", FILE_TYPE_STRING},   {"number", FILE_TYPE_NUMBER},
        {"integer", FILE_TYPE_INTEGER}, {"boolean", FILE_TYPE_BOOLEAN},
        {"object", FILE_TYPE_OBJECT},   {"array", FILE_TYPE_ARRAY},
    };
    const SlJsonNode *type = sl_json_get(doc, property, "type");
    const SlJsonNode *format = sl_json_get(doc, property, "format");
    const SlJsonNode *airbyte = sl_json_get(doc, property, "airbyte_type");
    FileType found = FILE_TYPE_STRING;
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        if (schema_says(doc, type, words[i].word)) {
            found = words[i].type;
            break;
        }
    }
    if (found == FILE_TYPE_NUMBER && airbyte != NULL && sl_json_string_is(airbyte, "integer"))
        return FILE_TYPE_INTEGER;
    if (found == FILE_TYPE_STRING && format != NULL && sl_json_string_is(format, "date-time"))
        return airbyte != NULL && sl_json_string_is(airbyte, "timestamp_without_timezone")
                   ? FILE_TYPE_TIMESTAMP
                   : FILE_TYPE_TIMESTAMP_TZ;
    return found;
}
