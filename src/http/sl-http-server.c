/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-http-private.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "sl-error.h"
#include "sl-fd.h"

static void accept_update(SlHttpServer *server);

/* --- timers -------------------------------------------------------------------------------- */

static gboolean
timer_dispatch(GSource *source, GSourceFunc func, gpointer data)
{
    g_source_set_ready_time(source, -1);
    return func(data);
}

GSource *
sl_http_timer_new(GMainContext *context, int priority, GSourceFunc func, gpointer data)
{
    static GSourceFuncs funcs = {.dispatch = timer_dispatch};
    GSource *source = g_source_new(&funcs, sizeof(GSource));
    g_source_set_priority(source, priority);
    g_source_set_callback(source, func, data, NULL);
    g_source_attach(source, context);
    return source;
}

void
sl_http_timer_free(GSource **timer)
{
    if (*timer == NULL)
        return;
    g_source_destroy(*timer);
    g_clear_pointer(timer, g_source_unref);
}

/* --- idle and stop ------------------------------------------------------------------------- */

static void
set_timer(SlHttpServer *server, gint64 ready)
{
    server->timer_ready = ready;
    g_source_set_ready_time(server->timer, ready);
}

static gboolean
on_timer(gpointer data)
{
    SlHttpServer *server = data;
    SlHttpServerFunc func = NULL;
    gint64 idle_end = server->idle_since + server->limits.idle_usec;

    server->timer_ready = -1;
    if (server->stopping) {
        func = g_steal_pointer(&server->stop_func);
        if (func != NULL)
            func(server, server->stop_data);
    } else if (server->counters.requests > 0) {
        return G_SOURCE_CONTINUE; /* set again when the last of them ends */
    } else if (g_get_monotonic_time() < idle_end) {
        set_timer(server, idle_end);
    } else if (server->idle_func != NULL) {
        server->idle_func(server, server->idle_data);
    }
    return G_SOURCE_CONTINUE;
}

/* The timer follows the numbers: idle → one period from now, stopping → its end. While it runs for
 * an idle period it is left alone, and looks by itself whether there was a request meanwhile. */
void
sl_http_server_update(SlHttpServer *server)
{
    if (server->freeing)
        return;
    if (server->stopping) {
        gboolean over = server->counters.connections == 0 && server->running == 0;
        set_timer(server, over ? 0 : server->stop_deadline);
    } else if (server->counters.requests == 0 && server->limits.idle_usec > 0) {
        server->idle_since = g_get_monotonic_time();
        if (server->timer_ready < 0)
            set_timer(server, server->idle_since + server->limits.idle_usec);
    }
    accept_update(server);
}

void
sl_http_server_set_idle_func(SlHttpServer *server, SlHttpServerFunc func, gpointer data)
{
    server->idle_func = func;
    server->idle_data = data;
    sl_http_server_update(server);
}

static void
close_waiting(SlHttpServer *server)
{
    for (GList *l = server->conns.head; l != NULL; l = l->next) {
        SlHttpConn *conn = l->data;
        if (conn->state == SL_HTTP_CONN_WAITING)
            sl_http_conn_dismiss(conn);
    }
}

void
sl_http_server_stop(SlHttpServer *server, gint64 deadline, SlHttpServerFunc func, gpointer data)
{
    server->stopping = TRUE;
    server->stop_func = func;
    server->stop_data = data;
    server->stop_deadline = deadline;
    close_waiting(server);
    sl_http_exchange_stop_parked(server);
    sl_http_server_update(server);
}

void
sl_http_server_get_counters(SlHttpServer *server, SlHttpCounters *ret)
{
    *ret = server->counters;
}

/* --- accepting ----------------------------------------------------------------------------- */

/* A pause after accept() failed for want of descriptors or memory: the connection stays in the
 * backlog and the source ready, so without one this would be a busy loop. */
static gboolean
on_retry_accept(gpointer data)
{
    SlHttpServer *server = data;
    server->accept_after = 0;
    accept_update(server);
    return G_SOURCE_REMOVE;
}

static void accept_stop(SlHttpServer *server);

static void
accept_pause(SlHttpServer *server, const char *reason)
{
    g_warning("Cannot take a connection: %s, retrying in 1 s", reason);
    accept_stop(server);
    server->accept_after = g_get_monotonic_time() + G_USEC_PER_SEC;
    GSource *source = g_timeout_source_new_seconds(1);
    g_source_set_callback(source, on_retry_accept, server, NULL);
    g_source_attach(source, server->context);
    g_ptr_array_add(server->accept_sources, source); /* so that it ends with the server */
}

static gboolean
on_acceptable(GSocket *listener, GIOCondition condition, gpointer data)
{
    SlHttpServer *server = data;
    for (guint i = 0; i < 64; i++) { /* a burst must not starve the connections that we have */
        if (server->counters.connections >= server->limits.max_connections &&
            !sl_http_conn_close_idle(server))
            break;
        if (server->counters.connections > server->limits.max_connections)
            break; /* the idle one is on its way out */
        g_autoptr(GError) error = NULL;
        g_autoptr(GSocket) socket = g_socket_accept(listener, NULL, &error);
        if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
            break;
        if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED))
            continue; /* ECONNABORTED: it left while it waited */
        if (socket == NULL) {
            accept_pause(server, error->message);
            return G_SOURCE_REMOVE;
        }
        g_clear_error(&error);
        if (!sl_http_conn_accept(server, socket, &error))
            g_debug("A connection ended at once: %s", error->message);
    }
    accept_update(server);
    return G_SOURCE_CONTINUE;
}

static void
accept_stop(SlHttpServer *server)
{
    for (guint i = 0; i < server->accept_sources->len; i++)
        g_source_destroy(server->accept_sources->pdata[i]);
    g_ptr_array_set_size(server->accept_sources, 0);
    server->accepting = FALSE;
}

static gboolean
has_room(SlHttpServer *server)
{
    if (server->counters.connections < server->limits.max_connections)
        return TRUE;
    for (GList *l = server->conns.head; l != NULL; l = l->next)
        if (((SlHttpConn *)l->data)->state == SL_HTTP_CONN_WAITING &&
            !((SlHttpConn *)l->data)->leaving)
            return server->counters.connections == server->limits.max_connections;
    return FALSE;
}

static void
accept_update(SlHttpServer *server)
{
    gboolean wanted = !server->stopping && has_room(server);
    if (wanted == server->accepting || server->accept_after != 0)
        return;
    accept_stop(server);
    for (guint i = 0; wanted && i < server->listeners->len; i++) {
        GSource *source = g_socket_create_source(server->listeners->pdata[i], G_IO_IN, NULL);
        g_source_set_callback(source, G_SOURCE_FUNC(on_acceptable), server, NULL);
        g_source_attach(source, server->context);
        g_ptr_array_add(server->accept_sources, source);
    }
    server->accepting = wanted;
}

gboolean
sl_http_server_listen(SlHttpServer *server, GSocket *socket, GError **error)
{
    int listening = 0;
    if (!g_socket_get_option(socket, SOL_SOCKET, SO_ACCEPTCONN, &listening, error))
        return FALSE;
    if (!listening)
        return sl_error_set(error, SL_ERROR_CONFIG, "socket %d does not listen",
                            g_socket_get_fd(socket));
    g_socket_set_blocking(socket, FALSE);
    g_ptr_array_add(server->listeners, g_object_ref(socket));
    accept_stop(server);
    sl_http_server_update(server);
    return TRUE;
}

/* --- the server ---------------------------------------------------------------------------- */

static void
on_request_started(SoupServer *soup, SoupServerMessage *msg, gpointer data)
{
    sl_http_conn_attach(data, msg);
}

static void
on_request(SoupServer *soup, SoupServerMessage *msg, const char *path, GHashTable *query,
           gpointer data)
{
    sl_http_exchange_begin(data, msg);
}

/* Libsoup closes a connection after its first answer unless the SoupServer has a listener, and its
 * own accept loop leaks a GSocket per connection and dies for good at the first EMFILE (3.2.3), so
 * it must never get a real one. It takes any connected socket for a listener: one end of a pair
 * that nobody ever writes to. */
static gboolean
make_believe_listener(SlHttpServer *server, GError **error)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return sl_error_set_errno(error, errno, "socketpair");
    server->soup_end = pair[1];
    g_autoptr(GSocket) socket = g_socket_new_from_fd(pair[0], error);
    if (socket == NULL) {
        sl_fd_clear(&pair[0]);
        return FALSE;
    }
    return soup_server_listen_socket(server->soup, socket, 0, error);
}

static gboolean
watch_posts(SlHttpServer *server, GError **error)
{
    server->post_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->post_event < 0)
        return sl_error_set_errno(error, errno, "eventfd");
    server->post_source = g_unix_fd_source_new(server->post_event, G_IO_IN);
    g_source_set_callback(server->post_source, G_SOURCE_FUNC(sl_http_exchange_posted), server,
                          NULL);
    g_source_set_can_recurse(server->post_source, TRUE); /* or it is blocked while it runs */
    g_source_attach(server->post_source, server->context);
    return TRUE;
}

SlHttpServer *
sl_http_server_new(const SlHttpLimits *limits, SlHttpHandler handler, gpointer data, GError **error)
{
    g_autoptr(SlHttpServer) server = g_new0(SlHttpServer, 1);
    server->limits = *limits;
    server->handler = handler;
    server->data = data;
    server->soup_end = server->post_event = -1;
    server->context = g_main_context_ref_thread_default();
    server->listeners = g_ptr_array_new_with_free_func(g_object_unref);
    server->accept_sources = g_ptr_array_new_with_free_func((GDestroyNotify)g_source_unref);
    server->parked =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    server->recent_keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_mutex_init(&server->mutex);
    server->next_deadline = server->timer_ready = -1;
    server->deadlines = sl_http_timer_new(server->context, G_PRIORITY_DEFAULT,
                                          sl_http_conn_check_deadlines, server);
    server->timer = sl_http_timer_new(server->context, G_PRIORITY_LOW, on_timer, server);
    if (!watch_posts(server, error))
        return NULL;
    server->soup = soup_server_new("raw-paths", TRUE, NULL);
    soup_server_add_handler(server->soup, NULL, on_request, server, NULL);
    g_signal_connect(server->soup, "request-started", G_CALLBACK(on_request_started), server);
    if (!make_believe_listener(server, error))
        return NULL;
    server->pool =
        g_thread_pool_new(sl_http_exchange_run, server, (int)limits->threads, TRUE, error);
    if (server->pool == NULL)
        return NULL;
    server->stream_pool =
        g_thread_pool_new(sl_http_piece_run, server, (int)limits->stream_threads, FALSE, error);
    if (server->stream_pool == NULL)
        return NULL;
    return g_steal_pointer(&server);
}

void
sl_http_server_free(SlHttpServer *server)
{
    if (server == NULL)
        return;
    server->freeing = TRUE;
    server->stopping = TRUE;
    accept_stop(server);
    for (GList *l = server->exchanges.head; l != NULL; l = l->next)
        g_cancellable_cancel(((SlHttpExchange *)l->data)->request.cancellable);
    if (server->pool != NULL)
        g_thread_pool_free(server->pool, TRUE, TRUE); /* waits for what runs */
    if (server->stream_pool != NULL)
        g_thread_pool_free(server->stream_pool, TRUE, TRUE);
    sl_http_timer_free(&server->post_source);
    sl_http_timer_free(&server->timer);
    for (GList *l = server->exchanges.head; l != NULL; l = l->next)
        ((SlHttpExchange *)l->data)->in_pool = FALSE;
    /* Libsoup may hold a stream until its close is done; its end must not look for us. */
    while (server->conns.head != NULL)
        sl_http_conn_close(server->conns.head->data);
    while (server->exchanges.head != NULL)
        sl_http_exchange_free(server->exchanges.head->data);
    sl_http_timer_free(&server->deadlines);
    if (server->soup != NULL)
        soup_server_disconnect(server->soup);
    g_clear_object(&server->soup);
    sl_fd_clear(&server->soup_end);
    sl_fd_clear(&server->post_event);
    g_queue_clear(&server->posted);
    g_queue_clear_full(&server->woken, g_free);
    g_hash_table_unref(server->parked);
    g_hash_table_unref(server->recent_keys);
    g_ptr_array_unref(server->accept_sources);
    g_ptr_array_unref(server->listeners);
    g_main_context_unref(server->context);
    g_mutex_clear(&server->mutex);
    g_free(server);
}
