/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-db.h"
#include "sl-records.h"

/* The timeline of a connection (table connection_event). An event is written in the transaction of
 * what it tells, so that none is lost and none is told that did not happen. Who did it is the
 * transaction's: sl_event_set_user(), once; without it the platform did. */

/* `user_id` NULL: nobody. Holds until the end of the transaction. */
gboolean sl_event_set_user(SlTx *tx, const char *user_id, GError **error);

/* What is not of a run. `summary` is the event's JSON object, in the words of the API. */
typedef enum {
    SL_EVENT_TYPE_SETTINGS_UPDATE,      /* {patches: {FIELD: {from, to}}, updateReason?} */
    SL_EVENT_TYPE_ENABLED,              /* {updateReason?} */
    SL_EVENT_TYPE_DISABLED,             /* {disabledReason?, updateReason?} */
    SL_EVENT_TYPE_SCHEMA_UPDATE,        /* {catalogDiff, updateReason?}: the source's has changed */
    SL_EVENT_TYPE_SCHEMA_CONFIG_UPDATE, /* {airbyteCatalogDiff: {catalogDiff, catalogConfigDiff}} */
    /* {kind: "POST_SYNC", jobId, action, result, message?}: of a kind that clients of the API have
       no name for */
    SL_EVENT_TYPE_POST_SYNC,
    SL_N_EVENT_TYPES
} SlEventType;
gboolean sl_event_add(SlTx *tx, const char *connection_id, SlEventType type, const char *summary,
                      gint64 now, GError **error);

/* A run was asked for or has ended: its row says which. Told again, or not about a run of a
 * connection, it changes nothing. src/queue calls it where the status changes. */
gboolean sl_event_add_of_job(SlTx *tx, gint64 job_id, GError **error);

/* What was started after a run. `action` NULL: a webhook, whose address is a key to it. `failure`
 * NULL: it worked, and `result` says how. */
gboolean sl_event_add_post_sync(SlTx *tx, const char *connection_id, gint64 job_id,
                                const char *action, const char *result, const char *failure,
                                gint64 now, GError **error);

/* What an edit has changed: settings, streams, enabled or disabled. `reason` (of the edit or of the
 * disabling; may be NULL) is told with each. Nothing changed: no event.
 * (That a connector has another version is told by a trigger of actor_definition.) */
gboolean sl_event_add_edit(SlTx *tx, const SlConnection *before, const SlConnection *after,
                           const char *reason, gint64 now, GError **error);

/* Disabled, by a person or by the platform, which says why. */
gboolean sl_event_add_disabled(SlTx *tx, const char *connection_id, const char *reason, gint64 now,
                               GError **error);
