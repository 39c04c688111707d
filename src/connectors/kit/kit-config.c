/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "kit-config.h"

#include <stdarg.h>
#include <string.h>

#include "sl-error.h"

/* A check of one configuration: where we are, for the errors. */
typedef struct {
    const SlJsonDoc *doc, *spec;
    GString *path;
} Check;

static gboolean check_value(Check *check, const SlJsonNode *schema, const SlJsonNode *node,
                            GError **error);

static gboolean refuse(const Check *check, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static gboolean
refuse(const Check *check, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    return sl_error_set(error, SL_ERROR_INVALID, "%s: %s", check->path->str, text);
}

static gboolean
same_scalar(const SlJsonNode *a, const SlJsonNode *b)
{
    double x, y;
    if (a->type != b->type)
        return FALSE;
    if (a->type == SL_JSON_NUMBER)
        return sl_json_get_double(a, &x) && sl_json_get_double(b, &y) && x == y;
    if (a->type != SL_JSON_STRING)
        return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
    g_autoptr(GString) s = g_string_new(NULL);
    g_autoptr(GString) t = g_string_new(NULL);
    sl_json_append_string(a, s);
    sl_json_append_string(b, t);
    return g_string_equal(s, t);
}

static gboolean
is_of_type(const SlJsonNode *node, const SlJsonNode *type)
{
    static const struct {
        const char *name;
        guint types; /* bits of SlJsonType */
    } rows[] = {
        {"object", 1 << SL_JSON_OBJECT},  {"array", 1 << SL_JSON_ARRAY},
        {"string", 1 << SL_JSON_STRING},  {"number", 1 << SL_JSON_NUMBER},
        {"integer", 1 << SL_JSON_NUMBER}, {"boolean", 1 << SL_JSON_TRUE | 1 << SL_JSON_FALSE},
        {"null", 1 << SL_JSON_NULL},
    };
    gint64 ignored;
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (sl_json_string_is(type, rows[i].name))
            return (rows[i].types >> node->type & 1) != 0 &&
                   (!g_str_equal(rows[i].name, "integer") || sl_json_get_int64(node, &ignored));
    return TRUE; /* a word that we do not know is not the user's fault */
}

static gboolean
check_type(Check *check, const SlJsonNode *schema, const SlJsonNode *node, GError **error)
{
    const SlJsonNode *type = sl_json_get(check->spec, schema, "type");
    if (type == NULL)
        return TRUE;
    if (type->type == SL_JSON_STRING) {
        g_autofree char *word = sl_json_dup_string(type);
        return is_of_type(node, type) || refuse(check, error, "expected %s", word);
    }
    g_autoptr(GString) words = g_string_new(NULL);
    SL_JSON_FOREACH (check->spec, type, child) {
        if (is_of_type(node, child))
            return TRUE;
        g_autofree char *word = sl_json_dup_string(child);
        g_string_append_printf(words, "%s%s", words->len > 0 ? " or " : "", word);
    }
    return refuse(check, error, "expected %s", words->str);
}

static gboolean
check_choice(Check *check, const SlJsonNode *schema, const SlJsonNode *node, GError **error)
{
    const SlJsonNode *constant = sl_json_get(check->spec, schema, "const");
    if (constant != NULL && !same_scalar(constant, node)) {
        g_autofree char *text = sl_json_dup_span(constant);
        return refuse(check, error, "must be %s", text);
    }
    const SlJsonNode *choices = sl_json_get(check->spec, schema, "enum");
    if (choices == NULL)
        return TRUE;
    g_autoptr(GString) words = g_string_new(NULL);
    SL_JSON_FOREACH (check->spec, choices, child) {
        if (same_scalar(child, node))
            return TRUE;
        g_string_append_printf(words, "%s%.*s", words->len > 0 ? ", " : "", (int)child->n,
                               child->p);
    }
    return refuse(check, error, "must be one of %s", words->str);
}

static gboolean
check_number(Check *check, const SlJsonNode *schema, const SlJsonNode *node, GError **error)
{
    double value, limit;
    if (!sl_json_get_double(node, &value))
        return refuse(check, error, "number out of range");
    const SlJsonNode *minimum = sl_json_get(check->spec, schema, "minimum");
    if (minimum != NULL && sl_json_get_double(minimum, &limit) && value < limit)
        return refuse(check, error, "must be at least %.*s", (int)minimum->n, minimum->p);
    const SlJsonNode *maximum = sl_json_get(check->spec, schema, "maximum");
    if (maximum != NULL && sl_json_get_double(maximum, &limit) && value > limit)
        return refuse(check, error, "must be at most %.*s", (int)maximum->n, maximum->p);
    return TRUE;
}

static gboolean
check_string(Check *check, const SlJsonNode *schema, const SlJsonNode *node, GError **error)
{
    g_autofree char *text = sl_json_dup_string(node);
    if (text == NULL)
        return refuse(check, error, "holds a NUL character");
    gint64 limit;
    const SlJsonNode *rule = sl_json_get(check->spec, schema, "minLength");
    if (rule != NULL && sl_json_get_int64(rule, &limit) && g_utf8_strlen(text, -1) < limit)
        return refuse(check, error, "shorter than %" G_GINT64_FORMAT " characters", limit);
    rule = sl_json_get(check->spec, schema, "maxLength");
    if (rule != NULL && sl_json_get_int64(rule, &limit) && g_utf8_strlen(text, -1) > limit)
        return refuse(check, error, "longer than %" G_GINT64_FORMAT " characters", limit);
    rule = sl_json_get(check->spec, schema, "pattern");
    if (rule != NULL) {
        g_autofree char *pattern = sl_json_dup_string(rule);
        if (pattern != NULL && !g_regex_match_simple(pattern, text, 0, 0))
            return refuse(check, error, "must match %s", pattern);
    }
    return TRUE;
}

static gboolean
check_items(Check *check, const SlJsonNode *schema, const SlJsonNode *node, GError **error)
{
    gint64 limit;
    const SlJsonNode *rule = sl_json_get(check->spec, schema, "minItems");
    if (rule != NULL && sl_json_get_int64(rule, &limit) && node->count < limit)
        return refuse(check, error, "fewer than %" G_GINT64_FORMAT " elements", limit);
    rule = sl_json_get(check->spec, schema, "maxItems");
    if (rule != NULL && sl_json_get_int64(rule, &limit) && node->count > limit)
        return refuse(check, error, "more than %" G_GINT64_FORMAT " elements", limit);
    const SlJsonNode *items = sl_json_get(check->spec, schema, "items");
    if (items == NULL || items->type != SL_JSON_OBJECT)
        return TRUE;
    guint i = 0;
    gsize base = check->path->len;
    SL_JSON_FOREACH (check->doc, node, child) {
        g_string_append_printf(check->path, "[%u]", i++);
        if (!check_value(check, items, child, error))
            return FALSE;
        g_string_truncate(check->path, base);
    }
    return TRUE;
}

/* The one value a property may have: `const`, or an enum of one. NULL: it is no discriminator. */
static const SlJsonNode *
discriminator(const SlJsonDoc *spec, const SlJsonNode *schema)
{
    const SlJsonNode *constant = sl_json_get(spec, schema, "const");
    const SlJsonNode *choices = sl_json_get(spec, schema, "enum");
    if (constant == NULL && choices != NULL && choices->count == 1)
        constant = sl_json_at(spec, choices, 0);
    return constant;
}

/* Does the object say that it is this branch of a oneOf? ret_key: the branch's discriminator. */
static gboolean
branch_matches(const SlJsonDoc *spec, const SlJsonNode *branch, const SlJsonDoc *doc,
               const SlJsonNode *node, char **ret_key)
{
    const SlJsonNode *properties = sl_json_get(spec, branch, "properties");
    gboolean matches = FALSE;
    SL_JSON_FOREACH (spec, properties, key_node) {
        const SlJsonNode *wanted = discriminator(spec, key_node + 1);
        if (wanted == NULL)
            continue;
        g_autofree char *key = sl_json_dup_string(key_node);
        const SlJsonNode *value = sl_json_get(doc, node, key);
        if (*ret_key == NULL)
            *ret_key = g_strdup(key);
        if (value == NULL || !same_scalar(wanted, value))
            return FALSE;
        matches = TRUE;
    }
    return matches;
}

/* The branch of schema.oneOf that the object names. ret_key: NULL when no branch has a
 * discriminator. */
static const SlJsonNode *
find_branch(const SlJsonDoc *spec, const SlJsonNode *schema, const SlJsonDoc *doc,
            const SlJsonNode *node, char **ret_key)
{
    const SlJsonNode *branches = sl_json_get(spec, schema, "oneOf");
    if (branches == NULL || node == NULL || node->type != SL_JSON_OBJECT)
        return NULL;
    SL_JSON_FOREACH (spec, branches, branch) {
        if (branch_matches(spec, branch, doc, node, ret_key))
            return branch;
    }
    return NULL;
}

static gboolean
check_branches(Check *check, const SlJsonNode *schema, const SlJsonNode *node, GError **error)
{
    const SlJsonNode *branches = sl_json_get(check->spec, schema, "oneOf");
    if (branches == NULL)
        return TRUE;
    g_autofree char *key = NULL;
    const SlJsonNode *branch = find_branch(check->spec, schema, check->doc, node, &key);
    if (branch != NULL)
        return check_value(check, branch, node, error);
    if (key == NULL) {
        gsize base = check->path->len;
        SL_JSON_FOREACH (check->spec, branches, candidate) {
            if (check_value(check, candidate, node, NULL))
                return TRUE;
            g_string_truncate(check->path, base);
        }
        return refuse(check, error, "fits none of the alternatives");
    }
    g_autoptr(GString) words = g_string_new(NULL);
    SL_JSON_FOREACH (check->spec, branches, candidate) {
        const SlJsonNode *property =
            sl_json_get_path(check->spec, candidate, "properties", key, NULL);
        const SlJsonNode *wanted = property == NULL ? NULL : discriminator(check->spec, property);
        if (wanted != NULL)
            g_string_append_printf(words, "%s%.*s", words->len > 0 ? ", " : "", (int)wanted->n,
                                   wanted->p);
    }
    g_string_append_printf(check->path, ".%s", key);
    return refuse(check, error, "must be one of %s", words->str);
}

static gboolean
check_members(Check *check, const SlJsonNode *schema, const SlJsonNode *node, GError **error)
{
    const SlJsonNode *required = sl_json_get(check->spec, schema, "required");
    gsize base = check->path->len;
    if (required != NULL) {
        SL_JSON_FOREACH (check->spec, required, child) {
            g_autofree char *key = sl_json_dup_string(child);
            if (key != NULL && sl_json_get(check->doc, node, key) == NULL) {
                g_string_append_printf(check->path, ".%s", key);
                return refuse(check, error, "missing");
            }
        }
    }
    const SlJsonNode *properties = sl_json_get(check->spec, schema, "properties");
    const SlJsonNode *additional = sl_json_get(check->spec, schema, "additionalProperties");
    SL_JSON_FOREACH (check->doc, node, key_node) {
        g_autofree char *key = sl_json_dup_string(key_node);
        const SlJsonNode *property =
            key == NULL || properties == NULL ? NULL : sl_json_get(check->spec, properties, key);
        g_string_append_printf(check->path, ".%s", key == NULL ? "?" : key);
        if (property == NULL && additional != NULL && additional->type == SL_JSON_FALSE)
            return refuse(check, error, "unknown property");
        /* Of a repeated key only the last counts; checking the others is harmless. */
        if (property != NULL && !check_value(check, property, key_node + 1, error))
            return FALSE;
        g_string_truncate(check->path, base);
    }
    return TRUE;
}

static gboolean
check_value(Check *check, const SlJsonNode *schema, const SlJsonNode *node, GError **error)
{
    if (schema->type != SL_JSON_OBJECT)
        return TRUE;
    if (!check_type(check, schema, node, error) || !check_choice(check, schema, node, error))
        return FALSE;
    gboolean ok = TRUE;
    if (node->type == SL_JSON_NUMBER)
        ok = check_number(check, schema, node, error);
    else if (node->type == SL_JSON_STRING)
        ok = check_string(check, schema, node, error);
    else if (node->type == SL_JSON_ARRAY)
        ok = check_items(check, schema, node, error);
    else if (node->type == SL_JSON_OBJECT)
        ok = check_members(check, schema, node, error);
    return ok && check_branches(check, schema, node, error);
}

KitConfig *
kit_config_parse(const char *spec, const char *text, gsize len, GError **error)
{
    g_autoptr(KitConfig) config = g_new0(KitConfig, 1);
    config->spec = sl_json_read(spec, strlen(spec), NULL, error);
    if (config->spec == NULL) {
        g_prefix_error(error, "spec: ");
        return NULL;
    }
    config->schema =
        sl_json_get(config->spec, sl_json_root(config->spec), "connectionSpecification");
    if (config->schema == NULL) {
        sl_error_set(error, SL_ERROR_FAILED, "spec: no connectionSpecification");
        return NULL;
    }
    config->doc = sl_json_read_copy(text, len, NULL, error);
    if (config->doc == NULL) {
        g_prefix_error(error, "configuration: ");
        return NULL;
    }
    if (sl_json_root(config->doc)->type != SL_JSON_OBJECT) {
        sl_error_set(error, SL_ERROR_INVALID, "configuration: expected object");
        return NULL;
    }
    g_autoptr(GString) path = g_string_new("configuration");
    Check check = {config->doc, config->spec, path};
    if (!check_value(&check, config->schema, sl_json_root(config->doc), error))
        return NULL;
    return g_steal_pointer(&config);
}

/* The schema of a member, in properties or in the chosen branch of oneOf. */
static const SlJsonNode *
member_schema(const SlJsonDoc *spec, const SlJsonNode *schema, const SlJsonDoc *doc,
              const SlJsonNode *node, const char *key)
{
    const SlJsonNode *property = sl_json_get_path(spec, schema, "properties", key, NULL);
    if (property != NULL || schema == NULL)
        return property;
    g_autofree char *ignored = NULL;
    const SlJsonNode *branch = find_branch(spec, schema, doc, node, &ignored);
    return branch == NULL ? NULL : member_schema(spec, branch, doc, node, key);
}

static const SlJsonNode *
config_get(const KitConfig *config, va_list keys)
{
    const SlJsonDoc *doc = config->doc;
    const SlJsonNode *node = sl_json_root(doc), *schema = config->schema;
    const char *key;
    while ((key = va_arg(keys, const char *)) != NULL) {
        schema = member_schema(config->spec, schema, doc, node, key);
        node = sl_json_get(doc, node, key);
        if (node == NULL && schema != NULL) {
            doc = config->spec;
            node = sl_json_get(doc, schema, "default");
        }
    }
    return node;
}

const SlJsonNode *
kit_config_get(const KitConfig *config, ...)
{
    va_list keys;
    va_start(keys, config);
    const SlJsonNode *node = config_get(config, keys);
    va_end(keys);
    return node;
}

char *
kit_config_dup_string(const KitConfig *config, ...)
{
    va_list keys;
    va_start(keys, config);
    const SlJsonNode *node = config_get(config, keys);
    va_end(keys);
    return node == NULL ? NULL : sl_json_dup_string(node);
}

gint64
kit_config_get_int(const KitConfig *config, ...)
{
    va_list keys;
    va_start(keys, config);
    const SlJsonNode *node = config_get(config, keys);
    va_end(keys);
    gint64 value = 0;
    return node != NULL && sl_json_get_int64(node, &value) ? value : 0;
}

double
kit_config_get_double(const KitConfig *config, ...)
{
    va_list keys;
    va_start(keys, config);
    const SlJsonNode *node = config_get(config, keys);
    va_end(keys);
    double value = 0;
    return node != NULL && sl_json_get_double(node, &value) ? value : 0;
}

gboolean
kit_config_get_boolean(const KitConfig *config, ...)
{
    va_list keys;
    va_start(keys, config);
    const SlJsonNode *node = config_get(config, keys);
    va_end(keys);
    gboolean value = FALSE;
    return node != NULL && sl_json_get_boolean(node, &value) ? value : FALSE;
}

void
kit_config_free(KitConfig *config)
{
    if (config == NULL)
        return;
    sl_json_doc_free(config->doc);
    sl_json_doc_free(config->spec);
    g_free(config);
}
