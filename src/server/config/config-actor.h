/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"

/* A source or destination, also a deleted one, as `record` (ConfigSourceRead or that of
 * destinations) shows it. SL_ERROR_NOT_FOUND. */
gpointer config_actor_read(ServerCtx *ctx, int actor_type, const char *actor_id,
                           const SlRecord *record, GError **error);
