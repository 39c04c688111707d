// SPDX-License-Identifier: Apache-2.0
// On a booted host (test-60-booted): from the link that the journal told to a green sync, a run that is watched and cancelled, a
// password that is changed, and the reason of a red one. Nothing stands in for anything.
import * as assert from "node:assert/strict";
import * as child from "node:child_process";
import {after, before} from "node:test";
import {promisify} from "node:util";
import {Browser} from "./browser.mjs";
import {Person, setUp} from "./person.mjs";
import {shoot} from "./screenshots.mjs";
import {step} from "./steps.mjs";

const {BOX, PORT, SETUP, SUITE_WAREHOUSE_PORT} = process.env;
const run = promisify(child.execFile);

/** A command of the box, as root: what it prints. */
const inBox = async (...command) => (await run(BOX, ["sh", ...command], {maxBuffer: 64 << 20})).stdout.trim();

const host = {
  origin: `http://127.0.0.1:${PORT}`, setup: SETUP,
  sql: text => inBox("runuser", "-u", "sluice-postgres", "--", "psql", "-X", "-q", "-A", "-t", "-h", "/run/sluice/postgres", "-U", "postgres", "-d", "sluice", "-c", text),
  log: () => inBox("journalctl", "--no-pager", "-n", "40", "-u", "sluice*"),
};
let browser, ada, person;

before(async () => {
  browser = await Browser.start(host.origin);
  step.watch(() => [host, browser]);
});

after(async () => browser?.close());

const sound = async what => assert.deepEqual(await browser.violations(ada), [], what);
const heading = name => ada.getByRole("heading", {level: 1, name}).waitFor();

async function seconds(what, work) {
  const begun = Date.now();
  await work();
  console.log(`# ${what}: ${((Date.now() - begun) / 1000).toFixed(1)} s`);
}

step("journey 1: from the journal's link to a green sync in six clicks and four screens", async () => {
  await seconds("to the first green sync", async () => {
    ada = await setUp(host, browser);
    person = new Person(ada).begin();
    person.clicks = 1; // the setup's button
    person.screens = 1;
    await person.click(ada.getByRole("link", {name: /^S?\s*Sample/}));
    await person.sees(/Sample/);
    await ada.getByLabel("Name", {exact: true}).fill("People");
    await person.click(ada.getByRole("button", {name: "Save and go on"}));
    await person.sees("Where does the data go?");
    await person.click(ada.getByRole("link", {name: /PostgreSQL/}).first());
    await ada.getByLabel("Name", {exact: true}).fill("Warehouse");
    await ada.getByLabel("Host", {exact: true}).fill("127.0.0.1");
    await ada.getByLabel("Port", {exact: true}).fill(SUITE_WAREHOUSE_PORT);
    await ada.getByLabel("Database", {exact: true}).fill("warehouse");
    await ada.getByLabel("User", {exact: true}).fill("warehouse");
    await ada.getByLabel(/^Password/).first().fill("warehouse");
    await person.click(ada.getByRole("button", {name: "Save and go on"}));
    await person.sees("Which streams?");
    await ada.getByRole("row", {name: /Take users/}).waitFor();
    await browser.expecting([["status of 409", "the schedule of the new connection was quicker than the page"]], async () => {
      await person.click(ada.getByRole("button", {name: "Create and sync"}));
      await heading("People → Warehouse");
    });
    await ada.getByText("Synced").first().waitFor({timeout: 60_000});
  });
  person.within(6, "journey 1");
  assert.ok(person.screens <= 4, `${person.screens} screens`);
  assert.equal(await host.sql("select status from job where config_type = 'sync'"), "succeeded");
  await sound("a connection that is synced");
  await shoot(ada, "booted-synced");
});

const stored = key => host.sql(`select coalesce(configuration::json ->> '${key}', configuration::json -> '${key}' ->> '_secret') from actor where name like '%arehouse'`);

step("a password stays where it is when something else is changed: it is in no table, and dots are on the screen", async () => {
  const sealed = await stored("password");
  assert.notEqual(sealed, "warehouse");
  await ada.goto("/destinations");
  await ada.getByRole("link", {name: "Warehouse"}).click();
  await heading("Warehouse");
  assert.match(await ada.getByLabel("Password, stored").inputValue(), /^\*+$/);
  assert.ok(!(await ada.content()).includes('value="warehouse" type="password"'));
  await ada.getByLabel("Name", {exact: true}).fill("The warehouse");
  await ada.getByRole("button", {name: "Test and save"}).click();
  await ada.getByText("“The warehouse” is saved.").waitFor();
  assert.equal(await stored("password"), sealed);
});

step("journey 7: a new password is tested before it takes the old one's place, in three clicks", async () => {
  const sealed = await stored("password");
  await ada.getByRole("button", {name: "Edit Password"}).click();
  await ada.getByLabel(/^Password/).first().fill("not the password");
  await ada.getByRole("button", {name: "Test and save"}).click();
  await ada.getByText(/password authentication failed/).first().waitFor();
  await sound("a password that is refused");
  await shoot(ada, "booted-refused");
  assert.equal(await stored("password"), sealed, "the old one is in use still");
  await inBox("env", "PGPASSWORD=warehouse", "psql", "-X", "-q", "-h", "127.0.0.1", "-p", SUITE_WAREHOUSE_PORT, "-U", "warehouse", "-d", "warehouse",
    "-c", "alter role warehouse password 'a new one'");
  await ada.goto("/destinations");
  person.begin();
  await person.click(ada.getByRole("link", {name: "The warehouse"}));
  await person.click(ada.getByRole("button", {name: "Edit Password"}));
  await ada.getByLabel(/^Password/).first().fill("a new one");
  await person.click(ada.getByRole("button", {name: "Test and save"}));
  await ada.getByText("“The warehouse” is saved.").waitFor();
  person.within(3, "journey 7");
  assert.equal(await host.sql("select count(*) from actor where configuration::text like '%a new one%'"), "0");
});

step("journeys 4 and 5: a run is watched, stream by stream, and cancelled", async () => {
  await inBox("sh", "-ec", `sluicectl -q source create source-sample endless count=100000000 seed=2
    echo '{"test_destination": {"test_destination_type": "THROTTLED", "millis_per_record": 5}}' | sluicectl -q destination create destination-dev-null slow --from=-
    sluicectl -q connect endless slow --name=long --mode=overwrite --streams=users`);
  await ada.goto("/connections");
  await ada.getByRole("link", {name: "long", exact: true}).click();
  await heading("long");
  person.begin();
  await person.click(ada.getByRole("button", {name: "Sync now"}));
  await ada.getByText("Running").first().waitFor();
  const job = await host.sql("select max(job_id) from job where config_type = 'sync'");
  await ada.goto(`/jobs/${job}`);
  await ada.getByText("Following").waitFor();
  const users = ada.getByRole("region", {name: "Streams"}).getByRole("row", {name: /^users /});
  await users.waitFor();
  const said = await users.innerText();
  for (let i = 0; i < 100 && await users.innerText() === said; i++) await ada.waitForTimeout(200);
  assert.notEqual(await users.innerText(), said, "its numbers move");
  await shoot(ada, "booted-running");
  person.begin();
  await seconds("from the click to the end of the run", async () => {
    await person.click(ada.getByRole("button", {name: "Cancel the run"}));
    await ada.getByText("Cancelled", {exact: true}).first().waitFor({timeout: 60_000});
  });
  person.within(2, "journey 5");
  assert.equal(await host.sql(`select status from job where job_id = ${job}`), "cancelled");
});

step("journey 3: the reason of a red one, one click from the list, with the lines around it", async () => {
  await inBox("sh", "-ec", `sluicectl -q source create source-script red rows=10 behaviour=trace_error
    sluicectl -q connect red slow --name=red --mode=overwrite
    sluicectl sync red --wait=60 || true`);
  await ada.goto("/connections");
  person.begin();
  await person.click(ada.getByRole("row", {name: /^red|red /}).getByRole("cell", {name: /Failed/}).getByRole("link"));
  await ada.getByText("the shop is closed").first().waitFor();
  await ada.getByRole("region", {name: "Lines around the first error"}).waitFor();
  person.within(2, "journey 3");
  await sound("a run that failed");
  await shoot(ada, "booted-red");
});

step("the host: its units, as systemd has them", async () => {
  await ada.goto("/settings/host");
  for (const unit of ["sluice-postgres.service", "sluice-launcher.service", "sluice-worker@1.service"]) await ada.getByText(unit).first().waitFor();
  await sound("the host");
  await shoot(ada, "booted-host");
});

step("no error in the console, no request to another host", () => {
  assert.deepEqual(browser.errors, []);
  assert.deepEqual(browser.foreign, []);
});
