/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/* The control socket's two ends: the orchestrator's, to which we connect in sluice-init's place and
 * say NOTEs until it is there, and ours, at which the sluice-init in the container arrives. */

/* Connects to the orchestrator; close-on-exec, non-blocking. */
int container_link_dial(const char *path, GError **error);
/* Says what takes so long. FALSE: the peer is gone. */
gboolean container_link_note(int peer, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Why nothing comes of it; the last word. */
void container_link_fail(int peer, const char *text);

/* Listens at `path`, for every user: who connects is checked. */
int container_link_listen(const char *path, GError **error);
/* Waits for process `pid` (0: unknown, then anybody) to connect, until the deadline (monotonic),
 * `cancellable` or the end of `process` (a pidfd, or -1). SL_ERROR_CONNECTOR: it ended first. */
int container_link_accept(int listener, pid_t pid, int process, gint64 deadline,
                          GCancellable *cancellable, GError **error);

/* Carries frames and descriptors between orchestrator and sluice-init until the container's first
 * process has ended, or, where that is not to be seen (`process` -1), until sluice-init hangs up.
 * When one of the two peers is gone or `cancellable` fires, sluice-init is asked to end, and killed
 * after `kill_usec`. */
void container_link_relay(int peer, int init, int process, GCancellable *cancellable,
                          gint64 kill_usec);
