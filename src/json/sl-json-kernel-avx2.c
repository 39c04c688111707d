/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-json-kernel.h"

#ifdef __x86_64__
#include <immintrin.h>

/* Two registers of 32 bytes, and the carry-less multiplication for prefix_xor. */

#define TARGET __attribute__((target("avx2,pclmul,bmi,popcnt")))

typedef struct {
    __m256i part[2];
} Block;

static inline TARGET Block
block_load(const char *p)
{
    const __m256i *from = (const __m256i *)p;
    return (Block){{_mm256_loadu_si256(from), _mm256_loadu_si256(from + 1)}};
}

static inline TARGET guint64
gather(__m256i a, __m256i b)
{
    return (guint32)_mm256_movemask_epi8(a) | (guint64)(guint32)_mm256_movemask_epi8(b) << 32;
}

static inline TARGET guint64
block_equal(Block b, char c)
{
    __m256i all = _mm256_set1_epi8(c);
    return gather(_mm256_cmpeq_epi8(b.part[0], all), _mm256_cmpeq_epi8(b.part[1], all));
}

static inline TARGET guint64
block_either(Block b, char c, char d)
{
    __m256i all_c = _mm256_set1_epi8(c), all_d = _mm256_set1_epi8(d);
    return gather(
        _mm256_or_si256(_mm256_cmpeq_epi8(b.part[0], all_c), _mm256_cmpeq_epi8(b.part[0], all_d)),
        _mm256_or_si256(_mm256_cmpeq_epi8(b.part[1], all_c), _mm256_cmpeq_epi8(b.part[1], all_d)));
}

static inline TARGET gboolean
block_has(Block b, char c)
{
    __m256i all = _mm256_set1_epi8(c);
    __m256i any =
        _mm256_or_si256(_mm256_cmpeq_epi8(b.part[0], all), _mm256_cmpeq_epi8(b.part[1], all));
    return !_mm256_testz_si256(any, any);
}

static inline TARGET guint64
block_differ(Block a, Block b)
{
    return ~gather(_mm256_cmpeq_epi8(a.part[0], b.part[0]),
                   _mm256_cmpeq_epi8(a.part[1], b.part[1]));
}

static inline TARGET guint64
block_brackets(Block b)
{
    __m256i bit = _mm256_set1_epi8(0x20);
    return block_either((Block){{_mm256_or_si256(b.part[0], bit), _mm256_or_si256(b.part[1], bit)}},
                        '{', '}');
}

/* Below the space, signed: so are the bytes with the top bit set. */
static inline TARGET guint64
block_odd(Block b)
{
    __m256i space = _mm256_set1_epi8(' ');
    return gather(_mm256_cmpgt_epi8(space, b.part[0]), _mm256_cmpgt_epi8(space, b.part[1]));
}

/* Multiplying by all ones without carries sums, for every bit, the bits up to it. */
static inline TARGET guint64
prefix_xor(guint64 bits)
{
    __m128i product =
        _mm_clmulepi64_si128(_mm_cvtsi64_si128((gint64)bits), _mm_set1_epi8((char)0xff), 0);
    return (guint64)_mm_cvtsi128_si64(product);
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
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
}

const SlJsonKernel sl_json_kernel_avx2 = {"avx2", supported,  skip_object, skip_container,
                                          match,  match_next, find_marks};
#endif
