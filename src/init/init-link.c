/* SPDX-License-Identifier: Apache-2.0 */
#include "init-link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "sl-init-wire.h"

#define RETRY_MS 20  /* between two attempts to connect */
#define SEND_MS 2000 /* how long a peer may leave our last words unread */

static int socket_fd = -1;
static int signals_fd = -1;
static int64_t idle_limit_ms;

int64_t
link_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
link_signals_open(void)
{
    static const int handled[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof handled / sizeof *handled; i++)
        sigaddset(&set, handled[i]);
    /* an inherited SIG_IGN of SIGCHLD would make the kernel reap behind our back */
    signal(SIGCHLD, SIG_DFL);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        link_fail(SL_INIT_EXIT_FAILED, "blocking signals: %m");
    signals_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals_fd < 0)
        link_fail(SL_INIT_EXIT_FAILED, "making a signalfd: %m");
}

int
link_signals_fd(void)
{
    return signals_fd;
}

int
link_fd(void)
{
    return socket_fd;
}

void
link_close(void)
{
    if (socket_fd >= 0)
        close(socket_fd);
    socket_fd = -1;
}

/* Before START a signal to end has nobody to be passed on to. */
static void
check_signals(void)
{
    struct signalfd_siginfo info;
    while (read(signals_fd, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo != SIGCHLD) {
            link_close();
            _exit(128 + (int)info.ssi_signo);
        }
}

/* Waits for the socket (fd < 0: for the time only), `events`, the deadline or a signal to end.
 * Returns whether the deadline is still ahead. */
static int
wait_for(int fd, short events, int64_t deadline)
{
    int64_t left = deadline - link_now();
    if (left <= 0)
        return 0;
    struct pollfd polls[] = {{.fd = fd, .events = events}, {.fd = signals_fd, .events = POLLIN}};
    if (poll(polls, 2, left > 1000000 ? 1000000 : (int)left) > 0 && polls[1].revents != 0)
        check_signals();
    return 1;
}

void
link_open(const char *path, int64_t idle_ms)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        link_fail(SL_INIT_EXIT_FAILED, "socket path is longer than %zu bytes: %s",
                  sizeof address.sun_path - 1, path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    idle_limit_ms = idle_ms;
    int64_t deadline = link_now() + idle_ms;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        link_fail(SL_INIT_EXIT_FAILED, "making a socket: %m");
    while (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        int err = errno;
        /* EAGAIN is what a unix socket says when the listener's backlog is full */
        if (err != ENOENT && err != ECONNREFUSED && err != EAGAIN && err != EINTR)
            link_fail(SL_INIT_EXIT_FAILED, "connecting to %s: %m", path);
        int64_t again = link_now() + RETRY_MS;
        errno = err;
        if (again >= deadline)
            link_fail(SL_INIT_EXIT_FAILED, "connecting to %s: %m after %lld ms", path,
                      (long long)idle_ms);
        while (wait_for(-1, 0, again))
            ;
    }
    socket_fd = fd;
    uint8_t hello[8];
    sl_init_put_u32(hello, SL_INIT_VERSION);
    sl_init_put_u32(hello + 4, (uint32_t)getpid());
    link_send(SL_INIT_HELLO, hello, sizeof hello);
}

static int
send_all(const uint8_t *data, size_t length)
{
    int64_t deadline = link_now() + SEND_MS;
    while (length > 0) {
        ssize_t n = send(socket_fd, data, length, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            struct pollfd writable = {.fd = socket_fd, .events = POLLOUT};
            int64_t left = deadline - link_now();
            if (left <= 0)
                return -1;
            poll(&writable, 1, (int)left);
            continue;
        }
        if (n < 0)
            return -1;
        data += n;
        length -= (size_t)n;
    }
    return 0;
}

int
link_send(uint8_t type, const void *payload, uint32_t length)
{
    uint8_t frame[SL_INIT_HEADER_SIZE + SL_INIT_MAX_TEXT];
    if (socket_fd < 0 || length > SL_INIT_MAX_TEXT)
        return -1;
    sl_init_put_header(frame, type, length);
    if (length > 0)
        memcpy(frame + SL_INIT_HEADER_SIZE, payload, length);
    return send_all(frame, SL_INIT_HEADER_SIZE + length);
}

/* Moves received descriptors into the first free places; one too many, or one where none belongs,
 * is an error. */
static void
take_fds(struct msghdr *message, int *fds)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        int got[SL_INIT_MAX_FDS];
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        if (n > SL_INIT_MAX_FDS || fds[0] >= 0)
            link_fail(SL_INIT_EXIT_FAILED, "peer sent too many descriptors");
        memcpy(got, CMSG_DATA(c), n * sizeof(int));
        for (size_t i = 0; i < n; i++)
            fds[i] = got[i];
    }
    if ((message->msg_flags & MSG_CTRUNC) != 0)
        link_fail(SL_INIT_EXIT_FAILED, "peer sent too many descriptors, or they are over a limit");
}

/* One recvmsg. Without room for descriptors the kernel closes those that come. */
static ssize_t
receive(void *data, size_t length, int *fds)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(SL_INIT_MAX_FDS * sizeof(int))];
    } control;
    struct iovec iov = {.iov_base = data, .iov_len = length};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    if (fds != NULL) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
    }
    ssize_t n = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC);
    if (n >= 0 && fds != NULL)
        take_fds(&message, fds);
    return n;
}

void
link_read(void *data, size_t length, int *fds)
{
    uint8_t *at = data;
    if (fds != NULL)
        for (int i = 0; i < SL_INIT_MAX_FDS; i++)
            fds[i] = -1;
    int64_t deadline = link_now() + idle_limit_ms;
    while (length > 0) {
        ssize_t n = receive(at, length, fds);
        if (n == 0 || (n < 0 && errno == ECONNRESET)) {
            link_close();
            link_fail(SL_INIT_EXIT_FAILED, "the peer hung up before the start");
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            link_fail(SL_INIT_EXIT_FAILED, "reading from the peer: %m");
        if (n < 0) {
            if (!wait_for(socket_fd, POLLIN, deadline))
                link_fail(SL_INIT_EXIT_FAILED, "the peer said nothing for %lld ms, no start",
                          (long long)idle_limit_ms);
            continue;
        }
        at += n;
        length -= (size_t)n;
    }
}

void
link_fail(int status, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    dprintf(STDERR_FILENO, "sluice-init: %s\n", text);
    link_send(SL_INIT_ERROR, text, (uint32_t)strlen(text));
    _exit(status);
}
