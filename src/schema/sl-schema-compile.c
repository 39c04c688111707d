/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-schema-private.h"

#include <string.h>

#include "sl-error.h"

/* Where a schema without $id is said to stand, so that relative references have a start. */
#define NOWHERE "schema:///"

#define MAX_SCHEMAS 100000

typedef struct {
    SlSchema *schema;
    const SlSchemaSource *source;
    GHashTable *ids;   /* absolute URI, perhaps with #name → Schema (borrowed) */
    GQueue references; /* Schema: whose target is still to be found */
} Compiler;

static void
rule_clear(gpointer data)
{
    Rule *rule = data;
    sl_decimal_clear(&rule->number);
    sl_schema_pattern_free(rule->pattern);
    g_free(rule->schemas);
    g_clear_pointer(&rule->by_name, g_hash_table_unref);
    g_clear_pointer(&rule->patterns, g_ptr_array_unref);
    g_strfreev(rule->names);
}

static void
schema_free(gpointer data)
{
    Schema *schema = data;
    g_free(schema->base);
    g_free(schema->reference);
    g_clear_pointer(&schema->rules, g_array_unref);
    g_free(schema);
}

void
sl_schema_free(SlSchema *schema)
{
    if (schema == NULL)
        return;
    g_hash_table_unref(schema->nodes);
    g_ptr_array_unref(schema->docs);
    g_free(schema);
}

gboolean
sl_schema_lenient(gpointer compiler)
{
    const Compiler *c = compiler;
    return c->source != NULL && c->source->lenient;
}

gboolean
sl_schema_refuse(gpointer compiler, const Schema *schema, const Rule *rule, GError **error,
                 const char *why)
{
    const char *text = sl_json_root(schema->doc)->p;
    return sl_error_set(error, SL_ERROR_INVALID, "schema: '%s' at byte %" G_GSIZE_FORMAT ": %s",
                        rule->word->name, (gsize)(rule->argument->p - text), why);
}

/* --- addresses -------------------------------------------------------------------------------- */

/* Absolute, without an empty fragment; NULL: it is no URI reference. */
static char *
resolve(const char *base, const char *reference)
{
    const char *hash = strchr(reference, '#');
    g_autofree char *address =
        hash != NULL ? g_strndup(reference, (gsize)(hash - reference)) : g_strdup(reference);
    g_autofree char *absolute =
        *address == '\0'
            ? g_strdup(base)
            : g_uri_resolve_relative(base, address, G_URI_FLAGS_PARSE_RELAXED | G_URI_FLAGS_ENCODED,
                                     NULL);
    if (absolute == NULL || hash == NULL || hash[1] == '\0')
        return g_steal_pointer(&absolute);
    return g_strconcat(absolute, hash, NULL);
}

static char *
member_text(const Schema *schema, const char *name)
{
    const SlJsonNode *node = sl_json_get(schema->doc, schema->node, name);
    return node != NULL ? sl_json_dup_string(node) : NULL;
}

static void
register_id(Compiler *c, Schema *schema)
{
    g_autofree char *id = member_text(schema, "$id");
    g_autofree char *absolute = id != NULL ? resolve(schema->base, id) : NULL;
    if (absolute == NULL)
        return;
    if (!g_hash_table_contains(c->ids, absolute))
        g_hash_table_insert(c->ids, g_strdup(absolute), schema);
    if (*id == '#')
        return; /* a name, not another base */
    char *hash = strchr(absolute, '#');
    if (hash != NULL)
        *hash = '\0';
    g_free(schema->base);
    schema->base = g_steal_pointer(&absolute);
}

/* --- one schema ------------------------------------------------------------------------------- */

static gboolean
compile_rules(Compiler *c, Schema *schema, GError **error)
{
    for (const Word *word = sl_schema_words; word->name != NULL; word++) {
        Rule rule = {.word = word, .argument = sl_json_get(schema->doc, schema->node, word->name)};
        g_autoptr(GError) local = NULL;
        if (rule.argument == NULL)
            continue;
        if (word->compile(c, schema, &rule, &local)) {
            if (word->check != NULL)
                g_array_append_val(schema->rules, rule);
            else
                rule_clear(&rule);
            continue;
        }
        rule_clear(&rule);
        if (!sl_schema_lenient(c) || !g_error_matches(local, SL_ERROR, SL_ERROR_INVALID)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return FALSE;
        }
    }
    return TRUE;
}

static Schema *
schema_add(Compiler *c, const SlJsonDoc *doc, const SlJsonNode *node, const char *base,
           GError **error)
{
    Schema *schema = g_hash_table_lookup(c->schema->nodes, node);
    if (schema != NULL)
        return schema;
    if (g_hash_table_size(c->schema->nodes) >= MAX_SCHEMAS) {
        sl_error_set(error, SL_ERROR_TOO_LARGE, "schema: more than %d parts", MAX_SCHEMAS);
        return NULL;
    }
    schema = g_new0(Schema, 1);
    schema->doc = doc;
    schema->node = node;
    schema->base = g_strdup(base);
    schema->rules = g_array_new(FALSE, FALSE, sizeof(Rule));
    g_array_set_clear_func(schema->rules, rule_clear);
    g_hash_table_insert(c->schema->nodes, (gpointer)node, schema);

    if (node->type != SL_JSON_OBJECT) {
        schema->always = TRUE;
        schema->answer = node->type != SL_JSON_FALSE;
        if (node->type == SL_JSON_TRUE || node->type == SL_JSON_FALSE || sl_schema_lenient(c))
            return schema;
        sl_error_set(error, SL_ERROR_INVALID,
                     "schema: expected an object or a boolean at byte %" G_GSIZE_FORMAT,
                     (gsize)(node->p - sl_json_root(doc)->p));
        return NULL;
    }
    g_autofree char *reference = member_text(schema, "$ref");
    if (reference != NULL) {
        /* Whatever stands beside $ref is nothing in draft-07, but others may refer into it. */
        const Word *definitions = sl_schema_word("definitions");
        Rule rule = {.word = definitions, .argument = sl_json_get(doc, node, "definitions")};
        gboolean ok = rule.argument == NULL || definitions->compile(c, schema, &rule, error);
        rule_clear(&rule);
        if (!ok)
            return NULL;
        schema->reference = resolve(schema->base, reference);
        g_queue_push_tail(&c->references, schema);
        return schema;
    }
    register_id(c, schema);
    return compile_rules(c, schema, error) ? schema : NULL;
}

Schema *
sl_schema_compile_child(gpointer compiler, const Schema *parent, const SlJsonNode *node,
                        GError **error)
{
    return schema_add(compiler, parent->doc, node, parent->base, error);
}

/* --- references ------------------------------------------------------------------------------- */

static Schema *
load_remote(Compiler *c, const char *address, GError **error)
{
    static const SlJsonLimits limits = {.max_depth = SL_SCHEMA_MAX_DEPTH};
    for (gsize i = 0; c->source != NULL && i < c->source->n_remotes; i++) {
        const SlSchemaRemote *remote = &c->source->remotes[i];
        if (strcmp(remote->uri, address) != 0)
            continue;
        SlJsonDoc *doc = sl_json_read_copy(remote->text, strlen(remote->text), &limits, error);
        if (doc == NULL)
            return NULL;
        g_ptr_array_add(c->schema->docs, doc);
        Schema *schema = schema_add(c, doc, sl_json_root(doc), address, error);
        if (schema != NULL && !g_hash_table_contains(c->ids, address))
            g_hash_table_insert(c->ids, g_strdup(address), schema);
        return schema;
    }
    return NULL;
}

/* RFC 6901, with the fragment's percent signs. The base is that of the last schema on the way. */
static Schema *
follow_pointer(Compiler *c, const Schema *from, const char *fragment, GError **error)
{
    g_autofree char *pointer = g_uri_unescape_string(fragment, NULL);
    g_auto(GStrv) parts = pointer != NULL ? g_strsplit(pointer, "/", -1) : NULL;
    const SlJsonNode *node = from->node;
    const char *base = from->base;
    for (guint i = 1; parts != NULL && parts[0] != NULL && parts[i] != NULL && node != NULL; i++) {
        g_autoptr(GString) part = g_string_new(parts[i]);
        g_string_replace(part, "~1", "/", 0);
        g_string_replace(part, "~0", "~", 0);
        guint64 index;
        if (node->type == SL_JSON_ARRAY)
            node = g_ascii_string_to_unsigned(part->str, 10, 0, G_MAXUINT32, &index, NULL)
                       ? sl_json_at(from->doc, node, (guint)index)
                       : NULL;
        else
            node = sl_json_get(from->doc, node, part->str);
        const Schema *known = node != NULL ? g_hash_table_lookup(c->schema->nodes, node) : NULL;
        if (known != NULL)
            base = known->base;
    }
    return node != NULL && parts != NULL ? schema_add(c, from->doc, node, base, error) : NULL;
}

/* NULL without an error: it leads nowhere. */
static Schema *
find_target(Compiler *c, const char *reference, GError **error)
{
    Schema *found = g_hash_table_lookup(c->ids, reference);
    const char *hash = strchr(reference, '#');
    if (found != NULL)
        return found;
    g_autofree char *address =
        hash != NULL ? g_strndup(reference, (gsize)(hash - reference)) : g_strdup(reference);
    Schema *document = g_hash_table_lookup(c->ids, address);
    if (document == NULL)
        document = load_remote(c, address, error);
    if (document == NULL || hash == NULL)
        return document;
    if (hash[1] == '/')
        return follow_pointer(c, document, hash + 1, error);
    return g_hash_table_lookup(c->ids, reference);
}

static gboolean
compile_references(Compiler *c, GError **error)
{
    for (Schema *schema; (schema = g_queue_pop_head(&c->references)) != NULL;) {
        g_autoptr(GError) local = NULL;
        schema->target =
            schema->reference != NULL ? find_target(c, schema->reference, &local) : NULL;
        if (schema->target != NULL)
            continue;
        if (local != NULL &&
            (!sl_schema_lenient(c) || !g_error_matches(local, SL_ERROR, SL_ERROR_INVALID))) {
            g_propagate_error(error, g_steal_pointer(&local));
            return FALSE;
        }
        if (!sl_schema_lenient(c))
            return sl_error_set(error, SL_ERROR_INVALID, "schema: $ref '%s' leads nowhere",
                                schema->reference != NULL ? schema->reference : "");
    }
    return TRUE;
}

SlSchema *
sl_schema_compile(const char *text, gsize len, const SlSchemaSource *source, GError **error)
{
    static const SlJsonLimits limits = {.max_depth = SL_SCHEMA_MAX_DEPTH};
    SlJsonDoc *doc = sl_json_read_copy(text, len, &limits, error);
    if (doc == NULL) {
        g_prefix_error(error, "schema: ");
        return NULL;
    }
    g_autoptr(SlSchema) schema = g_new0(SlSchema, 1);
    schema->docs = g_ptr_array_new_with_free_func((GDestroyNotify)sl_json_doc_free);
    schema->nodes = g_hash_table_new_full(NULL, NULL, NULL, schema_free);
    g_ptr_array_add(schema->docs, doc);

    g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Compiler c = {schema, source, ids, G_QUEUE_INIT};
    schema->root = schema_add(&c, doc, sl_json_root(doc), NOWHERE, error);
    /* A document is also known by where it stands, whatever it calls itself. */
    if (schema->root != NULL && !g_hash_table_contains(ids, NOWHERE))
        g_hash_table_insert(ids, g_strdup(NOWHERE), schema->root);
    gboolean ok = schema->root != NULL && compile_references(&c, error);
    g_queue_clear(&c.references);
    return ok ? g_steal_pointer(&schema) : NULL;
}
