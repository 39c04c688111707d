/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "container-own.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "container-link.h"
#include "sl-error.h"
#include "sl-fd.h"
#include "sl-init-wire.h"

#define CONNECT_USEC (60 * G_USEC_PER_SEC)
#define STATE_USEC (10 * G_USEC_PER_SEC)
#define HOST_LABEL "io.sluice.host"

void
container_own_clear(ContainerOwn *own)
{
    sl_fd_clear(&own->listener);
    sl_fd_clear(&own->process);
    g_clear_pointer(&own->engine, sl_engine_free);
    g_free(own->folder);
    g_free(own->peer_folder);
    g_free(own->note);
    g_free(own->host);
    g_free(own->id);
}

void
container_own_init(ContainerOwn *own, const ContainerRequest *request)
{
    g_autofree char *machine = NULL;
    *own = (ContainerOwn){.request = request, .listener = -1, .process = -1};
    own->folder = g_build_filename(request->runtime, request->name, NULL);
    own->peer_folder = g_build_filename(own->folder, "peer", NULL);
    own->note = g_build_filename(own->folder, CONTAINER_NOTE, NULL);
    if (!g_file_get_contents("/etc/machine-id", &machine, NULL, NULL))
        machine = g_strdup("unknown");
    own->host = g_strdup_printf(HOST_LABEL "=%s", g_strstrip(machine));
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
write_note(const ContainerOwn *own, GError **error)
{
    g_autofree char *text = g_strdup_printf("%d %" G_GUINT64_FORMAT "\n", own->pid,
                                            own->pid > 0 ? started_at(own->pid) : 0);
    return g_file_set_contents(own->note, text, -1, error);
}

/* The engine's number of it, held by a descriptor before anybody else can have that number. */
static gboolean
find_process(ContainerOwn *own, GError **error)
{
    for (guint i = 0; i < 2; i++) {
        g_autoptr(SlEngineState) state =
            sl_engine_inspect_container(own->engine, own->request->name, error);
        if (state == NULL)
            return FALSE;
        if (!state->running)
            return sl_error_set(error, SL_ERROR_CONNECTOR,
                                "the container ended at once, with exit code %" G_GINT64_FORMAT
                                "%s%s",
                                state->exit_code, *state->error != '\0' ? ": " : "", state->error);
        if (i == 1 && state->pid == own->pid)
            return TRUE;
        own->pid = (pid_t)state->pid;
        sl_fd_clear(&own->process);
        own->process = open_process(own->pid);
        if (own->process < 0) {
            /* An engine with processes of its own, in another container: it is asked then. */
            own->pid = 0;
            return TRUE;
        }
    }
    return sl_error_set(error, SL_ERROR_CONNECTOR, "the container was started anew by somebody");
}

/* --- create and start --------------------------------------------------------------------------
 */

static gboolean
make_peer(ContainerOwn *own, GError **error)
{
    g_autofree char *path = g_build_filename(own->peer_folder, "ctl", NULL);
    if (g_mkdir_with_parents(own->peer_folder, 0755) < 0)
        return sl_error_set_errno(error, errno, "making folder '%s'", own->peer_folder);
    own->listener = container_link_listen(path, error);
    return own->listener >= 0;
}

gboolean
container_own_begin(ContainerOwn *own, GCancellable *cancellable, GError **error)
{
    if (!make_peer(own, error) || !write_note(own, error))
        return FALSE;
    own->engine = container_engine_find(own->request, cancellable, error);
    return own->engine != NULL;
}

gboolean
container_own_create(ContainerOwn *own, SlEngineContainer *container, GError **error)
{
    const ContainerRequest *request = own->request;
    g_autofree char *driver = sl_engine_dup_cgroup_driver(own->engine, error);
    if (driver == NULL)
        return FALSE;
    const char *const labels[] = {CONTAINER_LABEL,
                                  request->name,
                                  HOST_LABEL,
                                  own->host + strlen(HOST_LABEL "="),
                                  "io.sluice.workload",
                                  request->workload,
                                  "io.sluice.role",
                                  request->role,
                                  NULL};
    container->labels = labels;
    container->cgroup_parent = strcmp(driver, "systemd") == 0 ? request->slice : NULL;
    container->memory_bytes = request->memory;
    container->nano_cpus = request->cpu_percent * 10000000;
    container->pids = request->tasks;
    g_autoptr(GError) local = NULL;
    own->id = sl_engine_create_container(own->engine, request->name, container, &local);
    if (own->id == NULL && g_error_matches(local, SL_ERROR, SL_ERROR_CONFLICT)) {
        /* Of one before us that could not take it away. */
        g_clear_error(&local);
        if (sl_engine_remove_container(own->engine, request->name, &local))
            own->id = sl_engine_create_container(own->engine, request->name, container, &local);
    }
    if (own->id == NULL)
        g_propagate_error(error, g_steal_pointer(&local));
    return own->id != NULL;
}

gboolean
container_own_start(ContainerOwn *own, GError **error)
{
    return sl_engine_start_container(own->engine, own->id, error) && find_process(own, error) &&
           write_note(own, error);
}

int
container_own_accept(ContainerOwn *own, GCancellable *cancellable, GError **error)
{
    int fd = container_link_accept(own->listener, own->pid, own->process,
                                   g_get_monotonic_time() + CONNECT_USEC, cancellable, error);
    sl_fd_clear(&own->listener);
    return fd;
}

/* --- the end -----------------------------------------------------------------------------------
 */

/* What is left of others: containers of this host that nobody keeps any more. */
static void
sweep(const ContainerOwn *own)
{
    g_auto(GStrv) ids = sl_engine_list_containers(own->engine, own->host, NULL);
    for (char **id = ids; id != NULL && *id != NULL; id++) {
        g_autoptr(SlEngineState) state = sl_engine_inspect_container(own->engine, *id, NULL);
        g_autofree char *folder =
            state != NULL ? g_build_filename(own->request->runtime, state->name, NULL) : NULL;
        g_autoptr(GError) error = NULL;
        if (folder == NULL || g_file_test(folder, G_FILE_TEST_EXISTS))
            continue;
        if (sl_engine_remove_container(own->engine, *id, &error))
            g_message("removed container '%s', which nobody kept any more", state->name);
        else
            g_warning("%s, ignoring", error->message);
    }
}

static gboolean
take_away(ContainerOwn *own, GError **error)
{
    if (!sl_engine_remove_container(own->engine, own->request->name, error))
        return FALSE;
    g_unlink(own->note);
    return TRUE;
}

int
container_own_status(ContainerOwn *own)
{
    /* From here on nothing is to be interrupted. */
    sl_engine_set_cancellable(own->engine, NULL);
    g_autoptr(GError) error = NULL;
    gint64 code = 0;
    g_autoptr(SlEngineState) state = NULL;
    if (sl_engine_wait_container(own->engine, own->id, g_get_monotonic_time() + STATE_USEC, &code,
                                 &error))
        state = sl_engine_inspect_container(own->engine, own->id, &error);
    if (state == NULL) {
        g_warning("how the container ended is not known: %s", error->message);
        return SL_INIT_EXIT_FAILED;
    }
    if (state->oom_killed)
        g_warning("it needed more memory than it may, and was killed");
    return state->oom_killed ? 128 + SIGKILL : (int)state->exit_code & 0xff;
}

void
container_own_end(ContainerOwn *own)
{
    g_autoptr(GError) left = NULL;
    if (own->engine == NULL)
        return;
    sl_engine_set_cancellable(own->engine, NULL);
    if (take_away(own, &left))
        sweep(own);
    else
        g_warning("%s, ignoring", left->message);
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
    g_auto(ContainerOwn) own;
    g_autofree char *text = NULL;
    container_own_init(&own, request);
    if (!g_file_get_contents(own.note, &text, NULL, NULL))
        return TRUE; /* it was taken away */
    kill_noted(text);
    own.engine = container_engine_find(request, NULL, error);
    if (own.engine == NULL || !take_away(&own, error))
        return FALSE;
    g_message("removed container '%s', whose keeper ended first", request->name);
    return TRUE;
}
