-- SPDX-License-Identifier: Apache-2.0
-- What was asked for single streams: to be read anew, or emptied. A row waits without a job; the transaction that makes the
-- job takes it, so that a request is never lost and never done twice.
create table stream_request (
    request_id bigint generated always as identity primary key,
    connection_id uuid not null references connection on delete cascade,
    namespace text not null default '',
    stream text not null check (stream <> ''),
    -- merge: read all again and keep the old rows; truncate: old rows go when the new ones are complete; reset, clear: empty it
    kind text not null check (kind in ('merge', 'truncate', 'reset', 'clear')),
    -- begin a job as soon as nothing runs; otherwise the next sync takes it along
    at_once boolean not null,
    job_id bigint references job on delete cascade,
    created_at timestamptz not null
);
-- One waiting row per stream and sort: emptied and then read anew is two jobs, one after the other.
create unique index stream_request_waiting on stream_request (connection_id, namespace, stream, (kind in ('reset', 'clear')))
    where job_id is null;
create unique index stream_request_of_job on stream_request (job_id, namespace, stream) where job_id is not null;

-- Old rows must go once a job has succeeded, however many jobs that takes: a truncating refresh and a clear owe it.
alter table stream_generation add column truncates boolean not null default false;
create index stream_generation_owed on stream_generation (connection_id) where truncates;
