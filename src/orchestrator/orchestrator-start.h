/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* How connectors come to life: the launcher starts a unit (production), or sluice-init is our own
 * child without a sandbox (tests and measurements). Main thread only. */
typedef struct OrchestratorStarter OrchestratorStarter;

typedef struct {
    const char *workload_id, *compact_id; /* ID as in unit names */
    const char *run_folder;               /* /run/sluice/workloads */
    const char *spawn;                    /* path of sluice-init; NULL: by the launcher */
    const char *commands[2];              /* with spawn: command line per role */
} OrchestratorStarterOptions;

typedef enum {
    ORCHESTRATOR_SOURCE,
    ORCHESTRATOR_DESTINATION,
} OrchestratorRole;

const char *orchestrator_role_name(OrchestratorRole role);

OrchestratorStarter *orchestrator_starter_new(const OrchestratorStarterOptions *options,
                                              GError **error);
void orchestrator_starter_free(OrchestratorStarter *starter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchestratorStarter, orchestrator_starter_free)

/* Where sluice-init is to connect, and the folder in which the connector finds its files. */
char *orchestrator_starter_socket(const OrchestratorStarter *starter, OrchestratorRole role);
char *orchestrator_starter_files(const OrchestratorStarter *starter, OrchestratorRole role);
/* The folder of its data channel, as we or (inside) the connector see it. */
char *orchestrator_starter_data(const OrchestratorStarter *starter, OrchestratorRole role,
                                gboolean inside);

/* Called at most once: it has failed (error), or sluice-init runs and should have connected or do
 * so very soon (NULL). */
typedef void (*OrchestratorStartDone)(const GError *error, gpointer data);

void orchestrator_starter_start(OrchestratorStarter *starter, OrchestratorRole role,
                                OrchestratorStartDone done, gpointer data);

/* No call of `done` with this data any more. */
void orchestrator_starter_forget(OrchestratorStarter *starter, gpointer data);

/* Is this process the sluice-init of that role? */
gboolean orchestrator_starter_check(OrchestratorStarter *starter, OrchestratorRole role, pid_t pid,
                                    GError **error);
