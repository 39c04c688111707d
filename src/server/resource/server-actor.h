/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"
#include "sl-records.h"

/* Sources and destinations, without their face on either API. The functions that change one take
 * what the client sent: configurations with plain secrets and masks, which are judged by the
 * connector's specification and stored with references. */

/* What is new; NULL: as it is (nothing, for a new one). */
typedef struct {
    const char *name;
    const char *configuration;       /* JSON object */
    const char *resource_allocation; /* JSON object, ScopedResourceRequirements */
    gboolean merge;                  /* the configuration goes over the stored one (PATCH) */
} ServerActorEdit;

/* A living source or destination (SL_ACTOR_TYPE_*) and its definition; either may be NULL to be
 * left out. SL_ERROR_NOT_FOUND names it. */
gboolean server_actor_load(ServerCtx *ctx, const char *actor_id, int actor_type, SlActor **ret,
                           SlDefinition **ret_definition, GError **error);

/* definition_id NULL: by the short name in configuration.sourceType or .destinationType. Nothing is
 * run. SL_ERROR_UNPROCESSABLE: the specification refuses the configuration. */
gboolean server_actor_make(ServerCtx *ctx, int actor_type, const char *workspace_id,
                           const char *definition_id, const ServerActorEdit *edit, SlActor **ret,
                           SlDefinition **ret_definition, GError **error);

gboolean server_actor_change(ServerCtx *ctx, int actor_type, const char *actor_id,
                             const ServerActorEdit *edit, SlActor **ret,
                             SlDefinition **ret_definition, GError **error);

/* With its connections, whose runs are cancelled, and its secrets. */
gboolean server_actor_remove(ServerCtx *ctx, int actor_type, const char *actor_id, GError **error);

/* The configuration for clients: secrets as SL_MASK, or as "secret_coordinate::ID", which is taken
 * back in a change of the same actor. */
char *server_actor_configuration(const SlActor *actor, gboolean coordinates, GError **error);

/* "sluice/source-postgres" is "postgres" to clients. */
const char *server_actor_short_name(const SlDefinition *definition);

/* Of the page of a list, with one statement and without specifications: id → SlDefinition. Ids may
 * repeat. */
gboolean server_definitions_load(ServerCtx *ctx, GPtrArray *definition_ids, GHashTable **ret,
                                 GError **error);

/* Runs the connector's check. *ret NULL and TRUE: not yet, return TRUE at once. */
gboolean server_actor_await_check(ServerCtx *ctx, const SlActor *actor, SlCheckResponse **ret,
                                  GError **error);

/* The discovered catalog (AirbyteCatalog, JSON) of a source: as it is known, or by a discover job.
 * *ret NULL and TRUE: not yet, return TRUE at once. */
gboolean server_actor_catalog(ServerCtx *ctx, const SlActor *actor, const SlDefinition *definition,
                              gboolean ignore_known, char **ret, GError **error);

/* For configurations of any origin. References are made by us only: one that comes from outside
 * could name somebody else's secret. */
gboolean server_actor_refuse_references(const char *configuration, GError **error);

/* Where a secret would be sealed, on a host that has no key for it (SlSecretSeal). */
char *server_actor_refuse_secret(const char *plain, gpointer data, GError **error);
