/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"

/* The last events, and who reads them. An event's id is one more than that of the event before; the
 * first one of a process is its start in microseconds, so that ids grow over restarts too and a
 * client that comes with one of an earlier process is told to start afresh. Thread-safe. */

#define SERVER_EVENTS_KEPT 10000

ServerEvents *server_events_new(void);
void server_events_free(ServerEvents *events);

/* Whose streams are woken; NULL: nobody's. */
void server_events_set_http(ServerEvents *events, SlHttpServer *http);

/* `workspace` NULL: for everybody. `topics` (NULL: all of them): under which names it is asked for.
 * `data` is a JSON object. */
void server_events_add(ServerEvents *events, const char *type, const char *workspace,
                       const char *const *topics, const char *data);

/* Events may have been missed: every reader hears "reset" and asks for everything anew. */
void server_events_reset(ServerEvents *events, const char *reason);

gboolean server_events_have_readers(ServerEvents *events);

/* --- a reader: the data of a stream ------------------------------------------------------------
 */

typedef struct ServerEventReader ServerEventReader;

typedef struct {
    const gint64 *last_id;     /* go on after this one; NULL: from now on */
    const char *const *topics; /* NULL or empty: all */
    GHashTable *workspaces;    /* set of ids that the caller may see, taken; NULL: all */
    gint64 ends;               /* monotonic: when the client must come again, with its rights */
} ServerEventRequest;

ServerEventReader *server_event_reader_new(ServerEvents *events, const ServerEventRequest *request);
SlHttpPieceNext server_event_reader_make(SlHttpPiece *piece, gpointer reader);
void server_event_reader_free(gpointer reader);
