/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"
#include "sl-records.h"

/* The same permission of another type on the same thing. NULL *ret is never. */
gboolean server_permission_change(ServerCtx *ctx, const char *permission_id, int permission_type,
                                  SlPermissionResponse **ret, GError **error);

/* SL_ERROR_CONFLICT when nobody but this user administrates the instance. */
gboolean server_permission_keep_admin(ServerCtx *ctx, const char *user_id, GError **error);
