/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-job.h"
#include "ctl-object.h"
#include "ctl-schedule.h"
#include "ctl-text.h"
#include "sl-error.h"
#include "sl-word.h"

#define ROW_JSON(object) sl_json_root((object)->doc)->p, sl_json_root((object)->doc)->n
#define DEFAULT_JOBS 20

static void
print_table(Ctl *ctl, const CtlTable *table, const char *summary)
{
    g_autoptr(GString) out = g_string_new(NULL);
    ctl_table_print(table, ctl->format, &ctl->style, summary, out);
    ctl_print(ctl, out->str);
}

static const char *
name_of(const GPtrArray *objects, const char *id)
{
    const CtlObject *object = ctl_object_by_id(objects, id);
    return object != NULL ? object->name : id;
}

static char *
time_text(const Ctl *ctl, gint64 usec)
{
    return usec >= 0 ? ctl_text_time(usec, ctl->utc) : NULL;
}

/* --- connections -------------------------------------------------------------------------------
 */

static const CtlColumn connection_columns[] = {
    {N_("NAME"), CTL_COLUMN_SHRINK},     {N_("STATE"), CTL_COLUMN_STATE},
    {N_("SOURCE"), CTL_COLUMN_SHRINK},   {N_("DESTINATION"), CTL_COLUMN_SHRINK},
    {N_("SCHEDULE"), CTL_COLUMN_SHRINK}, {N_("STREAMS"), CTL_COLUMN_RIGHT},
    {N_("CREATED"), CTL_COLUMN_WIDE},    {N_("ID"), CTL_COLUMN_WIDE},
};

static void
add_connection(Ctl *ctl, CtlTable *table, const GPtrArray *objects, const CtlObject *object)
{
    const SlJsonNode *root = sl_json_root(object->doc);
    g_autofree char *source = ctl_json_string(object->doc, root, "sourceId");
    g_autofree char *destination = ctl_json_string(object->doc, root, "destinationId");
    const SlJsonNode *streams =
        sl_json_get_path(object->doc, root, "configurations", "streams", NULL);
    ctl_table_add(table, ROW_JSON(object), object->name, g_strdup(object->name),
                  ctl_json_string(object->doc, root, "status"), g_strdup(name_of(objects, source)),
                  g_strdup(name_of(objects, destination)),
                  ctl_schedule_text(object->doc, sl_json_get(object->doc, root, "schedule")),
                  g_strdup_printf("%u", streams != NULL ? streams->count : 0),
                  time_text(ctl, ctl_json_time(object->doc, root, "createdAt")),
                  g_strdup(object->id));
}

static gboolean
state_is(const CtlObject *object, const char *state)
{
    g_autofree char *status = ctl_json_string(object->doc, sl_json_root(object->doc), "status");
    return state == NULL || strcmp(status, state) == 0;
}

CtlExit
ctl_run_list_connections(Ctl *ctl, GError **error)
{
    static const guint kind = CTL_KIND_BIT(CTL_CONNECTION);
    g_autoptr(CtlTable) table = ctl_table_new(connection_columns, G_N_ELEMENTS(connection_columns));
    g_autoptr(GPtrArray) connections = ctl_object_list(ctl, kind, error);
    if (connections == NULL)
        return CTL_EXIT_FAILED;
    g_autoptr(GPtrArray) selected =
        ctl_object_select(connections, kind, (const char *const *)ctl->args->args, error);
    g_autoptr(GPtrArray) actors =
        selected != NULL ? ctl_object_list(ctl, CTL_KINDS_NAMED & ~kind, error) : NULL;
    if (actors == NULL)
        return CTL_EXIT_FAILED;
    for (guint i = 0; i < selected->len; i++)
        if (state_is(g_ptr_array_index(selected, i), ctl_option(ctl, CTL_OPT_STATE)))
            add_connection(ctl, table, actors, g_ptr_array_index(selected, i));
    guint n = ctl_table_get_n_rows(table);
    g_autofree char *summary = g_strdup_printf(ngettext("%u connection.", "%u connections.", n), n);
    print_table(ctl, table, summary);
    return CTL_EXIT_OK;
}

/* --- sources, destinations, connectors ---------------------------------------------------------
 */

static const CtlColumn actor_columns[] = {
    {N_("NAME"), CTL_COLUMN_SHRINK},
    {N_("CONNECTOR"), CTL_COLUMN_SHRINK},
    {N_("CREATED"), 0},
    {N_("ID"), CTL_COLUMN_WIDE},
};

static CtlExit
list_actors(Ctl *ctl, CtlKind kind, GError **error)
{
    g_autoptr(CtlTable) table = ctl_table_new(actor_columns, G_N_ELEMENTS(actor_columns));
    CtlKind connector = kind == CTL_SOURCE ? CTL_SOURCE_CONNECTOR : CTL_DESTINATION_CONNECTOR;
    g_autoptr(GPtrArray) objects = ctl_object_list(ctl, CTL_KIND_BIT(kind), error);
    if (objects == NULL)
        return CTL_EXIT_FAILED;
    g_autoptr(GPtrArray) selected =
        ctl_object_select(objects, CTL_KIND_BIT(kind), (const char *const *)ctl->args->args, error);
    g_autoptr(GPtrArray) connectors =
        selected != NULL ? ctl_object_list(ctl, CTL_KIND_BIT(connector), error) : NULL;
    if (connectors == NULL)
        return CTL_EXIT_FAILED;
    for (guint i = 0; i < selected->len; i++) {
        const CtlObject *object = g_ptr_array_index(selected, i);
        const SlJsonNode *root = sl_json_root(object->doc);
        g_autofree char *definition = ctl_json_string(object->doc, root, "definitionId");
        ctl_table_add(table, ROW_JSON(object), object->name, g_strdup(object->name),
                      g_strdup(name_of(connectors, definition)),
                      time_text(ctl, ctl_json_time(object->doc, root, "createdAt")),
                      g_strdup(object->id));
    }
    guint n = ctl_table_get_n_rows(table);
    g_autofree char *summary =
        kind == CTL_SOURCE ? g_strdup_printf(ngettext("%u source.", "%u sources.", n), n)
                           : g_strdup_printf(ngettext("%u destination.", "%u destinations.", n), n);
    print_table(ctl, table, summary);
    return CTL_EXIT_OK;
}

CtlExit
ctl_run_list_sources(Ctl *ctl, GError **error)
{
    return list_actors(ctl, CTL_SOURCE, error);
}

CtlExit
ctl_run_list_destinations(Ctl *ctl, GError **error)
{
    return list_actors(ctl, CTL_DESTINATION, error);
}

static const CtlColumn connector_columns[] = {
    {N_("CONNECTOR"), CTL_COLUMN_SHRINK},
    {N_("NAME"), CTL_COLUMN_SHRINK},
    {N_("TYPE"), 0},
    {N_("RUNTIME"), 0},
    {N_("VERSION"), 0},
    {N_("IMAGE"), CTL_COLUMN_WIDE},
    {N_("STANDS IN FOR"), CTL_COLUMN_WIDE},
    {N_("MAY REACH"), CTL_COLUMN_WIDE},
    {N_("ID"), CTL_COLUMN_WIDE},
};

static char *
join_member(const SlJsonDoc *doc, const char *member)
{
    g_autoptr(GString) line = g_string_new(NULL);
    SL_JSON_FOREACH (doc, sl_json_get(doc, sl_json_root(doc), member), one) {
        g_autofree char *word = sl_json_dup_string(one);
        g_string_append_printf(line, "%s%s", line->len > 0 ? " " : "", word != NULL ? word : "?");
    }
    return line->len > 0 ? g_string_free(g_steal_pointer(&line), FALSE) : NULL;
}

/* The images of public connectors that this one stands in for, or else their ids. */
static char *
aliases_text(const SlJsonDoc *doc)
{
    char *text = join_member(doc, "aliasRepositories");
    return text != NULL ? text : join_member(doc, "aliases");
}

CtlExit
ctl_run_list_connectors(Ctl *ctl, GError **error)
{
    const char *type = ctl_option(ctl, CTL_OPT_TYPE);
    guint kinds = type == NULL
                      ? CTL_KINDS_CONNECTOR
                      : CTL_KIND_BIT(strcmp(type, "source") == 0 ? CTL_SOURCE_CONNECTOR
                                                                 : CTL_DESTINATION_CONNECTOR);
    g_autoptr(CtlTable) table = ctl_table_new(connector_columns, G_N_ELEMENTS(connector_columns));
    g_autoptr(GPtrArray) objects = ctl_object_list(ctl, kinds, error);
    g_autoptr(GPtrArray) selected =
        objects != NULL
            ? ctl_object_select(objects, kinds, (const char *const *)ctl->args->args, error)
            : NULL;
    if (selected == NULL)
        return CTL_EXIT_FAILED;
    for (guint i = 0; i < selected->len; i++) {
        const CtlObject *object = g_ptr_array_index(selected, i);
        const char *slash = strrchr(object->type, '/');
        const char *short_name = slash != NULL ? slash + 1 : object->type;
        ctl_table_add(table, ROW_JSON(object), short_name, g_strdup(short_name),
                      g_strdup(object->name),
                      g_strdup(object->kind == CTL_SOURCE_CONNECTOR ? "source" : "destination"),
                      ctl_json_string(object->doc, sl_json_root(object->doc), "runtime"),
                      ctl_json_string(object->doc, sl_json_root(object->doc), "dockerImageTag"),
                      g_strdup(object->type), aliases_text(object->doc),
                      join_member(object->doc, "allowedHosts"), g_strdup(object->id));
    }
    guint n = ctl_table_get_n_rows(table);
    g_autofree char *summary = g_strdup_printf(ngettext("%u connector.", "%u connectors.", n), n);
    print_table(ctl, table, summary);
    return CTL_EXIT_OK;
}

/* --- jobs --------------------------------------------------------------------------------------
 */

static const CtlColumn job_columns[] = {
    {N_("JOB"), CTL_COLUMN_RIGHT},
    {N_("STATE"), CTL_COLUMN_STATE},
    {N_("TYPE"), 0},
    {N_("CONNECTION"), CTL_COLUMN_SHRINK},
    {N_("STARTED"), 0},
    {N_("TIME"), CTL_COLUMN_RIGHT},
    {N_("ROWS"), CTL_COLUMN_RIGHT},
    {N_("SIZE"), CTL_COLUMN_RIGHT},
    {N_("CONNECTION ID"), CTL_COLUMN_WIDE},
};

typedef struct {
    Ctl *ctl;
    CtlTable *table;
    const GPtrArray *connections;
    GHashTable *wanted; /* ids; NULL: all */
    guint left;
} Jobs;

static void
add_job(const SlJsonDoc *doc, const SlJsonNode *row, gpointer data)
{
    Jobs *jobs = data;
    g_autoptr(CtlJob) job = ctl_job_parse(doc, row);
    if (jobs->left == 0 ||
        (jobs->wanted != NULL && !g_hash_table_contains(jobs->wanted, job->connection_id)))
        return;
    jobs->left--;
    gint64 end = job->ended >= 0 ? job->ended : g_get_real_time();
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, job->id);
    ctl_table_add(jobs->table, row->p, row->n, id, g_strdup(id), g_strdup(job->status),
                  g_strdup(job->type), g_strdup(name_of(jobs->connections, job->connection_id)),
                  time_text(jobs->ctl, job->created),
                  job->created >= 0 ? ctl_text_duration(MAX(end - job->created, 0)) : NULL,
                  ctl_text_count(job->records), ctl_text_bytes(job->bytes),
                  g_strdup(job->connection_id));
}

static char *
jobs_path(Ctl *ctl, const GPtrArray *selected, GError **error)
{
    const char *state = ctl_option(ctl, CTL_OPT_STATE);
    g_autoptr(GString) path = g_string_new(CTL_PUBLIC "/jobs?orderBy=createdAt%7CDESC");
    if (state != NULL) {
        g_autofree char *escaped = g_uri_escape_string(state, NULL, FALSE);
        g_string_append_printf(path, "&status=%s", escaped);
    }
    if (selected->len == 1 && *ctl->args->args != NULL) {
        const CtlObject *only = g_ptr_array_index(selected, 0);
        g_string_append_printf(path, "&connectionId=%s", only->id);
    } else {
        const char *workspace = ctl_workspace(ctl, error);
        if (workspace == NULL)
            return NULL;
        g_string_append_printf(path, "&workspaceIds=%s", workspace);
    }
    return g_strdup(path->str);
}

static gboolean
check_job_state(const char *state, GError **error)
{
    static const char *const states[] = {"pending",   "running",   "incomplete", "failed",
                                         "succeeded", "cancelled", NULL};
    if (state == NULL || g_strv_contains(states, state))
        return TRUE;
    const char *nearest = sl_word_nearest(state, states);
    g_autofree char *list = g_strjoinv(", ", (char **)states);
    return nearest != NULL
               ? ctl_set_usage_error(error, _("--state=%s: did you mean '%s'?"), state, nearest)
               : ctl_set_usage_error(error, _("--state=%s: expected one of %s"), state, list);
}

CtlExit
ctl_run_list_jobs(Ctl *ctl, GError **error)
{
    static const guint kind = CTL_KIND_BIT(CTL_CONNECTION);
    gint64 lines;
    if (!check_job_state(ctl_option(ctl, CTL_OPT_STATE), error))
        return CTL_EXIT_USAGE;
    g_autoptr(CtlTable) table = ctl_table_new(job_columns, G_N_ELEMENTS(job_columns));
    g_autoptr(GHashTable) wanted = g_hash_table_new(g_str_hash, g_str_equal);
    if (!ctl_option_lines(ctl, DEFAULT_JOBS, &lines, error))
        return CTL_EXIT_USAGE;
    g_autoptr(GPtrArray) objects = ctl_object_list(ctl, kind, error);
    g_autoptr(GPtrArray) selected =
        objects != NULL
            ? ctl_object_select(objects, kind, (const char *const *)ctl->args->args, error)
            : NULL;
    g_autofree char *path = selected != NULL ? jobs_path(ctl, selected, error) : NULL;
    if (path == NULL)
        return CTL_EXIT_FAILED;
    for (guint i = 0; i < selected->len; i++)
        g_hash_table_add(wanted, ((CtlObject *)g_ptr_array_index(selected, i))->id);
    gboolean some = *ctl->args->args != NULL;
    Jobs jobs = {ctl, table, objects, some ? wanted : NULL, (guint)lines};
    /* Jobs of a few connections may lie anywhere among all of them. */
    if (lines > 0 &&
        !ctl_list_pages(ctl, path, some ? G_MAXUINT : (guint)lines, add_job, &jobs, error))
        return CTL_EXIT_FAILED;
    guint n = ctl_table_get_n_rows(table);
    g_autofree char *summary = g_strdup_printf(ngettext("%u job.", "%u jobs.", n), n);
    print_table(ctl, table, summary);
    return CTL_EXIT_OK;
}
