/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "file-columns.h"

#include <string.h>

FileColumns *
file_columns_new(void)
{
    FileColumns *columns = g_new0(FileColumns, 1);
    columns->list = g_ptr_array_new();
    columns->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    return columns;
}

void
file_columns_free(FileColumns *columns)
{
    if (columns == NULL)
        return;
    g_hash_table_unref(columns->by_name);
    for (guint i = 0; i < columns->list->len; i++) {
        FileColumn *column = columns->list->pdata[i];
        g_free(column->name);
        g_free(column->key);
        g_free(column);
    }
    g_ptr_array_unref(columns->list);
    g_free(columns);
}

FileColumn *
file_columns_find(const FileColumns *columns, const char *name, gsize n, guint guess)
{
    if (guess < columns->list->len) {
        FileColumn *column = columns->list->pdata[guess];
        if (strncmp(column->name, name, n) == 0 && column->name[n] == '\0')
            return column;
    }
    g_autofree char *key = g_strndup(name, n);
    return g_hash_table_lookup(columns->by_name, key);
}

FileColumn *
file_columns_add(FileColumns *columns, const char *name, gsize n)
{
    FileColumn *column = g_new0(FileColumn, 1);
    GString *key = g_string_new(NULL);
    column->name = g_strndup(name, n);
    sl_json_append_quoted(key, column->name, strlen(column->name));
    g_string_append_c(key, ':');
    column->key_len = key->len;
    column->key = g_string_free(key, FALSE);
    g_ptr_array_add(columns->list, column);
    g_hash_table_insert(columns->by_name, column->name, column);
    return column;
}

FileColumns *
file_columns_from_schema(const SlJsonDoc *doc, const SlJsonNode *schema)
{
    FileColumns *columns = file_columns_new();
    const SlJsonNode *properties = sl_json_get(doc, schema, "properties");
    if (properties == NULL || properties->type != SL_JSON_OBJECT)
        return columns;
    SL_JSON_FOREACH (doc, properties, key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (name != NULL && file_columns_find(columns, name, strlen(name), G_MAXUINT) == NULL)
            file_columns_add(columns, name, strlen(name))->type =
                file_type_from_schema(doc, key + 1);
    }
    return columns;
}

void
file_columns_describe(const FileColumns *columns, SlJsonWriter *w)
{
    sl_json_begin_object(w);
    sl_json_member_string(w, "$schema", "http://json-schema.org/draft-07/schema#");
    sl_json_member_string(w, "type", "object");
    sl_json_key(w, "properties");
    sl_json_begin_object(w);
    for (guint i = 0; i < columns->list->len; i++) {
        const FileColumn *column = columns->list->pdata[i];
        sl_json_member_raw(w, column->name, file_type_schema(column->type));
    }
    sl_json_end_object(w);
    sl_json_end_object(w);
}
