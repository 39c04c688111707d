/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator-holder.h"

#include "sl-error.h"

struct OrchestratorHolder {
    OrchestratorApi *api;
    gint64 interval, lease, margin;
    GThread *thread;
    GCancellable *stop_call; /* interrupts a beat on its way */
    GMutex mutex;            /* of what follows */
    GCond wake;
    gboolean stopped;
    gint64 last_beat;
    OrchestratorHolderFunc func; /* main thread only */
    gpointer data;
    gatomicrefcount refs; /* the owner's, and one per event on its way */
};

static void
holder_unref(OrchestratorHolder *holder)
{
    if (!g_atomic_ref_count_dec(&holder->refs))
        return;
    orchestrator_api_free(holder->api);
    g_object_unref(holder->stop_call);
    g_mutex_clear(&holder->mutex);
    g_cond_clear(&holder->wake);
    g_free(holder);
}

/* --- events ---------------------------------------------------------------- */

typedef struct {
    OrchestratorHolder *holder;
    OrchestratorHolderEvent event;
    char *text;
} Notice;

static gboolean
on_notice(gpointer data)
{
    Notice *notice = data;
    if (notice->holder->func != NULL)
        notice->holder->func(notice->event, notice->text, notice->holder->data);
    return G_SOURCE_REMOVE;
}

static void
free_notice(gpointer data)
{
    Notice *notice = data;
    holder_unref(notice->holder);
    g_free(notice->text);
    g_free(notice);
}

static void
tell(OrchestratorHolder *holder, OrchestratorHolderEvent event, const char *text)
{
    Notice *notice = g_new(Notice, 1);
    g_atomic_ref_count_inc(&holder->refs);
    *notice = (Notice){holder, event, g_strdup(text)};
    /* ahead of the records: they would keep the loop busy for ever */
    g_idle_add_full(G_PRIORITY_HIGH, on_notice, notice, free_notice);
}

/* --- beating --------------------------------------------------------------- */

static gint64
get_deadline(const OrchestratorHolder *holder)
{
    return holder->last_beat + holder->lease - holder->margin;
}

gint64
orchestrator_holder_get_deadline(OrchestratorHolder *holder)
{
    g_mutex_lock(&holder->mutex);
    gint64 deadline = get_deadline(holder);
    g_mutex_unlock(&holder->mutex);
    return deadline;
}

/* Waits for the next beat. FALSE: we are to stop. */
static gboolean
wait_until(OrchestratorHolder *holder, gint64 when)
{
    g_mutex_lock(&holder->mutex);
    while (!holder->stopped && g_cond_wait_until(&holder->wake, &holder->mutex, when))
        ;
    gboolean go_on = !holder->stopped;
    g_mutex_unlock(&holder->mutex);
    return go_on;
}

static void
set_last_beat(OrchestratorHolder *holder, gint64 when)
{
    g_mutex_lock(&holder->mutex);
    holder->last_beat = when;
    g_mutex_unlock(&holder->mutex);
}

static gpointer
run(gpointer data)
{
    OrchestratorHolder *holder = data;
    gboolean cancel_told = FALSE;
    gint64 next = g_get_monotonic_time() + holder->interval;

    while (wait_until(holder, next)) {
        g_autoptr(GError) error = NULL;
        gboolean cancel = FALSE;
        gint64 now = g_get_monotonic_time(), end = orchestrator_holder_get_deadline(holder);
        if (now >= end) {
            tell(holder, ORCHESTRATOR_HOLDER_LOST, "the workload API could not be reached");
            return NULL;
        }
        if (orchestrator_api_beat(holder->api, "heartbeat", MIN(now + holder->interval, end),
                                  holder->stop_call, &cancel, &error)) {
            set_last_beat(holder, now);
            if (cancel && !cancel_told)
                tell(holder, ORCHESTRATOR_HOLDER_CANCEL, NULL);
            cancel_told |= cancel;
            next = now + holder->interval;
            continue;
        }
        if (g_error_matches(error, SL_ERROR, SL_ERROR_GONE) ||
            g_error_matches(error, SL_ERROR, SL_ERROR_FORBIDDEN)) {
            tell(holder, ORCHESTRATOR_HOLDER_GONE, error->message);
            return NULL;
        }
        if (!g_error_matches(error, SL_ERROR, SL_ERROR_CANCELLED))
            g_warning("heartbeat: %s, retrying", error->message);
        /* sooner than usual, but never later than the end of the lease */
        next = MIN(g_get_monotonic_time() + holder->interval / 4,
                   orchestrator_holder_get_deadline(holder));
    }
    return NULL;
}

OrchestratorHolder *
orchestrator_holder_start(const OrchestratorHolderOptions *options, gint64 last_beat,
                          OrchestratorHolderFunc func, gpointer data)
{
    OrchestratorHolder *holder = g_new0(OrchestratorHolder, 1);
    g_atomic_ref_count_init(&holder->refs);
    holder->api = orchestrator_api_new(options->socket_path, options->workload_id, options->token);
    holder->interval = options->interval_usec;
    holder->lease = options->lease_usec;
    /* Time to stop the connectors before somebody else may start them. */
    holder->margin = MIN(options->interval_usec, options->lease_usec / 4);
    holder->last_beat = last_beat;
    holder->func = func;
    holder->data = data;
    holder->stop_call = g_cancellable_new();
    g_mutex_init(&holder->mutex);
    g_cond_init(&holder->wake);
    holder->thread = g_thread_new("heartbeat", run, holder);
    return holder;
}

void
orchestrator_holder_stop(OrchestratorHolder *holder)
{
    if (holder == NULL)
        return;
    g_mutex_lock(&holder->mutex);
    holder->stopped = TRUE;
    g_cond_signal(&holder->wake);
    g_mutex_unlock(&holder->mutex);
    g_cancellable_cancel(holder->stop_call);
    g_thread_join(holder->thread);
    holder->func = NULL;
    holder_unref(holder);
}
