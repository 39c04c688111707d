-- SPDX-License-Identifier: Apache-2.0

-- name: connection_get
-- row: Connection
-- params: connection_id uuid
select connection_id, workspace_id, name, source_id, destination_id, status, namespace_definition, namespace_format, prefix,
    catalog, schedule_type, cron_expression, cron_timezone, basic_interval_sec, non_breaking_changes, limits,
    next_run_at, last_run_at, created_at, updated_at
from connection
where connection_id = $1;

-- name: connection_set_last_run
-- exec:
-- params: connection_id uuid, now timestamptz
update connection set last_run_at = $2 where connection_id = $1;

-- name: connection_take_changed
-- rows: Connection
-- Connections whose next run must be computed anew, locked.
-- params: batch int8
select connection_id, workspace_id, name, source_id, destination_id, status, schedule_type, cron_expression, cron_timezone, basic_interval_sec,
    next_run_at, last_run_at, created_at
from connection
where schedule_changed
order by connection_id
limit $1
for update skip locked;

-- name: connection_take_due
-- row: Connection
-- params: now timestamptz
select connection_id, workspace_id, name, source_id, destination_id, status, schedule_type, cron_expression, cron_timezone, basic_interval_sec,
    next_run_at, last_run_at, created_at
from connection
where next_run_at <= $1 and not schedule_changed
order by next_run_at
limit 1
for update skip locked;

-- name: connection_set_next_run
-- exec:
-- params: connection_id uuid, next_run_at timestamptz?
update connection set next_run_at = $2, schedule_changed = false where connection_id = $1;

-- name: connection_next_due
-- text:
select min(next_run_at)::text from connection where next_run_at is not null;

-- name: connection_reschedule_of_job
-- exec:
-- The end of a run is what the next one is counted from.
-- params: job_id int8
update connection
set schedule_changed = true
where connection_id = (
    select scope from job
    where job_id = $1 and config_type in ('sync', 'reset_connection', 'refresh', 'clear'));
