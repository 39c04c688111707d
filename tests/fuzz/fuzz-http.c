/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "fuzz.h"

#include <gio/gio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-http-unix.h"

/* Whatever a server answers: our client gets a whole answer or an error, and never hangs, since the
 * server hangs up behind its bytes. The first byte says how they are cut into pieces. */

static int listener;
static char *folder, *path;
static GAsyncQueue *answers; /* GBytes */

static void
answer(int fd, GBytes *bytes)
{
    gsize n;
    char request[8192];
    const char *p = g_bytes_get_data(bytes, &n);
    gsize piece = n > 0 ? (guint8)p[0] : 0;
    if (read(fd, request, sizeof request) <= 0 || n == 0)
        return;
    p++;
    n--;
    while (n > 0) {
        gsize part = piece == 0 ? n : MIN(piece, n);
        gssize sent = send(fd, p, part, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        p += sent;
        n -= (gsize)sent;
    }
}

static gpointer
serve(gpointer data)
{
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        g_autoptr(GBytes) bytes = g_async_queue_try_pop(answers); /* none: it is asked again */
        if (bytes != NULL)
            answer(fd, bytes);
        close(fd);
    }
}

static void
remove_folder(void)
{
    unlink(path);
    rmdir(folder);
}

static void
start(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    folder = g_dir_make_tmp("fuzz-http-XXXXXX", NULL);
    path = g_build_filename(folder, "socket", NULL);
    answers = g_async_queue_new_full((GDestroyNotify)g_bytes_unref);
    fuzz_check(g_strlcpy(address.sun_path, path, sizeof address.sun_path) <
               sizeof address.sun_path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    fuzz_check(bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
    fuzz_check(listen(listener, 16) == 0);
    atexit(remove_folder);
    g_thread_unref(g_thread_new("server", serve, NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlHttpUnixReply) reply = NULL;
    if (path == NULL)
        start();
    g_autoptr(SlHttpUnix) client = sl_http_unix_new(path);
    sl_http_unix_set_max_body(client, 64 * 1024);
    g_async_queue_push(answers, g_bytes_new(data, size));
    gint64 deadline = g_get_monotonic_time() + 60 * G_TIME_SPAN_SECOND;
    gboolean ok = sl_http_unix_request(client, size % 2 == 0 ? "GET" : "POST", "/x", NULL, NULL,
                                       deadline, NULL, &reply, &error);
    fuzz_check(ok == (error == NULL) && ok == (reply != NULL));
    fuzz_check(ok || !g_error_matches(error, SL_ERROR, SL_ERROR_TIMED_OUT));
    if (ok) {
        fuzz_check(reply->status >= 100 && reply->status <= 999);
        fuzz_check(g_bytes_get_size(reply->body) <= 64 * 1024);
    }
    GBytes *left = g_async_queue_try_pop(answers);
    if (left != NULL)
        g_bytes_unref(left);
    return 0;
}
