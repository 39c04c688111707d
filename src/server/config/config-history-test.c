/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-test.h"

#include <string.h>

#include "sl-queue.h"

#define ME "\"connectionId\":\"" FIXTURE_CONNECTION "\""

/* 1: a sync that failed in two attempts; 2: a clear; 3: a refresh that succeeded, whose stream
 * nobody told about; 4: a sync that was cancelled; 5: one that runs. */
static void
make_jobs(Fixture *fix)
{
    queue_fixture_script(
        fix->server.db,
        "insert into job (config_type, scope, workspace_id, status, created_at, updated_at,"
        " finished_at) select kind, '" FIXTURE_CONNECTION "', '" FIXTURE_WORKSPACE "', status,"
        " '2026-08-01T10:00:00Z'::timestamptz + i * interval '1 hour',"
        " '2026-08-01T10:30:00Z'::timestamptz + i * interval '1 hour',"
        " case when status <> 'running' then now() end"
        " from (values (0, 'sync', 'failed'), (1, 'clear', 'succeeded'),"
        " (2, 'refresh', 'succeeded'), (3, 'sync', 'cancelled'), (4, 'sync', 'running'))"
        " v (i, kind, status) order by i;"
        "insert into attempt (job_id, attempt_number, status, log_path, created_at, updated_at,"
        " ended_at) select job, n, 'failed', 'x', now(), now(), now() from"
        " (values (1, 0), (1, 1), (2, 0), (3, 0)) v (job, n);"
        "insert into attempt_stats (job_id, attempt_number, namespace, stream, records_emitted,"
        " bytes_emitted, records_committed, bytes_committed, records_rejected, run_state,"
        " incomplete_run_cause, updated_at) select job, n, ns, stream, r, r * 10, r, r * 10, 1,"
        " state, cause, now() from (values"
        " (1, 0, '', '', 5, null, null), (1, 0, '', 'a', 5, 'complete', null),"
        " (1, 1, '', '', 7, null, null), (1, 1, '', 'a', 3, 'complete', null),"
        " (1, 1, 'n', 'a', 4, 'incomplete', 'failed'),"
        " (1, 1, 'n', 'b', 0, 'incomplete', 'canceled'),"
        " (2, 0, '', 'a', 0, 'complete', null), (3, 0, '', '', 2, null, null),"
        " (3, 0, 'n', 'b', 2, null, null)) v (job, n, ns, stream, r, state, cause)");
}

static guint
count(const char *answer)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(answer, strlen(answer), NULL, NULL);
    return sl_json_root(doc)->count;
}

static void
test_uptime(Fixture *fix, gconstpointer data)
{
    make_jobs(fix);
    const char *answer = config_call(fix, "connections/history/uptime", "{" ME "}", 200);
    g_assert_cmpuint(count(answer), ==, 2); /* no clear, none that was cancelled or runs */
    g_assert_cmpstr(config_at(fix, answer, "0", "jobId", NULL), ==, "1");
    g_assert_cmpstr(config_at(fix, answer, "0", "recordsCommitted", NULL), ==, "12");
    g_assert_cmpstr(config_at(fix, answer, "0", "bytesEmitted", NULL), ==, "120");
    g_assert_cmpstr(config_at(fix, answer, "0", "recordsRejected", NULL), ==, "2");
    g_assert_cmpstr(config_at(fix, answer, "0", "jobCreatedAt", NULL), ==, "1785578400");
    static const char *const expected[][3] = {
        {"", "a", "succeeded"}, {"n", "a", "failed"}, {"n", "b", "cancelled"}};
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
        const char *n = format(fix, "%u", i);
        g_assert_cmpstr(config_at(fix, answer, "0", "streamStatuses", n, "streamNamespace", NULL),
                        ==, expected[i][0]);
        g_assert_cmpstr(config_at(fix, answer, "0", "streamStatuses", n, "streamName", NULL), ==,
                        expected[i][1]);
        g_assert_cmpstr(config_at(fix, answer, "0", "streamStatuses", n, "status", NULL), ==,
                        expected[i][2]);
    }
    /* nobody told about it: as its job */
    g_assert_cmpstr(config_at(fix, answer, "1", "streamStatuses", "0", "status", NULL), ==,
                    "succeeded");
    answer = config_call(fix, "connections/history/uptime", "{" ME ",\"numberOfJobs\":1}", 200);
    g_assert_cmpuint(count(answer), ==, 1);
    g_assert_cmpstr(config_at(fix, answer, "0", "configType", NULL), ==, "refresh");
}

static void
test_data(Fixture *fix, gconstpointer data)
{
    g_assert_cmpstr(config_call(fix, "connections/history/data", "{" ME "}", 200), ==, "[]");
    make_jobs(fix);
    const char *answer =
        config_call(fix, "connections/history/data", "{" ME ",\"numberOfJobs\":8}", 200);
    g_assert_cmpuint(count(answer), ==, 2);
    g_assert_cmpstr(config_at(fix, answer, "1", "bytesCommitted", NULL), ==, "20");
    config_refused(fix, "connections/history/data", "{" ME ",\"numberOfJobs\":0}", 400,
                   "numberOfJobs");
    config_refused(fix, "connections/history/data", "{\"connectionId\":\"" NO_ID "\"}", 404, NO_ID);
}

/* Thirty days for each stream, in the zone of whoever asks; only syncs count. */
static void
test_days(Fixture *fix, gconstpointer data)
{
    static const char *const zones[] = {"UTC", "Pacific/Kiritimati", "America/New_York"};
    make_jobs(fix);
    for (guint i = 0; i < G_N_ELEMENTS(zones); i++) {
        const char *answer =
            config_call(fix, "connections/stream_history",
                        format(fix, "{" ME ",\"timezone\":\"%s\"}", zones[i]), 200);
        g_assert_cmpuint(count(answer), ==, 90);
        g_assert_cmpstr(config_at(fix, answer, "0", "recordsCommitted", NULL), ==, "0");
        g_assert_cmpstr(config_at(fix, answer, "87", "streamName", NULL), ==, "a");
        g_assert_cmpstr(config_at(fix, answer, "87", "recordsCommitted", NULL), ==, "8");
        g_assert_cmpstr(config_at(fix, answer, "88", "streamNamespace", NULL), ==, "n");
        g_assert_cmpstr(config_at(fix, answer, "88", "recordsCommitted", NULL), ==, "4");
        gint64 day = g_ascii_strtoll(config_at(fix, answer, "87", "timestamp", NULL), NULL, 10);
        g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(zones[i]);
        g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(day);
        g_autoptr(GDateTime) local = g_date_time_to_timezone(utc, zone);
        g_assert_cmpint(g_date_time_get_hour(local), ==, 0);
    }
    config_refused(fix, "connections/stream_history", "{" ME ",\"timezone\":\"Mars/Base\"}", 400,
                   "timezone: there is no 'Mars/Base'");
}

static void
test_last_jobs(Fixture *fix, gconstpointer data)
{
    make_jobs(fix);
    const char *answer = config_call(fix, "connections/last_job_per_stream", "{" ME "}", 200);
    static const char *const expected[][4] = {
        {"", "a", "2", "clear"}, {"n", "a", "1", "sync"}, {"n", "b", "3", "refresh"}};
    g_assert_cmpuint(count(answer), ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
        static const char *const members[] = {"streamNamespace", "streamName", "jobId",
                                              "configType"};
        for (guint k = 0; k < G_N_ELEMENTS(members); k++)
            g_assert_cmpstr(config_at(fix, answer, format(fix, "%u", i), members[k], NULL), ==,
                            expected[i][k]);
    }
    g_assert_cmpstr(config_at(fix, answer, "1", "jobStatus", NULL), ==, "failed");
    g_assert_cmpstr(config_at(fix, answer, "2", "recordsCommitted", NULL), ==, "2");
}

void
config_add_history_cases(void)
{
    CONFIG_CASE("history/uptime", test_uptime);
    CONFIG_CASE("history/data", test_data);
    CONFIG_CASE("history/days", test_days);
    CONFIG_CASE("history/last-jobs", test_last_jobs);
}
