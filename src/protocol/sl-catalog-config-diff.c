/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-catalog-diff.h"

#include <string.h>

#include "sl-catalog-walk.h"
#include "sl-json-write.h"

typedef struct {
    const SlJsonDoc *before, *after;
    SlJsonWriter *w;
    guint n;
} ConfigDiff;

static const SlJsonNode *
find(const SlJsonDoc *doc, const SlJsonDoc *other, const SlJsonNode *entry)
{
    return sl_catalog_walk_find(doc, other, sl_catalog_walk_stream(other, entry));
}

static void
begin_stream(ConfigDiff *d, const SlJsonDoc *doc, const SlJsonNode *entry)
{
    const SlJsonNode *stream = sl_catalog_walk_stream(doc, entry);
    g_autofree char *name = sl_catalog_walk_dup(doc, stream, "name");
    g_autofree char *ns = sl_catalog_walk_dup(doc, stream, "namespace");
    d->n++;
    sl_json_begin_object(d->w);
    sl_json_member_string(d->w, "streamName", name);
    sl_json_member_string(d->w, "streamNamespace", ns);
}

/* Streams of `doc` that `other` does not have. */
static void
write_missing(ConfigDiff *d, const char *member, const SlJsonDoc *doc, const SlJsonDoc *other,
              const char *status)
{
    sl_json_key(d->w, member);
    sl_json_begin_array(d->w);
    SL_JSON_FOREACH (doc, sl_catalog_walk_streams(doc), entry) {
        if (find(other, doc, entry) != NULL)
            continue;
        begin_stream(d, doc, entry);
        sl_json_member_string(d->w, "status", status);
        sl_json_end_object(d->w);
    }
    sl_json_end_array(d->w);
}

/* --- fields ------------------------------------------------------------------------------------
 */

/* Names of the top-level fields that an entry takes: the selected ones, else all. */
static GHashTable *
list_fields(const SlJsonDoc *doc, const SlJsonNode *entry)
{
    GHashTable *fields = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const SlJsonNode *selected = sl_json_get(doc, entry, "selectedFields");
    if (selected != NULL && selected->type == SL_JSON_ARRAY) {
        SL_JSON_FOREACH (doc, selected, field) {
            const SlJsonNode *path = sl_json_get(doc, field, "fieldPath");
            const SlJsonNode *first =
                path != NULL && path->type == SL_JSON_ARRAY ? sl_json_at(doc, path, 0) : NULL;
            if (first != NULL && first->type == SL_JSON_STRING)
                g_hash_table_add(fields, sl_json_dup_string(first));
        }
        return fields;
    }
    const SlJsonNode *properties = sl_json_get_path(doc, sl_catalog_walk_stream(doc, entry),
                                                    "json_schema", "properties", NULL);
    if (properties != NULL && properties->type == SL_JSON_OBJECT) {
        SL_JSON_FOREACH (doc, properties, key)
            g_hash_table_add(fields, sl_json_dup_string(key));
    }
    return fields;
}

static gint
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In the order of their names: a set has none. */
static GPtrArray *
subtract(GHashTable *from, GHashTable *what)
{
    GPtrArray *names = g_ptr_array_new();
    GHashTableIter iter;
    gpointer name;
    g_hash_table_iter_init(&iter, from);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        if (!g_hash_table_contains(what, name))
            g_ptr_array_add(names, name);
    g_ptr_array_sort(names, compare_names);
    g_ptr_array_add(names, NULL);
    return names;
}

static void
write_fields(ConfigDiff *d, const char *member, gboolean enabled)
{
    sl_json_key(d->w, member);
    sl_json_begin_array(d->w);
    SL_JSON_FOREACH (d->after, sl_catalog_walk_streams(d->after), entry) {
        const SlJsonNode *old = find(d->before, d->after, entry);
        if (old == NULL)
            continue;
        g_autoptr(GHashTable) was = list_fields(d->before, old);
        g_autoptr(GHashTable) is = list_fields(d->after, entry);
        g_autoptr(GPtrArray) names = enabled ? subtract(is, was) : subtract(was, is);
        if (names->len == 1)
            continue;
        begin_stream(d, d->after, entry);
        sl_json_key(d->w, "fields");
        sl_json_strings(d->w, (const char *const *)names->pdata);
        sl_json_member_string(d->w, "status", enabled ? "enabled" : "disabled");
        sl_json_end_object(d->w);
    }
    sl_json_end_array(d->w);
}

/* --- members of an entry -----------------------------------------------------------------------
 */

/* [] and nothing are one. */
static const SlJsonNode *
get(const SlJsonDoc *doc, const SlJsonNode *entry, const char *member)
{
    const SlJsonNode *node = sl_json_get(doc, entry, member);
    gboolean empty = node == NULL || node->type == SL_JSON_NULL ||
                     (node->type == SL_JSON_ARRAY && node->count == 0);
    return empty ? NULL : node;
}

static void
write_value(SlJsonWriter *w, const char *name, const SlJsonNode *value, const char *nothing)
{
    sl_json_key(w, name);
    if (value != NULL)
        sl_json_node(w, value);
    else
        sl_json_raw(w, nothing, strlen(nothing));
}

static gboolean
differs(const ConfigDiff *d, const SlJsonNode *old, const SlJsonNode *new, const char *member)
{
    return !sl_catalog_walk_equal(d->before, get(d->before, old, member), d->after,
                                  get(d->after, new, member));
}

/* {prev, current} of one member. */
static void
write_member(ConfigDiff *d, const char *list, const char *member)
{
    sl_json_key(d->w, list);
    sl_json_begin_array(d->w);
    SL_JSON_FOREACH (d->after, sl_catalog_walk_streams(d->after), entry) {
        const SlJsonNode *old = find(d->before, d->after, entry);
        if (old == NULL || !differs(d, old, entry, member))
            continue;
        begin_stream(d, d->after, entry);
        write_value(d->w, "prev", get(d->before, old, member), "[]");
        write_value(d->w, "current", get(d->after, entry, member), "[]");
        sl_json_end_object(d->w);
    }
    sl_json_end_array(d->w);
}

static void
write_modes(ConfigDiff *d)
{
    sl_json_key(d->w, "syncModesChanged");
    sl_json_begin_array(d->w);
    SL_JSON_FOREACH (d->after, sl_catalog_walk_streams(d->after), entry) {
        const SlJsonNode *old = find(d->before, d->after, entry);
        if (old == NULL || (!differs(d, old, entry, "sync_mode") &&
                            !differs(d, old, entry, "destination_sync_mode")))
            continue;
        begin_stream(d, d->after, entry);
        write_value(d->w, "prevSourceSyncMode", get(d->before, old, "sync_mode"), "null");
        write_value(d->w, "prevDestinationSyncMode", get(d->before, old, "destination_sync_mode"),
                    "null");
        write_value(d->w, "currentSourceSyncMode", get(d->after, entry, "sync_mode"), "null");
        write_value(d->w, "currentDestinationSyncMode",
                    get(d->after, entry, "destination_sync_mode"), "null");
        sl_json_end_object(d->w);
    }
    sl_json_end_array(d->w);
}

/* What mappers are given may be a secret: only that they are others. */
static void
write_mappers(ConfigDiff *d)
{
    sl_json_key(d->w, "mappersChanged");
    sl_json_begin_array(d->w);
    SL_JSON_FOREACH (d->after, sl_catalog_walk_streams(d->after), entry) {
        const SlJsonNode *old = find(d->before, d->after, entry);
        if (old == NULL || !differs(d, old, entry, "mappers"))
            continue;
        begin_stream(d, d->after, entry);
        sl_json_end_object(d->w);
    }
    sl_json_end_array(d->w);
}

char *
sl_catalog_config_diff(const char *before, const char *after, GError **error)
{
    g_autoptr(SlJsonDoc) old = sl_json_read(before, strlen(before), NULL, error);
    g_autoptr(SlJsonDoc) new = old != NULL ? sl_json_read(after, strlen(after), NULL, error) : NULL;
    if (new == NULL)
        return NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    ConfigDiff d = {.before = old, .after = new, .w = &w};
    sl_json_begin_object(&w);
    write_missing(&d, "streamsEnabled", new, old, "enabled");
    write_missing(&d, "streamsDisabled", old, new, "disabled");
    write_fields(&d, "fieldsEnabled", TRUE);
    write_fields(&d, "fieldsDisabled", FALSE);
    write_modes(&d);
    write_member(&d, "cursorFieldsChanged", "cursor_field");
    write_member(&d, "primaryKeysChanged", "primary_key");
    write_mappers(&d);
    sl_json_end_object(&w);
    return d.n > 0 ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}
