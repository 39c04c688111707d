-- SPDX-License-Identifier: Apache-2.0

-- name: job_add
-- row: Job
-- params: config_type text, scope uuid, workspace_id uuid, is_scheduled bool, scheduled_for timestamptz?, input jsonb?, now timestamptz
insert into job (config_type, scope, workspace_id, is_scheduled, scheduled_for, input, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $7)
returning job_id, config_type, scope, workspace_id, status, is_scheduled, scheduled_for, input, created_at, updated_at;

-- name: job_get
-- row: Job
-- params: job_id int8
select job_id, config_type, scope, workspace_id, status, is_scheduled, scheduled_for, retry_at, cancel_requested_at,
    complete_successive, complete_total, partial_successive, partial_total, counted_attempt, discover_job_id,
    input, output, failure, created_at, started_at, updated_at, finished_at
from job
where job_id = $1;

-- name: job_lock
-- row: Job
-- The same, held until the end of the transaction: every decision about a job starts here. "no key": rows that refer to the
-- job may be added meanwhile.
-- params: job_id int8
select job_id, config_type, scope, workspace_id, status, is_scheduled, scheduled_for, retry_at, cancel_requested_at,
    complete_successive, complete_total, partial_successive, partial_total, counted_attempt, discover_job_id,
    input, output, failure, created_at, started_at, updated_at, finished_at
from job
where job_id = $1
for no key update;

-- name: job_get_active
-- row: Job
-- The unfinished replication job of a connection; the index job_one_active makes it one at most.
-- params: scope uuid
select job_id, config_type, scope, workspace_id, status, is_scheduled, retry_at, cancel_requested_at, created_at, started_at, updated_at
from job
where scope = $1
  and status in ('pending', 'running', 'incomplete')
  and config_type in ('sync', 'reset_connection', 'refresh', 'clear');

-- name: job_start
-- exec:
-- params: job_id int8, now timestamptz
update job
set status = 'running', started_at = coalesce(started_at, $2), updated_at = $2
where job_id = $1 and status in ('pending', 'running', 'incomplete');

-- name: job_finish
-- exec:
-- Zero rows: it had ended already, which is a lost race and no error. Nobody opens its secrets any more.
-- params: job_id int8, status text, output text?, failure jsonb?, now timestamptz
with secrets as (
    delete from secret where job_id = $1
)
update job
set status = $2, output = coalesce($3, output), failure = $4, retry_at = null, updated_at = $5, finished_at = $5
where job_id = $1 and status in ('pending', 'running', 'incomplete');

-- name: job_await_retry
-- exec:
-- The attempt is counted in the same statement, once. A retry that could not even begin comes from 'incomplete'.
-- params: job_id int8, attempt_number int4, complete_successive int4, complete_total int4, partial_successive int4, partial_total int4, retry_at timestamptz, failure jsonb?, now timestamptz
update job
set status = 'incomplete', counted_attempt = $2, complete_successive = $3, complete_total = $4,
    partial_successive = $5, partial_total = $6, retry_at = $7, failure = $8, updated_at = $9
where job_id = $1 and status in ('pending', 'running', 'incomplete') and counted_attempt < $2;

-- name: job_request_cancel
-- exec:
-- The first one who asks is who has cancelled it.
-- params: job_id int8, now timestamptz
update job
set cancelled_by = case when cancel_requested_at is null then nullif(current_setting('sluice.user', true), '')::uuid
        else cancelled_by end,
    cancel_requested_at = coalesce(cancel_requested_at, $2), updated_at = $2
where job_id = $1 and status in ('pending', 'running', 'incomplete');

-- name: job_take_due_retry
-- row: Job
-- params: now timestamptz
update job
set retry_at = null, updated_at = $1
where job_id = (
    select job_id from job
    where retry_at <= $1
    order by retry_at
    limit 1
    for update skip locked)
returning job_id, config_type, scope, workspace_id, status, created_at, updated_at;

-- name: job_hasten_retry
-- exec:
-- Somebody does not want to wait. Zero rows: it does not wait any more.
-- params: job_id int8, now timestamptz
update job
set retry_at = $2
where job_id = $1 and retry_at is not null and cancel_requested_at is null;

-- name: job_delete_old
-- exec:
-- The last job of every scope stays, and the last one that succeeded: how fresh its data is hangs on that.
-- params: before timestamptz, batch int8
delete from job
where job_id in (
    select old.job_id from job old
    where old.finished_at < $1
      and exists (select from job newer where newer.scope = old.scope and newer.job_id > old.job_id)
      and (old.status <> 'succeeded' or exists (
        select from job newer
        where newer.scope = old.scope and newer.job_id > old.job_id and newer.status = 'succeeded'))
    order by old.finished_at
    limit $2);

-- name: job_delete_excess
-- exec:
-- What a scope has beyond so many; the same ones stay.
-- params: keep int8, batch int8
delete from job
where job_id in (
    select job_id
    from (
        select job_id, status, finished_at, row_number() over (partition by scope order by job_id desc) as place,
            row_number() over (partition by scope, status order by job_id desc) as place_of_status
        from job) j
    where place > greatest($1, 1) and finished_at is not null and (status <> 'succeeded' or place_of_status > 1)
    order by job_id
    limit $2);

-- name: job_list_known
-- rows: Job
-- Which of these there are.
-- params: job_ids int8[]
select job_id from job where job_id = any($1) order by job_id;

-- name: job_list
-- rows: JobRow
-- A connection goes before workspaces; no ids: all.
-- params: connection_id uuid?, workspace_ids uuid[], config_types text[], status text?, created_from timestamptz?, created_to timestamptz?, updated_from timestamptz?, updated_to timestamptz?, by_update bool, descending bool, limit int8, offset int8
with page as (
    select j.job_id, j.config_type, j.scope, j.status, j.created_at, j.updated_at, j.finished_at,
        case when $9 then j.updated_at else j.created_at end as at
    from job j
    where (case when $1 is not null then j.scope = $1 else cardinality($2) = 0 or j.workspace_id = any($2) end)
      and j.config_type = any($3)
      and ($4 is null or j.status = $4)
      and ($5 is null or j.created_at >= $5) and ($6 is null or j.created_at <= $6)
      and ($7 is null or j.updated_at >= $7) and ($8 is null or j.updated_at <= $8)
    order by case when not $10 then case when $9 then j.updated_at else j.created_at end end,
        case when $10 then case when $9 then j.updated_at else j.created_at end end desc,
        case when $10 then -j.job_id else j.job_id end
    limit $11 offset $12
)
select p.job_id, p.config_type, p.scope, p.status, p.created_at, p.updated_at, p.finished_at, s.bytes_committed, s.records_committed
from page p
cross join lateral (
    select coalesce(sum(bytes_committed), 0)::bigint as bytes_committed, coalesce(sum(records_committed), 0)::bigint as records_committed
    from attempt_stats
    where job_id = p.job_id and stream = '') s
order by case when not $10 then p.at end, case when $10 then p.at end desc, case when $10 then -p.job_id else p.job_id end;

-- name: job_get_row
-- row: JobRow
-- Only of the kinds that move data.
-- params: job_id int8
select j.job_id, j.config_type, j.scope, j.status, j.created_at, j.updated_at, j.finished_at,
    coalesce(sum(s.bytes_committed), 0)::bigint as bytes_committed,
    coalesce(sum(s.records_committed), 0)::bigint as records_committed
from job j
left join attempt_stats s on s.job_id = j.job_id and s.stream = ''
where j.job_id = $1 and j.config_type in ('sync', 'reset_connection', 'refresh', 'clear')
group by j.job_id;

-- name: job_get_unfinished
-- row: Job
-- One that gives what is asked for: begun after what it is about was changed last.
-- params: config_type text, scope uuid, since timestamptz
select job_id, config_type, scope, workspace_id, status, cancel_requested_at, created_at, started_at, updated_at
from job
where scope = $2 and config_type = $1 and status in ('pending', 'running') and cancel_requested_at is null
  and created_at >= $3
order by job_id desc
limit 1;

-- name: job_list_active_of
-- rows: Job
-- Unfinished replication jobs of a connection, of the connections of an actor, or of a workspace.
-- params: id uuid
select j.job_id, j.config_type, j.scope, j.status
from job j
join connection c on c.connection_id = j.scope
where $1 in (c.connection_id, c.source_id, c.destination_id, c.workspace_id)
  and j.status in ('pending', 'running', 'incomplete')
  and j.config_type in ('sync', 'reset_connection', 'refresh', 'clear')
order by j.job_id;

-- name: job_failures_in_row
-- row: FailureRow
-- params: connection_id uuid
with mine as (
    select job_id, status, created_at from job
    where scope = $1 and config_type in ('sync', 'reset_connection', 'refresh', 'clear')),
failed as (
    select job_id, created_at from mine
    where status = 'failed' and job_id > coalesce((select max(job_id) from mine where status = 'succeeded'), 0))
select (select count(*) from failed) as failures,
    coalesce((select max(created_at) from mine where status = 'succeeded'), (select min(created_at) from mine)) as since,
    (select created_at from failed order by job_id desc offset 1 limit 1) as previous;

-- name: job_wait_for
-- exec:
-- params: job_id int8, discover_job_id int8
update job set discover_job_id = $2 where job_id = $1;

-- name: job_count_failed
-- int:
-- params: config_type text, scope uuid, since timestamptz
select count(*)
from job
where config_type = $1 and scope = $2 and created_at >= $3 and status in ('failed', 'cancelled');
