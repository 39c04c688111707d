/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-registry-read.h"

#include <string.h>

#include "sl-error.h"
#include "sl-version.h"

#define LANGUAGE_TAG "language:"
#define MANIFEST_ONLY "manifest-only"

/* --- entries ---------------------------------------------------------------------------------- */

static char *
dup_or_empty(const char *text)
{
    return g_strdup(text != NULL ? text : "");
}

static const char *
find_language(const SlRegistryWire *wire)
{
    if (wire->language != NULL)
        return wire->language;
    for (guint i = 0; wire->tags != NULL && wire->tags[i] != NULL; i++)
        if (g_str_has_prefix(wire->tags[i], LANGUAGE_TAG))
            return wire->tags[i] + strlen(LANGUAGE_TAG);
    return NULL;
}

static char *
dup_package(const SlRegistryPackage *package)
{
    return package != NULL && package->enabled && package->package_name != NULL &&
                   *package->package_name != '\0'
               ? g_strdup(package->package_name)
               : NULL;
}

static SlRegistryEntry *
make_entry(const SlRegistryWire *wire, const char *id, SlActorType type, const SlJsonNode *node)
{
    SlRegistryEntry *entry = sl_registry_entry_new();
    const SlRegistryRemotes *remotes = wire->remote_registries;
    entry->definition_id = g_strdup(id);
    sl_registry_entry_set_actor_type(entry, type);
    entry->name = g_strdup(wire->name);
    entry->docker_repository = g_strdup(wire->docker_repository);
    entry->docker_image_tag = g_strdup(wire->docker_image_tag);
    entry->documentation_url = dup_or_empty(wire->documentation_url);
    entry->icon = dup_or_empty(wire->icon_url != NULL ? wire->icon_url : wire->icon);
    entry->support_level = dup_or_empty(wire->support_level);
    entry->release_stage = dup_or_empty(wire->release_stage);
    entry->language = dup_or_empty(find_language(wire));
    entry->pypi_package = remotes != NULL ? dup_package(remotes->pypi) : NULL;
    entry->npm_package = remotes != NULL ? dup_package(remotes->npm) : NULL;
    entry->manifest_url = g_strdup(wire->manifest_url);
    if (wire->allowed_hosts != NULL)
        entry->allowed_hosts = g_strdupv(wire->allowed_hosts->hosts);
    entry->resource_requirements = g_strdup(wire->resource_requirements);
    if (wire->releases != NULL)
        entry->breaking_changes = g_strdup(wire->releases->breaking_changes);
    if (wire->max_seconds_between_messages > 0)
        sl_registry_entry_set_max_seconds_between_messages(entry,
                                                           wire->max_seconds_between_messages);
    entry->spec = g_strdup(wire->spec);
    entry->digest =
        g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)node->p, node->n);
    return entry;
}

typedef struct {
    const char *member;
    SlActorType type;
} Part;

static void
name_place(GError **error, const SlJsonDoc *doc, const SlJsonNode *node, const Part *part, guint i)
{
    g_autofree char *name = sl_json_dup_string(sl_json_get(doc, node, "name"));
    if (name != NULL)
        g_prefix_error(error, "%s[%u] '%s': ", part->member, i, name);
    else
        g_prefix_error(error, "%s[%u]: ", part->member, i);
}

static gboolean
read_entry(const SlJsonDoc *doc, const SlJsonNode *node, const Part *part, GHashTable *ids,
           GPtrArray *entries, GError **error)
{
    g_autoptr(SlRegistryWire) wire = sl_record_parse(&sl_registry_wire_record, doc, node, error);
    if (wire == NULL)
        return FALSE;
    const char *id = part->type == SL_ACTOR_TYPE_SOURCE ? wire->source_definition_id
                                                        : wire->destination_definition_id;
    if (id == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "%sDefinitionId: is missing",
                            sl_enum_name(&sl_actor_type_enum, part->type));
    if (sl_json_get(doc, node, "spec")->type != SL_JSON_OBJECT)
        return sl_error_set(error, SL_ERROR_INVALID, "spec: expected object");
    if (!g_hash_table_add(ids, g_strdup(id)))
        return sl_error_set(error, SL_ERROR_INVALID, "%s is there twice", id);
    if (!wire->tombstone)
        g_ptr_array_add(entries, make_entry(wire, id, part->type, node));
    return TRUE;
}

static gboolean
read_part(const SlJsonDoc *doc, const Part *part, GHashTable *ids, GPtrArray *entries,
          GError **error)
{
    const SlJsonNode *list = sl_json_get(doc, sl_json_root(doc), part->member);
    guint i = 0;
    if (list == NULL || list->type != SL_JSON_ARRAY)
        return sl_error_set(error, SL_ERROR_INVALID, "'%s' is not an array", part->member);
    SL_JSON_FOREACH (doc, list, node) {
        if (!read_entry(doc, node, part, ids, entries, error)) {
            name_place(error, doc, node, part, i);
            return FALSE;
        }
        i++;
    }
    return TRUE;
}

GPtrArray *
sl_registry_read(const char *text, gsize len, GError **error)
{
    static const Part parts[] = {{"sources", SL_ACTOR_TYPE_SOURCE},
                                 {"destinations", SL_ACTOR_TYPE_DESTINATION}};
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, len, NULL, error);
    g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) entries =
        g_ptr_array_new_with_free_func((GDestroyNotify)sl_registry_entry_free);
    if (doc == NULL)
        return NULL;
    for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
        if (!read_part(doc, &parts[i], ids, entries, error))
            return NULL;
    if (entries->len == 0) {
        sl_error_set(error, SL_ERROR_INVALID, "no connector is in it");
        return NULL;
    }
    return g_steal_pointer(&entries);
}

/* --- runtimes --------------------------------------------------------------------------------- */

static gboolean
is_native(const SlRegistryEntry *entry)
{
    return g_strcmp0(entry->installed_runtime, "native") == 0;
}

static gboolean
has_pypi(const SlRegistryEntry *entry)
{
    return entry->pypi_package != NULL;
}

static gboolean
has_npm(const SlRegistryEntry *entry)
{
    return entry->npm_package != NULL;
}

static gboolean
is_manifest(const SlRegistryEntry *entry)
{
    return entry->manifest_url != NULL || g_strcmp0(entry->language, MANIFEST_ONLY) == 0;
}

static gboolean
has_image(const SlRegistryEntry *entry)
{
    return entry->docker_repository != NULL;
}

static const struct {
    const char *name;
    gboolean (*serves)(const SlRegistryEntry *entry);
} runtimes[] = {
    {"native", is_native},     {"pypi", has_pypi}, {"npm", has_npm},
    {"manifest", is_manifest}, {"oci", has_image}, {"docker", has_image},
};

static gint
find_runtime(const char *name)
{
    for (gint i = 0; i < (gint)G_N_ELEMENTS(runtimes); i++)
        if (strcmp(runtimes[i].name, name) == 0)
            return i;
    return -1;
}

char **
sl_registry_runtimes(const SlRegistryEntry *entry, const char *wished)
{
    g_auto(GStrv) words = g_strsplit_set(wished, " \t,", -1);
    g_autoptr(GStrvBuilder) able = g_strv_builder_new();
    for (guint i = 0; words[i] != NULL; i++) {
        gint at = find_runtime(words[i]);
        if (at >= 0 && runtimes[at].serves(entry))
            g_strv_builder_add(able, words[i]);
    }
    return g_strv_builder_end(able);
}

gboolean
sl_registry_check_runtimes(const char *wished, GError **error)
{
    g_auto(GStrv) words = g_strsplit_set(wished, " \t,", -1);
    for (guint i = 0; words[i] != NULL; i++) {
        if (*words[i] == '\0' || find_runtime(words[i]) >= 0)
            continue;
        g_autoptr(GString) names = g_string_new(NULL);
        for (guint j = 0; j < G_N_ELEMENTS(runtimes); j++)
            g_string_append_printf(names, "%s%s", j > 0 ? ", " : "", runtimes[j].name);
        return sl_error_set(error, SL_ERROR_CONFIG,
                            "[Registry] Runtimes=: there is no runtime '%s'; there are: %s",
                            words[i], names->str);
    }
    return TRUE;
}

/* --- versions --------------------------------------------------------------------------------- */

gboolean
sl_registry_is_outdated(const SlRegistryEntry *entry)
{
    return entry->installed_version != NULL && !is_native(entry) &&
           sl_version_is_ordered(entry->installed_version) &&
           sl_version_is_ordered(entry->docker_image_tag) &&
           sl_version_compare(entry->installed_version, entry->docker_image_tag) < 0;
}

static gint
compare_pointers(gconstpointer a, gconstpointer b)
{
    const char *const *left = a, *const *right = b;
    return sl_version_compare(*left, *right);
}

char **
sl_registry_breaking_versions(const SlRegistryEntry *entry)
{
    g_autoptr(GPtrArray) versions = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(SlJsonDoc) doc = NULL;
    if (entry->breaking_changes != NULL && sl_registry_is_outdated(entry))
        doc = sl_json_read(entry->breaking_changes, strlen(entry->breaking_changes), NULL, NULL);
    SL_JSON_FOREACH (doc, doc != NULL ? sl_json_root(doc) : NULL, key) {
        g_autofree char *version = sl_json_dup_string(key);
        if (version != NULL && sl_version_compare(entry->installed_version, version) < 0 &&
            sl_version_compare(version, entry->docker_image_tag) <= 0)
            g_ptr_array_add(versions, g_steal_pointer(&version));
    }
    g_ptr_array_sort(versions, compare_pointers);
    g_ptr_array_add(versions, NULL);
    return (char **)g_ptr_array_steal(versions, NULL);
}
