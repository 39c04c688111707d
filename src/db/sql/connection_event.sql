-- SPDX-License-Identifier: Apache-2.0

-- name: connection_event_set_user
-- text:
-- Who does what this transaction does: events written in it say so.
-- params: user_id text
select set_config('sluice.user', $1, true);

-- name: connection_event_add
-- exec:
-- params: connection_id uuid, event_type text, summary jsonb, now timestamptz
insert into connection_event (event_id, connection_id, event_type, user_id, summary, created_at)
values (gen_random_uuid(), $1, $2, nullif(current_setting('sluice.user', true), '')::uuid, $3, $4);

-- name: connection_event_add_of_jobs
-- exec:
-- How far these jobs are: begun (only what somebody asked for is told) or ended. Failed with rows committed is incomplete.
-- What has been told already is not told again.
-- params: job_ids int8[]
with run as (
    select j.job_id, j.scope, j.status, j.created_at, j.finished_at, j.started_at, j.cancelled_by, j.config_type, j.failure,
        case j.config_type when 'sync' then 'SYNC' when 'refresh' then 'REFRESH' else 'CLEAR' end as verb,
        t.attempts, s.records, s.bytes, s.rejected, q.streams
    from job j
    cross join lateral (select count(*) as attempts from attempt a where a.job_id = j.job_id) t
    cross join lateral (
        select coalesce(sum(records_committed), 0)::bigint as records, coalesce(sum(bytes_committed), 0)::bigint as bytes,
            coalesce(sum(records_rejected), 0)::bigint as rejected
        from attempt_stats
        where attempt_stats.job_id = j.job_id and stream = '') s
    cross join lateral (
        select jsonb_agg(jsonb_strip_nulls(jsonb_build_object('name', stream, 'namespace', nullif(namespace, '')))
            order by namespace, stream) as streams
        from stream_request r
        where r.job_id = j.job_id) q
    where j.job_id = any($1)
      and j.config_type in ('sync', 'refresh', 'clear', 'reset_connection')
      and (j.status in ('succeeded', 'failed', 'cancelled') or (j.status = 'pending' and not j.is_scheduled)))
insert into connection_event (event_id, connection_id, event_type, user_id, job_id, summary, created_at)
select gen_random_uuid(), scope,
    verb || '_' || case when status = 'pending' then 'STARTED' when status = 'failed' and bytes > 0 then 'INCOMPLETE'
        else upper(status) end,
    case when status = 'pending' then nullif(current_setting('sluice.user', true), '')::uuid
        when status = 'cancelled' then cancelled_by end,
    job_id,
    jsonb_strip_nulls(jsonb_build_object('jobId', job_id, 'jobType', config_type, 'streams', streams,
        'startTimeEpochSeconds', extract(epoch from coalesce(started_at, created_at))::bigint))
    || case when status = 'pending' then '{}' else jsonb_strip_nulls(jsonb_build_object(
        'endTimeEpochSeconds', extract(epoch from finished_at)::bigint, 'bytesLoaded', bytes, 'recordsLoaded', records,
        'recordsRejected', rejected, 'attemptsCount', attempts, 'failureReason',
        case when status <> 'succeeded' then failure -> 'failures' -> 0 end)) end,
    coalesce(finished_at, created_at)
from run
on conflict (job_id, event_type) where job_id is not null do nothing;

-- name: connection_event_list
-- rows: ConnectionEventRow
-- The newest first; no types: all. An account that is gone has no e-mail any more.
-- params: connection_id uuid, event_types text[], created_from timestamptz?, created_to timestamptz?, limit int8, offset int8
select e.event_id, e.connection_id, e.event_type, e.summary, e.created_at, e.user_id, u.email, u.name, u.user_id is null as gone
from connection_event e
left join account u on u.user_id = e.user_id
where e.connection_id = $1
  and (cardinality($2) = 0 or e.event_type = any($2))
  and ($3 is null or e.created_at >= $3) and ($4 is null or e.created_at <= $4)
order by e.created_at desc, e.seq desc
limit $5 offset $6;

-- name: connection_event_list_of_job
-- rows: ConnectionEventRow
-- params: job_id int8
select e.event_id, e.connection_id, e.event_type, e.summary, e.created_at, e.user_id, u.email, u.name, u.user_id is null as gone
from connection_event e
left join account u on u.user_id = e.user_id
where e.job_id = $1
order by e.created_at desc, e.seq desc;

-- name: connection_event_get
-- row: ConnectionEventRow
-- Details are the streams of the run that it is about.
-- params: event_id uuid, connection_id uuid
select e.event_id, e.connection_id, e.event_type, e.summary, e.created_at, e.user_id, u.email, u.name, u.user_id is null as gone,
    (select jsonb_build_object('streams', coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
        'streamName', s.stream, 'streamNamespace', nullif(s.namespace, ''), 'recordsCommitted', s.records,
        'bytesCommitted', s.bytes)) order by s.namespace, s.stream), '[]'))
     from (
        select namespace, stream, sum(records_committed) as records, sum(bytes_committed) as bytes
        from attempt_stats
        where attempt_stats.job_id = e.job_id and stream <> ''
        group by namespace, stream) s) as details
from connection_event e
left join account u on u.user_id = e.user_id
where e.event_id = $1 and e.connection_id = $2;

-- name: connection_event_list_minimal
-- rows: ConfigEventMinimal
-- Of a whole workspace; the newest 10,000 at most.
-- params: workspace_id uuid, event_types text[], created_from timestamptz, created_to timestamptz
select e.event_id, e.connection_id, c.name as connection_name, e.event_type, e.created_at
from connection c
join connection_event e using (connection_id)
where c.workspace_id = $1 and c.status <> 'deprecated'
  and (cardinality($2) = 0 or e.event_type = any($2))
  and e.created_at >= $3 and e.created_at <= $4
order by e.created_at desc, e.seq desc
limit 10000;

-- name: connection_event_untold_jobs
-- rows: Job
-- Runs of this time whose end the timeline does not have.
-- params: connection_id uuid, created_from timestamptz, created_to timestamptz
select j.job_id
from job j
where j.scope = $1 and j.finished_at >= $2 and j.finished_at <= $3
  and j.config_type in ('sync', 'refresh', 'clear', 'reset_connection')
  and not exists (select from connection_event e where e.job_id = j.job_id and e.event_type not like '%\_STARTED')
order by j.job_id;

-- name: connection_event_delete_old
-- exec:
-- params: before timestamptz, batch int8
delete from connection_event
where event_id in (
    select event_id from connection_event
    where created_at < $1
    order by created_at
    limit $2);
