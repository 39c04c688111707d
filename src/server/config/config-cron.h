/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* A Quartz expression that sl_cron_parse() took, in words: "At 06:30, on MON-FRI". What has no
 * simple words is quoted. Pure. */
char *config_cron_describe(const char *expression);
