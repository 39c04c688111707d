/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "kit-channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"

#define MAX_SOCKETS 64
#define SOCKET_BUFFER (1024 * 1024) /* asked for; the host's limit may be lower */
/* For the other side to come: it is started by somebody who may be busy. */
#define PATIENCE_USEC (15 * 60 * G_USEC_PER_SEC)
#define FIRST_PAUSE_MS 10
#define LONGEST_PAUSE_MS 1000

void
kit_channel_free(KitChannel *channel)
{
    if (channel == NULL)
        return;
    g_strfreev(channel->paths);
    g_free(channel);
}

static gboolean
parse_paths(KitChannel *channel, const char *text, GError **error)
{
    channel->paths = g_strsplit(text, ",", MAX_SOCKETS + 1);
    channel->n = g_strv_length(channel->paths);
    if (channel->n == 0 || channel->n > MAX_SOCKETS)
        return sl_error_set(error, SL_ERROR_FAILED,
                            "DATA_CHANNEL_SOCKET_PATHS: expected 1 to %d paths", MAX_SOCKETS);
    for (guint i = 0; i < channel->n; i++)
        if (*channel->paths[i] == '\0' ||
            strlen(channel->paths[i]) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
            return sl_error_set(error, SL_ERROR_FAILED,
                                "DATA_CHANNEL_SOCKET_PATHS: '%s' is empty or too long",
                                channel->paths[i]);
    return TRUE;
}

KitChannel *
kit_channel_from_environment(GError **error)
{
    const char *medium = g_getenv("DATA_CHANNEL_MEDIUM");
    const char *format = g_getenv("DATA_CHANNEL_FORMAT");
    const char *paths = g_getenv("DATA_CHANNEL_SOCKET_PATHS");
    if (medium == NULL || *medium == '\0' || g_str_equal(medium, "STDIO"))
        return NULL;
    g_autoptr(KitChannel) channel = g_new0(KitChannel, 1);
    if (!g_str_equal(medium, "SOCKET")) {
        sl_error_set(error, SL_ERROR_FAILED, "DATA_CHANNEL_MEDIUM: unknown value '%s'", medium);
        return NULL;
    }
    if (g_strcmp0(format, "PROTOBUF") == 0) {
        channel->format = KIT_FORMAT_PROTOBUF;
    } else if (g_strcmp0(format, "JSONL") != 0) {
        sl_error_set(error, SL_ERROR_FAILED, "DATA_CHANNEL_FORMAT: unknown value '%s'",
                     format == NULL ? "" : format);
        return NULL;
    }
    return parse_paths(channel, paths == NULL ? "" : paths, error) ? g_steal_pointer(&channel)
                                                                   : NULL;
}

static int
make_socket(const char *path, struct sockaddr_un *ret_address, GError **error)
{
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    g_strlcpy(ret_address->sun_path, path, sizeof ret_address->sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), size = SOCKET_BUFFER;
    if (fd < 0)
        sl_error_set_errno(error, errno, "making a socket");
    else /* as large as the host allows: it is what one wake-up moves */
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    return fd;
}

/* --- source -------------------------------------------------------------------------------- */

typedef struct {
    char *path;
    int listener; /* -1: its client has come */
    int fd;       /* -1: it has not */
} Socket;

struct KitSockets {
    Socket *list;
    guint n, turn;
    int stop_fd;
    gboolean broken;
};

static gboolean
listen_at(Socket *socket_of, const char *path, GError **error)
{
    struct sockaddr_un address;
    sl_autofd int fd = make_socket(path, &address, error);
    if (fd < 0)
        return FALSE;
    unlink(path); /* of a run that was killed */
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return sl_error_set_errno(error, errno, "binding %s", path);
    socket_of->path = g_strdup(path);
    /* Who may reach the folder may connect: the platform runs under another user than we do. */
    if (chmod(path, 0666) < 0 || listen(fd, 1) < 0)
        return sl_error_set_errno(error, errno, "listening at %s", path);
    socket_of->listener = sl_fd_steal(&fd);
    return TRUE;
}

KitSockets *
kit_sockets_listen(const KitChannel *channel, int stop_fd, GError **error)
{
    g_autoptr(KitSockets) sockets = g_new0(KitSockets, 1);
    sockets->stop_fd = stop_fd;
    sockets->n = channel->n;
    sockets->list = g_new0(Socket, channel->n);
    for (guint i = 0; i < channel->n; i++)
        sockets->list[i] = (Socket){NULL, -1, -1};
    for (guint i = 0; i < channel->n; i++)
        if (!listen_at(&sockets->list[i], channel->paths[i], error))
            return NULL;
    return g_steal_pointer(&sockets);
}

void
kit_sockets_free(KitSockets *sockets)
{
    if (sockets == NULL)
        return;
    for (guint i = 0; i < sockets->n; i++) {
        Socket *each = &sockets->list[i];
        if (each->path != NULL)
            unlink(each->path);
        g_free(each->path);
        sl_fd_clear(&each->listener);
        sl_fd_clear(&each->fd);
    }
    g_free(sockets->list);
    g_free(sockets);
}

static void
take_client(Socket *each)
{
    int fd = accept4(each->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return; /* it has gone again */
    each->fd = fd;
    sl_fd_clear(&each->listener);
}

/* Waits for clients, and for room at those that are there; `only` (or -1) is the one socket whose
 * room is wanted, `room` FALSE: none is. FALSE: it is time to stop. *ret_ready: has room; -1: some
 * client came. */
static gboolean
wait_for(KitSockets *sockets, int only, gboolean room, int *ret_ready)
{
    g_autofree struct pollfd *fds = g_new0(struct pollfd, sockets->n + 1);
    fds[sockets->n] = (struct pollfd){sockets->stop_fd, POLLIN, 0};
    for (guint i = 0; i < sockets->n; i++) {
        const Socket *each = &sockets->list[i];
        gboolean wanted = room && (only < 0 || only == (int)i);
        if (each->fd >= 0)
            fds[i] = (struct pollfd){wanted ? each->fd : -1, POLLOUT, 0};
        else
            fds[i] = (struct pollfd){each->listener, POLLIN, 0};
    }
    int n = poll(fds, sockets->n + 1, (int)(PATIENCE_USEC / 1000));
    *ret_ready = -1;
    if (n < 0 && errno == EINTR)
        return TRUE;
    if (n <= 0 || (fds[sockets->n].revents != 0 && only < 0))
        return FALSE; /* a message that was begun is finished even then */
    for (guint i = 0; i < sockets->n; i++) {
        guint at = (sockets->turn + i) % sockets->n;
        if (fds[at].revents == 0)
            continue;
        if (sockets->list[at].fd < 0)
            take_client(&sockets->list[at]);
        else if (*ret_ready < 0)
            *ret_ready = (int)at;
    }
    return TRUE;
}

gboolean
kit_sockets_write(KitSockets *sockets, const char *p, gsize n)
{
    int at = -1;
    while (at < 0 && !sockets->broken)
        sockets->broken = !wait_for(sockets, -1, TRUE, &at);
    while (n > 0 && !sockets->broken) {
        gssize sent = send(sockets->list[at].fd, p, n, MSG_NOSIGNAL);
        if (sent >= 0) {
            p += sent;
            n -= (gsize)sent;
        } else if (errno == EAGAIN) {
            int ready;
            sockets->broken = !wait_for(sockets, at, TRUE, &ready);
        } else if (errno != EINTR) {
            sockets->broken = TRUE;
        }
    }
    sockets->turn = ((guint)MAX(at, 0) + 1) % sockets->n;
    return !sockets->broken;
}

gboolean
kit_sockets_finish(KitSockets *sockets)
{
    for (guint i = 0; i < sockets->n && !sockets->broken; i++) {
        int ready;
        while (sockets->list[i].fd < 0 && !sockets->broken)
            sockets->broken = !wait_for(sockets, -1, FALSE, &ready);
    }
    return !sockets->broken;
}

/* --- destination --------------------------------------------------------------------------- */

/* FALSE: not yet (errno). */
static gboolean
try_connect(const char *path, int *ret_fd, GError **error)
{
    struct sockaddr_un address;
    sl_autofd int fd = make_socket(path, &address, error);
    *ret_fd = -1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return FALSE;
    *ret_fd = sl_fd_steal(&fd);
    return TRUE;
}

static gboolean
is_to_come(int code)
{
    return code == ENOENT || code == ECONNREFUSED || code == EAGAIN || code == EINTR;
}

gboolean
kit_channel_connect(const KitChannel *channel, int stop_fd, int *ret_fds, gboolean *ret_stopped,
                    GError **error)
{
    gint64 deadline = g_get_monotonic_time() + PATIENCE_USEC;
    int pause = FIRST_PAUSE_MS;
    *ret_stopped = FALSE;
    for (guint i = 0; i < channel->n; i++)
        ret_fds[i] = -1;
    for (guint i = 0; i < channel->n && !*ret_stopped;) {
        g_autoptr(GError) local = NULL;
        if (try_connect(channel->paths[i], &ret_fds[i], &local)) {
            i++;
            pause = FIRST_PAUSE_MS;
            continue;
        }
        if (local != NULL) {
            g_propagate_error(error, g_steal_pointer(&local));
            return FALSE;
        }
        if (!is_to_come(errno))
            return sl_error_set_errno(error, errno, "connecting to %s", channel->paths[i]);
        if (g_get_monotonic_time() > deadline)
            return sl_error_set(error, SL_ERROR_TIMED_OUT, "nobody listens at %s",
                                channel->paths[i]);
        struct pollfd stop = {stop_fd, POLLIN, 0};
        *ret_stopped = poll(&stop, 1, pause) > 0;
        pause = MIN(pause * 2, LONGEST_PAUSE_MS);
    }
    return TRUE;
}
