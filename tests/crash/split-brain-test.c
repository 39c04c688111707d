/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "crash-api.h"
#include "crash-step.h"
#include "sl-error.h"
#include "sl-queue-fixture.h"
#include "sl-queue-workload.h"

/* Somebody stops in the middle (SIGSTOP), longer than his lease; another one takes over; then the
 * first one goes on. What he writes then does not count. */

#define THREADS 50

static void
expect(World *w, const char *sql, const char *answer)
{
    g_autofree char *got = world_ask(w, sql);
    if (strcmp(got, answer) != 0)
        g_test_message("%s", sql);
    g_assert_cmpstr(got, ==, answer);
}

/* --- a scheduler -------------------------------------------------------------------------------
 */

/* As a scheduler's loop does: until it leads, and as often as it loses the lease again. */
static void
turn_until_done(World *w)
{
    gint64 end = g_get_monotonic_time() + 60 * (gint64)G_USEC_PER_SEC;
    for (;;) {
        step_schedule(w);
        g_autofree char *jobs = world_ask(w, "select count(*) from job where scope = '%s'");
        if (strcmp(jobs, "0") != 0)
            return;
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        g_usleep(20000);
    }
}

/* FALSE: its turn has fewer statements. */
static gboolean
stop_scheduler(World *w, guint strike)
{
    pid_t pid;
    world_add_connection(w);
    step_due(w);
    gboolean frozen = world_freeze(w, step_schedule, strike, &pid);
    /* Nobody ends its transaction but the server, when the lease is over. */
    turn_until_done(w);
    expect(w, "select count(*) from job where scope = '%s'", "1");
    world_do(w, step_work);
    if (frozen)
        world_thaw(w, pid);
    expect(w, "select count(*) from job where scope = '%s'", "1");
    expect(w,
           "select next_run_at is null or next_run_at > now() from connection where "
           "connection_id = '%s'",
           "t");
    scheduler_state_clear(&w->scheduler);
    scheduler_state_init(&w->scheduler, w->db, w->config);
    return frozen;
}

static void
test_scheduler(void)
{
    g_autoptr(World) w = world_new();
    guint n = 1;
    w->config->scheduler_lease_usec = G_USEC_PER_SEC / 5;
    while (stop_scheduler(w, n))
        n++;
    g_test_message("a scheduler stopped at each of %u statements", n - 1);
    g_assert_cmpuint(n, >, 15);
}

/* --- a worker, and the workload API ------------------------------------------------------------
 */

static const struct {
    const char *name;
    Step before[6], step;
    const char *expected; /* attempts, workloads and generations after it */
} stops[] = {
    {"the start of an attempt", {step_create}, step_work, "1 1 1"},
    {"the end of an attempt",
     {step_create, step_work, step_launch, step_hold, step_finish},
     step_work,
     "1 1 1"},
    {"the failure of an attempt",
     {step_create, step_work, step_launch, step_hold, step_fail},
     step_work,
     "1 1 1"},
};

#define FACTS                                                                                      \
    "select (select count(*) from attempt join job using (job_id) where scope = '%s') || ' ' || "  \
    "(select count(*) from workload join job using (job_id) where scope = '%s') || ' ' || "        \
    "(select "                                                                                     \
    "coalesce(max(generation_id), 0) from stream_generation where connection_id = '%s')"
#define STATUS                                                                                     \
    "select j.status || ' ' || j.complete_total || ' ' || a.status || ' ' || (select count(*) "    \
    "from "                                                                                        \
    "task where task.job_id = j.job_id) from job j join attempt a using (job_id) where scope = "   \
    "'%s'"

static gboolean
stop_worker(World *w, guint i, guint strike)
{
    pid_t pid;
    world_add_connection(w);
    for (guint j = 0; j < G_N_ELEMENTS(stops[i].before) && stops[i].before[j] != NULL; j++)
        world_do(w, stops[i].before[j]);
    if (!world_freeze(w, stops[i].step, strike, &pid))
        return FALSE;
    world_do(w, stops[i].step); /* passes by what the other one holds */
    world_break(w);
    world_do(w, stops[i].step);
    expect(w, FACTS, stops[i].expected);
    g_autofree char *status = world_ask(w, STATUS);
    world_thaw(w, pid);
    expect(w, FACTS, stops[i].expected);
    expect(w, STATUS, status);
    return TRUE;
}

static void
test_worker(void)
{
    g_autoptr(World) w = world_new();
    for (guint i = 0; i < G_N_ELEMENTS(stops); i++) {
        guint n = 1;
        while (stop_worker(w, i, n))
            n++;
        g_test_message("%s: stopped at each of %u statements", stops[i].name, n - 1);
        g_assert_cmpuint(n, >, 5);
    }
}

/* --- a holder ----------------------------------------------------------------------------------
 */

#define LATE                                                                                       \
    "[{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"i\"},\"stream_state\":"   \
    "99999}}]"

typedef enum { LAUNCHED, RUNNING, HEARTBEAT, RELEASE, COMMIT, FINISH } Word;

static const struct {
    const char *name;
    Word word;
    SlWorkloadStatus status;
} words[] = {
    {"launched", LAUNCHED, SL_WORKLOAD_STATUS_LAUNCHED},
    {"running", RUNNING, SL_WORKLOAD_STATUS_RUNNING},
    {"heartbeat", HEARTBEAT, SL_WORKLOAD_STATUS_RUNNING},
    {"release", RELEASE, SL_WORKLOAD_STATUS_PENDING},
    {"commit", COMMIT, SL_WORKLOAD_STATUS_RUNNING},
    {"success", FINISH, SL_WORKLOAD_STATUS_SUCCESS},
    {"failure", FINISH, SL_WORKLOAD_STATUS_FAILURE},
    {"cancelled", FINISH, SL_WORKLOAD_STATUS_CANCELLED},
};

static gboolean
say(World *w, SlTx *tx, guint i, const char *id, const char *token, GError **error)
{
    gboolean cancel;
    gint64 now = world_now(w), lease = 60 * (gint64)G_USEC_PER_SEC;
    SlWorkloadReport report = {.workload_id = id,
                               .token = token,
                               .states = LATE,
                               .status = words[i].status,
                               .source = "source",
                               .reason = "late"};
    switch (words[i].word) {
    case LAUNCHED:
        return sl_queue_workload_launched(tx, id, token, now, error);
    case RUNNING:
        return sl_queue_workload_running(tx, id, token, lease, now, &cancel, error);
    case HEARTBEAT:
        return sl_queue_workload_heartbeat(tx, id, token, lease, now, &cancel, error);
    case RELEASE:
        return sl_queue_workload_release(tx, id, token, now, error);
    case COMMIT:
        return sl_queue_workload_commit(tx, &report, now, error);
    case FINISH:
        return sl_queue_workload_finish(tx, &report, now, error);
    }
    g_assert_not_reached();
}

#define WHOLE                                                                                      \
    "select string_agg(x::text, ';' order by x::text) from (select w.status, w.token, "            \
    "l.expires_at, "                                                                               \
    "a.status, j.status, s.state from job j join workload w using (job_id) join attempt a using "  \
    "(job_id, attempt_number) left join workload_lease l using (workload_id) left join state s "   \
    "on "                                                                                          \
    "s.connection_id = j.scope and s.stream = 'i' where j.scope = '%s') x"

/* Every word of one whose lease is over is refused, and changes nothing. */
static void
refuse_all(World *w, const char *id, const char *token, const char *when)
{
    g_autofree char *before = world_ask(w, WHOLE);
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SlTx) tx = sl_db_begin(w->db, FALSE, &error);
        g_assert_no_error(error);
        gboolean accepted = say(w, tx, i, id, token, &error);
        if (accepted)
            g_test_message("%s: '%s' was accepted", when, words[i].name);
        g_assert_false(accepted);
        g_assert_error(error, SL_ERROR, SL_ERROR_GONE);
        /* even if somebody overlooked that: it changed nothing */
        g_assert_true(sl_tx_commit(tx, NULL));
    }
    expect(w, WHOLE, before);
}

static void
test_holder(void)
{
    static const struct {
        const char *when;
        Step step;
    } later[] = {
        {"its attempt was given up", step_silence},
        {"the worker knows", step_work},
        {"the next attempt is due", step_schedule},
        {"the next attempt is queued", step_work},
        {"it is claimed", step_claim},
        {"it runs", step_hold},
        {"it has ended", step_finish},
        {"the job has ended", step_work},
    };
    g_autoptr(World) w = world_new();
    static const Step begin[] = {step_create, step_work, step_launch, step_hold};
    world_add_connection(w);
    for (guint i = 0; i < G_N_ELEMENTS(begin); i++)
        world_do(w, begin[i]);
    g_autofree char *id = g_strdup(w->shared->workload_id);
    g_autofree char *token = g_strdup(w->shared->token);
    w->shared->ahead += 120 * (gint64)G_USEC_PER_SEC;
    for (guint i = 0; i < G_N_ELEMENTS(later); i++) {
        world_do(w, later[i].step);
        refuse_all(w, id, token, later[i].when);
    }
    expect(w, "select status from job where scope = '%s'", "succeeded");
}

/* The workload API stops in the middle of a call of the holder. */
static gboolean
stop_api(World *w, Step step, guint strike)
{
    static const Step begin[] = {step_create, step_work, step_launch};
    pid_t pid;
    world_add_connection(w);
    for (guint i = 0; i < G_N_ELEMENTS(begin); i++)
        world_do(w, begin[i]);
    gboolean frozen = world_freeze(w, step, strike, &pid);
    if (!frozen)
        return FALSE;
    world_break(w);
    w->shared->ahead += 120 * (gint64)G_USEC_PER_SEC;
    world_do(w, step_silence);
    world_do(w, step_work);
    g_autofree char *before = world_ask(w, WHOLE);
    world_thaw(w, pid);
    expect(w, WHOLE, before);
    return TRUE;
}

static void
test_workload_api(void)
{
    static const Step steps[] = {step_hold, step_finish, step_fail};
    g_autoptr(World) w = world_new();
    guint n = 0;
    for (guint i = 0; i < G_N_ELEMENTS(steps); i++)
        for (guint strike = 1; stop_api(w, steps[i], strike); strike++)
            n++;
    g_test_message("the workload API stopped at each of %u statements", n);
    g_assert_cmpuint(n, >, 10);
}

/* --- fifty threads -----------------------------------------------------------------------------
 */

typedef struct {
    CrashApi *api;
    const char *body;
    gint begin;
    gint by_status[600];
} Crowd;

static gpointer
trigger(gpointer data)
{
    Crowd *crowd = data;
    while (!g_atomic_int_get(&crowd->begin))
        g_thread_yield();
    guint status = crash_api_ask(crowd->api, "POST", "/api/public/v1/jobs", crowd->body, NULL);
    g_assert_cmpuint(status, <, G_N_ELEMENTS(crowd->by_status));
    g_atomic_int_inc(&crowd->by_status[status]);
    return NULL;
}

/* All through the real API: one job, and everybody gets it or hears that there is one. */
static void
test_fifty(void)
{
    g_autoptr(World) w = world_new();
    Crowd crowd = {.api = crash_api_new(w->db)};
    GThread *threads[THREADS];
    world_add_connection(w);
    g_autofree char *body =
        g_strdup_printf("{\"connectionId\":\"%s\",\"jobType\":\"sync\"}", w->connection_id);
    crowd.body = body;
    for (guint i = 0; i < THREADS; i++)
        threads[i] = g_thread_new("trigger", trigger, &crowd);
    g_atomic_int_set(&crowd.begin, 1);
    for (guint i = 0; i < THREADS; i++)
        g_thread_join(threads[i]);
    g_test_message("%d answers 200, %d answers 409", crowd.by_status[200], crowd.by_status[409]);
    g_assert_cmpint(crowd.by_status[200] + crowd.by_status[409], ==, THREADS);
    g_assert_cmpint(crowd.by_status[200], >=, 1);
    expect(w, "select count(*) from job where scope = '%s'", "1");
    expect(w, "select count(*) from attempt join job using (job_id) where scope = '%s'", "1");
    expect(w, "select count(*) from task join job using (job_id) where scope = '%s'", "1");
    crash_api_free(crowd.api);
}

static GLogWriterOutput
drop(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
    return (level & G_LOG_FLAG_FATAL) != 0 ? g_log_writer_standard_streams(level, fields, n, data)
                                           : G_LOG_WRITER_HANDLED;
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK);
    g_log_set_writer_func(drop, NULL, NULL);
    g_test_add_func("/split-brain/scheduler", test_scheduler);
    g_test_add_func("/split-brain/worker", test_worker);
    g_test_add_func("/split-brain/holder", test_holder);
    g_test_add_func("/split-brain/workload-api", test_workload_api);
    /* threads: nothing forks any more */
    g_test_add_func("/split-brain/fifty", test_fifty);
    return g_test_run();
}
