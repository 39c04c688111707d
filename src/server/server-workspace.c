/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "server-page.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-id.h"
#include "sl-sql.h"

static SlWorkspaceResponse *
make_response(const SlWorkspace *row)
{
    SlWorkspaceResponse *workspace = sl_workspace_response_new();
    workspace->workspace_id = g_strdup(row->workspace_id);
    workspace->name = g_strdup(row->name);
    workspace->data_residency = g_ascii_strdown(row->data_plane_group, -1);
    workspace->notifications = g_strdup(row->notifications);
    return workspace;
}

static gboolean
not_found(const char *workspace_id, GError **error)
{
    return sl_error_set(error, SL_ERROR_NOT_FOUND, "workspace '%s' does not exist", workspace_id);
}

gboolean
server_workspace_list(ServerCtx *ctx, const SlListRequest *in, SlWorkspacePage **ret,
                      GError **error)
{
    const char *const *workspaces = NULL;
    g_autoptr(GPtrArray) rows = NULL;
    if (!server_page_check(in->workspace_ids, in->offset, error) ||
        !server_ctx_workspaces(ctx, in->workspace_ids, &workspaces, error) ||
        !sl_sql_workspace_list(ctx->tx, workspaces, in->include_deleted, in->limit, in->offset,
                               &rows, error))
        return FALSE;
    SlWorkspacePage *page = *ret = sl_workspace_page_new();
    page->data = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++)
        g_ptr_array_add(page->data, make_response(rows->pdata[i]));
    server_page_links(ctx, &sl_list_request_record, in, rows->len, &page->previous, &page->next);
    return TRUE;
}

gboolean
server_workspace_get(ServerCtx *ctx, const SlWorkspaceIdRequest *in, SlWorkspaceResponse **ret,
                     GError **error)
{
    g_autoptr(SlWorkspace) row = NULL;
    if (!sl_sql_workspace_get(ctx->tx, in->workspace_id, &row, error))
        return FALSE;
    if (row == NULL)
        return not_found(in->workspace_id, error);
    *ret = make_response(row);
    return TRUE;
}

gboolean
server_workspace_create(ServerCtx *ctx, const SlWorkspaceCreateRequest *in,
                        SlWorkspaceResponse **ret, GError **error)
{
    g_autoptr(SlWorkspace) row = NULL;
    g_autofree char *id = sl_id_new();
    if (!sl_sql_workspace_add(ctx->tx, id, in->name,
                              in->notifications != NULL ? in->notifications : "{}", ctx->now, &row,
                              error))
        return FALSE;
    if (row == NULL)
        return sl_error_set(error, SL_ERROR_UNAVAILABLE,
                            "there is no organization yet: sluice-bootloader has not run");
    *ret = make_response(row);
    return TRUE;
}

gboolean
server_workspace_update(ServerCtx *ctx, const SlWorkspaceUpdateRequest *in,
                        SlWorkspaceResponse **ret, GError **error)
{
    g_autoptr(SlWorkspace) row = NULL;
    if (!sl_sql_workspace_update(ctx->tx, in->workspace_id, in->name, in->notifications, &row,
                                 error))
        return FALSE;
    if (row == NULL)
        return not_found(in->workspace_id, error);
    *ret = make_response(row);
    return TRUE;
}

gboolean
server_workspace_delete(ServerCtx *ctx, const SlWorkspaceIdRequest *in, gpointer *ret,
                        GError **error)
{
    gint64 n = 0;
    return sl_sql_workspace_delete(ctx->tx, in->workspace_id, ctx->now, &n, error) &&
           (n > 0 || not_found(in->workspace_id, error));
}
