/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator-pump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "orchestrator-lines.h"
#include "orchestrator-output.h"
#include "orchestrator-rest.h"
#include "sl-error.h"
#include "sl-rename.h"

/* When a read brings less than this, the source is slower than we are: waiting a moment before the
 * next read spares both sides a wake-up per message. How long, the last naps tell: so long that one
 * brings a good part of the pipe, and never fills it. */
#define SHORT_READ (128 * 1024)
#define NAP_NSEC 50000 /* the shortest: the kernel's own slack is as long (prctl(2)) */
#define NAP_MAX_NSEC (100 * NAP_NSEC)
#define NAP_LITTLE (192 * 1024)
#define NAP_MUCH (384 * 1024)
#define SHORT_USEC 1000 /* a rest of the destination's that is sat out here and now … */
#define SHORT_RESTS 8   /* … but others want their turn as well */
/* So many reads are not looks after one that was not worth it. */
#define LOOK_PAUSE 32
#define LOST_TEXT "somebody else reads the source's standard output"
#define NAP_PIPE (512 * 1024) /* with smaller pipes the nap would starve the source */

#define N_KNOWN 32 /* twice what the scanner holds */

typedef struct {
    guint32 header; /* of SlMessage; 0: none */
    gint stream;
} Known;

struct OrchestratorPump {
    const SlCatalog *catalog;
    SlLedger *ledger;
    SlStreamBooks *books;
    SlStreamTable *streams;
    SlJsonScanner *scanner;
    OrchestratorPumpFuncs funcs;
    gpointer data;
    OrchestratorLines lines;
    OrchestratorOutput output;
    Known known[N_KNOWN];
    GString *mapped;   /* data of the record in hand, as its mappers made it */
    GString *appended; /* lines of _append() that wait for the output */
    GSource *source;
    gpointer in_tag, out_tag;
    GIOCondition out_wish; /* what out_tag waits for; its errors are told in any case */
    int in, out;
    gboolean reading;    /* the source's end has not come */
    gboolean broken;     /* … because it broke the protocol */
    gboolean unmappable; /* … or sent what a mapper cannot take */
    gboolean eof_told, closed, flush_due;
    gboolean alive;    /* the source has sent something else than chatter */
    glong nap;         /* nanoseconds; 0: never */
    gboolean may_look; /* some streams pass as they are, and none has a mapper */
    gsize last_bytes;  /* of the last read */
    gsize look_from;   /* so many make it a look */
    guint look_pause;  /* reads until looking is tried again */
    gint64 waiting_since, blocked_since;
    OrchestratorRest rest;
    char *fault;
    OrchestratorRelay *relay; /* NULL: records come from `in` and go to `out` */
    gsize max_line;
};

/* --- lines ----------------------------------------------------------------- */

static void G_GNUC_PRINTF(2, 3) break_source(OrchestratorPump *pump, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_free(pump->fault);
    pump->fault = g_strdup_vprintf(format, args);
    va_end(args);
    pump->broken = TRUE;
    pump->reading = FALSE;
}

/* The record's data under selection and mappers: in *ret, NULL when they stay as they are. FALSE:
 * it does not pass, or not at all. */
static gboolean
map_record(OrchestratorPump *pump, gint stream, const SlMessage *message, const GString **ret)
{
    g_autoptr(GError) error = NULL;
    gsize selected = 0;
    *ret = NULL;
    g_string_truncate(pump->mapped, 0);
    SlMapped mapped = sl_mapper_apply(pump->catalog->streams[stream].mapper, message->data,
                                      pump->mapped, &selected, &error);
    if (mapped == SL_MAPPED_FAILED) {
        pump->unmappable = error->code != SL_ERROR_PROTOCOL;
        break_source(pump, "%s", error->message);
        return FALSE;
    }
    sl_ledger_count_record(pump->books, stream, selected);
    if (mapped == SL_MAPPED_CHANGED)
        *ret = pump->mapped;
    if (mapped == SL_MAPPED_FILTERED)
        sl_ledger_count_filtered(pump->books, stream, selected);
    return mapped != SL_MAPPED_FILTERED;
}

/* The record's stream; the scanner knows most names by the number of their header. */
static inline gint
find_stream(OrchestratorPump *pump, const SlMessage *message)
{
    Known *known = &pump->known[message->header % N_KNOWN];
    if (message->header != 0 && known->header == message->header)
        return known->stream;
    gint stream = sl_stream_table_find(pump->streams, message->ns, message->ns_escaped,
                                       message->stream, message->stream_escaped);
    if (message->header != 0)
        *known = (Known){message->header, stream};
    return stream;
}

static void
take_record(OrchestratorPump *pump, const SlMessage *message, const char *line, gsize len)
{
    gint stream = find_stream(pump, message);
    if (stream < 0) {
        break_source(pump,
                     "the source sent a record of stream '%.*s'%s%.*s%s, which is not in the "
                     "catalog",
                     (int)MIN(message->stream.n, 200), message->stream.p,
                     message->ns.n > 0 ? " (namespace '" : "", (int)MIN(message->ns.n, 200),
                     message->ns.n > 0 ? message->ns.p : "", message->ns.n > 0 ? "')" : "");
        return;
    }
    const SlCatalogStream *known = &pump->catalog->streams[stream];
    const GString *data = NULL;
    if (known->key != NULL && !sl_stream_key_check(known->key, message->data)) {
        break_source(pump,
                     "the source sent a record of stream '%s' in which the primary key (%s) is "
                     "missing, by which it is to be deduplicated",
                     known->name, sl_stream_key_title(known->key));
        return;
    }
    if (known->mapper == NULL)
        sl_ledger_count_record(pump->books, stream, message->data.n);
    else if (!map_record(pump, stream, message, &data))
        return;
    gsize from = pump->output.ours->len;
    if (known->renamed || data != NULL)
        sl_rename_record(known, message, data, line, len, pump->output.ours);
    else if (line[len - 1] == '\n')
        orchestrator_output_add(&pump->output, FALSE, (gsize)(line - pump->lines.data), len);
    else
        g_string_append_len(pump->output.ours, line, (gssize)len);
    if (pump->output.ours->len == from)
        return;
    if (pump->output.ours->str[pump->output.ours->len - 1] != '\n')
        g_string_append_c(pump->output.ours, '\n');
    orchestrator_output_add(&pump->output, TRUE, from, pump->output.ours->len - from);
}

static void
take_state(OrchestratorPump *pump, const SlMessage *message, const char *line, gsize len)
{
    g_autoptr(GError) error = NULL;
    gsize from = pump->output.ours->len;
    if (!sl_ledger_add_state(pump->ledger, line, len, message->payload, pump->output.ours, &error))
        break_source(pump, "%s", error->message);
    else if (pump->output.ours->len > from)
        orchestrator_output_add(&pump->output, TRUE, from, pump->output.ours->len - from);
}

static void
take_lines(OrchestratorPump *pump)
{
    SlMessage message;
    const char *line;
    gsize len;
    while (!pump->broken &&
           orchestrator_lines_scan(&pump->lines, pump->scanner, &line, &len, &message)) {
        pump->alive |= message.type != SL_MESSAGE_LOG && message.type != SL_MESSAGE_NONE;
        if (pump->relay != NULL && message.type == SL_MESSAGE_RECORD)
            break_source(pump, "the source sent a record on its standard output, although it was "
                               "given sockets for that");
        else if (message.type == SL_MESSAGE_RECORD)
            take_record(pump, &message, line, len);
        else if (message.type == SL_MESSAGE_STATE && pump->relay == NULL)
            take_state(pump, &message, line, len); /* else it is told twice: the socket's counts */
        else if (message.type == SL_MESSAGE_NONE && message.looks_like_record &&
                 line[len - 1] == '\n')
            break_source(pump, "the source sent a broken record: %.*s", (int)MIN(len, 300), line);
        else
            pump->funcs.message(&message, line, len, pump->data);
    }
}

/* The name of the stream in the beginning of a line that is too long to be read. */
static char *
guess_stream(const OrchestratorPump *pump)
{
    static const char key[] = "\"stream\":\"";
    const char *head = pump->lines.data + pump->lines.start;
    gsize len = MIN(orchestrator_lines_rest(&pump->lines), 65536);
    const char *found = memmem(head, len, key, sizeof key - 1);
    if (found == NULL)
        return g_strdup("unknown");
    found += sizeof key - 1;
    const char *end = memchr(found, '"', len - (gsize)(found - head));
    return end != NULL ? g_strndup(found, MIN((gsize)(end - found), 200)) : g_strdup("unknown");
}

/* --- writing --------------------------------------------------------------- */

static gboolean
has_output(const OrchestratorPump *pump)
{
    return orchestrator_output_waits(&pump->output);
}

/* Everything is written: lines that were appended meanwhile follow. */
static gboolean
next_output(OrchestratorPump *pump)
{
    orchestrator_output_drop(&pump->output);
    if (pump->appended->len == 0)
        return FALSE;
    g_string_append_len(pump->output.ours, pump->appended->str, (gssize)pump->appended->len);
    g_string_truncate(pump->appended, 0);
    orchestrator_output_add(&pump->output, TRUE, 0, pump->output.ours->len);
    return TRUE;
}

/* What was looked at and goes nowhere leaves the source's pipe, or it would seem readable. */
static void
settle(OrchestratorPump *pump)
{
    if (!orchestrator_lines_take(&pump->lines, pump->lines.unread))
        break_source(pump, LOST_TEXT);
    pump->lines.unread = 0;
}

/* Writes what the pipe takes. */
static void
write_some(OrchestratorPump *pump)
{
    if (pump->rest.until != 0)
        return;
    while (!pump->closed && (has_output(pump) || next_output(pump))) {
        gsize n;
        switch (orchestrator_output_write(&pump->output, &pump->lines, pump->out, &n)) {
        case ORCHESTRATOR_OUTPUT_SOME:
            pump->rest.taken += n;
            pump->blocked_since = 0;
            break;
        case ORCHESTRATOR_OUTPUT_FULL:
            if (pump->blocked_since == 0)
                pump->blocked_since = g_get_monotonic_time();
            orchestrator_rest_begin(&pump->rest, g_get_monotonic_time());
            return;
        case ORCHESTRATOR_OUTPUT_CLOSED:
            pump->closed = TRUE;
            break;
        case ORCHESTRATOR_OUTPUT_GONE:
            break_source(pump, LOST_TEXT);
            pump->lines.unread = 0;
            orchestrator_output_drop(&pump->output);
            break;
        }
    }
    if (pump->closed)
        orchestrator_output_drop(&pump->output);
    if (pump->lines.unread > 0)
        settle(pump);
    pump->blocked_since = 0;
}

/* --- reading --------------------------------------------------------------- */

static void
nap(const OrchestratorPump *pump)
{
    const struct timespec wait = {0, pump->nap};
    ppoll(NULL, 0, &wait, NULL);
}

/* Looking costs a copy less than reading, but only pays for many bytes at once that stay as they
 * are; and a destination's pipe that is filled with crumbs of pages holds little. */
static OrchestratorLinesResult
fill(OrchestratorPump *pump, gsize *ret_bytes)
{
    if (!pump->may_look || pump->last_bytes < pump->look_from || pump->look_pause > 0 ||
        !orchestrator_lines_enable_look(&pump->lines)) {
        pump->look_pause -= pump->look_pause > 0;
        return orchestrator_lines_fill(&pump->lines, ret_bytes);
    }
    return orchestrator_lines_look(&pump->lines, ret_bytes);
}

static void
read_some(OrchestratorPump *pump)
{
    gsize n, more = 0;
    OrchestratorLinesResult result = fill(pump, &n);
    pump->last_bytes = n;
    if (result == ORCHESTRATOR_LINES_MORE && pump->nap > 0 && n < SHORT_READ &&
        pump->lines.end < pump->lines.size) {
        nap(pump);
        OrchestratorLinesResult second = orchestrator_lines_fill_more(&pump->lines, &more);
        if (second == ORCHESTRATOR_LINES_EOF)
            result = ORCHESTRATOR_LINES_EOF;
        if (n + more < NAP_LITTLE)
            pump->nap = MIN(pump->nap * 2, NAP_MAX_NSEC);
        else if (n + more > NAP_MUCH)
            pump->nap = MAX(pump->nap / 2, NAP_NSEC);
    }
    if (result == ORCHESTRATOR_LINES_TOO_LONG) {
        g_autofree char *stream = guess_stream(pump);
        break_source(pump,
                     "the source sent a line of more than %" G_GSIZE_FORMAT
                     " bytes (stream '%s'); see MaxLine= in sluice.conf",
                     pump->lines.max_line, stream);
        return;
    }
    if (result == ORCHESTRATOR_LINES_ERROR) {
        break_source(pump, "reading from the source: %s", g_strerror(errno));
        return;
    }
    gsize held = orchestrator_lines_rest(&pump->lines);
    pump->alive = FALSE;
    take_lines(pump);
    if (pump->lines.unread > 0 && !orchestrator_output_is_plain(&pump->output, n)) {
        pump->look_pause = LOOK_PAUSE;
        settle(pump);
    }
    /* A line that is still growing is a sign of life as well. */
    if (pump->alive || (n + more > 0 && held == orchestrator_lines_rest(&pump->lines)))
        pump->waiting_since = g_get_monotonic_time();
    if (result != ORCHESTRATOR_LINES_EOF)
        return;
    pump->reading = FALSE;
    if (pump->relay != NULL)
        orchestrator_relay_source_ended(pump->relay);
}

/* --- turns of the main loop ------------------------------------------------ */

/* How the relay stands, as if it were this pump. */
static void
look_at_relay(OrchestratorPump *pump)
{
    const char *text;
    OrchestratorRelayFault fault = orchestrator_relay_get_fault(pump->relay, &text);
    if (orchestrator_relay_is_closed(pump->relay) && !pump->eof_told)
        pump->closed = pump->reading = TRUE;
    if (fault == ORCHESTRATOR_RELAY_FINE || pump->fault != NULL)
        return;
    if (fault != ORCHESTRATOR_RELAY_CUT) {
        pump->unmappable = fault == ORCHESTRATOR_RELAY_UNMAPPABLE;
        break_source(pump, "%s", text);
    } else if (!orchestrator_relay_is_reading(pump->relay)) {
        pump->fault = g_strdup(text);
    }
}

/* Is something of the source on its way still? */
static gboolean
is_busy(const OrchestratorPump *pump)
{
    if (has_output(pump) || pump->reading)
        return TRUE;
    return pump->relay != NULL && !pump->closed &&
           (orchestrator_relay_is_reading(pump->relay) ||
            orchestrator_relay_has_output(pump->relay));
}

/* Tells what is to be told once there is nothing left to write. May free nothing: the funcs only
 * note and signal. */
static void
tell(OrchestratorPump *pump)
{
    if (pump->relay != NULL)
        look_at_relay(pump);
    if (pump->relay != NULL && pump->broken)
        orchestrator_relay_stop(pump->relay);
    if (pump->closed && pump->reading) {
        pump->reading = FALSE;
        pump->eof_told = TRUE;
        pump->funcs.event(ORCHESTRATOR_PUMP_SINK_CLOSED, NULL, pump->data);
        return;
    }
    if (is_busy(pump))
        return;
    if (!pump->eof_told) {
        pump->eof_told = TRUE;
        pump->funcs.event(pump->unmappable ? ORCHESTRATOR_PUMP_UNMAPPABLE
                          : pump->broken   ? ORCHESTRATOR_PUMP_SOURCE_BROKEN
                                           : ORCHESTRATOR_PUMP_SOURCE_EOF,
                          pump->fault, pump->data);
    }
    if (pump->flush_due && !has_output(pump) &&
        (pump->relay == NULL || orchestrator_relay_is_flushed(pump->relay))) {
        pump->flush_due = FALSE;
        pump->funcs.event(pump->closed ? ORCHESTRATOR_PUMP_SINK_CLOSED : ORCHESTRATOR_PUMP_FLUSHED,
                          NULL, pump->data);
    }
}

/* What to wait for now. The source's pipe is not polled at all while it is not its turn: its
 * hang-up would be reported over and over. */
static void
set_wishes(OrchestratorPump *pump)
{
    gboolean output = has_output(pump), read = pump->reading && !output;
    if (read && pump->in_tag == NULL)
        pump->in_tag = g_source_add_unix_fd(pump->source, pump->in, G_IO_IN);
    if (!read && pump->in_tag != NULL) {
        g_source_remove_unix_fd(pump->source, pump->in_tag);
        pump->in_tag = NULL;
    }
    if (pump->out_tag != NULL && pump->closed) {
        g_source_remove_unix_fd(pump->source, pump->out_tag);
        pump->out_tag = NULL;
    }
    GIOCondition wish = output && pump->rest.until == 0 ? G_IO_OUT : 0;
    if (pump->out_tag != NULL && wish != pump->out_wish)
        g_source_modify_unix_fd(pump->source, pump->out_tag, wish);
    pump->out_wish = wish;
    if (pump->rest.until != 0)
        g_source_set_ready_time(pump->source, pump->rest.until);
    if (!read)
        pump->waiting_since = 0;
    else if (pump->waiting_since == 0)
        pump->waiting_since = g_get_monotonic_time();
}

/* GLib waits in whole milliseconds: in one of them a quick destination takes all that its pipe
 * holds, and finds nothing. */
static void
sit_out_short_rests(OrchestratorPump *pump)
{
    for (guint i = 0; i < SHORT_RESTS && pump->rest.until != 0; i++) {
        gint64 left = pump->rest.until - g_get_monotonic_time();
        const struct timespec wait = {0, MAX(left, 0) * 1000};
        if (left >= SHORT_USEC)
            return;
        ppoll(NULL, 0, &wait, NULL);
        if (orchestrator_rest_is_over(&pump->rest, g_get_monotonic_time()))
            write_some(pump);
    }
}

static gboolean
pump_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    OrchestratorPump *pump = *(OrchestratorPump **)(source + 1);
    GIOCondition in = 0, out = 0;
    g_source_set_ready_time(source, -1);
    if (pump->in_tag != NULL)
        in = g_source_query_unix_fd(source, pump->in_tag);
    if (pump->out_tag != NULL)
        out = g_source_query_unix_fd(source, pump->out_tag);
    if (out & (G_IO_ERR | G_IO_HUP | G_IO_NVAL))
        pump->closed = TRUE;
    gint64 now = g_get_monotonic_time();
    if (pump->closed)
        pump->rest.until = 0;
    if (pump->closed || orchestrator_rest_is_over(&pump->rest, now) ||
        (out != 0 && pump->rest.until == 0 && orchestrator_rest_wake(&pump->rest, now)))
        write_some(pump);
    if (in != 0 && pump->reading && !pump->closed && !has_output(pump)) {
        read_some(pump);
        write_some(pump);
    }
    sit_out_short_rests(pump);
    set_wishes(pump);
    tell(pump);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs pump_source_funcs = {.dispatch = pump_dispatch};

OrchestratorPump *
orchestrator_pump_new(const SlCatalog *catalog, SlLedger *ledger, gsize max_line,
                      const OrchestratorPumpFuncs *funcs, gpointer data)
{
    OrchestratorPump *pump = g_new0(OrchestratorPump, 1);
    pump->catalog = catalog;
    pump->ledger = ledger;
    pump->books = sl_ledger_books(ledger);
    pump->streams = sl_stream_table_new(catalog, SL_NAMES_OF_SOURCE);
    pump->scanner = sl_json_scanner_new();
    pump->funcs = *funcs;
    pump->data = data;
    orchestrator_output_init(&pump->output);
    pump->mapped = g_string_new(NULL);
    pump->appended = g_string_new(NULL);
    pump->in = pump->out = -1;
    pump->max_line = max_line;
    orchestrator_lines_init(&pump->lines, -1, max_line);
    return pump;
}

static void
on_relay(gpointer data)
{
    OrchestratorPump *pump = data;
    tell(pump);
    if (pump->source != NULL)
        set_wishes(pump);
}

static void
on_relay_message(const SlMessage *message, const char *line, gsize len, gpointer data)
{
    OrchestratorPump *pump = data;
    pump->funcs.message(message, line, len, pump->data);
}

gboolean
orchestrator_pump_use_sockets(OrchestratorPump *pump, const OrchestratorChannel *channel,
                              char **const paths[2], char *const catalogs[2], GError **error)
{
    static const OrchestratorRelayFuncs funcs = {on_relay, on_relay_message};
    OrchestratorRelayOptions options = {
        .catalog = pump->catalog,
        .ledger = pump->ledger,
        .streams = pump->streams,
        .channel = *channel,
        .source_paths = paths[ORCHESTRATOR_SOURCE],
        .destination_paths = paths[ORCHESTRATOR_DESTINATION],
        .source_catalog = catalogs[ORCHESTRATOR_SOURCE],
        .destination_catalog = catalogs[ORCHESTRATOR_DESTINATION],
        .max_message = pump->max_line,
    };
    pump->relay = orchestrator_relay_new(&options, &funcs, pump, error);
    return pump->relay != NULL;
}

void
orchestrator_pump_source_started(OrchestratorPump *pump)
{
    if (pump->relay != NULL)
        orchestrator_relay_start(pump->relay);
}

void
orchestrator_pump_free(OrchestratorPump *pump)
{
    if (pump == NULL)
        return;
    if (pump->source != NULL) {
        g_source_destroy(pump->source);
        g_source_unref(pump->source);
    }
    orchestrator_relay_free(pump->relay);
    orchestrator_lines_clear(&pump->lines);
    sl_stream_table_free(pump->streams);
    sl_json_scanner_free(pump->scanner);
    orchestrator_output_clear(&pump->output);
    g_string_free(pump->mapped, TRUE);
    g_string_free(pump->appended, TRUE);
    g_free(pump->fault);
    g_free(pump);
}

/* A source could change pages after they were looked at: what a mapper must see is copied first. */
static gboolean
passes_plain(const SlCatalog *catalog)
{
    gboolean plain = FALSE;
    for (guint i = 0; i < catalog->n_streams; i++) {
        if (catalog->streams[i].mapper != NULL)
            return FALSE;
        plain |= !catalog->streams[i].renamed;
    }
    return plain;
}

void
orchestrator_pump_start(OrchestratorPump *pump, int source_fd, int sink_fd)
{
    pump->in = pump->lines.fd = source_fd;
    pump->out = sink_fd;
    pump->reading = source_fd >= 0;
    pump->eof_told = !pump->reading;
    pump->may_look = source_fd >= 0 && sink_fd >= 0 && passes_plain(pump->catalog);
    pump->look_from = g_getenv("SLUICE_LOOK") != NULL ? 0 : SHORT_READ; /* for tests: always */
    /* Not while records come over sockets: the relay would sleep as well. */
    pump->nap = pump->relay == NULL && source_fd >= 0 && fcntl(source_fd, F_GETPIPE_SZ) >= NAP_PIPE
                    ? NAP_NSEC
                    : 0;
    pump->rest.may = sink_fd >= 0 && fcntl(sink_fd, F_GETPIPE_SZ) >= NAP_PIPE;
    pump->source = g_source_new(&pump_source_funcs, sizeof(GSource) + sizeof(OrchestratorPump *));
    *(OrchestratorPump **)(pump->source + 1) = pump;
    if (sink_fd >= 0)
        pump->out_tag = g_source_add_unix_fd(pump->source, sink_fd, 0);
    /* Nothing runs the loop inside of a turn. GLib takes the descriptors of other sources out of
     * the poll while they are dispatched, and wakes itself each time. */
    g_source_set_can_recurse(pump->source, TRUE);
    g_source_attach(pump->source, NULL);
    set_wishes(pump);
}

void
orchestrator_pump_stop_source(OrchestratorPump *pump)
{
    pump->reading = FALSE;
    pump->eof_told = TRUE;
    if (pump->relay != NULL)
        orchestrator_relay_stop(pump->relay);
    if (pump->source != NULL)
        set_wishes(pump);
}

void
orchestrator_pump_detach_sink(OrchestratorPump *pump)
{
    pump->closed = TRUE;
    pump->reading = FALSE;
    pump->eof_told = TRUE;
    if (pump->relay != NULL)
        orchestrator_relay_detach(pump->relay);
    orchestrator_output_drop(&pump->output);
    if (pump->source != NULL)
        set_wishes(pump);
}

void
orchestrator_pump_close_sockets(OrchestratorPump *pump)
{
    if (pump->relay != NULL)
        orchestrator_relay_close(pump->relay);
}

void
orchestrator_pump_append(OrchestratorPump *pump, const char *line, gsize len)
{
    pump->flush_due = TRUE;
    if (pump->relay != NULL)
        orchestrator_relay_append(pump->relay, line, len);
    else if (!pump->closed)
        g_string_append_len(pump->appended, line, (gssize)len);
    write_some(pump);
    set_wishes(pump);
    if (!has_output(pump))
        g_source_set_ready_time(pump->source, 0); /* FLUSHED is told from the loop */
}

void
orchestrator_pump_get_times(const OrchestratorPump *pump, gint64 *ret_waiting_since,
                            gint64 *ret_blocked_since)
{
    *ret_waiting_since = pump->waiting_since;
    *ret_blocked_since = pump->blocked_since;
    if (pump->relay == NULL)
        return;
    orchestrator_relay_get_times(pump->relay, ret_waiting_since, ret_blocked_since);
    if (*ret_waiting_since != 0) /* it may say something on its stdout as well */
        *ret_waiting_since = MAX(*ret_waiting_since, pump->waiting_since);
}

SlStreamTable *
orchestrator_pump_get_streams(OrchestratorPump *pump)
{
    return pump->streams;
}
