/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "destpg-number.h"

#include <string.h>

/* Limits of numeric: digits before and behind the point (datatype-numeric). */
#define MAX_INTEGER_DIGITS 131072
#define MAX_SCALE 16383

#define NUMERIC_NEGATIVE 0x4000

/* A number as its text has it: [whole][.fraction] times 10^exponent. */
typedef struct {
    const char *whole, *fraction;
    gsize n_whole, n_fraction;
    gint64 exponent;
    gboolean negative;
} Decimal;

static gsize
digits(const char *p, const char *end)
{
    const char *from = p;
    while (p < end && g_ascii_isdigit(*p))
        p++;
    return p - from;
}

static gboolean
parse_exponent(const char *p, const char *end, gint64 *ret)
{
    gboolean negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (p == end || digits(p, end) != (gsize)(end - p))
        return FALSE;
    gint64 value = 0;
    for (; p < end; p++)
        if (value < G_MAXINT32) /* far beyond every limit: no need to count on */
            value = value * 10 + (*p - '0');
    *ret = negative ? -value : value;
    return TRUE;
}

static gboolean
parse_decimal(const char *p, gsize n, Decimal *d)
{
    const char *end = p + n;
    *d = (Decimal){0};
    if (p < end && (*p == '-' || *p == '+'))
        d->negative = *p++ == '-';
    d->whole = p;
    d->n_whole = digits(p, end);
    p += d->n_whole;
    if (p < end && *p == '.') {
        d->fraction = ++p;
        d->n_fraction = digits(p, end);
        p += d->n_fraction;
    }
    if (d->n_whole + d->n_fraction == 0)
        return FALSE;
    if (p < end && (*p == 'e' || *p == 'E'))
        return parse_exponent(p + 1, end, &d->exponent);
    return p == end;
}

/* The i-th digit of whole and fraction together. */
static inline guint
digit_at(const Decimal *d, gsize i)
{
    return (i < d->n_whole ? d->whole[i] : d->fraction[i - d->n_whole]) - '0';
}

/* Position of the first digit that is not zero; the number of digits when there is none. */
static gsize
leading_zeros(const Decimal *d)
{
    gsize n = d->n_whole + d->n_fraction, i = 0;
    while (i < n && digit_at(d, i) == 0)
        i++;
    return i;
}

static DestpgResult
int64_of_decimal(const Decimal *d, gint64 *ret)
{
    gsize n = d->n_whole + d->n_fraction, first = leading_zeros(d);
    gint64 point = (gint64)d->n_whole + d->exponent; /* digits before the decimal point */
    *ret = 0;
    if (first == n)
        return DESTPG_OK;
    for (gsize i = MAX(first, (gsize)MAX(point, 0)); i < n; i++)
        if (digit_at(d, i) != 0)
            return DESTPG_BAD; /* a fraction */
    if (point - (gint64)first > 19)
        return DESTPG_RANGE;
    guint64 value = 0, limit = (guint64)G_MAXINT64 + (d->negative ? 1 : 0);
    for (gint64 i = first; i < point; i++) {
        guint digit = i < (gint64)n ? digit_at(d, i) : 0;
        if (value > (limit - digit) / 10)
            return DESTPG_RANGE;
        value = value * 10 + digit;
    }
    *ret = d->negative ? (gint64)(0 - value) : (gint64)value;
    return DESTPG_OK;
}

DestpgResult
destpg_number_to_int64(const char *p, gsize n, gint64 *ret)
{
    /* Nearly all: a few digits. */
    gboolean negative = n > 0 && *p == '-';
    gsize i = negative ? 1 : 0, first = i;
    gint64 value = 0;
    for (; i < n && i < 18 && g_ascii_isdigit(p[i]); i++)
        value = value * 10 + (p[i] - '0');
    if (i == n && i > first) {
        *ret = negative ? -value : value;
        return DESTPG_OK;
    }
    Decimal d;
    return parse_decimal(p, n, &d) ? int64_of_decimal(&d, ret) : DESTPG_BAD;
}

static inline void
put16(guint8 *p, guint value)
{
    p[0] = value >> 8;
    p[1] = value;
}

/* What numeric_recv() wants besides the digits. */
typedef struct {
    gint64 scale; /* digits behind the point */
    gint64 point; /* digits before it, counted from the first digit; may be negative */
    gsize first;  /* the first digit that is not zero */
} Layout;

static DestpgResult
lay_out(const Decimal *d, Layout *l)
{
    l->scale = MAX(0, (gint64)d->n_fraction - d->exponent);
    l->point = (gint64)d->n_whole + d->exponent;
    l->first = leading_zeros(d);
    gboolean zero = l->first == d->n_whole + d->n_fraction;
    if (l->scale > MAX_SCALE || (!zero && l->point - (gint64)l->first > MAX_INTEGER_DIGITS))
        return DESTPG_RANGE;
    return DESTPG_OK;
}

static gint64
floor_div4(gint64 value)
{
    return value >= 0 ? value / 4 : -((3 - value) / 4);
}

static gsize
encode(const Decimal *d, const Layout *l, guint8 *out)
{
    gsize n = d->n_whole + d->n_fraction;
    guint n_groups = 0;
    gint64 weight = 0;
    if (l->first < n) {
        /* Groups of four decimal digits stand at fixed places around the point: group g holds
         * the digits with 10^(4g) … 10^(4g+3). */
        weight = floor_div4(l->point - (gint64)l->first - 1);
        gint64 i = l->point - (weight + 1) * 4; /* where the first group starts; may be < 0 */
        guint last = 0;
        for (guint group; i < (gint64)n; i += 4) {
            group = 0;
            for (gint64 k = i; k < i + 4; k++)
                group = group * 10 + (k >= 0 && k < (gint64)n ? digit_at(d, k) : 0);
            put16(out + 8 + 2 * n_groups, group);
            n_groups++;
            if (group != 0)
                last = n_groups;
        }
        n_groups = last;
    }
    put16(out, n_groups);
    put16(out + 2, (guint16)weight);
    put16(out + 4, d->negative && n_groups > 0 ? NUMERIC_NEGATIVE : 0);
    put16(out + 6, l->scale);
    return 8 + 2 * n_groups;
}

DestpgResult
destpg_number_to_numeric(const char *p, gsize n, guint8 *out, gsize *ret_len)
{
    Decimal d;
    Layout l;
    if (!parse_decimal(p, n, &d))
        return DESTPG_BAD;
    DestpgResult result = lay_out(&d, &l);
    if (result == DESTPG_OK)
        *ret_len = encode(&d, &l, out);
    return result;
}

gboolean
destpg_number_fits(const char *p, gsize n)
{
    Decimal d;
    Layout l;
    return parse_decimal(p, n, &d) && lay_out(&d, &l) == DESTPG_OK;
}
