-- SPDX-License-Identifier: Apache-2.0

-- name: attempt_add
-- row: Attempt
-- The number is the count of the job's attempts so far.
-- params: job_id int8, now timestamptz
insert into attempt (job_id, attempt_number, log_path, created_at, updated_at)
select $1, n.number, $1::text || '/' || n.number || '.ndjson', $2, $2
from (select count(*)::integer as number from attempt where job_id = $1) n
returning job_id, attempt_number, status, log_path, created_at, updated_at;

-- name: attempt_get
-- row: Attempt
-- params: job_id int8, attempt_number int4
select job_id, attempt_number, status, log_path, failure_summary, output, created_at, updated_at, ended_at
from attempt
where job_id = $1 and attempt_number = $2;

-- name: attempt_list
-- rows: Attempt
-- params: job_id int8
select job_id, attempt_number, status, log_path, failure_summary, created_at, updated_at, ended_at
from attempt
where job_id = $1
order by attempt_number;

-- name: attempt_mark_configuration
-- exec:
-- A new configuration of its connector was stored.
-- params: workload_id text
update attempt a
set configuration_updated = true
from workload w
where w.workload_id = $1 and a.job_id = w.job_id and a.attempt_number = w.attempt_number;

-- name: attempt_count_configurations
-- int:
-- Attempts of the job that had one stored.
-- params: job_id int8
select count(*) from attempt where job_id = $1 and configuration_updated;

-- name: attempt_set_output
-- exec:
-- params: job_id int8, attempt_number int4, output text?, now timestamptz
update attempt
set output = $3, updated_at = $4
where job_id = $1 and attempt_number = $2 and status = 'running';

-- name: attempt_finish
-- exec:
-- params: job_id int8, attempt_number int4, status text, failure_summary jsonb?, now timestamptz
update attempt
set status = $3, failure_summary = $4, updated_at = $5, ended_at = $5
where job_id = $1 and attempt_number = $2 and status = 'running';

-- name: attempt_finish_running
-- exec:
-- Whatever attempt of the job still runs.
-- params: job_id int8, status text, failure_summary jsonb?, now timestamptz
update attempt
set status = $2, failure_summary = $3, updated_at = $4, ended_at = $4
where job_id = $1 and status = 'running';

-- name: attempt_stats_save
-- exec:
-- Counters only grow: a repeated post changes nothing. How far a stream is, the newest post says.
-- params: job_id int8, attempt_number int4, namespaces text[], streams text[], records_emitted int8[], bytes_emitted int8[], records_committed int8[], bytes_committed int8[], records_rejected int8[], estimated_records int8[], estimated_bytes int8[], source_states int8[], destination_states int8[], records_filtered int8[], bytes_filtered int8[], quota_resets int8[], run_states text[], causes text[], additional text[], now timestamptz
insert into attempt_stats as s (job_id, attempt_number, namespace, stream, records_emitted, bytes_emitted,
    records_committed, bytes_committed, records_rejected, estimated_records, estimated_bytes,
    source_state_messages_emitted, destination_state_messages_emitted, records_filtered_out, bytes_filtered_out,
    quota_reset, run_state, incomplete_run_cause, additional_stats, run_state_at, updated_at)
select $1, $2, namespace, stream, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11, nullif(quota, 0), nullif(state, ''), nullif(cause, ''), nullif(additional, '')::jsonb,
    case when state <> '' then $20 end, $20
from unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
    u (namespace, stream, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11, quota, state, cause, additional)
on conflict (job_id, attempt_number, namespace, stream) do update
set records_emitted = greatest(s.records_emitted, excluded.records_emitted),
    bytes_emitted = greatest(s.bytes_emitted, excluded.bytes_emitted),
    records_committed = greatest(s.records_committed, excluded.records_committed),
    bytes_committed = greatest(s.bytes_committed, excluded.bytes_committed),
    records_rejected = greatest(s.records_rejected, excluded.records_rejected),
    estimated_records = greatest(s.estimated_records, excluded.estimated_records),
    estimated_bytes = greatest(s.estimated_bytes, excluded.estimated_bytes),
    source_state_messages_emitted = greatest(s.source_state_messages_emitted, excluded.source_state_messages_emitted),
    destination_state_messages_emitted = greatest(s.destination_state_messages_emitted, excluded.destination_state_messages_emitted),
    records_filtered_out = greatest(s.records_filtered_out, excluded.records_filtered_out),
    bytes_filtered_out = greatest(s.bytes_filtered_out, excluded.bytes_filtered_out),
    additional_stats = coalesce(excluded.additional_stats, s.additional_stats),
    quota_reset = case when excluded.run_state is null then s.quota_reset else excluded.quota_reset end,
    incomplete_run_cause = case when excluded.run_state is null then s.incomplete_run_cause else excluded.incomplete_run_cause end,
    run_state_at = case when excluded.run_state is null or excluded.run_state = s.run_state then s.run_state_at else excluded.run_state_at end,
    run_state = coalesce(excluded.run_state, s.run_state),
    updated_at = excluded.updated_at;

-- name: attempt_stats_list
-- rows: StatsRow
-- params: job_id int8, attempt_number int4
select namespace, stream, records_emitted, bytes_emitted, records_committed, bytes_committed, records_rejected,
    estimated_records, estimated_bytes, source_state_messages_emitted, destination_state_messages_emitted,
    records_filtered_out, bytes_filtered_out, run_state, incomplete_run_cause, quota_reset, run_state_at, additional_stats
from attempt_stats
where job_id = $1 and attempt_number = $2
order by namespace, stream;

-- name: attempt_stats_of_job
-- row: StatsRow
-- What the whole job committed: every attempt starts from the state that the one before had committed.
-- params: job_id int8
select sum(records_emitted)::bigint as records_emitted, sum(bytes_emitted)::bigint as bytes_emitted,
    sum(records_committed)::bigint as records_committed, sum(bytes_committed)::bigint as bytes_committed,
    sum(records_rejected)::bigint as records_rejected
from attempt_stats
where job_id = $1 and stream = '';

-- name: attempt_progress_list
-- rows: ProgressRow
-- params: job_ids int8[]
select j.job_id, j.workspace_id, j.scope, s.attempt_number, s.namespace, s.stream, s.records_emitted, s.bytes_emitted,
    s.records_committed, s.bytes_committed, s.estimated_records, s.estimated_bytes
from job j
join attempt_stats s on s.job_id = j.job_id
where j.job_id = any($1)
  and s.attempt_number = (select max(a.attempt_number) from attempt a where a.job_id = j.job_id)
order by j.job_id, s.stream, s.namespace;

-- name: attempt_list_ended
-- rows: Attempt
-- Of these jobs, with the paths of their logs.
-- params: job_ids int8[], before timestamptz
select job_id, attempt_number, log_path
from attempt
where job_id = any($1) and ended_at < $2 and status <> 'running' and log_path <> '';
