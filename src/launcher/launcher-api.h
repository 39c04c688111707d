/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "launcher-workload.h"

/* The workload API as the launcher calls it (ARCHITECTURE.md). All calls block and belong into a
 * thread; each makes its own connection, so any number may run at once. Errors: what the API
 * answered (GONE: the claim is not ours any more), or UNAVAILABLE. */
typedef struct {
    const char *socket;
    const char *group; /* of data planes */
    const char *data_plane;
} LauncherApi;

/* Polls for up to `quantity` and claims what came; the claimed, with their tokens. A workload whose
 * launch is faulty is claimed and failed at once. When a claim fails by an error, those claimed
 * before it are still returned; the others are shown again later. */
gboolean launcher_api_take(const LauncherApi *api, guint quantity, GPtrArray **ret_workloads,
                           GCancellable *cancellable, GError **error);

/* Everything this data plane holds. */
gboolean launcher_api_list(const LauncherApi *api, GPtrArray **ret_workloads,
                           GCancellable *cancellable, GError **error);

gboolean launcher_api_launched(const LauncherApi *api, const char *id, const char *token,
                               GError **error);
gboolean launcher_api_release(const LauncherApi *api, const char *id, const char *token,
                              GError **error);
gboolean launcher_api_fail(const LauncherApi *api, const char *id, const char *token,
                           const char *reason, GError **error);
