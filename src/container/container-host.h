/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-engine.h"

/* The image in which programs of this host run: empty folders, and links as in a system with all of
 * its programs below /usr. What is in them is the host's own, mounted read-only, so that it is
 * always of the version that is installed and nothing has to be shipped or pulled. */
#define CONTAINER_HOST_IMAGE "sluice/host:1" /* another number with another content */

/* Makes it where the engine does not have it. */
gboolean container_host_ensure(SlEngine *engine, GError **error);
/* The same bytes each time, as `docker load` takes them. */
GBytes *container_host_archive(GError **error);

/* What an orchestrator sees of the host, SlEngineMount: programs, configuration, the message bus,
 * the journal, the workload API, its folders of sockets and logs. */
GArray *container_host_mounts(void);
