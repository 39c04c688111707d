/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator-commit.h"

#include <poll.h>

#include "sl-error.h"

#define CALL_USEC (60 * G_USEC_PER_SEC)
#define RETRY_MIN_MS 200
#define RETRY_MAX_MS 5000

struct OrchestratorCommitter {
    OrchestratorApi *api; /* belongs to the call while there is one */
    GCancellable *cancellable;
    GTask *task; /* on its way; not owned */
    OrchestratorCommitted done;
    gpointer data;
    gatomicrefcount refs;
};

static void
committer_unref(OrchestratorCommitter *committer)
{
    if (!g_atomic_ref_count_dec(&committer->refs))
        return;
    orchestrator_api_free(committer->api);
    g_object_unref(committer->cancellable);
    g_free(committer);
}

OrchestratorCommitter *
orchestrator_committer_new(const char *api_path, const char *workload_id, const char *token)
{
    OrchestratorCommitter *committer = g_new0(OrchestratorCommitter, 1);
    g_atomic_ref_count_init(&committer->refs);
    committer->api = orchestrator_api_new(api_path, workload_id, token);
    committer->cancellable = g_cancellable_new();
    return committer;
}

void
orchestrator_committer_free(OrchestratorCommitter *committer)
{
    if (committer == NULL)
        return;
    committer->done = NULL;
    g_cancellable_cancel(committer->cancellable);
    committer_unref(committer);
}

gboolean
orchestrator_committer_is_busy(const OrchestratorCommitter *committer)
{
    return committer->task != NULL;
}

typedef struct {
    OrchestratorCommitter *committer;
    GBytes *body;
} Post;

static void
free_post(gpointer data)
{
    Post *post = data;
    committer_unref(post->committer);
    g_bytes_unref(post->body);
    g_free(post);
}

static void
run_post(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    Post *post = data;
    GError *error = NULL;
    if (orchestrator_api_commit(post->committer->api, post->body,
                                g_get_monotonic_time() + CALL_USEC, cancellable, &error))
        g_task_return_boolean(task, TRUE);
    else
        g_task_return_error(task, error);
}

static void
on_posted(GObject *source, GAsyncResult *result, gpointer data)
{
    Post *post = g_task_get_task_data(G_TASK(result));
    OrchestratorCommitter *committer = post->committer;
    g_autoptr(GError) error = NULL;
    g_task_propagate_boolean(G_TASK(result), &error);
    committer->task = NULL;
    if (committer->done != NULL)
        committer->done(error, committer->data);
}

void
orchestrator_committer_post(OrchestratorCommitter *committer, GString *take_body,
                            OrchestratorCommitted done, gpointer data)
{
    g_return_if_fail(committer->task == NULL);
    Post *post = g_new(Post, 1);
    g_atomic_ref_count_inc(&committer->refs);
    *post = (Post){committer, g_string_free_to_bytes(take_body)};
    committer->done = done;
    committer->data = data;
    g_autoptr(GTask) task = g_task_new(NULL, committer->cancellable, on_posted, NULL);
    g_task_set_task_data(task, post, free_post);
    committer->task = task;
    g_task_run_in_thread(task, run_post);
}

/* --- the end --------------------------------------------------------------- */

static gboolean
may_help(const GError *error)
{
    return g_error_matches(error, SL_ERROR, SL_ERROR_UNAVAILABLE) ||
           g_error_matches(error, SL_ERROR, SL_ERROR_TIMED_OUT) ||
           g_error_matches(error, SL_ERROR, SL_ERROR_PROTOCOL);
}

gboolean
orchestrator_finish(OrchestratorApi *api, const char *call, GBytes *body,
                    gint64 (*deadline)(gpointer data), gpointer data, GError **error)
{
    int wait_ms = RETRY_MIN_MS;
    for (;;) {
        g_autoptr(GError) failure = NULL;
        gint64 now = g_get_monotonic_time(), end = deadline(data);
        gint64 until = MIN(now + CALL_USEC, end);
        if (now >= end)
            return sl_error_set(error, SL_ERROR_TIMED_OUT,
                                "the workload API could not be reached before our lease ran out");
        if (orchestrator_api_finish(api, call, body, until, NULL, &failure))
            return TRUE;
        if (!may_help(failure)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return FALSE;
        }
        g_warning("%s, retrying in %d ms", failure->message, wait_ms);
        poll(NULL, 0, (int)CLAMP((end - now) / 1000, 1, wait_ms));
        wait_ms = MIN(wait_ms * 2, RETRY_MAX_MS);
    }
}
