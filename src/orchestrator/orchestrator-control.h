/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator.h"

/* New configurations that connectors send (CONTROL): a refreshed token that works once, for
 * example. Each is stored as soon as it comes, whatever becomes of the job; only what could not be
 * stored by then goes with the report of the end. Main thread only. */

OrchestratorControl *orchestrator_control_new(Orchestrator *o);
void orchestrator_control_free(OrchestratorControl *control);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchestratorControl, orchestrator_control_free)

/* Takes the configuration. A newer one of the same role takes the place of one that waits. */
void orchestrator_control_take(OrchestratorControl *control, OrchestratorRole role,
                               char *configuration);

/* Waits for what is on its way, so that the report does not tell it again. */
void orchestrator_control_settle(OrchestratorControl *control);

/* The member of the output: "config": {source?, destination?}; nothing when all is stored. */
void orchestrator_control_write(const OrchestratorControl *control, SlJsonWriter *w);
