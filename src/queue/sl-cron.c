/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-cron.h"

#include <string.h>

#include "sl-error.h"

#define FIRST_YEAR 1970
#define LAST_YEAR 2199 /* nobody plans farther; the search ends there */
#define N_YEARS (LAST_YEAR - FIRST_YEAR + 1)
#define MAX_SPECIAL 8

typedef enum { SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY, YEAR, N_FIELDS } FieldId;

typedef struct {
    const char *name;
    int min, max;
    const char *const *names; /* of min, min + 1, … */
} FieldRule;

static const char *const month_names[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL",
                                          "AUG", "SEP", "OCT", "NOV", "DEC", NULL};
static const char *const weekday_names[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", NULL};

static const FieldRule rules[N_FIELDS] = {
    [SECOND] = {"seconds", 0, 59, NULL},
    [MINUTE] = {"minutes", 0, 59, NULL},
    [HOUR] = {"hours", 0, 23, NULL},
    [DAY] = {"day-of-month", 1, 31, NULL},
    [MONTH] = {"month", 1, 12, month_names},
    [WEEKDAY] = {"day-of-week", 1, 7, weekday_names},
    [YEAR] = {"year", FIRST_YEAR, LAST_YEAR, NULL},
};

/* A day that depends on the month. */
typedef struct {
    enum { LAST_DAY, NEAREST_WEEKDAY, LAST_WEEKDAY_OF, NTH_WEEKDAY } kind;
    int value; /* LAST_DAY: days before it; NEAREST_WEEKDAY: day, 0 = last; others: weekday */
    int nth;   /* NTH_WEEKDAY: 1 to 5 */
} Special;

struct SlCron {
    guint8 set[N_FIELDS][N_YEARS]; /* [field][value - min] */
    gboolean any_day, any_weekday; /* `?` */
    Special special[MAX_SPECIAL];
    guint n_special;
    GTimeZone *zone;
};

/* --- parsing --------------------------------------------------------------------------------- */

static gboolean
bad(FieldId field, const char *text, const char *why, GError **error)
{
    return sl_error_set(error, SL_ERROR_INVALID, "%s field '%s': %s", rules[field].name, text, why);
}

/* A number or a name at *p; -1: neither. */
static int
parse_value(FieldId field, const char **p)
{
    const FieldRule *rule = &rules[field];
    for (int i = 0; rule->names != NULL && rule->names[i] != NULL; i++)
        if (strncmp(*p, rule->names[i], 3) == 0) {
            *p += 3;
            return rule->min + i;
        }
    if (!g_ascii_isdigit(**p))
        return -1;
    char *end;
    guint64 value = g_ascii_strtoull(*p, &end, 10);
    *p = end;
    return (int)MIN(value, (guint64)G_MAXINT);
}

static gboolean
in_range(FieldId field, int value)
{
    return value >= rules[field].min && value <= rules[field].max;
}

static void
fill(SlCron *cron, FieldId field, int from, int to, int step)
{
    int span = rules[field].max - rules[field].min + 1;
    int length = to >= from ? to - from : to + span - from; /* a range may wrap */
    for (int i = 0; i <= length; i += step)
        cron->set[field][(from - rules[field].min + i) % span] = 1;
}

static gboolean
add_special(SlCron *cron, Special special)
{
    if (cron->n_special >= MAX_SPECIAL)
        return FALSE;
    cron->special[cron->n_special++] = special;
    return TRUE;
}

/* L, L-n, LW, nW of the day of month. *ret_done: it was one of them. */
static gboolean
parse_day_special(SlCron *cron, const char *item, gboolean *ret_done, GError **error)
{
    const char *p = item;
    *ret_done = TRUE;
    if (strcmp(item, "L") == 0)
        return add_special(cron, (Special){LAST_DAY, 0, 0});
    if (strcmp(item, "LW") == 0)
        return add_special(cron, (Special){NEAREST_WEEKDAY, 0, 0});
    if (g_str_has_prefix(item, "L-")) {
        p += 2;
        int before = parse_value(DAY, &p);
        if (before < 0 || before > 30 || *p != '\0')
            return bad(DAY, item, "expected L-n with n from 0 to 30", error);
        return add_special(cron, (Special){LAST_DAY, before, 0});
    }
    int day = parse_value(DAY, &p);
    if (day >= 0 && strcmp(p, "W") == 0) {
        if (!in_range(DAY, day))
            return bad(DAY, item, "expected 1W to 31W", error);
        return add_special(cron, (Special){NEAREST_WEEKDAY, day, 0});
    }
    *ret_done = FALSE;
    return TRUE;
}

/* L, nL, n#k of the day of week. */
static gboolean
parse_weekday_special(SlCron *cron, const char *item, gboolean *ret_done, GError **error)
{
    const char *p = item;
    *ret_done = TRUE;
    if (strcmp(item, "L") == 0) {
        fill(cron, WEEKDAY, 7, 7, 1);
        return TRUE;
    }
    int weekday = parse_value(WEEKDAY, &p);
    if (weekday >= 0 && (strcmp(p, "L") == 0 || *p == '#')) {
        int nth = *p == '#' && g_ascii_isdigit(p[1]) && p[2] == '\0' ? p[1] - '0' : 0;
        if (!in_range(WEEKDAY, weekday) || (*p == '#' && (nth < 1 || nth > 5)))
            return bad(WEEKDAY, item, "expected weekday 1 to 7, and after '#' 1 to 5", error);
        return add_special(cron, *p == '#' ? (Special){NTH_WEEKDAY, weekday, nth}
                                           : (Special){LAST_WEEKDAY_OF, weekday, 0});
    }
    *ret_done = FALSE;
    return TRUE;
}

/* One element of a list: *, a, a-b, each with /step. */
static gboolean
parse_item(SlCron *cron, FieldId field, const char *item, GError **error)
{
    const FieldRule *rule = &rules[field];
    const char *p = item;
    int from = rule->min, to = rule->max, step = 1;
    gboolean single = FALSE;
    if (*p == '*') {
        p++;
    } else if (*p != '/') {
        from = to = parse_value(field, &p);
        single = TRUE;
        if (from < 0)
            return bad(field, item, "expected a number or a name", error);
        if (*p == '-') {
            p++;
            to = parse_value(field, &p);
            single = FALSE;
        }
    }
    if (!in_range(field, from) || !in_range(field, to))
        return bad(field, item, "out of range", error);
    if (field == YEAR && to < from)
        return bad(field, item, "a range of years cannot wrap", error);
    if (*p == '/') {
        p++;
        step = parse_value(field, &p);
        if (step < 1 || step > rule->max)
            return bad(field, item, "the step is out of range", error);
        if (single)
            to = rule->max;
    }
    if (*p != '\0')
        return bad(field, item, "unexpected text", error);
    fill(cron, field, from, to, step);
    return TRUE;
}

static gboolean
parse_field(SlCron *cron, FieldId field, const char *text, GError **error)
{
    if (strcmp(text, "?") == 0) {
        if (field != DAY && field != WEEKDAY)
            return bad(field, text, "'?' belongs to day-of-month or day-of-week", error);
        *(field == DAY ? &cron->any_day : &cron->any_weekday) = TRUE;
        return TRUE;
    }
    g_auto(GStrv) items = g_strsplit(text, ",", -1);
    for (guint i = 0; items[i] != NULL; i++) {
        gboolean done = FALSE;
        if (field == DAY && !parse_day_special(cron, items[i], &done, error))
            return FALSE;
        if (field == WEEKDAY && !parse_weekday_special(cron, items[i], &done, error))
            return FALSE;
        if (done && items[1] != NULL)
            return bad(field, text, "'L', 'W' and '#' cannot stand in a list", error);
        if (!done && !parse_item(cron, field, items[i], error))
            return FALSE;
    }
    return TRUE;
}

static GTimeZone *
parse_zone(const char *name, GError **error)
{
    if (name == NULL || *name == '\0' || g_ascii_strcasecmp(name, "UTC") == 0)
        return g_time_zone_new_utc();
    GTimeZone *zone =
        g_ascii_strncasecmp(name, "etc", 3) == 0 ? NULL : g_time_zone_new_identifier(name);
    if (zone == NULL)
        sl_error_set(error, SL_ERROR_INVALID,
                     "'%s' is not a time zone; write for example 'UTC' "
                     "or 'Europe/Berlin'",
                     name);
    return zone;
}

SlCron *
sl_cron_parse(const char *expression, const char *zone, GError **error)
{
    g_autoptr(SlCron) cron = g_new0(SlCron, 1);
    g_autofree char *upper = g_ascii_strup(expression != NULL ? expression : "", -1);
    g_auto(GStrv) words = g_strsplit_set(g_strstrip(upper), " \t", -1);
    FieldId field = 0;
    for (guint i = 0; words[i] != NULL && field < N_FIELDS; i++)
        if (*words[i] != '\0' && !parse_field(cron, field++, words[i], error))
            return NULL;
    if (field < YEAR) {
        sl_error_set(error, SL_ERROR_INVALID,
                     "a cron expression has 6 or 7 fields (seconds minutes hours day-of-month "
                     "month day-of-week [year]), this one has %d",
                     (int)field);
        return NULL;
    }
    if (field == YEAR)
        fill(cron, YEAR, FIRST_YEAR, LAST_YEAR, 1);
    if (cron->any_day == cron->any_weekday) {
        sl_error_set(error, SL_ERROR_INVALID,
                     "exactly one of day-of-month and day-of-week must be '?'");
        return NULL;
    }
    cron->zone = parse_zone(zone, error);
    return cron->zone != NULL ? g_steal_pointer(&cron) : NULL;
}

void
sl_cron_free(SlCron *cron)
{
    if (cron == NULL)
        return;
    g_clear_pointer(&cron->zone, g_time_zone_unref);
    g_free(cron);
}

/* --- searching ------------------------------------------------------------------------------- */

static int
weekday_of(int year, int month, int day)
{
    g_autoptr(GDate) date = g_date_new_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year);
    return (int)g_date_get_weekday(date) % 7 + 1; /* GLib: Monday = 1; here Sunday = 1 */
}

/* The weekday nearest to a day, never in another month. */
static int
nearest_weekday(int year, int month, int day, int last)
{
    day = MIN(day, last);
    int weekday = weekday_of(year, month, day);
    if (weekday == 7)
        return day > 1 ? day - 1 : day + 2;
    if (weekday == 1)
        return day < last ? day + 1 : day - 2;
    return day;
}

static gboolean
special_matches(const Special *special, int year, int month, int day, int last)
{
    switch (special->kind) {
    case LAST_DAY:
        return day == last - special->value;
    case NEAREST_WEEKDAY:
        if (special->value > last)
            return FALSE; /* 31W in a month of 30 days */
        return day ==
               nearest_weekday(year, month, special->value > 0 ? special->value : last, last);
    case LAST_WEEKDAY_OF:
        return day > last - 7 && weekday_of(year, month, day) == special->value;
    case NTH_WEEKDAY:
        return (day - 1) / 7 + 1 == special->nth && weekday_of(year, month, day) == special->value;
    }
    return FALSE;
}

static gboolean
day_matches(const SlCron *cron, int year, int month, int day, int last)
{
    for (guint i = 0; i < cron->n_special; i++)
        if (special_matches(&cron->special[i], year, month, day, last))
            return TRUE;
    if (!cron->any_day)
        return cron->set[DAY][day - 1];
    return cron->set[WEEKDAY][weekday_of(year, month, day) - 1];
}

/* The first second of the day, from `from` on, that matches; -1: none. */
static int
next_second(const SlCron *cron, int from)
{
    for (int hour = from / 3600; hour < 24; hour++) {
        if (!cron->set[HOUR][hour])
            continue;
        int begin = MAX(from, hour * 3600);
        for (int minute = begin / 60 % 60; minute < 60; minute++) {
            if (!cron->set[MINUTE][minute])
                continue;
            int start = hour * 3600 + minute * 60;
            for (int second = MAX(begin - start, 0); second < 60; second++)
                if (cron->set[SECOND][second])
                    return start + second;
        }
    }
    return -1;
}

/* Of a time that the clock shows twice the second instant, as Quartz takes it. GLib takes the one
 * in standard time, which in Dublin and Casablanca is the first: there winter or Ramadan is the
 * exception. */
static gint64
later_instant(GDateTime *when)
{
    gint64 at = g_date_time_to_unix(when);
    g_autoptr(GDateTime) soon = g_date_time_add_hours(when, 2);
    GTimeSpan back =
        soon != NULL ? g_date_time_get_utc_offset(when) - g_date_time_get_utc_offset(soon) : 0;
    g_autoptr(GDateTime) again = back > 0 ? g_date_time_add(when, back) : NULL;
    gboolean twice =
        again != NULL && g_date_time_get_utc_offset(again) == g_date_time_get_utc_offset(soon);
    return twice ? at + back / G_TIME_SPAN_SECOND : at;
}

/* 0: the clock never shows that time on that day (spring). */
static gint64
instant_of(const SlCron *cron, int year, int month, int day, int second)
{
    g_autoptr(GDateTime) when =
        g_date_time_new(cron->zone, year, month, day, second / 3600, second / 60 % 60, second % 60);
    if (when == NULL || g_date_time_get_hour(when) != second / 3600 ||
        g_date_time_get_minute(when) != second / 60 % 60)
        return 0;
    return later_instant(when) * G_USEC_PER_SEC;
}

/* The first tick of a day that lies after `after`, from `second` on; 0: none. */
static gint64
tick_of_day(const SlCron *cron, int year, int month, int day, int second, gint64 after)
{
    while ((second = next_second(cron, second)) >= 0) {
        gint64 tick = instant_of(cron, year, month, day, second);
        if (tick > after)
            return tick;
        if (++second >= 86400)
            break;
    }
    return 0;
}

gint64
sl_cron_next(const SlCron *cron, gint64 after)
{
    gint64 start = after / G_USEC_PER_SEC + 1;
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(start);
    g_autoptr(GDateTime) local = utc != NULL ? g_date_time_to_timezone(utc, cron->zone) : NULL;
    if (local == NULL)
        return 0;
    int year = g_date_time_get_year(local), month = g_date_time_get_month(local);
    int day = g_date_time_get_day_of_month(local);
    int second = g_date_time_get_hour(local) * 3600 + g_date_time_get_minute(local) * 60 +
                 g_date_time_get_second(local);
    for (; year <= LAST_YEAR; year++, month = 1, day = 1, second = 0) {
        if (year < FIRST_YEAR || !cron->set[YEAR][year - FIRST_YEAR])
            continue;
        for (; month <= 12; month++, day = 1, second = 0) {
            int last = g_date_get_days_in_month((GDateMonth)month, (GDateYear)year);
            if (!cron->set[MONTH][month - 1])
                continue;
            for (; day <= last; day++, second = 0) {
                gint64 tick = day_matches(cron, year, month, day, last)
                                  ? tick_of_day(cron, year, month, day, second, after)
                                  : 0;
                if (tick > 0)
                    return tick;
            }
        }
    }
    return 0;
}
