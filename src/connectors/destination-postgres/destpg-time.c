/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "destpg-time.h"

#include <string.h>

#define USEC_PER_SEC G_GINT64_CONSTANT(1000000)
#define USEC_PER_DAY (86400 * USEC_PER_SEC)
#define EPOCH_DAYS 10957 /* from 1970-01-01 to 2000-01-01 */

/* PostgreSQL's bounds (datatype-datetime): 4714-11-24 BC; the end of 5874897; the end of 294276. */
#define MIN_DAYS (-2451545)
#define MAX_DAYS 2145031948
#define MIN_TIMESTAMP ((gint64)MIN_DAYS * USEC_PER_DAY)
#define END_TIMESTAMP G_GINT64_CONSTANT(9223371331200000000)
#define MAX_ZONE (15 * 3600 + 59 * 60 + 59) /* of timetz */

typedef struct {
    const char *p, *end;
} Cursor;

static gboolean
take(Cursor *c, char wanted)
{
    if (c->p == c->end || *c->p != wanted)
        return FALSE;
    c->p++;
    return TRUE;
}

static gboolean
take_word(Cursor *c, const char *word)
{
    gsize n = strlen(word);
    if ((gsize)(c->end - c->p) < n || g_ascii_strncasecmp(c->p, word, n) != 0)
        return FALSE;
    c->p += n;
    return TRUE;
}

/* Between `min` and `max` digits; the number of digits, 0 when there are too few. */
static guint
take_number(Cursor *c, guint min, guint max, gint64 *ret)
{
    guint n = 0;
    gint64 value = 0;
    while (n < max && c->p + n < c->end && g_ascii_isdigit(c->p[n]))
        value = value * 10 + (c->p[n++] - '0');
    if (n < min)
        return 0;
    c->p += n;
    *ret = value;
    return n;
}

static void
skip_spaces(Cursor *c)
{
    while (c->p < c->end && *c->p == ' ')
        c->p++;
}

static void
skip_separator(Cursor *c)
{
    if (c->p < c->end && strchr("-/. ", *c->p) != NULL)
        c->p++;
}

static gboolean
take_month(Cursor *c, gint64 *ret)
{
    static const char *const names[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                        "jul", "aug", "sep", "oct", "nov", "dec"};
    if (take_number(c, 1, 2, ret) > 0)
        return TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        if (take_word(c, names[i])) {
            *ret = i + 1;
            return TRUE;
        }
    }
    return FALSE;
}

static guint
days_of_month(gint64 year, gint64 month)
{
    static const guint8 days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    gboolean leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

/* Proleptic Gregorian days since 2000-01-01. Years are counted from March, so that the leap day is
 * the last of its year. */
static gint64
days_of(gint64 year, gint64 month, gint64 day)
{
    gint64 y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;
    gint64 century_block = (y >= 0 ? y : y - 399) / 400, in_block = y - century_block * 400;
    gint64 of_block = in_block * 365 + in_block / 4 - in_block / 100 + (m * 153 + 2) / 5 + day - 1;
    return century_block * 146097 + of_block - 730425;
}

typedef struct {
    gint64 year, month, day;
} Date;

static gboolean
take_date(Cursor *c, Date *date)
{
    gboolean negative = take(c, '-');
    gboolean sign = negative || take(c, '+');
    Cursor before = *c;
    guint n = take_number(c, 4, 9, &date->year);
    if (n == 0)
        return FALSE;
    if (n > 6 || (n > 4 && !sign && c->p < c->end && strchr("-/. ", *c->p) == NULL)) {
        /* YYYYMMDD, nothing between */
        *c = before;
        take_number(c, 4, 4, &date->year);
    }
    if (negative)
        date->year = -date->year;
    skip_separator(c);
    if (!take_month(c, &date->month))
        return FALSE;
    skip_separator(c);
    return take_number(c, 1, 2, &date->day) > 0 && date->month >= 1 && date->month <= 12 &&
           date->day >= 1;
}

/* .123456789: microseconds, rounded. */
static gboolean
take_fraction(Cursor *c, gint64 *ret_usec)
{
    gint64 usec = 0;
    guint n = 0;
    for (; c->p < c->end && g_ascii_isdigit(*c->p); c->p++, n++) {
        if (n < 6)
            usec = usec * 10 + (*c->p - '0');
        else if (n == 6 && *c->p >= '5')
            usec++;
    }
    for (guint i = n; i < 6; i++)
        usec *= 10;
    *ret_usec = usec;
    return n > 0;
}

static gboolean
take_time(Cursor *c, gint64 *ret_usec)
{
    gint64 hour, minute, second = 0, usec = 0;
    if (take_number(c, 1, 2, &hour) == 0 || !take(c, ':') || take_number(c, 2, 2, &minute) == 0)
        return FALSE;
    if (take(c, ':')) {
        if (take_number(c, 2, 2, &second) == 0)
            return FALSE;
        if ((take(c, '.') || take(c, ',')) && !take_fraction(c, &usec))
            return FALSE;
    }
    /* A leap second runs into the next minute, as in PostgreSQL. */
    if (hour > 23 || minute > 59 || second > 60)
        return FALSE;
    *ret_usec = (hour * 3600 + minute * 60 + second) * USEC_PER_SEC + usec;
    return TRUE;
}

/* FALSE: something stands there that is no zone. */
static gboolean
take_zone(Cursor *c, DestpgStamp *stamp)
{
    skip_spaces(c);
    gboolean named = take_word(c, "UTC") || take_word(c, "GMT") || take_word(c, "Z");
    stamp->zone = named;
    if (c->p == c->end || (*c->p != '+' && *c->p != '-'))
        return TRUE;
    gboolean west = *c->p++ == '-';
    gint64 hour, minute = 0, second = 0;
    if (take_number(c, 1, 2, &hour) == 0)
        return FALSE;
    gboolean colon = take(c, ':');
    if (take_number(c, 2, 2, &minute) == 0 && colon)
        return FALSE;
    if (take(c, ':') && take_number(c, 2, 2, &second) == 0)
        return FALSE;
    if (hour > 18 || minute > 59 || second > 59)
        return FALSE;
    stamp->offset = (west ? -1 : 1) * (gint32)(hour * 3600 + minute * 60 + second);
    stamp->zone = TRUE;
    return TRUE;
}

static void
take_era(Cursor *c, Date *date)
{
    skip_spaces(c);
    if (take_word(c, "BC"))
        date->year = 1 - date->year;
    else
        take_word(c, "AD");
    skip_spaces(c);
}

static gboolean
has_time_only(Cursor c)
{
    gint64 hour;
    return take_number(&c, 1, 2, &hour) > 0 && take(&c, ':');
}

gboolean
destpg_time_parse(const char *p, gsize n, DestpgStamp *ret)
{
    Cursor c = {p, p + n};
    Date date = {0};
    *ret = (DestpgStamp){0};
    skip_spaces(&c);
    while (c.end > c.p && c.end[-1] == ' ')
        c.end--;
    ret->date = !has_time_only(c);
    if (ret->date && !take_date(&c, &date))
        return FALSE;
    if (ret->date)
        take_era(&c, &date);
    if (take(&c, 'T') || take(&c, 't') || (c.p < c.end && g_ascii_isdigit(*c.p))) {
        /* After a date and spaces, or alone. */
        ret->time = take_time(&c, &ret->usec);
        if (!ret->time || !take_zone(&c, ret))
            return FALSE;
        take_era(&c, &date);
    }
    if (c.p != c.end)
        return FALSE;
    if (!ret->date)
        return ret->time;
    if (date.day > days_of_month(date.year, date.month))
        return FALSE;
    ret->days = days_of(date.year, date.month, date.day);
    return TRUE;
}

DestpgResult
destpg_time_to_date(const DestpgStamp *stamp, gint32 *ret)
{
    if (!stamp->date)
        return DESTPG_BAD;
    if (stamp->days < MIN_DAYS || stamp->days > MAX_DAYS)
        return DESTPG_RANGE;
    *ret = stamp->days;
    return DESTPG_OK;
}

static DestpgResult
to_timestamp(const DestpgStamp *stamp, gint64 offset, gint64 *ret)
{
    if (!stamp->date)
        return DESTPG_BAD;
    /* Days first: the product must not overflow. */
    if (stamp->days < MIN_DAYS - 1 || stamp->days > END_TIMESTAMP / USEC_PER_DAY)
        return DESTPG_RANGE;
    gint64 seconds_of_day = stamp->usec / USEC_PER_SEC - offset;
    gint64 usec = stamp->days * USEC_PER_DAY;
    gint64 add = seconds_of_day * USEC_PER_SEC + stamp->usec % USEC_PER_SEC;
    if (add > 0 && usec > G_MAXINT64 - add)
        return DESTPG_RANGE;
    usec += add;
    if (usec < MIN_TIMESTAMP || usec >= END_TIMESTAMP)
        return DESTPG_RANGE;
    *ret = usec;
    return DESTPG_OK;
}

DestpgResult
destpg_time_to_timestamptz(const DestpgStamp *stamp, gint64 *ret)
{
    return to_timestamp(stamp, stamp->offset, ret);
}

DestpgResult
destpg_time_to_timestamp(const DestpgStamp *stamp, gint64 *ret)
{
    return to_timestamp(stamp, 0, ret);
}

DestpgResult
destpg_time_to_time(const DestpgStamp *stamp, gint64 *ret)
{
    if (!stamp->time)
        return DESTPG_BAD;
    *ret = MIN(stamp->usec, USEC_PER_DAY); /* 23:59:60 is 24:00, the type's last value */
    return DESTPG_OK;
}

DestpgResult
destpg_time_to_timetz(const DestpgStamp *stamp, gint64 *ret, gint32 *ret_zone)
{
    if (ABS(stamp->offset) > MAX_ZONE)
        return DESTPG_RANGE;
    *ret_zone = -stamp->offset;
    return destpg_time_to_time(stamp, ret);
}

gint64
destpg_time_of_epoch_ms(gint64 ms)
{
    const gint64 shift = (gint64)EPOCH_DAYS * USEC_PER_DAY;
    gint64 low = (MIN_TIMESTAMP + shift) / 1000, high = (END_TIMESTAMP - 1) / 1000;
    return CLAMP(ms, low, high) * 1000 - shift;
}
