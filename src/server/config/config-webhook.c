/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include <string.h>

#include "server-routes.h"
#include "sl-error.h"
#include "sl-json-write.h"
#include "sl-mail.h"
#include "sl-sql.h"
#include "sl-webhook.h"

#define TRY_USEC (10 * G_USEC_PER_SEC)

/* --- what is sent --------------------------------------------------------------------------------
 */

/* By SlConfigWebhookTryNotificationTrigger. `run`: it is about a run, which receivers read from
 * `data`. */
static const struct {
    const char *text;
    gboolean run, success;
} samples[] = {
    {"Test from Sluice: a sync succeeded", TRUE, TRUE},
    {"Test from Sluice: a sync failed", TRUE, FALSE},
    {"Test from Sluice: a connection was disabled", FALSE, FALSE},
    {"Test from Sluice: a connection will be disabled soon", FALSE, FALSE},
    {"Test from Sluice: a source's schema has changed", FALSE, FALSE},
    {"Test from Sluice: a source's schema has changed, and somebody must act", FALSE, FALSE},
    {"Test from Sluice: a connector will change", FALSE, FALSE},
    {"Test from Sluice: syncs were disabled by a connector's change", FALSE, FALSE},
    {"Test from Sluice: a sync is queued", TRUE, FALSE},
};

static void
write_block(SlJsonWriter *w, const char *text)
{
    sl_json_key(w, "blocks");
    sl_json_begin_array(w);
    sl_json_begin_object(w);
    sl_json_member_string(w, "type", "section");
    sl_json_key(w, "text");
    sl_json_begin_object(w);
    sl_json_member_string(w, "type", "mrkdwn");
    sl_json_member_string(w, "text", text);
    sl_json_end_object(w);
    sl_json_end_object(w);
    sl_json_end_array(w);
}

static void
write_data(SlJsonWriter *w, gboolean success)
{
    static const char *const parts[] = {"workspace", "connection", "source", "destination"};
    sl_json_key(w, "data");
    sl_json_begin_object(w);
    for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
        sl_json_key(w, parts[i]);
        sl_json_begin_object(w);
        sl_json_member_string(w, "id", "00000000-0000-0000-0000-000000000000");
        sl_json_member_string(w, "name", "test");
        sl_json_end_object(w);
    }
    sl_json_member_int(w, "jobId", 0);
    sl_json_member_bool(w, "success", success);
    sl_json_end_object(w);
}

/* Google Chat refuses members that it does not know. */
static char *
make_body(const char *url, int trigger)
{
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
    const char *host = uri != NULL ? g_uri_get_host(uri) : NULL;
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "text", samples[trigger].text);
    if (g_strcmp0(host, "chat.googleapis.com") != 0) {
        write_block(&w, samples[trigger].text);
        if (samples[trigger].run)
            write_data(&w, samples[trigger].success);
    }
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

/* --- operations ----------------------------------------------------------------------------------
 */

/* What does not work is an answer, not an error of ours. */
static gboolean
tell(const GError *cause, SlConfigNotificationRead **ret)
{
    *ret = sl_config_notification_read_new();
    sl_config_notification_read_set_status(*ret, cause == NULL
                                                     ? SL_CONFIG_NOTIFICATION_READ_STATUS_SUCCEEDED
                                                     : SL_CONFIG_NOTIFICATION_READ_STATUS_FAILED);
    if (cause != NULL)
        (*ret)->message = g_strdup(cause->message);
    return TRUE;
}

static gboolean
try_url(const ServerCtx *ctx, const char *url, int trigger, SlConfigNotificationRead **ret)
{
    const SlWebhookPolicy policy = {!ctx->server->webhooks_public_only, TRY_USEC};
    g_autoptr(GError) cause = NULL;
    g_autofree char *body = make_body(url, trigger);
    sl_webhook_post(url, NULL, body, &policy, &cause);
    return tell(cause, ret);
}

gboolean
server_config_webhook_try(ServerCtx *ctx, const SlConfigWebhookTry *in,
                          SlConfigNotificationRead **ret, GError **error)
{
    return try_url(ctx, in->slack_configuration->webhook, in->notification_trigger, ret);
}

/* To whoever asks: nobody can make us write to others. */
static gboolean
try_mail(ServerCtx *ctx, int trigger, SlConfigNotificationRead **ret, GError **error)
{
    const SlMailServer *server = &ctx->server->mail;
    g_autoptr(SlAccount) account = NULL;
    g_autoptr(GError) cause = NULL;
    g_autofree char *id = g_uuid_string_random();
    {
        g_autoptr(SlTx) tx = sl_db_begin(ctx->server->db, TRUE, error);
        if (tx == NULL || !sl_sql_account_get(tx, ctx->caller.user_id, &account, error))
            return FALSE;
    }
    if (server->url == NULL || *server->url == '\0')
        sl_error_set(&cause, SL_ERROR_INVALID,
                     "there is no mail server: sluice.conf, [Notify] SmtpUrl=");
    else if (account == NULL || account->email == NULL || *account->email == '\0')
        sl_error_set(&cause, SL_ERROR_INVALID, "your account has no e-mail address");
    else
        sl_mail_send(server, account->email, samples[trigger].text, samples[trigger].text, id,
                     ctx->now, &cause);
    return tell(cause, ret);
}

gboolean
server_config_notification_try(ServerCtx *ctx, const SlConfigNotificationTry *in,
                               SlConfigNotificationRead **ret, GError **error)
{
    int trigger = in->send_on_failure && !in->send_on_success
                      ? SL_CONFIG_WEBHOOK_TRY_NOTIFICATION_TRIGGER_SYNC_FAILURE
                      : SL_CONFIG_WEBHOOK_TRY_NOTIFICATION_TRIGGER_SYNC_SUCCESS;
    if (in->notification_type == SL_CONFIG_NOTIFICATION_TRY_NOTIFICATION_TYPE_CUSTOMERIO)
        return try_mail(ctx, trigger, ret, error);
    if (in->slack_configuration == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "slackConfiguration: is missing");
    return try_url(ctx, in->slack_configuration->webhook, trigger, ret);
}
