/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-http-service.h"

/* Running requests may take so long to end; less than the drain of the daemon. */
#define STOP_USEC (8 * (gint64)G_USEC_PER_SEC)

struct SlHttpService {
    SlDaemon *daemon;
    SlHttpServer *server;
    SlIdleLocker *stopping;
};

static void
on_idle(SlHttpServer *server, gpointer data)
{
    SlHttpService *service = data;
    sl_daemon_quit(service->daemon, 0);
}

static gboolean
listen_on(SlHttpService *service, const char *socket_unit, GError **error)
{
    g_autoptr(GArray) sockets = sl_daemon_take_sockets(service->daemon, NULL);
    for (guint i = 0; sockets != NULL && i < sockets->len; i++) {
        g_autoptr(GSocket) socket = g_socket_new_from_fd(g_array_index(sockets, int, i), error);
        if (socket == NULL || !sl_http_server_listen(service->server, socket, error))
            return FALSE;
    }
    return (sockets != NULL && sockets->len > 0) ||
           sl_error_set(error, SL_ERROR_CONFIG, "no socket was handed over; start %s instead",
                        socket_unit);
}

SlHttpService *
sl_http_service_new(SlDaemon *daemon, const SlConfig *config, gsize max_body, SlHttpHandler handler,
                    gpointer data, const char *socket_unit, GError **error)
{
    SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    g_autoptr(SlHttpService) service = g_new0(SlHttpService, 1);
    service->daemon = daemon;
    limits.max_body = max_body;
    limits.max_connections = (guint)config->server_max_connections;
    limits.threads = (guint)config->server_threads;
    limits.idle_usec = config->server_idle_usec;
    service->server = sl_http_server_new(&limits, handler, data, error);
    if (service->server == NULL)
        return NULL;
    sl_http_server_set_idle_func(service->server, on_idle, service);
    return listen_on(service, socket_unit, error) ? g_steal_pointer(&service) : NULL;
}

SlHttpServer *
sl_http_service_get_server(const SlHttpService *service)
{
    return service->server;
}

static void
on_stopped(SlHttpServer *server, gpointer data)
{
    SlHttpService *service = data;
    g_clear_pointer(&service->stopping, sl_idle_unlock);
}

void
sl_http_service_drain(SlHttpService *service)
{
    service->stopping = sl_idle_lock(service->daemon);
    sl_http_server_stop(service->server, g_get_monotonic_time() + STOP_USEC, on_stopped, service);
}

void
sl_http_service_free(SlHttpService *service)
{
    if (service == NULL)
        return;
    g_clear_pointer(&service->server, sl_http_server_free);
    g_clear_pointer(&service->stopping, sl_idle_unlock);
    g_free(service);
}
