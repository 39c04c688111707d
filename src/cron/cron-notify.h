/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cron-duty.h"

/* Delivers what is due of the outbox, several at once and one at a time to each target, and goes on
 * as long as one is on its way: what comes in meanwhile is delivered too. */
gboolean cron_notify_run(const CronContext *context, char **ret_result, GError **error);
