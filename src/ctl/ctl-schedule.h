/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* --every and --cron → what the API takes, and back to words. Usage errors name the option. */

/* JSON of a cron schedule; "manual" when it is NULL. */
char *ctl_schedule_build(const char *cron, GError **error);

/* Seconds of --every; 0 when it is NULL, -1 on error. */
gint64 ctl_schedule_seconds(const char *every, GError **error);

/* "every 6 hours", "0 0 4 * * ? UTC", "manual". `node` may be NULL. */
char *ctl_schedule_text(const SlJsonDoc *doc, const SlJsonNode *node);
