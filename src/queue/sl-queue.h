/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-db.h"
#include "sl-records.h"

/* Jobs, attempts, tasks, workloads: the only code that changes their states. Every function is one
 * edge: guarded statements inside the caller's transaction, so that an edge happens whole or not at
 * all. `now` is given, so that tests own the clock. README.md draws the life of a job. */

/* NOTIFY channels. A notification is a hint; the slow polls behind them find the same. */
#define SL_CHANNEL_TASK "sluice_task"         /* a step for a worker */
#define SL_CHANNEL_WORKLOAD "sluice_workload" /* a workload in the queue; payload: the group */
#define SL_CHANNEL_JOB "sluice_job"           /* a job changed; payload: "JOB STATUS" */
#define SL_CHANNEL_EVENT "sluice_event"       /* for open pages; triggers tell it too */
#define SL_CHANNEL_NOTICE "sluice_notice"     /* something to deliver to others */
#define SL_CHANNEL_SCHEDULE "sluice_schedule" /* a schedule or a retry to look at */

/* Is it one of the job kinds that move data of a connection (at most one at a time)? */
gboolean sl_config_type_is_replication(SlConfigType type);
gboolean sl_job_status_is_final(SlJobStatus status);

typedef struct {
    SlConfigType config_type;
    const char *scope; /* connection, actor or definition */
    const char *workspace_id;
    gboolean is_scheduled;
    const gint64 *scheduled_for; /* tick of a schedule; once per tick. NULL: none */
    const char *input;           /* JSON of check, discover, spec; NULL for replication */
} SlJobRequest;

/* Writes job, first attempt and first task, and notifies. A sync takes along the requests that wait
 * (sl-queue-request.h), and is a job of their type then. SL_ERROR_CONFLICT when the connection
 * has an unfinished job, or the tick has had its job. */
gboolean sl_queue_job_create(SlTx *tx, const SlJobRequest *request, gint64 now, SlJob **ret,
                             GError **error);

/* Asks for the end of a job: what has not started ends at once, what runs is told by its next
 * heartbeat. A job that has ended stays as it is and is returned; that is no error.
 * SL_ERROR_NOT_FOUND. */
gboolean sl_queue_job_cancel(SlTx *tx, gint64 job_id, gint64 now, SlJob **ret, GError **error);

/* A job that waits for its retry waits no longer; FALSE in *ret_done: it did not wait. */
gboolean sl_queue_retry_hasten(SlTx *tx, gint64 job_id, gint64 now, gboolean *ret_done,
                               GError **error);

/* The next attempt of one incomplete job whose wait is over. *ret_job is NULL when none is due. */
gboolean sl_queue_retry_start(SlTx *tx, gint64 now, SlJob **ret_job, GError **error);

/* How an attempt ended, and what becomes of its job. */
typedef struct {
    gint64 job_id;
    gint64 attempt_number;
    gboolean succeeded;
    SlJobStatus job_status; /* a final one, or INCOMPLETE to wait for retry_at */
    gint64 retry_at;
    gint64 complete_successive, complete_total, partial_successive, partial_total;
    const char *output;          /* JSON result of check, discover, spec; NULL otherwise */
    const char *failure_summary; /* JSON {failures, partialSuccess}; NULL: none */
} SlAttemptEnd;

gboolean sl_queue_attempt_finish(SlTx *tx, const SlAttemptEnd *end, gint64 now, GError **error);

/* What a catalog was discovered with: under this key the result of a discover job is kept. */
char *sl_queue_catalog_key(const SlDefinition *definition, const SlActor *actor);
