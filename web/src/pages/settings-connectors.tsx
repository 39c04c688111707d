// SPDX-License-Identifier: Apache-2.0
// Connectors that can be chosen: which version is installed, what could be, and those of this workspace alone.
import type {JSX} from "preact";
import {useRef, useEffect, useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import type {Side} from "../lib/actors.ts";
import {call} from "../lib/api.ts";
import {_, fmt, ngettext} from "../lib/i18n.ts";
import {useLoad} from "../lib/load.ts";
import {useWorkspace} from "../lib/workspace.ts";
import {Button, Notice, TextField} from "../ui/controls.tsx";
import {Confirm} from "../ui/dialog.tsx";
import {Loaded} from "../ui/page.tsx";
import {Card, errorText, Settings, useDeed} from "../ui/settings.tsx";

interface Row {
  side: Side;
  id: string;
  name: string;
  repository: string;
  version: string;
  /** The newest that is known; the same when there is none newer. */
  latest: string;
  custom: boolean;
  documentation: string;
}

type Read = Omit<api.ConfigSourceDefinitionRead, "sourceDefinitionId">;

function toRows(side: Side, own: readonly (Read & { id: string })[], latest: ReadonlyMap<string, string>): Row[] {
  return own.map(each => ({side, id: each.id, name: each.name, repository: each.dockerRepository, version: each.dockerImageTag,
    latest: latest.get(each.id) ?? each.dockerImageTag, custom: each.custom ?? false, documentation: each.documentationUrl ?? ""}))
    .sort((a, b) => a.name.localeCompare(b.name));
}

async function load(workspaceId: string): Promise<Row[]> {
  const input = {workspaceId};
  const [sources, destinations, newSources, newDestinations] = await Promise.all([call(api.configSourceDefinitionListForWorkspace, input),
    call(api.configDestinationDefinitionListForWorkspace, input), call(api.configSourceDefinitionListLatest, undefined), call(api.configDestinationDefinitionListLatest, undefined)]);
  return [
    ...toRows("source", sources.sourceDefinitions.map(each => ({...each, id: each.sourceDefinitionId})),
      new Map(newSources.sourceDefinitions.map(each => [each.sourceDefinitionId, each.dockerImageTag]))),
    ...toRows("destination", destinations.destinationDefinitions.map(each => ({...each, id: each.destinationDefinitionId})),
      new Map(newDestinations.destinationDefinitions.map(each => [each.destinationDefinitionId, each.dockerImageTag]))),
  ];
}

function upgrade(row: Row, workspaceId: string): Promise<unknown> {
  const common = {workspaceId, dockerImageTag: row.latest};
  return row.side === "source" ? call(api.configSourceDefinitionUpdate, {...common, sourceDefinitionId: row.id})
    : call(api.configDestinationDefinitionUpdate, {...common, destinationDefinitionId: row.id});
}

function remove(row: Row): Promise<unknown> {
  return row.side === "source" ? call(api.configSourceDefinitionDelete, {sourceDefinitionId: row.id})
    : call(api.configDestinationDefinitionDelete, {destinationDefinitionId: row.id});
}

interface Draft {
  side: Side;
  name: string;
  repository: string;
  version: string;
  documentation: string;
}

function create(workspaceId: string, {side, name, repository, version, documentation}: Draft): Promise<unknown> {
  const made = {name: name.trim(), dockerRepository: repository.trim(), dockerImageTag: version.trim(), ...(documentation.trim() !== "" && {documentationUrl: documentation.trim()})};
  return side === "source" ? call(api.configSourceDefinitionCreate, {workspaceId, sourceDefinition: made})
    : call(api.configDestinationDefinitionCreate, {workspaceId, destinationDefinition: made});
}

function AddDialog({workspaceId, onDone, onClose}: { workspaceId: string; onDone: () => void; onClose: () => void }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const [draft, setDraft] = useState<Draft>({side: "source", name: "", repository: "", version: "", documentation: ""});
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => { dialog.current?.showModal(); }, []);
  const needed = (value: string) => tried && value.trim() === "" ? _("This is needed.") : null;

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    setTried(true);
    if (busy || [draft.name, draft.repository, draft.version].some(value => value.trim() === "")) return;
    setBusy(true);
    setError(null);
    try {
      await create(workspaceId, draft);
      onDone();
      dialog.current?.close();
    } catch (caught) {
      setError(errorText(caught));
      setBusy(false);
    }
  }

  return <dialog ref={dialog} aria-labelledby="add-connector" onClose={onClose}>
    <form class="card-body stack" onSubmit={event => void submit(event)} noValidate>
      <h2 id="add-connector">{_("Add a connector to this workspace")}</h2>
      <p class="small muted">{_("Its program must be on the host already: “sluicectl connector install” brings it there.")}</p>
      {error !== null && <Notice tone="bad">{error}</Notice>}
      <div class="field"><label for="add-side">{_("Kind")}</label>
        <select id="add-side" class="input" value={draft.side} onChange={event => setDraft({...draft, side: event.currentTarget.value as Side})}>
          <option value="source">{_("Source")}</option><option value="destination">{_("Destination")}</option></select></div>
      <TextField label={_("Name")} value={draft.name} onInput={name => setDraft({...draft, name})} error={needed(draft.name)} autocomplete="off"/>
      <TextField label={_("Repository")} value={draft.repository} onInput={repository => setDraft({...draft, repository})} error={needed(draft.repository)} autocomplete="off"
        hint={_("The name under which the host knows it, as in the list behind this.")}/>
      <TextField label={_("Version")} value={draft.version} onInput={version => setDraft({...draft, version})} error={needed(draft.version)} autocomplete="off"/>
      <TextField label={_("Address of its documentation")} value={draft.documentation} onInput={documentation => setDraft({...draft, documentation})} optional autocomplete="off"/>
      <div class="row end"><Button onClick={() => dialog.current?.close()}>{_("Cancel")}</Button><Button kind="primary" submit busy={busy}>{_("Add")}</Button></div>
    </form>
  </dialog>;
}

function ConnectorRow({row, workspaceId, onChange, onDelete}: { row: Row; workspaceId: string; onChange: () => void; onDelete: () => void }): JSX.Element {
  const {busy, run} = useDeed();
  const newer = row.latest !== row.version;
  return <tr>
    <th scope="row"><div class="two"><span class="name clip">{row.name}</span><span class="small muted mono clip" title={row.repository}>{row.repository}</span></div></th>
    <td class="number">{row.version}{newer && <span class="small muted"> → {row.latest}</span>}</td>
    <td class="medium">{row.custom ? <span class="pill off">{_("this workspace's")}</span> : <span class="muted">{_("the host's")}</span>}</td>
    <td class="deeds"><div class="row end nowrap">
      {newer && <Button busy={busy} label={fmt(_("Upgrade $0 to $1"), row.name, row.latest)}
        onClick={() => void run(() => upgrade(row, workspaceId), fmt(_("$0 is upgraded."), row.name)).then(done => { if (done) onChange(); })}>{_("Upgrade")}</Button>}
      {row.custom && <Button kind="quiet" icon="close" label={fmt(_("Remove $0"), row.name)} onClick={onDelete}>{null}</Button>}
    </div></td>
  </tr>;
}

function Table({rows, title, workspaceId, reload, onDelete}: { rows: readonly Row[]; title: string; workspaceId: string; reload: () => void; onDelete: (row: Row) => void }): JSX.Element {
  return <section class="card" aria-label={title}>
    <div class="card-body row"><h2 class="grow">{title}</h2><span class="small muted">{ngettext("$0 connector", "$0 connectors", rows.length, rows.length)}</span></div>
    <table class="list plain definitions"><thead><tr><th scope="col">{_("Connector")}</th><th scope="col">{_("Version")}</th><th scope="col" class="medium">{_("Belongs to")}</th>
      <th scope="col" class="deeds"><span class="said">{_("What can be done")}</span></th></tr></thead>
      <tbody>{rows.map(row => <ConnectorRow key={row.id} row={row} workspaceId={workspaceId} onChange={reload} onDelete={() => onDelete(row)}/>)}</tbody></table>
  </section>;
}

function Connectors({workspaceId}: { workspaceId: string }): JSX.Element {
  const [turn, setTurn] = useState(0);
  const [adding, setAdding] = useState(false);
  const [deleting, setDeleting] = useState<Row | null>(null);
  const all = useDeed();
  const answer = useLoad(() => load(workspaceId), [workspaceId, turn]);
  const reload = () => setTurn(n => n + 1);
  return <>
    <Loaded answer={answer}>{rows => {
      const older = rows.filter(row => row.latest !== row.version);
      return <>
        <Card title={older.length === 0 ? _("All connectors are up to date") : ngettext("$0 connector has a newer version", "$0 connectors have newer versions", older.length, older.length)}
          hint={_("An upgrade takes effect with the next run; runs that are under way finish with the old version.")}
          aside={<div class="row">{older.length > 1 && <Button busy={all.busy} onClick={() => void all.run(async () => {
            for (const row of older) await upgrade(row, workspaceId);
          }).then(reload)}>{_("Upgrade all")}</Button>}
            <Button kind="primary" icon="plus" onClick={() => setAdding(true)}>{_("Add a connector")}</Button></div>}>{null}</Card>
        <Table rows={rows.filter(row => row.side === "source")} title={_("Sources")} workspaceId={workspaceId} reload={reload} onDelete={setDeleting}/>
        <Table rows={rows.filter(row => row.side === "destination")} title={_("Destinations")} workspaceId={workspaceId} reload={reload} onDelete={setDeleting}/>
      </>;
    }}</Loaded>
    {adding && <AddDialog workspaceId={workspaceId} onDone={reload} onClose={() => setAdding(false)}/>}
    {deleting && <Confirm title={fmt(_("Remove $0?"), deleting.name)} action={_("Remove")} danger onClose={() => setDeleting(null)}
      onConfirm={async () => {
        await remove(deleting);
        reload();
      }}><p>{_("It can be chosen no more. Its program stays on the host.")}</p></Confirm>}
  </>;
}

export default function ConnectorSettings(): JSX.Element {
  const workspace = useWorkspace();
  return <Settings>{workspace && <Connectors key={workspace.workspaceId} workspaceId={workspace.workspaceId}/>}</Settings>;
}
