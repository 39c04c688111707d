/* SPDX-License-Identifier: Apache-2.0 */

/* The loops of sl-json-kernel.h. To be included by one file per instruction set, which defines
 * before:
 *   TARGET               attribute of every function
 *   Block                64 bytes
 *   block_load(p)        reads them, from any address
 *   block_equal(b, c)    a bit for each byte that is c, the first byte being bit 0
 *   block_either(b, c, d) the same for two characters
 *   block_has(b, c)      is there any?
 *   block_brackets(b)    the same for [ ] { }
 *   block_odd(b)         the same for control characters and what is no ASCII
 *   block_differ(a, b)   a bit for each byte in which they differ
 *   digits_mask(p)       a bit for each of the 16 bytes from p on that is a digit
 *   prefix_xor(bits)     bit i = xor of the bits 0…i  */

#include "sl-json-kernel.h"

#include <string.h>

/* The characters that an odd number of backslashes stands before; `before`: the first byte is one,
 * by the backslashes of the block before.
 *
 * Adding to a run of ones the bit at its start moves a one to just behind the run. Done apart for
 * runs that start at even and at odd places, the place where the one appears tells the run's
 * parity. */
static inline TARGET guint64
find_escaped(guint64 slashes, guint64 before)
{
    const guint64 even = G_GUINT64_CONSTANT(0x5555555555555555);

    slashes &= ~before; /* an escaped backslash starts nothing */
    guint64 starts = slashes & ~(slashes << 1);
    guint64 behind_even = (slashes + (starts & even)) & ~slashes & ~even;
    guint64 behind_odd = (slashes + (starts & ~even)) & ~slashes & even;
    return behind_even | behind_odd | before;
}

/* Is the byte at p behind an odd number of backslashes? The bracket at the object's start stops the
 * search at the latest. No run is searched twice: only the block behind its end asks. */
static inline TARGET guint64
is_escaped(const char *p)
{
    guint64 n = 0;
    while (p[-1] == '\\') {
        n++;
        p--;
    }
    return n & 1;
}

/* What is known of the bytes to skip. Constants at each call, which fold away. */
typedef enum {
    EXACT,  /* nothing may be read behind the end */
    PADDED, /* SL_JSON_PADDING bytes may */
    LINES,  /* the same, and an object that runs over the end of a line does not count */
} Bounds;

/* The bracket that closes the outermost of *depth open ones, as a bit; 0 and the new depth when it
 * is not here. */
static inline TARGET guint64
find_last_close(guint64 opens, guint64 closes, guint64 *depth)
{
    guint64 n_closes = (guint64)__builtin_popcountll(closes);
    if (n_closes >= *depth) {
        guint64 level = *depth, left = closes, seen = 0;
        for (; left != 0; left &= left - 1) {
            guint64 bit = left & -left;
            guint64 before = opens & (bit - 1);
            level += (guint64)__builtin_popcountll(before ^ seen);
            seen = before;
            if (--level == 0)
                return bit;
        }
    }
    *depth += (guint64)__builtin_popcountll(opens) - n_closes;
    return 0;
}

static inline TARGET __attribute__((always_inline)) const char *
skip_brackets(const char *p, const char *end, char open, char close, Bounds bounds)
{
    guint64 in_string = 0; /* all ones inside a string */
    guint64 depth = 0, last_slash = 0;

    for (; p < end; p += 64) {
        gsize left = (gsize)(end - p);
        char last[64];
        const char *from = p;
        if (bounds == EXACT && left < 64) {
            memset(last, 0, sizeof last);
            memcpy(last, p, left);
            from = last;
        }
        Block block = block_load(from);
        guint64 quotes = block_equal(block, '"');
        guint64 slashes = block_equal(block, '\\');
        /* Escapes are common, escaped quotes are not: only those need the runs counted. */
        if ((quotes & (slashes << 1 | last_slash)) != 0)
            quotes &= ~find_escaped(slashes, last_slash != 0 ? is_escaped(p) : 0);
        last_slash = slashes >> 63;
        guint64 inside = prefix_xor(quotes) ^ in_string;
        in_string = (guint64)((gint64)inside >> 63);
        guint64 brackets = block_either(block, open, close) & ~inside;
        if (bounds != EXACT && left < 64)
            brackets &= (G_GUINT64_CONSTANT(1) << left) - 1;
        if (brackets != 0) {
            guint64 closes = block_equal(block, close) & brackets;
            guint64 last_close = find_last_close(brackets ^ closes, closes, &depth);
            if (last_close != 0) {
                guint64 newlines = bounds == LINES ? block_equal(block, '\n') : 0;
                return (newlines & (last_close - 1)) == 0 ? p + __builtin_ctzll(last_close) + 1
                                                          : NULL;
            }
        }
        if (bounds == LINES && block_has(block, '\n'))
            return NULL;
    }
    return NULL;
}

static TARGET const char *
skip_object(const char *p, const char *end)
{
    return skip_brackets(p, end, '{', '}', PADDED);
}

static TARGET const char *
skip_container(const char *p, const char *end)
{
    if (*p == '{')
        return skip_brackets(p, end, '{', '}', EXACT);
    return skip_brackets(p, end, '[', ']', EXACT);
}

/* Both sides may be read in whole blocks. */
static inline TARGET __attribute__((always_inline)) gboolean
literal_matches(const char *p, const char *literal, gsize n)
{
    if (n < 8) { /* the braces at the end */
        guint64 a, b;
        memcpy(&a, p, sizeof a);
        memcpy(&b, literal, sizeof b);
        a = GUINT64_FROM_LE(a ^ b);
        return (a & ((G_GUINT64_CONSTANT(1) << 8 * n) - 1)) == 0;
    }
    for (; n >= 64; n -= 64, p += 64, literal += 64) {
        if (block_differ(block_load(p), block_load(literal)) != 0)
            return FALSE;
    }
    guint64 wanted = (G_GUINT64_CONSTANT(1) << n) - 1;
    return (block_differ(block_load(p), block_load(literal)) & wanted) == 0;
}

/* Behind an integer without a leading zero, probably of n digits. To believe that and to check it
 * lets the processor go on with what follows; to count would make it wait. */
static inline TARGET const char *
skip_integer(const char *p, const char *end, guint n)
{
    const char *first = p;
    guint32 digits = digits_mask(p);

    if (end - p > n && (digits & ((2u << n) - 1)) == (1u << n) - 1 && *first != '0')
        return p + n;
    while (p < end && digits == 0xffff) {
        p += 16;
        digits = p < end ? digits_mask(p) : 0;
    }
    p += __builtin_ctz(~digits);
    return p == first || p > end || (*first == '0' && p - first > 1) ? NULL : p;
}

static inline TARGET SlSpan
place(const SlJsonTemplateSpan *span, const char *const at[])
{
    return span->given ? (SlSpan){at[span->literal] + span->offset, span->n} : (SlSpan){NULL, 0};
}

/* Where the message ends: for LINES behind the newline, else at `end`. NULL: not here. */
static inline TARGET const char *
finish_line(const char *p, const char *end, Bounds bounds)
{
    if (bounds == PADDED)
        return p == end ? p : NULL;
    if (p < end && *p == '\r')
        p++;
    return p < end && *p == '\n' ? p + 1 : NULL;
}

/* Skips the object in a hole; once, even when several templates have the same beginning. */
static inline TARGET __attribute__((always_inline)) const char *
skip_data(const char *p, const char *end, Bounds bounds, SlSpan *data)
{
    if (data->p != p) {
        const char *next = p < end && *p == '{' ? skip_brackets(p, end, '{', '}', bounds) : NULL;
        *data = (SlSpan){p, next != NULL ? (gsize)(next - p) : 0};
    }
    return data->n != 0 ? p + data->n : NULL;
}

static inline TARGET __attribute__((always_inline)) const char *
match_template(const SlJsonTemplate *t, const char *line, const char *end, Bounds bounds,
               SlMessage *ret)
{
    const char *at[SL_JSON_TEMPLATE_LITERALS];
    const char *p = line;
    SlSpan digits = {NULL, 0};

    for (guint i = 0;; i++) {
        if (end - p < t->n[i] || !literal_matches(p, t->text + t->start[i], t->n[i]))
            return NULL;
        at[i] = p;
        p += t->n[i];
        if (i == t->n_holes)
            break;
        const char *hole = p;
        if (t->hole[i] == SL_JSON_HOLE_DIGITS)
            p = skip_integer(p, end, t->n_digits);
        else
            p = skip_data(p, end, bounds, &ret->data);
        if (p == NULL)
            return NULL;
        if (t->hole[i] == SL_JSON_HOLE_DIGITS)
            digits = (SlSpan){hole, (gsize)(p - hole)};
    }
    p = finish_line(p, end, bounds);
    if (p == NULL)
        return NULL;
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
    ret->header = t->header;
    return p;
}

static TARGET gboolean
match(const SlJsonTemplate *t, const char *line, const char *end, SlMessage *ret)
{
    return match_template(t, line, end, PADDED, ret) != NULL;
}

static TARGET const char *
match_next(const SlJsonTemplate *t, const char *from, const char *to, SlMessage *ret)
{
    return match_template(t, from, to, LINES, ret);
}

/* The places of the bits, from `base` on. Eight at a time: a loop that ends elsewhere with every
 * block costs more than the places too many, which are overwritten. */
static inline TARGET guint
put_places(guint32 *to, guint64 bits, guint32 base)
{
    const guint64 stop = G_GUINT64_CONSTANT(1) << 63;
    guint n = (guint)__builtin_popcountll(bits);
    for (guint done = 0; done < n; done += 8, to += 8) {
        for (guint i = 0; i < 8; i++) {
            to[i] = base + (guint32)__builtin_ctzll(bits | stop);
            bits &= bits - 1;
        }
    }
    return n;
}

static TARGET guint
find_marks(const char *p, gsize n, guint32 *marks, guint64 *special)
{
    guint64 in_string = 0, last_slash = 0;
    guint count = 0;

    for (gsize at = 0; at < n; at += 64) {
        char last[64];
        const char *from = p + at;
        if (n - at < 64) {
            memset(last, ' ', sizeof last);
            memcpy(last, from, n - at);
            from = last;
        }
        Block block = block_load(from);
        guint64 quotes = block_equal(block, '"');
        guint64 slashes = block_equal(block, '\\');
        if ((quotes & (slashes << 1 | last_slash)) != 0)
            quotes &= ~find_escaped(slashes, last_slash != 0 ? is_escaped(p + at) : 0);
        last_slash = slashes >> 63;
        guint64 inside = prefix_xor(quotes) ^ in_string;
        in_string = (guint64)((gint64)inside >> 63);
        guint64 found = (block_either(block, ',', ':') | block_brackets(block)) & ~inside;
        special[at / 64] = quotes | slashes | block_odd(block);
        count += put_places(marks + count, found, (guint32)at);
    }
    return in_string == 0 ? count : 0;
}
