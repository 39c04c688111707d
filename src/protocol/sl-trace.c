/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-trace.h"

#include <string.h>

#include "sl-error.h"
#include "sl-json-write.h"

static const char *const status_names[] = {
    [SL_STREAM_PENDING] = "PENDING",       [SL_STREAM_STARTED] = "STARTED",
    [SL_STREAM_RUNNING] = "RUNNING",       [SL_STREAM_COMPLETE] = "COMPLETE",
    [SL_STREAM_INCOMPLETE] = "INCOMPLETE",
};

const char *
sl_stream_status_name(SlStreamStatus status)
{
    return status_names[MIN((guint)status, SL_STREAM_INCOMPLETE)];
}

/* The unescaped text of a STRING member; NULL for anything else. Texts with NUL are cut there: they
 * are for people. */
static char *
get_text(const SlJsonDoc *doc, const SlJsonNode *object, const char *key)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const SlJsonNode *node = sl_json_get(doc, object, key);
    if (node == NULL || !sl_json_append_string(node, text))
        return NULL;
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static gint64
get_number(const SlJsonDoc *doc, const SlJsonNode *object, const char *key, gint64 fallback)
{
    const SlJsonNode *node = sl_json_get(doc, object, key);
    gint64 value;
    double real;
    if (node == NULL || node->type != SL_JSON_NUMBER)
        return fallback;
    if (sl_json_get_int64(node, &value))
        return value;
    /* emitted_at and counts come as floats from some languages */
    return sl_json_get_double(node, &real) && real > -9e18 && real < 9e18 ? (gint64)real : fallback;
}

static void
read_stream(const SlJsonDoc *doc, const SlJsonNode *descriptor, SlTrace *ret)
{
    ret->stream_name = get_text(doc, descriptor, "name");
    ret->stream_ns = get_text(doc, descriptor, "namespace");
    if (ret->stream_ns != NULL && *ret->stream_ns == '\0')
        g_clear_pointer(&ret->stream_ns, g_free);
}

static gboolean
read_error(const SlJsonDoc *doc, const SlJsonNode *body, SlTrace *ret, GError **error)
{
    ret->message = get_text(doc, body, "message");
    ret->internal_message = get_text(doc, body, "internal_message");
    ret->stack_trace = get_text(doc, body, "stack_trace");
    ret->failure_type = get_text(doc, body, "failure_type");
    read_stream(doc, sl_json_get(doc, body, "stream_descriptor"), ret);
    return ret->message != NULL ||
           sl_error_set(error, SL_ERROR_PROTOCOL, "trace.error.message: missing");
}

static gboolean
read_estimate(const SlJsonDoc *doc, const SlJsonNode *body, SlTrace *ret, GError **error)
{
    const SlJsonNode *type = sl_json_get(doc, body, "type");
    ret->of_sync = type != NULL && sl_json_string_is(type, "SYNC");
    ret->rows = get_number(doc, body, "row_estimate", -1);
    ret->bytes = get_number(doc, body, "byte_estimate", -1);
    read_stream(doc, body, ret);
    return ret->of_sync || ret->stream_name != NULL ||
           sl_error_set(error, SL_ERROR_PROTOCOL, "trace.estimate.name: missing");
}

static gboolean
read_status(const SlJsonDoc *doc, const SlJsonNode *body, SlTrace *ret, GError **error)
{
    const SlJsonNode *status = sl_json_get(doc, body, "status");
    read_stream(doc, sl_json_get(doc, body, "stream_descriptor"), ret);
    if (ret->stream_name == NULL)
        return sl_error_set(error, SL_ERROR_PROTOCOL,
                            "trace.stream_status.stream_descriptor.name: missing");
    for (guint i = SL_STREAM_STARTED; status != NULL && i < G_N_ELEMENTS(status_names); i++) {
        if (sl_json_string_is(status, status_names[i]))
            ret->status = (SlStreamStatus)i;
    }
    if (ret->status == SL_STREAM_PENDING)
        return sl_error_set(error, SL_ERROR_PROTOCOL,
                            "trace.stream_status.status: missing or unknown");
    const SlJsonNode *reasons = sl_json_get(doc, body, "reasons");
    SL_JSON_FOREACH (doc, reasons, reason) {
        const SlJsonNode *type = sl_json_get(doc, reason, "type");
        if (type != NULL && sl_json_string_is(type, "RATE_LIMITED"))
            ret->rate_limited = TRUE;
        const SlJsonNode *limit = sl_json_get(doc, reason, "rate_limited");
        if (ret->rate_limited && limit != NULL)
            ret->quota_reset = get_number(doc, limit, "quota_reset", 0);
    }
    return TRUE;
}

static const struct {
    const char *type, *member;
    SlTraceType value;
    gboolean (*read)(const SlJsonDoc *doc, const SlJsonNode *body, SlTrace *ret, GError **error);
} traces[] = {
    {"ERROR", "error", SL_TRACE_ERROR, read_error},
    {"ESTIMATE", "estimate", SL_TRACE_ESTIMATE, read_estimate},
    {"STREAM_STATUS", "stream_status", SL_TRACE_STREAM_STATUS, read_status},
};

gboolean
sl_trace_parse(SlSpan payload, SlTrace *ret, GError **error)
{
    *ret = (SlTrace){.rows = -1, .bytes = -1};
    g_autoptr(SlJsonDoc) doc = sl_json_read(payload.p, payload.n, NULL, error);
    if (doc == NULL)
        return FALSE;
    const SlJsonNode *root = sl_json_root(doc), *type = sl_json_get(doc, root, "type");
    if (type == NULL || type->type != SL_JSON_STRING)
        return sl_error_set(error, SL_ERROR_PROTOCOL, "trace.type: missing");
    ret->emitted_at = get_number(doc, root, "emitted_at", 0);
    for (guint i = 0; i < G_N_ELEMENTS(traces); i++) {
        if (!sl_json_string_is(type, traces[i].type))
            continue;
        const SlJsonNode *body = sl_json_get(doc, root, traces[i].member);
        if (body == NULL || body->type != SL_JSON_OBJECT)
            return sl_error_set(error, SL_ERROR_PROTOCOL, "trace.%s: missing", traces[i].member);
        ret->type = traces[i].value;
        return traces[i].read(doc, body, ret, error);
    }
    return TRUE;
}

void
sl_trace_clear(SlTrace *trace)
{
    g_free(trace->message);
    g_free(trace->internal_message);
    g_free(trace->stack_trace);
    g_free(trace->failure_type);
    g_free(trace->stream_name);
    g_free(trace->stream_ns);
    *trace = (SlTrace){0};
}

gboolean
sl_log_message_parse(SlSpan payload, SlLogMessage *ret, GError **error)
{
    *ret = (SlLogMessage){0};
    g_autoptr(SlJsonDoc) doc = sl_json_read(payload.p, payload.n, NULL, error);
    if (doc == NULL)
        return FALSE;
    const SlJsonNode *root = sl_json_root(doc);
    ret->message = get_text(doc, root, "message");
    ret->stack_trace = get_text(doc, root, "stack_trace");
    ret->level = get_text(doc, root, "level");
    return ret->message != NULL || sl_error_set(error, SL_ERROR_PROTOCOL, "log.message: missing");
}

void
sl_log_message_clear(SlLogMessage *log)
{
    g_free(log->level);
    g_free(log->message);
    g_free(log->stack_trace);
    *log = (SlLogMessage){0};
}

static gboolean
is_injected(const SlJsonNode *key)
{
    g_autofree char *name = sl_json_dup_string(key);
    return name != NULL && g_str_has_prefix(name, SL_INJECTED_PREFIX);
}

static gboolean
has_injected(const SlJsonDoc *doc, const SlJsonNode *config)
{
    SL_JSON_FOREACH (doc, config, key)
        if (is_injected(key))
            return TRUE;
    return FALSE;
}

/* What we have put into a configuration for the connector alone is none of the user's. */
static char *
without_injected(const SlJsonDoc *doc, const SlJsonNode *config)
{
    if (!has_injected(doc, config))
        return sl_json_dup_span(config);
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    SL_JSON_FOREACH (doc, config, key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (name == NULL || is_injected(key))
            continue;
        sl_json_key(&w, name);
        sl_json_node(&w, key + 1);
    }
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

char *
sl_control_parse(SlSpan payload, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(payload.p, payload.n, NULL, error);
    if (doc == NULL)
        return NULL;
    const SlJsonNode *root = sl_json_root(doc), *type = sl_json_get(doc, root, "type");
    if (type == NULL || !sl_json_string_is(type, "CONNECTOR_CONFIG"))
        return NULL;
    const SlJsonNode *config = sl_json_get_path(doc, root, "connectorConfig", "config", NULL);
    if (config == NULL || config->type != SL_JSON_OBJECT) {
        sl_error_set(error, SL_ERROR_PROTOCOL,
                     "control.connectorConfig.config: missing or not an object");
        return NULL;
    }
    return without_injected(doc, config);
}

void
sl_trace_append_status(GString *out, const char *name_json, const char *ns_json,
                       SlStreamStatus status, gint64 emitted_at)
{
    g_string_append_printf(out,
                           "{\"type\":\"TRACE\",\"trace\":{\"type\":\"STREAM_STATUS\","
                           "\"emitted_at\":%" G_GINT64_FORMAT
                           ",\"stream_status\":{\"stream_descriptor\":{\"name\":%s",
                           emitted_at, name_json);
    if (strcmp(ns_json, "null") != 0)
        g_string_append_printf(out, ",\"namespace\":%s", ns_json);
    g_string_append_printf(out, "},\"status\":\"%s\"}}}", sl_stream_status_name(status));
}
