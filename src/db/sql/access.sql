-- SPDX-License-Identifier: Apache-2.0

-- name: caller_load
-- rows: Permission
-- No row: the account, the application or the session that the token names is gone. One without a type: no permissions.
-- params: user_id uuid, application_id uuid?, session_id uuid?, now timestamptz
select p.permission_id, a.user_id, p.permission_type, p.workspace_id, p.organization_id
from account a
left join permission p using (user_id)
where a.user_id = $1 and a.status <> 'disabled'
  and ($2 is null or exists (select from application x where x.application_id = $2 and x.user_id = a.user_id))
  and ($3 is null or exists (
      select from session s where s.session_id = $3 and s.user_id = a.user_id and s.expires_at > $4));

-- name: workspace_list_visible
-- rows: Scope
-- params: workspace_ids uuid[], organization_ids uuid[]
select workspace_id, organization_id
from workspace
where workspace_id = any($1) or organization_id = any($2);

-- The scopes of ids: as many rows as different ids that exist. Deleted things have a scope, and their handlers say what they are.

-- name: scope_of_workspaces
-- rows: Scope
-- params: ids text[]
select workspace_id, organization_id
from workspace
where workspace_id = any($1::uuid[]);

-- name: scope_of_organizations
-- rows: Scope
-- params: ids text[]
select null::uuid as workspace_id, organization_id
from organization
where organization_id = any($1::uuid[]);

-- name: scope_of_actors
-- rows: Scope
-- params: ids text[]
select workspace_id, organization_id
from actor
join workspace using (workspace_id)
where actor_id = any($1::uuid[]);

-- name: scope_of_connections
-- rows: Scope
-- params: ids text[]
select workspace_id, organization_id
from connection
join workspace using (workspace_id)
where connection_id = any($1::uuid[]);

-- name: scope_of_jobs
-- rows: Scope
-- params: ids text[]
select workspace_id, organization_id
from job
join workspace using (workspace_id)
where job_id = any($1::int8[]);

-- name: scope_of_permissions
-- rows: Scope
-- The scope of one of the instance is nobody's but the instance administrator's.
-- params: ids text[]
select p.workspace_id, coalesce(p.organization_id, w.organization_id) as organization_id
from permission p
left join workspace w using (workspace_id)
where p.permission_id = any($1::uuid[]);

-- name: scope_of_default_organization
-- rows: Scope
-- params: ids text[]
select null::uuid as workspace_id, organization_id
from organization
where cardinality($1) >= 0
order by created_at, organization_id
limit 1;
