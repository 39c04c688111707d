/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "worker-disable.h"

#include "sl-event.h"
#include "sl-log.h"
#include "sl-notice.h"
#include "sl-sql.h"

#define DAY_USEC (86400 * (gint64)G_USEC_PER_SEC)

/* Both are over: so many failures, and so long. Zero failures: never. */
static gboolean
is_over(gint64 failures, gint64 since, gint64 now, gint64 max_failures, gint64 max_usec)
{
    return max_failures > 0 && failures >= max_failures && now - since >= max_usec;
}

WorkerLimit
worker_disable_decide(const SlConfig *limits, const SlFailureRow *row, gint64 now)
{
    gint64 jobs = limits->warn_after_failures, usec = limits->warn_after_usec;
    if (is_over(row->failures, row->since, now, limits->disable_after_failures,
                limits->disable_after_usec))
        return WORKER_DISABLE;
    /* Once: the failure before this one was not over the limit yet. */
    gboolean warned_before = sl_record_has(&sl_failure_row_record, row, SL_FAILURE_ROW_PREVIOUS) &&
                             is_over(row->failures - 1, row->since, row->previous, jobs, usec);
    return is_over(row->failures, row->since, now, jobs, usec) && !warned_before ? WORKER_WARN
                                                                                 : WORKER_LET_RUN;
}

typedef struct {
    char *connection_id, *text;
    WorkerLimit limit;
} Notice;

static void
notice_free(gpointer data)
{
    Notice *notice = data;
    g_free(notice->connection_id);
    g_free(notice->text);
    g_free(notice);
}

static void
log_notice(gpointer data)
{
    const Notice *notice = data;
    g_auto(SlLogScope) scope = sl_log_scope(SL_LOG_CONNECTION_ID, notice->connection_id);
    sl_log_event(G_LOG_LEVEL_WARNING,
                 notice->limit == WORKER_DISABLE ? SL_EVENT_CONNECTION_DISABLED
                                                 : SL_EVENT_CONNECTION_FAILING,
                 "%s", notice->text);
}

/* To those who want to hear of it, and to the journal after the commit: what is rolled back has not
 * happened. */
static gboolean
tell(SlTx *tx, const SlJob *job, const SlFailureRow *row, WorkerLimit limit, gint64 now,
     GError **error)
{
    Notice *notice = g_new0(Notice, 1);
    notice->connection_id = g_strdup(job->scope);
    notice->limit = limit;
    notice->text = g_strdup_printf(
        "Connection %s %s: %" G_GINT64_FORMAT " jobs have failed in a row, for %" G_GINT64_FORMAT
        " days",
        job->scope,
        limit == WORKER_DISABLE ? "is disabled" : "will be disabled if it goes on like this",
        row->failures, (now - row->since) / DAY_USEC);
    sl_tx_after_commit(tx, log_notice, notice, notice_free);
    g_autofree char *facts =
        g_strdup_printf("{\"failures\":%" G_GINT64_FORMAT ",\"days\":%" G_GINT64_FORMAT "}",
                        row->failures, (now - row->since) / DAY_USEC);
    return sl_notice_add(tx, job->scope,
                         limit == WORKER_DISABLE ? SL_NOTICE_SYNC_DISABLED
                                                 : SL_NOTICE_SYNC_DISABLED_WARNING,
                         facts, now, error);
}

gboolean
worker_disable_check(SlTx *tx, const SlConfig *config, const SlJob *job, gint64 now, GError **error)
{
    g_autoptr(SlFailureRow) row = NULL;
    gint64 changed = 0;
    if (!sl_sql_job_failures_in_row(tx, job->scope, &row, error))
        return FALSE;
    WorkerLimit limit = row != NULL ? worker_disable_decide(config, row, now) : WORKER_LET_RUN;
    if (limit == WORKER_DISABLE &&
        (!sl_sql_connection_disable(tx, job->scope, WORKER_REASON_FAILURES, now, &changed, error) ||
         (changed > 0 &&
          !sl_event_add_disabled(tx, job->scope, WORKER_REASON_FAILURES, now, error))))
        return FALSE;
    /* Disabled already, by hand or by the job before: nothing new. */
    return (limit != WORKER_WARN && changed == 0) || tell(tx, job, row, limit, now, error);
}
