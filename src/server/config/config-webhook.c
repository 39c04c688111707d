/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-webhook.h"

#include <string.h>

#include "server-routes.h"
#include "sl-error.h"
#include "sl-http-client.h"
#include "sl-json-write.h"

#define TRY_USEC (10 * G_USEC_PER_SEC)

/* --- posting -------------------------------------------------------------------------------------
 */

/* The client's timeout is for each wait: a host that sends a byte now and then would hold us. */
typedef struct {
    GMutex mutex;
    GCond cond;
    gint64 end;
    gboolean done;
    GCancellable *cancellable;
} Guard;

static gpointer
watch(gpointer data)
{
    Guard *guard = data;
    g_mutex_lock(&guard->mutex);
    while (!guard->done && g_cond_wait_until(&guard->cond, &guard->mutex, guard->end))
        ;
    if (!guard->done)
        g_cancellable_cancel(guard->cancellable);
    g_mutex_unlock(&guard->mutex);
    return NULL;
}

static gboolean
post(const char *url, const char *body, gint64 usec, GCancellable *cancellable, GError **error)
{
    g_autoptr(SlHttpClient) client = sl_http_client_new("sluice/" PACKAGE_VERSION);
    g_autoptr(SlHttpUnixReply) reply = NULL;
    if (!sl_http_client_request(client, "POST", url, NULL, body, usec, cancellable, &reply, error))
        return FALSE;
    return reply->status / 100 == 2 ||
           sl_error_set(error, SL_ERROR_FAILED, "the webhook answered with status %u",
                        reply->status);
}

gboolean
config_webhook_post(const char *url, const char *body, gint64 usec, GError **error)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GError) local = NULL;
    Guard guard = {.end = g_get_monotonic_time() + usec, .cancellable = cancellable};
    g_mutex_init(&guard.mutex);
    g_cond_init(&guard.cond);
    GThread *thread = g_thread_new("webhook-guard", watch, &guard);
    gboolean ok = post(url, body, usec, cancellable, &local);
    g_mutex_lock(&guard.mutex);
    guard.done = TRUE;
    g_cond_signal(&guard.cond);
    g_mutex_unlock(&guard.mutex);
    g_thread_join(thread);
    g_cond_clear(&guard.cond);
    g_mutex_clear(&guard.mutex);
    if (!ok && g_error_matches(local, SL_ERROR, SL_ERROR_CANCELLED))
        return sl_error_set(error, SL_ERROR_TIMED_OUT, "no answer in time");
    if (!ok)
        g_propagate_error(error, g_steal_pointer(&local));
    return ok;
}

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

/* A webhook that does not work is an answer, not an error of ours. */
static gboolean
try_url(const char *url, int trigger, SlConfigNotificationRead **ret)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *body = make_body(url, trigger);
    gboolean ok = config_webhook_post(url, body, TRY_USEC, &cause);
    *ret = sl_config_notification_read_new();
    sl_config_notification_read_set_status(*ret, ok ? SL_CONFIG_NOTIFICATION_READ_STATUS_SUCCEEDED
                                                    : SL_CONFIG_NOTIFICATION_READ_STATUS_FAILED);
    if (!ok)
        (*ret)->message = g_strdup(cause->message);
    return TRUE;
}

gboolean
server_config_webhook_try(ServerCtx *ctx, const SlConfigWebhookTry *in,
                          SlConfigNotificationRead **ret, GError **error)
{
    return try_url(in->slack_configuration->webhook, in->notification_trigger, ret);
}

gboolean
server_config_notification_try(ServerCtx *ctx, const SlConfigNotificationTry *in,
                               SlConfigNotificationRead **ret, GError **error)
{
    if (in->notification_type == SL_CONFIG_NOTIFICATION_TRY_NOTIFICATION_TYPE_CUSTOMERIO) {
        *ret = sl_config_notification_read_new();
        sl_config_notification_read_set_status(*ret, SL_CONFIG_NOTIFICATION_READ_STATUS_FAILED);
        (*ret)->message = g_strdup("there is no customer.io here");
        return TRUE;
    }
    if (in->slack_configuration == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "slackConfiguration: is missing");
    return try_url(in->slack_configuration->webhook,
                   in->send_on_failure && !in->send_on_success
                       ? SL_CONFIG_WEBHOOK_TRY_NOTIFICATION_TRIGGER_SYNC_FAILURE
                       : SL_CONFIG_WEBHOOK_TRY_NOTIFICATION_TRIGGER_SYNC_SUCCESS,
                   ret);
}
