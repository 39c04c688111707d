/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "sl-error.h"
#include "sl-mapper-private.h"

#define MAX_DEPTH 32

/* What a mapper's configuration is read from, and what was wrong with it. */
typedef struct {
    const SlJsonDoc *doc;
    const SlJsonNode *config;
    SlMapperStep *step;
    GError **error;
} Reader;

static gboolean G_GNUC_PRINTF(2, 3) refuse(Reader *reader, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    return sl_error_set(reader->error, SL_ERROR_INVALID, "%s: %s", reader->step->title, text);
}

static const SlJsonNode *
get_member(const Reader *reader, const SlJsonNode *object, const char *key)
{
    const SlJsonNode *value = sl_json_get(reader->doc, object, key);
    return value == NULL || value->type == SL_JSON_NULL ? NULL : value;
}

/* A text. `fallback` NULL: it is required; `empty`: it may be "". */
static gboolean
read_text(Reader *reader, const char *key, const char *fallback, gboolean empty, char **ret)
{
    const SlJsonNode *value = get_member(reader, reader->config, key);
    if (value == NULL && fallback != NULL) {
        *ret = g_strdup(fallback);
        return TRUE;
    }
    if (value == NULL)
        return refuse(reader, "%s is missing", key);
    g_autofree char *text = sl_json_dup_string(value);
    if (text == NULL)
        return refuse(reader, "%s: expected a string", key);
    if (!empty && *text == '\0')
        return refuse(reader, "%s is empty", key);
    *ret = g_steal_pointer(&text);
    return TRUE;
}

static gboolean
read_target(Reader *reader, const char *default_suffix)
{
    g_autofree char *suffix = NULL;
    if (!read_text(reader, "targetField", NULL, FALSE, &reader->step->from) ||
        !read_text(reader, "fieldNameSuffix", default_suffix, TRUE, &suffix))
        return FALSE;
    reader->step->to = g_strconcat(reader->step->from, suffix, NULL);
    return TRUE;
}

static gboolean
prefix_title(const Reader *reader, gboolean good)
{
    if (!good)
        g_prefix_error(reader->error, "%s: ", reader->step->title);
    return good;
}

static gboolean
read_hashing(Reader *reader)
{
    g_autofree char *method = NULL;
    if (!read_target(reader, "_hashed") || !read_text(reader, "method", "SHA-256", FALSE, &method))
        return FALSE;
    reader->step->digest = sl_digest_new(method, reader->error);
    return prefix_title(reader, reader->step->digest != NULL);
}

static gboolean
read_renaming(Reader *reader)
{
    return read_text(reader, "originalFieldName", NULL, FALSE, &reader->step->from) &&
           read_text(reader, "newFieldName", NULL, FALSE, &reader->step->to);
}

static gboolean
read_filtering(Reader *reader)
{
    return read_text(reader, "targetField", NULL, FALSE, &reader->step->from);
}

/* --- conditions ------------------------------------------------------------ */

static void
free_condition(gpointer data)
{
    SlCondition *condition = data;
    if (condition == NULL)
        return;
    g_free(condition->field);
    g_free(condition->value);
    if (condition->children != NULL)
        g_ptr_array_unref(condition->children);
    g_free(condition);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlCondition, free_condition)

static gboolean
read_operand(Reader *reader, const SlJsonNode *node, const char *key, char **ret)
{
    const SlJsonNode *value = get_member(reader, node, key);
    *ret = value != NULL ? sl_json_dup_string(value) : NULL;
    return *ret != NULL ||
           refuse(reader, "conditions: %s of an EQUAL is missing or no string", key);
}

static SlCondition *read_condition(Reader *reader, const SlJsonNode *node, guint depth);

static gboolean
read_children(Reader *reader, const SlJsonNode *node, const char *type, guint depth,
              SlCondition *condition)
{
    const SlJsonNode *list = get_member(reader, node, "conditions");
    if (list == NULL || list->type != SL_JSON_ARRAY || list->count == 0)
        return refuse(reader, "conditions: %s needs a list of at least one condition", type);
    condition->children = g_ptr_array_new_with_free_func(free_condition);
    SL_JSON_FOREACH (reader->doc, list, item) {
        SlCondition *child = read_condition(reader, item, depth + 1);
        if (child == NULL)
            return FALSE;
        g_ptr_array_add(condition->children, child);
    }
    return TRUE;
}

static SlCondition *
read_condition(Reader *reader, const SlJsonNode *node, guint depth)
{
    static const char *const types[] = {"EQUAL", "NOT", "AND", "OR"};
    g_autoptr(SlCondition) condition = g_new0(SlCondition, 1);
    const SlJsonNode *type = get_member(reader, node, "type");
    guint i = 0;
    while (i < G_N_ELEMENTS(types) && (type == NULL || !sl_json_string_is(type, types[i])))
        i++;
    if (i == G_N_ELEMENTS(types) || depth > MAX_DEPTH) {
        if (depth > MAX_DEPTH)
            refuse(reader, "conditions: nested deeper than %d", MAX_DEPTH);
        else
            refuse(reader, "conditions: type is missing, or none of EQUAL, NOT, AND and OR");
        return NULL;
    }
    condition->type = (SlConditionType)i;
    gboolean good = condition->type == SL_CONDITION_EQUAL
                        ? read_operand(reader, node, "fieldName", &condition->field) &&
                              read_operand(reader, node, "comparisonValue", &condition->value)
                        : read_children(reader, node, types[i], depth, condition);
    return good ? g_steal_pointer(&condition) : NULL;
}

gboolean
sl_condition_each(SlCondition *condition, gboolean (*visit)(SlCondition *, gpointer), gpointer data)
{
    if (condition->type == SL_CONDITION_EQUAL)
        return visit(condition, data);
    for (guint i = 0; i < condition->children->len; i++) {
        if (!sl_condition_each(condition->children->pdata[i], visit, data))
            return FALSE;
    }
    return TRUE;
}

static gboolean
read_row_filtering(Reader *reader)
{
    const SlJsonNode *conditions = get_member(reader, reader->config, "conditions");
    if (conditions == NULL)
        return refuse(reader, "conditions is missing");
    reader->step->condition = read_condition(reader, conditions, 1);
    return reader->step->condition != NULL;
}

/* --- encryption ------------------------------------------------------------ */

/* NULL in *ret: a key that is not known here. */
static gboolean
read_key(Reader *reader, char **ret)
{
    const SlJsonNode *key = get_member(reader, reader->config, "key");
    if (key != NULL && sl_json_get(reader->doc, key, "_secret") != NULL)
        return TRUE;
    g_autofree char *text = NULL;
    if (!read_text(reader, "key", NULL, FALSE, &text))
        return FALSE;
    if (strspn(text, "*") < strlen(text))
        *ret = g_steal_pointer(&text);
    return TRUE;
}

static gboolean
read_encryption(Reader *reader)
{
    g_autofree char *algorithm = NULL, *key = NULL, *mode = NULL, *padding = NULL;
    if (!read_text(reader, "algorithm", NULL, FALSE, &algorithm) || !read_target(reader, ""))
        return FALSE;
    if (strcmp(algorithm, "RSA") == 0) {
        if (!read_text(reader, "publicKey", NULL, FALSE, &key))
            return FALSE;
        reader->step->cipher = sl_cipher_new_rsa(key, reader->error);
    } else if (strcmp(algorithm, "AES") == 0) {
        if (!read_key(reader, &key) || !read_text(reader, "mode", NULL, FALSE, &mode) ||
            !read_text(reader, "padding", NULL, FALSE, &padding))
            return FALSE;
        reader->step->cipher = sl_cipher_new_aes(key, mode, padding, reader->error);
    } else {
        return refuse(reader, "algorithm: unknown value '%s'", algorithm);
    }
    return prefix_title(reader, reader->step->cipher != NULL);
}

/* --- one mapper ------------------------------------------------------------ */

static const struct {
    const char *name;
    gboolean (*read)(Reader *reader);
} types[] = {
    [SL_MAPPER_HASHING] = {"hashing", read_hashing},
    [SL_MAPPER_FIELD_RENAMING] = {"field-renaming", read_renaming},
    [SL_MAPPER_FIELD_FILTERING] = {"field-filtering", read_filtering},
    [SL_MAPPER_ROW_FILTERING] = {"row-filtering", read_row_filtering},
    [SL_MAPPER_ENCRYPTION] = {"encryption", read_encryption},
};

SlMapperStep *
sl_mapper_step_parse(const SlJsonDoc *doc, const SlJsonNode *node, guint index,
                     SlMapperFaultCode *ret_code, GError **error)
{
    const SlJsonNode *type = sl_json_get(doc, node, "type");
    guint i = 0;
    while (i < G_N_ELEMENTS(types) && (type == NULL || !sl_json_string_is(type, types[i].name)))
        i++;
    if (i == G_N_ELEMENTS(types)) {
        *ret_code = SL_MAPPER_MISSING;
        sl_error_set(error, SL_ERROR_INVALID, "mapper %u: there is no mapper of type %.*s",
                     index + 1, type != NULL ? (int)MIN(type->n, 80) : 4,
                     type != NULL ? type->p : "null");
        return NULL;
    }
    g_autoptr(SlMapperStep) step = g_new0(SlMapperStep, 1);
    step->type = (SlMapperType)i;
    step->title = g_strdup_printf("mapper %u (%s)", index + 1, types[i].name);
    step->from_slot = step->to_slot = SL_NO_SLOT;
    Reader reader = {doc, sl_json_get(doc, node, "mapperConfiguration"), step, error};
    *ret_code = SL_MAPPER_INVALID_CONFIG;
    if (reader.config == NULL || reader.config->type != SL_JSON_OBJECT) {
        refuse(&reader, "mapperConfiguration is missing or no object");
        return NULL;
    }
    return types[i].read(&reader) ? g_steal_pointer(&step) : NULL;
}

void
sl_mapper_step_free(SlMapperStep *step)
{
    if (step == NULL)
        return;
    g_free(step->title);
    g_free(step->from);
    g_free(step->to);
    sl_digest_free(step->digest);
    sl_cipher_free(step->cipher);
    free_condition(step->condition);
    g_free(step);
}
