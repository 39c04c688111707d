/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Record `id` (from 1) of a stream, made from the seed and the id alone: any slice can be made
 * without the ones before it. */

#define SAMPLE_RECORD_MAX 1024
#define SAMPLE_N_PRODUCTS 100

typedef struct {
    guint64 seed;
    /* Of every record, when not empty: the records of an always_updated pass were all changed when
     * it began. */
    char updated_at[40];
    gsize updated_at_len;
} SampleMaker;

/* Fills the tables; updated_at NULL: from the record. */
void sample_maker_init(SampleMaker *maker, gint64 seed, const char *updated_at);

/* Each writes one JSON object of at most SAMPLE_RECORD_MAX bytes at `p` and returns its end. The
 * same number of bytes must be writable. */
char *sample_put_user(const SampleMaker *maker, guint64 id, char *p);
char *sample_put_product(const SampleMaker *maker, guint64 id, char *p);
char *sample_put_purchase(const SampleMaker *maker, guint64 id, char *p);
