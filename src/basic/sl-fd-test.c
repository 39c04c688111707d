/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-fd.h"

#include <signal.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sl-error.h"

static void
test_pipe_and_all(void)
{
    sl_autofd int in = -1, out = -1;
    g_autoptr(GError) error = NULL;
    g_assert_true(sl_fd_pipe(&in, &out, 1 << 20, &error));
    g_assert_no_error(error);
    g_assert_cmpint(fcntl(in, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
    g_autofree char *big = g_strnfill(60000, 'x');
    g_assert_true(sl_fd_write_all(out, big, 60000, &error));
    sl_fd_clear(&out);
    gsize len = 0;
    g_autofree char *back = sl_fd_read_all(in, 60000, &len, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(back, len, big, 60000);
}

static void
test_too_large(void)
{
    sl_autofd int in = -1, out = -1;
    g_assert_true(sl_fd_pipe(&in, &out, 0, NULL));
    g_assert_true(sl_fd_write_all(out, "12345", 5, NULL));
    sl_fd_clear(&out);
    g_autoptr(GError) error = NULL;
    g_assert_null(sl_fd_read_all(in, 4, NULL, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_TOO_LARGE);
}

static void
test_write_to_nobody(void)
{
    sl_autofd int in = -1, out = -1;
    g_assert_true(sl_fd_pipe(&in, &out, 0, NULL));
    sl_fd_clear(&in);
    g_autoptr(GError) error = NULL;
    g_assert_false(sl_fd_write_all(out, "x", 1, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_UNAVAILABLE);
}

static void
test_pass(void)
{
    int pair[2], fds[3] = {-1, -1, -1};
    guint n_fds = 0;
    char byte = 0;
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
    sl_autofd int left = pair[0], right = pair[1], in = -1, out = -1;
    g_assert_true(sl_fd_pipe(&in, &out, 0, NULL));
    g_autoptr(GError) error = NULL;
    g_assert_true(sl_fd_send(left, (int[]){in, out}, 2, "f", 1, &error));
    g_assert_cmpint(sl_fd_receive(right, &byte, 1, fds, 3, &n_fds, &error), ==, 1);
    g_assert_no_error(error);
    g_assert_cmpuint(n_fds, ==, 2);
    g_assert_true(sl_fd_write_all(fds[1], "hello", 5, NULL));
    sl_fd_clear(&fds[0]);
    sl_fd_clear(&fds[1]);

    /* one more than expected: refused, and none stays open */
    g_assert_true(sl_fd_send(left, (int[]){in, out}, 2, "f", 1, NULL));
    g_assert_cmpint(sl_fd_receive(right, &byte, 1, fds, 1, &n_fds, &error), ==, -1);
    g_assert_error(error, SL_ERROR, SL_ERROR_PROTOCOL);
    g_clear_error(&error);

    sl_fd_clear(&left);
    g_assert_cmpint(sl_fd_receive(right, &byte, 1, fds, 1, &n_fds, &error), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    signal(SIGPIPE, SIG_IGN);
    g_test_add_func("/basic/fd/pipe-and-all", test_pipe_and_all);
    g_test_add_func("/basic/fd/too-large", test_too_large);
    g_test_add_func("/basic/fd/write-to-nobody", test_write_to_nobody);
    g_test_add_func("/basic/fd/pass", test_pass);
    return g_test_run();
}
