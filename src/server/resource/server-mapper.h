/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"

/* Field selections and mappers of a connection's catalog, between clients and what is stored. */

/* Judges them, gives mappers without an id one, and puts their keys away: what to store. `catalog`
 * is a ConfiguredAirbyteCatalog with our members (sl-mapper.h) as a client means it; a mask keeps
 * the key that the mapper of that id has in `old` (NULL: none). The connection's row must exist.
 * SERVER_PROBLEM_MAPPER lists what is wrong. */
char *server_mapper_store(ServerCtx *ctx, const char *workspace_id, const char *connection_id,
                          const char *catalog, const char *old, GError **error);

/* The catalog for clients: keys as SL_MASK. */
char *server_mapper_mask(const char *catalog, GError **error);
