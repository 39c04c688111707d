/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-stream-table.h"

#include <string.h>

/* Remembered spellings with escapes: a hostile source must not fill the memory with them. */
#define MAX_SPELLINGS 4096

typedef struct {
    char *bytes; /* namespace, then name */
    gsize ns_len, len;
    guint32 hash;
    /* A name may itself hold a backslash: its plain text must not be mistaken for a spelling. */
    guint8 escapes;
    gint index;
} Row;

struct SlStreamTable {
    Row *rows;
    guint n_rows, n_allocated, n_spellings;
    gint32 *buckets; /* row, or -1; a power of two of them, at most half full */
    guint mask;
    gint32 last; /* row of the last hit: records come in runs */
};

static guint32
hash_bytes(guint32 hash, const char *p, gsize n)
{
    for (; n >= 8; p += 8, n -= 8) {
        guint64 word;
        memcpy(&word, p, 8);
        word = (word ^ hash) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
        hash = (guint32)(word >> 32) ^ (guint32)word;
    }
    for (; n > 0; p++, n--)
        hash = (hash ^ (guint8)*p) * 16777619u;
    return hash;
}

static guint32
hash_names(SlSpan ns, SlSpan name, guint8 escapes)
{
    guint32 hash = hash_bytes(2166136261u + escapes, ns.p, ns.n);
    return hash_bytes(hash * 31 + (guint32)ns.n, name.p, name.n);
}

static gboolean
row_is(const Row *row, SlSpan ns, SlSpan name, guint8 escapes)
{
    return row->ns_len == ns.n && row->len == ns.n + name.n && row->escapes == escapes &&
           (ns.n == 0 || memcmp(row->bytes, ns.p, ns.n) == 0) &&
           memcmp(row->bytes + ns.n, name.p, name.n) == 0;
}

static void
fill_buckets(SlStreamTable *table)
{
    guint n = 16;
    while (n < table->n_allocated * 2)
        n *= 2;
    table->buckets = g_renew(gint32, table->buckets, n);
    table->mask = n - 1;
    memset(table->buckets, 0xff, n * sizeof *table->buckets);
    for (guint i = 0; i < table->n_rows; i++) {
        guint at = table->rows[i].hash & table->mask;
        while (table->buckets[at] >= 0)
            at = (at + 1) & table->mask;
        table->buckets[at] = (gint32)i;
    }
}

static void
add_row(SlStreamTable *table, SlSpan ns, SlSpan name, guint8 escapes, gint index)
{
    Row *row;
    gboolean grow = table->n_rows == table->n_allocated;
    if (grow) {
        table->n_allocated = MAX(16, table->n_allocated * 2);
        table->rows = g_renew(Row, table->rows, table->n_allocated);
    }
    row = &table->rows[table->n_rows++];
    *row = (Row){g_malloc(ns.n + name.n + 1),   ns.n,    ns.n + name.n,
                 hash_names(ns, name, escapes), escapes, index};
    if (ns.n > 0)
        memcpy(row->bytes, ns.p, ns.n);
    memcpy(row->bytes + ns.n, name.p, name.n);
    if (grow) {
        fill_buckets(table);
        return;
    }
    guint at = row->hash & table->mask;
    while (table->buckets[at] >= 0)
        at = (at + 1) & table->mask;
    table->buckets[at] = (gint32)(table->n_rows - 1);
}

static SlSpan
span_of(const char *text)
{
    return text != NULL ? (SlSpan){text, strlen(text)} : (SlSpan){NULL, 0};
}

SlStreamTable *
sl_stream_table_new(const SlCatalog *catalog, SlNamesSide side)
{
    SlStreamTable *table = g_new0(SlStreamTable, 1);
    table->last = -1;
    fill_buckets(table);
    for (guint i = 0; i < catalog->n_streams; i++) {
        const SlCatalogStream *stream = &catalog->streams[i];
        gboolean to = side == SL_NAMES_OF_DESTINATION;
        add_row(table, span_of(to ? stream->to_ns : stream->ns),
                span_of(to ? stream->to_name : stream->name), 0, (gint)i);
    }
    return table;
}

void
sl_stream_table_free(SlStreamTable *table)
{
    if (table == NULL)
        return;
    for (guint i = 0; i < table->n_rows; i++)
        g_free(table->rows[i].bytes);
    g_free(table->rows);
    g_free(table->buckets);
    g_free(table);
}

static gint32
find_row(const SlStreamTable *table, SlSpan ns, SlSpan name, guint8 escapes)
{
    guint32 hash = hash_names(ns, name, escapes);
    for (guint at = hash & table->mask; table->buckets[at] >= 0; at = (at + 1) & table->mask) {
        const Row *row = &table->rows[table->buckets[at]];
        if (row->hash == hash && row_is(row, ns, name, escapes))
            return table->buckets[at];
    }
    return -1;
}

gint
sl_stream_table_find(SlStreamTable *table, SlSpan ns, gboolean ns_escaped, SlSpan name,
                     gboolean name_escaped)
{
    guint8 escapes = (guint8)((ns_escaped ? 1 : 0) | (name_escaped ? 2 : 0));
    if (table->last >= 0 && row_is(&table->rows[table->last], ns, name, escapes))
        return table->rows[table->last].index;
    gint32 found = find_row(table, ns, name, escapes);
    if (found >= 0) {
        table->last = found;
        return table->rows[found].index;
    }
    if (escapes == 0)
        return -1;
    g_autoptr(GString) plain_ns = g_string_new(NULL), plain_name = g_string_new(NULL);
    if (!sl_json_append_unescaped(ns, plain_ns) || !sl_json_append_unescaped(name, plain_name))
        return -1;
    found = find_row(table, (SlSpan){plain_ns->str, plain_ns->len},
                     (SlSpan){plain_name->str, plain_name->len}, 0);
    if (found < 0)
        return -1;
    gint index = table->rows[found].index;
    if (table->n_spellings < MAX_SPELLINGS) {
        table->n_spellings++;
        add_row(table, ns, name, escapes, index);
    }
    return index;
}

/* Text between the quotes of a STRING; empty for missing and null. FALSE: something else. */
static gboolean
string_span(const SlJsonNode *node, SlSpan *ret, gboolean *ret_escaped)
{
    *ret = (SlSpan){NULL, 0};
    *ret_escaped = FALSE;
    if (node == NULL || node->type == SL_JSON_NULL)
        return TRUE;
    if (node->type != SL_JSON_STRING)
        return FALSE;
    *ret = (SlSpan){node->p + 1, node->n - 2};
    *ret_escaped = node->escaped != 0;
    return TRUE;
}

gint
sl_stream_table_find_descriptor(SlStreamTable *table, const SlJsonDoc *doc,
                                const SlJsonNode *descriptor)
{
    SlSpan ns, name;
    gboolean ns_escaped, name_escaped;
    if (!string_span(sl_json_get(doc, descriptor, "namespace"), &ns, &ns_escaped) ||
        !string_span(sl_json_get(doc, descriptor, "name"), &name, &name_escaped) || name.n == 0)
        return -1;
    return sl_stream_table_find(table, ns, ns_escaped, name, name_escaped);
}
