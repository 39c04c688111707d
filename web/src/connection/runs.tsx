// SPDX-License-Identifier: Apache-2.0
// The last runs of a connection.
import type {JSX} from "preact";
import * as api from "#gen/api.ts";
import type {ConfigWebConnectionRead} from "../lib/api.ts";
import {_, fmt} from "../lib/i18n.ts";
import {useQuery} from "../lib/query.ts";
import {bytes, count, duration} from "../lib/time.ts";
import {Ago, Empty} from "../ui/controls.tsx";
import {Loaded} from "../ui/page.tsx";
import {JobPill} from "../ui/status.tsx";
import {concerns} from "./events.ts";

const JOB_TYPES: Record<string, () => string> = {
  sync: () => _("Sync"), refresh: () => _("Refresh"), clear: () => _("Clear"), reset_connection: () => _("Clear"),
};

const JOBS_SHOWN = 100;

export function RunsTab({connection}: { connection: ConfigWebConnectionRead }): JSX.Element {
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
