// SPDX-License-Identifier: Apache-2.0
// A run while it runs, and its streams: pushed by the server, at most a second old.
import type {JSX} from "preact";
import {useEffect, useRef, useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import type {ConfigAttemptRead, ConfigJobRead} from "../lib/api.ts";
import {watchEvents} from "../lib/events.ts";
import {_, fmt, locale, ngettext} from "../lib/i18n.ts";
import {countersOf, rateOf, remaining, remember, share, streamRows, takeIn, type Counters, type Live, type Moment, type StreamRow} from "../lib/progress.ts";
import {useQuery} from "../lib/query.ts";
import {keyOf} from "../lib/streams.ts";
import {bytes, count, duration} from "../lib/time.ts";
import {StreamPill} from "./status.tsx";
import {useWindow} from "./window.ts";

interface Pushed {
  total: Counters | null;
  moments: readonly Moment[];
  live: Live;
}

/** What events tell of the job; a screen is drawn once for all of them that come together. */
export function usePushed(jobId: number): Pushed {
  const nothing = (): Pushed => ({total: null, moments: [], live: {attempt: -1, streams: new Map()}});
  const known = useRef<Pushed>(nothing());
  const [shown, show] = useState<Pushed>(known.current);
  useEffect(() => {
    let drawing = 0;
    known.current = nothing();
    const stop = watchEvents(({type, data}) => {
      if (data["jobId"] !== jobId || (type !== "job.progress" && type !== "stream.status")) return;
      const now = known.current;
      if (type === "stream.status") now.live = takeIn(now.live, data);
      else {
        now.total = countersOf(data);
        now.moments = remember(now.moments, {at: Date.now(), records: now.total.records});
      }
      drawing ||= requestAnimationFrame(() => {
        drawing = 0;
        show({...known.current});
      });
    });
    return () => {
      cancelAnimationFrame(drawing);
      stop();
    };
  }, [jobId]);
  return shown;
}

function useSecond(): void {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick(n => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
}

const percent = (part: number): string => new Intl.NumberFormat(locale(), {style: "percent"}).format(part);

export function LiveCard({started, stats, pushed}: { started: number; stats: ConfigAttemptRead["totalStats"]; pushed: Pushed }): JSX.Element {
  useSecond();
  const now = pushed.total ?? countersOf({...stats});
  const rate = rateOf(pushed.moments), part = share(now), left = remaining(now, rate);
  return <section class="card card-body stack" aria-label={_("Progress")}>
    <div class="figures">
      <div><strong class="number">{count(now.records)}</strong><span class="muted small">{_("records read")}</span></div>
      <div><strong class="number">{count(now.committed)}</strong><span class="muted small">{_("records written for good")}</span></div>
      <div><strong class="number">{bytes(now.bytes)}</strong><span class="muted small">{_("read")}</span></div>
      <div><strong class="number">{rate === null ? "–" : count(Math.round(rate))}</strong><span class="muted small">{_("records a second")}</span></div>
      <div><strong class="number">{duration(Date.now() - started * 1000)}</strong><span class="muted small">{_("running")}</span></div>
    </div>
    {part !== null && <div class="stack-small">
      <progress max={1} value={part} aria-label={_("Part of what the source expects")}/>
      <p class="small muted">{fmt(_("$0 of about $1 records"), percent(part), count(now.estimated))}{left !== null && <> · {fmt(_("about $0 left"), duration(left * 1000))}</>}</p>
    </div>}
  </section>;
}

function Row({row, atWork}: { row: StreamRow; atWork: boolean }): JSX.Element {
  const part = share(row);
  return <tr><th scope="row"><span class="clip" title={row.name}>{row.namespace && <span class="muted">{row.namespace}.</span>}{row.name}</span></th>
    <td class="status"><StreamPill standing={row.standing}/></td>
    <td class="number"><div class="two"><span>{count(row.records)}{part !== null && atWork && <span class="small muted"> · {percent(part)}</span>}</span>
      {part !== null && atWork && <progress max={1} value={part} aria-label={fmt(_("Part of $0 that is read"), row.name)}/>}</div></td>
    <td class="number medium">{count(row.committed)}</td><td class="number medium">{bytes(row.bytes)}</td></tr>;
}

export function JobStreams({job, attempt, pushed, atWork}: { job: ConfigJobRead; attempt: ConfigAttemptRead; pushed: Pushed; atWork: boolean }): JSX.Element | null {
  const last = useRef(0);
  // States of streams come with their numbers, no more often than every two seconds; the end is asked for once more.
  const statuses = useQuery(api.configStreamStatusListLatest, {connectionId: job.configId}, {watch: ({type, data}) => {
    if (data["jobId"] !== job.id || (type !== "stream.status" && type !== "job.state")) return false;
    if (type === "stream.status" && Date.now() - last.current < 2000) return false;
    last.current = Date.now();
    return true;
  }});
  const rows = streamRows(attempt, job.id, pushed.live, statuses.data?.streamStatuses ?? [], atWork);
  const {body, range, height} = useWindow(rows.length);
  const spacer = (n: number) => n > 0 && <tr class="spacer" aria-hidden="true" style={{blockSize: `${n * height}px`}}><td colSpan={5}/></tr>;
  return rows.length === 0 ? null : <section class="card" aria-label={_("Streams")}>
    <div class="card-body row"><h2 class="grow">{_("Streams")}</h2><span class="small muted">{ngettext("$0 stream", "$0 streams", rows.length, rows.length)}</span></div>
    <table class="list plain job-streams" aria-rowcount={rows.length + 1}><thead><tr><th scope="col">{_("Stream")}</th><th scope="col" class="status">{_("Status")}</th><th scope="col">{_("Read")}</th>
      <th scope="col" class="medium">{_("Written")}</th><th scope="col" class="medium">{_("Size")}</th></tr></thead>
      <tbody ref={body}>{spacer(range.first)}{rows.slice(range.first, range.end).map(row => <Row key={keyOf(row)} row={row} atWork={atWork}/>)}{spacer(rows.length - range.end)}</tbody></table>
  </section>;
}
