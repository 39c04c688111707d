/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-http-client.h"

#include <libsoup/soup.h>
#include <string.h>

#include "sl-error.h"

struct _SlHttpClient {
    SoupSession *session;
    SlHttpGuard guard;
    gpointer guard_data;
};

SlHttpClient *
sl_http_client_new(const char *user_agent)
{
    SlHttpClient *client = g_new0(SlHttpClient, 1);
    client->session = soup_session_new_with_options("user-agent", user_agent, NULL);
    return client;
}

void
sl_http_client_free(SlHttpClient *client)
{
    if (client == NULL)
        return;
    g_object_unref(client->session);
    g_free(client);
}

/* What libsoup and GIO say, in our words. */
static gboolean
set_error(SoupMessage *message, const GError *cause, GError **error)
{
    if (cause->domain == G_TLS_ERROR)
        return sl_error_set(error, SL_ERROR_UNAVAILABLE, "not to be trusted: %s",
                            soup_message_get_tls_peer_certificate_errors(message) != 0
                                ? "its certificate is not one that this host accepts"
                                : cause->message);
    if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
        return sl_error_set(error, SL_ERROR_TIMED_OUT, "no answer in time");
    if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return sl_error_set(error, SL_ERROR_CANCELLED, "cancelled");
    return sl_error_set(error, SL_ERROR_UNAVAILABLE, "%s", cause->message);
}

/* Reads to the end, but no more than the limit. */
static GBytes *
read_all(GInputStream *stream, GCancellable *cancellable, SoupMessage *message, GError **error)
{
    g_autoptr(GByteArray) all = g_byte_array_new();
    g_autofree guint8 *piece = g_malloc(1 << 16);
    for (;;) {
        g_autoptr(GError) cause = NULL;
        gssize n = g_input_stream_read(stream, piece, 1 << 16, cancellable, &cause);
        if (n < 0) {
            set_error(message, cause, error);
            return NULL;
        }
        if (n == 0)
            return g_byte_array_free_to_bytes(g_steal_pointer(&all));
        if (all->len + (gsize)n > SL_HTTP_UNIX_MAX_BODY) {
            sl_error_set(error, SL_ERROR_TOO_LARGE, "the answer has more than %d MiB",
                         SL_HTTP_UNIX_MAX_BODY >> 20);
            return NULL;
        }
        g_byte_array_append(all, piece, (guint)n);
    }
}

static void
copy_header(const char *name, const char *value, gpointer data)
{
    GHashTable *headers = data;
    g_autofree char *key = g_ascii_strdown(name, -1);
    const char *before = g_hash_table_lookup(headers, key);
    char *joined = before != NULL ? g_strjoin(", ", before, value, NULL) : g_strdup(value);
    g_hash_table_insert(headers, g_steal_pointer(&key), joined);
}

static void
fill_message(SoupMessage *message, const char *const *headers, const char *body)
{
    SoupMessageHeaders *sent = soup_message_get_request_headers(message);
    soup_message_headers_replace(sent, "Accept", "application/json");
    for (; headers != NULL && headers[0] != NULL; headers += 2)
        soup_message_headers_replace(sent, headers[0], headers[1]);
    if (body == NULL)
        return;
    g_autoptr(GBytes) bytes = g_bytes_new(body, strlen(body));
    soup_message_set_request_body_from_bytes(message, "application/json", bytes);
}

/* libsoup asserts what it could say. */
static SoupMessage *
new_message(const char *method, const char *url, GError **error)
{
    g_autoptr(GUri) uri = g_uri_parse(url, SOUP_HTTP_URI_FLAGS, NULL);
    const char *scheme = uri != NULL ? g_uri_get_scheme(uri) : "";
    const char *host = uri != NULL ? g_uri_get_host(uri) : NULL;
    if (host != NULL && *host != '\0' &&
        (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0))
        return soup_message_new_from_uri(method, uri);
    sl_error_set(error, SL_ERROR_INVALID, "'%s' is no address of a web server", url);
    return NULL;
}

void
sl_http_client_set_guard(SlHttpClient *client, SlHttpGuard guard, gpointer data)
{
    client->guard = guard;
    client->guard_data = data;
}

typedef struct {
    const SlHttpClient *client;
    GCancellable *cancellable;
    char *refused; /* address */
} Watch;

/* Before anything is sent, for each address that is tried: a name may mean another one each
 * time that it is looked up, so that asking before would prove nothing. */
static void
on_network_event(SoupMessage *message, GSocketClientEvent event, GIOStream *stream, gpointer data)
{
    Watch *watch = data;
    if (event != G_SOCKET_CLIENT_CONNECTING || !G_IS_SOCKET_CONNECTION(stream))
        return;
    g_autoptr(GSocketAddress) address =
        g_socket_connection_get_remote_address(G_SOCKET_CONNECTION(stream), NULL);
    if (G_IS_INET_SOCKET_ADDRESS(address)) {
        GInetAddress *inet = g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address));
        if (watch->client->guard(inet, watch->client->guard_data))
            return;
        g_free(watch->refused);
        watch->refused = g_inet_address_to_string(inet);
    } else {
        g_free(watch->refused);
        watch->refused = g_strdup("unknown");
    }
    g_cancellable_cancel(watch->cancellable);
}

static void
forward_cancel(GCancellable *outer, gpointer inner)
{
    g_cancellable_cancel(inner);
}

static gboolean send_message(SlHttpClient *client, SoupMessage *message, gint64 timeout_usec,
                             GCancellable *cancellable, SlHttpUnixReply **ret, GError **error);

static gboolean
send_guarded(SlHttpClient *client, SoupMessage *message, gint64 timeout_usec,
             GCancellable *cancellable, SlHttpUnixReply **ret, GError **error)
{
    g_autoptr(GCancellable) inner = g_cancellable_new();
    g_autoptr(GError) cause = NULL;
    Watch watch = {client, inner, NULL};
    gulong id = cancellable != NULL
                    ? g_cancellable_connect(cancellable, G_CALLBACK(forward_cancel), inner, NULL)
                    : 0;
    /* where it leads to is not what the guard has seen, and POST would become GET */
    soup_message_add_flags(message, SOUP_MESSAGE_NO_REDIRECT);
    g_signal_connect(message, "network-event", G_CALLBACK(on_network_event), &watch);
    gboolean ok = send_message(client, message, timeout_usec, inner, ret, &cause);
    g_signal_handlers_disconnect_by_data(message, &watch);
    if (id != 0)
        g_cancellable_disconnect(cancellable, id);
    g_autofree char *refused = watch.refused;
    if (!ok && refused != NULL)
        return sl_error_set(error, SL_ERROR_FORBIDDEN, "address %s is not allowed", refused);
    if (!ok)
        g_propagate_error(error, g_steal_pointer(&cause));
    return ok;
}

gboolean
sl_http_client_request(SlHttpClient *client, const char *method, const char *url,
                       const char *const *headers, const char *body, gint64 timeout_usec,
                       GCancellable *cancellable, SlHttpUnixReply **ret, GError **error)
{
    g_autoptr(SoupMessage) message = new_message(method, url, error);
    if (message == NULL)
        return FALSE;
    fill_message(message, headers, body);
    return (client->guard != NULL ? send_guarded : send_message)(client, message, timeout_usec,
                                                                 cancellable, ret, error);
}

static gboolean
send_message(SlHttpClient *client, SoupMessage *message, gint64 timeout_usec,
             GCancellable *cancellable, SlHttpUnixReply **ret, GError **error)
{
    g_autoptr(GError) cause = NULL;
    soup_session_set_timeout(client->session, (guint)MAX(timeout_usec / (gint64)G_USEC_PER_SEC, 1));
    g_autoptr(GInputStream) stream =
        soup_session_send(client->session, message, cancellable, &cause);
    if (stream == NULL)
        return set_error(message, cause, error);
    GBytes *bytes = read_all(stream, cancellable, message, error);
    if (bytes == NULL)
        return FALSE;
    SlHttpUnixReply *reply = *ret = g_new0(SlHttpUnixReply, 1);
    reply->status = soup_message_get_status(message);
    reply->headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    reply->body = bytes;
    soup_message_headers_foreach(soup_message_get_response_headers(message), copy_header,
                                 reply->headers);
    return TRUE;
}
