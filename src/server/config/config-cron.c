/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-cron.h"

#include <string.h>

enum { SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY, YEAR };

static gboolean
number(const char *field, guint64 *ret)
{
    return g_ascii_string_to_unsigned(field, 10, 0, 59, ret, NULL);
}

static gboolean
is_every(const char *field)
{
    return strcmp(field, "*") == 0 || strcmp(field, "?") == 0;
}

/* An interval that begins at the start: every n. */
static gboolean
step(const char *field, guint64 *ret)
{
    const char *slash = strchr(field, '/');
    return slash != NULL && slash == field + 1 && (field[0] == '*' || field[0] == '0') &&
           number(slash + 1, ret);
}

static void
describe_time(GString *out, char **fields)
{
    guint64 second = 0, minute = 0, hour = 0, n = 0;
    gboolean at_minute = number(fields[MINUTE], &minute), at_hour = number(fields[HOUR], &hour);
    number(fields[SECOND], &second);
    if (at_minute && at_hour)
        g_string_append_printf(out, "At %02u:%02u", (guint)hour, (guint)minute);
    else if (is_every(fields[MINUTE]) && is_every(fields[HOUR]))
        g_string_append(out, "Every minute");
    else if (step(fields[MINUTE], &n) && is_every(fields[HOUR]))
        g_string_append_printf(out, "Every %u minutes", (guint)n);
    else if (at_minute && is_every(fields[HOUR]))
        g_string_append_printf(out, "At minute %u of every hour", (guint)minute);
    else if (at_minute && step(fields[HOUR], &n))
        g_string_append_printf(out, "At minute %u, every %u hours", (guint)minute, (guint)n);
    else
        g_string_append_printf(out, "At minutes %s, hours %s", fields[MINUTE], fields[HOUR]);
    if (second != 0)
        g_string_append_printf(out, ", second %u", (guint)second);
}

char *
config_cron_describe(const char *expression)
{
    g_auto(GStrv) fields = g_strsplit(expression, " ", -1);
    GString *out = g_string_new(NULL);
    guint n = g_strv_length(fields);
    if (n <= WEEKDAY)
        return g_string_free(g_string_assign(out, expression), FALSE);
    describe_time(out, fields);
    if (!is_every(fields[DAY]))
        g_string_append_printf(out, ", on day %s of the month", fields[DAY]);
    else if (!is_every(fields[WEEKDAY]))
        g_string_append_printf(out, ", on %s", fields[WEEKDAY]);
    else
        g_string_append(out, ", every day");
    if (!is_every(fields[MONTH]))
        g_string_append_printf(out, ", in month %s", fields[MONTH]);
    if (n > YEAR && !is_every(fields[YEAR]))
        g_string_append_printf(out, ", in %s", fields[YEAR]);
    return g_string_free(out, FALSE);
}
