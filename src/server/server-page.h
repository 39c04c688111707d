/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"

/* Lists: `limit` and `offset` of the request, links to the neighbours in the answer. */

/* Judges what the record engine cannot: ids, and the offset. */
gboolean server_page_check(char *const *workspace_ids, gint64 offset, GError **error);

/* Absolute URLs, "" where there is no neighbour. All parameters of `request` (with fields limit and
 * offset) stand in them, lists joined by commas. A page that is not empty has a next one: nobody
 * looks ahead, and the last page is empty. */
void server_page_links(const ServerCtx *ctx, const SlRecord *record, gconstpointer request,
                       guint n_rows, char **ret_previous, char **ret_next);
