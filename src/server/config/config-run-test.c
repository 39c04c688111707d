/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-test.h"

#include <glib/gstdio.h>
#include <string.h>

#include "sl-queue.h"

#define CONNECTION "{\"connectionId\":\"" FIXTURE_CONNECTION "\"}"
#define NO_CONNECTION "{\"connectionId\":\"" NO_ID "\"}"

/* Two jobs: 1 failed in two attempts, 2 is running its first one. */
static void
make_jobs(Fixture *fix)
{
    queue_fixture_script(
        fix->server.db,
        "insert into job (config_type, scope, workspace_id, status, created_at, started_at,"
        " updated_at, finished_at) values"
        " ('sync', '" FIXTURE_CONNECTION "', '" FIXTURE_WORKSPACE "', 'failed',"
        " '2026-08-01T10:00:00Z', '2026-08-01T10:00:01Z', '2026-08-01T10:10:00Z',"
        " '2026-08-01T10:10:00Z'),"
        " ('clear', '" FIXTURE_CONNECTION "', '" FIXTURE_WORKSPACE "', 'running',"
        " '2026-08-01T11:00:00Z', null, '2026-08-01T11:00:00Z', null);"
        "insert into attempt (job_id, attempt_number, status, log_path, failure_summary,"
        " created_at, updated_at, ended_at) values"
        " (1, 0, 'failed', '1/0.ndjson', '{\"failures\":[{\"failureOrigin\":\"source\","
        "\"timestamp\":1785578400000}],\"partialSuccess\":true}', '2026-08-01T10:00:00Z',"
        " '2026-08-01T10:05:00Z', '2026-08-01T10:05:00Z'),"
        " (1, 1, 'failed', '1/1.ndjson', null, '2026-08-01T10:05:00Z', '2026-08-01T10:10:00Z',"
        " '2026-08-01T10:10:00Z'),"
        " (2, 0, 'running', '2/0.ndjson', null, '2026-08-01T11:00:00Z', '2026-08-01T11:00:00Z',"
        " null);"
        "insert into attempt_stats (job_id, attempt_number, namespace, stream, records_emitted,"
        " bytes_emitted, records_committed, bytes_committed, source_state_messages_emitted,"
        " updated_at) values"
        " (1, 0, '', '', 10, 100, 7, 70, 2, now()), (1, 0, 'n', 'users', 10, 100, 7, 70, 2, now()),"
        " (1, 1, '', '', 3, 30, 3, 30, 1, now()), (1, 1, 'n', 'users', 3, 30, 3, 30, 1, now());"
        "update connection set catalog = '{\"streams\":[{\"stream\":{\"name\":\"users\","
        "\"namespace\":\"n\",\"json_schema\":{},\"supported_sync_modes\":[\"full_refresh\"]},"
        "\"sync_mode\":\"full_refresh\",\"destination_sync_mode\":\"overwrite\"}]}'");
}

static void
write_log(Fixture *fix, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(fix->folder, name, NULL);
    g_autofree char *folder = g_path_get_dirname(path);
    g_mkdir_with_parents(folder, 0700);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
remove_log(Fixture *fix, const char *name)
{
    g_autofree char *path = g_build_filename(fix->folder, name, NULL);
    g_autofree char *folder = g_path_get_dirname(path);
    g_unlink(path);
    g_rmdir(folder);
}

/* --- one job -------------------------------------------------------------------------------------
 */

static void
test_get(Fixture *fix, gconstpointer data)
{
    make_jobs(fix);
    const char *answer = config_call(fix, "jobs/get_without_logs", "{\"id\":1}", 200);
    g_assert_cmpstr(config_at(fix, answer, "job", "configType", NULL), ==, "sync");
    g_assert_cmpstr(config_at(fix, answer, "job", "configId", NULL), ==, FIXTURE_CONNECTION);
    g_assert_cmpstr(config_at(fix, answer, "job", "status", NULL), ==, "failed");
    /* seconds */
    g_assert_cmpstr(config_at(fix, answer, "job", "createdAt", NULL), ==, "1785578400");
    g_assert_cmpstr(config_at(fix, answer, "job", "startedAt", NULL), ==, "1785578401");
    g_assert_cmpstr(config_at(fix, answer, "job", "aggregatedStats", "recordsCommitted", NULL), ==,
                    "10");
    g_assert_cmpstr(
        config_at(fix, answer, "job", "streamAggregatedStats", "0", "recordsEmitted", NULL), ==,
        "13");
    g_assert_cmpstr(config_at(fix, answer, "job", "enabledStreams", "0", "namespace", NULL), ==,
                    "n");
    /* an attempt's id is its number */
    g_assert_cmpstr(config_at(fix, answer, "attempts", "1", "attempt", "id", NULL), ==, "1");
    g_assert_cmpstr(config_at(fix, answer, "attempts", "0", "attempt", "recordsSynced", NULL), ==,
                    "7");
    g_assert_cmpstr(config_at(fix, answer, "attempts", "0", "attempt", "totalStats",
                              "stateMessagesEmitted", NULL),
                    ==, "2");
    g_assert_cmpstr(
        config_at(fix, answer, "attempts", "0", "attempt", "streamStats", "0", "streamName", NULL),
        ==, "users");
    /* milliseconds, as they were reported */
    g_assert_cmpstr(config_at(fix, answer, "attempts", "0", "attempt", "failureSummary", "failures",
                              "0", "timestamp", NULL),
                    ==, "1785578400000");
    assert_lacks(answer, "\"logs\"");
    answer = config_call(fix, "jobs/get_light", "{\"id\":2}", 200);
    g_assert_cmpstr(
        config_at(fix, answer, "job", "resetConfig", "streamsToReset", "0", "name", NULL), ==,
        "users");
    assert_lacks(answer, "\"attempts\"");
}

static void
test_get_debug(Fixture *fix, gconstpointer data)
{
    make_jobs(fix);
    const char *answer = config_call(fix, "jobs/get_debug_info", "{\"id\":1}", 200);
    g_assert_cmpstr(config_at(fix, answer, "job", "sourceDefinition", "name", NULL), ==, "s");
    g_assert_cmpstr(config_at(fix, answer, "job", "destinationDefinition", "name", NULL), ==, "d");
    g_assert_cmpstr(config_at(fix, answer, "workflowState", "running", NULL), ==, "false");
    answer = config_call(fix, "jobs/get_debug_info", "{\"id\":2}", 200);
    g_assert_cmpstr(config_at(fix, answer, "workflowState", "running", NULL), ==, "true");
}

static void
test_unknown(Fixture *fix, gconstpointer data)
{
    static const char *const verbs[] = {"jobs/get", "jobs/get_without_logs", "jobs/get_light",
                                        "jobs/get_debug_info", "jobs/cancel"};
    /* a check is no job here */
    queue_fixture_script(
        fix->server.db, "insert into job (config_type, scope, workspace_id, created_at, updated_at)"
                        " values ('check_connection', '" FIXTURE_SOURCE "', '" FIXTURE_WORKSPACE
                        "', now(), now())");
    for (guint i = 0; i < G_N_ELEMENTS(verbs); i++) {
        config_refused(fix, verbs[i], "{\"id\":4711}", 404, "4711");
        config_refused(fix, verbs[i], "{\"id\":1}", 404, "1");
        config_refused(fix, verbs[i], "{}", 400, "id");
        config_refused(fix, verbs[i], "{\"id\":\"x\"}", 400, "id");
    }
    config_refused(fix, "attempt/get_for_job", "{\"jobId\":4711,\"attemptNumber\":0}", 404, "4711");
    config_refused(fix, "attempt/get_combined_stats", "{\"jobId\":4711}", 400, "attemptNumber");
    config_refused(fix, "jobs/get_last_replication_job", NO_CONNECTION, 404, NO_ID);
}

static void
test_last(Fixture *fix, gconstpointer data)
{
    const char *answer = config_call(fix, "jobs/get_last_replication_job", CONNECTION, 200);
    g_assert_cmpstr(answer, ==, "{}");
    make_jobs(fix);
    answer = config_call(fix, "jobs/get_last_replication_job", CONNECTION, 200);
    g_assert_cmpstr(config_at(fix, answer, "job", "id", NULL), ==, "2");
}

static void
test_attempt(Fixture *fix, gconstpointer data)
{
    make_jobs(fix);
    const char *answer =
        config_call(fix, "attempt/get_combined_stats", "{\"jobId\":1,\"attemptNumber\":1}", 200);
    g_assert_cmpstr(member(fix, answer, "recordsEmitted"), ==, "3");
    answer = config_call(fix, "attempt/get_for_job", "{\"jobId\":1,\"attemptNumber\":0}", 200);
    g_assert_cmpstr(config_at(fix, answer, "attempt", "status", NULL), ==, "failed");
    config_refused(fix, "attempt/get_for_job", "{\"jobId\":1,\"attemptNumber\":2}", 404, "1/2");
    config_refused(fix, "attempt/get_for_job", "{\"jobId\":1,\"attemptNumber\":-1}", 400,
                   "attemptNumber");
    config_refused(fix, "attempt/get_combined_stats", "{\"jobId\":2,\"attemptNumber\":0}", 404,
                   "no statistics yet");
}

static void
test_cancel(Fixture *fix, gconstpointer data)
{
    make_jobs(fix);
    const char *answer = config_call(fix, "jobs/cancel", "{\"id\":2}", 200);
    g_assert_cmpstr(config_at(fix, answer, "job", "id", NULL), ==, "2");
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from job where job_id = 2"
                                                        " and cancel_requested_at is not null"),
                    ==, 1);
    /* one that has ended stays as it is */
    answer = config_call(fix, "jobs/cancel", "{\"id\":1}", 200);
    g_assert_cmpstr(config_at(fix, answer, "job", "status", NULL), ==, "failed");
}

/* --- lists ---------------------------------------------------------------------------------------
 */

static void
test_list(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *members;
        const char *first; /* id of the first job; NULL: none */
        guint n;
        const char *total;
    } cases[] = {
        {"\"configTypes\":[\"sync\",\"clear\"]", "2", 2, "2"}, /* newest first */
        {"\"configTypes\":[\"sync\"]", "1", 1, "1"},
        {"\"configTypes\":[\"get_spec\"]", NULL, 0, "0"},
        {"\"configTypes\":[\"sync\",\"clear\"],\"orderByMethod\":\"ASC\"", "1", 2, "2"},
        {"\"configTypes\":[\"sync\",\"clear\"],\"orderByField\":\"updatedAt\"", "2", 2, "2"},
        {"\"configTypes\":[\"sync\",\"clear\"],\"statuses\":[\"failed\"]", "1", 1, "1"},
        {"\"configTypes\":[\"sync\",\"clear\"],\"createdAtEnd\":\"2026-08-01T10:30:00Z\"", "1", 1,
         "1"},
        {"\"configTypes\":[\"sync\",\"clear\"],\"updatedAtStart\":\"2026-08-01T10:30:00Z\"", "2", 1,
         "1"},
        {"\"configTypes\":[\"sync\",\"clear\"],\"pagination\":{\"pageSize\":1}", "2", 1, "2"},
        {"\"configTypes\":[\"sync\",\"clear\"],\"pagination\":{\"pageSize\":1,\"rowOffset\":1}",
         "1", 1, "2"},
        {"\"configTypes\":[\"sync\",\"clear\"],\"pagination\":{\"rowOffset\":9}", NULL, 0, "2"},
        {"\"configTypes\":[\"sync\",\"clear\"],\"includingJobId\":1,\"pagination\":{\"pageSize\":"
         "1}",
         "2", 2, "2"},
        {"\"configTypes\":[\"sync\",\"clear\"],\"includingJobId\":2,\"pagination\":{\"pageSize\":"
         "1}",
         "2", 1, "2"},
        {"\"configTypes\":[\"sync\",\"clear\"],\"includingJobId\":4711", NULL, 0, "2"},
        {"\"configTypes\":[\"sync\"],\"configId\":\"" FIXTURE_CONNECTION "\"", "1", 1, "1"},
        {"\"configTypes\":[\"sync\"],\"configId\":\"" NO_ID "\"", NULL, 0, "0"},
        {"\"configTypes\":[\"sync\"],\"workspaceIds\":[\"" FIXTURE_WORKSPACE "\"]", "1", 1, "1"},
    };
    static const char *const verbs[] = {"jobs/list", "jobs/list_for_workspaces"};
    make_jobs(fix);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *verb = verbs[i % 2];
        g_test_message("%s", cases[i].members);
        const char *answer = config_call(fix, verb, format(fix, "{%s}", cases[i].members), 200);
        g_assert_cmpstr(member(fix, answer, "totalJobCount"), ==, cases[i].total);
        const char *jobs = config_at(fix, answer, "jobs", NULL);
        g_autoptr(SlJsonDoc) doc = sl_json_read(jobs, strlen(jobs), NULL, NULL);
        guint n = 0;
        SL_JSON_FOREACH (doc, sl_json_root(doc), one)
            n += one != NULL;
        g_assert_cmpuint(n, ==, cases[i].n);
        if (cases[i].first != NULL)
            g_assert_cmpstr(config_at(fix, answer, "jobs", "0", "job", "id", NULL), ==,
                            cases[i].first);
    }
    const char *answer = config_call(fix, "jobs/list", "{\"configTypes\":[\"sync\"]}", 200);
    g_assert_cmpstr(config_at(fix, answer, "jobs", "0", "attempts", "1", "recordsSynced", NULL), ==,
                    "3");
}

static void
test_list_refused(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *body, *message;
    } cases[] = {
        {"{}", "configTypes"},
        {"{\"configTypes\":[]}", "configTypes: at least one"},
        {"{\"configTypes\":[\"sink\"]}", "configTypes: 'sink'"},
        {"{\"configTypes\":[\"sync\"],\"statuses\":[\"queued\"]}", "statuses: 'queued'"},
        {"{\"configTypes\":[\"sync\"],\"configId\":\"c\"}", "configId"},
        {"{\"configTypes\":[\"sync\"],\"orderByMethod\":\"up\"}", "orderByMethod"},
        {"{\"configTypes\":[\"sync\"],\"pagination\":{\"pageSize\":0}}", "pageSize"},
        {"{\"configTypes\":[\"sync\"],\"workspaceIds\":[\"x\"]}", "workspaceIds"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        config_refused(fix, "jobs/list", cases[i].body, 400, cases[i].message);
}

/* --- logs ----------------------------------------------------------------------------------------
 */

static void
test_logs(Fixture *fix, gconstpointer data)
{
    make_jobs(fix);
    write_log(fix, "1/0.ndjson",
              "{\"timestamp\":1785578400123,\"level\":\"error\",\"logSource\":\"source\","
              "\"message\":\"it \\\"broke\\\"\",\"stackTrace\":\"at x\"}\nno JSON\n");
    const char *answer = config_call(fix, "jobs/get", "{\"id\":1}", 200);
    const char *info = config_at(fix, answer, "attempts", "0", NULL);
    g_assert_cmpstr(member(fix, info, "logType"), ==, "structured");
    g_assert_cmpstr(config_at(fix, info, "logs", "events", "0", "timestamp", NULL), ==,
                    "1785578400123");
    g_assert_cmpstr(config_at(fix, info, "logs", "events", "0", "message", NULL), ==,
                    "it \"broke\"");
    g_assert_cmpstr(config_at(fix, info, "logs", "events", "0", "level", NULL), ==, "error");
    g_assert_cmpstr(config_at(fix, info, "logs", "events", "0", "stackTrace", NULL), ==, "at x");
    /* older clients have these */
    g_assert_cmpstr(config_at(fix, info, "logs", "logLines", "0", NULL), ==,
                    "2026-08-01 10:00:00 source > it \"broke\"");
    g_assert_cmpstr(config_at(fix, info, "logs", "events", "1", "message", NULL), ==, "no JSON");
    /* deleted: it says so, and the job is there */
    info = config_at(fix, answer, "attempts", "1", NULL);
    assert_has(config_at(fix, info, "logs", "logLines", "0", NULL), "has no log");
    /* nothing was written yet */
    answer = config_call(fix, "jobs/get", "{\"id\":2}", 200);
    g_assert_cmpstr(config_at(fix, answer, "attempts", "0", "logs", "logLines", NULL), ==, "[]");
    remove_log(fix, "1/0.ndjson");
}

static void
test_long_log(Fixture *fix, gconstpointer data)
{
    g_autoptr(GString) text = g_string_new(NULL);
    make_jobs(fix);
    for (guint i = 0; text->len < 2 * (1 << 19); i++)
        g_string_append_printf(text,
                               "{\"timestamp\":1785578400123,\"level\":\"info\",\"logSource\":"
                               "\"source\",\"message\":\"line %u of many\"}\n",
                               i);
    write_log(fix, "1/0.ndjson", text->str);
    const char *answer =
        config_call(fix, "attempt/get_for_job", "{\"jobId\":1,\"attemptNumber\":0}", 200);
    const char *notice = config_at(fix, answer, "logs", "events", "0", "message", NULL);
    assert_has(notice, "truncated");
    assert_has(notice, "/api/v1/sluice/jobs/1/attempts/0/log/raw");
    assert_has(config_at(fix, answer, "logs", "logLines", "0", NULL), "truncated");
    /* whole lines only, to the last one */
    assert_has(config_at(fix, answer, "logs", "events", "1", "message", NULL), "line ");
    assert_has(answer, "of many\"]");
    assert_lacks(answer, "line 0 of");
    remove_log(fix, "1/0.ndjson");
}

void
config_add_run_cases(void)
{
    CONFIG_CASE("jobs/get", test_get);
    CONFIG_CASE("jobs/get_debug_info", test_get_debug);
    CONFIG_CASE("jobs/unknown", test_unknown);
    CONFIG_CASE("jobs/last", test_last);
    CONFIG_CASE("jobs/attempt", test_attempt);
    CONFIG_CASE("jobs/cancel", test_cancel);
    CONFIG_CASE("jobs/list", test_list);
    CONFIG_CASE("jobs/list/refused", test_list_refused);
    CONFIG_CASE("jobs/logs", test_logs);
    CONFIG_CASE("jobs/logs/long", test_long_log);
}
