/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "launcher-workload.h"
#include "sl-config.h"
#include "sl-unit.h"

/* The fixed policy: what units a workload gets. Pure: no bus, no clock, no files but the look for a
 * console script. */

/* Where the programs are; tests and runs from the build folder give others. */
typedef struct {
    const char *libexecdir;   /* sluice-init */
    const char *connectordir; /* native connectors */
    const char *treedir;      /* trees of installed connectors */
    const char *workloaddir;  /* control sockets: WORKLOADDIR/ID/ROLE */
    const char *imagedir;     /* unpacked images (sl-oci-record.h) */
} LauncherPaths;

/* What the orchestrator itself may take, beside its connectors, within the slice. */
#define LAUNCHER_ORCHESTRATOR_MEMORY ((guint64)256 << 20)
#define LAUNCHER_ORCHESTRATOR_TASKS 64
#define LAUNCHER_STOP_USEC (20 * (guint64)G_USEC_PER_SEC)

/* A unit ready to be started, with all that its specification points to. */
typedef struct LauncherUnit LauncherUnit;
struct LauncherUnit {
    SlUnitSpec spec;
    LauncherUnit *aux; /* made in the same step, needed by it; NULL: none */
    GPtrArray *owned;  /* strings */
    GArray *mounts;    /* SlUnitMount */
    GArray *policy;    /* SlUnitSetting */
    char **allowed;    /* blocks of addresses, or NULL */
    GPtrArray *command, *command_after, *environment, *log_fields, *names;
};

LauncherUnit *launcher_policy_slice(const LauncherWorkload *workload, const SlConfig *config);
LauncherUnit *launcher_policy_scope(const LauncherWorkload *workload, guint32 pid);

/* SL_ERROR_INVALID: no such role, an unknown runtime, or a command that it refuses. */
LauncherUnit *launcher_policy_connector(const LauncherWorkload *workload, LauncherRole role,
                                        const SlConfig *config, const LauncherPaths *paths,
                                        GError **error);
void launcher_unit_free(LauncherUnit *unit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LauncherUnit, launcher_unit_free)

/* A unit to be filled; `name` is borrowed, `description` taken. Sealed, nothing may be added. */
LauncherUnit *launcher_unit_new(const char *name, char *description);
LauncherUnit *launcher_unit_seal(LauncherUnit *unit);

/* For backends: adds to a unit. Texts are copied. */
void launcher_unit_add_log_fields(LauncherUnit *unit, const LauncherWorkload *workload);
void launcher_unit_add_word(LauncherUnit *unit, const char *word);
void launcher_unit_add_word_after(LauncherUnit *unit, const char *word); /* ExecStopPost= */
void launcher_unit_add_environment(LauncherUnit *unit, const char *assignment);
void launcher_unit_add_mount(LauncherUnit *unit, const char *source, const char *target,
                             const char *options, gboolean writable, gboolean optional);
LauncherUnit *launcher_unit_add_aux(LauncherUnit *unit, const char *name, const char *description);
void launcher_unit_add_setting(LauncherUnit *unit, const SlUnitSetting *setting);
