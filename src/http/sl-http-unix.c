/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-http-unix.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "sl-error.h"
#include "sl-fd.h"

struct _SlHttpUnix {
    char *path;
    GHashTable *headers; /* Name → value, for every request */
    gsize max_body;
    SlHttpUnixPieceFunc piece; /* takes the body of an answer that is fine; may be NULL */
    gpointer piece_data;
    int fd;           /* -1: not connected */
    GByteArray *in;   /* received and not yet used */
    gboolean started; /* a byte of the answer has come */
    gboolean unsent;  /* the server hung up before it could have all of the request */
    /* of the request that is running */
    gint64 deadline;
    GCancellable *cancellable;
    gboolean piecewise; /* this answer's body goes to `piece` */
};

void
sl_http_unix_reply_free(SlHttpUnixReply *reply)
{
    if (reply == NULL)
        return;
    g_clear_pointer(&reply->headers, g_hash_table_unref);
    g_clear_pointer(&reply->body, g_bytes_unref);
    g_free(reply);
}

SlHttpUnix *
sl_http_unix_new(const char *socket_path)
{
    SlHttpUnix *client = g_new0(SlHttpUnix, 1);
    client->path = g_strdup(socket_path);
    client->headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    client->max_body = SL_HTTP_UNIX_MAX_BODY;
    client->fd = -1;
    client->in = g_byte_array_new();
    return client;
}

static void
client_hang_up(SlHttpUnix *client)
{
    sl_fd_clear(&client->fd);
    g_byte_array_set_size(client->in, 0);
}

void
sl_http_unix_free(SlHttpUnix *client)
{
    if (client == NULL)
        return;
    client_hang_up(client);
    g_byte_array_unref(client->in);
    g_hash_table_unref(client->headers);
    g_free(client->path);
    g_free(client);
}

void
sl_http_unix_set_header(SlHttpUnix *client, const char *name, const char *value)
{
    if (value == NULL)
        g_hash_table_remove(client->headers, name);
    else
        g_hash_table_replace(client->headers, g_strdup(name), g_strdup(value));
}

void
sl_http_unix_set_max_body(SlHttpUnix *client, gsize bytes)
{
    client->max_body = bytes;
}

void
sl_http_unix_set_piece_func(SlHttpUnix *client, SlHttpUnixPieceFunc func, gpointer user_data)
{
    client->piece = func;
    client->piece_data = user_data;
}

/* --- waiting ------------------------------------------------------------------------------- */

/* Milliseconds for poll(2) until the deadline, at least 1, so that it cannot spin. */
static int
remaining_msec(gint64 deadline)
{
    if (deadline == 0)
        return -1;
    gint64 usec = deadline - g_get_monotonic_time();
    return (int)CLAMP((usec + 999) / 1000, 1, G_MAXINT);
}

/* Waits for `events` on the socket, or `max_msec` without one (fd -1). */
static gboolean
client_wait(SlHttpUnix *client, short events, int max_msec, GError **error)
{
    GPollFD cancel = {.fd = -1};
    gboolean has_cancel = g_cancellable_make_pollfd(client->cancellable, &cancel);
    gboolean ok = FALSE;

    for (;;) {
        struct pollfd fds[2] = {{.fd = client->fd, .events = events},
                                {.fd = has_cancel ? cancel.fd : -1, .events = POLLIN}};
        if (g_cancellable_is_cancelled(client->cancellable)) {
            sl_error_set(error, SL_ERROR_CANCELLED, "%s: cancelled", client->path);
            break;
        }
        if (client->deadline != 0 && g_get_monotonic_time() >= client->deadline) {
            sl_error_set(error, SL_ERROR_TIMED_OUT, "%s: no answer in time", client->path);
            break;
        }
        int timeout = remaining_msec(client->deadline);
        if (max_msec >= 0 && (timeout < 0 || timeout > max_msec))
            timeout = max_msec;
        int n = poll(fds, 2, timeout);
        if (n < 0 && errno != EINTR) {
            sl_error_set_errno(error, errno, "%s: poll", client->path);
            break;
        }
        if ((n > 0 && fds[0].revents != 0) || (n == 0 && max_msec >= 0)) {
            ok = TRUE;
            break;
        }
    }
    if (has_cancel)
        g_cancellable_release_fd(client->cancellable);
    return ok;
}

/* --- connection ---------------------------------------------------------------------------- */

static gboolean
client_connect(SlHttpUnix *client, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    client_hang_up(client);
    if (strlen(client->path) >= sizeof(address.sun_path))
        return sl_error_set(error, SL_ERROR_INVALID, "%s: path of a socket is too long",
                            client->path);
    memcpy(address.sun_path, client->path, strlen(client->path) + 1);

    sl_autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return sl_error_set_errno(error, errno, "socket");
    while (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        /* A full backlog is EAGAIN on unix sockets, and nothing can be polled for its end. */
        if (errno != EAGAIN && errno != EINTR)
            return sl_error_set(error, SL_ERROR_UNAVAILABLE, "connecting to %s: %s", client->path,
                                g_strerror(errno));
        if (!client_wait(client, 0, 10, error))
            return FALSE;
    }
    client->fd = sl_fd_steal(&fd);
    return TRUE;
}

/* A kept connection is usable while nothing can be read from it: an end of file means that the
 * server left, bytes would be an answer that nobody asked for. */
static gboolean
client_is_alive(SlHttpUnix *client)
{
    struct pollfd fd = {.fd = client->fd, .events = POLLIN};
    return client->fd >= 0 && client->in->len == 0 && poll(&fd, 1, 0) == 0;
}

static gboolean
client_send(SlHttpUnix *client, const void *data, gsize len, GError **error)
{
    const char *at = data;
    while (len > 0) {
        gssize n = send(client->fd, at, len, MSG_NOSIGNAL);
        if (n >= 0) {
            at += n;
            len -= (gsize)n;
        } else if (errno == EAGAIN) {
            if (!client_wait(client, POLLOUT, -1, error))
                return FALSE;
        } else if (errno != EINTR) {
            return sl_error_set(error, SL_ERROR_UNAVAILABLE, "sending to %s: %s", client->path,
                                g_strerror(errno));
        }
    }
    return TRUE;
}

/* Receives something into client->in. *ret_eof is set instead at the end; without ret_eof the end
 * is an error. */
static gboolean
client_fill(SlHttpUnix *client, gboolean *ret_eof, GError **error)
{
    for (;;) {
        guint8 buffer[64 * 1024];
        gssize n = recv(client->fd, buffer, sizeof(buffer), 0);
        if (n > 0) {
            client->started = TRUE;
            g_byte_array_append(client->in, buffer, (guint)n);
            return TRUE;
        }
        if (n == 0 && ret_eof != NULL) {
            *ret_eof = TRUE;
            return TRUE;
        }
        if (n == 0)
            return sl_error_set(error, SL_ERROR_UNAVAILABLE,
                                "%s: the connection ended before the answer did", client->path);
        if (errno == EAGAIN) {
            if (!client_wait(client, POLLIN, -1, error))
                return FALSE;
        } else if (errno != EINTR) {
            return sl_error_set(error, SL_ERROR_UNAVAILABLE, "receiving from %s: %s", client->path,
                                g_strerror(errno));
        }
    }
}

/* --- request ------------------------------------------------------------------------------- */

/* Nothing of a caller may end a line or a token early. */
static gboolean
check_text(const char *what, const char *text, gboolean spaces, GError **error)
{
    for (const char *c = text; *c != '\0'; c++)
        if ((guchar)*c < (spaces ? 0x20 : 0x21) || *c == 0x7f)
            return sl_error_set(error, SL_ERROR_INVALID, "%s has a character that HTTP forbids",
                                what);
    return TRUE;
}

static gboolean
append_header(GString *text, const char *name, const char *value, GError **error)
{
    if (!check_text("a header name", name, FALSE, error) || !check_text(name, value, TRUE, error))
        return FALSE;
    g_string_append_printf(text, "%s: %s\r\n", name, value);
    return TRUE;
}

static GString *
build_head(SlHttpUnix *client, const char *method, const char *path, const char *const *headers,
           GBytes *body, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    GHashTableIter iter;
    gpointer name, value;

    if (path[0] != '/') {
        sl_error_set(error, SL_ERROR_INVALID, "path '%s' does not begin with a slash", path);
        return NULL;
    }
    if (!check_text("path", path, FALSE, error) || !check_text("method", method, FALSE, error))
        return NULL;
    g_string_append_printf(text, "%s %s HTTP/1.1\r\nHost: localhost\r\n", method, path);
    g_hash_table_iter_init(&iter, client->headers);
    while (g_hash_table_iter_next(&iter, &name, &value))
        if (!append_header(text, name, value, error))
            return NULL;
    for (; headers != NULL && headers[0] != NULL; headers += 2)
        if (!append_header(text, headers[0], headers[1], error))
            return NULL;
    if (body != NULL)
        g_string_append_printf(text, "Content-Length: %" G_GSIZE_FORMAT "\r\n",
                               g_bytes_get_size(body));
    g_string_append(text, "\r\n");
    return g_steal_pointer(&text);
}

static gboolean
client_send_request(SlHttpUnix *client, GString *head, GBytes *body, GError **error)
{
    gsize size = 0;
    const void *data = body != NULL ? g_bytes_get_data(body, &size) : NULL;
    return client_send(client, head->str, head->len, error) &&
           client_send(client, data, size, error);
}

/* --- answer -------------------------------------------------------------------------------- */

static gboolean
protocol_error(SlHttpUnix *client, const char *what, GError **error)
{
    return sl_error_set(error, SL_ERROR_PROTOCOL, "%s: %s", client->path, what);
}

static void
client_consume(SlHttpUnix *client, gsize len)
{
    g_byte_array_remove_range(client->in, 0, (guint)len);
}

/* Takes one line without its end from the input. */
static char *
client_read_line(SlHttpUnix *client, gsize *budget, GError **error)
{
    for (gsize seen = 0;;) {
        const guint8 *end = client->in->len > seen
                                ? memchr(client->in->data + seen, '\n', client->in->len - seen)
                                : NULL;
        gsize len = end != NULL ? (gsize)(end - client->in->data) + 1 : client->in->len;
        if (len > *budget) {
            sl_error_set(error, SL_ERROR_TOO_LARGE, "%s: headers of the answer are too large",
                         client->path);
            return NULL;
        }
        if (end != NULL) {
            char *line = g_strndup((const char *)client->in->data, len - 1);
            g_strchomp(line);
            *budget -= len;
            client_consume(client, len);
            return line;
        }
        seen = client->in->len;
        if (!client_fill(client, NULL, error))
            return NULL;
    }
}

static gboolean
read_headers(SlHttpUnix *client, GHashTable *headers, gsize *budget, GError **error)
{
    for (;;) {
        g_autofree char *line = client_read_line(client, budget, error);
        if (line == NULL)
            return FALSE;
        if (line[0] == '\0')
            return TRUE;
        char *colon = strchr(line, ':');
        if (colon == NULL || colon == line)
            return protocol_error(client, "a header line without a name", error);
        *colon = '\0';
        g_autofree char *name = g_ascii_strdown(line, -1);
        const char *old = g_hash_table_lookup(headers, name);
        const char *value = g_strstrip(colon + 1);
        char *joined = old != NULL ? g_strconcat(old, ", ", value, NULL) : g_strdup(value);
        g_hash_table_replace(headers, g_steal_pointer(&name), joined);
    }
}

/* Status line and headers; interim answers (1xx) are passed over. */
static gboolean
read_head(SlHttpUnix *client, SlHttpUnixReply *reply, gboolean *ret_close, GError **error)
{
    gsize budget = SL_HTTP_UNIX_MAX_HEADERS;
    do {
        g_autofree char *line = client_read_line(client, &budget, error);
        if (line == NULL)
            return FALSE;
        if (!g_str_has_prefix(line, "HTTP/1.") || strlen(line) < 12 || line[8] != ' ' ||
            line[9] < '1' || line[9] > '9' || !g_ascii_isdigit(line[10]) ||
            !g_ascii_isdigit(line[11]) || (line[12] != ' ' && line[12] != '\0'))
            return protocol_error(client, "the answer is not HTTP/1", error);
        reply->status = (guint)g_ascii_strtoull(line + 9, NULL, 10);
        *ret_close = line[7] == '0';
        g_hash_table_remove_all(reply->headers);
        if (!read_headers(client, reply->headers, &budget, error))
            return FALSE;
    } while (reply->status < 200);
    const char *connection = g_hash_table_lookup(reply->headers, "connection");
    if (connection != NULL)
        *ret_close = g_ascii_strcasecmp(connection, "keep-alive") != 0;
    return TRUE;
}

/* Moves `len` bytes from the input to `body`, or to the function that takes them. */
static gboolean
read_exact(SlHttpUnix *client, GByteArray *body, guint64 len, GError **error)
{
    if (!client->piecewise && (body->len > client->max_body || len > client->max_body - body->len))
        return sl_error_set(error, SL_ERROR_TOO_LARGE,
                            "%s: the answer is larger than %" G_GSIZE_FORMAT " bytes", client->path,
                            client->max_body);
    while (len > 0) {
        if (client->in->len == 0 && !client_fill(client, NULL, error))
            return FALSE;
        guint n = (guint)MIN(len, client->in->len);
        if (!client->piecewise)
            g_byte_array_append(body, client->in->data, n);
        else if (!client->piece(client->in->data, n, client->piece_data, error))
            return FALSE;
        client_consume(client, n);
        len -= n;
    }
    return TRUE;
}

static gboolean
read_chunks(SlHttpUnix *client, GByteArray *body, GError **error)
{
    gsize budget = SL_HTTP_UNIX_MAX_HEADERS;
    for (;;) {
        gsize line_budget = 1024;
        guint64 size = 0;
        g_autofree char *line = client_read_line(client, &line_budget, error);
        if (line == NULL)
            return FALSE;
        line[strcspn(line, "; \t")] = '\0'; /* extensions */
        if (!g_ascii_string_to_unsigned(line, 16, 0, G_MAXUINT32, &size, NULL))
            return protocol_error(client, "bad size of a chunk", error);
        if (size == 0)
            break;
        if (!read_exact(client, body, size, error))
            return FALSE;
        g_autofree char *end = client_read_line(client, &line_budget, error);
        if (end == NULL)
            return FALSE;
        if (end[0] != '\0')
            return protocol_error(client, "a chunk without an end", error);
    }
    g_autoptr(GHashTable) trailers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return read_headers(client, trailers, &budget, error);
}

static gboolean
read_until_end(SlHttpUnix *client, GByteArray *body, GError **error)
{
    for (gboolean eof = FALSE; !eof;) {
        if (!read_exact(client, body, client->in->len, error) || !client_fill(client, &eof, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
read_body(SlHttpUnix *client, const char *method, SlHttpUnixReply *reply, gboolean *close_after,
          GError **error)
{
    g_autoptr(GByteArray) body = g_byte_array_new();
    const char *coding = g_hash_table_lookup(reply->headers, "transfer-encoding");
    const char *length = g_hash_table_lookup(reply->headers, "content-length");
    guint64 size = 0;

    client->piecewise = client->piece != NULL && reply->status == 200;
    if (strcmp(method, "HEAD") == 0 || reply->status == 204 || reply->status == 304) {
        /* no body, whatever the headers say */
    } else if (coding != NULL) {
        if (g_ascii_strcasecmp(coding, "chunked") != 0)
            return protocol_error(client, "unknown transfer coding", error);
        if (!read_chunks(client, body, error))
            return FALSE;
    } else if (length != NULL) {
        if (!g_ascii_string_to_unsigned(length, 10, 0, G_MAXINT64, &size, NULL))
            return protocol_error(client, "bad Content-Length", error);
        if (!read_exact(client, body, size, error))
            return FALSE;
    } else {
        *close_after = TRUE;
        if (!read_until_end(client, body, error))
            return FALSE;
    }
    reply->body = g_byte_array_free_to_bytes(g_steal_pointer(&body));
    return TRUE;
}

static SlHttpUnixReply *
client_exchange(SlHttpUnix *client, const char *method, GString *head, GBytes *body, GError **error)
{
    g_autoptr(SlHttpUnixReply) reply = g_new0(SlHttpUnixReply, 1);
    gboolean close_after = FALSE;

    client->started = client->unsent = FALSE;
    reply->headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GError) send_error = NULL;
    if (!client_send_request(client, head, body, &send_error)) {
        /* A server that refuses a body answers and hangs up without reading it: its answer says
         * more than our EPIPE. */
        if (!g_error_matches(send_error, SL_ERROR, SL_ERROR_UNAVAILABLE) ||
            !read_head(client, reply, &close_after, NULL)) {
            client->unsent = !client->started;
            g_propagate_error(error, g_steal_pointer(&send_error));
            return NULL;
        }
        close_after = TRUE;
    } else if (!read_head(client, reply, &close_after, error)) {
        return NULL;
    }
    if (!read_body(client, method, reply, &close_after, error))
        return NULL;
    if (close_after)
        client_hang_up(client);
    return g_steal_pointer(&reply);
}

gboolean
sl_http_unix_request(SlHttpUnix *client, const char *method, const char *path,
                     const char *const *headers, GBytes *body, gint64 deadline,
                     GCancellable *cancellable, SlHttpUnixReply **ret, GError **error)
{
    gboolean repeatable = strcmp(method, "POST") != 0 && strcmp(method, "PATCH") != 0;
    g_autoptr(GString) head = build_head(client, method, path, headers, body, error);
    if (head == NULL)
        return FALSE;

    client->deadline = deadline;
    client->cancellable = cancellable;
    g_autoptr(GError) local = NULL;
    g_autoptr(SlHttpUnixReply) reply = NULL;
    gboolean kept = repeatable && client_is_alive(client);
    if (kept || client_connect(client, &local))
        reply = client_exchange(client, method, head, body, &local);
    if (reply == NULL && ((kept && !client->started) || client->unsent) &&
        g_error_matches(local, SL_ERROR, SL_ERROR_UNAVAILABLE)) {
        g_clear_error(&local);
        if (client_connect(client, &local))
            reply = client_exchange(client, method, head, body, &local);
    }
    client->cancellable = NULL;
    if (reply == NULL) {
        client_hang_up(client);
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    *ret = g_steal_pointer(&reply);
    return TRUE;
}
