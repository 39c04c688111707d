/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator-channel.h"
#include "sl-json-scan.h"
#include "sl-ledger.h"
#include "sl-stream-table.h"

/* The records of a sync over sockets: n of the source's, n of the destination's, each pair with a
 * buffer between. Counts, selects, maps and renames as the pump does for pipes, and passes a state
 * on when all of its records have passed. Never blocks. Main thread only. */
typedef struct OrchestratorRelay OrchestratorRelay;

typedef struct {
    const SlCatalog *catalog;
    SlLedger *ledger;
    SlStreamTable *streams; /* of the source's names */
    OrchestratorChannel channel;
    char **source_paths, **destination_paths;         /* as we see them */
    const char *source_catalog, *destination_catalog; /* as the connectors see them: JSON */
    gsize max_message;
} OrchestratorRelayOptions;

typedef struct {
    /* Something has changed: see the getters below. */
    void (*changed)(gpointer data);
    /* A message that is not forwarded, or a line that is none (SL_MESSAGE_NONE). */
    void (*message)(const SlMessage *message, const char *line, gsize len, gpointer data);
} OrchestratorRelayFuncs;

/* Listens for the destination. */
OrchestratorRelay *orchestrator_relay_new(const OrchestratorRelayOptions *options,
                                          const OrchestratorRelayFuncs *funcs, gpointer data,
                                          GError **error);
void orchestrator_relay_free(OrchestratorRelay *relay);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchestratorRelay, orchestrator_relay_free)

/* Begins to look for the source's sockets, which come when it has got that far. */
void orchestrator_relay_start(OrchestratorRelay *relay);

/* The source has ended: sockets that have not come never will. */
void orchestrator_relay_source_ended(OrchestratorRelay *relay);

/* Reads nothing more; what was read is written still. */
void orchestrator_relay_stop(OrchestratorRelay *relay);

/* Writes nothing more; what is not written is dropped. The destination sees no end yet: one that is
 * to be killed must not take it for the end of the records. */
void orchestrator_relay_detach(OrchestratorRelay *relay);
/* And now it does. */
void orchestrator_relay_close(OrchestratorRelay *relay);

/* Lines for the destination, each with its newline, behind everything that was read: on every
 * socket, for nobody knows which one is read last. */
void orchestrator_relay_append(OrchestratorRelay *relay, const char *lines, gsize len);

gboolean orchestrator_relay_is_reading(const OrchestratorRelay *relay);
gboolean orchestrator_relay_has_output(const OrchestratorRelay *relay);
/* Everything is written, and the destination has come to every socket. */
gboolean orchestrator_relay_is_flushed(const OrchestratorRelay *relay);
gboolean orchestrator_relay_is_closed(const OrchestratorRelay *relay); /* by the destination */

typedef enum {
    ORCHESTRATOR_RELAY_FINE,
    ORCHESTRATOR_RELAY_BROKEN,     /* what came is no protocol */
    ORCHESTRATOR_RELAY_UNMAPPABLE, /* a mapper cannot be applied */
    ORCHESTRATOR_RELAY_CUT,        /* it ended too early: a fault unless the source failed anyway */
} OrchestratorRelayFault;
OrchestratorRelayFault orchestrator_relay_get_fault(const OrchestratorRelay *relay,
                                                    const char **ret_text);

/* As orchestrator_pump_get_times(). */
void orchestrator_relay_get_times(const OrchestratorRelay *relay, gint64 *ret_waiting_since,
                                  gint64 *ret_blocked_since);
