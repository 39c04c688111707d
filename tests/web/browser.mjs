// SPDX-License-Identifier: Apache-2.0
// A browser that watches over every page: no error in the console, no request to another host, no violation that axe knows.
import * as fs from "node:fs";
import {createRequire} from "node:module";
import * as os from "node:os";
import * as path from "node:path";
import {BUILD} from "./host.mjs";

const require = createRequire(path.join(BUILD, "web/tree/package.json"));
const AXE = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(name => fs.existsSync(name));

/** Console errors that a test brings about on purpose: [text, why]. */
const EXPECTED = [
  ["status of 400", "something is typed that the server judges, like a cron expression"],
  ["status of 401", "logged out: the browser itself says so of every 401"],
  ["status of 403", "a wrong link or a wrong role"],
  ["status of 429", "too many failed logins"],
  ["net::ERR_CONNECTION_REFUSED", "the server was stopped under the page"],
  ["net::ERR_INCOMPLETE_CHUNKED_ENCODING", "the server was stopped under the page"],
  ["net::ERR_CONNECTION_RESET", "the server was stopped under the page"],
  ["net::ERR_EMPTY_RESPONSE", "the server was stopped under the page"],
];

export class Browser {
  static async start(origin) {
    const {chromium} = require("playwright-core");
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sluice-browser-"));
    const chrome = await chromium.launch({
      executablePath: CHROMIUM, headless: true,
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", `--crash-dumps-dir=${folder}`],
    });
    return Object.assign(new Browser(), {chrome, origin, folder, errors: [], foreign: [], expected: []});
  }

  /** What a step brings about in the console on purpose: [[text, why]]; none again after it. */
  async expecting(errors, run) {
    this.expected = errors;
    try {
      return await run();
    } finally {
      this.expected = [];
    }
  }

  /** A person with cookies of their own. */
  async visitor(options = {}) {
    const context = await this.chrome.newContext({baseURL: this.origin, locale: "en-GB", viewport: {width: 1280, height: 800},
      reducedMotion: "reduce", ...options});
    context.setDefaultTimeout(30_000);
    const page = await context.newPage();
    page.requests = [];
    page.on("console", message => {
      if (message.type() === "error" && ![...EXPECTED, ...this.expected].some(([text]) => message.text().includes(text)))
        this.errors.push(`${page.url()}: ${message.text()}`);
    });
    page.on("pageerror", error => this.errors.push(`${page.url()}: ${error.stack}`));
    context.on("request", request => {
      page.requests.push(request);
      const url = request.url();
      if (!url.startsWith(this.origin + "/") && !url.startsWith("data:") && !url.startsWith("blob:")) this.foreign.push(url);
    });
    return page;
  }

  /** What axe finds on the page as it is, in both themes: ["theme: rule: element"]. */
  async violations(page) {
    const found = [];
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({colorScheme});
      if (!await page.evaluate("typeof axe === 'object'")) await page.evaluate(AXE + ";0");
      const result = await page.evaluate(`axe.run(document, {runOnly: ${JSON.stringify(RULES)}, resultTypes: ["violations"]})`);
      for (const {id, nodes} of result.violations)
        found.push(...nodes.map(node => `${colorScheme}: ${id}: ${node.target} ${node.failureSummary ?? ""}`));
    }
    await page.emulateMedia({colorScheme: "light"});
    return found;
  }

  /** Bytes over the wire and requests of a first visit, with nothing cached. */
  async weigh(address, settled) {
    const page = await this.visitor();
    const session = await page.context().newCDPSession(page);
    await session.send("Network.enable");
    let bytes = 0, requests = 0;
    session.on("Network.loadingFinished", event => { bytes += event.encodedDataLength; });
    session.on("Network.requestWillBeSent", () => { requests++; });
    await page.goto(address);
    await settled(page);
    await page.waitForTimeout(300);
    await page.context().close();
    return {bytes, requests};
  }

  async close() {
    await this.chrome.close();
    fs.rmSync(this.folder, {recursive: true, force: true});
  }
}
