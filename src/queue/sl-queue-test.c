/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "sl-queue.h"

#include "sl-error.h"
#include "sl-log.h"
#include "sl-queue-fixture.h"
#include "sl-queue-workload.h"
#include "sl-sql.h"

static SlJob *
cancel(SlDb *db, gint64 job_id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
    SlJob *job = NULL;
    sl_queue_job_cancel(tx, job_id, FIXTURE_NOW, &job, &error);
    g_assert_no_error(error);
    g_assert_true(sl_tx_commit(tx, &error));
    return job;
}

static gpointer
create_thread(gpointer data)
{
    SlJobRequest request = {.config_type = SL_CONFIG_TYPE_SYNC,
                            .scope = FIXTURE_CONNECTION,
                            .workspace_id = FIXTURE_WORKSPACE};
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(data, FALSE, &error);
    g_autoptr(SlJob) job = NULL;
    gboolean ok =
        sl_queue_job_create(tx, &request, FIXTURE_NOW, &job, &error) && sl_tx_commit(tx, &error);
    if (!ok)
        g_assert_error(error, SL_ERROR, SL_ERROR_CONFLICT);
    return GINT_TO_POINTER(ok);
}

/* Fifty threads trigger one connection: one job. */
static void
test_one_active_job(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    GThread *threads[50];
    int created = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("create", create_thread, db);
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        created += GPOINTER_TO_INT(g_thread_join(threads[i]));
    g_assert_cmpint(created, ==, 1);
    g_assert_cmpint(queue_fixture_count(db, "select count(*) from job"), ==, 1);
    g_assert_cmpint(queue_fixture_count(db, "select count(*) from task"), ==, 1);
    g_assert_cmpint(queue_fixture_count(db, "select count(*) from attempt"), ==, 1);
}

static void
test_one_job_per_tick(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    gint64 tick = FIXTURE_NOW;
    SlJobRequest request = {.config_type = SL_CONFIG_TYPE_SYNC,
                            .scope = FIXTURE_CONNECTION,
                            .workspace_id = FIXTURE_WORKSPACE,
                            .is_scheduled = TRUE,
                            .scheduled_for = &tick};
    for (int i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
        g_autoptr(SlJob) job = NULL, cancelled = NULL;
        gboolean ok = sl_queue_job_create(tx, &request, FIXTURE_NOW, &job, &error) &&
                      sl_queue_job_cancel(tx, job->job_id, FIXTURE_NOW, &cancelled, &error) &&
                      sl_tx_commit(tx, &error);
        g_assert_cmpint(ok, ==, i == 0);
    }
}

/* Waiting in the queue, it ends at once and leaves nothing behind. */
static void
test_cancel_pending(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(SlJob) job = queue_fixture_job(db);
    g_autofree char *id = queue_fixture_claimed(db, job, NULL);
    g_autoptr(SlJob) cancelled = cancel(db, job->job_id);
    g_assert_cmpint(cancelled->status, ==, SL_JOB_STATUS_CANCELLED);
    g_assert_cmpint(queue_fixture_count(db, "select count(*) from task"), ==, 0);
    g_assert_cmpint(queue_fixture_count(db, "select count(*) from workload_queue"), ==, 0);
    g_assert_cmpint(
        queue_fixture_count(db, "select count(*) from workload where status = 'cancelled'"), ==, 1);
    /* every failure says when, in milliseconds */
    g_assert_cmpint(
        queue_fixture_count(
            db, "select (failure::jsonb #>> '{failures,0,timestamp}')::bigint from job"),
        ==, FIXTURE_NOW / 1000);
    g_autoptr(SlJob) again = cancel(db, job->job_id);
    g_assert_cmpint(again->status, ==, SL_JOB_STATUS_CANCELLED);
    g_assert_cmpint(again->updated_at, ==, cancelled->updated_at);
}

/* Running, its holder is told; the job goes on until the holder has stopped. */
static void
test_cancel_running(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(SlJob) job = queue_fixture_job(db);
    g_autofree char *token = NULL;
    g_autofree char *id = queue_fixture_claimed(db, job, &token);
    g_autoptr(SlJob) asked = cancel(db, job->job_id);
    g_assert_cmpint(asked->status, ==, SL_JOB_STATUS_PENDING);
    g_assert_true(sl_record_has(&sl_job_record, asked, SL_JOB_CANCEL_REQUESTED_AT));
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
    gboolean stop = FALSE;
    g_assert_true(
        sl_queue_workload_running(tx, id, token, G_USEC_PER_SEC, FIXTURE_NOW, &stop, &error));
    g_assert_true(stop);
}

static void
test_cancel_unknown(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(SlJob) job = NULL;
    g_assert_false(sl_queue_job_cancel(tx, 77, FIXTURE_NOW, &job, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_NOT_FOUND);
    g_assert_cmpstr(error->message, ==, "job 77 does not exist");
}

/* Attempt 0 fails, the job waits, the retry makes attempt 1; its end is final. */
static void
test_retry(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(SlJob) job = queue_fixture_job(db), retried = NULL, none = NULL, done = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
    SlAttemptEnd end = {.job_id = job->job_id,
                        .job_status = SL_JOB_STATUS_INCOMPLETE,
                        .retry_at = FIXTURE_NOW + 10,
                        .complete_successive = 1,
                        .complete_total = 1,
                        .failure_summary = "{\"failures\":[]}"};
    sl_sql_job_start(tx, job->job_id, FIXTURE_NOW, NULL, NULL);
    g_assert_true(sl_queue_attempt_finish(tx, &end, FIXTURE_NOW, &error));
    g_assert_true(sl_queue_retry_start(tx, FIXTURE_NOW + 9, &none, &error));
    g_assert_null(none);
    g_assert_true(sl_queue_retry_start(tx, FIXTURE_NOW + 10, &retried, &error));
    g_assert_cmpint(retried->job_id, ==, job->job_id);
    g_assert_true(sl_queue_retry_start(tx, FIXTURE_NOW + 11, &none, &error));
    g_assert_null(none);
    end = (SlAttemptEnd){.job_id = job->job_id,
                         .attempt_number = 1,
                         .succeeded = TRUE,
                         .job_status = SL_JOB_STATUS_SUCCEEDED};
    g_assert_true(sl_queue_attempt_finish(tx, &end, FIXTURE_NOW + 20, &error));
    g_assert_true(sl_sql_job_get(tx, job->job_id, &done, &error));
    g_assert_no_error(error);
    g_assert_cmpint(done->status, ==, SL_JOB_STATUS_SUCCEEDED);
    g_assert_cmpint(done->complete_total, ==, 1);
    g_assert_cmpint(done->finished_at, ==, FIXTURE_NOW + 20);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    sl_log_init("sl-queue-test");
    g_test_add_func("/queue/job/one-active", test_one_active_job);
    g_test_add_func("/queue/job/one-per-tick", test_one_job_per_tick);
    g_test_add_func("/queue/job/cancel-pending", test_cancel_pending);
    g_test_add_func("/queue/job/cancel-running", test_cancel_running);
    g_test_add_func("/queue/job/cancel-unknown", test_cancel_unknown);
    g_test_add_func("/queue/job/retry", test_retry);
    return g_test_run();
}
