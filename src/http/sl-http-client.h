/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "sl-http-unix.h"

/* A blocking HTTP client for other hosts, over TLS with this host's trusted certificates (libsoup).
 * One object is used by one thread at a time. Redirects are followed; nothing is kept on disk. */
typedef struct _SlHttpClient SlHttpClient;

SlHttpClient *sl_http_client_new(const char *user_agent);
void sl_http_client_free(SlHttpClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlHttpClient, sl_http_client_free)

/* May this address be connected to? Asked for each one that is tried, so that no name can mean
 * another one than was looked at. With a guard redirects are not followed, and a refused address is
 * SL_ERROR_FORBIDDEN. */
typedef gboolean (*SlHttpGuard)(GInetAddress *address, gpointer data);
void sl_http_client_set_guard(SlHttpClient *client, SlHttpGuard guard, gpointer data);

/* One request. `headers`: NULL or "Name", "value", …, NULL. `body` NULL: none; it is sent as JSON.
 * `timeout_usec` is for each wait for the other side, not for the whole.
 *
 * TRUE whenever there is a whole answer, whatever its status. Errors: SL_ERROR_INVALID (no
 * address), _UNAVAILABLE (cannot connect, or the certificate is not trusted), _TIMED_OUT,
 * _CANCELLED, _TOO_LARGE (the answer is above SL_HTTP_UNIX_MAX_BODY). */
gboolean sl_http_client_request(SlHttpClient *client, const char *method, const char *url,
                                const char *const *headers, const char *body, gint64 timeout_usec,
                                GCancellable *cancellable, SlHttpUnixReply **ret, GError **error);
