/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-http-client.h"

#include <string.h>

#include "sl-error.h"

/* A server that says what it is told to, once per connection, and remembers what it was asked. */
typedef struct {
    GSocketService *service;
    char *url;
    const char *answer; /* NULL: none */
    gsize filler;       /* so many bytes behind the answer */
    GMutex mutex;
    GString *request;
} Server;

/* The head, and as much of a body as its Content-Length says. */
static void
read_request(Server *server, GInputStream *in)
{
    char piece[4096];
    gsize wanted = G_MAXSIZE;
    g_autoptr(GString) text = g_string_new(NULL);
    while (text->len < wanted) {
        gssize n = g_input_stream_read(in, piece, sizeof piece, NULL, NULL);
        if (n <= 0)
            break;
        g_string_append_len(text, piece, n);
        const char *end = strstr(text->str, "\r\n\r\n");
        const char *length = strstr(text->str, "Content-Length: ");
        if (end != NULL)
            wanted = (gsize)(end + 4 - text->str) +
                     (length != NULL && length < end ? strtoul(length + 16, NULL, 10) : 0);
    }
    g_mutex_lock(&server->mutex);
    g_string_assign(server->request, text->str);
    g_mutex_unlock(&server->mutex);
}

static gboolean
on_run(GThreadedSocketService *service, GSocketConnection *connection, GObject *source,
       gpointer data)
{
    Server *server = data;
    GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(connection));
    g_autofree char *zeros = g_malloc0(1 << 20);
    read_request(server, g_io_stream_get_input_stream(G_IO_STREAM(connection)));
    if (server->answer == NULL) { /* until the client has gone */
        char byte;
        g_input_stream_read(g_io_stream_get_input_stream(G_IO_STREAM(connection)), &byte, 1, NULL,
                            NULL);
        return TRUE;
    }
    g_output_stream_write_all(out, server->answer, strlen(server->answer), NULL, NULL, NULL);
    for (gsize left = server->filler; left > 0;) {
        gsize n = MIN(left, 1 << 20);
        if (!g_output_stream_write_all(out, zeros, n, NULL, NULL, NULL))
            break;
        left -= n;
    }
    g_io_stream_close(G_IO_STREAM(connection), NULL, NULL);
    return TRUE;
}

static void
set_up(Server *server, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_mutex_init(&server->mutex);
    server->request = g_string_new(NULL);
    server->service = g_threaded_socket_service_new(4);
    guint16 port =
        g_socket_listener_add_any_inet_port(G_SOCKET_LISTENER(server->service), NULL, &error);
    g_assert_no_error(error);
    server->url = g_strdup_printf("http://127.0.0.1:%u", port);
    g_signal_connect(server->service, "run", G_CALLBACK(on_run), server);
}

static void
tear_down(Server *server, gconstpointer data)
{
    g_socket_service_stop(server->service);
    g_socket_listener_close(G_SOCKET_LISTENER(server->service));
    g_object_unref(server->service);
    g_free(server->url);
    g_string_free(server->request, TRUE);
    g_mutex_clear(&server->mutex);
}

/* The test's own thread accepts between the steps of the client's thread. */
typedef struct {
    Server *server;
    const char *method, *path, *body;
    const char *const *headers;
    GCancellable *cancellable;
    SlHttpUnixReply *reply;
    GError *error;
    gint done;
} Call;

static gpointer
run_call(gpointer data)
{
    Call *call = data;
    g_autoptr(SlHttpClient) client = sl_http_client_new("test/1");
    g_autofree char *url = g_strconcat(call->server->url, call->path, NULL);
    gboolean ok =
        sl_http_client_request(client, call->method, url, call->headers, call->body, G_USEC_PER_SEC,
                               call->cancellable, &call->reply, &call->error);
    g_assert_true(ok == (call->error == NULL) && ok == (call->reply != NULL));
    g_atomic_int_set(&call->done, 1);
    g_main_context_wakeup(NULL);
    return NULL;
}

static void
perform(Call *call)
{
    GThread *thread = g_thread_new("client", run_call, call);
    while (!g_atomic_int_get(&call->done))
        g_main_context_iteration(NULL, TRUE);
    g_thread_join(thread);
}

static void
test_answers(Server *server, gconstpointer data)
{
    static const struct {
        const char *answer;
        guint status;
        const char *body;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, "{}"},
        {"HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno!", 404, "no!"},
        {"HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\nlater", 503, "later"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n",
         200, "abcd"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gsize len;
        Call call = {.server = server, .method = "GET", .path = "/"};
        server->answer = cases[i].answer;
        perform(&call);
        g_assert_no_error(call.error);
        g_assert_cmpuint(call.reply->status, ==, cases[i].status);
        const char *text = g_bytes_get_data(call.reply->body, &len);
        g_assert_cmpmem(text, len, cases[i].body, strlen(cases[i].body));
        sl_http_unix_reply_free(call.reply);
    }
}

static void
test_what_is_sent(Server *server, gconstpointer data)
{
    static const char *const headers[] = {"Authorization", "Bearer x", "X-More", "1", NULL};
    static const char *const wanted[] = {"POST /a/b?c=%20 HTTP/1.1\r\n",
                                         "Authorization: Bearer x",
                                         "X-More: 1",
                                         "User-Agent: test/1",
                                         "Accept: application/json",
                                         "{\"k\":1}",
                                         "Content-Type: application/json"};
    Call call = {.server = server,
                 .method = "POST",
                 .path = "/a/b?c=%20",
                 .headers = headers,
                 .body = "{\"k\":1}"};
    server->answer = "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nX-ONE: yes\r\n"
                     "Content-Length: 0\r\n\r\n";
    perform(&call);
    g_assert_no_error(call.error);
    for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++)
        g_assert_nonnull(strstr(server->request->str, wanted[i]));
    g_assert_cmpstr(g_hash_table_lookup(call.reply->headers, "set-cookie"), ==, "a, b");
    g_assert_cmpstr(g_hash_table_lookup(call.reply->headers, "x-one"), ==, "yes");
    sl_http_unix_reply_free(call.reply);
}

static void
expect_error(Call *call, SlErrorCode code)
{
    perform(call);
    g_assert_error(call->error, SL_ERROR, (int)code);
    g_error_free(call->error);
}

static void
test_errors(Server *server, gconstpointer data)
{
    Call silent = {.server = server, .method = "GET", .path = "/"};
    expect_error(&silent, SL_ERROR_TIMED_OUT);

    server->answer = "not HTTP at all\r\n\r\n";
    Call garbage = {.server = server, .method = "GET", .path = "/"};
    expect_error(&garbage, SL_ERROR_UNAVAILABLE);

    server->answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    Call half = {.server = server, .method = "POST", .path = "/", .body = "{}"};
    perform(&half);
    if (half.error == NULL) { /* libsoup takes what came: the caller's JSON reader refuses it */
        g_assert_cmpuint(g_bytes_get_size(half.reply->body), ==, 4);
        sl_http_unix_reply_free(half.reply);
    } else {
        g_assert_error(half.error, SL_ERROR, SL_ERROR_UNAVAILABLE);
        g_error_free(half.error);
    }

    server->answer = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    server->filler = SL_HTTP_UNIX_MAX_BODY + 1;
    Call large = {.server = server, .method = "GET", .path = "/"};
    expect_error(&large, SL_ERROR_TOO_LARGE);
    server->filler = 0;

    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_cancellable_cancel(cancellable);
    Call cancelled = {.server = server, .method = "GET", .path = "/", .cancellable = cancellable};
    expect_error(&cancelled, SL_ERROR_CANCELLED);
}

static void
test_addresses(Server *server, gconstpointer data)
{
    static const struct {
        const char *url;
        SlErrorCode code;
    } cases[] = {
        {"", SL_ERROR_INVALID},
        {"/x", SL_ERROR_INVALID},
        {"http://", SL_ERROR_INVALID},
        {"file:///etc/passwd", SL_ERROR_INVALID},
        {"http://127.0.0.1:1/", SL_ERROR_UNAVAILABLE},
        {"http://does-not-exist.invalid/", SL_ERROR_UNAVAILABLE},
    };
    g_autoptr(SlHttpClient) client = sl_http_client_new("test/1");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        SlHttpUnixReply *reply = NULL;
        g_assert_false(sl_http_client_request(client, "GET", cases[i].url, NULL, NULL,
                                              5 * (gint64)G_USEC_PER_SEC, NULL, &reply, &error));
        g_assert_error(error, SL_ERROR, (int)cases[i].code);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
    g_test_add("/http-client/" name, Server, NULL, set_up, function, tear_down)
    ADD("answers", test_answers);
    ADD("what-is-sent", test_what_is_sent);
    ADD("errors", test_errors);
    ADD("addresses", test_addresses);
    return g_test_run();
}
