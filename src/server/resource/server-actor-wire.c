/* SPDX-License-Identifier: Apache-2.0 */
/* The public API's face of sources and destinations. */
#include "config.h"

#include "server-actor.h"
#include "server-json.h"
#include "server-page.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-sql.h"

static int
kind_of(const ServerCtx *ctx)
{
    return ctx->operation->kind == SERVER_KIND_SOURCE ? SL_ACTOR_TYPE_SOURCE
                                                      : SL_ACTOR_TYPE_DESTINATION;
}

/* --- answers -------------------------------------------------------------------------------------
 */

/* A destination's configuration says its type: clients choose the class to decode it by that. Of a
 * source's it would be one more member that they do not know. */
static char *
show_configuration(const SlActor *actor, const char *type, gboolean coordinates, GError **error)
{
    g_autofree char *shown = server_actor_configuration(actor, coordinates, error);
    if (shown == NULL || actor->actor_type == SL_ACTOR_TYPE_SOURCE)
        return g_steal_pointer(&shown);
    return server_json_replace(shown, "destinationType", type, error);
}

/* Sources and destinations have records of the same C members; which one, the caller knows. */
static gpointer
make_response(const SlRecord *record, const SlActor *actor, const SlDefinition *definition,
              gboolean coordinates, GError **error)
{
    const char *type = definition != NULL ? server_actor_short_name(definition) : "";
    g_autofree char *configuration = show_configuration(actor, type, coordinates, error);
    g_autofree char *created =
        g_strdup_printf("%" G_GINT64_FORMAT, actor->created_at / G_USEC_PER_SEC);
    const struct {
        const char *column, *text;
    } columns[] = {
        {"actor_id", actor->actor_id},
        {"name", actor->name},
        {"actor_type", type},
        {"definition_id", actor->definition_id},
        {"workspace_id", actor->workspace_id},
        {"configuration", configuration},
        {"created_at", created},
        {"resource_allocation", actor->resource_allocation},
    };
    gpointer response = configuration != NULL ? sl_record_new(record) : NULL;
    for (gsize i = 0; response != NULL && i < G_N_ELEMENTS(columns); i++) {
        if (columns[i].text != NULL &&
            !sl_record_set_text(record, response, columns[i].column, columns[i].text, error)) {
            sl_record_free(record, response);
            return NULL;
        }
    }
    return response;
}

static gboolean
give(ServerCtx *ctx, const SlActor *actor, const SlDefinition *definition, gpointer *ret,
     GError **error)
{
    *ret = make_response(ctx->operation->out_record, actor, definition, FALSE, error);
    return *ret != NULL;
}

gboolean
server_actor_get(ServerCtx *ctx, const SlActorGetRequest *in, gpointer *ret, GError **error)
{
    g_autoptr(SlActor) actor = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    if (!server_actor_load(ctx, in->actor_id, kind_of(ctx), &actor, NULL, error) ||
        !sl_sql_definition_get(ctx->tx, actor->definition_id, &definition, error))
        return FALSE;
    *ret = make_response(ctx->operation->out_record, actor, definition,
                         in->include_secret_coordinates, error);
    return *ret != NULL;
}

gboolean
server_actor_list(ServerCtx *ctx, const SlListRequest *in, gpointer *ret, GError **error)
{
    const SlRecord *page_record = ctx->operation->out_record;
    const SlRecord *record = sl_record_find(page_record, "data")->record;
    const char *kind = sl_enum_name(&sl_actor_type_enum, kind_of(ctx));
    const char *const *workspaces = NULL;
    g_autoptr(GPtrArray) rows = NULL, ids = g_ptr_array_new();
    g_autoptr(GHashTable) definitions = NULL;
    if (!server_page_check(in->workspace_ids, in->offset, error) ||
        !server_ctx_workspaces(ctx, in->workspace_ids, &workspaces, error) ||
        !sl_sql_actor_list(ctx->tx, kind, workspaces, in->include_deleted, in->limit, in->offset,
                           &rows, error))
        return FALSE;
    for (guint i = 0; i < rows->len; i++)
        g_ptr_array_add(ids, ((const SlActor *)rows->pdata[i])->definition_id);
    if (!server_definitions_load(ctx, ids, &definitions, error))
        return FALSE;
    SlSourcePage *page = *ret = sl_record_new(page_record); /* DestinationPage is the same */
    page->data = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++) {
        const SlActor *actor = rows->pdata[i];
        gpointer response = make_response(
            record, actor, g_hash_table_lookup(definitions, actor->definition_id), FALSE, error);
        if (response == NULL)
            return FALSE;
        g_ptr_array_add(page->data, response);
    }
    server_page_links(ctx, &sl_list_request_record, in, rows->len, &page->previous, &page->next);
    return TRUE;
}

/* --- create, change, delete ----------------------------------------------------------------------
 */

static char *
print_resources(const SlScopedResourceRequirements *resources)
{
    return resources != NULL
               ? sl_record_print(&sl_scoped_resource_requirements_record, resources, 0)
               : NULL;
}

static gboolean
refuse_secret_id(const char *secret_id, GError **error)
{
    return secret_id == NULL || *secret_id == '\0' ||
           sl_error_set(error, SL_ERROR_NOT_IMPLEMENTED,
                        "secretId: this version has no OAuth; give the secrets in configuration");
}

gboolean
server_actor_create(ServerCtx *ctx, const SlActorCreateRequest *in, gpointer *ret, GError **error)
{
    g_autoptr(SlActor) actor = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    g_autofree char *resources = print_resources(in->resource_allocation);
    const ServerActorEdit edit = {in->name, in->configuration, resources, FALSE};
    return refuse_secret_id(in->secret_id, error) &&
           server_actor_make(ctx, kind_of(ctx), in->workspace_id, in->definition_id, &edit, &actor,
                             &definition, error) &&
           give(ctx, actor, definition, ret, error);
}

gboolean
server_actor_patch(ServerCtx *ctx, const SlActorPatchRequest *in, gpointer *ret, GError **error)
{
    g_autoptr(SlActor) actor = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    g_autofree char *resources = print_resources(in->resource_allocation);
    const ServerActorEdit edit = {in->name, in->configuration, resources, TRUE};
    return refuse_secret_id(in->secret_id, error) &&
           server_actor_change(ctx, kind_of(ctx), in->actor_id, &edit, &actor, &definition,
                               error) &&
           give(ctx, actor, definition, ret, error);
}

gboolean
server_actor_put(ServerCtx *ctx, const SlActorPutRequest *in, gpointer *ret, GError **error)
{
    g_autoptr(SlActor) actor = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    g_autofree char *resources = print_resources(in->resource_allocation);
    const ServerActorEdit edit = {in->name, in->configuration, resources, FALSE};
    return server_actor_change(ctx, kind_of(ctx), in->actor_id, &edit, &actor, &definition,
                               error) &&
           give(ctx, actor, definition, ret, error);
}

gboolean
server_actor_delete(ServerCtx *ctx, const SlActorIdRequest *in, gpointer *ret, GError **error)
{
    return server_actor_remove(ctx, kind_of(ctx), in->actor_id, error);
}

gboolean
server_actor_check(ServerCtx *ctx, const SlActorIdRequest *in, gpointer *ret, GError **error)
{
    g_autoptr(SlActor) actor = NULL;
    SlCheckResponse *check = NULL;
    gboolean ok = server_actor_load(ctx, in->actor_id, kind_of(ctx), &actor, NULL, error) &&
                  server_actor_await_check(ctx, actor, &check, error);
    *ret = check;
    return ok;
}
