/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "launcher-policy.h"

#include <errno.h>
#include <string.h>

#include "launcher-backend.h"
#include "sl-error.h"
#include "sl-init-wire.h"

#define SANDBOX_SOCKET_DIR "/run/sluice-init"
/* Connectors that keep files share one dynamic user, so that the next run may write them. */
#define STATE_USER "sluice-local"

/* systemd.exec(5). Costs about 50 ms of PID 1 for each start; architectures=native keeps the
 * seccomp part of that small. */
static const SlUnitSetting connector_policy[] = {
    {"Type", SL_UNIT_STRING, "exec", 0},
    {"CollectMode", SL_UNIT_STRING, "inactive-or-failed", 0},
    {"DynamicUser", SL_UNIT_BOOL, NULL, TRUE},
    {"NotifyAccess", SL_UNIT_STRING, "none", 0},
    {"StandardInput", SL_UNIT_STRING, "null", 0},
    {"StandardOutput", SL_UNIT_STRING, "null", 0},
    {"StandardError", SL_UNIT_STRING, "journal", 0},
    {"OOMPolicy", SL_UNIT_STRING, "kill", 0},
    {"UMask", SL_UNIT_UINT32, NULL, 077},
    {"WorkingDirectory", SL_UNIT_STRING, "/tmp", 0},
    {"NoNewPrivileges", SL_UNIT_BOOL, NULL, TRUE},
    {"CapabilityBoundingSet", SL_UNIT_UINT64, NULL, 0},
    {"AmbientCapabilities", SL_UNIT_UINT64, NULL, 0},
    {"ProtectSystem", SL_UNIT_STRING, "strict", 0},
    {"ProtectHome", SL_UNIT_STRING, "tmpfs", 0},
    {"PrivateTmp", SL_UNIT_BOOL, NULL, TRUE},
    {"PrivateDevices", SL_UNIT_BOOL, NULL, TRUE},
    {"PrivateUsers", SL_UNIT_BOOL, NULL, TRUE},
    {"PrivateIPC", SL_UNIT_BOOL, NULL, TRUE},
    {"DevicePolicy", SL_UNIT_STRING, "closed", 0},
    {"ProtectKernelTunables", SL_UNIT_BOOL, NULL, TRUE},
    {"ProtectKernelModules", SL_UNIT_BOOL, NULL, TRUE},
    {"ProtectKernelLogs", SL_UNIT_BOOL, NULL, TRUE},
    {"ProtectControlGroups", SL_UNIT_BOOL, NULL, TRUE},
    {"ProtectClock", SL_UNIT_BOOL, NULL, TRUE},
    {"ProtectHostname", SL_UNIT_BOOL, NULL, TRUE},
    {"ProtectProc", SL_UNIT_STRING, "invisible", 0},
    {"ProcSubset", SL_UNIT_STRING, "pid", 0},
    {"RestrictNamespaces", SL_UNIT_UINT64, NULL, 0}, /* none may be made */
    {"RestrictRealtime", SL_UNIT_BOOL, NULL, TRUE},
    {"RestrictSUIDSGID", SL_UNIT_BOOL, NULL, TRUE},
    {"LockPersonality", SL_UNIT_BOOL, NULL, TRUE},
    {"RemoveIPC", SL_UNIT_BOOL, NULL, TRUE},
    {"KeyringMode", SL_UNIT_STRING, "private", 0},
    {"RestrictAddressFamilies", SL_UNIT_ALLOW, "AF_UNIX AF_INET AF_INET6", 0},
    {"SystemCallArchitectures", SL_UNIT_WORDS, "native", 0},
    {"SystemCallFilter", SL_UNIT_ALLOW, "@system-service", 0},
    {"SystemCallFilter", SL_UNIT_DENY, "@privileged @resources", 0},
    /* Refused, not killed: thread pools set scheduling attributes in passing. */
    {"SystemCallErrorNumber", SL_UNIT_INT32, NULL, EPERM},
    /* The "-": no error where it does not exist. Passwords may stand in sluice.conf. */
    {"InaccessiblePaths", SL_UNIT_WORDS, "-/etc/sluice -/var/log/sluice", 0},
};

static const SlUnitMount connector_mounts[] = {
    {NULL, "/run", "mode=0755,size=1m", TRUE, FALSE},
    {NULL, SL_INIT_FILES, "mode=1777,size=256m", TRUE, FALSE},
    {NULL, "/dev/shm", "mode=1777,size=64m", TRUE, FALSE},
    /* What /etc/resolv.conf may point to. */
    {"/run/systemd/resolve", "/run/systemd/resolve", NULL, FALSE, TRUE},
    {"/run/resolvconf", "/run/resolvconf", NULL, FALSE, TRUE},
    {"/run/NetworkManager", "/run/NetworkManager", NULL, FALSE, TRUE},
};

static const char *const connector_environment[] = {
    "PATH=/usr/local/bin:/usr/bin:/bin",
    "LANG=C.UTF-8",
    "HOME=/tmp",
};

static const SlUnitSetting slice_policy[] = {
    {"StopWhenUnneeded", SL_UNIT_BOOL, NULL, TRUE},
};

static const SlUnitSetting scope_policy[] = {
    {"CollectMode", SL_UNIT_STRING, "inactive-or-failed", 0},
    {"SendSIGHUP", SL_UNIT_BOOL, NULL, FALSE},
};

/* --- building ----------------------------------------------------------------------------------
 */

LauncherUnit *
launcher_unit_new(const char *name, char *description)
{
    LauncherUnit *unit = g_new0(LauncherUnit, 1);
    unit->owned = g_ptr_array_new_with_free_func(g_free);
    unit->mounts = g_array_new(FALSE, FALSE, sizeof(SlUnitMount));
    unit->policy = g_array_new(FALSE, FALSE, sizeof(SlUnitSetting));
    unit->command = g_ptr_array_new_with_free_func(g_free);
    unit->command_after = g_ptr_array_new_with_free_func(g_free);
    unit->environment = g_ptr_array_new_with_free_func(g_free);
    unit->log_fields = g_ptr_array_new_with_free_func(g_free);
    unit->names = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(unit->owned, description);
    unit->spec.name = name;
    unit->spec.description = description;
    return unit;
}

static const char *
own(LauncherUnit *unit, const char *text)
{
    char *copy = g_strdup(text);
    if (copy != NULL)
        g_ptr_array_add(unit->owned, copy);
    return copy;
}

void
launcher_unit_add_word(LauncherUnit *unit, const char *word)
{
    g_ptr_array_add(unit->command, g_strdup(word));
}

void
launcher_unit_add_word_after(LauncherUnit *unit, const char *word)
{
    g_ptr_array_add(unit->command_after, g_strdup(word));
}

void
launcher_unit_add_environment(LauncherUnit *unit, const char *assignment)
{
    g_ptr_array_add(unit->environment, g_strdup(assignment));
}

void
launcher_unit_add_mount(LauncherUnit *unit, const char *source, const char *target,
                        const char *options, gboolean writable, gboolean optional)
{
    SlUnitMount mount = {own(unit, source), own(unit, target), own(unit, options), writable,
                         optional};
    g_array_append_val(unit->mounts, mount);
}

void
launcher_unit_add_setting(LauncherUnit *unit, const SlUnitSetting *setting)
{
    SlUnitSetting copy = *setting;
    copy.text = own(unit, setting->text);
    g_array_append_val(unit->policy, copy);
}

/* The unit's own; its name is kept by it. */
LauncherUnit *
launcher_unit_add_aux(LauncherUnit *unit, const char *name, const char *description)
{
    launcher_unit_free(unit->aux);
    unit->aux = launcher_unit_new(own(unit, name), g_strdup(description));
    return unit->aux;
}

void
launcher_unit_add_log_fields(LauncherUnit *unit, const LauncherWorkload *workload)
{
    g_auto(GStrv) fields = launcher_workload_log_fields(workload);
    for (guint i = 0; fields[i] != NULL; i++)
        g_ptr_array_add(unit->log_fields, g_strdup(fields[i]));
}

static const char *const *
seal_strings(GPtrArray *strings)
{
    if (strings->len == 0)
        return NULL;
    g_ptr_array_add(strings, NULL);
    return (const char *const *)strings->pdata;
}

/* Points the specification at what was collected. */
LauncherUnit *
launcher_unit_seal(LauncherUnit *unit)
{
    unit->spec.command = seal_strings(unit->command);
    unit->spec.command_after = seal_strings(unit->command_after);
    unit->spec.environment = seal_strings(unit->environment);
    unit->spec.log_fields = seal_strings(unit->log_fields);
    unit->spec.binds_to = unit->spec.before = seal_strings(unit->names);
    unit->spec.mounts = (const SlUnitMount *)unit->mounts->data;
    unit->spec.n_mounts = unit->mounts->len;
    unit->spec.policy = (const SlUnitSetting *)unit->policy->data;
    unit->spec.n_policy = unit->policy->len;
    if (unit->aux != NULL)
        launcher_unit_seal(unit->aux);
    return unit;
}

void
launcher_unit_free(LauncherUnit *unit)
{
    if (unit == NULL)
        return;
    launcher_unit_free(unit->aux);
    g_ptr_array_unref(unit->owned);
    g_ptr_array_unref(unit->command);
    g_ptr_array_unref(unit->command_after);
    g_ptr_array_unref(unit->environment);
    g_ptr_array_unref(unit->log_fields);
    g_ptr_array_unref(unit->names);
    g_strfreev(unit->allowed);
    g_array_unref(unit->mounts);
    g_array_unref(unit->policy);
    g_free(unit);
}

/* --- limits ------------------------------------------------------------------------------------
 */

static guint64
memory_of(const LauncherLaunch *launch, const SlConfig *config)
{
    return launch->memory_max != 0 ? launch->memory_max : (guint64)config->connector_memory_max;
}

static guint64
tasks_of(const LauncherLaunch *launch, const SlConfig *config)
{
    return launch->tasks_max != 0 ? launch->tasks_max : (guint64)config->connector_tasks_max;
}

static guint64
runtime_of(const LauncherWorkload *workload, const LauncherLaunch *launch, const SlConfig *config)
{
    if (launch->runtime_max_usec != 0)
        return launch->runtime_max_usec;
    return (guint64)(g_strcmp0(workload->type, "sync") == 0 ? config->connector_time_usec
                                                            : config->connector_job_time_usec);
}

/* --- the three units ---------------------------------------------------------------------------
 */

LauncherUnit *
launcher_policy_slice(const LauncherWorkload *workload, const SlConfig *config)
{
    LauncherUnit *unit =
        launcher_unit_new(workload->slice, g_strdup_printf("Sluice workload %s", workload->id));
    unit->spec.memory_max = LAUNCHER_ORCHESTRATOR_MEMORY;
    unit->spec.tasks_max = LAUNCHER_ORCHESTRATOR_TASKS;
    for (int role = 0; role < LAUNCHER_N_ROLES; role++) {
        if (workload->launch[role] == NULL)
            continue;
        unit->spec.memory_max += memory_of(workload->launch[role], config);
        unit->spec.tasks_max += tasks_of(workload->launch[role], config);
        /* A container that systemd gives its groups is in the slice, and in no unit of ours that
         * could say so. The orchestrator has no network at all. */
        const LauncherBackend *backend =
            launcher_backend_find(workload->launch[role]->runtime, NULL);
        if (backend != NULL && backend->build != NULL)
            unit->spec.deny_local_addresses = TRUE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(slice_policy); i++)
        launcher_unit_add_setting(unit, &slice_policy[i]);
    return launcher_unit_seal(unit);
}

LauncherUnit *
launcher_policy_scope(const LauncherWorkload *workload, guint32 pid)
{
    LauncherUnit *unit = launcher_unit_new(
        workload->orchestrator, g_strdup_printf("Sluice orchestrator of %s", workload->id));
    unit->spec.slice = workload->slice;
    unit->spec.pid = pid;
    unit->spec.timeout_stop_usec = LAUNCHER_STOP_USEC;
    for (gsize i = 0; i < G_N_ELEMENTS(scope_policy); i++)
        launcher_unit_add_setting(unit, &scope_policy[i]);
    return launcher_unit_seal(unit);
}

/* State folders: StateDirectory= hands them to the dynamic user at each start. */
static void
add_state(LauncherUnit *unit, const LauncherLaunch *launch)
{
    static const SlUnitSetting user = {"User", SL_UNIT_STRING, STATE_USER, 0};
    g_autoptr(GString) folders = g_string_new(NULL);
    for (guint i = 0; launch->writable != NULL && launch->writable[i] != NULL; i++) {
        g_string_append(folders, folders->len > 0 ? " " : "");
        g_string_append(folders, launch->writable[i] + strlen(LAUNCHER_STATE_ROOT "/"));
    }
    if (folders->len == 0)
        return;
    launcher_unit_add_setting(unit, &user);
    launcher_unit_add_setting(unit,
                              &(SlUnitSetting){"StateDirectory", SL_UNIT_WORDS, folders->str, 0});
}

static void
add_sandbox(LauncherUnit *unit, const LauncherWorkload *workload, LauncherRole role,
            const LauncherPaths *paths)
{
    static const SlUnitSetting no_network = {"PrivateNetwork", SL_UNIT_BOOL, NULL, TRUE};
    const LauncherLaunch *launch = workload->launch[role];
    g_autofree char *sockets =
        g_build_filename(paths->workloaddir, workload->compact, launcher_role_name(role), NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(connector_policy); i++)
        launcher_unit_add_setting(unit, &connector_policy[i]);
    for (gsize i = 0; i < G_N_ELEMENTS(connector_mounts); i++) {
        const SlUnitMount *mount = &connector_mounts[i];
        launcher_unit_add_mount(unit, mount->source, mount->target, mount->options, mount->writable,
                                mount->optional);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(connector_environment); i++)
        launcher_unit_add_environment(unit, connector_environment[i]);
    launcher_unit_add_mount(unit, sockets, SANDBOX_SOCKET_DIR, NULL, TRUE, FALSE);
    for (guint i = 0; launch->readable != NULL && launch->readable[i] != NULL; i++)
        launcher_unit_add_mount(unit, launch->readable[i], launch->readable[i], NULL, FALSE, FALSE);
    add_state(unit, launch);
    if (!launch->network)
        launcher_unit_add_setting(unit, &no_network);
}

/* In the unit itself, supervised by sluice-init. */
static gboolean
build_inside(const LauncherBackend *backend, const LauncherPlace *place, LauncherUnit *unit,
             GError **error)
{
    g_autofree char *init = g_build_filename(place->paths->libexecdir, "sluice-init", NULL);
    add_sandbox(unit, place->workload, place->role, place->paths);
    launcher_unit_add_word(unit, init);
    launcher_unit_add_word(unit, "--");
    unit->spec.deny_local_addresses = TRUE;
    unit->allowed = g_strdupv(place->launch->allowed);
    unit->spec.allowed_addresses = (const char *const *)unit->allowed;
    unit->spec.memory_max = place->memory_max;
    unit->spec.tasks_max = place->tasks_max;
    unit->spec.cpu_percent = place->cpu_percent;
    return backend->compose(place->launch, place->paths, unit, error);
}

LauncherUnit *
launcher_policy_connector(const LauncherWorkload *workload, LauncherRole role,
                          const SlConfig *config, const LauncherPaths *paths, GError **error)
{
    const LauncherLaunch *launch = workload->launch[role];
    const char *name = launcher_role_name(role);
    if (launch == NULL) {
        sl_error_set(error, SL_ERROR_INVALID, "workload '%s' has no %s", workload->id, name);
        return NULL;
    }
    g_autoptr(LauncherUnit) unit = launcher_unit_new(
        workload->connector[role], g_strdup_printf("Sluice %s of %s", name, workload->id));
    const LauncherBackend *backend = launcher_backend_find(launch->runtime, error);
    const LauncherPlace place = {
        .workload = workload,
        .launch = launch,
        .role = role,
        .config = config,
        .paths = paths,
        .memory_max = memory_of(launch, config),
        .tasks_max = tasks_of(launch, config),
        .cpu_percent =
            launch->cpu_percent != 0 ? launch->cpu_percent : (guint64)config->connector_cpu_percent,
    };

    if (backend == NULL || !(backend->build != NULL ? backend->build(&place, unit, error)
                                                    : build_inside(backend, &place, unit, error))) {
        g_prefix_error(error, "launch.%s.", name);
        return NULL;
    }
    launcher_unit_add_log_fields(unit, workload);
    if (workload->orchestrator != NULL)
        g_ptr_array_add(unit->names, g_strdup(workload->orchestrator));
    unit->spec.slice = workload->slice;
    unit->spec.runtime_max_usec = runtime_of(workload, launch, config);
    unit->spec.timeout_stop_usec = LAUNCHER_STOP_USEC;
    unit->spec.syslog_identifier =
        own(unit, role == LAUNCHER_SOURCE ? "sluice-source" : "sluice-destination");
    return launcher_unit_seal(g_steal_pointer(&unit));
}
