/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"
#include "sl-records.h"

/* Tags of a workspace and the connections that have them. A name is once in a workspace (30
 * characters), a color six hexadecimal digits, and there are 100 of them at most: problems of their
 * own say which rule was broken. */

gboolean server_tag_load(ServerCtx *ctx, const char *tag_id, SlTagResponse **ret, GError **error);
gboolean server_tag_make(ServerCtx *ctx, const char *workspace_id, const char *name,
                         const char *color, SlTagResponse **ret, GError **error);
gboolean server_tag_change(ServerCtx *ctx, const char *tag_id, const char *name, const char *color,
                           SlTagResponse **ret, GError **error);

/* With the workspaces that the caller may see (server_ctx_workspaces()): rows of SlTagResponse. */
gboolean server_tag_list_of(ServerCtx *ctx, char *const *workspace_ids, GPtrArray **ret,
                            GError **error);

/* From now on the connection has exactly these. SL_ERROR_INVALID names one that is not of the
 * workspace. */
gboolean server_tag_attach(ServerCtx *ctx, const char *connection_id, const char *workspace_id,
                           const char *const *tag_ids, GError **error);

/* The tags of many connections, with one statement: connection id → GPtrArray of
 * SlConnectionTagRow. `connection_ids` get their NULL at the end here. */
gboolean server_tags_load(ServerCtx *ctx, GPtrArray *connection_ids, GHashTable **ret,
                          GError **error);

/* Those of one: a new array of SlTagResponse, which may be empty. */
GPtrArray *server_tags_of(GHashTable *tags, const char *connection_id);

/* The ids of tags that a client sends whole (SlTagReference), ended by NULL; NULL: it sends none.
 */
GPtrArray *server_tag_ids(const GPtrArray *tags);
