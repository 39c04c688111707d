/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/* A small blocking HTTP/1.1 client for the APIs on unix sockets: orchestrator, launcher, sluicectl.
 * Links GLib and GIO only. One object is one connection at a time, used by one thread at a time.
 *
 * The connection is kept between requests. When the server has closed it meanwhile (idle exit,
 * restart), the next request connects anew; with socket activation that starts the server. A method
 * that may be repeated (all but POST and PATCH) is also sent again, once, when a kept connection
 * ends before the first byte of its answer; POST and PATCH always get a fresh connection. Any
 * request is sent again, once, when the server hung up before it could have all of it (it stops).
 */
typedef struct _SlHttpUnix SlHttpUnix;

#define SL_HTTP_UNIX_MAX_HEADERS (64 * 1024)
#define SL_HTTP_UNIX_MAX_BODY (64 * 1024 * 1024) /* default of set_max_body */

typedef struct {
    guint status;
    GHashTable *headers; /* lower-case name → value; repeated ones joined by ", " */
    GBytes *body;        /* never NULL; empty when there is none */
} SlHttpUnixReply;

void sl_http_unix_reply_free(SlHttpUnixReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlHttpUnixReply, sl_http_unix_reply_free)

/* Does not connect yet. */
SlHttpUnix *sl_http_unix_new(const char *socket_path);
void sl_http_unix_free(SlHttpUnix *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlHttpUnix, sl_http_unix_free)

/* A header for every request from now on ("Authorization"); NULL value: none any more. */
void sl_http_unix_set_header(SlHttpUnix *client, const char *name, const char *value);
void sl_http_unix_set_max_body(SlHttpUnix *client, gsize bytes);

/* The body of answers with status 200 goes to `func` as it comes, without a limit, and the reply's
 * is empty: for streams that may last. FALSE with an error ends the request. NULL: no more. */
typedef gboolean (*SlHttpUnixPieceFunc)(const guint8 *data, gsize len, gpointer user_data,
                                        GError **error);
void sl_http_unix_set_piece_func(SlHttpUnix *client, SlHttpUnixPieceFunc func, gpointer user_data);

/* One request. `path` with query, percent-encoded by the caller. `headers`: NULL or
 * "Name", "value", …, NULL. `body` NULL: none. `deadline` (g_get_monotonic_time(); 0: none) covers
 * everything, connecting included.
 *
 * TRUE whenever there is a whole answer, whatever its status. Errors: SL_ERROR_UNAVAILABLE (cannot
 * connect, or the connection ended early: whether the server acted is unknown), _TIMED_OUT,
 * _CANCELLED, _TOO_LARGE (the answer), _PROTOCOL (not HTTP), _INVALID (the caller's header or
 * path). After an error the connection is gone; the object may be used again. */
gboolean sl_http_unix_request(SlHttpUnix *client, const char *method, const char *path,
                              const char *const *headers, GBytes *body, gint64 deadline,
                              GCancellable *cancellable, SlHttpUnixReply **ret, GError **error);
