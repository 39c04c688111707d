/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "cron-notify.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>

#include "sl-error.h"
#include "sl-log.h"
#include "sl-mail.h"
#include "sl-notice-text.h"
#include "sl-notice.h"
#include "sl-webhook.h"

#define SENDERS 4
#define LOOK_USEC (250 * 1000) /* how often an idle sender looks while others are busy */
#define MARGIN_USEC (30 * (gint64)G_USEC_PER_SEC) /* a claim outlasts the longest try */
#define TEMPLATES SL_SYSCONFDIR "/templates"

typedef struct {
    const CronContext *context;
    GMutex mutex;
    GCond cond;
    guint busy, sent, failed;
    GError *error; /* the first of a sender: the database, not a receiver */
} Outbox;

/* --- one row -----------------------------------------------------------------------------------
 */

static gboolean
send_mail(const CronContext *context, const SlNotification *row, const SlNoticeText *text,
          GError **error)
{
    const SlConfig *config = context->config;
    gboolean own = strcmp(row->target, "-") != 0;
    const SlMailServer server = {
        .url = config->notify_smtp_url,
        .user = config->notify_smtp_user,
        .password = context->smtp_password,
        .from = config->notify_smtp_from,
        .start_tls = config->notify_smtp_start_tls != 0,
        .timeout_usec = config->notify_timeout_usec,
    };
    if (*config->notify_smtp_url == '\0')
        return sl_error_set(error, SL_ERROR_INVALID, "[Notify] SmtpUrl= is not set");
    if (!own && *config->notify_smtp_to == '\0')
        return sl_error_set(error, SL_ERROR_INVALID,
                            "neither workspace, organization nor [Notify] SmtpTo= has an address");
    return sl_mail_send(&server, own ? row->target : config->notify_smtp_to, text->subject,
                        text->text, row->notification_id, row->created_at, error);
}

static gboolean
send_webhook(const CronContext *context, const SlNotification *row, const SlNoticeText *text,
             GError **error)
{
    const SlWebhookPolicy policy = {context->config->notify_private != 0,
                                    context->config->notify_timeout_usec};
    g_autofree char *body = sl_notice_webhook(row, text, row->target);
    return sl_webhook_post(row->target, row->notification_id, body, &policy, error);
}

/* *ret_result: what was done, in a word for the timeline. */
static gboolean
deliver(const CronContext *context, const SlNotification *row, char **ret_result, GError **error)
{
    g_auto(SlNoticeText) text = {0};
    if (row->channel == SL_NOTIFICATION_CHANNEL_UNIT)
        return context->start_unit != NULL
                   ? context->start_unit(row->target, row->job_id, context->start_unit_data,
                                         ret_result, error)
                   : sl_error_set(error, SL_ERROR_UNAVAILABLE, "there is no launcher to ask");
    *ret_result = g_strdup("called");
    if (!sl_notice_text(row, context->config->server_public_url,
                        context->templates != NULL ? context->templates : TEMPLATES, &text, error))
        return FALSE;
    return row->channel == SL_NOTIFICATION_CHANNEL_EMAIL ? send_mail(context, row, &text, error)
                                                         : send_webhook(context, row, &text, error);
}

/* An address that is none, or is not allowed, stays so. A mail server says itself what is for good;
 * a webhook that answers 404 today may be repaired tomorrow. A unit that fails is not started again
 * by us: how often it is tried is said in the unit (Restart=). */
static gboolean
may_help_later(const SlNotification *row, const GError *reason)
{
    SlErrorCode code = sl_error_code(reason);
    if (row->channel == SL_NOTIFICATION_CHANNEL_UNIT)
        return sl_error_info(code)->retryable;
    return code != SL_ERROR_INVALID && code != SL_ERROR_FORBIDDEN &&
           (code != SL_ERROR_FAILED || row->channel != SL_NOTIFICATION_CHANNEL_EMAIL);
}

/* --- senders -----------------------------------------------------------------------------------
 */

static gboolean
claim(Outbox *outbox, SlNotification **ret, GError **error)
{
    gint64 now = outbox->context->clock != NULL ? outbox->context->clock() : g_get_real_time();
    g_autoptr(SlTx) tx = sl_db_begin(outbox->context->db, FALSE, error);
    return tx != NULL &&
           sl_notice_claim(tx, now,
                           now + outbox->context->config->notify_timeout_usec + MARGIN_USEC, ret,
                           error) &&
           sl_tx_commit(tx, error);
}

static gboolean
settle(Outbox *outbox, const SlNotification *row, const char *result, const GError *reason,
       GError **error)
{
    gint64 now = outbox->context->clock != NULL ? outbox->context->clock() : g_get_real_time();
    g_autoptr(SlTx) tx = sl_db_begin(outbox->context->db, FALSE, error);
    if (tx == NULL)
        return FALSE;
    gboolean ok = reason == NULL
                      ? sl_notice_sent(tx, row, result, now, error)
                      : sl_notice_failed(tx, row, reason->message, may_help_later(row, reason),
                                         outbox->context->config->notify_max_tries, now, error);
    return ok && sl_tx_commit(tx, error);
}

/* The address of a webhook is a key to it: the journal gets the row's id. */
static void
log_failure(const Outbox *outbox, const SlNotification *row, const GError *reason)
{
    g_auto(SlLogScope) scope = sl_log_scope(SL_LOG_CONNECTION_ID, row->connection_id);
    gboolean last =
        row->tries >= outbox->context->config->notify_max_tries || !may_help_later(row, reason);
    g_warning("Notification %s ('%s' by %s): %s, %s", row->notification_id, row->trigger,
              sl_enum_name(&sl_notification_channel_enum, (int)row->channel), reason->message,
              last ? "giving up" : "retrying later");
}

static gboolean
send_one(Outbox *outbox, gboolean *ret_worked, GError **error)
{
    g_autoptr(SlNotification) row = NULL;
    g_autoptr(GError) reason = NULL;
    g_autofree char *result = NULL;
    if (!claim(outbox, &row, error))
        return FALSE;
    *ret_worked = row != NULL;
    if (row == NULL)
        return TRUE;
    gboolean ok = deliver(outbox->context, row, &result, &reason);
    if (!ok)
        log_failure(outbox, row, reason);
    g_mutex_lock(&outbox->mutex);
    outbox->sent += ok;
    outbox->failed += !ok;
    g_mutex_unlock(&outbox->mutex);
    return settle(outbox, row, result, reason, error);
}

/* Ends when there is nothing to do and nobody is busy: a row that waits for another's target is
 * taken as soon as that one is done. */
static gpointer
run_sender(gpointer data)
{
    Outbox *outbox = data;
    g_mutex_lock(&outbox->mutex);
    while (outbox->error == NULL) {
        gboolean worked = FALSE;
        GError *error = NULL;
        outbox->busy++;
        g_mutex_unlock(&outbox->mutex);
        gboolean ok = send_one(outbox, &worked, &error);
        g_mutex_lock(&outbox->mutex);
        outbox->busy--;
        if (!ok && outbox->error == NULL)
            outbox->error = error;
        else
            g_clear_error(&error);
        if (ok && worked)
            continue;
        if (outbox->busy == 0)
            break;
        g_cond_wait_until(&outbox->cond, &outbox->mutex, g_get_monotonic_time() + LOOK_USEC);
    }
    g_cond_broadcast(&outbox->cond);
    g_mutex_unlock(&outbox->mutex);
    return NULL;
}

gboolean
cron_notify_run(const CronContext *context, char **ret_result, GError **error)
{
    Outbox outbox = {.context = context};
    GThread *threads[SENDERS];
    /* First: what comes in from now on makes it anew, and starts us again. */
    if (context->wake_file != NULL)
        g_unlink(context->wake_file);
    g_mutex_init(&outbox.mutex);
    g_cond_init(&outbox.cond);
    for (guint i = 0; i < SENDERS; i++)
        threads[i] = g_thread_new("sender", run_sender, &outbox);
    for (guint i = 0; i < SENDERS; i++)
        g_thread_join(threads[i]);
    g_mutex_clear(&outbox.mutex);
    g_cond_clear(&outbox.cond);
    if (outbox.error != NULL) {
        g_propagate_error(error, outbox.error);
        return FALSE;
    }
    *ret_result =
        g_strdup_printf(_("%u notifications delivered, %u failed"), outbox.sent, outbox.failed);
    return TRUE;
}
