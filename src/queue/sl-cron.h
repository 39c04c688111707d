/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Cron expressions in the Quartz dialect (not Unix cron), as Airbyte's clients write them:
 *     seconds minutes hours day-of-month month day-of-week [year]
 * with lists, ranges (which may wrap), steps, names, and `L`, `L-n`, `nW`, `LW`, `nL`, `n#k`.
 * Exactly one of day-of-month and day-of-week is `?`. 1 = Sunday. */
typedef struct SlCron SlCron;

/* `zone`: an IANA name; NULL or "": UTC. SL_ERROR_INVALID names the field and the reason. */
SlCron *sl_cron_parse(const char *expression, const char *zone, GError **error);
void sl_cron_free(SlCron *cron);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlCron, sl_cron_free)

/* The first tick after `after` (microseconds; ticks are whole seconds); 0 when there is none any
 * more. Changes of clocks are treated as Quartz 2.3.2 does, which was asked for 720 expressions
 * (tests/quartz): a time that spring skips has no tick that day, and one that autumn repeats has
 * one tick, when it comes again. */
gint64 sl_cron_next(const SlCron *cron, gint64 after);
