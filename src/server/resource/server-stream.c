/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-stream.h"

#include <string.h>

#include "server-problem.h"
#include "sl-error.h"

static const ServerModes modes[] = {
    [SL_CONNECTION_SYNC_MODE_FULL_REFRESH_OVERWRITE] = {"full_refresh", "overwrite"},
    [SL_CONNECTION_SYNC_MODE_FULL_REFRESH_OVERWRITE_DEDUPED] = {"full_refresh", "overwrite_dedup"},
    [SL_CONNECTION_SYNC_MODE_FULL_REFRESH_APPEND] = {"full_refresh", "append"},
    [SL_CONNECTION_SYNC_MODE_INCREMENTAL_APPEND] = {"incremental", "append"},
    [SL_CONNECTION_SYNC_MODE_INCREMENTAL_DEDUPED_HISTORY] = {"incremental", "append_dedup"},
    [SL_CONNECTION_SYNC_MODE_FULL_REFRESH_UPDATE] = {"full_refresh", "update"},
    [SL_CONNECTION_SYNC_MODE_FULL_REFRESH_SOFT_DELETE] = {"full_refresh", "soft_delete"},
    [SL_CONNECTION_SYNC_MODE_INCREMENTAL_UPDATE] = {"incremental", "update"},
    [SL_CONNECTION_SYNC_MODE_INCREMENTAL_SOFT_DELETE] = {"incremental", "soft_delete"},
};

const ServerModes *
server_stream_modes(int mode)
{
    return &modes[mode];
}

int
server_stream_mode_of(const ServerStream *stream)
{
    if (stream->wanted == NULL || !sl_record_has(&sl_stream_configuration_record, stream->wanted,
                                                 SL_STREAM_CONFIGURATION_SYNC_MODE))
        return SL_CONNECTION_SYNC_MODE_FULL_REFRESH_OVERWRITE;
    return stream->wanted->sync_mode;
}

static gboolean
list_has(const SlJsonDoc *doc, const SlJsonNode *list, const char *text)
{
    SL_JSON_FOREACH (doc, list, item)
        if (sl_json_string_is(item, text))
            return TRUE;
    return FALSE;
}

/* --- what is possible ----------------------------------------------------------------------------
 */

static gboolean
source_has_mode(const ServerStream *stream, const char *mode)
{
    const SlJsonNode *supported = sl_json_get(stream->doc, stream->node, "supported_sync_modes");
    if (supported == NULL || supported->count == 0)
        return strcmp(mode, "full_refresh") == 0;
    return list_has(stream->doc, supported, mode);
}

/* A destination that says nothing is not refused anything; it may refuse itself. */
static gboolean
destination_has_mode(const SlJsonDoc *spec, const char *mode, gboolean listed)
{
    const SlJsonNode *supported =
        sl_json_get(spec, sl_json_root(spec), "supported_destination_sync_modes");
    gboolean rare = strcmp(mode, "update") == 0 || strcmp(mode, "soft_delete") == 0;
    if (supported == NULL || supported->count == 0)
        return !listed || !rare;
    if (list_has(spec, supported, mode))
        return TRUE;
    return strcmp(mode, "overwrite_dedup") == 0 && list_has(spec, supported, "overwrite") &&
           list_has(spec, supported, "append_dedup");
}

gboolean
server_stream_can(const ServerStream *stream, int mode, gboolean listed)
{
    return source_has_mode(stream, modes[mode].source) &&
           destination_has_mode(stream->spec, modes[mode].destination, listed);
}

static gboolean
schema_has(const ServerStream *stream, const char *property)
{
    const SlJsonNode *properties =
        sl_json_get_path(stream->doc, stream->node, "json_schema", "properties", NULL);
    return properties == NULL || sl_json_get(stream->doc, properties, property) != NULL;
}

static gboolean
is_true(const SlJsonNode *node)
{
    return node != NULL && node->type == SL_JSON_TRUE;
}

gboolean
server_stream_is_given(char *const *list)
{
    return list != NULL && list[0] != NULL;
}

static gboolean
bad(const ServerStream *stream, GError **error, const char *text, const char *value)
{
    return sl_error_set(error, SL_ERROR_INVALID, value != NULL ? "%s: %s '%s'" : "%s: %s",
                        stream->label, text, value);
}

/* --- cursor --------------------------------------------------------------------------------------
 */

static const SlJsonNode *
default_cursor(const ServerStream *stream)
{
    return sl_json_at(stream->doc, sl_json_get(stream->doc, stream->node, "default_cursor_field"),
                      0);
}

static gboolean
check_cursor(const ServerStream *stream, GError **error)
{
    char *const *given = stream->wanted != NULL ? stream->wanted->cursor_field : NULL;
    const SlJsonNode *first = default_cursor(stream);
    if (is_true(sl_json_get(stream->doc, stream->node, "source_defined_cursor")))
        return !server_stream_is_given(given) || first == NULL ||
               sl_json_string_is(first, given[0]) ||
               bad(stream, error, "cursorField: the source itself defines the cursor", NULL);
    if (server_stream_is_given(given))
        return schema_has(stream, given[0]) ||
               bad(stream, error, "cursorField: there is no field", given[0]);
    return first != NULL ||
           bad(stream, error, "cursorField: is required for an incremental sync", NULL);
}

/* --- primary key
 * ----------------------------------------------------------------------------------- primaryKey is
 * free JSON for the record engine: a list of paths. */

gboolean
server_stream_key_is_given(const SlStreamConfiguration *wanted)
{
    const char *text = wanted != NULL ? wanted->primary_key : NULL;
    g_autoptr(SlJsonDoc) doc = text != NULL ? sl_json_read(text, strlen(text), NULL, NULL) : NULL;
    return doc != NULL && sl_json_root(doc)->type == SL_JSON_ARRAY && sl_json_root(doc)->count > 0;
}

/* "a.b" of a path; NULL: it is none. */
static char *
join_path(const SlJsonDoc *doc, const SlJsonNode *path)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (path->type != SL_JSON_ARRAY || path->count == 0)
        return NULL;
    SL_JSON_FOREACH (doc, path, item) {
        if (text->len > 0)
            g_string_append_c(text, '.');
        if (!sl_json_append_string(item, text))
            return NULL;
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static gboolean
check_key_path(const ServerStream *stream, const SlJsonDoc *doc, const SlJsonNode *path,
               GHashTable *seen, GError **error)
{
    g_autofree char *joined = join_path(doc, path);
    if (joined == NULL)
        return bad(stream, error, "primaryKey: expected lists of field names", NULL);
    g_autofree char *first = sl_json_dup_string(sl_json_at(doc, path, 0));
    if (first == NULL || !schema_has(stream, first))
        return bad(stream, error, "primaryKey: there is no field", first);
    if (g_hash_table_contains(seen, joined))
        return bad(stream, error, "primaryKey: repeated field", joined);
    g_hash_table_add(seen, g_steal_pointer(&joined));
    return TRUE;
}

/* The same fields as the source's own key, in any order. */
static gboolean
is_own_key(const ServerStream *stream, const SlJsonNode *own, GHashTable *given)
{
    if (own->count != g_hash_table_size(given))
        return FALSE;
    SL_JSON_FOREACH (stream->doc, own, path) {
        g_autofree char *joined = join_path(stream->doc, path);
        if (joined == NULL || !g_hash_table_contains(given, joined))
            return FALSE;
    }
    return TRUE;
}

static gboolean
check_key(const ServerStream *stream, GError **error)
{
    const SlJsonNode *own = sl_json_get(stream->doc, stream->node, "source_defined_primary_key");
    gboolean has_own = own != NULL && own->count > 0;
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!server_stream_key_is_given(stream->wanted))
        return has_own ||
               bad(stream, error, "primaryKey: is required to deduplicate or update", NULL);
    const char *text = stream->wanted->primary_key;
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, error);
    if (doc == NULL)
        return FALSE;
    SL_JSON_FOREACH (doc, sl_json_root(doc), path)
        if (!check_key_path(stream, doc, path, seen, error))
            return FALSE;
    return !has_own || is_own_key(stream, own, seen) ||
           bad(stream, error, "primaryKey: the source itself defines another one", NULL);
}

static gboolean
needs_key(int mode)
{
    return g_str_has_suffix(modes[mode].destination, "_dedup") ||
           strcmp(modes[mode].destination, "update") == 0;
}

static gboolean
needs_cursor(int mode)
{
    return strcmp(modes[mode].source, "incremental") == 0;
}

/* --- files ---------------------------------------------------------------------------------------
 */

static char *
files_data(const ServerStream *stream)
{
    const char *ns = stream->wanted->namespace;
    g_autofree char *one =
        server_problem_data("streamName", stream->wanted->name, "streamNamespace", ns, NULL);
    return g_strdup_printf("{\"streams\":[%s]}", one);
}

static gboolean
check_files(const ServerStream *stream, GError **error)
{
    if (stream->wanted == NULL || !stream->wanted->include_files)
        return TRUE;
    if (!is_true(sl_json_get(stream->spec, sl_json_root(stream->spec), "supportsFileTransfer")))
        return server_problem(error, SERVER_PROBLEM_FILES_CONNECTION, files_data(stream),
                              "%s: includeFiles: the destination takes no files", stream->label);
    return is_true(sl_json_get(stream->doc, stream->node, "is_file_based")) ||
           server_problem(error, SERVER_PROBLEM_FILES_STREAM, files_data(stream),
                          "%s: includeFiles: the stream has no files", stream->label);
}

gboolean
server_stream_check(const ServerStream *stream, GError **error)
{
    int mode = server_stream_mode_of(stream);
    const char *name = sl_enum_name(&sl_connection_sync_mode_enum, mode);
    if (!source_has_mode(stream, modes[mode].source))
        return bad(stream, error, "syncMode: the source cannot do", name);
    if (!destination_has_mode(stream->spec, modes[mode].destination, FALSE))
        return bad(stream, error, "syncMode: the destination cannot do", name);
    return (!needs_cursor(mode) || check_cursor(stream, error)) &&
           (!needs_key(mode) || check_key(stream, error)) && check_files(stream, error);
}
