-- SPDX-License-Identifier: Apache-2.0

-- name: tag_get
-- row: TagResponse
-- params: tag_id uuid
select tag_id, workspace_id, name, color from tag where tag_id = $1;

-- name: tag_find
-- row: TagResponse
-- params: workspace_id uuid, name text
select tag_id, workspace_id, name, color from tag where workspace_id = $1 and name = $2;

-- name: tag_list
-- rows: TagResponse
-- No ids: all workspaces.
-- params: workspace_ids uuid[]
select tag_id, workspace_id, name, color
from tag
where cardinality($1) = 0 or workspace_id = any($1)
order by name, tag_id;

-- name: tag_count
-- int:
-- params: workspace_id uuid
select count(*) from tag where workspace_id = $1;

-- name: tag_add
-- exec:
-- params: tag_id uuid, workspace_id uuid, name text, color text, now timestamptz
insert into tag (tag_id, workspace_id, name, color, created_at) values ($1, $2, $3, $4, $5);

-- name: tag_update
-- exec:
-- params: tag_id uuid, name text, color text
update tag set name = $2, color = $3 where tag_id = $1;

-- name: tag_delete
-- exec:
-- The connections that have it lose it.
-- params: tag_id uuid
delete from tag where tag_id = $1;

-- name: connection_tag_list
-- rows: ConnectionTagRow
-- params: connection_ids uuid[]
select c.connection_id, t.tag_id, t.workspace_id, t.name, t.color
from connection_tag c
join tag t using (tag_id)
where c.connection_id = any($1)
order by t.name, t.tag_id;

-- name: connection_tag_replace
-- exec:
-- params: connection_id uuid, tag_ids uuid[]
with gone as (
    delete from connection_tag where connection_id = $1 and tag_id <> all($2)
)
insert into connection_tag (connection_id, tag_id)
select $1, tag_id from tag where tag_id = any($2)
on conflict do nothing;

-- name: scope_of_tags
-- rows: Scope
-- params: ids text[]
select workspace_id, organization_id
from tag
join workspace using (workspace_id)
where tag_id = any($1::uuid[]);
