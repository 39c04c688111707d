/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-http-private.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "sl-error.h"
#include "sl-http-stream.h"
#include "sl-problem.h"

/* A refused client may still be sending: closing at once would reset the connection and destroy
 * the refusal before it is read. So long, what comes is read and dropped. */
#define LINGER_USEC G_USEC_PER_SEC

#define CONN_KEY "sl-http-conn" /* on the remote address, which is one object per connection */

/* --- states and deadlines ------------------------------------------------------------------ */

static gint64
state_usec(const SlHttpConn *conn)
{
    const SlHttpLimits *limits = &conn->server->limits;
    switch (conn->state) {
    case SL_HTTP_CONN_WAITING:
        return conn->first ? limits->header_usec : limits->keep_alive_usec;
    case SL_HTTP_CONN_HEADERS:
        return limits->header_usec;
    case SL_HTTP_CONN_BODY:
        return limits->body_usec;
    case SL_HTTP_CONN_WRITING:
        return limits->write_usec;
    case SL_HTTP_CONN_REFUSED:
        return LINGER_USEC;
    case SL_HTTP_CONN_RUNNING:
        break;
    }
    return -1;
}

/* Libsoup does not say when the first byte of a request comes: before it, a kept connection may
 * wait long; after it, the headers have a deadline. */
static void
on_bytes(gpointer data)
{
    SlHttpConn *conn = data;
    if (conn->server != NULL && conn->state == SL_HTTP_CONN_WAITING)
        sl_http_conn_enter(conn, SL_HTTP_CONN_HEADERS);
}

static gboolean
is_at_rest(gpointer data)
{
    SlHttpConn *conn = data;
    return conn->server != NULL && conn->state == SL_HTTP_CONN_WAITING;
}

/* One source for all connections, which is moved to an earlier time only: a request passes through
 * five states, and GLib wakes its own loop for each source that is told a new time. */
static void
set_deadline(SlHttpConn *conn, gint64 deadline)
{
    SlHttpServer *server = conn->server;
    conn->deadline = deadline;
    if (deadline >= 0 && (server->next_deadline < 0 || deadline < server->next_deadline)) {
        server->next_deadline = deadline;
        g_source_set_ready_time(server->deadlines, deadline);
    }
}

void
sl_http_conn_enter(SlHttpConn *conn, SlHttpConnState state)
{
    conn->state = state;
    conn->since = g_get_monotonic_time();
    gint64 usec = state_usec(conn);
    set_deadline(conn, usec < 0 ? -1 : conn->since + usec);
}

/* Libsoup reads the end of file and cleans up; closing under its feet would not do. */
void
sl_http_conn_hang_up(SlHttpConn *conn)
{
    shutdown(g_socket_get_fd(conn->socket), SHUT_RDWR);
}

/* As above, and the kernel drops what it still has for the client. */
static void
conn_abort(SlHttpConn *conn)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(g_socket_get_fd(conn->socket), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    sl_http_conn_hang_up(conn);
}

/* Answers past libsoup, which could only do so after it has read the whole request. Right only
 * while no answer of libsoup is under way, that is before a handler ran. */
static void
conn_refuse(SlHttpConn *conn, guint status, const char *title, const char *message)
{
    g_autofree char *body = sl_problem_print_status(status, title, message);
    g_autofree char *text =
        g_strdup_printf("HTTP/1.1 %u %s\r\nContent-Type: " SL_PROBLEM_CONTENT_TYPE
                        "\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                        status, soup_status_get_phrase(status), strlen(body), body);
    int fd = g_socket_get_fd(conn->socket);

    (void)!send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(fd, SHUT_WR);
    conn->server->counters.refused++;
    conn->server->counters.by_class[status / 100]++;
    g_debug("%s refused: %u %s", conn->peer.address, status, message);
    g_clear_pointer(&conn->body, g_byte_array_unref);
    sl_http_conn_enter(conn, SL_HTTP_CONN_REFUSED);
}

static void
conn_expire(SlHttpConn *conn)
{
    switch (conn->state) {
    case SL_HTTP_CONN_HEADERS:
        conn_refuse(conn, 408, "request-timeout-exceeded", "the headers took too long");
        sl_http_conn_hang_up(conn);
        break;
    case SL_HTTP_CONN_BODY:
        conn_refuse(conn, 408, "request-timeout-exceeded", "the body took too long");
        sl_http_conn_hang_up(conn);
        break;
    case SL_HTTP_CONN_WRITING:
        conn->server->counters.refused++;
        g_debug("%s does not take its answer, closing", conn->peer.address);
        conn_abort(conn);
        break;
    default:
        sl_http_conn_hang_up(conn);
        break;
    }
}

/* None of what a connection does here takes one out of the list: libsoup has to see its end first.
 */
gboolean
sl_http_conn_check_deadlines(gpointer data)
{
    SlHttpServer *server = data;
    gint64 now = g_get_monotonic_time(), next = -1;
    server->next_deadline = now; /* what is set below does not touch the source */
    for (GList *l = server->conns.head; l != NULL; l = l->next) {
        SlHttpConn *conn = l->data;
        if (conn->deadline >= 0 && conn->deadline <= now) {
            conn->deadline = -1;
            conn_expire(conn);
        }
        if (conn->deadline >= 0 && (next < 0 || conn->deadline < next))
            next = conn->deadline;
    }
    server->next_deadline = next;
    g_source_set_ready_time(server->deadlines, next);
    return G_SOURCE_CONTINUE;
}

/* Not one whose request has come and only was not read yet. */
static gboolean
conn_is_idle(SlHttpConn *conn)
{
    return conn->state == SL_HTTP_CONN_WAITING && !conn->leaving &&
           !(g_socket_condition_check(conn->socket, G_IO_IN) & G_IO_IN);
}

/* A request that has come, or is just about to because its client has only now connected, is not
 * lost: it gets its answer, and then the connection ends. */
void
sl_http_conn_dismiss(SlHttpConn *conn)
{
    if (conn->first)
        set_deadline(conn, g_get_monotonic_time() + conn->server->limits.grace_usec);
    else if (conn_is_idle(conn))
        sl_http_conn_hang_up(conn);
}

gboolean
sl_http_conn_close_idle(SlHttpServer *server)
{
    SlHttpConn *oldest = NULL;
    for (GList *l = server->conns.head; l != NULL; l = l->next) {
        SlHttpConn *conn = l->data;
        if ((oldest == NULL || conn->since < oldest->since) && conn_is_idle(conn))
            oldest = conn;
    }
    if (oldest == NULL)
        return FALSE;
    /* The state stays: a request that came at this very moment goes its ordinary way, to an answer
     * that cannot be written, and the end is noticed as that of any connection at rest. */
    oldest->leaving = TRUE;
    sl_http_conn_hang_up(oldest);
    return TRUE;
}

/* --- a request comes in -------------------------------------------------------------------- */

SlHttpConn *
sl_http_conn_of(SoupServerMessage *msg)
{
    GSocketAddress *address = soup_server_message_get_remote_address(msg);
    return address != NULL ? g_object_get_data(G_OBJECT(address), CONN_KEY) : NULL;
}

static gsize
headers_size(SoupMessageHeaders *headers)
{
    SoupMessageHeadersIter iter;
    const char *name, *value;
    gsize size = 0;
    soup_message_headers_iter_init(&iter, headers);
    while (soup_message_headers_iter_next(&iter, &name, &value))
        size += strlen(name) + strlen(value) + 4;
    return size;
}

/* What the headers say about the body must have one meaning only: two readings of one request are
 * how requests are smuggled past a proxy. */
static const char *
framing_fault(const char *coding, const char *length, guint64 *ret_length)
{
    if (coding != NULL && length != NULL)
        return "both Content-Length and Transfer-Encoding";
    if (coding != NULL && g_ascii_strcasecmp(coding, "chunked") != 0)
        return "unknown Transfer-Encoding";
    if (length != NULL &&
        (!g_ascii_isdigit(length[0]) ||
         !g_ascii_string_to_unsigned(length, 10, 0, G_MAXINT64, ret_length, NULL)))
        return "bad Content-Length";
    return NULL;
}

static void
on_got_headers(SoupServerMessage *msg, gpointer data)
{
    SlHttpConn *conn = data;
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(msg);
    const SlHttpLimits *limits = &conn->server->limits;
    guint64 length = 0;

    conn->first = FALSE;
    const char *fault =
        framing_fault(soup_message_headers_get_list(headers, "Transfer-Encoding"),
                      soup_message_headers_get_list(headers, "Content-Length"), &length);
    if (fault != NULL) {
        conn_refuse(conn, 400, "bad-request", fault);
    } else if (headers_size(headers) + strlen(soup_server_message_get_method(msg)) >
               limits->max_headers) {
        conn_refuse(conn, 431, "request-header-fields-too-large", "the headers are too large");
    } else if (length > limits->max_body) {
        conn_refuse(conn, 413, "content-too-large", "the body is too large");
    } else {
        conn->body = g_byte_array_sized_new((guint)length);
        sl_http_conn_enter(conn, SL_HTTP_CONN_BODY);
    }
}

static void
on_got_chunk(SoupServerMessage *msg, GBytes *chunk, gpointer data)
{
    SlHttpConn *conn = data;
    gsize size;
    const guint8 *bytes = g_bytes_get_data(chunk, &size);
    if (conn->server == NULL || conn->body == NULL)
        return;
    if (conn->body->len + size > conn->server->limits.max_body)
        conn_refuse(conn, 413, "content-too-large", "the body is too large");
    else
        g_byte_array_append(conn->body, bytes, (guint)size);
}

static void
count_requests(SlHttpServer *server, int change)
{
    server->counters.requests += (guint)change;
    sl_http_server_update(server);
}

static void
on_finished(SoupServerMessage *msg, gpointer data)
{
    SlHttpConn *conn = data;
    SlHttpServer *server = conn->server;
    if (server == NULL)
        return;
    conn->in_request = FALSE;
    g_clear_pointer(&conn->body, g_byte_array_unref);
    if (conn->exchange != NULL)
        sl_http_exchange_gone(g_steal_pointer(&conn->exchange));
    if (conn->state != SL_HTTP_CONN_REFUSED)
        sl_http_conn_enter(conn, SL_HTTP_CONN_WAITING);
    if (server->stopping)
        sl_http_conn_hang_up(conn);
    count_requests(server, -1);
}

static SlHttpConn *
conn_ref(SlHttpConn *conn)
{
    return g_rc_box_acquire(conn);
}

static void
conn_unref(gpointer conn)
{
    g_rc_box_release(conn);
}

static void
unref_closure(gpointer conn, GClosure *closure)
{
    conn_unref(conn);
}

/* A message may outlive its connection, so its handlers hold the memory (conn->server is NULL
 * then). */
static void
connect_handler(SoupServerMessage *msg, const char *signal, GCallback callback, SlHttpConn *conn)
{
    g_signal_connect_data(msg, signal, callback, conn_ref(conn), unref_closure, 0);
}

/* Counted from the headers on; libsoup says "finished" for exactly those messages. */
static void
on_request_begins(SoupServerMessage *msg, gpointer data)
{
    SlHttpConn *conn = data;
    if (conn->server == NULL)
        return;
    connect_handler(msg, "finished", G_CALLBACK(on_finished), conn);
    conn->in_request = TRUE;
    count_requests(conn->server, 1);
    on_got_headers(msg, conn);
}

void
sl_http_conn_attach(SlHttpServer *server, SoupServerMessage *msg)
{
    SlHttpConn *conn = sl_http_conn_of(msg);
    g_return_if_fail(conn != NULL && conn->server != NULL);
    soup_message_body_set_accumulate(soup_server_message_get_request_body(msg), FALSE);
    if (!conn->first) /* bytes of it are already in libsoup's buffer */
        sl_http_conn_enter(conn, SL_HTTP_CONN_HEADERS);
    connect_handler(msg, "got-headers", G_CALLBACK(on_request_begins), conn);
    connect_handler(msg, "got-chunk", G_CALLBACK(on_got_chunk), conn);
}

/* --- accepting ----------------------------------------------------------------------------- */

static gboolean
read_peer(GSocket *socket, SlHttpPeer *peer, GSocketAddress **ret_address, GError **error)
{
    g_autoptr(GSocketAddress) address = g_socket_get_remote_address(socket, error);
    if (address == NULL)
        return FALSE;
    if (G_IS_INET_SOCKET_ADDRESS(address)) {
        peer->uid = (uid_t)-1;
        peer->gid = (gid_t)-1;
        peer->address = g_inet_address_to_string(
            g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address)));
    } else {
        struct ucred cred;
        socklen_t len = sizeof(cred);
        if (getsockopt(g_socket_get_fd(socket), SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
            return sl_error_set_errno(error, errno, "SO_PEERCRED");
        peer->local = TRUE;
        peer->pid = cred.pid;
        peer->uid = cred.uid;
        peer->gid = cred.gid;
        peer->address = g_strdup_printf("unix:%u", cred.uid);
    }
    *ret_address = g_steal_pointer(&address);
    return TRUE;
}

/* Ends everything but the memory. */
void
sl_http_conn_close(SlHttpConn *conn)
{
    SlHttpServer *server = g_steal_pointer(&conn->server);
    conn_ref(conn); /* the end of its exchange may be the end of its stream */
    g_clear_pointer(&conn->body, g_byte_array_unref);
    g_clear_object(&conn->socket);
    g_clear_pointer(&conn->peer.address, g_free);
    g_queue_unlink(&server->conns, &conn->link);
    server->counters.connections--;
    if (conn->exchange != NULL)
        sl_http_exchange_gone(g_steal_pointer(&conn->exchange));
    count_requests(server, conn->in_request ? -1 : 0);
    conn_unref(conn);
}

/* Nobody can read from the stream any more: the connection is over. */
static void
on_stream_gone(gpointer data, GObject *stream)
{
    SlHttpConn *conn = data;
    if (conn->server != NULL)
        sl_http_conn_close(conn);
    conn_unref(conn);
}

gboolean
sl_http_conn_accept(SlHttpServer *server, GSocket *socket, GError **error)
{
    SlHttpPeer peer = {0};
    g_autoptr(GSocketAddress) remote = NULL;
    if (!read_peer(socket, &peer, &remote, error))
        return FALSE;
    g_socket_set_blocking(socket, FALSE);
    if (!peer.local) {
        g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
        /* A client that vanished without a word takes no heartbeat of its stream either. */
        g_socket_set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT,
                            (gint)(server->limits.write_usec / 1000), NULL);
    }

    SlHttpConn *conn = g_rc_box_new0(SlHttpConn); /* the stream's weak reference owns it */
    conn->server = server;
    conn->link.data = conn;
    conn->socket = g_object_ref(socket);
    conn->peer = peer;
    conn->first = TRUE;
    g_queue_push_tail_link(&server->conns, &conn->link);
    server->counters.connections++;
    server->counters.accepted++;
    g_object_set_data_full(G_OBJECT(remote), CONN_KEY, conn_ref(conn), conn_unref);

    /* For HTTP/1.0 without Host libsoup takes the local address for an internet one, whatever it
     * is; nothing else uses it. */
    g_autoptr(GInetAddress) loopback = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
    g_autoptr(GSocketAddress) local = g_inet_socket_address_new(loopback, 80);
    g_autoptr(GSocketConnection) base = g_socket_connection_factory_create_connection(socket);
    g_autoptr(GIOStream) stream = sl_http_stream_new(base, is_at_rest, on_bytes, conn);
    g_object_weak_ref(G_OBJECT(g_io_stream_get_input_stream(stream)), on_stream_gone, conn);
    sl_http_conn_enter(conn, SL_HTTP_CONN_WAITING);
    return soup_server_accept_iostream(server->soup, stream, local, remote, error);
}
