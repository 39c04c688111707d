/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-catalog.h"

#include <string.h>

#include "sl-error.h"
#include "sl-json-read.h"
#include "sl-json-write.h"
#include "sl-secret.h"

typedef enum {
    KIND_TEXT,
    KIND_BOOL,
    KIND_INT,
    KIND_OBJECT,
    KIND_TEXTS,
    KIND_PATHS,
    KIND_LIST
} Kind;

typedef struct {
    const char *camel, *snake;
    Kind kind;
} Member;

static const Member stream_members[] = {
    {"name", "name", KIND_TEXT},
    {"namespace", "namespace", KIND_TEXT},
    {"jsonSchema", "json_schema", KIND_OBJECT},
    {"supportedSyncModes", "supported_sync_modes", KIND_TEXTS},
    {"sourceDefinedCursor", "source_defined_cursor", KIND_BOOL},
    {"defaultCursorField", "default_cursor_field", KIND_TEXTS},
    {"sourceDefinedPrimaryKey", "source_defined_primary_key", KIND_PATHS},
    {"isResumable", "is_resumable", KIND_BOOL},
    {"isFileBased", "is_file_based", KIND_BOOL},
};

/* Those that have the same meaning on both sides; cursor, key, fields and mappers have code. */
static const Member config_members[] = {
    {"syncMode", "sync_mode", KIND_TEXT},
    {"destinationSyncMode", "destination_sync_mode", KIND_TEXT},
    {"destinationObjectName", "destination_object_name", KIND_TEXT},
    {"includeFiles", "include_files", KIND_BOOL},
    {"generationId", "generation_id", KIND_INT},
    {"minimumGenerationId", "minimum_generation_id", KIND_INT},
    {"syncId", "sync_id", KIND_INT},
};
#define N_STORED_CONFIG 4 /* the generations of a stored catalog are filled in per attempt */

static const char *const source_modes[] = {"full_refresh", "incremental", NULL};
static const char *const destination_modes[] = {
    "append", "overwrite", "append_dedup", "overwrite_dedup", "update", "soft_delete", NULL};

/* --- reading -----------------------------------------------------------------------------------
 */

/* NULL for what is not there and for null. */
static const SlJsonNode *
get(const SlJsonDoc *doc, const SlJsonNode *node, const char *name)
{
    const SlJsonNode *member = node != NULL ? sl_json_get(doc, node, name) : NULL;
    return member != NULL && member->type != SL_JSON_NULL ? member : NULL;
}

static gboolean
is_true(const SlJsonNode *node)
{
    return node != NULL && node->type == SL_JSON_TRUE;
}

static gboolean
is_filled(const SlJsonNode *node)
{
    return node != NULL && node->type == SL_JSON_ARRAY && node->count > 0;
}

static gboolean
list_has(const SlJsonDoc *doc, const SlJsonNode *list, const char *text)
{
    SL_JSON_FOREACH (doc, list, item)
        if (sl_json_string_is(item, text))
            return TRUE;
    return FALSE;
}

static char *
dup_text(const SlJsonDoc *doc, const SlJsonNode *node, const char *name)
{
    const SlJsonNode *member = get(doc, node, name);
    return member != NULL ? sl_json_dup_string(member) : NULL;
}

/* Finds a stream: namespace and name, a missing namespace being the empty one. */
static char *
stream_key(const SlJsonDoc *doc, const SlJsonNode *stream)
{
    g_autofree char *name = dup_text(doc, stream, "name");
    g_autofree char *ns = dup_text(doc, stream, "namespace");
    return g_strconcat(ns != NULL ? ns : "", "\x1f", name != NULL ? name : "", NULL);
}

static SlJsonDoc *
read_catalog(const char *text, const SlJsonNode **ret_streams, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, error);
    if (doc == NULL)
        return NULL;
    *ret_streams = sl_json_get(doc, sl_json_root(doc), "streams");
    if (*ret_streams == NULL || (*ret_streams)->type != SL_JSON_ARRAY) {
        sl_error_set(error, SL_ERROR_INVALID, "streams: expected array");
        return NULL;
    }
    return g_steal_pointer(&doc);
}

/* --- writing for a page --------------------------------------------------------------------------
 */

static void
write_members(SlJsonWriter *w, const Member *members, gsize n, gboolean to_camel,
              const SlJsonDoc *doc, const SlJsonNode *node)
{
    for (gsize i = 0; i < n; i++) {
        const SlJsonNode *value = get(doc, node, to_camel ? members[i].snake : members[i].camel);
        if (value == NULL)
            continue;
        sl_json_key(w, to_camel ? members[i].camel : members[i].snake);
        sl_json_node(w, value);
    }
}

static gboolean
path_starts_with(const SlJsonDoc *doc, const SlJsonNode *paths, const char *name)
{
    SL_JSON_FOREACH (doc, paths, path) {
        const SlJsonNode *first = sl_json_at(doc, sl_json_get(doc, path, "fieldPath"), 0);
        if (first != NULL && sl_json_string_is(first, name))
            return TRUE;
    }
    return FALSE;
}

/* A schema with only the selected of its properties. */
static void
write_pruned(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *schema,
             const SlJsonNode *selected)
{
    sl_json_begin_object(w);
    SL_JSON_FOREACH (doc, schema, key) {
        g_autofree char *name = sl_json_dup_string(key);
        sl_json_key(w, name != NULL ? name : "");
        if (g_strcmp0(name, "properties") != 0 || key[1].type != SL_JSON_OBJECT) {
            sl_json_node(w, key + 1);
            continue;
        }
        sl_json_begin_object(w);
        SL_JSON_FOREACH (doc, key + 1, property) {
            g_autofree char *field = sl_json_dup_string(property);
            if (field == NULL || !path_starts_with(doc, selected, field))
                continue;
            sl_json_key(w, field);
            sl_json_node(w, property + 1);
        }
        sl_json_end_object(w);
    }
    sl_json_end_object(w);
}

/* `selected` NULL: the whole schema. */
static void
write_stream(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *stream,
             const SlJsonNode *selected)
{
    const SlJsonNode *schema = get(doc, stream, "json_schema");
    sl_json_key(w, "stream");
    sl_json_begin_object(w);
    for (gsize i = 0; i < G_N_ELEMENTS(stream_members); i++) {
        gboolean pruned = selected != NULL && schema != NULL && schema->type == SL_JSON_OBJECT &&
                          strcmp(stream_members[i].snake, "json_schema") == 0;
        if (!pruned) {
            write_members(w, &stream_members[i], 1, TRUE, doc, stream);
            continue;
        }
        sl_json_key(w, stream_members[i].camel);
        write_pruned(w, doc, schema, selected);
    }
    sl_json_end_object(w);
}

static void
write_list(SlJsonWriter *w, const char *name, const SlJsonNode *list)
{
    sl_json_key(w, name);
    if (list != NULL && list->type == SL_JSON_ARRAY)
        sl_json_node(w, list);
    else
        sl_json_raw(w, "[]", 2);
}

/* A name that every destination takes. */
static void
write_alias(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *stream)
{
    g_autofree char *name = dup_text(doc, stream, "name");
    g_autoptr(GString) alias = g_string_new(NULL);
    for (const char *p = name; p != NULL && *p != '\0'; p = g_utf8_next_char(p))
        g_string_append_c(alias, g_ascii_isalnum(*p) ? *p : '_');
    sl_json_member_string(w, "aliasName", alias->str);
}

static const char *
default_mode(const SlJsonDoc *doc, const SlJsonNode *stream, const char **ret_destination)
{
    const SlJsonNode *modes = get(doc, stream, "supported_sync_modes");
    gboolean incremental = list_has(doc, modes, "incremental");
    gboolean full = !incremental || list_has(doc, modes, "full_refresh");
    gboolean cursor = incremental && is_true(get(doc, stream, "source_defined_cursor"));
    if (cursor && is_filled(get(doc, stream, "source_defined_primary_key"))) {
        *ret_destination = "append_dedup";
        return "incremental";
    }
    *ret_destination = full ? "overwrite" : "append";
    return full ? "full_refresh" : "incremental";
}

static void
write_default_config(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *stream,
                     gboolean selected)
{
    const char *destination, *source = default_mode(doc, stream, &destination);
    sl_json_key(w, "config");
    sl_json_begin_object(w);
    sl_json_member_string(w, "syncMode", source);
    sl_json_member_string(w, "destinationSyncMode", destination);
    write_list(w, "cursorField", get(doc, stream, "default_cursor_field"));
    write_list(w, "primaryKey", get(doc, stream, "source_defined_primary_key"));
    write_alias(w, doc, stream);
    sl_json_member_bool(w, "selected", selected);
    sl_json_member_bool(w, "suggested", selected);
    sl_json_member_bool(w, "fieldSelectionEnabled", FALSE);
    write_list(w, "selectedFields", NULL);
    write_list(w, "mappers", NULL);
    sl_json_end_object(w);
}

static gboolean
write_mappers(SlJsonWriter *w, const SlJsonNode *mappers, GError **error)
{
    if (mappers == NULL) {
        write_list(w, "mappers", NULL);
        return TRUE;
    }
    g_autofree char *stored = sl_json_dup_span(mappers);
    g_autofree char *masked = sl_secret_mask(stored, error);
    if (masked == NULL)
        return FALSE;
    sl_json_member_raw(w, "mappers", masked);
    return TRUE;
}

/* `entry` is a ConfiguredAirbyteStream. */
static gboolean
write_config(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *entry, GError **error)
{
    const SlJsonNode *fields = get(doc, entry, "selectedFields");
    sl_json_key(w, "config");
    sl_json_begin_object(w);
    write_members(w, config_members, G_N_ELEMENTS(config_members), TRUE, doc, entry);
    write_list(w, "cursorField", get(doc, entry, "cursor_field"));
    write_list(w, "primaryKey", get(doc, entry, "primary_key"));
    write_alias(w, doc, get(doc, entry, "stream"));
    sl_json_member_bool(w, "selected", TRUE);
    sl_json_member_bool(w, "suggested", FALSE);
    sl_json_member_bool(w, "fieldSelectionEnabled", fields != NULL);
    write_list(w, "selectedFields", fields);
    if (!write_mappers(w, get(doc, entry, "mappers"), error))
        return FALSE;
    sl_json_end_object(w);
    return TRUE;
}

static gboolean
write_configured(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *entry, GError **error)
{
    sl_json_begin_object(w);
    write_stream(w, doc, get(doc, entry, "stream"), get(doc, entry, "selectedFields"));
    if (!write_config(w, doc, entry, error))
        return FALSE;
    sl_json_end_object(w);
    return TRUE;
}

static void
write_discovered(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *stream, gboolean selected)
{
    sl_json_begin_object(w);
    write_stream(w, doc, stream, NULL);
    write_default_config(w, doc, stream, selected);
    sl_json_end_object(w);
}

static void
begin_catalog(SlJsonWriter *w)
{
    sl_json_begin_object(w);
    sl_json_key(w, "streams");
    sl_json_begin_array(w);
}

static char *
end_catalog(SlJsonWriter *w, GString **out)
{
    sl_json_end_array(w);
    sl_json_end_object(w);
    return g_string_free(g_steal_pointer(out), FALSE);
}

char *
config_catalog_from_discovered(const char *discovered, const char *const *suggested, GError **error)
{
    const SlJsonNode *streams = NULL;
    g_autoptr(SlJsonDoc) doc = read_catalog(discovered, &streams, error);
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    if (doc == NULL)
        return NULL;
    begin_catalog(&w);
    SL_JSON_FOREACH (doc, streams, stream) {
        g_autofree char *name = dup_text(doc, stream, "name");
        gboolean named = suggested != NULL && name != NULL && g_strv_contains(suggested, name);
        write_discovered(&w, doc, stream, streams->count == 1 || named);
    }
    return end_catalog(&w, &out);
}

char *
config_catalog_from_configured(const char *configured, GError **error)
{
    const SlJsonNode *streams = NULL;
    g_autoptr(SlJsonDoc) doc = read_catalog(configured, &streams, error);
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    if (doc == NULL)
        return NULL;
    begin_catalog(&w);
    SL_JSON_FOREACH (doc, streams, entry)
        if (!write_configured(&w, doc, entry, error))
            return NULL;
    return end_catalog(&w, &out);
}

char *
config_catalog_merge(const char *discovered, const char *configured, gboolean keep_lost,
                     GError **error)
{
    const SlJsonNode *new_streams = NULL, *old_streams = NULL;
    g_autoptr(SlJsonDoc) new = read_catalog(discovered, &new_streams, error);
    g_autoptr(SlJsonDoc) old = new != NULL ? read_catalog(configured, &old_streams, error) : NULL;
    g_autoptr(GHashTable) entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    if (old == NULL)
        return NULL;
    SL_JSON_FOREACH (old, old_streams, entry)
        g_hash_table_replace(entries, stream_key(old, get(old, entry, "stream")), (gpointer)entry);
    begin_catalog(&w);
    SL_JSON_FOREACH (new, new_streams, stream) {
        g_autofree char *key = stream_key(new, stream);
        const SlJsonNode *entry = g_hash_table_lookup(entries, key);
        if (entry == NULL) {
            write_discovered(&w, new, stream, FALSE);
            continue;
        }
        g_hash_table_add(seen, (gpointer)entry);
        sl_json_begin_object(&w);
        write_stream(&w, new, stream, NULL);
        if (!write_config(&w, old, entry, error))
            return NULL;
        sl_json_end_object(&w);
    }
    SL_JSON_FOREACH (old, old_streams, entry)
        if (keep_lost && !g_hash_table_contains(seen, entry) &&
            !write_configured(&w, old, entry, error))
            return NULL;
    return end_catalog(&w, &out);
}

/* --- judging what a client sends -----------------------------------------------------------------
 */

/* One selected stream of a client's catalog. */
typedef struct {
    const SlJsonDoc *doc;
    const SlJsonNode *stream, *config;
    guint index;
} Entry;

static gboolean G_GNUC_PRINTF(3, 4)
    refuse(const Entry *entry, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    return sl_error_set(error, SL_ERROR_INVALID, "streams[%u].%s", entry->index, message);
}

static gboolean
is_list_of(const SlJsonDoc *doc, const SlJsonNode *list, SlJsonType type)
{
    SL_JSON_FOREACH (doc, list, item)
        if (item->type != type)
            return FALSE;
    return list->type == SL_JSON_ARRAY;
}

static const char *
expectation(const SlJsonDoc *doc, const SlJsonNode *value, Kind kind)
{
    gint64 number;
    switch (kind) {
    case KIND_TEXT:
        return value->type == SL_JSON_STRING ? NULL : "string";
    case KIND_BOOL:
        return value->type == SL_JSON_TRUE || value->type == SL_JSON_FALSE ? NULL : "boolean";
    case KIND_INT:
        return sl_json_get_int64(value, &number) ? NULL : "integer";
    case KIND_OBJECT:
        return value->type == SL_JSON_OBJECT ? NULL : "object";
    case KIND_TEXTS:
        return is_list_of(doc, value, SL_JSON_STRING) ? NULL : "array of strings";
    case KIND_PATHS:
        SL_JSON_FOREACH (doc, value, path)
            if (!is_list_of(doc, path, SL_JSON_STRING) || path->count == 0)
                return "array of arrays of strings";
        return value->type == SL_JSON_ARRAY ? NULL : "array of arrays of strings";
    case KIND_LIST:
        return value->type == SL_JSON_ARRAY ? NULL : "array";
    }
    return NULL;
}

static gboolean
check_kinds(const Entry *entry, const char *where, const SlJsonNode *node, const Member *members,
            gsize n, GError **error)
{
    for (gsize i = 0; i < n; i++) {
        const SlJsonNode *value = get(entry->doc, node, members[i].camel);
        const char *expected =
            value != NULL ? expectation(entry->doc, value, members[i].kind) : NULL;
        if (expected != NULL)
            return refuse(entry, error, "%s.%s: expected %s", where, members[i].camel, expected);
    }
    return TRUE;
}

static gboolean
check_mode(const Entry *entry, const char *name, const char *const *known, GError **error)
{
    g_autofree char *mode = dup_text(entry->doc, entry->config, name);
    if (mode == NULL)
        return refuse(entry, error, "config.%s: is required", name);
    return g_strv_contains(known, mode) ||
           refuse(entry, error, "config.%s: '%s' is no mode", name, mode);
}

static gboolean
has_field(const Entry *entry, const SlJsonNode *field)
{
    g_autofree char *name = field != NULL ? sl_json_dup_string(field) : NULL;
    const SlJsonNode *properties =
        get(entry->doc, get(entry->doc, entry->stream, "jsonSchema"), "properties");
    return properties == NULL ||
           (name != NULL && sl_json_get(entry->doc, properties, name) != NULL);
}

static gboolean
is_mode(const Entry *entry, const char *name, const char *mode)
{
    const SlJsonNode *node = get(entry->doc, entry->config, name);
    return node != NULL && sl_json_string_is(node, mode);
}

static const SlJsonNode *
cursor_of(const Entry *entry)
{
    const SlJsonNode *given = get(entry->doc, entry->config, "cursorField");
    const SlJsonNode *own = get(entry->doc, entry->stream, "defaultCursorField");
    gboolean defined = is_true(get(entry->doc, entry->stream, "sourceDefinedCursor"));
    return is_filled(own) && (defined || !is_filled(given)) ? own : given;
}

static const SlJsonNode *
key_of(const Entry *entry)
{
    const SlJsonNode *own = get(entry->doc, entry->stream, "sourceDefinedPrimaryKey");
    return is_filled(own) ? own : get(entry->doc, entry->config, "primaryKey");
}

static gboolean
check_cursor(const Entry *entry, GError **error)
{
    const SlJsonNode *cursor = cursor_of(entry);
    if (!is_mode(entry, "syncMode", "incremental"))
        return TRUE;
    if (!is_filled(cursor))
        return is_true(get(entry->doc, entry->stream, "sourceDefinedCursor")) ||
               refuse(entry, error, "config.cursorField: is required for an incremental sync");
    const SlJsonNode *first = sl_json_at(entry->doc, cursor, 0);
    g_autofree char *name = sl_json_dup_string(first);
    return has_field(entry, first) ||
           refuse(entry, error, "config.cursorField: there is no field '%s'", name);
}

static gboolean
check_key(const Entry *entry, GError **error)
{
    const SlJsonNode *key = key_of(entry);
    gboolean needed = is_mode(entry, "destinationSyncMode", "append_dedup") ||
                      is_mode(entry, "destinationSyncMode", "overwrite_dedup");
    if (!is_filled(key))
        return !needed || refuse(entry, error, "config.primaryKey: is required to deduplicate");
    SL_JSON_FOREACH (entry->doc, key, path) {
        const SlJsonNode *first = sl_json_at(entry->doc, path, 0);
        g_autofree char *name = sl_json_dup_string(first);
        if (!has_field(entry, first))
            return refuse(entry, error, "config.primaryKey: there is no field '%s'", name);
    }
    return TRUE;
}

static gboolean
is_selected(const Entry *entry, const SlJsonNode *field)
{
    g_autofree char *name = field != NULL ? sl_json_dup_string(field) : NULL;
    return field == NULL ||
           (name != NULL &&
            path_starts_with(entry->doc, get(entry->doc, entry->config, "selectedFields"), name));
}

/* Top-level fields that exist; cursor and key among them. */
static gboolean
check_fields(const Entry *entry, GError **error)
{
    const SlJsonNode *fields = get(entry->doc, entry->config, "selectedFields");
    const SlJsonNode *cursor = cursor_of(entry), *key = key_of(entry);
    if (!is_true(get(entry->doc, entry->config, "fieldSelectionEnabled")))
        return TRUE;
    if (!is_filled(fields))
        return refuse(entry, error, "config.selectedFields: at least one is required");
    SL_JSON_FOREACH (entry->doc, fields, field) {
        const SlJsonNode *path = get(entry->doc, field, "fieldPath");
        if (path == NULL || !is_list_of(entry->doc, path, SL_JSON_STRING) || path->count != 1)
            return refuse(entry, error,
                          "config.selectedFields: fieldPath must be one top-level field");
        g_autofree char *name = sl_json_dup_string(sl_json_at(entry->doc, path, 0));
        if (!has_field(entry, sl_json_at(entry->doc, path, 0)))
            return refuse(entry, error, "config.selectedFields: there is no field '%s'", name);
    }
    if (is_mode(entry, "syncMode", "incremental") && is_filled(cursor) &&
        !is_selected(entry, sl_json_at(entry->doc, cursor, 0)))
        return refuse(entry, error, "config.selectedFields: the cursor must be selected");
    SL_JSON_FOREACH (entry->doc, key, path)
        if (!is_selected(entry, sl_json_at(entry->doc, path, 0)))
            return refuse(entry, error, "config.selectedFields: the primary key must be selected");
    return TRUE;
}

static gboolean
check_entry(const Entry *entry, GError **error)
{
    static const Member lists[] = {
        {"cursorField", NULL, KIND_TEXTS},   {"primaryKey", NULL, KIND_PATHS},
        {"selectedFields", NULL, KIND_LIST}, {"mappers", NULL, KIND_LIST},
        {"hashedFields", NULL, KIND_LIST},   {"fieldSelectionEnabled", NULL, KIND_BOOL}};
    const SlJsonNode *modes = get(entry->doc, entry->stream, "supportedSyncModes");
    g_autofree char *name = dup_text(entry->doc, entry->stream, "name");
    if (entry->stream == NULL || entry->stream->type != SL_JSON_OBJECT || name == NULL ||
        name[0] == '\0')
        return refuse(entry, error, "stream.name: is required");
    if (!check_kinds(entry, "stream", entry->stream, stream_members, G_N_ELEMENTS(stream_members),
                     error) ||
        !check_kinds(entry, "config", entry->config, config_members, G_N_ELEMENTS(config_members),
                     error) ||
        !check_kinds(entry, "config", entry->config, lists, G_N_ELEMENTS(lists), error) ||
        !check_mode(entry, "syncMode", source_modes, error) ||
        !check_mode(entry, "destinationSyncMode", destination_modes, error))
        return FALSE;
    g_autofree char *mode = dup_text(entry->doc, entry->config, "syncMode");
    if (is_filled(modes) && !list_has(entry->doc, modes, mode))
        return refuse(entry, error, "config.syncMode: the source cannot do '%s'", mode);
    if (is_filled(get(entry->doc, entry->config, "hashedFields")))
        return refuse(entry, error, "config.hashedFields: is no longer known, use mappers");
    return check_cursor(entry, error) && check_key(entry, error) && check_fields(entry, error);
}

/* --- writing for the database --------------------------------------------------------------------
 */

static void
write_protocol_stream(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *stream)
{
    sl_json_begin_object(w);
    write_members(w, stream_members, G_N_ELEMENTS(stream_members), FALSE, doc, stream);
    if (get(doc, stream, "jsonSchema") == NULL)
        sl_json_member_raw(w, "json_schema", "{}");
    if (get(doc, stream, "supportedSyncModes") == NULL)
        sl_json_member_raw(w, "supported_sync_modes", "[\"full_refresh\"]");
    sl_json_end_object(w);
}

static void
write_stored(SlJsonWriter *w, const Entry *entry)
{
    const SlJsonNode *cursor = cursor_of(entry), *key = key_of(entry);
    const SlJsonNode *mappers = get(entry->doc, entry->config, "mappers");
    sl_json_begin_object(w);
    sl_json_key(w, "stream");
    write_protocol_stream(w, entry->doc, entry->stream);
    write_members(w, config_members, N_STORED_CONFIG, FALSE, entry->doc, entry->config);
    if (is_filled(cursor))
        write_list(w, "cursor_field", cursor);
    if (is_filled(key))
        write_list(w, "primary_key", key);
    if (is_true(get(entry->doc, entry->config, "fieldSelectionEnabled")))
        write_list(w, "selectedFields", get(entry->doc, entry->config, "selectedFields"));
    if (is_filled(mappers))
        write_list(w, "mappers", mappers);
    sl_json_end_object(w);
}

char *
config_catalog_to_configured(const char *catalog, GError **error)
{
    const SlJsonNode *streams = NULL;
    g_autoptr(SlJsonDoc) doc = read_catalog(catalog, &streams, error);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    Entry entry = {.doc = doc};
    if (doc == NULL)
        return NULL;
    begin_catalog(&w);
    SL_JSON_FOREACH (doc, streams, item) {
        entry.stream = get(doc, item, "stream");
        entry.config = get(doc, item, "config");
        if (is_true(get(doc, entry.config, "selected"))) {
            if (!check_entry(&entry, error))
                return NULL;
            if (!g_hash_table_add(seen, stream_key(doc, entry.stream))) {
                refuse(&entry, error, "stream: is there twice");
                return NULL;
            }
            write_stored(&w, &entry);
        }
        entry.index++;
    }
    return end_catalog(&w, &out);
}

char *
config_catalog_to_discovered(const char *catalog, GError **error)
{
    const SlJsonNode *streams = NULL;
    g_autoptr(SlJsonDoc) doc = read_catalog(catalog, &streams, error);
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    Entry entry = {.doc = doc};
    if (doc == NULL)
        return NULL;
    begin_catalog(&w);
    SL_JSON_FOREACH (doc, streams, item) {
        g_autofree char *name = dup_text(doc, get(doc, item, "stream"), "name");
        entry.stream = get(doc, item, "stream");
        if (name == NULL) {
            refuse(&entry, error, "stream.name: is required");
            return NULL;
        }
        if (!check_kinds(&entry, "stream", entry.stream, stream_members,
                         G_N_ELEMENTS(stream_members), error))
            return NULL;
        write_protocol_stream(&w, doc, entry.stream);
        entry.index++;
    }
    return end_catalog(&w, &out);
}
