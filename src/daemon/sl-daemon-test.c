/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-daemon.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"

/* With $TEST_ROLE this program is a daemon of that behaviour; without, it is the test, which plays
 * the service manager: it starts the daemon and reads what it tells $NOTIFY_SOCKET. */

/* --- the daemons -------------------------------------------------------------------------------
 */

static SlIdleLocker *held;
static guint n_attempts;

static gboolean
is_role(const char *name)
{
    return g_strcmp0(g_getenv("TEST_ROLE"), name) == 0;
}

static gboolean
try_database(gpointer data, GCancellable *cancellable, GError **error)
{
    const char *fail = g_getenv("TEST_FAIL_TIMES");
    if (fail != NULL && n_attempts++ < (guint)g_ascii_strtoull(fail, NULL, 10))
        return sl_error_set(error, SL_ERROR_UNAVAILABLE, "nobody listens");
    if (is_role("refused"))
        return sl_error_set(error, SL_ERROR_CONFIG, "no such database");
    return TRUE;
}

static gboolean
role_start(SlDaemon *daemon, GError **error)
{
    g_autoptr(GError) reason = NULL;
    if (is_role("oneshot")) {
        sl_daemon_quit(daemon, 7);
        return TRUE;
    }
    if (is_role("broken"))
        return sl_error_set(error, SL_ERROR_FAILED, "cannot be");
    if (is_role("credential")) {
        g_autoptr(GBytes) secret = sl_daemon_credential("key", error);
        if (secret == NULL)
            return FALSE;
        sl_daemon_status("%s\nREADY=1", (const char *)g_bytes_get_data(secret, NULL));
    }
    if (is_role("sockets")) {
        g_autoptr(GArray) api = sl_daemon_take_sockets(daemon, "api");
        g_autoptr(GArray) again = sl_daemon_take_sockets(daemon, "api");
        g_autoptr(GArray) others = sl_daemon_take_sockets(daemon, NULL);
        sl_daemon_status("api %u, again %u, others %u", api->len, again->len, others->len);
    }
    if (is_role("busy"))
        held = sl_idle_lock(daemon);
    return sl_daemon_retry(daemon, "database", try_database, NULL, error);
}

static void
role_reload(SlDaemon *daemon)
{
    sl_daemon_status("plane %s", sl_daemon_get_config(daemon)->launcher_data_plane);
}

static gboolean
role_healthy(SlDaemon *daemon)
{
    return !is_role("sick");
}

static gboolean
release_held(gpointer data)
{
    sl_daemon_status("released");
    g_clear_pointer(&held, sl_idle_unlock);
    return G_SOURCE_REMOVE;
}

static void
role_drain(SlDaemon *daemon)
{
    sl_daemon_status("draining");
    if (held != NULL && g_getenv("TEST_NEVER_RELEASE") == NULL)
        g_timeout_add(30, release_held, NULL);
}

static void
role_stop(SlDaemon *daemon)
{
    g_assert_true(g_cancellable_is_cancelled(sl_daemon_get_cancellable(daemon)));
    sl_daemon_status("stopped");
    g_clear_pointer(&held, sl_idle_unlock);
}

static int
run_role(int argc, char **argv)
{
    SlDaemonInfo info = {
        .name = "sluice-test",
        .summary = "A daemon to look at",
        .flags = is_role("idle")       ? SL_DAEMON_IDLE_EXIT
                 : is_role("instance") ? SL_DAEMON_INSTANCE
                                       : SL_DAEMON_DEFAULT,
        .start = role_start,
        .reload = role_reload,
        .healthy = role_healthy,
        .drain = role_drain,
        .drain_usec = g_getenv("TEST_NEVER_RELEASE") != NULL ? 100000 : 0,
        .stop = role_stop,
    };
    return sl_daemon_main(&info, argc, argv);
}

/* --- the manager -------------------------------------------------------------------------------
 */

typedef struct {
    char *dir, *conf, *notify;
    int socket;
    GSubprocessLauncher *launcher;
    GSubprocess *process;
    GString *said; /* every message of the daemon, a line each */
} Fixture;

static char *self;

static void
set_up(Fixture *f, gconstpointer data)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    f->dir = g_dir_make_tmp("sl-daemon-XXXXXX", NULL);
    f->conf = g_build_filename(f->dir, "sluice.conf", NULL);
    f->notify = g_build_filename(f->dir, "notify", NULL);
    f->said = g_string_new(NULL);
    f->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    g_strlcpy(address.sun_path, f->notify, sizeof address.sun_path);
    g_assert_no_errno(bind(f->socket, (struct sockaddr *)&address, sizeof address));
    struct timeval wait = {.tv_sec = 20};
    g_assert_no_errno(setsockopt(f->socket, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait));
    f->launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE);
    g_subprocess_launcher_setenv(f->launcher, "NOTIFY_SOCKET", f->notify, TRUE);
    g_subprocess_launcher_setenv(f->launcher, "SLUICE_CONF", f->conf, TRUE);
    g_subprocess_launcher_setenv(f->launcher, "LC_ALL", "C", TRUE);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    if (f->process != NULL)
        g_subprocess_force_exit(f->process);
    g_clear_object(&f->process);
    g_object_unref(f->launcher);
    close(f->socket);
    g_unlink(f->notify);
    g_unlink(f->conf);
    g_assert_no_errno(g_rmdir(f->dir));
    g_string_free(f->said, TRUE);
    g_free(f->notify);
    g_free(f->conf);
    g_free(f->dir);
}

static void
launch(Fixture *f, const char *role, const char *argument)
{
    g_autoptr(GError) error = NULL;
    g_subprocess_launcher_setenv(f->launcher, "TEST_ROLE", role, TRUE);
    f->process = g_subprocess_launcher_spawn(f->launcher, &error, self, argument, NULL);
    g_assert_no_error(error);
}

/* Reads what the daemon tells until a line of it is `line`. */
static void
expect(Fixture *f, const char *line)
{
    char buffer[4096];
    for (;;) {
        gssize n = recv(f->socket, buffer, sizeof buffer - 1, 0);
        if (n < 0)
            g_error("'%s' never came; so far:\n%s", line, f->said->str);
        buffer[n] = '\0';
        g_string_append_printf(f->said, "%s\n", buffer);
        g_auto(GStrv) lines = g_strsplit(buffer, "\n", -1);
        if (g_strv_contains((const char *const *)lines, line))
            return;
    }
}

static int
wait_exit(Fixture *f, char **ret_output)
{
    g_autofree char *output = NULL;
    g_autoptr(GError) error = NULL;
    g_subprocess_communicate_utf8(f->process, NULL, NULL, &output, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(g_subprocess_get_if_exited(f->process));
    if (ret_output != NULL)
        *ret_output = g_steal_pointer(&output);
    return g_subprocess_get_exit_status(f->process);
}

static void
write_conf(Fixture *f, const char *text)
{
    g_assert_true(g_file_set_contents(f->conf, text, -1, NULL));
}

static void
test_life(Fixture *f, gconstpointer data)
{
    launch(f, "plain", NULL);
    expect(f, "READY=1");
    g_subprocess_send_signal(f->process, SIGTERM);
    expect(f, "STOPPING=1");
    expect(f, "STATUS=draining");
    expect(f, "STATUS=stopped");
    g_assert_cmpint(wait_exit(f, NULL), ==, 0);
    g_assert_null(strstr(f->said->str, "WATCHDOG=1"));
}

static void
test_drain(Fixture *f, gconstpointer data)
{
    launch(f, "busy", NULL);
    expect(f, "READY=1");
    g_subprocess_send_signal(f->process, SIGINT);
    expect(f, "STATUS=released");
    expect(f, "STATUS=stopped");
    g_assert_cmpint(wait_exit(f, NULL), ==, 0);
}

static void
test_drain_deadline(Fixture *f, gconstpointer data)
{
    g_autofree char *output = NULL;
    g_subprocess_launcher_setenv(f->launcher, "TEST_NEVER_RELEASE", "1", TRUE);
    launch(f, "busy", NULL);
    expect(f, "READY=1");
    g_subprocess_send_signal(f->process, SIGTERM);
    expect(f, "STATUS=stopped");
    g_assert_cmpint(wait_exit(f, &output), ==, 0);
    g_assert_nonnull(strstr(output, "1 activities did not end in time"));
}

static void
test_reload(Fixture *f, gconstpointer data)
{
    g_autofree char *output = NULL;
    launch(f, "plain", NULL);
    expect(f, "READY=1");
    write_conf(f, "[Launcher]\nDataPlane=north\n");
    g_subprocess_send_signal(f->process, SIGHUP);
    expect(f, "RELOADING=1");
    expect(f, "STATUS=plane north");
    expect(f, "READY=1");
    write_conf(f, "[Launcher]\nDataPlan=south\n");
    g_subprocess_send_signal(f->process, SIGHUP);
    expect(f, "RELOADING=1");
    expect(f, "READY=1");
    g_subprocess_send_signal(f->process, SIGTERM);
    g_assert_cmpint(wait_exit(f, &output), ==, 0);
    g_assert_nonnull(strstr(output, "sluice.conf:2: unknown key 'DataPlan'"));
    g_assert_null(strstr(f->said->str, "south"));
}

static void
test_watchdog(Fixture *f, gconstpointer data)
{
    g_autofree char *output = NULL;
    g_subprocess_launcher_setenv(f->launcher, "WATCHDOG_USEC", "40000", TRUE);
    launch(f, "plain", NULL);
    expect(f, "READY=1");
    expect(f, "WATCHDOG=1");
    expect(f, "WATCHDOG=1");
    g_subprocess_send_signal(f->process, SIGTERM);
    g_assert_cmpint(wait_exit(f, NULL), ==, 0);
    g_clear_object(&f->process);
    g_string_truncate(f->said, 0);

    while (recv(f->socket, (char[4096]){0}, 4096, MSG_DONTWAIT) > 0)
        ;
    launch(f, "sick", NULL);
    expect(f, "READY=1");
    struct timeval wait = {.tv_usec = 200000}; /* ten intervals of silence */
    g_assert_no_errno(setsockopt(f->socket, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait));
    g_assert_cmpint(recv(f->socket, (char[4096]){0}, 4096, 0), ==, -1);
    g_subprocess_send_signal(f->process, SIGTERM);
    g_assert_cmpint(wait_exit(f, &output), ==, 0);
    g_assert_nonnull(strstr(output, "the work stands still"));
}

static void
test_wait(Fixture *f, gconstpointer data)
{
    g_subprocess_launcher_setenv(f->launcher, "TEST_FAIL_TIMES", "2", TRUE);
    launch(f, "plain", NULL);
    expect(f, "STATUS=waiting for database: nobody listens");
    g_assert_null(strstr(f->said->str, "READY=1"));
    expect(f, "READY=1");
    g_subprocess_send_signal(f->process, SIGTERM);
    g_assert_cmpint(wait_exit(f, NULL), ==, 0);
}

static void
test_wait_stopped(Fixture *f, gconstpointer data)
{
    g_subprocess_launcher_setenv(f->launcher, "TEST_FAIL_TIMES", "100", TRUE);
    launch(f, "plain", NULL);
    expect(f, "STATUS=waiting for database: nobody listens");
    g_subprocess_send_signal(f->process, SIGTERM);
    expect(f, "STATUS=stopped");
    g_assert_cmpint(wait_exit(f, NULL), ==, 0);
    g_assert_null(strstr(f->said->str, "READY=1"));
}

static void
test_refused(Fixture *f, gconstpointer data)
{
    g_autofree char *output = NULL;
    launch(f, "refused", NULL);
    g_assert_cmpint(wait_exit(f, &output), ==, 1);
    g_assert_nonnull(strstr(output, "database: no such database"));
    expect(f, "STATUS=database: no such database");
}

static void
test_oneshot(Fixture *f, gconstpointer data)
{
    launch(f, "oneshot", NULL);
    expect(f, "READY=1");
    g_assert_cmpint(wait_exit(f, NULL), ==, 7);
}

static void
test_idle(Fixture *f, gconstpointer data)
{
    write_conf(f, "[Server]\nIdleSec=1\n");
    gint64 from = g_get_monotonic_time();
    launch(f, "idle", NULL);
    expect(f, "READY=1");
    expect(f, "STOPPING=1");
    g_assert_cmpint(g_get_monotonic_time() - from, >=, G_USEC_PER_SEC);
    g_assert_cmpint(wait_exit(f, NULL), ==, 0);
}

static void
test_credential(Fixture *f, gconstpointer data)
{
    g_autofree char *path = g_build_filename(f->dir, "key", NULL);
    g_autofree char *output = NULL;
    g_assert_true(g_file_set_contents(path, "secret", -1, NULL));
    g_subprocess_launcher_setenv(f->launcher, "CREDENTIALS_DIRECTORY", f->dir, TRUE);
    launch(f, "credential", NULL);
    expect(f, "STATUS=secret READY=1"); /* no second assignment slips in */
    expect(f, "READY=1");
    g_subprocess_send_signal(f->process, SIGTERM);
    g_assert_cmpint(wait_exit(f, NULL), ==, 0);
    g_clear_object(&f->process);
    g_unlink(path);
    launch(f, "credential", NULL);
    g_assert_cmpint(wait_exit(f, &output), ==, 1);
    g_assert_nonnull(strstr(output, "credential 'key': No such file"));
}

static void
test_sockets(Fixture *f, gconstpointer data)
{
    /* $LISTEN_PID must be the daemon's own pid: a shell that becomes it knows. */
    g_autofree char *script =
        g_strdup_printf("exec 3</dev/null 4</dev/null 5</dev/null; LISTEN_PID=$$ LISTEN_FDS=3 "
                        "LISTEN_FDNAMES=api:other:api exec '%s'",
                        self);
    g_autoptr(GError) error = NULL;
    g_subprocess_launcher_setenv(f->launcher, "TEST_ROLE", "sockets", TRUE);
    f->process = g_subprocess_launcher_spawn(f->launcher, &error, "/bin/sh", "-c", script, NULL);
    g_assert_no_error(error);
    expect(f, "STATUS=api 2, again 0, others 1");
    expect(f, "READY=1");
    g_subprocess_send_signal(f->process, SIGTERM);
    g_assert_cmpint(wait_exit(f, NULL), ==, 0);
}

static void
test_options(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *role, *argument, *conf;
        int status;
        const char *output;
    } cases[] = {
        {"plain", "--version", "[Nonsense]\n", 0, "sluice-test " PACKAGE_VERSION "\n"},
        {"plain", "--check-config", "# fine\n", 0, "valid"},
        {"plain", "--check-config", "[Server]\n\nIdleSec=soon\n", 1, "sluice.conf:3: IdleSec=:"},
        {"plain", NULL, "[Server]\nX=1\n", 1, "sluice.conf:2: unknown key 'X'"},
        {"plain", "--describe-config", "", 0, "#IdleSec="},
        {"plain", "--nonsense", "", 2, "--nonsense"},
        {"plain", "extra", "", 2, "no arguments"},
        {"instance", NULL, "", 2, "the instance"},
        {"broken", NULL, "", 1, "cannot be"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *output = NULL;
        write_conf(f, cases[i].conf);
        launch(f, cases[i].role, cases[i].argument);
        g_assert_cmpint(wait_exit(f, &output), ==, cases[i].status);
        if (strstr(output, cases[i].output) == NULL)
            g_error("case %zu: '%s' is not in '%s'", i, cases[i].output, output);
        g_clear_object(&f->process);
    }
}

int
main(int argc, char **argv)
{
    if (g_getenv("TEST_ROLE") != NULL)
        return run_role(argc, argv);
    self = g_canonicalize_filename(argv[0], NULL);
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/daemon/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("life", test_life);
    ADD("drain/released", test_drain);
    ADD("drain/deadline", test_drain_deadline);
    ADD("reload", test_reload);
    ADD("watchdog", test_watchdog);
    ADD("retry/comes", test_wait);
    ADD("retry/stopped", test_wait_stopped);
    ADD("retry/refused", test_refused);
    ADD("oneshot", test_oneshot);
    ADD("idle", test_idle);
    ADD("credential", test_credential);
    ADD("sockets", test_sockets);
    ADD("options", test_options);
    int status = g_test_run();
    g_free(self);
    return status;
}
