/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"
#include "sl-records.h"

/* Connectors, without their face on either API. A definition belongs to the whole host (shipped, or
 * registered by the administrator) or to one workspace, which alone sees and changes it. */

#define SERVER_MANIFEST_RUNTIME "manifest" /* see server-manifest.h */

/* By its id or by one that it stands in for. workspace_id NULL: of all workspaces that the
 * caller may see. actor_type -1: either. SL_ERROR_NOT_FOUND. */
gboolean server_definition_load(ServerCtx *ctx, const char *workspace_id, const char *definition_id,
                                int actor_type, SlDefinition **ret, GError **error);

/* A workspace's own definition for a container image: run as the connector of that image and tag
 * that is installed on this host. SL_ERROR_NOT_IMPLEMENTED when there is none: images themselves
 * are not run. */
gboolean server_definition_make(ServerCtx *ctx, const char *workspace_id, int actor_type,
                                const char *name, const char *image, const char *tag,
                                const char *documentation_url, SlDefinition **ret, GError **error);

/* name NULL, tag NULL: as it is. SL_ERROR_INVALID: it is the host's. */
gboolean server_definition_change(ServerCtx *ctx, const char *workspace_id,
                                  const char *definition_id, int actor_type, const char *name,
                                  const char *tag, SlDefinition **ret, GError **error);

/* Gives what it was. SL_ERROR_INVALID: it is the host's. SL_ERROR_CONFLICT: it is in use. */
gboolean server_definition_remove(ServerCtx *ctx, const char *workspace_id,
                                  const char *definition_id, int actor_type, SlDefinition **ret,
                                  GError **error);
