/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "config-check.h"
#include "config-definition.h"
#include "config-job.h"
#include "server-actor.h"
#include "server-draft.h"
#include "server-job.h"
#include "server-problem.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-queue.h"
#include "sl-sql.h"

/* --- running -----------------------------------------------------------------------------------
 */

/* What a client wants to run. */
typedef struct {
    const char *id;
    SlCommandType type;
    const char *workspace_id;
    const char *actor_id; /* NULL: nothing that is saved */
} Wanted;

static gboolean
give_id(const char *id, SlConfigCommandId **ret)
{
    *ret = sl_config_command_id_new();
    (*ret)->id = g_strdup(id);
    return TRUE;
}

/* *ret_known: it runs already, or has. The id of another workspace's command is taken. */
static gboolean
find_known(ServerCtx *ctx, const Wanted *wanted, gboolean *ret_known, GError **error)
{
    g_autoptr(SlCommand) known = NULL;
    if (!sl_sql_command_get(ctx->tx, wanted->id, &known, error))
        return FALSE;
    *ret_known = known != NULL;
    return known == NULL ||
           (known->type == (int)wanted->type &&
            strcmp(known->workspace_id, wanted->workspace_id) == 0) ||
           sl_error_set(error, SL_ERROR_EXISTS, "id: '%s' is another command", wanted->id);
}

/* Two at once with one id: the slower one is run again, and finds the other's. */
static gboolean
keep(ServerCtx *ctx, const Wanted *wanted, const SlJob *job, GError **error)
{
    gint64 n = 0;
    return sl_sql_command_add(
               ctx->tx, wanted->id, sl_enum_name(&sl_command_type_enum, (int)wanted->type),
               wanted->workspace_id, wanted->actor_id, job->job_id, ctx->now, &n, error) &&
           (n > 0 ||
            sl_error_set(error, SL_ERROR_SERIALIZATION, "command '%s' has just begun", wanted->id));
}

static gboolean
run_of_actor(ServerCtx *ctx, const SlActor *actor, SlConfigType type, SlJob **ret, GError **error)
{
    g_autofree char *input = g_strdup_printf("{\"actorId\":\"%s\"}", actor->actor_id);
    const SlJobRequest request = {.config_type = type,
                                  .scope = actor->actor_id,
                                  .workspace_id = actor->workspace_id,
                                  .input = input};
    return sl_queue_job_create(ctx->tx, &request, ctx->now, ret, error);
}

/* A source or a destination: the id says. */
static gboolean
load_actor(ServerCtx *ctx, const char *actor_id, const char *workspace_id, SlActor **ret,
           SlDefinition **ret_definition, GError **error)
{
    g_autoptr(SlActor) actor = NULL;
    if (!sl_sql_actor_get(ctx->tx, actor_id, &actor, error))
        return FALSE;
    if (actor == NULL || actor->tombstone)
        return server_not_found(error, "source or destination", actor_id);
    if (workspace_id != NULL && strcmp(workspace_id, actor->workspace_id) != 0)
        return sl_error_set(error, SL_ERROR_INVALID, "actor_id: '%s' is of another workspace",
                            actor_id);
    return server_actor_load(ctx, actor_id, actor->actor_type, ret, ret_definition, error);
}

static gboolean
check_wanted(const SlConfigCommandCheck *in, GError **error)
{
    if (in->actor_id != NULL)
        return TRUE;
    const struct {
        const char *name, *value;
    } needed[] = {{"workspace_id", in->workspace_id},
                  {"actor_definition_id", in->actor_definition_id},
                  {"config", in->config}};
    for (gsize i = 0; i < G_N_ELEMENTS(needed); i++)
        if (needed[i].value == NULL)
            return sl_error_set(error, SL_ERROR_INVALID, "%s: is required without actor_id",
                                needed[i].name);
    return TRUE;
}

/* With a configuration, masks stand for the actor's secrets. */
gboolean
server_config_command_run_check(ServerCtx *ctx, const SlConfigCommandCheck *in,
                                SlConfigCommandId **ret, GError **error)
{
    g_autoptr(SlActor) actor = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    g_autoptr(SlJob) job = NULL;
    gboolean known = FALSE;
    if (!check_wanted(in, error) ||
        !(in->actor_id != NULL
              ? load_actor(ctx, in->actor_id, in->workspace_id, &actor, &definition, error)
              : config_definition_load(ctx, in->workspace_id, in->actor_definition_id, -1,
                                       &definition, error)))
        return FALSE;
    const char *workspace_id = actor != NULL ? actor->workspace_id : in->workspace_id;
    const Wanted wanted = {in->id, SL_COMMAND_TYPE_CHECK, workspace_id, in->actor_id};
    const ServerDraft draft = {definition, workspace_id, actor, in->config};
    if (!find_known(ctx, &wanted, &known, error))
        return FALSE;
    if (known)
        return give_id(in->id, ret);
    return (in->config != NULL
                ? server_draft_job(ctx, &draft, SL_CONFIG_TYPE_CHECK_CONNECTION, &job, error)
                : run_of_actor(ctx, actor, SL_CONFIG_TYPE_CHECK_CONNECTION, &job, error)) &&
           keep(ctx, &wanted, job, error) && give_id(in->id, ret);
}

gboolean
server_config_command_run_discover(ServerCtx *ctx, const SlConfigCommandDiscover *in,
                                   SlConfigCommandId **ret, GError **error)
{
    g_autoptr(SlActor) actor = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    g_autoptr(SlJob) job = NULL;
    gboolean known = FALSE;
    if (!server_actor_load(ctx, in->actor_id, SL_ACTOR_TYPE_SOURCE, &actor, &definition, error))
        return FALSE;
    const Wanted wanted = {in->id, SL_COMMAND_TYPE_DISCOVER, actor->workspace_id, actor->actor_id};
    if (!find_known(ctx, &wanted, &known, error))
        return FALSE;
    if (known)
        return give_id(in->id, ret);
    return run_of_actor(ctx, actor, SL_CONFIG_TYPE_DISCOVER_SCHEMA, &job, error) &&
           keep(ctx, &wanted, job, error) && give_id(in->id, ret);
}

/* Of what is installed: images are not run. */
gboolean
server_config_command_run_spec(ServerCtx *ctx, const SlConfigCommandSpec *in,
                               SlConfigCommandId **ret, GError **error)
{
    g_autoptr(SlDefinition) definition = NULL;
    g_autoptr(SlJob) job = NULL;
    gboolean known = FALSE;
    if (in->actor_definition_id == NULL)
        return sl_error_set(error, SL_ERROR_NOT_IMPLEMENTED,
                            "actor_definition_id: is required; container images ('%s') are not run "
                            "by this version",
                            in->docker_image != NULL ? in->docker_image : "");
    const Wanted wanted = {in->id, SL_COMMAND_TYPE_SPEC, in->workspace_id, NULL};
    if (!config_definition_load(ctx, in->workspace_id, in->actor_definition_id, -1, &definition,
                                error) ||
        !find_known(ctx, &wanted, &known, error))
        return FALSE;
    if (known)
        return give_id(in->id, ret);
    if (strcmp(in->docker_image_tag, definition->docker_image_tag) != 0)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "docker_image_tag: version '%s' of '%s' is not installed, '%s' is",
                            in->docker_image_tag, definition->name, definition->docker_image_tag);
    g_autofree char *input =
        g_strdup_printf("{\"definitionId\":\"%s\"}", definition->definition_id);
    const SlJobRequest request = {.config_type = SL_CONFIG_TYPE_GET_SPEC,
                                  .scope = definition->definition_id,
                                  .workspace_id = in->workspace_id,
                                  .input = input};
    return sl_queue_job_create(ctx->tx, &request, ctx->now, &job, error) &&
           keep(ctx, &wanted, job, error) && give_id(in->id, ret);
}

/* --- looking, cancelling -------------------------------------------------------------------------
 */

static gboolean
load(ServerCtx *ctx, const char *id, SlCommand **ret, SlJob **ret_job, GError **error)
{
    return sl_sql_command_get(ctx->tx, id, ret, error) &&
           (*ret != NULL || server_not_found(error, "command", id)) &&
           (ret_job == NULL || sl_sql_job_get(ctx->tx, (*ret)->job_id, ret_job, error));
}

gboolean
server_config_command_status(ServerCtx *ctx, const SlConfigCommandIdRequest *in,
                             SlConfigCommandStatus **ret, GError **error)
{
    static const int statuses[] = {
        [SL_JOB_STATUS_PENDING] = SL_CONFIG_COMMAND_STATUS_STATUS_PENDING,
        [SL_JOB_STATUS_RUNNING] = SL_CONFIG_COMMAND_STATUS_STATUS_RUNNING,
        [SL_JOB_STATUS_INCOMPLETE] = SL_CONFIG_COMMAND_STATUS_STATUS_RUNNING,
        [SL_JOB_STATUS_FAILED] = SL_CONFIG_COMMAND_STATUS_STATUS_COMPLETED,
        [SL_JOB_STATUS_SUCCEEDED] = SL_CONFIG_COMMAND_STATUS_STATUS_COMPLETED,
        [SL_JOB_STATUS_CANCELLED] = SL_CONFIG_COMMAND_STATUS_STATUS_CANCELLED,
    };
    g_autoptr(SlCommand) command = NULL;
    g_autoptr(SlJob) job = NULL;
    if (!load(ctx, in->id, &command, &job, error))
        return FALSE;
    *ret = sl_config_command_status_new();
    (*ret)->id = g_strdup(in->id);
    sl_config_command_status_set_status(*ret, statuses[job->status]);
    sl_config_command_status_set_job_id(*ret, job->job_id);
    return TRUE;
}

gboolean
server_config_command_cancel(ServerCtx *ctx, const SlConfigCommandIdRequest *in,
                             SlConfigCommandId **ret, GError **error)
{
    g_autoptr(SlCommand) command = NULL;
    g_autoptr(SlJob) job = NULL;
    return load(ctx, in->id, &command, NULL, error) &&
           sl_queue_job_cancel(ctx->tx, command->job_id, ctx->now, &job, error) &&
           give_id(in->id, ret);
}

/* --- output ------------------------------------------------------------------------------------
 */

static gboolean
load_ended(ServerCtx *ctx, const char *id, SlCommandType type, SlCommand **ret, SlJob **ret_job,
           GError **error)
{
    if (!load(ctx, id, ret, ret_job, error))
        return FALSE;
    if ((*ret)->type != (int)type)
        return sl_error_set(error, SL_ERROR_INVALID, "id: command '%s' is a %s", id,
                            sl_enum_name(&sl_command_type_enum, (*ret)->type));
    return sl_job_status_is_final((SlJobStatus)(*ret_job)->status) ||
           sl_error_set(error, SL_ERROR_CONFLICT, "command '%s' has not ended yet", id);
}

gboolean
server_config_command_output_check(ServerCtx *ctx, const SlConfigCommandIdRequest *in,
                                   SlConfigCommandCheckOutput **ret, GError **error)
{
    g_autoptr(SlCommand) command = NULL;
    g_autoptr(SlJob) job = NULL;
    const char *status;
    if (!load_ended(ctx, in->id, SL_COMMAND_TYPE_CHECK, &command, &job, error))
        return FALSE;
    SlConfigCommandCheckOutput *output = *ret = sl_config_command_check_output_new();
    output->id = g_strdup(in->id);
    config_check_read(job, &status, &output->message);
    sl_config_command_check_output_set_status(output, g_strcmp0(status, "succeeded") == 0
                                                          ? SL_CONFIG_OUTPUT_STATUS_SUCCEEDED
                                                          : SL_CONFIG_OUTPUT_STATUS_FAILED);
    sl_config_command_check_output_set_connector_configuration_updated(
        output, config_job_has_new_configuration(ctx, job));
    output->failure_reason = config_job_failure_reason(job);
    return TRUE;
}

/* What a worker has kept of the discovery; the newest of the source that is not younger. */
static gboolean
fill_catalog(ServerCtx *ctx, const SlCommand *command, const SlJob *job, const char *discovered,
             SlConfigCommandDiscoverOutput *output, GError **error)
{
    g_autoptr(SlConfigDiscoverRead) read = sl_config_discover_read_new();
    g_autoptr(SlCatalogRow) row = NULL;
    if (!sl_sql_catalog_find(ctx->tx, command->actor_id, NULL, &job->finished_at, &row, error) ||
        !config_discover_fill(ctx, command->actor_id, discovered,
                              row != NULL ? row->catalog_id : NULL, NULL, read, error))
        return FALSE;
    output->catalog = g_steal_pointer(&read->catalog);
    output->catalog_id = g_steal_pointer(&read->catalog_id);
    return TRUE;
}

gboolean
server_config_command_output_discover(ServerCtx *ctx, const SlConfigCommandIdRequest *in,
                                      SlConfigCommandDiscoverOutput **ret, GError **error)
{
    g_autoptr(SlCommand) command = NULL;
    g_autoptr(SlJob) job = NULL;
    if (!load_ended(ctx, in->id, SL_COMMAND_TYPE_DISCOVER, &command, &job, error))
        return FALSE;
    g_autofree char *discovered = server_job_output(job, "catalog");
    SlConfigCommandDiscoverOutput *output = *ret = sl_config_command_discover_output_new();
    output->id = g_strdup(in->id);
    sl_config_command_discover_output_set_status(output, discovered != NULL
                                                             ? SL_CONFIG_OUTPUT_STATUS_SUCCEEDED
                                                             : SL_CONFIG_OUTPUT_STATUS_FAILED);
    output->failure_reason = config_job_failure_reason(job);
    return discovered == NULL || fill_catalog(ctx, command, job, discovered, output, error);
}

gboolean
server_config_command_output_spec(ServerCtx *ctx, const SlConfigCommandIdRequest *in,
                                  SlConfigCommandSpecOutput **ret, GError **error)
{
    g_autoptr(SlCommand) command = NULL;
    g_autoptr(SlJob) job = NULL;
    if (!load_ended(ctx, in->id, SL_COMMAND_TYPE_SPEC, &command, &job, error))
        return FALSE;
    SlConfigCommandSpecOutput *output = *ret = sl_config_command_spec_output_new();
    output->id = g_strdup(in->id);
    output->spec = server_job_output(job, "spec");
    sl_config_command_spec_output_set_status(output, output->spec != NULL
                                                         ? SL_CONFIG_OUTPUT_STATUS_SUCCEEDED
                                                         : SL_CONFIG_OUTPUT_STATUS_FAILED);
    output->failure_reason = config_job_failure_reason(job);
    return TRUE;
}
