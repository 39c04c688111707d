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
 * more. A tick inside a spring gap happens when the clock has jumped; one in an autumn overlap
 * happens once, in standard time (as java.util.Calendar reads it, and with it Quartz). */
gint64 sl_cron_next(const SlCron *cron, gint64 after);
