/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator-control.h"
#include "orchestrator-manifest.h"

#include <string.h>

SlFailureOrigin
orchestrator_origin(OrchestratorRole role)
{
    return role == ORCHESTRATOR_SOURCE ? SL_ORIGIN_SOURCE : SL_ORIGIN_DESTINATION;
}

SlJobLogSource
orchestrator_log_source(OrchestratorRole role)
{
    return role == ORCHESTRATOR_SOURCE ? SL_JOB_LOG_SOURCE : SL_JOB_LOG_DESTINATION;
}

void
orchestrator_fail(Orchestrator *o, SlFailureOrigin origin, SlFailureType type, const char *detail,
                  const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *plain = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *text = orchestrator_log_mask(o->log, plain);
    g_autofree char *inside = orchestrator_log_mask(o->log, detail);
    if (g_ascii_islower(*text)) /* it is a sentence of its own for the user */
        *text = g_ascii_toupper(*text);
    sl_failures_add(o->failures, origin, type, text, inside);
    orchestrator_log_say(o->log, SL_JOB_LOG_ERROR, "%s%s%s", text, inside != NULL ? "; " : "",
                         inside != NULL ? inside : "");
}

void
orchestrator_fail_end(Orchestrator *o, const OrchestratorConnector *connector)
{
    SlFailureOrigin origin = orchestrator_origin(orchestrator_connector_get_role(connector));
    const char *said = sl_failures_trace_of(o->failures, origin);
    g_autofree char *detail = NULL;
    g_autofree char *text = orchestrator_connector_describe_end(connector, &detail);
    if (said != NULL)
        orchestrator_fail(o, origin, SL_FAILURE_SYSTEM, detail, "%s, after it said: %s", text,
                          said);
    else
        orchestrator_fail(o, origin, SL_FAILURE_SYSTEM, detail, "%s", text);
}

/* --- messages -------------------------------------------------------------- */

static void
take_control(Orchestrator *o, OrchestratorRole role, const SlMessage *message)
{
    g_autoptr(GError) error = NULL;
    char *configuration = sl_control_parse(message->payload, &error);
    if (configuration != NULL) {
        orchestrator_log_say(o->log, SL_JOB_LOG_INFO, "the %s has sent a new configuration",
                             orchestrator_role_name(role));
        orchestrator_control_take(o->control, role, configuration);
    } else if (error != NULL) {
        /* it may hold the only copy of a new token: visible, though the job goes on */
        orchestrator_fail(o, orchestrator_origin(role), SL_FAILURE_SYSTEM, NULL,
                          "the %s sent a broken new configuration: %s",
                          orchestrator_role_name(role), error->message);
    }
}

/* The destination knows a stream by its own names; the user knows it by the source's. */
static void
restore_names(const Orchestrator *o, SlTrace *trace)
{
    for (guint i = 0; o->catalog != NULL && i < o->catalog->n_streams; i++) {
        const SlCatalogStream *stream = &o->catalog->streams[i];
        const char *ns =
            trace->stream_ns != NULL && *trace->stream_ns != '\0' ? trace->stream_ns : NULL;
        if (g_strcmp0(trace->stream_name, stream->to_name) != 0 || g_strcmp0(ns, stream->to_ns))
            continue;
        g_free(trace->stream_name);
        g_free(trace->stream_ns);
        trace->stream_name = g_strdup(stream->name);
        trace->stream_ns = g_strdup(stream->ns);
        return;
    }
}

/* TRUE: it is not an error, but something for the caller. */
static gboolean
take_trace(Orchestrator *o, OrchestratorRole role, const SlMessage *message, SlTrace *ret)
{
    g_autoptr(GError) error = NULL;
    if (!sl_trace_parse(message->payload, ret, &error)) {
        orchestrator_log_say(o->log, SL_JOB_LOG_WARN, "the %s sent a broken TRACE: %s, ignoring",
                             orchestrator_role_name(role), error->message);
        sl_trace_clear(ret);
        return FALSE;
    }
    if (ret->type != SL_TRACE_ERROR)
        return TRUE;
    orchestrator_log_line(o->log, SL_JOB_LOG_ERROR, orchestrator_log_source(role), ret->message,
                          strlen(ret->message), ret->stack_trace);
    char **texts[] = {&ret->message, &ret->internal_message, &ret->stack_trace};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        char *masked = orchestrator_log_mask(o->log, *texts[i]);
        g_free(*texts[i]);
        *texts[i] = masked;
    }
    if (role == ORCHESTRATOR_DESTINATION && ret->stream_name != NULL)
        restore_names(o, ret);
    sl_failures_add_trace(o->failures, orchestrator_origin(role), ret);
    sl_trace_clear(ret);
    return FALSE;
}

gboolean
orchestrator_take_message(Orchestrator *o, OrchestratorRole role, const SlMessage *message,
                          const char *line, gsize len, SlTrace *ret_trace)
{
    switch (message->type) {
    case SL_MESSAGE_NONE: {
        gsize blank = 0;
        while (blank < len && g_ascii_isspace(line[blank]))
            blank++;
        if (blank < len)
            orchestrator_log_line(o->log, SL_JOB_LOG_INFO, orchestrator_log_source(role), line, len,
                                  NULL);
        return FALSE;
    }
    case SL_MESSAGE_LOG:
        orchestrator_log_message(o->log, orchestrator_log_source(role), message->payload);
        return FALSE;
    case SL_MESSAGE_TRACE:
        return take_trace(o, role, message, ret_trace);
    case SL_MESSAGE_CONTROL:
        take_control(o, role, message);
        return FALSE;
    default:
        orchestrator_log_say(o->log, SL_JOB_LOG_DEBUG, "the %s sent a message of type %s, ignoring",
                             orchestrator_role_name(role), sl_message_type_name(message->type));
        return FALSE;
    }
}

/* --- connectors ------------------------------------------------------------ */

gboolean
orchestrator_equip(Orchestrator *o, OrchestratorConnector *connector, const char *operation,
                   GError **error)
{
    OrchestratorRole role = orchestrator_connector_get_role(connector);
    const SlJsonNode *configuration = o->input->configurations[role];
    char job[32], attempt[32];
    g_snprintf(job, sizeof job, "%" G_GINT64_FORMAT, o->input->job_id);
    g_snprintf(attempt, sizeof attempt, "%" G_GINT64_FORMAT, o->input->attempt_number);
    const struct {
        const char *name, *value;
    } environment[] = {
        {"WORKER_JOB_ID", job},
        {"WORKER_JOB_ATTEMPT", attempt},
        {"WORKLOAD_ID", o->workload_id},
        {"OPERATION_TYPE", o->input->type != ORCHESTRATOR_SYNC ? operation : NULL},
        {"DEPLOYMENT_MODE", "OSS"},
        {"USE_STREAM_CAPABLE_STATE", "true"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(environment); i++) {
        if (environment[i].value != NULL &&
            !orchestrator_connector_add_env(connector, environment[i].name, environment[i].value,
                                            error))
            return FALSE;
    }
    if (!orchestrator_connector_add_arg(connector, operation, error))
        return FALSE;
    if (configuration == NULL || strcmp(operation, "spec") == 0)
        return TRUE;
    g_autoptr(GBytes) bytes = orchestrator_manifest_configure(o->input, role, connector, error);
    return bytes != NULL &&
           orchestrator_connector_add_file(connector, "config", "config.json", bytes, error);
}
