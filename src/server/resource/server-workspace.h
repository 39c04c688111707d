/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"
#include "sl-records.h"

/* Workspaces, without their face on either API. Notifications are JSON in the public API's shape
 * (NotificationsConfig): items, each with the channels email and webhook. What is stored are the
 * differences to the defaults. */

/* A living one. ret NULL: only whether it is there. SL_ERROR_NOT_FOUND. */
gboolean server_workspace_load(ServerCtx *ctx, const char *workspace_id, SlWorkspace **ret,
                               GError **error);

/* workspace_id NULL: a new one. organization_id NULL: the first one. notifications NULL: the
 * defaults. SERVER_PROBLEM_MISSING_URL: a webhook without address. */
gboolean server_workspace_make(ServerCtx *ctx, const char *workspace_id,
                               const char *organization_id, const char *name,
                               const char *notifications, SlWorkspace **ret, GError **error);

/* NULL: as it is. Notifications are merged, item by item and channel by channel. */
gboolean server_workspace_change(ServerCtx *ctx, const char *workspace_id, const char *name,
                                 const char *notifications, SlWorkspace **ret, GError **error);

/* With all that is in it; what runs is cancelled. */
gboolean server_workspace_remove(ServerCtx *ctx, const char *workspace_id, GError **error);

/* All items and channels, as a client is told them. */
char *server_workspace_notifications(const SlWorkspace *workspace, GError **error);
