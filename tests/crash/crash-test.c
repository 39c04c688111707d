/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "crash-step.h"

/* Whoever works is killed after each of its statements, in the middle of each way through a job's
 * life. Afterwards everything starts again and comes to rest, and nothing is lost or done twice. */

#define MAX_STEPS 12

typedef struct {
    const char *name;
    guint quiet; /* so many steps happen without a crash: others crash them */
    Step steps[MAX_STEPS];
    const char *outcome; /* status of jobs at rest, oldest first */
    const char *more;    /* something else that must be true */
} Scenario;

#define RUN step_create, step_work, step_launch, step_hold
#define AGAIN                                                                                      \
    "exists (select from attempt join job using (job_id) where scope = '%s' and attempt_number = " \
    "1)"
#define NO_STATE "not exists (select from state where connection_id = '%s')"
#define GONE                                                                                       \
    "(select status = 'deprecated' and next_run_at is null from connection where connection_id = " \
    "'%s')"
#define IDLE "(select status = 'inactive' from connection where connection_id = '%s')"
#define EDITED "(select name = 'edited' from connection where connection_id = '%s')"
#define REFRESHED                                                                                  \
    "(select status = 'succeeded' and config_type = 'refresh' from job where scope = '%s' order "  \
    "by job_id desc limit 1)"
#define NEW_GENERATION                                                                             \
    "(select count(*) = 1 from stream_generation where connection_id = '%s' and stream = 'i')"
/* 'f' was emptied, where 'i' stands stays */
#define KEPT                                                                                       \
    "(select status = 'succeeded' and config_type in ('clear', 'reset_connection') from job "      \
    "where "                                                                                       \
    "scope = '%s' order by job_id desc limit 1) and exists (select from state where "              \
    "connection_id = '%s' and stream = 'i')"
#define NO_WORKLOAD "not exists (select from workload join job using (job_id) where scope = '%s')"

static const Scenario scenarios[] = {
    {"sync",
     0,
     {step_trigger, step_work, step_launch, step_hold, step_finish, step_work},
     "succeeded"},
    {"schedule", 1, {step_due, step_schedule, step_work}, "succeeded"},
    {"retry",
     4,
     {RUN, step_fail, step_work, step_schedule, step_work, step_launch, step_finish},
     "succeeded",
     AGAIN},
    {"retry-with-progress",
     4,
     {RUN, step_fail_late, step_work, step_schedule, step_work},
     "succeeded",
     AGAIN},
    {"silence", 4, {RUN, step_silence, step_work, step_schedule}, "succeeded", AGAIN},
    {"release", 2, {step_create, step_work, step_claim, step_release, step_launch}, "succeeded"},
    {"clear",
     0,
     {step_clear, step_work, step_launch, step_finish, step_work},
     "succeeded",
     NO_STATE},
    /* a cancel at every place where a job can be */
    {"cancel-new", 1, {step_create, step_cancel}, "cancelled", NO_WORKLOAD},
    {"cancel-queued", 2, {step_create, step_work, step_cancel}, "cancelled"},
    {"cancel-claimed", 3, {step_create, step_work, step_claim, step_cancel}, "cancelled"},
    {"cancel-launched",
     3,
     {step_create, step_work, step_launch, step_cancel, step_stop, step_work},
     "cancelled"},
    {"cancel-running", 4, {RUN, step_cancel, step_stop, step_work}, "cancelled"},
    {"cancel-ending", 5, {RUN, step_fail, step_cancel, step_work}, "cancelled"},
    {"cancel-waiting", 6, {RUN, step_fail, step_work, step_cancel}, "cancelled"},
    {"cancel-retry", 7, {RUN, step_fail, step_work, step_schedule, step_cancel}, "cancelled"},
    {"delete-new", 1, {step_create, step_delete}, "cancelled", GONE},
    {"delete-running", 4, {RUN, step_delete, step_stop, step_work}, "cancelled", GONE},
    {"delete-waiting", 6, {RUN, step_fail, step_work, step_delete}, "cancelled", GONE},
    {"disable-running", 4, {RUN, step_disable, step_finish, step_work}, "succeeded", IDLE},
    /* to disable keeps schedules from running; the job at hand comes to its end, retries too */
    {"disable-waiting",
     6,
     {RUN, step_fail, step_work, step_disable, step_schedule},
     "succeeded",
     IDLE " and " AGAIN},
    {"edit-running", 4, {RUN, step_edit, step_finish, step_work}, "succeeded", EDITED},
    /* what a run is told about, and whoever tells dies */
    {"notify",
     5,
     {RUN, step_finish, step_work, step_notify},
     "succeeded",
     "(select count(*) = 1 from notification where connection_id = '%s' and tries between 1 and "
     "2)"},
    /* requests for single streams; they wait for a job that runs, which is stopped for them */
    {"refresh",
     0,
     {step_refresh, step_work, step_launch, step_hold, step_finish, step_work},
     "succeeded",
     REFRESHED " and " NEW_GENERATION},
    {"refresh-running", 4, {RUN, step_refresh, step_stop, step_work}, NULL, REFRESHED},
    {"refresh-waiting", 6, {RUN, step_fail, step_work, step_refresh_all}, NULL, REFRESHED},
    {"refresh-cancelled",
     7,
     {RUN, step_finish, step_work, step_refresh, step_cancel, step_work},
     "succeeded cancelled"},
    {"refresh-deleted", 5, {RUN, step_refresh, step_delete, step_stop}, NULL, GONE},
    {"clear-stream",
     6,
     {RUN, step_finish, step_work, step_clear_stream, step_work},
     "succeeded succeeded",
     KEPT},
    {"clear-running", 4, {RUN, step_clear, step_stop, step_work}, NULL},
};

/* What is never true, whoever died where; "%s" is the connection. */
static const struct {
    const char *what, *sql;
} never[] = {
    {"two active jobs",
     "select 1 from job where scope = '%s' and finished_at is null and config_type <> "
     "'discover_schema' having count(*) > 1"},
    {"a job that nobody brings on",
     "select job_id from job j where scope = '%s' and finished_at is null and retry_at is null and "
     "not exists (select from task t where t.job_id = j.job_id) and not exists (select from "
     "workload w where w.job_id = j.job_id and w.finished_at is null)"},
    {"a workload without end of a job that has ended",
     "select workload_id from workload w join job j using (job_id) where j.scope = '%s' and "
     "j.finished_at is not null and w.finished_at is null"},
    {"an attempt without end of a job that has ended",
     "select job_id from attempt a join job j using (job_id) where j.scope = '%s' and "
     "j.finished_at is not null and a.ended_at is null"},
    {"a queued workload that is not pending, or a pending one that is not queued",
     "select workload_id from workload w join job j using (job_id) left join workload_queue q "
     "using "
     "(workload_id) where j.scope = '%s' and (w.status = 'pending') <> (q.workload_id is not "
     "null)"},
    {"a held workload without lease, or a lease of one that is not held",
     "select workload_id from workload w join job j using (job_id) left join workload_lease l "
     "using "
     "(workload_id) where j.scope = '%s' and (w.status in ('claimed', 'launched', 'running')) <> "
     "(l.workload_id is not null)"},
    {"a held workload without a task and without an end, whose attempt has ended",
     "select workload_id from workload w join attempt a using (job_id, attempt_number) join job j "
     "using (job_id) where j.scope = '%s' and a.ended_at is not null and w.finished_at is null"},
    {"a generation that goes back",
     "select later.generation_id from stream_generation later join stream_generation g using "
     "(connection_id, namespace, stream) where connection_id = '%s' and (later.job_id, "
     "later.attempt_number) > (g.job_id, g.attempt_number) and later.generation_id <= "
     "g.generation_id"},
    {"a generation that was left out",
     "select stream from stream_generation where connection_id = '%s' group by stream having "
     "max(generation_id) <> count(*)"},
    {"attempts with a gap",
     "select job_id from attempt join job using (job_id) where scope = '%s' group by job_id having "
     "max(attempt_number) + 1 <> count(*)"},
    {"retries counted twice",
     "select j.job_id from job j where scope = '%s' and complete_total + partial_total > (select "
     "count(*) from attempt a where a.job_id = j.job_id and a.status = 'failed')"},
    {"a request that two jobs have",
     "select stream from stream_request where connection_id = '%s' and job_id is not null group by "
     "job_id, namespace, stream having count(*) > 1"},
    {"a job for requests that has none",
     "select job_id from job j where scope = '%s' and config_type in ('refresh', 'clear') and not "
     "exists (select from stream_request r where r.job_id = j.job_id)"},
    {"a notice twice",
     "select trigger from notification where connection_id = '%s' group by trigger, channel, "
     "target, job_id having count(*) > 1"},
    {"a notice of what has not ended",
     "select n.trigger from notification n join job j using (job_id) where n.connection_id = '%s' "
     "and j.finished_at is null"},
    {"an event twice",
     "select event_type from connection_event where connection_id = '%s' and job_id is not null "
     "group by event_type, job_id having count(*) > 1"},
    {"states of two kinds",
     "select 1 from state where connection_id = '%s' having count(distinct type) > 1"},
};

static const struct {
    const char *what, *sql;
} never_at_rest[] = {
    {"a task", "select task_id from task join job using (job_id) where scope = '%s'"},
    {"a lease",
     "select workload_id from workload_lease join workload using (workload_id) join job using "
     "(job_id) where scope = '%s'"},
    {"a queued workload",
     "select workload_id from workload_queue join workload using (workload_id) join job using "
     "(job_id) where scope = '%s'"},
    {"a request that waits for nobody",
     "select request_id from stream_request where connection_id = '%s' and job_id is null"},
    {"an end that nobody was told",
     "select j.job_id from job j where scope = '%s' and config_type = 'sync' and status in "
     "('succeeded', 'failed') and not exists (select from notification n where n.job_id = "
     "j.job_id)"},
    {"a notice that was not sent",
     "select trigger from notification where connection_id = '%s' and sent_at is null"},
    {"an end that the timeline does not have",
     "select j.job_id from job j where scope = '%s' and config_type in ('sync', 'refresh', "
     "'clear', 'reset_connection') and finished_at is not null and not exists (select from "
     "connection_event e where e.job_id = j.job_id and e.event_type not like '%\\_STARTED')"},
    {"a successful job whose last attempt failed",
     "select j.job_id from job j join attempt a using (job_id) where scope = '%s' and j.status = "
     "'succeeded' and a.status <> 'succeeded' and a.attempt_number = (select max(attempt_number) "
     "from attempt b where b.job_id = j.job_id)"},
};

typedef struct {
    World *world;
    const Scenario *scenario;
    const char *mode;
    guint step, strike;
} Point;

static World *the_world; /* one database for all: each point has a connection of its own */
static guint n_points;

static void
expect_empty(const Point *p, const char *what, const char *sql)
{
    g_autofree char *rows = world_ask(p->world, sql);
    if (*rows == '\0')
        return;
    g_test_message("%s, %s at statement %u of step %u: %s: %s", p->scenario->name, p->mode,
                   p->strike, p->step, what, rows);
    g_test_fail();
}

static void
check_state(const Point *p)
{
    const Shared *shared = p->world->shared;
    g_autofree char *text = world_ask(
        p->world,
        "select coalesce(max(state::bigint), 0) from state where connection_id = '%s' and "
        "stream = 'i'");
    gint64 n = g_ascii_strtoll(text, NULL, 10);
    if (n >= shared->acked && n <= shared->sent)
        return;
    g_test_message("%s, %s at statement %u of step %u: state %d, acked %d, sent %d",
                   p->scenario->name, p->mode, p->strike, p->step, (int)n, (int)shared->acked,
                   (int)shared->sent);
    g_test_fail();
}

static void
check(const Point *p)
{
    for (guint i = 0; i < G_N_ELEMENTS(never); i++)
        expect_empty(p, never[i].what, never[i].sql);
    check_state(p);
}

static void
check_at_rest(const Point *p)
{
    const Scenario *s = p->scenario;
    check(p);
    for (guint i = 0; i < G_N_ELEMENTS(never_at_rest); i++)
        expect_empty(p, never_at_rest[i].what, never_at_rest[i].sql);
    if (s->outcome != NULL) {
        g_autofree char *sql = g_strdup_printf(
            "select string_agg(status, ' ' order by job_id) from job where scope = '%%s' having "
            "string_agg(status, ' ' order by job_id) <> '%s'",
            s->outcome);
        expect_empty(p, "another outcome", sql);
    }
    if (s->more != NULL) {
        g_autofree char *sql = g_strdup_printf("select 'no' where not (%s)", s->more);
        expect_empty(p, s->more, sql);
    }
}

/* FALSE: the step has no such statement. */
static gboolean
crash_at(Point *p, CrashMode mode)
{
    World *w = p->world;
    const Scenario *s = p->scenario;
    world_add_connection(w);
    for (guint i = 0; i < p->step; i++)
        world_do(w, s->steps[i]);
    gboolean struck = world_crash(w, s->steps[p->step], p->strike, mode);
    check(p);
    if (struck && crash_is_person(s->steps[p->step]))
        world_do(w, s->steps[p->step]);
    world_settle(w);
    check_at_rest(p);
    return struck;
}

/* Sanitizers look at the code between the statements, and are slow: some statements are enough. */
static guint
stride(void)
{
    return g_getenv("SL_TEST_SANITIZED") != NULL ? 6 : 1;
}

static void
crash_all(World *w, const Scenario *s, CrashMode mode)
{
    Point p = {.world = w, .scenario = s, .mode = mode == CRASH_KILL ? "killed" : "cut"};
    for (p.step = s->quiet; p.step < MAX_STEPS && s->steps[p.step] != NULL; p.step++)
        for (p.strike = 1; crash_at(&p, mode); p.strike += stride())
            n_points++;
}

static void
test_scenario(gconstpointer data)
{
    const Scenario *s = data;
    guint before = n_points;
    gint64 began = g_get_monotonic_time();
    if (the_world == NULL)
        the_world = world_new();
    crash_all(the_world, s, CRASH_KILL);
    guint killed = n_points - before;
    crash_all(the_world, s, CRASH_CUT);
    g_test_message("%s: %u crash points, %u cut connections, %.1f s", s->name, killed,
                   n_points - before - killed,
                   (double)(g_get_monotonic_time() - began) / G_USEC_PER_SEC);
    g_assert_cmpuint(killed, >, 3 / stride());
}

static void
test_number(void)
{
    g_test_message("%u crash points in %u scenarios", n_points, (guint)G_N_ELEMENTS(scenarios));
}

/* What daemons log about all this is none of our output. */
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
    for (guint i = 0; i < G_N_ELEMENTS(scenarios); i++) {
        g_autofree char *path = g_strdup_printf("/crash/%s", scenarios[i].name);
        g_test_add_data_func(path, &scenarios[i], test_scenario);
    }
    g_test_add_func("/crash/number", test_number);
    int status = g_test_run();
    world_free(the_world);
    return status;
}
