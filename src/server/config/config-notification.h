/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Between the notifications of a workspace as they are stored, in the public API's shape
 * ({"failure": {"email": {"enabled"}, "webhook": {"enabled", "url"}}, …}), and the
 * notificationSettings of the config API ({"sendOnFailure": {"notificationType": ["customerio",
 * "slack"], "slackConfiguration": {"webhook"}}, …}). JSON texts. Pure. */

char *config_notification_to_settings(const char *notifications, GError **error);

/* Every item, those that are not given switched off: what is given replaces what is stored.
 * SL_ERROR_INVALID names the item. */
char *config_notification_from_settings(const char *settings, GError **error);
