/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "kit-private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-frame-schema.h"
#include "sl-json-write.h"

#define BUFFER_SIZE (256 * 1024)
/* Of a channel: what a socket takes at once, so that the next one is written to while it is read.
 */
#define CHANNEL_SIZE (128 * 1024)
/* The clock is read once per so many records: emitted_at is a note of when, not an order. */
#define CLOCK_EVERY 256

typedef struct {
    char *head; /* {"type":"RECORD","record":{…"data": */
    gsize head_len;
    char *descriptor;      /* {"name":…,"namespace":…} */
    guint64 n_since_state; /* records behind the stream's last STATE */
    KitStatus status;      /* as last sent */
    /* Of a channel only. */
    SlFrameSchema *schema;
    SlBytes names;      /* of its frames */
    char partition[24]; /* of the records since its last STATE */
    guint64 n_states;
    gboolean strangers_noted;
} OutputStream;

struct KitOutput {
    int fd;
    gboolean gone;
    char *buf;
    gsize size, len;
    OutputStream *streams;
    guint n_streams;
    char tail[48]; /* ,"emitted_at":1790000000000}} and newline */
    gsize tail_len;
    guint clock_age;
    guint64 clock_ms;
    guint current; /* stream of the record that is being written */

    /* Of a channel only: records and states go to its sockets. */
    KitSockets *sockets; /* NULL: there is none */
    gboolean broken;     /* nobody reads them any more; standard output may go on */
    gboolean frames;
    SlBytes records;    /* whole messages */
    SlBytes data;       /* with frames: the record that is being written */
    SlBytes values;     /* … and what its frame holds */
    char partitions[8]; /* what the ids of this run begin with */
    guint64 n_partitions, n_global_states;
};

KitOutput *
kit_output_new(int fd)
{
    KitOutput *out = g_new0(KitOutput, 1);
    out->fd = fd;
    out->size = BUFFER_SIZE;
    out->buf = g_malloc(out->size);
    return out;
}

static void
output_clear_streams(KitOutput *out)
{
    for (guint i = 0; i < out->n_streams; i++) {
        g_free(out->streams[i].head);
        g_free(out->streams[i].descriptor);
        sl_frame_schema_free(out->streams[i].schema);
        sl_bytes_clear(&out->streams[i].names);
    }
    g_clear_pointer(&out->streams, g_free);
    out->n_streams = 0;
}

void
kit_output_free(KitOutput *out)
{
    if (out == NULL)
        return;
    kit_output_flush(out);
    output_clear_streams(out);
    kit_sockets_free(out->sockets);
    sl_bytes_clear(&out->records);
    sl_bytes_clear(&out->data);
    sl_bytes_clear(&out->values);
    g_free(out->buf);
    g_free(out);
}

static void
output_flush_records(KitOutput *out)
{
    if (out->records.len > 0 && !out->broken &&
        !kit_sockets_write(out->sockets, out->records.p, out->records.len))
        out->broken = TRUE;
    out->records.len = 0;
}

void
kit_output_flush(KitOutput *out)
{
    gsize done = 0;
    output_flush_records(out);
    while (!out->gone && done < out->len) {
        gssize n = write(out->fd, out->buf + done, out->len - done);
        if (n >= 0) {
            done += (gsize)n;
        } else if (errno != EINTR) {
            /* EPIPE: the reader has gone, there is nobody to tell. Anything else (a full disk
             * behind a redirection) is as final, but somebody may read stderr. */
            if (errno != EPIPE)
                g_printerr("writing standard output: %s\n", g_strerror(errno));
            out->gone = TRUE;
        }
    }
    out->len = 0;
    out->clock_age = 0;
}

gboolean
kit_output_gone(const KitOutput *out)
{
    return out->gone || out->broken;
}

static char *
output_reserve(KitOutput *out, gsize need)
{
    if (out->size - out->len < need) {
        kit_output_flush(out);
        if (out->size < need) {
            out->size = need + BUFFER_SIZE;
            out->buf = g_realloc(out->buf, out->size);
        }
    }
    return out->buf + out->len;
}

void
kit_output_line(KitOutput *out, const char *line, gsize len)
{
    char *p = output_reserve(out, len + 1);
    memcpy(p, line, len);
    p[len] = '\n';
    out->len += len + 1;
}

static char *
stream_descriptor(const KitStream *stream)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(text);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "name", stream->name);
    sl_json_member_string(&w, "namespace", stream->ns);
    sl_json_end_object(&w);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

void
kit_output_set_streams(KitOutput *out, const KitCatalog *catalog)
{
    output_clear_streams(out);
    out->n_streams = catalog->n_streams;
    out->streams = g_new0(OutputStream, catalog->n_streams);
    for (guint i = 0; i < catalog->n_streams; i++) {
        const KitStream *stream = &catalog->streams[i];
        g_autoptr(GString) head = g_string_new("{\"type\":\"RECORD\",\"record\":{");
        if (stream->ns != NULL) {
            g_string_append(head, "\"namespace\":");
            sl_json_append_quoted(head, stream->ns, strlen(stream->ns));
            g_string_append_c(head, ',');
        }
        g_string_append(head, "\"stream\":");
        sl_json_append_quoted(head, stream->name, strlen(stream->name));
        g_string_append(head, ",\"data\":");
        out->streams[i].head_len = head->len;
        out->streams[i].head = g_string_free(g_steal_pointer(&head), FALSE);
        out->streams[i].descriptor = stream_descriptor(stream);
    }
}

static void
output_text(KitOutput *out, const GString *text)
{
    kit_output_line(out, text->str, text->len);
}

/* The records that follow are of another one: of one stream, or (NULL) of all of them. */
static void
output_new_partition(KitOutput *out, OutputStream *only)
{
    if (out->sockets == NULL)
        return;
    out->n_partitions++;
    for (guint i = 0; i < out->n_streams; i++)
        if (only == NULL || only == &out->streams[i])
            g_snprintf(out->streams[i].partition, sizeof out->streams[i].partition,
                       "%s%" G_GINT64_MODIFIER "x", out->partitions, out->n_partitions);
}

/* On a channel it goes over a socket, which is where it counts, and is told on standard output. */
static void
output_state_text(KitOutput *out, const GString *text)
{
    if (out->frames) {
        sl_frame_append_message(&out->records, text->str, text->len);
    } else if (out->sockets != NULL) {
        sl_bytes_append(&out->records, text->str, text->len);
        sl_bytes_append(&out->records, "\n", 1);
    }
    output_text(out, text);
    kit_output_flush(out);
}

gboolean
kit_output_use_channel(KitOutput *out, const KitChannel *channel, const KitCatalog *catalog,
                       int stop_fd, GError **error)
{
    out->sockets = kit_sockets_listen(channel, stop_fd, error);
    if (out->sockets == NULL)
        return FALSE;
    out->frames = channel->format == KIT_FORMAT_PROTOBUF;
    g_snprintf(out->partitions, sizeof out->partitions, "%06x", g_random_int() & 0xffffff);
    output_new_partition(out, NULL);
    for (guint i = 0; out->frames && i < out->n_streams; i++) {
        const KitStream *stream = &catalog->streams[i];
        out->streams[i].schema = sl_frame_schema_new(catalog->doc, stream->schema);
        sl_frame_append_names(&out->streams[i].names, stream->ns, stream->name);
    }
    return TRUE;
}

void
kit_output_finish_channel(KitOutput *out)
{
    if (out->sockets != NULL && !out->broken && !kit_sockets_finish(out->sockets))
        out->broken = TRUE;
}

static void
output_read_clock(KitOutput *out)
{
    out->clock_ms = (guint64)(g_get_real_time() / 1000);
    int n = g_snprintf(out->tail, sizeof out->tail, ",\"emitted_at\":%" G_GUINT64_FORMAT "}}\n",
                       out->clock_ms);
    out->tail_len = (gsize)n;
    out->clock_age = CLOCK_EVERY;
}

char *
kit_output_begin_record(KitOutput *out, guint stream, gsize max)
{
    g_assert(stream < out->n_streams);
    const OutputStream *s = &out->streams[stream];
    out->current = stream;
    if (out->frames) {
        out->data.len = 0;
        return sl_bytes_reserve(&out->data, max);
    }
    gsize room = s->head_len + max + sizeof out->tail + sizeof s->partition + 20;
    char *p =
        out->sockets != NULL ? sl_bytes_reserve(&out->records, room) : output_reserve(out, room);
    memcpy(p, s->head, s->head_len);
    return p + s->head_len;
}

/* A line of a channel names its partition. */
static void
output_end_line(KitOutput *out, const OutputStream *s, char *end)
{
    static const char key[] = ",\"partition_id\":\"";
    gsize n = strlen(s->partition);
    memcpy(end, key, sizeof key - 1);
    end += sizeof key - 1;
    memcpy(end, s->partition, n);
    end += n;
    *end++ = '"';
    memcpy(end, out->tail, out->tail_len);
    out->records.len = (gsize)(end + out->tail_len - out->records.p);
}

static void
output_end_frame(KitOutput *out, OutputStream *s, const char *end)
{
    g_autoptr(GError) error = NULL;
    SlSpan data = {out->data.p, (gsize)(end - out->data.p)}, none = {NULL, 0};
    SlSpan partition = {s->partition, strlen(s->partition)};
    guint strangers;
    out->values.len = 0;
    if (!sl_frame_schema_encode(s->schema, data, &out->values, &strangers, &error)) {
        g_critical("a record of the connector: %s", error->message);
        out->broken = TRUE; /* rather nothing than something wrong */
        return;
    }
    if (strangers > 0 && !s->strangers_noted) {
        s->strangers_noted = TRUE;
        kit_output_log(out, KIT_LOG_WARN,
                       "stream %s: members that are not in its schema are left out", s->descriptor);
    }
    sl_frame_append_record(&out->records, (SlSpan){s->names.p, s->names.len}, out->clock_ms,
                           partition, (SlSpan){out->values.p, out->values.len}, none);
}

void
kit_output_end_record(KitOutput *out, char *end)
{
    OutputStream *s = &out->streams[out->current];
    if (out->clock_age == 0)
        output_read_clock(out);
    out->clock_age--;
    s->n_since_state++;
    if (out->sockets == NULL) {
        memcpy(end, out->tail, out->tail_len);
        out->len = (gsize)(end + out->tail_len - out->buf);
        return;
    }
    if (out->frames)
        output_end_frame(out, s, end);
    else
        output_end_line(out, s, end);
    if (out->records.len >= CHANNEL_SIZE)
        output_flush_records(out);
}

void
kit_output_record(KitOutput *out, guint stream, const char *data, gsize len)
{
    char *p = kit_output_begin_record(out, stream, len);
    memcpy(p, data, len);
    kit_output_end_record(out, p + len);
}

void
kit_output_state(KitOutput *out, guint stream, const char *state, gsize len)
{
    g_assert(stream < out->n_streams);
    OutputStream *s = &out->streams[stream];
    g_autoptr(GString) text = g_string_new("{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\",");
    if (out->sockets != NULL)
        g_string_append_printf(text, "\"id\":%" G_GUINT64_FORMAT ",\"partition_id\":\"%s\",",
                               ++s->n_states, s->partition);
    g_string_append(text, "\"stream\":{\"stream_descriptor\":");
    g_string_append(text, s->descriptor);
    g_string_append(text, ",\"stream_state\":");
    g_string_append_len(text, state, (gssize)len);
    g_string_append_printf(text, "},\"sourceStats\":{\"recordCount\":%" G_GUINT64_FORMAT "}}}",
                           s->n_since_state);
    s->n_since_state = 0;
    output_state_text(out, text);
    output_new_partition(out, s);
}

void
kit_output_global_state(KitOutput *out, const char *global, gsize len)
{
    guint64 n = 0;
    for (guint i = 0; i < out->n_streams; i++) {
        n += out->streams[i].n_since_state;
        out->streams[i].n_since_state = 0;
    }
    g_autoptr(GString) text = g_string_new("{\"type\":\"STATE\",\"state\":{\"type\":\"GLOBAL\",");
    /* All streams are in the same partition, as long as there are none but GLOBAL states. */
    if (out->sockets != NULL)
        g_string_append_printf(text, "\"id\":%" G_GUINT64_FORMAT ",\"partition_id\":\"%s\",",
                               ++out->n_global_states,
                               out->n_streams > 0 ? out->streams[0].partition : "none");
    g_string_append(text, "\"global\":");
    g_string_append_len(text, global, (gssize)len);
    g_string_append_printf(text, ",\"sourceStats\":{\"recordCount\":%" G_GUINT64_FORMAT "}}}", n);
    output_state_text(out, text);
    output_new_partition(out, NULL);
}

void
kit_output_log(KitOutput *out, KitLogLevel level, const char *format, ...)
{
    static const char *const names[] = {"FATAL", "ERROR", "WARN", "INFO", "DEBUG"};
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    g_autoptr(GString) text = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(text);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "type", "LOG");
    sl_json_key(&w, "log");
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "level", names[level]);
    sl_json_member_string(&w, "message", message);
    sl_json_end_object(&w);
    sl_json_end_object(&w);
    output_text(out, text);
}

static void
trace_begin(SlJsonWriter *w, const char *type, const char *member)
{
    sl_json_begin_object(w);
    sl_json_member_string(w, "type", "TRACE");
    sl_json_key(w, "trace");
    sl_json_begin_object(w);
    sl_json_member_string(w, "type", type);
    sl_json_member_int(w, "emitted_at", g_get_real_time() / 1000);
    sl_json_key(w, member);
    sl_json_begin_object(w);
}

static void
trace_end(SlJsonWriter *w, KitOutput *out)
{
    for (int i = 0; i < 3; i++)
        sl_json_end_object(w);
    output_text(out, w->out);
    kit_output_flush(out);
}

static void
trace_descriptor(SlJsonWriter *w, const KitStream *stream)
{
    g_autofree char *descriptor = stream_descriptor(stream);
    sl_json_member_raw(w, "stream_descriptor", descriptor);
}

void
kit_output_status(KitOutput *out, const KitStream *stream, KitStatus status)
{
    static const char *const names[] = {NULL, "STARTED", "RUNNING", "COMPLETE", "INCOMPLETE"};
    g_autoptr(GString) text = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(text);
    trace_begin(&w, "STREAM_STATUS", "stream_status");
    trace_descriptor(&w, stream);
    sl_json_member_string(&w, "status", names[status]);
    trace_end(&w, out);
    out->streams[stream->index].status = status;
}

void
kit_output_abandon(KitOutput *out, const KitCatalog *catalog)
{
    for (guint i = 0; i < out->n_streams; i++) {
        KitStatus status = out->streams[i].status;
        if (status == KIT_STATUS_STARTED || status == KIT_STATUS_RUNNING)
            kit_output_status(out, &catalog->streams[i], KIT_STATUS_INCOMPLETE);
    }
}

void
kit_output_estimate(KitOutput *out, const KitStream *stream, gint64 rows, gint64 bytes)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(text);
    trace_begin(&w, "ESTIMATE", "estimate");
    sl_json_member_string(&w, "name", stream->name);
    sl_json_member_string(&w, "namespace", stream->ns);
    sl_json_member_string(&w, "type", "STREAM");
    sl_json_member_int(&w, "row_estimate", rows);
    if (bytes >= 0)
        sl_json_member_int(&w, "byte_estimate", bytes);
    trace_end(&w, out);
}

void
kit_output_error(KitOutput *out, const GError *error, const KitStream *stream)
{
    g_autofree char *first = g_strndup(error->message, strcspn(error->message, "\n"));
    g_autoptr(GString) text = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(text);
    trace_begin(&w, "ERROR", "error");
    sl_json_member_string(&w, "message", first);
    sl_json_member_string(&w, "internal_message", error->message);
    sl_json_member_string(&w, "failure_type", kit_failure_type(error));
    if (stream != NULL)
        trace_descriptor(&w, stream);
    trace_end(&w, out);
}

void
kit_output_connection_status(KitOutput *out, const char *failure)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(text);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "type", "CONNECTION_STATUS");
    sl_json_key(&w, "connectionStatus");
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "status", failure == NULL ? "SUCCEEDED" : "FAILED");
    sl_json_member_string(&w, "message", failure);
    sl_json_end_object(&w);
    sl_json_end_object(&w);
    output_text(out, text);
    kit_output_flush(out);
}

const char *
kit_failure_type(const GError *error)
{
    /* The protocol knows three; the platform's other types are none of a connector's business. */
    const char *type = sl_error_info_for(error)->failure_type;
    if (g_str_equal(type, "config_error") || g_str_equal(type, "transient_error"))
        return type;
    return "system_error";
}
