/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "kit-private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-json-scan.h"

#define READ_SIZE (1024 * 1024)
/* The orchestrator has its own, lower limit; this one keeps a run-away line from eating the host.
 */
#define MAX_LINE ((gsize)1024 * 1024 * 1024)
#define MAX_CHATTER 200 /* bytes of a line that is no message, in the log */

typedef struct {
    guint64 seq;
    guint stream;
    gboolean held; /* until the stream is finished, see stream_is_held() */
    gsize len;
    char line[];
} PendingState;

struct KitWrite {
    const KitDestination *destination;
    gpointer self;
    const KitConfig *config;
    const KitCatalog *catalog;
    KitOutput *out;
    int fd, stop_fd;

    /* Input: [start, end) is unread, [start, scanned) holds no newline. */
    char *buf;
    gsize size, start, scanned, end;
    guint64 line_number;
    SlJsonScanner *scanner;
    SlJsonDoc *scratch; /* for STATE and TRACE lines */

    KitRecord batch[KIT_BATCH];
    guint n_batch;
    const KitStream *last; /* stream of the last record */
    KitStatus *status;     /* per stream */

    GQueue pending; /* PendingState, oldest first */
    guint64 last_seq;
    gint64 oldest_usec; /* when the first state that flush() can release came; 0: there is none */
    gboolean any_held;
    gboolean *finished; /* per stream: complete and put in place */
};

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

static gboolean
write_hand_over(KitWrite *write, GError **error)
{
    guint n = write->n_batch;
    write->n_batch = 0;
    return n == 0 || write->destination->records(write->self, write->batch, n, error);
}

static gboolean
write_flush(KitWrite *write, GError **error)
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

static const KitStream *
write_find_stream(KitWrite *write, const SlMessage *message, GError **error)
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

static gboolean
write_record(KitWrite *write, const SlMessage *message, GError **error)
{
    if (message->stream.p == NULL || message->data.n == 0)
        return sl_error_set(error, SL_ERROR_PROTOCOL, "a record without %s",
                            message->data.n == 0 ? "data" : "stream");
    const KitStream *stream = write_find_stream(write, message, error);
    if (stream == NULL)
        return FALSE;
    write->last = stream;
    write->batch[write->n_batch++] = (KitRecord){
        .stream = stream->index,
        .data = message->data,
        .emitted_at = message->emitted_at,
        .meta = message->meta,
    };
    return write->n_batch < KIT_BATCH || write_hand_over(write, error);
}

/* The stream that a {"stream_descriptor": …} names; NULL: none of ours. */
static const KitStream *
described_stream(const KitWrite *write, const SlJsonNode *holder)
{
    const SlJsonDoc *doc = write->scratch;
    const SlJsonNode *descriptor = sl_json_get(doc, holder, "stream_descriptor");
    const SlJsonNode *name_node = sl_json_get(doc, descriptor, "name");
    const SlJsonNode *ns_node = sl_json_get(doc, descriptor, "namespace");
    g_autofree char *name = name_node == NULL ? NULL : sl_json_dup_string(name_node);
    g_autofree char *ns = ns_node == NULL ? NULL : sl_json_dup_string(ns_node);
    if (name == NULL)
        return NULL;
    return kit_catalog_find(write->catalog, ns, ns == NULL ? 0 : strlen(ns), name, strlen(name));
}

static gboolean
write_state(KitWrite *write, const char *line, gsize len, const SlMessage *message, GError **error)
{
    if (!write_hand_over(write, error))
        return FALSE;
    if (!sl_json_read_into(write->scratch, message->payload.p, message->payload.n, NULL, error)) {
        g_prefix_error(error, "a state: ");
        return FALSE;
    }
    const SlJsonNode *root = sl_json_root(write->scratch);
    const SlJsonNode *type = sl_json_get(write->scratch, root, "type");
    const KitStream *stream = NULL;
    if (type != NULL && sl_json_string_is(type, "STREAM"))
        stream = described_stream(write, sl_json_get(write->scratch, root, "stream"));

    PendingState *pending = g_malloc(sizeof *pending + len);
    pending->seq = ++write->last_seq;
    pending->stream = stream == NULL ? KIT_ALL_STREAMS : stream->index;
    pending->held = stream == NULL ? write->any_held : stream_is_held(stream);
    pending->len = len;
    memcpy(pending->line, line, len);
    g_queue_push_tail(&write->pending, pending);
    if (write->oldest_usec == 0 && !pending->held)
        write->oldest_usec = g_get_monotonic_time();

    KitState state = {pending->seq, pending->stream, {pending->line, len}};
    if (write->destination->state != NULL && !write->destination->state(write->self, &state, error))
        return FALSE;
    return pending->held || write->destination->flush_age_usec > 0 || write_flush(write, error);
}

/* Of the traces a destination needs only the streams' statuses. A broken one is not worth a sync.
 */
static void
write_trace(KitWrite *write, const SlMessage *message)
{
    static const char *const names[] = {NULL, "STARTED", "RUNNING", "COMPLETE", "INCOMPLETE"};
    SlJsonDoc *doc = write->scratch;
    if (!sl_json_read_into(doc, message->payload.p, message->payload.n, NULL, NULL))
        return;
    const SlJsonNode *status = sl_json_get(doc, sl_json_root(doc), "stream_status");
    const SlJsonNode *word = sl_json_get(doc, status, "status");
    const KitStream *stream = described_stream(write, status);
    if (stream == NULL || word == NULL)
        return;
    for (guint i = 1; i < G_N_ELEMENTS(names); i++)
        if (sl_json_string_is(word, names[i]))
            write->status[stream->index] = i;
}

static void
write_chatter(KitWrite *write, const char *line, gsize len)
{
    g_autofree char *text = g_utf8_make_valid(line, (gssize)MIN(len, MAX_CHATTER));
    kit_output_log(write->out, KIT_LOG_WARN,
                   "line %" G_GUINT64_FORMAT " is no message, ignoring: %s", write->line_number,
                   text);
}

static gboolean
write_line(KitWrite *write, const char *line, gsize len, GError **error)
{
    SlMessage message;
    write->line_number++;
    sl_json_scan(write->scanner, line, len, &message);
    gboolean ok = TRUE;
    if (message.type == SL_MESSAGE_RECORD)
        ok = write_record(write, &message, error);
    else if (message.type == SL_MESSAGE_STATE)
        ok = write_state(write, line, len, &message, error);
    else if (message.type == SL_MESSAGE_TRACE)
        write_trace(write, &message);
    else if (message.looks_like_record)
        ok = sl_error_set(error, SL_ERROR_PROTOCOL, "a broken or incomplete record");
    else if (message.type == SL_MESSAGE_NONE && len > 0)
        write_chatter(write, line, len);
    if (!ok)
        g_prefix_error(error, "line %" G_GUINT64_FORMAT ": ", write->line_number);
    return ok;
}

/* All whole lines of the buffer; at the end of the input the last one too. */
static gboolean
write_lines(KitWrite *write, gboolean at_end, GError **error)
{
    const char *end = write->buf + write->end;
    for (;;) {
        const char *line = write->buf + write->start;
        const char *newline = sl_json_find_newline(write->buf + write->scanned, end);
        gsize len = (gsize)(newline - line);
        if (newline == end && (!at_end || len == 0))
            break;
        write->start = write->scanned = MIN(write->start + len + 1, write->end);
        if (len > 0 && line[len - 1] == '\r')
            len--;
        if (!write_line(write, line, len, error))
            return FALSE;
    }
    write->scanned = write->end;
    /* The spans of the batch point into the buffer, which is about to move. */
    return write_hand_over(write, error);
}

static gboolean
write_make_room(KitWrite *write, GError **error)
{
    gsize used = write->end - write->start;
    if (write->start > 0)
        memmove(write->buf, write->buf + write->start, used);
    write->scanned -= write->start;
    write->start = 0;
    write->end = used;
    if (write->size - used >= READ_SIZE / 2)
        return TRUE;
    if (used > MAX_LINE)
        return sl_error_set(error, SL_ERROR_TOO_LARGE,
                            "line %" G_GUINT64_FORMAT " is longer than 1 GiB",
                            write->line_number + 1);
    write->size = MAX(write->size * 2, (gsize)2 * READ_SIZE);
    write->buf = g_realloc(write->buf, write->size + SL_JSON_PADDING);
    return TRUE;
}

/* How long to wait for input before pending states are due; -1: for ever. */
static int
write_timeout(const KitWrite *write)
{
    if (write->oldest_usec == 0)
        return -1;
    gint64 age = g_get_monotonic_time() - write->oldest_usec;
    gint64 left =
        MIN(write->destination->flush_idle_usec, write->destination->flush_age_usec - age);
    return left <= 0 ? 0 : (int)((left + 999) / 1000);
}

typedef enum { INPUT_DATA, INPUT_QUIET, INPUT_END, INPUT_STOP, INPUT_ERROR } Input;

static Input
write_read(KitWrite *write, GError **error)
{
    struct pollfd fds[] = {{write->fd, POLLIN, 0}, {write->stop_fd, POLLIN, 0}};
    int n = poll(fds, G_N_ELEMENTS(fds), write_timeout(write));
    if (fds[1].revents != 0 || kit_signalled())
        return INPUT_STOP;
    if (n == 0)
        return INPUT_QUIET;
    if (n < 0)
        return errno == EINTR
                   ? INPUT_QUIET
                   : (sl_error_set_errno(error, errno, "waiting for input"), INPUT_ERROR);
    gssize len = read(write->fd, write->buf + write->end, write->size - write->end);
    if (len < 0 && (errno == EINTR || errno == EAGAIN))
        return INPUT_DATA;
    if (len < 0) {
        sl_error_set_errno(error, errno, "reading standard input");
        return INPUT_ERROR;
    }
    write->end += (gsize)len;
    return len == 0 ? INPUT_END : INPUT_DATA;
}

static gboolean
write_overdue(const KitWrite *write)
{
    return write->oldest_usec != 0 &&
           g_get_monotonic_time() - write->oldest_usec >= write->destination->flush_age_usec;
}

/* Everything up to the end of the input. ret_stopped: SIGTERM came first. */
static gboolean
write_consume(KitWrite *write, gboolean *ret_stopped, GError **error)
{
    for (;;) {
        if (!write_make_room(write, error))
            return FALSE;
        Input input = write_read(write, error);
        if (input == INPUT_ERROR)
            return FALSE;
        *ret_stopped = input == INPUT_STOP;
        if (!write_lines(write, input == INPUT_END, error))
            return FALSE;
        gboolean last = input == INPUT_END || input == INPUT_STOP;
        gboolean quiet = input == INPUT_QUIET && write->oldest_usec != 0;
        if ((last || quiet || write_overdue(write)) && !write_flush(write, error))
            return FALSE;
        if (last)
            return TRUE;
        if (kit_output_gone(write->out))
            return sl_error_set(error, SL_ERROR_CANCELLED,
                                "nobody reads the acknowledgements any more");
    }
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
    if (!write_consume(write, ret_stopped, error))
        return FALSE;
    return *ret_stopped || write_end_streams(write, error);
}

gboolean
kit_write_run(const KitDestination *destination, const KitConfig *config, const KitCatalog *catalog,
              KitOutput *out, int fd, int stop_fd, GError **error)
{
    KitWrite *write = g_new0(KitWrite, 1);
    write->destination = destination;
    write->config = config;
    write->catalog = catalog;
    write->out = out;
    write->fd = fd;
    write->stop_fd = stop_fd;
    write->scanner = sl_json_scanner_new();
    write->scratch = sl_json_read_copy("null", 4, NULL, NULL);
    write->status = g_new0(KitStatus, catalog->n_streams + 1);
    write->finished = g_new0(gboolean, catalog->n_streams + 1);
    for (guint i = 0; i < catalog->n_streams; i++)
        write->any_held = write->any_held || stream_is_held(&catalog->streams[i]);
    g_queue_init(&write->pending);

    gboolean ok = FALSE, stopped = FALSE;
    write->self = destination->open(write, error);
    if (write->self != NULL) {
        ok = write_run(write, &stopped, error);
        /* A second error says less than the first. */
        GError **close_error = ok ? error : NULL;
        if (!destination->close(write->self, ok && !stopped, close_error))
            ok = FALSE;
    }

    g_queue_clear_full(&write->pending, g_free);
    sl_json_scanner_free(write->scanner);
    sl_json_doc_free(write->scratch);
    g_free(write->status);
    g_free(write->finished);
    g_free(write->buf);
    g_free(write);
    return ok && !stopped;
}
