/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <glib/gstdio.h>
#include <string.h>

#include "server-fixture.h"

static void
test_jobs(Fixture *fix, gconstpointer data)
{
    const char *body = "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"jobType\":\"sync\"}";
    const char *job = call(fix, "POST", "/api/public/v1/jobs", body, 200);
    const char *id = member(fix, job, "jobId");
    const char *path = format(fix, "/api/public/v1/jobs/%s", id);
    g_assert_cmpstr(member(fix, job, "status"), ==, "pending");
    g_assert_cmpstr(member(fix, job, "jobType"), ==, "sync");
    assert_lacks(job, "duration");
    assert_lacks(job, "lastUpdatedAt");
    g_assert_cmpstr(member(fix, call(fix, "POST", "/api/public/v1/jobs", body, 200), "jobId"), ==,
                    id);

    queue_fixture_script(
        fix->server.db,
        format(fix,
               "update job set status = 'running' where job_id = %s;"
               "insert into attempt_stats (job_id, attempt_number, records_committed,"
               " bytes_committed, updated_at) values (%s, 0, 7, 99, now())",
               id, id));
    assert_has(call(fix, "POST", "/api/public/v1/jobs", body, 409),
               "A sync is already running for: " FIXTURE_CONNECTION);
    job = call(fix, "GET", path, NULL, 200);
    assert_has(job, "\"bytesSynced\":99,\"rowsSynced\":7");
    assert_has(job, "\"duration\":\"PT0S\"");

    assert_has(
        call(fix, "GET", "/api/public/v1/jobs?orderBy=createdAt%7CDESC&status=running", NULL, 200),
        format(fix, "\"jobId\":%s", id));
    assert_has(call(fix, "GET", "/api/public/v1/jobs?jobType=reset", NULL, 200), "\"data\":[]");
    assert_has(
        call(fix, "GET", "/api/public/v1/jobs?createdAtStart=2999-01-01T00:00:00Z", NULL, 200),
        "\"data\":[]");
    call(fix, "GET", "/api/public/v1/jobs?orderBy=name%7CASC", NULL, 400);

    const char *attempts =
        call(fix, "GET", format(fix, "/api/v1/sluice/jobs/%s/attempts", id), NULL, 200);
    assert_has(attempts, "\"attempts\":[{\"attemptNumber\":0,\"status\":\"running\"");
    assert_has(attempts, "\"recordsCommitted\":7");

    /* cancelling: what runs is asked, and asked again it is no error */
    call(fix, "DELETE", path, NULL, 200);
    call(fix, "DELETE", path, NULL, 200);
    call(fix, "DELETE", "/api/public/v1/jobs/999999", NULL, 404);
    call(fix, "GET", "/api/public/v1/jobs/999999", NULL, 404);
    call(fix, "GET", "/api/public/v1/jobs/x", NULL, 400);
    call(fix, "POST", "/api/public/v1/jobs",
         "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"jobType\":\"refresh\"}", 422);
    call(fix, "POST", "/api/public/v1/jobs",
         "{\"connectionId\":\"" FIXTURE_SOURCE "\",\"jobType\":\"sync\"}", 404);
}

/* A sync while another one waits for its retry: that one is tried again now, and is the answer. */
static void
test_hasten(Fixture *fix, gconstpointer data)
{
    const char *body = "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"jobType\":\"sync\"}";
    fix->pause_worker = TRUE;
    const char *id = member(fix, call(fix, "POST", "/api/public/v1/jobs", body, 200), "jobId");
#define WAITS                                                                                      \
    "delete from task; update attempt set status = 'failed', ended_at = now(); update job set "    \
    "status = 'incomplete', retry_at = now() + interval '30 min'"
    static const struct {
        const char *script;
        guint status;
    } cases[] = {
        {WAITS, 200},
        {WAITS ", cancel_requested_at = now()", 409},
        {"update job set retry_at = null, cancel_requested_at = null", 409}, /* it goes on */
        {WAITS ", config_type = 'refresh', cancel_requested_at = null", 409},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("case %u", i);
        queue_fixture_script(fix->server.db, cases[i].script);
        const char *answer = call(fix, "POST", "/api/public/v1/jobs", body, cases[i].status);
        if (cases[i].status != 200)
            continue;
        g_assert_cmpstr(member(fix, answer, "jobId"), ==, id);
        g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from job where "
                                                            "retry_at < now() + interval '1 min'"),
                        ==, 1);
    }
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from job"), ==, 1);
}

static void
test_log(Fixture *fix, gconstpointer data)
{
    g_autoptr(SlJob) job = queue_fixture_job(fix->server.db);
    const char *base =
        format(fix, "/api/v1/sluice/jobs/%" G_GINT64_FORMAT "/attempts/0/log", job->job_id);
    const char *folder = format(fix, "%s/%" G_GINT64_FORMAT, fix->folder, job->job_id);
    const char *file = format(fix, "%s/0.ndjson", folder);
    assert_has(call(fix, "GET", base, NULL, 200),
               "\"nextOffset\":0,\"size\":0,\"ended\":false,\"text\":\"\"");
    g_assert_no_errno(g_mkdir(folder, 0700));
    g_assert_true(g_file_set_contents(file, "{\"a\":1}\n{\"b\":2}\n{\"half", -1, NULL));
    const char *log = call(fix, "GET", base, NULL, 200);
    g_assert_cmpstr(member(fix, log, "text"), ==, "{\"a\":1}\n{\"b\":2}\n");
    g_assert_cmpstr(member(fix, log, "nextOffset"), ==, "16");
    g_assert_cmpstr(member(fix, log, "size"), ==, "22");
    log = call(fix, "GET", format(fix, "%s?offset=8&limit=9", base), NULL, 200);
    g_assert_cmpstr(member(fix, log, "text"), ==, "{\"b\":2}\n");
    log = call(fix, "GET", format(fix, "%s?tail=16", base), NULL, 200);
    g_assert_cmpstr(member(fix, log, "text"), ==, "{\"b\":2}\n");
    g_assert_cmpstr(member(fix, log, "offset"), ==, "8");
    log = call(fix, "GET", format(fix, "%s?offset=999", base), NULL, 200);
    g_assert_cmpstr(member(fix, log, "text"), ==, "");
    /* a line longer than the limit does not hold the reader up */
    log = call(fix, "GET", format(fix, "%s?limit=3", base), NULL, 200);
    g_assert_cmpstr(member(fix, log, "nextOffset"), ==, "3");
    call(fix, "GET", format(fix, "%s?offset=-1", base), NULL, 400);
    call(fix, "GET",
         format(fix, "/api/v1/sluice/jobs/%" G_GINT64_FORMAT "/attempts/7/log", job->job_id), NULL,
         404);
    g_unlink(file);
    g_rmdir(folder);
}

/* A running job is asked, waited for a while, and shown as it is then. */
static void
test_cancel_waits(Fixture *fix, gconstpointer data)
{
    g_autoptr(SlJob) job = queue_fixture_job(fix->server.db);
    const char *path = format(fix, "/api/public/v1/jobs/%" G_GINT64_FORMAT, job->job_id);
    const char *reset = "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"jobType\":\"reset\"}";
    g_autofree char *token = NULL;
    g_autofree char *workload = queue_fixture_claimed(fix->server.db, job, &token);
    queue_fixture_script(fix->server.db, "update job set status = 'running'");
    g_assert_cmpstr(member(fix, call(fix, "DELETE", path, NULL, 200), "status"), ==, "running");
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from job where "
                                                        "cancel_requested_at is not null"),
                    ==, 1);
    /* nor does a reset begin before it has ended */
    fix->server.await_usec = G_USEC_PER_SEC / 5;
    assert_has(call(fix, "POST", "/api/public/v1/jobs", reset, 409), "#try-again-later");
    queue_fixture_script(fix->server.db,
                         "update job set status = 'cancelled', finished_at = now()");
    assert_has(call(fix, "POST", "/api/public/v1/jobs", reset, 200), "\"jobType\":\"reset\"");
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from job"), ==, 2);
}

/* Each filter alone; a connection goes before workspaces. */
static void
test_job_filters(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *query;
        int n;
    } cases[] = {
        {"", 3},
        {"connectionId=" FIXTURE_CONNECTION, 3},
        {"connectionId=" FIXTURE_SOURCE, 0},
        {"connectionId=" FIXTURE_CONNECTION "&workspaceIds=" FIXTURE_SOURCE, 3},
        {"workspaceIds=" FIXTURE_WORKSPACE, 3},
        {"workspaceIds=" FIXTURE_SOURCE, 0},
        {"jobType=sync", 1},
        {"jobType=reset", 1},
        {"jobType=CLEAR", 1},
        {"status=succeeded", 2},
        {"status=failed", 1},
        {"createdAtStart=2026-08-02T00:00:00Z", 2},
        {"createdAtEnd=2026-08-02T00:00:00Z", 1},
        {"updatedAtStart=2026-08-03T12:00:00Z&updatedAtEnd=2026-08-03T13:00:00Z", 1},
        {"orderBy=updatedAt%7CASC&limit=2", 2},
    };
    queue_fixture_script(
        fix->server.db,
        "insert into job (config_type, scope, workspace_id, status, created_at, updated_at, "
        "finished_at) select t, '" FIXTURE_CONNECTION "', '" FIXTURE_WORKSPACE "', s, d, d, d from "
        "(values ('sync', 'succeeded', timestamptz '2026-08-01T12:30Z'), ('reset_connection', "
        "'failed', '2026-08-02T12:30Z'), ('clear', 'succeeded', '2026-08-03T12:30Z')) v (t, s, d)");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *page =
            call(fix, "GET", format(fix, "/api/public/v1/jobs?%s", cases[i].query), NULL, 200);
        int n = 0;
        for (const char *p = page; (p = strstr(p, "\"jobId\":")) != NULL; p++)
            n++;
        if (n != cases[i].n)
            g_test_message("%s: %s", cases[i].query, page);
        g_assert_cmpint(n, ==, cases[i].n);
        if (cases[i].query[0] != '\0' && n > 0)
            assert_has(member(fix, page, "next"), format(fix, "%.7s", cases[i].query));
    }
    call(fix, "GET", "/api/public/v1/jobs?status=asleep", NULL, 400);
    call(fix, "GET", "/api/public/v1/jobs?createdAtStart=yesterday", NULL, 400);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL); /* failing jobs warn */
#define CASE(name, func) g_test_add("/server/" name, Fixture, NULL, setup, func, teardown)
    CASE("jobs", test_jobs);
    CASE("hasten", test_hasten);
    CASE("cancel-waits", test_cancel_waits);
    CASE("job-filters", test_job_filters);
    CASE("log", test_log);
    return g_test_run();
}
