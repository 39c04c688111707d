/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"
#include "sl-records.h"

/* Sources that are a manifest of the low-code kit instead of a program: definitions of a workspace,
 * or of the host, with versions of their manifest, one of which is active. */

/* Version 1, or the next one, becomes the active one. SL_ERROR_INVALID: the manifest has no
 * spec.connection_specification. */
gboolean server_manifest_make(ServerCtx *ctx, const char *workspace_id, const char *name,
                              const char *manifest, SlManifestRow **ret, GError **error);
gboolean server_manifest_change(ServerCtx *ctx, const char *workspace_id, const char *definition_id,
                                const char *manifest, SlManifestRow **ret, GError **error);

/* The active version. SL_ERROR_NOT_FOUND: no such definition, or not a manifest. */
gboolean server_manifest_load(ServerCtx *ctx, const char *workspace_id, const char *definition_id,
                              SlManifestRow **ret, GError **error);

/* One of the host that is being registered: the specification that it gives, or the one that it has
 * when the request brings no manifest. SL_ERROR_INVALID names what is wrong with it, and code that
 * nobody has consented to. */
gboolean server_manifest_judge(ServerCtx *ctx, const SlConnectorRegisterRequest *in,
                               char **ret_spec, GError **error);

/* Its manifest, if the request has one, becomes the next version, and the active one. */
gboolean server_manifest_keep(ServerCtx *ctx, const SlConnectorRegisterRequest *in,
                              const SlDefinition *definition, GError **error);
