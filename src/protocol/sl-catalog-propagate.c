/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-catalog-diff.h"

#include <string.h>

#include "sl-catalog-walk.h"
#include "sl-json-write.h"

typedef struct {
    const SlJsonDoc *configured, *known, *fresh, *spec; /* known NULL: none */
    gboolean fully;
    SlJsonWriter *w;
    guint n_changed;
} Propagation;

/* --- modes of a new stream ---------------------------------------------------------------------
 */

static gboolean
list_has(const SlJsonDoc *doc, const SlJsonNode *list, const char *word)
{
    SL_JSON_FOREACH (doc, list, item)
        if (sl_json_string_is(item, word))
            return TRUE;
    return FALSE;
}

static gboolean
is_filled(const SlJsonNode *list)
{
    return list != NULL && list->type == SL_JSON_ARRAY && list->count > 0;
}

typedef struct {
    const char *source, *destination;
    gboolean needs_cursor, needs_key;
} Modes;

/* In the order in which they are wanted. A full refresh overwrites rather than appends: every run
 * would add everything again. */
static const Modes wanted[] = {
    {"incremental", "append_dedup", TRUE, TRUE},
    {"full_refresh", "overwrite", FALSE, FALSE},
    {"full_refresh", "append", FALSE, FALSE},
    {"incremental", "append", TRUE, FALSE},
};

/* A source that says nothing of its modes can do full refreshes. */
static gboolean
source_can(const Propagation *p, const SlJsonNode *stream, const char *mode)
{
    const SlJsonNode *modes = sl_json_get(p->fresh, stream, "supported_sync_modes");
    return is_filled(modes) ? list_has(p->fresh, modes, mode) : strcmp(mode, "full_refresh") == 0;
}

/* A destination that says nothing can overwrite. */
static gboolean
destination_can(const Propagation *p, const char *mode)
{
    const SlJsonNode *modes =
        sl_json_get(p->spec, sl_json_root(p->spec), "supported_destination_sync_modes");
    return is_filled(modes) ? list_has(p->spec, modes, mode) : strcmp(mode, "overwrite") == 0;
}

/* NULL: there are none that nobody has to choose for. */
static const Modes *
find_modes(const Propagation *p, const SlJsonNode *stream)
{
    const SlJsonNode *own = sl_json_get(p->fresh, stream, "source_defined_cursor");
    gboolean cursor = own != NULL && own->type == SL_JSON_TRUE;
    gboolean key = is_filled(sl_json_get(p->fresh, stream, "source_defined_primary_key"));
    for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++)
        if ((cursor || !wanted[i].needs_cursor) && (key || !wanted[i].needs_key) &&
            source_can(p, stream, wanted[i].source) && destination_can(p, wanted[i].destination))
            return &wanted[i];
    return NULL;
}

static void
copy_list(SlJsonWriter *w, const char *name, const SlJsonNode *list)
{
    if (!is_filled(list))
        return;
    sl_json_key(w, name);
    sl_json_node(w, list);
}

static void
add_stream(Propagation *p, const SlJsonNode *stream)
{
    const Modes *modes = find_modes(p, stream);
    if (modes == NULL)
        return;
    sl_json_begin_object(p->w);
    sl_json_key(p->w, "stream");
    sl_json_node(p->w, stream);
    sl_json_member_string(p->w, "sync_mode", modes->source);
    sl_json_member_string(p->w, "destination_sync_mode", modes->destination);
    copy_list(p->w, "cursor_field", sl_json_get(p->fresh, stream, "default_cursor_field"));
    copy_list(p->w, "primary_key", sl_json_get(p->fresh, stream, "source_defined_primary_key"));
    sl_json_end_object(p->w);
    p->n_changed++;
}

/* --- streams that the connection has -----------------------------------------------------------
 */

static gboolean
is_selected(const SlJsonDoc *doc, const SlJsonNode *selected, const char *name)
{
    SL_JSON_FOREACH (doc, selected, field) {
        const SlJsonNode *path = sl_json_get(doc, field, "fieldPath");
        const SlJsonNode *first = path != NULL ? sl_json_at(doc, path, 0) : NULL;
        if (first != NULL && path->count == 1 && sl_json_string_is(first, name))
            return TRUE;
    }
    return FALSE;
}

static void
write_field(SlJsonWriter *w, const char *name)
{
    sl_json_begin_object(w);
    sl_json_key(w, "fieldPath");
    sl_json_begin_array(w);
    sl_json_string(w, name);
    sl_json_end_array(w);
    sl_json_end_object(w);
}

/* What was selected, and the top-level fields that the old schema did not have: what nobody wanted
 * before stays out. */
static void
write_selection(Propagation *p, const SlJsonNode *selected, const SlJsonNode *old,
                const SlJsonDoc *old_doc, const SlJsonNode *new)
{
    const SlJsonNode *before =
        sl_json_get(old_doc, sl_json_get(old_doc, old, "json_schema"), "properties");
    const SlJsonNode *after =
        sl_json_get(p->fresh, sl_json_get(p->fresh, new, "json_schema"), "properties");
    sl_json_begin_array(p->w);
    SL_JSON_FOREACH (p->configured, selected, field)
        sl_json_node(p->w, field);
    SL_JSON_FOREACH (p->fresh, after, key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (name != NULL && sl_json_get(old_doc, before, name) == NULL &&
            !is_selected(p->configured, selected, name))
            write_field(p->w, name);
    }
    sl_json_end_array(p->w);
}

static void
update_stream(Propagation *p, const SlJsonNode *entry, const SlJsonNode *old,
              const SlJsonDoc *old_doc, const SlJsonNode *new)
{
    sl_json_begin_object(p->w);
    SL_JSON_FOREACH (p->configured, entry, key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (name == NULL)
            continue;
        sl_json_key(p->w, name);
        if (strcmp(name, "stream") == 0)
            sl_json_node(p->w, new);
        else if (strcmp(name, "selectedFields") == 0 && key[1].type == SL_JSON_ARRAY)
            write_selection(p, key + 1, old, old_doc, new);
        else
            sl_json_node(p->w, key + 1);
    }
    sl_json_end_object(p->w);
    p->n_changed++;
}

static void
keep_stream(Propagation *p, const SlJsonNode *entry)
{
    const SlJsonNode *own = sl_catalog_walk_stream(p->configured, entry);
    const SlJsonNode *new = sl_catalog_walk_find(p->fresh, p->configured, own);
    const SlJsonNode *old = sl_catalog_walk_find(p->known, p->configured, own);
    const SlJsonDoc *old_doc = old != NULL ? p->known : p->configured;
    if (new == NULL && p->fully) {
        p->n_changed++;
        return;
    }
    if (old == NULL)
        old = own;
    if (new == NULL || sl_catalog_walk_equal(p->configured, own, p->fresh, new))
        sl_json_node(p->w, entry);
    else
        update_stream(p, entry, old, old_doc, new);
}

static void
write_streams(Propagation *p)
{
    const SlJsonDoc *base = p->known != NULL ? p->known : p->configured;
    sl_json_begin_object(p->w);
    sl_json_key(p->w, "streams");
    sl_json_begin_array(p->w);
    SL_JSON_FOREACH (p->configured, sl_catalog_walk_streams(p->configured), entry)
        keep_stream(p, entry);
    SL_JSON_FOREACH (p->fresh, sl_catalog_walk_streams(p->fresh), new)
        if (p->fully && sl_catalog_walk_find(base, p->fresh, new) == NULL &&
            sl_catalog_walk_find(p->configured, p->fresh, new) == NULL)
            add_stream(p, new);
    sl_json_end_array(p->w);
    sl_json_end_object(p->w);
}

static SlJsonDoc *
read_text(const char *text, GError **error)
{
    return sl_json_read(text, strlen(text), NULL, error);
}

char *
sl_catalog_propagate(const char *configured, const char *known, const char *discovered,
                     gboolean fully, const char *destination_spec, GError **error)
{
    g_autoptr(SlJsonDoc) own = read_text(configured, error);
    g_autoptr(SlJsonDoc) fresh = own != NULL ? read_text(discovered, error) : NULL;
    g_autoptr(SlJsonDoc) spec = fresh != NULL ? read_text(destination_spec, error) : NULL;
    g_autoptr(SlJsonDoc) base = spec != NULL && known != NULL ? read_text(known, error) : NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    if (spec == NULL || (known != NULL && base == NULL))
        return NULL;
    Propagation p = {own, base, fresh, spec, fully, &w, 0};
    write_streams(&p);
    return p.n_changed > 0 ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}
