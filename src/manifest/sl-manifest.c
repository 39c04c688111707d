/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-manifest.h"

#include <stdlib.h>
#include <string.h>

#include "sl-error.h"
#include "sl-json-write.h"
#include "sl-manifest-refs.h"

/* Manifests of versions before are understood by this one, which changes them as it reads them. */
#define OLDEST_MAJOR 6

/* --- versions ------------------------------------------------------------------------------------
 */

typedef struct {
    guint64 part[3];
} Version;

static gboolean
parse_version(const char *text, Version *ret)
{
    *ret = (Version){{0}};
    if (text == NULL || !g_ascii_isdigit(*text))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(ret->part); i++) {
        char *end;
        ret->part[i] = g_ascii_strtoull(text, &end, 10);
        if (*end != '.' || !g_ascii_isdigit(end[1]))
            return TRUE; /* "6.1.0.dev1": what comes then says nothing about what it can do */
        text = end + 1;
    }
    return TRUE;
}

static int
compare(const Version *a, const Version *b)
{
    for (gsize i = 0; i < G_N_ELEMENTS(a->part); i++)
        if (a->part[i] != b->part[i])
            return a->part[i] < b->part[i] ? -1 : 1;
    return 0;
}

/* The least version of the kit for a manifest of that version. */
static Version
least_for(const char *version)
{
    Version least;
    if (!parse_version(version, &least) || least.part[0] < OLDEST_MAJOR)
        return (Version){{OLDEST_MAJOR}};
    return least;
}

char *
sl_manifest_requirement(const char *version)
{
    Version least = least_for(version);
    return g_strdup_printf(SL_MANIFEST_PACKAGE ">=%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT
                                               ".%" G_GUINT64_FORMAT ",<%" G_GUINT64_FORMAT,
                           least.part[0], least.part[1], least.part[2], least.part[0] + 1);
}

gboolean
sl_manifest_runs_on(const char *version, const char *kit_version)
{
    Version least = least_for(version), kit;
    return parse_version(kit_version, &kit) && kit.part[0] == least.part[0] &&
           compare(&least, &kit) <= 0;
}

char *
sl_manifest_version(const SlJsonDoc *doc)
{
    const SlJsonNode *node = sl_json_get(doc, sl_json_root(doc), "version");
    return node != NULL ? sl_json_dup_string(node) : NULL;
}

/* --- specification -------------------------------------------------------------------------------
 */

/* Members of the kit's `spec` and of the protocol's. The first is required. */
static const struct {
    const char *name, *other_name, *protocol_name;
    SlJsonType type;
} spec_members[] = {
    {"connection_specification", "connectionSpecification", "connectionSpecification",
     SL_JSON_OBJECT},
    {"documentation_url", "documentationUrl", "documentationUrl", SL_JSON_STRING},
    {"advanced_auth", NULL, "advanced_auth", SL_JSON_OBJECT},
};

static gboolean
write_spec(const SlJsonDoc *doc, const SlManifestMembers *spec, GString *out, GError **error)
{
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    for (gsize i = 0; i < G_N_ELEMENTS(spec_members); i++) {
        const SlJsonNode *node = sl_manifest_members_get(spec, spec_members[i].name);
        if (node == NULL && spec_members[i].other_name != NULL)
            node = sl_manifest_members_get(spec, spec_members[i].other_name);
        g_autofree char *path = g_strconcat("manifest.spec.", spec_members[i].name, NULL);
        if (node != NULL && !sl_manifest_follow(doc, &node, path, error))
            return FALSE;
        if (node == NULL || node->type != spec_members[i].type) {
            if (i == 0)
                return sl_error_set(error, SL_ERROR_INVALID, "%s: is required, and an object",
                                    path);
            continue;
        }
        sl_json_key(&w, spec_members[i].protocol_name);
        if (!sl_manifest_write_resolved(doc, node, path, &w, error))
            return FALSE;
    }
    sl_json_end_object(&w);
    return TRUE;
}

char *
sl_manifest_spec(const SlJsonDoc *doc, GError **error)
{
    const SlJsonNode *node = sl_json_get(doc, sl_json_root(doc), "spec");
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(SlManifestMembers) spec = NULL;
    if (node != NULL && !sl_manifest_follow(doc, &node, "manifest.spec", error))
        return NULL;
    if (node == NULL || node->type != SL_JSON_OBJECT) {
        sl_error_set(error, SL_ERROR_INVALID,
                     "manifest.spec.connection_specification: is required, and an object");
        return NULL;
    }
    spec = sl_manifest_members(doc, node, "manifest.spec", error);
    return spec != NULL && write_spec(doc, spec, out, error)
               ? g_string_free(g_steal_pointer(&out), FALSE)
               : NULL;
}

/* --- configuration -------------------------------------------------------------------------------
 */

#define INJECTED "__injected_"

char *
sl_manifest_configure(const char *configuration, const char *manifest, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(configuration, strlen(configuration), NULL, error);
    if (doc == NULL)
        return NULL;
    if (sl_json_root(doc)->type != SL_JSON_OBJECT) {
        sl_error_set(error, SL_ERROR_INVALID, "the configuration is no object");
        return NULL;
    }
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    SL_JSON_FOREACH (doc, sl_json_root(doc), key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (name == NULL || g_str_has_prefix(name, INJECTED))
            continue;
        sl_json_key(&w, name);
        sl_json_node(&w, key + 1);
    }
    sl_json_member_raw(&w, INJECTED "declarative_manifest", manifest);
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

/* --- custom code ---------------------------------------------------------------------------------
 */

static gboolean
is_custom(const SlJsonDoc *doc, const SlJsonNode *object)
{
    const SlJsonNode *type = sl_json_get(doc, object, "type");
    const SlJsonNode *class = sl_json_get(doc, object, "class_name");
    g_autofree char *text = type != NULL ? sl_json_dup_string(type) : NULL;
    return (text != NULL && g_str_has_prefix(text, "Custom")) ||
           (class != NULL && class->type == SL_JSON_STRING);
}

/* Depth is the reader's: bounded. */
static char *
find_code(const SlJsonDoc *doc, const SlJsonNode *node, const char *path)
{
    guint i = 0;
    if (node->type != SL_JSON_OBJECT && node->type != SL_JSON_ARRAY)
        return NULL;
    if (node->type == SL_JSON_OBJECT && is_custom(doc, node))
        return g_strdup(path);
    SL_JSON_FOREACH (doc, node, child) {
        gboolean member = node->type == SL_JSON_OBJECT;
        g_autofree char *name = member ? sl_json_dup_string(child) : NULL;
        g_autofree char *below =
            member ? g_strdup_printf("%s.%s", path, name) : g_strdup_printf("%s[%u]", path, i++);
        /* What users may configure and what records look like is no component. */
        if (member && (g_strcmp0(name, "schema") == 0 || g_strcmp0(name, "schemas") == 0 ||
                       g_strcmp0(name, "connection_specification") == 0))
            continue;
        char *found = find_code(doc, member ? child + 1 : child, below);
        if (found != NULL)
            return found;
    }
    return NULL;
}

char *
sl_manifest_find_code(const SlJsonDoc *doc)
{
    return find_code(doc, sl_json_root(doc), "manifest");
}

/* --- check ---------------------------------------------------------------------------------------
 */

static gboolean
check_text(const SlJsonDoc *doc, const char *member, const char *pattern, const char *expected,
           GError **error)
{
    const SlJsonNode *node = sl_json_get(doc, sl_json_root(doc), member);
    g_autofree char *text = node != NULL ? sl_json_dup_string(node) : NULL;
    if (text != NULL && g_regex_match_simple(pattern, text, G_REGEX_DOLLAR_ENDONLY, 0))
        return TRUE;
    return text != NULL ? sl_error_set(error, SL_ERROR_INVALID, "manifest.%s: '%s' is not %s",
                                       member, text, expected)
                        : sl_error_set(error, SL_ERROR_INVALID, "manifest.%s: is required, %s",
                                       member, expected);
}

static gboolean
check_stream(const SlJsonDoc *doc, const SlJsonNode *node, const char *path, GError **error)
{
    if (!sl_manifest_follow(doc, &node, path, error))
        return FALSE;
    g_autoptr(SlManifestMembers) stream =
        node->type == SL_JSON_OBJECT ? sl_manifest_members(doc, node, path, error) : NULL;
    if (stream == NULL)
        return (error != NULL && *error != NULL)
                   ? FALSE
                   : sl_error_set(error, SL_ERROR_INVALID, "%s: is no object", path);
    const SlJsonNode *type = sl_manifest_members_get(stream, "type");
    if (type != NULL && !sl_json_string_is(type, "DeclarativeStream"))
        return TRUE; /* others have other members */
    if (sl_manifest_members_get(stream, "retriever") == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "%s.retriever: is required", path);
    return TRUE;
}

static gboolean
check_streams(const SlJsonDoc *doc, GError **error)
{
    const SlJsonNode *root = sl_json_root(doc);
    const SlJsonNode *streams = sl_json_get(doc, root, "streams");
    const SlJsonNode *dynamic = sl_json_get(doc, root, "dynamic_streams");
    guint i = 0;
    if (streams != NULL && streams->type != SL_JSON_ARRAY)
        return sl_error_set(error, SL_ERROR_INVALID, "manifest.streams: is no list");
    if ((streams == NULL || streams->count == 0) &&
        (dynamic == NULL || dynamic->type != SL_JSON_ARRAY || dynamic->count == 0))
        return sl_error_set(error, SL_ERROR_INVALID,
                            "manifest.streams: is required, a list with at least one stream");
    SL_JSON_FOREACH (doc, streams, stream) {
        g_autofree char *path = g_strdup_printf("manifest.streams[%u]", i++);
        if (!check_stream(doc, stream, path, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
sl_manifest_check(const SlJsonDoc *doc, GError **error)
{
    const SlJsonNode *root = sl_json_root(doc);
    if (root->type != SL_JSON_OBJECT)
        return sl_error_set(error, SL_ERROR_INVALID, "manifest: is no object but %s",
                            sl_json_type_name(root->type));
    if (!check_text(doc, "type", "^DeclarativeSource$", "the text 'DeclarativeSource'", error) ||
        !check_text(doc, "version", "^[0-9]+\\.[0-9]+(\\.[0-9A-Za-z.+-]+)?$",
                    "a version as text, such as '6.1.0'", error))
        return FALSE;
    const SlJsonNode *check = sl_json_get(doc, root, "check");
    if (check == NULL || (check->type != SL_JSON_OBJECT && check->type != SL_JSON_STRING))
        return sl_error_set(error, SL_ERROR_INVALID, "manifest.check: is required, and an object");
    g_autofree char *spec = sl_manifest_spec(doc, error);
    return spec != NULL && check_streams(doc, error) && sl_manifest_check_references(doc, error);
}
