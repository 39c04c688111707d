/* SPDX-License-Identifier: Apache-2.0 */
/* connector upgrade, pin, unpin: another version in the place of one that is installed. */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-connector.h"
#include "ctl-pypi.h"
#include "ctl-text.h"
#include "sl-error.h"
#include "sl-json-write.h"
#include "sl-manifest.h"

static const char *
get(const CtlObject *connector, const char *member, char **ret)
{
    *ret = ctl_json_string(connector->doc, sl_json_root(connector->doc), member);
    return *ret;
}

/* A manifest shares the environment that runs it: that is what has versions here. */
static gboolean
is_manifest(const CtlObject *connector)
{
    g_autofree char *runtime = NULL;
    return strcmp(get(connector, "runtime", &runtime), "manifest") == 0;
}

static const char *
get_version(const CtlObject *connector, char **ret)
{
    return get(connector, is_manifest(connector) ? "kitVersion" : "dockerImageTag", ret);
}

/* --- what changes ------------------------------------------------------------------------------
 */

/* "  2.0.0: The stream 'users' has another key." for each; NULL: nothing that is known. */
static char *
breaking_text(Ctl *ctl, const char *definition_id, const SlJsonDoc *page, const SlJsonNode *item)
{
    g_autofree char *path = g_strdup_printf(CTL_SLUICE "/registry/%s", definition_id);
    g_autoptr(SlJsonDoc) one = ctl_api_get(ctl->api, path, NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    const SlJsonNode *changes =
        one != NULL ? sl_json_get(one, sl_json_root(one), "breakingChanges") : NULL;
    SL_JSON_FOREACH (page, sl_json_get(page, item, "breakingVersions"), node) {
        g_autofree char *version = sl_json_dup_string(node);
        const SlJsonNode *change =
            version != NULL && changes != NULL ? sl_json_get(one, changes, version) : NULL;
        g_autofree char *message =
            change != NULL ? ctl_json_string(one, change, "message") : g_strdup("");
        g_autofree char *line =
            g_strdup_printf("%s: %s", version, *message != '\0' ? message : _("not told what"));
        g_autofree char *clean = ctl_text_clean(line, -1);
        g_string_append_printf(text, "\n  %s", clean);
    }
    return text->len > 0 ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

/* What the registry knows of the versions between the installed one and its newest. A server
 * without a registry knows nothing, which is no failure. */
static gboolean
find_breaking(Ctl *ctl, const CtlObject *connector, char **ret, GError **error)
{
    g_autofree char *word = g_uri_escape_string(ctl_connector_short_name(connector), NULL, FALSE);
    g_autofree char *path =
        g_strdup_printf(CTL_SLUICE "/registry?limit=1000&offset=0&outdated=true&search=%s", word);
    g_autoptr(SlJsonDoc) page = ctl_api_get(ctl->api, path, error);
    if (page == NULL)
        return FALSE;
    SL_JSON_FOREACH (page, sl_json_get(page, sl_json_root(page), "data"), item) {
        const SlJsonNode *installed = sl_json_get(page, item, "installed");
        g_autofree char *id =
            installed != NULL ? ctl_json_string(page, installed, "definitionId") : NULL;
        g_autofree char *offered = ctl_json_string(page, item, "definitionId");
        if (g_strcmp0(id, connector->id) == 0)
            *ret = breaking_text(ctl, offered, page, item);
    }
    return TRUE;
}

/* Told before anything is done; asked only when something breaks. */
static gboolean
accept_breaking(Ctl *ctl, const CtlObject *connector, GError **error)
{
    g_autofree char *breaking = NULL;
    if (!find_breaking(ctl, connector, &breaking, error))
        return FALSE;
    if (breaking == NULL)
        return TRUE;
    g_printerr(_("Newer versions of '%s' break something:%s\n"),
               ctl_connector_short_name(connector), breaking);
    g_autofree char *question =
        g_strdup_printf(_("Upgrade '%s'?"), ctl_connector_short_name(connector));
    return ctl_confirm(ctl, question, error);
}

/* --- upgrade -----------------------------------------------------------------------------------
 */

static char *
registration_json(const CtlObject *connector, const CtlPypi *pypi)
{
    static const char *const kept[] = {"definitionId", "name",    "actorType",
                                       "runtime",      "command", "dockerRepository"};
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    for (gsize i = 0; i < G_N_ELEMENTS(kept); i++) {
        const SlJsonNode *value =
            sl_json_get(connector->doc, sl_json_root(connector->doc), kept[i]);
        if (value == NULL)
            continue;
        sl_json_key(&w, kept[i]);
        sl_json_node(&w, value);
    }
    sl_json_member_string(&w, "tree", pypi->tree);
    g_autofree char *own = NULL, *kit = NULL;
    sl_json_member_string(&w, "dockerImageTag",
                          is_manifest(connector) ? get(connector, "dockerImageTag", &own)
                                                 : pypi->version);
    if (*get(connector, "kitVersion", &kit) != '\0')
        sl_json_member_string(&w, "kitVersion", pypi->version);
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

static gboolean
check_connector(const CtlObject *connector, const char *version, GError **error)
{
    g_autofree char *runtime = NULL, *installed = NULL;
    const char *name = ctl_connector_short_name(connector);
    const SlJsonNode *root = sl_json_root(connector->doc);
    get(connector, "runtime", &runtime);
    get_version(connector, &installed);
    if (!ctl_json_bool(connector->doc, root, "custom"))
        return sl_error_set(error, SL_ERROR_INVALID,
                            _("connector '%s' comes with Sluice and is upgraded with its package"),
                            name);
    if (strcmp(runtime, "pypi") != 0 && !is_manifest(connector))
        return sl_error_set(error, SL_ERROR_INVALID,
                            _("connector '%s' is not from PyPI but of the runtime '%s'; "
                              "'sluicectl connector install' replaces it"),
                            name, runtime);
    if (version == NULL && ctl_json_bool(connector->doc, root, "pinned"))
        return sl_error_set(error, SL_ERROR_CONFLICT,
                            _("connector '%s' is pinned to %s; 'sluicectl connector unpin %s' lets "
                              "it go, or name the version"),
                            name, installed, name);
    return TRUE;
}

/* The server asks the new environment for its specification, and only when that is good version,
 * specification and environment change together. */
static gboolean
register_version(Ctl *ctl, const CtlObject *connector, const CtlPypi *pypi, GError **error)
{
    g_autofree char *body = registration_json(connector, pypi);
    g_autoptr(SlJsonDoc) doc = ctl_api_call(ctl->api, "POST", CTL_SLUICE "/definitions", body,
                                            CTL_DEADLINE_CONNECTOR, error);
    return doc != NULL;
}

static gboolean
upgrade(Ctl *ctl, const CtlObject *connector, const char *requirement, GError **error)
{
    g_autofree char *tree = NULL, *installed = NULL;
    const char *name = ctl_connector_short_name(connector);
    get(connector, "tree", &tree);
    get_version(connector, &installed);
    g_autoptr(CtlPypi) pypi = ctl_pypi_build(ctl, requirement, error);
    if (pypi != NULL && strcmp(pypi->tree, tree) == 0) {
        ctl_say(ctl, _("Connector '%s' is at version %s already."), name, installed);
        return ctl_pypi_collect(ctl, error);
    }
    if (pypi == NULL || !register_version(ctl, connector, pypi, error)) {
        if (pypi != NULL)
            ctl_pypi_undo(pypi);
        g_prefix_error(error, _("connector '%s' stays at version %s: "), name, installed);
        return FALSE;
    }
    ctl_say(ctl, _("Upgraded connector '%s' from %s to %s."), name, installed, pypi->version);
    return ctl_pypi_retire(tree, error) && ctl_pypi_collect(ctl, error);
}

static const CtlObject *
pick(Ctl *ctl, GPtrArray **ret_all, GError **error)
{
    guint kinds = ctl_connector_kinds(ctl);
    if (!ctl_need_local(ctl, error))
        return NULL;
    *ret_all = ctl_object_list(ctl, kinds, error);
    return *ret_all != NULL ? ctl_object_pick(*ret_all, kinds, ctl->args->args[0], error) : NULL;
}

CtlExit
ctl_run_connector_upgrade(Ctl *ctl, GError **error)
{
    const char *version = ctl->args->args[1];
    g_autoptr(GPtrArray) all = NULL;
    g_autofree char *tree = NULL;
    const CtlObject *connector = pick(ctl, &all, error);
    if (connector == NULL || !check_connector(connector, version, error))
        return CTL_EXIT_FAILED;
    g_autoptr(CtlPypi) old = ctl_pypi_describe(get(connector, "tree", &tree), error);
    if (old == NULL) {
        g_prefix_error(error,
                       _("the environment of '%s' cannot be read; 'sluicectl connector "
                         "install pypi:PACKAGE' makes a new one: "),
                       ctl_connector_short_name(connector));
        return CTL_EXIT_FAILED;
    }
    g_autofree char *requirement = version != NULL ? g_strdup_printf("%s==%s", old->name, version)
                                   : is_manifest(connector) ? sl_manifest_requirement(old->version)
                                                            : g_strdup(old->name);
    return accept_breaking(ctl, connector, error) && upgrade(ctl, connector, requirement, error)
               ? CTL_EXIT_OK
               : CTL_EXIT_FAILED;
}

/* --- pin ---------------------------------------------------------------------------------------
 */

static CtlExit
set_pinned(Ctl *ctl, gboolean pinned, GError **error)
{
    guint kinds = ctl_connector_kinds(ctl);
    g_autoptr(GPtrArray) all = ctl_object_list(ctl, kinds, error);
    g_autoptr(GPtrArray) selected =
        all != NULL ? ctl_object_select(all, kinds, (const char *const *)ctl->args->args, error)
                    : NULL;
    for (guint i = 0; selected != NULL && i < selected->len; i++) {
        const CtlObject *connector = g_ptr_array_index(selected, i);
        g_autofree char *path = g_strdup_printf(CTL_SLUICE "/definitions/%s/pin", connector->id);
        g_autofree char *version = NULL;
        g_autoptr(SlJsonDoc) doc =
            ctl_api_call(ctl->api, "POST", path,
                         pinned ? "{\"pinned\":true}" : "{\"pinned\":false}", CTL_DEADLINE, error);
        if (doc == NULL)
            return CTL_EXIT_FAILED;
        ctl_say(ctl,
                pinned ? _("Connector '%s' stays at version %s.")
                       : _("Connector '%s' of version %s may be upgraded."),
                ctl_connector_short_name(connector), get_version(connector, &version));
    }
    return selected != NULL ? CTL_EXIT_OK : CTL_EXIT_FAILED;
}

CtlExit
ctl_run_connector_pin(Ctl *ctl, GError **error)
{
    return set_pinned(ctl, TRUE, error);
}

CtlExit
ctl_run_connector_unpin(Ctl *ctl, GError **error)
{
    return set_pinned(ctl, FALSE, error);
}
