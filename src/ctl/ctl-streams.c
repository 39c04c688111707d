/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>

#include "ctl-object.h"
#include "ctl-text.h"

static const CtlColumn columns[] = {
    {N_("STREAM"), CTL_COLUMN_SHRINK},
    {N_("NAMESPACE"), CTL_COLUMN_SHRINK},
    {N_("MODE"), 0},
    {N_("CURSOR"), CTL_COLUMN_SHRINK},
    {N_("KEY"), CTL_COLUMN_SHRINK},
    {N_("FIELDS"), CTL_COLUMN_WIDE},
    {N_("MAPPERS"), CTL_COLUMN_WIDE},
};

/* ["a", "b"] → "a.b", [["a"], ["b"]] → "a, b". */
static void
append_path(const SlJsonDoc *doc, const SlJsonNode *node, GString *out)
{
    gboolean first = TRUE;
    SL_JSON_FOREACH (doc, node, part) {
        if (!first)
            g_string_append(out, part->type == SL_JSON_ARRAY ? ", " : ".");
        first = FALSE;
        if (part->type == SL_JSON_ARRAY)
            append_path(doc, part, out);
        else
            sl_json_append_string(part, out);
    }
}

/* Allocated; NULL when the member is missing or empty. */
static char *
path_of(const SlJsonDoc *doc, const SlJsonNode *stream, const char *key)
{
    const SlJsonNode *node = sl_json_get(doc, stream, key);
    if (node == NULL || node->type != SL_JSON_ARRAY || node->count == 0)
        return NULL;
    GString *out = g_string_new(NULL);
    append_path(doc, node, out);
    return g_string_free(out, FALSE);
}

static char *
count_of(const SlJsonDoc *doc, const SlJsonNode *stream, const char *key, const char *none)
{
    const SlJsonNode *node = sl_json_get(doc, stream, key);
    return node != NULL && node->type == SL_JSON_ARRAY && node->count > 0
               ? g_strdup_printf("%u", node->count)
               : g_strdup(none);
}

static void
add_stream(CtlTable *table, const SlJsonDoc *doc, const SlJsonNode *stream)
{
    g_autofree char *name = ctl_json_string(doc, stream, "name");
    ctl_table_add(
        table, stream->p, stream->n, name, g_strdup(name),
        ctl_json_string(doc, stream, "namespace"), ctl_json_string(doc, stream, "syncMode"),
        path_of(doc, stream, "cursorField"), path_of(doc, stream, "primaryKey"),
        count_of(doc, stream, "selectedFields", _("all")), count_of(doc, stream, "mappers", NULL));
}

CtlExit
ctl_run_streams(Ctl *ctl, GError **error)
{
    const guint kind = CTL_KIND_BIT(CTL_CONNECTION);
    g_autoptr(CtlTable) table = ctl_table_new(columns, G_N_ELEMENTS(columns));
    g_autoptr(GPtrArray) all = ctl_object_list(ctl, kind, error);
    const CtlObject *connection =
        all != NULL ? ctl_object_pick(all, kind, ctl->args->args[0], error) : NULL;
    if (connection == NULL)
        return CTL_EXIT_FAILED;
    const SlJsonDoc *doc = connection->doc;
    const SlJsonNode *streams =
        sl_json_get_path(doc, sl_json_root(doc), "configurations", "streams", NULL);
    if (streams != NULL)
        SL_JSON_FOREACH (doc, streams, stream) {
            add_stream(table, doc, stream);
        }
    guint n = ctl_table_get_n_rows(table);
    g_autofree char *summary = g_strdup_printf(ngettext("%u stream.", "%u streams.", n), n);
    g_autoptr(GString) out = g_string_new(NULL);
    ctl_table_print(table, ctl->format, &ctl->style, summary, out);
    ctl_print(ctl, out->str);
    return CTL_EXIT_OK;
}
