/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The control socket and the signals of sluice-init. It has one connector, one socket and one
 * thread, so this is static state and needs no allocation. */

#define LINK_NEVER INT64_MAX

/* Milliseconds of the monotonic clock. */
int64_t link_now(void);

/* Blocks the signals that sluice-init handles and turns them into a descriptor; first of all. */
void link_signals_open(void);
int link_signals_fd(void);

/* Connects, retrying while nobody listens yet, and says HELLO. `idle_ms` is how long it tries, and
 * afterwards how long link_read() waits for the next byte. Gives up by link_fail(). */
void link_open(const char *path, int64_t idle_ms);
int link_fd(void); /* -1 when there is none (any more) */
void link_close(void);

/* Sends one frame, best effort: returns 0, or -1 when the peer has gone or takes nothing. */
int link_send(uint8_t type, const void *payload, uint32_t length);

/* Reads exactly `length` bytes, before START only. `fds` (may be NULL: none are taken) gets up to
 * SL_INIT_MAX_FDS descriptors that came with them, -1 for the others. On hang-up, deadline, SIGTERM
 * or descriptors out of place it gives up by link_fail(). */
void link_read(void *data, size_t length, int *fds);

/* Says why to stderr and to the peer, and ends the program. */
_Noreturn void link_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
