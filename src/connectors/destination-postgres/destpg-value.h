/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "destpg-text.h"
#include "destpg-type.h"

/* One JSON value → one field of a binary COPY row. Pure. */

typedef enum {
    DESTPG_KEPT,     /* the value, or NULL for null */
    DESTPG_STRIPPED, /* the value without the \u0000 that jsonb refuses */
    DESTPG_REFUSED,  /* NULL: the column's type has no such value */
    DESTPG_TOO_BIG,  /* NULL: beyond the type's limits */
} DestpgVerdict;

/* What converting needs beside the output; one per connection. */
typedef struct {
    DestpgBuffer text; /* an unescaped string */
    SlJsonDoc *doc;    /* for values that jsonb will parse */
} DestpgScratch;

void destpg_scratch_clear(DestpgScratch *scratch);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DestpgScratch, destpg_scratch_clear)

/* Appends length and payload. value.n = 0: missing. `checked`: sl_json_members_next() gave it, so
 * scalars and strings are valid; containers are not. */
DestpgVerdict destpg_value_put(DestpgBuffer *out, DestpgKind kind, SlSpan value, gboolean checked,
                               DestpgScratch *scratch);

void destpg_value_put_null(DestpgBuffer *out);
void destpg_value_put_text(DestpgBuffer *out, const char *p, gsize n);
void destpg_value_put_int64(DestpgBuffer *out, gint64 value); /* bigint, timestamps */
