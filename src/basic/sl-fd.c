/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sl-error.h"

#define MAX_PASSED_FDS 8

void
sl_fd_clear(int *fd)
{
    if (*fd < 0)
        return;
    int saved = errno;
    close(*fd);
    errno = saved;
    *fd = -1;
}

gboolean
sl_fd_write_all(int fd, const void *data, gsize len, GError **error)
{
    const char *p = data;
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return sl_error_set_errno(error, errno, "writing");
        p += n;
        len -= (gsize)n;
    }
    return TRUE;
}

char *
sl_fd_read_all(int fd, gsize max, gsize *ret_len, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    char chunk[16384];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            sl_error_set_errno(error, errno, "reading");
            return NULL;
        }
        if (n == 0)
            break;
        if (out->len + (gsize)n > max) {
            sl_error_set(error, SL_ERROR_TOO_LARGE, "more than %" G_GSIZE_FORMAT " bytes", max);
            return NULL;
        }
        g_string_append_len(out, chunk, n);
    }
    if (ret_len != NULL)
        *ret_len = out->len;
    return g_string_free(g_steal_pointer(&out), FALSE);
}

gboolean
sl_fd_pipe(int *ret_read, int *ret_write, gsize size, GError **error)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return sl_error_set_errno(error, errno, "making a pipe");
    for (gsize try = size; try > 65536; try /= 2)
        if (fcntl(ends[1], F_SETPIPE_SZ, (int)try) >= 0)
            break;
    *ret_read = ends[0];
    *ret_write = ends[1];
    return TRUE;
}

gboolean
sl_fd_set_nonblocking(int fd, gboolean nonblocking, GError **error)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return sl_error_set_errno(error, errno, "reading the flags of fd %d", fd);
    flags = nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    if (fcntl(fd, F_SETFL, flags) < 0)
        return sl_error_set_errno(error, errno, "setting the flags of fd %d", fd);
    return TRUE;
}

gboolean
sl_fd_send(int socket, const int *fds, guint n_fds, const void *data, gsize len, GError **error)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(MAX_PASSED_FDS * sizeof(int))];
    } control = {0};
    g_return_val_if_fail(n_fds <= MAX_PASSED_FDS && len > 0, FALSE);
    struct iovec iov = {.iov_base = (void *)data, .iov_len = len};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    if (n_fds > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(header), fds, n_fds * sizeof(int));
    }
    ssize_t n;
    do
        n = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return sl_error_set_errno(error, errno, "sending %u descriptors", n_fds);
    if ((gsize)n < len)
        return sl_fd_write_all(socket, (const char *)data + n, len - (gsize)n, error);
    return TRUE;
}

/* Collects the descriptors of a message into `fds` (room for MAX_PASSED_FDS). */
static guint
take_fds(struct msghdr *message, int *fds)
{
    guint n = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        guint here = (guint)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(fds + n, CMSG_DATA(c), here * sizeof(int));
        n += here;
    }
    return n;
}

gssize
sl_fd_receive(int socket, void *data, gsize len, int *ret_fds, guint max_fds, guint *ret_n_fds,
              GError **error)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(MAX_PASSED_FDS * sizeof(int))];
    } control;
    int fds[MAX_PASSED_FDS];
    struct iovec iov = {.iov_base = data, .iov_len = len};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t n;
    do
        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        sl_error_set_errno(error, errno, "receiving");
        return -1;
    }
    guint n_fds = take_fds(&message, fds);
    if (n_fds > max_fds || (message.msg_flags & MSG_CTRUNC) != 0) {
        for (guint i = 0; i < n_fds; i++)
            close(fds[i]);
        sl_error_set(error, SL_ERROR_PROTOCOL, "peer sent %u descriptors, %u expected", n_fds,
                     max_fds);
        return -1;
    }
    if (n_fds > 0)
        memcpy(ret_fds, fds, n_fds * sizeof(int));
    *ret_n_fds = n_fds;
    return n;
}
