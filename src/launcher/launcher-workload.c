/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "launcher-workload.h"

#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"
#include "sl-id.h"
#include "sl-log.h"

/* A string or a number as text; NULL: absent or something else. */
static char *
dup_text(const SlJsonDoc *doc, const SlJsonNode *node, const char *key)
{
    const SlJsonNode *value = sl_json_get(doc, node, key);
    if (value == NULL)
        return NULL;
    return value->type == SL_JSON_NUMBER ? sl_json_dup_span(value) : sl_json_dup_string(value);
}

static gboolean
parse_launch(LauncherWorkload *workload, const SlJsonDoc *doc, const SlJsonNode *node,
             GError **error)
{
    const SlJsonNode *launch = sl_json_get(doc, node, "launch");
    for (int role = 0; launch != NULL && role < LAUNCHER_N_ROLES; role++) {
        const char *name = launcher_role_name((LauncherRole)role);
        const SlJsonNode *one = sl_json_get(doc, launch, name);
        g_autofree char *where = g_strconcat("launch.", name, NULL);
        if (one == NULL || one->type == SL_JSON_NULL)
            continue;
        workload->launch[role] = launcher_launch_parse(doc, one, where, error);
        if (workload->launch[role] == NULL)
            return FALSE;
    }
    if (workload->launch[LAUNCHER_SOURCE] == NULL && workload->launch[LAUNCHER_DESTINATION] == NULL)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "launch: has neither 'source' nor 'destination'");
    return TRUE;
}

LauncherWorkload *
launcher_workload_parse(const SlJsonDoc *doc, const SlJsonNode *node, GError **ret_fault,
                        GError **error)
{
    g_autoptr(LauncherWorkload) workload = g_new0(LauncherWorkload, 1);
    workload->go_fd = -1;
    workload->id = dup_text(doc, node, "workloadId");
    workload->auto_id = dup_text(doc, node, "autoId");
    workload->compact = workload->auto_id != NULL ? sl_id_compact(workload->auto_id) : NULL;
    if (workload->id == NULL || workload->compact == NULL) {
        sl_error_set(error, SL_ERROR_PROTOCOL,
                     "the workload API sent a workload without 'workloadId' or a UUID 'autoId'");
        return NULL;
    }
    workload->type = dup_text(doc, node, "type");
    workload->job_id = dup_text(doc, node, "jobId");
    workload->attempt = dup_text(doc, node, "attemptNumber");
    workload->connection_id = dup_text(doc, node, "connectionId");
    workload->token = dup_text(doc, node, "token");
    workload->status = dup_text(doc, node, "status");
    workload->slice = g_strdup_printf("sluice-workloads-%s.slice", workload->compact);
    workload->orchestrator = g_strdup_printf(LAUNCHER_ORCHESTRATOR "%s.scope", workload->compact);
    for (int role = 0; role < LAUNCHER_N_ROLES; role++)
        workload->connector[role] = g_strdup_printf(
            "sluice-%s-%s.service", launcher_role_name((LauncherRole)role), workload->compact);
    parse_launch(workload, doc, node, ret_fault);
    return g_steal_pointer(&workload);
}

void
launcher_workload_contain(LauncherWorkload *workload)
{
    workload->contained = TRUE;
    g_free(workload->orchestrator);
    workload->orchestrator = g_strdup_printf(LAUNCHER_ORCHESTRATOR "%s.service", workload->compact);
}

GStrv
launcher_workload_log_fields(const LauncherWorkload *workload)
{
    const struct {
        const char *field, *value;
    } fields[] = {
        {SL_LOG_WORKLOAD_ID, workload->id},
        {SL_LOG_JOB_ID, workload->job_id},
        {SL_LOG_ATTEMPT, workload->attempt},
        {SL_LOG_CONNECTION_ID, workload->connection_id},
    };
    g_autoptr(GPtrArray) list = g_ptr_array_new();
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
        if (fields[i].value != NULL)
            g_ptr_array_add(list, g_strconcat(fields[i].field, "=", fields[i].value, NULL));
    g_ptr_array_add(list, NULL);
    return (GStrv)g_ptr_array_steal(list, NULL);
}

void
launcher_workload_free(LauncherWorkload *workload)
{
    if (workload == NULL)
        return;
    for (int role = 0; role < LAUNCHER_N_ROLES; role++) {
        launcher_launch_free(workload->launch[role]);
        g_free(workload->connector[role]);
    }
    sl_fd_clear(&workload->go_fd);
    g_clear_handle_id(&workload->end_source, g_source_remove);
    g_free(workload->id);
    g_free(workload->auto_id);
    g_free(workload->compact);
    g_free(workload->type);
    g_free(workload->job_id);
    g_free(workload->attempt);
    g_free(workload->connection_id);
    g_free(workload->token);
    g_free(workload->status);
    g_free(workload->slice);
    g_free(workload->orchestrator);
    g_free(workload);
}
