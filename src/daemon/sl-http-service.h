/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-daemon.h"
#include "sl-http-server.h"

/* The HTTP side of a socket-activated daemon: takes the sockets that systemd hands over, ends the
 * daemon when nobody asks (server_idle_usec; the socket starts it again), and lets running requests
 * finish when it stops. Main thread only. */
typedef struct SlHttpService SlHttpService;

/* Inside `start`. Limits come from `config`, the largest body from the caller. `socket_unit` stands
 * in the error of a start by hand. */
SlHttpService *sl_http_service_new(SlDaemon *daemon, const SlConfig *config, gsize max_body,
                                   SlHttpHandler handler, gpointer data, const char *socket_unit,
                                   GError **error);

SlHttpServer *sl_http_service_get_server(const SlHttpService *service);

/* From SlDaemonInfo.drain. */
void sl_http_service_drain(SlHttpService *service);

/* Ends what still runs. */
void sl_http_service_free(SlHttpService *service);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlHttpService, sl_http_service_free)
