// SPDX-License-Identifier: Apache-2.0
// The form of every specification that is known here, the installed connectors' and the registry's, with each option of it chosen
// once: what must be shown is there, what is wrong can be gone to, what would be sent is an object, and axe finds nothing.
import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import {createRequire} from "node:module";
import * as path from "node:path";
import {after, before, test} from "node:test";
import {Browser} from "./browser.mjs";
import {BUILD, SOURCE} from "./host.mjs";

/** Beside the checkout, or where SLUICE_CONTRACT says; null: nowhere. */
function findCatalog() {
  const top = fs.realpathSync(SOURCE), git = path.join(top, ".git");
  // A worktree is beside its repository, so to speak.
  const home = fs.existsSync(git) && fs.statSync(git).isFile() ? path.resolve(fs.readFileSync(git, "utf8").replace("gitdir:", "").trim(), "../../..") : top;
  const beside = [];
  for (let folder = path.dirname(home); ; folder = path.dirname(folder)) {
    beside.push(path.join(folder, "shared/contract"));
    if (folder === path.dirname(folder)) break;
  }
  const places = process.env.SLUICE_CONTRACT ? [process.env.SLUICE_CONTRACT] : beside;
  return places.map(place => path.join(place, "connector_catalog.json")).find(file => fs.existsSync(file)) ?? null;
}

const CATALOG = findCatalog();
const PROGRAMS = path.join(BUILD, "src/connectors/programs");
let browser, page;

/** [[name, schema]] */
function installed() {
  return fs.readdirSync(PROGRAMS).filter(name => name.endsWith(".json")).map(name => {
    const {spec} = JSON.parse(fs.readFileSync(path.join(PROGRAMS, name), "utf8"));
    return [name, spec?.connectionSpecification];
  }).filter(([, schema]) => schema !== undefined);
}

function registry() {
  const {sources, destinations} = JSON.parse(fs.readFileSync(CATALOG, "utf8"));
  return [...sources, ...destinations].map(each => [each.dockerRepository, each.spec.connectionSpecification]);
}

before(async () => {
  const tree = path.join(BUILD, "web/tree");
  const esbuild = createRequire(path.join(tree, "package.json"))("esbuild");
  const {outputFiles} = await esbuild.build({entryPoints: [path.join(SOURCE, "tests/web/forms-page.tsx")], bundle: true, write: false, format: "iife",
    jsx: "automatic", jsxImportSource: "preact", nodePaths: [path.join(tree, "node_modules")], alias: {"#gen/api.ts": path.join(BUILD, "web/api.ts")}});
  const assets = path.join(BUILD, "web/web/assets");
  const style = fs.readdirSync(assets).find(name => /^style-.*\.css$/.test(name));
  browser = await Browser.start("http://form.invalid");
  page = await browser.visitor();
  await page.route("**/*", route => route.fulfill({contentType: "text/html", body: "<!doctype html><html lang=en><title>Form</title><body></body></html>"}));
  await page.goto("/");
  await page.addStyleTag({content: fs.readFileSync(path.join(assets, style), "utf8")});
  await page.addScriptTag({content: outputFiles[0].text});
});

after(() => browser?.close());

/** axe costs a second: a form of each shape is judged, and all of them where SLUICE_AXE=all. */
async function sweep(specs, every) {
  const sum = {forms: 0, options: 0, fields: 0, judged: 0}, wrong = [];
  for (const [index, [name, schema]] of specs.entries()) {
    const report = await page.evaluate(given => window.sweep(given), schema);
    sum.forms++;
    sum.options += report.options;
    sum.fields += report.fields;
    wrong.push(...report.wrong.map(text => `${name}: ${text}`));
    if (process.env.SLUICE_AXE !== "all" && index % every !== 0) continue;
    sum.judged++;
    wrong.push(...(await browser.violations(page)).map(text => `${name}: ${text}`));
  }
  console.log(`# ${sum.forms} forms, ${sum.fields} fields, ${sum.options} options chosen, ${sum.judged} judged by axe in both themes`);
  assert.deepEqual(wrong.slice(0, 10), []);
  assert.deepEqual(browser.errors, []);
  return sum;
}

test("a form that lies is caught", async () => {
  // The sweep itself must be able to fail: a choice with two alternatives of one name cannot be told apart by its data.
  const report = await page.evaluate(() => window.sweep({type: "object", properties: {auth: {type: "object", oneOf: [
    {title: "A", properties: {kind: {const: "x"}, a: {type: "string"}}}, {title: "B", properties: {kind: {const: "x"}, b: {type: "string"}}}]}}}));
  assert.match(report.wrong.join("\n"), /was chosen and is not/);
});

test("the installed connectors", async () => {
  const sum = await sweep(installed(), 1);
  assert.ok(sum.forms >= 5 && sum.options > 0, JSON.stringify(sum));
});

test("all that the registry knows", {skip: CATALOG === null ? "the registry's list is not here (SLUICE_CONTRACT)" : false}, async () => {
  const sum = await sweep(registry(), 8);
  assert.ok(sum.forms > 100 && sum.options > 400, JSON.stringify(sum));
});
