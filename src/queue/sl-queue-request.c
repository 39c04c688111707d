/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-queue-request.h"

#include "sl-queue.h"
#include "sl-sql.h"

static const struct {
    gboolean empties;
    SlConfigType job_type;
} kinds[] = {
    [SL_REQUEST_MERGE] = {FALSE, SL_CONFIG_TYPE_REFRESH},
    [SL_REQUEST_TRUNCATE] = {FALSE, SL_CONFIG_TYPE_REFRESH},
    [SL_REQUEST_RESET] = {TRUE, SL_CONFIG_TYPE_RESET_CONNECTION},
    [SL_REQUEST_CLEAR] = {TRUE, SL_CONFIG_TYPE_CLEAR},
};
G_STATIC_ASSERT((int)SL_REQUEST_CLEAR == (int)SL_STREAM_REQUEST_KIND_CLEAR);

gboolean
sl_request_empties(SlRequestKind kind)
{
    return kinds[kind].empties;
}

SlConfigType
sl_request_job_type(SlRequestKind kind)
{
    return kinds[kind].job_type;
}

gboolean
sl_queue_request_add(SlTx *tx, const char *connection_id, SlRequestKind kind, gboolean at_once,
                     const char *const *namespaces, const char *const *names, gint64 now,
                     GError **error)
{
    const char *word = sl_enum_name(&sl_stream_request_kind_enum, (int)kind);
    return sl_sql_connection_hold(tx, connection_id, NULL, error) &&
           sl_sql_request_add(tx, connection_id, namespaces, names, word, at_once, now, NULL,
                              error);
}

gboolean
sl_queue_request_join(SlTx *tx, const SlJob *job, GError **error)
{
    gboolean empties = job->config_type == SL_CONFIG_TYPE_RESET_CONNECTION ||
                       job->config_type == SL_CONFIG_TYPE_CLEAR;
    return sl_sql_request_take(tx, job->scope, empties, job->job_id, NULL, error);
}

/* The making of a job looks for requests itself; a plain sync is what it does without any. */
gboolean
sl_queue_request_start(SlTx *tx, const char *connection_id, const char *workspace_id, gint64 now,
                       SlJob **ret_job, GError **error)
{
    const SlJobRequest request = {
        .config_type = SL_CONFIG_TYPE_SYNC, .scope = connection_id, .workspace_id = workspace_id};
    g_autofree char *type = NULL;
    *ret_job = NULL;
    if (!sl_sql_connection_hold(tx, connection_id, NULL, error) ||
        !sl_sql_request_next_type(tx, connection_id, TRUE, &type, error))
        return FALSE;
    return type == NULL || sl_queue_job_create(tx, &request, now, ret_job, error);
}

gboolean
sl_queue_job_hold(SlTx *tx, gint64 job_id, SlJob **ret, GError **error)
{
    *ret = NULL;
    return sl_sql_task_lock_of_job(tx, job_id, NULL, error) &&
           sl_sql_job_lock(tx, job_id, ret, error) &&
           (*ret == NULL || sl_sql_connection_hold(tx, (*ret)->scope, NULL, error));
}
