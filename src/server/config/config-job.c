/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-job.h"

#include "config-log.h"

#include <string.h>

#include "sl-id.h"
#include "sl-sql.h"

#define NO_LOGS "{\"logLines\":[]}"

static SlConfigSynchronousJob *
make(const char *what, const char *config_id, gint64 created, gint64 ended, gboolean succeeded)
{
    SlConfigSynchronousJob *info = sl_config_synchronous_job_new();
    info->config_type = g_strdup(what);
    info->config_id = g_strdup(config_id);
    sl_config_synchronous_job_set_created_at(info, created / G_USEC_PER_SEC);
    sl_config_synchronous_job_set_ended_at(info, ended / G_USEC_PER_SEC);
    sl_config_synchronous_job_set_succeeded(info, succeeded);
    sl_config_synchronous_job_set_connector_configuration_updated(info, FALSE);
    sl_config_synchronous_job_set_log_type(info, SL_CONFIG_SYNCHRONOUS_JOB_LOG_TYPE_FORMATTED);
    info->logs = g_strdup(NO_LOGS);
    return info;
}

SlConfigSynchronousJob *
config_job_none(const ServerCtx *ctx, const char *what)
{
    SlConfigSynchronousJob *info = make(what, "NoConfiguration", ctx->now, ctx->now, TRUE);
    info->id = sl_id_new();
    return info;
}

/* Its timestamp is required: without one of its own, when the job changed last. */
static char *
print_reason(const SlJob *job, const SlJsonDoc *doc, const SlJsonNode *reason)
{
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    SL_JSON_FOREACH (doc, reason, key) {
        g_autofree char *name = sl_json_dup_string(key);
        sl_json_key(&w, name != NULL ? name : "");
        sl_json_node(&w, key + 1);
    }
    if (sl_json_get(doc, reason, "timestamp") == NULL)
        sl_json_member_int(&w, "timestamp", job->updated_at / 1000);
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

char *
config_job_failure_reason(const SlJob *job)
{
    const char *text = job->failure != NULL ? job->failure : "{}";
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, NULL);
    const SlJsonNode *failures =
        doc != NULL ? sl_json_get(doc, sl_json_root(doc), "failures") : NULL;
    const SlJsonNode *first = failures != NULL ? sl_json_at(doc, failures, 0) : NULL;
    return first != NULL ? print_reason(job, doc, first) : NULL;
}

/* A question that cannot be answered is no reason to keep the job's own answer back. */
gboolean
config_job_has_new_configuration(ServerCtx *ctx, const SlJob *job)
{
    gint64 n = 0;
    return sl_sql_attempt_count_configurations(ctx->tx, job->job_id, &n, NULL) && n > 0;
}

SlConfigSynchronousJob *
config_job_info(ServerCtx *ctx, const SlJob *job, const char *what, const char *config_id)
{
    gint64 ended =
        sl_record_has(&sl_job_record, job, SL_JOB_FINISHED_AT) ? job->finished_at : job->updated_at;
    SlConfigSynchronousJob *info =
        make(what, config_id, job->created_at, ended, job->status == SL_JOB_STATUS_SUCCEEDED);
    /* a UUID on this wire, a number everywhere else */
    info->id = g_strdup_printf("00000000-0000-4000-8000-%012" G_GINT64_MODIFIER "x", job->job_id);
    info->failure_reason = config_job_failure_reason(job);
    sl_config_synchronous_job_set_connector_configuration_updated(
        info, config_job_has_new_configuration(ctx, job));
    sl_config_synchronous_job_set_log_type(info, SL_CONFIG_SYNCHRONOUS_JOB_LOG_TYPE_STRUCTURED);
    g_free(info->logs);
    info->logs = config_log_read(ctx, job->job_id, 0); /* such a job has one attempt */
    return info;
}
