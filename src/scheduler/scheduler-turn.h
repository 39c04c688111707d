/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "sl-config.h"
#include "sl-db.h"

/* What the scheduler does each time it wakes up. Only the leader works: a lease in the database by
 * the database's clock, with a term that every transaction holds on to, so that a scheduler that
 * slept past its lease writes nothing. */
typedef struct {
    SlDb *db; /* borrowed */
    const SlConfig *config;
    char *holder;      /* names this process */
    gint64 term;       /* 0: not the leader */
    guint64 n_created; /* jobs of schedules, since the start */
    guint64 n_retried;
    const char *wake_file; /* made when something waits to be delivered; NULL: nobody to wake */
} SchedulerState;

void scheduler_state_init(SchedulerState *state, SlDb *db, const SlConfig *config);
void scheduler_state_clear(SchedulerState *state); /* gives the lease back */

/* Does all that is due at `now`. *ret_next: when to look again (the lease is renewed in time). */
gboolean scheduler_turn(SchedulerState *state, gint64 now, GCancellable *cancellable,
                        gint64 *ret_next, GError **error);
