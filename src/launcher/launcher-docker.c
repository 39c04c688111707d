/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "launcher-docker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sl-engine.h"
#include "sl-error.h"
#include "sl-init-wire.h"
#include "sl-oci-credential.h"

#define OWN_COMMAND "image" /* command[0]: what the image itself says */
#define MIB ((guint64)1 << 20)
/* Of sluice-container itself; the container's limits are the engine's matter. */
#define KEEPER_MEMORY (128 * MIB)
#define KEEPER_TASKS 16
#define RUNTIME_FOLDER "sluice-containers" /* below /run; sluice-container knows it, too */
#define RUNTIME_NOTE "process"             /* likewise: "PID START" */

/* systemd.exec(5). Root, because that owns an engine's socket; of root's powers only the signal to
 * a container's first process is left, which works when the engine does not. */
static const SlUnitSetting keeper_policy[] = {
    {"Type", SL_UNIT_STRING, "exec", 0},
    {"CollectMode", SL_UNIT_STRING, "inactive-or-failed", 0},
    {"RuntimeDirectoryMode", SL_UNIT_UINT32, NULL, 0755},
    {"NotifyAccess", SL_UNIT_STRING, "none", 0},
    {"StandardOutput", SL_UNIT_STRING, "null", 0},
    {"StandardError", SL_UNIT_STRING, "journal", 0},
    {"UMask", SL_UNIT_UINT32, NULL, 022},
    {"NoNewPrivileges", SL_UNIT_BOOL, NULL, TRUE},
    {"CapabilityBoundingSet", SL_UNIT_UINT64, NULL, 1 << 5 /* CAP_KILL */},
    {"AmbientCapabilities", SL_UNIT_UINT64, NULL, 0},
    {"ProtectSystem", SL_UNIT_STRING, "strict", 0},
    {"ProtectHome", SL_UNIT_STRING, "yes", 0},
    {"PrivateDevices", SL_UNIT_BOOL, NULL, TRUE},
    {"PrivateNetwork", SL_UNIT_BOOL, NULL, TRUE},
    {"DevicePolicy", SL_UNIT_STRING, "closed", 0},
    {"ProtectKernelTunables", SL_UNIT_BOOL, NULL, TRUE},
    {"ProtectKernelModules", SL_UNIT_BOOL, NULL, TRUE},
    {"ProtectKernelLogs", SL_UNIT_BOOL, NULL, TRUE},
    {"ProtectControlGroups", SL_UNIT_BOOL, NULL, TRUE},
    {"ProtectClock", SL_UNIT_BOOL, NULL, TRUE},
    {"ProtectHostname", SL_UNIT_BOOL, NULL, TRUE},
    {"RestrictNamespaces", SL_UNIT_UINT64, NULL, 0},
    {"RestrictRealtime", SL_UNIT_BOOL, NULL, TRUE},
    {"RestrictSUIDSGID", SL_UNIT_BOOL, NULL, TRUE},
    {"LockPersonality", SL_UNIT_BOOL, NULL, TRUE},
    {"MemoryDenyWriteExecute", SL_UNIT_BOOL, NULL, TRUE},
    {"KeyringMode", SL_UNIT_STRING, "private", 0},
    {"RestrictAddressFamilies", SL_UNIT_ALLOW, "AF_UNIX", 0},
    {"SystemCallArchitectures", SL_UNIT_WORDS, "native", 0},
    {"SystemCallFilter", SL_UNIT_ALLOW, "@system-service", 0},
    {"SystemCallFilter", SL_UNIT_DENY, "@privileged @resources", 0},
    {"SystemCallErrorNumber", SL_UNIT_INT32, NULL, EPERM},
    {"InaccessiblePaths", SL_UNIT_WORDS, "-/etc/sluice -/var/log/sluice", 0},
};

static gboolean
check_launch(const LauncherLaunch *launch, GError **error)
{
    if (launch->tree == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "tree: missing; it names the image");
    if (!sl_engine_check_reference(launch->tree, error)) {
        g_prefix_error(error, "tree: ");
        return FALSE;
    }
    if (strcmp(launch->command[0], OWN_COMMAND) != 0 && !launcher_path_is_plain(launch->command[0]))
        return sl_error_set(error, SL_ERROR_INVALID,
                            "command: '%s' is neither '" OWN_COMMAND
                            "' nor the absolute path of a program in the image",
                            launch->command[0]);
    const struct {
        const char *name;
        char *const *paths;
    } folders[] = {{"readable", launch->readable}, {"writable", launch->writable}};
    for (gsize i = 0; i < G_N_ELEMENTS(folders); i++)
        if (folders[i].paths != NULL && folders[i].paths[0] != NULL)
            return sl_error_set(error, SL_ERROR_INVALID,
                                "%s: '%s': a container sees no folders of the host",
                                folders[i].name, folders[i].paths[0]);
    return TRUE;
}

static void
add_option(LauncherUnit *unit, const char *name, const char *value)
{
    g_autofree char *word = g_strdup_printf("--%s=%s", name, value);
    launcher_unit_add_word(unit, word);
}

static void
add_number(LauncherUnit *unit, const char *name, guint64 value)
{
    g_autofree char *word = g_strdup_printf("--%s=%" G_GUINT64_FORMAT, name, value);
    if (value != 0)
        launcher_unit_add_word(unit, word);
}

/* What both kinds of keepers have: the sandbox, a folder of their own, the beginning of the
 * command, and what is to be done when they were killed, because nobody else would end the
 * container. Returns the container's name. */
static char *
begin_keeper(LauncherUnit *unit, const LauncherWorkload *workload, const SlConfig *config,
             const LauncherPaths *paths)
{
    char *name = g_strndup(unit->spec.name, strcspn(unit->spec.name, "."));
    g_autofree char *folder = g_strconcat(RUNTIME_FOLDER "/", name, NULL);
    g_autofree char *program = g_build_filename(paths->libexecdir, "sluice-container", NULL);
    g_autofree char *name_after = g_strconcat("--name=", name, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(keeper_policy); i++)
        launcher_unit_add_setting(unit, &keeper_policy[i]);
    launcher_unit_add_setting(unit, &(SlUnitSetting){"RuntimeDirectory", SL_UNIT_WORDS, folder, 0});
    launcher_unit_add_word(unit, program);
    add_option(unit, "name", name);
    add_option(unit, "slice", workload->slice);
    add_option(unit, "workload", workload->id);
    launcher_unit_add_word_after(unit, program);
    launcher_unit_add_word_after(unit, name_after);
    if (*config->engine_socket != '\0') {
        g_autofree char *engine = g_strconcat("--engine=", config->engine_socket, NULL);
        launcher_unit_add_word(unit, engine);
        launcher_unit_add_word_after(unit, engine);
    }
    launcher_unit_add_word_after(unit, "--remove");
    unit->spec.memory_max = KEEPER_MEMORY;
    unit->spec.tasks_max = KEEPER_TASKS;
    return name;
}

static void
add_command(const LauncherPlace *place, LauncherUnit *unit, const char *sockets)
{
    const SlConfig *config = place->config;
    const LauncherLaunch *launch = place->launch;
    g_autofree char *init = g_build_filename(place->paths->libexecdir, "sluice-init", NULL);

    add_option(unit, "image", launch->tree);
    add_option(unit, "init", init);
    add_option(unit, "sockets", sockets);
    add_option(unit, "role", launcher_role_name(place->role));
    add_option(unit, "network", launch->network ? config->engine_network : "none");
    add_number(unit, "memory", place->memory_max);
    add_number(unit, "tasks", place->tasks_max);
    add_number(unit, "cpu-percent", place->cpu_percent);
    if (launch->writable_root)
        launcher_unit_add_word(unit, "--writable-root");
    launcher_unit_add_word(unit, "--");
    for (guint i = strcmp(launch->command[0], OWN_COMMAND) == 0 ? 1 : 0; launch->command[i] != NULL;
         i++)
        launcher_unit_add_word(unit, launch->command[i]);
}

gboolean
launcher_docker_build(const LauncherPlace *place, LauncherUnit *unit, GError **error)
{
    if (!check_launch(place->launch, error))
        return FALSE;
    static const SlUnitSetting no_input = {"StandardInput", SL_UNIT_STRING, "null", 0};
    g_autofree char *sockets = g_build_filename(place->paths->workloaddir, place->workload->compact,
                                                launcher_role_name(place->role), NULL);
    g_autofree char *here = g_path_get_dirname(SL_INIT_SOCKET);
    g_free(begin_keeper(unit, place->workload, place->config, place->paths));
    launcher_unit_add_setting(unit, &no_input);
    /* The orchestrator's socket, where only systemd can reach into. Optional, because it is gone
     * when the container is taken away. */
    launcher_unit_add_mount(unit, sockets, here, NULL, TRUE, TRUE);
    add_command(place, unit, sockets);
    if (sl_oci_credential_exists())
        unit->spec.credential = SL_OCI_CREDENTIAL;
    return TRUE;
}

LauncherUnit *
launcher_docker_orchestrator(const LauncherWorkload *workload, const SlConfig *config,
                             const LauncherPaths *paths, const char *program, uid_t uid, gid_t gid,
                             int token_fd)
{
    LauncherUnit *unit = launcher_unit_new(
        workload->orchestrator, g_strdup_printf("Sluice orchestrator of %s", workload->id));
    g_autofree char *user = g_strdup_printf("%u:%u", uid, gid);
    const char *const command[] = {"--",         program,     "--workload",
                                   workload->id, "--auto-id", workload->auto_id};
    g_free(begin_keeper(unit, workload, config, paths));
    launcher_unit_add_word(unit, "--orchestrator");
    add_option(unit, "role", "orchestrator");
    add_option(unit, "user", user);
    add_number(unit, "memory", LAUNCHER_ORCHESTRATOR_MEMORY);
    add_number(unit, "tasks", LAUNCHER_ORCHESTRATOR_TASKS);
    for (gsize i = 0; i < G_N_ELEMENTS(command); i++)
        launcher_unit_add_word(unit, command[i]);
    launcher_unit_add_log_fields(unit, workload);
    unit->spec.slice = workload->slice;
    unit->spec.timeout_stop_usec = LAUNCHER_STOP_USEC;
    unit->spec.syslog_identifier = "sluice-container";
    unit->spec.input_fd = token_fd;
    return launcher_unit_seal(unit);
}

guint
launcher_docker_find_process(const LauncherWorkload *workload)
{
    const char *unit = workload->orchestrator;
    g_autofree char *name = g_strndup(unit, strcspn(unit, "."));
    g_autofree char *path = g_build_filename("/run", RUNTIME_FOLDER, name, RUNTIME_NOTE, NULL);
    g_autofree char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? (guint)strtoul(text, NULL, 10) : 0;
}
