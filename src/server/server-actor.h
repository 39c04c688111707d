/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"
#include "sl-records.h"

/* A living source or destination (SL_ACTOR_TYPE_*) and its definition; either may be NULL to be
 * left out. SL_ERROR_NOT_FOUND names it. */
gboolean server_actor_load(ServerCtx *ctx, const char *actor_id, int actor_type, SlActor **ret,
                           SlDefinition **ret_definition, GError **error);

/* Configurations come from outside: judged by the specification, their secrets put away. */
typedef struct {
    const char *workspace_id, *name, *configuration;
} ServerActorNew;

gboolean server_actor_add(ServerCtx *ctx, const ServerActorNew *new, const SlDefinition *definition,
                          SlActor **ret, GError **error);

typedef struct {
    const char *name, *configuration; /* NULL: as it is */
    gboolean merged;                  /* over the stored one, instead of in its place */
} ServerActorChange;

gboolean server_actor_change(ServerCtx *ctx, const char *actor_id, int actor_type,
                             const ServerActorChange *wanted, SlActor **ret,
                             SlDefinition **ret_definition, GError **error);

/* With the connections that use it. */
gboolean server_actor_remove(ServerCtx *ctx, const char *actor_id, int actor_type, GError **error);

/* A check or discover job of the actor, as server_job_await(). */
gboolean server_actor_await(ServerCtx *ctx, const SlActor *actor, SlConfigType type, SlJob **ret,
                            GError **error);

/* The discovered catalog (AirbyteCatalog, JSON) of a source: as it is known, or by a discover job.
 * *ret NULL and TRUE: not yet, return TRUE at once. */
gboolean server_actor_catalog(ServerCtx *ctx, const SlActor *actor, const SlDefinition *definition,
                              gboolean ignore_known, char **ret, GError **error);
