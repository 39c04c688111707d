// SPDX-License-Identifier: Apache-2.0
// A new source or destination: its settings by the connector's specification, tried before they are saved.
import type {JSX} from "preact";
import {useEffect, useRef, useState} from "preact/hooks";
import type {JsonObject} from "#gen/api.ts";
import {SpecForm, Summary, type FormState} from "../form/form.tsx";
import {parseSpec, type Spec} from "../form/spec.ts";
import {initialValue, toSend, validate, type Problem} from "../form/values.ts";
import {createActor, getSpecification, listDefinitions, testConfiguration, type Definition, type Side} from "../lib/actors.ts";
import {_, fmt} from "../lib/i18n.ts";
import {sideOf, useLoad} from "../lib/load.ts";
import {navigate, setGuard, useLocation} from "../lib/router.ts";
import {duration} from "../lib/time.ts";
import {useWorkspace} from "../lib/workspace.ts";
import {Button, Heading, Notice, TextField} from "../ui/controls.tsx";
import {Loaded} from "../ui/page.tsx";
import {say} from "../ui/toasts.tsx";

type Phase = { step: "edit" } | { step: "testing"; since: number } | { step: "saving" } | { step: "refused"; message: string };

function Elapsed({since}: { since: number }): JSX.Element {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick(n => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return <span class="number">{duration(Date.now() - since)}</span>;
}

interface FormProps {
  side: Side;
  workspaceId: string;
  definition: Definition;
  spec: Spec;
}

function ActorForm({side, workspaceId, definition, spec}: FormProps): JSX.Element {
  const [name, setName] = useState(definition.name);
  const [state, setState] = useState<FormState>(() => ({value: (initialValue(spec.root) ?? {}) as JsonObject, picked: {}}));
  const [tried, setTried] = useState(false);
  const [phase, setPhase] = useState<Phase>({step: "edit"});
  const abort = useRef<AbortController | null>(null);
  const problems: Problem[] = tried ? validate(spec.root, state.value, [], state.picked) : [];
  const noName = tried && name.trim() === "";

  useEffect(() => () => abort.current?.abort(), []);

  function change(next: FormState): void {
    setState(next);
    setGuard(() => _("What you have typed is not saved. Leave the page?"));
  }

  function isRight(): boolean {
    setTried(true);
    const right = name.trim() !== "" && validate(spec.root, state.value, [], state.picked).length === 0;
    if (!right) setTimeout(() => document.getElementById("what-is-wrong")?.focus());
    return right;
  }

  async function save(configuration: JsonObject): Promise<void> {
    setPhase({step: "saving"});
    const actor = await createActor(side, workspaceId, definition.id, name.trim(), configuration);
    setGuard(null);
    say("ok", fmt(_("“$0” is there."), actor.name));
    navigate(`/${side}s`);
  }

  async function submit(test: boolean): Promise<void> {
    if (phase.step === "testing" || phase.step === "saving" || !isRight()) return;
    const configuration = (toSend(spec.root, state.value, [], state.picked) ?? {}) as JsonObject;
    const mine = abort.current = new AbortController();
    try {
      if (test) {
        setPhase({step: "testing", since: Date.now()});
        const verdict = await testConfiguration(workspaceId, definition.id, configuration, mine.signal);
        if (!verdict.ok) {
          setPhase({step: "refused", message: verdict.message || _("The connector refused the settings without saying why.")});
          return;
        }
      }
      await save(configuration);
    } catch (error) {
      if (mine.signal.aborted) setPhase({step: "edit"});
      else setPhase({step: "refused", message: error instanceof Error ? error.message : String(error)});
    }
  }

  return <form class="stack narrow-form" noValidate onSubmit={event => { event.preventDefault(); void submit(true); }}>
    <Summary problems={problems}/>
    <div class="card card-body">
      <TextField label={_("Name")} value={name} onInput={setName} error={noName ? _("This is needed.") : null} autocomplete="off"
        hint={side === "source" ? _("How the source is called in lists.") : _("How the destination is called in lists.")}/>
    </div>
    <SpecForm spec={spec} state={state} problems={problems} onChange={change}/>
    {phase.step === "refused" && <Notice tone="bad"><p class="failure-text">{phase.message}</p></Notice>}
    <div class="row" role="status">
      {phase.step === "testing" ? <>
        <Button busy>{_("Testing")}</Button><Elapsed since={phase.since}/><Button onClick={() => abort.current?.abort()}>{_("Stop the test")}</Button>
      </> : <>
        <Button kind="primary" submit busy={phase.step === "saving"}>{_("Test and save")}</Button>
        <Button kind="quiet" onClick={() => void submit(false)}>{_("Save without a test")}</Button>
      </>}
    </div>
  </form>;
}

async function load(side: Side, workspaceId: string, definitionId: string): Promise<{ definition: Definition; spec: Spec }> {
  const [definitions, schema] = await Promise.all([listDefinitions(side, workspaceId), getSpecification(side, workspaceId, definitionId)]);
  const definition = definitions.find(each => each.id === definitionId);
  if (definition === undefined) throw new Error(_("There is no such connector."));
  return {definition, spec: parseSpec(schema)};
}

export default function NewActorPage({definitionId}: { definitionId: string }): JSX.Element {
  const {path} = useLocation();
  const side = sideOf(path), id = useWorkspace()?.workspaceId ?? null;
  const found = useLoad(() => id === null ? null : load(side, id, definitionId), [side, id, definitionId]);
  return <>
    <a class="up small" href={`/${side}s/new`}>{_("Other connectors")}</a>
    <Loaded answer={found}>{({definition, spec}) => <>
      <div class="page-head"><Heading title={definition.name}>{definition.name}</Heading></div>
      {id !== null && <ActorForm side={side} workspaceId={id} definition={definition} spec={spec}/>}
    </>}</Loaded>
  </>;
}
