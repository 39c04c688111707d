/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Who may do what: every operation has one intent, and every intent its least roles. Pure; what a
 * caller holds in the scope of a request is server-scope's to find. */

typedef enum {
    SERVER_ROLE_INSTANCE_ADMIN = 1 << 0,
    SERVER_ROLE_ORGANIZATION_ADMIN = 1 << 1,
    SERVER_ROLE_ORGANIZATION_EDITOR = 1 << 2,
    SERVER_ROLE_ORGANIZATION_RUNNER = 1 << 3,
    SERVER_ROLE_ORGANIZATION_READER = 1 << 4,
    SERVER_ROLE_ORGANIZATION_MEMBER = 1 << 5,
    SERVER_ROLE_WORKSPACE_ADMIN = 1 << 6,
    SERVER_ROLE_WORKSPACE_EDITOR = 1 << 7,
    SERVER_ROLE_WORKSPACE_SOURCE_EDITOR = 1 << 8, /* neither of these two is more than the other */
    SERVER_ROLE_WORKSPACE_DESTINATION_EDITOR = 1 << 9,
    SERVER_ROLE_WORKSPACE_RUNNER = 1 << 10,
    SERVER_ROLE_WORKSPACE_READER = 1 << 11,
    SERVER_ROLE_SELF = 1 << 12, /* the request is about the caller */
} ServerRole;
typedef guint32 ServerRoles; /* a set of them */
#define SERVER_ROLES_NONE ((ServerRoles)0)
#define SERVER_ROLES_ALL (~(ServerRoles)0)

typedef enum {
    SERVER_INTENT_ANONYMOUS,     /* nobody is asked who they are */
    SERVER_INTENT_AUTHENTICATED, /* the handler gives the caller only what is the caller's */
    SERVER_INTENT_SELF,
    SERVER_INTENT_INSTANCE_ADMIN,
    SERVER_INTENT_VIEW_CONNECTION,
    SERVER_INTENT_CREATE_OR_EDIT_CONNECTION,
    SERVER_INTENT_CREATE_OR_EDIT_CONNECTOR,
    SERVER_INTENT_CREATE_OR_EDIT_SOURCE,
    SERVER_INTENT_CREATE_OR_EDIT_DESTINATION,
    SERVER_INTENT_UPLOAD_CUSTOM_CONNECTOR,
    SERVER_INTENT_CREATE_OR_EDIT_CONNECTOR_BUILDER,
    SERVER_INTENT_UPDATE_OR_DELETE_CUSTOM_CONNECTOR,
    SERVER_INTENT_RUN_AND_CANCEL_CONNECTION_SYNC_AND_REFRESH,
    SERVER_INTENT_RUN_O_AUTH_FLOW,
    SERVER_INTENT_UPDATE_WORKSPACE,
    SERVER_INTENT_DELETE_WORKSPACE,
    SERVER_INTENT_UPDATE_WORKSPACE_PERMISSIONS,
    SERVER_INTENT_MANAGE_CONNECTION_ON_DEMAND_CAPACITY,
    SERVER_INTENT_UPDATE_ORGANIZATION_PERMISSIONS,
    SERVER_INTENT_VIEW_ORGANIZATION_SETTINGS,
    SERVER_INTENT_VIEW_ORGANIZATION_TRIAL_STATUS,
    SERVER_INTENT_VIEW_ORGANIZATION_DETAILS,
    SERVER_INTENT_VIEW_ORGANIZATION_USAGE,
    SERVER_INTENT_MANAGE_ORGANIZATION_BILLING,
    SERVER_INTENT_MANAGE_DOMAIN_VERIFICATION,
    SERVER_INTENT_MANAGE_DATAPLANES,
    SERVER_INTENT_MANAGE_DATAPLANE_GROUPS,
    SERVER_INTENT_MANAGE_ORGANIZATION_PAYMENT_CONFIGS,
    SERVER_INTENT_MANAGE_SECRET_STORAGES,
    SERVER_INTENT_VIEW_WORKSPACE_SETTINGS,
    SERVER_N_INTENTS
} ServerIntent;

/* "view-connection". */
const char *server_intent_name(ServerIntent intent);

/* Does one of the roles allow it? Roles must be whole sets, as server_permission_roles() gives. */
gboolean server_intent_allows(ServerIntent intent, ServerRoles held);

/* Does it need a role in a workspace or an organization? */
gboolean server_intent_is_scoped(ServerIntent intent);

/* A permission's role (an SlPermissionType) with all that it implies. */
ServerRoles server_permission_roles(int permission_type);

/* Do the roles, held where a permission would be, include it? An organization's role is worth the
 * same one on its workspaces. */
gboolean server_permission_is_held(int permission_type, ServerRoles held);

typedef enum {
    SERVER_LEVEL_INSTANCE,
    SERVER_LEVEL_ORGANIZATION,
    SERVER_LEVEL_WORKSPACE
} ServerLevel;
ServerLevel server_permission_level(int permission_type);
