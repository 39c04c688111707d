/* SPDX-License-Identifier: Apache-2.0 */
/* The helper for images, started by sluicectl: fetches and unpacks them in its sandbox, and writes
 * bundles. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"
#include "sl-json-read.h"
#include "sl-oci-archive.h"
#include "sl-oci-build.h"
#include "sl-oci-bundle.h"
#include "sl-oci-credential.h"

#define COPY_BLOCK (1024 * 1024)
#define MAX_SETTINGS (2 * 1024 * 1024)
#define POLICY "/etc/containers/policy.json"

static const char usage[] =
    "Usage: sluice-oci fetch IMAGE FOLDER <SETTINGS     from a registry, by skopeo\n"
    "       sluice-oci load NAME FOLDER <ARCHIVE\n"
    "       sluice-oci unpack FOLDER STORE REFERENCE\n"
    "       sluice-oci bundle ROOT LABEL=VALUE… >ARCHIVE\n"
    "       sluice-oci --version, --help\n"
    "SETTINGS is {\"env\": {NAME: VALUE}, \"auth\": TEXT}: the environment that skopeo gets, and\n"
    "credentials as 'skopeo login' keeps them, unless there is the credential\n"
    "'" SL_OCI_CREDENTIAL "'.\n";

/* --- from a registry ---------------------------------------------------------------------------
 */

/* The stored credential wins: it is the administrator's word for the whole host. */
static gboolean
keep_auth(const char *folder, const SlJsonDoc *settings, char **ret_path, GError **error)
{
    const char *credentials = g_getenv("CREDENTIALS_DIRECTORY");
    g_autofree char *stored =
        credentials != NULL ? g_build_filename(credentials, SL_OCI_CREDENTIAL, NULL) : NULL;
    g_autofree char *auth =
        sl_json_dup_string(sl_json_get(settings, sl_json_root(settings), "auth"));
    if (stored != NULL && access(stored, R_OK) == 0) {
        *ret_path = g_steal_pointer(&stored);
        fputs("with the host's credentials\n", stderr);
        return TRUE;
    }
    if (auth == NULL || *auth == '\0')
        return TRUE;
    *ret_path = g_build_filename(folder, "auth.json", NULL);
    return g_file_set_contents_full(*ret_path, auth, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                    error);
}

static void
set_environment(const SlJsonDoc *settings)
{
    const SlJsonNode *env = sl_json_get(settings, sl_json_root(settings), "env");
    if (env == NULL || env->type != SL_JSON_OBJECT)
        return;
    SL_JSON_FOREACH (settings, env, key) {
        g_autofree char *name = sl_json_dup_string(key);
        g_autofree char *value = sl_json_dup_string(key + 1);
        if (name != NULL && value != NULL)
            g_setenv(name, value, TRUE);
    }
}

/* Becomes skopeo: what it says is what the administrator reads. */
static gboolean
become_skopeo(const char *source, const char *folder, char *auth, GError **error)
{
    g_autofree char *target = g_strconcat("oci:", folder, "/layout:image", NULL);
    g_autoptr(GPtrArray) command = g_ptr_array_new();
    g_ptr_array_add(command, (char *)"skopeo");
    if (access(POLICY, R_OK) != 0)
        g_ptr_array_add(command, (char *)"--insecure-policy");
    g_ptr_array_add(command, (char *)"copy");
    if (auth != NULL) {
        g_ptr_array_add(command, (char *)"--src-authfile");
        g_ptr_array_add(command, auth);
    }
    g_ptr_array_add(command, (char *)source);
    g_ptr_array_add(command, target);
    g_ptr_array_add(command, NULL);
    g_setenv("TMPDIR", folder, TRUE);   /* what it keeps in passing is as large as an image */
    dup2(STDERR_FILENO, STDOUT_FILENO); /* its progress is no answer */
    execvp("skopeo", (char **)command->pdata);
    if (errno == ENOENT)
        return sl_error_set(error, SL_ERROR_CONFIG,
                            "there is no skopeo, which fetches images from registries and reads "
                            "older archives of Docker");
    return sl_error_set_errno(error, errno, "skopeo");
}

static gboolean
fetch(char **argv, GError **error)
{
    g_autofree char *auth = NULL, *source = g_strconcat("docker://", argv[0], NULL);
    gsize len;
    g_autofree char *text = sl_fd_read_all(STDIN_FILENO, MAX_SETTINGS, &len, error);
    g_autoptr(SlJsonDoc) settings = text != NULL ? sl_json_read(text, len, NULL, error) : NULL;
    if (settings == NULL) {
        g_prefix_error(error, "settings: ");
        return FALSE;
    }
    if (g_mkdir_with_parents(argv[1], 0755) != 0)
        return sl_error_set_errno(error, errno, "'%s'", argv[1]);
    set_environment(settings);
    return keep_auth(argv[1], settings, &auth, error) &&
           become_skopeo(source, argv[1], auth, error);
}

/* --- from a file -------------------------------------------------------------------------------
 */

static gboolean
keep_archive(const char *path, GError **error)
{
    g_autofree guint8 *buffer = g_malloc(COPY_BLOCK);
    sl_autofd int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t n = -1;
    if (out < 0)
        return sl_error_set_errno(error, errno, "'%s'", path);
    while ((n = read(STDIN_FILENO, buffer, COPY_BLOCK)) > 0)
        if (!sl_fd_write_all(out, buffer, (gsize)n, error))
            return FALSE;
    return n == 0 || sl_error_set_errno(error, errno, "reading the image");
}

static gboolean
load(char **argv, GError **error)
{
    g_autofree char *file = g_build_filename(argv[1], "image.tar", NULL);
    g_autofree char *layout = g_build_filename(argv[1], "layout", NULL);
    SlOciArchiveKind kind;
    if (g_mkdir_with_parents(layout, 0755) != 0)
        return sl_error_set_errno(error, errno, "'%s'", layout);
    if (!keep_archive(file, error) || !sl_oci_archive_detect(file, &kind, error)) {
        g_prefix_error(error, "'%s': ", argv[0]);
        return FALSE;
    }
    if (kind == SL_OCI_ARCHIVE_DOCKER) {
        g_autofree char *source = g_strconcat("docker-archive:", file, NULL);
        return become_skopeo(source, argv[1], NULL, error);
    }
    if (sl_oci_archive_unpack(file, layout, error) && unlink(file) == 0)
        return TRUE;
    g_prefix_error(error, "'%s': ", argv[0]);
    return FALSE;
}

/* --- the rest ----------------------------------------------------------------------------------
 */

static gboolean
unpack(char **argv, GError **error)
{
    static const SlOciLimits limits = {SL_OCI_MAX_BYTES, SL_OCI_MAX_ENTRIES};
    g_autofree char *layout = g_build_filename(argv[0], "layout", NULL);
    g_autoptr(SlOciRecord) record = sl_oci_build(layout, argv[1], argv[0], argv[2], &limits, error);
    if (record == NULL)
        return FALSE;
    g_autofree char *text = sl_oci_record_print(record);
    if (puts(text) < 0 || fflush(stdout) != 0)
        return sl_error_set_errno(error, errno, "standard output");
    return TRUE;
}

static gboolean
bundle(char **argv, GError **error)
{
    return sl_oci_bundle_write(argv[0], (const char *const *)argv + 1, STDOUT_FILENO, error);
}

static const struct {
    const char *name;
    int min, max; /* arguments */
    gboolean (*run)(char **argv, GError **error);
} commands[] = {
    {"fetch", 2, 2, fetch},
    {"load", 2, 2, load},
    {"unpack", 3, 3, unpack},
    {"bundle", 1, 16, bundle},
};

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    setlocale(LC_ALL, "C.UTF-8"); /* names of files, as archives have them */
    umask(022);
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return puts("sluice-oci " PACKAGE_VERSION) < 0;
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(usage, stdout) < 0;
    for (gsize i = 0; argc > 1 && i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(argv[1], commands[i].name) != 0 || argc - 2 < commands[i].min ||
            argc - 2 > commands[i].max)
            continue;
        if (commands[i].run(argv + 2, &error))
            return 0;
        fprintf(stderr, "sluice-oci: %s\n", error->message);
        return 1;
    }
    fputs(usage, stderr);
    return 2;
}
