// SPDX-License-Identifier: Apache-2.0
// What is done to a whole connection: each says first what will happen to which streams.
import type {JSX} from "preact";
import {useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import {listActors} from "../lib/actors.ts";
import {call, type ConfigWebConnectionRead} from "../lib/api.ts";
import {readCatalog, troubleOf, writeCatalog} from "../lib/catalog.ts";
import {settingsOf, toSend} from "../lib/connection-settings.ts";
import {_, fmt, ngettext} from "../lib/i18n.ts";
import {useLoad} from "../lib/load.ts";
import {navigate, setGuard} from "../lib/router.ts";
import {keyOf, selectedStreams, type SelectedStream, type StreamName} from "../lib/streams.ts";
import {Field, TextField} from "../ui/controls.tsx";
import {Confirm} from "../ui/dialog.tsx";
import {say} from "../ui/toasts.tsx";

export type Act = "refresh" | "clear" | "delete" | "duplicate";

interface ActProps {
  connection: ConfigWebConnectionRead;
  onClose: () => void;
}

/** Which streams; all of them at first, or the one it was asked for. */
function StreamChoice({streams, chosen, onChange}: { streams: SelectedStream[]; chosen: ReadonlySet<string>; onChange: (chosen: ReadonlySet<string>) => void }): JSX.Element {
  return <fieldset><legend class="said">{_("Streams")}</legend><ul class="names" tabIndex={0} aria-label={_("Streams")}>{streams.map(stream => {
    const key = keyOf(stream);
    return <li key={key}><label class="check clip"><input type="checkbox" checked={chosen.has(key)} onChange={event => {
      const next = new Set(chosen);
      if (event.currentTarget.checked) next.add(key);
      else next.delete(key);
      onChange(next);
    }}/><span class="clip">{stream.namespace !== "" && <span class="muted">{stream.namespace}.</span>}{stream.name}</span></label></li>;
  })}</ul></fieldset>;
}

const toStream = ({name, namespace}: StreamName) => ({streamName: name, ...(namespace !== "" && {streamNamespace: namespace})});

function useStreams(connection: ConfigWebConnectionRead, only: string | null) {
  const streams = selectedStreams(connection.syncCatalog);
  const [chosen, choose] = useState<ReadonlySet<string>>(() => new Set(only !== null ? [only] : streams.map(keyOf)));
  const wanted = streams.filter(stream => chosen.has(keyOf(stream)));
  return {streams, chosen, choose, wanted, all: wanted.length === streams.length};
}

function needSome(streams: readonly unknown[]): void {
  if (streams.length === 0) throw new Error(_("No stream is taken."));
}

function Refresh({connection, only, onClose}: ActProps & { only: string | null }): JSX.Element {
  const {connectionId, name} = connection;
  const {streams, chosen, choose, wanted, all} = useStreams(connection, only);
  const [mode, setMode] = useState<"Merge" | "Truncate">("Merge");
  return <Confirm title={fmt(_("Refresh “$0”?"), name)} action={_("Refresh")} danger={mode === "Truncate"} onClose={onClose} onConfirm={async () => {
    needSome(wanted);
    await call(api.configConnectionRefresh, {connectionId, refreshMode: mode, ...(!all && {streams: wanted.map(toStream)})});
    say("ok", _("The refresh has begun."));
  }}>
    <p>{ngettext("$0 stream is read again from its beginning:", "$0 streams are read again from their beginning:", wanted.length, wanted.length)}</p>
    <StreamChoice streams={streams} chosen={chosen} onChange={choose}/>
    <div class="stack-small">
      <label class="check"><input type="radio" name="refresh-mode" checked={mode === "Merge"} onChange={() => setMode("Merge")}/>{fmt(_("What “$0” has of them stays, and is merged with what comes."), connection.destination.name)}</label>
      <label class="check"><input type="radio" name="refresh-mode" checked={mode === "Truncate"} onChange={() => setMode("Truncate")}/>{fmt(_("What “$0” has of them is replaced, once everything has come."), connection.destination.name)}</label>
    </div></Confirm>;
}

function Clear({connection, only, onClose}: ActProps & { only: string | null }): JSX.Element {
  const {connectionId, name} = connection;
  const {streams, chosen, choose, wanted, all} = useStreams(connection, only);
  return <Confirm title={fmt(_("Clear “$0”?"), name)} action={_("Remove the data")} danger typed={name} onClose={onClose} onConfirm={async () => {
    needSome(wanted);
    if (all) await call(api.configConnectionClear, {connectionId});
    else await call(api.configConnectionClearStream, {connectionId, streams: wanted.map(toStream)});
    say("ok", _("The data is being removed."));
  }}>
    <p>{fmt(ngettext("The data of $0 stream is removed from “$1”:", "The data of $0 streams is removed from “$1”:", wanted.length), wanted.length, connection.destination.name)}</p>
    <StreamChoice streams={streams} chosen={chosen} onChange={choose}/>
    <p>{_("This cannot be taken back. The source is not touched.")}</p></Confirm>;
}

function Delete({connection, onClose}: ActProps): JSX.Element {
  const {connectionId, name} = connection, n = selectedStreams(connection.syncCatalog).length;
  return <Confirm title={fmt(_("Delete “$0”?"), name)} action={_("Delete")} danger typed={name} onClose={onClose} onConfirm={async () => {
    await call(api.configConnectionDelete, {connectionId});
    setGuard(null);
    say("ok", fmt(_("“$0” is deleted."), name));
    navigate("/connections");
  }}>
    <p>{ngettext("Its schedule, its settings and the state of $0 stream are deleted; a run that is under way is cancelled.",
      "Its schedule, its settings and the states of $0 streams are deleted; a run that is under way is cancelled.", n, n)}</p>
    <p>{fmt(_("What was written to “$0” stays there."), connection.destination.name)}</p></Confirm>;
}

/** The same streams as far as the other destination can take them; it begins disabled, so that nothing is written by surprise. */
function Duplicate({connection, onClose}: ActProps): JSX.Element {
  const {workspaceId} = connection.destination;
  const found = useLoad(() => listActors("destination", workspaceId), [workspaceId]);
  const [to, setTo] = useState(connection.destinationId);
  const [name, setName] = useState(fmt(_("$0 (copy)"), connection.name));

  async function make(): Promise<void> {
    const definitionId = found.data?.find(actor => actor.id === to)?.definitionId ?? connection.destination.destinationDefinitionId;
    const modes = (await call(api.configDestinationSpecificationGet, {workspaceId, destinationDefinitionId: definitionId})).supportedDestinationSyncModes ?? [];
    // As it is stored: what the source has changed since is not this one's to take over.
    const {syncCatalog} = await call(api.configConnectionGet, {connectionId: connection.connectionId});
    const choices = readCatalog(syncCatalog, modes).filter(choice => choice.taken);
    const lost = choices.filter(choice => troubleOf(choice) !== null);
    if (lost.length > 0) throw new Error(fmt(_("“$0” cannot take these streams as they are: $1"), found.data?.find(actor => actor.id === to)?.name ?? "", lost.map(choice => choice.facts.name).join(", ")));
    const made = await call(api.configConnectionCreate, {...toSend({...settingsOf(connection), name}), sourceId: connection.sourceId, destinationId: to, status: "inactive", syncCatalog: writeCatalog(choices),
      ...(connection.tags.length > 0 && {tags: connection.tags})});
    setGuard(null);
    say("ok", fmt(_("“$0” is there, and disabled."), made.name));
    navigate(`/connections/${made.connectionId}`);
  }

  return <Confirm title={fmt(_("Duplicate “$0”"), connection.name)} action={_("Duplicate")} onClose={onClose} onConfirm={make}>
    <TextField label={_("Name")} value={name} onInput={setName} autocomplete="off"/>
    <Field label={_("Destination")}>{ids => <select {...ids} class="input" value={to} onChange={event => setTo(event.currentTarget.value)}>
      {(found.data ?? [{id: connection.destinationId, name: connection.destination.name}]).map(actor => <option key={actor.id} value={actor.id}>{actor.name}</option>)}</select>}</Field>
    <p class="small muted">{_("It begins disabled and from nothing. Keys of mappings are not copied: enter them again.")}</p>
    {found.error && <p class="error">{found.error.message}</p>}
  </Confirm>;
}

/** `only`: the key of the stream that it was asked for. */
export function ActDialog({act, only, connection, onClose}: ActProps & { act: Act; only: string | null }): JSX.Element {
  switch (act) {
    case "refresh": return <Refresh connection={connection} only={only} onClose={onClose}/>;
    case "clear": return <Clear connection={connection} only={only} onClose={onClose}/>;
    case "duplicate": return <Duplicate connection={connection} onClose={onClose}/>;
    case "delete": return <Delete connection={connection} onClose={onClose}/>;
  }
}
