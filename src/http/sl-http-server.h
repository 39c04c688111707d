/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <sys/types.h>

/* An HTTP/1.1 server on listening sockets that somebody else made (systemd, a test).
 *
 * The thread that made the server owns connections and libsoup, and runs its main context. Handlers
 * are straight-line code on a fixed pool of threads: they see a copied request and fill a reply,
 * never libsoup nor a main context. A handler that must wait for something does not hold its
 * thread: it parks the request under a key, and is called again when sl_http_server_wake() names
 * that key or the time is over. */
typedef struct _SlHttpServer SlHttpServer;

typedef struct {
    guint max_connections;  /* more wait in the kernel's backlog; idle ones are closed for them */
    gsize max_body;         /* bytes of a request's body: 413 */
    gsize max_headers;      /* bytes of a request's headers: 431; above 64 KiB libsoup hangs up */
    gint64 header_usec;     /* from the first byte (or connecting) to the end of the headers: 408 */
    gint64 body_usec;       /* from there to the end of the body: 408 */
    gint64 write_usec;      /* for the client to take the answer */
    gint64 keep_alive_usec; /* between two requests of a connection */
    gint64 grace_usec;      /* at a stop, for the first request of one that has just come */
    guint threads;
    guint max_queue;      /* requests that wait for a thread; more: 503 with Retry-After */
    guint max_streams;    /* answers that are made piece by piece, at a time; more: 503 */
    guint stream_threads; /* for the pieces: streams and requests must not starve each other */
    gint64 idle_usec; /* the idle function is called after so long without a request; 0: never */
} SlHttpLimits;

#define SL_HTTP_LIMITS_DEFAULT                                                                     \
    {                                                                                              \
        .max_connections = 512, .max_body = 10 << 20, .max_headers = 32 << 10,                     \
        .header_usec = 10 * G_USEC_PER_SEC, .body_usec = 30 * G_USEC_PER_SEC,                      \
        .write_usec = 60 * G_USEC_PER_SEC, .keep_alive_usec = 60 * G_USEC_PER_SEC, .threads = 4,   \
        .grace_usec = G_USEC_PER_SEC, .max_queue = 128, .max_streams = 256, .stream_threads = 2    \
    }

/* Who is at the other end. `local`: a unix socket, and the kernel says who (SO_PEERCRED). */
typedef struct {
    gboolean local;
    pid_t pid;
    uid_t uid;
    gid_t gid;
    char *address; /* "127.0.0.1", "::1", "unix:UID" */
} SlHttpPeer;

typedef enum {
    SL_HTTP_FIRST_RUN,
    SL_HTTP_WOKEN,     /* parked, and its key was named */
    SL_HTTP_TIMED_OUT, /* parked, and the time was over */
    SL_HTTP_STOPPING,  /* streams only: the server stops; say goodbye, waiting is over */
} SlHttpRun;

/* A copy of what was received; belongs to the server. */
typedef struct {
    const char *method;  /* as sent; methods are case-sensitive */
    char *path;          /* as sent: percent-encoded */
    char *query;         /* as sent, without '?'; NULL: none */
    GHashTable *headers; /* lower-case name → value; repeated ones joined by ", " */
    GBytes *body;        /* never NULL */
    SlHttpPeer peer;
    gint64 received; /* monotonic time of the end of the request */

    SlHttpRun run;
    gpointer state; /* the handler's, from one run to the next */
    GDestroyNotify free_state;
    GCancellable *cancellable; /* the server must go now */
} SlHttpRequest;

const char *sl_http_request_get_header(const SlHttpRequest *request, const char *name);

typedef struct _SlHttpReply SlHttpReply;

/* NULL type: no Content-Type. The last call wins. */
void sl_http_reply_set(SlHttpReply *reply, guint status, const char *content_type, GBytes *body);
void sl_http_reply_set_text(SlHttpReply *reply, guint status, const char *content_type, char *text);
void sl_http_reply_add_header(SlHttpReply *reply, const char *name, const char *value);

/* The problem of `error`, and WWW-Authenticate, Retry-After where they belong (sl-problem.h). */
void sl_http_reply_set_error(SlHttpReply *reply, const GError *error);

/* No answer yet: run the handler again when `key` is named, or at `until` (monotonic). A naming
 * between the start of this run and its end counts: look first, then park, and nothing is lost. */
void sl_http_reply_park(SlHttpReply *reply, const char *key, gint64 until);

/* --- answers made piece by piece ---
 *
 * The producer is called in a thread for a piece, and again when the client's kernel has taken that
 * one: one piece is in flight, a slow client is asked for less often and gets more at once, and one
 * that takes nothing for `write_usec` is dropped. A stream that waits holds no thread. */
typedef enum {
    SL_HTTP_PIECE_MORE, /* call again as soon as this one is taken */
    SL_HTTP_PIECE_WAIT, /* … and then only when `key` is named, at `until`, or at a stop */
    SL_HTTP_PIECE_LAST, /* the answer is complete */
    SL_HTTP_PIECE_FAIL, /* hang up: a cut answer must not look like a whole one */
} SlHttpPieceNext;

typedef struct {
    SlHttpRun run;             /* why it is called */
    GCancellable *cancellable; /* the client or the server must go now */
    GString *out;              /* empty; the piece is appended. May stay empty */
    const char *key;           /* with WAIT; must live until the next call. NULL: only `until` */
    gint64 until;              /* with WAIT: monotonic */
} SlHttpPiece;

typedef SlHttpPieceNext (*SlHttpProducer)(SlHttpPiece *piece, gpointer data);

/* length: of the whole body, when it is known; -1: chunked, or for HTTP/1.0 up to the end of the
 * connection. Headers are sent with the first piece that is not empty. `data` is freed when no
 * piece will be asked for any more, in whatever thread. */
void sl_http_reply_set_stream(SlHttpReply *reply, guint status, const char *content_type,
                              gint64 length, SlHttpProducer producer, gpointer data,
                              GDestroyNotify free_data);

/* In a pool thread. A reply that is not filled is our bug: 500. */
typedef void (*SlHttpHandler)(SlHttpRequest *request, SlHttpReply *reply, gpointer data);

SlHttpServer *sl_http_server_new(const SlHttpLimits *limits, SlHttpHandler handler, gpointer data,
                                 GError **error);

/* Ends everything at once: connections are closed, running handlers cancelled and waited for. */
void sl_http_server_free(SlHttpServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlHttpServer, sl_http_server_free)

/* Takes connections from a listening socket (a reference is held). */
gboolean sl_http_server_listen(SlHttpServer *server, GSocket *socket, GError **error);

/* From any thread. */
void sl_http_server_wake(SlHttpServer *server, const char *key);

typedef void (*SlHttpServerFunc)(SlHttpServer *server, gpointer data);

/* Called once per idle period; a request starts a new one. */
void sl_http_server_set_idle_func(SlHttpServer *server, SlHttpServerFunc func, gpointer data);

/* No new connections, idle ones are closed, parked requests get 503, running ones their answers;
 * then, or at `deadline` (monotonic), `func` once, from the main context. */
void sl_http_server_stop(SlHttpServer *server, gint64 deadline, SlHttpServerFunc func,
                         gpointer data);

typedef struct {
    guint connections, requests; /* now: open; being received, run or answered */
    guint parked;
    guint streams;            /* of `requests`: answers that are made piece by piece */
    guint64 accepted, served; /* since the start */
    guint64 refused;          /* limits and deadlines: answered without a handler, or hung up */
    guint64 rejected;         /* 503: no place in the queue */
    guint64 by_class[6];      /* answers by first digit of the status */
} SlHttpCounters;

void sl_http_server_get_counters(SlHttpServer *server, SlHttpCounters *ret);
