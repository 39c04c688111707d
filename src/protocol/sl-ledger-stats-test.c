/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "sl-ledger.h"

/* "i": incremental; "f": full refresh; "r": full refresh that can be resumed. */
#define STREAM(name, mode, more)                                                                   \
    "{\"stream\":{\"name\":\"" name "\"" more "},\"sync_mode\":\"" mode                            \
    "\",\"destination_sync_mode\":\"append\"}"
#define CATALOG                                                                                    \
    "{\"streams\":[" STREAM("i", "incremental", "") "," STREAM(                                    \
        "f", "full_refresh", ",\"namespace\":\"n\"") "," STREAM("r", "full_refresh",               \
                                                                ",\"is_resumable\":true") "]}"
enum { I, F, R };

typedef struct {
    SlCatalog *catalog;
    SlLedger *ledger;
    GString *sent;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    f->catalog = sl_catalog_parse(CATALOG, strlen(CATALOG),
                                  &(SlCatalogNames){"customformat", "to", "p_"}, &error);
    g_assert_no_error(error);
    f->ledger = sl_ledger_new(f->catalog, NULL, NULL);
    f->sent = g_string_new(NULL);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    sl_ledger_free(f->ledger);
    sl_catalog_free(f->catalog);
    g_string_free(f->sent, TRUE);
}

static void
say(Fixture *f, guint stream, SlStreamStatus status)
{
    const SlTrace trace = {.type = SL_TRACE_STREAM_STATUS, .status = status};
    sl_ledger_set_status(f->ledger, stream, &trace);
}

static void
count(Fixture *f, gint stream, guint n)
{
    for (guint i = 0; i < n; i++)
        sl_ledger_count_record(sl_ledger_books(f->ledger), stream, 10);
}

static void
add_state(Fixture *f, const char *state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *line = g_strdup_printf("{\"type\":\"STATE\",\"state\":%s}\n", state);
    const SlSpan payload = {line + strlen("{\"type\":\"STATE\",\"state\":"), strlen(state)};
    g_string_truncate(f->sent, 0);
    sl_ledger_add_state(f->ledger, line, strlen(line), payload, f->sent, &error);
    g_assert_no_error(error);
}

static void
ack(Fixture *f, const char *state)
{
    sl_ledger_acknowledge(f->ledger, (SlSpan){state, strlen(state)});
}

#define STATE_I "{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"i\"}}}"
#define ECHO_I(id)                                                                                 \
    "{\"id\":" id ",\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"p_i\","      \
    "\"namespace\":\"to\"}}}"

static void
assert_state(Fixture *f, guint stream, const char *expected)
{
    g_assert_cmpstr(sl_run_state_name(sl_ledger_run_state(f->ledger, stream)), ==, expected);
}

/* COMPLETE needs the source's word and the destination's last acknowledgement, in any order. */
static void
test_complete(Fixture *f, gconstpointer data)
{
    assert_state(f, I, "pending");
    say(f, I, SL_STREAM_STARTED);
    assert_state(f, I, "running");
    count(f, I, 1);
    add_state(f, STATE_I);
    say(f, I, SL_STREAM_COMPLETE);
    assert_state(f, I, "running");
    ack(f, ECHO_I("1"));
    assert_state(f, I, "complete");
    say(f, I, SL_STREAM_RUNNING); /* it was the last word */
    assert_state(f, I, "complete");
    g_assert_cmpuint(sl_ledger_total(f->ledger).status_changes, ==, 3);
}

/* COMPLETE arriving after the last ack */
static void
test_complete_after_ack(Fixture *f, gconstpointer data)
{
    count(f, I, 1);
    assert_state(f, I, "running"); /* a record says it too */
    add_state(f, STATE_I);
    ack(f, ECHO_I("1"));
    assert_state(f, I, "running");
    say(f, I, SL_STREAM_COMPLETE);
    assert_state(f, I, "complete");
    add_state(f, STATE_I);
    assert_state(f, I, "running"); /* there is one more to come */
    sl_ledger_abandon(f->ledger, FALSE);
    assert_state(f, I, "incomplete");
}

/* stream without any state */
static void
test_complete_without_state(Fixture *f, gconstpointer data)
{
    count(f, F, 3);
    say(f, F, SL_STREAM_COMPLETE);
    assert_state(f, F, "running");
    sl_ledger_complete(f->ledger);
    assert_state(f, F, "complete");
    assert_state(f, I, "incomplete");    /* of this one the source never spoke */
    sl_ledger_abandon(f->ledger, FALSE); /* the end was refused */
    assert_state(f, F, "incomplete");
}

static void
test_no_status_at_all(Fixture *f, gconstpointer data)
{
    count(f, I, 1);
    assert_state(f, I, "running");
    sl_ledger_complete(f->ledger);
    assert_state(f, I, "complete");
    assert_state(f, R, "complete");
}

static void
test_incomplete(Fixture *f, gconstpointer data)
{
    count(f, I, 1);
    say(f, I, SL_STREAM_INCOMPLETE);
    assert_state(f, I, "incomplete");
    say(f, I, SL_STREAM_COMPLETE); /* too late */
    count(f, F, 1);
    sl_ledger_complete(f->ledger);
    assert_state(f, I, "incomplete");
}

/* GLOBAL: the global state and the stream's own word. */
static void
test_complete_global(Fixture *f, gconstpointer data)
{
#define GLOBAL                                                                                     \
    "\"type\":\"GLOBAL\",\"global\":{\"stream_states\":[{\"stream_descriptor\":{\"name\":\"i\"}}"  \
    "]}}"
    count(f, I, 1);
    count(f, F, 1);
    add_state(f, "{" GLOBAL);
    say(f, I, SL_STREAM_COMPLETE);
    say(f, F, SL_STREAM_COMPLETE);
    assert_state(f, I, "running");
    ack(f, "{\"id\":1," GLOBAL);
    assert_state(f, I, "complete");
    assert_state(f, F, "running"); /* the state did not list it */
    sl_ledger_complete(f->ledger);
    assert_state(f, F, "complete");
#undef GLOBAL
}

/* counts of a GLOBAL state are not multiplied by the streams that it lists */
static void
test_rejected_global(Fixture *f, gconstpointer data)
{
#define GLOBAL(more)                                                                               \
    "\"type\":\"GLOBAL\",\"global\":{\"stream_states\":[{\"stream_descriptor\":{\"name\":\"i\"}}," \
    "{\"stream_descriptor\":{\"name\":\"r\"}}]}" more "}"
    count(f, I, 5);
    count(f, R, 5);
    add_state(f, "{" GLOBAL(""));
    ack(f, "{\"id\":1," GLOBAL(",\"destinationStats\":{\"recordCount\":7,"
                               "\"rejectedRecordCount\":3}"));
    SlStreamBooks total = sl_ledger_total(f->ledger);
    g_assert_cmpuint(total.rejected, ==, 3);
    g_assert_cmpuint(total.committed.records, ==, 10);
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_ledger_write_stats(f->ledger, &w);
    g_assert_true(g_str_has_prefix(out->str, "{\"total\":{\"recordsEmitted\":10,\"bytesEmitted\":"
                                             "100,\"recordsCommitted\":7,"));
#undef GLOBAL
}

static void
test_rate_limited(Fixture *f, gconstpointer data)
{
    const SlTrace limited = {.type = SL_TRACE_STREAM_STATUS,
                             .status = SL_STREAM_RUNNING,
                             .rate_limited = TRUE,
                             .quota_reset = 1700000000000};
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    count(f, I, 2);
    sl_ledger_set_status(f->ledger, I, &limited);
    assert_state(f, I, "rate_limited");
    sl_ledger_write_stats(f->ledger, &w);
    g_assert_nonnull(
        strstr(out->str, "\"runState\":\"rate_limited\",\"quotaReset\":1700000000000"));
    count(f, I, 1);
    assert_state(f, I, "running");
    sl_ledger_set_status(f->ledger, I, &limited);
    say(f, I, SL_STREAM_RUNNING);
    assert_state(f, I, "running");
}

static void
test_abandoned(Fixture *f, gconstpointer cause)
{
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    count(f, I, 1);
    sl_ledger_abandon(f->ledger, strcmp(cause, "canceled") == 0);
    assert_state(f, I, "incomplete");
    assert_state(f, F, "pending");
    sl_ledger_write_stats(f->ledger, &w);
    g_autofree char *expected = g_strdup_printf(
        "\"runState\":\"incomplete\",\"incompleteRunCause\":\"%s\"}]}", (const char *)cause);
    g_assert_true(g_str_has_suffix(out->str, expected));
}

/* ESTIMATE mixing: per stream or of the sync; who sends both is not believed, then or later. */
static void
test_estimates(Fixture *f, gconstpointer data)
{
    sl_ledger_estimate(f->ledger, I, 100, -1);
    sl_ledger_estimate(f->ledger, F, 5, 7);
    sl_ledger_estimate(f->ledger, I, 90, -1); /* a later one replaces */
    SlStreamBooks total = sl_ledger_total(f->ledger);
    g_assert_cmpint(total.estimated_records, ==, 95);
    g_assert_cmpint(total.estimated_bytes, ==, 7);
    sl_ledger_estimate(f->ledger, -1, 50, 60);
    sl_ledger_estimate(f->ledger, I, 100, 100);
    total = sl_ledger_total(f->ledger);
    g_assert_cmpint(total.estimated_records, ==, -1);
    g_assert_cmpint(total.estimated_bytes, ==, -1);
    g_assert_cmpint(sl_ledger_books(f->ledger)[I].estimated_records, ==, -1);
    sl_ledger_estimate(f->ledger, 99, 1, 1); /* no such stream */
}

static void
test_estimate_of_sync(Fixture *f, gconstpointer data)
{
    sl_ledger_estimate(f->ledger, -1, 50, 60);
    SlStreamBooks total = sl_ledger_total(f->ledger);
    g_assert_cmpint(total.estimated_records, ==, 50);
    g_assert_cmpint(total.estimated_bytes, ==, 60);
}

/* empty state injected for full refresh: when it cannot be resumed and has sent none. */
static void
test_missing_state(Fixture *f, gconstpointer data)
{
    sl_ledger_add_missing_state(f->ledger, I, f->sent);
    sl_ledger_add_missing_state(f->ledger, R, f->sent);
    g_assert_cmpuint(f->sent->len, ==, 0);
    count(f, F, 4);
    sl_ledger_add_missing_state(f->ledger, F, f->sent);
    g_assert_cmpstr(f->sent->str, ==,
                    "{\"type\":\"STATE\",\"state\":{\"id\":1,\"sourceStats\":{\"recordCount\":4},"
                    "\"type\":\"STREAM\",\"stream\":{"
                    "\"stream_descriptor\":{\"name\":\"p_f\",\"namespace\":\"to\"},"
                    "\"stream_state\":{}}}}\n");
    ack(f, "{\"id\":1,\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"p_f\","
           "\"namespace\":\"to\"},\"stream_state\":{}}}");
    g_assert_cmpuint(sl_ledger_books(f->ledger)[F].committed.records, ==, 4);
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_ledger_write_pending(f->ledger, &w);
    g_assert_cmpstr(out->str, ==,
                    "[{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"f\","
                    "\"namespace\":\"n\"},\"stream_state\":{}}}]");
    g_string_truncate(f->sent, 0);
    sl_ledger_add_missing_state(f->ledger, F, f->sent); /* it has one now */
    g_assert_cmpuint(f->sent->len, ==, 0);
}

/* … and not in a sync of GLOBAL or LEGACY states, whose types must not be mixed */
static void
test_no_missing_state(Fixture *f, gconstpointer state)
{
    add_state(f, state);
    g_string_truncate(f->sent, 0);
    sl_ledger_add_missing_state(f->ledger, F, f->sent);
    g_assert_cmpuint(f->sent->len, ==, 0);
}

/* On several sockets records of later states pass before a state does: they are not committed. */
static void
test_ahead(Fixture *f, gconstpointer data)
{
    SlStreamBooks *books = sl_ledger_books(f->ledger);
    count(f, I, 10);
    books[I].ahead = (SlCount){7, 70};
    add_state(f, STATE_I);
    ack(f, ECHO_I("1"));
    g_assert_cmpuint(books[I].committed.records, ==, 3);
    g_assert_cmpuint(books[I].committed.bytes, ==, 30);
    books[I].ahead = (SlCount){0, 0};
    add_state(f, STATE_I);
    ack(f, ECHO_I("2"));
    g_assert_cmpuint(books[I].committed.records, ==, 10);
}

/* Each stream counts its states from 1; such ids stay. Without that they go up over all. */
static void
test_ordinals(Fixture *f, gconstpointer data)
{
    static const char r[] = "{\"id\":1,\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":"
                            "{\"name\":\"r\"}}}";
    static const char i[] = "{\"id\":1,\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":"
                            "{\"name\":\"i\"}}}";
    gboolean ordinals = data != NULL;
    if (ordinals)
        sl_ledger_keep_ordinals(f->ledger);
    add_state(f, r);
    g_assert_nonnull(strstr(f->sent->str, "\"id\":1,"));
    add_state(f, i);
    g_assert_nonnull(strstr(f->sent->str, ordinals ? "\"id\":1," : "\"id\":2,"));
    ack(f, ordinals ? ECHO_I("1") : ECHO_I("2"));
    g_assert_true(sl_ledger_has_pending(f->ledger));
    g_assert_cmpuint(sl_ledger_open_states(f->ledger), ==, 1);
    add_state(f, STATE_I); /* without one: the next */
    g_assert_nonnull(strstr(f->sent->str, ordinals ? "\"id\":2," : "\"id\":3,"));
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*func)(Fixture *f, gconstpointer data);
        const void *data;
    } tests[] = {
        {"complete", test_complete, NULL},
        {"complete-after-ack", test_complete_after_ack, NULL},
        {"complete-without-state", test_complete_without_state, NULL},
        {"complete-global", test_complete_global, NULL},
        {"no-status-at-all", test_no_status_at_all, NULL},
        {"incomplete", test_incomplete, NULL},
        {"rejected-global", test_rejected_global, NULL},
        {"rate-limited", test_rate_limited, NULL},
        {"failed", test_abandoned, "failed"},
        {"cancelled", test_abandoned, "canceled"},
        {"estimates", test_estimates, NULL},
        {"estimate-of-sync", test_estimate_of_sync, NULL},
        {"missing-state", test_missing_state, NULL},
        {"ahead", test_ahead, NULL},
        {"ids-over-all", test_ordinals, NULL},
        {"ids-per-stream", test_ordinals, "per stream"},
        {"no-missing-state-global", test_no_missing_state,
         "{\"type\":\"GLOBAL\",\"global\":{\"stream_states\":[]}}"},
        {"no-missing-state-legacy", test_no_missing_state, "{\"data\":1}"},
    };
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/protocol/ledger-stats/", tests[i].path, NULL);
        g_test_add(path, Fixture, tests[i].data, set_up, tests[i].func, tear_down);
    }
    return g_test_run();
}
