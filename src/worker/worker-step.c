/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "worker-step.h"

#include "sl-error.h"
#include "sl-log.h"
#include "sl-queue-workload.h"
#include "sl-queue.h"
#include "sl-sql.h"
#include "sl-time.h"
#include "worker-finish.h"
#include "worker-input.h"
#include "worker-schema.h"

#define MAX_TRIES 8
#define FIRST_WAIT_USEC ((gint64)G_USEC_PER_SEC)
#define LONGEST_WAIT_USEC (300 * (gint64)G_USEC_PER_SEC)

/* *ret_keep: the task is not done, and waits for its new time. */
typedef gboolean (*Step)(SlTx *tx, const SlConfig *config, const SlJob *job, const SlTask *task,
                         gint64 now, gboolean *ret_keep, GError **error);

static gboolean
queue_workload(SlTx *tx, const SlJob *job, const SlTask *task, gint64 now, GError **error)
{
    g_auto(WorkerInput) input = {0};
    g_autoptr(SlAttempt) attempt = NULL;
    if (!sl_sql_attempt_get(tx, job->job_id, task->attempt_number, &attempt, error) ||
        !worker_input_build(tx, job, task->attempt_number, now, &input, error))
        return FALSE;
    SlWorkloadRequest request = {
        .type = input.type,
        .data_plane_group = input.data_plane_group,
        .job_id = job->job_id,
        .attempt_number = task->attempt_number,
        .connection_id = input.connection_id,
        .workspace_id = job->workspace_id,
        .input = input.input,
        .launch = input.launch,
        .log_path = attempt->log_path,
        .priority = input.priority,
    };
    return sl_queue_workload_create(tx, &request, now, NULL, error) &&
           sl_sql_job_start(tx, job->job_id, now, NULL, error);
}

/* attempt_start: look at the source's streams, build the input, put the workload into the queue. */
static gboolean
start_attempt(SlTx *tx, const SlConfig *config, const SlJob *job, const SlTask *task, gint64 now,
              gboolean *ret_keep, GError **error)
{
    WorkerSchema verdict;
    g_autofree char *why = NULL;
    if (!worker_schema_prepare(tx, config, job, task, now, &verdict, &why, error))
        return FALSE;
    *ret_keep = verdict == WORKER_SCHEMA_WAIT;
    if (verdict == WORKER_SCHEMA_STOP)
        return worker_finish_stopped(tx, job, task->attempt_number, why, now, error);
    return verdict == WORKER_SCHEMA_WAIT || queue_workload(tx, job, task, now, error);
}

static gboolean
finish_attempt(SlTx *tx, const SlConfig *config, const SlJob *job, const SlTask *task, gint64 now,
               gboolean *ret_keep, GError **error)
{
    return worker_finish_attempt(tx, config, job, task->attempt_number, now, error);
}

static const Step steps[] = {
    [SL_TASK_KIND_ATTEMPT_START] = start_attempt,
    [SL_TASK_KIND_ATTEMPT_FINISH] = finish_attempt,
};

/* Can the same step succeed later? What is wrong in itself stays wrong. */
static gboolean
may_help_later(const GError *error)
{
    SlErrorCode code = sl_error_code(error);
    return code != SL_ERROR_INVALID && code != SL_ERROR_NOT_FOUND && code != SL_ERROR_TOO_LARGE;
}

static gint64
wait_after(gint64 tries)
{
    gint64 wait = FIRST_WAIT_USEC << MIN(tries, 16);
    return MIN(wait, LONGEST_WAIT_USEC);
}

/* In a transaction of its own, because the step's was rolled back. */
static gboolean
give_up_or_postpone(SlDb *db, const SlConfig *config, const SlTask *task, const GError *reason,
                    gint64 now, GError **error)
{
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, error);
    g_autoptr(SlJob) job = NULL;
    if (tx == NULL || !sl_sql_job_lock(tx, task->job_id, &job, error))
        return FALSE;
    if (job == NULL)
        return sl_tx_commit(tx, error); /* deleted meanwhile, and the task with it */
    if (may_help_later(reason) && task->tries + 1 < MAX_TRIES) {
        gint64 wait = wait_after(task->tries);
        g_warning("%s, retrying in %" G_GINT64_FORMAT " s", reason->message, wait / G_USEC_PER_SEC);
        return sl_sql_task_postpone(tx, task->task_id, now + wait, NULL, error) &&
               sl_tx_commit(tx, error);
    }
    g_warning("Attempt %" G_GINT64_FORMAT " of job %" G_GINT64_FORMAT " cannot go on: %s",
              task->attempt_number, task->job_id, reason->message);
    return worker_finish_broken(tx, config, job, task->attempt_number, reason, now, error) &&
           sl_sql_task_delete(tx, task->task_id, NULL, error) && sl_tx_commit(tx, error);
}

static gboolean
do_task(SlTx *tx, const SlConfig *config, const SlTask *task, gint64 now, gboolean *ret_keep,
        GError **error)
{
    g_autoptr(SlJob) job = NULL;
    if (!sl_sql_job_lock(tx, task->job_id, &job, error))
        return FALSE;
    if (job == NULL || sl_job_status_is_final(job->status))
        return TRUE; /* cancelled meanwhile */
    return steps[task->kind](tx, config, job, task, now, ret_keep, error);
}

static gboolean
take_and_do(SlDb *db, const SlConfig *config, gint64 now, SlTask **ret_task, GError **error)
{
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, error);
    gboolean keep = FALSE;
    if (tx == NULL || !sl_sql_task_take(tx, now, ret_task, error))
        return FALSE;
    if (*ret_task == NULL)
        return TRUE;
    return do_task(tx, config, *ret_task, now, &keep, error) &&
           (keep || sl_sql_task_delete(tx, (*ret_task)->task_id, NULL, error)) &&
           sl_tx_commit(tx, error);
}

gboolean
worker_step_run(SlDb *db, const SlConfig *config, gint64 now, gboolean *ret_worked, GError **error)
{
    g_autoptr(SlTask) task = NULL;
    g_autoptr(GError) reason = NULL;
    gboolean ok = take_and_do(db, config, now, &task, &reason);
    *ret_worked = task != NULL;
    if (ok)
        return TRUE;
    if (task == NULL || sl_error_code(reason) == SL_ERROR_UNAVAILABLE) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return FALSE;
    }
    g_autofree char *job_id = g_strdup_printf("%" G_GINT64_FORMAT, task->job_id);
    g_auto(SlLogScope) scope = sl_log_scope(SL_LOG_JOB_ID, job_id);
    return give_up_or_postpone(db, config, task, reason, now, error);
}

gboolean
worker_step_next_due(SlDb *db, gint64 *ret_due, GError **error)
{
    g_autoptr(SlTx) tx = sl_db_begin(db, TRUE, error);
    g_autofree char *text = NULL;
    *ret_due = 0;
    if (tx == NULL || !sl_sql_task_next_due(tx, &text, error))
        return FALSE;
    return text == NULL || sl_time_parse(text, ret_due, error);
}
