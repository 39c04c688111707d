/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-test.h"

#include <string.h>

#include "sl-error.h"

/* Hears one request and answers it; without an answer it waits until the other side has gone. */
typedef struct {
    GSocketListener *listener;
    guint16 port;
    const char *answer;
    GString *request;
    GThread *thread;
} Hook;

static gpointer
run_hook(gpointer data)
{
    Hook *hook = data;
    char piece[4096];
    gsize wanted = G_MAXSIZE;
    g_autoptr(GSocketConnection) connection =
        g_socket_listener_accept(hook->listener, NULL, NULL, NULL);
    GInputStream *in = g_io_stream_get_input_stream(G_IO_STREAM(connection));
    while (hook->answer == NULL || hook->request->len < wanted) {
        gssize n = g_input_stream_read(in, piece, sizeof piece, NULL, NULL);
        if (n <= 0)
            return NULL;
        g_string_append_len(hook->request, piece, n);
        const char *end = strstr(hook->request->str, "\r\n\r\n");
        const char *length = strstr(hook->request->str, "Content-Length: ");
        if (end != NULL && length != NULL)
            wanted = (gsize)(end + 4 - hook->request->str) + strtoul(length + 16, NULL, 10);
    }
    g_output_stream_write_all(g_io_stream_get_output_stream(G_IO_STREAM(connection)), hook->answer,
                              strlen(hook->answer), NULL, NULL, NULL);
    return NULL;
}

static void
start_hook(Hook *hook, const char *answer)
{
    hook->listener = g_socket_listener_new();
    hook->port = g_socket_listener_add_any_inet_port(hook->listener, NULL, NULL);
    g_assert_cmpuint(hook->port, !=, 0);
    hook->answer = answer;
    hook->request = g_string_new(NULL);
    hook->thread = g_thread_new("hook", run_hook, hook);
}

static void
stop_hook(Hook *hook)
{
    g_thread_join(hook->thread);
    g_string_free(hook->request, TRUE);
    g_socket_listener_close(hook->listener);
    g_object_unref(hook->listener);
}

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
#define GONE "HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret"

static void
test_try(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *verb, *members; /* beside slackConfiguration */
        const char *answer, *status, *message, *sent;
        gboolean has_data;
    } cases[] = {
        {"try_webhook", "\"notificationTrigger\":\"sync_success\"", OK, "succeeded", NULL,
         "\"success\":true", TRUE},
        {"try_webhook", "\"notificationTrigger\":\"sync_failure\"", OK, "succeeded", NULL,
         "\"success\":false", TRUE},
        {"try_webhook", "\"notificationTrigger\":\"sync_disabled\"", OK, "succeeded", NULL,
         "was disabled", FALSE},
        {"try_webhook", "\"notificationTrigger\":\"connection_sync_queued\"", OK, "succeeded", NULL,
         "is queued", TRUE},
        {"try_webhook", "\"notificationTrigger\":\"sync_success\"", GONE, "failed", "status 404",
         "\"blocks\":[", TRUE},
        {"try", "\"notificationType\":\"slack\",\"sendOnSuccess\":true,\"sendOnFailure\":true", OK,
         "succeeded", NULL, "succeeded", TRUE},
        {"try", "\"notificationType\":\"slack\",\"sendOnSuccess\":false,\"sendOnFailure\":true", OK,
         "succeeded", NULL, "failed", TRUE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        Hook hook = {0};
        g_test_message("%s %s", cases[i].verb, cases[i].members);
        start_hook(&hook, cases[i].answer);
        const char *answer = config_call(
            fix, format(fix, "notifications/%s", cases[i].verb),
            format(fix, "{%s,\"slackConfiguration\":{\"webhook\":\"http://127.0.0.1:%u/hook\"}}",
                   cases[i].members, hook.port),
            200);
        g_assert_cmpstr(member(fix, answer, "status"), ==, cases[i].status);
        if (cases[i].message != NULL)
            assert_has(member(fix, answer, "message"), cases[i].message);
        assert_lacks(answer, "secret"); /* nobody looks through our eyes */
        assert_has(hook.request->str, "POST /hook HTTP/1.1");
        assert_has(hook.request->str, "application/json");
        assert_has(hook.request->str, cases[i].sent);
        g_assert_true((strstr(hook.request->str, "\"data\":") != NULL) == cases[i].has_data);
        stop_hook(&hook);
    }
}

static void
test_refused(Fixture *fix, gconstpointer data)
{
    const char *answer = config_call(fix, "notifications/try_webhook",
                                     "{\"slackConfiguration\":{\"webhook\":\"here\"}}", 200);
    g_assert_cmpstr(member(fix, answer, "status"), ==, "failed");
    assert_has(member(fix, answer, "message"), "here");
    answer = config_call(
        fix, "notifications/try",
        "{\"notificationType\":\"customerio\",\"sendOnSuccess\":true,\"sendOnFailure\":true}", 200);
    g_assert_cmpstr(member(fix, answer, "status"), ==, "failed");
    config_refused(fix, "notifications/try_webhook", "{}", 400, "slackConfiguration");
    config_refused(fix, "notifications/try_webhook", "{\"slackConfiguration\":{}}", 400, "webhook");
    config_refused(fix, "notifications/try_webhook",
                   "{\"slackConfiguration\":{\"webhook\":\"x\"},\"notificationTrigger\":\"rain\"}",
                   400, "notificationTrigger");
    config_refused(fix, "notifications/try",
                   "{\"notificationType\":\"slack\",\"sendOnSuccess\":true,\"sendOnFailure\":true}",
                   400, "slackConfiguration");
}

static void
test_mail(Fixture *fix, gconstpointer data)
{
    static const char body[] =
        "{\"notificationType\":\"customerio\",\"sendOnSuccess\":true,\"sendOnFailure\":true}";
    const char *answer = config_call(fix, "notifications/try", body, 200);
    g_assert_cmpstr(config_at(fix, answer, "status", NULL), ==, "failed");
    assert_has(config_at(fix, answer, "message", NULL), "SmtpUrl=");
    fix->server.mail = (SlMailServer){.url = "smtp://127.0.0.1:1", .timeout_usec = 60000000};
    assert_has(config_call(fix, "notifications/try", body, 200), "no e-mail address");
    queue_fixture_script(fix->server.db, "update account set email = 'a@example.org'");
    assert_has(config_call(fix, "notifications/try", body, 200), "the mail server: ");
}

static void
test_public_only(Fixture *fix, gconstpointer data)
{
    fix->server.webhooks_public_only = TRUE;
    const char *answer =
        config_call(fix, "notifications/try_webhook",
                    "{\"slackConfiguration\":{\"webhook\":\"http://127.0.0.1:1/\"}}", 200);
    g_assert_cmpstr(config_at(fix, answer, "message", NULL), ==,
                    "address 127.0.0.1 is not allowed");
}

void
config_add_webhook_cases(void)
{
    CONFIG_CASE("notifications/try", test_try);
    CONFIG_CASE("notifications/refused", test_refused);
    CONFIG_CASE("notifications/mail", test_mail);
    CONFIG_CASE("notifications/public-only", test_public_only);
}
