-- SPDX-License-Identifier: Apache-2.0

-- name: definition_list
-- rows: Definition
-- The host's, and those of one workspace or everywhere.
-- params: actor_type text?, workspace_id uuid?, everywhere bool
select definition_id, name, actor_type, runtime, command, tree, docker_repository, docker_image_tag, documentation_url,
    to_jsonb(aliases) as aliases, to_jsonb(alias_repositories) as alias_repositories, supports_refreshes, custom, pinned, workspace_id,
    manifest_version, kit_version, coalesce(d.allowed_hosts, (
        select r.allowed_hosts
        from registry_entry r
        where r.actor_type = d.actor_type
          and (r.definition_id = d.definition_id or r.definition_id = any(d.aliases) or r.docker_repository = d.docker_repository
               or r.docker_repository = any(d.alias_repositories))
        order by r.definition_id = d.definition_id desc, r.definition_id = any(d.aliases) desc, r.definition_id
        limit 1), '[]') as allowed_hosts
from actor_definition d
where ($1 is null or actor_type = $1) and ($3 or workspace_id is null or workspace_id = $2) and not tombstone
order by name, definition_id;

-- name: definition_list_of
-- rows: Definition
-- What versions tell of those with these ids, deleted ones too; without their specifications.
-- params: definition_ids uuid[]
select definition_id, name, actor_type, runtime, command, tree, docker_repository, docker_image_tag, documentation_url,
    supports_refreshes, custom, workspace_id, manifest_version
from actor_definition
where definition_id = any($1);

-- name: definition_resolve
-- row: Definition
-- By its id or by one that it stands in for.
-- params: definition_id uuid
select definition_id, name, actor_type, runtime, command, tree, docker_repository, docker_image_tag, documentation_url,
    to_jsonb(aliases) as aliases, to_jsonb(alias_repositories) as alias_repositories, spec, supports_refreshes, limits, custom, pinned,
    workspace_id, manifest_version, kit_version, coalesce(d.allowed_hosts, (
        select r.allowed_hosts
        from registry_entry r
        where r.actor_type = d.actor_type
          and (r.definition_id = d.definition_id or r.definition_id = any(d.aliases) or r.docker_repository = d.docker_repository
               or r.docker_repository = any(d.alias_repositories))
        order by r.definition_id = d.definition_id desc, r.definition_id = any(d.aliases) desc, r.definition_id
        limit 1), '[]') as allowed_hosts
from actor_definition d
where (definition_id = $1 or aliases @> array[$1]) and not tombstone
order by definition_id = $1 desc, custom desc, created_at, definition_id
limit 1;

-- name: definition_find_by_name
-- row: Definition
-- The short name of clients ("postgres"): the repository's last part without "source-" or "destination-"; then that of images
-- that it stands in for. A workspace's own come last: the name means what it means everywhere.
-- params: actor_type text, short_name text, workspace_id uuid
select definition_id, name, actor_type, runtime, command, tree, docker_repository, docker_image_tag, documentation_url,
    to_jsonb(aliases) as aliases, spec, supports_refreshes, limits, custom, workspace_id, manifest_version
from actor_definition
where actor_type = $1 and not tombstone
  and (regexp_replace(docker_repository, '^.*/', '') in ($1 || '-' || $2, $2)
       or exists (select from unnest(alias_repositories) r where regexp_replace(r, '^.*/', '') in ($1 || '-' || $2, $2)))
  and (workspace_id is null or workspace_id = $3 and manifest_version is null)
order by regexp_replace(docker_repository, '^.*/', '') in ($1 || '-' || $2, $2) desc, workspace_id nulls first, custom desc, created_at, definition_id
limit 1;

-- name: definition_list_for_workspace
-- rows: Definition
-- used: only those of which the workspace has a source or destination.
-- params: actor_type text, workspace_id uuid, include_deleted bool, used bool
select definition_id, name, actor_type, runtime, command, tree, docker_repository, docker_image_tag, documentation_url,
    supports_refreshes, custom, workspace_id, manifest_version
from actor_definition d
where actor_type = $1 and ($3 or not tombstone) and (d.workspace_id is null or d.workspace_id = $2)
  and (not $4 or exists (
      select from actor a where a.definition_id = d.definition_id and a.workspace_id = $2 and not a.tombstone))
order by name, definition_id;

-- name: definition_rename
-- row: Definition
-- params: definition_id uuid, name text, now timestamptz
update actor_definition
set name = $2, updated_at = $3
where definition_id = $1 and custom and not tombstone
returning definition_id, name, actor_type, runtime, command, tree, docker_repository, docker_image_tag, documentation_url,
    to_jsonb(aliases) as aliases, spec, supports_refreshes, limits, custom;

-- name: definition_save
-- row: Definition
-- One of the administrator's. Registered again under its id, it is replaced, but what it stands in for and
-- may have is kept unless it is given; what a package ships is not.
-- params: definition_id uuid, name text, actor_type text, runtime text, command jsonb, tree text, docker_repository text, docker_image_tag text, documentation_url text, aliases uuid[], spec text, supports_refreshes bool, limits jsonb, ipc_options jsonb, kit_version text, allowed_hosts jsonb?, now timestamptz
insert into actor_definition as d (definition_id, name, actor_type, runtime, command, tree, docker_repository,
    docker_image_tag, documentation_url, aliases, spec, supports_refreshes, limits, ipc_options, kit_version, allowed_hosts, custom,
    created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, true, $17, $17)
on conflict (definition_id) do update
set name = excluded.name, runtime = excluded.runtime, command = excluded.command, tree = excluded.tree,
    docker_repository = excluded.docker_repository, docker_image_tag = excluded.docker_image_tag,
    documentation_url = coalesce(nullif(excluded.documentation_url, ''), d.documentation_url),
    aliases = case when excluded.aliases = '{}' then d.aliases else excluded.aliases end, spec = excluded.spec,
    supports_refreshes = excluded.supports_refreshes, limits = case when excluded.limits = '{}' then d.limits else excluded.limits end,
    ipc_options = case when excluded.ipc_options = '{}' then d.ipc_options else excluded.ipc_options end, kit_version = excluded.kit_version,
    allowed_hosts = coalesce(excluded.allowed_hosts, d.allowed_hosts),
    manifest_version = case when excluded.runtime = 'manifest' then d.manifest_version end, tombstone = false, updated_at = excluded.updated_at
where d.custom and d.actor_type = excluded.actor_type
returning definition_id, name, actor_type, runtime, command, tree, docker_repository, docker_image_tag, documentation_url,
    to_jsonb(aliases) as aliases, spec, supports_refreshes, limits, custom, pinned, workspace_id, manifest_version, kit_version,
    coalesce(allowed_hosts, '[]') as allowed_hosts;

-- name: definition_pin
-- int:
-- params: definition_id uuid, pinned bool, now timestamptz
with pinned as (
    update actor_definition
    set pinned = $2, updated_at = $3
    where definition_id = $1 and custom and not tombstone
    returning 1)
select count(*) from pinned;

-- name: definition_delete
-- int:
-- Only one of the administrator's that nothing uses.
-- params: definition_id uuid, now timestamptz
with gone as (
    update actor_definition d
    set tombstone = true, updated_at = $2
    where d.definition_id = $1 and d.custom and not d.tombstone
      and not exists (select from actor a where a.definition_id = d.definition_id and not a.tombstone)
    returning 1)
select count(*) from gone;

-- name: definition_find_image
-- row: Definition
-- Of the host: what is installed of a container image, or stands in for it in whatever version. A manifest is its definition's own:
-- nothing else is run like it.
-- params: actor_type text, docker_repository text, docker_image_tag text
select definition_id, name, actor_type, runtime, command, tree, docker_repository, docker_image_tag, documentation_url,
    to_jsonb(aliases) as aliases, spec, supports_refreshes, limits, custom, workspace_id, manifest_version
from actor_definition
where actor_type = $1 and (docker_repository = $2 and docker_image_tag = $3 or alias_repositories @> array[$2]) and workspace_id is null
  and manifest_version is null and not tombstone
order by docker_repository = $2 desc, custom desc, created_at, definition_id
limit 1;

-- name: definition_add_like
-- row: Definition
-- A workspace's own, run as another one.
-- params: definition_id uuid, workspace_id uuid, name text, documentation_url text, like_id uuid, now timestamptz
insert into actor_definition (definition_id, name, actor_type, runtime, command, tree, docker_repository, docker_image_tag,
    documentation_url, spec, supports_refreshes, limits, ipc_options, custom, workspace_id, created_at, updated_at)
select $1, $3, actor_type, runtime, command, tree, docker_repository, docker_image_tag, $4, spec, supports_refreshes, limits,
    ipc_options, true, $2, $6, $6
from actor_definition
where definition_id = $5 and not tombstone
returning definition_id, name, actor_type, runtime, command, tree, docker_repository, docker_image_tag, documentation_url,
    to_jsonb(aliases) as aliases, spec, supports_refreshes, limits, custom, workspace_id, manifest_version;

-- name: definition_change_like
-- row: Definition
-- Run as another one from now on, which may be itself.
-- params: definition_id uuid, name text, like_id uuid, now timestamptz
update actor_definition d
set name = $2, runtime = o.runtime, command = o.command, tree = o.tree, docker_image_tag = o.docker_image_tag, spec = o.spec,
    supports_refreshes = o.supports_refreshes, limits = o.limits, ipc_options = o.ipc_options, updated_at = $4
from actor_definition o
where d.definition_id = $1 and o.definition_id = $3 and not d.tombstone
returning d.definition_id, d.name, d.actor_type, d.runtime, d.command, d.tree, d.docker_repository, d.docker_image_tag,
    d.documentation_url, to_jsonb(d.aliases) as aliases, d.spec, d.supports_refreshes, d.limits, d.custom, d.workspace_id,
    d.manifest_version;

-- name: definition_add_manifest
-- exec:
-- params: definition_id uuid, workspace_id uuid, name text, docker_repository text, docker_image_tag text, spec text, now timestamptz
insert into actor_definition (definition_id, name, actor_type, runtime, command, docker_repository, docker_image_tag, spec,
    custom, workspace_id, manifest_version, created_at, updated_at)
values ($1, $3, 'source', 'manifest', '["sluice_connector"]', $4, $5, $6, true, $2, 1, $7, $7);

-- name: definition_set_manifest
-- exec:
-- A workspace's is run by whatever environment then fits it; the host's has its own.
-- params: definition_id uuid, version int8, docker_image_tag text, spec text, now timestamptz
update actor_definition
set manifest_version = $2, docker_image_tag = $3, spec = $4, updated_at = $5,
    tree = case when workspace_id is null then tree else '' end,
    kit_version = case when workspace_id is null then kit_version else '' end
where definition_id = $1;

-- name: manifest_add
-- exec:
-- params: definition_id uuid, version int8, manifest text, spec text, now timestamptz
insert into declarative_manifest (definition_id, version, manifest, spec, created_at)
values ($1, $2, $3, $4, $5);

-- name: manifest_next_version
-- int:
-- Of two at once the second one is refused: its version is there already.
-- params: definition_id uuid
select coalesce(max(version), 0) + 1 from declarative_manifest where definition_id = $1;

-- name: manifest_get_active
-- row: ManifestRow
-- params: workspace_id uuid, definition_id uuid
select d.definition_id, d.name, m.version, m.manifest
from actor_definition d
join declarative_manifest m on m.definition_id = d.definition_id and m.version = d.manifest_version
where d.workspace_id = $1 and d.definition_id = $2 and not d.tombstone;

-- name: manifest_list
-- rows: ManifestRow
-- params: workspace_id uuid
select d.definition_id, d.name, m.version, m.manifest
from actor_definition d
join declarative_manifest m on m.definition_id = d.definition_id and m.version = d.manifest_version
where d.workspace_id = $1 and not d.tombstone
order by d.name, d.definition_id;

-- name: definition_list_kits
-- rows: Definition
-- Environments that run manifests.
-- params:
select distinct tree, kit_version
from actor_definition
where kit_version <> '' and tree <> '' and not tombstone;

-- name: definition_set_kit
-- exec:
-- params: definition_id uuid, tree text, kit_version text, now timestamptz
update actor_definition
set tree = $2, kit_version = $3, updated_at = $4
where definition_id = $1;
