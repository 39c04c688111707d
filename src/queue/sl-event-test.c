/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "sl-event.h"

#include "sl-error.h"
#include "sl-log.h"
#include "sl-queue-fixture.h"
#include "sl-queue-workload.h"
#include "sl-queue.h"
#include "sl-sql.h"

#define USER "00000000-0000-0000-0000-000000000000"
#define OTHER "99999999-0000-4000-8000-000000000000"

static void
assert_count(SlDb *db, gint64 expected, const char *where)
{
    g_autofree char *sql = g_strdup_printf("select count(*) from connection_event where %s", where);
    gint64 n = queue_fixture_count(db, sql);
    if (n != expected)
        g_test_message("%s", where);
    g_assert_cmpint(n, ==, expected);
}

static SlJob *
create(SlDb *db, SlConfigType type, gboolean scheduled, const char *user)
{
    SlJobRequest request = {.config_type = type,
                            .scope = FIXTURE_CONNECTION,
                            .workspace_id = FIXTURE_WORKSPACE,
                            .is_scheduled = scheduled};
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
    SlJob *job = NULL;
    if (user != NULL)
        g_assert_true(sl_event_set_user(tx, user, &error));
    sl_queue_job_create(tx, &request, FIXTURE_NOW, &job, &error);
    g_assert_no_error(error);
    g_assert_true(sl_tx_commit(tx, &error));
    return job;
}

static void
count_records(SlDb *db, const SlJob *job)
{
    g_autofree char *sql = g_strdup_printf(
        "insert into attempt_stats (job_id, attempt_number, namespace, stream, records_committed,"
        " bytes_committed, records_rejected, updated_at) values (%" G_GINT64_FORMAT
        ", 0, '', '', 7, 70, 2, now()), (%" G_GINT64_FORMAT ", 0, 'n', 'users', 7, 70, 2, now())",
        job->job_id, job->job_id);
    queue_fixture_script(db, sql);
}

static void
finish(SlDb *db, const SlJob *job, SlJobStatus status)
{
    SlAttemptEnd end = {.job_id = job->job_id,
                        .succeeded = status == SL_JOB_STATUS_SUCCEEDED,
                        .job_status = status,
                        .retry_at = FIXTURE_NOW,
                        .failure_summary = status == SL_JOB_STATUS_SUCCEEDED
                                               ? NULL
                                               : "{\"failures\":[{\"failureOrigin\":\"source\","
                                                 "\"externalMessage\":\"no\"}]}"};
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
    sl_queue_attempt_finish(tx, &end, FIXTURE_NOW + 9 * G_USEC_PER_SEC, &error);
    g_assert_no_error(error);
    g_assert_true(sl_tx_commit(tx, &error));
}

/* Every kind of run and every end; what is scheduled begins without a word. */
static void
test_runs(void)
{
    static const struct {
        SlConfigType type;
        gboolean scheduled, records;
        SlJobStatus status;
        const char *started, *ended;
    } cases[] = {
        {SL_CONFIG_TYPE_SYNC, FALSE, TRUE, SL_JOB_STATUS_SUCCEEDED, "SYNC_STARTED",
         "SYNC_SUCCEEDED"},
        {SL_CONFIG_TYPE_SYNC, TRUE, TRUE, SL_JOB_STATUS_SUCCEEDED, NULL, "SYNC_SUCCEEDED"},
        {SL_CONFIG_TYPE_SYNC, TRUE, TRUE, SL_JOB_STATUS_FAILED, NULL, "SYNC_INCOMPLETE"},
        {SL_CONFIG_TYPE_SYNC, TRUE, FALSE, SL_JOB_STATUS_FAILED, NULL, "SYNC_FAILED"},
        {SL_CONFIG_TYPE_SYNC, FALSE, TRUE, SL_JOB_STATUS_CANCELLED, "SYNC_STARTED",
         "SYNC_CANCELLED"},
        {SL_CONFIG_TYPE_SYNC, FALSE, TRUE, SL_JOB_STATUS_INCOMPLETE, "SYNC_STARTED", NULL},
        {SL_CONFIG_TYPE_REFRESH, FALSE, FALSE, SL_JOB_STATUS_SUCCEEDED, "REFRESH_STARTED",
         "REFRESH_SUCCEEDED"},
        {SL_CONFIG_TYPE_REFRESH, FALSE, FALSE, SL_JOB_STATUS_FAILED, "REFRESH_STARTED",
         "REFRESH_FAILED"},
        {SL_CONFIG_TYPE_CLEAR, FALSE, FALSE, SL_JOB_STATUS_SUCCEEDED, "CLEAR_STARTED",
         "CLEAR_SUCCEEDED"},
        {SL_CONFIG_TYPE_RESET_CONNECTION, FALSE, FALSE, SL_JOB_STATUS_CANCELLED, "CLEAR_STARTED",
         "CLEAR_CANCELLED"},
    };
    g_autoptr(SlDb) db = queue_fixture_new();
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("case %u", i);
        queue_fixture_script(db, "delete from job; delete from connection_event");
        g_autoptr(SlJob) job = create(db, cases[i].type, cases[i].scheduled, USER);
        if (cases[i].records)
            count_records(db, job);
        finish(db, job, cases[i].status);
        assert_count(db, (cases[i].started != NULL) + (cases[i].ended != NULL), "true");
        if (cases[i].started != NULL) {
            g_autofree char *where = g_strdup_printf(
                "event_type = '%s' and user_id = '" USER "' and job_id = %" G_GINT64_FORMAT
                " and summary ? 'startTimeEpochSeconds' and not summary ? 'endTimeEpochSeconds'",
                cases[i].started, job->job_id);
            assert_count(db, 1, where);
        }
        if (cases[i].ended != NULL) {
            g_autofree char *where = g_strdup_printf(
                "event_type = '%s' and (summary ->> 'bytesLoaded')::int = %d"
                " and (summary ->> 'recordsLoaded')::int = %d"
                " and (summary ->> 'recordsRejected')::int = %d"
                " and (summary ->> 'attemptsCount')::int = 1"
                " and (summary ? 'failureReason') = %s"
                " and created_at = (select finished_at from job where job_id = %" G_GINT64_FORMAT
                ")",
                cases[i].ended, cases[i].records ? 70 : 0, cases[i].records ? 7 : 0,
                cases[i].records ? 2 : 0,
                cases[i].status == SL_JOB_STATUS_SUCCEEDED ? "false" : "true", job->job_id);
            assert_count(db, 1, where);
        }
    }
}

/* Who asked first has cancelled it, though the end comes in a transaction of the platform. */
static void
test_cancelled_by(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(SlJob) job = create(db, SL_CONFIG_TYPE_SYNC, TRUE, NULL);
    g_autofree char *token = NULL, *id = queue_fixture_claimed(db, job, &token);
    static const char *const users[] = {USER, OTHER};
    for (guint i = 0; i < G_N_ELEMENTS(users); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
        g_autoptr(SlJob) cancelled = NULL;
        g_assert_true(sl_event_set_user(tx, users[i], &error));
        sl_queue_job_cancel(tx, job->job_id, FIXTURE_NOW, &cancelled, &error);
        g_assert_no_error(error);
        g_assert_true(sl_tx_commit(tx, &error));
    }
    assert_count(db, 0, "true");
    finish(db, job, SL_JOB_STATUS_CANCELLED);
    assert_count(db, 1, "event_type = 'SYNC_CANCELLED' and user_id = '" USER "'");
    assert_count(db, 1, "true");
}

/* What is rolled back is not told, what is told twice is written once, and the user of one
 * transaction is not the next one's. */
static void
test_transactions(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(SlJob) job = create(db, SL_CONFIG_TYPE_SYNC, TRUE, USER);
    finish(db, job, SL_JOB_STATUS_SUCCEEDED);
    for (int i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
        g_assert_true(sl_event_add_of_job(tx, job->job_id, &error));
        g_assert_true(sl_event_add(tx, FIXTURE_CONNECTION, SL_EVENT_TYPE_SCHEMA_UPDATE,
                                   "{\"catalogDiff\":{\"transforms\":[]}}", FIXTURE_NOW, &error));
        g_assert_no_error(error);
        if (i == 1)
            g_assert_true(sl_tx_commit(tx, &error));
    }
    assert_count(db, 1, "event_type = 'SYNC_SUCCEEDED'");
    assert_count(db, 1, "event_type = 'SCHEMA_UPDATE' and user_id is null");
    assert_count(db, 2, "true");
    /* an unknown job is no event */
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
    g_assert_true(sl_event_add_of_job(tx, 12345, &error));
    g_assert_false(
        sl_event_add(tx, FIXTURE_CONNECTION, SL_EVENT_TYPE_ENABLED, "3", FIXTURE_NOW, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
}

static void
add_edit(SlDb *db, const SlConnection *before, const SlConnection *after, const char *reason)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
    g_assert_true(sl_event_set_user(tx, USER, &error));
    sl_event_add_edit(tx, before, after, reason, FIXTURE_NOW, &error);
    g_assert_no_error(error);
    g_assert_true(sl_tx_commit(tx, &error));
}

static void
test_edits(void)
{
    static const SlConnection before = {
        .connection_id = (char *)FIXTURE_CONNECTION,
        .name = (char *)"c",
        .prefix = (char *)"",
        .schedule_type = SL_CONNECTION_SCHEDULE_TYPE_BASIC,
        .basic_interval_sec = 3600,
        .catalog = (char *)"{\"streams\":[]}",
    };
    g_autoptr(SlDb) db = queue_fixture_new();
    SlConnection after = before;
    add_edit(db, &before, &after, "why");
    assert_count(db, 0, "true");

    after.name = (char *)"d \"quoted\"";
    after.schedule_type = SL_CONNECTION_SCHEDULE_TYPE_CRON;
    after.cron_expression = (char *)"0 0 12 * * ?";
    after.cron_timezone = (char *)"Europe/Berlin";
    after.prefix = (char *)"x_";
    add_edit(db, &before, &after, "why");
    assert_count(db, 1,
                 "event_type = 'CONNECTION_SETTINGS_UPDATE' and user_id = '" USER "'"
                 " and summary = '{\"updateReason\": \"why\", \"patches\": {"
                 "\"name\": {\"from\": \"c\", \"to\": \"d \\\"quoted\\\"\"},"
                 "\"scheduleType\": {\"from\": \"basic\", \"to\": \"cron\"},"
                 "\"scheduleData\": {\"from\": \"3600 s\","
                 " \"to\": \"0 0 12 * * ? Europe/Berlin\"},"
                 "\"prefix\": {\"from\": \"\", \"to\": \"x_\"}}}'::jsonb");

    /* a manual one has no data; null is told as null */
    SlConnection manual = before;
    manual.schedule_type = SL_CONNECTION_SCHEDULE_TYPE_MANUAL;
    add_edit(db, &before, &manual, NULL);
    assert_count(db, 1,
                 "summary #> '{patches,scheduleData,to}' = 'null'::jsonb"
                 " and not summary ? 'updateReason'");

    SlConnection streams = before;
    streams.catalog = (char *)"{\"streams\":[{\"stream\":{\"name\":\"x\"}}]}";
    add_edit(db, &before, &streams, NULL);
    assert_count(db, 1,
                 "event_type = 'SCHEMA_CONFIG_UPDATE' and user_id = '" USER "' and "
                 "summary #> '{airbyteCatalogDiff,catalogConfigDiff,streamsEnabled}' = "
                 "'[{\"streamName\": \"x\", \"status\": \"enabled\"}]'::jsonb and "
                 "summary #> '{airbyteCatalogDiff,catalogDiff,transforms}' = '[]'::jsonb");

    SlConnection off = before;
    off.status = SL_CONNECTION_STATUS_INACTIVE;
    add_edit(db, &before, &off, NULL);
    add_edit(db, &off, &before, "again");
    assert_count(db, 1, "event_type = 'CONNECTION_DISABLED' and summary = '{}'");
    assert_count(db, 1,
                 "event_type = 'CONNECTION_ENABLED' and"
                 " summary = '{\"updateReason\": \"again\"}'::jsonb");
    SlConnection gone = before;
    gone.status = SL_CONNECTION_STATUS_DEPRECATED;
    add_edit(db, &before, &gone, NULL);
    assert_count(db, 5, "true");
}

static void
test_disabled(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
    g_assert_true(sl_event_add_disabled(tx, FIXTURE_CONNECTION, "TOO_MANY", FIXTURE_NOW, &error));
    g_assert_true(sl_tx_commit(tx, &error));
    assert_count(db, 1,
                 "event_type = 'CONNECTION_DISABLED' and user_id is null and"
                 " summary = '{\"disabledReason\": \"TOO_MANY\"}'::jsonb");
}

/* Whoever gives a connector another version: all that use it hear of it, and nobody else. */
static void
test_connector(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    queue_fixture_script(db, "update actor_definition set name = 'other name'");
    queue_fixture_script(db, "update actor_definition set docker_image_tag = docker_image_tag");
    assert_count(db, 0, "true");
    queue_fixture_script(
        db, "update actor_definition set docker_image_tag = '2' where actor_type = 'source'");
    assert_count(db, 1,
                 "event_type = 'CONNECTOR_UPDATE' and user_id is null and connection_id = "
                 "'" FIXTURE_CONNECTION "' and summary - 'sourceDefinitionId' = "
                 "'{\"fromVersion\": \"1\", \"toVersion\": \"2\", \"connectorType\": \"SOURCE\", "
                 "\"connectorName\": \"other name\"}'::jsonb and summary ? 'sourceDefinitionId'");
    queue_fixture_script(db, "update connection set status = 'deprecated'");
    queue_fixture_script(db, "update actor_definition set docker_image_tag = '3'");
    assert_count(db, 1, "true");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    sl_log_init("sl-event-test");
    g_test_add_func("/queue/event/runs", test_runs);
    g_test_add_func("/queue/event/cancelled-by", test_cancelled_by);
    g_test_add_func("/queue/event/transactions", test_transactions);
    g_test_add_func("/queue/event/edits", test_edits);
    g_test_add_func("/queue/event/disabled", test_disabled);
    g_test_add_func("/queue/event/connector", test_connector);
    return g_test_run();
}
