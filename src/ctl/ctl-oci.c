/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-oci.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl-image.h"
#include "ctl-object.h"
#include "ctl-sandbox.h"
#include "sl-error.h"
#include "sl-fd.h"
#include "sl-json-write.h"
#include "sl-oci-credential.h"
#include "sl-oci-store.h"

#define HELPER SL_LIBEXECDIR "/sluice-oci"
/* The folder of the sandbox is one for all builds. */
#define LOCK_FILE "/run/lock/sluice-pypi.lock"
#define FOLDER CTL_SANDBOX_FOLDER "/work"
#define REAL_FOLDER CTL_SANDBOX_REAL_FOLDER "/work"
#define MAX_AUTH (1024 * 1024)

static const char *const fetch_properties[] = {"RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
                                               "InaccessiblePaths=-/var/lib/sluice", NULL};
static const char *const fetch_properties_with_credential[] = {
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6", "InaccessiblePaths=-/var/lib/sluice",
    "LoadCredentialEncrypted=" SL_OCI_CREDENTIAL, NULL};
static const char *const unpack_properties[] = {"PrivateNetwork=yes",
                                                "RestrictAddressFamilies=AF_UNIX", NULL};

void
ctl_oci_free(CtlOci *oci)
{
    if (oci == NULL)
        return;
    g_free(oci->name);
    g_free(oci->version);
    g_free(oci->type);
    g_free(oci->title);
    g_free(oci->tree);
    g_free(oci);
}

gboolean
ctl_oci_is_tree(const char *tree)
{
    return sl_oci_is_root(SL_OCI_STORE, tree);
}

static gboolean
check_host(gboolean needs_skopeo, GError **error)
{
    g_autofree char *skopeo = g_find_program_in_path("skopeo");
    if (geteuid() != 0)
        return sl_error_set(error, SL_ERROR_FORBIDDEN, _("only root can install images"));
    if (access("/run/systemd/system", F_OK) != 0)
        return sl_error_set(error, SL_ERROR_CONFIG,
                            _("images are unpacked in a sandbox, and this host is not run by "
                              "systemd"));
    if (needs_skopeo && skopeo == NULL)
        return sl_error_set(error, SL_ERROR_CONFIG,
                            _("images are fetched by the package skopeo, which is not here"));
    return TRUE;
}

/* --- settings of skopeo ------------------------------------------------------------------------
 */

/* What 'skopeo login', 'podman login' and 'docker login' of the caller have left. */
static char *
read_auth(void)
{
    const char *runtime = g_getenv("XDG_RUNTIME_DIR"), *file = g_getenv("REGISTRY_AUTH_FILE");
    g_autofree char *own = g_build_filename(runtime != NULL ? runtime : "/run/containers/0",
                                            "containers/auth.json", NULL);
    g_autofree char *docker = g_build_filename(g_get_home_dir(), ".docker/config.json", NULL);
    const char *const paths[] = {file, own, "/run/containers/0/auth.json", docker};
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        sl_autofd int fd = paths[i] != NULL ? open(paths[i], O_RDONLY | O_CLOEXEC) : -1;
        char *text = fd >= 0 ? sl_fd_read_all(fd, MAX_AUTH, NULL, NULL) : NULL;
        if (text != NULL)
            return text;
    }
    return NULL;
}

/* They go through a pipe: a proxy's address may hold a password, and everybody can read the
 * environment of a unit. */
static char *
settings_json(void)
{
    static const char *const names[] = {"HTTP_PROXY",    "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
                                        "http_proxy",    "https_proxy", "all_proxy", "no_proxy",
                                        "SSL_CERT_FILE", "SSL_CERT_DIR"};
    g_autofree char *auth = read_auth();
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "auth", auth);
    sl_json_key(&w, "env");
    sl_json_begin_object(&w);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_getenv(names[i]) != NULL)
            sl_json_member_string(&w, names[i], g_getenv(names[i]));
    sl_json_end_object(&w);
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

/* --- into the store ----------------------------------------------------------------------------
 */

static gboolean
store_layers(const SlOciRecord *record, GError **error)
{
    for (guint i = 0; record->layers[i] != NULL; i++) {
        g_autofree char *made = g_build_filename(REAL_FOLDER "/layers", record->layers[i], NULL);
        g_autofree char *kept = g_build_filename(SL_OCI_STORE "/layers", record->layers[i], NULL);
        if (access(kept, F_OK) != 0 &&
            (!ctl_tree_adopt_layer(made, error) || !ctl_tree_move(made, kept, error)))
            return FALSE;
    }
    return TRUE;
}

/* Layers first: an image that is there is whole. */
static gboolean
store_image(CtlOci *oci, const SlOciRecord *record, GError **error)
{
    const char *colon = strchr(record->image, ':');
    oci->tree = g_build_filename(SL_OCI_STORE "/roots", colon != NULL ? colon + 1 : "", NULL);
    if (!ctl_oci_is_tree(oci->tree))
        return sl_error_set(error, SL_ERROR_PROTOCOL, _("sluice-oci gave no digest"));
    if (access(oci->tree, F_OK) == 0) {
        sl_oci_store_keep(SL_OCI_STORE, oci->tree);
        return TRUE;
    }
    if (!store_layers(record, error) || !ctl_tree_adopt(REAL_FOLDER "/root", error) ||
        !ctl_tree_move(REAL_FOLDER "/root", oci->tree, error))
        return FALSE;
    oci->made = TRUE;
    return TRUE;
}

/* Labels are foreign text; what is no plain word of a name is as good as not there. */
static char *
plain_label(const char *label, const char *pattern)
{
    return label != NULL && strlen(label) < 200 &&
                   g_regex_match_simple(pattern, label, G_REGEX_DOLLAR_ENDONLY, 0)
               ? g_strdup(label)
               : NULL;
}

/* By what it was asked for, or, from a file, by its labels. */
static void
describe(CtlOci *oci, const SlOciRecord *record, const char *image)
{
    g_autofree char *version = plain_label(record->version, "^[A-Za-z0-9._+-]+$");
    const char *colon = strchr(record->image, ':');
    oci->type = plain_label(record->type, "^(source|destination)$");
    oci->title = plain_label(record->title, "^[^[:cntrl:]]+$");
    if (image != NULL) {
        g_autofree char *path = NULL;
        ctl_image_split(image, &path, &oci->version);
        oci->name = strchr(path, '/') != NULL ? g_steal_pointer(&path)
                                              : g_strconcat("library/", path, NULL);
        if (version != NULL && strcmp(oci->version, "latest") == 0) {
            g_free(oci->version);
            oci->version = g_steal_pointer(&version);
        }
        return;
    }
    oci->name = plain_label(record->name, "^[a-z0-9]([a-z0-9.:_-]|/[a-z0-9])*$");
    if (oci->name == NULL)
        oci->name = g_strconcat("oci/", record->reference, NULL);
    oci->version = version != NULL ? g_steal_pointer(&version) : g_strndup(colon + 1, 12);
}

/* --- the two steps -----------------------------------------------------------------------------
 */

typedef struct {
    const char *image; /* NULL: from a file */
    const char *shown; /* how messages call it */
    int archive;       /* -1: from a registry */
} Origin;

static CtlOci *
unpack(Ctl *ctl, const Origin *origin, GError **error)
{
    const char *const argv[] = {HELPER, "unpack", FOLDER, SL_OCI_STORE, origin->shown, NULL};
    g_autofree char *title = g_strdup_printf(_("Unpacking %s"), origin->shown);
    CtlSandbox sandbox = {title, unpack_properties, argv, "", -1, ctl->quiet};
    g_autofree char *output = NULL;
    g_autoptr(CtlOci) oci = g_new0(CtlOci, 1);
    if (!ctl_sandbox_run(&sandbox, &output, error))
        return NULL;
    g_autoptr(SlOciRecord) record = sl_oci_record_parse(output, strlen(output), error);
    if (record == NULL || record->reference == NULL || !store_image(oci, record, error)) {
        g_prefix_error(error, "%s: ", title);
        return NULL;
    }
    describe(oci, record, origin->image);
    if (!oci->made)
        ctl_say(ctl, _("%s is unpacked already."), origin->shown);
    return g_steal_pointer(&oci);
}

static gboolean
fetch(Ctl *ctl, const Origin *origin, GError **error)
{
    gboolean local = origin->archive >= 0;
    g_autofree char *source = local ? g_strdup(origin->shown) : ctl_image_source(origin->image);
    g_autofree char *settings = local ? g_strdup("") : settings_json();
    g_autofree char *title =
        g_strdup_printf(local ? _("Reading %s") : _("Fetching %s"), origin->shown);
    const char *const argv[] = {HELPER, local ? "load" : "fetch", source, FOLDER, NULL};
    CtlSandbox sandbox = {title,
                          local                        ? unpack_properties
                          : sl_oci_credential_exists() ? fetch_properties_with_credential
                                                       : fetch_properties,
                          argv,
                          settings,
                          origin->archive,
                          ctl->quiet};
    g_autofree char *output = NULL;
    return ctl_sandbox_run(&sandbox, &output, error);
}

static int
lock_sandbox(GError **error)
{
    sl_autofd int lock = open(LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
        return sl_fd_steal(&lock);
    if (lock >= 0 && errno == EWOULDBLOCK)
        sl_error_set(error, SL_ERROR_BUSY, _("another connector is being installed"));
    else
        sl_error_set_errno(error, errno, "%s", LOCK_FILE);
    return -1;
}

static CtlOci *
install(Ctl *ctl, const Origin *origin, GError **error)
{
    if (!check_host(origin->archive < 0, error))
        return NULL;
    if (g_mkdir_with_parents(SL_OCI_STORE "/roots", 0755) != 0 ||
        g_mkdir_with_parents(SL_OCI_STORE "/layers", 0755) != 0) {
        sl_error_set_errno(error, errno, "'%s'", SL_OCI_STORE);
        return NULL;
    }
    sl_autofd int sandbox = lock_sandbox(error);
    sl_autofd int store = sandbox >= 0 ? sl_oci_store_lock(SL_OCI_STORE, error) : -1;
    CtlOci *oci = NULL;
    /* First of all whatever a run left that was killed. */
    if (store >= 0 && ctl_tree_remove(REAL_FOLDER, error) && fetch(ctl, origin, error))
        oci = unpack(ctl, origin, error);
    if (store >= 0)
        ctl_tree_remove(REAL_FOLDER, NULL);
    return oci;
}

CtlOci *
ctl_oci_pull(Ctl *ctl, const char *image, GError **error)
{
    const Origin origin = {image, image, -1};
    if (!ctl_image_check(image)) {
        ctl_set_usage_error(
            error, _("'oci:%s' is not oci:NAME, oci:NAME:TAG or oci:NAME[:TAG]@sha256:DIGEST"),
            image);
        return NULL;
    }
    return install(ctl, &origin, error);
}

CtlOci *
ctl_oci_load(Ctl *ctl, const char *path, GError **error)
{
    sl_autofd int archive = open(path, O_RDONLY | O_CLOEXEC);
    g_autofree char *base = g_path_get_basename(path);
    const Origin origin = {NULL, base, archive};
    char *dot = strchr(base, '.');
    struct stat st;
    if (archive < 0 || fstat(archive, &st) != 0) {
        sl_error_set_errno(error, errno, "'%s'", path);
        return NULL;
    }
    if (!S_ISREG(st.st_mode)) {
        sl_error_set(error, SL_ERROR_INVALID, _("'%s' is not a file"), path);
        return NULL;
    }
    if (dot != NULL && dot > base)
        *dot = '\0';
    return install(ctl, &origin, error);
}

void
ctl_oci_undo(const CtlOci *oci)
{
    if (oci->made)
        ctl_oci_remove(oci->tree, NULL);
}

/* --- their end ---------------------------------------------------------------------------------
 */

gboolean
ctl_oci_remove(const char *tree, GError **error)
{
    g_autoptr(GError) local = NULL;
    if (!ctl_oci_is_tree(tree))
        return TRUE;
    sl_autofd int store = sl_oci_store_lock(SL_OCI_STORE, &local);
    if (store >= 0)
        return sl_oci_store_remove(SL_OCI_STORE, tree, error);
    /* An install is going on: no connector has this image, so that a later one collects it. */
    if (g_error_matches(local, SL_ERROR, SL_ERROR_BUSY))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

static GPtrArray *
used_roots(Ctl *ctl, GError **error)
{
    g_autoptr(GPtrArray) connectors = ctl_object_list(ctl, CTL_KINDS_CONNECTOR, error);
    if (connectors == NULL)
        return NULL;
    GPtrArray *used = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < connectors->len; i++) {
        const CtlObject *connector = g_ptr_array_index(connectors, i);
        g_ptr_array_add(used,
                        ctl_json_string(connector->doc, sl_json_root(connector->doc), "tree"));
    }
    g_ptr_array_add(used, NULL);
    return used;
}

gboolean
ctl_oci_collect(Ctl *ctl, GError **error)
{
    SlOciCollected collected;
    if (geteuid() != 0 || access(SL_OCI_STORE "/roots", F_OK) != 0)
        return TRUE;
    sl_autofd int store = sl_oci_store_lock(SL_OCI_STORE, NULL);
    g_autoptr(GPtrArray) used = store >= 0 ? used_roots(ctl, error) : NULL;
    if (used == NULL)
        return store < 0;
    const SlOciCollect how = {(const char *const *)used->pdata, "/proc/self/mountinfo",
                              g_get_real_time() / G_USEC_PER_SEC};
    return sl_oci_store_collect(SL_OCI_STORE, &how, &collected, error);
}

/* --- bundles -----------------------------------------------------------------------------------
 */

static gboolean
run_bundler(const char *tree, const char *const *labels, int out, GError **error)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autofree char *text = NULL;
    g_ptr_array_add(argv, (char *)HELPER);
    g_ptr_array_add(argv, (char *)"bundle");
    g_ptr_array_add(argv, (char *)tree);
    for (; *labels != NULL; labels++)
        g_ptr_array_add(argv, (char *)*labels);
    g_ptr_array_add(argv, NULL);
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_subprocess_launcher_take_stdout_fd(launcher, out);
    g_autoptr(GSubprocess) process =
        g_subprocess_launcher_spawnv(launcher, (const char *const *)argv->pdata, error);
    if (process == NULL || !g_subprocess_communicate_utf8(process, NULL, NULL, NULL, &text, error))
        return FALSE;
    return g_subprocess_get_successful(process) ||
           sl_error_set(error, SL_ERROR_FAILED, "%s", g_strchomp(text));
}

gboolean
ctl_oci_bundle(const char *tree, const char *const *labels, const char *path, GError **error)
{
    /* Beside the target, so that a bundle that is there is whole. */
    g_autofree char *beside = g_strconcat(path, ".XXXXXX", NULL);
    int fd = g_mkstemp_full(beside, O_WRONLY | O_CLOEXEC, 0644);
    if (fd < 0)
        return sl_error_set_errno(error, errno, "'%s'", path);
    if (run_bundler(tree, labels, fd, error) && g_rename(beside, path) == 0)
        return TRUE;
    if (error == NULL || *error == NULL)
        sl_error_set_errno(error, errno, "'%s'", path);
    g_unlink(beside);
    return FALSE;
}
