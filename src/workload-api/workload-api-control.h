/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "workload-api-ops.h"

/* A connector may send its whole new configuration (CONTROL, connectorConfig; protocol §CONTROL), a
 * refreshed token for example. The orchestrator posts it as it comes: a commit's `config`,
 * {source?, destination?}. This stores each for its actor, secrets sealed, in the transaction of
 * that commit. The workload's input has it from then on, so that the next one is known not to be an
 * edit, and that the same one again changes nothing.
 *
 * An edit that a person made meanwhile stays; the connector's is dropped with a warning. */
gboolean workload_api_control_store(const WorkloadApiCall *call, const char *configurations,
                                    GError **error);

/* The same for the output's `config` (what could not be posted before), in the transaction that
 * ends the workload; gives the output without them (to be freed): they may hold secrets. */
gboolean workload_api_control_apply(const WorkloadApiCall *call, const char *output,
                                    char **ret_output, GError **error);
