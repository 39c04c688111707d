/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "orchestrator-relay.h"
#include "sl-json-scan.h"
#include "sl-ledger.h"
#include "sl-stream-table.h"

/* Moves messages from the source's stdout to the destination's stdin: original bytes, in order,
 * without ever blocking. Reads nothing while the destination has not taken what was read: what is
 * held is one buffer. Main thread only. */
typedef struct OrchestratorPump OrchestratorPump;

typedef enum {
    ORCHESTRATOR_PUMP_SOURCE_EOF,    /* and all of it has been written; `text`: what is missing, a
                                        fault unless the source has failed anyway */
    ORCHESTRATOR_PUMP_SOURCE_BROKEN, /* what came is no protocol: `text` says why. What was good is
                                        being written; nothing more is read */
    ORCHESTRATOR_PUMP_UNMAPPABLE,    /* the same, because a mapper cannot be applied to a record */
    ORCHESTRATOR_PUMP_SINK_CLOSED,   /* the destination has closed its stdin */
    ORCHESTRATOR_PUMP_FLUSHED,       /* after _append(): everything is written */
} OrchestratorPumpEvent;

typedef struct {
    void (*event)(OrchestratorPumpEvent event, const char *text, gpointer data);
    /* A message that is not forwarded, or a line that is none (SL_MESSAGE_NONE). */
    void (*message)(const SlMessage *message, const char *line, gsize len, gpointer data);
} OrchestratorPumpFuncs;

OrchestratorPump *orchestrator_pump_new(const SlCatalog *catalog, SlLedger *ledger, gsize max_line,
                                        const OrchestratorPumpFuncs *funcs, gpointer data);
void orchestrator_pump_free(OrchestratorPump *pump);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchestratorPump, orchestrator_pump_free)

/* Both descriptors are non-blocking and stay the caller's. source_fd -1: no source, lines come by
 * _append() only. SINK_CLOSED is told at most once before the
 * source's end, and after it in answer to _append(). */
void orchestrator_pump_start(OrchestratorPump *pump, int source_fd, int sink_fd);

/* Before the start: records and states come over sockets, and go over sockets; of the source's
 * stdout only other messages count, and sink_fd is -1. The paths are as we see them, the catalogs
 * as the connectors do. */
gboolean orchestrator_pump_use_sockets(OrchestratorPump *pump, const OrchestratorChannel *channel,
                                       char **const paths[2], char *const catalogs[2],
                                       GError **error);
/* The source's process runs: its sockets may come now. */
void orchestrator_pump_source_started(OrchestratorPump *pump);

/* Reads nothing more from the source; what was read is written still. */
void orchestrator_pump_stop_source(OrchestratorPump *pump);

/* Writes nothing more: the descriptor may be closed then. What is not written is dropped. */
void orchestrator_pump_detach_sink(OrchestratorPump *pump);

/* With sockets: the destination sees the end of them. */
void orchestrator_pump_close_sockets(OrchestratorPump *pump);

/* One more line for the destination, with its newline, behind everything that was read. */
void orchestrator_pump_append(OrchestratorPump *pump, const char *line, gsize len);

/* For the watch over both sides, monotonic. `waiting_since`: since when the source may send and has
 * not, but for log lines (0: it is not its turn: the destination does not take what it sent);
 * `blocked_since`: since when the destination takes nothing (0: it does). */
void orchestrator_pump_get_times(const OrchestratorPump *pump, gint64 *ret_waiting_since,
                                 gint64 *ret_blocked_since);

/* The pump's table of the source's names, for those who read other messages. */
SlStreamTable *orchestrator_pump_get_streams(OrchestratorPump *pump);
