/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* What has become of a source's streams since a connection was configured: a CatalogDiff of the
 * config API, as JSON. Pure.
 *
 * `configured` is the connection's ConfiguredAirbyteCatalog, `known` (may be NULL) the
 * AirbyteCatalog that its streams were chosen from: a stream that stands there was seen and not
 * chosen, and is not news. A change is breaking when a sync needs what is gone: a field of its
 * cursor or primary key, or the source's own primary key. ret_breaking may be NULL. */
char *config_diff(const char *configured, const char *known, const char *discovered,
                  gboolean *ret_breaking, GError **error);
