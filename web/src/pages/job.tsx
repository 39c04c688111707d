// SPDX-License-Identifier: Apache-2.0
// One run: how far it is or how it ended, why it failed, and its log.
import type {JSX} from "preact";
import {useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import {ApiError, call, type ConfigAttemptRead, type ConfigJobInfo} from "../lib/api.ts";
import {_, fmt} from "../lib/i18n.ts";
import {useQuery} from "../lib/query.ts";
import {setQuery, useLocation} from "../lib/router.ts";
import {firstFailure} from "../lib/streams.ts";
import {absolute, bytes, count, duration} from "../lib/time.ts";
import {Button, Heading, Notice} from "../ui/controls.tsx";
import {FailureCard} from "../ui/failure.tsx";
import {JobStreams, LiveCard, usePushed} from "../ui/job-progress.tsx";
import {FirstError, LogView} from "../ui/log.tsx";
import {Facts, Loaded} from "../ui/page.tsx";
import {JobPill} from "../ui/status.tsx";
import {say} from "../ui/toasts.tsx";

const TITLES: Record<string, (id: number) => string> = {
  sync: id => fmt(_("Sync $0"), String(id)), refresh: id => fmt(_("Refresh $0"), String(id)), clear: id => fmt(_("Clear $0"), String(id)),
  reset_connection: id => fmt(_("Clear $0"), String(id)),
};

function AttemptFacts({attempt}: { attempt: ConfigAttemptRead }): JSX.Element {
  const end = attempt.endedAt ?? attempt.updatedAt, stats = attempt.totalStats;
  return <div class="card card-body"><Facts facts={[
    [_("Began"), absolute(attempt.createdAt * 1000)], [_("Took"), duration((end - attempt.createdAt) * 1000)],
    [_("Records read"), count(stats?.recordsEmitted ?? 0)], [_("Records written"), count(stats?.recordsCommitted ?? 0)],
    [_("Size"), bytes(stats?.bytesEmitted ?? 0)],
    stats?.recordsRejected ? [_("Records refused"), count(stats.recordsRejected)] as const : null,
  ]}/></div>;
}

function Job({info, onReload}: { info: ConfigJobInfo; onReload: () => Promise<void> }): JSX.Element {
  const {job, attempts} = info;
  const {query} = useLocation();
  const pushed = usePushed(job.id);
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
      : atWork ? <LiveCard started={attempt.createdAt} stats={attempt.totalStats} pushed={pushed}/> : <AttemptFacts attempt={attempt}/>}
    {attempt && <JobStreams job={job} attempt={attempt} pushed={pushed} atWork={atWork}/>}
    {attempt && <LogView key={attempt.id} jobId={job.id} attemptNumber={attempt.id} follow={atWork}/>}
  </div>;
}

export default function JobPage({jobId}: { jobId: string }): JSX.Element {
  const id = /^\d{1,15}$/.test(jobId) ? Number(jobId) : null;
  const info = useQuery(api.configJobGetWithoutLogs, id === null ? null : {id}, {watch: event => event.type === "job.state" && event.data["jobId"] === id});
  if (id === null) return <Notice tone="bad">{_("There is no such run.")}</Notice>;
  return <Loaded answer={info}>{data => <Job info={data} onReload={info.reload}/>}</Loaded>;
}
