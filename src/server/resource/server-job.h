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

/* Begins a run of a connection. A sync that only waits to begin is the one that was asked for; one
 * that runs is SERVER_PROBLEM_TRY_AGAIN; an inactive connection SL_ERROR_CONFLICT. Everything else
 * (reset, clear) is server_request_run() of all streams. *ret_job_id 0 and TRUE: not yet, return
 * TRUE at once. */
gboolean server_job_start(ServerCtx *ctx, const SlConnection *connection, SlConfigType type,
                          gint64 *ret_job_id, GError **error);

/* Cancels a job that moves data and waits a while for its end. FALSE of *ret_done and TRUE: not
 * yet, return TRUE at once. A job that has ended stays as it is. SL_ERROR_NOT_FOUND. */
gboolean server_job_stop(ServerCtx *ctx, gint64 job_id, gboolean *ret_done, GError **error);

/* Cancels, without waiting, the runs of a connection, of all connections of an actor, or of a
 * workspace. */
gboolean server_job_stop_all(ServerCtx *ctx, const char *id, GError **error);
