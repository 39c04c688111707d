// SPDX-License-Identifier: Apache-2.0
// The settings of a source or destination by its connector's specification: new ones, and such that are there.
import type {JSX} from "preact";
import {useEffect, useRef, useState} from "preact/hooks";
import type {JsonObject} from "#gen/api.ts";
import {SpecForm, Summary, type FormState} from "../form/form.tsx";
import {parseSpec, type Spec} from "../form/spec.ts";
import {initialValue, toSend, validate, type Problem} from "../form/values.ts";
import {createActor, getSpecification, listDefinitions, updateActor, type Actor, type Definition, type Side} from "../lib/actors.ts";
import {checkDraft} from "../lib/commands.ts";
import {_} from "../lib/i18n.ts";
import {setGuard} from "../lib/router.ts";
import {Button, TextField} from "./controls.tsx";
import {Elapsed} from "./elapsed.tsx";
import {Refusal} from "./refusal.tsx";

type Phase = { step: "edit" } | { step: "testing"; since: number } | { step: "saving" } | { step: "refused"; error: Error };

export interface ActorSubject {
  side: Side;
  workspaceId: string;
  definition: Definition;
  spec: Spec;
}

export async function loadSubject(side: Side, workspaceId: string, definitionId: string): Promise<ActorSubject> {
  const [definitions, schema] = await Promise.all([listDefinitions(side, workspaceId), getSpecification(side, workspaceId, definitionId)]);
  const definition = definitions.find(each => each.id === definitionId);
  if (definition === undefined) throw new Error(_("There is no such connector."));
  return {side, workspaceId, definition, spec: parseSpec(schema)};
}

interface FormProps extends ActorSubject {
  /** The one that is edited. */
  actor?: Actor;
  /** Instead of testing before it is saved, `onSaved` sees to the test while one goes on. */
  goOn?: boolean;
  onSaved: (actor: Actor) => void;
}

function useForm({side, workspaceId, definition, spec, actor, onSaved}: FormProps) {
  const [name, setName] = useState(actor?.name ?? definition.name);
  const [state, setState] = useState<FormState>(() => ({value: actor?.configuration ?? (initialValue(spec.root) ?? {}) as JsonObject, picked: {}}));
  const [tried, setTried] = useState(false);
  const [phase, setPhase] = useState<Phase>({step: "edit"});
  const abort = useRef<AbortController | null>(null);
  const problems: Problem[] = tried ? validate(spec.root, state.value, [], state.picked) : [];
  useEffect(() => () => abort.current?.abort(), []);

  const touched = () => setGuard(() => _("What you have typed is not saved. Leave the page?"));

  function isRight(): boolean {
    setTried(true);
    const right = name.trim() !== "" && validate(spec.root, state.value, [], state.picked).length === 0;
    if (!right) setTimeout(() => document.getElementById("what-is-wrong")?.focus());
    return right;
  }

  async function submit(test: boolean): Promise<void> {
    if (phase.step === "testing" || phase.step === "saving" || !isRight()) return;
    const configuration = (toSend(spec.root, state.value, [], state.picked) ?? {}) as JsonObject;
    const mine = abort.current = new AbortController();
    try {
      if (test) {
        setPhase({step: "testing", since: Date.now()});
        await checkDraft({workspaceId, definitionId: definition.id, actorId: actor?.id, configuration}, mine.signal);
      }
      setPhase({step: "saving"});
      const saved = actor === undefined ? await createActor(side, workspaceId, definition.id, name.trim(), configuration)
        : await updateActor(side, actor.id, name.trim(), configuration);
      setGuard(null);
      onSaved(saved);
    } catch (error) {
      if (mine.signal.aborted) setPhase({step: "edit"});
      else setPhase({step: "refused", error: error instanceof Error ? error : new Error(String(error))});
    }
  }

  return {name, state, problems, phase, submit, noName: tried && name.trim() === "", stop: () => abort.current?.abort(),
    setName: (next: string) => { setName(next); touched(); }, change: (next: FormState) => { setState(next); touched(); }};
}

export function ActorForm(props: FormProps): JSX.Element {
  const {side, spec, goOn = false} = props;
  const {name, setName, state, change, problems, phase, submit, noName, stop} = useForm(props);
  return <form class="stack narrow-form" noValidate onSubmit={event => { event.preventDefault(); void submit(!goOn); }}>
    <Summary problems={problems}/>
    <div class="card card-body">
      <TextField label={_("Name")} value={name} onInput={setName} error={noName ? _("This is needed.") : null} autocomplete="off"
        hint={side === "source" ? _("How the source is called in lists.") : _("How the destination is called in lists.")}/>
    </div>
    <SpecForm spec={spec} state={state} problems={problems} onChange={change}/>
    {phase.step === "refused" && <Refusal error={phase.error}/>}
    <div class="row" role="status">
      {phase.step === "testing" ? <>
        <Button busy>{_("Testing")}</Button><Elapsed since={phase.since}/><Button onClick={stop}>{_("Stop the test")}</Button>
      </> : goOn ? <>
        <Button kind="primary" submit busy={phase.step === "saving"}>{_("Save and go on")}</Button>
        <span class="small muted">{_("It is tested while you go on.")}</span>
      </> : <>
        <Button kind="primary" submit busy={phase.step === "saving"}>{_("Test and save")}</Button>
        <Button kind="quiet" onClick={() => void submit(false)}>{_("Save without a test")}</Button>
      </>}
    </div>
  </form>;
}
