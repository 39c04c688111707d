// SPDX-License-Identifier: Apache-2.0
// Addresses of the page: /connections/ID?filter=… ; one table of routes, History API, links are plain <a href>.
import {cell, useCell} from "./cell.ts";

export interface Location {
  path: string;
  query: URLSearchParams;
}

export type Params = Record<string, string>;

function read(): Location {
  return {path: window.location.pathname, query: new URLSearchParams(window.location.search)};
}

const location = cell<Location>({path: "/", query: new URLSearchParams()});
/** Asks whether what was typed may be lost; null: nothing was. */
let guard: (() => string) | null = null;

export function useLocation(): Location {
  return useCell(location);
}

/** The parameters, or null: another address. A pattern is like "/jobs/:jobId". */
export function match(pattern: string, path: string): Params | null {
  const wanted = pattern.split("/");
  const parts = path.replace(/(.)\/$/, "$1").split("/");
  if (wanted.length !== parts.length) return null;
  const params: Params = {};
  for (const [index, name] of wanted.entries()) {
    const part = parts[index] ?? "";
    if (name.startsWith(":")) {
      try {
        params[name.slice(1)] = decodeURIComponent(part);
      } catch {
        return null;
      }
      if (part === "") return null;
    } else if (name !== part) return null;
  }
  return params;
}

function mayLeave(): boolean {
  return guard === null || window.confirm(guard());
}

export function navigate(address: string, options: { replace?: boolean } = {}): void {
  const path = new URL(address, window.location.href).pathname;
  if (path !== location.get().path && !mayLeave()) return;
  if (path !== location.get().path) guard = null;
  history[options.replace ? "replaceState" : "pushState"](null, "", address);
  location.set(read());
}

/** Other values of the query in the same place, which the back button does not step through. */
export function setQuery(values: Record<string, string | null>): void {
  const query = new URLSearchParams(window.location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  navigate(window.location.pathname + (text === "" ? "" : "?" + text), {replace: true});
}

/** While set, leaving asks first. */
export function setGuard(question: (() => string) | null): void {
  guard = question;
}

function onClick(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest?.("a[href]") as HTMLAnchorElement | null;
  if (!link || link.target !== "" || link.hasAttribute("download") || link.origin !== window.location.origin) return;
  if (link.pathname.startsWith("/api/") || (link.hash !== "" && link.pathname === window.location.pathname)) return;
  event.preventDefault();
  navigate(link.pathname + link.search);
}

export function startRouter(): void {
  location.set(read());
  window.addEventListener("popstate", () => location.set(read()));
  window.addEventListener("beforeunload", event => {
    if (guard !== null) event.preventDefault();
  });
  document.addEventListener("click", onClick);
}
