/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-connection.h"
#include "sl-records.h"

/* Connections in the shapes of the config API. */

/* Its streams only. */
gboolean config_connection_read(ServerCtx *ctx, const SlConnection *row,
                                SlConfigConnectionRead **ret, GError **error);

/* Many, with one look at their tags: SlConnection → SlConfigConnectionRead. */
gboolean config_connection_read_all(ServerCtx *ctx, const GPtrArray *rows, GPtrArray *reads,
                                    GError **error);

/* What the caller may see of it: SlConnection. */
gboolean config_connection_search(ServerCtx *ctx, const SlConfigConnectionSearch *in,
                                  GPtrArray **ret, GError **error);

/* NULL for a manual one. */
SlConfigScheduleData *config_connection_schedule(int type, gint64 seconds, const char *expression,
                                                 const char *zone);

/* server_connection_make() and server_connection_change() with what a client of this API sends. */
gboolean config_connection_make(ServerCtx *ctx, const SlConfigConnectionCreate *in,
                                SlConnection **ret, GError **error);
gboolean config_connection_change(ServerCtx *ctx, const SlConfigConnectionUpdate *in,
                                  gboolean refresh_changed, SlConnection **ret, GError **error);

/* Does the newest catalog of its source say something new? */
SlConfigSchemaChange config_connection_schema_change(gboolean breaking, gboolean has_news);

/* Its diff against `discovered`; NULL and no error: nothing is known to compare with. */
gboolean config_connection_diff(ServerCtx *ctx, const SlConnection *row, const char *discovered,
                                char **ret_diff, gboolean *ret_breaking, GError **error);
