/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <poll.h>

#include "sl-http-server.h"

/* For the tests of the server: it lives in the main thread, the client of each test is a thread
 * with blocking sockets. Paths: /gate waits for `gate`; /park?MSEC and /early park; /empty, /error,
 * /large; /stream?N, /sized?N, /wait?MSEC, /flood, /cut are made piece by piece; all else is
 * echoed. */
typedef struct {
    SlHttpServer *server;
    SlHttpLimits limits;
    GSocket *tcp, *local;
    char *folder, *path;
    guint16 port;
    gboolean client_done;

    GMutex mutex;
    GCond cond;
    gboolean gate; /* handlers of /gate wait for it */
    guint runs, waiting;
    guint idle, stopped;
    gboolean cancelled;

    gint namings; /* /wait speaks when it has grown */
    gint makers_freed, pieces;
} Fixture;

typedef void (*Client)(Fixture *fix);

void fixture_start(Fixture *fix);
void fixture_stop(Fixture *fix);
void fixture_on_stopped(SlHttpServer *server, gpointer data); /* counts `stopped` */
void fixture_open_gate(Fixture *fix);
void run_client(Fixture *fix, Client client);
SlHttpCounters counters(Fixture *fix);

/* One server, one client, and in the end nothing open. */
void run_case(const SlHttpLimits *limits, Client client, SlHttpCounters *ret);

/* Runs the main context until `condition`, at most 30 s. */
#define SPIN_UNTIL(condition)                                                                      \
    do {                                                                                           \
        gint64 end_ = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;                                \
        while (!(condition)) {                                                                     \
            g_assert_cmpint(g_get_monotonic_time(), <, end_);                                      \
            if (!g_main_context_iteration(NULL, FALSE))                                            \
                poll(NULL, 0, 1);                                                                  \
        }                                                                                          \
    } while (0)

/* --- the client's side --- */

int tcp_connect(Fixture *fix);
void say(int fd, const char *text);

/* Reads until `count` answers have come or the end; an answer with Content-Length. "RESET" is
 * appended when the connection was reset. */
char *hear(int fd, guint count);
void assert_hears(int fd, guint count, const char *pattern);

/* Reads until `text` has come, which must be before the end. Returns all. */
char *hear_until(int fd, const char *text);

/* Sends `text`, then hears `pattern` and the end of the connection. */
void assert_refused(Fixture *fix, const char *text, const char *pattern);
