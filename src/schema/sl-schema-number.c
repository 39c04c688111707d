/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-schema-number.h"

#include <string.h>

#define MAX_EXPONENT G_GINT64_CONSTANT(1000000000000000)

void
sl_decimal_clear(SlDecimal *number)
{
    g_clear_pointer(&number->digits, g_free);
    number->n = 0;
}

static gint64
parse_exponent(const char *p, const char *end)
{
    gboolean negative = p < end && *p == '-';
    gint64 value = 0;
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    for (; p < end && value < MAX_EXPONENT; p++)
        value = value * 10 + (*p - '0');
    value = MIN(value, MAX_EXPONENT);
    return negative ? -value : value;
}

gboolean
sl_decimal_parse(const SlJsonNode *node, SlDecimal *ret)
{
    *ret = (SlDecimal){0};
    if (node == NULL || node->type != SL_JSON_NUMBER)
        return FALSE;
    const char *p = node->p, *end = p + node->n;
    gboolean fraction = FALSE;
    ret->digits = g_malloc(node->n + 1);
    ret->negative = *p == '-';
    for (p += ret->negative; p < end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.') {
            fraction = TRUE;
            continue;
        }
        ret->exponent -= fraction;
        if (ret->n > 0 || *p != '0')
            ret->digits[ret->n++] = (char)(*p - '0');
    }
    if (p < end)
        ret->exponent += parse_exponent(p + 1, end);
    while (ret->n > 0 && ret->digits[ret->n - 1] == 0) {
        ret->n--;
        ret->exponent++;
    }
    if (ret->n == 0) {
        ret->exponent = 0;
        ret->negative = FALSE; /* -0 is 0 */
    }
    return TRUE;
}

static int
compare_magnitudes(const SlDecimal *a, const SlDecimal *b)
{
    gint64 top_a = a->exponent + (gint64)a->n, top_b = b->exponent + (gint64)b->n;
    if (top_a != top_b)
        return top_a < top_b ? -1 : 1;
    int order = memcmp(a->digits, b->digits, MIN(a->n, b->n));
    if (order != 0 || a->n == b->n)
        return order < 0 ? -1 : order > 0;
    return a->n < b->n ? -1 : 1;
}

int
sl_decimal_compare(const SlDecimal *a, const SlDecimal *b)
{
    int sign_a = a->n == 0     ? 0
                 : a->negative ? -1
                               : 1,
        sign_b = b->n == 0     ? 0
                 : b->negative ? -1
                               : 1;
    if (sign_a != sign_b)
        return sign_a < sign_b ? -1 : 1;
    return sign_a == 0 ? 0 : sign_a * compare_magnitudes(a, b);
}

gboolean
sl_decimal_is_integer(const SlDecimal *number)
{
    return number->exponent >= 0;
}

/* rest = rest * 10 + digit, then modulo the unit's digits. `rest` has n + 1 digits. */
static void
step(guint8 *rest, guint8 digit, const SlDecimal *unit)
{
    gsize n = unit->n;
    memmove(rest, rest + 1, n);
    rest[n] = digit;
    for (;;) {
        if (rest[0] == 0 && memcmp(rest + 1, unit->digits, n) < 0)
            return;
        gint borrow = 0;
        for (gsize i = n; i > 0; i--) {
            gint value = rest[i] - unit->digits[i - 1] - borrow;
            borrow = value < 0;
            rest[i] = (guint8)(borrow ? value + 10 : value);
        }
        rest[0] = (guint8)(rest[0] - borrow);
    }
}

/* Both are integers times 10^min(exponents). Digits end in no zero, so that a unit with the larger
 * exponent divides nothing but zero; and zeros behind the number stop to matter once all twos and
 * fives of the unit (at most log2 of it) are cancelled. */
gboolean
sl_decimal_is_multiple(const SlDecimal *number, const SlDecimal *unit, guint64 max_work,
                       guint64 *ret_work)
{
    *ret_work = 0;
    if (number->n == 0)
        return TRUE;
    if (unit->n == 0 || number->exponent < unit->exponent)
        return FALSE;
    gsize zeros = (gsize)MIN(number->exponent - unit->exponent, 4 * (gint64)unit->n);
    *ret_work = ((guint64)number->n + zeros) * unit->n;
    if (*ret_work > max_work)
        return FALSE;
    g_autofree guint8 *rest = g_malloc0(unit->n + 1);
    for (gsize i = 0; i < number->n; i++)
        step(rest, (guint8)number->digits[i], unit);
    for (gsize i = 0; i < zeros; i++)
        step(rest, 0, unit);
    for (gsize i = 0; i <= unit->n; i++)
        if (rest[i] != 0)
            return FALSE;
    return TRUE;
}
