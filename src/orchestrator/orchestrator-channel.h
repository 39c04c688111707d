/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator-connector.h"
#include "orchestrator-input.h"

/* Do the records of this sync go through the pipes, or over sockets? And what connectors are told
 * of it. */

typedef struct {
    gboolean sockets; /* FALSE: pipes */
    gboolean frames;  /* PROTOBUF; else JSONL */
    guint n;
} OrchestratorChannel;

/* What both connectors can; pipes if that is what both list first. `n` is how many sockets the host
 * wants, 0: none ever. `*ret_why` says why it is pipes although both speak of a data channel; NULL
 * otherwise. */
OrchestratorChannel orchestrator_channel_choose(const OrchestratorInput *input, guint n,
                                                const char **ret_why);

/* Makes the folder of a connector's sockets and names them to it. `*ret_paths`: as we see them. */
gboolean orchestrator_channel_equip(const OrchestratorChannel *channel,
                                    OrchestratorStarter *starter, OrchestratorConnector *connector,
                                    char ***ret_paths, GError **error);
