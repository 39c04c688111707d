/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-secret.h"

#include <string.h>

#include "sl-error.h"

#define REFERENCE "_secret"
#define MAX_SCHEMAS 256 /* branches that can describe one value */

static gboolean
is_reference(const SlJsonDoc *doc, const SlJsonNode *node)
{
    const SlJsonNode *id = sl_json_get(doc, node, REFERENCE);
    return id != NULL && id->type == SL_JSON_STRING && node->count == 1;
}

static void
write_reference(SlJsonWriter *w, const char *id)
{
    sl_json_begin_object(w);
    sl_json_member_string(w, REFERENCE, id);
    sl_json_end_object(w);
}

/* --- the walk over a configuration with references ------------------------------------------- */

/* Writes what stands in a reference's place. */
typedef gboolean (*Visit)(SlJsonWriter *w, const char *id, gpointer data, GError **error);

static gboolean
rewrite(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *node, Visit visit, gpointer data,
        GError **error)
{
    if (is_reference(doc, node)) {
        g_autofree char *id = sl_json_dup_string(sl_json_get(doc, node, REFERENCE));
        return visit(w, id, data, error);
    }
    if (node->type == SL_JSON_ARRAY) {
        sl_json_begin_array(w);
        SL_JSON_FOREACH (doc, node, child)
            if (!rewrite(w, doc, child, visit, data, error))
                return FALSE;
        sl_json_end_array(w);
        return TRUE;
    }
    if (node->type != SL_JSON_OBJECT) {
        sl_json_node(w, node);
        return TRUE;
    }
    sl_json_begin_object(w);
    SL_JSON_FOREACH (doc, node, key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (name == NULL)
            return sl_error_set(error, SL_ERROR_INVALID, "a member's name cannot hold U+0000");
        sl_json_key(w, name);
        if (!rewrite(w, doc, key + 1, visit, data, error))
            return FALSE;
    }
    sl_json_end_object(w);
    return TRUE;
}

static char *
rewrite_text(const char *config, Visit visit, gpointer data, GError **error)
{
    static const SlJsonLimits limits = {.max_depth = 60}; /* the writer's */
    g_autoptr(SlJsonDoc) doc = sl_json_read(config, strlen(config), &limits, error);
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    if (doc == NULL || !rewrite(&w, doc, sl_json_root(doc), visit, data, error))
        return NULL;
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static gboolean
visit_mask(SlJsonWriter *w, const char *id, gpointer data, GError **error)
{
    sl_json_string(w, SL_MASK);
    return TRUE;
}

char *
sl_secret_mask(const char *config, GError **error)
{
    return rewrite_text(config, visit_mask, NULL, error);
}

static gboolean
visit_list(SlJsonWriter *w, const char *id, gpointer data, GError **error)
{
    g_ptr_array_add(data, g_strdup(id));
    sl_json_null(w);
    return TRUE;
}

char **
sl_secret_list(const char *config, GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *ignored = rewrite_text(config, visit_list, ids, error);
    if (ignored == NULL)
        return NULL;
    g_ptr_array_add(ids, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&ids), FALSE);
}

static void
write_paths(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *node, GPtrArray *path)
{
    if (is_reference(doc, node)) {
        sl_json_begin_array(w);
        for (guint i = 0; i < path->len; i++)
            sl_json_string(w, path->pdata[i]);
        sl_json_end_array(w);
        return;
    }
    if (node->type != SL_JSON_OBJECT && node->type != SL_JSON_ARRAY)
        return;
    SL_JSON_FOREACH (doc, node, child) {
        gboolean member = node->type == SL_JSON_OBJECT;
        char *step = member ? sl_json_dup_string(child) : g_strdup("*");
        if (step == NULL)
            continue; /* a name with U+0000: sl_secret_split() stores none */
        g_ptr_array_add(path, step);
        write_paths(w, doc, member ? child + 1 : child, path);
        g_ptr_array_set_size(path, (gint)path->len - 1);
    }
}

char *
sl_secret_paths(const char *config, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(config, strlen(config), NULL, error);
    g_autoptr(GPtrArray) path = g_ptr_array_new_with_free_func(g_free);
    if (doc == NULL)
        return NULL;
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_array(&w);
    write_paths(&w, doc, sl_json_root(doc), path);
    sl_json_end_array(&w);
    return g_string_free(out, FALSE);
}

typedef struct {
    SlSecretGet get;
    gpointer data;
} Fill;

static gboolean
visit_fill(SlJsonWriter *w, const char *id, gpointer data, GError **error)
{
    const Fill *fill = data;
    g_autofree char *plain = fill->get(id, fill->data, error);
    if (plain == NULL)
        return FALSE;
    sl_json_string(w, plain);
    return TRUE;
}

char *
sl_secret_fill(const char *config, SlSecretGet get, gpointer data, GError **error)
{
    Fill fill = {get, data};
    return rewrite_text(config, visit_fill, &fill, error);
}

/* --- the walk over a configuration along its specification ----------------------------------- */

/* All schemas that may describe one value: a schema and, through references, oneOf, anyOf, allOf,
 * then and else, its branches. Which branch a value belongs to does not matter: a value that any
 * branch calls a secret is kept as one. With more branches than there is room for, everything is.
 */
typedef struct {
    const SlJsonNode *nodes[MAX_SCHEMAS];
    guint n;
    gboolean secret; /* stands within something secret, or nobody can say */
} Schemas;

typedef struct {
    const SlJsonDoc *spec;
    const SlJsonDoc *config;
    const SlJsonDoc *old; /* NULL: there is none */
    SlSecretPut put;
    gpointer data;
    GString *path;
} Split;

static void schemas_add(const SlJsonDoc *spec, Schemas *schemas, const SlJsonNode *schema);

/* "#/definitions/x": what connectors' specifications have; others lead nowhere (the judge too
 * passes them over). */
static const SlJsonNode *
follow(const SlJsonDoc *spec, const SlJsonNode *reference)
{
    g_autofree char *text = sl_json_dup_string(reference);
    g_autofree char *pointer =
        text != NULL && *text == '#' ? g_uri_unescape_string(text + 1, NULL) : NULL;
    g_auto(GStrv) parts = pointer != NULL ? g_strsplit(pointer, "/", -1) : NULL;
    const SlJsonNode *node = parts != NULL ? sl_json_root(spec) : NULL;
    for (guint i = 1; node != NULL && parts[0] != NULL && parts[i] != NULL; i++) {
        g_autoptr(GString) part = g_string_new(parts[i]);
        g_string_replace(part, "~1", "/", 0);
        g_string_replace(part, "~0", "~", 0);
        node = node->type == SL_JSON_ARRAY
                   ? sl_json_at(spec, node, (guint)g_ascii_strtoull(part->str, NULL, 10))
                   : sl_json_get(spec, node, part->str);
    }
    return node;
}

/* The values of a list, or of an object's members. */
static void
schemas_add_all(const SlJsonDoc *spec, Schemas *schemas, const SlJsonNode *list)
{
    if (list == NULL || (list->type != SL_JSON_ARRAY && list->type != SL_JSON_OBJECT))
        return;
    SL_JSON_FOREACH (spec, list, one)
        schemas_add(spec, schemas, list->type == SL_JSON_OBJECT ? one + 1 : one);
}

static void
schemas_add(const SlJsonDoc *spec, Schemas *schemas, const SlJsonNode *schema)
{
    static const char *const lists[] = {"oneOf", "anyOf", "allOf", "dependencies"};
    static const char *const ones[] = {"if", "then", "else"};
    if (schema == NULL || schema->type != SL_JSON_OBJECT)
        return;
    for (guint i = 0; i < schemas->n; i++)
        if (schemas->nodes[i] == schema)
            return; /* a reference came round */
    if (schemas->n >= MAX_SCHEMAS) {
        schemas->secret = TRUE;
        return;
    }
    schemas->nodes[schemas->n++] = schema;
    const SlJsonNode *reference = sl_json_get(spec, schema, "$ref");
    if (reference != NULL)
        schemas_add(spec, schemas, follow(spec, reference));
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
        schemas_add_all(spec, schemas, sl_json_get(spec, schema, lists[i]));
    for (gsize i = 0; i < G_N_ELEMENTS(ones); i++)
        schemas_add(spec, schemas, sl_json_get(spec, schema, ones[i]));
}

static gboolean
says_secret(const Split *split, const Schemas *schemas)
{
    for (guint i = 0; i < schemas->n; i++) {
        const SlJsonNode *flag = sl_json_get(split->spec, schemas->nodes[i], "airbyte_secret");
        if (flag != NULL && flag->type == SL_JSON_TRUE)
            return TRUE;
    }
    return schemas->secret;
}

/* Whether a name fits an expression is not asked: rather one secret more. */
static Schemas
schemas_of_member(const Split *split, const Schemas *outer, const char *name)
{
    Schemas inner = {.secret = says_secret(split, outer)};
    for (guint i = 0; i < outer->n; i++) {
        const SlJsonNode *schema = outer->nodes[i];
        schemas_add(split->spec, &inner,
                    sl_json_get_path(split->spec, schema, "properties", name, NULL));
        schemas_add_all(split->spec, &inner, sl_json_get(split->spec, schema, "patternProperties"));
        if (sl_json_get_path(split->spec, schema, "properties", name, NULL) == NULL)
            schemas_add(split->spec, &inner,
                        sl_json_get(split->spec, schema, "additionalProperties"));
    }
    return inner;
}

static Schemas
schemas_of_items(const Split *split, const Schemas *outer)
{
    Schemas inner = {.secret = says_secret(split, outer)};
    for (guint i = 0; i < outer->n; i++) {
        const SlJsonNode *items = sl_json_get(split->spec, outer->nodes[i], "items");
        if (items != NULL && items->type == SL_JSON_ARRAY)
            schemas_add_all(split->spec, &inner, items);
        else
            schemas_add(split->spec, &inner, items);
        schemas_add(split->spec, &inner,
                    sl_json_get(split->spec, outer->nodes[i], "additionalItems"));
    }
    return inner;
}

static gboolean
same_text(const SlJsonNode *a, const SlJsonNode *b)
{
    if (a->type != SL_JSON_STRING || b->type != SL_JSON_STRING)
        return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
    g_autofree char *text = sl_json_dup_string(a);
    return text != NULL && sl_json_string_is(b, text);
}

/* Another branch of a oneOf: a member that tells branches apart, because it is constant in one, has
 * another value than before. The secrets of the branch that was left are no longer meant, even
 * where the new one has a member of the same name. */
static gboolean
branch_changed(const Split *split, const SlJsonNode *node, const SlJsonNode *old,
               const Schemas *schemas)
{
    for (guint i = 0; old != NULL && i < schemas->n; i++) {
        const SlJsonNode *properties = sl_json_get(split->spec, schemas->nodes[i], "properties");
        if (properties == NULL || properties->type != SL_JSON_OBJECT)
            continue;
        SL_JSON_FOREACH (split->spec, properties, key) {
            const SlJsonNode *only = sl_json_get(split->spec, key + 1, "enum");
            g_autofree char *name = sl_json_dup_string(key);
            if (name == NULL || (sl_json_get(split->spec, key + 1, "const") == NULL &&
                                 (only == NULL || only->count != 1)))
                continue;
            const SlJsonNode *now = sl_json_get(split->config, node, name);
            const SlJsonNode *before = sl_json_get(split->old, old, name);
            if (now != NULL && before != NULL && !same_text(now, before))
                return TRUE;
        }
    }
    return FALSE;
}

/* A secret that is not a string (a number, say) is sealed as its JSON text; nobody writes such
 * specifications, but a password must not leak because of its type. */
static gboolean
split_secret(const Split *split, SlJsonWriter *w, const SlJsonNode *node, const SlJsonNode *old,
             GError **error)
{
    if (sl_json_string_is(node, SL_MASK)) {
        if (old == NULL || !is_reference(split->old, old))
            return sl_error_set(error, SL_ERROR_INVALID,
                                "%s: the mask stands for a stored secret, but there is none here; "
                                "enter it again",
                                split->path->str);
        sl_json_node(w, old);
        return TRUE;
    }
    g_autofree char *plain =
        node->type == SL_JSON_STRING ? sl_json_dup_string(node) : sl_json_dup_span(node);
    if (plain == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "%s: a secret cannot hold a NUL character",
                            split->path->str);
    g_autofree char *id = split->put(plain, split->data, error);
    if (id == NULL)
        return FALSE;
    write_reference(w, id);
    return TRUE;
}

static gboolean split_value(Split *split, SlJsonWriter *w, const SlJsonNode *node,
                            const SlJsonNode *old, const Schemas *schemas, GError **error);

static gboolean
split_object(Split *split, SlJsonWriter *w, const SlJsonNode *node, const SlJsonNode *old,
             const Schemas *schemas, GError **error)
{
    gboolean left = branch_changed(split, node, old, schemas);
    old = left ? NULL : old;
    sl_json_begin_object(w);
    SL_JSON_FOREACH (split->config, node, key) {
        g_autofree char *name = sl_json_dup_string(key);
        gsize length = split->path->len;
        if (name == NULL)
            return sl_error_set(error, SL_ERROR_INVALID, "a member's name cannot hold U+0000");
        if (left && is_reference(split->config, key + 1))
            continue; /* merged into the new branch from the old one */
        Schemas inner = schemas_of_member(split, schemas, name);
        g_string_append_printf(split->path, "%s%s", length > 0 ? "." : "", name);
        sl_json_key(w, name);
        if (!split_value(split, w, key + 1, old != NULL ? sl_json_get(split->old, old, name) : NULL,
                         &inner, error))
            return FALSE;
        g_string_truncate(split->path, length);
    }
    sl_json_end_object(w);
    return TRUE;
}

static gboolean
split_array(Split *split, SlJsonWriter *w, const SlJsonNode *node, const SlJsonNode *old,
            const Schemas *schemas, GError **error)
{
    Schemas inner = schemas_of_items(split, schemas);
    guint i = 0;
    sl_json_begin_array(w);
    SL_JSON_FOREACH (split->config, node, child) {
        gsize length = split->path->len;
        g_string_append_printf(split->path, "[%u]", i);
        const SlJsonNode *old_child =
            old != NULL && old->type == SL_JSON_ARRAY ? sl_json_at(split->old, old, i) : NULL;
        if (!split_value(split, w, child, old_child, &inner, error))
            return FALSE;
        g_string_truncate(split->path, length);
        i++;
    }
    sl_json_end_array(w);
    return TRUE;
}

static gboolean
split_value(Split *split, SlJsonWriter *w, const SlJsonNode *node, const SlJsonNode *old,
            const Schemas *schemas, GError **error)
{
    gboolean scalar = node->type != SL_JSON_OBJECT && node->type != SL_JSON_ARRAY;
    if (scalar && node->type != SL_JSON_NULL && says_secret(split, schemas))
        return split_secret(split, w, node, old, error);
    if (is_reference(split->config, node) || scalar) {
        sl_json_node(w, node);
        return TRUE;
    }
    if (node->type == SL_JSON_ARRAY)
        return split_array(split, w, node, old, schemas, error);
    return split_object(split, w, node, old, schemas, error);
}

char *
sl_secret_split(const char *config, const char *spec, const char *old_config, SlSecretPut put,
                gpointer data, GError **error)
{
    static const SlJsonLimits limits = {.max_depth = 60}; /* the writer's */
    g_autoptr(SlJsonDoc) config_doc = sl_json_read(config, strlen(config), &limits, error);
    g_autoptr(SlJsonDoc) spec_doc =
        config_doc != NULL ? sl_json_read(spec, strlen(spec), NULL, error) : NULL;
    g_autoptr(SlJsonDoc) old_doc = NULL;
    g_autoptr(GString) out = g_string_new(NULL), path = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    Schemas schemas = {0};
    if (spec_doc == NULL)
        return NULL;
    if (old_config != NULL &&
        (old_doc = sl_json_read(old_config, strlen(old_config), NULL, error)) == NULL)
        return NULL;
    Split split = {spec_doc, config_doc, old_doc, put, data, path};
    schemas_add(spec_doc, &schemas, sl_json_root(spec_doc));
    if (!split_value(&split, &w, sl_json_root(config_doc),
                     old_doc != NULL ? sl_json_root(old_doc) : NULL, &schemas, error))
        return NULL;
    return g_string_free(g_steal_pointer(&out), FALSE);
}

char *
sl_secret_connection_spec(const char *connector_spec, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(connector_spec, strlen(connector_spec), NULL, error);
    if (doc == NULL)
        return NULL;
    const SlJsonNode *inner = sl_json_get(doc, sl_json_root(doc), "connectionSpecification");
    return inner != NULL ? sl_json_dup_span(inner) : g_strdup("{}");
}
