/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "launcher-policy.h"

/* How a runtime becomes a command in the sandbox. The seam where others will fit: one that keeps
 * its connectors elsewhere than in a unit (a container engine) adds start and stop here. */
typedef struct {
    const char *runtime; /* as in `launch` */
    /* Appends the connector's argv to `unit` (behind "sluice-init --") and what it needs to see. */
    gboolean (*compose)(const LauncherLaunch *launch, const LauncherPaths *paths,
                        LauncherUnit *unit, GError **error);
} LauncherBackend;

const LauncherBackend *launcher_backend_find(const char *runtime, GError **error);
