/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-ledger.h"

#include <string.h>

#include "sl-error.h"
#include "sl-json-scan.h"

#define CATALOG                                                                                    \
    "{\"streams\":[{\"stream\":{\"name\":\"a\"},\"sync_mode\":\"incremental\","                    \
    "\"destination_sync_mode\":\"append\"},{\"stream\":{\"name\":\"b\",\"namespace\":\"n\"},"      \
    "\"sync_mode\":\"incremental\",\"destination_sync_mode\":\"append\"}]}"

typedef struct {
    SlCatalog *catalog;
    SlLedger *ledger;
    SlJsonScanner *scanner;
    GString *sent;  /* what went to the destination */
    GString *notes; /* warnings */
} Fixture;

static void
on_note(SlNoteLevel level, const char *text, gpointer data)
{
    Fixture *f = data;
    if (level >= SL_NOTE_WARNING)
        g_string_append_printf(f->notes, "%s\n", text);
}

static void
set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    const SlCatalogNames *names = data;
    f->catalog = sl_catalog_parse(CATALOG, strlen(CATALOG), names, &error);
    g_assert_no_error(error);
    f->ledger = sl_ledger_new(f->catalog, on_note, f);
    f->scanner = sl_json_scanner_new();
    f->sent = g_string_new(NULL);
    f->notes = g_string_new(NULL);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    sl_ledger_free(f->ledger);
    sl_catalog_free(f->catalog);
    sl_json_scanner_free(f->scanner);
    g_string_free(f->sent, TRUE);
    g_string_free(f->notes, TRUE);
}

/* Wraps a state payload into its message and scans it. The copy has the scanner's padding. */
static char *
message(Fixture *f, const char *payload, SlMessage *ret, gsize *ret_len)
{
    g_autofree char *line = g_strdup_printf("{\"type\":\"STATE\",\"state\":%s}\n", payload);
    *ret_len = strlen(line);
    char *padded = g_malloc0(*ret_len + SL_JSON_PADDING);
    memcpy(padded, line, *ret_len);
    sl_json_scan(f->scanner, padded, *ret_len, ret);
    return padded;
}

static gboolean
send_state(Fixture *f, const char *payload, GError **error)
{
    SlMessage scanned;
    gsize len;
    g_autofree char *line = message(f, payload, &scanned, &len);
    g_assert_cmpint(scanned.type, ==, SL_MESSAGE_STATE);
    g_string_truncate(f->sent, 0);
    return sl_ledger_add_state(f->ledger, line, len, scanned.payload, f->sent, error);
}

static void
add_state(Fixture *f, const char *payload)
{
    g_autoptr(GError) error = NULL;
    send_state(f, payload, &error);
    g_assert_no_error(error);
}

static void
ack(Fixture *f, const char *payload)
{
    SlMessage scanned;
    gsize len;
    g_autofree char *line = message(f, payload, &scanned, &len);
    g_assert_cmpint(scanned.type, ==, SL_MESSAGE_STATE);
    sl_ledger_acknowledge(f->ledger, scanned.payload);
}

/* `payload` without sourceStats: those that the ledger has added are test_missing_counts()'s. */
static void
assert_sent(Fixture *f, const char *payload)
{
    g_autofree char *line = g_strdup_printf("{\"type\":\"STATE\",\"state\":%s}\n", payload);
    g_autofree char *sent = g_strdup(f->sent->str);
    char *added = strstr(sent, "\"sourceStats\":{\"recordCount\":");
    if (strstr(payload, "sourceStats") == NULL && strstr(payload, "\"type\":") != NULL) {
        g_assert_nonnull(added);
        const char *rest = strchr(added, '}') + 2;
        memmove(added, rest, strlen(rest) + 1);
    }
    g_assert_cmpstr(sent, ==, line);
}

/* Takes the pending states; they stay on their way. */
static void
assert_pending(Fixture *f, const char *states)
{
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    g_assert_cmpint(sl_ledger_has_pending(f->ledger), ==, strcmp(states, "[]") != 0);
    sl_ledger_write_pending(f->ledger, &w);
    g_assert_cmpstr(out->str, ==, states);
}

static void
count(Fixture *f, gint stream, guint n)
{
    for (guint i = 0; i < n; i++)
        sl_ledger_count_record(sl_ledger_books(f->ledger), stream, 10);
}

#define A(state)                                                                                   \
    "{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"a\"},\"stream_"            \
    "state\":" state "}}"
#define A_ID(id, state)                                                                            \
    "{\"id\":" id ",\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"a\"},"       \
    "\"stream_state\":" state "}}"
#define B(state)                                                                                   \
    "{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"b\",\"namespace\":\"n\"}," \
    "\"stream_state\":" state "}}"
#define B_ID(id, state)                                                                            \
    "{\"id\":" id ",\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"b\","        \
    "\"namespace\":\"n\"},\"stream_state\":" state "}}"

static void
test_stream(Fixture *f, gconstpointer data)
{
    SlStreamBooks *books = sl_ledger_books(f->ledger);
    count(f, 0, 3);
    add_state(f, A("{\"c\": 1.0E2 }"));
    assert_sent(f, A_ID("1", "{\"c\": 1.0E2 }"));
    count(f, 1, 2);
    add_state(f, B("null"));
    assert_sent(f, B_ID("2", "null"));
    count(f, 0, 1);
    add_state(f, A("{\"c\":3}"));
    assert_sent(f, A_ID("3", "{\"c\":3}"));
    count(f, 0, 5);
    assert_pending(f, "[]"); /* never without an echo */
    g_assert_cmpuint(sl_ledger_open_states(f->ledger), ==, 3);

    ack(f, A_ID("1", "{\"c\":100}"));
    g_assert_cmpuint(books[0].committed.records, ==, 3);
    assert_pending(f, "[" A("{\"c\": 1.0E2 }") "]"); /* the source's bytes, not the echo's */
    sl_ledger_persisted(f->ledger, TRUE);
    assert_pending(f, "[]");

    ack(f, A_ID("3", "{}"));
    ack(f, B_ID("2", "null"));
    g_assert_cmpuint(books[0].committed.records, ==, 4);
    g_assert_cmpuint(books[0].committed.bytes, ==, 40);
    g_assert_cmpuint(books[1].committed.records, ==, 2);
    g_assert_cmpuint(books[0].emitted.records, ==, 9);
    g_assert_cmpuint(books[0].destination_states, ==, 2);
    assert_pending(f, "[" A("{\"c\":3}") "," B("null") "]");
    g_assert_cmpuint(sl_ledger_open_states(f->ledger), ==, 0);
    g_assert_cmpstr(f->notes->str, ==, "");
}

/* Skipped echoes, repeated ones, older ones, unknown ones, ids of another stream, none at all. */
static void
test_odd_acks(Fixture *f, gconstpointer data)
{
    SlStreamBooks *books = sl_ledger_books(f->ledger);
    for (guint i = 1; i <= 4; i++) {
        g_autofree char *state = g_strdup_printf(A("%u"), i);
        count(f, 0, 1);
        add_state(f, state);
    }
    count(f, 1, 1);
    add_state(f, B("5"));
    ack(f, A_ID("3", "3")); /* stands for 1 and 2 too */
    g_assert_cmpuint(books[0].committed.records, ==, 3);
    assert_pending(f, "[" A("3") "]");
    sl_ledger_persisted(f->ledger, TRUE);

    ack(f, A_ID("3", "3"));
    g_assert_cmpstr(f->notes->str, ==, "");
    static const struct {
        const char *payload, *note;
    } cases[] = {
        {A_ID("2", "2"), "acknowledged state 2 behind state 3"},
        {A_ID("5", "5"), "acknowledged state 5, which was never sent for this stream"},
        {A_ID("99", "4"), "acknowledged state 99, which was never sent for this stream"},
        {B_ID("4", "4"), "acknowledged state 4, which was never sent for this stream"},
        {A("77"), "without an id whose content was never sent"},
        {"{\"id\":4,\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"z\"}}}",
         "not in the catalog"},
        {"{\"id\":4,\"type\":\"STREAM\"}", "broken state: state.stream: expected an object"},
        {"{\"id\":4,\"type\":\"ODD\"}", "broken state: state.type: unknown value \"ODD\""},
        {"{\"id\":4,\"type\":\"GLOBAL\",\"global\":{}}", "never sent"},
        {"5", "broken state: state: expected an object"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_string_truncate(f->notes, 0);
        ack(f, cases[i].payload);
        if (strstr(f->notes->str, cases[i].note) == NULL)
            g_assert_cmpstr(f->notes->str, ==, cases[i].note);
        assert_pending(f, "[]");
    }
    g_assert_cmpuint(books[0].committed.records, ==, 3);
    g_assert_cmpuint(books[1].committed.records, ==, 0);
}

/* A destination that drops members it does not know, and prints JSON in its own way. */
static void
test_ack_without_id(Fixture *f, gconstpointer data)
{
    add_state(f, A("{\"cursor\":\"caf\\u00e9\",\"n\":[1,2]}"));
    add_state(f, A("{\"cursor\":\"b\",\"n\":[]}"));
    ack(f, A("{ \"cursor\" : \"café\", \"n\":[1, 2] }"));
    assert_pending(f, "[" A("{\"cursor\":\"caf\\u00e9\",\"n\":[1,2]}") "]");
    ack(f, A("{\"cursor\":\"b\",\"n\":[]}"));
    assert_pending(f, "[" A("{\"cursor\":\"b\",\"n\":[]}") "]");
    g_assert_cmpstr(f->notes->str, ==, "");
}

static void
test_own_ids(Fixture *f, gconstpointer data)
{
    add_state(f, A_ID("10", "1"));
    assert_sent(f, A_ID("10", "1"));
    add_state(f, A("2"));
    assert_sent(f, A_ID("11", "2"));
    g_assert_cmpstr(f->notes->str, ==, "");
    add_state(f, A_ID("11", "3")); /* does not go up: replaced */
    assert_sent(f, A_ID("12", "3"));
    g_assert_nonnull(strstr(f->notes->str, "id does not go up"));
    add_state(f, A_ID("\"x\"", "4"));
    assert_sent(f, A_ID("13", "4"));
    ack(f, A_ID("12", "3"));
    assert_pending(f, "[" A_ID("11", "3") "]"); /* persisted as the source wrote it */
}

static void
test_extension_members(Fixture *f, gconstpointer data)
{
    add_state(f, "{ \"partition_id\": \"p\\u0031\", \"type\":\"STREAM\",\"stream\":{\"x\":1,"
                 "\"stream_descriptor\":{\"name\":\"a\",\"namespace\":null}},"
                 "\"sourceStats\":{\"recordCount\":0.0},\"data\":{\"old\":[1]}}");
    assert_sent(f, "{\"id\":1, \"partition_id\": \"p\\u0031\", \"type\":\"STREAM\",\"stream\":{"
                   "\"x\":1,\"stream_descriptor\":{\"name\":\"a\",\"namespace\":null}},"
                   "\"sourceStats\":{\"recordCount\":0.0},\"data\":{\"old\":[1]}}");
    ack(f, "{\"id\":1,\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"a\"}}}");
    /* the copy for old readers is not persisted */
    assert_pending(f, "[{\"partition_id\":\"p\\u0031\",\"type\":\"STREAM\",\"stream\":{\"x\":1,"
                      "\"stream_descriptor\":{\"name\":\"a\",\"namespace\":null}},"
                      "\"sourceStats\":{\"recordCount\":0.0}}]");
}

static void
test_record_count(Fixture *f, gconstpointer data)
{
    count(f, 0, 5);
    add_state(f, "{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"a\"}},"
                 "\"sourceStats\":{\"recordCount\":5.0}}");
    g_assert_cmpstr(f->notes->str, ==, "");
    count(f, 0, 5);
    add_state(f, "{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"a\"}},"
                 "\"sourceStats\":{\"recordCount\":6}}");
    g_assert_nonnull(strstr(f->notes->str, "says that it sent 6 records since the last state, "
                                           "and 5 came"));
}

static void
test_rejected(Fixture *f, gconstpointer data)
{
    count(f, 0, 5);
    add_state(f, A("1"));
    ack(f, "{\"id\":1,\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"a\"}},"
           "\"destinationStats\":{\"recordCount\":3.0,\"rejectedRecordCount\":2.0}}");
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_ledger_write_stats(f->ledger, &w);
    g_assert_nonnull(strstr(out->str, "\"recordsCommitted\":3,\"bytesCommitted\":50,"
                                      "\"recordsRejected\":2"));
}

#define GLOBAL(id, streams)                                                                        \
    "{" id                                                                                         \
    "\"type\":\"GLOBAL\",\"global\":{\"shared_state\":{\"lsn\":1},\"stream_states\":[" streams     \
    "]}}"
#define GA "{\"stream_descriptor\":{\"name\":\"a\"},\"stream_state\":{}}"
#define GB "{\"stream_descriptor\":{\"name\":\"b\",\"namespace\":\"n\"},\"stream_state\":{}}"

static void
test_global(Fixture *f, gconstpointer data)
{
    SlStreamBooks *books = sl_ledger_books(f->ledger);
    count(f, 0, 2);
    count(f, 1, 3);
    add_state(f, GLOBAL("", GA));
    assert_sent(f, GLOBAL("\"id\":1,", GA));
    count(f, 0, 1);
    add_state(f, GLOBAL("", GA "," GB "," GA));
    ack(f, GLOBAL("\"id\":1,", GA));
    g_assert_cmpuint(books[0].committed.records, ==, 2);
    g_assert_cmpuint(books[1].committed.records, ==, 0); /* not listed: still open */
    ack(f, GLOBAL("\"id\":2,", GA));
    g_assert_cmpuint(books[0].committed.records, ==, 3);
    g_assert_cmpuint(books[1].committed.records, ==, 3);
    assert_pending(f, "[" GLOBAL("", GA "," GB "," GA) "]");

    g_autoptr(GError) error = NULL;
    g_assert_false(send_state(f, A("1"), &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_PROTOCOL);
    g_assert_cmpstr(error->message, ==,
                    "the source sent a state of type STREAM behind states of type GLOBAL");
    g_assert_cmpstr(f->sent->str, ==, "");
}

static void
test_legacy(Fixture *f, gconstpointer data)
{
    count(f, 0, 2);
    count(f, 1, 1);
    add_state(f, "{\"data\":{\"a\":{\"c\":1}}}");
    assert_sent(f, "{\"id\":1,\"data\":{\"a\":{\"c\":1}}}");
    add_state(f, "{}");
    assert_sent(f, "{\"id\":2}");
    ack(f, "{\"id\":1,\"data\":{\"a\":{\"c\":1}}}");
    assert_pending(f, "[{\"data\":{\"a\":{\"c\":1}}}]");
    g_assert_cmpuint(sl_ledger_books(f->ledger)[1].committed.records, ==, 1);
}

static void
test_unknown_stream(Fixture *f, gconstpointer data)
{
    add_state(f, "{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"z\"}}}");
    g_assert_cmpstr(f->sent->str, ==, "");
    g_assert_nonnull(strstr(f->notes->str, "not in the catalog, ignoring: {\"name\":\"z\"}"));
    add_state(f, A("1"));
    assert_sent(f, A_ID("1", "1"));
}

static void
test_renamed(Fixture *f, gconstpointer data)
{
    add_state(f, A("1"));
    assert_sent(f, "{\"id\":1,\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{"
                   "\"namespace\":\"x_\",\"name\":\"p_a\"},\"stream_state\":1}}");
    add_state(f, B("2"));
    assert_sent(f, "{\"id\":2,\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":"
                   "\"p_b\",\"namespace\":\"x_n\"},\"stream_state\":2}}");
    add_state(f, "{\"stream\":{\"stream_descriptor\":{\"namespace\":null,\"name\":\"a\"}},"
                 "\"type\":\"STREAM\",\"id\":0}");
    assert_sent(f, "{\"stream\":{\"stream_descriptor\":{\"namespace\":\"x_\",\"name\":\"p_a\"}},"
                   "\"type\":\"STREAM\",\"id\":3}");
    g_string_truncate(f->notes, 0);
    ack(f, "{\"id\":1,\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"a\"}}}");
    g_assert_nonnull(strstr(f->notes->str, "not in the catalog"));
    ack(f, "{\"id\":1,\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"p_a\","
           "\"namespace\":\"x_\"}}}");
    assert_pending(f, "[" A("1") "]");
}

/* A state that comes while another is being persisted must not be lost, nor give way to an older
 * one when that fails. */
static void
test_persist_race(Fixture *f, gconstpointer data)
{
    add_state(f, A("1"));
    add_state(f, B("2"));
    add_state(f, A("3"));
    ack(f, A_ID("1", "1"));
    ack(f, B_ID("2", "2"));
    assert_pending(f, "[" A("1") "," B("2") "]");
    ack(f, A_ID("3", "3"));
    sl_ledger_persisted(f->ledger, FALSE);
    assert_pending(f, "[" A("3") "," B("2") "]");
    sl_ledger_persisted(f->ledger, FALSE);
    assert_pending(f, "[" A("3") "," B("2") "]");
    sl_ledger_persisted(f->ledger, TRUE);
    assert_pending(f, "[]");
}

/* A million open states must not fill the memory, and every echo still counts. */
static void
test_thinned(Fixture *f, gconstpointer data)
{
    sl_ledger_set_limit(f->ledger, 64 * 1024);
    for (guint i = 1; i <= 5000; i++) {
        g_autofree char *state = g_strdup_printf(A("%u"), i);
        count(f, 0, 1);
        add_state(f, state);
    }
    g_assert_cmpuint(sl_ledger_open_states(f->ledger), <, 64 * 1024 / 100);
    ack(f, A_ID("4999", "4999"));
    SlStreamBooks *books = sl_ledger_books(f->ledger);
    g_assert_cmpuint(books[0].committed.records, >, 4000);
    g_assert_cmpuint(books[0].committed.records, <=, 4999);
    g_autofree char *expected =
        g_strdup_printf("[" A("%" G_GUINT64_FORMAT) "]", books[0].committed.records);
    assert_pending(f, expected);
    ack(f, A_ID("5001", "0"));
    g_assert_nonnull(strstr(f->notes->str, "acknowledged state 5001, which was never sent"));
    ack(f, A_ID("5000", "5000"));
    g_assert_cmpuint(books[0].committed.records, ==, 5000);
}

static void
test_stats(Fixture *f, gconstpointer data)
{
    count(f, 1, 2);
    add_state(f, B("1"));
    count(f, 1, 1);
    ack(f, B_ID("1", "1"));
    sl_ledger_estimate(f->ledger, 1, 100, -1);
    sl_ledger_estimate(f->ledger, 0, 5, 7);
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_ledger_write_stats(f->ledger, &w);
    g_assert_cmpstr(
        out->str, ==,
        "{\"total\":{\"recordsEmitted\":3,\"bytesEmitted\":30,\"recordsCommitted\":2,"
        "\"bytesCommitted\":20,\"recordsRejected\":0,\"estimatedRecords\":105,\"estimatedBytes\":7,"
        "\"sourceStateMessagesEmitted\":1,\"destinationStateMessagesEmitted\":1},"
        "\"streams\":[{\"streamName\":\"b\",\"streamNamespace\":\"n\",\"stats\":{"
        "\"recordsEmitted\":3,\"bytesEmitted\":30,\"recordsCommitted\":2,\"bytesCommitted\":20,"
        "\"recordsRejected\":0,\"estimatedRecords\":100,\"sourceStateMessagesEmitted\":1,"
        "\"destinationStateMessagesEmitted\":1},\"runState\":\"running\"}]}");
    sl_ledger_complete(f->ledger);
    SlStreamBooks total = sl_ledger_total(f->ledger);
    g_assert_cmpuint(total.committed.records, ==, 3);
}

/* Mappers: what does not pass is not committed, and the destination is not told to expect it. */
static void
test_filtered(Fixture *f, gconstpointer data)
{
    SlStreamBooks *books = sl_ledger_books(f->ledger);
    count(f, 0, 5);
    for (guint i = 0; i < 2; i++)
        sl_ledger_count_filtered(books, 0, 10);
    add_state(f, "{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"a\"},"
                 "\"stream_state\":1},\"sourceStats\":{\"recordCount\":5.0}}");
    assert_sent(f,
                "{\"id\":1,\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"a\"},"
                "\"stream_state\":1},\"sourceStats\":{\"recordCount\":3}}");
    count(f, 0, 1);
    add_state(f, "{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"a\"},"
                 "\"stream_state\":2},\"sourceStats\":{\"recordCount\":1.0}}");
    g_assert_nonnull(strstr(f->sent->str, "\"recordCount\":1.0")); /* nothing to take off */
    ack(f, "{\"id\":1,\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"a\"}},"
           "\"destinationStats\":{\"recordCount\":3.0}}");
    g_assert_cmpuint(books[0].committed.records, ==, 3);
    g_assert_cmpuint(books[0].committed.bytes, ==, 30);
    g_assert_cmpstr(f->notes->str, ==, "");
    sl_ledger_complete(f->ledger);
    g_assert_cmpuint(books[0].committed.records, ==, 4);
    g_assert_cmpuint(books[0].emitted.records, ==, 6);
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_ledger_write_stats(f->ledger, &w);
    g_assert_nonnull(strstr(out->str,
                            "\"recordsEmitted\":6,\"bytesEmitted\":60,\"recordsCommitted\":4,"
                            "\"bytesCommitted\":40,\"recordsRejected\":0,"
                            "\"recordsFilteredOut\":2,\"bytesFilteredOut\":20"));
}

/* A GLOBAL state takes off what was filtered of the streams it lists, and of those only once. */
static void
test_filtered_global(Fixture *f, gconstpointer data)
{
#define OVERALL(list, said)                                                                        \
    "{\"type\":\"GLOBAL\",\"global\":{\"stream_states\":[" list "]},\"sourceStats\":"              \
    "{\"recordCount\":" said "}}"
#define IN_A "{\"stream_descriptor\":{\"name\":\"a\"}}"
#define IN_B "{\"stream_descriptor\":{\"name\":\"b\",\"namespace\":\"n\"}}"
    SlStreamBooks *books = sl_ledger_books(f->ledger);
    count(f, 0, 4);
    count(f, 1, 4);
    sl_ledger_count_filtered(books, 0, 10);
    sl_ledger_count_filtered(books, 1, 10);
    add_state(f, OVERALL(IN_A, "4"));
    g_assert_nonnull(strstr(f->sent->str, "\"recordCount\":3}"));
    add_state(f, OVERALL(IN_A "," IN_B, "4"));
    g_assert_nonnull(strstr(f->sent->str, "\"recordCount\":3}"));
    add_state(f, OVERALL(IN_A "," IN_B, "0"));
    g_assert_nonnull(strstr(f->sent->str, "\"recordCount\":0}"));
#undef OVERALL
#undef IN_A
#undef IN_B
}

/* A source that does not count is counted for: of what passed, per state and kind of state. */
static void
test_missing_counts(Fixture *f, gconstpointer data)
{
#define OF_A(stats)                                                                                \
    "\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"a\"}}" stats "}"
    static const struct {
        guint records, filtered;
        const char *state, *sent;
    } rows[] = {
        {3, 0, "{" OF_A(""), "{\"id\":1,\"sourceStats\":{\"recordCount\":3}," OF_A("")},
        {4, 1, "{" OF_A(""), "{\"id\":2,\"sourceStats\":{\"recordCount\":3}," OF_A("")},
        {0, 0, "{" OF_A(""), "{\"id\":3,\"sourceStats\":{\"recordCount\":0}," OF_A("")},
        {2, 0, "{" OF_A(",\"sourceStats\":null"),
         "{\"id\":4," OF_A(",\"sourceStats\":{\"recordCount\":2}")},
        {2, 0, "{" OF_A(",\"sourceStats\":{}"),
         "{\"id\":5," OF_A(",\"sourceStats\":{\"recordCount\":2}")},
        {2, 2, "{" OF_A(",\"sourceStats\":{ \"x\":1}"),
         "{\"id\":6," OF_A(",\"sourceStats\":{\"recordCount\":0, \"x\":1}")},
        /* its own word stands, however it is written */
        {2, 0, "{" OF_A(",\"sourceStats\":{\"recordCount\":2.0}"),
         "{\"id\":7," OF_A(",\"sourceStats\":{\"recordCount\":2.0}")},
        {2, 1, "{" OF_A(",\"sourceStats\":{\"recordCount\":\"2\"}"),
         "{\"id\":8," OF_A(",\"sourceStats\":{\"recordCount\":\"2\"}")},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        count(f, 0, rows[i].records);
        for (guint n = 0; n < rows[i].filtered; n++)
            sl_ledger_count_filtered(sl_ledger_books(f->ledger), 0, 10);
        add_state(f, rows[i].state);
        g_autofree char *line =
            g_strdup_printf("{\"type\":\"STATE\",\"state\":%s}\n", rows[i].sent);
        g_assert_cmpstr(f->sent->str, ==, line);
    }
    /* what is persisted are the source's own bytes */
    ack(f, "{\"id\":1," OF_A(""));
    assert_pending(f, "[{" OF_A("") "]");
    g_assert_cmpstr(f->notes->str, ==, "");
#undef OF_A
}

/* GLOBAL: all that the listed streams have sent; LEGACY: nothing is said. */
static void
test_missing_counts_global(Fixture *f, gconstpointer data)
{
    count(f, 0, 3);
    count(f, 1, 4);
    add_state(f, GLOBAL("", GA));
    g_assert_nonnull(strstr(f->sent->str, "{\"id\":1,\"sourceStats\":{\"recordCount\":3},"));
    count(f, 0, 1);
    add_state(f, GLOBAL("", GA "," GB));
    g_assert_nonnull(strstr(f->sent->str, "{\"id\":2,\"sourceStats\":{\"recordCount\":5},"));
    add_state(f, GLOBAL("\"sourceStats\":{\"recordCount\":1},", GA "," GB));
    g_assert_cmpstr(f->notes->str, ==,
                    "the sync: the source says that it sent 1 records since the "
                    "last state, and 0 came\n");
    SlLedger *legacy = sl_ledger_new(f->catalog, NULL, NULL);
    sl_ledger_free(f->ledger);
    f->ledger = legacy;
    add_state(f, "{\"data\":{}}");
    g_assert_cmpstr(f->sent->str, ==, "{\"type\":\"STATE\",\"state\":{\"id\":1,\"data\":{}}}\n");
}

/* The strict rule: what does not add up is not passed on, and not committed. */
static void
test_strict(Fixture *f, gconstpointer data)
{
#define SAID(id, n)                                                                                \
    "{" id "\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"a\"}},"              \
    "\"sourceStats\":{\"recordCount\":" n "}"
    g_autoptr(GError) error = NULL;
    sl_ledger_set_strict(f->ledger);
    count(f, 0, 2);
    add_state(f, SAID("", "2.0") "}");
    ack(f, SAID("\"id\":1,",
                "2.0") ",\"destinationStats\":{\"recordCount\":1,\"rejectedRecordCount\":1}}");
    g_assert_null(sl_ledger_get_fault(f->ledger));
    g_assert_true(sl_ledger_has_pending(f->ledger));
    assert_pending(f, "[" SAID("", "2.0") "}]");
    sl_ledger_persisted(f->ledger, TRUE);
    count(f, 0, 2);
    add_state(f, SAID("", "2") "}");
    ack(f, SAID("\"id\":2,", "2") ",\"destinationStats\":{\"recordCount\":1}}");
    g_assert_nonnull(strstr(sl_ledger_get_fault(f->ledger),
                            "took 1 records (0 rejected) for state 2, "
                            "and was given 2"));
    g_assert_false(sl_ledger_has_pending(f->ledger));
    g_assert_cmpuint(sl_ledger_books(f->ledger)[0].committed.records, ==, 2);
    count(f, 0, 2);
    g_assert_false(send_state(f, SAID("", "3") "}", &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_PROTOCOL);
    g_assert_nonnull(strstr(error->message, "stream 'a': the source says that it sent 3 records"));
    g_assert_cmpstr(f->sent->str, ==, "");
#undef SAID
}

/* Numbers of the destination's own are summed, per stream and over all. */
static void
test_additional(Fixture *f, gconstpointer data)
{
#define ECHO(id, stream, stats)                                                                    \
    "{\"id\":" id ",\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{" stream                \
    "}},\"destinationStats\":{\"additionalStats\":" stats "}}"
#define IN_A "\"name\":\"a\""
#define IN_B "\"name\":\"b\",\"namespace\":\"n\""
    static const char *const echoes[] = {
        ECHO("1", IN_A, "{\"nulledValueCount\":2,\"z\":0.5,\"text\":\"x\",\"n\":null}"),
        ECHO("3", IN_A, "{\"nulledValueCount\":3.0}"),
        ECHO("3", IN_A, "{\"nulledValueCount\":100}"), /* a repeated echo counts once */
        ECHO("2", IN_B, "{\"nulledValueCount\":1,\"\\u00e9\":1}"),
        ECHO("4", IN_A, "[]"),
    };
    add_state(f, A("1"));
    add_state(f, B("1"));
    add_state(f, A("2"));
    add_state(f, A("3"));
    for (guint i = 0; i < G_N_ELEMENTS(echoes); i++)
        ack(f, echoes[i]);
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_ledger_write_stats(f->ledger, &w);
    static const char *const parts[] = {
        "\"additionalStats\":{\"nulledValueCount\":6,\"z\":0.5,\"\303\251\":1}},\"streams\"",
        "\"additionalStats\":{\"nulledValueCount\":5,\"z\":0.5}}",
        "\"additionalStats\":{\"nulledValueCount\":1,\"\303\251\":1}}",
    };
    for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
        if (strstr(out->str, parts[i]) == NULL)
            g_error("%s is not in %s", parts[i], out->str);
#undef ECHO
#undef IN_A
#undef IN_B
}

/* rejectedRecordCount, and what the destination says against what it was given: told once. */
static void
test_destination_counts(Fixture *f, gconstpointer data)
{
#define ECHO(id, stats)                                                                            \
    "{\"id\":" id ",\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"a\"}},"      \
    "\"destinationStats\":" stats "}"
    static const struct {
        guint records;
        const char *echo;
        gboolean noted;
    } rows[] = {
        {5, ECHO("1", "{\"recordCount\":5}"), FALSE},
        {5, ECHO("2", "{\"recordCount\":3.0,\"rejectedRecordCount\":2.0}"), FALSE},
        {5, ECHO("3", "{}"), FALSE},
        {5, ECHO("4", "null"), FALSE},
        {5, ECHO("5", "{\"recordCount\":\"5\"}"), FALSE},
        {5, ECHO("6", "{\"recordCount\":-1}"), FALSE},
        {5, ECHO("7", "{\"recordCount\":4}"), TRUE},
        {5, ECHO("8", "{\"recordCount\":4}"), FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        count(f, 0, rows[i].records);
        add_state(f, A("1"));
        g_string_truncate(f->notes, 0);
        ack(f, rows[i].echo);
        g_assert_cmpstr(f->notes->str, ==,
                        rows[i].noted ? "stream 'a': the destination says that it took 4 records "
                                        "(0 rejected) for state 7, and was given 5\n"
                                      : "");
    }
    g_assert_cmpuint(sl_ledger_books(f->ledger)[0].rejected, ==, 2);
    /* one echo for two states: nothing to compare it with */
    g_string_truncate(f->notes, 0);
    count(f, 1, 1);
    add_state(f, B("1"));
    count(f, 1, 1);
    add_state(f, B("2"));
    ack(f, "{\"id\":10,\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"b\","
           "\"namespace\":\"n\"}},\"destinationStats\":{\"recordCount\":2}}");
    g_assert_cmpstr(f->notes->str, ==, "");
    g_assert_cmpuint(sl_ledger_books(f->ledger)[1].committed.records, ==, 2);
#undef ECHO
}

int
main(int argc, char **argv)
{
    static const SlCatalogNames renamed = {"customformat", "x_${SOURCE_NAMESPACE}", "p_"};
    static const struct {
        const char *path;
        void (*func)(Fixture *f, gconstpointer data);
        const SlCatalogNames *names;
    } tests[] = {
        {"stream", test_stream, NULL},
        {"odd-acks", test_odd_acks, NULL},
        {"ack-without-id", test_ack_without_id, NULL},
        {"own-ids", test_own_ids, NULL},
        {"extension-members", test_extension_members, NULL},
        {"record-count", test_record_count, NULL},
        {"rejected", test_rejected, NULL},
        {"global", test_global, NULL},
        {"legacy", test_legacy, NULL},
        {"unknown-stream", test_unknown_stream, NULL},
        {"renamed", test_renamed, &renamed},
        {"persist-race", test_persist_race, NULL},
        {"thinned", test_thinned, NULL},
        {"stats", test_stats, NULL},
        {"filtered", test_filtered, NULL},
        {"filtered-global", test_filtered_global, NULL},
        {"missing-counts", test_missing_counts, NULL},
        {"missing-counts-global", test_missing_counts_global, NULL},
        {"strict", test_strict, NULL},
        {"additional", test_additional, NULL},
        {"destination-counts", test_destination_counts, NULL},
    };
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/protocol/ledger/", tests[i].path, NULL);
        g_test_add(path, Fixture, tests[i].names, set_up, tests[i].func, tear_down);
    }
    return g_test_run();
}
