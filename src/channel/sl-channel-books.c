/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "sl-channel-books.h"

#include <string.h>

#include "sl-error.h"

/* States that wait for records are bounded: a source whose sockets are that far apart is broken. */
#define MAX_WAITING_BYTES ((gsize)64 * 1024 * 1024)
#define SHARED G_MAXUINT /* of a need: the partition of all streams */

typedef struct {
    guint stream;
    guint hash;
    gsize len;
    SlChannelCount count;
    char id[];
} Partition;

typedef struct {
    guint stream; /* SHARED: whichever has records in it */
    char *id;
    gsize len;
} Need;

typedef struct {
    gint64 ordinal; /* -1: none */
    gint stream;
    gboolean counted; /* it says how many records */
    double records;
    GArray *needs; /* of Need */
    char *line;
    gsize len;
} Waiting;

/* The states of a stream, or the GLOBAL ones. */
typedef struct {
    GQueue waiting; /* of Waiting, by ordinal */
    gint64 next;    /* ordinal that is due next */
} Chain;

typedef enum { KIND_NONE, KIND_STREAM, KIND_SHARED } Kind;

struct SlChannelBooks {
    guint n_streams, n_sockets;
    SlChannelFind find;
    gpointer find_data;
    GHashTable *partitions; /* a set of Partition */
    Partition *last;        /* of the last record */
    Chain *chains;          /* per stream, then that of all */
    guint busy;             /* chain at which the next look begins */
    Kind kind;
    guint n_waiting;
    gsize waiting_bytes;
    GQueue strangers; /* SlChannelState of streams that are not ours */
    SlJsonDoc doc;
};

/* --- partitions ---------------------------------------------------------------------------- */

static guint
hash_partition(guint stream, SlSpan id)
{
    guint hash = 5381 + stream;
    for (gsize i = 0; i < id.n; i++)
        hash = hash * 33 + (guint8)id.p[i];
    return hash;
}

static guint
partition_hash(gconstpointer key)
{
    return ((const Partition *)key)->hash;
}

static gboolean
partition_equal(gconstpointer a, gconstpointer b)
{
    const Partition *x = a, *y = b;
    return x->stream == y->stream && x->len == y->len && memcmp(x->id, y->id, x->len) == 0;
}

static Partition *
partition_new(guint stream, SlSpan id)
{
    Partition *partition = g_malloc0(sizeof *partition + id.n);
    partition->stream = stream;
    partition->hash = hash_partition(stream, id);
    partition->len = id.n;
    if (id.n > 0)
        memcpy(partition->id, id.p, id.n);
    return partition;
}

static Partition *
find_partition(const SlChannelBooks *books, guint stream, SlSpan id)
{
    g_autofree Partition *key = partition_new(stream, id);
    return g_hash_table_lookup(books->partitions, key);
}

SlChannelCount *
sl_channel_books_count(SlChannelBooks *books, guint stream, SlSpan partition)
{
    Partition *last = books->last;
    if (last != NULL && last->stream == stream && last->len == partition.n &&
        (partition.n == 0 || memcmp(last->id, partition.p, partition.n) == 0))
        return &last->count;
    last = find_partition(books, stream, partition);
    if (last == NULL) {
        last = partition_new(stream, partition);
        g_hash_table_add(books->partitions, last);
    }
    books->last = last;
    return &last->count;
}

/* --- states -------------------------------------------------------------------------------- */

/* With what the scanner needs behind it. */
static char *
dup_line(SlSpan line)
{
    char *copy = g_malloc0(line.n + SL_JSON_PADDING);
    memcpy(copy, line.p, line.n);
    return copy;
}

static void
clear_need(gpointer data)
{
    g_free(((Need *)data)->id);
}

static void
waiting_free(gpointer data)
{
    Waiting *waiting = data;
    if (waiting == NULL)
        return;
    g_array_unref(waiting->needs);
    g_free(waiting->line);
    g_free(waiting);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Waiting, waiting_free)

void
sl_channel_state_free(SlChannelState *state)
{
    if (state == NULL)
        return;
    g_free(state->line);
    g_free(state->counts);
    g_free(state);
}

SlChannelBooks *
sl_channel_books_new(guint n_streams, guint n_sockets, SlChannelFind find, gpointer data)
{
    SlChannelBooks *books = g_new0(SlChannelBooks, 1);
    books->n_streams = n_streams;
    books->n_sockets = n_sockets;
    books->find = find;
    books->find_data = data;
    books->partitions = g_hash_table_new_full(partition_hash, partition_equal, g_free, NULL);
    books->chains = g_new0(Chain, n_streams + 1);
    for (guint i = 0; i <= n_streams; i++) {
        g_queue_init(&books->chains[i].waiting);
        books->chains[i].next = 1;
    }
    g_queue_init(&books->strangers);
    return books;
}

static void
free_stranger(gpointer data)
{
    sl_channel_state_free(data);
}

void
sl_channel_books_free(SlChannelBooks *books)
{
    if (books == NULL)
        return;
    for (guint i = 0; i <= books->n_streams; i++)
        g_queue_clear_full(&books->chains[i].waiting, waiting_free);
    g_queue_clear_full(&books->strangers, free_stranger);
    g_hash_table_unref(books->partitions);
    g_free(books->chains);
    sl_json_doc_clear(&books->doc);
    g_free(books);
}

/* The partition_id beside a state. FALSE: there is none. */
static gboolean
add_need(SlChannelBooks *books, const SlJsonNode *holder, guint stream, Waiting *waiting)
{
    const SlJsonNode *node = sl_json_get(&books->doc, holder, "partition_id");
    g_autoptr(GString) id = g_string_new(NULL);
    if (node == NULL || !sl_json_append_string(node, id) || id->len == 0)
        return FALSE;
    Need need = {stream, NULL, id->len};
    need.id = g_string_free(g_steal_pointer(&id), FALSE);
    g_array_append_val(waiting->needs, need);
    return TRUE;
}

static void
add_needs(SlChannelBooks *books, const SlJsonNode *root, Waiting *waiting)
{
    add_need(books, root, waiting->stream >= 0 ? (guint)waiting->stream : SHARED, waiting);
    if (waiting->stream >= 0)
        return;
    const SlJsonNode *states = sl_json_get_path(&books->doc, root, "global", "stream_states", NULL);
    SL_JSON_FOREACH (&books->doc, states, item) {
        gint stream = books->find(&books->doc, sl_json_get(&books->doc, item, "stream_descriptor"),
                                  books->find_data);
        if (stream >= 0)
            add_need(books, item, (guint)stream, waiting);
    }
}

/* FALSE: it has come before. */
static gboolean
enqueue(SlChannelBooks *books, Chain *chain, Waiting *waiting, gboolean *ret_taken)
{
    GList *link = chain->waiting.tail;
    *ret_taken = FALSE;
    if (waiting->ordinal >= 0 && waiting->ordinal < chain->next)
        return FALSE;
    for (; link != NULL; link = link->prev) {
        const Waiting *other = link->data;
        if (waiting->ordinal >= 0 && other->ordinal == waiting->ordinal)
            return FALSE;
        if (waiting->ordinal < 0 || other->ordinal < waiting->ordinal)
            break;
    }
    if (link != NULL)
        g_queue_insert_after(&chain->waiting, link, waiting);
    else
        g_queue_push_head(&chain->waiting, waiting);
    books->n_waiting++;
    books->waiting_bytes += waiting->len;
    *ret_taken = TRUE;
    return TRUE;
}

static gboolean
place(SlChannelBooks *books, const SlJsonNode *root, Waiting *waiting, GError **error)
{
    const SlJsonNode *id = sl_json_get(&books->doc, root, "id");
    const SlJsonNode *count =
        sl_json_get_path(&books->doc, root, "sourceStats", "recordCount", NULL);
    waiting->ordinal = -1;
    if (id != NULL && (!sl_json_get_int64(id, &waiting->ordinal) || waiting->ordinal < 1))
        return sl_error_set(error, SL_ERROR_PROTOCOL, "a state whose id is not 1, 2, 3, …");
    waiting->counted = count != NULL && count->type == SL_JSON_NUMBER &&
                       sl_json_get_double(count, &waiting->records);
    add_needs(books, root, waiting);
    /* Without partitions it says nothing about which records. */
    waiting->counted = waiting->counted && waiting->needs->len > 0;
    if (books->n_sockets > 1 && (waiting->ordinal < 0 || !waiting->counted))
        return sl_error_set(error, SL_ERROR_PROTOCOL,
                            "a state without %s on one of %u sockets: nobody can say which records "
                            "it covers",
                            waiting->ordinal < 0       ? "id"
                            : waiting->needs->len == 0 ? "partition_id"
                                                       : "sourceStats.recordCount",
                            books->n_sockets);
    return TRUE;
}

/* Whose state it is; *ret_ours FALSE: nobody's that we know. */
static gboolean
judge_kind(SlChannelBooks *books, const SlJsonNode *root, gint *ret_stream, gboolean *ret_ours,
           GError **error)
{
    const SlJsonNode *type = sl_json_get(&books->doc, root, "type");
    gboolean of_stream = type != NULL && sl_json_string_is(type, "STREAM");
    Kind kind = of_stream ? KIND_STREAM : KIND_SHARED;
    *ret_stream = -1;
    *ret_ours = TRUE;
    if (books->kind != KIND_NONE && books->kind != kind)
        return sl_error_set(error, SL_ERROR_PROTOCOL,
                            "states of type STREAM are mixed with states of another type");
    books->kind = kind;
    if (!of_stream)
        return TRUE;
    *ret_stream = books->find(
        &books->doc, sl_json_get_path(&books->doc, root, "stream", "stream_descriptor", NULL),
        books->find_data);
    *ret_ours = *ret_stream >= 0;
    return TRUE;
}

static SlChannelState *
state_new(const SlChannelBooks *books, gint stream, char *line, gsize len)
{
    SlChannelState *state = g_new0(SlChannelState, 1);
    state->line = line;
    state->len = len;
    state->stream = stream;
    state->counts = g_new0(SlChannelCount, books->n_streams + 1);
    return state;
}

gboolean
sl_channel_books_add(SlChannelBooks *books, SlSpan payload, SlSpan line, GError **error)
{
    gint stream;
    gboolean ours, taken;
    if (payload.n == 0 || !sl_json_read_into(&books->doc, payload.p, payload.n, NULL, error)) {
        if (payload.n == 0)
            sl_error_set(error, SL_ERROR_PROTOCOL, "a state without content");
        else
            g_prefix_error(error, "a state: ");
        return FALSE;
    }
    const SlJsonNode *root = sl_json_root(&books->doc);
    if (root->type != SL_JSON_OBJECT)
        return sl_error_set(error, SL_ERROR_PROTOCOL, "a state that is no object");
    if (!judge_kind(books, root, &stream, &ours, error))
        return FALSE;
    if (!ours) {
        g_queue_push_tail(&books->strangers, state_new(books, -1, dup_line(line), line.n));
        return TRUE;
    }
    g_autoptr(Waiting) waiting = g_new0(Waiting, 1);
    waiting->needs = g_array_new(FALSE, FALSE, sizeof(Need));
    g_array_set_clear_func(waiting->needs, clear_need);
    waiting->stream = stream;
    if (!place(books, root, waiting, error))
        return FALSE;
    waiting->line = dup_line(line);
    waiting->len = line.n;
    Chain *chain = &books->chains[stream >= 0 ? (guint)stream : books->n_streams];
    if (enqueue(books, chain, waiting, &taken))
        g_steal_pointer(&waiting);
    return books->waiting_bytes <= MAX_WAITING_BYTES ||
           sl_error_set(error, SL_ERROR_PROTOCOL,
                        "%u states wait for records that have not come: too many",
                        books->n_waiting);
}

/* --- taking -------------------------------------------------------------------------------- */

/* Calls for each partition that a need names and that has records. */
static guint64
sum_need(SlChannelBooks *books, const Need *need, SlChannelCount *counts, gboolean drop)
{
    guint first = need->stream == SHARED ? 0 : need->stream;
    guint last = need->stream == SHARED ? books->n_streams : need->stream + 1;
    guint64 sum = 0;
    for (guint i = first; i < last; i++) {
        Partition *partition = find_partition(books, i, (SlSpan){need->id, need->len});
        if (partition == NULL)
            continue;
        sum += partition->count.records;
        if (counts == NULL)
            continue;
        counts[i].records += partition->count.records;
        counts[i].bytes += partition->count.bytes;
        counts[i].filtered += partition->count.filtered;
        counts[i].filtered_bytes += partition->count.filtered_bytes;
        if (drop) {
            if (books->last == partition)
                books->last = NULL;
            g_hash_table_remove(books->partitions, partition);
        }
    }
    return sum;
}

static guint64
sum_needs(SlChannelBooks *books, const Waiting *waiting, SlChannelCount *counts)
{
    guint64 sum = 0;
    for (guint i = 0; i < waiting->needs->len; i++)
        sum += sum_need(books, &g_array_index(waiting->needs, Need, i), counts, counts != NULL);
    return sum;
}

/* Without partitions: everything that has come. */
static void
sum_all(SlChannelBooks *books, gint stream, SlChannelCount *counts)
{
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, books->partitions);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        const Partition *partition = key;
        if (stream >= 0 && partition->stream != (guint)stream)
            continue;
        SlChannelCount *count = &counts[partition->stream];
        count->records += partition->count.records;
        count->bytes += partition->count.bytes;
        count->filtered += partition->count.filtered;
        count->filtered_bytes += partition->count.filtered_bytes;
        if (books->last == partition)
            books->last = NULL;
        g_hash_table_iter_remove(&iter);
    }
}

static SlChannelState *
take_head(SlChannelBooks *books, Chain *chain)
{
    g_autoptr(Waiting) waiting = g_queue_pop_head(&chain->waiting);
    SlChannelState *state =
        state_new(books, waiting->stream, g_steal_pointer(&waiting->line), waiting->len);
    books->n_waiting--;
    books->waiting_bytes -= waiting->len;
    if (waiting->ordinal >= 0)
        chain->next = waiting->ordinal + 1;
    if (waiting->counted)
        sum_needs(books, waiting, state->counts);
    else
        sum_all(books, waiting->stream, state->counts);
    return state;
}

/* Is the chain's first state due? */
static gboolean
is_due(SlChannelBooks *books, const Chain *chain, gboolean *ret_due, GError **error)
{
    const Waiting *head = g_queue_peek_head((GQueue *)&chain->waiting);
    *ret_due = FALSE;
    if (head == NULL || (head->ordinal >= 0 && head->ordinal != chain->next &&
                         (books->n_sockets > 1 || head->counted)))
        return TRUE;
    if (!head->counted) {
        *ret_due = TRUE;
        return TRUE;
    }
    guint64 sum = sum_needs(books, head, NULL);
    if ((double)sum > head->records)
        return sl_error_set(error, SL_ERROR_PROTOCOL,
                            "state %" G_GINT64_FORMAT " says that partition '%s' has %.0f records, "
                            "and %" G_GUINT64_FORMAT " came",
                            head->ordinal, g_array_index(head->needs, Need, 0).id, head->records,
                            sum);
    *ret_due = (double)sum == head->records;
    return TRUE;
}

SlChannelState *
sl_channel_books_take(SlChannelBooks *books, GError **error)
{
    SlChannelState *stranger = g_queue_pop_head(&books->strangers);
    if (stranger != NULL || books->n_waiting == 0)
        return stranger;
    for (guint i = 0; i <= books->n_streams; i++) {
        guint at = (books->busy + i) % (books->n_streams + 1);
        Chain *chain = &books->chains[at];
        gboolean due;
        if (!is_due(books, chain, &due, error))
            return NULL;
        if (due) {
            books->busy = at;
            return take_head(books, chain);
        }
    }
    return NULL;
}

guint
sl_channel_books_waiting(const SlChannelBooks *books)
{
    return books->n_waiting;
}

char *
sl_channel_books_describe(SlChannelBooks *books)
{
    for (guint i = 0; i <= books->n_streams; i++) {
        const Chain *chain = &books->chains[i];
        const Waiting *head = g_queue_peek_head((GQueue *)&chain->waiting);
        if (head == NULL)
            continue;
        if (head->ordinal >= 0 && head->ordinal != chain->next)
            return g_strdup_printf("state %" G_GINT64_FORMAT " came, and state %" G_GINT64_FORMAT
                                   " before it never did",
                                   head->ordinal, chain->next);
        return g_strdup_printf("state %" G_GINT64_FORMAT " says that partition '%s' has %.0f "
                               "records, and only %" G_GUINT64_FORMAT " came",
                               head->ordinal, g_array_index(head->needs, Need, 0).id, head->records,
                               sum_needs(books, head, NULL));
    }
    return NULL;
}

/* --- lines --------------------------------------------------------------------------------- */

static const char *
skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p;
}

static SlSpan
find_member(const char *p, const char *end)
{
    static const char key[] = "\"partition_id\"";
    for (; p < end && (p = memmem(p, (gsize)(end - p), key, sizeof key - 1)) != NULL;) {
        p = skip_space(p + sizeof key - 1, end);
        if (p == end || *p != ':')
            continue;
        p = skip_space(p + 1, end);
        if (p == end || *p != '"')
            continue;
        const char *text = ++p;
        while (p < end && *p != '"')
            p += *p == '\\' ? 2 : 1;
        if (p < end)
            return (SlSpan){text, (gsize)(p - text)};
        break;
    }
    return (SlSpan){NULL, 0};
}

/* What is in front of the data and behind it, where the meta is not. */
SlSpan
sl_channel_find_partition(const SlMessage *message, const char *line, gsize len)
{
    const char *end = line + len;
    SlSpan holes[2] = {message->data, message->meta};
    if (holes[1].n > 0 && holes[1].p < holes[0].p) {
        holes[0] = message->meta;
        holes[1] = message->data;
    }
    const char *from = line;
    for (guint i = 0; i < 2; i++) {
        if (holes[i].n == 0)
            continue;
        SlSpan found = find_member(from, holes[i].p);
        if (found.p != NULL)
            return found;
        from = holes[i].p + holes[i].n;
    }
    return find_member(from, end);
}
