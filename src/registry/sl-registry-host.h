/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Of the runtimes in `wished` ([Registry] Runtimes=) those that this host can run, in their order:
 * what the launcher has; images where skopeo is, and containers where an engine's socket is.
 * `engine_socket` is [Engine] Socket=; empty: where Docker and Podman listen unless somebody says
 * otherwise. Free with g_free(). */
char *sl_registry_host_runtimes(const char *wished, const char *engine_socket);
