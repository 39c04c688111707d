/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-job-log-index.h"

#include <string.h>

#include "sl-job-log.h"

#define ERROR_BIT (G_GUINT64_CONSTANT(1) << 63)

void
sl_job_log_mark_append(GByteArray *out, const SlJobLogMark *mark)
{
    const guint64 words[] = {
        GUINT64_TO_LE(mark->line | (mark->is_error ? ERROR_BIT : 0)),
        GUINT64_TO_LE(mark->offset),
        GUINT64_TO_LE((guint64)mark->timestamp),
    };
    G_STATIC_ASSERT(sizeof words == SL_JOB_LOG_INDEX_BYTES);
    g_byte_array_append(out, (const guint8 *)words, sizeof words);
}

gboolean
sl_job_log_mark_parse(const guint8 *bytes, SlJobLogMark *ret)
{
    guint64 words[3];
    memcpy(words, bytes, sizeof words);
    *ret = (SlJobLogMark){
        .line = GUINT64_FROM_LE(words[0]) & ~ERROR_BIT,
        .offset = GUINT64_FROM_LE(words[1]),
        .timestamp = (gint64)GUINT64_FROM_LE(words[2]),
        .is_error = (GUINT64_FROM_LE(words[0]) & ERROR_BIT) != 0,
    };
    return ret->offset <= G_MAXINT64 && (ret->is_error || ret->line % SL_JOB_LOG_INDEX_LINES == 0);
}
