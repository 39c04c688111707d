/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-http-server.h"

#include <errno.h>
#include <gio/gunixsocketaddress.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"
#include "sl-http-unix.h"

/* The server lives in the main thread; the client of each test is a thread with blocking sockets.
 */
typedef struct {
    SlHttpServer *server;
    SlHttpLimits limits;
    GSocket *tcp, *local;
    char *folder, *path;
    guint16 port;
    gboolean client_done;

    GMutex mutex;
    GCond cond;
    gboolean gate; /* handlers of /gate wait for it */
    guint runs, waiting;
    guint idle, stopped;
    gboolean cancelled;
} Fixture;

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
    } else {
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

static void
on_stopped(SlHttpServer *server, gpointer data)
{
    ((Fixture *)data)->stopped++;
}

static void
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

static void
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

/* Runs the main context until `condition`, at most 10 s. */
#define SPIN_UNTIL(condition)                                                                      \
    do {                                                                                           \
        gint64 end_ = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;                                \
        while (!(condition)) {                                                                     \
            g_assert_cmpint(g_get_monotonic_time(), <, end_);                                      \
            if (!g_main_context_iteration(NULL, FALSE))                                            \
                poll(NULL, 0, 1);                                                                  \
        }                                                                                          \
    } while (0)

typedef void (*Client)(Fixture *fix);
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

static void
run_client(Fixture *fix, Client client)
{
    ClientCall call = {fix, client};
    fix->client_done = FALSE;
    GThread *thread = g_thread_new("client", client_main, &call);
    while (!fix->client_done)
        g_main_context_iteration(NULL, TRUE);
    g_thread_join(thread);
}

static SlHttpCounters
counters(Fixture *fix)
{
    SlHttpCounters c;
    sl_http_server_get_counters(fix->server, &c);
    return c;
}

/* One server, one client, and in the end nothing open. */
static void
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

static int
tcp_connect(Fixture *fix)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(fix->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_no_errno(connect(fd, (struct sockaddr *)&address, sizeof(address)));
    return fd;
}

static void
say(int fd, const char *text)
{
    (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* Reads until `count` answers have come or the end; an answer with Content-Length. "RESET" is
 * appended when the connection was reset. */
static char *
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

static void
assert_hears(int fd, guint count, const char *pattern)
{
    g_autofree char *text = hear(fd, count);
    if (!g_pattern_match_simple(pattern, text))
        g_error("heard '%s', not '%s'", text, pattern); // check-source: allow blocked, a test
}

/* Sends `text`, then hears `pattern` and the end of the connection. */
static void
assert_refused(Fixture *fix, const char *text, const char *pattern)
{
    sl_autofd int fd = tcp_connect(fix);
    say(fd, text);
    g_autofree char *heard = hear(fd, G_MAXUINT);
    if (!g_pattern_match_simple(pattern, heard))
        g_error("heard '%s', not '%s'", heard, pattern); // check-source: allow blocked, a test
}

/* --- cases --------------------------------------------------------------------------------- */

static void
client_keep_alive(Fixture *fix)
{
    sl_autofd int fd = tcp_connect(fix);
    say(fd, "GET /a%2Fb?c=%20d HTTP/1.1\r\nHost: x\r\nX-Test: 1\r\nx-test: 2\r\n\r\n");
    assert_hears(fd, 1,
                 "HTTP/1.1 200 OK\r\n*Content-Type: application/json\r\n*X-Answer: yes\r\n*"
                 "GET /a%2Fb?c=%20d [1, 2] 127.0.0.1 0 ");
    say(fd, "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    assert_hears(fd, 1, "HTTP/1.1 200 OK*POST /p?(null) [(null)] 127.0.0.1 5 hello");
    say(fd, "PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    say(fd, "2\r\nde\r\n0\r\n\r\n");
    assert_hears(fd, 1, "HTTP/1.1 200 OK*PUT /c?(null) [(null)] 127.0.0.1 5 abcde");
    say(fd, "POST /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_hears(fd, 1, "HTTP/1.1 100 Continue\r\n*");
    say(fd, "{}");
    assert_hears(fd, 1, "HTTP/1.1 200 OK*POST /e?(null) [(null)] 127.0.0.1 2 {}");
    say(fd, "GET /empty HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_hears(fd, 1, "HTTP/1.1 204 No Content\r\n*");
    say(fd, "GET /error HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_hears(fd, 1,
                 "HTTP/1.1 401 Unauthorized*Content-Type: application/json\r\n*WWW-Authenticate: "
                 "Bearer*{\"status\":401,\"type\":\"https://*#invalid-api-key\",\"title\":"
                 "\"invalid-api-key\",*\"message\":\"who \\\"are\\\" you?\"}}");
    say(fd, "GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_hears(fd, 2, "HTTP/1.1 200 OK*GET /last*");
}

static void
test_keep_alive(void)
{
    const SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    run_case(&limits, client_keep_alive, &c);
    g_assert_cmpuint(c.accepted, ==, 1);
    g_assert_cmpuint(c.served, ==, 7);
    g_assert_cmpuint(c.by_class[2], ==, 6);
    g_assert_cmpuint(c.by_class[4], ==, 1);
    g_assert_cmpuint(c.refused, ==, 0);
}

static void
client_head(Fixture *fix)
{
    sl_autofd int fd = tcp_connect(fix);
    say(fd, "HEAD /h HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    g_autofree char *heard = hear(fd, G_MAXUINT);
    g_assert_nonnull(strstr(heard, "Content-Length: 36\r\n"));
    g_assert_true(g_str_has_suffix(heard, "\r\n\r\n"));
}

static void
test_head(void)
{
    const SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    run_case(&limits, client_head, &c);
}

static void
client_pipelining(Fixture *fix)
{
    sl_autofd int fd = tcp_connect(fix);
    say(fd, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: "
            "2\r\n\r\n{}GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_hears(fd, G_MAXUINT, "*GET /1*POST /2*GET /3*");
}

static void
test_pipelining(void)
{
    const SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    run_case(&limits, client_pipelining, &c);
    g_assert_cmpuint(c.accepted, ==, 1);
    g_assert_cmpuint(c.served, ==, 3);
}

static void
client_local(Fixture *fix)
{
    g_autoptr(SlHttpUnix) client = sl_http_unix_new(fix->path);
    g_autofree char *peer = g_strdup_printf("unix:%u 2 {}", getuid());
    g_autoptr(GBytes) body = g_bytes_new_static("{}", 2);
    for (guint i = 0; i < 3; i++) {
        g_autoptr(SlHttpUnixReply) reply = NULL;
        g_autoptr(GError) error = NULL;
        sl_http_unix_request(client, "PUT", "/u", NULL, body, 0, NULL, &reply, &error);
        g_assert_no_error(error);
        g_autofree char *text =
            g_strndup(g_bytes_get_data(reply->body, NULL), g_bytes_get_size(reply->body));
        g_assert_true(g_str_has_suffix(text, peer));
    }
    /* HTTP/1.0 without Host on a unix socket: libsoup has no host for it */
    sl_autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(fix->path);
    char native[128];
    gsize size = (gsize)g_socket_address_get_native_size(address);
    g_assert_true(g_socket_address_to_native(address, native, sizeof(native), NULL));
    g_assert_no_errno(connect(fd, (struct sockaddr *)native, (socklen_t)size));
    say(fd, "GET /old HTTP/1.0\r\n\r\n");
    assert_hears(fd, G_MAXUINT, "HTTP/1.? 200 OK*GET /old*");
}

static void
test_local(void)
{
    const SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    run_case(&limits, client_local, &c);
    g_assert_cmpuint(c.accepted, ==, 2);
    g_assert_cmpuint(c.served, ==, 4);
}

/* Answered, or at least ended, without a handler. */
static void
client_bad(Fixture *fix)
{
    g_autofree char *filler = g_strnfill(2000, 'a');
    g_autofree char *large =
        g_strconcat("GET / HTTP/1.1\r\nHost: x\r\nX: ", filler, "\r\n\r\n", NULL);
    g_autofree char *more = g_strnfill(80000, 'b');
    g_autofree char *huge = g_strconcat("GET / HTTP/1.1\r\nHost: x\r\nX: ", more, "\r\n\r\n", NULL);

    assert_refused(fix,
                   "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: "
                   "chunked\r\n\r\n0\r\n\r\n",
                   "HTTP/1.1 400 *both Content-Length*");
    assert_refused(fix,
                   "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
                   "HTTP/1.1 400 *");
    assert_refused(fix, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                   "HTTP/1.1 400 *");
    assert_refused(fix, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n",
                   "HTTP/1.1 413 *Content-Type: application/json\r\n*\"status\":413,*");
    if (getenv("SL_TEST_SANITIZED") == NULL) /* libsoup 3.2.3 leaks the path of such a request */
        assert_refused(fix, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
                       "HTTP/1.1 501 *");
    assert_refused(fix, large, "HTTP/1.1 431 *");
    assert_refused(fix, huge, "*");
    assert_refused(fix, "GET / HTTP/1.1\r\n\r\n", "HTTP/1.? 400 *");
    assert_refused(fix, "garbage\r\n\r\n", "HTTP/1.? 400 *");

    /* chunks: counted, for who knows how many there will be */
    sl_autofd int fd = tcp_connect(fix);
    say(fd, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (guint i = 0; i < 3; i++) {
        say(fd, "190\r\n"); /* 400 bytes */
        g_autofree char *chunk = g_strnfill(400, 'x');
        say(fd, chunk);
        say(fd, "\r\n");
    }
    assert_hears(fd, G_MAXUINT, "HTTP/1.1 413 *");
}

static void
test_bad(void)
{
    SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    limits.max_body = 1000;
    limits.max_headers = 1000;
    run_case(&limits, client_bad, &c);
    g_assert_cmpuint(c.served, ==, 0);
}

/* A client that sends a byte now and then, at every stage of a request. */
static void
client_slow(Fixture *fix)
{
    static const struct {
        const char *begin, *pattern;
    } stages[] = {
        {"G", "HTTP/1.1 408 *"},
        {"GET / HTTP/1.1\r\nHost: ", "HTTP/1.1 408 *"},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n", "HTTP/1.1 408 *"},
        {"", ""}, /* never a byte: no answer */
    };
    for (guint i = 0; i < G_N_ELEMENTS(stages); i++) {
        gint64 start = g_get_monotonic_time();
        sl_autofd int fd = tcp_connect(fix);
        say(fd, stages[i].begin);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        while (poll(&p, 1, 20) == 0) {
            g_assert_cmpint(g_get_monotonic_time() - start, <, 60 * G_USEC_PER_SEC);
            if (stages[i].begin[0] != '\0')
                say(fd, "a");
        }
        g_assert_cmpint(g_get_monotonic_time() - start, >=, 150 * 1000);
        g_autofree char *heard = hear(fd, G_MAXUINT);
        g_assert_true(g_pattern_match_simple(stages[i].pattern, heard));
    }
}

static void
test_slow(void)
{
    SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    limits.header_usec = limits.body_usec = 150 * 1000;
    run_case(&limits, client_slow, &c);
    g_assert_cmpuint(c.refused, ==, 3);
    g_assert_cmpuint(c.served, ==, 0);
}

/* Idle for longer than the header deadline, shorter than the keep-alive one, then for longer. */
static void
client_idle(Fixture *fix)
{
    sl_autofd int fd = tcp_connect(fix);
    say(fd, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_hears(fd, 1, "*GET /1*");
    poll(NULL, 0, 150);
    gint64 start = g_get_monotonic_time();
    say(fd, "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_hears(fd, 1, "*GET /2*");
    assert_hears(fd, 1, "");
    g_assert_cmpint(g_get_monotonic_time() - start, >=, 290 * 1000);
}

static void
test_idle_connection(void)
{
    SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    limits.header_usec = 100 * 1000;
    limits.keep_alive_usec = 300 * 1000;
    run_case(&limits, client_idle, &c);
    g_assert_cmpuint(c.served, ==, 2);
}

static void
client_deaf(Fixture *fix)
{
    sl_autofd int fd = tcp_connect(fix);
    say(fd, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    poll(NULL, 0, 400); /* reads nothing of the 32 MiB */
}

static void
test_deaf(void)
{
    SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    limits.write_usec = 200 * 1000;
    run_case(&limits, client_deaf, &c);
    g_assert_cmpuint(c.refused, ==, 1);
}

#define N_CROWD 1000

/* A thousand silent connections, and then one with a request: it gets its answer. */
static void
client_crowd(Fixture *fix)
{
    int *fds = g_new(int, N_CROWD);
    for (guint i = 0; i < N_CROWD; i++)
        fds[i] = tcp_connect(fix);
    sl_autofd int fd = tcp_connect(fix);
    say(fd, "GET /me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_hears(fd, 1, "HTTP/1.1 200*GET /me*");
    for (guint i = 0; i < N_CROWD; i++)
        close(fds[i]);
    g_free(fds);
}

static void
test_crowd(void)
{
    SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_max < 2 * N_CROWD) {
        g_test_skip("RLIMIT_NOFILE is too low");
        return;
    }
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    limits.max_connections = 32;
    Fixture fix = {.limits = limits};
    fixture_start(&fix);
    run_client(&fix, client_crowd);
    c = counters(&fix);
    g_assert_cmpuint(c.connections, <=, 33);
    SPIN_UNTIL(counters(&fix).connections == 0 && counters(&fix).accepted > N_CROWD);
    g_assert_cmpuint(counters(&fix).served, ==, 1);
    fixture_stop(&fix);
}

/* Busy connections are not closed for newcomers: those wait. */
static void
client_cap(Fixture *fix)
{
    sl_autofd int one = tcp_connect(fix), two = tcp_connect(fix);
    say(one, "GET /gate HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    say(two, "GET /gate HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    g_mutex_lock(&fix->mutex);
    while (fix->waiting < 2)
        g_cond_wait(&fix->cond, &fix->mutex);
    g_mutex_unlock(&fix->mutex);
    sl_autofd int three = tcp_connect(fix);
    say(three, "GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    struct pollfd p = {.fd = three, .events = POLLIN};
    g_assert_cmpint(poll(&p, 1, 100), ==, 0);
    g_mutex_lock(&fix->mutex);
    fix->gate = TRUE;
    g_cond_broadcast(&fix->cond);
    g_mutex_unlock(&fix->mutex);
    assert_hears(one, 1, "*through");
    assert_hears(three, 1, "*GET /3*");
}

static void
test_cap(void)
{
    SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    limits.max_connections = 2;
    run_case(&limits, client_cap, &c);
    g_assert_cmpuint(c.served, ==, 3);
}

/* Two threads, two places in the queue, six requests: two get 503 at once. */
static void
client_full(Fixture *fix)
{
    int fds[6];
    guint rejected = 0, served = 0;
    for (guint i = 0; i < 6; i++) {
        fds[i] = tcp_connect(fix);
        say(fds[i], "GET /gate HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        g_mutex_lock(&fix->mutex); /* the first two are in the handler before the rest comes */
        while (i < 2 && fix->waiting < i + 1)
            g_cond_wait(&fix->cond, &fix->mutex);
        g_mutex_unlock(&fix->mutex);
    }
    struct pollfd polls[6];
    for (guint i = 0; i < 6; i++)
        polls[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    while (rejected < 2) {
        g_assert_cmpint(poll(polls, 6, 5000), >, 0);
        for (guint i = 0; i < 6; i++) {
            if (!(polls[i].revents & POLLIN))
                continue;
            assert_hears(fds[i], 1, "HTTP/1.1 503 *Retry-After: *\"message\":\"too many*");
            polls[i].fd = -1;
            rejected++;
        }
    }
    g_mutex_lock(&fix->mutex);
    fix->gate = TRUE;
    g_cond_broadcast(&fix->cond);
    g_mutex_unlock(&fix->mutex);
    for (guint i = 0; i < 6; i++) {
        if (polls[i].fd >= 0) {
            assert_hears(fds[i], 1, "HTTP/1.1 200 *through");
            served++;
        }
        close(fds[i]);
    }
    g_assert_cmpuint(rejected, ==, 2);
    g_assert_cmpuint(served, ==, 4);
}

static void
test_full(void)
{
    SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    limits.threads = 2;
    limits.max_queue = 2;
    run_case(&limits, client_full, &c);
    g_assert_cmpuint(c.rejected, ==, 2);
}

/* Many parked requests on one thread: none of them holds it. */
static void
client_park(Fixture *fix)
{
    int fds[20];
    for (guint i = 0; i < 20; i++) {
        fds[i] = tcp_connect(fix);
        say(fds[i], "GET /park?10000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    }
    sl_autofd int fd = tcp_connect(fix);
    say(fd, "GET /park?50 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_hears(fd, 1, "*/park timed out");
    sl_http_server_wake(fix->server, "other");
    sl_http_server_wake(fix->server, "key");
    for (guint i = 0; i < 20; i++) {
        assert_hears(fds[i], 1, "*/park woken");
        close(fds[i]);
    }
    say(fd, "GET /early?10000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_hears(fd, 1, "*/early woken"); /* named between looking and parking */
}

static void
test_park(void)
{
    SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    limits.threads = 1;
    run_case(&limits, client_park, &c);
    g_assert_cmpuint(c.served, ==, 22);
}

/* Gone while the handler runs, while parked, and while the queue holds the request. */
static void
client_leaves(Fixture *fix)
{
    for (guint i = 0; i < 20; i++) {
        int fd = tcp_connect(fix);
        say(fd, i % 2 == 0 ? "GET /gate HTTP/1.1\r\nHost: x\r\n\r\n"
                           : "GET /park?100 HTTP/1.1\r\nHost: x\r\n\r\n");
        const struct linger reset = {1, 0};
        if (i % 3 == 0)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        poll(NULL, 0, i < 4 ? 20 : 0);
        close(fd);
    }
    g_mutex_lock(&fix->mutex);
    fix->gate = TRUE;
    g_cond_broadcast(&fix->cond);
    g_mutex_unlock(&fix->mutex);
}

static void
test_client_leaves(void)
{
    SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    limits.threads = 2;
    run_case(&limits, client_leaves, &c);
}

static void
client_one(Fixture *fix)
{
    sl_autofd int fd = tcp_connect(fix);
    say(fd, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_hears(fd, 1, "*GET /1*");
}

static void
test_idle_func(void)
{
    Fixture fix = {.limits = SL_HTTP_LIMITS_DEFAULT};
    fix.limits.idle_usec = 100 * 1000;
    gint64 start = g_get_monotonic_time();
    fixture_start(&fix);
    SPIN_UNTIL(fix.idle == 1); /* never a request */
    g_assert_cmpint(g_get_monotonic_time() - start, >=, 100 * 1000);
    start = g_get_monotonic_time();
    run_client(&fix, client_one);
    SPIN_UNTIL(fix.idle == 2);
    g_assert_cmpint(g_get_monotonic_time() - start, >=, 100 * 1000);
    fixture_stop(&fix);
}

/* Stopping: parked → 503, running → its answer, idle → closed, new → not taken. */
static void
client_stop(Fixture *fix)
{
    sl_autofd int idle = tcp_connect(fix), running = tcp_connect(fix), parked = tcp_connect(fix);
    say(idle, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_hears(idle, 1, "*GET /1*");
    say(parked, "GET /park?10000 HTTP/1.1\r\nHost: x\r\n\r\n");
    say(running, "GET /gate HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_hears(idle, G_MAXUINT, "");
    sl_autofd int late = tcp_connect(fix);
    assert_hears(parked, G_MAXUINT, "HTTP/1.1 503 *Connection: close*");
    g_mutex_lock(&fix->mutex);
    fix->gate = TRUE;
    g_cond_broadcast(&fix->cond);
    g_mutex_unlock(&fix->mutex);
    assert_hears(running, G_MAXUINT, "HTTP/1.1 200 *Connection: close*through");
}

static gboolean
stop_when_ready(gpointer data)
{
    Fixture *fix = data;
    SlHttpCounters c = counters(fix);
    g_mutex_lock(&fix->mutex);
    gboolean ready = c.parked == 1 && fix->waiting == 1;
    g_mutex_unlock(&fix->mutex);
    if (!ready)
        return G_SOURCE_CONTINUE;
    sl_http_server_stop(fix->server, g_get_monotonic_time() + 10 * G_USEC_PER_SEC, on_stopped, fix);
    return G_SOURCE_REMOVE;
}

static void
test_stop(void)
{
    Fixture fix = {.limits = SL_HTTP_LIMITS_DEFAULT};
    fixture_start(&fix);
    g_timeout_add(5, stop_when_ready, &fix);
    run_client(&fix, client_stop);
    SPIN_UNTIL(fix.stopped == 1);
    g_assert_cmpuint(counters(&fix).connections, ==, 0);
    g_assert_cmpuint(counters(&fix).accepted, ==, 3);
    fixture_stop(&fix);
}

static void
client_hang(Fixture *fix)
{
    int fd = tcp_connect(fix);
    say(fd, "GET /gate HTTP/1.1\r\nHost: x\r\n\r\n");
    say(tcp_connect(fix), "GET /park?10000 HTTP/1.1\r\nHost: x\r\n\r\n"); /* stays open */
    say(tcp_connect(fix), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
    g_mutex_lock(&fix->mutex);
    while (fix->waiting < 1)
        g_cond_wait(&fix->cond, &fix->mutex);
    g_mutex_unlock(&fix->mutex);
}

/* The deadline of a stop, then the end with a handler, a parked request and half a body open. */
static void
test_free_busy(void)
{
    Fixture fix = {.limits = SL_HTTP_LIMITS_DEFAULT};
    fixture_start(&fix);
    run_client(&fix, client_hang);
    SPIN_UNTIL(counters(&fix).parked == 1 && counters(&fix).requests == 3);
    sl_http_server_stop(fix.server, g_get_monotonic_time() + 50 * 1000, on_stopped, &fix);
    SPIN_UNTIL(fix.stopped == 1);
    g_assert_false(fix.cancelled);
    fixture_stop(&fix);
    g_assert_true(fix.cancelled);
}

/* Requests with bytes changed, cut off and doubled: whatever comes back, nothing stays behind. */
static void
client_noise(Fixture *fix)
{
    static const char *const seeds[] = {
        "GET /a?b=c HTTP/1.1\r\nHost: x\r\nX-Test: 1\r\n\r\n",
        "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
        "PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "POST /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
        "HEAD / HTTP/1.0\r\n\r\n",
    };
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    for (guint i = 0; i < 400; i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        for (gint n = g_rand_int_range(random, 1, 4); n > 0; n--)
            g_string_append(text, seeds[g_rand_int_range(random, 0, G_N_ELEMENTS(seeds))]);
        for (gint n = g_rand_int_range(random, 0, 4); n > 0; n--)
            text->str[g_rand_int_range(random, 0, (gint32)text->len)] =
                (char)g_rand_int_range(random, 0, 256);
        g_string_truncate(text, (gsize)g_rand_int_range(random, 1, (gint32)text->len + 1));
        sl_autofd int fd = tcp_connect(fix);
        (void)!send(fd, text->str, text->len, MSG_NOSIGNAL);
        if (i % 4 == 0)
            shutdown(fd, SHUT_WR);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        poll(&p, 1, i % 4);
    }
    sl_autofd int fd = tcp_connect(fix);
    say(fd, "GET /well HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_hears(fd, 1, "*GET /well*");
}

static void
test_noise(void)
{
    const SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    SlHttpCounters c;
    run_case(&limits, client_noise, &c);
    g_assert_cmpuint(c.accepted, ==, 401);
}

static guint
count_fds(void)
{
    guint n = 0;
    g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
    while (g_dir_read_name(dir) != NULL)
        n++;
    return n;
}

static gsize
resident_bytes(void)
{
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents("/proc/self/statm", &text, NULL, NULL));
    return (gsize)g_ascii_strtoull(strchr(text, ' '), NULL, 10) * (gsize)getpagesize();
}

static void
client_many(Fixture *fix)
{
    for (guint i = 0; i < 3000; i++) {
        sl_autofd int fd = tcp_connect(fix);
        say(fd, "GET /1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert_hears(fd, 1, "*GET /1*");
    }
}

/* Libsoup's own accept loop would leave 3000 x 360 bytes behind. */
static void
test_leak(void)
{
    Fixture fix = {.limits = SL_HTTP_LIMITS_DEFAULT};
    fixture_start(&fix);
    run_client(&fix, client_many); /* caches fill */
    SPIN_UNTIL(counters(&fix).connections == 0);
    guint fds = count_fds();
    gsize before = resident_bytes();
    run_client(&fix, client_many);
    SPIN_UNTIL(counters(&fix).connections == 0);
    g_assert_cmpuint(count_fds(), ==, fds);
    gsize grown = resident_bytes() - before;
    if (getenv("SL_TEST_SANITIZED") == NULL)
        g_assert_cmpint((gssize)grown, <, 512 * 1024);
    fixture_stop(&fix);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http/server/keep-alive", test_keep_alive);
    g_test_add_func("/http/server/head", test_head);
    g_test_add_func("/http/server/pipelining", test_pipelining);
    g_test_add_func("/http/server/local", test_local);
    g_test_add_func("/http/server/bad", test_bad);
    g_test_add_func("/http/server/slow", test_slow);
    g_test_add_func("/http/server/idle-connection", test_idle_connection);
    g_test_add_func("/http/server/deaf", test_deaf);
    g_test_add_func("/http/server/crowd", test_crowd);
    g_test_add_func("/http/server/cap", test_cap);
    g_test_add_func("/http/server/full", test_full);
    g_test_add_func("/http/server/park", test_park);
    g_test_add_func("/http/server/client-leaves", test_client_leaves);
    g_test_add_func("/http/server/idle-func", test_idle_func);
    g_test_add_func("/http/server/stop", test_stop);
    g_test_add_func("/http/server/free-busy", test_free_busy);
    g_test_add_func("/http/server/noise", test_noise);
    g_test_add_func("/http/server/leak", test_leak);
    return g_test_run();
}
