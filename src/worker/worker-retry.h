/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-config.h"
#include "sl-records.h"

/* What becomes of a job after a failed attempt: a pure function of counters and limits. An attempt
 * that committed or rejected at least one record made progress ("partial"), any other is
 * "complete". A complete failure waits, a partial one goes on at once. */
typedef struct {
    gboolean progress;
    gboolean cancelled;
    gboolean config_error; /* one of the failures: trying again cannot help */
} WorkerFailure;

typedef struct {
    gboolean retry;
    gint64 wait_usec;
    gint64 complete_successive, complete_total, partial_successive, partial_total;
} WorkerVerdict;

/* `job` gives the counters before this failure. */
WorkerVerdict worker_retry_decide(const SlConfig *limits, const SlJob *job,
                                  const WorkerFailure *failure);
