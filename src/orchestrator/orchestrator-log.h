/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "sl-job-log.h"

/* The log of one attempt: a file of JSON lines. Losing it must never fail a sync: when it cannot be
 * opened or the disk is full, the journal is told once and lines are only counted from there on.
 * Main thread only. */
typedef struct OrchestratorLog OrchestratorLog;

/* `path` is relative to `folder`; folders are made. Never NULL. */
OrchestratorLog *orchestrator_log_new(const char *folder, const char *path, gint64 max_bytes,
                                      SlMask *take_mask);
void orchestrator_log_free(OrchestratorLog *log); /* writes what is buffered */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchestratorLog, orchestrator_log_free)

void orchestrator_log_line(OrchestratorLog *log, SlJobLogLevel level, SlJobLogSource source,
                           const char *text, gsize len, const char *stack);
void orchestrator_log_say(OrchestratorLog *log, SlJobLogLevel level, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* Text without its secrets, for failures and the journal; to be freed. */
char *orchestrator_log_mask(const OrchestratorLog *log, const char *text);

/* The payload of a LOG message; one that is broken is logged as it is. */
void orchestrator_log_message(OrchestratorLog *log, SlJobLogSource source, SlSpan payload);

void orchestrator_log_flush(OrchestratorLog *log);

/* Lines that are not in the file: the disk was full, or it has its size. */
guint64 orchestrator_log_get_lost(const OrchestratorLog *log);
