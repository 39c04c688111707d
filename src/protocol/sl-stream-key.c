/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-stream-key.h"

#include <string.h>

#include "sl-error.h"
#include "sl-json-scan.h"

struct SlStreamKey {
    GPtrArray *paths; /* of GStrv */
    char *title;
};

static void
free_path(gpointer data)
{
    g_strfreev(data);
}

static gboolean
add_path(SlStreamKey *key, const SlJsonDoc *doc, const SlJsonNode *node)
{
    g_autoptr(GPtrArray) path = g_ptr_array_new_with_free_func(g_free);
    if (node->type != SL_JSON_ARRAY)
        return FALSE;
    SL_JSON_FOREACH (doc, node, part) {
        char *text = sl_json_dup_string(part);
        if (text == NULL)
            return FALSE;
        g_ptr_array_add(path, text);
    }
    if (path->len == 0)
        return TRUE;
    g_ptr_array_add(path, NULL);
    g_ptr_array_add(key->paths, g_ptr_array_steal(path, NULL));
    return TRUE;
}

static const SlJsonNode *
find_paths(const SlJsonDoc *doc, const SlJsonNode *configured)
{
    const SlJsonNode *own = sl_json_get(doc, configured, "primary_key");
    if (own != NULL && own->type == SL_JSON_ARRAY && own->count > 0)
        return own;
    const SlJsonNode *defined =
        sl_json_get_path(doc, configured, "stream", "source_defined_primary_key", NULL);
    return defined != NULL && defined->type == SL_JSON_ARRAY ? defined : NULL;
}

SlStreamKey *
sl_stream_key_new(const SlJsonDoc *doc, const SlJsonNode *configured, GError **error)
{
    g_autoptr(SlStreamKey) key = g_new0(SlStreamKey, 1);
    g_autoptr(GString) title = g_string_new(NULL);
    key->paths = g_ptr_array_new_with_free_func(free_path);
    SL_JSON_FOREACH (doc, find_paths(doc, configured), node) {
        if (!add_path(key, doc, node)) {
            sl_error_set(error, SL_ERROR_INVALID, "primary_key: expected an array of paths");
            return NULL;
        }
    }
    for (guint i = 0; i < key->paths->len; i++) {
        g_autofree char *path = g_strjoinv(".", key->paths->pdata[i]);
        g_string_append_printf(title, "%s%s", i > 0 ? ", " : "", path);
    }
    key->title = g_string_free(g_steal_pointer(&title), FALSE);
    return key->paths->len > 0 ? g_steal_pointer(&key) : NULL;
}

void
sl_stream_key_free(SlStreamKey *key)
{
    if (key == NULL)
        return;
    g_ptr_array_unref(key->paths);
    g_free(key->title);
    g_free(key);
}

const char *const *
sl_stream_key_path(const SlStreamKey *key, guint i)
{
    return i < key->paths->len ? key->paths->pdata[i] : NULL;
}

const char *
sl_stream_key_title(const SlStreamKey *key)
{
    return key->title;
}

static gboolean
name_is(SlSpan name, gboolean escaped, const char *text)
{
    if (!escaped)
        return strlen(text) == name.n && memcmp(text, name.p, name.n) == 0;
    g_autoptr(GString) plain = g_string_new(NULL);
    return sl_json_append_unescaped(name, plain) && strlen(text) == plain->len &&
           memcmp(text, plain->str, plain->len) == 0;
}

/* Does this path lead to a value within the object? */
static gboolean
leads_somewhere(char **path, SlSpan object)
{
    SlSpan name, value;
    gboolean escaped, malformed;
    gsize cursor = 0;
    while (sl_json_members_next(object, &cursor, &name, &escaped, &value, &malformed)) {
        if (!name_is(name, escaped, path[0]))
            continue;
        if (path[1] == NULL ? *value.p != 'n' : *value.p == '{' && leads_somewhere(path + 1, value))
            return TRUE;
    }
    return malformed;
}

gboolean
sl_stream_key_check(const SlStreamKey *key, SlSpan data)
{
    for (guint i = 0; i < key->paths->len; i++) {
        if (leads_somewhere(key->paths->pdata[i], data))
            return TRUE;
    }
    return FALSE;
}
