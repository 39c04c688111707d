-- SPDX-License-Identifier: Apache-2.0
-- What the public API keeps besides: resource wishes, tags, definitions of one workspace, manifests.

alter table actor add column resource_allocation jsonb;

create table tag (
    tag_id uuid primary key,
    workspace_id uuid not null references workspace,
    name text not null check (char_length(name) between 1 and 30),
    -- six hexadecimal digits, without '#'
    color text not null check (color ~ '^[0-9a-fA-F]{6}$'),
    created_at timestamptz not null,
    unique (workspace_id, name)
);

create table connection_tag (
    connection_id uuid not null references connection on delete cascade,
    tag_id uuid not null references tag on delete cascade,
    primary key (connection_id, tag_id)
);
create index connection_tag_by_tag on connection_tag (tag_id);

-- null: the whole host's
alter table actor_definition add column workspace_id uuid references workspace;

-- Sources that are a manifest. manifest_version is the active one; null: the definition is a program.
create table declarative_manifest (
    definition_id uuid not null references actor_definition,
    version bigint not null check (version > 0),
    manifest text not null,
    spec text not null,
    created_at timestamptz not null,
    primary key (definition_id, version)
);
alter table actor_definition add column manifest_version bigint;
alter table actor_definition add foreign key (definition_id, manifest_version) references declarative_manifest (definition_id, version)
    deferrable initially deferred;

-- Secrets of a connection's mappers. Exactly one owner.
alter table secret add column connection_id uuid references connection;
alter table secret add check (num_nonnulls(actor_id, connection_id) <= 1);
create index secret_by_connection on secret (connection_id) where connection_id is not null;
