-- SPDX-License-Identifier: Apache-2.0
-- Jobs that move data, as the config API reads them.

-- name: run_find
-- rows: ConfigJobRow
-- No ids, statuses: all. With `including` the pages from the first to the one that has this job; none, when it is not found.
-- params: config_types text[], workspace_ids uuid[], connection_id uuid?, statuses text[], created_from timestamptz?, created_to timestamptz?, updated_from timestamptz?, updated_to timestamptz?, by_update bool, descending bool, page int8, offset int8, including int8?
with found as (
    select j.job_id, j.config_type, j.scope, j.status, j.created_at, j.started_at, j.updated_at, count(*) over () as total,
        row_number() over (order by
            case when not $10 then case when $9 then j.updated_at else j.created_at end end,
            case when $10 then case when $9 then j.updated_at else j.created_at end end desc,
            case when $10 then -j.job_id else j.job_id end) as place
    from job j
    where j.config_type = any($1) and j.config_type in ('sync', 'reset_connection', 'refresh', 'clear')
      and (cardinality($2) = 0 or j.workspace_id = any($2))
      and ($3 is null or j.scope = $3)
      and (cardinality($4) = 0 or j.status = any($4))
      and ($5 is null or j.created_at >= $5) and ($6 is null or j.created_at <= $6)
      and ($7 is null or j.updated_at >= $7) and ($8 is null or j.updated_at <= $8))
select job_id, config_type, scope, status, created_at, started_at, updated_at, total
from found
where case when $13 is null then place > $12 and place <= $12 + $11
      else place <= ((select f.place from found f where f.job_id = $13) + $11 - 1) / $11 * $11 end
order by place;

-- name: run_get
-- row: ConfigJobRow
-- params: job_id int8
select job_id, config_type, scope, status, created_at, started_at, updated_at
from job
where job_id = $1 and config_type in ('sync', 'reset_connection', 'refresh', 'clear');

-- name: run_get_last
-- row: ConfigJobRow
-- params: connection_id uuid
select job_id, config_type, scope, status, created_at, started_at, updated_at
from job
where scope = $1 and config_type in ('sync', 'reset_connection', 'refresh', 'clear')
order by job_id desc
limit 1;

-- name: run_list_attempts
-- rows: Attempt
-- params: job_ids int8[]
select job_id, attempt_number, status, log_path, failure_summary, created_at, updated_at, ended_at
from attempt
where job_id = any($1)
order by job_id, attempt_number;

-- name: run_list_stats
-- rows: ConfigStatsRow
-- Stream '' is the whole attempt.
-- params: job_ids int8[]
select job_id, attempt_number, namespace, stream, records_emitted, bytes_emitted, records_committed, bytes_committed,
    records_rejected, estimated_records, estimated_bytes, source_state_messages_emitted as states, additional_stats
from attempt_stats
where job_id = any($1)
order by job_id, attempt_number, namespace, stream;

-- name: run_list_stream_states
-- rows: ConfigStreamStatus
-- params: workspace_id uuid, connection_id uuid?, job_id int8?, attempt_number int8?, namespace text?, stream text?, job_type text?, page int8, offset int8
select md5(concat_ws('/', s.job_id, s.attempt_number, s.namespace, s.stream))::uuid as id, j.workspace_id,
    j.scope as connection_id, s.job_id, s.attempt_number,
    case when j.config_type in ('clear', 'reset_connection') then 'RESET' else 'SYNC' end as job_type,
    nullif(s.namespace, '') as stream_namespace, s.stream as stream_name, upper(s.run_state) as run_state,
    upper(s.incomplete_run_cause) as incomplete_run_cause,
    (extract(epoch from coalesce(s.run_state_at, s.updated_at)) * 1000)::int8 as transitioned_at,
    case when s.quota_reset is not null then json_build_object('quotaReset', s.quota_reset)::text end as metadata
from job j
join attempt_stats s using (job_id)
where j.workspace_id = $1 and j.config_type in ('sync', 'reset_connection', 'refresh', 'clear')
  and s.stream <> '' and s.run_state is not null
  and ($2 is null or j.scope = $2) and ($3 is null or j.job_id = $3) and ($4 is null or s.attempt_number = $4)
  and ($5 is null or s.namespace = $5) and ($6 is null or s.stream = $6)
  and ($7 is null or $7 = case when j.config_type in ('clear', 'reset_connection') then 'RESET' else 'SYNC' end)
order by coalesce(s.run_state_at, s.updated_at) desc, s.job_id desc, s.attempt_number desc, s.namespace, s.stream
limit $8 offset $9;

-- name: run_latest_stream_states
-- rows: ConfigStreamStatus
-- Of the last 100 jobs only: what is older tells nobody how a stream is.
-- params: connection_id uuid
with recent as materialized (
    select job_id, workspace_id, scope, config_type
    from job
    where scope = $1 and config_type in ('sync', 'reset_connection', 'refresh', 'clear')
    order by job_id desc
    limit 100)
select distinct on (s.namespace, s.stream, s.run_state)
    md5(concat_ws('/', s.job_id, s.attempt_number, s.namespace, s.stream))::uuid as id, j.workspace_id,
    j.scope as connection_id, s.job_id, s.attempt_number,
    case when j.config_type in ('clear', 'reset_connection') then 'RESET' else 'SYNC' end as job_type,
    nullif(s.namespace, '') as stream_namespace, s.stream as stream_name, upper(s.run_state) as run_state,
    upper(s.incomplete_run_cause) as incomplete_run_cause,
    (extract(epoch from coalesce(s.run_state_at, s.updated_at)) * 1000)::int8 as transitioned_at,
    case when s.quota_reset is not null then json_build_object('quotaReset', s.quota_reset)::text end as metadata
from recent j
join attempt_stats s using (job_id)
where s.stream <> '' and s.run_state is not null
order by s.namespace, s.stream, s.run_state, s.job_id desc, s.attempt_number desc;

-- name: run_list_overview
-- rows: ConfigOverviewRow
-- Connections of a workspace, or those with these ids, each with its last job and that one's last attempt.
-- params: workspace_id uuid?, connection_ids uuid[]
select c.connection_id, c.name, c.status, c.schedule_type, c.cron_expression, c.cron_timezone, c.basic_interval_sec,
    c.source_id, s.name as source_name, s.definition_id as source_definition_id, sd.name as source_definition_name,
    c.destination_id, d.name as destination_name, d.definition_id as destination_definition_id,
    dd.name as destination_definition_name,
    j.job_id, j.config_type, j.status as job_status, j.created_at as job_created_at, j.started_at as job_started_at,
    j.updated_at as job_updated_at, a.attempt_number, a.failure_summary -> 'failures' -> 0 as failure,
    coalesce(a.failure_summary -> 'failures' @> '[{"failureType": "config_error"}]', false) as config_error,
    good.finished_at as succeeded_at, c.breaking_change, coalesce(news.has_news, false) as has_news
from connection c
join actor s on s.actor_id = c.source_id
join actor d on d.actor_id = c.destination_id
join actor_definition sd on sd.definition_id = s.definition_id
join actor_definition dd on dd.definition_id = d.definition_id
left join lateral (
    select * from job
    where scope = c.connection_id and config_type in ('sync', 'reset_connection', 'refresh', 'clear')
    order by job_id desc limit 1) j on true
left join lateral (
    select * from attempt where job_id = j.job_id order by attempt_number desc limit 1) a on true
left join lateral (
    select finished_at from job
    where scope = c.connection_id and config_type in ('sync', 'refresh') and status = 'succeeded'
    order by job_id desc limit 1) good on true
left join lateral source_news(c.source_id, c.source_catalog_id) news on true
where (c.workspace_id = $1 or c.connection_id = any($2)) and c.status <> 'deprecated'
order by c.connection_id;
