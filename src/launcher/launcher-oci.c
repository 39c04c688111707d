/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "launcher-oci.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-oci-record.h"

#define SWEEP_AFTER_SEC 60                  /* systemd makes a folder just before it mounts */
#define SUPERVISOR "/run/sluice-supervisor" /* sluice-init, as the sandbox sees it */
#define CERTIFICATES "/run/sluice-certificates.pem"
#define OWN_COMMAND "image" /* command[0]: what the image itself says */

/* Where distributions keep the authorities that the administrator trusts, in one file. */
static const char *const bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
};

/* Libraries that look at their own copy unless told. */
static const char *const bundle_names[] = {
    "SSL_CERT_FILE=" CERTIFICATES,
    "REQUESTS_CA_BUNDLE=" CERTIFICATES,
    "NODE_EXTRA_CA_CERTS=" CERTIFICATES,
};

static const SlUnitSetting mount_policy[] = {
    {"DefaultDependencies", SL_UNIT_BOOL, NULL, FALSE},
    {"CollectMode", SL_UNIT_STRING, "inactive-or-failed", 0},
    {"StopWhenUnneeded", SL_UNIT_BOOL, NULL, TRUE},
    {"What", SL_UNIT_STRING, "overlay", 0},
    {"Type", SL_UNIT_STRING, "overlay", 0},
};

/* Besides the common policy; later values of the same property win. */
static const SlUnitSetting root_policy[] = {
    {"MountAPIVFS", SL_UNIT_BOOL, NULL, TRUE},
    /* Its home folders are the image's own, with programs in them. */
    {"ProtectHome", SL_UNIT_STRING, "no", 0},
};

/* /run/sluice/roots/x_y → run-sluice-roots-x_y.mount (systemd.unit(5), "String escaping"): of the
 * characters that stand in names of ours only "-" would have to be escaped, so there is none. */
static char *
root_of_unit(const char *unit_name)
{
    g_autofree char *stem = g_strndup(unit_name, strcspn(unit_name, "."));
    g_strdelimit(stem, "-", '_');
    return g_strconcat(LAUNCHER_OCI_ROOTS "/", stem, NULL);
}

static void
add_overlay(LauncherUnit *unit, const char *where, const char *lowerdir)
{
    const char *stem = strrchr(where, '/') + 1;
    g_autofree char *name = g_strconcat("run-sluice-roots-", stem, ".mount", NULL);
    g_autofree char *options = g_strconcat("ro,nodev,nosuid,", lowerdir, NULL);
    LauncherUnit *mount = launcher_unit_add_aux(unit, name, "Root of a Sluice connector");
    for (gsize i = 0; i < G_N_ELEMENTS(mount_policy); i++)
        launcher_unit_add_setting(mount, &mount_policy[i]);
    launcher_unit_add_setting(mount, &(SlUnitSetting){"Where", SL_UNIT_STRING, where, 0});
    launcher_unit_add_setting(mount, &(SlUnitSetting){"Options", SL_UNIT_STRING, options, 0});
}

static void
add_root(LauncherUnit *unit, const SlOciRecord *record, const char *where, const char *init)
{
    for (gsize i = 0; i < G_N_ELEMENTS(root_policy); i++)
        launcher_unit_add_setting(unit, &root_policy[i]);
    launcher_unit_add_setting(unit, &(SlUnitSetting){"RootDirectory", SL_UNIT_STRING, where, 0});
    launcher_unit_add_setting(
        unit, &(SlUnitSetting){"WorkingDirectory", SL_UNIT_STRING, record->directory, 0});
    launcher_unit_add_mount(unit, init, SUPERVISOR, NULL, FALSE, FALSE);
    launcher_unit_add_mount(unit, "/etc/resolv.conf", "/etc/resolv.conf", NULL, FALSE, TRUE);
    for (gsize i = 0; i < G_N_ELEMENTS(bundles); i++) {
        if (access(bundles[i], R_OK) != 0)
            continue;
        launcher_unit_add_mount(unit, bundles[i], CERTIFICATES, NULL, FALSE, TRUE);
        for (gsize j = 0; j < G_N_ELEMENTS(bundle_names); j++)
            launcher_unit_add_environment(unit, bundle_names[j]);
        break;
    }
}

/* sluice-init lets little of its own environment through, so the image's comes as options. */
static void
add_command(LauncherUnit *unit, const LauncherLaunch *launch, const SlOciRecord *record)
{
    gboolean own = strcmp(launch->command[0], OWN_COMMAND) == 0;
    g_ptr_array_set_size(unit->command, 0);
    launcher_unit_add_word(unit, SUPERVISOR);
    for (guint i = 0; record->environment[i] != NULL; i++) {
        launcher_unit_add_word(unit, "--env");
        launcher_unit_add_word(unit, record->environment[i]);
    }
    launcher_unit_add_word(unit, "--");
    for (guint i = 0; own && record->command[i] != NULL; i++)
        launcher_unit_add_word(unit, record->command[i]);
    for (guint i = own ? 1 : 0; launch->command[i] != NULL; i++)
        launcher_unit_add_word(unit, launch->command[i]);
}

static gboolean
check_launch(const LauncherLaunch *launch, const LauncherPaths *paths, GError **error)
{
    if (launch->tree == NULL || !sl_oci_is_root(paths->imagedir, launch->tree))
        return sl_error_set(error, SL_ERROR_INVALID, "tree: '%s' is no image of '%s'",
                            launch->tree != NULL ? launch->tree : "", paths->imagedir);
    if (strcmp(launch->command[0], OWN_COMMAND) != 0 && !launcher_path_is_plain(launch->command[0]))
        return sl_error_set(error, SL_ERROR_INVALID,
                            "command: '%s' is neither '" OWN_COMMAND
                            "' nor the absolute path of a program in the image",
                            launch->command[0]);
    if (launch->readable != NULL && launch->readable[0] != NULL)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "readable: '%s': an image sees no paths of the host",
                            launch->readable[0]);
    return TRUE;
}

gboolean
launcher_oci_compose(const LauncherLaunch *launch, const LauncherPaths *paths, LauncherUnit *unit,
                     GError **error)
{
    if (!check_launch(launch, paths, error))
        return FALSE;
    g_autoptr(SlOciRecord) record = sl_oci_record_load(launch->tree, error);
    g_autofree char *lowerdir =
        record != NULL ? sl_oci_record_lowerdir(record, launch->tree, error) : NULL;
    if (lowerdir == NULL) {
        g_prefix_error(error, "tree: ");
        return FALSE;
    }
    g_autofree char *where = root_of_unit(unit->spec.name);
    g_autofree char *init = g_build_filename(paths->libexecdir, "sluice-init", NULL);
    add_overlay(unit, where, lowerdir);
    add_root(unit, record, where, init);
    /* Where StateDirectory= puts folders that stay; the image itself is read-only. */
    if (launch->writable != NULL && launch->writable[0] != NULL)
        launcher_unit_add_mount(unit, NULL, "/var/lib/sluice", "mode=0755,size=1m", TRUE, FALSE);
    add_command(unit, launch, record);
    return TRUE;
}

/* systemd leaves the folders of mounts behind. One that is mounted on, or not empty, refuses. */
void
launcher_oci_sweep(const char *roots)
{
    g_autoptr(GDir) dir = g_dir_open(roots, 0, NULL);
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(roots, name, NULL);
        GStatBuf st;
        if (g_lstat(path, &st) == 0 && st.st_mtime + SWEEP_AFTER_SEC < now)
            g_rmdir(path);
    }
}
