/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"
#include "sl-records.h"

/* The end of an attempt's log, as clients of the config API read it: `events` for the newer ones
 * and `logLines` for the older ones, in one object. A line in front says when something was left
 * out, and where the whole log is. That a log cannot be read is said in it, and no error. */
char *config_log_read(ServerCtx *ctx, gint64 job_id, gint64 attempt);
void config_log_fill(ServerCtx *ctx, gint64 job_id, SlConfigAttemptInfo *info);

/* The same for text that was read: whole lines. `notice` (may be NULL) is the line in front. */
char *config_log_build(const char *text, gsize len, const char *notice);

/* Bytes of a log that are read at most. */
#define CONFIG_LOG_BYTES ((gint64)1 << 19)
