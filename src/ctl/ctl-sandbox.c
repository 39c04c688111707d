/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-sandbox.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl-text.h"
#include "sl-error.h"

#define LAST_LINES 15 /* of standard error, in the error */
#define LINE_WIDTH 78

static const char *const common[] = {
    "DynamicUser=yes",
    "User=sluice-pypi",
    "CacheDirectory=sluice-pypi",
    "CacheDirectoryMode=0700",
    "UMask=0022",
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "PrivateIPC=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectControlGroups=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectProc=invisible",
    "ProcSubset=pid",
    "InaccessiblePaths=-/run/sluice",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "RemoveIPC=yes",
    "KeyringMode=private",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @resources",
    "SystemCallErrorNumber=EPERM",
    "MemoryMax=4G",
    "TasksMax=64",
    "RuntimeMaxSec=1h",
    "Nice=5",
};

typedef struct {
    const CtlSandbox *sandbox;
    GMainLoop *loop;
    GString *output;
    GQueue lines;  /* the last ones of standard error */
    guint pending; /* streams and the process itself */
    char *unit;
    gboolean terminal; /* standard error is one: the newest line is shown and overwritten */
    gboolean interrupted;
} Run;

static void
done(Run *run)
{
    if (--run->pending == 0)
        g_main_loop_quit(run->loop);
}

static void
keep_line(Run *run, const char *line)
{
    char *clean = ctl_text_clean(line, -1);
    g_queue_push_tail(&run->lines, clean);
    if (run->lines.length > LAST_LINES)
        g_free(g_queue_pop_head(&run->lines));
    if (run->terminal) {
        g_autofree char *cut = ctl_text_ellipsize(clean, LINE_WIDTH, FALSE);
        fprintf(stderr, "\r\033[K%s", cut);
    }
}

static void
on_error_line(GObject *source, GAsyncResult *result, gpointer data)
{
    Run *run = data;
    g_autofree char *line =
        g_data_input_stream_read_line_finish(G_DATA_INPUT_STREAM(source), result, NULL, NULL);
    if (line == NULL) {
        done(run);
        return;
    }
    keep_line(run, line);
    g_data_input_stream_read_line_async(G_DATA_INPUT_STREAM(source), G_PRIORITY_DEFAULT, NULL,
                                        on_error_line, run);
}

static void
on_output_line(GObject *source, GAsyncResult *result, gpointer data)
{
    Run *run = data;
    g_autofree char *line =
        g_data_input_stream_read_line_finish(G_DATA_INPUT_STREAM(source), result, NULL, NULL);
    if (line == NULL) {
        done(run);
        return;
    }
    g_string_append_printf(run->output, "%s\n", line);
    g_data_input_stream_read_line_async(G_DATA_INPUT_STREAM(source), G_PRIORITY_DEFAULT, NULL,
                                        on_output_line, run);
}

static void
on_end(GObject *source, GAsyncResult *result, gpointer data)
{
    g_subprocess_wait_finish(G_SUBPROCESS(source), result, NULL);
    done(data);
}

/* systemd-run has left our terminal's process group behind with the unit: that one is stopped. */
static gboolean
on_interrupt(gpointer data)
{
    Run *run = data;
    run->interrupted = TRUE;
    g_autoptr(GSubprocess) stop = g_subprocess_new(G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL,
                                                   "systemctl", "stop", run->unit, NULL);
    if (stop != NULL)
        g_subprocess_wait(stop, NULL, NULL);
    return G_SOURCE_CONTINUE;
}

static GSubprocess *
spawn(const Run *run, GError **error)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    const char *const head[] = {"systemd-run", "--quiet", "--collect",
                                "--wait",      "--pipe",  "--service-type=exec"};
    for (gsize i = 0; i < G_N_ELEMENTS(head); i++)
        g_ptr_array_add(argv, g_strdup(head[i]));
    g_ptr_array_add(argv, g_strconcat("--unit=", run->unit, NULL));
    g_ptr_array_add(argv, g_strconcat("--description=", run->sandbox->title, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(common); i++)
        g_ptr_array_add(argv, g_strconcat("--property=", common[i], NULL));
    for (gsize i = 0; run->sandbox->properties[i] != NULL; i++)
        g_ptr_array_add(argv, g_strconcat("--property=", run->sandbox->properties[i], NULL));
    g_ptr_array_add(argv, g_strdup("--"));
    for (gsize i = 0; run->sandbox->argv[i] != NULL; i++)
        g_ptr_array_add(argv, g_strdup(run->sandbox->argv[i]));
    g_ptr_array_add(argv, NULL);
    gboolean own_input = run->sandbox->input_fd >= 0;
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
        (own_input ? G_SUBPROCESS_FLAGS_NONE : G_SUBPROCESS_FLAGS_STDIN_PIPE) |
        G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
    if (own_input)
        g_subprocess_launcher_take_stdin_fd(launcher,
                                            fcntl(run->sandbox->input_fd, F_DUPFD_CLOEXEC, 3));
    return g_subprocess_launcher_spawnv(launcher, (const char *const *)argv->pdata, error);
}

static void
set_failed(const Run *run, GSubprocess *process, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (run->interrupted) {
        sl_error_set(error, SL_ERROR_CANCELLED, _("%s: interrupted"), run->sandbox->title);
        return;
    }
    for (const GList *l = run->lines.head; l != NULL; l = l->next)
        g_string_append_printf(text, "\n  %s", (const char *)l->data);
    sl_error_set(error, SL_ERROR_FAILED, _("%s failed; 'journalctl -u %s' may say more:%s"),
                 run->sandbox->title, run->unit, text->str);
}

static gboolean
run_process(Run *run, GSubprocess *process)
{
    g_autoptr(GDataInputStream) out =
        g_data_input_stream_new(g_subprocess_get_stdout_pipe(process));
    g_autoptr(GDataInputStream) err =
        g_data_input_stream_new(g_subprocess_get_stderr_pipe(process));
    GOutputStream *in = g_subprocess_get_stdin_pipe(process);
    guint interrupt = g_unix_signal_add(SIGINT, on_interrupt, run);
    guint terminate = g_unix_signal_add(SIGTERM, on_interrupt, run);
    if (in != NULL) {
        g_output_stream_write_all(in, run->sandbox->input, strlen(run->sandbox->input), NULL, NULL,
                                  NULL);
        g_output_stream_close(in, NULL, NULL);
    }
    run->pending = 3;
    g_data_input_stream_read_line_async(out, G_PRIORITY_DEFAULT, NULL, on_output_line, run);
    g_data_input_stream_read_line_async(err, G_PRIORITY_DEFAULT, NULL, on_error_line, run);
    g_subprocess_wait_async(process, NULL, on_end, run);
    g_main_loop_run(run->loop);
    g_source_remove(interrupt);
    g_source_remove(terminate);
    return !run->interrupted && g_subprocess_get_successful(process);
}

gboolean
ctl_sandbox_run(const CtlSandbox *sandbox, char **ret_output, GError **error)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(GString) output = g_string_new(NULL);
    g_autofree char *unit = g_strdup_printf("sluice-pypi-%08x.service", g_random_int());
    Run run = {.sandbox = sandbox, .loop = loop, .output = output, .unit = unit};
    run.terminal = !sandbox->quiet && isatty(2);
    g_queue_init(&run.lines);
    if (!sandbox->quiet)
        fprintf(stderr, "%s…\n", sandbox->title);
    g_autoptr(GSubprocess) process = spawn(&run, error);
    gboolean ok = process != NULL && run_process(&run, process);
    if (run.terminal)
        fputs("\r\033[K", stderr);
    if (process != NULL && !ok)
        set_failed(&run, process, error);
    g_queue_clear_full(&run.lines, g_free);
    if (ok)
        *ret_output = g_strdup(output->str);
    return ok;
}
