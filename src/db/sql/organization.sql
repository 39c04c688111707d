-- SPDX-License-Identifier: Apache-2.0

-- name: organization_get
-- row: OrganizationResponse
-- params: organization_id uuid
select organization_id, name as organization_name, email
from organization
where organization_id = $1;

-- name: organization_list
-- rows: OrganizationResponse
-- Those in which somebody has a role, also in one workspace only; null: all.
-- params: user_id uuid?, name_contains text?, limit int8, offset int8
select o.organization_id, o.name as organization_name, o.email
from organization o
where ($1 is null or exists (
        select from permission p
        left join workspace w using (workspace_id)
        where p.user_id = $1 and (p.organization_id = o.organization_id or w.organization_id = o.organization_id)))
  and ($2 is null or strpos(lower(o.name), lower($2)) > 0)
order by o.created_at, o.organization_id
limit $3 offset $4;

-- name: organization_add
-- row: OrganizationResponse
-- params: organization_id uuid, name text, email text, now timestamptz
insert into organization (organization_id, name, email, created_at)
values ($1, $2, $3, $4)
returning organization_id, name as organization_name, email;

-- name: organization_update
-- row: OrganizationResponse
-- Null: as it is.
-- params: organization_id uuid, name text?, email text?
update organization
set name = coalesce($2, name), email = coalesce($3, email)
where organization_id = $1
returning organization_id, name as organization_name, email;

-- name: organization_delete
-- int:
-- Only one without living workspaces; those that were deleted keep their history, and so their organization.
-- params: organization_id uuid
with gone as (
    delete from organization o
    where o.organization_id = $1 and not exists (select from workspace w where w.organization_id = o.organization_id)
    returning 1)
select count(*) from gone;

-- name: organization_count_members
-- rows: OrganizationMembers
-- One without members has no row.
-- params: organization_ids uuid[]
select o.organization_id, count(distinct p.user_id) as members
from organization o
join permission p
    on p.organization_id = o.organization_id
    or p.workspace_id in (select w.workspace_id from workspace w where w.organization_id = o.organization_id)
join account a on a.user_id = p.user_id and a.status <> 'disabled'
where o.organization_id = any($1)
group by o.organization_id;

-- name: organization_list_workspaces
-- rows: WorkspaceRow
-- Living ones; null user: all, otherwise those in which somebody has a role.
-- params: organization_ids uuid[], user_id uuid?
select w.workspace_id, w.organization_id, w.customer_id, w.name, w.slug
from workspace w
where w.organization_id = any($1) and not w.tombstone
  and ($2 is null or exists (
      select from permission p
      where p.user_id = $2 and (p.workspace_id = w.workspace_id or
          (p.organization_id = w.organization_id and p.permission_type <> 'organization_member'))))
order by w.created_at, w.workspace_id;

-- name: organization_set_default_email
-- exec:
-- params: email text
update organization
set email = $1
where organization_id = (select organization_id from organization order by created_at, organization_id limit 1);
