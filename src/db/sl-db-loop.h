/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/* The loop of a role that works from the database: one turn at a time, in a thread, woken by
 * NOTIFY, by the time that the turn before named, or by a slow poll. A wake-up during a turn means
 * one more turn afterwards. A failed turn is logged and tried again with growing waits. */
typedef struct {
    /* Does all that is due. *ret_next: wall-clock time when more is due; 0: nothing known. Runs in
     * a thread; must look at `cancellable` between pieces of work. */
    gboolean (*turn)(gpointer data, GCancellable *cancellable, gint64 *ret_next, GError **error);

    /* In the main thread, around each turn; NULL: nobody cares. */
    void (*busy)(gpointer data, gboolean busy);
} SlDbLoopFuncs;

typedef struct SlDbLoop SlDbLoop;

SlDbLoop *sl_db_loop_new(const char *conninfo, const char *const *channels, gint64 poll_usec,
                         const SlDbLoopFuncs *funcs, gpointer data);
void sl_db_loop_wake(SlDbLoop *loop);

/* Paused, no turn begins; one that runs is asked to end after its piece of work. */
void sl_db_loop_set_paused(SlDbLoop *loop, gboolean paused);

/* No turn for 3 polls and 30 s although it is not paused: something hangs (for the watchdog). */
gboolean sl_db_loop_is_healthy(const SlDbLoop *loop);

/* Must not be called while a turn runs: pause, and wait until it is not busy. */
void sl_db_loop_free(SlDbLoop *loop);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlDbLoop, sl_db_loop_free)
