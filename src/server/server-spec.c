/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-spec.h"

#include <string.h>

#include "sl-error.h"
#include "sl-json-read.h"
#include "sl-record.h"

#define MAX_DEPTH 32

typedef struct {
    const SlJsonDoc *spec, *config;
    GString *path;
    guint depth;
    GError **error;
} Judge;

static gboolean judge(Judge *j, const SlJsonNode *schema, const SlJsonNode *value);

static gboolean G_GNUC_PRINTF(2, 3) refuse(Judge *j, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    return sl_error_set(j->error, SL_ERROR_UNPROCESSABLE, "%s: %s", j->path->str, text);
}

static const SlJsonNode *
word(const Judge *j, const SlJsonNode *schema, const char *name)
{
    return sl_json_get(j->spec, schema, name);
}

/* A secret that stays as it is stored. */
static gboolean
is_kept_secret(const Judge *j, const SlJsonNode *schema, const SlJsonNode *value)
{
    const SlJsonNode *mark = word(j, schema, "airbyte_secret");
    return mark != NULL && mark->type == SL_JSON_TRUE &&
           (sl_json_string_is(value, SL_MASK) ||
            (value->type == SL_JSON_OBJECT && sl_json_get(j->config, value, "_secret") != NULL));
}

/* --- words --------------------------------------------------------------------------------------
 */

static gboolean
is_of_type(const SlJsonNode *value, const SlJsonNode *type)
{
    static const struct {
        const char *name;
        guint types;
    } types[] = {
        {"object", 1 << SL_JSON_OBJECT}, {"array", 1 << SL_JSON_ARRAY},
        {"string", 1 << SL_JSON_STRING}, {"boolean", 1 << SL_JSON_TRUE | 1 << SL_JSON_FALSE},
        {"number", 1 << SL_JSON_NUMBER}, {"integer", 1 << SL_JSON_NUMBER},
        {"null", 1 << SL_JSON_NULL},
    };
    gint64 number;
    if (sl_json_string_is(type, "integer") && value->type == SL_JSON_NUMBER &&
        !sl_json_get_int64(value, &number))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        if (sl_json_string_is(type, types[i].name))
            return (types[i].types & (1u << value->type)) != 0;
    return TRUE; /* not a word of ours */
}

static gboolean
judge_type(Judge *j, const SlJsonNode *type, const SlJsonNode *value)
{
    if (type->type == SL_JSON_STRING) {
        g_autofree char *name = sl_json_dup_string(type);
        return is_of_type(value, type) || refuse(j, "expected %s", name);
    }
    SL_JSON_FOREACH (j->spec, type, one)
        if (is_of_type(value, one))
            return TRUE;
    return type->type != SL_JSON_ARRAY || refuse(j, "expected one of %.*s", (int)type->n, type->p);
}

/* Equal as text, which is enough for the scalars that specifications list. */
static gboolean
same(const SlJsonNode *a, const SlJsonNode *b)
{
    if (a->type != b->type)
        return FALSE;
    if (a->type == SL_JSON_STRING) {
        g_autofree char *text = sl_json_dup_string(a);
        return text != NULL && sl_json_string_is(b, text);
    }
    return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

static gboolean
judge_enum(Judge *j, const SlJsonNode *allowed, const SlJsonNode *value)
{
    SL_JSON_FOREACH (j->spec, allowed, one)
        if (same(one, value))
            return TRUE;
    return refuse(j, "expected one of %.*s", (int)MIN(allowed->n, 200), allowed->p);
}

static gboolean
judge_const(Judge *j, const SlJsonNode *wanted, const SlJsonNode *value)
{
    return same(wanted, value) || refuse(j, "expected %.*s", (int)MIN(wanted->n, 200), wanted->p);
}

static gboolean
judge_minimum(Judge *j, const SlJsonNode *limit, const SlJsonNode *value)
{
    double a, b;
    if (!sl_json_get_double(value, &a) || !sl_json_get_double(limit, &b) || a >= b)
        return TRUE;
    return refuse(j, "must be at least %.*s", (int)limit->n, limit->p);
}

static gboolean
judge_maximum(Judge *j, const SlJsonNode *limit, const SlJsonNode *value)
{
    double a, b;
    if (!sl_json_get_double(value, &a) || !sl_json_get_double(limit, &b) || a <= b)
        return TRUE;
    return refuse(j, "must be at most %.*s", (int)limit->n, limit->p);
}

static glong
length_of(const SlJsonNode *value)
{
    g_autofree char *text = sl_json_dup_string(value);
    return text != NULL ? g_utf8_strlen(text, -1) : -1;
}

static gboolean
judge_min_length(Judge *j, const SlJsonNode *limit, const SlJsonNode *value)
{
    gint64 n;
    glong length = length_of(value);
    return length < 0 || !sl_json_get_int64(limit, &n) || length >= n ||
           refuse(j, "must have at least %" G_GINT64_FORMAT " characters", n);
}

static gboolean
judge_max_length(Judge *j, const SlJsonNode *limit, const SlJsonNode *value)
{
    gint64 n;
    glong length = length_of(value);
    return length < 0 || !sl_json_get_int64(limit, &n) || length <= n ||
           refuse(j, "must have at most %" G_GINT64_FORMAT " characters", n);
}

static gboolean
judge_pattern(Judge *j, const SlJsonNode *pattern, const SlJsonNode *value)
{
    g_autofree char *text = sl_json_dup_string(value), *expression = sl_json_dup_string(pattern);
    if (text == NULL || expression == NULL)
        return TRUE;
    g_autoptr(GRegex) regex = g_regex_new(expression, 0, 0, NULL);
    return regex == NULL || g_regex_match(regex, text, 0, NULL) ||
           refuse(j, "does not match the pattern '%s'", expression);
}

static gboolean
judge_required(Judge *j, const SlJsonNode *names, const SlJsonNode *value)
{
    SL_JSON_FOREACH (j->spec, names, name) {
        g_autofree char *text = sl_json_dup_string(name);
        if (value->type == SL_JSON_OBJECT && text != NULL &&
            sl_json_get(j->config, value, text) == NULL)
            return refuse(j, "'%s' is required", text);
    }
    return TRUE;
}

static gboolean
judge_properties(Judge *j, const SlJsonNode *properties, const SlJsonNode *value)
{
    SL_JSON_FOREACH (j->config, value, key) {
        if (value->type != SL_JSON_OBJECT)
            break;
        g_autofree char *name = sl_json_dup_string(key);
        const SlJsonNode *schema = name != NULL ? word(j, properties, name) : NULL;
        gsize length = j->path->len;
        if (schema == NULL)
            continue;
        g_string_append_printf(j->path, ".%s", name);
        if (!judge(j, schema, key + 1))
            return FALSE;
        g_string_truncate(j->path, length);
    }
    return TRUE;
}

static gboolean
judge_items(Judge *j, const SlJsonNode *items, const SlJsonNode *value)
{
    guint i = 0;
    if (value->type != SL_JSON_ARRAY || items->type != SL_JSON_OBJECT)
        return TRUE;
    SL_JSON_FOREACH (j->config, value, item) {
        gsize length = j->path->len;
        g_string_append_printf(j->path, "[%u]", i++);
        if (!judge(j, items, item))
            return FALSE;
        g_string_truncate(j->path, length);
    }
    return TRUE;
}

static gboolean
judge_all_of(Judge *j, const SlJsonNode *schemas, const SlJsonNode *value)
{
    SL_JSON_FOREACH (j->spec, schemas, schema)
        if (!judge(j, schema, value))
            return FALSE;
    return TRUE;
}

/* At least one must fit. Which one was meant is mostly said by a constant member: then the reason
 * is that branch's own. */
static gboolean
judge_one_of(Judge *j, const SlJsonNode *schemas, const SlJsonNode *value)
{
    g_autoptr(GError) best = NULL;
    gsize best_length = 0, length = j->path->len;
    GError **outer = j->error;
    SL_JSON_FOREACH (j->spec, schemas, schema) {
        g_autoptr(GError) local = NULL;
        j->error = &local;
        gboolean ok = judge(j, schema, value);
        gsize reached = j->path->len;
        j->error = outer;
        g_string_truncate(j->path, length);
        if (ok)
            return TRUE;
        gboolean constant = strstr(local->message, ": expected \"") != NULL;
        if (best == NULL || (!constant && reached >= best_length)) {
            g_clear_error(&best);
            best = g_steal_pointer(&local);
            best_length = constant ? 0 : reached;
        }
    }
    if (best == NULL)
        return TRUE;
    g_propagate_error(outer, g_steal_pointer(&best));
    return FALSE;
}

static gboolean
judge_additional(Judge *j, const SlJsonNode *schema, const SlJsonNode *value)
{
    const SlJsonNode *additional = word(j, schema, "additionalProperties");
    const SlJsonNode *properties = word(j, schema, "properties");
    if (additional == NULL || additional->type != SL_JSON_FALSE || properties == NULL ||
        value->type != SL_JSON_OBJECT)
        return TRUE;
    SL_JSON_FOREACH (j->config, value, key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (name == NULL || word(j, properties, name) == NULL)
            return refuse(j, "'%s' is not a property", name != NULL ? name : "");
    }
    return TRUE;
}

static gboolean
judge(Judge *j, const SlJsonNode *schema, const SlJsonNode *value)
{
    static const struct {
        const char *name;
        gboolean (*judge)(Judge *j, const SlJsonNode *argument, const SlJsonNode *value);
    } words[] = {
        {"type", judge_type},
        {"const", judge_const},
        {"enum", judge_enum},
        {"minimum", judge_minimum},
        {"maximum", judge_maximum},
        {"minLength", judge_min_length},
        {"maxLength", judge_max_length},
        {"pattern", judge_pattern},
        {"required", judge_required},
        {"properties", judge_properties},
        {"items", judge_items},
        {"allOf", judge_all_of},
        {"oneOf", judge_one_of},
        {"anyOf", judge_one_of},
    };
    if (schema->type != SL_JSON_OBJECT || is_kept_secret(j, schema, value))
        return TRUE;
    if (j->depth >= MAX_DEPTH)
        return refuse(j, "is nested too deep");
    j->depth++;
    gboolean ok = TRUE;
    for (gsize i = 0; ok && i < G_N_ELEMENTS(words); i++) {
        const SlJsonNode *argument = word(j, schema, words[i].name);
        ok = argument == NULL || words[i].judge(j, argument, value);
    }
    ok = ok && judge_additional(j, schema, value);
    j->depth--;
    return ok;
}

/* --- the whole -----------------------------------------------------------------------------------
 */

gboolean
server_spec_judge(const char *spec, const char *configuration, GError **error)
{
    g_autoptr(SlJsonDoc) schema = sl_json_read(spec, strlen(spec), NULL, error);
    g_autoptr(SlJsonDoc) config =
        schema != NULL ? sl_json_read(configuration, strlen(configuration), NULL, error) : NULL;
    g_autoptr(GString) path = g_string_new("configuration");
    if (config == NULL)
        return FALSE;
    Judge j = {schema, config, path, 0, error};
    if (sl_json_root(config)->type != SL_JSON_OBJECT)
        return refuse(&j, "expected object");
    const SlJsonNode *inner = word(&j, sl_json_root(schema), "connectionSpecification");
    return inner == NULL || judge(&j, inner, sl_json_root(config));
}

char *
server_spec_connection(const char *spec)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(spec, strlen(spec), NULL, NULL);
    const SlJsonNode *inner =
        doc != NULL ? sl_json_get(doc, sl_json_root(doc), "connectionSpecification") : NULL;
    return inner != NULL ? sl_json_dup_span(inner) : g_strdup("{}");
}
