/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-catalog-walk.h"

#include <string.h>

const SlJsonNode *
sl_catalog_walk_streams(const SlJsonDoc *doc)
{
    return sl_json_get(doc, sl_json_root(doc), "streams");
}

const SlJsonNode *
sl_catalog_walk_stream(const SlJsonDoc *doc, const SlJsonNode *entry)
{
    const SlJsonNode *inner = sl_json_get(doc, entry, "stream");
    return inner != NULL ? inner : entry;
}

char *
sl_catalog_walk_dup(const SlJsonDoc *doc, const SlJsonNode *node, const char *name)
{
    const SlJsonNode *member = sl_json_get(doc, node, name);
    return member != NULL ? sl_json_dup_string(member) : NULL;
}

const SlJsonNode *
sl_catalog_walk_find(const SlJsonDoc *doc, const SlJsonDoc *wanted_doc, const SlJsonNode *wanted)
{
    g_autofree char *name = sl_catalog_walk_dup(wanted_doc, wanted, "name");
    g_autofree char *ns = sl_catalog_walk_dup(wanted_doc, wanted, "namespace");
    if (doc == NULL || name == NULL)
        return NULL;
    SL_JSON_FOREACH (doc, sl_catalog_walk_streams(doc), entry) {
        const SlJsonNode *stream = sl_catalog_walk_stream(doc, entry);
        const SlJsonNode *other = sl_json_get(doc, stream, "name");
        if (other == NULL || !sl_json_string_is(other, name))
            continue;
        g_autofree char *other_ns = sl_catalog_walk_dup(doc, stream, "namespace");
        if (g_strcmp0(ns != NULL ? ns : "", other_ns != NULL ? other_ns : "") == 0)
            return entry;
    }
    return NULL;
}

static gboolean
equal_items(const SlJsonDoc *a_doc, const SlJsonNode *a, const SlJsonDoc *b_doc,
            const SlJsonNode *b)
{
    const SlJsonNode *other = sl_json_first(b_doc, b);
    SL_JSON_FOREACH (a_doc, a, item) {
        if (!sl_catalog_walk_equal(a_doc, item, b_doc, other))
            return FALSE;
        other = sl_json_next(b_doc, b, other);
    }
    return TRUE;
}

static gboolean
equal_members(const SlJsonDoc *a_doc, const SlJsonNode *a, const SlJsonDoc *b_doc,
              const SlJsonNode *b)
{
    SL_JSON_FOREACH (a_doc, a, key) {
        g_autofree char *name = sl_json_dup_string(key);
        const SlJsonNode *other = name != NULL ? sl_json_get(b_doc, b, name) : NULL;
        if (other == NULL || !sl_catalog_walk_equal(a_doc, key + 1, b_doc, other))
            return FALSE;
    }
    return TRUE;
}

gboolean
sl_catalog_walk_equal(const SlJsonDoc *a_doc, const SlJsonNode *a, const SlJsonDoc *b_doc,
                      const SlJsonNode *b)
{
    if (a == NULL || b == NULL || a->type != b->type || a->count != b->count)
        return a == NULL && b == NULL;
    if (a->type == SL_JSON_ARRAY)
        return equal_items(a_doc, a, b_doc, b);
    if (a->type == SL_JSON_OBJECT)
        return equal_members(a_doc, a, b_doc, b);
    if (a->type == SL_JSON_STRING) {
        g_autoptr(GString) a_text = g_string_new(NULL), b_text = g_string_new(NULL);
        sl_json_append_string(a, a_text);
        sl_json_append_string(b, b_text);
        return g_string_equal(a_text, b_text);
    }
    return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

/* --- hash ------------------------------------------------------------------------------------ */

static int
compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
append_sorted(GString *out, GPtrArray *texts, char open, char close)
{
    g_ptr_array_sort(texts, compare_texts);
    g_string_append_c(out, open);
    for (guint i = 0; i < texts->len; i++)
        g_string_append_printf(out, "%s%s", i > 0 ? "," : "", (const char *)texts->pdata[i]);
    g_string_append_c(out, close);
}

/* Bytes with their length in front: no two different texts are written alike. */
static void
append_bytes(GString *out, char kind, const char *bytes, gsize n)
{
    g_string_append_printf(out, "%c%" G_GSIZE_FORMAT ":", kind, n);
    for (gsize i = 0; i < n; i++) /* as digits: lists are put in order as texts */
        g_string_append_printf(out, "%02x", (guchar)bytes[i]);
}

static void
append_string(GString *out, const SlJsonNode *node)
{
    g_autoptr(GString) text = g_string_new(NULL);
    sl_json_append_string(node, text);
    append_bytes(out, 's', text->str, text->len);
}

static void
append_value(GString *out, const SlJsonDoc *doc, const SlJsonNode *node, gboolean any_order)
{
    if (node->type == SL_JSON_STRING) {
        append_string(out, node);
        return;
    }
    if (node->type != SL_JSON_ARRAY && node->type != SL_JSON_OBJECT) {
        append_bytes(out, 'v', node->p, node->n);
        return;
    }
    g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
    SL_JSON_FOREACH (doc, node, child) {
        GString *part = g_string_new(NULL);
        if (node->type == SL_JSON_OBJECT)
            append_string(part, child);
        append_value(part, doc, node->type == SL_JSON_OBJECT ? child + 1 : child, FALSE);
        g_ptr_array_add(parts, g_string_free(part, FALSE));
    }
    if (node->type == SL_JSON_OBJECT || any_order) {
        append_sorted(out, parts, node->type == SL_JSON_OBJECT ? '{' : '(',
                      node->type == SL_JSON_OBJECT ? '}' : ')');
        return;
    }
    g_string_append_c(out, '[');
    for (guint i = 0; i < parts->len; i++)
        g_string_append_printf(out, "%s%s", i > 0 ? "," : "", (const char *)parts->pdata[i]);
    g_string_append_c(out, ']');
}

char *
sl_catalog_hash(const char *discovered, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(discovered, strlen(discovered), NULL, error);
    g_autoptr(GString) out = g_string_new(NULL);
    if (doc == NULL)
        return NULL;
    const SlJsonNode *streams = sl_catalog_walk_streams(doc);
    append_value(out, doc, streams != NULL ? streams : sl_json_root(doc), TRUE);
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, out->str, (gssize)out->len);
}
