// SPDX-License-Identifier: Apache-2.0
// What happens on the server, as it happens. One stream serves all tabs of the browser (events-worker.ts), because a browser
// opens no more than six connections to a host; where there are no shared workers, each tab has its own.
import {cell} from "./cell.ts";
import {eventsWorker} from "../config.ts";
import {EventSourceKeeper, type Report} from "./event-source.ts";

export interface PageEvent {
  type: string;
  data: Record<string, unknown>;
}

/** "lost": the server is gone for the moment; what is shown is the last that is known. */
export const connection = cell<"idle" | "open" | "lost">("idle");

const watchers = new Set<(event: PageEvent) => void>();
let stop: (() => void) | null = null;

/** Returns what ends it. */
export function watchEvents(watcher: (event: PageEvent) => void): () => void {
  watchers.add(watcher);
  return () => { watchers.delete(watcher); };
}

function tell(event: PageEvent): void {
  for (const watcher of [...watchers]) watcher(event);
}

function onReport(report: Report): void {
  if (report.kind === "event") tell({type: report.type, data: report.data});
  else if (report.kind === "open") {
    // What happened while nobody listened has to be asked for.
    if (connection.get() === "lost") tell({type: "reset", data: {}});
    connection.set("open");
  } else connection.set("lost");
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): { createScriptURL(url: string): string };
}

let policy: { createScriptURL(url: string): string } | undefined;

/** The server's policy lets no text become code but this one address. */
function trustedWorker(): string {
  const types = (window as { trustedTypes?: TrustedTypes }).trustedTypes;
  policy ??= types?.createPolicy("sluice", {createScriptURL: url => url === eventsWorker ? url : ""});
  return policy?.createScriptURL(eventsWorker) ?? eventsWorker;
}

function startWorker(): () => void {
  const worker = new SharedWorker(trustedWorker(), {type: "module", name: "sluice-events"});
  worker.port.onmessage = message => onReport(message.data as Report);
  worker.port.start();
  const leave = () => worker.port.postMessage("leave");
  window.addEventListener("pagehide", leave);
  return () => {
    window.removeEventListener("pagehide", leave);
    leave();
    worker.port.close();
  };
}

function startOwn(): () => void {
  const keeper = new EventSourceKeeper(onReport);
  keeper.start();
  return () => keeper.stop();
}

export function startEvents(): void {
  if (stop === null) stop = typeof SharedWorker === "function" && eventsWorker !== "" ? startWorker() : startOwn();
}

export function stopEvents(): void {
  stop?.();
  stop = null;
  connection.set("idle");
}
