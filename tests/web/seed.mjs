// SPDX-License-Identifier: Apache-2.0
// Rows that a page shows, as the queue would have left them.

/** So many connections in the first workspace: of each ten, two failed, one is disabled, one never ran, the others are synced. */
export async function seedConnections(host, n) {
  const workspace = (await host.ask("POST", "/api/v1/workspaces/list")).workspaces[0].workspaceId;
  const kinds = Object.fromEntries((await host.sql("select docker_repository, definition_id from actor_definition"))
    .split("\n").map(line => line.split("|")));
  const find = part => Object.entries(kinds).find(([name]) => name.includes(part))[1];
  await host.sql(`
    with s as (insert into actor (actor_id, workspace_id, definition_id, actor_type, name, configuration, created_at, updated_at)
        values (gen_random_uuid(), '${workspace}', '${find("sample")}', 'source', 'Shop database', '{}', now(), now()) returning actor_id),
      d as (insert into actor (actor_id, workspace_id, definition_id, actor_type, name, configuration, created_at, updated_at)
        values (gen_random_uuid(), '${workspace}', '${find("dev-null")}', 'destination', 'Warehouse', '{}', now(), now()) returning actor_id)
    insert into connection (connection_id, workspace_id, name, source_id, destination_id, catalog, created_at, updated_at, status)
    select gen_random_uuid(), '${workspace}', 'connection ' || lpad(i::text, 4, '0'), s.actor_id, d.actor_id,
      '{"streams":[{"stream":{"name":"users","json_schema":{},"supported_sync_modes":["full_refresh"]},'
      '"sync_mode":"full_refresh","destination_sync_mode":"overwrite"}]}', now(), now(), case when i % 10 = 9 then 'inactive' else 'active' end
    from generate_series(0, ${n - 1}) i, s, d`);
  await host.sql(`
    insert into job (config_type, scope, workspace_id, status, created_at, updated_at, finished_at)
    select 'sync', connection_id, workspace_id, case when right(name, 1) in ('3', '4') then 'failed' else 'succeeded' end,
      now() - interval '1 hour', now() - interval '50 minutes', now() - interval '50 minutes'
    from connection where right(name, 1) <> '8'`);
  await host.sql("analyze");
  return workspace;
}
