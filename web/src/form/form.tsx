// SPDX-License-Identifier: Apache-2.0
// A specification as a form: fields.tsx has the controls, here are cards, alternatives, objects and lists.
import type {ComponentChildren, JSX} from "preact";
import {useState} from "preact/hooks";
import type {Json, JsonObject} from "#gen/api.ts";
import {_, fmt, ngettext} from "../lib/i18n.ts";
import {Button, Field as Labelled} from "../ui/controls.tsx";
import {Icon} from "../ui/icons.tsx";
import {Control, describe} from "./fields.tsx";
import {isShown, isVisible, type Field, type Spec} from "./spec.ts";
import {branchOf, getAt, initialValue, keyOfPath, setAt, switchBranch, type Path, type Picked, type Problem} from "./values.ts";

export interface FormState {
  value: JsonObject;
  picked: Picked;
}

interface Context {
  state: FormState;
  /** By keyOfPath(). */
  problems: ReadonlyMap<string, Problem>;
  onChange: (state: FormState) => void;
}

export const idOf = (path: Path): string => "f-" + keyOfPath(path).replace(/[^\w-]/g, "_");

function put(context: Context, path: Path, value: Json | undefined): void {
  context.onChange({...context.state, value: setAt(context.state.value, path, value) as JsonObject});
}

function FieldView({field, path, context}: { field: Field; path: Path; context: Context }): JSX.Element {
  const value = getAt(context.state.value, path);
  if (field.kind === "choice") return <Choice field={field} path={path} context={context}/>;
  if (field.kind === "object")
    return <fieldset class="inner stack"><legend>{field.title}</legend><Described text={field.description}/>
      <Fields fields={field.fields} path={path} context={context}/></fieldset>;
  if (field.kind === "list") return <List field={field} path={path} context={context}/>;
  const problem = context.problems.get(keyOfPath(path)) ?? [...context.problems.values()].find(each => field.kind === "tags" && keyOfPath(each.path).startsWith(keyOfPath(path) + "/"));
  return <Labelled label={field.title} optional={!field.required} error={problem ? describe(problem) : null} fixedId={idOf(path)} hint={hintOf(field)}>
    {ids => <Control ids={ids} field={field} value={value} onChange={next => put(context, path, next)}/>}
  </Labelled>;
}

/** Descriptions may carry markup of their authors: only its text is shown. */
export function plainText(html: string): string {
  return html.replace(/<br\s*\/?>|<\/(p|li)>/gi, "\n").replace(/<[^>]*>/g, "").replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, "\"").replace(/&amp;/g, "&").trim();
}

function Described({text}: { text: string }): JSX.Element | null {
  return text === "" ? null : <p class="small muted lines">{plainText(text)}</p>;
}

function hintOf(field: Field): ComponentChildren {
  const example = field.examples[0];
  if (field.description === "" && example === undefined) return undefined;
  return <span class="lines">{plainText(field.description)}{example !== undefined && <> {fmt(_("For example: $0"), example)}</>}</span>;
}

function Fields({fields, path, context}: { fields: readonly Field[]; path: Path; context: Context }): JSX.Element {
  const visible = fields.filter(isVisible);
  const shown = visible.filter(isShown), optional = visible.filter(field => !isShown(field));
  return <div class="stack">
    {shown.map(field => <FieldView key={field.name} field={field} path={[...path, field.name]} context={context}/>)}
    <Optional fields={optional} path={path} context={context}/>
  </div>;
}

function Optional({fields, path, context}: { fields: readonly Field[]; path: Path; context: Context }): JSX.Element | null {
  const [open, setOpen] = useState(false);
  if (fields.length === 0) return null;
  // A problem must be seen: what is wrong is never folded away.
  const wrong = fields.some(field => [...context.problems.keys()].some(key => key.startsWith(keyOfPath([...path, field.name]))));
  return <details class="optional" open={open || wrong} onToggle={event => setOpen(event.currentTarget.open)}>
    <summary>{ngettext("$0 optional field", "$0 optional fields", fields.length, fields.length)}</summary>
    <div class="stack">{fields.map(field => <FieldView key={field.name} field={field} path={[...path, field.name]} context={context}/>)}</div>
  </details>;
}

function Choice({field, path, context}: { field: Field; path: Path; context: Context }): JSX.Element {
  const value = getAt(context.state.value, path);
  const index = branchOf(field, value, path, context.state.picked), branch = field.branches[index];
  const problem = context.problems.get(keyOfPath(path));
  const offered = field.branches.map((each, number) => ({each, number})).filter(({each, number}) => !each.hidden || number === index);

  function pick(next: number): void {
    context.onChange({value: setAt(context.state.value, path, switchBranch(field, value, next)) as JsonObject,
      picked: {...context.state.picked, [keyOfPath(path)]: next}});
  }

  const inside = branch && <><Described text={branch.description}/><Fields fields={branch.fields} path={path} context={context}/></>;
  if (field.tiles)
    return <fieldset class="inner stack"><legend>{field.title}</legend><Described text={field.description}/>
      <div class="tiles">{offered.map(({each, number}) => <label key={number} class="tile"><input type="radio" name={idOf(path)} checked={number === index} onChange={() => pick(number)}/>
        <span>{each.title}</span></label>)}</div>{inside}</fieldset>;
  return <div class="inner stack">
    <Labelled label={field.title} error={problem ? describe(problem) : null} fixedId={idOf(path)} hint={hintOf(field)}>
      {ids => <select {...ids} class="input" value={index < 0 ? "" : String(index)} onChange={event => pick(Number(event.currentTarget.value))}>
        {index < 0 && <option value="">{_("Choose one")}</option>}
        {offered.map(({each, number}) => <option key={number} value={String(number)}>{each.title}</option>)}
      </select>}
    </Labelled>
    {inside}
  </div>;
}

function List({field, path, context}: { field: Field; path: Path; context: Context }): JSX.Element {
  const value = getAt(context.state.value, path), items = Array.isArray(value) ? value : [];
  const problem = context.problems.get(keyOfPath(path)), {item} = field;
  return <fieldset class="inner stack" id={idOf(path)} tabIndex={-1}>
    <legend>{field.title} {!field.required && <span class="needed">{_("(optional)")}</span>}</legend>
    <Described text={field.description}/>
    {item && items.map((_each, index) => <div key={index} class="item stack">
      <div class="row"><strong class="grow">{fmt(_("Entry $0"), index + 1)}</strong>
        <Button kind="quiet" icon="close" label={fmt(_("Remove entry $0 of $1"), index + 1, field.title)} onClick={() => put(context, [...path, index], undefined)}>{_("Remove")}</Button></div>
      <Fields fields={item.fields} path={[...path, index]} context={context}/>
    </div>)}
    {problem && <p class="error">{describe(problem)}</p>}
    {item && <div><Button icon="plus" onClick={() => put(context, path, [...items, initialValue(item) ?? {}])}>{_("Add an entry")}</Button></div>}
  </fieldset>;
}

/** What is wrong, in one place, each a link to its field. It takes the focus when a person has tried to go on. */
export function Summary({problems}: { problems: readonly Problem[] }): JSX.Element | null {
  if (problems.length === 0) return null;
  return <div class="notice bad" role="alert" tabIndex={-1} id="what-is-wrong"><Icon name="bad"/><div class="body stack-small">
    <strong>{ngettext("$0 field needs another look:", "$0 fields need another look:", problems.length, problems.length)}</strong>
    <ul>{problems.map(problem => <li key={keyOfPath(problem.path)}>
      <a href={`#${idOf(problem.path)}`} onClick={event => { event.preventDefault(); document.getElementById(idOf(problem.path))?.focus(); }}>{problem.field.title || problem.path.join(" ")}</a>: {describe(problem)}</li>)}</ul>
  </div></div>;
}

export function SpecForm({spec, state, problems, onChange}: { spec: Spec; state: FormState; problems: readonly Problem[]; onChange: (state: FormState) => void }): JSX.Element {
  const context: Context = {state, onChange, problems: new Map(problems.map(problem => [keyOfPath(problem.path), problem]))};
  const footer = spec.groups.flatMap(group => group.footer);
  return <>
    {spec.groups.filter(group => group.shown.length + group.optional.length > 0).map(group => <section key={group.id} class="card card-body stack" aria-label={group.title || _("Settings")}>
      {group.title !== "" && <h2>{group.title}</h2>}
      {group.shown.map(field => <FieldView key={field.name} field={field} path={[field.name]} context={context}/>)}
      <Optional fields={group.optional} path={[]} context={context}/>
    </section>)}
    {footer.length > 0 && <section class="card card-body" aria-label={_("Optional fields")}><Optional fields={footer} path={[]} context={context}/></section>}
  </>;
}
