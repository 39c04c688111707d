-- SPDX-License-Identifier: Apache-2.0
-- What runs of a connection have brought.

-- name: history_list_runs
-- rows: ConfigHistoryRow
-- The last syncs and refreshes that succeeded or failed, the newest last.
-- params: connection_id uuid, jobs int8
select j.job_id, j.config_type, j.status, j.created_at, j.updated_at,
    coalesce(sum(s.records_emitted), 0)::bigint as records_emitted, coalesce(sum(s.bytes_emitted), 0)::bigint as bytes_emitted,
    coalesce(sum(s.records_committed), 0)::bigint as records_committed,
    coalesce(sum(s.bytes_committed), 0)::bigint as bytes_committed,
    coalesce(sum(s.records_rejected), 0)::bigint as records_rejected
from (
    select job_id, config_type, status, created_at, updated_at
    from job
    where scope = $1 and config_type in ('sync', 'refresh') and status in ('succeeded', 'failed')
    order by job_id desc
    limit $2) j
left join attempt_stats s on s.job_id = j.job_id and s.stream = ''
group by j.job_id, j.config_type, j.status, j.created_at, j.updated_at
order by j.job_id;

-- name: history_list_streams
-- rows: ConfigHistoryStreamRow
-- How the streams of the last attempt ended; one that nobody told about ended as its job did.
-- params: job_ids int8[]
select s.job_id, s.namespace, s.stream,
    case when s.run_state = 'complete' then 'succeeded'
        when s.run_state = 'incomplete' and s.incomplete_run_cause = 'canceled' then 'cancelled'
        when s.run_state = 'incomplete' then 'failed'
        else j.status end as status
from job j
join attempt_stats s using (job_id)
where j.job_id = any($1) and s.stream <> ''
  and s.attempt_number = (select max(a.attempt_number) from attempt a where a.job_id = j.job_id)
order by s.job_id, s.namespace, s.stream;

-- name: history_list_days
-- rows: ConfigStreamHistoryItem
-- Records of each stream on each of 30 days of this time zone, by syncs; a day without any has zero.
-- params: connection_id uuid, zone text, now timestamptz
with days as (
    select day
    from generate_series((date_trunc('day', $3 at time zone $2) - interval '29 days'), date_trunc('day', $3 at time zone $2),
        interval '1 day') as day),
counts as (
    select s.namespace, s.stream, date_trunc('day', a.ended_at at time zone $2) as day,
        sum(s.records_committed) as records
    from job j
    join attempt a using (job_id)
    join attempt_stats s using (job_id, attempt_number)
    where j.scope = $1 and j.config_type = 'sync' and s.stream <> ''
      and a.ended_at >= (select min(day) from days) at time zone $2
    group by s.namespace, s.stream, 3)
select extract(epoch from d.day at time zone $2)::bigint as timestamp, n.stream as stream_name,
    n.namespace as stream_namespace, coalesce(c.records, 0)::bigint as records_committed
from days d
cross join (select distinct namespace, stream from counts) n
left join counts c on c.day = d.day and c.namespace = n.namespace and c.stream = n.stream
order by d.day, n.namespace, n.stream;

-- name: history_list_last_jobs
-- rows: ConfigLastJobOfStream
-- Of each stream that the last 100 runs had to do with.
-- params: connection_id uuid
with recent as materialized (
    select job_id, config_type, status, created_at, started_at, updated_at
    from job
    where scope = $1 and config_type in ('sync', 'reset_connection', 'refresh', 'clear')
    order by job_id desc
    limit 100),
latest as (
    select s.namespace, s.stream, max(s.job_id) as job_id
    from recent join attempt_stats s using (job_id)
    where s.stream <> ''
    group by s.namespace, s.stream)
select l.stream as stream_name, l.namespace as stream_namespace, j.job_id, j.config_type, j.status as job_status,
    sum(s.records_committed)::bigint as records_committed, sum(s.bytes_committed)::bigint as bytes_committed,
    extract(epoch from coalesce(j.started_at, j.created_at))::bigint as started_at,
    extract(epoch from j.updated_at)::bigint as ended_at
from latest l
join recent j using (job_id)
join attempt_stats s on s.job_id = l.job_id and s.namespace = l.namespace and s.stream = l.stream
group by l.namespace, l.stream, j.job_id, j.config_type, j.status, j.started_at, j.created_at, j.updated_at
order by l.namespace, l.stream;
