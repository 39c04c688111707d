/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* The index beside a job's log, NAME.index: where every SL_JOB_LOG_INDEX_LINES-th line begins, and
 * the first line that is an error. Records of 24 bytes, little endian: u64 line (from 0; the
 * highest bit: this is the first error), u64 offset, i64 milliseconds. Nothing depends on it:
 * without it, or with a piece of it, things take longer. */
#define SL_JOB_LOG_INDEX_LINES 1000
#define SL_JOB_LOG_INDEX_SUFFIX ".index"
#define SL_JOB_LOG_INDEX_BYTES 24

typedef struct {
    guint64 line;
    guint64 offset;
    gint64 timestamp;
    gboolean is_error;
} SlJobLogMark;

void sl_job_log_mark_append(GByteArray *out, const SlJobLogMark *mark);

/* FALSE: not one of ours. `bytes` has SL_JOB_LOG_INDEX_BYTES. */
gboolean sl_job_log_mark_parse(const guint8 *bytes, SlJobLogMark *ret);
