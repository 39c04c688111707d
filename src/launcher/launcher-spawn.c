/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "launcher-spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"

#define TOKEN_FD 3

/* --- in the child: only async-signal-safe calls, the parent has threads ------------------------
 */

static void
reset_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int i = 1; i < NSIG; i++)
        sigaction(i, &action, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static gboolean
is_powerless(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    if (syscall(SYS_capget, &header, data) < 0)
        return FALSE;
    for (int i = 0; i < 2; i++)
        if (data[i].effective != 0 || data[i].permitted != 0 || data[i].inheritable != 0)
            return FALSE;
    return TRUE; /* ambient ones are a subset of permitted and inheritable: none */
}

/* The plain system calls: glibc's wrappers tell all threads of the process, and those stayed
 * behind in the parent. */
static gboolean
become_powerless(uid_t uid, gid_t gid)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    uid_t r, e, s;

    if (getuid() == 0 && syscall(SYS_setgroups, 0, NULL) < 0)
        return FALSE;
    if (syscall(SYS_setresgid, gid, gid, gid) < 0 || syscall(SYS_setresuid, uid, uid, uid) < 0)
        return FALSE;
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    /* May be refused by a system call filter; what counts is the check. */
    syscall(SYS_capset, &header, none);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return getresuid(&r, &e, &s) == 0 && r == uid && e == uid && s == uid && getegid() == gid &&
           is_powerless();
}

/* `token` and `go` are both above fd 3. */
_Noreturn static void
child_main(const LauncherSpawn *spawn, int token, int go)
{
    char byte;
    gssize n;

    reset_signals();
    setsid();
    do
        n = read(go, &byte, 1);
    while (n < 0 && errno == EINTR);
    if (n != 1)
        _exit(LAUNCHER_EXIT_LET_GO);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    /* The launcher's stdout is no business of the orchestrator's; stderr is the journal. */
    if (null < 0 || dup2(null, 0) < 0 || dup2(2, 1) < 0 || dup2(token, TOKEN_FD) < 0 ||
        syscall(SYS_close_range, TOKEN_FD + 1, ~0U, 0) < 0 || chdir("/") < 0)
        _exit(LAUNCHER_EXIT_UNSAFE);
    umask(022);
    if (!become_powerless(spawn->uid, spawn->gid))
        _exit(LAUNCHER_EXIT_UNSAFE);
    execve(spawn->program, (char *const *)spawn->argv, (char *const *)spawn->environment);
    _exit(LAUNCHER_EXIT_NO_EXEC);
}

/* --- in the parent -----------------------------------------------------------------------------
 */

/* A pipe whose ends are above `TOKEN_FD`, so that the child's dup2() overwrites none. */
static gboolean
high_pipe(int *ret_read, int *ret_write, GError **error)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return sl_error_set_errno(error, errno, "pipe");
    *ret_read = fcntl(ends[0], F_DUPFD_CLOEXEC, TOKEN_FD + 1);
    *ret_write = fcntl(ends[1], F_DUPFD_CLOEXEC, TOKEN_FD + 1);
    int errnum = errno;
    close(ends[0]);
    close(ends[1]);
    if (*ret_read < 0 || *ret_write < 0)
        return sl_error_set_errno(error, errnum, "pipe");
    return TRUE;
}

gboolean
launcher_spawn(const LauncherSpawn *spawn, pid_t *ret_pid, int *ret_go_fd, GError **error)
{
    sl_autofd int token_read = -1, token_write = -1, go_read = -1, go_write = -1;
    g_autofree char *line = g_strconcat(spawn->token, "\n", NULL);
    sigset_t all, before;

    /* The token waits in the pipe: it is far smaller than what a pipe holds. */
    if (!high_pipe(&token_read, &token_write, error) || !high_pipe(&go_read, &go_write, error) ||
        !sl_fd_write_all(token_write, line, strlen(line), error))
        return FALSE;
    sl_fd_clear(&token_write);
    /* No handler of ours may run in the child: its wake-up descriptors are shared with us. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0) {
        close(go_write); /* or it would never see the end of file */
        child_main(spawn, token_read, go_read);
    }
    int errnum = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0)
        return sl_error_set_errno(error, errnum, "fork");
    *ret_pid = pid;
    *ret_go_fd = sl_fd_steal(&go_write);
    return TRUE;
}

gboolean
launcher_spawn_go(int go_fd, GError **error)
{
    return sl_fd_write_all(go_fd, "g", 1, error);
}

char *
launcher_spawn_describe(int wait_status)
{
    static const struct {
        int status;
        const char *text;
    } own[] = {
        {LAUNCHER_EXIT_LET_GO, "was not started"},
        {LAUNCHER_EXIT_UNSAFE, "could not give up its privileges"},
        {LAUNCHER_EXIT_NO_EXEC, "could not be executed"},
    };
    if (WIFSIGNALED(wait_status))
        return g_strdup_printf("was killed by signal %d (%s)", WTERMSIG(wait_status),
                               g_strsignal(WTERMSIG(wait_status)));
    for (gsize i = 0; i < G_N_ELEMENTS(own); i++)
        if (own[i].status == WEXITSTATUS(wait_status))
            return g_strdup(own[i].text);
    return g_strdup_printf("exited with status %d", WEXITSTATUS(wait_status));
}

gboolean
launcher_spawn_find_user(const char *name, uid_t *ret_uid, gid_t *ret_gid, GError **error)
{
    struct passwd entry, *found = NULL;
    g_autofree char *buffer = g_malloc(65536);
    int errnum = getpwnam_r(name, &entry, buffer, 65536, &found);
    if (errnum != 0)
        return sl_error_set_errno(error, errnum, "user '%s'", name);
    if (found == NULL)
        return sl_error_set(error, SL_ERROR_CONFIG,
                            "there is no user '%s'; systemd-sysusers makes it", name);
    *ret_uid = entry.pw_uid;
    *ret_gid = entry.pw_gid;
    return TRUE;
}
