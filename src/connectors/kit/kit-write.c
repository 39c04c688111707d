/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "kit-write-private.h"

#include <string.h>

#include "sl-error.h"

typedef struct {
    guint64 seq;
    guint stream;
    gboolean held; /* until the stream is finished, see stream_is_held() */
    gsize len;
    char line[];
} PendingState;

/* A truncation without generations cannot be continued: what a failed attempt has written is thrown
 * away. So the stream's states are echoed only when its new content is in place. */
static gboolean
stream_is_held(const KitStream *stream)
{
    return stream->truncate && !stream->generations;
}

void
kit_write_release(KitWrite *write, guint stream, guint64 seq)
{
    GList *next;
    gboolean left = FALSE;
    for (GList *link = write->pending.head; link != NULL; link = next) {
        next = link->next;
        PendingState *state = link->data;
        if (state->seq > seq) {
            left = TRUE;
            break;
        }
        if (state->held || (stream != KIT_ALL_STREAMS && state->stream != stream)) {
            left = left || !state->held;
            continue;
        }
        kit_output_line(write->out, state->line, state->len);
        g_free(state);
        g_queue_delete_link(&write->pending, link);
    }
    write->oldest_usec = left ? g_get_monotonic_time() : 0;
    kit_output_flush(write->out);
}

guint64
kit_write_last_seq(const KitWrite *write)
{
    return write->last_seq;
}

const KitConfig *
kit_write_config(const KitWrite *write)
{
    return write->config;
}

const KitCatalog *
kit_write_catalog(const KitWrite *write)
{
    return write->catalog;
}

KitOutput *
kit_write_output(const KitWrite *write)
{
    return write->out;
}

gboolean
kit_write_hand_over(KitWrite *write, GError **error)
{
    guint n = write->n_batch;
    write->n_batch = 0;
    return n == 0 || write->destination->records(write->self, write->batch, n, error);
}

gboolean
kit_write_flush(KitWrite *write, GError **error)
{
    guint64 seq = write->last_seq;
    if (!write->destination->flush(write->self, error))
        return FALSE;
    kit_write_release(write, KIT_ALL_STREAMS, seq);
    return TRUE;
}

/* A raw span of a message, unescaped. */
static char *
span_dup(SlSpan raw, gboolean escaped)
{
    if (!escaped)
        return g_strndup(raw.p, raw.n);
    SlJsonNode node = {raw.p - 1, raw.n + 2, .type = SL_JSON_STRING, .escaped = TRUE};
    return sl_json_dup_string(&node);
}

static gboolean
span_is(SlSpan span, const char *text)
{
    return text == NULL ? span.n == 0 : strlen(text) == span.n && memcmp(span.p, text, span.n) == 0;
}

const KitStream *
kit_write_find_stream(KitWrite *write, const SlMessage *message, GError **error)
{
    const KitStream *last = write->last;
    if (last != NULL && !message->stream_escaped && !message->ns_escaped &&
        span_is(message->stream, last->name) && span_is(message->ns, last->ns))
        return last;
    g_autofree char *name = span_dup(message->stream, message->stream_escaped);
    g_autofree char *ns = span_dup(message->ns, message->ns_escaped);
    const KitStream *stream = NULL;
    if (name != NULL)
        stream =
            kit_catalog_find(write->catalog, ns, ns == NULL ? 0 : strlen(ns), name, strlen(name));
    if (stream == NULL)
        sl_error_set(error, SL_ERROR_PROTOCOL,
                     "a record of stream '%s' (namespace '%s'), which is not in the catalog",
                     name == NULL ? "?" : name, ns == NULL ? "" : ns);
    return stream;
}

const KitStream *
kit_write_described(const KitWrite *write, const SlJsonDoc *doc, const SlJsonNode *descriptor)
{
    const SlJsonNode *name_node = sl_json_get(doc, descriptor, "name");
    const SlJsonNode *ns_node = sl_json_get(doc, descriptor, "namespace");
    g_autofree char *name = name_node == NULL ? NULL : sl_json_dup_string(name_node);
    g_autofree char *ns = ns_node == NULL ? NULL : sl_json_dup_string(ns_node);
    if (name == NULL)
        return NULL;
    return kit_catalog_find(write->catalog, ns, ns == NULL ? 0 : strlen(ns), name, strlen(name));
}

gboolean
kit_write_take_state(KitWrite *write, SlSpan line, SlSpan payload, GError **error)
{
    const SlJsonDoc *doc = write->scratch;
    if (!kit_write_hand_over(write, error))
        return FALSE;
    if (!sl_json_read_into(write->scratch, payload.p, payload.n, NULL, error)) {
        g_prefix_error(error, "a state: ");
        return FALSE;
    }
    const SlJsonNode *root = sl_json_root(doc);
    const SlJsonNode *type = sl_json_get(doc, root, "type");
    const KitStream *stream = NULL;
    if (type != NULL && sl_json_string_is(type, "STREAM"))
        stream = kit_write_described(
            write, doc, sl_json_get_path(doc, root, "stream", "stream_descriptor", NULL));

    PendingState *pending = g_malloc(sizeof *pending + line.n);
    pending->seq = ++write->last_seq;
    pending->stream = stream == NULL ? KIT_ALL_STREAMS : stream->index;
    pending->held = stream == NULL ? write->any_held : stream_is_held(stream);
    pending->len = line.n;
    memcpy(pending->line, line.p, line.n);
    g_queue_push_tail(&write->pending, pending);
    if (write->oldest_usec == 0 && !pending->held)
        write->oldest_usec = g_get_monotonic_time();

    KitState state = {pending->seq, pending->stream, {pending->line, line.n}};
    if (write->destination->state != NULL && !write->destination->state(write->self, &state, error))
        return FALSE;
    return pending->held || write->destination->flush_age_usec > 0 || kit_write_flush(write, error);
}

/* Of the traces a destination needs only the streams' statuses. A broken one is not worth a sync.
 */
void
kit_write_take_trace(KitWrite *write, SlSpan payload)
{
    static const char *const names[] = {NULL, "STARTED", "RUNNING", "COMPLETE", "INCOMPLETE"};
    SlJsonDoc *doc = write->scratch;
    if (!sl_json_read_into(doc, payload.p, payload.n, NULL, NULL))
        return;
    const SlJsonNode *status = sl_json_get(doc, sl_json_root(doc), "stream_status");
    const SlJsonNode *word = sl_json_get(doc, status, "status");
    const KitStream *stream =
        kit_write_described(write, doc, sl_json_get(doc, status, "stream_descriptor"));
    if (stream == NULL || word == NULL)
        return;
    for (guint i = 1; i < G_N_ELEMENTS(names); i++)
        if (sl_json_string_is(word, names[i]))
            write->status[stream->index] = i;
}

/* The held states of what is finished now. A GLOBAL one needs all streams. */
static void
write_release_held(KitWrite *write)
{
    gboolean all = TRUE;
    for (guint i = 0; i < write->catalog->n_streams; i++)
        all = all && (write->finished[i] || !stream_is_held(&write->catalog->streams[i]));
    for (GList *link = write->pending.head; link != NULL; link = link->next) {
        PendingState *state = link->data;
        if (state->stream == KIT_ALL_STREAMS ? all : write->finished[state->stream])
            state->held = FALSE;
    }
    kit_write_release(write, KIT_ALL_STREAMS, write->last_seq);
}

/* One stream that cannot be finished does not hold back the others; the first error is returned. */
static gboolean
write_end_streams(KitWrite *write, GError **error)
{
    g_autoptr(GError) first = NULL;
    for (guint i = 0; i < write->catalog->n_streams; i++) {
        const KitStream *stream = &write->catalog->streams[i];
        KitStatus status = write->status[i];
        g_autoptr(GError) local = NULL;
        if (write->destination->end_stream != NULL)
            write->destination->end_stream(write->self, stream, status, &local);
        if (local == NULL && stream->truncate && status != KIT_STATUS_COMPLETE &&
            status != KIT_STATUS_INCOMPLETE)
            sl_error_set(&local, SL_ERROR_PROTOCOL,
                         "the input ended without a COMPLETE or INCOMPLETE status, so the old "
                         "generation is kept");
        write->finished[i] = local == NULL && status == KIT_STATUS_COMPLETE;
        if (local == NULL)
            continue;
        g_prefix_error(&local, "stream '%s': ", stream->name);
        if (first == NULL)
            first = g_steal_pointer(&local);
        else
            kit_output_log(write->out, KIT_LOG_ERROR, "%s", local->message);
    }
    write_release_held(write);
    if (first == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&first));
    return FALSE;
}

static gboolean
write_run(KitWrite *write, gboolean *ret_stopped, GError **error)
{
    for (guint i = 0; i < write->catalog->n_streams; i++) {
        const KitStream *stream = &write->catalog->streams[i];
        if (write->destination->begin_stream != NULL &&
            !write->destination->begin_stream(write->self, stream, error)) {
            g_prefix_error(error, "stream '%s': ", stream->name);
            return FALSE;
        }
    }
    if (!kit_write_open_inputs(write, ret_stopped, error) ||
        (!*ret_stopped && !kit_write_consume(write, ret_stopped, error)))
        return FALSE;
    return *ret_stopped || write_end_streams(write, error);
}

gboolean
kit_write_run(const KitWriteOptions *options, gboolean *ret_stopped, GError **error)
{
    KitWrite *write = g_new0(KitWrite, 1);
    const KitCatalog *catalog = options->catalog;
    write->destination = options->destination;
    write->config = options->config;
    write->catalog = catalog;
    write->out = options->out;
    write->channel = options->channel;
    write->stop_fd = options->stop_fd;
    write->scanner = sl_json_scanner_new();
    write->scratch = sl_json_read_copy("null", 4, NULL, NULL);
    write->status = g_new0(KitStatus, catalog->n_streams + 1);
    write->finished = g_new0(gboolean, catalog->n_streams + 1);
    for (guint i = 0; i < catalog->n_streams; i++)
        write->any_held = write->any_held || stream_is_held(&catalog->streams[i]);
    g_queue_init(&write->pending);

    gboolean ok = FALSE;
    *ret_stopped = FALSE;
    write->self = write->destination->open(write, error);
    if (write->self != NULL) {
        ok = write_run(write, ret_stopped, error);
        /* A second error says less than the first. */
        GError **close_error = ok ? error : NULL;
        if (!write->destination->close(write->self, ok && !*ret_stopped, close_error))
            ok = FALSE;
    }

    g_queue_clear_full(&write->pending, g_free);
    kit_write_close_inputs(write);
    sl_json_scanner_free(write->scanner);
    sl_json_doc_free(write->scratch);
    g_free(write->status);
    g_free(write->finished);
    g_free(write);
    return ok;
}
