/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-manifest.h"

#include <string.h>

#include "server-definition.h"
#include "server-problem.h"
#include "server-routes.h"
#include "server-workspace.h"
#include "sl-error.h"
#include "sl-id.h"
#include "sl-manifest.h"
#include "sl-sql.h"

/* --- domain --------------------------------------------------------------------------------------
 */

/* What the connector can be configured with; *ret_version is the version of the kit that the
 * manifest was written for. */
static char *
make_spec(const char *manifest, char **ret_version, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(manifest, strlen(manifest), NULL, error);
    if (doc == NULL)
        return NULL;
    *ret_version = sl_manifest_version(doc);
    return sl_manifest_spec(doc, error);
}

gboolean
server_manifest_load(ServerCtx *ctx, const char *workspace_id, const char *definition_id,
                     SlManifestRow **ret, GError **error)
{
    return sl_sql_manifest_get_active(ctx->tx, workspace_id, definition_id, ret, error) &&
           (*ret != NULL ||
            server_not_found(error, "declarative source definition", definition_id));
}

gboolean
server_manifest_make(ServerCtx *ctx, const char *workspace_id, const char *name,
                     const char *manifest, SlManifestRow **ret, GError **error)
{
    g_autofree char *id = sl_id_new(), *version = NULL;
    g_autofree char *spec = make_spec(manifest, &version, error);
    return spec != NULL && server_workspace_load(ctx, workspace_id, NULL, error) &&
           sl_sql_definition_add_manifest(ctx->tx, id, workspace_id, name, SL_MANIFEST_IMAGE,
                                          version != NULL ? version : "", spec, ctx->now, NULL,
                                          error) &&
           sl_sql_manifest_add(ctx->tx, id, 1, manifest, spec, ctx->now, NULL, error) &&
           server_manifest_load(ctx, workspace_id, id, ret, error);
}

gboolean
server_manifest_change(ServerCtx *ctx, const char *workspace_id, const char *definition_id,
                       const char *manifest, SlManifestRow **ret, GError **error)
{
    g_autoptr(SlManifestRow) old = NULL;
    g_autofree char *version = NULL;
    g_autofree char *spec = make_spec(manifest, &version, error);
    gint64 next = 0;
    return spec != NULL && server_manifest_load(ctx, workspace_id, definition_id, &old, error) &&
           sl_sql_manifest_next_version(ctx->tx, definition_id, &next, error) &&
           sl_sql_manifest_add(ctx->tx, definition_id, next, manifest, spec, ctx->now, NULL,
                               error) &&
           sl_sql_definition_set_manifest(ctx->tx, definition_id, next,
                                          version != NULL ? version : "", spec, ctx->now, NULL,
                                          error) &&
           server_manifest_load(ctx, workspace_id, definition_id, ret, error);
}

/* --- the host's ----------------------------------------------------------------------------------
 */

static gboolean
check_code(const SlConnectorRegisterRequest *in, const SlJsonDoc *manifest, GError **error)
{
    g_autofree char *place = sl_manifest_find_code(manifest);
    if (in->components == NULL)
        return place == NULL ||
               sl_error_set(error, SL_ERROR_INVALID,
                            "components: is required, for '%s' is made by code of its own", place);
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, in->components, -1);
    return g_strcmp0(in->components_sha256, sum) == 0 ||
           sl_error_set(error, SL_ERROR_INVALID,
                        "componentsSha256: is not that of components: nobody has consented to "
                        "this code");
}

/* What is registered already, for a request without a manifest: another environment for the same.
 */
static gboolean
load_old_spec(ServerCtx *ctx, const SlConnectorRegisterRequest *in, char **ret_spec, GError **error)
{
    g_autoptr(SlDefinition) old = NULL;
    if (in->definition_id != NULL &&
        !sl_sql_definition_get(ctx->tx, in->definition_id, &old, error))
        return FALSE;
    if (old == NULL || !sl_record_has(&sl_definition_record, old, SL_DEFINITION_MANIFEST_VERSION))
        return sl_error_set(error, SL_ERROR_INVALID,
                            "manifest: is required of the runtime 'manifest'");
    *ret_spec = g_strdup(old->spec);
    return TRUE;
}

gboolean
server_manifest_judge(ServerCtx *ctx, const SlConnectorRegisterRequest *in, char **ret_spec,
                      GError **error)
{
    if (in->actor_type != SL_ACTOR_TYPE_SOURCE)
        return sl_error_set(error, SL_ERROR_INVALID, "actorType: a manifest is a source");
    if (in->manifest == NULL)
        return load_old_spec(ctx, in, ret_spec, error);
    g_autoptr(SlJsonDoc) doc = sl_json_read(in->manifest, strlen(in->manifest), NULL, error);
    if (doc == NULL || !sl_manifest_check(doc, error) || !check_code(in, doc, error))
        return FALSE;
    *ret_spec = sl_manifest_spec(doc, error);
    return *ret_spec != NULL;
}

gboolean
server_manifest_keep(ServerCtx *ctx, const SlConnectorRegisterRequest *in,
                     const SlDefinition *definition, GError **error)
{
    const char *id = definition->definition_id;
    gint64 version = 0;
    return in->manifest == NULL ||
           (sl_sql_manifest_next_version(ctx->tx, id, &version, error) &&
            sl_sql_manifest_add(ctx->tx, id, version, in->manifest, definition->spec, ctx->now,
                                NULL, error) &&
            (in->components == NULL ||
             sl_sql_manifest_consent(ctx->tx, id, version, in->components, in->components_sha256,
                                     NULL, error)) &&
            sl_sql_definition_set_manifest(ctx->tx, id, version, definition->docker_image_tag,
                                           definition->spec, ctx->now, NULL, error));
}

/* --- the public API ------------------------------------------------------------------------------
 */

static SlManifestResponse *
make_response(const SlManifestRow *row)
{
    SlManifestResponse *response = sl_manifest_response_new();
    response->id = g_strdup(row->definition_id);
    response->name = g_strdup(row->name);
    response->manifest = g_strdup(row->manifest);
    sl_manifest_response_set_version(response, row->version);
    return response;
}

gboolean
server_manifest_list(ServerCtx *ctx, const SlWorkspaceIdRequest *in, SlManifestPage **ret,
                     GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    if (!server_workspace_load(ctx, in->workspace_id, NULL, error) ||
        !sl_sql_manifest_list(ctx->tx, in->workspace_id, &rows, error))
        return FALSE;
    *ret = sl_manifest_page_new();
    (*ret)->data = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++)
        g_ptr_array_add((*ret)->data, make_response(rows->pdata[i]));
    (*ret)->previous = g_strdup("");
    (*ret)->next = g_strdup("");
    return TRUE;
}

gboolean
server_manifest_get(ServerCtx *ctx, const SlDefinitionIdRequest *in, SlManifestResponse **ret,
                    GError **error)
{
    g_autoptr(SlManifestRow) row = NULL;
    if (!server_manifest_load(ctx, in->workspace_id, in->definition_id, &row, error))
        return FALSE;
    *ret = make_response(row);
    return TRUE;
}

gboolean
server_manifest_create(ServerCtx *ctx, const SlManifestCreateRequest *in, SlManifestResponse **ret,
                       GError **error)
{
    g_autoptr(SlManifestRow) row = NULL;
    if (!server_manifest_make(ctx, in->workspace_id, in->name, in->manifest, &row, error))
        return FALSE;
    *ret = make_response(row);
    return TRUE;
}

gboolean
server_manifest_update(ServerCtx *ctx, const SlManifestUpdateRequest *in, SlManifestResponse **ret,
                       GError **error)
{
    g_autoptr(SlManifestRow) row = NULL;
    if (!server_manifest_change(ctx, in->workspace_id, in->definition_id, in->manifest, &row,
                                error))
        return FALSE;
    *ret = make_response(row);
    return TRUE;
}

gboolean
server_manifest_delete(ServerCtx *ctx, const SlDefinitionIdRequest *in, SlManifestResponse **ret,
                       GError **error)
{
    g_autoptr(SlManifestRow) row = NULL;
    g_autoptr(SlDefinition) gone = NULL;
    if (!server_manifest_load(ctx, in->workspace_id, in->definition_id, &row, error) ||
        !server_definition_remove(ctx, in->workspace_id, in->definition_id, SL_ACTOR_TYPE_SOURCE,
                                  &gone, error))
        return FALSE;
    *ret = make_response(row);
    return TRUE;
}
