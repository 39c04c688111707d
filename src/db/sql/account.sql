-- SPDX-License-Identifier: Apache-2.0

-- name: account_get
-- row: Account
-- params: user_id uuid
select user_id, email, name, status, password_hash, default_workspace_id, company_name, news, metadata
from account
where user_id = $1;

-- name: account_get_by_email
-- row: Account
-- params: email text
select user_id, email, name, status, password_hash, default_workspace_id, company_name, news, metadata
from account
where lower(email) = lower($1) and email <> '';

-- name: account_add
-- row: Account
-- params: user_id uuid, email text, name text, now timestamptz
insert into account (user_id, email, name, status, created_at, updated_at)
values ($1, $2, $3, 'invited', $4, $4)
returning user_id, email, name, status, password_hash, default_workspace_id, company_name, news, metadata;

-- name: account_update
-- row: Account
-- Null: as it is.
-- params: user_id uuid, name text?, company_name text?, news text?, default_workspace_id uuid?, metadata jsonb?, status text?, now timestamptz
update account
set name = coalesce($2, name), company_name = coalesce($3, company_name), news = coalesce($4::boolean, news),
    default_workspace_id = coalesce($5, default_workspace_id), metadata = coalesce($6, metadata), status = coalesce($7, status),
    updated_at = $8
where user_id = $1
returning user_id, email, name, status, password_hash, default_workspace_id, company_name, news, metadata;

-- name: account_set_login
-- row: Account
-- Who sets a password has answered the invitation; no session survives it.
-- params: user_id uuid, email text?, name text?, password_hash text, now timestamptz
with ended as (
    delete from session where user_id = $1
)
update account
set email = coalesce($2, email), name = coalesce($3, name), password_hash = $4,
    status = case when status = 'invited' then 'registered' else status end, updated_at = $5
where user_id = $1
returning user_id, email, name, status, password_hash, default_workspace_id, company_name, news, metadata;

-- name: account_rehash
-- exec:
-- The same password under today's cost.
-- params: user_id uuid, old_hash text, password_hash text
update account
set password_hash = $3
where user_id = $1 and password_hash = $2;

-- name: account_disable
-- int:
-- Its permissions, applications and sessions go with it; the row stays, because jobs and people refer to it.
-- params: user_id uuid, now timestamptz
with gone as (
    update account
    set status = 'disabled', password_hash = null, updated_at = $2
    where user_id = $1 and status <> 'disabled'
    returning user_id
), permissions as (
    delete from permission where user_id in (select user_id from gone)
), applications as (
    delete from application where user_id in (select user_id from gone)
), sessions as (
    delete from session where user_id in (select user_id from gone)
), links as (
    delete from setup_token where user_id in (select user_id from gone)
)
select count(*) from gone;

-- name: account_count_other_admins
-- int:
-- Locks them, so that two administrators cannot remove each other at once.
-- params: user_id uuid
select count(*)
from (
    select a.user_id
    from account a
    join permission p using (user_id)
    where p.permission_type = 'instance_admin' and a.status <> 'disabled' and a.user_id <> $1
    order by a.user_id
    for update of a
) others;

-- name: account_list_admins
-- rows: ConfigAdminUser
select a.user_id, a.email, a.name, p.permission_id
from account a
join permission p using (user_id)
where p.permission_type = 'instance_admin' and a.status <> 'disabled'
order by a.created_at, a.user_id;

-- name: account_list_of_organization
-- rows: ConfigOrganizationUser
-- params: organization_id uuid
select a.user_id, a.email, a.name, p.organization_id, p.permission_id, p.permission_type
from account a
join permission p using (user_id)
where p.organization_id = $1 and a.status <> 'disabled'
order by a.created_at, a.user_id, p.created_at, p.permission_id;

-- name: account_find
-- rows: UserResponse
-- Who has a role in the organization or in one of its workspaces. No ids and no e-mails: all of them.
-- params: organization_id uuid, ids uuid[], emails text[]
select a.user_id as id, a.email, a.name
from account a
where a.status <> 'disabled'
  and exists (
      select from permission p
      left join workspace w using (workspace_id)
      where p.user_id = a.user_id and (p.organization_id = $1 or w.organization_id = $1))
  and (cardinality($2) = 0 or a.user_id = any($2))
  and (cardinality($3) = 0 or lower(a.email) in (select lower(e) from unnest($3) e))
order by a.created_at, a.user_id;

-- name: account_list_access
-- rows: AccessRow
-- Who may do something in a workspace: by a permission on it, or on its organization.
-- params: workspace_id uuid
select a.user_id, a.email, a.name, w.workspace_id, p.permission_id, p.permission_type, p.organization_id
from workspace w
join permission p on p.workspace_id = w.workspace_id
    or (p.organization_id = w.organization_id and p.permission_type <> 'organization_member')
join account a on a.user_id = p.user_id and a.status <> 'disabled'
where w.workspace_id = $1
order by a.created_at, a.user_id, p.created_at, p.permission_id;

-- name: account_count_with_password
-- int:
select count(*) from account where password_hash is not null and status <> 'disabled';
