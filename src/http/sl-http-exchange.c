/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-http-private.h"

#include <string.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-problem.h"

/* Namings remembered for runs that have not parked yet; more are forgotten, and then a run that
 * was going on is called once too often. */
#define MAX_RECENT 1024

/* --- request and reply --------------------------------------------------------------------- */

const char *
sl_http_request_get_header(const SlHttpRequest *request, const char *name)
{
    g_autofree char *key = g_ascii_strdown(name, -1);
    return g_hash_table_lookup(request->headers, key);
}

static void
reply_drop_producer(SlHttpReply *reply)
{
    GDestroyNotify free_data = g_steal_pointer(&reply->free_producer_data);
    if (free_data != NULL)
        free_data(reply->producer_data);
    reply->producer = NULL;
    reply->producer_data = NULL;
}

static void
reply_clear(SlHttpReply *reply)
{
    g_clear_pointer(&reply->content_type, g_free);
    g_clear_pointer(&reply->body, g_bytes_unref);
    g_clear_pointer(&reply->headers, g_ptr_array_unref);
    g_clear_pointer(&reply->park_key, g_free);
    reply_drop_producer(reply);
    memset(reply, 0, sizeof(*reply));
}

void
sl_http_reply_set(SlHttpReply *reply, guint status, const char *content_type, GBytes *body)
{
    reply_drop_producer(reply);
    reply->status = status;
    g_free(reply->content_type);
    reply->content_type = g_strdup(content_type);
    g_clear_pointer(&reply->body, g_bytes_unref);
    if (body != NULL)
        reply->body = g_bytes_ref(body);
}

void
sl_http_reply_set_text(SlHttpReply *reply, guint status, const char *content_type, char *text)
{
    g_autoptr(GBytes) body = g_bytes_new_take(text, strlen(text));
    sl_http_reply_set(reply, status, content_type, body);
}

void
sl_http_reply_add_header(SlHttpReply *reply, const char *name, const char *value)
{
    if (reply->headers == NULL)
        reply->headers = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(reply->headers, g_strdup(name));
    g_ptr_array_add(reply->headers, g_strdup(value));
}

void
sl_http_reply_set_error(SlHttpReply *reply, const GError *error)
{
    guint status = 0;
    char *body = sl_problem_print(error, &status);
    sl_http_reply_set_text(reply, status, SL_PROBLEM_CONTENT_TYPE, body);
    if (status == 401)
        sl_http_reply_add_header(reply, "WWW-Authenticate", "Bearer realm=\"sluice\"");
    if (status == 503)
        sl_http_reply_add_header(reply, "Retry-After", "1");
}

void
sl_http_reply_set_stream(SlHttpReply *reply, guint status, const char *content_type, gint64 length,
                         SlHttpProducer producer, gpointer data, GDestroyNotify free_data)
{
    sl_http_reply_set(reply, status, content_type, NULL);
    reply->length = length;
    reply->producer = producer;
    reply->producer_data = data;
    reply->free_producer_data = free_data;
}

void
sl_http_reply_park(SlHttpReply *reply, const char *key, gint64 until)
{
    g_free(reply->park_key);
    reply->park_key = g_strdup(key);
    reply->park_until = until;
}

static void
reply_set_code(SlHttpReply *reply, SlErrorCode code, const char *message)
{
    g_autoptr(GError) error = g_error_new_literal(SL_ERROR, (int)code, message);
    sl_http_reply_set_error(reply, error);
}

/* --- in the pool --------------------------------------------------------------------------- */

/* The server's thread takes both lists at once, so it has to be told only of the first entry. */
static void
tell(SlHttpServer *server, GQueue *list, gpointer entry)
{
    const guint64 one = 1;
    g_mutex_lock(&server->mutex);
    if (server->posted.length + server->woken.length == 0)
        (void)!write(server->post_event, &one, sizeof one);
    g_queue_push_tail(list, entry);
    g_mutex_unlock(&server->mutex);
}

void
sl_http_exchange_post(SlHttpExchange *exchange)
{
    tell(exchange->server, &exchange->server->posted, exchange);
}

void
sl_http_exchange_run(gpointer data, gpointer user_data)
{
    SlHttpExchange *exchange = data;
    SlHttpServer *server = user_data;

    server->handler(&exchange->request, &exchange->reply, server->data);
    sl_http_exchange_post(exchange);
}

void
sl_http_server_wake(SlHttpServer *server, const char *key)
{
    tell(server, &server->woken, g_strdup(key));
}

/* --- in the main thread -------------------------------------------------------------------- */

void
sl_http_exchange_free(SlHttpExchange *exchange)
{
    SlHttpRequest *request = &exchange->request;
    g_queue_unlink(&exchange->server->exchanges, &exchange->link);
    sl_http_timer_free(&exchange->park_timer);
    sl_http_piece_clear(exchange);
    if (request->free_state != NULL && request->state != NULL)
        request->free_state(request->state);
    g_free(request->path);
    g_free(request->query);
    g_free(request->peer.address);
    g_clear_pointer(&request->headers, g_hash_table_unref);
    g_clear_pointer(&request->body, g_bytes_unref);
    g_clear_object(&request->cancellable);
    reply_clear(&exchange->reply);
    if (exchange->msg != NULL)
        g_object_unref(exchange->msg);
    g_free(exchange);
}

static void
exchange_push(SlHttpExchange *exchange)
{
    SlHttpServer *server = exchange->server;
    reply_clear(&exchange->reply);
    exchange->wake_number = server->wake_number;
    exchange->in_pool = TRUE;
    server->running++;
    g_thread_pool_push(server->pool, exchange, NULL);
}

/* Libsoup strikes Content-Length from a 204, then takes the answer for one that ends with the
 * connection, and closes it. */
static void
on_wrote_headers(SoupServerMessage *msg, gpointer data)
{
    soup_message_headers_set_encoding(soup_server_message_get_response_headers(msg),
                                      SOUP_ENCODING_NONE);
}

void
sl_http_exchange_begin_answer(SlHttpExchange *exchange)
{
    SlHttpServer *server = exchange->server;
    SlHttpReply *reply = &exchange->reply;
    SoupServerMessage *msg = exchange->msg;
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(msg);

    if (reply->status < 200 || reply->status > 599) {
        g_critical("%s %s: the handler gave no answer", exchange->request.method,
                   exchange->request.path);
        reply_set_code(reply, SL_ERROR_FAILED, "no answer");
    }
    server->counters.served++;
    server->counters.by_class[reply->status / 100]++;
    soup_server_message_set_status(msg, reply->status, NULL);
    if (reply->content_type != NULL)
        soup_message_headers_replace(headers, "Content-Type", reply->content_type);
    for (guint i = 0; reply->headers != NULL && i < reply->headers->len; i += 2)
        soup_message_headers_append(headers, reply->headers->pdata[i],
                                    reply->headers->pdata[i + 1]);
    if (server->stopping)
        soup_message_headers_replace(headers, "Connection", "close");
    if (reply->status == 204)
        g_signal_connect(msg, "wrote-headers", G_CALLBACK(on_wrote_headers), NULL);
    g_debug("%s %s %s: %u, %.1f ms", exchange->request.peer.address, exchange->request.method,
            exchange->request.path, reply->status,
            (double)(g_get_monotonic_time() - exchange->request.received) / 1000);
}

static void
exchange_answer(SlHttpExchange *exchange)
{
    SoupServerMessage *msg = exchange->msg;
    sl_http_exchange_begin_answer(exchange);
    GBytes *body = exchange->reply.body;
    if (body != NULL && g_bytes_get_size(body) > 0)
        soup_message_body_append_bytes(soup_server_message_get_response_body(msg), body);
    sl_http_conn_enter(exchange->conn, SL_HTTP_CONN_WRITING);
    soup_server_message_unpause(msg);
}

void
sl_http_exchange_refuse(SlHttpExchange *exchange, const char *message)
{
    exchange->server->counters.rejected++;
    reply_set_code(&exchange->reply, SL_ERROR_BUSY, message);
    exchange_answer(exchange);
}

/* --- parking ------------------------------------------------------------------------------- */

void
sl_http_exchange_unpark(SlHttpExchange *exchange)
{
    SlHttpServer *server = exchange->server;
    GPtrArray *list = g_hash_table_lookup(server->parked, exchange->reply.park_key);
    sl_http_timer_free(&exchange->park_timer);
    server->counters.parked--;
    if (list->len == 1)
        g_hash_table_remove(server->parked, exchange->reply.park_key);
    else
        g_ptr_array_remove_fast(list, exchange);
}

static void
exchange_resume(SlHttpExchange *exchange, SlHttpRun run)
{
    if (exchange->streaming) {
        sl_http_piece_ask(exchange, run);
        return;
    }
    exchange->request.run = run;
    exchange_push(exchange);
}

static gboolean
on_park_timer(gpointer data)
{
    SlHttpExchange *exchange = data;
    sl_http_exchange_unpark(exchange);
    exchange_resume(exchange, SL_HTTP_TIMED_OUT);
    return G_SOURCE_CONTINUE;
}

/* Was the key named since this run began? */
static gboolean
exchange_was_woken(SlHttpExchange *exchange)
{
    SlHttpServer *server = exchange->server;
    const guint64 *number = g_hash_table_lookup(server->recent_keys, exchange->reply.park_key);
    return server->forgotten > exchange->wake_number ||
           (number != NULL && *number > exchange->wake_number);
}

void
sl_http_exchange_park(SlHttpExchange *exchange)
{
    SlHttpServer *server = exchange->server;
    const char *key = exchange->reply.park_key;
    GPtrArray *list = g_hash_table_lookup(server->parked, key);

    if (server->stopping && exchange->streaming) {
        exchange_resume(exchange, SL_HTTP_STOPPING);
        return;
    }
    if (server->stopping) {
        g_clear_pointer(&exchange->reply.park_key, g_free);
        reply_set_code(&exchange->reply, SL_ERROR_UNAVAILABLE, "the server is stopping");
        exchange_answer(exchange);
        return;
    }
    if (exchange_was_woken(exchange)) {
        exchange_resume(exchange, SL_HTTP_WOKEN);
        return;
    }
    if (list == NULL) {
        list = g_ptr_array_new();
        g_hash_table_insert(server->parked, g_strdup(key), list);
    }
    g_ptr_array_add(list, exchange);
    server->counters.parked++;
    exchange->park_timer =
        sl_http_timer_new(server->context, G_PRIORITY_DEFAULT, on_park_timer, exchange);
    g_source_set_ready_time(exchange->park_timer, exchange->reply.park_until);
}

static void
server_woken(SlHttpServer *server, const char *key)
{
    GPtrArray *list = g_hash_table_lookup(server->parked, key);
    server->wake_number++;
    if (server->running > 0) {
        if (g_hash_table_size(server->recent_keys) >= MAX_RECENT) {
            g_hash_table_remove_all(server->recent_keys);
            server->forgotten = server->wake_number;
        }
        g_hash_table_replace(server->recent_keys, g_strdup(key),
                             g_memdup2(&server->wake_number, sizeof(server->wake_number)));
    }
    for (guint n = list != NULL ? list->len : 0; n > 0; n--) {
        SlHttpExchange *exchange = list->pdata[n - 1];
        sl_http_exchange_unpark(exchange); /* frees the list with the last one */
        exchange_resume(exchange, SL_HTTP_WOKEN);
    }
}

void
sl_http_exchange_stop_parked(SlHttpServer *server)
{
    GHashTableIter iter;
    gpointer list;
    g_autoptr(GPtrArray) all = g_ptr_array_new();

    g_hash_table_iter_init(&iter, server->parked);
    while (g_hash_table_iter_next(&iter, NULL, &list))
        g_ptr_array_extend(all, list, NULL, NULL);
    for (guint i = 0; i < all->len; i++) {
        sl_http_exchange_unpark(all->pdata[i]);
        sl_http_exchange_park(all->pdata[i]); /* answers, as the server is stopping */
    }
}

/* --- begin and end ------------------------------------------------------------------------- */

static void
exchange_done(SlHttpExchange *exchange)
{
    SlHttpServer *server = exchange->server;
    exchange->in_pool = FALSE;
    server->running--;
    if (exchange->conn == NULL)
        sl_http_exchange_free(exchange);
    else if (exchange->streaming)
        sl_http_piece_made(exchange);
    else if (exchange->reply.producer != NULL)
        sl_http_piece_begin(exchange);
    else if (exchange->reply.park_key != NULL)
        sl_http_exchange_park(exchange);
    else
        exchange_answer(exchange);
    if (server->running == 0)
        g_hash_table_remove_all(server->recent_keys);
}

gboolean
sl_http_exchange_posted(int fd, GIOCondition condition, gpointer data)
{
    SlHttpServer *server = data;
    GQueue posted = G_QUEUE_INIT, woken = G_QUEUE_INIT;
    guint64 times;

    (void)!read(fd, &times, sizeof times); /* before the lists are taken: none is overlooked */
    g_mutex_lock(&server->mutex);
    posted = server->posted;
    woken = server->woken;
    g_queue_init(&server->posted);
    g_queue_init(&server->woken);
    g_mutex_unlock(&server->mutex);
    for (char *key; (key = g_queue_pop_head(&woken)) != NULL; g_free(key))
        server_woken(server, key);
    for (SlHttpExchange *exchange; (exchange = g_queue_pop_head(&posted)) != NULL;)
        exchange_done(exchange);
    sl_http_server_update(server);
    return G_SOURCE_CONTINUE;
}

void
sl_http_exchange_gone(SlHttpExchange *exchange)
{
    exchange->conn = NULL;
    g_signal_handlers_disconnect_by_data(exchange->msg, exchange);
    g_clear_object(&exchange->msg);
    if (exchange->in_pool) {
        g_cancellable_cancel(exchange->request.cancellable);
        return; /* freed when the worker is done with it */
    }
    if (exchange->park_timer != NULL)
        sl_http_exchange_unpark(exchange);
    sl_http_exchange_free(exchange);
}

static void
copy_header(const char *name, const char *value, gpointer data)
{
    GHashTable *headers = data;
    g_autofree char *key = g_ascii_strdown(name, -1);
    const char *old = g_hash_table_lookup(headers, key);
    char *joined = old != NULL ? g_strconcat(old, ", ", value, NULL) : g_strdup(value);
    g_hash_table_replace(headers, g_steal_pointer(&key), joined);
}

static void
copy_request(SlHttpRequest *request, SlHttpConn *conn, SoupServerMessage *msg)
{
    GUri *uri = soup_server_message_get_uri(msg);
    const char *path = g_uri_get_path(uri);

    request->method = soup_server_message_get_method(msg); /* interned by libsoup */
    request->path = g_strdup(path != NULL && path[0] != '\0' ? path : "/");
    request->query = g_strdup(g_uri_get_query(uri));
    request->headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    soup_message_headers_foreach(soup_server_message_get_request_headers(msg), copy_header,
                                 request->headers);
    request->body = conn->body != NULL ? g_byte_array_free_to_bytes(g_steal_pointer(&conn->body))
                                       : g_bytes_new_static("", 0);
    request->peer = conn->peer;
    request->peer.address = g_strdup(conn->peer.address);
    request->received = g_get_monotonic_time();
    request->cancellable = g_cancellable_new();
}

void
sl_http_exchange_begin(SlHttpServer *server, SoupServerMessage *msg)
{
    SlHttpConn *conn = sl_http_conn_of(msg);
    if (conn == NULL || conn->state == SL_HTTP_CONN_REFUSED) {
        soup_server_message_set_status(msg, SOUP_STATUS_BAD_REQUEST, NULL); /* nobody reads it */
        return;
    }
    SlHttpExchange *exchange = g_new0(SlHttpExchange, 1);
    exchange->server = server;
    exchange->link.data = exchange;
    exchange->conn = conn;
    exchange->msg = g_object_ref(msg);
    copy_request(&exchange->request, conn, msg);
    conn->exchange = exchange;
    g_queue_push_tail_link(&server->exchanges, &exchange->link);
    soup_server_message_pause(msg);
    sl_http_conn_enter(conn, SL_HTTP_CONN_RUNNING);
    if (g_thread_pool_unprocessed(server->pool) >= server->limits.max_queue) {
        sl_http_exchange_refuse(exchange, "too many requests are waiting");
        return;
    }
    exchange_push(exchange);
}
