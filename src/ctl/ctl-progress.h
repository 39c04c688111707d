/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ctl-job.h"

/* The lines of a job's progress; no I/O. One object sees one job, poll after poll. */
typedef struct CtlProgress CtlProgress;

CtlProgress *ctl_progress_new(gboolean utf8);
void ctl_progress_free(CtlProgress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CtlProgress, ctl_progress_free)

/* What the server said at `now` (monotonic). */
void ctl_progress_update(CtlProgress *progress, const CtlJob *job, gint64 now);

/* For a terminal: a line per stream, at most `max_lines` and `width` columns (0: no limit). */
void ctl_progress_append_block(const CtlProgress *progress, const CtlJob *job, gint64 now,
                               guint max_lines, guint width, GString *out);

/* For anything else: one line about the whole job. */
char *ctl_progress_line(const CtlProgress *progress, const CtlJob *job, gint64 now);

/* What there is to say at the end. */
char *ctl_progress_summary(const CtlJob *job, const char *name);

/* `share` of `width` cells, in eighths where UTF-8 may be used. */
char *ctl_progress_bar(double share, guint width, gboolean utf8);
