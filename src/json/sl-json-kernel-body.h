/* SPDX-License-Identifier: Apache-2.0 */

/* The loops of sl-json-kernel.h. To be included by one file per instruction set, which defines
 * before:
 *   TARGET               attribute of every function
 *   Block                64 bytes
 *   block_load(p)        reads them, from any address
 *   block_equal(b, c)    a bit for each byte that is c, the first byte being bit 0
 *   block_differ(a, b)   a bit for each byte in which they differ
 *   prefix_xor(bits)     bit i = xor of the bits 0…i  */

#include "sl-json-kernel.h"

#include <string.h>

/* The characters that an odd number of backslashes stands before. *carry: the first byte of this
 * (and then of the next) block is such a character.
 *
 * Adding to a run of ones the bit at its start moves a one to just behind the run. Done apart for
 * runs that start at even and at odd places, the place where the one appears tells the run's
 * parity. */
static inline TARGET guint64
find_escaped(guint64 slashes, guint64 *carry)
{
    const guint64 even = G_GUINT64_CONSTANT(0x5555555555555555);
    guint64 before = *carry, behind_even, behind_odd;

    slashes &= ~before; /* an escaped backslash starts nothing */
    guint64 starts = slashes & ~(slashes << 1);
    behind_even = (slashes + (starts & even)) & ~slashes & ~even;
    *carry = __builtin_add_overflow(slashes, starts & ~even, &behind_odd);
    return behind_even | (behind_odd & ~slashes & even) | before;
}

/* `padded` is a constant at each call and folds away. */
static inline TARGET __attribute__((always_inline)) const char *
skip_brackets(const char *p, const char *end, char open, char close, gboolean padded)
{
    guint64 carry = 0, in_string = 0; /* all ones inside a string */
    guint64 depth = 0;

    for (; p < end; p += 64) {
        gsize left = (gsize)(end - p);
        char last[64];
        const char *from = p;
        if (!padded && left < 64) {
            memset(last, 0, sizeof last);
            memcpy(last, p, left);
            from = last;
        }
        Block block = block_load(from);
        guint64 quotes = block_equal(block, '"');
        guint64 slashes = block_equal(block, '\\');
        if ((slashes | carry) != 0)
            quotes &= ~find_escaped(slashes, &carry);
        guint64 inside = prefix_xor(quotes) ^ in_string;
        in_string = (guint64)((gint64)inside >> 63);
        guint64 opens = block_equal(block, open) & ~inside;
        guint64 closes = block_equal(block, close) & ~inside;
        if (padded && left < 64)
            closes &= (G_GUINT64_CONSTANT(1) << left) - 1;
        while (closes != 0) {
            guint64 bit = closes & -closes;
            guint64 before = opens & (bit - 1);
            depth += (guint64)__builtin_popcountll(before);
            opens ^= before;
            if (--depth == 0)
                return p + __builtin_ctzll(bit) + 1;
            closes ^= bit;
        }
        if (opens != 0)
            depth += (guint64)__builtin_popcountll(opens);
    }
    return NULL;
}

static TARGET const char *
skip_object(const char *p, const char *end)
{
    return skip_brackets(p, end, '{', '}', TRUE);
}

static TARGET const char *
skip_container(const char *p, const char *end)
{
    if (*p == '{')
        return skip_brackets(p, end, '{', '}', FALSE);
    return skip_brackets(p, end, '[', ']', FALSE);
}

/* Both sides may be read in whole blocks. */
static inline TARGET gboolean
literal_matches(const char *p, const char *literal, gsize n)
{
    for (; n >= 64; n -= 64, p += 64, literal += 64) {
        if (block_differ(block_load(p), block_load(literal)) != 0)
            return FALSE;
    }
    guint64 wanted = (G_GUINT64_CONSTANT(1) << n) - 1;
    return n == 0 || (block_differ(block_load(p), block_load(literal)) & wanted) == 0;
}

/* Behind an integer without a leading zero. */
static inline TARGET const char *
skip_integer(const char *p, const char *end)
{
    const char *first = p;
    while (p < end && (guint8)(*p - '0') <= 9)
        p++;
    return p == first || (*first == '0' && p - first > 1) ? NULL : p;
}

static inline TARGET SlSpan
place(const SlJsonTemplateSpan *span, const char *const at[])
{
    return span->given ? (SlSpan){at[span->literal] + span->offset, span->n} : (SlSpan){NULL, 0};
}

static TARGET gboolean
match(const SlJsonTemplate *t, const char *line, const char *end, SlMessage *ret)
{
    const char *at[SL_JSON_TEMPLATE_LITERALS];
    const char *p = line;
    SlSpan digits = {NULL, 0};

    for (guint i = 0;; i++) {
        if (end - p < t->n[i] || !literal_matches(p, t->text + t->start[i], t->n[i]))
            return FALSE;
        at[i] = p;
        p += t->n[i];
        if (i == t->n_holes)
            break;
        const char *hole = p;
        if (t->hole[i] == SL_JSON_HOLE_DIGITS) {
            p = skip_integer(p, end);
            if (p == NULL)
                return FALSE;
            digits = (SlSpan){hole, (gsize)(p - hole)};
        } else {
            /* Skipped once, even when several templates have the same beginning. */
            if (ret->data.p != hole) {
                const char *next = p < end && *p == '{' ? skip_object(p, end) : NULL;
                ret->data = (SlSpan){hole, next != NULL ? (gsize)(next - hole) : 0};
            }
            if (ret->data.n == 0)
                return FALSE;
            p += ret->data.n;
        }
    }
    if (p != end)
        return FALSE;
    const char *payload = line + t->payload_start;
    ret->type = SL_MESSAGE_RECORD;
    ret->payload = (SlSpan){payload, (gsize)(at[t->n_holes] + t->payload_end - payload)};
    ret->stream = place(&t->stream, at);
    ret->ns = place(&t->ns, at);
    ret->meta = place(&t->meta, at);
    ret->emitted_at = digits;
    ret->stream_escaped = t->stream_escaped;
    ret->ns_escaped = t->ns_escaped;
    ret->looks_like_record = FALSE;
    return TRUE;
}
