/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-notice.h"

#include <string.h>

#include "sl-event.h"
#include "sl-post-sync.h"
#include "sl-queue.h"
#include "sl-sql.h"

#define FIRST_WAIT_USEC (10 * (gint64)G_USEC_PER_SEC)
#define POST_SYNC "postSync" /* the trigger of what is started after a run */
#define LONGEST_WAIT_USEC (3600 * (gint64)G_USEC_PER_SEC)

static gboolean
wake(SlTx *tx, gint64 added, GError **error)
{
    return added == 0 || sl_tx_notify(tx, SL_CHANNEL_NOTICE, NULL, error);
}

gboolean
sl_notice_add(SlTx *tx, const char *connection_id, SlNotice notice, const char *facts, gint64 now,
              GError **error)
{
    static const char *const triggers[] = {
        [SL_NOTICE_SYNC_DISABLED] = "syncDisabled",
        [SL_NOTICE_SYNC_DISABLED_WARNING] = "syncDisabledWarning",
        [SL_NOTICE_CONNECTION_UPDATE] = "connectionUpdate",
        [SL_NOTICE_CONNECTION_UPDATE_ACTION_REQUIRED] = "connectionUpdateActionRequired",
        [SL_NOTICE_BREAKING_CHANGE_WARNING] = "breakingChangeWarning",
        [SL_NOTICE_BREAKING_CHANGE_SYNCS_DISABLED] = "breakingChangeSyncsDisabled",
        [SL_NOTICE_SYNC_QUEUED] = "connectionSyncQueued",
    };
    G_STATIC_ASSERT(G_N_ELEMENTS(triggers) == SL_N_NOTICES);
    gint64 added = 0;
    return sl_sql_notification_add(tx, connection_id, triggers[notice], facts, now, &added,
                                   error) &&
           wake(tx, added, error);
}

gboolean
sl_notice_add_of_job(SlTx *tx, gint64 job_id, GError **error)
{
    gint64 added = 0;
    return sl_sql_notification_add_of_job(tx, job_id, &added, error) && wake(tx, added, error);
}

gboolean
sl_notice_claim(SlTx *tx, gint64 now, gint64 until, SlNotification **ret, GError **error)
{
    return sl_sql_notification_hold(tx, NULL, error) &&
           sl_sql_notification_claim(tx, now, until, ret, error);
}

/* Of what is started after a run the timeline tells how it went; of everything else only the
 * receiver hears. `rows`: 0 when somebody else has claimed the row meanwhile, who tells then. */
static gboolean
tell(SlTx *tx, const SlNotification *row, gint64 rows, const char *result, const char *failure,
     gint64 now, GError **error)
{
    if (rows == 0 || row->connection_id == NULL || strcmp(row->trigger, POST_SYNC) != 0)
        return TRUE;
    g_autofree char *unit = row->channel == SL_NOTIFICATION_CHANNEL_UNIT
                                ? sl_post_sync_unit_of_job(row->target, row->job_id)
                                : NULL;
    /* Whoever may look at the timeline may not know the address. */
    g_autoptr(GString) text = g_string_new(failure);
    if (unit == NULL)
        g_string_replace(text, row->target, "…", 0);
    return sl_event_add_post_sync(tx, row->connection_id, row->job_id, unit, result,
                                  failure != NULL ? text->str : NULL, now, error);
}

gboolean
sl_notice_sent(SlTx *tx, const SlNotification *row, const char *result, gint64 now, GError **error)
{
    gint64 rows = 0;
    return sl_sql_notification_finish(tx, row->notification_id, row->tries, &now, "", &rows,
                                      error) &&
           tell(tx, row, rows, result, NULL, now, error);
}

gint64
sl_notice_wait_usec(gint64 tries)
{
    gint64 wait = FIRST_WAIT_USEC << CLAMP(tries - 1, 0, 16);
    return MIN(wait, LONGEST_WAIT_USEC);
}

gboolean
sl_notice_failed(SlTx *tx, const SlNotification *row, const char *reason, gboolean may_help_later,
                 gint64 max_tries, gint64 now, GError **error)
{
    gint64 rows = 0;
    if (!may_help_later || row->tries >= max_tries)
        return sl_sql_notification_finish(tx, row->notification_id, row->tries, NULL, reason, &rows,
                                          error) &&
               tell(tx, row, rows, NULL, reason, now, error);
    return sl_sql_notification_postpone(tx, row->notification_id, row->tries,
                                        now + sl_notice_wait_usec(row->tries), reason, NULL, error);
}
