/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "kit-catalog.h"

#include <string.h>

#include "sl-error.h"

static gboolean
parse_word(const SlJsonDoc *doc, const SlJsonNode *object, const char *key,
           const char *const *words, guint *ret, GError **error)
{
    const SlJsonNode *node = sl_json_get(doc, object, key);
    if (node == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "%s: missing", key);
    for (guint i = 0; words[i] != NULL; i++) {
        if (sl_json_string_is(node, words[i])) {
            *ret = i;
            return TRUE;
        }
    }
    g_autofree char *text = sl_json_dup_span(node);
    return sl_error_set(error, SL_ERROR_INVALID, "%s: unknown value %s", key, text);
}

static gboolean
is_absent(const SlJsonNode *node)
{
    return node == NULL || node->type == SL_JSON_NULL;
}

/* An array of strings; absent and null: empty. */
static gboolean
parse_path(const SlJsonDoc *doc, const SlJsonNode *node, const char *key, GStrv *ret,
           GError **error)
{
    g_autoptr(GPtrArray) path = g_ptr_array_new_with_free_func(g_free);
    if (!is_absent(node)) {
        if (node->type != SL_JSON_ARRAY)
            return sl_error_set(error, SL_ERROR_INVALID, "%s: expected array of strings", key);
        SL_JSON_FOREACH (doc, node, child) {
            char *text = sl_json_dup_string(child);
            if (text == NULL)
                return sl_error_set(error, SL_ERROR_INVALID, "%s: expected array of strings", key);
            g_ptr_array_add(path, text);
        }
    }
    g_ptr_array_add(path, NULL);
    *ret = (GStrv)g_ptr_array_free(g_steal_pointer(&path), FALSE);
    return TRUE;
}

static gboolean
parse_primary_key(const SlJsonDoc *doc, const SlJsonNode *node, KitStream *stream, GError **error)
{
    if (is_absent(node))
        return TRUE;
    if (node->type != SL_JSON_ARRAY)
        return sl_error_set(error, SL_ERROR_INVALID, "primary_key: expected array of paths");
    stream->primary_key = g_new0(GStrv, node->count + 1);
    SL_JSON_FOREACH (doc, node, child) {
        if (child->type != SL_JSON_ARRAY || child->count == 0)
            return sl_error_set(error, SL_ERROR_INVALID,
                                "primary_key: expected array of non-empty paths");
        if (!parse_path(doc, child, "primary_key", &stream->primary_key[stream->n_primary_key],
                        error))
            return FALSE;
        stream->n_primary_key++;
    }
    return TRUE;
}

/* What the source defines stands above what was configured. */
static gboolean
parse_keys(const SlJsonDoc *doc, const SlJsonNode *configured, const SlJsonNode *own,
           KitStream *stream, GError **error)
{
    const SlJsonNode *key = sl_json_get(doc, own, "source_defined_primary_key");
    if (is_absent(key) || key->count == 0)
        key = sl_json_get(doc, configured, "primary_key");
    if (!parse_primary_key(doc, key, stream, error))
        return FALSE;

    const SlJsonNode *defined = sl_json_get(doc, own, "source_defined_cursor");
    const SlJsonNode *usual = sl_json_get(doc, own, "default_cursor_field");
    const SlJsonNode *cursor = sl_json_get(doc, configured, "cursor_field");
    gboolean by_source = defined != NULL && defined->type == SL_JSON_TRUE;
    if (!is_absent(usual) && usual->count > 0 &&
        (by_source || is_absent(cursor) || cursor->count == 0))
        cursor = usual;
    return parse_path(doc, cursor, "cursor_field", &stream->cursor_field, error);
}

static gboolean
parse_generations(const SlJsonDoc *doc, const SlJsonNode *node, KitStream *stream, GError **error)
{
    struct {
        const char *key;
        gint64 *ret;
    } ids[] = {
        {"generation_id", &stream->generation_id},
        {"minimum_generation_id", &stream->minimum_generation_id},
        {"sync_id", &stream->sync_id},
    };
    for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
        const SlJsonNode *id = sl_json_get(doc, node, ids[i].key);
        if (is_absent(id))
            continue;
        if (!sl_json_get_int64(id, ids[i].ret))
            return sl_error_set(error, SL_ERROR_INVALID, "%s: expected integer", ids[i].key);
        stream->generations |= i == 0;
    }
    if (stream->minimum_generation_id != 0 &&
        stream->minimum_generation_id != stream->generation_id)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "minimum_generation_id: %" G_GINT64_FORMAT
                            " is neither 0 nor the generation_id %" G_GINT64_FORMAT,
                            stream->minimum_generation_id, stream->generation_id);
    stream->truncate =
        stream->minimum_generation_id > 0 ||
        (!stream->generations && stream->destination_mode == KIT_DESTINATION_OVERWRITE);
    return TRUE;
}

static gboolean
parse_stream(const SlJsonDoc *doc, const SlJsonNode *node, KitStream *stream, GError **error)
{
    static const char *const sync_modes[] = {"full_refresh", "incremental", NULL};
    static const char *const destination_modes[] = {"append", "overwrite",   "append_dedup",
                                                    "update", "soft_delete", NULL};
    const SlJsonNode *own = sl_json_get(doc, node, "stream");
    if (own == NULL || own->type != SL_JSON_OBJECT)
        return sl_error_set(error, SL_ERROR_INVALID, "stream: expected object");
    stream->node = node;
    stream->name = sl_json_dup_string(sl_json_get(doc, own, "name"));
    if (stream->name == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "stream.name: expected string");
    const SlJsonNode *ns = sl_json_get(doc, own, "namespace");
    stream->ns = ns == NULL ? NULL : sl_json_dup_string(ns);
    if (stream->ns != NULL && *stream->ns == '\0')
        g_clear_pointer(&stream->ns, g_free);
    stream->schema = sl_json_get(doc, own, "json_schema");
    if (stream->schema == NULL || stream->schema->type != SL_JSON_OBJECT)
        return sl_error_set(error, SL_ERROR_INVALID, "stream.json_schema: expected object");

    guint mode;
    if (!parse_word(doc, node, "sync_mode", sync_modes, &mode, error))
        return FALSE;
    stream->sync_mode = mode;
    if (!parse_word(doc, node, "destination_sync_mode", destination_modes, &mode, error))
        return FALSE;
    stream->destination_mode = mode;
    return parse_keys(doc, node, own, stream, error) && parse_generations(doc, node, stream, error);
}

static GBytes *
stream_key(const char *ns, gsize ns_len, const char *name, gsize name_len)
{
    char *key = g_malloc(ns_len + 1 + name_len);
    if (ns_len > 0)
        memcpy(key, ns, ns_len);
    key[ns_len] = '\0';
    memcpy(key + ns_len + 1, name, name_len);
    return g_bytes_new_take(key, ns_len + 1 + name_len);
}

static gboolean
parse_streams(KitCatalog *catalog, GError **error)
{
    const SlJsonDoc *doc = catalog->doc;
    const SlJsonNode *streams = sl_json_get(doc, sl_json_root(doc), "streams");
    if (streams == NULL || streams->type != SL_JSON_ARRAY)
        return sl_error_set(error, SL_ERROR_INVALID, "catalog.streams: expected array");
    catalog->streams = g_new0(KitStream, streams->count + 1);
    SL_JSON_FOREACH (doc, streams, node) {
        KitStream *stream = &catalog->streams[catalog->n_streams];
        stream->index = catalog->n_streams++;
        if (!parse_stream(doc, node, stream, error)) {
            g_prefix_error(error, "catalog.streams[%u].", stream->index);
            return FALSE;
        }
        const char *ns = stream->ns != NULL ? stream->ns : "";
        GBytes *key = stream_key(ns, strlen(ns), stream->name, strlen(stream->name));
        if (!g_hash_table_insert(catalog->by_name, key, stream))
            return sl_error_set(error, SL_ERROR_INVALID,
                                "catalog.streams[%u]: stream '%s' is configured twice",
                                stream->index, stream->name);
    }
    return TRUE;
}

KitCatalog *
kit_catalog_parse(const char *text, gsize len, GError **error)
{
    g_autoptr(KitCatalog) catalog = g_new0(KitCatalog, 1);
    catalog->by_name =
        g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
    catalog->doc = sl_json_read_copy(text, len, NULL, error);
    if (catalog->doc == NULL) {
        g_prefix_error(error, "catalog: ");
        return NULL;
    }
    if (!parse_streams(catalog, error))
        return NULL;
    return g_steal_pointer(&catalog);
}

const KitStream *
kit_catalog_find(const KitCatalog *catalog, const char *ns, gsize ns_len, const char *name,
                 gsize name_len)
{
    g_autoptr(GBytes) key = stream_key(ns, ns_len, name, name_len);
    return g_hash_table_lookup(catalog->by_name, key);
}

/* {"stream_descriptor": {"name", "namespace"}, "stream_state"}: of a STREAM and inside a GLOBAL. */
static gboolean
attach_stream_state(KitCatalog *catalog, const SlJsonNode *node, GError **error)
{
    const SlJsonDoc *doc = catalog->state;
    const SlJsonNode *descriptor = sl_json_get(doc, node, "stream_descriptor");
    g_autofree char *name = NULL;
    if (descriptor != NULL)
        name = sl_json_dup_string(sl_json_get(doc, descriptor, "name"));
    if (name == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "stream_descriptor.name: expected string");
    const SlJsonNode *ns_node = sl_json_get(doc, descriptor, "namespace");
    g_autofree char *ns = ns_node == NULL ? NULL : sl_json_dup_string(ns_node);
    KitStream *stream =
        (KitStream *)kit_catalog_find(catalog, ns, ns == NULL ? 0 : strlen(ns), name, strlen(name));
    if (stream == NULL)
        return TRUE;
    const SlJsonNode *state = sl_json_get(doc, node, "stream_state");
    stream->state_of = doc;
    stream->state = is_absent(state) ? NULL : state;
    return TRUE;
}

static gboolean
attach_global_state(KitCatalog *catalog, const SlJsonNode *global, GError **error)
{
    const SlJsonDoc *doc = catalog->state;
    const SlJsonNode *shared = sl_json_get(doc, global, "shared_state");
    catalog->shared_state = is_absent(shared) ? NULL : shared;
    const SlJsonNode *states = sl_json_get(doc, global, "stream_states");
    if (is_absent(states))
        return TRUE;
    SL_JSON_FOREACH (doc, states, child) {
        if (!attach_stream_state(catalog, child, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
attach_one(KitCatalog *catalog, const SlJsonNode *node, GError **error)
{
    const SlJsonDoc *doc = catalog->state;
    const SlJsonNode *type = sl_json_get(doc, node, "type");
    const SlJsonNode *stream = sl_json_get(doc, node, "stream");
    const SlJsonNode *global = sl_json_get(doc, node, "global");
    if (type != NULL && sl_json_string_is(type, "STREAM") && stream != NULL)
        return attach_stream_state(catalog, stream, error);
    if (type != NULL && sl_json_string_is(type, "GLOBAL") && global != NULL)
        return attach_global_state(catalog, global, error);
    return sl_error_set(error, SL_ERROR_INVALID,
                        "expected a state of type STREAM or GLOBAL with its member");
}

gboolean
kit_catalog_attach_state(KitCatalog *catalog, const char *text, gsize len, GError **error)
{
    catalog->state = sl_json_read_copy(text, len, NULL, error);
    if (catalog->state == NULL) {
        g_prefix_error(error, "state: ");
        return FALSE;
    }
    const SlJsonNode *root = sl_json_root(catalog->state);
    if (root->type == SL_JSON_OBJECT && root->count == 0) /* {}: how some say "none" */
        return TRUE;
    if (root->type != SL_JSON_ARRAY) {
        gboolean ok = attach_one(catalog, root, error);
        if (!ok)
            g_prefix_error(error, "state: ");
        return ok;
    }
    guint i = 0;
    SL_JSON_FOREACH (catalog->state, root, child) {
        if (!attach_one(catalog, child, error)) {
            g_prefix_error(error, "state[%u]: ", i);
            return FALSE;
        }
        i++;
    }
    return TRUE;
}

void
kit_catalog_free(KitCatalog *catalog)
{
    if (catalog == NULL)
        return;
    for (guint i = 0; i < catalog->n_streams; i++) {
        KitStream *stream = &catalog->streams[i];
        g_free(stream->name);
        g_free(stream->ns);
        g_strfreev(stream->cursor_field);
        for (guint k = 0; k < stream->n_primary_key; k++)
            g_strfreev(stream->primary_key[k]);
        g_free(stream->primary_key);
    }
    g_free(catalog->streams);
    g_clear_pointer(&catalog->by_name, g_hash_table_unref);
    sl_json_doc_free(catalog->doc);
    sl_json_doc_free(catalog->state);
    g_free(catalog);
}
