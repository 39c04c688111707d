/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-connector.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

#include "ctl-oci.h"
#include "ctl-pypi.h"
#include "sl-error.h"

const char *
ctl_connector_short_name(const CtlObject *connector)
{
    const char *slash = strrchr(connector->type, '/');
    return slash != NULL ? slash + 1 : connector->type;
}

SlJsonDoc *
ctl_connector_spec(Ctl *ctl, const CtlObject *connector, GError **error)
{
    g_autofree char *path = g_strdup_printf(CTL_SLUICE "/definitions/%s", connector->id);
    g_autoptr(SlJsonDoc) doc = ctl_api_get(ctl->api, path, error);
    const SlJsonNode *spec = doc != NULL ? sl_json_get(doc, sl_json_root(doc), "spec") : NULL;
    if (doc == NULL || spec == NULL || spec->type != SL_JSON_OBJECT) {
        if (doc != NULL)
            sl_error_set(error, SL_ERROR_PROTOCOL, _("connector '%s' has no specification"),
                         connector->name);
        return NULL;
    }
    return ctl_json_copy(spec);
}

const SlJsonNode *
ctl_connector_schema(const SlJsonDoc *spec)
{
    const SlJsonNode *schema = sl_json_get(spec, sl_json_root(spec), "connectionSpecification");
    return schema != NULL && schema->type == SL_JSON_OBJECT ? schema : NULL;
}

/* --- connector spec ----------------------------------------------------------------------------
 */

static const CtlColumn spec_columns[] = {
    {N_("KEY"), 0},
    {N_("TYPE"), 0},
    {N_("DEFAULT"), CTL_COLUMN_SHRINK},
    {N_("MEANING"), CTL_COLUMN_SHRINK},
};

static gboolean
is_required(const SlJsonDoc *doc, const SlJsonNode *schema, const SlJsonNode *key)
{
    const SlJsonNode *required = sl_json_get(doc, schema, "required");
    g_autofree char *name = sl_json_dup_string(key);
    if (required == NULL || required->type != SL_JSON_ARRAY || name == NULL)
        return FALSE;
    SL_JSON_FOREACH (doc, required, one) {
        if (sl_json_string_is(one, name))
            return TRUE;
    }
    return FALSE;
}

static char *
type_text(const SlJsonDoc *doc, const SlJsonNode *schema, const SlJsonNode *key)
{
    const SlJsonNode *property = key + 1;
    const SlJsonNode *type = sl_json_get(doc, property, "type");
    g_autofree char *word = type != NULL ? sl_json_dup_string(type) : NULL;
    return g_strdup_printf("%s%s%s",
                           word != NULL                                  ? word
                           : sl_json_get(doc, property, "oneOf") != NULL ? "object"
                                                                         : "any",
                           ctl_json_bool(doc, property, "airbyte_secret") ? _(", secret") : "",
                           is_required(doc, schema, key) ? _(", required") : "");
}

#define MAX_DEPTH 8 /* of what the table shows; JSON shows all */

static void
add_properties(CtlTable *table, const SlJsonDoc *doc, const SlJsonNode *schema, const char *prefix,
               guint depth)
{
    const SlJsonNode *properties = sl_json_get(doc, schema, "properties");
    if (properties != NULL && properties->type == SL_JSON_OBJECT) {
        SL_JSON_FOREACH (doc, properties, key) {
            const SlJsonNode *fallback = sl_json_get(doc, key + 1, "default");
            g_autofree char *name = sl_json_dup_string(key);
            g_autofree char *path = g_strconcat(prefix, name, NULL);
            g_autofree char *below = g_strconcat(path, ".", NULL);
            char *meaning = ctl_json_string(doc, key + 1, "description");
            if (*meaning == '\0') {
                g_free(meaning);
                meaning = ctl_json_string(doc, key + 1, "title");
            }
            ctl_table_add(table, (key + 1)->p, (key + 1)->n, path, g_strdup(path),
                          type_text(doc, schema, key),
                          fallback != NULL ? sl_json_dup_span(fallback) : NULL, meaning);
            if (depth < MAX_DEPTH)
                add_properties(table, doc, key + 1, below, depth + 1);
        }
    }
    const SlJsonNode *variants = sl_json_get(doc, schema, "oneOf");
    if (variants == NULL || variants->type != SL_JSON_ARRAY || depth >= MAX_DEPTH)
        return;
    SL_JSON_FOREACH (doc, variants, variant) {
        add_properties(table, doc, variant, prefix, depth + 1);
    }
}

static void
print_json(Ctl *ctl, const SlJsonDoc *spec)
{
    g_autoptr(GString) out = g_string_new(NULL);
    ctl_format_append(ctl->format, spec, sl_json_root(spec), out);
    ctl_print(ctl, out->str);
}

guint
ctl_connector_kinds(const Ctl *ctl)
{
    const char *type = ctl_option(ctl, CTL_OPT_TYPE);
    if (type == NULL)
        return CTL_KINDS_CONNECTOR;
    return CTL_KIND_BIT(strcmp(type, "source") == 0 ? CTL_SOURCE_CONNECTOR
                                                    : CTL_DESTINATION_CONNECTOR);
}

CtlExit
ctl_run_connector_spec(Ctl *ctl, GError **error)
{
    guint kinds = ctl_connector_kinds(ctl);
    g_autoptr(GPtrArray) connectors = ctl_object_list(ctl, kinds, error);
    const CtlObject *connector =
        connectors != NULL ? ctl_object_pick(connectors, kinds, ctl->args->args[0], error) : NULL;
    g_autoptr(SlJsonDoc) spec =
        connector != NULL ? ctl_connector_spec(ctl, connector, error) : NULL;
    if (spec == NULL)
        return CTL_EXIT_FAILED;
    if (ctl_format_is_document(ctl->format)) {
        print_json(ctl, spec);
        return CTL_EXIT_OK;
    }
    g_autoptr(CtlTable) table = ctl_table_new(spec_columns, G_N_ELEMENTS(spec_columns));
    g_autoptr(GString) out = g_string_new(NULL);
    add_properties(table, spec, ctl_connector_schema(spec), "", 0);
    ctl_table_print(table, ctl->format, &ctl->style, NULL, out);
    ctl_print(ctl, out->str);
    return CTL_EXIT_OK;
}

/* --- connector remove --------------------------------------------------------------------------
 */

/* The environment goes with the last connector that is started from it. */
static gboolean
remove_tree(Ctl *ctl, const char *tree, GError **error)
{
    g_autoptr(GPtrArray) left = ctl_object_list(ctl, CTL_KINDS_CONNECTOR, error);
    if (left == NULL)
        return FALSE;
    for (guint i = 0; i < left->len; i++) {
        const CtlObject *other = g_ptr_array_index(left, i);
        g_autofree char *used = ctl_json_string(other->doc, sl_json_root(other->doc), "tree");
        if (strcmp(used, tree) == 0)
            return TRUE;
    }
    return ctl_pypi_remove(tree, error) && ctl_pypi_collect(ctl, error) &&
           ctl_oci_remove(tree, error) && ctl_oci_collect(ctl, error);
}

static gboolean
remove_connector(Ctl *ctl, const CtlObject *connector, GError **error)
{
    g_autofree char *path = g_strdup_printf(CTL_SLUICE "/definitions/%s", connector->id);
    g_autofree char *tree = ctl_json_string(connector->doc, sl_json_root(connector->doc), "tree");
    g_autoptr(SlJsonDoc) doc = ctl_api_call(ctl->api, "DELETE", path, NULL, CTL_DEADLINE, error);
    if (doc == NULL) {
        g_prefix_error(error, _("connector '%s' was not removed: "), connector->name);
        return FALSE;
    }
    ctl_say(ctl, _("Removed connector '%s'."), connector->name);
    /* Otherwise it names an image, which is the engine's. */
    return *tree != '/' || geteuid() != 0 || remove_tree(ctl, tree, error);
}

CtlExit
ctl_run_connector_remove(Ctl *ctl, GError **error)
{
    guint kinds = ctl_connector_kinds(ctl);
    if (!ctl_need_local(ctl, error))
        return CTL_EXIT_USAGE;
    g_autoptr(GPtrArray) all = ctl_object_list(ctl, kinds, error);
    g_autoptr(GPtrArray) selected =
        all != NULL ? ctl_object_select(all, kinds, (const char *const *)ctl->args->args, error)
                    : NULL;
    if (selected == NULL)
        return CTL_EXIT_FAILED;
    for (guint i = 0; i < selected->len; i++) {
        const CtlObject *connector = g_ptr_array_index(selected, i);
        g_autofree char *question =
            g_strdup_printf(_("Remove connector '%s'?"), ctl_connector_short_name(connector));
        if (!ctl_confirm(ctl, question, error) || !remove_connector(ctl, connector, error))
            return CTL_EXIT_FAILED;
    }
    return CTL_EXIT_OK;
}
