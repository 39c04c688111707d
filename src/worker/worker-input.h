/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-db.h"
#include "sl-records.h"

/* What an attempt needs: the input for its holder (ARCHITECTURE.md, "The workload API"; secrets as
 * references) and what the launcher sees. */
typedef struct {
    SlWorkloadType type;
    char *input;
    char *launch;
    char *data_plane_group;
    const char *connection_id; /* borrowed from the job; NULL unless it moves data */
    gint64 priority;
} WorkerInput;

void worker_input_clear(WorkerInput *input);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(WorkerInput, worker_input_clear)

/* Reads everything anew, so that an edit between attempts counts. SL_ERROR_NOT_FOUND and
 * SL_ERROR_INVALID name what is missing: trying again does not help then. */
gboolean worker_input_build(SlTx *tx, const SlJob *job, gint64 attempt_number, gint64 now,
                            WorkerInput *ret, GError **error);
