/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "sl-error.h"

#include "destpg-stream.h"

/* From the configured catalog to names and columns. Pure. */

#define DELETED_FIELD "_ab_cdc_deleted_at"

static void
stream_clear(gpointer data)
{
    DestpgStream *stream = data;
    destpg_table_name_clear(&stream->name);
    g_free(stream->temp);
    g_free(stream->temp2);
    destpg_layout_clear(&stream->layout);
    destpg_lane_clear(&stream->lane);
}

static void
add_meta(DestpgLayout *layout)
{
    destpg_layout_add(layout, "_airbyte_raw_id", destpg_type_sql(DESTPG_VARCHAR), DESTPG_VARCHAR,
                      TRUE, TRUE);
    destpg_layout_add(layout, "_airbyte_extracted_at", destpg_type_sql(DESTPG_TIMESTAMPTZ),
                      DESTPG_TIMESTAMPTZ, TRUE, TRUE);
    destpg_layout_add(layout, "_airbyte_meta", destpg_type_sql(DESTPG_OBJECT), DESTPG_OBJECT, TRUE,
                      TRUE);
    destpg_layout_add(layout, "_airbyte_generation_id", destpg_type_sql(DESTPG_BIGINT),
                      DESTPG_BIGINT, TRUE, TRUE);
}

/* The names of the schema's properties, each once. */
static GPtrArray *
list_fields(const SlJsonDoc *doc, const SlJsonNode *properties, GError **error)
{
    g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    SL_JSON_FOREACH (doc, properties, key) {
        g_autofree char *field = sl_json_dup_string(key);
        if (field == NULL) {
            sl_error_set(error, SL_ERROR_INVALID,
                         "json_schema: a property's name contains \\u0000");
            return NULL;
        }
        if (g_hash_table_contains(seen, field))
            continue;
        g_hash_table_add(seen, field);
        g_ptr_array_add(fields, g_steal_pointer(&field));
    }
    g_ptr_array_add(fields, NULL);
    return g_steal_pointer(&fields);
}

static const char *
quoted_column(const DestpgStream *stream, const GPtrArray *fields, const char *field, guint n_meta)
{
    for (guint i = 0; field != NULL && i + 1 < fields->len; i++)
        if (strcmp(g_ptr_array_index(fields, i), field) == 0)
            return g_array_index(stream->layout.columns, DestpgColumn, n_meta + i).quoted;
    return NULL;
}

/* Keys and cursors that are paths into objects count by their first element. */
static gboolean
find_keys(DestpgStream *stream, const GPtrArray *fields, guint n_meta, KitOutput *warn,
          GError **error)
{
    const KitStream *config = stream->config;
    DestpgLayout *layout = &stream->layout;
    layout->deleted = quoted_column(stream, fields, DELETED_FIELD, n_meta);
    if (!stream->dedup)
        return TRUE;
    if (config->n_primary_key == 0)
        return sl_error_set(
            error, SL_ERROR_INVALID,
            "append_dedup needs a primary key, and the stream has none; choose one, "
            "or append");
    g_autoptr(GStrvBuilder) pk = g_strv_builder_new();
    for (guint i = 0; i < config->n_primary_key; i++) {
        const char *field = config->primary_key[i][0];
        const char *column = quoted_column(stream, fields, field, n_meta);
        if (column == NULL)
            return sl_error_set(error, SL_ERROR_INVALID,
                                "primary_key: the schema has no property '%s'",
                                field != NULL ? field : "");
        g_strv_builder_add(pk, column);
    }
    layout->pk = g_strv_builder_end(pk);
    const char *cursor = config->cursor_field != NULL ? config->cursor_field[0] : NULL;
    layout->cursor = quoted_column(stream, fields, cursor, n_meta);
    if (cursor != NULL && layout->cursor == NULL)
        kit_output_log(
            warn, KIT_LOG_WARN,
            "stream '%s': the schema has no property '%s', which is the cursor; the time "
            "of extraction decides which row is newer",
            config->name, cursor);
    return TRUE;
}

static char *
copy_statement(const DestpgStream *stream)
{
    g_autofree char *target = destpg_target_sql(
        (DestpgTarget){stream->name.schema, stream->to_temp ? stream->temp : stream->name.table});
    g_autoptr(GString) names =
        g_string_new("_airbyte_raw_id, _airbyte_extracted_at, _airbyte_generation_id");
    for (guint i = 0; i < stream->layout.columns->len; i++) {
        const DestpgColumn *column = &g_array_index(stream->layout.columns, DestpgColumn, i);
        if (!column->meta)
            g_string_append_printf(names, ", %s", column->quoted);
    }
    return g_strdup_printf("copy %s (%s, _airbyte_meta) from stdin (format binary)", target,
                           names->str);
}

void
destpg_stream_aim(DestpgStream *stream, gboolean to_temp)
{
    stream->to_temp = to_temp;
    g_free(stream->lane.copy);
    stream->lane.copy = copy_statement(stream);
}

static gboolean
lay_out_fields(DestpgStream *stream, const KitCatalog *catalog, KitOutput *warn, GError **error)
{
    const SlJsonNode *properties = sl_json_get(catalog->doc, stream->config->schema, "properties");
    g_autoptr(GPtrArray) fields = list_fields(catalog->doc, properties, error);
    if (fields == NULL)
        return FALSE;
    g_auto(GStrv) names = destpg_name_columns((const char *const *)fields->pdata, error);
    if (names == NULL)
        return FALSE;
    guint n = fields->len - 1, n_meta = stream->layout.columns->len;
    g_autofree DestpgField *row_fields = g_new(DestpgField, n + 1);
    for (guint i = 0; i < n; i++) {
        const char *field = g_ptr_array_index(fields, i);
        DestpgKind kind =
            destpg_type_of_schema(catalog->doc, sl_json_get(catalog->doc, properties, field));
        row_fields[i] = (DestpgField){field, kind};
        destpg_layout_add(&stream->layout, names[i], destpg_type_sql(kind), kind, FALSE, FALSE);
    }
    stream->lane.row = destpg_row_new(row_fields, n, FALSE, stream->config->sync_id,
                                      stream->config->generation_id);
    return find_keys(stream, fields, n_meta, warn, error);
}

static void
lay_out_raw(DestpgStream *stream)
{
    stream->layout.raw = TRUE;
    destpg_layout_add(&stream->layout, "_airbyte_loaded_at", destpg_type_sql(DESTPG_TIMESTAMPTZ),
                      DESTPG_TIMESTAMPTZ, FALSE, TRUE);
    destpg_layout_add(&stream->layout, "_airbyte_data", destpg_type_sql(DESTPG_OBJECT),
                      DESTPG_OBJECT, TRUE, FALSE);
    stream->lane.row =
        destpg_row_new(NULL, 0, TRUE, stream->config->sync_id, stream->config->generation_id);
}

static gboolean
lay_out(DestpgStream *stream, const DestpgConfig *config, const KitCatalog *catalog,
        KitOutput *warn, GError **error)
{
    const KitStream *kit = stream->config;
    if (kit->destination_mode == KIT_DESTINATION_UPDATE ||
        kit->destination_mode == KIT_DESTINATION_SOFT_DELETE)
        return sl_error_set(
            error, SL_ERROR_INVALID,
            "this destination has the modes append, overwrite and append_dedup only");
    stream->dedup = kit->destination_mode == KIT_DESTINATION_APPEND_DEDUP;
    stream->temp = destpg_name_temp(stream->name.schema, stream->name.table);
    stream->temp2 = destpg_name_temp(stream->name.schema, stream->temp);
    add_meta(&stream->layout);
    if (!config->raw_only)
        return lay_out_fields(stream, catalog, warn, error);
    if (stream->dedup)
        kit_output_log(warn, KIT_LOG_WARN,
                       "stream '%s': raw tables are not deduplicated; its records are appended",
                       kit->name);
    stream->dedup = FALSE;
    lay_out_raw(stream);
    return TRUE;
}

static DestpgTableName *
name_tables(const DestpgConfig *config, const KitCatalog *catalog, GError **error)
{
    g_autoptr(GPtrArray) namespaces = g_ptr_array_new(),
                         names = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < catalog->n_streams; i++) {
        const KitStream *stream = &catalog->streams[i];
        const char *ns = stream->ns != NULL ? stream->ns : config->schema;
        g_autofree char *raw_schema = g_utf8_strdown(config->raw_schema, -1);
        g_ptr_array_add(namespaces,
                        config->raw_only ? (gpointer)g_intern_string(raw_schema) : (gpointer)ns);
        g_ptr_array_add(names, config->raw_only ? destpg_name_raw(ns, stream->name)
                                                : g_strdup(stream->name));
    }
    return destpg_name_tables((const char *const *)namespaces->pdata,
                              (const char *const *)names->pdata, catalog->n_streams, error);
}

GArray *
destpg_streams_new(const DestpgConfig *config, const KitCatalog *catalog, KitOutput *warn,
                   GError **error)
{
    g_autoptr(GArray) streams = g_array_new(FALSE, TRUE, sizeof(DestpgStream));
    g_array_set_clear_func(streams, stream_clear);
    g_autofree DestpgTableName *names = name_tables(config, catalog, error);
    if (names == NULL)
        return NULL;
    g_array_set_size(streams, catalog->n_streams);
    gboolean ok = TRUE;
    for (guint i = 0; i < catalog->n_streams; i++) {
        DestpgStream *stream = &g_array_index(streams, DestpgStream, i);
        stream->config = &catalog->streams[i];
        stream->name = names[i];
        stream->lane.stream = stream->config->name;
        if (ok && !lay_out(stream, config, catalog, warn, error)) {
            g_prefix_error(error, "stream '%s': ", stream->config->name);
            ok = FALSE;
        }
    }
    return ok ? g_steal_pointer(&streams) : NULL;
}
