-- SPDX-License-Identifier: Apache-2.0

-- name: manifest_list_versions
-- rows: ManifestVersion
-- Null version: all, the newest first.
-- params: workspace_id uuid, definition_id uuid, version int8?
select d.definition_id, d.name, m.version, m.manifest, m.spec, m.description, m.version = d.manifest_version as is_active,
    m.created_at, t.testing_values
from actor_definition d
join declarative_manifest m using (definition_id)
left join declarative_testing t using (definition_id)
where d.workspace_id = $1 and d.definition_id = $2 and not d.tombstone and ($3 is null or m.version = $3)
order by m.version desc;

-- name: manifest_describe
-- exec:
-- params: definition_id uuid, version int8, description text
update declarative_manifest
set description = $3
where definition_id = $1 and version = $2;

-- name: testing_save
-- exec:
-- params: definition_id uuid, testing_values text, now timestamptz
insert into declarative_testing (definition_id, testing_values, updated_at)
values ($1, $2, $3)
on conflict (definition_id) do update
set testing_values = excluded.testing_values, updated_at = excluded.updated_at;

-- name: manifest_get_code
-- row: ManifestCode
-- What runs: one version, with the code of its own that was consented to.
-- params: definition_id uuid, version int8
select version, manifest, components, components_sha256
from declarative_manifest
where definition_id = $1 and version = $2;

-- name: manifest_consent
-- exec:
-- params: definition_id uuid, version int8, components text, components_sha256 text
update declarative_manifest
set components = $3, components_sha256 = $4
where definition_id = $1 and version = $2;
