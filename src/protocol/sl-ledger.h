/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-catalog.h"
#include "sl-json-write.h"
#include "sl-trace.h"

/* The books of one sync: what the source sent, what the destination has, and which state may be
 * persisted. A state is committed only when the destination echoed it; what is persisted then are
 * the source's own bytes. One thread only.
 *
 * Counters are cumulative, and a state holds a copy of them: an acknowledgement is an assignment,
 * so that a repeated or a skipped one changes nothing. */
typedef struct SlLedger SlLedger;

typedef struct {
    guint64 records, bytes;
} SlCount;

typedef struct {
    SlCount emitted;     /* came from the source, as selected */
    SlCount filtered;    /* of them: those that a mapper did not let pass */
    SlCount committed;   /* are at the destination, rejected ones included */
    SlCount ahead;       /* of what has passed: records that the next state does not cover, where
                            they travel on several sockets */
    guint64 since_state; /* records behind the last state of this stream */
    guint64 filtered_since_state;              /* of them: filtered out */
    guint64 rejected;                          /* as the destination says */
    gint64 estimated_records, estimated_bytes; /* -1: unknown */
    guint64 source_states, destination_states;
    SlStreamStatus status; /* as the source says */
    gboolean rate_limited; /* … and that it has to wait, */
    guint64 limited_at;    /* with so many records sent, */
    gint64 quota_reset;    /* until then (ms; 0: not said) */
    guint status_changes;  /* in a total: how often any of this was said */
} SlStreamBooks;

/* How far a stream is, as the platform tells it. */
typedef enum {
    SL_RUN_PENDING,
    SL_RUN_RUNNING,
    SL_RUN_RATE_LIMITED,
    SL_RUN_COMPLETE, /* the source said so, and the destination has acknowledged all of it */
    SL_RUN_INCOMPLETE,
} SlRunState;
const char *sl_run_state_name(SlRunState state); /* "rate_limited" */

typedef enum {
    SL_NOTE_INFO,
    SL_NOTE_WARNING,
    SL_NOTE_ERROR,
} SlNoteLevel;

/* Something for the job's log. */
typedef void (*SlLedgerNote)(SlNoteLevel level, const char *text, gpointer data);

SlLedger *sl_ledger_new(const SlCatalog *catalog, SlLedgerNote note, gpointer data);
void sl_ledger_free(SlLedger *ledger);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlLedger, sl_ledger_free)

/* The books per stream, for the loop over records. */
SlStreamBooks *sl_ledger_books(SlLedger *ledger);

static inline void
sl_ledger_count_record(SlStreamBooks *books, gint stream, gsize bytes)
{
    books[stream].emitted.records++;
    books[stream].emitted.bytes += bytes;
    books[stream].since_state++;
}

/* The source's ids go up per stream, and not over all: they are kept then. */
void sl_ledger_keep_ordinals(SlLedger *ledger);

/* What the destination is given. */
static inline SlCount
sl_ledger_passed(const SlStreamBooks *books)
{
    return (SlCount){books->emitted.records - books->filtered.records,
                     books->emitted.bytes - books->filtered.bytes};
}

/* The record that was just counted does not pass. */
static inline void
sl_ledger_count_filtered(SlStreamBooks *books, gint stream, gsize bytes)
{
    books[stream].filtered.records++;
    books[stream].filtered.bytes += bytes;
    books[stream].filtered_since_state++;
}

/* A STATE of the source. Enters it and appends the line for the destination, with its newline: the
 * original bytes plus an id, where it has none, and the names the destination knows; the source's
 * own count, or ours where it gives none, less what was filtered out. A state of a
 * stream that is not in the catalog is noted and dropped: nothing is appended.
 * SL_ERROR_PROTOCOL: no valid state, or another type of state than before. */
gboolean sl_ledger_add_state(SlLedger *ledger, const char *line, gsize len, SlSpan payload,
                             GString *out, GError **error);

/* An echo of the destination. One that matches no open state is noted and commits nothing. */
void sl_ledger_acknowledge(SlLedger *ledger, SlSpan payload);

/* Strict: counts of the source (sl_ledger_add_state() fails) and of the destination (the state is
 * not committed, and _get_fault() says why) must be ours. Otherwise a difference is noted once per
 * stream. */
void sl_ledger_set_strict(SlLedger *ledger);
const char *sl_ledger_get_fault(const SlLedger *ledger); /* NULL: none */

void sl_ledger_estimate(SlLedger *ledger, gint stream, gint64 records, gint64 bytes); /* -1: sync */

/* A STREAM_STATUS of the source. COMPLETE and INCOMPLETE are its last word. */
void sl_ledger_set_status(SlLedger *ledger, guint stream, const SlTrace *trace);
gboolean sl_ledger_any_status(const SlLedger *ledger); /* it sends them at all */
SlRunState sl_ledger_run_state(const SlLedger *ledger, guint stream);

/* The source has ended well. A full refresh that cannot be resumed and sent no state gets an empty
 * one, so that the destination has something to acknowledge: its line is appended. */
void sl_ledger_add_missing_state(SlLedger *ledger, guint stream, GString *out);

/* The sync has succeeded: everything that was sent is at the destination. */
void sl_ledger_complete(SlLedger *ledger);
/* It has not. */
void sl_ledger_abandon(SlLedger *ledger, gboolean cancelled);

/* States that wait to be persisted, as a JSON array of state objects. They are on their way then,
 * until _persisted(): FALSE takes them back, where no newer state has come. */
gboolean sl_ledger_has_pending(const SlLedger *ledger);
void sl_ledger_write_pending(SlLedger *ledger, SlJsonWriter *w);
void sl_ledger_persisted(SlLedger *ledger, gboolean accepted);

/* {total, streams}: cumulative, by the source's names. */
void sl_ledger_write_stats(const SlLedger *ledger, SlJsonWriter *w);
SlStreamBooks sl_ledger_total(const SlLedger *ledger);
guint sl_ledger_open_states(const SlLedger *ledger); /* sent and not acknowledged */

/* Bytes of open states above which the older ones are thinned out. For tests. */
void sl_ledger_set_limit(SlLedger *ledger, gsize bytes);
