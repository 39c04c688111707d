/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-intent.h"

#include "sl-records.h"

#define O(role) SERVER_ROLE_ORGANIZATION_##role
#define W(role) SERVER_ROLE_WORKSPACE_##role

/* An editor of one side is no editor of the other, but both may read and run. */
#define ANY_EDITOR (O(EDITOR) | W(SOURCE_EDITOR) | W(DESTINATION_EDITOR))

/* The least roles of each intent: whoever has more has these too. The administrator of the instance
 * may do everything, and is not listed. */
static const struct {
    const char *name;
    ServerRoles least;
} intents[SERVER_N_INTENTS] = {
    [SERVER_INTENT_ANONYMOUS] = {"anonymous", 0},
    [SERVER_INTENT_AUTHENTICATED] = {"authenticated", 0},
    [SERVER_INTENT_SELF] = {"self", SERVER_ROLE_SELF},
    [SERVER_INTENT_INSTANCE_ADMIN] = {"instance-admin", 0},
    [SERVER_INTENT_VIEW_CONNECTION] = {"view-connection", O(READER) | W(READER)},
    [SERVER_INTENT_CREATE_OR_EDIT_CONNECTION] = {"create-or-edit-connection", ANY_EDITOR},
    [SERVER_INTENT_CREATE_OR_EDIT_CONNECTOR] = {"create-or-edit-connector", ANY_EDITOR},
    [SERVER_INTENT_CREATE_OR_EDIT_SOURCE] = {"create-or-edit-source", O(EDITOR) | W(SOURCE_EDITOR)},
    [SERVER_INTENT_CREATE_OR_EDIT_DESTINATION] = {"create-or-edit-destination",
                                                  O(EDITOR) | W(DESTINATION_EDITOR)},
    [SERVER_INTENT_UPLOAD_CUSTOM_CONNECTOR] = {"upload-custom-connector",
                                               O(EDITOR) | W(SOURCE_EDITOR)},
    [SERVER_INTENT_CREATE_OR_EDIT_CONNECTOR_BUILDER] = {"create-or-edit-connector-builder",
                                                        O(EDITOR) | W(SOURCE_EDITOR)},
    [SERVER_INTENT_UPDATE_OR_DELETE_CUSTOM_CONNECTOR] = {"update-or-delete-custom-connector",
                                                         O(ADMIN)},
    [SERVER_INTENT_RUN_AND_CANCEL_CONNECTION_SYNC_AND_REFRESH] =
        {"run-and-cancel-connection-sync-and-refresh", O(RUNNER) | W(RUNNER)},
    [SERVER_INTENT_RUN_O_AUTH_FLOW] = {"run-o-auth-flow", O(EDITOR) | W(SOURCE_EDITOR)},
    [SERVER_INTENT_UPDATE_WORKSPACE] = {"update-workspace", O(EDITOR) | W(ADMIN)},
    [SERVER_INTENT_DELETE_WORKSPACE] = {"delete-workspace", O(ADMIN) | W(ADMIN)},
    [SERVER_INTENT_UPDATE_WORKSPACE_PERMISSIONS] = {"update-workspace-permissions",
                                                    O(ADMIN) | W(ADMIN)},
    [SERVER_INTENT_MANAGE_CONNECTION_ON_DEMAND_CAPACITY] = {"manage-connection-on-demand-capacity",
                                                            O(ADMIN) | W(ADMIN)},
    [SERVER_INTENT_UPDATE_ORGANIZATION_PERMISSIONS] = {"update-organization-permissions", O(ADMIN)},
    [SERVER_INTENT_VIEW_ORGANIZATION_SETTINGS] = {"view-organization-settings", O(READER)},
    [SERVER_INTENT_VIEW_ORGANIZATION_TRIAL_STATUS] = {"view-organization-trial-status", O(READER)},
    [SERVER_INTENT_VIEW_ORGANIZATION_DETAILS] = {"view-organization-details", O(MEMBER)},
    [SERVER_INTENT_VIEW_ORGANIZATION_USAGE] = {"view-organization-usage", O(ADMIN)},
    [SERVER_INTENT_MANAGE_ORGANIZATION_BILLING] = {"manage-organization-billing", O(ADMIN)},
    [SERVER_INTENT_MANAGE_DOMAIN_VERIFICATION] = {"manage-domain-verification", O(ADMIN)},
    [SERVER_INTENT_MANAGE_DATAPLANES] = {"manage-dataplanes", O(ADMIN)},
    [SERVER_INTENT_MANAGE_DATAPLANE_GROUPS] = {"manage-dataplane-groups", O(ADMIN)},
    [SERVER_INTENT_MANAGE_ORGANIZATION_PAYMENT_CONFIGS] = {"manage-organization-payment-configs",
                                                           0},
    [SERVER_INTENT_MANAGE_SECRET_STORAGES] = {"manage-secret-storages", 0},
    [SERVER_INTENT_VIEW_WORKSPACE_SETTINGS] = {"view-workspace-settings", O(READER) | W(READER)},
};

/* What a permission gives directly, and the permissions right below it. */
static const struct {
    ServerRoles role;
    int below[2];     /* SlPermissionType; -1: none */
    ServerRoles same; /* the organization's role that is worth as much on a workspace */
} permissions[] = {
    [SL_PERMISSION_TYPE_INSTANCE_ADMIN] = {SERVER_ROLES_ALL, {-1, -1}},
    [SL_PERMISSION_TYPE_ORGANIZATION_ADMIN] = {O(ADMIN),
                                               {SL_PERMISSION_TYPE_ORGANIZATION_EDITOR, -1}},
    [SL_PERMISSION_TYPE_ORGANIZATION_EDITOR] = {O(EDITOR),
                                                {SL_PERMISSION_TYPE_ORGANIZATION_RUNNER, -1}},
    [SL_PERMISSION_TYPE_ORGANIZATION_RUNNER] = {O(RUNNER),
                                                {SL_PERMISSION_TYPE_ORGANIZATION_READER, -1}},
    [SL_PERMISSION_TYPE_ORGANIZATION_READER] = {O(READER),
                                                {SL_PERMISSION_TYPE_ORGANIZATION_MEMBER, -1}},
    [SL_PERMISSION_TYPE_ORGANIZATION_MEMBER] = {O(MEMBER), {-1, -1}},
    /* the name that an older release had for an administrator */
    [SL_PERMISSION_TYPE_WORKSPACE_OWNER] = {W(ADMIN),
                                            {SL_PERMISSION_TYPE_WORKSPACE_EDITOR, -1},
                                            O(ADMIN)},
    [SL_PERMISSION_TYPE_WORKSPACE_ADMIN] = {W(ADMIN),
                                            {SL_PERMISSION_TYPE_WORKSPACE_EDITOR, -1},
                                            O(ADMIN)},
    [SL_PERMISSION_TYPE_WORKSPACE_EDITOR] = {W(EDITOR),
                                             {SL_PERMISSION_TYPE_WORKSPACE_SOURCE_EDITOR,
                                              SL_PERMISSION_TYPE_WORKSPACE_DESTINATION_EDITOR},
                                             O(EDITOR)},
    [SL_PERMISSION_TYPE_WORKSPACE_SOURCE_EDITOR] = {W(SOURCE_EDITOR),
                                                    {SL_PERMISSION_TYPE_WORKSPACE_RUNNER, -1},
                                                    O(EDITOR)},
    [SL_PERMISSION_TYPE_WORKSPACE_DESTINATION_EDITOR] = {W(DESTINATION_EDITOR),
                                                         {SL_PERMISSION_TYPE_WORKSPACE_RUNNER, -1},
                                                         O(EDITOR)},
    [SL_PERMISSION_TYPE_WORKSPACE_RUNNER] = {W(RUNNER),
                                             {SL_PERMISSION_TYPE_WORKSPACE_READER, -1},
                                             O(RUNNER)},
    [SL_PERMISSION_TYPE_WORKSPACE_READER] = {W(READER), {-1, -1}, O(READER)},
};

const char *
server_intent_name(ServerIntent intent)
{
    g_return_val_if_fail(intent < SERVER_N_INTENTS, NULL);
    return intents[intent].name;
}

gboolean
server_intent_allows(ServerIntent intent, ServerRoles held)
{
    g_return_val_if_fail(intent < SERVER_N_INTENTS, FALSE);
    if (intent == SERVER_INTENT_ANONYMOUS || intent == SERVER_INTENT_AUTHENTICATED)
        return TRUE;
    return (held & (intents[intent].least | SERVER_ROLE_INSTANCE_ADMIN)) != 0;
}

gboolean
server_intent_is_scoped(ServerIntent intent)
{
    g_return_val_if_fail(intent < SERVER_N_INTENTS, FALSE);
    return intents[intent].least != 0;
}

ServerRoles
server_permission_roles(int permission_type)
{
    g_return_val_if_fail(permission_type >= 0 && permission_type < (int)G_N_ELEMENTS(permissions),
                         SERVER_ROLES_NONE);
    ServerRoles roles = permissions[permission_type].role;
    for (guint i = 0; i < G_N_ELEMENTS(permissions[0].below); i++)
        if (permissions[permission_type].below[i] >= 0)
            roles |= server_permission_roles(permissions[permission_type].below[i]);
    return roles;
}

gboolean
server_permission_is_held(int permission_type, ServerRoles held)
{
    g_return_val_if_fail(permission_type >= 0 && permission_type < (int)G_N_ELEMENTS(permissions),
                         FALSE);
    if (permission_type == SL_PERMISSION_TYPE_INSTANCE_ADMIN)
        return (held & SERVER_ROLE_INSTANCE_ADMIN) != 0;
    return (held & (permissions[permission_type].role | permissions[permission_type].same |
                    SERVER_ROLE_INSTANCE_ADMIN)) != 0;
}

ServerLevel
server_permission_level(int permission_type)
{
    const char *name = sl_enum_name(&sl_permission_type_enum, permission_type);
    g_return_val_if_fail(name != NULL, SERVER_LEVEL_INSTANCE);
    return g_str_has_prefix(name, "workspace_")      ? SERVER_LEVEL_WORKSPACE
           : g_str_has_prefix(name, "organization_") ? SERVER_LEVEL_ORGANIZATION
                                                     : SERVER_LEVEL_INSTANCE;
}
