-- SPDX-License-Identifier: Apache-2.0
-- Requests to read streams anew or to empty them. Every change holds the connection (connection_hold).

-- name: connection_hold
-- exec:
-- Against other requests and the making of jobs; rows that refer to it may be added meanwhile.
-- params: connection_id uuid
select connection_id from connection where connection_id = $1 for no key update;

-- name: request_add
-- exec:
-- The stronger kind of two stays. What is to be emptied need not be read anew before.
-- params: connection_id uuid, namespaces text[], streams text[], kind text, at_once bool, now timestamptz
with u as (select distinct namespace, stream from unnest($2, $3) u(namespace, stream)),
gone as (
    delete from stream_request r
    using u
    where $4 in ('reset', 'clear') and r.kind in ('merge', 'truncate') and r.job_id is null
      and r.connection_id = $1 and r.namespace = u.namespace and r.stream = u.stream)
insert into stream_request as r (connection_id, namespace, stream, kind, at_once, created_at)
select $1, u.namespace, u.stream, $4, $5, $6 from u
on conflict (connection_id, namespace, stream, (kind in ('reset', 'clear'))) where job_id is null do update
set at_once = r.at_once or excluded.at_once,
    kind = case when excluded.kind in ('truncate', 'clear') then excluded.kind else r.kind end;

-- name: request_next_type
-- text:
-- The type of the job that is to be done next for the waiting requests; null: there are none.
-- params: connection_id uuid, at_once_only bool
select case when bool_or(kind = 'clear') then 'clear' when bool_or(kind = 'reset') then 'reset_connection'
            when count(*) > 0 then 'refresh' end
from stream_request
where connection_id = $1 and job_id is null and (at_once or not $2);

-- name: request_take
-- exec:
-- For a job: all that are to be emptied, or all that are to be read anew. What the job has already stays as it is.
-- params: connection_id uuid, empties bool, job_id int8
with mine as (
    delete from stream_request
    where connection_id = $1 and job_id is null and (kind in ('reset', 'clear')) = $2
    returning namespace, stream, kind, at_once, created_at)
insert into stream_request as r (connection_id, namespace, stream, kind, at_once, job_id, created_at)
select $1, namespace, stream, kind, at_once, $3, created_at from mine
on conflict (job_id, namespace, stream) where job_id is not null do update
set kind = case when excluded.kind in ('truncate', 'clear') then excluded.kind else r.kind end;

-- name: request_give_back
-- exec:
-- What a job was to do and will not, because it makes way: the next one does it. What is to be emptied now is not read anew.
-- params: job_id int8, now timestamptz
insert into stream_request (connection_id, namespace, stream, kind, at_once, created_at)
select r.connection_id, r.namespace, r.stream, r.kind, true, $2
from stream_request r
where r.job_id = $1
  and not exists (
    select from stream_request w
    where w.connection_id = r.connection_id and w.namespace = r.namespace and w.stream = r.stream and w.job_id is null
      and w.kind in ('reset', 'clear'))
on conflict (connection_id, namespace, stream, (kind in ('reset', 'clear'))) where job_id is null do update
set at_once = true,
    kind = case when excluded.kind in ('truncate', 'clear') then excluded.kind else stream_request.kind end;

-- name: request_list
-- rows: StreamRequest
-- params: job_id int8
select namespace, stream, kind
from stream_request
where job_id = $1
order by namespace, stream;

-- name: request_list_waiting
-- rows: StreamRequest
-- params: connection_id uuid
select namespace, stream, kind
from stream_request
where connection_id = $1 and job_id is null
order by request_id;

-- name: request_next_of_job
-- row: Job
-- The connection of a job that has ended, when a request waits for that end.
-- params: job_id int8
select c.connection_id as scope, c.workspace_id
from job j
join connection c on c.connection_id = j.scope
where j.job_id = $1 and j.config_type in ('sync', 'reset_connection', 'refresh', 'clear') and c.status <> 'deprecated'
  and exists (select from stream_request r where r.connection_id = c.connection_id and r.job_id is null and r.at_once);

-- name: request_delete_waiting
-- exec:
-- params: connection_id uuid
delete from stream_request where connection_id = $1 and job_id is null;
