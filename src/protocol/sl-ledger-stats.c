/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-ledger-private.h"

/* What the books say to those outside: counters, and how far each stream is. */

/* Has the destination acknowledged the last state that covers this stream? One without any state
 * is there when the sync is over. */
static gboolean
is_acknowledged(const SlLedger *ledger, guint stream)
{
    guint index = ledger->kind == SL_STATE_STREAM ? stream : ledger->n_chains - 1;
    const SlChain *chain = &ledger->chains[index];
    if (ledger->books[stream].source_states == 0)
        return FALSE;
    return chain->acknowledged == chain->newest && ledger->books[stream].since_state == 0;
}

SlRunState
sl_ledger_run_state(const SlLedger *ledger, guint stream)
{
    const SlStreamBooks *books = &ledger->books[stream];
    gboolean ended = ledger->ended && !ledger->succeeded;
    if (books->status == SL_STREAM_INCOMPLETE)
        return SL_RUN_INCOMPLETE;
    if (books->status == SL_STREAM_COMPLETE && is_acknowledged(ledger, stream))
        return SL_RUN_COMPLETE;
    if (ledger->succeeded)
        return books->status == SL_STREAM_COMPLETE || !ledger->any_status ? SL_RUN_COMPLETE
                                                                          : SL_RUN_INCOMPLETE;
    if (books->status == SL_STREAM_PENDING && books->emitted.records == 0 &&
        books->source_states == 0)
        return SL_RUN_PENDING;
    if (ended)
        return SL_RUN_INCOMPLETE;
    if (books->rate_limited && books->limited_at == books->emitted.records)
        return SL_RUN_RATE_LIMITED;
    return SL_RUN_RUNNING;
}

const char *
sl_run_state_name(SlRunState state)
{
    static const char *const names[] = {
        [SL_RUN_PENDING] = "pending",           [SL_RUN_RUNNING] = "running",
        [SL_RUN_RATE_LIMITED] = "rate_limited", [SL_RUN_COMPLETE] = "complete",
        [SL_RUN_INCOMPLETE] = "incomplete",
    };
    return names[state];
}

SlStreamBooks
sl_ledger_total(const SlLedger *ledger)
{
    SlStreamBooks total = {.estimated_records = ledger->sync_records,
                           .estimated_bytes = ledger->sync_bytes};
    for (guint i = 0; i < ledger->catalog->n_streams; i++) {
        const SlStreamBooks *books = &ledger->books[i];
        total.emitted.records += books->emitted.records;
        total.emitted.bytes += books->emitted.bytes;
        total.filtered.records += books->filtered.records;
        total.filtered.bytes += books->filtered.bytes;
        total.status_changes += books->status_changes;
        total.committed.records += books->committed.records;
        total.committed.bytes += books->committed.bytes;
        total.rejected += books->rejected;
        if (ledger->sync_records < 0 && books->estimated_records >= 0)
            total.estimated_records = MAX(total.estimated_records, 0) + books->estimated_records;
        if (ledger->sync_bytes < 0 && books->estimated_bytes >= 0)
            total.estimated_bytes = MAX(total.estimated_bytes, 0) + books->estimated_bytes;
    }
    total.rejected += ledger->rejected;
    total.source_states = ledger->source_states;
    total.destination_states = ledger->destination_states;
    return total;
}

static void
write_books(const SlLedger *ledger, const SlStreamBooks *books, guint chain, SlJsonWriter *w)
{
    const struct {
        const char *key;
        gint64 value; /* -1: left out */
    } members[] = {
        {"recordsEmitted", (gint64)books->emitted.records},
        {"bytesEmitted", (gint64)books->emitted.bytes},
        {"recordsCommitted",
         (gint64)(books->committed.records - MIN(books->rejected, books->committed.records))},
        {"bytesCommitted", (gint64)books->committed.bytes},
        {"recordsRejected", (gint64)books->rejected},
        {"recordsFilteredOut", books->filtered.records > 0 ? (gint64)books->filtered.records : -1},
        {"bytesFilteredOut", books->filtered.records > 0 ? (gint64)books->filtered.bytes : -1},
        {"estimatedRecords", books->estimated_records},
        {"estimatedBytes", books->estimated_bytes},
        {"sourceStateMessagesEmitted", (gint64)books->source_states},
        {"destinationStateMessagesEmitted", (gint64)books->destination_states},
    };
    sl_json_begin_object(w);
    for (guint i = 0; i < G_N_ELEMENTS(members); i++) {
        if (members[i].value >= 0)
            sl_json_member_int(w, members[i].key, members[i].value);
    }
    sl_ledger_write_additional(ledger, chain, w);
    sl_json_end_object(w);
}

static void
write_run_state(const SlLedger *ledger, guint stream, SlJsonWriter *w)
{
    const SlStreamBooks *books = &ledger->books[stream];
    SlRunState state = sl_ledger_run_state(ledger, stream);
    sl_json_member_string(w, "runState", sl_run_state_name(state));
    if (state == SL_RUN_INCOMPLETE)
        sl_json_member_string(w, "incompleteRunCause", ledger->cancelled ? "canceled" : "failed");
    if (state == SL_RUN_RATE_LIMITED && books->quota_reset > 0)
        sl_json_member_int(w, "quotaReset", books->quota_reset);
}

void
sl_ledger_write_stats(const SlLedger *ledger, SlJsonWriter *w)
{
    SlStreamBooks total = sl_ledger_total(ledger);
    sl_json_begin_object(w);
    sl_json_key(w, "total");
    write_books(ledger, &total, ledger->n_chains, w);
    sl_json_key(w, "streams");
    sl_json_begin_array(w);
    for (guint i = 0; i < ledger->catalog->n_streams; i++) {
        const SlStreamBooks *books = &ledger->books[i];
        if (books->emitted.records == 0 && books->source_states == 0 &&
            books->status == SL_STREAM_PENDING)
            continue;
        sl_json_begin_object(w);
        sl_json_member_string(w, "streamName", ledger->catalog->streams[i].name);
        sl_json_member_string(w, "streamNamespace", ledger->catalog->streams[i].ns);
        sl_json_key(w, "stats");
        write_books(ledger, books, i, w);
        write_run_state(ledger, i, w);
        sl_json_end_object(w);
    }
    sl_json_end_array(w);
    sl_json_end_object(w);
}
