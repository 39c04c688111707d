/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"

#include <glib/gi18n.h>

#include "scheduler-turn.h"
#include "sl-bus-interfaces.h"
#include "sl-daemon.h"
#include "sl-db-loop.h"
#include "sl-queue.h"
#include "sl-sql.h"

#define WAKE_FILE "/run/sluice/notify/due"
#define POLL_USEC (30 * (gint64)G_USEC_PER_SEC)

typedef struct {
    SlDaemon *daemon;
    SlConfig *config;
    SlDb *db;
    SchedulerState state; /* the turn's thread only, while one runs */
    SlDbLoop *loop;
    SlIdleLocker *busy;
    SlBusScheduler1 *bus;
    gint64 next; /* written by the turn, read when it is over */
} Scheduler;

static gboolean
turn(gpointer data, GCancellable *cancellable, gint64 *ret_next, GError **error)
{
    Scheduler *scheduler = data;
    gboolean ok =
        scheduler_turn(&scheduler->state, g_get_real_time(), cancellable, ret_next, error);
    scheduler->next = *ret_next;
    return ok;
}

static void
on_busy(gpointer data, gboolean busy)
{
    Scheduler *scheduler = data;
    if (busy) {
        scheduler->busy = sl_idle_lock(scheduler->daemon);
        return;
    }
    g_clear_pointer(&scheduler->busy, sl_idle_unlock);
    const SchedulerState *state = &scheduler->state;
    if (state->term > 0)
        sl_daemon_status(_("leading (term %" G_GINT64_FORMAT "), %" G_GUINT64_FORMAT
                           " runs and %" G_GUINT64_FORMAT " retries started"),
                         state->term, state->n_created, state->n_retried);
    else
        sl_daemon_status(_("waiting: another scheduler leads"));
    if (scheduler->bus == NULL)
        return;
    sl_bus_scheduler1_set_state(scheduler->bus, state->term > 0 ? "leading" : "waiting");
    sl_bus_scheduler1_set_next_run(scheduler->bus, scheduler->next);
}

static gboolean
scheduler_start(SlDaemon *daemon, GError **error)
{
    static const SlDbLoopFuncs funcs = {turn, on_busy};
    static const char *const channels[] = {SL_CHANNEL_SCHEDULE, SL_CHANNEL_NOTICE, NULL};
    Scheduler *scheduler = g_new0(Scheduler, 1);
    sl_daemon_set_data(daemon, scheduler);
    scheduler->daemon = daemon;
    scheduler->config = sl_config_load(NULL, error);
    if (scheduler->config == NULL)
        return FALSE;
    g_autofree char *conninfo = sl_db_conninfo(scheduler->config, "sluice");
    scheduler->db = sl_db_new(conninfo, 2, scheduler->config->database_timeout_usec);
    if (!sl_daemon_retry(daemon, _("database"), sl_db_attempt_ping, scheduler->db, error))
        return FALSE;
    scheduler_state_init(&scheduler->state, scheduler->db, scheduler->config);
    scheduler->state.wake_file = WAKE_FILE;
    scheduler->loop = sl_db_loop_new(conninfo, channels, POLL_USEC, &funcs, scheduler);
    return TRUE;
}

/* --- the bus --------------------------------------------------------------------------------- */

typedef struct {
    Scheduler *scheduler;
    char *connection_id;
    SlJob *job;
} Trigger;

static void
trigger_free(gpointer data)
{
    Trigger *t = data;
    g_free(t->connection_id);
    g_clear_pointer(&t->job, sl_job_free);
    g_free(t);
}

static gboolean
trigger(gpointer data, GError **error)
{
    Trigger *t = data;
    g_autoptr(SlTx) tx = sl_db_begin(t->scheduler->db, FALSE, error);
    g_autoptr(SlConnection) connection = NULL;
    if (tx == NULL || !sl_sql_connection_get(tx, t->connection_id, &connection, error))
        return FALSE;
    if (connection == NULL)
        return sl_error_set(error, SL_ERROR_NOT_FOUND, "connection '%s' does not exist",
                            t->connection_id);
    if (connection->status != SL_CONNECTION_STATUS_ACTIVE)
        return sl_error_set(error, SL_ERROR_CONFLICT, "connection '%s' is not active",
                            connection->name);
    SlJobRequest request = {.config_type = SL_CONFIG_TYPE_SYNC,
                            .scope = connection->connection_id,
                            .workspace_id = connection->workspace_id};
    return sl_queue_job_create(tx, &request, g_get_real_time(), &t->job, error) &&
           sl_tx_commit(tx, error);
}

static void
answer_trigger(GDBusMethodInvocation *invocation, gpointer data)
{
    const Trigger *t = data;
    sl_bus_scheduler1_complete_trigger_sync(t->scheduler->bus, invocation, t->job->job_id);
}

static gboolean
on_trigger_sync(SlBusScheduler1 *bus, GDBusMethodInvocation *invocation, const char *connection_id,
                GVariant *options, gpointer data)
{
    Trigger *t = g_new0(Trigger, 1);
    t->scheduler = data;
    t->connection_id = g_strdup(connection_id);
    sl_bus_run(invocation, trigger, answer_trigger, t, trigger_free);
    return TRUE;
}

static gboolean
on_wake(SlBusScheduler1 *bus, GDBusMethodInvocation *invocation, GVariant *options, gpointer data)
{
    Scheduler *scheduler = data;
    sl_db_loop_wake(scheduler->loop);
    sl_bus_scheduler1_complete_wake(bus, invocation);
    return TRUE;
}

static gboolean
scheduler_export(SlDaemon *daemon, SlBus *bus, GError **error)
{
    static const SlBusMethod methods[] = {
        {"TriggerSync", "org.sluice.manage", NULL},
        {"Wake", "org.sluice.manage", NULL},
    };
    Scheduler *scheduler = sl_daemon_get_data(daemon);
    scheduler->bus = sl_bus_scheduler1_skeleton_new();
    sl_bus_scheduler1_set_version(scheduler->bus, PACKAGE_VERSION);
    sl_bus_scheduler1_set_state(scheduler->bus, "waiting");
    g_signal_connect(scheduler->bus, "handle-trigger-sync", G_CALLBACK(on_trigger_sync), scheduler);
    g_signal_connect(scheduler->bus, "handle-wake", G_CALLBACK(on_wake), scheduler);
    return sl_bus_export(bus, G_DBUS_INTERFACE_SKELETON(scheduler->bus), "/org/sluice/Scheduler1",
                         methods, G_N_ELEMENTS(methods), scheduler, error);
}

static gboolean
scheduler_healthy(SlDaemon *daemon)
{
    const Scheduler *scheduler = sl_daemon_get_data(daemon);
    return sl_db_loop_is_healthy(scheduler->loop);
}

static void
scheduler_drain(SlDaemon *daemon)
{
    Scheduler *scheduler = sl_daemon_get_data(daemon);
    sl_db_loop_set_paused(scheduler->loop, TRUE);
}

static void
scheduler_stop(SlDaemon *daemon)
{
    Scheduler *scheduler = sl_daemon_get_data(daemon);
    if (scheduler == NULL || scheduler->busy != NULL)
        return; /* a turn that outlasts the drain dies with the process; its transaction rolls back
                 */
    g_clear_pointer(&scheduler->loop, sl_db_loop_free);
    if (scheduler->db != NULL)
        scheduler_state_clear(&scheduler->state);
    g_clear_object(&scheduler->bus);
    g_clear_pointer(&scheduler->db, sl_db_unref);
    g_clear_pointer(&scheduler->config, sl_config_free);
    g_free(scheduler);
}

int
main(int argc, char **argv)
{
    static const SlDaemonInfo info = {
        .name = "sluice-scheduler",
        .summary = N_("Decides when connections run: schedules and retries"),
        .bus_name = "org.sluice.Scheduler1",
        .start = scheduler_start,
        .export = scheduler_export,
        .healthy = scheduler_healthy,
        .drain = scheduler_drain,
        .stop = scheduler_stop,
    };
    return sl_daemon_main(&info, argc, argv);
}
