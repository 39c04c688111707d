/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-http-unix.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"

/* A server that plays a script: one step per request, in order over all connections. */
typedef struct {
    const char *answer; /* NULL: hang up without a byte */
    gboolean hang_up;   /* after the answer */
    guint drip_msec;    /* pause between the bytes of the answer */
    gboolean unread;    /* answer at once, without reading the request */
} Step;

typedef struct {
    char *folder, *path;
    int listener;
    const Step *steps;
    guint n_steps;
    GThread *thread;
    GString *requests; /* all that was received */
    guint connections;
} Fake;

/* Reads one request; FALSE at the end of the connection. */
static gboolean
fake_read_request(Fake *fake, int fd)
{
    g_autoptr(GString) in = g_string_new(NULL);
    gsize need = 0;
    while (need == 0 || in->len < need) {
        char buffer[4096];
        gssize n = read(fd, buffer, sizeof(buffer));
        if (n <= 0)
            return FALSE;
        g_string_append_len(in, buffer, n);
        const char *end = strstr(in->str, "\r\n\r\n");
        if (end == NULL || need != 0)
            continue;
        const char *length = strstr(in->str, "Content-Length: ");
        need = (gsize)(end + 4 - in->str);
        if (length != NULL)
            need += (gsize)g_ascii_strtoull(length + 16, NULL, 10);
    }
    g_string_append_len(fake->requests, in->str, (gssize)in->len);
    return TRUE;
}

static void
fake_answer(int fd, const Step *step)
{
    for (const char *c = step->answer; step->drip_msec > 0 && *c != '\0'; c++) {
        if (send(fd, c, 1, MSG_NOSIGNAL) < 0)
            return;
        g_poll(NULL, 0, (int)step->drip_msec);
    }
    if (step->drip_msec == 0)
        (void)!send(fd, step->answer, strlen(step->answer), MSG_NOSIGNAL);
}

static gpointer
fake_main(gpointer data)
{
    Fake *fake = data;
    guint step = 0;
    while (step < fake->n_steps) {
        sl_autofd int fd = accept(fake->listener, NULL, NULL);
        if (fd < 0)
            break;
        fake->connections++;
        for (; step < fake->n_steps; step++) {
            const Step *now = &fake->steps[step];
            if (!now->unread && !fake_read_request(fake, fd))
                break;
            if (now->answer != NULL)
                fake_answer(fd, now);
            if (now->hang_up || now->answer == NULL) {
                step++;
                break;
            }
        }
    }
    return NULL;
}

static void
fake_start(Fake *fake, const Step *steps, guint n_steps)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    fake->folder = g_dir_make_tmp("sl-http-unix-XXXXXX", NULL);
    g_assert_nonnull(fake->folder);
    fake->path = g_build_filename(fake->folder, "sock", NULL);
    fake->steps = steps;
    fake->n_steps = n_steps;
    fake->requests = g_string_new(NULL);
    fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_strlcpy(address.sun_path, fake->path, sizeof(address.sun_path));
    g_assert_no_errno(bind(fake->listener, (struct sockaddr *)&address, sizeof(address)));
    g_assert_no_errno(listen(fake->listener, 8));
    fake->thread = g_thread_new("fake", fake_main, fake);
}

/* `connections`: how many there must have been. */
static void
fake_stop(Fake *fake, guint connections)
{
    shutdown(fake->listener, SHUT_RDWR);
    g_thread_join(fake->thread);
    sl_fd_clear(&fake->listener);
    g_assert_cmpuint(fake->connections, ==, connections);
    g_unlink(fake->path);
    g_rmdir(fake->folder);
    g_string_free(fake->requests, TRUE);
    g_free(fake->path);
    g_free(fake->folder);
}

static gint64
in_msec(gint64 msec)
{
    return g_get_monotonic_time() + msec * 1000;
}

static void
assert_body(SlHttpUnixReply *reply, guint status, const char *body)
{
    gsize size;
    const char *data = g_bytes_get_data(reply->body, &size);
    g_assert_cmpuint(reply->status, ==, status);
    g_assert_cmpmem(data, size, body, strlen(body));
}

static void
assert_get(SlHttpUnix *client, const char *method, guint status, const char *body)
{
    g_autoptr(SlHttpUnixReply) reply = NULL;
    g_autoptr(GError) error = NULL;
    sl_http_unix_request(client, method, "/x", NULL, NULL, in_msec(5000), NULL, &reply, &error);
    g_assert_no_error(error);
    assert_body(reply, status, body);
}

static void
assert_fails(SlHttpUnix *client, const char *method, gint64 deadline, SlErrorCode code)
{
    g_autoptr(SlHttpUnixReply) reply = NULL;
    g_autoptr(GError) error = NULL;
    g_assert_false(
        sl_http_unix_request(client, method, "/x", NULL, NULL, deadline, NULL, &reply, &error));
    g_assert_error(error, SL_ERROR, (int)code);
    g_assert_null(reply);
}

#define OK(body) "HTTP/1.1 200 OK\r\nContent-Length: " body

static void
test_keep_alive(void)
{
    const Step steps[] = {
        {OK("5\r\nX-A:  one \r\nx-a: two\r\n\r\nfirst")},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n"
         "3\r\nabc\r\n0a;x=y\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n"},
        {"HTTP/1.1 204 No Content\r\n\r\n"},
        {OK("7\r\n\r\n")}, /* HEAD */
        {"HTTP/1.1 200 OK\r\n\r\nuntil the end", .hang_up = TRUE},
    };
    Fake fake = {0};
    fake_start(&fake, steps, G_N_ELEMENTS(steps));
    g_autoptr(SlHttpUnix) client = sl_http_unix_new(fake.path);
    g_autoptr(SlHttpUnixReply) reply = NULL;
    g_autoptr(GError) error = NULL;
    const char *const headers[] = {"X-Own", "v", NULL};
    g_autoptr(GBytes) body = g_bytes_new_static("{}", 2);

    sl_http_unix_set_header(client, "Authorization", "Bearer t");
    sl_http_unix_request(client, "PUT", "/a?b=c", headers, body, 0, NULL, &reply, &error);
    g_assert_no_error(error);
    assert_body(reply, 200, "first");
    g_assert_cmpstr(g_hash_table_lookup(reply->headers, "x-a"), ==, "one, two");
    assert_get(client, "GET", 404, "abc0123456789");
    assert_get(client, "DELETE", 204, "");
    assert_get(client, "HEAD", 200, "");
    assert_get(client, "GET", 200, "until the end");
    g_assert_true(g_str_has_prefix(fake.requests->str, "PUT /a?b=c HTTP/1.1\r\nHost: localhost\r\n"
                                                       "Authorization: Bearer t\r\nX-Own: v\r\n"
                                                       "Content-Length: 2\r\n\r\n{}GET "));
    fake_stop(&fake, 1);
}

/* The server idles out between two requests, then just as the second arrives. */
static void
test_reconnect(void)
{
    const Step steps[] = {
        {OK("1\r\n\r\na"), .hang_up = TRUE},
        {OK("1\r\n\r\nb")},
        {NULL},
        {OK("1\r\n\r\nc")},
        {OK("1\r\n\r\nd"), .hang_up = TRUE}, /* POST: new connection although one is open */
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\ne", .hang_up = TRUE},
    };
    Fake fake = {0};
    fake_start(&fake, steps, G_N_ELEMENTS(steps));
    g_autoptr(SlHttpUnix) client = sl_http_unix_new(fake.path);
    assert_get(client, "GET", 200, "a");
    g_poll(NULL, 0, 20);
    assert_get(client, "GET", 200, "b");
    assert_get(client, "GET", 200, "c");
    assert_get(client, "POST", 200, "d");
    assert_get(client, "GET", 200, "e");
    fake_stop(&fake, 5);
}

static void
test_early_end(void)
{
    const Step steps[] = {{NULL}, {OK("9\r\n\r\nhalf"), .hang_up = TRUE}, {OK("1\r\n\r\na")}};
    Fake fake = {0};
    fake_start(&fake, steps, G_N_ELEMENTS(steps));
    g_autoptr(SlHttpUnix) client = sl_http_unix_new(fake.path);
    assert_fails(client, "POST", in_msec(5000), SL_ERROR_UNAVAILABLE); /* never sent twice */
    assert_fails(client, "GET", in_msec(5000), SL_ERROR_UNAVAILABLE);
    assert_get(client, "GET", 200, "a");
    fake_stop(&fake, 3);
}

/* A server that stops hangs up on a request that it has not read: it is said again, even a POST. */
static void
test_unsent(void)
{
    const Step steps[] = {{NULL, .unread = TRUE},
                          {OK("1\r\n\r\na"), .hang_up = TRUE},
                          {NULL, .unread = TRUE},
                          {NULL, .unread = TRUE},
                          {OK("1\r\n\r\nb")}};
    gsize size = 8 * 1024 * 1024; /* more than a socket holds */
    g_autoptr(GBytes) body = g_bytes_new_take(g_strnfill(size, 'x'), size);
    Fake fake = {0};
    fake_start(&fake, steps, G_N_ELEMENTS(steps));
    g_autoptr(SlHttpUnix) client = sl_http_unix_new(fake.path);
    for (guint i = 0; i < 3; i++) {
        g_autoptr(SlHttpUnixReply) reply = NULL;
        g_autoptr(GError) error = NULL;
        sl_http_unix_request(client, "POST", "/", NULL, body, in_msec(30000), NULL, &reply, &error);
        if (i == 1) { /* once only */
            g_assert_error(error, SL_ERROR, SL_ERROR_UNAVAILABLE);
            continue;
        }
        g_assert_no_error(error);
        assert_body(reply, 200, i == 0 ? "a" : "b");
    }
    fake_stop(&fake, 5);
}

static void
test_garbage(void)
{
    static const struct {
        const char *answer;
        SlErrorCode code;
    } cases[] = {
        {"SSH-2.0-OpenSSH\r\n", SL_ERROR_PROTOCOL},
        {"HTTP/1.1 2x0 OK\r\n\r\n", SL_ERROR_PROTOCOL},
        {"HTTP/1.1 20000000000000000000 OK\r\n\r\n", SL_ERROR_PROTOCOL},
        {"HTTP/1.1 020 OK\r\n\r\n", SL_ERROR_PROTOCOL},
        {"HTTP/1.1 200OK\r\n\r\n", SL_ERROR_PROTOCOL},
        {"HTTP/1.1 200 OK\r\n: v\r\n\r\n", SL_ERROR_PROTOCOL},
        {OK("-1\r\n\r\n"), SL_ERROR_PROTOCOL},
        {OK("5\r\nContent-Length: 6\r\n\r\n"), SL_ERROR_PROTOCOL},
        {OK("9999999\r\n\r\n"), SL_ERROR_TOO_LARGE},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", SL_ERROR_PROTOCOL},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", SL_ERROR_PROTOCOL},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", SL_ERROR_PROTOCOL},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n", SL_ERROR_TOO_LARGE},
        {"HTTP/1.1 200 OK\r\n\r\n0123456789abcdefX", SL_ERROR_TOO_LARGE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Step step = {cases[i].answer, .hang_up = TRUE};
        Fake fake = {0};
        fake_start(&fake, &step, 1);
        g_autoptr(SlHttpUnix) client = sl_http_unix_new(fake.path);
        sl_http_unix_set_max_body(client, 16);
        g_test_message("case %u", i);
        assert_fails(client, "GET", in_msec(5000), cases[i].code);
        fake_stop(&fake, 1);
    }
}

static void
test_header_limit(void)
{
    g_autofree char *filler = g_strnfill(SL_HTTP_UNIX_MAX_HEADERS, 'a');
    g_autofree char *answer = g_strconcat("HTTP/1.1 200 OK\r\nX: ", filler, "\r\n\r\n", NULL);
    const Step step = {answer, .hang_up = TRUE};
    Fake fake = {0};
    fake_start(&fake, &step, 1);
    g_autoptr(SlHttpUnix) client = sl_http_unix_new(fake.path);
    assert_fails(client, "GET", in_msec(5000), SL_ERROR_TOO_LARGE);
    fake_stop(&fake, 1);
}

/* The refusal of a body that the server does not read is still heard. */
static void
test_refused_body(void)
{
    const Step step = {"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno",
                       .hang_up = TRUE, .unread = TRUE};
    Fake fake = {0};
    fake_start(&fake, &step, 1);
    g_autoptr(SlHttpUnix) client = sl_http_unix_new(fake.path);
    g_autoptr(GBytes) body = g_bytes_new_take(g_malloc0(16 << 20), 16 << 20);
    g_autoptr(SlHttpUnixReply) reply = NULL;
    g_autoptr(GError) error = NULL;
    sl_http_unix_request(client, "POST", "/", NULL, body, in_msec(5000), NULL, &reply, &error);
    g_assert_no_error(error);
    assert_body(reply, 413, "no");
    fake_stop(&fake, 1);
}

static void
test_deadline(void)
{
    const Step step = {OK("3\r\n\r\nabc"), .drip_msec = 20};
    Fake fake = {0};
    fake_start(&fake, &step, 1);
    g_autoptr(SlHttpUnix) client = sl_http_unix_new(fake.path);
    assert_fails(client, "GET", in_msec(150), SL_ERROR_TIMED_OUT); /* bytes keep coming */
    fake_stop(&fake, 1);
}

static gpointer
cancel_soon(gpointer cancellable)
{
    g_poll(NULL, 0, 50);
    g_cancellable_cancel(cancellable);
    return NULL;
}

/* Somebody who listens and never answers. */
static int
listen_deaf(const char *path, int backlog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_no_errno(bind(fd, (struct sockaddr *)&address, sizeof(address)));
    g_assert_no_errno(listen(fd, backlog));
    return fd;
}

static void
test_cancel(void)
{
    g_autofree char *folder = g_dir_make_tmp("sl-http-unix-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "sock", NULL);
    sl_autofd int listener = listen_deaf(path, 8);
    g_autoptr(SlHttpUnix) client = sl_http_unix_new(path);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    GThread *thread = g_thread_new("cancel", cancel_soon, cancellable);
    g_autoptr(SlHttpUnixReply) reply = NULL;
    g_autoptr(GError) error = NULL;
    gboolean ok = sl_http_unix_request(client, "GET", "/", NULL, NULL, in_msec(5000), cancellable,
                                       &reply, &error);
    g_thread_join(thread);
    g_assert_false(ok);
    g_assert_error(error, SL_ERROR, SL_ERROR_CANCELLED);
    g_unlink(path);
    g_rmdir(folder);
}

static void
test_nobody(void)
{
    g_autoptr(SlHttpUnix) client = sl_http_unix_new("/nonexistent/sock");
    assert_fails(client, "GET", 0, SL_ERROR_UNAVAILABLE);
    g_autofree char *longest = g_strnfill(200, 'a');
    g_autoptr(SlHttpUnix) other = sl_http_unix_new(longest);
    assert_fails(other, "GET", 0, SL_ERROR_INVALID);
}

/* A backlog that nobody empties: connecting waits, and the deadline ends it. */
static void
test_full_backlog(void)
{
    g_autofree char *folder = g_dir_make_tmp("sl-http-unix-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "sock", NULL);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    sl_autofd int listener = listen_deaf(path, 0);
    sl_autofd int first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_no_errno(connect(first, (struct sockaddr *)&address, sizeof(address)));
    g_autoptr(SlHttpUnix) client = sl_http_unix_new(path);
    assert_fails(client, "GET", in_msec(60), SL_ERROR_TIMED_OUT);
    g_unlink(path);
    g_rmdir(folder);
}

static void
test_bad_request(void)
{
    static const struct {
        const char *method, *path;
        const char *headers[3];
    } cases[] = {
        {"GET", "x", {NULL}},
        {"GET", "/a b", {NULL}},
        {"GET", "/a\r\nX: y", {NULL}},
        {"G ET", "/", {NULL}},
        {"GET", "/", {"X", "a\r\nY: b", NULL}},
        {"GET", "/", {"X Y", "a", NULL}},
    };
    g_autoptr(SlHttpUnix) client = sl_http_unix_new("/nonexistent/sock");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SlHttpUnixReply) reply = NULL;
        g_autoptr(GError) error = NULL;
        g_assert_false(sl_http_unix_request(client, cases[i].method, cases[i].path,
                                            cases[i].headers, NULL, 0, NULL, &reply, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http/unix/keep-alive", test_keep_alive);
    g_test_add_func("/http/unix/reconnect", test_reconnect);
    g_test_add_func("/http/unix/early-end", test_early_end);
    g_test_add_func("/http/unix/unsent", test_unsent);
    g_test_add_func("/http/unix/garbage", test_garbage);
    g_test_add_func("/http/unix/header-limit", test_header_limit);
    g_test_add_func("/http/unix/refused-body", test_refused_body);
    g_test_add_func("/http/unix/deadline", test_deadline);
    g_test_add_func("/http/unix/cancel", test_cancel);
    g_test_add_func("/http/unix/nobody", test_nobody);
    g_test_add_func("/http/unix/full-backlog", test_full_backlog);
    g_test_add_func("/http/unix/bad-request", test_bad_request);
    return g_test_run();
}
