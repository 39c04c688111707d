/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "sl-frame-time.h"

#define DAYS_OF_ERA 146097     /* 400 years */
#define TO_MARCH_YEAR_0 719468 /* days from 0000-03-01 to 1970-01-01 */

/* Years that begin in March have their odd day at their end. */
static gint64
days_of(gint64 year, guint month, guint day)
{
    year -= month <= 2;
    gint64 era = (year >= 0 ? year : year - 399) / 400;
    guint of_era = (guint)(year - era * 400);
    guint of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * DAYS_OF_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - TO_MARCH_YEAR_0;
}

static void
date_of(gint64 days, gint64 *ret_year, guint *ret_month, guint *ret_day)
{
    days += TO_MARCH_YEAR_0;
    gint64 era = (days >= 0 ? days : days - (DAYS_OF_ERA - 1)) / DAYS_OF_ERA;
    guint in_era = (guint)(days - era * DAYS_OF_ERA);
    guint of_era = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    guint of_year = in_era - (365 * of_era + of_era / 4 - of_era / 100);
    guint shifted = (5 * of_year + 2) / 153;
    *ret_day = of_year - (153 * shifted + 2) / 5 + 1;
    *ret_month = shifted < 10 ? shifted + 3 : shifted - 9;
    *ret_year = (gint64)of_era + era * 400 + (*ret_month <= 2);
}

/* Exactly n digits at *p. */
static gboolean
take_digits(const char **p, const char *end, guint n, guint *ret)
{
    guint value = 0;
    if ((gsize)(end - *p) < n)
        return FALSE;
    for (guint i = 0; i < n; i++) {
        guint digit = (guint)(guint8)(*p)[i] - '0';
        if (digit > 9)
            return FALSE;
        value = value * 10 + digit;
    }
    *p += n;
    *ret = value;
    return TRUE;
}

static gboolean
take(const char **p, const char *end, char c)
{
    if (*p == end || **p != c)
        return FALSE;
    (*p)++;
    return TRUE;
}

static gboolean
take_date(const char **p, const char *end, SlStamp *ret)
{
    static const guint8 lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    guint year, month, day;
    if (!take_digits(p, end, 4, &year) || !take(p, end, '-') || !take_digits(p, end, 2, &month) ||
        !take(p, end, '-') || !take_digits(p, end, 2, &day) || year == 0 || month - 1 > 11 ||
        day == 0 || day > lengths[month - 1])
        return FALSE;
    if (month == 2 && day == 29 && (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0)))
        return FALSE;
    ret->days = days_of(year, month, day);
    ret->date = TRUE;
    return TRUE;
}

static gboolean
take_time(const char **p, const char *end, SlStamp *ret)
{
    guint hour, minute, second, nanos = 0, digits = 0;
    if (!take_digits(p, end, 2, &hour) || !take(p, end, ':') || !take_digits(p, end, 2, &minute) ||
        !take(p, end, ':') || !take_digits(p, end, 2, &second) || hour > 23 || minute > 59 ||
        second > 59)
        return FALSE;
    if (take(p, end, '.')) {
        guint digit;
        for (; take_digits(p, end, 1, &digit); digits++) {
            if (digits == 9)
                return FALSE;
            nanos = nanos * 10 + digit;
        }
        if (digits == 0)
            return FALSE;
        for (; digits < 9; digits++)
            nanos *= 10;
    }
    ret->nanos = (hour * 3600 + minute * 60 + second) * SL_NANOS_OF_SECOND + nanos;
    ret->time = TRUE;
    return TRUE;
}

static gboolean
take_zone(const char **p, const char *end, SlStamp *ret)
{
    guint hour, minute;
    if (*p == end)
        return TRUE;
    ret->zone = TRUE;
    if (take(p, end, 'Z') || take(p, end, 'z'))
        return TRUE;
    gboolean west = **p == '-';
    if ((!west && **p != '+') || !((*p)++, take_digits(p, end, 2, &hour)))
        return FALSE;
    take(p, end, ':');
    if (!take_digits(p, end, 2, &minute) || minute > 59 || hour > 18)
        return FALSE;
    gint32 offset = (gint32)(hour * 3600 + minute * 60);
    ret->offset = west ? -offset : offset;
    return offset <= SL_STAMP_MAX_OFFSET;
}

gboolean
sl_stamp_parse(SlSpan text, SlStamp *ret)
{
    const char *p = text.p, *end = text.p + text.n;
    *ret = (SlStamp){0};
    if (text.n < 8)
        return FALSE;
    if (text.p[4] == '-') {
        if (!take_date(&p, end, ret))
            return FALSE;
        if (p == end)
            return TRUE;
        if (!take(&p, end, 'T') && !take(&p, end, ' ') && !take(&p, end, 't'))
            return FALSE;
    }
    return take_time(&p, end, ret) && take_zone(&p, end, ret) && p == end;
}

/* --- writing ------------------------------------------------------------------------------- */

static char *
put_digits(char *p, guint64 value, guint n)
{
    for (guint i = n; i > 0; i--) {
        p[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    return p + n;
}

static char *
put_date(gint64 days, char *p)
{
    gint64 year;
    guint month, day, digits = 4;
    date_of(days, &year, &month, &day);
    guint64 size = (guint64)(year < 0 ? -year : year);
    if (year < 0)
        *p++ = '-';
    for (guint64 limit = 10000; size >= limit; limit *= 10)
        digits++;
    p = put_digits(p, size, digits);
    *p++ = '-';
    p = put_digits(p, month, 2);
    *p++ = '-';
    return put_digits(p, day, 2);
}

static char *
put_time(guint64 nanos, char *p)
{
    guint64 seconds = nanos / SL_NANOS_OF_SECOND, fraction = nanos % SL_NANOS_OF_SECOND;
    p = put_digits(p, seconds / 3600, 2);
    *p++ = ':';
    p = put_digits(p, seconds / 60 % 60, 2);
    *p++ = ':';
    p = put_digits(p, seconds % 60, 2);
    if (fraction == 0)
        return p;
    *p++ = '.';
    p = put_digits(p, fraction, 9);
    while (p[-1] == '0')
        p--;
    return p;
}

static char *
put_zone(gint32 offset, char *p)
{
    if (offset == 0) {
        *p++ = 'Z';
        return p;
    }
    guint size = (guint)(offset < 0 ? -offset : offset);
    *p++ = offset < 0 ? '-' : '+';
    p = put_digits(p, size / 3600, 2);
    *p++ = ':';
    p = put_digits(p, size / 60 % 60, 2);
    if (size % 60 == 0)
        return p;
    *p++ = ':';
    return put_digits(p, size % 60, 2);
}

char *
sl_stamp_put(const SlStamp *stamp, char *p)
{
    if (stamp->date)
        p = put_date(stamp->days, p);
    if (stamp->date && stamp->time)
        *p++ = 'T';
    if (stamp->time)
        p = put_time(stamp->nanos, p);
    return stamp->zone ? put_zone(stamp->offset, p) : p;
}
