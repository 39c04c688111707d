/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-config.h"
#include "sl-job-log.h"
#include "sl-json-read.h"

/* What a workload is to do, as the workload API says it (ARCHITECTURE.md). */

typedef enum {
    ORCHESTRATOR_SYNC,
    ORCHESTRATOR_CHECK,
    ORCHESTRATOR_DISCOVER,
    ORCHESTRATOR_SPEC,
} OrchestratorJobType;

typedef struct {
    SlJsonDoc *doc; /* owns everything below */
    OrchestratorJobType type;
    gint64 job_id, attempt_number; /* -1: not sent */
    char *connection_id, *workspace_id, *log_path;
    gint64 deadline_usec;                     /* of check, discover and spec; 0: none */
    const SlJsonNode *configurations[2];      /* per OrchestratorRole; NULL: none */
    gboolean has_role[2], supports_refreshes; /* the latter of the destination */
    const SlJsonNode *ipc_options[2];         /* connectorIPCOptions; NULL: none */
    const SlJsonNode *secret_paths[2];        /* NULL: none */
    const SlJsonNode *manifests[2];           /* what the connector is; NULL: a program */
    char *components[2], *components_sha256[2];
    const SlJsonNode *catalog, *state; /* sync; state NULL: none */
    char *namespace_definition, *namespace_format, *prefix;
    gboolean is_reset;
} OrchestratorInput;

/* SL_ERROR_INVALID names the member. */
OrchestratorInput *orchestrator_input_parse(GBytes *text, GError **error);
void orchestrator_input_free(OrchestratorInput *input);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchestratorInput, orchestrator_input_free)

/* The settings of the host that has the database win over those of this one. */
void orchestrator_input_apply(const OrchestratorInput *input, SlConfig *config);

const char *orchestrator_job_type_name(OrchestratorJobType type);

/* The secrets of both configurations. */
SlMask *orchestrator_input_mask(const OrchestratorInput *input);

/* The content of the state file: an array of states, or what a LEGACY state holds. NULL: none. */
GBytes *orchestrator_input_state_file(const OrchestratorInput *input);
