// SPDX-License-Identifier: Apache-2.0
// A person at the page, whose clicks are counted: what is typed into fields is none, choosing in a list is one.
import assert from "node:assert/strict";

export const EMAIL = "ada@example.com", PASSWORD = "correct horse battery";

export class Person {
  clicks = 0;
  screens = 0;

  constructor(page) { this.page = page; }

  begin() {
    this.clicks = this.screens = 0;
    return this;
  }

  async click(locator) {
    this.clicks++;
    await locator.click();
  }

  async choose(locator, value) {
    this.clicks++;
    await locator.selectOption(value);
  }

  /** A screen is one when it asks for something. */
  async sees(name) {
    this.screens++;
    await this.page.getByRole("heading", {level: 1, name}).waitFor();
  }

  within(clicks, what) {
    console.log(`# ${what}: ${this.clicks} clicks of ${clicks}${this.screens > 0 ? `, ${this.screens} screens` : ""}`);
    assert.ok(this.clicks <= clicks, `${what}: ${this.clicks} clicks, ${clicks} are allowed`);
  }
}

/** The administrator, set up by the link. */
export async function setUp(host, browser) {
  const page = await browser.visitor();
  await page.goto(`/setup#token=${host.setup}`);
  await page.getByLabel("E-mail").fill(EMAIL);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", {name: "Set password"}).click();
  await page.getByRole("heading", {level: 1, name: "Connections"}).waitFor();
  return page;
}
