/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "worker-finish.h"

#include <string.h>

#include "sl-error.h"
#include "sl-policy.h"
#include "sl-queue-schema.h"
#include "sl-queue.h"
#include "sl-sql.h"
#include "worker-disable.h"
#include "worker-retry.h"

/* Failures of an attempt as the JSON of its summary, and what the retry decision wants to know. */
typedef struct {
    GString *summary; /* {failures: […], partialSuccess} */
    WorkerFailure failure;
} Outcome;

static void
outcome_clear(Outcome *outcome)
{
    if (outcome->summary != NULL)
        g_string_free(outcome->summary, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Outcome, outcome_clear)

static const char *
origin_of(const char *termination_source)
{
    if (g_strcmp0(termination_source, "source") == 0 ||
        g_strcmp0(termination_source, "destination") == 0)
        return termination_source;
    return "airbyte_platform";
}

static void
write_platform_failure(SlJsonWriter *w, const char *source, const char *type, const char *text,
                       gint64 now)
{
    sl_json_begin_object(w);
    sl_json_member_string(w, "failureOrigin", origin_of(source));
    sl_json_member_string(w, "failureType", type);
    sl_json_member_string(w, "externalMessage", text);
    sl_json_member_string(w, "internalMessage", text);
    sl_json_member_int(w, "timestamp", now / 1000);
    sl_json_end_object(w);
}

/* Trying again cannot help, wherever in the list it stands (Airbyte looks at the first one only).
 */
static gboolean
has_config_error(const SlJsonDoc *doc, const SlJsonNode *failures)
{
    SL_JSON_FOREACH (doc, failures, failure) {
        const SlJsonNode *type = sl_json_get(doc, failure, "failureType");
        if (type != NULL && sl_json_string_is(type, "config_error"))
            return TRUE;
    }
    return FALSE;
}

static gboolean
made_progress(SlTx *tx, gint64 job_id, gint64 attempt_number, gboolean *ret, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    *ret = FALSE;
    if (!sl_sql_attempt_stats_list(tx, job_id, attempt_number, &rows, error))
        return FALSE;
    for (guint i = 0; i < rows->len; i++) {
        const SlStatsRow *row = rows->pdata[i];
        *ret |= row->records_committed + row->records_rejected > 0;
    }
    return TRUE;
}

static gboolean
describe(SlTx *tx, const SlWorkload *workload, const SlAttempt *attempt, gint64 now, Outcome *ret,
         GError **error)
{
    const char *text = attempt->output != NULL ? attempt->output : "{}";
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, error);
    if (doc == NULL ||
        !made_progress(tx, attempt->job_id, attempt->attempt_number, &ret->failure.progress, error))
        return FALSE;
    const SlJsonNode *failures = sl_json_get(doc, sl_json_root(doc), "failures");
    gboolean told = failures != NULL && failures->type == SL_JSON_ARRAY && failures->count > 0;
    ret->failure.cancelled = workload->status == SL_WORKLOAD_STATUS_CANCELLED;
    ret->failure.config_error = told && has_config_error(doc, failures);
    ret->summary = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(ret->summary);
    sl_json_begin_object(&w);
    sl_json_key(&w, "failures");
    if (told) {
        sl_json_node(&w, failures);
    } else {
        sl_json_begin_array(&w);
        write_platform_failure(&w, workload->termination_source,
                               ret->failure.cancelled ? "manual_cancellation" : "system_error",
                               workload->termination_reason != NULL
                                   ? workload->termination_reason
                                   : "The attempt ended without a reason.",
                               now);
        sl_json_end_array(&w);
    }
    sl_json_member_bool(&w, "partialSuccess", ret->failure.progress);
    sl_json_end_object(&w);
    return TRUE;
}

/* A discovered catalog is kept for those who ask next, under what it was discovered with.
 * *ret_kept: there was one. */
static gboolean
keep_catalog(SlTx *tx, const SlJob *job, const SlWorkload *workload, const char *output, gint64 now,
             gboolean *ret_kept, GError **error)
{
    g_autofree char *input = NULL;
    if (!sl_sql_workload_stored_input(tx, workload->workload_id, &input, error))
        return FALSE;
    g_autoptr(SlJsonDoc) in = sl_json_read(input, strlen(input), NULL, error);
    g_autoptr(SlJsonDoc) out =
        in != NULL ? sl_json_read(output, strlen(output), NULL, error) : NULL;
    if (out == NULL)
        return FALSE;
    const SlJsonNode *key = sl_json_get(in, sl_json_root(in), "cacheKey");
    const SlJsonNode *catalog = sl_json_get(out, sl_json_root(out), "catalog");
    if (key == NULL || catalog == NULL)
        return TRUE;
    g_autofree char *key_text = sl_json_dup_string(key), *catalog_text = sl_json_dup_span(catalog);
    *ret_kept = TRUE;
    return sl_queue_catalog_keep(tx, job->scope, key_text, catalog_text, now, NULL, error);
}

static gboolean
finish_success(SlTx *tx, const SlJob *job, const SlWorkload *workload, const SlAttempt *attempt,
               gint64 now, GError **error)
{
    gboolean replication = sl_config_type_is_replication(job->config_type);
    SlAttemptEnd end = {
        .job_id = job->job_id,
        .attempt_number = attempt->attempt_number,
        .succeeded = TRUE,
        .job_status = SL_JOB_STATUS_SUCCEEDED,
        .output = replication ? NULL : attempt->output,
    };
    gboolean kept = FALSE;
    if (job->config_type == SL_CONFIG_TYPE_DISCOVER_SCHEMA && attempt->output != NULL &&
        !keep_catalog(tx, job, workload, attempt->output, now, &kept, error))
        return FALSE;
    if (replication && !sl_sql_generation_settle(tx, job->scope, job->job_id, NULL, error))
        return FALSE;
    /* Connections last: tasks and jobs are locked before them. */
    return sl_queue_attempt_finish(tx, &end, now, error) &&
           (!kept || sl_queue_schema_look_all(tx, job->scope, now, error));
}

static gboolean
finish_failure(SlTx *tx, const SlConfig *config, const SlJob *job, gint64 attempt_number,
               const Outcome *outcome, const char *output, gint64 now, GError **error)
{
    gboolean replication = sl_config_type_is_replication(job->config_type);
    g_autoptr(SlConfig) own =
        replication ? sl_policy_load(tx, config, job->scope, error) : sl_config_copy(config);
    if (own == NULL)
        return FALSE;
    WorkerVerdict verdict = worker_retry_decide(own, job, &outcome->failure);
    gboolean cancelled = outcome->failure.cancelled ||
                         sl_record_has(&sl_job_record, job, SL_JOB_CANCEL_REQUESTED_AT);
    gboolean retry = replication && verdict.retry && !cancelled;
    SlAttemptEnd end = {
        .job_id = job->job_id,
        .attempt_number = attempt_number,
        .job_status = retry       ? SL_JOB_STATUS_INCOMPLETE
                      : cancelled ? SL_JOB_STATUS_CANCELLED
                                  : SL_JOB_STATUS_FAILED,
        .retry_at = now + verdict.wait_usec,
        .complete_successive = verdict.complete_successive,
        .complete_total = verdict.complete_total,
        .partial_successive = verdict.partial_successive,
        .partial_total = verdict.partial_total,
        .output = replication ? NULL : output,
        .failure_summary = outcome->summary->str,
    };
    if (!sl_queue_attempt_finish(tx, &end, now, error))
        return FALSE;
    return !replication || end.job_status != SL_JOB_STATUS_FAILED ||
           worker_disable_check(tx, own, job, now, error);
}

gboolean
worker_finish_attempt(SlTx *tx, const SlConfig *config, const SlJob *job, gint64 attempt_number,
                      gint64 now, GError **error)
{
    g_autoptr(SlWorkload) workload = NULL;
    g_autoptr(SlAttempt) attempt = NULL;
    g_auto(Outcome) outcome = {0};
    if (!sl_sql_workload_of_attempt(tx, job->job_id, attempt_number, &workload, error) ||
        !sl_sql_attempt_get(tx, job->job_id, attempt_number, &attempt, error))
        return FALSE;
    if (workload == NULL || attempt == NULL || attempt->status != SL_ATTEMPT_STATUS_RUNNING)
        return TRUE; /* somebody else has finished it */
    if (workload->status == SL_WORKLOAD_STATUS_SUCCESS)
        return finish_success(tx, job, workload, attempt, now, error);
    return describe(tx, workload, attempt, now, &outcome, error) &&
           finish_failure(tx, config, job, attempt_number, &outcome, attempt->output, now, error);
}

gboolean
worker_finish_broken(SlTx *tx, const SlConfig *config, const SlJob *job, gint64 attempt_number,
                     const GError *reason, gint64 now, GError **error)
{
    g_auto(Outcome) outcome = {.summary = g_string_new(NULL)};
    const char *type = sl_error_info_for(reason)->failure_type;
    SlJsonWriter w = SL_JSON_WRITER_INIT(outcome.summary);
    sl_json_begin_object(&w);
    sl_json_key(&w, "failures");
    sl_json_begin_array(&w);
    write_platform_failure(&w, NULL, type, reason->message, now);
    sl_json_end_array(&w);
    sl_json_member_bool(&w, "partialSuccess", FALSE);
    sl_json_end_object(&w);
    outcome.failure.config_error = strcmp(type, "config_error") == 0;
    return finish_failure(tx, config, job, attempt_number, &outcome, NULL, now, error);
}

gboolean
worker_finish_stopped(SlTx *tx, const SlJob *job, gint64 attempt_number, const char *why,
                      gint64 now, GError **error)
{
    g_autoptr(GString) summary = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(summary);
    sl_json_begin_object(&w);
    sl_json_key(&w, "failures");
    sl_json_begin_array(&w);
    write_platform_failure(&w, "source", "refresh_schema", why, now);
    sl_json_end_array(&w);
    sl_json_member_bool(&w, "partialSuccess", FALSE);
    sl_json_end_object(&w);
    const SlAttemptEnd end = {.job_id = job->job_id,
                              .attempt_number = attempt_number,
                              .job_status = SL_JOB_STATUS_CANCELLED,
                              .failure_summary = summary->str};
    return sl_queue_attempt_finish(tx, &end, now, error);
}
