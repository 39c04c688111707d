-- SPDX-License-Identifier: Apache-2.0
-- Jobs that a client started under an id of its own: asked again, the same id starts nothing.
create table command (
    command_id text primary key check (command_id <> ''),
    type text not null check (type in ('check', 'discover', 'spec')),
    workspace_id uuid not null references workspace,
    -- null: of something that nobody has saved
    actor_id uuid references actor,
    job_id bigint not null references job on delete cascade,
    created_at timestamptz not null
);
create index command_by_job on command (job_id);
