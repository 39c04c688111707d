/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-catalog.h"
#include "sl-json-scan.h"

/* Appends a RECORD's line under the names that the destination knows, and with other data (NULL:
 * its own). Only the two names change, or a namespace is added; every other byte stays. */
void sl_rename_record(const SlCatalogStream *stream, const SlMessage *message, const GString *data,
                      const char *line, gsize len, GString *out);
