/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "fuzz.h"

#include <string.h>

#include "sl-json-scan.h"
#include "sl-ledger.h"
#include "sl-stream-table.h"

/* A dialogue in lines, their first byte saying whose: '<' of the source, '>' of the destination;
 * 'p', 'P' states are persisted, with and without success; 'c', 'a' the end. What is committed was
 * emitted, only grows, and only by an echo or the end; what we write is JSON. */

#define CATALOG                                                                                    \
    "{\"streams\":[{\"stream\":{\"name\":\"a\"},\"sync_mode\":\"incremental\","                    \
    "\"destination_sync_mode\":\"append\"},{\"stream\":{\"name\":\"b\",\"namespace\":\"n\"},"      \
    "\"sync_mode\":\"incremental\",\"destination_sync_mode\":\"append\"},{\"stream\":{\"name\":"   \
    "\"c\"},\"sync_mode\":\"full_refresh\",\"destination_sync_mode\":\"overwrite\"}]}"

typedef struct {
    SlCatalog *catalog;
    SlLedger *ledger;
    SlStreamTable *streams;
    SlJsonScanner *scanner;
    GString *out;
    gboolean waiting; /* for persisted() */
} Dialogue;

static void
on_note(SlNoteLevel level, const char *text, gpointer data)
{
    fuzz_check(text[0] != '\0' && g_utf8_validate(text, -1, NULL));
}

static void
from_source(Dialogue *d, const SlMessage *m, const char *line, gsize len)
{
    gsize before = d->out->len;
    if (m->type == SL_MESSAGE_STATE) {
        g_autoptr(GError) error = NULL;
        gboolean ok = sl_ledger_add_state(d->ledger, line, len, m->payload, d->out, &error);
        fuzz_check(ok == (error == NULL) && (ok || d->out->len == before));
    } else if (m->type == SL_MESSAGE_RECORD) {
        gint i =
            sl_stream_table_find(d->streams, m->ns, m->ns_escaped, m->stream, m->stream_escaped);
        if (i >= 0)
            sl_ledger_count_record(sl_ledger_books(d->ledger), i, m->data.n);
        if (i >= 0 && m->data.n % 3 == 0)
            sl_ledger_count_filtered(sl_ledger_books(d->ledger), i, m->data.n);
    } else if (m->type == SL_MESSAGE_TRACE) {
        g_auto(SlTrace) trace = {0};
        if (sl_trace_parse(m->payload, &trace, NULL) && trace.type == SL_TRACE_STREAM_STATUS)
            sl_ledger_set_status(d->ledger, len % 3, &trace);
        else if (trace.type == SL_TRACE_ESTIMATE)
            sl_ledger_estimate(d->ledger, (gint)(len % 4) - 1, trace.rows, trace.bytes);
    }
    if (d->out->len > before)
        fuzz_check_json(d->out->str + before, d->out->len - before, SL_JSON_OBJECT);
}

static void
persist(Dialogue *d, gboolean accepted)
{
    if (!sl_ledger_has_pending(d->ledger))
        return;
    g_autoptr(GString) text = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(text);
    sl_ledger_write_pending(d->ledger, &w);
    fuzz_check_json(text->str, text->len, SL_JSON_ARRAY);
    sl_ledger_persisted(d->ledger, accepted);
}

static void
check_books(Dialogue *d, SlStreamBooks *before, gboolean may_commit)
{
    for (guint i = 0; i < d->catalog->n_streams; i++) {
        const SlStreamBooks *now = &sl_ledger_books(d->ledger)[i];
        SlCount passed = sl_ledger_passed(now);
        fuzz_check(now->committed.records <= passed.records);
        fuzz_check(now->committed.bytes <= passed.bytes);
        fuzz_check(now->committed.records >= before[i].committed.records);
        fuzz_check(may_commit || now->committed.records == before[i].committed.records);
        before[i] = *now;
    }
}

static void
play(Dialogue *d, SlSpan line)
{
    g_autofree char *copy = fuzz_copy(line.p + 1, line.n - 1, SL_JSON_PADDING);
    gsize len = line.n - 1;
    SlMessage m;
    sl_json_scan(d->scanner, copy, len, &m);
    switch (line.p[0]) {
    case '<':
        return from_source(d, &m, copy, len);
    case '>':
        if (m.type == SL_MESSAGE_STATE)
            sl_ledger_acknowledge(d->ledger, m.payload);
        return;
    case 'p':
    case 'P':
        return persist(d, line.p[0] == 'p');
    case 'm':
        sl_ledger_add_missing_state(d->ledger, 2, d->out);
        return;
    default:
        return;
    }
}

static void
finish(Dialogue *d, gboolean well)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(text);
    if (well)
        sl_ledger_complete(d->ledger);
    else
        sl_ledger_abandon(d->ledger, FALSE);
    sl_ledger_write_stats(d->ledger, &w);
    fuzz_check_json(text->str, text->len, SL_JSON_OBJECT);
    persist(d, TRUE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SlStreamBooks before[3] = {0};
    SlSpan line;
    Dialogue d = {.catalog = sl_catalog_parse(CATALOG, strlen(CATALOG), &(SlCatalogNames){0}, NULL),
                  .out = g_string_new(NULL),
                  .scanner = sl_json_scanner_new()};
    d.ledger = sl_ledger_new(d.catalog, on_note, &d);
    d.streams = sl_stream_table_new(d.catalog, SL_NAMES_OF_SOURCE);
    sl_ledger_set_limit(d.ledger, 4096); /* so that thinning out is reached */
    gboolean well = size % 2 == 0;
    while (fuzz_next_part(&data, &size, '\n', &line)) {
        if (line.n == 0)
            continue;
        play(&d, line);
        check_books(&d, before, line.p[0] == '>');
    }
    finish(&d, well);
    check_books(&d, before, well);
    sl_stream_table_free(d.streams);
    sl_ledger_free(d.ledger);
    sl_catalog_free(d.catalog);
    sl_json_scanner_free(d.scanner);
    g_string_free(d.out, TRUE);
    return 0;
}
