/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-log-scan.h"
#include "server-dispatch.h"
#include "sl-records.h"

/* The log of an attempt, opened. */
typedef struct {
    gint64 job_id, attempt_number;
    const char *status; /* of the attempt, when it was opened */
    char *path;
    SlLogFile *file; /* NULL: nothing was written yet */
    gint64 size;     /* when it was opened */
    gboolean ended;  /* the attempt: the log will not grow */
} ServerLog;

#define SERVER_LOG_INIT                                                                            \
    {                                                                                              \
        0                                                                                          \
    }

void server_log_clear(ServerLog *log);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ServerLog, server_log_clear)

/* SL_ERROR_NOT_FOUND: no such attempt; SL_ERROR_GONE: its log was deleted; SL_ERROR_CONFLICT: it
 * was compressed. */
gboolean server_log_open(ServerCtx *ctx, gint64 job_id, gint64 attempt_number, ServerLog *ret,
                         GError **error);

/* What of a request says which lines. */
gboolean server_log_filter_read(const SlLogSearchRequest *in, ServerLogFilter *ret, GError **error);
