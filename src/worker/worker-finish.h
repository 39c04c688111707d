/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-config.h"
#include "sl-db.h"
#include "sl-records.h"

/* What becomes of a job when its attempt's workload has ended: done, another attempt, failed,
 * cancelled. `job` is locked by the caller. */
gboolean worker_finish_attempt(SlTx *tx, const SlConfig *config, const SlJob *job,
                               gint64 attempt_number, gint64 now, GError **error);

/* The attempt could not even start (or its end could not be written) because of `reason`. */
gboolean worker_finish_broken(SlTx *tx, const SlConfig *config, const SlJob *job,
                              gint64 attempt_number, const GError *reason, gint64 now,
                              GError **error);

/* The connection was paused before the attempt began: the job is cancelled, and says why. */
gboolean worker_finish_stopped(SlTx *tx, const SlJob *job, gint64 attempt_number, const char *why,
                               gint64 now, GError **error);
