/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "sl-queue-workload.h"

#include "sl-error.h"
#include "sl-log.h"
#include "sl-queue-fixture.h"
#include "sl-sql.h"

#define STATE                                                                                      \
    "[{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"a\"},\"stream_state\":{"  \
    "\"n\":1}}}]"

typedef struct {
    SlDb *db;
    SlJob *job;
    char *id;
    char *token;
    SlTx *tx;
    GError *error;
} Fixture;

static void
setup(Fixture *f, gconstpointer claimed)
{
    f->db = queue_fixture_new();
    f->job = queue_fixture_job(f->db);
    f->id = queue_fixture_claimed(f->db, f->job, claimed != NULL ? &f->token : NULL);
    f->tx = sl_db_begin(f->db, FALSE, &f->error);
    g_assert_no_error(f->error);
}

static void
teardown(Fixture *f, gconstpointer claimed)
{
    g_assert_no_error(f->error);
    sl_tx_free(f->tx);
    sl_job_free(f->job);
    sl_db_unref(f->db);
    g_free(f->id);
    g_free(f->token);
}

static void
expect_gone(Fixture *f, gboolean ok)
{
    g_assert_false(ok);
    g_assert_error(f->error, SL_ERROR, SL_ERROR_GONE);
    g_clear_error(&f->error);
}

/* Polled, it is hidden from the next launcher; not claimed in time, it is shown again. */
static void
test_poll(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *group;
        gint64 at;
        guint found;
    } polls[] = {{"other", 0, 0}, {"auto", 0, 1}, {"auto", 4, 0}, {"auto", 5, 1}};
    for (gsize i = 0; i < G_N_ELEMENTS(polls); i++) {
        g_autoptr(GPtrArray) found = NULL;
        g_assert_true(sl_queue_workload_poll(f->tx, polls[i].group, 10, 5,
                                             FIXTURE_NOW + polls[i].at, &found, &f->error));
        g_assert_cmpuint(found->len, ==, polls[i].found);
    }
}

static gpointer
claim_thread(gpointer data)
{
    Fixture *f = data;
    g_autofree char *plane = g_strdup_printf("%p", (void *)g_thread_self());
    g_autofree char *token = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, &error);
    g_assert_no_error(error);
    sl_queue_workload_claim(tx, f->id, plane, G_USEC_PER_SEC, FIXTURE_NOW, &token, &error);
    g_assert_no_error(error);
    sl_tx_commit(tx, &error);
    return GINT_TO_POINTER(token != NULL);
}

static void
test_claim_race(Fixture *f, gconstpointer data)
{
    GThread *threads[8];
    int won = 0;
    g_clear_pointer(&f->tx, sl_tx_free);
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("claim", claim_thread, f);
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        won += GPOINTER_TO_INT(g_thread_join(threads[i]));
    g_assert_cmpint(won, ==, 1);
    g_assert_cmpint(queue_fixture_count(f->db, "select count(*) from workload_queue"), ==, 0);
}

/* The same data plane again (its answer was lost): the new token holds, the old one is fenced off.
 */
static void
test_claim_again(Fixture *f, gconstpointer data)
{
    g_autofree char *second = NULL;
    gboolean stop;
    sl_queue_workload_claim(f->tx, f->id, "plane", G_USEC_PER_SEC, FIXTURE_NOW, &second, &f->error);
    g_assert_nonnull(second);
    expect_gone(
        f, sl_queue_workload_running(f->tx, f->id, f->token, 1, FIXTURE_NOW, &stop, &f->error));
    g_assert_true(
        sl_queue_workload_running(f->tx, f->id, second, 1, FIXTURE_NOW, &stop, &f->error));
    /* running already: no claim at all */
    g_autofree char *third = NULL;
    g_assert_true(
        sl_queue_workload_claim(f->tx, f->id, "plane", 1, FIXTURE_NOW, &third, &f->error));
    g_assert_null(third);
}

static void
test_life(Fixture *f, gconstpointer data)
{
    gboolean stop = TRUE;
    g_autoptr(SlSyncStats) total = sl_sync_stats_new();
    sl_sync_stats_set_records_committed(total, 7);
    SlAttemptStats stats = {.total = total};
    SlWorkloadReport report = {.workload_id = f->id,
                               .token = f->token,
                               .states = STATE,
                               .stats = &stats,
                               .output = "{\"x\":1.10}",
                               .status = SL_WORKLOAD_STATUS_SUCCESS};
    g_assert_true(sl_queue_workload_launched(f->tx, f->id, f->token, FIXTURE_NOW, &f->error));
    g_assert_true(
        sl_queue_workload_running(f->tx, f->id, f->token, 1, FIXTURE_NOW, &stop, &f->error));
    g_assert_false(stop);
    g_assert_true(sl_queue_workload_commit(f->tx, &report, FIXTURE_NOW, &f->error));
    g_assert_true(sl_queue_workload_finish(f->tx, &report, FIXTURE_NOW, &f->error));
    g_assert_true(sl_queue_workload_finish(f->tx, &report, FIXTURE_NOW, &f->error)); /* repeated */
    expect_gone(f, sl_queue_workload_commit(f->tx, &report, FIXTURE_NOW, &f->error));
    expect_gone(
        f, sl_queue_workload_heartbeat(f->tx, f->id, f->token, 1, FIXTURE_NOW, &stop, &f->error));
    report.status = SL_WORKLOAD_STATUS_FAILURE; /* a different end is refused */
    expect_gone(f, sl_queue_workload_finish(f->tx, &report, FIXTURE_NOW, &f->error));

    g_autoptr(SlAttempt) attempt = NULL;
    g_assert_true(sl_sql_attempt_get(f->tx, f->job->job_id, 0, &attempt, &f->error));
    g_assert_cmpstr(attempt->output, ==, "{\"x\":1.10}");
    g_autoptr(SlStatsRow) sum = NULL;
    g_assert_true(sl_sql_attempt_stats_of_job(f->tx, f->job->job_id, &sum, &f->error));
    g_assert_cmpint(sum->records_committed, ==, 7);
    g_assert_true(sl_tx_commit(f->tx, &f->error));
    g_assert_cmpint(
        queue_fixture_count(f->db, "select count(*) from task where kind = 'attempt_finish'"), ==,
        1);
    g_assert_cmpint(queue_fixture_count(f->db, "select count(*) from workload_lease"), ==, 0);
}

static void
test_wrong_token(Fixture *f, gconstpointer data)
{
    SlWorkloadReport report = {
        .workload_id = f->id, .token = "0", .status = SL_WORKLOAD_STATUS_SUCCESS, .states = STATE};
    expect_gone(f, sl_queue_workload_finish(f->tx, &report, FIXTURE_NOW, &f->error));
    expect_gone(f, sl_queue_workload_commit(f->tx, &report, FIXTURE_NOW, &f->error));
    expect_gone(f, sl_queue_workload_release(f->tx, f->id, "0", FIXTURE_NOW, &f->error));
    expect_gone(f, sl_queue_workload_launched(f->tx, f->id, "0", FIXTURE_NOW, &f->error));
    report.workload_id = "nobody";
    g_assert_false(sl_queue_workload_finish(f->tx, &report, FIXTURE_NOW, &f->error));
    g_assert_error(f->error, SL_ERROR, SL_ERROR_NOT_FOUND);
    g_clear_error(&f->error);
}

static void
test_release(Fixture *f, gconstpointer data)
{
    g_autoptr(GPtrArray) found = NULL;
    gboolean stop;
    g_assert_true(sl_queue_workload_release(f->tx, f->id, f->token, FIXTURE_NOW, &f->error));
    expect_gone(
        f, sl_queue_workload_running(f->tx, f->id, f->token, 1, FIXTURE_NOW, &stop, &f->error));
    g_assert_true(sl_queue_workload_poll(f->tx, "auto", 1, 1, FIXTURE_NOW, &found, &f->error));
    g_assert_cmpuint(found->len, ==, 1);
}

/* Swept when the lease has run out, not before; the late holder is refused afterwards. */
static void
test_sweep(Fixture *f, gconstpointer claimed)
{
    guint swept = 99;
    gboolean stop;
    gint64 limit = claimed != NULL ? G_USEC_PER_SEC : 60 * (gint64)G_USEC_PER_SEC;
    g_assert_true(sl_queue_workload_sweep(f->tx, 60 * (gint64)G_USEC_PER_SEC,
                                          FIXTURE_NOW + limit - 1, &swept, &f->error));
    g_assert_cmpuint(swept, ==, 0);
    g_assert_true(sl_queue_workload_sweep(f->tx, 60 * (gint64)G_USEC_PER_SEC,
                                          FIXTURE_NOW + limit + 1, &swept, &f->error));
    g_assert_cmpuint(swept, ==, 1);
    expect_gone(f, sl_queue_workload_heartbeat(f->tx, f->id, f->token != NULL ? f->token : "", 1,
                                               FIXTURE_NOW, &stop, &f->error));
    g_autoptr(SlWorkload) workload = NULL;
    g_assert_true(sl_sql_workload_get(f->tx, f->id, &workload, &f->error));
    g_assert_cmpint(workload->status, ==, SL_WORKLOAD_STATUS_FAILURE);
    g_assert_cmpstr(workload->termination_source, ==,
                    claimed != NULL ? "workload-monitor-heartbeat" : "workload-monitor-claim");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    sl_log_init("sl-queue-workload-test");
    static const char claimed[] = "claimed";
#define ADD(name, how, func)                                                                       \
    g_test_add("/queue/workload/" name, Fixture, how, setup, func, teardown)
    ADD("poll", NULL, test_poll);
    ADD("claim-race", NULL, test_claim_race);
    ADD("claim-again", claimed, test_claim_again);
    ADD("life", claimed, test_life);
    ADD("wrong-token", claimed, test_wrong_token);
    ADD("release", claimed, test_release);
    ADD("sweep-pending", NULL, test_sweep);
    ADD("sweep-silent", claimed, test_sweep);
    return g_test_run();
}
