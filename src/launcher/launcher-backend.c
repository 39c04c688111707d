/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "launcher-backend.h"

#include <string.h>

#include "launcher-docker.h"
#include "launcher-oci.h"
#include "sl-error.h"

static void
add_words(LauncherUnit *unit, char *const *words)
{
    for (; *words != NULL; words++)
        launcher_unit_add_word(unit, *words);
}

static gboolean
is_file_name(const char *name)
{
    return *name != '.' && *name != '\0' && strchr(name, '/') == NULL;
}

/* No writable code: what JIT compilers of other runtimes need, ours do not. */
static void
forbid_writable_code(LauncherUnit *unit)
{
    static const SlUnitSetting setting = {"MemoryDenyWriteExecute", SL_UNIT_BOOL, NULL, TRUE};
    launcher_unit_add_setting(unit, &setting);
}

static gboolean
compose_native(const LauncherLaunch *launch, const LauncherPaths *paths, LauncherUnit *unit,
               GError **error)
{
    if (!is_file_name(launch->command[0]))
        return sl_error_set(error, SL_ERROR_INVALID,
                            "command: '%s' is no name of a native connector", launch->command[0]);
    g_autofree char *program = g_build_filename(paths->connectordir, launch->command[0], NULL);
    launcher_unit_add_word(unit, program);
    add_words(unit, launch->command + 1);
    forbid_writable_code(unit);
    return TRUE;
}

static gboolean
compose_exec(const LauncherLaunch *launch, const LauncherPaths *paths, LauncherUnit *unit,
             GError **error)
{
    if (!launcher_path_is_plain(launch->command[0]))
        return sl_error_set(error, SL_ERROR_INVALID,
                            "command: '%s' is no plain absolute path of a program",
                            launch->command[0]);
    /* Home folders and /tmp are hidden in the sandbox; the program's own folder is not. */
    g_autofree char *folder = g_path_get_dirname(launch->command[0]);
    if (strcmp(folder, "/") != 0)
        launcher_unit_add_mount(unit, folder, folder, NULL, FALSE, FALSE);
    add_words(unit, launch->command);
    return TRUE;
}

/* A module by `python -m`, or a console script when the tree has one of that name. */
static gboolean
compose_pypi(const LauncherLaunch *launch, const LauncherPaths *paths, LauncherUnit *unit,
             GError **error)
{
    g_autofree char *prefix = g_strconcat(paths->treedir, "/", NULL);
    if (launch->tree == NULL || !launcher_path_is_plain(launch->tree) ||
        !g_str_has_prefix(launch->tree, prefix))
        return sl_error_set(error, SL_ERROR_INVALID, "tree: '%s' is no folder below '%s'",
                            launch->tree != NULL ? launch->tree : "", paths->treedir);
    if (!is_file_name(launch->command[0]) || *launch->command[0] == '-')
        return sl_error_set(error, SL_ERROR_INVALID, "command: '%s' is no module",
                            launch->command[0]);
    g_autofree char *python = g_build_filename(launch->tree, "bin", "python", NULL);
    g_autofree char *script = g_build_filename(launch->tree, "bin", launch->command[0], NULL);
    launcher_unit_add_word(unit, python);
    if (g_file_test(script, G_FILE_TEST_IS_REGULAR)) {
        launcher_unit_add_word(unit, script);
    } else {
        launcher_unit_add_word(unit, "-m");
        launcher_unit_add_word(unit, launch->command[0]);
    }
    add_words(unit, launch->command + 1);
    launcher_unit_add_environment(unit, "PYTHONDONTWRITEBYTECODE=1");
    launcher_unit_add_environment(unit, "PYTHONUTF8=1");
    return TRUE;
}

static const LauncherBackend backends[] = {
    {"native", compose_native, NULL},
    {"exec", compose_exec, NULL},
    {"pypi", compose_pypi, NULL},
    /* an environment that it shares with others; the manifest comes with the configuration */
    {"manifest", compose_pypi, NULL},
    {"oci", launcher_oci_compose, NULL},
    {"docker", NULL, launcher_docker_build},
};

const LauncherBackend *
launcher_backend_find(const char *runtime, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(backends); i++)
        if (strcmp(runtime, backends[i].runtime) == 0)
            return &backends[i];
    sl_error_set(error, SL_ERROR_INVALID, "runtime: this launcher does not know '%s'", runtime);
    return NULL;
}
