/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "workload-api-ops.h"

/* A connector may send its whole new configuration (CONTROL, connectorConfig; protocol §CONTROL), a
 * refreshed token for example. The orchestrator puts the last one into the output's `config`,
 * {source?, destination?}. This stores each for its actor, secrets sealed, in the transaction that
 * ends the workload, and gives the output without them (to be freed).
 *
 * An edit that a person made meanwhile stays; the connector's is dropped with a warning. */
gboolean workload_api_control_apply(const WorkloadApiCall *call, const char *output,
                                    char **ret_output, GError **error);
