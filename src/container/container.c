/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "container.h"

#include <glib/gi18n.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-init-wire.h"
#include "sl-log.h"

static ContainerRequest request = {.runtime = CONTAINER_RUNTIME, .control = SL_INIT_SOCKET};
static gboolean remove_it, orchestrator, show_version;
static char **words;

static const GOptionEntry options[] = {
    {"name", 0, 0, G_OPTION_ARG_STRING, &request.name, N_("Name of the container"), N_("NAME")},
    {"engine", 0, 0, G_OPTION_ARG_FILENAME, &request.engine, N_("Socket of the container engine"),
     N_("PATH")},
    {"image", 0, 0, G_OPTION_ARG_STRING, &request.image, N_("Image, pulled when it is not there"),
     N_("NAME")},
    {"init", 0, 0, G_OPTION_ARG_FILENAME, &request.init, N_("Where sluice-init is"), N_("PATH")},
    {"sockets", 0, 0, G_OPTION_ARG_FILENAME, &request.sockets,
     N_("Folder of the connector's sockets, as the engine sees it"), N_("FOLDER")},
    {"control", 0, 0, G_OPTION_ARG_FILENAME, &request.control, N_("Socket of the orchestrator"),
     N_("PATH")},
    {"runtime", 0, 0, G_OPTION_ARG_FILENAME, &request.runtime, N_("Folder with one of each keeper"),
     N_("FOLDER")},
    {"slice", 0, 0, G_OPTION_ARG_STRING, &request.slice, N_("Slice of the workload"), N_("UNIT")},
    {"workload", 0, 0, G_OPTION_ARG_STRING, &request.workload, N_("Id of the workload"), N_("ID")},
    {"role", 0, 0, G_OPTION_ARG_STRING, &request.role, N_("source or destination"), N_("ROLE")},
    {"network", 0, 0, G_OPTION_ARG_STRING, &request.network, N_("Network of the engine, or none"),
     N_("NAME")},
    {"memory", 0, 0, G_OPTION_ARG_INT64, &request.memory, N_("Most memory, in bytes"), N_("N")},
    {"tasks", 0, 0, G_OPTION_ARG_INT64, &request.tasks, N_("Most processes and threads"), N_("N")},
    {"cpu-percent", 0, 0, G_OPTION_ARG_INT64, &request.cpu_percent, N_("Percent of one CPU"),
     N_("N")},
    {"writable-root", 0, 0, G_OPTION_ARG_NONE, &request.writable_root,
     N_("Its own files may be changed while it lives"), NULL},
    {"orchestrator", 0, 0, G_OPTION_ARG_NONE, &orchestrator,
     N_("Keep an orchestrator: COMMAND of this host, with a token from standard input"), NULL},
    {"user", 0, 0, G_OPTION_ARG_STRING, &request.user, N_("User of the orchestrator"),
     N_("UID:GID")},
    {"remove", 0, 0, G_OPTION_ARG_NONE, &remove_it,
     N_("Ends and removes what a keeper that was killed has left"), NULL},
    {"version", 0, 0, G_OPTION_ARG_NONE, &show_version, N_("Print the version"), NULL},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &words, NULL, N_("[COMMAND…]")},
    {NULL},
};

static gboolean
parse_options(int *argc, char ***argv, GError **error)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_set_summary(
        context,
        _("Keeps one connector, or one orchestrator, in a container of Docker or Podman."));
    g_option_context_add_main_entries(context, options, GETTEXT_PACKAGE);
    if (!g_option_context_parse(context, argc, argv, error))
        return FALSE;
    const struct {
        const char *name, *value;
        gboolean connector, orchestrator; /* who needs it; whoever removes, the name alone */
    } needed[] = {
        {"name", request.name, TRUE, TRUE},         {"image", request.image, TRUE, FALSE},
        {"init", request.init, TRUE, FALSE},        {"sockets", request.sockets, TRUE, FALSE},
        {"workload", request.workload, TRUE, TRUE}, {"role", request.role, TRUE, TRUE},
        {"user", request.user, FALSE, TRUE},
    };
    for (gsize i = 0; !show_version && i < (remove_it ? 1 : G_N_ELEMENTS(needed)); i++)
        if (needed[i].value == NULL &&
            (orchestrator ? needed[i].orchestrator : needed[i].connector))
            return sl_error_set(error, SL_ERROR_INVALID, "--%s is missing", needed[i].name);
    request.command = (const char *const *)words;
    return TRUE;
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    int status = SL_INIT_EXIT_FAILED;

    setlocale(LC_ALL, "");
    bindtextdomain(GETTEXT_PACKAGE, SL_LOCALEDIR);
    textdomain(GETTEXT_PACKAGE);
    sl_log_init("sluice-container");
    umask(022);
    signal(SIGPIPE, SIG_IGN);
    if (parse_options(&argc, &argv, &error) && show_version) {
        g_print("sluice-container %s\n", PACKAGE_VERSION);
        status = EXIT_SUCCESS;
    } else if (error == NULL && remove_it) {
        status = container_remove(&request, &error) ? EXIT_SUCCESS : EXIT_FAILURE;
    } else if (error == NULL) {
        g_autoptr(ContainerStop) stop = container_stop_new();
        if (orchestrator)
            container_run_orchestrator(&request, STDIN_FILENO, stop, &status, &error);
        else
            container_run(&request, stop, &status, &error);
    }
    if (error != NULL)
        g_critical("%s", error->message);
    g_strfreev(words);
    return status;
}
