/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "launcher-core.h"

#include <string.h>

#include "sl-error.h"
#include "sl-log.h"

/* After a restart: what the workload API says we hold is joined with the units that are there.
 *
 *   status               | orchestrator there       | orchestrator gone
 *   claimed              | goes on; launched again  | released: it never began
 *   launched, running    | goes on                  | failed, once its connectors have ended: the
 *                        |                          | orchestrator left no report
 *   not ours (any more)  | stopped                  |
 *
 * A child that its launcher did not release before it died has ended by itself. */

#define RETRY_USEC G_USEC_PER_SEC

static const char *const patterns[] = {LAUNCHER_ORCHESTRATOR "*.scope",
                                       LAUNCHER_ORCHESTRATOR "*.service", "sluice-source-*.service",
                                       "sluice-destination-*.service", NULL};

typedef struct {
    LauncherApi api;
    GPtrArray *held;
    SlIdleLocker *locker;
} Adoption;

static void
adoption_free(gpointer data)
{
    Adoption *adoption = data;
    g_clear_pointer(&adoption->held, g_ptr_array_unref);
    sl_idle_unlock(adoption->locker);
    g_free(adoption);
}

static void
list_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    Adoption *adoption = data;
    GError *error = NULL;
    if (launcher_api_list(&adoption->api, &adoption->held, cancellable, &error))
        g_task_return_boolean(task, TRUE);
    else
        g_task_return_error(task, error);
}

static gboolean
is_there(char *const *units, const char *name)
{
    return g_strv_contains((const char *const *)units, name);
}

static void
adopt_one(Launcher *launcher, LauncherWorkload *workload, char *const *units)
{
    gboolean is_claimed = g_strcmp0(workload->status, "claimed") == 0;
    g_auto(SlLogScope) id = sl_log_scope(SL_LOG_WORKLOAD_ID, workload->id);

    for (int role = 0; role < LAUNCHER_N_ROLES; role++)
        workload->connector_runs[role] = is_there(units, workload->connector[role]);
    if (is_there(units, workload->orchestrator)) {
        workload->state = LAUNCHER_RUNNING;
        g_message("workload '%s' goes on", workload->id);
        if (is_claimed)
            launcher_report(launcher->reports, LAUNCHER_REPORT_LAUNCHED, workload, NULL);
        return;
    }
    if (is_claimed) {
        launcher_report(launcher->reports, LAUNCHER_REPORT_RELEASE, workload,
                        "it was claimed, but never began");
        launcher_core_remove(launcher, workload);
        return;
    }
    workload->stop_reason = "the orchestrator ended without a report while the launcher was away";
    launcher_core_ended(launcher, workload);
}

static void
on_orphan_stopped(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autofree char *slice = data;
    g_autoptr(GError) error = NULL;
    if (!sl_units_job_finish(result, &error))
        g_warning("%s, ignoring", error->message);
}

/* A unit of ours that we do not hold: its claim is over, its orchestrator only has not noticed. */
static void
stop_orphans(Launcher *launcher, char *const *units)
{
    for (; *units != NULL; units++) {
        if (!g_str_has_prefix(*units, LAUNCHER_ORCHESTRATOR) ||
            g_hash_table_contains(launcher->by_unit, *units))
            continue;
        const char *id = *units + strlen(LAUNCHER_ORCHESTRATOR);
        g_autofree char *compact = g_strndup(id, strcspn(id, "."));
        char *slice = g_strdup_printf("sluice-workloads-%s.slice", compact);
        g_warning("'%s' runs without a claim, stopping it", *units);
        sl_units_stop(launcher->units, slice, on_orphan_stopped, slice);
    }
}

/* sluice.conf may have said something else when it was started. */
static void
choose_unit(Launcher *launcher, LauncherWorkload *workload, char *const *units)
{
    g_autofree char *service =
        g_strdup_printf(LAUNCHER_ORCHESTRATOR "%s.service", workload->compact);
    gboolean contained = is_there(units, service);
    sl_units_unwatch(launcher->units, contained ? workload->orchestrator : service);
    if (contained)
        launcher_workload_contain(workload);
}

static gboolean
join(Launcher *launcher, GPtrArray *held, GError **error)
{
    /* Watch first, then look: whatever ends in between is told. */
    for (guint i = 0; i < held->len; i++) {
        const LauncherWorkload *workload = held->pdata[i];
        g_autofree char *service =
            g_strdup_printf(LAUNCHER_ORCHESTRATOR "%s.service", workload->compact);
        sl_units_watch(launcher->units, workload->orchestrator, TRUE);
        sl_units_watch(launcher->units, service, TRUE);
        for (int role = 0; role < LAUNCHER_N_ROLES; role++)
            sl_units_watch(launcher->units, workload->connector[role], TRUE);
    }
    g_auto(GStrv) units = sl_units_list(launcher->units, patterns, error);
    if (units == NULL)
        return FALSE;
    g_autoptr(GPtrArray) all = g_ptr_array_sized_new(held->len);
    for (guint i = 0; i < held->len; i++) {
        choose_unit(launcher, held->pdata[i], units);
        g_ptr_array_add(all, g_steal_pointer(&held->pdata[i]));
        launcher_core_add(launcher, all->pdata[i]);
    }
    stop_orphans(launcher, units);
    for (guint i = 0; i < all->len; i++)
        adopt_one(launcher, all->pdata[i], units);
    return TRUE;
}

static void
on_listed(GObject *source, GAsyncResult *result, gpointer data)
{
    Launcher *launcher = data;
    Adoption *adoption = g_task_get_task_data(G_TASK(result));
    g_autoptr(GError) error = NULL;

    gboolean ok = g_task_propagate_boolean(G_TASK(result), &error);
    if (sl_daemon_is_stopping(launcher->daemon))
        return;
    if (!ok || !join(launcher, adoption->held, &error)) {
        g_warning("looking for what runs here: %s, retrying in %.1f s", error->message,
                  (double)RETRY_USEC / G_USEC_PER_SEC);
        launcher_core_take_in(launcher, RETRY_USEC);
        return;
    }
    launcher->adopted = TRUE;
    launcher_core_tell(launcher);
    launcher_connectors_pump(launcher->connectors);
    launcher_core_take(launcher);
}

void
launcher_adopt(Launcher *launcher)
{
    Adoption *adoption = g_new0(Adoption, 1);
    adoption->api = launcher->api;
    adoption->locker = sl_idle_lock(launcher->daemon);
    g_autoptr(GTask) task =
        g_task_new(NULL, sl_daemon_get_cancellable(launcher->daemon), on_listed, launcher);
    g_task_set_task_data(task, adoption, adoption_free);
    g_task_run_in_thread(task, list_thread);
}
