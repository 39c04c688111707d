/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator-connector.h"
#include "orchestrator-input.h"

/* The configuration as the connector gets it: the user's, and for a connector that is a manifest
 * the manifest with it, as the kit that runs it expects. Its own code is given along only when it
 * is what somebody has consented to (SL_ERROR_FORBIDDEN), and then the kit is told that it may. */
GBytes *orchestrator_manifest_configure(const OrchestratorInput *input, OrchestratorRole role,
                                        OrchestratorConnector *connector, GError **error);
