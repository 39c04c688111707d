/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Slows guessing. A fixed number of counters, so that no flood of names makes memory grow: names
 * that fall on the same counter share it, and the worst that a counter does is a wait. */

typedef struct ServerThrottle ServerThrottle;

#define SERVER_THROTTLE_FREE 5     /* attempts that cost nothing */
#define SERVER_THROTTLE_MAX_SEC 60 /* longest wait */

ServerThrottle *server_throttle_new(void);
void server_throttle_free(ServerThrottle *throttle);

/* An attempt begins; it counts as failed until it is known better, so that many at once are not
 * free. Seconds to wait, and then it did not begin; 0: go on. `now`: monotonic. From any thread. */
guint server_throttle_begin(ServerThrottle *throttle, const char *name, gint64 now);

/* It succeeded. `forget`: and so everything before it is forgiven. */
void server_throttle_success(ServerThrottle *throttle, const char *name, gboolean forget);
