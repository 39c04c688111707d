-- SPDX-License-Identifier: Apache-2.0

-- name: command_get
-- row: Command
-- params: command_id text
select command_id, type, workspace_id, actor_id, job_id, created_at
from command
where command_id = $1;

-- name: command_add
-- int:
-- Zero: somebody else was faster.
-- params: command_id text, type text, workspace_id uuid, actor_id uuid?, job_id int8, now timestamptz
with added as (
    insert into command (command_id, type, workspace_id, actor_id, job_id, created_at)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (command_id) do nothing
    returning 1)
select count(*) from added;

-- name: scope_of_commands
-- rows: Scope
-- params: ids text[]
select workspace_id, organization_id
from command
join workspace using (workspace_id)
where lower(command_id) = any($1);
