/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "launcher-api.h"
#include "launcher-policy.h"
#include "launcher-wake.h"
#include "sl-bus-interfaces.h"
#include "sl-daemon.h"
#include "sl-unit.h"

/* The launcher's state, all of the main thread: the workloads that it holds and what it is waiting
 * for. The parts: launcher-core (take, start, end), launcher-adopt (after a restart),
 * launcher-report (what the workload API must hear), launcher-connector (StartConnector),
 * launcher-bus (the object). */

typedef struct LauncherConnectors LauncherConnectors;
typedef struct LauncherReports LauncherReports;

typedef struct {
    SlDaemon *daemon;
    SlUnits *units;
    SlBusLauncher1 *object; /* NULL before export */
    LauncherApi api;
    LauncherPaths paths;
    char *program;      /* the orchestrator */
    gboolean contained; /* [Launcher] Backend=docker: it is started in a container */
    uid_t uid;          /* its user */
    gid_t gid;
    uid_t control_uid; /* of the control plane, which may ask for units after runs; -1: nobody */

    GHashTable *workloads; /* id → LauncherWorkload, owned */
    GHashTable *by_unit;   /* name of an orchestrator's or connector's unit → LauncherWorkload */
    LauncherConnectors *connectors;
    LauncherReports *reports;
    LauncherWake *wake;

    gboolean adopted;       /* we know what runs here since before */
    gboolean taking;        /* a round is on its way */
    gboolean take_again;    /* something came up meanwhile */
    gint64 taking_since;    /* monotonic */
    gint64 paused_until;    /* monotonic: no round before, after a failure */
    guint empty_rounds;     /* in a row */
    gboolean host_stopping; /* nothing new is begun */
    guint timer;            /* the next round, or the next try to adopt */
    guint shutdown_match;
} Launcher;

/* `units` and the rest are set up; begins with adoption. */
void launcher_core_start(Launcher *launcher);
void launcher_core_drain(Launcher *launcher);
void launcher_core_stop(Launcher *launcher);

/* Looks for work now, or right after the round that is on its way. */
void launcher_core_take(Launcher *launcher);
void launcher_core_take_in(Launcher *launcher, gint64 usec);

/* Takes over a workload, from now on found by its id and units. */
void launcher_core_add(Launcher *launcher, LauncherWorkload *workload);
void launcher_core_remove(Launcher *launcher, LauncherWorkload *workload);
/* When nothing of a workload runs any more. The slice goes by itself, unless the start of a
 * connector came when the orchestrator had ended: systemd makes it anew then, and it would stay. */
void launcher_core_stop_slice(Launcher *launcher, const char *slice);
/* Its orchestrator is gone: what is left of it ends, then its failure is told. */
void launcher_core_ended(Launcher *launcher, LauncherWorkload *workload);
gboolean launcher_core_may_begin(const Launcher *launcher);

/* SlUnitEnded: the end of any watched unit. */
void launcher_core_on_unit_ended(const SlUnitEnd *end, gpointer launcher);

/* Properties and the status line. */
void launcher_core_tell(Launcher *launcher);

/* launcher-adopt: finds what runs here since before; retries by itself until it knows. */
void launcher_adopt(Launcher *launcher);

/* launcher-report: said until it is heard, unless the claim is not ours any more. */
typedef enum {
    LAUNCHER_REPORT_LAUNCHED,
    LAUNCHER_REPORT_RELEASE,
    LAUNCHER_REPORT_FAILURE
} LauncherReportKind;
LauncherReports *launcher_reports_new(Launcher *launcher);
void launcher_reports_free(LauncherReports *reports);
void launcher_report(LauncherReports *reports, LauncherReportKind kind,
                     const LauncherWorkload *workload, const char *reason);

/* launcher-connector */
LauncherConnectors *launcher_connectors_new(Launcher *launcher);
void launcher_connectors_free(LauncherConnectors *connectors);
guint launcher_connectors_starting(const LauncherConnectors *connectors);
void launcher_connectors_start(LauncherConnectors *connectors, GDBusMethodInvocation *invocation,
                               const char *workload_id, LauncherRole role);
void launcher_connectors_stop(LauncherConnectors *connectors, GDBusMethodInvocation *invocation,
                              const char *workload_id, LauncherRole role);
/* Something changed (adoption is done, a start is over): whose turn is it? */
void launcher_connectors_pump(LauncherConnectors *connectors);

/* launcher-trial: RunConnector. `id` names the control socket's folder. */
void launcher_trial_start(Launcher *launcher, GDBusMethodInvocation *invocation, const char *id,
                          LauncherRole role, const char *launch);

/* launcher-post-sync: StartPostSyncUnit */
void launcher_post_sync_start(Launcher *launcher, GDBusMethodInvocation *invocation,
                              const char *unit, gint64 job_id);

/* launcher-bus */
/* On an invocation: the unit of its sender, NULL when it is in none; and its number. */
#define LAUNCHER_CALLER_UNIT "launcher-caller-unit"
#define LAUNCHER_CALLER_PID "launcher-caller-pid"
gboolean launcher_bus_export(Launcher *launcher, SlBus *bus, GError **error);
