/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator-connector.h"
#include "orchestrator-holder.h"
#include "orchestrator-input.h"
#include "sl-catalog.h"
#include "sl-config.h"
#include "sl-failure.h"
#include "sl-json-scan.h"

/* What the parts of one run share. Main thread only. */

typedef struct OrchestratorControl OrchestratorControl;

typedef enum {
    ORCHESTRATOR_RUNNING,
    ORCHESTRATOR_SUCCEEDED,
    ORCHESTRATOR_FAILED,
    ORCHESTRATOR_CANCELLED,
    ORCHESTRATOR_GONE, /* the workload is not ours any more: nothing is said */
} OrchestratorOutcome;

typedef struct {
    const char *workload_id, *token, *api_path;
    const SlConfig *config;
    const OrchestratorInput *input;
    OrchestratorStarter *starter;
    OrchestratorLog *log;
    OrchestratorHolder *holder;
    SlFailures *failures;
    const SlCatalog *catalog; /* of a sync, while there is one */
    OrchestratorControl *control;
    GMainLoop *loop;
    OrchestratorOutcome outcome;
} Orchestrator;

/* Notes a failure, its secrets masked, in the list and in the log. */
void orchestrator_fail(Orchestrator *o, SlFailureOrigin origin, SlFailureType type,
                       const char *detail, const char *format, ...) G_GNUC_PRINTF(5, 6);

/* The failure that a connector's end is. */
void orchestrator_fail_end(Orchestrator *o, const OrchestratorConnector *connector);

/* LOG, CONTROL, lines that are no messages, and TRACE errors of a connector. TRUE: *ret_trace is
 * something else for the caller, to be cleared. */
gboolean orchestrator_take_message(Orchestrator *o, OrchestratorRole role, const SlMessage *message,
                                   const char *line, gsize len, SlTrace *ret_trace);

/* The files, arguments and environment that every connector gets. `operation`: its first argument.
 */
gboolean orchestrator_equip(Orchestrator *o, OrchestratorConnector *connector,
                            const char *operation, GError **error);

SlFailureOrigin orchestrator_origin(OrchestratorRole role);
SlJobLogSource orchestrator_log_source(OrchestratorRole role);

/* A sync, or a check, discover or spec. Both run until they set the outcome and quit the loop. */
typedef struct OrchestratorSync OrchestratorSync;
OrchestratorSync *orchestrator_sync_start(Orchestrator *o, GError **error);
void orchestrator_sync_stop(OrchestratorSync *sync, gboolean cancelled, const char *why);
/* Kills both sides at once, the destination before it can take the end of our pipe for the end of
 * the records. TRUE: the loop is to run until it is quit. */
gboolean orchestrator_sync_kill(OrchestratorSync *sync);
void orchestrator_sync_free(OrchestratorSync *sync); /* kills what runs still */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchestratorSync, orchestrator_sync_free)
/* The success that was told has been refused: it is none. */
void orchestrator_sync_take_back(OrchestratorSync *sync);
/* The members states and stats of a body. */
void orchestrator_sync_write(OrchestratorSync *sync, SlJsonWriter *w);

typedef struct OrchestratorJob OrchestratorJob;
OrchestratorJob *orchestrator_job_start(Orchestrator *o, GError **error);
void orchestrator_job_stop(OrchestratorJob *job, gboolean cancelled, const char *why);
void orchestrator_job_free(OrchestratorJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchestratorJob, orchestrator_job_free)
/* The member of the output: "check": {…}; nothing when there is no result. */
void orchestrator_job_write(const OrchestratorJob *job, SlJsonWriter *w);
