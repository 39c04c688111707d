/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "sl-db-listen.h"

#include "sl-log.h"
#include "sl-test-db.h"

typedef struct {
    guint looks; /* calls with NULL: look now */
    guint notifications;
    char *payload;
} Seen;

static void
on_notify(const char *channel, const char *payload, gpointer data)
{
    Seen *seen = data;
    if (channel == NULL) {
        seen->looks++;
        return;
    }
    g_assert_cmpstr(channel, ==, "news");
    g_free(seen->payload);
    seen->payload = g_strdup(payload);
    seen->notifications++;
}

static gboolean
on_deadline(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

static void
wait_until(const guint *value, guint wanted)
{
    gboolean late = FALSE;
    guint deadline = g_timeout_add_seconds(20, on_deadline, &late);
    while (*value < wanted && !late)
        g_main_context_iteration(NULL, TRUE);
    g_assert_false(late);
    g_source_remove(deadline);
}

static void
notify(SlDb *db, const char *payload)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
    g_assert_no_error(error);
    g_assert_true(sl_tx_notify(tx, "news", payload, &error));
    g_assert_true(sl_tx_commit(tx, &error));
}

/* Heard; then the connection is cut by the server: it comes back, says "look", and hears again. */
static void
test_listen_and_reconnect(void)
{
    sl_log_init("sl-db-listen-test");
    g_autofree char *conninfo = NULL;
    g_autoptr(SlDb) db = sl_test_db_new_empty(&conninfo);
    Seen seen = {0};
    g_autoptr(SlDbListener) listener = sl_db_listener_new(
        conninfo, (const char *[]){"news", "other \"quoted\"", NULL}, on_notify, &seen);
    wait_until(&seen.looks, 1);
    g_assert_true(sl_db_listener_is_connected(listener));
    notify(db, "first");
    wait_until(&seen.notifications, 1);
    g_assert_cmpstr(seen.payload, ==, "first");

    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, NULL);
    g_assert_true(sl_tx_run_script(tx,
                                   "select pg_terminate_backend(pid) from pg_stat_activity "
                                   "where query like 'listen %'",
                                   NULL));
    wait_until(&seen.looks, 2);
    notify(db, "second");
    wait_until(&seen.notifications, 2);
    g_assert_cmpstr(seen.payload, ==, "second");
    g_free(seen.payload);
}

/* Freed while it still connects to nowhere: no callback, no crash. */
static void
test_free_while_connecting(void)
{
    Seen seen = {0};
    sl_db_listener_free(
        sl_db_listener_new("host=/nonexistent", (const char *[]){"news", NULL}, on_notify, &seen));
    gboolean over = FALSE;
    g_timeout_add(50, on_deadline, &over);
    while (!over)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpuint(seen.looks, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/db/listen/listen-and-reconnect", test_listen_and_reconnect);
    g_test_add_func("/db/listen/free-while-connecting", test_free_while_connecting);
    return g_test_run();
}
