/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "launcher-core.h"

#include "sl-error.h"
#include "sl-log.h"

#define RETRY_MIN_USEC (G_USEC_PER_SEC / 2)
#define RETRY_MAX_USEC (30 * G_USEC_PER_SEC)

struct LauncherReports {
    Launcher *launcher;
    GPtrArray *waiting; /* Report, for their timers */
};

typedef struct {
    LauncherReports *reports;
    LauncherApi api;
    LauncherReportKind kind;
    char *id, *token, *reason, *job_id;
    guint timer;
    gint64 wait_usec;
} Report;

static void
report_free(gpointer data)
{
    Report *report = data;
    g_clear_handle_id(&report->timer, g_source_remove);
    g_free(report->id);
    g_free(report->token);
    g_free(report->reason);
    g_free(report->job_id);
    g_free(report);
}

static void send_report(Report *report);

static gboolean
on_retry_timer(gpointer data)
{
    Report *report = data;
    guint index = 0;
    report->timer = 0;
    if (g_ptr_array_find(report->reports->waiting, report, &index))
        g_ptr_array_steal_index_fast(report->reports->waiting, index);
    send_report(report);
    return G_SOURCE_REMOVE;
}

static void
retry_later(Report *report, const GError *error)
{
    gint64 wait = (gint64)((double)report->wait_usec * g_random_double_range(0.5, 1.0));
    g_warning("%s, retrying in %.1f s", error->message, (double)wait / G_USEC_PER_SEC);
    report->wait_usec = MIN(report->wait_usec * 2, RETRY_MAX_USEC);
    report->timer = g_timeout_add((guint)(wait / 1000), on_retry_timer, report);
    g_ptr_array_add(report->reports->waiting, report);
}

static void
heard(const Report *report)
{
    switch (report->kind) {
    case LAUNCHER_REPORT_LAUNCHED:
        return;
    case LAUNCHER_REPORT_RELEASE:
        g_message("gave the claim of workload '%s' back: %s", report->id, report->reason);
        return;
    case LAUNCHER_REPORT_FAILURE:
        sl_log_event(G_LOG_LEVEL_WARNING, SL_EVENT_WORKLOAD_LOST, "workload '%s' failed: %s",
                     report->id, report->reason);
        return;
    }
}

/* The claim is over without us: the orchestrator reported, or somebody else decided. */
static gboolean
is_settled(const GError *error)
{
    return g_error_matches(error, SL_ERROR, SL_ERROR_GONE) ||
           g_error_matches(error, SL_ERROR, SL_ERROR_NOT_FOUND) ||
           g_error_matches(error, SL_ERROR, SL_ERROR_CONFLICT);
}

static void
report_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    const Report *report = data;
    GError *error = NULL;
    gboolean ok = FALSE;

    switch (report->kind) {
    case LAUNCHER_REPORT_LAUNCHED:
        ok = launcher_api_launched(&report->api, report->id, report->token, &error);
        break;
    case LAUNCHER_REPORT_RELEASE:
        ok = launcher_api_release(&report->api, report->id, report->token, &error);
        break;
    case LAUNCHER_REPORT_FAILURE:
        ok = launcher_api_fail(&report->api, report->id, report->token, report->reason, &error);
        break;
    }
    if (ok)
        g_task_return_boolean(task, TRUE);
    else
        g_task_return_error(task, error);
}

static void
on_reported(GObject *source, GAsyncResult *result, gpointer data)
{
    /* Released last: the daemon waits for calls on their way, not for pauses between them; what
     * was not heard then is found again by the next launcher's adoption. */
    g_autoptr(SlIdleLocker) locker = data;
    Report *report = g_task_get_task_data(G_TASK(result));
    g_autoptr(GError) error = NULL;
    g_auto(SlLogScope) workload = sl_log_scope(SL_LOG_WORKLOAD_ID, report->id);
    g_auto(SlLogScope) job = sl_log_scope(SL_LOG_JOB_ID, report->job_id);

    if (g_task_propagate_boolean(G_TASK(result), &error)) {
        heard(report);
    } else if (is_settled(error)) {
        if (report->kind == LAUNCHER_REPORT_FAILURE)
            sl_log_event(G_LOG_LEVEL_INFO, SL_EVENT_WORKLOAD_ENDED, "workload '%s' has ended",
                         report->id);
    } else if (sl_error_info_for(error)->retryable) {
        retry_later(report, error);
        return;
    } else {
        g_warning("%s, ignoring", error->message);
    }
    report_free(report);
}

static void
send_report(Report *report)
{
    g_autoptr(GTask) task =
        g_task_new(NULL, NULL, on_reported, sl_idle_lock(report->reports->launcher->daemon));
    g_task_set_task_data(task, report, NULL);
    g_task_run_in_thread(task, report_thread);
}

void
launcher_report(LauncherReports *reports, LauncherReportKind kind, const LauncherWorkload *workload,
                const char *reason)
{
    Report *report = g_new0(Report, 1);
    report->reports = reports;
    report->api = reports->launcher->api;
    report->kind = kind;
    report->id = g_strdup(workload->id);
    report->token = g_strdup(workload->token);
    report->job_id = g_strdup(workload->job_id);
    report->reason = g_strdup(reason);
    report->wait_usec = RETRY_MIN_USEC;
    send_report(report);
}

LauncherReports *
launcher_reports_new(Launcher *launcher)
{
    LauncherReports *reports = g_new0(LauncherReports, 1);
    reports->launcher = launcher;
    reports->waiting = g_ptr_array_new_with_free_func(report_free);
    return reports;
}

void
launcher_reports_free(LauncherReports *reports)
{
    if (reports == NULL)
        return;
    g_ptr_array_unref(reports->waiting);
    g_free(reports);
}
