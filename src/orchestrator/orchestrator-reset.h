/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "orchestrator-input.h"
#include "sl-catalog.h"

/* The source of a reset, in this process: no records, and states that delete what is stored. Lines
 * with their newlines, as a source would write them. */
char *orchestrator_reset_write(const OrchestratorInput *input, const SlCatalog *catalog);
