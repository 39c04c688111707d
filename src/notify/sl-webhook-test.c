/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-webhook.h"

#include <string.h>
#include <sys/socket.h>

#include "sl-error.h"

#define SEC ((gint64)G_USEC_PER_SEC)

static void
test_addresses(void)
{
    static const struct {
        const char *address;
        gboolean open, closed; /* with and without AllowPrivateWebhooks= */
    } cases[] = {
        {"93.184.216.34", TRUE, TRUE},
        {"2606:2800:220:1::1", TRUE, TRUE},
        {"127.0.0.1", TRUE, FALSE},
        {"127.8.9.10", TRUE, FALSE},
        {"::1", TRUE, FALSE},
        {"10.1.2.3", TRUE, FALSE},
        {"172.16.0.1", TRUE, FALSE},
        {"172.32.0.1", TRUE, TRUE},
        {"192.168.1.1", TRUE, FALSE},
        {"100.64.0.1", TRUE, FALSE},
        {"100.128.0.1", TRUE, TRUE},
        {"fd00::1", TRUE, FALSE},
        {"fc12::1", TRUE, FALSE},
        {"::ffff:10.0.0.1", TRUE, FALSE},
        {"::ffff:93.184.216.34", TRUE, TRUE},
        /* where clouds keep credentials, and what is nobody's or everybody's */
        {"169.254.169.254", FALSE, FALSE},
        {"169.254.0.1", FALSE, FALSE},
        {"::ffff:169.254.169.254", FALSE, FALSE},
        {"64:ff9b::169.254.169.254", FALSE, FALSE},
        {"fe80::1", FALSE, FALSE},
        {"0.0.0.0", FALSE, FALSE},
        {"0.1.2.3", FALSE, FALSE},
        {"::", FALSE, FALSE},
        {"224.0.0.1", FALSE, FALSE},
        {"ff02::1", FALSE, FALSE},
        {"255.255.255.255", FALSE, FALSE},
    };
    const SlWebhookPolicy open = {TRUE, SEC}, closed = {FALSE, SEC};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GInetAddress) address = g_inet_address_new_from_string(cases[i].address);
        g_test_message("%s", cases[i].address);
        g_assert_cmpint(sl_webhook_may_go(address, &open), ==, cases[i].open);
        g_assert_cmpint(sl_webhook_may_go(address, &closed), ==, cases[i].closed);
    }
}

/* --- a receiver --------------------------------------------------------------------------------
 */

typedef enum { ANSWER, HANG, TRICKLE, RESET } Manner;

typedef struct {
    GSocketListener *listener;
    GCancellable *stop;
    Manner manner;
    const char *answer;
    GString *request;
    gint connections;
    GThread *thread;
    char *url;
} Hook;

static void
hear(Hook *hook, GInputStream *in)
{
    char piece[4096];
    for (;;) {
        gssize n = g_input_stream_read(in, piece, sizeof piece, hook->stop, NULL);
        if (n <= 0)
            return;
        g_string_append_len(hook->request, piece, n);
        const char *end = strstr(hook->request->str, "\r\n\r\n");
        const char *length = strstr(hook->request->str, "Content-Length: ");
        if (hook->manner != HANG && end != NULL && length != NULL &&
            strlen(end + 4) >= strtoul(length + 16, NULL, 10))
            return;
    }
}

static void
answer(Hook *hook, GSocketConnection *connection)
{
    GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(connection));
    if (hook->manner == RESET) {
        struct linger now = {1, 0};
        GSocket *socket = g_socket_connection_get_socket(connection);
        setsockopt(g_socket_get_fd(socket), SOL_SOCKET, SO_LINGER, &now, sizeof now);
        return;
    }
    if (hook->manner == ANSWER) {
        g_output_stream_write_all(out, hook->answer, strlen(hook->answer), NULL, NULL, NULL);
        return;
    }
    /* a byte now and then, for ever */
    while (g_output_stream_write(out, "H", 1, hook->stop, NULL) == 1)
        g_usleep(50000);
}

static gpointer
run_hook(gpointer data)
{
    Hook *hook = data;
    for (;;) {
        g_autoptr(GSocketConnection) connection =
            g_socket_listener_accept(hook->listener, NULL, hook->stop, NULL);
        if (connection == NULL)
            return NULL;
        g_atomic_int_inc(&hook->connections);
        hear(hook, g_io_stream_get_input_stream(G_IO_STREAM(connection)));
        if (hook->manner != HANG)
            answer(hook, connection);
    }
}

static void
hook_start(Hook *hook, Manner manner, const char *text)
{
    *hook = (Hook){.listener = g_socket_listener_new(),
                   .stop = g_cancellable_new(),
                   .manner = manner,
                   .answer = text,
                   .request = g_string_new(NULL)};
    guint16 port = g_socket_listener_add_any_inet_port(hook->listener, NULL, NULL);
    hook->url = g_strdup_printf("http://127.0.0.1:%u/hook", port);
    hook->thread = g_thread_new("hook", run_hook, hook);
}

static void
hook_stop(Hook *hook)
{
    g_cancellable_cancel(hook->stop);
    g_thread_join(hook->thread);
    g_string_free(hook->request, TRUE);
    g_object_unref(hook->listener);
    g_object_unref(hook->stop);
    g_free(hook->url);
}

#define HEAD(status) "HTTP/1.1 " status "\r\nContent-Length: 0\r\nConnection: close\r\n"

static void
test_post(void)
{
    static const struct {
        Manner manner;
        const char *answer;
        gboolean allow_private;
        SlErrorCode code;
        const char *message; /* NULL: it works */
        gint64 timeout;
    } cases[] = {
        {ANSWER, HEAD("200 OK") "\r\n", TRUE, 0, NULL, 60 * SEC},
        {ANSWER, HEAD("204 No Content") "\r\n", TRUE, 0, NULL, 60 * SEC},
        {ANSWER, HEAD("500 No") "\r\n", TRUE, SL_ERROR_FAILED, "status 500", 60 * SEC},
        {ANSWER, HEAD("302 Found") "Location: /elsewhere\r\n\r\n", TRUE, SL_ERROR_FAILED,
         "status 302", 60 * SEC},
        {RESET, NULL, TRUE, SL_ERROR_UNAVAILABLE, "", 60 * SEC},
        {HANG, NULL, TRUE, SL_ERROR_TIMED_OUT, "no answer in time", SEC / 2},
        {TRICKLE, NULL, TRUE, SL_ERROR_TIMED_OUT, "no answer in time", SEC / 2},
        {ANSWER, HEAD("200 OK") "\r\n", FALSE, SL_ERROR_FORBIDDEN,
         "address 127.0.0.1 is not allowed", 60 * SEC},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const SlWebhookPolicy policy = {cases[i].allow_private, cases[i].timeout};
        g_autoptr(GError) error = NULL;
        Hook hook;
        g_test_message("case %u", i);
        hook_start(&hook, cases[i].manner, cases[i].answer);
        gboolean ok = sl_webhook_post(hook.url, "id-1", "{\"text\":\"x\"}", &policy, &error);
        if (cases[i].message == NULL) {
            g_assert_no_error(error);
            g_assert_true(ok);
            g_assert_true(g_str_has_prefix(hook.request->str, "POST /hook HTTP/1.1\r\n"));
            g_assert_nonnull(strstr(hook.request->str, "Idempotency-Key: id-1\r\n"));
            g_assert_nonnull(strstr(hook.request->str, "Content-Type: application/json\r\n"));
            g_assert_true(g_str_has_suffix(hook.request->str, "\r\n\r\n{\"text\":\"x\"}"));
        } else {
            g_assert_false(ok);
            g_assert_error(error, SL_ERROR, (int)cases[i].code);
            g_assert_nonnull(strstr(error->message, cases[i].message));
            /* a redirect is not followed; a refused address hears nothing */
            g_assert_cmpint(g_atomic_int_get(&hook.connections), <=, 1);
            g_assert_true(cases[i].allow_private || hook.request->len == 0);
        }
        hook_stop(&hook);
    }
}

/* Names and other spellings of an address come to the same. */
static void
test_spellings(void)
{
    static const char *const urls[] = {"http://localhost:%u/", "http://[::ffff:127.0.0.1]:%u/",
                                       "http://2130706433:%u/", "http://127.1:%u/"};
    const SlWebhookPolicy closed = {FALSE, 60 * SEC};
    for (guint i = 0; i < G_N_ELEMENTS(urls); i++) {
        g_autoptr(GError) error = NULL;
        Hook hook;
        hook_start(&hook, ANSWER, HEAD("200 OK") "\r\n");
        g_auto(GStrv) parts = g_strsplit(urls[i], "%u", 2);
        g_autofree char *port =
            g_strndup(strrchr(hook.url, ':') + 1, strcspn(strrchr(hook.url, ':') + 1, "/"));
        g_autofree char *url = g_strconcat(parts[0], port, parts[1], NULL);
        g_test_message("%s", url);
        g_assert_false(sl_webhook_post(url, NULL, "{}", &closed, &error));
        g_assert_cmpuint(hook.request->len, ==, 0);
        hook_stop(&hook);
    }
}

static void
test_no_address(void)
{
    static const char *const urls[] = {"", "x", "ftp://host/", "file:///etc/passwd", "http://"};
    const SlWebhookPolicy open = {TRUE, SEC};
    for (guint i = 0; i < G_N_ELEMENTS(urls); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(sl_webhook_post(urls[i], NULL, "{}", &open, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/notify/webhook/addresses", test_addresses);
    g_test_add_func("/notify/webhook/post", test_post);
    g_test_add_func("/notify/webhook/spellings", test_spellings);
    g_test_add_func("/notify/webhook/no-address", test_no_address);
    return g_test_run();
}
