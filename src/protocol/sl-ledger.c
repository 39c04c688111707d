/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-ledger.h"

#include <string.h>

#include "sl-error.h"
#include "sl-ledger-private.h"
#include "sl-stream-table.h"

SlLedger *
sl_ledger_new(const SlCatalog *catalog, SlLedgerNote note, gpointer data)
{
    SlLedger *ledger = g_new0(SlLedger, 1);
    ledger->catalog = catalog;
    ledger->note = note;
    ledger->note_data = data;
    ledger->kind = SL_STATE_UNKNOWN;
    ledger->limit = SL_LEDGER_LIMIT;
    ledger->books = g_new0(SlStreamBooks, MAX(catalog->n_streams, 1));
    ledger->n_chains = catalog->n_streams + 1;
    ledger->mismatch_noted = g_new0(gboolean, ledger->n_chains);
    ledger->destination_differed = g_new0(gboolean, ledger->n_chains);
    ledger->additional = g_new0(GHashTable *, ledger->n_chains);
    ledger->chains = g_new0(SlChain, ledger->n_chains);
    for (guint i = 0; i < ledger->n_chains; i++) {
        g_queue_init(&ledger->chains[i].open);
        ledger->chains[i].acknowledged = -1;
    }
    for (guint i = 0; i < catalog->n_streams; i++)
        ledger->books[i].estimated_records = ledger->books[i].estimated_bytes = -1;
    ledger->sync_records = ledger->sync_bytes = -1;
    ledger->from = sl_stream_table_new(catalog, SL_NAMES_OF_SOURCE);
    ledger->to = sl_stream_table_new(catalog, SL_NAMES_OF_DESTINATION);
    return ledger;
}

static void
free_entry(gpointer data)
{
    SlEntry *entry = data;
    g_free(entry->state);
    g_free(entry->counts);
    g_free(entry);
}

void
sl_ledger_free(SlLedger *ledger)
{
    if (ledger == NULL)
        return;
    for (guint i = 0; i < ledger->n_chains; i++) {
        g_queue_clear_full(&ledger->chains[i].open, free_entry);
        g_free(ledger->chains[i].pending);
        g_free(ledger->chains[i].in_flight);
        g_clear_pointer(&ledger->additional[i], g_hash_table_unref);
    }
    g_free(ledger->additional);
    g_free(ledger->fault);
    g_free(ledger->chains);
    g_free(ledger->books);
    g_free(ledger->mismatch_noted);
    g_free(ledger->destination_differed);
    sl_json_doc_clear(&ledger->doc);
    sl_stream_table_free(ledger->from);
    sl_stream_table_free(ledger->to);
    g_free(ledger);
}

SlStreamBooks *
sl_ledger_books(SlLedger *ledger)
{
    return ledger->books;
}

void
sl_ledger_set_limit(SlLedger *ledger, gsize bytes)
{
    ledger->limit = bytes;
}

void
sl_ledger_keep_ordinals(SlLedger *ledger)
{
    ledger->ordinals = TRUE;
}

void
sl_ledger_set_strict(SlLedger *ledger)
{
    ledger->strict = TRUE;
}

const char *
sl_ledger_get_fault(const SlLedger *ledger)
{
    return ledger->fault;
}

guint
sl_ledger_open_states(const SlLedger *ledger)
{
    return ledger->n_open;
}

void
sl_ledger_note(SlLedger *ledger, SlNoteLevel level, const char *format, ...)
{
    va_list args;
    if (ledger->note == NULL)
        return;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    ledger->note(level, text, ledger->note_data);
}

/* A sync has estimates of its streams or of itself. Of a source that sends both, neither can be
 * trusted. */
static void
forget_estimates(SlLedger *ledger)
{
    for (guint i = 0; i < ledger->catalog->n_streams; i++)
        ledger->books[i].estimated_records = ledger->books[i].estimated_bytes = -1;
    ledger->sync_records = ledger->sync_bytes = -1;
}

void
sl_ledger_estimate(SlLedger *ledger, gint stream, gint64 records, gint64 bytes)
{
    if (stream >= (gint)ledger->catalog->n_streams)
        return;
    ledger->sync_estimated |= stream < 0;
    ledger->streams_estimated |= stream >= 0;
    if (ledger->sync_estimated && ledger->streams_estimated) {
        forget_estimates(ledger);
        return;
    }
    if (stream < 0) {
        ledger->sync_records = records;
        ledger->sync_bytes = bytes;
    } else {
        ledger->books[stream].estimated_records = records;
        ledger->books[stream].estimated_bytes = bytes;
    }
}

void
sl_ledger_set_status(SlLedger *ledger, guint stream, const SlTrace *trace)
{
    SlStreamBooks *books = &ledger->books[stream];
    ledger->any_status = TRUE;
    books->status_changes++;
    if (books->status == SL_STREAM_COMPLETE || books->status == SL_STREAM_INCOMPLETE)
        return;
    books->status = trace->status;
    books->rate_limited = trace->rate_limited;
    books->limited_at = books->emitted.records;
    books->quota_reset = trace->quota_reset;
}

gboolean
sl_ledger_any_status(const SlLedger *ledger)
{
    return ledger->any_status;
}

void
sl_ledger_abandon(SlLedger *ledger, gboolean cancelled)
{
    ledger->ended = TRUE;
    ledger->succeeded = FALSE;
    ledger->cancelled = cancelled;
}

void
sl_ledger_complete(SlLedger *ledger)
{
    ledger->ended = ledger->succeeded = TRUE;
    for (guint i = 0; i < ledger->catalog->n_streams; i++)
        ledger->books[i].committed = sl_ledger_passed(&ledger->books[i]);
}

/* --- open states ----------------------------------------------------------- */

/* A destination that acknowledges only at its end must not make us hold every state: of the older
 * ones every second goes, in every chain. That loses no data: the next state of the chain covers
 * it. */
static void
thin_out(SlLedger *ledger)
{
    for (guint i = 0; i < ledger->n_chains; i++) {
        GList *link = ledger->chains[i].open.head;
        while (link != NULL && link->next != NULL && link->next->next != NULL) {
            GList *victim = link->next;
            SlEntry *entry = victim->data;
            link = victim->next;
            ledger->open_bytes -= entry->size;
            ledger->n_open--;
            ledger->chains[i].thinned = TRUE;
            g_queue_delete_link(&ledger->chains[i].open, victim);
            free_entry(entry);
        }
    }
    /* Chains of one or two states each cannot be thinned: with as many streams the limit grows. */
    if (ledger->open_bytes > ledger->limit / 2)
        ledger->limit = ledger->open_bytes * 2;
}

void
sl_ledger_push(SlLedger *ledger, SlEntry *entry)
{
    SlChain *chain = &ledger->chains[entry->chain];
    entry->size = sizeof *entry + sizeof(GList) + entry->len + entry->n_counts * sizeof(SlSnapshot);
    g_queue_push_tail(&chain->open, entry);
    chain->newest = entry->id;
    ledger->n_open++;
    ledger->open_bytes += entry->size;
    if (ledger->open_bytes > ledger->limit)
        thin_out(ledger);
}

/* Every state of the chain up to `last` is at the destination; the newest of them is what counts.
 */
static void
pop_until(SlLedger *ledger, SlChain *chain, GList *last)
{
    SlEntry *entry = NULL;
    for (gboolean done = FALSE; !done;) {
        done = chain->open.head == last;
        if (entry != NULL)
            free_entry(entry);
        entry = g_queue_pop_head(&chain->open);
        ledger->open_bytes -= entry->size;
        ledger->n_open--;
    }
    for (guint i = 0; i < entry->n_counts; i++)
        ledger->books[entry->counts[i].stream].committed = entry->counts[i].count;
    g_free(chain->pending);
    chain->pending = g_steal_pointer(&entry->state);
    chain->pending_len = entry->len;
    chain->acknowledged = entry->id;
    free_entry(entry);
}

/* Where the chain's open state with this id is; after thinning: the last one before it. */
static GList *
find_by_id(const SlChain *chain, gint64 id)
{
    GList *found = NULL;
    for (GList *link = chain->open.head; link != NULL; link = link->next) {
        const SlEntry *entry = link->data;
        if (entry->id == id)
            return link;
        if (entry->id > id)
            break;
        found = link;
    }
    return chain->thinned && id <= chain->newest ? found : NULL;
}

/* For destinations that lose members they do not know: by the content of the state. */
static GList *
find_by_content(const SlChain *chain, guint64 hash)
{
    SlJsonDoc doc = {0};
    GList *link = chain->open.head;
    for (; link != NULL; link = link->next) {
        SlEntry *entry = link->data;
        if (entry->hash == 0 && sl_json_read_into(&doc, entry->state, entry->len, NULL, NULL))
            entry->hash = sl_state_hash(&doc, sl_json_root(&doc));
        if (entry->hash == hash)
            break;
    }
    sl_json_doc_clear(&doc);
    return link;
}

static void
acknowledge(SlLedger *ledger, const SlJsonNode *root, guint index)
{
    SlChain *chain = &ledger->chains[index];
    const SlJsonNode *id_node = sl_json_get(&ledger->doc, root, "id");
    gint64 id = -1;
    gboolean has_id =
        id_node != NULL && id_node->type == SL_JSON_NUMBER && sl_json_get_int64(id_node, &id);
    if (has_id && id <= chain->acknowledged) {
        sl_ledger_note(ledger, id == chain->acknowledged ? SL_NOTE_INFO : SL_NOTE_WARNING,
                       "the destination acknowledged state %" G_GINT64_FORMAT
                       " behind state %" G_GINT64_FORMAT ", ignoring",
                       id, chain->acknowledged);
        return;
    }
    GList *link =
        has_id ? find_by_id(chain, id) : find_by_content(chain, sl_state_hash(&ledger->doc, root));
    if (link == NULL) {
        if (has_id)
            sl_ledger_note(ledger, SL_NOTE_WARNING,
                           "the destination acknowledged state %" G_GINT64_FORMAT
                           ", which was never sent for this stream, ignoring",
                           id);
        else
            sl_ledger_note(ledger, SL_NOTE_WARNING,
                           "the destination acknowledged a state without an id whose content was "
                           "never sent, ignoring");
        return;
    }
    if (!sl_ledger_check_destination(ledger, root, index, link->data,
                                     link == chain->open.head && !chain->thinned))
        return;
    if (index < ledger->catalog->n_streams)
        ledger->books[index].destination_states++;
    ledger->destination_states++;
    pop_until(ledger, chain, link);
}

void
sl_ledger_acknowledge(SlLedger *ledger, SlSpan payload)
{
    g_autoptr(GError) error = NULL;
    SlState state;
    if (!sl_state_read(&ledger->doc, payload, &state, &error)) {
        sl_ledger_note(ledger, SL_NOTE_WARNING, "the destination sent a broken state: %s, ignoring",
                       error->message);
        return;
    }
    guint index = ledger->n_chains - 1;
    if (state.kind == SL_STATE_STREAM) {
        gint stream = sl_stream_table_find_descriptor(ledger->to, &ledger->doc, state.descriptor);
        if (stream < 0) {
            sl_ledger_note(ledger, SL_NOTE_WARNING,
                           "the destination acknowledged a state of a stream that is not in the "
                           "catalog, ignoring");
            return;
        }
        index = (guint)stream;
    }
    acknowledge(ledger, state.root, index);
    sl_state_forget(&ledger->doc);
}

/* --- persisting ------------------------------------------------------------ */

gboolean
sl_ledger_has_pending(const SlLedger *ledger)
{
    for (guint i = 0; i < ledger->n_chains; i++) {
        if (ledger->chains[i].pending != NULL)
            return TRUE;
    }
    return FALSE;
}

void
sl_ledger_write_pending(SlLedger *ledger, SlJsonWriter *w)
{
    sl_json_begin_array(w);
    for (guint i = 0; i < ledger->n_chains; i++) {
        SlChain *chain = &ledger->chains[i];
        if (chain->pending == NULL)
            continue;
        g_free(chain->in_flight);
        chain->in_flight = g_steal_pointer(&chain->pending);
        chain->in_flight_len = chain->pending_len;
        sl_json_raw(w, chain->in_flight, chain->in_flight_len);
    }
    sl_json_end_array(w);
}

void
sl_ledger_persisted(SlLedger *ledger, gboolean accepted)
{
    for (guint i = 0; i < ledger->n_chains; i++) {
        SlChain *chain = &ledger->chains[i];
        if (!accepted && chain->pending == NULL && chain->in_flight != NULL) {
            chain->pending = g_steal_pointer(&chain->in_flight);
            chain->pending_len = chain->in_flight_len;
        }
        g_clear_pointer(&chain->in_flight, g_free);
    }
}
