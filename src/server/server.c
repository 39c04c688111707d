/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"

#include <glib/gi18n.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/random.h>

#include "server-dispatch.h"
#include "server-event-feed.h"
#include "server-events.h"
#include "server-web.h"
#include "sl-bus-interfaces.h"
#include "sl-daemon.h"
#include "sl-db-listen.h"
#include "sl-http-service.h"
#include "sl-queue.h"
#include "sl-registry-host.h"

#define LOG_FOLDER "/var/log/sluice/jobs"
#define AWAIT_MORE_USEC (60 * (gint64)G_USEC_PER_SEC)
#define STOP_USEC (4 * (gint64)G_USEC_PER_SEC) /* clients give up after 5 s */

typedef struct {
    SlConfig *config;
    char *smtp_password; /* NULL without the credential */
    Server server;
    SlHttpService *http;
    SlDbListener *listener;
    ServerEventFeed *feed;
    SlBusServer1 *bus;
    guint numbers; /* source that keeps the bus's numbers fresh */
} Service;

/* --- keys
 * ------------------------------------------------------------------------------------------ */

/* Tokens are signed with a key of their own, made from the master key, so that they outlive an
 * idle exit. */
static GBytes *
derive_token_key(GBytes *master)
{
    static const char purpose[] = "sluice token 1";
    guint8 digest[32];
    gsize size = sizeof(digest), n;
    const guint8 *key = g_bytes_get_data(master, &n);
    /* Of a ring the current key only: dropping the older ones ends no session. */
    g_autoptr(GHmac) hmac = g_hmac_new(G_CHECKSUM_SHA256, key, MIN(n, SL_SEAL_KEY_BYTES));
    g_hmac_update(hmac, (const guchar *)purpose, strlen(purpose));
    g_hmac_get_digest(hmac, digest, &size);
    return g_bytes_new(digest, size);
}

static gboolean
load_keys(Server *server, GError **error)
{
    g_autoptr(GError) missing = NULL;
    g_autoptr(GBytes) master = sl_daemon_credential("sluice-master-key", &missing);
    guint8 random[32];
    if (master != NULL) {
        server->token_key = derive_token_key(master);
        server->seal_key = sl_seal_key_new(master, error);
        return server->seal_key != NULL;
    }
    g_warning("%s, ignoring: secrets are refused, and tokens end with this process",
              missing->message);
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return sl_error_set(error, SL_ERROR_FAILED, "no random numbers for the token key");
    server->token_key = g_bytes_new(random, sizeof(random));
    return TRUE;
}

static void
load_admins(Server *server)
{
    const struct passwd *user = getpwnam("sluice");
    const struct group *group = getgrnam("sluice");
    server->admin_uid = user != NULL ? user->pw_uid : (uid_t)-1;
    server->admin_gid = group != NULL ? group->gr_gid : (gid_t)-1;
}

/* Hashes are asked for by requests, so that the HTTP service is there. */
static void
on_wake(const char *key, gpointer data)
{
    Service *service = data;
    sl_http_server_wake(sl_http_service_get_server(service->http), key);
}

/* Without the page there is still the API. */
static void
load_page(Server *server, const SlConfig *config)
{
    g_autoptr(GError) error = NULL;
    server->web = server_web_new(config->server_web_folder, &error);
    if (error != NULL)
        g_warning("%s, ignoring: there is no page", error->message);
}

/* What a file ends with is the editor's, not the password's. */
static void
load_smtp_password(Service *service)
{
    g_autoptr(GBytes) bytes = sl_daemon_credential("sluice-smtp-password", NULL);
    gsize len = 0;
    const char *text = bytes != NULL ? g_bytes_get_data(bytes, &len) : NULL;
    if (text != NULL)
        service->smtp_password = g_strchomp(g_strndup(text, len));
}

static gboolean
load_server(Service *service, GError **error)
{
    Server *server = &service->server;
    const SlConfig *config = service->config;
    g_autofree char *conninfo = sl_db_conninfo(config, "sluice");
    g_autofree char *openapi = g_build_filename(SL_PKGDATADIR, "openapi.json", NULL);
    server->db =
        sl_db_new(conninfo, (guint)config->server_threads + 1, config->database_timeout_usec);
    server->public_url = g_strdup(config->server_public_url);
    server->post_sync_units = config->post_sync_units;
    server->config = config;
    while (g_str_has_suffix(server->public_url, "/"))
        server->public_url[strlen(server->public_url) - 1] = '\0';
    server->log_folder = g_strdup(LOG_FOLDER);
    /* The job ends by itself; only a queue that nobody empties makes us give up first. */
    server->token_usec = config->server_token_usec;
    server->session_token_usec = config->server_session_token_usec;
    server->session_usec = config->server_session_usec;
    server->setup_link_usec = config->server_setup_link_usec;
    server->registry_runtimes =
        sl_registry_host_runtimes(config->registry_runtimes, config->engine_socket);
    load_smtp_password(service);
    server->webhooks_public_only = !config->notify_private;
    server->mail = (SlMailServer){
        .url = config->notify_smtp_url,
        .user = config->notify_smtp_user,
        .password = service->smtp_password,
        .from = config->notify_smtp_from,
        .start_tls = config->notify_smtp_start_tls != 0,
        .timeout_usec = config->notify_timeout_usec,
    };
    server->wake = on_wake;
    server->wake_data = service;
    server->await_usec = config->connector_job_time_usec + AWAIT_MORE_USEC;
    server->stop_usec = STOP_USEC;
    g_file_get_contents(openapi, &server->openapi, NULL, NULL);
    load_admins(server);
    load_page(server, config);
    return load_keys(server, error) && server_init(server, error);
}

/* --- life
 * ------------------------------------------------------------------------------------------ */

static void
on_notified(const char *channel, const char *payload, gpointer data)
{
    Service *service = data;
    if (channel == NULL || strcmp(channel, SL_CHANNEL_EVENT) == 0) {
        server_event_feed_notified(service->feed, channel != NULL ? payload : NULL);
        return; /* whoever waits for a job also looks by itself */
    }
    g_autofree char *id = g_strndup(payload, strcspn(payload, " "));
    g_autofree char *key = server_job_key(id);
    sl_http_server_wake(sl_http_service_get_server(service->http), key);
}

static gboolean
service_start(SlDaemon *daemon, GError **error)
{
    static const char *const channels[] = {SL_CHANNEL_JOB, SL_CHANNEL_EVENT, NULL};
    Service *service = g_new0(Service, 1);
    sl_daemon_set_data(daemon, service);
    service->config = sl_config_load(NULL, error);
    if (service->config == NULL || !load_server(service, error))
        return FALSE;
    const SlConfig *config = service->config;
    service->http =
        sl_http_service_new(daemon, config, (gsize)config->server_max_body, server_handle,
                            &service->server, "sluice-server.socket", error);
    if (service->http == NULL)
        return FALSE;
    server_events_set_http(service->server.events, sl_http_service_get_server(service->http));
    service->feed = server_event_feed_new(service->server.db, service->server.events);
    g_autofree char *conninfo = sl_db_conninfo(config, "sluice");
    service->listener = sl_db_listener_new(conninfo, channels, on_notified, service);
    return TRUE;
}

static gboolean
on_numbers(gpointer data)
{
    Service *service = data;
    SlHttpCounters counters;
    sl_http_server_get_counters(sl_http_service_get_server(service->http), &counters);
    sl_bus_server1_set_connections(service->bus, counters.connections);
    sl_bus_server1_set_requests(service->bus, counters.served);
    return G_SOURCE_CONTINUE;
}

static gboolean
service_export(SlDaemon *daemon, SlBus *bus, GError **error)
{
    Service *service = sl_daemon_get_data(daemon);
    service->bus = sl_bus_server1_skeleton_new();
    sl_bus_server1_set_version(service->bus, PACKAGE_VERSION);
    sl_bus_server1_set_status(service->bus, "serving");
    service->numbers = g_timeout_add_seconds(2, on_numbers, service);
    return sl_bus_export(bus, G_DBUS_INTERFACE_SKELETON(service->bus), "/org/sluice/Server1", NULL,
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
    g_clear_handle_id(&service->numbers, g_source_remove);
    g_clear_pointer(&service->listener, sl_db_listener_free);
    g_clear_pointer(&service->feed, server_event_feed_free);
    g_clear_pointer(&service->http, sl_http_service_free);
    g_clear_object(&service->bus);
    server_clear(&service->server);
    g_clear_pointer(&service->smtp_password, g_free);
    g_clear_pointer(&service->config, sl_config_free);
}

int
main(int argc, char **argv)
{
    static const SlDaemonInfo info = {
        .name = "sluice-server",
        .summary = N_("Serves the HTTP API"),
        .bus_name = "org.sluice.Server1",
        .start = service_start,
        .export = service_export,
        .drain = service_drain,
        .stop = service_stop,
    };
    return sl_daemon_main(&info, argc, argv);
}
