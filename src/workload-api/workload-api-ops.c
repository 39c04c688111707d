/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "workload-api-ops.h"

#include "sl-error.h"
#include "sl-queue-workload.h"
#include "sl-sql.h"
#include "workload-api-control.h"
#include "workload-api-input.h"

/* A polled workload is hidden from the other launchers for so long. */
#define HIDE_USEC (30 * (gint64)G_USEC_PER_SEC)

static void
answer(GString *out, const SlRecord *record, gconstpointer object)
{
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_record_write(record, object, 0, &w);
}

static gboolean
need(const char *value, const char *name, GError **error)
{
    return value != NULL || sl_error_set(error, SL_ERROR_INVALID, "%s: is required", name);
}

/* --- of the launcher ------------------------------------------------------------------------- */

static gboolean
op_poll(const WorkloadApiCall *call, GString *out, GError **error)
{
    g_autoptr(SlWorkloadList) list = sl_workload_list_new();
    g_autoptr(GPtrArray) found = NULL;
    const char *group = call->body->dataplane_group != NULL ? call->body->dataplane_group : "auto";
    if (!sl_queue_workload_poll(call->tx, group, call->body->quantity, HIDE_USEC, call->now, &found,
                                error))
        return FALSE;
    list->workloads = found;
    answer(out, &sl_workload_list_record, list);
    list->workloads = NULL; /* its elements belong to `found` */
    return TRUE;
}

static gboolean
op_list(const WorkloadApiCall *call, GString *out, GError **error)
{
    static const char *const active[] = {"claimed", "launched", "running", NULL};
    g_autoptr(SlWorkloadList) list = sl_workload_list_new();
    g_autoptr(GPtrArray) found = NULL;
    const char *const *statuses =
        call->body->status != NULL ? (const char *const *)call->body->status : active;
    if (!need(call->body->dataplane_id, "dataplaneId", error) ||
        !sl_sql_workload_list(call->tx, call->body->dataplane_id, statuses, &found, error))
        return FALSE;
    list->workloads = found;
    answer(out, &sl_workload_list_record, list);
    list->workloads = NULL;
    return TRUE;
}

static gboolean
op_claim(const WorkloadApiCall *call, GString *out, GError **error)
{
    g_autoptr(SlWorkloadClaimed) claimed = sl_workload_claimed_new();
    if (!need(call->body->dataplane_id, "dataplaneId", error) ||
        !sl_queue_workload_claim(call->tx, call->workload_id, call->body->dataplane_id,
                                 call->config->workload_lease_usec, call->now, &claimed->token,
                                 error))
        return FALSE;
    sl_workload_claimed_set_claimed(claimed, claimed->token != NULL);
    answer(out, &sl_workload_claimed_record, claimed);
    return TRUE;
}

static gboolean
op_launched(const WorkloadApiCall *call, GString *out, GError **error)
{
    return sl_queue_workload_launched(call->tx, call->workload_id, call->token, call->now, error);
}

static gboolean
op_release(const WorkloadApiCall *call, GString *out, GError **error)
{
    return sl_queue_workload_release(call->tx, call->workload_id, call->token, call->now, error);
}

/* --- of the holder --------------------------------------------------------------------------- */

static gboolean
op_input(const WorkloadApiCall *call, GString *out, GError **error)
{
    return workload_api_input_build(call, out, error);
}

typedef gboolean (*Beat)(SlTx *tx, const char *workload_id, const char *token, gint64 lease_usec,
                         gint64 now, gboolean *ret_cancel, GError **error);

static gboolean
do_beat(const WorkloadApiCall *call, Beat func, GString *out, GError **error)
{
    g_autoptr(SlWorkloadBeat) beat = sl_workload_beat_new();
    gboolean cancel = FALSE;
    if (!func(call->tx, call->workload_id, call->token, call->config->workload_lease_usec,
              call->now, &cancel, error))
        return FALSE;
    sl_workload_beat_set_cancel_requested(beat, cancel);
    answer(out, &sl_workload_beat_record, beat);
    return TRUE;
}

static gboolean
op_running(const WorkloadApiCall *call, GString *out, GError **error)
{
    return do_beat(call, sl_queue_workload_running, out, error);
}

static gboolean
op_heartbeat(const WorkloadApiCall *call, GString *out, GError **error)
{
    return do_beat(call, sl_queue_workload_heartbeat, out, error);
}

static SlWorkloadReport
report_of(const WorkloadApiCall *call, SlWorkloadStatus status)
{
    return (SlWorkloadReport){
        .workload_id = call->workload_id,
        .token = call->token,
        .states = call->body->states,
        .stats = call->body->stats,
        .output = status == SL_WORKLOAD_STATUS_RUNNING ? NULL : call->body->output,
        .status = status,
        .source = call->body->source,
        .reason = call->body->reason,
    };
}

static gboolean
op_commit(const WorkloadApiCall *call, GString *out, GError **error)
{
    SlWorkloadReport report = report_of(call, SL_WORKLOAD_STATUS_RUNNING);
    return sl_queue_workload_commit(call->tx, &report, call->now, error) &&
           (call->body->config == NULL ||
            workload_api_control_store(call, call->body->config, error));
}

/* New configurations that a connector sent go to their actors first: the output must not keep them,
 * they may hold secrets. */
static gboolean
finish(const WorkloadApiCall *call, SlWorkloadStatus status, GError **error)
{
    SlWorkloadReport report = report_of(call, status);
    g_autofree char *output = NULL;
    if (report.output != NULL) {
        if (!workload_api_control_apply(call, report.output, &output, error))
            return FALSE;
        report.output = output;
    }
    return sl_queue_workload_finish(call->tx, &report, call->now, error);
}

static gboolean
op_success(const WorkloadApiCall *call, GString *out, GError **error)
{
    return finish(call, SL_WORKLOAD_STATUS_SUCCESS, error);
}

static gboolean
op_failure(const WorkloadApiCall *call, GString *out, GError **error)
{
    return finish(call, SL_WORKLOAD_STATUS_FAILURE, error);
}

static gboolean
op_cancel(const WorkloadApiCall *call, GString *out, GError **error)
{
    return finish(call, SL_WORKLOAD_STATUS_CANCELLED, error);
}

#define LAUNCHER WORKLOAD_API_LAUNCHER
#define HOLDER WORKLOAD_API_HOLDER
#define ID WORKLOAD_API_NEEDS_ID
#define FENCED (WORKLOAD_API_NEEDS_ID | WORKLOAD_API_NEEDS_TOKEN)

const WorkloadApiOp workload_api_ops[] = {
    {"POST", "/queue/poll", LAUNCHER, op_poll},
    {"POST", "/list", LAUNCHER, op_list},
    {"PUT", "/claim", LAUNCHER | ID, op_claim},
    {"PUT", "/launched", LAUNCHER | FENCED, op_launched},
    {"PUT", "/release", LAUNCHER | FENCED, op_release},
    {"GET", "/{workloadId}/input", HOLDER | FENCED, op_input},
    {"PUT", "/running", HOLDER | FENCED, op_running},
    {"PUT", "/heartbeat", HOLDER | FENCED, op_heartbeat},
    {"POST", "/{workloadId}/commit", HOLDER | FENCED, op_commit},
    {"PUT", "/success", HOLDER | FENCED, op_success},
    {"PUT", "/failure", HOLDER | FENCED, op_failure},
    {"PUT", "/cancel", HOLDER | FENCED, op_cancel},
};
const guint workload_api_n_ops = G_N_ELEMENTS(workload_api_ops);
