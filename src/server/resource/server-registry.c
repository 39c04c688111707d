/* SPDX-License-Identifier: Apache-2.0 */
/* What the connector registry offers: /api/v1/sluice/registry. */
#include "config.h"

#include "server-problem.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-registry-read.h"
#include "sl-sql.h"

#define ALL 100000 /* of what is installed; which of it is outdated only we can tell */

static char *
dup_unless_empty(const char *text)
{
    return text != NULL && *text != '\0' ? g_strdup(text) : NULL;
}

static SlRegistryInstalled *
make_installed(const SlRegistryEntry *row)
{
    if (row->installed_id == NULL)
        return NULL;
    SlRegistryInstalled *installed = sl_registry_installed_new();
    installed->definition_id = g_strdup(row->installed_id);
    installed->name = g_strdup(row->installed_name);
    installed->runtime = g_strdup(row->installed_runtime);
    installed->version = dup_unless_empty(row->installed_version);
    sl_registry_installed_set_pinned(installed, row->installed_pinned);
    return installed;
}

static SlRegistryItem *
make_item(const SlRegistryEntry *row, const char *wished)
{
    SlRegistryItem *item = sl_registry_item_new();
    item->definition_id = g_strdup(row->definition_id);
    sl_registry_item_set_actor_type(item, row->actor_type);
    item->name = g_strdup(row->name);
    item->docker_repository = g_strdup(row->docker_repository);
    item->version = g_strdup(row->docker_image_tag);
    item->documentation_url = dup_unless_empty(row->documentation_url);
    item->icon = dup_unless_empty(row->icon);
    item->support_level = dup_unless_empty(row->support_level);
    item->release_stage = dup_unless_empty(row->release_stage);
    item->language = dup_unless_empty(row->language);
    item->pypi_package = g_strdup(row->pypi_package);
    item->npm_package = g_strdup(row->npm_package);
    item->manifest_url = g_strdup(row->manifest_url);
    item->allowed_hosts = g_strdupv(row->allowed_hosts);
    item->resource_requirements = g_strdup(row->resource_requirements);
    item->runtimes = sl_registry_runtimes(row, wished);
    item->installed = make_installed(row);
    sl_registry_item_set_outdated(item, sl_registry_is_outdated(row));
    item->breaking_versions = sl_registry_breaking_versions(row);
    if (sl_record_has(&sl_registry_entry_record, row, SL_REGISTRY_ENTRY_REMOVED_AT))
        sl_registry_item_set_removed_at(item, row->removed_at);
    return item;
}

/* Those that are outdated, as a page of their own. */
static void
keep_outdated(GPtrArray *rows, gint64 limit, gint64 offset, gint64 *ret_total)
{
    for (guint i = rows->len; i-- > 0;)
        if (!sl_registry_is_outdated(rows->pdata[i]))
            g_ptr_array_remove_index(rows, i);
    *ret_total = rows->len;
    g_ptr_array_remove_range(rows, 0, (guint)MIN(offset, rows->len));
    if (rows->len > limit)
        g_ptr_array_set_size(rows, (gint)limit);
}

static gboolean
tell_state(ServerCtx *ctx, SlRegistryPage *page, GError **error)
{
    g_autoptr(SlRegistryState) state = NULL;
    if (!sl_sql_registry_get(ctx->tx, &state, error))
        return FALSE;
    if (state == NULL)
        return TRUE;
    page->source = g_strdup(state->source);
    sl_registry_page_set_changed_at(page, state->changed_at);
    sl_registry_page_set_checked_at(page, state->checked_at);
    return TRUE;
}

gboolean
server_registry_list(ServerCtx *ctx, const SlRegistryListRequest *in, SlRegistryPage **ret,
                     GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    g_autoptr(SlRegistryPage) page = sl_registry_page_new();
    gboolean one =
        sl_record_has(&sl_registry_list_request_record, in, SL_REGISTRY_LIST_REQUEST_ACTOR_TYPE);
    const char *type = one ? sl_enum_name(&sl_actor_type_enum, in->actor_type) : NULL;
    gint64 total = 0;
    if (!sl_sql_registry_entry_list(ctx->tx, type, in->search != NULL ? in->search : "", NULL,
                                    in->outdated, in->installed || in->outdated,
                                    in->outdated ? ALL : in->limit, in->outdated ? 0 : in->offset,
                                    &rows, error) ||
        !tell_state(ctx, page, error))
        return FALSE;
    if (rows->len > 0)
        total = ((const SlRegistryEntry *)rows->pdata[0])->total;
    if (in->outdated)
        keep_outdated(rows, in->limit, in->offset, &total);
    page->data = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++)
        g_ptr_array_add(page->data, make_item(rows->pdata[i], ctx->server->registry_runtimes));
    sl_registry_page_set_total(page, total);
    *ret = g_steal_pointer(&page);
    return TRUE;
}

gboolean
server_registry_get(ServerCtx *ctx, const SlConnectorIdRequest *in, SlRegistryItem **ret,
                    GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    if (!sl_sql_registry_entry_list(ctx->tx, NULL, "", in->definition_id, TRUE, FALSE, 1, 0, &rows,
                                    error))
        return FALSE;
    if (rows->len == 0)
        return server_not_found(error, "connector of the registry", in->definition_id);
    const SlRegistryEntry *row = rows->pdata[0];
    *ret = make_item(row, ctx->server->registry_runtimes);
    (*ret)->spec = g_strdup(row->spec);
    (*ret)->breaking_changes = g_strdup(row->breaking_changes);
    return TRUE;
}
