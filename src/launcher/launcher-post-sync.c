/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "launcher-core.h"

#include "sl-error.h"
#include "sl-post-sync.h"

/* StartPostSyncUnit: a unit of the administrator's own, after a run. Which ones may be started is
 * read here, in root's sluice.conf, whatever the caller believes. What the unit does, as whom and
 * how often it is tried, is the unit's own matter: the caller hears that it has been started. */

/* A oneshot may work for hours and its job lasts as long: then it is starting, which is enough. */
#define ANSWER_SEC 5

typedef struct {
    GDBusMethodInvocation *invocation; /* answering consumes it; NULL: answered */
    char *unit;
    gint64 job_id;
    guint timer;
} Start;

static void
answer(Start *start, const char *result)
{
    g_message("unit '%s' after job %" G_GINT64_FORMAT ": %s", start->unit, start->job_id, result);
    sl_bus_launcher1_complete_start_post_sync_unit(NULL, g_steal_pointer(&start->invocation),
                                                   start->unit, result);
}

static gboolean
on_long_start(gpointer data)
{
    Start *start = data;
    start->timer = 0;
    answer(start, "starting");
    return G_SOURCE_REMOVE;
}

static void
on_started(GObject *source, GAsyncResult *result, gpointer data)
{
    Start *start = data;
    g_autoptr(GError) error = NULL;
    gboolean ok = sl_units_job_finish(result, &error);
    if (start->timer != 0)
        g_source_remove(start->timer);
    if (start->invocation == NULL && !ok)
        g_message("after job %" G_GINT64_FORMAT ": %s", start->job_id, error->message);
    else if (start->invocation != NULL && ok)
        answer(start, "started");
    else if (start->invocation != NULL)
        sl_bus_return_error(g_steal_pointer(&start->invocation), error);
    g_free(start->unit);
    g_free(start);
}

void
launcher_post_sync_start(Launcher *launcher, GDBusMethodInvocation *invocation, const char *unit,
                         gint64 job_id)
{
    const SlConfig *config = sl_daemon_get_config(launcher->daemon);
    g_autoptr(GError) error = NULL;
    gboolean ok = sl_post_sync_check(config->post_sync_units, unit, &error);

    if (ok && job_id <= 0)
        ok = sl_error_set(&error, SL_ERROR_INVALID, "job_id: there is no job %" G_GINT64_FORMAT,
                          job_id);
    if (ok && launcher->host_stopping)
        ok = sl_error_set(&error, SL_ERROR_UNAVAILABLE, "the host is stopping");
    if (!ok) {
        sl_bus_return_error(invocation, error);
        return;
    }
    Start *start = g_new0(Start, 1);
    start->invocation = invocation;
    start->unit = sl_post_sync_unit_of_job(unit, job_id);
    start->job_id = job_id;
    start->timer = g_timeout_add_seconds(ANSWER_SEC, on_long_start, start);
    sl_units_start_existing(launcher->units, start->unit, on_started, start);
}
