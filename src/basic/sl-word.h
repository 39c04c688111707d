/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* The candidate nearest to `word`, when it is near enough to be meant; NULL otherwise. Borrowed. */
const char *sl_word_nearest(const char *word, const char *const *candidates);
