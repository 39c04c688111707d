/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"
#include "sl-json-token.h"

/* Reads the one value at the start of [text, end), which may have anything behind it. Children of
 * containers deeper than `keep` (the outermost is 1) are checked, but leave no nodes: a line of any
 * size is judged in constant memory. NULL and *fault when there is no valid value. */
const char *sl_json_read_value(SlJsonDoc *doc, const char *text, const char *end, guint max_depth,
                               guint keep, SlJsonFault *fault, gboolean *ret_too_deep);
