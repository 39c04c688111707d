/* SPDX-License-Identifier: Apache-2.0 */
/* connector bundle: an installed connector as a file for hosts without a network. */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-connector.h"
#include "ctl-oci.h"
#include "sl-error.h"
#include "sl-oci-image.h"

/* What a host registers the connector by, from the definition's members. */
static const struct {
    const char *label, *member;
} members[] = {
    {SL_OCI_LABEL_NAME, "dockerRepository"},
    {SL_OCI_LABEL_VERSION, "dockerImageTag"},
    {SL_OCI_LABEL_TITLE, "name"},
    {SL_OCI_LABEL_TYPE, "actorType"},
};

static GStrv
make_labels(const CtlObject *connector)
{
    g_autoptr(GStrvBuilder) labels = g_strv_builder_new();
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        g_autofree char *value =
            ctl_json_string(connector->doc, sl_json_root(connector->doc), members[i].member);
        g_autofree char *label = g_strconcat(members[i].label, "=", value, NULL);
        if (*value != '\0')
            g_strv_builder_add(labels, label);
    }
    return g_strv_builder_end(labels);
}

CtlExit
ctl_run_connector_bundle(Ctl *ctl, GError **error)
{
    guint kinds = ctl_connector_kinds(ctl);
    if (!ctl_need_local(ctl, error))
        return CTL_EXIT_USAGE;
    g_autoptr(GPtrArray) all = ctl_object_list(ctl, kinds, error);
    const CtlObject *connector =
        all != NULL ? ctl_object_pick(all, kinds, ctl->args->args[0], error) : NULL;
    if (connector == NULL)
        return CTL_EXIT_FAILED;
    const SlJsonNode *root = sl_json_root(connector->doc);
    g_autofree char *tree = ctl_json_string(connector->doc, root, "tree");
    g_autofree char *runtime = ctl_json_string(connector->doc, root, "runtime");
    g_auto(GStrv) labels = make_labels(connector);
    if (!ctl_oci_is_tree(tree)) {
        sl_error_set(error, SL_ERROR_INVALID,
                     _("connector '%s' is of the runtime '%s'; bundles are made of images that "
                       "were installed by 'oci:' or from a file"),
                     ctl_connector_short_name(connector), runtime);
        return CTL_EXIT_FAILED;
    }
    if (!ctl_oci_bundle(tree, (const char *const *)labels, ctl->args->args[1], error)) {
        g_prefix_error(error, _("connector '%s' was not bundled: "),
                       ctl_connector_short_name(connector));
        return CTL_EXIT_FAILED;
    }
    ctl_say(ctl, _("Bundled connector '%s' as '%s'."), ctl_connector_short_name(connector),
            ctl->args->args[1]);
    return CTL_EXIT_OK;
}
