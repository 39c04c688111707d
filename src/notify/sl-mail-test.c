/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-mail.h"

#include <string.h>

#include "sl-error.h"

#define NOW (1785585600 * (gint64)G_USEC_PER_SEC) /* 2026-08-01T12:00:00Z, a Saturday */

static char **arguments; /* of mail-sink.py: FOLDER NAME=PORT… */

static char *
compose(const char *to, const char *subject, const char *text, GError **error)
{
    return sl_mail_compose("a@example.org", to, subject, text, "id1", NOW, error);
}

static void
test_compose(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *mail = compose("b@example.org", "Sync failed: c", "one\n.\ntwo\n", &error);
    g_assert_no_error(error);
    g_assert_cmpstr(mail, ==,
                    "From: Sluice <a@example.org>\r\nTo: <b@example.org>\r\n"
                    "Subject: Sync failed: c\r\nDate: Sat, 01 Aug 2026 12:00:00 +0000\r\n"
                    "Message-ID: <id1@example.org>\r\nMIME-Version: 1.0\r\n"
                    "Auto-Submitted: auto-generated\r\n"
                    "Content-Type: text/plain; charset=utf-8\r\n"
                    "Content-Transfer-Encoding: base64\r\n\r\nb25lDQouDQp0d28NCg==\r\n");
}

/* A name cannot write a header, whatever is in it; every subject reads back. */
static void
test_subjects(void)
{
    static const char *const subjects[] = {
        "x\r\nBcc: evil@example.org",
        "Größe — 数据同步失败 数据同步失败 数据同步失败 数据同步失败",
        "=?UTF-8?B?eA==?=",
        "bad \xff byte",
    };
    for (guint i = 0; i < G_N_ELEMENTS(subjects); i++) {
        g_autofree char *mail = compose("b@example.org", subjects[i], "", NULL);
        g_assert_null(strstr(mail, "\nBcc:"));
        g_auto(GStrv) lines = g_strsplit(mail, "\r\n", -1);
        g_autoptr(GString) subject = g_string_new(NULL);
        guint n = 2;
        g_assert_true(g_str_has_prefix(lines[n], "Subject: "));
        do {
            g_assert_cmpuint(strlen(lines[n]), <, 100);
            const char *word = strstr(lines[n], "=?UTF-8?B?");
            if (word == NULL) {
                g_string_append(subject, strchr(lines[n], ' ') + 1);
                continue;
            }
            gsize len = 0;
            g_autofree char *code = g_strndup(word + 10, strlen(word + 10) - 2);
            g_autofree guchar *bytes = g_base64_decode(code, &len);
            g_assert_true(g_utf8_validate((const char *)bytes, (gssize)len, NULL));
            g_string_append_len(subject, (const char *)bytes, (gssize)len);
        } while (lines[++n][0] == ' ');
        g_autofree char *expected = g_utf8_make_valid(subjects[i], -1);
        g_strdelimit(expected, "\r\n", ' ');
        g_assert_cmpstr(subject->str, ==, expected);
        g_assert_true(g_str_has_prefix(lines[n], "Date: "));
    }
}

static void
test_addresses(void)
{
    static const char *const bad[] = {"",      "b",     "@x",      "b@", "b@x@y", "b@x\r\nTo: c@x",
                                      "b c@x", "<b@x>", "b@x,c@x", "-"};
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(compose(bad[i], "s", "t", &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    }
}

static gboolean
send_to(const char *name, const char *password, gint64 timeout_usec, GError **error)
{
    g_autofree char *url = NULL;
    for (char **p = arguments + 1; *p != NULL; p++)
        if (g_str_has_prefix(*p, name) && (*p)[strlen(name)] == '=')
            url = g_strconcat("smtp://127.0.0.1:", *p + strlen(name) + 1, NULL);
    SlMailServer server = {.url = url,
                           .user = password != NULL ? "u" : "",
                           .password = password,
                           .from = "a@example.org",
                           .timeout_usec = timeout_usec};
    return sl_mail_send(&server, "b@example.org", "s", "text\n", "id1", NOW, error);
}

static void
assert_taken(const char *file)
{
    g_autofree char *path = g_build_filename(arguments[0], file, NULL), *mail = NULL;
    g_assert_true(g_file_get_contents(path, &mail, NULL, NULL));
    g_assert_true(g_str_has_prefix(mail, "MAIL FROM:<a@example.org>\nRCPT TO:<b@example.org>\n\n"));
    g_assert_nonnull(strstr(mail, "\r\nMessage-ID: <id1@example.org>\r\n"));
    g_assert_true(g_str_has_suffix(mail, "\r\n\r\ndGV4dA0K\r\n"));
}

#define LONG (60 * (gint64)G_USEC_PER_SEC)

static void
test_send(void)
{
    static const struct {
        const char *server, *password, *file;
        SlErrorCode code; /* without a file */
        const char *message;
        gint64 timeout;
    } cases[] = {
        {"ok", NULL, "ok.0", 0, NULL, LONG},
        {"login", "p", "login.0", 0, NULL, LONG},
        {"login", "wrong", NULL, SL_ERROR_FAILED, "the mail server: ", LONG},
        {"refuse", NULL, NULL, SL_ERROR_FAILED, "550", LONG},
        {"later", NULL, NULL, SL_ERROR_UNAVAILABLE, "451", LONG},
        {"drop", NULL, NULL, SL_ERROR_UNAVAILABLE, "the mail server: ", LONG},
        {"silent", NULL, NULL, SL_ERROR_TIMED_OUT, "no answer in time", G_USEC_PER_SEC / 2},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_test_message("%s", cases[i].server);
        gboolean ok = send_to(cases[i].server, cases[i].password, cases[i].timeout, &error);
        if (cases[i].file != NULL) {
            g_assert_no_error(error);
            g_assert_true(ok);
            assert_taken(cases[i].file);
            continue;
        }
        g_assert_false(ok);
        g_assert_error(error, SL_ERROR, (int)cases[i].code);
        g_assert_nonnull(strstr(error->message, cases[i].message));
    }
}

static void
test_no_server(void)
{
    static const struct {
        const char *url;
        gboolean start_tls;
        SlErrorCode code;
    } cases[] = {
        {"smtp://127.0.0.1:1", FALSE, SL_ERROR_UNAVAILABLE},
        {"http://127.0.0.1:1", FALSE, SL_ERROR_INVALID},
        {"file:///etc/passwd", FALSE, SL_ERROR_INVALID},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        SlMailServer server = {.url = cases[i].url, .timeout_usec = LONG};
        g_assert_false(sl_mail_send(&server, "b@example.org", "s", "t", "i", NOW, &error));
        g_assert_error(error, SL_ERROR, (int)cases[i].code);
    }
}

/* A server without TLS gets nothing when TLS is wanted. */
static void
test_tls_wanted(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *url = g_strconcat("smtp://127.0.0.1:", strchr(arguments[1], '=') + 1, NULL);
    g_autofree char *file = g_build_filename(arguments[0], "ok.1", NULL);
    SlMailServer server = {
        .url = url, .from = "a@example.org", .start_tls = TRUE, .timeout_usec = LONG};
    g_assert_false(sl_mail_send(&server, "b@example.org", "s", "t", "i", NOW, &error));
    g_assert_nonnull(error);
    g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    arguments = argv + 1;
    g_assert_nonnull(arguments[0]);
    g_test_add_func("/notify/mail/compose", test_compose);
    g_test_add_func("/notify/mail/subjects", test_subjects);
    g_test_add_func("/notify/mail/addresses", test_addresses);
    g_test_add_func("/notify/mail/send", test_send);
    g_test_add_func("/notify/mail/no-server", test_no_server);
    g_test_add_func("/notify/mail/tls-wanted", test_tls_wanted);
    return g_test_run();
}
