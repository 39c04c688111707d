/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-object.h"
#include "ctl-schedule.h"
#include "ctl-text.h"
#include "sl-time.h"

#define DEFAULT_LINES 5

static const CtlColumn columns[] = {
    {N_("CONNECTION"), CTL_COLUMN_SHRINK},
    {N_("RUNS AT"), 0},
    {N_("IN"), CTL_COLUMN_RIGHT},
    {N_("SCHEDULE"), CTL_COLUMN_SHRINK},
};

typedef struct {
    gint64 at;
    char *text; /* as JSON: the connection and the time */
    const CtlObject *connection;
} Run;

static void
run_free(gpointer data)
{
    Run *run = data;
    g_free(run->text);
    g_free(run);
}

static int
compare(gconstpointer a, gconstpointer b)
{
    const Run *one = *(const Run *const *)a, *two = *(const Run *const *)b;
    return (one->at > two->at) - (one->at < two->at);
}

/* A question less for each that runs by hand, or not at all. */
static gboolean
may_run(const CtlObject *connection)
{
    const SlJsonDoc *doc = connection->doc;
    const SlJsonNode *root = sl_json_root(doc);
    g_autofree char *status = ctl_json_string(doc, root, "status");
    g_autofree char *type =
        ctl_json_string(doc, sl_json_get(doc, root, "schedule"), "scheduleType");
    return strcmp(status, "active") == 0 && strcmp(type, "manual") != 0;
}

static gboolean
load(Ctl *ctl, const CtlObject *connection, gint64 lines, GPtrArray *runs, GError **error)
{
    g_autofree char *path = g_strdup_printf(
        CTL_SLUICE "/connections/%s/next-runs?count=%" G_GINT64_FORMAT, connection->id, lines);
    g_autoptr(SlJsonDoc) doc = ctl_api_get(ctl->api, path, error);
    const SlJsonNode *times = doc != NULL ? sl_json_get(doc, sl_json_root(doc), "nextRuns") : NULL;
    if (times == NULL)
        return doc != NULL;
    SL_JSON_FOREACH (doc, times, time) {
        g_autofree char *text = sl_json_dup_string(time);
        gint64 at = 0;
        if (text == NULL || !sl_time_parse(text, &at, error))
            return FALSE;
        Run *run = g_new0(Run, 1);
        run->at = at;
        run->text =
            g_strdup_printf("{\"connectionId\":\"%s\",\"runsAt\":\"%s\"}", connection->id, text);
        run->connection = connection;
        g_ptr_array_add(runs, run);
    }
    return TRUE;
}

static void
add_run(CtlTable *table, const Ctl *ctl, const Run *run, gint64 now)
{
    const SlJsonDoc *doc = run->connection->doc;
    ctl_table_add(table, run->text, strlen(run->text), run->connection->name,
                  g_strdup(run->connection->name), ctl_text_time(run->at, ctl->utc),
                  ctl_text_duration(MAX(run->at - now, 0)),
                  ctl_schedule_text(doc, sl_json_get(doc, sl_json_root(doc), "schedule")));
}

/* Of all that are named, in the order of time. */
CtlExit
ctl_run_next(Ctl *ctl, GError **error)
{
    const guint kind = CTL_KIND_BIT(CTL_CONNECTION);
    gint64 lines, now = g_get_real_time();
    if (!ctl_option_lines(ctl, DEFAULT_LINES, &lines, error))
        return CTL_EXIT_USAGE;
    g_autoptr(GPtrArray) all = ctl_object_list(ctl, kind, error);
    g_autoptr(GPtrArray) selected =
        all != NULL ? ctl_object_select(all, kind, (const char *const *)ctl->args->args, error)
                    : NULL;
    g_autoptr(GPtrArray) runs = g_ptr_array_new_with_free_func(run_free);
    if (selected == NULL)
        return CTL_EXIT_FAILED;
    for (guint i = 0; i < selected->len; i++)
        if (may_run(selected->pdata[i]) &&
            !load(ctl, selected->pdata[i], CLAMP(lines, 1, 1000), runs, error))
            return CTL_EXIT_FAILED;
    g_ptr_array_sort(runs, compare);
    g_autoptr(CtlTable) table = ctl_table_new(columns, G_N_ELEMENTS(columns));
    for (guint i = 0; i < runs->len && i < lines; i++)
        add_run(table, ctl, runs->pdata[i], now);
    guint n = ctl_table_get_n_rows(table);
    g_autofree char *summary = n > 0 ? g_strdup_printf(ngettext("%u run.", "%u runs.", n), n)
                                     : g_strdup(_("Nothing runs by a schedule."));
    g_autoptr(GString) out = g_string_new(NULL);
    ctl_table_print(table, ctl->format, &ctl->style, summary, out);
    ctl_print(ctl, out->str);
    return CTL_EXIT_OK;
}
