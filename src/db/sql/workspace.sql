-- SPDX-License-Identifier: Apache-2.0

-- name: workspace_list
-- rows: Workspace
-- No ids: all.
-- params: workspace_ids uuid[], include_deleted bool, limit int8, offset int8
select workspace_id, organization_id, name, data_plane_group, notifications, created_at
from workspace
where (cardinality($1) = 0 or workspace_id = any($1)) and ($2 or not tombstone)
order by created_at, workspace_id
limit $3 offset $4;

-- name: workspace_add
-- row: Workspace
-- No organization: the first one.
-- params: workspace_id uuid, name text, notifications jsonb, now timestamptz, organization_id uuid?
insert into workspace (workspace_id, organization_id, name, notifications, created_at)
select $1, organization_id, $2, $3, $4
from organization
where $5 is null or organization_id = $5
order by created_at, organization_id
limit 1
returning workspace_id, organization_id, name, data_plane_group, notifications, created_at;

-- name: workspace_lock
-- row: Workspace
-- params: workspace_id uuid
select workspace_id, organization_id, name, data_plane_group, notifications, created_at
from workspace
where workspace_id = $1 and not tombstone
for update;

-- name: workspace_update
-- row: Workspace
-- params: workspace_id uuid, name text, notifications jsonb
update workspace
set name = $2, notifications = $3
where workspace_id = $1 and not tombstone
returning workspace_id, organization_id, name, data_plane_group, notifications, created_at;

-- name: workspace_find
-- rows: WorkspaceRow
-- Filters may be null.
-- params: workspace_ids uuid[], include_deleted bool, workspace_id uuid?, organization_id uuid?, slug text?, connection_id uuid?, name_contains text?, limit int8, offset int8
select w.workspace_id, w.organization_id, w.customer_id, w.name, w.slug, w.notifications, w.settings, w.tombstone,
    exists (
        select from job j
        where j.workspace_id = w.workspace_id and j.config_type = 'sync' and j.status = 'succeeded') as first_completed_sync
from workspace w
where (cardinality($1) = 0 or w.workspace_id = any($1)) and ($2 or not w.tombstone)
  and ($3 is null or w.workspace_id = $3) and ($4 is null or w.organization_id = $4) and ($5 is null or w.slug = $5)
  and ($6 is null or w.workspace_id = (select c.workspace_id from connection c where c.connection_id = $6))
  and ($7 is null or position(lower($7) in lower(w.name)) > 0)
order by w.created_at, w.workspace_id
limit $8 offset $9;

-- name: workspace_set_slug
-- exec:
-- One that is taken gets a part of the id behind it.
-- params: workspace_id uuid, slug text
update workspace w
set slug = case
    when exists (select from workspace o where o.slug = $2 and o.workspace_id <> w.workspace_id)
    then $2 || '-' || left(w.workspace_id::text, 8)
    else $2 end
where workspace_id = $1;

-- name: workspace_set_settings
-- exec:
-- Over the stored ones.
-- params: workspace_id uuid, settings jsonb
update workspace
set settings = settings || $2
where workspace_id = $1 and not tombstone;

-- name: workspace_get_organization
-- row: ConfigOrganizationInfo
-- params: workspace_id uuid
select o.organization_id, o.name as organization_name, false as sso, false as scim
from workspace w
join organization o using (organization_id)
where w.workspace_id = $1 and not w.tombstone;

-- name: workspace_delete
-- int:
-- With all that is in it. The number is that of workspaces deleted.
-- params: workspace_id uuid, now timestamptz
with gone as (
    update workspace set tombstone = true
    where workspace_id = $1 and not tombstone
    returning workspace_id
), connections as (
    update connection
    set status = 'deprecated', schedule_changed = true, updated_at = $2
    where workspace_id in (select workspace_id from gone) and status <> 'deprecated'
), actors as (
    update actor
    set tombstone = true, configuration = '{}', updated_at = $2
    where workspace_id in (select workspace_id from gone) and not tombstone
), secrets as (
    delete from secret
    where workspace_id in (select workspace_id from gone)
), tags as (
    delete from tag
    where workspace_id in (select workspace_id from gone)
)
select count(*) from gone;

-- name: status_get
-- row: StatusResponse
-- params: now timestamptz
select
    (select count(*) from workspace where not tombstone) as workspaces,
    (select count(*) from actor where actor_type = 'source' and not tombstone) as sources,
    (select count(*) from actor where actor_type = 'destination' and not tombstone) as destinations,
    (select count(*) from connection where status = 'active') as connections,
    (select count(*) from job where status = 'pending') as jobs_pending,
    (select count(*) from job where status = 'running') as jobs_running,
    (select count(*) from job where status = 'incomplete') as jobs_incomplete,
    (select count(*) from job where status = 'failed' and finished_at > $1 - interval '1 day') as jobs_failed_today,
    (select count(*) from job where status = 'succeeded' and finished_at > $1 - interval '1 day') as jobs_succeeded_today,
    (select count(*) from workload where status = 'pending') as workloads_pending,
    (select count(*) from workload where status in ('claimed', 'launched', 'running')) as workloads_running,
    (select count(distinct data_plane_id) from workload where status in ('claimed', 'launched', 'running')) as data_planes,
    (select min(next_run_at) from connection where status = 'active') as next_run_at;
