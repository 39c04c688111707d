/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-config.h"
#include "sl-db.h"
#include "sl-records.h"
#include "sl-seal.h"

/* The calls of the workload API, apart from HTTP: each runs in one transaction, which the
 * dispatcher begins before it and commits after it. */
typedef struct {
    const SlConfig *config;
    const SlSealKey *key; /* NULL: no credential; inputs with secrets are refused */
    SlTx *tx;
    gint64 now;
    const char *workload_id; /* from the path or the body; NULL where a call has none */
    const char *token;       /* bearer token, or the body's; NULL where a call has none */
    const SlWorkloadCall *body;
} WorkloadApiCall;

/* Writes the answer's JSON, or nothing (204). */
typedef gboolean (*WorkloadApiFunc)(const WorkloadApiCall *call, GString *out, GError **error);

typedef enum {
    WORKLOAD_API_LAUNCHER = 1 << 0, /* root and our own user: launchers, the control plane */
    WORKLOAD_API_HOLDER = 1 << 1,   /* the orchestrator's user as well; the token says the rest */
    WORKLOAD_API_NEEDS_ID = 1 << 2,
    WORKLOAD_API_NEEDS_TOKEN = 1 << 3,
} WorkloadApiFlags;

typedef struct {
    const char *method;
    const char *path; /* below /api/v1/workload */
    WorkloadApiFlags flags;
    WorkloadApiFunc run;
} WorkloadApiOp;

extern const WorkloadApiOp workload_api_ops[];
extern const guint workload_api_n_ops;
