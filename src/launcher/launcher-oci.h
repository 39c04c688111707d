/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "launcher-policy.h"

#define LAUNCHER_OCI_ROOTS "/run/sluice/roots"

/* The runtime 'oci': an unpacked image (src/oci) as the root of the sandbox, shown by an overlay
 * that systemd mounts for this unit alone and takes away with it. */
gboolean launcher_oci_compose(const LauncherLaunch *launch, const LauncherPaths *paths,
                              LauncherUnit *unit, GError **error);

/* Removes folders of `roots` (LAUNCHER_OCI_ROOTS) on which nothing is mounted any more. */
void launcher_oci_sweep(const char *roots);
