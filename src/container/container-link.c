/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "container-link.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"
#include "sl-init-wire.h"

#define CHUNK (64 * 1024)
#define SAY_MSEC 5000 /* how long a peer may leave a word of ours unread */

static gboolean
make_address(const char *path, struct sockaddr_un *ret, GError **error)
{
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    return g_strlcpy(ret->sun_path, path, sizeof ret->sun_path) < sizeof ret->sun_path ||
           sl_error_set(error, SL_ERROR_INVALID, "the path of socket '%s' is too long", path);
}

static int
make_socket(GError **error)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        sl_error_set_errno(error, errno, "making a socket");
    return fd;
}

int
container_link_dial(const char *path, GError **error)
{
    struct sockaddr_un address;
    sl_autofd int fd = make_address(path, &address, error) ? make_socket(error) : -1;
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        sl_error_set_errno(error, errno, "connecting to the orchestrator at '%s'", path);
        return -1;
    }
    return sl_fd_steal(&fd);
}

/* --- words of our own --------------------------------------------------------------------------
 */

static gboolean
say(int peer, SlInitFrame type, const char *text)
{
    guint8 frame[SL_INIT_HEADER_SIZE + SL_INIT_MAX_TEXT];
    gsize len = MIN(strlen(text), SL_INIT_MAX_TEXT), done = 0;
    gint64 deadline = g_get_monotonic_time() + SAY_MSEC * 1000;
    sl_init_put_header(frame, (guint8)type, (guint32)len);
    memcpy(frame + SL_INIT_HEADER_SIZE, text, len);
    len += SL_INIT_HEADER_SIZE;
    while (done < len) {
        ssize_t n = send(peer, frame + done, len - done, MSG_NOSIGNAL);
        struct pollfd writable = {.fd = peer, .events = POLLOUT};
        if (n > 0)
            done += (gsize)n;
        else if (errno == EAGAIN && g_get_monotonic_time() < deadline)
            poll(&writable, 1, 100);
        else if (errno != EINTR)
            return FALSE;
    }
    return TRUE;
}

gboolean
container_link_note(int peer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    return say(peer, SL_INIT_NOTE, text);
}

void
container_link_fail(int peer, const char *text)
{
    say(peer, SL_INIT_ERROR, text);
}

/* --- the container's sluice-init ---------------------------------------------------------------
 */

int
container_link_listen(const char *path, GError **error)
{
    struct sockaddr_un address;
    sl_autofd int fd = make_address(path, &address, error) ? make_socket(error) : -1;
    if (fd < 0)
        return -1;
    unlink(path);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || chmod(path, 0666) < 0 ||
        listen(fd, 4) < 0) {
        sl_error_set_errno(error, errno, "listening at '%s'", path);
        return -1;
    }
    return sl_fd_steal(&fd);
}

static gboolean
is_expected(int fd, pid_t pid)
{
    struct ucred who;
    socklen_t size = sizeof who;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0)
        return FALSE;
    if (pid == 0 || who.pid == pid)
        return TRUE;
    g_warning("process %d connected, which is not the container's (%d); refused", who.pid, pid);
    return FALSE;
}

/* poll(2) until `deadline`; 0: never. FALSE: it has passed. */
static gboolean
wait_until(struct pollfd *polls, nfds_t n, gint64 deadline)
{
    gint64 left = deadline == 0 ? -1 : (deadline - g_get_monotonic_time() + 999) / 1000;
    if (deadline != 0 && left <= 0)
        return FALSE;
    if (poll(polls, n, (int)MIN(left, G_MAXINT)) < 0)
        for (nfds_t i = 0; i < n; i++)
            polls[i].revents = 0;
    return TRUE;
}

int
container_link_accept(int listener, pid_t pid, int process, gint64 deadline,
                      GCancellable *cancellable, GError **error)
{
    GPollFD cancel = {.fd = -1};
    int found = -1;
    gboolean waits = g_cancellable_make_pollfd(cancellable, &cancel);
    struct pollfd polls[] = {{.fd = listener, .events = POLLIN},
                             {.fd = waits ? cancel.fd : -1, .events = POLLIN},
                             {.fd = process, .events = POLLIN}};
    while (found < 0) {
        if (!wait_until(polls, G_N_ELEMENTS(polls), deadline)) {
            sl_error_set(error, SL_ERROR_TIMED_OUT,
                         "the container runs, but sluice-init in it did not connect");
            break;
        }
        if (polls[1].revents != 0) {
            sl_error_set(error, SL_ERROR_CANCELLED, "it was stopped while it was being started");
            break;
        }
        if (polls[0].revents != 0) {
            sl_autofd int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
            if (fd >= 0 && is_expected(fd, pid))
                found = sl_fd_steal(&fd);
        } else if (polls[2].revents != 0) {
            sl_error_set(error, SL_ERROR_CONNECTOR, "the container ended at once");
            break;
        }
    }
    if (waits)
        g_cancellable_release_fd(cancellable);
    return found;
}

/* --- both --------------------------------------------------------------------------------------
 */

/* One direction: what was read and is not written yet. */
typedef struct {
    int from, to;
    gboolean with_fds; /* only the orchestrator gives any */
    guint8 data[CHUNK];
    gsize len, done;
    int fds[SL_INIT_MAX_FDS];
    guint n_fds;
    gboolean ended; /* `from` has, or `to` takes no more */
} Flow;

static void
close_fds(Flow *flow)
{
    for (guint i = 0; i < flow->n_fds; i++)
        sl_fd_clear(&flow->fds[i]);
    flow->n_fds = 0;
}

static void
take_fds(Flow *flow, struct msghdr *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        flow->n_fds = (guint)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(flow->fds, CMSG_DATA(c), flow->n_fds * sizeof(int));
    }
}

typedef union {
    struct cmsghdr header;
    char space[CMSG_SPACE(SL_INIT_MAX_FDS * sizeof(int))];
} Control;

/* Only when all of the last piece is written: descriptors belong to a piece's first byte. */
static void
flow_read(Flow *flow)
{
    Control control;
    struct iovec piece = {flow->data, sizeof flow->data};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (flow->with_fds) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
    }
    ssize_t n = recvmsg(flow->from, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        flow->ended = TRUE;
        return;
    }
    if (flow->with_fds)
        take_fds(flow, &message);
    flow->len = (gsize)n;
    flow->done = 0;
}

static void
flow_write(Flow *flow)
{
    Control control;
    struct iovec piece = {flow->data + flow->done, flow->len - flow->done};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (flow->n_fds > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(flow->n_fds * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(flow->n_fds * sizeof(int));
        memcpy(CMSG_DATA(c), flow->fds, flow->n_fds * sizeof(int));
    }
    ssize_t n = sendmsg(flow->to, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    close_fds(flow);
    if (n < 0) {
        flow->ended = TRUE;
        flow->len = flow->done = 0;
        return;
    }
    flow->done += (gsize)n;
    if (flow->done == flow->len)
        flow->len = flow->done = 0;
}

/* The events to wait for at `fd`, which one flow reads and the other writes. */
static short
events_of(const Flow *reads, const Flow *writes)
{
    return (short)((!reads->ended && reads->len == 0 ? POLLIN : 0) |
                   (writes->len > 0 ? POLLOUT : 0));
}

static void
step(Flow *reads, Flow *writes, short revents)
{
    if ((revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !reads->ended && reads->len == 0)
        flow_read(reads);
    if ((revents & (POLLOUT | POLLERR)) != 0 && writes->len > 0)
        flow_write(writes);
}

typedef struct {
    Flow down, up; /* from the orchestrator, from sluice-init */
    int process;
    gint64 kill_at; /* 0: not asked to end */
    gint64 kill_usec;
} Relay;

static void
signal_process(const Relay *relay, int signum)
{
    /* No wrapper in glibc 2.36. ESRCH: it has ended. */
    if (relay->process >= 0 &&
        syscall(SYS_pidfd_send_signal, relay->process, signum, NULL, 0) < 0 && errno != ESRCH)
        g_warning("signal %d to the container: %s", signum, g_strerror(errno));
}

static void
ask_to_end(Relay *relay)
{
    if (relay->kill_at != 0)
        return;
    relay->kill_at = g_get_monotonic_time() + relay->kill_usec;
    if (relay->process >= 0)
        signal_process(relay, SIGTERM);
    else
        shutdown(relay->down.to, SHUT_RDWR); /* sluice-init takes that as its peer's end */
}

/* What has come from sluice-init before its end. */
static void
drain(Relay *relay)
{
    for (guint i = 0; i < 64 && !relay->up.ended; i++) {
        if (relay->up.len > 0)
            flow_write(&relay->up);
        else
            flow_read(&relay->up);
        if (relay->up.len > 0) {
            struct pollfd writable = {.fd = relay->up.to, .events = POLLOUT};
            poll(&writable, 1, 200);
        }
    }
}

static gboolean
is_over(Relay *relay, const struct pollfd *process)
{
    if (relay->process >= 0)
        return process->revents != 0;
    return relay->up.ended && relay->up.len == 0;
}

void
container_link_relay(int peer, int init, int process, GCancellable *cancellable, gint64 kill_usec)
{
    g_autofree Relay *relay = g_new0(Relay, 1);
    GPollFD cancel = {.fd = -1};
    gboolean waits = g_cancellable_make_pollfd(cancellable, &cancel);
    relay->down = (Flow){.from = peer, .to = init, .with_fds = TRUE};
    relay->up = (Flow){.from = init, .to = peer};
    relay->process = process;
    relay->kill_usec = kill_usec;
    for (;;) {
        short at_peer = events_of(&relay->down, &relay->up);
        short at_init = events_of(&relay->up, &relay->down);
        struct pollfd polls[] = {
            {.fd = at_peer != 0 ? peer : -1, .events = at_peer},
            {.fd = at_init != 0 ? init : -1, .events = at_init},
            {.fd = process, .events = POLLIN},
            {.fd = waits && relay->kill_at == 0 ? cancel.fd : -1, .events = POLLIN},
        };
        if (!wait_until(polls, G_N_ELEMENTS(polls), relay->kill_at)) {
            signal_process(relay, SIGKILL);
            if (process < 0)
                break; /* the engine has to do it */
            relay->kill_at = g_get_monotonic_time() + kill_usec;
        }
        step(&relay->down, &relay->up, polls[0].revents);
        step(&relay->up, &relay->down, polls[1].revents);
        if (is_over(relay, &polls[2]))
            break;
        if (polls[3].revents != 0 || relay->down.ended || relay->up.ended)
            ask_to_end(relay);
    }
    drain(relay);
    close_fds(&relay->down);
    if (waits)
        g_cancellable_release_fd(cancellable);
}
