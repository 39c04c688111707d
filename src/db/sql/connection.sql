-- SPDX-License-Identifier: Apache-2.0

-- name: connection_get
-- row: Connection
-- params: connection_id uuid
select connection_id, workspace_id, name, source_id, destination_id, status, namespace_definition, namespace_format, prefix,
    catalog, schedule_type, cron_expression, cron_timezone, basic_interval_sec, non_breaking_changes, limits,
    status_reason, source_catalog_id, told_catalog_id, breaking_change, source_has_changed(source_id, source_catalog_id) as has_news,
    backfill, notify_schema_changes, notify_schema_changes_by_email, resource_requirements,
    next_run_at, last_run_at, created_at, updated_at
from connection
where connection_id = $1;

-- name: connection_set_last_run
-- exec:
-- params: connection_id uuid, now timestamptz
update connection set last_run_at = $2 where connection_id = $1;

-- name: connection_get_policy
-- row: ConnectionPolicy
-- Keys of sluice.conf's [Scheduler] that the connection has of its own.
-- params: connection_id uuid
select connection_id, policy as properties
from connection
where connection_id = $1 and status <> 'deprecated';

-- name: connection_lock_policy
-- row: ConnectionPolicy
-- params: connection_id uuid
select connection_id, policy as properties
from connection
where connection_id = $1 and status <> 'deprecated'
for update;

-- name: connection_set_policy
-- exec:
-- What is made up for may be another thing now.
-- params: connection_id uuid, policy jsonb
update connection
set policy = $2, schedule_changed = schedule_changed or policy -> 'CatchUp' is distinct from $2 -> 'CatchUp'
where connection_id = $1;

-- name: connection_take_changed
-- rows: Connection
-- Connections whose next run must be computed anew, locked.
-- params: batch int8
select connection_id, workspace_id, name, source_id, destination_id, status, schedule_type, cron_expression, cron_timezone, basic_interval_sec,
    policy ->> 'CatchUp' = 'yes' as catch_up, next_run_at, last_run_at, created_at, updated_at
from connection
where schedule_changed
order by connection_id
limit $1
for update skip locked;

-- name: connection_take_due
-- row: Connection
-- params: now timestamptz
select connection_id, workspace_id, name, source_id, destination_id, status, schedule_type, cron_expression, cron_timezone, basic_interval_sec,
    policy ->> 'CatchUp' = 'yes' as catch_up, next_run_at, last_run_at, created_at, updated_at
from connection
where next_run_at <= $1 and not schedule_changed
order by next_run_at
limit 1
for update skip locked;

-- name: connection_set_next_run
-- exec:
-- params: connection_id uuid, next_run_at timestamptz?
update connection set next_run_at = $2, schedule_changed = false where connection_id = $1;

-- name: connection_look_ahead
-- text:
-- When the scheduler has something to do: the next schedule or retry, now for an edited schedule, null for never.
select least(
    (select min(next_run_at) from connection where next_run_at is not null),
    (select min(retry_at) from job where retry_at is not null),
    (select to_timestamp(0) from connection where schedule_changed limit 1))::text;

-- name: connection_reschedule_of_job
-- exec:
-- The end of a run is what the next one is counted from.
-- params: job_id int8
update connection
set schedule_changed = true
where connection_id = (
    select scope from job
    where job_id = $1 and config_type in ('sync', 'reset_connection', 'refresh', 'clear'));

-- name: connection_list
-- rows: Connection
-- No ids: all workspaces, with any tags or none.
-- params: workspace_ids uuid[], tag_ids uuid[], include_deleted bool, limit int8, offset int8
select connection_id, workspace_id, name, source_id, destination_id, status, namespace_definition, namespace_format, prefix,
    catalog, schedule_type, cron_expression, cron_timezone, basic_interval_sec, non_breaking_changes, limits,
    status_reason, source_catalog_id, told_catalog_id, breaking_change,
    backfill, notify_schema_changes, notify_schema_changes_by_email, resource_requirements,
    next_run_at, last_run_at, created_at, updated_at
from connection
where (cardinality($1) = 0 or workspace_id = any($1)) and ($3 or status <> 'deprecated')
  and (cardinality($2) = 0 or connection_id in (select t.connection_id from connection_tag t where t.tag_id = any($2)))
order by created_at, connection_id
limit $4 offset $5;

-- name: connection_search
-- rows: Connection
-- What is null, or an empty list, does not matter; deleted ones only when that is what is looked for.
-- params: workspace_ids uuid[], connection_id uuid?, source_ids uuid[], destination_ids uuid[], name text?, namespace_definition text?, namespace_format text?, prefix text?, status text?, schedule_type text?, basic_interval_sec int8?, cron_expression text?, cron_timezone text?, source_id uuid?, destination_id uuid?
select connection_id, workspace_id, name, source_id, destination_id, status, namespace_definition, namespace_format, prefix,
    catalog, schedule_type, cron_expression, cron_timezone, basic_interval_sec, non_breaking_changes, limits,
    status_reason, source_catalog_id, told_catalog_id, breaking_change,
    backfill, notify_schema_changes, notify_schema_changes_by_email, resource_requirements,
    next_run_at, last_run_at, created_at, updated_at
from connection
where (cardinality($1) = 0 or workspace_id = any($1))
  and ($2 is null or connection_id = $2)
  and (cardinality($3) = 0 or source_id = any($3))
  and (cardinality($4) = 0 or destination_id = any($4))
  and ($5 is null or position(lower($5) in lower(name)) > 0)
  and ($6 is null or namespace_definition = $6)
  and ($7 is null or namespace_format = $7)
  and ($8 is null or prefix = $8)
  and coalesce(status = $9, status <> 'deprecated')
  and ($10 is null or schedule_type = $10)
  and ($11 is null or (schedule_type = 'basic' and basic_interval_sec = $11))
  and ($12 is null or cron_expression = $12)
  and ($13 is null or cron_timezone = $13)
  and ($14 is null or source_id = $14)
  and ($15 is null or destination_id = $15)
order by created_at, connection_id;

-- name: connection_set_settings
-- exec:
-- params: connection_id uuid, notify_schema_changes bool, notify_schema_changes_by_email bool, resource_requirements text?
update connection
set notify_schema_changes = $2, notify_schema_changes_by_email = $3, resource_requirements = $4
where connection_id = $1;

-- name: connection_add
-- exec:
-- params: connection_id uuid, workspace_id uuid, name text, source_id uuid, destination_id uuid, status text, namespace_definition text, namespace_format text?, prefix text, catalog text, schedule_type text, cron_expression text?, cron_timezone text?, basic_interval_sec int8?, non_breaking_changes text, now timestamptz
insert into connection (connection_id, workspace_id, name, source_id, destination_id, status, namespace_definition,
    namespace_format, prefix, catalog, schedule_type, cron_expression, cron_timezone, basic_interval_sec,
    non_breaking_changes, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16);

-- name: connection_set_schema
-- exec:
-- What is not given stays.
-- params: connection_id uuid, source_catalog_id uuid?, breaking_change text?, backfill text?
update connection
set source_catalog_id = coalesce($2, source_catalog_id), breaking_change = coalesce($3::boolean, breaking_change),
    backfill = coalesce($4, backfill)
where connection_id = $1;

-- name: connection_propagate
-- exec:
-- The catalog with a source's changes in it. Not an edit by a person: the schedule is the same.
-- params: connection_id uuid, catalog text
update connection set catalog = $2 where connection_id = $1;

-- name: connection_set_told
-- exec:
-- params: connection_id uuid, told_catalog_id uuid
update connection set told_catalog_id = $2 where connection_id = $1;

-- name: connection_list_of_source
-- rows: ConnectionId
-- Locked in the order of their ids, by everybody.
-- params: source_id uuid
select connection_id
from connection
where source_id = $1 and status <> 'deprecated'
order by connection_id
for update;

-- name: connection_set_catalog
-- exec:
-- params: connection_id uuid, catalog text
update connection set catalog = $2 where connection_id = $1;

-- name: connection_lock
-- row: Connection
-- params: connection_id uuid
select connection_id, workspace_id, name, source_id, destination_id, status, namespace_definition, namespace_format, prefix,
    catalog, schedule_type, cron_expression, cron_timezone, basic_interval_sec, non_breaking_changes, limits,
    status_reason, source_catalog_id, told_catalog_id, breaking_change, source_has_changed(source_id, source_catalog_id) as has_news,
    backfill, notify_schema_changes, notify_schema_changes_by_email, resource_requirements,
    next_run_at, last_run_at, created_at, updated_at
from connection
where connection_id = $1
for update;

-- name: connection_update
-- exec:
-- params: connection_id uuid, name text, status text, namespace_definition text, namespace_format text?, prefix text, catalog text, schedule_type text, cron_expression text?, cron_timezone text?, basic_interval_sec int8?, non_breaking_changes text, now timestamptz
update connection
set name = $2, status = $3, namespace_definition = $4, namespace_format = $5, prefix = $6, catalog = $7, schedule_type = $8,
    cron_expression = $9, cron_timezone = $10, basic_interval_sec = $11, non_breaking_changes = $12, schedule_changed = true,
    updated_at = $13
where connection_id = $1;

-- name: connection_disable
-- exec:
-- By the platform, which says why; an administrator enables it again.
-- params: connection_id uuid, status_reason text, now timestamptz
update connection
set status = 'inactive', status_reason = $2, schedule_changed = true, updated_at = $3
where connection_id = $1 and status = 'active';

-- name: connection_get_actions
-- row: ConnectionActions
-- params: connection_id uuid
select connection_id, on_sync_success, on_sync_failure
from connection
where connection_id = $1 and status <> 'deprecated';

-- name: connection_set_actions
-- exec:
-- params: connection_id uuid, on_sync_success text?, on_sync_failure text?
update connection
set on_sync_success = coalesce($2, on_sync_success), on_sync_failure = coalesce($3, on_sync_failure)
where connection_id = $1;
