/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>

#include "launcher-launch.h"

#define LAUNCHER_ORCHESTRATOR                                                                      \
    "sluice-orchestrator-" /* unit names: this, the id, ".scope" or ".service" */

/* A workload as the launcher knows it: identity, token, what to start, and how far it is. */

typedef enum {
    LAUNCHER_CLAIMED,  /* ours, nothing started yet */
    LAUNCHER_STARTING, /* the orchestrator's unit is on its way */
    LAUNCHER_RUNNING,  /* it is there */
    LAUNCHER_ENDED,    /* it is gone */
} LauncherState;

typedef struct {
    char *id;                               /* workloadId: the key */
    char *auto_id;                          /* UUID */
    char *compact;                          /* its 32 digits */
    char *type;                             /* sync, check, discover, spec */
    char *job_id, *attempt, *connection_id; /* as text; connection_id may be NULL */
    char *token;
    char *status; /* only from /list: what the database says */
    LauncherLaunch *launch[LAUNCHER_N_ROLES];
    char *slice;
    char *orchestrator; /* a scope; or, when it is in a container, the service of its keeper. A
                           trial has none */
    gboolean contained;
    char *connector[LAUNCHER_N_ROLES]; /* unit names */
    gboolean connector_runs[LAUNCHER_N_ROLES];

    LauncherState state;
    gint64 claimed_at;
    pid_t pid;        /* of the orchestrator, when it is our child; else 0 */
    int go_fd;        /* a byte here lets the child go on; -1 */
    int child_status; /* as of wait(2), when has_status */
    gboolean has_status;
    guint end_source;        /* ended, but a connector still winds down; 0: none */
    gboolean failed_start;   /* somebody else reports; the end of the child is no news */
    const char *stop_reason; /* static; why we stopped it */
} LauncherWorkload;

/* One element of the answers of /queue/poll and /list. SL_ERROR_PROTOCOL when members that name
 * the workload are missing; a bad `launch` is *ret_fault instead (SL_ERROR_INVALID), because then
 * it can be claimed and failed with that reason. */
LauncherWorkload *launcher_workload_parse(const SlJsonDoc *doc, const SlJsonNode *node,
                                          GError **ret_fault, GError **error);
/* Its orchestrator is in a container. */
void launcher_workload_contain(LauncherWorkload *workload);
void launcher_workload_free(LauncherWorkload *workload);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LauncherWorkload, launcher_workload_free)

/* SLUICE_JOB_ID=… and so on, for LogExtraFields=. */
GStrv launcher_workload_log_fields(const LauncherWorkload *workload);
