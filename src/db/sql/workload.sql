-- SPDX-License-Identifier: Apache-2.0
-- Every edge of a workload's life is one guarded statement; zero rows mean a lost race.

-- name: workload_add
-- exec:
-- Workload and queue row together: one cannot exist without the other.
-- params: workload_id text, auto_id uuid, type text, data_plane_group text, job_id int8, attempt_number int4, connection_id uuid?, workspace_id uuid, input text, launch jsonb, log_path text, priority int4, now timestamptz
with added as (
    insert into workload (workload_id, auto_id, type, data_plane_group, job_id, attempt_number, connection_id,
        workspace_id, input, launch, log_path, created_at, updated_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $13, $13)
    returning workload_id, data_plane_group)
insert into workload_queue (workload_id, data_plane_group, priority, hidden_until, created_at)
select workload_id, data_plane_group, $12, $13, $13 from added;

-- name: workload_poll
-- rows: Workload
-- Shown to one launcher, hidden from the others for a while: the claim decides.
-- params: data_plane_group text, quantity int8, now timestamptz, hidden_until timestamptz
with next as (
    select workload_id from workload_queue
    where data_plane_group = $1 and hidden_until <= $3
    order by priority desc, created_at
    limit $2
    for update skip locked),
shown as (
    update workload_queue q set hidden_until = $4
    from next where q.workload_id = next.workload_id
    returning q.workload_id, q.priority, q.created_at)
select w.workload_id, w.auto_id, w.type, w.status, w.job_id, w.attempt_number, w.connection_id, w.workspace_id, w.launch
from shown join workload w using (workload_id)
order by shown.priority desc, shown.created_at;

-- name: workload_claim
-- exec:
-- A claim of the same data plane again (its answer was lost) replaces the token: the older one is fenced off.
-- params: workload_id text, data_plane_id text, token text, expires_at timestamptz, now timestamptz
with claimed as (
    update workload
    set status = 'claimed', data_plane_id = $2, token = $3, updated_at = $5
    where workload_id = $1
      and (status = 'pending' or (status = 'claimed' and data_plane_id = $2))
    returning workload_id),
dequeued as (
    delete from workload_queue q using claimed where q.workload_id = claimed.workload_id)
insert into workload_lease (workload_id, expires_at, heartbeat_at)
select workload_id, $4, $5 from claimed
on conflict (workload_id) do update set expires_at = excluded.expires_at, heartbeat_at = excluded.heartbeat_at;

-- name: workload_launched
-- exec:
-- params: workload_id text, token text, now timestamptz
update workload
set status = case when status = 'claimed' then 'launched' else status end, updated_at = $3
where workload_id = $1 and token = $2 and status in ('claimed', 'launched', 'running');

-- name: workload_running
-- exec:
-- params: workload_id text, token text, now timestamptz
update workload
set status = 'running', updated_at = $3
where workload_id = $1 and token = $2 and status in ('claimed', 'launched', 'running');

-- name: workload_renew
-- exec:
-- The heartbeat touches the narrow table only; it needs a running holder of this token.
-- params: workload_id text, token text, expires_at timestamptz, now timestamptz
update workload_lease l
set expires_at = $3, heartbeat_at = $4
from workload w
where l.workload_id = $1 and w.workload_id = l.workload_id and w.token = $2
  and w.status in ('claimed', 'launched', 'running');

-- name: workload_hold
-- row: Workload
-- The fence: the holder's row, locked, or nothing.
-- params: workload_id text, token text
select workload_id, auto_id, type, status, job_id, attempt_number, connection_id, workspace_id, log_path, cancel_requested_at
from workload
where workload_id = $1 and token = $2 and status in ('claimed', 'launched', 'running')
for update;

-- name: workload_get
-- row: Workload
-- params: workload_id text
select workload_id, auto_id, type, status, data_plane_group, data_plane_id, job_id, attempt_number, connection_id, workspace_id,
    launch, log_path, token, cancel_requested_at, termination_source, termination_reason, created_at, updated_at, finished_at
from workload
where workload_id = $1;

-- name: workload_of_attempt
-- row: Workload
-- params: job_id int8, attempt_number int4
select workload_id, auto_id, type, status, data_plane_group, data_plane_id, job_id, attempt_number, connection_id, workspace_id,
    log_path, cancel_requested_at, termination_source, termination_reason, created_at, updated_at, finished_at
from workload
where job_id = $1 and attempt_number = $2;

-- name: workload_input
-- text:
-- params: workload_id text, token text
select input from workload
where workload_id = $1 and token = $2 and status in ('claimed', 'launched', 'running');

-- name: workload_set_input
-- exec:
-- params: workload_id text, token text, input text, now timestamptz
update workload
set input = $3, updated_at = $4
where workload_id = $1 and token = $2 and status in ('claimed', 'launched', 'running');

-- name: workload_finish
-- row: Workload
-- Null token: the control plane itself (sweeper, cancel of a pending one).
-- params: workload_id text, token text?, status text, termination_source text?, termination_reason text?, now timestamptz
with finished as (
    update workload
    set status = $3, termination_source = $4, termination_reason = $5, updated_at = $6, finished_at = $6
    where workload_id = $1 and ($2::text is null or token = $2)
      and status in ('pending', 'claimed', 'launched', 'running')
    returning workload_id, type, status, job_id, attempt_number, connection_id, workspace_id, termination_source, termination_reason),
unqueued as (
    delete from workload_queue q using finished where q.workload_id = finished.workload_id),
unleased as (
    delete from workload_lease l using finished where l.workload_id = finished.workload_id)
select workload_id, type, status, job_id, attempt_number, connection_id, workspace_id, termination_source, termination_reason
from finished;

-- name: workload_release
-- exec:
-- A claim given back by a host that is going down: pending again, for any launcher.
-- params: workload_id text, token text, now timestamptz
with released as (
    update workload
    set status = 'pending', data_plane_id = null, token = null, updated_at = $3
    where workload_id = $1 and token = $2 and status in ('claimed', 'launched')
    returning workload_id, data_plane_group),
unleased as (
    delete from workload_lease l using released where l.workload_id = released.workload_id)
insert into workload_queue (workload_id, data_plane_group, priority, hidden_until, created_at)
select workload_id, data_plane_group, 1, $3, $3 from released;

-- name: workload_request_cancel
-- exec:
-- params: workload_id text, now timestamptz
update workload
set cancel_requested_at = coalesce(cancel_requested_at, $2), updated_at = $2
where workload_id = $1 and status in ('claimed', 'launched', 'running');

-- name: workload_list
-- rows: Workload
-- params: data_plane_id text, statuses text[]
select workload_id, auto_id, type, status, job_id, attempt_number, connection_id, token, launch
from workload
where data_plane_id = $1 and status = any($2)
order by created_at;

-- name: workload_list_stale
-- rows: Workload
-- Nobody took it in time, or its holder fell silent. By the index of the unfinished ones: finished ones are many.
-- params: claimed_before timestamptz, now timestamptz
select w.workload_id, w.auto_id, w.type, w.status, w.job_id, w.attempt_number, w.connection_id, w.workspace_id, w.data_plane_id
from workload w
left join workload_lease l using (workload_id)
where w.finished_at is null
  and ((w.status = 'pending' and w.created_at < $1)
    or (w.status in ('claimed', 'launched', 'running') and coalesce(l.expires_at, w.updated_at) < $2))
order by w.created_at
limit 1000;

-- name: workload_stored_input
-- text:
-- params: workload_id text
select input from workload where workload_id = $1;
