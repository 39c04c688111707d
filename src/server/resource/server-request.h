/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"
#include "sl-queue-request.h"

/* Streams of a connection to be read anew or emptied, at once: what runs is cancelled, and what it
 * was to do besides is done by the next job. Streams: SlConfigConnectionStream; NULL or none: all
 * of them. *ret_job_id 0 and TRUE: the end of what runs is awaited, return TRUE at once; the
 * request is kept, whatever becomes of the caller. SL_ERROR_INVALID names a stream that the
 * connection does not have, SL_ERROR_CONFLICT when the source has one state for all its streams. */
gboolean server_request_run(ServerCtx *ctx, const SlConnection *connection, SlRequestKind kind,
                            const GPtrArray *streams, gint64 *ret_job_id, GError **error);

/* The same for some streams while the connection is being changed, without waiting. `kind` may be
 * what the destination cannot do: it is emptied then. */
gboolean server_request_leave(ServerCtx *ctx, const SlConnection *connection, SlRequestKind kind,
                              const char *const *namespaces, const char *const *names,
                              GError **error);

/* Holds what the connection does, before the connection itself is locked. *ret NULL: nothing. */
gboolean server_request_hold(ServerCtx *ctx, const char *connection_id, SlJob **ret,
                             GError **error);
