-- SPDX-License-Identifier: Apache-2.0

-- name: actor_get
-- row: Actor
-- params: actor_id uuid
select actor_id, workspace_id, definition_id, actor_type, name, configuration, resource_allocation, tombstone, created_at, updated_at
from actor
where actor_id = $1;

-- name: actor_replace_configuration
-- exec:
-- Zero rows: somebody has edited it meanwhile, and the edit stays.
-- params: actor_id uuid, old text, new text, now timestamptz
update actor
set configuration = $3, updated_at = $4
where actor_id = $1 and configuration = $2 and not tombstone;

-- name: definition_get
-- row: Definition
-- params: definition_id uuid
select definition_id, name, actor_type, runtime, command, tree, docker_repository, docker_image_tag, documentation_url,
    to_jsonb(aliases) as aliases, spec, supports_refreshes, limits, custom, workspace_id, manifest_version
from actor_definition
where definition_id = $1 and not tombstone;

-- name: definition_seed
-- exec:
-- What a package ships. An administrator's own definition of the same id stays.
-- params: definition_id uuid, name text, actor_type text, runtime text, command jsonb, docker_repository text, docker_image_tag text, documentation_url text, aliases uuid[], spec text, supports_refreshes bool, limits jsonb, now timestamptz
insert into actor_definition as d (definition_id, name, actor_type, runtime, command, docker_repository, docker_image_tag,
    documentation_url, aliases, spec, supports_refreshes, limits, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)
on conflict (definition_id) do update
set name = excluded.name, runtime = excluded.runtime, command = excluded.command, docker_repository = excluded.docker_repository,
    docker_image_tag = excluded.docker_image_tag, documentation_url = excluded.documentation_url, aliases = excluded.aliases,
    spec = excluded.spec, supports_refreshes = excluded.supports_refreshes, limits = excluded.limits, updated_at = excluded.updated_at
where not d.custom;

-- name: workspace_get
-- row: Workspace
-- params: workspace_id uuid
select workspace_id, organization_id, name, data_plane_group, notifications, created_at
from workspace
where workspace_id = $1 and not tombstone;

-- name: organization_seed
-- exec:
-- params: organization_id uuid, name text, now timestamptz
insert into organization (organization_id, name, created_at) values ($1, $2, $3)
on conflict (organization_id) do nothing;

-- name: workspace_seed
-- exec:
-- Only when there is none at all: a deleted default workspace stays deleted.
-- params: workspace_id uuid, organization_id uuid, name text, now timestamptz
insert into workspace (workspace_id, organization_id, name, created_at)
select $1, $2, $3, $4
where not exists (select from workspace);

-- name: catalog_add
-- exec:
-- params: catalog_id uuid, actor_id uuid, cache_key text, catalog text, now timestamptz
insert into catalog (catalog_id, actor_id, cache_key, catalog, created_at)
values ($1, $2, $3, $4, $5);

-- name: catalog_find
-- row: CatalogRow
-- The newest of an actor; with a key, of those that were discovered with it; and not after `before`.
-- params: actor_id uuid, cache_key text?, before timestamptz?
select catalog_id, catalog, created_at
from catalog
where actor_id = $1 and ($2 is null or cache_key = $2) and ($3 is null or created_at <= $3)
order by created_at desc
limit 1;

-- name: catalog_get_cached
-- text:
-- params: actor_id uuid, cache_key text
select catalog
from catalog
where actor_id = $1 and cache_key = $2
order by created_at desc
limit 1;

-- name: actor_list
-- rows: Actor
-- No ids: all workspaces.
-- params: actor_type text, workspace_ids uuid[], include_deleted bool, limit int8, offset int8
select actor_id, workspace_id, definition_id, actor_type, name, configuration, resource_allocation, tombstone, created_at, updated_at
from actor
where actor_type = $1 and (cardinality($2) = 0 or workspace_id = any($2)) and ($3 or not tombstone)
order by created_at, actor_id
limit $4 offset $5;

-- name: actor_add
-- row: Actor
-- params: actor_id uuid, workspace_id uuid, definition_id uuid, actor_type text, name text, configuration text, now timestamptz
insert into actor (actor_id, workspace_id, definition_id, actor_type, name, configuration, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $7)
returning actor_id, workspace_id, definition_id, actor_type, name, configuration, resource_allocation, tombstone, created_at, updated_at;

-- name: actor_lock
-- row: Actor
-- params: actor_id uuid
select actor_id, workspace_id, definition_id, actor_type, name, configuration, resource_allocation, tombstone, created_at, updated_at
from actor
where actor_id = $1
for update;

-- name: actor_update
-- row: Actor
-- params: actor_id uuid, name text, configuration text, resource_allocation jsonb?, now timestamptz
update actor
set name = $2, configuration = $3, resource_allocation = $4, updated_at = $5
where actor_id = $1 and not tombstone
returning actor_id, workspace_id, definition_id, actor_type, name, configuration, resource_allocation, tombstone, created_at, updated_at;

-- name: actor_delete
-- exec:
-- With the connections that use it, and its secrets.
-- params: actor_id uuid, now timestamptz
with connections as (
    update connection
    set status = 'deprecated', schedule_changed = true, updated_at = $2
    where (source_id = $1 or destination_id = $1) and status <> 'deprecated'
), secrets as (
    delete from secret where actor_id = $1
)
update actor
set tombstone = true, configuration = '{}', updated_at = $2
where actor_id = $1 and not tombstone;
