/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-failure.h"

#include <string.h>

#define MAX_FAILURES 10
#define MAX_MESSAGE 50000
#define MAX_STACK 100000
#define CUT " … (cut)"

typedef struct {
    SlFailureOrigin origin;
    SlFailureType type;
    gboolean from_trace;
    gint64 timestamp; /* ms */
    char *external, *internal, *stack, *stream_name, *stream_ns;
} Failure;

struct SlFailures {
    GPtrArray *list; /* of Failure, in writing order */
    guint left_out;
};

static const char *const origin_names[] = {
    [SL_ORIGIN_SOURCE] = "source",
    [SL_ORIGIN_DESTINATION] = "destination",
    [SL_ORIGIN_REPLICATION] = "replication",
    [SL_ORIGIN_PERSISTENCE] = "persistence",
    [SL_ORIGIN_PLATFORM] = "airbyte_platform",
    [SL_ORIGIN_UNKNOWN] = "unknown",
};

static const struct {
    const char *name;
    gboolean retryable;
} types[] = {
    [SL_FAILURE_SYSTEM] = {"system_error", TRUE},
    [SL_FAILURE_CONFIG] = {"config_error", FALSE},
    [SL_FAILURE_TRANSIENT] = {"transient_error", TRUE},
    [SL_FAILURE_CANCELLED] = {"manual_cancellation", FALSE},
    [SL_FAILURE_HEARTBEAT_TIMEOUT] = {"heartbeat_timeout", TRUE},
    [SL_FAILURE_DESTINATION_TIMEOUT] = {"destination_timeout", TRUE},
};

const char *
sl_failure_origin_name(SlFailureOrigin origin)
{
    return origin_names[MIN((guint)origin, SL_ORIGIN_UNKNOWN)];
}

/* At most `max` bytes of a text, cut between characters. */
static char *
cut_text(const char *text, gsize max)
{
    if (text == NULL)
        return NULL;
    gsize len = strlen(text);
    if (len <= max)
        return g_strdup(text);
    while (max > 0 && ((guint8)text[max] & 0xc0) == 0x80)
        max--;
    g_autofree char *head = g_strndup(text, max);
    return g_strconcat(head, CUT, NULL);
}

static void
free_failure(gpointer data)
{
    Failure *failure = data;
    g_free(failure->external);
    g_free(failure->internal);
    g_free(failure->stack);
    g_free(failure->stream_name);
    g_free(failure->stream_ns);
    g_free(failure);
}

SlFailures *
sl_failures_new(void)
{
    SlFailures *failures = g_new0(SlFailures, 1);
    failures->list = g_ptr_array_new_with_free_func(free_failure);
    return failures;
}

void
sl_failures_free(SlFailures *failures)
{
    if (failures == NULL)
        return;
    g_ptr_array_unref(failures->list);
    g_free(failures);
}

/* Traces come first, by time; an equal time keeps the order of arrival. When the list is full, what
 * was seen from outside is not crowded out by a flood of traces. */
static void
insert(SlFailures *failures, Failure *failure)
{
    guint at = failures->list->len;
    while (at > 0 && failure->from_trace) {
        const Failure *before = failures->list->pdata[at - 1];
        if (before->from_trace && before->timestamp <= failure->timestamp)
            break;
        at--;
    }
    g_ptr_array_insert(failures->list, (gint)at, failure);
    if (failures->list->len <= MAX_FAILURES)
        return;
    failures->left_out++;
    guint victim = failures->list->len - 1;
    while (victim > 0 && !((Failure *)failures->list->pdata[victim])->from_trace)
        victim--;
    if (!((Failure *)failures->list->pdata[victim])->from_trace)
        victim = failures->list->len - 1;
    g_ptr_array_remove_index(failures->list, victim);
}

static SlFailureType
type_of_trace(const char *name)
{
    for (guint i = SL_FAILURE_SYSTEM; name != NULL && i <= SL_FAILURE_TRANSIENT; i++) {
        if (g_ascii_strcasecmp(name, types[i].name) == 0)
            return (SlFailureType)i;
    }
    return SL_FAILURE_SYSTEM;
}

void
sl_failures_add_trace(SlFailures *failures, SlFailureOrigin origin, const SlTrace *trace)
{
    g_return_if_fail(trace->type == SL_TRACE_ERROR);
    Failure *failure = g_new0(Failure, 1);
    failure->origin = origin;
    failure->type = type_of_trace(trace->failure_type);
    failure->from_trace = TRUE;
    failure->timestamp =
        trace->emitted_at != 0 ? trace->emitted_at : g_get_real_time() / G_TIME_SPAN_MILLISECOND;
    failure->external = cut_text(trace->message, MAX_MESSAGE);
    failure->internal = cut_text(trace->internal_message, MAX_MESSAGE);
    failure->stack = cut_text(trace->stack_trace, MAX_STACK);
    failure->stream_name = g_strdup(trace->stream_name);
    failure->stream_ns = g_strdup(trace->stream_ns);
    insert(failures, failure);
}

void
sl_failures_add(SlFailures *failures, SlFailureOrigin origin, SlFailureType type,
                const char *external, const char *internal)
{
    Failure *failure = g_new0(Failure, 1);
    failure->origin = origin;
    failure->type = type;
    failure->timestamp = g_get_real_time() / G_TIME_SPAN_MILLISECOND;
    failure->external = cut_text(external, MAX_MESSAGE);
    failure->internal = cut_text(internal, MAX_MESSAGE);
    insert(failures, failure);
}

guint
sl_failures_count(const SlFailures *failures)
{
    return failures->list->len;
}

const char *
sl_failures_first(const SlFailures *failures, const char **ret_origin)
{
    if (failures->list->len == 0)
        return NULL;
    const Failure *failure = failures->list->pdata[0];
    if (ret_origin != NULL)
        *ret_origin = sl_failure_origin_name(failure->origin);
    return failure->external;
}

const char *
sl_failures_trace_of(const SlFailures *failures, SlFailureOrigin origin)
{
    for (guint i = 0; i < failures->list->len; i++) {
        const Failure *failure = failures->list->pdata[i];
        if (failure->from_trace && failure->origin == origin)
            return failure->external;
    }
    return NULL;
}

static void
write_failure(const Failure *failure, SlJsonWriter *w)
{
    sl_json_begin_object(w);
    sl_json_member_string(w, "failureOrigin", sl_failure_origin_name(failure->origin));
    sl_json_member_string(w, "failureType", types[failure->type].name);
    sl_json_member_string(w, "externalMessage", failure->external);
    sl_json_member_string(w, "internalMessage", failure->internal);
    sl_json_member_string(w, "stacktrace", failure->stack);
    sl_json_member_bool(w, "retryable", types[failure->type].retryable);
    sl_json_member_int(w, "timestamp", failure->timestamp);
    if (failure->from_trace) {
        sl_json_key(w, "metadata");
        sl_json_begin_object(w);
        sl_json_member_bool(w, "from_trace_message", TRUE);
        sl_json_end_object(w);
    }
    if (failure->stream_name != NULL) {
        sl_json_key(w, "streamDescriptor");
        sl_json_begin_object(w);
        sl_json_member_string(w, "name", failure->stream_name);
        sl_json_member_string(w, "namespace", failure->stream_ns);
        sl_json_end_object(w);
    }
    sl_json_end_object(w);
}

void
sl_failures_write(const SlFailures *failures, SlJsonWriter *w)
{
    sl_json_begin_array(w);
    for (guint i = 0; i < failures->list->len; i++)
        write_failure(failures->list->pdata[i], w);
    if (failures->left_out > 0) {
        Failure notice = {.origin = SL_ORIGIN_UNKNOWN,
                          .type = SL_FAILURE_SYSTEM,
                          .timestamp = g_get_real_time() / G_TIME_SPAN_MILLISECOND};
        notice.external =
            g_strdup_printf("%u further failures were left out; see the log", failures->left_out);
        write_failure(&notice, w);
        g_free(notice.external);
    }
    sl_json_end_array(w);
}
