// SPDX-License-Identifier: Apache-2.0
// What a person has chosen for this browser alone: colours and language. Nobody chose: the system's, and the browser's.
import {cell} from "./cell.ts";

export type Theme = "system" | "light" | "dark";

const THEMES: readonly string[] = ["system", "light", "dark"];

function read(name: string): string | null {
  try {
    return localStorage.getItem("sluice." + name);
  } catch {
    return null; // storage is switched off
  }
}

function write(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem("sluice." + name);
    else localStorage.setItem("sluice." + name, value);
  } catch { /* for this visit, then */ }
}

export function toTheme(kept: string | null): Theme {
  return kept !== null && THEMES.includes(kept) ? kept as Theme : "system";
}

export const theme = cell<Theme>("system");

function show(chosen: Theme): void {
  if (chosen === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = chosen;
  theme.set(chosen);
}

export function chooseTheme(chosen: Theme): void {
  write("theme", chosen === "system" ? null : chosen);
  show(chosen);
}

/** null: as the browser asks for. */
export function preferredLanguage(): string | null {
  return read("language");
}

/** Texts are chosen once for a page: it is loaded again. */
export function chooseLanguage(tag: string | null): void {
  write("language", tag);
  window.location.reload();
}

/** Before anything is shown; what another tab chooses holds here too. */
export function startPreferences(): void {
  show(toTheme(read("theme")));
  window.addEventListener("storage", event => {
    if (event.key === "sluice.theme") show(toTheme(event.newValue));
  });
}
