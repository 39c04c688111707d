/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "kit-write-private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "sl-error.h"

#define MAX_CHATTER 200 /* bytes of a line that is no message, in the log */

/* --- messages ------------------------------------------------------------------------------ */

static void
take_chatter(KitWrite *write, const KitInput *input, SlSpan line)
{
    g_autofree char *text = g_utf8_make_valid(line.p, (gssize)MIN(line.n, MAX_CHATTER));
    kit_output_log(write->out, KIT_LOG_WARN,
                   "line %" G_GUINT64_FORMAT " is no message, ignoring: %s", input->n_messages,
                   text);
}

/* What frames became is one growing piece of memory: until now the records knew offsets only. */
static gboolean
hand_over(KitWrite *write, GError **error)
{
    gboolean made = write->schemas != NULL;
    for (guint i = 0; made && i < write->n_batch; i++) {
        KitRecord *record = &write->batch[i];
        SlSpan *const spans[] = {&record->data, &record->emitted_at, &record->meta};
        for (guint k = 0; k < G_N_ELEMENTS(spans); k++)
            spans[k]->p = write->made.p + GPOINTER_TO_SIZE(spans[k]->p);
    }
    gboolean ok = kit_write_hand_over(write, error);
    write->made.len = 0;
    return ok;
}

static gboolean
add_record(KitWrite *write, const KitRecord *record, SlSpan partition, GError **error)
{
    write->batch[write->n_batch++] = *record;
    if (write->books != NULL)
        sl_channel_books_count(write->books, record->stream, partition)->records++;
    return write->n_batch < KIT_BATCH || hand_over(write, error);
}

static gboolean
take_record(KitWrite *write, const SlMessage *message, SlSpan line, GError **error)
{
    if (message->stream.p == NULL || message->data.n == 0)
        return sl_error_set(error, SL_ERROR_PROTOCOL, "a record without %s",
                            message->data.n == 0 ? "data" : "stream");
    const KitStream *stream = kit_write_find_stream(write, message, error);
    if (stream == NULL)
        return FALSE;
    write->last = stream;
    KitRecord record = {stream->index, message->data, message->emitted_at, message->meta};
    SlSpan partition = {NULL, 0};
    if (write->books != NULL)
        partition = sl_channel_find_partition(message, line.p, line.n);
    return add_record(write, &record, partition, error);
}

/* A piece that was appended to `made`, as an offset. */
static SlSpan
made_since(const KitWrite *write, gsize from)
{
    return (SlSpan){GSIZE_TO_POINTER(from), write->made.len - from};
}

static gboolean
take_record_frame(KitWrite *write, const SlFrame *frame, GError **error)
{
    SlMessage names = {.stream = frame->stream, .ns = frame->ns};
    const KitStream *stream = kit_write_find_stream(write, &names, error);
    if (stream == NULL)
        return FALSE;
    write->last = stream;
    KitRecord record = {.stream = stream->index};
    gsize from = write->made.len;
    if (!sl_frame_schema_decode(write->schemas[stream->index], frame, &write->made, error)) {
        g_prefix_error(error, "stream '%s': ", stream->name);
        return FALSE;
    }
    record.data = made_since(write, from);
    from = write->made.len;
    sl_bytes_append_uint(&write->made, frame->emitted_at);
    record.emitted_at = made_since(write, from);
    if (frame->meta.n > 0) {
        from = write->made.len;
        if (!sl_frame_meta_to_json(frame->meta, &write->made, error))
            return FALSE;
        record.meta = made_since(write, from);
    }
    return add_record(write, &record, frame->partition, error);
}

/* On a channel a state may be there before its records are. */
static gboolean
take_state(KitWrite *write, SlSpan line, const SlMessage *message, GError **error)
{
    if (write->books != NULL)
        return sl_channel_books_add(write->books, message->payload, line, error);
    return hand_over(write, error) && kit_write_take_state(write, line, message->payload, error);
}

static gboolean
take_line(KitWrite *write, KitInput *input, SlSpan line, GError **error)
{
    SlMessage message;
    sl_json_scan(write->scanner, line.p, line.n, &message);
    if (message.type == SL_MESSAGE_RECORD && input->frames)
        return sl_error_set(error, SL_ERROR_PROTOCOL, "a record as text");
    if (message.type == SL_MESSAGE_RECORD)
        return take_record(write, &message, line, error);
    if (message.type == SL_MESSAGE_STATE)
        return take_state(write, line, &message, error);
    if (message.type == SL_MESSAGE_TRACE)
        kit_write_take_trace(write, message.payload);
    else if (message.looks_like_record)
        return sl_error_set(error, SL_ERROR_PROTOCOL, "a broken or incomplete record");
    else if (message.type == SL_MESSAGE_NONE && line.n > 0) /* an empty one may be a probe */
        take_chatter(write, input, line);
    return TRUE;
}

/* Between tokens only, or it is no JSON: a state goes back as one line. */
static void
make_one_line(char *p, gsize n)
{
    for (char *end = p + n; (p = memchr(p, '\n', (gsize)(end - p))) != NULL;)
        *p++ = ' ';
}

static gboolean
take_frame(KitWrite *write, KitInput *input, SlSpan body, GError **error)
{
    SlFrame frame;
    if (!sl_frame_parse(body, &frame, error))
        return FALSE;
    if (frame.type == SL_FRAME_RECORD)
        return take_record_frame(write, &frame, error);
    if (frame.type != SL_FRAME_MESSAGE)
        return TRUE; /* a probe, or of tomorrow */
    make_one_line(input->buf + (frame.message.p - input->buf), frame.message.n);
    return take_line(write, input, frame.message, error);
}

/* All whole messages of the buffer. */
static gboolean
take_messages(KitWrite *write, KitInput *input, GError **error)
{
    SlSpan message;
    KitInputResult result;
    while ((result = kit_input_next(input, &message, error)) == KIT_INPUT_MESSAGE) {
        if (input->frames ? take_frame(write, input, message, error)
                          : take_line(write, input, message, error))
            continue;
        g_prefix_error(error, "%s %" G_GUINT64_FORMAT ": ", input->frames ? "frame" : "line",
                       input->n_messages);
        result = KIT_INPUT_BROKEN;
        break;
    }
    if (result == KIT_INPUT_BROKEN) {
        if (write->channel != NULL)
            g_prefix_error(error, "socket %u: ", (guint)(input - write->inputs) + 1);
        return FALSE;
    }
    /* The spans of the batch point into the buffer, which is about to move. */
    return hand_over(write, error);
}

/* The payload of a state that we have kept. */
static gboolean
take_due_state(KitWrite *write, const SlChannelState *due, GError **error)
{
    SlJsonDoc *doc = write->scratch;
    if (!sl_json_read_into(doc, due->line, due->len, NULL, error))
        return FALSE;
    SlSpan payload = sl_json_span(sl_json_get(doc, sl_json_root(doc), "state"));
    return kit_write_take_state(write, (SlSpan){due->line, due->len}, payload, error);
}

static gboolean
take_due_states(KitWrite *write, GError **error)
{
    g_autoptr(GError) local = NULL;
    while (write->books != NULL) {
        g_autoptr(SlChannelState) due = sl_channel_books_take(write->books, &local);
        if (local != NULL) {
            g_propagate_error(error, g_steal_pointer(&local));
            return FALSE;
        }
        if (due == NULL)
            break;
        if (!take_due_state(write, due, error))
            return FALSE;
    }
    return TRUE;
}

/* --- waiting ------------------------------------------------------------------------------- */

/* How long to wait for input before pending states are due; -1: for ever. */
static int
timeout_of(const KitWrite *write)
{
    if (write->oldest_usec == 0)
        return -1;
    gint64 age = g_get_monotonic_time() - write->oldest_usec;
    gint64 left =
        MIN(write->destination->flush_idle_usec, write->destination->flush_age_usec - age);
    return left <= 0 ? 0 : (int)((left + 999) / 1000);
}

typedef enum { INPUT_DATA, INPUT_QUIET, INPUT_STOP, INPUT_ERROR } Input;

/* fds: one per input, then that of SIGTERM. */
static Input
wait_for_input(KitWrite *write, struct pollfd *fds, GError **error)
{
    for (guint i = 0; i < write->n_inputs; i++)
        fds[i] = (struct pollfd){write->inputs[i].ended ? -1 : write->inputs[i].fd, POLLIN, 0};
    fds[write->n_inputs] = (struct pollfd){write->stop_fd, POLLIN, 0};
    int n = poll(fds, write->n_inputs + 1, timeout_of(write));
    if (fds[write->n_inputs].revents != 0 || kit_signalled())
        return INPUT_STOP;
    if (n == 0 || (n < 0 && errno == EINTR))
        return INPUT_QUIET;
    if (n > 0)
        return INPUT_DATA;
    sl_error_set_errno(error, errno, "waiting for input");
    return INPUT_ERROR;
}

static gboolean
is_overdue(const KitWrite *write)
{
    return write->oldest_usec != 0 &&
           g_get_monotonic_time() - write->oldest_usec >= write->destination->flush_age_usec;
}

static gboolean
all_ended(const KitWrite *write)
{
    for (guint i = 0; i < write->n_inputs; i++)
        if (!write->inputs[i].ended)
            return FALSE;
    return TRUE;
}

/* Records that never came, behind states that count them: lost, or still at a source that died. */
static gboolean
check_end(KitWrite *write, GError **error)
{
    if (write->books == NULL || sl_channel_books_waiting(write->books) == 0)
        return TRUE;
    gboolean complete = FALSE;
    for (guint i = 0; i < write->catalog->n_streams; i++)
        complete = complete || write->status[i] == KIT_STATUS_COMPLETE;
    g_autofree char *text = sl_channel_books_describe(write->books);
    if (complete)
        return sl_error_set(error, SL_ERROR_PROTOCOL, "the input has ended, but %s", text);
    kit_output_log(write->out, KIT_LOG_WARN, "%s", text);
    return TRUE;
}

static gboolean
read_inputs(KitWrite *write, const struct pollfd *fds, GError **error)
{
    for (guint i = 0; i < write->n_inputs; i++) {
        KitInput *input = &write->inputs[i];
        if (fds[i].fd >= 0 && fds[i].revents != 0 &&
            (!kit_input_read(input, error) || !take_messages(write, input, error)))
            return FALSE;
    }
    return take_due_states(write, error);
}

gboolean
kit_write_consume(KitWrite *write, gboolean *ret_stopped, GError **error)
{
    g_autofree struct pollfd *fds = g_new0(struct pollfd, write->n_inputs + 1);
    for (;;) {
        Input input = wait_for_input(write, fds, error);
        if (input == INPUT_ERROR)
            return FALSE;
        *ret_stopped = input == INPUT_STOP;
        if (input == INPUT_DATA && !read_inputs(write, fds, error))
            return FALSE;
        gboolean end = all_ended(write);
        if (end && !check_end(write, error))
            return FALSE;
        gboolean last = end || *ret_stopped;
        gboolean quiet = input == INPUT_QUIET && write->oldest_usec != 0;
        if ((last || quiet || is_overdue(write)) && !kit_write_flush(write, error))
            return FALSE;
        if (last)
            return TRUE;
        if (kit_output_gone(write->out))
            return sl_error_set(error, SL_ERROR_CANCELLED,
                                "nobody reads the acknowledgements any more");
    }
}

/* --- opening ------------------------------------------------------------------------------- */

static gint
find_stream(const SlJsonDoc *doc, const SlJsonNode *descriptor, gpointer data)
{
    const KitStream *stream = kit_write_described(data, doc, descriptor);
    return stream == NULL ? -1 : (gint)stream->index;
}

static void
use_frames(KitWrite *write)
{
    write->schemas = g_new0(SlFrameSchema *, write->catalog->n_streams + 1);
    for (guint i = 0; i < write->catalog->n_streams; i++)
        write->schemas[i] =
            sl_frame_schema_new(write->catalog->doc, write->catalog->streams[i].schema);
}

gboolean
kit_write_open_inputs(KitWrite *write, gboolean *ret_stopped, GError **error)
{
    const KitChannel *channel = write->channel;
    write->n_inputs = channel != NULL ? channel->n : 1;
    write->inputs = g_new0(KitInput, write->n_inputs);
    if (channel == NULL) {
        kit_input_init(&write->inputs[0], STDIN_FILENO, FALSE);
        return TRUE;
    }
    gboolean frames = channel->format == KIT_FORMAT_PROTOBUF;
    g_autofree int *fds = g_new(int, channel->n);
    gboolean ok = kit_channel_connect(channel, write->stop_fd, fds, ret_stopped, error);
    for (guint i = 0; i < channel->n; i++)
        kit_input_init(&write->inputs[i], fds[i], frames);
    if (frames)
        use_frames(write);
    write->books = sl_channel_books_new(write->catalog->n_streams, channel->n, find_stream, write);
    return ok;
}

void
kit_write_close_inputs(KitWrite *write)
{
    for (guint i = 0; i < write->n_inputs; i++) {
        if (write->channel != NULL && write->inputs[i].fd >= 0)
            close(write->inputs[i].fd);
        kit_input_clear(&write->inputs[i]);
    }
    for (guint i = 0; write->schemas != NULL && i < write->catalog->n_streams; i++)
        sl_frame_schema_free(write->schemas[i]);
    g_free(write->schemas);
    sl_channel_books_free(write->books);
    sl_bytes_clear(&write->made);
    g_free(write->inputs);
}
