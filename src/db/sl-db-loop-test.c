/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "sl-db-loop.h"

#include "sl-error.h"
#include "sl-test-db.h"

#define LONG_POLL (600 * (gint64)G_USEC_PER_SEC)

typedef struct {
    SlDb *db;
    SlDbLoop *loop;
    gint turns; /* atomic */
    gint fail;  /* so many turns to come */
    gint64 next_in;
    gboolean busy;
    gboolean late;
} Fixture;

static gboolean
turn(gpointer data, GCancellable *cancellable, gint64 *ret_next, GError **error)
{
    Fixture *f = data;
    g_atomic_int_inc(&f->turns);
    *ret_next = f->next_in > 0 ? g_get_real_time() + f->next_in : 0;
    if (f->fail > 0 && f->fail-- > 0)
        return sl_error_set(error, SL_ERROR_UNAVAILABLE, "as the test wants it");
    return TRUE;
}

static void
busy(gpointer data, gboolean is_busy)
{
    ((Fixture *)data)->busy = is_busy;
}

static gboolean
on_deadline(gpointer data)
{
    ((Fixture *)data)->late = TRUE;
    return G_SOURCE_REMOVE;
}

static void
wait_for(Fixture *f, gint turns)
{
    guint deadline = g_timeout_add_seconds(20, on_deadline, f);
    while ((g_atomic_int_get(&f->turns) < turns || f->busy) && !f->late)
        g_main_context_iteration(NULL, TRUE);
    g_assert_false(f->late);
    g_source_remove(deadline);
}

static void
setup(Fixture *f, gconstpointer data)
{
    static const SlDbLoopFuncs funcs = {turn, busy};
    g_autofree char *conninfo = NULL;
    f->db = sl_test_db_new_empty(&conninfo);
    f->fail = GPOINTER_TO_INT(data);
    f->loop = sl_db_loop_new(conninfo, (const char *[]){"news", NULL}, LONG_POLL, &funcs, f);
    wait_for(f, 2); /* at once, and again when LISTEN stands */
}

static void
teardown(Fixture *f, gconstpointer data)
{
    sl_db_loop_free(f->loop);
    sl_db_unref(f->db);
}

static void
test_notified(Fixture *f, gconstpointer data)
{
    g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
    gint before = g_atomic_int_get(&f->turns);
    g_assert_true(sl_tx_notify(tx, "news", NULL, NULL));
    g_assert_true(sl_tx_commit(tx, NULL));
    wait_for(f, before + 1);
}

static void
test_timed(Fixture *f, gconstpointer data)
{
    gint before = g_atomic_int_get(&f->turns);
    f->next_in = 1000;
    sl_db_loop_wake(f->loop);
    wait_for(f, before + 3);
}

static void
test_paused(Fixture *f, gconstpointer data)
{
    gint before = g_atomic_int_get(&f->turns);
    sl_db_loop_set_paused(f->loop, TRUE);
    sl_db_loop_wake(f->loop);
    g_assert_cmpint(g_atomic_int_get(&f->turns), ==, before);
    g_assert_true(sl_db_loop_is_healthy(f->loop));
    sl_db_loop_set_paused(f->loop, FALSE);
    wait_for(f, before + 1);
}

/* The first turns fail: it goes on by itself. */
static void
test_failing(Fixture *f, gconstpointer data)
{
    wait_for(f, 4);
    g_assert_cmpint(f->fail, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK);
#define ADD(name, fails, func)                                                                     \
    g_test_add("/db/loop/" name, Fixture, GINT_TO_POINTER(fails), setup, func, teardown)
    ADD("notified", 0, test_notified);
    ADD("timed", 0, test_timed);
    ADD("paused", 0, test_paused);
    ADD("failing", 3, test_failing);
    return g_test_run();
}
