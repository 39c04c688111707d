/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "sl-db-loop.h"

#include "sl-db-listen.h"

#define RETRY_MIN_USEC ((gint64)G_USEC_PER_SEC / 2)
#define RETRY_MAX_USEC (30 * (gint64)G_USEC_PER_SEC)
#define HANG_USEC (30 * (gint64)G_USEC_PER_SEC)

struct SlDbLoop {
    SlDbLoopFuncs funcs;
    gpointer data;
    gint64 poll_usec;
    GMainContext *context;
    SlDbListener *listener;
    GSource *timer;
    GCancellable *turn_cancellable; /* non-NULL while a turn runs */
    gboolean again;                 /* woken during the turn */
    gboolean paused;
    gint64 retry_usec;
    gint64 last_turn; /* monotonic: begin or end of the last one */
};

typedef struct {
    SlDbLoop *loop;
    gint64 next;
} Turn;

static void begin_turn(SlDbLoop *loop);

static gboolean
on_timer(gpointer data)
{
    begin_turn(data);
    return G_SOURCE_REMOVE;
}

static void
clear_timer(SlDbLoop *loop)
{
    if (loop->timer == NULL)
        return;
    g_source_destroy(loop->timer);
    g_clear_pointer(&loop->timer, g_source_unref);
}

/* A monotonic timer for a wall-clock time: bounded by the poll, so that a stepped clock costs one
 * poll at most. */
static void
set_timer(SlDbLoop *loop, gint64 wait_usec)
{
    clear_timer(loop);
    loop->timer = g_timeout_source_new((guint)(CLAMP(wait_usec, 0, loop->poll_usec) / 1000));
    g_source_set_callback(loop->timer, on_timer, loop, NULL);
    g_source_attach(loop->timer, loop->context);
}

static void
turn_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    Turn *turn = data;
    GError *error = NULL;
    if (turn->loop->funcs.turn(turn->loop->data, cancellable, &turn->next, &error))
        g_task_return_boolean(task, TRUE);
    else
        g_task_return_error(task, error);
}

static void
on_turn_done(GObject *source, GAsyncResult *result, gpointer data)
{
    SlDbLoop *loop = data;
    const Turn *turn = g_task_get_task_data(G_TASK(result));
    g_autoptr(GError) error = NULL;
    gboolean ok = g_task_propagate_boolean(G_TASK(result), &error);
    gint64 wait = turn->next > 0 ? turn->next - g_get_real_time() : loop->poll_usec;
    loop->last_turn = g_get_monotonic_time();
    g_clear_object(&loop->turn_cancellable);
    if (ok) {
        loop->retry_usec = RETRY_MIN_USEC;
    } else {
        wait = loop->retry_usec;
        loop->retry_usec = MIN(loop->retry_usec * 2, RETRY_MAX_USEC);
        if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
            g_warning("%s, retrying in %.1f s", error->message, (double)wait / G_USEC_PER_SEC);
    }
    gboolean again = loop->again && ok;
    loop->again = FALSE;
    if (!loop->paused)
        set_timer(loop, again ? 0 : wait);
    if (loop->funcs.busy != NULL)
        loop->funcs.busy(loop->data, FALSE); /* last: it may free the loop */
}

static void
begin_turn(SlDbLoop *loop)
{
    clear_timer(loop);
    if (loop->paused)
        return;
    if (loop->turn_cancellable != NULL) {
        loop->again = TRUE;
        return;
    }
    if (loop->funcs.busy != NULL)
        loop->funcs.busy(loop->data, TRUE);
    loop->turn_cancellable = g_cancellable_new();
    loop->last_turn = g_get_monotonic_time();
    Turn *turn = g_new0(Turn, 1);
    turn->loop = loop;
    g_autoptr(GTask) task = g_task_new(NULL, loop->turn_cancellable, on_turn_done, loop);
    g_task_set_check_cancellable(task, FALSE); /* what the turn has done counts */
    g_task_set_task_data(task, turn, g_free);
    g_task_run_in_thread(task, turn_thread);
}

static void
on_notify(const char *channel, const char *payload, gpointer data)
{
    begin_turn(data);
}

SlDbLoop *
sl_db_loop_new(const char *conninfo, const char *const *channels, gint64 poll_usec,
               const SlDbLoopFuncs *funcs, gpointer data)
{
    SlDbLoop *loop = g_new0(SlDbLoop, 1);
    loop->funcs = *funcs;
    loop->data = data;
    loop->poll_usec = poll_usec;
    loop->context = g_main_context_ref_thread_default();
    loop->retry_usec = RETRY_MIN_USEC;
    loop->last_turn = g_get_monotonic_time();
    loop->listener = sl_db_listener_new(conninfo, channels, on_notify, loop);
    set_timer(loop, 0); /* what is due is due, with or without notifications */
    return loop;
}

void
sl_db_loop_wake(SlDbLoop *loop)
{
    begin_turn(loop);
}

void
sl_db_loop_set_paused(SlDbLoop *loop, gboolean paused)
{
    loop->paused = paused;
    if (paused && loop->turn_cancellable != NULL)
        g_cancellable_cancel(loop->turn_cancellable);
    if (paused)
        clear_timer(loop);
    else
        begin_turn(loop);
}

gboolean
sl_db_loop_is_healthy(const SlDbLoop *loop)
{
    gint64 silence = g_get_monotonic_time() - loop->last_turn;
    return loop->paused || silence < 3 * loop->poll_usec + HANG_USEC;
}

void
sl_db_loop_free(SlDbLoop *loop)
{
    if (loop == NULL)
        return;
    g_return_if_fail(loop->turn_cancellable == NULL);
    sl_db_listener_free(loop->listener);
    clear_timer(loop);
    g_main_context_unref(loop->context);
    g_free(loop);
}
