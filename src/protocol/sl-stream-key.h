/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* The rule that a record which is to be deduplicated has a primary key: at least one of its parts
 * is there and not null. */
typedef struct SlStreamKey SlStreamKey;

/* Of a configured stream in `doc`: its own primary_key, else the one that the source defines. NULL:
 * it has none. Errors (SL_ERROR_INVALID) name the member. */
SlStreamKey *sl_stream_key_new(const SlJsonDoc *doc, const SlJsonNode *configured, GError **error);
void sl_stream_key_free(SlStreamKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlStreamKey, sl_stream_key_free)

/* Stops at the first part that is there, mostly the record's first member. Data that is broken is
 * not judged here: TRUE. */
gboolean sl_stream_key_check(const SlStreamKey *key, SlSpan data);

/* The i-th path, ended by NULL; NULL: there are not so many. */
const char *const *sl_stream_key_path(const SlStreamKey *key, guint i);

/* "id, part.code", for people. */
const char *sl_stream_key_title(const SlStreamKey *key);
