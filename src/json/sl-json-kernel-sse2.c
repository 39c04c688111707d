/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-json-kernel.h"

#ifdef __x86_64__
#include <emmintrin.h>

/* Four registers of 16 bytes: part of every x86-64. */

#define TARGET

typedef struct {
    __m128i part[4];
} Block;

static inline Block
block_load(const char *p)
{
    const __m128i *from = (const __m128i *)p;
    return (Block){{_mm_loadu_si128(from), _mm_loadu_si128(from + 1), _mm_loadu_si128(from + 2),
                    _mm_loadu_si128(from + 3)}};
}

static inline guint64
gather(__m128i a, __m128i b, __m128i c, __m128i d)
{
    guint64 low = (guint32)_mm_movemask_epi8(a) | (guint32)_mm_movemask_epi8(b) << 16;
    guint64 high = (guint32)_mm_movemask_epi8(c) | (guint32)_mm_movemask_epi8(d) << 16;
    return low | high << 32;
}

static inline guint64
block_equal(Block b, char c)
{
    __m128i all = _mm_set1_epi8(c);
    return gather(_mm_cmpeq_epi8(b.part[0], all), _mm_cmpeq_epi8(b.part[1], all),
                  _mm_cmpeq_epi8(b.part[2], all), _mm_cmpeq_epi8(b.part[3], all));
}

static inline __m128i
either(__m128i part, __m128i all_c, __m128i all_d)
{
    return _mm_or_si128(_mm_cmpeq_epi8(part, all_c), _mm_cmpeq_epi8(part, all_d));
}

static inline guint64
block_either(Block b, char c, char d)
{
    __m128i all_c = _mm_set1_epi8(c), all_d = _mm_set1_epi8(d);
    return gather(either(b.part[0], all_c, all_d), either(b.part[1], all_c, all_d),
                  either(b.part[2], all_c, all_d), either(b.part[3], all_c, all_d));
}

static inline gboolean
block_has(Block b, char c)
{
    __m128i all = _mm_set1_epi8(c);
    __m128i low = _mm_or_si128(_mm_cmpeq_epi8(b.part[0], all), _mm_cmpeq_epi8(b.part[1], all));
    __m128i high = _mm_or_si128(_mm_cmpeq_epi8(b.part[2], all), _mm_cmpeq_epi8(b.part[3], all));
    return _mm_movemask_epi8(_mm_or_si128(low, high)) != 0;
}

static inline guint64
block_differ(Block a, Block b)
{
    return ~gather(_mm_cmpeq_epi8(a.part[0], b.part[0]), _mm_cmpeq_epi8(a.part[1], b.part[1]),
                   _mm_cmpeq_epi8(a.part[2], b.part[2]), _mm_cmpeq_epi8(a.part[3], b.part[3]));
}

static inline guint64
block_brackets(Block b)
{
    for (guint i = 0; i < 4; i++)
        b.part[i] = _mm_or_si128(b.part[i], _mm_set1_epi8(0x20));
    return block_either(b, '{', '}');
}

/* Below the space, signed: so are the bytes with the top bit set. */
static inline guint64
block_odd(Block b)
{
    __m128i space = _mm_set1_epi8(' ');
    return gather(_mm_cmpgt_epi8(space, b.part[0]), _mm_cmpgt_epi8(space, b.part[1]),
                  _mm_cmpgt_epi8(space, b.part[2]), _mm_cmpgt_epi8(space, b.part[3]));
}

static inline guint64
prefix_xor(guint64 bits)
{
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    return bits ^ bits << 32;
}

static inline TARGET guint32
digits_mask(const char *p)
{
    __m128i value = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)p), _mm_set1_epi8('0'));
    __m128i digit = _mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value);
    return (guint32)_mm_movemask_epi8(digit);
}

#include "sl-json-kernel-body.h"

static gboolean
supported(void)
{
    return TRUE;
}

const SlJsonKernel sl_json_kernel_sse2 = {"sse2", supported,  skip_object, skip_container,
                                          match,  match_next, find_marks};
#endif
