/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include <gio/gio.h>
#include <string.h>

#include "sl-schema-private.h"

/* The formats of draft-07 that are asserted on request. What has a NUL in it has no format. */

static gboolean
digits(const char **p, guint n, guint low, guint high, guint *ret)
{
    guint value = 0;
    for (guint i = 0; i < n; i++, (*p)++) {
        if (!g_ascii_isdigit(**p))
            return FALSE;
        value = value * 10 + (guint)(**p - '0');
    }
    if (ret != NULL)
        *ret = value;
    return value >= low && value <= high;
}

static gboolean
character(const char **p, const char *set)
{
    return **p != '\0' && strchr(set, *(*p)++) != NULL;
}

/* RFC 3339, full-date. */
static gboolean
skip_date(const char **p)
{
    guint year, month, day;
    return digits(p, 4, 0, 9999, &year) && character(p, "-") && digits(p, 2, 1, 12, &month) &&
           character(p, "-") && digits(p, 2, 1, 31, &day) &&
           day <= g_date_get_days_in_month((GDateMonth)month, (GDateYear)(year > 0 ? year : 4));
}

/* full-time; a leap second only at 23:59:60 UTC. */
static gboolean
skip_time(const char **p)
{
    guint hour, minute, second, zone_hour = 0, zone_minute = 0;
    if (!digits(p, 2, 0, 23, &hour) || !character(p, ":") || !digits(p, 2, 0, 59, &minute) ||
        !character(p, ":") || !digits(p, 2, 0, 60, &second))
        return FALSE;
    if (**p == '.') {
        ++*p;
        if (!digits(p, 1, 0, 9, NULL))
            return FALSE;
        while (g_ascii_isdigit(**p))
            ++*p;
    }
    gint sign = **p == '+' ? 1 : **p == '-' ? -1 : 0;
    if (!character(p, "zZ+-"))
        return FALSE;
    if (sign != 0 && (!digits(p, 2, 0, 23, &zone_hour) || !character(p, ":") ||
                      !digits(p, 2, 0, 59, &zone_minute)))
        return FALSE;
    gint utc = (gint)(hour * 60 + minute) - sign * (gint)(zone_hour * 60 + zone_minute);
    return second < 60 || ((utc + 1440) % 1440) == 1439;
}

static gboolean
is_date(const char *text)
{
    return skip_date(&text) && *text == '\0';
}

static gboolean
is_time(const char *text)
{
    return skip_time(&text) && *text == '\0';
}

static gboolean
is_date_time(const char *text)
{
    return skip_date(&text) && character(&text, "tT") && skip_time(&text) && *text == '\0';
}

static gboolean
is_uri(const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        if (*p <= ' ' || (guint8)*p >= 0x7f || strchr("<>\"{}|\\^`", *p) != NULL)
            return FALSE;
    return g_uri_is_valid(text, G_URI_FLAGS_NONE, NULL);
}

static gboolean
is_host_name(const char *text)
{
    g_auto(GStrv) labels = g_strsplit(text, ".", -1);
    gsize n = strlen(text);
    if (n == 0 || n > 253)
        return FALSE;
    for (char **label = labels; *label != NULL; label++) {
        gsize length = strlen(*label);
        if (length == 0 || length > 63 || **label == '-' || (*label)[length - 1] == '-')
            return FALSE;
        for (const char *p = *label; *p != '\0'; p++)
            if (!g_ascii_isalnum(*p) && *p != '-')
                return FALSE;
    }
    return TRUE;
}

/* RFC 5321's mailbox with a dot-string; quoted ones are not in use. */
static gboolean
is_email(const char *text)
{
    const char *at = strrchr(text, '@');
    if (at == NULL || at == text || *text == '.' || at[-1] == '.' || at - text > 64)
        return FALSE;
    for (const char *p = text; p < at; p++)
        if ((!g_ascii_isalnum(*p) && strchr("!#$%&'*+-/=?^_`{|}~.", *p) == NULL) ||
            (*p == '.' && p[1] == '.'))
            return FALSE;
    return is_host_name(at + 1);
}

static gboolean
is_uuid(const char *text)
{
    return strlen(text) == 36 && g_uuid_string_is_valid(text);
}

static gboolean
is_ip(const char *text, GSocketFamily family)
{
    g_autoptr(GInetAddress) address = g_inet_address_new_from_string(text);
    return address != NULL && g_inet_address_get_family(address) == family;
}

static gboolean
is_ipv4(const char *text)
{
    return is_ip(text, G_SOCKET_FAMILY_IPV4);
}

static gboolean
is_ipv6(const char *text)
{
    return strchr(text, '%') == NULL && is_ip(text, G_SOCKET_FAMILY_IPV6);
}

static gboolean
is_regex(const char *text)
{
    g_autoptr(SlSchemaPattern) pattern = sl_schema_pattern_new(text, strlen(text), NULL);
    return pattern != NULL;
}

gboolean
sl_schema_format(const char *format, const char *text, gsize len)
{
    static const struct {
        const char *name;
        gboolean (*is)(const char *text);
    } formats[] = {
        {"date", is_date},   {"time", is_time},   {"date-time", is_date_time},
        {"uri", is_uri},     {"email", is_email}, {"hostname", is_host_name},
        {"uuid", is_uuid},   {"ipv4", is_ipv4},   {"ipv6", is_ipv6},
        {"regex", is_regex},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++)
        if (strcmp(formats[i].name, format) == 0)
            return strlen(text) == len && formats[i].is(text);
    return TRUE;
}
