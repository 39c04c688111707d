/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-notification.h"

#include <string.h>

#include "sl-error.h"
#include "sl-json-read.h"
#include "sl-json-write.h"

/* The last three are the config API's only. */
static const struct {
    const char *item, *send_on;
} items[] = {
    {"success", "sendOnSuccess"},
    {"failure", "sendOnFailure"},
    {"syncDisabled", "sendOnSyncDisabled"},
    {"syncDisabledWarning", "sendOnSyncDisabledWarning"},
    {"connectionUpdate", "sendOnConnectionUpdate"},
    {"connectionUpdateActionRequired", "sendOnConnectionUpdateActionRequired"},
    {"breakingChangeWarning", "sendOnBreakingChangeWarning"},
    {"breakingChangeSyncsDisabled", "sendOnBreakingChangeSyncsDisabled"},
    {"connectionSyncQueued", "sendOnConnectionSyncQueued"},
};

static gboolean
is_enabled(const SlJsonDoc *doc, const SlJsonNode *item, const char *channel)
{
    const SlJsonNode *node = sl_json_get_path(doc, item, channel, "enabled", NULL);
    return node != NULL && node->type == SL_JSON_TRUE;
}

char *
config_notification_to_settings(const char *notifications, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(notifications, strlen(notifications), NULL, error);
    if (doc == NULL)
        return NULL;
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    for (gsize i = 0; i < G_N_ELEMENTS(items); i++) {
        const SlJsonNode *item = sl_json_get(doc, sl_json_root(doc), items[i].item);
        const SlJsonNode *url = sl_json_get_path(doc, item, "webhook", "url", NULL);
        sl_json_key(&w, items[i].send_on);
        sl_json_begin_object(&w);
        sl_json_key(&w, "notificationType");
        sl_json_begin_array(&w);
        if (is_enabled(doc, item, "email"))
            sl_json_string(&w, "customerio");
        if (is_enabled(doc, item, "webhook"))
            sl_json_string(&w, "slack");
        sl_json_end_array(&w);
        if (url != NULL && url->type == SL_JSON_STRING) {
            sl_json_key(&w, "slackConfiguration");
            sl_json_begin_object(&w);
            sl_json_key(&w, "webhook");
            sl_json_node(&w, url);
            sl_json_end_object(&w);
        }
        sl_json_end_object(&w);
    }
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

static gboolean
read_types(const SlJsonDoc *doc, const SlJsonNode *item, const char *send_on, gboolean *ret_mail,
           gboolean *ret_slack, GError **error)
{
    const SlJsonNode *types = sl_json_get(doc, item, "notificationType");
    *ret_mail = *ret_slack = FALSE;
    if (item != NULL && item->type != SL_JSON_OBJECT && item->type != SL_JSON_NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "notificationSettings.%s: expected object",
                            send_on);
    if (types != NULL && types->type != SL_JSON_ARRAY && types->type != SL_JSON_NULL)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "notificationSettings.%s.notificationType: expected array", send_on);
    SL_JSON_FOREACH (doc, types, type) {
        if (sl_json_string_is(type, "customerio"))
            *ret_mail = TRUE;
        else if (sl_json_string_is(type, "slack"))
            *ret_slack = TRUE;
        else
            return sl_error_set(
                error, SL_ERROR_INVALID,
                "notificationSettings.%s.notificationType: neither slack nor customerio", send_on);
    }
    return TRUE;
}

char *
config_notification_from_settings(const char *settings, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(settings, strlen(settings), NULL, error);
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    if (doc == NULL)
        return NULL;
    sl_json_begin_object(&w);
    for (gsize i = 0; i < G_N_ELEMENTS(items); i++) {
        const SlJsonNode *item = sl_json_get(doc, sl_json_root(doc), items[i].send_on);
        const SlJsonNode *url = sl_json_get_path(doc, item, "slackConfiguration", "webhook", NULL);
        g_autofree char *address = url != NULL ? sl_json_dup_string(url) : NULL;
        gboolean mail, slack;
        if (!read_types(doc, item, items[i].send_on, &mail, &slack, error))
            return NULL;
        sl_json_key(&w, items[i].item);
        sl_json_begin_object(&w);
        sl_json_key(&w, "email");
        sl_json_begin_object(&w);
        sl_json_member_bool(&w, "enabled", mail);
        sl_json_end_object(&w);
        sl_json_key(&w, "webhook");
        sl_json_begin_object(&w);
        sl_json_member_bool(&w, "enabled", slack);
        sl_json_key(&w, "url");
        sl_json_string(&w, address); /* null takes a stored one away */
        sl_json_end_object(&w);
        sl_json_end_object(&w);
    }
    sl_json_end_object(&w);
    return g_string_free(g_steal_pointer(&out), FALSE);
}
