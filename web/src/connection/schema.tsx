// SPDX-License-Identifier: Apache-2.0
// The streams of a connection, and what the source has changed since.
import type {JSX} from "preact";
import {useEffect, useMemo, useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import {call, type ConfigWebConnectionRead, type JsonObject} from "../lib/api.ts";
import {modeId, readCatalog, troubleOf, writeCatalog, type Choice} from "../lib/catalog.ts";
import {discover, useCommand} from "../lib/commands.ts";
import {_, fmt, ngettext} from "../lib/i18n.ts";
import {useLoad} from "../lib/load.ts";
import {modeText} from "../lib/modes.ts";
import {setGuard} from "../lib/router.ts";
import {isBreaking, readDiff, type StreamChange} from "../lib/schema-diff.ts";
import {keyOf, selectedStreams} from "../lib/streams.ts";
import {Button, Notice} from "../ui/controls.tsx";
import {Confirm} from "../ui/dialog.tsx";
import {Elapsed} from "../ui/elapsed.tsx";
import {Icon} from "../ui/icons.tsx";
import {Loaded} from "../ui/page.tsx";
import {Refusal} from "../ui/refusal.tsx";
import {StreamTable} from "../ui/stream-table.tsx";
import {attempt, say} from "../ui/toasts.tsx";

const KINDS = {
  added: {icon: "plus", text: () => _("new")}, removed: {icon: "none", text: () => _("gone")}, changed: {icon: "info", text: () => _("changed")},
} as const;

function Change({change, taken}: { change: StreamChange; taken: boolean }): JSX.Element {
  return <li class="change"><span class={`pill ${isBreaking(change, taken) ? "bad" : change.kind === "added" ? "ok" : "warn"}`}><Icon name={KINDS[change.kind].icon} size={14}/>{KINDS[change.kind].text()}</span>
    <span class="grow">{change.namespace !== "" && <span class="muted">{change.namespace}.</span>}<strong>{change.name}</strong>
      {change.fields.length > 0 && <span class="small muted">{" "}{change.fields.map(field => `${field.name}: ${KINDS[field.kind].text()}`).join(", ")}</span>}
      {change.key && <span class="small muted"> {_("its key is another one")}</span>}</span></li>;
}

/** Streams that the source has no more go; what they have written stays. */
function accepted(connection: ConfigWebConnectionRead, changes: StreamChange[]): JsonObject {
  const gone = new Set(changes.filter(change => change.kind === "removed").map(keyOf));
  const added = new Set(connection.nonBreakingChangesPreference === "propagate_fully" ? changes.filter(change => change.kind === "added").map(keyOf) : []);
  const choices = readCatalog(connection.syncCatalog, []).filter(choice => !gone.has(choice.facts.key));
  const wrong = choices.filter(choice => troubleOf(choice) !== null).map(choice => choice.facts.name);
  if (wrong.length > 0) throw new Error(fmt(_("The cursor or key of $0 is gone: choose another below, and save."), wrong.join(", ")));
  return writeCatalog(choices.map(choice => added.has(choice.facts.key) ? {...choice, taken: true} : choice));
}

function Diff({connection, onSaved}: { connection: ConfigWebConnectionRead; onSaved: () => Promise<void> }): JSX.Element | null {
  const [asked, ask] = useState(false);
  const changes = useMemo(() => readDiff(connection.catalogDiff), [connection.catalogDiff]);
  if (changes.length === 0) return null;
  const {connectionId} = connection, sourceCatalogId = connection.catalogId;
  const synced = new Set(selectedStreams(connection.syncCatalog).map(keyOf)), isTaken = (change: StreamChange) => synced.has(keyOf(change));
  const breaking = changes.filter(change => isBreaking(change, isTaken(change))).length;

  async function settle(syncCatalog: JsonObject | null): Promise<void> {
    await call(api.configConnectionUpdate, {connectionId, breakingChange: false, ...(sourceCatalogId !== undefined && {sourceCatalogId}), ...(syncCatalog !== null && {syncCatalog})});
    say("ok", syncCatalog !== null ? _("The changes are taken over.") : _("The changes are dismissed."));
    await onSaved();
  }

  return <section class={`card notice-card ${breaking > 0 ? "bad" : "warn"}`} aria-labelledby="news"><div class="card-body stack">
    <div class="stack-small"><h2 id="news">{_("The source has changed")}</h2>
      <p class="small muted">{breaking > 0 ? _("Runs cannot go on by what is gone: nothing is synced until the changes are taken over.") : _("Runs go on as before. Taking the changes over removes nothing from the destination.")}</p></div>
    <ul class="changes">{changes.map(change => <Change key={`${change.kind} ${keyOf(change)}`} change={change} taken={isTaken(change)}/>)}</ul>
    <div class="row"><Button kind="primary" onClick={() => ask(true)}>{_("Take over…")}</Button>
      <Button kind="quiet" onClick={() => void attempt(() => settle(null))}>{_("Dismiss")}</Button></div>
    {asked && <Confirm title={_("Take the changes over?")} action={_("Take over")} onClose={() => ask(false)} onConfirm={async () => settle(accepted(connection, changes))}>
      <ul class="stack-small">{([
        ["changed", (n: number) => ngettext("$0 stream gets its new fields from the next run on; fields that are gone stay as they are in the destination.", "$0 streams get their new fields from the next run on; fields that are gone stay as they are in the destination.", n, n)],
        ["added", (n: number) => connection.nonBreakingChangesPreference === "propagate_fully" ? ngettext("$0 new stream is taken.", "$0 new streams are taken.", n, n)
          : ngettext("$0 new stream is offered below, and not taken yet.", "$0 new streams are offered below, and not taken yet.", n, n)],
        ["removed", (n: number) => ngettext("$0 stream is not synced any more; what it has written stays.", "$0 streams are not synced any more; what they have written stays.", n, n)],
      ] as const).map(([kind, text]) => {
        const of = changes.filter(change => change.kind === kind && (kind === "added" || isTaken(change)));
        return of.length > 0 && <li key={kind}>{text(of.length)} <span class="muted">{of.map(change => change.name).join(", ")}</span></li>;
      })}</ul>
    </Confirm>}
  </div></section>;
}

/** Again, from the connector: a command that can be stopped. */
function Reading({connection, onRead}: { connection: ConfigWebConnectionRead; onRead: () => Promise<void> }): JSX.Element {
  const [round, begin] = useState(0);
  const command = useCommand(round === 0 ? null : String(round), signal => discover(connection.sourceId, signal));
  useEffect(() => { if (command.step === "done") void onRead(); }, [command.step]);
  return <div class="stack-small">
    <div class="row" role="status">{command.step === "running" ? <><Icon name="run" spin/><span class="small">{_("The source is asked for its streams")} <Elapsed since={command.since}/></span>
      <Button kind="quiet" onClick={command.stop}>{_("Stop")}</Button></>
      : <><Button icon="run" onClick={() => begin(round + 1)}>{_("Read the schema again")}</Button>{command.step === "done" && <span class="small muted">{_("It is up to date.")}</span>}</>}</div>
    {command.step === "failed" && command.error && <Refusal error={command.error}/>}
  </div>;
}

interface Edit {
  choice: Choice;
  before: Choice | undefined;
}

/** What saving does to a stream that is other than before. */
function effectOf({choice, before}: Edit): string {
  if (before === undefined || (!before.taken && choice.taken)) return _("is synced from the next run on");
  if (before.taken && !choice.taken) return _("is not synced any more; what it has written stays");
  if (modeId(before.mode) !== modeId(choice.mode)) return fmt(_("is synced in another way: $0"), modeText(choice.mode.source, choice.mode.destination));
  if (before.primaryKey.join() !== choice.primaryKey.join()) return _("has another key: what is written already keeps the old one until the stream is refreshed");
  if (before.cursor.join() !== choice.cursor.join()) return _("has another cursor: the next run reads everything again");
  return _("has other fields: what is written already stays as it is until the stream is refreshed");
}

const needsRefresh = ({choice, before}: Edit): boolean => before !== undefined && before.taken && choice.taken;

function SaveDialog({connection, edits, onSave, onClose}: { connection: ConfigWebConnectionRead; edits: Edit[]; onSave: (refresh: boolean) => Promise<void>; onClose: () => void }): JSX.Element {
  const [refresh, setRefresh] = useState(false);
  const again = edits.filter(needsRefresh).length;
  return <Confirm title={fmt(_("Save the streams of “$0”?"), connection.name)} action={_("Save")} onClose={onClose} onConfirm={() => onSave(refresh)}>
    <ul class="names" tabIndex={0} aria-label={_("Changes")}>{edits.map(edit => <li key={edit.choice.facts.key}><strong>{edit.choice.facts.name}</strong> <span class="muted">{effectOf(edit)}</span></li>)}</ul>
    {again > 0 && <label class="check"><input type="checkbox" checked={refresh} onChange={event => setRefresh(event.currentTarget.checked)}/>
      {ngettext("Refresh $0 changed stream now: it is read again and merged with what is there", "Refresh $0 changed streams now: they are read again and merged with what is there", again, again)}</label>}
  </Confirm>;
}

function Editor({connection, modes, onSaved}: { connection: ConfigWebConnectionRead; modes: string[]; onSaved: () => Promise<void> }): JSX.Element {
  // Asked for again and the same as before, it takes nothing back that was chosen meanwhile.
  const text = useMemo(() => JSON.stringify(connection.syncCatalog), [connection.syncCatalog]);
  const original = useMemo(() => readCatalog(connection.syncCatalog, modes), [text, modes]);
  const [choices, setChoices] = useState(original);
  const [saving, setSaving] = useState(false);
  useEffect(() => setChoices(original), [original]);
  const before = useMemo(() => new Map(original.map(choice => [choice.facts.key, choice])), [original]);
  const edits = choices.filter(choice => before.get(choice.facts.key) !== choice).map(choice => ({choice, before: before.get(choice.facts.key)}));
  const wrong = choices.filter(choice => troubleOf(choice) !== null).length, taken = choices.filter(choice => choice.taken).length;

  async function save(refresh: boolean): Promise<void> {
    const {connectionId} = connection;
    await call(api.configConnectionUpdate, {connectionId, syncCatalog: writeCatalog(choices),
      ...(connection.catalogId !== undefined && {sourceCatalogId: connection.catalogId, breakingChange: false})});
    setGuard(null);
    if (refresh) await call(api.configConnectionRefresh, {connectionId, refreshMode: "Merge", streams: edits.filter(needsRefresh).map(({choice: {facts}}) =>
      ({streamName: facts.name, ...(facts.namespace !== "" && {streamNamespace: facts.namespace})}))});
    say("ok", _("The streams are saved."));
    await onSaved();
  }

  return <>
    <StreamTable choices={choices} onChange={next => { setChoices(next); setGuard(() => _("What you have changed is not saved. Leave the page?")); }}/>
    {edits.length > 0 && <div class="foot-bar" role="group" aria-label={_("Go on")}><div class="row">
      <p class="small grow" role="status">{wrong > 0 ? <span class="wanted"><Icon name="warn" size={14}/> {ngettext("$0 stream has to be completed: choose its cursor or key.", "$0 streams have to be completed: choose their cursors or keys.", wrong, wrong)}</span>
        : taken === 0 ? <span class="wanted"><Icon name="warn" size={14}/> {_("No stream is taken.")}</span> : ngettext("$0 stream is changed.", "$0 streams are changed.", edits.length, edits.length)}</p>
      <Button onClick={() => { setChoices(original); setGuard(null); }}>{_("Undo")}</Button>
      <Button kind="primary" onClick={() => { if (wrong === 0 && taken > 0) setSaving(true); }}>{_("Save…")}</Button>
    </div></div>}
    {saving && <SaveDialog connection={connection} edits={edits} onSave={save} onClose={() => setSaving(false)}/>}
  </>;
}

async function destinationModes(workspaceId: string, destinationDefinitionId: string): Promise<string[]> {
  return (await call(api.configDestinationSpecificationGet, {workspaceId, destinationDefinitionId})).supportedDestinationSyncModes ?? [];
}

export function SchemaTab({connection, onSaved}: { connection: ConfigWebConnectionRead; onSaved: () => Promise<void> }): JSX.Element {
  const {workspaceId, destinationDefinitionId} = connection.destination;
  const modes = useLoad(() => destinationModes(workspaceId, destinationDefinitionId), [destinationDefinitionId]);
  return <div class="stack">
    <Diff connection={connection} onSaved={onSaved}/>
    {connection.schemaChange !== "no_change" && readDiff(connection.catalogDiff).length === 0 && <Notice tone="warn">{_("The source has changed; read the schema again to see what.")}</Notice>}
    <Reading connection={connection} onRead={onSaved}/>
    <Loaded answer={modes}>{known => <Editor connection={connection} modes={known} onSaved={onSaved}/>}</Loaded>
  </div>;
}
