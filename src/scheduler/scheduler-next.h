/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-records.h"

/* How schedules are read: sluice.conf. */
typedef struct {
    gboolean catch_up; /* one run makes up for those that were missed */
    gboolean jitter;
} SchedulerRules;

/* When a connection runs next: a pure function. 0: never by itself (manual, inactive, a cron
 * expression whose last tick is over).
 *
 * basic: the interval after the last run, whoever started it. cron: the first tick 60 s behind the
 * last run (two runs never serve one tick) and behind the last edit. What is overdue runs at once,
 * or without catch_up at the next time of its grid. SL_ERROR_INVALID for an expression that cannot
 * be read. */
gboolean scheduler_next_run(const SlConnection *connection, const SchedulerRules *rules, gint64 now,
                            gint64 *ret_next, GError **error);

/* Is a run that was due at `due` a missed one, to be left out? */
gboolean scheduler_is_missed(const SchedulerRules *rules, gint64 due, gint64 now);
