/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-db.h"

#include "sl-error.h"
#include "sl-test-db.h"

static const SlStatement one = {"one", "select $1::bigint as version, 'x' as name", 1, {20}};
static const SlStatement nap = {"nap", "select pg_sleep(30)::text", 0, {0}};
static const SlStatement echo = {"echo", "select array_to_json($1)::text", 1, {1009}};
static const SlStatement kill_me = {
    "kill_me", "select pg_terminate_backend(pg_backend_pid())", 0, {0}};

static void
script(SlDb *db, const char *sql, GError **error)
{
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, error);
    if (tx != NULL && sl_tx_run_script(tx, sql, error))
        sl_tx_commit(tx, error);
}

static void
test_commit_and_rollback(void)
{
    g_autoptr(SlDb) db = sl_test_db_new_empty(NULL);
    g_autoptr(GError) error = NULL;
    script(db, "create table t (a int unique check (a > 0))", &error);
    g_assert_no_error(error);
    {
        g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
        sl_tx_run_script(tx, "insert into t values (1)", &error);
    }
    script(db, "insert into t values (1)", &error);
    g_assert_no_error(error); /* the first one was rolled back by its scope */
    script(db, "insert into t values (1)", &error);
    g_assert_error(error, SL_ERROR, SL_ERROR_CONFLICT);
    g_clear_error(&error);
    script(db, "insert into t values (0)", &error);
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    g_clear_error(&error);
    script(db, "select nonsense", &error);
    g_assert_error(error, SL_ERROR, SL_ERROR_DATABASE);
    g_clear_error(&error);

    /* a commit after a failed statement must not look like success */
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, NULL);
    g_assert_false(sl_tx_run_script(tx, "select nonsense", NULL));
    g_assert_false(sl_tx_commit(tx, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_DATABASE);
}

static void
test_values(void)
{
    g_autoptr(SlDb) db = sl_test_db_new_empty(NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(db, TRUE, &error);
    SlBind bind = {0};
    g_autofree char *text = NULL;
    sl_bind_array(&bind, (const char *[]){"a\"b", "c\\d", "", "e,f{}", "null", NULL});
    g_assert_true(sl_tx_run_text(tx, &echo, &bind, &text, &error));
    g_assert_cmpstr(text, ==, "[\"a\\\"b\",\"c\\\\d\",\"\",\"e,f{}\",\"null\"]");
    gint64 number = 0;
    sl_bind_int(&bind, G_MININT64);
    g_assert_true(sl_tx_run_int(tx, &one, &bind, &number, &error));
    g_assert_cmpint(number, ==, G_MININT64);
    g_assert_no_error(error);
}

/* A pool of one: the second caller waits, and gets a clear answer when the wait is in vain. */
static void
test_pool_exhausted(void)
{
    g_autofree char *conninfo = NULL;
    g_autoptr(SlDb) made = sl_test_db_new_empty(&conninfo);
    g_autoptr(SlDb) db = sl_db_new(conninfo, 1, G_USEC_PER_SEC / 10);
    g_autoptr(GError) error = NULL;
    {
        g_autoptr(SlTx) first = sl_db_begin(db, FALSE, &error);
        g_assert_no_error(error);
        g_assert_null(sl_db_begin(db, FALSE, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_BUSY);
        g_clear_error(&error);
    }
    g_autoptr(SlTx) second = sl_db_begin(db, FALSE, &error);
    g_assert_no_error(error);
}

static void
test_timeout_and_lost_connection(void)
{
    g_autofree char *conninfo = NULL;
    g_autoptr(SlDb) made = sl_test_db_new_empty(&conninfo);
    g_autoptr(SlDb) db = sl_db_new(conninfo, 1, G_USEC_PER_SEC / 10);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    SlBind bind = {0};
    {
        g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, NULL);
        g_assert_false(sl_tx_run_text(tx, &nap, &bind, &text, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_TIMED_OUT);
        g_clear_error(&error);
    }
    {
        g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, NULL);
        g_assert_false(sl_tx_run_text(tx, &kill_me, &bind, &text, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_UNAVAILABLE);
        g_clear_error(&error);
    }
    g_assert_true(sl_db_ping(db, &error)); /* the dead one was replaced */
    g_assert_no_error(error);

    g_autoptr(SlDb) nowhere = sl_db_new("host=/nonexistent", 1, G_USEC_PER_SEC);
    g_assert_false(sl_db_ping(nowhere, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_UNAVAILABLE);
    g_assert_nonnull(strstr(error->message, "/nonexistent"));
}

/* A connection that died while it lay in the pool is replaced without the caller noticing. */
static void
test_died_while_idle(void)
{
    g_autofree char *conninfo = NULL;
    g_autoptr(SlDb) other = sl_test_db_new_empty(&conninfo);
    g_autoptr(SlDb) db = sl_db_new(conninfo, 1, G_USEC_PER_SEC);
    g_autoptr(GError) error = NULL;
    g_assert_true(sl_db_ping(db, &error));
    script(other,
           "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
           "where datname = current_database() and pid <> pg_backend_pid()",
           &error);
    g_assert_no_error(error);
    g_assert_true(sl_db_ping(db, &error));
    g_assert_no_error(error);
}

static gint64
ask_pid(SlTx *tx, GError **error)
{
    static const SlStatement pid = {"pid", "select pg_backend_pid()", 0, {0}};
    SlBind bind = {0};
    gint64 ret = 0;
    return sl_tx_run_int(tx, &pid, &bind, &ret, error) ? ret : 0;
}

static void
kill_backend(SlDb *db, gint64 pid)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *sql =
        g_strdup_printf("select pg_terminate_backend(%" G_GINT64_FORMAT ", 5000)", pid);
    script(db, sql, &error);
    g_assert_no_error(error);
}

/* What only reads has nothing to lose: it goes on with a fresh connection. A writer must not. */
static void
test_died_between_statements(void)
{
    g_autofree char *conninfo = NULL;
    g_autoptr(SlDb) other = sl_test_db_new_empty(&conninfo);
    g_autoptr(SlDb) db = sl_db_new(conninfo, 1, G_USEC_PER_SEC);
    g_autoptr(GError) error = NULL;
    {
        g_autoptr(SlTx) tx = sl_db_begin(db, TRUE, NULL);
        gint64 first = ask_pid(tx, &error);
        kill_backend(other, first);
        gint64 second = ask_pid(tx, &error);
        g_assert_no_error(error);
        g_assert_cmpint(second, !=, 0);
        g_assert_cmpint(second, !=, first);
        g_assert_true(sl_tx_commit(tx, &error));
    }
    {
        g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, NULL);
        kill_backend(other, ask_pid(tx, NULL));
        g_assert_cmpint(ask_pid(tx, &error), ==, 0);
        g_assert_error(error, SL_ERROR, SL_ERROR_UNAVAILABLE);
        g_clear_error(&error);
        g_assert_false(sl_tx_commit(tx, &error));
        g_clear_error(&error);
    }
    g_assert_true(sl_db_ping(db, &error));
}

static void
test_readers_cannot_write(void)
{
    static const SlStatement write = {"write", "insert into t values (1)", 0, {0}};
    g_autofree char *conninfo = NULL;
    g_autoptr(SlDb) db = sl_test_db_new_empty(&conninfo);
    g_autoptr(GError) error = NULL;
    SlBind bind = {0};
    script(db, "create table t (a int)", &error);
    g_assert_no_error(error);
    g_autoptr(SlTx) tx = sl_db_begin(db, TRUE, NULL);
    g_assert_false(sl_tx_run_exec(tx, &write, &bind, NULL, &error));
    g_assert_nonnull(strstr(error->message, "read-only"));
    g_clear_error(&error);
    g_assert_cmpint(ask_pid(tx, &error), !=, 0); /* each statement is one of its own */
    g_assert_false(sl_tx_commit(tx, &error));    /* but that one failed is not forgotten */
    g_assert_error(error, SL_ERROR, SL_ERROR_DATABASE);
}

typedef struct {
    SlDb *db;
    guint runs;
} Race;

/* Makes its own transaction lose twice: the row is changed behind its snapshot. */
static gboolean
racing_work(SlTx *tx, gpointer data, GError **error)
{
    Race *race = data;
    if (!sl_tx_run_script(tx, "set transaction isolation level repeatable read; select * from t",
                          error))
        return FALSE;
    if (race->runs++ < 2)
        script(race->db, "update t set a = a + 1", NULL);
    return sl_tx_run_script(tx, "update t set a = a + 100", error);
}

static void
test_retry(void)
{
    g_autoptr(SlDb) db = sl_test_db_new_empty(NULL);
    g_autoptr(GError) error = NULL;
    script(db, "create table t (a int); insert into t values (0)", &error);
    Race race = {db, 0};
    g_assert_true(sl_db_run(db, racing_work, &race, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(race.runs, ==, 3);
    script(db, "select 1 / (a = 102)::int from t", &error);
    g_assert_no_error(error);
}

static void
count_up(gpointer data)
{
    (*(int *)data)++;
}

/* Told after a commit, never after a rollback or a failed commit; freed always. */
static void
test_after_commit(void)
{
    g_autoptr(SlDb) db = sl_test_db_new_empty(NULL);
    int told = 0, freed = 0;
    for (int i = 0; i < 3; i++) {
        g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, NULL);
        sl_tx_after_commit(tx, count_up, &told, NULL);
        sl_tx_after_commit(tx, count_up, &freed, count_up);
        if (i == 1)
            sl_tx_run_script(tx, "select nonsense", NULL);
        if (i > 0)
            sl_tx_commit(tx, NULL);
    }
    g_assert_cmpint(told, ==, 1);
    g_assert_cmpint(freed, ==, 1 + 3);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/db/db/commit-and-rollback", test_commit_and_rollback);
    g_test_add_func("/db/db/values", test_values);
    g_test_add_func("/db/db/pool-exhausted", test_pool_exhausted);
    g_test_add_func("/db/db/timeout-and-lost-connection", test_timeout_and_lost_connection);
    g_test_add_func("/db/db/died-while-idle", test_died_while_idle);
    g_test_add_func("/db/db/died-between-statements", test_died_between_statements);
    g_test_add_func("/db/db/readers-cannot-write", test_readers_cannot_write);
    g_test_add_func("/db/db/retry", test_retry);
    g_test_add_func("/db/db/after-commit", test_after_commit);
    return g_test_run();
}
