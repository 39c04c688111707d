/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "launcher-docker.h"

#include <errno.h>
#include <string.h>

#include "sl-engine.h"
#include "sl-error.h"
#include "sl-init-wire.h"

#define OWN_COMMAND "image" /* command[0]: what the image itself says */
#define MIB ((guint64)1 << 20)
/* Of sluice-container itself; the container's limits are the engine's matter. */
#define KEEPER_MEMORY (128 * MIB)
#define KEEPER_TASKS 16
#define RUNTIME_FOLDER "sluice-containers" /* below /run; sluice-container knows it, too */
#define CREDENTIAL "sluice-registry-auth"

/* systemd.exec(5). Root, because that owns an engine's socket; of root's powers only the signal to
 * a container's first process is left, which works when the engine does not. */
static const SlUnitSetting keeper_policy[] = {
    {"Type", SL_UNIT_STRING, "exec", 0},
    {"CollectMode", SL_UNIT_STRING, "inactive-or-failed", 0},
    {"RuntimeDirectoryMode", SL_UNIT_UINT32, NULL, 0755},
    {"NotifyAccess", SL_UNIT_STRING, "none", 0},
    {"StandardInput", SL_UNIT_STRING, "null", 0},
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

/* Where systemd looks for LoadCredentialEncrypted=NAME. Missing is no error: most registries are
 * public. */
static const char *const stores[] = {
    "/etc/credstore.encrypted", "/run/credstore.encrypted", "/usr/lib/credstore.encrypted",
    "/etc/credstore",           "/run/credstore",           "/usr/lib/credstore",
};

static gboolean
has_credential(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(stores); i++) {
        g_autofree char *path = g_build_filename(stores[i], CREDENTIAL, NULL);
        if (g_file_test(path, G_FILE_TEST_EXISTS))
            return TRUE;
    }
    return FALSE;
}

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

static void
add_command(const LauncherPlace *place, LauncherUnit *unit, const char *name, const char *sockets)
{
    const SlConfig *config = place->config;
    const LauncherLaunch *launch = place->launch;
    g_autofree char *program = g_build_filename(place->paths->libexecdir, "sluice-container", NULL);
    g_autofree char *init = g_build_filename(place->paths->libexecdir, "sluice-init", NULL);

    launcher_unit_add_word(unit, program);
    add_option(unit, "name", name);
    if (*config->engine_socket != '\0')
        add_option(unit, "engine", config->engine_socket);
    add_option(unit, "image", launch->tree);
    add_option(unit, "init", init);
    add_option(unit, "sockets", sockets);
    add_option(unit, "slice", place->workload->slice);
    add_option(unit, "workload", place->workload->id);
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

    /* When it was killed: nobody else would end the container. */
    launcher_unit_add_word_after(unit, program);
    g_autofree char *name_after = g_strconcat("--name=", name, NULL);
    launcher_unit_add_word_after(unit, name_after);
    if (*config->engine_socket != '\0') {
        g_autofree char *engine = g_strconcat("--engine=", config->engine_socket, NULL);
        launcher_unit_add_word_after(unit, engine);
    }
    launcher_unit_add_word_after(unit, "--remove");
}

gboolean
launcher_docker_build(const LauncherPlace *place, LauncherUnit *unit, GError **error)
{
    if (!check_launch(place->launch, error))
        return FALSE;
    g_autofree char *name = g_strndup(unit->spec.name, strcspn(unit->spec.name, "."));
    g_autofree char *folder = g_strconcat(RUNTIME_FOLDER "/", name, NULL);
    g_autofree char *sockets = g_build_filename(place->paths->workloaddir, place->workload->compact,
                                                launcher_role_name(place->role), NULL);
    g_autofree char *here = g_path_get_dirname(SL_INIT_SOCKET);
    for (gsize i = 0; i < G_N_ELEMENTS(keeper_policy); i++)
        launcher_unit_add_setting(unit, &keeper_policy[i]);
    launcher_unit_add_setting(unit, &(SlUnitSetting){"RuntimeDirectory", SL_UNIT_WORDS, folder, 0});
    /* The orchestrator's socket, where only systemd can reach into. Optional, because it is gone
     * when the container is taken away. */
    launcher_unit_add_mount(unit, sockets, here, NULL, TRUE, TRUE);
    add_command(place, unit, name, sockets);
    if (has_credential())
        unit->spec.credential = CREDENTIAL;
    unit->spec.memory_max = KEEPER_MEMORY;
    unit->spec.tasks_max = KEEPER_TASKS;
    return TRUE;
}
