/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-catalog-diff.h"

#include <string.h>

#include "sl-catalog-walk.h"
#include "sl-json-write.h"

#define MAX_DEPTH 32

/* The three catalogs. `base` is `known`, or the configured one. */
typedef struct {
    const SlJsonDoc *configured, *base, *fresh;
} Docs;

static void
grown_free(gpointer data)
{
    SlCatalogGrown *grown = data;
    g_free(grown->ns);
    g_free(grown->name);
    g_free(grown);
}

void
sl_catalog_diff_clear(SlCatalogDiff *diff)
{
    g_clear_pointer(&diff->text, g_free);
    g_clear_pointer(&diff->grown, g_ptr_array_unref);
    g_clear_pointer(&diff->texts, g_ptr_array_unref);
}

static const char *
past_tense(const char *transform)
{
    return g_str_has_prefix(transform, "add")      ? "was added"
           : g_str_has_prefix(transform, "remove") ? "was removed"
                                                   : "has changed";
}

static char *
title_of(const SlJsonDoc *doc, const SlJsonNode *stream)
{
    g_autofree char *name = sl_catalog_walk_dup(doc, stream, "name");
    g_autofree char *ns = sl_catalog_walk_dup(doc, stream, "namespace");
    gboolean has_ns = ns != NULL && *ns != '\0';
    return g_strdup_printf("stream '%s%s%s'", has_ns ? ns : "", has_ns ? "." : "", name);
}

static void
add_text(GPtrArray *texts, char *text)
{
    if (texts->len < SL_CATALOG_DIFF_MAX_TEXTS)
        g_ptr_array_add(texts, text);
    else
        g_free(text);
}

/* --- fields ------------------------------------------------------------------------------------
 * A field is a path: names of properties, and "items" for what an array holds. */

typedef struct {
    const Docs *docs;
    const SlJsonNode *entry; /* of the configured catalog: modes, cursor_field, primary_key */
    GPtrArray *path;
    GPtrArray *texts;
    const char *title; /* of the stream */
    SlJsonWriter *w;
    guint n;      /* transforms written */
    guint n_more; /* of these, fields that are new or other */
    gboolean breaking;
} Fields;

static gboolean
path_is(const SlJsonDoc *doc, const SlJsonNode *list, const GPtrArray *path)
{
    guint i = 0;
    SL_JSON_FOREACH (doc, list, part)
        if (i >= path->len || !sl_json_string_is(part, path->pdata[i++]))
            return FALSE;
    return list != NULL && i == path->len;
}

static gboolean
has_word(const SlJsonDoc *doc, const SlJsonNode *entry, const char *member,
         const char *const *words)
{
    g_autofree char *word = sl_catalog_walk_dup(doc, entry, member);
    return word != NULL && g_strv_contains(words, word);
}

/* Are rows told apart by the key? */
static gboolean
uses_key(const SlJsonDoc *doc, const SlJsonNode *entry)
{
    static const char *const modes[] = {"append_dedup", "overwrite_dedup", "update", "soft_delete",
                                        NULL};
    return has_word(doc, entry, "destination_sync_mode", modes);
}

static gboolean
is_incremental(const SlJsonDoc *doc, const SlJsonNode *entry)
{
    static const char *const modes[] = {"incremental", NULL};
    return has_word(doc, entry, "sync_mode", modes);
}

/* Does the sync hang on this field? */
static gboolean
is_needed(const Fields *f)
{
    const SlJsonDoc *doc = f->docs->configured;
    if (is_incremental(doc, f->entry) &&
        path_is(doc, sl_json_get(doc, f->entry, "cursor_field"), f->path))
        return TRUE;
    if (!uses_key(doc, f->entry))
        return FALSE;
    SL_JSON_FOREACH (doc, sl_json_get(doc, f->entry, "primary_key"), key)
        if (path_is(doc, key, f->path))
            return TRUE;
    return FALSE;
}

static void
begin_field(Fields *f, const char *type, gboolean breaking)
{
    sl_json_begin_object(f->w);
    sl_json_member_string(f->w, "transformType", type);
    sl_json_key(f->w, "fieldName");
    sl_json_begin_array(f->w);
    for (guint i = 0; i < f->path->len; i++)
        sl_json_string(f->w, f->path->pdata[i]);
    sl_json_end_array(f->w);
    sl_json_member_bool(f->w, "breaking", breaking);
    f->breaking = f->breaking || breaking;
    f->n++;
    g_ptr_array_add(f->path, NULL);
    g_autofree char *joined = g_strjoinv(".", (char **)f->path->pdata);
    g_ptr_array_set_size(f->path, (int)f->path->len - 1);
    add_text(f->texts, g_strdup_printf("%s: field '%s' %s", f->title, joined, past_tense(type)));
}

static void
write_field(Fields *f, const SlJsonNode *old, const SlJsonNode *new)
{
    gboolean gone = new == NULL;
    const char *type = old == NULL ? "add_field" : gone ? "remove_field" : "update_field_schema";
    begin_field(f, type, gone && is_needed(f));
    f->n_more += !gone;
    sl_json_key(f->w, old == NULL ? "addField" : gone ? "removeField" : "updateFieldSchema");
    sl_json_begin_object(f->w);
    if (old != NULL) {
        sl_json_key(f->w, gone ? "schema" : "oldSchema");
        sl_json_node(f->w, old);
    }
    if (new != NULL) {
        sl_json_key(f->w, old == NULL ? "schema" : "newSchema");
        sl_json_node(f->w, new);
    }
    sl_json_end_object(f->w);
    sl_json_end_object(f->w);
}

/* A choice between schemas is one field: what is inside has no place of its own. */
static gboolean
is_choice(const SlJsonDoc *doc, const SlJsonNode *schema)
{
    static const char *const words[] = {"oneOf", "anyOf", "allOf"};
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (sl_json_get(doc, schema, words[i]) != NULL)
            return TRUE;
    return FALSE;
}

/* The object whose members are the fields of `schema`; NULL: it has none. */
static const SlJsonNode *
properties_of(const SlJsonDoc *doc, const SlJsonNode *schema)
{
    const SlJsonNode *properties = sl_json_get(doc, schema, "properties");
    return properties != NULL && properties->type == SL_JSON_OBJECT && !is_choice(doc, schema)
               ? properties
               : NULL;
}

static const SlJsonNode *
items_of(const SlJsonDoc *doc, const SlJsonNode *schema)
{
    const SlJsonNode *items = sl_json_get(doc, schema, "items");
    return items != NULL && items->type == SL_JSON_OBJECT && !is_choice(doc, schema) ? items : NULL;
}

/* What the field is itself, without the fields in it. */
static gboolean
is_same_itself(const Docs *docs, const SlJsonNode *old, const SlJsonNode *new)
{
    const SlJsonDoc *a = docs->base, *b = docs->fresh;
    gboolean fields = properties_of(a, old) != NULL && properties_of(b, new) != NULL;
    gboolean items = items_of(a, old) != NULL && items_of(b, new) != NULL;
    if (old->type != SL_JSON_OBJECT || new->type != SL_JSON_OBJECT || old->count != new->count)
        return sl_catalog_walk_equal(a, old, b, new);
    SL_JSON_FOREACH (a, old, key) {
        g_autofree char *name = sl_json_dup_string(key);
        const SlJsonNode *other = name != NULL ? sl_json_get(b, new, name) : NULL;
        if (other == NULL)
            return FALSE;
        if ((fields && strcmp(name, "properties") == 0) || (items && strcmp(name, "items") == 0))
            continue;
        if (!sl_catalog_walk_equal(a, key + 1, b, other))
            return FALSE;
    }
    return TRUE;
}

static void compare_inside(Fields *f, const SlJsonNode *old, const SlJsonNode *new);

/* One of the two may be NULL. */
static void
compare_field(Fields *f, char *name, const SlJsonNode *old, const SlJsonNode *new)
{
    g_ptr_array_add(f->path, name);
    if (old == NULL || new == NULL || !is_same_itself(f->docs, old, new))
        write_field(f, old, new);
    if (f->path->len < MAX_DEPTH)
        compare_inside(f, old, new);
    g_ptr_array_set_size(f->path, (int)f->path->len - 1);
}

static void
compare_inside(Fields *f, const SlJsonNode *old, const SlJsonNode *new)
{
    const SlJsonDoc *a = f->docs->base, *b = f->docs->fresh;
    const SlJsonNode *before = properties_of(a, old), *after = properties_of(b, new);
    const SlJsonNode *old_items = items_of(a, old), *new_items = items_of(b, new);
    SL_JSON_FOREACH (a, before, key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (name != NULL)
            compare_field(f, name, key + 1, sl_json_get(b, after, name));
    }
    SL_JSON_FOREACH (b, after, key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (name != NULL && sl_json_get(a, before, name) == NULL)
            compare_field(f, name, NULL, key + 1);
    }
    if (old_items != NULL || new_items != NULL) {
        g_autofree char *name = g_strdup("items");
        compare_field(f, name, old_items, new_items);
    }
}

/* --- streams ---------------------------------------------------------------------------------- */

typedef struct {
    Docs docs;
    SlJsonWriter w;
    SlCatalogDiff *ret;
} Diff;

static void
begin_stream(Diff *diff, const char *type, const SlJsonDoc *doc, const SlJsonNode *stream,
             gboolean configured)
{
    g_autofree char *name = sl_catalog_walk_dup(doc, stream, "name");
    g_autofree char *ns = sl_catalog_walk_dup(doc, stream, "namespace");
    sl_json_begin_object(&diff->w);
    sl_json_member_string(&diff->w, "transformType", type);
    sl_json_key(&diff->w, "streamDescriptor");
    sl_json_begin_object(&diff->w);
    sl_json_member_string(&diff->w, "name", name);
    sl_json_member_string(&diff->w, "namespace", ns);
    sl_json_end_object(&diff->w);
    diff->ret->n++;
    diff->ret->n_configured += configured;
    if (strcmp(type, "update_stream") != 0) {
        g_autofree char *title = title_of(doc, stream);
        add_text(diff->ret->texts, g_strdup_printf("%s %s", title, past_tense(type)));
    }
}

static gboolean
has_key(const SlJsonNode *key)
{
    return key != NULL && key->type == SL_JSON_ARRAY && key->count > 0;
}

/* The same paths, in whatever order. */
static gboolean
is_same_key(const SlJsonDoc *a_doc, const SlJsonNode *a, const SlJsonDoc *b_doc,
            const SlJsonNode *b)
{
    if (has_key(a) != has_key(b) || (has_key(a) && a->count != b->count))
        return FALSE;
    if (!has_key(a))
        return TRUE;
    SL_JSON_FOREACH (a_doc, a, path) {
        gboolean found = FALSE;
        SL_JSON_FOREACH (b_doc, b, other)
            found = found || sl_catalog_walk_equal(a_doc, path, b_doc, other);
        if (!found)
            return FALSE;
    }
    return TRUE;
}

/* The source's own primary key. Another one breaks a sync that tells rows apart by it; one that the
 * source no longer names stays with the connection. */
static gboolean
write_attributes(SlJsonWriter *w, const Docs *docs, const SlJsonNode *entry, const SlJsonNode *old,
                 const SlJsonNode *new, gboolean *breaking)
{
    static const char name[] = "source_defined_primary_key";
    const SlJsonNode *before = sl_json_get(docs->base, old, name);
    const SlJsonNode *after = sl_json_get(docs->fresh, new, name);
    gboolean changed = !is_same_key(docs->base, before, docs->fresh, after);
    sl_json_key(w, "streamAttributeTransforms");
    sl_json_begin_array(w);
    if (changed) {
        gboolean breaks = has_key(before) && has_key(after) && uses_key(docs->configured, entry);
        *breaking = *breaking || breaks;
        sl_json_begin_object(w);
        sl_json_member_string(w, "transformType", "update_primary_key");
        sl_json_member_bool(w, "breaking", breaks);
        sl_json_key(w, "updatePrimaryKey");
        sl_json_begin_object(w);
        if (has_key(before)) {
            sl_json_key(w, "oldPrimaryKey");
            sl_json_node(w, before);
        }
        if (has_key(after)) {
            sl_json_key(w, "newPrimaryKey");
            sl_json_node(w, after);
        }
        sl_json_end_object(w);
        sl_json_end_object(w);
    }
    sl_json_end_array(w);
    return changed;
}

static void
add_grown(SlCatalogDiff *ret, const SlJsonDoc *doc, const SlJsonNode *stream)
{
    SlCatalogGrown *grown = g_new0(SlCatalogGrown, 1);
    grown->name = sl_catalog_walk_dup(doc, stream, "name");
    grown->ns = sl_catalog_walk_dup(doc, stream, "namespace");
    if (grown->ns == NULL)
        grown->ns = g_strdup("");
    g_ptr_array_add(ret->grown, grown);
}

/* Written apart first: only then it is known whether there is anything to say. */
static void
compare_stream(Diff *diff, const SlJsonNode *entry, const SlJsonNode *old, const SlJsonNode *new)
{
    const Docs *docs = &diff->docs;
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GPtrArray) path = g_ptr_array_new();
    SlJsonWriter inner = SL_JSON_WRITER_INIT(out);
    g_autofree char *title = title_of(docs->fresh, new);
    Fields fields = {docs, entry, path, diff->ret->texts, title, &inner, 0, 0, FALSE};
    sl_json_begin_object(&inner);
    sl_json_key(&inner, "fieldTransforms");
    sl_json_begin_array(&inner);
    compare_inside(&fields, sl_json_get(docs->base, old, "json_schema"),
                   sl_json_get(docs->fresh, new, "json_schema"));
    sl_json_end_array(&inner);
    gboolean breaking = fields.breaking;
    gboolean changed = write_attributes(&inner, docs, entry, old, new, &breaking);
    sl_json_end_object(&inner);
    if (changed)
        add_text(diff->ret->texts, g_strdup_printf("%s: the primary key has changed", title));
    if (fields.n == 0 && !changed)
        return;
    begin_stream(diff, "update_stream", docs->fresh, new, TRUE);
    sl_json_member_raw(&diff->w, "updateStream", out->str);
    sl_json_end_object(&diff->w);
    diff->ret->breaking = diff->ret->breaking || breaking;
    const SlJsonNode *own = sl_catalog_walk_stream(docs->configured, entry);
    if (fields.n_more > 0 && is_incremental(docs->configured, entry) &&
        !sl_catalog_walk_equal(docs->configured, own, docs->fresh, new))
        add_grown(diff->ret, docs->fresh, new);
}

static void
compare_streams(Diff *diff)
{
    const Docs *docs = &diff->docs;
    SL_JSON_FOREACH (docs->base, sl_catalog_walk_streams(docs->base), item) {
        const SlJsonNode *old = sl_catalog_walk_stream(docs->base, item);
        const SlJsonNode *new = sl_catalog_walk_find(docs->fresh, docs->base, old);
        const SlJsonNode *entry = sl_catalog_walk_find(docs->configured, docs->base, old);
        if (new != NULL && entry != NULL) {
            compare_stream(diff, entry, old, new);
        } else if (new == NULL) {
            begin_stream(diff, "remove_stream", docs->base, old, entry != NULL);
            diff->ret->n_lost += entry != NULL;
            sl_json_end_object(&diff->w);
        }
    }
    SL_JSON_FOREACH (docs->fresh, sl_catalog_walk_streams(docs->fresh), new) {
        if (sl_catalog_walk_find(docs->base, docs->fresh, new) != NULL)
            continue;
        begin_stream(diff, "add_stream", docs->fresh, new, FALSE);
        sl_json_end_object(&diff->w);
    }
}

gboolean
sl_catalog_diff_make(const char *configured, const char *known, const char *discovered,
                     SlCatalogDiff *ret, GError **error)
{
    g_autoptr(SlJsonDoc) own = sl_json_read(configured, strlen(configured), NULL, error);
    g_autoptr(SlJsonDoc) fresh =
        own != NULL ? sl_json_read(discovered, strlen(discovered), NULL, error) : NULL;
    g_autoptr(SlJsonDoc) base = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    if (fresh != NULL && known != NULL)
        base = sl_json_read(known, strlen(known), NULL, error);
    if (fresh == NULL || (known != NULL && base == NULL))
        return FALSE;
    Diff diff = {{own, base != NULL ? base : own, fresh}, SL_JSON_WRITER_INIT(out), ret};
    *ret = (SlCatalogDiff){.grown = g_ptr_array_new_with_free_func(grown_free),
                           .texts = g_ptr_array_new_with_free_func(g_free)};
    sl_json_begin_object(&diff.w);
    sl_json_key(&diff.w, "transforms");
    sl_json_begin_array(&diff.w);
    compare_streams(&diff);
    sl_json_end_array(&diff.w);
    sl_json_end_object(&diff.w);
    ret->text = g_string_free(g_steal_pointer(&out), FALSE);
    return TRUE;
}
