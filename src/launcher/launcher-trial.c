/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "launcher-core.h"

#include <string.h>

#include "sl-error.h"
#include "sl-log.h"

/* RunConnector: an administrator tries a connector, exactly as a workload would run it. It belongs
 * to no workload: who called listens on the control socket, and sluice-init ends it when he hangs
 * up. */

#define ID_DIGITS 32
#define TRIALS_SLICE "sluice-workloads.slice"

static gboolean
is_id(const char *text)
{
    return strlen(text) == ID_DIGITS && strspn(text, "0123456789abcdef") == ID_DIGITS;
}

static LauncherLaunch *
parse_launch(const char *text, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, error);
    if (doc == NULL) {
        g_prefix_error(error, "launch: ");
        return NULL;
    }
    return launcher_launch_parse(doc, sl_json_root(doc), "launch", error);
}

/* What the policy asks about: a workload with one role and no orchestrator. */
static LauncherWorkload *
trial_new(const char *id, LauncherRole role, LauncherLaunch *launch)
{
    LauncherWorkload *trial = g_new0(LauncherWorkload, 1);
    trial->go_fd = -1;
    trial->id = g_strdup_printf("trial-%s", id);
    trial->compact = g_strdup(id);
    trial->type = g_strdup("sync");
    trial->slice = g_strdup(TRIALS_SLICE);
    trial->connector[role] = g_strdup_printf("sluice-trial-%s.service", id);
    trial->launch[role] = launch;
    return trial;
}

typedef struct {
    Launcher *launcher;
    GDBusMethodInvocation *invocation; /* answering consumes it */
    char *unit;
} Start;

static void
on_started(GObject *source, GAsyncResult *result, gpointer data)
{
    Start *start = data;
    g_autoptr(GError) error = NULL;
    if (sl_units_job_finish(result, &error)) {
        g_message("started '%s' for an administrator", start->unit);
        sl_bus_launcher1_complete_run_connector(NULL, start->invocation, start->unit);
    } else if (!g_error_matches(error, SL_ERROR, SL_ERROR_CANCELLED)) {
        sl_units_unwatch(start->launcher->units, start->unit);
        if (g_error_matches(error, SL_ERROR, SL_ERROR_FAILED))
            error->code = SL_ERROR_CONNECTOR;
        sl_bus_return_error(start->invocation, error);
    }
    g_free(start->unit);
    g_free(start);
}

/* Watched only for systemd's word on a start that failed; its end is the caller's matter. */
static void
start_unit(Launcher *launcher, GDBusMethodInvocation *invocation, const LauncherUnit *unit)
{
    Start *start = g_new(Start, 1);
    *start = (Start){launcher, invocation, g_strdup(unit->spec.name)};
    sl_units_watch(launcher->units, start->unit, FALSE);
    sl_units_start(launcher->units, &unit->spec, unit->aux != NULL ? &unit->aux->spec : NULL,
                   on_started, start);
}

void
launcher_trial_start(Launcher *launcher, GDBusMethodInvocation *invocation, const char *id,
                     LauncherRole role, const char *launch_text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(LauncherUnit) unit = NULL;
    LauncherLaunch *launch = NULL;

    if (!is_id(id))
        sl_error_set(&error, SL_ERROR_INVALID, "id '%s': expected %d lower-case hexadecimal digits",
                     id, ID_DIGITS);
    else if (!launcher_core_may_begin(launcher))
        sl_error_set(&error, SL_ERROR_UNAVAILABLE, "the host is stopping");
    else
        launch = parse_launch(launch_text, &error);
    if (launch != NULL) {
        g_autoptr(LauncherWorkload) trial = trial_new(id, role, launch);
        unit = launcher_policy_connector(trial, role, sl_daemon_get_config(launcher->daemon),
                                         &launcher->paths, &error);
        if (unit != NULL)
            start_unit(launcher, invocation, unit);
    }
    if (unit == NULL)
        sl_bus_return_error(invocation, error);
}
