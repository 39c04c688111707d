/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator-api.h"

/* Holds the workload: beats on a thread of its own, so that nothing the main thread does can make
 * us fall silent, and tells the main loop when we must stop. */
typedef struct OrchestratorHolder OrchestratorHolder;

typedef enum {
    ORCHESTRATOR_HOLDER_CANCEL, /* somebody asked us to stop cleanly; once */
    ORCHESTRATOR_HOLDER_GONE,   /* somebody else has it or it has ended: stop without a word */
    ORCHESTRATOR_HOLDER_LOST,   /* the API could not be reached until the lease ran out */
} OrchestratorHolderEvent;

typedef void (*OrchestratorHolderFunc)(OrchestratorHolderEvent event, const char *text,
                                       gpointer data);

typedef struct {
    const char *socket_path, *workload_id, *token;
    gint64 interval_usec, lease_usec;
} OrchestratorHolderOptions;

/* `last_beat`: when the call that took the lease was sent (monotonic). `func` is called in the
 * default main context. */
OrchestratorHolder *orchestrator_holder_start(const OrchestratorHolderOptions *options,
                                              gint64 last_beat, OrchestratorHolderFunc func,
                                              gpointer data);
/* Stops beating and joins the thread; no event follows. */
void orchestrator_holder_stop(OrchestratorHolder *holder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchestratorHolder, orchestrator_holder_stop)

/* The moment from which on we may not act as the holder any more (monotonic). Any thread. */
gint64 orchestrator_holder_get_deadline(OrchestratorHolder *holder);
