/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* File descriptors. Owned ones are `sl_autofd int fd = -1;`, handed on with sl_fd_steal(). */

static inline int
sl_fd_steal(int *fd)
{
    int stolen = *fd;
    *fd = -1;
    return stolen;
}

void sl_fd_clear(int *fd); /* close if open, set to -1; errno survives */
#define sl_autofd __attribute__((cleanup(sl_fd_clear)))

/* Writes everything, through short writes and EINTR. Blocking descriptors only. */
gboolean sl_fd_write_all(int fd, const void *data, gsize len, GError **error);

/* Reads until end of file or `max` bytes; more is SL_ERROR_TOO_LARGE. The result ends with a NUL
 * that ret_len (may be NULL) does not count. */
char *sl_fd_read_all(int fd, gsize max, gsize *ret_len, GError **error);

/* A pipe with close-on-exec ends of `size` bytes. Growing past the user's quota
 * (fs.pipe-user-pages-soft, pipe(7)) fails with EPERM: then half of it is tried, and so on; a pipe
 * of the default size is still a pipe. */
gboolean sl_fd_pipe(int *ret_read, int *ret_write, gsize size, GError **error);

gboolean sl_fd_set_nonblocking(int fd, gboolean nonblocking, GError **error);

/* Sends descriptors with one byte of data over a unix socket (unix(7), SCM_RIGHTS). */
gboolean sl_fd_send(int socket, const int *fds, guint n_fds, const void *data, gsize len,
                    GError **error);

/* Receives up to `len` bytes and at most `max_fds` descriptors (close-on-exec). 0 bytes = peer has
 * closed. More descriptors than asked for are SL_ERROR_PROTOCOL, and all of them are closed. */
gssize sl_fd_receive(int socket, void *data, gsize len, int *ret_fds, guint max_fds,
                     guint *ret_n_fds, GError **error);
