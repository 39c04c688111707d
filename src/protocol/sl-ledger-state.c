/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-ledger-private.h"

#include <string.h>

#include "sl-error.h"

#define KEEP_NODES 65536
#define MAX_EDITS 4

static const struct {
    const char *type, *member;
} kinds[] = {
    [SL_STATE_STREAM] = {"STREAM", "stream"},
    [SL_STATE_GLOBAL] = {"GLOBAL", "global"},
    [SL_STATE_LEGACY] = {"LEGACY", "data"},
};

gboolean
sl_state_read(SlJsonDoc *doc, SlSpan payload, SlState *ret, GError **error)
{
    *ret = (SlState){.kind = SL_STATE_LEGACY};
    if (payload.n == 0)
        return sl_error_set(error, SL_ERROR_PROTOCOL, "state: missing");
    if (!sl_json_read_into(doc, payload.p, payload.n, NULL, error))
        return FALSE;
    ret->root = sl_json_root(doc);
    if (ret->root->type != SL_JSON_OBJECT)
        return sl_error_set(error, SL_ERROR_PROTOCOL, "state: expected an object");
    const SlJsonNode *type = sl_json_get(doc, ret->root, "type");
    if (type != NULL && type->type != SL_JSON_NULL) {
        ret->kind = SL_STATE_UNKNOWN;
        for (guint i = SL_STATE_STREAM; i <= SL_STATE_LEGACY; i++)
            ret->kind = sl_json_string_is(type, kinds[i].type) ? i : ret->kind;
        if (ret->kind == SL_STATE_UNKNOWN)
            return sl_error_set(error, SL_ERROR_PROTOCOL, "state.type: unknown value %.*s",
                                (int)MIN(type->n, 80), type->p);
    }
    ret->content = sl_json_get(doc, ret->root, kinds[ret->kind].member);
    if (ret->kind == SL_STATE_LEGACY)
        return TRUE;
    if (ret->content == NULL || ret->content->type != SL_JSON_OBJECT)
        return sl_error_set(error, SL_ERROR_PROTOCOL, "state.%s: expected an object",
                            kinds[ret->kind].member);
    if (ret->kind == SL_STATE_STREAM) {
        ret->descriptor = sl_json_get(doc, ret->content, "stream_descriptor");
        ret->content = sl_json_get(doc, ret->content, "stream_state");
    }
    return TRUE;
}

void
sl_state_forget(SlJsonDoc *doc)
{
    if (doc->n_allocated > KEEP_NODES)
        sl_json_doc_clear(doc);
}

static guint64
mix(guint64 hash, const char *p, gsize n)
{
    hash = (hash ^ n) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    for (; n > 0; p++, n--)
        hash = (hash ^ (guint8)*p) * G_GUINT64_CONSTANT(0x100000001b3);
    return hash ^ hash >> 29;
}

/* Of the content, whatever white space stands between its tokens and however strings are escaped.
 */
guint64
sl_state_hash(const SlJsonDoc *doc, const SlJsonNode *root)
{
    const SlJsonNode *content = NULL;
    guint64 hash = 14695981039346656037u;
    const SlJsonNode *stream = sl_json_get(doc, root, "stream");
    content = stream != NULL ? sl_json_get(doc, stream, "stream_state")
                             : sl_json_get(doc, root, "global");
    if (content == NULL)
        content = sl_json_get(doc, root, "data");
    if (content == NULL)
        return hash;
    g_autoptr(GString) text = g_string_new(NULL);
    for (const SlJsonNode *node = content; node < doc->nodes + content->end; node++) {
        guint8 head[5] = {node->type, (guint8)node->count, (guint8)(node->count >> 8),
                          (guint8)(node->count >> 16), (guint8)(node->count >> 24)};
        hash = mix(hash, (const char *)head, sizeof head);
        g_string_truncate(text, 0);
        if (node->type == SL_JSON_NUMBER)
            hash = mix(hash, node->p, node->n);
        else if (sl_json_append_string(node, text))
            hash = mix(hash, text->str, text->len);
    }
    return MAX(hash, 1);
}

/* --- the line for the destination ------------------------------------------ */

/* `cut` bytes at `at` give way to `text`. */
typedef struct {
    const char *at;
    gsize cut;
    const char *text;
} Edit;

typedef struct {
    Edit list[MAX_EDITS];
    guint n;
} Edits;

static void
add_edit(Edits *edits, const char *at, gsize cut, const char *text)
{
    guint i = edits->n++;
    g_return_if_fail(i < MAX_EDITS);
    for (; i > 0 && edits->list[i - 1].at > at; i--)
        edits->list[i] = edits->list[i - 1];
    edits->list[i] = (Edit){at, cut, text};
}

static void
append_edited(const Edits *edits, const char *line, gsize len, GString *out)
{
    const char *end = line + len;
    while (end > line && (end[-1] == '\n' || end[-1] == '\r'))
        end--;
    for (guint i = 0; i < edits->n; i++) {
        const Edit *edit = &edits->list[i];
        g_string_append_len(out, line, edit->at - line);
        g_string_append(out, edit->text);
        line = edit->at + edit->cut;
    }
    g_string_append_len(out, line, end - line);
    g_string_append_c(out, '\n');
}

/* The names of a stream as the destination knows them. `ns_text` holds a new member. */
static void
edit_names(const SlLedger *ledger, const SlCatalogStream *stream, const SlState *state,
           GString *ns_text, Edits *edits)
{
    const SlJsonNode *name = sl_json_get(&ledger->doc, state->descriptor, "name");
    const SlJsonNode *ns = sl_json_get(&ledger->doc, state->descriptor, "namespace");
    add_edit(edits, name->p, name->n, stream->to_name_json);
    if (ns != NULL) {
        add_edit(edits, ns->p, ns->n, stream->to_ns_json);
    } else if (stream->to_ns != NULL) {
        g_string_printf(ns_text, "\"namespace\":%s,", stream->to_ns_json);
        add_edit(edits, state->descriptor->p + 1, 0, ns_text->str);
    }
}

/* The id that goes with it: the source's own when it goes up, ours otherwise. */
static gint64
choose_id(SlLedger *ledger, const SlState *state, gint stream, char text[32], Edits *edits)
{
    const SlJsonNode *node = sl_json_get(&ledger->doc, state->root, "id");
    const SlChain *chain = &ledger->chains[stream >= 0 ? (guint)stream : ledger->n_chains - 1];
    gint64 id, last = ledger->ordinals ? chain->newest : ledger->last_id;
    if (node != NULL && node->type == SL_JSON_NUMBER && sl_json_get_int64(node, &id) && id > last &&
        id < G_MAXINT64)
        return id;
    id = last + 1;
    if (node == NULL) {
        g_snprintf(text, 32, "\"id\":%" G_GINT64_FORMAT "%s", id,
                   state->root->count > 0 ? "," : "");
        add_edit(edits, state->root->p + 1, 0, text);
        return id;
    }
    if (!ledger->odd_id_noted)
        sl_ledger_note(ledger, SL_NOTE_WARNING,
                       "the source sent a state whose id does not go up; ids are replaced");
    ledger->odd_id_noted = TRUE;
    g_snprintf(text, 32, "%" G_GINT64_FORMAT, id);
    add_edit(edits, node->p, node->n, text);
    return id;
}

/* How many records a state covers: `passed` reached the destination, `filtered` did not. */
typedef struct {
    guint64 passed, filtered;
} Covered;

/* The source's own count, less what we did not let pass: the destination would miss it. Where it
 * gives none, the destination is told ours. */
static void
edit_count(const SlLedger *ledger, const SlState *state, Covered covered, char text[64],
           Edits *edits)
{
    const SlJsonNode *stats = sl_json_get(&ledger->doc, state->root, "sourceStats");
    gboolean is_object = stats != NULL && stats->type == SL_JSON_OBJECT;
    const SlJsonNode *node = is_object ? sl_json_get(&ledger->doc, stats, "recordCount") : NULL;
    gint64 said;
    if (node != NULL) {
        if (covered.filtered == 0 || node->type != SL_JSON_NUMBER ||
            !sl_json_get_int64(node, &said) || said < 0)
            return;
        g_snprintf(text, 64, "%" G_GUINT64_FORMAT,
                   (guint64)said - MIN(covered.filtered, (guint64)said));
        add_edit(edits, node->p, node->n, text);
        return;
    }
    if (state->kind == SL_STATE_LEGACY || ledger->ordinals)
        return; /* with ordinals, a count is a promise that only the source can make */
    g_snprintf(text, 64, "%s\"recordCount\":%" G_GUINT64_FORMAT "%s",
               is_object       ? ""
               : stats != NULL ? "{"
                               : "\"sourceStats\":{",
               covered.passed,
               !is_object && stats != NULL ? "}"
               : !is_object                ? "},"
               : stats->count > 0          ? ","
                                           : "");
    add_edit(edits,
             is_object       ? stats->p + 1
             : stats != NULL ? stats->p
                             : state->root->p + 1,
             is_object || stats == NULL ? 0 : stats->n, text);
}

/* --- entering -------------------------------------------------------------- */

static void
close_books(SlLedger *ledger, SlEntry *entry, guint stream)
{
    SlStreamBooks *books = &ledger->books[stream];
    SlCount count = sl_ledger_passed(books);
    count.records -= books->ahead.records;
    count.bytes -= books->ahead.bytes;
    entry->counts[entry->n_counts++] = (SlSnapshot){stream, count};
    entry->passed += books->since_state - books->filtered_since_state;
    entry->filtered += books->filtered_since_state;
    books->since_state = books->filtered_since_state = 0;
    books->source_states++;
}

/* A GLOBAL closes the books of the streams it lists; LEGACY those of all. */
static void
close_all_books(SlLedger *ledger, const SlState *state, SlEntry *entry)
{
    guint n = ledger->catalog->n_streams;
    const SlJsonNode *listed = state->kind == SL_STATE_GLOBAL
                                   ? sl_json_get(&ledger->doc, state->content, "stream_states")
                                   : NULL;
    entry->counts = g_new(SlSnapshot, MAX(listed != NULL ? MIN(listed->count, n) : n, 1));
    if (state->kind == SL_STATE_LEGACY) {
        for (guint i = 0; i < n; i++)
            close_books(ledger, entry, i);
        return;
    }
    g_autofree guint8 *seen = g_malloc0(MAX(n, 1));
    SL_JSON_FOREACH (&ledger->doc, listed, item) {
        gint stream = sl_stream_table_find_descriptor(
            ledger->from, &ledger->doc, sl_json_get(&ledger->doc, item, "stream_descriptor"));
        if (stream < 0 || seen[stream])
            continue;
        seen[stream] = TRUE;
        close_books(ledger, entry, (guint)stream);
    }
}

/* What is persisted: the payload, less `data` where it only repeats the rest for old readers. */
static void
keep_bytes(SlLedger *ledger, const SlState *state, SlEntry *entry)
{
    const SlJsonNode *root = state->root;
    gboolean repeats = FALSE;
    if (state->kind != SL_STATE_LEGACY)
        repeats = sl_json_get(&ledger->doc, root, "data") != NULL;
    if (!repeats) {
        entry->len = root->n;
        entry->state = g_memdup2(root->p, root->n);
        return;
    }
    GString *text = g_string_sized_new(root->n);
    SL_JSON_FOREACH (&ledger->doc, root, key) {
        if (sl_json_string_is(key, "data"))
            continue;
        g_string_append_c(text, text->len == 0 ? '{' : ',');
        g_string_append_len(text, key->p, (gssize)key->n);
        g_string_append_c(text, ':');
        g_string_append_len(text, key[1].p, (gssize)key[1].n);
    }
    g_string_append_c(text, '}');
    entry->len = text->len;
    entry->state = g_string_free(text, FALSE);
}

static gboolean
enter(SlLedger *ledger, const SlState *state, gint stream, gint64 id, Covered *ret, GError **error)
{
    SlEntry *entry = g_new0(SlEntry, 1);
    entry->id = ledger->last_id = id;
    ledger->source_states++;
    keep_bytes(ledger, state, entry);
    if (stream >= 0) {
        entry->chain = (guint)stream;
        entry->counts = g_new(SlSnapshot, 1);
        close_books(ledger, entry, entry->chain);
    } else {
        entry->chain = ledger->n_chains - 1;
        close_all_books(ledger, state, entry);
    }
    *ret = (Covered){entry->passed, entry->filtered};
    guint chain = entry->chain;
    sl_ledger_push(ledger, entry);
    return sl_ledger_check_source(ledger, state, chain, ret->passed + ret->filtered, error);
}

void
sl_ledger_add_missing_state(SlLedger *ledger, guint stream, GString *out)
{
    static const char head[] = "{\"type\":\"STATE\",\"state\":";
    const SlCatalogStream *known = &ledger->catalog->streams[stream];
    if (known->sync_mode != SL_SYNC_FULL_REFRESH || known->resumable ||
        ledger->books[stream].source_states > 0 ||
        (ledger->kind != SL_STATE_UNKNOWN && ledger->kind != SL_STATE_STREAM))
        return;
    g_autoptr(GString) line = g_string_new(head);
    SlJsonWriter w = SL_JSON_WRITER_INIT(line);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "type", "STREAM");
    sl_json_key(&w, "stream");
    sl_json_begin_object(&w);
    sl_json_key(&w, "stream_descriptor");
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "name", known->name);
    sl_json_member_string(&w, "namespace", known->ns);
    sl_json_end_object(&w);
    sl_json_member_raw(&w, "stream_state", "{}");
    sl_json_end_object(&w);
    sl_json_end_object(&w);
    SlSpan payload = {NULL, line->len - strlen(head)};
    g_string_append_c(line, '}');
    payload.p = line->str + strlen(head);
    if (!sl_ledger_add_state(ledger, line->str, line->len, payload, out, NULL))
        g_return_if_reached();
}

gboolean
sl_ledger_add_state(SlLedger *ledger, const char *line, gsize len, SlSpan payload, GString *out,
                    GError **error)
{
    SlState state;
    Edits edits = {.n = 0};
    char id_text[32], count_text[64];
    Covered covered;
    gint stream = -1;
    g_autoptr(GString) ns_text = NULL;

    if (!sl_state_read(&ledger->doc, payload, &state, error)) {
        g_prefix_error(error, "the source sent a broken state: ");
        return FALSE;
    }
    if (ledger->kind != SL_STATE_UNKNOWN && ledger->kind != state.kind)
        return sl_error_set(error, SL_ERROR_PROTOCOL,
                            "the source sent a state of type %s behind states of type %s",
                            kinds[state.kind].type, kinds[ledger->kind].type);
    ledger->kind = state.kind;
    if (state.kind == SL_STATE_STREAM) {
        stream = sl_stream_table_find_descriptor(ledger->from, &ledger->doc, state.descriptor);
        if (stream < 0) {
            if (!ledger->unknown_stream_noted)
                sl_ledger_note(ledger, SL_NOTE_WARNING,
                               "the source sent a state of a stream that is not in the catalog, "
                               "ignoring: %.*s",
                               state.descriptor != NULL ? (int)MIN(state.descriptor->n, 200) : 0,
                               state.descriptor != NULL ? state.descriptor->p : "");
            ledger->unknown_stream_noted = TRUE;
            return TRUE;
        }
        if (ledger->catalog->streams[stream].renamed) {
            ns_text = g_string_new(NULL);
            edit_names(ledger, &ledger->catalog->streams[stream], &state, ns_text, &edits);
        }
    }
    gint64 id = choose_id(ledger, &state, stream, id_text, &edits);
    if (!enter(ledger, &state, stream, id, &covered, error))
        return FALSE;
    edit_count(ledger, &state, covered, count_text, &edits);
    append_edited(&edits, line, len, out);
    sl_state_forget(&ledger->doc);
    return TRUE;
}
