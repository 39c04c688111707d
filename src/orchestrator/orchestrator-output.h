/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator-lines.h"

/* What goes to the destination: pieces of the input as it came, and text of ours, in order. Input
 * that is in its pipe still goes from pipe to pipe; everything else is written. */
typedef struct {
    GString *ours;   /* rewritten lines, until they are written */
    GArray *pieces;  /* of Piece, in order */
    guint piece;     /* the first that is not written whole */
    gsize done;      /* bytes of it */
    gsize ours_left; /* bytes of all pieces of ours that came since the last drop */
} OrchestratorOutput;

typedef enum {
    ORCHESTRATOR_OUTPUT_SOME,   /* something was written */
    ORCHESTRATOR_OUTPUT_FULL,   /* the destination takes nothing now */
    ORCHESTRATOR_OUTPUT_CLOSED, /* nor ever again */
    ORCHESTRATOR_OUTPUT_GONE,   /* input that was looked at is not in its pipe any more */
} OrchestratorOutputResult;

void orchestrator_output_init(OrchestratorOutput *output);
void orchestrator_output_clear(OrchestratorOutput *output);

/* Of `ours`, or of the input's memory. */
void orchestrator_output_add(OrchestratorOutput *output, gboolean ours, gsize offset, gsize len);

/* Forgets everything. */
void orchestrator_output_drop(OrchestratorOutput *output);

/* One write, when there is something; with SOME so many bytes. */
OrchestratorOutputResult orchestrator_output_write(OrchestratorOutput *output,
                                                   OrchestratorLines *input, int fd,
                                                   gsize *ret_bytes);

/* Is going from pipe to pipe worth it for what is waiting? */
gboolean orchestrator_output_is_plain(const OrchestratorOutput *output, gsize input_bytes);

static inline gboolean
orchestrator_output_waits(const OrchestratorOutput *output)
{
    return output->piece < output->pieces->len;
}
