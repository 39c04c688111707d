// SPDX-License-Identifier: Apache-2.0
// What is done to all connections that are shown: for maintenance, and for files.
import type {JSX} from "preact";
import {useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import {call, type ConfigOverviewItem} from "../lib/api.ts";
import {_, fmt, ngettext} from "../lib/i18n.ts";
import {connectionYaml} from "../lib/yaml.ts";
import {Confirm} from "./dialog.tsx";
import {Menu} from "./menu.tsx";
import {attempt, say} from "./toasts.tsx";

const KEY = "sluice.disabled-together";
const AT_ONCE = 4;

/** Those that were disabled together, so that the same ones are enabled again and no other. */
function remembered(): string[] {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]") as unknown;
    return Array.isArray(found) ? found.filter(id => typeof id === "string") : [];
  } catch {
    return [];
  }
}

function remember(ids: string[]): void {
  try {
    if (ids.length === 0) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify(ids));
  } catch { /* then they are enabled one by one */ }
}

/** Goes through all of them; what could not be done is told at the end. */
async function each<T>(items: readonly T[], what: (item: T) => Promise<unknown>): Promise<void> {
  const waiting = [...items];
  const wrong: string[] = [];
  await Promise.all(Array.from({length: AT_ONCE}, async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift())
      await what(item).catch((error: unknown) => { wrong.push(error instanceof Error ? error.message : String(error)); });
  }));
  if (wrong.length > 0) throw new Error(ngettext("$0 could not be done: $1", "$0 could not be done: $1", wrong.length, wrong.length, wrong[0] ?? ""));
}

async function download(items: readonly ConfigOverviewItem[], workspaceId: string): Promise<void> {
  const {connections} = await call(api.configConnectionList, {workspaceId});
  const known = new Map(connections.map(connection => [connection.connectionId, connection]));
  const text = items.map(item => {
    const connection = known.get(item.connectionId);
    return connection === undefined ? "" : connectionYaml(connection, item.source.name, item.destination.name);
  }).join("");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type: "application/yaml"}));
  link.download = items.length === 1 ? `${items[0]?.name ?? "connection"}.yaml` : "connections.yaml";
  link.click();
  URL.revokeObjectURL(link.href);
}

function Names({items}: { items: readonly ConfigOverviewItem[] }): JSX.Element {
  return <ul class="names" tabIndex={0} aria-label={_("Connections")}>{items.map(item => <li key={item.connectionId} class="clip">{item.name}</li>)}</ul>;
}

function Disable({items, onDone, onClose}: { items: ConfigOverviewItem[]; onDone: () => Promise<void>; onClose: () => void }): JSX.Element {
  const running = items.filter(item => item.isSyncing && item.latestSyncJobId !== undefined);
  const [cancel, setCancel] = useState(false);
  return <Confirm title={ngettext("Disable $0 connection?", "Disable $0 connections?", items.length, items.length)} action={_("Disable")} onClose={onClose} onConfirm={async () => {
    remember(items.map(item => item.connectionId));
    await each(items, item => call(api.configConnectionUpdate, {connectionId: item.connectionId, status: "inactive"}));
    if (cancel) await each(running, item => call(api.configJobCancel, {id: item.latestSyncJobId ?? 0}));
    say("ok", ngettext("$0 connection is disabled.", "$0 connections are disabled.", items.length, items.length));
    await onDone();
  }}>
    <Names items={items}/>
    <p>{_("Nothing of them is started until they are enabled again; nothing is lost.")}</p>
    {running.length > 0 && <label class="check"><input type="checkbox" checked={cancel} onChange={event => setCancel(event.currentTarget.checked)}/>
      {ngettext("Cancel $0 run that is under way; otherwise it goes on to its end", "Cancel $0 runs that are under way; otherwise they go on to their end", running.length, running.length)}</label>}
  </Confirm>;
}

export function BulkConnections({shown, all, workspaceId, onDone}: { shown: ConfigOverviewItem[]; all: ConfigOverviewItem[]; workspaceId: string; onDone: () => Promise<void> }): JSX.Element {
  const [asked, ask] = useState(false);
  const on = shown.filter(item => item.status === "active"), off = shown.filter(item => item.status === "inactive");
  const together = new Set(remembered()), back = all.filter(item => item.status === "inactive" && together.has(item.connectionId));

  async function enable(items: ConfigOverviewItem[]): Promise<void> {
    await each(items, item => call(api.configConnectionUpdate, {connectionId: item.connectionId, status: "active"}));
    remember([]);
    say("ok", ngettext("$0 connection is enabled.", "$0 connections are enabled.", items.length, items.length));
    await onDone();
  }

  return <>
    {back.length > 0 && <button type="button" class="button" onClick={() => void attempt(() => enable(back))}>{ngettext("Enable the $0 that was disabled", "Enable the $0 that were disabled", back.length, back.length)}</button>}
    {on.length > 0 && <button type="button" class="button" onClick={() => ask(true)}>{shown.length === all.length ? _("Disable all…") : fmt(_("Disable the $0 shown…"), on.length)}</button>}
    <Menu label={_("More for what is shown")} items={[
      ...(off.length > 0 && back.length === 0 ? [{text: fmt(_("Enable the $0 shown"), off.length), onClick: () => void attempt(() => enable(off))}] : []),
      {text: fmt(_("Export the $0 shown as YAML"), shown.length), onClick: () => void attempt(() => download(shown, workspaceId))}]}/>
    {asked && <Disable items={on} onDone={onDone} onClose={() => ask(false)}/>}
  </>;
}
