/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator-sync.h"

#include <glib-unix.h>
#include <signal.h>
#include <string.h>

#include "orchestrator-reset.h"
#include "sl-error.h"

#define TICK_MS 1000
#define KILL_MS 3000                    /* a killed destination is gone by then, or will not go */
#define STOP_USEC (10 * G_USEC_PER_SEC) /* from SIGTERM to SIGKILL */
/* A destination that acknowledges fast is not listened to word by word: each would cost a switch.
 */
#define ACK_REST_MS 5
#define ACK_REST_BYTES 65536 /* one that says so much is kept waiting by us */
/* The same of a cancelled sync, which is over 15 s after it was asked for: one beat, CANCEL_USEC,
 * this. */
#define CANCEL_STOP_USEC (5 * G_USEC_PER_SEC)

static void
begin_stopping(OrchestratorSync *sync)
{
    sync->stopping = TRUE;
    sync->stopping_at = g_get_monotonic_time();
}

/* --- the end --------------------------------------------------------------- */

static void
conclude(OrchestratorSync *sync)
{
    Orchestrator *o = sync->o;
    guint open = sl_ledger_open_states(sync->ledger);
    if (sync->cancelled)
        o->outcome = ORCHESTRATOR_CANCELLED;
    else
        o->outcome = sync->failed ? ORCHESTRATOR_FAILED : ORCHESTRATOR_SUCCEEDED;
    if (o->outcome == ORCHESTRATOR_SUCCEEDED) {
        sl_ledger_complete(sync->ledger);
        if (open > 0)
            orchestrator_log_say(o->log, SL_JOB_LOG_WARN,
                                 "the destination has never acknowledged the last %u states: the "
                                 "next sync begins before them",
                                 open);
    }
    if (o->outcome != ORCHESTRATOR_SUCCEEDED)
        sl_ledger_abandon(sync->ledger, sync->cancelled);
    sync->concluded = TRUE;
    if (!orchestrator_committer_is_busy(sync->committer)) /* else in on_committed() */
        g_main_loop_quit(o->loop);
}

/* Nothing more comes from the destination, and its end is known. */
static void
check_destination_done(OrchestratorSync *sync)
{
    OrchestratorSide *side = &sync->sides[ORCHESTRATOR_DESTINATION];
    if (side->ended_at == 0 || side->eof_at == 0 || sync->concluded ||
        sync->o->outcome != ORCHESTRATOR_RUNNING)
        return;
    if (!orchestrator_connector_is_clean(side->connector)) {
        if (!side->failed && !sync->cancelled)
            orchestrator_fail_end(sync->o, side->connector);
        sync->failed = TRUE;
    } else if (!sync->sink_closed && !side->failed) {
        orchestrator_fail(sync->o, SL_ORIGIN_DESTINATION, SL_FAILURE_SYSTEM, NULL,
                          "the destination ended before it had been given all records");
        sync->failed = TRUE;
    }
    conclude(sync);
}

void
orchestrator_sync_end_side(OrchestratorSync *sync, OrchestratorRole role)
{
    OrchestratorSide *side = &sync->sides[role];
    if (side->connector == NULL || side->ended_at != 0 || side->kill_at != 0)
        return;
    orchestrator_connector_signal(side->connector, SIGTERM);
    side->kill_at = g_get_monotonic_time() + (sync->cancelled ? CANCEL_STOP_USEC : STOP_USEC);
}

/* --- the source's end ------------------------------------------------------ */

/* Tells the destination which streams are complete: those that the source said so of, or all, when
 * it never speaks of status; and gives those a state that sent none. */
static void
append_complete(OrchestratorSync *sync)
{
    g_autoptr(GString) out = g_string_new(NULL), states = g_string_new(NULL);
    gint64 now = g_get_real_time() / G_TIME_SPAN_MILLISECOND;
    const SlStreamBooks *books = sl_ledger_books(sync->ledger);
    for (guint i = 0; i < sync->catalog->n_streams; i++) {
        const SlCatalogStream *stream = &sync->catalog->streams[i];
        if (sl_ledger_any_status(sync->ledger) && books[i].status != SL_STREAM_COMPLETE) {
            g_autofree char *title = sl_catalog_stream_title(stream);
            orchestrator_log_say(sync->o->log, SL_JOB_LOG_WARN,
                                 "the source has not reported stream '%s' as complete", title);
            continue;
        }
        if (!sync->channel.sockets) /* there nobody could say which records it covers */
            sl_ledger_add_missing_state(sync->ledger, i, states);
        sl_trace_append_status(out, stream->to_name_json, stream->to_ns_json, SL_STREAM_COMPLETE,
                               now);
        g_string_append_c(out, '\n');
    }
    if (!sync->o->input->supports_refreshes)
        g_string_truncate(out, 0); /* it knows no status */
    g_string_prepend(out, states->str);
    orchestrator_pump_append(sync->pump, out->str, out->len);
}

/* Nothing more comes from the source: what there is is delivered, then the destination's stdin is
 * closed (PUMP_FLUSHED). */
static void
finish_source(OrchestratorSync *sync)
{
    if (sync->source_done)
        return;
    sync->source_done = TRUE;
    orchestrator_pump_stop_source(sync->pump);
    if (sync->source_ok)
        append_complete(sync);
    else
        orchestrator_pump_append(sync->pump, "", 0);
}

static void
check_source_done(OrchestratorSync *sync)
{
    OrchestratorSide *side = &sync->sides[ORCHESTRATOR_SOURCE];
    if (sync->source_done || side->ended_at == 0 || side->eof_at == 0)
        return;
    if (!side->failed && !sync->stopping) {
        if (!orchestrator_connector_is_clean(side->connector)) {
            orchestrator_fail_end(sync->o, side->connector);
            side->failed = sync->failed = TRUE;
        } else if (sync->source_lack != NULL) {
            orchestrator_fail(sync->o, SL_ORIGIN_SOURCE, SL_FAILURE_SYSTEM, NULL, "%s",
                              sync->source_lack);
            side->failed = sync->failed = TRUE;
        } else if (sync->source_cut) {
            orchestrator_fail(sync->o, SL_ORIGIN_SOURCE, SL_FAILURE_SYSTEM, NULL,
                              "the source's output ended in the middle of a message");
            side->failed = sync->failed = TRUE;
        } else {
            sync->source_ok = TRUE;
        }
    }
    finish_source(sync);
}

void
orchestrator_sync_source_is_over(OrchestratorSync *sync)
{
    OrchestratorSide *side = &sync->sides[ORCHESTRATOR_SOURCE];
    orchestrator_pump_stop_source(sync->pump);
    orchestrator_sync_end_side(sync, ORCHESTRATOR_SOURCE);
    if (side->eof_at == 0)
        side->eof_at = g_get_monotonic_time();
    check_source_done(sync);
    if (side->failed || sync->stopping)
        finish_source(sync); /* its exit does not matter any more */
}

/* --- the pump -------------------------------------------------------------- */

static void
on_pump(OrchestratorPumpEvent event, const char *text, gpointer data)
{
    OrchestratorSync *sync = data;
    OrchestratorSide *source = &sync->sides[ORCHESTRATOR_SOURCE];
    OrchestratorSide *destination = &sync->sides[ORCHESTRATOR_DESTINATION];
    switch (event) {
    case ORCHESTRATOR_PUMP_SOURCE_EOF:
        g_free(sync->source_lack);
        sync->source_lack = g_strdup(text);
        if (source->eof_at == 0)
            source->eof_at = g_get_monotonic_time();
        check_source_done(sync);
        break;
    case ORCHESTRATOR_PUMP_SOURCE_BROKEN:
    case ORCHESTRATOR_PUMP_UNMAPPABLE:
        if (event == ORCHESTRATOR_PUMP_UNMAPPABLE)
            orchestrator_fail(sync->o, SL_ORIGIN_REPLICATION, SL_FAILURE_CONFIG, NULL, "%s", text);
        else
            orchestrator_fail(sync->o, SL_ORIGIN_SOURCE, SL_FAILURE_SYSTEM, NULL, "%s", text);
        source->failed = sync->failed = TRUE;
        orchestrator_sync_source_is_over(sync);
        break;
    case ORCHESTRATOR_PUMP_SINK_CLOSED:
        /* the destination's own last words and its exit say why: they are awaited */
        if (sync->sink_closed || sync->sink_refused)
            break;
        sync->sink_refused = TRUE;
        sync->sink_closed_at = g_get_monotonic_time();
        sync->source_done = TRUE;
        begin_stopping(sync);
        orchestrator_log_say(sync->o->log, SL_JOB_LOG_WARN,
                             "the destination has closed its standard input before the end");
        orchestrator_pump_detach_sink(sync->pump);
        orchestrator_connector_close_stdin(destination->connector);
        orchestrator_pump_close_sockets(sync->pump);
        orchestrator_sync_end_side(sync, ORCHESTRATOR_SOURCE);
        break;
    case ORCHESTRATOR_PUMP_FLUSHED:
        orchestrator_pump_detach_sink(sync->pump);
        orchestrator_connector_close_stdin(destination->connector);
        orchestrator_pump_close_sockets(sync->pump);
        sync->sink_closed = TRUE;
        sync->sink_closed_at = g_get_monotonic_time();
        break;
    }
}

static void
take_source_trace(OrchestratorSync *sync, const SlTrace *trace)
{
    const char *ns = trace->stream_ns != NULL ? trace->stream_ns : "";
    gint stream = -1;
    if (trace->stream_name != NULL)
        stream = sl_stream_table_find(
            orchestrator_pump_get_streams(sync->pump), (SlSpan){ns, strlen(ns)}, FALSE,
            (SlSpan){trace->stream_name, strlen(trace->stream_name)}, FALSE);
    if (trace->type == SL_TRACE_ESTIMATE && (trace->of_sync || stream >= 0)) {
        sl_ledger_estimate(sync->ledger, trace->of_sync ? -1 : stream, trace->rows, trace->bytes);
    } else if (trace->type == SL_TRACE_STREAM_STATUS && stream >= 0) {
        sl_ledger_set_status(sync->ledger, (guint)stream, trace);
        if (trace->status != SL_STREAM_RUNNING || trace->rate_limited)
            orchestrator_log_say(
                sync->o->log, SL_JOB_LOG_INFO, "stream '%s': %s", trace->stream_name,
                trace->rate_limited ? "rate-limited" : sl_stream_status_name(trace->status));
    }
}

static void
on_source_message(const SlMessage *message, const char *line, gsize len, gpointer data)
{
    OrchestratorSync *sync = data;
    g_auto(SlTrace) trace = {0};
    if (message->type == SL_MESSAGE_NONE && line[len - 1] != '\n' && line[0] == '{')
        sync->source_cut = TRUE;
    if (orchestrator_take_message(sync->o, ORCHESTRATOR_SOURCE, message, line, len, &trace))
        take_source_trace(sync, &trace);
}

/* --- the destination's answers --------------------------------------------- */

static void
take_ack_lines(OrchestratorSync *sync)
{
    SlMessage message;
    const char *line;
    gsize len;
    while (orchestrator_lines_next(&sync->acks, &line, &len)) {
        g_auto(SlTrace) trace = {0};
        sl_json_scan(sync->ack_scanner, line, len, &message);
        if (message.type == SL_MESSAGE_STATE)
            sl_ledger_acknowledge(sync->ledger, message.payload);
        else
            orchestrator_take_message(sync->o, ORCHESTRATOR_DESTINATION, &message, line, len,
                                      &trace);
    }
    const char *fault = sl_ledger_get_fault(sync->ledger);
    if (fault == NULL || sync->miscounted)
        return;
    sync->miscounted = sync->failed = TRUE;
    orchestrator_fail(sync->o, SL_ORIGIN_DESTINATION, SL_FAILURE_SYSTEM, NULL, "%s", fault);
    if (!sync->stopping) {
        begin_stopping(sync);
        orchestrator_sync_source_is_over(sync);
    }
}

void
orchestrator_sync_destination_eof(OrchestratorSync *sync)
{
    OrchestratorSide *side = &sync->sides[ORCHESTRATOR_DESTINATION];
    if (sync->ack_source != 0)
        g_source_remove(sync->ack_source);
    sync->ack_source = 0;
    if (side->eof_at == 0)
        side->eof_at = g_get_monotonic_time();
    check_destination_done(sync);
}

static gboolean on_ack(gint fd, GIOCondition condition, gpointer data);

static void
wait_for_acks(OrchestratorSync *sync)
{
    sync->ack_source = g_unix_fd_add(
        orchestrator_connector_get_stdout(sync->sides[ORCHESTRATOR_DESTINATION].connector),
        G_IO_IN | G_IO_HUP | G_IO_ERR, on_ack, sync);
}

static gboolean
on_rested(gpointer data)
{
    wait_for_acks(data);
    return G_SOURCE_REMOVE;
}

static gboolean
on_ack(gint fd, GIOCondition condition, gpointer data)
{
    OrchestratorSync *sync = data;
    gsize n;
    OrchestratorLinesResult result = orchestrator_lines_fill(&sync->acks, &n);
    sync->activity_at = g_get_monotonic_time();
    if (result == ORCHESTRATOR_LINES_TOO_LONG) {
        orchestrator_fail(sync->o, SL_ORIGIN_DESTINATION, SL_FAILURE_SYSTEM, NULL,
                          "the destination sent a line of more than %" G_GSIZE_FORMAT
                          " bytes; see MaxLine= in sluice.conf",
                          sync->acks.max_line);
        sync->sides[ORCHESTRATOR_DESTINATION].failed = sync->failed = TRUE;
        orchestrator_sync_end_side(sync, ORCHESTRATOR_DESTINATION);
    } else {
        take_ack_lines(sync);
        if (result == ORCHESTRATOR_LINES_MORE && n < ACK_REST_BYTES) {
            sync->ack_source = g_timeout_add(ACK_REST_MS, on_rested, sync);
            return G_SOURCE_REMOVE;
        }
        if (result == ORCHESTRATOR_LINES_MORE || result == ORCHESTRATOR_LINES_EMPTY)
            return G_SOURCE_CONTINUE;
    }
    sync->ack_source = 0;
    orchestrator_sync_destination_eof(sync);
    return G_SOURCE_REMOVE;
}

/* --- connectors ------------------------------------------------------------ */

static void
on_connector(OrchestratorConnector *connector, OrchestratorConnectorEvent event, gpointer data)
{
    OrchestratorSync *sync = data;
    OrchestratorRole role = orchestrator_connector_get_role(connector);
    OrchestratorSide *side = &sync->sides[role];
    gint64 now = g_get_monotonic_time();
    if (event == ORCHESTRATOR_CONNECTOR_STARTED) {
        side->started_at = now;
        orchestrator_log_say(sync->o->log, SL_JOB_LOG_INFO, "the %s has started",
                             orchestrator_role_name(role));
        if (role == ORCHESTRATOR_SOURCE)
            orchestrator_pump_source_started(sync->pump);
        return;
    }
    side->ended_at = now;
    g_autofree char *text = orchestrator_connector_describe_end(connector, NULL);
    orchestrator_log_say(sync->o->log, SL_JOB_LOG_INFO, "%s", text);
    if (sync->o->outcome == ORCHESTRATOR_GONE) {
        if (role == ORCHESTRATOR_DESTINATION)
            g_main_loop_quit(sync->o->loop);
        return;
    }
    if (!orchestrator_connector_has_started(connector))
        side->eof_at = now; /* our end of its pipes may never see one */
    if (role == ORCHESTRATOR_SOURCE)
        check_source_done(sync);
    else
        check_destination_done(sync);
}

static gboolean
add_catalog(OrchestratorSync *sync, OrchestratorConnector *connector, char *catalog, GError **error)
{
    OrchestratorRole role = orchestrator_connector_get_role(connector);
    sync->catalogs[role] = catalog;
    g_autoptr(GBytes) bytes = g_bytes_new(catalog, strlen(catalog));
    return orchestrator_connector_add_file(connector, "catalog", "catalog.json", bytes, error) &&
           (!sync->channel.sockets ||
            orchestrator_channel_equip(&sync->channel, sync->o->starter, connector,
                                       &sync->paths[role], error));
}

static gboolean
make_source(OrchestratorSync *sync, GError **error)
{
    Orchestrator *o = sync->o;
    g_autoptr(OrchestratorConnector) source =
        orchestrator_connector_new(o->starter, o->log, ORCHESTRATOR_SOURCE, FALSE, error);
    if (source == NULL || !orchestrator_equip(o, source, "read", error))
        return FALSE;
    if (!add_catalog(sync, source, sl_catalog_write_source(sync->catalog), error))
        return FALSE;
    g_autoptr(GBytes) state = orchestrator_input_state_file(o->input);
    if (state != NULL &&
        !orchestrator_connector_add_file(source, "state", "state.json", state, error))
        return FALSE;
    sync->sides[ORCHESTRATOR_SOURCE].connector = g_steal_pointer(&source);
    return TRUE;
}

static gboolean
make_destination(OrchestratorSync *sync, GError **error)
{
    Orchestrator *o = sync->o;
    g_autoptr(OrchestratorConnector) destination = orchestrator_connector_new(
        o->starter, o->log, ORCHESTRATOR_DESTINATION, !sync->channel.sockets, error);
    if (destination == NULL || !orchestrator_equip(o, destination, "write", error))
        return FALSE;
    if (!add_catalog(sync, destination,
                     sl_catalog_write_destination(sync->catalog, o->input->supports_refreshes),
                     error))
        return FALSE;
    orchestrator_lines_init(&sync->acks, orchestrator_connector_get_stdout(destination),
                            (gsize)o->config->orchestrator_max_line);
    sync->sides[ORCHESTRATOR_DESTINATION].connector = g_steal_pointer(&destination);
    return TRUE;
}

/* The in-process source of a reset. */
static gboolean
send_reset(OrchestratorSync *sync, GError **error)
{
    g_autofree char *text = orchestrator_reset_write(sync->o->input, sync->catalog);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        gsize len = strlen(lines[i]);
        g_autofree char *line = g_malloc0(len + SL_JSON_PADDING);
        g_autoptr(GString) out = g_string_new(NULL);
        SlMessage message;
        memcpy(line, lines[i], len);
        sl_json_scan(sync->ack_scanner, line, len, &message);
        if (message.type != SL_MESSAGE_STATE)
            continue;
        if (!sl_ledger_add_state(sync->ledger, line, len, message.payload, out, error))
            return FALSE;
        orchestrator_pump_append(sync->pump, out->str, out->len);
    }
    sync->source_ok = TRUE;
    finish_source(sync);
    return TRUE;
}

/* --- commits --------------------------------------------------------------- */

static void
on_committed(const GError *error, gpointer data)
{
    OrchestratorSync *sync = data;
    sl_ledger_persisted(sync->ledger, error == NULL);
    if (sync->concluded)
        g_main_loop_quit(sync->o->loop);
    if (error == NULL) {
        sync->commit_failures = 0;
        return;
    }
    sync->posted = (SlStreamBooks){0};
    if (g_error_matches(error, SL_ERROR, SL_ERROR_GONE) ||
        g_error_matches(error, SL_ERROR, SL_ERROR_FORBIDDEN)) {
        g_warning("%s, stopping at once", error->message);
        sync->o->outcome = ORCHESTRATOR_GONE;
        g_main_loop_quit(sync->o->loop);
        return;
    }
    if (sync->commit_failures++ == 0)
        orchestrator_log_say(sync->o->log, SL_JOB_LOG_WARN, "storing states: %s, trying again",
                             error->message);
    if (g_error_matches(error, SL_ERROR, SL_ERROR_INVALID) && !sync->stopping && !sync->concluded) {
        orchestrator_fail(sync->o, SL_ORIGIN_PERSISTENCE, SL_FAILURE_SYSTEM, error->message,
                          "the states of this sync cannot be stored");
        sync->failed = TRUE;
        begin_stopping(sync);
        orchestrator_sync_source_is_over(sync);
    }
}

static gboolean
is_news(const SlStreamBooks *total, const SlStreamBooks *posted)
{
    return total->emitted.bytes != posted->emitted.bytes ||
           total->emitted.records != posted->emitted.records ||
           total->committed.records != posted->committed.records ||
           total->source_states != posted->source_states ||
           total->status_changes != posted->status_changes ||
           total->estimated_records != posted->estimated_records;
}

static gboolean
on_commit_time(gpointer data)
{
    OrchestratorSync *sync = data;
    SlStreamBooks total = sl_ledger_total(sync->ledger);
    if (orchestrator_committer_is_busy(sync->committer) || sync->concluded ||
        (!sl_ledger_has_pending(sync->ledger) && !is_news(&total, &sync->posted)))
        return G_SOURCE_CONTINUE;
    sync->posted = total;
    GString *body = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(body);
    sl_json_begin_object(&w);
    orchestrator_sync_write(sync, &w);
    sl_json_end_object(&w);
    orchestrator_committer_post(sync->committer, body, on_committed, sync);
    return G_SOURCE_CONTINUE;
}

void
orchestrator_sync_take_back(OrchestratorSync *sync)
{
    sl_ledger_abandon(sync->ledger, FALSE);
}

void
orchestrator_sync_write(OrchestratorSync *sync, SlJsonWriter *w)
{
    sl_json_key(w, "states");
    sl_ledger_write_pending(sync->ledger, w);
    sl_json_key(w, "stats");
    sl_ledger_write_stats(sync->ledger, w);
}

/* --- life ------------------------------------------------------------------ */

static void
on_note(SlNoteLevel level, const char *text, gpointer data)
{
    OrchestratorSync *sync = data;
    static const SlJobLogLevel levels[] = {[SL_NOTE_INFO] = SL_JOB_LOG_INFO,
                                           [SL_NOTE_WARNING] = SL_JOB_LOG_WARN,
                                           [SL_NOTE_ERROR] = SL_JOB_LOG_ERROR};
    orchestrator_log_say(sync->o->log, levels[level], "%s", text);
}

static gboolean
use_channel(OrchestratorSync *sync, GError **error)
{
    if (!sync->channel.sockets)
        return TRUE;
    sl_ledger_keep_ordinals(sync->ledger);
    orchestrator_log_say(sync->o->log, SL_JOB_LOG_INFO, "records go over %u sockets as %s",
                         sync->channel.n, sync->channel.frames ? "PROTOBUF" : "JSONL");
    return orchestrator_pump_use_sockets(sync->pump, &sync->channel, sync->paths, sync->catalogs,
                                         error);
}

static void
choose_channel(OrchestratorSync *sync)
{
    const char *why;
    sync->channel = orchestrator_channel_choose(
        sync->o->input, (guint)sync->o->config->orchestrator_data_sockets, &why);
    if (why != NULL)
        orchestrator_log_say(sync->o->log, SL_JOB_LOG_INFO,
                             "records go through pipes, not over sockets: %s", why);
}

static gboolean
make_parts(OrchestratorSync *sync, GError **error)
{
    static const OrchestratorPumpFuncs funcs = {on_pump, on_source_message};
    const OrchestratorInput *input = sync->o->input;
    SlCatalogNames names = {input->namespace_definition, input->namespace_format, input->prefix};
    sync->catalog = sl_catalog_parse(input->catalog->p, input->catalog->n, &names, error);
    if (sync->catalog == NULL)
        return FALSE;
    sync->o->catalog = sync->catalog;
    sync->ledger = sl_ledger_new(sync->catalog, on_note, sync);
    if (sync->o->config->orchestrator_strict_counts)
        sl_ledger_set_strict(sync->ledger);
    sync->ack_scanner = sl_json_scanner_new();
    sync->pump = orchestrator_pump_new(sync->catalog, sync->ledger,
                                       (gsize)sync->o->config->orchestrator_max_line, &funcs, sync);
    sync->committer =
        orchestrator_committer_new(sync->o->api_path, sync->o->workload_id, sync->o->token);
    choose_channel(sync);
    return make_destination(sync, error) && (input->is_reset || make_source(sync, error)) &&
           use_channel(sync, error);
}

OrchestratorSync *
orchestrator_sync_start(Orchestrator *o, GError **error)
{
    g_autoptr(OrchestratorSync) sync = g_new0(OrchestratorSync, 1);
    sync->o = o;
    sync->activity_at = g_get_monotonic_time();
    if (!make_parts(sync, error))
        return NULL;
    OrchestratorConnector *source = sync->sides[ORCHESTRATOR_SOURCE].connector;
    OrchestratorConnector *destination = sync->sides[ORCHESTRATOR_DESTINATION].connector;
    wait_for_acks(sync);
    orchestrator_pump_start(sync->pump,
                            source != NULL ? orchestrator_connector_get_stdout(source) : -1,
                            orchestrator_connector_get_stdin(destination));
    sync->tick_source = g_timeout_add(TICK_MS, orchestrator_sync_on_tick, sync);
    sync->commit_source =
        g_timeout_add((guint)(o->config->orchestrator_commit_usec / 1000), on_commit_time, sync);
    orchestrator_connector_start(destination, on_connector, sync);
    if (source != NULL)
        orchestrator_connector_start(source, on_connector, sync);
    else if (!send_reset(sync, error))
        return NULL;
    return g_steal_pointer(&sync);
}

void
orchestrator_sync_stop(OrchestratorSync *sync, gboolean cancelled, const char *why)
{
    if (sync->stopping)
        return;
    begin_stopping(sync);
    sync->cancelled = cancelled;
    sync->failed |= !cancelled;
    orchestrator_fail(sync->o, SL_ORIGIN_PLATFORM,
                      cancelled ? SL_FAILURE_CANCELLED : SL_FAILURE_TRANSIENT, NULL, "%s", why);
    orchestrator_sync_source_is_over(sync);
}

static gboolean
on_kill_time(gpointer data)
{
    OrchestratorSync *sync = data;
    sync->kill_source = 0;
    g_main_loop_quit(sync->o->loop);
    return G_SOURCE_REMOVE;
}

gboolean
orchestrator_sync_kill(OrchestratorSync *sync)
{
    orchestrator_pump_detach_sink(sync->pump);
    for (guint i = 0; i < 2; i++) {
        if (sync->sides[i].connector != NULL)
            orchestrator_connector_signal(sync->sides[i].connector, SIGKILL);
    }
    if (sync->sides[ORCHESTRATOR_DESTINATION].ended_at != 0)
        return FALSE;
    sync->kill_source = g_timeout_add(KILL_MS, on_kill_time, sync);
    return TRUE;
}

void
orchestrator_sync_free(OrchestratorSync *sync)
{
    if (sync == NULL)
        return;
    const guint sources[] = {sync->ack_source, sync->tick_source, sync->commit_source,
                             sync->kill_source};
    for (guint i = 0; i < G_N_ELEMENTS(sources); i++) {
        if (sources[i] != 0)
            g_source_remove(sources[i]);
    }
    orchestrator_committer_free(sync->committer);
    orchestrator_pump_free(sync->pump);
    for (guint i = 0; i < 2; i++) {
        orchestrator_connector_free(sync->sides[i].connector);
        g_strfreev(sync->paths[i]);
        g_free(sync->catalogs[i]);
    }
    g_free(sync->source_lack);
    orchestrator_lines_clear(&sync->acks);
    g_clear_pointer(&sync->ack_scanner, sl_json_scanner_free);
    sl_ledger_free(sync->ledger);
    sync->o->catalog = NULL;
    sl_catalog_free(sync->catalog);
    g_free(sync);
}
