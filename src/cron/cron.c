/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"

#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>

#include "cron-duty.h"
#include "sl-bus-interfaces.h"
#include "sl-daemon.h"
#include "sl-log.h"

#define LOG_FOLDER "/var/log/sluice/jobs"
#define WAKE_FILE "/run/sluice/notify/due"
#define LAUNCHER_MSEC (30 * 1000)
#define DB_CONNECTIONS 6 /* a duty, and the senders of notifications */
#define STATEMENT_USEC (300 * (gint64)G_USEC_PER_SEC)

/* Two ways to run: `sluice-cron DUTY` does one duty and ends (the timers); without an argument it
 * stays on the bus for RunDuty until it is idle. */
typedef struct {
    SlDaemon *daemon;
    SlConfig *config;
    SlDb *db;
    SlSealKey *key;      /* NULL without the credential: only the unit on request has it */
    char *smtp_password; /* NULL without the credential */
    SlBusCron1 *bus;
    GHashTable *running; /* names of duties */
} Cron;

/* The launcher looks at [PostSync] Units= itself; a launcher that restarts is waited for. */
static gboolean
start_unit(const char *unit, gint64 job_id, gpointer data, char **ret_result, GError **error)
{
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        data, "org.sluice.Launcher1", "/org/sluice/Launcher1", "org.sluice.Launcher1",
        "StartPostSyncUnit", g_variant_new("(sxa{sv})", unit, job_id, NULL), G_VARIANT_TYPE("(ss)"),
        G_DBUS_CALL_FLAGS_NONE, LAUNCHER_MSEC, NULL, error);
    if (reply == NULL) {
        sl_bus_map_error(error);
        return FALSE;
    }
    g_variant_get(reply, "(ss)", NULL, ret_result);
    return TRUE;
}

static gboolean
run_duty(const Cron *cron, const CronDuty *duty, char **ret_result, GError **error)
{
    CronContext context = {.db = cron->db,
                           .config = cron->config,
                           .log_folder = LOG_FOLDER,
                           .now = g_get_real_time(),
                           .key = cron->key,
                           .smtp_password = cron->smtp_password,
                           .wake_file = WAKE_FILE};
    const SlBus *bus = sl_daemon_get_bus(cron->daemon);
    if (bus != NULL) {
        context.start_unit = start_unit;
        context.start_unit_data = sl_bus_get_connection(bus);
    }
    if (!duty->run(&context, ret_result, error)) {
        g_prefix_error(error, "%s: ", duty->name);
        return FALSE;
    }
    sl_log_event(G_LOG_LEVEL_INFO, SL_EVENT_DUTY_DONE, "%s: %s", duty->name, *ret_result);
    return TRUE;
}

/* What a file ends with is the editor's, not the password's. */
static void
load_password(Cron *cron)
{
    g_autoptr(GBytes) bytes = sl_daemon_credential("sluice-smtp-password", NULL);
    gsize len = 0;
    const char *text = bytes != NULL ? g_bytes_get_data(bytes, &len) : NULL;
    if (text == NULL)
        return;
    cron->smtp_password = g_strndup(text, len);
    g_strchomp(cron->smtp_password);
}

static gboolean
load_key(Cron *cron, GError **error)
{
    load_password(cron);
    g_autoptr(GBytes) bytes = sl_daemon_credential("sluice-master-key", NULL);
    if (bytes == NULL)
        return TRUE; /* the one duty that needs it says so */
    cron->key = sl_seal_key_new(bytes, error);
    return cron->key != NULL;
}

static gboolean
run_and_quit(Cron *cron, const CronDuty *duty, GError **error)
{
    g_autofree char *result = NULL;
    sl_daemon_set_bus_name(cron->daemon, NULL);
    sl_daemon_status("%s", _(duty->summary));
    if (!run_duty(cron, duty, &result, error))
        return FALSE;
    sl_daemon_status("%s", result);
    sl_daemon_quit(cron->daemon, 0);
    return TRUE;
}

static gboolean
cron_start(SlDaemon *daemon, GError **error)
{
    const char *const *arguments = sl_daemon_get_arguments(daemon);
    const CronDuty *duty = NULL;
    Cron *cron = g_new0(Cron, 1);
    sl_daemon_set_data(daemon, cron);
    cron->daemon = daemon;
    cron->running = g_hash_table_new(g_str_hash, g_str_equal);
    if (arguments[0] != NULL && arguments[1] != NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "one duty at a time: '%s' is too much",
                            arguments[1]);
    if (arguments[0] != NULL && (duty = cron_duty_find(arguments[0], error)) == NULL)
        return FALSE;
    /* Before anything can fail: a file that stays would start us again at once, and for ever. */
    if (duty != NULL && strcmp(duty->name, "notifications") == 0)
        g_unlink(WAKE_FILE);
    cron->config = sl_config_load(NULL, error);
    if (cron->config == NULL || !load_key(cron, error))
        return FALSE;
    g_autofree char *conninfo = sl_db_conninfo(cron->config, "sluice");
    cron->db = sl_db_new(conninfo, DB_CONNECTIONS, STATEMENT_USEC);
    if (!sl_daemon_retry(daemon, _("database"), sl_db_attempt_ping, cron->db, error))
        return FALSE;
    return duty == NULL || run_and_quit(cron, duty, error);
}

/* --- the bus --------------------------------------------------------------------------------- */

typedef struct {
    Cron *cron;
    const CronDuty *duty;
    SlIdleLocker *busy;
    char *result;
} Request;

static void
request_free(gpointer data)
{
    Request *request = data;
    g_hash_table_remove(request->cron->running, request->duty->name);
    sl_idle_unlock(request->busy);
    g_free(request->result);
    g_free(request);
}

static gboolean
run_request(gpointer data, GError **error)
{
    Request *request = data;
    return run_duty(request->cron, request->duty, &request->result, error);
}

static void
answer_request(GDBusMethodInvocation *invocation, gpointer data)
{
    const Request *request = data;
    sl_bus_cron1_complete_run_duty(request->cron->bus, invocation, request->result);
}

static gboolean
on_run_duty(SlBusCron1 *bus, GDBusMethodInvocation *invocation, const char *name, GVariant *options,
            gpointer data)
{
    Cron *cron = data;
    g_autoptr(GError) error = NULL;
    const CronDuty *duty = cron_duty_find(name, &error);
    if (duty != NULL && !g_hash_table_add(cron->running, (gpointer)duty->name)) {
        sl_error_set(&error, SL_ERROR_BUSY, "duty '%s' is running", name);
        duty = NULL;
    }
    if (duty == NULL) {
        sl_bus_return_error(invocation, error);
        return TRUE;
    }
    Request *request = g_new0(Request, 1);
    request->cron = cron;
    request->duty = duty;
    request->busy = sl_idle_lock(cron->daemon);
    sl_bus_run(invocation, run_request, answer_request, request, request_free);
    return TRUE;
}

static gboolean
cron_export(SlDaemon *daemon, SlBus *bus, GError **error)
{
    static const SlBusMethod methods[] = {{"RunDuty", "org.sluice.run-duty", NULL}};
    Cron *cron = sl_daemon_get_data(daemon);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < cron_n_duties; i++)
        g_ptr_array_add(names, (gpointer)cron_duties[i].name);
    g_ptr_array_add(names, NULL);
    cron->bus = sl_bus_cron1_skeleton_new();
    sl_bus_cron1_set_version(cron->bus, PACKAGE_VERSION);
    sl_bus_cron1_set_duties(cron->bus, (const char *const *)names->pdata);
    g_signal_connect(cron->bus, "handle-run-duty", G_CALLBACK(on_run_duty), cron);
    return sl_bus_export(bus, G_DBUS_INTERFACE_SKELETON(cron->bus), "/org/sluice/Cron1", methods,
                         G_N_ELEMENTS(methods), cron, error);
}

static void
cron_stop(SlDaemon *daemon)
{
    Cron *cron = sl_daemon_get_data(daemon);
    if (cron == NULL || g_hash_table_size(cron->running) > 0)
        return; /* a duty that outlasts the drain dies with the process; its transaction rolls back
                 */
    g_clear_object(&cron->bus);
    g_clear_pointer(&cron->db, sl_db_unref);
    g_clear_pointer(&cron->key, sl_seal_key_free);
    g_clear_pointer(&cron->smtp_password, g_free);
    g_clear_pointer(&cron->config, sl_config_free);
    g_hash_table_unref(cron->running);
    g_free(cron);
}

int
main(int argc, char **argv)
{
    static const SlDaemonInfo info = {
        .name = "sluice-cron",
        .summary = N_(
            "Keeps house: sweeps, deletes, tidies up. Without a duty it serves the message bus."),
        .arguments = N_("[DUTY]"),
        .bus_name = "org.sluice.Cron1",
        .flags = SL_DAEMON_ARGUMENTS | SL_DAEMON_IDLE_EXIT,
        .start = cron_start,
        .export = cron_export,
        .stop = cron_stop,
    };
    return sl_daemon_main(&info, argc, argv);
}
