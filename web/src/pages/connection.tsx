// SPDX-License-Identifier: Apache-2.0
// One connection: how it stands, what it has done, how it is set, and what can be done to it.
import type {JSX} from "preact";
import {useEffect, useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import {ApiError, call, type ConfigWebConnectionRead} from "../lib/api.ts";
import {standingOf as standingOfItem} from "../lib/connection-list.ts";
import {watchEvents, type PageEvent} from "../lib/events.ts";
import {_, fmt, ngettext} from "../lib/i18n.ts";
import {modeText} from "../lib/modes.ts";
import {useQuery} from "../lib/query.ts";
import {navigate, useLocation} from "../lib/router.ts";
import {scheduleText} from "../lib/schedule.ts";
import {firstFailure, keyOf, latestStatuses, selectedStreams, standingOf, type SelectedStream} from "../lib/streams.ts";
import {bytes, count, duration} from "../lib/time.ts";
import {Ago, Button, Empty, Heading, Notice, Switch} from "../ui/controls.tsx";
import {Confirm} from "../ui/dialog.tsx";
import {FailureCard} from "../ui/failure.tsx";
import {History} from "../ui/history.tsx";
import {Facts, Loaded, Tabs} from "../ui/page.tsx";
import {JobPill, StatusPill, StreamPill} from "../ui/status.tsx";
import {say} from "../ui/toasts.tsx";

interface Counters {
  records: number;
  bytes: number;
}

/** What the events of a running job have told of each stream; '' is the whole job. */
function useLiveCounters(connectionId: string): Map<string, Counters> {
  const [counters, set] = useState<Map<string, Counters>>(new Map());
  useEffect(() => watchEvents(({type, data}) => {
    if (data["connectionId"] !== connectionId || (type !== "stream.status" && type !== "job.progress")) return;
    const key = type === "job.progress" ? "" : keyOf({name: String(data["streamName"]), namespace: String(data["streamNamespace"] ?? "")});
    set(now => new Map(now).set(key, {records: Number(data["recordsEmitted"] ?? 0), bytes: Number(data["bytesEmitted"] ?? 0)}));
  }), [connectionId]);
  return counters;
}

/** A deleted one is not asked for again. */
const concerns = (id: string) => (event: PageEvent) =>
  event.data["connectionId"] === id && event.type === "connection.status" && event.data["status"] !== "deprecated";

function StreamRows({streams, connectionId, active}: { streams: SelectedStream[]; connectionId: string; active: boolean }): JSX.Element {
  const statuses = useQuery(api.configStreamStatusListLatest, {connectionId}, {watch: concerns(connectionId)});
  const progress = useQuery(api.configOverviewProgress, active ? {connectionId} : null);
  const live = useLiveCounters(connectionId);
  const latest = latestStatuses(statuses.data?.streamStatuses ?? []);
  const known = new Map(progress.data?.streams.map(row => [keyOf({name: row.streamName, namespace: row.streamNamespace ?? ""}), row]));
  return <table class="list plain">
    <caption class="said">{_("Streams")}</caption>
    <thead><tr><th scope="col">{_("Stream")}</th><th scope="col">{_("Status")}</th><th scope="col" class="medium">{_("Mode")}</th>
      <th scope="col">{active ? _("Moved in this run") : _("Since")}</th></tr></thead>
    <tbody>{streams.map(stream => {
      const key = keyOf(stream), status = latest.get(key);
      const records = live.get(key)?.records ?? known.get(key)?.recordsEmitted;
      return <tr key={key}>
        <th scope="row"><span class="two"><span class="clip" title={stream.name}>{stream.name}</span>
          {stream.namespace !== "" && <span class="small muted clip">{stream.namespace}</span>}</span></th>
        <td><StreamPill standing={standingOf(status, active)}/></td>
        <td class="medium muted"><span class="clip">{modeText(stream.syncMode, stream.destinationSyncMode)}</span></td>
        <td class="number">{active ? records !== undefined ? ngettext("$0 record", "$0 records", records, count(records)) : "–"
          : status ? <Ago at={status.transitionedAt / 1000}/> : <span class="muted">{_("never")}</span>}</td>
      </tr>;
    })}</tbody>
  </table>;
}

function StatusTab({connection}: { connection: ConfigWebConnectionRead }): JSX.Element {
  const {connectionId} = connection;
  const status = useQuery(api.configOverviewStatus, {connectionIds: [connectionId]}, {watch: concerns(connectionId)});
  const live = useLiveCounters(connectionId);
  const streams = selectedStreams(connection.syncCatalog);
  return <Loaded answer={status}>{([found]) => {
    const active = found?.activeJob;
    const failure = found?.failureReason ? firstFailure({failures: [found.failureReason]}) : null;
    const total = live.get("") ?? {records: active?.aggregatedStats?.recordsEmitted ?? 0, bytes: active?.aggregatedStats?.bytesEmitted ?? 0};
    return <div class="stack">
      {active && <div class="card card-body row" role="group" aria-label={_("The run")}><JobPill status={active.status}/>
        <span class="grow">{fmt(_("$0 records, $1, for $2"), count(total.records), bytes(total.bytes), duration(Date.now() - (active.startedAt ?? active.createdAt) * 1000))}</span>
        <a href={`/jobs/${active.id}`}>{_("Watch the run")}</a></div>}
      {!active && failure && found?.lastSyncJobId !== undefined && <FailureCard failure={failure}>
        <a href={`/jobs/${found.lastSyncJobId}`}>{_("The run and its log")}</a></FailureCard>}
      <div class="card">{streams.length > 0 ? <StreamRows streams={streams} connectionId={connectionId} active={active !== undefined}/>
        : <Empty icon="none" title={_("No stream is selected")}/>}</div>
    </div>;
  }}</Loaded>;
}

const JOB_TYPES: Record<string, () => string> = {
  sync: () => _("Sync"), refresh: () => _("Refresh"), clear: () => _("Clear"), reset_connection: () => _("Clear"),
};

const JOBS_SHOWN = 100;

function JobsTab({connection}: { connection: ConfigWebConnectionRead }): JSX.Element {
  const jobs = useQuery(api.configJobList, {configTypes: ["sync", "reset_connection", "refresh", "clear"], configId: connection.connectionId, pagination: {pageSize: JOBS_SHOWN}},
    {watch: concerns(connection.connectionId)});
  return <Loaded answer={jobs}>{({jobs: rows}) => rows.length === 0
    ? <div class="card"><Empty icon="queued" title={_("Nothing has run yet")}/></div>
    : <div class="card"><table class="list plain">
      <caption class="said">{_("Runs")}</caption>
      <thead><tr><th scope="col">{_("Run")}</th><th scope="col">{_("Result")}</th><th scope="col">{_("Started")}</th><th scope="col" class="medium">{_("Took")}</th>
        <th scope="col" class="medium">{_("Moved")}</th></tr></thead>
      <tbody>{rows.map(({job}) => <tr key={job.id}>
        <th scope="row"><a class="name" href={`/jobs/${job.id}`}>{JOB_TYPES[job.configType]?.() ?? job.configType} {job.id}</a></th>
        <td><JobPill status={job.status}/></td>
        <td><Ago at={job.startedAt ?? job.createdAt}/></td>
        <td class="medium number">{duration((job.updatedAt - (job.startedAt ?? job.createdAt)) * 1000)}</td>
        <td class="medium number">{job.aggregatedStats ? fmt(_("$0 records, $1"), count(job.aggregatedStats.recordsCommitted), bytes(job.aggregatedStats.bytesCommitted)) : "–"}</td>
      </tr>)}</tbody>
    </table></div>}</Loaded>;
}

function StateTab({connection}: { connection: ConfigWebConnectionRead }): JSX.Element {
  const state = useQuery(api.configStateGet, {connectionId: connection.connectionId}, {watch: concerns(connection.connectionId)});
  return <div class="stack">
    <p class="muted">{_("Where each incremental stream goes on at the next run.")}</p>
    <Loaded answer={state}>{data => <pre class="card card-body code" tabIndex={0} aria-label={_("State")}>{JSON.stringify(data, null, 2)}</pre>}</Loaded>
  </div>;
}

const POLICIES: Record<string, () => string> = {
  ignore: () => _("Nothing: the change is not taken over"), disable: () => _("The connection is disabled"),
  propagate_columns: () => _("New and removed fields are taken over"), propagate_fully: () => _("New and removed fields and streams are taken over"),
};

function namespaceText(connection: ConfigWebConnectionRead): string {
  if (connection.namespaceDefinition === "customformat") return connection.namespaceFormat ?? "";
  return connection.namespaceDefinition === "source" ? _("As in the source") : _("The destination's default");
}

type Act = "refresh" | "clear" | "delete";

function SettingsTab({connection, onAct}: { connection: ConfigWebConnectionRead; onAct: (act: Act) => void }): JSX.Element {
  return <div class="stack">
    <div class="card card-body"><Facts facts={[
      [_("Source"), connection.source.name], [_("Destination"), connection.destination.name],
      [_("Schedule"), scheduleText(connection.scheduleType, connection.scheduleData)],
      [_("Namespace"), namespaceText(connection)], [_("Prefix of streams"), connection.prefix || _("none")],
      [_("When the source's schema changes"), POLICIES[connection.nonBreakingChangesPreference]?.() ?? connection.nonBreakingChangesPreference],
    ]}/></div>
    <section class="card" aria-labelledby="acts"><div class="card-body stack">
      <h2 id="acts">{_("What can be done to the data")}</h2>
      <Deed title={_("Refresh")} text={_("Everything is read again from the source; what the destination has stays until it is replaced.")}
        action={_("Refresh…")} onClick={() => onAct("refresh")}/>
      <Deed title={_("Clear")} text={_("What this connection has written is removed from the destination, and the next run begins from nothing.")}
        action={_("Clear…")} danger onClick={() => onAct("clear")}/>
      <Deed title={_("Delete the connection")} text={_("Its settings and state go; what is in the destination stays there.")}
        action={_("Delete…")} danger onClick={() => onAct("delete")}/>
    </div></section>
  </div>;
}

function Deed({title, text, action, danger = false, onClick}: { title: string; text: string; action: string; danger?: boolean; onClick: () => void }): JSX.Element {
  return <div class="deed"><div class="grow"><h3>{title}</h3><p class="small muted">{text}</p></div>
    <Button kind={danger ? "danger" : "plain"} onClick={onClick}>{action}</Button></div>;
}

function StreamNames({streams}: { streams: SelectedStream[] }): JSX.Element {
  return <ul class="names" tabIndex={0} aria-label={_("Streams")}>{streams.map(stream => <li key={keyOf(stream)} class="clip">
    {stream.namespace !== "" && <span class="muted">{stream.namespace}.</span>}{stream.name}</li>)}</ul>;
}

function ActDialog({act, connection, onClose}: { act: Act; connection: ConfigWebConnectionRead; onClose: () => void }): JSX.Element {
  const {connectionId, name} = connection;
  const streams = selectedStreams(connection.syncCatalog);
  if (act === "refresh")
    return <Confirm title={fmt(_("Refresh “$0”?"), name)} action={_("Refresh")} onClose={onClose}
      onConfirm={async () => { await call(api.configConnectionRefresh, {connectionId, refreshMode: "Merge"}); say("ok", _("The refresh has begun.")); }}>
      <p>{ngettext("$0 stream is read again from its beginning:", "$0 streams are read again from their beginning:", streams.length, streams.length)}</p>
      <StreamNames streams={streams}/>
      <p>{fmt(_("What “$0” has of them stays, and is merged with what comes."), connection.destination.name)}</p></Confirm>;
  if (act === "clear")
    return <Confirm title={fmt(_("Clear “$0”?"), name)} action={_("Remove the data")} danger typed={name} onClose={onClose}
      onConfirm={async () => { await call(api.configConnectionClear, {connectionId}); say("ok", _("The data is being removed.")); }}>
      <p>{fmt(ngettext("The data of $0 stream is removed from “$1”:", "The data of $0 streams is removed from “$1”:", streams.length), streams.length, connection.destination.name)}</p>
      <StreamNames streams={streams}/>
      <p>{_("This cannot be taken back. The source is not touched.")}</p></Confirm>;
  return <Confirm title={fmt(_("Delete “$0”?"), name)} action={_("Delete")} danger typed={name} onClose={onClose}
    onConfirm={async () => {
      await call(api.configConnectionDelete, {connectionId});
      say("ok", fmt(_("“$0” is deleted."), name));
      navigate("/connections");
    }}>
    <p>{ngettext("Its schedule, its settings and the state of $0 stream are deleted; a run that is under way is cancelled.",
      "Its schedule, its settings and the states of $0 streams are deleted; a run that is under way is cancelled.", streams.length, streams.length)}</p>
    <p>{fmt(_("What was written to “$0” stays there."), connection.destination.name)}</p></Confirm>;
}

async function attempt(what: () => Promise<unknown>): Promise<void> {
  try {
    await what();
  } catch (error) {
    say("bad", error instanceof ApiError ? error.message : String(error));
  }
}

function Head({connection, onReload}: { connection: ConfigWebConnectionRead; onReload: () => Promise<void> }): JSX.Element {
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
        {job ? <Button kind="danger" busy={busy} onClick={() => void run(() => call(api.configJobCancel, {id: job.id}))}>{_("Cancel the run")}</Button>
          : <Button kind="primary" busy={busy} onClick={() => void run(() => call(api.configConnectionSync, {connectionId}))}>{_("Sync now")}</Button>}
      </div>
    </div>
  </>;
}

const TABS = ["status", "runs", "history", "settings", "state"] as const;

export default function ConnectionPage({connectionId, tab = "status"}: { connectionId: string; tab?: string }): JSX.Element {
  const {path} = useLocation();
  const [act, setAct] = useState<Act | null>(null);
  const found = useQuery(api.configWebConnectionGet, {connectionId}, {watch: event => concerns(connectionId)(event) && event.data["change"] !== "job"});
  const base = `/connections/${connectionId}`;
  const texts: Record<typeof TABS[number], string> = {status: _("Status"), runs: _("Runs"), history: _("History"), settings: _("Settings"), state: _("State")};
  if (!(TABS as readonly string[]).includes(tab)) return <Notice tone="bad">{_("There is nothing here")}</Notice>;
  return <Loaded answer={found}>{connection => <>
    <Head connection={connection} onReload={found.reload}/>
    <Tabs label={_("Parts of the connection")} path={path} tabs={TABS.map(name => ({href: name === "status" ? base : `${base}/${name}`, text: texts[name]}))}/>
    {tab === "status" ? <StatusTab connection={connection}/> : tab === "runs" ? <JobsTab connection={connection}/>
      : tab === "history" ? <History connectionId={connectionId}/> : tab === "state" ? <StateTab connection={connection}/> : <SettingsTab connection={connection} onAct={setAct}/>}
    {act !== null && <ActDialog act={act} connection={connection} onClose={() => setAct(null)}/>}
  </>}</Loaded>;
}

