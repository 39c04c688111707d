/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "sl-queue-state.h"

#include "sl-error.h"
#include "sl-queue-fixture.h"
#include "sl-sql.h"

#define STREAM(ns, name, state)                                                                    \
    "{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"" name "\"" ns             \
    "},\"stream_state\":" state "}}"

static char *
save_and_load(SlDb *db, const char *states, GError **error)
{
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, error);
    g_autoptr(GPtrArray) rows = NULL;
    if (!sl_queue_states_save(tx, FIXTURE_CONNECTION, states, FIXTURE_NOW, error) ||
        !sl_sql_state_list(tx, FIXTURE_CONNECTION, &rows, error) || !sl_tx_commit(tx, error))
        return NULL;
    return sl_queue_states_build(rows);
}

static void
expect(SlDb *db, const char *states, const char *stored)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = save_and_load(db, states, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, stored);
}

static void
expect_error(SlDb *db, const char *states, int code, const char *message)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(save_and_load(db, states, &error));
    g_assert_error(error, SL_ERROR, code);
    g_assert_nonnull(strstr(error->message, message));
}

/* Bytes survive; the last of a stream wins; namespace null, "" and missing are one; null deletes.
 */
static void
test_stream(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    expect(db, "[]", NULL);
    expect(db, "[" STREAM("", "a", "{\"n\":1}") "," STREAM("", "a", "{\"n\": 1.10}") "]",
           "[" STREAM("", "a", "{\"n\": 1.10}") "]");
    expect(db, "[" STREAM(",\"namespace\":\"\"", "a", "{\"n\":2}") "]",
           "[" STREAM("", "a", "{\"n\":2}") "]");
    expect(db, "[" STREAM(",\"namespace\":null", "a", "{\"n\":18446744073709551615}") "]",
           "[" STREAM("", "a", "{\"n\":18446744073709551615}") "]");
    expect(db, "[{\"type\":\"STATE\",\"state\":" STREAM(",\"namespace\":\"x\"", "a", "3") "}]",
           "[" STREAM("", "a", "{\"n\":18446744073709551615}") "," STREAM(",\"namespace\":\"x\"",
                                                                          "a", "3") "]");
    expect(db, "[" STREAM("", "a", "null") "]", "[" STREAM(",\"namespace\":\"x\"", "a", "3") "]");
}

/* What a source may write: U+0000 as JSON does it, half of a pair, and a great deal. */
static void
test_odd_states(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    expect(db, "[" STREAM("", "a", "{\"n\":\"a\\u0000b\"}") "]",
           "[" STREAM("", "a", "{\"n\":\"a\\u0000b\"}") "]");
    expect(db, "[" STREAM("", "a", "null") "]", NULL);
    expect_error(db, "[" STREAM("", "a", "\"\\ud800\"") "]", SL_ERROR_INVALID, "byte");
    g_autofree char *filling = g_strnfill(10 << 20, 'x');
    g_autofree char *states = g_strdup_printf("[{\"type\":\"STREAM\",\"stream\":{\"stream_"
                                              "descriptor\":{\"name\":\"a\"},\"stream_state\":"
                                              "\"%s\"}}]",
                                              filling);
    g_autoptr(GError) error = NULL;
    g_autofree char *stored = save_and_load(db, states, &error);
    g_assert_no_error(error);
    g_assert_true(g_str_equal(stored, states));
}

#define GLOBAL                                                                                     \
    "[{\"type\":\"GLOBAL\",\"global\":{\"shared_state\":{\"lsn\":7},\"stream_states\":["           \
    "{\"stream_descriptor\":{\"name\":\"a\",\"namespace\":\"p\"},\"stream_state\":{\"d\":1}}]}}]"

static void
test_types(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    expect(db, "[{\"data\":{\"old\":1}}]", "[{\"type\":\"LEGACY\",\"data\":{\"old\":1}}]");
    expect(db, GLOBAL, GLOBAL); /* LEGACY gives way */
    expect_error(db, "[" STREAM("", "a", "1") "]", SL_ERROR_CONFLICT, "type GLOBAL");
    expect_error(db, "[{\"data\":1}]", SL_ERROR_CONFLICT, "now sends LEGACY");
}

static void
test_refused(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    expect_error(db, "{}", SL_ERROR_INVALID, "expected array");
    expect_error(db, "[7]", SL_ERROR_INVALID, "states[0].expected a STATE");
    expect_error(db, "[" STREAM("", "a", "1") ",{\"type\":\"STREAM\"}]", SL_ERROR_INVALID,
                 "states[1].stream_descriptor.name");
    expect_error(db, "[{\"type\":\"OTHER\"}]", SL_ERROR_INVALID, "states[0].type");
    expect_error(db, "[" STREAM("", "a", "1") ",{\"data\":1}]", SL_ERROR_CONFLICT, "mixed");
}

/* Counters only grow, whatever order the posts arrive in. */
static void
test_stats(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(SlJob) job = queue_fixture_job(db);
    static const gint64 posts[] = {5, 9, 7};
    for (gsize i = 0; i < G_N_ELEMENTS(posts); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = g_strdup_printf(
            "{\"total\":{\"recordsEmitted\":%d},\"streams\":[{\"streamName\":\"a\","
            "\"stats\":{\"recordsEmitted\":%d,\"bytesCommitted\":%d,"
            "\"recordsFilteredOut\":%d,\"bytesFilteredOut\":%d%s}}]}",
            (int)posts[i], (int)posts[i], (int)posts[i] * 10, (int)posts[i] + 1, (int)posts[i] + 2,
            i == 1 ? ",\"additionalStats\":{\"nulledValueCount\":2.5}" : "");
        g_autoptr(SlAttemptStats) stats =
            sl_record_parse_text(&sl_attempt_stats_record, text, strlen(text), &error);
        g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
        sl_queue_stats_save(tx, job->job_id, 0, stats, FIXTURE_NOW, &error);
        g_assert_no_error(error);
        g_assert_true(sl_tx_commit(tx, &error));
    }
    g_assert_cmpint(
        queue_fixture_count(db, "select records_emitted from attempt_stats where stream = ''"), ==,
        9);
    g_assert_cmpint(
        queue_fixture_count(db, "select bytes_committed from attempt_stats where stream = 'a'"), ==,
        90);
    g_assert_cmpint(queue_fixture_count(
                        db, "select records_filtered_out from attempt_stats where stream = 'a'"),
                    ==, 10);
    g_assert_cmpint(
        queue_fixture_count(db, "select bytes_filtered_out from attempt_stats where stream = 'a'"),
        ==, 11);
    g_assert_cmpint(queue_fixture_count(db, "select count(*) from attempt_stats where stream = 'a' "
                                            "and additional_stats = '{\"nulledValueCount\":2.5}'"),
                    ==, 1); /* a post without them leaves them */
}

static void
save(SlDb *db, const SlJob *job, const char *text, gint64 now)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlAttemptStats) stats =
        sl_record_parse_text(&sl_attempt_stats_record, text, strlen(text), &error);
    g_assert_no_error(error);
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
    sl_queue_stats_save(tx, job->job_id, 0, stats, now, &error);
    g_assert_no_error(error);
    g_assert_true(sl_tx_commit(tx, &error));
}

/* How far a stream is: the newest post counts, and since when it is so. */
static void
test_run_states(void)
{
#define POST(state) "{\"streams\":[{\"streamName\":\"a\",\"stats\":{}" state "}]}"
    static const struct {
        const char *text, *where;
        int since; /* seconds behind FIXTURE_NOW */
    } posts[] = {
        {POST(""), "run_state is null and run_state_at is null", -1},
        {POST(",\"runState\":\"running\""), "run_state = 'running'", 1},
        {POST(",\"runState\":\"running\""), "run_state = 'running'", 1},
        {POST(",\"runState\":\"rate_limited\",\"quotaReset\":5"),
         "run_state = 'rate_limited' and quota_reset = 5", 3},
        {POST(""), "run_state = 'rate_limited' and quota_reset = 5", 3},
        {POST(",\"runState\":\"incomplete\",\"incompleteRunCause\":\"canceled\""),
         "run_state = 'incomplete' and incomplete_run_cause = 'canceled' and quota_reset is null",
         5},
        {POST(",\"runState\":\"complete\""),
         "run_state = 'complete' and incomplete_run_cause is null", 6},
    };
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(SlJob) job = queue_fixture_job(db);
    for (gsize i = 0; i < G_N_ELEMENTS(posts); i++) {
        save(db, job, posts[i].text, FIXTURE_NOW + (gint64)i * G_USEC_PER_SEC);
        g_autofree char *sql = g_strdup_printf(
            "select count(*) from attempt_stats where stream = 'a' and %s", posts[i].where);
        g_assert_cmpint(queue_fixture_count(db, sql), ==, 1);
        if (posts[i].since < 0)
            continue;
        g_autoptr(SlTx) tx = sl_db_begin(db, TRUE, NULL);
        g_autoptr(GPtrArray) rows = NULL;
        g_assert_true(sl_sql_attempt_stats_list(tx, job->job_id, 0, &rows, NULL));
        g_assert_cmpint(((SlStatsRow *)rows->pdata[0])->run_state_at, ==,
                        FIXTURE_NOW + posts[i].since * G_USEC_PER_SEC);
    }
    save(db, job, "{\"total\":{\"recordsEmitted\":1}}", FIXTURE_NOW);
    g_assert_cmpint(queue_fixture_count(db, "select count(*) from attempt_stats where stream = '' "
                                            "and run_state is null"),
                    ==, 1);
#undef POST
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/queue/state/stream", test_stream);
    g_test_add_func("/queue/state/odd", test_odd_states);
    g_test_add_func("/queue/state/types", test_types);
    g_test_add_func("/queue/state/refused", test_refused);
    g_test_add_func("/queue/state/stats", test_stats);
    g_test_add_func("/queue/state/run-states", test_run_states);
    return g_test_run();
}
