// SPDX-License-Identifier: Apache-2.0
// A run while it runs, its log when it is large, and how the runs before it have done.
import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import {after, before} from "node:test";
import {Browser} from "./browser.mjs";
import {startHost} from "./host.mjs";
import {arrive} from "./people.mjs";
import {shoot} from "./screenshots.mjs";
import {seedConnections, seedHistory, seedRunningJob} from "./seed.mjs";
import {step} from "./steps.mjs";

let host, browser, ada, job;

before(async () => {
  host = await startHost();
  browser = await Browser.start(host.origin);
  step.watch(() => [host, browser]);
  ada = await arrive(host, browser);
  await seedConnections(host, 10);
});

after(async () => {
  await browser?.close();
  await host?.close();
});

/** As the orchestrator writes it, with its word to the server. */
async function progress(id, streams) {
  const total = streams.reduce((sum, each) => sum + each.records, 0), expected = streams.reduce((sum, each) => sum + (each.estimated ?? 0), 0);
  const rows = [["", total, expected], ...streams.map(each => [each.name, each.records, each.estimated ?? 0])];
  await host.sql(`insert into attempt_stats (job_id, attempt_number, stream, records_emitted, bytes_emitted, records_committed, estimated_records, updated_at)
      values ${rows.map(([name, records, estimated]) => `(${id}, 0, '${name}', ${records}, ${records * 100}, ${Math.floor(records / 2)}, ${estimated}, clock_timestamp())`)}
      on conflict (job_id, attempt_number, namespace, stream) do update set records_emitted = excluded.records_emitted, bytes_emitted = excluded.bytes_emitted,
        records_committed = excluded.records_committed, estimated_records = excluded.estimated_records, updated_at = excluded.updated_at;
    select pg_notify('sluice_event', 'progress ' || workspace_id || ' ' || job_id) from job where job_id = ${id}`);
}

const row = name => ada.getByRole("region", {name: "Streams"}).getByRole("row", {name: new RegExp(`^${name} `)});

step("streams of a run are told one by one, as they move", async () => {
  job = await seedRunningJob(host, "connection 0005");
  await ada.goto(`/jobs/${job}`);
  await ada.getByText("Following").waitFor();
  await progress(job, [{name: "users", records: 500, estimated: 2000}, {name: "orders", records: 70, estimated: 280}]);
  await row("users").getByText("25%").waitFor();
  await row("users").getByText("Running").waitFor();
  await row("orders").getByText("70 · 25%").waitFor();
  await ada.getByText("25% of about 2,280 records", {exact: false}).waitFor();
  const told = Date.now();
  await progress(job, [{name: "users", records: 1500, estimated: 2000}, {name: "orders", records: 71, estimated: 280}]);
  await row("users").getByText("75%").waitFor();
  console.log(`# a change was on the screen after ${Date.now() - told} ms`);
  assert.deepEqual(await browser.violations(ada), []);
  await shoot(ada, "run-live");
});

step("a stream that ends is done, and the others go on", async () => {
  await host.sql(`update attempt_stats set run_state = case stream when 'users' then 'complete' else 'running' end, run_state_at = now() where job_id = ${job} and stream <> ''`);
  await progress(job, [{name: "users", records: 2000, estimated: 2000}, {name: "orders", records: 75}]);
  await row("users").getByText("Synced").waitFor();
  await row("orders").getByText("Running").waitFor();
});

/** 72 MB; SLUICE_LOG_LINES=25000000 makes it 3 GB. */
const LINE = 120, LINES = Number(process.env.SLUICE_LOG_LINES ?? 600_000);

step("a large log opens with its end, and little of it comes over the wire", async () => {
  await ada.goto("/sources");
  const file = path.join(host.logs, String(job), "0.ndjson");
  const line = i => {
    const text = JSON.stringify({timestamp: Date.UTC(2026, 10, 22) + i, level: "info", logSource: "source", message: `Line ${i} `});
    return text.slice(0, -2) + "x".repeat(LINE - 1 - text.length) + "\"}\n";
  };
  const block = 10_000, same = Buffer.from(Array.from({length: block}, (_x, k) => line(k)).join("")), log = fs.openSync(file, "a");
  for (let i = 0; i < LINES; i += block) {
    const own = i === LINES / 2 || i + block >= LINES; // these have numbers of their own: what is looked for is in them
    fs.writeSync(log, own ? Buffer.from(Array.from({length: block}, (_x, k) => line(i + k)).join("")) : same);
  }
  fs.closeSync(log);
  const before = ada.requests.length, start = Date.now();
  const session = await ada.context().newCDPSession(ada);
  await session.send("Network.enable");
  let bytes = 0;
  session.on("Network.loadingFinished", event => { bytes += event.encodedDataLength; });
  await ada.goto(`/jobs/${job}`);
  await ada.getByText(`Line ${LINES - 1} `).first().waitFor();
  console.log(`# a log of ${Math.round(fs.statSync(file).size / 1e6)} MB: its end after ${Date.now() - start} ms, ${bytes} bytes, ${ada.requests.length - before} requests; `
    + `the server's part ${await ada.evaluate("Math.round(performance.getEntriesByType('resource').filter(entry => entry.name.includes('/log/search')).reduce((sum, entry) => sum + entry.duration, 0))")} ms`);
  assert.ok(bytes < 400_000, `${bytes} bytes`);
  assert.ok(await ada.evaluate("document.getElementsByTagName('*').length") < 3000);
  await session.detach();
});

step("a word in the middle of it is found by the server", async () => {
  const start = Date.now();
  await ada.getByLabel("Search the log").fill(`Line ${LINES / 2} `);
  await ada.getByText("1 line is shown").waitFor();
  console.log(`# a word in the middle: ${Date.now() - start} ms`);
  await ada.getByLabel("Search the log").fill("");
});

step("a run that ends says so, and its streams keep their numbers", async () => {
  await host.sql(`update attempt set status = 'succeeded', ended_at = now() where job_id = ${job}; update job set status = 'succeeded', finished_at = now() where job_id = ${job}`);
  await ada.getByText("Succeeded").waitFor();
  await row("users").getByText("2,000").waitFor();
});

step("how a connection has done: plots, each with its numbers in a table", async () => {
  await seedHistory(host, "connection 0001", 28);
  await ada.goto("/connections?q=connection+0001");
  await ada.getByRole("link", {name: "connection 0001"}).click();
  await ada.getByRole("navigation", {name: "Parts of the connection"}).getByRole("link", {name: "History"}).click();
  const plot = ada.getByRole("img", {name: /^Duration of the last runs\. \d+ of the last \d+ runs succeeded/});
  await plot.waitFor();
  assert.equal(await plot.locator(".plot-bar.bad").count(), 5);
  await ada.getByRole("img", {name: /^Records a day\. .*\d+ days? without a run/}).waitFor();
  await ada.getByRole("region", {name: "Freshness"}).getByText("users").waitFor();
  const figure = ada.locator("figure", {hasText: "Duration of the last runs"});
  await shoot(ada, "connection-history");
  await figure.getByText("As a table").click();
  await figure.getByRole("link").first().waitFor();
  assert.ok(await figure.getByText("Failed").count() >= 5);
  assert.deepEqual(await browser.violations(ada), []);
  await figure.getByRole("link").first().click();
  await ada.getByRole("heading", {level: 1, name: /^Sync \d+/}).waitFor();
});

step("a connection that never ran has no plots, and says so", async () => {
  await ada.goto("/connections?q=connection+0008");
  await ada.getByRole("link", {name: "connection 0008"}).click();
  await ada.getByRole("navigation", {name: "Parts of the connection"}).getByRole("link", {name: "History"}).click();
  await ada.getByRole("heading", {name: "Nothing has run yet"}).waitFor();
  assert.deepEqual(await browser.violations(ada), []);
});

step("no error in the console, no request to another host", () => {
  assert.deepEqual(browser.errors, []);
  assert.deepEqual(browser.foreign, []);
});
