/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "sl-error.h"
#include "sl-json-write.h"
#include "sl-mapper-private.h"

static const char *const fault_names[] = {
    [SL_MAPPER_MISSING] = "MISSING_MAPPER",
    [SL_MAPPER_INVALID_CONFIG] = "INVALID_MAPPER_CONFIG",
    [SL_MAPPER_FIELD_NOT_FOUND] = "FIELD_NOT_FOUND",
    [SL_MAPPER_FIELD_EXISTS] = "FIELD_ALREADY_EXISTS",
};

/* Cursor and primary key: where they stand, and where their paths lead now. */
enum { KEY_CURSOR, KEY_PRIMARY, KEY_DEFAULT_CURSOR, KEY_SOURCE_PRIMARY, N_KEYS };

static const struct {
    const char *member;
    gboolean inner; /* in `stream` */
    gboolean list;  /* of paths */
} key_members[N_KEYS] = {
    [KEY_CURSOR] = {"cursor_field", FALSE, FALSE},
    [KEY_PRIMARY] = {"primary_key", FALSE, TRUE},
    [KEY_DEFAULT_CURSOR] = {"default_cursor_field", TRUE, FALSE},
    [KEY_SOURCE_PRIMARY] = {"source_defined_primary_key", TRUE, TRUE},
};

typedef struct {
    gboolean there;
    gboolean needed;  /* the sync mode cannot do without it */
    GPtrArray *paths; /* of GStrv */
} Key;

typedef struct {
    const SlJsonDoc *doc;
    const SlJsonNode *configured, *stream, *schema, *properties;
    GPtrArray *fields; /* of SlMapperField: where we are */
    Key keys[N_KEYS];
} Walk;

const char *
sl_mapper_fault_name(SlMapperFaultCode code)
{
    return fault_names[code];
}

static void
clear_walk(Walk *walk)
{
    if (walk->fields != NULL)
        g_ptr_array_unref(walk->fields);
    for (guint i = 0; i < N_KEYS; i++) {
        if (walk->keys[i].paths != NULL)
            g_ptr_array_unref(walk->keys[i].paths);
    }
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Walk, clear_walk)

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

static GPtrArray *
copy_fields(const GPtrArray *fields)
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

static SlMapperField *
find_field(const GPtrArray *fields, const char *name, guint *ret_index)
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
read_fields(const Walk *walk)
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
add_path(Key *key, const SlJsonDoc *doc, const SlJsonNode *node, const char *member, GError **error)
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
read_key(Walk *walk, guint which, GError **error)
{
    Key *key = &walk->keys[which];
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
mode_is(const Walk *walk, const char *member, const char *const *values)
{
    const SlJsonNode *mode = get_member(walk->doc, walk->configured, member);
    for (guint i = 0; mode != NULL && values[i] != NULL; i++) {
        if (sl_json_string_is(mode, values[i]))
            return TRUE;
    }
    return FALSE;
}

static gboolean
read_keys(Walk *walk, GError **error)
{
    static const char *const incremental[] = {"incremental", NULL};
    static const char *const keyed[] = {"append_dedup", "overwrite_dedup", "update", "soft_delete",
                                        NULL};
    gboolean own_cursor = FALSE;
    for (guint i = 0; i < N_KEYS; i++) {
        if (!read_key(walk, i, error))
            return FALSE;
    }
    const SlJsonNode *defined = get_member(walk->doc, walk->stream, "source_defined_cursor");
    if (defined != NULL)
        sl_json_get_boolean(defined, &own_cursor);
    gboolean cursor = mode_is(walk, "sync_mode", incremental);
    gboolean primary = mode_is(walk, "destination_sync_mode", keyed);
    walk->keys[KEY_CURSOR].needed = cursor;
    walk->keys[KEY_DEFAULT_CURSOR].needed =
        cursor && (own_cursor || walk->keys[KEY_CURSOR].paths->len == 0);
    walk->keys[KEY_PRIMARY].needed = primary;
    walk->keys[KEY_SOURCE_PRIMARY].needed = primary && walk->keys[KEY_PRIMARY].paths->len == 0;
    return TRUE;
}

/* Does a key that is needed begin with this field? `primary`: only primary keys are asked for;
 * `inside`: only paths that lead into it. */
static gboolean
is_needed(const Walk *walk, const char *field, gboolean primary, gboolean inside)
{
    for (guint i = 0; i < N_KEYS; i++) {
        const Key *key = &walk->keys[i];
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

/* Paths that begin with `from` begin with `to` now. NULL: they are gone; `leaf`: so are those that
 * lead into it. */
static void
move_keys(Walk *walk, const char *from, const char *to, gboolean leaf)
{
    for (guint i = 0; i < N_KEYS; i++) {
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

/* --- selection ------------------------------------------------------------- */

static gboolean
read_selected(const Walk *walk, GHashTable **ret, gboolean strict, GError **error)
{
    const SlJsonNode *list = get_member(walk->doc, walk->configured, "selectedFields");
    *ret = NULL;
    if (list == NULL)
        return TRUE;
    if (list->type != SL_JSON_ARRAY || (strict && list->count == 0))
        return sl_error_set(error, SL_ERROR_INVALID, "selectedFields: %s",
                            list->type == SL_JSON_ARRAY ? "it is empty" : "expected an array");
    g_autoptr(GHashTable) selected = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    guint i = 0;
    SL_JSON_FOREACH (walk->doc, list, item) {
        const SlJsonNode *path = get_member(walk->doc, item, "fieldPath");
        const SlJsonNode *first = path != NULL ? sl_json_at(walk->doc, path, 0) : NULL;
        g_autofree char *name = first != NULL ? sl_json_dup_string(first) : NULL;
        if (name == NULL || *name == '\0')
            return sl_error_set(error, SL_ERROR_INVALID,
                                "selectedFields[%u].fieldPath: expected the name of a field", i);
        if (path->count > 1)
            return sl_error_set(error, SL_ERROR_INVALID,
                                "selectedFields[%u].fieldPath: '%s' and what is in it cannot be "
                                "selected apart; only whole top-level fields can",
                                i, name);
        if (strict && find_field(walk->fields, name, NULL) == NULL)
            return sl_error_set(error, SL_ERROR_INVALID,
                                "selectedFields[%u].fieldPath: the stream has no field '%s'", i,
                                name);
        if (!g_hash_table_add(selected, g_steal_pointer(&name)) && strict)
            return sl_error_set(error, SL_ERROR_INVALID,
                                "selectedFields[%u].fieldPath: the field is there twice", i);
        i++;
    }
    *ret = g_steal_pointer(&selected);
    return TRUE;
}

static void
select_fields(Walk *walk, GHashTable *selected)
{
    for (guint i = walk->fields->len; i-- > 0;) {
        SlMapperField *field = walk->fields->pdata[i];
        if (g_hash_table_contains(selected, field->name) ||
            is_needed(walk, field->name, FALSE, FALSE))
            continue;
        move_keys(walk, field->name, NULL, FALSE);
        g_ptr_array_remove_index(walk->fields, i);
    }
}

static gboolean
begin_walk(Walk *walk, const SlJsonDoc *doc, const SlJsonNode *configured, GError **error)
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

gboolean
sl_selection_check(const SlJsonDoc *doc, const SlJsonNode *configured, GError **error)
{
    g_auto(Walk) walk = {0};
    g_autoptr(GHashTable) selected = NULL;
    if (!begin_walk(&walk, doc, configured, error) || !read_selected(&walk, &selected, TRUE, error))
        return FALSE;
    for (guint i = 0; selected != NULL && i < walk.fields->len; i++) {
        const SlMapperField *field = walk.fields->pdata[i];
        if (is_needed(&walk, field->name, FALSE, FALSE) &&
            !g_hash_table_contains(selected, field->name))
            return sl_error_set(
                error, SL_ERROR_INVALID,
                "selectedFields: field '%s' belongs to the %s and must be selected", field->name,
                is_needed(&walk, field->name, TRUE, FALSE) ? "primary key" : "cursor");
    }
    return TRUE;
}

/* --- mappers --------------------------------------------------------------- */

typedef struct {
    const Walk *walk;
    const SlMapperStep *step;
    SlMapperFaultCode code;
    GError **error;
} Check;

static gboolean G_GNUC_PRINTF(3, 4)
    refuse(Check *check, SlMapperFaultCode code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    check->code = code;
    return sl_error_set(check->error, SL_ERROR_INVALID, "%s: %s", check->step->title, text);
}

static gboolean
has_field(Check *check, const char *name)
{
    return find_field(check->walk->fields, name, NULL) != NULL ||
           refuse(check, SL_MAPPER_FIELD_NOT_FOUND, "field '%s' is not in the stream's schema",
                  name);
}

static gboolean
check_condition(SlCondition *condition, gpointer data)
{
    return has_field(data, condition->field);
}

static gboolean
check_step(Check *check)
{
    const SlMapperStep *step = check->step;
    const Walk *walk = check->walk;
    if (step->type == SL_MAPPER_ROW_FILTERING)
        return sl_condition_each(step->condition, check_condition, check);
    if (!has_field(check, step->from))
        return FALSE;
    if (step->to != NULL && strcmp(step->from, step->to) != 0 &&
        find_field(walk->fields, step->to, NULL) != NULL)
        return refuse(check, SL_MAPPER_FIELD_EXISTS, "the stream has a field '%s' already",
                      step->to);
    if (step->type == SL_MAPPER_FIELD_FILTERING && is_needed(walk, step->from, FALSE, FALSE))
        return refuse(check, SL_MAPPER_INVALID_CONFIG,
                      "field '%s' belongs to the cursor or the primary key and cannot be removed",
                      step->from);
    if (step->type == SL_MAPPER_FIELD_RENAMING)
        return TRUE;
    if (step->to != NULL && is_needed(walk, step->from, FALSE, TRUE))
        return refuse(check, SL_MAPPER_INVALID_CONFIG,
                      "the cursor or the primary key is inside field '%s', of which a text would "
                      "be made",
                      step->from);
    if (step->cipher != NULL && sl_cipher_is_random(step->cipher) &&
        is_needed(walk, step->from, TRUE, FALSE))
        return refuse(check, SL_MAPPER_INVALID_CONFIG,
                      "field '%s' belongs to the primary key, and equal values would not be equal "
                      "any more",
                      step->from);
    return TRUE;
}

static void
do_step(Walk *walk, const SlMapperStep *step)
{
    guint index = 0;
    if (step->type == SL_MAPPER_ROW_FILTERING)
        return;
    SlMapperField *field = find_field(walk->fields, step->from, &index);
    move_keys(walk, step->from, step->to, step->type != SL_MAPPER_FIELD_RENAMING);
    if (step->type == SL_MAPPER_FIELD_FILTERING) {
        g_ptr_array_remove_index(walk->fields, index);
        return;
    }
    g_free(field->name);
    field->name = g_strdup(step->to);
    if (step->type != SL_MAPPER_FIELD_RENAMING) {
        g_free(field->schema);
        field->schema = g_strdup("{\"type\":\"string\"}");
    }
}

static void
free_fault(gpointer data)
{
    SlMapperFault *fault = data;
    g_free(fault->message);
    g_free(fault);
}

static void
take_mapper(Walk *walk, const SlJsonNode *node, guint index, SlMapperShape *shape, GPtrArray *steps)
{
    g_autoptr(GError) error = NULL;
    SlMapperFaultCode code;
    g_autoptr(SlMapperStep) step = sl_mapper_step_parse(walk->doc, node, index, &code, &error);
    Check check = {walk, step, SL_MAPPER_INVALID_CONFIG, &error};
    if (step == NULL || !check_step(&check)) {
        SlMapperFault *fault = g_new0(SlMapperFault, 1);
        *fault = (SlMapperFault){index, step == NULL ? code : check.code, g_strdup(error->message)};
        g_ptr_array_add(shape->faults, fault);
        return;
    }
    do_step(walk, step);
    if (steps != NULL)
        g_ptr_array_add(steps, g_steal_pointer(&step));
}

/* --- writing --------------------------------------------------------------- */

static void
write_required(const Walk *walk, const SlJsonNode *list, SlJsonWriter *w)
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
write_properties(const Walk *walk, SlJsonWriter *w)
{
    sl_json_begin_object(w);
    for (guint i = 0; i < walk->fields->len; i++) {
        const SlMapperField *field = walk->fields->pdata[i];
        sl_json_member_raw(w, field->name, field->schema);
    }
    sl_json_end_object(w);
}

/* The stream's schema with the fields that there are now; the rest keeps its bytes. */
static char *
write_schema(const Walk *walk)
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

static char *
write_key(const Key *key, gboolean list)
{
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

static void
free_fields(gpointer data)
{
    g_ptr_array_unref(data);
}

static SlMapperShape *
new_shape(void)
{
    SlMapperShape *shape = g_new0(SlMapperShape, 1);
    shape->faults = g_ptr_array_new_with_free_func(free_fault);
    shape->steps = g_ptr_array_new_with_free_func(free_fields);
    return shape;
}

SlMapperShape *
sl_mapper_shape_steps(const SlJsonDoc *doc, const SlJsonNode *configured, GPtrArray *ret_steps,
                      gboolean *ret_selecting, GError **error)
{
    g_auto(Walk) walk = {0};
    g_autoptr(GHashTable) selected = NULL;
    g_autoptr(SlMapperShape) shape = new_shape();
    guint i = 0;
    if (!begin_walk(&walk, doc, configured, error) ||
        !read_selected(&walk, &selected, FALSE, error))
        return NULL;
    const SlJsonNode *mappers = get_member(doc, configured, "mappers");
    if (mappers != NULL && mappers->type != SL_JSON_ARRAY) {
        sl_error_set(error, SL_ERROR_INVALID, "mappers: expected an array");
        return NULL;
    }
    const SlJsonNode *hashed = get_member(doc, configured, "hashedFields");
    if (hashed != NULL && hashed->count > 0) {
        sl_error_set(error, SL_ERROR_INVALID,
                     "hashedFields: not supported any more; use a mapper of type hashing");
        return NULL;
    }
    *ret_selecting = selected != NULL;
    shape->changed = selected != NULL || (mappers != NULL && mappers->count > 0);
    if (selected != NULL) {
        select_fields(&walk, selected);
        shape->source_schema = write_schema(&walk);
    }
    g_ptr_array_add(shape->steps, copy_fields(walk.fields));
    SL_JSON_FOREACH (doc, mappers, node) {
        take_mapper(&walk, node, i++, shape, ret_steps);
        g_ptr_array_add(shape->steps, copy_fields(walk.fields));
    }
    if (!shape->changed)
        return g_steal_pointer(&shape);
    shape->json_schema = write_schema(&walk);
    char **const texts[N_KEYS] = {&shape->cursor_field, &shape->primary_key,
                                  &shape->default_cursor_field, &shape->source_defined_primary_key};
    for (guint k = 0; k < N_KEYS; k++)
        *texts[k] = write_key(&walk.keys[k], key_members[k].list);
    return g_steal_pointer(&shape);
}

SlMapperShape *
sl_mapper_shape(const SlJsonDoc *doc, const SlJsonNode *configured, GError **error)
{
    gboolean selecting;
    return sl_mapper_shape_steps(doc, configured, NULL, &selecting, error);
}

void
sl_mapper_shape_free(SlMapperShape *shape)
{
    if (shape == NULL)
        return;
    g_free(shape->source_schema);
    g_free(shape->json_schema);
    g_free(shape->cursor_field);
    g_free(shape->primary_key);
    g_free(shape->default_cursor_field);
    g_free(shape->source_defined_primary_key);
    g_ptr_array_unref(shape->faults);
    g_ptr_array_unref(shape->steps);
    g_free(shape);
}
