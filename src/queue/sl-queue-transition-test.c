/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"

#include <string.h>

#include "sl-error.h"
#include "sl-queue-fixture.h"
#include "sl-queue-workload.h"
#include "sl-queue.h"
#include "sl-sql.h"

/* Every state of a job and of a workload, with everything that can happen to it. Each case is a
 * transaction that is rolled back. */

#define LEASE ((gint64)G_USEC_PER_SEC)
#define WAIT (10 * (gint64)G_USEC_PER_SEC)
#define AT "'2026-08-01T12:00:00Z'"

static SlDb *db;

/* --- jobs ----------------------------------------------------------------------------------------
 */

typedef enum { START, SUCCEED, WAIT_FOR_RETRY, FAIL, RETRY, CANCEL, N_EVENTS } JobEvent;

static const char *const event_names[N_EVENTS] = {"start", "succeed", "wait for a retry",
                                                  "fail",  "retry",   "cancel"};

#define ENDED(status, attempt)                                                                     \
    "delete from task; update attempt set status = '" attempt "', ended_at = " AT                  \
    "; update job set status = '" status "', finished_at = " AT

/* How a job gets there, and where each event takes it; "" keeps it as it is, to the last column;
 * "!": the database refuses it. */
static const struct {
    const char *status, *script;
    const char *to[N_EVENTS]; /* in the order of JobEvent */
} jobs[] = {
    {"pending", NULL, {"running", "succeeded", "incomplete", "failed", "", "cancelled"}},
    {"running",
     "delete from task; update job set status = 'running', started_at = " AT,
     {"running", "succeeded", "incomplete", "failed", "", "cancelled"}},
    /* waits for its retry */
    {"incomplete",
     "delete from task; update attempt set status = 'failed', ended_at = " AT
     "; update job set status = 'incomplete', counted_attempt = 0, retry_at = " AT,
     {"!", "succeeded", "", "failed", "incomplete", "cancelled"}},
    /* the retry is queued, and may fail before it starts */
    {"incomplete",
     "update job set status = 'incomplete'",
     {"running", "succeeded", "incomplete", "failed", "", "cancelled"}},
    {"succeeded", ENDED("succeeded", "succeeded"), {"", "", "", "", "", ""}},
    {"failed", ENDED("failed", "failed"), {"", "", "", "", "", ""}},
    {"cancelled", ENDED("cancelled", "failed"), {"", "", "", "", "", ""}},
};

static SlJob *
make_job(SlTx *tx)
{
    SlJobRequest request = {.config_type = SL_CONFIG_TYPE_SYNC,
                            .scope = FIXTURE_CONNECTION,
                            .workspace_id = FIXTURE_WORKSPACE};
    SlJob *job = NULL;
    g_assert_true(sl_queue_job_create(tx, &request, FIXTURE_NOW, &job, NULL));
    return job;
}

static gboolean
end_attempt(SlTx *tx, gint64 job_id, SlJobStatus status, GError **error)
{
    SlAttemptEnd end = {.job_id = job_id,
                        .succeeded = status == SL_JOB_STATUS_SUCCEEDED,
                        .job_status = status,
                        .retry_at = FIXTURE_NOW + WAIT,
                        .complete_successive = 1,
                        .complete_total = 1};
    return sl_queue_attempt_finish(tx, &end, FIXTURE_NOW + 1, error);
}

static gboolean
happen(SlTx *tx, gint64 job_id, JobEvent event, GError **error)
{
    g_autoptr(SlJob) job = NULL;
    switch (event) {
    case START:
        return sl_sql_job_start(tx, job_id, FIXTURE_NOW + 1, NULL, error);
    case SUCCEED:
        return end_attempt(tx, job_id, SL_JOB_STATUS_SUCCEEDED, error);
    case WAIT_FOR_RETRY:
        return end_attempt(tx, job_id, SL_JOB_STATUS_INCOMPLETE, error);
    case FAIL:
        return end_attempt(tx, job_id, SL_JOB_STATUS_FAILED, error);
    case RETRY:
        return sl_queue_retry_start(tx, FIXTURE_NOW + 1, &job, error);
    case CANCEL:
        return sl_queue_job_cancel(tx, job_id, FIXTURE_NOW + 1, &job, error);
    default:
        g_assert_not_reached();
    }
}

static char *
whole_job(SlTx *tx, gint64 job_id)
{
    SlBind bind = {0};
    static const SlStatement statement = {
        "transition_job",
        "select j::text || ' ' || (select string_agg(a::text, ' ') from attempt a where a.job_id = "
        "j.job_id) || (select count(*) from task t where t.job_id = j.job_id) from job j where "
        "job_id = $1",
        1,
        {20}};
    char *text = NULL;
    sl_bind_int(&bind, job_id);
    g_assert_true(sl_tx_run_text(tx, &statement, &bind, &text, NULL));
    return text;
}

static void
test_job(gconstpointer data)
{
    guint i = GPOINTER_TO_UINT(data);
    for (guint event = 0; event < N_EVENTS; event++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
        g_autoptr(SlJob) job = make_job(tx), after = NULL;
        if (jobs[i].script != NULL)
            g_assert_true(sl_tx_run_script(tx, jobs[i].script, &error));
        g_autofree char *before = whole_job(tx, job->job_id);
        gboolean ok = happen(tx, job->job_id, event, &error);
        g_assert_cmpint(ok, ==, *jobs[i].to[event] != '!');
        if (!ok)
            continue;
        g_assert_true(sl_sql_job_get(tx, job->job_id, &after, &error));
        g_autofree char *now = whole_job(tx, job->job_id);
        const char *to = *jobs[i].to[event] != '\0' ? jobs[i].to[event] : jobs[i].status;
        g_test_message("%s, %s", jobs[i].status, event_names[event]);
        g_assert_cmpstr(sl_enum_name(&sl_job_status_enum, (int)after->status), ==, to);
        g_assert_cmpint(strcmp(now, before) == 0, ==, *jobs[i].to[event] == '\0');
        g_assert_cmpint(sl_record_has(&sl_job_record, after, SL_JOB_FINISHED_AT), ==,
                        sl_job_status_is_final((SlJobStatus)after->status));
    }
}

/* --- workloads
 * ------------------------------------------------------------------------------------
 */

#define TOKEN "t"

/* Letters: the status afterwards; '!': refused with "gone", '-': no claim. Both change nothing. */
static const struct {
    const char *event;
    const char *to; /* from each of the seven states below */
} events[] = {
    {"claim", "CC-----"},         {"claim of another", "C------"},
    {"launched", "!LLR!!!"},      {"running", "!RRR!!!"},
    {"heartbeat", "!CLR!!!"},     {"release", "!PP!!!!"},
    {"commit", "!CLR!!!"},        {"success", "!SSSS!!"},
    {"failure", "!FFF!F!"},       {"cancelled", "!XXX!!X"},
    {"sweep", "FFFF!!!"},         {"cancel of the platform", "XXXX!!!"},
    {"success, late", "!!!!!!!"}, {"failure, late", "!!!!!!!"},
};

static const char letters[] = "PCLRSFX";
static const char *const states[] = {"pending", "claimed", "launched", "running",
                                     "success", "failure", "cancelled"};

static gboolean
finish(SlTx *tx, const char *id, const char *token, SlWorkloadStatus status, GError **error)
{
    SlWorkloadReport report = {.workload_id = id,
                               .token = token,
                               .status = status,
                               .source = token == NULL ? "workload-monitor-heartbeat"
                                         : status == SL_WORKLOAD_STATUS_SUCCESS ? NULL
                                                                                : "source"};
    return sl_queue_workload_finish(tx, &report, FIXTURE_NOW, error);
}

static gboolean
claim_by(SlTx *tx, const char *id, const char *plane, gboolean *ret_claimed, GError **error)
{
    g_autofree char *token = NULL;
    gboolean ok = sl_queue_workload_claim(tx, id, plane, LEASE, FIXTURE_NOW, &token, error);
    *ret_claimed = token != NULL;
    return ok;
}

static gboolean
say(SlTx *tx, const char *id, guint event, gboolean *ret_claimed, GError **error)
{
    gboolean stop;
    SlWorkloadReport commit = {.workload_id = id, .token = TOKEN};
    *ret_claimed = TRUE;
    switch (event) {
    case 0:
        return claim_by(tx, id, "plane", ret_claimed, error);
    case 1:
        return claim_by(tx, id, "other", ret_claimed, error);
    case 2:
        return sl_queue_workload_launched(tx, id, TOKEN, FIXTURE_NOW, error);
    case 3:
        return sl_queue_workload_running(tx, id, TOKEN, LEASE, FIXTURE_NOW, &stop, error);
    case 4:
        return sl_queue_workload_heartbeat(tx, id, TOKEN, LEASE, FIXTURE_NOW, &stop, error);
    case 5:
        return sl_queue_workload_release(tx, id, TOKEN, FIXTURE_NOW, error);
    case 6:
        return sl_queue_workload_commit(tx, &commit, FIXTURE_NOW, error);
    case 7:
        return finish(tx, id, TOKEN, SL_WORKLOAD_STATUS_SUCCESS, error);
    case 8:
        return finish(tx, id, TOKEN, SL_WORKLOAD_STATUS_FAILURE, error);
    case 9:
        return finish(tx, id, TOKEN, SL_WORKLOAD_STATUS_CANCELLED, error);
    case 10:
        return finish(tx, id, NULL, SL_WORKLOAD_STATUS_FAILURE, error);
    case 11:
        return finish(tx, id, NULL, SL_WORKLOAD_STATUS_CANCELLED, error);
    case 12:
        return finish(tx, id, "of an older claim", SL_WORKLOAD_STATUS_SUCCESS, error);
    default:
        return finish(tx, id, "of an older claim", SL_WORKLOAD_STATUS_FAILURE, error);
    }
}

/* Queue row, lease, token and end, as each state has them. */
static char *
make_workload(SlTx *tx, guint state)
{
    g_autoptr(SlJob) job = make_job(tx);
    SlWorkloadRequest request = {.type = SL_WORKLOAD_TYPE_SYNC,
                                 .data_plane_group = "auto",
                                 .job_id = job->job_id,
                                 .connection_id = FIXTURE_CONNECTION,
                                 .workspace_id = FIXTURE_WORKSPACE,
                                 .input = "{}",
                                 .launch = "{}",
                                 .log_path = "x"};
    char *id = NULL;
    g_autoptr(GError) error = NULL;
    gboolean final = state >= 4;
    g_assert_true(sl_queue_workload_create(tx, &request, FIXTURE_NOW, &id, &error));
    if (state == 0)
        return id;
    g_autofree char *script = g_strdup_printf(
        "update workload set status = '%s', token = '" TOKEN "', data_plane_id = 'plane', "
        "finished_at = %s, termination_source = %s; delete from workload_queue; insert into "
        "workload_lease select workload_id, " AT ", " AT " from workload where finished_at is null",
        states[state], final ? AT : "null", state > 4 ? "'source'" : "null");
    g_assert_true(sl_tx_run_script(tx, script, &error));
    g_assert_no_error(error);
    return id;
}

static gint64
count_rows(SlTx *tx, const SlStatement *statement)
{
    SlBind bind = {0};
    gint64 n = -1;
    g_assert_true(sl_tx_run_int(tx, statement, &bind, &n, NULL));
    return n;
}

/* What must fit to the status: a pending one is queued, a held one has a lease, an ended one a
 * task. */
static void
check_rows(SlTx *tx, char letter, gboolean ended_now)
{
    static const SlStatement queued = {
        "transition_queued", "select count(*) from workload_queue", 0, {0}};
    static const SlStatement leased = {
        "transition_leased", "select count(*) from workload_lease", 0, {0}};
    static const SlStatement tasks = {
        "transition_tasks", "select count(*) from task where kind = 'attempt_finish'", 0, {0}};
    g_assert_cmpint(count_rows(tx, &queued), ==, letter == 'P');
    g_assert_cmpint(count_rows(tx, &leased), ==, strchr("CLR", letter) != NULL);
    g_assert_cmpint(count_rows(tx, &tasks), ==, ended_now);
}

static void
test_workload(gconstpointer data)
{
    guint event = GPOINTER_TO_UINT(data);
    for (guint state = 0; state < G_N_ELEMENTS(states); state++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
        g_autofree char *id = make_workload(tx, state);
        g_autoptr(SlWorkload) after = NULL;
        gboolean claimed;
        char to = events[event].to[state];
        g_test_message("%s, %s", states[state], events[event].event);
        gboolean ok = say(tx, id, event, &claimed, &error);
        if (to == '!')
            g_assert_error(error, SL_ERROR, SL_ERROR_GONE);
        else
            g_assert_no_error(error);
        g_assert_cmpint(ok, ==, to != '!');
        g_assert_cmpint(claimed, ==, to != '-');
        g_assert_true(sl_sql_workload_get(tx, id, &after, NULL));
        char now = to == '!' || to == '-' ? letters[state] : to;
        g_assert_cmpstr(sl_enum_name(&sl_workload_status_enum, (int)after->status), ==,
                        states[strchr(letters, now) - letters]);
        check_rows(tx, now, state < 4 && strchr("SFX", now) != NULL);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK);
    db = queue_fixture_new();
    for (guint i = 0; i < G_N_ELEMENTS(jobs); i++) {
        g_autofree char *path = g_strdup_printf("/queue/transition/job/%u-%s", i, jobs[i].status);
        g_test_add_data_func(path, GUINT_TO_POINTER(i), test_job);
    }
    for (guint i = 0; i < G_N_ELEMENTS(events); i++) {
        g_autofree char *path = g_strconcat("/queue/transition/workload/", events[i].event, NULL);
        g_assert_cmpuint(strlen(events[i].to), ==, G_N_ELEMENTS(states));
        g_test_add_data_func(path, GUINT_TO_POINTER(i), test_workload);
    }
    int status = g_test_run();
    sl_db_unref(db);
    return status;
}
