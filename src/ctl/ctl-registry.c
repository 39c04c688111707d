/* SPDX-License-Identifier: Apache-2.0 */
/* connector search, connector outdated: what the registry offers. */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-text.h"
#include "sl-error.h"

#define PAGE 1000

static const CtlColumn search_columns[] = {
    {N_("NAME"), CTL_COLUMN_SHRINK},
    {N_("TYPE"), 0},
    {N_("VERSION"), 0},
    {N_("INSTALLED"), 0},
    {N_("RUNTIMES"), CTL_COLUMN_SHRINK},
    {N_("SUPPORT"), CTL_COLUMN_WIDE},
    {N_("IMAGE"), CTL_COLUMN_WIDE},
    {N_("ID"), CTL_COLUMN_WIDE},
};

static const CtlColumn outdated_columns[] = {
    {N_("NAME"), CTL_COLUMN_SHRINK},
    {N_("TYPE"), 0},
    {N_("INSTALLED"), 0},
    {N_("NEWEST"), 0},
    {N_("BREAKING"), CTL_COLUMN_SHRINK},
    {N_("RUNTIME"), 0},
    {N_("ID"), CTL_COLUMN_WIDE},
};

static char *
join_strings(const SlJsonDoc *doc, const SlJsonNode *item, const char *member)
{
    g_autoptr(GString) line = g_string_new(NULL);
    SL_JSON_FOREACH (doc, sl_json_get(doc, item, member), one) {
        g_autofree char *word = sl_json_dup_string(one);
        g_string_append_printf(line, "%s%s", line->len > 0 ? " " : "", word != NULL ? word : "?");
    }
    return line->len > 0 ? g_string_free(g_steal_pointer(&line), FALSE) : NULL;
}

/* "1.2.0", or the runtime of a connector that has no version. */
static char *
installed_text(const SlJsonDoc *doc, const SlJsonNode *item, const char *member)
{
    const SlJsonNode *installed = sl_json_get(doc, item, "installed");
    return installed != NULL ? ctl_json_string(doc, installed, member) : NULL;
}

static char *
installed_cell(const SlJsonDoc *doc, const SlJsonNode *item)
{
    g_autofree char *version = installed_text(doc, item, "version");
    g_autofree char *runtime = installed_text(doc, item, "runtime");
    if (runtime == NULL || strcmp(runtime, "native") == 0)
        return g_steal_pointer(&runtime);
    return g_steal_pointer(&version);
}

static void
add_found(CtlTable *table, const SlJsonDoc *doc, const SlJsonNode *item, const char *id)
{
    ctl_table_add(table, item->p, item->n, id, ctl_json_string(doc, item, "name"),
                  ctl_json_string(doc, item, "actorType"), ctl_json_string(doc, item, "version"),
                  installed_cell(doc, item), join_strings(doc, item, "runtimes"),
                  ctl_json_string(doc, item, "supportLevel"),
                  ctl_json_string(doc, item, "dockerRepository"), g_strdup(id));
}

static void
add_outdated(CtlTable *table, const SlJsonDoc *doc, const SlJsonNode *item, const char *id)
{
    ctl_table_add(table, item->p, item->n, id, installed_text(doc, item, "name"),
                  ctl_json_string(doc, item, "actorType"), installed_text(doc, item, "version"),
                  ctl_json_string(doc, item, "version"),
                  join_strings(doc, item, "breakingVersions"), installed_text(doc, item, "runtime"),
                  g_strdup(id));
}

typedef void (*AddItem)(CtlTable *table, const SlJsonDoc *doc, const SlJsonNode *item,
                        const char *id);

/* Page by page; *ret_source is empty when no registry has been read. */
static gboolean
collect(Ctl *ctl, const char *query, CtlTable *table, AddItem add, char **ret_source,
        GError **error)
{
    guint before;
    do {
        before = ctl_table_get_n_rows(table);
        g_autofree char *path =
            g_strdup_printf(CTL_SLUICE "/registry?limit=%d&offset=%u%s", PAGE, before, query);
        g_autoptr(SlJsonDoc) doc = ctl_api_get(ctl->api, path, error);
        if (doc == NULL)
            return FALSE;
        SL_JSON_FOREACH (doc, sl_json_get(doc, sl_json_root(doc), "data"), item) {
            g_autofree char *id = ctl_json_string(doc, item, "definitionId");
            add(table, doc, item, id);
        }
        g_free(*ret_source);
        *ret_source = ctl_json_string(doc, sl_json_root(doc), "source");
    } while (ctl_table_get_n_rows(table) - before == PAGE);
    return TRUE;
}

static CtlExit
show(Ctl *ctl, const char *query, const CtlColumn *columns, guint n_columns, AddItem add,
     GError **error)
{
    g_autoptr(CtlTable) table = ctl_table_new(columns, n_columns);
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *source = NULL;
    if (!collect(ctl, query, table, add, &source, error))
        return CTL_EXIT_FAILED;
    if (*source == '\0') {
        sl_error_set(error, SL_ERROR_NOT_FOUND,
                     _("no registry has been read: set [Registry] File= or Url= in sluice.conf, "
                       "then 'systemctl start sluice-cron@registry-update'"));
        return CTL_EXIT_FAILED;
    }
    guint n = ctl_table_get_n_rows(table);
    g_autofree char *summary =
        g_strdup_printf(ngettext("%u connector of %s.", "%u connectors of %s.", n), n, source);
    ctl_table_print(table, ctl->format, &ctl->style, summary, out);
    ctl_print(ctl, out->str);
    return CTL_EXIT_OK;
}

static void
append_type(Ctl *ctl, GString *query)
{
    const char *type = ctl_option(ctl, CTL_OPT_TYPE);
    if (type != NULL)
        g_string_append_printf(query, "&actorType=%s", type);
}

CtlExit
ctl_run_connector_search(Ctl *ctl, GError **error)
{
    g_autofree char *words = g_strjoinv(" ", ctl->args->args);
    g_autofree char *escaped = g_uri_escape_string(words, NULL, FALSE);
    g_autoptr(GString) query = g_string_new("&search=");
    g_string_append(query, escaped);
    append_type(ctl, query);
    return show(ctl, query->str, search_columns, G_N_ELEMENTS(search_columns), add_found, error);
}

CtlExit
ctl_run_connector_outdated(Ctl *ctl, GError **error)
{
    g_autoptr(GString) query = g_string_new("&outdated=true");
    append_type(ctl, query);
    return show(ctl, query->str, outdated_columns, G_N_ELEMENTS(outdated_columns), add_outdated,
                error);
}
