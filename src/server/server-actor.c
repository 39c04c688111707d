/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-actor.h"

#include <string.h>

#include "server-job.h"
#include "server-page.h"
#include "server-routes.h"
#include "server-spec.h"
#include "sl-error.h"
#include "sl-id.h"
#include "sl-secret.h"
#include "sl-sql.h"

static int
kind_of(const ServerCtx *ctx)
{
    return ctx->operation->kind == SERVER_KIND_SOURCE ? SL_ACTOR_TYPE_SOURCE
                                                      : SL_ACTOR_TYPE_DESTINATION;
}

static const char *
kind_name(int actor_type)
{
    return sl_enum_name(&sl_actor_type_enum, actor_type);
}

/* "sourceType" or "destinationType": the API's member of a configuration that is not the
 * connector's. */
static char *
type_member(int actor_type)
{
    return g_strconcat(kind_name(actor_type), "Type", NULL);
}

/* "sluice/source-postgres" is "postgres" to clients. */
static const char *
short_name(const SlDefinition *definition)
{
    const char *slash = strrchr(definition->docker_repository, '/');
    const char *name = slash != NULL ? slash + 1 : definition->docker_repository;
    g_autofree char *prefix = g_strconcat(kind_name(definition->actor_type), "-", NULL);
    return g_str_has_prefix(name, prefix) ? name + strlen(prefix) : name;
}

gboolean
server_actor_load(ServerCtx *ctx, const char *actor_id, int actor_type, SlActor **ret,
                  SlDefinition **ret_definition, GError **error)
{
    g_autoptr(SlActor) actor = NULL;
    if (!sl_sql_actor_get(ctx->tx, actor_id, &actor, error))
        return FALSE;
    if (actor == NULL || actor->tombstone || actor->actor_type != actor_type)
        return sl_error_set(error, SL_ERROR_NOT_FOUND, "%s '%s' does not exist",
                            kind_name(actor_type), actor_id);
    if (ret_definition != NULL) {
        if (!sl_sql_definition_get(ctx->tx, actor->definition_id, ret_definition, error))
            return FALSE;
        if (*ret_definition == NULL)
            return sl_error_set(error, SL_ERROR_CONFLICT,
                                "the connector of %s '%s' was removed from this host",
                                kind_name(actor_type), actor->name);
    }
    if (ret != NULL)
        *ret = g_steal_pointer(&actor);
    return TRUE;
}

/* --- configurations ------------------------------------------------------------------------------
 */

/* Copies the members of an object but `without`, and adds text `value` under that name. */
static char *
rewrite(const char *json, const char *without, const char *value, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(json, strlen(json), NULL, error);
    if (doc == NULL)
        return NULL;
    if (sl_json_root(doc)->type != SL_JSON_OBJECT) {
        sl_error_set(error, SL_ERROR_INVALID, "configuration: expected object");
        return NULL;
    }
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    if (value != NULL)
        sl_json_member_string(&w, without, value);
    SL_JSON_FOREACH (doc, sl_json_root(doc), key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (name == NULL || strcmp(name, without) == 0)
            continue;
        sl_json_key(&w, name);
        sl_json_node(&w, key + 1);
    }
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

/* Merges `patch` over `base`: objects deeply, everything else whole. A stored secret is a leaf. */
static void
merge(SlJsonWriter *w, const SlJsonDoc *base_doc, const SlJsonNode *base, const SlJsonDoc *doc,
      const SlJsonNode *patch)
{
    gboolean deep = base != NULL && base->type == SL_JSON_OBJECT && patch->type == SL_JSON_OBJECT &&
                    sl_json_get(base_doc, base, "_secret") == NULL;
    if (!deep) {
        sl_json_node(w, patch);
        return;
    }
    sl_json_begin_object(w);
    SL_JSON_FOREACH (base_doc, base, key) {
        g_autofree char *name = sl_json_dup_string(key);
        const SlJsonNode *other = name != NULL ? sl_json_get(doc, patch, name) : NULL;
        if (name == NULL)
            continue;
        sl_json_key(w, name);
        if (other != NULL)
            merge(w, base_doc, key + 1, doc, other);
        else
            sl_json_node(w, key + 1);
    }
    SL_JSON_FOREACH (doc, patch, key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (name == NULL || sl_json_get(base_doc, base, name) != NULL)
            continue;
        sl_json_key(w, name);
        sl_json_node(w, key + 1);
    }
    sl_json_end_object(w);
}

static char *
merge_configurations(const char *base, const char *patch, GError **error)
{
    g_autoptr(SlJsonDoc) base_doc = sl_json_read(base, strlen(base), NULL, error);
    g_autoptr(SlJsonDoc) doc =
        base_doc != NULL ? sl_json_read(patch, strlen(patch), NULL, error) : NULL;
    if (doc == NULL)
        return NULL;
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    merge(&w, base_doc, sl_json_root(base_doc), doc, sl_json_root(doc));
    return g_string_free(out, FALSE);
}

static char *
refuse_secret(const char *plain, gpointer data, GError **error)
{
    sl_error_set(error, SL_ERROR_CONFIG,
                 "the configuration has secrets, and this host has no master key "
                 "(credential 'sluice-master-key')");
    return NULL;
}

/* References are made by us only: one that comes from outside could name somebody else's secret. */
static gboolean
refuse_references(const char *given, GError **error)
{
    g_auto(GStrv) ids = sl_secret_list(given, error);
    if (ids == NULL)
        return FALSE;
    return ids[0] == NULL ||
           sl_error_set(error, SL_ERROR_INVALID, "configuration: '_secret' is not for clients");
}

/* Judged, its secrets put away: what is stored. */
static char *
seal_configuration(ServerCtx *ctx, const SlActor *actor, const SlDefinition *definition,
                   const char *given, GError **error)
{
    g_autofree char *member = type_member(actor->actor_type);
    g_autofree char *plain = rewrite(given, member, NULL, error);
    if (plain == NULL || !server_spec_judge(definition->spec, plain, error))
        return NULL;
    g_autofree char *schema = server_spec_connection(definition->spec);
    if (ctx->server->seal_key == NULL)
        return sl_secret_split(plain, schema, actor->configuration, refuse_secret, NULL, error);
    return sl_secret_store(ctx->tx, ctx->server->seal_key, actor->workspace_id, actor->actor_id,
                           plain, schema, actor->configuration, ctx->now, error);
}

/* --- answers -------------------------------------------------------------------------------------
 */

/* Sources and destinations have records of the same C members; which one, the caller knows. */
static gpointer
make_response(const SlRecord *record, const SlActor *actor, const SlDefinition *definition,
              GError **error)
{
    g_autofree char *member = type_member(actor->actor_type);
    g_autofree char *masked = sl_secret_mask(actor->configuration, error);
    const char *name = definition != NULL ? short_name(definition) : "";
    g_autofree char *configuration = masked != NULL ? rewrite(masked, member, name, error) : NULL;
    g_autofree char *created =
        g_strdup_printf("%" G_GINT64_FORMAT, actor->created_at / G_USEC_PER_SEC);
    const struct {
        const char *column, *text;
    } columns[] = {
        {"actor_id", actor->actor_id},
        {"name", actor->name},
        {"actor_type", name},
        {"definition_id", actor->definition_id},
        {"workspace_id", actor->workspace_id},
        {"configuration", configuration},
        {"created_at", created},
    };
    gpointer response = configuration != NULL ? sl_record_new(record) : NULL;
    for (gsize i = 0; response != NULL && i < G_N_ELEMENTS(columns); i++) {
        if (!sl_record_set_text(record, response, columns[i].column, columns[i].text, error)) {
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
    *ret = make_response(ctx->operation->out_record, actor, definition, error);
    return *ret != NULL;
}

gboolean
server_actor_get(ServerCtx *ctx, const SlActorIdRequest *in, gpointer *ret, GError **error)
{
    g_autoptr(SlActor) actor = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    return server_actor_load(ctx, in->actor_id, kind_of(ctx), &actor, NULL, error) &&
           sl_sql_definition_get(ctx->tx, actor->definition_id, &definition, error) &&
           give(ctx, actor, definition, ret, error);
}

gboolean
server_actor_list(ServerCtx *ctx, const SlListRequest *in, gpointer *ret, GError **error)
{
    const SlRecord *page_record = ctx->operation->out_record;
    const SlRecord *record = sl_record_find(page_record, "data")->record;
    const char *const *workspaces = NULL;
    g_autoptr(GPtrArray) rows = NULL;
    if (!server_page_check(in->workspace_ids, in->offset, error) ||
        !server_ctx_workspaces(ctx, in->workspace_ids, &workspaces, error) ||
        !sl_sql_actor_list(ctx->tx, kind_name(kind_of(ctx)), workspaces, in->include_deleted,
                           in->limit, in->offset, &rows, error))
        return FALSE;
    SlSourcePage *page = *ret = sl_record_new(page_record); /* DestinationPage is the same */
    page->data = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++) {
        const SlActor *actor = rows->pdata[i];
        g_autoptr(SlDefinition) definition = NULL;
        if (!sl_sql_definition_get(ctx->tx, actor->definition_id, &definition, error))
            return FALSE;
        gpointer response = make_response(record, actor, definition, error);
        if (response == NULL)
            return FALSE;
        g_ptr_array_add(page->data, response);
    }
    server_page_links(ctx, &sl_list_request_record, in, rows->len, &page->previous, &page->next);
    return TRUE;
}

/* --- create, change, delete ----------------------------------------------------------------------
 */

static gboolean
find_by_name(ServerCtx *ctx, const SlActorCreateRequest *in, SlDefinition **ret, GError **error)
{
    g_autofree char *member = type_member(kind_of(ctx));
    g_autoptr(SlJsonDoc) doc =
        sl_json_read(in->configuration, strlen(in->configuration), NULL, error);
    if (doc == NULL)
        return FALSE;
    const SlJsonNode *node = sl_json_get(doc, sl_json_root(doc), member);
    g_autofree char *name = node != NULL ? sl_json_dup_string(node) : NULL;
    if (name == NULL)
        return sl_error_set(error, SL_ERROR_UNPROCESSABLE,
                            "definitionId or configuration.%s is required", member);
    return sl_sql_definition_find_by_name(ctx->tx, kind_name(kind_of(ctx)), name, ret, error) &&
           (*ret != NULL ||
            sl_error_set(error, SL_ERROR_INVALID, "configuration.%s: there is no connector '%s'",
                         member, name));
}

static gboolean
find_definition(ServerCtx *ctx, const SlActorCreateRequest *in, SlDefinition **ret, GError **error)
{
    if (in->definition_id == NULL)
        return find_by_name(ctx, in, ret, error);
    if (!sl_sql_definition_resolve(ctx->tx, in->definition_id, ret, error))
        return FALSE;
    return (*ret != NULL && (*ret)->actor_type == kind_of(ctx)) ||
           sl_error_set(error, SL_ERROR_NOT_FOUND, "definitionId: there is no %s connector '%s'",
                        kind_name(kind_of(ctx)), in->definition_id);
}

/* The row comes first, empty: its secrets refer to it. */
gboolean
server_actor_create(ServerCtx *ctx, const SlActorCreateRequest *in, gpointer *ret, GError **error)
{
    g_autoptr(SlDefinition) definition = NULL;
    g_autoptr(SlWorkspace) workspace = NULL;
    g_autoptr(SlActor) empty = NULL;
    g_autoptr(SlActor) actor = NULL;
    g_autofree char *id = sl_id_new();

    if (!sl_sql_workspace_get(ctx->tx, in->workspace_id, &workspace, error))
        return FALSE;
    if (workspace == NULL)
        return sl_error_set(error, SL_ERROR_NOT_FOUND, "workspaceId: workspace '%s' does not exist",
                            in->workspace_id);
    if (!refuse_references(in->configuration, error) ||
        !find_definition(ctx, in, &definition, error) ||
        !sl_sql_actor_add(ctx->tx, id, in->workspace_id, definition->definition_id,
                          kind_name(kind_of(ctx)), in->name, "{}", ctx->now, &empty, error))
        return FALSE;
    g_autofree char *stored = seal_configuration(ctx, empty, definition, in->configuration, error);
    return stored != NULL &&
           sl_sql_actor_update(ctx->tx, id, in->name, stored, ctx->now, &actor, error) &&
           give(ctx, actor, definition, ret, error);
}

static gboolean
change(ServerCtx *ctx, const char *actor_id, const char *name, const char *configuration,
       gboolean merged, gpointer *ret, GError **error)
{
    g_autoptr(SlActor) locked = NULL;
    g_autoptr(SlActor) old = NULL;
    g_autoptr(SlActor) actor = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    g_autofree char *stored = NULL;
    if (!sl_sql_actor_lock(ctx->tx, actor_id, &locked, error) ||
        !server_actor_load(ctx, actor_id, kind_of(ctx), &old, &definition, error))
        return FALSE;
    if (configuration != NULL) {
        if (!refuse_references(configuration, error))
            return FALSE;
        g_autofree char *whole =
            merged ? merge_configurations(old->configuration, configuration, error)
                   : g_strdup(configuration);
        stored = whole != NULL ? seal_configuration(ctx, old, definition, whole, error) : NULL;
        if (stored == NULL)
            return FALSE;
    }
    return sl_sql_actor_update(ctx->tx, actor_id, name != NULL ? name : old->name,
                               stored != NULL ? stored : old->configuration, ctx->now, &actor,
                               error) &&
           give(ctx, actor, definition, ret, error);
}

gboolean
server_actor_patch(ServerCtx *ctx, const SlActorPatchRequest *in, gpointer *ret, GError **error)
{
    return change(ctx, in->actor_id, in->name, in->configuration, TRUE, ret, error);
}

gboolean
server_actor_put(ServerCtx *ctx, const SlActorPutRequest *in, gpointer *ret, GError **error)
{
    return change(ctx, in->actor_id, in->name, in->configuration, FALSE, ret, error);
}

gboolean
server_actor_delete(ServerCtx *ctx, const SlActorIdRequest *in, gpointer *ret, GError **error)
{
    return server_actor_load(ctx, in->actor_id, kind_of(ctx), NULL, NULL, error) &&
           sl_sql_actor_delete(ctx->tx, in->actor_id, ctx->now, NULL, error);
}

/* --- jobs of an actor ----------------------------------------------------------------------------
 */

static gboolean
await_of_actor(ServerCtx *ctx, const SlActor *actor, SlConfigType type, SlJob **ret, GError **error)
{
    g_autofree char *input = g_strdup_printf("{\"actorId\":\"%s\"}", actor->actor_id);
    SlJobRequest request = {.config_type = type,
                            .scope = actor->actor_id,
                            .workspace_id = actor->workspace_id,
                            .input = input};
    return server_job_await(ctx, &request, actor->updated_at, ret, error);
}

/* A check that says no is an answer; so is a connector that cannot even be asked. */
gboolean
server_actor_check(ServerCtx *ctx, const SlActorIdRequest *in, gpointer *ret, GError **error)
{
    g_autoptr(SlActor) actor = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    g_autoptr(SlJob) job = NULL;
    if (!server_actor_load(ctx, in->actor_id, kind_of(ctx), &actor, &definition, error) ||
        !await_of_actor(ctx, actor, SL_CONFIG_TYPE_CHECK_CONNECTION, &job, error))
        return FALSE;
    if (job == NULL)
        return TRUE;
    g_autofree char *text = server_job_output(job, "check");
    g_autoptr(SlJsonDoc) doc = text != NULL ? sl_json_read(text, strlen(text), NULL, NULL) : NULL;
    const SlJsonNode *root = doc != NULL ? sl_json_root(doc) : NULL;
    const SlJsonNode *status = doc != NULL ? sl_json_get(doc, root, "status") : NULL;
    const SlJsonNode *message = doc != NULL ? sl_json_get(doc, root, "message") : NULL;
    g_autofree char *word = status != NULL ? sl_json_dup_string(status) : NULL;
    gboolean ok = word != NULL && g_ascii_strcasecmp(word, "succeeded") == 0;

    SlCheckResponse *check = *ret = sl_check_response_new();
    sl_check_response_set_job_id(check, job->job_id);
    sl_check_response_set_status(check, ok ? SL_CHECK_RESPONSE_STATUS_SUCCEEDED
                                           : SL_CHECK_RESPONSE_STATUS_FAILED);
    check->message = message != NULL ? sl_json_dup_string(message) : NULL;
    if (!ok && check->message == NULL)
        check->message = server_job_failure(job);
    return TRUE;
}

gboolean
server_actor_catalog(ServerCtx *ctx, const SlActor *actor, const SlDefinition *definition,
                     gboolean ignore_known, char **ret, GError **error)
{
    g_autofree char *key = sl_queue_catalog_key(definition, actor);
    g_autoptr(SlJob) job = NULL;
    *ret = NULL;
    if (!ignore_known && ctx->job_id == 0 &&
        !sl_sql_catalog_get_cached(ctx->tx, actor->actor_id, key, ret, error))
        return FALSE;
    if (*ret != NULL)
        return TRUE;
    if (!await_of_actor(ctx, actor, SL_CONFIG_TYPE_DISCOVER_SCHEMA, &job, error))
        return FALSE;
    if (job == NULL)
        return TRUE;
    *ret = server_job_output(job, "catalog");
    g_autofree char *why = *ret == NULL ? server_job_failure(job) : NULL;
    return *ret != NULL || sl_error_set(error, SL_ERROR_CONNECTOR,
                                        "discovering the streams of '%s': %s", actor->name, why);
}
