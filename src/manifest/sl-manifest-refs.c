/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-manifest-refs.h"

#include <string.h>

#include "sl-error.h"

#define REF "$ref"
#define MAX_DEPTH 60 /* the writer's is 63 */
#define MAX_BYTES (64 * 1024 * 1024)
#define MAX_STEPS 64 /* from one reference to the next */

/* --- where a reference leads ----------------------------------------------------------------- */

static gboolean
is_reference(const SlJsonNode *node)
{
    return node->type == SL_JSON_STRING && node->n > 3 && strncmp(node->p, "\"#/", 3) == 0;
}

static const SlJsonNode *
child_of(const SlJsonDoc *doc, const SlJsonNode *node, const char *name)
{
    guint64 i;
    if (node->type == SL_JSON_OBJECT)
        return sl_json_get(doc, node, name);
    return node->type == SL_JSON_ARRAY &&
                   g_ascii_string_to_unsigned(name, 10, 0, G_MAXUINT, &i, NULL)
               ? sl_json_at(doc, node, (guint)i)
               : NULL;
}

/* "a/b/c": a member "a/b/c" goes before a member "a" and what is below it. */
static const SlJsonNode *
look_up(const SlJsonDoc *doc, const char *path)
{
    const SlJsonNode *node = sl_json_root(doc);
    while (node != NULL && *path != '\0') {
        const SlJsonNode *whole = sl_json_get(doc, node, path);
        if (whole != NULL)
            return whole;
        gsize n = strcspn(path, "/");
        g_autofree char *head = g_strndup(path, n);
        node = child_of(doc, node, head);
        path += n + (path[n] == '/');
    }
    return node;
}

gboolean
sl_manifest_follow(const SlJsonDoc *doc, const SlJsonNode **node, const char *path, GError **error)
{
    for (guint i = 0; is_reference(*node); i++) {
        g_autofree char *text = sl_json_dup_string(*node);
        const SlJsonNode *target = text != NULL ? look_up(doc, text + strlen("#/")) : NULL;
        if (target == NULL)
            return sl_error_set(error, SL_ERROR_INVALID, "%s: '%s' is not in the manifest", path,
                                text != NULL ? text : "?");
        if (i >= MAX_STEPS)
            return sl_error_set(error, SL_ERROR_INVALID, "%s: the reference '%s' goes round", path,
                                text);
        *node = target;
    }
    return TRUE;
}

/* --- members ------------------------------------------------------------------------------------
 */

typedef struct {
    char *name;
    const SlJsonNode *value;
} Member;

struct SlManifestMembers {
    GArray *members;   /* Member */
    GHashTable *index; /* name → place in `members` + 1 */
};

static void
member_clear(gpointer data)
{
    g_free(((Member *)data)->name);
}

void
sl_manifest_members_free(SlManifestMembers *members)
{
    if (members == NULL)
        return;
    g_hash_table_unref(members->index);
    g_array_unref(members->members);
    g_free(members);
}

static void
put(SlManifestMembers *members, char *name, const SlJsonNode *value)
{
    guint at = GPOINTER_TO_UINT(g_hash_table_lookup(members->index, name));
    if (at > 0) {
        g_array_index(members->members, Member, at - 1).value = value;
        g_free(name);
        return;
    }
    Member member = {name, value};
    g_array_append_val(members->members, member);
    g_hash_table_insert(members->index, name, GUINT_TO_POINTER(members->members->len));
}

static const SlJsonNode *
reference_of(const SlJsonDoc *doc, const SlJsonNode *object)
{
    return object->type == SL_JSON_OBJECT ? sl_json_get(doc, object, REF) : NULL;
}

/* What is referred to comes first and is overridden. */
static gboolean
gather(const SlJsonDoc *doc, const SlJsonNode *object, const char *path, guint steps,
       SlManifestMembers *members, GError **error)
{
    const SlJsonNode *target = reference_of(doc, object);
    if (target != NULL) {
        g_autofree char *at = g_strconcat(path, "." REF, NULL);
        if (steps >= MAX_STEPS)
            return sl_error_set(error, SL_ERROR_INVALID, "%s: the reference goes round", at);
        if (!is_reference(target) && target->type != SL_JSON_OBJECT)
            return sl_error_set(error, SL_ERROR_INVALID,
                                "%s: is no reference such as '#/definitions/…'", at);
        if (!sl_manifest_follow(doc, &target, at, error))
            return FALSE;
        if (target->type == SL_JSON_OBJECT && !gather(doc, target, path, steps + 1, members, error))
            return FALSE;
    }
    SL_JSON_FOREACH (doc, object, key) {
        char *name = sl_json_dup_string(key);
        if (name == NULL || strcmp(name, REF) == 0)
            g_free(name);
        else
            put(members, name, key + 1);
    }
    return TRUE;
}

SlManifestMembers *
sl_manifest_members(const SlJsonDoc *doc, const SlJsonNode *object, const char *path,
                    GError **error)
{
    g_autoptr(SlManifestMembers) members = g_new0(SlManifestMembers, 1);
    members->members = g_array_new(FALSE, FALSE, sizeof(Member));
    g_array_set_clear_func(members->members, member_clear);
    members->index = g_hash_table_new(g_str_hash, g_str_equal);
    return gather(doc, object, path, 0, members, error) ? g_steal_pointer(&members) : NULL;
}

const SlJsonNode *
sl_manifest_members_get(const SlManifestMembers *members, const char *name)
{
    guint at = GPOINTER_TO_UINT(g_hash_table_lookup(members->index, name));
    return at > 0 ? g_array_index(members->members, Member, at - 1).value : NULL;
}

/* --- resolved -----------------------------------------------------------------------------------
 */

static gboolean write_value(const SlJsonDoc *doc, const SlJsonNode *node, const char *path,
                            guint depth, SlJsonWriter *w, GError **error);

static gboolean
write_object(const SlJsonDoc *doc, const SlJsonNode *node, const char *path, guint depth,
             SlJsonWriter *w, GError **error)
{
    g_autoptr(SlManifestMembers) members = sl_manifest_members(doc, node, path, error);
    if (members == NULL)
        return FALSE;
    sl_json_begin_object(w);
    for (guint i = 0; i < members->members->len; i++) {
        const Member *member = &g_array_index(members->members, Member, i);
        g_autofree char *below = g_strdup_printf("%s.%s", path, member->name);
        sl_json_key(w, member->name);
        /* Values of a configuration: whatever they look like. */
        if (strcmp(member->name, "config_overrides") == 0)
            sl_json_node(w, member->value);
        else if (!write_value(doc, member->value, below, depth + 1, w, error))
            return FALSE;
    }
    sl_json_end_object(w);
    return TRUE;
}

static gboolean
write_array(const SlJsonDoc *doc, const SlJsonNode *node, const char *path, guint depth,
            SlJsonWriter *w, GError **error)
{
    guint i = 0;
    sl_json_begin_array(w);
    SL_JSON_FOREACH (doc, node, child) {
        g_autofree char *below = g_strdup_printf("%s[%u]", path, i++);
        if (!write_value(doc, child, below, depth + 1, w, error))
            return FALSE;
    }
    sl_json_end_array(w);
    return TRUE;
}

/* An object that refers to something that is no object is that. */
static gboolean
follow_plain(const SlJsonDoc *doc, const SlJsonNode **node, const char *path, GError **error)
{
    const SlJsonNode *target;
    for (guint i = 0; (target = reference_of(doc, *node)) != NULL && is_reference(target); i++) {
        if (i >= MAX_STEPS)
            return sl_error_set(error, SL_ERROR_INVALID, "%s: the reference goes round", path);
        if (!sl_manifest_follow(doc, &target, path, error))
            return FALSE;
        if (target->type == SL_JSON_OBJECT)
            return TRUE;
        *node = target;
    }
    return TRUE;
}

static gboolean
write_value(const SlJsonDoc *doc, const SlJsonNode *node, const char *path, guint depth,
            SlJsonWriter *w, GError **error)
{
    if (depth >= MAX_DEPTH)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "%s: the reference goes round, or deeper than "
                            "%d levels",
                            path, MAX_DEPTH);
    if (w->out->len > MAX_BYTES)
        return sl_error_set(error, SL_ERROR_TOO_LARGE, "%s: more than %d MiB", path,
                            MAX_BYTES >> 20);
    if (!sl_manifest_follow(doc, &node, path, error) || !follow_plain(doc, &node, path, error))
        return FALSE;
    if (node->type == SL_JSON_OBJECT)
        return write_object(doc, node, path, depth, w, error);
    if (node->type == SL_JSON_ARRAY)
        return write_array(doc, node, path, depth, w, error);
    sl_json_node(w, node);
    return TRUE;
}

gboolean
sl_manifest_write_resolved(const SlJsonDoc *doc, const SlJsonNode *node, const char *path,
                           SlJsonWriter *w, GError **error)
{
    return write_value(doc, node, path, w->depth, w, error);
}

/* --- all ----------------------------------------------------------------------------------------
 */

gboolean
sl_manifest_check_references(const SlJsonDoc *doc, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    return write_value(doc, sl_json_root(doc), "manifest", 0, &w, error);
}
