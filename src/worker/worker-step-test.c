/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "worker-step.h"

#include <string.h>

#include "sl-error.h"
#include "sl-log.h"
#include "sl-queue-fixture.h"
#include "sl-queue-workload.h"
#include "sl-queue.h"
#include "sl-sql.h"

typedef struct {
    SlDb *db;
    SlConfig *config;
    SlJob *job;
} Fixture;

#define CATALOG                                                                                    \
    "{\"streams\":[{\"stream\":{\"name\":\"a\",\"json_schema\":{\"n\":1.10}},"                     \
    "\"sync_mode\":\"full_refresh\",\"destination_sync_mode\":\"overwrite\"},"                     \
    "{\"stream\":{\"name\":\"b\",\"namespace\":\"x\"},\"sync_mode\":\"incremental\","              \
    "\"destination_sync_mode\":\"append_dedup\",\"generation_id\":99}]}"

static void
setup(Fixture *f, gconstpointer data)
{
    f->db = queue_fixture_new();
    f->config = sl_config_new();
    queue_fixture_script(f->db, "update connection set catalog = '" CATALOG "';"
                                "insert into state values ('" FIXTURE_CONNECTION "', '', 'a', "
                                "'STREAM', '1', now()), ('" FIXTURE_CONNECTION "', 'x', 'b', "
                                "'STREAM', '{\"c\":2}', now())");
    f->job = queue_fixture_job(f->db);
}

static void
teardown(Fixture *f, gconstpointer data)
{
    sl_job_free(f->job);
    sl_config_free(f->config);
    sl_db_unref(f->db);
}

static void
work(Fixture *f, gint64 now, gboolean expected)
{
    g_autoptr(GError) error = NULL;
    gboolean worked = !expected;
    worker_step_run(f->db, f->config, now, &worked, &error);
    g_assert_no_error(error);
    g_assert_cmpint(worked, ==, expected);
}

static SlJob *
load_job(Fixture *f)
{
    g_autoptr(SlTx) tx = sl_db_begin(f->db, TRUE, NULL);
    SlJob *job = NULL;
    g_assert_true(sl_sql_job_get(tx, f->job->job_id, &job, NULL));
    return job;
}

/* Claims the attempt's workload and reports its end as a holder does. */
static void
end_workload(Fixture *f, int attempt, SlWorkloadStatus status, const char *output, gint64 committed)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
    g_autofree char *id = g_strdup_printf("%d_%d_sync", (int)f->job->job_id, attempt);
    g_autofree char *token = NULL;
    g_autoptr(SlSyncStats) total = sl_sync_stats_new();
    sl_sync_stats_set_records_committed(total, committed);
    SlAttemptStats stats = {.total = total};
    SlWorkloadReport report = {.workload_id = id,
                               .status = status,
                               .output = output,
                               .stats = &stats,
                               .source = "source",
                               .reason = "it broke"};
    sl_queue_workload_claim(tx, id, "plane", G_USEC_PER_SEC, FIXTURE_NOW, &token, &error);
    g_assert_no_error(error);
    report.token = token;
    sl_queue_workload_finish(tx, &report, FIXTURE_NOW, &error);
    g_assert_no_error(error);
    g_assert_true(sl_tx_commit(tx, &error));
}

/* Each side's own, with its own configuration in them; a name says nothing to a launcher. */
static void
test_allowed_hosts(Fixture *f, gconstpointer data)
{
    queue_fixture_script(
        f->db,
        "update actor_definition set allowed_hosts = '[\"${host}\", \"10.0.0.0/8\"]'; "
        "update actor set configuration = '{\"host\": \"192.0.2.7\"}' where actor_id = "
        "'" FIXTURE_SOURCE
        "'; update actor set configuration = '{\"host\": \"db.example.com\"}' where actor_id = "
        "'" FIXTURE_DESTINATION "'");
    work(f, FIXTURE_NOW, TRUE);
    g_assert_cmpint(queue_fixture_count(
                        f->db, "select count(*) from workload where launch::jsonb -> 'source' -> "
                               "'allowedAddresses' = '[\"192.0.2.7/32\", \"10.0.0.0/8\"]' and not "
                               "launch::jsonb -> 'destination' ? 'allowedAddresses'"),
                    ==, 1);
}

/* The input has fresh generations; the state of the full refresh is gone, the other one is given.
 */
static void
test_start(Fixture *f, gconstpointer data)
{
    queue_fixture_script(f->db, "update actor_definition set ipc_options = "
                                "'{\"dataChannel\": {\"version\": \"0.0.2\"}}' "
                                "where definition_id = '" FIXTURE_SOURCE "'");
    work(f, FIXTURE_NOW, TRUE);
    work(f, FIXTURE_NOW, FALSE);
    g_autoptr(SlTx) tx = sl_db_begin(f->db, TRUE, NULL);
    g_autoptr(SlWorkload) workload = NULL;
    g_autofree char *input = NULL;
    g_assert_true(sl_sql_workload_of_attempt(tx, f->job->job_id, 0, &workload, NULL));
    g_assert_true(sl_sql_workload_stored_input(tx, workload->workload_id, &input, NULL));
    g_autofree char *expected = g_strdup_printf(
        "{\"type\":\"sync\",\"source\":{\"definitionId\":\"" FIXTURE_SOURCE "\",\"name\":\"s\","
        "\"actorId\":\"" FIXTURE_SOURCE "\",\"configuration\":{},\"supportsRefreshes\":false,"
        "\"connectorIPCOptions\":{\"dataChannel\": {\"version\": \"0.0.2\"}}},"
        "\"destination\":{\"definitionId\":\"" FIXTURE_DESTINATION "\",\"name\":\"d\","
        "\"actorId\":\"" FIXTURE_DESTINATION "\",\"configuration\":{},\"supportsRefreshes\":false},"
        "\"catalog\":{\"streams\":[{\"stream\":{\"name\":\"a\",\"json_schema\":{\"n\":1.10}},"
        "\"sync_mode\":\"full_refresh\",\"destination_sync_mode\":\"overwrite\","
        "\"generation_id\":1,\"minimum_generation_id\":1,\"sync_id\":%d},"
        "{\"stream\":{\"name\":\"b\",\"namespace\":\"x\"},\"sync_mode\":\"incremental\","
        "\"destination_sync_mode\":\"append_dedup\",\"generation_id\":0,"
        "\"minimum_generation_id\":0,\"sync_id\":%d}]},"
        "\"state\":[{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"b\","
        "\"namespace\":\"x\"},\"stream_state\":{\"c\":2}}}],"
        "\"namespaceDefinition\":\"destination\",\"prefix\":\"\",\"isReset\":false}",
        (int)f->job->job_id, (int)f->job->job_id);
    g_assert_cmpstr(input, ==, expected);
    g_autoptr(SlJob) job = load_job(f);
    g_assert_cmpint(job->status, ==, SL_JOB_STATUS_RUNNING);
}

static void
test_success(Fixture *f, gconstpointer data)
{
    work(f, FIXTURE_NOW, TRUE);
    end_workload(f, 0, SL_WORKLOAD_STATUS_SUCCESS, "{\"sync\":{}}", 5);
    work(f, FIXTURE_NOW, TRUE);
    g_autoptr(SlJob) job = load_job(f);
    g_assert_cmpint(job->status, ==, SL_JOB_STATUS_SUCCEEDED);
    g_assert_cmpint(queue_fixture_count(f->db, "select count(*) from task"), ==, 0);
}

/* No progress: waits 10 s. Then progress: at once. Then a configuration error: the end. */
static void
test_retries(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *output;
        gint64 committed;
        gint64 wait; /* -1: the job has failed */
    } ends[] = {
        {NULL, 0, 10},
        {"{\"failures\":[{\"failureType\":\"transient_error\"}]}", 3, 0},
        /* Wherever it stands in the list. */
        {"{\"failures\":[{\"failureType\":\"system_error\"},{\"failureType\":\"config_error\","
         "\"externalMessage\":\"bad host\"}]}",
         3, -1},
    };
    gint64 now = FIXTURE_NOW;
    for (int i = 0; i < (int)G_N_ELEMENTS(ends); i++) {
        work(f, now, TRUE);
        end_workload(f, i, SL_WORKLOAD_STATUS_FAILURE, ends[i].output, ends[i].committed);
        work(f, now, TRUE);
        g_autoptr(SlJob) job = load_job(f);
        if (ends[i].wait < 0) {
            g_assert_cmpint(job->status, ==, SL_JOB_STATUS_FAILED);
            g_assert_nonnull(strstr(job->failure, "bad host"));
            break;
        }
        g_assert_cmpint(job->status, ==, SL_JOB_STATUS_INCOMPLETE);
        g_assert_cmpint(job->retry_at - now, ==, ends[i].wait * G_USEC_PER_SEC);
        now = job->retry_at;
        g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
        g_autoptr(SlJob) retried = NULL;
        g_assert_true(sl_queue_retry_start(tx, now, &retried, NULL));
        g_assert_nonnull(retried);
        g_assert_true(sl_tx_commit(tx, NULL));
    }
    g_assert_cmpint(queue_fixture_count(f->db, "select max(generation_id) from stream_generation"),
                    ==, 3); /* a full refresh starts over with each attempt */
}

static void
test_cancelled(Fixture *f, gconstpointer data)
{
    work(f, FIXTURE_NOW, TRUE);
    end_workload(f, 0, SL_WORKLOAD_STATUS_CANCELLED, NULL, 5);
    work(f, FIXTURE_NOW, TRUE);
    g_autoptr(SlJob) job = load_job(f);
    g_assert_cmpint(job->status, ==, SL_JOB_STATUS_CANCELLED);
    g_assert_nonnull(strstr(job->failure, "manual_cancellation"));
}

/* What is wrong in itself fails the job with a text that names it; nothing is tried again. */
static void
test_broken(Fixture *f, gconstpointer data)
{
    queue_fixture_script(f->db, "update actor set tombstone = true where actor_type = 'source'");
    g_test_expect_message("sluice", G_LOG_LEVEL_WARNING, "*cannot go on*");
    work(f, FIXTURE_NOW, TRUE);
    work(f, FIXTURE_NOW, FALSE);
    g_autoptr(SlJob) job = load_job(f);
    g_assert_cmpint(job->status, ==, SL_JOB_STATUS_FAILED);
    g_assert_nonnull(strstr(job->failure, FIXTURE_SOURCE "' does not exist"));
    g_assert_cmpint(queue_fixture_count(f->db, "select count(*) from workload"), ==, 0);
}

static gpointer
work_thread(gpointer data)
{
    Fixture *f = data;
    gboolean worked = FALSE;
    g_autoptr(GError) error = NULL;
    worker_step_run(f->db, f->config, FIXTURE_NOW, &worked, &error);
    g_assert_no_error(error);
    return GINT_TO_POINTER(worked);
}

/* One task, four workers: one does it. */
static void
test_race(Fixture *f, gconstpointer data)
{
    GThread *threads[4];
    int worked = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("work", work_thread, f);
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        worked += GPOINTER_TO_INT(g_thread_join(threads[i]));
    g_assert_cmpint(worked, ==, 1);
    g_assert_cmpint(queue_fixture_count(f->db, "select count(*) from workload"), ==, 1);
}

static void
test_discover(Fixture *f, gconstpointer data)
{
    SlJobRequest request = {.config_type = SL_CONFIG_TYPE_DISCOVER_SCHEMA,
                            .scope = FIXTURE_SOURCE,
                            .workspace_id = FIXTURE_WORKSPACE,
                            .input = "{\"actorId\":\"" FIXTURE_SOURCE "\"}"};
    {
        g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
        g_clear_pointer(&f->job, sl_job_free);
        g_assert_true(sl_queue_job_create(tx, &request, FIXTURE_NOW - 1, &f->job, NULL));
        g_assert_true(sl_tx_commit(tx, NULL));
    }
    work(f, FIXTURE_NOW, TRUE);
    g_autofree char *id = g_strdup_printf("%d_0_discover", (int)f->job->job_id);
    {
        g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
        SlWorkloadReport report = {.workload_id = id, .status = SL_WORKLOAD_STATUS_SUCCESS};
        queue_fixture_script(f->db,
                             "update attempt set output = '{\"catalog\":{\"streams\":[7]}}'");
        g_assert_true(sl_queue_workload_finish(tx, &report, FIXTURE_NOW - 1, NULL));
        g_assert_true(sl_tx_commit(tx, NULL));
    }
    work(f, FIXTURE_NOW - 1, TRUE);
    g_autoptr(SlJob) job = load_job(f);
    g_assert_cmpint(job->status, ==, SL_JOB_STATUS_SUCCEEDED);
    g_assert_cmpstr(job->output, ==, "{\"catalog\":{\"streams\":[7]}}");
    g_assert_cmpint(queue_fixture_count(
                        f->db, "select count(*) from catalog where catalog = '{\"streams\":[7]}'"),
                    ==, 1);
}

/* A configuration that nobody has saved: no actor, nothing to keep the catalog for. */
static void
test_draft(Fixture *f, gconstpointer data)
{
    SlJobRequest request = {.config_type = SL_CONFIG_TYPE_DISCOVER_SCHEMA,
                            .scope = FIXTURE_CONNECTION,
                            .workspace_id = FIXTURE_WORKSPACE,
                            .input = "{\"definitionId\":\"" FIXTURE_SOURCE
                                     "\",\"configuration\":{\"a\":1}}"};
    {
        g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
        g_clear_pointer(&f->job, sl_job_free);
        g_assert_true(sl_queue_job_create(tx, &request, FIXTURE_NOW - 1, &f->job, NULL));
        g_assert_true(sl_tx_commit(tx, NULL));
    }
    work(f, FIXTURE_NOW, TRUE);
    g_assert_cmpint(
        queue_fixture_count(f->db, "select count(*) from workload where type = 'discover' and "
                                   "input::jsonb->'source'->'configuration' = '{\"a\":1}' and not "
                                   "input::jsonb->'source' ? 'actorId' and not "
                                   "input::jsonb ? 'cacheKey'"),
        ==, 1);
}

/* 29 failures since a success a week ago; the 30th is the last. Cancelled jobs do not count. */
static void
test_disabled(Fixture *f, gconstpointer data)
{
    static const struct {
        int failed_before;
        const char *status;
    } cases[] = {{28, "active"}, {29, "inactive"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *script = g_strdup_printf(
            "truncate job cascade; update connection set status = 'active';"
            "insert into job (config_type, scope, workspace_id, status, created_at, updated_at, "
            "finished_at) select 'sync', '" FIXTURE_CONNECTION "', '" FIXTURE_WORKSPACE "', s, "
            "timestamptz '2026-08-01T12:00:00Z' - interval '8 days', now(), now() from "
            "unnest(array['failed', 'succeeded', 'cancelled'] || "
            "array_fill('failed'::text, array[%d])) s",
            cases[i].failed_before);
        queue_fixture_script(f->db, script);
        g_clear_pointer(&f->job, sl_job_free);
        f->job = queue_fixture_job(f->db);
        work(f, FIXTURE_NOW, TRUE);
        end_workload(f, 0, SL_WORKLOAD_STATUS_FAILURE,
                     "{\"failures\":[{\"failureType\":\"config_error\"}]}", 0);
        work(f, FIXTURE_NOW, TRUE);
        g_autofree char *query = g_strdup_printf(
            "select count(*) from connection where status = '%s' and (status_reason is not null) = "
            "(status = 'inactive')",
            cases[i].status);
        g_assert_cmpint(queue_fixture_count(f->db, query), ==, 1);
    }
    /* Enabled again: the reason is gone. */
    queue_fixture_script(f->db, "update connection set status = 'active'");
    g_assert_cmpint(queue_fixture_count(f->db, "select count(*) from connection where "
                                               "status_reason is null"),
                    ==, 1);
}

/* What the connection has of its own goes before the host's: two attempts, and one failed job is
 * enough. Who is disabled already is not told again. */
static void
test_own_policy(Fixture *f, gconstpointer data)
{
    gint64 now = FIXTURE_NOW;
    queue_fixture_script(
        f->db, "update connection set policy = '{\"RetryCompleteSuccessive\":\"2\","
               "\"RetryBackoffMinSec\":\"1s\",\"DisableAfterFailures\":\"1\","
               "\"DisableAfterSec\":\"0s\"}'; update workspace set notifications = "
               "'{\"syncDisabled\":{\"webhook\":{\"enabled\":true,\"url\":\"http://x/\"}}}'");
    for (int i = 0; i < 2; i++) {
        work(f, now, TRUE);
        end_workload(f, i, SL_WORKLOAD_STATUS_FAILURE, NULL, 0);
        work(f, now, TRUE);
        g_autoptr(SlJob) job = load_job(f);
        g_assert_cmpint(job->status, ==, i == 0 ? SL_JOB_STATUS_INCOMPLETE : SL_JOB_STATUS_FAILED);
        if (i > 0)
            break;
        g_assert_cmpint(job->retry_at - now, ==, G_USEC_PER_SEC);
        now = job->retry_at;
        g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
        g_autoptr(SlJob) retried = NULL;
        g_assert_true(sl_queue_retry_start(tx, now, &retried, NULL));
        g_assert_true(sl_tx_commit(tx, NULL));
    }
#define TOLD                                                                                       \
    "select count(*) from notification where trigger = 'syncDisabled' and connection_id = "        \
    "'" FIXTURE_CONNECTION "'"
    g_assert_cmpint(queue_fixture_count(f->db, "select count(*) from connection where status = "
                                               "'inactive'"),
                    ==, 1);
    g_assert_cmpint(queue_fixture_count(f->db, TOLD), ==, 1);
    /* a run that somebody has started by hand all the same */
    g_clear_pointer(&f->job, sl_job_free);
    f->job = queue_fixture_job(f->db);
    work(f, now, TRUE);
    end_workload(f, 0, SL_WORKLOAD_STATUS_FAILURE,
                 "{\"failures\":[{\"failureType\":\"config_error\"}]}", 0);
    work(f, now, TRUE);
    g_assert_cmpint(queue_fixture_count(f->db, TOLD), ==, 1);
    g_assert_cmpint(queue_fixture_count(f->db, "select count(*) from connection_event where "
                                               "event_type = 'CONNECTION_DISABLED'"),
                    ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK);
#define ADD(name, func) g_test_add("/worker/step/" name, Fixture, NULL, setup, func, teardown)
    ADD("start", test_start);
    ADD("allowed-hosts", test_allowed_hosts);
    ADD("success", test_success);
    ADD("retries", test_retries);
    ADD("cancelled", test_cancelled);
    ADD("broken", test_broken);
    ADD("race", test_race);
    ADD("discover", test_discover);
    ADD("draft", test_draft);
    ADD("disabled", test_disabled);
    ADD("own-policy", test_own_policy);
    return g_test_run();
}
