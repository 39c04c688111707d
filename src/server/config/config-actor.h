/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"
#include "sl-records.h"

/* A source or destination, also a deleted one, as `record` (ConfigSourceRead or that of
 * destinations) shows it. SL_ERROR_NOT_FOUND. */
gpointer config_actor_read(ServerCtx *ctx, int actor_type, const char *actor_id,
                           const SlRecord *record, GError **error);

/* Ids of the sources or destinations that match; `workspace_ids` as server_ctx_workspaces() gives
 * them. */
gboolean config_actor_search_ids(ServerCtx *ctx, int actor_type, const char *const *workspace_ids,
                                 const SlConfigSourceSearch *in, char ***ret, GError **error);
