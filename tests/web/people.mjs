// SPDX-License-Identifier: Apache-2.0
// Somebody who is logged in, for journeys that are about something else.
export const EMAIL = "ada@example.com", PASSWORD = "correct horse battery";

export const heading = (page, name) => page.getByRole("heading", {level: 1, name}).waitFor();

/** The administrator, by the link that the installation printed. */
export async function arrive(host, browser, options = {}) {
  const page = await browser.visitor(options);
  await page.goto(`/setup#token=${host.setup}`);
  await heading(page, "Welcome to Sluice");
  await page.getByLabel("E-mail").fill(EMAIL);
  await page.getByLabel("Name").fill("Ada");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", {name: "Set password"}).click();
  await heading(page, "Connections");
  return page;
}

/** Another browser of the same person. */
export async function logIn(browser, address, title, options = {}) {
  const page = await browser.visitor(options);
  await page.goto(address);
  await page.locator("input[name=email]").fill(EMAIL);
  await page.locator("input[name=password]").fill(PASSWORD);
  await page.locator("button[type=submit]").click();
  await heading(page, title);
  return page;
}
