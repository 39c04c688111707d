/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-records.h"

/* When a connection runs next: a pure function. 0: never by itself (manual, inactive, a cron
 * expression whose last tick is over).
 *
 * basic: the interval after the last run, whoever started it; overdue means at once, and one run
 * catches up for all that were missed. cron: the first tick after both now and 60 s behind the
 * last run (two runs never serve one tick); ticks missed meanwhile are not made up.
 * SL_ERROR_INVALID for an expression that cannot be read. */
gboolean scheduler_next_run(const SlConnection *connection, gint64 now, gint64 *ret_next,
                            GError **error);
