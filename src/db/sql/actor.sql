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
-- Which hosts it may reach the administrator says, or else the registry.
-- params: definition_id uuid
select definition_id, name, actor_type, runtime, command, tree, docker_repository, docker_image_tag, documentation_url,
    to_jsonb(aliases) as aliases, spec, supports_refreshes, limits, ipc_options, custom, workspace_id,
    manifest_version, coalesce(d.allowed_hosts, (
        select r.allowed_hosts
        from registry_entry r
        where r.actor_type = d.actor_type
          and (r.definition_id = d.definition_id or r.definition_id = any(d.aliases) or r.docker_repository = d.docker_repository
               or r.docker_repository = any(d.alias_repositories))
        order by r.definition_id = d.definition_id desc, r.definition_id = any(d.aliases) desc, r.definition_id
        limit 1), '[]') as allowed_hosts
from actor_definition d
where definition_id = $1 and not tombstone;

-- name: definition_seed
-- exec:
-- What a package ships. An administrator's own definition of the same id stays.
-- params: definition_id uuid, name text, actor_type text, runtime text, command jsonb, docker_repository text, docker_image_tag text, documentation_url text, aliases uuid[], alias_repositories text[], spec text, supports_refreshes bool, limits jsonb, ipc_options jsonb, now timestamptz
insert into actor_definition as d (definition_id, name, actor_type, runtime, command, docker_repository, docker_image_tag,
    documentation_url, aliases, alias_repositories, spec, supports_refreshes, limits, ipc_options, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)
on conflict (definition_id) do update
set name = excluded.name, runtime = excluded.runtime, command = excluded.command, docker_repository = excluded.docker_repository,
    docker_image_tag = excluded.docker_image_tag, documentation_url = excluded.documentation_url, aliases = excluded.aliases,
    alias_repositories = excluded.alias_repositories,
    spec = excluded.spec, supports_refreshes = excluded.supports_refreshes, limits = excluded.limits,
    ipc_options = excluded.ipc_options, updated_at = excluded.updated_at
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

-- name: catalog_keep
-- text:
-- Its id. The same as the one before under this key: only fetched later.
-- params: catalog_id uuid, actor_id uuid, cache_key text, catalog text, hash text, now timestamptz
with same as (
    update catalog
    set fetched_at = $6
    where hash = $5 and catalog_id = (
        select catalog_id from catalog
        where actor_id = $2 and cache_key = $3
        order by coalesce(fetched_at, created_at) desc
        limit 1)
    returning catalog_id),
fresh as (
    insert into catalog (catalog_id, actor_id, cache_key, catalog, hash, created_at, fetched_at)
    select $1, $2, $3, $4, $5, $6, $6
    where not exists (select from same)
    returning catalog_id)
select catalog_id::text from same
union all
select catalog_id::text from fresh;

-- name: catalog_find
-- row: CatalogRow
-- The newest of an actor; with a key, of those that were discovered with it; and not after `before`.
-- params: actor_id uuid, cache_key text?, before timestamptz?
select catalog_id, catalog, hash, coalesce(fetched_at, created_at) as created_at
from catalog
where actor_id = $1 and ($2 is null or cache_key = $2) and ($3 is null or created_at <= $3)
order by coalesce(fetched_at, created_at) desc
limit 1;

-- name: catalog_get
-- row: CatalogRow
-- params: catalog_id uuid, actor_id uuid
select catalog_id, catalog, hash, coalesce(fetched_at, created_at) as created_at
from catalog
where catalog_id = $1 and actor_id = $2;

-- name: catalog_get_cached
-- text:
-- params: actor_id uuid, cache_key text
select catalog
from catalog
where actor_id = $1 and cache_key = $2
order by coalesce(fetched_at, created_at) desc
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

-- name: actor_find
-- rows: ActorRow
-- Filters may be null. state: has it active connections? cursor: the actor that the page before ended with. Who uses an actor is
-- looked up for the page only, unless the filter or the order needs it of all.
-- params: actor_type text, workspace_ids uuid[], include_deleted bool, name_contains text?, state text?, actor_id uuid?, definition_id uuid?, definition_name text?, workspace_id uuid?, configuration jsonb?, sort text, cursor uuid?, limit int8, offset int8
with found as (
    select a.actor_id, a.workspace_id, a.definition_id, d.name as definition_name, a.name, a.configuration,
        a.resource_allocation, a.created_at, early.last_sync
    from actor a
    join actor_definition d using (definition_id)
    left join lateral (
        select u.last_sync, u.active_connections
        from actor_use(a.actor_id, $1) u
        where $5 is not null or $11 in ('lastSync_asc', 'lastSync_desc')) early on true
    where a.actor_type = $1 and (cardinality($2) = 0 or a.workspace_id = any($2)) and ($3 or not a.tombstone)
      and ($4 is null or position(lower($4) in lower(a.name)) > 0)
      and ($5 is null or $5 = case when early.active_connections > 0 then 'active' else 'inactive' end)
      and ($6 is null or a.actor_id = $6) and ($7 is null or a.definition_id = $7) and ($8 is null or d.name = $8)
      and ($9 is null or a.workspace_id = $9) and ($10 is null or a.configuration::jsonb @> $10)
), numbered as (
    select found.*, count(*) over () as total, row_number() over (
        order by
            case $11 when 'actorName_asc' then lower(name) when 'actorDefinitionName_asc' then lower(definition_name) end,
            case $11 when 'actorName_desc' then lower(name) when 'actorDefinitionName_desc' then lower(definition_name) end desc,
            case $11 when 'lastSync_asc' then last_sync end nulls first,
            case $11 when 'lastSync_desc' then last_sync end desc nulls last,
            created_at, actor_id) as place
    from found
), page as (
    select *
    from numbered
    where place > coalesce((select place from numbered where actor_id = $12), 0)
    order by place
    limit $13 offset $14
)
select p.actor_id, p.workspace_id, p.definition_id, p.definition_name, p.name, p.configuration, p.resource_allocation, p.created_at,
    used.connections, used.active_connections, used.last_sync, used.job_statuses, p.total
from page p
cross join lateral actor_use(p.actor_id, $1) used
order by p.place;

-- name: actor_add
-- row: Actor
-- params: actor_id uuid, workspace_id uuid, definition_id uuid, actor_type text, name text, configuration text, now timestamptz
insert into actor (actor_id, workspace_id, definition_id, actor_type, name, configuration, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $7)
returning actor_id, workspace_id, definition_id, actor_type, name, configuration, resource_allocation, tombstone, created_at, updated_at;

-- name: actor_hold
-- int:
-- How many of the two are not deleted, and will not be before the end of this transaction.
-- params: source_id uuid, destination_id uuid
select count(*)
from (
    select actor_id from actor
    where actor_id in ($1, $2) and not tombstone
    order by actor_id
    for share) held;

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
