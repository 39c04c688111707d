/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "crash-proxy.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* One direction of a connection: what has come and is no whole message yet. */
typedef struct {
    int from, to;
    GByteArray *in;
    gboolean started; /* the first message of a client has no type */
} Pipe;

typedef struct {
    Pipe up, down;
    gboolean asked;  /* a statement is on its way, not only a PREPARE */
    gboolean commit; /* and it is a COMMIT */
} Link;

struct CrashProxy {
    char *server, *folder, *path;
    int listener;
    GPtrArray *links;
    CrashMode mode;
    guint done; /* statements that count */
};

static int
make_socket(const char *path, struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    g_assert_cmpuint(g_strlcpy(address->sun_path, path, sizeof address->sun_path), <,
                     sizeof address->sun_path);
    g_assert_cmpint(fd, >=, 0);
    return fd;
}

static void
link_free(gpointer data)
{
    Link *link = data;
    close(link->up.from);
    close(link->up.to);
    g_byte_array_unref(link->up.in);
    g_byte_array_unref(link->down.in);
    g_free(link);
}

CrashProxy *
crash_proxy_new(const char *port_file)
{
    CrashProxy *proxy = g_new0(CrashProxy, 1);
    struct sockaddr_un address;
    g_autofree char *name = g_path_get_basename(port_file);
    proxy->server = g_strdup(port_file);
    proxy->folder = g_dir_make_tmp("crash-XXXXXX", NULL);
    proxy->path = g_build_filename(proxy->folder, name, NULL);
    proxy->links = g_ptr_array_new_with_free_func(link_free);
    proxy->listener = make_socket(proxy->path, &address);
    g_assert_no_errno(bind(proxy->listener, (struct sockaddr *)&address, sizeof address));
    g_assert_no_errno(listen(proxy->listener, 16));
    return proxy;
}

void
crash_proxy_free(CrashProxy *proxy)
{
    if (proxy == NULL)
        return;
    g_ptr_array_unref(proxy->links);
    close(proxy->listener);
    g_unlink(proxy->path);
    g_rmdir(proxy->folder);
    g_free(proxy->server);
    g_free(proxy->folder);
    g_free(proxy->path);
    g_free(proxy);
}

const char *
crash_proxy_get_folder(const CrashProxy *proxy)
{
    return proxy->folder;
}

static void
take_connection(CrashProxy *proxy)
{
    struct sockaddr_un address;
    Link *link = g_new0(Link, 1);
    int client = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC);
    int server = make_socket(proxy->server, &address);
    g_assert_cmpint(client, >=, 0);
    g_assert_no_errno(connect(server, (struct sockaddr *)&address, sizeof address));
    link->up = (Pipe){client, server, g_byte_array_new(), FALSE};
    link->down = (Pipe){server, client, g_byte_array_new(), TRUE};
    g_ptr_array_add(proxy->links, link);
}

/* Length of the whole message at the beginning, 0 when some of it has not come; *ret_type 0: none.
 */
static gsize
message_at(const Pipe *pipe, gsize at, char *ret_type)
{
    guint32 length;
    gsize head = pipe->started ? 1 : 0;
    if (pipe->in->len < at + head + 4)
        return 0;
    *ret_type = pipe->started ? (char)pipe->in->data[at] : '\0';
    memcpy(&length, pipe->in->data + at + head, 4);
    gsize whole = head + GUINT32_FROM_BE(length);
    return pipe->in->len < at + whole ? 0 : whole;
}

/* Of the messages that have come whole: how many bytes; FALSE: the strike falls, after those. */
static gboolean
count(CrashProxy *proxy, Link *link, Pipe *pipe, guint strike, gsize *ret_whole)
{
    gsize length;
    char type = '\0';
    *ret_whole = 0;
    while ((length = message_at(pipe, *ret_whole, &type)) > 0) {
        const guint8 *body = pipe->in->data + *ret_whole + 5;
        if (pipe == &link->up) {
            link->asked |= type == 'E' || type == 'Q';
            link->commit = type == 'Q' && length > 6 && memcmp(body, "commit", 6) == 0;
            pipe->started = TRUE;
        } else if (type == 'Z' && link->asked) {
            gboolean counts = proxy->mode != CRASH_CUT || link->commit;
            link->asked = FALSE;
            if (counts && ++proxy->done == strike)
                return FALSE;
        }
        *ret_whole += length;
    }
    return TRUE;
}

typedef enum { GOES_ON, ENDED, STRUCK } Flow;

static void
send_whole(const Pipe *pipe, gsize length)
{
    for (gsize sent = 0; sent < length;) {
        gssize n = send(pipe->to, pipe->in->data + sent, length - sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return; /* the other end has gone; its own end of file comes next */
        sent += n > 0 ? (gsize)n : 0;
    }
}

static Flow
forward(CrashProxy *proxy, Link *link, Pipe *pipe, guint strike)
{
    guint8 buffer[65536];
    gsize whole;
    gssize n = read(pipe->from, buffer, sizeof buffer);
    if (n <= 0)
        return ENDED;
    g_byte_array_append(pipe->in, buffer, (guint)n);
    if (!count(proxy, link, pipe, strike, &whole))
        return STRUCK; /* of this answer nothing arrives */
    send_whole(pipe, whole);
    if (whole > 0)
        g_byte_array_remove_range(pipe->in, 0, (guint)whole);
    return GOES_ON;
}

/* One round over what is ready; *ret_struck names the link. */
static Flow
serve_links(CrashProxy *proxy, struct pollfd *polls, guint n, guint strike, Link **ret_struck)
{
    for (guint i = n; i > 0; i--) {
        Link *link = proxy->links->pdata[i - 1];
        Pipe *pipes[] = {&link->up, &link->down};
        for (guint j = 0; j < 2; j++) {
            if (polls[2 * (i - 1) + j].revents == 0)
                continue;
            Flow flow = forward(proxy, link, pipes[j], strike);
            if (flow == STRUCK) {
                *ret_struck = link;
                return STRUCK;
            }
            if (flow == ENDED) {
                g_ptr_array_remove_index(proxy->links, i - 1);
                break;
            }
        }
    }
    return GOES_ON;
}

static int
open_pid(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    g_assert_cmpint(fd, >=, 0);
    return fd;
}

/* Until the process ends (ENDED) or the strike falls. */
static Flow
serve(CrashProxy *proxy, pid_t pid, guint strike, Link **ret_struck)
{
    int process = open_pid(pid);
    Flow flow = GOES_ON;
    while (flow == GOES_ON) {
        guint n = proxy->links->len;
        g_autofree struct pollfd *polls = g_new0(struct pollfd, 2 * n + 2);
        for (guint i = 0; i < n; i++) {
            const Link *link = proxy->links->pdata[i];
            polls[2 * i] = (struct pollfd){link->up.from, POLLIN, 0};
            polls[2 * i + 1] = (struct pollfd){link->down.from, POLLIN, 0};
        }
        polls[2 * n] = (struct pollfd){proxy->listener, POLLIN, 0};
        polls[2 * n + 1] = (struct pollfd){process, POLLIN, 0};
        int ready = poll(polls, 2 * n + 2, 60000);
        if (ready == 0)
            g_error("the process %d neither ends nor asks anything for a minute",
                    (int)pid); /* check-source: allow blocked, because a test that hangs must end */
        g_assert_true(ready > 0 || errno == EINTR);
        if (ready < 0)
            continue;
        flow = serve_links(proxy, polls, n, strike, ret_struck);
        if (flow == GOES_ON && polls[2 * n].revents != 0)
            take_connection(proxy);
        if (flow == GOES_ON && polls[2 * n + 1].revents != 0)
            flow = ENDED;
    }
    close(process);
    return flow;
}

gboolean
crash_proxy_serve(CrashProxy *proxy, pid_t pid, guint strike, CrashMode mode, int *ret_status)
{
    Link *struck = NULL;
    proxy->done = 0;
    proxy->mode = mode;
    gboolean fell = serve(proxy, pid, strike, &struck) == STRUCK;
    if (fell && mode == CRASH_FREEZE) {
        g_assert_no_errno(kill(pid, SIGSTOP));
        g_assert_cmpint(waitpid(pid, ret_status, WUNTRACED), ==, pid);
        return TRUE;
    }
    if (fell && mode == CRASH_KILL)
        g_assert_no_errno(kill(pid, SIGKILL));
    if (fell && mode == CRASH_CUT) {
        g_ptr_array_remove(proxy->links, struck);
        serve(proxy, pid, 0, &struck); /* it may connect again */
    }
    g_assert_cmpint(waitpid(pid, ret_status, 0), ==, pid);
    g_ptr_array_set_size(proxy->links, 0);
    return fell;
}

void
crash_proxy_thaw(CrashProxy *proxy, pid_t pid, int *ret_status)
{
    Link *struck = NULL;
    for (guint i = 0; i < proxy->links->len; i++) {
        Link *link = proxy->links->pdata[i];
        send_whole(&link->down, link->down.in->len); /* the answer that was held back */
        g_byte_array_set_size(link->down.in, 0);
    }
    g_assert_no_errno(kill(pid, SIGCONT));
    serve(proxy, pid, 0, &struck);
    g_assert_cmpint(waitpid(pid, ret_status, 0), ==, pid);
    g_ptr_array_set_size(proxy->links, 0);
}
