/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-notification.h"

#include <string.h>

#include "sl-error.h"

#define OFF "{\"notificationType\":[]}"

static void
test_to_settings(void)
{
    g_autofree char *settings = config_notification_to_settings(
        "{\"failure\":{\"email\":{\"enabled\":true},\"webhook\":{\"enabled\":true,\"url\":"
        "\"http://x\"}},\"success\":{\"email\":{\"enabled\":false},\"webhook\":{\"enabled\":false,"
        "\"url\":\"http://y\"}},\"syncDisabled\":{\"webhook\":{\"enabled\":true,\"url\":null}}}",
        NULL);
    g_assert_cmpstr(
        settings, ==,
        "{\"sendOnSuccess\":{\"notificationType\":[],\"slackConfiguration\":{"
        "\"webhook\":\"http://y\"}},\"sendOnFailure\":{\"notificationType\":["
        "\"customerio\",\"slack\"],\"slackConfiguration\":{\"webhook\":\"http://x\"}},"
        "\"sendOnSyncDisabled\":{\"notificationType\":[\"slack\"]},"
        "\"sendOnSyncDisabledWarning\":" OFF ",\"sendOnConnectionUpdate\":" OFF
        ",\"sendOnConnectionUpdateActionRequired\":" OFF ",\"sendOnBreakingChangeWarning\":" OFF
        ",\"sendOnBreakingChangeSyncsDisabled\":" OFF ",\"sendOnConnectionSyncQueued\":" OFF "}");
    g_autofree char *stored = config_notification_from_settings(settings, NULL);
    g_autofree char *back = config_notification_to_settings(stored, NULL);
    g_assert_cmpstr(back, ==, settings);
    g_assert_null(config_notification_to_settings("{", NULL));
}

static void
test_from_settings(void)
{
    static const struct {
        const char *settings, *message;
    } bad[] = {
        {"{\"sendOnFailure\":[]}", "notificationSettings.sendOnFailure: expected object"},
        {"{\"sendOnFailure\":{\"notificationType\":\"slack\"}}",
         "notificationType: expected array"},
        {"{\"sendOnSuccess\":{\"notificationType\":[\"pigeon\"]}}", "neither slack nor customerio"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(config_notification_from_settings(bad[i].settings, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        g_assert_nonnull(strstr(error->message, bad[i].message));
    }
    /* what is not given is switched off, explicitly */
    g_autofree char *off = config_notification_from_settings("{\"sendOnFailure\":null}", NULL);
    g_assert_true(g_str_has_prefix(off, "{\"success\":{\"email\":{\"enabled\":false},\"webhook\":{"
                                        "\"enabled\":false,\"url\":null}},\"failure\":{"));
    g_assert_null(strstr(off, "true"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/server/config/notification/to-settings", test_to_settings);
    g_test_add_func("/server/config/notification/from-settings", test_from_settings);
    return g_test_run();
}
