/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-test-http.h"

#include <gio/gunixsocketaddress.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"

/* --- handlers ------------------------------------------------------------------------------ */

static void
handle_gate(Fixture *fix, SlHttpRequest *request, SlHttpReply *reply)
{
    g_mutex_lock(&fix->mutex);
    fix->waiting++;
    g_cond_broadcast(&fix->cond);
    while (!fix->gate && !g_cancellable_is_cancelled(request->cancellable))
        g_cond_wait_until(&fix->cond, &fix->mutex, g_get_monotonic_time() + 5000);
    fix->cancelled = g_cancellable_is_cancelled(request->cancellable);
    fix->waiting--;
    g_mutex_unlock(&fix->mutex);
    sl_http_reply_set_text(reply, 200, "text/plain", g_strdup("through"));
}

/* /park?MSEC parks once, says how it was resumed. /early is woken before it parks. */
static void
handle_park(Fixture *fix, SlHttpRequest *request, SlHttpReply *reply)
{
    static const char *const runs[] = {"first", "woken", "timed out"};
    if (request->run == SL_HTTP_FIRST_RUN) {
        request->state = g_strdup(request->path);
        request->free_state = g_free;
        if (strcmp(request->path, "/early") == 0)
            sl_http_server_wake(fix->server, "key");
        gint64 msec = g_ascii_strtoll(request->query, NULL, 10);
        sl_http_reply_park(reply, "key", g_get_monotonic_time() + msec * 1000);
        return;
    }
    sl_http_reply_set_text(reply, 200, "text/plain",
                           g_strdup_printf("%s %s", (char *)request->state, runs[request->run]));
}

static void
handle_echo(Fixture *fix, SlHttpRequest *request, SlHttpReply *reply)
{
    gsize size;
    const char *body = g_bytes_get_data(request->body, &size);
    const char *header = sl_http_request_get_header(request, "X-Test");
    char *text = g_strdup_printf("%s %s?%s [%s] %s %zu %.*s", request->method, request->path,
                                 request->query, header, request->peer.address, size,
                                 (int)MIN(size, 20), size > 0 ? body : "");
    sl_http_reply_set_text(reply, 200, "application/json", text);
    sl_http_reply_add_header(reply, "X-Answer", "yes");
}

/* --- answers made piece by piece --- */

typedef struct {
    Fixture *fix;
    char *path;
    gint64 n, made, msec;
} Maker;

static void
maker_free(gpointer data)
{
    Maker *maker = data;
    g_atomic_int_inc(&maker->fix->makers_freed);
    g_free(maker->path);
    g_free(maker);
}

static SlHttpPieceNext
make_counted(SlHttpPiece *piece, gpointer data)
{
    Maker *maker = data;
    if (maker->made < maker->n)
        g_string_append_printf(piece->out, "<%04" G_GINT64_FORMAT ">", maker->made++);
    return maker->made < maker->n ? SL_HTTP_PIECE_MORE : SL_HTTP_PIECE_LAST;
}

/* Says why it was called, after having waited. */
static SlHttpPieceNext
make_waiting(SlHttpPiece *piece, gpointer data)
{
    static const char *const runs[] = {"first", "woken", "timed out", "stopping"};
    Maker *maker = data;
    piece->key = "key";
    piece->until = g_get_monotonic_time() + maker->msec * 1000;
    gint namings = g_atomic_int_get(&maker->fix->namings);
    if (piece->run == SL_HTTP_FIRST_RUN || piece->run == SL_HTTP_STOPPING ||
        piece->run == SL_HTTP_TIMED_OUT || namings > maker->made)
        g_string_append_printf(piece->out, "[%s %d]", runs[piece->run], namings);
    maker->made = namings;
    return SL_HTTP_PIECE_WAIT;
}

static SlHttpPieceNext
make_flood(SlHttpPiece *piece, gpointer data)
{
    Maker *maker = data;
    g_string_set_size(piece->out, 64 * 1024);
    memset(piece->out->str, 'x', piece->out->len);
    g_atomic_int_inc(&maker->fix->pieces);
    return SL_HTTP_PIECE_MORE;
}

static SlHttpPieceNext
make_cut(SlHttpPiece *piece, gpointer data)
{
    Maker *maker = data;
    if (maker->made++ > 0)
        return SL_HTTP_PIECE_FAIL;
    g_string_append(piece->out, "half");
    return SL_HTTP_PIECE_MORE;
}

static const struct {
    const char *path;
    SlHttpProducer producer;
} makers[] = {
    {"/stream", make_counted}, {"/sized", make_counted}, {"/wait", make_waiting},
    {"/flood", make_flood},    {"/cut", make_cut},
};

static gboolean
handle_stream(Fixture *fix, SlHttpRequest *request, SlHttpReply *reply)
{
    for (guint i = 0; i < G_N_ELEMENTS(makers); i++) {
        if (strcmp(request->path, makers[i].path) != 0)
            continue;
        Maker *maker = g_new0(Maker, 1);
        maker->fix = fix;
        maker->n = maker->msec =
            request->query != NULL ? g_ascii_strtoll(request->query, NULL, 10) : 10000;
        gint64 length = strcmp(request->path, "/sized") == 0 ? 6 * maker->n : -1;
        sl_http_reply_set_stream(reply, 200, "text/event-stream", length, makers[i].producer, maker,
                                 maker_free);
        return TRUE;
    }
    return FALSE;
}

static void
handler(SlHttpRequest *request, SlHttpReply *reply, gpointer data)
{
    Fixture *fix = data;
    g_mutex_lock(&fix->mutex);
    fix->runs++;
    g_mutex_unlock(&fix->mutex);
    if (g_str_has_prefix(request->path, "/gate")) {
        handle_gate(fix, request, reply);
    } else if (strcmp(request->path, "/park") == 0 || strcmp(request->path, "/early") == 0) {
        handle_park(fix, request, reply);
    } else if (strcmp(request->path, "/empty") == 0) {
        sl_http_reply_set(reply, 204, NULL, NULL);
    } else if (strcmp(request->path, "/error") == 0) {
        g_autoptr(GError) error =
            g_error_new(SL_ERROR, SL_ERROR_UNAUTHENTICATED, "who \"are\" you?");
        sl_http_reply_set_error(reply, error);
    } else if (strcmp(request->path, "/large") == 0) {
        g_autoptr(GBytes) body = g_bytes_new_take(g_malloc0(32 << 20), 32 << 20);
        sl_http_reply_set(reply, 200, "application/octet-stream", body);
    } else if (!handle_stream(fix, request, reply)) {
        handle_echo(fix, request, reply);
    }
}

/* --- fixture ------------------------------------------------------------------------------- */

static GSocket *
listen_tcp(guint16 *ret_port)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GInetAddress) loopback = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
    g_autoptr(GSocketAddress) address = g_inet_socket_address_new(loopback, 0);
    GSocket *socket =
        g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, &error);
    g_assert_no_error(error);
    g_socket_bind(socket, address, TRUE, &error);
    g_socket_set_listen_backlog(socket, 2048);
    g_socket_listen(socket, &error);
    g_assert_no_error(error);
    g_autoptr(GSocketAddress) bound = g_socket_get_local_address(socket, NULL);
    *ret_port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
    return socket;
}

static GSocket *
listen_local(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    GSocket *socket =
        g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, &error);
    g_socket_bind(socket, address, TRUE, &error);
    g_socket_listen(socket, &error);
    g_assert_no_error(error);
    return socket;
}

static void
on_idle(SlHttpServer *server, gpointer data)
{
    ((Fixture *)data)->idle++;
}

void
fixture_on_stopped(SlHttpServer *server, gpointer data)
{
    ((Fixture *)data)->stopped++;
}

void
fixture_start(Fixture *fix)
{
    g_autoptr(GError) error = NULL;
    g_mutex_init(&fix->mutex);
    g_cond_init(&fix->cond);
    fix->folder = g_dir_make_tmp("sl-http-XXXXXX", &error);
    g_assert_no_error(error);
    fix->path = g_build_filename(fix->folder, "sock", NULL);
    fix->tcp = listen_tcp(&fix->port);
    fix->local = listen_local(fix->path);
    fix->server = sl_http_server_new(&fix->limits, handler, fix, &error);
    g_assert_no_error(error);
    sl_http_server_set_idle_func(fix->server, on_idle, fix);
    g_assert_true(sl_http_server_listen(fix->server, fix->tcp, &error));
    g_assert_true(sl_http_server_listen(fix->server, fix->local, &error));
}

void
fixture_stop(Fixture *fix)
{
    sl_http_server_free(fix->server);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_clear_object(&fix->tcp);
    g_clear_object(&fix->local);
    unlink(fix->path);
    rmdir(fix->folder);
    g_free(fix->path);
    g_free(fix->folder);
    g_mutex_clear(&fix->mutex);
    g_cond_clear(&fix->cond);
}

typedef struct {
    Fixture *fix;
    Client client;
} ClientCall;

static gboolean
on_client_done(gpointer data)
{
    ((Fixture *)data)->client_done = TRUE;
    return G_SOURCE_REMOVE;
}

static gpointer
client_main(gpointer data)
{
    ClientCall *call = data;
    call->client(call->fix);
    g_idle_add(on_client_done, call->fix);
    return NULL;
}

void
fixture_open_gate(Fixture *fix)
{
    g_mutex_lock(&fix->mutex);
    fix->gate = TRUE;
    g_cond_broadcast(&fix->cond);
    g_mutex_unlock(&fix->mutex);
}

void
run_client(Fixture *fix, Client client)
{
    ClientCall call = {fix, client};
    fix->client_done = FALSE;
    GThread *thread = g_thread_new("client", client_main, &call);
    while (!fix->client_done)
        g_main_context_iteration(NULL, TRUE);
    g_thread_join(thread);
}

SlHttpCounters
counters(Fixture *fix)
{
    SlHttpCounters c;
    sl_http_server_get_counters(fix->server, &c);
    return c;
}

void
run_case(const SlHttpLimits *limits, Client client, SlHttpCounters *ret)
{
    Fixture fix = {.limits = *limits};
    fixture_start(&fix);
    run_client(&fix, client);
    SPIN_UNTIL(counters(&fix).connections == 0);
    *ret = counters(&fix);
    g_assert_cmpuint(ret->requests, ==, 0);
    g_assert_cmpuint(ret->parked, ==, 0);
    fixture_stop(&fix);
}

/* --- client -------------------------------------------------------------------------------- */

int
tcp_connect(Fixture *fix)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(fix->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_no_errno(connect(fd, (struct sockaddr *)&address, sizeof(address)));
    return fd;
}

void
say(int fd, const char *text)
{
    (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

char *
hear(int fd, guint count)
{
    g_autoptr(GString) in = g_string_new(NULL);
    for (gsize at = 0; count > 0;) {
        const char *end = strstr(in->str + at, "\r\n\r\n");
        const char *length = end != NULL ? strstr(in->str + at, "Content-Length: ") : NULL;
        gsize need = end == NULL ? G_MAXSIZE : (gsize)(end + 4 - in->str);
        if (length != NULL && length < end)
            need += (gsize)g_ascii_strtoull(length + 16, NULL, 10);
        if (in->len >= need) {
            at = need;
            count--;
            continue;
        }
        char buffer[8192];
        struct pollfd p = {.fd = fd, .events = POLLIN};
        g_assert_cmpint(poll(&p, 1, 20000), ==, 1);
        gssize n = read(fd, buffer, sizeof(buffer));
        if (n < 0)
            g_string_append(in, "RESET");
        if (n <= 0)
            break;
        g_string_append_len(in, buffer, n);
    }
    return g_string_free(g_steal_pointer(&in), FALSE);
}

char *
hear_until(int fd, const char *text)
{
    g_autoptr(GString) in = g_string_new(NULL);
    while (strstr(in->str, text) == NULL) {
        char buffer[8192];
        struct pollfd p = {.fd = fd, .events = POLLIN};
        g_assert_cmpint(poll(&p, 1, 30000), ==, 1);
        gssize n = read(fd, buffer, sizeof(buffer));
        if (n <= 0)
            g_error("the end instead of '%s' after '%s'",
                    text, // check-source: allow blocked, a test
                    in->str);
        g_string_append_len(in, buffer, n);
    }
    return g_string_free(g_steal_pointer(&in), FALSE);
}

void
assert_hears(int fd, guint count, const char *pattern)
{
    g_autofree char *text = hear(fd, count);
    if (!g_pattern_match_simple(pattern, text))
        g_error("heard '%s', not '%s'", text, pattern); // check-source: allow blocked, a test
}

void
assert_refused(Fixture *fix, const char *text, const char *pattern)
{
    sl_autofd int fd = tcp_connect(fix);
    say(fd, text);
    g_autofree char *heard = hear(fd, G_MAXUINT);
    if (!g_pattern_match_simple(pattern, heard))
        g_error("heard '%s', not '%s'", heard, pattern); // check-source: allow blocked, a test
}
