/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "sl-notice.h"

#include "sl-error.h"
#include "sl-log.h"
#include "sl-queue-fixture.h"
#include "sl-queue.h"
#include "sl-sql.h"

#define SEC ((gint64)G_USEC_PER_SEC)
#define HOOK "https://hooks.example/a"
#define BOTH "{\"webhook\":{\"enabled\":true,\"url\":\"" HOOK "\"},\"email\":{\"enabled\":true}}"
#define NOTHING                                                                                    \
    "{\"webhook\":{\"enabled\":false,\"url\":\"" HOOK "\"},\"email\":{\"enabled\":false}}"

static void
set_notifications(SlDb *db, const char *json)
{
    g_autofree char *sql = g_strdup_printf(
        "delete from notification; update workspace set notifications = '%s'", json);
    queue_fixture_script(db, sql);
}

static void
assert_count(SlDb *db, gint64 expected, const char *where)
{
    g_autofree char *sql = g_strdup_printf("select count(*) from notification where %s", where);
    gint64 n = queue_fixture_count(db, sql);
    if (n != expected)
        g_test_message("%s", where);
    g_assert_cmpint(n, ==, expected);
}

static void
run_job(SlDb *db, SlConfigType type, SlJobStatus status)
{
    SlJobRequest request = {
        .config_type = type, .scope = FIXTURE_CONNECTION, .workspace_id = FIXTURE_WORKSPACE};
    SlAttemptEnd end = {.succeeded = status == SL_JOB_STATUS_SUCCEEDED,
                        .job_status = status,
                        .retry_at = FIXTURE_NOW,
                        .failure_summary =
                            status == SL_JOB_STATUS_SUCCEEDED
                                ? NULL
                                : "{\"failures\":[{\"failureOrigin\":\"source\",\"failureType\":"
                                  "\"config_error\",\"externalMessage\":\"bad password\"}]}"};
    g_autoptr(GError) error = NULL;
    g_autoptr(SlJob) job = NULL;
    queue_fixture_script(db, "delete from job");
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
    sl_queue_job_create(tx, &request, FIXTURE_NOW, &job, &error);
    g_assert_no_error(error);
    end.job_id = job->job_id;
    sl_queue_attempt_finish(tx, &end, FIXTURE_NOW + 61 * SEC, &error);
    g_assert_no_error(error);
    g_assert_true(sl_tx_commit(tx, &error));
}

/* Who is told of which end. */
static void
test_runs(void)
{
    static const struct {
        SlConfigType type;
        SlJobStatus status;
        const char *settings;
        gint64 webhooks, mails;
        const char *trigger;
    } cases[] = {
        {SL_CONFIG_TYPE_SYNC, SL_JOB_STATUS_SUCCEEDED, "{\"success\":" BOTH "}", 1, 1, "success"},
        {SL_CONFIG_TYPE_SYNC, SL_JOB_STATUS_FAILED, "{\"failure\":" BOTH "}", 1, 1, "failure"},
        {SL_CONFIG_TYPE_SYNC, SL_JOB_STATUS_FAILED, "{\"success\":" BOTH "}", 0, 0, "failure"},
        {SL_CONFIG_TYPE_SYNC, SL_JOB_STATUS_SUCCEEDED, "{\"success\":" NOTHING "}", 0, 0,
         "success"},
        {SL_CONFIG_TYPE_SYNC, SL_JOB_STATUS_SUCCEEDED, "{}", 0, 0, "success"},
        /* enabled without an address */
        {SL_CONFIG_TYPE_SYNC, SL_JOB_STATUS_SUCCEEDED,
         "{\"success\":{\"webhook\":{\"enabled\":true}}}", 0, 0, "success"},
        /* only syncs; a retry and a cancelled one are no end to tell */
        {SL_CONFIG_TYPE_REFRESH, SL_JOB_STATUS_SUCCEEDED, "{\"success\":" BOTH "}", 0, 0,
         "success"},
        {SL_CONFIG_TYPE_CLEAR, SL_JOB_STATUS_FAILED, "{\"failure\":" BOTH "}", 0, 0, "failure"},
        {SL_CONFIG_TYPE_SYNC, SL_JOB_STATUS_INCOMPLETE, "{\"failure\":" BOTH "}", 0, 0, "failure"},
        {SL_CONFIG_TYPE_SYNC, SL_JOB_STATUS_CANCELLED, "{\"failure\":" BOTH "}", 0, 0, "failure"},
    };
    g_autoptr(SlDb) db = queue_fixture_new();
    queue_fixture_script(db, "update organization set email = 'o@example.org'");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("case %u", i);
        set_notifications(db, cases[i].settings);
        run_job(db, cases[i].type, cases[i].status);
        g_autofree char *hooks = g_strdup_printf("channel = 'webhook' and target = '" HOOK
                                                 "' and trigger = '%s' and due_at is not null",
                                                 cases[i].trigger);
        assert_count(db, cases[i].webhooks, hooks);
        assert_count(db, cases[i].mails, "channel = 'email' and target = 'o@example.org'");
        assert_count(db, cases[i].webhooks + cases[i].mails, "true");
    }
}

static void
test_facts(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    set_notifications(db, "{\"failure\":" BOTH "}");
    queue_fixture_script(db, "update workspace set settings = '{\"email\":\"w@example.org\"}'");
    run_job(db, SL_CONFIG_TYPE_SYNC, SL_JOB_STATUS_FAILED);
    assert_count(db, 1, "target = 'w@example.org'"); /* before the organization's */
    assert_count(db, 2,
                 "facts @> '{\"success\":false,\"durationInSeconds\":61,\"errorType\":"
                 "\"config_error\",\"errorOrigin\":\"source\",\"errorMessage\":\"bad password\","
                 "\"bytesCommitted\":0,\"startedAt\":\"2026-08-01T12:00:00Z\","
                 "\"finishedAt\":\"2026-08-01T12:01:01Z\",\"connection\":{\"name\":\"c\"},"
                 "\"source\":{\"name\":\"s\"},\"destination\":{\"name\":\"d\"}}'::jsonb");
    set_notifications(db, "{\"success\":" BOTH "}");
    run_job(db, SL_CONFIG_TYPE_SYNC, SL_JOB_STATUS_SUCCEEDED);
    assert_count(db, 0, "facts ? 'errorMessage'");
}

/* A connection may be silent about changes of its schema, by either way, and of nothing else. */
static void
test_silent(void)
{
    static const struct {
        const char *hook, *mail;
        gint64 updates;
    } cases[] = {
        {"true", "true", 4}, {"false", "true", 2}, {"true", "false", 2}, {"false", "false", 0}};
    g_autoptr(SlDb) db = queue_fixture_new();
    set_notifications(db, "{\"syncDisabled\":" BOTH ",\"connectionUpdate\":" BOTH
                          ",\"connectionUpdateActionRequired\":" BOTH "}");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *sql =
            g_strdup_printf("delete from notification; update connection set notify_schema_changes "
                            "= %s, notify_schema_changes_by_email = %s",
                            cases[i].hook, cases[i].mail);
        g_autoptr(GError) error = NULL;
        queue_fixture_script(db, sql);
        g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
        for (int n = 0; n < SL_N_NOTICES; n++) {
            sl_notice_add(tx, FIXTURE_CONNECTION, (SlNotice)n, "{}", FIXTURE_NOW, &error);
            g_assert_no_error(error);
        }
        g_assert_true(sl_tx_commit(tx, &error));
        assert_count(db, cases[i].updates, "trigger like 'connectionUpdate%'");
        assert_count(db, 2, "trigger = 'syncDisabled'");
    }
}

/* What is started afterwards needs no setting of the workspace, and follows refreshes too. */
static void
test_actions(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    queue_fixture_script(db, "update connection set on_sync_success = 'dbt@.service',"
                             " on_sync_failure = 'HTTPS://host/path'");
    run_job(db, SL_CONFIG_TYPE_SYNC, SL_JOB_STATUS_SUCCEEDED);
    assert_count(db, 1, "trigger = 'postSync' and channel = 'unit' and target = 'dbt@.service'");
    run_job(db, SL_CONFIG_TYPE_REFRESH, SL_JOB_STATUS_FAILED);
    assert_count(db, 1, "trigger = 'postSync' and channel = 'webhook' and target like '%/path'");
    run_job(db, SL_CONFIG_TYPE_CLEAR, SL_JOB_STATUS_SUCCEEDED);
    run_job(db, SL_CONFIG_TYPE_SYNC, SL_JOB_STATUS_CANCELLED);
    assert_count(db, 2, "true");
}

static void
test_others(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(GError) error = NULL;
    set_notifications(db, "{\"syncDisabled\":" BOTH ",\"connectionUpdate\":" NOTHING "}");
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
    for (int i = 0; i < SL_N_NOTICES; i++) {
        sl_notice_add(tx, FIXTURE_CONNECTION, (SlNotice)i, "{\"failures\":30}", FIXTURE_NOW,
                      &error);
        g_assert_no_error(error);
    }
    g_assert_true(sl_tx_commit(tx, &error));
    assert_count(db, 2,
                 "trigger = 'syncDisabled' and facts @> '{\"failures\":30}' and"
                 " facts #>> '{connection,name}' = 'c'");
    assert_count(db, 1, "channel = 'email' and target = '-'"); /* nobody has an address */
    assert_count(db, 2, "true");
}

static SlNotification *
claim(SlDb *db, gint64 now)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
    SlNotification *row = NULL;
    sl_notice_claim(tx, now, now + 60 * SEC, &row, &error);
    g_assert_no_error(error);
    g_assert_true(sl_tx_commit(tx, &error));
    return row;
}

static void
settle(SlDb *db, const SlNotification *row, const char *reason, gboolean later, gint64 now)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
    gboolean ok = reason == NULL ? sl_notice_sent(tx, row, "called", now, &error)
                                 : sl_notice_failed(tx, row, reason, later, 3, now, &error);
    g_assert_no_error(error);
    g_assert_true(ok && sl_tx_commit(tx, &error));
}

static void
add_rows(SlDb *db)
{
    queue_fixture_script(
        db, "insert into notification (notification_id, workspace_id, trigger, channel, target,"
            " facts, due_at, created_at) select gen_random_uuid(), '" FIXTURE_WORKSPACE
            "', 'success', 'webhook', target, '{}', '2026-08-01T12:00:00Z', '2026-08-01T12:00:00Z'"
            " from (values ('a'), ('a'), ('a'), ('b')) v (target)");
}

/* One at a time goes to a target; a failure makes all others for it wait. */
static void
test_claims(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    add_rows(db);
    g_autoptr(SlNotification) early = claim(db, FIXTURE_NOW - 1);
    g_assert_null(early);
    g_autoptr(SlNotification) a = claim(db, FIXTURE_NOW), b = claim(db, FIXTURE_NOW),
                              none = claim(db, FIXTURE_NOW);
    g_assert_cmpstr(a->target, ==, "a");
    g_assert_cmpstr(b->target, ==, "b");
    g_assert_null(none);
    settle(db, b, NULL, TRUE, FIXTURE_NOW + SEC);
    assert_count(db, 1, "target = 'b' and sent_at is not null and due_at is null");
    settle(db, a, "status 500", TRUE, FIXTURE_NOW + SEC);
    assert_count(db, 3, "target = 'a' and due_at = '2026-08-01T12:00:11Z'");
    assert_count(db, 1, "tries = 1 and error = 'status 500'");
    g_autoptr(SlNotification) still = claim(db, FIXTURE_NOW + 2 * SEC);
    g_assert_null(still);
    g_autoptr(SlNotification) again = claim(db, FIXTURE_NOW + 11 * SEC);
    g_assert_cmpstr(again->target, ==, "a");
}

/* Who died with it gives it back when his time is over; if he did not die after all, what he says
 * comes too late. */
static void
test_lost_claim(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    add_rows(db);
    queue_fixture_script(db, "delete from notification where target = 'a'");
    g_autoptr(SlNotification) first = claim(db, FIXTURE_NOW),
                              held = claim(db, FIXTURE_NOW + 59 * SEC);
    g_assert_null(held);
    g_autoptr(SlNotification) second = claim(db, FIXTURE_NOW + 60 * SEC);
    g_assert_cmpstr(second->notification_id, ==, first->notification_id); /* the id stays */
    g_assert_cmpint(second->tries, ==, 2);
    settle(db, first, "late", FALSE, FIXTURE_NOW + 61 * SEC);
    assert_count(db, 1, "due_at is not null and error = ''");
    settle(db, second, NULL, TRUE, FIXTURE_NOW + 62 * SEC);
    settle(db, second, "late", TRUE, FIXTURE_NOW + 63 * SEC);
    assert_count(db, 1, "sent_at is not null and error = ''");
}

static void
test_giving_up(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    gint64 now = FIXTURE_NOW;
    add_rows(db);
    queue_fixture_script(db, "delete from notification where target = 'a'");
    for (int tries = 1; tries <= 3; tries++) {
        g_autoptr(SlNotification) row = claim(db, now);
        g_assert_cmpint(row->tries, ==, tries);
        settle(db, row, "no", TRUE, now);
        now += sl_notice_wait_usec(tries);
    }
    assert_count(db, 1, "due_at is null and sent_at is null and error = 'no' and tries = 3");
    /* what cannot help is not repeated */
    add_rows(db);
    g_autoptr(SlNotification) row = claim(db, FIXTURE_NOW);
    settle(db, row, "no address", FALSE, FIXTURE_NOW);
    assert_count(db, 1, "due_at is null and error = 'no address' and tries = 1");
    assert_count(db, 2, "target = 'a' and due_at = '2026-08-01T12:00:00Z'");
}

static void
test_waits(void)
{
    static const gint64 expected[][2] = {{0, 10},   {1, 10},    {2, 20},   {3, 40},
                                         {9, 2560}, {10, 3600}, {99, 3600}};
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++)
        g_assert_cmpint(sl_notice_wait_usec(expected[i][0]), ==, expected[i][1] * SEC);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    sl_log_init("sl-notice-test");
    g_test_add_func("/queue/notice/runs", test_runs);
    g_test_add_func("/queue/notice/facts", test_facts);
    g_test_add_func("/queue/notice/silent", test_silent);
    g_test_add_func("/queue/notice/actions", test_actions);
    g_test_add_func("/queue/notice/others", test_others);
    g_test_add_func("/queue/notice/claims", test_claims);
    g_test_add_func("/queue/notice/lost-claim", test_lost_claim);
    g_test_add_func("/queue/notice/giving-up", test_giving_up);
    g_test_add_func("/queue/notice/waits", test_waits);
    return g_test_run();
}
