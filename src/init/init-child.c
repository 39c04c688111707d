/* SPDX-License-Identifier: Apache-2.0 */
#include "init-child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init-link.h"

#define REST_MS 2000 /* how long killed descendants may take to go (D state) */
#define MAX_SIGNAL 64
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define CLOSE_RANGE_CLOEXEC_FLAG 4 /* linux/close_range.h, which musl's headers do not have */

extern char **environ;

static struct {
    pid_t pid;       /* of the connector, also its process group; 0 once it is reaped */
    int status;      /* wait status, valid once pid is 0 */
    int64_t kill_at; /* when SIGKILL follows a SIGTERM */
    int broken;      /* the peer broke the protocol after START */
    uint8_t control[SL_INIT_HEADER_SIZE + 1]; /* a SIGNAL frame as far as it has come */
    size_t control_used;
} child = {.kill_at = LINK_NEVER};

/* Everything above stderr goes at exec, the error pipe among it. */
static void
close_rest(void)
{
    if (syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC_FLAG) == 0)
        return;
    struct rlimit limit = {.rlim_cur = 1024};
    getrlimit(RLIMIT_NOFILE, &limit);
    for (int fd = 3; fd < 1 << 20 && (rlim_t)fd < limit.rlim_cur; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* By the system call: the C library refuses to touch the two or three signals it uses itself, and
 * those may have been inherited as ignored, too. */
static void
reset_signals(void)
{
    static const unsigned long by_default[8]; /* a kernel sigaction of zeros: SIG_DFL, no flags */
    sigset_t none;
    for (int i = 1; i <= MAX_SIGNAL; i++)
        syscall(SYS_rt_sigaction, i, by_default, NULL, MAX_SIGNAL / 8);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child. Returns only when it fails, with errno. */
static void
become_connector(InitSetup *setup, pid_t parent)
{
    if (setsid() < 0)
        return;
    /* Should sluice-init be killed, nobody would report or end the connector. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return;
    if (getppid() != parent)
        _exit(SL_INIT_EXIT_FAILED);
    for (int i = 0; i < SL_INIT_MAX_FDS; i++)
        if (dup2(setup->fds[i], i) < 0)
            return;
    close_rest();
    reset_signals();
    environ = setup->env;
    execvp(setup->argv[0], setup->argv);
}

void
child_start(InitSetup *setup)
{
    int report[2], err = 0;
    pid_t parent = getpid();
    if (pipe2(report, O_CLOEXEC) < 0)
        link_fail(SL_INIT_EXIT_FAILED, "making a pipe: %m");
    pid_t pid = fork();
    if (pid < 0)
        link_fail(SL_INIT_EXIT_FAILED, "forking: %m");
    if (pid == 0) {
        become_connector(setup, parent);
        err = errno;
        ssize_t n = write(report[1], &err, sizeof err);
        _exit(n == (ssize_t)sizeof err ? SL_INIT_EXIT_NOT_EXECUTABLE : SL_INIT_EXIT_FAILED);
    }
    child.pid = pid;
    close(report[1]);
    /* our copies would keep the peer from ever seeing the end of the connector's output */
    for (int i = 0; i < SL_INIT_MAX_FDS; i++)
        close(setup->fds[i]);
    ssize_t n;
    do
        n = read(report[0], &err, sizeof err);
    while (n < 0 && errno == EINTR);
    close(report[0]);
    if (n != 0) {
        errno = n == (ssize_t)sizeof err ? err : EIO;
        link_fail(errno == ENOENT || errno == ENOTDIR ? SL_INIT_EXIT_NOT_FOUND
                                                      : SL_INIT_EXIT_NOT_EXECUTABLE,
                  "executing %s: %m", setup->argv[0]);
    }
    uint8_t started[4];
    sl_init_put_u32(started, (uint32_t)pid);
    link_send(SL_INIT_STARTED, started, sizeof started);
}

/* Asks the group to end and sees to it that it does. A second reason does not prolong the time. */
static void
end_group(int signum, int64_t kill_after_ms)
{
    if (child.pid > 0)
        kill(-child.pid, signum);
    int64_t at = link_now() + kill_after_ms;
    if (at < child.kill_at)
        child.kill_at = at;
}

/* Takes what the peer sent: SIGNAL frames, nothing else. */
static void
read_control(int64_t kill_after_ms)
{
    uint8_t *header = child.control;
    ssize_t n =
        recv(link_fd(), header + child.control_used, sizeof child.control - child.control_used, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        link_close();
        end_group(SIGTERM, kill_after_ms);
        return;
    }
    child.control_used += (size_t)n;
    if (child.control_used < SL_INIT_HEADER_SIZE)
        return;
    uint32_t length = sl_init_get_u32(header + 1);
    int ok = header[0] == SL_INIT_SIGNAL && length == 1;
    if (ok && child.control_used < sizeof child.control)
        return;
    int signum = header[SL_INIT_HEADER_SIZE];
    if (ok && signum >= 1 && signum <= MAX_SIGNAL) {
        child.control_used = 0;
        kill(-child.pid, signum);
        return;
    }
    static const char text[] = "peer sent something else than a signal after the start";
    dprintf(STDERR_FILENO, "sluice-init: %s\n", text);
    link_send(SL_INIT_ERROR, text, sizeof text - 1);
    link_close();
    child.broken = 1;
    end_group(SIGTERM, kill_after_ms);
}

/* Reaps whoever has ended. The connector's group is killed while its zombie still holds the number:
 * afterwards the number could belong to somebody else. Returns 0 once no child is left. */
static int
reap(void)
{
    for (;;) {
        siginfo_t info = {0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
            return errno == EINTR;
        if (info.si_pid == 0)
            return 1;
        int status = 0;
        if (info.si_pid == child.pid)
            kill(-child.pid, SIGKILL);
        waitpid(info.si_pid, &status, 0);
        if (info.si_pid == child.pid) {
            child.status = status;
            child.pid = 0;
        }
    }
}

static void
handle_signals(int64_t kill_after_ms)
{
    struct signalfd_siginfo info;
    while (read(link_signals_fd(), &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo != SIGCHLD)
            end_group((int)info.ssi_signo, kill_after_ms);
    reap();
}

/* Waits for the next thing to happen, to `deadline` at most. Returns 0 when that has passed. */
static int
wait_next(int64_t deadline, int *ret_control, int *ret_signals)
{
    int64_t left = deadline - link_now();
    int timeout = deadline == LINK_NEVER ? -1 : left <= 0 ? 0 : left > 60000 ? 60000 : (int)left;
    struct pollfd polls[] = {{.fd = link_fd(), .events = POLLIN},
                             {.fd = link_signals_fd(), .events = POLLIN}};
    int n = poll(polls, 2, timeout);
    *ret_control = n > 0 && polls[0].revents != 0;
    *ret_signals = n > 0 && polls[1].revents != 0;
    return deadline == LINK_NEVER || link_now() < deadline;
}

/* Kills the children that sluice-init has now: as the subreaper it inherits every descendant whose
 * parent ended, also one that left the process group. */
static void
kill_children(void)
{
    char path[64], list[4096];
    /* Asking for our own thread by number: a /proc of another PID namespace does not have it, and
     * its numbers would be somebody else's. */
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return; /* no /proc here: then the unit's cgroup or the PID namespace is what ends them */
    ssize_t n = read(fd, list, sizeof list - 1);
    close(fd);
    if (n <= 0)
        return;
    list[n] = '\0';
    char *at = list;
    for (;;) {
        char *end;
        long pid = strtol(at, &end, 10);
        /* a number that the buffer's end cut off may be somebody else's: the next round has it */
        if (end == at || *end != ' ' || pid <= 1)
            return;
        kill((pid_t)pid, SIGKILL);
        at = end;
    }
}

/* After the connector: nobody may go on holding its pipes. */
static void
end_rest(void)
{
    int64_t deadline = link_now() + REST_MS;
    while (reap() && link_now() < deadline) {
        struct signalfd_siginfo info;
        struct pollfd signals = {.fd = link_signals_fd(), .events = POLLIN};
        kill_children();
        poll(&signals, 1, 50);
        while (read(link_signals_fd(), &info, sizeof info) == (ssize_t)sizeof info)
            ;
    }
}

int
child_supervise(int64_t kill_after_ms)
{
    while (child.pid > 0) {
        int control, signals;
        if (!wait_next(child.kill_at, &control, &signals)) {
            kill(-child.pid, SIGKILL);
            child.kill_at = LINK_NEVER;
        }
        if (signals)
            handle_signals(kill_after_ms);
        if (control && child.pid > 0)
            read_control(kill_after_ms);
    }
    int signum = WIFSIGNALED(child.status) ? WTERMSIG(child.status) : 0;
    int code = signum != 0 ? -1 : WEXITSTATUS(child.status);
    uint8_t payload[8];
    sl_init_put_u32(payload, (uint32_t)code);
    sl_init_put_u32(payload + 4, (uint32_t)signum);
    link_send(SL_INIT_EXIT, payload, sizeof payload);
    end_rest();
    if (child.broken)
        return SL_INIT_EXIT_FAILED;
    return signum != 0 ? 128 + signum : code;
}
