/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-draft.h"

#include "server-actor.h"
#include "server-job.h"
#include "server-spec.h"
#include "sl-error.h"
#include "sl-id.h"
#include "sl-queue.h"
#include "sl-secret.h"
#include "sl-sql.h"

static char *
seal(ServerCtx *ctx, const ServerDraft *draft, GError **error)
{
    const char *old = draft->actor != NULL ? draft->actor->configuration : NULL;
    if (!server_actor_refuse_references(draft->configuration, error) ||
        !server_spec_judge(draft->definition->spec, draft->configuration, error))
        return NULL;
    g_autofree char *schema = server_spec_connection(draft->definition->spec);
    if (ctx->server->seal_key == NULL)
        return sl_secret_split(draft->configuration, schema, old, server_actor_refuse_secret, NULL,
                               error);
    return sl_secret_store(ctx->tx, ctx->server->seal_key, draft->workspace_id, NULL,
                           draft->configuration, schema, old, ctx->now, error);
}

gboolean
server_draft_job(ServerCtx *ctx, const ServerDraft *draft, SlConfigType type, SlJob **ret,
                 GError **error)
{
    g_autoptr(SlJobInput) input = sl_job_input_new();
    g_autoptr(SlJob) job = NULL;
    g_autofree char *scope = sl_id_new(); /* nobody else asks for the same */
    input->definition_id = g_strdup(draft->definition->definition_id);
    input->configuration = seal(ctx, draft, error);
    if (input->configuration == NULL)
        return FALSE;
    g_autofree char *text = sl_record_print(&sl_job_input_record, input, 0);
    g_auto(GStrv) secrets = sl_secret_list(input->configuration, error);
    const SlJobRequest request = {
        .config_type = type, .scope = scope, .workspace_id = draft->workspace_id, .input = text};
    if (secrets == NULL || !sl_queue_job_create(ctx->tx, &request, ctx->now, &job, error) ||
        !sl_sql_secret_give_to_job(ctx->tx, job->job_id, (const char *const *)secrets, NULL, error))
        return FALSE;
    *ret = g_steal_pointer(&job);
    return TRUE;
}

gboolean
server_draft_await(ServerCtx *ctx, const ServerDraft *draft, SlConfigType type, SlJob **ret,
                   GError **error)
{
    static const SlJobRequest later = {0}; /* a job that is there is found by its id */
    g_autoptr(SlJob) job = NULL;
    *ret = NULL;
    if (ctx->job_id != 0)
        return server_job_await(ctx, &later, 0, ret, error);
    return server_draft_job(ctx, draft, type, &job, error) &&
           server_ctx_wait(ctx, job->job_id, ctx->server->await_usec);
}
