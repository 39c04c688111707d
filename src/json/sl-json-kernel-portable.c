/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-json-kernel.h"

#include <string.h>

/* For every processor: eight words of eight bytes. */

#define TARGET
#define ONES G_GUINT64_CONSTANT(0x0101010101010101)
#define LOWS G_GUINT64_CONSTANT(0x7f7f7f7f7f7f7f7f)

typedef struct {
    guint64 word[8];
} Block;

static inline Block
block_load(const char *p)
{
    Block b;
    memcpy(&b, p, sizeof b);
    for (guint i = 0; i < 8; i++)
        b.word[i] = GUINT64_FROM_LE(b.word[i]);
    return b;
}

/* A bit for each byte that is zero. Exact: nothing is carried from byte to byte. */
static inline guint64
zero_bytes(guint64 word)
{
    guint64 tops = ~(((word & LOWS) + LOWS) | word | LOWS);
    /* The multiplication gathers the eight top bits, moved to the bottom, in the first byte. */
    return ((tops >> 7) * G_GUINT64_CONSTANT(0x0102040810204080)) >> 56;
}

static inline guint64
block_equal(Block b, char c)
{
    guint64 bits = 0;
    for (guint i = 0; i < 8; i++)
        bits |= zero_bytes(b.word[i] ^ (ONES * (guint8)c)) << (8 * i);
    return bits;
}

static inline guint64
block_either(Block b, char c, char d)
{
    return block_equal(b, c) | block_equal(b, d);
}

static inline gboolean
block_has(Block b, char c)
{
    return block_equal(b, c) != 0;
}

static inline guint64
block_differ(Block a, Block b)
{
    guint64 bits = 0;
    for (guint i = 0; i < 8; i++)
        bits |= zero_bytes(a.word[i] ^ b.word[i]) << (8 * i);
    return ~bits;
}

static inline guint64
block_brackets(Block b)
{
    for (guint i = 0; i < 8; i++)
        b.word[i] |= ONES * 0x20;
    return block_either(b, '{', '}');
}

static inline guint64
block_odd(Block b)
{
    guint64 bits = 0;
    for (guint i = 0; i < 8; i++) {
        guint64 plain = (b.word[i] & LOWS) + ONES * 0x60; /* the top bit: 0x20 or more */
        guint64 tops = (~plain | b.word[i]) & ~LOWS;
        bits |= ((tops >> 7) * G_GUINT64_CONSTANT(0x0102040810204080)) >> 56 << (8 * i);
    }
    return bits;
}

static inline guint64
prefix_xor(guint64 bits)
{
    for (guint n = 1; n < 64; n *= 2)
        bits ^= bits << n;
    return bits;
}

static inline guint32
digits_mask(const char *p)
{
    guint32 bits = 0;
    for (guint i = 0; i < 16; i++)
        bits |= (guint32)((guint8)(p[i] - '0') <= 9) << i;
    return bits;
}

#include "sl-json-kernel-body.h"

static gboolean
supported(void)
{
    return TRUE;
}

const SlJsonKernel sl_json_kernel_portable = {"portable", supported,  skip_object, skip_container,
                                              match,      match_next, find_marks};
