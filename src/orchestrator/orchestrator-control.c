/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator-control.h"

#include "orchestrator-commit.h"
#include "sl-error.h"

#define RETRY_MS 1000

struct OrchestratorControl {
    Orchestrator *o;
    OrchestratorCommitter *committer; /* not that of the states: neither waits for the other */
    char *waiting[2];                 /* per role; NULL: none */
    char *in_flight[2];
    guint retry_source;
};

OrchestratorControl *
orchestrator_control_new(Orchestrator *o)
{
    OrchestratorControl *control = g_new0(OrchestratorControl, 1);
    control->o = o;
    control->committer = orchestrator_committer_new(o->api_path, o->workload_id, o->token);
    return control;
}

void
orchestrator_control_free(OrchestratorControl *control)
{
    if (control == NULL)
        return;
    orchestrator_committer_free(control->committer);
    if (control->retry_source != 0)
        g_source_remove(control->retry_source);
    for (guint i = 0; i < 2; i++) {
        g_free(control->waiting[i]);
        g_free(control->in_flight[i]);
    }
    g_free(control);
}

static void
write_config(char *const configurations[2], SlJsonWriter *w)
{
    if (configurations[0] == NULL && configurations[1] == NULL)
        return;
    sl_json_key(w, "config");
    sl_json_begin_object(w);
    for (guint i = 0; i < 2; i++) {
        if (configurations[i] != NULL)
            sl_json_member_raw(w, orchestrator_role_name(i), configurations[i]);
    }
    sl_json_end_object(w);
}

static void post(OrchestratorControl *control);

static gboolean
on_retry_time(gpointer data)
{
    OrchestratorControl *control = data;
    control->retry_source = 0;
    post(control);
    return G_SOURCE_REMOVE;
}

static gboolean
may_help(const GError *error)
{
    return g_error_matches(error, SL_ERROR, SL_ERROR_UNAVAILABLE) ||
           g_error_matches(error, SL_ERROR, SL_ERROR_TIMED_OUT) ||
           g_error_matches(error, SL_ERROR, SL_ERROR_PROTOCOL);
}

static void
on_posted(const GError *error, gpointer data)
{
    OrchestratorControl *control = data;
    gboolean again = error != NULL && may_help(error);
    for (guint i = 0; i < 2; i++) {
        if (control->in_flight[i] == NULL)
            continue;
        if (error == NULL)
            orchestrator_log_say(control->o->log, SL_JOB_LOG_INFO,
                                 "the %s's new configuration is stored", orchestrator_role_name(i));
        else if (again && control->waiting[i] == NULL)
            control->waiting[i] = g_steal_pointer(&control->in_flight[i]);
        else if (!again && !g_error_matches(error, SL_ERROR, SL_ERROR_GONE))
            /* it may be the only copy of a new token: visible, though the job goes on */
            orchestrator_fail(control->o, SL_ORIGIN_PERSISTENCE, SL_FAILURE_SYSTEM, error->message,
                              "the %s's new configuration cannot be stored",
                              orchestrator_role_name(i));
        g_clear_pointer(&control->in_flight[i], g_free);
    }
    if (again && control->retry_source == 0)
        control->retry_source = g_timeout_add(RETRY_MS, on_retry_time, control);
    else if (!again)
        post(control);
}

static void
post(OrchestratorControl *control)
{
    if (orchestrator_committer_is_busy(control->committer) || control->retry_source != 0 ||
        (control->waiting[0] == NULL && control->waiting[1] == NULL))
        return;
    GString *body = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(body);
    sl_json_begin_object(&w);
    write_config(control->waiting, &w);
    sl_json_end_object(&w);
    for (guint i = 0; i < 2; i++)
        control->in_flight[i] = g_steal_pointer(&control->waiting[i]);
    orchestrator_committer_post(control->committer, body, on_posted, control);
}

void
orchestrator_control_take(OrchestratorControl *control, OrchestratorRole role, char *configuration)
{
    g_free(control->waiting[role]);
    control->waiting[role] = configuration;
    post(control);
}

void
orchestrator_control_settle(OrchestratorControl *control)
{
    while (orchestrator_committer_is_busy(control->committer) &&
           control->o->outcome != ORCHESTRATOR_GONE)
        g_main_context_iteration(NULL, TRUE);
}

void
orchestrator_control_write(const OrchestratorControl *control, SlJsonWriter *w)
{
    write_config(control->waiting, w);
}
