/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator-start.h"

#include <gio/gio.h>
#include <signal.h>
#include <sys/wait.h>

#include "orchestrator-folder.h"
#include "sl-error.h"
#include "sl-fd.h"
#include "sl-init-wire.h"

#define LAUNCHER "org.sluice.Launcher1"
#define LAUNCHER_PATH "/org/sluice/Launcher1"
#define SYSTEMD "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
/* Other workloads may be waiting for their turn to start. */
#define START_TIMEOUT_MS (10 * 60 * 1000)
#define CHECK_TIMEOUT_MS 10000

struct OrchestratorStarter {
    char *workload_id, *compact_id, *run_folder, *spawn;
    char *commands[2];
    int folder;       /* locked; -1: none */
    GPid children[2]; /* 0: none */
    guint watches[2];
    GDBusConnection *bus;
    GPtrArray *calls; /* of Call: on their way */
};

typedef struct {
    OrchestratorStarter *starter; /* NULL: it has gone */
    OrchestratorStartDone done;
    gpointer data;
} Call;

const char *
orchestrator_role_name(OrchestratorRole role)
{
    return role == ORCHESTRATOR_SOURCE ? "source" : "destination";
}

OrchestratorStarter *
orchestrator_starter_new(const OrchestratorStarterOptions *options, GError **error)
{
    g_autoptr(OrchestratorStarter) starter = g_new0(OrchestratorStarter, 1);
    starter->workload_id = g_strdup(options->workload_id);
    starter->compact_id = g_strdup(options->compact_id);
    starter->run_folder = g_strdup(options->run_folder);
    starter->spawn = g_strdup(options->spawn);
    for (guint i = 0; i < 2; i++)
        starter->commands[i] = g_strdup(options->commands[i]);
    starter->calls = g_ptr_array_new();
    starter->folder = orchestrator_folder_open(starter->run_folder, starter->compact_id, error);
    if (starter->folder < 0)
        return NULL;
    orchestrator_folder_sweep(starter->run_folder);
    if (starter->spawn == NULL) {
        starter->bus = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, error);
        if (starter->bus == NULL)
            return NULL;
        g_dbus_connection_set_exit_on_close(starter->bus, FALSE);
    }
    return g_steal_pointer(&starter);
}

static char *
role_folder(const OrchestratorStarter *starter, OrchestratorRole role)
{
    return g_build_filename(starter->run_folder, starter->compact_id, orchestrator_role_name(role),
                            NULL);
}

char *
orchestrator_starter_socket(const OrchestratorStarter *starter, OrchestratorRole role)
{
    g_autofree char *folder = role_folder(starter, role);
    return g_build_filename(folder, "ctl", NULL);
}

char *
orchestrator_starter_files(const OrchestratorStarter *starter, OrchestratorRole role)
{
    if (starter->spawn == NULL)
        return g_strdup(SL_INIT_FILES);
    g_autofree char *folder = role_folder(starter, role);
    return g_build_filename(folder, "files", NULL);
}

char *
orchestrator_starter_data(const OrchestratorStarter *starter, OrchestratorRole role,
                          gboolean inside)
{
    g_autofree char *folder = inside && starter->spawn == NULL ? g_path_get_dirname(SL_INIT_SOCKET)
                                                               : role_folder(starter, role);
    return g_build_filename(folder, "data", NULL);
}

void
orchestrator_starter_free(OrchestratorStarter *starter)
{
    if (starter == NULL)
        return;
    for (guint i = 0; i < starter->calls->len; i++)
        ((Call *)starter->calls->pdata[i])->starter = NULL;
    g_ptr_array_unref(starter->calls);
    for (guint i = 0; i < 2; i++) {
        if (starter->watches[i] != 0)
            g_source_remove(starter->watches[i]);
        if (starter->children[i] != 0) {
            kill(starter->children[i], SIGTERM);
            waitpid(starter->children[i], NULL, 0); /* sluice-init ends within its kill-after */
        }
        g_free(starter->commands[i]);
    }
    if (starter->folder >= 0)
        orchestrator_folder_remove(starter->run_folder, starter->compact_id);
    sl_fd_clear(&starter->folder);
    g_clear_object(&starter->bus);
    g_free(starter->workload_id);
    g_free(starter->compact_id);
    g_free(starter->run_folder);
    g_free(starter->spawn);
    g_free(starter);
}

/* --- by the launcher ------------------------------------------------------- */

static void
on_started(GObject *object, GAsyncResult *result, gpointer data)
{
    g_autofree Call *call = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(object), result, &error);
    if (call->starter == NULL)
        return;
    g_ptr_array_remove_fast(call->starter->calls, call);
    if (error != NULL)
        g_dbus_error_strip_remote_error(error);
    if (call->done != NULL)
        call->done(error, call->data);
}

static void
start_by_launcher(OrchestratorStarter *starter, OrchestratorRole role, OrchestratorStartDone done,
                  gpointer data)
{
    Call *call = g_new(Call, 1);
    *call = (Call){starter, done, data};
    g_ptr_array_add(starter->calls, call);
    g_dbus_connection_call(
        starter->bus, LAUNCHER, LAUNCHER_PATH, LAUNCHER, "StartConnector",
        g_variant_new("(ssa{sv})", starter->workload_id, orchestrator_role_name(role), NULL),
        G_VARIANT_TYPE("(s)"), G_DBUS_CALL_FLAGS_NONE, START_TIMEOUT_MS, NULL, on_started, call);
}

/* systemd says in which unit the process is; the name is fixed by the contract, so that it need not
 * wait for the launcher's answer. */
static gboolean
check_unit(OrchestratorStarter *starter, OrchestratorRole role, pid_t pid, GError **error)
{
    g_autofree char *expected =
        g_strdup_printf("sluice-%s-%s.service", orchestrator_role_name(role), starter->compact_id);
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        starter->bus, SYSTEMD, SYSTEMD_PATH, SYSTEMD ".Manager", "GetUnitByPID",
        g_variant_new("(u)", (guint32)pid), G_VARIANT_TYPE("(o)"), G_DBUS_CALL_FLAGS_NONE,
        CHECK_TIMEOUT_MS, NULL, error);
    if (reply == NULL) {
        g_prefix_error(error, "asking systemd for the unit of process %d: ", pid);
        return FALSE;
    }
    const char *path;
    g_variant_get(reply, "(&o)", &path);
    g_autoptr(GVariant) property = g_dbus_connection_call_sync(
        starter->bus, SYSTEMD, path, "org.freedesktop.DBus.Properties", "Get",
        g_variant_new("(ss)", SYSTEMD ".Unit", "Id"), G_VARIANT_TYPE("(v)"), G_DBUS_CALL_FLAGS_NONE,
        CHECK_TIMEOUT_MS, NULL, error);
    if (property == NULL) {
        g_prefix_error(error, "asking systemd for the name of a unit: ");
        return FALSE;
    }
    g_autoptr(GVariant) id = NULL;
    g_variant_get(property, "(v)", &id);
    if (!g_variant_is_of_type(id, G_VARIANT_TYPE_STRING) ||
        g_strcmp0(g_variant_get_string(id, NULL), expected) != 0)
        return sl_error_set(error, SL_ERROR_FORBIDDEN,
                            "process %d is not in unit %s: refusing it the %s's data", pid,
                            expected, orchestrator_role_name(role));
    return TRUE;
}

/* --- as our child ---------------------------------------------------------- */

static void
on_child(GPid pid, gint status, gpointer data)
{
    OrchestratorStarter *starter = data;
    for (guint i = 0; i < 2; i++) {
        if (starter->children[i] == pid)
            starter->children[i] = starter->watches[i] = 0;
    }
    g_spawn_close_pid(pid);
}

static gboolean
start_child(OrchestratorStarter *starter, OrchestratorRole role, GError **error)
{
    g_autofree char *socket = orchestrator_starter_socket(starter, role);
    g_autofree char *files = orchestrator_starter_files(starter, role);
    g_auto(GStrv) command = NULL;
    int n_words;
    if (starter->commands[role] == NULL)
        return sl_error_set(error, SL_ERROR_CONFIG, "no command for the %s; see --help",
                            orchestrator_role_name(role));
    if (!g_shell_parse_argv(starter->commands[role], &n_words, &command, error))
        return FALSE;
    if (g_mkdir_with_parents(files, 0700) < 0)
        return sl_error_set(error, SL_ERROR_FAILED, "making the folder %s", files);
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    const char *const head[] = {starter->spawn, "--socket", socket, "--files", files, "--"};
    for (guint i = 0; i < G_N_ELEMENTS(head); i++)
        g_ptr_array_add(argv, (gpointer)head[i]);
    for (int i = 0; i <= n_words; i++) /* with the NULL */
        g_ptr_array_add(argv, command[i]);
    if (!g_spawn_async(NULL, (char **)argv->pdata, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                       &starter->children[role], error))
        return FALSE;
    starter->watches[role] = g_child_watch_add(starter->children[role], on_child, starter);
    return TRUE;
}

/* --- either way ------------------------------------------------------------ */

void
orchestrator_starter_start(OrchestratorStarter *starter, OrchestratorRole role,
                           OrchestratorStartDone done, gpointer data)
{
    g_autoptr(GError) error = NULL;
    if (starter->spawn == NULL)
        start_by_launcher(starter, role, done, data);
    else
        done(start_child(starter, role, &error) ? NULL : error, data);
}

void
orchestrator_starter_forget(OrchestratorStarter *starter, gpointer data)
{
    for (guint i = 0; i < starter->calls->len; i++) {
        Call *call = starter->calls->pdata[i];
        if (call->data == data)
            call->done = NULL;
    }
}

gboolean
orchestrator_starter_check(OrchestratorStarter *starter, OrchestratorRole role, pid_t pid,
                           GError **error)
{
    if (starter->spawn == NULL)
        return check_unit(starter, role, pid, error);
    if (pid != starter->children[role])
        return sl_error_set(error, SL_ERROR_FORBIDDEN, "process %d is not the %s's sluice-init",
                            pid, orchestrator_role_name(role));
    return TRUE;
}
