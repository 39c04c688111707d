/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-config.h"
#include "sl-db.h"
#include "sl-records.h"

/* Before a sync begins: have its source's streams changed? What was discovered too long ago, or
 * with another configuration or version, is discovered again first. That never fails the sync: when
 * it does not work, or takes too long, the sync goes on with what is known. */

typedef enum {
    WORKER_SCHEMA_GO,
    WORKER_SCHEMA_WAIT, /* the task comes again when it has been discovered */
    WORKER_SCHEMA_STOP, /* the connection was paused: the job ends */
} WorkerSchema;

/* *ret_why: with STOP, for people. */
gboolean worker_schema_prepare(SlTx *tx, const SlConfig *config, const SlJob *job,
                               const SlTask *task, gint64 now, WorkerSchema *ret, char **ret_why,
                               GError **error);
