// SPDX-License-Identifier: Apache-2.0
// Rows that a page shows, as the queue would have left them.
import * as fs from "node:fs";
import * as path from "node:path";

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

const LINES = 3000, ERROR_AT = 2900;

/** A run of the connection that failed after two attempts, with a log of 3,000 lines whose first error is line 2,900. */
export async function seedFailedJob(host, connection) {
  const id = Number(await host.sql(`select job_id from job where scope = (select connection_id from connection where name = '${connection}') limit 1`));
  const failure = JSON.stringify({failures: [{failureOrigin: "source", failureType: "config_error", externalMessage: "Password of user 'reader' was refused by the database",
    internalMessage: "FATAL: 28P01", stacktrace: "at connect (source.c:17)", streamDescriptor: {name: "users"}, timestamp: Date.now()}]}).replace(/'/g, "''");
  await host.sql(`update job set status = 'failed' where job_id = ${id}`);
  await host.sql(`insert into attempt (job_id, attempt_number, status, log_path, failure_summary, created_at, updated_at, ended_at)
    select ${id}, i, 'failed', '${id}/' || i || '.ndjson', '${failure}', now() - interval '1 hour', now(), now() from generate_series(0, 1) i`);
  await host.sql(`insert into attempt_stats (job_id, attempt_number, stream, records_emitted, bytes_emitted, records_committed, updated_at)
    values (${id}, 1, '', 1234567, 987654321, 1200000, now()), (${id}, 1, 'users', 1234567, 987654321, 1200000, now())`);
  fs.mkdirSync(path.join(host.logs, String(id)), {recursive: true});
  const start = Date.UTC(2026, 10, 22, 3, 0, 0);
  const line = i => JSON.stringify({timestamp: start + i * 20, level: i === ERROR_AT ? "error" : i % 50 === 0 ? "warn" : "info",
    logSource: i % 3 === 0 ? "destination" : i % 3 === 1 ? "source" : "replication-orchestrator",
    message: i === ERROR_AT ? "Password of user 'reader' was refused by the database" : i === 7 ? "a needle in the haystack" : `Records of stream users: ${i * 400}`}) + "\n";
  for (const attempt of [0, 1])
    fs.writeFileSync(path.join(host.logs, String(id), `${attempt}.ndjson`), Array.from({length: LINES}, (_x, i) => line(i)).join(""));
  return id;
}

/** A run that is under way. */
export async function seedRunningJob(host, connection) {
  const id = Number(await host.sql(`insert into job (config_type, scope, workspace_id, status, created_at, updated_at, started_at)
    select 'sync', connection_id, workspace_id, 'running', now(), now(), now() from connection where name = '${connection}' returning job_id`));
  await host.sql(`insert into attempt (job_id, attempt_number, status, log_path, created_at, updated_at) values (${id}, 0, 'running', '${id}/0.ndjson', now(), now())`);
  fs.mkdirSync(path.join(host.logs, String(id)), {recursive: true});
  fs.writeFileSync(path.join(host.logs, String(id), "0.ndjson"), "");
  return id;
}

/** So many runs of the connection, one a day at noon, every fifth of them failed; what each has brought grows. */
export async function seedHistory(host, connection, runs) {
  await host.sql(`
    with c as (select connection_id, workspace_id from connection where name = '${connection}'),
      j as (insert into job (config_type, scope, workspace_id, status, created_at, updated_at, started_at, finished_at)
        select 'sync', connection_id, workspace_id, case when i % 5 = 4 then 'failed' else 'succeeded' end,
          date_trunc('day', now()) - i * interval '1 day', date_trunc('day', now()) - i * interval '1 day' + (20 + i * 3) * interval '1 second',
          date_trunc('day', now()) - i * interval '1 day', date_trunc('day', now()) - i * interval '1 day' + (20 + i * 3) * interval '1 second'
        from c, generate_series(1, ${runs}) i returning job_id, status, created_at, finished_at)
    insert into attempt (job_id, attempt_number, status, log_path, created_at, updated_at, ended_at)
      select job_id, 0, status, 'x', created_at, finished_at, finished_at from j`);
  await host.sql(`
    insert into attempt_stats (job_id, attempt_number, stream, records_emitted, bytes_emitted, records_committed, bytes_committed, updated_at)
    select job_id, 0, s.name, 1000 + 37 * (job_id % 29), 90000 + 3700 * (job_id % 29), 1000 + 37 * (job_id % 29), 90000 + 3700 * (job_id % 29), j.finished_at
    from job j, (values (''), ('users')) s (name)
    where scope = (select connection_id from connection where name = '${connection}') and exists (select from attempt a where a.job_id = j.job_id and a.log_path = 'x')`);
}

export function appendLog(host, id, message) {
  fs.appendFileSync(path.join(host.logs, String(id), "0.ndjson"), JSON.stringify({timestamp: Date.now(), level: "info", logSource: "source", message}) + "\n");
}
