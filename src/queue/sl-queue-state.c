/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-queue-state.h"

#include <string.h>

#include "sl-error.h"
#include "sl-sql.h"

/* One row to write: state NULL deletes. Keys are "namespace\x1fstream". */
typedef struct {
    const char *type; /* static */
    char *ns;
    char *stream;
    char *state;
} Entry;

static void
entry_free(gpointer data)
{
    Entry *entry = data;
    g_free(entry->ns);
    g_free(entry->stream);
    g_free(entry->state);
    g_free(entry);
}

static void
put(GHashTable *entries, const char *type, char *ns, char *stream, const SlJsonNode *state)
{
    Entry *entry = g_new0(Entry, 1);
    entry->type = type;
    entry->ns = ns != NULL ? ns : g_strdup("");
    entry->stream = stream != NULL ? stream : g_strdup("");
    if (state != NULL && state->type != SL_JSON_NULL)
        entry->state = sl_json_dup_span(state);
    g_hash_table_replace(entries, g_strconcat(entry->ns, "\x1f", entry->stream, NULL), entry);
}

static gboolean
put_stream(GHashTable *entries, const char *type, const SlJsonDoc *doc, const SlJsonNode *node,
           GError **error)
{
    const SlJsonNode *descriptor = sl_json_get(doc, node, "stream_descriptor");
    const SlJsonNode *ns = sl_json_get(doc, descriptor, "namespace");
    const SlJsonNode *name = sl_json_get(doc, descriptor, "name");
    g_autofree char *stream = name != NULL ? sl_json_dup_string(name) : NULL;
    if (stream == NULL || *stream == '\0')
        return sl_error_set(error, SL_ERROR_INVALID, "stream_descriptor.name: expected a name");
    put(entries, type, ns != NULL ? sl_json_dup_string(ns) : NULL, g_steal_pointer(&stream),
        sl_json_get(doc, node, "stream_state"));
    return TRUE;
}

static gboolean
put_message(GHashTable *entries, const SlJsonDoc *doc, const SlJsonNode *message, GError **error)
{
    const SlJsonNode *inner = sl_json_get(doc, message, "state");
    if (inner != NULL && inner->type == SL_JSON_OBJECT &&
        sl_json_get(doc, message, "stream") == NULL)
        message = inner; /* with its envelope */
    if (message->type != SL_JSON_OBJECT)
        return sl_error_set(error, SL_ERROR_INVALID, "expected a STATE message");
    const SlJsonNode *type = sl_json_get(doc, message, "type");
    if (type == NULL || sl_json_string_is(type, "LEGACY")) {
        put(entries, "LEGACY", NULL, NULL, sl_json_get(doc, message, "data"));
        return TRUE;
    }
    if (sl_json_string_is(type, "STREAM"))
        return put_stream(entries, "STREAM", doc, sl_json_get(doc, message, "stream"), error);
    const SlJsonNode *global = sl_json_get(doc, message, "global");
    if (!sl_json_string_is(type, "GLOBAL") || global == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "type: expected STREAM, GLOBAL or LEGACY");
    put(entries, "GLOBAL", NULL, NULL, sl_json_get(doc, global, "shared_state"));
    SL_JSON_FOREACH (doc, sl_json_get(doc, global, "stream_states"), child)
        if (!put_stream(entries, "GLOBAL", doc, child, error))
            return FALSE;
    return TRUE;
}

static GHashTable *
parse_states(const char *states, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(states, strlen(states), NULL, error);
    g_autoptr(GHashTable) entries =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    guint i = 0;
    if (doc == NULL || sl_json_root(doc)->type != SL_JSON_ARRAY) {
        if (doc != NULL)
            sl_error_set(error, SL_ERROR_INVALID, "states: expected array");
        return NULL;
    }
    SL_JSON_FOREACH (doc, sl_json_root(doc), message) {
        if (!put_message(entries, doc, message, error)) {
            g_prefix_error(error, "states[%u].", i);
            return NULL;
        }
        i++;
    }
    return g_steal_pointer(&entries);
}

/* A connection has states of one type. LEGACY gives way to its successors; the two successors are
 * never mixed, because each would hide the other's position. */
static gboolean
check_types(SlTx *tx, const char *connection_id, GHashTable *entries, GError **error)
{
    const char *new_type = NULL;
    GHashTableIter iter;
    Entry *entry;
    g_hash_table_iter_init(&iter, entries);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&entry)) {
        if (new_type != NULL && strcmp(new_type, entry->type) != 0)
            return sl_error_set(error, SL_ERROR_CONFLICT, "states of type %s and %s are mixed",
                                new_type, entry->type);
        new_type = entry->type;
    }
    g_autoptr(GPtrArray) rows = NULL;
    if (new_type == NULL || !sl_sql_state_list(tx, connection_id, &rows, error))
        return new_type == NULL;
    if (rows->len == 0)
        return TRUE;
    const SlStateRow *old = rows->pdata[0];
    if (strcmp(old->type, new_type) == 0)
        return TRUE;
    if (strcmp(old->type, "LEGACY") == 0)
        return sl_sql_state_delete_type(tx, connection_id, "LEGACY", NULL, error);
    return sl_error_set(error, SL_ERROR_CONFLICT,
                        "the connection has states of type %s, the source now sends %s; "
                        "clear the connection to start afresh",
                        old->type, new_type);
}

typedef struct {
    GPtrArray *types, *namespaces, *streams, *states; /* borrowed strings, NULL-terminated at use */
} Columns;

static void
columns_init(Columns *columns)
{
    columns->types = g_ptr_array_new();
    columns->namespaces = g_ptr_array_new();
    columns->streams = g_ptr_array_new();
    columns->states = g_ptr_array_new();
}

static void
columns_clear(Columns *columns)
{
    g_ptr_array_unref(columns->types);
    g_ptr_array_unref(columns->namespaces);
    g_ptr_array_unref(columns->streams);
    g_ptr_array_unref(columns->states);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Columns, columns_clear)

static void
columns_add(Columns *columns, const Entry *entry)
{
    g_ptr_array_add(columns->types, (gpointer)entry->type);
    g_ptr_array_add(columns->namespaces, entry->ns);
    g_ptr_array_add(columns->streams, entry->stream);
    g_ptr_array_add(columns->states, entry->state);
}

static const char *const *
strings(GPtrArray *array)
{
    g_ptr_array_add(array, NULL);
    return (const char *const *)array->pdata;
}

gboolean
sl_queue_states_save(SlTx *tx, const char *connection_id, const char *states, gint64 now,
                     GError **error)
{
    g_auto(Columns) keep = {0}, drop = {0};
    columns_init(&keep);
    columns_init(&drop);
    g_autoptr(GHashTable) entries = parse_states(states, error);
    if (entries == NULL || !check_types(tx, connection_id, entries, error))
        return FALSE;
    GHashTableIter iter;
    Entry *entry;
    g_hash_table_iter_init(&iter, entries);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&entry))
        columns_add(entry->state != NULL ? &keep : &drop, entry);
    if (drop.streams->len > 0 && !sl_sql_state_delete(tx, connection_id, strings(drop.namespaces),
                                                      strings(drop.streams), NULL, error))
        return FALSE;
    return keep.streams->len == 0 ||
           sl_sql_state_save(tx, connection_id, strings(keep.types), strings(keep.namespaces),
                             strings(keep.streams), strings(keep.states), now, NULL, error);
}

static void
write_stream_state(SlJsonWriter *w, const SlStateRow *row)
{
    sl_json_begin_object(w);
    sl_json_key(w, "stream_descriptor");
    sl_json_begin_object(w);
    sl_json_member_string(w, "name", row->stream);
    sl_json_member_string(w, "namespace", *row->namespace != '\0' ? row->namespace : NULL);
    sl_json_end_object(w);
    sl_json_member_raw(w, "stream_state", row->state);
    sl_json_end_object(w);
}

static void
write_global(SlJsonWriter *w, const GPtrArray *rows)
{
    const char *shared = NULL;
    for (guint i = 0; i < rows->len; i++)
        if (*((SlStateRow *)rows->pdata[i])->stream == '\0')
            shared = ((SlStateRow *)rows->pdata[i])->state;
    sl_json_begin_object(w);
    sl_json_member_string(w, "type", "GLOBAL");
    sl_json_key(w, "global");
    sl_json_begin_object(w);
    sl_json_member_raw(w, "shared_state", shared);
    sl_json_key(w, "stream_states");
    sl_json_begin_array(w);
    for (guint i = 0; i < rows->len; i++)
        if (*((SlStateRow *)rows->pdata[i])->stream != '\0')
            write_stream_state(w, rows->pdata[i]);
    sl_json_end_array(w);
    sl_json_end_object(w);
    sl_json_end_object(w);
}

static void
write_state(SlJsonWriter *w, const SlStateRow *row)
{
    sl_json_begin_object(w);
    sl_json_member_string(w, "type", row->type);
    if (strcmp(row->type, "LEGACY") == 0) {
        sl_json_member_raw(w, "data", row->state);
    } else {
        sl_json_key(w, "stream");
        write_stream_state(w, row);
    }
    sl_json_end_object(w);
}

char *
sl_queue_states_build(const GPtrArray *rows)
{
    if (rows == NULL || rows->len == 0)
        return NULL;
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    const SlStateRow *first = rows->pdata[0];
    sl_json_begin_array(&w);
    if (strcmp(first->type, "GLOBAL") == 0)
        write_global(&w, rows);
    else
        for (guint i = 0; i < rows->len; i++)
            write_state(&w, rows->pdata[i]);
    sl_json_end_array(&w);
    return g_string_free(out, FALSE);
}

/* --- statistics ------------------------------------------------------------------------------ */

static const gsize counters[] = {
    G_STRUCT_OFFSET(SlSyncStats, records_emitted),
    G_STRUCT_OFFSET(SlSyncStats, bytes_emitted),
    G_STRUCT_OFFSET(SlSyncStats, records_committed),
    G_STRUCT_OFFSET(SlSyncStats, bytes_committed),
    G_STRUCT_OFFSET(SlSyncStats, records_rejected),
    G_STRUCT_OFFSET(SlSyncStats, estimated_records),
    G_STRUCT_OFFSET(SlSyncStats, estimated_bytes),
    G_STRUCT_OFFSET(SlSyncStats, source_state_messages_emitted),
    G_STRUCT_OFFSET(SlSyncStats, destination_state_messages_emitted),
    G_STRUCT_OFFSET(SlSyncStats, records_filtered_out),
    G_STRUCT_OFFSET(SlSyncStats, bytes_filtered_out),
};

typedef struct {
    GPtrArray *namespaces, *streams;
    GPtrArray *values[G_N_ELEMENTS(counters)];
    GPtrArray *run_states, *causes, *quotas, *additional;
} StatsColumns;

static void
add_stats(StatsColumns *columns, const char *ns, const char *stream, const SlSyncStats *stats)
{
    g_ptr_array_add(columns->namespaces, g_strdup(ns != NULL ? ns : ""));
    g_ptr_array_add(columns->streams, g_strdup(stream));
    g_ptr_array_add(columns->additional,
                    g_strdup(stats->additional_stats != NULL ? stats->additional_stats : ""));
    for (gsize i = 0; i < G_N_ELEMENTS(counters); i++)
        g_ptr_array_add(
            columns->values[i],
            g_strdup_printf("%" G_GINT64_FORMAT, G_STRUCT_MEMBER(gint64, stats, counters[i])));
}

/* `stream` NULL: the whole attempt, which is in no such state. */
static void
add_run_state(StatsColumns *columns, const SlStreamStats *stream)
{
    gboolean known =
        stream != NULL && sl_record_has(&sl_stream_stats_record, stream, SL_STREAM_STATS_RUN_STATE);
    gboolean caused = stream != NULL && sl_record_has(&sl_stream_stats_record, stream,
                                                      SL_STREAM_STATS_INCOMPLETE_RUN_CAUSE);
    g_ptr_array_add(
        columns->run_states,
        g_strdup(known ? sl_enum_name(&sl_stream_run_state_enum, stream->run_state) : ""));
    g_ptr_array_add(columns->causes, g_strdup(caused ? sl_enum_name(&sl_stream_run_cause_enum,
                                                                    stream->incomplete_run_cause)
                                                     : ""));
    g_ptr_array_add(columns->quotas,
                    g_strdup_printf("%" G_GINT64_FORMAT, stream != NULL ? stream->quota_reset : 0));
}

gboolean
sl_queue_stats_save(SlTx *tx, gint64 job_id, gint64 attempt_number, const SlAttemptStats *stats,
                    gint64 now, GError **error)
{
    StatsColumns columns;
    const char *const *values[G_N_ELEMENTS(counters)];
    columns.namespaces = g_ptr_array_new_with_free_func(g_free);
    columns.streams = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; i < G_N_ELEMENTS(counters); i++)
        columns.values[i] = g_ptr_array_new_with_free_func(g_free);
    GPtrArray **texts[] = {&columns.run_states, &columns.causes, &columns.quotas,
                           &columns.additional};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        *texts[i] = g_ptr_array_new_with_free_func(g_free);
    if (stats->total != NULL) {
        add_stats(&columns, "", "", stats->total);
        add_run_state(&columns, NULL);
    }
    for (guint i = 0; stats->streams != NULL && i < stats->streams->len; i++) {
        const SlStreamStats *stream = stats->streams->pdata[i];
        add_stats(&columns, stream->stream_namespace, stream->stream_name, stream->stats);
        add_run_state(&columns, stream);
    }
    const char *const *namespaces = strings(columns.namespaces);
    const char *const *streams = strings(columns.streams);
    for (gsize i = 0; i < G_N_ELEMENTS(counters); i++)
        values[i] = strings(columns.values[i]);
    gboolean ok = sl_sql_attempt_stats_save(
        tx, job_id, attempt_number, namespaces, streams, values[0], values[1], values[2], values[3],
        values[4], values[5], values[6], values[7], values[8], values[9], values[10],
        strings(columns.quotas), strings(columns.run_states), strings(columns.causes),
        strings(columns.additional), now, NULL, error);
    g_ptr_array_unref(columns.namespaces);
    g_ptr_array_unref(columns.streams);
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        g_ptr_array_unref(*texts[i]);
    for (gsize i = 0; i < G_N_ELEMENTS(counters); i++)
        g_ptr_array_unref(columns.values[i]);
    return ok;
}
