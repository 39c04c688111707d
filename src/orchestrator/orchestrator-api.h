/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "sl-json-write.h"

/* The holder's side of the workload API. Calls block; one object belongs to one thread at a time.
 * Errors: SL_ERROR_GONE (410 and 404: we do not hold the workload any more), _UNAVAILABLE and
 * _TIMED_OUT (try again), others (the request was refused; trying again does not help). */
typedef struct OrchestratorApi OrchestratorApi;

OrchestratorApi *orchestrator_api_new(const char *socket_path, const char *workload_id,
                                      const char *token);
void orchestrator_api_free(OrchestratorApi *api);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchestratorApi, orchestrator_api_free)

GBytes *orchestrator_api_get_input(OrchestratorApi *api, gint64 deadline, GError **error);

/* call: "running" or "heartbeat". */
gboolean orchestrator_api_beat(OrchestratorApi *api, const char *call, gint64 deadline,
                               GCancellable *cancellable, gboolean *ret_cancel, GError **error);

/* Posts {states, stats}. */
gboolean orchestrator_api_commit(OrchestratorApi *api, GBytes *body, gint64 deadline,
                                 GCancellable *cancellable, GError **error);

/* call: "success", "failure" or "cancel". */
gboolean orchestrator_api_finish(OrchestratorApi *api, const char *call, GBytes *body,
                                 gint64 deadline, GCancellable *cancellable, GError **error);

/* Opens a body's object and writes the member that all of them have. */
void orchestrator_api_begin_body(const OrchestratorApi *api, SlJsonWriter *w);
