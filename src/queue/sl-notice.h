/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-db.h"
#include "sl-records.h"

/* The outbox (table notification): what others are told of, and what is started after a run. A row
 * is written in the transaction of what it tells and delivered by the duty `notifications`. Who is
 * told is decided here, by the settings of the workspace at this time. */

typedef enum {
    SL_NOTICE_SYNC_DISABLED,         /* facts {failures, days} */
    SL_NOTICE_SYNC_DISABLED_WARNING, /* facts {failures, days} */
    SL_NOTICE_CONNECTION_UPDATE,     /* facts {isBreaking, changes: ["text", …]}: applied */
    SL_NOTICE_CONNECTION_UPDATE_ACTION_REQUIRED, /* the same: somebody must act */
    SL_NOTICE_BREAKING_CHANGE_WARNING,           /* facts {connectorName, deadline} */
    SL_NOTICE_BREAKING_CHANGE_SYNCS_DISABLED,    /* facts {connectorName} */
    SL_NOTICE_SYNC_QUEUED,                       /* facts {} */
    SL_N_NOTICES
} SlNotice;

/* `facts`: a JSON object; names of connection, source, destination and workspace are added. */
gboolean sl_notice_add(SlTx *tx, const char *connection_id, SlNotice notice, const char *facts,
                       gint64 now, GError **error);

/* The end of a run; src/queue calls it where the status changes. Told again it changes nothing. */
gboolean sl_notice_add_of_job(SlTx *tx, gint64 job_id, GError **error);

/* The next one to deliver, the caller's until `until`; *ret NULL: none is due, or those that are go
 * to targets that somebody is talking to. */
gboolean sl_notice_claim(SlTx *tx, gint64 now, gint64 until, SlNotification **ret, GError **error);

/* It arrived. `result`, a word, goes to the timeline when it was something to start after a run. */
gboolean sl_notice_sent(SlTx *tx, const SlNotification *row, const char *result, gint64 now,
                        GError **error);

/* It did not: waits and is tried again with all others for the same target, or is given up after
 * `max_tries` or because trying again cannot help. */
gboolean sl_notice_failed(SlTx *tx, const SlNotification *row, const char *reason,
                          gboolean may_help_later, gint64 max_tries, gint64 now, GError **error);

/* How long to wait after so many tries: 10 s, 20 s, … 1 h. */
gint64 sl_notice_wait_usec(gint64 tries);
