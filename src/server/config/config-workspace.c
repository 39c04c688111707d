/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "config-notification.h"
#include "server-page.h"
#include "server-problem.h"
#include "server-routes.h"
#include "server-workspace.h"
#include "sl-error.h"
#include "sl-id.h"
#include "sl-sql.h"

/* --- finding -----------------------------------------------------------------------------------
 */

/* What is not set does not matter. */
typedef struct {
    const char *const *workspace_ids;
    gboolean include_deleted;
    const char *workspace_id, *organization_id, *slug, *connection_id, *name_contains;
    const SlConfigPagination *page;
} Find;

static gboolean
find(ServerCtx *ctx, const Find *f, GPtrArray **ret, GError **error)
{
    static const char *const everywhere[] = {NULL};
    return sl_sql_workspace_find(ctx->tx, f->workspace_ids != NULL ? f->workspace_ids : everywhere,
                                 f->include_deleted, f->workspace_id, f->organization_id, f->slug,
                                 f->connection_id, f->name_contains,
                                 f->page != NULL ? f->page->page_size : G_MAXINT32,
                                 f->page != NULL ? f->page->row_offset : 0, ret, error);
}

/* --- answers -----------------------------------------------------------------------------------
 */

static char *
print_notifications(const SlWorkspaceRow *row, GError **error)
{
    const SlWorkspace workspace = {.notifications = row->notifications};
    g_autofree char *all = server_workspace_notifications(&workspace, error);
    return all != NULL ? config_notification_to_settings(all, error) : NULL;
}

static SlConfigWorkspaceRead *
make_read(const SlWorkspaceRow *row, GError **error)
{
    g_autofree char *notifications = print_notifications(row, error);
    g_autoptr(SlConfigWorkspaceSettings) settings =
        notifications != NULL ? sl_record_parse_text(&sl_config_workspace_settings_record,
                                                     row->settings, strlen(row->settings), error)
                              : NULL;
    if (settings == NULL)
        return NULL;
    SlConfigWorkspaceRead *read = sl_config_workspace_read_new();
    read->workspace_id = g_strdup(row->workspace_id);
    read->customer_id = g_strdup(row->customer_id);
    read->organization_id = g_strdup(row->organization_id);
    read->name = g_strdup(row->name);
    read->slug = g_strdup(row->slug);
    read->email = g_strdup(settings->email);
    sl_config_workspace_read_set_initial_setup_complete(read, settings->initial_setup_complete);
    sl_config_workspace_read_set_display_setup_wizard(read, settings->display_setup_wizard);
    sl_config_workspace_read_set_anonymous_data_collection(read,
                                                           settings->anonymous_data_collection);
    sl_config_workspace_read_set_news(read, settings->news);
    sl_config_workspace_read_set_security_updates(read, settings->security_updates);
    sl_config_workspace_read_set_first_completed_sync(read, row->first_completed_sync);
    sl_config_workspace_read_set_feedback_done(read, settings->feedback_done);
    read->notification_settings = g_steal_pointer(&notifications);
    read->webhook_configs = g_strdup("[]");
    sl_config_workspace_read_set_tombstone(read, row->tombstone);
    return read;
}

static gboolean
give(ServerCtx *ctx, const Find *wanted, const char *what, SlConfigWorkspaceRead **ret,
     GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    if (!find(ctx, wanted, &rows, error))
        return FALSE;
    if (rows->len == 0)
        return server_not_found(error, "workspace", what);
    *ret = make_read(rows->pdata[0], error);
    return *ret != NULL;
}

static gboolean
give_one(ServerCtx *ctx, const char *workspace_id, SlConfigWorkspaceRead **ret, GError **error)
{
    const Find wanted = {.workspace_id = workspace_id};
    return give(ctx, &wanted, workspace_id, ret, error);
}

static gboolean
give_list(ServerCtx *ctx, const Find *wanted, SlConfigWorkspaceList **ret, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    if (!find(ctx, wanted, &rows, error))
        return FALSE;
    *ret = sl_config_workspace_list_new();
    (*ret)->workspaces = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++) {
        SlConfigWorkspaceRead *read = make_read(rows->pdata[i], error);
        if (read == NULL)
            return FALSE;
        g_ptr_array_add((*ret)->workspaces, read);
    }
    return TRUE;
}

/* --- reading -----------------------------------------------------------------------------------
 */

gboolean
server_config_workspace_get(ServerCtx *ctx, const SlConfigWorkspaceIdRequest *in,
                            SlConfigWorkspaceRead **ret, GError **error)
{
    const Find wanted = {.workspace_id = in->workspace_id,
                         .include_deleted = in->include_tombstone};
    return give(ctx, &wanted, in->workspace_id, ret, error);
}

gboolean
server_config_workspace_get_by_slug(ServerCtx *ctx, const SlConfigSlugRequest *in,
                                    SlConfigWorkspaceRead **ret, GError **error)
{
    Find wanted = {.slug = in->slug};
    return server_ctx_workspaces(ctx, NULL, &wanted.workspace_ids, error) &&
           give(ctx, &wanted, in->slug, ret, error);
}

gboolean
server_config_workspace_get_by_connection(ServerCtx *ctx,
                                          const SlConfigWorkspaceOfConnectionRequest *in,
                                          SlConfigWorkspaceRead **ret, GError **error)
{
    const Find wanted = {.connection_id = in->connection_id};
    return give(ctx, &wanted, in->connection_id, ret, error);
}

gboolean
server_config_workspace_get_by_connection_with_tombstone(
    ServerCtx *ctx, const SlConfigWorkspaceOfConnectionRequest *in, SlConfigWorkspaceRead **ret,
    GError **error)
{
    const Find wanted = {.connection_id = in->connection_id, .include_deleted = TRUE};
    return give(ctx, &wanted, in->connection_id, ret, error);
}

gboolean
server_config_workspace_list(ServerCtx *ctx, gconstpointer in, SlConfigWorkspaceList **ret,
                             GError **error)
{
    Find wanted = {0};
    return server_ctx_workspaces(ctx, NULL, &wanted.workspace_ids, error) &&
           give_list(ctx, &wanted, ret, error);
}

gboolean
server_config_workspace_list_paginated(ServerCtx *ctx, const SlConfigPageRequest *in,
                                       SlConfigWorkspaceList **ret, GError **error)
{
    Find wanted = {.include_deleted = in->include_deleted,
                   .name_contains = in->name_contains,
                   .page = in->pagination};
    return server_page_check(in->workspace_ids, 0, error) &&
           server_ctx_workspaces(ctx, in->workspace_ids, &wanted.workspace_ids, error) &&
           give_list(ctx, &wanted, ret, error);
}

gboolean
server_config_workspace_list_by_organization(ServerCtx *ctx,
                                             const SlConfigWorkspacesOfOrganization *in,
                                             SlConfigWorkspaceList **ret, GError **error)
{
    Find wanted = {.organization_id = in->organization_id,
                   .name_contains = in->name_contains,
                   .page = in->pagination};
    return server_ctx_workspaces(ctx, NULL, &wanted.workspace_ids, error) &&
           give_list(ctx, &wanted, ret, error);
}

/* What somebody else may see is the administrator's to know, who sees everything. */
gboolean
server_config_workspace_list_by_user(ServerCtx *ctx, const SlConfigWorkspacesOfUser *in,
                                     SlConfigWorkspaceList **ret, GError **error)
{
    Find wanted = {.name_contains = in->name_contains, .page = in->pagination};
    if (!ctx->caller.admin && g_strcmp0(ctx->caller.user_id, in->user_id) != 0)
        return sl_error_set(error, SL_ERROR_FORBIDDEN, "userId: is not you");
    return server_ctx_workspaces(ctx, NULL, &wanted.workspace_ids, error) &&
           give_list(ctx, &wanted, ret, error);
}

gboolean
server_config_workspace_get_organization_info(ServerCtx *ctx, const SlConfigWorkspaceIdRequest *in,
                                              SlConfigOrganizationInfo **ret, GError **error)
{
    return sl_sql_workspace_get_organization(ctx->tx, in->workspace_id, ret, error) &&
           (*ret != NULL || server_not_found(error, "workspace", in->workspace_id));
}

/* --- create, change, delete ----------------------------------------------------------------------
 */

/* Members of the settings that an input gives, as JSON. */
static char *
print_settings(const SlRecord *record, gconstpointer in)
{
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    for (guint i = 0; i < sl_config_workspace_settings_record.n_fields; i++) {
        const char *column = sl_config_workspace_settings_record.fields[i].column;
        const SlField *field = sl_record_find(record, column);
        if (field == NULL || !sl_record_has(record, in, (guint)(field - record->fields)))
            continue;
        gconstpointer member = G_STRUCT_MEMBER_P(in, field->offset);
        if (field->kind == SL_KIND_BOOL)
            sl_json_member_bool(&w, field->json, *(const gboolean *)member);
        else
            sl_json_member_string(&w, field->json, *(const char *const *)member);
    }
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

/* "My Team!" is "my-team". */
static char *
make_slug(const char *name)
{
    GString *slug = g_string_new(NULL);
    for (const char *p = name; *p != '\0'; p = g_utf8_next_char(p)) {
        if (g_ascii_isalnum(*p))
            g_string_append_c(slug, g_ascii_tolower(*p));
        else if (slug->len > 0 && slug->str[slug->len - 1] != '-')
            g_string_append_c(slug, '-');
    }
    while (slug->len > 0 && slug->str[slug->len - 1] == '-')
        g_string_truncate(slug, slug->len - 1);
    if (slug->len == 0)
        g_string_append(slug, "workspace");
    return g_string_free(slug, FALSE);
}

static gboolean
refuse_webhooks(const char *webhooks, GError **error)
{
    return webhooks == NULL || strcmp(webhooks, "[]") == 0 ||
           sl_error_set(error, SL_ERROR_NOT_IMPLEMENTED,
                        "webhookConfigs: webhook operations are not known to this version");
}

static gboolean
create(ServerCtx *ctx, const char *id, const SlConfigWorkspaceCreate *in, const char *settings,
       SlConfigWorkspaceRead **ret, GError **error)
{
    g_autoptr(SlWorkspace) row = NULL;
    g_autofree char *slug = make_slug(in->name);
    g_autofree char *notifications = NULL;
    if (in->notification_settings != NULL) {
        notifications = config_notification_from_settings(in->notification_settings, error);
        if (notifications == NULL)
            return FALSE;
    }
    return refuse_webhooks(in->webhook_configs, error) &&
           server_workspace_make(ctx, id, in->organization_id, in->name, notifications, &row,
                                 error) &&
           sl_sql_workspace_set_slug(ctx->tx, row->workspace_id, slug, NULL, error) &&
           sl_sql_workspace_set_settings(ctx->tx, row->workspace_id, settings, NULL, error) &&
           give_one(ctx, row->workspace_id, ret, error);
}

gboolean
server_config_workspace_create(ServerCtx *ctx, const SlConfigWorkspaceCreate *in,
                               SlConfigWorkspaceRead **ret, GError **error)
{
    g_autofree char *settings = print_settings(&sl_config_workspace_create_record, in);
    return create(ctx, NULL, in, settings, ret, error);
}

/* One that is there is given as it is; a deleted one keeps its id. */
gboolean
server_config_workspace_create_if_not_exist(ServerCtx *ctx, const SlConfigWorkspaceCreateWithId *in,
                                            SlConfigWorkspaceRead **ret, GError **error)
{
    const Find wanted = {.workspace_id = in->id, .include_deleted = TRUE};
    g_autoptr(GPtrArray) rows = NULL;
    if (!find(ctx, &wanted, &rows, error))
        return FALSE;
    if (rows->len > 0) {
        const SlWorkspaceRow *row = rows->pdata[0];
        if (row->tombstone)
            return sl_error_set(error, SL_ERROR_GONE, "id: workspace '%s' was deleted", in->id);
        *ret =
            strcmp(row->organization_id, in->organization_id) == 0 ? make_read(row, error) : NULL;
        return *ret != NULL ||
               sl_error_set(error, SL_ERROR_EXISTS, "id: workspace '%s' is of another organization",
                            in->id);
    }
    const SlConfigWorkspaceCreate same = {.name = in->name,
                                          .organization_id = in->organization_id,
                                          .notification_settings = in->notification_settings,
                                          .webhook_configs = in->webhook_configs};
    g_autofree char *settings = print_settings(&sl_config_workspace_create_with_id_record, in);
    return create(ctx, in->id, &same, settings, ret, error);
}

static gboolean
rename_workspace(ServerCtx *ctx, const char *workspace_id, const char *name, GError **error)
{
    g_autoptr(SlWorkspace) row = NULL;
    g_autofree char *slug = make_slug(name);
    return server_workspace_change(ctx, workspace_id, name, NULL, &row, error) &&
           sl_sql_workspace_set_slug(ctx->tx, workspace_id, slug, NULL, error);
}

static gboolean
change_notifications(ServerCtx *ctx, const SlConfigWorkspaceUpdate *in, GError **error)
{
    g_autoptr(SlWorkspace) replaced = NULL, merged = NULL;
    g_autofree char *all = NULL, *some = NULL;
    if (in->notification_settings != NULL) {
        all = config_notification_from_settings(in->notification_settings, error);
        if (all == NULL ||
            !server_workspace_change(ctx, in->workspace_id, NULL, all, &replaced, error))
            return FALSE;
    }
    if (in->notifications_config == NULL)
        return TRUE;
    some = sl_record_print(&sl_notifications_config_record, in->notifications_config, 0);
    return server_workspace_change(ctx, in->workspace_id, NULL, some, &merged, error);
}

gboolean
server_config_workspace_update(ServerCtx *ctx, const SlConfigWorkspaceUpdate *in,
                               SlConfigWorkspaceRead **ret, GError **error)
{
    g_autofree char *settings = print_settings(&sl_config_workspace_update_record, in);
    return refuse_webhooks(in->webhook_configs, error) &&
           server_workspace_load(ctx, in->workspace_id, NULL, error) &&
           (in->name == NULL || rename_workspace(ctx, in->workspace_id, in->name, error)) &&
           change_notifications(ctx, in, error) &&
           sl_sql_workspace_set_settings(ctx->tx, in->workspace_id, settings, NULL, error) &&
           give_one(ctx, in->workspace_id, ret, error);
}

gboolean
server_config_workspace_update_name(ServerCtx *ctx, const SlConfigWorkspaceUpdateName *in,
                                    SlConfigWorkspaceRead **ret, GError **error)
{
    return rename_workspace(ctx, in->workspace_id, in->name, error) &&
           give_one(ctx, in->workspace_id, ret, error);
}

gboolean
server_config_workspace_feedback(ServerCtx *ctx, const SlConfigWorkspaceIdRequest *in,
                                 gpointer *ret, GError **error)
{
    return server_workspace_load(ctx, in->workspace_id, NULL, error) &&
           sl_sql_workspace_set_settings(ctx->tx, in->workspace_id, "{\"feedbackDone\":true}", NULL,
                                         error);
}

gboolean
server_config_workspace_delete(ServerCtx *ctx, const SlConfigWorkspaceIdRequest *in, gpointer *ret,
                               GError **error)
{
    return server_workspace_remove(ctx, in->workspace_id, error);
}
