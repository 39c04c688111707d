/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "workload-api-ops.h"

/* The whole input of a workload for its holder: what the worker stored, with ids, the host's
 * settings, and the secrets in place of their references. SL_ERROR_GONE for a late holder. */
gboolean workload_api_input_build(const WorkloadApiCall *call, GString *out, GError **error);
