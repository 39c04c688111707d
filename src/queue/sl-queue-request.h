/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-db.h"
#include "sl-records.h"

/* Requests to read streams of a connection anew (refresh) or to empty them (reset, clear). A
 * request waits as a row until a job is made: that takes all of its sort, in its own transaction. A
 * job that empties goes first; a sync that finds requests becomes a refresh. */

typedef enum {
    SL_REQUEST_MERGE,    /* read all again, keep the old rows */
    SL_REQUEST_TRUNCATE, /* old rows go when the new ones are complete */
    SL_REQUEST_RESET,    /* empty it; the older word for it */
    SL_REQUEST_CLEAR,
} SlRequestKind;

gboolean sl_request_empties(SlRequestKind kind);
SlConfigType sl_request_job_type(SlRequestKind kind);

/* Streams are pairs of namespace ("" = none) and name, both lists NULL-terminated. With `at_once` a
 * job begins as soon as nothing runs (the end of a job sees to that; sl_queue_request_start() when
 * nothing runs now), otherwise with the next sync. */
gboolean sl_queue_request_add(SlTx *tx, const char *connection_id, SlRequestKind kind,
                              gboolean at_once, const char *const *namespaces,
                              const char *const *names, gint64 now, GError **error);

/* For those of an active job of the same sort that has not begun: it takes the waiting ones too. */
gboolean sl_queue_request_join(SlTx *tx, const SlJob *job, GError **error);

/* Makes the job that waiting requests ask for at once. *ret_job NULL: nothing waits. */
gboolean sl_queue_request_start(SlTx *tx, const char *connection_id, const char *workspace_id,
                                gint64 now, SlJob **ret_job, GError **error);

/* Holds a job, its tasks and its connection, in the order in which everybody takes them. */
gboolean sl_queue_job_hold(SlTx *tx, gint64 job_id, SlJob **ret, GError **error);
