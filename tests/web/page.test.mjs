// SPDX-License-Identifier: Apache-2.0
// From the link that the installation printed to a list of connections, in a real browser on the real server.
import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import {after, before} from "node:test";
import {Browser} from "./browser.mjs";
import {step} from "./steps.mjs";
import {BUILD, startHost} from "./host.mjs";
import {appendLog, seedConnections, seedFailedJob, seedRunningJob} from "./seed.mjs";
import {shoot} from "./screenshots.mjs";

const EMAIL = "ada@example.com", PASSWORD = "correct horse battery";
let host, browser, ada;

before(async () => {
  host = await startHost();
  browser = await Browser.start(host.origin);
  step.watch(() => [host, browser]);
});

after(async () => {
  await browser?.close();
  await host?.close();
});

const heading = (page, name) => page.getByRole("heading", {level: 1, name}).waitFor();

async function logIn(page, password = PASSWORD) {
  await page.getByLabel("E-mail").fill(EMAIL);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", {name: "Log in"}).click();
}

step("a first visit asks for a login, and weighs little", async () => {
  const {bytes, requests} = await browser.weigh("/", page => heading(page, "Log in"));
  assert.ok(bytes <= 60_000, `${bytes} bytes`);
  assert.ok(requests <= 10, `${requests} requests`);
});

step("all code together weighs little", () => {
  const assets = path.join(BUILD, "web/web/assets");
  const size = fs.readdirSync(assets).filter(name => /\.(js|css)\.gz$/.test(name))
    .reduce((sum, name) => sum + fs.statSync(path.join(assets, name)).size, 0);
  assert.ok(size <= 200_000, `${size} bytes`);
});

step("the page is the server's own and nobody else's", async () => {
  const answer = await fetch(host.origin + "/");
  assert.match(answer.headers.get("content-security-policy"), /default-src 'none'/);
  assert.equal((await fetch(host.origin + "/assets/nothing.js")).status, 404);
});

step("the setup page without a link says where one is", async () => {
  const page = await browser.visitor();
  await page.goto("/setup");
  await heading(page, "Set up Sluice");
  assert.ok(await page.getByText("sluicectl setup-link").isVisible());
  assert.deepEqual(await browser.violations(page), []);
  await shoot(page, "setup-without-link");
  await page.context().close();
});

step("a wrong link is refused in words", async () => {
  const page = await browser.visitor();
  await page.goto("/setup#token=nonsense");
  await page.getByLabel("E-mail").fill(EMAIL);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", {name: "Set password"}).click();
  await page.getByText("This link was used before or has expired").waitFor();
  await shoot(page, "setup-refused");
  await page.context().close();
});

step("the first link makes the administrator, who is logged in by that", async () => {
  ada = await browser.visitor();
  await ada.goto(`/setup#token=${host.setup}`);
  await heading(ada, "Welcome to Sluice");
  assert.deepEqual(await browser.violations(ada), []);
  await shoot(ada, "setup");
  await ada.getByLabel("E-mail").fill(EMAIL);
  await ada.getByLabel("Name").fill("Ada");
  await ada.getByLabel("Password").fill(PASSWORD);
  await ada.getByRole("button", {name: "Set password"}).click();
  await heading(ada, "Connections");
  assert.equal(new URL(ada.url()).pathname, "/connections");
  assert.ok(!ada.url().includes("token"));
});

step("an empty list says what a connection is", async () => {
  await ada.getByRole("heading", {name: "No connections yet"}).waitFor();
  assert.deepEqual(await browser.violations(ada), []);
  await shoot(ada, "connections-empty");
});

step("logging out and in again leads back to where one was going", async () => {
  await ada.getByRole("button", {name: "Log out"}).click();
  await heading(ada, "Log in");
  assert.deepEqual(await browser.violations(ada), []);
  await ada.goto("/connections?status=failed");
  await heading(ada, "Log in");
  await logIn(ada, "wrong");
  await ada.getByRole("alert").getByText("E-mail or password is wrong.").waitFor();
  await shoot(ada, "login-wrong");
  await logIn(ada);
  await heading(ada, "Connections");
  assert.equal(new URL(ada.url()).search, "?status=failed");
});

step("a login never leads to another host", async () => {
  const page = await browser.visitor();
  for (const next of ["//example.com/", "/\\example.com", "https://example.com/"]) {
    await page.context().clearCookies();
    await page.goto(`/login?next=${encodeURIComponent(next)}`);
    await logIn(page);
    await heading(page, "Connections");
    assert.equal(new URL(page.url()).origin, host.origin);
  }
  await page.context().close();
});

step("a thousand connections are there within a second, and few of them in the document", async () => {
  await seedConnections(host, 1000);
  await ada.goto("/connections");
  const start = Date.now();
  await ada.reload();
  await ada.getByText("1,000 connections are shown").waitFor({state: "attached"});
  const took = Date.now() - start;
  console.log(`# 1,000 connections: ${took} ms`);
  const nodes = await ada.evaluate("document.getElementsByTagName('*').length");
  assert.ok(nodes <= 1500, `${nodes} elements`);
  assert.deepEqual(await browser.violations(ada), []);
  await shoot(ada, "connections");
});

step("the list is filtered by status and words, and the address says so", async () => {
  await ada.getByRole("button", {name: /^Failed/}).click();
  await ada.getByText("200 connections are shown").waitFor({state: "attached"});
  assert.ok(ada.url().includes("status=failed"));
  await ada.getByLabel("Search connections").fill("connection 0043");
  await ada.getByText("1 connection is shown").waitFor({state: "attached"});
  await ada.reload();
  await ada.getByText("1 connection is shown").waitFor({state: "attached"});
  await ada.getByLabel("Search connections").fill("nothing like it");
  await ada.getByRole("heading", {name: "Nothing matches"}).waitFor();
  await ada.goto("/connections");
});

step("the last rows are there when one has scrolled to them", async () => {
  await ada.getByText("1,000 connections are shown").waitFor({state: "attached"});
  await ada.evaluate("window.scrollTo(0, document.body.scrollHeight)");
  await ada.getByRole("rowheader", {name: /connection 0999/}).waitFor();
  await ada.evaluate("window.scrollTo(0, 0)");
});

step("the switch disables a connection, and another one's change is seen without asking", async () => {
  await ada.getByLabel("Search connections").fill("connection 0001");
  const toggle = ada.getByRole("switch");
  await toggle.waitFor();
  assert.equal(await toggle.getAttribute("aria-checked"), "true");
  await toggle.click();
  await ada.getByRole("cell", {name: "Disabled"}).waitFor();
  assert.equal(await host.sql("select status from connection where name = 'connection 0001'"), "inactive");
  await host.sql("update connection set status = 'active', updated_at = now() where name = 'connection 0001'");
  await ada.getByRole("cell", {name: "Synced"}).waitFor();
  assert.equal(await toggle.getAttribute("aria-checked"), "true");
});

step("why it failed is one click from the list: the reason, who said it, and the log around the first error", async () => {
  await seedFailedJob(host, "connection 0003");
  await ada.goto("/connections?q=connection+0003");
  await ada.getByRole("cell", {name: "Failed"}).getByRole("link").click();
  await ada.getByText("Password of user 'reader' was refused by the database").first().waitFor();
  await ada.getByText("something in its settings is wrong").waitFor();
  const around = ada.getByRole("region", {name: "Lines around the first error"});
  await around.getByText("Records of stream users: 1159600").waitFor();
  await ada.getByText("200 lines are shown").waitFor();
  await ada.setViewportSize({width: 390, height: 844}); // also where its lines are many, the error itself is in sight
  await ada.reload();
  await around.getByText("Password of user 'reader' was refused").waitFor();
  const [outer, line] = [await around.boundingBox(), await around.locator(".marked").boundingBox()];
  assert.ok(line.y >= outer.y && line.y + line.height <= outer.y + outer.height, JSON.stringify({outer, line}));
  await ada.setViewportSize({width: 1280, height: 800});
  assert.equal(await ada.getByRole("button", {name: "Attempt 2"}).getAttribute("aria-pressed"), "true");
  assert.deepEqual(await browser.violations(ada), []);
  await shoot(ada, "job-failed");
});

step("the log shows its end first, older lines when asked, and is searched on the server", async () => {
  const log = ada.getByRole("log");
  await log.getByText("Records of stream users: 1199600").waitFor();
  await ada.getByRole("button", {name: "Older lines"}).click();
  await ada.getByText("400 lines are shown").waitFor();
  await ada.getByLabel("Search the log").fill("NEEDLE");
  await ada.getByText("1 line is shown").waitFor();
  assert.equal(await log.locator("mark").innerText(), "needle");
  await ada.getByLabel("Search the log").fill("");
  await ada.getByLabel("Level").selectOption("error");
  await ada.getByText("1 line is shown").waitFor();
  await ada.getByLabel("Written by").selectOption("destination");
  await ada.getByText("No line matches.").waitFor();
});

step("a run that is under way is followed: numbers and lines come by themselves", async () => {
  const id = await seedRunningJob(host, "connection 0005");
  await ada.goto(`/jobs/${id}`);
  await ada.getByText("Following").waitFor();
  appendLog(host, id, "the first line of all");
  await ada.getByText("the first line of all").waitFor();
  await host.sql(`insert into attempt_stats (job_id, attempt_number, stream, records_emitted, bytes_emitted, estimated_records, updated_at) values (${id}, 0, '', 4242, 99, 10000, now());
    select pg_notify('sluice_event', 'progress ' || workspace_id || ' ' || job_id) from job where job_id = ${id}`);
  await ada.getByText("4,242").waitFor();
  assert.deepEqual(await browser.violations(ada), []);
  await shoot(ada, "job-running");
  await host.sql(`update attempt set status = 'succeeded', ended_at = now() where job_id = ${id}; update job set status = 'succeeded', finished_at = now() where job_id = ${id}`);
  await ada.getByText("Succeeded").waitFor();
});

step("the page of a connection: status, runs, settings, state", async () => {
  await ada.goto("/connections?q=connection+0003");
  await ada.getByRole("link", {name: "connection 0003"}).click();
  await heading(ada, "connection 0003");
  await ada.getByRole("rowheader", {name: "users"}).waitFor();
  assert.deepEqual(await browser.violations(ada), []);
  await shoot(ada, "connection-status");
  for (const [tab, what] of [["Runs", ada.getByRole("rowheader", {name: /^Sync \d+/}).first()], ["State", ada.getByText("There is no state yet")], ["Settings", ada.getByRole("heading", {name: "Delete the connection"})]]) {
    await ada.getByRole("navigation", {name: "Parts of the connection"}).getByRole("link", {name: tab}).click();
    await what.waitFor();
    assert.deepEqual(await browser.violations(ada), [], tab);
    await shoot(ada, `connection-${tab.toLowerCase()}`);
  }
});

step("what destroys says what it will do, and wants the name typed", async () => {
  await ada.getByRole("button", {name: "Delete…"}).click();
  const dialog = ada.getByRole("dialog");
  await dialog.getByText("What was written to “Warehouse” stays there.").waitFor();
  assert.deepEqual(await browser.violations(ada), []);
  await shoot(ada, "connection-delete");
  await dialog.getByRole("button", {name: "Delete", exact: true}).click();
  await dialog.getByText("This is not “connection 0003”.").waitFor();
  await dialog.getByLabel("Type connection 0003 to confirm").fill("connection 0003");
  await dialog.getByRole("button", {name: "Delete", exact: true}).click();
  await heading(ada, "Connections");
  assert.equal(await host.sql("select status from connection where name = 'connection 0003'"), "deprecated");
});

step("a new source: the catalogue, the form of its specification, what is wrong, a test that is stopped", async () => {
  await ada.getByRole("link", {name: "Sources"}).click();
  await heading(ada, "Sources");
  await ada.getByRole("rowheader", {name: "Shop database"}).waitFor();
  assert.deepEqual(await browser.violations(ada), []);
  await shoot(ada, "sources");
  await ada.getByRole("link", {name: "Add a source"}).click();
  await ada.getByLabel("Search connectors").fill("sample");
  await shoot(ada, "catalogue");
  assert.deepEqual(await browser.violations(ada), []);
  await ada.getByRole("link", {name: /sample/i}).last().click();
  await ada.getByLabel("Name", {exact: true}).fill("Invented people");
  for (const summary of await ada.locator("details.optional > summary").all()) await summary.click();
  await ada.getByLabel("Count").fill("0");
  await ada.getByRole("button", {name: "Save without a test"}).click();
  await ada.getByText("1 field needs another look:").waitFor();
  await ada.getByText("The least is 1.").first().waitFor();
  assert.deepEqual(await browser.violations(ada), []);
  await shoot(ada, "source-new-wrong");
  await ada.getByLabel("Count").fill("25");
  await ada.getByRole("button", {name: "Test and save"}).click();
  await ada.getByRole("button", {name: "Stop the test"}).click();
  await ada.getByRole("button", {name: "Test and save"}).waitFor();
  await ada.getByRole("button", {name: "Save without a test"}).click();
  await heading(ada, "Sources");
  await ada.getByRole("rowheader", {name: "Invented people"}).waitFor();
  assert.equal(await host.sql("select configuration::json ->> 'count' from actor where name = 'Invented people'"), "25");
  await ada.goto("/connections");
});

step("a session that ends says so, and nothing that was typed is lost", async () => {
  await ada.getByLabel("Search connections").fill("connection 0002");
  await host.sql("delete from session");
  await ada.context().clearCookies();
  await ada.getByRole("switch").click();
  await ada.getByRole("heading", {name: "Your session has ended"}).waitFor();
  assert.deepEqual(await browser.violations(ada), []);
  await shoot(ada, "session-ended");
  await ada.getByLabel("Password").fill(PASSWORD);
  await ada.getByRole("button", {name: "Log in"}).click();
  await ada.getByRole("heading", {name: "Your session has ended"}).waitFor({state: "detached"});
  assert.equal(await ada.getByLabel("Search connections").inputValue(), "connection 0002");
});

step("a server that goes away and comes back is told of", async () => {
  await host.stop();
  // Whoever is in the middle of a wait between two tries tells after it.
  await ada.getByText("The server does not answer. Reconnecting…").waitFor({timeout: 120_000});
  assert.equal(await ada.getByLabel("Search connections").inputValue(), "connection 0002");
  await host.start();
  await ada.getByText("The server does not answer. Reconnecting…").waitFor({state: "detached", timeout: 120_000});
});

step("no error in the console, no request to another host", () => {
  assert.deepEqual(browser.errors, []);
  assert.deepEqual(browser.foreign, []);
});
