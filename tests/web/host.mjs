// SPDX-License-Identifier: Apache-2.0
// The real server behind the page, for a test file: await startHost(), then sql(), ask(), stop(), start(); close() at the end.
import * as child from "node:child_process";
import * as path from "node:path";
import * as readline from "node:readline";
import {fileURLToPath} from "node:url";

export const SOURCE = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
export const BUILD = path.resolve(process.env.BUILD ?? path.join(SOURCE, "build"));

export class Host {
  constructor(process, lines, facts) {
    Object.assign(this, {process, lines, ...facts, origin: `http://127.0.0.1:${facts.port}`});
  }

  async command(command) {
    this.process.stdin.write(JSON.stringify(command) + "\n");
    const {value, error} = JSON.parse((await this.lines.next()).value);
    if (error !== undefined) throw new Error(`${JSON.stringify(command)}: ${error}`);
    return value;
  }

  sql(text) { return this.command({sql: text}); }

  /** As the administrator, on the unix socket. */
  async ask(method, address, body = null) {
    const {status, body: found} = await this.command({ask: [method, address, body]});
    if (status >= 300) throw new Error(`${method} ${address}: ${status} ${JSON.stringify(found)}`);
    return found;
  }

  stop() { return this.command({do: "stop"}); }
  start() { return this.command({do: "start"}); }
  log() { return this.command({do: "log"}); }

  async close() {
    this.process.stdin.end();
    if (this.process.exitCode === null) await new Promise(resolve => this.process.once("exit", resolve));
  }
}

export async function startHost() {
  const process_ = child.spawn(path.join(SOURCE, "tests/web/serve-page"), [BUILD, SOURCE], {stdio: ["pipe", "pipe", "inherit"]});
  const lines = readline.createInterface({input: process_.stdout})[Symbol.asyncIterator]();
  for (;;) {
    const {value, done} = await lines.next();
    if (done) throw new Error("the server did not start");
    if (value.startsWith("{")) return new Host(process_, lines, JSON.parse(value));
  }
}
