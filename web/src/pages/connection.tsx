// SPDX-License-Identifier: Apache-2.0
// One connection: its head and its tabs, which are in ../connection.
import type {JSX} from "preact";
import {useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import {ActDialog, type Act} from "../connection/acts.tsx";
import {concerns} from "../connection/events.ts";
import {MappingsTab} from "../connection/mappings.tsx";
import {RunsTab} from "../connection/runs.tsx";
import {SchemaTab} from "../connection/schema.tsx";
import {SettingsTab} from "../connection/settings.tsx";
import {StateTab} from "../connection/state.tsx";
import {StatusTab} from "../connection/status.tsx";
import {TimelineTab} from "../connection/timeline.tsx";
import {call, type ConfigWebConnectionRead} from "../lib/api.ts";
import {standingOf as standingOfItem} from "../lib/connection-list.ts";
import {_, fmt} from "../lib/i18n.ts";
import {useQuery} from "../lib/query.ts";
import {useLocation} from "../lib/router.ts";
import {scheduleText} from "../lib/schedule.ts";
import {Button, Heading, Notice, Switch} from "../ui/controls.tsx";
import {History} from "../ui/history.tsx";
import {Loaded, Tabs} from "../ui/page.tsx";
import {StatusPill} from "../ui/status.tsx";
import {attempt} from "../ui/toasts.tsx";

function Head({connection, onReload, onAct}: { connection: ConfigWebConnectionRead; onReload: () => Promise<void>; onAct: (act: Act) => void }): JSX.Element {
  const {connectionId, name} = connection;
  const status = useQuery(api.configOverviewStatus, {connectionIds: [connectionId]}, {watch: concerns(connectionId)});
  const [busy, setBusy] = useState(false);
  const found = status.data?.[0], job = found?.activeJob;
  const on = connection.status === "active";

  async function run(what: () => Promise<unknown>): Promise<void> {
    setBusy(true);
    await attempt(what);
    await status.reload();
    setBusy(false);
  }

  return <>
    <a class="up small" href="/connections">{_("Connections")}</a>
    <div class="page-head">
      <div class="stack-small grow"><div class="row"><Heading title={name}>{name}</Heading>{found && <StatusPill standing={standingOfItem({...connection, connectionSyncStatus: found.connectionSyncStatus})}/>}</div>
        <p class="muted">{connection.source.name} <span aria-hidden="true">→</span><span class="said">{_("to")}</span> {connection.destination.name}
          {" · "}{scheduleText(connection.scheduleType, connection.scheduleData)}</p></div>
      <div class="row">
        <span class="row"><Switch on={on} label={fmt(_("$0 is enabled"), name)} onChange={next => void run(async () => {
          await call(api.configConnectionUpdate, {connectionId, status: next ? "active" : "inactive"});
          await onReload();
        })}/><span aria-hidden="true">{on ? _("Enabled") : _("Disabled")}</span></span>
        <Button kind="quiet" onClick={() => onAct("duplicate")}>{_("Duplicate…")}</Button>
        {job ? <Button kind="danger" busy={busy} onClick={() => void run(() => call(api.configJobCancel, {id: job.id}))}>{_("Cancel the run")}</Button>
          : <Button kind="primary" busy={busy} onClick={() => void run(() => call(api.configConnectionSync, {connectionId}))}>{_("Sync now")}</Button>}
      </div>
    </div>
  </>;
}

const TABS = ["status", "timeline", "runs", "history", "schema", "mappings", "settings", "state"] as const;

function SchemaBanner({connection, base}: { connection: ConfigWebConnectionRead; base: string }): JSX.Element | null {
  if (connection.schemaChange === "no_change") return null;
  const breaking = connection.schemaChange === "breaking";
  return <div class="banner"><Notice tone={breaking ? "bad" : "warn"}><div class="row"><span class="grow">{breaking ? _("The source has changed in a way that runs cannot follow.") : _("The source has new or other fields or streams.")}</span>
    <a class="button" href={`${base}/schema`}>{_("Review")}</a></div></Notice></div>;
}

export default function ConnectionPage({connectionId, tab = "status"}: { connectionId: string; tab?: string }): JSX.Element {
  const {path} = useLocation();
  const [act, setAct] = useState<{ act: Act; only: string | null } | null>(null);
  const found = useQuery(api.configWebConnectionGet, {connectionId}, {watch: event => concerns(connectionId)(event) && event.data["change"] !== "job"});
  const base = `/connections/${connectionId}`;
  const texts: Record<typeof TABS[number], string> = {status: _("Status"), timeline: _("Timeline"), runs: _("Runs"), history: _("History"), schema: _("Streams"), mappings: _("Mappings"), settings: _("Settings"), state: _("State")};
  const onAct = (what: Act, stream?: string) => setAct({act: what, only: stream ?? null});
  if (!(TABS as readonly string[]).includes(tab)) return <Notice tone="bad">{_("There is nothing here")}</Notice>;
  return <Loaded answer={found}>{connection => <>
    <Head connection={connection} onReload={found.reload} onAct={onAct}/>
    <Tabs label={_("Parts of the connection")} path={path} tabs={TABS.map(name => ({href: name === "status" ? base : `${base}/${name}`, text: texts[name]}))}/>
    {tab !== "schema" && <SchemaBanner connection={connection} base={base}/>}
    {tab === "status" ? <StatusTab connection={connection} onAct={onAct}/> : tab === "timeline" ? <TimelineTab connection={connection}/> : tab === "runs" ? <RunsTab connection={connection}/>
      : tab === "history" ? <History connectionId={connectionId}/> : tab === "schema" ? <SchemaTab connection={connection} onSaved={found.reload}/> : tab === "mappings" ? <MappingsTab connection={connection} onSaved={found.reload}/> : tab === "state" ? <StateTab connection={connection}/>
      : <SettingsTab connection={connection} onAct={onAct} onSaved={found.reload}/>}
    {act !== null && <ActDialog {...act} connection={connection} onClose={() => setAct(null)}/>}
  </>}</Loaded>;
}
