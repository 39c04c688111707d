/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-when.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-args.h"
#include "sl-time.h"

/* The beginning of the day that is so many days from now. */
static gboolean
day_of(gint64 now, GTimeZone *zone, int days, gint64 *ret)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(now / G_USEC_PER_SEC);
    g_autoptr(GDateTime) here = utc != NULL ? g_date_time_to_timezone(utc, zone) : NULL;
    g_autoptr(GDateTime) then = here != NULL ? g_date_time_add_days(here, days) : NULL;
    g_autoptr(GDateTime) midnight =
        then != NULL
            ? g_date_time_new(zone, g_date_time_get_year(then), g_date_time_get_month(then),
                              g_date_time_get_day_of_month(then), 0, 0, 0)
            : NULL;
    if (midnight != NULL)
        *ret = g_date_time_to_unix(midnight) * G_USEC_PER_SEC;
    return midnight != NULL;
}

static gboolean
parse_word(const char *text, gint64 now, GTimeZone *zone, gint64 *ret)
{
    static const struct {
        const char *word;
        int days;
    } words[] = {{"today", 0}, {"yesterday", -1}, {"tomorrow", 1}};
    for (guint i = 0; i < G_N_ELEMENTS(words); i++)
        if (strcmp(text, words[i].word) == 0)
            return day_of(now, zone, words[i].days, ret);
    *ret = now;
    return strcmp(text, "now") == 0;
}

/* "-2h", "+2h", "2h ago" */
static gboolean
parse_relative(const char *text, gint64 now, gint64 *ret)
{
    gint64 span = 0;
    gboolean ago = g_str_has_suffix(text, " ago"), sign = *text == '-' || *text == '+';
    if (ago == sign)
        return FALSE;
    g_autofree char *part =
        ago ? g_strndup(text, strlen(text) - strlen(" ago")) : g_strdup(text + 1);
    if (!sl_time_parse_span(part, &span, NULL))
        return FALSE;
    *ret = *text == '+' ? now + span : now - span;
    return TRUE;
}

/* "@SECONDS", also with a fraction */
static gboolean
parse_epoch(const char *text, gint64 *ret)
{
    char *end = NULL;
    double seconds = *text == '@' ? g_ascii_strtod(text + 1, &end) : 0;
    if (end == NULL || end == text + 1 || *end != '\0' || !(seconds >= 0 && seconds < 1e11))
        return FALSE;
    *ret = (gint64)(seconds * G_USEC_PER_SEC);
    return TRUE;
}

/* A number of exactly `digits` digits; *text goes behind it. */
static gboolean
take_number(const char **text, guint digits, int *ret)
{
    *ret = 0;
    for (guint i = 0; i < digits; i++) {
        if (!g_ascii_isdigit((*text)[i]))
            return FALSE;
        *ret = *ret * 10 + ((*text)[i] - '0');
    }
    *text += digits;
    return TRUE;
}

static gboolean
take_char(const char **text, char c)
{
    if (**text != c)
        return FALSE;
    ++*text;
    return TRUE;
}

/* "12:00", "12:00:30"; nothing may follow. */
static gboolean
parse_clock(const char *text, int *hour, int *minute, int *second)
{
    *second = 0;
    return take_number(&text, 2, hour) && take_char(&text, ':') && take_number(&text, 2, minute) &&
           (!take_char(&text, ':') || take_number(&text, 2, second)) && *text == '\0';
}

static gboolean
take_day(const char **text, int *year, int *month, int *day)
{
    return take_number(text, 4, year) && take_char(text, '-') && take_number(text, 2, month) &&
           take_char(text, '-') && take_number(text, 2, day);
}

static gboolean
parse_date(const char *text, gint64 now, GTimeZone *zone, gint64 *ret)
{
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    const char *rest = text;
    if (take_day(&rest, &year, &month, &day)) {
        if (*rest != '\0' &&
            ((*rest != ' ' && *rest != 'T') || !parse_clock(rest + 1, &hour, &minute, &second)))
            return FALSE;
    } else {
        gint64 midnight = 0;
        if (!parse_clock(text, &hour, &minute, &second) || !day_of(now, zone, 0, &midnight))
            return FALSE;
        g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(midnight / G_USEC_PER_SEC);
        g_autoptr(GDateTime) here = g_date_time_to_timezone(utc, zone);
        g_date_time_get_ymd(here, &year, &month, &day);
    }
    g_autoptr(GDateTime) when = g_date_time_new(zone, year, month, day, hour, minute, second);
    if (when != NULL)
        *ret = g_date_time_to_unix(when) * G_USEC_PER_SEC;
    return when != NULL;
}

gboolean
ctl_when_parse(const char *text, gint64 now, GTimeZone *zone, gint64 *ret, GError **error)
{
    return parse_word(text, now, zone, ret) || parse_epoch(text, ret) ||
           parse_relative(text, now, ret) || parse_date(text, now, zone, ret) ||
           sl_time_parse(text, ret, NULL) ||
           ctl_set_usage_error(error,
                               _("'%s' is no point in time; try '2026-08-01 12:00', 'today' or "
                                 "'2h ago'"),
                               text);
}
