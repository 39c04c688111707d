/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "sl-error.h"
#include "sl-mapper-private.h"
#include "sl-mapper-walk.h"

static const char *const fault_names[] = {
    [SL_MAPPER_MISSING] = "MISSING_MAPPER",
    [SL_MAPPER_INVALID_CONFIG] = "INVALID_MAPPER_CONFIG",
    [SL_MAPPER_FIELD_NOT_FOUND] = "FIELD_NOT_FOUND",
    [SL_MAPPER_FIELD_EXISTS] = "FIELD_ALREADY_EXISTS",
};

const char *
sl_mapper_fault_name(SlMapperFaultCode code)
{
    return fault_names[code];
}

static const SlJsonNode *
get_member(const SlJsonDoc *doc, const SlJsonNode *object, const char *key)
{
    const SlJsonNode *value = sl_json_get(doc, object, key);
    return value == NULL || value->type == SL_JSON_NULL ? NULL : value;
}

/* --- selection ------------------------------------------------------------- */

static gboolean
read_selected(const SlMapperWalk *walk, GHashTable **ret, gboolean strict, GError **error)
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
        if (strict && sl_mapper_walk_find(walk->fields, name, NULL) == NULL)
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
select_fields(SlMapperWalk *walk, GHashTable *selected)
{
    for (guint i = walk->fields->len; i-- > 0;) {
        SlMapperField *field = walk->fields->pdata[i];
        if (g_hash_table_contains(selected, field->name) ||
            sl_mapper_walk_is_needed(walk, field->name, FALSE, FALSE))
            continue;
        sl_mapper_walk_move_keys(walk, field->name, NULL, FALSE);
        g_ptr_array_remove_index(walk->fields, i);
    }
}

gboolean
sl_selection_check(const SlJsonDoc *doc, const SlJsonNode *configured, GError **error)
{
    g_auto(SlMapperWalk) walk = {0};
    g_autoptr(GHashTable) selected = NULL;
    if (!sl_mapper_walk_begin(&walk, doc, configured, error) ||
        !read_selected(&walk, &selected, TRUE, error))
        return FALSE;
    for (guint i = 0; selected != NULL && i < walk.fields->len; i++) {
        const SlMapperField *field = walk.fields->pdata[i];
        if (sl_mapper_walk_is_needed(&walk, field->name, FALSE, FALSE) &&
            !g_hash_table_contains(selected, field->name))
            return sl_error_set(
                error, SL_ERROR_INVALID,
                "selectedFields: field '%s' belongs to the %s and must be selected", field->name,
                sl_mapper_walk_is_needed(&walk, field->name, TRUE, FALSE) ? "primary key"
                                                                          : "cursor");
    }
    return TRUE;
}

/* --- mappers --------------------------------------------------------------- */

typedef struct {
    const SlMapperWalk *walk;
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
    return sl_mapper_walk_find(check->walk->fields, name, NULL) != NULL ||
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
    const SlMapperWalk *walk = check->walk;
    if (step->type == SL_MAPPER_ROW_FILTERING)
        return sl_condition_each(step->condition, check_condition, check);
    if (!has_field(check, step->from))
        return FALSE;
    if (step->to != NULL && strcmp(step->from, step->to) != 0 &&
        sl_mapper_walk_find(walk->fields, step->to, NULL) != NULL)
        return refuse(check, SL_MAPPER_FIELD_EXISTS, "the stream has a field '%s' already",
                      step->to);
    if (step->type == SL_MAPPER_FIELD_FILTERING &&
        sl_mapper_walk_is_needed(walk, step->from, FALSE, FALSE))
        return refuse(check, SL_MAPPER_INVALID_CONFIG,
                      "field '%s' belongs to the cursor or the primary key and cannot be removed",
                      step->from);
    if (step->type == SL_MAPPER_FIELD_RENAMING)
        return TRUE;
    if (step->to != NULL && sl_mapper_walk_is_needed(walk, step->from, FALSE, TRUE))
        return refuse(check, SL_MAPPER_INVALID_CONFIG,
                      "the cursor or the primary key is inside field '%s', of which a text would "
                      "be made",
                      step->from);
    if (step->cipher != NULL && sl_cipher_is_random(step->cipher) &&
        sl_mapper_walk_is_needed(walk, step->from, TRUE, FALSE))
        return refuse(check, SL_MAPPER_INVALID_CONFIG,
                      "field '%s' belongs to the primary key, and equal values would not be equal "
                      "any more",
                      step->from);
    return TRUE;
}

static void
do_step(SlMapperWalk *walk, const SlMapperStep *step)
{
    guint index = 0;
    if (step->type == SL_MAPPER_ROW_FILTERING)
        return;
    SlMapperField *field = sl_mapper_walk_find(walk->fields, step->from, &index);
    sl_mapper_walk_move_keys(walk, step->from, step->to, step->type != SL_MAPPER_FIELD_RENAMING);
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
take_mapper(SlMapperWalk *walk, const SlJsonNode *node, guint index, SlMapperShape *shape,
            GPtrArray *steps)
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

/* --- the shape ------------------------------------------------------------- */

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
    g_auto(SlMapperWalk) walk = {0};
    g_autoptr(GHashTable) selected = NULL;
    g_autoptr(SlMapperShape) shape = new_shape();
    guint i = 0;
    if (!sl_mapper_walk_begin(&walk, doc, configured, error) ||
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
        shape->source_schema = sl_mapper_walk_write_schema(&walk);
    }
    g_ptr_array_add(shape->steps, sl_mapper_walk_copy_fields(walk.fields));
    SL_JSON_FOREACH (doc, mappers, node) {
        take_mapper(&walk, node, i++, shape, ret_steps);
        g_ptr_array_add(shape->steps, sl_mapper_walk_copy_fields(walk.fields));
    }
    if (!shape->changed)
        return g_steal_pointer(&shape);
    shape->json_schema = sl_mapper_walk_write_schema(&walk);
    char **const texts[SL_MAPPER_N_KEYS] = {&shape->cursor_field, &shape->primary_key,
                                            &shape->default_cursor_field,
                                            &shape->source_defined_primary_key};
    for (guint k = 0; k < SL_MAPPER_N_KEYS; k++)
        *texts[k] = sl_mapper_walk_write_key(&walk, k);
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
