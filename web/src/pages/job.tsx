// SPDX-License-Identifier: Apache-2.0
// One run: how far it is or how it ended, why it failed, and its log.
import type {JSX} from "preact";
import {useEffect, useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import {ApiError, call, type ConfigAttemptRead, type ConfigJobInfo} from "../lib/api.ts";
import {watchEvents} from "../lib/events.ts";
import {_, fmt, ngettext} from "../lib/i18n.ts";
import {useQuery} from "../lib/query.ts";
import {setQuery, useLocation} from "../lib/router.ts";
import {firstFailure} from "../lib/streams.ts";
import {absolute, bytes, count, duration} from "../lib/time.ts";
import {Button, Heading, Notice} from "../ui/controls.tsx";
import {FailureCard} from "../ui/failure.tsx";
import {FirstError, LogView} from "../ui/log.tsx";
import {Facts, Loaded} from "../ui/page.tsx";
import {JobPill} from "../ui/status.tsx";
import {say} from "../ui/toasts.tsx";

const TITLES: Record<string, (id: number) => string> = {
  sync: id => fmt(_("Sync $0"), String(id)), refresh: id => fmt(_("Refresh $0"), String(id)), clear: id => fmt(_("Clear $0"), String(id)),
  reset_connection: id => fmt(_("Clear $0"), String(id)),
};

interface Progress {
  records: number;
  bytes: number;
  committed: number;
  estimated: number;
  at: number;
}

/** The newest event and the first one: their difference is the rate. */
function useProgress(jobId: number): { first: Progress; last: Progress } | null {
  const [known, set] = useState<{ first: Progress; last: Progress } | null>(null);
  useEffect(() => watchEvents(({type, data}) => {
    if (type !== "job.progress" || data["jobId"] !== jobId) return;
    const last = {records: Number(data["recordsEmitted"] ?? 0), bytes: Number(data["bytesEmitted"] ?? 0), committed: Number(data["recordsCommitted"] ?? 0),
      estimated: Number(data["estimatedRecords"] ?? 0), at: Date.now()};
    set(now => ({first: now && now.first.records <= last.records ? now.first : last, last}));
  }), [jobId]);
  return known;
}

function useSecond(active: boolean): void {
  const [, tick] = useState(0);
  useEffect(() => {
    if (!active) return undefined;
    const timer = setInterval(() => tick(n => n + 1), 1000);
    return () => clearInterval(timer);
  }, [active]);
}

function LiveCard({jobId, started, stats}: { jobId: number; started: number; stats: ConfigAttemptRead["totalStats"] }): JSX.Element {
  const progress = useProgress(jobId);
  useSecond(true);
  const records = progress?.last.records ?? stats?.recordsEmitted ?? 0;
  const size = progress?.last.bytes ?? stats?.bytesEmitted ?? 0;
  const committed = progress?.last.committed ?? stats?.recordsCommitted ?? 0;
  const estimated = progress?.last.estimated || stats?.estimatedRecords || 0;
  const seconds = progress ? (progress.last.at - progress.first.at) / 1000 : 0;
  const rate = progress && seconds >= 1 ? (progress.last.records - progress.first.records) / seconds : null;
  return <section class="card card-body stack" aria-label={_("Progress")}>
    <div class="figures">
      <div><strong class="number">{count(records)}</strong><span class="muted small">{_("records read")}</span></div>
      <div><strong class="number">{count(committed)}</strong><span class="muted small">{_("records written for good")}</span></div>
      <div><strong class="number">{bytes(size)}</strong><span class="muted small">{_("read")}</span></div>
      <div><strong class="number">{rate === null ? "–" : count(Math.round(rate))}</strong><span class="muted small">{_("records a second")}</span></div>
      <div><strong class="number">{duration(Date.now() - started * 1000)}</strong><span class="muted small">{_("running")}</span></div>
    </div>
    {estimated > 0 && <progress max={estimated} value={Math.min(records, estimated)} aria-label={_("Part of what the source expects")}/>}
  </section>;
}

function AttemptFacts({attempt}: { attempt: ConfigAttemptRead }): JSX.Element {
  const end = attempt.endedAt ?? attempt.updatedAt, stats = attempt.totalStats;
  return <div class="card card-body"><Facts facts={[
    [_("Began"), absolute(attempt.createdAt * 1000)], [_("Took"), duration((end - attempt.createdAt) * 1000)],
    [_("Records read"), count(stats?.recordsEmitted ?? 0)], [_("Records written"), count(stats?.recordsCommitted ?? 0)],
    [_("Size"), bytes(stats?.bytesEmitted ?? 0)],
    stats?.recordsRejected ? [_("Records refused"), count(stats.recordsRejected)] as const : null,
  ]}/></div>;
}

function StreamTable({attempt}: { attempt: ConfigAttemptRead }): JSX.Element | null {
  const rows = attempt.streamStats ?? [];
  return rows.length === 0 ? null : <details class="card fold"><summary>{ngettext("$0 stream", "$0 streams", rows.length, rows.length)}</summary>
    <table class="list plain"><thead><tr><th scope="col">{_("Stream")}</th><th scope="col">{_("Read")}</th><th scope="col">{_("Written")}</th><th scope="col" class="medium">{_("Size")}</th></tr></thead>
      <tbody>{rows.map(row => <tr key={`${row.streamNamespace}\n${row.streamName}`}><th scope="row"><span class="clip">{row.streamNamespace && <span class="muted">{row.streamNamespace}.</span>}{row.streamName}</span></th>
        <td class="number">{count(row.stats.recordsEmitted ?? 0)}</td><td class="number">{count(row.stats.recordsCommitted ?? 0)}</td>
        <td class="number medium">{bytes(row.stats.bytesEmitted ?? 0)}</td></tr>)}</tbody></table></details>;
}

function Job({info, onReload}: { info: ConfigJobInfo; onReload: () => Promise<void> }): JSX.Element {
  const {job, attempts} = info;
  const {query} = useLocation();
  const [busy, setBusy] = useState(false);
  const active = job.status === "pending" || job.status === "running" || job.status === "incomplete";
  const last = attempts.at(-1)?.attempt;
  const asked = query.get("attempt");
  const attempt = attempts.find(each => asked !== null && each.attempt.id === Number(asked))?.attempt ?? last;
  const failure = attempt ? firstFailure(attempt.failureSummary) : null;
  const title = TITLES[job.configType]?.(job.id) ?? fmt(_("Run $0"), String(job.id));
  const atWork = job.status === "running" && attempt !== undefined && attempt === last;

  async function cancel(): Promise<void> {
    setBusy(true);
    try {
      await call(api.configJobCancel, {id: job.id});
      await onReload();
    } catch (error) {
      say("bad", error instanceof ApiError ? error.message : String(error));
    }
    setBusy(false);
  }

  return <div class="stack">
    <div>
      <a class="up small" href={`/connections/${job.configId}`}>{_("The connection")}</a>
      <div class="page-head flat"><div class="row grow"><Heading title={title}>{title}</Heading><JobPill status={job.status}/></div>
        {active && <Button kind="danger" busy={busy} onClick={() => void cancel()}>{busy ? _("Cancelling…") : _("Cancel the run")}</Button>}</div>
    </div>
    {attempts.length > 1 && <div class="chips" role="group" aria-label={_("Attempts")}>{attempts.map(({attempt: each}) =>
      <button key={each.id} type="button" class="chip" aria-pressed={each === attempt} onClick={() => setQuery({attempt: String(each.id)})}>{fmt(_("Attempt $0"), each.id + 1)}</button>)}</div>}
    {failure && attempt && <FailureCard failure={failure}><FirstError jobId={job.id} attemptNumber={attempt.id}/></FailureCard>}
    {attempt === undefined ? <Notice tone="info">{_("The run waits for its turn.")}</Notice>
      : atWork ? <LiveCard jobId={job.id} started={attempt.createdAt} stats={attempt.totalStats}/> : <AttemptFacts attempt={attempt}/>}
    {attempt && <StreamTable attempt={attempt}/>}
    {attempt && <LogView key={attempt.id} jobId={job.id} attemptNumber={attempt.id} follow={atWork}/>}
  </div>;
}

export default function JobPage({jobId}: { jobId: string }): JSX.Element {
  const id = /^\d{1,15}$/.test(jobId) ? Number(jobId) : null;
  const info = useQuery(api.configJobGetWithoutLogs, id === null ? null : {id}, {watch: event => event.type === "job.state" && event.data["jobId"] === id});
  if (id === null) return <Notice tone="bad">{_("There is no such run.")}</Notice>;
  return <Loaded answer={info}>{data => <Job info={data} onReload={info.reload}/>}</Loaded>;
}
