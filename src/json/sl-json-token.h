/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Private to this folder: the tokens of RFC 8259, each checked in full and never read past `end`.
 * Shared by the strict reader, by the scanner (everything outside `data`) and by the walk over
 * members, so that there is one opinion on what a string or a number is. */

/* Where and why a text was refused. `why` is static. */
typedef struct {
    const char *at;
    const char *why;
} SlJsonFault;

static inline const char *
sl_json_fault(SlJsonFault *fault, const char *at, const char *why)
{
    fault->at = at;
    fault->why = why;
    return NULL;
}

static inline const char *
sl_json_skip_space(const char *p, const char *end)
{
    if (p < end && (guint8)*p > ' ') /* nearly always */
        return p;
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

/* Length of the well-formed UTF-8 sequence at p (Unicode table 3-7: no overlong forms, no
 * surrogates, nothing above U+10FFFF); 0 when there is none. */
static inline guint
sl_json_utf8_length(const char *text, const char *end)
{
    const guint8 *p = (const guint8 *)text;
    gsize left = (gsize)(end - text);
    guint n;
    guint8 low = 0x80, high = 0xbf;

    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        n = 2;
    } else if ((p[0] & 0xf0) == 0xe0) {
        n = 3;
        low = p[0] == 0xe0 ? 0xa0 : 0x80;
        high = p[0] == 0xed ? 0x9f : 0xbf;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        n = 4;
        low = p[0] == 0xf0 ? 0x90 : 0x80;
        high = p[0] == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if (left < n || p[1] < low || p[1] > high)
        return 0;
    for (guint i = 2; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    return n;
}

/* Of the 8 or 16 bytes at p, how many come before the first that needs thought inside a string (a
 * quote, a backslash, a control character, no ASCII), or before the first that is no digit? The
 * whole step when there is none. */
#ifdef __SSE2__
#define SL_JSON_STEP 16

static inline guint
sl_json_plain_length(const char *p)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)p);
    __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                               _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes));
    /* What is no ASCII has its top bit set already. */
    return (guint)__builtin_ctz((guint)_mm_movemask_epi8(_mm_or_si128(hit, bytes)) | 0x10000);
}

static inline guint
sl_json_digits_length(const char *p)
{
    __m128i value = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)p), _mm_set1_epi8('0'));
    __m128i digit = _mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value);
    return (guint)__builtin_ctz(~(guint)_mm_movemask_epi8(digit));
}
#else
#define SL_JSON_STEP 8

static inline guint
sl_json_plain_length(const char *p)
{
    const guint64 ones = G_GUINT64_CONSTANT(0x0101010101010101);
    const guint64 tops = G_GUINT64_CONSTANT(0x8080808080808080);
    guint64 word;

    memcpy(&word, p, 8);
    word = GUINT64_FROM_LE(word);
    guint64 quote = word ^ (ones * '"'), slash = word ^ (ones * '\\');
    /* A borrow can flag a byte above a true hit wrongly, never one below it: the lowest flag is
     * always right. */
    guint64 hit = (word - ones * 0x20) & ~word;
    hit |= (quote - ones) & ~quote;
    hit |= (slash - ones) & ~slash;
    hit = (hit | word) & tops;
    return hit != 0 ? (guint)__builtin_ctzll(hit) >> 3 : 8;
}

static inline guint
sl_json_digits_length(const char *p)
{
    guint n = 0;
    while (n < 8 && g_ascii_isdigit(p[n]))
        n++;
    return n;
}
#endif

static inline const char *
sl_json_skip_plain(const char *p, const char *end)
{
    while (end - p >= SL_JSON_STEP) {
        guint n = sl_json_plain_length(p);
        p += n;
        if (n < SL_JSON_STEP)
            return p;
    }
    while (p < end && (guint8)*p >= 0x20 && (guint8)*p < 0x80 && *p != '"' && *p != '\\')
        p++;
    return p;
}

/* The value of four hex digits, or -1. */
static inline gint32
sl_json_hex4(const char *p, const char *end)
{
    gint32 value = 0;
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

/* Behind the escape whose backslash is at p; *ret_code is its character. NULL: no valid escape.
 * A surrogate counts only as half of a pair. */
static inline const char *
sl_json_escape_end(const char *p, const char *end, gunichar *ret_code)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";

    if (end - p < 2)
        return NULL;
    if (p[1] != 'u') {
        const char *found = p[1] != '\0' ? strchr(from, p[1]) : NULL;
        if (found == NULL)
            return NULL;
        *ret_code = (gunichar)to[found - from];
        return p + 2;
    }
    gint32 code = sl_json_hex4(p + 2, end);
    if (code < 0 || (code & 0xfc00) == 0xdc00)
        return NULL;
    p += 6;
    if ((code & 0xfc00) == 0xd800) {
        if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
            return NULL;
        gint32 low = sl_json_hex4(p + 2, end);
        if (low < 0 || (low & 0xfc00) != 0xdc00)
            return NULL;
        code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
        p += 6;
    }
    *ret_code = (gunichar)code;
    return p;
}

/* Behind the closing quote of the string whose opening quote is at p; NULL and a fault when it is
 * no string. */
static inline const char *
sl_json_string_end(const char *p, const char *end, gboolean *ret_escaped, SlJsonFault *fault)
{
    gunichar code;
    *ret_escaped = FALSE;
    for (p++; (p = sl_json_skip_plain(p, end)) < end;) {
        if (*p == '"')
            return p + 1;
        if (*p == '\\') {
            const char *next = sl_json_escape_end(p, end, &code);
            if (next == NULL)
                return sl_json_fault(fault, p, "invalid escape in a string");
            *ret_escaped = TRUE;
            p = next;
        } else if ((guint8)*p < 0x20) {
            return sl_json_fault(fault, p, "control character in a string");
        } else {
            guint n = sl_json_utf8_length(p, end);
            if (n == 0)
                return sl_json_fault(fault, p, "invalid UTF-8");
            p += n;
        }
    }
    return sl_json_fault(fault, end, "unterminated string");
}

static inline const char *
sl_json_skip_digits(const char *p, const char *end)
{
    while (end - p >= SL_JSON_STEP) {
        guint n = sl_json_digits_length(p);
        p += n;
        if (n < SL_JSON_STEP)
            return p;
    }
    while (p < end && g_ascii_isdigit(*p))
        p++;
    return p;
}

/* Behind the number at p (first byte: '-' or a digit). */
static inline const char *
sl_json_number_end(const char *p, const char *end, SlJsonFault *fault)
{
    if (p < end && *p == '-')
        p++;
    const char *digits = p;
    p = sl_json_skip_digits(p, end);
    if (p == digits)
        return sl_json_fault(fault, p, "expected a digit");
    if (*digits == '0' && p - digits > 1)
        return sl_json_fault(fault, digits, "leading zero in a number");
    if (p < end && *p == '.') {
        const char *fraction = ++p;
        p = sl_json_skip_digits(p, end);
        if (p == fraction)
            return sl_json_fault(fault, p, "expected a digit behind the point");
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        const char *exponent = p;
        p = sl_json_skip_digits(p, end);
        if (p == exponent)
            return sl_json_fault(fault, p, "expected a digit in the exponent");
    }
    return p;
}

/* Behind true, false or null at p; NULL when something else stands there. */
static inline const char *
sl_json_literal_end(const char *p, const char *end, guint8 *ret_type)
{
    if (end - p >= 4 && memcmp(p, "null", 4) == 0) {
        *ret_type = 0; /* in SlJsonType's order */
        return p + 4;
    }
    if (end - p >= 4 && memcmp(p, "true", 4) == 0) {
        *ret_type = 2;
        return p + 4;
    }
    if (end - p >= 5 && memcmp(p, "false", 5) == 0) {
        *ret_type = 1;
        return p + 5;
    }
    return NULL;
}
