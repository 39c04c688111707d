/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-mail.h"

#include <curl/curl.h>
#include <string.h>

#include "sl-error.h"

#define BASE64_LINE 57 /* bytes that become 76 characters */

/* --- the message -------------------------------------------------------------------------------
 */

/* One address, nothing else: what is longer or stranger is somebody's mistake, or an attempt to
 * write headers. */
static gboolean
is_address(const char *text)
{
    const char *at = strchr(text, '@');
    if (at == NULL || at == text || at[1] == '\0' || strchr(at + 1, '@') != NULL ||
        strlen(text) > 254)
        return FALSE;
    for (const char *p = text; *p != '\0'; p++)
        if ((guchar)*p <= ' ' || (guchar)*p == 127 || strchr("<>()[]\\,;:\"", *p) != NULL)
            return FALSE;
    return TRUE;
}

/* RFC 2047, in words that end between characters: a subject is one line whatever is in it. */
static void
append_subject(GString *out, const char *subject)
{
    g_autofree char *clean = g_utf8_make_valid(subject, -1);
    g_strdelimit(clean, "\r\n\t", ' ');
    gboolean plain = strlen(clean) <= 200 && strstr(clean, "=?") == NULL;
    for (const char *p = clean; plain && *p != '\0'; p++)
        plain = *p >= ' ' && *p < 127;
    if (plain) {
        g_string_append(out, clean);
        return;
    }
    for (const char *p = clean, *end; *p != '\0'; p = end) {
        for (end = p; *end != '\0' && g_utf8_next_char(end) - p <= 42;)
            end = g_utf8_next_char(end);
        g_autofree char *word = g_base64_encode((const guchar *)p, (gsize)(end - p));
        g_string_append_printf(out, "%s=?UTF-8?B?%s?=", p != clean ? "\r\n " : "", word);
    }
}

/* Base64: no line is too long, none begins with a dot, and every byte arrives. */
static void
append_text(GString *out, const char *text)
{
    g_autofree char *clean = g_utf8_make_valid(text, -1);
    g_auto(GStrv) lines = g_strsplit(clean, "\n", -1);
    g_autofree char *wire = g_strjoinv("\r\n", lines);
    gsize len = strlen(wire);
    for (gsize at = 0; at < len; at += BASE64_LINE) {
        g_autofree char *line =
            g_base64_encode((const guchar *)wire + at, MIN(len - at, BASE64_LINE));
        g_string_append_printf(out, "%s\r\n", line);
    }
}

static char *
format_date(gint64 date)
{
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(date / G_USEC_PER_SEC);
    return g_strdup_printf("%s, %02d %s %04d %02d:%02d:%02d +0000",
                           days[g_date_time_get_day_of_week(at) - 1],
                           g_date_time_get_day_of_month(at), months[g_date_time_get_month(at) - 1],
                           g_date_time_get_year(at), g_date_time_get_hour(at),
                           g_date_time_get_minute(at), g_date_time_get_second(at));
}

char *
sl_mail_compose(const char *from, const char *to, const char *subject, const char *text,
                const char *id, gint64 date, GError **error)
{
    const char *const addresses[] = {from, to};
    for (guint i = 0; i < G_N_ELEMENTS(addresses); i++) {
        if (is_address(addresses[i]))
            continue;
        sl_error_set(error, SL_ERROR_INVALID, "'%s' is no mail address", addresses[i]);
        return NULL;
    }
    g_autofree char *when = format_date(date);
    GString *out = g_string_new(NULL);
    g_string_append_printf(out, "From: Sluice <%s>\r\nTo: <%s>\r\nSubject: ", from, to);
    append_subject(out, subject);
    g_string_append_printf(out,
                           "\r\nDate: %s\r\nMessage-ID: <%s@%s>\r\nMIME-Version: 1.0\r\n"
                           "Auto-Submitted: auto-generated\r\n"
                           "Content-Type: text/plain; charset=utf-8\r\n"
                           "Content-Transfer-Encoding: base64\r\n\r\n",
                           when, id, strchr(from, '@') + 1);
    append_text(out, text);
    return g_string_free(out, FALSE);
}

/* --- its way -----------------------------------------------------------------------------------
 */

typedef struct {
    const char *text;
    gsize left;
} Upload;

static size_t
read_upload(char *to, size_t size, size_t n, void *data)
{
    Upload *upload = data;
    gsize part = MIN(size * n, upload->left);
    memcpy(to, upload->text, part);
    upload->text += part;
    upload->left -= part;
    return part;
}

static gboolean
start_curl(GError **error)
{
    static gsize started;
    static CURLcode code;
    if (g_once_init_enter(&started)) {
        code = curl_global_init(CURL_GLOBAL_DEFAULT);
        g_once_init_leave(&started, 1);
    }
    return code == CURLE_OK ||
           sl_error_set(error, SL_ERROR_FAILED, "libcurl: %s", curl_easy_strerror(code));
}

/* 5xx is for good; what is 4xx, or no answer at all, may pass. */
static gboolean
set_error(CURL *curl, CURLcode code, const char *detail, GError **error)
{
    long status = 0;
    const char *text = *detail != '\0' ? detail : curl_easy_strerror(code);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return sl_error_set(error, SL_ERROR_TIMED_OUT, "the mail server: no answer in time");
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        return sl_error_set(error, SL_ERROR_INVALID, "the mail server: %s", text);
    return sl_error_set(
        error, status >= 500 || code == CURLE_LOGIN_DENIED ? SL_ERROR_FAILED : SL_ERROR_UNAVAILABLE,
        "the mail server: %s", text);
}

static void
set_server(CURL *curl, const SlMailServer *server)
{
    curl_easy_setopt(curl, CURLOPT_URL, server->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(server->timeout_usec / 1000));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(server->timeout_usec / 1000));
    curl_easy_setopt(curl, CURLOPT_USE_SSL,
                     (long)(server->start_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    if (server->user != NULL && *server->user != '\0') {
        curl_easy_setopt(curl, CURLOPT_USERNAME, server->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, server->password != NULL ? server->password : "");
    }
}

static gboolean
transfer(CURL *curl, const char *from, const char *to, const char *message, GError **error)
{
    char detail[CURL_ERROR_SIZE] = "";
    Upload upload = {message, strlen(message)};
    g_autofree char *sender = g_strdup_printf("<%s>", from);
    g_autofree char *receiver = g_strdup_printf("<%s>", to);
    struct curl_slist *receivers = curl_slist_append(NULL, receiver);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, sender);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, receivers);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_upload);
    curl_easy_setopt(curl, CURLOPT_READDATA, &upload);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    CURLcode code = curl_easy_perform(curl);
    curl_slist_free_all(receivers);
    return code == CURLE_OK || set_error(curl, code, detail, error);
}

gboolean
sl_mail_send(const SlMailServer *server, const char *to, const char *subject, const char *text,
             const char *id, gint64 now, GError **error)
{
    g_autofree char *own = g_strdup_printf("sluice@%s", g_get_host_name());
    const char *from = server->from != NULL && *server->from != '\0' ? server->from : own;
    g_autofree char *message = sl_mail_compose(from, to, subject, text, id, now, error);
    if (message == NULL || !start_curl(error))
        return FALSE;
    CURL *curl = curl_easy_init();
    if (curl == NULL)
        return sl_error_set(error, SL_ERROR_FAILED, "libcurl does not start");
    set_server(curl, server);
    gboolean ok = transfer(curl, from, to, message, error);
    curl_easy_cleanup(curl);
    return ok;
}
