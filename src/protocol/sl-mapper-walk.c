/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-mapper-walk.h"

#include <string.h>

#include "sl-error.h"
#include "sl-json-write.h"

static const struct {
    const char *member;
    gboolean inner; /* in `stream` */
    gboolean list;  /* of paths */
} key_members[SL_MAPPER_N_KEYS] = {
    [SL_MAPPER_CURSOR] = {"cursor_field", FALSE, FALSE},
    [SL_MAPPER_PRIMARY] = {"primary_key", FALSE, TRUE},
    [SL_MAPPER_DEFAULT_CURSOR] = {"default_cursor_field", TRUE, FALSE},
    [SL_MAPPER_SOURCE_PRIMARY] = {"source_defined_primary_key", TRUE, TRUE},
};

void
sl_mapper_walk_clear(SlMapperWalk *walk)
{
    if (walk->fields != NULL)
        g_ptr_array_unref(walk->fields);
    for (guint i = 0; i < SL_MAPPER_N_KEYS; i++) {
        if (walk->keys[i].paths != NULL)
            g_ptr_array_unref(walk->keys[i].paths);
    }
}
static const SlJsonNode *
get_member(const SlJsonDoc *doc, const SlJsonNode *object, const char *key)
{
    const SlJsonNode *value = sl_json_get(doc, object, key);
    return value == NULL || value->type == SL_JSON_NULL ? NULL : value;
}

/* --- fields ---------------------------------------------------------------- */

static void
free_field(gpointer data)
{
    SlMapperField *field = data;
    g_free(field->name);
    g_free(field->schema);
    g_free(field->origin);
    g_free(field);
}

static GPtrArray *
new_fields(void)
{
    return g_ptr_array_new_with_free_func(free_field);
}

GPtrArray *
sl_mapper_walk_copy_fields(const GPtrArray *fields)
{
    GPtrArray *copy = new_fields();
    for (guint i = 0; i < fields->len; i++) {
        const SlMapperField *field = fields->pdata[i];
        SlMapperField *other = g_new0(SlMapperField, 1);
        *other = (SlMapperField){g_strdup(field->name), g_strdup(field->schema),
                                 g_strdup(field->origin)};
        g_ptr_array_add(copy, other);
    }
    return copy;
}

SlMapperField *
sl_mapper_walk_find(const GPtrArray *fields, const char *name, guint *ret_index)
{
    for (guint i = 0; i < fields->len; i++) {
        SlMapperField *field = fields->pdata[i];
        if (strcmp(field->name, name) == 0) {
            if (ret_index != NULL)
                *ret_index = i;
            return field;
        }
    }
    return NULL;
}

static GPtrArray *
read_fields(const SlMapperWalk *walk)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    GPtrArray *fields = new_fields();
    SL_JSON_FOREACH (walk->doc, walk->properties, key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (name == NULL)
            continue; /* holds NUL: no mapper can name it */
        SlMapperField *old = g_hash_table_lookup(seen, name);
        if (old != NULL) {
            g_free(old->schema);
            old->schema = sl_json_dup_span(key + 1);
            continue;
        }
        SlMapperField *field = g_new0(SlMapperField, 1);
        field->origin = g_strdup(name);
        field->name = g_steal_pointer(&name);
        field->schema = sl_json_dup_span(key + 1);
        g_hash_table_insert(seen, field->name, field);
        g_ptr_array_add(fields, field);
    }
    return fields;
}

/* --- cursor and primary key ------------------------------------------------ */

static void
free_path(gpointer data)
{
    g_strfreev(data);
}

static gboolean
add_path(SlMapperKey *key, const SlJsonDoc *doc, const SlJsonNode *node, const char *member,
         GError **error)
{
    g_autoptr(GPtrArray) path = g_ptr_array_new_with_free_func(g_free);
    SL_JSON_FOREACH (doc, node, part) {
        char *text = sl_json_dup_string(part);
        if (text == NULL)
            return sl_error_set(error, SL_ERROR_INVALID, "%s: expected a path of strings", member);
        g_ptr_array_add(path, text);
    }
    if (path->len == 0)
        return TRUE;
    g_ptr_array_add(path, NULL);
    g_ptr_array_add(key->paths, g_ptr_array_steal(path, NULL));
    return TRUE;
}

static gboolean
read_key(SlMapperWalk *walk, guint which, GError **error)
{
    SlMapperKey *key = &walk->keys[which];
    const char *member = key_members[which].member;
    const SlJsonNode *node =
        get_member(walk->doc, key_members[which].inner ? walk->stream : walk->configured, member);
    key->paths = g_ptr_array_new_with_free_func(free_path);
    key->there = node != NULL;
    if (node == NULL)
        return TRUE;
    if (node->type != SL_JSON_ARRAY)
        return sl_error_set(error, SL_ERROR_INVALID, "%s: expected an array", member);
    if (!key_members[which].list)
        return add_path(key, walk->doc, node, member, error);
    SL_JSON_FOREACH (walk->doc, node, item) {
        if (item->type != SL_JSON_ARRAY)
            return sl_error_set(error, SL_ERROR_INVALID, "%s: expected an array of paths", member);
        if (!add_path(key, walk->doc, item, member, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
mode_is(const SlMapperWalk *walk, const char *member, const char *const *values)
{
    const SlJsonNode *mode = get_member(walk->doc, walk->configured, member);
    for (guint i = 0; mode != NULL && values[i] != NULL; i++) {
        if (sl_json_string_is(mode, values[i]))
            return TRUE;
    }
    return FALSE;
}

static gboolean
read_keys(SlMapperWalk *walk, GError **error)
{
    static const char *const incremental[] = {"incremental", NULL};
    static const char *const keyed[] = {"append_dedup", "overwrite_dedup", "update", "soft_delete",
                                        NULL};
    gboolean own_cursor = FALSE;
    for (guint i = 0; i < SL_MAPPER_N_KEYS; i++) {
        if (!read_key(walk, i, error))
            return FALSE;
    }
    const SlJsonNode *defined = get_member(walk->doc, walk->stream, "source_defined_cursor");
    if (defined != NULL)
        sl_json_get_boolean(defined, &own_cursor);
    gboolean cursor = mode_is(walk, "sync_mode", incremental);
    gboolean primary = mode_is(walk, "destination_sync_mode", keyed);
    walk->keys[SL_MAPPER_CURSOR].needed = cursor;
    walk->keys[SL_MAPPER_DEFAULT_CURSOR].needed =
        cursor && (own_cursor || walk->keys[SL_MAPPER_CURSOR].paths->len == 0);
    walk->keys[SL_MAPPER_PRIMARY].needed = primary;
    walk->keys[SL_MAPPER_SOURCE_PRIMARY].needed =
        primary && walk->keys[SL_MAPPER_PRIMARY].paths->len == 0;
    return TRUE;
}

gboolean
sl_mapper_walk_is_needed(const SlMapperWalk *walk, const char *field, gboolean primary,
                         gboolean inside)
{
    for (guint i = 0; i < SL_MAPPER_N_KEYS; i++) {
        const SlMapperKey *key = &walk->keys[i];
        if (!key->needed || (primary && !key_members[i].list))
            continue;
        for (guint j = 0; j < key->paths->len; j++) {
            const GStrv path = key->paths->pdata[j];
            if (strcmp(path[0], field) == 0 && (!inside || path[1] != NULL))
                return TRUE;
        }
    }
    return FALSE;
}

void
sl_mapper_walk_move_keys(SlMapperWalk *walk, const char *from, const char *to, gboolean leaf)
{
    for (guint i = 0; i < SL_MAPPER_N_KEYS; i++) {
        GPtrArray *paths = walk->keys[i].paths;
        for (guint j = paths->len; j-- > 0;) {
            GStrv path = paths->pdata[j];
            if (strcmp(path[0], from) != 0)
                continue;
            if (to == NULL || (leaf && path[1] != NULL)) {
                g_ptr_array_remove_index(paths, j);
                continue;
            }
            g_free(path[0]);
            path[0] = g_strdup(to);
        }
    }
}

gboolean
sl_mapper_walk_begin(SlMapperWalk *walk, const SlJsonDoc *doc, const SlJsonNode *configured,
                     GError **error)
{
    walk->doc = doc;
    walk->configured = configured;
    walk->stream = get_member(doc, configured, "stream");
    if (walk->stream == NULL || walk->stream->type != SL_JSON_OBJECT)
        return sl_error_set(error, SL_ERROR_INVALID, "stream: expected an object");
    walk->schema = get_member(doc, walk->stream, "json_schema");
    if (walk->schema != NULL)
        walk->properties = get_member(doc, walk->schema, "properties");
    walk->fields = read_fields(walk);
    return read_keys(walk, error);
}

/* --- writing --------------------------------------------------------------- */

static void
write_required(const SlMapperWalk *walk, const SlJsonNode *list, SlJsonWriter *w)
{
    sl_json_begin_array(w);
    SL_JSON_FOREACH (walk->doc, list, item) {
        for (guint i = 0; i < walk->fields->len; i++) {
            const SlMapperField *field = walk->fields->pdata[i];
            if (sl_json_string_is(item, field->origin))
                sl_json_string(w, field->name);
        }
    }
    sl_json_end_array(w);
}

static void
write_properties(const SlMapperWalk *walk, SlJsonWriter *w)
{
    sl_json_begin_object(w);
    for (guint i = 0; i < walk->fields->len; i++) {
        const SlMapperField *field = walk->fields->pdata[i];
        sl_json_member_raw(w, field->name, field->schema);
    }
    sl_json_end_object(w);
}

char *
sl_mapper_walk_write_schema(const SlMapperWalk *walk)
{
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    SL_JSON_FOREACH (walk->doc, walk->schema, key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (name == NULL)
            continue;
        sl_json_key(&w, name);
        if (strcmp(name, "properties") == 0)
            write_properties(walk, &w);
        else if (strcmp(name, "required") == 0 && key[1].type == SL_JSON_ARRAY)
            write_required(walk, key + 1, &w);
        else
            sl_json_node(&w, key + 1);
    }
    sl_json_end_object(&w);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

char *
sl_mapper_walk_write_key(const SlMapperWalk *walk, guint which)
{
    const SlMapperKey *key = &walk->keys[which];
    gboolean list = key_members[which].list;
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    if (!key->there)
        return NULL;
    if (list)
        sl_json_begin_array(&w);
    for (guint i = 0; i < key->paths->len; i++)
        sl_json_strings(&w, (const char *const *)key->paths->pdata[i]);
    if (list)
        sl_json_end_array(&w);
    else if (key->paths->len == 0)
        sl_json_strings(&w, NULL);
    return g_string_free(g_steal_pointer(&out), FALSE);
}
