// SPDX-License-Identifier: Apache-2.0
// In the place of worker and launcher: checks and discovers that the page has asked for are done by the real connectors of the
// build, and what comes of them is written as the queue would. `replace` says another outcome for a job.
import * as child from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import {BUILD} from "./host.mjs";

const LOOK_MS = 200;
const PENDING = `select coalesce(json_agg(json_build_object('id', j.job_id, 'type', j.config_type, 'workspace', j.workspace_id, 'scope', j.scope,
    'input', j.input, 'saved', a.configuration, 'connector', d.docker_repository, 'actor', a.actor_id)), '[]')
  from job j left join actor a on a.actor_id::text = j.input ->> 'actorId'
  left join actor_definition d on d.definition_id::text = coalesce(a.definition_id::text, j.input ->> 'definitionId')
  where j.status = 'pending' and j.config_type in ('check_connection', 'discover_schema')`;

const quoted = value => `'${String(value).replace(/'/g, "''")}'`;

export class Works {
  /** (job) → null: the connector is asked; {output}, {failure}, {wait: true}: that. */
  replace = () => null;
  ended = false;

  constructor(host) {
    this.host = host;
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "sluice-works-"));
    this.done = this.loop();
  }

  async loop() {
    while (!this.ended) {
      for (const job of JSON.parse(await this.host.sql(PENDING)))
        await this.work(job).catch(error => console.log(`# works: job ${job.id}: ${String(error).slice(0, 300)}`));
      await new Promise(resolve => setTimeout(resolve, LOOK_MS));
    }
  }

  async work(job) {
    const outcome = this.replace(job) ?? await this.ask(job);
    if (outcome.wait) return;
    if (outcome.log) this.log(job, outcome.log);
    await this.host.sql(`insert into attempt (job_id, attempt_number, status, log_path, created_at, updated_at, ended_at)
      values (${job.id}, 0, '${outcome.failure ? "failed" : "succeeded"}', '${job.id}/0.ndjson', now(), now(), now()) on conflict do nothing`);
    if (job.type === "discover_schema" && outcome.output)
      await this.host.sql(`insert into catalog (catalog_id, actor_id, cache_key, catalog, created_at)
        values (gen_random_uuid(), '${job.actor}', 'works-${job.id}', ${quoted(JSON.stringify(outcome.output.catalog))}, now())`);
    await this.host.sql(`update job set updated_at = now(), finished_at = now(), status = '${outcome.failure ? "failed" : "succeeded"}',
      output = ${outcome.output ? quoted(JSON.stringify(outcome.output)) : "null"},
      failure = ${outcome.failure ? quoted(JSON.stringify({failures: [outcome.failure]})) : "null"} where job_id = ${job.id} and status = 'pending'`);
  }

  log(job, lines) {
    fs.mkdirSync(path.join(this.host.logs, String(job.id)), {recursive: true});
    fs.writeFileSync(path.join(this.host.logs, String(job.id), "0.ndjson"),
      lines.map(message => JSON.stringify({timestamp: Date.now(), level: "info", logSource: "source", message}) + "\n").join(""));
  }

  ask(job) {
    const config = path.join(this.folder, `${job.id}.json`), verb = job.type === "discover_schema" ? "discover" : "check";
    const own = job.input.configuration ?? job.saved ?? {};
    fs.writeFileSync(config, typeof own === "string" ? own : JSON.stringify(own));
    return new Promise((resolve, reject) => {
      const program = path.join(BUILD, "src/connectors/programs", job.connector.split("/").at(-1));
      child.execFile(program, [verb, "--config", config], {maxBuffer: 64 << 20}, (error, stdout) => {
        const messages = stdout.split("\n").filter(line => line.startsWith("{")).map(line => JSON.parse(line));
        const status = messages.find(each => each.type === "CONNECTION_STATUS"), catalog = messages.find(each => each.type === "CATALOG");
        if (verb === "check" && status) resolve({output: {check: status.connectionStatus}});
        else if (catalog) resolve({output: {catalog: catalog.catalog}});
        else reject(error ?? new Error(`${program} ${verb}: ${stdout}`));
      });
    });
  }

  async close() {
    this.ended = true;
    await this.done;
    fs.rmSync(this.folder, {recursive: true, force: true});
  }
}

/** A discovered catalog of so many tables in two schemas, as a database would tell of them. */
export function manyStreams(count) {
  const fields = {id: {type: "integer"}, updated_at: {type: "string", format: "date-time"}, name: {type: ["null", "string"]}, amount: {type: ["null", "number"]}};
  for (let i = 0; i < 20; i++) fields[`column_${i}`] = {type: ["null", "string"]};
  return {streams: Array.from({length: count}, (_x, i) => ({
    name: i % 25 === 24 ? `audit_${String(i).padStart(4, "0")}` : `table_${String(i).padStart(4, "0")}`, namespace: i % 2 === 0 ? "public" : "shop",
    json_schema: {type: "object", properties: fields}, supported_sync_modes: ["full_refresh", "incremental"], source_defined_cursor: false,
    source_defined_primary_key: [["id"]], is_resumable: true,
  }))};
}
