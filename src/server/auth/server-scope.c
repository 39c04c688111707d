/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-scope.h"

#include <string.h>

#include "server-auth.h"
#include "sl-error.h"
#include "sl-records.h"
#include "sl-sql.h"

typedef gboolean (*ScopeFind)(SlTx *tx, const char *const *ids, GPtrArray **ret, GError **error);

/* Members of input records that say where it takes effect. A member `id` has the meaning that
 * x-sluice-id gives it. Ids of definitions are not here: a definition is the instance's. */
static const struct {
    const char *name;
    ScopeFind find;
} members[] = {
    {"workspaceId", sl_sql_scope_of_workspaces},
    {"workspaceIds", sl_sql_scope_of_workspaces},
    {"organizationId", sl_sql_scope_of_organizations},
    {"actorId", sl_sql_scope_of_actors},
    {"sourceId", sl_sql_scope_of_actors},
    {"destinationId", sl_sql_scope_of_actors},
    {"connectionId", sl_sql_scope_of_connections},
    {"connectionIds", sl_sql_scope_of_connections},
    {"jobId", sl_sql_scope_of_jobs},
    {"tagId", sl_sql_scope_of_tags},
    {"permissionId", sl_sql_scope_of_permissions},
    {"workspace_id", sl_sql_scope_of_workspaces}, /* the commands' spelling */
    {"actor_id", sl_sql_scope_of_actors},
    {"commandId", sl_sql_scope_of_commands},
};

static ScopeFind
find_member(const ServerOperation *operation, const char *name)
{
    if (operation->id_means != NULL && strcmp(name, "id") == 0)
        name = operation->id_means;
    for (guint i = 0; i < G_N_ELEMENTS(members); i++)
        if (strcmp(members[i].name, name) == 0)
            return members[i].find;
    return NULL;
}

/* Accounts are our own: the id of the login is the user's. */
static gboolean
names_user(const char *name)
{
    return strcmp(name, "userId") == 0 || strcmp(name, "authUserId") == 0;
}

gboolean
server_scope_is_known(const ServerOperation *operation)
{
    const SlRecord *record = operation->in_record;
    gboolean self = operation->intent == SERVER_INTENT_SELF;
    if (!server_intent_is_scoped(operation->intent) || operation->default_organization)
        return TRUE;
    for (guint i = 0; record != NULL && i < record->n_fields; i++)
        if (self ? names_user(record->fields[i].json)
                 : find_member(operation, record->fields[i].json) != NULL)
            return TRUE;
    return FALSE;
}

/* The ids of one member, without repetitions; NULL: not given. */
static GPtrArray *
collect_ids(const SlField *field, gconstpointer in)
{
    gconstpointer member = G_STRUCT_MEMBER_P(in, field->offset);
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    if (field->kind == SL_KIND_INT)
        g_ptr_array_add(ids, g_strdup_printf("%" G_GINT64_FORMAT, *(const gint64 *)member));
    else if (field->kind != SL_KIND_STRV)
        g_ptr_array_add(ids, g_ascii_strdown(*(const char *const *)member, -1));
    else
        for (char *const *id = *(char *const *const *)member; id != NULL && *id != NULL; id++) {
            g_autofree char *lower = g_ascii_strdown(*id, -1);
            if (!g_ptr_array_find_with_equal_func(ids, lower, g_str_equal, NULL))
                g_ptr_array_add(ids, g_steal_pointer(&lower));
        }
    if (ids->len == 0)
        return NULL;
    g_ptr_array_add(ids, NULL);
    return g_steal_pointer(&ids);
}

/* What does not look like an id is none of anybody's; the database would call it an error. */
static gboolean
are_ids(const SlField *field, const GPtrArray *ids)
{
    for (guint i = 0; i + 1 < ids->len; i++)
        if (field->kind != SL_KIND_INT && !g_uuid_string_is_valid(ids->pdata[i]))
            return FALSE;
    return TRUE;
}

static ServerRoles
held_in(const GPtrArray *permissions, const SlScope *scope)
{
    ServerRoles roles = SERVER_ROLES_NONE;
    for (guint i = 0; i < permissions->len; i++) {
        const SlPermission *one = permissions->pdata[i];
        if ((one->workspace_id != NULL && g_strcmp0(one->workspace_id, scope->workspace_id) == 0) ||
            (one->organization_id != NULL &&
             g_strcmp0(one->organization_id, scope->organization_id) == 0))
            roles |= server_permission_roles(one->permission_type);
    }
    return roles;
}

/* Several scopes: only what the caller holds in each of them. */
static gboolean
narrow(ServerCtx *ctx, ScopeFind find, const GPtrArray *ids, guint expected, ServerRoles *roles,
       GError **error)
{
    g_autoptr(GPtrArray) scopes = NULL;
    if (!find(ctx->tx, (const char *const *)ids->pdata, &scopes, error))
        return FALSE;
    if (scopes->len < expected)
        *roles = SERVER_ROLES_NONE;
    for (guint i = 0; i < scopes->len; i++)
        *roles &= held_in(ctx->caller.permissions, scopes->pdata[i]);
    return TRUE;
}

typedef struct {
    ServerRoles roles;
    gboolean found; /* an id was given */
    gboolean list;  /* the record could have named workspaces */
} Search;

static gboolean
look_at(ServerCtx *ctx, const SlField *field, gconstpointer in, Search *search, GError **error)
{
    ScopeFind find = find_member(ctx->operation, field->json);
    guint i = (guint)(field - ctx->operation->in_record->fields);
    if (find == NULL)
        return TRUE;
    search->list = search->list || strcmp(field->json, "workspaceIds") == 0;
    if (!sl_record_has(ctx->operation->in_record, in, i))
        return TRUE;
    g_autoptr(GPtrArray) ids = collect_ids(field, in);
    if (ids == NULL)
        return TRUE;
    search->found = TRUE;
    if (find != sl_sql_scope_of_commands && !are_ids(field, ids)) {
        search->roles = SERVER_ROLES_NONE;
        return TRUE;
    }
    return narrow(ctx, find, ids, ids->len - 1, &search->roles, error);
}

static gboolean
find_roles(ServerCtx *ctx, gconstpointer in, Search *search, GError **error)
{
    const SlRecord *record = ctx->operation->in_record;
    g_autoptr(GPtrArray) nothing = NULL;
    for (guint i = 0; record != NULL && i < record->n_fields; i++)
        if (!look_at(ctx, &record->fields[i], in, search, error))
            return FALSE;
    if (search->found || search->list)
        return TRUE;
    if (!ctx->operation->default_organization) {
        search->roles = SERVER_ROLES_NONE;
        return TRUE;
    }
    nothing = g_ptr_array_new();
    g_ptr_array_add(nothing, NULL);
    return narrow(ctx, sl_sql_scope_of_default_organization, nothing, 1, &search->roles, error);
}

static gboolean
is_about_caller(const ServerCtx *ctx, gconstpointer in)
{
    const SlRecord *record = ctx->operation->in_record;
    for (guint i = 0; record != NULL && i < record->n_fields; i++) {
        const SlField *field = &record->fields[i];
        if (names_user(field->json) && sl_record_has(record, in, i))
            return g_strcmp0(*(char *const *)G_STRUCT_MEMBER_P(in, field->offset),
                             ctx->caller.user_id) == 0;
    }
    return FALSE;
}

gboolean
server_ctx_require(const ServerCtx *ctx, ServerIntent intent, GError **error)
{
    return server_intent_allows(intent, ctx->roles) ||
           sl_error_set(error, SL_ERROR_FORBIDDEN, "your role does not allow this (%s)",
                        server_intent_name(intent));
}

gboolean
server_scope_authorize(ServerCtx *ctx, gconstpointer in, GError **error)
{
    Search search = {.roles = SERVER_ROLES_ALL & ~SERVER_ROLE_INSTANCE_ADMIN};
    ServerIntent intent = ctx->operation->intent;
    ctx->must_ask = FALSE;
    ctx->roles = ctx->caller.admin ? SERVER_ROLES_ALL : SERVER_ROLES_NONE;
    if (ctx->caller.admin || intent == SERVER_INTENT_ANONYMOUS)
        return TRUE;
    if (intent != SERVER_INTENT_SELF && intent != SERVER_INTENT_INSTANCE_ADMIN) {
        if (!find_roles(ctx, in, &search, error))
            return FALSE;
        ctx->roles = search.roles;
        ctx->must_ask = !search.found && search.list;
    }
    /* nobody is a bit more than oneself */
    ctx->roles &= ~SERVER_ROLE_SELF;
    if (is_about_caller(ctx, in))
        ctx->roles |= SERVER_ROLE_SELF;
    return server_ctx_require(ctx, intent, error);
}

gboolean
server_scope_roles_of(ServerCtx *ctx, const char *user_id, const char *const *workspaces,
                      const char *organization_id, ServerRoles *ret, GError **error)
{
    g_autoptr(GPtrArray) permissions = NULL;
    g_autoptr(GPtrArray) scopes = NULL;
    const char *organizations[] = {organization_id, NULL};
    *ret = SERVER_ROLES_NONE;
    if (!sl_sql_caller_load(ctx->tx, user_id, NULL, NULL, ctx->now, &permissions, error))
        return FALSE;
    server_permissions_tidy(permissions);
    for (guint i = 0; i < permissions->len; i++)
        if (((SlPermission *)permissions->pdata[i])->permission_type ==
            SL_PERMISSION_TYPE_INSTANCE_ADMIN)
            *ret = SERVER_ROLES_ALL;
    if (*ret == SERVER_ROLES_ALL || (organization_id == NULL && workspaces[0] == NULL))
        return TRUE;
    if (!(organization_id != NULL
              ? sl_sql_scope_of_organizations(ctx->tx, organizations, &scopes, error)
              : sl_sql_scope_of_workspaces(ctx->tx, workspaces, &scopes, error)))
        return FALSE;
    if (scopes->len < (organization_id != NULL ? 1 : g_strv_length((char **)workspaces)))
        return TRUE;
    *ret = SERVER_ROLES_ALL & ~SERVER_ROLE_INSTANCE_ADMIN;
    for (guint i = 0; i < scopes->len; i++)
        *ret &= held_in(permissions, scopes->pdata[i]);
    return TRUE;
}

/* --- lists ---------------------------------------------------------------------------------------
 */

/* No workspace has this id, so that "none" is not an empty list, which means "all". */
static const char *const nothing[] = {"ffffffff-ffff-ffff-ffff-ffffffffffff", NULL};
static const char *const everything[] = {NULL};

static gboolean
load_visible(ServerCtx *ctx, GError **error)
{
    g_autoptr(GPtrArray) workspaces = g_ptr_array_new(), organizations = g_ptr_array_new();
    g_autoptr(GPtrArray) rows = NULL;
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    ServerIntent intent = server_intent_is_scoped(ctx->operation->intent)
                              ? ctx->operation->intent
                              : SERVER_INTENT_VIEW_WORKSPACE_SETTINGS;
    for (guint i = 0; i < ctx->caller.permissions->len; i++) {
        const SlPermission *one = ctx->caller.permissions->pdata[i];
        if (!server_intent_allows(intent, server_permission_roles(one->permission_type)))
            continue;
        if (one->workspace_id != NULL)
            g_ptr_array_add(workspaces, one->workspace_id);
        if (one->organization_id != NULL)
            g_ptr_array_add(organizations, one->organization_id);
    }
    g_ptr_array_add(workspaces, NULL);
    g_ptr_array_add(organizations, NULL);
    if (!sl_sql_workspace_list_visible(ctx->tx, (const char *const *)workspaces->pdata,
                                       (const char *const *)organizations->pdata, &rows, error))
        return FALSE;
    for (guint i = 0; i < rows->len; i++)
        g_ptr_array_add(ids, g_strdup(((SlScope *)rows->pdata[i])->workspace_id));
    g_ptr_array_add(ids, NULL);
    ctx->visible = (char **)g_ptr_array_steal(ids, NULL);
    return TRUE;
}

gboolean
server_ctx_workspaces(ServerCtx *ctx, char *const *given, const char *const **ret, GError **error)
{
    ctx->must_ask = FALSE;
    if (given != NULL && given[0] != NULL) {
        *ret = (const char *const *)given;
        return ctx->caller.admin || server_intent_is_scoped(ctx->operation->intent) ||
               sl_error_set(error, SL_ERROR_FAILED, "%s: nobody has judged the workspaces",
                            ctx->operation->name);
    }
    *ret = everything;
    if (ctx->caller.admin)
        return TRUE;
    if (ctx->visible == NULL && !load_visible(ctx, error))
        return FALSE;
    *ret = ctx->visible[0] != NULL ? (const char *const *)ctx->visible : nothing;
    return TRUE;
}

gboolean
server_ctx_sees(ServerCtx *ctx, const char *workspace_id, gboolean *ret, GError **error)
{
    const char *const *workspaces = NULL;
    gboolean must_ask = ctx->must_ask; /* this question is not the list's */
    if (!server_ctx_workspaces(ctx, NULL, &workspaces, error))
        return FALSE;
    ctx->must_ask = must_ask;
    *ret = ctx->caller.admin || g_strv_contains(workspaces, workspace_id);
    return TRUE;
}
