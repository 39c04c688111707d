/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"

#include <glib/gi18n.h>
#include <pwd.h>

#include "sl-bus-interfaces.h"
#include "sl-daemon.h"
#include "workload-api-http.h"

#define HOLDER_USER "sluice-orchestrator"
/* A discovered catalog or a state may be large; callers are our own programs. */
#define MAX_BODY ((gsize)256 << 20)
#define STOP_USEC (8 * (gint64)G_USEC_PER_SEC)

typedef struct {
    SlDaemon *daemon;
    SlConfig *config;
    SlDb *db;
    WorkloadApi *api;
    SlHttpServer *server;
    SlIdleLocker *stopping;
} Service;

static SlSealKey *
load_key(GError **error)
{
    g_autoptr(GError) missing = NULL;
    g_autoptr(GBytes) bytes = sl_daemon_credential("sluice-master-key", &missing);
    if (bytes != NULL)
        return sl_seal_key_new(bytes, error);
    g_warning("%s, ignoring: inputs with secrets will be refused", missing->message);
    return NULL;
}

static uid_t
holder_uid(void)
{
    const struct passwd *user = getpwnam(HOLDER_USER);
    return user != NULL ? user->pw_uid : (uid_t)-1;
}

/* Nobody asked for a while: the socket starts us again. */
static void
on_idle(SlHttpServer *server, gpointer data)
{
    Service *service = data;
    sl_daemon_quit(service->daemon, 0);
}

static gboolean
listen_on(Service *service, GError **error)
{
    g_autoptr(GArray) sockets = sl_daemon_take_sockets(service->daemon, NULL);
    for (guint i = 0; sockets != NULL && i < sockets->len; i++) {
        g_autoptr(GSocket) socket = g_socket_new_from_fd(g_array_index(sockets, int, i), error);
        if (socket == NULL || !sl_http_server_listen(service->server, socket, error))
            return FALSE;
    }
    return (sockets != NULL && sockets->len > 0) ||
           sl_error_set(error, SL_ERROR_CONFIG,
                        "no socket was handed over; start sluice-workload-api.socket instead");
}

static gboolean
service_start(SlDaemon *daemon, GError **error)
{
    Service *service = g_new0(Service, 1);
    sl_daemon_set_data(daemon, service);
    service->daemon = daemon;
    service->config = sl_config_load(NULL, error);
    if (service->config == NULL)
        return FALSE;
    const SlConfig *config = service->config;
    g_autofree char *conninfo = sl_db_conninfo(config, "sluice");
    g_autoptr(GError) bad_key = NULL;
    SlSealKey *key = load_key(&bad_key);
    if (bad_key != NULL) {
        g_propagate_error(error, g_steal_pointer(&bad_key));
        return FALSE;
    }
    SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    limits.max_body = MAX_BODY;
    limits.max_connections = (guint)config->server_max_connections;
    limits.threads = (guint)config->server_threads;
    limits.idle_usec = config->server_idle_usec;
    service->db = sl_db_new(conninfo, (guint)config->server_threads, config->database_timeout_usec);
    service->api = workload_api_new(config, service->db, key, holder_uid(), error);
    if (service->api == NULL)
        return FALSE;
    service->server = sl_http_server_new(&limits, workload_api_handle, service->api, error);
    if (service->server == NULL)
        return FALSE;
    sl_http_server_set_idle_func(service->server, on_idle, service);
    return listen_on(service, error);
}

static gboolean
service_export(SlDaemon *daemon, SlBus *bus, GError **error)
{
    g_autoptr(SlBusWorkloadApi1) skeleton = sl_bus_workload_api1_skeleton_new();
    sl_bus_workload_api1_set_version(skeleton, PACKAGE_VERSION);
    sl_bus_workload_api1_set_status(skeleton, "serving");
    return sl_bus_export(bus, G_DBUS_INTERFACE_SKELETON(skeleton), "/org/sluice/WorkloadApi1", NULL,
                         0, NULL, error);
}

static void
on_stopped(SlHttpServer *server, gpointer data)
{
    Service *service = data;
    g_clear_pointer(&service->stopping, sl_idle_unlock);
}

static void
service_drain(SlDaemon *daemon)
{
    Service *service = sl_daemon_get_data(daemon);
    service->stopping = sl_idle_lock(daemon);
    sl_http_server_stop(service->server, g_get_monotonic_time() + STOP_USEC, on_stopped, service);
}

static void
service_stop(SlDaemon *daemon)
{
    Service *service = sl_daemon_get_data(daemon);
    if (service == NULL)
        return;
    g_clear_pointer(&service->server, sl_http_server_free);
    g_clear_pointer(&service->api, workload_api_free);
    g_clear_pointer(&service->db, sl_db_unref);
    g_clear_pointer(&service->config, sl_config_free);
}

int
main(int argc, char **argv)
{
    static const SlDaemonInfo info = {
        .name = "sluice-workload-api",
        .summary = N_("Gives workloads to launchers, and takes the reports of their holders"),
        .bus_name = "org.sluice.WorkloadApi1",
        .start = service_start,
        .export = service_export,
        .drain = service_drain,
        .stop = service_stop,
    };
    return sl_daemon_main(&info, argc, argv);
}
