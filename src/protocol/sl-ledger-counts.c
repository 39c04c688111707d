/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-ledger-private.h"

#include "sl-error.h"

/* What both sides say about numbers, against ours. */

#define MAX_ADDITIONAL 64 /* names of one chain; what comes behind them is dropped */

/* Notes it once per chain and side. FALSE: it is a fault. */
static gboolean
differ(SlLedger *ledger, gboolean *noted, const char *text)
{
    if (!*noted)
        sl_ledger_note(ledger, SL_NOTE_ERROR, "%s", text);
    *noted = TRUE;
    return !ledger->strict;
}

/* "stream 's'" or "the sync" */
static char *
title_of(const SlLedger *ledger, guint chain)
{
    if (chain >= ledger->catalog->n_streams)
        return g_strdup("the sync");
    g_autofree char *title = sl_catalog_stream_title(&ledger->catalog->streams[chain]);
    return g_strdup_printf("stream '%s'", title);
}

gboolean
sl_ledger_check_source(SlLedger *ledger, const SlState *state, guint chain, guint64 records,
                       GError **error)
{
    const SlJsonNode *node =
        sl_json_get_path(&ledger->doc, state->root, "sourceStats", "recordCount", NULL);
    double said;
    if (state->kind == SL_STATE_LEGACY || node == NULL || node->type != SL_JSON_NUMBER ||
        !sl_json_get_double(node, &said) || said == (double)records)
        return TRUE;
    g_autofree char *title = title_of(ledger, chain);
    g_autofree char *text =
        g_strdup_printf("%s: the source says that it sent %.0f records since the last state, and "
                        "%" G_GUINT64_FORMAT " came",
                        title, said, records);
    return differ(ledger, &ledger->mismatch_noted[chain], text) ||
           sl_error_set(error, SL_ERROR_PROTOCOL, "%s", text);
}

/* A count of the destination's. FALSE: it gave none. */
static gboolean
get_count(const SlLedger *ledger, const SlJsonNode *state, const char *key, guint64 *ret)
{
    const SlJsonNode *node = sl_json_get_path(&ledger->doc, state, "destinationStats", key, NULL);
    double count;
    *ret = 0;
    if (node == NULL || node->type != SL_JSON_NUMBER || !sl_json_get_double(node, &count) ||
        count < 0 || count >= 9e18)
        return FALSE;
    *ret = (guint64)count; /* Python connectors write 5.0 */
    return TRUE;
}

static void
add_additional(SlLedger *ledger, const SlJsonNode *state, guint chain)
{
    const SlJsonNode *stats =
        sl_json_get_path(&ledger->doc, state, "destinationStats", "additionalStats", NULL);
    if (stats == NULL || stats->type != SL_JSON_OBJECT)
        return;
    SL_JSON_FOREACH (&ledger->doc, stats, key) {
        double value;
        if (key[1].type != SL_JSON_NUMBER || !sl_json_get_double(key + 1, &value))
            continue;
        if (ledger->additional[chain] == NULL)
            ledger->additional[chain] =
                g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        g_autofree char *name = sl_json_dup_string(key);
        double *sum = g_hash_table_lookup(ledger->additional[chain], name);
        if (sum != NULL)
            *sum += value;
        else if (g_hash_table_size(ledger->additional[chain]) < MAX_ADDITIONAL)
            g_hash_table_insert(ledger->additional[chain], g_steal_pointer(&name),
                                g_memdup2(&value, sizeof value));
    }
}

gboolean
sl_ledger_check_destination(SlLedger *ledger, const SlJsonNode *state, guint chain,
                            const SlEntry *entry, gboolean alone)
{
    guint64 written, rejected;
    gboolean of_stream = chain < ledger->catalog->n_streams;
    if (ledger->strict && ledger->destination_differed[chain])
        return FALSE; /* later states of the stream cover the same records */
    get_count(ledger, state, "rejectedRecordCount", &rejected);
    if (get_count(ledger, state, "recordCount", &written) && alone &&
        written + rejected != entry->passed) {
        g_autofree char *title = title_of(ledger, chain);
        g_autofree char *text =
            g_strdup_printf("%s: the destination says that it took %" G_GUINT64_FORMAT
                            " records (%" G_GUINT64_FORMAT " rejected) for state %" G_GINT64_FORMAT
                            ", and was given %" G_GUINT64_FORMAT,
                            title, written + rejected, rejected, entry->id, entry->passed);
        if (!differ(ledger, &ledger->destination_differed[chain], text)) {
            if (ledger->fault == NULL)
                ledger->fault = g_steal_pointer(&text);
            return FALSE;
        }
    }
    *(of_stream ? &ledger->books[chain].rejected : &ledger->rejected) += rejected;
    add_additional(ledger, state, chain);
    return TRUE;
}

static void
sum_up(const SlLedger *ledger, guint chain, GHashTable *sums)
{
    GHashTableIter iter;
    gpointer name, value;
    if (ledger->additional[chain] == NULL)
        return;
    g_hash_table_iter_init(&iter, ledger->additional[chain]);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        double *sum = g_hash_table_lookup(sums, name);
        if (sum != NULL)
            *sum += *(double *)value;
        else
            g_hash_table_insert(sums, name, g_memdup2(value, sizeof(double)));
    }
}

static gint
compare_names(gconstpointer a, gconstpointer b)
{
    return g_strcmp0(a, b);
}

void
sl_ledger_write_additional(const SlLedger *ledger, guint chain, SlJsonWriter *w)
{
    g_autoptr(GHashTable) sums = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    for (guint i = 0; i < ledger->n_chains; i++) {
        if (i == chain || chain == ledger->n_chains)
            sum_up(ledger, i, sums);
    }
    if (g_hash_table_size(sums) == 0)
        return;
    g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(sums), compare_names);
    sl_json_key(w, "additionalStats");
    sl_json_begin_object(w);
    for (GList *link = names; link != NULL; link = link->next) {
        sl_json_key(w, link->data);
        sl_json_double(w, *(double *)g_hash_table_lookup(sums, link->data));
    }
    sl_json_end_object(w);
}
