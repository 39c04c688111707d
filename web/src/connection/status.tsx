// SPDX-License-Identifier: Apache-2.0
// How a connection stands, stream by stream.
import type {JSX} from "preact";
import {useEffect, useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import type {ConfigWebConnectionRead} from "../lib/api.ts";
import {watchEvents} from "../lib/events.ts";
import {_, fmt, ngettext} from "../lib/i18n.ts";
import {modeText} from "../lib/modes.ts";
import {useQuery} from "../lib/query.ts";
import {firstFailure, keyOf, latestStatuses, selectedStreams, standingOf, type SelectedStream} from "../lib/streams.ts";
import {bytes, count, duration} from "../lib/time.ts";
import {Ago, Empty} from "../ui/controls.tsx";
import {FailureCard} from "../ui/failure.tsx";
import {Menu} from "../ui/menu.tsx";
import {Loaded} from "../ui/page.tsx";
import {JobPill, StreamPill} from "../ui/status.tsx";
import type {Act} from "./acts.tsx";
import {concerns} from "./events.ts";

export type OnAct = (act: Act, stream?: string) => void;

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

function StreamRows({streams, connectionId, active, onAct}: { streams: SelectedStream[]; connectionId: string; active: boolean; onAct: OnAct }): JSX.Element {
  const statuses = useQuery(api.configStreamStatusListLatest, {connectionId}, {watch: concerns(connectionId)});
  const progress = useQuery(api.configOverviewProgress, active ? {connectionId} : null);
  const live = useLiveCounters(connectionId);
  const latest = latestStatuses(statuses.data?.streamStatuses ?? []);
  const known = new Map(progress.data?.streams.map(row => [keyOf({name: row.streamName, namespace: row.streamNamespace ?? ""}), row]));
  return <table class="list plain">
    <caption class="said">{_("Streams")}</caption>
    <thead><tr><th scope="col">{_("Stream")}</th><th scope="col">{_("Status")}</th><th scope="col" class="medium">{_("Mode")}</th>
      <th scope="col">{active ? _("Moved in this run") : _("Since")}</th><th scope="col" class="more"><span class="said">{_("More")}</span></th></tr></thead>
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
        <td class="more"><Menu label={fmt(_("More for $0"), stream.name)} items={[
          {text: _("Refresh…"), onClick: () => onAct("refresh", key)}, {text: _("Clear…"), onClick: () => onAct("clear", key)}]}/></td>
      </tr>;
    })}</tbody>
  </table>;
}

export function StatusTab({connection, onAct}: { connection: ConfigWebConnectionRead; onAct: OnAct }): JSX.Element {
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
      <div class="card">{streams.length > 0 ? <StreamRows streams={streams} connectionId={connectionId} active={active !== undefined} onAct={onAct}/>
        : <Empty icon="none" title={_("No stream is selected")}/>}</div>
    </div>;
  }}</Loaded>;
}
