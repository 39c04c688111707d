/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"
#include "sl-records.h"

/* Sources that are a manifest of the low-code kit instead of a program: definitions of a workspace
 * with versions of their manifest, one of which is active. */

/* Version 1, or the next one, becomes the active one. SL_ERROR_INVALID: the manifest has no
 * spec.connection_specification. */
gboolean server_manifest_make(ServerCtx *ctx, const char *workspace_id, const char *name,
                              const char *manifest, SlManifestRow **ret, GError **error);
gboolean server_manifest_change(ServerCtx *ctx, const char *workspace_id, const char *definition_id,
                                const char *manifest, SlManifestRow **ret, GError **error);

/* The active version. SL_ERROR_NOT_FOUND: no such definition, or not a manifest. */
gboolean server_manifest_load(ServerCtx *ctx, const char *workspace_id, const char *definition_id,
                              SlManifestRow **ret, GError **error);
