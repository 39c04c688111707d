/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "destpg-value.h"

/* Records of one stream → rows of a binary COPY. Pure. */

typedef struct {
    const char *field; /* as the source calls it */
    DestpgKind kind;
} DestpgField;

typedef struct DestpgRow DestpgRow;

/* Copies what it needs. `raw`: no fields, the whole record goes into one jsonb column. */
DestpgRow *destpg_row_new(const DestpgField *fields, guint n, gboolean raw, gint64 sync_id,
                          gint64 generation_id);
void destpg_row_free(DestpgRow *row);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DestpgRow, destpg_row_free)

/* Appends one row; its columns are raw_id, extracted_at, generation_id, the fields in order (raw
 * mode: the data), meta. Meta is last, since it tells what became of the fields.
 * emitted_at: digits, milliseconds; n = 0: now. meta: the record's own; n = 0: none.
 * Error: SL_ERROR_CONNECTOR, the data is no JSON object; `out` is as it was. */
gboolean destpg_row_append(DestpgRow *row, DestpgBuffer *out, SlSpan data, SlSpan emitted_at,
                           SlSpan meta, DestpgScratch *scratch, GError **error);

/* What stands before the first row and behind the last. */
void destpg_row_begin_copy(DestpgBuffer *out);
void destpg_row_end_copy(DestpgBuffer *out);
