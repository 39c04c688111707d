/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-workspace.h"

#include <string.h>

#include "server-job.h"
#include "server-json.h"
#include "server-page.h"
#include "server-problem.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-id.h"
#include "sl-sql.h"

/* --- domain --------------------------------------------------------------------------------------
 */

gboolean
server_workspace_load(ServerCtx *ctx, const char *workspace_id, SlWorkspace **ret, GError **error)
{
    g_autoptr(SlWorkspace) row = NULL;
    if (!sl_sql_workspace_get(ctx->tx, workspace_id, &row, error))
        return FALSE;
    if (row == NULL)
        return server_not_found(error, "workspace", workspace_id);
    if (ret != NULL)
        *ret = g_steal_pointer(&row);
    return TRUE;
}

/* Mail about everything but success, no webhook. */
static char *
default_notifications(void)
{
    static const char *const items[] = {
        "failure",          "success",
        "connectionUpdate", "connectionUpdateActionRequired",
        "syncDisabled",     "syncDisabledWarning",
    };
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    for (gsize i = 0; i < G_N_ELEMENTS(items); i++) {
        sl_json_key(&w, items[i]);
        sl_json_begin_object(&w);
        sl_json_member_raw(&w, "email",
                           strcmp(items[i], "success") == 0 ? "{\"enabled\":false}"
                                                            : "{\"enabled\":true}");
        sl_json_member_raw(&w, "webhook", "{\"enabled\":false}");
        sl_json_end_object(&w);
    }
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

char *
server_workspace_notifications(const SlWorkspace *workspace, GError **error)
{
    g_autofree char *base = default_notifications();
    return server_json_merge(
        base, workspace->notifications != NULL ? workspace->notifications : "{}", error);
}

static gboolean
check_webhooks(const char *notifications, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(notifications, strlen(notifications), NULL, error);
    if (doc == NULL)
        return FALSE;
    SL_JSON_FOREACH (doc, sl_json_root(doc), item) {
        g_autofree char *name = sl_json_dup_string(item);
        const SlJsonNode *webhook = sl_json_get(doc, item + 1, "webhook");
        const SlJsonNode *enabled = sl_json_get(doc, webhook, "enabled");
        const SlJsonNode *node = sl_json_get(doc, webhook, "url");
        g_autofree char *url = node != NULL ? sl_json_dup_string(node) : NULL;
        if (enabled != NULL && enabled->type == SL_JSON_TRUE && (url == NULL || *url == '\0'))
            return server_problem(error, SERVER_PROBLEM_MISSING_URL, NULL,
                                  "notifications.%s.webhook: is enabled and has no url", name);
    }
    return TRUE;
}

/* The stored and the new ones together; NULL: an error. */
static char *
merge_notifications(const char *stored, const char *given, GError **error)
{
    if (given == NULL)
        return g_strdup(stored);
    g_autofree char *merged = server_json_merge(stored, given, error);
    return merged != NULL && check_webhooks(merged, error) ? g_steal_pointer(&merged) : NULL;
}

gboolean
server_workspace_make(ServerCtx *ctx, const char *workspace_id, const char *organization_id,
                      const char *name, const char *notifications, SlWorkspace **ret,
                      GError **error)
{
    g_autofree char *id = workspace_id != NULL ? g_strdup(workspace_id) : sl_id_new();
    g_autofree char *merged = merge_notifications("{}", notifications, error);
    if (merged == NULL ||
        !sl_sql_workspace_add(ctx->tx, id, name, merged, ctx->now, organization_id, ret, error))
        return FALSE;
    if (*ret == NULL && organization_id != NULL)
        return server_not_found(error, "organization", organization_id);
    return *ret != NULL ||
           sl_error_set(error, SL_ERROR_UNAVAILABLE,
                        "there is no organization yet: sluice-bootloader has not run");
}

gboolean
server_workspace_change(ServerCtx *ctx, const char *workspace_id, const char *name,
                        const char *notifications, SlWorkspace **ret, GError **error)
{
    g_autoptr(SlWorkspace) old = NULL;
    if (!sl_sql_workspace_lock(ctx->tx, workspace_id, &old, error))
        return FALSE;
    if (old == NULL)
        return server_not_found(error, "workspace", workspace_id);
    g_autofree char *merged = merge_notifications(old->notifications, notifications, error);
    return merged != NULL &&
           sl_sql_workspace_update(ctx->tx, workspace_id, name != NULL ? name : old->name, merged,
                                   ret, error);
}

gboolean
server_workspace_remove(ServerCtx *ctx, const char *workspace_id, GError **error)
{
    gint64 n = 0;
    return server_workspace_load(ctx, workspace_id, NULL, error) &&
           server_job_stop_all(ctx, workspace_id, error) &&
           sl_sql_workspace_delete(ctx->tx, workspace_id, ctx->now, &n, error) &&
           (n > 0 || server_not_found(error, "workspace", workspace_id));
}

/* --- the public API ------------------------------------------------------------------------------
 */

static SlWorkspaceResponse *
make_response(const SlWorkspace *row, GError **error)
{
    g_autofree char *notifications = server_workspace_notifications(row, error);
    g_autoptr(SlNotificationsConfig) config =
        notifications != NULL ? sl_record_parse_text(&sl_notifications_config_record, notifications,
                                                     strlen(notifications), error)
                              : NULL;
    if (config == NULL)
        return NULL;
    SlWorkspaceResponse *workspace = sl_workspace_response_new();
    workspace->workspace_id = g_strdup(row->workspace_id);
    workspace->name = g_strdup(row->name);
    workspace->data_residency = g_ascii_strdown(row->data_plane_group, -1);
    workspace->notifications = g_steal_pointer(&config);
    return workspace;
}

static gboolean
give(const SlWorkspace *row, SlWorkspaceResponse **ret, GError **error)
{
    *ret = make_response(row, error);
    return *ret != NULL;
}

static char *
print_notifications(const SlNotificationsConfig *given)
{
    return given != NULL ? sl_record_print(&sl_notifications_config_record, given, 0) : NULL;
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
    for (guint i = 0; i < rows->len; i++) {
        SlWorkspaceResponse *one = make_response(rows->pdata[i], error);
        if (one == NULL)
            return FALSE;
        g_ptr_array_add(page->data, one);
    }
    server_page_links(ctx, &sl_list_request_record, in, rows->len, &page->previous, &page->next);
    return TRUE;
}

gboolean
server_workspace_get(ServerCtx *ctx, const SlWorkspaceIdRequest *in, SlWorkspaceResponse **ret,
                     GError **error)
{
    g_autoptr(SlWorkspace) row = NULL;
    return server_workspace_load(ctx, in->workspace_id, &row, error) && give(row, ret, error);
}

gboolean
server_workspace_create(ServerCtx *ctx, const SlWorkspaceCreateRequest *in,
                        SlWorkspaceResponse **ret, GError **error)
{
    g_autoptr(SlWorkspace) row = NULL;
    g_autofree char *notifications = print_notifications(in->notifications);
    return server_workspace_make(ctx, NULL, in->organization_id, in->name, notifications, &row,
                                 error) &&
           give(row, ret, error);
}

gboolean
server_workspace_update(ServerCtx *ctx, const SlWorkspaceUpdateRequest *in,
                        SlWorkspaceResponse **ret, GError **error)
{
    g_autoptr(SlWorkspace) row = NULL;
    g_autofree char *notifications = print_notifications(in->notifications);
    return server_workspace_change(ctx, in->workspace_id, in->name, notifications, &row, error) &&
           give(row, ret, error);
}

gboolean
server_workspace_delete(ServerCtx *ctx, const SlWorkspaceIdRequest *in, gpointer *ret,
                        GError **error)
{
    return server_workspace_remove(ctx, in->workspace_id, error);
}
