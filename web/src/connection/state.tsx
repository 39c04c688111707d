// SPDX-License-Identifier: Apache-2.0
// Where each stream goes on. It can be edited, by who knows what it means to the connector.
import type {JSX} from "preact";
import {useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import {call, type ConfigConnectionState, type ConfigWebConnectionRead} from "../lib/api.ts";
import {_, fmt} from "../lib/i18n.ts";
import {useQuery} from "../lib/query.ts";
import {Button, Empty, Field} from "../ui/controls.tsx";
import {Confirm} from "../ui/dialog.tsx";
import {Loaded} from "../ui/page.tsx";
import {say} from "../ui/toasts.tsx";
import {concerns} from "./events.ts";

function parse(text: string, connectionId: string): ConfigConnectionState | string {
  try {
    const value = JSON.parse(text) as ConfigConnectionState | null;
    if (typeof value !== "object" || value === null || typeof value.stateType !== "string") return _("A state has a stateType.");
    return {...value, connectionId};
  } catch (error) {
    return `${_("This is not valid JSON.")} ${(error as Error).message}`;
  }
}

function Editor({connection, state, onClose}: { connection: ConfigWebConnectionRead; state: ConfigConnectionState; onClose: (saved: boolean) => void }): JSX.Element {
  const [text, setText] = useState(() => JSON.stringify(state, null, 2));
  const [asked, ask] = useState(false);
  const parsed = parse(text, connection.connectionId), wrong = typeof parsed === "string" ? parsed : null;
  const names = [...state.streamState ?? [], ...state.globalState?.streamStates ?? []].map(each => each.streamDescriptor.name);
  return <div class="stack">
    <Field label={_("State")} error={wrong} hint={_("The next run goes on from here. What is behind it is not read, what is before it is read again.")}>{ids =>
      <textarea {...ids} class="input mono" rows={20} spellcheck={false} value={text} onInput={event => setText(event.currentTarget.value)}/>}</Field>
    <div class="row"><Button kind="danger" onClick={() => { if (wrong === null) ask(true); }}>{_("Save…")}</Button><Button onClick={() => onClose(false)}>{_("Cancel")}</Button></div>
    {asked && typeof parsed !== "string" && <Confirm title={fmt(_("Replace the state of “$0”?"), connection.name)} action={_("Replace it")} danger typed={connection.name} onClose={() => ask(false)}
      onConfirm={async () => {
        await call(api.configStateSaveSafe, {connectionId: connection.connectionId, connectionState: parsed});
        say("ok", _("The state is saved."));
        onClose(true);
      }}>
      <p>{_("A wrong state makes the next run leave out records, or write some twice. It is refused while a run is under way.")}</p>
      {names.length > 0 && <ul class="names" tabIndex={0} aria-label={_("Streams")}>{names.map(name => <li key={name} class="clip">{name}</li>)}</ul>}
    </Confirm>}
  </div>;
}

export function StateTab({connection}: { connection: ConfigWebConnectionRead }): JSX.Element {
  const state = useQuery(api.configStateGet, {connectionId: connection.connectionId}, {watch: concerns(connection.connectionId)});
  const [edited, edit] = useState(false);
  return <div class="stack">
    <p class="muted">{_("Where each incremental stream goes on at the next run.")}</p>
    <Loaded answer={state}>{data => edited ? <Editor connection={connection} state={data} onClose={saved => { edit(false); if (saved) void state.reload(); }}/> : <>
      {data.stateType === "not_set" ? <div class="card"><Empty icon="none" title={_("There is no state yet")}><p>{_("The next run reads everything.")}</p></Empty></div>
        : <pre class="card card-body code" tabIndex={0} aria-label={_("State")}>{JSON.stringify(data, null, 2)}</pre>}
      <div><Button onClick={() => edit(true)}>{_("Edit…")}</Button></div>
    </>}</Loaded>
  </div>;
}
