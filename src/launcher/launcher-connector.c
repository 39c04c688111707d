/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "launcher-core.h"

#include <string.h>

#include "launcher-docker.h"
#include "sl-error.h"
#include "sl-log.h"

/* StartConnector. A sandbox costs PID 1 some 50 ms of CPU, so only MaxStarts= are set up at the
 * same time; the others wait in line and their callers with them. A call that was lost with its
 * launcher comes again: it joins the start that is on its way, or finds the connector running. */

typedef struct {
    LauncherConnectors *connectors;
    char *workload_id;
    LauncherRole role;
    GPtrArray *invocations; /* GDBusMethodInvocation, borrowed: answering consumes them */
    char *slice;            /* that it is started in; NULL: nothing was */
    gboolean tried;         /* a unit of that name was in the way and was stopped */
    SlIdleLocker *locker;
} Start;

struct LauncherConnectors {
    Launcher *launcher;
    GQueue waiting;    /* Start */
    GPtrArray *active; /* Start */
};

static void
start_free(gpointer data)
{
    Start *start = data;
    g_ptr_array_unref(start->invocations);
    sl_idle_unlock(start->locker);
    g_free(start->workload_id);
    g_free(start->slice);
    g_free(start);
}

/* The fence: the caller must be the orchestrator of that very workload: be in its scope or, in a
 * container, be the process that its keeper says. */
static gboolean
is_orchestrator(GDBusMethodInvocation *invocation, const LauncherWorkload *workload)
{
    const char *unit = g_object_get_data(G_OBJECT(invocation), LAUNCHER_CALLER_UNIT);
    guint pid = GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(invocation), LAUNCHER_CALLER_PID));
    if (workload->contained)
        return pid != 0 && pid == launcher_docker_find_process(workload);
    return unit != NULL && strcmp(unit, workload->orchestrator) == 0;
}

static gboolean
check_caller(GDBusMethodInvocation *invocation, const LauncherWorkload *workload,
             const char *workload_id, GError **error)
{
    if (workload == NULL || workload->state == LAUNCHER_ENDED)
        return sl_error_set(error, SL_ERROR_NOT_FOUND, "workload '%s' is not held here",
                            workload_id);
    if (is_orchestrator(invocation, workload))
        return TRUE;
    const char *unit = g_object_get_data(G_OBJECT(invocation), LAUNCHER_CALLER_UNIT);
    return sl_error_set(error, SL_ERROR_FORBIDDEN,
                        "the caller is in '%s', not the orchestrator of workload '%s'",
                        unit != NULL ? unit : "no unit", workload_id);
}

/* Refuses the callers that are not who they should be; FALSE when none is left. */
static gboolean
check_callers(Start *start, const LauncherWorkload *workload)
{
    for (guint i = start->invocations->len; i > 0; i--) {
        g_autoptr(GError) error = NULL;
        GDBusMethodInvocation *invocation = start->invocations->pdata[i - 1];
        if (check_caller(invocation, workload, start->workload_id, &error))
            continue;
        g_ptr_array_remove_index(start->invocations, i - 1);
        sl_bus_return_error(invocation, error);
    }
    return start->invocations->len > 0;
}

static void
answer(Start *start, const char *unit, const GError *error)
{
    for (guint i = 0; i < start->invocations->len; i++) {
        GDBusMethodInvocation *invocation = start->invocations->pdata[i];
        if (error != NULL)
            sl_bus_return_error(invocation, error);
        else
            sl_bus_launcher1_complete_start_connector(NULL, invocation, unit);
    }
    g_ptr_array_set_size(start->invocations, 0);
}

static void
over(Start *start, const char *unit, const GError *error)
{
    LauncherConnectors *connectors = start->connectors;
    answer(start, unit, error);
    g_ptr_array_remove_fast(connectors->active, start); /* frees it */
    launcher_core_tell(connectors->launcher);
    launcher_connectors_pump(connectors);
}

/* --- starting ----------------------------------------------------------------------------------
 */

static void begin(Start *start);

static void
on_in_the_way_stopped(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    if (sl_units_job_finish(result, &error))
        begin(data);
    else if (!g_error_matches(error, SL_ERROR, SL_ERROR_CANCELLED))
        over(data, NULL, error);
}

static void
on_started(GObject *source, GAsyncResult *result, gpointer data)
{
    Start *start = data;
    Launcher *launcher = start->connectors->launcher;
    LauncherWorkload *workload = g_hash_table_lookup(launcher->workloads, start->workload_id);
    g_autoptr(GError) error = NULL;

    gboolean ok = sl_units_job_finish(result, &error);
    if (workload == NULL) {
        sl_error_set(ok ? &error : NULL, SL_ERROR_GONE, "workload '%s' ended meanwhile",
                     start->workload_id);
        launcher_core_stop_slice(launcher, start->slice);
        over(start, NULL, error);
        return;
    }
    g_auto(SlLogScope) id = sl_log_scope(SL_LOG_WORKLOAD_ID, workload->id);
    g_auto(SlLogScope) job = sl_log_scope(SL_LOG_JOB_ID, workload->job_id);
    const char *unit = workload->connector[start->role];
    if (ok) {
        /* A short one may have ended before its start was told. */
        workload->connector_runs[start->role] = sl_units_is_watched(launcher->units, unit);
        sl_log_event(G_LOG_LEVEL_INFO, SL_EVENT_CONNECTOR_STARTED, "started '%s'", unit);
        over(start, unit, NULL);
    } else if (g_error_matches(error, SL_ERROR, SL_ERROR_EXISTS) && !start->tried) {
        /* One of an earlier call, on its way out. */
        start->tried = TRUE;
        sl_units_stop(launcher->units, unit, on_in_the_way_stopped, start);
    } else {
        sl_units_unwatch(launcher->units, unit);
        if (g_error_matches(error, SL_ERROR, SL_ERROR_FAILED))
            error->code = SL_ERROR_CONNECTOR;
        g_warning("%s", error->message);
        over(start, NULL, error);
    }
}

static void
begin(Start *start)
{
    Launcher *launcher = start->connectors->launcher;
    LauncherWorkload *workload = g_hash_table_lookup(launcher->workloads, start->workload_id);
    g_autoptr(GError) error = NULL;
    g_autoptr(LauncherUnit) unit = NULL;

    if (!check_callers(start, workload)) {
        over(start, NULL, NULL);
        return;
    }
    if (workload->connector_runs[start->role]) {
        over(start, workload->connector[start->role], NULL);
        return;
    }
    unit = launcher_policy_connector(workload, start->role, sl_daemon_get_config(launcher->daemon),
                                     &launcher->paths, &error);
    if (unit == NULL) {
        over(start, NULL, error);
        return;
    }
    g_free(start->slice);
    start->slice = g_strdup(workload->slice);
    sl_units_watch(launcher->units, unit->spec.name, FALSE);
    sl_units_start(launcher->units, &unit->spec, unit->aux != NULL ? &unit->aux->spec : NULL,
                   on_started, start);
}

void
launcher_connectors_pump(LauncherConnectors *connectors)
{
    const SlConfig *config = sl_daemon_get_config(connectors->launcher->daemon);
    while (connectors->launcher->adopted && connectors->waiting.length > 0 &&
           connectors->active->len < config->launcher_max_starts) {
        Start *start = g_queue_pop_head(&connectors->waiting);
        g_ptr_array_add(connectors->active, start);
        begin(start);
    }
    launcher_core_tell(connectors->launcher);
}

static Start *
find_start(LauncherConnectors *connectors, const char *workload_id, LauncherRole role)
{
    for (GList *item = connectors->waiting.head; item != NULL; item = item->next) {
        Start *start = item->data;
        if (start->role == role && strcmp(start->workload_id, workload_id) == 0)
            return start;
    }
    for (guint i = 0; i < connectors->active->len; i++) {
        Start *start = connectors->active->pdata[i];
        if (start->role == role && strcmp(start->workload_id, workload_id) == 0)
            return start;
    }
    return NULL;
}

void
launcher_connectors_start(LauncherConnectors *connectors, GDBusMethodInvocation *invocation,
                          const char *workload_id, LauncherRole role)
{
    Launcher *launcher = connectors->launcher;
    g_autoptr(GError) error = NULL;
    /* Who has no business here is told at once; before adoption nobody can be told. */
    if (launcher->adopted &&
        !check_caller(invocation, g_hash_table_lookup(launcher->workloads, workload_id),
                      workload_id, &error)) {
        sl_bus_return_error(invocation, error);
        return;
    }
    Start *start = find_start(connectors, workload_id, role);
    if (start == NULL) {
        start = g_new0(Start, 1);
        start->connectors = connectors;
        start->workload_id = g_strdup(workload_id);
        start->role = role;
        start->invocations = g_ptr_array_new();
        start->locker = sl_idle_lock(launcher->daemon);
        g_queue_push_tail(&connectors->waiting, start);
    }
    g_ptr_array_add(start->invocations, invocation);
    launcher_connectors_pump(connectors);
}

/* --- stopping ----------------------------------------------------------------------------------
 */

static void
on_stopped(GObject *source, GAsyncResult *result, gpointer data)
{
    GDBusMethodInvocation *invocation = data;
    g_autoptr(GError) error = NULL;
    if (sl_units_job_finish(result, &error))
        sl_bus_launcher1_complete_stop_connector(NULL, invocation);
    else
        sl_bus_return_error(invocation, error);
}

void
launcher_connectors_stop(LauncherConnectors *connectors, GDBusMethodInvocation *invocation,
                         const char *workload_id, LauncherRole role)
{
    Launcher *launcher = connectors->launcher;
    const LauncherWorkload *workload = g_hash_table_lookup(launcher->workloads, workload_id);
    g_autoptr(GError) error = NULL;
    if (!launcher->adopted)
        sl_error_set(&error, SL_ERROR_UNAVAILABLE, "the launcher has just started, try again");
    else
        check_caller(invocation, workload, workload_id, &error);
    if (error != NULL)
        sl_bus_return_error(invocation, error);
    else
        sl_units_stop(launcher->units, workload->connector[role], on_stopped, invocation);
}

/* --- life --------------------------------------------------------------------------------------
 */

guint
launcher_connectors_starting(const LauncherConnectors *connectors)
{
    return connectors != NULL ? connectors->active->len + connectors->waiting.length : 0;
}

LauncherConnectors *
launcher_connectors_new(Launcher *launcher)
{
    LauncherConnectors *connectors = g_new0(LauncherConnectors, 1);
    connectors->launcher = launcher;
    connectors->active = g_ptr_array_new_with_free_func(start_free);
    g_queue_init(&connectors->waiting);
    return connectors;
}

/* Whoever waits still is answered: their retry finds the next launcher. */
void
launcher_connectors_free(LauncherConnectors *connectors)
{
    g_autoptr(GError) error = NULL;
    if (connectors == NULL)
        return;
    sl_error_set(&error, SL_ERROR_UNAVAILABLE, "the launcher is stopping, try again");
    for (guint i = 0; i < connectors->active->len; i++)
        answer(connectors->active->pdata[i], NULL, error);
    for (GList *item = connectors->waiting.head; item != NULL; item = item->next)
        answer(item->data, NULL, error);
    g_queue_clear_full(&connectors->waiting, start_free);
    g_ptr_array_unref(connectors->active);
    g_free(connectors);
}
