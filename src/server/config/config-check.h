/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"
#include "sl-records.h"

/* Results of check and discover jobs, as the synchronous operations and the commands give them. */

/* "check_connection_source" or "check_connection_destination". */
const char *config_check_type(int actor_type);

/* What a check said. *ret_status is "succeeded", "failed", or NULL: it could not be done. */
void config_check_read(const SlJob *job, const char **ret_status, char **ret_message);

/* Fills catalog, catalogId, and with a connection catalogDiff, breakingChange, connectionStatus.
 * `catalog_id` and `connection_id` may be NULL. SL_ERROR_INVALID: not a connection of the source.
 */
gboolean config_discover_fill(ServerCtx *ctx, const char *source_id, const char *discovered,
                              const char *catalog_id, const char *connection_id,
                              SlConfigDiscoverRead *read, GError **error);
