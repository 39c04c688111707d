/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-db.h"
#include "sl-records.h"

/* What a connection does when its source's streams have changed (sl-catalog-diff.h): by its own
 * choice nothing, a pause, or the changes are propagated into its catalog. A change that a sync
 * cannot survive always pauses it. Everything happens in the caller's transaction. */

typedef enum {
    SL_SCHEMA_SAME,       /* nothing has changed, or nothing is known to compare with */
    SL_SCHEMA_LEFT,       /* somebody has to look at it */
    SL_SCHEMA_PROPAGATED, /* it is in the catalog */
    SL_SCHEMA_DISABLED,   /* the connection is paused, as it asked for */
    SL_SCHEMA_BROKEN,     /* the connection is paused */
} SlSchemaOutcome;

/* status_reason of a connection that was paused. */
#define SL_REASON_SCHEMA_BREAKING "SCHEMA_CHANGES_ARE_BREAKING"
#define SL_REASON_SCHEMA_ANY "DISABLE_CONNECTION_IF_ANY_SCHEMA_CHANGES"

typedef struct {
    SlSchemaOutcome outcome;
    char *diff; /* CatalogDiff; NULL with SL_SCHEMA_SAME */
} SlSchemaResult;

void sl_schema_result_clear(SlSchemaResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SlSchemaResult, sl_schema_result_clear)

/* Keeps what was discovered. `ret_id` may be NULL. SL_ERROR_INVALID: no JSON. */
gboolean sl_queue_catalog_keep(SlTx *tx, const char *actor_id, const char *key, const char *catalog,
                               gint64 now, char **ret_id, GError **error);

/* Looks at one connection, which the caller has locked (connection_lock), with `fresh` as the state
 * of its source. FALSE of `propagate`: it is only paused, when it must be; a later look propagates.
 * Fields that are new make a stream be read again, when the connection wants that and its
 * states are of single streams: a request (sl-queue-request.h) that the next sync takes
 * along. */
gboolean sl_queue_schema_look(SlTx *tx, const SlConnection *connection, const SlCatalogRow *fresh,
                              gboolean propagate, gint64 now, SlSchemaResult *ret, GError **error);

/* All connections of a source, without propagating, with its newest catalog. Locks them. */
gboolean sl_queue_schema_look_all(SlTx *tx, const char *source_id, gint64 now, GError **error);
