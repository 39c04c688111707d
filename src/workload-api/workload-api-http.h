/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>

#include "sl-db.h"
#include "sl-http-server.h"
#include "workload-api-ops.h"

/* HTTP in front of the calls: routing, who is asking, transaction, problems. */
typedef struct WorkloadApi WorkloadApi;

/* `holder_uid`: the user that orchestrators run as; (uid_t)-1 when there is none on this host. */
WorkloadApi *workload_api_new(const SlConfig *config, SlDb *db, SlSealKey *key, uid_t holder_uid,
                              GError **error);
void workload_api_free(WorkloadApi *api);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WorkloadApi, workload_api_free)

/* An SlHttpHandler; data is the WorkloadApi. */
void workload_api_handle(SlHttpRequest *request, SlHttpReply *reply, gpointer data);
