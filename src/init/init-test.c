/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"
#include "sl-init-peer.h"
#include "sl-init-wire.h"

/* The real sluice-init, without a sandbox, with shells for connectors. Its path is argv[1]. */

#define KILL_AFTER_MS 300                      /* where a connector ignores SIGTERM */
#define SURELY_US ((KILL_AFTER_MS - 1) * 1000) /* sluice-init counts whole milliseconds */
#define PATIENCE_MS 5000                       /* then a test fails instead of hanging */

static const char *init_path;

typedef struct {
    char *folder, *files, *socket;
    const char *deadline, *kill_after;
    char **environment; /* of sluice-init; NULL: ours */
    SlInitPeer *peer;
    int in, out, err;
    GPid pid;        /* of sluice-init; 0 once it has ended */
    int status;      /* then: how */
    GString *events; /* one word each */
    GError *error;
} Fixture;

static void
on_event(SlInitPeer *peer, const SlInitPeerEvent *event, gpointer data)
{
    Fixture *f = data;
    if (event->type == SL_INIT_PEER_NOTED)
        g_string_append_printf(f->events, "noted=%s ", event->text);
    else if (event->type == SL_INIT_PEER_STARTED)
        g_string_append(f->events, "started ");
    else if (event->type == SL_INIT_PEER_EXITED)
        g_string_append_printf(f->events, "exited=%d,%d.", event->exit_code, event->signum);
    else
        g_string_append(f->events, event->type == SL_INIT_PEER_FAILED ? "failed." : "lost.");
    if (event->error != NULL)
        f->error = g_error_copy(event->error);
}

static void
set_up(Fixture *f, gconstpointer data)
{
    f->folder = g_dir_make_tmp("sluice-init-XXXXXX", NULL);
    f->files = g_build_filename(f->folder, "files", NULL);
    f->socket = g_build_filename(f->folder, "role", "ctl", NULL);
    f->deadline = f->kill_after = "4000";
    f->events = g_string_new(NULL);
    f->in = f->out = f->err = -1;
    g_assert_cmpint(g_mkdir(f->files, 0700), ==, 0);
}

static void
remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        remove_tree(child);
    }
    g_assert_cmpint(g_remove(path), ==, 0);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    sl_init_peer_free(f->peer);
    sl_fd_clear(&f->in);
    sl_fd_clear(&f->out);
    sl_fd_clear(&f->err);
    g_assert_cmpint(f->pid, ==, 0); /* each test waits for its end */
    remove_tree(f->folder);
    g_string_free(f->events, TRUE);
    g_clear_error(&f->error);
    g_strfreev(f->environment);
    g_free(f->folder);
    g_free(f->files);
    g_free(f->socket);
}

/* --- helpers --------------------------------------------------------------- */

static void
listen_peer(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    f->peer = sl_init_peer_new(f->socket, &error);
    g_assert_no_error(error);
    g_assert_true(sl_init_peer_make_pipes(f->peer, &f->in, &f->out, &f->err, &error));
    g_assert_no_error(error);
}

static void
start_peer(Fixture *f)
{
    sl_init_peer_start(f->peer, NULL, g_get_monotonic_time() + PATIENCE_MS * 1000, on_event, f);
}

/* Starts sluice-init for `command` (NULL: none), by sh -c when `shell`. */
static void
spawn(Fixture *f, gboolean shell, const char *command)
{
    const char *argv[16] = {init_path,    "--socket",  f->socket,      "--files",     f->files,
                            "--deadline", f->deadline, "--kill-after", f->kill_after, "--"};
    guint n = 10;
    if (shell) {
        argv[n++] = "/bin/sh";
        argv[n++] = "-c";
    }
    argv[n] = command;
    g_autoptr(GError) error = NULL;
    g_spawn_async(NULL, (char **)argv, f->environment,
                  G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_LEAVE_DESCRIPTORS_OPEN |
                      G_SPAWN_STDERR_TO_DEV_NULL,
                  NULL, NULL, &f->pid, &error);
    g_assert_no_error(error);
}

static void
run_shell(Fixture *f, const char *script)
{
    if (f->peer == NULL)
        listen_peer(f);
    start_peer(f);
    spawn(f, TRUE, script);
}

static gboolean
on_time(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_CONTINUE;
}

/* Runs the main loop until `done` or for so long. Returns whether it was done. */
static gboolean
run_until(gboolean (*done)(Fixture *f, gconstpointer data), Fixture *f, gconstpointer data,
          guint ms)
{
    gboolean late = FALSE;
    guint timer = g_timeout_add(ms, on_time, &late);
    while (!late && !(done != NULL && done(f, data)))
        g_main_context_iteration(NULL, TRUE);
    g_source_remove(timer);
    return !late;
}

static void
assert_has(const char *text, const char *part)
{
    g_test_message("looking for '%s' in '%s'", part, text);
    g_assert_nonnull(strstr(text, part));
}

static gboolean
has_event(Fixture *f, gconstpointer data)
{
    return strstr(f->events->str, data) != NULL;
}

/* The main loop until `text` is among the events; "." ends the last one. */
static void
wait_event(Fixture *f, const char *text)
{
    run_until(has_event, f, text, PATIENCE_MS);
    assert_has(f->events->str, text);
}

static void
on_child(GPid pid, gint status, gpointer data)
{
    Fixture *f = data;
    f->status = status;
    f->pid = 0;
}

static gboolean
init_ended(Fixture *f, gconstpointer data)
{
    return f->pid == 0;
}

/* Waits for sluice-init; returns its exit status, or minus the signal that killed it. */
static int
wait_init(Fixture *f)
{
    g_child_watch_add(f->pid, on_child, f);
    g_assert_true(run_until(init_ended, f, NULL, PATIENCE_MS));
    return WIFSIGNALED(f->status) ? -WTERMSIG(f->status) : WEXITSTATUS(f->status);
}

static char *
read_out(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    char *text = sl_fd_read_all(f->out, 64 << 20, NULL, &error);
    g_assert_no_error(error);
    return text;
}

/* Waits for the line "ready" on stdout. */
static void
wait_ready(Fixture *f)
{
    char line[6];
    wait_event(f, "started");
    for (gsize used = 0; used < sizeof line;) {
        ssize_t n = read(f->out, line + used, sizeof line - used);
        g_assert_cmpint(n, >, 0);
        used += (gsize)n;
    }
    g_assert_cmpmem(line, sizeof line, "ready\n", 6);
}

static void
assert_error_has(Fixture *f, int code, const char *text)
{
    g_assert_error(f->error, SL_ERROR, code);
    assert_has(f->error->message, text);
}

/* --- how connectors end ---------------------------------------------------- */

typedef struct {
    const char *name, *script, *events;
    int status;
} Ending;

static const Ending endings[] = {
    {"zero", "exit 0", "started exited=0,0.", 0},
    {"seven", "exit 7", "started exited=7,0.", 7},
    {"killed", "kill -KILL $$", "started exited=-1,9.", 137},
    {"own-process-group", "read -r p c s pp g se r </proc/$$/stat; [ $p = $g ] && [ $p = $se ]",
     "started exited=0,0.", 0},
};

static void
test_ending(Fixture *f, gconstpointer data)
{
    const Ending *ending = data;
    run_shell(f, ending->script);
    wait_event(f, ".");
    g_assert_cmpstr(f->events->str, ==, ending->events);
    g_assert_cmpint(wait_init(f), ==, ending->status);
}

typedef struct {
    const char *name, *program;
    int status;
    const char *text;
} Refusal;

static const Refusal refusals[] = {
    {"missing-path", "/nonexistent/connector", 127, "/nonexistent/connector: No such file"},
    {"missing-name", "sluice-no-such-program", 127, "sluice-no-such-program: No such file"},
    {"not-executable", "/etc/passwd", 126, "/etc/passwd: Permission denied"},
    {"folder", "/usr", 126, "/usr: Permission denied"},
    {"no-program", NULL, 125, "no program"},
};

static void
test_refusal(Fixture *f, gconstpointer data)
{
    const Refusal *refusal = data;
    listen_peer(f);
    start_peer(f);
    spawn(f, FALSE, refusal->program);
    wait_event(f, ".");
    g_assert_cmpstr(f->events->str, ==, "failed.");
    assert_error_has(f, SL_ERROR_CONNECTOR, refusal->text);
    g_assert_cmpint(wait_init(f), ==, refusal->status);
}

/* --- what a connector gets ------------------------------------------------- */

static void
test_pipes(Fixture *f, gconstpointer data)
{
    char byte;
    run_shell(f, "read -r line; echo \"out $line\"; echo \"err $line\" >&2; echo re >/dev/stdout");
    g_assert_true(sl_fd_write_all(f->in, "hello\n", 6, NULL));
    wait_event(f, ".");
    g_autofree char *out = read_out(f);
    g_assert_cmpstr(out, ==, "out hello\nre\n");
    g_autofree char *err = sl_fd_read_all(f->err, 4096, NULL, NULL);
    g_assert_cmpstr(err, ==, "err hello\n");
    g_assert_cmpint(write(f->in, &byte, 1), ==, -1);
    g_assert_cmpint(errno, ==, EPIPE);
    g_assert_cmpint(wait_init(f), ==, 0);
}

typedef struct {
    int fd;
    GBytes *bytes;
} Feed;

static gpointer
feed(gpointer data)
{
    Feed *job = data;
    gsize len;
    const void *bytes = g_bytes_get_data(job->bytes, &len);
    gboolean ok = sl_fd_write_all(job->fd, bytes, len, NULL);
    sl_fd_clear(&job->fd);
    return GINT_TO_POINTER(ok);
}

static void
test_eight_mebibytes(Fixture *f, gconstpointer data)
{
    gsize size = 8 << 20, len = 0;
    guint32 *numbers = g_malloc(size);
    for (gsize i = 0; i < size / 4; i++)
        numbers[i] = (guint32)i * 2654435761u;
    g_autoptr(GBytes) bytes = g_bytes_new_take(numbers, size);
    run_shell(f, "exec cat");
    wait_event(f, "started");
    Feed job = {sl_fd_steal(&f->in), bytes};
    GThread *thread = g_thread_new("feed", feed, &job);
    g_autofree char *out = sl_fd_read_all(f->out, size, &len, NULL);
    g_assert_nonnull(out);
    g_assert_true(GPOINTER_TO_INT(g_thread_join(thread)));
    g_assert_cmpmem(out, len, numbers, size);
    wait_event(f, "exited=0,0.");
    g_assert_cmpint(wait_init(f), ==, 0);
}

static void
test_files(Fixture *f, gconstpointer data)
{
    static const char binary[] = "{\"a\":\"\0\n\377\"}";
    gsize size = (3 << 20) + 17, len = 0;
    g_autofree char *large = g_strnfill(size, 'L');
    g_autoptr(GBytes) small = g_bytes_new_static(binary, sizeof binary);
    g_autoptr(GBytes) big = g_bytes_new_static(large, size);
    g_autoptr(GBytes) empty = g_bytes_new(NULL, 0);
    mode_t mask = umask(0277);
    listen_peer(f);
    g_assert_true(sl_init_peer_add_file(f->peer, "config.json", small, NULL));
    g_assert_true(sl_init_peer_add_file(f->peer, "catalog.json", big, NULL));
    g_assert_true(sl_init_peer_add_file(f->peer, "state.json", empty, NULL));
    run_shell(f, "exit 0");
    umask(mask);
    wait_event(f, "exited=0,0.");
    g_assert_cmpint(wait_init(f), ==, 0);

    const char *names[] = {"config.json", "catalog.json", "state.json"};
    GBytes *contents[] = {small, big, empty};
    for (guint i = 0; i < 3; i++) {
        GStatBuf st;
        g_autofree char *path = g_build_filename(f->files, names[i], NULL);
        g_autofree char *text = NULL;
        g_assert_cmpint(g_stat(path, &st), ==, 0);
        g_assert_cmpint(st.st_mode, ==, S_IFREG | 0600);
        g_assert_true(g_file_get_contents(path, &text, &len, NULL));
        g_assert_cmpmem(text, len, g_bytes_get_data(contents[i], NULL),
                        g_bytes_get_size(contents[i]));
    }
}

static void
test_file_twice(Fixture *f, gconstpointer data)
{
    g_autoptr(GBytes) empty = g_bytes_new(NULL, 0);
    listen_peer(f);
    g_assert_true(sl_init_peer_add_file(f->peer, "config.json", empty, NULL));
    g_assert_true(sl_init_peer_add_file(f->peer, "config.json", empty, NULL));
    run_shell(f, "exit 0");
    wait_event(f, "failed.");
    assert_error_has(f, SL_ERROR_CONNECTOR, "'config.json'");
    g_assert_cmpint(wait_init(f), ==, 125);
}

static void
test_no_folder(Fixture *f, gconstpointer data)
{
    gsize size = 8 << 20; /* sluice-init ends while the peer is still sending */
    g_autoptr(GBytes) big = g_bytes_new_take(g_malloc0(size), size);
    g_assert_cmpint(g_rmdir(f->files), ==, 0);
    listen_peer(f);
    g_assert_true(sl_init_peer_add_file(f->peer, "config.json", big, NULL));
    run_shell(f, "exit 0");
    wait_event(f, "failed.");
    assert_error_has(f, SL_ERROR_CONNECTOR, f->files);
    g_assert_cmpint(wait_init(f), ==, 125);
}

static void
test_arguments(Fixture *f, gconstpointer data)
{
    listen_peer(f);
    g_assert_true(sl_init_peer_add_arg(f->peer, "read", NULL));
    g_assert_true(sl_init_peer_add_arg(f->peer, "", NULL));
    g_assert_true(sl_init_peer_add_arg(f->peer, "--config=a b\n$HOME", NULL));
    run_shell(f, "printf '%s|' \"$0\" \"$@\"");
    g_autofree char *out = NULL;
    wait_event(f, "exited=0,0.");
    out = read_out(f);
    g_assert_cmpstr(out, ==, "read||--config=a b\n$HOME|");
    g_assert_cmpint(wait_init(f), ==, 0);
}

/* The command line counts too. */
static void
test_too_many_arguments(Fixture *f, gconstpointer data)
{
    listen_peer(f);
    for (guint i = 0; i < SL_INIT_MAX_ARGS; i++)
        g_assert_true(sl_init_peer_add_arg(f->peer, "x", NULL));
    run_shell(f, "exit 0");
    wait_event(f, "failed.");
    assert_error_has(f, SL_ERROR_CONNECTOR, "more than 4096 arguments");
    g_assert_cmpint(wait_init(f), ==, 125);
}

static void
test_environment(Fixture *f, gconstpointer data)
{
    static const char *const given[] = {"PATH=/bin",
                                        "HOME=/h",
                                        "LANG=C",
                                        "TMPDIR=/t",
                                        "LC_ALL=C",
                                        "PYTHONPATH=/p",
                                        "NODE_ENV=x",
                                        "TZ=GMT",
                                        "SSL_CERT_FILE=c",
                                        "NOTIFY_SOCKET=/n",
                                        "LD_PRELOAD=/no.so",
                                        "LISTEN_FDS=1",
                                        "PATHOLOGY=1",
                                        "ODD",
                                        "HTTPS_PROXY=p",
                                        "INVOCATION_ID=1",
                                        "SECRET=s",
                                        NULL};
    f->environment = g_strdupv((char **)given);
    listen_peer(f);
    g_assert_true(sl_init_peer_add_env(f->peer, "TZ", "UTC", NULL));
    g_assert_true(sl_init_peer_add_env(f->peer, "TZ2", "x=y z", NULL));
    g_assert_true(sl_init_peer_add_env(f->peer, "EMPTY", "", NULL));
    start_peer(f);
    spawn(f, FALSE, "/usr/bin/env");
    wait_event(f, "exited=0,0.");
    g_autofree char *out = read_out(f);
    g_assert_cmpstr(out, ==,
                    "PATH=/bin\nHOME=/h\nLANG=C\nTMPDIR=/t\nLC_ALL=C\nPYTHONPATH=/p\nNODE_ENV=x\n"
                    "TZ=UTC\nSSL_CERT_FILE=c\nHTTPS_PROXY=p\nTZ2=x=y z\nEMPTY=\n");
    g_assert_cmpint(wait_init(f), ==, 0);
}

/* What an image says: more than what is kept, less than what the peer says. */
static void
test_environment_of_image(Fixture *f, gconstpointer data)
{
    static const char *const given[] = {"PATH=/bin", "ODD=1", NULL};
    f->environment = g_strdupv((char **)given);
    listen_peer(f);
    g_assert_true(sl_init_peer_add_env(f->peer, "TZ", "UTC", NULL));
    start_peer(f);
    const char *argv[] = {
        init_path,      "--socket", f->socket, "--files", f->files, "--env",  "PATH=/usr/bin:/bin",
        "--env",        "ODD=x=y",  "--env",   "TZ=GMT",  "--env",  "EMPTY=", "--",
        "/usr/bin/env", NULL};
    g_spawn_async(NULL, (char **)argv, f->environment, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                  &f->pid, NULL);
    wait_event(f, "exited=0,0.");
    g_autofree char *out = read_out(f);
    g_assert_cmpstr(out, ==, "PATH=/usr/bin:/bin\nODD=x=y\nTZ=UTC\nEMPTY=\n");
    g_assert_cmpint(wait_init(f), ==, 0);
}

/* The mask is for us, and not in the connector's environment. */
static void
test_umask(Fixture *f, gconstpointer data)
{
    listen_peer(f);
    g_assert_true(sl_init_peer_add_env(f->peer, SL_INIT_UMASK, "027", NULL));
    run_shell(f, "umask; env | grep -c UMASK");
    wait_event(f, "exited=1,0.");
    g_autofree char *out = read_out(f);
    g_assert_cmpstr(out, ==, "0027\n0\n");
    g_assert_cmpint(wait_init(f), ==, 1);
}

static void
test_broken_umask(Fixture *f, gconstpointer data)
{
    listen_peer(f);
    g_assert_true(sl_init_peer_add_env(f->peer, SL_INIT_UMASK, "08", NULL));
    run_shell(f, "exit 0");
    wait_event(f, "failed.");
    assert_error_has(f, SL_ERROR_CONNECTOR, "mask that is none");
    g_assert_cmpint(wait_init(f), ==, 125);
}

/* Nothing of ours leaks in: descriptors, ignored and blocked signals; and no way up. */
static void
test_confined(Fixture *f, gconstpointer data)
{
    sl_autofd int leak = open("/dev/null", O_RDONLY); /* without close-on-exec */
    g_assert_cmpint(leak, >, STDERR_FILENO);
    signal(SIGUSR1, SIG_IGN);
    run_shell(f, "ls /proc/$$/fd; grep -E '^(NoNewPrivs|SigBlk|SigIgn):' /proc/self/status");
    wait_event(f, "exited=0,0.");
    signal(SIGUSR1, SIG_DFL);
    g_autofree char *out = read_out(f);
    g_assert_cmpstr(out, ==,
                    "0\n1\n2\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"
                    "NoNewPrivs:\t1\n");
    g_assert_cmpint(wait_init(f), ==, 0);
}

/* --- signals and ends ------------------------------------------------------ */

#define LOOP "echo ready; while :; do sleep 0.02; done"

static void
test_signal(Fixture *f, gconstpointer data)
{
    run_shell(f, "trap 'exit 42' USR1; " LOOP);
    wait_ready(f);
    g_assert_true(sl_init_peer_signal(f->peer, SIGUSR1, NULL));
    wait_event(f, ".");
    g_assert_cmpstr(f->events->str, ==, "started exited=42,0.");
    g_assert_cmpint(wait_init(f), ==, 42);
}

/* SIGTERM to sluice-init itself, as systemd and docker stop send it. */
static void
test_terminated(Fixture *f, gconstpointer data)
{
    run_shell(f, LOOP);
    wait_ready(f);
    kill(f->pid, SIGTERM);
    wait_event(f, "exited=-1,15.");
    g_assert_cmpint(wait_init(f), ==, 143);
}

static void
test_terminated_stubborn(Fixture *f, gconstpointer data)
{
    f->kill_after = G_STRINGIFY(KILL_AFTER_MS);
    run_shell(f, "trap '' TERM; " LOOP);
    wait_ready(f);
    gint64 before = g_get_monotonic_time();
    kill(f->pid, SIGTERM);
    wait_event(f, "exited=-1,9.");
    g_assert_cmpint(g_get_monotonic_time() - before, >=, SURELY_US);
    g_assert_cmpint(wait_init(f), ==, 137);
}

static void
test_terminated_early(Fixture *f, gconstpointer data)
{
    f->deadline = "5000";
    spawn(f, TRUE, "exit 0"); /* nobody listens: it waits */
    run_until(NULL, f, NULL, 50);
    kill(f->pid, SIGTERM);
    int status = wait_init(f);
    /* the signal came before or after it was blocked */
    g_assert_true(status == 143 || status == -SIGTERM);
}

static void
test_peer_gone(Fixture *f, gconstpointer data)
{
    run_shell(f, LOOP);
    wait_ready(f);
    g_clear_pointer(&f->peer, sl_init_peer_free);
    g_assert_cmpint(wait_init(f), ==, 143);
}

static void
test_peer_gone_stubborn(Fixture *f, gconstpointer data)
{
    f->kill_after = G_STRINGIFY(KILL_AFTER_MS);
    run_shell(f, "trap '' TERM; " LOOP);
    wait_ready(f);
    gint64 before = g_get_monotonic_time();
    g_clear_pointer(&f->peer, sl_init_peer_free);
    g_autofree char *rest = read_out(f); /* ends with the connector */
    g_assert_cmpstr(rest, ==, "");
    g_assert_cmpint(g_get_monotonic_time() - before, >=, SURELY_US);
    g_assert_cmpint(wait_init(f), ==, 137);
}

/* sluice-init killed: the connector goes with it, and the peer knows that it knows nothing. */
static void
test_init_killed(Fixture *f, gconstpointer data)
{
    run_shell(f, "echo ready; exec sleep 60");
    wait_ready(f);
    kill(f->pid, SIGKILL);
    wait_event(f, ".");
    g_assert_cmpstr(f->events->str, ==, "started lost.");
    g_autofree char *rest = read_out(f);
    g_assert_cmpstr(rest, ==, "");
    g_assert_cmpint(wait_init(f), ==, -SIGKILL);
}

/* What the connector leaves behind, holding its pipes; the second in a session of its own. */
static void
test_left_behind(Fixture *f, gconstpointer data)
{
    run_shell(f, data);
    wait_ready(f);
    g_assert_true(sl_fd_write_all(f->in, "\n", 1, NULL));
    wait_event(f, "exited=3,0.");
    g_autofree char *out = read_out(f); /* without the end of those it would take a minute */
    g_assert_cmpstr(out, ==, "");
    g_assert_cmpint(wait_init(f), ==, 3);
}

static void
test_late_peer(Fixture *f, gconstpointer data)
{
    spawn(f, TRUE, "exit 5");
    run_until(NULL, f, NULL, 100);
    listen_peer(f);
    start_peer(f);
    wait_event(f, "exited=5,0.");
    g_assert_cmpint(wait_init(f), ==, 5);
}

static void
test_no_peer(Fixture *f, gconstpointer data)
{
    f->deadline = "100";
    spawn(f, TRUE, "exit 0");
    g_assert_cmpint(wait_init(f), ==, 125);
}

/* --- a peer that breaks the protocol --------------------------------------- */

typedef struct {
    const char *name;
    const char *bytes;
    gsize len;
    guint n_fds;       /* descriptors with the first byte */
    gboolean hang_up;  /* after the bytes */
    const char *reply; /* what sluice-init says between HELLO and ERROR: frame types */
    const char *text;  /* in ERROR */
} Breach;

#define BYTES(string) string, sizeof(string) - 1
#define FDS "D\0\0\0\0"
#define START "S\0\0\0\0"
static const Breach breaches[] = {
    {"garbage", BYTES("GET / HTTP/1.1\r\n\r\n"), 0, FALSE, "", "type 0x47"},
    {"oversize-file", BYTES("F\0\0\0\021"), 0, FALSE, "", "0x46 with 285212672 bytes"},
    {"oversize-argument", BYTES("A\0\0\002\0"), 0, FALSE, "", "131072 bytes"},
    {"slash", BYTES("F\006\0\0\0a/b\0xx"), 0, FALSE, "", "name 'a/b'"},
    {"dot-dot", BYTES("F\006\0\0\0..\0abc"), 0, FALSE, "", "name '..'"},
    {"no-name", BYTES("F\003\0\0\0\0ab"), 0, FALSE, "", "name ''"},
    {"endless-name", BYTES("F\003\0\0\0abc"), 0, FALSE, "", "without a name"},
    {"argument-nul", BYTES("A\003\0\0\0a\0b"), 0, FALSE, "", "NUL"},
    {"variable", BYTES("E\003\0\0\0=ab"), 0, FALSE, "", "NAME=VALUE"},
    {"two-fds", BYTES(FDS), 2, FALSE, "", "fewer than 3"},
    {"four-fds", BYTES(FDS), 4, FALSE, "", "too many"},
    {"fds-elsewhere", BYTES("A\001\0\0\0a"), 3, FALSE, "", "descriptors with a frame"},
    {"fds-missing", BYTES(START), 0, FALSE, "", "no descriptors"},
    {"fds-without", BYTES(FDS), 0, FALSE, "", "fewer than 3"},
    {"signal-early", BYTES("K\001\0\0\0\017"), 0, FALSE, "", "before the start"},
    {"silent", BYTES(FDS), 3, FALSE, "", "said nothing"},
    {"half-header", BYTES("F\003"), 0, TRUE, "", NULL},
    {"half-frame", BYTES("F\377\0\0\0state.json\0half"), 0, TRUE, "", NULL},
    {"garbage-later", BYTES(FDS START "Zzzzzzz"), 3, FALSE, "P", "after the start"},
    {"signal-zero", BYTES(FDS START "K\001\0\0\0\0"), 3, FALSE, "P", "after the start"},
    {"half-signal", BYTES(FDS START "K\001\0\0"), 3, TRUE, "P", NULL},
};

static int
accept_init(Fixture *f)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_autofree char *role = g_path_get_dirname(f->socket);
    g_assert_cmpint(g_mkdir(role, 0755), ==, 0);
    g_strlcpy(address.sun_path, f->socket, sizeof address.sun_path);
    sl_autofd int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(listener, (struct sockaddr *)&address, sizeof address), ==, 0);
    g_assert_cmpint(listen(listener, 1), ==, 0);
    spawn(f, TRUE, "sleep 60");
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

/* Reads a frame; 0 at the end. */
static guint8
hear(int fd, char payload[SL_INIT_MAX_TEXT + 1], guint32 *ret_length)
{
    guint8 header[SL_INIT_HEADER_SIZE];
    ssize_t n = recv(fd, header, sizeof header, MSG_WAITALL);
    if (n <= 0)
        return 0;
    g_assert_cmpint(n, ==, sizeof header);
    *ret_length = sl_init_get_u32(header + 1);
    g_assert_true(sl_init_length_ok(header[0], *ret_length));
    if (*ret_length > 0)
        g_assert_cmpint(recv(fd, payload, *ret_length, MSG_WAITALL), ==, *ret_length);
    payload[*ret_length] = '\0';
    return header[0];
}

static void
test_breach(Fixture *f, gconstpointer data)
{
    const Breach *breach = data;
    char payload[SL_INIT_MAX_TEXT + 1];
    guint32 length;
    f->deadline = g_str_equal(breach->name, "silent") ? "100" : "5000";
    sl_autofd int init = accept_init(f);
    g_assert_cmpint(hear(init, payload, &length), ==, SL_INIT_HELLO);
    g_assert_cmpuint(sl_init_get_u32((guint8 *)payload), ==, SL_INIT_VERSION);
    g_assert_cmpuint(sl_init_get_u32((guint8 *)payload + 4), ==, f->pid);
    sl_autofd int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int fds[4] = {null, null, null, null};
    g_assert_true(sl_fd_send(init, fds, breach->n_fds, breach->bytes, breach->len, NULL));
    if (breach->hang_up)
        g_assert_cmpint(shutdown(init, SHUT_WR), ==, 0);
    for (const char *expected = breach->reply; *expected != '\0'; expected++)
        g_assert_cmpint(hear(init, payload, &length), ==, *expected);
    guint8 type = hear(init, payload, &length);
    if (breach->text != NULL) {
        g_assert_cmpint(type, ==, SL_INIT_ERROR);
        assert_has(payload, breach->text);
    }
    sl_fd_clear(&init);
    /* after the start a mere hang-up ends the connector; before, sluice-init */
    gboolean hung_up_later = breach->hang_up && breach->reply[0] != '\0';
    g_assert_cmpint(wait_init(f), ==, hung_up_later ? 143 : 125);
}

/* --- command line ---------------------------------------------------------- */

#define TEN "/long-path"

static void
test_options(void)
{
    static const struct {
        const char *arguments[3];
        int status;
        const char *out;
    } rows[] = {
        {{"--version"}, 0, "sluice-init " PACKAGE_VERSION "\n"},
        {{"--help"}, 0, "Usage: "},
        {{"--nonsense", "x"}, 125, ""},
        {{"--socket"}, 125, ""},
        {{"--env", "NOVALUE"}, 125, ""},
        {{"--env", "=x"}, 125, ""},
        {{"--deadline", "soon"}, 125, ""},
        {{"--kill-after", "0"}, 125, ""},
        {{"--socket", TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN}, 125, ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *argv[] = {init_path, rows[i].arguments[0], rows[i].arguments[1], NULL};
        g_autofree char *out = NULL, *err = NULL;
        int status = 0;
        g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out,
                                   &err, &status, NULL));
        g_assert_cmpint(WEXITSTATUS(status), ==, rows[i].status);
        g_assert_true(g_str_has_prefix(out, rows[i].out));
        g_assert_true(rows[i].status == 0 || g_str_has_prefix(err, "sluice-init: "));
    }
}

static const struct {
    const char *path;
    void (*func)(Fixture *f, gconstpointer data);
    const char *data;
} tests[] = {
    {"pipes", test_pipes},
    {"eight-mebibytes", test_eight_mebibytes},
    {"files", test_files},
    {"file-twice", test_file_twice},
    {"no-folder", test_no_folder},
    {"arguments", test_arguments},
    {"too-many-arguments", test_too_many_arguments},
    {"environment", test_environment},
    {"environment-of-image", test_environment_of_image},
    {"umask", test_umask},
    {"broken-umask", test_broken_umask},
    {"confined", test_confined},
    {"signal", test_signal},
    {"terminated", test_terminated},
    {"terminated-stubborn", test_terminated_stubborn},
    {"terminated-early", test_terminated_early},
    {"peer-gone", test_peer_gone},
    {"peer-gone-stubborn", test_peer_gone_stubborn},
    {"init-killed", test_init_killed},
    {"left-behind/group", test_left_behind, "sleep 60 & echo ready; read -r line; exit 3"},
    {"left-behind/session", test_left_behind,
     "setsid sh -c 'trap \"\" TERM HUP; echo ready; sleep 60; sleep 60' & read -r line; exit 3"},
    {"late-peer", test_late_peer},
    {"no-peer", test_no_peer},
};

#define ADD_TABLE(table, folder, test)                                                             \
    for (guint i = 0; i < G_N_ELEMENTS(table); i++) {                                              \
        g_autofree char *path = g_strconcat("/init/" folder "/", table[i].name, NULL);             \
        g_test_add(path, Fixture, &table[i], set_up, test, tear_down);                             \
    }

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (argc != 2)
        return 2;
    init_path = argv[1];
    signal(SIGPIPE, SIG_IGN);
    /* a folder of PATH that we may not search would turn "not found" into "permission denied" */
    g_setenv("PATH", "/usr/bin:/bin", TRUE);
    ADD_TABLE(endings, "ending", test_ending);
    ADD_TABLE(refusals, "refusal", test_refusal);
    ADD_TABLE(breaches, "breach", test_breach);
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/init/", tests[i].path, NULL);
        g_test_add(path, Fixture, tests[i].data, set_up, tests[i].func, tear_down);
    }
    g_test_add_func("/init/options", test_options);
    return g_test_run();
}
