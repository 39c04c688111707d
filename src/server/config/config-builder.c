/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "server-manifest.h"
#include "server-problem.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-secret.h"
#include "sl-sql.h"

/* --- manifests ---------------------------------------------------------------------------------
 */

/* version NULL: the active one. */
static gboolean
load(ServerCtx *ctx, const char *workspace_id, const char *definition_id, const gint64 *version,
     SlManifestVersion **ret, GError **error)
{
    g_autoptr(SlManifestRow) active = NULL;
    g_autoptr(GPtrArray) rows = NULL;
    if (!server_manifest_load(ctx, workspace_id, definition_id, &active, error) ||
        !sl_sql_manifest_list_versions(ctx->tx, workspace_id, definition_id,
                                       version != NULL ? version : &active->version, &rows, error))
        return FALSE;
    if (rows->len == 0)
        return sl_error_set(error, SL_ERROR_NOT_FOUND,
                            "version: '%s' has no version %" G_GINT64_FORMAT, active->name,
                            *version);
    *ret = g_ptr_array_steal_index(rows, 0);
    return TRUE;
}

static gboolean
check_spec(const char *spec, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(spec, strlen(spec), NULL, error);
    const SlJsonNode *inner =
        doc != NULL ? sl_json_get(doc, sl_json_root(doc), "connectionSpecification") : NULL;
    return doc != NULL &&
           ((inner != NULL && inner->type == SL_JSON_OBJECT) ||
            sl_error_set(error, SL_ERROR_INVALID,
                         "declarativeManifest.spec.connectionSpecification: is required, and an "
                         "object"));
}

/* The version of the kit that a manifest was written for; "" when it does not say. */
static char *
kit_version(const char *manifest)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(manifest, strlen(manifest), NULL, NULL);
    const SlJsonNode *node = doc != NULL ? sl_json_get(doc, sl_json_root(doc), "version") : NULL;
    char *text = node != NULL ? sl_json_dup_string(node) : NULL;
    return text != NULL ? text : g_strdup("");
}

static gboolean
activate(ServerCtx *ctx, const char *definition_id, gint64 version, const char *manifest,
         const char *spec, GError **error)
{
    g_autofree char *tag = kit_version(manifest);
    return sl_sql_definition_set_manifest(ctx->tx, definition_id, version, tag, spec, ctx->now,
                                          NULL, error);
}

gboolean
server_config_manifest_create(ServerCtx *ctx, const SlConfigManifestCreate *in, gpointer *ret,
                              GError **error)
{
    const SlConfigNewManifest *new = in->declarative_manifest;
    g_autoptr(SlManifestVersion) active = NULL;
    g_autoptr(GPtrArray) same = NULL;
    if (in->components_file_content != NULL && in->components_file_content[0] != '\0')
        return sl_error_set(
            error, SL_ERROR_NOT_IMPLEMENTED,
            "componentsFileContent: custom components are run only for manifests that the "
            "administrator of the host installs");
    if (!check_spec(new->spec, error) ||
        !load(ctx, in->workspace_id, in->source_definition_id, NULL, &active, error) ||
        !sl_sql_manifest_list_versions(ctx->tx, in->workspace_id, active->definition_id,
                                       &new->version, &same, error))
        return FALSE;
    if (same->len > 0)
        return sl_error_set(error, SL_ERROR_EXISTS,
                            "declarativeManifest.version: %" G_GINT64_FORMAT " is there already",
                            new->version);
    return sl_sql_manifest_add(ctx->tx, active->definition_id, new->version, new->manifest,
                               new->spec, ctx->now, NULL, error) &&
           sl_sql_manifest_describe(ctx->tx, active->definition_id, new->version, new->description,
                                    NULL, error) &&
           (!in->set_as_active_manifest ||
            activate(ctx, active->definition_id, new->version, new->manifest, new->spec, error));
}

gboolean
server_config_manifest_list(ServerCtx *ctx, const SlConfigSourceDefinitionRequest *in,
                            SlConfigManifestList **ret, GError **error)
{
    g_autoptr(SlManifestRow) active = NULL;
    g_autoptr(GPtrArray) rows = NULL;
    if (!server_manifest_load(ctx, in->workspace_id, in->definition_id, &active, error) ||
        !sl_sql_manifest_list_versions(ctx->tx, in->workspace_id, in->definition_id, NULL, &rows,
                                       error))
        return FALSE;
    *ret = sl_config_manifest_list_new();
    (*ret)->manifest_versions = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++) {
        const SlManifestVersion *row = rows->pdata[i];
        SlConfigManifestVersion *version = sl_config_manifest_version_new();
        sl_config_manifest_version_set_version(version, row->version);
        version->description = g_strdup(row->description);
        sl_config_manifest_version_set_is_active(version, row->is_active);
        g_ptr_array_add((*ret)->manifest_versions, version);
    }
    return TRUE;
}

gboolean
server_config_manifest_activate(ServerCtx *ctx, const SlConfigManifestActivate *in, gpointer *ret,
                                GError **error)
{
    g_autoptr(SlManifestVersion) row = NULL;
    return load(ctx, in->workspace_id, in->source_definition_id, &in->version, &row, error) &&
           activate(ctx, row->definition_id, row->version, row->manifest, row->spec, error);
}

/* --- projects ----------------------------------------------------------------------------------
 */

/* A definition that is no manifest has no project: nulls, which a record would leave out. */
gboolean
server_config_builder_get_for_definition(ServerCtx *ctx, const SlConfigBuilderOfDefinition *in,
                                         char **ret, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    if (!sl_sql_manifest_list_versions(ctx->tx, in->workspace_id, in->actor_definition_id, NULL,
                                       &rows, error))
        return FALSE;
    const SlManifestVersion *row = rows->len > 0 ? rows->pdata[0] : NULL;
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_key(&w, "builderProjectId");
    sl_json_string(&w, row != NULL ? row->definition_id : NULL);
    sl_json_key(&w, "workspaceId");
    sl_json_string(&w, row != NULL ? in->workspace_id : NULL);
    sl_json_end_object(&w);
    *ret = g_string_free(out, FALSE);
    return TRUE;
}

gboolean
server_config_builder_get(ServerCtx *ctx, const SlConfigBuilderRequest *in,
                          SlConfigBuilderRead **ret, GError **error)
{
    gboolean one =
        sl_record_has(&sl_config_builder_request_record, in, SL_CONFIG_BUILDER_REQUEST_VERSION);
    g_autoptr(SlManifestVersion) row = NULL;
    g_autoptr(SlManifestRow) active = NULL;
    if (!load(ctx, in->workspace_id, in->builder_project_id, one ? &in->version : NULL, &row,
              error) ||
        !server_manifest_load(ctx, in->workspace_id, in->builder_project_id, &active, error))
        return FALSE;
    SlConfigBuilderRead *read = *ret = sl_config_builder_read_new();
    SlConfigBuilderProject *project = read->builder_project = sl_config_builder_project_new();
    project->name = g_strdup(row->name);
    project->builder_project_id = g_strdup(row->definition_id);
    project->source_definition_id = g_strdup(row->definition_id);
    sl_config_builder_project_set_active_declarative_manifest_version(project, active->version);
    sl_config_builder_project_set_has_draft(project, FALSE);
    sl_config_builder_project_set_updated_at(project, row->created_at / G_USEC_PER_SEC);
    SlConfigBuilderManifest *manifest = read->declarative_manifest =
        sl_config_builder_manifest_new();
    manifest->manifest = g_strdup(row->manifest);
    sl_config_builder_manifest_set_is_draft(manifest, FALSE);
    sl_config_builder_manifest_set_version(manifest, row->version);
    manifest->description = g_strdup(row->description);
    if (row->testing_values == NULL)
        return TRUE;
    read->testing_values = sl_secret_mask(row->testing_values, error);
    return read->testing_values != NULL;
}

static char *
refuse_secret(const char *plain, gpointer data, GError **error)
{
    sl_error_set(error, SL_ERROR_CONFIG,
                 "testingValues: has secrets, and this host has no master key "
                 "(credential 'sluice-master-key')");
    return NULL;
}

static gboolean
refuse_references(const char *values, GError **error)
{
    g_auto(GStrv) ids = sl_secret_list(values, error);
    return ids != NULL &&
           (ids[0] == NULL ||
            sl_error_set(error, SL_ERROR_INVALID, "testingValues: '_secret' is not for clients"));
}

/* The stored ones are replaced whole; a mask keeps what it stands for. */
gboolean
server_config_builder_update_testing_values(ServerCtx *ctx, const SlConfigTestingValuesUpdate *in,
                                            char **ret, GError **error)
{
    const SlSealKey *key = ctx->server->seal_key;
    g_autoptr(SlManifestVersion) row = NULL;
    if (!refuse_references(in->testing_values, error) ||
        !load(ctx, in->workspace_id, in->builder_project_id, NULL, &row, error))
        return FALSE;
    g_autofree char *stored =
        key == NULL ? sl_secret_split(in->testing_values, in->spec, row->testing_values,
                                      refuse_secret, NULL, error)
                    : sl_secret_store(ctx->tx, key, in->workspace_id, NULL, in->testing_values,
                                      in->spec, row->testing_values, ctx->now, error);
    if (stored == NULL)
        return FALSE;
    g_auto(GStrv) kept = sl_secret_list(stored, error);
    g_auto(GStrv) old =
        kept != NULL
            ? sl_secret_list(row->testing_values != NULL ? row->testing_values : "{}", error)
            : NULL;
    if (old == NULL ||
        !sl_sql_testing_save(ctx->tx, row->definition_id, stored, ctx->now, NULL, error) ||
        !sl_sql_secret_delete_loose(ctx->tx, (const char *const *)old, (const char *const *)kept,
                                    NULL, error))
        return FALSE;
    *ret = sl_secret_mask(stored, error);
    return *ret != NULL;
}
