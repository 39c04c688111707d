/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* What the rare messages say: TRACE, LOG and CONTROL payloads, read strictly. */

typedef enum {
    SL_TRACE_OTHER, /* ANALYTICS, and what later protocols may add */
    SL_TRACE_ERROR,
    SL_TRACE_ESTIMATE,
    SL_TRACE_STREAM_STATUS,
} SlTraceType;

typedef enum {
    SL_STREAM_PENDING, /* nothing was said */
    SL_STREAM_STARTED,
    SL_STREAM_RUNNING,
    SL_STREAM_COMPLETE,
    SL_STREAM_INCOMPLETE,
} SlStreamStatus;

typedef struct {
    SlTraceType type;
    gint64 emitted_at; /* ms; 0: not sent */
    /* ERROR */
    char *message, *internal_message, *stack_trace, *failure_type;
    /* ESTIMATE: of one stream, or of the whole sync; -1: not sent */
    gboolean of_sync;
    gint64 rows, bytes;
    /* STREAM_STATUS */
    SlStreamStatus status;
    gboolean rate_limited;
    gint64 quota_reset; /* ms; 0: not sent */
    /* ERROR (optional), ESTIMATE, STREAM_STATUS */
    char *stream_name, *stream_ns;
} SlTrace;

/* SL_ERROR_PROTOCOL when a required member is missing or has a wrong type. */
gboolean sl_trace_parse(SlSpan payload, SlTrace *ret, GError **error);
void sl_trace_clear(SlTrace *trace);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SlTrace, sl_trace_clear)

const char *sl_stream_status_name(SlStreamStatus status); /* "COMPLETE" */

/* LOG: level is one of SlJobLogLevel's names, in any case; texts are owned. */
typedef struct {
    char *level, *message, *stack_trace;
} SlLogMessage;
gboolean sl_log_message_parse(SlSpan payload, SlLogMessage *ret, GError **error);
void sl_log_message_clear(SlLogMessage *log);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SlLogMessage, sl_log_message_clear)

/* Members of a configuration that the platform adds for the program that runs manifests. */
#define SL_INJECTED_PREFIX "__injected_"

/* CONTROL of type CONNECTOR_CONFIG: the new configuration's own bytes; what was injected is left
 * out. NULL without an error: a CONTROL of another type. */
char *sl_control_parse(SlSpan payload, GError **error);

/* A STREAM_STATUS message as one line without its newline. Names are JSON values; ns "null": left
 * out. */
void sl_trace_append_status(GString *out, const char *name_json, const char *ns_json,
                            SlStreamStatus status, gint64 emitted_at);
