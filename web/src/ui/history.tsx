// SPDX-License-Identifier: Apache-2.0
// How a connection has done: volume by day, duration and success of the last runs, how fresh the data is.
import type {JSX} from "preact";
import * as api from "#gen/api.ts";
import type {JobStatus} from "../lib/api.ts";
import type {PageEvent} from "../lib/events.ts";
import {byDay, freshness, outcomeOf, roundUpTime, toRuns, type Day, type Fresh, type Run} from "../lib/history.ts";
import {_, fmt, locale, ngettext} from "../lib/i18n.ts";
import {useQuery} from "../lib/query.ts";
import {absolute, bytes, count, duration} from "../lib/time.ts";
import {Ago, Empty} from "./controls.tsx";
import {Loaded} from "./page.tsx";
import {Plot, type Bar} from "./plot.tsx";

const DAYS = 30, RUNS = 30, STALEST = 8;
const TYPES = ["sync", "refresh", "clear", "reset_connection"];

const dayText = (ms: number): string => new Intl.DateTimeFormat(locale(), {day: "numeric", month: "short"}).format(ms);

function Volume({days, what}: { days: readonly Day[]; what: "records" | "bytes" }): JSX.Element {
  const sum = days.reduce((all, day) => all + day[what], 0), empty = days.filter(day => day.runs === 0).length;
  const format = what === "records" ? count : bytes;
  const bars = days.map((day): Bar => ({key: day.start, value: day[what], label: dayText(day.start), text: format(day[what])}));
  const total = what === "records" ? ngettext("$1 record in the last 30 days", "$1 records in the last 30 days", sum, sum, count(sum)) : fmt(_("$0 in the last 30 days"), bytes(sum));
  return <Plot title={what === "records" ? _("Records a day") : _("Size a day")} heads={[_("Day"), what === "records" ? _("Records") : _("Size")]} bars={bars} format={format}
    summary={empty === 0 ? total : `${total}; ${ngettext("$0 day without a run", "$0 days without a run", empty, empty)}`}/>;
}

const TONES: Partial<Record<JobStatus, "bad" | "off">> = {failed: "bad", cancelled: "off"};
const RESULTS: Partial<Record<JobStatus, () => string>> = {failed: () => _("Failed"), cancelled: () => _("Cancelled"), succeeded: () => _("Succeeded")};

function Durations({runs}: { runs: readonly Run[] }): JSX.Element {
  const {succeeded, median} = outcomeOf(runs);
  const bars = runs.map(({id, ms, start, status}): Bar => ({key: id, value: ms, label: absolute(start), text: `${duration(ms)} · ${RESULTS[status]?.() ?? status}`,
    href: `/jobs/${id}`, ...(TONES[status] && {tone: TONES[status]})}));
  const good = fmt(_("$0 of the last $1 runs succeeded"), succeeded, runs.length);
  return <Plot title={_("Duration of the last runs")} heads={[_("Run"), _("Duration and result")]} bars={bars} format={duration} round={roundUpTime}
    summary={median === null ? good : `${good}; ${fmt(_("half of those took less than $0"), duration(median))}`}/>;
}

function Freshness({fresh}: { fresh: readonly Fresh[] }): JSX.Element {
  const shown = fresh.slice(0, STALEST), now = Date.now(), oldest = Math.max(1, ...shown.map(each => now - each.at));
  return <section class="card" aria-label={_("Freshness")}><div class="card-body stack">
    <div><h2>{_("Freshness")}</h2><p class="small muted">{ngettext("When $0 stream was last brought, the stalest first.", "When $0 streams were last brought, the stalest first.", fresh.length, fresh.length)}</p></div>
    <ul class="fresh">{shown.map(({stream, namespace, at}) => <li key={`${namespace}\n${stream}`}>
      <span class="clip" title={stream}>{namespace !== "" && <span class="muted">{namespace}.</span>}{stream}</span>
      <span class="age" aria-hidden="true"><span style={{inlineSize: `${Math.max(2, (now - at) / oldest * 100)}%`}}/></span><span class="small muted number"><Ago at={at / 1000}/></span></li>)}</ul>
    {fresh.length > STALEST && <p class="small muted">{ngettext("$0 more is fresher.", "$0 more are fresher.", fresh.length - STALEST, fresh.length - STALEST)}</p>}
  </div></section>;
}

/** Of one connection; its runs that end are in it at once. */
export function History({connectionId}: { connectionId: string }): JSX.Element {
  const watch = {watch: (event: PageEvent) => event.type === "job.state" && (event.data["connectionId"] === connectionId || event.data["scope"] === connectionId)};
  const volume = useQuery(api.configHistoryData, {connectionId, numberOfJobs: 500}, watch);
  const jobs = useQuery(api.configJobList, {configTypes: TYPES, configId: connectionId, pagination: {pageSize: RUNS, rowOffset: 0}}, watch);
  const last = useQuery(api.configHistoryLastJobs, {connectionId}, watch);
  return <Loaded answer={jobs}>{({jobs: list}) => {
    const runs = toRuns(list), fresh = freshness(last.data ?? []), days = byDay(volume.data ?? [], Date.now(), DAYS);
    return runs.length === 0 ? <Empty icon="queued" title={_("Nothing has run yet")}><p>{_("After the first run its volume, duration and result are drawn here.")}</p></Empty>
      : <div class="plots">
        <Volume days={days} what="records"/><Volume days={days} what="bytes"/><Durations runs={runs}/>
        {fresh.length > 0 && <Freshness fresh={fresh}/>}
      </div>;
  }}</Loaded>;
}
