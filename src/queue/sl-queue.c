/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "sl-queue.h"

#include "sl-error.h"
#include "sl-event.h"
#include "sl-log.h"
#include "sl-notice.h"
#include "sl-queue-request.h"
#include "sl-queue-workload.h"
#include "sl-sql.h"

gboolean
sl_config_type_is_replication(SlConfigType type)
{
    return type == SL_CONFIG_TYPE_SYNC || type == SL_CONFIG_TYPE_RESET_CONNECTION ||
           type == SL_CONFIG_TYPE_REFRESH || type == SL_CONFIG_TYPE_CLEAR;
}

gboolean
sl_job_status_is_final(SlJobStatus status)
{
    return status == SL_JOB_STATUS_FAILED || status == SL_JOB_STATUS_SUCCEEDED ||
           status == SL_JOB_STATUS_CANCELLED;
}

typedef struct {
    gint64 job_id;
    SlJobStatus status;
} Milestone;

static void
log_milestone(gpointer data)
{
    static const struct {
        const char *event;
        GLogLevelFlags level;
    } events[] = {
        [SL_JOB_STATUS_PENDING] = {SL_EVENT_JOB_CREATED, G_LOG_LEVEL_INFO},
        [SL_JOB_STATUS_SUCCEEDED] = {SL_EVENT_JOB_SUCCEEDED, G_LOG_LEVEL_INFO},
        [SL_JOB_STATUS_FAILED] = {SL_EVENT_JOB_FAILED, G_LOG_LEVEL_WARNING},
        [SL_JOB_STATUS_CANCELLED] = {SL_EVENT_JOB_CANCELLED, G_LOG_LEVEL_INFO},
        [SL_JOB_STATUS_INCOMPLETE] = {SL_EVENT_ATTEMPT_FAILED, G_LOG_LEVEL_WARNING},
    };
    const Milestone *milestone = data;
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, milestone->job_id);
    g_auto(SlLogScope) scope = sl_log_scope(SL_LOG_JOB_ID, id);
    if ((guint)milestone->status < G_N_ELEMENTS(events) && events[milestone->status].event != NULL)
        sl_log_event(events[milestone->status].level, events[milestone->status].event,
                     "Job %s is %s", id, sl_enum_name(&sl_job_status_enum, (int)milestone->status));
}

/* The effects of a job's change of status, in one place: the timeline, the connection's next run,
 * notifications, and, once it is committed, the milestone. */
static gboolean
announce(SlTx *tx, gint64 job_id, SlJobStatus status, GError **error)
{
    g_autofree char *payload = g_strdup_printf("%" G_GINT64_FORMAT " %s", job_id,
                                               sl_enum_name(&sl_job_status_enum, (int)status));
    Milestone *milestone = g_new(Milestone, 1);
    *milestone = (Milestone){job_id, status};
    sl_tx_after_commit(tx, log_milestone, milestone, g_free);
    if (sl_job_status_is_final(status) &&
        (!sl_event_add_of_job(tx, job_id, error) || !sl_notice_add_of_job(tx, job_id, error) ||
         !sl_sql_connection_reschedule_of_job(tx, job_id, NULL, error) ||
         !sl_tx_notify(tx, SL_CHANNEL_SCHEDULE, NULL, error)))
        return FALSE;
    return sl_tx_notify(tx, SL_CHANNEL_JOB, payload, error);
}

/* A job that has ended makes room for what was asked for meanwhile: its job is made at once, in the
 * same transaction, so that nobody has to come back for it. */
static gboolean
announce_end(SlTx *tx, gint64 job_id, SlJobStatus status, gint64 now, GError **error)
{
    g_autoptr(SlJob) next = NULL, made = NULL;
    gint64 woken = 0;
    if (!sl_sql_task_wake_waiting(tx, job_id, now, &woken, error) ||
        (woken > 0 && !sl_tx_notify(tx, SL_CHANNEL_TASK, NULL, error)))
        return FALSE;
    return announce(tx, job_id, status, error) &&
           sl_sql_request_next_of_job(tx, job_id, &next, error) &&
           (next == NULL ||
            sl_queue_request_start(tx, next->scope, next->workspace_id, now, &made, error));
}

/* A new attempt and the step that starts it. */
static gboolean
add_attempt(SlTx *tx, gint64 job_id, gint64 now, GError **error)
{
    g_autoptr(SlAttempt) attempt = NULL;
    return sl_sql_attempt_add(tx, job_id, now, &attempt, error) &&
           sl_sql_task_add(tx, "attempt_start", job_id, attempt->attempt_number, now, now, NULL,
                           error) &&
           sl_tx_notify(tx, SL_CHANNEL_TASK, NULL, error);
}

/* A sync does what was asked for: what is to be emptied first, then what is to be read anew. The
 * connection is held from here on, so that no request comes in between. */
static gboolean
find_type(SlTx *tx, const SlJobRequest *request, char **ret, GError **error)
{
    if (sl_config_type_is_replication(request->config_type) &&
        !sl_sql_connection_hold(tx, request->scope, NULL, error))
        return FALSE;
    if (request->config_type == SL_CONFIG_TYPE_SYNC &&
        !sl_sql_request_next_type(tx, request->scope, FALSE, ret, error))
        return FALSE;
    if (*ret == NULL)
        *ret = g_strdup(sl_enum_name(&sl_config_type_enum, (int)request->config_type));
    return TRUE;
}

gboolean
sl_queue_job_create(SlTx *tx, const SlJobRequest *request, gint64 now, SlJob **ret, GError **error)
{
    gboolean replication = sl_config_type_is_replication(request->config_type);
    g_autofree char *type = NULL;
    g_autoptr(SlJob) job = NULL;
    g_autoptr(GError) reason = NULL;
    if (!find_type(tx, request, &type, error))
        return FALSE;
    if (!sl_sql_job_add(tx, type, request->scope, request->workspace_id, request->is_scheduled,
                        request->scheduled_for, request->input, now, &job, &reason)) {
        if (g_error_matches(reason, SL_ERROR, SL_ERROR_CONFLICT))
            return sl_error_set(error, SL_ERROR_CONFLICT, "A sync is already running for: %s",
                                request->scope);
        g_propagate_error(error, g_steal_pointer(&reason));
        return FALSE;
    }
    if (replication &&
        (!sl_sql_connection_set_last_run(tx, request->scope, now, NULL, error) ||
         (job->config_type != SL_CONFIG_TYPE_SYNC && !sl_queue_request_join(tx, job, error))))
        return FALSE;
    if (replication && !request->is_scheduled && !sl_event_add_of_job(tx, job->job_id, error))
        return FALSE;
    if (!add_attempt(tx, job->job_id, now, error) ||
        !announce(tx, job->job_id, SL_JOB_STATUS_PENDING, error))
        return FALSE;
    *ret = g_steal_pointer(&job);
    return TRUE;
}

gboolean
sl_queue_retry_start(SlTx *tx, gint64 now, SlJob **ret_job, GError **error)
{
    g_autoptr(SlJob) job = NULL;
    *ret_job = NULL;
    if (!sl_sql_job_take_due_retry(tx, now, &job, error))
        return FALSE;
    if (job != NULL && !add_attempt(tx, job->job_id, now, error))
        return FALSE;
    *ret_job = g_steal_pointer(&job);
    return TRUE;
}

gboolean
sl_queue_retry_hasten(SlTx *tx, gint64 job_id, gint64 now, gboolean *ret_done, GError **error)
{
    gint64 changed = 0;
    gboolean ok = sl_sql_job_hasten_retry(tx, job_id, now, &changed, error) &&
                  (changed == 0 || sl_tx_notify(tx, SL_CHANNEL_SCHEDULE, NULL, error));
    *ret_done = ok && changed > 0;
    return ok;
}

static gboolean
await_retry(SlTx *tx, const SlAttemptEnd *end, gint64 now, GError **error)
{
    return sl_sql_job_await_retry(tx, end->job_id, end->attempt_number, end->complete_successive,
                                  end->complete_total, end->partial_successive, end->partial_total,
                                  end->retry_at, end->failure_summary, now, NULL, error) &&
           sl_tx_notify(tx, SL_CHANNEL_SCHEDULE, NULL, error);
}

gboolean
sl_queue_attempt_finish(SlTx *tx, const SlAttemptEnd *end, gint64 now, GError **error)
{
    const char *job_status = sl_enum_name(&sl_job_status_enum, (int)end->job_status);
    gboolean ok = sl_sql_attempt_finish(tx, end->job_id, end->attempt_number,
                                        end->succeeded ? "succeeded" : "failed",
                                        end->failure_summary, now, NULL, error);
    if (!ok)
        return FALSE;
    if (end->job_status == SL_JOB_STATUS_INCOMPLETE)
        ok = await_retry(tx, end, now, error);
    else
        ok = sl_sql_job_finish(tx, end->job_id, job_status, end->output, end->failure_summary, now,
                               NULL, error);
    if (!ok || !sl_job_status_is_final(end->job_status))
        return ok && announce(tx, end->job_id, end->job_status, error);
    return announce_end(tx, end->job_id, end->job_status, now, error);
}

/* A failure has its time, in milliseconds: clients require it. */
static char *
cancelled_summary(gint64 now)
{
    return g_strdup_printf("{\"failures\":[{\"failureOrigin\":\"airbyte_platform\","
                           "\"failureType\":\"manual_cancellation\","
                           "\"externalMessage\":\"The job was cancelled.\","
                           "\"timestamp\":%" G_GINT64_FORMAT "}],\"partialSuccess\":false}",
                           now / 1000);
}

/* Nothing of it runs on any host: it ends in this transaction. */
static gboolean
cancel_at_once(SlTx *tx, gint64 job_id, gint64 now, GError **error)
{
    g_autofree char *summary = cancelled_summary(now);
    return sl_sql_task_delete_of_job(tx, job_id, NULL, error) &&
           sl_sql_attempt_finish_running(tx, job_id, "failed", summary, now, NULL, error) &&
           sl_sql_job_finish(tx, job_id, "cancelled", NULL, summary, now, NULL, error) &&
           announce_end(tx, job_id, SL_JOB_STATUS_CANCELLED, now, error);
}

/* The newest attempt's workload, if it has one that has not ended. */
static gboolean
find_active_workload(SlTx *tx, gint64 job_id, SlWorkload **ret, GError **error)
{
    g_autoptr(GPtrArray) attempts = NULL;
    g_autoptr(SlWorkload) workload = NULL;
    *ret = NULL;
    if (!sl_sql_attempt_list(tx, job_id, &attempts, error))
        return FALSE;
    if (attempts->len == 0)
        return TRUE;
    const SlAttempt *last = attempts->pdata[attempts->len - 1];
    if (!sl_sql_workload_of_attempt(tx, job_id, last->attempt_number, &workload, error))
        return FALSE;
    if (workload != NULL && !sl_workload_status_is_final(workload->status))
        *ret = g_steal_pointer(&workload);
    return TRUE;
}

static gboolean
cancel_active(SlTx *tx, const SlJob *job, gint64 now, GError **error)
{
    g_autoptr(SlWorkload) workload = NULL, finished = NULL;
    if (!sl_sql_job_request_cancel(tx, job->job_id, now, NULL, error) ||
        !find_active_workload(tx, job->job_id, &workload, error))
        return FALSE;
    if (workload != NULL && workload->status != SL_WORKLOAD_STATUS_PENDING)
        return sl_sql_workload_request_cancel(tx, workload->workload_id, now, NULL, error) &&
               sl_tx_notify(tx, SL_CHANNEL_WORKLOAD, workload->workload_id, error);
    if (workload != NULL &&
        !sl_sql_workload_finish(tx, workload->workload_id, NULL, "cancelled", "user",
                                "cancelled before it started", now, &finished, error))
        return FALSE;
    return cancel_at_once(tx, job->job_id, now, error);
}

gboolean
sl_queue_job_cancel(SlTx *tx, gint64 job_id, gint64 now, SlJob **ret, GError **error)
{
    g_autoptr(SlJob) job = NULL;
    if (!sl_sql_task_lock_of_job(tx, job_id, NULL, error) ||
        !sl_sql_job_lock(tx, job_id, &job, error))
        return FALSE;
    if (job == NULL)
        return sl_error_set(error, SL_ERROR_NOT_FOUND, "job %" G_GINT64_FORMAT " does not exist",
                            job_id);
    if (!sl_job_status_is_final(job->status) && !cancel_active(tx, job, now, error))
        return FALSE;
    return sl_sql_job_get(tx, job_id, ret, error);
}

char *
sl_queue_catalog_key(const SlDefinition *definition, const SlActor *actor)
{
    g_autofree char *text = g_strjoin("\x1f", definition->definition_id,
                                      definition->docker_image_tag, actor->configuration, NULL);
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
}
