/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-secret.h"

#include <string.h>

#include "sl-error.h"

#define REFERENCE "_secret"
#define MAX_SCHEMAS 64 /* branches that can describe one value */

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

/* All schemas that may describe one value: a schema and, through oneOf, anyOf and allOf, its
 * branches. Which branch a value belongs to does not matter: a value that any branch calls a
 * secret is kept as one. */
typedef struct {
    const SlJsonNode *nodes[MAX_SCHEMAS];
    guint n;
} Schemas;

typedef struct {
    const SlJsonDoc *spec;
    const SlJsonDoc *config;
    const SlJsonDoc *old; /* NULL: there is none */
    SlSecretPut put;
    gpointer data;
    GString *path;
} Split;

static void
schemas_add(const SlJsonDoc *spec, Schemas *schemas, const SlJsonNode *schema)
{
    static const char *const combiners[] = {"oneOf", "anyOf", "allOf"};
    if (schema == NULL || schema->type != SL_JSON_OBJECT || schemas->n >= MAX_SCHEMAS)
        return;
    schemas->nodes[schemas->n++] = schema;
    for (gsize i = 0; i < G_N_ELEMENTS(combiners); i++) {
        const SlJsonNode *branches = sl_json_get(spec, schema, combiners[i]);
        if (branches == NULL || branches->type != SL_JSON_ARRAY)
            continue;
        SL_JSON_FOREACH (spec, branches, branch)
            schemas_add(spec, schemas, branch);
    }
}

static Schemas
schemas_of_member(const Split *split, const Schemas *outer, const char *name)
{
    Schemas inner = {0};
    for (guint i = 0; i < outer->n; i++)
        schemas_add(split->spec, &inner,
                    sl_json_get_path(split->spec, outer->nodes[i], "properties", name, NULL));
    return inner;
}

static Schemas
schemas_of_items(const Split *split, const Schemas *outer)
{
    Schemas inner = {0};
    for (guint i = 0; i < outer->n; i++)
        schemas_add(split->spec, &inner, sl_json_get(split->spec, outer->nodes[i], "items"));
    return inner;
}

static gboolean
says_secret(const Split *split, const Schemas *schemas)
{
    for (guint i = 0; i < schemas->n; i++) {
        const SlJsonNode *flag = sl_json_get(split->spec, schemas->nodes[i], "airbyte_secret");
        if (flag != NULL && flag->type == SL_JSON_TRUE)
            return TRUE;
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
                                "%s: the mask stands for a stored secret, but there is none",
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
    sl_json_begin_object(w);
    SL_JSON_FOREACH (split->config, node, key) {
        g_autofree char *name = sl_json_dup_string(key);
        gsize length = split->path->len;
        if (name == NULL)
            return sl_error_set(error, SL_ERROR_INVALID, "a member's name cannot hold U+0000");
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
