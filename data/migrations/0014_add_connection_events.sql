-- SPDX-License-Identifier: Apache-2.0
-- What has happened to connections, for their timelines. A row is written in the transaction of what it tells.
create table connection_event (
    event_id uuid primary key,
    -- events of one instant keep the order in which they were written
    seq bigint generated always as identity,
    connection_id uuid not null references connection on delete cascade,
    event_type text not null check (event_type in (
        'SYNC_STARTED', 'SYNC_SUCCEEDED', 'SYNC_INCOMPLETE', 'SYNC_FAILED', 'SYNC_CANCELLED',
        'REFRESH_STARTED', 'REFRESH_SUCCEEDED', 'REFRESH_INCOMPLETE', 'REFRESH_FAILED', 'REFRESH_CANCELLED',
        'CLEAR_STARTED', 'CLEAR_SUCCEEDED', 'CLEAR_INCOMPLETE', 'CLEAR_FAILED', 'CLEAR_CANCELLED',
        'CONNECTION_SETTINGS_UPDATE', 'CONNECTION_ENABLED', 'CONNECTION_DISABLED',
        'SCHEMA_UPDATE', 'SCHEMA_CONFIG_UPDATE', 'CONNECTOR_UPDATE', 'UNKNOWN')),
    -- who did it; null: the platform. Without a foreign key: the event outlives the account,
    user_id uuid,
    -- and the job
    job_id bigint,
    summary jsonb not null check (jsonb_typeof(summary) = 'object'),
    created_at timestamptz not null
);
create index connection_event_timeline on connection_event (connection_id, created_at desc, seq desc);
create index connection_event_old on connection_event (created_at);
-- A run that is told twice is written once.
create unique index connection_event_once on connection_event (job_id, event_type) where job_id is not null;

-- Whoever asks first for the end of a job is who has cancelled it.
alter table job add column cancelled_by uuid;
