/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-catalog.h"

#include <string.h>

#include "server-stream.h"
#include "sl-catalog-walk.h"
#include "sl-error.h"

static const SlJsonNode *
streams_of(const SlJsonDoc *doc)
{
    return sl_json_get(doc, sl_json_root(doc), "streams");
}

static char *
dup_member(const SlJsonDoc *doc, const SlJsonNode *node, const char *name)
{
    const SlJsonNode *member = sl_json_get(doc, node, name);
    return member != NULL ? sl_json_dup_string(member) : NULL;
}

/* --- writing -------------------------------------------------------------------------------------
 */

static void
write_cursor(SlJsonWriter *w, const ServerStream *stream)
{
    char *const *given = stream->wanted != NULL ? stream->wanted->cursor_field : NULL;
    const SlJsonNode *own = sl_json_get(stream->doc, stream->node, "default_cursor_field");
    if (!server_stream_is_given(given) && own == NULL)
        return;
    sl_json_key(w, "cursor_field");
    if (!server_stream_is_given(given)) {
        sl_json_node(w, own);
        return;
    }
    sl_json_begin_array(w);
    for (; *given != NULL; given++)
        sl_json_string(w, *given);
    sl_json_end_array(w);
}

static void
write_key(SlJsonWriter *w, const ServerStream *stream)
{
    const SlJsonNode *own = sl_json_get(stream->doc, stream->node, "source_defined_primary_key");
    if (own != NULL && own->count > 0) {
        sl_json_key(w, "primary_key");
        sl_json_node(w, own);
    } else if (server_stream_key_is_given(stream->wanted)) {
        sl_json_member_raw(w, "primary_key", stream->wanted->primary_key);
    }
}

static void
write_records(SlJsonWriter *w, const char *key, const SlRecord *record, const GPtrArray *items)
{
    sl_json_key(w, key);
    sl_json_begin_array(w);
    for (guint i = 0; i < items->len; i++)
        sl_record_write(record, items->pdata[i], 0, w);
    sl_json_end_array(w);
}

/* What only some streams have. */
static void
write_more(SlJsonWriter *w, const SlStreamConfiguration *wanted)
{
    if (wanted->include_files)
        sl_json_member_bool(w, "include_files", TRUE);
    sl_json_member_string(w, "destination_object_name", wanted->destination_object_name);
    if (wanted->selected_fields != NULL)
        write_records(w, "selectedFields", &sl_selected_field_record, wanted->selected_fields);
    if (wanted->mappers != NULL && wanted->mappers->len > 0)
        write_records(w, "mappers", &sl_configured_mapper_record, wanted->mappers);
}

static void
write_stream(SlJsonWriter *w, const ServerStream *stream)
{
    const ServerModes *modes = server_stream_modes(server_stream_mode_of(stream));
    sl_json_begin_object(w);
    sl_json_key(w, "stream");
    sl_json_node(w, stream->node);
    sl_json_member_string(w, "sync_mode", modes->source);
    sl_json_member_string(w, "destination_sync_mode", modes->destination);
    write_cursor(w, stream);
    write_key(w, stream);
    if (stream->wanted != NULL)
        write_more(w, stream->wanted);
    sl_json_end_object(w);
}

static gboolean
add_stream(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *node,
           const SlStreamConfiguration *wanted, const SlJsonDoc *spec, GError **error)
{
    g_autofree char *name = dup_member(doc, node, "name");
    g_autofree char *label = g_strdup_printf("stream '%s'", name != NULL ? name : "");
    const ServerStream stream = {doc, node, label, wanted, spec};
    if (!server_stream_check(&stream, error))
        return FALSE;
    write_stream(w, &stream);
    return TRUE;
}

/* By name; by name and namespace, when several share the name. */
static const SlJsonNode *
find_stream(const SlJsonDoc *doc, const SlStreamConfiguration *wanted, GError **error)
{
    const SlJsonNode *found = NULL;
    guint n = 0;
    SL_JSON_FOREACH (doc, streams_of(doc), node) {
        g_autofree char *name = dup_member(doc, node, "name");
        g_autofree char *ns = dup_member(doc, node, "namespace");
        gboolean same_ns = wanted->namespace == NULL || g_strcmp0(ns, wanted->namespace) == 0;
        if (g_strcmp0(name, wanted->name) != 0 || !same_ns)
            continue;
        found = node;
        n++;
    }
    if (n == 1)
        return found;
    sl_error_set(error, SL_ERROR_INVALID,
                 n == 0 ? "stream '%s': the source has no such stream"
                        : "stream '%s': namespace: is required, the name is there more than once",
                 wanted->name);
    return NULL;
}

static gboolean
add_wanted(SlJsonWriter *w, const SlJsonDoc *doc, const GPtrArray *wanted, const SlJsonDoc *spec,
           GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < wanted->len; i++) {
        const SlStreamConfiguration *one = wanted->pdata[i];
        const SlJsonNode *node = find_stream(doc, one, error);
        if (node == NULL)
            return FALSE;
        if (!g_hash_table_add(seen, (gpointer)node))
            return sl_error_set(error, SL_ERROR_INVALID, "stream '%s': is listed twice", one->name);
        if (!add_stream(w, doc, node, one, spec, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
add_all(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonDoc *spec, GError **error)
{
    SL_JSON_FOREACH (doc, streams_of(doc), node)
        if (!add_stream(w, doc, node, NULL, spec, error))
            return FALSE;
    return TRUE;
}

char *
server_catalog_configure(const char *discovered, const char *destination_spec,
                         const SlStreamConfigurations *wanted, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(discovered, strlen(discovered), NULL, error);
    g_autoptr(SlJsonDoc) spec =
        doc != NULL ? sl_json_read(destination_spec, strlen(destination_spec), NULL, error) : NULL;
    if (spec == NULL)
        return NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_key(&w, "streams");
    sl_json_begin_array(&w);
    gboolean some = wanted != NULL && wanted->streams != NULL && wanted->streams->len > 0;
    if (!(some ? add_wanted(&w, doc, wanted->streams, spec, error) : add_all(&w, doc, spec, error)))
        return NULL;
    sl_json_end_array(&w);
    sl_json_end_object(&w);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* --- reading back --------------------------------------------------------------------------------
 */

static char **
dup_strings(const SlJsonDoc *doc, const SlJsonNode *list)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new();
    SL_JSON_FOREACH (doc, list, item) {
        char *text = sl_json_dup_string(item);
        if (text != NULL)
            g_ptr_array_add(texts, text);
    }
    g_ptr_array_add(texts, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&texts), FALSE);
}

/* Half a mode reads as the default. */
static int
find_mode(const SlJsonDoc *doc, const SlJsonNode *node)
{
    const SlJsonNode *source = sl_json_get(doc, node, "sync_mode");
    const SlJsonNode *destination = sl_json_get(doc, node, "destination_sync_mode");
    for (int i = 0;
         source != NULL && destination != NULL && i < sl_connection_sync_mode_enum.n_names; i++)
        if (sl_json_string_is(source, server_stream_modes(i)->source) &&
            sl_json_string_is(destination, server_stream_modes(i)->destination))
            return i;
    return SL_CONNECTION_SYNC_MODE_FULL_REFRESH_OVERWRITE;
}

/* NULL: the member is not there, or it is no list of such records. */
static GPtrArray *
read_records(const SlJsonDoc *doc, const SlJsonNode *list, const SlRecord *record,
             GDestroyNotify free_one, GError **error)
{
    if (list == NULL || list->type != SL_JSON_ARRAY)
        return NULL;
    g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(free_one);
    SL_JSON_FOREACH (doc, list, item) {
        gpointer one = sl_record_parse(record, doc, item, error);
        if (one == NULL)
            return NULL;
        g_ptr_array_add(items, one);
    }
    g_ptr_array_set_free_func(items, NULL); /* the record frees them */
    return g_steal_pointer(&items);
}

static gboolean
read_more(const SlJsonDoc *doc, const SlJsonNode *node, SlStreamConfiguration *stream,
          GError **error)
{
    const SlJsonNode *selected = sl_json_get(doc, node, "selectedFields");
    const SlJsonNode *mappers = sl_json_get(doc, node, "mappers");
    const SlJsonNode *files = sl_json_get(doc, node, "include_files");
    if (files != NULL && files->type == SL_JSON_TRUE)
        sl_stream_configuration_set_include_files(stream, TRUE);
    stream->destination_object_name = dup_member(doc, node, "destination_object_name");
    stream->selected_fields = read_records(doc, selected, &sl_selected_field_record,
                                           (GDestroyNotify)sl_selected_field_free, error);
    if (selected != NULL && stream->selected_fields == NULL)
        return FALSE;
    stream->mappers = read_records(doc, mappers, &sl_configured_mapper_record,
                                   (GDestroyNotify)sl_configured_mapper_free, error);
    return mappers == NULL || stream->mappers != NULL;
}

SlStreamConfigurations *
server_catalog_list(const char *configured, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(configured, strlen(configured), NULL, error);
    if (doc == NULL)
        return NULL;
    SlStreamConfigurations *list = sl_stream_configurations_new();
    list->streams = g_ptr_array_new();
    SL_JSON_FOREACH (doc, streams_of(doc), node) {
        const SlJsonNode *inner = sl_json_get(doc, node, "stream");
        const SlJsonNode *cursor = sl_json_get(doc, node, "cursor_field");
        const SlJsonNode *key = sl_json_get(doc, node, "primary_key");
        SlStreamConfiguration *stream = sl_stream_configuration_new();
        stream->name = dup_member(doc, inner, "name");
        stream->namespace = dup_member(doc, inner, "namespace");
        sl_stream_configuration_set_sync_mode(stream, find_mode(doc, node));
        stream->cursor_field = cursor != NULL ? dup_strings(doc, cursor) : NULL;
        stream->primary_key = key != NULL ? sl_json_dup_span(key) : NULL;
        g_ptr_array_add(list->streams, stream);
        if (!read_more(doc, node, stream, error)) {
            sl_stream_configurations_free(list);
            return NULL;
        }
    }
    return list;
}

/* --- GET /streams
 * --------------------------------------------------------------------------------- */

static char **
possible_modes(const ServerStream *stream)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (int i = 0; i < sl_connection_sync_mode_enum.n_names; i++) {
        if (i == SL_CONNECTION_SYNC_MODE_FULL_REFRESH_OVERWRITE_DEDUPED)
            continue; /* accepted, but by old custom not listed */
        if (server_stream_can(stream, i, TRUE))
            g_ptr_array_add(names, g_strdup(sl_enum_name(&sl_connection_sync_mode_enum, i)));
    }
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

/* Paths of all properties, those of nested objects too. */
static void
write_fields(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *schema, GPtrArray *path)
{
    if (path->len > 16)
        return;
    SL_JSON_FOREACH (doc, sl_json_get(doc, schema, "properties"), key) {
        g_autofree char *name = sl_json_dup_string(key);
        g_ptr_array_add(path, name);
        sl_json_begin_array(w);
        for (guint i = 0; i < path->len; i++)
            sl_json_string(w, path->pdata[i]);
        sl_json_end_array(w);
        write_fields(w, doc, key + 1, path);
        g_ptr_array_set_size(path, (int)path->len - 1);
    }
}

static char *
print_fields(const SlJsonDoc *doc, const SlJsonNode *stream)
{
    GString *out = g_string_new(NULL);
    g_autoptr(GPtrArray) path = g_ptr_array_new();
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_array(&w);
    write_fields(&w, doc, sl_json_get(doc, stream, "json_schema"), path);
    sl_json_end_array(&w);
    return g_string_free(out, FALSE);
}

static SlStreamProperties *
make_properties(const SlJsonDoc *doc, const SlJsonNode *node, const SlJsonDoc *spec)
{
    const ServerStream stream = {doc, node, NULL, NULL, spec};
    const SlJsonNode *cursor = sl_json_get(doc, node, "default_cursor_field");
    const SlJsonNode *own = sl_json_get(doc, node, "source_defined_cursor");
    const SlJsonNode *key = sl_json_get(doc, node, "source_defined_primary_key");
    SlStreamProperties *properties = sl_stream_properties_new();
    properties->stream_name = dup_member(doc, node, "name");
    properties->streamnamespace = dup_member(doc, node, "namespace");
    properties->sync_modes = spec != NULL ? possible_modes(&stream) : NULL;
    properties->default_cursor_field = dup_strings(doc, cursor);
    sl_stream_properties_set_source_defined_cursor_field(properties,
                                                         own != NULL && own->type == SL_JSON_TRUE);
    properties->source_defined_primary_key =
        key != NULL && key->type == SL_JSON_ARRAY ? sl_json_dup_span(key) : g_strdup("[]");
    properties->property_fields = print_fields(doc, node);
    return properties;
}

GPtrArray *
server_catalog_properties(const char *discovered, const char *destination_spec, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(discovered, strlen(discovered), NULL, error);
    g_autoptr(SlJsonDoc) spec = NULL;
    if (doc != NULL && destination_spec != NULL)
        spec = sl_json_read(destination_spec, strlen(destination_spec), NULL, error);
    if (doc == NULL || (destination_spec != NULL && spec == NULL))
        return NULL;
    GPtrArray *list = g_ptr_array_new();
    SL_JSON_FOREACH (doc, streams_of(doc), node)
        g_ptr_array_add(list, make_properties(doc, node, spec));
    return list;
}

/* --- changes
 * -------------------------------------------------------------------------------------- */

gboolean
server_catalog_changed_modes(const char *before, const char *after, char ***ret_namespaces,
                             char ***ret_names, GError **error)
{
    g_autoptr(SlJsonDoc) old = sl_json_read(before, strlen(before), NULL, error);
    g_autoptr(SlJsonDoc) new = old != NULL ? sl_json_read(after, strlen(after), NULL, error) : NULL;
    g_autoptr(GHashTable) sources = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GPtrArray) namespaces = g_ptr_array_new();
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    if (new == NULL)
        return FALSE;
    const SlJsonDoc *docs[] = {old, new};
    for (gsize i = 0; i < G_N_ELEMENTS(docs); i++) {
        SL_JSON_FOREACH (docs[i], streams_of(docs[i]), node) {
            const SlJsonNode *inner = sl_json_get(docs[i], node, "stream");
            g_autofree char *name = dup_member(docs[i], inner, "name");
            g_autofree char *ns = dup_member(docs[i], inner, "namespace");
            g_autofree char *key = g_strconcat(ns != NULL ? ns : "", "\x1f", name, NULL);
            g_autofree char *mode = dup_member(docs[i], node, "sync_mode");
            const char *other = i == 1 ? g_hash_table_lookup(sources, key) : NULL;
            if (i == 0) {
                g_hash_table_replace(sources, g_steal_pointer(&key), g_steal_pointer(&mode));
            } else if (other != NULL && g_strcmp0(other, mode) != 0) {
                g_ptr_array_add(namespaces, ns != NULL ? g_steal_pointer(&ns) : g_strdup(""));
                g_ptr_array_add(names, g_steal_pointer(&name));
            }
        }
    }
    g_ptr_array_add(namespaces, NULL);
    g_ptr_array_add(names, NULL);
    *ret_namespaces = (char **)g_ptr_array_free(g_steal_pointer(&namespaces), FALSE);
    *ret_names = (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
    return TRUE;
}

/* What a destination has of a stream depends on these. */
static gboolean
is_read_alike(const SlJsonDoc *old, const SlJsonNode *a, const SlJsonDoc *new, const SlJsonNode *b)
{
    static const char *const members[] = {
        "sync_mode", "destination_sync_mode",   "cursor_field",   "primary_key",
        "mappers",   "destination_object_name", "selectedFields", "include_files",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++)
        if (!sl_catalog_walk_equal(old, sl_json_get(old, a, members[i]), new,
                                   sl_json_get(new, b, members[i])))
            return FALSE;
    return sl_catalog_walk_equal(
        old, sl_json_get(old, sl_catalog_walk_stream(old, a), "json_schema"), new,
        sl_json_get(new, sl_catalog_walk_stream(new, b), "json_schema"));
}

gboolean
server_catalog_changed_streams(const char *before, const char *after, char ***ret_namespaces,
                               char ***ret_names, GError **error)
{
    g_autoptr(SlJsonDoc) old = sl_json_read(before, strlen(before), NULL, error);
    g_autoptr(SlJsonDoc) new = old != NULL ? sl_json_read(after, strlen(after), NULL, error) : NULL;
    g_autoptr(GStrvBuilder) namespaces = g_strv_builder_new(), names = g_strv_builder_new();
    if (new == NULL)
        return FALSE;
    SL_JSON_FOREACH (new, streams_of(new), entry) {
        const SlJsonNode *stream = sl_catalog_walk_stream(new, entry);
        const SlJsonNode *was = sl_catalog_walk_find(old, new, stream);
        g_autofree char *name = dup_member(new, stream, "name");
        g_autofree char *ns = dup_member(new, stream, "namespace");
        if (name == NULL || (was != NULL && is_read_alike(old, was, new, entry)))
            continue;
        g_strv_builder_add(namespaces, ns != NULL ? ns : "");
        g_strv_builder_add(names, name);
    }
    *ret_namespaces = g_strv_builder_end(namespaces);
    *ret_names = g_strv_builder_end(names);
    return TRUE;
}
