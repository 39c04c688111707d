/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-word.h"

#include <string.h>

/* Edits (insert, delete, replace, swap of neighbours) from one word to the other, in bytes. */
static guint
distance(const char *a, const char *b)
{
    gsize n = strlen(a), m = strlen(b);
    g_autofree guint *rows = g_new(guint, 3 * (m + 1));
    guint *before = rows, *above = rows + (m + 1), *row = rows + 2 * (m + 1);
    for (gsize j = 0; j <= m; j++)
        above[j] = (guint)j;
    for (gsize i = 1; i <= n; i++) {
        row[0] = (guint)i;
        for (gsize j = 1; j <= m; j++) {
            guint best = MIN(above[j], row[j - 1]) + 1;
            best = MIN(best, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = MIN(best, before[j - 2] + 1);
            row[j] = best;
        }
        guint *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[m];
}

const char *
sl_word_nearest(const char *word, const char *const *candidates)
{
    const char *nearest = NULL;
    gsize len = strlen(word);
    guint least = (guint)MIN(len / 3 + 1, 4);
    if (len == 0 || len > 200)
        return NULL;
    for (gsize i = 0; candidates[i] != NULL; i++) {
        const char *candidate = candidates[i];
        if (len >= 3 && g_str_has_prefix(candidate, word) && least > 0) {
            /* The beginning of a word is what people abbreviate. */
            nearest = candidate;
            least = 0;
            continue;
        }
        if (strlen(candidate) > 200)
            continue;
        guint far = distance(word, candidate);
        if (far < least || (far == least && nearest == NULL && far < len)) {
            least = far;
            nearest = candidate;
        }
    }
    return nearest;
}
