/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-catalog.h"

#include <string.h>

#include "sl-error.h"
#include "sl-json-read.h"
#include "sl-json-write.h"

/* The public API's names of the pairs of modes. */
typedef struct {
    const char *name;
    const char *sync_mode;
    const char *destination_mode;
    gboolean needs_key;
    gboolean listed; /* in GET /streams; the others are accepted, but not offered */
} Mode;

static const Mode modes[] = {
    {"full_refresh_overwrite", "full_refresh", "overwrite", FALSE, TRUE},
    {"full_refresh_overwrite_deduped", "full_refresh", "overwrite_dedup", TRUE, FALSE},
    {"full_refresh_append", "full_refresh", "append", FALSE, TRUE},
    {"full_refresh_update", "full_refresh", "update", TRUE, TRUE},
    {"full_refresh_soft_delete", "full_refresh", "soft_delete", TRUE, TRUE},
    {"incremental_append", "incremental", "append", FALSE, TRUE},
    {"incremental_deduped_history", "incremental", "append_dedup", TRUE, TRUE},
    {"incremental_update", "incremental", "update", TRUE, TRUE},
    {"incremental_soft_delete", "incremental", "soft_delete", TRUE, TRUE},
};

/* Everything that a function looks at while it handles one stream. */
typedef struct {
    const SlJsonDoc *found_doc, *wanted_doc;
    const SlJsonNode *found;  /* AirbyteStream */
    const SlJsonNode *wanted; /* StreamConfiguration; NULL: defaults */
    const char *const *destination_modes;
    const Mode *mode;
    const SlJsonNode *cursor, *key; /* chosen ones, in whichever document; NULL: none */
    guint index;                    /* in the request */
} Choice;

static SlJsonDoc *
read_json(const char *text, const char *what, GError **error)
{
    SlJsonDoc *doc = sl_json_read(text, strlen(text), NULL, error);
    if (doc == NULL)
        g_prefix_error(error, "%s: ", what);
    return doc;
}

static const SlJsonNode *
non_null(const SlJsonDoc *doc, const SlJsonNode *node, const char *key)
{
    const SlJsonNode *value = sl_json_get(doc, node, key);
    return value != NULL && value->type != SL_JSON_NULL ? value : NULL;
}

static char *
get_text(const SlJsonDoc *doc, const SlJsonNode *node, const char *key)
{
    const SlJsonNode *value = non_null(doc, node, key);
    char *text = value != NULL ? sl_json_dup_string(value) : NULL;
    return text != NULL ? text : g_strdup("");
}

static gboolean
is_true(const SlJsonDoc *doc, const SlJsonNode *node, const char *key)
{
    const SlJsonNode *value = sl_json_get(doc, node, key);
    return value != NULL && value->type == SL_JSON_TRUE;
}

static gboolean
list_has(const SlJsonDoc *doc, const SlJsonNode *list, const char *text)
{
    if (list == NULL || list->type != SL_JSON_ARRAY)
        return FALSE;
    SL_JSON_FOREACH (doc, list, child)
        if (sl_json_string_is(child, text))
            return TRUE;
    return FALSE;
}

static gboolean
is_empty(const SlJsonNode *list)
{
    return list == NULL || list->type != SL_JSON_ARRAY || list->count == 0;
}

/* A destination that can append with deduplication and overwrite can overwrite with deduplication.
 */
static gboolean
destination_has(const char *const *destination_modes, const char *mode)
{
    if (strcmp(mode, "overwrite_dedup") == 0)
        return g_strv_contains(destination_modes, "append_dedup") &&
               g_strv_contains(destination_modes, "overwrite");
    return g_strv_contains(destination_modes, mode);
}

/* --- GET /streams ---------------------------------------------------------------------------- */

/* Paths of all fields, through nested objects; what is below an array is not a field. */
static void
write_fields(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *schema, GPtrArray *path)
{
    const SlJsonNode *properties = non_null(doc, schema, "properties");
    if (properties == NULL || properties->type != SL_JSON_OBJECT)
        return;
    SL_JSON_FOREACH (doc, properties, key) {
        g_ptr_array_add(path, sl_json_dup_string(key));
        sl_json_begin_array(w);
        for (guint i = 0; i < path->len; i++)
            sl_json_string(w, path->pdata[i]);
        sl_json_end_array(w);
        write_fields(w, doc, key + 1, path);
        g_ptr_array_set_size(path, (gint)path->len - 1);
    }
}

static void
write_modes(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *stream,
            const char *const *destination_modes)
{
    const SlJsonNode *supported = non_null(doc, stream, "supported_sync_modes");
    sl_json_key(w, "syncModes");
    sl_json_begin_array(w);
    for (gsize i = 0; i < G_N_ELEMENTS(modes); i++)
        if (modes[i].listed && list_has(doc, supported, modes[i].sync_mode) &&
            destination_has(destination_modes, modes[i].destination_mode))
            sl_json_string(w, modes[i].name);
    sl_json_end_array(w);
}

static void
write_list(SlJsonWriter *w, const char *key, const SlJsonNode *value)
{
    sl_json_key(w, key);
    if (value != NULL && value->type == SL_JSON_ARRAY) {
        sl_json_node(w, value);
        return;
    }
    sl_json_begin_array(w);
    sl_json_end_array(w);
}

static void
write_properties(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *stream,
                 const char *const *destination_modes)
{
    g_autofree char *name = get_text(doc, stream, "name"), *ns = get_text(doc, stream, "namespace");
    g_autoptr(GPtrArray) path = g_ptr_array_new_with_free_func(g_free);
    sl_json_begin_object(w);
    sl_json_member_string(w, "streamName", name);
    sl_json_member_string(w, "streamnamespace", *ns != '\0' ? ns : NULL); /* spelled so */
    if (destination_modes != NULL)
        write_modes(w, doc, stream, destination_modes);
    write_list(w, "defaultCursorField", non_null(doc, stream, "default_cursor_field"));
    sl_json_member_bool(w, "sourceDefinedCursorField",
                        is_true(doc, stream, "source_defined_cursor"));
    write_list(w, "sourceDefinedPrimaryKey", non_null(doc, stream, "source_defined_primary_key"));
    sl_json_key(w, "propertyFields");
    sl_json_begin_array(w);
    write_fields(w, doc, non_null(doc, stream, "json_schema"), path);
    sl_json_end_array(w);
    sl_json_end_object(w);
}

char *
server_catalog_list_streams(const char *discovered, const char *const *destination_modes,
                            GError **error)
{
    g_autoptr(SlJsonDoc) doc = read_json(discovered, "catalog", error);
    if (doc == NULL)
        return NULL;
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_array(&w);
    SL_JSON_FOREACH (doc, sl_json_get(doc, sl_json_root(doc), "streams"), stream)
        write_properties(&w, doc, stream, destination_modes);
    sl_json_end_array(&w);
    return g_string_free(out, FALSE);
}

/* --- configuring: choosing and checking ------------------------------------------------------ */

static gboolean refuse(const Choice *choice, const char *field, GError **error, const char *format,
                       ...) G_GNUC_PRINTF(4, 5);

static gboolean
refuse(const Choice *choice, const char *field, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *why = g_strdup_vprintf(format, args);
    va_end(args);
    return sl_error_set(error, SL_ERROR_INVALID, "configurations.streams[%u].%s: %s", choice->index,
                        field, why);
}

static gboolean
choose_mode(Choice *choice, GError **error)
{
    const SlJsonNode *wanted =
        choice->wanted != NULL ? non_null(choice->wanted_doc, choice->wanted, "syncMode") : NULL;
    choice->mode = &modes[0];
    for (gsize i = 0; wanted != NULL && i < G_N_ELEMENTS(modes); i++)
        if (sl_json_string_is(wanted, modes[i].name)) {
            choice->mode = &modes[i];
            wanted = NULL;
        }
    if (wanted != NULL) {
        g_autofree char *text = sl_json_dup_span(wanted);
        return refuse(choice, "syncMode", error, "%s is not a sync mode", text);
    }
    if (!list_has(choice->found_doc,
                  non_null(choice->found_doc, choice->found, "supported_sync_modes"),
                  choice->mode->sync_mode))
        return refuse(choice, "syncMode", error, "the source does not offer %s for this stream",
                      choice->mode->sync_mode);
    return destination_has(choice->destination_modes, choice->mode->destination_mode) ||
           refuse(choice, "syncMode", error, "the destination cannot %s",
                  choice->mode->destination_mode);
}

/* The top-level field that a path of names begins with, in the stream's schema. */
static gboolean
schema_has(const Choice *choice, const SlJsonNode *path)
{
    g_autofree char *first = path->count > 0 ? sl_json_dup_string(path + 1) : NULL;
    const SlJsonNode *schema = non_null(choice->found_doc, choice->found, "json_schema");
    const SlJsonNode *properties = non_null(choice->found_doc, schema, "properties");
    return first != NULL && sl_json_get(choice->found_doc, properties, first) != NULL;
}

static gboolean
same_span(const SlJsonNode *a, const SlJsonNode *b)
{
    return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

static gboolean
choose_cursor(Choice *choice, GError **error)
{
    const SlJsonNode *wanted =
        choice->wanted != NULL ? non_null(choice->wanted_doc, choice->wanted, "cursorField") : NULL;
    const SlJsonNode *offered = non_null(choice->found_doc, choice->found, "default_cursor_field");
    gboolean defined = is_true(choice->found_doc, choice->found, "source_defined_cursor");
    if (wanted != NULL && wanted->type != SL_JSON_ARRAY)
        return refuse(choice, "cursorField", error, "expected an array of field names");
    choice->cursor = !is_empty(wanted) ? wanted : !is_empty(offered) ? offered : NULL;
    if (strcmp(choice->mode->sync_mode, "incremental") != 0)
        return TRUE;
    if (defined && !is_empty(wanted) && !is_empty(offered) && !same_span(wanted, offered))
        return refuse(choice, "cursorField", error, "the source defines its own cursor");
    if (defined)
        return TRUE;
    if (choice->cursor == NULL)
        return refuse(choice, "cursorField", error, "an incremental sync needs a cursor field");
    return schema_has(choice, choice->cursor) ||
           refuse(choice, "cursorField", error, "the stream has no such field");
}

static gboolean
check_key_fields(const Choice *choice, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    SL_JSON_FOREACH (choice->wanted_doc, choice->key, path) {
        if (path->type != SL_JSON_ARRAY || !schema_has(choice, path))
            return refuse(choice, "primaryKey", error, "the stream has no such field");
        if (!g_hash_table_add(seen, sl_json_dup_span(path)))
            return refuse(choice, "primaryKey", error, "a field is there twice");
    }
    return TRUE;
}

static gboolean
choose_key(Choice *choice, GError **error)
{
    const SlJsonNode *wanted =
        choice->wanted != NULL ? non_null(choice->wanted_doc, choice->wanted, "primaryKey") : NULL;
    const SlJsonNode *defined =
        non_null(choice->found_doc, choice->found, "source_defined_primary_key");
    if (wanted != NULL && wanted->type != SL_JSON_ARRAY)
        return refuse(choice, "primaryKey", error, "expected an array of paths");
    if (!is_empty(defined) && !is_empty(wanted) && !same_span(wanted, defined))
        return refuse(choice, "primaryKey", error, "the source defines its own primary key");
    choice->key = !is_empty(defined) ? defined : !is_empty(wanted) ? wanted : NULL;
    if (choice->key == NULL)
        return !choice->mode->needs_key ||
               refuse(choice, "primaryKey", error, "%s needs a primary key", choice->mode->name);
    return choice->key == defined || check_key_fields(choice, error);
}

/* Names of the selected top-level fields; *ret NULL: all of them. */
static gboolean
choose_fields(const Choice *choice, GHashTable **ret, GError **error)
{
    const SlJsonNode *wanted = choice->wanted != NULL
                                   ? non_null(choice->wanted_doc, choice->wanted, "selectedFields")
                                   : NULL;
    *ret = NULL;
    if (wanted == NULL)
        return TRUE;
    if (is_empty(wanted))
        return refuse(choice, "selectedFields", error, "at least one field must be selected");
    g_autoptr(GHashTable) fields = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    SL_JSON_FOREACH (choice->wanted_doc, wanted, field) {
        const SlJsonNode *path = non_null(choice->wanted_doc, field, "fieldPath");
        if (is_empty(path) || path->count > 1)
            return refuse(choice, "selectedFields", error, "fieldPath must be one top-level field");
        if (!schema_has(choice, path))
            return refuse(choice, "selectedFields", error, "the stream has no such field");
        if (!g_hash_table_add(fields, sl_json_dup_string(path + 1)))
            return refuse(choice, "selectedFields", error, "a field is there twice");
    }
    *ret = g_steal_pointer(&fields);
    return TRUE;
}

/* What deduplication and cursors need cannot be deselected. */
static gboolean
check_selection(const Choice *choice, GHashTable *fields, GError **error)
{
    if (fields == NULL)
        return TRUE;
    if (choice->cursor != NULL && strcmp(choice->mode->sync_mode, "incremental") == 0) {
        g_autofree char *name = sl_json_dup_string(choice->cursor + 1);
        if (!g_hash_table_contains(fields, name))
            return refuse(choice, "selectedFields", error, "the cursor field '%s' is missing",
                          name);
    }
    if (!choice->mode->needs_key)
        return TRUE;
    const SlJsonDoc *doc =
        choice->key == non_null(choice->found_doc, choice->found, "source_defined_primary_key")
            ? choice->found_doc
            : choice->wanted_doc;
    SL_JSON_FOREACH (doc, choice->key, path) {
        g_autofree char *name = sl_json_dup_string(path + 1);
        if (!g_hash_table_contains(fields, name))
            return refuse(choice, "selectedFields", error, "the key field '%s' is missing", name);
    }
    return TRUE;
}

/* --- configuring: writing -------------------------------------------------------------------- */

static void
write_selected_properties(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *properties,
                          GHashTable *fields)
{
    sl_json_begin_object(w);
    SL_JSON_FOREACH (doc, properties, key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (!g_hash_table_contains(fields, name))
            continue;
        sl_json_key(w, name);
        sl_json_node(w, key + 1);
    }
    sl_json_end_object(w);
}

static void
write_schema(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *schema, GHashTable *fields)
{
    if (fields == NULL || schema->type != SL_JSON_OBJECT) {
        sl_json_node(w, schema);
        return;
    }
    sl_json_begin_object(w);
    SL_JSON_FOREACH (doc, schema, key) {
        g_autofree char *name = sl_json_dup_string(key);
        sl_json_key(w, name);
        if (strcmp(name, "properties") == 0)
            write_selected_properties(w, doc, key + 1, fields);
        else
            sl_json_node(w, key + 1);
    }
    sl_json_end_object(w);
}

static void
write_stream(SlJsonWriter *w, const Choice *choice, GHashTable *fields)
{
    sl_json_begin_object(w);
    SL_JSON_FOREACH (choice->found_doc, choice->found, key) {
        g_autofree char *name = sl_json_dup_string(key);
        sl_json_key(w, name);
        if (strcmp(name, "json_schema") == 0)
            write_schema(w, choice->found_doc, key + 1, fields);
        else
            sl_json_node(w, key + 1);
    }
    sl_json_end_object(w);
}

static void
write_configured(SlJsonWriter *w, const Choice *choice, GHashTable *fields)
{
    sl_json_begin_object(w);
    sl_json_key(w, "stream");
    write_stream(w, choice, fields);
    sl_json_member_string(w, "sync_mode", choice->mode->sync_mode);
    sl_json_member_string(w, "destination_sync_mode", choice->mode->destination_mode);
    if (choice->cursor != NULL)
        write_list(w, "cursor_field", choice->cursor);
    if (choice->key != NULL)
        write_list(w, "primary_key", choice->key);
    if (fields != NULL)
        sl_json_member_bool(w, "field_selection", TRUE);
    sl_json_end_object(w);
}

static gboolean
configure_one(SlJsonWriter *w, Choice *choice, GError **error)
{
    g_autoptr(GHashTable) fields = NULL;
    if (!choose_mode(choice, error) || !choose_cursor(choice, error) ||
        !choose_key(choice, error) || !choose_fields(choice, &fields, error) ||
        !check_selection(choice, fields, error))
        return FALSE;
    write_configured(w, choice, fields);
    return TRUE;
}

/* The discovered stream that a configuration names. A namespace must be given only where a name
 * alone says too little. */
static gboolean
find_stream(Choice *choice, const SlJsonNode *found_streams, GError **error)
{
    g_autofree char *name = get_text(choice->wanted_doc, choice->wanted, "name");
    g_autofree char *ns = get_text(choice->wanted_doc, choice->wanted, "namespace");
    guint n_named = 0, n_exact = 0;
    const SlJsonNode *named = NULL, *exact = NULL;
    SL_JSON_FOREACH (choice->found_doc, found_streams, stream) {
        g_autofree char *its_name = get_text(choice->found_doc, stream, "name");
        g_autofree char *its_ns = get_text(choice->found_doc, stream, "namespace");
        if (strcmp(its_name, name) != 0)
            continue;
        named = stream;
        n_named++;
        if (strcmp(its_ns, ns) == 0) {
            exact = stream;
            n_exact++;
        }
    }
    choice->found = n_exact == 1 ? exact : n_named == 1 && *ns == '\0' ? named : NULL;
    if (choice->found != NULL)
        return TRUE;
    if (n_named > 1 && *ns == '\0')
        return refuse(choice, "namespace", error, "the source has %u streams '%s'; say which one",
                      n_named, name);
    return refuse(choice, "name", error, "the source has no stream '%s'%s%s", name,
                  *ns != '\0' ? " in namespace " : "", ns);
}

static gboolean
configure_wanted(SlJsonWriter *w, Choice *choice, const SlJsonNode *found_streams, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    SL_JSON_FOREACH (choice->wanted_doc, sl_json_root(choice->wanted_doc), wanted) {
        choice->wanted = wanted;
        if (!find_stream(choice, found_streams, error))
            return FALSE;
        if (!g_hash_table_add(seen, (gpointer)choice->found))
            return refuse(choice, "name", error, "the stream is there twice");
        if (!configure_one(w, choice, error))
            return FALSE;
        choice->index++;
    }
    return TRUE;
}

static gboolean
configure_all(SlJsonWriter *w, Choice *choice, const SlJsonNode *found_streams, GError **error)
{
    SL_JSON_FOREACH (choice->found_doc, found_streams, stream) {
        choice->found = stream;
        if (!configure_one(w, choice, error))
            return FALSE;
        choice->index++;
    }
    return TRUE;
}

char *
server_catalog_configure(const char *discovered, const char *streams,
                         const char *const *destination_modes, GError **error)
{
    g_autoptr(SlJsonDoc) found = read_json(discovered, "catalog", error);
    g_autoptr(SlJsonDoc) wanted =
        found != NULL ? read_json(streams != NULL ? streams : "[]", "streams", error) : NULL;
    if (wanted == NULL)
        return NULL;
    const SlJsonNode *found_streams = sl_json_get(found, sl_json_root(found), "streams");
    if (sl_json_root(wanted)->type != SL_JSON_ARRAY) {
        sl_error_set(error, SL_ERROR_INVALID, "configurations.streams: expected array");
        return NULL;
    }
    if (is_empty(found_streams)) {
        sl_error_set(error, SL_ERROR_INVALID, "the source has no streams");
        return NULL;
    }
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    Choice choice = {
        .found_doc = found, .wanted_doc = wanted, .destination_modes = destination_modes};
    sl_json_begin_object(&w);
    sl_json_key(&w, "streams");
    sl_json_begin_array(&w);
    gboolean ok = is_empty(sl_json_root(wanted))
                      ? configure_all(&w, &choice, found_streams, error)
                      : configure_wanted(&w, &choice, found_streams, error);
    if (!ok)
        return NULL;
    sl_json_end_array(&w);
    sl_json_end_object(&w);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* --- the way back ---------------------------------------------------------------------------- */

static const char *
mode_name(const SlJsonDoc *doc, const SlJsonNode *stream)
{
    const SlJsonNode *sync = non_null(doc, stream, "sync_mode");
    const SlJsonNode *destination = non_null(doc, stream, "destination_sync_mode");
    for (gsize i = 0; sync != NULL && destination != NULL && i < G_N_ELEMENTS(modes); i++)
        if (sl_json_string_is(sync, modes[i].sync_mode) &&
            sl_json_string_is(destination, modes[i].destination_mode))
            return modes[i].name;
    return modes[0].name;
}

static void
write_selected(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *stream)
{
    const SlJsonNode *properties =
        sl_json_get_path(doc, stream, "stream", "json_schema", "properties", NULL);
    sl_json_key(w, "selectedFields");
    sl_json_begin_array(w);
    SL_JSON_FOREACH (doc, properties, key) {
        sl_json_begin_object(w);
        sl_json_key(w, "fieldPath");
        sl_json_begin_array(w);
        sl_json_node(w, key);
        sl_json_end_array(w);
        sl_json_end_object(w);
    }
    sl_json_end_array(w);
}

static void
write_described(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *stream)
{
    const SlJsonNode *inner = non_null(doc, stream, "stream");
    g_autofree char *name = get_text(doc, inner, "name"), *ns = get_text(doc, inner, "namespace");
    sl_json_begin_object(w);
    sl_json_member_string(w, "name", name);
    sl_json_member_string(w, "namespace", *ns != '\0' ? ns : NULL);
    sl_json_member_string(w, "syncMode", mode_name(doc, stream));
    if (non_null(doc, stream, "cursor_field") != NULL)
        write_list(w, "cursorField", non_null(doc, stream, "cursor_field"));
    if (non_null(doc, stream, "primary_key") != NULL)
        write_list(w, "primaryKey", non_null(doc, stream, "primary_key"));
    if (is_true(doc, stream, "field_selection"))
        write_selected(w, doc, stream);
    sl_json_end_object(w);
}

char *
server_catalog_describe(const char *configured, GError **error)
{
    g_autoptr(SlJsonDoc) doc = read_json(configured, "catalog", error);
    if (doc == NULL)
        return NULL;
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_array(&w);
    SL_JSON_FOREACH (doc, sl_json_get(doc, sl_json_root(doc), "streams"), stream)
        write_described(&w, doc, stream);
    sl_json_end_array(&w);
    return g_string_free(out, FALSE);
}
