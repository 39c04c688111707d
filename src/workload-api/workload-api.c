/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"

#include <glib/gi18n.h>
#include <pwd.h>

#include "sl-bus-interfaces.h"
#include "sl-daemon.h"
#include "sl-http-service.h"
#include "workload-api-http.h"

#define HOLDER_USER "sluice-orchestrator"
/* A discovered catalog or a state may be large; callers are our own programs. */
#define MAX_BODY ((gsize)256 << 20)

typedef struct {
    SlConfig *config;
    SlDb *db;
    WorkloadApi *api;
    SlHttpService *http;
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

static gboolean
service_start(SlDaemon *daemon, GError **error)
{
    Service *service = g_new0(Service, 1);
    sl_daemon_set_data(daemon, service);
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
    service->db = sl_db_new(conninfo, (guint)config->server_threads, config->database_timeout_usec);
    service->api = workload_api_new(config, service->db, key, holder_uid(), error);
    if (service->api == NULL)
        return FALSE;
    service->http = sl_http_service_new(daemon, config, MAX_BODY, workload_api_handle, service->api,
                                        "sluice-workload-api.socket", error);
    return service->http != NULL;
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
service_drain(SlDaemon *daemon)
{
    Service *service = sl_daemon_get_data(daemon);
    sl_http_service_drain(service->http);
}

static void
service_stop(SlDaemon *daemon)
{
    Service *service = sl_daemon_get_data(daemon);
    if (service == NULL)
        return;
    g_clear_pointer(&service->http, sl_http_service_free);
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
