/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-db.h"
#include "sl-records.h"

/* The catalog of one attempt: the connection's configured catalog with generation ids.
 *
 * A generation is bumped, and the stream's state deleted, in the transaction that starts the
 * attempt: on the first attempt for full refreshes and clears, on later ones for full refreshes
 * again. minimum_generation_id is the generation where old rows must go (overwrite, clear), else 0;
 * nothing between is legal for a destination. */
char *worker_catalog_prepare(SlTx *tx, const SlConnection *connection, const SlJob *job,
                             gint64 attempt_number, gint64 now, GError **error);
