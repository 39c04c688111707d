/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator-log.h"
#include "orchestrator-start.h"

/* One run of one connector: its sluice-init, its pipes, its stderr (into the job's log), and how it
 * ended, in words. Main thread only. */
typedef struct OrchestratorConnector OrchestratorConnector;

typedef enum {
    ORCHESTRATOR_CONNECTOR_STARTED,
    ORCHESTRATOR_CONNECTOR_ENDED, /* see _get_end(); its output may still hold bytes */
} OrchestratorConnectorEvent;

typedef void (*OrchestratorConnectorFunc)(OrchestratorConnector *connector,
                                          OrchestratorConnectorEvent event, gpointer data);

/* Makes socket and pipes. with_stdin FALSE: the connector reads end of file. */
OrchestratorConnector *orchestrator_connector_new(OrchestratorStarter *starter,
                                                  OrchestratorLog *log, OrchestratorRole role,
                                                  gboolean with_stdin, GError **error);

/* Ends the connector, if it runs still. */
void orchestrator_connector_free(OrchestratorConnector *connector);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchestratorConnector, orchestrator_connector_free)

/* An argument of the connector. */
gboolean orchestrator_connector_add_arg(OrchestratorConnector *connector, const char *arg,
                                        GError **error);
/* A file of the connector, and the two arguments "--OPTION PATH" that name it. */
gboolean orchestrator_connector_add_file(OrchestratorConnector *connector, const char *option,
                                         const char *name, GBytes *content, GError **error);
/* A file that no argument names. */
gboolean orchestrator_connector_put_file(OrchestratorConnector *connector, const char *name,
                                         GBytes *content, char **ret_path, GError **error);
gboolean orchestrator_connector_add_env(OrchestratorConnector *connector, const char *name,
                                        const char *value, GError **error);

void orchestrator_connector_start(OrchestratorConnector *connector, OrchestratorConnectorFunc func,
                                  gpointer data);

/* Sends a signal; the end it may bring counts as ours from then on. */
void orchestrator_connector_signal(OrchestratorConnector *connector, int signum);

int orchestrator_connector_get_stdout(const OrchestratorConnector *connector);
int orchestrator_connector_get_stdin(const OrchestratorConnector *connector); /* -1: closed */
void orchestrator_connector_close_stdin(OrchestratorConnector *connector);
OrchestratorRole orchestrator_connector_get_role(const OrchestratorConnector *connector);

gboolean orchestrator_connector_has_started(const OrchestratorConnector *connector);
gboolean orchestrator_connector_has_ended(const OrchestratorConnector *connector);
/* Ended with exit code 0, known for certain. */
gboolean orchestrator_connector_is_clean(const OrchestratorConnector *connector);
/* "the source ended with exit code 3"; with its last words on stderr, if any, for *ret_detail. */
char *orchestrator_connector_describe_end(const OrchestratorConnector *connector,
                                          char **ret_detail);
