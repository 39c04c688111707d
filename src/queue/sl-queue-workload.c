/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "sl-queue-workload.h"

#include <string.h>
#include <sys/random.h>

#include "sl-error.h"
#include "sl-id.h"
#include "sl-log.h"
#include "sl-queue-state.h"
#include "sl-queue.h"
#include "sl-sql.h"

gboolean
sl_workload_status_is_final(SlWorkloadStatus status)
{
    return status == SL_WORKLOAD_STATUS_SUCCESS || status == SL_WORKLOAD_STATUS_FAILURE ||
           status == SL_WORKLOAD_STATUS_CANCELLED;
}

gboolean
sl_queue_workload_create(SlTx *tx, const SlWorkloadRequest *request, gint64 now, char **ret_id,
                         GError **error)
{
    const char *type = sl_enum_name(&sl_workload_type_enum, (int)request->type);
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT "_%" G_GINT64_FORMAT "_%s",
                                          request->job_id, request->attempt_number, type);
    g_autofree char *auto_id = sl_id_new();
    if (!sl_sql_workload_add(tx, id, auto_id, type, request->data_plane_group, request->job_id,
                             request->attempt_number, request->connection_id, request->workspace_id,
                             request->input, request->launch, request->log_path, request->priority,
                             now, NULL, error) ||
        !sl_tx_notify(tx, SL_CHANNEL_WORKLOAD, request->data_plane_group, error))
        return FALSE;
    if (ret_id != NULL)
        *ret_id = g_steal_pointer(&id);
    return TRUE;
}

gboolean
sl_queue_workload_poll(SlTx *tx, const char *group, gint64 quantity, gint64 hide_usec, gint64 now,
                       GPtrArray **ret, GError **error)
{
    return sl_sql_workload_poll(tx, group, quantity, now, now + hide_usec, ret, error);
}

/* 128 random bits: it is a fence and a password in one. */
static char *
make_token(GError **error)
{
    guint8 bits[16];
    if (getrandom(bits, sizeof bits, 0) != (ssize_t)sizeof bits) {
        sl_error_set(error, SL_ERROR_FAILED, "no random numbers");
        return NULL;
    }
    GString *out = g_string_sized_new(2 * sizeof bits + 1);
    for (gsize i = 0; i < sizeof bits; i++)
        g_string_append_printf(out, "%02x", bits[i]);
    return g_string_free(out, FALSE);
}

gboolean
sl_queue_workload_claim(SlTx *tx, const char *workload_id, const char *data_plane_id,
                        gint64 lease_usec, gint64 now, char **ret_token, GError **error)
{
    gint64 claimed = 0;
    g_autofree char *token = make_token(error);
    *ret_token = NULL;
    if (token == NULL || !sl_sql_workload_claim(tx, workload_id, data_plane_id, token,
                                                now + lease_usec, now, &claimed, error))
        return FALSE;
    if (claimed > 0)
        *ret_token = g_steal_pointer(&token);
    return TRUE;
}

static gboolean
gone(const char *workload_id, GError **error)
{
    return sl_error_set(error, SL_ERROR_GONE, "workload %s has ended or has another holder",
                        workload_id);
}

/* One guarded update; no row means that the fence held. */
static gboolean
fenced(gboolean ok, gint64 affected, const char *workload_id, GError **error)
{
    return ok && (affected > 0 || gone(workload_id, error));
}

gboolean
sl_queue_workload_launched(SlTx *tx, const char *workload_id, const char *token, gint64 now,
                           GError **error)
{
    gint64 n = 0;
    gboolean ok = sl_sql_workload_launched(tx, workload_id, token, now, &n, error);
    return fenced(ok, n, workload_id, error);
}

gboolean
sl_queue_workload_heartbeat(SlTx *tx, const char *workload_id, const char *token, gint64 lease_usec,
                            gint64 now, gboolean *ret_cancel, GError **error)
{
    gint64 n = 0;
    g_autoptr(SlWorkload) workload = NULL;
    gboolean ok = sl_sql_workload_renew(tx, workload_id, token, now + lease_usec, now, &n, error);
    if (!fenced(ok, n, workload_id, error) ||
        !sl_sql_workload_get(tx, workload_id, &workload, error))
        return FALSE;
    *ret_cancel = sl_record_has(&sl_workload_record, workload, SL_WORKLOAD_CANCEL_REQUESTED_AT);
    return TRUE;
}

gboolean
sl_queue_workload_running(SlTx *tx, const char *workload_id, const char *token, gint64 lease_usec,
                          gint64 now, gboolean *ret_cancel, GError **error)
{
    gint64 n = 0;
    gboolean ok = sl_sql_workload_running(tx, workload_id, token, now, &n, error);
    return fenced(ok, n, workload_id, error) &&
           sl_queue_workload_heartbeat(tx, workload_id, token, lease_usec, now, ret_cancel, error);
}

gboolean
sl_queue_workload_release(SlTx *tx, const char *workload_id, const char *token, gint64 now,
                          GError **error)
{
    gint64 n = 0;
    gboolean ok = sl_sql_workload_release(tx, workload_id, token, now, &n, error);
    return fenced(ok, n, workload_id, error) && sl_tx_notify(tx, SL_CHANNEL_WORKLOAD, "", error);
}

static gboolean
announce_progress(SlTx *tx, const SlWorkload *held, GError **error)
{
    g_autofree char *payload =
        g_strdup_printf("progress %s %" G_GINT64_FORMAT, held->workspace_id, held->job_id);
    return sl_tx_notify(tx, SL_CHANNEL_EVENT, payload, error);
}

/* What both kinds of report bring. The row of `held` is locked: no newer holder can come between.
 */
static gboolean
save_report(SlTx *tx, const SlWorkloadReport *report, const SlWorkload *held, gint64 now,
            GError **error)
{
    if (report->states != NULL && held->connection_id != NULL &&
        !sl_queue_states_save(tx, held->connection_id, report->states, now, error))
        return FALSE;
    if (report->stats != NULL &&
        (!sl_queue_stats_save(tx, held->job_id, held->attempt_number, report->stats, now, error) ||
         !announce_progress(tx, held, error)))
        return FALSE;
    return report->output == NULL ||
           sl_sql_attempt_set_output(tx, held->job_id, held->attempt_number, report->output, now,
                                     NULL, error);
}

gboolean
sl_queue_workload_commit(SlTx *tx, const SlWorkloadReport *report, gint64 now, GError **error)
{
    g_autoptr(SlWorkload) held = NULL;
    if (!sl_sql_workload_hold(tx, report->workload_id, report->token, &held, error))
        return FALSE;
    if (held == NULL)
        return gone(report->workload_id, error);
    return save_report(tx, report, held, now, error);
}

/* Was this very report accepted before? An end that somebody else gave it, the sweep for one, is
 * none of the holder's: he hears that he is late. */
static gboolean
is_repeated(SlTx *tx, const SlWorkloadReport *report, GError **error)
{
    g_autoptr(SlWorkload) workload = NULL;
    if (!sl_sql_workload_get(tx, report->workload_id, &workload, error))
        return FALSE;
    if (workload == NULL)
        return sl_error_set(error, SL_ERROR_NOT_FOUND, "workload '%s' does not exist",
                            report->workload_id);
    return ((SlWorkloadStatus)workload->status == report->status &&
            g_strcmp0(workload->token, report->token) == 0 &&
            g_strcmp0(workload->termination_source, report->source) == 0) ||
           gone(report->workload_id, error);
}

gboolean
sl_queue_workload_finish(SlTx *tx, const SlWorkloadReport *report, gint64 now, GError **error)
{
    g_autoptr(SlWorkload) held = NULL, finished = NULL;
    const char *status = sl_enum_name(&sl_workload_status_enum, (int)report->status);
    if (report->token != NULL) {
        if (!sl_sql_workload_hold(tx, report->workload_id, report->token, &held, error))
            return FALSE;
        if (held == NULL)
            return is_repeated(tx, report, error);
        if (!save_report(tx, report, held, now, error))
            return FALSE;
    }
    if (!sl_sql_workload_finish(tx, report->workload_id, report->token, status, report->source,
                                report->reason, now, &finished, error))
        return FALSE;
    if (finished == NULL)
        return gone(report->workload_id, error);
    return sl_sql_task_add(tx, "attempt_finish", finished->job_id, finished->attempt_number, now,
                           now, NULL, error) &&
           sl_tx_notify(tx, SL_CHANNEL_TASK, NULL, error);
}

static gboolean
sweep_one(SlTx *tx, const SlWorkload *stale, gint64 now, GError **error)
{
    gboolean pending = stale->status == SL_WORKLOAD_STATUS_PENDING;
    g_autofree char *reason =
        pending ? g_strdup("no launcher took the workload in time; is sluice-launcher.service "
                           "running on a host of its data plane group?")
                : g_strdup_printf("the holder on data plane '%s' fell silent",
                                  stale->data_plane_id != NULL ? stale->data_plane_id : "?");
    SlWorkloadReport report = {
        .workload_id = stale->workload_id,
        .status = SL_WORKLOAD_STATUS_FAILURE,
        .source = pending ? "workload-monitor-claim" : "workload-monitor-heartbeat",
        .reason = reason,
    };
    g_autoptr(GError) lost = NULL;
    g_auto(SlLogScope) scope = sl_log_scope(SL_LOG_WORKLOAD_ID, stale->workload_id);
    if (sl_queue_workload_finish(tx, &report, now, &lost)) {
        sl_log_event(G_LOG_LEVEL_WARNING, SL_EVENT_WORKLOAD_LOST, "Workload %s failed: %s",
                     stale->workload_id, reason);
        return TRUE;
    }
    if (g_error_matches(lost, SL_ERROR, SL_ERROR_GONE))
        return TRUE; /* it ended by itself meanwhile */
    g_propagate_error(error, g_steal_pointer(&lost));
    return FALSE;
}

gboolean
sl_queue_workload_sweep(SlTx *tx, gint64 claim_usec, gint64 now, guint *ret_swept, GError **error)
{
    g_autoptr(GPtrArray) stale = NULL;
    *ret_swept = 0;
    if (!sl_sql_workload_list_stale(tx, now - claim_usec, now, &stale, error))
        return FALSE;
    for (guint i = 0; i < stale->len; i++)
        if (!sweep_one(tx, stale->pdata[i], now, error))
            return FALSE;
    *ret_swept = stale->len;
    return TRUE;
}
