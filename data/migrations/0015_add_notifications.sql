-- SPDX-License-Identifier: Apache-2.0
-- What the platform has to tell others: a row is written in the transaction of what it tells and delivered afterwards, so that
-- a receiver that is slow or dead delays nothing.
create table notification (
    -- goes with every try, so that a receiver can tell a repetition
    notification_id uuid primary key,
    seq bigint generated always as identity,
    workspace_id uuid not null references workspace on delete cascade,
    connection_id uuid,
    job_id bigint,
    trigger text not null check (trigger in ('success', 'failure', 'syncDisabled', 'syncDisabledWarning', 'connectionUpdate',
        'connectionUpdateActionRequired', 'breakingChangeWarning', 'breakingChangeSyncsDisabled', 'connectionSyncQueued',
        'postSync')),
    -- unit: a systemd unit that the administrator has allowed
    channel text not null check (channel in ('webhook', 'email', 'unit')),
    target text not null check (target <> ''),
    facts jsonb not null check (jsonb_typeof(facts) = 'object'),
    tries integer not null default 0,
    -- null: sent or given up
    due_at timestamptz,
    -- who delivers it has it until then; one that dies gives it back
    claimed_until timestamptz,
    sent_at timestamptz,
    error text not null default '',
    created_at timestamptz not null,
    check (sent_at is null or due_at is null)
);
create index notification_due on notification (due_at) where due_at is not null;
create index notification_claimed on notification (channel, target, claimed_until) where claimed_until is not null;
create index notification_old on notification (created_at) where due_at is null;
-- A run is told once to each.
create unique index notification_once on notification (job_id, trigger, channel, target) where job_id is not null;

-- What is done when a sync or refresh has ended: an address that is called, or the name of a systemd unit. '' = nothing.
alter table connection
    add column on_sync_success text not null default '',
    add column on_sync_failure text not null default '';
