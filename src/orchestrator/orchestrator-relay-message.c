/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator-relay-private.h"

#include <string.h>

#include "sl-error.h"
#include "sl-rename.h"

/* --- streams ------------------------------------------------------------------------------- */

static gint
find_stream(const SlJsonDoc *doc, const SlJsonNode *descriptor, gpointer data)
{
    const OrchestratorRelay *relay = data;
    return sl_stream_table_find_descriptor(relay->options.streams, doc, descriptor);
}

/* The json_schema of the i-th stream of a configured catalog. */
static const SlJsonNode *
schema_of(const SlJsonDoc *doc, guint i)
{
    const SlJsonNode *streams = sl_json_get(doc, sl_json_root(doc), "streams");
    return sl_json_get_path(doc, sl_json_at(doc, streams, i), "stream", "json_schema", NULL);
}

/* Does nothing happen to values but that some columns were never asked for? */
static gboolean
passes_as_it_is(const SlCatalogStream *stream, const RelayStream *made)
{
    if (!sl_frame_schema_equal(made->from, made->to))
        return FALSE;
    return stream->mapper == NULL ||
           sl_mapper_get_shape(stream->mapper)->steps->len == 1; /* a selection only */
}

static GArray *
find_key(const SlCatalogStream *stream, const SlFrameSchema *schema)
{
    const char *const *path;
    g_autoptr(GArray) key = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; stream->key != NULL && (path = sl_stream_key_path(stream->key, i)) != NULL;
         i++) {
        guint column = 0;
        while (column < sl_frame_schema_n_columns(schema) &&
               !g_str_equal(sl_frame_schema_column(schema, column)->name, path[0]))
            column++;
        if (path[1] != NULL || column == sl_frame_schema_n_columns(schema))
            return NULL;
        g_array_append_val(key, column);
    }
    return key->len > 0 ? g_steal_pointer(&key) : NULL;
}

gboolean
orchestrator_relay_make_streams(OrchestratorRelay *relay, GError **error)
{
    const OrchestratorRelayOptions *options = &relay->options;
    const SlCatalog *catalog = options->catalog;
    relay->streams = g_new0(RelayStream, MAX(catalog->n_streams, 1));
    relay->channel = sl_channel_books_new(catalog->n_streams, relay->n, find_stream, relay);
    if (!options->channel.frames)
        return TRUE;
    const char *from = options->source_catalog, *to = options->destination_catalog;
    g_autoptr(SlJsonDoc) source = sl_json_read(from, strlen(from), NULL, error);
    g_autoptr(SlJsonDoc) destination =
        source == NULL ? NULL : sl_json_read(to, strlen(to), NULL, error);
    if (destination == NULL)
        return FALSE;
    for (guint i = 0; i < catalog->n_streams; i++) {
        const SlCatalogStream *stream = &catalog->streams[i];
        RelayStream *made = &relay->streams[i];
        made->from = sl_frame_schema_new(source, schema_of(source, i));
        made->to = sl_frame_schema_new(destination, schema_of(destination, i));
        sl_frame_append_names(&made->names, stream->to_ns, stream->to_name);
        made->straight = passes_as_it_is(stream, made);
        made->key = find_key(stream, made->from);
    }
    return TRUE;
}

void
orchestrator_relay_free_streams(OrchestratorRelay *relay)
{
    for (guint i = 0; relay->streams != NULL && i < relay->options.catalog->n_streams; i++) {
        sl_frame_schema_free(relay->streams[i].from);
        sl_frame_schema_free(relay->streams[i].to);
        sl_bytes_clear(&relay->streams[i].names);
        g_clear_pointer(&relay->streams[i].key, g_array_unref);
    }
    g_free(relay->streams);
    sl_channel_books_free(relay->channel);
}

/* --- records ------------------------------------------------------------------------------- */

static void
break_source(OrchestratorRelay *relay, const RelaySocket *socket, const char *text)
{
    orchestrator_relay_fail(relay, ORCHESTRATOR_RELAY_BROKEN,
                            "the source sent what is no protocol over socket %u, message "
                            "%" G_GUINT64_FORMAT ": %s",
                            (guint)(socket - relay->sockets) + 1, socket->n_messages, text);
}

static gint
find_names(OrchestratorRelay *relay, const SlMessage *names)
{
    gint stream = sl_stream_table_find(relay->options.streams, names->ns, names->ns_escaped,
                                       names->stream, names->stream_escaped);
    if (stream < 0)
        orchestrator_relay_fail(
            relay, ORCHESTRATOR_RELAY_BROKEN,
            "the source sent a record of stream '%.*s'%s%.*s%s, which is not in the catalog",
            (int)MIN(names->stream.n, 200), names->stream.p, names->ns.n > 0 ? " (namespace '" : "",
            (int)MIN(names->ns.n, 200), names->ns.n > 0 ? names->ns.p : "",
            names->ns.n > 0 ? "')" : "");
    return stream;
}

static gboolean
note_key(OrchestratorRelay *relay, const SlCatalogStream *stream, gboolean present)
{
    if (present)
        return TRUE;
    orchestrator_relay_fail(relay, ORCHESTRATOR_RELAY_BROKEN,
                            "the source sent a record of stream '%s' in which the primary key "
                            "(%s) is missing, by which it is to be deduplicated",
                            stream->name, sl_stream_key_title(stream->key));
    return FALSE;
}

static gboolean
has_key(OrchestratorRelay *relay, const SlCatalogStream *stream, SlSpan data)
{
    return note_key(relay, stream, stream->key == NULL || sl_stream_key_check(stream->key, data));
}

/* The same of a frame, in which every column has its place. */
static gboolean
frame_has_key(const RelayStream *made, const SlFrame *frame)
{
    SlFrameField value = {.p = frame->record.p, .end = frame->record.p + frame->record.n};
    for (guint i = 0; sl_frame_next_field(&value) == SL_FIELD_READ;) {
        if (value.number != SL_RECORD_DATA || value.wire != 2)
            continue;
        for (guint k = 0; k < made->key->len; k++)
            if (g_array_index(made->key, guint, k) == i && !sl_frame_value_is_null(value.bytes))
                return TRUE;
        i++;
    }
    return FALSE;
}

static void
count(OrchestratorRelay *relay, gint stream, SlSpan partition, gsize bytes, gboolean passes)
{
    SlChannelCount *counted = sl_channel_books_count(relay->channel, (guint)stream, partition);
    counted->records++;
    counted->bytes += bytes;
    sl_ledger_count_record(relay->books, stream, bytes);
    if (passes)
        return;
    counted->filtered++;
    counted->filtered_bytes += bytes;
    sl_ledger_count_filtered(relay->books, stream, bytes);
}

/* Selection and mappers; counts. *ret_data: what becomes of it. FALSE: it does not pass, or not at
 * all. */
static gboolean
map_record(OrchestratorRelay *relay, gint stream, SlSpan data, SlSpan partition, SlSpan *ret_data)
{
    const SlCatalogStream *known = &relay->options.catalog->streams[stream];
    g_autoptr(GError) error = NULL;
    gsize selected = data.n;
    SlMapped mapped = SL_MAPPED_SAME;
    *ret_data = data;
    g_string_truncate(relay->mapped, 0);
    if (known->mapper != NULL)
        mapped = sl_mapper_apply(known->mapper, data, relay->mapped, &selected, &error);
    if (mapped == SL_MAPPED_FAILED) {
        orchestrator_relay_fail(relay,
                                error->code == SL_ERROR_PROTOCOL ? ORCHESTRATOR_RELAY_BROKEN
                                                                 : ORCHESTRATOR_RELAY_UNMAPPABLE,
                                "%s", error->message);
        return FALSE;
    }
    count(relay, stream, partition, selected, mapped != SL_MAPPED_FILTERED);
    if (mapped == SL_MAPPED_CHANGED)
        *ret_data = (SlSpan){relay->mapped->str, relay->mapped->len};
    return mapped != SL_MAPPED_FILTERED;
}

static void
take_record_line(OrchestratorRelay *relay, RelaySocket *socket, const SlMessage *message,
                 SlSpan line)
{
    gint stream = find_names(relay, message);
    SlSpan data;
    if (stream < 0 || !has_key(relay, &relay->options.catalog->streams[stream], message->data) ||
        !map_record(relay, stream, message->data,
                    sl_channel_find_partition(message, line.p, line.n), &data))
        return;
    const SlCatalogStream *known = &relay->options.catalog->streams[stream];
    gboolean changed = data.p != message->data.p;
    if (known->renamed || changed) {
        g_string_truncate(relay->line, 0);
        sl_rename_record(known, message, changed ? relay->mapped : NULL, line.p, line.n,
                         relay->line);
        line = (SlSpan){relay->line->str, relay->line->len};
    }
    sl_bytes_append(&socket->output, line.p, line.n);
    if (line.n == 0 || line.p[line.n - 1] != '\n')
        sl_bytes_append(&socket->output, "\n", 1);
}

/* By way of JSON, in which mappers and keys are defined. */
static void
map_record_frame(OrchestratorRelay *relay, RelaySocket *socket, gint stream, const SlFrame *frame)
{
    RelayStream *made = &relay->streams[stream];
    g_autoptr(GError) error = NULL;
    SlSpan data;
    relay->json.len = relay->values.len = 0;
    if (!sl_frame_schema_decode(made->from, frame, &relay->json, &error)) {
        break_source(relay, socket, error->message);
        return;
    }
    SlSpan json = {relay->json.p, relay->json.len};
    if (!has_key(relay, &relay->options.catalog->streams[stream], json) ||
        !map_record(relay, stream, json, frame->partition, &data))
        return;
    if (!sl_frame_schema_encode(made->to, data, &relay->values, NULL, &error)) {
        break_source(relay, socket, error->message);
        return;
    }
    sl_frame_append_record(&socket->output, (SlSpan){made->names.p, made->names.len},
                           frame->emitted_at, frame->partition,
                           (SlSpan){relay->values.p, relay->values.len}, frame->meta);
}

static void
take_record_frame(OrchestratorRelay *relay, RelaySocket *socket, const SlFrame *frame, SlSpan whole)
{
    SlMessage names = {.stream = frame->stream, .ns = frame->ns};
    gint stream = find_names(relay, &names);
    if (stream < 0)
        return;
    const RelayStream *made = &relay->streams[stream];
    const SlCatalogStream *known = &relay->options.catalog->streams[stream];
    if (frame->n_values > sl_frame_schema_n_columns(made->from)) {
        break_source(relay, socket,
                     "a record with more values than its stream's schema has columns");
        return;
    }
    if (!made->straight || (known->key != NULL && made->key == NULL)) {
        map_record_frame(relay, socket, stream, frame);
        return;
    }
    if (made->key != NULL && !note_key(relay, known, frame_has_key(made, frame)))
        return;
    count(relay, stream, frame->partition, frame->value_bytes, TRUE);
    if (known->renamed)
        sl_frame_append_renamed(&socket->output, (SlSpan){made->names.p, made->names.len}, frame);
    else
        sl_bytes_append(&socket->output, whole.p, whole.n);
}

/* --- states -------------------------------------------------------------------------------- */

/* The books as if exactly what this state covers had come since the last one. */
static void
set_books(OrchestratorRelay *relay, const SlChannelState *due)
{
    for (guint i = 0; i < relay->options.catalog->n_streams; i++) {
        const SlChannelCount *counted = &due->counts[i];
        SlCount *covered = &relay->streams[i].covered;
        SlStreamBooks *books = &relay->books[i];
        covered->records += counted->records - counted->filtered;
        covered->bytes += counted->bytes - counted->filtered_bytes;
        SlCount passed = sl_ledger_passed(books);
        books->since_state = counted->records;
        books->filtered_since_state = counted->filtered;
        books->ahead = (SlCount){passed.records - covered->records, passed.bytes - covered->bytes};
    }
}

static void
pass_state(OrchestratorRelay *relay, RelaySocket *socket, const SlChannelState *due)
{
    g_autoptr(GError) error = NULL;
    SlMessage message;
    sl_json_scan(relay->scanner, due->line, due->len, &message);
    set_books(relay, due);
    g_string_truncate(relay->line, 0);
    if (!sl_ledger_add_state(relay->options.ledger, due->line, due->len, message.payload,
                             relay->line, &error)) {
        orchestrator_relay_fail(relay, ORCHESTRATOR_RELAY_BROKEN, "%s", error->message);
        return;
    }
    if (relay->line->len == 0)
        return;
    if (relay->options.channel.frames)
        sl_frame_append_message(&socket->output, relay->line->str, relay->line->len - 1);
    else
        sl_bytes_append(&socket->output, relay->line->str, relay->line->len);
}

static void
pass_states(OrchestratorRelay *relay, RelaySocket *socket)
{
    g_autoptr(GError) error = NULL;
    while (relay->fault == ORCHESTRATOR_RELAY_FINE || relay->fault == ORCHESTRATOR_RELAY_CUT) {
        g_autoptr(SlChannelState) due = sl_channel_books_take(relay->channel, &error);
        if (due == NULL)
            break;
        pass_state(relay, socket, due);
    }
    if (error != NULL)
        orchestrator_relay_fail(relay, ORCHESTRATOR_RELAY_BROKEN, "the source sent %s",
                                error->message);
}

/* --- messages ------------------------------------------------------------------------------ */

static void
take_line(OrchestratorRelay *relay, RelaySocket *socket, SlSpan line)
{
    SlMessage message;
    g_autoptr(GError) error = NULL;
    gsize text = line.n;
    while (text > 0 && (line.p[text - 1] == '\n' || line.p[text - 1] == '\r'))
        text--;
    if (text == 0)
        return; /* a probe: is anybody there? */
    sl_json_scan(relay->scanner, line.p, line.n, &message);
    if (message.type == SL_MESSAGE_RECORD && relay->options.channel.frames)
        break_source(relay, socket, "a record as text");
    else if (message.type == SL_MESSAGE_RECORD)
        take_record_line(relay, socket, &message, line);
    else if (message.type == SL_MESSAGE_STATE &&
             !sl_channel_books_add(relay->channel, message.payload, (SlSpan){line.p, text}, &error))
        break_source(relay, socket, error->message);
    else if (message.type == SL_MESSAGE_NONE && message.looks_like_record)
        break_source(relay, socket, "a broken record");
    else if (message.type != SL_MESSAGE_STATE)
        relay->funcs.message(&message, line.p, line.n, relay->data);
}

/* A line of ours stays one line; between tokens only, or it is no JSON. */
static void
make_one_line(char *p, gsize n)
{
    for (char *end = p + n; (p = memchr(p, '\n', (gsize)(end - p))) != NULL;)
        *p++ = ' ';
}

static void
take_frame(OrchestratorRelay *relay, RelaySocket *socket, SlSpan body, SlSpan whole)
{
    g_autoptr(GError) error = NULL;
    SlFrame frame;
    if (!sl_frame_parse(body, &frame, &error)) {
        break_source(relay, socket, error->message);
    } else if (frame.type == SL_FRAME_RECORD) {
        take_record_frame(relay, socket, &frame, whole);
    } else if (frame.type == SL_FRAME_MESSAGE) {
        make_one_line(socket->input.data + (frame.message.p - socket->input.data), frame.message.n);
        take_line(relay, socket, frame.message);
    }
}

static gboolean
next_frame(OrchestratorRelay *relay, RelaySocket *socket)
{
    OrchestratorLines *input = &socket->input;
    const char *p = input->data + input->start;
    SlSpan body;
    gsize n = orchestrator_lines_rest(input);
    SlSplit split = n == 0 ? SL_SPLIT_MORE : sl_frame_split(p, n, &body);
    if (split == SL_SPLIT_BROKEN)
        break_source(relay, socket, "a message without a valid length");
    if (split == SL_SPLIT_MORE && n > 0 && body.n > input->max_line)
        orchestrator_relay_fail(relay, ORCHESTRATOR_RELAY_BROKEN,
                                "the source announced a message of %" G_GSIZE_FORMAT
                                " bytes; see MaxLine= in sluice.conf",
                                body.n);
    if (split != SL_SPLIT_WHOLE)
        return FALSE;
    input->start = input->searched = (gsize)(body.p + body.n - input->data);
    socket->n_messages++;
    take_frame(relay, socket, body, (SlSpan){p, (gsize)(body.p + body.n - p)});
    return TRUE;
}

/* A last line without its newline is left: it is cut. */
static gboolean
next_line(OrchestratorRelay *relay, RelaySocket *socket)
{
    const char *line;
    gsize len, start = socket->input.start, searched = socket->input.searched;
    if (!orchestrator_lines_next(&socket->input, &line, &len))
        return FALSE;
    if (line[len - 1] != '\n') {
        socket->input.start = start;
        socket->input.searched = searched;
        return FALSE;
    }
    socket->n_messages++;
    take_line(relay, socket, (SlSpan){line, len});
    return TRUE;
}

void
orchestrator_relay_take_messages(OrchestratorRelay *relay, RelaySocket *socket)
{
    gboolean more = TRUE;
    while (more && orchestrator_relay_is_reading(relay))
        more = relay->options.channel.frames ? next_frame(relay, socket) : next_line(relay, socket);
    pass_states(relay, socket);
}
