/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* Dates and times as the channel has them, and as JSON records have them: ISO 8601, the date with
 * four digits of year, seconds always there, a fraction of up to nine digits. */

typedef struct {
    gint64 days;               /* since 1970-01-01 */
    guint64 nanos;             /* of the day */
    gint32 offset;             /* seconds east of UTC */
    gboolean date, time, zone; /* what was there */
} SlStamp;

#define SL_NANOS_OF_SECOND G_GUINT64_CONSTANT(1000000000)
#define SL_NANOS_OF_DAY (86400 * SL_NANOS_OF_SECOND)
/* Of both signs: about a million years, so that no arithmetic overflows. */
#define SL_STAMP_MAX_DAYS G_GINT64_CONSTANT(365000000)
#define SL_STAMP_MAX_OFFSET (18 * 3600)

/* "YYYY-MM-DD", "HH:MM:SS[.f]", or both with 'T' or a space, the time also with Z or ±HH:MM. FALSE:
 * it is written in another way, or there is no such moment (leap seconds are none). */
gboolean sl_stamp_parse(SlSpan text, SlStamp *ret);

#define SL_STAMP_TEXT 64
/* The parts that are set; returns the end. At most SL_STAMP_TEXT bytes, without a NUL. */
char *sl_stamp_put(const SlStamp *stamp, char *p);
