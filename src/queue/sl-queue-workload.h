/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-db.h"
#include "sl-records.h"

/* The life of a workload: pending → claimed → launched → running → success | failure | cancelled,
 * and back to pending when a host gives its claim back. Each claim makes a token; every write of
 * the holder carries it, and one that carries an older token changes nothing: SL_ERROR_GONE. */

gboolean sl_workload_status_is_final(SlWorkloadStatus status);

typedef struct {
    SlWorkloadType type;
    const char *data_plane_group;
    gint64 job_id;
    gint64 attempt_number;
    const char *connection_id; /* NULL unless sync */
    const char *workspace_id;
    const char *input;  /* JSON, secrets by reference */
    const char *launch; /* JSON: {source?, destination?} of WorkloadLaunch */
    const char *log_path;
    gint64 priority; /* higher first: what a person waits for goes before schedules */
} SlWorkloadRequest;

/* Writes workload and queue row, and notifies the launchers. *ret_id to be freed; may be NULL. */
gboolean sl_queue_workload_create(SlTx *tx, const SlWorkloadRequest *request, gint64 now,
                                  char **ret_id, GError **error);

/* Up to `quantity` pending workloads, hidden from other launchers for `hide_usec`. */
gboolean sl_queue_workload_poll(SlTx *tx, const char *group, gint64 quantity, gint64 hide_usec,
                                gint64 now, GPtrArray **ret, GError **error);

/* *ret_token is NULL when somebody else was faster. */
gboolean sl_queue_workload_claim(SlTx *tx, const char *workload_id, const char *data_plane_id,
                                 gint64 lease_usec, gint64 now, char **ret_token, GError **error);

gboolean sl_queue_workload_launched(SlTx *tx, const char *workload_id, const char *token,
                                    gint64 now, GError **error);

/* The holder works: state running, lease renewed. *ret_cancel: somebody asked it to stop. */
gboolean sl_queue_workload_running(SlTx *tx, const char *workload_id, const char *token,
                                   gint64 lease_usec, gint64 now, gboolean *ret_cancel,
                                   GError **error);
gboolean sl_queue_workload_heartbeat(SlTx *tx, const char *workload_id, const char *token,
                                     gint64 lease_usec, gint64 now, gboolean *ret_cancel,
                                     GError **error);
gboolean sl_queue_workload_release(SlTx *tx, const char *workload_id, const char *token, gint64 now,
                                   GError **error);

/* What the holder has to tell; `states` and `stats` may be NULL. */
typedef struct {
    const char *workload_id;
    const char *token;  /* NULL: the control plane itself */
    const char *states; /* JSON array of STATE messages */
    const SlAttemptStats *stats;
    const char *output;      /* JSON; kept with the attempt */
    SlWorkloadStatus status; /* SUCCESS, FAILURE or CANCELLED; used by finish */
    const char *source;      /* who says so, with failure and cancelled */
    const char *reason;
} SlWorkloadReport;

/* Acknowledged states and statistics, fenced. */
gboolean sl_queue_workload_commit(SlTx *tx, const SlWorkloadReport *report, gint64 now,
                                  GError **error);

/* The end: last states and statistics, output, status and the worker's next task, all in the
 * caller's transaction. The same report again (its answer was lost) succeeds and changes nothing.
 */
gboolean sl_queue_workload_finish(SlTx *tx, const SlWorkloadReport *report, gint64 now,
                                  GError **error);

/* Ends every workload that nobody claimed in time or whose holder fell silent. */
gboolean sl_queue_workload_sweep(SlTx *tx, gint64 claim_usec, gint64 now, guint *ret_swept,
                                 GError **error);
