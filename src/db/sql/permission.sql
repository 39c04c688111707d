-- SPDX-License-Identifier: Apache-2.0

-- name: permission_get
-- row: PermissionResponse
-- params: permission_id uuid
select permission_id, user_id, permission_type, workspace_id, organization_id
from permission
where permission_id = $1;

-- name: permission_list
-- rows: PermissionResponse
-- Null organization: everywhere. Otherwise on it and on its workspaces.
-- params: user_id uuid, organization_id uuid?
select p.permission_id, p.user_id, p.permission_type, p.workspace_id, p.organization_id
from permission p
left join workspace w using (workspace_id)
where p.user_id = $1 and ($2 is null or p.organization_id = $2 or w.organization_id = $2)
order by p.created_at, p.permission_id;

-- name: permission_add
-- row: PermissionResponse
-- params: permission_id uuid, user_id uuid, permission_type text, workspace_id uuid?, organization_id uuid?, now timestamptz
insert into permission (permission_id, user_id, permission_type, workspace_id, organization_id, created_at)
values ($1, $2, $3, $4, $5, $6)
returning permission_id, user_id, permission_type, workspace_id, organization_id;

-- name: permission_update
-- row: PermissionResponse
-- params: permission_id uuid, permission_type text
update permission
set permission_type = $2
where permission_id = $1
returning permission_id, user_id, permission_type, workspace_id, organization_id;

-- name: permission_delete
-- row: PermissionResponse
-- params: permission_id uuid
delete from permission
where permission_id = $1
returning permission_id, user_id, permission_type, workspace_id, organization_id;

-- name: permission_delete_in_workspace
-- exec:
-- params: user_id uuid, workspace_id uuid
delete from permission
where user_id = $1 and workspace_id = $2;
