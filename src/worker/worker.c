/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"

#include <glib/gi18n.h>

#include "sl-bus-interfaces.h"
#include "sl-daemon.h"
#include "sl-db-loop.h"
#include "sl-queue.h"
#include "worker-step.h"

#define POLL_USEC (30 * (gint64)G_USEC_PER_SEC)

typedef struct {
    SlDaemon *daemon;
    SlDb *db;
    SlConfig *config; /* a copy that the thread may read */
    SlDbLoop *loop;
    SlBusWorker1 *bus;
    SlIdleLocker *busy;
    gint finished; /* tasks; atomic */
    gboolean drained;
} Worker;

/* In a thread: every due task, one after the other. */
static gboolean
turn(gpointer data, GCancellable *cancellable, gint64 *ret_next, GError **error)
{
    Worker *worker = data;
    gboolean worked = TRUE;
    while (worked && !g_cancellable_is_cancelled(cancellable)) {
        if (!worker_step_run(worker->db, worker->config, g_get_real_time(), &worked, error))
            return FALSE;
        if (worked)
            g_atomic_int_inc(&worker->finished);
    }
    return worker_step_next_due(worker->db, ret_next, error);
}

static void
show_state(Worker *worker)
{
    gboolean busy = worker->busy != NULL;
    const char *state = worker->drained ? (busy ? "draining" : "drained")
                        : busy          ? "working"
                                        : "waiting";
    sl_daemon_status("%s, %d tasks done", state, g_atomic_int_get(&worker->finished));
    if (worker->bus == NULL)
        return;
    sl_bus_worker1_set_state(worker->bus, state);
    sl_bus_worker1_set_running(worker->bus, worker->busy != NULL ? 1 : 0);
    sl_bus_worker1_set_finished(worker->bus, (guint64)g_atomic_int_get(&worker->finished));
}

static void
on_busy(gpointer data, gboolean busy)
{
    Worker *worker = data;
    if (busy)
        worker->busy = sl_idle_lock(worker->daemon);
    else
        g_clear_pointer(&worker->busy, sl_idle_unlock);
    show_state(worker);
}

static gboolean
worker_start(SlDaemon *daemon, GError **error)
{
    static const SlDbLoopFuncs funcs = {turn, on_busy};
    static const char *const channels[] = {SL_CHANNEL_TASK, NULL};
    Worker *worker = g_new0(Worker, 1);
    sl_daemon_set_data(daemon, worker);
    worker->daemon = daemon;
    worker->config = sl_config_load(NULL, error);
    if (worker->config == NULL)
        return FALSE;
    g_autofree char *conninfo = sl_db_conninfo(worker->config, "sluice");
    worker->db = sl_db_new(conninfo, 1, worker->config->database_timeout_usec);
    if (!sl_daemon_retry(daemon, _("database"), sl_db_attempt_ping, worker->db, error))
        return FALSE;
    worker->loop = sl_db_loop_new(conninfo, channels, POLL_USEC, &funcs, worker);
    return TRUE;
}

static gboolean
on_drain(SlBusWorker1 *bus, GDBusMethodInvocation *invocation, GVariant *options, gpointer data)
{
    Worker *worker = data;
    worker->drained = TRUE;
    sl_db_loop_set_paused(worker->loop, TRUE);
    show_state(worker);
    sl_bus_worker1_complete_drain(bus, invocation);
    return TRUE;
}

static gboolean
on_resume(SlBusWorker1 *bus, GDBusMethodInvocation *invocation, GVariant *options, gpointer data)
{
    Worker *worker = data;
    worker->drained = FALSE;
    sl_db_loop_set_paused(worker->loop, FALSE);
    show_state(worker);
    sl_bus_worker1_complete_resume(bus, invocation);
    return TRUE;
}

static gboolean
worker_export(SlDaemon *daemon, SlBus *bus, GError **error)
{
    static const SlBusMethod methods[] = {
        {"Drain", "org.sluice.manage", NULL},
        {"Resume", "org.sluice.manage", NULL},
    };
    Worker *worker = sl_daemon_get_data(daemon);
    worker->bus = sl_bus_worker1_skeleton_new();
    sl_bus_worker1_set_version(worker->bus, PACKAGE_VERSION);
    sl_bus_worker1_set_instance(worker->bus, sl_daemon_get_instance(daemon));
    g_signal_connect(worker->bus, "handle-drain", G_CALLBACK(on_drain), worker);
    g_signal_connect(worker->bus, "handle-resume", G_CALLBACK(on_resume), worker);
    show_state(worker);
    return sl_bus_export(bus, G_DBUS_INTERFACE_SKELETON(worker->bus), "/org/sluice/Worker1",
                         methods, G_N_ELEMENTS(methods), worker, error);
}

static gboolean
worker_healthy(SlDaemon *daemon)
{
    const Worker *worker = sl_daemon_get_data(daemon);
    return sl_db_loop_is_healthy(worker->loop);
}

static void
worker_drain(SlDaemon *daemon)
{
    Worker *worker = sl_daemon_get_data(daemon);
    sl_db_loop_set_paused(worker->loop, TRUE);
}

static void
worker_stop(SlDaemon *daemon)
{
    Worker *worker = sl_daemon_get_data(daemon);
    if (worker == NULL)
        return;
    /* A step that outlasts the drain dies with the process: its transaction rolls back. */
    if (worker->busy != NULL)
        return;
    g_clear_pointer(&worker->loop, sl_db_loop_free);
    g_clear_object(&worker->bus);
    g_clear_pointer(&worker->db, sl_db_unref);
    g_clear_pointer(&worker->config, sl_config_free);
    g_free(worker);
}

int
main(int argc, char **argv)
{
    static const SlDaemonInfo info = {
        .name = "sluice-worker",
        .summary =
            N_("Takes the steps of jobs: builds inputs, queues workloads, decides what is next"),
        .bus_name = "org.sluice.Worker1",
        .flags = SL_DAEMON_INSTANCE,
        .start = worker_start,
        .export = worker_export,
        .healthy = worker_healthy,
        .drain = worker_drain,
        .stop = worker_stop,
    };
    return sl_daemon_main(&info, argc, argv);
}
