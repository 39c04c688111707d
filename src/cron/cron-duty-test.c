/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "cron-duty.h"

#include "sl-error.h"
#include "sl-log.h"
#include "sl-queue-fixture.h"
#include "sl-queue.h"

#define DAY (86400 * (gint64)G_USEC_PER_SEC)

static void
run(SlDb *db, const char *name, gint64 now, const char *expected)
{
    g_autoptr(SlConfig) config = sl_config_new();
    g_autoptr(GError) error = NULL;
    g_autofree char *result = NULL;
    CronContext context = {db, config, "/nonexistent", now};
    const CronDuty *duty = cron_duty_find(name, &error);
    g_assert_no_error(error);
    duty->run(&context, &result, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(result, ==, expected);
}

/* A workload whose launcher died right after the claim: failed when its lease is over. */
static void
test_stale_workloads(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(SlJob) job = queue_fixture_job(db);
    g_autofree char *token = NULL;
    g_autofree char *id = queue_fixture_claimed(db, job, &token);
    run(db, "stale-workloads", FIXTURE_NOW, "0 stale workloads failed");
    run(db, "stale-workloads", FIXTURE_NOW + DAY, "1 stale workloads failed");
    run(db, "stale-workloads", FIXTURE_NOW + DAY, "0 stale workloads failed");
}

/* Old jobs go with all that hangs on them; the last one of a connection stays whatever its age. */
static void
test_finished_rows(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    for (int i = 0; i < 3; i++) {
        g_autoptr(SlJob) job = queue_fixture_job(db);
        queue_fixture_script(db, "update job set status = 'failed', finished_at = created_at "
                                 "where finished_at is null");
    }
    run(db, "finished-rows", FIXTURE_NOW + DAY, "0 finished jobs deleted");
    run(db, "finished-rows", FIXTURE_NOW + 400 * DAY, "2 finished jobs deleted");
    g_assert_cmpint(queue_fixture_count(db, "select count(*) from job"), ==, 1);
    g_assert_cmpint(queue_fixture_count(db, "select count(*) from attempt"), ==, 1);
}

static void
test_files(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    run(db, "job-logs", FIXTURE_NOW, "0 files (0 bytes) deleted");
    run(db, "temporary-files", FIXTURE_NOW, "0 files (0 bytes) deleted");
}

static void
test_unknown(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(cron_duty_find("dishes", &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "finished-rows"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    sl_log_init("cron-duty-test");
    g_test_add_func("/cron/duty/stale-workloads", test_stale_workloads);
    g_test_add_func("/cron/duty/finished-rows", test_finished_rows);
    g_test_add_func("/cron/duty/files", test_files);
    g_test_add_func("/cron/duty/unknown", test_unknown);
    return g_test_run();
}
