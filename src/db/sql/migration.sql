-- SPDX-License-Identifier: Apache-2.0

-- name: migration_is_begun
-- int:
-- 0 in a database that was never migrated.
-- params:
select case when to_regclass('schema_migration') is null then 0 else 1 end::int8;

-- name: migration_list
-- rows: MigrationRow
select version, name, sha256, applied_at
from schema_migration
order by version;

-- name: migration_add
-- exec:
-- params: version int4, name text, sha256 text, now timestamptz
insert into schema_migration (version, name, sha256, applied_at)
values ($1, $2, $3, $4);
