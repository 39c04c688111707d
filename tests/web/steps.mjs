// SPDX-License-Identifier: Apache-2.0
// Steps of a journey: each goes on where the one before ended. After one has failed the others are not tried (they would only
// wait for what cannot come), and what was on the screen is told.
import {test} from "node:test";

let failed = null, watched = () => [];

export function step(name, run) {
  test(name, async () => {
    if (failed !== null) throw new Error(`not tried: "${failed}" failed`);
    try {
      await run();
    } catch (error) {
      failed = name;
      const [host, browser] = watched();
      for (const context of browser?.chrome.contexts() ?? [])
        for (const page of context.pages())
          console.log(`# ${page.url()}: ${(await page.evaluate("document.body.innerText")).slice(0, 600).replace(/\n+/g, " | ")}`);
      if (browser) console.log(`# console: ${JSON.stringify(browser.errors)}`);
      if (host) console.log((await host.log()).split("\n").slice(-5).map(line => "# server: " + line).join("\n"));
      throw error;
    }
  });
}

/** What to look at when something fails: () => [host, browser]. */
step.watch = give => { watched = give; };
