/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator-commit.h"
#include "orchestrator-lines.h"
#include "orchestrator-pump.h"
#include "orchestrator.h"

/* Private to orchestrator-sync.c (the order of things) and orchestrator-watch.c (clocks). */

typedef struct {
    OrchestratorConnector *connector; /* NULL: none, or gone */
    gint64 started_at;                /* 0: not yet */
    gint64 ended_at, eof_at;          /* 0: not yet */
    gint64 kill_at;                   /* 0: it was not asked to stop */
    gboolean failed;                  /* its failure is noted */
} OrchestratorSide;

struct OrchestratorSync {
    Orchestrator *o;
    SlCatalog *catalog;
    SlLedger *ledger;
    OrchestratorPump *pump;
    OrchestratorSide sides[2]; /* per role */
    gboolean source_done;      /* nothing more comes from it */
    gboolean source_ok;
    gboolean source_cut; /* its output ended in the middle of a message */
    char *source_lack;   /* what is missing of it, when its exit says nothing else; NULL: nothing */
    OrchestratorChannel channel;
    char **paths[2];      /* per role, with a channel: its sockets */
    char *catalogs[2];    /* per role: as it was told */
    gboolean sink_closed; /* by us: the destination has everything */
    gint64 sink_closed_at;
    gboolean sink_refused; /* by the destination */
    gboolean miscounted;   /* a fault of the ledger, which has been told */
    gboolean failed, cancelled, concluded;
    gboolean stopping; /* no more is wanted: the source's end does not matter */
    gint64 stopping_at;
    gint64 activity_at; /* the destination's last word */
    OrchestratorLines acks;
    SlJsonScanner *ack_scanner;
    guint ack_source, tick_source, commit_source, kill_source;
    OrchestratorCommitter *committer;
    SlStreamBooks posted; /* the total that was posted last */
    guint commit_failures;
};

/* Asks a connector to stop, and kills it when it does not. */
void orchestrator_sync_end_side(OrchestratorSync *sync, OrchestratorRole role);
/* Reads nothing more from the source and ends it: what was read is delivered and committed still.
 */
void orchestrator_sync_source_is_over(OrchestratorSync *sync);
/* Nothing more comes from the destination. */
void orchestrator_sync_destination_eof(OrchestratorSync *sync);
gboolean orchestrator_sync_on_tick(gpointer data);
