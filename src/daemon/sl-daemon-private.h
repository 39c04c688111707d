/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-daemon.h"

/* Private to this folder: what the halves of the skeleton (life, idle, environment) share. */

typedef enum { SL_DAEMON_STARTING, SL_DAEMON_RUNNING, SL_DAEMON_STOPPING } SlDaemonPhase;

struct SlDaemon {
    const SlDaemonInfo *info;
    gpointer data;
    SlConfig *config;
    char *config_path;
    char **arguments;
    char *bus_name; /* NULL: none */
    SlBus *bus;
    gboolean no_bus;
    GArray *sockets;     /* int, -1 when taken */
    char **socket_names; /* as long as `sockets` */
    GPtrArray *sources;  /* GSource: signals and the watchdog, in the default context */
    GCancellable *cancellable;
    GMainLoop *loop;
    SlDaemonPhase phase;
    int status;

    GMutex idle_lock; /* lockers come and go in any thread */
    guint n_lockers;
    gint64 idle_since; /* monotonic, while n_lockers is 0 */
    guint idle_timer;
    guint drain_timer;
};

/* Begins to stop; harmless when stopping already. */
void sl_daemon_begin_stop(SlDaemon *daemon);

void sl_daemon_take_environment(SlDaemon *daemon);

void sl_idle_start(SlDaemon *daemon); /* arms the idle exit, if the role has one */
void sl_idle_drain(SlDaemon *daemon); /* quits the loop when nobody holds a locker, or in the end */
void sl_idle_stop(SlDaemon *daemon);
