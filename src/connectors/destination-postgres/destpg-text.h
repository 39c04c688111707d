/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

#include "destpg-buffer.h"

/* JSON text → text that PostgreSQL takes: valid UTF-8 without NUL. Never fails: what cannot be
 * (invalid UTF-8, a lone surrogate, an unknown escape) becomes U+FFFD, a NUL is left out. */

/* Appends the content of a quoted string. `checked`: the strict reader has seen it. */
void destpg_text_unescape(DestpgBuffer *out, SlSpan quoted, gboolean checked);

/* Appends bytes as they are, but for the above. */
void destpg_text_copy(DestpgBuffer *out, SlSpan text, gboolean checked);

/* Appends JSON text without its \u0000 escapes, which jsonb refuses. TRUE: there were some. */
gboolean destpg_text_copy_json(DestpgBuffer *out, SlSpan json);

/* sl_json_members_next() for data that it calls malformed: also accepts bad strings, and any word
 * as a scalar (NaN). FALSE at the end or when not even that can be told apart. */
gboolean destpg_text_members_next(SlSpan object, gsize *cursor, SlSpan *ret_key, SlSpan *ret_value,
                                  gboolean *ret_malformed);
