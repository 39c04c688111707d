/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* A destination that is slower than its source would wake us for every page that it has taken. Once
 * its pipe is full it is left alone until a good part of that is free again: for as long as it took
 * the last times. Times are monotonic, microseconds. */
typedef struct {
    gboolean may; /* the pipe is wide enough */
    gint64 usec;  /* the next one; 0: the destination is quick */
    gint64 until; /* it is not written to before; 0: no rest now */
    gsize taken;  /* bytes since the pipe was full */
} OrchestratorRest;

/* The pipe is full. */
void orchestrator_rest_begin(OrchestratorRest *rest, gint64 now);

/* It is not any more: the first page is free. TRUE: it may be written to at once. */
gboolean orchestrator_rest_wake(OrchestratorRest *rest, gint64 now);

/* Is it time to write again? */
gboolean orchestrator_rest_is_over(OrchestratorRest *rest, gint64 now);
