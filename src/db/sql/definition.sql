-- SPDX-License-Identifier: Apache-2.0

-- name: definition_list
-- rows: Definition
-- params: actor_type text?
select definition_id, name, actor_type, runtime, command, tree, docker_repository, docker_image_tag, documentation_url,
    supports_refreshes, custom
from actor_definition
where ($1 is null or actor_type = $1) and not tombstone
order by name, definition_id;

-- name: definition_resolve
-- row: Definition
-- By its id or by one that it stands in for.
-- params: definition_id uuid
select definition_id, name, actor_type, runtime, command, tree, docker_repository, docker_image_tag, documentation_url,
    to_jsonb(aliases) as aliases, spec, supports_refreshes, limits, custom
from actor_definition
where (definition_id = $1 or aliases @> array[$1]) and not tombstone
order by definition_id = $1 desc, custom desc, created_at, definition_id
limit 1;

-- name: definition_find_by_name
-- row: Definition
-- The short name of clients ("postgres"): the repository's last part without "source-" or "destination-".
-- params: actor_type text, short_name text
select definition_id, name, actor_type, runtime, command, tree, docker_repository, docker_image_tag, documentation_url,
    to_jsonb(aliases) as aliases, spec, supports_refreshes, limits, custom
from actor_definition
where actor_type = $1 and not tombstone
  and regexp_replace(docker_repository, '^.*/', '') in ($1 || '-' || $2, $2)
order by custom desc, created_at, definition_id
limit 1;

-- name: definition_list_for_workspace
-- rows: Definition
-- used: only those of which the workspace has a source or destination.
-- params: actor_type text, workspace_id uuid, include_deleted bool, used bool
select definition_id, name, actor_type, runtime, command, tree, docker_repository, docker_image_tag, documentation_url,
    supports_refreshes, custom
from actor_definition d
where actor_type = $1 and ($3 or not tombstone)
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
-- One of the administrator's. Registered again under its id, it is replaced; what a package ships is not.
-- params: definition_id uuid, name text, actor_type text, runtime text, command jsonb, tree text, docker_repository text, docker_image_tag text, documentation_url text, aliases uuid[], spec text, supports_refreshes bool, limits jsonb, now timestamptz
insert into actor_definition as d (definition_id, name, actor_type, runtime, command, tree, docker_repository,
    docker_image_tag, documentation_url, aliases, spec, supports_refreshes, limits, custom, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, true, $14, $14)
on conflict (definition_id) do update
set name = excluded.name, runtime = excluded.runtime, command = excluded.command, tree = excluded.tree,
    docker_repository = excluded.docker_repository, docker_image_tag = excluded.docker_image_tag,
    documentation_url = excluded.documentation_url, aliases = excluded.aliases, spec = excluded.spec,
    supports_refreshes = excluded.supports_refreshes, limits = excluded.limits, tombstone = false, updated_at = excluded.updated_at
where d.custom and d.actor_type = excluded.actor_type
returning definition_id, name, actor_type, runtime, command, tree, docker_repository, docker_image_tag, documentation_url,
    to_jsonb(aliases) as aliases, spec, supports_refreshes, limits, custom;

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
