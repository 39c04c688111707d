/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl-connector.h"
#include "ctl-image.h"
#include "ctl-install.h"
#include "ctl-manifest.h"
#include "ctl-oci.h"
#include "ctl-pypi.h"
#include "sl-error.h"
#include "sl-json-write.h"
#include "sl-manifest.h"

/* 'sluicectl connector install': makes the program available, then registers it. The server asks
 * the connector for its specification before it keeps it. */

void
ctl_registration_clear(CtlRegistration *r)
{
    g_free(r->name);
    g_free(r->repository);
    g_free(r->version);
    g_free(r->command);
    g_free(r->tree);
    g_free(r->kit_version);
    g_free(r->alias);
    g_free(r->manifest);
    g_free(r->components);
    g_free(r->components_sha256);
}

static void
write_hosts(SlJsonWriter *w, const char *hosts)
{
    g_auto(GStrv) words = g_strsplit_set(hosts, ", ", -1);
    sl_json_key(w, "allowedHosts");
    sl_json_begin_array(w);
    for (guint i = 0; words[i] != NULL; i++)
        if (*words[i] != '\0')
            sl_json_string(w, words[i]);
    sl_json_end_array(w);
}

static char *
registration_json(Ctl *ctl, const CtlRegistration *r, const char *replaced_id)
{
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    if (replaced_id != NULL)
        sl_json_member_string(&w, "definitionId", replaced_id);
    sl_json_member_string(&w, "name", r->name);
    sl_json_member_string(&w, "actorType", r->type);
    sl_json_member_string(&w, "runtime", r->runtime);
    sl_json_key(&w, "command");
    sl_json_begin_array(&w);
    sl_json_string(&w, r->command);
    sl_json_end_array(&w);
    if (r->tree != NULL)
        sl_json_member_string(&w, "tree", r->tree);
    sl_json_member_string(&w, "dockerRepository", r->repository);
    sl_json_member_string(&w, "dockerImageTag", r->version);
    if (r->alias != NULL) {
        const char *const aliases[] = {r->alias, NULL};
        sl_json_key(&w, "aliases");
        sl_json_strings(&w, aliases);
    }
    if (ctl_option(ctl, CTL_OPT_ALLOWED_HOSTS) != NULL)
        write_hosts(&w, ctl_option(ctl, CTL_OPT_ALLOWED_HOSTS));
    sl_json_member_string(&w, "kitVersion", r->kit_version);
    sl_json_member_raw(&w, "manifest", r->manifest);
    sl_json_member_string(&w, "components", r->components);
    sl_json_member_string(&w, "componentsSha256", r->components_sha256);
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

/* The one that was installed under the same name before: it is replaced, and what uses it stays. */
static const CtlObject *
find_older(const GPtrArray *connectors, const CtlRegistration *r)
{
    for (guint i = 0; i < connectors->len; i++) {
        const CtlObject *connector = g_ptr_array_index(connectors, i);
        if (strcmp(connector->type, r->repository) == 0 &&
            ctl_json_bool(connector->doc, sl_json_root(connector->doc), "custom"))
            return connector;
    }
    return NULL;
}

gboolean
ctl_register_connector(Ctl *ctl, const CtlRegistration *r, GError **error)
{
    CtlKind kind =
        strcmp(r->type, "source") == 0 ? CTL_SOURCE_CONNECTOR : CTL_DESTINATION_CONNECTOR;
    g_autoptr(GPtrArray) connectors = ctl_object_list(ctl, CTL_KIND_BIT(kind), error);
    if (connectors == NULL)
        return FALSE;
    const CtlObject *older = find_older(connectors, r);
    const char *slash = strrchr(r->repository, '/');
    const char *shown = slash != NULL ? slash + 1 : r->repository;
    g_autofree char *body = registration_json(ctl, r, older != NULL ? older->id : NULL);
    g_autoptr(SlJsonDoc) doc = ctl_api_call(ctl->api, "POST", CTL_SLUICE "/definitions", body,
                                            CTL_DEADLINE_CONNECTOR, error);
    if (doc == NULL) {
        g_prefix_error(error, _("connector '%s' was not registered: "), shown);
        return FALSE;
    }
    ctl_say(ctl, _("Installed %s '%s' %s."), ctl_kind_name(kind), shown, r->version);
    return TRUE;
}

/* --- exec --------------------------------------------------------------------------------------
 */

static gboolean
check_program(const char *path, char **ret_path, GError **error)
{
    struct stat st;
    if (*path != '/')
        return ctl_set_usage_error(error, _("'exec:%s': the program is named by an absolute path"),
                                   path);
    char *real = realpath(path, NULL);
    if (real == NULL || stat(real, &st) != 0) {
        sl_error_set_errno(error, errno, "'%s'", path);
        free(real);
        return FALSE;
    }
    *ret_path = g_strdup(real);
    free(real);
    /* Connectors run as a user of their own, so everybody must be able to start it. */
    if (!S_ISREG(st.st_mode) || (st.st_mode & S_IXOTH) == 0)
        return sl_error_set(error, SL_ERROR_INVALID,
                            _("'%s' is not executable by everybody; 'chmod a+rx' makes it so"),
                            path);
    return TRUE;
}

static CtlExit
install_exec(Ctl *ctl, const char *path, GError **error)
{
    g_auto(CtlRegistration) r = {.runtime = "exec"};
    const char *name = ctl_option(ctl, CTL_OPT_NAME);
    if (!check_program(path, &r.command, error))
        return CTL_EXIT_FAILED;
    r.type = ctl_option(ctl, CTL_OPT_TYPE);
    if (r.type == NULL) {
        ctl_set_usage_error(error, _("say what '%s' is: --type=source or --type=destination"),
                            path);
        return CTL_EXIT_USAGE;
    }
    g_autofree char *base = g_path_get_basename(path);
    r.name = g_strdup(name != NULL ? name : base);
    r.repository = g_strconcat("exec/", base, NULL);
    r.version = g_strdup("local");
    return ctl_register_connector(ctl, &r, error) ? CTL_EXIT_OK : CTL_EXIT_FAILED;
}

/* --- pypi --------------------------------------------------------------------------------------
 */

static gboolean
register_pypi(Ctl *ctl, const CtlPypi *pypi, GError **error)
{
    g_auto(CtlRegistration) r = {.runtime = "pypi"};
    const char *name = ctl_option(ctl, CTL_OPT_NAME), *type = ctl_option(ctl, CTL_OPT_TYPE);
    const char *const names[] = {pypi->script, pypi->name};
    r.type = type != NULL ? type : ctl_image_guess_type(names, G_N_ELEMENTS(names));
    if (r.type == NULL)
        return ctl_set_usage_error(
            error, _("say what '%s' is: --type=source or --type=destination"), pypi->name);
    r.name = g_strdup(name != NULL ? name : pypi->name);
    /* Packages of the public connectors are found by the names of their images. */
    r.repository = g_str_has_prefix(pypi->name, "airbyte-")
                       ? g_strconcat("airbyte/", pypi->name + strlen("airbyte-"), NULL)
                       : g_strconcat("pypi/", pypi->name, NULL);
    r.version = g_strdup(pypi->version);
    r.command = g_strdup(CTL_PYPI_MODULE);
    r.tree = g_strdup(pypi->tree);
    if (strcmp(pypi->name, SL_MANIFEST_PACKAGE) == 0) /* it runs manifests of others, too */
        r.kit_version = g_strdup(pypi->version);
    return ctl_register_connector(ctl, &r, error);
}

static CtlExit
install_pypi(Ctl *ctl, const char *requirement, GError **error)
{
    /* The server first: a build of minutes must not end at a closed door. */
    if (ctl_workspace(ctl, error) == NULL)
        return CTL_EXIT_FAILED;
    g_autoptr(CtlPypi) pypi = ctl_pypi_build(ctl, requirement, error);
    if (pypi == NULL)
        return CTL_EXIT_FAILED;
    if (register_pypi(ctl, pypi, error))
        return CTL_EXIT_OK;
    ctl_pypi_undo(pypi);
    return CTL_EXIT_FAILED;
}

/* --- docker ------------------------------------------------------------------------------------
 */

/* The image is not looked at here: the launcher's engine pulls it when it is asked for its
 * specification. */
static CtlExit
install_docker(Ctl *ctl, const char *image, GError **error)
{
    g_auto(CtlRegistration) r = {.runtime = "docker"};
    const char *name = ctl_option(ctl, CTL_OPT_NAME), *type = ctl_option(ctl, CTL_OPT_TYPE);
    g_autofree char *path = NULL;
    ctl_image_split(image, &path, &r.version);
    g_autofree char *base = g_path_get_basename(path);
    const char *const names[] = {base};
    r.type = type != NULL ? type : ctl_image_guess_type(names, G_N_ELEMENTS(names));
    if (r.type == NULL) {
        ctl_set_usage_error(error, _("say what '%s' is: --type=source or --type=destination"),
                            image);
        return CTL_EXIT_USAGE;
    }
    r.name = g_strdup(name != NULL ? name : base);
    r.repository =
        strchr(path, '/') != NULL ? g_steal_pointer(&path) : g_strconcat("library/", path, NULL);
    r.command = g_strdup("image"); /* what the image itself says */
    r.tree = g_strdup(image);
    return ctl_register_connector(ctl, &r, error) ? CTL_EXIT_OK : CTL_EXIT_FAILED;
}

/* --- images ------------------------------------------------------------------------------------
 */

static gboolean
register_oci(Ctl *ctl, const CtlOci *oci, GError **error)
{
    g_auto(CtlRegistration) r = {.runtime = "oci"};
    const char *name = ctl_option(ctl, CTL_OPT_NAME), *type = ctl_option(ctl, CTL_OPT_TYPE);
    const char *const names[] = {oci->name};
    r.type = type != NULL ? type : oci->type;
    if (r.type == NULL)
        r.type = ctl_image_guess_type(names, G_N_ELEMENTS(names));
    if (r.type == NULL)
        return ctl_set_usage_error(
            error, _("say what '%s' is: --type=source or --type=destination"), oci->name);
    r.name = name != NULL ? g_strdup(name) : g_strdup(oci->title);
    if (r.name == NULL)
        r.name = g_path_get_basename(oci->name);
    r.repository = g_strdup(oci->name);
    r.version = g_strdup(oci->version);
    r.command = g_strdup(CTL_OCI_COMMAND);
    r.tree = g_strdup(oci->tree);
    return ctl_register_connector(ctl, &r, error);
}

/* `image` from a registry, or `file`. */
static CtlExit
install_oci(Ctl *ctl, const char *image, const char *file, GError **error)
{
    if (ctl_workspace(ctl, error) == NULL)
        return CTL_EXIT_FAILED;
    /* Asked before a pull of minutes; a file may say it itself. */
    if (image != NULL && ctl_option(ctl, CTL_OPT_TYPE) == NULL &&
        ctl_image_guess_type(&image, 1) == NULL) {
        ctl_set_usage_error(error, _("say what '%s' is: --type=source or --type=destination"),
                            image);
        return CTL_EXIT_USAGE;
    }
    g_autoptr(CtlOci) oci =
        file != NULL ? ctl_oci_load(ctl, file, error) : ctl_oci_pull(ctl, image, error);
    if (oci == NULL)
        return CTL_EXIT_FAILED;
    if (!register_oci(ctl, oci, error)) {
        ctl_oci_undo(oci);
        ctl_oci_collect(ctl, NULL);
        return CTL_EXIT_FAILED;
    }
    return ctl_oci_collect(ctl, error) ? CTL_EXIT_OK : CTL_EXIT_FAILED;
}

CtlExit
ctl_run_connector_install(Ctl *ctl, GError **error)
{
    const char *word = ctl->args->args[0];
    if (!ctl_need_local(ctl, error))
        return CTL_EXIT_USAGE;
    if (!g_str_has_prefix(word, "manifest:") &&
        (ctl_option(ctl, CTL_OPT_COMPONENTS) != NULL || ctl_option(ctl, CTL_OPT_CONSENT) != NULL)) {
        ctl_set_usage_error(error, _("--components and --consent are for manifests"));
        return CTL_EXIT_USAGE;
    }
    if (g_str_has_prefix(word, "exec:"))
        return install_exec(ctl, word + strlen("exec:"), error);
    if (g_str_has_prefix(word, "pypi:"))
        return install_pypi(ctl, word + strlen("pypi:"), error);
    if (g_str_has_prefix(word, "docker:"))
        return install_docker(ctl, word + strlen("docker:"), error);
    if (g_str_has_prefix(word, "manifest:"))
        return ctl_manifest_install(ctl, word + strlen("manifest:"), error);
    if (g_str_has_prefix(word, "oci:"))
        return install_oci(ctl, word + strlen("oci:"), NULL, error);
    if (*word == '/' || *word == '.')
        return install_oci(ctl, NULL, word, error);
    ctl_set_usage_error(
        error,
        _("'%s' cannot be installed; say where it is from: pypi:PACKAGE, "
          "pypi:PACKAGE==VERSION, manifest:FILE, manifest:URL, manifest:NAME, oci:IMAGE, "
          "docker:IMAGE, ./FILE or exec:/PATH"),
        word);
    return CTL_EXIT_USAGE;
}
