-- SPDX-License-Identifier: Apache-2.0
-- Who may call: people, what they may do, their applications and sessions. Of everything that opens a door only hashes
-- rest here; an application's secret is also sealed, because the API shows it again.

create table account (
    user_id uuid primary key,
    email text not null default '',
    name text not null default '',
    status text not null check (status in ('invited', 'registered', 'disabled')),
    -- PHC string (argon2id); null: no login by password
    password_hash text,
    default_workspace_id uuid references workspace on delete set null,
    company_name text not null default '',
    news boolean not null default false,
    metadata jsonb not null default '{}',
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create unique index account_by_email on account (lower(email)) where email <> '';

create table permission (
    permission_id uuid primary key,
    user_id uuid not null references account on delete cascade,
    permission_type text not null check (permission_type in (
        'instance_admin', 'organization_admin', 'organization_editor', 'organization_runner', 'organization_reader',
        'organization_member', 'workspace_owner', 'workspace_admin', 'workspace_editor', 'workspace_source_editor',
        'workspace_destination_editor', 'workspace_runner', 'workspace_reader')),
    workspace_id uuid references workspace on delete cascade,
    organization_id uuid references organization on delete cascade,
    created_at timestamptz not null,
    -- a role is of an instance, an organization or a workspace, and names it
    check ((permission_type like 'workspace%') = (workspace_id is not null)),
    check ((permission_type like 'organization%') = (organization_id is not null))
);
create unique index permission_once on permission (user_id, permission_type,
    coalesce(workspace_id, organization_id, '00000000-0000-0000-0000-000000000000'));
create index permission_by_workspace on permission (workspace_id) where workspace_id is not null;
create index permission_by_organization on permission (organization_id) where organization_id is not null;

-- The first administrator; the id is the one that clients know from the reference. No password: a setup link sets it.
insert into account (user_id, name, status, created_at, updated_at)
values ('00000000-0000-0000-0000-000000000000', 'Administrator', 'invited', now(), now());
insert into permission (permission_id, user_id, permission_type, created_at)
values (gen_random_uuid(), '00000000-0000-0000-0000-000000000000', 'instance_admin', now());

alter table application
    add column user_id uuid references account on delete cascade,
    -- with the master key; null: made before secrets were kept, and shown masked
    add column client_secret_sealed text;
update application set user_id = '00000000-0000-0000-0000-000000000000';
alter table application alter column user_id set not null;
create index application_by_user on application (user_id, created_at, application_id);

-- A login. The refresh token changes with each use: an old one that comes back was stolen, and ends the session.
create table session (
    session_id uuid primary key,
    user_id uuid not null references account on delete cascade,
    refresh_hash text not null,
    previous_hash text not null default '',
    rotated_at timestamptz not null,
    expires_at timestamptz not null,
    created_at timestamptz not null
);
create index session_by_user on session (user_id);
create index session_expired on session (expires_at);

-- One-time links that set an account's e-mail and password.
create table setup_token (
    token_hash text primary key,
    user_id uuid not null references account on delete cascade,
    expires_at timestamptz not null,
    used_at timestamptz,
    created_at timestamptz not null
);
