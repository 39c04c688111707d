/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-job.h"
#include "ctl-object.h"
#include "sl-error.h"
#include "sl-json-write.h"

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
start_sync(Ctl *ctl, const CtlObject *connection, gint64 *ret_id, GError **error)
{
    GError *why = NULL;
    g_autofree char *body =
        g_strdup_printf("{\"connectionId\":\"%s\",\"jobType\":\"sync\"}", connection->id);
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

CtlExit
ctl_run_sync(Ctl *ctl, GError **error)
{
    gboolean wait, follow = ctl_option(ctl, CTL_OPT_FOLLOW) != NULL;
    gint64 limit;
    guint kind = CTL_KIND_BIT(CTL_CONNECTION);
    if (!ctl_job_wait_option(ctl, &wait, &limit, error))
        return CTL_EXIT_USAGE;
    g_autoptr(GPtrArray) all = ctl_object_list(ctl, kind, error);
    g_autoptr(GPtrArray) selected =
        all != NULL ? ctl_object_select(all, kind, (const char *const *)ctl->args->args, error)
                    : NULL;
    if (selected == NULL)
        return CTL_EXIT_FAILED;
    if (selected->len == 0) {
        sl_error_set(error, SL_ERROR_NOT_FOUND, _("no connection matches '%s'"),
                     ctl->args->args[0]);
        return CTL_EXIT_NOT_FOUND;
    }
    g_autoptr(GArray) started = g_array_new(FALSE, FALSE, sizeof(Started));
    for (guint i = 0; i < selected->len; i++) {
        Started one = {0, g_ptr_array_index(selected, i)};
        if (!start_sync(ctl, one.connection, &one.id, error))
            return CTL_EXIT_FAILED;
        g_array_append_val(started, one);
    }
    if (!wait && !follow)
        return CTL_EXIT_OK;
    return watch_all(ctl, started, follow, limit, error);
}

/* --- cancel ------------------------------------------------------------------------------------
 */

/* A job's number, or a connection's name: then its newest job. */
static gboolean
find_job(Ctl *ctl, const char *word, gint64 *ret_id, GError **error)
{
    guint kind = CTL_KIND_BIT(CTL_CONNECTION);
    if (ctl_job_parse_id(word, ret_id))
        return TRUE;
    g_autoptr(GPtrArray) all = ctl_object_list(ctl, kind, error);
    const CtlObject *connection = all != NULL ? ctl_object_pick(all, kind, word, error) : NULL;
    *ret_id = connection != NULL ? ctl_job_newest(ctl, connection->id, error) : -1;
    if (*ret_id == 0)
        return sl_error_set(error, SL_ERROR_NOT_FOUND, _("connection '%s' has never run"),
                            connection->name);
    return *ret_id > 0;
}

static CtlExit
cancel_job(Ctl *ctl, const char *word, gboolean wait, gint64 limit, GError **error)
{
    gint64 id;
    if (!find_job(ctl, word, &id, error))
        return CTL_EXIT_FAILED;
    g_autoptr(CtlJob) job = ctl_job_load(ctl, id, error);
    if (job == NULL)
        return CTL_EXIT_FAILED;
    if (ctl_job_is_terminal(job)) {
        ctl_say(ctl, _("Nothing to cancel: job %" G_GINT64_FORMAT " is %s."), id, job->status);
        return CTL_EXIT_STATE;
    }
    g_autofree char *path = g_strdup_printf(CTL_PUBLIC "/jobs/%" G_GINT64_FORMAT, id);
    g_autoptr(SlJsonDoc) doc = ctl_api_call(ctl->api, "DELETE", path, NULL, CTL_DEADLINE, error);
    if (doc == NULL) {
        g_prefix_error(error, _("job %" G_GINT64_FORMAT " was not cancelled: "), id);
        return CTL_EXIT_FAILED;
    }
    if (!wait) {
        ctl_say(ctl, _("Cancelling job %" G_GINT64_FORMAT "."), id);
        return CTL_EXIT_OK;
    }
    CtlExit end = ctl_job_watch(ctl, id, word, FALSE, limit, error);
    /* Cancelled is what was asked for. */
    return end == CTL_EXIT_FAILED ? CTL_EXIT_OK : end;
}

CtlExit
ctl_run_cancel(Ctl *ctl, GError **error)
{
    gboolean wait;
    gint64 limit;
    CtlExit status = CTL_EXIT_OK;
    if (!ctl_job_wait_option(ctl, &wait, &limit, error))
        return CTL_EXIT_USAGE;
    for (guint i = 0; ctl->args->args[i] != NULL; i++) {
        g_autoptr(GError) why = NULL;
        CtlExit one = cancel_job(ctl, ctl->args->args[i], wait, limit, &why);
        if (why != NULL) {
            g_propagate_error(error, g_steal_pointer(&why));
            return one;
        }
        status = MAX(status, one);
    }
    return status;
}

/* --- enable, disable, delete -------------------------------------------------------------------
 */

static GPtrArray *
select_connections(Ctl *ctl, GPtrArray **ret_all, GError **error)
{
    guint kind = CTL_KIND_BIT(CTL_CONNECTION);
    *ret_all = ctl_object_list(ctl, kind, error);
    return *ret_all != NULL
               ? ctl_object_select(*ret_all, kind, (const char *const *)ctl->args->args, error)
               : NULL;
}

static CtlExit
change_each(Ctl *ctl, const GPtrArray *selected, const char *method, const char *body,
            const char *done, GError **error)
{
    for (guint i = 0; i < selected->len; i++) {
        const CtlObject *connection = g_ptr_array_index(selected, i);
        g_autofree char *path = g_strdup_printf(CTL_PUBLIC "/connections/%s", connection->id);
        g_autoptr(SlJsonDoc) doc = ctl_api_call(ctl->api, method, path, body, CTL_DEADLINE, error);
        if (doc == NULL) {
            g_prefix_error(error, _("connection '%s' was not changed: "), connection->name);
            return CTL_EXIT_FAILED;
        }
        ctl_say(ctl, "%s '%s'.", done, connection->name);
    }
    return CTL_EXIT_OK;
}

CtlExit
ctl_run_enable(Ctl *ctl, GError **error)
{
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GPtrArray) selected = select_connections(ctl, &all, error);
    return selected != NULL
               ? change_each(ctl, selected, "PATCH", "{\"status\":\"active\"}", _("Enabled"), error)
               : CTL_EXIT_FAILED;
}

CtlExit
ctl_run_disable(Ctl *ctl, GError **error)
{
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GPtrArray) selected = select_connections(ctl, &all, error);
    return selected != NULL ? change_each(ctl, selected, "PATCH", "{\"status\":\"inactive\"}",
                                          _("Disabled"), error)
                            : CTL_EXIT_FAILED;
}

CtlExit
ctl_run_delete(Ctl *ctl, GError **error)
{
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GPtrArray) selected = select_connections(ctl, &all, error);
    if (selected == NULL || selected->len == 0)
        return selected != NULL ? CTL_EXIT_OK : CTL_EXIT_FAILED;
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < selected->len; i++) {
        const CtlObject *connection = g_ptr_array_index(selected, i);
        g_string_append_printf(names, "%s'%s'", i > 0 ? ", " : "", connection->name);
    }
    g_autofree char *question = g_strdup_printf(
        ngettext("Delete connection %s?", "Delete connections %s?", selected->len), names->str);
    if (!ctl_confirm(ctl, question, error))
        return CTL_EXIT_FAILED;
    return change_each(ctl, selected, "DELETE", NULL, _("Deleted"), error);
}
