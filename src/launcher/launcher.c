/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "launcher-core.h"
#include "launcher-spawn.h"
#include "sl-error.h"
#include "sl-oci-record.h"

#define GROUP "auto" /* of data planes; one for all until hosts can be told apart */
#define API_SOCKET "/run/sluice/workload-api.sock"
#define ORCHESTRATOR_USER "sluice-orchestrator"
#define CONTROL_USER "sluice"
#define TREES "/var/lib/sluice/connectors"
#define WORKLOADS "/run/sluice/workloads"
/* A round of claims that takes longer hangs: each call of it has its own, shorter deadline. */
#define ROUND_USEC (15 * 60 * G_USEC_PER_SEC)

static Launcher launcher;
static char *api_socket, *libexecdir, *connectordir, *user, *control_user, *treedir, *workloaddir,
    *imagedir;

static const GOptionEntry options[] = {
    {"api-socket", 0, 0, G_OPTION_ARG_FILENAME, &api_socket, N_("Socket of the workload API"),
     N_("PATH")},
    {"libexecdir", 0, 0, G_OPTION_ARG_FILENAME, &libexecdir,
     N_("Where sluice-orchestrator and sluice-init are"), N_("FOLDER")},
    {"connectordir", 0, 0, G_OPTION_ARG_FILENAME, &connectordir,
     N_("Where the native connectors are"), N_("FOLDER")},
    {"treedir", 0, 0, G_OPTION_ARG_FILENAME, &treedir, N_("Where installed connectors are"),
     N_("FOLDER")},
    {"imagedir", 0, 0, G_OPTION_ARG_FILENAME, &imagedir, N_("Where unpacked images are"),
     N_("FOLDER")},
    {"workloaddir", 0, 0, G_OPTION_ARG_FILENAME, &workloaddir, N_("Where control sockets are"),
     N_("FOLDER")},
    {"orchestrator-user", 0, 0, G_OPTION_ARG_STRING, &user, N_("User of orchestrators"),
     N_("NAME")},
    {"control-user", 0, 0, G_OPTION_ARG_STRING, &control_user,
     N_("User that asks for units after runs"), N_("NAME")},
    {NULL},
};

static const char *
or_default(const char *option, const char *fallback)
{
    return option != NULL ? option : fallback;
}

static gboolean
choose_backend(const char *name, gboolean *ret_contained, GError **error)
{
    *ret_contained = strcmp(name, "docker") == 0;
    return *ret_contained || strcmp(name, "systemd") == 0 ||
           sl_error_set(error, SL_ERROR_CONFIG,
                        "sluice.conf: [Launcher] Backend=%s: neither 'systemd' nor 'docker'", name);
}

static gboolean
launcher_start(SlDaemon *daemon, GError **error)
{
    const SlConfig *config = sl_daemon_get_config(daemon);
    gid_t control_gid;
    if (sl_daemon_get_bus(daemon) == NULL)
        return sl_error_set(error, SL_ERROR_CONFIG,
                            "the launcher starts units, which it cannot without a message bus");
    if (!launcher_spawn_find_user(or_default(user, ORCHESTRATOR_USER), &launcher.uid, &launcher.gid,
                                  error))
        return FALSE;
    /* Where the control plane is on another host there is no such user, and nobody asks. */
    if (!launcher_spawn_find_user(or_default(control_user, CONTROL_USER), &launcher.control_uid,
                                  &control_gid, NULL))
        launcher.control_uid = (uid_t)-1;
    if (!choose_backend(config->launcher_backend, &launcher.contained, error))
        return FALSE;
    launcher.daemon = daemon;
    launcher.api = (LauncherApi){
        .socket = or_default(api_socket, API_SOCKET),
        .group = GROUP,
        .data_plane = g_intern_string(
            *config->launcher_data_plane != '\0' ? config->launcher_data_plane : g_get_host_name()),
    };
    launcher.paths = (LauncherPaths){
        .libexecdir = or_default(libexecdir, SL_LIBEXECDIR),
        .connectordir = or_default(connectordir, SL_CONNECTORDIR),
        .treedir = or_default(treedir, TREES),
        .workloaddir = or_default(workloaddir, WORKLOADS),
        .imagedir = or_default(imagedir, SL_OCI_STORE),
    };
    launcher.program = g_build_filename(launcher.paths.libexecdir, "sluice-orchestrator", NULL);
    launcher.units = sl_units_new(sl_bus_get_connection(sl_daemon_get_bus(daemon)),
                                  launcher_core_on_unit_ended, &launcher, error);
    if (launcher.units == NULL)
        return FALSE;
    launcher_core_start(&launcher);
    return TRUE;
}

static gboolean
launcher_export(SlDaemon *daemon, SlBus *bus, GError **error)
{
    if (!launcher_bus_export(&launcher, bus, error))
        return FALSE;
    launcher_core_tell(&launcher);
    return TRUE;
}

static gboolean
launcher_healthy(SlDaemon *daemon)
{
    return !launcher.taking || g_get_monotonic_time() - launcher.taking_since < ROUND_USEC;
}

static void
launcher_drain(SlDaemon *daemon)
{
    launcher_core_drain(&launcher);
}

static void
launcher_stop(SlDaemon *daemon)
{
    if (launcher.daemon != NULL)
        launcher_core_stop(&launcher);
    g_clear_pointer(&launcher.program, g_free);
}

static const SlDaemonInfo info = {
    .name = "sluice-launcher",
    .summary = N_("Starts workloads on this host."),
    .bus_name = "org.sluice.Launcher1",
    .options = options,
    .start = launcher_start,
    .export = launcher_export,
    .healthy = launcher_healthy,
    .drain = launcher_drain,
    .drain_usec = 45 * G_USEC_PER_SEC,
    .stop = launcher_stop,
};

int
main(int argc, char **argv)
{
    return sl_daemon_main(&info, argc, argv);
}
