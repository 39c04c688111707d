/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* Finding one's way in catalogs: discovered ones ({"streams": [stream …]}) and configured ones,
 * where each entry has its stream inside. Namespace null, "" and missing are one value. */

const SlJsonNode *sl_catalog_walk_streams(const SlJsonDoc *doc);

/* The stream of an entry: the entry itself in a discovered catalog. */
const SlJsonNode *sl_catalog_walk_stream(const SlJsonDoc *doc, const SlJsonNode *entry);

/* The entry of `doc` (may be NULL) for the stream `wanted` of another document; NULL: none. */
const SlJsonNode *sl_catalog_walk_find(const SlJsonDoc *doc, const SlJsonDoc *wanted_doc,
                                       const SlJsonNode *wanted);

/* A string member; NULL: none. */
char *sl_catalog_walk_dup(const SlJsonDoc *doc, const SlJsonNode *node, const char *name);

/* By meaning, not by bytes: the order of members and how strings are escaped do not count. Both
 * NULL: equal. */
gboolean sl_catalog_walk_equal(const SlJsonDoc *a_doc, const SlJsonNode *a, const SlJsonDoc *b_doc,
                               const SlJsonNode *b);

/* SHA-256 of a discovered catalog's meaning: the order of members and of streams do not count. */
char *sl_catalog_hash(const char *discovered, GError **error);
