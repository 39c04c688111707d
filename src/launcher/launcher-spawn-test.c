/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "launcher-spawn.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"

/* As root: really drops to nobody. Otherwise: stays who it is, which is powerless already. */
static LauncherSpawn
request(const char *script)
{
    static const char *argv[4], *environment[] = {"PATH=/usr/bin:/bin", "LANG=C", NULL};
    argv[0] = "sh";
    argv[1] = "-c";
    argv[2] = script;
    LauncherSpawn spawn = {"/bin/sh", argv, environment, getuid(), getgid(), "token-of-it"};
    if (getuid() == 0) {
        g_autoptr(GError) error = NULL;
        launcher_spawn_find_user("nobody", &spawn.uid, &spawn.gid, &error);
        g_assert_no_error(error);
    }
    return spawn;
}

static int
wait_for(pid_t pid)
{
    int status;
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    return status;
}

/* Runs the script in the child with stdout into a file, and returns what it wrote. */
static char *
run(const char *script, int *ret_status)
{
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    pid_t pid;
    int go;
    int file = g_file_open_tmp("spawn-XXXXXX", &path, &error);
    g_assert_no_error(error);
    /* The child's stdout is our stderr. */
    int saved = dup(2);
    dup2(file, 2);
    LauncherSpawn spawn = request(script);
    gboolean ok = launcher_spawn(&spawn, &pid, &go, &error);
    dup2(saved, 2);
    close(saved);
    close(file);
    g_assert_no_error(error);
    g_assert_true(ok);
    g_assert_cmpint(waitpid(pid, NULL, WNOHANG), ==, 0); /* it waits */
    launcher_spawn_go(go, &error);
    g_assert_no_error(error);
    close(go);
    *ret_status = wait_for(pid);
    char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_unlink(path);
    return text;
}

static void
test_powerless(void)
{
    int status;
    g_autofree char *text =
        run("id -u; id -G; grep -E '^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs|SigBlk)' /proc/self/status; "
            "pwd; umask",
            &status);
    g_autofree char *ids = NULL;
    LauncherSpawn spawn = request("");
    g_assert_cmpint(status, ==, 0);
    if (getuid() == 0)
        ids = g_strdup_printf("%u\n%u\nSigBlk:", spawn.uid, spawn.gid);
    else
        ids = g_strdup_printf("%u\n", spawn.uid);
    if (!g_str_has_prefix(text, ids))
        g_error("expected '%s' first in '%s'", ids, text);
    static const char *const lines[] = {
        "CapInh:\t0000000000000000\n",
        "CapPrm:\t0000000000000000\n",
        "CapEff:\t0000000000000000\n",
        "CapAmb:\t0000000000000000\n",
        "NoNewPrivs:\t1\n",
        "SigBlk:\t0000000000000000\n",
        "\n/\n",
        "0022\n",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++)
        if (strstr(text, lines[i]) == NULL)
            g_error("'%s' is not in '%s'", lines[i], text);
}

static void
test_clean(void)
{
    int status, leaked = open("/dev/null", O_RDONLY); /* without close-on-exec */
    g_setenv("NOTIFY_SOCKET", "/nowhere", TRUE);
    g_autofree char *text = run("env | sort; ls /proc/self/fd; read -r line <&3; echo \"<$line>\"; "
                                "cat <&3; readlink /proc/self/fd/0",
                                &status);
    g_unsetenv("NOTIFY_SOCKET");
    close(leaked);
    g_assert_cmpint(status, ==, 0);
    g_assert_null(strstr(text, "NOTIFY_SOCKET"));
    /* ls itself opens the folder as 4. */
    g_assert_nonnull(strstr(text, "0\n1\n2\n3\n4\n<token-of-it>\n/dev/null\n"));
}

static void
test_status(void)
{
    static const struct {
        const char *script, *text;
    } cases[] = {
        {"exit 3", "exited with status 3"},
        {"kill -9 $$", "was killed by signal 9 (Killed)"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        int status;
        g_autofree char *text = run(cases[i].script, &status);
        g_autofree char *how = launcher_spawn_describe(status);
        g_assert_cmpstr(how, ==, cases[i].text);
    }
}

static void
test_let_go(void)
{
    g_autoptr(GError) error = NULL;
    LauncherSpawn spawn = request("exit 0");
    pid_t pid;
    int go;
    g_assert_true(launcher_spawn(&spawn, &pid, &go, &error));
    close(go);
    g_autofree char *how = launcher_spawn_describe(wait_for(pid));
    g_assert_cmpstr(how, ==, "was not started");
}

static void
test_missing(void)
{
    g_autoptr(GError) error = NULL;
    LauncherSpawn spawn = request("exit 0");
    pid_t pid;
    int go;
    spawn.program = "/nonexistent";
    g_assert_true(launcher_spawn(&spawn, &pid, &go, &error));
    launcher_spawn_go(go, &error);
    close(go);
    g_autofree char *how = launcher_spawn_describe(wait_for(pid));
    g_assert_cmpstr(how, ==, "could not be executed");
    g_assert_false(launcher_spawn_find_user("no such user", &spawn.uid, &spawn.gid, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_CONFIG);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/launcher/spawn/powerless", test_powerless);
    g_test_add_func("/launcher/spawn/clean", test_clean);
    g_test_add_func("/launcher/spawn/status", test_status);
    g_test_add_func("/launcher/spawn/let-go", test_let_go);
    g_test_add_func("/launcher/spawn/missing", test_missing);
    return g_test_run();
}
