/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-daemon.h"

#include "sl-daemon-private.h"

#define DEFAULT_DRAIN_USEC (10 * G_USEC_PER_SEC)

struct SlIdleLocker {
    SlDaemon *daemon;
};

static gboolean
is_idle(SlDaemon *daemon, gint64 *ret_since)
{
    g_mutex_lock(&daemon->idle_lock);
    gboolean idle = daemon->n_lockers == 0;
    *ret_since = daemon->idle_since;
    g_mutex_unlock(&daemon->idle_lock);
    return idle;
}

SlIdleLocker *
sl_idle_lock(SlDaemon *daemon)
{
    SlIdleLocker *locker = g_new(SlIdleLocker, 1);
    locker->daemon = daemon;
    g_mutex_lock(&daemon->idle_lock);
    daemon->n_lockers++;
    g_mutex_unlock(&daemon->idle_lock);
    return locker;
}

static gboolean
on_all_released(gpointer data)
{
    SlDaemon *daemon = data;
    gint64 since;
    if (daemon->phase == SL_DAEMON_STOPPING && is_idle(daemon, &since))
        g_main_loop_quit(daemon->loop);
    return G_SOURCE_REMOVE;
}

void
sl_idle_unlock(SlIdleLocker *locker)
{
    if (locker == NULL)
        return;
    SlDaemon *daemon = locker->daemon;
    g_mutex_lock(&daemon->idle_lock);
    gboolean last = --daemon->n_lockers == 0;
    if (last)
        daemon->idle_since = g_get_monotonic_time();
    g_mutex_unlock(&daemon->idle_lock);
    g_free(locker);
    /* Only a draining daemon waits for this moment; the idle timer looks at idle_since itself. */
    if (last && g_atomic_int_get((gint *)&daemon->phase) == SL_DAEMON_STOPPING)
        g_idle_add(on_all_released, daemon);
}

/* --- exit when idle ----------------------------------------------------------------------------
 */

static void arm_idle_timer(SlDaemon *daemon, gint64 wait_usec);

static gboolean
on_idle_timer(gpointer data)
{
    SlDaemon *daemon = data;
    gint64 since, limit = daemon->config->server_idle_usec;
    gboolean idle = is_idle(daemon, &since);
    gint64 passed = idle ? g_get_monotonic_time() - since : 0;

    daemon->idle_timer = 0;
    if (idle && passed >= limit) {
        g_debug("idle for %" G_GINT64_FORMAT " s, exiting", passed / G_USEC_PER_SEC);
        sl_daemon_begin_stop(daemon);
    } else {
        arm_idle_timer(daemon, limit - passed);
    }
    return G_SOURCE_REMOVE;
}

static void
arm_idle_timer(SlDaemon *daemon, gint64 wait_usec)
{
    daemon->idle_timer =
        g_timeout_add((guint)CLAMP(wait_usec / 1000 + 1, 1, G_MAXINT), on_idle_timer, daemon);
}

void
sl_idle_start(SlDaemon *daemon)
{
    g_mutex_lock(&daemon->idle_lock);
    daemon->idle_since = g_get_monotonic_time();
    g_mutex_unlock(&daemon->idle_lock);
    if ((daemon->info->flags & SL_DAEMON_IDLE_EXIT) != 0)
        arm_idle_timer(daemon, daemon->config->server_idle_usec);
}

/* --- draining ----------------------------------------------------------------------------------
 */

static gboolean
on_drain_deadline(gpointer data)
{
    SlDaemon *daemon = data;
    daemon->drain_timer = 0;
    g_warning("%u activities did not end in time, stopping without them, ignoring",
              daemon->n_lockers);
    g_main_loop_quit(daemon->loop);
    return G_SOURCE_REMOVE;
}

void
sl_idle_drain(SlDaemon *daemon)
{
    gint64 usec = daemon->info->drain_usec > 0 ? daemon->info->drain_usec : DEFAULT_DRAIN_USEC;
    g_clear_handle_id(&daemon->idle_timer, g_source_remove);
    daemon->drain_timer = g_timeout_add((guint)(usec / 1000), on_drain_deadline, daemon);
    g_idle_add(on_all_released, daemon);
}

void
sl_idle_stop(SlDaemon *daemon)
{
    g_clear_handle_id(&daemon->idle_timer, g_source_remove);
    g_clear_handle_id(&daemon->drain_timer, g_source_remove);
}
