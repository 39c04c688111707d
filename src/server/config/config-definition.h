/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"
#include "sl-records.h"

/* By its id, or one that it stands in for. workspace_id NULL: any that the caller may see.
 * `actor_type` -1: any. SL_ERROR_NOT_FOUND. */
gboolean config_definition_load(ServerCtx *ctx, const char *workspace_id, const char *definition_id,
                                int actor_type, SlDefinition **ret, GError **error);

const char *config_definition_support_level(const SlDefinition *definition);

/* As `record` (ConfigSourceDefinition or that of destinations) shows it. */
gpointer config_definition_read(const ServerCtx *ctx, const SlRecord *record,
                                const SlDefinition *row);

/* The version that is installed. */
SlConfigDefinitionVersion *config_definition_version(const SlDefinition *definition);
