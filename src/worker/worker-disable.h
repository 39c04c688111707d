/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-config.h"
#include "sl-db.h"
#include "sl-records.h"

/* What becomes of a connection when a job of it has failed for good: one that has failed again and
 * again for days runs no more, and its people are warned once before. */
typedef enum { WORKER_LET_RUN, WORKER_WARN, WORKER_DISABLE } WorkerLimit;

/* A pure function. `row` has the failed jobs since the last success, this one included (cancelled
 * ones do not count and do not help), and when that success, or else the first job, was made. */
WorkerLimit worker_disable_decide(const SlConfig *limits, const SlFailureRow *row, gint64 now);

/* In the transaction that has failed the job: disables the connection, or warns. */
gboolean worker_disable_check(SlTx *tx, const SlConfig *config, const SlJob *job, gint64 now,
                              GError **error);

/* connection.status_reason, as Airbyte's clients know it. */
#define WORKER_REASON_FAILURES "TOO_MANY_FAILED_JOBS_WITH_NO_RECENT_SUCCESS"
