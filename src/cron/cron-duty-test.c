/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "cron-duty.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-log.h"
#include "sl-queue-fixture.h"
#include "sl-queue.h"
#include "sl-secret.h"
#include "sl-sql.h"

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
    run(db, "finished-rows", FIXTURE_NOW + DAY,
        "0 finished jobs, 0 events and 0 notifications deleted");
    run(db, "finished-rows", FIXTURE_NOW + 400 * DAY,
        "2 finished jobs, 0 events and 0 notifications deleted");
    g_assert_cmpint(queue_fixture_count(db, "select count(*) from job"), ==, 1);
    g_assert_cmpint(queue_fixture_count(db, "select count(*) from attempt"), ==, 1);
    /* what waits to be delivered is not old, whatever its age */
    queue_fixture_script(
        db, "insert into notification (notification_id, workspace_id, trigger, channel, target,"
            " facts, due_at, created_at) select gen_random_uuid(), '" FIXTURE_WORKSPACE
            "', 'success', 'webhook', 'x', '{}', due, '2026-08-01T12:00:00Z'"
            " from (values (null), ('2026-08-01T12:00:00Z'::timestamptz)) v (due)");
    run(db, "finished-rows", FIXTURE_NOW + 600 * DAY,
        "0 finished jobs, 3 events and 1 notifications deleted");
    g_assert_cmpint(queue_fixture_count(db, "select count(*) from notification"), ==, 1);
}

/* The last job that succeeded stays like the last one, however many have failed since; so does the
 * wish to keep only so many. */
static void
test_retention(void)
{
    static const struct {
        const char *statuses; /* s, f, c, r: the newest last */
        gint64 each;
        int days;
        const char *left;
    } cases[] = {
        {"ssf", 0, 400, "sf"},  {"sff", 0, 400, "sf"},    {"fff", 0, 400, "f"},
        {"ffs", 0, 400, "s"},   {"sffr", 0, 400, "sr"},   {"sssss", 2, 1, "ss"},
        {"sffff", 2, 1, "sff"}, {"sssr", 1, 1, "sr"},     {"fffcf", 1, 1, "f"},
        {"ssff", 3, 1, "sff"},  {"ssss", 100, 1, "ssss"}, {"ssss", 0, 1, "ssss"},
    };
    g_autoptr(SlDb) db = queue_fixture_new();
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SlConfig) config = sl_config_new();
        g_autoptr(GError) error = NULL;
        g_autofree char *result = NULL;
        g_autofree char *sql = g_strdup_printf(
            "delete from job; insert into job (config_type, scope, workspace_id, status,"
            " created_at, updated_at, finished_at) select 'sync', '" FIXTURE_CONNECTION
            "', '" FIXTURE_WORKSPACE "', case c when 's' then 'succeeded' when 'f' then 'failed'"
            " when 'c' then 'cancelled' else 'running' end, '2026-08-01', '2026-08-01',"
            " case when c <> 'r' then '2026-08-01'::timestamptz end"
            " from string_to_table('%s', null) with ordinality v (c, n) order by n",
            cases[i].statuses);
        queue_fixture_script(db, sql);
        config->retention_jobs_each = cases[i].each;
        CronContext context = {
            .db = db, .config = config, .now = FIXTURE_NOW + cases[i].days * DAY};
        cron_duty_find("finished-rows", NULL)->run(&context, &result, &error);
        g_assert_no_error(error);
        g_autofree char *same = g_strdup_printf("select (coalesce(string_agg(left(status, 1), '' "
                                                "order by job_id), '') = '%s')::int from job",
                                                cases[i].left);
        g_test_message("%s", cases[i].statuses);
        g_assert_cmpint(queue_fixture_count(db, same), ==, 1);
    }
}

/* Logs go with their jobs, but not those of a job that has only just begun to write. */
static void
test_orphaned_logs(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(SlJob) job = queue_fixture_job(db);
    g_autoptr(SlConfig) config = sl_config_new();
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("cron-duty-XXXXXX", NULL), *result = NULL;
    static const char *const names[] = {"1", "77", "78", "other"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *below = g_build_filename(folder, names[i], NULL);
        g_autofree char *file = g_build_filename(below, "0.ndjson", NULL);
        g_assert_cmpint(g_mkdir(below, 0700), ==, 0);
        g_assert_true(g_file_set_contents(file, "12345", 5, NULL));
    }
    g_assert_cmpint(job->job_id, ==, 1);
    gint64 now = g_get_real_time();
    CronContext context = {.db = db, .config = config, .log_folder = folder, .now = now};
    g_assert_true(cron_duty_find("job-logs", NULL)->run(&context, &result, &error));
    g_assert_cmpstr(result, ==, "0 files (0 bytes) deleted");
    g_clear_pointer(&result, g_free);
    context.now = now + 2 * DAY;
    g_assert_true(cron_duty_find("job-logs", NULL)->run(&context, &result, &error));
    g_assert_cmpstr(result, ==, "2 files (10 bytes) deleted");
    g_clear_pointer(&result, g_free);
    context.now = now + 400 * DAY;
    g_assert_true(cron_duty_find("job-logs", NULL)->run(&context, &result, &error));
    g_assert_cmpstr(result, ==, "2 files (10 bytes) deleted");
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

static void
test_expired(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    queue_fixture_script(
        db, "insert into session (session_id, user_id, refresh_hash, rotated_at, expires_at,"
            " created_at) select gen_random_uuid(), '00000000-0000-0000-0000-000000000000', 'x',"
            " now(), '2026-08-01T12:00:00Z'::timestamptz + i * interval '1 s', now()"
            " from generate_series(-600, 1) i;"
            "insert into setup_token (token_hash, user_id, expires_at, used_at, created_at) values"
            " ('a', '00000000-0000-0000-0000-000000000000', '2026-08-01', null, now()),"
            " ('b', '00000000-0000-0000-0000-000000000000', '2027-08-01', now(), now()),"
            " ('c', '00000000-0000-0000-0000-000000000000', '2027-08-01', null, now())");
    run(db, "expired-rows", FIXTURE_NOW, "601 sessions and 2 setup links deleted");
    run(db, "expired-rows", FIXTURE_NOW, "0 sessions and 0 setup links deleted");
    run(db, "database-statistics", FIXTURE_NOW, "statistics of the database are up to date");
}

static void
test_files(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    run(db, "job-logs", FIXTURE_NOW, "0 files (0 bytes) deleted");
    run(db, "temporary-files", FIXTURE_NOW, "0 files (0 bytes) deleted");
}

#define OLD "01234567890123456789012345678901"
#define NEW "abcdefghijabcdefghijabcdefghijab"
#define N_SECRETS 1200

static SlSealKey *
make_ring(const char *keys)
{
    g_autoptr(GBytes) bytes = g_bytes_new(keys, strlen(keys));
    return sl_seal_key_new(bytes, NULL);
}

static gboolean
reseal(SlDb *db, const char *keys, char **ret_result, GError **error)
{
    g_autoptr(SlConfig) config = sl_config_new();
    g_autoptr(SlSealKey) key = keys != NULL ? make_ring(keys) : NULL;
    CronContext context = {db, config, "/nonexistent", FIXTURE_NOW, key};
    return cron_duty_find("reseal-secrets", NULL)->run(&context, ret_result, error);
}

/* Many secrets and an application, sealed with `keys`. */
static void
fill(SlDb *db, const char *keys)
{
    const char *id = "00000000-0000-4000-8000-0000000000aa";
    g_autoptr(SlSealKey) key = make_ring(keys);
    g_autoptr(SlApplicationRow) row = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
    for (guint i = 0; i < N_SECRETS; i++) {
        g_autofree char *secret = sl_secret_put(tx, key, FIXTURE_WORKSPACE, FIXTURE_SOURCE, NULL,
                                                "plain", FIXTURE_NOW, &error);
        g_assert_no_error(error);
    }
    g_autofree char *sealed = sl_seal(key, id, "swordfish", &error);
    sl_sql_application_add(tx, id, "00000000-0000-0000-0000-000000000000", "a", "c", "h", sealed,
                           FIXTURE_NOW, &row, &error);
    g_assert_no_error(error);
    g_assert_true(sl_tx_commit(tx, NULL));
}

static gint64
sealed_with(SlDb *db, const char *keys)
{
    g_autoptr(SlSealKey) key = make_ring(keys);
    g_autofree char *sql =
        g_strdup_printf("select count(*) from secret where key_id = '%s'", sl_seal_key_id(key));
    return queue_fixture_count(db, sql);
}

/* The duty is killed while it waits for the last row, two batches done; the next run ends it. */
static void
test_reseal_killed(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(GError) error = NULL;
    g_autofree char *result = NULL;
    fill(db, OLD);
    g_autofree char *conninfo = g_strdup_printf(
        "dbname=test_%d_%d", (int)getpid(),
        (int)queue_fixture_count(db, "select split_part(current_database(), '_', 3)::int8"));
    g_autoptr(SlTx) lock = sl_db_begin(db, FALSE, &error);
    sl_tx_run_script(lock, "select 1 from secret order by secret_id desc limit 1 for update",
                     &error);
    g_assert_no_error(error);
    pid_t child = fork();
    g_assert_cmpint(child, >=, 0);
    if (child == 0) {
        SlDb *own = sl_db_new(conninfo, 1, 300 * (gint64)G_USEC_PER_SEC);
        reseal(own, NEW OLD, &result, NULL);
        _exit(0);
    }
    while (sealed_with(db, NEW) < 1000) {
        g_assert_cmpint(waitpid(child, NULL, WNOHANG), ==, 0);
        g_usleep(20000);
    }
    int status = 0;
    g_assert_cmpint(kill(child, SIGKILL), ==, 0);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFSIGNALED(status));
    g_clear_pointer(&lock, sl_tx_free);
    g_assert_cmpint(sealed_with(db, NEW), ==, 1000);
    g_assert_cmpint(sealed_with(db, OLD), ==, N_SECRETS - 1000);

    g_assert_true(reseal(db, NEW OLD, &result, &error));
    g_assert_no_error(error);
    g_assert_true(g_str_has_prefix(result, "200 secrets and 1 applications sealed"));
    g_clear_pointer(&result, g_free);
    g_assert_true(reseal(db, NEW, &result, &error)); /* the old key is not needed any more */
    g_assert_true(g_str_has_prefix(result, "0 secrets and 0 applications sealed"));
    g_assert_true(g_str_has_suffix(result, ", 0 applications that no key opens"));
}

/* Without a key nothing happens; what was sealed with a key that is gone stays as it is; a secret
 * that its own key does not open is an error, and changes nothing. */
static void
test_reseal_refused(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(GError) error = NULL;
    g_autofree char *result = NULL;
    g_assert_false(reseal(db, NULL, &result, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_CONFIG);
    g_clear_error(&error);
    fill(db, OLD);
    g_assert_true(reseal(db, NEW, &result, &error));
    g_assert_no_error(error);
    g_assert_true(g_str_has_prefix(result, "0 secrets"));
    g_clear_pointer(&result, g_free);
    g_assert_cmpint(sealed_with(db, OLD), ==, N_SECRETS);
    queue_fixture_script(db, "update secret set sealed = 'AAAA' || substr(sealed, 5) "
                             "where secret_id = (select max(secret_id::text)::uuid from secret)");
    g_assert_false(reseal(db, NEW OLD, &result, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "cannot be opened"));
    g_assert_cmpint(sealed_with(db, OLD), ==, N_SECRETS - 1000);
    queue_fixture_script(db, "delete from secret");
    g_assert_true(reseal(db, NEW, &result, NULL));
    g_assert_true(g_str_has_suffix(result, ", 1 applications that no key opens"));
}

static void
test_unknown(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(cron_duty_find("dishes", &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "finished-rows"));
}

/* Logs of attempts that have ended long enough, and no others; one that cannot be keeps none of the
 * others from it. */
static void
test_log_compression(void)
{
    static const struct {
        const char *file, *packed;
    } files[] = {
        {"1/0.ndjson", NULL},             /* still running */
        {"1/1.ndjson", "1/1.ndjson.zst"}, /* ended two days ago */
        {"1/2.ndjson", NULL},             /* ended an hour ago */
        {"1/3.ndjson", "1/3.ndjson.zst"},
        {"77/0.ndjson", NULL}, /* of nobody */
    };
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(SlJob) job = queue_fixture_job(db);
    g_autoptr(SlConfig) config = sl_config_new();
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("cron-duty-XXXXXX", NULL), *result = NULL;
    const CronDuty *duty = cron_duty_find("log-compression", NULL);
    gint64 now = g_get_real_time();
    CronContext context = {.db = db, .config = config, .log_folder = folder, .now = now};
    queue_fixture_script(
        db, "insert into attempt (job_id, attempt_number, status, log_path, created_at, updated_at,"
            " ended_at) select 1, n, 'failed', '1/' || n || '.ndjson', now(), now(),"
            " now() - age::interval from (values (1, '2 days'), (2, '1 hour'), (3, '3 days'),"
            " (4, '3 days')) v (n, age);"
            "update attempt set log_path = '1/0.ndjson' where attempt_number = 0");
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *file = g_build_filename(folder, files[i].file, NULL);
        g_autofree char *below = g_path_get_dirname(file);
        g_mkdir(below, 0700);
        g_assert_true(g_file_set_contents(file, "a line\n", -1, NULL));
    }
    config->retention_pack_usec = 0;
    g_assert_true(duty->run(&context, &result, &error));
    g_assert_cmpstr(result, ==, "logs stay as they are: [Retention] CompressLogs=0");
    g_clear_pointer(&result, g_free);
    config->retention_pack_usec = DAY;
    /* where one's compressed form should come there is a folder */
    g_autofree char *way = g_build_filename(folder, "1/3.ndjson.zst.tmp", NULL);
    g_assert_cmpint(g_mkdir(way, 0700), ==, 0);
    g_assert_false(duty->run(&context, &result, &error));
    g_assert_nonnull(strstr(error->message, "1 logs compressed, but: "));
    g_assert_nonnull(strstr(error->message, "1/3.ndjson.zst.tmp"));
    g_clear_error(&error);
    g_assert_cmpint(g_rmdir(way), ==, 0);
    for (guint run = 0; run < 2; run++) {
        g_assert_true(duty->run(&context, &result, &error));
        g_assert_true(g_str_has_prefix(result, run == 0 ? "1 logs" : "0 logs"));
        g_clear_pointer(&result, g_free);
    }
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        const char *name = files[i].packed != NULL ? files[i].packed : files[i].file;
        g_autofree char *left = g_build_filename(folder, name, NULL);
        g_autofree char *below = g_path_get_dirname(left);
        g_test_message("%s", name);
        g_assert_cmpint(g_unlink(left), ==, 0);
        g_rmdir(below);
    }
    g_assert_cmpint(g_rmdir(folder), ==, 0); /* nothing else was there */
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    sl_log_init("cron-duty-test");
    g_test_add_func("/cron/duty/stale-workloads", test_stale_workloads);
    g_test_add_func("/cron/duty/finished-rows", test_finished_rows);
    g_test_add_func("/cron/duty/files", test_files);
    g_test_add_func("/cron/duty/retention", test_retention);
    g_test_add_func("/cron/duty/orphaned-logs", test_orphaned_logs);
    g_test_add_func("/cron/duty/log-compression", test_log_compression);
    g_test_add_func("/cron/duty/expired", test_expired);
    g_test_add_func("/cron/duty/reseal-killed", test_reseal_killed);
    g_test_add_func("/cron/duty/reseal-refused", test_reseal_refused);
    g_test_add_func("/cron/duty/unknown", test_unknown);
    return g_test_run();
}
