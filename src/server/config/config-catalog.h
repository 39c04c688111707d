/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Between the catalogs of the protocol, as they are stored (flat, snake_case; connection.catalog
 * may have `mappers` and `selectedFields` per stream), and the one of the config API: camelCase,
 * {"streams": [{"stream": {…}, "config": {…}}]}. All are JSON texts. Pure. */

/* A discovered AirbyteCatalog, every stream with the configuration that a page begins with.
 * Selected are those in `suggested` (names, NULL: none), and a stream that is alone. */
char *config_catalog_from_discovered(const char *discovered, const char *const *suggested,
                                     GError **error);

/* The ConfiguredAirbyteCatalog of a connection: its streams are the selected ones. With field
 * selection the schema has the selected fields only. Secrets of mappers are masked. */
char *config_catalog_from_configured(const char *configured, GError **error);

/* Everything discovered; what the connection has is selected and as it has it, the rest as a page
 * would begin. Streams that the connection has and the source has lost: with `keep_lost` as they
 * were, otherwise left out. */
char *config_catalog_merge(const char *discovered, const char *configured, gboolean keep_lost,
                           GError **error);

/* The way back: the ConfiguredAirbyteCatalog of the selected streams, judged as far as it can be
 * without the destination. SL_ERROR_INVALID names the place: "streams[2].config.syncMode: …".
 * Mappers are taken as they are: sl-mapper judges them. */
char *config_catalog_to_configured(const char *catalog, GError **error);

/* The discovered AirbyteCatalog that a catalog of the config API came from. */
char *config_catalog_to_discovered(const char *catalog, GError **error);
