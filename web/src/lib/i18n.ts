// SPDX-License-Identifier: Apache-2.0
// Texts in the reader's language: catalogs are made from po/web by make-catalogs, at most one is loaded.
//
//   _("Save")    ngettext("$0 stream", "$0 streams", n, n)    pgettext("verb", "Run")    fmt(_("$0 of $1"), a, b)
//
// The names are those that xgettext looks for; a text is always written out where it is used.
import {catalogs} from "../config.ts";

export interface Catalog {
  /** Text, or "context\u0004text" → translation, or one for each plural form. */
  texts: Record<string, string | string[]>;
  /** Which form numbers take: one digit each for 0…199; from there on it repeats with every hundred. */
  plurals: string;
  rtl?: boolean;
}

let catalog: Catalog | null = null;
let language = "en";

/** The best of `available` for what the reader asks for: "de-AT" is served by "de". */
export function chooseLanguage(wanted: readonly string[], available: readonly string[]): string {
  for (const tag of wanted) {
    const full = tag.toLowerCase();
    const base = full.split("-")[0] ?? "";
    const found = available.find(name => name.toLowerCase() === full) ?? available.find(name => name.toLowerCase() === base);
    if (found !== undefined) return found;
    if (base === "en") return "en";
  }
  return "en";
}

export function useCatalog(name: string, given: Catalog | null): void {
  language = name;
  catalog = given;
}

/** Before anything is shown. A catalog that does not come is no reason to show nothing. */
export async function loadLanguage(preferred: string | null): Promise<void> {
  const wanted = preferred === null ? navigator.languages : [preferred];
  const name = chooseLanguage(wanted, Object.keys(catalogs));
  const address = catalogs[name];
  try {
    const answer = address === undefined ? null : await fetch(address);
    if (answer?.ok) useCatalog(name, await answer.json() as Catalog);
  } catch { /* English, then */ }
  document.documentElement.lang = language;
  document.documentElement.dir = catalog?.rtl ? "rtl" : "ltr";
}

/** For Intl: the reader's own region with the page's language where they agree. */
export function locale(): string {
  const own = typeof navigator === "undefined" ? undefined : navigator.languages.find(tag => tag.split("-")[0] === language);
  return own ?? language;
}

export function fmt(text: string, ...values: (string | number)[]): string {
  return text.replace(/\$(\d)/g, (_all, digit: string) => {
    const value = values[Number(digit)];
    return typeof value === "number" ? new Intl.NumberFormat(locale()).format(value) : value ?? "";
  });
}

export function _(text: string): string {
  const found = catalog?.texts[text];
  return typeof found === "string" ? found : text;
}

export function pgettext(context: string, text: string): string {
  const found = catalog?.texts[context + "\u0004" + text];
  return typeof found === "string" ? found : text;
}

/** The form for `n`; $0, $1, … are `values`. */
export function ngettext(one: string, many: string, n: number, ...values: (string | number)[]): string {
  const forms = catalog?.texts[one];
  const whole = Math.abs(Math.trunc(n));
  const form = Number(catalog?.plurals[whole < 200 ? whole : 100 + whole % 100] ?? (whole === 1 ? 0 : 1));
  const text = Array.isArray(forms) ? forms[form] : undefined;
  return fmt(text ?? (whole === 1 ? one : many), ...values);
}
