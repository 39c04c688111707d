/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "launcher-policy.h"

/* What is to run, where, and how much it may take. */
typedef struct {
    const LauncherWorkload *workload;
    const LauncherLaunch *launch; /* of `role` */
    LauncherRole role;
    const SlConfig *config;
    const LauncherPaths *paths;
    guint64 memory_max, tasks_max, cpu_percent; /* 0: no limit */
} LauncherPlace;

/* How a runtime becomes a command in the sandbox. A row has one of the two functions. */
typedef struct {
    const char *runtime; /* as in `launch` */
    /* Appends the connector's argv to `unit` (behind "sluice-init --") and what it needs to see. */
    gboolean (*compose)(const LauncherLaunch *launch, const LauncherPaths *paths,
                        LauncherUnit *unit, GError **error);
    /* For connectors that are not in the unit themselves, but kept by it: sandbox, limits and
     * command are all its own. */
    gboolean (*build)(const LauncherPlace *place, LauncherUnit *unit, GError **error);
} LauncherBackend;

const LauncherBackend *launcher_backend_find(const char *runtime, GError **error);
