// SPDX-License-Identifier: Apache-2.0
// How a connection is set; saved as a whole.
import type {JSX} from "preact";
import {useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import {ApiError, call, type ConfigWebConnectionRead} from "../lib/api.ts";
import {problemsOf, settingsOf, toSend} from "../lib/connection-settings.ts";
import {_} from "../lib/i18n.ts";
import {setGuard} from "../lib/router.ts";
import {selectedStreams} from "../lib/streams.ts";
import {ConnectionForm} from "../ui/connection-form.tsx";
import {Button, Notice} from "../ui/controls.tsx";
import {say} from "../ui/toasts.tsx";
import type {Act} from "./acts.tsx";

function Deed({title, text, action, danger = false, onClick}: { title: string; text: string; action: string; danger?: boolean; onClick: () => void }): JSX.Element {
  return <div class="deed"><div class="grow"><h3>{title}</h3><p class="small muted">{text}</p></div>
    <Button kind={danger ? "danger" : "plain"} onClick={onClick}>{action}</Button></div>;
}

function Deeds({onAct}: { onAct: (act: Act) => void }): JSX.Element {
  return <section class="card" aria-labelledby="acts"><div class="card-body stack">
    <h2 id="acts">{_("What can be done to the data")}</h2>
    <Deed title={_("Refresh")} text={_("Everything is read again from the source; what the destination has stays until it is replaced.")}
      action={_("Refresh…")} onClick={() => onAct("refresh")}/>
    <Deed title={_("Clear")} text={_("What this connection has written is removed from the destination, and the next run begins from nothing.")}
      action={_("Clear…")} danger onClick={() => onAct("clear")}/>
    <Deed title={_("Delete the connection")} text={_("Its settings and state go; what is in the destination stays there.")}
      action={_("Delete…")} danger onClick={() => onAct("delete")}/>
  </div></section>;
}

export function SettingsTab({connection, onAct, onSaved}: { connection: ConfigWebConnectionRead; onAct: (act: Act) => void; onSaved: () => Promise<void> }): JSX.Element {
  const [settings, set] = useState(() => settingsOf(connection));
  const [state, setState] = useState<"same" | "changed" | "busy">("same");
  const [error, setError] = useState<string | null>(null);
  const problems = problemsOf(settings), [first] = selectedStreams(connection.syncCatalog);
  const old = settingsOf(connection);
  const moved = old.namespace !== settings.namespace || old.format !== settings.format || old.prefix !== settings.prefix;

  async function save(): Promise<void> {
    if (state !== "changed" || Object.keys(problems).length > 0) return;
    setState("busy");
    setError(null);
    try {
      await call(api.configConnectionUpdate, {connectionId: connection.connectionId, ...toSend(settings)});
      setGuard(null);
      say("ok", _("The settings are saved."));
      setState("same");
      await onSaved();
    } catch (failed) {
      setError(failed instanceof ApiError ? failed.message : String(failed));
      setState("changed");
    }
  }

  return <div class="stack narrow-form">
    <form class="stack" noValidate onSubmit={event => { event.preventDefault(); void save(); }}>
      <ConnectionForm settings={settings} problems={problems} example={first ?? {namespace: "public", name: "users"}} onChange={changes => {
        set({...settings, ...changes});
        setState("changed");
        setGuard(() => _("What you have changed is not saved. Leave the page?"));
      }}/>
      {moved && <Notice tone="warn">{_("Streams are written to the new names from the next run on. What is under the old names stays there, and is not continued.")}</Notice>}
      {error !== null && <Notice tone="bad">{error}</Notice>}
      {state !== "same" && <div class="foot-bar"><div class="row"><span class="small grow">{Object.keys(problems).length > 0 ? _("Something in the settings is wrong.") : _("Not saved yet")}</span>
        <Button onClick={() => { set(old); setState("same"); setGuard(null); }}>{_("Undo")}</Button><Button kind="primary" submit busy={state === "busy"}>{_("Save")}</Button></div></div>}
    </form>
    <Deeds onAct={onAct}/>
  </div>;
}
