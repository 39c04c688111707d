-- SPDX-License-Identifier: Apache-2.0

-- name: registry_get
-- row: RegistryState
-- params:
select source, etag, last_modified, digest, entries, changed_at, checked_at from registry;

-- name: registry_lock
-- exec:
-- One update at a time.
-- params:
select pg_advisory_xact_lock(hashtext('sluice.registry'));

-- name: registry_save
-- exec:
-- params: source text, etag text?, last_modified text?, digest text, entries int8, now timestamptz
insert into registry (source, etag, last_modified, digest, entries, changed_at, checked_at)
values ($1, $2, $3, $4, $5, $6, $6)
on conflict (only_one) do update
set source = excluded.source, etag = excluded.etag, last_modified = excluded.last_modified, digest = excluded.digest,
    entries = excluded.entries, changed_at = excluded.changed_at, checked_at = excluded.checked_at;

-- name: registry_mark_checked
-- exec:
-- params: source text, now timestamptz
update registry set source = $1, checked_at = $2;

-- name: registry_entry_save
-- int:
-- 1 when it is new or says something else than before.
-- params: definition_id uuid, actor_type text, name text, docker_repository text, docker_image_tag text, documentation_url text, icon text, support_level text, release_stage text, language text, pypi_package text?, npm_package text?, allowed_hosts jsonb, resource_requirements jsonb, breaking_changes jsonb, max_seconds_between_messages int8?, spec text, digest text, manifest_url text?, now timestamptz
with saved as (
    insert into registry_entry as r (definition_id, actor_type, name, docker_repository, docker_image_tag, documentation_url,
        icon, support_level, release_stage, language, pypi_package, npm_package, allowed_hosts, resource_requirements,
        breaking_changes, max_seconds_between_messages, spec, digest, manifest_url, updated_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
    on conflict (definition_id) do update
    set actor_type = excluded.actor_type, name = excluded.name, docker_repository = excluded.docker_repository,
        docker_image_tag = excluded.docker_image_tag, documentation_url = excluded.documentation_url, icon = excluded.icon,
        support_level = excluded.support_level, release_stage = excluded.release_stage, language = excluded.language,
        pypi_package = excluded.pypi_package, npm_package = excluded.npm_package, allowed_hosts = excluded.allowed_hosts,
        resource_requirements = excluded.resource_requirements, breaking_changes = excluded.breaking_changes,
        max_seconds_between_messages = excluded.max_seconds_between_messages, spec = excluded.spec, digest = excluded.digest,
        manifest_url = excluded.manifest_url, removed_at = null, updated_at = excluded.updated_at
    where r.digest <> excluded.digest or r.removed_at is not null
    returning 1)
select count(*) from saved;

-- name: registry_entry_mark_removed
-- int:
-- What the registry has no more stays to be seen, for those who have installed it.
-- params: definition_ids uuid[], now timestamptz
with gone as (
    update registry_entry
    set removed_at = $2, updated_at = $2
    where definition_id <> all ($1) and removed_at is null
    returning 1)
select count(*) from gone;

-- name: registry_entry_list
-- rows: RegistryEntry
-- By words of its name or repository; with what of this host serves it: under its id, one that stands in for it, or its repository.
-- params: actor_type text?, search text, definition_id uuid?, removed bool, installed bool, max int8, skip int8
select r.definition_id, r.actor_type, r.name, r.docker_repository, r.docker_image_tag, r.documentation_url, r.icon, r.support_level,
    r.release_stage, r.language, r.pypi_package, r.npm_package, r.manifest_url, r.allowed_hosts, r.resource_requirements, r.breaking_changes,
    r.max_seconds_between_messages, case when $3 is not null then r.spec end as spec, r.removed_at, d.definition_id as installed_id, d.name as installed_name,
    d.runtime as installed_runtime, d.docker_image_tag as installed_version, d.pinned as installed_pinned, count(*) over () as total
from registry_entry r
left join lateral (
    select d.definition_id, d.name, d.runtime, d.docker_image_tag, d.pinned
    from actor_definition d
    where not d.tombstone and d.workspace_id is null and d.actor_type = r.actor_type
      and (d.definition_id = r.definition_id or d.aliases @> array[r.definition_id] or d.docker_repository = r.docker_repository
        or d.alias_repositories @> array[r.docker_repository])
    order by d.definition_id = r.definition_id desc, d.aliases @> array[r.definition_id] desc, d.custom desc, d.created_at, d.definition_id
    limit 1) d on true
where ($1 is null or r.actor_type = $1)
  and ($3 is null or r.definition_id = $3)
  and ($4 or r.removed_at is null)
  and (not $5 or d.definition_id is not null)
  and (select coalesce(bool_and(position(word in lower(r.name || ' ' || r.docker_repository)) > 0), true)
       from regexp_split_to_table(lower($2), '\s+') word)
order by lower(r.name), r.definition_id
limit $6 offset $7;

-- name: registry_silence_of
-- int:
-- Longest silence, in seconds, of what the registry has for an installed connector; 0: it does not say.
-- params: definition_id uuid
select coalesce(max(r.max_seconds_between_messages), 0)
from actor_definition d
join registry_entry r
  on r.actor_type = d.actor_type
  and (r.definition_id = d.definition_id or r.definition_id = any(d.aliases) or r.docker_repository = d.docker_repository)
where d.definition_id = $1 and not d.tombstone;
