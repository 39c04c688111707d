/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

#include "ctl-job.h"
#include "ctl-object.h"
#include "sl-error.h"

/* is-enabled, is-running, is-healthy: a word for each connection, and the exit status for scripts:
 * 0 when all are, 3 when one is not. --quiet leaves the words out. */

/* The answer's word, and whether it is a yes. NULL: error. Static text. */
typedef const char *(*Question)(Ctl *ctl, const CtlObject *connection, gboolean *ret_yes,
                                GError **error);

static const char *
ask_enabled(Ctl *ctl, const CtlObject *connection, gboolean *ret_yes, GError **error)
{
    g_autofree char *status =
        ctl_json_string(connection->doc, sl_json_root(connection->doc), "status");
    *ret_yes = strcmp(status, "active") == 0;
    return *ret_yes ? "enabled" : strcmp(status, "locked") == 0 ? "locked" : "disabled";
}

/* The status of the newest job; NULL in *ret when there is none. */
static gboolean
newest_status(Ctl *ctl, const CtlObject *connection, char **ret, GError **error)
{
    gint64 id = ctl_job_newest(ctl, connection->id, error);
    *ret = NULL;
    if (id <= 0)
        return id == 0;
    g_autoptr(CtlJob) job = ctl_job_load(ctl, id, error);
    *ret = job != NULL ? g_strdup(job->status) : NULL;
    return job != NULL;
}

static const char *
ask_running(Ctl *ctl, const CtlObject *connection, gboolean *ret_yes, GError **error)
{
    static const char *const words[] = {"running", "pending", "incomplete"};
    g_autofree char *status = NULL;
    *ret_yes = FALSE;
    if (!newest_status(ctl, connection, &status, error))
        return NULL;
    for (gsize i = 0; status != NULL && i < G_N_ELEMENTS(words); i++) {
        if (strcmp(status, words[i]) != 0)
            continue;
        *ret_yes = TRUE;
        return words[i];
    }
    return "idle";
}

/* Healthy is what is enabled and did not fail last; a connection that has never run is. */
static const char *
ask_healthy(Ctl *ctl, const CtlObject *connection, gboolean *ret_yes, GError **error)
{
    static const char *const bad[] = {"failed", "incomplete", "cancelled"};
    g_autofree char *status = NULL;
    const char *enabled = ask_enabled(ctl, connection, ret_yes, error);
    if (!*ret_yes)
        return enabled;
    if (!newest_status(ctl, connection, &status, error))
        return NULL;
    for (gsize i = 0; status != NULL && i < G_N_ELEMENTS(bad); i++) {
        if (strcmp(status, bad[i]) != 0)
            continue;
        *ret_yes = FALSE;
        return bad[i];
    }
    return "healthy";
}

static CtlExit
ask_all(Ctl *ctl, Question question, GError **error)
{
    CtlExit status = CTL_EXIT_OK;
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GPtrArray) selected = ctl_object_select_connections(ctl, &all, error);
    if (selected == NULL)
        return CTL_EXIT_FAILED;
    for (guint i = 0; i < selected->len; i++) {
        gboolean yes;
        const char *word = question(ctl, g_ptr_array_index(selected, i), &yes, error);
        if (word == NULL)
            return CTL_EXIT_FAILED;
        if (!ctl->quiet)
            puts(word);
        if (!yes)
            status = CTL_EXIT_STATE;
    }
    return status;
}

CtlExit
ctl_run_is_enabled(Ctl *ctl, GError **error)
{
    return ask_all(ctl, ask_enabled, error);
}

CtlExit
ctl_run_is_running(Ctl *ctl, GError **error)
{
    return ask_all(ctl, ask_running, error);
}

CtlExit
ctl_run_is_healthy(Ctl *ctl, GError **error)
{
    return ask_all(ctl, ask_healthy, error);
}
