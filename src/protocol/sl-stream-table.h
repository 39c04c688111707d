/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-catalog.h"

/* Finds a stream by the raw bytes of its name in a message, once per record. A spelling with
 * escapes is unescaped once and then remembered as it is. */
typedef struct SlStreamTable SlStreamTable;

typedef enum {
    SL_NAMES_OF_SOURCE,
    SL_NAMES_OF_DESTINATION,
} SlNamesSide;

SlStreamTable *sl_stream_table_new(const SlCatalog *catalog, SlNamesSide side);
void sl_stream_table_free(SlStreamTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlStreamTable, sl_stream_table_free)

/* Index in the catalog, or -1. Spans as SlMessage has them: without quotes, escapes untouched. */
gint sl_stream_table_find(SlStreamTable *table, SlSpan ns, gboolean ns_escaped, SlSpan name,
                          gboolean name_escaped);

/* The same for {"name": …, "namespace": …} in a document; -1 also when it is no such object. */
gint sl_stream_table_find_descriptor(SlStreamTable *table, const SlJsonDoc *doc,
                                     const SlJsonNode *descriptor);
