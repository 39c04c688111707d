/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-catalog.h"

#include <string.h>

#include "sl-error.h"
#include "sl-json-write.h"

#define SOURCE_NAMESPACE "${SOURCE_NAMESPACE}"

static const char *const sync_modes[] = {"full_refresh", "incremental", NULL};

/* Per destination mode: its name, and what each kind of connector is told instead. */
static const struct {
    const char *name, *source, *refreshing, *plain;
} destination_modes[] = {
    [SL_DESTINATION_APPEND] = {"append", "append", "append", "append"},
    [SL_DESTINATION_OVERWRITE] = {"overwrite", "overwrite", "append", "overwrite"},
    [SL_DESTINATION_APPEND_DEDUP] = {"append_dedup", "append_dedup", "append_dedup",
                                     "append_dedup"},
    [SL_DESTINATION_OVERWRITE_DEDUP] = {"overwrite_dedup", "overwrite", "append_dedup",
                                        "overwrite"},
    [SL_DESTINATION_UPDATE] = {"update", "append", "update", "update"},
    [SL_DESTINATION_SOFT_DELETE] = {"soft_delete", "append", "soft_delete", "soft_delete"},
};

typedef enum { NAMES_SOURCE, NAMES_DESTINATION, NAMES_FORMAT } NamesRule;

static gboolean
is_blank(const char *text)
{
    while (text != NULL && g_ascii_isspace(*text))
        text++;
    return text == NULL || *text == '\0';
}

/* The value of a member that may be missing or null. */
static const SlJsonNode *
get_member(const SlJsonDoc *doc, const SlJsonNode *node, const char *key)
{
    const SlJsonNode *value = sl_json_get(doc, node, key);
    return value == NULL || value->type == SL_JSON_NULL ? NULL : value;
}

static gboolean
read_name(const SlCatalog *catalog, const SlJsonNode *object, const char *key, guint index,
          gboolean required, char **ret, GError **error)
{
    const SlJsonNode *value = get_member(catalog->doc, object, key);
    g_autofree char *text = NULL;
    if (value != NULL && value->type == SL_JSON_STRING)
        text = sl_json_dup_string(value);
    if (value != NULL && text == NULL)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "catalog.streams[%u].stream.%s: expected a string without NUL", index,
                            key);
    if (required && is_blank(text))
        return sl_error_set(error, SL_ERROR_INVALID, "catalog.streams[%u].stream.%s: missing",
                            index, key);
    if (text != NULL && *text != '\0')
        *ret = g_steal_pointer(&text);
    return TRUE;
}

static gboolean
read_enum(const SlCatalog *catalog, const SlJsonNode *object, const char *key, guint index,
          const char *(*name_of)(guint), guint *ret, GError **error)
{
    const SlJsonNode *value = get_member(catalog->doc, object, key);
    if (value == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "catalog.streams[%u].%s: missing", index, key);
    for (guint i = 0; name_of(i) != NULL; i++) {
        if (sl_json_string_is(value, name_of(i))) {
            *ret = i;
            return TRUE;
        }
    }
    return sl_error_set(error, SL_ERROR_INVALID, "catalog.streams[%u].%s: unknown value %.*s",
                        index, key, (int)MIN(value->n, 80), value->p);
}

static const char *
sync_mode_name(guint i)
{
    return sync_modes[MIN(i, G_N_ELEMENTS(sync_modes) - 1)];
}

static const char *
destination_mode_name(guint i)
{
    return i < G_N_ELEMENTS(destination_modes) ? destination_modes[i].name : NULL;
}

static gboolean
read_ids(const SlCatalog *catalog, SlCatalogStream *stream, GError **error)
{
    const struct {
        const char *key;
        gint64 *ret;
    } ids[] = {{"generation_id", &stream->generation_id},
               {"minimum_generation_id", &stream->minimum_generation_id},
               {"sync_id", &stream->sync_id}};

    for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
        const SlJsonNode *value = get_member(catalog->doc, stream->node, ids[i].key);
        if (value != NULL && (!sl_json_get_int64(value, ids[i].ret) || *ids[i].ret < 0))
            return sl_error_set(error, SL_ERROR_INVALID,
                                "catalog.streams[%u].%s: expected an integer of at least 0",
                                stream->index, ids[i].key);
    }
    if (stream->minimum_generation_id != 0 &&
        stream->minimum_generation_id != stream->generation_id)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "catalog.streams[%u].minimum_generation_id: %" G_GINT64_FORMAT
                            " is neither 0 nor the generation_id (%" G_GINT64_FORMAT ")",
                            stream->index, stream->minimum_generation_id, stream->generation_id);
    return TRUE;
}

static gboolean
check_key(const SlCatalog *catalog, const SlCatalogStream *stream, GError **error)
{
    if (stream->destination_mode != SL_DESTINATION_APPEND_DEDUP &&
        stream->destination_mode != SL_DESTINATION_OVERWRITE_DEDUP)
        return TRUE;
    const SlJsonNode *own = get_member(catalog->doc, stream->node, "primary_key");
    const SlJsonNode *defined =
        sl_json_get_path(catalog->doc, stream->node, "stream", "source_defined_primary_key", NULL);
    if ((own != NULL && own->count > 0) ||
        (defined != NULL && defined->type == SL_JSON_ARRAY && defined->count > 0))
        return TRUE;
    return sl_error_set(error, SL_ERROR_INVALID,
                        "catalog.streams[%u].primary_key: stream '%s' is to be deduplicated and "
                        "has no primary key",
                        stream->index, stream->name);
}

/* Records that are merged into a table need what they are merged by. */
static gboolean
make_key(const SlCatalog *catalog, SlCatalogStream *stream, GError **error)
{
    g_autoptr(GError) refusal = NULL;
    if (stream->sync_mode != SL_SYNC_INCREMENTAL ||
        stream->destination_mode != SL_DESTINATION_APPEND_DEDUP)
        return TRUE;
    stream->key = sl_stream_key_new(catalog->doc, stream->node, &refusal);
    return refusal == NULL || sl_error_set(error, SL_ERROR_INVALID, "catalog.streams[%u].%s",
                                           stream->index, refusal->message);
}

static gboolean
read_rule(const SlCatalogNames *names, NamesRule *ret, GError **error)
{
    static const struct {
        const char *name;
        NamesRule rule;
    } rules[] = {{"source", NAMES_SOURCE},
                 {"destination", NAMES_DESTINATION},
                 {"customformat", NAMES_FORMAT},
                 {"custom_format", NAMES_FORMAT}};

    *ret = NAMES_SOURCE;
    if (names == NULL || is_blank(names->namespace_definition))
        return TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(rules); i++) {
        if (g_ascii_strcasecmp(names->namespace_definition, rules[i].name) == 0) {
            *ret = rules[i].rule;
            return TRUE;
        }
    }
    return sl_error_set(error, SL_ERROR_INVALID, "namespaceDefinition: unknown value '%s'",
                        names->namespace_definition);
}

static char *
map_namespace(NamesRule rule, const char *format, const char *ns)
{
    if (rule == NAMES_SOURCE)
        return g_strdup(ns);
    if (rule == NAMES_DESTINATION || is_blank(format))
        return NULL;
    g_autoptr(GString) text = g_string_new(format);
    g_string_replace(text, SOURCE_NAMESPACE, ns != NULL ? ns : "", 0);
    return is_blank(text->str) ? NULL : g_strdup(text->str);
}

static char *
quote(const char *text)
{
    if (text == NULL)
        return g_strdup("null");
    GString *out = g_string_new(NULL);
    sl_json_append_quoted(out, text, strlen(text));
    return g_string_free(out, FALSE);
}

static void
map_names(SlCatalogStream *stream, NamesRule rule, const SlCatalogNames *names)
{
    gboolean prefixed = names != NULL && !is_blank(names->prefix);
    stream->to_ns = map_namespace(rule, names != NULL ? names->namespace_format : NULL, stream->ns);
    stream->to_name = g_strconcat(prefixed ? names->prefix : "", stream->name, NULL);
    stream->renamed =
        g_strcmp0(stream->ns, stream->to_ns) != 0 || g_strcmp0(stream->name, stream->to_name) != 0;
    stream->to_name_json = quote(stream->to_name);
    stream->to_ns_json = quote(stream->to_ns);
}

/* In a catalog that is only stored, keys of mappers are references: nothing can be applied yet. */
static gboolean
check_mappers(const SlCatalog *catalog, const SlCatalogStream *stream, const char *title,
              GError **error)
{
    g_autoptr(SlMapperShape) shape = sl_mapper_shape(catalog->doc, stream->node, error);
    if (shape == NULL) {
        g_prefix_error(error, "stream '%s': ", title);
        return FALSE;
    }
    if (shape->faults->len == 0)
        return TRUE;
    const SlMapperFault *fault = shape->faults->pdata[0];
    return sl_error_set(error, SL_ERROR_INVALID, "stream '%s': %s", title, fault->message);
}

static gboolean
make_mapper(const SlCatalog *catalog, SlCatalogStream *stream, GError **error)
{
    g_autofree char *title = sl_catalog_stream_title(stream);
    g_autoptr(GError) refusal = NULL;
    if (catalog->stored)
        return check_mappers(catalog, stream, title, error);
    stream->mapper = sl_mapper_new(catalog->doc, stream->node, title, &refusal);
    if (refusal == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&refusal));
    return FALSE;
}

static gboolean
read_stream(SlCatalog *catalog, SlCatalogStream *stream, GError **error)
{
    guint index = stream->index, sync_mode = 0, destination_mode = 0;
    if (stream->node->type != SL_JSON_OBJECT)
        return sl_error_set(error, SL_ERROR_INVALID, "catalog.streams[%u]: expected an object",
                            index);
    const SlJsonNode *inner = get_member(catalog->doc, stream->node, "stream");
    if (inner == NULL || inner->type != SL_JSON_OBJECT)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "catalog.streams[%u].stream: expected an object", index);
    if (!read_name(catalog, inner, "name", index, TRUE, &stream->name, error) ||
        !read_name(catalog, inner, "namespace", index, FALSE, &stream->ns, error) ||
        !read_enum(catalog, stream->node, "sync_mode", index, sync_mode_name, &sync_mode, error) ||
        !read_enum(catalog, stream->node, "destination_sync_mode", index, destination_mode_name,
                   &destination_mode, error) ||
        !read_ids(catalog, stream, error))
        return FALSE;
    if (!make_mapper(catalog, stream, error))
        return FALSE;
    stream->sync_mode = (SlSyncMode)sync_mode;
    stream->destination_mode = (SlDestinationMode)destination_mode;
    const SlJsonNode *resumable = get_member(catalog->doc, inner, "is_resumable");
    if (resumable != NULL)
        sl_json_get_boolean(resumable, &stream->resumable);
    return check_key(catalog, stream, error) && make_key(catalog, stream, error);
}

static gboolean
refuse_twins(const SlCatalog *catalog, GError **error)
{
    g_autoptr(GHashTable) from = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) to = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < catalog->n_streams; i++) {
        SlCatalogStream *stream = &catalog->streams[i];
        g_autofree char *title = sl_catalog_stream_title(stream);
        /* JSON forms as keys: unambiguous whatever the names hold */
        g_autofree char *name = quote(stream->name), *ns = quote(stream->ns);
        if (!g_hash_table_insert(from, g_strconcat(ns, name, NULL), stream))
            return sl_error_set(error, SL_ERROR_INVALID,
                                "catalog.streams[%u]: stream '%s' is there twice", i, title);
        char *key = g_strconcat(stream->to_ns_json, stream->to_name_json, NULL);
        const SlCatalogStream *other = g_hash_table_lookup(to, key);
        if (other != NULL) {
            g_autofree char *other_title = sl_catalog_stream_title(other);
            g_free(key);
            return sl_error_set(error, SL_ERROR_INVALID,
                                "catalog.streams[%u]: streams '%s' and '%s' would both be '%s' at "
                                "the destination",
                                i, other_title, title, stream->to_name);
        }
        g_hash_table_insert(to, key, stream);
    }
    return TRUE;
}

static SlCatalog *
parse(const char *text, gsize len, const SlCatalogNames *names, gboolean stored, GError **error)
{
    NamesRule rule;
    g_autoptr(SlCatalog) catalog = g_new0(SlCatalog, 1);
    catalog->stored = stored;
    catalog->doc = sl_json_read_copy(text, len, NULL, error);
    if (catalog->doc == NULL) {
        g_prefix_error(error, "catalog: ");
        return NULL;
    }
    if (!read_rule(names, &rule, error))
        return NULL;
    const SlJsonNode *streams = sl_json_get(catalog->doc, sl_json_root(catalog->doc), "streams");
    if (streams == NULL || streams->type != SL_JSON_ARRAY) {
        sl_error_set(error, SL_ERROR_INVALID, "catalog.streams: expected an array");
        return NULL;
    }
    catalog->streams = g_new0(SlCatalogStream, MAX(streams->count, 1));
    SL_JSON_FOREACH (catalog->doc, streams, node) {
        SlCatalogStream *stream = &catalog->streams[catalog->n_streams];
        stream->index = catalog->n_streams++;
        stream->node = node;
        if (!read_stream(catalog, stream, error))
            return NULL;
        map_names(stream, rule, names);
    }
    if (!refuse_twins(catalog, error))
        return NULL;
    return g_steal_pointer(&catalog);
}

SlCatalog *
sl_catalog_parse(const char *text, gsize len, const SlCatalogNames *names, GError **error)
{
    return parse(text, len, names, FALSE, error);
}

gboolean
sl_catalog_check(const char *text, gsize len, const SlCatalogNames *names, GError **error)
{
    g_autoptr(SlCatalog) catalog = parse(text, len, names, TRUE, error);
    return catalog != NULL;
}

void
sl_catalog_free(SlCatalog *catalog)
{
    if (catalog == NULL)
        return;
    for (guint i = 0; i < catalog->n_streams; i++) {
        SlCatalogStream *stream = &catalog->streams[i];
        g_free(stream->name);
        g_free(stream->ns);
        g_free(stream->to_name);
        g_free(stream->to_ns);
        g_free(stream->to_name_json);
        g_free(stream->to_ns_json);
        sl_mapper_free(stream->mapper);
        sl_stream_key_free(stream->key);
    }
    g_free(catalog->streams);
    sl_json_doc_free(catalog->doc);
    g_free(catalog);
}

char *
sl_catalog_stream_title(const SlCatalogStream *stream)
{
    return stream->ns != NULL ? g_strconcat(stream->ns, ".", stream->name, NULL)
                              : g_strdup(stream->name);
}

/* --- writing --------------------------------------------------------------- */

/* A member of the configured stream that is not copied. */
typedef struct {
    const char *key;
    const char *value; /* JSON in its place; NULL: it is left out */
} Change;

/* Copies the members of an object as they are, but for the changes, which end with a NULL key. */
static void
copy_members(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *object, const Change *changes)
{
    SL_JSON_FOREACH (doc, object, key) {
        const Change *change = changes;
        while (change->key != NULL && !sl_json_string_is(key, change->key))
            change++;
        if (change->key != NULL) {
            sl_json_member_raw(w, change->key, change->value);
            continue;
        }
        g_autoptr(GString) name = g_string_new(NULL);
        sl_json_append_string(key, name);
        if (strlen(name->str) != name->len)
            continue; /* a member whose name holds NUL: the writer's keys are C strings */
        sl_json_key(w, name->str);
        sl_json_node(w, key + 1);
    }
}

/* `stream` as the destination knows it: under its names, with the members in `mapped`. */
static void
write_mapped(SlJsonWriter *w, const SlCatalog *catalog, const SlCatalogStream *stream,
             const Change *mapped)
{
    sl_json_begin_object(w);
    sl_json_member_raw(w, "name", stream->to_name_json);
    if (stream->to_ns != NULL)
        sl_json_member_raw(w, "namespace", stream->to_ns_json);
    copy_members(w, catalog->doc, sl_json_get(catalog->doc, stream->node, "stream"), mapped);
    sl_json_end_object(w);
}

static void
write_inner(SlJsonWriter *w, const SlCatalog *catalog, const SlCatalogStream *stream,
            gboolean mapped)
{
    const SlMapperShape *shape =
        stream->mapper != NULL ? sl_mapper_get_shape(stream->mapper) : NULL;
    const SlJsonNode *inner = sl_json_get(catalog->doc, stream->node, "stream");
    sl_json_key(w, "stream");
    if (mapped && shape == NULL) {
        write_mapped(w, catalog, stream, (Change[]){{"name"}, {"namespace"}, {NULL}});
    } else if (mapped) {
        write_mapped(w, catalog, stream,
                     (Change[]){{"name"},
                                {"namespace"},
                                {"json_schema", shape->json_schema},
                                {"default_cursor_field", shape->default_cursor_field},
                                {"source_defined_primary_key", shape->source_defined_primary_key},
                                {NULL}});
    } else if (shape != NULL && shape->source_schema != NULL) {
        sl_json_begin_object(w);
        copy_members(w, catalog->doc, inner,
                     (Change[]){{"json_schema", shape->source_schema}, {NULL}});
        sl_json_end_object(w);
    } else {
        sl_json_node(w, inner);
    }
}

static void
write_stream(SlJsonWriter *w, const SlCatalog *catalog, const SlCatalogStream *stream,
             gboolean mapped, const char *mode)
{
#define OURS                                                                                       \
    {"stream"}, {"destination_sync_mode"}, {"fields"}, {"mappers"}, {"selectedFields"},            \
        {"includesFiles"}, {"includeFiles"},                                                       \
    {                                                                                              \
        "hashedFields"                                                                             \
    }
    static const Change ours[] = {OURS, {NULL}};
    const SlMapperShape *shape =
        stream->mapper != NULL ? sl_mapper_get_shape(stream->mapper) : NULL;
    sl_json_begin_object(w);
    write_inner(w, catalog, stream, mapped);
    sl_json_member_string(w, "destination_sync_mode", mode);
    if (mapped && shape != NULL)
        copy_members(w, catalog->doc, stream->node,
                     (Change[]){OURS,
                                {"cursor_field", shape->cursor_field},
                                {"primary_key", shape->primary_key},
                                {NULL}});
    else
        copy_members(w, catalog->doc, stream->node, ours);
    sl_json_end_object(w);
#undef OURS
}

static char *
write_catalog(const SlCatalog *catalog, gboolean mapped, gsize mode_offset)
{
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);

    sl_json_begin_object(&w);
    sl_json_key(&w, "streams");
    sl_json_begin_array(&w);
    for (guint i = 0; i < catalog->n_streams; i++) {
        const SlCatalogStream *stream = &catalog->streams[i];
        const void *row = &destination_modes[stream->destination_mode];
        write_stream(&w, catalog, stream, mapped, G_STRUCT_MEMBER(const char *, row, mode_offset));
    }
    sl_json_end_array(&w);
    sl_json_end_object(&w);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

char *
sl_catalog_write_source(const SlCatalog *catalog)
{
    return write_catalog(catalog, FALSE, G_STRUCT_OFFSET(__typeof__(destination_modes[0]), source));
}

char *
sl_catalog_write_destination(const SlCatalog *catalog, gboolean supports_refreshes)
{
    return write_catalog(catalog, TRUE,
                         supports_refreshes
                             ? G_STRUCT_OFFSET(__typeof__(destination_modes[0]), refreshing)
                             : G_STRUCT_OFFSET(__typeof__(destination_modes[0]), plain));
}
