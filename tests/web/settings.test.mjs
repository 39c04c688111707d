// SPDX-License-Identifier: Apache-2.0
// The settings, one part after the other, on the real server.
import * as assert from "node:assert/strict";
import * as http from "node:http";
import {after, before} from "node:test";
import {Browser} from "./browser.mjs";
import {startHost} from "./host.mjs";
import {arrive, EMAIL, heading, logIn, PASSWORD} from "./people.mjs";
import {shoot} from "./screenshots.mjs";
import {step} from "./steps.mjs";

let host, browser, ada, hook;
const heard = [];

before(async () => {
  host = await startHost();
  browser = await Browser.start(host.origin);
  step.watch(() => [host, browser]);
  hook = http.createServer((request, answer) => {
    let text = "";
    request.on("data", piece => { text += piece; });
    request.on("end", () => {
      heard.push({path: request.url, text});
      answer.statusCode = request.url === "/broken" ? 500 : 200;
      answer.end("ok");
    });
  });
  await new Promise(resolve => hook.listen(0, "127.0.0.1", resolve));
  ada = await arrive(host, browser);
});

after(async () => {
  await browser?.close();
  hook?.close();
  await host?.close();
});

const saved = text => ada.locator(".toasts").getByText(text).first().waitFor();
const part = name => ada.getByRole("navigation", {name: "Parts of the settings"}).getByRole("link", {name}).click();

step("a workspace gets another name", async () => {
  await ada.getByRole("link", {name: "Settings"}).click();
  await ada.getByLabel("Name of the workspace").fill("  ");
  await ada.getByRole("button", {name: "Save", exact: true}).click();
  await ada.getByText("This is needed.").waitFor();
  await ada.getByLabel("Name of the workspace").fill("Shop floor");
  await ada.getByRole("button", {name: "Save", exact: true}).click();
  await saved("Saved.");
  assert.equal(await host.sql("select name from workspace"), "Shop floor");
  assert.deepEqual(await browser.violations(ada), []);
  await shoot(ada, "settings-workspace");
});

step("notifications: what is switched on needs an address; the test says how it went; what is saved is there again", async () => {
  const address = `http://127.0.0.1:${hook.address().port}`;
  await ada.getByRole("switch", {name: "Webhook when: A sync has failed"}).click();
  await ada.getByRole("button", {name: "Save notifications"}).click();
  await ada.getByText("A webhook that is switched on needs an address").waitFor();
  const field = ada.getByLabel("Address of the webhook when: A sync has failed");
  assert.equal(await field.getAttribute("aria-invalid"), "true");
  await field.fill(address + "/good");
  await ada.getByRole("button", {name: "Test the webhook when: A sync has failed"}).click();
  const verdict = ada.locator(".toasts .notice").filter({hasNotText: "Saved."}).first();
  await verdict.waitFor();
  // Webhooks of a private network are refused unless the host allows them; either way it is said.
  const told = await verdict.innerText();
  if (heard.length > 0) assert.match(heard[0].text, /a sync failed/);
  else assert.match(told, /address|private|refused|not/i);
  await ada.getByLabel("E-mail when: A sync has succeeded").check();
  await ada.getByRole("button", {name: "Save notifications"}).click();
  await saved("Saved.");
  await ada.reload();
  await heading(ada, "Settings");
  assert.equal(await ada.getByLabel("Address of the webhook when: A sync has failed").inputValue(), address + "/good");
  assert.equal(await ada.getByRole("switch", {name: "Webhook when: A sync has failed"}).getAttribute("aria-checked"), "true");
  assert.ok(await ada.getByLabel("E-mail when: A sync has succeeded").isChecked());
});

step("connectors: versions of sources and destinations; one more, which the host must know", async () => {
  await part("Connectors");
  await ada.getByRole("heading", {name: "All connectors are up to date"}).waitFor();
  await ada.getByRole("region", {name: "Sources"}).getByRole("rowheader", {name: /sample/i}).waitFor();
  assert.deepEqual(await browser.violations(ada), []);
  await shoot(ada, "settings-connectors");
  await ada.getByRole("button", {name: "Add a connector"}).click();
  const dialog = ada.getByRole("dialog");
  await dialog.getByRole("button", {name: "Add", exact: true}).click();
  assert.equal(await dialog.getByText("This is needed.").count(), 3);
  await dialog.getByLabel("Name").fill("Nobody's");
  await dialog.getByLabel("Repository").fill("example/unheard-of");
  await dialog.getByLabel("Version").fill("1.0.0");
  await browser.expecting([["the server responded with a status of", "the host has no such connector"]], async () => {
    await dialog.getByRole("button", {name: "Add", exact: true}).click();
    await dialog.getByRole("alert").waitFor();
  });
  assert.deepEqual(await browser.violations(ada), []);
  await shoot(ada, "settings-connector-refused");
  const [repository, version] = (await host.sql("select docker_repository, docker_image_tag from actor_definition where docker_repository like '%sample%'")).split("\n")[0].split("|");
  await dialog.getByLabel("Name").fill("Our own samples");
  await dialog.getByLabel("Repository").fill(repository);
  await dialog.getByLabel("Version").fill(version);
  await dialog.getByRole("button", {name: "Add", exact: true}).click();
  const row = ada.getByRole("row", {name: /Our own samples/});
  await row.getByText("this workspace's").waitFor();
  await row.getByRole("button", {name: "Remove Our own samples"}).click();
  await ada.getByRole("dialog").getByRole("button", {name: "Remove", exact: true}).click();
  await row.waitFor({state: "detached"});
});

step("members: somebody new gets a link, a role, another role, and goes", async () => {
  await part("Members");
  await ada.getByText(/· you/).waitFor();
  await ada.getByLabel("E-mail").fill("no address");
  await ada.getByRole("button", {name: "Add", exact: true}).click();
  await ada.getByText("This is no e-mail address.").waitFor();
  await ada.getByLabel("E-mail").fill("grace@example.com");
  await ada.getByLabel("Name (optional)").fill("Grace");
  await ada.getByLabel("Role", {exact: true}).selectOption("workspace_reader");
  const link = await browser.expecting([["status of 404", "nobody has this address yet"]], async () => {
    await ada.getByRole("button", {name: "Add", exact: true}).click();
    return await ada.getByLabel("Link").inputValue();
  });
  assert.match(link, /\/setup#token=/);
  const role = ada.getByLabel("Role of Grace");
  assert.equal(await role.inputValue(), "workspace_reader");
  assert.deepEqual(await browser.violations(ada), []);
  await shoot(ada, "settings-members");
  await role.selectOption("workspace_admin");
  await saved("Grace is now: Administrator");
  assert.equal(await host.sql("select p.permission_type from permission p join account a using (user_id) where a.email = 'grace@example.com'"), "workspace_admin");
  await ada.getByRole("button", {name: "Remove Grace from the workspace"}).click();
  await ada.getByRole("dialog").getByRole("button", {name: "Remove", exact: true}).click();
  await role.waitFor({state: "detached"});
  await ada.getByLabel("E-mail").fill("grace@example.com");
  await ada.getByRole("button", {name: "Add", exact: true}).click();
  await ada.getByText("grace@example.com has the role now.").waitFor(); // the account was there
});

step("applications: made, its token works, removed", async () => {
  await part("Applications");
  await ada.getByRole("heading", {name: "No applications yet"}).waitFor();
  await ada.getByLabel("Name of the application").fill("Nightly export");
  await ada.getByRole("button", {name: "Create the application"}).click();
  const application = ada.getByRole("group", {name: "Nightly export"});
  await application.getByRole("button", {name: "Show the secret"}).click();
  assert.ok((await application.getByLabel("Client secret of Nightly export").inputValue()).length > 10);
  await application.getByRole("button", {name: "Make a token"}).click();
  const token = await ada.getByLabel("Token").inputValue();
  const answer = await fetch(host.origin + "/api/public/v1/workspaces", {headers: {Authorization: `Bearer ${token}`}});
  assert.equal(answer.status, 200);
  assert.deepEqual(await browser.violations(ada), []);
  await shoot(ada, "settings-applications");
  await application.getByRole("button", {name: "Remove Nightly export"}).click();
  await ada.getByRole("dialog").getByRole("button", {name: "Remove", exact: true}).click();
  await application.waitFor({state: "detached"});
  assert.equal((await fetch(host.origin + "/api/public/v1/workspaces", {headers: {Authorization: `Bearer ${token}`}})).status, 401);
});

step("the host: disks, database, units or why they are not known, data planes", async () => {
  await host.sql(`insert into job (config_type, scope, workspace_id, status, created_at, updated_at, started_at)
      select 'sync', gen_random_uuid(), workspace_id, 'running', now(), now(), now() from workspace limit 1;
    insert into attempt (job_id, attempt_number, status, log_path, created_at, updated_at) select job_id, 0, 'running', 'x', now(), now() from job;
    insert into workload (workload_id, auto_id, type, status, data_plane_group, data_plane_id, job_id, attempt_number, workspace_id, input, launch, log_path, created_at, updated_at)
      select 'w' || job_id, gen_random_uuid(), 'sync', 'running', 'auto', 'plane-a', job_id, 0, workspace_id, '{}', '{}', 'x', now(), now() from job;
    insert into workload_lease select workload_id, now() - interval '1 minute', now() - interval '3 minutes' from workload`);
  await part("Host");
  await ada.getByRole("heading", {name: "Database"}).waitFor();
  await ada.getByText("1 run was lost").waitFor();
  await ada.getByLabel("Used part of /", {exact: false}).first().waitFor();
  await ada.getByRole("region", {name: "Units"}).waitFor();
  assert.deepEqual(await browser.violations(ada), []);
  await shoot(ada, "settings-host");
  await host.sql("delete from workload; delete from attempt; delete from job");
  await ada.getByRole("button", {name: "Look again"}).click();
  await ada.getByText("Nobody has had work in the last day.").waitFor();
});

step("colours and language are the browser's own, and German is German all over", async () => {
  await part("You");
  await ada.getByLabel("Dark").check();
  assert.equal(await ada.evaluate("getComputedStyle(document.documentElement).colorScheme"), "dark");
  await ada.getByLabel("Language").selectOption("de");
  await heading(ada, "Einstellungen");
  assert.equal(await ada.evaluate("document.documentElement.lang"), "de");
  assert.equal(await ada.evaluate("document.documentElement.dataset.theme"), "dark");
  await shoot(ada, "settings-account-de");
  await ada.getByLabel("Wie das System").check();
  await ada.getByLabel("Sprache").selectOption("es");
  await heading(ada, "Ajustes");
  await ada.getByLabel("Idioma").selectOption("");
  await heading(ada, "Settings");
  assert.equal(await ada.evaluate("document.documentElement.dataset.theme"), undefined);
  assert.deepEqual(await browser.violations(ada), []);
});

step("a browser that asks for Spanish gets it, and at most one catalogue", async () => {
  const page = await logIn(browser, "/login", "Conexiones", {locale: "es-AR"});
  await page.getByRole("heading", {name: "Aún no hay conexiones"}).waitFor();
  const catalogues = page.requests.map(request => new URL(request.url()).pathname).filter(path => path.endsWith(".json") && path.startsWith("/assets/"));
  assert.ok(new Set(catalogues).size === 1 && catalogues[0].startsWith("/assets/es-"), `${catalogues}`);
  await page.context().close();
});

step("from right to left nothing stands on the wrong side", async () => {
  const page = await browser.visitor({locale: "de-DE"});
  // No language of ours is written so: German is served as one that is, and its letters stand mirrored.
  await page.route("**/assets/de-*.json", async route => {
    const catalog = await (await route.fetch()).json();
    const turn = text => typeof text === "string" ? `‮${text}‬` : text.map(turn);
    await route.fulfill({json: {...catalog, rtl: true, texts: Object.fromEntries(Object.entries(catalog.texts).map(([name, text]) => [name, turn(text)]))}});
  });
  await page.goto("/login");
  await page.locator("input[name=email]").fill(EMAIL);
  await page.locator("input[name=password]").fill(PASSWORD);
  await page.locator("button[type=submit]").click();
  await page.locator(".side").waitFor();
  await page.goto("/settings/workspace");
  await page.locator(".matrix").waitFor();
  assert.equal(await page.evaluate("document.documentElement.dir"), "rtl");
  const [side, main] = await Promise.all([page.locator(".side").boundingBox(), page.locator("main").boundingBox()]);
  assert.ok(side.x > main.x, `${JSON.stringify({side, main})}`);
  assert.ok(await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"));
  assert.deepEqual(await browser.violations(page), []);
  await shoot(page, "settings-rtl");
  await page.context().close();
});

step("the password is changed, and the old one is good no more", async () => {
  await ada.getByLabel("Present password").fill("wrong password");
  await ada.getByLabel("New password").fill("short");
  await ada.getByRole("button", {name: "Change the password"}).click();
  await ada.getByText("This is too short.").waitFor();
  await ada.getByLabel("New password").fill(PASSWORD + "!");
  await ada.getByRole("button", {name: "Change the password"}).click();
  await ada.getByRole("alert").waitFor();
  await ada.getByLabel("Present password").fill(PASSWORD);
  await ada.getByRole("button", {name: "Change the password"}).click();
  await saved("The password is changed");
});

step("another workspace is made, chosen and deleted", async () => {
  await part("Workspace");
  await ada.getByLabel("Name of the new workspace").fill("Second");
  await ada.getByRole("button", {name: "Create the workspace"}).click();
  const picker = ada.getByLabel("Workspace", {exact: true});
  await picker.waitFor();
  assert.equal(await picker.locator("option:checked").innerText(), "Second");
  await picker.selectOption({label: "Shop floor"});
  assert.equal(await ada.getByLabel("Name of the workspace").inputValue(), "Shop floor");
  await picker.selectOption({label: "Second"});
  await ada.getByRole("button", {name: "Delete…"}).click();
  const dialog = ada.getByRole("dialog");
  await dialog.getByLabel("Type Second to confirm").fill("Second");
  await dialog.getByRole("button", {name: "Delete", exact: true}).click();
  await picker.waitFor({state: "detached"});
  await ada.getByRole("button", {name: "Delete…"}).click();
  await saved("The only workspace cannot be deleted.");
});

step("no error in the console, no request to another host", () => {
  assert.deepEqual(browser.errors, []);
  assert.deepEqual(browser.foreign, []);
});
