/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-time.h"

#include <string.h>

#include "sl-error.h"

char *
sl_time_format(gint64 usec)
{
    gint64 seconds = usec / G_USEC_PER_SEC, fraction = usec % G_USEC_PER_SEC;
    if (fraction < 0) {
        fraction += G_USEC_PER_SEC;
        seconds--;
    }
    g_autoptr(GDateTime) when = g_date_time_new_from_unix_utc(seconds);
    if (when == NULL)
        return g_strdup("");
    /* GLib's %Y has no zeros in front: PostgreSQL would take the year 96 for a day or a month. */
    g_autofree char *rest = g_date_time_format(when, "-%m-%dT%H:%M:%S");
    g_autofree char *base = g_strdup_printf("%04d%s", g_date_time_get_year(when), rest);
    if (fraction == 0)
        return g_strconcat(base, "Z", NULL);
    char digits[8];
    g_snprintf(digits, sizeof digits, "%06d", (int)fraction);
    for (gsize n = strlen(digits); n > 0 && digits[n - 1] == '0'; n--)
        digits[n - 1] = '\0';
    return g_strdup_printf("%s.%sZ", base, digits);
}

gboolean
sl_time_parse(const char *text, gint64 *ret_usec, GError **error)
{
    g_autofree char *norm = g_strdup(text != NULL ? text : "");
    /* GLib wants the T of ISO 8601; RFC 3339 §5.6 and PostgreSQL allow a space. */
    if (strlen(norm) > 10 && norm[10] == ' ')
        norm[10] = 'T';
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) when = g_date_time_new_from_iso8601(norm, utc);
    if (when == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "'%s' is not an RFC 3339 time", norm);
    *ret_usec = g_date_time_to_unix(when) * G_USEC_PER_SEC + g_date_time_get_microsecond(when);
    return TRUE;
}

#define DAY (86400 * (gint64)G_USEC_PER_SEC)

static const struct {
    const char *name;
    gint64 usec;
} units[] = {
    {"us", 1},
    {"ms", 1000},
    {"s", G_USEC_PER_SEC},
    {"sec", G_USEC_PER_SEC},
    {"second", G_USEC_PER_SEC},
    {"seconds", G_USEC_PER_SEC},
    {"m", 60 * G_USEC_PER_SEC},
    {"min", 60 * G_USEC_PER_SEC},
    {"minute", 60 * G_USEC_PER_SEC},
    {"minutes", 60 * G_USEC_PER_SEC},
    {"h", 3600 * (gint64)G_USEC_PER_SEC},
    {"hour", 3600 * (gint64)G_USEC_PER_SEC},
    {"hours", 3600 * (gint64)G_USEC_PER_SEC},
    {"d", DAY},
    {"day", DAY},
    {"days", DAY},
    {"w", 7 * DAY},
    {"week", 7 * DAY},
    {"weeks", 7 * DAY},
};

static gint64
unit_length(const char *name, gsize len)
{
    if (len == 0)
        return G_USEC_PER_SEC;
    for (gsize i = 0; i < G_N_ELEMENTS(units); i++)
        if (strlen(units[i].name) == len && strncmp(units[i].name, name, len) == 0)
            return units[i].usec;
    return 0;
}

gboolean
sl_time_parse_span(const char *text, gint64 *ret_usec, GError **error)
{
    const char *p = text != NULL ? text : "";
    gint64 total = 0;
    gboolean any = FALSE;
    while (*(p += strspn(p, " \t")) != '\0') {
        gsize digits = strspn(p, "0123456789");
        guint64 value = 0;
        g_autofree char *number = g_strndup(p, digits);
        if (digits == 0 || !g_ascii_string_to_unsigned(number, 10, 0, G_MAXINT64, &value, NULL))
            break;
        p += digits;
        p += strspn(p, " \t");
        gsize letters = strspn(p, "abcdefghijklmnopqrstuvwxyz");
        gint64 unit = unit_length(p, letters);
        gint64 part;
        if (unit == 0 || __builtin_mul_overflow((gint64)value, unit, &part) ||
            __builtin_add_overflow(total, part, &total))
            break;
        p += letters;
        any = TRUE;
    }
    if (!any || *p != '\0')
        return sl_error_set(error, SL_ERROR_INVALID,
                            "'%s' is not a time span; write for example '90', '1min 30s' or '6h'",
                            text != NULL ? text : "");
    *ret_usec = total;
    return TRUE;
}

char *
sl_time_format_duration(gint64 usec)
{
    gint64 left = MAX(usec, 0) / G_USEC_PER_SEC;
    GString *out = g_string_new("PT");
    if (left >= 3600)
        g_string_append_printf(out, "%" G_GINT64_FORMAT "H", left / 3600);
    if (left / 60 % 60 != 0)
        g_string_append_printf(out, "%" G_GINT64_FORMAT "M", left / 60 % 60);
    if (left % 60 != 0 || left == 0)
        g_string_append_printf(out, "%" G_GINT64_FORMAT "S", left % 60);
    return g_string_free(out, FALSE);
}
