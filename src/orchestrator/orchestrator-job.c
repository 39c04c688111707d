/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <glib-unix.h>
#include <signal.h>

#include "orchestrator-lines.h"
#include "orchestrator.h"
#include "sl-error.h"

/* Check, discover and spec: one connector, one result. */

#define KILL_MS 10000
#define EOF_MS 5000

struct OrchestratorJob {
    Orchestrator *o;
    OrchestratorRole role;
    OrchestratorConnector *connector;
    OrchestratorLines lines;
    SlJsonScanner *scanner;
    guint out_source, deadline_source, kill_source, eof_source;
    gboolean eof, ended, failed, cancelled, cut;
    char *result; /* the payload's own bytes */
};

/* Per type: the connector's first argument, the result that is awaited, and its name in output. */
static const struct {
    const char *operation, *member;
    SlMessageType wanted, also; /* the second: of destinations */
} jobs[] = {
    [ORCHESTRATOR_CHECK] = {"check", "check", SL_MESSAGE_CONNECTION_STATUS,
                            SL_MESSAGE_CONNECTION_STATUS},
    [ORCHESTRATOR_DISCOVER] = {"discover", "catalog", SL_MESSAGE_CATALOG,
                               SL_MESSAGE_DESTINATION_CATALOG},
    [ORCHESTRATOR_SPEC] = {"spec", "spec", SL_MESSAGE_SPEC, SL_MESSAGE_SPEC},
};

/* --- the end --------------------------------------------------------------- */

static void
conclude(OrchestratorJob *job)
{
    Orchestrator *o = job->o;
    if (!job->eof || !job->ended || o->outcome != ORCHESTRATOR_RUNNING)
        return;
    SlFailureOrigin origin = orchestrator_origin(job->role);
    if (!job->failed && !job->cancelled) {
        if (!orchestrator_connector_is_clean(job->connector)) {
            orchestrator_fail_end(o, job->connector);
            job->failed = TRUE;
        } else if (job->result == NULL) {
            if (sl_failures_trace_of(o->failures, origin) == NULL)
                orchestrator_fail(o, origin, SL_FAILURE_SYSTEM, NULL,
                                  "the %s ended with exit code 0, but %s from %s",
                                  orchestrator_role_name(job->role),
                                  job->cut ? "its output stops in the middle of a message"
                                           : "there was no result",
                                  jobs[o->input->type].operation);
            job->failed = TRUE;
        }
    }
    o->outcome = job->cancelled ? ORCHESTRATOR_CANCELLED
                 : job->failed  ? ORCHESTRATOR_FAILED
                                : ORCHESTRATOR_SUCCEEDED;
    g_main_loop_quit(o->loop);
}

static gboolean
on_kill_time(gpointer data)
{
    OrchestratorJob *job = data;
    job->kill_source = 0;
    orchestrator_connector_signal(job->connector, SIGKILL);
    return G_SOURCE_REMOVE;
}

static void
end_connector(OrchestratorJob *job)
{
    if (job->ended || job->kill_source != 0)
        return;
    orchestrator_connector_signal(job->connector, SIGTERM);
    job->kill_source = g_timeout_add(KILL_MS, on_kill_time, job);
}

static gint64
time_limit(const Orchestrator *o)
{
    return o->input->deadline_usec > 0 ? o->input->deadline_usec
                                       : o->config->connector_job_time_usec;
}

static gboolean
on_deadline(gpointer data)
{
    OrchestratorJob *job = data;
    job->deadline_source = 0;
    orchestrator_fail(job->o, orchestrator_origin(job->role), SL_FAILURE_SYSTEM, NULL,
                      "the %s did not finish its %s within %" G_GINT64_FORMAT " seconds",
                      orchestrator_role_name(job->role), jobs[job->o->input->type].operation,
                      time_limit(job->o) / G_USEC_PER_SEC);
    job->failed = TRUE;
    end_connector(job);
    return G_SOURCE_REMOVE;
}

/* --- output ---------------------------------------------------------------- */

/* {"status": "succeeded" | "failed", "message": …} of a CONNECTION_STATUS. NULL: it is none. */
static char *
check_result(SlSpan payload)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(payload.p, payload.n, NULL, NULL);
    const SlJsonNode *root = doc != NULL ? sl_json_root(doc) : NULL;
    const SlJsonNode *status = doc != NULL ? sl_json_get(doc, root, "status") : NULL;
    const SlJsonNode *message = doc != NULL ? sl_json_get(doc, root, "message") : NULL;
    gboolean succeeded = status != NULL && sl_json_string_is(status, "SUCCEEDED");
    if (status == NULL || (!succeeded && !sl_json_string_is(status, "FAILED")))
        return NULL;
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "status", succeeded ? "succeeded" : "failed");
    if (message != NULL && message->type == SL_JSON_STRING) {
        sl_json_key(&w, "message");
        sl_json_node(&w, message);
    }
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

/* The scanner has seen the structure only: what is stored for good is judged in full. */
static char *
plain_result(SlSpan payload, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(payload.p, payload.n, NULL, error);
    if (doc == NULL)
        return NULL;
    if (sl_json_root(doc)->type != SL_JSON_OBJECT) {
        sl_error_set(error, SL_ERROR_PROTOCOL, "expected an object");
        return NULL;
    }
    return g_strndup(payload.p, payload.n);
}

static void
take_result(OrchestratorJob *job, const SlMessage *message)
{
    g_autoptr(GError) error = NULL;
    if (job->result != NULL) {
        orchestrator_log_say(job->o->log, SL_JOB_LOG_WARN,
                             "the %s sent more than one %s, ignoring all but the first",
                             orchestrator_role_name(job->role),
                             sl_message_type_name(message->type));
        return;
    }
    job->result = message->type == SL_MESSAGE_CONNECTION_STATUS
                      ? check_result(message->payload)
                      : plain_result(message->payload, &error);
    if (job->result == NULL)
        orchestrator_log_say(job->o->log, SL_JOB_LOG_WARN, "the %s sent a broken %s, ignoring%s%s",
                             orchestrator_role_name(job->role), sl_message_type_name(message->type),
                             error != NULL ? ": " : "", error != NULL ? error->message : "");
}

static void
take_lines(OrchestratorJob *job)
{
    SlMessage message;
    const char *line;
    gsize len;
    OrchestratorJobType type = job->o->input->type;
    while (orchestrator_lines_next(&job->lines, &line, &len)) {
        g_auto(SlTrace) trace = {0};
        sl_json_scan(job->scanner, line, len, &message);
        if (message.type == SL_MESSAGE_NONE && line[len - 1] != '\n' && line[0] == '{')
            job->cut = TRUE;
        if ((message.type == jobs[type].wanted || message.type == jobs[type].also) &&
            message.payload.n > 0)
            take_result(job, &message);
        else
            orchestrator_take_message(job->o, job->role, &message, line, len, &trace);
    }
}

static gboolean
on_output(gint fd, GIOCondition condition, gpointer data)
{
    OrchestratorJob *job = data;
    gsize n;
    OrchestratorLinesResult result = orchestrator_lines_fill(&job->lines, &n);
    if (result == ORCHESTRATOR_LINES_TOO_LONG) {
        orchestrator_fail(job->o, orchestrator_origin(job->role), SL_FAILURE_SYSTEM, NULL,
                          "the %s sent a line of more than %" G_GSIZE_FORMAT
                          " bytes; see MaxLine= in sluice.conf",
                          orchestrator_role_name(job->role), job->lines.max_line);
        job->failed = TRUE;
        end_connector(job);
    } else {
        take_lines(job);
        if (result == ORCHESTRATOR_LINES_MORE || result == ORCHESTRATOR_LINES_EMPTY)
            return G_SOURCE_CONTINUE;
    }
    job->out_source = 0;
    job->eof = TRUE;
    conclude(job);
    return G_SOURCE_REMOVE;
}

/* It has ended, but something else holds its output open. */
static gboolean
on_eof_time(gpointer data)
{
    OrchestratorJob *job = data;
    job->eof_source = 0;
    job->eof = TRUE;
    conclude(job);
    return G_SOURCE_REMOVE;
}

/* --- life ------------------------------------------------------------------ */

static void
on_connector(OrchestratorConnector *connector, OrchestratorConnectorEvent event, gpointer data)
{
    OrchestratorJob *job = data;
    if (event == ORCHESTRATOR_CONNECTOR_STARTED)
        return;
    job->ended = TRUE;
    if (!orchestrator_connector_has_started(connector))
        job->eof = TRUE;
    if (!job->eof)
        job->eof_source = g_timeout_add(EOF_MS, on_eof_time, job);
    conclude(job);
}

OrchestratorJob *
orchestrator_job_start(Orchestrator *o, GError **error)
{
    g_autoptr(OrchestratorJob) job = g_new0(OrchestratorJob, 1);
    job->o = o;
    job->role =
        o->input->has_role[ORCHESTRATOR_SOURCE] ? ORCHESTRATOR_SOURCE : ORCHESTRATOR_DESTINATION;
    job->connector = orchestrator_connector_new(o->starter, o->log, job->role, FALSE, error);
    if (job->connector == NULL ||
        !orchestrator_equip(o, job->connector, jobs[o->input->type].operation, error))
        return NULL;
    int fd = orchestrator_connector_get_stdout(job->connector);
    job->scanner = sl_json_scanner_new();
    orchestrator_lines_init(&job->lines, fd, (gsize)o->config->orchestrator_max_line);
    job->out_source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_output, job);
    job->deadline_source = g_timeout_add((guint)(time_limit(o) / 1000), on_deadline, job);
    OrchestratorJob *started = g_steal_pointer(&job);
    orchestrator_connector_start(started->connector, on_connector, started);
    return started;
}

void
orchestrator_job_stop(OrchestratorJob *job, gboolean cancelled, const char *why)
{
    if (job->cancelled || job->failed)
        return;
    job->cancelled = cancelled;
    job->failed = !cancelled;
    orchestrator_fail(job->o, SL_ORIGIN_PLATFORM,
                      cancelled ? SL_FAILURE_CANCELLED : SL_FAILURE_TRANSIENT, NULL, "%s", why);
    end_connector(job);
}

void
orchestrator_job_write(const OrchestratorJob *job, SlJsonWriter *w)
{
    if (job->result != NULL)
        sl_json_member_raw(w, jobs[job->o->input->type].member, job->result);
}

void
orchestrator_job_free(OrchestratorJob *job)
{
    if (job == NULL)
        return;
    const guint sources[] = {job->out_source, job->deadline_source, job->kill_source,
                             job->eof_source};
    for (guint i = 0; i < G_N_ELEMENTS(sources); i++) {
        if (sources[i] != 0)
            g_source_remove(sources[i]);
    }
    orchestrator_connector_free(job->connector);
    orchestrator_lines_clear(&job->lines);
    g_clear_pointer(&job->scanner, sl_json_scanner_free);
    g_free(job->result);
    g_free(job);
}
