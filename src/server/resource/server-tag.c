/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-tag.h"

#include <string.h>

#include "server-page.h"
#include "server-problem.h"
#include "server-routes.h"
#include "server-workspace.h"
#include "sl-error.h"
#include "sl-id.h"
#include "sl-sql.h"

#define MAX_NAME 30 /* characters */
#define MAX_TAGS 100

/* --- domain --------------------------------------------------------------------------------------
 */

gboolean
server_tag_load(ServerCtx *ctx, const char *tag_id, SlTagResponse **ret, GError **error)
{
    return sl_sql_tag_get(ctx->tx, tag_id, ret, error) &&
           (*ret != NULL || server_not_found(error, "tag", tag_id));
}

static gboolean
check_face(const char *name, const char *color, GError **error)
{
    if (g_utf8_strlen(name, -1) > MAX_NAME)
        return server_problem(error, SERVER_PROBLEM_TAG_NAME, NULL,
                              "name: must not be longer than %d characters", MAX_NAME);
    return (strlen(color) == 6 && strspn(color, "0123456789abcdefABCDEF") == 6) ||
           server_problem(error, SERVER_PROBLEM_TAG_COLOR, NULL,
                          "color: '%s' is not six hexadecimal digits", color);
}

/* `tag_id`: the one that may have the name. */
static gboolean
check_unique(ServerCtx *ctx, const char *workspace_id, const char *name, const char *tag_id,
             GError **error)
{
    g_autoptr(SlTagResponse) other = NULL;
    return sl_sql_tag_find(ctx->tx, workspace_id, name, &other, error) &&
           (other == NULL || g_strcmp0(other->tag_id, tag_id) == 0 ||
            server_problem(error, SERVER_PROBLEM_TAG_EXISTS, NULL,
                           "name: the workspace has a tag '%s' already", name));
}

gboolean
server_tag_make(ServerCtx *ctx, const char *workspace_id, const char *name, const char *color,
                SlTagResponse **ret, GError **error)
{
    g_autofree char *id = sl_id_new();
    gint64 n = 0;
    if (!server_workspace_load(ctx, workspace_id, NULL, error) || !check_face(name, color, error) ||
        !check_unique(ctx, workspace_id, name, NULL, error) ||
        !sl_sql_tag_count(ctx->tx, workspace_id, &n, error))
        return FALSE;
    if (n >= MAX_TAGS)
        return server_problem(error, SERVER_PROBLEM_TAG_LIMIT, NULL,
                              "workspace '%s' has %d tags already", workspace_id, MAX_TAGS);
    return sl_sql_tag_add(ctx->tx, id, workspace_id, name, color, ctx->now, NULL, error) &&
           server_tag_load(ctx, id, ret, error);
}

gboolean
server_tag_change(ServerCtx *ctx, const char *tag_id, const char *name, const char *color,
                  SlTagResponse **ret, GError **error)
{
    g_autoptr(SlTagResponse) old = NULL;
    return server_tag_load(ctx, tag_id, &old, error) && check_face(name, color, error) &&
           check_unique(ctx, old->workspace_id, name, tag_id, error) &&
           sl_sql_tag_update(ctx->tx, tag_id, name, color, NULL, error) &&
           server_tag_load(ctx, tag_id, ret, error);
}

gboolean
server_tag_list_of(ServerCtx *ctx, char *const *workspace_ids, GPtrArray **ret, GError **error)
{
    const char *const *workspaces = NULL;
    return server_page_check(workspace_ids, 0, error) &&
           server_ctx_workspaces(ctx, workspace_ids, &workspaces, error) &&
           sl_sql_tag_list(ctx->tx, workspaces, ret, error);
}

static gboolean
check_all_there(ServerCtx *ctx, const char *workspace_id, const char *const *tag_ids,
                GError **error)
{
    for (; *tag_ids != NULL; tag_ids++) {
        g_autoptr(SlTagResponse) tag = NULL;
        if (!sl_sql_tag_get(ctx->tx, *tag_ids, &tag, error))
            return FALSE;
        if (tag == NULL || g_strcmp0(tag->workspace_id, workspace_id) != 0)
            return sl_error_set(error, SL_ERROR_INVALID, "tags: the workspace has no tag '%s'",
                                *tag_ids);
    }
    return TRUE;
}

gboolean
server_tag_attach(ServerCtx *ctx, const char *connection_id, const char *workspace_id,
                  const char *const *tag_ids, GError **error)
{
    return check_all_there(ctx, workspace_id, tag_ids, error) &&
           sl_sql_connection_tag_replace(ctx->tx, connection_id, tag_ids, NULL, error);
}

/* --- of many connections -------------------------------------------------------------------------
 */

gboolean
server_tags_load(ServerCtx *ctx, GPtrArray *connection_ids, GHashTable **ret, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    g_ptr_array_add(connection_ids, NULL);
    if (!sl_sql_connection_tag_list(ctx->tx, (const char *const *)connection_ids->pdata, &rows,
                                    error))
        return FALSE;
    g_ptr_array_set_free_func(rows, NULL);
    *ret =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    for (guint i = 0; i < rows->len; i++) {
        SlConnectionTagRow *row = rows->pdata[i];
        GPtrArray *of = g_hash_table_lookup(*ret, row->connection_id);
        if (of == NULL) {
            of = g_ptr_array_new_with_free_func((GDestroyNotify)sl_connection_tag_row_free);
            g_hash_table_insert(*ret, g_strdup(row->connection_id), of);
        }
        g_ptr_array_add(of, row);
    }
    return TRUE;
}

static SlTagResponse *
make_tag(const SlConnectionTagRow *row)
{
    SlTagResponse *tag = sl_tag_response_new();
    tag->tag_id = g_strdup(row->tag_id);
    tag->workspace_id = g_strdup(row->workspace_id);
    tag->name = g_strdup(row->name);
    tag->color = g_strdup(row->color);
    return tag;
}

GPtrArray *
server_tags_of(GHashTable *tags, const char *connection_id)
{
    const GPtrArray *rows = g_hash_table_lookup(tags, connection_id);
    GPtrArray *list = g_ptr_array_new();
    for (guint i = 0; rows != NULL && i < rows->len; i++)
        g_ptr_array_add(list, make_tag(rows->pdata[i]));
    return list;
}

/* --- the public API ------------------------------------------------------------------------------
 */

gboolean
server_tag_list(ServerCtx *ctx, const SlTagListRequest *in, SlTagPage **ret, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    if (!server_tag_list_of(ctx, in->workspace_ids, &rows, error))
        return FALSE;
    *ret = sl_tag_page_new();
    g_ptr_array_set_free_func(rows, NULL); /* the page frees them */
    (*ret)->data = g_steal_pointer(&rows);
    return TRUE;
}

gboolean
server_tag_get(ServerCtx *ctx, const SlTagIdRequest *in, SlTagResponse **ret, GError **error)
{
    return server_tag_load(ctx, in->tag_id, ret, error);
}

gboolean
server_tag_create(ServerCtx *ctx, const SlTagCreateRequest *in, SlTagResponse **ret, GError **error)
{
    return server_tag_make(ctx, in->workspace_id, in->name, in->color, ret, error);
}

gboolean
server_tag_update(ServerCtx *ctx, const SlTagUpdateRequest *in, SlTagResponse **ret, GError **error)
{
    return server_tag_change(ctx, in->tag_id, in->name, in->color, ret, error);
}

gboolean
server_tag_delete(ServerCtx *ctx, const SlTagIdRequest *in, gpointer *ret, GError **error)
{
    g_autoptr(SlTagResponse) tag = NULL;
    return server_tag_load(ctx, in->tag_id, &tag, error) &&
           sl_sql_tag_delete(ctx->tx, in->tag_id, NULL, error);
}

GPtrArray *
server_tag_ids(const GPtrArray *tags)
{
    if (tags == NULL)
        return NULL;
    GPtrArray *ids = g_ptr_array_new();
    for (guint i = 0; i < tags->len; i++)
        g_ptr_array_add(ids, ((const SlTagReference *)tags->pdata[i])->tag_id);
    g_ptr_array_add(ids, NULL);
    return ids;
}
