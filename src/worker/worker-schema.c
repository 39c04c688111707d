/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "worker-schema.h"

#include "sl-error.h"
#include "sl-queue-schema.h"
#include "sl-queue.h"
#include "sl-sql.h"

#define SEC ((gint64)G_USEC_PER_SEC)
/* A source that cannot be asked now is not asked before every sync. */
#define AFTER_FAILURE_USEC (15 * 60 * SEC)
#define RECHECK_USEC (15 * SEC)
/* Start and end of a discover job, beyond the time that it has itself. */
#define GRACE_USEC (60 * SEC)

/* Only a run that reads, before it begins: later attempts go on with what the first one had. */
static gboolean
is_concerned(const SlJob *job, const SlTask *task)
{
    return task->attempt_number == 0 &&
           (job->config_type == SL_CONFIG_TYPE_SYNC || job->config_type == SL_CONFIG_TYPE_REFRESH);
}

static gboolean
is_old(SlTx *tx, const SlConfig *config, const SlActor *source, gint64 now, gboolean *ret,
       GError **error)
{
    g_autoptr(SlDefinition) definition = NULL;
    g_autoptr(SlCatalogRow) row = NULL;
    gint64 failed = 0;
    *ret = FALSE;
    if (!sl_sql_definition_get(tx, source->definition_id, &definition, error))
        return FALSE;
    if (definition == NULL)
        return TRUE; /* the attempt's input says so better */
    g_autofree char *key = sl_queue_catalog_key(definition, source);
    if (!sl_sql_catalog_find(tx, source->actor_id, key, NULL, &row, error))
        return FALSE;
    if (row != NULL && row->created_at > now - config->schema_age_usec)
        return TRUE;
    if (!sl_sql_job_count_failed(tx, "discover_schema", source->actor_id, now - AFTER_FAILURE_USEC,
                                 &failed, error))
        return FALSE;
    *ret = failed == 0;
    return TRUE;
}

/* One that is on its way already will do. */
static gboolean
discover(SlTx *tx, const SlActor *source, gint64 now, SlJob **ret, GError **error)
{
    g_autofree char *input = g_strdup_printf("{\"actorId\":\"%s\"}", source->actor_id);
    const SlJobRequest request = {.config_type = SL_CONFIG_TYPE_DISCOVER_SCHEMA,
                                  .scope = source->actor_id,
                                  .workspace_id = source->workspace_id,
                                  .input = input};
    return sl_sql_job_get_unfinished(tx, "discover_schema", source->actor_id, source->updated_at,
                                     ret, error) &&
           (*ret != NULL || sl_queue_job_create(tx, &request, now, ret, error));
}

static gboolean
wait_for(SlTx *tx, const SlJob *job, const SlTask *task, const SlActor *source, gint64 now,
         GError **error)
{
    g_autoptr(SlJob) found = NULL;
    return discover(tx, source, now, &found, error) &&
           sl_sql_job_wait_for(tx, job->job_id, found->job_id, NULL, error) &&
           sl_sql_task_defer(tx, task->task_id, now + RECHECK_USEC, NULL, error);
}

/* The end of the job that is waited for wakes the task; looking again now and then is for the end
 * that came before the waiting was committed. */
static gboolean
goes_on_waiting(SlTx *tx, const SlConfig *config, const SlJob *job, const SlTask *task, gint64 now,
                gboolean *ret, GError **error)
{
    g_autoptr(SlJob) awaited = NULL;
    *ret = FALSE;
    if (now > job->created_at + config->connector_job_time_usec + GRACE_USEC)
        return TRUE;
    if (!sl_sql_job_get(tx, job->discover_job_id, &awaited, error))
        return FALSE;
    *ret = awaited != NULL && !sl_job_status_is_final((SlJobStatus)awaited->status);
    return !*ret || sl_sql_task_defer(tx, task->task_id, now + RECHECK_USEC, NULL, error);
}

static const char *
describe(SlSchemaOutcome outcome)
{
    return outcome == SL_SCHEMA_BROKEN
               ? "The source has lost fields that the sync needs; the connection is paused until "
                 "somebody has looked at its streams."
               : "The source's streams have changed, and the connection is set to pause then.";
}

/* A catalog that cannot be read is no reason not to sync. */
static gboolean
look(SlTx *tx, const SlConnection *connection, const SlCatalogRow *fresh, gint64 now,
     SlSchemaOutcome *ret, GError **error)
{
    g_auto(SlSchemaResult) result = {0};
    g_autoptr(GError) reason = NULL;
    *ret = SL_SCHEMA_SAME;
    if (sl_queue_schema_look(tx, connection, fresh, TRUE, now, &result, &reason)) {
        *ret = result.outcome;
        return TRUE;
    }
    if (!g_error_matches(reason, SL_ERROR, SL_ERROR_INVALID)) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return FALSE;
    }
    g_warning("Comparing the streams of connection %s: %s, ignoring", connection->connection_id,
              reason->message);
    return TRUE;
}

static gboolean
compare(SlTx *tx, const SlConnection *connection, const SlJob *job, const SlCatalogRow *fresh,
        gint64 now, WorkerSchema *ret, char **ret_why, GError **error)
{
    SlSchemaOutcome outcome;
    if (!look(tx, connection, fresh, now, &outcome, error))
        return FALSE;
    if (outcome == SL_SCHEMA_BROKEN || outcome == SL_SCHEMA_DISABLED) {
        *ret = WORKER_SCHEMA_STOP;
        *ret_why = g_strdup(describe(outcome));
        return TRUE;
    }
    /* Streams to be read again are read by this job. */
    return outcome != SL_SCHEMA_PROPAGATED ||
           sl_sql_request_take(tx, connection->connection_id, FALSE, job->job_id, NULL, error);
}

gboolean
worker_schema_prepare(SlTx *tx, const SlConfig *config, const SlJob *job, const SlTask *task,
                      gint64 now, WorkerSchema *ret, char **ret_why, GError **error)
{
    g_autoptr(SlConnection) connection = NULL;
    g_autoptr(SlActor) source = NULL;
    g_autoptr(SlCatalogRow) fresh = NULL;
    gboolean old = FALSE, waits = FALSE;
    gboolean asked = sl_record_has(&sl_job_record, job, SL_JOB_DISCOVER_JOB_ID);
    *ret = WORKER_SCHEMA_GO;
    if (!is_concerned(job, task))
        return TRUE;
    if (asked && !goes_on_waiting(tx, config, job, task, now, &waits, error))
        return FALSE;
    if (waits) {
        *ret = WORKER_SCHEMA_WAIT;
        return TRUE;
    }
    if (!sl_sql_connection_lock(tx, job->scope, &connection, error) ||
        (connection != NULL && !sl_sql_actor_get(tx, connection->source_id, &source, error)))
        return FALSE;
    if (source == NULL || source->tombstone)
        return TRUE; /* the attempt's input says so better */
    if (!sl_sql_catalog_find(tx, source->actor_id, NULL, NULL, &fresh, error))
        return FALSE;
    if (fresh == NULL)
        return TRUE; /* made without ever asking the source: there is nothing to compare with */
    if (config->schema_age_usec > 0 && !asked && !is_old(tx, config, source, now, &old, error))
        return FALSE;
    if (old) {
        *ret = WORKER_SCHEMA_WAIT;
        return wait_for(tx, job, task, source, now, error);
    }
    return compare(tx, connection, job, fresh, now, ret, ret_why, error);
}
