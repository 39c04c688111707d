/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Order of versions as Semantic Versioning 2.0.0, §11, has it: <0, 0, >0. A leading "v" and build
 * metadata
 * ("+…") do not count, missing numbers are 0 ("1.2" = "1.2.0"), numbers have any length. */
int sl_version_compare(const char *a, const char *b);

/* Does it have an order at all? "latest", "dev" and digests do not. */
gboolean sl_version_is_ordered(const char *version);
