/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "destpg-number.h"

/* Dates and times as sources write them → PostgreSQL's binary values. Pure.
 *
 * Read: [+-]YYYY[-/. ]MM[-/. ]DD (MM may be an English month, separators may be missing), then 'T'
 * or spaces and HH:MM[:SS[.fraction]], then Z, UTC, GMT or ±HH[[:]MM[:SS]], then "BC" or "AD". */

typedef struct {
    gint64 days;               /* since 2000-01-01, as in PostgreSQL */
    gint64 usec;               /* of the day */
    gint32 offset;             /* seconds east of UTC; 0 when there is none */
    gboolean date, time, zone; /* which parts were there */
} DestpgStamp;

gboolean destpg_time_parse(const char *p, gsize n, DestpgStamp *ret);

/* What each type makes of a stamp. */
DestpgResult destpg_time_to_date(const DestpgStamp *stamp, gint32 *ret);
DestpgResult destpg_time_to_timestamptz(const DestpgStamp *stamp, gint64 *ret);
DestpgResult destpg_time_to_timestamp(const DestpgStamp *stamp, gint64 *ret); /* wall time */
DestpgResult destpg_time_to_time(const DestpgStamp *stamp, gint64 *ret);
/* ret_zone: seconds WEST of UTC, as timetz stores it */
DestpgResult destpg_time_to_timetz(const DestpgStamp *stamp, gint64 *ret, gint32 *ret_zone);

/* Milliseconds since 1970 → timestamptz. */
gint64 destpg_time_of_epoch_ms(gint64 ms);
