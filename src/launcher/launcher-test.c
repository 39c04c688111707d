/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sl-test-bus.h"

/* The real sluice-launcher on a bus of its own, with a systemd1 that starts nothing, a workload API
 * made of files (tests/boot/launcher/workload-api) and an orchestrator that waits. What ends a
 * workload is told by the test, so that every order of events can be had. Needs root: the launcher
 * becomes another user for its orchestrators.
 *
 * Arguments: the launcher, the stand-in of the workload API. */

#define USER "nobody"
#define NAME "org.sluice.Launcher1"
#define TIMEOUT_SEC 30

static const char *launcher_exe, *api_exe;

typedef struct {
    SlTestBus *bus;
    char *dir, *api, *conf;
    GSubprocess *api_process, *launcher;
    GString *calls; /* all that systemd1 was asked for */
    guint n;        /* workloads made */
    GPtrArray *texts;
} Fixture;

/* A text that lives as long as the fixture. */
static const char *
text(Fixture *f, char *allocated)
{
    g_ptr_array_add(f->texts, allocated);
    return allocated;
}

static const char *
id_of(Fixture *f, guint n)
{
    return text(f, g_strdup_printf("00000000000040008000%012u", n));
}

static const char *
scope_of(Fixture *f, guint n)
{
    return text(f, g_strdup_printf("sluice-orchestrator-%s.scope", id_of(f, n)));
}

static const char *
source_of(Fixture *f, guint n)
{
    return text(f, g_strdup_printf("sluice-source-%s.service", id_of(f, n)));
}

/* --- waiting -----------------------------------------------------------------------------------
 */

typedef gboolean (*Condition)(Fixture *f, const char *what);

static void
wait_for(Fixture *f, Condition condition, const char *what)
{
    gint64 end = g_get_monotonic_time() + TIMEOUT_SEC * (gint64)G_USEC_PER_SEC;
    while (!condition(f, what)) {
        if (g_get_monotonic_time() > end)
            g_error("'%s' did not come about; systemd1 was asked for:\n%s", what, f->calls->str);
        g_usleep(10 * 1000);
    }
}

static gboolean
is_there(Fixture *f, const char *name)
{
    g_autofree char *path = g_build_filename(f->api, name, NULL);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static gboolean
was_asked(Fixture *f, const char *what)
{
    g_autofree char *more = sl_test_systemd1_take_calls(f->bus);
    g_string_append(f->calls, more);
    return strstr(f->calls->str, what) != NULL;
}

static void
forget_calls(Fixture *f)
{
    g_free(sl_test_systemd1_take_calls(f->bus));
    g_string_truncate(f->calls, 0);
}

static const char *
content(Fixture *f, const char *name)
{
    g_autofree char *path = g_build_filename(f->api, name, NULL);
    g_autoptr(GError) error = NULL;
    char *all = NULL;
    g_file_get_contents(path, &all, NULL, &error);
    g_assert_no_error(error);
    return text(f, all);
}

/* The reason of a failure that the workload API has heard. */
static void
expect_ended(Fixture *f, const char *workload, const char *reason)
{
    const char *name = text(f, g_build_filename("ended", workload, NULL));
    g_autofree char *wanted = g_strdup_printf("\"%s\"", reason);
    wait_for(f, is_there, name);
    g_assert_cmpstr(content(f, name), ==, wanted);
}

static gboolean
is_launched(Fixture *f, const char *workload)
{
    g_autofree char *path = g_build_filename(f->api, "held", workload, NULL);
    g_autofree char *all = NULL;
    return g_file_get_contents(path, &all, NULL, NULL) && strstr(all, "\"launched\"") != NULL;
}

/* --- the launcher's object ---------------------------------------------------------------------
 */

static char *
call_as(Fixture *f, const char *user, const char *method, const char *arguments)
{
    g_autofree char *line = g_strdup_printf(
        "setpriv --reuid=%s --regid=65534 --clear-groups gdbus call --session --timeout 20 "
        "--dest " NAME " --object-path /org/sluice/Launcher1 --method " NAME ".%s %s 2>&1",
        user, method, arguments);
    char *output = NULL;
    const char *argv[] = {"/bin/sh", "-c", line, NULL};
    g_spawn_sync(NULL, (char **)argv, NULL, 0, NULL, NULL, &output, NULL, NULL, NULL);
    return output;
}

static void
expect_call(Fixture *f, const char *user, const char *method, const char *arguments,
            const char *wanted)
{
    g_autofree char *output = call_as(f, user, method, arguments);
    if (strstr(output, wanted) == NULL)
        g_error("%s %s: '%s' is not in '%s'", method, arguments, wanted, output);
}

static gboolean
answers(Fixture *f, const char *what)
{
    g_autofree char *output = call_as(f, "0", "ListWorkloads", "");
    return output[0] == '(' && strstr(output, what) != NULL;
}

/* --- fixture -----------------------------------------------------------------------------------
 */

static void
die_with_test(gpointer data)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

static GSubprocess *
run(const char *const *argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(g_test_verbose() ? 0 : G_SUBPROCESS_FLAGS_STDERR_SILENCE);
    g_subprocess_launcher_set_child_setup(launcher, die_with_test, NULL, NULL);
    GSubprocess *process = g_subprocess_launcher_spawnv(launcher, argv, &error);
    g_assert_no_error(error);
    return process;
}

static void
start_api(Fixture *f)
{
    g_autofree char *socket = g_build_filename(f->dir, "api.sock", NULL);
    const char *argv[] = {"/usr/bin/python3", api_exe, socket, f->api, NULL};
    f->api_process = run(argv);
}

static void
start_launcher(Fixture *f)
{
    g_autofree char *socket = g_strdup_printf("--api-socket=%s/api.sock", f->dir);
    g_autofree char *libexec = g_strdup_printf("--libexecdir=%s", f->dir);
    g_autofree char *workloads = g_strdup_printf("--workloaddir=%s/workloads", f->dir);
    const char *argv[] = {
        launcher_exe,         socket, libexec, workloads, "--orchestrator-user=" USER,
        "--control-user=bin", NULL};
    f->launcher = run(argv);
}

static void
stop(GSubprocess **process, int signal)
{
    g_subprocess_send_signal(*process, signal);
    g_subprocess_wait(*process, NULL, NULL);
    g_clear_object(process);
}

static void
write_file(const char *folder, const char *name, const char *content, int mode)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GError) error = NULL;
    g_file_set_contents(path, content, -1, &error);
    g_assert_no_error(error);
    g_assert_no_errno(g_chmod(path, mode));
}

/* That of workload `n`; 0: all. */
static void
kill_orchestrator(Fixture *f, guint n)
{
    g_autofree char *id = n > 0 ? g_strdup_printf("%012u", n) : g_strdup("");
    g_autofree char *pattern = g_strdup_printf("^%s/sluice-orchestrator .*%s", f->dir, id);
    const char *argv[] = {"pkill", "-9", "-f", pattern, NULL};
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                 NULL);
}

static void
set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    f->texts = g_ptr_array_new_with_free_func(g_free);
    f->calls = g_string_new(NULL);
    f->dir = g_dir_make_tmp("sl-launcher-XXXXXX", &error);
    g_assert_no_error(error);
    g_assert_no_errno(g_chmod(f->dir, 0755));
    f->api = g_build_filename(f->dir, "api", NULL);
    g_assert_no_errno(g_mkdir(f->api, 0755));
    write_file(f->dir, "sluice-orchestrator",
               "#!/bin/bash\ncase $2 in *-exit3*) exit 3;; esac\nexec -a \"$0 $*\" sleep 1000\n",
               0755);
    write_file(f->dir, "sluice.conf",
               "[Launcher]\nDataPlane=test\nPollSec=1\nMaxStarts=2\nMaxWorkloads=3\n"
               "[PostSync]\nUnits=dbt.service dbt@.service dbt-?.target\n"
               "[Database]\nUrl=postgresql:///none?host=/nonexistent\n",
               0644);
    f->conf = g_build_filename(f->dir, "sluice.conf", NULL);
    f->bus = sl_test_bus_new();
    sl_test_bus_add_systemd1(f->bus);
    g_setenv("SLUICE_CONF", f->conf, TRUE);
    start_api(f);
    wait_for(f, is_there, "released");
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    if (f->launcher != NULL)
        stop(&f->launcher, SIGTERM);
    if (f->api_process != NULL)
        stop(&f->api_process, SIGKILL);
    sl_test_bus_free(f->bus);
    kill_orchestrator(f, 0);
    const char *argv[] = {"rm", "-rf", f->dir, NULL};
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                 NULL);
    g_ptr_array_unref(f->texts);
    g_string_free(f->calls, TRUE);
    g_free(f->dir);
    g_free(f->api);
    g_free(f->conf);
}

/* A workload in `folder` of the API; its number. `more` are members of the row. */
static guint
add_to(Fixture *f, const char *folder, const char *workload, const char *launch, const char *more)
{
    guint n = ++f->n;
    g_autofree char *path = g_build_filename(f->api, folder, NULL);
    g_autofree char *row =
        g_strdup_printf("{\"workloadId\": \"%s\", \"autoId\": \"00000000-0000-4000-8000-%012u\", "
                        "\"type\": \"sync\","
                        " \"jobId\": %u, \"attemptNumber\": 0, \"launch\": {\"source\": %s}%s}",
                        workload, n, n, launch, more);
    write_file(path, workload, row, 0644);
    return n;
}

#define LAUNCH "{\"runtime\": \"exec\", \"command\": [\"/bin/true\"]}"

static guint
add(Fixture *f, const char *workload)
{
    return add_to(f, "queue", workload, LAUNCH, "");
}

/* --- the life of a workload --------------------------------------------------------------------
 */

static void
test_life(Fixture *f, gconstpointer data)
{
    start_launcher(f);
    guint n = add(f, "one");
    g_autofree char *started =
        g_strdup_printf("start %s with sluice-workloads-%s.slice\n", scope_of(f, n), id_of(f, n));
    wait_for(f, was_asked, started);
    wait_for(f, is_launched, "one");
    wait_for(f, answers, "('one', 'sync', ");
    sl_test_systemd1_end(f->bus, scope_of(f, n), "success", 0, 0);
    /* The child still runs, and what it reports is the truth: its end is waited for. */
    g_assert_false(is_there(f, "ended/one"));
    kill_orchestrator(f, 1);
    expect_ended(f, "one",
                 "the orchestrator ended without a report: it was killed by signal 9 (Killed)");
    wait_for(f, answers, "[],)");
}

/* The next attempt must not begin while a connector of this one still works. */
static void
test_end_waits_for_connectors(Fixture *f, gconstpointer data)
{
    start_launcher(f);
    guint n = add(f, "one");
    wait_for(f, is_launched, "one");
    sl_test_systemd1_set_unit_of_all(f->bus, scope_of(f, n));
    g_autofree char *answer = g_strdup_printf("('%s',)", source_of(f, n));
    expect_call(f, "65534", "StartConnector", "one source {}", answer);
    sl_test_systemd1_end(f->bus, scope_of(f, n), "success", 0, 0);
    kill_orchestrator(f, 1);
    /* all that has happened so far is through when a second workload is there */
    add(f, "two");
    wait_for(f, is_launched, "two");
    g_assert_false(is_there(f, "ended/one"));
    sl_test_systemd1_end(f->bus, source_of(f, n), "exit-code", 143, 1);
    expect_ended(f, "one",
                 "the orchestrator ended without a report: it was killed by signal 9 (Killed)");
}

static void
test_exit_status(Fixture *f, gconstpointer data)
{
    start_launcher(f);
    guint n = add(f, "x-exit3");
    wait_for(f, is_launched, "x-exit3");
    sl_test_systemd1_end(f->bus, scope_of(f, n), "success", 0, 0);
    expect_ended(f, "x-exit3", "the orchestrator ended without a report: it exited with status 3");
}

/* A start that systemd refuses: for now (given back), or for good (failed). */
static void
test_refused(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *workload, *error;
        gboolean released;
    } cases[] = {
        {"stopping", "org.freedesktop.systemd1.TransactionIsDestructive", TRUE},
        {"down", "org.freedesktop.systemd1.ShuttingDown", TRUE},
        {"bad", "org.freedesktop.DBus.Error.InvalidArgs", FALSE},
        {"exists", "org.freedesktop.systemd1.UnitExists", FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        sl_test_systemd1_refuse_next(f->bus, cases[i].error);
        add(f, cases[i].workload);
        if (i == 0)
            start_launcher(f);
        wait_for(f, is_there,
                 text(f, g_build_filename(cases[i].released ? "released" : "ended",
                                          cases[i].workload, NULL)));
    }
    wait_for(f, answers, "[],)");
    g_assert_nonnull(strstr(content(f, "ended/bad"), "refused"));
}

static void
test_failed_start(Fixture *f, gconstpointer data)
{
    sl_test_systemd1_fail_next(f->bus, "failed", 1);
    add(f, "broken");
    start_launcher(f);
    wait_for(f, is_there, "ended/broken");
    /* The end of the job may be told before its answer. */
    sl_test_systemd1_hurry_next(f->bus);
    guint n = add(f, "hurried");
    wait_for(f, is_launched, "hurried");
    sl_test_systemd1_end(f->bus, scope_of(f, n), "success", 0, 0);
}

static void
test_faulty_launch(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *workload, *launch, *wanted;
    } cases[] = {
        {"command", "{\"runtime\": \"exec\", \"command\": []}", "command"},
        {"writable",
         "{\"runtime\": \"exec\", \"command\": [\"/bin/true\"], \"writable\": [\"/etc\"]}",
         "launch.source.writable: '/etc'"},
        {"type", "{\"runtime\": 5}", "runtime"},
        {"list", "[]", "launch.source"},
    };
    start_launcher(f);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *name = text(f, g_build_filename("ended", cases[i].workload, NULL));
        add_to(f, "queue", cases[i].workload, cases[i].launch, "");
        wait_for(f, is_there, name);
        if (strstr(content(f, name), cases[i].wanted) == NULL)
            g_error("%s: '%s' is not in '%s'", name, cases[i].wanted, content(f, name));
    }
    g_assert_false(was_asked(f, "start "));
}

/* MaxWorkloads=3: what is too much stays in the queue until one ends. */
static void
test_capacity(Fixture *f, gconstpointer data)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        add(f, names[i]);
    start_launcher(f);
    for (gsize i = 0; i < 3; i++)
        wait_for(f, is_launched, names[i]);
    g_assert_true(is_there(f, "queue/d"));
    sl_test_systemd1_end(f->bus, scope_of(f, 1), "success", 0, 0);
    kill_orchestrator(f, 1);
    wait_for(f, is_launched, "d");
}

/* --- connectors --------------------------------------------------------------------------------
 */

static void
test_connectors(Fixture *f, gconstpointer data)
{
    start_launcher(f);
    guint n = add(f, "one");
    wait_for(f, is_launched, "one");
    sl_test_systemd1_set_unit_of_all(f->bus, scope_of(f, n));
    g_autofree char *answer = g_strdup_printf("('%s',)", source_of(f, n));
    g_autofree char *started = g_strdup_printf("start %s\n", source_of(f, n));
    expect_call(f, "65534", "StartConnector", "one source {}", answer);
    g_assert_true(was_asked(f, started));
    /* Lost answers: the same call again starts nothing. */
    forget_calls(f);
    expect_call(f, "65534", "StartConnector", "one source {}", answer);
    g_assert_false(was_asked(f, started));
    expect_call(f, "65534", "StartConnector", "one destination {}", "Error.Invalid");
    expect_call(f, "65534", "StartConnector", "one other {}", "Error.Invalid");
    expect_call(f, "65534", "StartConnector", "one source \"{'x': <1>}\"", "unknown option 'x'");
    expect_call(f, "65534", "StartConnector", "two source {}", "'two' is not held here");
    expect_call(f, "0", "StartConnector", "one source {}", "only orchestrators may");
    sl_test_systemd1_set_unit_of_all(f->bus, "sshd.service");
    expect_call(f, "65534", "StartConnector", "one source {}",
                "the caller is in 'sshd.service', not the orchestrator of workload 'one'");
    sl_test_systemd1_set_unit_of_all(f->bus, scope_of(f, n));
    /* It ended and may be started anew. */
    sl_test_systemd1_end(f->bus, source_of(f, n), "exit-code", 1, 1);
    g_autofree char *again = g_strconcat(started, NULL);
    for (guint tries = 0; !was_asked(f, again) && tries < 100; tries++)
        expect_call(f, "65534", "StartConnector", "one source {}", answer);
    g_assert_true(was_asked(f, again));
    expect_call(f, "65534", "StopConnector", "one source {}", "()");
    g_autofree char *stopped = g_strdup_printf("stop %s\n", source_of(f, n));
    g_assert_true(was_asked(f, stopped));
}

static void
test_connector_failures(Fixture *f, gconstpointer data)
{
    start_launcher(f);
    guint n = add(f, "one");
    wait_for(f, is_launched, "one");
    sl_test_systemd1_set_unit_of_all(f->bus, scope_of(f, n));
    sl_test_systemd1_fail_next(f->bus, "failed", 226);
    expect_call(f, "65534", "StartConnector", "one source {}", "its view of the file system");
    sl_test_systemd1_refuse_next(f->bus, "org.freedesktop.systemd1.ShuttingDown");
    expect_call(f, "65534", "StartConnector", "one source {}", "Error.Unavailable");
    /* One of an earlier launcher is in the way: stopped, then started. */
    g_autofree char *answer = g_strdup_printf("('%s',)", source_of(f, n));
    expect_call(f, "65534", "StartConnector", "one source {}", answer);
    stop(&f->launcher, SIGKILL);
    forget_calls(f);
    start_launcher(f);
    wait_for(f, answers, "'one'");
    expect_call(f, "65534", "StartConnector", "one source {}", answer);
    g_assert_false(was_asked(f, "start ")); /* it was adopted with its workload */
}

/* What only a backend can judge is told to the orchestrator, which fails with it. */
static void
test_backend_judges(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *workload, *launch, *wanted;
    } cases[] = {
        {"magic", "{\"runtime\": \"magic\", \"command\": [\"/bin/true\"]}", "magic"},
        {"relative", "{\"runtime\": \"exec\", \"command\": [\"true\"]}", "launch.source.command"},
        {"path", "{\"runtime\": \"native\", \"command\": [\"../sh\"]}", "launch.source.command"},
    };
    start_launcher(f);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint n = add_to(f, "queue", cases[i].workload, cases[i].launch, "");
        g_autofree char *arguments = g_strdup_printf("%s source {}", cases[i].workload);
        wait_for(f, is_launched, cases[i].workload);
        sl_test_systemd1_set_unit_of_all(f->bus, scope_of(f, n));
        expect_call(f, "65534", "StartConnector", arguments, cases[i].wanted);
    }
    g_assert_false(was_asked(f, "sluice-source"));
}

static void
test_administrator(Fixture *f, gconstpointer data)
{
    start_launcher(f);
    guint n = add(f, "one");
    wait_for(f, is_launched, "one");
    expect_call(f, "65534", "StopWorkload", "one {}", "Error");
    expect_call(f, "0", "StopWorkload", "two {}", "'two' is not held here");
    expect_call(f, "0", "StopWorkload", "one \"{'x': <1>}\"", "unknown option 'x'");
    g_autofree char *stopped = g_strdup_printf("stop sluice-workloads-%s.slice\n", id_of(f, n));
    expect_call(f, "0", "StopWorkload", "one {}", "");
    wait_for(f, was_asked, stopped);
    sl_test_systemd1_end(f->bus, scope_of(f, n), "success", 0, 0);
    kill_orchestrator(f, 1);
    expect_ended(f, "one", "stopped by an administrator");
}

/* A connector without a workload, for its author. */
static void
test_trial(Fixture *f, gconstpointer data)
{
#define TRIAL "0123456789abcdef0123456789abcdef"
#define TRY(id, role, launch) id " " role " '\"" launch "\"' {}"
#define GOOD "{\\\"runtime\\\": \\\"exec\\\", \\\"command\\\": [\\\"/bin/true\\\"]}"
    static const struct {
        const char *uid, *arguments, *wanted;
    } refused[] = {
        {"65534", TRY(TRIAL, "source", GOOD), "Error"},
        {"0", TRY("../etc", "source", GOOD), "expected 32 lower-case hexadecimal digits"},
        {"0", TRY("0123456789ABCDEF0123456789ABCDEF", "source", GOOD), "hexadecimal"},
        {"0", TRY(TRIAL, "both", GOOD), "expected 'source' or 'destination'"},
        {"0", TRY(TRIAL, "source", "{"), "launch: "},
        {"0", TRY(TRIAL, "source", "{}"), "launch.runtime: missing"},
        {"0",
         TRY(TRIAL, "source", "{\\\"runtime\\\": \\\"exec\\\", \\\"command\\\": [\\\"true\\\"]}"),
         "plain absolute path"},
    };
    start_launcher(f);
    wait_for(f, answers, "[],)");
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++)
        expect_call(f, refused[i].uid, "RunConnector", refused[i].arguments, refused[i].wanted);
    g_assert_false(was_asked(f, "start "));
    expect_call(f, "0", "RunConnector", TRY(TRIAL, "destination", GOOD),
                "('sluice-trial-" TRIAL ".service',)");
    g_assert_true(was_asked(f, "start sluice-trial-" TRIAL ".service"));
    wait_for(f, answers, "[],)"); /* it is no workload */
    expect_call(f, "0", "RunConnector", TRY(TRIAL, "source", GOOD), "Error.Exists");
    sl_test_systemd1_fail_next(f->bus, "failed", 226);
    expect_call(f, "0", "RunConnector", TRY("00000000000000000000000000000000", "source", GOOD),
                "its view of the file system");
}

/* A unit of the administrator's, after a run: only what is listed, only for root and the control
 * plane. */
static void
test_post_sync(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *uid, *arguments, *wanted;
    } refused[] = {
        {"0", "other.service 7 {}", "'other.service' is not among [PostSync] Units="},
        {"0", "sluice-postgres.service 7 {}", "Error.Forbidden"},
        {"0", "dbt@prod.service 7 {}", "Error.Forbidden"},
        {"0", "dbt 7 {}", "Error.Invalid"},
        {"0", "../dbt.service 7 {}", "Error.Invalid"},
        {"0", "dbt.service 0 {}", "there is no job 0"},
        {"0", "dbt.service 7 \"{'x': <1>}\"", "unknown option 'x'"},
        {"65534", "dbt.service 7 {}", "only the control plane may (caller's uid: 65534)"},
    };
    start_launcher(f);
    wait_for(f, answers, "[],)");
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++)
        expect_call(f, refused[i].uid, "StartPostSyncUnit", refused[i].arguments,
                    refused[i].wanted);
    g_assert_false(was_asked(f, "start-unit"));
    expect_call(f, "0", "StartPostSyncUnit", "dbt@.service 7 {}", "('dbt@7.service', 'started')");
    g_assert_true(was_asked(f, "start-unit dbt@7.service replace\n"));
    expect_call(f, "2", "StartPostSyncUnit", "dbt-2.target 8 {}", "('dbt-2.target', 'started')");
    sl_test_systemd1_fail_next(f->bus, "failed", 1);
    expect_call(f, "0", "StartPostSyncUnit", "dbt.service 9 {}", "the job ended 'failed'");
    sl_test_systemd1_refuse_next(f->bus, "org.freedesktop.systemd1.NoSuchUnit");
    expect_call(f, "0", "StartPostSyncUnit", "dbt.service 9 {}", "Error.NotFound");
    sl_test_systemd1_fail_next(f->bus, "never", 0); /* a oneshot that works for hours */
    expect_call(f, "0", "StartPostSyncUnit", "dbt.service 10 {}", "('dbt.service', 'starting')");
}

/* --- restarts ----------------------------------------------------------------------------------
 */

/* The table of launcher-adopt.c, without the rows that need a running unit. */
static void
test_adoption_of_what_is_gone(Fixture *f, gconstpointer data)
{
    add_to(f, "held", "claimed", LAUNCH, ", \"token\": \"t\", \"status\": \"claimed\"");
    add_to(f, "held", "launched", LAUNCH, ", \"token\": \"t\", \"status\": \"launched\"");
    add_to(f, "held", "running", LAUNCH, ", \"token\": \"t\", \"status\": \"running\"");
    start_launcher(f);
    wait_for(f, is_there, "released/claimed");
    expect_ended(f, "launched",
                 "the orchestrator ended without a report while the launcher was away");
    expect_ended(f, "running",
                 "the orchestrator ended without a report while the launcher was away");
    wait_for(f, answers, "[],)");
}

static void
test_adoption_of_what_runs(Fixture *f, gconstpointer data)
{
    start_launcher(f);
    guint kept = add(f, "kept"), lost = add(f, "lost");
    wait_for(f, is_launched, "kept");
    wait_for(f, is_launched, "lost");
    stop(&f->launcher, SIGKILL);
    /* Meanwhile one loses its claim, and a third was never ours. */
    g_autofree char *path = g_build_filename(f->api, "held", "lost", NULL);
    g_assert_no_errno(g_unlink(path));
    start_launcher(f);
    g_autofree char *stopped = g_strdup_printf("stop sluice-workloads-%s.slice\n", id_of(f, lost));
    wait_for(f, was_asked, stopped);
    wait_for(f, answers, "'kept'");
    /* Its child is not ours any more: the end of the scope is all that is told. */
    sl_test_systemd1_end(f->bus, scope_of(f, kept), "success", 0, 0);
    expect_ended(f, "kept", "the orchestrator ended without a report");
}

/* The workload API is away: nothing is lost, everything is said when it is back. */
static void
test_api_away(Fixture *f, gconstpointer data)
{
    start_launcher(f);
    guint n = add(f, "one");
    wait_for(f, is_launched, "one");
    stop(&f->api_process, SIGKILL);
    sl_test_systemd1_end(f->bus, scope_of(f, n), "success", 0, 0);
    kill_orchestrator(f, 1);
    add(f, "two");
    wait_for(f, answers, "[],)");
    g_assert_false(is_there(f, "ended/one"));
    start_api(f);
    wait_for(f, is_there, "ended/one");
    wait_for(f, is_launched, "two");
}

static void
test_starts_without_api(Fixture *f, gconstpointer data)
{
    stop(&f->api_process, SIGKILL);
    start_launcher(f);
    wait_for(f, answers, "[],)");
    start_api(f);
    add(f, "one");
    wait_for(f, is_launched, "one");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (argc != 3)
        g_error("launcher and workload API are needed");
    launcher_exe = argv[1];
    api_exe = argv[2];
    if (getuid() != 0) {
        g_print("1..0 # SKIP needs root\n");
        return 0;
    }
#define ADD(name, function)                                                                        \
    g_test_add("/launcher/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("life", test_life);
    ADD("end-waits-for-connectors", test_end_waits_for_connectors);
    ADD("exit-status", test_exit_status);
    ADD("refused", test_refused);
    ADD("failed-start", test_failed_start);
    ADD("faulty-launch", test_faulty_launch);
    ADD("capacity", test_capacity);
    ADD("connectors", test_connectors);
    ADD("connector-failures", test_connector_failures);
    ADD("backend-judges", test_backend_judges);
    ADD("administrator", test_administrator);
    ADD("trial", test_trial);
    ADD("post-sync", test_post_sync);
    ADD("adoption-of-what-is-gone", test_adoption_of_what_is_gone);
    ADD("adoption-of-what-runs", test_adoption_of_what_runs);
    ADD("api-away", test_api_away);
    ADD("starts-without-api", test_starts_without_api);
    return g_test_run();
}
