/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-text.h"

#include <string.h>

guint
ctl_text_width(const char *text)
{
    guint width = 0;
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (!g_unichar_iszerowidth(c))
            width += g_unichar_iswide(c) ? 2 : 1;
    }
    return width;
}

char *
ctl_text_clean(const char *text, gssize len)
{
    g_autofree char *valid = g_utf8_make_valid(text, len);
    GString *out = g_string_sized_new(strlen(valid));
    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c == '\n' || c == '\t')
            g_string_append_c(out, ' ');
        else if (g_unichar_iscntrl(c) || g_unichar_type(c) == G_UNICODE_FORMAT)
            g_string_append_c(out, '?');
        else
            g_string_append_unichar(out, c);
    }
    return g_string_free(out, FALSE);
}

char *
ctl_text_ellipsize(const char *text, guint width, gboolean utf8)
{
    if (ctl_text_width(text) <= width)
        return g_strdup(text);
    const char *dots = utf8 ? "…" : "...";
    guint room = width > (utf8 ? 1u : 3u) ? width - (utf8 ? 1 : 3) : 0;
    const char *p = text;
    for (guint used = 0; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        guint columns = g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
        if (used + columns > room)
            break;
        used += columns;
    }
    g_autofree char *head = g_strndup(text, p - text);
    return g_strconcat(head, dots, NULL);
}

/* Three digits at most, then the unit: 999, 1.0k, 14.2k, 142k. */
static char *
scale(double n, const char *const *units, const char *space)
{
    guint i = 0;
    double value = n;
    /* 999.95 would print as 1000.0. */
    for (; value >= 999.5 && units[i + 1] != NULL; i++)
        value /= 1000;
    char buffer[32];
    g_ascii_formatd(buffer, sizeof buffer, i == 0 || value >= 99.95 ? "%.0f" : "%.1f", value);
    return g_strconcat(buffer, *units[i] == '\0' ? "" : space, units[i], NULL);
}

char *
ctl_text_count(gint64 n)
{
    static const char *const units[] = {"", "k", "M", "G", "T", NULL};
    return scale((double)n, units, "");
}

char *
ctl_text_bytes(gint64 n)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", NULL};
    return scale((double)n, units, " ");
}

char *
ctl_text_duration(gint64 usec)
{
    gint64 sec = usec / G_USEC_PER_SEC;
    if (sec < 10)
        return g_strdup_printf("%" G_GINT64_FORMAT ".%d s", sec,
                               (int)(usec % G_USEC_PER_SEC / 100000));
    if (sec < 60)
        return g_strdup_printf("%" G_GINT64_FORMAT " s", sec);
    if (sec < 3600)
        return g_strdup_printf("%d min %d s", (int)(sec / 60), (int)(sec % 60));
    if (sec < 86400)
        return g_strdup_printf("%d h %d min", (int)(sec / 3600), (int)(sec % 3600 / 60));
    return g_strdup_printf("%" G_GINT64_FORMAT " d %d h", sec / 86400, (int)(sec % 86400 / 3600));
}

char *
ctl_text_time(gint64 usec, gboolean utc)
{
    g_autoptr(GDateTime) time = utc ? g_date_time_new_from_unix_utc(usec / G_USEC_PER_SEC)
                                    : g_date_time_new_from_unix_local(usec / G_USEC_PER_SEC);
    if (time == NULL)
        return g_strdup("-");
    return g_date_time_format(time, utc ? "%Y-%m-%d %H:%M:%SZ" : "%Y-%m-%d %H:%M:%S");
}

gint64
ctl_text_parse_iso_duration(const char *text)
{
    static const struct {
        char letter;
        gint64 seconds;
    } units[] = {{'D', 86400}, {'H', 3600}, {'M', 60}, {'S', 1}};
    if (text == NULL || *text != 'P' || text[1] == '\0')
        return -1;
    double seconds = 0;
    for (const char *p = text + 1; *p != '\0';) {
        if (*p == 'T') {
            p++;
            continue;
        }
        char *end;
        double value = g_ascii_strtod(p, &end);
        if (end == p || value < 0)
            return -1;
        guint i = 0;
        while (i < G_N_ELEMENTS(units) && units[i].letter != *end)
            i++;
        if (i == G_N_ELEMENTS(units))
            return -1;
        seconds += value * (double)units[i].seconds;
        p = end + 1;
    }
    return seconds < 1e12 ? (gint64)(seconds * G_USEC_PER_SEC) : -1;
}

gboolean
ctl_text_is_glob(const char *word)
{
    return strpbrk(word, "*?[") != NULL;
}
