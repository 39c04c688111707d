/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* One line of a job's log: {timestamp, level, logSource, message, stackTrace?} as JSON. */

typedef enum {
    SL_JOB_LOG_FATAL,
    SL_JOB_LOG_ERROR,
    SL_JOB_LOG_WARN,
    SL_JOB_LOG_INFO,
    SL_JOB_LOG_DEBUG,
    SL_JOB_LOG_TRACE,
} SlJobLogLevel;

typedef enum {
    SL_JOB_LOG_SOURCE,
    SL_JOB_LOG_DESTINATION,
    SL_JOB_LOG_ORCHESTRATOR,
    SL_JOB_LOG_PLATFORM,
} SlJobLogSource;

/* INFO for what is no level. */
SlJobLogLevel sl_job_log_level(const char *name);

/* Secrets that must not be seen in logs. */
typedef struct SlMask SlMask;
SlMask *sl_mask_new(void);
void sl_mask_free(SlMask *mask);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlMask, sl_mask_free)

/* A value, the lines of one that has several, and its spelling in JSON. Values of less than four
 * bytes are not masked: they would hide half of every line. */
void sl_mask_add(SlMask *mask, const char *secret);

/* The values at `paths` (an array of "a.b", "/a/b", "$.a.b" or ["a", "b"]; "*" stands for every
 * member or element) of a configuration: strings and numbers. */
void sl_mask_add_paths(SlMask *mask, const SlJsonDoc *doc, const SlJsonNode *configuration,
                       const SlJsonNode *paths);

/* Text with every secret replaced by asterisks; NULL when there is nothing to replace. */
char *sl_mask_apply(const SlMask *mask, const char *text, gsize len);

/* Appends the line with its newline. Texts are cut at SL_JOB_LOG_MAX_TEXT. mask, stack: may be
 * NULL. */
void sl_job_log_append(GString *out, gint64 timestamp, SlJobLogLevel level, SlJobLogSource source,
                       const char *message, gsize message_len, const char *stack,
                       const SlMask *mask);
#define SL_JOB_LOG_MAX_TEXT 50000

/* The head of a line that sl_job_log_append() wrote: its members but the texts, and where the first
 * text begins (its quote). FALSE when it is none. Cheap: for searching. */
typedef struct {
    gint64 timestamp;
    SlJobLogLevel level;
    SlJobLogSource source;
    const char *message;
} SlJobLogHead;
gboolean sl_job_log_head_parse(const char *line, gsize len, SlJobLogHead *ret);

/* SlJobLogLevel and SlJobLogSource by name, in any case; -1: there is none. */
int sl_job_log_level_value(const char *name);
int sl_job_log_source_value(const char *name);
