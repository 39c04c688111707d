/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* When a connection runs, judged and as it is stored. Pure but for the clock: what will
 * never run again is refused. */
typedef struct {
    int type; /* SL_CONNECTION_SCHEDULE_TYPE_* */
    char *cron, *zone;
    gint64 seconds;
} ServerSchedule;

void server_schedule_clear(ServerSchedule *schedule);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ServerSchedule, server_schedule_clear)

/* A Quartz expression, with or without a trailing "UTC", in a zone (NULL: UTC). The seconds are one
 * number, so that nothing runs more than once a minute. The five problems of cron tell what is
 * wrong; connection_id (NULL: a new one) is told with them. */
gboolean server_schedule_parse_cron(const char *expression, const char *zone,
                                    const char *connection_id, ServerSchedule *ret, GError **error);

/* "Every 2 HOURS", in the largest unit that fits. */
char *server_schedule_basic_timing(gint64 seconds);
