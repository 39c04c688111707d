-- SPDX-License-Identifier: Apache-2.0
-- What a connector registry offers; what is installed is actor_definition.

-- The one registry, as it was read last.
create table registry (
    only_one boolean primary key default true check (only_one),
    source text not null,
    etag text,
    last_modified text,
    digest text not null,
    entries bigint not null,
    changed_at timestamptz not null,
    checked_at timestamptz not null
);

create table registry_entry (
    definition_id uuid primary key,
    actor_type text not null check (actor_type in ('source', 'destination')),
    name text not null,
    docker_repository text not null,
    docker_image_tag text not null,
    documentation_url text not null,
    icon text not null,
    support_level text not null,
    release_stage text not null,
    language text not null,
    pypi_package text,
    npm_package text,
    allowed_hosts jsonb not null,
    resource_requirements jsonb not null,
    breaking_changes jsonb not null,
    max_seconds_between_messages bigint,
    spec text not null,
    digest text not null,
    removed_at timestamptz,
    updated_at timestamptz not null
);
create index registry_entry_by_name on registry_entry (lower(name), definition_id);
