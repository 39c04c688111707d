/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-actor.h"

#include <string.h>

#include "server-definition.h"
#include "server-job.h"
#include "server-json.h"
#include "server-problem.h"
#include "server-spec.h"
#include "server-workspace.h"
#include "sl-error.h"
#include "sl-id.h"
#include "sl-secret.h"
#include "sl-sql.h"

#define COORDINATE "secret_coordinate::"

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

const char *
server_actor_short_name(const SlDefinition *definition)
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
        return server_not_found(error, kind_name(actor_type), actor_id);
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

char *
server_actor_refuse_secret(const char *plain, gpointer data, GError **error)
{
    sl_error_set(error, SL_ERROR_CONFIG,
                 "the configuration has secrets, and this host has no master key "
                 "(credential 'sluice-master-key')");
    return NULL;
}

gboolean
server_actor_refuse_references(const char *given, GError **error)
{
    g_auto(GStrv) ids = sl_secret_list(given, error);
    if (ids == NULL)
        return FALSE;
    return ids[0] == NULL ||
           sl_error_set(error, SL_ERROR_INVALID, "configuration: '_secret' is not for clients");
}

/* A coordinate of this actor's own secret is as good as the mask; of another's, it is refused. */
static char *
mask_coordinates(const SlActor *actor, const char *given, GError **error)
{
    g_auto(GStrv) ids = sl_secret_list(actor->configuration, error);
    g_autoptr(GString) text = g_string_new(given);
    if (ids == NULL)
        return NULL;
    for (char **id = ids; *id != NULL; id++) {
        g_autofree char *coordinate = g_strconcat("\"" COORDINATE, *id, "\"", NULL);
        g_string_replace(text, coordinate, "\"" SL_MASK "\"", 0);
    }
    if (strstr(text->str, "\"" COORDINATE) != NULL) {
        sl_error_set(error, SL_ERROR_INVALID,
                     "configuration: a secret coordinate is not one of this %s",
                     kind_name(actor->actor_type));
        return NULL;
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Judged, its secrets put away: what is stored. */
static char *
seal_configuration(ServerCtx *ctx, const SlActor *actor, const SlDefinition *definition,
                   const char *given, GError **error)
{
    g_autofree char *member = type_member(actor->actor_type);
    g_autofree char *own = mask_coordinates(actor, given, error);
    g_autofree char *plain = own != NULL ? server_json_replace(own, member, NULL, error) : NULL;
    if (own != NULL && plain == NULL)
        g_prefix_error(error, "configuration: ");
    if (plain == NULL || !server_spec_judge(definition->spec, plain, error))
        return NULL;
    g_autofree char *schema = server_spec_connection(definition->spec);
    if (ctx->server->seal_key == NULL)
        return sl_secret_split(plain, schema, actor->configuration, server_actor_refuse_secret,
                               NULL, error);
    return sl_secret_store(ctx->tx, ctx->server->seal_key, actor->workspace_id, actor->actor_id,
                           plain, schema, actor->configuration, ctx->now, error);
}

static char *
show_coordinate(const char *secret_id, gpointer data, GError **error)
{
    return g_strconcat(COORDINATE, secret_id, NULL);
}

char *
server_actor_configuration(const SlActor *actor, gboolean coordinates, GError **error)
{
    return coordinates ? sl_secret_fill(actor->configuration, show_coordinate, NULL, error)
                       : sl_secret_mask(actor->configuration, error);
}

/* --- create, change, delete ----------------------------------------------------------------------
 */

static gboolean
find_by_name(ServerCtx *ctx, int actor_type, const char *workspace_id, const char *configuration,
             SlDefinition **ret, GError **error)
{
    g_autofree char *member = type_member(actor_type);
    g_autofree char *name = server_json_string(configuration, member);
    if (name == NULL)
        return sl_error_set(error, SL_ERROR_UNPROCESSABLE,
                            "definitionId or configuration.%s is required", member);
    return sl_sql_definition_find_by_name(ctx->tx, kind_name(actor_type), name, workspace_id, ret,
                                          error) &&
           (*ret != NULL ||
            server_problem(error, SERVER_PROBLEM_VALUE, server_problem_data("value", name, NULL),
                           "configuration.%s: there is no connector '%s'", member, name));
}

/* The row comes first, empty: its secrets refer to it. */
gboolean
server_actor_make(ServerCtx *ctx, int actor_type, const char *workspace_id,
                  const char *definition_id, const ServerActorEdit *edit, SlActor **ret,
                  SlDefinition **ret_definition, GError **error)
{
    g_autoptr(SlDefinition) definition = NULL;
    g_autoptr(SlActor) empty = NULL;
    g_autofree char *id = sl_id_new();

    if (!server_workspace_load(ctx, workspace_id, NULL, error) ||
        !server_actor_refuse_references(edit->configuration, error))
        return FALSE;
    gboolean found =
        definition_id != NULL
            ? server_definition_load(ctx, workspace_id, definition_id, actor_type, &definition,
                                     error)
            : find_by_name(ctx, actor_type, workspace_id, edit->configuration, &definition, error);
    if (!found ||
        !sl_sql_actor_add(ctx->tx, id, workspace_id, definition->definition_id,
                          kind_name(actor_type), edit->name, "{}", ctx->now, &empty, error))
        return FALSE;
    g_autofree char *stored =
        seal_configuration(ctx, empty, definition, edit->configuration, error);
    if (stored == NULL || !sl_sql_actor_update(ctx->tx, id, edit->name, stored,
                                               edit->resource_allocation, ctx->now, ret, error))
        return FALSE;
    if (ret_definition != NULL)
        *ret_definition = g_steal_pointer(&definition);
    return TRUE;
}

gboolean
server_actor_change(ServerCtx *ctx, int actor_type, const char *actor_id,
                    const ServerActorEdit *edit, SlActor **ret, SlDefinition **ret_definition,
                    GError **error)
{
    g_autoptr(SlActor) locked = NULL;
    g_autoptr(SlActor) old = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    g_autofree char *stored = NULL;
    if (!sl_sql_actor_lock(ctx->tx, actor_id, &locked, error) ||
        !server_actor_load(ctx, actor_id, actor_type, &old, &definition, error))
        return FALSE;
    if (edit->configuration != NULL) {
        if (!server_actor_refuse_references(edit->configuration, error))
            return FALSE;
        g_autofree char *whole =
            edit->merge ? server_json_merge(old->configuration, edit->configuration, error)
                        : g_strdup(edit->configuration);
        stored = whole != NULL ? seal_configuration(ctx, old, definition, whole, error) : NULL;
        if (stored == NULL)
            return FALSE;
    }
    if (!sl_sql_actor_update(ctx->tx, actor_id, edit->name != NULL ? edit->name : old->name,
                             stored != NULL ? stored : old->configuration,
                             edit->resource_allocation != NULL ? edit->resource_allocation
                                                               : old->resource_allocation,
                             ctx->now, ret, error))
        return FALSE;
    if (ret_definition != NULL)
        *ret_definition = g_steal_pointer(&definition);
    return TRUE;
}

gboolean
server_actor_remove(ServerCtx *ctx, int actor_type, const char *actor_id, GError **error)
{
    g_autoptr(SlActor) locked = NULL;
    /* Locked by a statement of its own: the deletion then sees the connections that were being made
     * of it meanwhile. */
    return server_actor_load(ctx, actor_id, actor_type, NULL, NULL, error) &&
           sl_sql_actor_lock(ctx->tx, actor_id, &locked, error) &&
           server_job_stop_all(ctx, actor_id, error) &&
           sl_sql_actor_delete(ctx->tx, actor_id, ctx->now, NULL, error);
}

gboolean
server_definitions_load(ServerCtx *ctx, GPtrArray *definition_ids, GHashTable **ret, GError **error)
{
    g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) rows = NULL;
    for (guint i = 0; i < definition_ids->len; i++)
        g_hash_table_add(ids, definition_ids->pdata[i]);
    g_autofree gpointer *list = g_hash_table_get_keys_as_array(ids, NULL);
    if (!sl_sql_definition_list_of(ctx->tx, (const char *const *)list, &rows, error))
        return FALSE;
    g_ptr_array_set_free_func(rows, NULL);
    *ret = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)sl_definition_free);
    for (guint i = 0; i < rows->len; i++)
        g_hash_table_insert(*ret, ((SlDefinition *)rows->pdata[i])->definition_id, rows->pdata[i]);
    return TRUE;
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
server_actor_await_check(ServerCtx *ctx, const SlActor *actor, SlCheckResponse **ret,
                         GError **error)
{
    g_autoptr(SlJob) job = NULL;
    if (!await_of_actor(ctx, actor, SL_CONFIG_TYPE_CHECK_CONNECTION, &job, error))
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
