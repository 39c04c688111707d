/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "scheduler-next.h"

#include "sl-cron.h"

#define DOUBLE_FIRE_USEC (60 * (gint64)G_USEC_PER_SEC)

static gint64
next_basic(const SlConnection *connection, gint64 now)
{
    gint64 interval, next;
    if (!sl_record_has(&sl_connection_record, connection, SL_CONNECTION_LAST_RUN_AT))
        return now;
    if (__builtin_mul_overflow(connection->basic_interval_sec, (gint64)G_USEC_PER_SEC, &interval) ||
        __builtin_add_overflow(connection->last_run_at, interval, &next))
        return 0;
    return MAX(next, now);
}

static gboolean
next_cron(const SlConnection *connection, gint64 now, gint64 *ret_next, GError **error)
{
    gint64 earliest = now;
    g_autoptr(SlCron) cron =
        sl_cron_parse(connection->cron_expression, connection->cron_timezone, error);
    if (cron == NULL)
        return FALSE;
    if (sl_record_has(&sl_connection_record, connection, SL_CONNECTION_LAST_RUN_AT))
        earliest = MAX(now, connection->last_run_at + DOUBLE_FIRE_USEC);
    *ret_next = sl_cron_next(cron, earliest);
    return TRUE;
}

gboolean
scheduler_next_run(const SlConnection *connection, gint64 now, gint64 *ret_next, GError **error)
{
    *ret_next = 0;
    if (connection->status != SL_CONNECTION_STATUS_ACTIVE)
        return TRUE;
    if (connection->schedule_type == SL_CONNECTION_SCHEDULE_TYPE_BASIC)
        *ret_next = next_basic(connection, now);
    if (connection->schedule_type == SL_CONNECTION_SCHEDULE_TYPE_CRON)
        return next_cron(connection, now, ret_next, error);
    return TRUE;
}
