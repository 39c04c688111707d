/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "container-image.h"
#include "container-link.h"
#include "container.h"
#include "sl-error.h"
#include "sl-fd.h"
#include "sl-init-wire.h"

/* As the container sees it: paths that no image has. */
#define INSIDE_INIT "/.sluice/init"
#define INSIDE_PEER "/.sluice/run"
#define CONNECT_USEC (60 * G_USEC_PER_SEC)
#define KILL_USEC (10 * G_USEC_PER_SEC) /* sluice-init kills the connector after 5 s */
#define STATE_USEC (10 * G_USEC_PER_SEC)
#define HOST_LABEL "io.sluice.host"

typedef struct {
    const ContainerRequest *request;
    SlEngine *engine;
    char *folder; /* ours, below the runtime folder */
    char *peer_folder, *note;
    char *host; /* label of this host's containers */
    char *id;   /* NULL: not created */
    pid_t pid;  /* 0: not known */
    int orchestrator, listener, init, process;
} Run;

static void
run_clear(Run *run)
{
    sl_fd_clear(&run->orchestrator);
    sl_fd_clear(&run->listener);
    sl_fd_clear(&run->init);
    sl_fd_clear(&run->process);
    g_clear_pointer(&run->engine, sl_engine_free);
    g_free(run->folder);
    g_free(run->peer_folder);
    g_free(run->note);
    g_free(run->host);
    g_free(run->id);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

static void
run_init(Run *run, const ContainerRequest *request)
{
    g_autofree char *machine = NULL;
    *run = (Run){request, .orchestrator = -1, .listener = -1, .init = -1, .process = -1};
    run->folder = g_build_filename(request->runtime, request->name, NULL);
    run->peer_folder = g_build_filename(run->folder, "peer", NULL);
    run->note = g_build_filename(run->folder, "process", NULL);
    if (!g_file_get_contents("/etc/machine-id", &machine, NULL, NULL))
        machine = g_strdup("unknown");
    run->host = g_strdup_printf(HOST_LABEL "=%s", g_strstrip(machine));
}

/* --- the process -------------------------------------------------------------------------------
 */

/* When it began, in ticks; a number is given again, this is not. 0: there is none. */
static guint64
started_at(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid), *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    const char *rest = strrchr(text, ')'); /* the name may have blanks in it */
    g_auto(GStrv) fields = g_strsplit(rest != NULL ? rest + 2 : "", " ", -1);
    return g_strv_length(fields) > 19 ? g_ascii_strtoull(fields[19], NULL, 10) : 0;
}

static int
open_process(pid_t pid)
{
    return pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
}

/* For the one who comes after us: there may be a container, and which process it is. */
static gboolean
write_note(const Run *run, GError **error)
{
    g_autofree char *text = g_strdup_printf("%d %" G_GUINT64_FORMAT "\n", run->pid,
                                            run->pid > 0 ? started_at(run->pid) : 0);
    return g_file_set_contents(run->note, text, -1, error);
}

/* The engine's number of it, held by a descriptor before anybody else can have that number. */
static gboolean
find_process(Run *run, GError **error)
{
    for (guint i = 0; i < 2; i++) {
        g_autoptr(SlEngineState) state =
            sl_engine_inspect_container(run->engine, run->request->name, error);
        if (state == NULL)
            return FALSE;
        if (!state->running)
            return sl_error_set(error, SL_ERROR_CONNECTOR,
                                "the container ended at once, with exit code %" G_GINT64_FORMAT
                                "%s%s",
                                state->exit_code, *state->error != '\0' ? ": " : "", state->error);
        if (i == 1 && state->pid == run->pid)
            return TRUE;
        run->pid = (pid_t)state->pid;
        sl_fd_clear(&run->process);
        run->process = open_process(run->pid);
        if (run->process < 0) {
            /* An engine with processes of its own, in another container: it is asked then. */
            run->pid = 0;
            return TRUE;
        }
    }
    return sl_error_set(error, SL_ERROR_CONNECTOR, "the container was started anew by somebody");
}

/* --- create and start --------------------------------------------------------------------------
 */

static GStrv
make_entrypoint(const SlEngineImage *image)
{
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    g_strv_builder_add_many(words, INSIDE_INIT, "--socket", INSIDE_PEER "/ctl", NULL);
    /* sluice-init keeps little of its own environment. */
    for (char **entry = image->env; *entry != NULL; entry++)
        if (strchr(*entry, '=') != NULL && **entry != '=')
            g_strv_builder_add_many(words, "--env", *entry, NULL);
    g_strv_builder_add(words, "--");
    return g_strv_builder_end(words);
}

static gboolean
create(Run *run, const SlEngineImage *image, GError **error)
{
    const ContainerRequest *request = run->request;
    g_auto(GStrv) own = NULL, entrypoint = make_entrypoint(image);
    const char *const *command = request->command;
    if (command == NULL || command[0] == NULL)
        command = (const char *const *)(own = container_image_command(image, error));
    g_autofree char *driver =
        command != NULL ? sl_engine_dup_cgroup_driver(run->engine, error) : NULL;
    if (driver == NULL)
        return FALSE;
    const SlEngineMount mounts[] = {
        {request->init, INSIDE_INIT, FALSE},
        {run->peer_folder, INSIDE_PEER, FALSE},
        {request->sockets, "/run/sluice-init", TRUE}, /* those of the data channel */
    };
    const char *const labels[] = {CONTAINER_LABEL,
                                  request->name,
                                  HOST_LABEL,
                                  run->host + strlen(HOST_LABEL "="),
                                  "io.sluice.workload",
                                  request->workload,
                                  "io.sluice.role",
                                  request->role,
                                  NULL};
    const SlEngineContainer container = {
        .image = request->image,
        .entrypoint = (const char *const *)entrypoint,
        .cmd = command,
        .labels = labels,
        .mounts = mounts,
        .n_mounts = G_N_ELEMENTS(mounts),
        .network = request->network,
        .host_network = TRUE, /* only sluice.conf can say so */
        .cgroup_parent = strcmp(driver, "systemd") == 0 ? request->slice : NULL,
        .memory_bytes = request->memory,
        .nano_cpus = request->cpu_percent * 10000000,
        .pids = request->tasks,
        .writable_root = request->writable_root,
    };
    g_autoptr(GError) local = NULL;
    run->id = sl_engine_create_container(run->engine, request->name, &container, &local);
    if (run->id == NULL && g_error_matches(local, SL_ERROR, SL_ERROR_CONFLICT)) {
        /* Of one before us that could not take it away. */
        g_clear_error(&local);
        if (sl_engine_remove_container(run->engine, request->name, &local))
            run->id = sl_engine_create_container(run->engine, request->name, &container, &local);
    }
    if (run->id == NULL)
        g_propagate_error(error, g_steal_pointer(&local));
    return run->id != NULL;
}

static gboolean
make_peer(Run *run, GError **error)
{
    g_autofree char *path = g_build_filename(run->peer_folder, "ctl", NULL);
    if (g_mkdir_with_parents(run->peer_folder, 0755) < 0)
        return sl_error_set_errno(error, errno, "making folder '%s'", run->peer_folder);
    run->listener = container_link_listen(path, error);
    return run->listener >= 0;
}

static gboolean
start(Run *run, GCancellable *cancellable, GError **error)
{
    g_autoptr(SlEngineImage) image = NULL;
    if (run->request->init[0] != '/' || run->request->sockets[0] != '/')
        return sl_error_set(error, SL_ERROR_INVALID, "--init and --sockets want absolute paths");
    if (!make_peer(run, error) || !write_note(run, error))
        return FALSE;
    run->engine = container_engine_find(run->request, cancellable, error);
    if (run->engine == NULL)
        return FALSE;
    image = container_image_ensure(run->engine, run->request->image, run->orchestrator, error);
    if (image == NULL)
        return FALSE;
    container_link_note(run->orchestrator, "starting image '%s' (%s) by %s", run->request->image,
                        image->repo_digests[0] != NULL ? image->repo_digests[0] : image->id,
                        sl_engine_get_name(run->engine));
    if (!create(run, image, error) || !sl_engine_start_container(run->engine, run->id, error) ||
        !find_process(run, error) || !write_note(run, error))
        return FALSE;
    run->init = container_link_accept(run->listener, run->pid, run->process,
                                      g_get_monotonic_time() + CONNECT_USEC, cancellable, error);
    sl_fd_clear(&run->listener);
    return run->init >= 0;
}

/* --- the end -----------------------------------------------------------------------------------
 */

/* What is left of others: containers of this host that nobody keeps any more. */
static void
sweep(const Run *run)
{
    g_auto(GStrv) ids = sl_engine_list_containers(run->engine, run->host, NULL);
    for (char **id = ids; id != NULL && *id != NULL; id++) {
        g_autoptr(SlEngineState) state = sl_engine_inspect_container(run->engine, *id, NULL);
        g_autofree char *folder =
            state != NULL ? g_build_filename(run->request->runtime, state->name, NULL) : NULL;
        g_autoptr(GError) error = NULL;
        if (folder == NULL || g_file_test(folder, G_FILE_TEST_EXISTS))
            continue;
        if (sl_engine_remove_container(run->engine, *id, &error))
            g_message("removed container '%s', which nobody kept any more", state->name);
        else
            g_warning("%s, ignoring", error->message);
    }
}

static gboolean
take_away(Run *run, GError **error)
{
    if (!sl_engine_remove_container(run->engine, run->request->name, error))
        return FALSE;
    g_unlink(run->note);
    return TRUE;
}

/* As the connector's own status would be, were it in our place. */
static int
find_status(Run *run)
{
    g_autoptr(GError) error = NULL;
    gint64 code = 0;
    g_autoptr(SlEngineState) state = NULL;
    if (sl_engine_wait_container(run->engine, run->id, g_get_monotonic_time() + STATE_USEC, &code,
                                 &error))
        state = sl_engine_inspect_container(run->engine, run->id, &error);
    if (state == NULL) {
        g_warning("how the container ended is not known: %s", error->message);
        return SL_INIT_EXIT_FAILED;
    }
    if (state->oom_killed)
        g_warning("it needed more memory than it may, and was killed");
    return state->oom_killed ? 128 + SIGKILL : (int)state->exit_code & 0xff;
}

gboolean
container_run(const ContainerRequest *request, ContainerStop *stop, int *ret_status, GError **error)
{
    g_auto(Run) run;
    g_autoptr(GError) local = NULL;
    GCancellable *cancellable = container_stop_get(stop);
    run_init(&run, request);
    run.orchestrator = container_link_dial(request->control, error);
    if (run.orchestrator < 0)
        return FALSE;
    container_stop_watch(stop, run.orchestrator);
    gboolean ok = start(&run, cancellable, &local);
    if (ok)
        container_link_relay(run.orchestrator, run.init, run.process, cancellable, KILL_USEC);
    /* From here on nothing is to be interrupted: it is taken away. */
    if (run.engine != NULL)
        sl_engine_set_cancellable(run.engine, NULL);
    *ret_status = ok ? find_status(&run) : SL_INIT_EXIT_FAILED;
    if (!ok)
        container_link_fail(run.orchestrator, local->message);
    sl_fd_clear(&run.orchestrator);
    g_autoptr(GError) left = NULL;
    if (run.engine != NULL && !take_away(&run, &left))
        g_warning("%s, ignoring", left->message);
    else if (run.engine != NULL)
        sweep(&run);
    if (!ok)
        g_propagate_error(error, g_steal_pointer(&local));
    return ok;
}

/* --- instead of one who was killed -------------------------------------------------------------
 */

/* Without the engine: kills the process that is noted, if it is that one still. */
static void
kill_noted(const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", 2);
    pid_t pid = (pid_t)g_ascii_strtoll(words[0], NULL, 10);
    guint64 began = words[1] != NULL ? g_ascii_strtoull(words[1], NULL, 10) : 0;
    sl_autofd int process = open_process(pid);
    if (process < 0 || began == 0 || started_at(pid) != began)
        return;
    if (syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0) == 0)
        g_message("killed the container's process %d", pid);
}

gboolean
container_remove(const ContainerRequest *request, GError **error)
{
    g_auto(Run) run;
    g_autofree char *text = NULL;
    run_init(&run, request);
    if (!g_file_get_contents(run.note, &text, NULL, NULL))
        return TRUE; /* it was taken away */
    kill_noted(text);
    run.engine = container_engine_find(request, NULL, error);
    if (run.engine == NULL || !take_away(&run, error))
        return FALSE;
    g_message("removed container '%s', whose keeper ended first", request->name);
    return TRUE;
}
