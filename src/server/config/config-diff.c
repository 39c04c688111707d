/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-diff.h"

#include <string.h>

#include "sl-error.h"
#include "sl-json-read.h"
#include "sl-json-write.h"

#define MAX_DEPTH 16

/* --- reading -----------------------------------------------------------------------------------
 */

static const SlJsonNode *
streams_of(const SlJsonDoc *doc)
{
    return sl_json_get(doc, sl_json_root(doc), "streams");
}

/* An entry of a configured catalog has its stream inside. */
static const SlJsonNode *
stream_of(const SlJsonDoc *doc, const SlJsonNode *entry)
{
    const SlJsonNode *inner = sl_json_get(doc, entry, "stream");
    return inner != NULL ? inner : entry;
}

static char *
dup_text(const SlJsonDoc *doc, const SlJsonNode *node, const char *name)
{
    const SlJsonNode *member = sl_json_get(doc, node, name);
    return member != NULL ? sl_json_dup_string(member) : NULL;
}

static gboolean
is_same_stream(const SlJsonDoc *a_doc, const SlJsonNode *a, const SlJsonDoc *b_doc,
               const SlJsonNode *b)
{
    g_autofree char *a_name = dup_text(a_doc, a, "name"), *b_name = dup_text(b_doc, b, "name");
    g_autofree char *a_ns = dup_text(a_doc, a, "namespace");
    g_autofree char *b_ns = dup_text(b_doc, b, "namespace");
    return g_strcmp0(a_name, b_name) == 0 &&
           g_strcmp0(a_ns != NULL ? a_ns : "", b_ns != NULL ? b_ns : "") == 0;
}

static const SlJsonNode *
find_stream(const SlJsonDoc *doc, const SlJsonDoc *wanted_doc, const SlJsonNode *wanted)
{
    if (doc == NULL)
        return NULL;
    SL_JSON_FOREACH (doc, streams_of(doc), entry)
        if (is_same_stream(doc, stream_of(doc, entry), wanted_doc, wanted))
            return entry;
    return NULL;
}

/* By meaning, not by bytes: a page may have written the members in another order. */
static gboolean
is_equal(const SlJsonDoc *a_doc, const SlJsonNode *a, const SlJsonDoc *b_doc, const SlJsonNode *b)
{
    if (a == NULL || b == NULL || a->type != b->type || a->count != b->count)
        return a == b;
    if (a->type == SL_JSON_ARRAY) {
        const SlJsonNode *other = sl_json_first(b_doc, b);
        SL_JSON_FOREACH (a_doc, a, item) {
            if (!is_equal(a_doc, item, b_doc, other))
                return FALSE;
            other = sl_json_next(b_doc, b, other);
        }
        return TRUE;
    }
    if (a->type == SL_JSON_OBJECT) {
        SL_JSON_FOREACH (a_doc, a, key) {
            g_autofree char *name = sl_json_dup_string(key);
            if (name == NULL || !is_equal(a_doc, key + 1, b_doc, sl_json_get(b_doc, b, name)))
                return FALSE;
        }
        return TRUE;
    }
    if (a->type == SL_JSON_STRING) {
        g_autoptr(GString) a_text = g_string_new(NULL), b_text = g_string_new(NULL);
        sl_json_append_string(a, a_text);
        sl_json_append_string(b, b_text);
        return g_string_equal(a_text, b_text);
    }
    return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

/* --- fields ------------------------------------------------------------------------------------
 */

typedef struct {
    const SlJsonDoc *old_doc, *new_doc;
    const SlJsonNode *entry; /* of the configured catalog: cursor_field, primary_key */
    GPtrArray *path;
    SlJsonWriter *w;
    guint n; /* transforms written */
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

/* Does the sync hang on this field? */
static gboolean
is_needed(const Fields *f)
{
    const SlJsonNode *mode = sl_json_get(f->old_doc, f->entry, "sync_mode");
    gboolean incremental = mode != NULL && sl_json_string_is(mode, "incremental");
    if (incremental &&
        path_is(f->old_doc, sl_json_get(f->old_doc, f->entry, "cursor_field"), f->path))
        return TRUE;
    SL_JSON_FOREACH (f->old_doc, sl_json_get(f->old_doc, f->entry, "primary_key"), key)
        if (path_is(f->old_doc, key, f->path))
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
}

static void
write_field(Fields *f, const SlJsonNode *old, const SlJsonNode *new)
{
    gboolean gone = new == NULL;
    const char *type = old == NULL ? "add_field" : gone ? "remove_field" : "update_field_schema";
    begin_field(f, type, gone && is_needed(f));
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

static void compare_fields(Fields *f, const SlJsonNode *old, const SlJsonNode *new);

static void
compare_field(Fields *f, const SlJsonNode *old, const SlJsonNode *new)
{
    if (sl_json_get(f->old_doc, old, "properties") != NULL &&
        sl_json_get(f->new_doc, new, "properties") != NULL && f->path->len < MAX_DEPTH)
        compare_fields(f, old, new);
    else if (!is_equal(f->old_doc, old, f->new_doc, new))
        write_field(f, old, new);
}

/* `old` and `new` are schemas of objects. */
static void
compare_fields(Fields *f, const SlJsonNode *old, const SlJsonNode *new)
{
    const SlJsonNode *before = sl_json_get(f->old_doc, old, "properties");
    const SlJsonNode *after = sl_json_get(f->new_doc, new, "properties");
    SL_JSON_FOREACH (f->old_doc, before, key) {
        g_autofree char *name = sl_json_dup_string(key);
        const SlJsonNode *other = name != NULL ? sl_json_get(f->new_doc, after, name) : NULL;
        if (name == NULL)
            continue;
        g_ptr_array_add(f->path, name);
        if (other == NULL)
            write_field(f, key + 1, NULL);
        else
            compare_field(f, key + 1, other);
        g_ptr_array_set_size(f->path, (int)f->path->len - 1);
    }
    SL_JSON_FOREACH (f->new_doc, after, key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (name == NULL || sl_json_get(f->old_doc, before, name) != NULL)
            continue;
        g_ptr_array_add(f->path, name);
        write_field(f, NULL, key + 1);
        g_ptr_array_set_size(f->path, (int)f->path->len - 1);
    }
}

/* --- streams -----------------------------------------------------------------------------------
 */

static void
begin_stream(SlJsonWriter *w, const char *type, const SlJsonDoc *doc, const SlJsonNode *stream)
{
    g_autofree char *name = dup_text(doc, stream, "name");
    g_autofree char *ns = dup_text(doc, stream, "namespace");
    sl_json_begin_object(w);
    sl_json_member_string(w, "transformType", type);
    sl_json_key(w, "streamDescriptor");
    sl_json_begin_object(w);
    sl_json_member_string(w, "name", name);
    sl_json_member_string(w, "namespace", ns);
    sl_json_end_object(w);
}

static gboolean
has_key(const SlJsonNode *key)
{
    return key != NULL && key->type == SL_JSON_ARRAY && key->count > 0;
}

/* The source's own primary key. It breaks a sync that deduplicates by it. */
static gboolean
write_attributes(SlJsonWriter *w, const SlJsonDoc *old, const SlJsonNode *entry,
                 const SlJsonDoc *new, const SlJsonNode *stream, gboolean *breaking)
{
    static const char name[] = "source_defined_primary_key";
    const SlJsonNode *before = sl_json_get(old, stream_of(old, entry), name);
    const SlJsonNode *after = sl_json_get(new, stream, name);
    const SlJsonNode *mode = sl_json_get(old, entry, "destination_sync_mode");
    sl_json_key(w, "streamAttributeTransforms");
    sl_json_begin_array(w);
    gboolean changed = has_key(before) != has_key(after) ||
                       (has_key(before) && !is_equal(old, before, new, after));
    if (changed) {
        gboolean breaks =
            has_key(before) && mode != NULL && sl_json_string_is(mode, "append_dedup");
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

/* Written apart first: only then it is known whether there is anything to say. */
static void
compare_stream(SlJsonWriter *w, const SlJsonDoc *old, const SlJsonNode *entry, const SlJsonDoc *new,
               const SlJsonNode *stream, gboolean *breaking)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GPtrArray) path = g_ptr_array_new();
    SlJsonWriter inner = SL_JSON_WRITER_INIT(out);
    Fields fields = {old, new, entry, path, &inner, 0, FALSE};
    sl_json_begin_object(&inner);
    sl_json_key(&inner, "fieldTransforms");
    sl_json_begin_array(&inner);
    compare_fields(&fields, sl_json_get(old, stream_of(old, entry), "json_schema"),
                   sl_json_get(new, stream, "json_schema"));
    sl_json_end_array(&inner);
    *breaking = *breaking || fields.breaking;
    gboolean changed = write_attributes(&inner, old, entry, new, stream, breaking);
    sl_json_end_object(&inner);
    if (fields.n == 0 && !changed)
        return;
    begin_stream(w, "update_stream", new, stream);
    sl_json_member_raw(w, "updateStream", out->str);
    sl_json_end_object(w);
}

char *
config_diff(const char *configured, const char *known, const char *discovered,
            gboolean *ret_breaking, GError **error)
{
    g_autoptr(SlJsonDoc) old = sl_json_read(configured, strlen(configured), NULL, error);
    g_autoptr(SlJsonDoc) new =
        old != NULL ? sl_json_read(discovered, strlen(discovered), NULL, error) : NULL;
    g_autoptr(SlJsonDoc) seen = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    gboolean breaking = FALSE;
    if (new != NULL && known != NULL)
        seen = sl_json_read(known, strlen(known), NULL, error);
    if (new == NULL || (known != NULL && seen == NULL))
        return NULL;
    sl_json_begin_object(&w);
    sl_json_key(&w, "transforms");
    sl_json_begin_array(&w);
    SL_JSON_FOREACH (old, streams_of(old), entry) {
        const SlJsonNode *stream = find_stream(new, old, stream_of(old, entry));
        if (stream != NULL) {
            compare_stream(&w, old, entry, new, stream, &breaking);
            continue;
        }
        begin_stream(&w, "remove_stream", old, stream_of(old, entry));
        sl_json_end_object(&w);
    }
    SL_JSON_FOREACH (new, streams_of(new), stream) {
        if (find_stream(old, new, stream) != NULL || find_stream(seen, new, stream) != NULL)
            continue;
        begin_stream(&w, "add_stream", new, stream);
        sl_json_end_object(&w);
    }
    sl_json_end_array(&w);
    sl_json_end_object(&w);
    if (ret_breaking != NULL)
        *ret_breaking = breaking;
    return g_string_free(g_steal_pointer(&out), FALSE);
}
