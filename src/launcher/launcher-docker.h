/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "launcher-backend.h"

/* The runtime 'docker': a container of Docker or Podman. The unit has sluice-container in it, which
 * alone reaches the engine's socket; the container is beside it, and ends with it. */
gboolean launcher_docker_build(const LauncherPlace *place, LauncherUnit *unit, GError **error);

/* The service that keeps a workload's orchestrator in a container ([Launcher] Backend=docker).
 * `program` is the orchestrator's, uid and gid its user; the token comes from `token_fd`. */
LauncherUnit *launcher_docker_orchestrator(const LauncherWorkload *workload, const SlConfig *config,
                                           const LauncherPaths *paths, const char *program,
                                           uid_t uid, gid_t gid, int token_fd);
/* The process of such an orchestrator, as its keeper says; 0: there is none (yet). */
guint launcher_docker_find_process(const LauncherWorkload *workload);
