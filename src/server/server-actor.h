/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"
#include "sl-records.h"

/* A living source or destination (SL_ACTOR_TYPE_*) and its definition; either may be NULL to be
 * left out. SL_ERROR_NOT_FOUND names it. */
gboolean server_actor_load(ServerCtx *ctx, const char *actor_id, int actor_type, SlActor **ret,
                           SlDefinition **ret_definition, GError **error);

/* The discovered catalog (AirbyteCatalog, JSON) of a source: as it is known, or by a discover job.
 * *ret NULL and TRUE: not yet, return TRUE at once. */
gboolean server_actor_catalog(ServerCtx *ctx, const SlActor *actor, const SlDefinition *definition,
                              gboolean ignore_known, char **ret, GError **error);
