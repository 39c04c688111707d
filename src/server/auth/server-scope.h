/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"

/* Where a request takes effect, and what its caller holds there. Ids are looked for in the members
 * of the input record itself, by a table of names: what is nested in a body never opens a door. */

/* Fills ctx->roles, and refuses: SL_ERROR_FORBIDDEN. Needs the caller and the transaction. An
 * unknown id gives no role: to those who have none, things that they may not see do not exist. */
gboolean server_scope_authorize(ServerCtx *ctx, gconstpointer in, GError **error);

/* Can the scope of an operation be found? For a check of the whole table. */
gboolean server_scope_is_known(const ServerOperation *operation);

/* What somebody holds in all of the workspaces, or in an organization. Unknown ids: nothing. */
gboolean server_scope_roles_of(ServerCtx *ctx, const char *user_id, const char *const *workspaces,
                               const char *organization_id, ServerRoles *ret, GError **error);
