/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <string.h>

/* The words that records are made of: invented here, no JSON escape needed in any. A word fills a
 * fixed cell, so that it is copied whole, without a length-dependent copy. */
#define SAMPLE_WORD_SIZE 32

typedef struct {
    char text[SAMPLE_WORD_SIZE - 1];
    guint8 n;
} SampleWord;

typedef enum {
    SAMPLE_FIRST_NAMES,
    SAMPLE_LAST_NAMES,
    SAMPLE_FIRST_NAMES_LOWER, /* for mail addresses */
    SAMPLE_LAST_NAMES_LOWER,
    SAMPLE_TITLES,
    SAMPLE_GENDERS,
    SAMPLE_LANGUAGES,
    SAMPLE_DEGREES,
    SAMPLE_NATIONALITIES,
    SAMPLE_OCCUPATIONS,
    SAMPLE_BLOOD_TYPES,
    SAMPLE_STREETS,
    SAMPLE_CITIES,
    SAMPLE_PROVINCES,
    SAMPLE_STATES,
    SAMPLE_COUNTRIES,
    SAMPLE_MAKES,
    SAMPLE_MODELS,
    SAMPLE_N_LISTS
} SampleList;

typedef struct {
    SampleWord *words;
    guint n;
} SampleWords;

/* Index by SampleList; filled by sample_words_init(). */
extern SampleWords sample_words[SAMPLE_N_LISTS];
void sample_words_init(void);

/* Room for a whole cell must follow `p`. */
static inline char *
sample_put_word(char *p, const SampleWord *word)
{
    memcpy(p, word->text, sizeof word->text);
    return p + word->n;
}

/* `random` picks evenly enough: the lists are short against 2^16. */
static inline const SampleWord *
sample_pick(SampleList list, guint16 random)
{
    return &sample_words[list].words[(random * sample_words[list].n) >> 16];
}
