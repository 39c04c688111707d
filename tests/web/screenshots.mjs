// SPDX-License-Identifier: Apache-2.0
// Pictures for people, of every page in both themes and two widths: SCREENSHOTS names the folder, without it none are made.
import * as fs from "node:fs";
import * as path from "node:path";

const folder = process.env.SCREENSHOTS;

export async function shoot(page, name) {
  if (!folder) return;
  fs.mkdirSync(folder, {recursive: true});
  for (const [width, height] of [[1280, 800], [390, 844]]) {
    await page.setViewportSize({width, height});
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({colorScheme});
      await page.waitForTimeout(100);
      await page.screenshot({path: path.join(folder, `${name}-${width}-${colorScheme}.png`)});
    }
  }
  await page.emulateMedia({colorScheme: "light"});
  await page.setViewportSize({width: 1280, height: 800});
}
