/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-pypi.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl-sandbox.h"
#include "sl-config.h"
#include "sl-error.h"
#include "sl-fd.h"
#include "sl-json-write.h"

#define TREES "/var/lib/sluice/connectors"
#define BUILDER SL_LIBEXECDIR "/pypi-build"
#define PYTHON "/usr/bin/python3"
#define LOCK_FILE "/run/lock/sluice-pypi.lock"
#define FOLDER CTL_SANDBOX_FOLDER "/work"
#define REAL_FOLDER CTL_SANDBOX_REAL_FOLDER "/work"

/* What the step 'lock' may reach and 'build' may not: the network. */
static const char *const lock_properties[] = {"RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
                                              "InaccessiblePaths=-/var/lib/sluice", NULL};

void
ctl_pypi_free(CtlPypi *pypi)
{
    if (pypi == NULL)
        return;
    g_free(pypi->name);
    g_free(pypi->version);
    g_free(pypi->script);
    g_free(pypi->tree);
    g_free(pypi);
}

char *
ctl_pypi_missing(void)
{
    glob_t found = {0};
    gboolean wheel = glob("/usr/share/python-wheels/pip-*.whl", 0, NULL, &found) == 0;
    globfree(&found);
    if (access(PYTHON, X_OK) != 0 || !wheel)
        return g_strdup(_("connectors from PyPI need the packages python3, python3-venv and "
                          "python3-pip-whl"));
    if (access("/run/systemd/system", F_OK) != 0)
        return g_strdup(_("connectors from PyPI are built in a sandbox, and this host is not run "
                          "by systemd"));
    return NULL;
}

/* "PACKAGE", "PACKAGE==VERSION" or (of manifests) "PACKAGE>=VERSION,<VERSION": what pypi-build
 * accepts, told in our words and without a unit.
 */
static gboolean
check_requirement(const char *requirement, GError **error)
{
    if (g_regex_match_simple("^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
                             "(==[A-Za-z0-9.!+_-]+|>=[0-9.]+,<[0-9.]+)?$",
                             requirement, G_REGEX_DOLLAR_ENDONLY, 0))
        return TRUE;
    return ctl_set_usage_error(
        error, _("'pypi:%s' is neither pypi:PACKAGE nor pypi:PACKAGE==VERSION"), requirement);
}

static gboolean
check_host(GError **error)
{
    g_autofree char *missing = ctl_pypi_missing();
    if (geteuid() != 0)
        return sl_error_set(error, SL_ERROR_FORBIDDEN,
                            _("only root can install connectors from PyPI"));
    if (missing != NULL)
        return sl_error_set(error, SL_ERROR_CONFIG, "%s", missing);
    return TRUE;
}

/* --- settings of pip ---------------------------------------------------------------------------
 */

static gboolean
is_passed(const char *name)
{
    static const char *const names[] = {
        "HTTP_PROXY",    "HTTPS_PROXY",  "ALL_PROXY",          "NO_PROXY",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", NULL};
    g_autofree char *upper = g_ascii_strup(name, -1);
    return g_str_has_prefix(name, "PIP_") || g_strv_contains(names, upper);
}

/* The settings of the caller and of sluice.conf. They go through a pipe: an index's address may
 * hold a password, and everybody can read the environment of a unit. */
static char *
settings_json(GError **error)
{
    g_autoptr(SlConfig) config = sl_config_load(NULL, error);
    if (config == NULL)
        return NULL;
    g_autofree char *user_file = g_build_filename(g_get_user_config_dir(), "pip", "pip.conf", NULL);
    g_autofree char *text = NULL;
    g_file_get_contents(user_file, &text, NULL, NULL);
    g_auto(GStrv) environ_copy = g_get_environ();
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "config", text);
    sl_json_key(&w, "env");
    sl_json_begin_object(&w);
    gboolean own_index = *config->connector_pypi_index != '\0';
    for (guint i = 0; environ_copy[i] != NULL; i++) {
        g_autofree char *name = g_strndup(environ_copy[i], strcspn(environ_copy[i], "="));
        if (is_passed(name) && !(own_index && strcmp(name, "PIP_INDEX_URL") == 0))
            sl_json_member_string(&w, name, environ_copy[i] + strlen(name) + 1);
    }
    if (own_index)
        sl_json_member_string(&w, "PIP_INDEX_URL", config->connector_pypi_index);
    sl_json_end_object(&w);
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

/* --- the two steps -----------------------------------------------------------------------------
 */

static SlJsonDoc *
run_step(Ctl *ctl, const char *title, const char *step, const char *first, const char *second,
         const char *const *properties, const char *input, GError **error)
{
    const char *const argv[] = {PYTHON, "-I", BUILDER, step, first, second, NULL};
    CtlSandbox sandbox = {title, properties, argv, input, -1, ctl->quiet};
    g_autofree char *output = NULL;
    if (!ctl_sandbox_run(&sandbox, &output, error))
        return NULL;
    SlJsonDoc *doc = sl_json_read_copy(output, strlen(output), NULL, error);
    if (doc == NULL)
        g_prefix_error(error, _("%s: no answer: "), title);
    return doc;
}

static SlJsonDoc *
run_lock(Ctl *ctl, const char *requirement, GError **error)
{
    g_autofree char *settings = settings_json(error);
    g_autofree char *title = g_strdup_printf(_("Resolving %s"), requirement);
    return settings != NULL
               ? run_step(ctl, title, "lock", requirement, FOLDER, lock_properties, settings, error)
               : NULL;
}

/* The environment is made at the path where it will be: its scripts hold that path. Everything else
 * that is installed is out of sight. */
static SlJsonDoc *
run_build(Ctl *ctl, const char *requirement, const char *tree, GError **error)
{
    g_autofree char *title = g_strdup_printf(_("Building %s"), requirement);
    g_autofree char *bind = g_strdup_printf("BindPaths=" REAL_FOLDER "/tree:%s", tree);
    const char *const properties[] = {"PrivateNetwork=yes", "RestrictAddressFamilies=AF_UNIX",
                                      "TemporaryFileSystem=" TREES, bind, NULL};
    return run_step(ctl, title, "build", FOLDER, tree, properties, "", error);
}

static gboolean
make_trees_folder(GError **error)
{
    if (g_mkdir_with_parents(TREES "/pypi", 0755) == 0)
        return TRUE;
    return sl_error_set_errno(error, errno, _("cannot make '%s'"), TREES "/pypi");
}

/* What an environment says about itself. */
static gboolean
read_description(CtlPypi *pypi, GError **error)
{
    g_autofree char *path = g_build_filename(pypi->tree, "sluice.json", NULL);
    gsize len;
    g_autofree char *text = ctl_read_file(path, &len, error);
    g_autoptr(SlJsonDoc) doc = text != NULL ? sl_json_read(text, len, NULL, error) : NULL;
    if (doc == NULL)
        return FALSE;
    pypi->name = ctl_json_string(doc, sl_json_root(doc), "name");
    pypi->version = ctl_json_string(doc, sl_json_root(doc), "version");
    pypi->script = ctl_json_string(doc, sl_json_root(doc), "script");
    return TRUE;
}

static gboolean
build_tree(Ctl *ctl, const char *requirement, CtlPypi *pypi, GError **error)
{
    g_autoptr(SlJsonDoc) built = run_build(ctl, requirement, pypi->tree, error);
    if (built == NULL || !ctl_tree_adopt(REAL_FOLDER "/tree", error) ||
        !ctl_tree_move(REAL_FOLDER "/tree", pypi->tree, error))
        return FALSE;
    pypi->made = TRUE;
    return TRUE;
}

static CtlPypi *
build_in_folder(Ctl *ctl, const char *requirement, GError **error)
{
    g_autoptr(CtlPypi) pypi = g_new0(CtlPypi, 1);
    g_autoptr(SlJsonDoc) lock = run_lock(ctl, requirement, error);
    if (lock == NULL)
        return NULL;
    g_autofree char *hash = ctl_json_string(lock, sl_json_root(lock), "hash");
    if (!g_regex_match_simple("^[0-9a-f]{64}$", hash, G_REGEX_DOLLAR_ENDONLY, 0)) {
        sl_error_set(error, SL_ERROR_PROTOCOL, _("pypi-build gave no hash"));
        return NULL;
    }
    pypi->tree = g_strconcat(TREES "/pypi/", hash, NULL);
    if (access(pypi->tree, F_OK) == 0)
        ctl_say(ctl, _("%s is built already."), requirement);
    else if (!build_tree(ctl, requirement, pypi, error))
        return NULL;
    if (read_description(pypi, error))
        return g_steal_pointer(&pypi);
    ctl_pypi_undo(pypi);
    return NULL;
}

CtlPypi *
ctl_pypi_describe(const char *tree, GError **error)
{
    g_autoptr(CtlPypi) pypi = g_new0(CtlPypi, 1);
    pypi->tree = g_strdup(tree);
    return read_description(pypi, error) ? g_steal_pointer(&pypi) : NULL;
}

CtlPypi *
ctl_pypi_build(Ctl *ctl, const char *requirement, GError **error)
{
    if (!check_requirement(requirement, error) || !check_host(error) || !make_trees_folder(error))
        return NULL;
    sl_autofd int lock = open(LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0) {
        if (lock >= 0 && errno == EWOULDBLOCK)
            sl_error_set(error, SL_ERROR_BUSY, _("another connector is being installed"));
        else
            sl_error_set_errno(error, errno, "%s", LOCK_FILE);
        return NULL;
    }
    /* Whatever a run left that was killed. */
    if (!ctl_tree_remove(REAL_FOLDER, error))
        return NULL;
    CtlPypi *pypi = build_in_folder(ctl, requirement, error);
    ctl_tree_remove(REAL_FOLDER, NULL);
    return pypi;
}

void
ctl_pypi_undo(const CtlPypi *pypi)
{
    if (pypi->made)
        ctl_tree_remove(pypi->tree, NULL);
}

gboolean
ctl_pypi_remove(const char *tree, GError **error)
{
    /* A server's answer must not make root delete anything else. */
    if (!g_regex_match_simple("^" TREES "/pypi/[0-9a-f]{64}$", tree, G_REGEX_DOLLAR_ENDONLY, 0))
        return TRUE;
    return ctl_tree_remove(tree, error);
}
