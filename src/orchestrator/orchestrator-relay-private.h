/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator-lines.h"
#include "orchestrator-relay.h"
#include "sl-channel-books.h"
#include "sl-frame-schema.h"

/* Between orchestrator-relay.c (sockets) and orchestrator-relay-message.c (what comes over them).
 */

typedef struct {
    int listener;       /* -1: the destination has come, or never will */
    int in, out;        /* -1: not there yet, or not any more */
    gboolean connected; /* the source has been there */
    gboolean ended;     /* nothing more comes from it */
    OrchestratorLines input;
    SlBytes output; /* [written, len) is still to be written */
    gsize written;
    gint64 blocked_since; /* 0: nothing waits to be written */
    gpointer listener_tag, in_tag, out_tag;
    guint64 n_messages;
} RelaySocket;

typedef struct {
    SlFrameSchema *from, *to; /* with frames: the columns of each end */
    SlBytes names;            /* … and the record's names for the destination */
    gboolean straight;        /* values pass as they are */
    GArray *key;              /* of guint: columns of the primary key; NULL: none, or they are not
                                 columns, but inside of them */
    SlCount covered;          /* of what has passed: is in a state that has passed */
} RelayStream;

struct OrchestratorRelay {
    OrchestratorRelayOptions options;
    OrchestratorRelayFuncs funcs;
    gpointer data;
    RelaySocket *sockets;
    guint n;
    RelayStream *streams;
    SlStreamBooks *books;    /* of the ledger */
    SlChannelBooks *channel; /* which states are due */
    SlJsonScanner *scanner;
    SlBytes json, values; /* of the record in hand */
    GString *line, *mapped;
    GSource *source;
    guint search_source, search_pause;
    gint64 search_since; /* 0: the source has not begun */
    gint64 heard_at;     /* when something came last */
    gboolean closed;     /* by the destination, or by us */
    gboolean stopped;    /* nothing more is read */
    OrchestratorRelayFault fault;
    char *fault_text;
};

void orchestrator_relay_fail(OrchestratorRelay *relay, OrchestratorRelayFault fault,
                             const char *format, ...) G_GNUC_PRINTF(3, 4);

gboolean orchestrator_relay_make_streams(OrchestratorRelay *relay, GError **error);
void orchestrator_relay_free_streams(OrchestratorRelay *relay);

/* All whole messages of a socket's input, and the states that are due then. */
void orchestrator_relay_take_messages(OrchestratorRelay *relay, RelaySocket *socket);
