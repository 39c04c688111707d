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
#include "sl-sql.h"

/* The image that runs manifests in the reference, by which clients know such sources. */
#define IMAGE "airbyte/source-declarative-manifest"

/* --- domain --------------------------------------------------------------------------------------
 */

/* The ConnectorSpecification of a manifest, whose own spec has other spellings; *ret_version is the
 * version of the kit that it was written for. */
static char *
make_spec(const char *manifest, char **ret_version, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(manifest, strlen(manifest), NULL, error);
    if (doc == NULL)
        return NULL;
    const SlJsonNode *spec = sl_json_get(doc, sl_json_root(doc), "spec");
    const SlJsonNode *version = sl_json_get(doc, sl_json_root(doc), "version");
    const SlJsonNode *connection = sl_json_get(doc, spec, "connection_specification");
    const SlJsonNode *page = sl_json_get(doc, spec, "documentation_url");
    if (connection == NULL)
        connection = sl_json_get(doc, spec, "connectionSpecification");
    if (connection == NULL || connection->type != SL_JSON_OBJECT) {
        sl_error_set(error, SL_ERROR_INVALID,
                     "manifest.spec.connection_specification: is required, and an object");
        return NULL;
    }
    g_autofree char *url = page != NULL ? sl_json_dup_string(page) : NULL;
    *ret_version = version != NULL ? sl_json_dup_string(version) : NULL;
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "documentationUrl", url);
    sl_json_key(&w, "connectionSpecification");
    sl_json_node(&w, connection);
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
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
           sl_sql_definition_add_manifest(ctx->tx, id, workspace_id, name, IMAGE,
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
