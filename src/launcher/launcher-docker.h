/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "launcher-backend.h"

/* The runtime 'docker': a container of Docker or Podman. The unit has sluice-container in it, which
 * alone reaches the engine's socket; the container is beside it, and ends with it. */
gboolean launcher_docker_build(const LauncherPlace *place, LauncherUnit *unit, GError **error);
