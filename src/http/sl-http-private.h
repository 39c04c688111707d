/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <libsoup/soup.h>

#include "sl-http-server.h"

/* Shared by the files of the server: sl-http-server.c (sockets, start, stop, idle), sl-http-conn.c
 * (a connection and its deadlines), sl-http-exchange.c (a request on its way through the pool),
 * sl-http-piece.c (an answer that is made piece by piece). */

typedef struct SlHttpConn SlHttpConn;
typedef struct SlHttpExchange SlHttpExchange;

struct _SlHttpReply {
    guint status; /* 0: not filled */
    char *content_type;
    GBytes *body;
    GPtrArray *headers; /* name, value, … */
    char *park_key;
    gint64 park_until;
    SlHttpProducer producer; /* NULL: the body is whole */
    gpointer producer_data;
    GDestroyNotify free_producer_data;
    gint64 length; /* of what the producer makes; -1: unknown */
};

struct _SlHttpServer {
    SlHttpLimits limits;
    SlHttpHandler handler;
    gpointer data;
    GMainContext *context;
    SoupServer *soup;
    int soup_end; /* the far end of libsoup's make-believe listener */
    GPtrArray *listeners;
    GPtrArray *accept_sources; /* empty while no connection is taken */
    gboolean accepting;
    gint64 accept_after; /* monotonic: after accept() failed */
    gboolean stopping, freeing;
    GQueue conns;
    GQueue exchanges; /* main thread only */
    SlHttpCounters counters;

    GThreadPool *pool;
    GThreadPool *stream_pool; /* makes pieces */
    GMutex mutex;             /* guards the two lists below */
    GQueue posted;            /* of exchanges that a worker is done with */
    GQueue woken;             /* of keys */
    int post_event;           /* eventfd: one of the lists is no longer empty */
    GSource *post_source;

    GHashTable *parked;      /* key → GPtrArray of exchanges */
    GHashTable *recent_keys; /* key → GUINT number of the naming; since the oldest run began */
    guint64 wake_number;     /* namings so far */
    guint64 forgotten;       /* namings up to this one are not in recent_keys */
    guint running;           /* exchanges that are in the pool */

    GSource *deadlines;   /* of the connections: goes off at the earliest, or before */
    gint64 next_deadline; /* monotonic: when it goes off; -1: never */

    GSource *timer;     /* idle, or the end of a stop */
    gint64 timer_ready; /* monotonic; -1: off */
    gint64 idle_since;  /* monotonic: what ended then was the last request */
    SlHttpServerFunc idle_func, stop_func;
    gpointer idle_data, stop_data;
    gint64 stop_deadline;
};

typedef enum {
    SL_HTTP_CONN_WAITING, /* for the first byte of a request */
    SL_HTTP_CONN_HEADERS,
    SL_HTTP_CONN_BODY,
    SL_HTTP_CONN_RUNNING, /* a handler has it, or it is parked */
    SL_HTTP_CONN_WRITING,
    SL_HTTP_CONN_REFUSED, /* the refusal is sent; what still comes is read and dropped */
} SlHttpConnState;

struct SlHttpConn {
    SlHttpServer *server; /* NULL: over */
    GList link;           /* in server->conns */
    GSocket *socket;
    SlHttpPeer peer;
    SlHttpConnState state;
    gboolean first;      /* no request yet */
    gboolean leaving;    /* hung up for want of places */
    gboolean in_request; /* counted in server->counters.requests */
    gint64 since;        /* monotonic: when the state was entered */
    gint64 deadline;     /* monotonic: when it ends; -1: never */
    GByteArray *body;    /* of the request that is being received */
    SlHttpExchange *exchange;
};

struct SlHttpExchange {
    SlHttpServer *server;
    GList link;       /* in server->exchanges */
    SlHttpConn *conn; /* NULL: the client is gone, nobody wants the answer */
    SoupServerMessage *msg;
    SlHttpRequest request;
    SlHttpReply reply;
    gboolean in_pool;
    guint64 wake_number; /* of the server, when this run began */
    GSource *park_timer; /* while parked */

    gboolean streaming; /* counted in server->counters.streams */
    gboolean begun;     /* its head is on the way */
    SlHttpPiece piece;
    SlHttpPieceNext next;
    GSource *hang_up_watch; /* while a stream is parked: libsoup does not look then */
};

/* A source whose only trigger is g_source_set_ready_time(). */
GSource *sl_http_timer_new(GMainContext *context, int priority, GSourceFunc func, gpointer data);
void sl_http_timer_free(GSource **timer);

void sl_http_server_update(SlHttpServer *server); /* after any change of the numbers */

gboolean sl_http_conn_accept(SlHttpServer *server, GSocket *socket, GError **error);
void sl_http_conn_attach(SlHttpServer *server, SoupServerMessage *msg); /* a request begins */
SlHttpConn *sl_http_conn_of(SoupServerMessage *msg);
void sl_http_conn_enter(SlHttpConn *conn, SlHttpConnState state);
void sl_http_conn_hang_up(SlHttpConn *conn);
void sl_http_conn_dismiss(SlHttpConn *conn); /* waiting, and the server stops */
void sl_http_conn_close(SlHttpConn *conn);
gboolean sl_http_conn_close_idle(SlHttpServer *server); /* the one that is idle for longest */
gboolean sl_http_conn_check_deadlines(gpointer server); /* the source of deadlines */

void sl_http_exchange_begin(SlHttpServer *server, SoupServerMessage *msg);
void sl_http_exchange_gone(SlHttpExchange *exchange); /* its message is finished */
void sl_http_exchange_post(SlHttpExchange *exchange); /* a worker is done with it; any thread */
gboolean sl_http_exchange_posted(int fd, GIOCondition condition, gpointer server);
void sl_http_exchange_run(gpointer exchange, gpointer server);
void sl_http_exchange_stop_parked(SlHttpServer *server);
void sl_http_exchange_free(SlHttpExchange *exchange);
void sl_http_exchange_begin_answer(SlHttpExchange *exchange); /* status and headers */
void sl_http_exchange_refuse(SlHttpExchange *exchange, const char *message); /* 503 */
void sl_http_exchange_park(SlHttpExchange *exchange);
void sl_http_exchange_unpark(SlHttpExchange *exchange);

/* sl-http-piece.c: answers made piece by piece. */
void sl_http_piece_begin(SlHttpExchange *exchange); /* the handler has set a producer */
void sl_http_piece_ask(SlHttpExchange *exchange, SlHttpRun run);
void sl_http_piece_run(gpointer exchange, gpointer server); /* in the pool */
void sl_http_piece_made(SlHttpExchange *exchange);
void sl_http_piece_clear(SlHttpExchange *exchange);
