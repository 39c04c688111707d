/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "scheduler-next.h"

#include "sl-cron.h"

#define SEC ((gint64)G_USEC_PER_SEC)
#define MINUTE (60 * SEC)
#define DOUBLE_FIRE_USEC MINUTE
/* A due run is this late at most while a scheduler is there: an election and a busy turn. */
#define LATE_USEC (2 * MINUTE)

/* The longer the wait, the wider connections are spread. */
static gint64
jitter_width(gint64 wait)
{
    static const struct {
        gint64 wait, width; /* minutes */
    } rows[] = {{5, 0}, {90, 2}, {150, 5}, {390, 15}};
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (wait <= rows[i].wait * MINUTE)
            return rows[i].width * MINUTE;
    return 25 * MINUTE;
}

/* The connection's own part of the width: the same at every run, so that intervals stay intervals.
 */
static gint64
jitter_of(const SlConnection *connection, gint64 wait)
{
    guint hash = connection->connection_id != NULL ? g_str_hash(connection->connection_id) : 0;
    return jitter_width(wait) / 1000 * (hash % 1000);
}

static gint64
next_basic(const SlConnection *connection, const SchedulerRules *rules, gint64 now)
{
    gint64 interval, next;
    if (!sl_record_has(&sl_connection_record, connection, SL_CONNECTION_LAST_RUN_AT))
        return now;
    if (__builtin_mul_overflow(connection->basic_interval_sec, SEC, &interval) ||
        __builtin_add_overflow(connection->last_run_at, interval, &next))
        return 0;
    if (next <= now && rules->catch_up)
        return now;
    if (next <= now)
        next += ((now - next) / interval + 1) * interval;
    if (rules->jitter) /* as much earlier as later */
        next += jitter_of(connection, next - now) - jitter_width(next - now) / 2;
    return MAX(next, now);
}

/* What a run must lie behind. An edit is a new beginning: it makes up for nothing. */
static gint64
cron_base(const SlConnection *connection, const SchedulerRules *rules, gint64 now)
{
    gint64 base = now;
    if (sl_record_has(&sl_connection_record, connection, SL_CONNECTION_LAST_RUN_AT)) {
        base = connection->last_run_at + DOUBLE_FIRE_USEC;
        base = MAX(base, connection->updated_at);
        if (!rules->catch_up)
            base = MAX(base, now);
    }
    return base;
}

static gboolean
next_cron(const SlConnection *connection, const SchedulerRules *rules, gint64 now, gint64 *ret_next,
          GError **error)
{
    g_autoptr(SlCron) cron =
        sl_cron_parse(connection->cron_expression, connection->cron_timezone, error);
    if (cron == NULL)
        return FALSE;
    *ret_next = sl_cron_next(cron, cron_base(connection, rules, now));
    if (*ret_next == 0)
        return TRUE;
    if (*ret_next > now && rules->jitter) /* never early */
        *ret_next += jitter_of(connection, *ret_next - now);
    *ret_next = MAX(*ret_next, now);
    return TRUE;
}

gboolean
scheduler_next_run(const SlConnection *connection, const SchedulerRules *rules, gint64 now,
                   gint64 *ret_next, GError **error)
{
    *ret_next = 0;
    if (connection->status != SL_CONNECTION_STATUS_ACTIVE)
        return TRUE;
    if (connection->schedule_type == SL_CONNECTION_SCHEDULE_TYPE_BASIC)
        *ret_next = next_basic(connection, rules, now);
    if (connection->schedule_type == SL_CONNECTION_SCHEDULE_TYPE_CRON)
        return next_cron(connection, rules, now, ret_next, error);
    return TRUE;
}

gboolean
scheduler_is_missed(const SchedulerRules *rules, gint64 due, gint64 now)
{
    return !rules->catch_up && now - due > LATE_USEC;
}
