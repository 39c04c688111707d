/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-object.h"
#include "ctl-text.h"

#define DEFAULT_LINES 20

/* What runs of a connection have brought, seen in one of three ways: run by run, day by day, or
 * how fresh each stream is. */

static char *
count_text(const SlJsonDoc *doc, const SlJsonNode *row, const char *key)
{
    return ctl_text_count(MAX(ctl_json_int(doc, row, key), 0));
}

/* "public.users" */
static char *
stream_text(const SlJsonDoc *doc, const SlJsonNode *row)
{
    g_autofree char *name = ctl_json_string(doc, row, "streamName");
    g_autofree char *ns = ctl_json_string(doc, row, "streamNamespace");
    return *ns != '\0' ? g_strdup_printf("%s.%s", ns, name) : g_steal_pointer(&name);
}

static gint64
seconds_of(const SlJsonDoc *doc, const SlJsonNode *row, const char *key)
{
    gint64 seconds = ctl_json_int(doc, row, key);
    return seconds >= 0 ? seconds * G_USEC_PER_SEC : -1;
}

static char *
span_text(gint64 from, gint64 to)
{
    return from >= 0 && to >= from ? ctl_text_duration(to - from) : NULL;
}

/* --- runs --------------------------------------------------------------------------------------
 */

static const CtlColumn run_columns[] = {
    {N_("JOB"), CTL_COLUMN_RIGHT},
    {N_("STATE"), CTL_COLUMN_STATE},
    {N_("TYPE"), 0},
    {N_("STARTED"), 0},
    {N_("TIME"), CTL_COLUMN_RIGHT},
    {N_("TRIES"), CTL_COLUMN_RIGHT | CTL_COLUMN_WIDE},
    {N_("READ"), CTL_COLUMN_RIGHT},
    {N_("WRITTEN"), CTL_COLUMN_RIGHT},
    {N_("REJECTED"), CTL_COLUMN_RIGHT},
    {N_("SIZE"), CTL_COLUMN_RIGHT},
};

typedef struct {
    guint good, ended;
} Uptime;

static void
add_run(CtlTable *table, const Ctl *ctl, const SlJsonDoc *doc, const SlJsonNode *row, Uptime *up)
{
    const SlJsonNode *job = sl_json_get(doc, row, "job");
    const SlJsonNode *stats = sl_json_get(doc, job, "aggregatedStats");
    const SlJsonNode *attempts = sl_json_get(doc, row, "attempts");
    g_autofree char *status = ctl_json_string(doc, job, "status");
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, ctl_json_int(doc, job, "id"));
    gint64 from = seconds_of(doc, job, "startedAt"), to = seconds_of(doc, job, "updatedAt");
    from = from >= 0 ? from : seconds_of(doc, job, "createdAt");
    up->good += strcmp(status, "succeeded") == 0;
    up->ended += strcmp(status, "succeeded") == 0 || strcmp(status, "failed") == 0;
    ctl_table_add(
        table, row->p, row->n, id, g_strdup(id), g_strdup(status),
        ctl_json_string(doc, job, "configType"), ctl_text_time(from, ctl->utc), span_text(from, to),
        g_strdup_printf("%u", attempts != NULL ? attempts->count : 0),
        count_text(doc, stats, "recordsEmitted"), count_text(doc, stats, "recordsCommitted"),
        count_text(doc, stats, "recordsRejected"),
        ctl_text_bytes(MAX(ctl_json_int(doc, stats, "bytesCommitted"), 0)));
}

static char *
summarize_runs(guint n, const Uptime *up)
{
    g_autofree char *runs = g_strdup_printf(ngettext("%u run.", "%u runs.", n), n);
    if (up->ended == 0)
        return g_steal_pointer(&runs);
    /* No rounding up: only what never failed is at 100 %. */
    return g_strdup_printf(_("%s Succeeded: %u of %u, %u %%."), runs, up->good, up->ended,
                           100 * up->good / up->ended);
}

static CtlTable *
list_runs(Ctl *ctl, const CtlObject *connection, gint64 lines, char **ret_summary, GError **error)
{
    Uptime up = {0};
    g_autoptr(CtlTable) table = ctl_table_new(run_columns, G_N_ELEMENTS(run_columns));
    g_autofree char *body =
        g_strdup_printf("{\"configId\":\"%s\",\"configTypes\":[\"sync\",\"refresh\",\"clear\","
                        "\"reset_connection\"],\"orderByField\":\"createdAt\",\"orderByMethod\":"
                        "\"DESC\",\"pagination\":{\"pageSize\":%" G_GINT64_FORMAT "}}",
                        connection->id, CLAMP(lines, 1, 1000));
    g_autoptr(SlJsonDoc) doc =
        ctl_api_call(ctl->api, "POST", "/api/v1/jobs/list", body, CTL_DEADLINE, error);
    if (doc == NULL)
        return NULL;
    const SlJsonNode *jobs = sl_json_get(doc, sl_json_root(doc), "jobs");
    if (jobs != NULL && lines > 0)
        SL_JSON_FOREACH (doc, jobs, job) {
            add_run(table, ctl, doc, job, &up);
        }
    *ret_summary = summarize_runs(ctl_table_get_n_rows(table), &up);
    return g_steal_pointer(&table);
}

/* --- days --------------------------------------------------------------------------------------
 */

static const CtlColumn day_columns[] = {
    {N_("DAY"), 0},
    {N_("STREAM"), CTL_COLUMN_SHRINK},
    {N_("WRITTEN"), CTL_COLUMN_RIGHT},
};

/* The name of this host's zone; "UTC" where it has none that another host knows. */
static char *
zone_name(const Ctl *ctl)
{
    g_autoptr(GTimeZone) zone = ctl->utc ? NULL : g_time_zone_new_local();
    const char *name = zone != NULL ? g_time_zone_get_identifier(zone) : "UTC";
    g_autoptr(GTimeZone) known = name != NULL ? g_time_zone_new_identifier(name) : NULL;
    return g_strdup(known != NULL && *name != '/' ? name : "UTC");
}

static char *
day_text(gint64 seconds, const char *zone_name)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(zone_name);
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(seconds);
    g_autoptr(GDateTime) local = utc != NULL ? g_date_time_to_timezone(utc, zone) : NULL;
    return local != NULL ? g_date_time_format(local, "%Y-%m-%d") : NULL;
}

/* Days without anything are left out of what people read; programs get them all. */
static CtlTable *
list_days(Ctl *ctl, const CtlObject *connection, gint64 lines, char **ret_summary, GError **error)
{
    gint64 total = 0;
    gboolean people = ctl->format == CTL_FORMAT_TABLE || ctl->format == CTL_FORMAT_WIDE;
    g_autofree char *zone = zone_name(ctl);
    g_autoptr(CtlTable) table = ctl_table_new(day_columns, G_N_ELEMENTS(day_columns));
    g_autofree char *body =
        g_strdup_printf("{\"connectionId\":\"%s\",\"timezone\":\"%s\"}", connection->id, zone);
    g_autoptr(SlJsonDoc) doc = ctl_api_call(ctl->api, "POST", "/api/v1/connections/stream_history",
                                            body, CTL_DEADLINE, error);
    if (doc == NULL)
        return NULL;
    SL_JSON_FOREACH (doc, sl_json_root(doc), row) {
        gint64 records = ctl_json_int(doc, row, "recordsCommitted");
        g_autofree char *stream = stream_text(doc, row);
        if (people && records <= 0)
            continue;
        total += MAX(records, 0);
        ctl_table_add(table, row->p, row->n, stream,
                      day_text(ctl_json_int(doc, row, "timestamp"), zone), g_strdup(stream),
                      ctl_text_count(MAX(records, 0)));
    }
    g_autofree char *rows = ctl_text_count(total);
    *ret_summary = g_strdup_printf(_("%s rows in 30 days."), rows);
    return g_steal_pointer(&table);
}

/* --- streams -----------------------------------------------------------------------------------
 */

static const CtlColumn stream_columns[] = {
    {N_("STREAM"), CTL_COLUMN_SHRINK},
    {N_("JOB"), CTL_COLUMN_RIGHT},
    {N_("STATE"), CTL_COLUMN_STATE},
    {N_("TYPE"), CTL_COLUMN_WIDE},
    {N_("ENDED"), 0},
    {N_("AGE"), CTL_COLUMN_RIGHT},
    {N_("WRITTEN"), CTL_COLUMN_RIGHT},
    {N_("SIZE"), CTL_COLUMN_RIGHT},
};

static CtlTable *
list_streams(Ctl *ctl, const CtlObject *connection, gint64 lines, char **ret_summary,
             GError **error)
{
    gint64 now = g_get_real_time();
    g_autoptr(CtlTable) table = ctl_table_new(stream_columns, G_N_ELEMENTS(stream_columns));
    g_autofree char *body = g_strdup_printf("{\"connectionId\":\"%s\"}", connection->id);
    g_autoptr(SlJsonDoc) doc = ctl_api_call(
        ctl->api, "POST", "/api/v1/connections/last_job_per_stream", body, CTL_DEADLINE, error);
    if (doc == NULL)
        return NULL;
    SL_JSON_FOREACH (doc, sl_json_root(doc), row) {
        g_autofree char *stream = stream_text(doc, row);
        gint64 ended = seconds_of(doc, row, "endedAt");
        ctl_table_add(table, row->p, row->n, stream, g_strdup(stream),
                      g_strdup_printf("%" G_GINT64_FORMAT, ctl_json_int(doc, row, "jobId")),
                      ctl_json_string(doc, row, "jobStatus"),
                      ctl_json_string(doc, row, "configType"), ctl_text_time(ended, ctl->utc),
                      span_text(ended, MAX(now, ended)), count_text(doc, row, "recordsCommitted"),
                      ctl_text_bytes(MAX(ctl_json_int(doc, row, "bytesCommitted"), 0)));
    }
    guint n = ctl_table_get_n_rows(table);
    *ret_summary = g_strdup_printf(ngettext("%u stream.", "%u streams.", n), n);
    return g_steal_pointer(&table);
}

/* --- the command -------------------------------------------------------------------------------
 */

typedef CtlTable *(*List)(Ctl *ctl, const CtlObject *connection, gint64 lines, char **ret_summary,
                          GError **error);

CtlExit
ctl_run_history(Ctl *ctl, GError **error)
{
    static const struct {
        const char *by;
        List list;
    } ways[] = {{"run", list_runs}, {"day", list_days}, {"stream", list_streams}};
    const guint kind = CTL_KIND_BIT(CTL_CONNECTION);
    const char *by = ctl_option(ctl, CTL_OPT_BY);
    g_autofree char *summary = NULL;
    guint way = 0;
    gint64 lines;
    if (!ctl_option_lines(ctl, DEFAULT_LINES, &lines, error))
        return CTL_EXIT_USAGE;
    while (by != NULL && strcmp(ways[way].by, by) != 0)
        way++; /* the option's choices are these */
    g_autoptr(GPtrArray) all = ctl_object_list(ctl, kind, error);
    const CtlObject *connection =
        all != NULL ? ctl_object_pick(all, kind, ctl->args->args[0], error) : NULL;
    g_autoptr(CtlTable) table =
        connection != NULL ? ways[way].list(ctl, connection, lines, &summary, error) : NULL;
    if (table == NULL)
        return CTL_EXIT_FAILED;
    g_autoptr(GString) out = g_string_new(NULL);
    ctl_table_print(table, ctl->format, &ctl->style, summary, out);
    ctl_print(ctl, out->str);
    return CTL_EXIT_OK;
}
