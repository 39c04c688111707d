// SPDX-License-Identifier: Apache-2.0
// A connection that is there: its streams, its settings, what its source changes, and what is done to it.
import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import {after, before} from "node:test";
import {Browser} from "./browser.mjs";
import {startHost} from "./host.mjs";
import {Person, setUp} from "./person.mjs";
import {shoot} from "./screenshots.mjs";
import {step} from "./steps.mjs";
import {Works} from "./works.mjs";

let host, browser, works, ada, person, id, workspace;

const sound = async what => assert.deepEqual(await browser.violations(ada), [], what);
const tab = name => ada.getByRole("navigation", {name: "Parts of the connection"}).getByRole("link", {name, exact: true});
const definition = async part => (await host.sql(`select definition_id from actor_definition where docker_repository like '%${part}'`)).split("\n")[0];
const catalogOf = async () => JSON.parse(await host.sql(`select catalog from connection where connection_id = '${id}'`)).streams;

/** As a worker would keep it; what the connection has seen is not this one. */
async function discovered(catalog) {
  await host.sql(`insert into catalog (catalog_id, actor_id, cache_key, catalog, created_at) select gen_random_uuid(), source_id, 'test', '${JSON.stringify(catalog)}', now()
    from connection where connection_id = '${id}'`);
}

const field = {type: ["null", "string"]};
const stream = (name, fields) => ({name, namespace: "public", json_schema: {type: "object", properties: Object.fromEntries(fields.map(each => [each, field]))},
  supported_sync_modes: ["full_refresh", "incremental"], source_defined_primary_key: [["id"]]});

before(async () => {
  host = await startHost();
  browser = await Browser.start(host.origin);
  works = new Works(host);
  step.watch(() => [host, browser]);
  ada = await setUp(host, browser);
  person = new Person(ada);
  workspace = (await host.ask("POST", "/api/v1/workspaces/list")).workspaces[0].workspaceId;
  const make = (kind, part, name, connectionConfiguration) => definition(part).then(found => host.ask("POST", `/api/v1/${kind}s/create`, {workspaceId: workspace, name, connectionConfiguration, [`${kind}DefinitionId`]: found}));
  const source = await make("source", "source-sample", "Shop", {count: 10});
  const destination = await make("destination", "dev-null", "Warehouse", {test_destination: {test_destination_type: "SILENT"}});
  await make("destination", "dev-null", "Archive", {test_destination: {test_destination_type: "SILENT"}});
  await host.sql(`insert into catalog (catalog_id, actor_id, cache_key, catalog, created_at) values (gen_random_uuid(), '${source.sourceId}', 'test',
    '${JSON.stringify({streams: [stream("orders", ["id", "at", "note"]), stream("users", ["id", "at", "note"])]})}', now())`);
  const syncCatalog = {streams: ["orders", "users"].map(name => ({stream: {name, namespace: "public", jsonSchema: {type: "object", properties: {id: field, at: field, note: field}},
    supportedSyncModes: ["full_refresh", "incremental"], sourceDefinedPrimaryKey: [["id"]]}, config: {selected: true, syncMode: "full_refresh", destinationSyncMode: "overwrite", primaryKey: [["id"]], cursorField: []}}))};
  id = (await host.ask("POST", "/api/v1/connections/create", {name: "Shop to warehouse", sourceId: source.sourceId, destinationId: destination.destinationId, status: "active", scheduleType: "manual",
    namespaceDefinition: "destination", prefix: "", nonBreakingChangesPreference: "ignore", syncCatalog})).connectionId;
  await ada.goto(`/connections/${id}`);
});

after(async () => {
  await browser?.close();
  await works?.close();
  await host?.close();
});

step("the streams are edited in the same table, and saving says what it does to which", async () => {
  await tab("Streams").click();
  await ada.getByLabel("Mode of orders").selectOption("incremental append_dedup");
  await ada.getByRole("button", {name: "Cursor of orders: Choose"}).click();
  await ada.getByRole("radio", {name: "at is the cursor of orders"}).check();
  await ada.getByRole("checkbox", {name: "Take users"}).uncheck();
  // Somebody else's change of another kind is seen, and takes nothing back that was chosen.
  await host.sql(`update connection set name = 'Shop to the warehouse', updated_at = now() where connection_id = '${id}'`);
  await ada.getByRole("heading", {level: 1, name: "Shop to the warehouse"}).waitFor();
  await host.sql(`update connection set name = 'Shop to warehouse', updated_at = now() where connection_id = '${id}'`);
  await ada.getByRole("heading", {level: 1, name: "Shop to warehouse"}).waitFor();
  await ada.getByText("2 streams are changed.").waitFor();
  await sound("the streams");
  await shoot(ada, "connection-streams");
  await ada.getByRole("button", {name: "Save…"}).click();
  const dialog = ada.getByRole("dialog");
  await dialog.getByText("is synced in another way: Incremental, without duplicates").waitFor();
  await dialog.getByText("is not synced any more; what it has written stays").waitFor();
  await sound("saving streams");
  await shoot(ada, "connection-streams-save");
  await dialog.getByRole("checkbox", {name: /Refresh 1 changed stream now/}).check();
  await dialog.getByRole("button", {name: "Save", exact: true}).click();
  await ada.getByText("The streams are saved.").waitFor();
  assert.deepEqual((await catalogOf()).map(each => [each.stream.name, each.sync_mode, each.cursor_field[0]]), [["orders", "incremental", "at"]]);
  assert.equal(await host.sql("select count(*) from job where config_type = 'refresh'"), "1");
  await host.sql("update job set status = 'cancelled', finished_at = now()");
});

step("what the source has changed is told, and taken over with three clicks; nothing is deleted by it", async () => {
  await discovered({streams: [stream("orders", ["id", "at", "note", "discount"]), stream("returns", ["id"])]});
  await ada.goto(`/connections/${id}`);
  person.begin();
  await person.click(ada.getByRole("link", {name: "Review"}));
  await ada.getByRole("heading", {name: "The source has changed"}).waitFor();
  await ada.getByText("discount: new").waitFor();
  await sound("a changed source");
  await shoot(ada, "connection-changed");
  await person.click(ada.getByRole("button", {name: "Take over…"}));
  const dialog = ada.getByRole("dialog");
  await dialog.getByText("1 stream gets its new fields").waitFor();
  await shoot(ada, "connection-take-over");
  await person.click(dialog.getByRole("button", {name: "Take over", exact: true}));
  await ada.getByText("The changes are taken over.").waitFor();
  person.within(3, "journey 8");
  const streams = await catalogOf();
  assert.deepEqual(streams.map(each => each.stream.name), ["orders"]);
  assert.ok(Object.keys(streams[0].stream.json_schema.properties).includes("discount"));
  await ada.getByRole("heading", {name: "The source has changed"}).waitFor({state: "detached"});
});

step("a change that runs cannot follow is dismissed as well, and the schema is read again when asked", async () => {
  await discovered({streams: [stream("orders", ["id", "at", "note", "discount"]), stream("returns", ["id"]), stream("stock", ["id"])]});
  await ada.reload();
  await ada.getByText("stock").first().waitFor();
  await ada.getByRole("button", {name: "Dismiss"}).click();
  await ada.getByText("The changes are dismissed.").waitFor();
  await ada.getByRole("heading", {name: "The source has changed"}).waitFor({state: "detached"});
  works.replace = job => job.type === "discover_schema" ? {output: {catalog: {streams: [stream("orders", ["id", "note"])]}}} : null;
  await ada.getByRole("button", {name: "Read the schema again"}).click();
  await ada.getByText("Runs cannot go on by what is gone").waitFor();
  await sound("a breaking change");
  await shoot(ada, "connection-breaking");
  await ada.getByRole("button", {name: "Take over…"}).click();
  await ada.getByRole("dialog").getByRole("button", {name: "Take over", exact: true}).click();
  await ada.getByText("The cursor or key of orders is gone").waitFor();
  await ada.getByRole("dialog").getByRole("button", {name: "Keep it as it is"}).click();
  works.replace = () => null;
});

step("mappings are tried on a sample while one edits, by the server as a run would do it", async () => {
  await tab("Mappings").click();
  await ada.getByRole("heading", {name: "Records pass as they are"}).waitFor();
  await sound("no mappings");
  await ada.getByLabel("Add a mapping").selectOption("hashing");
  await ada.getByLabel("Field", {exact: true}).selectOption("note");
  const preview = ada.getByRole("region", {name: "Tried on a sample"});
  await preview.getByText(/"note_hashed": "[0-9a-f]{64}"/).waitFor();
  await ada.getByLabel("Suffix of the new name").fill("");
  await preview.getByText(/"note": "[0-9a-f]{64}"/).waitFor();
  await ada.getByLabel("Add a mapping").selectOption("row-filtering");
  const filter = ada.getByRole("listitem").filter({hasText: "Leave out records"});
  await filter.getByLabel("A record passes when").selectOption("NOT");
  await filter.getByLabel("Field", {exact: true}).selectOption("id");
  await filter.getByLabel("Value", {exact: true}).fill("a id");
  await preview.getByText("It is left out.").waitFor();
  await filter.getByRole("button", {name: "Add a group"}).click();
  await filter.getByLabel("Field", {exact: true}).nth(1).selectOption("id");
  await filter.getByLabel("Value", {exact: true}).nth(1).fill("8");
  await filter.getByRole("button", {name: "Add a condition"}).first().click();
  await filter.getByLabel("Value", {exact: true}).nth(2).fill("nobody's");
  await filter.getByRole("button", {name: "Remove the condition"}).last().click();
  await sound("mappings");
  await shoot(ada, "connection-mappings");
  await preview.getByLabel("A record").fill('{"id": "7", "note": "x"}');
  await preview.getByText('"id": "7"').last().waitFor();
  await ada.getByRole("button", {name: "Save", exact: true}).click();
  await ada.getByText("The mappings are saved.").waitFor();
  assert.deepEqual((await catalogOf())[0].mappers.map(each => each.type), ["hashing", "row-filtering"]);
  assert.deepEqual((await catalogOf())[0].mappers[1].mapperConfiguration, {conditions: {type: "NOT", conditions: [{type: "EQUAL", fieldName: "id", comparisonValue: "a id"},
    {type: "OR", conditions: [{type: "EQUAL", fieldName: "id", comparisonValue: "8"}]}]}});
  await ada.getByLabel("Add a mapping").selectOption("field-renaming");
  const rename = ada.getByRole("listitem").filter({hasText: "Rename a field"});
  await rename.getByLabel("New name", {exact: true}).fill("id");
  await rename.locator(".error").waitFor();
  await ada.getByRole("button", {name: "Save", exact: true}).click();
  await ada.getByRole("alert").filter({hasText: "mapper 3"}).waitFor();
  await sound("a mapping that is wrong");
  await ada.getByRole("button", {name: "Undo"}).click();
});

step("the key of an encryption is kept by the server, and never comes back", async () => {
  const secret = "00112233445566778899aabbccddeeff";
  await ada.getByLabel("Add a mapping").selectOption("encryption");
  const encryption = ada.getByRole("listitem").filter({hasText: "Encrypt a field"});
  await encryption.getByLabel("Field", {exact: true}).selectOption("at");
  await encryption.getByLabel("Key (hex)").fill(secret);
  const preview = ada.getByRole("region", {name: "Tried on a sample"});
  await preview.getByLabel("A record").fill('{"id": "7", "note": "x", "at": "2026-01-31T12:00:00Z"}');
  await preview.getByText(/"at_encrypted": "/).waitFor();
  await sound("an encryption");
  await ada.getByRole("button", {name: "Save", exact: true}).click();
  await ada.getByText("The mappings are saved.").first().waitFor();
  await ada.reload();
  assert.match(await encryption.getByLabel("Key (hex)").inputValue(), /^\*+$/);
  assert.ok(!JSON.stringify(await catalogOf()).includes(secret));
  await ada.getByRole("button", {name: "Remove Encrypt a field"}).click();
  await ada.getByRole("button", {name: "Save", exact: true}).click();
  await ada.getByText("The mappings are saved.").first().waitFor();
});

step("the settings are edited in place; an old name of streams is warned of", async () => {
  await tab("Settings").click();
  await ada.getByLabel("Name", {exact: true}).fill("Shop, nightly");
  await ada.getByRole("radio", {name: /At given times/}).check();
  await ada.getByLabel("Cron expression", {exact: true}).fill("0 0 2 * * ?");
  await ada.getByText("The next runs:").waitFor();
  await ada.getByLabel("Prefix of streams").fill("shop_");
  await ada.getByText("What is under the old names stays there").waitFor();
  await sound("settings");
  await shoot(ada, "connection-settings-edit");
  await ada.getByRole("button", {name: "Save", exact: true}).click();
  await ada.getByText("The settings are saved.").waitFor();
  await ada.getByRole("heading", {level: 1, name: "Shop, nightly"}).waitFor();
  assert.equal(await host.sql(`select name, prefix, cron_expression from connection where connection_id = '${id}'`), "Shop, nightly|shop_|0 0 2 * * ?");
});

step("the timeline says who changed what", async () => {
  await host.sql(`insert into connection_event (event_id, connection_id, event_type, summary, created_at) values (gen_random_uuid(), '${id}', 'UNKNOWN',
    '{"kind": "POST_SYNC", "jobId": 1, "action": "dbt@.service", "result": "failed", "message": "there is no such unit"}', now())`);
  await tab("Timeline").click();
  await ada.getByText("Settings changed").first().waitFor();
  await ada.getByText("Name: Shop to warehouse → Shop, nightly").waitFor();
  await ada.getByText("After the run").waitFor();
  await ada.getByText("dbt@.service: failed: there is no such unit").waitFor();
  await sound("the timeline");
  await shoot(ada, "connection-timeline");
  await ada.getByRole("button", {name: "Failures"}).click();
  await ada.getByRole("heading", {name: "Nothing has happened yet"}).waitFor();
});

step("the state is edited by who knows what it means, and only when it is one", async () => {
  await tab("State").click();
  await ada.getByRole("button", {name: "Edit…"}).click();
  const box = ada.getByRole("textbox", {name: "State"});
  await box.fill("{not json");
  await ada.getByText("This is not valid JSON.").waitFor();
  await ada.getByRole("button", {name: "Save…"}).click();
  assert.equal(await ada.getByRole("dialog").count(), 0);
  await box.fill(JSON.stringify({stateType: "stream", connectionId: id, streamState: [{streamDescriptor: {name: "orders", namespace: "public"}, streamState: {at: "2026-01-01"}}]}));
  await ada.getByRole("button", {name: "Save…"}).click();
  const dialog = ada.getByRole("dialog");
  await dialog.getByLabel("Type Shop, nightly to confirm").fill("Shop, nightly");
  await sound("the state");
  await shoot(ada, "connection-state-edit");
  await dialog.getByRole("button", {name: "Replace it"}).click();
  await ada.getByText("The state is saved.").waitFor();
  await ada.getByText("2026-01-01").waitFor();
});

step("one stream is refreshed from its menu, and a part of the data is cleared after its name was typed", async () => {
  await tab("Status").click();
  await ada.getByRole("button", {name: "More for orders"}).click();
  await sound("the menu of a stream");
  await ada.keyboard.press("Enter");
  let dialog = ada.getByRole("dialog");
  await dialog.getByText("1 stream is read again from its beginning:").waitFor();
  await dialog.getByRole("radio", {name: /is replaced, once everything has come/}).check();
  await sound("refresh");
  await shoot(ada, "connection-refresh");
  await dialog.getByRole("button", {name: "Refresh", exact: true}).click();
  await ada.getByText("The refresh has begun.").waitFor();
  assert.equal(await host.sql("select count(*) from job where config_type = 'refresh' and status = 'pending'"), "1");
  await host.sql("update job set status = 'cancelled', finished_at = now() where status = 'pending'");
  await tab("Settings").click();
  await ada.getByRole("button", {name: "Clear…"}).click();
  dialog = ada.getByRole("dialog");
  await dialog.getByText("This cannot be taken back.").waitFor();
  await dialog.getByLabel("Type Shop, nightly to confirm").fill("Shop, nightly");
  await dialog.getByRole("button", {name: "Remove the data"}).click();
  await ada.getByText("The data is being removed.").waitFor();
  assert.match(await host.sql("select config_type from job where status = 'pending'"), /clear|reset_connection/);
  await host.sql("update job set status = 'cancelled', finished_at = now() where status = 'pending'");
});

step("a connection is duplicated to another destination with three clicks", async () => {
  await ada.goto(`/connections/${id}`);
  person.begin();
  await person.click(ada.getByRole("button", {name: "Duplicate…"}));
  const dialog = ada.getByRole("dialog");
  await dialog.getByRole("option", {name: "Archive"}).waitFor({state: "attached"});
  await person.choose(dialog.getByLabel("Destination"), {label: "Archive"});
  await sound("duplicate");
  await shoot(ada, "connection-duplicate");
  await person.click(dialog.getByRole("button", {name: "Duplicate", exact: true}));
  await ada.getByRole("heading", {level: 1, name: "Shop, nightly (copy)"}).waitFor();
  person.within(3, "journey 9");
  assert.equal(await host.sql(`select c.status, d.name, c.prefix, c.cron_expression from connection c join actor d on d.actor_id = c.destination_id where c.name like '%(copy)'`), "inactive|Archive|shop_|0 0 2 * * ?");
});

step("everything is paused with two clicks, and the same ones go on with one", async () => {
  await host.sql(`insert into connection (connection_id, workspace_id, name, source_id, destination_id, catalog, created_at, updated_at, status)
    select gen_random_uuid(), workspace_id, 'more ' || i, source_id, destination_id, catalog, now(), now(), 'active' from connection, generate_series(1, 30) i where connection_id = '${id}'`);
  await ada.goto("/connections");
  await ada.getByText("32 connections are shown").waitFor({state: "attached"});
  await sound("the list");
  await shoot(ada, "connections-bulk");
  person.begin();
  await person.click(ada.getByRole("button", {name: "Disable all…"}));
  await ada.getByRole("dialog").getByText("Disable 31 connections?").waitFor();
  await sound("disable all");
  await shoot(ada, "connections-disable");
  await person.click(ada.getByRole("dialog").getByRole("button", {name: "Disable", exact: true}));
  await ada.getByText("31 connections are disabled.").waitFor();
  assert.equal(await host.sql("select count(*) from connection where status = 'active'"), "0");
  person.within(2, "journey 10, pause");
  person.begin();
  await person.click(ada.getByRole("button", {name: "Enable the 31 that were disabled"}));
  await ada.getByText("31 connections are enabled.").waitFor();
  person.within(1, "journey 10, resume");
  assert.equal(await host.sql("select count(*) from connection where status = 'active'"), "31");
  assert.equal(await host.sql("select status from connection where name like '%(copy)'"), "inactive");
});

step("what is shown is exported as YAML", async () => {
  await ada.getByLabel("Search connections").fill("nightly");
  await ada.getByText("2 connections are shown").waitFor({state: "attached"});
  await ada.getByRole("button", {name: "More for what is shown"}).click();
  const [file] = await Promise.all([ada.waitForEvent("download"), ada.getByRole("menuitem", {name: /as YAML/}).click()]);
  assert.equal(file.suggestedFilename(), "connections.yaml");
  const text = fs.readFileSync(await file.path(), "utf8");
  assert.equal(text.split("---\n").length, 3);
  assert.match(text, /name: "Shop, nightly"\n[^]*ref: Shop\n[^]*cron: "0 0 2 \* \* \?"\n[^]*name: orders/);
});

step("a source is edited: tested before it is saved, stopped, and refused with a reason", async () => {
  await ada.goto("/sources");
  person.begin();
  await person.click(ada.getByRole("link", {name: "Shop", exact: true}));
  await ada.getByRole("heading", {level: 1, name: "Shop"}).waitFor();
  for (const summary of await ada.locator("details.optional > summary").all()) await summary.click();
  await ada.getByLabel("Count").fill("99");
  await sound("a source");
  await shoot(ada, "source-edit");
  await person.click(ada.getByRole("button", {name: "Test and save"}));
  await ada.getByText("“Shop” is saved.").waitFor();
  person.within(3, "journey 7");
  assert.equal(await host.sql("select configuration::json ->> 'count' from actor where name = 'Shop'"), "99");
  works.replace = () => ({wait: true});
  for (const summary of await ada.locator("details.optional:not([open]) > summary").all()) await summary.click();
  await ada.getByLabel("Count").fill("100");
  await ada.getByRole("button", {name: "Test and save"}).click();
  await ada.getByRole("button", {name: "Stop the test"}).click();
  await ada.getByRole("button", {name: "Test and save"}).waitFor();
  works.replace = () => ({output: {check: {status: "FAILED", message: "The count is refused"}}, log: ["counting"]});
  await ada.getByRole("button", {name: "Test and save"}).click();
  await ada.getByText("The count is refused").waitFor();
  await ada.getByText("The log of this test").click();
  await ada.getByText("counting").waitFor();
  await sound("a refused source");
  await shoot(ada, "source-refused");
  assert.equal(await host.sql("select configuration::json ->> 'count' from actor where name = 'Shop'"), "99");
  works.replace = () => null;
});

step("deleting a source names the connections that go with it", async () => {
  await ada.getByRole("button", {name: "Delete…"}).click();
  await ada.getByRole("dialog").getByText("32 connections that use it are deleted too").waitFor();
  await sound("delete a source");
  await shoot(ada, "source-delete");
  await ada.getByRole("dialog").getByRole("button", {name: "Keep it as it is"}).click();
});

step("no error in the console, no request to another host", () => {
  assert.deepEqual(browser.errors, []);
  assert.deepEqual(browser.foreign, []);
});
