/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "cron-duty.h"

#include <glib/gi18n.h>
#include <string.h>

#include "cron-files.h"
#include "cron-notify.h"
#include "sl-error.h"
#include "sl-queue-workload.h"
#include "sl-secret.h"
#include "sl-sql.h"

#define BATCH 500 /* rows of one transaction: no lock is held for long */
#define LEFTOVER_USEC (86400 * (gint64)G_USEC_PER_SEC)

static gboolean
stale_workloads(const CronContext *context, char **ret_result, GError **error)
{
    guint swept = 0;
    g_autoptr(SlTx) tx = sl_db_begin(context->db, FALSE, error);
    if (tx == NULL ||
        !sl_queue_workload_sweep(tx, context->config->workload_claim_usec, context->now, &swept,
                                 error) ||
        !sl_tx_commit(tx, error))
        return FALSE;
    *ret_result = g_strdup_printf(_("%u stale workloads failed"), swept);
    return TRUE;
}

typedef gboolean (*DeleteOld)(SlTx *tx, gint64 before, gint64 batch, gint64 *ret_deleted,
                              GError **error);

static gboolean
delete_in_batches(const CronContext *context, DeleteOld delete_old, gint64 keep_usec,
                  gint64 *ret_total, GError **error)
{
    gint64 deleted = BATCH;
    for (*ret_total = 0; deleted == BATCH; *ret_total += deleted) {
        g_autoptr(SlTx) tx = sl_db_begin(context->db, FALSE, error);
        if (tx == NULL || !delete_old(tx, context->now - keep_usec, BATCH, &deleted, error) ||
            !sl_tx_commit(tx, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
finished_rows(const CronContext *context, char **ret_result, GError **error)
{
    gint64 jobs = 0, events = 0, notices = 0;
    const SlConfig *config = context->config;
    if (!delete_in_batches(context, sl_sql_job_delete_old, config->retention_jobs_usec, &jobs,
                           error) ||
        !delete_in_batches(context, sl_sql_connection_event_delete_old,
                           config->retention_events_usec, &events, error) ||
        !delete_in_batches(context, sl_sql_notification_delete_old, config->retention_notices_usec,
                           &notices, error))
        return FALSE;
    *ret_result = g_strdup_printf(_("%" G_GINT64_FORMAT " finished jobs, %" G_GINT64_FORMAT
                                    " events and %" G_GINT64_FORMAT " notifications deleted"),
                                  jobs, events, notices);
    return TRUE;
}

static gboolean
delete_files(const CronContext *context, const CronFileRule *rule, char **ret_result,
             GError **error)
{
    CronFileCount count = {0};
    if (!cron_files_delete(context->log_folder, rule, &count, error))
        return FALSE;
    *ret_result = g_strdup_printf(_("%u files (%" G_GUINT64_FORMAT " bytes) deleted"), count.files,
                                  count.bytes);
    return TRUE;
}

static gboolean
job_logs(const CronContext *context, char **ret_result, GError **error)
{
    CronFileRule rule = {.older_than = context->now - context->config->retention_logs_usec};
    return delete_files(context, &rule, ret_result, error);
}

static gboolean
temporary_files(const CronContext *context, char **ret_result, GError **error)
{
    CronFileRule rule = {.suffix = ".tmp", .older_than = context->now - LEFTOVER_USEC};
    return delete_files(context, &rule, ret_result, error);
}

/* Each batch is a transaction of its own: a duty that dies loses one, and the next run goes on. */
static gboolean
reseal_secrets(const CronContext *context, char **ret_result, GError **error)
{
    guint secrets = 0, applications = 0, lost = 0, done = 1;
    g_autofree char *after = NULL;
    if (context->key == NULL)
        return sl_error_set(error, SL_ERROR_CONFIG,
                            "the credential 'sluice-master-key' is missing: nothing can be sealed");
    if (!sl_secret_wait_for_writers(context->db, error))
        return FALSE;
    while (done > 0) {
        g_autoptr(SlTx) tx = sl_db_begin(context->db, FALSE, error);
        if (tx == NULL || !sl_secret_reseal(tx, context->key, BATCH, &done, error) ||
            !sl_tx_commit(tx, error))
            return FALSE;
        secrets += done;
    }
    do {
        g_autoptr(SlTx) tx = sl_db_begin(context->db, FALSE, error);
        if (tx == NULL ||
            !sl_secret_reseal_applications(tx, context->key, BATCH, &after, &applications, &lost,
                                           error) ||
            !sl_tx_commit(tx, error))
            return FALSE;
    } while (after != NULL);
    *ret_result = g_strdup_printf(_("%u secrets and %u applications sealed with key %s, %u "
                                    "applications that no key opens"),
                                  secrets, applications, sl_seal_key_id(context->key), lost);
    return TRUE;
}

const CronDuty cron_duties[] = {
    {"stale-workloads", N_("fails workloads that nobody took or whose holder fell silent"),
     stale_workloads},
    {"notifications", N_("delivers what others are to be told of"), cron_notify_run},
    {"job-logs", N_("deletes logs of jobs that are older than [Retention] Logs="), job_logs},
    {"finished-rows",
     N_("deletes finished jobs, events and notifications that are older than [Retention] says"),
     finished_rows},
    {"temporary-files", N_("deletes temporary files that were left behind"), temporary_files},
    {"reseal-secrets", N_("seals secrets anew with the first of the master keys"), reseal_secrets},
};
const guint cron_n_duties = G_N_ELEMENTS(cron_duties);

const CronDuty *
cron_duty_find(const char *name, GError **error)
{
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < cron_n_duties; i++) {
        if (strcmp(cron_duties[i].name, name) == 0)
            return &cron_duties[i];
        g_string_append_printf(names, "%s%s", i > 0 ? ", " : "", cron_duties[i].name);
    }
    sl_error_set(error, SL_ERROR_NOT_FOUND, "there is no duty '%s'; there are: %s", name,
                 names->str);
    return NULL;
}
