/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "server-connection.h"
#include "server-routes.h"
#include "sl-cron.h"
#include "sl-time.h"

/* When a connection runs next. The first time is the scheduler's own, which knows what was missed
 * and how runs are spread; the later ones are computed from it. */

static void
add(GPtrArray *times, gint64 at)
{
    g_ptr_array_add(times, sl_time_format(at));
}

static void
add_basic(GPtrArray *times, gint64 at, gint64 seconds, guint count)
{
    gint64 interval;
    if (__builtin_mul_overflow(seconds, (gint64)G_USEC_PER_SEC, &interval) || interval <= 0)
        return;
    while (times->len < count && !__builtin_add_overflow(at, interval, &at))
        add(times, at);
}

/* The scheduler's own time may lie a little behind its tick: the next one is the next tick. */
static gboolean
add_cron(GPtrArray *times, gint64 at, const SlConnection *connection, guint count, GError **error)
{
    g_autoptr(SlCron) cron =
        sl_cron_parse(connection->cron_expression, connection->cron_timezone, error);
    if (cron == NULL)
        return FALSE;
    while (times->len < count && (at = sl_cron_next(cron, at)) != 0)
        add(times, at);
    return TRUE;
}

static gboolean
list_times(const SlConnection *connection, guint count, GPtrArray *times, GError **error)
{
    gint64 first = connection->next_run_at;
    if (connection->status != SL_CONNECTION_STATUS_ACTIVE ||
        connection->schedule_type == SL_CONNECTION_SCHEDULE_TYPE_MANUAL ||
        !sl_record_has(&sl_connection_record, connection, SL_CONNECTION_NEXT_RUN_AT))
        return TRUE;
    add(times, first);
    if (connection->schedule_type == SL_CONNECTION_SCHEDULE_TYPE_CRON)
        return add_cron(times, first, connection, count, error);
    add_basic(times, first, connection->basic_interval_sec, count);
    return TRUE;
}

gboolean
server_next_run_get(ServerCtx *ctx, const SlNextRunRequest *in, SlNextRunList **ret, GError **error)
{
    g_autoptr(SlConnection) connection = NULL;
    g_autoptr(GPtrArray) times = g_ptr_array_new_with_free_func(g_free);
    if (!server_connection_load(ctx, in->connection_id, FALSE, &connection, error) ||
        !list_times(connection, (guint)in->count, times, error))
        return FALSE;
    SlNextRunList *list = *ret = sl_next_run_list_new();
    list->connection_id = g_strdup(connection->connection_id);
    list->status = g_strdup(sl_enum_name(&sl_connection_status_enum, (int)connection->status));
    sl_next_run_list_set_schedule_type(list, connection->schedule_type);
    if (connection->schedule_type == SL_CONNECTION_SCHEDULE_TYPE_CRON) {
        list->cron_expression = g_strdup(connection->cron_expression);
        list->cron_time_zone = g_strdup(connection->cron_timezone);
    }
    if (connection->schedule_type == SL_CONNECTION_SCHEDULE_TYPE_BASIC)
        sl_next_run_list_set_interval_seconds(list, connection->basic_interval_sec);
    g_ptr_array_add(times, NULL);
    list->next_runs = (char **)g_ptr_array_free(g_steal_pointer(&times), FALSE);
    return TRUE;
}
