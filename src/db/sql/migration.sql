-- SPDX-License-Identifier: Apache-2.0

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
