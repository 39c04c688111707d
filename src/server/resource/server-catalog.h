/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-records.h"

/* Between the catalogs of the protocol (JSON text) and the stream lists of the API. Pure. */

/* The ConfiguredAirbyteCatalog of a connection: the discovered streams that `wanted` lists, as it
 * lists them; all of them, full refresh and overwrite, when it lists none. `destination_spec` says
 * which modes the destination has. SL_ERROR_INVALID names stream and property. */
char *server_catalog_configure(const char *discovered, const char *destination_spec,
                               const SlStreamConfigurations *wanted, GError **error);

/* The way back. */
SlStreamConfigurations *server_catalog_list(const char *configured, GError **error);

/* For GET /streams: SlStreamProperties. NULL spec: no sync modes. */
GPtrArray *server_catalog_properties(const char *discovered, const char *destination_spec,
                                     GError **error);

/* Names and namespaces ("" = none) of the streams whose source mode differs; NULL-terminated. */
gboolean server_catalog_changed_modes(const char *before, const char *after, char ***ret_namespaces,
                                      char ***ret_names, GError **error);

/* The same of the streams of `after` that are new, or read or written in another way: other modes,
 * cursor, key, mappers, selection or fields. */
gboolean server_catalog_changed_streams(const char *before, const char *after,
                                        char ***ret_namespaces, char ***ret_names, GError **error);
