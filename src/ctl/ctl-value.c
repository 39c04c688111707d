/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-value.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-args.h"
#include "ctl-text.h"
#include "sl-error.h"
#include "sl-json-write.h"
#include "sl-word.h"

struct CtlValue {
    char *key;          /* in its object; NULL at the root */
    char *raw;          /* JSON of anything but an object */
    GPtrArray *members; /* CtlValue*; NULL unless it is an object */
};

static CtlValue *
value_new_object(const char *key)
{
    CtlValue *value = g_new0(CtlValue, 1);
    value->key = g_strdup(key);
    value->members = g_ptr_array_new_with_free_func((GDestroyNotify)ctl_value_free);
    return value;
}

CtlValue *
ctl_value_new(void)
{
    return value_new_object(NULL);
}

void
ctl_value_free(CtlValue *value)
{
    if (value == NULL)
        return;
    g_free(value->key);
    g_free(value->raw);
    g_clear_pointer(&value->members, g_ptr_array_unref);
    g_free(value);
}

static CtlValue *
find_member(const CtlValue *value, const char *key)
{
    for (guint i = 0; i < value->members->len; i++) {
        CtlValue *member = g_ptr_array_index(value->members, i);
        if (strcmp(member->key, key) == 0)
            return member;
    }
    return NULL;
}

/* The member of that key, made when it is missing, as an empty object. */
static CtlValue *
ensure_member(CtlValue *value, const char *key)
{
    CtlValue *member = find_member(value, key);
    if (member == NULL) {
        member = value_new_object(key);
        g_ptr_array_add(value->members, member);
    }
    return member;
}

/* Depth is bounded by the reader. */
static void
value_assign(CtlValue *value, const SlJsonDoc *doc, const SlJsonNode *node)
{
    g_clear_pointer(&value->raw, g_free);
    if (node->type != SL_JSON_OBJECT) {
        g_clear_pointer(&value->members, g_ptr_array_unref);
        value->raw = sl_json_dup_span(node);
        return;
    }
    if (value->members == NULL)
        value->members = g_ptr_array_new_with_free_func((GDestroyNotify)ctl_value_free);
    g_ptr_array_set_size(value->members, 0);
    SL_JSON_FOREACH (doc, node, key) {
        g_autofree char *name = sl_json_dup_string(key);
        value_assign(ensure_member(value, name != NULL ? name : ""), doc, key + 1);
    }
}

CtlValue *
ctl_value_parse(const char *text, gsize len, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, len, NULL, error);
    if (doc == NULL)
        return NULL;
    const SlJsonNode *root = sl_json_root(doc);
    if (root->type != SL_JSON_OBJECT) {
        sl_error_set(error, SL_ERROR_INVALID, _("a configuration is an object, not %s"),
                     sl_json_type_name(root->type));
        return NULL;
    }
    CtlValue *value = ctl_value_new();
    value_assign(value, doc, root);
    return value;
}

gboolean
ctl_value_set(CtlValue *value, const char *path, const char *json, GError **error)
{
    g_auto(GStrv) keys = g_strsplit(path, ".", -1);
    g_autoptr(SlJsonDoc) doc = sl_json_read(json, strlen(json), NULL, error);
    if (doc == NULL)
        return FALSE;
    CtlValue *place = value;
    for (guint i = 0; keys[i] != NULL; i++) {
        if (*keys[i] == '\0')
            return ctl_set_usage_error(error, _("'%s' is no property: a name is empty"), path);
        if (place->members == NULL) {
            /* What stood there was a plain value: the path says it is an object. */
            g_clear_pointer(&place->raw, g_free);
            place->members = g_ptr_array_new_with_free_func((GDestroyNotify)ctl_value_free);
        }
        place = ensure_member(place, keys[i]);
    }
    value_assign(place, doc, sl_json_root(doc));
    return TRUE;
}

static void
value_write(const CtlValue *value, SlJsonWriter *w)
{
    if (value->members == NULL) {
        sl_json_raw(w, value->raw, strlen(value->raw));
        return;
    }
    sl_json_begin_object(w);
    for (guint i = 0; i < value->members->len; i++) {
        const CtlValue *member = g_ptr_array_index(value->members, i);
        sl_json_key(w, member->key);
        value_write(member, w);
    }
    sl_json_end_object(w);
}

char *
ctl_value_to_json(const CtlValue *value)
{
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    value_write(value, &w);
    return g_string_free(out, FALSE);
}

/* --- types from the specification --------------------------------------------------------------
 */

static const char *const branches[] = {"oneOf", "anyOf", "allOf"};

/* The schema of one member: of `properties`, or of one of the variants. A variant's own constant
 * ("method": {"const": "SSL"}) is as good as any other for finding the type. */
static const SlJsonNode *
find_property(const SlJsonDoc *doc, const SlJsonNode *schema, const char *key)
{
    const SlJsonNode *found = sl_json_get(doc, sl_json_get(doc, schema, "properties"), key);
    for (guint i = 0; found == NULL && i < G_N_ELEMENTS(branches); i++) {
        const SlJsonNode *list = sl_json_get(doc, schema, branches[i]);
        if (list == NULL || list->type != SL_JSON_ARRAY)
            continue;
        SL_JSON_FOREACH (doc, list, variant) {
            if (found == NULL)
                found = sl_json_get(doc, sl_json_get(doc, variant, "properties"), key);
        }
    }
    return found;
}

static void
collect_names(const SlJsonDoc *doc, const SlJsonNode *schema, GPtrArray *names)
{
    const SlJsonNode *properties = sl_json_get(doc, schema, "properties");
    if (properties != NULL && properties->type == SL_JSON_OBJECT) {
        SL_JSON_FOREACH (doc, properties, key) {
            char *name = sl_json_dup_string(key);
            if (name != NULL)
                g_ptr_array_add(names, name);
        }
    }
    for (guint i = 0; i < G_N_ELEMENTS(branches); i++) {
        const SlJsonNode *list = sl_json_get(doc, schema, branches[i]);
        if (list == NULL || list->type != SL_JSON_ARRAY)
            continue;
        SL_JSON_FOREACH (doc, list, variant) {
            collect_names(doc, variant, names);
        }
    }
}

static gboolean
is_open_object(const SlJsonDoc *doc, const SlJsonNode *schema)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    collect_names(doc, schema, names);
    return names->len == 0; /* no properties at all: anything may stand in it */
}

static gboolean
set_unknown_property(const SlJsonDoc *doc, const SlJsonNode *schema, const char *path,
                     const char *key, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    collect_names(doc, schema, names);
    g_ptr_array_add(names, NULL);
    const char *nearest = sl_word_nearest(key, (const char *const *)names->pdata);
    if (nearest != NULL)
        return ctl_set_usage_error(
            error, _("'%s': the connector knows no '%s'; did you mean '%s'?"), path, key, nearest);
    return ctl_set_usage_error(
        error,
        _("'%s': the connector knows no '%s'; 'sluicectl connector spec' lists what it knows"),
        path, key);
}

/* *ret stays NULL where nothing is known about the property. */
static gboolean
walk(const SlJsonDoc *doc, const SlJsonNode *schema, const char *path, const SlJsonNode **ret,
     GError **error)
{
    g_auto(GStrv) keys = g_strsplit(path, ".", -1);
    *ret = NULL;
    if (schema == NULL)
        return TRUE;
    for (guint i = 0; keys[i] != NULL; i++) {
        const SlJsonNode *next = find_property(doc, schema, keys[i]);
        if (next == NULL && is_open_object(doc, schema))
            return TRUE;
        if (next == NULL)
            return set_unknown_property(doc, schema, path, keys[i], error);
        schema = next;
    }
    *ret = schema;
    return TRUE;
}

/* "string", or of ["null", "string"] the first that is not null; "" when the schema does not say.
 */
static char *
schema_type(const SlJsonDoc *doc, const SlJsonNode *schema)
{
    const SlJsonNode *type = sl_json_get(doc, schema, "type");
    if (type != NULL && type->type == SL_JSON_ARRAY) {
        SL_JSON_FOREACH (doc, type, one) {
            if (!sl_json_string_is(one, "null"))
                return sl_json_dup_string(one);
        }
    }
    char *text = type != NULL ? sl_json_dup_string(type) : NULL;
    if (text == NULL && sl_json_get(doc, schema, "oneOf") != NULL)
        return g_strdup("object");
    return text != NULL ? text : g_strdup("");
}

static char *
quote(const char *text)
{
    GString *out = g_string_new(NULL);
    sl_json_append_quoted(out, text, strlen(text));
    return g_string_free(out, FALSE);
}

static gboolean
json_is(const char *text, guint types)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, NULL);
    return doc != NULL && (types & (1u << sl_json_root(doc)->type)) != 0;
}

#define TYPE(name) (1u << SL_JSON_##name)

static gboolean
is_integer(const char *text)
{
    const char *digits = *text == '-' ? text + 1 : text;
    return *digits != '\0' && strspn(digits, "0123456789") == strlen(digits) &&
           json_is(text, TYPE(NUMBER));
}

/* "a,b" or a JSON array. */
static char *
array_from_text(const SlJsonDoc *doc, const SlJsonNode *schema, const char *path, const char *text,
                GError **error)
{
    if (json_is(text, TYPE(ARRAY)))
        return g_strdup(text);
    const SlJsonNode *items = sl_json_get(doc, schema, "items");
    g_autofree char *item_type = items != NULL ? schema_type(doc, items) : g_strdup("string");
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    g_autoptr(GString) out = g_string_new("[");
    for (guint i = 0; parts[i] != NULL; i++) {
        gboolean number = strcmp(item_type, "integer") == 0 || strcmp(item_type, "number") == 0;
        g_strstrip(parts[i]);
        if (number && !json_is(parts[i], TYPE(NUMBER))) {
            ctl_set_usage_error(error, _("'%s': '%s' is no number"), path, parts[i]);
            return NULL;
        }
        g_autofree char *item = number ? g_strdup(parts[i]) : quote(parts[i]);
        g_string_append_printf(out, "%s%s", i > 0 ? "," : "", item);
    }
    g_string_append_c(out, ']');
    return g_strdup(out->str);
}

static char *
from_text(const SlJsonDoc *doc, const SlJsonNode *schema, const char *path, const char *text,
          GError **error)
{
    g_autofree char *type = schema_type(doc, schema);
    if (strcmp(type, "string") == 0)
        return quote(text);
    if (strcmp(type, "array") == 0)
        return array_from_text(doc, schema, path, text, error);
    if (strcmp(type, "integer") == 0 && !is_integer(text))
        ctl_set_usage_error(error, _("'%s' is a whole number, not '%s'"), path, text);
    else if (strcmp(type, "number") == 0 && !json_is(text, TYPE(NUMBER)))
        ctl_set_usage_error(error, _("'%s' is a number, not '%s'"), path, text);
    else if (strcmp(type, "boolean") == 0 && !json_is(text, TYPE(TRUE) | TYPE(FALSE)))
        ctl_set_usage_error(error, _("'%s' is true or false, not '%s'"), path, text);
    else if (strcmp(type, "object") == 0 && !json_is(text, TYPE(OBJECT)))
        ctl_set_usage_error(error, _("'%s' is an object: set its parts, '%s.PART=…', or give JSON"),
                            path, path);
    else
        return json_is(text, ~0u) ? g_strdup(text) : quote(text);
    return NULL;
}

char *
ctl_value_from_text(const SlJsonDoc *doc, const SlJsonNode *schema, const char *path,
                    const char *text, GError **error)
{
    const SlJsonNode *property;
    if (!walk(doc, schema, path, &property, error))
        return NULL;
    if (property != NULL)
        return from_text(doc, property, path, text, error);
    return json_is(text, ~0u) ? g_strdup(text) : quote(text);
}

gboolean
ctl_value_is_secret(const SlJsonDoc *doc, const SlJsonNode *schema, const char *path)
{
    const SlJsonNode *property;
    if (!walk(doc, schema, path, &property, NULL) || property == NULL)
        return FALSE;
    const SlJsonNode *mark = sl_json_get(doc, property, "airbyte_secret");
    return mark != NULL && mark->type == SL_JSON_TRUE;
}
