/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-trial.h"

#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "ctl-sandbox.h"
#include "sl-error.h"
#include "sl-init-peer.h"
#include "sl-init-wire.h"
#include "sl-manifest.h"

#define LAUNCHER "org.sluice.Launcher1"
#define LAUNCHER_PATH "/org/sluice/Launcher1"
#define SANDBOX_SOCKETS "/run/sluice/workloads" /* the launcher's folder of control sockets */
#define START_USEC (60 * G_USEC_PER_SEC)
#define KILL_AFTER_SEC 5

typedef struct {
    const CtlTrial *trial;
    GMainLoop *loop;
    SlInitPeer *peer;
    char *folder, *files; /* of the control socket; of the connector's files, as it sees them */
    char *id;
    guint pending; /* streams that are open, and the connector itself */
    gboolean exited;
    gint64 started, asked;
    guint timeout, kill_timer;
    GPid child; /* sluice-init, without a sandbox */
    guint child_watch;
    CtlTrialEnd end;
    GError *error;
} Run;

static void
done(Run *run)
{
    if (--run->pending == 0)
        g_main_loop_quit(run->loop);
}

static void
fail(Run *run, const GError *error)
{
    if (run->error == NULL)
        run->error = g_error_copy(error);
    g_main_loop_quit(run->loop);
}

/* --- its output --------------------------------------------------------------------------------
 */

typedef struct {
    Run *run;
    GDataInputStream *stream;
    gboolean is_stderr;
} Reader;

static gboolean
on_kill(gpointer data)
{
    Run *run = data;
    run->kill_timer = 0;
    run->end.killed = TRUE;
    sl_init_peer_signal(run->peer, SIGKILL, NULL);
    return G_SOURCE_REMOVE;
}

static void
ask_to_end(Run *run)
{
    if (run->asked != 0 || run->exited)
        return;
    run->asked = g_get_monotonic_time();
    run->kill_timer = g_timeout_add_seconds(KILL_AFTER_SEC, on_kill, run);
    sl_init_peer_signal(run->peer, SIGTERM, NULL);
}

static gboolean
on_timeout(gpointer data)
{
    Run *run = data;
    run->timeout = 0;
    run->end.timed_out = TRUE;
    ask_to_end(run);
    return G_SOURCE_REMOVE;
}

static void read_on(Reader *reader);

static void
on_line(GObject *source, GAsyncResult *result, gpointer data)
{
    Reader *reader = data;
    gsize len = 0;
    g_autofree char *line =
        g_data_input_stream_read_line_finish(G_DATA_INPUT_STREAM(source), result, &len, NULL);
    if (line == NULL) {
        done(reader->run);
        return;
    }
    if (!reader->run->trial->line(reader->is_stderr, line, len, reader->run->trial->data))
        ask_to_end(reader->run);
    read_on(reader);
}

static void
read_on(Reader *reader)
{
    g_data_input_stream_read_line_async(reader->stream, G_PRIORITY_DEFAULT, NULL, on_line, reader);
}

static void
reader_begin(Reader *reader, Run *run, int fd, gboolean is_stderr)
{
    g_autoptr(GInputStream) raw = g_unix_input_stream_new(fd, TRUE);
    *reader = (Reader){run, g_data_input_stream_new(raw), is_stderr};
    g_data_input_stream_set_newline_type(reader->stream, G_DATA_STREAM_NEWLINE_TYPE_LF);
    run->pending++;
    read_on(reader);
}

/* --- its input ---------------------------------------------------------------------------------
 */

/* A connector that ends early closes the pipe: how it ended says what that means. */
static void
on_fed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_output_stream_splice_finish(G_OUTPUT_STREAM(source), result, NULL);
}

static gboolean
feed(const CtlTrial *trial, int fd, GError **error)
{
    g_autoptr(GInputStream) from = NULL;
    g_autoptr(GOutputStream) to = g_unix_output_stream_new(fd, TRUE);
    if (trial->input != NULL && strcmp(trial->input, "-") == 0) {
        from = g_unix_input_stream_new(0, FALSE);
    } else if (trial->input != NULL) {
        g_autoptr(GFile) file = g_file_new_for_commandline_arg(trial->input);
        from = G_INPUT_STREAM(g_file_read(file, NULL, error));
    } else {
        from = g_memory_input_stream_new_from_data(trial->input_text, -1, NULL);
    }
    if (from == NULL)
        return FALSE;
    g_output_stream_splice_async(
        to, from, G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE | G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET,
        G_PRIORITY_DEFAULT, NULL, on_fed, NULL);
    return TRUE;
}

/* --- its life ----------------------------------------------------------------------------------
 */

static void
on_event(SlInitPeer *peer, const SlInitPeerEvent *event, gpointer data)
{
    Run *run = data;
    switch (event->type) {
    case SL_INIT_PEER_NOTED:
        run->trial->line(TRUE, event->text, strlen(event->text), run->trial->data);
        break;
    case SL_INIT_PEER_STARTED:
        run->started = g_get_monotonic_time();
        break;
    case SL_INIT_PEER_EXITED:
        run->exited = TRUE;
        run->end.exit_code = event->exit_code;
        run->end.signum = event->signum;
        run->end.usec = g_get_monotonic_time() - run->started;
        run->end.term_usec = run->asked != 0 ? g_get_monotonic_time() - run->asked : 0;
        done(run);
        break;
    case SL_INIT_PEER_FAILED:
    case SL_INIT_PEER_LOST:
        fail(run, event->error);
        break;
    }
}

/* The first Ctrl-C asks the connector to end, as the platform would; the second one kills it. */
static gboolean
on_interrupt(gpointer data)
{
    Run *run = data;
    if (run->end.interrupted)
        sl_init_peer_signal(run->peer, SIGKILL, NULL);
    run->end.interrupted = TRUE;
    ask_to_end(run);
    return G_SOURCE_CONTINUE;
}

static gboolean
add_file(const Run *run, const char *option, const char *name, const char *text, GError **error)
{
    if (text == NULL)
        return TRUE;
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
    g_autofree char *path = g_build_filename(run->files, name, NULL);
    return sl_init_peer_add_file(run->peer, name, bytes, error) &&
           sl_init_peer_add_arg(run->peer, option, error) &&
           sl_init_peer_add_arg(run->peer, path, error);
}

static gboolean
add_config(const Run *run, GError **error)
{
    const CtlTrial *trial = run->trial;
    if (trial->config == NULL || trial->target->manifest == NULL)
        return add_file(run, "--config", "config.json", trial->config, error);
    g_autofree char *both = sl_manifest_configure(trial->config, trial->target->manifest, error);
    return both != NULL && add_file(run, "--config", "config.json", both, error);
}

static gboolean
add_command(const Run *run, GError **error)
{
    const CtlTrial *trial = run->trial;
    return sl_init_peer_add_arg(run->peer, trial->command, error) && add_config(run, error) &&
           add_file(run, "--catalog", "catalog.json", trial->catalog, error) &&
           add_file(run, "--state", "state.json", trial->state, error);
}

static void
on_launched(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    if (reply != NULL || g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    g_dbus_error_strip_remote_error(error);
    g_prefix_error(&error, "%s", _("the launcher did not start it: "));
    fail(data, error);
}

static gboolean
start(Run *run, GDBusConnection *bus, GCancellable *cancellable, GError **error)
{
    const CtlTrialTarget *target = run->trial->target;
    if (bus != NULL) {
        g_dbus_connection_call(
            bus, LAUNCHER, LAUNCHER_PATH, LAUNCHER, "RunConnector",
            g_variant_new("(sssa{sv})", run->id, target->role, target->launch, NULL),
            G_VARIANT_TYPE("(s)"), G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, -1,
            cancellable, on_launched, run);
        return TRUE;
    }
    g_autofree char *socket = g_build_filename(run->folder, target->role, "ctl", NULL);
    const char *init =
        g_getenv("SLUICE_INIT") != NULL ? g_getenv("SLUICE_INIT") : SL_LIBEXECDIR "/sluice-init";
    const char *argv[] = {init,       "--socket", socket,          "--files",
                          run->files, "--",       target->program, NULL};
    if (g_mkdir_with_parents(run->files, 0700) < 0)
        return sl_error_set(error, SL_ERROR_FAILED, "making the folder %s", run->files);
    return g_spawn_async(run->folder, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                         &run->child, error);
}

static gboolean
prepare(Run *run, GError **error)
{
    const CtlTrialTarget *target = run->trial->target;
    g_autofree char *uuid = g_uuid_string_random();
    g_auto(GStrv) parts = g_strsplit(uuid, "-", -1);
    run->id = g_strjoinv("", parts);
    if (target->launch != NULL) {
        run->folder = g_build_filename(SANDBOX_SOCKETS, run->id, NULL);
        run->files = g_strdup(SL_INIT_FILES);
    } else {
        run->folder = g_dir_make_tmp("sluicectl-XXXXXX", error);
        if (run->folder == NULL)
            return FALSE;
        run->files = g_build_filename(run->folder, "files", NULL);
    }
    g_autofree char *socket = g_build_filename(run->folder, target->role, "ctl", NULL);
    run->peer = sl_init_peer_new(socket, error);
    return run->peer != NULL;
}

/* Both descriptors that are read and the peer are set up; runs until all have ended. */
static gboolean
run_loop(Run *run, GDBusConnection *bus, GError **error)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    gboolean with_input = run->trial->input != NULL || run->trial->input_text != NULL;
    int in = -1, out = -1, err = -1;
    Reader readers[2];
    if (!add_command(run, error) ||
        !sl_init_peer_make_pipes(run->peer, with_input ? &in : NULL, &out, &err, error))
        return FALSE;
    run->pending = 1;
    reader_begin(&readers[0], run, out, FALSE);
    reader_begin(&readers[1], run, err, TRUE);
    guint interrupt = g_unix_signal_add(SIGINT, on_interrupt, run);
    guint terminate = g_unix_signal_add(SIGTERM, on_interrupt, run);
    sl_init_peer_start(run->peer, NULL, g_get_monotonic_time() + START_USEC, on_event, run);
    gboolean ok =
        (!with_input || feed(run->trial, in, error)) && start(run, bus, cancellable, error);
    if (ok && run->trial->timeout_sec > 0)
        run->timeout = g_timeout_add_seconds(run->trial->timeout_sec, on_timeout, run);
    if (ok)
        g_main_loop_run(run->loop);
    g_clear_handle_id(&run->timeout, g_source_remove);
    g_clear_handle_id(&run->kill_timer, g_source_remove);
    g_cancellable_cancel(cancellable);
    g_source_remove(interrupt);
    g_source_remove(terminate);
    /* Nothing of ours may be called back after this: hanging up ends the output too. */
    g_clear_pointer(&run->peer, sl_init_peer_free);
    while (run->pending > (run->exited ? 0u : 1u) && g_main_context_iteration(NULL, TRUE))
        ;
    for (guint i = 0; i < G_N_ELEMENTS(readers); i++)
        g_object_unref(readers[i].stream);
    return ok;
}

gboolean
ctl_trial_run(const CtlTrial *trial, CtlTrialEnd *ret, GError **error)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(GDBusConnection) bus = NULL;
    Run run = {.trial = trial, .loop = loop};
    if (trial->target->launch != NULL) {
        bus = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, error);
        if (bus == NULL)
            return FALSE;
    }
    gboolean ok = prepare(&run, error) && run_loop(&run, bus, error);
    g_clear_pointer(&run.peer, sl_init_peer_free);
    if (run.child != 0)
        waitpid(run.child, NULL, 0); /* it ends when we hang up */
    if (run.folder != NULL)
        ctl_tree_remove(run.folder, NULL);
    *ret = run.end;
    if (run.error != NULL && ok)
        g_propagate_error(error, run.error);
    else
        g_clear_error(&run.error);
    ok = ok && run.exited;
    g_free(run.folder);
    g_free(run.files);
    g_free(run.id);
    return ok;
}
