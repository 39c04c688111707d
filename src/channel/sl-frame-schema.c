/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "sl-frame-schema.h"

#include <string.h>

#include "sl-error.h"
#include "sl-json-scan.h"
#include "sl-json-write.h"

struct SlFrameSchema {
    SlColumn *columns;
    guint n;
    GHashTable *by_name; /* name → index + 1 */
    /* What the last record was like: its i-th member was this column. Most records are alike. */
    guint *guess;
    guint n_guess;
    SlSpan *found; /* per column, of the record in hand */
    GString *scratch;
};

/* --- types --------------------------------------------------------------------------------- */

/* airbyte_type says more than format, and format more than type. */
static const struct {
    const char *type, *format, *airbyte_type;
    SlColumnType is;
} types[] = {
    {"boolean", NULL, NULL, SL_COLUMN_BOOLEAN},
    {"integer", NULL, NULL, SL_COLUMN_INTEGER},
    {"number", NULL, "integer", SL_COLUMN_INTEGER},
    {"number", NULL, NULL, SL_COLUMN_NUMBER},
    {"string", NULL, "timestamp_without_timezone", SL_COLUMN_TIMESTAMP_WITHOUT_TIMEZONE},
    {"string", NULL, "timestamp_with_timezone", SL_COLUMN_TIMESTAMP_WITH_TIMEZONE},
    {"string", NULL, "time_without_timezone", SL_COLUMN_TIME_WITHOUT_TIMEZONE},
    {"string", NULL, "time_with_timezone", SL_COLUMN_TIME_WITH_TIMEZONE},
    {"string", "date", NULL, SL_COLUMN_DATE},
    {"string", "date-time", NULL, SL_COLUMN_TIMESTAMP_WITH_TIMEZONE},
    {"string", "time", NULL, SL_COLUMN_TIME_WITH_TIMEZONE},
    {"string", NULL, NULL, SL_COLUMN_STRING},
};

/* The one type that is not "null"; NULL: none, or several. */
static const SlJsonNode *
only_type(const SlJsonDoc *doc, const SlJsonNode *property)
{
    const SlJsonNode *type = sl_json_get(doc, property, "type"), *found = NULL;
    if (type == NULL || type->type == SL_JSON_STRING)
        return type;
    SL_JSON_FOREACH (doc, type, item) {
        if (item->type != SL_JSON_STRING || sl_json_string_is(item, "null"))
            continue;
        if (found != NULL)
            return NULL;
        found = item;
    }
    return found;
}

static gboolean
is_word(const SlJsonNode *node, const char *wanted)
{
    return wanted == NULL ||
           (node != NULL && node->type == SL_JSON_STRING && sl_json_string_is(node, wanted));
}

static SlColumnType
column_type(const SlJsonDoc *doc, const SlJsonNode *property)
{
    const SlJsonNode *type = only_type(doc, property);
    const SlJsonNode *format = sl_json_get(doc, property, "format");
    const SlJsonNode *airbyte_type = sl_json_get(doc, property, "airbyte_type");
    for (guint i = 0; type != NULL && i < G_N_ELEMENTS(types); i++)
        if (is_word(type, types[i].type) && is_word(format, types[i].format) &&
            is_word(airbyte_type, types[i].airbyte_type))
            return types[i].is;
    return SL_COLUMN_JSON;
}

/* --- order --------------------------------------------------------------------------------- */

/* UTF-8 sorts by code point; UTF-16 has what is above U+FFFF (lead bytes F0…) in front of U+E000
 * to U+FFFF (lead bytes EE and EF). */
static guint
rank(guint8 byte)
{
    return byte >= 0xf0 ? byte - 2u : byte >= 0xee ? byte + 16u : byte;
}

static int
compare_columns(gconstpointer a, gconstpointer b, gpointer data)
{
    const SlColumn *x = a, *y = b;
    gsize n = MIN(x->name_len, y->name_len);
    for (gsize i = 0; i < n; i++)
        if (x->name[i] != y->name[i])
            return (int)rank((guint8)x->name[i]) - (int)rank((guint8)y->name[i]);
    return (x->name_len > y->name_len) - (x->name_len < y->name_len);
}

static void
add_column(SlFrameSchema *schema, const SlJsonDoc *doc, const SlJsonNode *key)
{
    SlColumn *column = &schema->columns[schema->n];
    g_autoptr(GString) name = g_string_new(NULL), quoted = g_string_new(NULL);
    sl_json_append_string(key, name);
    sl_json_append_quoted(quoted, name->str, name->len);
    g_string_append_c(quoted, ':');
    column->type = column_type(doc, key + 1);
    column->name_len = name->len;
    column->name = g_string_free(g_steal_pointer(&name), FALSE);
    column->key_len = quoted->len;
    column->key = g_string_free(g_steal_pointer(&quoted), FALSE);
    schema->n++;
}

static void
clear_column(SlColumn *column)
{
    g_free(column->name);
    g_free(column->key);
}

/* Of a name that is there twice the last one counts, as everywhere. */
static void
drop_repeated(SlFrameSchema *schema)
{
    guint n = 0;
    for (guint i = 0; i < schema->n; i++) {
        if (n > 0 && compare_columns(&schema->columns[n - 1], &schema->columns[i], NULL) == 0)
            clear_column(&schema->columns[--n]);
        schema->columns[n++] = schema->columns[i];
    }
    schema->n = n;
}

SlFrameSchema *
sl_frame_schema_new(const SlJsonDoc *doc, const SlJsonNode *json_schema)
{
    SlFrameSchema *schema = g_new0(SlFrameSchema, 1);
    const SlJsonNode *properties = sl_json_get(doc, json_schema, "properties");
    guint n = properties != NULL && properties->type == SL_JSON_OBJECT ? properties->count : 0;
    schema->columns = g_new0(SlColumn, n + 1);
    if (n > 0) {
        SL_JSON_FOREACH (doc, properties, key) {
            add_column(schema, doc, key);
        }
    }
    /* Merge sort: equal names keep the order of the document. */
    g_qsort_with_data(schema->columns, (gint)schema->n, sizeof(SlColumn), compare_columns, NULL);
    drop_repeated(schema);
    schema->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < schema->n; i++)
        g_hash_table_insert(schema->by_name, schema->columns[i].name, GUINT_TO_POINTER(i + 1));
    schema->guess = g_new0(guint, schema->n + 1);
    schema->found = g_new0(SlSpan, schema->n + 1);
    schema->scratch = g_string_new(NULL);
    return schema;
}

void
sl_frame_schema_free(SlFrameSchema *schema)
{
    if (schema == NULL)
        return;
    for (guint i = 0; i < schema->n; i++)
        clear_column(&schema->columns[i]);
    g_free(schema->columns);
    g_hash_table_unref(schema->by_name);
    g_free(schema->guess);
    g_free(schema->found);
    g_string_free(schema->scratch, TRUE);
    g_free(schema);
}

guint
sl_frame_schema_n_columns(const SlFrameSchema *schema)
{
    return schema->n;
}

const SlColumn *
sl_frame_schema_column(const SlFrameSchema *schema, guint i)
{
    return i < schema->n ? &schema->columns[i] : NULL;
}

gboolean
sl_frame_schema_equal(const SlFrameSchema *a, const SlFrameSchema *b)
{
    if (a->n != b->n)
        return FALSE;
    for (guint i = 0; i < a->n; i++)
        if (compare_columns(&a->columns[i], &b->columns[i], NULL) != 0)
            return FALSE;
    return TRUE;
}

/* --- records ------------------------------------------------------------------------------- */

/* Index + 1; 0: no column has that name. */
static guint
find_column(SlFrameSchema *schema, guint position, SlSpan key, gboolean escaped)
{
    if (position < schema->n_guess) {
        guint guess = schema->guess[position];
        const SlColumn *column = guess == 0 ? NULL : &schema->columns[guess - 1];
        if (column != NULL && !escaped && column->name_len == key.n &&
            memcmp(column->name, key.p, key.n) == 0)
            return guess;
    }
    g_string_truncate(schema->scratch, 0);
    if (escaped)
        sl_json_append_unescaped(key, schema->scratch);
    else
        g_string_append_len(schema->scratch, key.p, (gssize)key.n);
    if (strlen(schema->scratch->str) != schema->scratch->len)
        return 0; /* a name with a NUL in it: no property that we keep has one */
    guint found = GPOINTER_TO_UINT(g_hash_table_lookup(schema->by_name, schema->scratch->str));
    if (position < schema->n) {
        schema->guess[position] = found;
        schema->n_guess = MAX(schema->n_guess, position + 1);
    }
    return found;
}

gboolean
sl_frame_schema_encode(SlFrameSchema *schema, SlSpan object, SlBytes *out, guint *ret_strangers,
                       GError **error)
{
    gsize cursor = 0, room = 0;
    SlSpan key, value;
    gboolean escaped, malformed = FALSE;
    guint strangers = 0;
    memset(schema->found, 0, schema->n * sizeof *schema->found);
    for (guint i = 0; sl_json_members_next(object, &cursor, &key, &escaped, &value, &malformed);
         i++) {
        guint found = find_column(schema, i, key, escaped);
        if (found > 0)
            schema->found[found - 1] = value;
        else
            strangers++;
        room += SL_VALUE_ROOM(value.n);
    }
    if (malformed)
        return sl_error_set(error, SL_ERROR_PROTOCOL, "the data of a record is broken JSON");
    static const SlSpan null = {"null", 4};
    char *p = sl_bytes_reserve(out, room + schema->n * SL_VALUE_ROOM(4));
    for (guint i = 0; i < schema->n && p != NULL; i++)
        p = sl_frame_value_put(p, schema->columns[i].type,
                               schema->found[i].n > 0 ? schema->found[i] : null, schema->scratch);
    if (p == NULL)
        return sl_error_set(error, SL_ERROR_PROTOCOL, "a value of a record is broken JSON");
    out->len = (gsize)(p - out->p);
    if (ret_strangers != NULL)
        *ret_strangers = strangers;
    return TRUE;
}

static void
append_key(const SlFrameSchema *schema, guint i, SlBytes *out)
{
    const SlColumn *column = &schema->columns[i];
    char *p = sl_bytes_reserve(out, column->key_len + 1);
    *p++ = i == 0 ? '{' : ',';
    memcpy(p, column->key, column->key_len);
    out->len += column->key_len + 1;
}

gboolean
sl_frame_schema_decode(SlFrameSchema *schema, const SlFrame *frame, SlBytes *out, GError **error)
{
    SlFrameField field = {.p = frame->record.p, .end = frame->record.p + frame->record.n};
    guint n = 0;
    if (frame->n_values > schema->n)
        return sl_error_set(error, SL_ERROR_PROTOCOL,
                            "a record has %u values, and its stream's schema %u columns: both ends "
                            "need the same schema",
                            frame->n_values, schema->n);
    while (sl_frame_next_field(&field) == SL_FIELD_READ) {
        if (field.number != SL_RECORD_DATA || field.wire != 2)
            continue;
        append_key(schema, n, out);
        if (!sl_frame_value_append_json(field.bytes, out, schema->scratch))
            return sl_error_set(error, SL_ERROR_PROTOCOL, "a broken value of column '%s'",
                                schema->columns[n].name);
        n++;
    }
    for (; n < schema->n; n++) {
        append_key(schema, n, out);
        sl_bytes_append(out, "null", 4);
    }
    sl_bytes_append(out, schema->n > 0 ? "}" : "{}", schema->n > 0 ? 1 : 2);
    return TRUE;
}
