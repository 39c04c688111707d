/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-job.h"
#include "ctl-object.h"
#include "ctl-progress.h"
#include "ctl-schedule.h"
#include "ctl-text.h"
#include "sl-error.h"

/* --- the whole host ----------------------------------------------------------------------------
 */

static void
append_dot(const Ctl *ctl, const char *color, GString *out)
{
    const char *dot = ctl->style.utf8 ? "●" : "*";
    g_string_append_printf(out, "%s%s%s ", ctl->style.color ? color : "", dot,
                           ctl_style_reset(&ctl->style));
}

static void
append_job_line(Ctl *ctl, const GPtrArray *connections, const CtlJob *job, GString *out)
{
    const CtlObject *connection = ctl_object_by_id(connections, job->connection_id);
    g_autofree char *summary =
        ctl_progress_summary(job, connection != NULL ? connection->name : job->connection_id);
    g_autofree char *when = job->created >= 0 ? ctl_text_time(job->created, ctl->utc) : NULL;
    g_string_append_printf(out, "    %s", when != NULL ? when : "");
    g_string_append_printf(out, "  %s\n", summary);
}

typedef struct {
    Ctl *ctl;
    const GPtrArray *connections;
    GString *out;
    const char *title; /* printed before the first one */
} Listing;

static void
list_job(const SlJsonDoc *doc, const SlJsonNode *row, gpointer data)
{
    Listing *listing = data;
    g_autoptr(CtlJob) job = ctl_job_parse(doc, row);
    if (listing->title != NULL)
        g_string_append_printf(listing->out, "\n%s%s%s\n", ctl_style_bold(&listing->ctl->style),
                               listing->title, ctl_style_reset(&listing->ctl->style));
    listing->title = NULL;
    append_job_line(listing->ctl, listing->connections, job, listing->out);
}

#define MAX_LISTED 10

static gboolean
append_jobs(Ctl *ctl, const char *state, const char *title, const GPtrArray *connections,
            GString *out, GError **error)
{
    const char *workspace = ctl_workspace(ctl, error);
    g_autofree char *path =
        g_strdup_printf(CTL_PUBLIC "/jobs?status=%s&workspaceIds=%s&orderBy=createdAt%%7CDESC",
                        state, workspace != NULL ? workspace : "");
    Listing listing = {ctl, connections, out, title};
    return workspace != NULL && ctl_list_pages(ctl, path, MAX_LISTED, list_job, &listing, error);
}

static void
append_counts(Ctl *ctl, const SlJsonDoc *doc, GString *out)
{
    static const struct {
        const char *key;
        const char *one, *many;
    } rows[] = {
        {"sources", N_("source"), N_("sources")},
        {"destinations", N_("destination"), N_("destinations")},
        {"connections", N_("active connection"), N_("active connections")},
        {"jobsRunning", N_("job running"), N_("jobs running")},
        {"jobsPending", N_("job waiting"), N_("jobs waiting")},
        {"jobsIncomplete", N_("job to be tried again"), N_("jobs to be tried again")},
        {"jobsSucceededToday", N_("job succeeded today"), N_("jobs succeeded today")},
        {"jobsFailedToday", N_("job failed today"), N_("jobs failed today")},
    };
    const SlJsonNode *root = sl_json_root(doc);
    g_autofree char *version = ctl_json_string(doc, root, "version");
    gint64 next = ctl_json_time(doc, root, "nextRunAt");
    append_dot(ctl, ctl_json_int(doc, root, "jobsFailedToday") > 0 ? "\033[33m" : "\033[32m", out);
    g_string_append_printf(out, "Sluice %s\n   ", version);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        gint64 n = ctl_json_int(doc, root, rows[i].key);
        /* What there is none of is not worth a word, but for the three kinds of objects. */
        if (n > 0 || (n == 0 && i < 3))
            g_string_append_printf(out, "%s%" G_GINT64_FORMAT " %s", i > 0 ? ", " : " ", n,
                                   ngettext(rows[i].one, rows[i].many, (gulong)n));
    }
    g_string_append_c(out, '\n');
    if (next >= 0) {
        g_autofree char *time = ctl_text_time(next, ctl->utc);
        g_string_append_printf(out, _("    next run at %s\n"), time);
    }
}

static CtlExit
show_host(Ctl *ctl, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(SlJsonDoc) doc = ctl_api_get(ctl->api, CTL_SLUICE "/status", error);
    if (doc == NULL)
        return CTL_EXIT_FAILED;
    if (ctl_format_is_document(ctl->format)) {
        ctl_format_append(ctl->format, doc, sl_json_root(doc), out);
        ctl_print(ctl, out->str);
        return CTL_EXIT_OK;
    }
    g_autoptr(GPtrArray) connections = ctl_object_list(ctl, CTL_KIND_BIT(CTL_CONNECTION), error);
    if (connections == NULL)
        return CTL_EXIT_FAILED;
    append_counts(ctl, doc, out);
    if (!append_jobs(ctl, "running", _("Running"), connections, out, error) ||
        !append_jobs(ctl, "incomplete", _("To be tried again"), connections, out, error) ||
        !append_jobs(ctl, "failed", _("Failed last"), connections, out, error))
        return CTL_EXIT_FAILED;
    ctl_print(ctl, out->str);
    return CTL_EXIT_OK;
}

/* --- connections -------------------------------------------------------------------------------
 */

#define LAST_JOBS 5

typedef struct {
    GPtrArray *jobs;
} Loaded;

static void
keep_job(const SlJsonDoc *doc, const SlJsonNode *row, gpointer data)
{
    g_ptr_array_add(((Loaded *)data)->jobs, ctl_job_parse(doc, row));
}

static const char *
name_of(const GPtrArray *objects, const char *id)
{
    const CtlObject *object = ctl_object_by_id(objects, id);
    return object != NULL ? object->name : id;
}

/* The newest job with its streams and why it failed; the listing does not have them. */
static gboolean
append_last(Ctl *ctl, const CtlJob *newest, GString *out, GError **error)
{
    g_autoptr(CtlJob) job = ctl_job_load(ctl, newest->id, error);
    if (job == NULL)
        return FALSE;
    for (guint i = 0; i < job->streams->len; i++) {
        const CtlStream *stream = g_ptr_array_index(job->streams, i);
        g_autofree char *records = ctl_text_count(stream->records);
        g_autofree char *committed = ctl_text_count(stream->committed);
        g_string_append_printf(out, _("            %s: %s rows read, %s stored\n"), stream->name,
                               records, committed);
    }
    if (job->failure != NULL && strcmp(job->status, "succeeded") != 0)
        g_string_append_printf(out, _("   Reason:  %s\n"), job->failure);
    return TRUE;
}

static gboolean
append_connection(Ctl *ctl, const GPtrArray *objects, const CtlObject *connection, gboolean *bad,
                  GString *out, GError **error)
{
    const SlJsonDoc *doc = connection->doc;
    const SlJsonNode *root = sl_json_root(doc);
    g_autofree char *status = ctl_json_string(doc, root, "status");
    g_autofree char *source = ctl_json_string(doc, root, "sourceId");
    g_autofree char *destination = ctl_json_string(doc, root, "destinationId");
    g_autofree char *schedule = ctl_schedule_text(doc, sl_json_get(doc, root, "schedule"));
    g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func((GDestroyNotify)ctl_job_free);
    g_autofree char *path = g_strdup_printf(
        CTL_PUBLIC "/jobs?connectionId=%s&orderBy=createdAt%%7CDESC", connection->id);
    Loaded loaded = {jobs};
    if (!ctl_list_pages(ctl, path, LAST_JOBS, keep_job, &loaded, error))
        return FALSE;
    const CtlJob *newest = jobs->len > 0 ? g_ptr_array_index(jobs, 0) : NULL;
    gboolean failed = newest != NULL && strcmp(newest->status, "failed") == 0;
    gboolean active = strcmp(status, "active") == 0;
    *bad = *bad || failed || !active;
    g_autofree char *name = ctl_text_clean(connection->name, -1);
    append_dot(ctl, failed ? "\033[1;31m" : active ? "\033[32m" : "\033[2m", out);
    g_string_append_printf(out, "%s%s%s - %s\n", ctl_style_bold(&ctl->style), name,
                           ctl_style_reset(&ctl->style), connection->id);
    g_string_append_printf(out, _("     From:  %s\n"), name_of(objects, source));
    g_string_append_printf(out, _("       To:  %s\n"), name_of(objects, destination));
    g_string_append_printf(out, _("    State:  "));
    ctl_style_append_state(&ctl->style, status, out);
    g_string_append_printf(out, _(", %s\n"), schedule);
    if (newest == NULL) {
        g_string_append(out, _("     Jobs:  none yet\n"));
        return TRUE;
    }
    g_string_append(out, _("     Jobs:\n"));
    for (guint i = 0; i < jobs->len; i++)
        append_job_line(ctl, objects, g_ptr_array_index(jobs, i), out);
    return append_last(ctl, newest, out, error);
}

CtlExit
ctl_run_status(Ctl *ctl, GError **error)
{
    guint kind = CTL_KIND_BIT(CTL_CONNECTION);
    gboolean bad = FALSE;
    if (*ctl->args->args == NULL)
        return show_host(ctl, error);
    g_autoptr(GPtrArray) objects = ctl_object_list(ctl, CTL_KINDS_NAMED, error);
    g_autoptr(GPtrArray) connections = objects != NULL ? ctl_object_list(ctl, kind, error) : NULL;
    g_autoptr(GPtrArray) selected =
        connections != NULL
            ? ctl_object_select(connections, kind, (const char *const *)ctl->args->args, error)
            : NULL;
    if (selected == NULL)
        return CTL_EXIT_FAILED;
    g_autoptr(GString) out = g_string_new(NULL);
    for (guint i = 0; i < selected->len; i++) {
        if (i > 0)
            g_string_append_c(out, '\n');
        if (!append_connection(ctl, objects, g_ptr_array_index(selected, i), &bad, out, error))
            return CTL_EXIT_FAILED;
    }
    ctl_print(ctl, out->str);
    return bad ? CTL_EXIT_STATE : CTL_EXIT_OK;
}
