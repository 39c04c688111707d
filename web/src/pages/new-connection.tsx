// SPDX-License-Identifier: Apache-2.0
// From nothing to a connection that runs: its source, its destination, its streams, and how it is set. What has to be asked of the
// connectors is asked while the next step is filled in.
import type {JSX} from "preact";
import {useEffect, useMemo, useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import {getActor, type Actor, type Side} from "../lib/actors.ts";
import {ApiError, call} from "../lib/api.ts";
import {readCatalog, takeSuggested, troubleOf, writeCatalog, type Choice} from "../lib/catalog.ts";
import {checkActor, discover, useCommand, type Command, type Discovered} from "../lib/commands.ts";
import {newSettings, problemsOf, toSend, type Settings} from "../lib/connection-settings.ts";
import {_, fmt, ngettext} from "../lib/i18n.ts";
import {useLoad} from "../lib/load.ts";
import {navigate, setGuard, useLocation} from "../lib/router.ts";
import {scheduleText} from "../lib/schedule.ts";
import {useWorkspace} from "../lib/workspace.ts";
import {ActorForm, loadSubject} from "../ui/actor-form.tsx";
import {ActorPicker} from "../ui/actor-picker.tsx";
import {ConnectionForm} from "../ui/connection-form.tsx";
import {Button, Empty, Heading, Notice} from "../ui/controls.tsx";
import {Elapsed} from "../ui/elapsed.tsx";
import {Icon} from "../ui/icons.tsx";
import {Loaded, Waiting} from "../ui/page.tsx";
import {Refusal} from "../ui/refusal.tsx";
import {StreamTable} from "../ui/stream-table.tsx";
import {say} from "../ui/toasts.tsx";

const BASE = "/connections/new";

type Step = "source" | "destination" | "streams" | "settings";
const STEPS: readonly Step[] = ["source", "destination", "streams", "settings"];

/** Which is asked for, and as far as it is known already. */
interface Place {
  step: Step;
  source: string | null;
  destination: string | null;
  /** A new one of this kind is being made; or the one that is there, changed. */
  kind: string | null;
  edit: boolean;
}

function placeOf(query: URLSearchParams): Place {
  const source = query.get("source"), destination = query.get("destination");
  const wanted = STEPS.find(step => step === query.get("step"));
  const reached = source === null ? 0 : destination === null ? 1 : 3;
  const step = wanted !== undefined && STEPS.indexOf(wanted) <= reached ? wanted : STEPS[Math.min(reached, 2)] as Step;
  return {step, source, destination, kind: query.get("kind"), edit: query.get("edit") !== null};
}

function addressOf(place: Partial<Place>): string {
  const query = new URLSearchParams();
  for (const name of ["source", "destination", "step", "kind"] as const) {
    const value = place[name];
    if (value !== null && value !== undefined) query.set(name, value);
  }
  if (place.edit) query.set("edit", "");
  const text = query.toString();
  return text === "" ? BASE : `${BASE}?${text}`;
}

const TITLES: Record<Step, () => string> = {
  source: () => _("Source"), destination: () => _("Destination"), streams: () => _("Streams"), settings: () => _("Settings"),
};

function Steps({place}: { place: Place }): JSX.Element {
  const reached = place.source === null ? 0 : place.destination === null ? 1 : 3;
  return <nav class="steps" aria-label={_("Steps")}><ol>{STEPS.map((step, index) => {
    const current = step === place.step, done = index < STEPS.indexOf(place.step);
    const inside = <><span class="mark" aria-hidden="true">{done ? <Icon name="ok" size={14}/> : index + 1}</span>{TITLES[step]()}</>;
    return <li key={step} class={done ? "done" : undefined}>{current ? <span aria-current="step">{inside}</span>
      : index <= reached ? <a href={addressOf({source: place.source, destination: place.destination, step})}>{inside}</a> : <span class="muted">{inside}</span>}</li>;
  })}</ol></nav>;
}

interface Asked {
  check: Command<boolean> & { stop: () => void; again: () => void };
  streams: (Command<Discovered> & { stop: () => void; again: () => void }) | null;
}

function ActorLine({side, actor, asked, place}: { side: Side; actor: Actor; asked: Asked; place: Place }): JSX.Element {
  const {check, streams} = asked;
  const running = check.step === "running" || streams?.step === "running", failed = [check, streams].find(each => each?.step === "failed");
  const again = () => { check.again(); streams?.again(); };
  const edit = addressOf({source: place.source, destination: place.destination, step: side, edit: true});
  return <li class="asked">
    <div class="row"><Icon name={side}/><span class="grow clip"><strong>{actor.name}</strong> <span class="small muted">{actor.definitionName}</span></span>
      <span class="row" role="status">
        {running ? <><Icon name="run" spin/><span class="small">{streams?.step === "running" ? _("Its streams are being read") : _("It is being tested")} <Elapsed since={check.since}/></span>
          <Button kind="quiet" onClick={() => { check.stop(); streams?.stop(); }}>{_("Stop")}</Button></>
        : failed ? <span class="pill bad"><Icon name="bad" size={14}/>{_("It does not work")}</span>
        : check.step === "stopped" || streams?.step === "stopped" ? <><span class="small muted">{_("Stopped")}</span><Button kind="quiet" onClick={again}>{_("Try again")}</Button></>
        : check.step === "done" ? <span class="pill ok"><Icon name="ok" size={14}/>{_("It works")}</span> : null}
      </span></div>
    {failed?.error && !running && <Refusal error={failed.error}><div class="row"><a class="button" href={edit}>{_("Change its settings")}</a><Button kind="quiet" onClick={again}>{_("Try again")}</Button></div></Refusal>}
  </li>;
}

function ActorStep({side, place, workspaceId, actor, onSaved}: { side: Side; place: Place; workspaceId: string; actor: Actor | null; onSaved: () => void }): JSX.Element {
  const title = side === "source" ? _("Where does the data come from?") : _("Where does the data go?");
  const here = {source: place.source, destination: place.destination, step: side} as const;
  const definitionId = place.edit ? actor?.definitionId ?? null : place.kind;
  const subject = useLoad(() => definitionId === null ? null : loadSubject(side, workspaceId, definitionId), [side, definitionId]);
  const known = side === "source" ? {destination: place.destination} : {source: place.source};
  const goOn = (id: string) => navigate(addressOf({...known, [side]: id}));
  if (definitionId === null)
    return <><div class="page-head"><Heading key={side} title={title}>{title}</Heading></div>
      <ActorPicker side={side} workspaceId={workspaceId} useHref={id => addressOf({...known, [side]: id})} newHref={kind => addressOf({...here, kind})}/></>;
  return <Loaded answer={subject}>{found => <>
    <a class="up small" href={addressOf(here)}>{side === "source" ? _("Another source") : _("Another destination")}</a>
    <div class="page-head"><Heading key={side} title={found.definition.name}>{found.definition.name}</Heading></div>
    <ActorForm key={`${side} ${definitionId}`} {...found} {...(place.edit && actor ? {actor} : {})} goOn onSaved={saved => { onSaved(); goOn(saved.id); }}/>
  </>}</Loaded>;
}

function StreamsStep({choices, streams, onChange}: { choices: Choice[] | null; streams: Command<Discovered>; onChange: (choices: Choice[]) => void }): JSX.Element {
  return <>
    <div class="page-head flat"><Heading title={_("Which streams?")}>{_("Which streams?")}</Heading></div>
    {choices !== null ? <StreamTable choices={choices} onChange={onChange}/>
      : streams.step === "running" ? <Waiting/>
      : <div class="card"><Empty icon="source" title={_("The streams are not known")}><p>{_("The source has to tell which streams it has before some can be chosen.")}</p></Empty></div>}
  </>;
}

interface Made {
  /** Why it cannot be made yet. */
  wanting: string | null;
  busy: boolean;
  error: string | null;
  make: (sync: boolean) => void;
}

function useMaking(place: Place, choices: Choice[] | null, settings: Settings | null, catalogId: string | undefined): Made {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const taken = choices?.filter(choice => choice.taken).length ?? 0, wrong = choices?.filter(choice => troubleOf(choice) !== null).length ?? 0;
  const bad = settings === null ? 0 : Object.keys(problemsOf(settings)).length;
  const wanting = choices === null ? _("The streams of the source are not known yet.") : taken === 0 ? _("No stream is taken.")
    : wrong > 0 ? ngettext("$0 stream has to be completed: choose its cursor or key.", "$0 streams have to be completed: choose their cursors or keys.", wrong, wrong)
    : bad > 0 ? _("Something in the settings is wrong.") : null;

  async function make(sync: boolean): Promise<void> {
    if (busy || wanting !== null || choices === null || settings === null || place.source === null || place.destination === null) return;
    setBusy(true);
    setError(null);
    try {
      const made = await call(api.configConnectionCreate, {sourceId: place.source, destinationId: place.destination, status: "active", syncCatalog: writeCatalog(choices),
        ...toSend(settings), ...(catalogId !== undefined && {sourceCatalogId: catalogId})});
      setGuard(null);
      if (sync) await call(api.configConnectionSync, {connectionId: made.connectionId}).catch((failed: unknown) => {
        if (!(failed instanceof ApiError) || failed.status !== 409) throw failed; // its schedule was quicker
      });
      say("ok", fmt(_("“$0” is there."), made.name));
      navigate(`/connections/${made.connectionId}`);
    } catch (failed) {
      setError(failed instanceof ApiError ? failed.message : String(failed));
      setBusy(false);
    }
  }

  return {wanting, busy, error, make: sync => void make(sync)};
}

function Foot({place, choices, settings, making}: { place: Place; choices: Choice[] | null; settings: Settings; making: Made }): JSX.Element {
  const here = {source: place.source, destination: place.destination}, taken = choices?.filter(choice => choice.taken).length ?? 0;
  const {scheduleType, scheduleData} = toSend(settings);
  return <div class="foot-bar" role="group" aria-label={_("Go on")}>
    {making.error !== null && <Notice tone="bad">{making.error}</Notice>}
    <div class="row">
      <p class="small grow" role="status">{making.wanting !== null ? <span class="wanted"><Icon name="warn" size={14}/> {making.wanting}</span>
        : <>{choices && ngettext("$0 of $1 stream", "$0 of $1 streams", choices.length, taken, choices.length)} <span class="muted">· {scheduleText(scheduleType, scheduleData)}</span></>}</p>
      {place.step === "streams" ? <a class="button" href={addressOf({...here, step: "settings"})}>{_("Settings")}</a>
        : <a class="button" href={addressOf({...here, step: "streams"})}>{_("Streams")}</a>}
      <Button busy={making.busy} onClick={() => making.make(false)}>{_("Create")}</Button>
      <Button kind="primary" busy={making.busy} onClick={() => making.make(true)}>{_("Create and sync")}</Button>
    </div>
  </div>;
}

async function destinationModes(workspaceId: string, definitionId: string): Promise<string[]> {
  const found = await call(api.configDestinationSpecificationGet, {workspaceId, destinationDefinitionId: definitionId});
  return found.supportedDestinationSyncModes ?? [];
}

function Wizard({workspaceId}: { workspaceId: string }): JSX.Element {
  const {query} = useLocation();
  const place = placeOf(query);
  const [round, setRound] = useState(0); // settings of an end were changed
  const [choices, setChoices] = useState<Choice[] | null>(null);
  const [settings, setSettings] = useState<Settings | null>(null);
  const source = useLoad(() => place.source === null ? null : getActor("source", place.source), [place.source, round]);
  const destination = useLoad(() => place.destination === null ? null : getActor("destination", place.destination), [place.destination, round]);
  const modes = useLoad(() => destination.data === undefined ? null : destinationModes(workspaceId, destination.data.definitionId), [destination.data?.definitionId]);
  const sourceKey = place.source === null ? null : `${place.source} ${round}`, destinationKey = place.destination === null ? null : `${place.destination} ${round}`;
  const sourceCheck = useCommand(sourceKey, signal => checkActor(place.source ?? "", signal).then(() => true));
  const streams = useCommand(sourceKey, signal => discover(place.source ?? "", signal));
  const destinationCheck = useCommand(destinationKey, signal => checkActor(place.destination ?? "", signal).then(() => true));
  const found = streams.output, known = modes.data;

  useEffect(() => { setChoices(found === undefined || known === undefined ? null : takeSuggested(readCatalog(found.catalog, known))); }, [found, known]);
  const names = [source.data?.name, destination.data?.name];
  const base = useMemo(() => names[0] === undefined || names[1] === undefined ? null : newSettings(names[0], names[1]), names);
  const shown = settings ?? base;
  const making = useMaking(place, choices, shown, found?.catalogId);
  const touched = () => setGuard(() => _("The connection is not created yet. Leave the page?"));
  const first = choices?.find(choice => choice.taken)?.facts;

  return <div class="stack wizard">
    <Steps place={place}/>
    {(source.error ?? destination.error ?? modes.error) && <Notice tone="bad">{(source.error ?? destination.error ?? modes.error)?.message}</Notice>}
    {(source.data || destination.data) && !place.edit && <ul class="card asked-list">
      {source.data && place.step !== "source" && <ActorLine side="source" actor={source.data} asked={{check: sourceCheck, streams}} place={place}/>}
      {destination.data && place.step !== "destination" && place.step !== "source" && <ActorLine side="destination" actor={destination.data} asked={{check: destinationCheck, streams: null}} place={place}/>}
    </ul>}
    {place.step === "source" || place.step === "destination"
      ? <div><ActorStep key={place.step} side={place.step} place={place} workspaceId={workspaceId} actor={(place.step === "source" ? source.data : destination.data) ?? null} onSaved={() => setRound(round + 1)}/></div>
      : shown === null ? <Waiting/> : <>
        {place.step === "streams" ? <StreamsStep choices={choices} streams={streams} onChange={next => { setChoices(next); touched(); }}/>
          : <div class="stack narrow-form"><Heading title={_("How should it run?")}>{_("How should it run?")}</Heading>
            <ConnectionForm settings={shown} problems={problemsOf(shown)} example={first ?? {namespace: "public", name: "users"}}
              onChange={changes => { setSettings({...shown, ...changes}); touched(); }}/></div>}
        <Foot place={place} choices={choices} settings={shown} making={making}/>
      </>}
  </div>;
}

export default function NewConnectionPage(): JSX.Element {
  const workspace = useWorkspace();
  return <>
    <a class="up small" href="/connections">{_("Connections")}</a>
    {workspace === null ? <Waiting/> : <Wizard workspaceId={workspace.workspaceId}/>}
  </>;
}
