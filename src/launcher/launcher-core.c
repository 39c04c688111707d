/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "launcher-core.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "launcher-docker.h"
#include "launcher-oci.h"
#include "launcher-spawn.h"
#include "sl-error.h"
#include "sl-fd.h"
#include "sl-log.h"

/* After a failure nobody is helped by asking again at once. */
#define PAUSE_USEC (2 * G_USEC_PER_SEC)
/* systemd ends connectors with their orchestrator, and kills those that take longer than the stop
 * time-out of their units; this is for a unit whose end nobody tells. */
#define END_SEC 120

typedef struct {
    Launcher *launcher;
    char *id;
    pid_t pid;
    SlIdleLocker *locker; /* NULL when it may outlive the work */
} About;

static About *
about_new(Launcher *launcher, const LauncherWorkload *workload, gboolean lock)
{
    About *about = g_new0(About, 1);
    about->launcher = launcher;
    about->id = g_strdup(workload->id);
    about->pid = workload->pid;
    about->locker = lock ? sl_idle_lock(launcher->daemon) : NULL;
    return about;
}

static void
about_free(gpointer data)
{
    About *about = data;
    sl_idle_unlock(about->locker);
    g_free(about->id);
    g_free(about);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(About, about_free)

gboolean
launcher_core_may_begin(const Launcher *launcher)
{
    return !launcher->host_stopping && !sl_daemon_is_stopping(launcher->daemon);
}

void
launcher_core_tell(Launcher *launcher)
{
    guint running = g_hash_table_size(launcher->workloads);
    guint starting = launcher_connectors_starting(launcher->connectors);
    if (launcher->object != NULL) {
        sl_bus_launcher1_set_running(launcher->object, running);
        sl_bus_launcher1_set_starting(launcher->object, starting);
    }
    sl_daemon_status("%u workloads, %u connectors starting%s", running, starting,
                     !launcher->adopted        ? "; looking for what runs here"
                     : launcher->host_stopping ? "; the host is stopping"
                                               : "");
}

void
launcher_core_add(Launcher *launcher, LauncherWorkload *workload)
{
    LauncherWorkload *older = g_hash_table_lookup(launcher->workloads, workload->id);
    if (older != NULL) /* a claim that is over; its end was not noticed yet */
        launcher_core_remove(launcher, older);
    g_hash_table_replace(launcher->workloads, workload->id, workload);
    g_hash_table_replace(launcher->by_unit, workload->orchestrator, workload);
    for (int role = 0; role < LAUNCHER_N_ROLES; role++)
        g_hash_table_replace(launcher->by_unit, workload->connector[role], workload);
    launcher_core_tell(launcher);
}

void
launcher_core_remove(Launcher *launcher, LauncherWorkload *workload)
{
    gboolean was_full = g_hash_table_size(launcher->workloads) >=
                        (guint)sl_daemon_get_config(launcher->daemon)->launcher_max_workloads;
    sl_units_unwatch(launcher->units, workload->orchestrator);
    g_hash_table_remove(launcher->by_unit, workload->orchestrator);
    for (int role = 0; role < LAUNCHER_N_ROLES; role++) {
        sl_units_unwatch(launcher->units, workload->connector[role]);
        g_hash_table_remove(launcher->by_unit, workload->connector[role]);
    }
    g_hash_table_remove(launcher->workloads, workload->id);
    launcher_core_tell(launcher);
    if (was_full)
        launcher_core_take(launcher);
}

/* --- the end of a workload ---------------------------------------------------------------------
 */

static void
on_slice_stopped(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    if (!sl_units_job_finish(result, &error))
        g_debug("stopping a slice that is left: %s", error->message); /* it was gone, as a rule */
}

void
launcher_core_stop_slice(Launcher *launcher, const char *slice)
{
    sl_units_stop(launcher->units, slice, on_slice_stopped, NULL);
}

/* Its orchestrator is gone. Whether it reported is for the workload API to know: the token tells.
 */
static void
finish(Launcher *launcher, LauncherWorkload *workload)
{
    g_autofree char *how =
        workload->has_status ? launcher_spawn_describe(workload->child_status) : NULL;
    g_autofree char *reason = NULL;

    if (workload->stop_reason != NULL)
        reason = g_strdup(workload->stop_reason);
    else if (how != NULL)
        reason = g_strdup_printf("the orchestrator ended without a report: it %s", how);
    else
        reason = g_strdup("the orchestrator ended without a report");
    launcher_report(launcher->reports, LAUNCHER_REPORT_FAILURE, workload, reason);
    launcher_core_stop_slice(launcher, workload->slice);
    launcher_core_remove(launcher, workload);
}

typedef struct {
    Launcher *launcher;
    char *id;
} Waiting;

static void
waiting_free(gpointer data)
{
    Waiting *waiting = data;
    g_free(waiting->id);
    g_free(waiting);
}

static gboolean
on_end_time(gpointer data)
{
    const Waiting *waiting = data;
    LauncherWorkload *workload = g_hash_table_lookup(waiting->launcher->workloads, waiting->id);
    workload->end_source = 0;
    g_warning("connectors of workload '%s' have not ended in %d s, ignoring", workload->id,
              END_SEC);
    finish(waiting->launcher, workload);
    return G_SOURCE_REMOVE;
}

/* Nothing of the workload may run any more when its failure is told, because that starts the next
 * attempt: a destination that still stores what it had would work on the same tables as its
 * successor. */
static void
finish_alone(Launcher *launcher, LauncherWorkload *workload)
{
    if (workload->state != LAUNCHER_ENDED || workload->pid != 0)
        return;
    for (int role = 0; role < LAUNCHER_N_ROLES; role++) {
        if (!workload->connector_runs[role])
            continue;
        if (workload->end_source == 0) {
            Waiting *waiting = g_new(Waiting, 1);
            *waiting = (Waiting){launcher, g_strdup(workload->id)};
            workload->end_source = g_timeout_add_seconds_full(G_PRIORITY_DEFAULT, END_SEC,
                                                              on_end_time, waiting, waiting_free);
        }
        return;
    }
    finish(launcher, workload);
}

void
launcher_core_ended(Launcher *launcher, LauncherWorkload *workload)
{
    workload->state = LAUNCHER_ENDED;
    finish_alone(launcher, workload);
}

static void
on_child_exit(GPid pid, gint status, gpointer data)
{
    const About *about = data;
    LauncherWorkload *workload = g_hash_table_lookup(about->launcher->workloads, about->id);
    /* The same workload may have come back as a new claim with another child. */
    if (workload == NULL || workload->pid != pid)
        return;
    workload->pid = 0;
    workload->child_status = status;
    workload->has_status = TRUE;
    finish_alone(about->launcher, workload);
}

static void
log_connector_end(const LauncherWorkload *workload, const SlUnitEnd *end)
{
    g_auto(SlLogScope) id = sl_log_scope(SL_LOG_WORKLOAD_ID, workload->id);
    g_auto(SlLogScope) job = sl_log_scope(SL_LOG_JOB_ID, workload->job_id);
    g_auto(SlLogScope) unit = sl_log_scope("SLUICE_UNIT", end->name);
    g_auto(SlLogScope) result = sl_log_scope("SLUICE_RESULT", end->result);
    /* Without the unified hierarchy systemd does not hear of the kill, and only sluice-init tells:
     * 128 + SIGKILL. The orchestrator signals by SIGTERM first. */
    static const struct {
        const char *result;
        gint32 status; /* 0: any */
        const char *text;
    } causes[] = {
        {"oom-kill", 0, "killed because it needed more memory than it may"},
        {"exit-code", 128 + SIGKILL, "killed; most likely it needed more memory than it may"},
        {"timeout", 0, "stopped because it ran longer than it may"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(causes); i++) {
        if (strcmp(end->result, causes[i].result) != 0 ||
            (causes[i].status != 0 && causes[i].status != end->status))
            continue;
        sl_log_event(G_LOG_LEVEL_WARNING, SL_EVENT_CONNECTOR_ENDED, "'%s' was %s", end->name,
                     causes[i].text);
        return;
    }
    sl_log_event(G_LOG_LEVEL_INFO, SL_EVENT_CONNECTOR_ENDED, "'%s' has ended (%s, status %d)",
                 end->name, end->result, end->status);
}

/* Its keeper ends as the orchestrator did (as of wait(2)). */
static void
note_status(LauncherWorkload *workload, const SlUnitEnd *end)
{
    workload->has_status = end->code != 0;
    workload->child_status = end->code == CLD_EXITED ? end->status << 8 : end->status;
}

void
launcher_core_on_unit_ended(const SlUnitEnd *end, gpointer data)
{
    Launcher *launcher = data;
    LauncherWorkload *workload = g_hash_table_lookup(launcher->by_unit, end->name);
    if (workload == NULL)
        return;
    for (int role = 0; role < LAUNCHER_N_ROLES; role++) {
        if (strcmp(end->name, workload->connector[role]) == 0) {
            if (workload->connector_runs[role]) /* else its start failed and says so itself */
                log_connector_end(workload, end);
            workload->connector_runs[role] = FALSE;
            finish_alone(launcher, workload);
            return;
        }
    }
    if (workload->state == LAUNCHER_STARTING)
        return; /* on_orchestrator_started decides */
    /* A child of ours: its SIGCHLD is on the way and says how it ended. */
    if (workload->contained)
        note_status(workload, end);
    launcher_core_ended(launcher, workload);
}

/* --- the start of a workload -------------------------------------------------------------------
 */

static void
fail_start(Launcher *launcher, LauncherWorkload *workload, const GError *error)
{
    gboolean not_now = g_error_matches(error, SL_ERROR, SL_ERROR_UNAVAILABLE);
    /* The child sees the end of the pipe and goes; its watch reaps it. */
    sl_fd_clear(&workload->go_fd);
    launcher_report(launcher->reports, not_now ? LAUNCHER_REPORT_RELEASE : LAUNCHER_REPORT_FAILURE,
                    workload, error->message);
    /* The host or the slice is stopping: do not claim in a circle. */
    if (not_now)
        launcher->paused_until = g_get_monotonic_time() + PAUSE_USEC;
    launcher_core_remove(launcher, workload);
}

static void
on_orchestrator_started(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(About) about = data;
    g_autoptr(GError) error = NULL;
    Launcher *launcher = about->launcher;
    LauncherWorkload *workload = g_hash_table_lookup(launcher->workloads, about->id);

    gboolean ok = sl_units_job_finish(result, &error);
    if (workload == NULL)
        return;
    g_auto(SlLogScope) id = sl_log_scope(SL_LOG_WORKLOAD_ID, workload->id);
    g_auto(SlLogScope) job = sl_log_scope(SL_LOG_JOB_ID, workload->job_id);
    g_auto(SlLogScope) attempt = sl_log_scope(SL_LOG_ATTEMPT, workload->attempt);
    if (!ok || (!workload->contained && !launcher_spawn_go(workload->go_fd, &error))) {
        fail_start(launcher, workload, error);
        return;
    }
    sl_fd_clear(&workload->go_fd);
    workload->state = LAUNCHER_RUNNING;
    sl_log_event(G_LOG_LEVEL_INFO, SL_EVENT_WORKLOAD_STARTED, "started workload '%s' as '%s'",
                 workload->id, workload->orchestrator);
    launcher_report(launcher->reports, LAUNCHER_REPORT_LAUNCHED, workload, NULL);
    /* A keeper without an engine has ended before its start was told. */
    if (!sl_units_is_watched(launcher->units, workload->orchestrator))
        launcher_core_ended(launcher, workload);
}

static gboolean
spawn(Launcher *launcher, LauncherWorkload *workload, GError **error)
{
    g_autofree char *conf = g_strconcat("SLUICE_CONF=", g_getenv("SLUICE_CONF"), NULL);
    const char *const argv[] = {launcher->program, "--workload", workload->id, "--auto-id",
                                workload->auto_id, "--token-fd", "3",          NULL};
    const char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8",
                                       "HOME=/", g_getenv("SLUICE_CONF") != NULL ? conf : NULL,
                                       NULL};
    const LauncherSpawn request = {
        .program = launcher->program,
        .argv = argv,
        .environment = environment,
        .uid = launcher->uid,
        .gid = launcher->gid,
        .token = workload->token,
    };
    return launcher_spawn(&request, &workload->pid, &workload->go_fd, error);
}

/* A child of ours that waits for its scope. */
static LauncherUnit *
make_scope(Launcher *launcher, LauncherWorkload *workload, GError **error)
{
    if (!spawn(launcher, workload, error))
        return NULL;
    g_child_watch_add_full(G_PRIORITY_DEFAULT, workload->pid, on_child_exit,
                           about_new(launcher, workload, FALSE), about_free);
    return launcher_policy_scope(workload, (guint32)workload->pid);
}

/* A service that keeps a container. The token waits for it in a pipe. */
static LauncherUnit *
make_keeper(Launcher *launcher, LauncherWorkload *workload, int *ret_token, GError **error)
{
    sl_autofd int write_end = -1;
    if (!sl_fd_pipe(ret_token, &write_end, 0, error) ||
        !sl_fd_write_all(write_end, workload->token, strlen(workload->token), error))
        return NULL;
    return launcher_docker_orchestrator(workload, sl_daemon_get_config(launcher->daemon),
                                        &launcher->paths, launcher->program, launcher->uid,
                                        launcher->gid, *ret_token);
}

static void
start_workload(Launcher *launcher, LauncherWorkload *workload)
{
    g_autoptr(GError) error = NULL;
    g_auto(SlLogScope) id = sl_log_scope(SL_LOG_WORKLOAD_ID, workload->id);
    g_auto(SlLogScope) job = sl_log_scope(SL_LOG_JOB_ID, workload->job_id);
    sl_log_event(G_LOG_LEVEL_INFO, SL_EVENT_WORKLOAD_CLAIMED, "claimed workload '%s'",
                 workload->id);
    if (launcher->contained)
        launcher_workload_contain(workload);
    launcher_core_add(launcher, workload);
    g_autoptr(LauncherUnit) slice =
        launcher_policy_slice(workload, sl_daemon_get_config(launcher->daemon));
    sl_autofd int token = -1;
    g_autoptr(LauncherUnit) unit = launcher->contained
                                       ? make_keeper(launcher, workload, &token, &error)
                                       : make_scope(launcher, workload, &error);
    if (unit == NULL) {
        fail_start(launcher, workload, error);
        return;
    }
    workload->state = LAUNCHER_STARTING;
    sl_units_watch(launcher->units, workload->orchestrator, FALSE);
    sl_units_start(launcher->units, &unit->spec, &slice->spec, on_orchestrator_started,
                   about_new(launcher, workload, TRUE));
}

/* --- rounds ------------------------------------------------------------------------------------
 */

typedef struct {
    Launcher *launcher;
    LauncherApi api;
    guint quantity;
    GPtrArray *taken;
    SlIdleLocker *locker;
} Round;

static void
round_free(gpointer data)
{
    Round *round = data;
    g_clear_pointer(&round->taken, g_ptr_array_unref);
    sl_idle_unlock(round->locker);
    g_free(round);
}

static gboolean
on_timer(gpointer data)
{
    Launcher *launcher = data;
    launcher->timer = 0;
    if (launcher->adopted)
        launcher_core_take(launcher);
    else
        launcher_adopt(launcher);
    return G_SOURCE_REMOVE;
}

void
launcher_core_take_in(Launcher *launcher, gint64 usec)
{
    g_clear_handle_id(&launcher->timer, g_source_remove);
    launcher->timer = g_timeout_add((guint)MIN(usec / 1000 + 1, G_MAXINT), on_timer, launcher);
}

static void
round_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    Round *round = data;
    GError *error = NULL;
    if (launcher_api_take(&round->api, round->quantity, &round->taken, cancellable, &error))
        g_task_return_boolean(task, TRUE);
    else
        g_task_return_error(task, error);
}

/* Each poll starts the workload API, which would never be idle then. While notifications come, the
 * pauses of an empty queue double up to 16 times PollSec=; what a launcher that died has hidden
 * from us shows up in the first of them. */
static gint64
next_poll(const Launcher *launcher)
{
    gint64 usec = sl_daemon_get_config(launcher->daemon)->launcher_poll_usec;
    return launcher_wake_is_connected(launcher->wake) ? usec << MIN(launcher->empty_rounds, 4)
                                                      : usec;
}

static void
on_round(GObject *source, GAsyncResult *result, gpointer data)
{
    Launcher *launcher = data;
    Round *round = g_task_get_task_data(G_TASK(result));
    g_autoptr(GError) error = NULL;
    gboolean ok = g_task_propagate_boolean(G_TASK(result), &error);
    guint n = round->taken != NULL ? round->taken->len : 0;

    launcher->empty_rounds = n > 0 ? 0 : launcher->empty_rounds + 1;
    if (n == 0)
        launcher_oci_sweep(LAUNCHER_OCI_ROOTS);
    gint64 next = next_poll(launcher);
    launcher->taking = FALSE;
    for (guint i = 0; i < n; i++) {
        LauncherWorkload *workload = g_steal_pointer(&round->taken->pdata[i]);
        if (launcher_core_may_begin(launcher)) {
            start_workload(launcher, workload);
        } else {
            launcher_report(launcher->reports, LAUNCHER_REPORT_RELEASE, workload,
                            "the launcher is stopping");
            launcher_workload_free(workload);
        }
    }
    if (!ok) {
        next = MIN(next, PAUSE_USEC);
        launcher->paused_until = g_get_monotonic_time() + next;
        g_warning("%s, retrying in %.1f s", error->message, (double)next / G_USEC_PER_SEC);
    }
    if (!launcher_core_may_begin(launcher))
        return;
    launcher_core_take_in(launcher, next);
    if (ok && (launcher->take_again || n == round->quantity))
        launcher_core_take(launcher);
}

void
launcher_core_take(Launcher *launcher)
{
    gint64 now = g_get_monotonic_time();
    guint held = g_hash_table_size(launcher->workloads);
    guint most = (guint)sl_daemon_get_config(launcher->daemon)->launcher_max_workloads;

    if (!launcher_core_may_begin(launcher) || !launcher->adopted)
        return;
    if (launcher->taking) {
        launcher->take_again = TRUE;
        return;
    }
    if (now < launcher->paused_until) {
        launcher_core_take_in(launcher, launcher->paused_until - now);
        return;
    }
    if (held >= most)
        return; /* the end of one brings us back */
    Round *round = g_new0(Round, 1);
    round->launcher = launcher;
    round->api = launcher->api;
    round->quantity = most - held;
    round->locker = sl_idle_lock(launcher->daemon);
    launcher->taking = TRUE;
    launcher->take_again = FALSE;
    launcher->taking_since = now;
    g_autoptr(GTask) task =
        g_task_new(NULL, sl_daemon_get_cancellable(launcher->daemon), on_round, launcher);
    /* What was taken before a cancellation must be given back, not forgotten. */
    g_task_set_check_cancellable(task, FALSE);
    g_task_set_task_data(task, round, round_free);
    g_task_run_in_thread(task, round_thread);
}

/* --- life --------------------------------------------------------------------------------------
 */

static void
on_wake(gpointer data)
{
    Launcher *launcher = data;
    launcher->empty_rounds = 0;
    if (launcher->adopted)
        launcher_core_take(launcher);
}

static void
on_prepare_for_shutdown(GDBusConnection *connection, const char *sender, const char *path,
                        const char *interface, const char *signal, GVariant *parameters,
                        gpointer data)
{
    Launcher *launcher = data;
    gboolean stopping = FALSE;
    g_variant_get(parameters, "(b)", &stopping);
    launcher->host_stopping = stopping;
    launcher_core_tell(launcher);
    if (!stopping)
        launcher_core_take(launcher);
}

void
launcher_core_start(Launcher *launcher)
{
    GDBusConnection *connection = sl_bus_get_connection(sl_daemon_get_bus(launcher->daemon));
    launcher->workloads = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                                (GDestroyNotify)launcher_workload_free);
    launcher->by_unit = g_hash_table_new(g_str_hash, g_str_equal);
    launcher->connectors = launcher_connectors_new(launcher);
    launcher->reports = launcher_reports_new(launcher);
    launcher->shutdown_match = g_dbus_connection_signal_subscribe(
        connection, "org.freedesktop.login1", "org.freedesktop.login1.Manager",
        "PrepareForShutdown", "/org/freedesktop/login1", NULL, G_DBUS_SIGNAL_FLAGS_NONE,
        on_prepare_for_shutdown, launcher, NULL);
    launcher->wake = launcher_wake_new(sl_daemon_get_config(launcher->daemon), on_wake, launcher);
    launcher_core_tell(launcher);
    /* After READY=1: workloads are ordered after us, to wait for one before would be a knot. */
    launcher_core_take_in(launcher, 0);
}

void
launcher_core_drain(Launcher *launcher)
{
    g_clear_handle_id(&launcher->timer, g_source_remove);
    g_clear_pointer(&launcher->wake, launcher_wake_free);
}

/* Workloads go on without us; the next launcher finds them. */
void
launcher_core_stop(Launcher *launcher)
{
    launcher_core_drain(launcher);
    if (launcher->shutdown_match != 0)
        g_dbus_connection_signal_unsubscribe(
            sl_bus_get_connection(sl_daemon_get_bus(launcher->daemon)), launcher->shutdown_match);
    g_clear_pointer(&launcher->connectors, launcher_connectors_free);
    g_clear_pointer(&launcher->reports, launcher_reports_free);
    g_clear_pointer(&launcher->units, sl_units_free);
    g_clear_pointer(&launcher->by_unit, g_hash_table_unref);
    g_clear_pointer(&launcher->workloads, g_hash_table_unref);
    g_clear_object(&launcher->object);
}
