/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "server-problem.h"
#include "server-routes.h"
#include "server-tag.h"
#include "sl-sql.h"

gboolean
server_config_tag_list(ServerCtx *ctx, const SlConfigWorkspaceIdRequest *in, GPtrArray **ret,
                       GError **error)
{
    const char *const ids[] = {in->workspace_id, NULL};
    if (!sl_sql_tag_list(ctx->tx, ids, ret, error))
        return FALSE;
    g_ptr_array_set_free_func(*ret, NULL); /* the dispatcher frees them */
    return TRUE;
}

gboolean
server_config_tag_create(ServerCtx *ctx, const SlTagCreateRequest *in, SlTagResponse **ret,
                         GError **error)
{
    return server_tag_make(ctx, in->workspace_id, in->name, in->color, ret, error);
}

/* A tag that is of another workspace than the client says is none. */
static gboolean
load(ServerCtx *ctx, const char *tag_id, const char *workspace_id, SlTagResponse **ret,
     GError **error)
{
    return server_tag_load(ctx, tag_id, ret, error) &&
           (g_strcmp0((*ret)->workspace_id, workspace_id) == 0 ||
            server_not_found(error, "tag", tag_id));
}

gboolean
server_config_tag_update(ServerCtx *ctx, const SlConfigTagUpdate *in, SlTagResponse **ret,
                         GError **error)
{
    g_autoptr(SlTagResponse) old = NULL;
    return load(ctx, in->tag_id, in->workspace_id, &old, error) &&
           server_tag_change(ctx, in->tag_id, in->name, in->color, ret, error);
}

gboolean
server_config_tag_delete(ServerCtx *ctx, const SlConfigTagDelete *in, SlTagResponse **ret,
                         GError **error)
{
    return load(ctx, in->tag_id, in->workspace_id, ret, error) &&
           sl_sql_tag_delete(ctx->tx, in->tag_id, NULL, error);
}
