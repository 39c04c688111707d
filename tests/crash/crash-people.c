/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "crash-step.h"

#include "crash-api.h"

/* --- people ---------------------------------------------------------------------------------- */

static void
jobs(World *w, const char *type)
{
    g_autofree char *body =
        g_strdup_printf("{\"connectionId\":\"%s\",\"jobType\":\"%s\"}", w->connection_id, type);
    w->shared->status = crash_api_call(w->db, "POST", "/api/public/v1/jobs", body);
}

void
step_trigger(World *w)
{
    jobs(w, "sync");
}

void
step_clear(World *w)
{
    jobs(w, "reset");
}

void
step_cancel(World *w)
{
    g_autofree char *path =
        g_strdup_printf("/api/public/v1/jobs/%" G_GINT64_FORMAT, w->shared->job_id);
    w->shared->status = crash_api_call(w->db, "DELETE", path, NULL);
}

static void
change(World *w, const char *method, const char *body)
{
    g_autofree char *path = g_strdup_printf("/api/public/v1/connections/%s", w->connection_id);
    w->shared->status = crash_api_call(w->db, method, path, body);
}

void
step_delete(World *w)
{
    change(w, "DELETE", NULL);
}

void
step_disable(World *w)
{
    change(w, "PATCH", "{\"status\":\"inactive\"}");
}

void
step_edit(World *w)
{
    change(w, "PATCH", "{\"name\":\"edited\",\"prefix\":\"p_\"}");
}

static void
runs(World *w, const char *what, const char *members)
{
    g_autofree char *path = g_strdup_printf("/api/v1/connections/%s", what);
    g_autofree char *body =
        g_strdup_printf("{\"connectionId\":\"%s\",%s}", w->connection_id, members);
    w->shared->status = crash_api_call(w->db, "POST", path, body);
}

void
step_refresh(World *w)
{
    runs(w, "refresh", "\"refreshMode\":\"Truncate\",\"streams\":[{\"streamName\":\"i\"}]");
}

void
step_refresh_all(World *w)
{
    runs(w, "refresh", "\"refreshMode\":\"Merge\"");
}

void
step_clear_stream(World *w)
{
    runs(w, "clear/stream", "\"streams\":[{\"streamName\":\"f\"}]");
}

gboolean
crash_is_person(Step step)
{
    static const Step people[] = {step_trigger, step_clear,       step_cancel,
                                  step_delete,  step_disable,     step_edit,
                                  step_refresh, step_refresh_all, step_clear_stream};
    for (guint i = 0; i < G_N_ELEMENTS(people); i++)
        if (step == people[i])
            return TRUE;
    return FALSE;
}
