/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "sl-bus.h"
#include "sl-config.h"

/* The skeleton of every daemon. A role's main file is a description and a few functions:
 *
 *     static const SlDaemonInfo info = {.name = "sluice-cron", .summary = N_("…"),
 *                                       .start = cron_start, .stop = cron_stop};
 *     int main(int argc, char **argv) { return sl_daemon_main(&info, argc, argv); }
 *
 * Works under systemd (readiness, STATUS=, watchdog, sockets, credentials) and by hand. Everything
 * below is for the main thread, but sl_daemon_status() and sl_daemon_get_config(). */

typedef struct SlDaemon SlDaemon;

typedef enum {
    SL_DAEMON_DEFAULT = 0,
    /* Exits after SlConfig.server_idle_usec without an SlIdleLocker. For roles that a socket or
     * the bus starts again; never without one of them. */
    SL_DAEMON_IDLE_EXIT = 1 << 0,
    /* One argument must be given, the instance (unit NAME@INSTANCE.service, ExecStart=… %i);
     * ".iINSTANCE" is appended to the bus name. */
    SL_DAEMON_INSTANCE = 1 << 1,
    /* Arguments may be given; the role judges them in start. */
    SL_DAEMON_ARGUMENTS = 1 << 2,
} SlDaemonFlags;

typedef struct {
    const char *name;      /* "sluice-cron": program, log identifier */
    const char *summary;   /* N_(): what --help says */
    const char *arguments; /* N_(): "[DUTY]", behind the options in the usage; NULL: none */
    const char *bus_name;  /* NULL: not on the bus */
    SlDaemonFlags flags;
    const GOptionEntry *options; /* the role's own options, or NULL */

    /* Sets everything up; the daemon is ready (READY=1) when it returns. May wait by
     * sl_daemon_retry(), and may end the daemon at once by sl_daemon_quit(). */
    gboolean (*start)(SlDaemon *daemon, GError **error);

    /* Exports objects; called after start and before the name is taken. NULL: none. */
    gboolean (*export)(SlDaemon *daemon, SlBus *bus, GError **error);

    /* SIGHUP: the configuration was read again and is valid. NULL: nothing but that. */
    void (*reload)(SlDaemon *daemon);

    /* Is the work going on? Asked at half the watchdog interval; FALSE lets systemd restart us.
     * NULL: a turning main loop is enough. */
    gboolean (*healthy)(SlDaemon *daemon);

    /* Begins to stop: take no new work. What is still running holds an SlIdleLocker; stop comes
     * when all are released, or after drain_usec. NULL: nothing to do. */
    void (*drain)(SlDaemon *daemon);
    gint64 drain_usec; /* 0: 10 s */

    /* Tears down; also after a failed start. */
    void (*stop)(SlDaemon *daemon);
} SlDaemonInfo;

/* Runs the daemon; the result is the exit status: 0, 1 failed, 2 wrong usage. */
int sl_daemon_main(const SlDaemonInfo *info, int argc, char **argv);

/* What the role hangs on its daemon. */
void sl_daemon_set_data(SlDaemon *daemon, gpointer data);
gpointer sl_daemon_get_data(const SlDaemon *daemon);

/* A reload replaces the object: hold it only during a call, or copy what must last. */
const SlConfig *sl_daemon_get_config(const SlDaemon *daemon);
const char *sl_daemon_get_instance(const SlDaemon *daemon);
SlBus *sl_daemon_get_bus(const SlDaemon *daemon);                   /* NULL without a bus */
const char *const *sl_daemon_get_arguments(const SlDaemon *daemon); /* non-option arguments */

/* Inside `start` only: another bus name than the description's; NULL: none, not even objects. */
void sl_daemon_set_bus_name(SlDaemon *daemon, const char *name);

/* Cancelled just before `stop`, when draining is over, and by a stop that comes during `start`. */
GCancellable *sl_daemon_get_cancellable(const SlDaemon *daemon);

/* One line for `systemctl status`; goes nowhere without systemd. Any thread. */
void sl_daemon_status(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* Content of $CREDENTIALS_DIRECTORY/NAME (systemd.exec(5)), NULL and SL_ERROR_NOT_FOUND when there
 * is none. Limit 1 MiB. */
GBytes *sl_daemon_credential(const char *name, GError **error);

/* Sockets handed over by systemd, in order, whose FileDescriptorName= is `name` (NULL: all). The
 * descriptors become the caller's (close-on-exec); a second call finds none. */
GArray *sl_daemon_take_sockets(SlDaemon *daemon, const char *name);

/* Only inside `start`: calls `attempt` in a thread until it succeeds, with growing, jittered pauses
 * (0.2 to 10 s) and STATUS="waiting for WHAT: reason". Only errors that sl_error_info_for() calls
 * retryable are retried. SL_ERROR_CANCELLED when the daemon is told to stop meanwhile. */
typedef gboolean (*SlDaemonAttempt)(gpointer data, GCancellable *cancellable, GError **error);
gboolean sl_daemon_retry(SlDaemon *daemon, const char *what, SlDaemonAttempt attempt, gpointer data,
                         GError **error);

/* Stops as SIGTERM does, then exits with `status`. */
void sl_daemon_quit(SlDaemon *daemon, int status);
gboolean sl_daemon_is_stopping(const SlDaemon *daemon);

/* While one of these exists the daemon is not idle, and a stop waits for it (up to drain_usec):
 *     g_autoptr(SlIdleLocker) busy = sl_idle_lock(daemon); */
typedef struct SlIdleLocker SlIdleLocker;
SlIdleLocker *sl_idle_lock(SlDaemon *daemon);
void sl_idle_unlock(SlIdleLocker *locker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlIdleLocker, sl_idle_unlock)
