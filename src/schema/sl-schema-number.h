/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* A JSON number as it is written: coefficient times ten to the exponent, without rounding. Digits
 * have neither leading nor trailing zeros; zero has none at all. Exponents end at ±10^15, beyond
 * which numbers of the same digits are one. */
typedef struct {
    char *digits; /* owned */
    gsize n;
    gint64 exponent; /* of the last digit */
    gboolean negative;
} SlDecimal;

void sl_decimal_clear(SlDecimal *number);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SlDecimal, sl_decimal_clear)

/* FALSE when the node is no NUMBER. */
gboolean sl_decimal_parse(const SlJsonNode *node, SlDecimal *ret);
int sl_decimal_compare(const SlDecimal *a, const SlDecimal *b);
gboolean sl_decimal_is_integer(const SlDecimal *number);

/* Is `number` an integer times `unit` (> 0)? *ret_work: about how many steps it takes; with more
 * than `max_work` nothing is computed and the answer is FALSE. */
gboolean sl_decimal_is_multiple(const SlDecimal *number, const SlDecimal *unit, guint64 max_work,
                                guint64 *ret_work);
