/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Protocol lines for fuzzing: made, then damaged. Deterministic for a seed. */
typedef struct {
    GRand *rand;
    GString *text;  /* the line in hand, without its newline; damage may have put some inside */
    GString *other; /* the one before: damage takes from it */
} SlFuzzLines;

void sl_fuzz_lines_init(SlFuzzLines *f, guint32 seed);
void sl_fuzz_lines_clear(SlFuzzLines *f);
void sl_fuzz_lines_next(SlFuzzLines *f);
guint sl_fuzz_below(SlFuzzLines *f, guint n); /* 0 … n - 1 */
