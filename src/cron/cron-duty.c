/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "cron-duty.h"

#include <glib/gi18n.h>
#include <string.h>

#include "cron-files.h"
#include "cron-notify.h"
#include "sl-error.h"
#include "sl-log-file.h"
#include "sl-queue-workload.h"
#include "sl-registry.h"
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

typedef gboolean (*DeleteOld)(SlTx *tx, gint64 limit, gint64 batch, gint64 *ret_deleted,
                              GError **error);

/* `limit`: a time, or a number of rows. */
static gboolean
delete_in_batches(const CronContext *context, DeleteOld delete_old, gint64 limit, gint64 *ret_total,
                  GError **error)
{
    gint64 deleted = BATCH;
    for (*ret_total = 0; deleted == BATCH; *ret_total += deleted) {
        g_autoptr(SlTx) tx = sl_db_begin(context->db, FALSE, error);
        if (tx == NULL || !delete_old(tx, limit, BATCH, &deleted, error) ||
            !sl_tx_commit(tx, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
finished_rows(const CronContext *context, char **ret_result, GError **error)
{
    const SlConfig *config = context->config;
    gint64 jobs = 0, excess = 0, events = 0, notices = 0, now = context->now;
    if (!delete_in_batches(context, sl_sql_job_delete_old, now - config->retention_jobs_usec, &jobs,
                           error) ||
        (config->retention_jobs_each > 0 &&
         !delete_in_batches(context, sl_sql_job_delete_excess, config->retention_jobs_each, &excess,
                            error)) ||
        !delete_in_batches(context, sl_sql_connection_event_delete_old,
                           now - config->retention_events_usec, &events, error) ||
        !delete_in_batches(context, sl_sql_notification_delete_old,
                           now - config->retention_notices_usec, &notices, error))
        return FALSE;
    *ret_result = g_strdup_printf(_("%" G_GINT64_FORMAT " finished jobs, %" G_GINT64_FORMAT
                                    " events and %" G_GINT64_FORMAT " notifications deleted"),
                                  jobs + excess, events, notices);
    return TRUE;
}

static gboolean
expired_rows(const CronContext *context, char **ret_result, GError **error)
{
    gint64 sessions = 0, links = 0;
    if (!delete_in_batches(context, sl_sql_session_delete_expired, context->now, &sessions,
                           error) ||
        !delete_in_batches(context, sl_sql_setup_token_delete_expired, context->now, &links, error))
        return FALSE;
    *ret_result = g_strdup_printf(
        _("%" G_GINT64_FORMAT " sessions and %" G_GINT64_FORMAT " setup links deleted"), sessions,
        links);
    return TRUE;
}

static gboolean
database_statistics(const CronContext *context, char **ret_result, GError **error)
{
    g_autoptr(SlTx) tx = sl_db_begin(context->db, FALSE, error);
    if (tx == NULL || !sl_sql_instance_analyze(tx, NULL, error) || !sl_tx_commit(tx, error))
        return FALSE;
    *ret_result = g_strdup(_("statistics of the database are up to date"));
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

/* Which of these jobs are not there any more? */
static gboolean
keep_unknown(const CronContext *context, GPtrArray *names, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(context->db, TRUE, error);
    if (tx == NULL || !sl_sql_job_list_known(tx, (const char *const *)names->pdata, &rows, error))
        return FALSE;
    for (guint i = 0; i < rows->len; i++) {
        const SlJob *job = rows->pdata[i];
        g_autofree char *name = g_strdup_printf("%" G_GINT64_FORMAT, job->job_id);
        guint at = 0;
        g_ptr_array_remove_index(names, names->len - 1); /* the NULL */
        if (g_ptr_array_find_with_equal_func(names, name, g_str_equal, &at))
            g_ptr_array_remove_index_fast(names, at);
        g_ptr_array_add(names, NULL);
    }
    return TRUE;
}

/* By age, and what belongs to jobs that were deleted. */
static gboolean
job_logs(const CronContext *context, char **ret_result, GError **error)
{
    CronFileRule old = {.older_than = context->now - context->config->retention_logs_usec};
    CronFileRule rest = {.older_than = context->now - LEFTOVER_USEC};
    CronFileCount count = {0};
    if (!cron_files_delete(context->log_folder, &old, &count, error))
        return FALSE;
    g_autoptr(GPtrArray) names = cron_files_list_jobs(context->log_folder);
    for (guint at = 0; at < names->len; at += BATCH) {
        g_autoptr(GPtrArray) some = g_ptr_array_new_with_free_func(g_free);
        for (guint i = at; i < MIN(at + BATCH, names->len); i++)
            g_ptr_array_add(some, g_strdup(names->pdata[i]));
        g_ptr_array_add(some, NULL);
        if (!keep_unknown(context, some, error))
            return FALSE;
        for (guint i = 0; i + 1 < some->len; i++)
            cron_files_delete_folder(context->log_folder, some->pdata[i], &rest, &count);
    }
    *ret_result = g_strdup_printf(_("%u files (%" G_GUINT64_FORMAT " bytes) deleted"), count.files,
                                  count.bytes);
    return TRUE;
}

typedef struct {
    guint files;
    gint64 saved;
    char *trouble; /* the first file that could not be compressed, and why */
} Packed;

static void
pack_log(const CronContext *context, const char *log_path, Packed *ret)
{
    g_autofree char *path = g_build_filename(context->log_folder, log_path, NULL);
    g_autoptr(GError) error = NULL;
    gint64 saved = 0;
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return;
    if (sl_log_file_compress(path, &saved, &error)) {
        ret->files++;
        ret->saved += saved;
    } else if (ret->trouble == NULL) {
        ret->trouble = g_strdup(error->message);
    }
}

/* Only of attempts that have ended: a log whose writer is silent is not a log that is whole. */
static gboolean
pack_some(const CronContext *context, const GPtrArray *names, Packed *ret, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    gint64 before = context->now - context->config->retention_pack_usec;
    {
        g_autoptr(SlTx) tx = sl_db_begin(context->db, TRUE, error);
        if (tx == NULL ||
            !sl_sql_attempt_list_ended(tx, (const char *const *)names->pdata, before, &rows, error))
            return FALSE;
    }
    for (guint i = 0; i < rows->len; i++)
        pack_log(context, ((const SlAttempt *)rows->pdata[i])->log_path, ret);
    return TRUE;
}

static gboolean
pack_all(const CronContext *context, const GPtrArray *names, Packed *ret, GError **error)
{
    for (guint at = 0; at < names->len; at += BATCH) {
        g_autoptr(GPtrArray) some = g_ptr_array_new();
        for (guint i = at; i < MIN(at + BATCH, names->len); i++)
            g_ptr_array_add(some, names->pdata[i]);
        g_ptr_array_add(some, NULL);
        if (!pack_some(context, some, ret, error))
            return FALSE;
    }
    return TRUE;
}

/* One log that cannot be compressed keeps none of the others from it. */
static gboolean
log_compression(const CronContext *context, char **ret_result, GError **error)
{
    Packed packed = {0};
    g_autoptr(GPtrArray) names = cron_files_list_plain(context->log_folder);
    if (context->config->retention_pack_usec == 0) {
        *ret_result = g_strdup(_("logs stay as they are: [Retention] CompressLogs=0"));
        return TRUE;
    }
    gboolean ok = pack_all(context, names, &packed, error);
    g_autofree char *trouble = packed.trouble;
    if (ok && trouble != NULL)
        return sl_error_set(error, SL_ERROR_FAILED, "%u logs compressed, but: %s", packed.files,
                            trouble);
    *ret_result = g_strdup_printf(_("%u logs compressed, %" G_GINT64_FORMAT " bytes saved"),
                                  packed.files, packed.saved);
    return ok;
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

static gboolean
registry_update(const CronContext *context, char **ret_result, GError **error)
{
    g_auto(SlRegistryUpdate) update = {0};
    if (!sl_registry_update(context->db, context->config, context->now, &update, error))
        return FALSE;
    if (update.source == NULL)
        *ret_result = g_strdup(_("there is no registry: neither [Registry] File= nor Url="));
    else if (update.unchanged)
        *ret_result = g_strdup_printf(_("%s: %" G_GINT64_FORMAT " connectors, as before"),
                                      update.source, update.entries);
    else
        *ret_result = g_strdup_printf(_("%s: %" G_GINT64_FORMAT " connectors, %" G_GINT64_FORMAT
                                        " new or changed, %" G_GINT64_FORMAT " gone"),
                                      update.source, update.entries, update.saved, update.removed);
    return TRUE;
}

const CronDuty cron_duties[] = {
    {"stale-workloads", N_("fails workloads that nobody took or whose holder fell silent"),
     stale_workloads},
    {"notifications", N_("delivers what others are to be told of"), cron_notify_run},
    {"job-logs",
     N_("deletes logs that are older than [Retention] Logs=, and those of deleted jobs"), job_logs},
    {"log-compression",
     N_("compresses the logs of attempts that ended as long ago as [Retention] CompressLogs= says"),
     log_compression},
    {"finished-rows",
     N_("deletes finished jobs, events and notifications that are older than [Retention] says"),
     finished_rows},
    {"expired-rows", N_("deletes sessions and setup links that are good no more"), expired_rows},
    {"database-statistics", N_("lets the database look at its busiest tables"),
     database_statistics},
    {"registry-update", N_("reads the connector registry of [Registry] File= or Url="),
     registry_update},
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
