/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-queue-request.h"

#include <string.h>

#include "sl-error.h"
#include "sl-queue-fixture.h"
#include "sl-queue.h"
#include "sl-sql.h"

typedef struct {
    SlDb *db;
} Fixture;

static void
setup(Fixture *f, gconstpointer data)
{
    f->db = queue_fixture_new();
}

static void
teardown(Fixture *f, gconstpointer data)
{
    sl_db_unref(f->db);
}

/* "a n.b": stream a, and b of namespace n. */
static void
split(const char *text, char ***ret_namespaces, char ***ret_names)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    g_autoptr(GStrvBuilder) namespaces = g_strv_builder_new(), names = g_strv_builder_new();
    for (guint i = 0; words[i] != NULL; i++) {
        char *dot = strchr(words[i], '.');
        if (dot != NULL)
            *dot = '\0';
        g_strv_builder_add(namespaces, dot != NULL ? words[i] : "");
        g_strv_builder_add(names, dot != NULL ? dot + 1 : words[i]);
    }
    *ret_namespaces = g_strv_builder_end(namespaces);
    *ret_names = g_strv_builder_end(names);
}

static void
ask(Fixture *f, SlRequestKind kind, gboolean at_once, const char *streams)
{
    g_auto(GStrv) namespaces = NULL, names = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, &error);
    split(streams, &namespaces, &names);
    sl_queue_request_add(tx, FIXTURE_CONNECTION, kind, at_once, (const char *const *)namespaces,
                         (const char *const *)names, FIXTURE_NOW, &error);
    g_assert_no_error(error);
    g_assert_true(sl_tx_commit(tx, &error));
}

static char *
print(GPtrArray *rows)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < rows->len; i++) {
        const SlStreamRequest *row = rows->pdata[i];
        g_string_append_printf(text, "%s%s%s%s:%s", i > 0 ? " " : "", row->namespace,
                               *row->namespace != '\0' ? "." : "", row->stream,
                               sl_enum_name(&sl_stream_request_kind_enum, (int)row->kind));
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void
assert_waiting(Fixture *f, const char *expected)
{
    g_autoptr(SlTx) tx = sl_db_begin(f->db, TRUE, NULL);
    g_autoptr(GPtrArray) rows = NULL;
    g_assert_true(sl_sql_request_list_waiting(tx, FIXTURE_CONNECTION, &rows, NULL));
    g_autofree char *text = print(rows);
    g_assert_cmpstr(text, ==, expected);
}

static void
assert_taken(Fixture *f, gint64 job_id, const char *expected)
{
    g_autoptr(SlTx) tx = sl_db_begin(f->db, TRUE, NULL);
    g_autoptr(GPtrArray) rows = NULL;
    g_assert_true(sl_sql_request_list(tx, job_id, &rows, NULL));
    g_autofree char *text = print(rows);
    g_assert_cmpstr(text, ==, expected);
}

static void
end_job(Fixture *f, gint64 job_id, SlJobStatus status)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, &error);
    const SlAttemptEnd end = {.job_id = job_id,
                              .attempt_number = 0,
                              .succeeded = status == SL_JOB_STATUS_SUCCEEDED,
                              .job_status = status,
                              .retry_at = FIXTURE_NOW};
    sl_queue_attempt_finish(tx, &end, FIXTURE_NOW, &error);
    g_assert_no_error(error);
    g_assert_true(sl_tx_commit(tx, &error));
}

/* The connection's unfinished job; NULL: there is none. */
static SlJob *
active(Fixture *f)
{
    g_autoptr(SlTx) tx = sl_db_begin(f->db, TRUE, NULL);
    SlJob *job = NULL;
    g_assert_true(sl_sql_job_get_active(tx, FIXTURE_CONNECTION, &job, NULL));
    return job;
}

/* --- waiting requests ------------------------------------------------------------------------ */

static void
test_add(Fixture *f, gconstpointer data)
{
    static const struct {
        SlRequestKind first, second;
        const char *streams, *waiting;
    } cases[] = {
        {SL_REQUEST_MERGE, SL_REQUEST_MERGE, "a", "a:merge"},
        {SL_REQUEST_MERGE, SL_REQUEST_TRUNCATE, "a", "a:truncate"},
        {SL_REQUEST_TRUNCATE, SL_REQUEST_MERGE, "a", "a:truncate"},
        {SL_REQUEST_RESET, SL_REQUEST_CLEAR, "a", "a:clear"},
        {SL_REQUEST_CLEAR, SL_REQUEST_RESET, "a", "a:clear"},
        /* what will be empty need not be read before */
        {SL_REQUEST_TRUNCATE, SL_REQUEST_CLEAR, "a", "a:clear"},
        /* first emptied, then read */
        {SL_REQUEST_CLEAR, SL_REQUEST_MERGE, "a", "a:clear a:merge"},
        /* the same name in two namespaces is two streams; twice the same is one */
        {SL_REQUEST_MERGE, SL_REQUEST_TRUNCATE, "n.a a a", "a:merge a:truncate n.a:truncate"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        queue_fixture_script(f->db, "truncate stream_request");
        g_test_message("case %u", i);
        ask(f, cases[i].first, TRUE, "a");
        ask(f, cases[i].second, sl_request_empties(cases[i].second), cases[i].streams);
        g_autofree char *query = g_strdup_printf("select count(*) from stream_request where "
                                                 "at_once and stream = 'a' and namespace = ''");
        /* in a hurry once is in a hurry */
        g_assert_cmpint(queue_fixture_count(f->db, query), >=, 1);
        if (i < G_N_ELEMENTS(cases) - 1)
            assert_waiting(f, cases[i].waiting);
    }
    assert_waiting(f, "a:truncate n.a:truncate");
}

/* --- the making of jobs ---------------------------------------------------------------------- */

/* A sync takes along what waits: emptying goes first, and alone. */
static void
test_sync_takes(Fixture *f, gconstpointer data)
{
    ask(f, SL_REQUEST_MERGE, FALSE, "a n.b");
    ask(f, SL_REQUEST_RESET, FALSE, "c");
    ask(f, SL_REQUEST_CLEAR, FALSE, "d");
    g_autoptr(SlJob) job = queue_fixture_job(f->db);
    g_assert_cmpint(job->config_type, ==, SL_CONFIG_TYPE_CLEAR);
    assert_taken(f, job->job_id, "c:reset d:clear");
    assert_waiting(f, "a:merge n.b:merge");
    end_job(f, job->job_id, SL_JOB_STATUS_SUCCEEDED);
    g_assert_null(active(f)); /* nobody was in a hurry */
    g_autoptr(SlJob) next = queue_fixture_job(f->db);
    g_assert_cmpint(next->config_type, ==, SL_CONFIG_TYPE_REFRESH);
    assert_taken(f, next->job_id, "a:merge n.b:merge");
    assert_waiting(f, "");
    end_job(f, next->job_id, SL_JOB_STATUS_SUCCEEDED);
    g_autoptr(SlJob) plain = queue_fixture_job(f->db);
    g_assert_cmpint(plain->config_type, ==, SL_CONFIG_TYPE_SYNC);
    assert_taken(f, plain->job_id, "");
}

/* What arrives while a job runs is for the next one, which the end of this one makes: whatever end.
 * A wait for another attempt is no end. */
static void
test_next(Fixture *f, gconstpointer data)
{
    static const SlJobStatus ends[] = {SL_JOB_STATUS_SUCCEEDED, SL_JOB_STATUS_FAILED,
                                       SL_JOB_STATUS_CANCELLED};
    g_autoptr(SlJob) job = queue_fixture_job(f->db);
    for (guint i = 0; i < G_N_ELEMENTS(ends); i++) {
        ask(f, SL_REQUEST_TRUNCATE, TRUE, "a");
        ask(f, SL_REQUEST_CLEAR, TRUE, "b");
        assert_taken(f, job->job_id, "");
        end_job(f, job->job_id, ends[i]);
        g_autoptr(SlJob) clear = active(f);
        g_assert_cmpint(clear->config_type, ==, SL_CONFIG_TYPE_CLEAR);
        assert_taken(f, clear->job_id, "b:clear");
        end_job(f, clear->job_id, SL_JOB_STATUS_FAILED);
        g_autoptr(SlJob) refresh = active(f);
        g_assert_cmpint(refresh->config_type, ==, SL_CONFIG_TYPE_REFRESH);
        assert_taken(f, refresh->job_id, "a:truncate");
        end_job(f, refresh->job_id, SL_JOB_STATUS_SUCCEEDED);
        g_assert_null(active(f));
        sl_job_free(g_steal_pointer(&job));
        job = queue_fixture_job(f->db);
    }
    ask(f, SL_REQUEST_MERGE, TRUE, "a");
    end_job(f, job->job_id, SL_JOB_STATUS_INCOMPLETE);
    g_autoptr(SlJob) same = active(f);
    g_assert_cmpint(same->job_id, ==, job->job_id);
    assert_waiting(f, "a:merge");
}

/* A deleted connection begins nothing any more. */
static void
test_deleted(Fixture *f, gconstpointer data)
{
    g_autoptr(SlJob) job = queue_fixture_job(f->db);
    ask(f, SL_REQUEST_CLEAR, TRUE, "a");
    queue_fixture_script(f->db, "update connection set status = 'deprecated'");
    end_job(f, job->job_id, SL_JOB_STATUS_CANCELLED);
    g_assert_null(active(f));
}

static void
test_start_and_join(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlJob) none = NULL, job = NULL;
    ask(f, SL_REQUEST_MERGE, FALSE, "a");
    {
        g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
        g_assert_true(sl_queue_request_start(tx, FIXTURE_CONNECTION, FIXTURE_WORKSPACE, FIXTURE_NOW,
                                             &none, &error));
        g_assert_null(none); /* that one waits for a sync */
    }
    ask(f, SL_REQUEST_CLEAR, TRUE, "b");
    {
        g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
        g_assert_true(sl_queue_request_start(tx, FIXTURE_CONNECTION, FIXTURE_WORKSPACE, FIXTURE_NOW,
                                             &job, &error));
        g_assert_true(sl_tx_commit(tx, NULL));
    }
    g_assert_cmpint(job->config_type, ==, SL_CONFIG_TYPE_CLEAR);
    ask(f, SL_REQUEST_CLEAR, TRUE, "b c");
    {
        g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
        g_assert_true(sl_queue_request_join(tx, job, &error));
        g_assert_true(sl_tx_commit(tx, NULL));
    }
    assert_taken(f, job->job_id, "b:clear c:clear");
    assert_waiting(f, "a:merge");
}

/* A job that makes way loses nothing of what it was to do, but for what is to be emptied now. */
static void
test_give_back(Fixture *f, gconstpointer data)
{
    ask(f, SL_REQUEST_TRUNCATE, TRUE, "a b c");
    g_autoptr(SlJob) job = queue_fixture_job(f->db);
    g_autoptr(SlJob) held = NULL, cancelled = NULL;
    ask(f, SL_REQUEST_CLEAR, TRUE, "b");
    ask(f, SL_REQUEST_MERGE, TRUE, "c");
    {
        g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
        g_assert_true(sl_queue_job_hold(tx, job->job_id, &held, NULL));
        g_assert_true(sl_sql_request_give_back(tx, job->job_id, FIXTURE_NOW, NULL, NULL));
        g_assert_true(sl_queue_job_cancel(tx, job->job_id, FIXTURE_NOW, &cancelled, NULL));
        g_assert_cmpint(cancelled->status, ==, SL_JOB_STATUS_CANCELLED);
        g_assert_true(sl_tx_commit(tx, NULL));
    }
    g_autoptr(SlJob) clear = active(f);
    assert_taken(f, clear->job_id, "b:clear");
    end_job(f, clear->job_id, SL_JOB_STATUS_SUCCEEDED);
    g_autoptr(SlJob) refresh = active(f);
    assert_taken(f, refresh->job_id, "a:truncate c:truncate");
}

/* --- many at once ---------------------------------------------------------------------------- */

typedef struct {
    Fixture *f;
    int number;
    int made;
} Racer;

static gpointer
race(gpointer data)
{
    Racer *racer = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(racer->f->db, FALSE, &error);
    g_autoptr(SlJob) job = NULL;
    g_autofree char *name = g_strdup_printf("s%d", racer->number);
    const char *const namespaces[] = {"", NULL}, *const names[] = {name, NULL};
    const SlJobRequest request = {.config_type = SL_CONFIG_TYPE_SYNC,
                                  .scope = FIXTURE_CONNECTION,
                                  .workspace_id = FIXTURE_WORKSPACE};
    if (racer->number % 2 == 0) {
        g_assert_true(sl_queue_request_add(tx, FIXTURE_CONNECTION, SL_REQUEST_MERGE, TRUE,
                                           namespaces, names, FIXTURE_NOW, &error));
        g_assert_true(sl_tx_commit(tx, &error));
        return NULL;
    }
    if (sl_queue_job_create(tx, &request, FIXTURE_NOW, &job, &error)) {
        racer->made = 1;
        g_assert_true(sl_tx_commit(tx, NULL));
    } else {
        g_assert_error(error, SL_ERROR, SL_ERROR_CONFLICT);
    }
    return NULL;
}

/* Requests and triggers together: one job, and every request is in it or waits. */
static void
test_race(Fixture *f, gconstpointer data)
{
    Racer racers[16];
    GThread *threads[G_N_ELEMENTS(racers)];
    int made = 0;
    for (guint i = 0; i < G_N_ELEMENTS(racers); i++) {
        racers[i] = (Racer){f, (int)i, 0};
        threads[i] = g_thread_new("race", race, &racers[i]);
    }
    for (guint i = 0; i < G_N_ELEMENTS(racers); i++) {
        g_thread_join(threads[i]);
        made += racers[i].made;
    }
    g_assert_cmpint(made, ==, 1);
    g_assert_cmpint(queue_fixture_count(f->db, "select count(*) from stream_request"), ==,
                    G_N_ELEMENTS(racers) / 2);
    /* a sync has taken nothing, a refresh has */
    g_assert_cmpint(queue_fixture_count(
                        f->db, "select count(*) from job where (config_type = 'refresh') <> exists "
                               "(select from stream_request r where r.job_id = job.job_id)"),
                    ==, 0);
    g_autoptr(SlJob) job = active(f);
    end_job(f, job->job_id, SL_JOB_STATUS_SUCCEEDED);
    assert_waiting(f, "");
}

/* --- states ---------------------------------------------------------------------------------- */

static void
test_forget(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *type, *rows, *streams;
        gboolean all;
        const char *left;
    } cases[] = {
        {"STREAM", "a b n.a", "a", FALSE, "b n.a"},
        {"STREAM", "a b n.a", "a b n.a", TRUE, ""},
        {"STREAM", "a", "n.a", FALSE, "a"},
        /* what streams share stays as long as one of them has a state … */
        {"GLOBAL", " a b", "a", FALSE, " b"},
        {"GLOBAL", " a b", "a b", FALSE, ""},
        /* … and when it is all there is, until all start over */
        {"GLOBAL", "", "a", FALSE, " "},
        {"GLOBAL", "", "a", TRUE, ""},
        {"LEGACY", "", "a", FALSE, " "},
        {"LEGACY", "", "a", TRUE, ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) namespaces = NULL, names = NULL, row_ns = NULL, row_names = NULL;
        g_autoptr(GString) left = g_string_new(NULL);
        g_autoptr(GPtrArray) rows = NULL;
        g_autoptr(GError) error = NULL;
        g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
        split(cases[i].rows, &row_ns, &row_names);
        split(cases[i].streams, &namespaces, &names);
        guint n = g_strv_length(row_names);
        if (n == 0) { /* the shared row alone */
            g_strfreev(row_names);
            g_strfreev(row_ns);
            row_names = g_strsplit("", " ", -1);
            row_ns = NULL;
        }
        const char *one[] = {"", NULL}, *type[8] = {NULL}, *state[8] = {NULL};
        for (guint k = 0; k < MAX(n, 1); k++) {
            type[k] = cases[i].type;
            state[k] = "1";
        }
        g_assert_true(sl_sql_state_save(
            tx, FIXTURE_CONNECTION, type, n > 0 ? (const char *const *)row_ns : one,
            n > 0 ? (const char *const *)row_names : one, state, FIXTURE_NOW, NULL, &error));
        g_assert_true(sl_sql_state_forget(tx, FIXTURE_CONNECTION, (const char *const *)namespaces,
                                          (const char *const *)names, cases[i].all, NULL, &error));
        g_assert_true(sl_sql_state_list(tx, FIXTURE_CONNECTION, &rows, NULL));
        for (guint k = 0; k < rows->len; k++) {
            const SlStateRow *row = rows->pdata[k];
            if (*row->stream == '\0' && rows->len > 1)
                continue; /* shown by the blank in front */
            g_string_append_printf(left, "%s%s%s%s", rows->len > k + 1 || k > 0 ? " " : "",
                                   row->namespace, *row->namespace != '\0' ? "." : "",
                                   *row->stream != '\0' ? row->stream : " ");
        }
        g_strchug(left->str);
        g_test_message("case %u: '%s'", i, left->str);
        g_autofree char *expected = g_strstrip(g_strdup(cases[i].left));
        g_assert_cmpstr(g_strstrip(left->str), ==, expected);
        gboolean shared = strcmp(cases[i].type, "STREAM") != 0 && cases[i].left[0] == ' ';
        gboolean has_shared = FALSE;
        for (guint k = 0; k < rows->len; k++)
            has_shared |= *((const SlStateRow *)rows->pdata[k])->stream == '\0';
        g_assert_cmpint(has_shared, ==, shared);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK); /* milestones of jobs that fail are warnings */
#define ADD(name, func) g_test_add("/queue/request/" name, Fixture, NULL, setup, func, teardown)
    ADD("add", test_add);
    ADD("sync-takes", test_sync_takes);
    ADD("next", test_next);
    ADD("deleted", test_deleted);
    ADD("start-and-join", test_start_and_join);
    ADD("give-back", test_give_back);
    ADD("race", test_race);
    ADD("forget", test_forget);
    return g_test_run();
}
