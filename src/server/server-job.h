/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"
#include "sl-queue.h"

/* A job whose result a request waits for: check, discover, spec. The first run creates it, or joins
 * one of the same kind and scope that was created after `since` and has not ended: a client that
 * loses patience and asks again must not start the connector again. Later runs look. *ret_job NULL
 * and TRUE: not ended yet, return TRUE at once. SL_ERROR_TIMED_OUT when the caller should not be
 * kept longer; the job goes on. */
gboolean server_job_await(ServerCtx *ctx, const SlJobRequest *request, gint64 since,
                          SlJob **ret_job, GError **error);

/* What such a job gave: the member `name` of its output; NULL when there is none. */
char *server_job_output(const SlJob *job, const char *name);

/* Why it failed, in words for people. */
char *server_job_failure(const SlJob *job);
