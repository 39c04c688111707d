// SPDX-License-Identifier: Apache-2.0
// One control for each kind of field, and the words for what can be wrong with it.
import type {JSX} from "preact";
import {useState} from "preact/hooks";
import type {Json} from "#gen/api.ts";
import {_, fmt} from "../lib/i18n.ts";
import {Button} from "../ui/controls.tsx";
import type {Field} from "./spec.ts";
import {MASK, type Problem} from "./values.ts";

interface Ids {
  id: string;
  "aria-describedby"?: string;
  "aria-invalid"?: boolean;
}

interface ControlProps {
  ids: Ids;
  field: Field;
  value: Json | undefined;
  onChange: (value: Json | undefined) => void;
}

export function describe(problem: Problem): string {
  switch (problem.code) {
    case "required": return _("This is needed.");
    case "number": return _("This must be a number.");
    case "integer": return _("This must be a whole number.");
    case "choice": return _("Choose one.");
    case "enum": return _("This is none of the values that are offered.");
    case "json": return _("This is not valid JSON.");
    case "date": return problem.field.kind === "date" ? _("Write the date as 2026-01-31.") : _("Write the time as 2026-01-31T00:00:00Z.");
    case "pattern": return problem.text === null ? fmt(_("This must have the form $0"), problem.pattern) : fmt(_("Write it as $0"), problem.text);
    case "minimum": return fmt(_("The least is $0."), problem.limit);
    case "maximum": return fmt(_("The most is $0."), problem.limit);
    case "shortest": return fmt(_("This is too short: $0 at least."), problem.limit);
    case "longest": return fmt(_("This is too long: $0 at most."), problem.limit);
  }
}

const shown = (value: Json | undefined): string => value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);

function Text({ids, field, value, onChange}: ControlProps): JSX.Element {
  const props = {...ids, class: "input", value: shown(value), placeholder: field.patternText ?? (field.kind === "date" ? "2026-01-31" : field.kind === "date-time" ? "2026-01-31T00:00:00Z" : undefined),
    spellcheck: false, autocomplete: "off", onInput: (event: { currentTarget: { value: string } }) => onChange(event.currentTarget.value === "" ? undefined : event.currentTarget.value)};
  return field.multiline ? <textarea {...props} rows={5} class="input mono"/> : <input {...props} type="text"/>;
}

/** A stored secret is dots until one edits it; what was there cannot be shown, only kept or replaced. */
function Secret({ids, field, value, onChange}: ControlProps): JSX.Element {
  const [stored] = useState(value === MASK);
  const kept = stored && value === MASK;
  if (kept)
    return <div class="row nowrap"><input {...ids} class="input" type="password" value={MASK} readOnly aria-label={fmt(_("$0, stored"), field.title)}/>
      <Button label={fmt(_("Edit $0"), field.title)} onClick={() => onChange(undefined)}>{_("Edit")}</Button></div>;
  const onInput = (event: { currentTarget: { value: string } }) => onChange(event.currentTarget.value === "" ? undefined : event.currentTarget.value);
  return <div class="row nowrap">
    {field.multiline ? <textarea {...ids} class="input mono masked" rows={5} value={shown(value)} spellcheck={false} autocomplete="off" onInput={onInput}/>
      : <input {...ids} class="input" type="password" value={shown(value)} autocomplete="new-password" onInput={onInput}/>}
    {stored && <Button label={fmt(_("Keep the stored $0"), field.title)} onClick={() => onChange(MASK)}>{_("Keep")}</Button>}
  </div>;
}

/** Text while it is no number, so that nothing that is typed is lost. */
function Numeric({ids, field, value, onChange}: ControlProps): JSX.Element {
  return <input {...ids} class="input" type="text" inputMode={field.kind === "integer" ? "numeric" : "decimal"} value={shown(value)} placeholder={shown(field.fallback)} autocomplete="off"
    onInput={event => {
      const text = event.currentTarget.value.trim(), number = Number(text);
      onChange(text === "" ? undefined : Number.isFinite(number) && String(number) === text ? number : text);
    }}/>;
}

function Bool({ids, field, value, onChange}: ControlProps): JSX.Element {
  return <input {...ids} class="box" type="checkbox" checked={(value ?? field.fallback) === true} onChange={event => onChange(event.currentTarget.checked)}/>;
}

function Enum({ids, field, value, onChange}: ControlProps): JSX.Element {
  const index = field.options.findIndex(option => JSON.stringify(option) === JSON.stringify(value));
  return <select {...ids} class="input" value={index < 0 ? "" : String(index)} onChange={event => onChange(event.currentTarget.value === "" ? undefined : field.options[Number(event.currentTarget.value)])}>
    {(index < 0 || !field.required) && <option value="">{_("Choose one")}</option>}
    {field.options.map((option, number) => <option key={number} value={String(number)}>{shown(option)}</option>)}
  </select>;
}

/** One a line: pasted lists work, and nothing needs to be confirmed. */
function Tags({ids, field, value, onChange}: ControlProps): JSX.Element {
  const numbers = field.item?.kind !== "text";
  const [typed, setTyped] = useState(Array.isArray(value) ? value.map(shown).join("\n") : "");
  return <textarea {...ids} class="input" rows={3} value={typed} placeholder={_("One a line")} spellcheck={false} onInput={event => {
    setTyped(event.currentTarget.value);
    const items = event.currentTarget.value.split("\n").map(line => line.trim()).filter(line => line !== "");
    onChange(items.length === 0 ? undefined : numbers ? items.map(item => Number.isFinite(Number(item)) ? Number(item) : item) : items);
  }}/>;
}

function Multi({ids, field, value, onChange}: ControlProps): JSX.Element {
  const chosen = new Set((Array.isArray(value) ? value : []).map(shown));
  return <div id={ids.id} class="checks" role="group" aria-label={field.title} tabIndex={-1}>{field.options.map((option, index) => <label key={index} class="check">
    <input type="checkbox" checked={chosen.has(shown(option))} onChange={event => {
      const next = field.options.filter(each => shown(each) === shown(option) ? event.currentTarget.checked : chosen.has(shown(each)));
      onChange(next.length === 0 ? undefined : next);
    }}/>{shown(option)}</label>)}</div>;
}

function JsonText({ids, value, onChange}: ControlProps): JSX.Element {
  const [typed, setTyped] = useState(value === undefined ? "" : JSON.stringify(value, null, 2));
  const [wrong, setWrong] = useState(false);
  return <><textarea {...ids} class="input mono" rows={5} value={typed} spellcheck={false} aria-invalid={wrong || ids["aria-invalid"]} onInput={event => {
    setTyped(event.currentTarget.value);
    try {
      onChange(event.currentTarget.value.trim() === "" ? undefined : JSON.parse(event.currentTarget.value) as Json);
      setWrong(false);
    } catch {
      setWrong(true);
    }
  }}/>{wrong && <span class="error">{_("This is not valid JSON.")}</span>}</>;
}

export function Control(props: ControlProps): JSX.Element {
  switch (props.field.kind) {
    case "integer": case "number": return <Numeric {...props}/>;
    case "boolean": return <Bool {...props}/>;
    case "enum": return <Enum {...props}/>;
    case "tags": return <Tags {...props}/>;
    case "multi": return <Multi {...props}/>;
    case "json": case "list": case "object": case "choice": return <JsonText {...props}/>;
    default: return props.field.secret ? <Secret {...props}/> : <Text {...props}/>;
  }
}
