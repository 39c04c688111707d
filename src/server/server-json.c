/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-json.h"

#include <string.h>

#include "sl-error.h"
#include "sl-json-write.h"

char *
server_json_replace(const char *json, const char *without, const char *value, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(json, strlen(json), NULL, error);
    if (doc == NULL)
        return NULL;
    if (sl_json_root(doc)->type != SL_JSON_OBJECT) {
        sl_error_set(error, SL_ERROR_INVALID, "expected object");
        return NULL;
    }
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    if (value != NULL)
        sl_json_member_string(&w, without, value);
    SL_JSON_FOREACH (doc, sl_json_root(doc), key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (name == NULL || strcmp(name, without) == 0)
            continue;
        sl_json_key(&w, name);
        sl_json_node(&w, key + 1);
    }
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

static void
merge(SlJsonWriter *w, const SlJsonDoc *base_doc, const SlJsonNode *base, const SlJsonDoc *doc,
      const SlJsonNode *patch)
{
    gboolean deep = base != NULL && base->type == SL_JSON_OBJECT && patch->type == SL_JSON_OBJECT &&
                    sl_json_get(base_doc, base, "_secret") == NULL;
    if (!deep) {
        sl_json_node(w, patch);
        return;
    }
    sl_json_begin_object(w);
    SL_JSON_FOREACH (base_doc, base, key) {
        g_autofree char *name = sl_json_dup_string(key);
        const SlJsonNode *other = name != NULL ? sl_json_get(doc, patch, name) : NULL;
        if (name == NULL)
            continue;
        sl_json_key(w, name);
        if (other != NULL)
            merge(w, base_doc, key + 1, doc, other);
        else
            sl_json_node(w, key + 1);
    }
    SL_JSON_FOREACH (doc, patch, key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (name == NULL || sl_json_get(base_doc, base, name) != NULL)
            continue;
        sl_json_key(w, name);
        sl_json_node(w, key + 1);
    }
    sl_json_end_object(w);
}

char *
server_json_merge(const char *base, const char *patch, GError **error)
{
    g_autoptr(SlJsonDoc) base_doc = sl_json_read(base, strlen(base), NULL, error);
    g_autoptr(SlJsonDoc) doc =
        base_doc != NULL ? sl_json_read(patch, strlen(patch), NULL, error) : NULL;
    if (doc == NULL)
        return NULL;
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    merge(&w, base_doc, sl_json_root(base_doc), doc, sl_json_root(doc));
    return g_string_free(out, FALSE);
}

char *
server_json_string(const char *json, const char *name)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(json, strlen(json), NULL, NULL);
    const SlJsonNode *node = doc != NULL ? sl_json_get(doc, sl_json_root(doc), name) : NULL;
    return node != NULL ? sl_json_dup_string(node) : NULL;
}
