/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Catalogs on the public API's wires: pure functions over JSON texts.
 *   discovered: AirbyteCatalog, as a source's discover gave it
 *   streams: StreamConfiguration[] of a connection in the public API's shape
 *   configured: ConfiguredAirbyteCatalog as stored with a connection (without generation ids)
 * Streams are matched by name and namespace, where null, "" and missing are one value. */

/* GET /streams: a bare array of stream properties. `destination_modes` are the destination
 * specification's supported_destination_sync_modes; NULL leaves syncModes out. */
char *server_catalog_list_streams(const char *discovered, const char *const *destination_modes,
                                  GError **error);

/* The catalog of a connection. `streams` NULL or []: every stream, full refresh and overwrite.
 * SL_ERROR_INVALID names the stream and the field: "configurations.streams[2].cursorField: …". */
char *server_catalog_configure(const char *discovered, const char *streams,
                               const char *const *destination_modes, GError **error);

/* The way back, for ConnectionResponse.configurations.streams. */
char *server_catalog_describe(const char *configured, GError **error);
