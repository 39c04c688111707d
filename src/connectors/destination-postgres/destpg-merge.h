/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "destpg-table.h"

/* Deduplication as SQL. Pure: builds statements for quoted tables. */

/* Rows of `from`, one per key, into the empty table `to`. */
char *destpg_merge_insert(const DestpgLayout *layout, const char *from, const char *to,
                          gboolean hard_delete);

/* Rows of `from`, one per key, over the rows of `to`, where they are newer. */
char *destpg_merge_upsert(const DestpgLayout *layout, const char *from, const char *to,
                          gboolean hard_delete);

/* The rows that the upsert would leave in `to`, into the empty table `into`. */
char *destpg_merge_rebuild(const DestpgLayout *layout, const char *from, const char *to,
                           const char *into, gboolean hard_delete);
