-- SPDX-License-Identifier: Apache-2.0

-- name: instance_get
-- row: ConfigInstanceRow
-- The oldest organization is the default one.
-- params:
select o.organization_id, o.email,
    (select w.workspace_id from workspace w
     where w.organization_id = o.organization_id and not w.tombstone
     order by w.created_at, w.workspace_id limit 1) as workspace_id
from organization o
order by o.created_at, o.organization_id
limit 1;

-- name: instance_setup
-- exec:
-- The address of the organization is the one that its first administrator logs in with.
-- params: user_id uuid, email text, user_name text?, organization_name text?, now timestamptz
with named as (
    update organization
    set email = $2, name = coalesce($4, name)
    where organization_id = (select organization_id from organization order by created_at, organization_id limit 1)
)
update account set email = $2, name = coalesce($3, name), updated_at = $5 where user_id = $1;

-- name: instance_id
-- text:
-- One per installation: made of the moment in which its database began.
-- params:
select md5(min(applied_at)::text)::uuid::text from schema_migration;

-- name: workspace_contents
-- row: ConfigWorkspaceState
-- params: workspace_id uuid
select exists (select from connection c where c.workspace_id = $1 and c.status <> 'deprecated') as has_connections,
    exists (select from actor a where a.workspace_id = $1 and a.actor_type = 'source' and not a.tombstone) as has_sources,
    exists (select from actor a where a.workspace_id = $1 and a.actor_type = 'destination' and not a.tombstone) as has_destinations;

-- name: instance_analyze
-- exec:
-- Of the tables that change most: the planner must not believe what was true in a quiet hour. Busy ones are left out.
analyze (skip_locked) job, attempt, attempt_stats, connection, connection_event, notification, state, task, workload;
