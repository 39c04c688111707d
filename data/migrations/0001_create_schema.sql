-- SPDX-License-Identifier: Apache-2.0
-- The first schema. Constraints carry the invariants: what the code must never do, the database refuses.
-- Namespace null, '' and missing are one value: columns named "namespace" are not null, default ''.

-- What people configure ---------------------------------------------------------------------------

create table organization (
    organization_id uuid primary key,
    name text not null,
    email text not null default '',
    created_at timestamptz not null
);

create table workspace (
    workspace_id uuid primary key,
    organization_id uuid not null references organization,
    name text not null,
    data_plane_group text not null default 'auto',
    notifications jsonb not null default '{}',
    tombstone boolean not null default false,
    created_at timestamptz not null
);

create table actor_definition (
    definition_id uuid primary key,
    name text not null,
    actor_type text not null check (actor_type in ('source', 'destination')),
    -- how the connector runs: native, exec, pypi, … (src/launcher has the table)
    runtime text not null,
    -- argv before the operation; command[0] is a program name, a path or a module, by runtime
    command jsonb not null check (jsonb_typeof(command) = 'array' and jsonb_array_length(command) > 0),
    -- folder (absolute, below /var/lib/sluice/connectors) that the runtime needs; '' = none
    tree text not null default '',
    docker_repository text not null,
    docker_image_tag text not null,
    documentation_url text not null default '',
    -- ids of public connectors that this one stands in for
    aliases uuid[] not null default '{}',
    spec text not null,
    supports_refreshes boolean not null default false,
    -- {memoryMax, tasksMax, cpuPercent, runtimeMaxSec, writable: []}; missing = the host's defaults
    limits jsonb not null default '{}',
    custom boolean not null default false,
    tombstone boolean not null default false,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index actor_definition_aliases on actor_definition using gin (aliases);

create table actor (
    actor_id uuid primary key,
    workspace_id uuid not null references workspace,
    definition_id uuid not null references actor_definition,
    actor_type text not null check (actor_type in ('source', 'destination')),
    name text not null,
    -- secrets are replaced by {"_secret": "<secret id>"}; text, so that numbers keep their digits
    configuration text not null,
    tombstone boolean not null default false,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index actor_by_workspace on actor (workspace_id, actor_type, created_at, actor_id);

-- One row per secret value; the key that sealed it is named, so that keys can be changed.
create table secret (
    secret_id uuid primary key,
    workspace_id uuid not null references workspace,
    actor_id uuid references actor,
    key_id text not null,
    -- base64 of nonce, ciphertext and tag (src/secret)
    sealed text not null,
    created_at timestamptz not null
);
create index secret_by_actor on secret (actor_id);

create table catalog (
    catalog_id uuid primary key,
    actor_id uuid not null references actor,
    -- what the catalog was discovered with: configuration (secrets as references) and version
    cache_key text not null,
    catalog text not null,
    created_at timestamptz not null
);
create index catalog_by_actor on catalog (actor_id, created_at desc);

create table connection (
    connection_id uuid primary key,
    workspace_id uuid not null references workspace,
    name text not null,
    source_id uuid not null references actor,
    destination_id uuid not null references actor,
    status text not null default 'active' check (status in ('active', 'inactive', 'deprecated', 'locked')),
    namespace_definition text not null default 'destination'
        check (namespace_definition in ('source', 'destination', 'customformat')),
    namespace_format text,
    prefix text not null default '',
    -- ConfiguredAirbyteCatalog without generation ids: those are filled in per attempt
    catalog text not null,
    schedule_type text not null default 'manual' check (schedule_type in ('manual', 'basic', 'cron')),
    cron_expression text,
    cron_timezone text,
    basic_interval_sec bigint check (basic_interval_sec > 0),
    non_breaking_changes text not null default 'ignore'
        check (non_breaking_changes in ('ignore', 'disable', 'propagate_columns', 'propagate_fully')),
    limits jsonb not null default '{}',
    -- null: nothing is due. Kept by the scheduler; an edit sets schedule_changed instead.
    next_run_at timestamptz,
    schedule_changed boolean not null default true,
    -- anchor of basic schedules; survives the deletion of old jobs
    last_run_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    check (schedule_type <> 'cron' or cron_expression is not null),
    check (schedule_type <> 'basic' or basic_interval_sec is not null)
);
create index connection_by_workspace on connection (workspace_id, created_at, connection_id);
create index connection_by_source on connection (source_id);
create index connection_by_destination on connection (destination_id);
create index connection_due on connection (next_run_at) where next_run_at is not null;
create index connection_changed on connection (connection_id) where schedule_changed;

-- Where a connection stands -----------------------------------------------------------------------

-- Committed states only: what a destination has echoed. LEGACY: one row with stream ''; GLOBAL: the
-- shared state with stream '' and a row per stream.
create table state (
    connection_id uuid not null references connection on delete cascade,
    namespace text not null default '',
    stream text not null default '',
    type text not null check (type in ('LEGACY', 'STREAM', 'GLOBAL')),
    -- the source's own bytes of stream_state, shared_state or data
    state text not null,
    updated_at timestamptz not null,
    primary key (connection_id, namespace, stream)
);

create table stream_generation (
    connection_id uuid not null references connection on delete cascade,
    namespace text not null default '',
    stream text not null,
    generation_id bigint not null check (generation_id > 0),
    job_id bigint not null,
    attempt_number integer not null,
    created_at timestamptz not null,
    primary key (connection_id, namespace, stream, generation_id),
    -- a bump happens once per attempt, however often its transaction is tried
    unique (connection_id, namespace, stream, job_id, attempt_number)
);

-- What is being done ------------------------------------------------------------------------------

create table job (
    job_id bigint generated always as identity primary key,
    config_type text not null check (config_type in ('sync', 'reset_connection', 'refresh', 'clear',
        'check_connection', 'discover_schema', 'get_spec')),
    -- the connection, actor or definition that the job is about
    scope uuid not null,
    workspace_id uuid not null references workspace,
    status text not null default 'pending'
        check (status in ('pending', 'running', 'incomplete', 'failed', 'succeeded', 'cancelled')),
    is_scheduled boolean not null default false,
    scheduled_for timestamptz,
    -- an incomplete job's next attempt; the scheduler acts on it
    retry_at timestamptz,
    cancel_requested_at timestamptz,
    -- retry counters (reference: complete = no progress, partial = some)
    complete_successive integer not null default 0,
    complete_total integer not null default 0,
    partial_successive integer not null default 0,
    partial_total integer not null default 0,
    -- the attempt that the counters have seen: an increment happens once
    counted_attempt integer not null default -1,
    -- check, discover, spec: parameters and result
    input jsonb,
    output text,
    failure jsonb,
    created_at timestamptz not null,
    started_at timestamptz,
    updated_at timestamptz not null,
    finished_at timestamptz,
    check ((finished_at is not null) = (status in ('failed', 'succeeded', 'cancelled'))),
    check (retry_at is null or status = 'incomplete')
);
-- At most one active job per connection; a second one is a unique violation, not a race.
create unique index job_one_active on job (scope)
    where status in ('pending', 'running', 'incomplete')
      and config_type in ('sync', 'reset_connection', 'refresh', 'clear');
create unique index job_one_per_tick on job (scope, scheduled_for) where scheduled_for is not null;
create index job_by_scope on job (scope, job_id desc);
create index job_retry_due on job (retry_at) where retry_at is not null;
create index job_finished on job (finished_at) where finished_at is not null;

create table attempt (
    job_id bigint not null references job on delete cascade,
    attempt_number integer not null check (attempt_number >= 0),
    status text not null default 'running' check (status in ('running', 'failed', 'succeeded')),
    -- job log, relative to /var/log/sluice/jobs
    log_path text not null,
    failure_summary jsonb,
    output text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    ended_at timestamptz,
    primary key (job_id, attempt_number),
    check ((ended_at is not null) = (status <> 'running'))
);
create unique index attempt_one_running on attempt (job_id) where status = 'running';

-- Cumulative: a repeated or late post changes nothing (greatest). stream '' is the whole attempt.
create table attempt_stats (
    job_id bigint not null,
    attempt_number integer not null,
    namespace text not null default '',
    stream text not null default '',
    records_emitted bigint not null default 0,
    bytes_emitted bigint not null default 0,
    records_committed bigint not null default 0,
    bytes_committed bigint not null default 0,
    records_rejected bigint not null default 0,
    estimated_records bigint not null default 0,
    estimated_bytes bigint not null default 0,
    source_state_messages_emitted bigint not null default 0,
    destination_state_messages_emitted bigint not null default 0,
    updated_at timestamptz not null,
    primary key (job_id, attempt_number, namespace, stream),
    foreign key (job_id, attempt_number) references attempt on delete cascade
);

-- A step that a worker must take next. Its transaction holds the row, does the step and deletes it: a
-- worker that dies gives it back by dying.
create table task (
    task_id bigint generated always as identity primary key,
    kind text not null check (kind in ('attempt_start', 'attempt_finish')),
    job_id bigint not null references job on delete cascade,
    attempt_number integer not null,
    -- later than now after a step that failed: tries counts them
    run_at timestamptz not null,
    tries integer not null default 0,
    created_at timestamptz not null,
    unique (job_id, attempt_number, kind)
);
create index task_due on task (run_at);

-- The queue ---------------------------------------------------------------------------------------

create table workload (
    workload_id text primary key,
    auto_id uuid not null unique,
    type text not null check (type in ('sync', 'check', 'discover', 'spec')),
    status text not null default 'pending'
        check (status in ('pending', 'claimed', 'launched', 'running', 'success', 'failure', 'cancelled')),
    data_plane_group text not null,
    data_plane_id text,
    job_id bigint not null,
    attempt_number integer not null,
    connection_id uuid,
    workspace_id uuid not null,
    -- without secrets; the workload API resolves them when the holder asks
    input text not null,
    -- all that a launcher sees
    launch jsonb not null,
    log_path text not null,
    -- fences every write of the holder; a new one with each claim
    token text,
    cancel_requested_at timestamptz,
    termination_source text,
    termination_reason text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    finished_at timestamptz,
    foreign key (job_id, attempt_number) references attempt on delete cascade,
    check ((finished_at is not null) = (status in ('success', 'failure', 'cancelled')))
);
-- One attempt, one workload; one connection, one unfinished workload.
create unique index workload_one_per_attempt on workload (job_id, attempt_number);
create unique index workload_one_active on workload (connection_id)
    where status in ('pending', 'claimed', 'launched', 'running') and connection_id is not null;
create index workload_by_data_plane on workload (data_plane_id)
    where status in ('claimed', 'launched', 'running');

-- Pending workloads only: the row is deleted by the claim, so the table stays small.
create table workload_queue (
    workload_id text primary key references workload on delete cascade,
    data_plane_group text not null,
    priority integer not null default 0,
    -- a launcher that polled and died: shown again after this
    hidden_until timestamptz not null,
    created_at timestamptz not null
);
create index workload_queue_next on workload_queue (data_plane_group, priority desc, created_at);
alter table workload_queue set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);

-- Narrow and hot: one update per heartbeat, in place.
create table workload_lease (
    workload_id text primary key references workload on delete cascade,
    expires_at timestamptz not null,
    heartbeat_at timestamptz not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);

create table leader (
    name text primary key,
    holder text not null,
    term bigint not null,
    expires_at timestamptz not null
);

-- Who may call ------------------------------------------------------------------------------------

create table application (
    application_id uuid primary key,
    name text not null,
    client_id text not null unique,
    client_secret_hash text not null,
    created_at timestamptz not null
);

-- The launcher may wake up and look whether there is work; everything else goes through the workload API.
do $$
begin
    if exists (select from pg_roles where rolname = 'sluice_launcher') then
        execute format('grant connect on database %I to sluice_launcher', current_database());
        grant usage on schema public to sluice_launcher;
        grant select (data_plane_group, hidden_until) on workload_queue to sluice_launcher;
    end if;
end
$$;
