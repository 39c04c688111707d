/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"
#include "server-schedule.h"
#include "sl-records.h"

/* Connections, without their face on either API. */

/* What is new; NULL: as it is (the default, for a new one). Words are those of the connection
 * table. */
typedef struct {
    const char *name;                 /* default "SOURCE <> DESTINATION" */
    const char *status;               /* active, inactive, deprecated; default active */
    const char *namespace_definition; /* source, destination, customformat; default destination */
    const char *namespace_format;
    const char *prefix;
    const char *non_breaking_changes;      /* ignore, disable, propagate_columns, propagate_fully */
    const ServerSchedule *schedule;        /* default manual */
    const SlStreamConfigurations *streams; /* chosen from what discover gives; default all */
    const char *catalog;                   /* instead: a ConfiguredAirbyteCatalog, judged so far
                                              that only mappers and selection remain */
    const char *const *tag_ids;            /* all that it has from now on */
    const char *reason;                    /* why, for the timeline */
    const char *source_catalog_id; /* what the streams were chosen from, and what has been seen of
                                      the source; default for a new one, and for chosen `streams`:
                                      its newest */
    const char *breaking_change;   /* "true", "false" */
    const char *backfill;          /* enabled, disabled */
    gboolean refresh_changed;      /* streams that are read in another way from now on start over */
} ServerConnectionEdit;

/* Deprecated ones too. SL_ERROR_NOT_FOUND. */
gboolean server_connection_load(ServerCtx *ctx, const char *connection_id, gboolean lock,
                                SlConnection **ret, GError **error);

/* *ret NULL and TRUE: the streams are being discovered, return TRUE at once. */
gboolean server_connection_make(ServerCtx *ctx, const char *source_id, const char *destination_id,
                                const ServerConnectionEdit *edit, SlConnection **ret,
                                GError **error);

/* The same. A catalog or a source_catalog_id without a breaking change ends breaking_change. What a
 * stream's changed source mode makes worthless, its state, is forgotten; status
 * deprecated is a deletion. SERVER_PROBLEM_LOCKED. */
gboolean server_connection_change(ServerCtx *ctx, const char *connection_id,
                                  const ServerConnectionEdit *edit, SlConnection **ret,
                                  GError **error);

/* Deprecated from now on, and what runs is cancelled. Again: nothing happens. */
gboolean server_connection_remove(ServerCtx *ctx, const char *connection_id, GError **error);
