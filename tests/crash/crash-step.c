/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "crash-step.h"

#include <glib/gstdio.h>
#include <libpq-fe.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-id.h"
#include "sl-json-read.h"
#include "sl-notice.h"
#include "sl-queue-fixture.h"
#include "sl-queue-workload.h"
#include "sl-queue.h"
#include "sl-sql.h"
#include "sl-test-db.h"
#include "worker-step.h"

#define SEC ((gint64)G_USEC_PER_SEC)
#define PLANE "plane"
#define ROUNDS 60
#define CLAIM_USEC (60 * SEC)

#define CATALOG                                                                                    \
    "{\"streams\":[{\"stream\":{\"name\":\"i\",\"json_schema\":{}},\"sync_mode\":\"incremental\"," \
    "\"destination_sync_mode\":\"append_dedup\",\"primary_key\":[[\"id\"]]},{\"stream\":{"         \
    "\"name\":\"f\",\"json_schema\":{}},"                                                          \
    "\"sync_mode\":\"full_refresh\",\"destination_sync_mode\":\"overwrite\"}]}"

/* --- the world ------------------------------------------------------------------------------- */

World *
world_new(void)
{
    World *w = g_new0(World, 1);
    g_autofree char *server =
        g_strdup_printf("%s/.s.PGSQL.%s", g_getenv("PGHOST"), g_getenv("PGPORT"));
    w->db = queue_fixture_new();
    w->prepared = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    w->database = world_ask(w, "select current_database()");
    w->config = sl_config_new();
    w->shared =
        mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_assert_true(w->shared != MAP_FAILED);
    w->proxy = crash_proxy_new(server);
    g_autofree char *refreshes =
        world_ask(w, "update actor_definition set supports_refreshes = true");
    g_autofree char *told = world_ask(
        w, "update workspace set notifications = (select jsonb_object_agg(t, '{\"webhook\":"
           "{\"enabled\":true,\"url\":\"http://hook/\"}}'::jsonb) from unnest(array['success', "
           "'failure', 'syncDisabled', 'syncDisabledWarning', 'connectionUpdate']) t)");
    scheduler_state_init(&w->scheduler, w->db, w->config);
    return w;
}

void
world_free(World *w)
{
    if (w == NULL)
        return;
    scheduler_state_clear(&w->scheduler);
    crash_proxy_free(w->proxy);
    munmap(w->shared, sizeof(Shared));
    sl_config_free(w->config);
    g_hash_table_unref(w->prepared);
    PQfinish(w->pg);
    sl_db_unref(w->db);
    g_free(w->database);
    g_free(w->connection_id);
    g_free(w);
}

gint64
world_now(const World *w)
{
    return g_get_real_time() + w->shared->ahead;
}

static PGconn *
connect_apart(World *w)
{
    static const SlStatement statement = {"crash_database", "select current_database()", 0, {0}};
    SlBind bind = {0};
    g_autofree char *name = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(w->db, TRUE, NULL);
    g_assert_true(sl_tx_run_text(tx, &statement, &bind, &name, NULL));
    g_autofree char *conninfo = g_strdup_printf("dbname=%s", name);
    return PQconnectdb(conninfo);
}

/* Apart from the pool under test; the same questions come again and again. */
char *
world_ask(World *w, const char *sql)
{
    GString *out = g_string_new(NULL);
    g_auto(GStrv) parts = g_strsplit(sql, "'%s'", -1);
    g_autofree char *text = g_strjoinv("$1::uuid", parts);
    int n = g_strv_length(parts) > 1 ? 1 : 0;
    const char *values[] = {w->connection_id};
    if (w->pg == NULL)
        w->pg = connect_apart(w);
    char *name = g_hash_table_lookup(w->prepared, text);
    if (name == NULL) {
        name = g_strdup_printf("ask%u", g_hash_table_size(w->prepared));
        g_hash_table_insert(w->prepared, g_strdup(text), name);
        PQclear(PQprepare(w->pg, name, text, 0, NULL));
    }
    PGresult *result = PQexecPrepared(w->pg, name, n, values, NULL, NULL, 0);
    if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
        g_test_message("%s: %s", text, PQerrorMessage(w->pg));
    g_assert_true(PQresultStatus(result) == PGRES_TUPLES_OK ||
                  PQresultStatus(result) == PGRES_COMMAND_OK);
    for (int i = 0; i < PQntuples(result); i++)
        g_string_append_printf(out, "%s%s", i > 0 ? ", " : "", PQgetvalue(result, i, 0));
    PQclear(result);
    return g_string_free(out, FALSE);
}

void
world_add_connection(World *w)
{
    g_autofree char *quiet = world_ask(w, "update connection set schedule_type = 'manual', "
                                          "next_run_at = null where schedule_type <> 'manual'");
    g_free(w->connection_id);
    w->connection_id = sl_id_new();
    g_autofree char *done = world_ask(
        w, "insert into connection (connection_id, workspace_id, name, source_id, destination_id, "
           "catalog, created_at, updated_at) values ('%s', '" FIXTURE_WORKSPACE "', 'c', "
           "'" FIXTURE_SOURCE "', '" FIXTURE_DESTINATION "', '" CATALOG "', now(), now())");
    gint64 ahead = w->shared->ahead;
    *w->shared = (Shared){.ahead = ahead};
}

/* Every step begins with what is there: a process that starts anew knows nothing else. */
static void
look(World *w)
{
    g_autofree char *facts = world_ask(
        w,
        "select j.job_id || ' ' || (config_type in ('reset_connection', 'clear'))::text || ' ' || "
        "coalesce(w.workload_id, '') || ' ' || (config_type = 'refresh')::text from job j left "
        "join workload w using (job_id) where j.scope "
        "= '%s' order by j.job_id desc, w.attempt_number desc nulls last limit 1");
    g_auto(GStrv) words = g_strsplit(facts, " ", 4);
    gboolean any = g_strv_length(words) == 4;
    gint64 job_id = any ? g_ascii_strtoll(words[0], NULL, 10) : 0;
    /* One that reads anew begins at nothing. */
    if (any && job_id != w->shared->job_id && strcmp(words[3], "true") == 0)
        w->shared->acked = 0;
    w->shared->job_id = job_id;
    w->shared->clears = any && strcmp(words[1], "true") == 0;
    g_strlcpy(w->shared->workload_id, any ? words[2] : "", sizeof w->shared->workload_id);
    if (w->shared->clears)
        w->shared->acked = 0;
}

/* --- children -------------------------------------------------------------------------------- */

static void
be_child(World *w, Step step, const char *host)
{
    World child = *w;
    g_autofree char *conninfo =
        g_strdup_printf("host=%s dbname=%s application_name=crash-child", host, w->database);
    child.db = sl_db_new(conninfo, 4, 20 * SEC);
    scheduler_state_init(&child.scheduler, child.db, child.config);
    step(&child);
    _exit(0);
}

static pid_t
start_child(World *w, Step step, const char *host)
{
    look(w);
    fflush(NULL);
    pid_t pid = fork();
    g_assert_cmpint(pid, >=, 0);
    if (pid == 0)
        be_child(w, step, host);
    return pid;
}

/* The server rolls back when it notices that its client has gone. */
static void
await_backends(World *w)
{
    for (;;) {
        g_autofree char *n = world_ask(
            w, "select count(*) from pg_stat_activity where application_name = 'crash-child'");
        if (strcmp(n, "0") == 0)
            return;
        g_usleep(500);
    }
}

static void
judge_child(int status, gboolean killed)
{
    if (killed)
        g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    else
        g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* The next scheduler, perhaps a child's, need not wait. */
static void
resign(World *w)
{
    if (w->scheduler.term == 0)
        return;
    scheduler_state_clear(&w->scheduler);
    scheduler_state_init(&w->scheduler, w->db, w->config);
}

void
step_due(World *w)
{
    g_autofree char *done = world_ask(
        w, "update connection set schedule_type = 'basic', basic_interval_sec = 31536000, "
           "schedule_changed = true where connection_id = '%s'");
}

/* The same without the API. */
void
step_create(World *w)
{
    SlJobRequest request = {.config_type = SL_CONFIG_TYPE_SYNC,
                            .scope = w->connection_id,
                            .workspace_id = FIXTURE_WORKSPACE};
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(w->db, FALSE, &error);
    g_autoptr(SlJob) job = NULL;
    g_assert_true(sl_queue_job_create(tx, &request, world_now(w), &job, &error));
    g_assert_true(sl_tx_commit(tx, &error));
}

void
world_do(World *w, Step step)
{
    int status = 0;
    if (crash_is_person(step)) { /* a server has threads: nothing to fork from */
        g_assert_cmpint(waitpid(start_child(w, step, g_getenv("PGHOST")), &status, 0), >, 0);
        judge_child(status, FALSE);
        return;
    }
    look(w);
    step(w);
    resign(w);
}

gboolean
world_crash(World *w, Step step, guint strike, CrashMode mode)
{
    int status = 0;
    pid_t pid = start_child(w, step, crash_proxy_get_folder(w->proxy));
    gboolean struck = crash_proxy_serve(w->proxy, pid, strike, mode, &status);
    judge_child(status, struck && mode == CRASH_KILL);
    await_backends(w);
    if (step == step_schedule) { /* its lease is over sooner than it really would be */
        g_autofree char *done =
            world_ask(w, "update leader set expires_at = now() - interval '1 second'");
    }
    look(w); /* it may have begun a job that empties the streams */
    return struck;
}

gboolean
world_freeze(World *w, Step step, guint strike, pid_t *ret_pid)
{
    int status = 0;
    *ret_pid = start_child(w, step, crash_proxy_get_folder(w->proxy));
    gboolean struck = crash_proxy_serve(w->proxy, *ret_pid, strike, CRASH_FREEZE, &status);
    if (!struck)
        judge_child(status, FALSE);
    return struck;
}

void
world_break(World *w)
{
    g_autofree char *done = world_ask(w, "select pg_terminate_backend(pid) from pg_stat_activity "
                                         "where application_name = 'crash-child'");
    await_backends(w);
}

void
world_thaw(World *w, pid_t pid)
{
    int status = 0;
    crash_proxy_thaw(w->proxy, pid, &status);
    judge_child(status, FALSE);
    await_backends(w);
}

/* --- scheduler and worker -------------------------------------------------------------------- */

/* An error is what a daemon logs before it tries again: the caller comes back. */
void
step_schedule(World *w)
{
    gint64 next;
    g_autoptr(GError) error = NULL;
    scheduler_turn(&w->scheduler, world_now(w), NULL, &next, &error);
}

void
step_work(World *w)
{
    gboolean worked = TRUE;
    g_autoptr(GError) error = NULL;
    while (worked && worker_step_run(w->db, w->config, world_now(w), &worked, &error))
        ;
}

/* --- launcher -------------------------------------------------------------------------------- */

typedef gboolean (*Call)(World *w, SlTx *tx, GError **error);

/* One call of the workload API: one transaction. */
static gboolean
in_tx(World *w, Call call)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(w->db, FALSE, &error);
    return tx != NULL && call(w, tx, &error) && sl_tx_commit(tx, &error);
}

static gboolean
poll_queue(World *w, SlTx *tx, GError **error)
{
    g_autoptr(GPtrArray) found = NULL;
    return sl_queue_workload_poll(tx, "auto", 10, 5 * SEC, world_now(w), &found, error);
}

static char claimed[40];

static gboolean
claim(World *w, SlTx *tx, GError **error)
{
    g_autofree char *token = NULL;
    if (!sl_queue_workload_claim(tx, w->shared->workload_id, PLANE, 60 * SEC, world_now(w), &token,
                                 error))
        return FALSE;
    g_strlcpy(claimed, token != NULL ? token : "", sizeof claimed);
    return token != NULL;
}

static gboolean
launched(World *w, SlTx *tx, GError **error)
{
    return sl_queue_workload_launched(tx, w->shared->workload_id, w->shared->token, world_now(w),
                                      error);
}

static gboolean
give_back(World *w, SlTx *tx, GError **error)
{
    return sl_queue_workload_release(tx, w->shared->workload_id, w->shared->token, world_now(w),
                                     error);
}

void
step_claim(World *w)
{
    if (in_tx(w, poll_queue) && in_tx(w, claim))
        g_strlcpy(w->shared->token, claimed, sizeof w->shared->token);
}

void
step_launch(World *w)
{
    step_claim(w);
    in_tx(w, launched);
}

void
step_release(World *w)
{
    in_tx(w, give_back);
}

/* --- holder ---------------------------------------------------------------------------------- */

static gboolean
running(World *w, SlTx *tx, GError **error)
{
    gboolean cancel;
    return sl_queue_workload_running(tx, w->shared->workload_id, w->shared->token, 60 * SEC,
                                     world_now(w), &cancel, error);
}

/* Where stream 'i' stands in the input; 0: nowhere. */
static gint64
state_of_input(const char *input)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(input, strlen(input), NULL, NULL);
    const SlJsonNode *states = sl_json_get(doc, sl_json_root(doc), "state");
    for (guint i = 0; states != NULL && i < states->count; i++) {
        const SlJsonNode *stream = sl_json_get(doc, sl_json_at(doc, states, i), "stream");
        const SlJsonNode *name = sl_json_get_path(doc, stream, "stream_descriptor", "name", NULL);
        if (!sl_json_string_is(name, "i"))
            continue;
        g_autofree char *text = sl_json_dup_span(sl_json_get(doc, stream, "stream_state"));
        return g_ascii_strtoll(text, NULL, 10);
    }
    return 0;
}

/* Both streams: where 'i' stands, and that 'f' has got somewhere. */
static char *
make_states(gint64 n)
{
    return g_strdup_printf(
        "[{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"i\"},\"stream_state\":"
        "%" G_GINT64_FORMAT "}},{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":"
        "\"f\"},\"stream_state\":{}}}]",
        n);
}

/* What a holder reports, with the next state, and whether the report may be the last. */
static gboolean
report(World *w, SlTx *tx, SlWorkloadStatus status, gboolean progress, GError **error)
{
    g_autofree char *states = progress && !w->shared->clears ? make_states(w->shared->sent) : NULL;
    g_autoptr(SlSyncStats) total = sl_sync_stats_new();
    sl_sync_stats_set_records_committed(total, progress ? 10 : 0);
    SlAttemptStats stats = {.total = total};
    SlWorkloadReport what = {.workload_id = w->shared->workload_id,
                             .token = w->shared->token,
                             .states = states,
                             .stats = &stats,
                             .output =
                                 status == SL_WORKLOAD_STATUS_SUCCESS ? "{\"sync\":{}}" : NULL,
                             .status = status,
                             .source = "source",
                             .reason = "it broke"};
    return status == SL_WORKLOAD_STATUS_RUNNING
               ? sl_queue_workload_commit(tx, &what, world_now(w), error)
               : sl_queue_workload_finish(tx, &what, world_now(w), error);
}

static gboolean
commit_state(World *w, SlTx *tx, GError **error)
{
    return report(w, tx, SL_WORKLOAD_STATUS_RUNNING, TRUE, error);
}

static gboolean
succeed(World *w, SlTx *tx, GError **error)
{
    return report(w, tx, SL_WORKLOAD_STATUS_SUCCESS, TRUE, error);
}

static gboolean
fail(World *w, SlTx *tx, GError **error)
{
    return report(w, tx, SL_WORKLOAD_STATUS_FAILURE, FALSE, error);
}

static gboolean
fail_late(World *w, SlTx *tx, GError **error)
{
    return report(w, tx, SL_WORKLOAD_STATUS_FAILURE, TRUE, error);
}

static gboolean
stop(World *w, SlTx *tx, GError **error)
{
    return report(w, tx, SL_WORKLOAD_STATUS_CANCELLED, TRUE, error);
}

/* A state counts when its answer has come. */
static void
tell(World *w, Call call)
{
    w->shared->sent++;
    if (in_tx(w, call) && !w->shared->clears)
        w->shared->acked = w->shared->sent;
}

void
step_hold(World *w)
{
    if (in_tx(w, running))
        tell(w, commit_state);
}

void
step_finish(World *w)
{
    tell(w, succeed);
}

void
step_fail(World *w)
{
    in_tx(w, fail);
}

void
step_fail_late(World *w)
{
    tell(w, fail_late);
}

void
step_stop(World *w)
{
    tell(w, stop);
}

static gboolean
sweep(World *w, SlTx *tx, GError **error)
{
    guint swept;
    return sl_queue_workload_sweep(tx, w->config->workload_claim_usec, world_now(w), &swept, error);
}

void
step_silence(World *w)
{
    in_tx(w, sweep);
}

/* --- outbox ---------------------------------------------------------------------------------- */

/* A sender: claims, sends (which is to count here), says so; and again until nothing is due. */
void
step_notify(World *w)
{
    for (;;) {
        g_autoptr(SlNotification) row = NULL;
        gint64 now = world_now(w);
        g_autoptr(SlTx) tx = sl_db_begin(w->db, FALSE, NULL);
        if (tx == NULL || !sl_notice_claim(tx, now, now + CLAIM_USEC, &row, NULL) ||
            !sl_tx_commit(tx, NULL) || row == NULL)
            return;
        w->shared->notices_sent++;
        g_autoptr(SlTx) done = sl_db_begin(w->db, FALSE, NULL);
        if (done == NULL || !sl_notice_sent(done, row, "called", now, NULL) ||
            !sl_tx_commit(done, NULL))
            return;
    }
}

/* --- until nothing is left ------------------------------------------------------------------- */

/* A holder begins where the newest committed state is: never earlier than what it was told. */
static void
check_input(World *w)
{
    g_autofree char *input = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(w->db, TRUE, NULL);
    g_assert_true(sl_sql_workload_stored_input(tx, w->shared->workload_id, &input, NULL));
    gint64 n = state_of_input(input);
    if (n < w->shared->acked)
        g_test_message("acked %d, but the input begins at %d: %s", (int)w->shared->acked, (int)n,
                       input);
    g_assert_cmpint(n, >=, w->shared->acked);
    g_assert_cmpint(n, <=, w->shared->sent);
}

/* A launcher that takes what is pending, and a holder that does as it is told. */
static void
run_workload(World *w)
{
    look(w);
    g_autofree char *facts = world_ask(
        w,
        "select w.status from workload w join job j using (job_id) where j.scope = '%s' order by "
        "j.job_id desc, w.attempt_number desc limit 1");
    if (strcmp(facts, "pending") != 0)
        return;
    check_input(w);
    step_launch(w);
    step_hold(w);
    step_finish(w);
}

/* One that runs: its holder hears of a cancel, or has died with the host; then its lease ends. */
static void
end_running(World *w)
{
    look(w);
    g_autofree char *held = world_ask(
        w, "select w.token from workload w join job j using (job_id) where j.scope = '%s' and "
           "w.status in ('claimed', 'launched', 'running')");
    if (*held == '\0')
        return;
    g_autofree char *cancelled = world_ask(
        w,
        "select w.workload_id from workload w join job j using (job_id) where j.scope = '%s' "
        "and w.status in ('claimed', 'launched', 'running') and w.cancel_requested_at is not null");
    g_strlcpy(w->shared->token, held, sizeof w->shared->token);
    if (*cancelled != '\0')
        in_tx(w, stop);
    w->shared->ahead += 120 * SEC;
    step_silence(w);
}

void
world_settle(World *w)
{
    for (guint i = 0; i < ROUNDS; i++) {
        step_schedule(w);
        step_work(w);
        run_workload(w);
        step_work(w);
        end_running(w);
        step_work(w);
        g_autofree char *left =
            world_ask(w, "select count(*) from job where scope = '%s' and finished_at is null and "
                         "config_type <> 'discover_schema'");
        g_autofree char *tasks =
            world_ask(w, "select count(*) from task join job using (job_id) where scope = '%s'");
        if (strcmp(left, "0") == 0 && strcmp(tasks, "0") == 0) {
            w->shared->ahead += CLAIM_USEC; /* what a sender had that has died */
            step_notify(w);
            resign(w);
            return;
        }
        w->shared->ahead += 600 * SEC; /* waits between attempts */
    }
    g_autofree char *left =
        world_ask(w, "select status || ' ' || coalesce(retry_at::text, '-') from job where scope = "
                     "'%s'");
    g_test_message("does not come to rest: %s", left);
    g_test_fail();
}
