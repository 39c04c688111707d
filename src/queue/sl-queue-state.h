/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-db.h"
#include "sl-records.h"

/* Committed states and statistics of an attempt. */

/* Stores STATE messages (a JSON array; each with or without its envelope), the last of a stream
 * winning. A null state deletes the stream's row. Errors: SL_ERROR_INVALID (shape; names the
 * element), SL_ERROR_CONFLICT (STREAM and GLOBAL states mixed in one connection). */
gboolean sl_queue_states_save(SlTx *tx, const char *connection_id, const char *states, gint64 now,
                              GError **error);

/* The stored states as a JSON array of STATE messages; NULL when there is none. Rows are
 * SlStateRow. */
char *sl_queue_states_build(const GPtrArray *rows);

gboolean sl_queue_stats_save(SlTx *tx, gint64 job_id, gint64 attempt_number,
                             const SlAttemptStats *stats, gint64 now, GError **error);
