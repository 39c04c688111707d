/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "server-routes.h"
#include "sl-error.h"
#include "sl-id.h"
#include "sl-sql.h"

static gboolean
not_found(const char *organization_id, GError **error)
{
    return sl_error_set(error, SL_ERROR_NOT_FOUND, "organization '%s' does not exist",
                        organization_id);
}

gboolean
server_config_organization_get(ServerCtx *ctx, const SlConfigOrganizationIdRequest *in,
                               SlOrganizationResponse **ret, GError **error)
{
    return sl_sql_organization_get(ctx->tx, in->organization_id, ret, error) &&
           (*ret != NULL || not_found(in->organization_id, error));
}

gboolean
server_config_organization_get_info(ServerCtx *ctx, const SlConfigOrganizationIdRequest *in,
                                    SlConfigOrganizationInfo **ret, GError **error)
{
    g_autoptr(SlOrganizationResponse) row = NULL;
    if (!server_config_organization_get(ctx, in, &row, error))
        return FALSE;
    SlConfigOrganizationInfo *info = *ret = sl_config_organization_info_new();
    info->organization_id = g_strdup(row->organization_id);
    info->organization_name = g_strdup(row->organization_name);
    sl_config_organization_info_set_sso(info, FALSE);
    sl_config_organization_info_set_scim(info, FALSE);
    return TRUE;
}

/* --- lists ------------------------------------------------------------------------------------ */

/* The organizations of one person; an administrator who asks about himself sees all. */
static gboolean
list(ServerCtx *ctx, const SlConfigOrganizationListRequest *in, GPtrArray **ret, GError **error)
{
    gint64 size = in->pagination != NULL ? in->pagination->page_size : 1000;
    gint64 offset = in->pagination != NULL ? in->pagination->row_offset : 0;
    gboolean all = ctx->caller.admin && strcmp(in->user_id, ctx->caller.user_id) == 0;
    return sl_sql_organization_list(ctx->tx, all ? NULL : in->user_id, in->name_contains, size,
                                    offset, ret, error);
}

gboolean
server_config_organization_list_by_user_id(ServerCtx *ctx,
                                           const SlConfigOrganizationListRequest *in,
                                           SlConfigOrganizationList **ret, GError **error)
{
    GPtrArray *rows = NULL;
    if (!list(ctx, in, &rows, error))
        return FALSE;
    *ret = sl_config_organization_list_new();
    g_ptr_array_set_free_func(rows, NULL);
    (*ret)->organizations = rows;
    return TRUE;
}

static SlConfigOrganizationWorkspace *
make_workspace(const SlWorkspaceRow *row)
{
    SlConfigOrganizationWorkspace *workspace = sl_config_organization_workspace_new();
    workspace->workspace_id = g_strdup(row->workspace_id);
    workspace->customer_id = g_strdup(row->customer_id);
    workspace->organization_id = g_strdup(row->organization_id);
    workspace->name = g_strdup(row->name);
    workspace->slug = g_strdup(row->slug);
    sl_config_organization_workspace_set_initial_setup_complete(workspace, TRUE);
    return workspace;
}

/* The one of that id, of rows in the order that the client gets. */
static SlConfigOrganizationSummary *
find_summary(const GPtrArray *summaries, const char *organization_id)
{
    for (guint i = 0; i < summaries->len; i++) {
        SlConfigOrganizationSummary *summary = summaries->pdata[i];
        if (strcmp(summary->organization->organization_id, organization_id) == 0)
            return summary;
    }
    return NULL;
}

static SlConfigOrganizationSummary *
make_summary(const SlOrganizationResponse *row)
{
    SlConfigOrganizationSummary *summary = sl_config_organization_summary_new();
    summary->organization = sl_organization_response_new();
    summary->organization->organization_id = g_strdup(row->organization_id);
    summary->organization->organization_name = g_strdup(row->organization_name);
    summary->organization->email = g_strdup(row->email);
    sl_config_organization_summary_set_member_count(summary, 0);
    summary->workspaces = g_ptr_array_new();
    return summary;
}

/* Their workspaces and how many people have a role there: two statements for all of them. */
static gboolean
summarize(ServerCtx *ctx, const GPtrArray *summaries, const char *user_id, GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new(), workspaces = NULL, members = NULL;
    for (guint i = 0; i < summaries->len; i++) {
        const SlConfigOrganizationSummary *summary = summaries->pdata[i];
        g_ptr_array_add(ids, summary->organization->organization_id);
    }
    g_ptr_array_add(ids, NULL);
    const char *const *list = (const char *const *)ids->pdata;
    if (!sl_sql_organization_list_workspaces(ctx->tx, list, user_id, &workspaces, error) ||
        !sl_sql_organization_count_members(ctx->tx, list, &members, error))
        return FALSE;
    for (guint i = 0; i < workspaces->len; i++) {
        const SlWorkspaceRow *row = workspaces->pdata[i];
        g_ptr_array_add(find_summary(summaries, row->organization_id)->workspaces,
                        make_workspace(row));
    }
    for (guint i = 0; i < members->len; i++) {
        const SlOrganizationMembers *row = members->pdata[i];
        sl_config_organization_summary_set_member_count(
            find_summary(summaries, row->organization_id), row->members);
    }
    return TRUE;
}

gboolean
server_config_organization_list_summaries(ServerCtx *ctx, const SlConfigOrganizationListRequest *in,
                                          SlConfigOrganizationSummaryList **ret, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    gboolean all = ctx->caller.admin && strcmp(in->user_id, ctx->caller.user_id) == 0;
    if (!list(ctx, in, &rows, error))
        return FALSE;
    *ret = sl_config_organization_summary_list_new();
    (*ret)->organization_summaries = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++)
        g_ptr_array_add((*ret)->organization_summaries, make_summary(rows->pdata[i]));
    return summarize(ctx, (*ret)->organization_summaries, all ? NULL : in->user_id, error);
}

/* --- changes ---------------------------------------------------------------------------------- */

gboolean
server_config_organization_update(ServerCtx *ctx, const SlConfigOrganizationUpdate *in,
                                  SlOrganizationResponse **ret, GError **error)
{
    return sl_sql_organization_update(ctx->tx, in->organization_id, in->organization_name,
                                      in->email, ret, error) &&
           (*ret != NULL || not_found(in->organization_id, error));
}

gboolean
server_config_organization_create(ServerCtx *ctx, const SlConfigOrganizationCreate *in,
                                  SlOrganizationResponse **ret, GError **error)
{
    g_autofree char *id = sl_id_new(), *permission = sl_id_new();
    g_autoptr(SlPermissionResponse) admin = NULL;
    g_autoptr(SlAccount) user = NULL;
    if (!sl_sql_account_get(ctx->tx, in->user_id, &user, error))
        return FALSE;
    if (user == NULL)
        return sl_error_set(error, SL_ERROR_NOT_FOUND, "user '%s' does not exist", in->user_id);
    return sl_sql_organization_add(ctx->tx, id, in->organization_name,
                                   in->email != NULL ? in->email : user->email, ctx->now, ret,
                                   error) &&
           sl_sql_permission_add(ctx->tx, permission, in->user_id, "organization_admin", NULL, id,
                                 ctx->now, &admin, error);
}

gboolean
server_config_organization_delete(ServerCtx *ctx, const SlConfigOrganizationIdRequest *in,
                                  gpointer *ret, GError **error)
{
    g_autoptr(SlOrganizationResponse) row = NULL;
    gint64 n = 0;
    return server_config_organization_get(ctx, in, &row, error) &&
           sl_sql_organization_delete(ctx->tx, in->organization_id, &n, error) &&
           (n > 0 ||
            sl_error_set(error, SL_ERROR_CONFLICT, "organization '%s' still has workspaces",
                         row->organization_name));
}
