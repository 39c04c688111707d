/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "sl-channel-books.h"

#include <string.h>

#include "sl-error.h"

static SlSpan
span(const char *text)
{
    return (SlSpan){text, strlen(text)};
}

/* Streams are called "0", "1", … */
static gint
find(const SlJsonDoc *doc, const SlJsonNode *descriptor, gpointer data)
{
    const SlJsonNode *name = sl_json_get(doc, descriptor, "name");
    return name == NULL || sl_json_string_is(name, "?") ? -1 : name->p[1] - '0';
}

static void
send_records(SlChannelBooks *books, guint stream, const char *partition, guint n)
{
    for (guint i = 0; i < n; i++) {
        SlChannelCount *count = sl_channel_books_count(books, stream, span(partition));
        count->records++;
        count->bytes += 10;
    }
}

static gboolean
send_state(SlChannelBooks *books, const char *stream, const char *more, GError **error)
{
    g_autofree char *text = g_strdup_printf(
        "{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"%s\"}}%s}", stream,
        more);
    return sl_channel_books_add(books, span(text), span(more), error);
}

static char *
members(gint64 id, const char *partition, guint n)
{
    return g_strdup_printf(",\"id\":%" G_GINT64_FORMAT
                           ",\"partition_id\":\"%s\",\"sourceStats\":{\"recordCount\":%u.0}",
                           id, partition, n);
}

static void
state(SlChannelBooks *books, const char *stream, gint64 id, const char *partition, guint n)
{
    g_autofree char *more = members(id, partition, n);
    g_autoptr(GError) error = NULL;
    g_assert_true(send_state(books, stream, more, &error));
    g_assert_no_error(error);
}

/* The ids of what is due, "1 2"; *ret_records: what they cover. */
static char *
take_all(SlChannelBooks *books, guint64 *ret_records)
{
    g_autoptr(GError) error = NULL;
    GString *ids = g_string_new(NULL);
    guint64 records = 0;
    for (;;) {
        g_autoptr(SlChannelState) due = sl_channel_books_take(books, &error);
        g_assert_no_error(error);
        if (due == NULL)
            break;
        const char *id = g_strstr_len(due->line, (gssize)due->len, "\"id\":");
        g_string_append_printf(ids, "%s%.1s", ids->len > 0 ? " " : "", id == NULL ? "-" : id + 5);
        for (guint i = 0; i < 2; i++)
            records += due->counts[i].records;
    }
    if (ret_records != NULL)
        *ret_records = records;
    return g_string_free(ids, FALSE);
}

static void
expect(SlChannelBooks *books, const char *ids, guint64 records)
{
    guint64 found;
    g_autofree char *text = take_all(books, &found);
    g_assert_cmpstr(text, ==, ids);
    g_assert_cmpuint(found, ==, records);
}

static void
test_waits_for_records(void)
{
    g_autoptr(SlChannelBooks) books = sl_channel_books_new(2, 4, find, NULL);
    send_records(books, 0, "a", 2);
    state(books, "0", 1, "a", 3);
    expect(books, "", 0);
    g_assert_cmpuint(sl_channel_books_waiting(books), ==, 1);
    send_records(books, 0, "b", 5); /* of the next one */
    send_records(books, 1, "a", 5); /* of another stream */
    expect(books, "", 0);
    send_records(books, 0, "a", 1);
    expect(books, "1", 3);
    g_assert_cmpuint(sl_channel_books_waiting(books), ==, 0);
    state(books, "0", 2, "b", 5);
    expect(books, "2", 5);
    state(books, "0", 3, "none", 0);
    expect(books, "3", 0);
}

static void
test_order(void)
{
    g_autoptr(SlChannelBooks) books = sl_channel_books_new(2, 4, find, NULL);
    send_records(books, 0, "c", 1);
    send_records(books, 0, "b", 1);
    state(books, "0", 3, "c", 1);
    state(books, "0", 2, "b", 1);
    expect(books, "", 0); /* whole, but not the first */
    state(books, "1", 1, "x", 0);
    expect(books, "1", 0); /* another stream does not wait */
    send_records(books, 0, "a", 1);
    state(books, "0", 1, "a", 1);
    expect(books, "1 2 3", 3);
}

static void
test_repeated(void)
{
    g_autoptr(SlChannelBooks) books = sl_channel_books_new(2, 4, find, NULL);
    state(books, "0", 2, "b", 0);
    state(books, "0", 2, "b", 0);
    state(books, "0", 1, "a", 0);
    expect(books, "1 2", 0);
    state(books, "0", 1, "a", 0);
    expect(books, "", 0);
    g_assert_cmpuint(sl_channel_books_waiting(books), ==, 0);
}

static void
test_global(void)
{
    static const char global[] =
        "{\"type\":\"GLOBAL\",\"id\":1,\"partition_id\":\"g\",\"global\":{\"stream_states\":["
        "{\"stream_descriptor\":{\"name\":\"0\"},\"partition_id\":\"p\"},"
        "{\"stream_descriptor\":{\"name\":\"?\"},\"partition_id\":\"p\"},"
        "{\"stream_descriptor\":{\"name\":\"1\"},\"partition_id\":\"q\"}]},"
        "\"sourceStats\":{\"recordCount\":7}}";
    g_autoptr(SlChannelBooks) books = sl_channel_books_new(2, 2, find, NULL);
    g_autoptr(GError) error = NULL;
    g_assert_true(sl_channel_books_add(books, span(global), span("line"), &error));
    send_records(books, 0, "g", 1);
    send_records(books, 1, "g", 1);
    send_records(books, 0, "p", 2);
    send_records(books, 1, "p", 9); /* the partition of that name of another stream */
    expect(books, "", 0);
    send_records(books, 1, "q", 3);
    g_autoptr(SlChannelState) due = sl_channel_books_take(books, NULL);
    g_assert_nonnull(due);
    g_assert_cmpint(due->stream, ==, -1);
    g_assert_cmpuint(due->counts[0].records, ==, 3);
    g_assert_cmpuint(due->counts[1].records, ==, 4);
    g_assert_cmpuint(due->counts[1].bytes, ==, 40);
    g_assert_false(send_state(books, "0", ",\"id\":1", &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_PROTOCOL);
}

static void
test_one_socket(void)
{
    g_autoptr(SlChannelBooks) books = sl_channel_books_new(2, 1, find, NULL);
    send_records(books, 0, "", 4);
    g_assert_true(send_state(books, "0", "", NULL));
    expect(books, "-", 4);
    send_records(books, 0, "", 1);
    send_records(books, 1, "", 8);
    g_assert_true(send_state(books, "0", ",\"id\":9", NULL));
    expect(books, "9", 1);
    g_assert_true(send_state(books, "1", ",\"partition_id\":\"\"", NULL));
    expect(books, "-", 8);
}

static void
test_refused(void)
{
    static const struct {
        const char *more, *text;
    } cases[] = {
        {"", "without id"},
        {",\"id\":1", "without partition_id"},
        {",\"id\":1,\"partition_id\":\"a\"", "without sourceStats.recordCount"},
        {",\"id\":1,\"partition_id\":5,\"sourceStats\":{\"recordCount\":1}",
         "without partition_id"},
        {",\"id\":1,\"partition_id\":\"a\",\"sourceStats\":{\"recordCount\":\"1\"}",
         "without sourceStats.recordCount"},
        {",\"id\":0", "is not 1, 2, 3"},
        {",\"id\":\"1\"", "is not 1, 2, 3"},
        {",", "a state: "},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SlChannelBooks) books = sl_channel_books_new(2, 4, find, NULL);
        g_autoptr(GError) error = NULL;
        g_assert_false(send_state(books, "0", cases[i].more, &error));
        g_assert_nonnull(error);
        g_test_message("%s: %s", cases[i].more, error->message);
        g_assert_nonnull(strstr(error->message, cases[i].text));
    }
    g_autoptr(SlChannelBooks) books = sl_channel_books_new(2, 4, find, NULL);
    g_autoptr(GError) error = NULL;
    g_assert_false(sl_channel_books_add(books, (SlSpan){NULL, 0}, span(""), &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_PROTOCOL);
}

static void
test_too_many_records(void)
{
    g_autoptr(SlChannelBooks) books = sl_channel_books_new(2, 4, find, NULL);
    g_autoptr(GError) error = NULL;
    send_records(books, 0, "a", 4);
    state(books, "0", 1, "a", 3);
    g_assert_null(sl_channel_books_take(books, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_PROTOCOL);
    g_assert_cmpstr(error->message, ==,
                    "state 1 says that partition 'a' has 3 records, and 4 came");
}

static void
test_describe(void)
{
    g_autoptr(SlChannelBooks) books = sl_channel_books_new(2, 4, find, NULL);
    g_assert_null(sl_channel_books_describe(books));
    state(books, "1", 2, "a", 3);
    g_autofree char *gap = sl_channel_books_describe(books);
    g_assert_cmpstr(gap, ==, "state 2 came, and state 1 before it never did");
    send_records(books, 1, "b", 1);
    state(books, "1", 1, "b", 2);
    g_autofree char *missing = sl_channel_books_describe(books);
    g_assert_cmpstr(missing, ==, "state 1 says that partition 'b' has 2 records, and only 1 came");
}

static void
test_strangers(void)
{
    g_autoptr(SlChannelBooks) books = sl_channel_books_new(2, 4, find, NULL);
    g_assert_true(send_state(books, "?", ",\"id\":5", NULL));
    expect(books, "5", 0);
}

static void
test_bounded(void)
{
    g_autoptr(SlChannelBooks) books = sl_channel_books_new(2, 4, find, NULL);
    g_autofree char *big = g_strnfill(4 * 1024 * 1024, 'x');
    g_autoptr(GError) error = NULL;
    gboolean ok = TRUE;
    guint n = 0;
    for (; ok && n < 100; n++) {
        g_autofree char *more = members(n + 2, "a", 1);
        g_autofree char *text = g_strdup_printf(
            "{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"0\"}}%s}", more);
        ok = sl_channel_books_add(books, span(text), span(big), &error);
    }
    g_assert_error(error, SL_ERROR, SL_ERROR_PROTOCOL);
    g_assert_cmpuint(n, <, 20);
}

/* Four sockets that race: whatever the order, every state comes once, in order, with its records.
 */
static void
test_shuffled(void)
{
    enum { STATES = 50, RECORDS = 20 };
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    for (guint round = 0; round < 50; round++) {
        g_autoptr(SlChannelBooks) books = sl_channel_books_new(2, 4, find, NULL);
        guint events[STATES * (RECORDS + 1)], n = G_N_ELEMENTS(events), next = 1;
        for (guint i = 0; i < n; i++)
            events[i] = i;
        for (guint i = n - 1; i > 0; i--) {
            guint k = (guint)g_rand_int_range(random, 0, (gint32)i + 1), keep = events[i];
            events[i] = events[k];
            events[k] = keep;
        }
        for (guint i = 0; i < n; i++) {
            guint of = events[i] / (RECORDS + 1);
            g_autofree char *partition = g_strdup_printf("p%u", of);
            if (events[i] % (RECORDS + 1) == 0)
                state(books, "0", of + 1, partition, RECORDS);
            else
                send_records(books, 0, partition, 1);
            for (;;) {
                g_autoptr(SlChannelState) due = sl_channel_books_take(books, NULL);
                if (due == NULL)
                    break;
                g_autofree char *expected = members(next++, "", 0);
                *strchr(expected + 1, ',') = '\0';
                g_assert_true(strncmp(due->line, expected, strlen(expected)) == 0);
                g_assert_cmpuint(due->counts[0].records, ==, RECORDS);
            }
        }
        g_assert_cmpuint(next, ==, STATES + 1);
        g_assert_cmpuint(sl_channel_books_waiting(books), ==, 0);
    }
}

static void
test_find_partition(void)
{
    static const struct {
        const char *line, *found;
    } cases[] = {
        {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"s\",\"data\":{},\"emitted_at\":1,"
         "\"partition_id\":\"abc\"}}",
         "abc"},
        {"{\"type\":\"RECORD\",\"record\":{\"partition_id\" : \"x\",\"stream\":\"s\",\"data\":{}}}",
         "x"},
        {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"s\",\"data\":{\"partition_id\":\"no\"},"
         "\"meta\":{\"partition_id\":\"no\"}}}",
         ""},
        {"{\"type\":\"RECORD\",\"record\":{\"meta\":{\"partition_id\":\"no\"},\"stream\":"
         "\"partition_id\",\"partition_id\":\"y\",\"data\":{}}}",
         "y"},
        {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"s\",\"data\":{},\"partition_id\":null}}",
         ""},
        {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"s\",\"data\":{},\"partition_id\":\"\"}}",
         ""},
    };
    g_autoptr(SlJsonScanner) scanner = sl_json_scanner_new();
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        gsize len = strlen(cases[i].line);
        g_autofree char *line = g_malloc0(len + SL_JSON_PADDING);
        memcpy(line, cases[i].line, len);
        SlMessage message;
        sl_json_scan(scanner, line, len, &message);
        g_assert_cmpint(message.type, ==, SL_MESSAGE_RECORD);
        SlSpan found = sl_channel_find_partition(&message, line, len);
        g_autofree char *text = g_strndup(found.p, found.n);
        g_assert_cmpstr(text != NULL ? text : "", ==, cases[i].found);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/channel/books/waits-for-records", test_waits_for_records);
    g_test_add_func("/channel/books/order", test_order);
    g_test_add_func("/channel/books/repeated", test_repeated);
    g_test_add_func("/channel/books/global", test_global);
    g_test_add_func("/channel/books/one-socket", test_one_socket);
    g_test_add_func("/channel/books/refused", test_refused);
    g_test_add_func("/channel/books/too-many-records", test_too_many_records);
    g_test_add_func("/channel/books/describe", test_describe);
    g_test_add_func("/channel/books/strangers", test_strangers);
    g_test_add_func("/channel/books/bounded", test_bounded);
    g_test_add_func("/channel/books/shuffled", test_shuffled);
    g_test_add_func("/channel/books/find-partition", test_find_partition);
    return g_test_run();
}
