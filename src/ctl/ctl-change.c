/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-job.h"
#include "ctl-object.h"
#include "sl-error.h"

/* --- cancel ------------------------------------------------------------------------------------
 */

static CtlExit
cancel_job(Ctl *ctl, const char *word, gboolean wait, gint64 limit, GError **error)
{
    gint64 id;
    if (!ctl_job_find(ctl, word, &id, error))
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
    g_autoptr(GPtrArray) selected = ctl_object_select_connections(ctl, &all, error);
    return selected != NULL
               ? change_each(ctl, selected, "PATCH", "{\"status\":\"active\"}", _("Enabled"), error)
               : CTL_EXIT_FAILED;
}

CtlExit
ctl_run_disable(Ctl *ctl, GError **error)
{
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GPtrArray) selected = ctl_object_select_connections(ctl, &all, error);
    return selected != NULL ? change_each(ctl, selected, "PATCH", "{\"status\":\"inactive\"}",
                                          _("Disabled"), error)
                            : CTL_EXIT_FAILED;
}

CtlExit
ctl_run_delete(Ctl *ctl, GError **error)
{
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GPtrArray) selected = ctl_object_select_connections(ctl, &all, error);
    if (selected == NULL)
        return CTL_EXIT_FAILED;
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
