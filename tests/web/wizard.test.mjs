// SPDX-License-Identifier: Apache-2.0
// From no connection to one: the steps, what is asked of connectors meanwhile, what goes wrong, and thousands of streams.
import * as assert from "node:assert/strict";
import {after, before} from "node:test";
import {Browser} from "./browser.mjs";
import {startHost} from "./host.mjs";
import {Person, setUp} from "./person.mjs";
import {shoot} from "./screenshots.mjs";
import {step} from "./steps.mjs";
import {manyStreams, Works} from "./works.mjs";

let host, browser, works, ada, person;

before(async () => {
  host = await startHost();
  browser = await Browser.start(host.origin);
  works = new Works(host);
  step.watch(() => [host, browser]);
  ada = await setUp(host, browser);
  person = new Person(ada);
});

after(async () => {
  await browser?.close();
  await works?.close();
  await host?.close();
});

const row = name => ada.getByRole("row", {name: new RegExp(`Take ${name}`)});
const sound = async what => assert.deepEqual(await browser.violations(ada), [], what);

step("without a connection the page begins with the question where the data comes from", async () => {
  await ada.getByRole("heading", {name: "No connections yet"}).waitFor();
  await ada.getByRole("link", {name: /^S?\s*Sample/}).waitFor();
  await sound("the empty list");
  await shoot(ada, "connections-empty");
});

step("a first connection is six clicks and four screens away, the setup among them", async () => {
  person.begin();
  person.clicks = 1; // the setup's button, before()
  person.screens = 1;
  await person.click(ada.getByRole("link", {name: /^S?\s*Sample/}));
  await person.sees(/Sample/);
  await sound("the source's form");
  await shoot(ada, "wizard-source-form");
  await ada.getByLabel("Name", {exact: true}).fill("Invented people");
  await person.click(ada.getByRole("button", {name: "Save and go on"}));
  await person.sees("Where does the data go?");
  await sound("the destination's choice");
  await shoot(ada, "wizard-destination");
  await person.click(ada.getByRole("link", {name: /dev-null/}));
  await ada.getByLabel("Name", {exact: true}).fill("Nowhere at all");
  await person.click(ada.getByRole("button", {name: "Save and go on"}));
  await person.sees("Which streams?");
  await row("users").waitFor();
  await ada.getByText("It works").nth(1).waitFor();
  await sound("the streams");
  await shoot(ada, "wizard-streams");
  await person.click(ada.getByRole("button", {name: "Create and sync"}));
  await ada.getByRole("heading", {level: 1, name: "Invented people → Nowhere at all"}).waitFor();
  person.within(6, "journey 1, the page's part");
  assert.ok(person.screens <= 4);
  assert.equal(await host.sql("select count(*) from job where config_type = 'sync'"), "1");
  assert.equal(await host.sql("select json_array_length(catalog::json -> 'streams') from connection"), "3");
});

step("the next one takes what is there: settings with next runs in words, and names with an example", async () => {
  await ada.goto("/connections/new");
  await ada.getByRole("link", {name: /Invented people/}).click();
  await ada.getByRole("link", {name: /Nowhere at all/}).click();
  await row("users").waitFor();
  await ada.getByRole("checkbox", {name: "Take purchases"}).uncheck();
  await ada.getByRole("link", {name: "Settings", exact: true}).last().click();
  await ada.getByRole("heading", {level: 1, name: "How should it run?"}).waitFor();
  await ada.getByLabel("Name", {exact: true}).fill("A very long name of a connection that somebody has thought of, with its purpose, its owner and its ticket number in it");
  await ada.getByRole("radio", {name: /At given times/}).check();
  await ada.getByLabel("Cron expression", {exact: true}).fill("0 30 6 ? * MON-FRI");
  await ada.getByLabel("Time zone").fill("Europe/Berlin");
  await ada.getByText("The next runs:").waitFor();
  assert.equal(await ada.locator(".next-runs li").count(), 3);
  assert.match(await ada.locator(".next-runs li").first().innerText(), /(Mon|Tues|Wednes|Thurs|Fri)day.* at 0?6:30/);
  await ada.getByRole("radio", {name: /A name of its own/}).check();
  await ada.getByLabel("Namespace", {exact: true}).fill("raw_${SOURCE_NAMESPACE}");
  await ada.getByLabel("Prefix of streams").fill("shop_");
  assert.match(await ada.locator(".example").innerText(), /raw_\.shop_/);
  await ada.getByRole("radio", {name: /Take over fields and streams/}).check();
  await sound("the settings");
  await shoot(ada, "wizard-settings");
  await ada.getByLabel("Cron expression", {exact: true}).fill("0 0 25 * * ?");
  await ada.locator(".option-body .error").waitFor();
  await sound("wrong settings");
  await ada.getByLabel("Cron expression", {exact: true}).fill("0 30 6 ? * MON-FRI");
  await ada.getByText("The next runs:").waitFor();
  await ada.getByRole("button", {name: "Create", exact: true}).click();
  await ada.getByRole("heading", {level: 1, name: /A very long name/}).waitFor();
  await shoot(ada, "connection-long-name");
  const [cron, zone, policy, format, prefix, streams] = (await host.sql(`select cron_expression, cron_timezone, non_breaking_changes, namespace_format, prefix, json_array_length(catalog::json -> 'streams')
    from connection where name like 'A very%'`)).split("|");
  assert.deepEqual([cron, zone, policy, format, prefix, streams], ["0 30 6 ? * MON-FRI", "Europe/Berlin", "propagate_fully", "raw_${SOURCE_NAMESPACE}", "shop_", "2"]);
});

step("a source that does not work says why, with its log; its settings are mended on the way", async () => {
  works.replace = job => job.type === "check_connection" && JSON.stringify(job.saved).includes("7777")
    ? {output: {check: {status: "FAILED", message: "Port 7777 answers nobody"}}, log: ["trying port 7777", "nobody there"]}
    : job.type === "discover_schema" && JSON.stringify(job.saved).includes("7777") ? {failure: {externalMessage: "Port 7777 answers nobody", stacktrace: "at connect (x.c:1)"}} : null;
  await ada.goto("/connections/new");
  await ada.getByRole("link", {name: /Sample.*Version/}).click();
  await ada.getByLabel("Name", {exact: true}).fill("A broken source");
  for (const summary of await ada.locator("details.optional > summary").all()) await summary.click();
  await ada.getByLabel("Count").fill("7777");
  await ada.getByRole("button", {name: "Save and go on"}).click();
  await ada.getByRole("link", {name: /Nowhere at all/}).click();
  await ada.getByRole("heading", {name: "The streams are not known"}).waitFor();
  await ada.getByText("Port 7777 answers nobody").first().waitFor();
  await ada.getByText("The log of this test").click();
  await ada.getByText("nobody there").waitFor();
  await sound("a source that does not work");
  await shoot(ada, "wizard-broken");
  await ada.getByRole("link", {name: "Change its settings"}).click();
  assert.equal(await ada.getByLabel("Name", {exact: true}).inputValue(), "A broken source");
  for (const summary of await ada.locator("details.optional > summary").all()) await summary.click();
  await ada.getByLabel("Count").fill("10");
  await ada.getByRole("button", {name: "Save and go on"}).click();
  await row("users").waitFor();
  assert.equal(await host.sql("select count(*) from actor where name = 'A broken source'"), "1");
  works.replace = () => null;
});

step("what is asked is stopped when somebody says so, or leaves", async () => {
  works.replace = job => job.status !== "cancelled" ? {wait: true} : null;
  await ada.goto("/connections/new");
  await ada.getByRole("link", {name: /Invented people/}).click();
  await ada.getByText("Its streams are being read").waitFor();
  await ada.getByRole("button", {name: "Stop"}).click();
  await ada.getByText("Stopped", {exact: true}).waitFor();
  assert.equal(await host.sql("select count(*) from job where status = 'pending' and config_type in ('check_connection', 'discover_schema')"), "0");
  works.replace = () => null;
  await ada.getByRole("button", {name: "Try again"}).click();
  await ada.getByText("It works").waitFor();
});

step("five hundred tables, all incremental by updated_at but audit_*: eight actions at most", async () => {
  works.replace = job => job.type === "discover_schema" ? {output: {catalog: manyStreams(500)}} : null;
  await ada.goto(`/connections/new?source=${await host.sql("select actor_id from actor where name = 'Invented people'")}&destination=${await host.sql("select actor_id from actor where name = 'Nowhere at all'")}`);
  await row("table_0000").waitFor();
  person.begin();
  person.clicks++;
  await ada.getByLabel("Search streams").fill("audit_*");
  await person.click(ada.getByRole("button", {name: "Leave out", exact: true}));
  person.clicks++;
  await ada.getByLabel("Search streams").fill("");
  await person.choose(ada.getByLabel("Mode for all that are shown"), "incremental append_dedup");
  person.clicks++;
  await ada.getByLabel("Cursor for all that are shown").fill("updated_at");
  await person.click(ada.getByRole("button", {name: "Set", exact: true}));
  await ada.getByText("480 of 500 streams").waitFor();
  await sound("many streams");
  await shoot(ada, "wizard-many");
  await person.click(ada.getByRole("button", {name: "Create", exact: true}));
  await ada.getByRole("heading", {level: 1, name: /Invented people/}).waitFor();
  person.within(8, "journey 6");
  assert.equal(await host.sql(`select count(*) from connection c, json_array_elements(c.catalog::json -> 'streams') s where c.created_at = (select max(created_at) from connection)
    and s ->> 'sync_mode' = 'incremental' and s ->> 'destination_sync_mode' = 'append_dedup' and s #>> '{cursor_field,0}' = 'updated_at' and s #>> '{stream,name}' not like 'audit%'`), "480");
});

step("one stream: fields, cursor and key by hand; what is missing is said", async () => {
  works.replace = job => job.type === "discover_schema" ? {output: {catalog: {streams: [{name: "orders", namespace: "public", supported_sync_modes: ["full_refresh", "incremental"],
    json_schema: {type: "object", properties: {id: {type: "integer"}, changed: {type: "string", format: "date-time"}, secret: {type: "string"}}}}]}}} : null;
  await ada.reload();
  await ada.goto(`/connections/new?source=${await host.sql("select actor_id from actor where name = 'Invented people'")}&destination=${await host.sql("select actor_id from actor where name = 'Nowhere at all'")}`);
  await ada.getByLabel("Mode of orders").selectOption("incremental append_dedup");
  await ada.getByText("1 stream has to be completed").waitFor();
  await ada.getByRole("button", {name: "Cursor of orders: Choose"}).click();
  await ada.getByRole("radio", {name: "changed is the cursor of orders"}).check();
  await ada.getByRole("checkbox", {name: "id is of the primary key of orders"}).check();
  await ada.getByRole("checkbox", {name: "Take field secret of orders"}).uncheck();
  await ada.getByText("1 of 1 stream").waitFor();
  assert.ok(await ada.getByRole("checkbox", {name: "Take field id of orders"}).isDisabled());
  await sound("fields");
  await shoot(ada, "wizard-fields");
  await ada.getByRole("button", {name: "Create", exact: true}).click();
  await ada.getByRole("heading", {level: 1, name: /Invented people/}).waitFor();
  const stream = JSON.parse(await host.sql("select catalog::json -> 'streams' -> 0 from connection order by created_at desc limit 1"));
  assert.deepEqual([stream.cursor_field, stream.primary_key, stream.selectedFields.map(each => each.fieldPath[0])], [["changed"], [["id"]], ["id", "changed"]]);
  works.replace = () => null;
});

step("five thousand streams: whatever is searched for, few rows are in the document (times are told, not judged)", async () => {
  works.replace = job => job.type === "discover_schema" ? {output: {catalog: manyStreams(5000)}} : null;
  await ada.goto(`/connections/new?source=${await host.sql("select actor_id from actor where name = 'Invented people'")}&destination=${await host.sql("select actor_id from actor where name = 'Nowhere at all'")}`);
  await ada.getByText("5,000 of 5,000 streams").waitFor({timeout: 60_000});
  const times = await ada.evaluate(async () => {
    const input = document.querySelector("[type=search]"), took = [];
    for (const text of ["t", "ta", "tab", "tabl", "table", "table_", "table_4", "table_49", "table_4", "", "-audit", "*_12*"]) {
      const start = performance.now();
      input.value = text;
      input.dispatchEvent(new Event("input", {bubbles: true}));
      await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
      took.push(performance.now() - start);
    }
    return took;
  });
  times.sort((a, b) => a - b);
  const nodes = await ada.evaluate("document.getElementsByTagName('*').length");
  console.log(`# 5,000 streams: a key takes ${times.map(time => Math.round(time)).join(" ")} ms, ${nodes} elements`);
  assert.ok(nodes <= 1500, `${nodes} elements`);
  works.replace = () => null;
});

step("no error in the console, no request to another host", () => {
  assert.deepEqual(browser.errors, []);
  assert.deepEqual(browser.foreign, []);
});
