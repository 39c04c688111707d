/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"
#include "sl-records.h"

/* The `jobInfo` of answers. */

/* Nothing ran: a job that succeeded at once. `what` is a word of JobConfigType ("get_spec"). */
SlConfigSynchronousJob *config_job_none(const ServerCtx *ctx, const char *what);

/* `what` as above; `config_id`: the actor or definition. With the job's log. */
SlConfigSynchronousJob *config_job_info(ServerCtx *ctx, const SlJob *job, const char *what,
                                        const char *config_id);

/* Was a configuration stored that the connector has given itself? */
gboolean config_job_has_new_configuration(ServerCtx *ctx, const SlJob *job);

/* The first FailureReason of a job that failed, as JSON; NULL: there is none. */
char *config_job_failure_reason(const SlJob *job);
