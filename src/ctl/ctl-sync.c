/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-job.h"
#include "ctl-object.h"
#include "ctl-text.h"
#include "sl-error.h"
#include "sl-json-write.h"

/* A run that is stopped for another may take its time to say goodbye. */
#define CTL_REQUEST_DEADLINE (120 * (gint64)G_USEC_PER_SEC)

typedef struct {
    gint64 id;
    const CtlObject *connection;
} Started;

/* A connection whose schedule was quicker: its running job is as good as a new one, as a unit that
 * runs already is to 'systemctl start'. 0: nothing runs. */
static gint64
find_running(Ctl *ctl, const CtlObject *connection)
{
    gint64 id = ctl_job_newest(ctl, connection->id, NULL);
    g_autoptr(CtlJob) job = id > 0 ? ctl_job_load(ctl, id, NULL) : NULL;
    return job != NULL && !ctl_job_is_terminal(job) ? id : 0;
}

static gboolean
start_job(Ctl *ctl, const CtlObject *connection, const char *type, gint64 *ret_id, GError **error)
{
    GError *why = NULL;
    g_autofree char *body =
        g_strdup_printf("{\"connectionId\":\"%s\",\"jobType\":\"%s\"}", connection->id, type);
    g_autoptr(SlJsonDoc) doc =
        ctl_api_call(ctl->api, "POST", CTL_PUBLIC "/jobs", body, CTL_DEADLINE, &why);
    if (doc == NULL) {
        *ret_id =
            g_error_matches(why, SL_ERROR, SL_ERROR_CONFLICT) ? find_running(ctl, connection) : 0;
        if (*ret_id > 0) {
            g_error_free(why);
            ctl_say(ctl, _("'%s' runs already: job %" G_GINT64_FORMAT "."), connection->name,
                    *ret_id);
            return TRUE;
        }
        g_propagate_prefixed_error(error, why, _("'%s' was not started: "), connection->name);
        return FALSE;
    }
    *ret_id = ctl_json_int(doc, sl_json_root(doc), "jobId");
    if (*ret_id < 0)
        return sl_error_set(error, SL_ERROR_PROTOCOL, _("POST /jobs: the answer has no 'jobId'"));
    ctl_say(ctl, _("Started job %" G_GINT64_FORMAT " of '%s'."), *ret_id, connection->name);
    return TRUE;
}

/* The worse of two ends, for several jobs. */
static CtlExit
worse(CtlExit a, CtlExit b)
{
    static const CtlExit order[] = {CTL_EXIT_INTERRUPTED, CTL_EXIT_FAILED, CTL_EXIT_PARTIAL,
                                    CTL_EXIT_RUNNING};
    for (gsize i = 0; i < G_N_ELEMENTS(order); i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return CTL_EXIT_OK;
}

static CtlExit
watch_all(Ctl *ctl, const GArray *started, gboolean follow, gint64 limit, GError **error)
{
    CtlExit status = CTL_EXIT_OK;
    gint64 deadline = limit >= 0 ? g_get_monotonic_time() + limit : -1;
    for (guint i = 0; i < started->len && status != CTL_EXIT_INTERRUPTED; i++) {
        const Started *one = &g_array_index(started, Started, i);
        g_autoptr(GError) why = NULL;
        gint64 left = limit >= 0 ? MAX(deadline - g_get_monotonic_time(), 0) : -1;
        CtlExit end = ctl_job_watch(ctl, one->id, one->connection->name, follow, left, &why);
        if (why != NULL) {
            g_propagate_error(error, g_steal_pointer(&why));
            return end;
        }
        status = worse(status, end);
    }
    return status;
}

/* The stream of --stream in a connection, as the config API names it; NULL: none, or several. */
static char *
find_stream(const CtlObject *connection, const char *wanted, GError **error)
{
    const SlJsonDoc *doc = connection->doc;
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    guint n = 0;
    SL_JSON_FOREACH (
        doc, sl_json_get_path(doc, sl_json_root(doc), "configurations", "streams", NULL), stream) {
        g_autofree char *name = ctl_json_string(doc, stream, "name");
        g_autofree char *ns = ctl_json_string(doc, stream, "namespace");
        g_autofree char *full = ns != NULL ? g_strdup_printf("%s.%s", ns, name) : NULL;
        gboolean exact = g_strcmp0(full, wanted) == 0;
        if (!exact && g_strcmp0(name, wanted) != 0)
            continue;
        n = exact ? 1 : n + 1;
        g_string_truncate(out, 0);
        w = (SlJsonWriter)SL_JSON_WRITER_INIT(out);
        sl_json_begin_object(&w);
        sl_json_member_string(&w, "streamName", name);
        sl_json_member_string(&w, "streamNamespace", ns);
        sl_json_end_object(&w);
        if (exact)
            break;
    }
    if (n == 0)
        sl_error_set(error, SL_ERROR_NOT_FOUND,
                     _("connection '%s' has no stream '%s'; 'sluicectl streams' shows what it has"),
                     connection->name, wanted);
    else if (n > 1)
        ctl_set_usage_error(error,
                            _("connection '%s' has several streams '%s': --stream=NAMESPACE.NAME"),
                            connection->name, wanted);
    return n == 1 ? g_strdup(out->str) : NULL;
}

/* What the public API has no word for: `verb` of the config API, of the stream that --stream names
 * or of all. A run at hand is stopped for it; the API answers when the new one is there. */
static gboolean
start_request(Ctl *ctl, const CtlObject *connection, const char *verb, gint64 *ret_id,
              GError **error)
{
    const char *wanted = ctl_option(ctl, CTL_OPT_STREAM);
    g_autofree char *stream = wanted != NULL ? find_stream(connection, wanted, error) : NULL;
    if (wanted != NULL && stream == NULL)
        return FALSE;
    g_autofree char *path = g_strdup_printf("/api/v1/connections/%s", verb);
    g_autofree char *body =
        g_strdup_printf("{\"connectionId\":\"%s\",%s%s%s%s}", connection->id,
                        ctl_option(ctl, CTL_OPT_KEEP) != NULL ? "\"refreshMode\":\"Merge\""
                                                              : "\"refreshMode\":\"Truncate\"",
                        stream != NULL ? ",\"streams\":[" : "", stream != NULL ? stream : "",
                        stream != NULL ? "]" : "");
    g_autoptr(SlJsonDoc) doc =
        ctl_api_call(ctl->api, "POST", path, body, CTL_REQUEST_DEADLINE, error);
    if (doc == NULL) {
        g_prefix_error(error, _("'%s' was not started: "), connection->name);
        return FALSE;
    }
    const SlJsonNode *job = sl_json_get(doc, sl_json_root(doc), "job");
    *ret_id = job != NULL ? ctl_json_int(doc, job, "id") : -1;
    if (*ret_id < 0)
        return sl_error_set(error, SL_ERROR_CONFLICT,
                            _("'%s' was not started: its destination cannot tell what was read "
                              "anew; 'sluicectl clear' does more"),
                            connection->name);
    ctl_say(ctl, _("Started job %" G_GINT64_FORMAT " of '%s'."), *ret_id, connection->name);
    return TRUE;
}

/* Starts a job of each connection, and waits for them when that is wished. */
static CtlExit
start_all(Ctl *ctl, const GPtrArray *selected, const char *type, GError **error)
{
    gboolean wait, follow = ctl_option(ctl, CTL_OPT_FOLLOW) != NULL;
    gint64 limit;
    if (!ctl_job_wait_option(ctl, &wait, &limit, error))
        return CTL_EXIT_USAGE;
    g_autoptr(GArray) started = g_array_new(FALSE, FALSE, sizeof(Started));
    for (guint i = 0; i < selected->len; i++) {
        Started one = {0, g_ptr_array_index(selected, i)};
        gboolean ok = strcmp(type, "refresh") == 0 || strcmp(type, "clear/stream") == 0
                          ? start_request(ctl, one.connection, type, &one.id, error)
                          : start_job(ctl, one.connection, type, &one.id, error);
        if (!ok)
            return CTL_EXIT_FAILED;
        g_array_append_val(started, one);
    }
    return wait || follow ? watch_all(ctl, started, follow, limit, error) : CTL_EXIT_OK;
}

CtlExit
ctl_run_sync(Ctl *ctl, GError **error)
{
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GPtrArray) selected = ctl_object_select_connections(ctl, &all, error);
    return selected != NULL ? start_all(ctl, selected, "sync", error) : CTL_EXIT_FAILED;
}

/* --- refresh -----------------------------------------------------------------------------------
 */

CtlExit
ctl_run_refresh(Ctl *ctl, GError **error)
{
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GPtrArray) selected = ctl_object_select_connections(ctl, &all, error);
    return selected != NULL ? start_all(ctl, selected, "refresh", error) : CTL_EXIT_FAILED;
}

/* --- clear -------------------------------------------------------------------------------------
 */

/* "  'shop-to-warehouse': users, orders" */
static void
append_plan(const CtlObject *connection, const char *only, GString *out)
{
    if (only != NULL) {
        g_autofree char *clean = ctl_text_clean(only, -1);
        g_string_append_printf(out, "\n  '%s': %s", connection->name, clean);
        return;
    }
    const SlJsonDoc *doc = connection->doc;
    const SlJsonNode *streams =
        sl_json_get_path(doc, sl_json_root(doc), "configurations", "streams", NULL);
    const char *separator = " ";
    g_string_append_printf(out, "\n  '%s':", connection->name);
    if (streams == NULL)
        return;
    SL_JSON_FOREACH (doc, streams, stream) {
        g_autofree char *name = ctl_json_string(doc, stream, "name");
        g_autofree char *clean = ctl_text_clean(name, -1);
        g_string_append_printf(out, "%s%s", separator, clean);
        separator = ", ";
    }
}

CtlExit
ctl_run_clear(Ctl *ctl, GError **error)
{
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GPtrArray) selected = ctl_object_select_connections(ctl, &all, error);
    const char *stream = ctl_option(ctl, CTL_OPT_STREAM);
    if (selected == NULL)
        return CTL_EXIT_FAILED;
    g_autoptr(GString) question =
        g_string_new(_("The destination loses every row of these streams; the next sync copies "
                       "everything again:"));
    for (guint i = 0; i < selected->len; i++)
        append_plan(g_ptr_array_index(selected, i), stream, question);
    g_string_append(question, _("\nClear?"));
    if (!ctl_confirm(ctl, question->str, error))
        return CTL_EXIT_FAILED;
    return start_all(ctl, selected, stream != NULL ? "clear/stream" : "clear", error);
}

/* --- retry -------------------------------------------------------------------------------------
 */

static CtlExit
check_retry(Ctl *ctl, const CtlJob *job, GError **error)
{
    if (strcmp(job->status, "incomplete") == 0)
        return CTL_EXIT_OK; /* it waits: now it need not */
    if (!ctl_job_is_terminal(job))
        ctl_say(ctl, _("Job %" G_GINT64_FORMAT " is %s: it is tried again by itself."), job->id,
                job->status);
    else if (strcmp(job->status, "succeeded") == 0)
        ctl_say(ctl, _("Nothing to try again: job %" G_GINT64_FORMAT " is %s."), job->id,
                job->status);
    else
        return CTL_EXIT_OK;
    return CTL_EXIT_STATE;
}

CtlExit
ctl_run_retry(Ctl *ctl, GError **error)
{
    CtlExit status = CTL_EXIT_OK;
    g_autoptr(GPtrArray) wanted = g_ptr_array_new();
    g_autoptr(GPtrArray) all = ctl_object_list(ctl, CTL_KIND_BIT(CTL_CONNECTION), error);
    if (all == NULL)
        return CTL_EXIT_FAILED;
    for (guint i = 0; ctl->args->args[i] != NULL; i++) {
        gint64 id;
        if (!ctl_job_parse_id(ctl->args->args[i], &id)) {
            ctl_set_usage_error(error, _("'%s' is not the number of a job"), ctl->args->args[i]);
            return CTL_EXIT_USAGE;
        }
        g_autoptr(CtlJob) job = ctl_job_load(ctl, id, error);
        if (job == NULL)
            return CTL_EXIT_FAILED;
        const CtlObject *connection = ctl_object_by_id(all, job->connection_id);
        CtlExit one = check_retry(ctl, job, error);
        status = MAX(status, one);
        if (one != CTL_EXIT_OK)
            continue;
        if (connection == NULL) {
            sl_error_set(error, SL_ERROR_NOT_FOUND,
                         _("the connection of job %" G_GINT64_FORMAT " is not there any more"), id);
            return CTL_EXIT_NOT_FOUND;
        }
        if (!g_ptr_array_find(wanted, connection, NULL))
            g_ptr_array_add(wanted, (gpointer)connection);
    }
    CtlExit started = start_all(ctl, wanted, "sync", error);
    return started != CTL_EXIT_OK ? started : status;
}

/* --- watch -------------------------------------------------------------------------------------
 */

typedef struct {
    GArray *started;
    const GPtrArray *connections;
} Running;

static void
add_running(const SlJsonDoc *doc, const SlJsonNode *row, gpointer data)
{
    const Running *running = data;
    g_autoptr(CtlJob) job = ctl_job_parse(doc, row);
    Started one = {job->id, ctl_object_by_id(running->connections, job->connection_id)};
    if (one.connection != NULL)
        g_array_append_val(running->started, one);
}

#define MAX_WATCHED 100

static gboolean
find_unfinished(Ctl *ctl, const Running *running, GError **error)
{
    static const char *const states[] = {"running", "incomplete", "pending"};
    const char *workspace = ctl_workspace(ctl, error);
    if (workspace == NULL)
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(states); i++) {
        g_autofree char *path =
            g_strdup_printf(CTL_PUBLIC "/jobs?status=%s&workspaceIds=%s", states[i], workspace);
        if (!ctl_list_pages(ctl, path, MAX_WATCHED, add_running, (gpointer)running, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
find_named(Ctl *ctl, const Running *running, GError **error)
{
    for (guint i = 0; ctl->args->args[i] != NULL; i++) {
        Started one = {0, NULL};
        if (!ctl_job_find(ctl, ctl->args->args[i], &one.id, error))
            return FALSE;
        g_autoptr(CtlJob) job = ctl_job_load(ctl, one.id, error);
        if (job == NULL)
            return FALSE;
        one.connection = ctl_object_by_id(running->connections, job->connection_id);
        if (one.connection == NULL)
            return sl_error_set(error, SL_ERROR_NOT_FOUND,
                                _("job %" G_GINT64_FORMAT " is not one of a connection"), one.id);
        g_array_append_val(running->started, one);
    }
    return TRUE;
}

CtlExit
ctl_run_watch(Ctl *ctl, GError **error)
{
    g_autoptr(GArray) started = g_array_new(FALSE, FALSE, sizeof(Started));
    g_autoptr(GPtrArray) all = ctl_object_list(ctl, CTL_KIND_BIT(CTL_CONNECTION), error);
    const Running running = {started, all};
    gboolean some = *ctl->args->args != NULL;
    if (all == NULL ||
        !(some ? find_named(ctl, &running, error) : find_unfinished(ctl, &running, error)))
        return CTL_EXIT_FAILED;
    if (started->len == 0)
        ctl_say(ctl, _("Nothing runs."));
    return watch_all(ctl, started, TRUE, -1, error);
}
