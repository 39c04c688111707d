/* SPDX-License-Identifier: Apache-2.0 */
/* What the public API has for OAuth. There is no broker here: 501 for what the community product
 * answers so, 403 for what it sells. */
#include "config.h"

#include "server-problem.h"
#include "server-routes.h"
#include "sl-error.h"

static gboolean
refuse(GError **error)
{
    return sl_error_set(error, SL_ERROR_NOT_IMPLEMENTED,
                        "this version has no OAuth flows; put the connector's own credentials "
                        "(refresh token, client id and secret) into its configuration");
}

static gboolean
refuse_license(const char *organization_id, GError **error)
{
    return server_problem(error, SERVER_PROBLEM_LICENSE,
                          server_problem_data("entitlement", "feature-custom-oauth", "resourceId",
                                              organization_id, NULL),
                          "OAuth credentials of an organization are not part of this product");
}

gboolean
server_oauth_initiate(ServerCtx *ctx, const SlInitiateOauthRequest *in, gpointer *ret,
                      GError **error)
{
    return refuse(error);
}

gboolean
server_oauth_workspace_put(ServerCtx *ctx, const SlOauthCredentialsRequest *in, gpointer *ret,
                           GError **error)
{
    return refuse(error);
}

gboolean
server_oauth_workspace_delete(ServerCtx *ctx, const SlOauthCredentialsIdRequest *in, gpointer *ret,
                              GError **error)
{
    return refuse(error);
}

gboolean
server_oauth_organization_put(ServerCtx *ctx, const SlOrganizationOauthRequest *in, gpointer *ret,
                              GError **error)
{
    return refuse_license(in->organization_id, error);
}

gboolean
server_oauth_organization_delete(ServerCtx *ctx, const SlOrganizationOauthIdRequest *in,
                                 gpointer *ret, GError **error)
{
    return refuse_license(in->organization_id, error);
}
