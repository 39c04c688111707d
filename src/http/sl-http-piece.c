/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-http-private.h"

#include <glib-unix.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* What the kernel holds for the client of an open-ended stream. Left alone it grows to megabytes,
 * and somebody who reads nothing would be noticed late. */
#define SEND_BUFFER (128 * 1024)

static void
piece_reset(SlHttpPiece *piece)
{
    if (piece->out == NULL)
        piece->out = g_string_new(NULL);
    g_string_truncate(piece->out, 0);
}

/* --- in the pool --------------------------------------------------------------------------- */

void
sl_http_piece_run(gpointer data, gpointer user_data)
{
    SlHttpExchange *exchange = data;

    exchange->next = exchange->reply.producer(&exchange->piece, exchange->reply.producer_data);
    sl_http_exchange_post(exchange);
}

/* --- in the main thread -------------------------------------------------------------------- */

static void
drop_watch(SlHttpExchange *exchange)
{
    if (exchange->hang_up_watch == NULL)
        return;
    g_source_destroy(exchange->hang_up_watch);
    g_clear_pointer(&exchange->hang_up_watch, g_source_unref);
}

void
sl_http_piece_ask(SlHttpExchange *exchange, SlHttpRun run)
{
    SlHttpServer *server = exchange->server;
    drop_watch(exchange);
    piece_reset(&exchange->piece);
    exchange->piece.run = run;
    exchange->piece.cancellable = exchange->request.cancellable;
    exchange->wake_number = server->wake_number;
    exchange->in_pool = TRUE;
    server->running++;
    sl_http_conn_enter(exchange->conn, SL_HTTP_CONN_RUNNING);
    g_thread_pool_push(server->stream_pool, exchange, NULL);
}

/* Libsoup looks at the connection only while it has something to write, so it is given something:
 * the end that it then finds takes the ordinary way. */
static void
cut(SlHttpExchange *exchange)
{
    SoupServerMessage *msg = exchange->msg;
    drop_watch(exchange);
    if (!exchange->begun)
        sl_http_exchange_begin_answer(exchange);
    exchange->begun = TRUE;
    exchange->next = SL_HTTP_PIECE_FAIL;
    sl_http_conn_enter(exchange->conn, SL_HTTP_CONN_WRITING);
    sl_http_conn_hang_up(exchange->conn);
    soup_message_body_append(soup_server_message_get_response_body(msg), SOUP_MEMORY_STATIC, "\n",
                             1);
    soup_server_message_unpause(msg);
}

static gboolean
on_hung_up(gint fd, GIOCondition condition, gpointer data)
{
    SlHttpExchange *exchange = data;
    sl_http_exchange_unpark(exchange);
    cut(exchange);
    return G_SOURCE_REMOVE;
}

static void
wait_for_more(SlHttpExchange *exchange)
{
    int fd = g_socket_get_fd(exchange->conn->socket);
    g_free(exchange->reply.park_key);
    exchange->reply.park_key = g_strdup(exchange->piece.key != NULL ? exchange->piece.key : "");
    exchange->reply.park_until = exchange->piece.until;
    sl_http_exchange_park(exchange);
    if (exchange->park_timer == NULL)
        return; /* it was woken meanwhile */
    exchange->hang_up_watch =
        g_unix_fd_source_new(fd, G_IO_HUP | G_IO_ERR | (GIOCondition)POLLRDHUP);
    g_source_set_callback(exchange->hang_up_watch, G_SOURCE_FUNC(on_hung_up), exchange, NULL);
    g_source_attach(exchange->hang_up_watch, exchange->server->context);
}

/* Namings while the piece was on its way were heard by nobody, so the producer always looks once
 * more before it waits. */
static void
on_wrote_chunk(SoupServerMessage *msg, gpointer data)
{
    SlHttpExchange *exchange = data;
    if (exchange->in_pool || exchange->park_timer != NULL || exchange->conn == NULL)
        return;
    if (exchange->next == SL_HTTP_PIECE_MORE || exchange->next == SL_HTTP_PIECE_WAIT)
        sl_http_piece_ask(exchange, exchange->server->stopping ? SL_HTTP_STOPPING : SL_HTTP_WOKEN);
}

static void
begin_body(SlHttpExchange *exchange)
{
    const SlHttpReply *reply = &exchange->reply;
    SoupServerMessage *msg = exchange->msg;
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(msg);
    const int size = SEND_BUFFER;

    sl_http_exchange_begin_answer(exchange);
    exchange->begun = TRUE;
    soup_message_body_set_accumulate(soup_server_message_get_response_body(msg), FALSE);
    if (reply->length >= 0)
        soup_message_headers_set_content_length(headers, reply->length);
    else if (soup_server_message_get_http_version(msg) == SOUP_HTTP_1_0)
        soup_message_headers_set_encoding(headers, SOUP_ENCODING_EOF);
    else
        soup_message_headers_set_encoding(headers, SOUP_ENCODING_CHUNKED);
    if (reply->length < 0)
        setsockopt(g_socket_get_fd(exchange->conn->socket), SOL_SOCKET, SO_SNDBUF, &size,
                   sizeof(size));
    g_signal_connect(msg, "wrote-chunk", G_CALLBACK(on_wrote_chunk), exchange);
}

static void
send_piece(SlHttpExchange *exchange)
{
    SoupMessageBody *body = soup_server_message_get_response_body(exchange->msg);
    GString *out = exchange->piece.out;
    if (!exchange->begun)
        begin_body(exchange);
    if (out->len > 0) {
        g_autoptr(GBytes) bytes = g_string_free_to_bytes(g_steal_pointer(&exchange->piece.out));
        soup_message_body_append_bytes(body, bytes);
    }
    if (exchange->next == SL_HTTP_PIECE_LAST)
        soup_message_body_complete(body);
    sl_http_conn_enter(exchange->conn, SL_HTTP_CONN_WRITING);
    soup_server_message_unpause(exchange->msg);
}

/* The producer is done with a piece. */
void
sl_http_piece_made(SlHttpExchange *exchange)
{
    if (exchange->piece.run == SL_HTTP_STOPPING && exchange->next == SL_HTTP_PIECE_WAIT)
        exchange->next = SL_HTTP_PIECE_LAST;
    if (exchange->next == SL_HTTP_PIECE_FAIL)
        cut(exchange);
    else if (exchange->piece.out->len > 0 || exchange->next == SL_HTTP_PIECE_LAST)
        send_piece(exchange);
    else if (exchange->next == SL_HTTP_PIECE_MORE)
        sl_http_piece_ask(exchange, exchange->piece.run);
    else
        wait_for_more(exchange);
}

void
sl_http_piece_begin(SlHttpExchange *exchange)
{
    SlHttpServer *server = exchange->server;
    if (server->counters.streams >= server->limits.max_streams) {
        sl_http_exchange_refuse(exchange, "too many streams are open");
        return;
    }
    exchange->streaming = TRUE;
    server->counters.streams++;
    if (strcmp(exchange->request.method, "HEAD") == 0) { /* libsoup sends no body */
        exchange->next = SL_HTTP_PIECE_LAST;
        piece_reset(&exchange->piece);
        send_piece(exchange);
        return;
    }
    sl_http_piece_ask(exchange, server->stopping ? SL_HTTP_STOPPING : SL_HTTP_FIRST_RUN);
}

void
sl_http_piece_clear(SlHttpExchange *exchange)
{
    drop_watch(exchange);
    if (exchange->streaming)
        exchange->server->counters.streams--;
    exchange->streaming = FALSE;
    if (exchange->piece.out != NULL)
        g_string_free(exchange->piece.out, TRUE);
    exchange->piece.out = NULL;
}
