/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "destpg-text.h"

#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"

void
destpg_text_copy(DestpgBuffer *out, SlSpan text, gboolean checked)
{
    const char *p = text.p, *end = text.p + text.n;
    while (!checked && p < end) {
        const char *bad;
        if (g_utf8_validate_len(p, end - p, &bad))
            break;
        destpg_buffer_add(out, p, bad - p);
        if (*bad != '\0')
            destpg_buffer_add(out, REPLACEMENT, 3);
        p = bad + 1;
    }
    destpg_buffer_add(out, p, end - p);
}

static gint
hex4(const char *p, const char *end)
{
    gint value = 0;
    if (end - p < 4)
        return -1;
    for (guint i = 0; i < 4; i++) {
        gint digit = g_ascii_xdigit_value(p[i]);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static void
add_char(DestpgBuffer *out, gunichar c)
{
    if (c != 0)
        out->len += g_unichar_to_utf8(c, (char *)destpg_buffer_reserve(out, 6));
}

/* p is behind "\u". Returns the place behind the escape. */
static const char *
unescape_unicode(DestpgBuffer *out, const char *p, const char *end)
{
    gint code = hex4(p, end);
    if (code < 0) {
        add_char(out, 0xfffd);
        return p;
    }
    p += 4;
    if (code >= 0xd800 && code < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
        gint low = hex4(p + 2, end);
        if (low >= 0xdc00 && low < 0xe000) {
            add_char(out, 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff));
            return p + 6;
        }
    }
    add_char(out, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
    return p;
}

void
destpg_text_unescape(DestpgBuffer *out, SlSpan quoted, gboolean checked)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *p = quoted.p + 1, *end = quoted.p + quoted.n - 1;
    for (const char *slash; (slash = memchr(p, '\\', end - p)) != NULL;) {
        destpg_text_copy(out, (SlSpan){p, slash - p}, checked);
        p = slash + 1;
        if (p == end)
            break;
        const char *found = *p != '\0' ? strchr(from, *p) : NULL;
        if (*p == 'u')
            p = unescape_unicode(out, p + 1, end);
        else
            add_char(out, found != NULL ? (gunichar)to[found - from] : 0xfffd), p++;
    }
    destpg_text_copy(out, (SlSpan){p, end - p}, checked);
}

gboolean
destpg_text_copy_json(DestpgBuffer *out, SlSpan json)
{
    const char *p = json.p, *end = json.p + json.n;
    gboolean stripped = FALSE;
    if (memmem(json.p, json.n, "\\u0000", 6) == NULL) {
        destpg_buffer_add(out, json.p, json.n);
        return FALSE;
    }
    /* A backslash only stands inside strings, and always begins an escape. */
    for (const char *slash; (slash = memchr(p, '\\', end - p)) != NULL;) {
        destpg_buffer_add(out, p, slash - p);
        if (end - slash >= 6 && memcmp(slash, "\\u0000", 6) == 0) {
            stripped = TRUE;
            p = slash + 6;
        } else {
            destpg_buffer_add(out, slash, MIN(2, end - slash));
            p = slash + MIN(2, end - slash);
        }
    }
    destpg_buffer_add(out, p, end - p);
    return stripped;
}

static const char *
skip_space(const char *p, const char *end)
{
    while (p < end && strchr(" \t\r\n", *p) != NULL && *p != '\0')
        p++;
    return p;
}

static const char *
string_end(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++)
        if (*p == '\\')
            p++;
    return p < end ? p + 1 : NULL;
}

/* Behind a value, whatever it is; NULL when it does not end. */
static const char *
loose_value_end(const char *p, const char *end)
{
    gsize depth = 0;
    while (p < end) {
        if (*p == '"') {
            p = string_end(p, end);
            if (p == NULL)
                return NULL;
        } else if (*p == '{' || *p == '[') {
            depth++;
            p++;
        } else if (depth > 0 && (*p == '}' || *p == ']')) {
            depth--;
            p++;
        } else if (depth == 0 && (*p == ',' || *p == '}')) {
            break;
        } else {
            p++;
        }
    }
    return p < end && depth == 0 ? p : NULL;
}

gboolean
destpg_text_members_next(SlSpan object, gsize *cursor, SlSpan *ret_key, SlSpan *ret_value,
                         gboolean *ret_malformed)
{
    const char *end = object.p + object.n, *p = skip_space(object.p + *cursor, end);
    *ret_malformed = FALSE;
    if (p < end && *p == '}')
        return FALSE;
    *ret_malformed = TRUE;
    if (p == end || *p != (*cursor == 0 ? '{' : ','))
        return FALSE;
    p = skip_space(p + 1, end);
    if (*cursor == 0 && p < end && *p == '}') {
        *ret_malformed = FALSE;
        return FALSE;
    }
    const char *key = p;
    if (p == end || *p != '"' || (p = string_end(p, end)) == NULL)
        return FALSE;
    *ret_key = (SlSpan){key + 1, p - key - 2};
    p = skip_space(p, end);
    if (p == end || *p != ':')
        return FALSE;
    const char *value = skip_space(p + 1, end);
    p = loose_value_end(value, end);
    if (p == NULL || p == value)
        return FALSE;
    *cursor = p - object.p;
    while (p > value && strchr(" \t\r\n", p[-1]) != NULL)
        p--;
    *ret_value = (SlSpan){value, p - value};
    *ret_malformed = FALSE;
    return TRUE;
}
