/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-actor.h"

#include <string.h>

#include "server-actor.h"
#include "server-page.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-secret.h"
#include "sl-sql.h"

static int
kind_of(const ServerCtx *ctx)
{
    return ctx->operation->kind == SERVER_KIND_SOURCE ? SL_ACTOR_TYPE_SOURCE
                                                      : SL_ACTOR_TYPE_DESTINATION;
}

static const char *
kind_name(const ServerCtx *ctx)
{
    return sl_enum_name(&sl_actor_type_enum, kind_of(ctx));
}

/* --- finding -----------------------------------------------------------------------------------
 */

/* What is not set does not matter. */
typedef struct {
    const char *const *workspace_ids;
    gboolean include_deleted;
    const char *name_contains, *state, *actor_id, *definition_id, *definition_name, *workspace_id,
        *configuration, *sort, *cursor;
    gint64 limit, offset;
} Find;

static gboolean
find(ServerCtx *ctx, const Find *f, GPtrArray **ret, GError **error)
{
    static const char *const everywhere[] = {NULL};
    return sl_sql_actor_find(
        ctx->tx, kind_name(ctx), f->workspace_ids != NULL ? f->workspace_ids : everywhere,
        f->include_deleted, f->name_contains, f->state, f->actor_id, f->definition_id,
        f->definition_name, f->workspace_id, f->configuration, f->sort != NULL ? f->sort : "",
        f->cursor, f->limit > 0 ? f->limit : G_MAXINT32, f->offset, ret, error);
}

/* --- answers -----------------------------------------------------------------------------------
 */

/* `record` is that of sources or of destinations: one layout. */
static gpointer
make_read(const SlRecord *record, const SlActorRow *row, GError **error)
{
    g_autofree char *masked = sl_secret_mask(row->configuration, error);
    if (masked == NULL)
        return NULL;
    SlConfigSourceRead *read = sl_record_new(record);
    read->definition_id = g_strdup(row->definition_id);
    read->actor_id = g_strdup(row->actor_id);
    read->workspace_id = g_strdup(row->workspace_id);
    read->configuration = g_steal_pointer(&masked);
    read->name = g_strdup(row->name);
    read->definition_name = g_strdup(row->definition_name);
    sl_config_source_read_set_created_at(read, row->created_at / G_USEC_PER_SEC);
    sl_config_source_read_set_is_version_override_applied(read, FALSE);
    sl_config_source_read_set_is_entitled(read, TRUE);
    read->support_state = g_strdup("supported");
    sl_config_source_read_set_status(read, row->active_connections > 0
                                               ? SL_CONFIG_ACTOR_STATUS_ACTIVE
                                               : SL_CONFIG_ACTOR_STATUS_INACTIVE);
    read->resource_allocation = g_strdup(row->resource_allocation);
    sl_config_source_read_set_num_connections(read, row->connections);
    if (sl_record_has(&sl_actor_row_record, row, SL_ACTOR_ROW_LAST_SYNC))
        sl_config_source_read_set_last_sync(read, row->last_sync / G_USEC_PER_SEC);
    read->connection_job_statuses = g_strdup(row->job_statuses);
    return read;
}

gpointer
config_actor_read(ServerCtx *ctx, int actor_type, const char *actor_id, const SlRecord *record,
                  GError **error)
{
    static const char *const everywhere[] = {NULL};
    const char *type = sl_enum_name(&sl_actor_type_enum, actor_type);
    g_autoptr(GPtrArray) rows = NULL;
    if (!sl_sql_actor_find(ctx->tx, type, everywhere, TRUE, NULL, NULL, actor_id, NULL, NULL, NULL,
                           NULL, "", NULL, 1, 0, &rows, error))
        return NULL;
    if (rows->len == 0) {
        sl_error_set(error, SL_ERROR_NOT_FOUND, "%s '%s' does not exist", type, actor_id);
        return NULL;
    }
    return make_read(record, rows->pdata[0], error);
}

static gboolean
give(ServerCtx *ctx, const char *actor_id, gpointer *ret, GError **error)
{
    const Find wanted = {.actor_id = actor_id};
    g_autoptr(GPtrArray) rows = NULL;
    if (!find(ctx, &wanted, &rows, error))
        return FALSE;
    if (rows->len == 0)
        return sl_error_set(error, SL_ERROR_NOT_FOUND, "%s '%s' does not exist", kind_name(ctx),
                            actor_id);
    *ret = make_read(ctx->operation->out_record, rows->pdata[0], error);
    return *ret != NULL;
}

/* *ret_total stays when the page is empty: the rows tell it. */
static SlConfigSourceList *
give_list(ServerCtx *ctx, const Find *wanted, gint64 *ret_total, GError **error)
{
    const SlRecord *record = sl_record_find(ctx->operation->out_record, "actors")->record;
    g_autoptr(GPtrArray) rows = NULL;
    if (!find(ctx, wanted, &rows, error))
        return NULL;
    SlConfigSourceList *list = sl_record_new(ctx->operation->out_record);
    list->actors = g_ptr_array_new();
    if (ret_total != NULL && rows->len > 0)
        *ret_total = ((const SlActorRow *)rows->pdata[0])->total;
    for (guint i = 0; i < rows->len; i++) {
        gpointer read = make_read(record, rows->pdata[i], error);
        if (read == NULL) {
            sl_record_free(ctx->operation->out_record, list);
            return NULL;
        }
        g_ptr_array_add(list->actors, read);
    }
    return list;
}

/* --- operations --------------------------------------------------------------------------------
 */

gboolean
server_config_actor_get(ServerCtx *ctx, const SlConfigSourceIdRequest *in, gpointer *ret,
                        GError **error)
{
    return give(ctx, in->actor_id, ret, error);
}

/* Of an empty page behind the last row. */
static gboolean
count(ServerCtx *ctx, Find wanted, gint64 *ret, GError **error)
{
    g_autoptr(GPtrArray) first = NULL;
    wanted.cursor = NULL;
    wanted.limit = 1;
    if (!find(ctx, &wanted, &first, error))
        return FALSE;
    *ret = first->len > 0 ? ((const SlActorRow *)first->pdata[0])->total : 0;
    return TRUE;
}

/* A page without a total would be asked for again and again. */
gboolean
server_config_actor_list(ServerCtx *ctx, const SlConfigActorListRequest *in, gpointer *ret,
                         GError **error)
{
    const SlRecord *record = &sl_config_actor_list_request_record;
    const SlConfigActorFilters *filters = in->filters;
    char *const *states = filters != NULL ? filters->states : NULL;
    Find wanted = {.workspace_id = in->workspace_id,
                   .cursor = in->cursor,
                   .limit = in->page_size,
                   .name_contains = filters != NULL ? filters->search_term : NULL};
    for (guint i = 0; states != NULL && states[i] != NULL; i++)
        if (sl_enum_value(&sl_config_actor_status_enum, states[i]) < 0)
            return sl_error_set(error, SL_ERROR_INVALID, "filters.states: '%s' is no state",
                                states[i]);
    if (states != NULL && g_strv_length((char **)states) == 1)
        wanted.state = states[0]; /* both: no filter */
    if (sl_record_has(record, in, SL_CONFIG_ACTOR_LIST_REQUEST_SORT_KEY))
        wanted.sort = sl_enum_name(&sl_config_actor_list_request_sort_key_enum, in->sort_key);
    gint64 total = -1;
    SlConfigSourceList *list = *ret = give_list(ctx, &wanted, &total, error);
    if (list == NULL)
        return FALSE;
    if (total < 0 && wanted.cursor != NULL && !count(ctx, wanted, &total, error))
        return FALSE;
    sl_config_source_list_set_page_size(list, in->page_size);
    sl_config_source_list_set_num_connections(list, MAX(total, 0));
    return TRUE;
}

gboolean
server_config_actor_list_paginated(ServerCtx *ctx, const SlConfigPageRequest *in, gpointer *ret,
                                   GError **error)
{
    const SlConfigPagination *page = in->pagination;
    const char *const *workspaces;
    if (!server_page_check(in->workspace_ids, 0, error) ||
        !server_ctx_workspaces(ctx, in->workspace_ids, &workspaces, error))
        return FALSE;
    const Find wanted = {.workspace_ids = workspaces,
                         .include_deleted = in->include_deleted,
                         .name_contains = in->name_contains,
                         .limit = page != NULL ? page->page_size : 20,
                         .offset = page != NULL ? page->row_offset : 0};
    *ret = give_list(ctx, &wanted, NULL, error);
    return *ret != NULL;
}

gboolean
server_config_actor_search(ServerCtx *ctx, const SlConfigSourceSearch *in, gpointer *ret,
                           GError **error)
{
    const char *const *workspaces;
    if (!server_ctx_workspaces(ctx, NULL, &workspaces, error))
        return FALSE;
    const Find wanted = {.workspace_ids = workspaces,
                         .workspace_id = in->workspace_id,
                         .actor_id = in->actor_id,
                         .definition_id = in->definition_id,
                         .definition_name = in->definition_name,
                         .configuration = in->configuration,
                         .name_contains = in->name};
    *ret = give_list(ctx, &wanted, NULL, error);
    return *ret != NULL;
}

gboolean
config_actor_search_ids(ServerCtx *ctx, int actor_type, const char *const *workspace_ids,
                        const SlConfigSourceSearch *in, char ***ret, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    g_autoptr(GStrvBuilder) ids = g_strv_builder_new();
    if (!sl_sql_actor_find(ctx->tx, sl_enum_name(&sl_actor_type_enum, actor_type), workspace_ids,
                           TRUE, in->name, NULL, in->actor_id, in->definition_id,
                           in->definition_name, in->workspace_id, in->configuration, "", NULL,
                           G_MAXINT32, 0, &rows, error))
        return FALSE;
    for (guint i = 0; i < rows->len; i++)
        g_strv_builder_add(ids, ((const SlActorRow *)rows->pdata[i])->actor_id);
    *ret = g_strv_builder_end(ids);
    return TRUE;
}

/* --- create, change, delete ----------------------------------------------------------------------
 */

static gboolean
refuse_oauth(const char *secret_id, GError **error)
{
    return secret_id == NULL ||
           sl_error_set(error, SL_ERROR_NOT_IMPLEMENTED,
                        "secretId: OAuth flows are not known to this version; put the credentials "
                        "into connectionConfiguration");
}

static char *
print_resources(const SlScopedResourceRequirements *resources)
{
    return resources != NULL
               ? sl_record_print(&sl_scoped_resource_requirements_record, resources, 0)
               : NULL;
}

gboolean
server_config_actor_create(ServerCtx *ctx, const SlConfigSourceCreate *in, gpointer *ret,
                           GError **error)
{
    g_autofree char *resources = print_resources(in->resource_allocation);
    const ServerActorEdit edit = {in->name, in->configuration, resources, FALSE};
    g_autoptr(SlActor) actor = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    return refuse_oauth(in->secret_id, error) &&
           server_actor_make(ctx, kind_of(ctx), in->workspace_id, in->definition_id, &edit, &actor,
                             &definition, error) &&
           give(ctx, actor->actor_id, ret, error);
}

static gboolean
change(ServerCtx *ctx, const char *actor_id, const char *secret_id, const ServerActorEdit *edit,
       gpointer *ret, GError **error)
{
    g_autoptr(SlActor) actor = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    return refuse_oauth(secret_id, error) &&
           server_actor_change(ctx, kind_of(ctx), actor_id, edit, &actor, &definition, error) &&
           give(ctx, actor_id, ret, error);
}

gboolean
server_config_actor_update(ServerCtx *ctx, const SlConfigSourceUpdate *in, gpointer *ret,
                           GError **error)
{
    g_autofree char *resources = print_resources(in->resource_allocation);
    const ServerActorEdit edit = {in->name, in->configuration, resources, FALSE};
    return change(ctx, in->actor_id, in->secret_id, &edit, ret, error);
}

gboolean
server_config_actor_partial_update(ServerCtx *ctx, const SlConfigSourcePartialUpdate *in,
                                   gpointer *ret, GError **error)
{
    g_autofree char *resources = print_resources(in->resource_allocation);
    const ServerActorEdit edit = {in->name, in->configuration, resources, TRUE};
    return change(ctx, in->actor_id, in->secret_id, &edit, ret, error);
}

gboolean
server_config_actor_delete(ServerCtx *ctx, const SlConfigSourceIdRequest *in, gpointer *ret,
                           GError **error)
{
    return server_actor_remove(ctx, kind_of(ctx), in->actor_id, error);
}

/* One version is installed, and everybody has it. */
gboolean
server_config_actor_upgrade(ServerCtx *ctx, const SlConfigSourceIdRequest *in, gpointer *ret,
                            GError **error)
{
    return server_actor_load(ctx, in->actor_id, kind_of(ctx), NULL, NULL, error);
}
