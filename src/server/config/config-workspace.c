/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "server-routes.h"
#include "sl-error.h"
#include "sl-sql.h"

static gboolean
not_found(const char *workspace_id, GError **error)
{
    return sl_error_set(error, SL_ERROR_NOT_FOUND, "workspace '%s' does not exist", workspace_id);
}

gboolean
server_config_workspace_get_organization_info(ServerCtx *ctx, const SlConfigWorkspaceIdRequest *in,
                                              SlConfigOrganizationInfo **ret, GError **error)
{
    return sl_sql_workspace_get_organization(ctx->tx, in->workspace_id, ret, error) &&
           (*ret != NULL || not_found(in->workspace_id, error));
}
