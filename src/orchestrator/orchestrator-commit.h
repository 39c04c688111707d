/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator-api.h"

/* Writes to the workload API away from the main thread, one call at a time. */
typedef struct OrchestratorCommitter OrchestratorCommitter;

/* error NULL: accepted. Main thread. */
typedef void (*OrchestratorCommitted)(const GError *error, gpointer data);

OrchestratorCommitter *orchestrator_committer_new(const char *api_path, const char *workload_id,
                                                  const char *token);
/* A call on its way is interrupted; its callback is not called. */
void orchestrator_committer_free(OrchestratorCommitter *committer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchestratorCommitter, orchestrator_committer_free)

gboolean orchestrator_committer_is_busy(const OrchestratorCommitter *committer);

/* Posts {states, stats}, once. Takes the body. */
void orchestrator_committer_post(OrchestratorCommitter *committer, GString *take_body,
                                 OrchestratorCommitted done, gpointer data);

/* The end, on the calling thread: again and again while that may help and until `deadline`, which
 * is asked for anew each time. */
gboolean orchestrator_finish(OrchestratorApi *api, const char *call, GBytes *body,
                             gint64 (*deadline)(gpointer data), gpointer data, GError **error);
