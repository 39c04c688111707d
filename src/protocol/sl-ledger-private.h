/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-ledger.h"
#include "sl-stream-table.h"

/* Private to sl-ledger.c (books and acknowledgements) and sl-ledger-state.c (reading states). */

#define SL_LEDGER_LIMIT (8 * 1024 * 1024)

typedef enum {
    SL_STATE_UNKNOWN,
    SL_STATE_STREAM,
    SL_STATE_GLOBAL,
    SL_STATE_LEGACY,
} SlStateKind;

/* A state message, as nodes of a document. */
typedef struct {
    SlStateKind kind;
    const SlJsonNode *root;
    const SlJsonNode *descriptor; /* STREAM */
    const SlJsonNode *content;    /* the opaque part: stream_state, global or data; NULL: missing */
} SlState;

typedef struct {
    guint stream;
    SlCount count; /* that had passed */
} SlSnapshot;

typedef struct {
    gint64 id;
    guint64 hash; /* of the content; 0: nobody has asked yet */
    guint chain;
    gsize size;  /* what it costs */
    char *state; /* the source's bytes, to be persisted */
    gsize len;
    SlSnapshot *counts; /* the books it closed */
    guint n_counts;
    guint64 passed, filtered; /* records between the state before and this one */
} SlEntry;

/* What is open of one stream; the last chain is that of GLOBAL and LEGACY. */
typedef struct {
    GQueue open;         /* of SlEntry, ids ascending */
    gint64 newest;       /* id of the last state sent */
    gint64 acknowledged; /* -1: none */
    gboolean thinned;    /* ids were sent that `open` does not hold any more */
    char *pending;       /* acknowledged and not persisted; not NUL-terminated */
    gsize pending_len;
    char *in_flight; /* being persisted */
    gsize in_flight_len;
} SlChain;

struct SlLedger {
    const SlCatalog *catalog;
    SlLedgerNote note;
    gpointer note_data;
    SlStreamTable *from, *to;
    SlStreamBooks *books;
    gboolean *mismatch_noted;       /* per chain: the source's own count differed once */
    gboolean *destination_differed; /* per chain: the destination's did */
    GHashTable **additional;        /* per chain: name → *double, summed; NULL: none were sent */
    gboolean strict;                /* a count that differs is a fault */
    char *fault;                    /* of the destination's; NULL: none */
    SlChain *chains;
    guint n_chains;
    SlStateKind kind; /* of the first state: they are never mixed */
    gint64 last_id;
    gboolean ordinals; /* ids are those of their chain */
    guint n_open;
    gsize open_bytes, limit;
    guint64 source_states, destination_states;
    guint64 rejected; /* of the whole sync: for states that are not of one stream */
    gint64 sync_records, sync_bytes;
    gboolean sync_estimated, streams_estimated; /* both: neither is believed */
    gboolean any_status;
    gboolean ended, succeeded, cancelled;
    gboolean unknown_stream_noted, odd_id_noted;
    SlJsonDoc doc; /* working memory */
};

gboolean sl_state_read(SlJsonDoc *doc, SlSpan payload, SlState *ret, GError **error);
guint64 sl_state_hash(const SlJsonDoc *doc, const SlJsonNode *root); /* never 0 */
void sl_state_forget(SlJsonDoc *doc); /* gives back the memory of a large one */
void sl_ledger_push(SlLedger *ledger, SlEntry *entry);

/* Holds what the source says it sent against what came: `records` since the state before. FALSE:
 * they differ, and that is a fault. */
gboolean sl_ledger_check_source(SlLedger *ledger, const SlState *state, guint chain,
                                guint64 records, GError **error);
/* What the destination says it did with the records of this state, held against what it was given.
 * `alone`: the echo is for this state only; where it leaves out acknowledgements, or we have
 * thinned out, there is nothing to compare. FALSE: they differ, and that is a fault: the state must
 * not be committed. */
gboolean sl_ledger_check_destination(SlLedger *ledger, const SlJsonNode *state, guint chain,
                                     const SlEntry *entry, gboolean alone);
/* The member additionalStats of a chain, or of all of them (n_chains); nothing where there is none.
 */
void sl_ledger_write_additional(const SlLedger *ledger, guint chain, SlJsonWriter *w);
void sl_ledger_note(SlLedger *ledger, SlNoteLevel level, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
