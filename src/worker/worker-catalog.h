/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-db.h"
#include "sl-records.h"

/* The catalog of one attempt: the connection's configured catalog with generation ids.
 *
 * A generation is bumped, and the stream's state forgotten, in the transaction that starts the
 * attempt: on the first attempt for full refreshes and for what was requested (sl-queue-request.h),
 * on later ones for full refreshes that cannot be resumed. minimum_generation_id is the generation
 * where old rows must go, else 0; nothing between is legal for a destination. Old rows go with an
 * overwriting full refresh, and after a truncating refresh or a clear until a job has succeeded.
 *
 * A clear has only the streams that are to be emptied, each as an overwriting full refresh. */
char *worker_catalog_prepare(SlTx *tx, const SlConnection *connection, gboolean supports_refreshes,
                             const SlJob *job, gint64 attempt_number, gint64 now, GError **error);
