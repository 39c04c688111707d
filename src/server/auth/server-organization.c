/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "server-routes.h"
#include "sl-sql.h"

#define MANY 1000

gboolean
server_organization_list(ServerCtx *ctx, gconstpointer in, SlOrganizationList **ret, GError **error)
{
    GPtrArray *rows = NULL;
    if (!sl_sql_organization_list(ctx->tx, ctx->caller.admin ? NULL : ctx->caller.user_id, NULL,
                                  MANY, 0, &rows, error))
        return FALSE;
    *ret = sl_organization_list_new();
    g_ptr_array_set_free_func(rows, NULL);
    (*ret)->data = rows;
    return TRUE;
}
