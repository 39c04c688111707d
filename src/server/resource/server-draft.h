/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"
#include "sl-records.h"

/* Check and discover of a configuration that nobody has saved. It is judged like any other, its
 * secrets are sealed into rows that belong to the job and go when the job ends. */
typedef struct {
    const SlDefinition *definition;
    const char *workspace_id;
    const SlActor *actor;      /* whose secrets the masks stand for; NULL: nobody's */
    const char *configuration; /* as the client sent it */
} ServerDraft;

/* Creates the job. SL_ERROR_UNPROCESSABLE: the specification refuses the configuration. */
gboolean server_draft_job(ServerCtx *ctx, const ServerDraft *draft, SlConfigType type, SlJob **ret,
                          GError **error);

/* As server_job_await(): *ret NULL and TRUE: not ended yet, return TRUE at once. */
gboolean server_draft_await(ServerCtx *ctx, const ServerDraft *draft, SlConfigType type,
                            SlJob **ret, GError **error);
